/* SPDX-License-Identifier: MPL-2.0 */
/* Beats: I am here, my lanes reach so far, I have delivered so much, I take this.
 *
 * Sent on a timer; soon after something was published (so that a lost tail shows)
 * or delivered (so that it is acknowledged); and to say goodbye. A beat says what
 * changed, a timed one also the heads that are not acknowledged yet, and every few
 * timed ones say everything (PROTOCOL 5). */

#include "base/alloc.h"
#include "delivery/internal.h"
#include "delivery/observe.h"
#include "delivery/redial.h"

#include <string.h>

enum {
    LATE_BEATS = 3,           /* parallel proxies hear of a beat at different times */
    TURN_MS_MAX = 600 * 1000, /* whatever a proxy says */
};

static const struct tulle__view beat_key = { (const uint8_t *)"$beat", sizeof "$beat" };

void
tulle__self_out(struct tulle__engine *e, struct tulle__self_out *out, bool has_takes)
{
    *out = (struct tulle__self_out){ .name = e->name,
                                     .control_addresses = e->config.control_addresses,
                                     .control_address_count = e->config.control_address_count,
                                     .event_addresses = e->config.event_addresses,
                                     .event_address_count = e->config.event_address_count,
                                     .inlets = e->config.inlets,
                                     .inlet_count = e->config.inlet_count,
                                     .takes_version = e->interest.version,
                                     .beat_ms = e->config.beat_ms,
                                     .is_proxy = e->config.is_proxy };
    if (!has_takes)
        return;
    size_t count = 0;
    for (const struct tulle__taken_key *k = e->interest.keys; k != NULL; k = k->hh.next)
        e->takes[count++] = tulle__key_view(&k->key);
    out->takes = e->takes;
    out->take_count = count;
}

/* ---- sending ---- */

/* Is there something in the lane's head that somebody may not know? A timed beat
 * repeats what was told before and is not acknowledged: that beat may be lost. */
static bool
is_head_news(const struct tulle__tx *tx, bool is_timed)
{
    return tx->head != tx->beat_head || (is_timed && tx->acked < tx->head);
}

static size_t
collect_heads(struct tulle__engine *e, bool is_full, bool is_timed, bool *has_news)
{
    size_t count = 0;
    if (is_timed)
        tulle__acks_refresh(e);
    for (struct tulle__tx *tx = e->own_lanes; tx != NULL; tx = tx->next) {
        bool is_news = tx->head > 0 && is_head_news(tx, is_timed);
        if (tx->head == 0 || (!is_full && !is_news) || count == TULLE__LANES_PER_MESSAGE_MAX)
            continue;
        if (!tulle__grow(&e->heads, &e->head_cap, count, sizeof *e->heads))
            break; /* the next beat says it */
        *has_news = *has_news || is_news;
        e->heads[count++] =
            (struct tulle__head){ .stream = tulle__lane_names_stream(e->names, tx->lane),
                                  .head = tx->head };
        tx->beat_head = tx->head;
    }
    return count;
}

static bool
add_ack(struct tulle__engine *e, uint32_t lane, size_t count)
{
    if (lane >= e->lane_cap || e->lanes[lane].rx == NULL || count == TULLE__CLOCK_ENTRIES_MAX ||
        !tulle__deps_reserve(e, count + 1))
        return false;
    const struct tulle__rx *rx = e->lanes[lane].rx;
    if (!rx->is_active || rx->next <= 1)
        return false;
    e->deps[count] = (struct tulle__dep){ .node = rx->node,
                                          .stream = tulle__lane_names_stream(e->names, lane),
                                          .count = rx->next - 1 };
    return true;
}

/* Of lanes that did not change lately, some, from where the last full beat ended: all in
 * each would be more for everybody to hear the more nodes there are, squared. */
static size_t
add_acks_in_turn(struct tulle__engine *e, uint64_t since, size_t count)
{
    size_t end = e->clock.cap < e->lane_cap ? e->clock.cap : e->lane_cap;
    size_t added = 0;
    for (size_t i = 0; i < end && added < TULLE__ACKS_IN_TURN; i++) {
        uint32_t lane = e->ack_cursor < end ? e->ack_cursor : 0;
        e->ack_cursor = lane + 1;
        const struct tulle__own_entry *entry = &e->clock.entries[lane];
        if (entry->count == 0 || entry->stamp > since || !add_ack(e, lane, count))
            continue;
        count++;
        added++;
    }
    return count;
}

static size_t
collect_acks(struct tulle__engine *e, bool is_full, bool *has_news)
{
    size_t count = 0;
    uint32_t lane = TULLE__LANE_NONE;
    uint64_t since = is_full ? e->full_stamps[1] : e->beat_stamp;
    while (tulle__own_clock_next(&e->clock, since, &lane))
        count += add_ack(e, lane, count) ? 1U : 0U;
    *has_news = *has_news || count > 0;
    if (is_full) {
        count = add_acks_in_turn(e, since, count);
        e->full_stamps[1] = e->full_stamps[0];
        e->full_stamps[0] = e->clock.stamp;
    }
    e->beat_stamp = e->clock.stamp;
    return count;
}

/* Asked by many, one says all twice in an interval. */
static bool
is_full_due(const struct tulle__engine *e, bool is_timed)
{
    int64_t pause_ns = tulle__ms_to_ns(e->config.beat_ms / 2);
    return e->fulls_due > 0 && (is_timed || e->now.mono.ns - e->full_sent_ns >= pause_ns);
}

static void
note_full(struct tulle__engine *e)
{
    e->beats_to_full = TULLE__BEATS_PER_FULL;
    e->full_sent_ns = e->now.mono.ns;
    e->fulls_due -= e->fulls_due > 0 ? 1U : 0U;
}

void
tulle__beat_send(struct tulle__engine *e, bool is_leaving)
{
    bool is_timed = e->now.mono.ns >= e->beat_due_ns;
    bool is_full = e->beats_to_full == 0 || is_leaving || is_full_due(e, is_timed);
    if (is_full)
        note_full(e);
    bool has_news = is_leaving || e->beat_takes_version != e->interest.version;
    bool has_takes = is_full || has_news;
    bool is_awaited = e->awaited == TULLE__AWAITED_BEATS || (e->awaited > 0 && is_timed);
    has_news = has_news || is_awaited;
    struct tulle__beat_out beat = { .mesh = tulle__view_of(e->mesh),
                                    .id = e->config.id,
                                    .counter = ++*e->beats,
                                    .hlc = tulle__hlc_tick(&e->hlc, e->now.wall),
                                    .has_self = is_full,
                                    .has_takes = has_takes,
                                    .is_leaving = is_leaving,
                                    .is_full = is_full,
                                    .beyond_total = e->beyond_total,
                                    .node_count = e->node_count };
    tulle__self_out(e, &beat.self, has_takes);
    beat.head_count = collect_heads(e, is_full, is_timed, &has_news);
    beat.heads = e->heads;
    beat.ack_count = collect_acks(e, is_full, &has_news);
    beat.acks = e->deps;
    beat.is_quiet = !has_news;
    tulle_seen_counters counters;
    if (is_full) {
        tulle__tally_turn(e);
        tulle__tally_counters(e, &counters);
        beat.counters = &counters;
    }
    if (is_timed) {
        beat.beyond = e->beyond;
        beat.beyond_count = e->beyond_count;
        beat.proxies = e->proxies;
        beat.proxy_count = e->proxy_count;
    }
    beat.ask = e->ask_beats > 0 ? e->ask : 0;
    e->ask_beats -= is_timed && e->ask_beats > 0 ? 1U : 0U;
    tulle__writer_reset(&e->body);
    tulle__beat_encode(&e->body, &beat);
    struct tulle__buf *body = tulle__writer_take(&e->body);
    struct tulle__action *action =
        body == NULL ? NULL : tulle__action_push(e, TULLE__ACTION_PUBLISH);
    e->beat_soon_ns = TULLE__NEVER_NS;
    e->beat_sent_ns = e->now.mono.ns;
    e->delivered_bytes = 0;
    if (action == NULL) {
        tulle__buf_unref(&body);
        e->beats_to_full = 0; /* what this one would have said must not be lost */
        return;
    }
    action->u.publication.key = beat_key;
    action->u.publication.body = body;
    e->beat_takes_version = e->interest.version;
    e->awaited -= is_awaited ? 1U : 0U;
    e->counters.beats_sent++;
}

/* Each node hears every beat: the more there are, the longer each waits. */
static int64_t
pause_ns(const struct tulle__engine *e)
{
    return tulle__ms_to_ns(TULLE__BEAT_SOON_MS + (int64_t)e->up_count);
}

void
tulle__beat_soon(struct tulle__engine *e)
{
    if (e->beat_soon_ns != TULLE__NEVER_NS || e->is_leaving)
        return;
    e->beat_soon_ns = e->now.mono.ns + pause_ns(e);
}

/* Say all, soon and once more: the first may not be heard yet by who it is for. */
static void
say_all_soon(struct tulle__engine *e)
{
    e->fulls_due = 2;
    tulle__beat_soon(e);
}

void
tulle__beat_at_once(struct tulle__engine *e)
{
    if (e->is_leaving)
        return;
    int64_t due_ns = e->beat_sent_ns + pause_ns(e);
    if (due_ns < e->now.mono.ns)
        due_ns = e->now.mono.ns;
    if (due_ns < e->beat_soon_ns)
        e->beat_soon_ns = due_ns;
}

void
tulle__beat_on_timer(struct tulle__engine *e)
{
    if (e->is_leaving)
        return;
    if (e->now.mono.ns >= e->beat_due_ns) {
        if (e->beats_to_full > 0)
            e->beats_to_full--;
        tulle__beat_send(e, false);
        e->beat_due_ns = e->now.mono.ns + tulle__ms_to_ns(e->config.beat_ms);
    } else if (e->now.mono.ns >= e->beat_soon_ns) {
        tulle__beat_send(e, false);
    }
}

/* ---- receiving ---- */

static void
take_heads(struct tulle__engine *e, struct tulle__peer *peer, struct tulle__list heads)
{
    struct tulle__head head;
    while (tulle__list_next_head(&heads, &head)) {
        if (!tulle__interest_takes(e, head.stream))
            continue;
        uint32_t lane = tulle__lane_intern(e, peer->id, head.stream);
        struct tulle__rx *rx = lane == TULLE__LANE_NONE ? NULL : tulle__rx_get(e, lane);
        if (rx != NULL)
            tulle__rx_raise_head(e, rx, head.head);
    }
}

/* What the peer has of a node that cannot tell any more: it keeps that, perhaps,
 * for those who missed it (PROTOCOL 6.6). */
static void
note_holder(struct tulle__engine *e, struct tulle__peer *holder, const struct tulle__dep *ack)
{
    if (tulle__id_set_has(&e->live, ack->node))
        return;
    const struct tulle__peer *owner = tulle__peer_find(e, ack->node);
    if ((owner != NULL && tulle__peer_is_live(owner)) || !tulle__interest_takes(e, ack->stream))
        return;
    uint32_t lane = tulle__lane_intern(e, ack->node, ack->stream);
    if (lane == TULLE__LANE_NONE)
        return;
    struct tulle__rx *rx = e->lanes[lane].rx;
    if (rx == NULL && owner != NULL && owner->is_synced &&
        owner->synced_version >= tulle__lane_policy(e, lane)->since)
        rx = tulle__rx_get(e, lane); /* newer than its answer: all of it is due here */
    if (rx != NULL && rx->is_active && rx->next <= ack->count) {
        rx->cited_by = holder->id;
        tulle__rx_raise_head(e, rx, ack->count);
    } else if ((rx == NULL || !rx->is_active) &&
               tulle__lane_policy(e, lane)->from != TULLE_FROM_LIVE) {
        tulle__sync_want(e, holder); /* its answer says from where on it keeps it */
    }
}

static void
take_acks(struct tulle__engine *e, struct tulle__peer *peer, struct tulle__clock_view acks)
{
    struct tulle__dep ack;
    while (tulle__clock_view_next(&acks, &ack)) {
        if (ack.node != e->config.id) {
            note_holder(e, peer, &ack);
            continue;
        }
        uint32_t lane = tulle__lane_names_find(e->names, ack.node, ack.stream);
        if (lane != TULLE__LANE_NONE && lane < e->lane_cap)
            tulle__ack(e, peer, lane, ack.count);
    }
}

/* What a proxy tells of, and does not know as a proxy already, is one or is none. */
static struct tulle__peer *
peer_beyond(struct tulle__engine *e, uint64_t id, bool is_proxy)
{
    struct tulle__peer *peer = id == e->config.id ? NULL : tulle__peer_get(e, id);
    if (peer == NULL || !is_proxy)
        return peer;
    if (peer->stage == TULLE__STAGE_NEW)
        peer->is_proxy = true;
    /* Whoever hears it itself need not be told; what is no proxy is not made one. */
    return peer->is_proxy && tulle__peer_hops(e, peer) != 0 ? peer : NULL;
}

/* A proxy tells, of some nodes beyond it, which beat of theirs it heard of last: who is
 * told of with a later one than was known is alive. What is as late says that the way works. */
void
tulle__take_beyond(struct tulle__engine *e,
                   const struct tulle__peer *proxy,
                   struct tulle__list list,
                   uint64_t total,
                   bool is_proxies)
{
    uint64_t turns = (total + TULLE__BEYOND_IN_TURN - 1) / TULLE__BEYOND_IN_TURN;
    uint64_t turn_ms = turns < TURN_MS_MAX ? turns * proxy->beat_ms : TURN_MS_MAX;
    uint64_t late = is_proxies ? TULLE_SEGMENTS_MAX * LATE_BEATS : LATE_BEATS;
    if (turn_ms > TURN_MS_MAX)
        turn_ms = TURN_MS_MAX;
    struct tulle__beyond beyond;
    while (tulle__list_next_beyond(&list, &beyond)) {
        struct tulle__peer *peer = peer_beyond(e, beyond.id, is_proxies);
        if (peer == NULL || beyond.counter + late < peer->life_counter)
            continue;
        if (beyond.counter <= peer->life_counter) {
            tulle__peer_way_works(e, peer, proxy->id, beyond.hops);
            continue;
        }
        peer->life_counter = beyond.counter;
        peer->life_ms = beyond.hops * (uint32_t)turn_ms;
        tulle__peer_heard(e, peer, proxy->id, beyond.hops, true);
        if (!peer->is_synced)
            tulle__sync_want(e, peer);
    }
}

/* For full beats; each is heard several times. */
static bool
is_new_ask(struct tulle__engine *e, uint64_t ask)
{
    for (size_t i = 0; i < TULLE__ASKS_HEARD; i++) {
        if (e->asks_heard[i] == ask)
            return false; /* none, too */
    }
    e->asks_heard[e->ask_heard_at++ % TULLE__ASKS_HEARD] = ask;
    return true;
}

/* A proxy that is heard for the first time, or asks, is to know this node, and those beyond
 * it are. What another proxy takes may have been said before it could be heard. */
static void
take_proxy(struct tulle__engine *e,
           struct tulle__peer *proxy,
           const struct tulle__beat_view *beat,
           bool is_first)
{
    tulle__take_beyond(e, proxy, beat->beyond, beat->beyond_total, false);
    if (e->config.is_proxy && is_first) {
        e->interest_epoch++;
        tulle__sync_want(e, proxy);
    }
    if (!e->config.is_proxy && (is_new_ask(e, beat->ask) || is_first))
        say_all_soon(e);
}

static void
relay_beat(struct tulle__engine *e, struct tulle__buf *body, struct tulle__view path_frame)
{
    struct tulle__buf *path = NULL;
    if (path_frame.len > 0) {
        path = tulle__buf_copy(path_frame.data, path_frame.len);
        if (path == NULL)
            return;
    }
    struct tulle__action *action = tulle__action_push(e, TULLE__ACTION_RELAY_PUBLICATION);
    if (action == NULL) {
        tulle__buf_unref(&path);
        return;
    }
    /* Not the key that came: it is the caller's, and gone when this goes out. */
    action->u.publication.key = beat_key;
    action->u.publication.body = tulle__buf_ref(body);
    action->u.publication.path = path;
}

void
tulle__on_beat(struct tulle__engine *e,
               struct tulle__buf *body,
               struct tulle__view path_frame,
               const uint64_t *path,
               uint32_t hops)
{
    struct tulle__beat_view beat;
    tulle_status status = tulle__beat_decode(body->data, body->len, &beat);
    if (status != TULLE_OK) {
        tulle__malformed(e, "beat", hops > 0 ? path[hops - 1] : 0, status);
        return;
    }
    if (!tulle__view_is(beat.mesh, e->mesh)) {
        e->counters.dropped_mesh++;
        return;
    }
    if (beat.id == e->config.id) {
        e->counters.dropped_loop++;
        return;
    }
    struct tulle__peer *peer = tulle__peer_get(e, beat.id);
    if (peer == NULL)
        return;
    bool is_first = hops == 0 && !peer->is_heard;
    tulle__peer_heard(e, peer, hops > 0 ? path[hops - 1] : 0, hops, true);
    tulle__peer_is_heard(e, peer);
    if (hops == 0)
        tulle__peer_beat_came(e, peer);
    if (beat.counter <= peer->beat_counter || peer->stage == TULLE__STAGE_LEFT)
        return; /* it came by another way already (PROTOCOL 5.3) */
    peer->beat_counter = beat.counter;
    if (peer->life_counter < beat.counter)
        peer->life_counter = beat.counter;
    if (hops == 0)
        peer->life_ms = 0;
    e->counters.beats_received++;
    if (!tulle__hlc_observe(&e->hlc, beat.hlc, e->now.wall))
        e->counters.clock_clamped++;
    tulle__peer_learn(e, peer, &beat.self, hops == 0);
    if (beat.self.is_proxy && hops == 0)
        take_proxy(e, peer, &beat, is_first);
    if (beat.self.is_proxy && hops == 0 && (e->config.is_proxy || e->config.is_observer))
        tulle__take_beyond(e, peer, beat.proxies, beat.proxies.count, true);
    tulle__observe_beat(e, peer, &beat);
    if (e->config.is_proxy) {
        relay_beat(e, body, path_frame);
    } else {
        take_heads(e, peer, beat.heads);
        take_acks(e, peer, beat.acks);
    }
    if (beat.is_leaving) {
        tulle__peer_set_stage(e, peer, TULLE__STAGE_LEFT);
        return;
    }
    if (!peer->is_synced)
        tulle__sync_want(e, peer);
    tulle__peer_knows(e, peer, beat.node_count);
}
