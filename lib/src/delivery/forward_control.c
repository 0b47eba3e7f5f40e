/* SPDX-License-Identifier: MPL-2.0 */
/* Control messages pass a proxy: they go on towards their node, or are answered on the way.
 * What may leave a side, and how fast, holds for events in answers as for those that are
 * published. */

#include "delivery/forward_state.h"
#include "delivery/observe.h"

/* Views of batches, as in an answer. */
struct batches {
    struct tulle__view views[TULLE__BATCHES_PER_RANGE_MAX];
    size_t count;
};

/* What of batches may cross: those before the first that is too large. */
struct weighed {
    struct tulle__load load;
    struct tulle__seen_range events; /* of all of them; last 0: none */
    uint64_t too_large_last;         /* last event of the one too large; 0: none is */
};

static struct weighed
weigh(const struct tulle__side *side, const struct batches *batches)
{
    struct weighed weighed = { .too_large_last = 0 };
    for (size_t i = 0; i < batches->count; i++) {
        struct tulle__view batch = batches->views[i];
        uint64_t node = 0;
        struct tulle__seen_range events;
        bool is_read = tulle__batch_peek(batch, &node, &events) == TULLE_OK;
        if (is_read && !tulle__side_fits(side, batch)) {
            weighed.too_large_last = events.last;
            break;
        }
        weighed.load.batches++;
        weighed.load.bytes += batch.len;
        if (!is_read)
            continue; /* whoever asked drops it */
        weighed.load.events += events.last - events.first + 1;
        if (weighed.events.last == 0)
            weighed.events.first = events.first;
        weighed.events.last = events.last;
    }
    return weighed;
}

static struct tulle__answer
answer_of(const struct batches *batches, const struct weighed *weighed, uint64_t asker, size_t to)
{
    return (struct tulle__answer){ .batches = batches->views,
                                   .load = weighed->load,
                                   .events = weighed->events,
                                   .asker = asker,
                                   .to = to };
}

/* ---- FETCH ---- */

struct question {
    size_t side;
    uint64_t via;
    const struct tulle__control_header *header;
    struct tulle__fetch fetch;
    struct tulle__range_out range; /* the answer */
};

/* The first event kept of a lane from seq on, or that of the batch that holds it; 0: none. */
static uint64_t
kept_from(const struct tulle__passing *lane, uint64_t seq)
{
    struct tulle__kept_batch batch;
    bool is_kept = lane != NULL && tulle__kept_find(&lane->kept, seq, &batch);
    return is_kept ? batch.first : 0;
}

/* Another one may have it all; if not, it is told what is kept here. */
static void
remember_question(struct tulle__forward *f, const struct question *q)
{
    const struct tulle__passing *lane = tulle__passing_find(f, q->fetch.node, q->fetch.stream);
    if (q->header->to == f->id || kept_from(lane, q->fetch.first) == 0)
        return;
    f->questions[f->question_at++ % TULLE__QUESTIONS] =
        (struct tulle__asked){ q->header->from, q->header->counter, q->fetch.first };
}

static void
answer(struct tulle__forward *f, const struct question *q)
{
    tulle__range_send(f->sides[q->side].engine, q->header, q->via, &q->range);
}

/* The rate of that side is used up: it will come, ask again. */
static void
answer_wait(struct tulle__forward *f, struct question *q, size_t from)
{
    tulle__side_holds(&f->sides[from], f->now);
    f->sides[from].engine->counters.limited_fetches++;
    q->range.batch_count = 0;
    q->range.is_waiting = true;
    answer(f, q);
}

/* Others may ask for it too. With the clock it is for one alone. */
static void
note_question(struct tulle__forward *f, const struct question *q, size_t from)
{
    struct tulle__passing *lane =
        !tulle__side_is_limited(&f->sides[from]) || q->fetch.wants_clock
            ? NULL
            : tulle__passing_meet(f, q->fetch.node, q->fetch.stream, from);
    if (lane != NULL)
        tulle__share_note(f, lane, q->header->from, q->fetch.first);
}

/* Answer with what is kept of another side's lane. What waits, or went on just now, comes to
 * all by itself. */
static bool
answer_across(struct tulle__forward *f,
              struct question *q,
              struct tulle__passing *lane,
              const struct batches *batches)
{
    struct tulle__side *side = &f->sides[lane->from];
    struct weighed weighed = weigh(side, batches);
    if (weighed.load.batches == 0)
        return false;
    bool comes_by_itself = lane->is_queued && weighed.events.last >= lane->released;
    bool is_on_its_way =
        tulle__side_is_limited(side) && tulle__passing_is_on_its_way(f, lane, q->fetch.first);
    struct tulle__answer shared = answer_of(batches, &weighed, q->header->from, q->side);
    note_question(f, q, lane->from);
    if (comes_by_itself || is_on_its_way || tulle__share_is_coming(f, lane, q->fetch.first) ||
        !tulle__side_may_answer(side, f->now) || tulle__share(f, lane, &shared)) {
        answer_wait(f, q, lane->from);
        return true;
    }
    tulle__side_charge_answer(side, &weighed.load, f->now);
    tulle__forward_count(f, lane->from, q->side, &weighed.load);
    q->range.batch_count = weighed.load.batches;
    answer(f, q);
    return true;
}

/* What was kept as it came is looked into before it is told: up to what cannot be read. */
static size_t
count_readable(const struct batches *batches)
{
    struct tulle__batch batch;
    size_t count = 0;
    while (count < batches->count &&
           tulle__batch_decode(batches->views[count].data, batches->views[count].len, &batch) ==
               TULLE_OK)
        count++;
    return count;
}

static bool
answer_from_kept(struct tulle__forward *f, struct question *q, struct batches *batches)
{
    struct tulle__passing *lane = tulle__passing_find(f, q->fetch.node, q->fetch.stream);
    if (lane == NULL || lane->kept.len == 0 || q->fetch.wants_clock)
        return false;
    bool is_across = lane->from != q->side;
    if (is_across && !tulle__side_lets_out(&f->sides[lane->from], q->fetch.stream))
        return false;
    uint64_t lowest = kept_from(lane, q->fetch.first);
    q->range.first = lowest != 0 ? lowest : tulle__kept_first(&lane->kept);
    q->range.last = tulle__kept_last(&lane->kept);
    struct tulle__fetch fetch = q->fetch;
    if (is_across)
        tulle__side_narrow(&f->sides[lane->from], &fetch);
    batches->count = tulle__gather_batches(&lane->kept, &fetch, batches->views);
    batches->count = count_readable(batches);
    q->range.batches = batches->views;
    q->range.batch_count = batches->count;
    if (batches->count == 0)
        return false;
    if (is_across)
        return answer_across(f, q, lane, batches);
    answer(f, q);
    return true;
}

/* A FETCH that passes is answered here when what it asks for was kept, refused when its
 * stream may not cross, or told to wait; else it goes on, for no more than may cross soon:
 * *body is then what to send on. */
static bool
answer_fetch(struct tulle__forward *f, struct question *q, struct tulle__buf **body)
{
    struct batches batches; /* not cleared: it is large */
    bool is_answered = answer_from_kept(f, q, &batches);
    q->range.batches = NULL;
    q->range.batch_count = 0;
    if (is_answered)
        return true;
    size_t home = tulle__forward_home(f, q->header->to);
    struct tulle__side *side = home == SIZE_MAX || home == q->side ? NULL : &f->sides[home];
    if (q->header->to != f->id && side == NULL)
        return false;
    if (q->header->to == f->id || !tulle__side_lets_out(side, q->fetch.stream)) {
        q->range.is_withheld = q->header->to != f->id;
        f->sides[q->side].engine->counters.dropped_policy += q->range.is_withheld ? 1 : 0;
        answer(f, q);
        return true;
    }
    note_question(f, q, home);
    struct tulle__passing *lane = tulle__passing_find(f, q->fetch.node, q->fetch.stream);
    bool is_coming = !q->fetch.wants_clock && tulle__share_is_coming(f, lane, q->fetch.first);
    if (is_coming || !tulle__side_may_answer(side, f->now)) {
        if (lane != NULL && q->fetch.first <= lane->released)
            lane->asked_ns = f->now.mono.ns;
        answer_wait(f, q, home);
        return true;
    }
    if (tulle__side_is_limited(side)) {
        tulle__side_narrow(side, &q->fetch);
        tulle__writer_reset(&f->writer);
        tulle__fetch_encode(&f->writer, &q->fetch);
        *body = tulle__writer_take(&f->writer);
    }
    return false;
}

/* Hand an engine a message; with a LOOK for this proxy, what there is to tell of all sides. */
static void
hand_in(struct tulle__forward *f,
        const struct question *q,
        struct tulle__view header_frame,
        struct tulle__buf *body)
{
    struct tulle__engine *e = f->sides[q->side].engine;
    struct tulle__view_parts *parts = NULL;
    struct tulle__look look;
    if (q->header->kind == TULLE__LOOK && q->header->to == f->id &&
        tulle__look_may_be_answered(e) &&
        tulle__look_decode(body->data, body->len, &look) == TULLE_OK && look.wants_lists)
        parts = tulle__forward_view_parts(f, q->side);
    e->view_parts = parts;
    tulle__engine_on_control(e, q->via, header_frame, body, f->now);
    e->view_parts = NULL;
    tulle__view_parts_free(&parts);
}

void
tulle__forward_on_control(struct tulle__forward *f,
                          size_t side,
                          uint64_t via,
                          struct tulle__view header_frame,
                          struct tulle__buf *body,
                          struct tulle__now now)
{
    f->now = now;
    struct tulle__engine *e = f->sides[side].engine;
    e->now = now;
    struct tulle__control_header header;
    struct question q = { .side = side, .via = via, .header = &header };
    struct tulle__buf *narrowed = NULL;
    bool is_fetch =
        tulle__header_decode(header_frame.data, header_frame.len, &header) == TULLE_OK &&
        header.kind == TULLE__FETCH && tulle__view_is(header.mesh, e->mesh) &&
        (header.hops > 0 || header.from == via) &&
        tulle__fetch_decode(body->data, body->len, &q.fetch) == TULLE_OK;
    q.range = (struct tulle__range_out){ .reply_to = header.counter,
                                         .node = q.fetch.node,
                                         .stream = q.fetch.stream };
    if (!is_fetch) {
        hand_in(f, &q, header_frame, body);
    } else if (!answer_fetch(f, &q, &narrowed)) {
        remember_question(f, &q);
        hand_in(f, &q, header_frame, narrowed != NULL ? narrowed : body);
    }
    tulle__buf_unref(&narrowed);
    tulle__forward_after_input(f);
}

/* ---- RANGE ---- */

static bool
copy_clock(struct tulle__engine *e,
           const struct tulle__range_view *from,
           struct tulle__range_out *to)
{
    struct tulle__clock_view clock = from->clock;
    if (!from->has_clock || !tulle__deps_reserve(e, clock.count + 1))
        return false;
    while (tulle__clock_view_next(&clock, &e->deps[to->clock_count]))
        to->clock_count++;
    to->clock = e->deps;
    return true;
}

/* The answer with fewer batches. */
static struct tulle__buf *
shorten(struct tulle__forward *f,
        size_t from,
        const struct tulle__range_view *range,
        struct tulle__range_out *out)
{
    out->reply_to = range->reply_to;
    out->node = range->node;
    out->stream = range->stream;
    out->has_clock = out->batch_count > 0 && copy_clock(f->sides[from].engine, range, out);
    tulle__writer_reset(&f->writer);
    tulle__range_encode(&f->writer, out);
    return tulle__writer_take(&f->writer);
}

/* Is it on its way to all who take the lane, or has been sent off now? */
static bool
crosses_for_all(struct tulle__forward *f,
                size_t from,
                struct tulle__passing *lane,
                const struct tulle__answer *answer)
{
    return lane != NULL && lane->from == from &&
           (tulle__share_is_coming(f, lane, answer->events.first) || tulle__share(f, lane, answer));
}

/* What of an answer may leave a side: all of it (the same body), less, or nothing. A
 * reference of the caller's own; NULL: it goes no further. */
static struct tulle__buf *
let_out(struct tulle__forward *f,
        size_t from,
        size_t to,
        const struct tulle__control_header *header,
        struct tulle__buf *body)
{
    struct tulle__side *side = &f->sides[from];
    tulle_counters *counters = &side->engine->counters;
    struct tulle__range_view range;
    struct batches batches;
    batches.count = 0;
    tulle_status status = tulle__range_decode(body->data, body->len, &range);
    if (status != TULLE_OK) {
        tulle__malformed(side->engine, "range", header->from, status);
        return NULL;
    }
    struct tulle__range_out out = { .first = range.first, .last = range.last };
    if (!tulle__side_lets_out(side, range.stream)) {
        counters->dropped_policy++;
        out.first = out.last = 0;
        out.is_withheld = true;
        return shorten(f, from, &range, &out);
    }
    struct tulle__list list = range.batches;
    while (batches.count < TULLE__BATCHES_PER_RANGE_MAX &&
           tulle__list_next_text(&list, &batches.views[batches.count]))
        batches.count++;
    struct weighed weighed = weigh(side, &batches);
    if (weighed.load.batches > 0 && !tulle__side_may_answer(side, f->now)) {
        tulle__side_holds(side, f->now);
        counters->limited_fetches++;
        out.is_waiting = true;
        return shorten(f, from, &range, &out);
    }
    if (weighed.too_large_last > 0)
        tulle__side_too_large(side, range.node, range.stream);
    struct tulle__passing *lane = tulle__passing_find(f, range.node, range.stream);
    if (lane != NULL && weighed.events.last > 0 && tulle__passing_waits(f, lane) &&
        weighed.events.first <= lane->released)
        tulle__passing_release(f, lane, weighed.events.last + 1);
    struct tulle__answer shared = answer_of(&batches, &weighed, header->to, to);
    if (!range.has_clock && crosses_for_all(f, from, lane, &shared)) {
        out.is_waiting = true;
        return shorten(f, from, &range, &out);
    }
    tulle__side_charge_answer(side, &weighed.load, f->now);
    tulle__forward_count(f, from, to, &weighed.load);
    if (weighed.load.batches == batches.count)
        return tulle__buf_ref(body);
    if (weighed.load.batches == 0) { /* what is above may be had */
        out.is_withheld = true;
        out.first = weighed.too_large_last + 1;
        out.last = range.last > weighed.too_large_last ? range.last : weighed.too_large_last;
    }
    out.batches = batches.views;
    out.batch_count = weighed.load.batches;
    return shorten(f, from, &range, &out);
}

/* The first seq asked for by the FETCH that counter of node names; 0: not known. */
static uint64_t
first_asked(const struct tulle__forward *f, uint64_t node, uint64_t counter)
{
    for (size_t i = 0; i < TULLE__QUESTIONS; i++) {
        if (f->questions[i].from == node && f->questions[i].counter == counter)
            return f->questions[i].first;
    }
    return 0;
}

/* Who has nothing of what was asked for says from where on it has: if that is further than what
 * is kept here, whoever asked would take for lost what it can have. NULL: the answer is right as
 * it is. */
static struct tulle__buf *
tell_of_kept(struct tulle__forward *f,
             const struct tulle__control_header *header,
             const struct tulle__buf *body)
{
    struct tulle__range_view range;
    if (tulle__range_decode(body->data, body->len, &range) != TULLE_OK || range.batches.count > 0 ||
        range.is_withheld || range.is_waiting)
        return NULL;
    uint64_t first = first_asked(f, header->to, range.reply_to);
    const struct tulle__passing *lane = tulle__passing_find(f, range.node, range.stream);
    uint64_t kept = first == 0 ? 0 : kept_from(lane, first);
    if (kept == 0 || (range.first != 0 && range.first <= kept))
        return NULL;
    uint64_t last = tulle__kept_last(&lane->kept);
    struct tulle__range_out out = { .reply_to = range.reply_to,
                                    .node = range.node,
                                    .stream = range.stream,
                                    .first = kept,
                                    .last = range.last > last ? range.last : last };
    tulle__writer_reset(&f->writer);
    tulle__range_encode(&f->writer, &out);
    return tulle__writer_take(&f->writer);
}

/* Pass a control message on towards its node: by the nearest side, this one last. */
void
tulle__forward_relay(struct tulle__forward *f, size_t from, const struct tulle__action *action)
{
    const struct tulle__buf *frame = action->u.control.header;
    struct tulle__control_header header;
    if (tulle__header_decode(frame->data, frame->len, &header) != TULLE_OK)
        return;
    size_t home = tulle__forward_home(f, header.to);
    bool crosses = header.kind == TULLE__RANGE && home != from;
    struct tulle__buf *told = crosses ? tell_of_kept(f, &header, action->u.control.body) : NULL;
    struct tulle__buf *came = told != NULL ? told : action->u.control.body;
    struct tulle__buf *body =
        crosses ? let_out(f, from, home, &header, came) : tulle__buf_ref(came);
    bool is_done = body == NULL ||
                   (home != SIZE_MAX && tulle__control_relay(f->sides[home].engine, &header, body));
    for (size_t i = 0; i < f->side_count && !is_done; i++)
        is_done = i != home && i != from && tulle__control_relay(f->sides[i].engine, &header, body);
    if (!is_done)
        f->sides[from].engine->counters.dropped_no_route++;
    tulle__buf_unref(&body);
    tulle__buf_unref(&told);
}
