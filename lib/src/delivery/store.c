/* SPDX-License-Identifier: MPL-2.0 */
/* Retention in memory. Two orders over the same runs: a ring per lane, by
 * sequence number, for answering fetches; and a list over all lanes, by time,
 * for eviction. A run is one batch, mostly the network message itself, shared; or, of a proxy,
 * which would keep much more with each small one, copies of consecutive ones, one behind
 * the other: so they cost little more than their bytes, and are let go of together. */

#include "delivery/store.h"

#include "base/alloc.h"
#include "base/panic.h"
#include "base/pool.h"
#include "clock/wire.h"
#include "codec/batch.h"

#include <string.h>

enum {
    RUN_BYTES_MAX = 8192,
    RUN_MS_MAX = 100,
    RUNS_MIN = 16 /* of which a full store, and its age, are made at least */
};

/* Before the bytes of each batch in a run of copies. */
struct mark {
    uint32_t len;
    uint32_t events;
};

/* Consecutive batches of a lane. */
struct tulle__kept_run {
    struct tulle__kept *lane;
    struct tulle__store *store; /* whose bounds it is under */
    struct tulle__buf *buf;     /* the only batch; NULL: there are copies behind this */
    uint64_t first;
    uint64_t last;
    uint64_t begin_bytes, end_bytes; /* bytes of the lane before this and with it, since ever */
    int64_t at_ns;                   /* of the first */
    struct tulle__kept_run *older;   /* within the whole store */
    struct tulle__kept_run *newer;
    uint32_t used, room; /* of copies */
    bool has_deps;
    uint8_t copies[];
};

void
tulle__store_init(struct tulle__store *store,
                  struct tulle__lane_names *names,
                  uint64_t bytes_max,
                  uint64_t age_ms_max)
{
    *store = (struct tulle__store){ .names = names,
                                    .bytes_max = bytes_max,
                                    .age_ns_max = tulle__ms_to_ns((int64_t)age_ms_max) };
}

void
tulle__kept_init(struct tulle__kept *kept)
{
    *kept = (struct tulle__kept){ 0 };
    tulle__clock_init(&kept->floor);
}

static struct tulle__kept_run *
run_at(const struct tulle__kept *kept, size_t i)
{
    TULLE_ASSERT(i < kept->len);
    return kept->ring[(kept->head + i) & (kept->cap - 1)];
}

static uint64_t
bytes_of(const struct tulle__kept_run *run)
{
    return run->end_bytes - run->begin_bytes;
}

/* ---- batches of a run ---- */

/* The batch of a run at a place of it; first is its first event. */
static void
show_batch(const struct tulle__kept_run *run, uint64_t first, struct tulle__kept_batch *batch)
{
    batch->first = first;
    batch->buf = run->buf;
    if (run->buf != NULL) {
        batch->bytes = (struct tulle__view){ run->buf->data, run->buf->len };
        batch->last = run->last;
        return;
    }
    struct mark mark;
    memcpy(&mark, run->copies + batch->at, sizeof mark);
    batch->bytes = (struct tulle__view){ run->copies + batch->at + sizeof mark, mark.len };
    batch->last = first + mark.events - 1;
}

static bool
show_first(const struct tulle__kept *kept, size_t run, struct tulle__kept_batch *batch)
{
    if (run >= kept->len)
        return false;
    batch->run = run;
    batch->at = 0;
    show_batch(run_at(kept, run), run_at(kept, run)->first, batch);
    return true;
}

bool
tulle__kept_next(const struct tulle__kept *kept, struct tulle__kept_batch *batch)
{
    const struct tulle__kept_run *run = run_at(kept, batch->run);
    if (batch->last == run->last)
        return show_first(kept, batch->run + 1, batch);
    batch->at += sizeof(struct mark) + batch->bytes.len;
    show_batch(run, batch->last + 1, batch);
    return true;
}

bool
tulle__kept_find(const struct tulle__kept *kept, uint64_t seq, struct tulle__kept_batch *batch)
{
    size_t low = 0;
    size_t high = kept->len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (run_at(kept, middle)->last < seq)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_there = show_first(kept, low, batch);
    while (is_there && batch->last < seq)
        is_there = tulle__kept_next(kept, batch);
    return is_there;
}

uint64_t
tulle__kept_first(const struct tulle__kept *kept)
{
    return run_at(kept, 0)->first;
}

uint64_t
tulle__kept_last(const struct tulle__kept *kept)
{
    return run_at(kept, kept->len - 1)->last;
}

/* ---- what goes ---- */

static void
unlink_run(struct tulle__kept_run *run)
{
    struct tulle__store *store = run->store;
    if (run->older != NULL)
        run->older->newer = run->newer;
    else
        store->oldest = run->newer;
    if (run->newer != NULL)
        run->newer->older = run->older;
    else
        store->newest = run->older;
    store->bytes -= bytes_of(run);
}

/* Merge the deps of a batch into a clock; false when some found no place. */
static bool
merge_deps(struct tulle__lane_names *names, struct tulle__view batch, struct tulle__clock *clock)
{
    struct tulle__clock_view deps = tulle__batch_deps(batch.data, batch.len);
    return tulle__clock_merge_wire(clock, names, deps) == 0;
}

static void
move_floor(struct tulle__store *store, struct tulle__kept *kept, struct tulle__view batch)
{
    if (kept->is_floor_known && !merge_deps(store->names, batch, &kept->floor)) {
        kept->is_floor_known = false;
        tulle__clock_clear(&kept->floor);
    }
}

static void
drop_run(struct tulle__kept_run *run)
{
    unlink_run(run);
    tulle__buf_unref(&run->buf);
    tulle__pool_give_own(run);
}

/* The lane's lowest run goes; its floor moves past it. */
static void
evict_lowest(struct tulle__kept *kept)
{
    struct tulle__kept_run *run = kept->ring[kept->head];
    struct tulle__kept_batch batch;
    for (bool is_there = run->has_deps && show_first(kept, 0, &batch); is_there && batch.run == 0;
         is_there = tulle__kept_next(kept, &batch))
        move_floor(run->store, kept, batch.bytes);
    kept->head = (kept->head + 1) & (kept->cap - 1);
    kept->len--;
    drop_run(run);
}

/* The oldest run of the store is the lowest of its lane there: both orders are by
 * time of appending. Of other stores the lane may have lower ones. */
static void
evict_oldest(struct tulle__store *store)
{
    const struct tulle__kept_run *oldest = store->oldest;
    TULLE_ASSERT(oldest != NULL);
    struct tulle__kept *kept = oldest->lane;
    while (run_at(kept, 0) != oldest)
        evict_lowest(kept);
    evict_lowest(kept);
}

void
tulle__store_bound(struct tulle__store *store,
                   uint64_t bytes_max,
                   uint64_t age_ms_max,
                   struct tulle__mono now)
{
    store->bytes_max = bytes_max;
    store->age_ns_max = tulle__ms_to_ns((int64_t)age_ms_max);
    while (store->bytes > store->bytes_max)
        evict_oldest(store);
    tulle__store_expire(store, now);
}

void
tulle__kept_fini(struct tulle__kept *kept)
{
    for (size_t i = 0; i < kept->len; i++)
        drop_run(run_at(kept, i));
    tulle__free(kept->ring);
    tulle__clock_fini(&kept->floor);
    tulle__kept_init(kept);
}

static bool
grow_ring(struct tulle__kept *kept)
{
    if (kept->len < kept->cap)
        return true;
    size_t cap = kept->cap == 0 ? 8 : kept->cap * 2;
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what is wanted */
    struct tulle__kept_run **ring = tulle__alloc(cap * sizeof *ring);
    if (ring == NULL)
        return false;
    for (size_t i = 0; i < kept->len; i++)
        ring[i] = run_at(kept, i);
    tulle__free(kept->ring);
    kept->ring = ring;
    kept->cap = cap;
    kept->head = 0;
    return true;
}

/* Everything of the lane goes, so that a floor past the batch makes sense. */
static void
skip_batch(struct tulle__store *store, struct tulle__kept *kept, const struct tulle__buf *buf)
{
    while (kept->len > 0)
        evict_lowest(kept);
    move_floor(store, kept, (struct tulle__view){ buf->data, buf->len });
}

/* ---- what comes ---- */

static size_t
copy_len(const struct tulle__keep *keep)
{
    return sizeof(struct mark) + keep->buf->len;
}

/* Is this soon enough behind what a run began with to be in it too? A run goes as a whole, when
 * the first of it is too old. */
static bool
is_soon(const struct tulle__kept_run *run, struct tulle__mono now)
{
    int64_t most_ns = tulle__ms_to_ns(RUN_MS_MAX);
    int64_t part_ns = run->store->age_ns_max / RUNS_MIN;
    return now.ns - run->at_ns <= (part_ns < most_ns ? part_ns : most_ns);
}

/* The lane's last run, if the batch follows it soon. */
static struct tulle__kept_run *
run_before(const struct tulle__store *store,
           const struct tulle__kept *kept,
           const struct tulle__keep *keep,
           struct tulle__mono now)
{
    struct tulle__kept_run *run = kept->len > 0 ? run_at(kept, kept->len - 1) : NULL;
    bool follows = run != NULL && run->buf == NULL && run->store == store &&
                   run->last + 1 == keep->first && is_soon(run, now);
    return follows ? run : NULL;
}

static void
add_copy(struct tulle__kept_run *run, const struct tulle__keep *keep)
{
    struct mark mark = { .len = (uint32_t)keep->buf->len,
                         .events = (uint32_t)(keep->last - keep->first + 1) };
    memcpy(run->copies + run->used, &mark, sizeof mark);
    memcpy(run->copies + run->used + sizeof mark, keep->buf->data, mark.len);
    run->used += (uint32_t)copy_len(keep);
    run->has_deps = run->has_deps || keep->has_deps;
    run->last = keep->last;
    run->end_bytes = run->lane->bytes_total;
    run->store->bytes += mark.len;
}

/* Each run of a burst has twice the room of the one before. */
static size_t
room_behind(const struct tulle__store *store, const struct tulle__kept_run *before, size_t least)
{
    size_t most = store->bytes_max / RUNS_MIN < RUN_BYTES_MAX ? (size_t)store->bytes_max / RUNS_MIN
                                                              : RUN_BYTES_MAX;
    size_t room = before != NULL ? (size_t)2 * before->room : 0;
    room = room < most ? room : most;
    return room > least ? room : least;
}

/* A run for the batch, not in the list nor counted yet; NULL: no memory. */
static struct tulle__kept_run *
new_run(struct tulle__store *store,
        struct tulle__kept *kept,
        const struct tulle__keep *keep,
        size_t room,
        struct tulle__mono now)
{
    struct tulle__kept_run *run = tulle__pool_take(store->pool, sizeof *run + room, NULL);
    if (run != NULL)
        *run = (struct tulle__kept_run){ .lane = kept,
                                         .store = store,
                                         .first = keep->first,
                                         .begin_bytes = kept->bytes_total - keep->buf->len,
                                         .at_ns = now.ns,
                                         .older = store->newest,
                                         .room = (uint32_t)room };
    return run;
}

static void
fill_run(struct tulle__kept_run *run, const struct tulle__keep *keep)
{
    if (keep->buf->is_part) {
        add_copy(run, keep);
        return;
    }
    run->buf = tulle__buf_ref(keep->buf);
    run->has_deps = keep->has_deps;
    run->last = keep->last;
    run->end_bytes = run->lane->bytes_total;
    run->store->bytes += keep->buf->len;
}

static void
append_run(struct tulle__kept *kept, struct tulle__kept_run *run)
{
    struct tulle__store *store = run->store;
    if (store->newest != NULL)
        store->newest->newer = run;
    else
        store->oldest = run;
    store->newest = run;
    kept->ring[(kept->head + kept->len) & (kept->cap - 1)] = run;
    kept->len++;
}

void
tulle__kept_append(struct tulle__store *store,
                   struct tulle__kept *kept,
                   const struct tulle__keep *keep,
                   struct tulle__mono now)
{
    TULLE_ASSERT(keep->first <= keep->last);
    TULLE_ASSERT(kept->len == 0 || tulle__kept_last(kept) < keep->first);
    bool is_copied = keep->buf->is_part;
    struct tulle__kept_run *before = is_copied ? run_before(store, kept, keep, now) : NULL;
    kept->bytes_total += keep->buf->len;
    if (before != NULL && before->room - before->used >= copy_len(keep)) {
        add_copy(before, keep);
    } else {
        struct tulle__kept_run *run = NULL;
        size_t room = is_copied ? room_behind(store, before, copy_len(keep)) : 0;
        if (keep->buf->len <= store->bytes_max && grow_ring(kept))
            run = new_run(store, kept, keep, room, now);
        if (run == NULL) {
            skip_batch(store, kept, keep->buf);
            return;
        }
        fill_run(run, keep);
        append_run(kept, run);
    }
    while (store->bytes > store->bytes_max)
        evict_oldest(store);
    tulle__store_expire(store, now);
}

void
tulle__store_expire(struct tulle__store *store, struct tulle__mono now)
{
    while (store->oldest != NULL && now.ns - store->oldest->at_ns > store->age_ns_max)
        evict_oldest(store);
}

/* ---- what is told ---- */

uint64_t
tulle__kept_bytes_after(const struct tulle__kept *kept, uint64_t seq)
{
    struct tulle__kept_batch batch;
    if (!tulle__kept_find(kept, seq + 1, &batch))
        return 0;
    /* Of what is below it in its run as many are counted as are not marks. */
    const struct tulle__kept_run *run = run_at(kept, batch.run);
    uint64_t before = run->begin_bytes;
    struct tulle__kept_batch below;
    for (bool is_there = show_first(kept, batch.run, &below); is_there && below.at < batch.at;
         is_there = tulle__kept_next(kept, &below))
        before += below.bytes.len;
    return kept->bytes_total - before;
}

bool
tulle__kept_clock_before(const struct tulle__store *store,
                         const struct tulle__kept *kept,
                         const struct tulle__kept_batch *batch,
                         struct tulle__clock *out)
{
    tulle__clock_clear(out);
    if (!kept->is_floor_known || !tulle__clock_merge(out, &kept->floor))
        return false;
    struct tulle__kept_batch below;
    for (bool is_there = show_first(kept, 0, &below); is_there && below.first < batch->first;
         is_there = tulle__kept_next(kept, &below)) {
        if (!merge_deps(store->names, below.bytes, out))
            return false;
    }
    return true;
}
