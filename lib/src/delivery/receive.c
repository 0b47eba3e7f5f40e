/* SPDX-License-Identifier: MPL-2.0 */
/* Lanes of others that are taken: arrivals are held until they are due.
 *
 * A batch is due when its lane's previous event was delivered and every dep on a
 * taken lane was (PROTOCOL 4.8). Until then the lane waits, registered with the
 * one lane and count that blocks it; progress of that lane makes it runnable.
 * Nothing ever scans what is held. */

#include "base/alloc.h"
#include "base/panic.h"
#include "delivery/internal.h"

/* ---- life of a lane ---- */

struct tulle__rx *
tulle__rx_get(struct tulle__engine *e, uint32_t lane)
{
    const struct tulle__policy *policy = tulle__lane_policy(e, lane);
    if (lane >= e->lane_cap || !policy->is_taken)
        return NULL;
    if (e->lanes[lane].rx != NULL)
        return e->lanes[lane].rx;
    struct tulle__rx *rx = tulle__alloc(sizeof *rx);
    if (rx == NULL)
        return NULL;
    rx->lane = lane;
    rx->node = tulle__lane_names_node(e->names, lane);
    tulle__clock_init(&rx->clock);
    tulle__clock_init(&rx->need);
    tulle__kept_init(&rx->kept);
    if (!tulle__siblings_add(e, rx)) {
        tulle__free(rx);
        return NULL;
    }
    e->lanes[lane].rx = rx;
    struct tulle__peer *peer = tulle__peer_find(e, rx->node);
    rx->has_left = peer != NULL && peer->stage == TULLE__STAGE_LEFT;
    if (peer != NULL && peer->is_synced && peer->synced_version >= policy->since) {
        /* It named all its lanes of this stream: this one is newer than that. */
        rx->is_clock_known = true;
        rx->kept.is_floor_known = true;
        tulle__rx_activate(e, rx, 1);
    } else if (peer != NULL) {
        tulle__sync_want(e, peer);
    }
    tulle__repair_check(e, rx);
    return rx;
}

static void
stop_waiting(struct tulle__engine *e, struct tulle__rx *rx)
{
    if (!rx->is_waiting)
        return;
    rx->is_waiting = false;
    struct tulle__rx *blocker = e->lanes[rx->wait_lane].rx;
    TULLE_ASSERT(blocker != NULL);
    tulle__heap_remove(&blocker->waiters, &rx->queued);
}

/* The waiter with the lowest count; NULL: none. */
static struct tulle__rx *
first_waiter(const struct tulle__rx *rx)
{
    struct tulle__heap_node *node = rx->waiters.least;
    return node == NULL ? NULL : TULLE__HEAP_ITEM(node, struct tulle__rx, queued);
}

static void
start_waiting(struct tulle__engine *e, struct tulle__rx *rx, uint32_t lane, uint64_t count)
{
    TULLE_ASSERT(!rx->is_waiting);
    struct tulle__rx *blocker = lane < e->lane_cap ? e->lanes[lane].rx : NULL;
    if (blocker == NULL)
        return; /* no memory: noted, and tried again */
    if (rx->wait_lane != lane || rx->wait_count != count)
        rx->wait_since_ns = e->now.mono.ns; /* else it was looked at in between, no more */
    rx->wait_lane = lane;
    rx->wait_count = count;
    tulle__heap_insert(&blocker->waiters, &rx->queued, count);
    rx->is_waiting = true;
}

static void
remove_runnable(struct tulle__engine *e, struct tulle__rx *rx)
{
    if (!rx->is_runnable)
        return;
    if (rx->run_previous != NULL)
        rx->run_previous->run_next = rx->run_next;
    else
        e->run_head = rx->run_next;
    if (rx->run_next != NULL)
        rx->run_next->run_previous = rx->run_previous;
    else
        e->run_tail = rx->run_previous;
    rx->is_runnable = false;
}

void
tulle__rx_free(struct tulle__engine *e, struct tulle__rx **pointer)
{
    struct tulle__rx *rx = *pointer;
    stop_waiting(e, rx);
    struct tulle__rx *waiter;
    while ((waiter = first_waiter(rx)) != NULL) {
        stop_waiting(e, waiter);
        tulle__make_runnable(e, waiter);
    }
    remove_runnable(e, rx);
    tulle__siblings_remove(e, rx);
    if (!rx->is_active && rx->cited_sync != 0)
        e->cited_count--;
    tulle__repair_stop(e, rx);
    while (rx->held.first[0] != NULL)
        tulle__held_drop_first(e, rx);
    tulle__kept_fini(&rx->kept);
    tulle__clock_fini(&rx->clock);
    tulle__clock_fini(&rx->need);
    tulle__free(rx->runs);
    tulle__free(rx);
    *pointer = NULL;
}

void
tulle__rx_activate(struct tulle__engine *e, struct tulle__rx *rx, uint64_t next)
{
    TULLE_ASSERT(!rx->is_active);
    rx->is_active = true;
    if (rx->cited_sync != 0)
        e->cited_count--;
    tulle__repair_stop(e, rx); /* it watched the start; the search for events begins now */
    tulle__rx_advance(e, rx, next);
    tulle__make_runnable(e, rx);
}

void
tulle__rx_raise_head(struct tulle__engine *e, struct tulle__rx *rx, uint64_t head)
{
    if (head <= rx->known_head)
        return;
    rx->known_head = head;
    tulle__repair_check(e, rx);
}

/* ---- held batches ---- */

/* Past the bound the newest is dropped, to be fetched again later. What a lane
 * needs next may go over it, up to twice; and what is due at once always: what all
 * others wait for must not be kept out by those who wait. */
bool
tulle__rx_has_room(const struct tulle__engine *e,
                   const struct tulle__rx *rx,
                   uint64_t first,
                   size_t len)
{
    uint64_t bound = e->config.held_bytes;
    if (rx->is_active && first <= rx->next)
        bound *= 2;
    return e->held_bytes + len <= bound;
}

static void run_lane(struct tulle__engine *e, struct tulle__rx *rx);
static bool is_due(struct tulle__engine *e, struct tulle__rx *rx, struct tulle__held *held);

/* Would the batch be the one that the lane needs next? */
static bool
is_next(const struct tulle__rx *rx, uint64_t first)
{
    return rx->is_active && first <= rx->next &&
           (rx->held.first[0] == NULL || rx->held.first[0]->first > rx->next);
}

/* It is known now that it exists, and what is asked for next is what there is room for. */
static void
refuse(struct tulle__engine *e, struct tulle__rx *rx, size_t len)
{
    e->counters.dropped_held_full++;
    tulle__repair_check(e, rx);
    rx->repair.refused_len = len;
}

/* There was no room for the batch at the head of the lane: it is due, or goes. */
static void
deliver_or_drop(struct tulle__engine *e, struct tulle__rx *rx, const struct tulle__held *held)
{
    run_lane(e, rx);
    if (rx->held.first[0] != held)
        return;
    size_t len = held->buf->len;
    tulle__held_drop_first(e, rx);
    refuse(e, rx, len);
    tulle__repair_pause(e, rx);
}

static void
drop_duplicate(struct tulle__engine *e, struct tulle__rx *rx, struct tulle__held *held)
{
    bool is_late = held->first <= rx->gap_last && held->last >= rx->gap_first;
    e->counters.events_duplicate += held->last - held->first + 1;
    if (tulle__lane_policy(e, rx->lane)->wants_duplicates)
        tulle__tell_arrival(e, rx, held, TULLE__ACTION_DUPLICATE, is_late);
}

static void
hold(struct tulle__engine *e, struct tulle__rx *rx, const struct tulle__held *arrived)
{
    bool is_over = !tulle__rx_has_room(e, rx, arrived->first, arrived->buf->len);
    bool is_refused = is_over && (!is_next(rx, arrived->first) || e->is_stalled);
    struct tulle__held *held = is_refused ? NULL : tulle__held_copy(e, arrived);
    if (held == NULL) {
        refuse(e, rx, arrived->buf->len);
        return;
    }
    if (!tulle__held_link(e, rx, held)) {
        drop_duplicate(e, rx, held);
        tulle__held_free(&held);
        return;
    }
    if (held->is_repaired)
        e->counters.events_repaired += held->last - held->first + 1;
    if (tulle__lane_policy(e, rx->lane)->wants_arrivals)
        tulle__tell_arrival(e, rx, held, TULLE__ACTION_ARRIVAL, false);
    if (is_over) {
        deliver_or_drop(e, rx, held);
        return;
    }
    tulle__make_runnable(e, rx);
    tulle__repair_check(e, rx);
}

/* Mostly a batch is due when it comes, and no other lane is to be looked at before: it
 * need not be held. */
static bool
deliver_at_once(struct tulle__engine *e, struct tulle__rx *rx, struct tulle__held *arrived)
{
    bool can_be = rx->is_active && rx->held.first[0] == NULL && !rx->is_waiting &&
                  !rx->is_runnable && e->run_head == NULL && !e->is_stalled &&
                  !tulle__lane_policy(e, rx->lane)->wants_arrivals;
    if (!can_be || !is_due(e, rx, arrived) || !tulle__deliver_prepare(e, rx, arrived))
        return false;
    if (arrived->is_repaired)
        e->counters.events_repaired += arrived->last - arrived->first + 1;
    tulle__repair_stop(e, rx); /* what was missing is here; behind it begins another search */
    tulle__deliver(e, rx, arrived, arrived->last + 1);
    tulle__repair_check(e, rx);
    return true;
}

void
tulle__receive_batch(struct tulle__engine *e,
                     struct tulle__rx *rx,
                     struct tulle__buf *buf,
                     const struct tulle__batch *batch,
                     uint32_t hops,
                     bool is_repaired)
{
    if (!tulle__hlc_observe(&e->hlc, batch->base_hlc, e->now.wall))
        e->counters.clock_clamped++;
    struct tulle__held arrived = { .first = batch->first_seq,
                                   .last = batch->first_seq + batch->event_count - 1,
                                   .buf = buf,
                                   .batch = *batch,
                                   .walk = batch->deps,
                                   .is_repaired = is_repaired,
                                   .hops = hops,
                                   .arrived_us = e->now.wall.us,
                                   .arrived_ns = e->now.mono.ns };
    if (arrived.last > rx->known_head)
        rx->known_head = arrived.last;
    if (rx->is_active && arrived.first > rx->next) {
        arrived.waited =
            (struct tulle__dep){ rx->node, tulle__lane_names_stream(e->names, rx->lane),
                                 arrived.first - 1 };
    }
    bool is_duplicate = rx->is_active && arrived.last < rx->next;
    if (is_duplicate && e->config.mutation == TULLE__MUTATION_KEEP_DUPLICATES &&
        tulle__deliver_prepare(e, rx, &arrived)) {
        tulle__deliver(e, rx, &arrived, rx->next);
        return;
    }
    if (is_duplicate)
        drop_duplicate(e, rx, &arrived);
    else if (rx->is_active && tulle__lane_policy(e, rx->lane)->order == TULLE_ORDER_NONE &&
             !e->is_stalled)
        tulle__receive_unordered(e, rx, &arrived);
    else if (!deliver_at_once(e, rx, &arrived))
        hold(e, rx, &arrived);
}

/* The state of a lane that is known, and taken. */
static struct tulle__rx *
find_rx(struct tulle__engine *e, uint64_t node, struct tulle__view stream)
{
    uint32_t lane = tulle__lane_names_find(e->names, node, stream);
    if (lane == TULLE__LANE_NONE || !tulle__lane_policy(e, lane)->is_taken)
        return NULL;
    return e->lanes[lane].rx;
}

void
tulle__on_events(struct tulle__engine *e,
                 struct tulle__view stream,
                 struct tulle__buf *body,
                 const uint64_t *path,
                 uint32_t hops)
{
    struct tulle__batch batch;
    tulle_status status = tulle__batch_decode(body->data, body->len, &batch);
    if (status == TULLE_OK && !tulle__batch_fits(&batch, stream))
        status = TULLE_EBADMSG;
    if (status != TULLE_OK) {
        tulle__malformed(e, "batch", hops > 0 ? path[hops - 1] : 0, status);
        return;
    }
    if (batch.node == e->config.id) {
        e->counters.dropped_loop++;
        return;
    }
    struct tulle__rx *rx = find_rx(e, batch.node, stream);
    if (rx == NULL && (stream.data[0] == '$' || !tulle__interest_takes(e, stream))) {
        e->counters.dropped_unwanted++;
        return;
    }
    struct tulle__peer *peer = tulle__peer_get(e, batch.node);
    if (rx == NULL && peer != NULL) {
        uint32_t lane = tulle__lane_intern(e, batch.node, stream);
        rx = lane == TULLE__LANE_NONE ? NULL : tulle__rx_get(e, lane);
    }
    if (rx == NULL || peer == NULL)
        return; /* counted where a table was full; else interest is just changing */
    tulle__peer_heard(e, peer, hops > 0 ? path[hops - 1] : 0, hops, false);
    tulle__peer_is_heard(e, peer);
    e->counters.batches_received++;
    e->counters.bytes_received += body->len;
    tulle__receive_batch(e, rx, body, &batch, hops, false);
}

/* ---- order ---- */

void
tulle__make_runnable(struct tulle__engine *e, struct tulle__rx *rx)
{
    if (rx->is_runnable)
        return;
    rx->is_runnable = true;
    rx->run_next = NULL;
    rx->run_previous = e->run_tail;
    if (e->run_tail != NULL)
        e->run_tail->run_next = rx;
    else
        e->run_head = rx;
    e->run_tail = rx;
}

void
tulle__rx_advance(struct tulle__engine *e, struct tulle__rx *rx, uint64_t next)
{
    TULLE_ASSERT(next >= rx->next);
    rx->next = next;
    struct tulle__rx *waiter;
    while ((waiter = first_waiter(rx)) != NULL && waiter->wait_count < next) {
        stop_waiting(e, waiter);
        tulle__make_runnable(e, waiter);
    }
}

/* Does a dependency on the first count events of a lane hold up rx? If so the lane
 * that it depends on is there, knows that the events exist, and looks for them. */
static bool
is_blocked(struct tulle__engine *e, struct tulle__rx *rx, uint32_t lane, uint64_t count)
{
    if (tulle__lane_names_node(e->names, lane) == e->config.id)
        return false;
    if (!tulle__lanes_reserve(e, lane)) {
        e->lacks_memory = true;
        return true;
    }
    const struct tulle__policy *policy = tulle__lane_policy(e, lane);
    if (!policy->is_taken || policy->order == TULLE_ORDER_NONE)
        return false; /* PROTOCOL 4.9 */
    struct tulle__rx *blocker = tulle__rx_get(e, lane);
    if (blocker == NULL)
        e->lacks_memory = true;
    if (blocker == NULL || blocker == rx)
        return blocker == NULL;
    if (blocker->is_active && blocker->next > count)
        return false;
    blocker->cited_by = rx->node;
    tulle__rx_raise_head(e, blocker, count);
    if (!blocker->is_active && tulle__peer_find(e, blocker->node) == NULL &&
        blocker->cited_sync == 0) {
        /* A node that nobody told us of: ask the one who cites it (PROTOCOL 6.5). */
        struct tulle__peer *citer = tulle__peer_find(e, rx->node);
        if (citer != NULL) {
            tulle__sync_want(e, citer);
            blocker->cited_sync = e->control_counter + 1;
            e->cited_count++;
        }
    }
    return true;
}

/* Entries of the clock that came with the lane's start. */
static bool
is_need_met(struct tulle__engine *e, struct tulle__rx *rx)
{
    if (e->config.mutation == TULLE__MUTATION_IGNORE_CLOCK)
        return true;
    while (rx->has_need && rx->need_index < rx->need.len) {
        const struct tulle__clock_pair pair = rx->need.pairs[rx->need_index];
        if (is_blocked(e, rx, pair.lane, pair.count)) {
            rx->need_waited = rx->need_index + 1;
            start_waiting(e, rx, pair.lane, pair.count);
            return false;
        }
        rx->need_index++;
    }
    return true;
}

static bool
are_deps_met(struct tulle__engine *e, struct tulle__rx *rx, struct tulle__held *held)
{
    while (held->has_dep || tulle__clock_view_next(&held->walk, &held->dep)) {
        held->has_dep = true;
        uint32_t lane = tulle__lane_intern(e, held->dep.node, held->dep.stream);
        if (lane == TULLE__LANE_NONE && !tulle__lanes_are_full(e)) {
            e->lacks_memory = true;
            return false;
        }
        if (lane != TULLE__LANE_NONE && is_blocked(e, rx, lane, held->dep.count)) {
            held->waited = held->dep;
            start_waiting(e, rx, lane, held->dep.count);
            return false;
        }
        held->has_dep = false;
    }
    return true;
}

static bool
is_due(struct tulle__engine *e, struct tulle__rx *rx, struct tulle__held *held)
{
    if (held->first > rx->next || rx->wants_prefix)
        return false;
    if (tulle__lane_policy(e, rx->lane)->order != TULLE_ORDER_CAUSAL ||
        e->config.mutation == TULLE__MUTATION_IGNORE_DEPS)
        return true;
    return is_need_met(e, rx) && are_deps_met(e, rx, held);
}

/* Deliver what is due of one lane. */
static void
run_lane(struct tulle__engine *e, struct tulle__rx *rx)
{
    stop_waiting(e, rx);
    while (rx->is_active && rx->held.first[0] != NULL) {
        struct tulle__held *held = rx->held.first[0];
        if (held->last < rx->next) {
            drop_duplicate(e, rx, held);
            tulle__held_drop_first(e, rx);
            continue;
        }
        if (tulle__lane_policy(e, rx->lane)->order == TULLE_ORDER_NONE) {
            tulle__receive_unordered(e, rx, held);
            tulle__held_drop_first(e, rx);
            continue;
        }
        if (!is_due(e, rx, held) || !tulle__deliver_prepare(e, rx, held))
            break;
        tulle__deliver(e, rx, held, held->last + 1);
        tulle__held_drop_first(e, rx);
    }
    tulle__repair_check(e, rx);
}

void
tulle__progress(struct tulle__engine *e)
{
    if (e->is_progressing)
        return;
    e->is_progressing = true;
    e->lacks_memory = false;
    while (e->run_head != NULL && !e->is_stalled && !e->lacks_memory) {
        struct tulle__rx *rx = e->run_head;
        remove_runnable(e, rx);
        run_lane(e, rx);
        if (e->lacks_memory)
            tulle__make_runnable(e, rx);
    }
    e->is_progressing = false;
}

/* The lane has waited for much longer than anything honest takes: it goes on. */
static bool
give_dep_up(struct tulle__engine *e, struct tulle__rx *rx)
{
    int64_t limit_ns = 4 * tulle__ms_to_ns(e->config.hold_ms);
    if (rx->held.first[0] == NULL || e->now.mono.ns - rx->held.first[0]->arrived_ns < limit_ns ||
        e->now.mono.ns - rx->wait_since_ns < limit_ns)
        return false;
    e->counters.deps_given_up++;
    tulle__log(&e->config.log, TULLE_LOG_WARN, "delivery.circle", "node=%016llx stream=%s seq=%llu",
               (unsigned long long)rx->node,
               (const char *)tulle__lane_names_stream(e->names, rx->lane).data,
               (unsigned long long)rx->next);
    if (rx->has_need && rx->need_index < rx->need.len)
        rx->need_index++;
    else
        rx->held.first[0]->has_dep = false;
    tulle__make_runnable(e, rx);
    return true;
}

/* Along the chain of who waits for whom, as far as nobody was there before. Returns
 * a lane of the circle that the chain ends in, or the last one that waits, for a lane
 * that nobody repairs; NULL: all is well, or was looked at. */
static struct tulle__rx *
find_stuck(struct tulle__engine *e, struct tulle__rx *rx, uint32_t walk)
{
    while (rx->is_waiting && rx->walk == 0) {
        rx->walk = walk;
        struct tulle__rx *blocker = e->lanes[rx->wait_lane].rx;
        if (!blocker->is_waiting)
            return blocker->repair.is_active ? NULL : rx;
        rx = blocker;
    }
    return rx->is_waiting && rx->walk == walk ? rx : NULL;
}

/* Whoever is at the end of a chain of waiting lanes is in repair, which ends within
 * hold_ms. Two kinds of lies have no such end: circles, and citations of what its
 * publisher never sent. Both are given up after a while. */
void
tulle__break_cycles(struct tulle__engine *e)
{
    if (e->is_stalled)
        return;
    for (uint32_t i = 0; i < e->lane_cap; i++) {
        if (e->lanes[i].rx != NULL)
            e->lanes[i].rx->walk = 0;
    }
    for (uint32_t i = 0; i < e->lane_cap; i++) {
        struct tulle__rx *stuck =
            e->lanes[i].rx == NULL ? NULL : find_stuck(e, e->lanes[i].rx, i + 1);
        struct tulle__rx *rx = stuck;
        while (rx != NULL && !give_dep_up(e, rx)) {
            rx = e->lanes[rx->wait_lane].rx; /* another one of the circle */
            if (rx == stuck || !rx->is_waiting)
                rx = NULL;
        }
    }
}
