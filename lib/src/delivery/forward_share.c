/* SPDX-License-Identifier: MPL-2.0 */
/* What several behind a limited side miss crosses once. Each of them asks for it by itself,
 * and answers are counted like all that leaves: so the first answer that passes is published,
 * to all who take the lane, and the others are told that it comes (PROTOCOL 7.9).
 *
 * What was published so is not once more. Whoever misses it still, be it that it was lost, be
 * it that publications do not get there, has an answer of its own when it asks again. */

#include "base/alloc.h"
#include "delivery/forward_state.h"

#include <string.h>

enum {
    ASKS_FOR_MS = 3000, /* who still misses something asks again within */
    COMES_MS = 200      /* what went on to all is on its way for so long */
};

static bool
is_recent(const struct tulle__forward *f, int64_t at_ns, int64_t ms)
{
    return at_ns != 0 && f->now.mono.ns - at_ns < tulle__ms_to_ns(ms);
}

void
tulle__share_note(struct tulle__forward *f,
                  struct tulle__passing *lane,
                  uint64_t node,
                  uint64_t first)
{
    if (lane->demand == NULL)
        lane->demand = tulle__alloc(sizeof *lane->demand);
    struct tulle__demand *demand = lane->demand;
    if (demand == NULL)
        return; /* answers are not shared */
    size_t oldest = 0;
    size_t at = 0;
    while (at < TULLE__ASKS_OF_LANE &&
           (demand->asks[at].node != node || demand->asks[at].first != first)) {
        if (demand->asks[at].at_ns < demand->asks[oldest].at_ns)
            oldest = at;
        at++;
    }
    at = at < TULLE__ASKS_OF_LANE ? at : oldest;
    demand->asks[at].node = node;
    demand->asks[at].first = first;
    demand->asks[at].at_ns = f->now.mono.ns;
}

bool
tulle__share_is_coming(const struct tulle__forward *f,
                       const struct tulle__passing *lane,
                       uint64_t seq)
{
    const struct tulle__demand *demand = lane == NULL ? NULL : lane->demand;
    return demand != NULL && is_recent(f, demand->coming_ns, COMES_MS) &&
           seq >= demand->coming.first && seq <= demand->coming.last;
}

/* Who asked for what went out to all just before it will ask for this. */
static bool
is_asked_by_another(const struct tulle__forward *f,
                    const struct tulle__demand *demand,
                    const struct tulle__answer *answer)
{
    bool goes_on = answer->events.first == demand->coming.last + 1;
    uint64_t lowest = goes_on ? demand->coming.first : answer->events.first;
    for (size_t i = 0; i < TULLE__ASKS_OF_LANE; i++) {
        uint64_t first = demand->asks[i].first;
        if (demand->asks[i].node != answer->asker && first >= lowest &&
            first <= answer->events.last && is_recent(f, demand->asks[i].at_ns, ASKS_FOR_MS))
            return true;
    }
    return false;
}

static bool
goes_to(const struct tulle__passage *passage, size_t side)
{
    for (size_t i = 0; i < passage->count; i++) {
        if (passage->sides[i] == side)
            return true;
    }
    return false;
}

/* Whoever asked looks into an answer; what is published is right, and one range. */
static bool
are_of_lane(const struct tulle__passing *lane, const struct tulle__answer *answer)
{
    struct tulle__view stream = tulle__passing_stream(lane);
    struct tulle__batch batch;
    uint64_t next = answer->events.first;
    for (size_t i = 0; i < answer->load.batches; i++) {
        struct tulle__view view = answer->batches[i];
        if (tulle__batch_decode(view.data, view.len, &batch) != TULLE_OK ||
            batch.node != lane->name.node || batch.first_seq != next ||
            !tulle__batch_fits(&batch, stream))
            return false;
        next = batch.first_seq + batch.event_count;
    }
    return true;
}

/* In order, as far as there is memory: the rest is asked for. */
static void
publish(struct tulle__forward *f, struct tulle__passing *lane, const struct tulle__answer *answer)
{
    struct tulle__buf *path = tulle__forward_extend_path(f, &(struct tulle__passed){ .hops = 0 });
    struct tulle__buf *body = NULL;
    for (size_t i = 0; path != NULL && i < answer->load.batches; i++) {
        body = tulle__buf_copy(answer->batches[i].data, answer->batches[i].len);
        if (body == NULL)
            break;
        tulle__passage_push(f, &lane->passage, body, path);
        tulle__buf_unref(&body);
    }
    tulle__buf_unref(&path);
}

/* What goes out one soon after the other is taken for one. */
static void
note_coming(const struct tulle__forward *f,
            struct tulle__demand *demand,
            struct tulle__seen_range events)
{
    if (!is_recent(f, demand->coming_ns, COMES_MS)) {
        demand->coming_ns = f->now.mono.ns;
        demand->coming = events;
        return;
    }
    if (events.first < demand->coming.first)
        demand->coming.first = events.first;
    if (events.last > demand->coming.last)
        demand->coming.last = events.last;
}

bool
tulle__share(struct tulle__forward *f,
             struct tulle__passing *lane,
             const struct tulle__answer *answer)
{
    struct tulle__demand *demand = lane->demand;
    if (demand == NULL || answer->events.last == 0 || !is_asked_by_another(f, demand, answer))
        return false;
    tulle__passing_look(f, lane);
    if (!goes_to(&lane->passage, answer->to) || !are_of_lane(lane, answer) ||
        !tulle__seen_add(&demand->shared, answer->events.first, answer->events.last))
        return false;
    publish(f, lane, answer);
    note_coming(f, demand, answer->events);
    for (size_t i = 0; i < lane->passage.count; i++)
        tulle__forward_count(f, lane->from, lane->passage.sides[i], &answer->load);
    tulle__side_charge_answer(&f->sides[lane->from], &answer->load, f->now);
    return true;
}
