/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_COUNTERS_H
#define TULLE_COUNTERS_H

/* Counters of a node, all since its start. Every drop and every limit has one:
 * a message that is not delivered without a counter that moved is a bug. */

#include <tulle/status.h>

#include <stddef.h>
#include <stdint.h>

/* name, unit, kind (counter: only grows; gauge: the value now), help */
#define TULLE_COUNTER_MAP(X)                                                                       \
    X(events_published, events, counter, "events published by this node")                          \
    X(batches_published, batches, counter, "batches sent to the mesh")                             \
    X(bytes_published, bytes, counter, "bytes of batches sent to the mesh")                        \
    X(events_delivered, events, counter, "events delivered to subscriptions' lanes")               \
    X(bytes_delivered, bytes, counter, "bytes of the batches with them")                           \
    X(batches_received, batches, counter, "batches that arrived live")                             \
    X(bytes_received, bytes, counter, "bytes of batches that arrived live")                        \
    X(events_held, events, counter, "events that had to wait for order")                           \
    X(events_repaired, events, counter, "events that came by fetch")                               \
    X(events_duplicate, events, counter, "events that came again and were dropped")                \
    X(events_given_up, events, counter, "events reported missing in gap notices")                  \
    X(deps_given_up, dependencies, counter, "dependencies in circles, which no honest node makes") \
    X(clocks_given_up, lanes, counter, "lanes that went on without knowing what they depend on")   \
    X(gaps, gaps, counter, "gap notices")                                                          \
    X(fetches_sent, requests, counter, "requests for missing ranges")                              \
    X(fetches_answered, requests, counter, "requests of others answered with events")              \
    X(fetches_refused, requests, counter, "requests of others for what is not kept here")          \
    X(syncs_sent, requests, counter, "sync requests sent")                                         \
    X(syncs_answered, requests, counter, "sync requests answered")                                 \
    X(looks_answered, requests, counter, "requests of observers for a view of this node")          \
    X(dropped_looks, requests, counter, "such requests dropped: there were too many")              \
    X(beats_sent, beats, counter, "beats sent")                                                    \
    X(beats_received, beats, counter, "beats received")                                            \
    X(relayed_events, events, counter, "events that left this segment through a proxy")            \
    X(relayed_batches, batches, counter, "batches that left this segment through a proxy")         \
    X(relayed_bytes, bytes, counter, "bytes of batches that left through a proxy")                 \
    X(entered_events, events, counter, "events that came into this segment through a proxy")       \
    X(entered_bytes, bytes, counter, "bytes of batches that came in through a proxy")              \
    X(relayed_duplicates, batches, counter, "batches that reached a proxy again")                  \
    X(relayed_control, messages, counter, "control messages and beats forwarded by a proxy")       \
    X(dropped_malformed, messages, counter, "messages that cannot be read")                        \
    X(dropped_version, messages, counter, "messages of an unknown major version")                  \
    X(dropped_mesh, messages, counter, "messages of another mesh")                                 \
    X(dropped_unwanted, messages, counter, "messages for a stream or node that is not taken")      \
    X(dropped_loop, messages, counter, "messages that came back through a proxy")                  \
    X(dropped_hops, messages, counter, "messages past the hop limit")                              \
    X(dropped_policy, messages, counter, "messages that a proxy's patterns deny")                  \
    X(dropped_size, batches, counter, "batches with an event too large for a proxy's limit")       \
    X(limited_events, events, counter, "events that a proxy's rate held back for a while")         \
    X(limited_bytes, bytes, counter, "bytes of such events")                                       \
    X(limited_fetches, requests, counter, "requests of others that a proxy's rate made wait")      \
    X(dropped_held_full, batches, counter, "batches dropped to be fetched later: held is full")    \
    X(dropped_table_full, messages, counter, "messages dropped because a table is full")           \
    X(dropped_no_route, messages, counter, "control messages to a node nobody knows a way to")     \
    X(notices_dropped, messages, counter, "arrivals, duplicates, peers not told: queue is full")   \
    X(clock_clamped, events, counter, "event times too far ahead of the local clock")              \
    X(peers_up, nodes, gauge, "peers that are up")                                                 \
    X(lanes, lanes, gauge, "lanes known")                                                          \
    X(held_now, bytes, gauge, "bytes waiting for order")                                           \
    X(retained_now, bytes, gauge, "bytes kept for others")                                         \
    X(limited_now, events, gauge, "events that wait for a proxy's rate")                           \
    X(unacked_now, bytes, gauge, "own bytes that a live consumer has not acknowledged")

typedef struct tulle_counters {
#define TULLE_COUNTER_FIELD(name, unit, kind, help) uint64_t name;
    TULLE_COUNTER_MAP(TULLE_COUNTER_FIELD)
#undef TULLE_COUNTER_FIELD
} tulle_counters;

/* A row of the table above, to walk all counters without naming them. */
typedef struct tulle_counter_info {
    const char *name;
    const char *unit;
    const char *kind; /* "counter" or "gauge" */
    const char *help;
    size_t offset; /* of the uint64_t within tulle_counters */
} tulle_counter_info;

#ifdef __cplusplus
extern "C" {
#endif

/* Rows of the table; index 0, 1, 2, ... until NULL.
 *
 * Returns  a static row, NULL past the end
 * Threads  any; never blocks
 */
TULLE_API const tulle_counter_info *tulle_counter_info_at(size_t index);

#ifdef __cplusplus
}
#endif

#endif
