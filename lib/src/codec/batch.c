/* SPDX-License-Identifier: MPL-2.0 */

/* Key, batch and path frames. Decoding is one pass that checks everything, so
 * that a batch is taken whole or not at all; the walk afterwards only follows
 * lengths that are known to be good. It is the hot path of a receiver: what is
 * common (short topics of printable ASCII, payloads below 256 bytes) stays in
 * inline code. */

#include "codec/batch.h"

#include "base/buf.h"
#include "codec/limits.h"
#include "codec/parts.h"
#include "codec/topic.h"

#include <string.h>

/* Elements of a batch array. */
enum { BATCH_ELEMENTS = 6 };
/* What an event's rest may have at most: a stream has a byte and a "/" follows it. */
enum { REST_LEN_MAX = TULLE__TOPIC_LEN_MAX - 2 };

/* May it stand below a stream? Empty: the topic is the stream itself. */
static bool
rest_is_valid(struct tulle__view rest)
{
    uint8_t topic[TULLE__TOPIC_LEN_MAX] = { 'x', '/' };

    if (rest.len == 0 || tulle__levels_are_plain(rest))
        return true;
    /* Whatever is special about a topic's first level does not hold here. */
    memcpy(topic + 2, rest.data, rest.len);
    return tulle__topic_is_valid((struct tulle__view){ .data = topic, .len = rest.len + 2 });
}

/* Clocks */

struct tulle__clock_view
tulle__read_clock(struct tulle__reader *r)
{
    struct tulle__clock_view clock = { .count = 0 };
    uint32_t elements = tulle__read_array(r, 2 * TULLE__CLOCK_ENTRIES_MAX);
    const uint8_t *start = r->data;
    size_t left = r->left;

    if (elements % 2 != 0)
        tulle__reader_fail(r);
    for (uint32_t i = 0; i < elements / 2 && !r->failed; i++) {
        struct tulle__view stream = tulle__read_str(r, TULLE__TOPIC_LEN_MAX);
        uint32_t numbers = tulle__read_array(r, 2 * TULLE__CLOCK_ENTRIES_MAX);
        if (numbers == 0 || numbers % 2 != 0 || !tulle__topic_is_valid(stream) ||
            numbers / 2 > TULLE__CLOCK_ENTRIES_MAX - clock.count) {
            tulle__reader_fail(r);
            break;
        }
        for (uint32_t j = 0; j < numbers / 2; j++) {
            uint64_t node = tulle__read_uint(r);
            uint64_t count = tulle__read_uint(r);
            if (node < TULLE__NODE_ID_MIN || count == 0 || count > TULLE__SEQ_MAX) {
                tulle__reader_fail(r);
                break;
            }
        }
        clock.count += numbers / 2;
    }
    if (r->failed)
        return (struct tulle__clock_view){ .count = 0 };
    tulle__reader_init(&clock.reader, start, left - r->left);
    clock.streams_left = elements / 2;
    return clock;
}

bool
tulle__clock_view_next(struct tulle__clock_view *clock, struct tulle__dep *out)
{
    if (clock->pairs_left == 0) {
        if (clock->streams_left == 0)
            return false;
        clock->streams_left--;
        clock->stream = tulle__read_str(&clock->reader, TULLE__TOPIC_LEN_MAX);
        clock->pairs_left = tulle__read_array(&clock->reader, 2 * TULLE__CLOCK_ENTRIES_MAX) / 2;
    }
    clock->pairs_left--;
    out->stream = clock->stream;
    out->node = tulle__read_uint(&clock->reader);
    out->count = tulle__read_uint(&clock->reader);
    return true;
}

/* Entries from the first one on that have its stream. */
static size_t
run_len(const struct tulle__dep *deps, size_t count)
{
    size_t len = 1;

    while (len < count && tulle__view_equal(deps[0].stream, deps[len].stream))
        len++;
    return len;
}

void
tulle__write_clock(struct tulle__writer *w, const struct tulle__dep *deps, size_t count)
{
    uint32_t runs = 0;

    for (size_t i = 0; i < count; i += run_len(deps + i, count - i))
        runs++;
    tulle__write_array(w, 2 * runs);
    for (size_t i = 0; i < count;) {
        size_t len = run_len(deps + i, count - i);
        tulle__write_str(w, deps[i].stream.data, deps[i].stream.len);
        tulle__write_array(w, (uint32_t)(2 * len));
        for (size_t end = i + len; i < end; i++) {
            tulle__write_uint(w, deps[i].node);
            tulle__write_uint(w, deps[i].count);
        }
    }
}

/* Key */

tulle_status
tulle__key_decode(const void *data, size_t len, struct tulle__view *stream)
{
    struct tulle__view name = { .data = data, .len = len - 1 };

    *stream = (struct tulle__view){ .data = NULL };
    if (len < 2 || len > TULLE__KEY_LEN_MAX || name.data[len - 1] != 0)
        return TULLE_EBADMSG;

    struct tulle__view topic = name;
    if (name.data[0] == '$') {
        topic.data++;
        topic.len--;
    }
    if (!tulle__topic_is_valid(topic))
        return TULLE_EBADMSG;
    *stream = name;
    return TULLE_OK;
}

/* Batch */

/* Step over one event and check it. */
static inline bool
check_event(struct tulle__reader *r, struct tulle__batch *batch, struct tulle__view *last)
{
    uint32_t elements = tulle__read_array(r, 4);
    if (elements < 3)
        return false;

    struct tulle__view rest = tulle__read_str(r, REST_LEN_MAX);
    uint64_t offset_us = tulle__read_uint(r);
    (void)tulle__read_bin(r, TULLE__BATCH_LEN_MAX);
    if (r->failed || offset_us > (UINT64_MAX - batch->base_hlc) >> 12)
        return false;
    if (!tulle__view_is_same(rest, *last)) { /* mostly it is that of the event before */
        if (!rest_is_valid(rest))
            return false;
        if (rest.len > batch->rest_len_max)
            batch->rest_len_max = rest.len;
        *last = rest;
    }
    if (elements == 4) {
        struct tulle__attributes attributes;
        tulle__read_attributes(r, &attributes);
    }
    return !r->failed;
}

tulle_status
tulle__batch_decode(const void *data, size_t len, struct tulle__batch *out)
{
    struct tulle__reader r;
    struct tulle__batch batch = { .node = 0 };

    *out = batch;
    tulle__message_init(&r, data, len, TULLE__BATCH_LEN_MAX);
    tulle_status status = tulle__read_version(&r, BATCH_ELEMENTS);
    if (status != TULLE_OK)
        return status;

    batch.node = tulle__read_uint(&r);
    batch.first_seq = tulle__read_uint(&r);
    batch.deps = tulle__read_clock(&r);
    batch.base_hlc = tulle__read_uint(&r);
    batch.event_count = tulle__read_array(&r, TULLE__BATCH_EVENTS_MAX);
    if (r.failed || batch.node < TULLE__NODE_ID_MIN || batch.first_seq == 0 ||
        batch.event_count == 0 || batch.first_seq > TULLE__SEQ_MAX - (batch.event_count - 1))
        return TULLE_EBADMSG;

    batch.events = r;
    struct tulle__view last = { .data = NULL };
    for (uint32_t i = 0; i < batch.event_count; i++) {
        if (!check_event(&r, &batch, &last))
            return TULLE_EBADMSG;
    }
    if (!tulle__reader_is_done(&r))
        return TULLE_EBADMSG;
    *out = batch;
    return TULLE_OK;
}

struct tulle__clock_view
tulle__batch_deps(const void *data, size_t len)
{
    struct tulle__reader r;

    tulle__reader_init(&r, data, len);
    (void)tulle__read_array(&r, BATCH_ELEMENTS);
    for (int i = 0; i < 3; i++) /* version, node, first seq */
        (void)tulle__read_uint(&r);
    return tulle__read_clock(&r);
}

bool
tulle__batch_fits(const struct tulle__batch *batch, struct tulle__view stream)
{
    if (batch->rest_len_max == 0)
        return stream.len <= TULLE__TOPIC_LEN_MAX;
    return stream.len + 1 + batch->rest_len_max <= TULLE__TOPIC_LEN_MAX;
}

void
tulle__batch_walk(const struct tulle__batch *batch, struct tulle__event_walk *walk)
{
    walk->reader = batch->events;
    walk->left = batch->event_count;
    walk->seq = batch->first_seq;
    walk->base_hlc = batch->base_hlc;
}

/* Step over a map that has been checked; kept out of the common path. */
static struct tulle__view
skip_attributes(struct tulle__reader *r)
{
    struct tulle__view view = { .data = r->data };
    struct tulle__attributes attributes;

    tulle__read_attributes(r, &attributes);
    view.len = (size_t)(r->data - view.data);
    return view;
}

bool
tulle__batch_next(struct tulle__event_walk *walk, struct tulle__event_view *out)
{
    struct tulle__reader r = walk->reader;

    if (walk->left == 0)
        return false;
    walk->left--;
    uint32_t elements = tulle__read_array(&r, 4);
    out->seq = walk->seq++;
    out->rest = tulle__read_str(&r, REST_LEN_MAX);
    out->hlc = walk->base_hlc + (tulle__read_uint(&r) << 12);
    out->payload = tulle__read_bin(&r, TULLE__BATCH_LEN_MAX);
    if (elements == 4)
        out->attributes = skip_attributes(&r);
    else
        out->attributes = (struct tulle__view){ .data = NULL };
    walk->reader = r;
    return true;
}

/* Short batches are better off in a block of their size. */
enum { WHOLE_BLOCK_MIN = 4096 };

static bool
can_become_frame(const struct tulle__batch_head *head,
                 const struct tulle__writer *events,
                 size_t head_len)
{
    size_t len = head_len + events->len - head->events_at;
    return events->pool != NULL && len >= WHOLE_BLOCK_MIN && len >= events->cap / 4 * 3 &&
           head->events_at >= head_len && head->events_at - head_len >= sizeof(struct tulle__buf);
}

struct tulle__buf *
tulle__batch_encode(const struct tulle__batch_head *head,
                    struct tulle__writer *events,
                    struct tulle__writer *scratch)
{
    tulle__writer_reset(scratch);
    if (events->failed)
        return NULL;
    tulle__write_array(scratch, BATCH_ELEMENTS);
    tulle__write_uint(scratch, TULLE__WIRE_VERSION);
    tulle__write_uint(scratch, head->node);
    tulle__write_uint(scratch, head->first_seq);
    tulle__write_clock(scratch, head->deps, head->dep_count);
    tulle__write_uint(scratch, head->base_hlc);
    tulle__write_array(scratch, head->event_count);
    if (scratch->failed)
        return NULL;

    size_t at = head->events_at;
    if (can_become_frame(head, events, scratch->len)) {
        memcpy(events->data + at - scratch->len, scratch->data, scratch->len);
        struct tulle__buf *buf =
            tulle__buf_in_block(events->data, at - scratch->len, events->len - at + scratch->len);
        tulle__writer_init_in(events, events->pool);
        return buf;
    }
    /* The events go straight into the buffer: they can be large. */
    uint8_t *bytes = NULL;
    struct tulle__buf *buf = tulle__buf_new_in(head->pool, scratch->len + events->len - at, &bytes);
    if (buf == NULL)
        return NULL;
    memcpy(bytes, scratch->data, scratch->len);
    if (events->len > at)
        memcpy(bytes + scratch->len, events->data + at, events->len - at);
    return buf;
}

/* Path */

tulle_status
tulle__path_decode(const void *data, size_t len, uint64_t ids[], uint32_t *count)
{
    struct tulle__reader r;

    *count = 0;
    tulle__reader_init(&r, data, len);
    uint32_t found = tulle__read_array(&r, TULLE__PATH_MAX);
    for (uint32_t i = 0; i < found; i++) {
        ids[i] = tulle__read_uint(&r);
        if (ids[i] < TULLE__NODE_ID_MIN)
            return TULLE_EBADMSG;
    }
    if (!tulle__reader_is_done(&r))
        return TULLE_EBADMSG;
    *count = found;
    return TULLE_OK;
}

void
tulle__path_encode(struct tulle__writer *w, const uint64_t ids[], uint32_t count)
{
    tulle__write_array(w, count);
    for (uint32_t i = 0; i < count; i++)
        tulle__write_uint(w, ids[i]);
}
