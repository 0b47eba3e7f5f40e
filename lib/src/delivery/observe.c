/* SPDX-License-Identifier: MPL-2.0 */
/* Observing the mesh: LOOK and VIEW, and what is kept of them and of beats.
 *
 * Beats tell what changes, but those beyond proxies come only when they say something, and
 * acknowledgements that do not change come in turn. So an observer asks each node, once for
 * everything and then now and then; a node answers at a bounded rate. A proxy's answer also
 * tells of all that lies beyond it, and what each of its sides joins. */

#include "delivery/observe.h"

#include "base/alloc.h"
#include "base/panic.h"
#include "delivery/internal.h"

#include <string.h>

enum {
    TICK_MS = 50,          /* between two looks whom to ask */
    ASKS_PER_TICK = 20,    /* so many at most */
    PEER_MS = 5,           /* between two asks, in the long run */
    LISTS_MS = 10000,      /* between two asks of a node for its lists */
    PROXY_LISTS_MS = 2000, /* the same of a proxy: its beats do not tell what it joins */
    RETRY_MS_MAX = 4000,
    ANSWER_US = 2000,       /* what an answer uses of a second; more is dropped */
    ANSWER_LISTS_US = 10000 /* the same, with lists */
};

/* ---- what is kept ---- */

bool
tulle__observe_init(struct tulle__engine *e)
{
    e->observer = tulle__alloc(sizeof *e->observer);
    return e->observer != NULL;
}

static void
free_lane(struct tulle__observer *o, struct tulle__seen_lane *lane)
{
    HASH_DEL(o->lanes, lane);
    o->mark_count -= lane->mark_count;
    tulle__free(lane->marks);
    tulle__free(lane);
}

void
tulle__observe_fini(struct tulle__engine *e)
{
    struct tulle__observer *o = e->observer;
    while (o != NULL && o->lanes != NULL)
        free_lane(o, o->lanes);
    tulle__free(o);
    e->observer = NULL;
}

static struct tulle__seen_lane *
find_lane(const struct tulle__observer *o, uint64_t node, struct tulle__view stream)
{
    uint8_t key[sizeof node + TULLE__TOPIC_LEN_MAX];
    struct tulle__seen_lane *lane = NULL;
    memcpy(key, &node, sizeof node);
    memcpy(key + sizeof node, stream.data, stream.len);
    HASH_FIND(hh, o->lanes, key, sizeof node + stream.len, lane);
    return lane;
}

static struct tulle__seen_lane *
get_lane(struct tulle__engine *e, uint64_t node, struct tulle__view stream)
{
    struct tulle__observer *o = e->observer;
    struct tulle__seen_lane *lane = find_lane(o, node, stream);
    if (lane != NULL)
        return lane;
    size_t key_len = sizeof node + stream.len;
    lane = HASH_COUNT(o->lanes) < e->config.seen_lanes_max
               ? tulle__alloc(sizeof *lane + key_len + 1)
               : NULL;
    if (lane == NULL) {
        o->lanes_over++;
        return NULL;
    }
    lane->node = node;
    lane->changed_ns = e->now.mono.ns;
    lane->stream_len = stream.len;
    memcpy(lane->key, &node, sizeof node);
    memcpy(lane->key + sizeof node, stream.data, stream.len);
    HASH_ADD_KEYPTR(hh, o->lanes, lane->key, key_len, lane);
    if (find_lane(o, node, stream) == lane)
        return lane;
    tulle__free(lane); /* no memory for the table */
    o->lanes_over++;
    return NULL;
}

static struct tulle__mark *
get_mark(struct tulle__engine *e, uint64_t node, struct tulle__view stream, uint64_t by)
{
    struct tulle__seen_lane *lane = get_lane(e, node, stream);
    if (lane == NULL)
        return NULL;
    size_t low = 0;
    size_t high = lane->mark_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (lane->marks[middle].node < by)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < lane->mark_count && lane->marks[low].node == by)
        return &lane->marks[low];
    if (e->observer->mark_count >= e->config.seen_marks_max ||
        !tulle__grow(&lane->marks, &lane->mark_cap, lane->mark_count, sizeof *lane->marks)) {
        e->observer->marks_over++;
        return NULL;
    }
    memmove(&lane->marks[low + 1], &lane->marks[low],
            (lane->mark_count - low) * sizeof *lane->marks);
    lane->marks[low] = (struct tulle__mark){ .node = by };
    lane->mark_count++;
    e->observer->mark_count++;
    return &lane->marks[low];
}

static void
note_head(struct tulle__engine *e, uint64_t node, const struct tulle__head *head)
{
    struct tulle__seen_lane *lane = head->head == 0 ? NULL : get_lane(e, node, head->stream);
    if (lane == NULL || head->head <= lane->head)
        return;
    lane->head = head->head;
    lane->changed_ns = e->now.mono.ns;
}

static void
note_ack(struct tulle__engine *e, uint64_t by, const struct tulle__dep *ack)
{
    struct tulle__mark *mark = get_mark(e, ack->node, ack->stream, by);
    if (mark != NULL && mark->acked < ack->count)
        mark->acked = ack->count;
}

static void
note_kept(struct tulle__engine *e, uint64_t by, const struct tulle__holding *kept, uint64_t view)
{
    if (kept->first > kept->last)
        return;
    tulle__note_name(e, kept->node, kept->name);
    struct tulle__mark *mark = get_mark(e, kept->node, kept->stream, by);
    if (mark == NULL)
        return;
    mark->first = kept->first;
    mark->last = kept->last;
    mark->view = view;
}

static bool
is_known(const struct tulle__engine *e, uint64_t id)
{
    return id == e->config.id || tulle__peer_find(e, id) != NULL;
}

void
tulle__observe_forget(struct tulle__engine *e)
{
    struct tulle__observer *o = e->observer;
    for (struct tulle__seen_lane *lane = o == NULL ? NULL : o->lanes; lane != NULL;) {
        struct tulle__seen_lane *next = lane->hh.next;
        size_t kept = 0;
        for (size_t i = 0; i < lane->mark_count; i++) {
            if (is_known(e, lane->marks[i].node))
                lane->marks[kept++] = lane->marks[i];
        }
        o->mark_count -= lane->mark_count - kept;
        lane->mark_count = kept;
        if (kept == 0 && !is_known(e, lane->node))
            free_lane(o, lane);
        lane = next;
    }
}

/* ---- what a node has, of which it tells ---- */

/* Ranges of lanes that are kept here: own ones, and those of others. */
static size_t
collect_kept(const struct tulle__engine *e, struct tulle__holding **holdings, size_t *cap)
{
    size_t count = 0;
    for (uint32_t i = 0; i < e->lane_cap && count < TULLE__LANES_PER_MESSAGE_MAX; i++) {
        const struct tulle__tx *tx = e->lanes[i].tx;
        const struct tulle__rx *rx = e->lanes[i].rx;
        const struct tulle__kept *kept = tx != NULL ? &tx->kept : rx != NULL ? &rx->kept : NULL;
        if (kept == NULL || kept->len == 0)
            continue;
        if (!tulle__grow(holdings, cap, count, sizeof **holdings))
            break;
        uint64_t node = tx != NULL ? e->config.id : rx->node;
        (*holdings)[count++] =
            (struct tulle__holding){ .node = node,
                                     .stream = tulle__lane_names_stream(e->names, i),
                                     .name = tulle__view_of(tulle__node_name(e, node)),
                                     .first = tulle__kept_first(kept),
                                     .last = tulle__kept_last(kept) };
    }
    return count;
}

static bool
own_head(const struct tulle__engine *e, const struct tulle__tx *tx, struct tulle__head *head)
{
    *head = (struct tulle__head){ tulle__lane_names_stream(e->names, tx->lane), tx->head };
    return tx->head > 0;
}

static bool
own_ack(const struct tulle__engine *e, uint32_t lane, struct tulle__dep *ack)
{
    const struct tulle__rx *rx = e->lanes[lane].rx;
    if (rx == NULL || !rx->is_active || rx->next <= 1)
        return false;
    *ack = (struct tulle__dep){ .node = rx->node,
                                .stream = tulle__lane_names_stream(e->names, lane),
                                .count = rx->next - 1 };
    return true;
}

void
tulle__observe_self(struct tulle__engine *e)
{
    struct tulle__head head;
    struct tulle__dep ack;
    struct tulle__holding *kept = NULL;
    size_t cap = 0;
    for (const struct tulle__tx *tx = e->own_lanes; tx != NULL; tx = tx->next) {
        if (own_head(e, tx, &head))
            note_head(e, e->config.id, &head);
    }
    for (uint32_t i = 0; i < e->lane_cap; i++) {
        if (own_ack(e, i, &ack))
            note_ack(e, e->config.id, &ack);
    }
    size_t count = collect_kept(e, &kept, &cap);
    e->self_views++;
    for (size_t i = 0; i < count; i++)
        note_kept(e, e->config.id, &kept[i], e->self_views);
    tulle__free(kept);
}

/* ---- answering ---- */

static size_t
collect_heads(struct tulle__engine *e)
{
    size_t count = 0;
    for (const struct tulle__tx *tx = e->own_lanes;
         tx != NULL && count < TULLE__LANES_PER_MESSAGE_MAX; tx = tx->next) {
        if (!tulle__grow(&e->heads, &e->head_cap, count, sizeof *e->heads))
            break;
        count += own_head(e, tx, &e->heads[count]) ? 1U : 0U;
    }
    return count;
}

static size_t
collect_acks(struct tulle__engine *e)
{
    size_t count = 0;
    for (uint32_t i = 0; i < e->lane_cap && count < TULLE__CLOCK_ENTRIES_MAX; i++) {
        if (!tulle__deps_reserve(e, count + 1))
            break;
        count += own_ack(e, i, &e->deps[count]) ? 1U : 0U;
    }
    return count;
}

/* Who asks too often is not answered. */
bool
tulle__look_may_be_answered(const struct tulle__engine *e)
{
    return e->answers_ns <= e->now.mono.ns + tulle__ms_to_ns(1000);
}

static void
note_answer(struct tulle__engine *e, bool has_lists)
{
    if (e->answers_ns < e->now.mono.ns)
        e->answers_ns = e->now.mono.ns;
    e->answers_ns += (has_lists ? ANSWER_LISTS_US : ANSWER_US) * INT64_C(1000);
}

void
tulle__on_look(struct tulle__engine *e,
               const struct tulle__control_header *header,
               uint64_t via,
               const struct tulle__look *look)
{
    if (!tulle__look_may_be_answered(e)) {
        e->counters.dropped_looks++;
        return;
    }
    note_answer(e, look->wants_lists);
    struct tulle__holding *kept = NULL;
    size_t cap = 0;
    tulle_seen_counters counters;
    tulle__tally_counters(e, &counters);
    struct tulle__view_out view = { .reply_to = header->counter,
                                    .counters = &counters,
                                    .has_lists = look->wants_lists };
    tulle__self_out(e, &view.self, look->wants_lists);
    if (view.has_lists) {
        view.head_count = collect_heads(e);
        view.heads = e->heads;
        view.ack_count = collect_acks(e);
        view.acks = e->deps;
        view.holding_count = collect_kept(e, &kept, &cap);
        view.holdings = kept;
    }
    const struct tulle__view_parts *parts = e->view_parts;
    if (view.has_lists && parts != NULL) {
        view.beyond = parts->beyond;
        view.beyond_count = parts->beyond_count;
        view.proxies = parts->proxies;
        view.proxy_count = parts->proxy_count;
        view.links = parts->links;
        view.link_count = parts->link_count;
    }
    tulle__writer_reset(&e->body);
    tulle__view_encode(&e->body, &view);
    tulle__free(kept);
    if (tulle__control_answer(e, header, via, TULLE__VIEW))
        e->counters.looks_answered++;
}

/* ---- asking ---- */

static struct tulle__peer_view *
get_view(struct tulle__peer *peer)
{
    if (peer->view == NULL)
        peer->view = tulle__alloc(sizeof *peer->view);
    return peer->view;
}

static void
free_sides(struct tulle__peer_view *view)
{
    for (size_t i = 0; i < view->side_count; i++)
        tulle__free(view->sides[i].ids);
    tulle__free(view->sides);
    view->sides = NULL;
    view->side_count = 0;
}

void
tulle__observe_peer_freed(struct tulle__peer *peer)
{
    if (peer->view == NULL)
        return;
    free_sides(peer->view);
    tulle__free(peer->view);
    peer->view = NULL;
}

/* Who does not answer is asked again, at growing intervals. */
static int64_t
next_ask_ms(const struct tulle__engine *e, const struct tulle__peer_view *view)
{
    int64_t pause_ms = (int64_t)HASH_COUNT(e->peers) * PEER_MS;
    if (view->has_lists)
        return pause_ms > e->config.beat_ms ? pause_ms : e->config.beat_ms;
    int64_t retry_ms = (int64_t)TULLE__SYNC_RETRY_MS_MIN << (view->tries < 4 ? view->tries : 4);
    retry_ms = retry_ms < RETRY_MS_MAX ? retry_ms : RETRY_MS_MAX;
    return retry_ms > pause_ms ? retry_ms : pause_ms;
}

static bool
look_at(struct tulle__engine *e, struct tulle__peer *peer)
{
    struct tulle__peer_view *view = get_view(peer);
    if (view == NULL || e->now.mono.ns < view->due_ns)
        return false;
    struct tulle__look look = { .wants_lists =
                                    !view->has_lists || e->now.mono.ns >= view->lists_due_ns };
    tulle__writer_reset(&e->body);
    tulle__look_encode(&e->body, &look);
    view->look_counter = tulle__control_send(e, peer->id, TULLE__LOOK);
    view->look_ns = e->now.mono.ns;
    view->due_ns = e->now.mono.ns + tulle__ms_to_ns(next_ask_ms(e, view));
    view->tries++;
    return true;
}

void
tulle__observe_on_timer(struct tulle__engine *e)
{
    struct tulle__observer *o = e->observer;
    if (o == NULL || e->now.mono.ns < o->due_ns)
        return;
    o->due_ns = e->now.mono.ns + tulle__ms_to_ns(TICK_MS);
    int asked = 0;
    for (struct tulle__peer *p = e->peers; p != NULL && asked < ASKS_PER_TICK; p = p->hh.next) {
        bool may_answer = p->stage == TULLE__STAGE_NEW || tulle__peer_is_live(p);
        if (may_answer && tulle__peer_hop(e, p) != 0)
            asked += look_at(e, p) ? 1 : 0;
    }
}

int64_t
tulle__observe_due_ns(const struct tulle__engine *e)
{
    return e->observer == NULL ? TULLE__NEVER_NS : e->observer->due_ns;
}

/* ---- taking in ---- */

static void
take_counters(struct tulle__engine *e,
              struct tulle__peer *peer,
              const tulle_seen_counters *counters)
{
    struct tulle__peer_view *view = get_view(peer);
    if (view == NULL)
        return;
    view->counters = *counters;
    view->has_counters = true;
    view->counters_ns = e->now.mono.ns;
}

static void
take_lanes(struct tulle__engine *e,
           uint64_t id,
           struct tulle__list heads,
           struct tulle__clock_view acks)
{
    struct tulle__head head;
    struct tulle__dep ack;
    while (tulle__list_next_head(&heads, &head))
        note_head(e, id, &head);
    while (tulle__clock_view_next(&acks, &ack))
        note_ack(e, id, &ack);
}

void
tulle__observe_beat(struct tulle__engine *e,
                    struct tulle__peer *peer,
                    const struct tulle__beat_view *beat)
{
    if (e->observer == NULL)
        return;
    take_lanes(e, peer->id, beat->heads, beat->acks);
    if (beat->has_counters)
        take_counters(e, peer, &beat->counters);
}

static void
copy_text(char *to, size_t size, struct tulle__view from)
{
    size_t len = from.len < size - 1 ? from.len : size - 1;
    if (len > 0)
        memcpy(to, from.data, len);
    to[len] = '\0';
}

/* Without memory some are missing until the next view. */
static void
take_sides(struct tulle__peer_view *view, struct tulle__list links)
{
    free_sides(view);
    view->sides = tulle__alloc(links.count * sizeof *view->sides + 1);
    struct tulle__link_item link;
    while (view->sides != NULL && tulle__list_next_link(&links, &link)) {
        struct tulle__seen_side *side = &view->sides[view->side_count];
        side->ids = tulle__alloc(link.ids.count * sizeof *side->ids + 1);
        if (side->ids == NULL)
            return;
        copy_text(side->name, sizeof side->name, link.name);
        copy_text(side->address, sizeof side->address, link.address);
        side->counts = link.counts;
        while (tulle__list_next_id(&link.ids, &side->ids[side->id_count]))
            side->id_count++;
        view->side_count++;
    }
}

static void
take_lists(struct tulle__engine *e,
           struct tulle__peer *peer,
           bool is_near,
           const struct tulle__view_view *told)
{
    struct tulle__peer_view *view = peer->view;
    struct tulle__list list = told->holdings;
    struct tulle__holding kept;
    view->has_lists = true;
    view->tries = 0;
    view->lists_due_ns =
        e->now.mono.ns + tulle__ms_to_ns(peer->is_proxy ? PROXY_LISTS_MS : LISTS_MS);
    view->number++;
    take_lanes(e, peer->id, told->heads, told->acks);
    while (tulle__list_next_holding(&list, &kept))
        note_kept(e, peer->id, &kept, view->number);
    take_sides(view, told->links);
    if (!is_near || !told->self.is_proxy)
        return; /* the proxies before it tell of the same, by ways from here */
    tulle__take_beyond(e, peer, told->beyond, told->beyond.count, false);
    tulle__take_beyond(e, peer, told->proxies, told->proxies.count, true);
}

void
tulle__on_view(struct tulle__engine *e,
               const struct tulle__control_header *header,
               const struct tulle__view_view *told)
{
    struct tulle__peer *peer = tulle__peer_find(e, header->from);
    TULLE_ASSERT(peer != NULL);
    struct tulle__peer_view *view = peer->view;
    if (peer->stage == TULLE__STAGE_LEFT || view == NULL || view->look_counter == 0 ||
        view->look_counter != told->reply_to) {
        e->counters.dropped_unwanted++;
        return;
    }
    view->look_counter = 0;
    view->has_round_trip = true;
    view->round_trip_ns = e->now.mono.ns - view->look_ns;
    tulle__peer_learn(e, peer, &told->self, header->hops == 0);
    if (told->has_counters)
        take_counters(e, peer, &told->counters);
    if (!told->has_lists)
        return;
    take_lists(e, peer, header->hops == 0, told);
    e->observer->due_ns = e->now.mono.ns; /* it may have named others */
}
