/* SPDX-License-Identifier: MPL-2.0 */
/* What is published passes a proxy: batches, once, where somebody takes them. */

#include "base/alloc.h"
#include "delivery/forward_state.h"

#include <string.h>

enum { PASSING_LANES_MAX = 65536 };

/* ---- lanes that pass ---- */

static void
free_lane(struct tulle__forward *f, struct tulle__passing *lane)
{
    HASH_DEL(f->lanes, lane);
    tulle__kept_fini(&f->store, &lane->kept);
    tulle__free(lane);
}

struct tulle__passing *
tulle__passing_find(const struct tulle__forward *f, uint64_t node, struct tulle__view stream)
{
    struct tulle__passing key;
    memset(&key.name, 0, sizeof key.name);
    key.name.node = node;
    memcpy(key.name.stream, stream.data, stream.len);
    struct tulle__passing *lane = NULL;
    HASH_FIND(hh, f->lanes, &key.name, sizeof key.name, lane);
    return lane;
}

static struct tulle__passing *
get_lane(struct tulle__forward *f, uint64_t node, struct tulle__view stream)
{
    struct tulle__passing *lane = tulle__passing_find(f, node, stream);
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
    if (tulle__passing_find(f, node, stream) == lane)
        return lane;
    tulle__free(lane); /* no memory for the table */
    return NULL;
}

static const bool *
find_wanted(struct tulle__forward *f, struct tulle__passing *lane, struct tulle__view stream)
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

void
tulle__passing_fini(struct tulle__forward *f)
{
    while (f->lanes != NULL)
        free_lane(f, f->lanes);
}

/* ---- publications ---- */

struct tulle__buf *
tulle__forward_extend_path(struct tulle__forward *f, struct tulle__view path)
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
     struct tulle__passing *lane,
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
    struct tulle__passing *lane = get_lane(f, node, stream);
    if (lane == NULL) {
        e->counters.dropped_table_full++;
        return;
    }
    if (!tulle__seen_add(&lane->seen, events.first, events.last)) {
        e->counters.relayed_duplicates++;
        return;
    }
    if (!tulle__side_lets_out(&f->sides[from], stream)) {
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
            extended = tulle__forward_extend_path(f, path);
        /* The key that came is the caller's; the lane's own outlives the action. */
        struct tulle__view key = { (const uint8_t *)lane->name.stream, stream.len + 1 };
        if (extended == NULL || !tulle__forward_push(f->sides[i].engine, key, body, extended))
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
    tulle__forward_after_input(f);
}
