/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/tap/tap_cloudevent.h"

#include "app/format.h"
#include "app/json.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

enum { ATTRIBUTE_LEN_MAX = 20 }; /* what the specification asks for */

static void
put_attribute(struct tulle__text *out, const char *name, const char *value, size_t len)
{
    tulle__json_key(out, name);
    tulle__json_put_str(out, value, len);
}

/* Where the text ends is the value; it leaves again. */
static void
put_scratch(struct tulle__text *out, const char *name, struct tulle__text *scratch)
{
    if (scratch->len > 0)
        put_attribute(out, name, scratch->bytes, scratch->len);
    out->has_failed = out->has_failed || scratch->has_failed;
    tulle__text_clear(scratch);
}

static const char *
find_header(const tulle_event *event, const char *name)
{
    for (size_t i = 0; i < event->header_count; i++) {
        if (strcasecmp(event->headers[i].name, name) == 0 && event->headers[i].value[0] != '\0')
            return event->headers[i].value;
    }
    return NULL;
}

/* A path of a URI: what is not unreserved there is escaped. */
static void
put_source(const tulle_event *event, struct tulle__text *scratch)
{
    tulle__text_char(scratch, '/');
    if (event->node_name[0] == '\0')
        tulle__text_id(scratch, event->node);
    for (const char *at = event->node_name; *at != '\0'; at++) {
        bool is_plain = (*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'z') ||
                        (*at >= 'A' && *at <= 'Z') || strchr("-._~", *at) != NULL;
        if (is_plain)
            tulle__text_char(scratch, *at);
        else
            tulle__text_format(scratch, "%%%02X", (unsigned char)*at);
    }
}

static void
put_type(struct tulle__text *out, const tulle_event *event, struct tulle__text *scratch)
{
    const char *type = find_header(event, "ce-type");
    tulle__text_str(scratch, type != NULL ? type : event->topic);
    for (size_t i = 0; type == NULL && i < scratch->len; i++) {
        if (scratch->bytes[i] == '/')
            scratch->bytes[i] = '.';
    }
    put_scratch(out, "type", scratch);
}

static void
put_context(struct tulle__text *out, const tulle_event *event, struct tulle__text *scratch)
{
    tulle__text_str(out, "{\"specversion\":\"1.0\"");
    tulle__text_id(scratch, event->node);
    tulle__text_char(scratch, '/');
    tulle__text_str(scratch, event->stream);
    tulle__text_char(scratch, '/');
    tulle__text_u64(scratch, event->seq);
    put_scratch(out, "id", scratch);
    put_source(event, scratch);
    put_scratch(out, "source", scratch);
    put_type(out, event, scratch);
    const char *subject = find_header(event, "ce-subject");
    subject = subject != NULL ? subject : event->topic;
    put_attribute(out, "subject", subject, strlen(subject));
    tulle__text_time(scratch, event->time_us);
    put_scratch(out, "time", scratch);
    const char *schema = find_header(event, "ce-dataschema");
    if (schema != NULL)
        put_attribute(out, "dataschema", schema, strlen(schema));
}

/* What CloudEvents has no word for. All are strings: its integers end at 31 bits. */
static void
put_own(struct tulle__text *out, const tulle_event *event, struct tulle__text *scratch)
{
    tulle__text_id(scratch, event->node);
    put_scratch(out, "tullenode", scratch);
    put_attribute(out, "tullestream", event->stream, strlen(event->stream));
    tulle__text_u64(scratch, event->seq);
    put_scratch(out, "tulleseq", scratch);
    tulle__format_clock(event->clock, event->clock_count, scratch);
    put_scratch(out, "tulleclock", scratch);
    tulle__format_clock(event->deps, event->dep_count, scratch);
    put_scratch(out, "tulledeps", scratch);
    tulle__format_causes(event, scratch);
    put_scratch(out, "tullecauses", scratch);
    tulle__text_u64(scratch, event->hops);
    put_scratch(out, "tullehops", scratch);
}

/* The attribute that a header becomes: its name in small letters, without "ce-". False when
 * it cannot be one, or is taken. */
static bool
attribute_name(const char *header, char out[static ATTRIBUTE_LEN_MAX + 1])
{
    static const char *const taken[] = { "specversion", "id",   "source", "type",
                                         "subject",     "time", "data",   "datacontenttype",
                                         "dataschema" };
    if (strncasecmp(header, "ce-", 3) == 0)
        header += 3;
    size_t len = strlen(header);
    if (len == 0 || len > ATTRIBUTE_LEN_MAX)
        return false;
    for (size_t i = 0; i <= len; i++) {
        char c = header[i];
        c = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        bool is_good = c == '\0' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!is_good)
            return false;
        out[i] = c;
    }
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        if (strcmp(out, taken[i]) == 0)
            return false;
    }
    return strncmp(out, "tulle", 5) != 0;
}

/* Is it an attribute, and the first one of that name? */
static bool
is_attribute(const tulle_event *event, size_t index, char name[static ATTRIBUTE_LEN_MAX + 1])
{
    char other[ATTRIBUTE_LEN_MAX + 1];
    if (!attribute_name(event->headers[index].name, name))
        return false;
    for (size_t i = 0; i < index; i++) {
        if (attribute_name(event->headers[i].name, other) && strcmp(name, other) == 0)
            return false;
    }
    return true;
}

static bool
is_in_context(const char *header)
{
    return strcasecmp(header, "ce-type") == 0 || strcasecmp(header, "ce-subject") == 0 ||
           strcasecmp(header, "ce-dataschema") == 0;
}

static void
put_headers(struct tulle__text *out, const tulle_event *event, struct tulle__text *scratch)
{
    char name[ATTRIBUTE_LEN_MAX + 1];
    for (size_t i = 0; i < event->header_count; i++) {
        const tulle_header *header = &event->headers[i];
        if (is_in_context(header->name))
            continue;
        if (is_attribute(event, i, name)) {
            put_attribute(out, name, header->value, strlen(header->value));
            continue;
        }
        tulle__text_char(scratch, scratch->len == 0 ? '{' : ',');
        tulle__json_put_str(scratch, header->name, strlen(header->name));
        tulle__text_char(scratch, ':');
        tulle__json_put_str(scratch, header->value, strlen(header->value));
    }
    if (scratch->len > 0)
        tulle__text_char(scratch, '}');
    put_scratch(out, "tulleheaders", scratch);
}

static void
put_type_of_data(struct tulle__text *out, const char *type)
{
    put_attribute(out, "datacontenttype", type, strlen(type));
}

static void
put_data(struct tulle__text *out, const tulle_event *event)
{
    const char *type = event->content_type;
    if (event->payload_len == 0)
        return;
    if (tulle__payload_is_msgpack(event)) {
        put_type_of_data(out, "application/json");
        tulle__text_str(out, ",\"data\":");
        (void)tulle__msgpack_to_json(event->payload, event->payload_len, out);
        return;
    }
    put_type_of_data(out, type != NULL ? type : "application/octet-stream");
    size_t before = out->len;
    tulle__text_str(out, ",\"data\":");
    if (tulle__payload_json_put(event, out))
        return;
    if (type != NULL && tulle__is_text(event->payload, event->payload_len) &&
        !tulle__is_json_type(type)) {
        tulle__json_put_str(out, event->payload, event->payload_len);
        return;
    }
    out->len = before;
    tulle__text_str(out, ",\"data_base64\":\"");
    tulle__text_base64(out, event->payload, event->payload_len);
    tulle__text_char(out, '"');
}

void
tulle__cloudevent_put(const tulle_event *event, bool has_data, struct tulle__text *out)
{
    struct tulle__text scratch = { 0 };
    put_context(out, event, &scratch);
    put_own(out, event, &scratch);
    put_headers(out, event, &scratch);
    if (has_data)
        put_data(out, event);
    tulle__text_char(out, '}');
    tulle__text_free(&scratch);
}
