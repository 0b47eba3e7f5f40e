/* SPDX-License-Identifier: MPL-2.0 */
/* A proxy: one engine per segment, and what passes between them.
 *
 * Interest belongs to live nodes and is learnt from their beats. A node that can be
 * heard on several sides (cycles and parallel proxies are normal) belongs to the
 * side where it is nearest, so that nobody's interest circulates. A batch is
 * forwarded at its first arrival only; its path keeps it from coming back. */

#include "delivery/forward.h"

#include "base/alloc.h"
#include "base/panic.h"
#include "delivery/internal.h"
#include "delivery/seen.h"

#include <string.h>

enum { PASSING_LANES_MAX = 65536, ORIGINS_MAX = 65536 };

/* A lane whose batches pass here. */
struct passing_lane {
    struct {
        uint64_t node;
        char stream[TULLE__TOPIC_LEN_MAX + 1]; /* zero padded: part of the hash key */
    } name;
    struct tulle__seen seen;
    struct tulle__kept kept;
    uint64_t epoch;                     /* of the answers below */
    bool is_wanted[TULLE_SEGMENTS_MAX]; /* by a node whose home is that side */
    UT_hash_handle hh;
};

struct origin {
    uint64_t id;
    uint64_t beat_counter; /* highest forwarded */
    UT_hash_handle hh;
};

struct side {
    struct tulle__engine *engine;
    char (*allow)[TULLE__TOPIC_LEN_MAX + 1];
    size_t allow_count;
    char (*deny)[TULLE__TOPIC_LEN_MAX + 1];
    size_t deny_count;
    struct tulle__view *keys; /* what nodes at home here take; borrowed from their peers */
    size_t key_count;
    size_t key_cap;
};

struct tulle__forward {
    struct side sides[TULLE_SEGMENTS_MAX];
    size_t side_count;
    uint64_t id;
    uint32_t hops_max;
    struct passing_lane *lanes; /* uthash, oldest first */
    struct origin *origins;     /* uthash, oldest first */
    struct tulle__store store;
    uint64_t epoch;      /* grows with each rebuilding of interest */
    uint64_t seen_epoch; /* sum of the engines' when it was last rebuilt */
    uint64_t seen_route_epoch;
    int64_t rebuild_due_ns;
    struct tulle__now now;
    struct tulle__writer writer;
};

/* ---- life ---- */

static bool
copy_patterns(char (**out)[TULLE__TOPIC_LEN_MAX + 1], const char *const *patterns, size_t count)
{
    if (count == 0)
        return true;
    char(*copy)[TULLE__TOPIC_LEN_MAX + 1] = tulle__alloc(count * sizeof *copy);
    if (copy == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        memcpy(copy[i], patterns[i], strnlen(patterns[i], TULLE__TOPIC_LEN_MAX));
    *out = copy;
    return true;
}

struct tulle__forward *
tulle__forward_new(const struct tulle__forward_side *sides,
                   size_t side_count,
                   uint64_t retain_bytes,
                   struct tulle__now now)
{
    TULLE_ASSERT(side_count >= 2 && side_count <= TULLE_SEGMENTS_MAX);
    struct tulle__forward *f = tulle__alloc(sizeof *f);
    if (f == NULL)
        return NULL;
    f->id = sides[0].engine.id;
    f->hops_max = sides[0].engine.hops_max;
    f->now = now;
    f->epoch = 1;
    tulle__writer_init(&f->writer);
    tulle__store_init(&f->store, NULL, retain_bytes, sides[0].engine.retain_ms);
    for (size_t i = 0; i < side_count; i++) {
        struct tulle__engine_config config = sides[i].engine;
        config.is_proxy = true;
        f->sides[i].engine = tulle__engine_new(&config, now);
        f->sides[i].allow_count = sides[i].allow_count;
        f->sides[i].deny_count = sides[i].deny_count;
        f->side_count = i + 1;
        if (f->sides[i].engine == NULL ||
            !copy_patterns(&f->sides[i].allow, sides[i].allow, sides[i].allow_count) ||
            !copy_patterns(&f->sides[i].deny, sides[i].deny, sides[i].deny_count)) {
            tulle__forward_free(&f);
            return NULL;
        }
    }
    return f;
}

static void
free_lane(struct tulle__forward *f, struct passing_lane *lane)
{
    HASH_DEL(f->lanes, lane);
    tulle__kept_fini(&f->store, &lane->kept);
    tulle__free(lane);
}

static void
free_origin(struct tulle__forward *f, struct origin *origin)
{
    HASH_DEL(f->origins, origin);
    tulle__free(origin);
}

void
tulle__forward_free(struct tulle__forward **forward)
{
    struct tulle__forward *f = *forward;
    if (f == NULL)
        return;
    while (f->lanes != NULL)
        free_lane(f, f->lanes);
    while (f->origins != NULL)
        free_origin(f, f->origins);
    for (size_t i = 0; i < f->side_count; i++) {
        tulle__engine_free(&f->sides[i].engine);
        tulle__free(f->sides[i].allow);
        tulle__free(f->sides[i].deny);
        tulle__free(f->sides[i].keys);
    }
    tulle__writer_fini(&f->writer);
    tulle__free(f);
    *forward = NULL;
}

/* ---- interest ---- */

/* The side where a node is nearest; the lowest of equals. */
static size_t
find_home(const struct tulle__forward *f, uint64_t id)
{
    size_t home = SIZE_MAX;
    uint32_t nearest = UINT32_MAX;
    for (size_t i = 0; i < f->side_count; i++) {
        const struct tulle__engine *e = f->sides[i].engine;
        const struct tulle__peer *peer = tulle__peer_find(e, id);
        if (peer == NULL || !tulle__peer_is_live(peer))
            continue;
        uint32_t hops = tulle__peer_hops(e, peer);
        if (hops < nearest) {
            nearest = hops;
            home = i;
        }
    }
    return home;
}

static int
compare_keys(struct tulle__view a, struct tulle__view b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len == 0 ? 0 : memcmp(a.data, b.data, len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Keys are kept sorted: most of them come from many nodes. Too many become the empty
 * one, which takes everything: what is not wanted costs less than what is missed. */
static void
add_key(struct side *side, struct tulle__view key)
{
    if (side->key_count == TULLE__TAKES_MAX) {
        side->keys[0] = (struct tulle__view){ NULL, 0 };
        side->key_count = 1;
    }
    if (side->key_count > 0 && side->keys[0].len == 0)
        return;
    size_t low = 0;
    size_t high = side->key_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_keys(side->keys[middle], key);
        if (order == 0)
            return;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (!tulle__grow(&side->keys, &side->key_cap, side->key_count, sizeof *side->keys))
        return; /* the next rebuilding may find memory */
    memmove(&side->keys[low + 1], &side->keys[low], (side->key_count - low) * sizeof *side->keys);
    side->keys[low] = key;
    side->key_count++;
}

static void
collect_keys(struct tulle__forward *f, size_t index)
{
    struct side *side = &f->sides[index];
    side->key_count = 0;
    for (struct tulle__peer *p = side->engine->peers; p != NULL; p = p->hh.next) {
        if (p->is_proxy || !tulle__peer_is_live(p) || find_home(f, p->id) != index)
            continue;
        for (uint32_t k = 0; k < p->take_count; k++)
            add_key(side, p->takes[k]);
    }
}

/* Take from each side what nodes at home on the others want. */
static void
rebuild_interest(struct tulle__forward *f)
{
    for (size_t i = 0; i < f->side_count; i++)
        collect_keys(f, i);
    for (size_t i = 0; i < f->side_count; i++) {
        struct side all = { 0 };
        for (size_t k = 0; k < f->side_count; k++) {
            for (size_t j = 0; k != i && j < f->sides[k].key_count; j++)
                add_key(&all, f->sides[k].keys[j]);
        }
        f->sides[i].engine->now = f->now;
        tulle__interest_set_keys(f->sides[i].engine, all.keys, all.key_count);
        tulle__free(all.keys);
    }
    f->epoch++;
}

static void
after_input(struct tulle__forward *f)
{
    uint64_t epoch = 0;
    uint64_t route_epoch = 0;
    for (size_t i = 0; i < f->side_count; i++) {
        epoch += f->sides[i].engine->interest_epoch;
        route_epoch += f->sides[i].engine->route_epoch;
    }
    /* Ways may change with every message, where there are several; homes seldom. */
    int64_t soon_ns = f->now.mono.ns + tulle__ms_to_ns(50);
    if (route_epoch != f->seen_route_epoch && f->rebuild_due_ns > soon_ns)
        f->rebuild_due_ns = soon_ns;
    f->seen_route_epoch = route_epoch;
    if (epoch == f->seen_epoch && f->now.mono.ns < f->rebuild_due_ns)
        return;
    f->seen_epoch = epoch;
    f->rebuild_due_ns = f->now.mono.ns + tulle__ms_to_ns(1000); /* ways grow stale unheard */
    rebuild_interest(f);
}

static bool
is_among(char (*patterns)[TULLE__TOPIC_LEN_MAX + 1], size_t count, struct tulle__view stream)
{
    struct tulle__key keys[TULLE__KEYS_PER_PATTERN_MAX];
    for (size_t i = 0; i < count; i++) {
        struct tulle__view pattern = tulle__view_of(patterns[i]);
        size_t key_count = tulle__pattern_keys(pattern, keys);
        for (size_t k = 0; k < key_count; k++) {
            if (tulle__key_takes(tulle__key_view(&keys[k]), stream))
                return true;
        }
    }
    return false;
}

/* May the stream leave this side? */
static bool
may_cross(const struct side *side, struct tulle__view stream)
{
    return (side->allow_count == 0 || is_among(side->allow, side->allow_count, stream)) &&
           !is_among(side->deny, side->deny_count, stream);
}

/* ---- lanes that pass ---- */

static struct passing_lane *
find_lane(const struct tulle__forward *f, uint64_t node, struct tulle__view stream)
{
    struct passing_lane key;
    memset(&key.name, 0, sizeof key.name);
    key.name.node = node;
    memcpy(key.name.stream, stream.data, stream.len);
    struct passing_lane *lane = NULL;
    HASH_FIND(hh, f->lanes, &key.name, sizeof key.name, lane);
    return lane;
}

static struct passing_lane *
get_lane(struct tulle__forward *f, uint64_t node, struct tulle__view stream)
{
    struct passing_lane *lane = find_lane(f, node, stream);
    if (lane != NULL)
        return lane;
    if (HASH_COUNT(f->lanes) >= PASSING_LANES_MAX)
        free_lane(f, f->lanes);
    lane = tulle__alloc(sizeof *lane);
    if (lane == NULL)
        return NULL;
    lane->name.node = node;
    memcpy(lane->name.stream, stream.data, stream.len);
    tulle__kept_init(&lane->kept);
    HASH_ADD(hh, f->lanes, name, sizeof lane->name, lane);
    if (find_lane(f, node, stream) == lane)
        return lane;
    tulle__free(lane); /* no memory for the table */
    return NULL;
}

static const bool *
find_wanted(struct tulle__forward *f, struct passing_lane *lane, struct tulle__view stream)
{
    if (lane->epoch == f->epoch)
        return lane->is_wanted;
    lane->epoch = f->epoch;
    for (size_t i = 0; i < f->side_count; i++) {
        lane->is_wanted[i] = false;
        for (size_t k = 0; k < f->sides[i].key_count && !lane->is_wanted[i]; k++)
            lane->is_wanted[i] = tulle__key_takes(f->sides[i].keys[k], stream);
    }
    return lane->is_wanted;
}

/* ---- publications ---- */

static struct tulle__buf *
extend_path(struct tulle__forward *f, struct tulle__view path)
{
    uint64_t ids[TULLE__PATH_MAX + 1];
    uint32_t hops = 0;
    if (path.len > 0 && tulle__path_decode(path.data, path.len, ids, &hops) != TULLE_OK)
        return NULL;
    if (hops >= f->hops_max || hops >= TULLE__PATH_MAX)
        return NULL;
    ids[hops] = f->id;
    tulle__writer_reset(&f->writer);
    tulle__path_encode(&f->writer, ids, hops + 1);
    return tulle__writer_take(&f->writer);
}

static bool
push_publication(struct tulle__engine *e,
                 struct tulle__view key,
                 struct tulle__buf *body,
                 struct tulle__buf *path)
{
    struct tulle__action *action = tulle__action_push(e, TULLE__ACTION_PUBLISH);
    if (action == NULL)
        return false;
    action->u.publication.key = key;
    action->u.publication.body = tulle__buf_ref(body);
    action->u.publication.path = tulle__buf_ref(path);
    return true;
}

/* Head of a batch: whose it is and which events. These are not looked at. */
static tulle_status
peek_batch(const struct tulle__buf *body, uint64_t *node, struct tulle__seen_range *events)
{
    struct tulle__reader r;
    tulle__reader_init(&r, body->data, body->len);
    uint32_t count = tulle__read_array(&r, UINT32_MAX);
    uint64_t version = tulle__read_uint(&r);
    if (!r.failed && version != TULLE__WIRE_VERSION)
        return TULLE_EVERSION;
    *node = tulle__read_uint(&r);
    events->first = tulle__read_uint(&r);
    (void)tulle__read_clock(&r); /* deps */
    (void)tulle__read_uint(&r);  /* base time */
    uint32_t more = tulle__read_array(&r, TULLE__BATCH_EVENTS_MAX) - 1;
    bool is_good = !r.failed && count >= 6 && *node >= TULLE__NODE_ID_MIN && events->first > 0 &&
                   more < TULLE__BATCH_EVENTS_MAX && events->first <= TULLE__SEQ_MAX - more;
    events->last = events->first + more;
    return is_good ? TULLE_OK : TULLE_EBADMSG;
}

/* Check the frames of a batch as far as a proxy looks, and count what is wrong. */
static bool
check_batch(struct tulle__forward *f,
            struct tulle__engine *e,
            const struct tulle__buf *body,
            struct tulle__view path,
            uint64_t *node,
            struct tulle__seen_range *events)
{
    uint64_t ids[TULLE__PATH_MAX];
    uint32_t hops = 0;
    tulle_status status = TULLE_OK;
    if (path.len > 0)
        status = tulle__path_decode(path.data, path.len, ids, &hops);
    if (status == TULLE_OK)
        status = peek_batch(body, node, events);
    if (status != TULLE_OK) {
        tulle__malformed(e, "batch", hops > 0 ? ids[hops - 1] : 0, status);
        return false;
    }
    for (uint32_t i = 0; i < hops; i++) {
        if (ids[i] == f->id) {
            e->counters.dropped_loop++;
            return false;
        }
    }
    if (hops >= f->hops_max) {
        e->counters.dropped_hops++;
        return false;
    }
    struct tulle__peer *peer = tulle__peer_get(e, *node);
    if (peer != NULL)
        tulle__peer_heard(e, peer, hops > 0 ? ids[hops - 1] : 0, hops, false);
    return true;
}

static void
keep(struct tulle__forward *f,
     struct passing_lane *lane,
     struct tulle__buf *body,
     struct tulle__seen_range events)
{
    struct tulle__batch batch;
    size_t len = lane->kept.len;
    if (f->store.bytes_max == 0 ||
        (len > 0 && tulle__kept_at(&lane->kept, len - 1)->last >= events.first) ||
        tulle__batch_decode(body->data, body->len, &batch) != TULLE_OK)
        return;
    struct tulle__keep keep = {
        .buf = body, .first = events.first, .last = events.last, .has_deps = batch.deps.count > 0
    };
    tulle__kept_append(&f->store, &lane->kept, &keep, f->now.mono);
}

static void
forward_batch(struct tulle__forward *f,
              size_t from,
              struct tulle__view stream,
              struct tulle__buf *body,
              struct tulle__view path)
{
    struct tulle__engine *e = f->sides[from].engine;
    uint64_t node = 0;
    struct tulle__seen_range events;
    if (!check_batch(f, e, body, path, &node, &events))
        return;
    e->counters.batches_received++;
    e->counters.bytes_received += body->len;
    struct passing_lane *lane = get_lane(f, node, stream);
    if (lane == NULL) {
        e->counters.dropped_table_full++;
        return;
    }
    if (!tulle__seen_add(&lane->seen, events.first, events.last)) {
        e->counters.relayed_duplicates++;
        return;
    }
    if (!may_cross(&f->sides[from], stream)) {
        e->counters.dropped_policy++;
        return;
    }
    const bool *is_wanted = find_wanted(f, lane, stream);
    struct tulle__buf *extended = NULL;
    bool is_wanted_beyond = false;
    for (size_t i = 0; i < f->side_count; i++) {
        if (i == from || !is_wanted[i])
            continue;
        is_wanted_beyond = true;
        if (extended == NULL)
            extended = extend_path(f, path);
        /* The key that came is the caller's; the lane's own outlives the action. */
        struct tulle__view key = { (const uint8_t *)lane->name.stream, stream.len + 1 };
        if (extended == NULL || !push_publication(f->sides[i].engine, key, body, extended))
            continue;
        e->counters.relayed_batches++;
        e->counters.relayed_bytes += body->len;
    }
    if (!is_wanted_beyond)
        e->counters.dropped_unwanted++;
    else if (extended == NULL)
        e->counters.dropped_table_full++;
    else
        keep(f, lane, body, events);
    tulle__buf_unref(&extended);
}

static struct origin *
find_origin(const struct tulle__forward *f, uint64_t id)
{
    struct origin *origin = NULL;
    HASH_FIND(hh, f->origins, &id, sizeof id, origin);
    return origin;
}

static struct origin *
get_origin(struct tulle__forward *f, uint64_t id)
{
    struct origin *origin = find_origin(f, id);
    if (origin != NULL)
        return origin;
    if (HASH_COUNT(f->origins) >= ORIGINS_MAX)
        free_origin(f, f->origins);
    origin = tulle__alloc(sizeof *origin);
    if (origin == NULL)
        return NULL;
    origin->id = id;
    HASH_ADD(hh, f->origins, id, sizeof origin->id, origin);
    if (find_origin(f, id) == origin)
        return origin;
    tulle__free(origin); /* no memory for the table */
    return NULL;
}

/* PROTOCOL 7.4: a beat goes on once, to every other side; a proxy's own not at all:
 * it speaks for one segment. One that may not go on is none that did: it may come by a
 * shorter way. */
static void
forward_beat(struct tulle__forward *f, size_t from, const struct tulle__action *action)
{
    tulle_counters *counters = &f->sides[from].engine->counters;
    struct tulle__beat_view beat;
    struct tulle__buf *body = action->u.publication.body;
    struct tulle__buf *path = action->u.publication.path;
    struct tulle__view old = { path == NULL ? NULL : path->data, path == NULL ? 0 : path->len };
    uint64_t ids[TULLE__PATH_MAX];
    uint32_t hops = 0;
    if (tulle__beat_decode(body->data, body->len, &beat) != TULLE_OK || beat.self.is_proxy)
        return;
    if (old.len > 0 && tulle__path_decode(old.data, old.len, ids, &hops) != TULLE_OK)
        return; /* it was read before */
    if (hops >= f->hops_max) {
        counters->dropped_hops++;
        return;
    }
    struct origin *origin = get_origin(f, beat.id);
    if (origin != NULL && beat.counter <= origin->beat_counter)
        return;
    struct tulle__buf *extended = origin == NULL ? NULL : extend_path(f, old);
    if (extended == NULL) {
        counters->dropped_table_full++;
        return;
    }
    origin->beat_counter = beat.counter;
    for (size_t i = 0; i < f->side_count; i++) {
        if (i != from &&
            push_publication(f->sides[i].engine, action->u.publication.key, body, extended))
            counters->relayed_control++;
    }
    tulle__buf_unref(&extended);
}

void
tulle__forward_on_publication(struct tulle__forward *f,
                              size_t side,
                              struct tulle__view key,
                              struct tulle__buf *body,
                              struct tulle__view path,
                              struct tulle__now now)
{
    f->now = now;
    struct tulle__engine *e = f->sides[side].engine;
    e->now = now;
    struct tulle__view stream;
    if (tulle__key_decode(key.data, key.len, &stream) != TULLE_OK)
        tulle__malformed(e, "key", 0, TULLE_EBADMSG);
    else if (stream.data[0] == '$')
        tulle__engine_on_publication(e, key, body, path, now);
    else
        forward_batch(f, side, stream, body, path);
    after_input(f);
}

/* ---- control ---- */

/* A FETCH that passes is answered here when what it asks for was kept, or refused
 * when its stream may not cross; else it goes on. */
static bool
answer_fetch(struct tulle__forward *f,
             size_t side,
             uint64_t via,
             const struct tulle__control_header *header,
             const struct tulle__buf *body)
{
    struct tulle__fetch fetch;
    if (tulle__fetch_decode(body->data, body->len, &fetch) != TULLE_OK)
        return false; /* counted where it is read */
    struct tulle__engine *e = f->sides[side].engine;
    struct tulle__view batches[TULLE__BATCHES_PER_RANGE_MAX];
    struct tulle__range_out range = {
        .reply_to = header->counter, .node = fetch.node, .stream = fetch.stream, .batches = batches
    };
    struct passing_lane *lane = find_lane(f, fetch.node, fetch.stream);
    if (lane != NULL && lane->kept.len > 0 && !fetch.wants_clock) {
        range.first = tulle__kept_at(&lane->kept, 0)->first;
        range.last = tulle__kept_at(&lane->kept, lane->kept.len - 1)->last;
        range.batch_count = tulle__gather_batches(
            &lane->kept, &fetch, tulle__kept_find(&lane->kept, fetch.first), batches);
    }
    size_t home = find_home(f, header->to);
    bool is_denied = header->to != f->id && home != side && home != SIZE_MAX &&
                     !may_cross(&f->sides[home], fetch.stream);
    if (is_denied)
        e->counters.dropped_policy++;
    if (range.batch_count == 0 && header->to != f->id && !is_denied)
        return false;
    if (is_denied)
        range.batch_count = 0;
    tulle__range_send(e, header, via, &range);
    return true;
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
    bool is_fetch =
        tulle__header_decode(header_frame.data, header_frame.len, &header) == TULLE_OK &&
        header.kind == TULLE__FETCH && tulle__view_is(header.mesh, e->mesh) &&
        (header.hops > 0 || header.from == via);
    if (!is_fetch || !answer_fetch(f, side, via, &header, body))
        tulle__engine_on_control(e, via, header_frame, body, now);
    after_input(f);
}

/* Pass a control message on towards its node: by the nearest side, this one last. */
static void
relay_control(struct tulle__forward *f, size_t from, const struct tulle__action *action)
{
    const struct tulle__buf *frame = action->u.control.header;
    struct tulle__control_header header;
    if (tulle__header_decode(frame->data, frame->len, &header) != TULLE_OK)
        return;
    size_t home = find_home(f, header.to);
    if (home != SIZE_MAX &&
        tulle__control_relay(f->sides[home].engine, &header, action->u.control.body))
        return;
    for (size_t i = 0; i < f->side_count; i++) {
        if (i != home && i != from &&
            tulle__control_relay(f->sides[i].engine, &header, action->u.control.body))
            return;
    }
    f->sides[from].engine->counters.dropped_no_route++;
}

/* ---- the rest is each side's own ---- */

tulle_status
tulle__forward_join(struct tulle__forward *f,
                    size_t side,
                    const char *address,
                    struct tulle__now now)
{
    f->now = now;
    return tulle__engine_join(f->sides[side].engine, address, now);
}

void
tulle__forward_found(struct tulle__forward *f,
                     size_t side,
                     uint64_t id,
                     const char *control_address,
                     struct tulle__now now)
{
    f->now = now;
    tulle__engine_found(f->sides[side].engine, id, control_address, now);
    after_input(f);
}

void
tulle__forward_on_malformed(struct tulle__forward *f, size_t side)
{
    tulle__engine_on_malformed(f->sides[side].engine);
}

void
tulle__forward_on_unsent(struct tulle__forward *f, size_t side)
{
    tulle__engine_on_unsent(f->sides[side].engine);
}

void
tulle__forward_leave(struct tulle__forward *f, struct tulle__now now)
{
    for (size_t i = 0; i < f->side_count; i++)
        tulle__engine_leave(f->sides[i].engine, now);
}

void
tulle__forward_on_timer(struct tulle__forward *f, struct tulle__now now)
{
    f->now = now;
    for (size_t i = 0; i < f->side_count; i++) {
        if (now.mono.ns >= tulle__engine_deadline(f->sides[i].engine).ns)
            tulle__engine_on_timer(f->sides[i].engine, now);
    }
    tulle__store_expire(&f->store, now.mono);
    after_input(f);
}

struct tulle__mono
tulle__forward_deadline(const struct tulle__forward *f)
{
    struct tulle__mono deadline = { TULLE__NEVER_NS };
    for (size_t i = 0; i < f->side_count; i++) {
        struct tulle__mono side = tulle__engine_deadline(f->sides[i].engine);
        if (side.ns < deadline.ns)
            deadline = side;
    }
    return deadline;
}

bool
tulle__forward_next_action(struct tulle__forward *f, size_t *side, struct tulle__action *out)
{
    bool has_relayed = true;
    while (has_relayed) {
        has_relayed = false;
        for (size_t i = 0; i < f->side_count; i++) {
            while (tulle__engine_next_action(f->sides[i].engine, out)) {
                if (out->kind == TULLE__ACTION_RELAY_PUBLICATION)
                    forward_beat(f, i, out);
                else if (out->kind == TULLE__ACTION_RELAY_CONTROL)
                    relay_control(f, i, out);
                if (out->kind != TULLE__ACTION_RELAY_PUBLICATION &&
                    out->kind != TULLE__ACTION_RELAY_CONTROL) {
                    *side = i;
                    return true;
                }
                tulle__action_fini(out);
                has_relayed = true;
            }
        }
    }
    return false;
}

void
tulle__forward_counters(const struct tulle__forward *f, size_t side, tulle_counters *out)
{
    tulle__engine_counters(f->sides[side].engine, out);
    out->retained_now = f->store.bytes;
}
