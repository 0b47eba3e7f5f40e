/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_SUPPORT_ORACLE_H
#define TULLE_SUPPORT_ORACLE_H

/* The judge of a simulation. It is told what every node published, received and
 * was told to be lost, keeps the true happened-before relation by itself, and
 * says whether what the nodes did is what tulle promises. It knows nothing of
 * the engine: no state, no deps, no clock of it.
 *
 * A run of a node is an incarnation, numbered 0, 1, 2, ... Streams are numbered
 * as they are first named. A lane is (incarnation, stream); a vector of counts
 * over all lanes is a set of events that is closed under the order of each lane.
 *
 * What it checks, when told:
 *   delivered, gap   nothing twice; every lane in its order; no hole that was not
 *                    reported; nothing before what it depends on; nothing
 *                    skipped that was published for this node; contents intact
 *   memory           within the limits
 *   unmet            at rest: everybody has, or was told of, everything
 *
 * The first violation is kept; what follows it is ignored. */

#include "codec/reader.h"

#include <tulle/counters.h>
#include <tulle/event.h>
#include <tulle/node.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct oracle;

enum {
    ORACLE_STREAMS_MAX = 8, /* in one simulation */
    ORACLE_TAKES_MAX = 8,   /* subscriptions of an incarnation */
    ORACLE_TEXT_MAX = 512
};

struct oracle_rules {
    bool is_gap_wrong; /* nothing can be lost in this run: a gap notice is a violation */
    bool can_evict;    /* retention may let go of something in this run */
    bool can_withhold; /* proxies do not let everything pass */
    bool keeps_next;   /* what comes behind a gap is kept by its publisher: then the past
                           of the gap can be known, and has to be respected */
};

struct oracle *oracle_new(const struct oracle_rules *rules);
void oracle_free(struct oracle **pointer);
/* Text of the first violation; NULL: none so far. */
const char *oracle_failure(const struct oracle *oracle);
/* Report something that the simulator itself saw; kept when it is the first. */
void oracle_fail(struct oracle *oracle, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Something happened (partition, crash, pause) after which a search for events
 * may rightly end without them. */
void oracle_set_rough(struct oracle *oracle);

/* ---- nodes ---- */

/* A node starts; returns its incarnation. name is copied. */
uint32_t oracle_start(struct oracle *oracle, uint64_t id, const char *name);
/* It crashed or left. */
void oracle_end(struct oracle *oracle, uint32_t node);
bool oracle_is_live(const struct oracle *oracle, uint32_t node);
uint64_t oracle_id(const struct oracle *oracle, uint32_t node);
void oracle_subscribe(
    struct oracle *oracle, uint32_t node, const char *pattern, tulle_order order, tulle_from from);
void oracle_unsubscribe(struct oracle *oracle, uint32_t node, const char *pattern);
/* Does an incarnation take the stream (by the rule of keys, not of topics)? */
bool oracle_takes(const struct oracle *oracle, uint32_t node, const char *stream);

/* ---- events ---- */

/* Names an event. */
struct oracle_ref {
    uint32_t node;
    uint32_t stream;
    uint32_t seq;
};

struct oracle_publish {
    const char *stream;
    const char *topic;
    const void *payload;
    size_t payload_len;
    const struct oracle_ref *causes;
    size_t cause_count;
    bool only_causes;
    const struct oracle_ref *after; /* seen elsewhere, each with its past */
    size_t after_count;
};

struct oracle_ref
oracle_published(struct oracle *oracle, uint32_t node, const struct oracle_publish *publish);
/* The publisher knew, when it published the event, that the taker listens. */
void oracle_promised(struct oracle *oracle, struct oracle_ref event, uint32_t taker);

/* An event as a node got it. */
struct oracle_delivery {
    uint64_t publisher; /* id */
    struct tulle__view stream;
    struct tulle__view rest;
    struct tulle__view payload;
    uint64_t seq;
};

/* True and *event set when it is an event that exists and was in its place. */
bool oracle_delivered(struct oracle *oracle,
                      uint32_t node,
                      const struct oracle_delivery *delivery,
                      struct oracle_ref *event);
void oracle_gap(struct oracle *oracle, uint32_t node, const tulle_gap *gap);
/* The node said that the lane goes on with event next without its clock. */
void oracle_clock_given_up(
    struct oracle *oracle, uint32_t node, uint64_t publisher, const char *stream, uint64_t next);

struct oracle_limits {
    uint64_t held_bytes;
    uint64_t retained_bytes;
};

void oracle_memory(struct oracle *oracle,
                   uint32_t node,
                   const tulle_counters *counters,
                   const struct oracle_limits *limits);

/* ---- at rest ---- */

/* Has somebody not got what it is due? Then true, and why. */
bool oracle_unmet(const struct oracle *oracle, char why[static ORACLE_TEXT_MAX]);

/* ---- questions, for tests ---- */

bool oracle_has(const struct oracle *oracle, uint32_t node, struct oracle_ref event);
/* Was it told that the event is lost? */
bool oracle_has_gap(const struct oracle *oracle, uint32_t node, struct oracle_ref event);
const char *oracle_stream_name(const struct oracle *oracle, uint32_t stream);
uint64_t oracle_published_count(const struct oracle *oracle);
uint64_t oracle_delivered_count(const struct oracle *oracle);
uint64_t oracle_gap_count(const struct oracle *oracle);
uint64_t oracle_clocks_given_up(const struct oracle *oracle);

#endif
