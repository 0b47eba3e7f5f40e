/* SPDX-License-Identifier: MPL-2.0 */
/* The engine's outside: life, queue of actions, dispatch of inputs, deadlines and
 * questions. What an input does is in the file of its subject:
 *
 *   interest.c  what is taken here            publish.c  own lanes
 *   acks.c      who has own lanes             receive.c  others' lanes: hold, order
 *   member.c    the other nodes, ways to them deliver.c  what leaves a lane
 *   join.c      SYNC and HERE                 repair.c   FETCH, RANGE and gaps
 *   beat.c      beats                         store.c    retention
 *   control.c   control messages, relaying    forward.c  a proxy of several engines
 *   lanes.c     lane table                held.c     what a lane holds
 *   observe.c   what is seen of others    tally.c    what they see of this node
 */

#include "delivery/engine.h"

#include "base/alloc.h"
#include "base/panic.h"
#include "delivery/gone.h"
#include "delivery/internal.h"
#include "delivery/link.h"
#include "delivery/observe.h"

#include <string.h>

void
tulle__engine_config_init(struct tulle__engine_config *config)
{
    *config = (struct tulle__engine_config){
        .beat_ms = 1000,
        .suspect_ms = 3000,
        .gone_ms = 10000,
        .hold_ms = 10000,
        .fetch_delay_ms = 20,
        .retain_bytes = UINT64_C(64) << 20,
        .retain_ms = 600000,
        .retain_others_bytes = UINT64_C(32) << 20,
        .held_bytes = UINT64_C(64) << 20,
        .window_bytes = 0,
        .batch_bytes = 262144,
        .event_bytes_max = UINT32_C(1) << 20,
        .hops_max = 8,
        .lanes_max = 1000000,
        .peers_max = 10000,
        .seen_lanes_max = 100000,
        .seen_marks_max = 1000000,
    };
}

static void
copy_text(char *to, size_t size, const char *from)
{
    size_t len = from == NULL ? 0 : strnlen(from, size - 1);
    if (len > 0)
        memcpy(to, from, len);
    to[len] = '\0';
}

/* The config's strings live as long as the engine. */
static void
copy_config(struct tulle__engine *e, const struct tulle__engine_config *config)
{
    e->config = *config;
    copy_text(e->mesh, sizeof e->mesh, config->mesh);
    copy_text(e->name, sizeof e->name, config->name);
    e->config.mesh = e->mesh;
    e->config.name = e->name;
    TULLE_ASSERT(config->control_address_count <= TULLE__ADDRESSES_MAX);
    TULLE_ASSERT(config->event_address_count <= TULLE__ADDRESSES_MAX);
    TULLE_ASSERT(config->inlet_count <= TULLE__ADDRESSES_MAX);
    const struct {
        const char **to;
        size_t count;
    } lists[] = { { e->config.control_addresses, config->control_address_count },
                  { e->config.event_addresses, config->event_address_count },
                  { e->config.inlets, config->inlet_count } };
    for (size_t list = 0; list < sizeof lists / sizeof lists[0]; list++) {
        for (size_t i = 0; i < lists[list].count; i++) {
            char *own = e->addresses[list][i];
            copy_text(own, sizeof e->addresses[list][i], lists[list].to[i]);
            lists[list].to[i] = own;
        }
    }
}

/* Every node hears beats. */
static bool
subscribe_beats(struct tulle__engine *e)
{
    static const uint8_t beat_key[] = "$beat";
    struct tulle__view key = { beat_key, sizeof beat_key };
    struct tulle__taken_key *taken = tulle__alloc(sizeof *taken);
    if (taken == NULL)
        return false;
    memcpy(taken->key.bytes, key.data, key.len);
    taken->key.len = key.len;
    taken->next = e->interest.removed; /* the action alone needs it */
    e->interest.removed = taken;
    struct tulle__action *action = tulle__action_push(e, TULLE__ACTION_SUBSCRIBE);
    if (action == NULL)
        return false;
    action->u.key = &taken->key;
    return true;
}

struct tulle__engine *
tulle__engine_new(const struct tulle__engine_config *config, struct tulle__now now)
{
    TULLE_ASSERT(config->id >= TULLE__NODE_ID_MIN);
    struct tulle__engine *e = tulle__alloc(sizeof *e);
    if (e == NULL)
        return NULL;
    copy_config(e, config);
    e->now = now;
    e->started_ns = now.mono.ns;
    e->beats = &e->beat_counter;
    tulle__own_clock_init(&e->clock);
    tulle__writer_init(&e->body);
    tulle__writer_init(&e->header);
    e->names = tulle__lane_names_new(config->lanes_max);
    e->pool = tulle__pool_open(TULLE__POOL_UNUSED_BYTES);
    tulle__store_init(&e->own_store, e->names, config->retain_bytes, config->retain_ms);
    tulle__store_init(&e->others_store, e->names, config->retain_others_bytes, config->retain_ms);
    e->own_store.pool = e->others_store.pool = e->pool;
    tulle__interest_init(&e->interest);
    e->held_dice = config->seed | 1;
    e->link_due_ns = TULLE__NEVER_NS;
    e->wants_names = true;
    e->names_pause_ms = TULLE__NAMES_PAUSE_MS_MIN;
    e->beat_soon_ns = TULLE__NEVER_NS;
    /* Beats of nodes that started together spread over the period. */
    e->beat_due_ns = now.mono.ns + tulle__ms_to_ns((int64_t)(config->seed % (config->beat_ms + 1)));
    e->beat_sent_ns = now.mono.ns - tulle__ms_to_ns(config->beat_ms);
    e->member_due_ns = now.mono.ns;
    e->forget_due_ns = now.mono.ns + tulle__ms_to_ns(tulle__forget_period_ms(e));
    if (e->names == NULL || e->pool == NULL || e->interest.patterns == NULL ||
        !subscribe_beats(e) || (config->is_observer && !tulle__observe_init(e)))
        tulle__engine_free(&e);
    return e;
}

void
tulle__engine_free(struct tulle__engine **engine)
{
    struct tulle__engine *e = *engine;
    if (e == NULL)
        return;
    struct tulle__action action;
    while (tulle__engine_next_action(e, &action))
        tulle__action_fini(&action);
    tulle__lanes_free(e);
    tulle__members_free(e);
    tulle__observe_fini(e);
    tulle__names_free(e);
    tulle__interest_fini(&e->interest);
    tulle__own_clock_fini(&e->clock);
    tulle__lane_names_free(&e->names);
    tulle__writer_fini(&e->body);
    tulle__writer_fini(&e->header);
    tulle__free(e->deps);
    tulle__free(e->heads);
    tulle__free(e->actions);
    tulle__pool_close(&e->pool);
    tulle__free(e);
    *engine = NULL;
}

/* ---- actions ---- */

bool
tulle__actions_reserve(struct tulle__engine *e)
{
    if (e->action_head == e->action_len)
        e->action_head = e->action_len = 0;
    return tulle__grow(&e->actions, &e->action_cap, e->action_len, sizeof *e->actions);
}

static bool
is_delivery(enum tulle__action_kind kind)
{
    return kind == TULLE__ACTION_DELIVER || kind == TULLE__ACTION_ARRIVAL ||
           kind == TULLE__ACTION_DUPLICATE;
}

struct tulle__action *
tulle__action_push(struct tulle__engine *e, enum tulle__action_kind kind)
{
    if (!tulle__actions_reserve(e)) {
        e->counters.dropped_table_full++;
        return NULL;
    }
    struct tulle__action *action = &e->actions[e->action_len++];
    if (is_delivery(kind)) { /* filled in whole by who pushes it */
        action->kind = kind;
    } else if (kind == TULLE__ACTION_PUBLISH) { /* the usual one, and small */
        action->kind = kind;
        memset(&action->u.publication, 0, sizeof action->u.publication);
    } else {
        *action = (struct tulle__action){ .kind = kind };
    }
    return action;
}

bool
tulle__engine_next_action(struct tulle__engine *e, struct tulle__action *out)
{
    if (e->action_head == e->action_len)
        return false;
    const struct tulle__action *next = &e->actions[e->action_head++];
    if (next->kind == TULLE__ACTION_PUBLISH) {
        out->kind = next->kind;
        out->u.publication = next->u.publication;
    } else {
        *out = *next;
    }
    return true;
}

void
tulle__action_fini(struct tulle__action *action)
{
    switch (action->kind) {
    case TULLE__ACTION_PUBLISH:
    case TULLE__ACTION_RELAY_PUBLICATION:
        tulle__buf_unref(&action->u.publication.body);
        tulle__buf_unref(&action->u.publication.path);
        break;
    case TULLE__ACTION_CONTROL:
    case TULLE__ACTION_RELAY_CONTROL:
        tulle__buf_unref(&action->u.control.header);
        tulle__buf_unref(&action->u.control.body);
        break;
    case TULLE__ACTION_ARRIVAL:
    case TULLE__ACTION_DELIVER:
    case TULLE__ACTION_DUPLICATE:
        tulle__buf_unref(&action->u.delivery.body);
        tulle__buf_unref(&action->u.delivery.clock);
        break;
    case TULLE__ACTION_DIAL:
    case TULLE__ACTION_HANGUP:
    case TULLE__ACTION_SUBSCRIBE:
    case TULLE__ACTION_UNSUBSCRIBE:
    case TULLE__ACTION_GAP:
    case TULLE__ACTION_PEER:
        break;
    }
}

bool
tulle__deps_reserve(struct tulle__engine *e, size_t count)
{
    while (e->dep_cap < count) {
        if (!tulle__grow(&e->deps, &e->dep_cap, e->dep_cap, sizeof *e->deps))
            return false;
    }
    return true;
}

size_t
tulle__deps_from_clock(struct tulle__engine *e, const struct tulle__clock *clock, uint32_t except)
{
    if (!tulle__deps_reserve(e, clock->len))
        return SIZE_MAX;
    size_t count = 0;
    for (size_t i = 0; i < clock->len; i++) {
        uint32_t lane = clock->pairs[i].lane;
        if (lane == except)
            continue;
        e->deps[count++] = (struct tulle__dep){ .node = tulle__lane_names_node(e->names, lane),
                                                .stream = tulle__lane_names_stream(e->names, lane),
                                                .count = clock->pairs[i].count };
    }
    return count;
}

void
tulle__malformed(struct tulle__engine *e, const char *what, uint64_t from, tulle_status status)
{
    if (status == TULLE_EVERSION)
        e->counters.dropped_version++;
    else
        e->counters.dropped_malformed++;
    uint64_t suppressed = 0;
    if (tulle__log_is_on(&e->config.log, TULLE_LOG_WARN) &&
        tulle__log_limit_pass(&e->log_malformed, e->now.mono, &suppressed)) {
        tulle__log(&e->config.log, TULLE_LOG_WARN, "codec.dropped",
                   "what=%s from=%016llx why=%s suppressed=%llu", what, (unsigned long long)from,
                   tulle_status_name(status), (unsigned long long)suppressed);
    }
}

/* ---- inputs ---- */

void
tulle__engine_on_malformed(struct tulle__engine *e)
{
    tulle__malformed(e, "frames", 0, TULLE_EBADMSG);
}

void
tulle__engine_on_unsent(struct tulle__engine *e)
{
    e->counters.dropped_no_route++;
}

/* PROTOCOL 7.2: a message that has passed here, or too many proxies, is dropped. */
static bool
is_path_good(struct tulle__engine *e, const uint64_t *path, uint32_t hops)
{
    for (uint32_t i = 0; i < hops; i++) {
        if (path[i] == e->config.id) {
            e->counters.dropped_loop++;
            return false;
        }
    }
    if (hops > e->config.hops_max) {
        e->counters.dropped_hops++;
        return false;
    }
    return true;
}

void
tulle__engine_on_publication(struct tulle__engine *e,
                             struct tulle__view key,
                             struct tulle__buf *body,
                             struct tulle__view path,
                             struct tulle__now now)
{
    e->now = now;
    uint64_t ids[TULLE__PATH_MAX];
    uint32_t hops = 0;
    struct tulle__view stream;
    if (path.len > 0 && tulle__path_decode(path.data, path.len, ids, &hops) != TULLE_OK) {
        tulle__malformed(e, "path", 0, TULLE_EBADMSG);
        return;
    }
    if (tulle__key_decode(key.data, key.len, &stream) != TULLE_OK) {
        tulle__malformed(e, "key", 0, TULLE_EBADMSG);
        return;
    }
    if (!is_path_good(e, ids, hops))
        return;
    if (tulle__view_is(stream, "$beat"))
        tulle__on_beat(e, body, path, ids, hops);
    else if (e->config.is_proxy)
        tulle__malformed(e, "unexpected events", 0, TULLE_EBADMSG); /* forward.c takes them first */
    else
        tulle__on_events(e, stream, body, ids, hops);
    tulle__progress(e);
}

/* The body of a message for this node. */
static void
dispatch_control(struct tulle__engine *e,
                 uint64_t via,
                 const struct tulle__control_header *header,
                 const struct tulle__buf *body)
{
    tulle_status status = TULLE_OK;
    struct tulle__sync_view sync;
    struct tulle__here_view here;
    struct tulle__fetch fetch;
    struct tulle__range_view range;
    struct tulle__look look;
    struct tulle__view_view view;
    switch (header->kind) {
    case TULLE__SYNC:
        status = tulle__sync_decode(body->data, body->len, &sync);
        if (status == TULLE_OK)
            tulle__on_sync(e, header, via, &sync);
        break;
    case TULLE__HERE:
        status = tulle__here_decode(body->data, body->len, &here);
        if (status == TULLE_OK)
            tulle__on_here(e, header, &here);
        break;
    case TULLE__FETCH:
        status = tulle__fetch_decode(body->data, body->len, &fetch);
        if (status == TULLE_OK)
            tulle__on_fetch(e, header, via, &fetch);
        break;
    case TULLE__RANGE:
        status = tulle__range_decode(body->data, body->len, &range);
        if (status == TULLE_OK)
            tulle__on_range(e, header, &range);
        break;
    case TULLE__LOOK:
        status = tulle__look_decode(body->data, body->len, &look);
        if (status == TULLE_OK)
            tulle__on_look(e, header, via, &look);
        break;
    case TULLE__VIEW:
        status = tulle__view_decode(body->data, body->len, &view);
        if (status == TULLE_OK)
            tulle__on_view(e, header, &view);
        break;
    }
    if (status != TULLE_OK)
        tulle__malformed(e, "control", header->from, status);
}

static void
push_relay_control(struct tulle__engine *e, struct tulle__view header, struct tulle__buf *body)
{
    struct tulle__buf *copy = tulle__buf_copy(header.data, header.len);
    struct tulle__action *action =
        copy == NULL ? NULL : tulle__action_push(e, TULLE__ACTION_RELAY_CONTROL);
    if (action == NULL) {
        tulle__buf_unref(&copy);
        return;
    }
    action->u.control.header = copy;
    action->u.control.body = tulle__buf_ref(body);
}

/* What a node takes that makes itself known to another one is known here when the answer
 * comes, and so before anything is published for it. */
static void
pass_control(struct tulle__engine *e,
             uint64_t via,
             const struct tulle__control_header *header,
             struct tulle__view header_frame,
             struct tulle__buf *body)
{
    struct tulle__sync_view sync;
    struct tulle__peer *peer =
        header->kind == TULLE__SYNC && tulle__sync_decode(body->data, body->len, &sync) == TULLE_OK
            ? tulle__peer_get(e, header->from)
            : NULL;
    if (peer != NULL) {
        tulle__peer_heard(e, peer, header->hops == 0 ? 0 : via, header->hops, true);
        tulle__peer_learn(e, peer, &sync.self, header->hops == 0);
    }
    push_relay_control(e, header_frame, body);
}

uint64_t
tulle__engine_via(const struct tulle__engine *e, uint64_t hop, struct tulle__view header_frame)
{
    struct tulle__control_header header;
    if (tulle__header_decode(header_frame.data, header_frame.len, &header) != TULLE_OK)
        return hop; /* nothing comes of it */
    if (header.hops == 0)
        return header.from; /* whoever is at the address speaks for itself */
    return hop >= 1 && hop <= TULLE__LINKS_LIMIT ? e->links[hop - 1].peer : hop;
}

void
tulle__engine_on_control(struct tulle__engine *e,
                         uint64_t via,
                         struct tulle__view header_frame,
                         struct tulle__buf *body,
                         struct tulle__now now)
{
    e->now = now;
    struct tulle__control_header header;
    tulle_status status = tulle__header_decode(header_frame.data, header_frame.len, &header);
    if (status == TULLE_OK && (header.hops == 0 ? header.from != via : via == 0))
        status = TULLE_EBADMSG; /* PROTOCOL 6.2: a neighbour speaks for itself */
    if (status != TULLE_OK) {
        tulle__malformed(e, "control header", via, status);
        return;
    }
    if (!tulle__view_is(header.mesh, e->mesh)) {
        e->counters.dropped_mesh++;
        return;
    }
    if (header.from == e->config.id) {
        /* Our own address was given to join: whoever dialed it is us. */
        for (size_t i = 0; i < TULLE__LINKS_LIMIT; i++) {
            if (e->links[i].handle != 0 && e->links[i].counter == header.counter)
                e->links[i].is_self = true;
        }
        e->counters.dropped_loop++;
        return;
    }
    if (header.to != 0 && header.to != e->config.id) {
        if (e->config.is_proxy)
            pass_control(e, via, &header, header_frame, body);
        else
            e->counters.dropped_unwanted++;
        return;
    }
    struct tulle__peer *peer = tulle__peer_get(e, header.from);
    if (peer == NULL)
        return;
    tulle__peer_heard(e, peer, header.hops == 0 ? 0 : via, header.hops, true);
    dispatch_control(e, via, &header, body);
    tulle__progress(e);
}

/* ---- time ---- */

void
tulle__engine_on_timer(struct tulle__engine *e, struct tulle__now now)
{
    e->now = now;
    if (now.mono.ns >= e->member_due_ns)
        tulle__member_on_timer(e);
    tulle__join_on_timer(e);
    tulle__repair_on_timer(e);
    tulle__observe_on_timer(e);
    tulle__progress(e);
    tulle__beat_on_timer(e);
}

struct tulle__mono
tulle__engine_deadline(const struct tulle__engine *e)
{
    int64_t due = e->member_due_ns;
    if (tulle__join_due_ns(e) < due)
        due = tulle__join_due_ns(e);
    if (tulle__repair_due_ns(e) < due)
        due = tulle__repair_due_ns(e);
    if (tulle__observe_due_ns(e) < due)
        due = tulle__observe_due_ns(e);
    if (e->beat_due_ns < due)
        due = e->beat_due_ns;
    if (e->beat_soon_ns < due)
        due = e->beat_soon_ns;
    return (struct tulle__mono){ e->is_leaving ? TULLE__NEVER_NS : due };
}

void
tulle__engine_set_stalled(struct tulle__engine *e, bool is_stalled, struct tulle__now now)
{
    e->now = now;
    e->is_stalled = is_stalled;
    tulle__progress(e);
}

void
tulle__engine_leave(struct tulle__engine *e, struct tulle__now now)
{
    tulle__engine_close_batches(e, now);
    tulle__beat_send(e, true);
    e->is_leaving = true;
}

/* ---- questions ---- */

void
tulle__engine_counters(const struct tulle__engine *e, tulle_counters *out)
{
    *out = e->counters;
    out->peers_up = e->up_count;
    out->lanes = tulle__lane_names_count(e->names);
    out->held_now = e->held_bytes;
    out->retained_now = e->own_store.bytes + e->others_store.bytes;
    out->unacked_now = tulle__acks_missing_bytes(e);
}

static bool
is_taker(const struct tulle__peer *peer, const struct tulle__key *keys, size_t key_count)
{
    if (peer->is_proxy || !tulle__peer_is_live(peer) || !peer->is_answered ||
        peer->answered_version != peer->takes_version)
        return false;
    if (key_count == 0)
        return true;
    for (uint32_t i = 0; i < peer->take_count; i++) {
        for (size_t k = 0; k < key_count; k++) {
            if (tulle__keys_overlap(peer->takes[i], tulle__key_view(&keys[k])))
                return true;
        }
    }
    return false;
}

size_t
tulle__engine_taker_count(const struct tulle__engine *e, struct tulle__view pattern)
{
    struct tulle__key keys[TULLE__KEYS_PER_PATTERN_MAX];
    size_t key_count = pattern.len == 0 ? 0 : tulle__pattern_keys(pattern, keys);
    size_t count = 0;
    for (struct tulle__peer *peer = e->peers; peer != NULL; peer = peer->hh.next)
        count += is_taker(peer, keys, key_count) ? 1U : 0U;
    return count;
}

static tulle_peer_state
public_state(const struct tulle__peer *peer)
{
    switch (peer->stage) {
    case TULLE__STAGE_NEW:
    case TULLE__STAGE_SUSPECT:
        return TULLE_PEER_SUSPECT;
    case TULLE__STAGE_UP:
        return TULLE_PEER_UP;
    case TULLE__STAGE_GONE:
        return TULLE_PEER_GONE;
    case TULLE__STAGE_LEFT:
        return TULLE_PEER_LEFT;
    }
    return TULLE_PEER_GONE;
}

static void
show_peer(const struct tulle__engine *e, const struct tulle__peer *peer, tulle_peer *out)
{
    uint32_t hops = tulle__peer_hops(e, peer);
    *out = (tulle_peer){ .node = peer->id,
                         .name = peer->name,
                         .address = peer->control,
                         .state = public_state(peer),
                         .hops = hops == UINT32_MAX ? 0 : hops,
                         .is_proxy = peer->is_proxy };
}

bool
tulle__engine_next_peer(const struct tulle__engine *e,
                        const struct tulle__peer **at,
                        tulle_peer *out)
{
    const struct tulle__peer *peer = *at == NULL ? e->peers : (*at)->hh.next;
    if (peer == NULL)
        return false;
    *at = peer;
    show_peer(e, peer, out);
    return true;
}

bool
tulle__engine_peer(const struct tulle__engine *e, uint64_t id, tulle_peer *out)
{
    const struct tulle__peer *peer = tulle__peer_find(e, id);
    if (peer != NULL)
        show_peer(e, peer, out);
    return peer != NULL;
}

bool
tulle__engine_link(const struct tulle__engine *e, uint32_t index, struct tulle__link_view *out)
{
    const struct tulle__link *link = &e->links[index];
    *out = (struct tulle__link_view){ .address = link->address, .is_self = link->is_self };
    if (link->peer != 0)
        (void)tulle__engine_peer(e, link->peer, &out->peer);
    return link->handle != 0;
}
