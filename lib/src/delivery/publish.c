/* SPDX-License-Identifier: MPL-2.0 */
/* Own lanes: events gather in an open batch, which goes out when the driver has
 * nothing more to publish, when it is large, or when the deps of the next event
 * are not those of the batch any more.
 *
 * Deps are a delta (PROTOCOL 4.5): what changed in the own clock since the batch
 * before on the same lane. All events of a batch share them, so a batch closes as
 * soon as anything else was delivered or published here. */

#include "base/alloc.h"
#include "base/panic.h"
#include "delivery/internal.h"

#include <string.h>

/* ---- lanes ---- */

static tulle_status
get_tx(struct tulle__engine *e, struct tulle__view stream, struct tulle__tx **out)
{
    uint32_t lane = tulle__lane_intern(e, e->config.id, stream);
    if (lane == TULLE__LANE_NONE)
        return tulle__lanes_are_full(e) ? TULLE_ELIMIT : TULLE_ENOMEM;
    *out = e->lanes[lane].tx;
    if (*out != NULL)
        return TULLE_OK;
    if (e->own_lane_count == TULLE__LANES_PER_MESSAGE_MAX) {
        e->counters.dropped_table_full++;
        return TULLE_ELIMIT;
    }
    struct tulle__tx *tx = tulle__alloc(sizeof *tx);
    if (tx == NULL)
        return TULLE_ENOMEM;
    tx->lane = lane;
    tx->next_seq = 1;
    tulle__clock_init(&tx->clock);
    tulle__kept_init(&tx->kept);
    tx->kept.is_floor_known = true; /* nothing is before seq 1 */
    tulle__writer_init_in(&tx->events, e->pool);
    tx->next = e->own_lanes;
    e->own_lanes = tx;
    e->own_lane_count++;
    e->lanes[lane].tx = tx;
    tulle__acks_add_lane(e, tx);
    *out = tx;
    return TULLE_OK;
}

void
tulle__tx_free(struct tulle__tx **pointer)
{
    struct tulle__tx *tx = *pointer;
    tulle__clock_fini(&tx->clock);
    tulle__kept_fini(&tx->kept);
    tulle__writer_fini(&tx->events);
    tulle__free(tx->open_deps);
    tulle__free(tx);
    *pointer = NULL;
}

/* ---- deps ---- */

static bool
add_open_dep(struct tulle__engine *e, struct tulle__tx *tx, uint32_t lane, uint64_t count)
{
    if (!tulle__grow(&tx->open_deps, &tx->open_dep_cap, tx->open_dep_count, sizeof *tx->open_deps))
        return false;
    tx->open_deps[tx->open_dep_count++] =
        (struct tulle__dep){ .node = tulle__lane_names_node(e->names, lane),
                             .stream = tulle__lane_names_stream(e->names, lane),
                             .count = count };
    return true;
}

static int
compare_deps(const void *a, const void *b)
{
    const struct tulle__dep *x = a;
    const struct tulle__dep *y = b;
    if (x->stream.data != y->stream.data) { /* interned: one pointer a stream */
        size_t len = x->stream.len < y->stream.len ? x->stream.len : y->stream.len;
        int order = memcmp(x->stream.data, y->stream.data, len);
        if (order != 0)
            return order;
        return x->stream.len < y->stream.len ? -1 : 1;
    }
    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    return 0;
}

/* Entries are grouped by stream to name it once; by its text and not its place in
 * memory, because a receiver waits for what comes first: same inputs, same run. */
static void
sort_deps(struct tulle__tx *tx)
{
    if (tx->open_dep_count > 1)
        qsort(tx->open_deps, tx->open_dep_count, sizeof *tx->open_deps, compare_deps);
}

/* What changed since the last delta on this lane, but for the lane itself. */
static bool
collect_delta(struct tulle__engine *e, struct tulle__tx *tx)
{
    struct tulle__clock_raiser raiser;
    tulle__clock_raiser_init(&raiser, &tx->clock);
    uint32_t lane = TULLE__LANE_NONE;
    bool is_good = true;
    bool skips = e->config.mutation == TULLE__MUTATION_SHORT_DELTAS;
    while (is_good && tulle__own_clock_next(&e->clock, tx->stamp, &lane)) {
        if (lane == tx->lane)
            continue;
        if (skips) {
            skips = false;
            continue;
        }
        uint64_t count = tulle__own_clock_get(&e->clock, lane);
        is_good = add_open_dep(e, tx, lane, count) && tulle__clock_raiser_add(&raiser, lane, count);
    }
    is_good = tulle__clock_raiser_end(&raiser) == 0 && is_good;
    if (is_good)
        tx->stamp = e->clock.stamp;
    return is_good;
}

/* Where the history of a cause's lane is not known here (any more), all that was
 * seen so far stands in for it. */
static bool
merge_everything(const struct tulle__engine *e, struct tulle__clock *past)
{
    struct tulle__clock_raiser raiser;
    tulle__clock_raiser_init(&raiser, past);
    uint32_t lane = TULLE__LANE_NONE;
    bool is_good = true;
    while (is_good && tulle__own_clock_next(&e->clock, 0, &lane))
        is_good = tulle__clock_raiser_add(&raiser, lane, tulle__own_clock_get(&e->clock, lane));
    return tulle__clock_raiser_end(&raiser) == 0 && is_good;
}

/* What a cause depended on. */
static bool
merge_history(const struct tulle__engine *e,
              uint32_t lane,
              uint64_t count,
              struct tulle__clock *past)
{
    const struct tulle__rx *rx = e->lanes[lane].rx;
    if (rx != NULL && rx->next > count && rx->is_clock_known && !rx->has_need)
        return tulle__clock_merge(past, &rx->clock);
    if (e->lanes[lane].tx != NULL)
        return tulle__clock_merge(past, &e->lanes[lane].tx->clock);
    return merge_everything(e, past);
}

/* The lane and count of what was seen elsewhere; NONE: there is nothing to wait for. */
static uint32_t
find_after(struct tulle__engine *e, const struct tulle__dep *after, uint64_t *count)
{
    uint32_t lane = tulle__lane_intern(e, after->node, after->stream);
    *count = after->count;
    if (lane == TULLE__LANE_NONE || after->node != e->config.id)
        return lane; /* none: counted */
    const struct tulle__tx *tx = e->lanes[lane].tx;
    if (tx == NULL || tx->next_seq == 1)
        return TULLE__LANE_NONE;
    *count = *count < tx->next_seq ? *count : tx->next_seq - 1;
    return lane;
}

/* The named causes and the history of their lanes, or what stands for it: complete by itself,
 * and no delta, so the next delta still covers everything (PROTOCOL 4.6). */
static bool
collect_causes(struct tulle__engine *e, struct tulle__tx *tx, const struct tulle__publish *publish)
{
    struct tulle__clock past;
    tulle__clock_init(&past);
    bool is_good = true;
    const struct tulle__attributes_in *attributes = publish->attributes;
    size_t count = attributes == NULL ? 0 : attributes->cause_count;
    for (size_t i = 0; is_good && i < count; i++) {
        const struct tulle__dep *cause = &attributes->causes[i];
        uint32_t lane = tulle__lane_intern(e, cause->node, cause->stream);
        if (lane == TULLE__LANE_NONE)
            continue; /* counted */
        is_good = tulle__clock_raise(&past, lane, cause->count);
        if (is_good && publish->after_count == 0)
            is_good = merge_history(e, lane, cause->count, &past);
    }
    for (size_t i = 0; is_good && i < publish->after_count; i++) {
        uint64_t upto = 0;
        uint32_t lane = find_after(e, &publish->after[i], &upto);
        is_good = lane == TULLE__LANE_NONE || tulle__clock_raise(&past, lane, upto);
    }
    tulle__clock_remove(&past, tx->lane);
    for (size_t i = 0; is_good && i < past.len; i++)
        is_good = add_open_dep(e, tx, past.pairs[i].lane, past.pairs[i].count);
    is_good = is_good && tulle__clock_merge(&tx->clock, &past);
    tulle__clock_fini(&past);
    return is_good;
}

/* ---- batches ---- */

static void
unlink_open(struct tulle__engine *e, struct tulle__tx *tx)
{
    if (tx->open_previous != NULL)
        tx->open_previous->open_next = tx->open_next;
    else
        e->open_head = tx->open_next;
    if (tx->open_next != NULL)
        tx->open_next->open_previous = tx->open_previous;
    else
        e->open_tail = tx->open_previous;
    tx->open_next = tx->open_previous = NULL;
    tx->is_open = false;
}

/* The batch is the action's from here. There is room for the action. */
static void
push_publication(struct tulle__engine *e, const struct tulle__tx *tx, struct tulle__buf *buf)
{
    struct tulle__action *action = tulle__action_push(e, TULLE__ACTION_PUBLISH);
    TULLE_ASSERT(action != NULL);
    struct tulle__view stream = tulle__lane_names_stream(e->names, tx->lane);
    action->u.publication.key = (struct tulle__view){ stream.data, stream.len + 1 };
    action->u.publication.body = buf;
    e->counters.batches_published++;
    e->counters.bytes_published += buf->len;
}

/* The open batch, with its events from a writer. Without memory it stays open. */
static bool
send_batch(struct tulle__engine *e, struct tulle__tx *tx, struct tulle__writer *events)
{
    if (!tulle__actions_reserve(e))
        return false;
    sort_deps(tx);
    struct tulle__batch_head head = { .node = e->config.id,
                                      .first_seq = tx->head + 1,
                                      .base_hlc = tx->open_base,
                                      .event_count = tx->open_count,
                                      .deps = tx->open_deps,
                                      .dep_count = tx->open_dep_count,
                                      .pool = e->pool,
                                      .events_at = TULLE__BATCH_ROOM };
    struct tulle__buf *buf = tulle__batch_encode(&head, events, &e->body);
    if (buf == NULL)
        return false;
    struct tulle__keep keep = { .buf = buf,
                                .first = tx->head + 1,
                                .last = tx->head + tx->open_count,
                                .has_deps = tx->open_dep_count > 0 };
    tx->head += tx->open_count;
    tulle__kept_append(&e->own_store, &tx->kept, &keep, e->now.mono);
    tulle__acks_on_sent(e, tx, buf->len);
    push_publication(e, tx, buf);
    tulle__writer_reset(events);
    tx->open_dep_count = 0;
    tx->open_count = 0;
    unlink_open(e, tx);
    tulle__beat_soon(e);
    return true;
}

static bool
close_batch(struct tulle__engine *e, struct tulle__tx *tx)
{
    if (!send_batch(e, tx, &tx->events))
        return false;
    TULLE_ASSERT(tx->head + 1 == tx->next_seq);
    return true;
}

void
tulle__engine_close_batches(struct tulle__engine *e, struct tulle__now now)
{
    e->now = now;
    while (e->open_head != NULL && close_batch(e, e->open_head)) {
    }
}

static bool
open_batch(struct tulle__engine *e, struct tulle__tx *tx, const struct tulle__publish *publish)
{
    tx->open_dep_count = 0;
    bool is_good = publish->only_causes ? collect_causes(e, tx, publish) : collect_delta(e, tx);
    if (!is_good)
        return false;
    tx->is_open = true;
    tx->is_open_explicit = publish->only_causes;
    tx->open_count = 0;
    tx->open_base = 0;
    tx->open_previous = e->open_tail;
    if (e->open_tail != NULL)
        e->open_tail->open_next = tx;
    else
        e->open_head = tx;
    e->open_tail = tx;
    return true;
}

/* Can the event join the open batch, or must that one go first? */
static bool
fits_batch(const struct tulle__engine *e,
           const struct tulle__tx *tx,
           const struct tulle__publish *publish)
{
    return !publish->only_causes && !tx->is_open_explicit && tx->open_stamp == e->clock.stamp &&
           tx->events.len + publish->payload.len < e->config.batch_bytes &&
           tx->open_count < TULLE__BATCH_EVENTS_MAX;
}

static bool
is_window_full(struct tulle__engine *e, size_t len)
{
    if (e->config.window_bytes == 0)
        return false;
    tulle__acks_refresh(e);
    uint64_t missing = tulle__acks_missing_bytes(e);
    return missing >= e->config.window_bytes ||
           (missing > 0 && missing + len > e->config.window_bytes);
}

/* As they were before. */
static void
undo_open(struct tulle__engine *e, struct tulle__tx *tx, uint64_t stamp_before)
{
    unlink_open(e, tx);
    tx->open_count = 0;
    tx->stamp = stamp_before; /* the delta was not sent */
}

tulle_status
tulle__engine_publish_gathered(struct tulle__engine *e,
                               const struct tulle__gathered *gathered,
                               struct tulle__now now)
{
    static const struct tulle__publish plain = { .only_causes = false };
    e->now = now;
    TULLE_ASSERT(gathered->count > 0 && gathered->count <= TULLE__BATCH_EVENTS_MAX);
    /* All of it is to be within the window, but what waits for nothing. */
    if (is_window_full(e, gathered->events->len))
        return TULLE_EAGAIN;
    struct tulle__tx *tx = NULL;
    tulle_status status = get_tx(e, gathered->stream, &tx);
    if (status != TULLE_OK)
        return status;
    /* What was published before leaves before: these events depend on it. */
    tulle__engine_close_batches(e, now);
    if (e->open_head != NULL)
        return TULLE_ENOMEM;
    uint64_t stamp_before = tx->stamp;
    if (!tulle__lanes_reserve(e, tx->lane) || !open_batch(e, tx, &plain))
        return TULLE_ENOMEM;
    tx->open_base = tulle__hlc_tick(&e->hlc, now.wall);
    tx->open_count = gathered->count;
    if (!send_batch(e, tx, gathered->events)) {
        undo_open(e, tx, stamp_before);
        return TULLE_ENOMEM;
    }
    tx->next_seq += gathered->count;
    TULLE_ASSERT(tx->head + 1 == tx->next_seq);
    if (!tulle__own_clock_raise(&e->clock, tx->lane, tx->head))
        TULLE_ASSERT(false); /* its place was made */
    e->counters.events_published += gathered->count;
    return TULLE_OK;
}

/* What was seen elsewhere counts as seen here. False: no memory; nothing that would be wrong. */
static bool
see_after(struct tulle__engine *e, const struct tulle__publish *publish)
{
    bool is_good = true;
    for (size_t i = 0; is_good && !publish->only_causes && i < publish->after_count; i++) {
        uint64_t count = 0;
        uint32_t lane = find_after(e, &publish->after[i], &count);
        is_good = lane == TULLE__LANE_NONE || tulle__own_clock_raise(&e->clock, lane, count);
    }
    return is_good;
}

tulle_status
tulle__engine_publish(struct tulle__engine *e,
                      const struct tulle__publish *publish,
                      struct tulle__now now)
{
    e->now = now;
    if (publish->payload.len > e->config.event_bytes_max)
        return TULLE_EMSGSIZE;
    if (is_window_full(e, 0))
        return TULLE_EAGAIN;
    size_t stream_len = tulle__stream_len(publish->topic, publish->stream_levels);
    struct tulle__view stream = { publish->topic.data, stream_len };
    struct tulle__tx *tx = NULL;
    tulle_status status = get_tx(e, stream, &tx);
    if (status != TULLE_OK)
        return status;
    if (!see_after(e, publish))
        return TULLE_ENOMEM;
    if (tx->is_open && !fits_batch(e, tx, publish) && !close_batch(e, tx))
        return TULLE_ENOMEM;
    uint64_t stamp_before = tx->stamp;
    if (!tx->is_open && !open_batch(e, tx, publish))
        return TULLE_ENOMEM;
    struct tulle__view rest = tulle__topic_rest(publish->topic, stream_len);
    uint64_t hlc = tulle__hlc_tick(&e->hlc, now.wall);
    if (tx->open_count == 0) {
        tx->open_base = hlc;
        tulle__writer_reset(&tx->events);
        tulle__write_room(&tx->events, TULLE__BATCH_ROOM);
    }
    size_t len_before = tx->events.len;
    uint64_t offset_us = (uint64_t)(tulle__hlc_us(hlc) - tulle__hlc_us(tx->open_base));
    tulle__event_encode(&tx->events, rest, offset_us, publish->payload, publish->attributes);
    if (tx->events.failed || !tulle__own_clock_raise(&e->clock, tx->lane, tx->next_seq)) {
        tx->events.failed = false;
        tx->events.len = len_before;
        if (tx->open_count == 0)
            undo_open(e, tx, stamp_before);
        return TULLE_ENOMEM;
    }
    tx->open_count++;
    tx->next_seq++;
    tx->open_stamp = e->clock.stamp;
    e->counters.events_published++;
    return TULLE_OK;
}
