/* SPDX-License-Identifier: MPL-2.0 */
/* SYNC and HERE: how nodes meet, and where each lane starts for whom.
 *
 * A HERE gives, for every own lane of a stream that the asker takes, its head and
 * the clock of the lane there. From then on nothing of the lane can be lost for
 * the asker: whatever lies between the answer and the first live batch is fetched.
 * A lane that the answer does not name begins after it, at 1 (PROTOCOL 6.4). */

#include "base/alloc.h"
#include "base/panic.h"
#include "delivery/internal.h"
#include "delivery/redial.h"

#include <string.h>

/* ---- asking ---- */

static void
ask_at(struct tulle__engine *e, struct tulle__peer *peer, int64_t due_ns)
{
    peer->sync_due_ns = due_ns;
    tulle__heap_remove(&e->asking, &peer->asking);
    tulle__heap_insert(&e->asking, &peer->asking, (uint64_t)due_ns);
}

void
tulle__sync_want(struct tulle__engine *e, struct tulle__peer *peer)
{
    if (peer->stage == TULLE__STAGE_LEFT)
        return;
    if (peer->is_sync_due && peer->sync_wanted == e->interest.version && !peer->is_sync_held)
        return; /* it is on its way */
    peer->is_sync_held = false;
    peer->is_sync_due = true;
    peer->sync_tries = 0;
    peer->sync_wanted = e->interest.version;
    ask_at(e, peer, e->now.mono.ns);
}

static int64_t
retry_at(const struct tulle__engine *e, uint32_t tries)
{
    int64_t pause_ms = (int64_t)TULLE__SYNC_RETRY_MS_MIN << (tries < 5 ? tries : 5);
    if (pause_ms > TULLE__SYNC_RETRY_MS_MAX)
        pause_ms = TULLE__SYNC_RETRY_MS_MAX;
    return e->now.mono.ns + tulle__ms_to_ns(pause_ms);
}

static void
encode_sync(struct tulle__engine *e, bool wants_lanes, bool wants_peers)
{
    struct tulle__sync_out sync = { .wants_lanes = wants_lanes, .wants_peers = wants_peers };
    tulle__self_out(e, &sync.self, true);
    tulle__writer_reset(&e->body);
    tulle__sync_encode(&e->body, &sync);
}

/* A proxy syncs with its neighbours; what it needs of others is in their beats. */
static bool
is_beyond_proxy_business(const struct tulle__engine *e, const struct tulle__peer *peer)
{
    return e->config.is_proxy && peer->route_count > 0 && tulle__peer_hops(e, peer) > 0;
}

/* A SYNC for lanes; once they are here, one without, which says so. */
static void
ask_peer(struct tulle__engine *e, struct tulle__peer *peer)
{
    if (!peer->is_sync_due && !peer->is_confirm_due) {
        tulle__heap_remove(&e->asking, &peer->asking);
        return;
    }
    ask_at(e, peer, retry_at(e, peer->sync_tries++));
    if (is_beyond_proxy_business(e, peer))
        return;
    /* To one that is gone or cannot be reached the question waits. */
    peer->is_sync_held = peer->stage == TULLE__STAGE_GONE || tulle__peer_hop(e, peer) == 0;
    if (peer->is_sync_held)
        return;
    bool wants_peers = e->wants_names && e->now.mono.ns >= e->names_due_ns;
    encode_sync(e, !e->config.is_proxy && peer->is_sync_due, wants_peers);
    peer->sync_version = e->interest.version;
    peer->sync_counter = tulle__control_send(e, peer->id, TULLE__SYNC);
    if (wants_peers) {
        e->names_counter = peer->sync_counter;
        e->names_due_ns = e->now.mono.ns + tulle__ms_to_ns(e->names_pause_ms);
    }
    e->counters.syncs_sent += peer->sync_counter != 0 ? 1 : 0;
}

static void
ask_link(struct tulle__engine *e, struct tulle__link *link)
{
    if (link->handle == 0 || link->is_self)
        return;
    /* Whoever was there may have been replaced: a suspect's address is asked again. */
    const struct tulle__peer *peer = link->peer == 0 ? NULL : tulle__peer_find(e, link->peer);
    if (peer != NULL && peer->stage == TULLE__STAGE_UP)
        return;
    if (e->now.mono.ns >= link->due_ns) {
        if (peer == NULL)
            tulle__redial_if_unanswered(e, link);
        link->due_ns = retry_at(e, link->tries++);
        encode_sync(e, !e->config.is_proxy, true);
        link->version = e->interest.version;
        link->counter = tulle__control_send_hop(e, link->handle, 0, TULLE__SYNC);
        e->counters.syncs_sent += link->counter != 0 ? 1 : 0;
    }
    if (link->due_ns < e->link_due_ns)
        e->link_due_ns = link->due_ns;
}

void
tulle__join_on_timer(struct tulle__engine *e)
{
    if (e->now.mono.ns >= e->link_due_ns) {
        e->link_due_ns = TULLE__NEVER_NS;
        for (size_t i = 0; i < TULLE__LINKS_LIMIT; i++)
            ask_link(e, &e->links[i]);
    }
    while (e->asking.least != NULL && (int64_t)e->asking.least->key <= e->now.mono.ns)
        ask_peer(e, TULLE__HEAP_ITEM(e->asking.least, struct tulle__peer, asking));
}

int64_t
tulle__join_due_ns(const struct tulle__engine *e)
{
    int64_t due_ns = e->link_due_ns;
    if (e->asking.least != NULL && (int64_t)e->asking.least->key < due_ns)
        due_ns = (int64_t)e->asking.least->key;
    return due_ns;
}

tulle_status
tulle__engine_join(struct tulle__engine *e, const char *address, struct tulle__now now)
{
    e->now = now;
    size_t len = strlen(address);
    if (len == 0 || len > TULLE__ADDRESS_LEN_MAX)
        return TULLE_EINVAL;
    for (uint32_t i = 0; i < TULLE__LINKS_LIMIT; i++) {
        struct tulle__link *link = &e->links[i];
        if (link->handle != 0 && strcmp(link->address, address) == 0)
            return TULLE_OK; /* joined already */
        if (link->handle != 0)
            continue;
        struct tulle__action *action = tulle__action_push(e, TULLE__ACTION_DIAL);
        if (action == NULL)
            return TULLE_ENOMEM;
        *link = (struct tulle__link){ .handle = i + 1, .due_ns = now.mono.ns };
        memcpy(link->address, address, len + 1);
        action->u.dial.hop = link->handle;
        action->u.dial.control = link->address;
        ask_link(e, link);
        return TULLE_OK;
    }
    return TULLE_ELIMIT;
}

/* Its lanes are here: tell it so, until it answers. */
static void
want_confirmed(struct tulle__engine *e, struct tulle__peer *peer, uint64_t version)
{
    if (version != e->interest.version)
        return; /* it is asked again for what is taken now */
    peer->is_sync_due = false;
    if (peer->confirmed_version == version)
        return;
    peer->is_confirm_due = true;
    peer->sync_tries = 0;
    /* Its publications are not heard here yet: what it publishes now would have to be
     * fetched. It is told when they are, or after a while all the same. */
    int64_t wait_ms = peer->is_heard ? 0 : TULLE__CONFIRM_WAIT_MS;
    ask_at(e, peer, e->now.mono.ns + tulle__ms_to_ns(wait_ms));
}

/* ---- answering ---- */

/* Own lanes that the peer takes, with their clocks in e->deps. */
static size_t
collect_lanes(struct tulle__engine *e,
              const struct tulle__peer *peer,
              struct tulle__here_lane_out **lanes,
              size_t *cap)
{
    size_t entries = 0;
    for (const struct tulle__tx *tx = e->own_lanes; tx != NULL; tx = tx->next)
        entries += tx->clock.len;
    if (!tulle__deps_reserve(e, entries + 1))
        return SIZE_MAX;
    struct tulle__dep *at = e->deps;
    size_t count = 0;
    for (const struct tulle__tx *tx = e->own_lanes; tx != NULL; tx = tx->next) {
        struct tulle__view stream = tulle__lane_names_stream(e->names, tx->lane);
        if (tx->head == 0 || !tulle__peer_takes(peer, stream))
            continue;
        if (count == TULLE__LANES_PER_MESSAGE_MAX ||
            !tulle__grow(lanes, cap, count, sizeof **lanes))
            return SIZE_MAX;
        (*lanes)[count++] =
            (struct tulle__here_lane_out){ .stream = stream,
                                           .head = tx->head,
                                           .first = tx->kept.len > 0 ? tulle__kept_first(&tx->kept)
                                                                     : tx->head + 1,
                                           .clock = at,
                                           .clock_count = tx->clock.len };
        for (size_t i = 0; i < tx->clock.len; i++) {
            uint32_t lane = tx->clock.pairs[i].lane;
            *at++ = (struct tulle__dep){ .node = tulle__lane_names_node(e->names, lane),
                                         .stream = tulle__lane_names_stream(e->names, lane),
                                         .count = tx->clock.pairs[i].count };
        }
    }
    return count;
}

/* Lanes of nodes that cannot answer for themselves any more. */
static size_t
collect_holdings(struct tulle__engine *e,
                 const struct tulle__peer *asker,
                 struct tulle__holding **holdings,
                 size_t *cap)
{
    size_t count = 0;
    for (uint32_t i = 0; i < e->lane_cap && count < TULLE__LANES_PER_MESSAGE_MAX; i++) {
        const struct tulle__rx *rx = e->lanes[i].rx;
        if (rx == NULL || !rx->is_active || rx->next <= 1 || rx->node == asker->id)
            continue;
        const struct tulle__peer *peer = tulle__peer_find(e, rx->node);
        if (peer != NULL && tulle__peer_is_live(peer))
            continue;
        struct tulle__view stream = tulle__lane_names_stream(e->names, i);
        if (!tulle__peer_takes(asker, stream))
            continue;
        if (!tulle__grow(holdings, cap, count, sizeof **holdings))
            break;
        (*holdings)[count++] =
            (struct tulle__holding){ .node = rx->node,
                                     .name = tulle__view_of(tulle__node_name(e, rx->node)),
                                     .stream = stream,
                                     .first =
                                         rx->kept.len > 0 ? tulle__kept_first(&rx->kept) : rx->next,
                                     .last = rx->next - 1 };
    }
    return count;
}

static size_t
collect_known(struct tulle__engine *e,
              const struct tulle__peer *asker,
              struct tulle__known_out **known,
              size_t *cap)
{
    size_t count = 0;
    for (struct tulle__peer *p = e->peers; p != NULL; p = p->hh.next) {
        if (p == asker || !tulle__peer_is_live(p) || count == TULLE__PEERS_PER_MESSAGE_MAX)
            continue;
        if (p->is_proxy && tulle__peer_hops(e, p) > 0)
            continue; /* whoever wants to know of those is told by proxies (7.4) */
        if (!tulle__grow(known, cap, count, sizeof **known))
            break;
        /* Addresses are good on this segment only: one behind a proxy is named without. */
        bool is_near = p->control[0] != '\0' && tulle__peer_hops(e, p) == 0;
        struct tulle__known_out *out = &(*known)[count++];
        *out = (struct tulle__known_out){ .id = p->id, .name = p->name, .is_proxy = p->is_proxy };
        if (is_near) {
            p->control_pointer = p->control;
            p->events_pointer = p->events;
            out->control_addresses = &p->control_pointer;
            out->control_address_count = 1;
            out->event_addresses = &p->events_pointer;
            out->event_address_count = p->events[0] != '\0' ? 1 : 0;
        }
    }
    return count;
}

static bool
encode_here(struct tulle__engine *e,
            const struct tulle__peer *asker,
            uint64_t reply_to,
            const struct tulle__sync_view *sync,
            bool wants_peers)
{
    bool wants_lanes = sync->wants_lanes;
    struct tulle__here_lane_out *lanes = NULL;
    struct tulle__holding *holdings = NULL;
    struct tulle__known_out *known = NULL;
    size_t lane_cap = 0;
    size_t holding_cap = 0;
    size_t known_cap = 0;
    struct tulle__here_out here = { .reply_to = reply_to,
                                    .has_lanes = wants_lanes && !e->config.is_proxy };
    tulle__self_out(e, &here.self, true);
    if (here.has_lanes) {
        here.lane_count = collect_lanes(e, asker, &lanes, &lane_cap);
        here.holding_count = collect_holdings(e, asker, &holdings, &holding_cap);
    }
    if (wants_peers)
        here.peer_count = collect_known(e, asker, &known, &known_cap);
    here.lanes = lanes;
    here.holdings = holdings;
    here.peers = known;
    bool is_good = here.lane_count != SIZE_MAX;
    tulle__writer_reset(&e->body);
    if (is_good)
        tulle__here_encode(&e->body, &here);
    tulle__free(lanes);
    tulle__free(holdings);
    tulle__free(known);
    return is_good;
}

/* The answer with our lanes has arrived there: nothing that is published from now
 * on can be missed (PROTOCOL 6.4). That we sent it is not enough: it may be lost,
 * and the next one may tell of a later start. */
static void
note_confirmed(struct tulle__engine *e, struct tulle__peer *peer, uint64_t takes_version)
{
    if (e->config.is_proxy || peer->is_proxy)
        return;
    if (!peer->is_answered || takes_version > peer->answered_version)
        peer->answered_version = takes_version;
    peer->is_answered = true;
    tulle__acks_peer_changed(e, peer);
}

/* Whoever asks for lanes may have forgotten us, and with that what we told it. */
static void
confirm_again(struct tulle__engine *e, struct tulle__peer *peer)
{
    if (peer->confirmed_version != e->interest.version)
        return; /* it will be told, or is being */
    peer->confirmed_version = 0;
    if (!peer->is_sync_due) /* else when that is answered */
        want_confirmed(e, peer, e->interest.version);
}

void
tulle__on_sync(struct tulle__engine *e,
               const struct tulle__control_header *header,
               uint64_t via,
               const struct tulle__sync_view *sync)
{
    struct tulle__peer *peer = tulle__peer_find(e, header->from);
    TULLE_ASSERT(peer != NULL);
    tulle__peer_learn(e, peer, &sync->self, header->hops == 0);
    if (!sync->wants_lanes)
        note_confirmed(e, peer, sync->self.takes_version);
    else
        confirm_again(e, peer);
    if (!encode_here(e, peer, header->counter, sync, sync->wants_peers || header->to == 0))
        return; /* it asks again */
    if (!tulle__control_answer(e, header, via, TULLE__HERE))
        return;
    e->counters.syncs_answered++;
    if (sync->wants_lanes) { /* hearing a beat, the peer knows that it hears us */
        if (header->hops > 0)
            e->awaited = TULLE__AWAITED_BEATS;
        tulle__beat_soon(e);
    }
    if (!peer->is_synced)
        tulle__sync_want(e, peer);
    tulle__join_on_timer(e);
}

/* ---- taking an answer in ---- */

/* What was before the start of a lane is acknowledged: nobody waits for it here. */
static void
raise_own(struct tulle__engine *e, const struct tulle__rx *rx, uint64_t count)
{
    if (count > 0 && !tulle__own_clock_raise(&e->clock, rx->lane, count))
        e->counters.dropped_table_full++;
    tulle__beat_soon(e);
}

/* What this node has built on already, when it took another part of the mesh, is
 * before the start of a live lane: it must not come after its effects. */
static uint64_t
after_own_past(const struct tulle__engine *e, const struct tulle__rx *rx, uint64_t start)
{
    uint64_t own = tulle__own_clock_get(&e->clock, rx->lane);
    return start <= own ? own + 1 : start;
}

void
tulle__resolve_pending(struct tulle__engine *e, struct tulle__rx *rx)
{
    uint64_t next = rx->held.first[0] != NULL ? rx->held.first[0]->first : rx->known_head + 1;
    if (tulle__lane_policy(e, rx->lane)->from != TULLE_FROM_LIVE || rx->cited_sync != 0)
        next = 1; /* what is not to be had any more is told as a gap */
    if (tulle__lane_policy(e, rx->lane)->from == TULLE_FROM_LIVE)
        next = after_own_past(e, rx, next);
    /* The deltas before the start are not known here; whoever keeps the lane tells. */
    rx->wants_prefix = next > 1 && tulle__lane_policy(e, rx->lane)->order != TULLE_ORDER_NONE;
    tulle__rx_activate(e, rx, next);
    raise_own(e, rx, next - 1);
    tulle__repair_check(e, rx);
}

/* Start a lane of the answering node as the subscription asks. */
static void
start_lane(struct tulle__engine *e, struct tulle__rx *rx, const struct tulle__here_lane *info)
{
    const struct tulle__policy *policy = tulle__lane_policy(e, rx->lane);
    uint64_t start = info->head + 1;
    if (policy->from == TULLE_FROM_EARLIEST)
        start = info->first;
    if (policy->from == TULLE_FROM_LAST) {
        start = info->head > policy->from_count ? info->head - policy->from_count + 1 : 1;
        start = start < info->first ? info->first : start;
    }
    if (start == 1) {
        rx->is_clock_known = true;
        rx->kept.is_floor_known = true;
    } else if (start == info->head + 1) {
        tulle__rx_set_need(e, rx, info->clock);
    } else {
        rx->wants_prefix = policy->order != TULLE_ORDER_NONE;
    }
    tulle__rx_activate(e, rx, start);
    raise_own(e, rx, start - 1);
}

/* Start a lane whose node is gone, of which known events are known to have been. */
static void
start_orphan(struct tulle__engine *e, struct tulle__rx *rx, uint64_t known)
{
    const struct tulle__policy *policy = tulle__lane_policy(e, rx->lane);
    uint64_t start = after_own_past(e, rx, known + 1); /* before: before this node joined */
    if (policy->from == TULLE_FROM_EARLIEST)
        start = 1; /* what is not to be had any more is told as a gap */
    if (policy->from == TULLE_FROM_LAST)
        start = known > policy->from_count ? known - policy->from_count + 1 : 1;
    rx->is_clock_known = start == 1;
    rx->kept.is_floor_known = start == 1;
    rx->wants_prefix = start > 1 && policy->order != TULLE_ORDER_NONE;
    tulle__rx_activate(e, rx, start);
}

/* Lanes that the clocks of an answer name and that nobody will answer for. */
static void
resolve_need(struct tulle__engine *e, const struct tulle__rx *rx)
{
    for (size_t i = 0; rx->has_need && i < rx->need.len; i++) {
        struct tulle__clock_pair pair = rx->need.pairs[i];
        uint64_t node = tulle__lane_names_node(e->names, pair.lane);
        if (node == e->config.id || !tulle__lane_policy(e, pair.lane)->is_taken ||
            e->lanes[pair.lane].rx != NULL)
            continue;
        struct tulle__rx *other = tulle__rx_get(e, pair.lane);
        const struct tulle__peer *peer = tulle__peer_find(e, node);
        bool may_answer =
            peer != NULL && peer->stage != TULLE__STAGE_GONE && peer->stage != TULLE__STAGE_LEFT;
        if (other == NULL)
            continue;
        if (!other->is_active && !may_answer)
            start_orphan(e, other, pair.count);
        tulle__rx_raise_head(e, other, pair.count);
    }
}

static void
take_lanes(struct tulle__engine *e,
           struct tulle__peer *peer,
           const struct tulle__here_view *here,
           uint64_t version)
{
    struct tulle__list lanes = here->lanes;
    struct tulle__here_lane info;
    while (tulle__list_next_lane(&lanes, &info)) {
        if (!tulle__interest_takes(e, info.stream))
            continue;
        uint32_t lane = tulle__lane_intern(e, peer->id, info.stream);
        struct tulle__rx *rx = lane == TULLE__LANE_NONE ? NULL : tulle__rx_get(e, lane);
        if (rx == NULL)
            continue;
        uint64_t since = tulle__lane_policy(e, lane)->since;
        /* What an earlier answer did not name is newer than that one: it starts below. */
        bool was_answered = peer->is_synced && since <= peer->synced_version;
        if (!rx->is_active && since <= version && !was_answered)
            start_lane(e, rx, &info);
        /* What was delivered long ago may have left the clock, and so the beats. */
        if (rx->is_active && tulle__own_clock_get(&e->clock, lane) < rx->next - 1)
            raise_own(e, rx, rx->next - 1);
        tulle__rx_raise_head(e, rx, info.head);
    }
    peer->is_synced = true;
    if (peer->synced_version < version)
        peer->synced_version = version;
    struct tulle__rx *next;
    for (struct tulle__rx *rx = tulle__lanes_of_node(e, peer->id); rx != NULL; rx = next) {
        next = rx->sibling_next;
        if (!rx->is_active && tulle__lane_policy(e, rx->lane)->since <= version) {
            rx->is_clock_known = true; /* not named: it is newer than the answer */
            rx->kept.is_floor_known = true;
            tulle__rx_activate(e, rx, 1);
        }
    }
}

/* Addresses are good on the segment of who tells them. Whether they are news. */
static bool
take_known(struct tulle__engine *e, struct tulle__list peers, bool is_near)
{
    struct tulle__known known;
    bool is_news = false;
    while (tulle__list_next_known(&peers, &known)) {
        if (known.id == e->config.id)
            continue;
        is_news = is_news || tulle__peer_find(e, known.id) == NULL;
        struct tulle__peer *peer = tulle__peer_get(e, known.id);
        if (peer == NULL)
            return is_news;
        struct tulle__self_view self = { .name = known.name,
                                         .control_addresses = known.control_addresses,
                                         .event_addresses = known.event_addresses,
                                         .has_addresses =
                                             is_near && known.control_addresses.count > 0,
                                         .is_proxy = known.is_proxy };
        if (peer->stage != TULLE__STAGE_NEW)
            self.is_proxy = peer->is_proxy; /* it knows better itself */
        tulle__peer_learn(e, peer, &self, self.has_addresses);
        if (!peer->is_synced)
            tulle__sync_want(e, peer);
    }
    return is_news;
}

/* A proxy counts this node too, and need not hear on one side whom it knows on others. */
void
tulle__peer_knows(struct tulle__engine *e, struct tulle__peer *peer, uint64_t node_count)
{
    uint64_t known = e->node_count + e->beyond_total;
    known += peer->is_proxy && !e->config.is_proxy ? 1 : 0;
    if (node_count <= known || e->now.mono.ns < e->names_due_ns)
        return;
    e->wants_names = true;
    tulle__sync_want(e, peer);
}

/* Who tells nothing new is not asked again so soon. */
static void
take_names(struct tulle__engine *e, struct tulle__list peers, bool is_near, bool is_answer)
{
    bool is_news = take_known(e, peers, is_near);
    if (!is_answer)
        return;
    e->wants_names = false;
    int64_t pause_ms = is_news ? TULLE__NAMES_PAUSE_MS_MIN : 2 * e->names_pause_ms;
    e->names_pause_ms = pause_ms < TULLE__REFRESH_MS ? pause_ms : TULLE__REFRESH_MS;
    e->names_due_ns = e->now.mono.ns + tulle__ms_to_ns(e->names_pause_ms);
}

static void
take_holdings(struct tulle__engine *e,
              const struct tulle__peer *holder,
              struct tulle__list holdings)
{
    struct tulle__holding held;
    while (tulle__list_next_holding(&holdings, &held)) {
        const struct tulle__peer *owner = tulle__peer_find(e, held.node);
        if (held.node == e->config.id || !tulle__interest_takes(e, held.stream) ||
            (owner != NULL && tulle__peer_is_live(owner)))
            continue;
        uint32_t lane = tulle__lane_intern(e, held.node, held.stream);
        struct tulle__rx *rx = lane == TULLE__LANE_NONE ? NULL : tulle__rx_get(e, lane);
        if (rx == NULL)
            continue;
        rx->cited_by = holder->id;
        tulle__note_name(e, held.node, held.name);
        /* Where this holder begins to keep it says nothing of the others. */
        if (!rx->is_active)
            start_orphan(e, rx, held.last);
        tulle__rx_raise_head(e, rx, held.last);
    }
}

/* Lanes of nodes that the answering one cited and does not know as living. */
static void
resolve_cited(struct tulle__engine *e, const struct tulle__peer *citer, uint64_t reply_to)
{
    for (uint32_t i = 0; e->cited_count > 0 && i < e->lane_cap; i++) {
        struct tulle__rx *rx = e->lanes[i].rx;
        if (rx != NULL && !rx->is_active && rx->cited_sync != 0 && rx->cited_by == citer->id &&
            reply_to >= rx->cited_sync && tulle__peer_find(e, rx->node) == NULL)
            tulle__resolve_pending(e, rx);
    }
}

/* The address leads to this peer now; whoever was there before is not any more. */
static void
bind_link(struct tulle__engine *e, struct tulle__link *link, struct tulle__peer *peer)
{
    struct tulle__peer *old = link->peer == 0 ? NULL : tulle__peer_find(e, link->peer);
    link->peer = peer->id;
    link->tries = 0;
    peer->link = link->handle;
    if (old == NULL || old == peer)
        return;
    old->link = 0;
    tulle__peer_set_stage(e, old, TULLE__STAGE_GONE);
}

/* Was this asked, and of which version of our interest does it speak? */
static bool
match_question(struct tulle__engine *e,
               struct tulle__peer *peer,
               const struct tulle__control_header *header,
               uint64_t reply_to,
               uint64_t *version)
{
    for (size_t i = 0; i < TULLE__LINKS_LIMIT; i++) {
        struct tulle__link *link = &e->links[i];
        if (link->handle == 0 || link->counter == 0 || link->counter != reply_to ||
            header->hops != 0)
            continue;
        bind_link(e, link, peer);
        *version = link->version;
        return true;
    }
    *version = peer->sync_version;
    return peer->sync_counter != 0 && peer->sync_counter == reply_to;
}

void
tulle__peer_is_heard(struct tulle__engine *e, struct tulle__peer *peer)
{
    if (peer->is_heard)
        return;
    peer->is_heard = true;
    if (!peer->is_confirm_due || peer->is_sync_due)
        return;
    ask_at(e, peer, e->now.mono.ns);
}

void
tulle__on_here(struct tulle__engine *e,
               const struct tulle__control_header *header,
               const struct tulle__here_view *here)
{
    struct tulle__peer *peer = tulle__peer_find(e, header->from);
    TULLE_ASSERT(peer != NULL);
    uint64_t version = 0;
    /* Of one that left nothing is asked; naming others, it would make room for them. */
    if (peer->stage == TULLE__STAGE_LEFT ||
        !match_question(e, peer, header, here->reply_to, &version)) {
        e->counters.dropped_unwanted++;
        return;
    }
    tulle__peer_learn(e, peer, &here->self, header->hops == 0);
    take_names(e, here->peers, header->hops == 0,
               peer->sync_counter != here->reply_to || here->reply_to == e->names_counter);
    if (here->has_lanes) {
        take_lanes(e, peer, here, version);
        take_holdings(e, peer, here->holdings);
        for (const struct tulle__rx *rx = tulle__lanes_of_node(e, peer->id); rx != NULL;
             rx = rx->sibling_next)
            resolve_need(e, rx);
        resolve_cited(e, peer, here->reply_to);
        want_confirmed(e, peer, version);
    } else if (peer->is_proxy || e->config.is_proxy) {
        peer->is_synced = true;
        peer->synced_version = version;
        if (version == e->interest.version)
            peer->is_sync_due = false;
    } else {
        peer->confirmed_version = version;
        peer->is_confirm_due = false;
    }
    tulle__join_on_timer(e);
}
