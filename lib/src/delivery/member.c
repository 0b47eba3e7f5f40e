/* SPDX-License-Identifier: MPL-2.0 */
/* The other nodes: who is there, by which ways, and how sure that is.
 *
 * A peer that falls silent is first suspect, then gone; one that says goodbye has
 * left. Connections to a gone peer stay for a while, so that a partition heals by
 * itself; a peer that left, or whose address somebody else has now, is hung up. */

#include "base/alloc.h"
#include "base/panic.h"
#include "delivery/gone.h"
#include "delivery/internal.h"
#include "delivery/link.h"
#include "delivery/observe.h"
#include "delivery/redial.h"

#include <string.h>

struct tulle__peer *
tulle__peer_find(const struct tulle__engine *e, uint64_t id)
{
    struct tulle__peer *peer = NULL;
    HASH_FIND(hh, e->peers, &id, sizeof id, peer);
    return peer;
}

/* ---- table ---- */

static bool
is_dialed(const struct tulle__peer *peer)
{
    return peer->is_control_dialed || peer->is_events_dialed || peer->is_inlet_dialed;
}

void
tulle__peer_hang_up(struct tulle__engine *e, struct tulle__peer *peer)
{
    if (!is_dialed(peer))
        return;
    struct tulle__action *action = tulle__action_push(e, TULLE__ACTION_HANGUP);
    if (action != NULL) {
        action->u.dial.hop = peer->id;
        action->u.dial.control = peer->is_control_dialed ? peer->control : NULL;
        action->u.dial.events = peer->is_events_dialed ? peer->events : NULL;
        action->u.dial.inlet = peer->is_inlet_dialed ? peer->inlet : NULL;
    }
    peer->hung_up_ns = e->now.mono.ns;
    peer->is_control_dialed = false;
    peer->is_events_dialed = false;
    peer->is_inlet_dialed = false;
    peer->is_heard = false;
}

static void
unbind_link(struct tulle__engine *e, struct tulle__peer *peer)
{
    if (peer->link == 0)
        return;
    struct tulle__link *link = &e->links[peer->link - 1];
    link->peer = 0;
    link->tries = 0;
    link->due_ns = e->now.mono.ns;
    e->link_due_ns = e->now.mono.ns;
    peer->link = 0;
}

static void
free_peer(struct tulle__engine *e, struct tulle__peer *peer)
{
    HASH_DEL(e->peers, peer);
    if (e->recent == peer)
        e->recent = NULL;
    tulle__peer_unindex(e, peer);
    tulle__heap_remove(&e->asking, &peer->asking);
    tulle__clock_fini(&peer->acked);
    tulle__observe_peer_freed(peer);
    tulle__free(peer->takes);
    tulle__free(peer->inlet);
    tulle__free(peer);
}

/* Actions point at names and addresses of peers until the next input: who changed
 * during this one stays. */
static bool
may_be_freed(const struct tulle__engine *e, const struct tulle__peer *peer)
{
    return !tulle__peer_is_live(peer) && !is_dialed(peer) && peer->stage_ns != e->now.mono.ns &&
           peer->hung_up_ns != e->now.mono.ns;
}

static bool
make_room(struct tulle__engine *e)
{
    if (HASH_COUNT(e->peers) < e->config.peers_max)
        return true;
    struct tulle__peer *oldest = NULL;
    for (struct tulle__peer *p = e->peers; p != NULL; p = p->hh.next) {
        if (may_be_freed(e, p) && (oldest == NULL || p->stage_ns < oldest->stage_ns))
            oldest = p;
    }
    if (oldest == NULL)
        return false;
    free_peer(e, oldest);
    return true;
}

struct tulle__peer *
tulle__peer_get(struct tulle__engine *e, uint64_t id)
{
    if (e->recent != NULL && e->recent->id == id)
        return e->recent;
    struct tulle__peer *peer = tulle__peer_find(e, id);
    if (peer != NULL) {
        e->recent = peer;
        return peer;
    }
    peer = make_room(e) ? tulle__alloc(sizeof *peer) : NULL;
    if (peer == NULL) {
        e->counters.dropped_table_full++;
        return NULL;
    }
    peer->id = id;
    peer->heard_ns = e->now.mono.ns;
    peer->stage_ns = e->now.mono.ns;
    tulle__clock_init(&peer->acked);
    HASH_ADD(hh, e->peers, id, sizeof peer->id, peer);
    if (tulle__peer_find(e, id) != peer) {
        tulle__free(peer);
        e->counters.dropped_table_full++;
        return NULL;
    }
    tulle__sync_want(e, peer);
    return peer;
}

void
tulle__members_free(struct tulle__engine *e)
{
    for (struct tulle__peer *p = e->peers; p != NULL;) {
        struct tulle__peer *next = p->hh.next;
        free_peer(e, p);
        p = next;
    }
    tulle__id_set_fini(&e->live);
}

/* ---- stages ---- */

static bool
tell_peer(struct tulle__engine *e,
          struct tulle__peer *peer,
          tulle_peer_state state,
          uint64_t previous)
{
    static const char *const names[] = { "", "up", "suspect", "gone", "left", "restarted" };
    uint32_t hops = tulle__peer_hops(e, peer);
    tulle__log(&e->config.log, TULLE_LOG_INFO, "member.state",
               "node=%016llx name=%s state=%s address=%s hops=%u", (unsigned long long)peer->id,
               peer->name, names[state], peer->control, hops == UINT32_MAX ? 0U : hops);
    struct tulle__action *action = tulle__action_push(e, TULLE__ACTION_PEER);
    if (action == NULL)
        return false;
    action->u.peer = (struct tulle_peer){ .node = peer->id,
                                          .name = peer->name,
                                          .address = peer->control,
                                          .state = state,
                                          .previous = previous,
                                          .hops = hops == UINT32_MAX ? 0 : hops,
                                          .is_proxy = peer->is_proxy };
    return true;
}

/* Nobody will tell any more where the node's lanes start. */
static void
resolve_lanes(struct tulle__engine *e, const struct tulle__peer *peer)
{
    struct tulle__rx *next;
    for (struct tulle__rx *rx = tulle__lanes_of_node(e, peer->id); rx != NULL; rx = next) {
        next = rx->sibling_next;
        rx->has_left = peer->stage == TULLE__STAGE_LEFT;
        if (!rx->is_active)
            tulle__resolve_pending(e, rx);
    }
}

void
tulle__peer_set_stage(struct tulle__engine *e,
                      struct tulle__peer *peer,
                      enum tulle__peer_stage stage)
{
    if (peer->stage == stage)
        return;
    bool was_live = tulle__peer_is_live(peer);
    bool is_back = peer->stage == TULLE__STAGE_SUSPECT && stage == TULLE__STAGE_UP;
    if (stage == TULLE__STAGE_GONE)
        peer->is_cut_off = tulle__peer_is_silenced(e, peer);
    peer->stage = stage;
    peer->stage_ns = e->now.mono.ns;
    e->interest_epoch++;
    tulle__acks_peer_changed(e, peer);
    bool is_live = tulle__peer_is_live(peer);
    if (is_live)
        (void)tulle__id_set_add(&e->live, peer->id);
    else
        tulle__id_set_remove(&e->live, peer->id);
    if (is_live && !was_live) {
        e->up_count++;
        e->node_count += peer->is_proxy ? 0U : 1U;
    }
    if (was_live && !is_live) {
        e->up_count--;
        e->node_count -= peer->is_proxy ? 0U : 1U;
    }
    if (stage == TULLE__STAGE_SUSPECT && peer->is_announced)
        (void)tell_peer(e, peer, TULLE_PEER_SUSPECT, 0);
    if (is_back && peer->is_announced)
        (void)tell_peer(e, peer, TULLE_PEER_UP, 0);
    if (stage == TULLE__STAGE_SUSPECT && peer->link != 0) {
        e->links[peer->link - 1].due_ns = e->now.mono.ns;
        e->links[peer->link - 1].tries = 0;
        e->link_due_ns = e->now.mono.ns;
    }
    if (stage != TULLE__STAGE_GONE && stage != TULLE__STAGE_LEFT)
        return;
    if (peer->is_announced)
        (void)tell_peer(e, peer, stage == TULLE__STAGE_LEFT ? TULLE_PEER_LEFT : TULLE_PEER_GONE, 0);
    peer->is_announced = false;
    unbind_link(e, peer);
    if (stage == TULLE__STAGE_LEFT)
        tulle__peer_hang_up(e, peer);
    resolve_lanes(e, peer);
}

static struct tulle__peer *
find_previous(struct tulle__engine *e, const struct tulle__peer *peer)
{
    struct tulle__peer *previous = NULL;
    for (struct tulle__peer *p = tulle__peer_namesake(e, peer, NULL); p != NULL;
         p = tulle__peer_namesake(e, peer, p)) {
        if (p == peer || p->stage == TULLE__STAGE_NEW)
            continue;
        /* Two that live may have one name, but not one address too. */
        bool is_same_place = p->control[0] != '\0' && strcmp(p->control, peer->control) == 0;
        if (tulle__peer_is_live(p) && !is_same_place)
            continue;
        if (previous == NULL || p->heard_ns > previous->heard_ns)
            previous = p;
    }
    return previous;
}

static void
announce(struct tulle__engine *e, struct tulle__peer *peer)
{
    if (peer->is_announced || !tulle__peer_is_live(peer) || peer->name[0] == '\0')
        return;
    /* Its address tells whether it took the place of another; it comes soon. */
    if (tulle__peer_hops(e, peer) == 0 && peer->control[0] == '\0' && !peer->dials_only)
        return;
    const struct tulle__peer *previous = find_previous(e, peer);
    if (previous != NULL)
        peer->is_announced = tell_peer(e, peer, TULLE_PEER_RESTARTED, previous->id);
    else
        peer->is_announced = tell_peer(e, peer, TULLE_PEER_UP, 0);
}

/* ---- ways ---- */

static void
note_route(struct tulle__engine *e, struct tulle__peer *peer, uint64_t via, uint32_t hops)
{
    struct tulle__route *oldest = NULL;
    for (uint32_t i = 0; i < peer->route_count; i++) {
        struct tulle__route *route = &peer->routes[i];
        if (route->via == via) {
            if (route->hops != hops)
                e->route_epoch++;
            route->hops = hops;
            route->heard_ns = e->now.mono.ns;
            return;
        }
        if (oldest == NULL || route->heard_ns < oldest->heard_ns)
            oldest = route;
    }
    if (peer->route_count < TULLE__ROUTES_PER_PEER)
        oldest = &peer->routes[peer->route_count++];
    *oldest = (struct tulle__route){ .via = via, .hops = hops, .heard_ns = e->now.mono.ns };
    e->route_epoch++;
}

/* How often a sign of life is due. */
static int64_t
life_ms(const struct tulle__peer *peer)
{
    return peer->life_ms > peer->beat_ms ? peer->life_ms : peer->beat_ms;
}

int64_t
tulle__suspect_after_ns(const struct tulle__engine *e, const struct tulle__peer *peer)
{
    int64_t three_beats = 3 * life_ms(peer);
    int64_t limit = e->config.suspect_ms;
    return tulle__ms_to_ns(three_beats > limit ? three_beats : limit);
}

static int64_t
gone_after_ns(const struct tulle__engine *e, const struct tulle__peer *peer)
{
    int64_t five_beats = 5 * life_ms(peer);
    int64_t limit = e->config.gone_ms;
    return tulle__ms_to_ns(five_beats > limit ? five_beats : limit);
}

static const struct tulle__route *
best_route(const struct tulle__engine *e, const struct tulle__peer *peer)
{
    const struct tulle__route *best = NULL;
    for (uint32_t i = 0; i < peer->route_count; i++) {
        const struct tulle__route *route = &peer->routes[i];
        if (e->now.mono.ns - route->heard_ns > tulle__suspect_after_ns(e, peer))
            continue;
        if (best == NULL || route->hops < best->hops ||
            (route->hops == best->hops && route->via < best->via))
            best = route;
    }
    for (uint32_t i = 0; best == NULL && i < peer->route_count; i++) {
        const struct tulle__route *route = &peer->routes[i];
        if (best == NULL || route->heard_ns > best->heard_ns)
            best = route; /* stale, but better than none */
    }
    return best;
}

static uint64_t
direct_hop(const struct tulle__peer *peer)
{
    if (peer->link != 0)
        return peer->link;
    return peer->is_control_dialed || peer->dials_only ? peer->id : 0;
}

uint64_t
tulle__peer_hop(const struct tulle__engine *e, const struct tulle__peer *peer)
{
    const struct tulle__route *route = best_route(e, peer);
    if (route == NULL || route->via == 0)
        return direct_hop(peer);
    const struct tulle__peer *neighbour = tulle__peer_find(e, route->via);
    return neighbour == NULL ? 0 : direct_hop(neighbour);
}

uint64_t
tulle__peer_via(const struct tulle__engine *e, const struct tulle__peer *peer)
{
    const struct tulle__route *route = best_route(e, peer);
    return route == NULL ? 0 : route->via;
}

uint32_t
tulle__peer_hops(const struct tulle__engine *e, const struct tulle__peer *peer)
{
    const struct tulle__route *route = best_route(e, peer);
    if (route == NULL || e->now.mono.ns - route->heard_ns > gone_after_ns(e, peer))
        return UINT32_MAX;
    return route->hops;
}

void
tulle__peer_heard(struct tulle__engine *e,
                  struct tulle__peer *peer,
                  uint64_t via,
                  uint32_t hops,
                  bool is_sign_of_life)
{
    if (peer->stage == TULLE__STAGE_LEFT)
        return; /* an id never comes back: these are stragglers */
    note_route(e, peer, via, hops);
    peer->heard_ns = e->now.mono.ns;
    if (peer->stage == TULLE__STAGE_GONE && !is_sign_of_life)
        return;
    tulle__peer_set_stage(e, peer, TULLE__STAGE_UP);
    announce(e, peer);
}

void
tulle__peer_way_works(struct tulle__engine *e,
                      struct tulle__peer *peer,
                      uint64_t via,
                      uint32_t hops)
{
    if (peer->stage != TULLE__STAGE_LEFT)
        note_route(e, peer, via, hops);
}

/* ---- what a peer says of itself ---- */

static void
set_text(char *to, size_t size, struct tulle__view text)
{
    size_t len = text.len < size - 1 ? text.len : size - 1;
    if (len > 0)
        memcpy(to, text.data, len);
    to[len] = '\0';
}

/* Addresses separated by spaces; the driver chooses the one it can use. */
static void
join_addresses(char *to, size_t size, struct tulle__list list)
{
    size_t len = 0;
    struct tulle__view address;
    to[0] = '\0';
    while (tulle__list_next_text(&list, &address)) {
        if (address.len == 0 || len + address.len + 2 > size)
            continue;
        if (len > 0)
            to[len++] = ' ';
        memcpy(to + len, address.data, address.len);
        len += address.len;
        to[len] = '\0';
    }
}

static void
learn_takes(struct tulle__engine *e, struct tulle__peer *peer, const struct tulle__self_view *self)
{
    if (peer->has_takes && self->takes_version <= peer->takes_version)
        return;
    struct tulle__list list = self->takes;
    struct tulle__view key;
    size_t bytes = 0;
    uint32_t count = 0;
    while (tulle__list_next_text(&list, &key)) {
        bytes += key.len;
        count++;
    }
    /* One block: the views, then the bytes they show. Both bounded by limits.h. */
    struct tulle__view *takes = tulle__alloc(count * sizeof *takes + bytes + 1);
    if (takes == NULL)
        return;
    uint8_t *at = (uint8_t *)(takes + count);
    list = self->takes;
    for (uint32_t i = 0; i < count && tulle__list_next_text(&list, &key); i++) {
        takes[i] = (struct tulle__view){ at, key.len };
        if (key.len > 0)
            memcpy(at, key.data, key.len);
        at += key.len;
    }
    tulle__keys_sort(takes, count);
    tulle__acks_peer_leaves(e, peer);
    tulle__free(peer->takes);
    peer->takes = takes;
    peer->take_count = count;
    peer->takes_version = self->takes_version;
    peer->has_takes = true;
    e->interest_epoch++;
    tulle__acks_peer_changed(e, peer);
}

bool
tulle__peer_takes(const struct tulle__peer *peer, struct tulle__view stream)
{
    for (uint32_t i = 0; i < peer->take_count; i++) {
        if (tulle__key_takes(peer->takes[i], stream))
            return true;
    }
    return false;
}

bool
tulle__peer_takes_by_way(const struct tulle__engine *e,
                         const struct tulle__peer *peer,
                         struct tulle__view key)
{
    for (uint32_t i = 0; i < peer->route_count; i++) {
        const struct tulle__route *route = &peer->routes[i];
        if (e->now.mono.ns - route->heard_ns > gone_after_ns(e, peer))
            continue;
        if (route->via == 0)
            return true;
        const struct tulle__peer *neighbour = tulle__peer_find(e, route->via);
        if (neighbour == NULL || neighbour->stage == TULLE__STAGE_NEW)
            return true;
        if (tulle__peer_is_live(neighbour) &&
            (!neighbour->has_takes ||
             tulle__keys_cover(neighbour->takes, neighbour->take_count, key)))
            return true;
    }
    return false;
}

/* Whoever had the address before is not there any more. False: somebody who was
 * heard has it, and the peer is only named by others, whose news may be old. The
 * text of the address stays: the action points at it. */
static bool
claim_address(struct tulle__engine *e, const struct tulle__peer *peer)
{
    for (struct tulle__peer *p = tulle__peer_neighbour(e, peer, NULL); p != NULL;
         p = tulle__peer_neighbour(e, peer, p)) {
        if (p == peer)
            continue;
        if (tulle__peer_is_live(p) && !tulle__peer_is_live(peer))
            return false;
        tulle__peer_hang_up(e, p);
        if (p->stage != TULLE__STAGE_LEFT)
            tulle__peer_set_stage(e, p, TULLE__STAGE_GONE);
    }
    return true;
}

void
tulle__peer_dial(struct tulle__engine *e, struct tulle__peer *peer)
{
    bool wants_control = !peer->is_control_dialed && peer->link == 0 && peer->control[0] != '\0';
    bool wants_events = !peer->is_events_dialed && peer->events[0] != '\0';
    bool wants_inlet = !peer->is_inlet_dialed && peer->inlet != NULL;
    if ((!wants_control && !wants_events && !wants_inlet) || peer->stage == TULLE__STAGE_LEFT ||
        !claim_address(e, peer))
        return;
    struct tulle__action *action = tulle__action_push(e, TULLE__ACTION_DIAL);
    if (action == NULL)
        return; /* the next beat brings us here again */
    action->u.dial.hop = peer->id;
    action->u.dial.control = wants_control ? peer->control : NULL;
    action->u.dial.events = wants_events ? peer->events : NULL;
    action->u.dial.inlet = wants_inlet ? peer->inlet : NULL;
    action->u.dial.turn = peer->turn;
    action->u.dial.tries = tulle__redial_tries(peer);
    peer->is_control_dialed = peer->is_control_dialed || wants_control;
    peer->is_events_dialed = peer->is_events_dialed || wants_events;
    peer->is_inlet_dialed = peer->is_inlet_dialed || wants_inlet;
    peer->dialed_ns = e->now.mono.ns;
}

/* Its addresses, as it says itself. Without any it can only be answered; what it takes
 * events in by matters to a node that has none. */
static void
learn_addresses(struct tulle__engine *e,
                struct tulle__peer *peer,
                const struct tulle__self_view *self)
{
    peer->dials_only = self->control_addresses.count == 0;
    if (peer->control[0] == '\0') {
        tulle__peer_unindex(e, peer);
        join_addresses(peer->control, sizeof peer->control, self->control_addresses);
        tulle__peer_index(e, peer);
    }
    if (peer->events[0] == '\0')
        join_addresses(peer->events, sizeof peer->events, self->event_addresses);
    if (e->config.control_address_count > 0 || peer->inlet != NULL)
        return;
    char inlet[TULLE__ADDRESS_LEN_MAX + 1];
    join_addresses(inlet, sizeof inlet, self->inlets);
    if (inlet[0] != '\0') {
        peer->inlet = tulle__strndup(inlet, strlen(inlet));
    } else if (self->has_takes && !peer->has_no_inlet) { /* it says so itself */
        peer->has_no_inlet = true;
        tulle__log(&e->config.log, TULLE_LOG_WARN, "member.no_inlet", "node=%016llx name=%s",
                   (unsigned long long)peer->id, peer->name);
    }
}

void
tulle__peer_learn(struct tulle__engine *e,
                  struct tulle__peer *peer,
                  const struct tulle__self_view *self,
                  bool is_direct)
{
    if (peer->stage == TULLE__STAGE_LEFT)
        return;
    if (self->name.len > 0 && !tulle__view_is(self->name, peer->name)) {
        tulle__peer_unindex(e, peer);
        set_text(peer->name, sizeof peer->name, self->name);
        tulle__peer_index(e, peer);
    }
    if (peer->is_proxy != self->is_proxy) {
        peer->is_proxy = self->is_proxy;
        if (tulle__peer_is_live(peer))
            e->node_count = peer->is_proxy ? e->node_count - 1 : e->node_count + 1;
        e->interest_epoch++;
        tulle__acks_peer_changed(e, peer);
    }
    if (self->beat_ms > 0 && self->beat_ms <= 60000)
        peer->beat_ms = self->beat_ms;
    if (self->has_takes)
        learn_takes(e, peer, self);
    if (is_direct && self->has_addresses)
        learn_addresses(e, peer, self);
    if (is_direct)
        tulle__peer_dial(e, peer);
    announce(e, peer);
}

void
tulle__engine_found(struct tulle__engine *e,
                    uint64_t id,
                    const char *control_address,
                    struct tulle__now now)
{
    e->now = now;
    if (id == e->config.id || id < TULLE__NODE_ID_MIN)
        return;
    struct tulle__peer *peer = tulle__peer_get(e, id);
    if (peer == NULL || peer->control[0] != '\0')
        return;
    tulle__peer_unindex(e, peer);
    set_text(peer->control, sizeof peer->control, tulle__view_of(control_address));
    tulle__peer_index(e, peer);
    tulle__peer_dial(e, peer);
    tulle__sync_want(e, peer);
    tulle__join_on_timer(e);
}

/* ---- time ---- */

/* When a neighbour that sends beats as it says should have been heard; who is only named was
 * asked at once. */
static int64_t
overdue_ns(const struct tulle__engine *e, const struct tulle__peer *peer)
{
    if (peer->stage == TULLE__STAGE_NEW)
        return peer->heard_ns + tulle__ms_to_ns(TULLE__OVERDUE_MS);
    int64_t beat_ms = peer->beat_ms > 0 ? peer->beat_ms : e->config.beat_ms;
    return peer->heard_ns + tulle__ms_to_ns(beat_ms + beat_ms / 4 + TULLE__OVERDUE_MS);
}

static bool
is_neighbour(const struct tulle__engine *e, const struct tulle__peer *peer)
{
    if (peer->control[0] == '\0')
        return false;
    /* An observer looks after whom others name: that may be old news. */
    if (peer->stage == TULLE__STAGE_NEW)
        return e->observer != NULL && peer->is_control_dialed;
    return tulle__peer_is_live(peer) && tulle__peer_hops(e, peer) == 0;
}

size_t
tulle__engine_overdue(const struct tulle__engine *e,
                      struct tulle__mono now,
                      struct tulle__overdue *out,
                      size_t max,
                      int64_t *next_ns)
{
    size_t count = 0;
    *next_ns = TULLE__NEVER_NS;
    for (const struct tulle__peer *p = e->peers; p != NULL; p = p->hh.next) {
        if (!is_neighbour(e, p))
            continue;
        int64_t due_ns = overdue_ns(e, p);
        if (due_ns > now.ns)
            *next_ns = due_ns < *next_ns ? due_ns : *next_ns;
        else if (count < max) {
            out[count++] =
                (struct tulle__overdue){ .id = p->id,
                                         .address = p->link != 0 ? e->links[p->link - 1].address
                                                                 : p->control,
                                         .turn = p->turn };
        }
    }
    return count;
}

void
tulle__engine_on_refused(struct tulle__engine *e, uint64_t id, struct tulle__now now)
{
    e->now = now;
    struct tulle__peer *peer = tulle__peer_find(e, id);
    if (peer != NULL && is_neighbour(e, peer) && overdue_ns(e, peer) <= now.mono.ns)
        tulle__peer_set_stage(e, peer, TULLE__STAGE_GONE);
}

static void
age_peer(struct tulle__engine *e, struct tulle__peer *peer)
{
    int64_t silent_ns = e->now.mono.ns - peer->heard_ns;
    switch (peer->stage) {
    case TULLE__STAGE_NEW:
        if (silent_ns > gone_after_ns(e, peer))
            tulle__peer_set_stage(e, peer, TULLE__STAGE_GONE);
        break;
    case TULLE__STAGE_UP:
    case TULLE__STAGE_SUSPECT:
        if (silent_ns > gone_after_ns(e, peer))
            tulle__peer_set_stage(e, peer, TULLE__STAGE_GONE);
        else if (silent_ns > tulle__suspect_after_ns(e, peer))
            tulle__peer_set_stage(e, peer, TULLE__STAGE_SUSPECT);
        break;
    case TULLE__STAGE_GONE:
    case TULLE__STAGE_LEFT:
        break;
    }
}

/* Who is past is hung up, and forgotten the time after. */
static void
forget_peers(struct tulle__engine *e)
{
    for (struct tulle__peer *p = e->peers; p != NULL;) {
        struct tulle__peer *next = p->hh.next;
        if (!tulle__peer_is_live(p) && tulle__peer_is_past(e, p)) {
            if (may_be_freed(e, p))
                free_peer(e, p);
            else
                tulle__peer_hang_up(e, p);
        }
        p = next;
    }
}

/* Ask one neighbour after the other whom it knows, so that two that lost sight of
 * each other meet again through a third. */
static void
refresh_one(struct tulle__engine *e)
{
    struct tulle__peer *chosen = NULL;
    struct tulle__peer *lowest = NULL;
    for (struct tulle__peer *p = e->peers; p != NULL; p = p->hh.next) {
        if (!tulle__peer_is_live(p) || direct_hop(p) == 0)
            continue;
        if (lowest == NULL || p->id < lowest->id)
            lowest = p;
        if (p->id > e->refreshed && (chosen == NULL || p->id < chosen->id))
            chosen = p;
    }
    if (chosen == NULL)
        chosen = lowest;
    if (chosen == NULL)
        return;
    e->refreshed = chosen->id;
    e->wants_names = true;
    e->names_due_ns = e->now.mono.ns;
    tulle__sync_want(e, chosen);
}

void
tulle__member_on_timer(struct tulle__engine *e)
{
    for (struct tulle__peer *p = e->peers; p != NULL; p = p->hh.next) {
        age_peer(e, p);
        tulle__redial_if_silent(e, p);
    }
    if (e->now.mono.ns >= e->forget_due_ns) {
        tulle__engine_close_batches(e, e->now); /* they name lanes */
        forget_peers(e);
        tulle__lanes_forget(e);
        tulle__observe_forget(e);
        tulle__store_expire(&e->own_store, e->now.mono);
        tulle__store_expire(&e->others_store, e->now.mono);
        e->forget_due_ns = e->now.mono.ns + tulle__ms_to_ns(tulle__forget_period_ms(e));
    }
    if (e->now.mono.ns >= e->refresh_due_ns) {
        refresh_one(e);
        tulle__acks_look_again(e);
        tulle__break_cycles(e);
        e->refresh_due_ns = e->now.mono.ns + tulle__ms_to_ns(TULLE__REFRESH_MS);
    }
    e->member_due_ns = e->now.mono.ns + tulle__ms_to_ns(e->config.beat_ms / 2 + 5);
}
