/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_DELIVERY_SEEN_H
#define TULLE_DELIVERY_SEEN_H

/* Which sequence numbers of a lane have been here: ranges in ascending order, apart from
 * each other. Parallel ways bring the same batches, one way later than the other, each in
 * order: a few ranges hold what is lost or late on the way that is ahead. */

#include <stdbool.h>
#include <stdint.h>

enum { TULLE__SEEN_RANGES_MAX = 32 };

struct tulle__seen_range {
    uint64_t first;
    uint64_t last;
};

/* All zero: nothing yet. */
struct tulle__seen {
    uint32_t count;
    struct tulle__seen_range ranges[TULLE__SEEN_RANGES_MAX];
};

/* Note first..last, first <= last. False: all of it was seen before. Without room for one
 * more range the hole between the two lowest is taken as seen: what may still come
 * for it is the oldest, and is fetched by who needs it. */
bool tulle__seen_add(struct tulle__seen *seen, uint64_t first, uint64_t last);
/* The same, inline for what mostly comes: the next ones. */
static inline bool
tulle__seen_add_next(struct tulle__seen *seen, uint64_t first, uint64_t last)
{
    struct tulle__seen_range *highest = &seen->ranges[seen->count > 0 ? seen->count - 1 : 0];
    if (seen->count == 0 || highest->last + 1 != first)
        return tulle__seen_add(seen, first, last);
    highest->last = last;
    return true;
}

#endif
