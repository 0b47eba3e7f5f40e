/* SPDX-License-Identifier: MPL-2.0 */

/* Direct predecessors out of vector clocks.
 *
 * What is not new in a clock, compared with the event before it on the lane, is in the past of
 * that one. So only what grew is looked at, with that event itself, and of these whatever lies
 * in the past of another is left out: the transitive reduction. For that a lane keeps how each
 * entry of its clock grew, and the clock at any of its events can be asked. */

#include "tools/trace/trace_clock.h"

#include <stdlib.h>
#include <string.h>

enum { REDUCED_MAX = 1000 }; /* more predecessors than that are shown as they are */

/* Where the entry for a lane is in the clock, or would be. */
static size_t
place_of(const struct tulle__trace_lane *lane, uint32_t other)
{
    size_t low = 0;
    size_t high = lane->clock_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (lane->clock[middle].lane < other)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* How many events of the lane other are in the past of ref? */
static uint64_t
clock_at(const struct tulle__trace_store *store, struct tulle__trace_ref ref, uint32_t other)
{
    const struct tulle__trace_lane *lane = &store->lanes[ref.lane];
    size_t at = place_of(lane, other);
    if (at == lane->clock_count || lane->clock[at].lane != other)
        return 0;
    const struct tulle__trace_entry *entry = &lane->clock[at];
    size_t low = 0;
    size_t high = entry->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (entry->steps[middle].seq <= ref.seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? entry->steps[low - 1].count : 0;
}

static bool
is_in_past(const struct tulle__trace_store *store,
           struct tulle__trace_ref what,
           struct tulle__trace_ref of)
{
    return what.lane != of.lane && clock_at(store, of, what.lane) >= what.seq;
}

/* Raise an entry. Returns 1 when it grew, 0 when not, -1 without memory. */
static int
raise_entry(
    struct tulle__trace_store *store, uint32_t index, uint32_t other, uint64_t seq, uint64_t count)
{
    struct tulle__trace_lane *lane = &store->lanes[index];
    size_t at = place_of(lane, other);
    if (at == lane->clock_count || lane->clock[at].lane != other) {
        if (!tulle__trace_grow(store, &lane->clock, &lane->clock_cap, lane->clock_count,
                               sizeof *lane->clock))
            return -1;
        memmove(lane->clock + at + 1, lane->clock + at,
                (lane->clock_count - at) * sizeof *lane->clock);
        lane->clock[at] = (struct tulle__trace_entry){ .lane = other };
        lane->clock_count++;
    }
    struct tulle__trace_entry *entry = &lane->clock[at];
    if (entry->count > 0 && (entry->steps[entry->count - 1].count >= count ||
                             entry->steps[entry->count - 1].seq >= seq))
        return 0;
    if (!tulle__trace_grow(store, &entry->steps, &entry->cap, entry->count, sizeof *entry->steps))
        return -1;
    entry->steps[entry->count++] = (struct tulle__trace_step){ seq, count };
    return 1;
}

/* Leave out what is in the past of another; returns how many are left. */
static size_t
reduce(const struct tulle__trace_store *store, struct tulle__trace_ref *refs, size_t count)
{
    bool is_out[REDUCED_MAX] = { false };
    size_t left = 0;
    if (count > REDUCED_MAX)
        return count;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count && !is_out[i]; j++)
            is_out[i] = j != i && !is_out[j] && is_in_past(store, refs[i], refs[j]);
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_out[i])
            refs[left++] = refs[i];
    }
    return left;
}

/* The entries of the clock that grew, and the event before this one on its lane. */
static bool
take_entries(struct tulle__trace_store *store,
             const tulle_event *event,
             uint32_t own,
             struct tulle__trace_ref *refs,
             size_t *count)
{
    if (event->seq > 1)
        refs[(*count)++] = (struct tulle__trace_ref){ own, event->seq - 1 };
    for (size_t i = 0; i < event->clock_count; i++) {
        const tulle_clock_entry *entry = &event->clock[i];
        uint32_t lane = tulle__trace_lane_of(store, entry->node, entry->stream);
        if (lane == TULLE__TRACE_NONE)
            return false;
        if (lane == own || entry->count == 0)
            continue;
        int grew = raise_entry(store, own, lane, event->seq, entry->count);
        if (grew < 0)
            return false;
        if (grew > 0)
            refs[(*count)++] = (struct tulle__trace_ref){ lane, entry->count };
    }
    return true;
}

bool
tulle__trace_clock_take(struct tulle__trace_store *store,
                        const tulle_event *event,
                        struct tulle__trace_event *out)
{
    size_t count = 0;
    struct tulle__trace_ref *refs = malloc((event->clock_count + 1) * sizeof *refs);
    if (refs == NULL)
        return false;
    bool is_done = take_entries(store, event, out->lane, refs, &count);
    if (is_done && out->cause_count == 0 && count > 0) {
        count = reduce(store, refs, count);
        out->causes = tulle__trace_keep(store, refs, count * sizeof *refs);
        out->cause_count = (uint32_t)count;
        out->is_potential = true;
        is_done = out->causes != NULL;
    }
    free(refs);
    return is_done;
}
