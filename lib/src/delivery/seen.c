/* SPDX-License-Identifier: MPL-2.0 */

#include "delivery/seen.h"

#include "base/panic.h"

#include <string.h>

/* Take count ranges out from index at on. */
static void
take_out(struct tulle__seen *seen, uint32_t at, uint32_t count)
{
    struct tulle__seen_range *ranges = seen->ranges;
    memmove(ranges + at, ranges + at + count, (seen->count - at - count) * sizeof *ranges);
    seen->count -= count;
}

static void
put_in(struct tulle__seen *seen, uint32_t at, struct tulle__seen_range range)
{
    struct tulle__seen_range *ranges = seen->ranges;
    if (seen->count == TULLE__SEEN_RANGES_MAX) {
        ranges[1].first = ranges[0].first;
        take_out(seen, 0, 1);
        if (at <= 1) { /* in the hole that closed, or below all */
            ranges[0].first = range.first < ranges[0].first ? range.first : ranges[0].first;
            return;
        }
        at--;
    }
    memmove(ranges + at + 1, ranges + at, (seen->count - at) * sizeof *ranges);
    ranges[at] = range;
    seen->count++;
}

bool
tulle__seen_add(struct tulle__seen *seen, uint64_t first, uint64_t last)
{
    TULLE_ASSERT(first <= last && last < UINT64_MAX);
    struct tulle__seen_range *ranges = seen->ranges;
    /* From the newest: the usual batch is the next one, or just came by another way. */
    uint32_t end = seen->count;
    while (end > 0 && ranges[end - 1].first > last + 1)
        end--;
    /* Ranges begin..end-1 overlap first..last or touch it. */
    uint32_t begin = end;
    while (begin > 0 && ranges[begin - 1].last + 1 >= first)
        begin--;
    if (begin == end) {
        put_in(seen, begin, (struct tulle__seen_range){ first, last });
        return true;
    }
    struct tulle__seen_range *range = &ranges[begin];
    if (end - begin == 1 && range->first <= first && range->last >= last)
        return false;
    if (range->first > first)
        range->first = first;
    range->last = ranges[end - 1].last > last ? ranges[end - 1].last : last;
    take_out(seen, begin + 1, end - begin - 1);
    return true;
}
