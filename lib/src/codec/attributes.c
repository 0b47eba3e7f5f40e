/* SPDX-License-Identifier: MPL-2.0 */

/* Attributes of an event: the optional fourth element, a map. What is not known
 * here stays in the event's bytes, so it passes through whoever forwards or
 * keeps the batch. */

#include "codec/batch.h"
#include "codec/limits.h"
#include "codec/parts.h"
#include "codec/topic.h"

#include <string.h>

#define KNOWN                                                                      \
    (TULLE__KEY_BIT(TULLE__KEY_CONTENT_TYPE) | TULLE__KEY_BIT(TULLE__KEY_CAUSES) | \
     TULLE__KEY_BIT('h'))

/* [node, stream, seq] */
static bool
read_cause(struct tulle__reader *r, struct tulle__dep *out)
{
    if (tulle__read_array(r, 3) != 3)
        return false;
    out->node = tulle__read_uint(r);
    out->stream = tulle__read_str(r, TULLE__TOPIC_LEN_MAX);
    out->count = tulle__read_uint(r);
    return !r->failed;
}

static void
read_causes(struct tulle__reader *r, struct tulle__attributes *out)
{
    out->cause_count = tulle__read_array(r, TULLE__CAUSES_MAX);
    tulle__reader_init(&out->causes, r->data, r->left);
    for (uint32_t i = 0; i < out->cause_count; i++) {
        struct tulle__dep cause;
        if (!read_cause(r, &cause) || cause.node < TULLE__NODE_ID_MIN || cause.count == 0 ||
            cause.count > TULLE__SEQ_MAX || !tulle__topic_is_valid(cause.stream)) {
            tulle__reader_fail(r);
            return;
        }
    }
    out->causes.left -= r->left;
}

static void
read_headers(struct tulle__reader *r, struct tulle__attributes *out)
{
    out->header_count = tulle__read_map(r, TULLE__HEADERS_MAX);
    tulle__reader_init(&out->headers, r->data, r->left);
    for (uint32_t i = 0; i < out->header_count; i++) {
        struct tulle__view name = tulle__read_str(r, TULLE__HEADER_LEN_MAX);
        struct tulle__view value = tulle__read_str(r, TULLE__HEADER_LEN_MAX);
        if (name.len == 0 || !tulle__view_is_text(name) || !tulle__view_is_text(value)) {
            tulle__reader_fail(r);
            return;
        }
    }
    out->headers.left -= r->left;
}

void
tulle__read_attributes(struct tulle__reader *r, struct tulle__attributes *out)
{
    struct tulle__body body;
    int key = 0;

    *out = (struct tulle__attributes){ .cause_count = 0 };
    tulle__body_init(&body, r, KNOWN);
    while (tulle__body_next(&body, &key)) {
        switch (key) {
        case TULLE__KEY_CONTENT_TYPE:
            out->content_type = tulle__read_str(r, TULLE__CONTENT_TYPE_LEN_MAX);
            if (!tulle__view_is_printable(out->content_type))
                tulle__reader_fail(r);
            break;
        case TULLE__KEY_CAUSES:
            read_causes(r, out);
            break;
        default:
            read_headers(r, out);
            break;
        }
    }
}

void
tulle__attributes_decode(struct tulle__view attributes, struct tulle__attributes *out)
{
    struct tulle__reader reader;

    *out = (struct tulle__attributes){ .cause_count = 0 };
    if (attributes.len == 0)
        return;
    tulle__reader_init(&reader, attributes.data, attributes.len);
    tulle__read_attributes(&reader, out);
    if (reader.failed)
        *out = (struct tulle__attributes){ .cause_count = 0 };
}

bool
tulle__cause_next(struct tulle__attributes *attributes, struct tulle__dep *out)
{
    if (attributes->cause_count == 0)
        return false;
    attributes->cause_count--;
    return read_cause(&attributes->causes, out);
}

bool
tulle__header_next(struct tulle__attributes *attributes,
                   struct tulle__view *name,
                   struct tulle__view *value)
{
    if (attributes->header_count == 0)
        return false;
    attributes->header_count--;
    *name = tulle__read_str(&attributes->headers, TULLE__HEADER_LEN_MAX);
    *value = tulle__read_str(&attributes->headers, TULLE__HEADER_LEN_MAX);
    return true;
}

static void
write_attributes(struct tulle__writer *w, const struct tulle__attributes_in *attributes)
{
    bool has_type = attributes->content_type != NULL;
    bool has_causes = attributes->cause_count > 0;
    bool has_headers = attributes->header_count > 0;

    tulle__write_map(w, (uint32_t)has_type + (uint32_t)has_causes + (uint32_t)has_headers);
    if (has_type) {
        tulle__write_cstr(w, "ct");
        tulle__write_cstr(w, attributes->content_type);
    }
    if (has_causes) {
        tulle__write_cstr(w, "ca");
        tulle__write_array(w, (uint32_t)attributes->cause_count);
        for (size_t i = 0; i < attributes->cause_count; i++) {
            const struct tulle__dep *cause = &attributes->causes[i];
            tulle__write_array(w, 3);
            tulle__write_uint(w, cause->node);
            tulle__write_str(w, cause->stream.data, cause->stream.len);
            tulle__write_uint(w, cause->count);
        }
    }
    if (has_headers) {
        tulle__write_cstr(w, "h");
        tulle__write_map(w, (uint32_t)attributes->header_count);
        for (size_t i = 0; i < attributes->header_count; i++) {
            tulle__write_cstr(w, attributes->headers[i].name);
            tulle__write_cstr(w, attributes->headers[i].value);
        }
    }
}

void
tulle__event_encode(struct tulle__writer *events,
                    struct tulle__view rest,
                    uint64_t offset_us,
                    struct tulle__view payload,
                    const struct tulle__attributes_in *attributes)
{
    bool has_attributes =
        attributes != NULL && (attributes->content_type != NULL || attributes->cause_count > 0 ||
                               attributes->header_count > 0);

    tulle__write_array(events, has_attributes ? 4 : 3);
    tulle__write_str(events, rest.data, rest.len);
    tulle__write_uint(events, offset_us);
    tulle__write_bin(events, payload.data, payload.len);
    if (has_attributes)
        write_attributes(events, attributes);
}
