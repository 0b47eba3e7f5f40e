/* SPDX-License-Identifier: MPL-2.0 */
/* Vector clocks over lane indices. */

#include "clock/clock.h"

#include "base/alloc.h"
#include "base/panic.h"
#include "clock/lane_names.h"

#include <string.h>

/* ---- plain ---- */

void
tulle__clock_init(struct tulle__clock *clock)
{
    *clock = (struct tulle__clock){ 0 };
}

void
tulle__clock_fini(struct tulle__clock *clock)
{
    tulle__free(clock->pairs);
    tulle__clock_init(clock);
}

void
tulle__clock_clear(struct tulle__clock *clock)
{
    clock->len = 0;
}

/* Index of the first pair whose lane is not below. */
static size_t
lower_bound(const struct tulle__clock *clock, uint32_t lane)
{
    size_t low = 0;
    size_t high = clock->len;
    if (high > 0 && clock->pairs[high - 1].lane < lane)
        return high; /* new lanes have the highest index */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (clock->pairs[middle].lane < lane)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint64_t
tulle__clock_get(const struct tulle__clock *clock, uint32_t lane)
{
    size_t at = lower_bound(clock, lane);
    return at < clock->len && clock->pairs[at].lane == lane ? clock->pairs[at].count : 0;
}

bool
tulle__clock_raise(struct tulle__clock *clock, uint32_t lane, uint64_t count)
{
    size_t at = lower_bound(clock, lane);
    if (at < clock->len && clock->pairs[at].lane == lane) {
        if (clock->pairs[at].count < count)
            clock->pairs[at].count = count;
        return true;
    }
    if (count == 0)
        return true;
    if (!tulle__grow(&clock->pairs, &clock->cap, clock->len, sizeof *clock->pairs))
        return false;
    memmove(&clock->pairs[at + 1], &clock->pairs[at], (clock->len - at) * sizeof *clock->pairs);
    clock->pairs[at] = (struct tulle__clock_pair){ lane, count };
    clock->len++;
    return true;
}

bool
tulle__clock_merge(struct tulle__clock *clock, const struct tulle__clock *other)
{
    for (size_t i = 0; i < other->len; i++) {
        if (!tulle__clock_raise(clock, other->pairs[i].lane, other->pairs[i].count))
            return false;
    }
    return true;
}

void
tulle__clock_remove(struct tulle__clock *clock, uint32_t lane)
{
    size_t at = lower_bound(clock, lane);
    if (at == clock->len || clock->pairs[at].lane != lane)
        return;
    clock->len--;
    memmove(&clock->pairs[at], &clock->pairs[at + 1], (clock->len - at) * sizeof *clock->pairs);
}

void
tulle__clock_swap(struct tulle__clock *a, struct tulle__clock *b)
{
    struct tulle__clock kept = *a;
    *a = *b;
    *b = kept;
}

/* ---- a node's own ---- */

void
tulle__own_clock_init(struct tulle__own_clock *clock)
{
    *clock = (struct tulle__own_clock){ .newest = TULLE__LANE_NONE };
}

void
tulle__own_clock_fini(struct tulle__own_clock *clock)
{
    tulle__free(clock->entries);
    tulle__own_clock_init(clock);
}

uint64_t
tulle__own_clock_get(const struct tulle__own_clock *clock, uint32_t lane)
{
    return lane < clock->cap ? clock->entries[lane].count : 0;
}

static void
unlink_entry(struct tulle__own_clock *clock, uint32_t lane)
{
    const struct tulle__own_entry *entry = &clock->entries[lane];
    if (entry->newer != TULLE__LANE_NONE)
        clock->entries[entry->newer].older = entry->older;
    else
        clock->newest = entry->older;
    if (entry->older != TULLE__LANE_NONE)
        clock->entries[entry->older].newer = entry->newer;
}

bool
tulle__own_clock_raise(struct tulle__own_clock *clock, uint32_t lane, uint64_t count)
{
    TULLE_ASSERT(lane != TULLE__LANE_NONE);
    if (count <= tulle__own_clock_get(clock, lane))
        return true;
    while (clock->cap <= lane) {
        size_t old = clock->cap;
        if (!tulle__grow(&clock->entries, &clock->cap, clock->cap, sizeof *clock->entries))
            return false;
        memset(&clock->entries[old], 0, (clock->cap - old) * sizeof *clock->entries);
    }
    struct tulle__own_entry *entry = &clock->entries[lane];
    if (entry->count == 0)
        clock->len++;
    else
        unlink_entry(clock, lane);
    *entry = (struct tulle__own_entry){
        .count = count, .stamp = ++clock->stamp, .newer = TULLE__LANE_NONE, .older = clock->newest
    };
    if (clock->newest != TULLE__LANE_NONE)
        clock->entries[clock->newest].newer = lane;
    clock->newest = lane;
    return true;
}

void
tulle__own_clock_remove(struct tulle__own_clock *clock, uint32_t lane)
{
    if (tulle__own_clock_get(clock, lane) == 0)
        return;
    unlink_entry(clock, lane);
    clock->entries[lane] = (struct tulle__own_entry){ 0 };
    clock->len--;
}

bool
tulle__own_clock_next(const struct tulle__own_clock *clock, uint64_t stamp, uint32_t *lane)
{
    *lane = *lane == TULLE__LANE_NONE ? clock->newest : clock->entries[*lane].older;
    return *lane != TULLE__LANE_NONE && clock->entries[*lane].stamp > stamp;
}
