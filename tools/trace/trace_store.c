/* SPDX-License-Identifier: MPL-2.0 */

/* Small things are kept in blocks that are freed at once; arrays double. Both are counted. */

#include "tools/trace/trace_store.h"

#include "app/json.h"
#include "tools/trace/trace_clock.h"

#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_LEN = 256 * 1024,
    PAYLOAD_KEPT = 4096, /* of JSON */
    BUCKETS_MIN = 64
};

struct tulle__trace_block {
    struct tulle__trace_block *next;
    size_t len, cap;
    _Alignas(max_align_t) unsigned char bytes[];
};

static void *
fail(struct tulle__trace_store *store)
{
    store->has_failed = true;
    return NULL;
}

void *
tulle__trace_keep(struct tulle__trace_store *store, const void *bytes, size_t len)
{
    size_t taken = (len + 15) / 16 * 16 + (len == 0 ? 16 : 0);
    struct tulle__trace_block *block = store->blocks;
    if (block == NULL || block->cap - block->len < taken) {
        size_t cap = taken > BLOCK_LEN ? taken : BLOCK_LEN;
        block = malloc(sizeof *block + cap);
        if (block == NULL)
            return fail(store);
        *block = (struct tulle__trace_block){ .next = store->blocks, .cap = cap };
        store->blocks = block;
        store->bytes += sizeof *block + cap;
    }
    void *at = block->bytes + block->len;
    block->len += taken;
    if (len > 0)
        memcpy(at, bytes, len);
    return at;
}

bool
tulle__trace_grow(
    struct tulle__trace_store *store, void *array, size_t *cap, size_t count, size_t size)
{
    void *old = NULL;
    if (count < *cap)
        return true;
    size_t more = *cap < 4 ? 4 : *cap * 2;
    memcpy(&old, array, sizeof old);
    void *bigger = more > SIZE_MAX / 2 / size ? NULL : realloc(old, more * size);
    if (bigger == NULL) {
        store->has_failed = true;
        return false;
    }
    memcpy(array, &bigger, sizeof bigger);
    store->bytes += (more - *cap) * size;
    *cap = more;
    return true;
}

static const char *
keep_text(struct tulle__trace_store *store, const char *text)
{
    return tulle__trace_keep(store, text, strlen(text) + 1);
}

/* FNV-1a, then the node's id, which is random already. */
static size_t
bucket_of(const struct tulle__trace_store *store, uint64_t node, const char *stream)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *at = stream; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
    hash = (hash ^ node) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(hash >> 20) & (store->bucket_count - 1);
}

static bool
rehash(struct tulle__trace_store *store)
{
    if (store->lane_count < store->bucket_count)
        return true;
    size_t count = store->bucket_count == 0 ? BUCKETS_MIN : store->bucket_count * 2;
    uint32_t *buckets = malloc(count * sizeof *buckets);
    if (buckets == NULL) {
        store->has_failed = true;
        return false;
    }
    store->bytes += (count - store->bucket_count) * sizeof *buckets;
    free(store->buckets);
    store->buckets = buckets;
    store->bucket_count = count;
    memset(buckets, 0xff, count * sizeof *buckets);
    for (size_t i = 0; i < store->lane_count; i++) {
        size_t at = bucket_of(store, store->lanes[i].node, store->lanes[i].stream);
        store->lanes[i].next = buckets[at];
        buckets[at] = (uint32_t)i;
    }
    return true;
}

uint32_t
tulle__trace_lane_of(struct tulle__trace_store *store, uint64_t node, const char *stream)
{
    if (!rehash(store))
        return TULLE__TRACE_NONE;
    uint32_t *bucket = &store->buckets[bucket_of(store, node, stream)];
    for (uint32_t i = *bucket; i != TULLE__TRACE_NONE; i = store->lanes[i].next) {
        if (store->lanes[i].node == node && strcmp(store->lanes[i].stream, stream) == 0)
            return i;
    }
    const char *kept = keep_text(store, stream);
    if (kept == NULL || store->lane_count >= TULLE__TRACE_NONE ||
        !tulle__trace_grow(store, &store->lanes, &store->lane_cap, store->lane_count,
                           sizeof *store->lanes))
        return TULLE__TRACE_NONE;
    uint32_t lane = (uint32_t)store->lane_count++;
    store->lanes[lane] =
        (struct tulle__trace_lane){ .node = node, .name = "", .stream = kept, .next = *bucket };
    *bucket = lane;
    return lane;
}

static void
learn_name(struct tulle__trace_store *store, uint32_t lane, const char *name)
{
    if (name[0] == '\0' || strcmp(store->lanes[lane].name, name) == 0)
        return;
    const char *kept = keep_text(store, name);
    if (kept != NULL)
        store->lanes[lane].name = kept;
}

void
tulle__trace_learn(struct tulle__trace_store *store, uint64_t node, const char *name)
{
    for (size_t i = 0; i < store->lane_count; i++) {
        if (store->lanes[i].node == node && store->lanes[i].name[0] == '\0')
            learn_name(store, (uint32_t)i, name);
    }
}

/* Where in the lane seq is, or would be. */
static size_t
slot_of(const struct tulle__trace_lane *lane, uint64_t seq)
{
    size_t low = 0;
    size_t high = lane->slot_count;
    if (high > 0 && lane->slots[high - 1].seq < seq)
        return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (lane->slots[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t
tulle__trace_find(const struct tulle__trace_store *store, struct tulle__trace_ref ref)
{
    const struct tulle__trace_lane *lane = &store->lanes[ref.lane];
    size_t at = slot_of(lane, ref.seq);
    if (at == lane->slot_count || lane->slots[at].seq != ref.seq)
        return TULLE__TRACE_NONE;
    return lane->slots[at].event;
}

const struct tulle__trace_gap *
tulle__trace_gap_at(const struct tulle__trace_store *store, struct tulle__trace_ref ref)
{
    const struct tulle__trace_lane *lane = &store->lanes[ref.lane];
    for (size_t i = 0; i < lane->gap_count; i++) {
        if (lane->gaps[i].first <= ref.seq && ref.seq <= lane->gaps[i].last)
            return &lane->gaps[i];
    }
    return NULL;
}

/* A JSON value that is too long becomes a string with its beginning. */
static void
cut_payload(struct tulle__text *json)
{
    struct tulle__text cut = { 0 };
    size_t len = PAYLOAD_KEPT;
    while (len > 0 && ((unsigned char)json->bytes[len] & 0xc0) == 0x80)
        len--;
    tulle__text_put(&cut, json->bytes, len);
    tulle__text_str(&cut, "\xe2\x80\xa6");
    tulle__text_clear(json);
    tulle__json_put_str(json, cut.bytes, cut.len);
    json->has_failed = json->has_failed || cut.has_failed;
    tulle__text_free(&cut);
}

static bool
keep_payload(struct tulle__trace_store *store,
             const tulle_event *event,
             struct tulle__trace_event *out)
{
    struct tulle__text text = { 0 };
    out->encoding = tulle__payload_value_put(event, &text);
    if (!text.has_failed && text.len > PAYLOAD_KEPT) {
        cut_payload(&text);
        out->encoding = NULL;
    }
    if (!text.has_failed)
        out->payload = tulle__trace_keep(store, text.bytes, text.len);
    out->payload_len = (uint32_t)text.len;
    tulle__text_free(&text);
    return out->payload != NULL;
}

static bool
keep_causes(struct tulle__trace_store *store,
            const tulle_event *event,
            struct tulle__trace_event *out)
{
    struct tulle__trace_ref causes[64];
    size_t count = 0;
    for (size_t i = 0; i < event->cause_count && count < 64; i++) {
        const tulle_event_ref *cause = &event->causes[i];
        uint32_t lane = tulle__trace_lane_of(store, cause->node, cause->stream);
        if (lane == TULLE__TRACE_NONE)
            return false;
        causes[count++] = (struct tulle__trace_ref){ lane, cause->seq };
    }
    out->causes = tulle__trace_keep(store, causes, count * sizeof *causes);
    out->cause_count = (uint32_t)count;
    return out->causes != NULL;
}

static bool
insert_slot(struct tulle__trace_store *store, uint32_t index, size_t at, uint64_t seq)
{
    struct tulle__trace_lane *lane = &store->lanes[index];
    if (!tulle__trace_grow(store, &lane->slots, &lane->slot_cap, lane->slot_count,
                           sizeof *lane->slots))
        return false;
    memmove(lane->slots + at + 1, lane->slots + at, (lane->slot_count - at) * sizeof *lane->slots);
    lane->slots[at] = (struct tulle__trace_slot){ seq, (uint32_t)store->event_count };
    lane->slot_count++;
    return true;
}

static struct tulle__trace_event *
add_event(struct tulle__trace_store *store, const tulle_event *event)
{
    uint32_t lane = tulle__trace_lane_of(store, event->node, event->stream);
    if (lane == TULLE__TRACE_NONE)
        return NULL;
    learn_name(store, lane, event->node_name);
    size_t at = slot_of(&store->lanes[lane], event->seq);
    if (at < store->lanes[lane].slot_count && store->lanes[lane].slots[at].seq == event->seq)
        return NULL;
    struct tulle__trace_event new = {
        .seq = event->seq, .hlc = event->hlc, .time_us = event->time_us, .lane = lane
    };
    new.topic = keep_text(store, event->topic);
    if (new.topic == NULL || !keep_payload(store, event, &new) || !keep_causes(store, event, &new))
        return fail(store);
    if (store->has_potential && !tulle__trace_clock_take(store, event, &new))
        return fail(store);
    if (!tulle__trace_grow(store, &store->events, &store->event_cap, store->event_count,
                           sizeof *store->events) ||
        !insert_slot(store, lane, at, event->seq))
        return NULL;
    store->events[store->event_count] = new;
    return &store->events[store->event_count++];
}

static void
add_gap(struct tulle__trace_store *store, const tulle_gap *gap)
{
    uint32_t index = tulle__trace_lane_of(store, gap->node, gap->stream);
    if (index == TULLE__TRACE_NONE)
        return;
    learn_name(store, index, gap->node_name);
    struct tulle__trace_lane *lane = &store->lanes[index];
    if (tulle__trace_grow(store, &lane->gaps, &lane->gap_cap, lane->gap_count, sizeof *lane->gaps))
        lane->gaps[lane->gap_count++] =
            (struct tulle__trace_gap){ gap->first, gap->last, gap->reason };
}

struct tulle__trace_event *
tulle__trace_add(struct tulle__trace_store *store, const tulle_message *message)
{
    if (store->event_count >= store->events_max || store->event_count >= TULLE__TRACE_NONE ||
        store->bytes >= store->bytes_max)
        store->is_full = true;
    if (store->is_full || store->has_failed)
        return NULL;
    if (message->kind == TULLE_MESSAGE_EVENT)
        return add_event(store, &message->u.event);
    if (message->kind == TULLE_MESSAGE_GAP)
        add_gap(store, &message->u.gap);
    return NULL;
}

static void
free_lane(struct tulle__trace_lane *lane)
{
    for (size_t i = 0; i < lane->clock_count; i++)
        free(lane->clock[i].steps);
    free(lane->clock);
    free(lane->slots);
    free(lane->gaps);
}

void
tulle__trace_store_fini(struct tulle__trace_store *store)
{
    for (size_t i = 0; i < store->lane_count; i++)
        free_lane(&store->lanes[i]);
    free(store->lanes);
    free(store->events);
    free(store->buckets);
    while (store->blocks != NULL) {
        struct tulle__trace_block *block = store->blocks;
        store->blocks = block->next;
        free(block);
    }
    *store = (struct tulle__trace_store){ 0 };
}
