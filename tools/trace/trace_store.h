/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_TRACE_STORE_H
#define TULLE_TOOLS_TRACE_STORE_H

/* What a trace has read: events by lane, and what it was told about those that are missing.
 *
 * It grows up to a number of events and of bytes, then takes nothing more and says so. All that
 * is in it lives until tulle__trace_store_fini().
 */

#include <tulle/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TULLE__TRACE_NONE UINT32_MAX

/* An event by the index of its lane. */
struct tulle__trace_ref {
    uint32_t lane;
    uint64_t seq;
};

struct tulle__trace_event {
    uint64_t seq;
    uint64_t hlc;
    int64_t time_us;
    const char *topic;
    const char *payload;  /* as JSON, not NUL-terminated; a long one is cut and a string then */
    const char *encoding; /* as of tulle__payload_value_put(); NULL too when it is cut */
    uint32_t payload_len;
    uint32_t lane;
    const struct tulle__trace_ref *causes;
    uint32_t cause_count;
    bool is_potential; /* causes are what its clock names, not what its publisher named */
    bool is_asked;     /* somebody wants to know about it */
    bool is_followed;  /* asked for, or a consequence of one that is */
};

struct tulle__trace_gap {
    uint64_t first, last;
    tulle_gap_reason reason;
};

struct tulle__trace_slot {
    uint64_t seq;
    uint32_t event;
};

struct tulle__trace_step {
    uint64_t seq, count;
};

/* How one entry of a lane's clock grew. */
struct tulle__trace_entry {
    uint32_t lane;
    struct tulle__trace_step *steps; /* ascending */
    size_t count, cap;
};

struct tulle__trace_lane {
    uint64_t node;
    const char *name; /* of the node; "" while it is not known */
    const char *stream;
    struct tulle__trace_slot *slots; /* ascending */
    size_t slot_count, slot_cap;
    struct tulle__trace_gap *gaps;
    size_t gap_count, gap_cap;
    struct tulle__trace_entry *clock; /* by lane, ascending; without its own */
    size_t clock_count, clock_cap;
    uint32_t next; /* in its bucket */
};

struct tulle__trace_block;

struct tulle__trace_store {
    struct tulle__trace_event *events;
    size_t event_count, event_cap;
    struct tulle__trace_lane *lanes;
    size_t lane_count, lane_cap;
    uint32_t *buckets;
    size_t bucket_count; /* a power of two */
    struct tulle__trace_block *blocks;
    uint64_t bytes;

    uint64_t events_max, bytes_max; /* set before the first event */
    bool has_potential;             /* read clocks too, for events that name no cause */
    bool is_full;                   /* a bound is reached: nothing is taken any more */
    bool has_failed;                /* no memory */
};

/* Bytes that live as long as the store; NULL when there is no memory. */
void *tulle__trace_keep(struct tulle__trace_store *store, const void *bytes, size_t len);

/* Room for one more in an array of the store, which is counted. */
bool tulle__trace_grow(
    struct tulle__trace_store *store, void *array, size_t *cap, size_t count, size_t size);

/* Index of a lane, made when it is new; TULLE__TRACE_NONE when there is no memory. */
uint32_t tulle__trace_lane_of(struct tulle__trace_store *store, uint64_t node, const char *stream);

/* Take in an event or a gap; other messages are not looked at. Returns the event, which moves
 * with the next call, or NULL: no event, known already, or no room. */
struct tulle__trace_event *tulle__trace_add(struct tulle__trace_store *store,
                                            const tulle_message *message);

/* Name a node whose name is not known yet. */
void tulle__trace_learn(struct tulle__trace_store *store, uint64_t node, const char *name);

/* Index of an event, TULLE__TRACE_NONE when it was not read. */
uint32_t tulle__trace_find(const struct tulle__trace_store *store, struct tulle__trace_ref ref);

/* Was a gap told for it? NULL: no. */
const struct tulle__trace_gap *tulle__trace_gap_at(const struct tulle__trace_store *store,
                                                   struct tulle__trace_ref ref);

void tulle__trace_store_fini(struct tulle__trace_store *store);

#endif
