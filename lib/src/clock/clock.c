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

/* Raise the entries that both have; how many only the other has. */
static size_t
raise_common(struct tulle__clock *clock, const struct tulle__clock *other)
{
    size_t missing = 0;
    size_t i = 0;
    for (size_t k = 0; k < other->len; k++) {
        const struct tulle__clock_pair *pair = &other->pairs[k];
        while (i < clock->len && clock->pairs[i].lane < pair->lane)
            i++;
        if (i == clock->len || clock->pairs[i].lane != pair->lane)
            missing++;
        else if (clock->pairs[i].count < pair->count)
            clock->pairs[i].count = pair->count;
    }
    return missing;
}

bool
tulle__clock_merge(struct tulle__clock *clock, const struct tulle__clock *other)
{
    enum { FEW = 4 }; /* searched for one by one */
    if (other->len <= FEW) {
        for (size_t i = 0; i < other->len; i++) {
            if (!tulle__clock_raise(clock, other->pairs[i].lane, other->pairs[i].count))
                return false;
        }
        return true;
    }
    size_t missing = raise_common(clock, other);
    size_t len = clock->len + missing;
    while (missing > 0 && clock->cap < len) {
        if (!tulle__grow(&clock->pairs, &clock->cap, clock->cap, sizeof *clock->pairs))
            return false;
    }
    /* From the back, so that each pair moves once and within the array. */
    size_t i = clock->len;
    size_t k = other->len;
    clock->len = len;
    for (size_t to = len; missing > 0;) {
        uint32_t lane = other->pairs[k - 1].lane;
        if (i > 0 && clock->pairs[i - 1].lane >= lane) {
            k -= clock->pairs[i - 1].lane == lane ? 1 : 0;
            clock->pairs[--to] = clock->pairs[--i];
        } else {
            clock->pairs[--to] = other->pairs[--k];
            missing--;
        }
    }
    return true;
}

bool
tulle__clock_push(struct tulle__clock *clock, uint32_t lane, uint64_t count)
{
    if (!tulle__grow(&clock->pairs, &clock->cap, clock->len, sizeof *clock->pairs))
        return false;
    clock->pairs[clock->len++] = (struct tulle__clock_pair){ lane, count };
    return true;
}

/* Let the pair at the root sink to where its children are not above it. */
static void
sift_down(struct tulle__clock_pair *pairs, size_t root, size_t len)
{
    struct tulle__clock_pair sinking = pairs[root];
    for (size_t child = 2 * root + 1; child < len; child = 2 * root + 1) {
        if (child + 1 < len && pairs[child + 1].lane > pairs[child].lane)
            child++;
        if (pairs[child].lane <= sinking.lane)
            break;
        pairs[root] = pairs[child];
        root = child;
    }
    pairs[root] = sinking;
}

/* Heapsort: in place, without recursion, n log n whatever the order. */
static void
sort_pairs(struct tulle__clock_pair *pairs, size_t len)
{
    for (size_t i = len / 2; i > 0; i--)
        sift_down(pairs, i - 1, len);
    for (size_t i = len; i > 1; i--) {
        struct tulle__clock_pair top = pairs[0];
        pairs[0] = pairs[i - 1];
        pairs[i - 1] = top;
        sift_down(pairs, 0, i - 1);
    }
}

void
tulle__clock_settle(struct tulle__clock *clock)
{
    struct tulle__clock_pair *pairs = clock->pairs;
    size_t sorted = 1;
    while (sorted < clock->len && pairs[sorted - 1].lane <= pairs[sorted].lane)
        sorted++;
    if (sorted < clock->len)
        sort_pairs(pairs, clock->len);
    size_t len = 0;
    for (size_t i = 0; i < clock->len; i++) {
        if (pairs[i].count == 0)
            continue; /* as if it had not been pushed */
        if (len == 0 || pairs[len - 1].lane != pairs[i].lane)
            pairs[len++] = pairs[i];
        else if (pairs[len - 1].count < pairs[i].count)
            pairs[len - 1].count = pairs[i].count;
    }
    clock->len = len;
}

void
tulle__clock_raiser_init(struct tulle__clock_raiser *raiser, struct tulle__clock *clock)
{
    *raiser = (struct tulle__clock_raiser){ .clock = clock };
}

bool
tulle__clock_raiser_add(struct tulle__clock_raiser *raiser, uint32_t lane, uint64_t count)
{
    enum { FEW = 32 }; /* new ones move what lies behind them */
    if (raiser->count < FEW) {
        raiser->count++;
        return tulle__clock_raise(raiser->clock, lane, count);
    }
    return tulle__clock_push(&raiser->many, lane, count);
}

size_t
tulle__clock_raiser_end(struct tulle__clock_raiser *raiser)
{
    size_t left_out = 0;
    if (raiser->many.len > 0) {
        tulle__clock_settle(&raiser->many);
        if (!tulle__clock_merge(raiser->clock, &raiser->many))
            left_out = raiser->many.len;
    }
    tulle__clock_fini(&raiser->many);
    return left_out;
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
tulle__own_clock_reserve(struct tulle__own_clock *clock, uint32_t lane)
{
    TULLE_ASSERT(lane != TULLE__LANE_NONE);
    while (clock->cap <= lane) {
        size_t old = clock->cap;
        if (!tulle__grow(&clock->entries, &clock->cap, clock->cap, sizeof *clock->entries))
            return false;
        memset(&clock->entries[old], 0, (clock->cap - old) * sizeof *clock->entries);
    }
    return true;
}

bool
tulle__own_clock_raise(struct tulle__own_clock *clock, uint32_t lane, uint64_t count)
{
    TULLE_ASSERT(lane != TULLE__LANE_NONE);
    if (count <= tulle__own_clock_get(clock, lane))
        return true;
    if (clock->cap <= lane && !tulle__own_clock_reserve(clock, lane))
        return false;
    struct tulle__own_entry *entry = &clock->entries[lane];
    if (clock->newest == lane) { /* it stays the newest */
        entry->count = count;
        entry->stamp = ++clock->stamp;
        return true;
    }
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
