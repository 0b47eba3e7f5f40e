/* SPDX-License-Identifier: MPL-2.0 */
/* The outbox. What is accepted here must be accepted by every peer's decoder: the
 * checks are those of the codec (PROTOCOL 8). */

#include "node/outbox.h"

#include "base/pool.h"
#include "codec/topic.h"

#include <tulle/topic.h>

#include <string.h>

enum { UNUSED_BYTES = 2 * 1024 * 1024 }; /* in blocks for later */

static bool
is_header_good(const tulle_header *header)
{
    if (header->name == NULL || header->value == NULL)
        return false;
    size_t name_len = strnlen(header->name, TULLE__HEADER_LEN_MAX + 1);
    size_t value_len = strnlen(header->value, TULLE__HEADER_LEN_MAX + 1);
    return name_len > 0 && name_len <= TULLE__HEADER_LEN_MAX &&
           value_len <= TULLE__HEADER_LEN_MAX &&
           tulle__view_is_text(tulle__view_of(header->name)) &&
           tulle__view_is_text(tulle__view_of(header->value));
}

static bool
is_event_good(uint64_t node, const char *stream, uint64_t seq)
{
    return node >= TULLE__NODE_ID_MIN && seq > 0 && seq <= TULLE__SEQ_MAX && stream != NULL &&
           tulle_topic_is_valid(stream);
}

tulle_status
tulle__outgoing_check(const char *topic, const tulle_publish_options *options)
{
    if (topic == NULL || !tulle_topic_is_valid(topic) || options->stream_levels > 8 ||
        options->cause_count > TULLE__CAUSES_MAX || options->header_count > TULLE__HEADERS_MAX ||
        options->after_count > TULLE__LANES_PER_MESSAGE_MAX)
        return TULLE_EINVAL;
    const char *type = options->content_type;
    if (type != NULL &&
        (type[0] == '\0' ||
         strnlen(type, TULLE__CONTENT_TYPE_LEN_MAX + 1) > TULLE__CONTENT_TYPE_LEN_MAX ||
         !tulle__view_is_printable(tulle__view_of(type))))
        return TULLE_EINVAL;
    for (size_t i = 0; i < options->cause_count; i++) {
        const tulle_event_ref *cause = &options->causes[i];
        if (!is_event_good(cause->node, cause->stream, cause->seq))
            return TULLE_EINVAL;
    }
    for (size_t i = 0; i < options->after_count; i++) {
        const tulle_clock_entry *after = &options->after[i];
        if (!is_event_good(after->node, after->stream, after->count))
            return TULLE_EINVAL;
    }
    for (size_t i = 0; i < options->header_count; i++) {
        if (!is_header_good(&options->headers[i]))
            return TULLE_EINVAL;
    }
    return TULLE_OK;
}

static size_t
texts_len(size_t topic_len, const tulle_publish_options *options)
{
    size_t len = topic_len + 1;
    len += options->content_type != NULL ? strlen(options->content_type) + 1 : 0;
    for (size_t i = 0; i < options->cause_count; i++)
        len += strlen(options->causes[i].stream) + 1;
    for (size_t i = 0; i < options->header_count; i++)
        len += strlen(options->headers[i].name) + strlen(options->headers[i].value) + 2;
    for (size_t i = 0; i < options->after_count; i++)
        len += strlen(options->after[i].stream) + 1;
    return len;
}

size_t
tulle__outgoing_bytes(size_t topic_len, size_t payload_len, const tulle_publish_options *options)
{
    enum { FRAMING = 12, ATTRIBUTES = 32, EACH = 24 }; /* more than they take */
    size_t extra = options->cause_count + options->header_count;
    if (extra > 0 || options->content_type != NULL)
        extra = ATTRIBUTES + extra * EACH;
    return FRAMING + extra + texts_len(topic_len, options) + payload_len;
}

static const char *
put_text(uint8_t **at, const char *text)
{
    size_t len = strlen(text) + 1;
    char *copy = (char *)*at;
    memcpy(copy, text, len);
    *at += len;
    return copy;
}

static void
put_attributes(struct tulle__outgoing *o, uint8_t **at, const tulle_publish_options *options)
{
    struct tulle__dep *causes = (struct tulle__dep *)(void *)*at;
    *at += options->cause_count * sizeof *causes;
    struct tulle__dep *after = (struct tulle__dep *)(void *)*at;
    *at += options->after_count * sizeof *after;
    struct tulle__pair *headers = (struct tulle__pair *)(void *)*at;
    *at += options->header_count * sizeof *headers;
    if (options->content_type != NULL)
        o->attributes.content_type = put_text(at, options->content_type);
    for (size_t i = 0; i < options->cause_count; i++) {
        causes[i] =
            (struct tulle__dep){ .node = options->causes[i].node,
                                 .stream = tulle__view_of(put_text(at, options->causes[i].stream)),
                                 .count = options->causes[i].seq };
    }
    for (size_t i = 0; i < options->after_count; i++) {
        after[i] =
            (struct tulle__dep){ .node = options->after[i].node,
                                 .stream = tulle__view_of(put_text(at, options->after[i].stream)),
                                 .count = options->after[i].count };
    }
    o->publish.after = after;
    o->publish.after_count = options->after_count;
    for (size_t i = 0; i < options->header_count; i++) {
        headers[i].name = put_text(at, options->headers[i].name);
        headers[i].value = put_text(at, options->headers[i].value);
    }
    o->attributes.causes = causes;
    o->attributes.cause_count = options->cause_count;
    o->attributes.headers = headers;
    o->attributes.header_count = options->header_count;
    if (options->content_type != NULL || options->cause_count > 0 || options->header_count > 0)
        o->publish.attributes = &o->attributes;
}

struct tulle__outgoing *
tulle__outgoing_new(const char *topic,
                    const void *payload,
                    size_t payload_len,
                    const tulle_publish_options *options,
                    uint32_t stream_levels)
{
    struct tulle__outgoing *o;
    size_t bytes = sizeof *o +
                   (options->cause_count + options->after_count) * sizeof(struct tulle__dep) +
                   options->header_count * sizeof(struct tulle__pair) +
                   texts_len(strlen(topic), options) + payload_len;
    o = tulle__pool_take(NULL, bytes, NULL);
    if (o == NULL)
        return NULL;
    memset(o, 0, sizeof *o);
    o->bytes = bytes;
    uint8_t *at = o->data;
    o->publish.stream_levels = options->stream_levels > 0 ? options->stream_levels : stream_levels;
    o->publish.only_causes = options->only_causes;
    put_attributes(o, &at, options);
    o->publish.topic = tulle__view_of(put_text(&at, topic));
    if (payload_len > 0)
        memcpy(at, payload, payload_len);
    o->publish.payload = (struct tulle__view){ at, payload_len };
    return o;
}

/* ---- gathering ---- */

bool
tulle__outbox_init(struct tulle__outbox *outbox, size_t batch_bytes)
{
    *outbox = (struct tulle__outbox){ .batch_bytes = batch_bytes,
                                      .pool = tulle__pool_open(UNUSED_BYTES) };
    return outbox->pool != NULL;
}

void
tulle__outbox_fini(struct tulle__outbox *outbox)
{
    tulle__outbox_free(tulle__outbox_take(outbox));
    tulle__pool_close(&outbox->pool);
}

static void
view_attributes(const tulle_publish_options *options,
                struct tulle__dep causes[static TULLE__CAUSES_MAX],
                struct tulle__pair headers[static TULLE__HEADERS_MAX],
                struct tulle__attributes_in *out)
{
    for (size_t i = 0; i < options->cause_count; i++) {
        causes[i] = (struct tulle__dep){ .node = options->causes[i].node,
                                         .stream = tulle__view_of(options->causes[i].stream),
                                         .count = options->causes[i].seq };
    }
    for (size_t i = 0; i < options->header_count; i++)
        headers[i] = (struct tulle__pair){ options->headers[i].name, options->headers[i].value };
    *out = (struct tulle__attributes_in){ .content_type = options->content_type,
                                          .causes = causes,
                                          .cause_count = options->cause_count,
                                          .headers = headers,
                                          .header_count = options->header_count };
}

static void
encode(struct tulle__writer *events,
       const struct tulle__publish *publish,
       size_t stream_len,
       const tulle_publish_options *options)
{
    struct tulle__view rest = tulle__topic_rest(publish->topic, stream_len);
    if (options->content_type == NULL && options->cause_count == 0 && options->header_count == 0) {
        tulle__event_encode(events, rest, 0, publish->payload, NULL);
        return;
    }
    struct tulle__dep causes[TULLE__CAUSES_MAX];
    struct tulle__pair headers[TULLE__HEADERS_MAX];
    struct tulle__attributes_in attributes;
    view_attributes(options, causes, headers, &attributes);
    tulle__event_encode(events, rest, 0, publish->payload, &attributes);
}

/* Does the event belong to those gathered last? */
static bool
fits_last(const struct tulle__outbox *outbox,
          const struct tulle__publish *publish,
          size_t stream_len,
          size_t bytes)
{
    const struct tulle__outgoing *last = outbox->tail;
    return last != NULL && last->count > 0 && last->count < TULLE__BATCH_EVENTS_MAX &&
           last->events.len + bytes <= outbox->batch_bytes && last->stream.len == stream_len &&
           memcmp(last->stream.data, publish->topic.data, stream_len) == 0;
}

static struct tulle__outgoing *
begin(struct tulle__outbox *outbox, const struct tulle__publish *publish, size_t stream_len)
{
    struct tulle__outgoing *o = tulle__pool_take(outbox->pool, sizeof *o + stream_len, NULL);
    if (o == NULL)
        return NULL;
    memset(o, 0, sizeof *o);
    tulle__writer_init_in(&o->events, outbox->pool);
    tulle__write_room(&o->events, TULLE__BATCH_ROOM);
    memcpy(o->data, publish->topic.data, stream_len);
    o->stream = (struct tulle__view){ o->data, stream_len };
    return o;
}

bool
tulle__outbox_gather(struct tulle__outbox *outbox,
                     const struct tulle__publish *publish,
                     const tulle_publish_options *options)
{
    size_t stream_len = tulle__stream_len(publish->topic, publish->stream_levels);
    size_t bytes = tulle__outgoing_bytes(publish->topic.len, publish->payload.len, options);
    bool is_new = !fits_last(outbox, publish, stream_len, bytes);
    struct tulle__outgoing *o = is_new ? begin(outbox, publish, stream_len) : outbox->tail;
    if (o == NULL)
        return false;
    size_t len_before = o->events.len;
    encode(&o->events, publish, stream_len, options);
    if (o->events.failed) {
        o->events.failed = false;
        o->events.len = len_before;
        if (is_new)
            tulle__outbox_free(o);
        return false;
    }
    o->count++;
    if (is_new)
        tulle__outbox_push(outbox, o);
    o->bytes += bytes;
    outbox->bytes += bytes;
    return true;
}

/* ---- the list ---- */

void
tulle__outbox_push(struct tulle__outbox *outbox, struct tulle__outgoing *outgoing)
{
    if (outbox->tail != NULL)
        outbox->tail->next = outgoing;
    else
        outbox->head = outgoing;
    outbox->tail = outgoing;
    outbox->bytes += outgoing->bytes;
}

struct tulle__outgoing *
tulle__outbox_take(struct tulle__outbox *outbox)
{
    struct tulle__outgoing *list = outbox->head;
    outbox->head = outbox->tail = NULL;
    return list;
}

void
tulle__outbox_free(struct tulle__outgoing *list)
{
    while (list != NULL) {
        struct tulle__outgoing *next = list->next;
        tulle__writer_fini(&list->events);
        tulle__pool_give(list);
        list = next;
    }
}
