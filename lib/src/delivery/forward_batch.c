/* SPDX-License-Identifier: MPL-2.0 */
/* What is published passes a proxy: batches, once, where somebody takes them. */

#include "base/alloc.h"
#include "delivery/forward_state.h"

#include <string.h>

enum {
    PASSING_LANES_MAX = 65536,
    UNASKED_MS = 3000,  /* who still wants what waits has asked within */
    ON_ITS_WAY_MS = 200 /* what went on to all is on its way for so long */
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
    tulle__free(lane->demand);
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
    if (lane == NULL || lane->stream_len != stream.len)
        return false;
    const uint8_t *name = (const uint8_t *)lane->name.stream;
    return name == stream.data || memcmp(name, stream.data, stream.len) == 0;
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
    lane = tulle__alloc(sizeof *lane);
    if (lane == NULL)
        return NULL;
    lane->name.node = node;
    memcpy(lane->name.stream, stream.data, stream.len);
    lane->stream_len = stream.len;
    lane->passage.key =
        (struct tulle__view){ (const uint8_t *)lane->name.stream, lane->stream_len + 1 };
    tulle__kept_init(&lane->kept);
    if (HASH_COUNT(f->lanes) >= PASSING_LANES_MAX)
        free_lane(f, f->lanes); /* maybe the one that stream is the name of */
    HASH_ADD(hh, f->lanes, name, name_len(lane->stream_len), lane);
    if (tulle__passing_find(f, node, tulle__passing_stream(lane)) == lane)
        return lane;
    tulle__free(lane); /* no memory for the table */
    return NULL;
}

struct tulle__passing *
tulle__passing_meet(struct tulle__forward *f, uint64_t node, struct tulle__view stream, size_t from)
{
    struct tulle__passing *lane = tulle__passing_find(f, node, stream);
    if (lane != NULL || HASH_COUNT(f->lanes) >= PASSING_LANES_MAX)
        return lane;
    lane = get_lane(f, node, stream);
    if (lane != NULL)
        lane->from = from;
    return lane;
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

/* Mostly it is known. */
void
tulle__passing_look(struct tulle__forward *f, struct tulle__passing *lane)
{
    if (lane->epoch == f->epoch)
        return;
    lane->epoch = f->epoch;
    struct tulle__passage *passage = &lane->passage;
    struct tulle__view stream = tulle__passing_stream(lane);
    bool is_awaited = false;
    passage->count = 0;
    for (size_t i = 0; i < f->side_count; i++) {
        if (i == lane->from)
            continue;
        if (is_among(&f->sides[i].wanted, stream))
            passage->sides[passage->count++] = (uint8_t)i;
        is_awaited = is_awaited || is_among(&f->sides[i].awaited, stream);
    }
    if (!tulle__side_lets_out(&f->sides[lane->from], stream))
        lane->outlook = TULLE__OUTLOOK_DENIED;
    else if (passage->count > 0)
        lane->outlook = TULLE__OUTLOOK_PASSES;
    else
        lane->outlook = is_awaited ? TULLE__OUTLOOK_AWAITED : TULLE__OUTLOOK_UNWANTED;
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
    if (passed->hops == 0 && f->no_way.extended != NULL)
        return tulle__buf_ref(f->no_way.extended);
    struct tulle__passed extended = *passed;
    extended.ids[extended.hops++] = f->id;
    tulle__writer_reset(&f->writer);
    tulle__path_encode(&f->writer, extended.ids, extended.hops);
    struct tulle__buf *path = tulle__writer_take(&f->writer);
    if (passed->hops == 0 && path != NULL)
        f->no_way.extended = tulle__buf_ref(path);
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
    /* Deps; mostly there are none. */
    if (r.left > 0 && r.data[0] == 0x90)
        (void)tulle__read_array(&r, 0);
    else
        (void)tulle__read_clock(&r);
    (void)tulle__read_uint(&r); /* base time */
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
    const struct tulle__way *way;
    bool is_news; /* that the publisher lives, by this way */
};

/* A way that may be gone on, looked up or else made; NULL: it may not, or there is no memory. */
static const struct tulle__way *
find_way(struct tulle__forward *f, tulle_counters *counters, const struct tulle__passed *passed)
{
    for (uint32_t i = 0; i < passed->hops; i++) {
        if (passed->ids[i] == f->id) {
            counters->dropped_loop++;
            return NULL;
        }
    }
    if (passed->hops >= f->hops_max) {
        counters->dropped_hops++;
        return NULL;
    }
    struct tulle__buf *extended = tulle__forward_extend_path(f, passed);
    if (extended == NULL) {
        counters->dropped_table_full++;
        return NULL;
    }
    struct tulle__way *way = passed->hops == 0 ? &f->no_way : &f->way;
    tulle__buf_unref(&way->extended);
    *way = (struct tulle__way){ .passed = *passed, .extended = extended };
    return way;
}

/* The way that the path tells, mostly the one before. */
static bool
read_way(struct tulle__forward *f,
         struct tulle__engine *e,
         struct tulle__view path,
         const struct tulle__way **out)
{
    struct tulle__passed passed;
    struct tulle__way *recent = path.len == 0 ? &f->no_way : &f->way;
    *out = recent;
    if (recent->extended != NULL && recent->len == path.len &&
        (path.len == 0 || memcmp(recent->frame, path.data, path.len) == 0))
        return true;
    if (tulle__passed_decode(path, &passed) != TULLE_OK) {
        tulle__malformed(e, "path", 0, TULLE_EBADMSG);
        return false;
    }
    *out = find_way(f, &e->counters, &passed);
    if (*out == &f->way && path.len <= sizeof f->way.frame) {
        memcpy(f->way.frame, path.data, path.len);
        f->way.len = path.len;
    }
    return *out != NULL;
}

/* The neighbour that it came from; 0: its publisher. */
static uint64_t
via_of(const struct tulle__way *way)
{
    return way->passed.hops > 0 ? way->passed.ids[way->passed.hops - 1] : 0;
}

/* Whoever published it lives. False: nothing new, at this moment. */
static bool
note_heard(struct tulle__forward *f, struct tulle__engine *e, const struct arrival *arrival)
{
    struct tulle__heard heard = { .by = e,
                                  .node = arrival->node,
                                  .via = via_of(arrival->way),
                                  .hops = arrival->way->passed.hops,
                                  .at_ns = f->now.mono.ns };
    if (f->heard.by == e && f->heard.node == heard.node && f->heard.via == heard.via &&
        f->heard.hops == heard.hops && f->heard.at_ns == heard.at_ns)
        return false;
    f->heard = heard;
    struct tulle__peer *peer = tulle__peer_get(e, heard.node);
    if (peer != NULL)
        tulle__peer_heard(e, peer, heard.via, heard.hops, false);
    return true;
}

/* Look at the frames of a batch, and count what is wrong. */
static bool
check_batch(struct tulle__forward *f,
            struct tulle__engine *e,
            const struct tulle__buf *body,
            struct tulle__view path,
            struct arrival *arrival)
{
    if (!read_way(f, e, path, &arrival->way))
        return false;
    tulle_status status = tulle__batch_peek((struct tulle__view){ body->data, body->len },
                                            &arrival->node, &arrival->events);
    if (status != TULLE_OK) {
        tulle__malformed(e, "batch", via_of(arrival->way), status);
        return false;
    }
    arrival->is_news = note_heard(f, e, arrival);
    return true;
}

static void
keep(struct tulle__forward *f,
     struct tulle__passing *lane,
     struct tulle__buf *body,
     struct tulle__seen_range events)
{
    struct tulle__store *store = &f->sides[lane->from].store;
    if (store->bytes_max == 0 ||
        (lane->kept.len > 0 && tulle__kept_last(&lane->kept) >= events.first))
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
    bool is_limited = tulle__side_is_limited(side);
    if (!is_limited && lane->released == lane->held_back)
        return false;
    bool waits = tulle__passing_waits(f, lane);
    if (!is_limited && !waits)
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

/* It goes to all sides where it is wanted. */
static void
count_passage(struct tulle__forward *f, const struct tulle__passing *lane, struct tulle__load load)
{
    const struct tulle__passage *passage = &lane->passage;
    for (size_t i = 0; i < passage->count; i++)
        tulle__forward_count(f, lane->from, passage->sides[i], &load);
    if (passage->count > 0)
        tulle__side_charge(&f->sides[lane->from], &load, f->now);
}

void
tulle__passage_push(struct tulle__forward *f,
                    const struct tulle__passage *passage,
                    struct tulle__buf *body,
                    struct tulle__buf *path)
{
    for (size_t i = 0; i < passage->count; i++)
        (void)tulle__forward_push(f->sides[passage->sides[i]].engine, passage->key, body, path);
}

/* A reference to its bytes, or to a copy of them; NULL: no memory. */
static struct tulle__buf *
buf_of(const struct tulle__kept_batch *batch)
{
    return batch->buf != NULL ? tulle__buf_ref(batch->buf)
                              : tulle__buf_copy(batch->bytes.data, batch->bytes.len);
}

static bool
is_just_now(const struct tulle__forward *f, int64_t at_ns)
{
    return at_ns != 0 && f->now.mono.ns - at_ns < tulle__ms_to_ns(ON_ITS_WAY_MS);
}

static void
note_pushed(const struct tulle__forward *f, struct tulle__passing *lane, uint64_t first)
{
    struct tulle__pushed *pushed = &lane->pushed;
    if (!is_just_now(f, pushed->since_ns)) {
        pushed->before = is_just_now(f, pushed->last_ns) ? pushed->first : first;
        pushed->first = first;
        pushed->since_ns = f->now.mono.ns;
    }
    pushed->last_ns = f->now.mono.ns;
}

bool
tulle__passing_is_on_its_way(const struct tulle__forward *f,
                             const struct tulle__passing *lane,
                             uint64_t seq)
{
    return is_just_now(f, lane->pushed.last_ns) && seq >= lane->pushed.before;
}

/* May what has waited go on? The policy may be another one now. */
static bool
may_go_on(struct tulle__forward *f,
          struct tulle__passing *lane,
          const struct tulle__kept_batch *batch)
{
    struct tulle__side *side = &f->sides[lane->from];
    tulle__passing_look(f, lane);
    if (lane->outlook == TULLE__OUTLOOK_DENIED) {
        side->engine->counters.dropped_policy++;
        return false;
    }
    if (!tulle__side_fits(side, batch->bytes)) {
        tulle__side_too_large(side, lane->name.node, tulle__passing_stream(lane));
        return false;
    }
    return true;
}

/* The lowest that waits goes on, or is not kept here any more: it will be asked for. */
static void
push_lowest(struct tulle__forward *f, struct tulle__passing *lane, struct tulle__buf *path)
{
    struct tulle__kept_batch batch;
    bool is_kept =
        tulle__kept_find(&lane->kept, lane->released, &batch) && batch.first <= lane->released;
    struct tulle__buf *body = is_kept ? buf_of(&batch) : NULL;
    if (body == NULL) {
        unqueue_lane(f, lane);
        lane->asked_ns = f->now.mono.ns;
        return;
    }
    if (may_go_on(f, lane, &batch)) {
        tulle__passage_push(f, &lane->passage, body, path);
        count_passage(f, lane,
                      (struct tulle__load){ .batches = 1,
                                            .events = batch.last - batch.first + 1,
                                            .bytes = batch.bytes.len });
        note_pushed(f, lane, batch.first);
    }
    tulle__buf_unref(&body);
    tulle__passing_release(f, lane, batch.last + 1);
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
    if (!tulle__seen_add_next(&lane->seen, events.first, events.last)) {
        counters->relayed_duplicates++;
        return NULL;
    }
    if (lane->from != from) {
        unqueue_lane(f, lane);
        set_waiting(f, lane, 0, 0);
        lane->from = from;
        lane->epoch = 0;
    }
    tulle__passing_look(f, lane);
    if (lane->outlook == TULLE__OUTLOOK_PASSES || lane->outlook == TULLE__OUTLOOK_AWAITED)
        return lane;
    if (lane->outlook == TULLE__OUTLOOK_DENIED)
        counters->dropped_policy++;
    else
        counters->dropped_unwanted++;
    return NULL;
}

static struct tulle__passage *
pass_batch(struct tulle__forward *f,
           size_t from,
           struct tulle__view stream,
           struct tulle__buf *body,
           struct tulle__view path)
{
    struct tulle__side *side = &f->sides[from];
    struct arrival arrival;
    if (!check_batch(f, side->engine, body, path, &arrival))
        return NULL;
    struct tulle__seen_range events = arrival.events;
    side->engine->counters.batches_received++;
    side->engine->counters.bytes_received += body->len;
    struct tulle__passing *lane = let_in(f, from, stream, arrival.node, events);
    if (lane == NULL)
        return NULL;
    if (side->event_bytes_max != 0 &&
        !tulle__side_fits(side, (struct tulle__view){ body->data, body->len })) {
        tulle__side_too_large(side, arrival.node, tulle__passing_stream(lane));
        return NULL;
    }
    if (lane->outlook == TULLE__OUTLOOK_AWAITED) { /* they ask for it when they can */
        keep(f, lane, body, events);
        return NULL;
    }
    if (hold_back(f, lane, events, body->len)) {
        keep(f, lane, body, events);
        if (lane->kept.len > 0 && tulle__kept_first(&lane->kept) <= lane->released)
            queue_lane(f, lane);
        return NULL;
    }
    count_passage(f, lane,
                  (struct tulle__load){
                      .batches = 1, .events = events.last - events.first + 1, .bytes = body->len });
    keep(f, lane, body, events);
    lane->passage.path = arrival.way->extended;
    lane->passage.is_all = !arrival.is_news && f->now.mono.ns < f->rebuild_due_ns;
    return &lane->passage;
}

const struct tulle__passage *
tulle__forward_pass(struct tulle__forward *f,
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
    struct tulle__passage *passage = NULL;
    /* Mostly it is the key of the message before, which was good. */
    bool is_recent = key.len > 0 && key.data[key.len - 1] == 0 &&
                     is_of_stream(f->recent, (struct tulle__view){ key.data, key.len - 1 });
    if (is_recent)
        stream = (struct tulle__view){ (const uint8_t *)f->recent->name.stream, key.len - 1 };
    if (!is_recent && tulle__key_decode(key.data, key.len, &stream) != TULLE_OK)
        tulle__malformed(e, "key", 0, TULLE_EBADMSG);
    else if (stream.data[0] == '$')
        tulle__engine_on_publication(e, key, body, path, now);
    else
        passage = pass_batch(f, side, stream, body, path);
    if (passage == NULL || !passage->is_all)
        tulle__forward_after_input(f);
    return passage;
}

void
tulle__forward_on_publication(struct tulle__forward *f,
                              size_t side,
                              struct tulle__view key,
                              struct tulle__buf *body,
                              struct tulle__view path,
                              struct tulle__now now)
{
    const struct tulle__passage *passage = tulle__forward_pass(f, side, key, body, path, now);
    if (passage != NULL)
        tulle__passage_push(f, passage, body, passage->path);
}
