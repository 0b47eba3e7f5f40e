/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_SUPPORT_ORACLE_INTERNAL_H
#define TULLE_SUPPORT_ORACLE_INTERNAL_H

/* What oracle.c (the record: nodes, streams, events) and oracle_judge.c (the
 * rules) share. */

#include "oracle.h"

/* Ranges of numbers, ascending, apart from one another by at least one. */
struct oracle_run {
    uint64_t first;
    uint64_t last;
};

struct oracle_runs {
    struct oracle_run *items;
    size_t len;
    size_t cap;
};

/* A set of events, closed under the order of each lane: counts by lane index. */
struct oracle_vector {
    uint32_t *counts;
    size_t len; /* entries past it are 0 */
};

struct oracle_event {
    char *topic;
    uint8_t *payload;
    size_t payload_len;
    struct oracle_vector past; /* what it depends on; for its own lane: seq - 1 */
};

struct oracle_lane {
    struct oracle_event *events; /* seq - 1 is the index */
    size_t len;
    size_t cap;
};

/* What a node has seen of a lane. */
struct oracle_seen {
    struct oracle_runs delivered;
    struct oracle_runs gaps;
    uint64_t position;  /* in-order lanes: last seq delivered or reported; 0: not begun */
    uint64_t promised;  /* lowest event that it may not skip; 0: none */
    uint64_t cited;     /* delivered events depend on the lane up to here */
    size_t citing_lane; /* one that does */
    uint64_t citing_seq;
    bool is_begun;
    bool is_known_partial;      /* a gap took away knowledge of the lane's past: then */
    struct oracle_vector known; /* what can be known of it */
    uint64_t clockless;         /* from this event on the lane went on without its clock; 0: no */
};

struct oracle_take {
    char *pattern;
    tulle_order order;
    tulle_from from;
};

struct oracle_node {
    uint64_t id;
    char *name;
    bool is_live;
    bool knows_partly;     /* of some lane's past it may know more than is certain here */
    bool has_resubscribed; /* publishers may not know what it takes now: nothing is promised */
    struct oracle_take takes[ORACLE_TAKES_MAX];
    size_t take_count;
    tulle_order order[ORACLE_STREAMS_MAX]; /* by stream; 0: not taken */
    tulle_from from[ORACLE_STREAMS_MAX];
    struct oracle_vector past; /* everything published, delivered, and their pasts */
    struct oracle_lane lanes[ORACLE_STREAMS_MAX];
    struct oracle_seen **seen; /* by publishing node, made when needed; then by stream */
    size_t seen_len;
};

struct oracle {
    struct oracle_rules rules;
    bool is_rough;
    bool has_failed;
    char failure[ORACLE_TEXT_MAX];
    struct oracle_node *nodes;
    size_t node_count;
    size_t node_cap;
    char *streams[ORACLE_STREAMS_MAX];
    size_t stream_count;
    uint64_t published;
    uint64_t delivered;
    uint64_t gaps;
    uint64_t clocks_given_up;
};

static inline size_t
oracle_lane_index(uint32_t node, uint32_t stream)
{
    return (size_t)node * ORACLE_STREAMS_MAX + stream;
}

static inline uint32_t
oracle_lane_node(size_t lane)
{
    return (uint32_t)(lane / ORACLE_STREAMS_MAX);
}

static inline uint32_t
oracle_lane_stream(size_t lane)
{
    return (uint32_t)(lane % ORACLE_STREAMS_MAX);
}

/* Is any of first..last in the set? */
bool oracle_runs_overlap(const struct oracle_runs *runs, uint64_t first, uint64_t last);
void oracle_runs_add(struct oracle_runs *runs, uint64_t first, uint64_t last);
void oracle_runs_clear(struct oracle_runs *runs);

uint64_t oracle_vector_get(const struct oracle_vector *vector, size_t lane);
void oracle_vector_raise(struct oracle_vector *vector, size_t lane, uint64_t count);
void oracle_vector_merge(struct oracle_vector *vector, const struct oracle_vector *other);
void oracle_vector_copy(struct oracle_vector *vector, const struct oracle_vector *other);

/* What the node has seen of the lane; made when it is new. */
struct oracle_seen *oracle_seen_get(struct oracle *oracle, uint32_t node, size_t lane);
/* The same; NULL when nothing was noted yet. */
const struct oracle_seen *oracle_seen_find(const struct oracle *oracle, uint32_t node, size_t lane);
/* Number of a node id; UINT32_MAX: no such node ever ran. */
uint32_t oracle_node_find(const struct oracle *oracle, uint64_t id);
/* Number of a stream; UINT32_MAX: nobody published on it. */
uint32_t oracle_stream_find(const struct oracle *oracle, const void *name, size_t len);

/* Memory that is there or ends the test. */
void *oracle_memory_get(void *old, size_t count, size_t size);

#endif
