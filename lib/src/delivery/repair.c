/* SPDX-License-Identifier: MPL-2.0 */
/* What a lane misses is asked for: of the publisher, of the node that cited it,
 * of anyone else who takes the stream (PROTOCOL 6.6). When all refuse, or hold_ms
 * passes, the application gets a gap notice and the lane moves on.
 *
 * A lane has at most one FETCH out; answers are bounded, and the next is asked
 * for when one has come: a consumer pulls at its own pace. */

#include "base/alloc.h"
#include "base/panic.h"
#include "clock/wire.h"
#include "delivery/internal.h"

static int64_t
ms(int64_t value)
{
    return tulle__ms_to_ns(value);
}

/* When to look at the lane has changed. */
static void
requeue(struct tulle__engine *e, struct tulle__rx *rx)
{
    struct tulle__repair *repair = &rx->repair;
    if (repair->queued.is_in && repair->queued.key == (uint64_t)repair->due_ns)
        return;
    tulle__heap_remove(&e->repairs, &repair->queued);
    tulle__heap_insert(&e->repairs, &repair->queued, (uint64_t)repair->due_ns);
}

int64_t
tulle__repair_due_ns(const struct tulle__engine *e)
{
    return e->repairs.least == NULL ? TULLE__NEVER_NS : (int64_t)e->repairs.least->key;
}

/* ---- when to look for something ---- */

bool
tulle__rx_has_hole(const struct tulle__rx *rx)
{
    return rx->held.first[0] != NULL ? rx->held.first[0]->first > rx->next
                                     : rx->known_head >= rx->next;
}

static bool
needs_repair(struct tulle__engine *e, const struct tulle__rx *rx)
{
    if (!rx->is_active)
        return true; /* it is watched that it does not stay so for ever */
    if (tulle__lane_policy(e, rx->lane)->order == TULLE_ORDER_NONE)
        return tulle__unordered_has_hole(rx);
    return tulle__rx_has_hole(rx) || (rx->wants_prefix && rx->held.first[0] != NULL);
}

static void
reset_round(struct tulle__repair *repair)
{
    repair->source = 0;
    repair->other_count = 0;
    repair->looked_at = 0;
    repair->refusals = 0;
    repair->is_silent = false;
    repair->is_asking = false;
}

void
tulle__repair_check(struct tulle__engine *e, struct tulle__rx *rx)
{
    struct tulle__repair *repair = &rx->repair;
    bool is_needed = needs_repair(e, rx);
    if (is_needed == repair->is_active)
        return;
    if (!is_needed) {
        tulle__repair_stop(e, rx);
        return;
    }
    /* What was overtaken long ago will not come by itself any more. */
    int64_t seen_ns = rx->held.first[0] != NULL ? rx->held.first[0]->arrived_ns : e->now.mono.ns;
    int64_t due_ns = seen_ns + ms(e->config.fetch_delay_ms);
    *repair = (struct tulle__repair){ .is_active = true,
                                      .since_ns = e->now.mono.ns,
                                      .due_ns = due_ns > e->now.mono.ns ? due_ns : e->now.mono.ns };
    requeue(e, rx);
}

void
tulle__repair_stop(struct tulle__engine *e, struct tulle__rx *rx)
{
    rx->repair.is_active = false;
    tulle__heap_remove(&e->repairs, &rx->repair.queued);
}

void
tulle__repair_pause(struct tulle__engine *e, struct tulle__rx *rx)
{
    rx->repair.due_ns = e->now.mono.ns + ms(TULLE__NO_ROOM_PAUSE_MS);
    if (rx->repair.is_active)
        requeue(e, rx);
}

void
tulle__repair_progress(struct tulle__engine *e, struct tulle__rx *rx)
{
    rx->repair.since_ns = e->now.mono.ns;
    rx->repair.available = 0;
    rx->repair.rounds = 0;
    rx->repair.is_malformed = false;
    rx->repair.is_withheld = false;
    rx->repair.is_held_back = false;
}

/* ---- giving up ---- */

/* Nobody who could know what the next event depends on tells it: the lane goes on
 * without. What it depends on through earlier events is not waited for, and is not
 * passed on: said aloud (PROTOCOL 4.10). */
static void
give_up_prefix(struct tulle__engine *e, struct tulle__rx *rx)
{
    e->counters.clocks_given_up++;
    tulle__log(&e->config.log, TULLE_LOG_WARN, "delivery.clock_given_up",
               "node=%016llx name=%s stream=%s next=%llu", (unsigned long long)rx->node,
               tulle__node_name(e, rx->node),
               (const char *)tulle__lane_names_stream(e->names, rx->lane).data,
               (unsigned long long)rx->next);
    rx->wants_prefix = false;
    rx->is_clock_known = false;
    tulle__repair_progress(e, rx);
    tulle__make_runnable(e, rx);
}

/* Lanes of a node that nobody knows, and that was waited for: what else they miss is
 * given up as soon as all who are there have refused. Waiting anew for each would
 * pile up. */
static void
miss_node(struct tulle__engine *e, uint64_t node)
{
    if (tulle__peer_find(e, node) != NULL)
        return;
    for (struct tulle__rx *rx = tulle__lanes_of_node(e, node); rx != NULL; rx = rx->sibling_next)
        rx->is_missed = true;
}

static void
give_up(struct tulle__engine *e, struct tulle__rx *rx, tulle_gap_reason reason)
{
    if (!tulle__actions_reserve(e)) { /* nothing is given up in silence */
        rx->repair.due_ns = e->now.mono.ns + ms(50);
        return;
    }
    uint64_t last = rx->held.first[0] != NULL ? rx->held.first[0]->first - 1 : rx->known_head;
    if (rx->repair.available > rx->next && rx->repair.available - 1 < last)
        last = rx->repair.available - 1;
    if (rx->repair.is_malformed)
        reason = TULLE_GAP_MALFORMED;
    else if (rx->repair.is_withheld)
        reason = TULLE_GAP_WITHHELD;
    tulle__tell_gap(e, rx, rx->next, last, reason);
    if (reason == TULLE_GAP_UNREACHABLE)
        miss_node(e, rx->node);
    /* The deltas in the gap are gone too: the lane's clock is taken anew before the
     * next is trusted (PROTOCOL 4.10), if the publisher is there to tell it. */
    rx->is_clock_known = false;
    tulle__kept_fini(&rx->kept);
    const struct tulle__peer *peer = tulle__peer_find(e, rx->node);
    rx->wants_prefix = peer != NULL && tulle__peer_is_live(peer);
    if (!tulle__own_clock_raise(&e->clock, rx->lane, last))
        e->counters.dropped_table_full++;
    tulle__rx_advance(e, rx, last + 1);
    tulle__repair_progress(e, rx);
    reset_round(&rx->repair);
    tulle__make_runnable(e, rx);
    tulle__beat_soon(e);
}

/* ---- whom to ask ---- */

static bool
is_other_source(const struct tulle__engine *e,
                const struct tulle__rx *rx,
                const struct tulle__peer *peer,
                struct tulle__view stream)
{
    return peer->stage == TULLE__STAGE_UP && peer->id != rx->node && peer->id != rx->cited_by &&
           (peer->is_proxy || tulle__peer_takes(peer, stream)) && tulle__peer_hop(e, peer) != 0;
}

/* From one to the next, on from who was asked last, whatever the round was; each peer is
 * looked at once in a round. */
static uint64_t
find_other_source(const struct tulle__engine *e, struct tulle__rx *rx, uint32_t index)
{
    struct tulle__repair *repair = &rx->repair;
    struct tulle__view stream = tulle__lane_names_stream(e->names, rx->lane);
    if (index < repair->other_count)
        return repair->other; /* the one asked last, once more */
    const struct tulle__peer *at = tulle__peer_find(e, repair->other);
    uint32_t left = index < TULLE__SOURCES_PER_ROUND ? HASH_COUNT(e->peers) : 0;
    for (; left > repair->looked_at; repair->looked_at++) {
        at = at == NULL || at->hh.next == NULL ? e->peers : at->hh.next;
        if (!is_other_source(e, rx, at, stream))
            continue;
        repair->looked_at++;
        repair->other = at->id;
        repair->other_count = index + 1;
        return at->id;
    }
    return 0;
}

/* The next one to ask in this round; 0: nobody is left. */
static uint64_t
next_source(struct tulle__engine *e, struct tulle__rx *rx)
{
    while (rx->repair.source < 2) {
        uint64_t id = rx->repair.source++ == 0 ? rx->node : rx->cited_by;
        const struct tulle__peer *peer = id == 0 ? NULL : tulle__peer_find(e, id);
        if (peer == NULL && rx->repair.source == 1 && !rx->is_missed)
            rx->repair.is_silent = true; /* it may still be met */
        if (peer == NULL || (rx->repair.source == 2 && id == rx->node))
            continue;
        if (tulle__peer_is_live(peer) && tulle__peer_hop(e, peer) != 0)
            return id;
        if (peer->stage != TULLE__STAGE_LEFT && peer->stage != TULLE__STAGE_GONE)
            rx->repair.is_silent = true; /* it may still be reached */
    }
    uint64_t id = find_other_source(e, rx, rx->repair.source - 2);
    rx->repair.source++;
    return id;
}

static void
end_round(struct tulle__engine *e, struct tulle__rx *rx)
{
    struct tulle__repair *repair = &rx->repair;
    bool all_refused = !repair->is_silent && (repair->refusals > 0 || rx->is_missed);
    if (all_refused && rx->wants_prefix) {
        /* Who keeps the events need not know the clock, as a proxy: they are asked for once
         * more, without it, before they are a gap. */
        give_up_prefix(e, rx);
        reset_round(repair);
        repair->due_ns = e->now.mono.ns;
        return;
    }
    if (all_refused) {
        give_up(e, rx, TULLE_GAP_EVICTED);
        return;
    }
    repair->rounds++;
    reset_round(repair);
    int64_t pause = repair->rounds < 5 ? INT64_C(50) << repair->rounds : 1000;
    repair->due_ns = e->now.mono.ns + ms(pause);
}

static int64_t
fetch_timeout_ms(const struct tulle__repair *repair)
{
    uint32_t doublings = repair->rounds < 3 ? repair->rounds : 3;
    int64_t timeout = (int64_t)TULLE__FETCH_TIMEOUT_MS_MIN << doublings;
    return timeout < TULLE__FETCH_TIMEOUT_MS_MAX ? timeout : TULLE__FETCH_TIMEOUT_MS_MAX;
}

/* After an answer that did not find room, and where there is none, no more than there is room for:
 * what is dropped again costs others their share of what is on the way. One batch is, at least: it
 * may be due. */
static uint64_t
bytes_to_ask_for(const struct tulle__engine *e, const struct tulle__rx *rx)
{
    uint64_t bound = e->config.held_bytes;
    if (rx->repair.refused_len == 0 && e->held_bytes < bound)
        return TULLE__FETCH_BYTES;
    uint64_t room = e->held_bytes < bound ? bound - e->held_bytes : 1;
    return room < TULLE__FETCH_BYTES ? room : TULLE__FETCH_BYTES;
}

/* Ask one node for one range. Returns the counter, 0 when it cannot be reached. */
static uint64_t
send_fetch(
    struct tulle__engine *e, const struct tulle__rx *rx, uint64_t to, uint64_t first, uint64_t last)
{
    struct tulle__fetch fetch = { .node = rx->node,
                                  .stream = tulle__lane_names_stream(e->names, rx->lane),
                                  .first = first,
                                  .last = last,
                                  .bytes_max = bytes_to_ask_for(e, rx),
                                  .wants_clock = rx->wants_prefix && first == rx->next };
    tulle__writer_reset(&e->body);
    tulle__fetch_encode(&e->body, &fetch);
    uint64_t counter = tulle__control_send(e, to, TULLE__FETCH);
    if (counter != 0)
        e->counters.fetches_sent++;
    return counter;
}

/* The holes behind the first are asked for in the same breath; only the answer for
 * the first is waited for. */
static void
ask_further(struct tulle__engine *e, const struct tulle__rx *rx, uint64_t to)
{
    uint32_t count = 0;
    for (const struct tulle__held *held = rx->held.first[0];
         held != NULL && count < TULLE__HOLES_AT_ONCE; held = held->next[0]) {
        uint64_t end = held->next[0] != NULL ? held->next[0]->first : rx->known_head + 1;
        if (end <= held->last + 1)
            continue;
        (void)send_fetch(e, rx, to, held->last + 1, end - 1); /* asked again when it is first */
        count++;
    }
}

static void
ask_next(struct tulle__engine *e, struct tulle__rx *rx)
{
    struct tulle__repair *repair = &rx->repair;
    uint64_t id = next_source(e, rx);
    if (id == 0) {
        end_round(e, rx);
        return;
    }
    uint64_t last = rx->next;
    if (tulle__rx_has_hole(rx))
        last = rx->held.first[0] != NULL ? rx->held.first[0]->first - 1 : rx->known_head;
    repair->counter = send_fetch(e, rx, id, rx->next, last);
    if (repair->counter == 0) {
        repair->is_silent = true;
        repair->due_ns = e->now.mono.ns;
        return;
    }
    repair->is_asking = true;
    repair->due_ns = e->now.mono.ns + ms(fetch_timeout_ms(repair));
    if (e->held_bytes < e->config.held_bytes / 2)
        ask_further(e, rx, id);
}

/* ---- time ---- */

static void
step_inactive(struct tulle__engine *e, struct tulle__rx *rx)
{
    if (e->now.mono.ns - rx->repair.since_ns >= ms(e->config.hold_ms))
        tulle__resolve_pending(e, rx);
    else
        rx->repair.due_ns = rx->repair.since_ns + ms(e->config.hold_ms);
}

/* In arrival order nothing is asked for. All holes that were known when the first
 * began to wait are given up together: one after the other they would pile up. */
static void
step_unordered(struct tulle__engine *e, struct tulle__rx *rx)
{
    struct tulle__repair *repair = &rx->repair;
    uint64_t known = repair->available;
    if (e->now.mono.ns - repair->since_ns >= ms(e->config.hold_ms)) {
        while (tulle__unordered_has_hole(rx) && rx->next <= known && tulle__actions_reserve(e))
            tulle__unordered_give_up(e, rx);
        repair->available = 0;
        repair->since_ns = e->now.mono.ns;
    }
    if (repair->available == 0)
        repair->available = rx->known_head;
    repair->due_ns = repair->since_ns + ms(e->config.hold_ms);
}

/* What the lane needs next was here, waits for another lane, and had to go for lack of room:
 * it is asked for when it can be taken in. */
static bool
waits_for_room(const struct tulle__engine *e, const struct tulle__rx *rx)
{
    size_t len = rx->repair.refused_len;
    return len > 0 && rx->is_waiting && !tulle__rx_has_room(e, rx, rx->next, len);
}

/* How long is searched. An event that does not come holds the lane up for hold_ms.
 * To go on without its clock costs causal order: while its publisher lives, it is
 * asked for longer. So is what a proxy's limit holds back (PROTOCOL 7.9), and what waits
 * for room. */
static int64_t
patience_ms(struct tulle__engine *e, const struct tulle__rx *rx)
{
    const struct tulle__peer *peer = tulle__peer_find(e, rx->node);
    bool is_patient = peer != NULL && tulle__peer_is_live(peer) && !tulle__rx_has_hole(rx) &&
                      tulle__lane_policy(e, rx->lane)->order == TULLE_ORDER_CAUSAL;
    return (is_patient || rx->repair.is_held_back ? TULLE__PATIENCE : 1) *
           (int64_t)e->config.hold_ms;
}

static void
step(struct tulle__engine *e, struct tulle__rx *rx)
{
    struct tulle__repair *repair = &rx->repair;
    int64_t expires_ns = repair->since_ns + ms(patience_ms(e, rx));
    if (!rx->is_active) {
        step_inactive(e, rx);
        return;
    }
    if (e->is_stalled) {
        repair->since_ns = e->now.mono.ns;
        repair->due_ns = e->now.mono.ns + ms(100);
        return;
    }
    if (tulle__lane_policy(e, rx->lane)->order == TULLE_ORDER_NONE) {
        step_unordered(e, rx);
        return;
    }
    if (e->now.mono.ns >= expires_ns) {
        if (tulle__rx_has_hole(rx))
            give_up(e, rx, TULLE_GAP_UNREACHABLE);
        else
            give_up_prefix(e, rx);
        return;
    }
    if (repair->is_asking) {
        repair->is_asking = false;
        repair->is_silent = true;
    }
    if (waits_for_room(e, rx)) {
        repair->is_held_back = true;
        tulle__repair_pause(e, rx);
    } else {
        ask_next(e, rx);
    }
    if (repair->due_ns > expires_ns)
        repair->due_ns = expires_ns;
}

void
tulle__repair_on_timer(struct tulle__engine *e)
{
    struct tulle__rx *again = NULL; /* due once more at this very time: looked at next time */
    while (tulle__repair_due_ns(e) <= e->now.mono.ns) {
        struct tulle__rx *rx = TULLE__HEAP_ITEM(e->repairs.least, struct tulle__rx, repair.queued);
        tulle__heap_remove(&e->repairs, &rx->repair.queued);
        step(e, rx);
        tulle__repair_check(e, rx);
        if (!rx->repair.is_active || rx->repair.queued.is_in)
            continue;
        if (rx->repair.due_ns > e->now.mono.ns) {
            requeue(e, rx);
            continue;
        }
        rx->repair.again = again;
        again = rx;
    }
    while (again != NULL) {
        struct tulle__rx *rx = again;
        again = rx->repair.again;
        if (rx->repair.is_active)
            requeue(e, rx);
    }
}

/* ---- answering ---- */

/* What is kept of the lane; the publisher's answer also tells its head, so that a
 * citation of what never was can be told from a loss (PROTOCOL 6.7). */
static const struct tulle__kept *
find_kept(const struct tulle__engine *e,
          const struct tulle__fetch *fetch,
          struct tulle__range_out *range)
{
    uint32_t lane = tulle__lane_names_find(e->names, fetch->node, fetch->stream);
    if (lane == TULLE__LANE_NONE || lane >= e->lane_cap)
        return NULL;
    const struct tulle__tx *tx = e->lanes[lane].tx;
    const struct tulle__rx *rx = e->lanes[lane].rx;
    const struct tulle__kept *kept = tx != NULL ? &tx->kept : rx != NULL ? &rx->kept : NULL;
    if (kept != NULL && kept->len > 0) {
        range->first = tulle__kept_first(kept);
        range->last = tulle__kept_last(kept);
    } else if (tx != NULL && tx->head > 0) {
        range->first = tx->head + 1;
        range->last = tx->head;
    }
    return kept;
}

size_t
tulle__gather_batches(const struct tulle__kept *kept,
                      const struct tulle__fetch *fetch,
                      struct tulle__view batches[static TULLE__BATCHES_PER_RANGE_MAX])
{
    uint64_t bytes_max =
        fetch->bytes_max < TULLE__RANGE_BYTES_MAX ? fetch->bytes_max : TULLE__RANGE_BYTES_MAX;
    uint64_t bytes = 0;
    uint64_t next = fetch->first;
    size_t count = 0;
    struct tulle__kept_batch batch;
    for (bool is_there = tulle__kept_find(kept, fetch->first, &batch);
         is_there && count < TULLE__BATCHES_PER_RANGE_MAX;
         is_there = tulle__kept_next(kept, &batch)) {
        if (batch.first > next || batch.first > fetch->last)
            break;
        if (count > 0 && bytes + batch.bytes.len > bytes_max)
            break;
        batches[count++] = batch.bytes;
        bytes += batch.bytes.len;
        next = batch.last + 1;
    }
    return count;
}

void
tulle__range_send(struct tulle__engine *e,
                  const struct tulle__control_header *asked,
                  uint64_t via,
                  const struct tulle__range_out *range)
{
    tulle__writer_reset(&e->body);
    tulle__range_encode(&e->body, range);
    if (range->batch_count > 0)
        e->counters.fetches_answered++;
    else if (!range->is_waiting)
        e->counters.fetches_refused++;
    (void)tulle__control_answer(e, asked, via, TULLE__RANGE); /* a loss is asked for again */
}

void
tulle__on_fetch(struct tulle__engine *e,
                const struct tulle__control_header *header,
                uint64_t via,
                const struct tulle__fetch *fetch)
{
    struct tulle__view batches[TULLE__BATCHES_PER_RANGE_MAX];
    struct tulle__range_out range = { .reply_to = header->counter,
                                      .node = fetch->node,
                                      .stream = fetch->stream,
                                      .batches = batches };
    const struct tulle__kept *kept = find_kept(e, fetch, &range);
    struct tulle__clock past;
    tulle__clock_init(&past);
    struct tulle__kept_batch lowest;
    if (kept != NULL && tulle__kept_find(kept, fetch->first, &lowest)) {
        range.batch_count = tulle__gather_batches(kept, fetch, batches);
        if (fetch->wants_clock && range.batch_count > 0 &&
            tulle__kept_clock_before(&e->own_store, kept, &lowest, &past)) {
            range.clock_count = tulle__deps_from_clock(e, &past, TULLE__LANE_NONE);
            range.has_clock = range.clock_count != SIZE_MAX;
            range.clock = e->deps;
        }
    }
    tulle__clock_fini(&past);
    if (!range.has_clock)
        range.clock_count = 0;
    tulle__range_send(e, header, via, &range);
}

/* ---- taking answers in ---- */

void
tulle__rx_set_need(struct tulle__engine *e, struct tulle__rx *rx, struct tulle__clock_view clock)
{
    tulle__clock_clear(&rx->need);
    rx->need_index = 0;
    rx->need_waited = 0;
    rx->has_need = true;
    rx->wants_prefix = false;
    rx->is_clock_known = true;
    uint64_t left_out = tulle__clock_merge_wire(&rx->need, e->names, clock);
    if (left_out > 0 && !tulle__lanes_are_full(e)) { /* no memory: asked for again */
        rx->has_need = false;
        rx->wants_prefix = tulle__lane_policy(e, rx->lane)->order != TULLE_ORDER_NONE;
        return;
    }
    e->counters.dropped_table_full += left_out;
    tulle__clock_remove(&rx->need, rx->lane);
    if (rx->kept.len == 0)
        rx->kept.is_floor_known = true;
    tulle__make_runnable(e, rx);
}

/* Take in the batches of an answer. Returns whether they bring the lane's next. */
static bool
receive_range(struct tulle__engine *e,
              struct tulle__rx *rx,
              const struct tulle__control_header *header,
              struct tulle__range_view range)
{
    bool brings_next = false;
    bool is_first = true;
    struct tulle__view view;
    while (tulle__list_next_text(&range.batches, &view)) {
        struct tulle__buf *buf = tulle__buf_copy(view.data, view.len);
        struct tulle__batch batch;
        tulle_status status =
            buf == NULL ? TULLE_ENOMEM : tulle__batch_decode(buf->data, buf->len, &batch);
        if (status == TULLE_OK &&
            (batch.node != rx->node || !tulle__batch_fits(&batch, range.stream)))
            status = TULLE_EBADMSG;
        if (status != TULLE_OK) {
            tulle__buf_unref(&buf);
            if (status != TULLE_ENOMEM)
                tulle__malformed(e, "range", header->from, status);
            rx->repair.is_malformed = status != TULLE_ENOMEM && header->from == rx->node;
            break;
        }
        bool has_next =
            batch.first_seq <= rx->next && batch.first_seq + batch.event_count > rx->next;
        if (is_first && has_next && range.has_clock && rx->wants_prefix)
            tulle__rx_set_need(e, rx, range.clock);
        brings_next = brings_next || has_next;
        is_first = false;
        tulle__receive_batch(e, rx, buf, &batch, header->hops, true);
        tulle__buf_unref(&buf);
    }
    return brings_next;
}

/* An answer to the FETCH that is out. */
static void
take_answer(struct tulle__engine *e,
            struct tulle__rx *rx,
            const struct tulle__control_header *header,
            const struct tulle__range_view *range,
            bool has_helped)
{
    struct tulle__repair *repair = &rx->repair;
    repair->is_asking = false;
    repair->due_ns = e->now.mono.ns;
    if (has_helped) {
        repair->source--; /* it has more, perhaps */
        repair->refusals = 0;
        return;
    }
    if (range->is_waiting) {
        repair->is_held_back = true;
        repair->is_silent = true;
        return;
    }
    if (header->from == rx->node && range->last > 0 && rx->next > range->last) {
        /* The publisher has not published it (yet): no loss. */
        if (rx->held.first[0] == NULL)
            rx->known_head = rx->next - 1;
        repair->is_silent = true;
        return;
    }
    repair->refusals++;
    repair->is_withheld = repair->is_withheld || range->is_withheld;
    if (range->first > rx->next && (repair->available == 0 || range->first < repair->available))
        repair->available = range->first;
}

void
tulle__on_range(struct tulle__engine *e,
                const struct tulle__control_header *header,
                const struct tulle__range_view *range)
{
    uint32_t lane = tulle__lane_names_find(e->names, range->node, range->stream);
    struct tulle__rx *rx =
        lane == TULLE__LANE_NONE || lane >= e->lane_cap ? NULL : e->lanes[lane].rx;
    if (rx == NULL || !rx->is_active || tulle__lane_policy(e, lane)->order == TULLE_ORDER_NONE) {
        e->counters.dropped_unwanted++;
        return;
    }
    bool wanted_prefix = rx->wants_prefix;
    uint64_t next_before = rx->next;
    rx->repair.refused_len = 0;
    bool has_helped = receive_range(e, rx, header, *range);
    if (wanted_prefix && rx->wants_prefix)
        has_helped = false; /* the events may be here, but not the clock */
    struct tulle__repair *repair = &rx->repair;
    /* Not only the one asked may answer: a proxy on the way may have it too. */
    if (repair->is_active && repair->is_asking && repair->counter == range->reply_to)
        take_answer(e, rx, header, range, has_helped);
    tulle__progress(e);
    tulle__repair_check(e, rx);
    if (rx->next > next_before && repair->is_active && !repair->is_asking)
        repair->due_ns = e->now.mono.ns; /* what is missing behind it will not come by itself */
    if (repair->is_active)
        requeue(e, rx);
}
