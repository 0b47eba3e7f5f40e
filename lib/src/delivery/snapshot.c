/* SPDX-License-Identifier: MPL-2.0 */
/* Snapshots: what an observing node knows, copied. On its thread the copy is made as things
 * stand there; who takes what, and which segments there are, is worked out afterwards. All
 * memory of a snapshot is in blocks, freed together. */

#include "base/alloc.h"
#include "base/panic.h"
#include "delivery/internal.h"
#include "delivery/observe.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 256 * 1024 };

struct block {
    struct block *next;
    size_t used;
    size_t len;
    max_align_t bytes[];
};

/* What is not shown as it is. */
struct raw_node {
    tulle_seen_node shown;
    struct tulle__view *keys; /* that it takes */
    size_t key_count;
    struct raw_side *sides;
};

struct raw_side {
    const uint64_t *ids;
    size_t id_count;
};

struct raw_lane {
    tulle_seen_lane shown;
    struct tulle__mark *marks; /* first 0: of no view that holds */
    size_t mark_count;
};

/* A side of a proxy, or this node's own. */
struct side {
    uint64_t owner;
    const char *name;
    const uint64_t *ids;
    size_t id_count;
    bool has_ordinary; /* a node that is no proxy */
    size_t root;       /* a side of the same segment, or itself */
    size_t segment;    /* of the root */
};

struct place {
    uint64_t node;
    size_t side;
};

struct tulle__snapshot {
    tulle_snapshot shown; /* first: it is what the application has */
    struct block *blocks;
    struct raw_node *nodes;
    struct raw_lane *lanes;
    const uint64_t *own_ids; /* neighbours */
    size_t own_count;
    struct side *sides;
    size_t side_count;
    bool lacks_memory;
};

/* ---- memory ---- */

static void *
take(struct tulle__snapshot *s, size_t count, size_t size)
{
    size_t unit = sizeof(max_align_t);
    size_t len = (count * size + unit) / unit * unit;
    if (s->blocks == NULL || s->blocks->len - s->blocks->used < len) {
        size_t room = len > BLOCK_BYTES ? len : BLOCK_BYTES;
        struct block *block = tulle__alloc(sizeof *block + room);
        if (block == NULL) {
            s->lacks_memory = true;
            return NULL;
        }
        block->len = room;
        block->next = s->blocks;
        s->blocks = block;
    }
    void *at = (char *)s->blocks->bytes + s->blocks->used;
    s->blocks->used += len;
    return at;
}

static const char *
take_text(struct tulle__snapshot *s, const void *text, size_t len)
{
    char *copy = take(s, len + 1, 1);
    if (copy != NULL && len > 0)
        memcpy(copy, text, len);
    return copy;
}

static const char *
take_string(struct tulle__snapshot *s, const char *text)
{
    return take_text(s, text, strlen(text));
}

void
tulle__snapshot_free(struct tulle__snapshot **pointer)
{
    struct tulle__snapshot *s = *pointer;
    while (s != NULL && s->blocks != NULL) {
        struct block *next = s->blocks->next;
        tulle__free(s->blocks);
        s->blocks = next;
    }
    tulle__free(s);
    *pointer = NULL;
}

const tulle_snapshot *
tulle__snapshot_shown(const struct tulle__snapshot *s)
{
    return &s->shown;
}

/* ---- copying, on the engine's thread ---- */

static uint64_t
ms_since(const struct tulle__engine *e, int64_t ns)
{
    return e->now.mono.ns > ns ? (uint64_t)(e->now.mono.ns - ns) / 1000000 : 0;
}

static void
copy_keys(struct tulle__snapshot *s,
          struct raw_node *node,
          const struct tulle__view *keys,
          size_t count)
{
    node->key_count = count;
    node->keys = take(s, count, sizeof *node->keys);
    for (size_t i = 0; node->keys != NULL && i < count; i++) {
        node->keys[i].data = (const uint8_t *)take_text(s, keys[i].data, keys[i].len);
        node->keys[i].len = node->keys[i].data == NULL ? 0 : keys[i].len;
    }
}

static tulle_seen_state
state_of(enum tulle__peer_stage stage)
{
    switch (stage) {
    case TULLE__STAGE_NEW:
        return TULLE_SEEN_NAMED;
    case TULLE__STAGE_UP:
        return TULLE_SEEN_UP;
    case TULLE__STAGE_SUSPECT:
        return TULLE_SEEN_SUSPECT;
    case TULLE__STAGE_GONE:
        return TULLE_SEEN_GONE;
    case TULLE__STAGE_LEFT:
        return TULLE_SEEN_LEFT;
    }
    return TULLE_SEEN_GONE;
}

static void
copy_links(struct tulle__snapshot *s, struct raw_node *node, const struct tulle__peer_view *view)
{
    tulle_seen_link *links = take(s, view->side_count, sizeof *links);
    node->sides = take(s, view->side_count, sizeof *node->sides);
    if (links == NULL || node->sides == NULL)
        return;
    node->shown.links = links;
    node->shown.link_count = view->side_count;
    for (size_t i = 0; i < view->side_count; i++) {
        const struct tulle__seen_side *side = &view->sides[i];
        links[i] = (tulle_seen_link){ .segment = SIZE_MAX,
                                      .name = take_string(s, side->name),
                                      .address = take_string(s, side->address),
                                      .events_out = side->counts.events_out,
                                      .bytes_out = side->counts.bytes_out,
                                      .events_in = side->counts.events_in,
                                      .bytes_in = side->counts.bytes_in,
                                      .waiting = side->counts.waiting };
        uint64_t *ids = take(s, side->id_count, sizeof *ids);
        if (ids == NULL)
            return;
        memcpy(ids, side->ids, side->id_count * sizeof *ids);
        node->sides[i] = (struct raw_side){ ids, side->id_count };
    }
}

static void
copy_view(const struct tulle__engine *e,
          struct tulle__snapshot *s,
          struct raw_node *node,
          const struct tulle__peer_view *view)
{
    node->shown.was_viewed = view->has_lists;
    node->shown.has_round_trip = view->has_round_trip;
    node->shown.round_trip_us = (uint64_t)view->round_trip_ns / 1000;
    node->shown.has_counters = view->has_counters;
    node->shown.counters_ms = view->has_counters ? ms_since(e, view->counters_ns) : 0;
    node->shown.counters = view->counters;
    copy_links(s, node, view);
}

static void
copy_peer(const struct tulle__engine *e,
          struct tulle__snapshot *s,
          struct raw_node *node,
          const struct tulle__peer *peer)
{
    uint32_t hops = tulle__peer_hops(e, peer);
    *node = (struct raw_node){ 0 };
    node->shown = (tulle_seen_node){ .id = peer->id,
                                     .name = take_string(s, peer->name),
                                     .address = take_string(s, peer->control),
                                     .state = state_of(peer->stage),
                                     .is_proxy = peer->is_proxy,
                                     .hops = hops == UINT32_MAX ? 0 : hops,
                                     .via = tulle__peer_via(e, peer),
                                     .beat_ms = peer->beat_ms,
                                     .since_ms = ms_since(e, peer->stage_ns),
                                     .heard_ms = ms_since(e, peer->heard_ns),
                                     .segment = SIZE_MAX };
    copy_keys(s, node, peer->takes, peer->take_count);
    if (peer->view != NULL)
        copy_view(e, s, node, peer->view);
    bool may_answer = peer->stage == TULLE__STAGE_NEW || tulle__peer_is_live(peer);
    s->shown.pending += may_answer && !node->shown.was_viewed ? 1 : 0;
}

static void
copy_self(const struct tulle__engine *e, struct tulle__snapshot *s, struct raw_node *node)
{
    struct tulle__view keys[TULLE__TAKES_MAX];
    size_t count = 0;
    *node = (struct raw_node){ 0 };
    for (const struct tulle__taken_key *k = e->interest.keys; k != NULL; k = k->hh.next)
        keys[count++] = tulle__key_view(&k->key);
    bool has_address = e->config.control_address_count > 0;
    node->shown = (tulle_seen_node){ .id = e->config.id,
                                     .name = take_string(s, e->name),
                                     .address = take_string(
                                         s, has_address ? e->config.control_addresses[0] : ""),
                                     .state = TULLE_SEEN_UP,
                                     .is_self = true,
                                     .was_viewed = true,
                                     .beat_ms = e->config.beat_ms,
                                     .since_ms = ms_since(e, e->started_ns),
                                     .has_counters = true,
                                     .segment = SIZE_MAX };
    tulle__tally_counters(e, &node->shown.counters);
    copy_keys(s, node, keys, count);
}

static void
copy_nodes(const struct tulle__engine *e, struct tulle__snapshot *s)
{
    size_t count = HASH_COUNT(e->peers) + 1;
    s->nodes = take(s, count, sizeof *s->nodes);
    uint64_t *ids = take(s, count, sizeof *ids);
    if (s->nodes == NULL || ids == NULL)
        return;
    copy_self(e, s, &s->nodes[0]);
    ids[s->own_count++] = e->config.id;
    s->shown.node_count = 1;
    for (const struct tulle__peer *p = e->peers; p != NULL; p = p->hh.next) {
        copy_peer(e, s, &s->nodes[s->shown.node_count++], p);
        if (tulle__peer_is_live(p) && tulle__peer_hops(e, p) == 0)
            ids[s->own_count++] = p->id;
    }
    s->own_ids = ids;
}

/* Who published it may have gone long ago: then what others have of it tells its head. */
static uint64_t
head_of(const struct tulle__engine *e, const struct tulle__seen_lane *lane)
{
    const struct tulle__peer *peer = tulle__peer_find(e, lane->node);
    uint64_t head = lane->head;
    if (lane->node == e->config.id || (head > 0 && peer != NULL && tulle__peer_is_live(peer)))
        return head;
    for (size_t i = 0; i < lane->mark_count; i++) {
        const struct tulle__mark *mark = &lane->marks[i];
        head = mark->acked > head ? mark->acked : head;
        head = mark->last > head ? mark->last : head;
    }
    return head;
}

/* Is what the mark says of keeping from the last view of its node, which is there? */
static bool
is_kept(const struct tulle__engine *e, const struct tulle__mark *mark)
{
    if (mark->view == 0)
        return false;
    if (mark->node == e->config.id)
        return mark->view == e->self_views;
    const struct tulle__peer *peer = tulle__peer_find(e, mark->node);
    return peer != NULL && tulle__peer_is_live(peer) && peer->view != NULL &&
           peer->view->number == mark->view;
}

static void
copy_lanes(const struct tulle__engine *e, struct tulle__snapshot *s)
{
    s->lanes = take(s, HASH_COUNT(e->observer->lanes), sizeof *s->lanes);
    if (s->lanes == NULL)
        return;
    for (const struct tulle__seen_lane *l = e->observer->lanes; l != NULL; l = l->hh.next) {
        struct raw_lane *lane = &s->lanes[s->shown.lane_count++];
        const char *stream = (const char *)l->key + sizeof l->node;
        *lane = (struct raw_lane){ .mark_count = l->mark_count };
        lane->shown = (tulle_seen_lane){ .node = l->node,
                                         .node_name = take_string(s, tulle__node_name(e, l->node)),
                                         .stream = take_text(s, stream, l->stream_len),
                                         .head = head_of(e, l),
                                         .changed_ms = ms_since(e, l->changed_ns) };
        lane->marks = take(s, l->mark_count, sizeof *lane->marks);
        if (lane->marks == NULL)
            return;
        for (size_t i = 0; i < l->mark_count; i++) {
            lane->marks[i] = l->marks[i];
            if (!is_kept(e, &l->marks[i]))
                lane->marks[i].first = 0;
        }
    }
}

struct tulle__snapshot *
tulle__snapshot_collect(struct tulle__engine *e, struct tulle__now now)
{
    TULLE_ASSERT(e->observer != NULL);
    e->now = now;
    struct tulle__snapshot *s = tulle__alloc(sizeof *s);
    if (s == NULL)
        return NULL;
    tulle__observe_self(e);
    s->shown.time_us = (uint64_t)now.wall.us;
    s->shown.mono_us = (uint64_t)now.mono.ns / 1000;
    s->shown.lanes_over = e->observer->lanes_over;
    s->shown.marks_over = e->observer->marks_over;
    copy_nodes(e, s);
    copy_lanes(e, s);
    if (s->lacks_memory)
        tulle__snapshot_free(&s);
    return s;
}

/* ---- working out the rest ---- */

static int
compare_nodes(const void *a, const void *b)
{
    uint64_t left = ((const struct raw_node *)a)->shown.id;
    uint64_t right = ((const struct raw_node *)b)->shown.id;
    return (left > right) - (left < right);
}

static int
compare_lanes(const void *a, const void *b)
{
    const tulle_seen_lane *left = &((const struct raw_lane *)a)->shown;
    const tulle_seen_lane *right = &((const struct raw_lane *)b)->shown;
    int order = strcmp(left->stream, right->stream);
    return order != 0 ? order : (left->node > right->node) - (left->node < right->node);
}

/* A subscription key as people read it: a stream, or all below a prefix. */
static const char *
take_pattern(struct tulle__snapshot *s, struct tulle__view key)
{
    struct tulle__view text = key;
    bool is_stream = key.len > 0 && key.data[key.len - 1] == '\0';
    text.len -= is_stream ? 1 : 0;
    if (!tulle__view_is_printable(text))
        return take_string(s, "(unreadable)");
    char *pattern = take(s, text.len + sizeof "**", 1);
    if (pattern == NULL)
        return NULL;
    if (text.len > 0)
        memcpy(pattern, text.data, text.len);
    if (!is_stream)
        memcpy(pattern + text.len, "**", sizeof "**");
    return pattern;
}

static void
show_takes(struct tulle__snapshot *s, struct raw_node *node)
{
    const char **takes = take(s, node->key_count, sizeof *takes);
    for (size_t i = 0; takes != NULL && i < node->key_count; i++)
        takes[i] = take_pattern(s, node->keys[i]);
    node->shown.takes = takes;
    node->shown.take_count = node->key_count;
}

static bool
takes_lane(const struct raw_node *node, const tulle_seen_lane *lane)
{
    bool is_live = node->shown.state == TULLE_SEEN_UP || node->shown.state == TULLE_SEEN_SUSPECT;
    if (!is_live || node->shown.is_proxy || node->shown.id == lane->node)
        return false;
    struct tulle__view stream = tulle__view_of(lane->stream);
    for (size_t i = 0; i < node->key_count; i++) {
        if (tulle__key_takes(node->keys[i], stream))
            return true;
    }
    return false;
}

/* Marks and nodes both ascend by id. */
static void
show_takers(struct tulle__snapshot *s, struct raw_lane *lane)
{
    size_t count = 0;
    for (size_t i = 0; i < s->shown.node_count; i++)
        count += takes_lane(&s->nodes[i], &lane->shown) ? 1U : 0U;
    tulle_seen_taker *takers = take(s, count, sizeof *takers);
    size_t at = 0;
    for (size_t i = 0; takers != NULL && i < s->shown.node_count; i++) {
        uint64_t id = s->nodes[i].shown.id;
        if (lane->shown.taker_count == count || !takes_lane(&s->nodes[i], &lane->shown))
            continue;
        while (at < lane->mark_count && lane->marks[at].node < id)
            at++;
        bool has_acked = at < lane->mark_count && lane->marks[at].node == id;
        takers[lane->shown.taker_count++] =
            (tulle_seen_taker){ id, has_acked ? lane->marks[at].acked : 0 };
    }
    lane->shown.takers = takers;
}

static void
show_holders(struct tulle__snapshot *s, struct raw_lane *lane)
{
    tulle_seen_holder *holders = take(s, lane->mark_count, sizeof *holders);
    for (size_t i = 0; holders != NULL && i < lane->mark_count; i++) {
        const struct tulle__mark *mark = &lane->marks[i];
        if (mark->first > 0)
            holders[lane->shown.holder_count++] =
                (tulle_seen_holder){ mark->node, mark->first, mark->last };
    }
    lane->shown.holders = holders;
}

/* ---- segments: sides that have a node in common are of one ---- */

static const struct raw_node *
find_node(const struct tulle__snapshot *s, uint64_t id)
{
    struct raw_node wanted = { .shown = { .id = id } };
    return bsearch(&wanted, s->nodes, s->shown.node_count, sizeof *s->nodes, compare_nodes);
}

static bool
is_ordinary(const struct tulle__snapshot *s, uint64_t id)
{
    const struct raw_node *node = find_node(s, id);
    return node != NULL && !node->shown.is_proxy;
}

static void
add_side(struct tulle__snapshot *s, const struct side *side)
{
    struct side *added = &s->sides[s->side_count];
    *added = *side;
    added->root = s->side_count++;
    added->segment = SIZE_MAX;
    for (size_t i = 0; i < side->id_count; i++)
        added->has_ordinary = added->has_ordinary || is_ordinary(s, side->ids[i]);
}

static bool
collect_sides(struct tulle__snapshot *s, uint64_t self)
{
    size_t count = 1;
    for (size_t i = 0; i < s->shown.node_count; i++)
        count += s->nodes[i].shown.link_count;
    s->sides = take(s, count, sizeof *s->sides);
    if (s->sides == NULL)
        return false;
    struct side own = { .owner = self, .name = "", .ids = s->own_ids, .id_count = s->own_count };
    add_side(s, &own);
    for (size_t i = 0; i < s->shown.node_count; i++) {
        const struct raw_node *node = &s->nodes[i];
        bool is_live =
            node->shown.state == TULLE_SEEN_UP || node->shown.state == TULLE_SEEN_SUSPECT;
        for (size_t k = 0; is_live && k < node->shown.link_count; k++) {
            struct side side = { .owner = node->shown.id,
                                 .name = node->shown.links[k].name,
                                 .ids = node->sides[k].ids,
                                 .id_count = node->sides[k].id_count };
            add_side(s, &side);
        }
    }
    return true;
}

static size_t
root_of(struct tulle__snapshot *s, size_t side)
{
    while (s->sides[side].root != side) {
        s->sides[side].root = s->sides[s->sides[side].root].root;
        side = s->sides[side].root;
    }
    return side;
}

/* The lowest of them stays the root: the first is this node's. */
static void
join_sides(struct tulle__snapshot *s, size_t a, size_t b)
{
    a = root_of(s, a);
    b = root_of(s, b);
    s->sides[a > b ? a : b].root = a > b ? b : a;
}

static int
compare_places(const void *a, const void *b)
{
    const struct place *left = a;
    const struct place *right = b;
    if (left->node != right->node)
        return left->node < right->node ? -1 : 1;
    return (left->side > right->side) - (left->side < right->side);
}

static bool
has_id(const struct side *side, uint64_t id)
{
    for (size_t i = 0; i < side->id_count; i++) {
        if (side->ids[i] == id)
            return true;
    }
    return false;
}

/* Where there are only proxies, they name one another. */
static void
join_bare_sides(struct tulle__snapshot *s)
{
    for (size_t a = 0; a < s->side_count; a++) {
        for (size_t b = a + 1; b < s->side_count && !s->sides[a].has_ordinary; b++) {
            const struct side *left = &s->sides[a];
            const struct side *right = &s->sides[b];
            if (!right->has_ordinary && left->owner != right->owner && has_id(left, right->owner) &&
                has_id(right, left->owner))
                join_sides(s, a, b);
        }
    }
}

/* Where each node is, proxies on several sides; sorted by node. */
static struct place *
collect_places(struct tulle__snapshot *s, size_t *count)
{
    size_t total = s->side_count;
    for (size_t i = 0; i < s->side_count; i++)
        total += s->sides[i].id_count;
    struct place *places = take(s, total, sizeof *places);
    *count = 0;
    for (size_t i = 0; places != NULL && i < s->side_count; i++) {
        const struct side *side = &s->sides[i];
        places[(*count)++] = (struct place){ side->owner, i };
        for (size_t k = 0; k < side->id_count; k++)
            places[(*count)++] = (struct place){ side->ids[k], i };
    }
    if (*count > 1)
        qsort(places, *count, sizeof *places, compare_places);
    return places;
}

static void
join_all(struct tulle__snapshot *s, const struct place *places, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (places[i].node == places[i - 1].node && places[i].side != places[i - 1].side &&
            is_ordinary(s, places[i].node))
            join_sides(s, places[i].side, places[i - 1].side);
    }
    join_bare_sides(s);
}

/* Number the segments, and name them. */
static tulle_seen_segment *
make_segments(struct tulle__snapshot *s)
{
    tulle_seen_segment *segments = take(s, s->side_count, sizeof *segments);
    for (size_t i = 0; segments != NULL && i < s->side_count; i++) {
        struct side *root = &s->sides[root_of(s, i)];
        if (root->segment == SIZE_MAX) {
            root->segment = s->shown.segment_count++;
            segments[root->segment] =
                (tulle_seen_segment){ .name = "", .has_self = root->segment == 0 };
        }
        tulle_seen_segment *segment = &segments[root->segment];
        if (segment->name[0] == '\0')
            segment->name = s->sides[i].name;
    }
    return segments;
}

static void
show_links(struct tulle__snapshot *s)
{
    size_t side = 1; /* they are in the order in which they were collected */
    for (size_t i = 0; i < s->shown.node_count; i++) {
        struct raw_node *node = &s->nodes[i];
        bool is_live =
            node->shown.state == TULLE_SEEN_UP || node->shown.state == TULLE_SEEN_SUSPECT;
        tulle_seen_link *links = (tulle_seen_link *)(uintptr_t)node->shown.links;
        for (size_t k = 0; is_live && k < node->shown.link_count; k++)
            links[k].segment = s->sides[root_of(s, side++)].segment;
    }
}

/* Places are sorted by node: a node's several places in one segment may lie apart. */
static void
show_members(struct tulle__snapshot *s,
             tulle_seen_segment *segments,
             const struct place *places,
             size_t count)
{
    for (size_t at = 0; at < s->shown.segment_count; at++) {
        uint64_t *ids = take(s, count, sizeof *ids);
        if (ids == NULL)
            return;
        segments[at].nodes = ids;
        for (size_t i = 0; i < count; i++) {
            if (s->sides[root_of(s, places[i].side)].segment != at ||
                (segments[at].node_count > 0 && ids[segments[at].node_count - 1] == places[i].node))
                continue;
            ids[segments[at].node_count++] = places[i].node;
            struct raw_node *node = (struct raw_node *)(uintptr_t)find_node(s, places[i].node);
            if (node != NULL && !node->shown.is_proxy)
                node->shown.segment = at;
        }
    }
}

static void
show_segments(struct tulle__snapshot *s, uint64_t self)
{
    size_t count = 0;
    if (!collect_sides(s, self))
        return;
    struct place *places = collect_places(s, &count);
    if (places == NULL)
        return;
    join_all(s, places, count);
    tulle_seen_segment *segments = make_segments(s);
    if (segments == NULL)
        return;
    show_links(s);
    show_members(s, segments, places, count);
    s->shown.segments = segments;
}

bool
tulle__snapshot_finish(struct tulle__snapshot *s)
{
    uint64_t self = s->nodes[0].shown.id;
    qsort(s->nodes, s->shown.node_count, sizeof *s->nodes, compare_nodes);
    if (s->shown.lane_count > 1)
        qsort(s->lanes, s->shown.lane_count, sizeof *s->lanes, compare_lanes);
    for (size_t i = 0; i < s->shown.node_count; i++)
        show_takes(s, &s->nodes[i]);
    for (size_t i = 0; i < s->shown.lane_count; i++) {
        show_takers(s, &s->lanes[i]);
        show_holders(s, &s->lanes[i]);
    }
    show_segments(s, self);
    tulle_seen_node *nodes = take(s, s->shown.node_count, sizeof *nodes);
    tulle_seen_lane *lanes = take(s, s->shown.lane_count, sizeof *lanes);
    if (s->lacks_memory)
        return false;
    for (size_t i = 0; i < s->shown.node_count; i++)
        nodes[i] = s->nodes[i].shown;
    for (size_t i = 0; i < s->shown.lane_count; i++)
        lanes[i] = s->lanes[i].shown;
    s->shown.nodes = nodes;
    s->shown.lanes = lanes;
    return true;
}
