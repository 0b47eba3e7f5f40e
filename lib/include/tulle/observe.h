/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_OBSERVE_H
#define TULLE_OBSERVE_H

/* What one node knows of the whole mesh: who is there, who publishes and takes what, how
 * far each has got, and which proxies join which segments.
 *
 * A node with options.observe = true keeps that, without taking any events: it listens to
 * beats and asks each node, near or beyond proxies, for a view of itself: for everything
 * once and then every 10 s (proxies: 2 s), for its counters about once a second (less often with
 * more than 200 nodes). tulle_snapshot_new() copies what is known. Rates are the difference of two.
 */

#include <tulle/node.h>
#include <tulle/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* name, unit, kind, help: what a node tells of itself, all since its start */
#define TULLE_SEEN_COUNTER_MAP(X)                                                               \
    X(events_published, events, counter, "events it published")                                 \
    X(bytes_published, bytes, counter, "bytes of the batches with them")                        \
    X(events_delivered, events, counter, "events delivered there")                              \
    X(bytes_delivered, bytes, counter, "bytes of the batches with them")                        \
    X(events_held, events, counter, "events that had to wait for order")                        \
    X(held_now, bytes, gauge, "bytes waiting for order")                                        \
    X(gaps, gaps, counter, "ranges given up")                                                   \
    X(events_given_up, events, counter, "events in them")                                       \
    X(events_repaired, events, counter, "events that came by fetch")                            \
    X(events_duplicate, events, counter, "events that came again and were dropped")             \
    X(dropped, messages, counter, "messages dropped, for any reason")                           \
    X(unacked_now, bytes, gauge, "own bytes that a live consumer has not acknowledged")         \
    X(retained_now, bytes, gauge, "bytes kept for others")                                      \
    X(delay_p50_us, microseconds, gauge, "from publishing to delivery, by wall clocks: median") \
    X(delay_p99_us, microseconds, gauge, "the same, 99th percentile; of the last few seconds")  \
    X(uptime_ms, milliseconds, gauge, "since its start")

typedef struct tulle_seen_counters {
#define TULLE_SEEN_COUNTER_FIELD(name, unit, kind, help) uint64_t name;
    TULLE_SEEN_COUNTER_MAP(TULLE_SEEN_COUNTER_FIELD)
#undef TULLE_SEEN_COUNTER_FIELD
} tulle_seen_counters;

typedef enum tulle_seen_state {
    TULLE_SEEN_NAMED = 1, /* somebody named it; nothing was heard of it yet */
    TULLE_SEEN_UP = 2,
    TULLE_SEEN_SUSPECT = 3, /* silent for suspect_ms */
    TULLE_SEEN_GONE = 4,    /* silent for gone_ms, or nobody listens at its address any more */
    TULLE_SEEN_LEFT = 5     /* said that it leaves */
} tulle_seen_state;

/* One side of a proxy; counts are of what crossed there, since its start. */
typedef struct tulle_seen_link {
    size_t segment;      /* index among the snapshot's segments */
    const char *name;    /* what the proxy calls the segment */
    const char *address; /* the proxy's control address there */
    uint64_t events_out; /* that left the segment through the proxy */
    uint64_t bytes_out;
    uint64_t events_in; /* that came into it */
    uint64_t bytes_in;
    uint64_t waiting; /* events that wait for a rate limit of it now */
} tulle_seen_link;

typedef struct tulle_seen_node {
    uint64_t id;
    const char *name;    /* "" when not known */
    const char *address; /* control addresses, separated by spaces; as good on its segment */
    tulle_seen_state state;
    bool is_self; /* the observing node itself */
    bool is_proxy;
    bool was_viewed;   /* it has answered: what is said of it is complete */
    uint32_t hops;     /* proxies between here and there */
    uint64_t via;      /* the neighbour it is heard through: a proxy; 0: it is one itself */
    uint32_t beat_ms;  /* between its beats; 0: not known */
    uint64_t since_ms; /* how long it has been in that state */
    uint64_t heard_ms; /* how long ago something was heard of it */
    bool has_round_trip;
    uint64_t round_trip_us; /* of a question and its answer */
    /* What it takes: a stream, or everything below a prefix: "a/b/" and two stars. */
    const char *const *takes;
    size_t take_count;
    bool has_counters;
    uint64_t counters_ms; /* how old they are */
    tulle_seen_counters counters;
    size_t segment; /* index of the segment it is on; SIZE_MAX: not known, or a proxy */
    const tulle_seen_link *links; /* of a proxy */
    size_t link_count;
} tulle_seen_node;

/* A node that takes a lane, and how far it has acknowledged it; 0: nothing yet. What it did
 * not want, before its start, counts as acknowledged. */
typedef struct tulle_seen_taker {
    uint64_t node;
    uint64_t acked; /* may be above head for a moment: they are told by different nodes */
} tulle_seen_taker;

/* A node that keeps events of a lane for others. */
typedef struct tulle_seen_holder {
    uint64_t node;
    uint64_t first;
    uint64_t last;
} tulle_seen_holder;

typedef struct tulle_seen_lane {
    uint64_t node;         /* its publisher, which may be gone */
    const char *node_name; /* "" when not known */
    const char *stream;
    uint64_t head;                  /* seq of its last event */
    uint64_t changed_ms;            /* how long ago the head was seen to grow, or was seen first */
    const tulle_seen_taker *takers; /* live ones that take the stream */
    size_t taker_count;
    const tulle_seen_holder *holders; /* as of their last views */
    size_t holder_count;
} tulle_seen_lane;

/* Nodes that reach one another without a proxy. */
typedef struct tulle_seen_segment {
    const char *name;      /* as a proxy calls it; "" when none does */
    const uint64_t *nodes; /* proxies too */
    size_t node_count;
    bool has_self;
} tulle_seen_segment;

typedef struct tulle_snapshot {
    uint64_t time_us;             /* wall clock, since 1970 */
    uint64_t mono_us;             /* for the time between two snapshots */
    const tulle_seen_node *nodes; /* ascending ids; this node too */
    size_t node_count;
    const tulle_seen_lane *lanes; /* ascending streams, then ids */
    size_t lane_count;
    const tulle_seen_segment *segments; /* the first is this node's own */
    size_t segment_count;
    size_t pending;      /* nodes that are named or up and were not viewed yet */
    uint64_t lanes_over; /* lanes told of that are not in here: there were more than 100,000 */
    uint64_t marks_over; /* acknowledgements and holders; the limit is a million */
} tulle_snapshot;

#ifdef __cplusplus
extern "C" {
#endif

/* Copy what the node knows of the mesh.
 *
 * out      set to a snapshot to be freed with tulle_snapshot_free(); NULL on failure
 *
 * Returns  TULLE_OK
 *          TULLE_EINVAL  the node does not observe
 *          TULLE_ESTATE  not started, or called from a callback
 *          TULLE_ENOMEM
 * Threads  any but a callback
 */
TULLE_API TULLE_MUST_CHECK tulle_status tulle_snapshot_new(tulle_node *node,
                                                           const tulle_snapshot **out);

/* Free a snapshot with all in it; *snapshot becomes NULL. NULL is allowed. Threads: any. */
TULLE_API void tulle_snapshot_free(const tulle_snapshot **snapshot);

/* Find a node of a snapshot; NULL: it is not in it. Threads: any. */
TULLE_API const tulle_seen_node *tulle_snapshot_node(const tulle_snapshot *snapshot, uint64_t id);

#ifdef __cplusplus
}
#endif

#endif
