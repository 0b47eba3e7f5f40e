/* SPDX-License-Identifier: MPL-2.0 */

/* Output templates. Compiling once turns the template into a list of parts, so
 * that a bad template is told before anything is printed, and applying one is a
 * walk over the list. */

#include "app/format.h"

#include "app/json.h"

#include <tulle/node.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Stands for a whole time stamp where a letter of strftime(3) is expected. */
static const char ISO_8601 = '\0';

struct part {
    enum { PART_TEXT, PART_FIELD, PART_TIME } kind;
    char letter;
    bool is_left, is_zero, has_precision;
    size_t width, precision;
    size_t start, len; /* PART_TEXT: within text */
};

struct tulle__format {
    struct part *parts;
    size_t count;
    struct tulle__text text;
    bool is_pretty;
};

static const struct {
    char letter;
    const char *meaning;
} fields[] = {
    { 't', "topic" },
    { 'p', "payload: text of a msgpack string, JSON of another value, else the bytes" },
    { 'r', "payload: the bytes as they are" },
    { 'x', "payload in hexadecimal" },
    { 'X', "payload in hexadecimal, capital letters" },
    { 'l', "length of the payload in bytes" },
    { 'j', "JSON object of the event, payload as a string" },
    { 'J', "JSON object of the event, payload as JSON" },
    { 'I', "time published, ISO 8601, local" },
    { 'U', "time published, seconds since 1970 with microseconds" },
    { 'k', "kind: event, arrival or duplicate" },
    { 'o', "name of the publishing node" },
    { 'i', "id of the publishing node" },
    { 'S', "stream" },
    { 's', "number of the event among those of its node and stream" },
    { 'V', "vector clock at the event" },
    { 'D', "dependencies that the event carried" },
    { 'c', "causes that its publisher named" },
    { 'd', "microseconds held back for order" },
    { 'L', "microseconds from publishing to arrival" },
    { 'g', "events of its node and stream that are lost just before it" },
    { 'h', "proxies passed" },
    { 'C', "content type" },
    { 'P', "headers, name:value" },
};

const char *
tulle__format_field(size_t index, char *letter)
{
    if (index >= sizeof fields / sizeof *fields)
        return NULL;
    *letter = fields[index].letter;
    return fields[index].meaning;
}

static bool
is_field(char letter)
{
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (fields[i].letter == letter)
            return true;
    }
    return false;
}

static struct part *
add_part(struct tulle__format *format)
{
    size_t count = format->count;
    if ((count & (count - 1)) == 0) {
        struct part *parts = realloc(format->parts, (count == 0 ? 1 : count * 2) * sizeof *parts);
        if (parts == NULL)
            return NULL;
        format->parts = parts;
    }
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there are parts when count is not 0 */
    format->parts[count] = (struct part){ 0 };
    format->count = count + 1;
    return &format->parts[count];
}

static bool
add_char(struct tulle__format *format, char c)
{
    struct part *last = format->count > 0 ? &format->parts[format->count - 1] : NULL;
    if (last == NULL || last->kind != PART_TEXT) {
        last = add_part(format);
        if (last == NULL)
            return false;
        last->kind = PART_TEXT;
        last->start = format->text.len;
    }
    tulle__text_char(&format->text, c);
    last->len++;
    return !format->text.has_failed;
}

static const char *
read_number(const char *at, size_t *out)
{
    size_t value = 0;
    while (*at >= '0' && *at <= '9') {
        if (value <= TULLE__FORMAT_WIDTH_MAX)
            value = value * 10 + (size_t)(*at - '0');
        at++;
    }
    *out = value;
    return at;
}

/* at: behind the percent sign. Returns behind the field, NULL when it is wrong. */
static const char *
add_field(struct tulle__format *format, const char *at, const char **problem)
{
    if (*at == '%')
        return add_char(format, '%') ? at + 1 : NULL;
    struct part part = { .kind = PART_FIELD };
    for (; *at == '-' || *at == '0'; at++) {
        part.is_left = part.is_left || *at == '-';
        part.is_zero = part.is_zero || *at == '0';
    }
    at = read_number(at, &part.width);
    if (*at == '.') {
        part.has_precision = true;
        at = read_number(at + 1, &part.precision);
    }
    if (part.width > TULLE__FORMAT_WIDTH_MAX || part.precision > TULLE__FORMAT_WIDTH_MAX) {
        *problem = "a width or precision is above 10000";
        return NULL;
    }
    if (*at == '\0' || !is_field(*at)) {
        *problem = *at == '\0' ? "it ends within a % field" : "unknown letter after %";
        return NULL;
    }
    part.letter = *at;
    struct part *added = add_part(format);
    if (added == NULL)
        return NULL;
    *added = part;
    return at + 1;
}

static const char *
add_time(struct tulle__format *format, const char *at, const char **problem)
{
    if (*at == '@')
        return add_char(format, '@') ? at + 1 : NULL;
    if (*at == '\0' || strchr("aAbBcCdDeFgGhHIjklmMnNpPrRsStTuUVwWxXyYzZ", *at) == NULL) {
        *problem = *at == '\0' ? "it ends behind @" : "unknown letter after @";
        return NULL;
    }
    struct part *part = add_part(format);
    if (part == NULL)
        return NULL;
    part->kind = PART_TIME;
    part->letter = *at;
    return at + 1;
}

static const char *
add_escape(struct tulle__format *format, const char *at, const char **problem)
{
    static const char from[] = "\\0aenrtv";
    static const char to[] = "\\\0\a\033\n\r\t\v";
    const char *found = *at == '\0' ? NULL : strchr(from, *at);
    if (found == NULL) {
        *problem = "unknown character after \\";
        return NULL;
    }
    return add_char(format, to[found - from]) ? at + 1 : NULL;
}

bool
tulle__format_new(const char *text, struct tulle__format **out, const char **problem)
{
    *out = NULL;
    *problem = "out of memory";
    struct tulle__format *format = calloc(1, sizeof *format);
    if (format == NULL)
        return false;
    const char *at = text;
    while (at != NULL && *at != '\0') {
        if (*at == '%')
            at = add_field(format, at + 1, problem);
        else if (*at == '@')
            at = add_time(format, at + 1, problem);
        else if (*at == '\\')
            at = add_escape(format, at + 1, problem);
        else
            at = add_char(format, *at) ? at + 1 : NULL;
    }
    if (at == NULL) {
        tulle__format_free(&format);
        return false;
    }
    *out = format;
    return true;
}

void
tulle__format_free(struct tulle__format **format)
{
    if (*format == NULL)
        return;
    tulle__text_free(&(*format)->text);
    free((*format)->parts);
    free(*format);
    *format = NULL;
}

void
tulle__format_set_pretty(struct tulle__format *format)
{
    format->is_pretty = true;
}

unsigned
tulle__format_details(const struct tulle__format *format)
{
    unsigned details = 0;
    for (size_t i = 0; i < format->count; i++) {
        if (format->parts[i].kind != PART_FIELD)
            continue;
        char letter = format->parts[i].letter;
        if (letter == 'V' || letter == 'j' || letter == 'J')
            details |= TULLE_DETAIL_CLOCK;
        if (letter == 'D' || letter == 'j' || letter == 'J')
            details |= TULLE_DETAIL_DEPS;
    }
    return details;
}

static void
put_lane(struct tulle__text *out, uint64_t node, const char *stream, char mark, uint64_t number)
{
    tulle__text_id(out, node);
    tulle__text_char(out, '/');
    tulle__text_str(out, stream);
    tulle__text_char(out, mark);
    tulle__text_u64(out, number);
}

void
tulle__format_clock(const tulle_clock_entry *entries, size_t count, struct tulle__text *out)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            tulle__text_char(out, ' ');
        put_lane(out, entries[i].node, entries[i].stream, ':', entries[i].count);
    }
}

void
tulle__format_causes(const tulle_event *event, struct tulle__text *out)
{
    for (size_t i = 0; i < event->cause_count; i++) {
        if (i > 0)
            tulle__text_char(out, ' ');
        const tulle_event_ref *cause = &event->causes[i];
        put_lane(out, cause->node, cause->stream, '/', cause->seq);
    }
}

static void
put_headers(const tulle_event *event, struct tulle__text *out)
{
    for (size_t i = 0; i < event->header_count; i++) {
        if (i > 0)
            tulle__text_char(out, ' ');
        tulle__text_str(out, event->headers[i].name);
        tulle__text_char(out, ':');
        tulle__text_str(out, event->headers[i].value);
    }
}

/* The time published, local, by one conversion of strftime(3) or all of ISO 8601. */
static void
put_time(const tulle_event *event, char letter, struct tulle__text *out)
{
    int64_t micros = event->time_us % 1000000;
    time_t when = (time_t)((event->time_us - micros) / 1000000);
    struct tm tm;
    char text[128];
    if (letter == 'N') {
        tulle__text_format(out, "%09" PRId64, micros < 0 ? 0 : micros * 1000);
        return;
    }
    if (localtime_r(&when, &tm) == NULL)
        return;
    const char pattern[] = { '%', letter, '\0' };
#pragma GCC diagnostic push /* the letter was checked when the template was compiled */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    size_t len =
        strftime(text, sizeof text, letter == ISO_8601 ? "%Y-%m-%dT%H:%M:%S%z" : pattern, &tm);
#pragma GCC diagnostic pop
    tulle__text_put(out, text, len);
}

static void
put_payload(const tulle_event *event, char letter, struct tulle__text *out)
{
    if (letter == 'p')
        tulle__payload_put(event, out);
    else if (letter == 'r')
        tulle__text_put(out, event->payload, event->payload_len);
    else
        tulle__text_hex(out, event->payload, event->payload_len, letter == 'X');
}

static void
put_json(const struct tulle__format *format,
         const tulle_message *message,
         char letter,
         struct tulle__text *out)
{
    unsigned flags = letter == 'j' ? TULLE__JSON_PAYLOAD_TEXT : 0;
    if (!format->is_pretty) {
        tulle__json_message(message, flags, out);
        return;
    }
    struct tulle__text json = { 0 };
    tulle__json_message(message, flags, &json);
    tulle__json_put_pretty(out, json.bytes, json.len);
    out->has_failed = out->has_failed || json.has_failed;
    tulle__text_free(&json);
}

/* Fields that are numbers. */
static void
put_number(const tulle_event *event, char letter, uint64_t gap, struct tulle__text *out)
{
    switch (letter) {
    case 'l':
        tulle__text_u64(out, event->payload_len);
        break;
    case 's':
        tulle__text_u64(out, event->seq);
        break;
    case 'd':
        tulle__text_i64(out, event->held_us);
        break;
    case 'L':
        tulle__text_i64(out, event->delay_us);
        break;
    case 'g':
        tulle__text_u64(out, gap);
        break;
    case 'h':
        tulle__text_u64(out, event->hops);
        break;
    default:
        break;
    }
}

/* Fields that are text. Returns false when the letter is none of them. */
static bool
put_text(const tulle_message *message, char letter, struct tulle__text *out)
{
    const tulle_event *event = &message->u.event;
    switch (letter) {
    case 't':
        tulle__text_str(out, event->topic);
        return true;
    case 'k':
        tulle__text_str(out, tulle__kind_name(message->kind));
        return true;
    case 'o':
        tulle__text_str(out, event->node_name);
        return true;
    case 'S':
        tulle__text_str(out, event->stream);
        return true;
    case 'C':
        tulle__text_str(out, event->content_type != NULL ? event->content_type : "");
        return true;
    case 'i':
        tulle__text_id(out, event->node);
        return true;
    case 'V':
        tulle__format_clock(event->clock, event->clock_count, out);
        return true;
    case 'D':
        tulle__format_clock(event->deps, event->dep_count, out);
        return true;
    case 'c':
        tulle__format_causes(event, out);
        return true;
    case 'P':
        put_headers(event, out);
        return true;
    default:
        return false;
    }
}

static void
put_field(const struct tulle__format *format,
          const tulle_message *message,
          uint64_t gap,
          char letter,
          struct tulle__text *out)
{
    const tulle_event *event = &message->u.event;
    if (put_text(message, letter, out))
        return;
    switch (letter) {
    case 'p':
    case 'r':
    case 'x':
    case 'X':
        put_payload(event, letter, out);
        break;
    case 'j':
    case 'J':
        put_json(format, message, letter, out);
        break;
    case 'I':
        put_time(event, ISO_8601, out);
        break;
    case 'U':
        tulle__text_format(out, "%" PRId64 ".%06" PRId64, event->time_us / 1000000,
                           event->time_us < 0 ? 0 : event->time_us % 1000000);
        break;
    default:
        put_number(event, letter, gap, out);
        break;
    }
}

/* Widths count characters, not bytes, so that columns line up. */
static size_t
count_chars(const char *bytes, size_t len)
{
    size_t count = 0;
    for (size_t i = 0; i < len; i++)
        count += ((unsigned char)bytes[i] & 0xc0) != 0x80;
    return count;
}

static size_t
cut_chars(const char *bytes, size_t len, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < len; i++) {
        if (((unsigned char)bytes[i] & 0xc0) != 0x80 && count++ == max)
            return i;
    }
    return len;
}

static void
fit_field(const struct part *part, size_t start, struct tulle__text *out)
{
    if (out->has_failed)
        return;
    if (part->has_precision)
        out->len = start + cut_chars(out->bytes + start, out->len - start, part->precision);
    size_t len = out->len - start;
    size_t chars = len > 0 ? count_chars(out->bytes + start, len) : 0;
    if (chars >= part->width)
        return;
    size_t pad = part->width - chars;
    char fill = part->is_zero && !part->is_left ? '0' : ' ';
    for (size_t i = 0; i < pad; i++)
        tulle__text_char(out, fill);
    if (part->is_left || out->has_failed)
        return;
    memmove(out->bytes + start + pad, out->bytes + start, len);
    memset(out->bytes + start, fill, pad);
    if (fill == '0' && out->bytes[start + pad] == '-') { /* the sign goes first */
        out->bytes[start + pad] = '0';
        out->bytes[start] = '-';
    }
}

void
tulle__format_apply(const struct tulle__format *format,
                    const tulle_message *message,
                    uint64_t gap,
                    struct tulle__text *out)
{
    for (size_t i = 0; i < format->count; i++) {
        const struct part *part = &format->parts[i];
        size_t start = out->len;
        switch (part->kind) {
        case PART_TEXT:
            tulle__text_put(out, format->text.bytes + part->start, part->len);
            break;
        case PART_TIME:
            put_time(&message->u.event, part->letter, out);
            break;
        case PART_FIELD:
            put_field(format, message, gap, part->letter, out);
            fit_field(part, start, out);
            break;
        }
    }
}
