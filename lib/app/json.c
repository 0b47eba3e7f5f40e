/* SPDX-License-Identifier: MPL-2.0 */

/* Messages as JSON lines. Written straight into a text rather than through a
 * tree of values: a tap has to keep up with the mesh that it watches. */

#include "app/json.h"

#include <string.h>
#include <strings.h>

const char *
tulle__kind_name(tulle_message_kind kind)
{
    switch (kind) {
    case TULLE_MESSAGE_EVENT:
        return "event";
    case TULLE_MESSAGE_GAP:
        return "gap";
    case TULLE_MESSAGE_ARRIVAL:
        return "arrival";
    case TULLE_MESSAGE_DUPLICATE:
        return "duplicate";
    case TULLE_MESSAGE_PEER:
        return "peer";
    }
    return "unknown";
}

const char *
tulle__gap_reason_name(tulle_gap_reason reason)
{
    switch (reason) {
    case TULLE_GAP_EVICTED:
        return "evicted";
    case TULLE_GAP_UNREACHABLE:
        return "unreachable";
    case TULLE_GAP_BEST_EFFORT:
        return "best effort";
    case TULLE_GAP_MALFORMED:
        return "malformed";
    case TULLE_GAP_WITHHELD:
        return "withheld";
    }
    return "unknown";
}

const char *
tulle__peer_state_name(tulle_peer_state state)
{
    switch (state) {
    case TULLE_PEER_UP:
        return "up";
    case TULLE_PEER_SUSPECT:
        return "suspect";
    case TULLE_PEER_GONE:
        return "gone";
    case TULLE_PEER_LEFT:
        return "left";
    case TULLE_PEER_RESTARTED:
        return "restarted";
    }
    return "unknown";
}

/* Text that is known here: its length is too. */
#define PUT(out, text) tulle__text_put(out, text, sizeof(text) - 1)

static void
put_escaped(struct tulle__text *out, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    switch (c) {
    case '"':
    case '\\':
        tulle__text_char(out, '\\');
        tulle__text_char(out, (char)c);
        break;
    case '\n':
        PUT(out, "\\n");
        break;
    case '\r':
        PUT(out, "\\r");
        break;
    case '\t':
        PUT(out, "\\t");
        break;
    default:
        PUT(out, "\\u00");
        tulle__text_char(out, digits[c >> 4]);
        tulle__text_char(out, digits[c & 15]);
        break;
    }
}

static bool
is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}

/* What stands between the quotes. Terminals obey C1 controls: they are escaped too. */
static void
put_str_body(struct tulle__text *out, const char *str, size_t len)
{
    const unsigned char *at = (const unsigned char *)str;
    size_t done = 0; /* up to here it is written */
    size_t i = 0;

    while (i < len) {
        while (i < len && is_plain(at[i]) && at[i] < 0x80)
            i++;
        if (i == len)
            break;
        size_t step = is_plain(at[i]) ? tulle__utf8_len(at + i, len - i) : 0;
        bool is_c1 = step == 2 && at[i] == 0xc2 && at[i + 1] < 0xa0;
        if (step > 0 && !is_c1) {
            i += step;
            continue;
        }
        tulle__text_put(out, str + done, i - done);
        if (is_c1)
            put_escaped(out, at[++i]);
        else if (is_plain(at[i]))
            PUT(out, "\\ufffd");
        else
            put_escaped(out, at[i]);
        done = ++i;
    }
    if (len > 0) /* str may be NULL else */
        tulle__text_put(out, str + done, i - done);
}

void
tulle__json_put_str(struct tulle__text *out, const char *str, size_t len)
{
    tulle__text_char(out, '"');
    put_str_body(out, str, len);
    tulle__text_char(out, '"');
}

void
tulle__json_put_id(struct tulle__text *out, uint64_t id)
{
    tulle__text_char(out, '"');
    tulle__text_id(out, id);
    tulle__text_char(out, '"');
}

void
tulle__json_key(struct tulle__text *out, const char *name)
{
    PUT(out, ",\"");
    tulle__text_str(out, name);
    PUT(out, "\":");
}

void
tulle__json_str(struct tulle__text *out, const char *name, const char *value)
{
    tulle__json_key(out, name);
    tulle__json_put_str(out, value, strlen(value));
}

void
tulle__json_id(struct tulle__text *out, const char *name, uint64_t id)
{
    tulle__json_key(out, name);
    tulle__json_put_id(out, id);
}

void
tulle__json_u64(struct tulle__text *out, const char *name, uint64_t value)
{
    tulle__json_key(out, name);
    tulle__text_u64(out, value);
}

void
tulle__json_i64(struct tulle__text *out, const char *name, int64_t value)
{
    tulle__json_key(out, name);
    tulle__text_i64(out, value);
}

void
tulle__json_bool(struct tulle__text *out, const char *name, bool value)
{
    tulle__json_key(out, name);
    if (value)
        PUT(out, "true");
    else
        PUT(out, "false");
}

void
tulle__json_time(struct tulle__text *out, const char *name, int64_t time_us)
{
    tulle__json_key(out, name);
    tulle__text_char(out, '"');
    tulle__text_time(out, time_us);
    tulle__text_char(out, '"');
}

/* The opening quote and "id/stream". */
static void
put_lane(struct tulle__text *out, uint64_t node, const char *stream)
{
    tulle__text_char(out, '"');
    tulle__text_id(out, node);
    tulle__text_char(out, '/');
    put_str_body(out, stream, strlen(stream));
}

static void
put_clock(struct tulle__text *out, const char *name, const tulle_clock_entry *entries, size_t count)
{
    tulle__json_key(out, name);
    tulle__text_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            tulle__text_char(out, ',');
        put_lane(out, entries[i].node, entries[i].stream);
        PUT(out, "\":");
        tulle__text_u64(out, entries[i].count);
    }
    tulle__text_char(out, '}');
}

static void
put_causes(struct tulle__text *out, const tulle_event *event)
{
    PUT(out, ",\"causes\":[");
    for (size_t i = 0; i < event->cause_count; i++) {
        const tulle_event_ref *cause = &event->causes[i];
        if (i > 0)
            tulle__text_char(out, ',');
        put_lane(out, cause->node, cause->stream);
        tulle__text_char(out, '/');
        tulle__text_u64(out, cause->seq);
        tulle__text_char(out, '"');
    }
    tulle__text_char(out, ']');
}

static void
put_headers(struct tulle__text *out, const tulle_event *event)
{
    if (event->header_count == 0)
        return;
    PUT(out, ",\"headers\":{");
    for (size_t i = 0; i < event->header_count; i++) {
        const tulle_header *header = &event->headers[i];
        if (i > 0)
            tulle__text_char(out, ',');
        tulle__json_put_str(out, header->name, strlen(header->name));
        tulle__text_char(out, ':');
        tulle__json_put_str(out, header->value, strlen(header->value));
    }
    tulle__text_char(out, '}');
}

/* "application/json", or anything "+json", whatever parameters follow. */
bool
tulle__is_json_type(const char *type)
{
    if (type == NULL)
        return false;
    size_t len = strcspn(type, "; ");
    return (len == 16 && strncasecmp(type, "application/json", len) == 0) ||
           (len > 5 && strncasecmp(type + len - 5, "+json", 5) == 0);
}

bool
tulle__payload_json_put(const tulle_event *event, struct tulle__text *out)
{
    if (!tulle__is_json_type(event->content_type) || event->payload_len == 0)
        return false;
    json_t *value =
        json_loadb(event->payload, event->payload_len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (value == NULL)
        return false;
    /* By way of msgpack: one writer of JSON for everything that comes from others. */
    struct tulle__text packed = { 0 };
    bool is_good = tulle__json_to_msgpack(value, &packed) == NULL && !packed.has_failed &&
                   tulle__msgpack_to_json(packed.bytes, packed.len, out);
    tulle__text_free(&packed);
    json_decref(value);
    return is_good;
}

static bool
is_msgpack_type(const char *content_type)
{
    return content_type == NULL || strcmp(content_type, "application/msgpack") == 0 ||
           strcmp(content_type, "application/x-msgpack") == 0;
}

bool
tulle__payload_is_msgpack(const tulle_event *event)
{
    return is_msgpack_type(event->content_type) &&
           tulle__msgpack_is_valid(event->payload, event->payload_len);
}

void
tulle__payload_put(const tulle_event *event, struct tulle__text *out)
{
    const char *str = NULL;
    size_t len = 0;
    bool is_msgpack = is_msgpack_type(event->content_type);
    if (is_msgpack && tulle__msgpack_as_str(event->payload, event->payload_len, &str, &len))
        tulle__text_put(out, str, len);
    else if (!is_msgpack || !tulle__msgpack_to_json(event->payload, event->payload_len, out))
        tulle__text_put(out, event->payload, event->payload_len);
}

static void
put_payload_text(struct tulle__text *out, const tulle_event *event)
{
    struct tulle__text text = { 0 };
    tulle__payload_put(event, &text);
    tulle__json_key(out, "payload");
    tulle__json_put_str(out, text.bytes, text.len);
    out->has_failed = out->has_failed || text.has_failed;
    tulle__text_free(&text);
}

const char *
tulle__payload_value_put(const tulle_event *event, struct tulle__text *out)
{
    if (is_msgpack_type(event->content_type) &&
        tulle__msgpack_to_json(event->payload, event->payload_len, out))
        return NULL;
    if (tulle__payload_json_put(event, out))
        return "json";
    if (tulle__is_text(event->payload, event->payload_len)) {
        tulle__json_put_str(out, event->payload, event->payload_len);
        return "text";
    }
    tulle__text_char(out, '"');
    tulle__text_base64(out, event->payload, event->payload_len);
    tulle__text_char(out, '"');
    return "base64";
}

static void
put_payload(struct tulle__text *out, const tulle_event *event)
{
    tulle__json_key(out, "payload");
    const char *encoding = tulle__payload_value_put(event, out);
    if (encoding != NULL)
        tulle__json_str(out, "encoding", encoding);
}

static void
put_event(struct tulle__text *out, const tulle_event *event, unsigned flags)
{
    tulle__json_str(out, "node", event->node_name);
    tulle__json_id(out, "id", event->node);
    tulle__json_str(out, "stream", event->stream);
    tulle__json_u64(out, "seq", event->seq);
    tulle__json_str(out, "topic", event->topic);
    tulle__json_time(out, "time", event->time_us);
    put_clock(out, "clock", event->clock, event->clock_count);
    put_clock(out, "deps", event->deps, event->dep_count);
    put_causes(out, event);
    put_headers(out, event);
    if (event->content_type != NULL)
        tulle__json_str(out, "content_type", event->content_type);
    tulle__json_u64(out, "hops", event->hops);
    tulle__json_i64(out, "delay_us", event->delay_us);
    tulle__json_i64(out, "held_us", event->held_us);
    if (event->waited_for.count > 0) {
        tulle__json_key(out, "waited_for");
        put_lane(out, event->waited_for.node, event->waited_for.stream);
        tulle__text_char(out, ':');
        tulle__text_u64(out, event->waited_for.count);
        tulle__text_char(out, '"');
    }
    tulle__json_bool(out, "repaired", event->is_repaired);
    tulle__json_bool(out, "late", event->is_late);
    if ((flags & TULLE__JSON_NO_PAYLOAD) != 0)
        tulle__json_u64(out, "payload_bytes", event->payload_len);
    else if ((flags & TULLE__JSON_PAYLOAD_TEXT) != 0)
        put_payload_text(out, event);
    else
        put_payload(out, event);
}

static void
put_gap(struct tulle__text *out, const tulle_gap *gap)
{
    tulle__json_str(out, "node", gap->node_name);
    tulle__json_id(out, "id", gap->node);
    tulle__json_str(out, "stream", gap->stream);
    tulle__json_u64(out, "first", gap->first);
    tulle__json_u64(out, "last", gap->last);
    tulle__json_str(out, "reason", tulle__gap_reason_name(gap->reason));
}

static void
put_peer(struct tulle__text *out, const tulle_peer *peer)
{
    tulle__json_str(out, "node", peer->name);
    tulle__json_id(out, "id", peer->node);
    tulle__json_str(out, "state", tulle__peer_state_name(peer->state));
    tulle__json_str(out, "address", peer->address);
    tulle__json_u64(out, "hops", peer->hops);
    tulle__json_bool(out, "proxy", peer->is_proxy);
    if (peer->previous != 0)
        tulle__json_id(out, "previous", peer->previous);
}

void
tulle__json_message(const tulle_message *message, unsigned flags, struct tulle__text *out)
{
    PUT(out, "{\"kind\":\"");
    tulle__text_str(out, tulle__kind_name(message->kind));
    tulle__text_char(out, '"');
    switch (message->kind) {
    case TULLE_MESSAGE_EVENT:
    case TULLE_MESSAGE_ARRIVAL:
    case TULLE_MESSAGE_DUPLICATE:
        put_event(out, &message->u.event, flags);
        break;
    case TULLE_MESSAGE_GAP:
        put_gap(out, &message->u.gap);
        break;
    case TULLE_MESSAGE_PEER:
        put_peer(out, &message->u.peer);
        break;
    }
    tulle__text_char(out, '}');
}
