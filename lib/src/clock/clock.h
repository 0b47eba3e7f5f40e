/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_CLOCK_CLOCK_H
#define TULLE_CLOCK_CLOCK_H

/* Vector clocks over lane indices (clock/lane_names.h).
 *
 * struct tulle__clock is a plain one: sorted pairs, for the history of a lane.
 * struct tulle__own_clock is a node's: it also keeps, for each entry, when it
 * changed last (a stamp from a counter) and all entries in order of change, so
 * that taking what changed since a stamp costs only the changed entries. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tulle__clock_pair {
    uint32_t lane;
    uint64_t count;
};

struct tulle__clock {
    struct tulle__clock_pair *pairs; /* ascending by lane */
    size_t len;
    size_t cap;
};

void tulle__clock_init(struct tulle__clock *clock);
void tulle__clock_fini(struct tulle__clock *clock);
void tulle__clock_clear(struct tulle__clock *clock); /* keeps the memory */
uint64_t tulle__clock_get(const struct tulle__clock *clock, uint32_t lane);
/* Raise an entry to at least count. False: no memory, nothing changed. */
bool tulle__clock_raise(struct tulle__clock *clock, uint32_t lane, uint64_t count);
/* Raise to every entry of the other. False: no memory, some may be raised. */
bool tulle__clock_merge(struct tulle__clock *clock, const struct tulle__clock *other);
/* Many entries in any order: push them all, then settle once. In between the
 * pairs have no order and nothing else may be called but clear and fini. Raising
 * one by one moves what lies behind each new entry; this is n log n whatever the
 * order, which a peer chooses. False: no memory, nothing changed. */
bool tulle__clock_push(struct tulle__clock *clock, uint32_t lane, uint64_t count);
void tulle__clock_settle(struct tulle__clock *clock);

/* Raises a clock to entries that come one by one in any order, without knowing how many
 * there will be: a few at once, more are pushed and merged at the end. */
struct tulle__clock_raiser {
    struct tulle__clock *clock; /* borrowed */
    struct tulle__clock many;
    size_t count;
};

void tulle__clock_raiser_init(struct tulle__clock_raiser *raiser, struct tulle__clock *clock);
/* False: no memory, the entry is left out. */
bool tulle__clock_raiser_add(struct tulle__clock_raiser *raiser, uint32_t lane, uint64_t count);
/* Always to be called. Returns how many of the entries added were left out after all for
 * lack of memory. */
size_t tulle__clock_raiser_end(struct tulle__clock_raiser *raiser);
void tulle__clock_remove(struct tulle__clock *clock, uint32_t lane);
/* Exchange contents. */
void tulle__clock_swap(struct tulle__clock *a, struct tulle__clock *b);

struct tulle__own_entry {
    uint64_t count; /* 0: not in the clock */
    uint64_t stamp;
    uint32_t newer; /* neighbours in order of change; TULLE__LANE_NONE at the ends */
    uint32_t older;
};

struct tulle__own_clock {
    struct tulle__own_entry *entries; /* by lane index */
    size_t cap;
    uint64_t stamp;  /* of the last change; 0 at first */
    uint32_t newest; /* TULLE__LANE_NONE when empty */
    size_t len;
};

void tulle__own_clock_init(struct tulle__own_clock *clock);
void tulle__own_clock_fini(struct tulle__own_clock *clock);
uint64_t tulle__own_clock_get(const struct tulle__own_clock *clock, uint32_t lane);
/* Make room for an entry, so that raising it cannot fail. False: no memory. */
bool tulle__own_clock_reserve(struct tulle__own_clock *clock, uint32_t lane);
/* Raise an entry; a change gives it a new stamp and makes it the newest. False:
 * no memory, nothing changed. A count not above the entry changes nothing (true). */
bool tulle__own_clock_raise(struct tulle__own_clock *clock, uint32_t lane, uint64_t count);
void tulle__own_clock_remove(struct tulle__own_clock *clock, uint32_t lane);
/* Walk, newest first, what changed after stamp: *lane starts as TULLE__LANE_NONE.
 * Returns false at the end. The clock must not change during the walk. */
bool tulle__own_clock_next(const struct tulle__own_clock *clock, uint64_t stamp, uint32_t *lane);

#endif
