/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_DELIVERY_STORE_H
#define TULLE_DELIVERY_STORE_H

/* Retention in memory: encoded batches kept so that others can fetch them.
 *
 * A store bounds bytes and age over many lanes; each lane has its struct
 * tulle__kept. What is oldest of all goes first. When a lane's batch goes, its
 * deps are merged into the lane's floor clock, so that the clock of the lane
 * just before any batch still kept can be told exactly.
 *
 * Batches of which more memory than they need would be kept (base/buf.h) are copied, those of a
 * lane that follow each other soon into one run, which goes as a whole.
 *
 * Batches of one lane may be of several stores with the same names: then what is
 * below one that goes, in whichever store, goes with it. */

#include "base/buf.h"
#include "base/time.h"
#include "clock/clock.h"
#include "clock/lane_names.h"
#include "codec/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tulle__kept;
struct tulle__kept_run;
struct tulle__store;

struct tulle__kept {
    struct tulle__kept_run **ring; /* ascending */
    size_t cap;                    /* a power of two, or 0 */
    size_t head;                   /* index of the lowest */
    size_t len;                    /* 0: nothing is kept */
    uint64_t bytes_total;          /* of everything ever appended */
    struct tulle__clock floor;     /* clock of the lane just before the lowest batch */
    bool is_floor_known;
};

/* A batch that is kept; good until something is appended or lets go. */
struct tulle__kept_batch {
    struct tulle__view bytes;
    uint64_t first, last;
    struct tulle__buf *buf; /* of nothing but these bytes, borrowed; NULL: there is none */
    size_t run, at;         /* where it is: the store's own */
};

struct tulle__store {
    struct tulle__lane_names *names; /* borrowed: deps of leaving batches are named here */
    struct tulle__pool *pool;        /* borrowed: of runs; NULL: the system */
    uint64_t bytes_max;
    int64_t age_ns_max;
    uint64_t bytes;
    struct tulle__kept_run *oldest;
    struct tulle__kept_run *newest;
};

void tulle__store_init(struct tulle__store *store,
                       struct tulle__lane_names *names,
                       uint64_t bytes_max,
                       uint64_t age_ms_max);
/* Other bounds, from now on: evicts what is over them. */
void tulle__store_bound(struct tulle__store *store,
                        uint64_t bytes_max,
                        uint64_t age_ms_max,
                        struct tulle__mono now);
void tulle__kept_init(struct tulle__kept *kept);
/* Let go of everything a lane keeps. */
void tulle__kept_fini(struct tulle__kept *kept);

struct tulle__keep {
    struct tulle__buf *buf;
    uint64_t first;
    uint64_t last;
    bool has_deps; /* else its bytes are not looked at again to move the floor */
};

/* Keep a batch (a reference is taken; of what is part of more, a copy). first must be above
 * everything kept of the lane. Without memory, or when it alone is above the bound, it is not kept
 * and the floor moves past it. Then evicts what is over the bounds. */
void tulle__kept_append(struct tulle__store *store,
                        struct tulle__kept *kept,
                        const struct tulle__keep *keep,
                        struct tulle__mono now);
/* Evict what is too old. */
void tulle__store_expire(struct tulle__store *store, struct tulle__mono now);

/* The first and the last seq kept; something must be. */
uint64_t tulle__kept_first(const struct tulle__kept *kept);
uint64_t tulle__kept_last(const struct tulle__kept *kept);
/* The lowest batch whose last is at least seq; false: there is none. */
bool
tulle__kept_find(const struct tulle__kept *kept, uint64_t seq, struct tulle__kept_batch *batch);
/* The next batch above; false: there is none. */
bool tulle__kept_next(const struct tulle__kept *kept, struct tulle__kept_batch *batch);
/* Bytes appended after the batch that holds seq (all still kept when seq is below them). */
uint64_t tulle__kept_bytes_after(const struct tulle__kept *kept, uint64_t seq);
/* Clock of the lane just before a batch, into out (cleared first). False:
 * not known, or no memory. Cost grows with what is kept below. */
bool tulle__kept_clock_before(const struct tulle__store *store,
                              const struct tulle__kept *kept,
                              const struct tulle__kept_batch *batch,
                              struct tulle__clock *out);

#endif
