/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_CHECK_METRIC_H
#define TULLE_TOOLS_CHECK_METRIC_H

/* What a mesh is judged by: numbers made of a snapshot, and ranges for each. */

#include "app/option.h"
#include "tools/check/check_base.h"
#include "tools/check/check_range.h"

#include <tulle/observe.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NAME, name, unit (of performance data), default ranges, how those of nodes make one, help */
#define TULLE__METRIC_MAP(X)                                                                      \
    X(NODES, "nodes", "", NULL, NULL, SUM, "nodes and proxies that are up")                       \
    X(MISSING, "missing", "", NULL, "0", SUM, "nodes that are expected and not up")               \
    X(GONE, "gone", "", NULL, "0", SUM, "nodes that fell silent and did not come back")           \
    X(SUSPECT, "suspect", "", "0", NULL, SUM, "nodes that are silent for a while")                \
    X(UNANSWERED, "unanswered", "", "0", NULL, SUM, "nodes that are known and do not answer")     \
    X(LAG, "lag", "", "1000", "10000", MAX, "events the slowest consumer is behind")              \
    X(GAPS, "gaps", "", NULL, "0", SUM, "ranges of events given up")                              \
    X(LOST, "lost", "", NULL, NULL, SUM, "events in them")                                        \
    X(HELD, "held", "B", NULL, NULL, MAX, "bytes that wait for order at one node")                \
    X(UNACKED, "unacked", "B", NULL, NULL, MAX, "bytes of one node that a consumer lacks")        \
    X(P50, "p50", "ms", NULL, NULL, MAX, "median time from publishing to delivery, worst node")   \
    X(P99, "p99", "ms", NULL, NULL, MAX, "its 99th percentile, worst node")                       \
    X(PUBLISHERS, "publishers", "", NULL, NULL, SUM, "live publishers, one for each stream")      \
    X(CONSUMERS, "consumers", "", NULL, NULL, SUM, "live nodes that take a stream that is there") \
    X(AGE, "age", "s", NULL, NULL, MAX,                                                           \
      "since the last event of the stream that is silent longest")                                \
    X(DROPPED, "dropped", "", NULL, NULL, SUM, "messages dropped, for any reason")                \
    X(PUBLISHED, "published", "", NULL, NULL, SUM, "events published a second")                   \
    X(DELIVERED, "delivered", "", NULL, NULL, SUM, "events delivered a second")

enum tulle__metric {
#define TULLE__METRIC_ENUM(NAME, name, unit, warning, critical, how, help) TULLE__METRIC_##NAME,
    TULLE__METRIC_MAP(TULLE__METRIC_ENUM)
#undef TULLE__METRIC_ENUM
        TULLE__METRIC_COUNT
};

enum tulle__metric_how { TULLE__METRIC_SUM = 1, TULLE__METRIC_MAX };

struct tulle__metric_info {
    const char *name, *unit, *warning, *critical, *help;
    enum tulle__metric_how how;
};

const struct tulle__metric_info *tulle__metric_info(enum tulle__metric metric);

/* What is looked at. Patterns of names are those of the shell. */
struct tulle__check_scope {
    struct tulle__list nodes, excludes; /* names; no nodes: all */
    struct tulle__list streams;         /* patterns; none: all */
    struct tulle__list expects;         /* names that must be up */
    uint64_t node_count;                /* so many must be */
};

bool tulle__check_has_node(const struct tulle__check_scope *scope, const tulle_seen_node *node);
bool tulle__check_has_stream(const struct tulle__check_scope *scope, const char *stream);

/* What one node adds to a metric. */
struct tulle__check_sample {
    enum tulle__metric metric;
    const tulle_seen_node *node; /* NULL: none of this name is known */
    const tulle_seen_lane *lane; /* of lag: where most of it is */
    const char *name;            /* an expected node, or a stream; else NULL */
    double value;
    uint64_t lane_lag;
};

struct tulle__check_values {
    double value[TULLE__METRIC_COUNT];
    bool is_known[TULLE__METRIC_COUNT];
    struct tulle__check_sample *samples; /* those that are not 0; borrow the snapshot and scope */
    size_t sample_count, sample_cap;
    bool has_failed; /* no memory */
};

void tulle__check_add(struct tulle__check_values *values, struct tulle__check_sample sample);

/* Measure all but age, which is not known. base: counters to count from; NULL: from the start of
 * each node, and there are no rates. Start from values of { 0 }; made anew each time; freed with
 * _fini. */
void tulle__check_measure(const tulle_snapshot *snapshot,
                          const struct tulle__check_scope *scope,
                          const struct tulle__check_base *base,
                          struct tulle__check_values *values);
void tulle__check_values_fini(struct tulle__check_values *values);

/* Exit statuses of monitoring plugins. */
enum tulle__verdict {
    TULLE__VERDICT_OK = 0,
    TULLE__VERDICT_WARNING = 1,
    TULLE__VERDICT_CRITICAL = 2,
    TULLE__VERDICT_UNKNOWN = 3
};

const char *tulle__verdict_name(enum tulle__verdict verdict); /* "OK" */

struct tulle__check_limits {
    struct tulle__range warning[TULLE__METRIC_COUNT];
    struct tulle__range critical[TULLE__METRIC_COUNT];
};

void tulle__check_limits_init(struct tulle__check_limits *limits);

/* Set ranges from "lag=100,gaps=0"; "lag=none" removes one. text is changed and borrowed.
 * Returns NULL, or what is wrong. */
const char *tulle__check_limits_set(struct tulle__range *ranges, char *text);

/* One metric, and the worst of all: critical, warning, unknown, ok. */
enum tulle__verdict tulle__check_judge_one(const struct tulle__check_values *values,
                                           const struct tulle__check_limits *limits,
                                           enum tulle__metric metric);
enum tulle__verdict tulle__check_judge(const struct tulle__check_values *values,
                                       const struct tulle__check_limits *limits);

#endif
