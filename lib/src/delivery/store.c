/* SPDX-License-Identifier: MPL-2.0 */
/* Retention in memory. Two orders over the same batches: a ring per lane, by
 * sequence number, for answering fetches; and a list over all lanes, by time,
 * for eviction. The batches are the shared network messages themselves. */

#include "delivery/store.h"

#include "base/alloc.h"
#include "base/panic.h"
#include "base/pool.h"
#include "clock/wire.h"
#include "codec/batch.h"

#include <string.h>

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

const struct tulle__kept_batch *
tulle__kept_at(const struct tulle__kept *kept, size_t i)
{
    TULLE_ASSERT(i < kept->len);
    return kept->ring[(kept->head + i) & (kept->cap - 1)];
}

static void
unlink_batch(struct tulle__kept_batch *batch)
{
    struct tulle__store *store = batch->store;
    if (batch->older != NULL)
        batch->older->newer = batch->newer;
    else
        store->oldest = batch->newer;
    if (batch->newer != NULL)
        batch->newer->older = batch->older;
    else
        store->newest = batch->older;
    store->bytes -= batch->buf->len;
}

/* Merge the deps of a batch into a clock; false when some found no place. */
static bool
merge_deps(struct tulle__lane_names *names,
           const struct tulle__buf *buf,
           struct tulle__clock *clock)
{
    struct tulle__clock_view deps = tulle__batch_deps(buf->data, buf->len);
    return tulle__clock_merge_wire(clock, names, deps) == 0;
}

static void
move_floor(struct tulle__store *store, struct tulle__kept *kept, const struct tulle__buf *buf)
{
    if (kept->is_floor_known && !merge_deps(store->names, buf, &kept->floor)) {
        kept->is_floor_known = false;
        tulle__clock_clear(&kept->floor);
    }
}

static void
drop_batch(struct tulle__kept_batch *batch)
{
    struct tulle__buf *buf = batch->buf;
    unlink_batch(batch);
    if (!batch->is_inside)
        tulle__pool_give_own(batch);
    tulle__buf_unref(&buf);
}

/* The lane's lowest batch goes; its floor moves past it. */
static void
evict_lowest(struct tulle__kept *kept)
{
    struct tulle__kept_batch *batch = kept->ring[kept->head];
    if (batch->has_deps)
        move_floor(batch->store, kept, batch->buf);
    kept->head = (kept->head + 1) & (kept->cap - 1);
    kept->len--;
    drop_batch(batch);
}

/* The oldest batch of the store is the lowest of its lane there: both orders are by
 * time of appending. Of other stores the lane may have lower ones. */
static void
evict_oldest(struct tulle__store *store)
{
    const struct tulle__kept_batch *oldest = store->oldest;
    TULLE_ASSERT(oldest != NULL);
    struct tulle__kept *kept = oldest->lane;
    while (tulle__kept_at(kept, 0) != oldest)
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
        drop_batch(kept->ring[(kept->head + i) & (kept->cap - 1)]);
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
    struct tulle__kept_batch **ring = tulle__alloc(cap * sizeof *ring);
    if (ring == NULL)
        return false;
    for (size_t i = 0; i < kept->len; i++)
        ring[i] = kept->ring[(kept->head + i) & (kept->cap - 1)];
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
    move_floor(store, kept, buf);
}

/* A note with a reference to the buffer; or one block of the note and a copy. */
static struct tulle__kept_batch *
new_batch(struct tulle__store *store, struct tulle__buf *buf)
{
    struct tulle__kept_batch *batch = NULL;
    if (!buf->is_part) {
        batch = tulle__pool_take(store->pool, sizeof *batch, NULL);
        if (batch != NULL)
            *batch = (struct tulle__kept_batch){ .buf = tulle__buf_ref(buf) };
        return batch;
    }
    uint8_t *bytes;
    struct tulle__buf *copy = tulle__buf_new_in(store->pool, sizeof *batch + buf->len, &bytes);
    if (copy == NULL)
        return NULL;
    memcpy(bytes + sizeof *batch, buf->data, buf->len);
    copy->data = bytes + sizeof *batch;
    copy->len = buf->len;
    batch = (struct tulle__kept_batch *)(void *)bytes;
    *batch = (struct tulle__kept_batch){ .buf = copy, .is_inside = true };
    return batch;
}

void
tulle__kept_append(struct tulle__store *store,
                   struct tulle__kept *kept,
                   const struct tulle__keep *keep,
                   struct tulle__mono now)
{
    TULLE_ASSERT(keep->first <= keep->last);
    TULLE_ASSERT(kept->len == 0 || tulle__kept_at(kept, kept->len - 1)->last < keep->first);
    struct tulle__buf *buf = keep->buf;
    kept->bytes_total += buf->len;
    struct tulle__kept_batch *batch = NULL;
    if (buf->len <= store->bytes_max && grow_ring(kept))
        batch = new_batch(store, buf);
    if (batch == NULL) {
        skip_batch(store, kept, buf);
        return;
    }
    batch->lane = kept;
    batch->store = store;
    batch->has_deps = keep->has_deps;
    batch->first = keep->first;
    batch->last = keep->last;
    batch->end_bytes = kept->bytes_total;
    batch->at_ns = now.ns;
    batch->older = store->newest;
    if (store->newest != NULL)
        store->newest->newer = batch;
    else
        store->oldest = batch;
    store->newest = batch;
    store->bytes += buf->len;
    kept->ring[(kept->head + kept->len) & (kept->cap - 1)] = batch;
    kept->len++;
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

size_t
tulle__kept_find(const struct tulle__kept *kept, uint64_t seq)
{
    size_t low = 0;
    size_t high = kept->len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tulle__kept_at(kept, middle)->last < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint64_t
tulle__kept_bytes_after(const struct tulle__kept *kept, uint64_t seq)
{
    size_t i = tulle__kept_find(kept, seq + 1);
    if (i == kept->len)
        return 0;
    const struct tulle__kept_batch *batch = tulle__kept_at(kept, i);
    return kept->bytes_total - (batch->end_bytes - batch->buf->len);
}

bool
tulle__kept_clock_before(const struct tulle__store *store,
                         const struct tulle__kept *kept,
                         size_t i,
                         struct tulle__clock *out)
{
    tulle__clock_clear(out);
    if (!kept->is_floor_known || !tulle__clock_merge(out, &kept->floor))
        return false;
    for (size_t k = 0; k < i; k++) {
        if (!merge_deps(store->names, tulle__kept_at(kept, k)->buf, out))
            return false;
    }
    return true;
}
