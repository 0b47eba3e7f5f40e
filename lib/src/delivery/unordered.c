/* SPDX-License-Identifier: MPL-2.0 */
/* Lanes taken in arrival order only: nothing is held or asked for. What was seen
 * above the first hole is remembered as a few ranges, to drop what comes twice
 * and to tell exactly what never came. */

#include "base/alloc.h"
#include "base/panic.h"
#include "delivery/internal.h"

/* Index of the first range that ends at or after seq. */
static uint32_t
find_run(const struct tulle__rx *rx, uint64_t seq)
{
    uint32_t i = 0;
    while (i < rx->run_count && rx->runs[i].last < seq)
        i++;
    return i;
}

static void
insert_run(struct tulle__rx *rx, uint32_t at, uint64_t first, uint64_t last)
{
    TULLE_ASSERT(rx->run_count < TULLE__RUNS_LIMIT);
    bool joins_before = at > 0 && rx->runs[at - 1].last + 1 == first;
    bool joins_after = at < rx->run_count && rx->runs[at].first == last + 1;
    if (joins_before && joins_after) {
        rx->runs[at - 1].last = rx->runs[at].last;
        for (uint32_t i = at; i + 1 < rx->run_count; i++)
            rx->runs[i] = rx->runs[i + 1];
        rx->run_count--;
    } else if (joins_before) {
        rx->runs[at - 1].last = last;
    } else if (joins_after) {
        rx->runs[at].first = first;
    } else {
        for (uint32_t i = rx->run_count; i > at; i--)
            rx->runs[i] = rx->runs[i - 1];
        rx->runs[at] = (struct tulle__run){ first, last };
        rx->run_count++;
    }
}

/* First seq not seen, once the range that begins at next is taken off. */
static uint64_t
take_run(struct tulle__rx *rx, uint64_t next)
{
    if (rx->run_count == 0 || rx->runs[0].first > next)
        return next;
    next = rx->runs[0].last + 1;
    for (uint32_t i = 0; i + 1 < rx->run_count; i++)
        rx->runs[i] = rx->runs[i + 1];
    rx->run_count--;
    return next;
}

static void
drop_seen(struct tulle__engine *e, struct tulle__rx *rx, const struct tulle__held *held)
{
    e->counters.events_duplicate += held->last - held->first + 1;
    if (tulle__lane_policy(e, rx->lane)->wants_duplicates)
        tulle__tell_arrival(e, rx, held, TULLE__ACTION_DUPLICATE, false);
}

/* What is missing below seq, which is missing itself or the first of a seen range, is
 * given up. */
static void
give_up_below(struct tulle__engine *e, struct tulle__rx *rx, uint64_t seq)
{
    tulle__tell_gap(e, rx, rx->next, seq - 1, TULLE_GAP_BEST_EFFORT);
    rx->is_clock_known = false; /* the deltas in the gap are gone too */
    uint64_t next = take_run(rx, seq);
    if (!tulle__own_clock_raise(&e->clock, rx->lane, next - 1))
        e->counters.dropped_table_full++;
    tulle__rx_advance(e, rx, next);
    tulle__repair_progress(e, rx);
}

void
tulle__receive_unordered(struct tulle__engine *e, struct tulle__rx *rx, struct tulle__held *held)
{
    if (rx->runs == NULL) {
        rx->runs = tulle__alloc(TULLE__RUNS_LIMIT * sizeof *rx->runs);
        if (rx->runs == NULL) {
            e->counters.dropped_held_full++;
            return;
        }
    }
    uint64_t first = held->first < rx->next ? rx->next : held->first;
    uint32_t at = find_run(rx, first);
    if (at < rx->run_count && rx->runs[at].first <= held->last) {
        drop_seen(e, rx, held); /* seen, or sliced anew and partly seen */
        return;
    }
    bool is_full = rx->run_count == TULLE__RUNS_LIMIT;
    if (first > rx->next && is_full && tulle__actions_reserve(e)) {
        give_up_below(e, rx, at == 0 ? first : rx->runs[0].first);
        at = find_run(rx, first);
        is_full = false;
    }
    if (tulle__lane_policy(e, rx->lane)->wants_arrivals)
        tulle__tell_arrival(e, rx, held, TULLE__ACTION_ARRIVAL, false);
    if ((first > rx->next && is_full) || !tulle__deliver_prepare(e, rx, held)) {
        e->counters.dropped_held_full++;
        return; /* lost for lack of memory: it is told as a gap */
    }
    uint64_t next = rx->next;
    if (first == next)
        next = take_run(rx, held->last + 1);
    else
        insert_run(rx, at, first, held->last);
    tulle__deliver(e, rx, held, next);
    tulle__repair_check(e, rx);
}

bool
tulle__unordered_has_hole(const struct tulle__rx *rx)
{
    return rx->run_count > 0 || rx->known_head >= rx->next;
}

void
tulle__unordered_give_up(struct tulle__engine *e, struct tulle__rx *rx)
{
    TULLE_ASSERT(tulle__unordered_has_hole(rx));
    give_up_below(e, rx, rx->run_count > 0 ? rx->runs[0].first : rx->known_head + 1);
}
