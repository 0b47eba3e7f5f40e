/* SPDX-License-Identifier: MPL-2.0 */
/* What is published passes a proxy: batches, once, where somebody takes them. */

#include "base/alloc.h"
#include "delivery/forward_state.h"

#include <string.h>

enum {
    PASSING_LANES_MAX = 65536,
    UNASKED_MS = 3000 /* who still wants what waits has asked within */
};

/* ---- lanes that pass ---- */

/* from and to: seqs of the lane that wait for a rate, the last one not. */
static void
set_waiting(struct tulle__forward *f, struct tulle__passing *lane, uint64_t from, uint64_t to)
{
    struct tulle__side *side = &f->sides[lane->from];
    side->waiting -= lane->held_back - lane->released;
    lane->released = from;
    lane->held_back = to;
    side->waiting += to - from;
}

static void
queue_lane(struct tulle__forward *f, struct tulle__passing *lane)
{
    if (!lane->is_queued)
        DL_APPEND(f->sides[lane->from].queue, lane);
    lane->is_queued = true;
}

static void
unqueue_lane(struct tulle__forward *f, struct tulle__passing *lane)
{
    if (lane->is_queued)
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it is in the list */
        DL_DELETE(f->sides[lane->from].queue, lane);
    lane->is_queued = false;
}

static void
free_lane(struct tulle__forward *f, struct tulle__passing *lane)
{
    HASH_DEL(f->lanes, lane);
    if (f->recent == lane)
        f->recent = NULL;
    set_waiting(f, lane, 0, 0);
    unqueue_lane(f, lane);
    tulle__kept_fini(&lane->kept);
    tulle__free(lane);
}

static size_t
name_len(size_t stream_len)
{
    return offsetof(struct tulle__passing, name.stream) - offsetof(struct tulle__passing, name) +
           stream_len;
}

static bool
is_of_stream(const struct tulle__passing *lane, struct tulle__view stream)
{
    return lane != NULL && lane->stream_len == stream.len &&
           memcmp(lane->name.stream, stream.data, stream.len) == 0;
}

struct tulle__passing *
tulle__passing_find(const struct tulle__forward *f, uint64_t node, struct tulle__view stream)
{
    struct tulle__passing key;
    key.name.node = node;
    memcpy(key.name.stream, stream.data, stream.len);
    struct tulle__passing *lane = NULL;
    HASH_FIND(hh, f->lanes, &key.name, name_len(stream.len), lane);
    return lane;
}

static struct tulle__passing *
get_lane(struct tulle__forward *f, uint64_t node, struct tulle__view stream)
{
    if (is_of_stream(f->recent, stream) && f->recent->name.node == node)
        return f->recent;
    struct tulle__passing *lane = tulle__passing_find(f, node, stream);
    if (lane != NULL) {
        f->recent = lane;
        return lane;
    }
    if (HASH_COUNT(f->lanes) >= PASSING_LANES_MAX)
        free_lane(f, f->lanes);
    lane = tulle__alloc(sizeof *lane);
    if (lane == NULL)
        return NULL;
    lane->name.node = node;
    memcpy(lane->name.stream, stream.data, stream.len);
    lane->stream_len = stream.len;
    tulle__kept_init(&lane->kept);
    HASH_ADD(hh, f->lanes, name, name_len(stream.len), lane);
    if (tulle__passing_find(f, node, stream) == lane)
        return lane;
    tulle__free(lane); /* no memory for the table */
    return NULL;
}

static bool
is_among(const struct tulle__keys *keys, struct tulle__view stream)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (tulle__key_takes(keys->items[i], stream))
            return true;
    }
    return false;
}

/* Brings is_wanted and is_awaited up to date. */
static void
find_wanted(struct tulle__forward *f, struct tulle__passing *lane, struct tulle__view stream)
{
    if (lane->epoch == f->epoch)
        return;
    lane->epoch = f->epoch;
    for (size_t i = 0; i < f->side_count; i++) {
        lane->is_wanted[i] = is_among(&f->sides[i].wanted, stream);
        lane->is_awaited[i] = is_among(&f->sides[i].awaited, stream);
    }
}

void
tulle__passing_fini(struct tulle__forward *f)
{
    while (f->lanes != NULL)
        free_lane(f, f->lanes);
}

void
tulle__passing_forget(struct tulle__forward *f)
{
    struct tulle__passing *lane;
    struct tulle__passing *next;
    HASH_ITER (hh, f->lanes, lane, next) {
        if (lane->kept.len == 0 && !lane->is_queued && !tulle__forward_knows(f, lane->name.node))
            free_lane(f, lane);
    }
}

/* ---- publications ---- */

tulle_status
tulle__passed_decode(struct tulle__view path, struct tulle__passed *passed)
{
    passed->hops = 0;
    if (path.len == 0)
        return TULLE_OK;
    return tulle__path_decode(path.data, path.len, passed->ids, &passed->hops);
}

struct tulle__buf *
tulle__forward_extend_path(struct tulle__forward *f, const struct tulle__passed *passed)
{
    if (passed->hops >= f->hops_max || passed->hops >= TULLE__PATH_MAX)
        return NULL;
    if (passed->hops == 0 && f->own_path != NULL)
        return tulle__buf_ref(f->own_path);
    struct tulle__passed extended = *passed;
    extended.ids[extended.hops++] = f->id;
    tulle__writer_reset(&f->writer);
    tulle__path_encode(&f->writer, extended.ids, extended.hops);
    struct tulle__buf *path = tulle__writer_take(&f->writer);
    if (passed->hops == 0 && path != NULL)
        f->own_path = tulle__buf_ref(path);
    return path;
}

bool
tulle__forward_push(struct tulle__engine *e,
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

tulle_status
tulle__batch_peek(struct tulle__view batch, uint64_t *node, struct tulle__seen_range *events)
{
    struct tulle__reader r;
    tulle__reader_init(&r, batch.data, batch.len);
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

/* What the frames of a batch say, as far as a proxy looks. */
struct arrival {
    uint64_t node;
    struct tulle__seen_range events;
    struct tulle__passed passed;
};

/* Look at the frames of a batch, and count what is wrong. */
static bool
check_batch(struct tulle__forward *f,
            struct tulle__engine *e,
            const struct tulle__buf *body,
            struct tulle__view path,
            struct arrival *arrival)
{
    const struct tulle__passed *passed = &arrival->passed;
    tulle_status status = tulle__passed_decode(path, &arrival->passed);
    uint64_t via = status == TULLE_OK && passed->hops > 0 ? passed->ids[passed->hops - 1] : 0;
    if (status == TULLE_OK)
        status = tulle__batch_peek((struct tulle__view){ body->data, body->len }, &arrival->node,
                                   &arrival->events);
    if (status != TULLE_OK) {
        tulle__malformed(e, "batch", via, status);
        return false;
    }
    for (uint32_t i = 0; i < passed->hops; i++) {
        if (passed->ids[i] == f->id) {
            e->counters.dropped_loop++;
            return false;
        }
    }
    if (passed->hops >= f->hops_max) {
        e->counters.dropped_hops++;
        return false;
    }
    struct tulle__peer *peer = tulle__peer_get(e, arrival->node);
    if (peer != NULL)
        tulle__peer_heard(e, peer, via, passed->hops, false);
    return true;
}

static void
keep(struct tulle__forward *f,
     struct tulle__passing *lane,
     struct tulle__buf *body,
     struct tulle__seen_range events)
{
    size_t len = lane->kept.len;
    struct tulle__store *store = &f->sides[lane->from].store;
    if (store->bytes_max == 0 ||
        (len > 0 && tulle__kept_at(&lane->kept, len - 1)->last >= events.first))
        return;
    /* A proxy tells no clocks: deps mean nothing to it. */
    struct tulle__keep keep = { .buf = body, .first = events.first, .last = events.last };
    tulle__kept_append(store, &lane->kept, &keep, f->now.mono);
}

/* ---- what waits for a rate ---- */

bool
tulle__passing_waits(struct tulle__forward *f, struct tulle__passing *lane)
{
    bool is_asked = f->now.mono.ns - lane->asked_ns < tulle__ms_to_ns(UNASKED_MS);
    if (lane->released < lane->held_back && !lane->is_queued && !is_asked)
        set_waiting(f, lane, lane->held_back, lane->held_back);
    return lane->released < lane->held_back;
}

void
tulle__passing_release(struct tulle__forward *f, struct tulle__passing *lane, uint64_t next)
{
    if (next > lane->released)
        set_waiting(f, lane, next, next > lane->held_back ? next : lane->held_back);
    if (lane->released == lane->held_back)
        unqueue_lane(f, lane);
}

/* Is it to wait? What is behind something that waits does too, and what would overtake the
 * queue. */
static bool
hold_back(struct tulle__forward *f,
          struct tulle__passing *lane,
          struct tulle__seen_range events,
          size_t len)
{
    struct tulle__side *side = &f->sides[lane->from];
    bool waits = tulle__passing_waits(f, lane);
    if (!tulle__side_is_limited(side) && !waits)
        return false;
    if (!waits && side->queue == NULL && tulle__side_is_open(side, f->now))
        return false;
    if (!waits) {
        lane->asked_ns = f->now.mono.ns;
        set_waiting(f, lane, events.first, events.last + 1);
    } else if (events.last >= lane->held_back) {
        set_waiting(f, lane, lane->released, events.last + 1);
    }
    tulle__side_holds(side, f->now);
    side->engine->counters.limited_events += events.last - events.first + 1;
    side->engine->counters.limited_bytes += len;
    return true;
}

/* ---- batches ---- */

static bool
is_wanted_beyond(const struct tulle__forward *f, const bool *is_wanted, size_t from)
{
    bool is_wanted_there = false;
    for (size_t i = 0; i < f->side_count; i++)
        is_wanted_there = is_wanted_there || (i != from && is_wanted[i]);
    return is_wanted_there;
}

/* To all sides where it is wanted. */
static void
send_batch(struct tulle__forward *f,
           struct tulle__passing *lane,
           struct tulle__buf *body,
           struct tulle__buf *path,
           uint64_t events)
{
    struct tulle__load load = { .batches = 1, .events = events, .bytes = body->len };
    bool is_sent = false;
    /* The key that came is the caller's; the lane's own outlives the action. */
    struct tulle__view key = { (const uint8_t *)lane->name.stream, lane->stream_len + 1 };
    for (size_t i = 0; i < f->side_count; i++) {
        if (i == lane->from || !lane->is_wanted[i] ||
            !tulle__forward_push(f->sides[i].engine, key, body, path))
            continue;
        tulle__forward_count(f, lane->from, i, &load);
        is_sent = true;
    }
    if (is_sent)
        tulle__side_charge(&f->sides[lane->from], &load, f->now);
}

/* The lowest that waits goes on, or is not kept here any more: it will be asked for. */
static void
push_lowest(struct tulle__forward *f, struct tulle__passing *lane, struct tulle__buf *path)
{
    size_t index = tulle__kept_find(&lane->kept, lane->released);
    const struct tulle__kept_batch *batch =
        index < lane->kept.len ? tulle__kept_at(&lane->kept, index) : NULL;
    if (batch == NULL || batch->first > lane->released) {
        unqueue_lane(f, lane);
        lane->asked_ns = f->now.mono.ns;
        return;
    }
    find_wanted(f, lane, tulle__view_of(lane->name.stream));
    send_batch(f, lane, batch->buf, path, batch->last - batch->first + 1);
    lane->pushed_ns = f->now.mono.ns;
    tulle__passing_release(f, lane, batch->last + 1);
}

void
tulle__forward_let_out(struct tulle__forward *f, size_t index)
{
    struct tulle__side *side = &f->sides[index];
    if (side->queue == NULL || !tulle__side_is_open(side, f->now))
        return;
    struct tulle__buf *path = tulle__forward_extend_path(f, &(struct tulle__passed){ .hops = 0 });
    while (path != NULL && side->queue != NULL && tulle__side_is_open(side, f->now)) {
        struct tulle__passing *lane = side->queue;
        DL_DELETE(side->queue, lane);
        DL_APPEND(side->queue, lane);
        push_lowest(f, lane, path);
    }
    tulle__buf_unref(&path);
}

/* The lane of a batch that came; NULL: it goes no further. */
static struct tulle__passing *
let_in(struct tulle__forward *f,
       size_t from,
       struct tulle__view stream,
       uint64_t node,
       struct tulle__seen_range events)
{
    tulle_counters *counters = &f->sides[from].engine->counters;
    struct tulle__passing *lane = get_lane(f, node, stream);
    if (lane == NULL) {
        counters->dropped_table_full++;
        return NULL;
    }
    if (!tulle__seen_add(&lane->seen, events.first, events.last)) {
        counters->relayed_duplicates++;
        return NULL;
    }
    if (lane->from != from) {
        unqueue_lane(f, lane);
        set_waiting(f, lane, 0, 0);
        lane->from = from;
    }
    if (!tulle__side_lets_out(&f->sides[from], stream)) {
        counters->dropped_policy++;
        return NULL;
    }
    find_wanted(f, lane, stream);
    if (!is_wanted_beyond(f, lane->is_wanted, from) &&
        !is_wanted_beyond(f, lane->is_awaited, from)) {
        counters->dropped_unwanted++;
        return NULL;
    }
    return lane;
}

static void
forward_batch(struct tulle__forward *f,
              size_t from,
              struct tulle__view stream,
              struct tulle__buf *body,
              struct tulle__view path)
{
    struct tulle__side *side = &f->sides[from];
    struct arrival arrival;
    if (!check_batch(f, side->engine, body, path, &arrival))
        return;
    uint64_t node = arrival.node;
    struct tulle__seen_range events = arrival.events;
    side->engine->counters.batches_received++;
    side->engine->counters.bytes_received += body->len;
    struct tulle__passing *lane = let_in(f, from, stream, node, events);
    if (lane == NULL)
        return;
    if (!tulle__side_fits(side, (struct tulle__view){ body->data, body->len })) {
        tulle__side_too_large(side, node, stream);
        return;
    }
    if (!is_wanted_beyond(f, lane->is_wanted, from)) { /* they ask for it when they can */
        keep(f, lane, body, events);
        return;
    }
    if (hold_back(f, lane, events, body->len)) {
        keep(f, lane, body, events);
        if (lane->kept.len > 0 && tulle__kept_at(&lane->kept, 0)->first <= lane->released)
            queue_lane(f, lane);
        return;
    }
    struct tulle__buf *extended = tulle__forward_extend_path(f, &arrival.passed);
    if (extended == NULL) {
        side->engine->counters.dropped_table_full++;
        return;
    }
    send_batch(f, lane, body, extended, events.last - events.first + 1);
    keep(f, lane, body, events);
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
    /* Mostly it is the key of the message before, which was good. */
    bool is_recent = key.len > 0 && key.data[key.len - 1] == 0 &&
                     is_of_stream(f->recent, (struct tulle__view){ key.data, key.len - 1 });
    if (is_recent)
        stream = (struct tulle__view){ key.data, key.len - 1 };
    if (!is_recent && tulle__key_decode(key.data, key.len, &stream) != TULLE_OK)
        tulle__malformed(e, "key", 0, TULLE_EBADMSG);
    else if (stream.data[0] == '$')
        tulle__engine_on_publication(e, key, body, path, now);
    else
        forward_batch(f, side, stream, body, path);
    tulle__forward_after_input(f);
}
