/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_DELIVERY_FORWARD_LANE_H
#define TULLE_DELIVERY_FORWARD_LANE_H

/* What a proxy remembers of what passes it. */

#include "base/table.h"
#include "codec/limits.h"
#include "delivery/forward.h"
#include "delivery/seen.h"
#include "delivery/store.h"

enum { TULLE__ASKS_OF_LANE = 16 };

/* The proxies that something has passed. */
struct tulle__passed {
    uint64_t ids[TULLE__PATH_MAX];
    uint32_t hops;
};

/* The way that something came, as its frame says it, and with this proxy behind it. Most
 * came the same way as what was before it. */
struct tulle__way {
    uint8_t frame[TULLE__PATH_LEN_MAX];
    size_t len; /* 0: it passed no proxy */
    struct tulle__passed passed;
    struct tulle__buf *extended; /* NULL: there is none yet */
};

/* What becomes of a lane's batches. */
enum tulle__outlook {
    TULLE__OUTLOOK_PASSES,
    TULLE__OUTLOOK_AWAITED, /* kept for who took it and is cut off */
    TULLE__OUTLOOK_DENIED,  /* by the policy of the side that they come from */
    TULLE__OUTLOOK_UNWANTED /* nobody beyond takes them */
};

/* Who asks for what of a lane that leaves a limited side (forward_share.c). */
struct tulle__demand {
    struct {
        uint64_t node, first;
        int64_t at_ns; /* when it asked last */
    } asks[TULLE__ASKS_OF_LANE];
    struct tulle__seen shared;       /* went out to all, out of answers: not once more */
    struct tulle__seen_range coming; /* of these, what is on its way */
    int64_t coming_ns;               /* when the first of it went out */
};

/* What had waited and went on, in short whiles: so it is known where that of lately begins. */
struct tulle__pushed {
    int64_t last_ns;        /* when something did last; 0: never */
    int64_t since_ns;       /* when this while began */
    uint64_t first, before; /* the first event of this while, and of the one before it */
};

/* A lane whose batches pass here. */
struct tulle__passing {
    struct {
        uint64_t node;
        char stream[TULLE__TOPIC_LEN_MAX + 1];
    } name; /* the hash key, without the zeros behind the stream */
    size_t stream_len;
    struct tulle__seen seen;
    struct tulle__kept kept;
    size_t from; /* side that its batches came from last */
    /* Events from released up to below held_back wait for the rate of that side. */
    uint64_t released;
    uint64_t held_back;
    int64_t asked_ns; /* when the lowest of them was asked for last, or began to wait */
    struct tulle__pushed pushed;
    bool is_queued;              /* the lowest is kept here */
    struct tulle__passing *prev; /* in the queue of that side */
    struct tulle__passing *next;
    struct tulle__demand *demand; /* NULL: nobody asked */
    uint64_t epoch;               /* of the answers below; 0: there are none */
    enum tulle__outlook outlook;
    struct tulle__passage passage; /* where a node takes it, but for the side it comes from */
    UT_hash_handle hh;
};

/* Borrowed from the lane. */
static inline struct tulle__view
tulle__passing_stream(const struct tulle__passing *lane)
{
    return (struct tulle__view){ (const uint8_t *)lane->name.stream, lane->stream_len };
}

/* A FETCH that was passed on although something above what it asks for first is kept here. */
struct tulle__asked {
    uint64_t from, counter, first;
};

/* A publisher was heard. */
struct tulle__heard {
    const struct tulle__engine *by; /* NULL: nobody was */
    uint64_t node, via;
    uint32_t hops;
    int64_t at_ns;
};

#endif
