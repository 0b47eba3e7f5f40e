/* SPDX-License-Identifier: MPL-2.0 */

/* Input of pub. Lines are bounded: one that is longer than any event could be
 * is skipped without being kept. */

#include "tools/pub/pub_input.h"

#include "app/json.h"
#include "app/msgpack_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_LEN = 65536 };

/* Read some more behind what is kept. */
static enum tulle__line_result
read_more(struct tulle__lines *lines, struct tulle__signals *signals)
{
    if (tulle__signals_wait(signals, lines->fd, -1) != 1)
        return TULLE__LINE_SIGNAL;
    if (lines->start > 0) {
        memmove(lines->bytes.bytes, lines->bytes.bytes + lines->start,
                lines->bytes.len - lines->start);
        lines->bytes.len -= lines->start;
        lines->start = 0;
    }
    char chunk[READ_LEN];
    ssize_t got = read(lines->fd, chunk, sizeof chunk);
    if (got < 0)
        return errno == EINTR || errno == EAGAIN ? TULLE__LINE_OK : TULLE__LINE_FAILED;
    if (got == 0)
        lines->is_end = true;
    tulle__text_put(&lines->bytes, chunk, (size_t)got);
    if (lines->bytes.has_failed) {
        errno = ENOMEM;
        return TULLE__LINE_FAILED;
    }
    return TULLE__LINE_OK;
}

enum tulle__line_result
tulle__lines_next(struct tulle__lines *lines,
                  struct tulle__signals *signals,
                  const char **line,
                  size_t *len)
{
    size_t looked = 0; /* bytes of this line that hold no newline */
    bool is_too_long = false;
    for (;;) {
        size_t left = lines->bytes.len - lines->start;
        const char *at = lines->bytes.bytes + lines->start;
        const char *newline = left > looked ? memchr(at + looked, '\n', left - looked) : NULL;
        bool is_last = newline == NULL && lines->is_end;
        if (is_last && left == 0 && !is_too_long)
            return TULLE__LINE_END;
        if (newline != NULL || is_last) {
            *line = at;
            *len = newline != NULL ? (size_t)(newline - at) : left;
            lines->start += *len + (newline != NULL ? 1 : 0);
            lines->number++;
            return is_too_long || *len > lines->len_max ? TULLE__LINE_TOO_LONG : TULLE__LINE_OK;
        }
        looked = left;
        if (left > lines->len_max) {
            is_too_long = true;
            lines->start = lines->bytes.len;
            looked = 0;
        }
        enum tulle__line_result result = read_more(lines, signals);
        if (result != TULLE__LINE_OK)
            return result;
    }
}

enum tulle__line_result
tulle__lines_all(struct tulle__lines *lines,
                 struct tulle__signals *signals,
                 const char **bytes,
                 size_t *len)
{
    while (!lines->is_end) {
        if (lines->bytes.len > lines->len_max)
            return TULLE__LINE_TOO_LONG;
        enum tulle__line_result result = read_more(lines, signals);
        if (result != TULLE__LINE_OK)
            return result;
    }
    *bytes = lines->bytes.bytes != NULL ? lines->bytes.bytes : "";
    *len = lines->bytes.len;
    return *len > lines->len_max ? TULLE__LINE_TOO_LONG : TULLE__LINE_OK;
}

void
tulle__pub_event_free(struct tulle__pub_event *event)
{
    json_decref(event->json);
    tulle__text_free(&event->payload);
    *event = (struct tulle__pub_event){ 0 };
}

static bool
tell(char problem[static TULLE__PUB_PROBLEM_LEN], const char *what)
{
    (void)snprintf(problem, TULLE__PUB_PROBLEM_LEN, "%s", what);
    return false;
}

static json_t *
parse(const char *text, size_t len, char problem[static TULLE__PUB_PROBLEM_LEN])
{
    json_error_t error;
    size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_t *json = json_loadb(text, len, flags, &error);
    if (json == NULL)
        (void)snprintf(problem, TULLE__PUB_PROBLEM_LEN, "not JSON: %.150s (at byte %d)", error.text,
                       error.position);
    return json;
}

bool
tulle__pub_payload(struct tulle__pub_event *event,
                   enum tulle__pub_form form,
                   const char *text,
                   size_t len,
                   char problem[static TULLE__PUB_PROBLEM_LEN])
{
    tulle__text_clear(&event->payload);
    event->content_type = form == TULLE__PUB_RAW ? "application/octet-stream" : NULL;
    if (form == TULLE__PUB_JSON) {
        json_t *json = parse(text, len, problem);
        if (json == NULL)
            return false;
        const char *what = tulle__json_to_msgpack(json, &event->payload);
        json_decref(json);
        return what == NULL || tell(problem, what);
    }
    if (form == TULLE__PUB_RAW) {
        tulle__text_put(&event->payload, text, len);
    } else {
        for (size_t i = 0; i < len;) {
            size_t step = tulle__utf8_len((const unsigned char *)text + i, len - i);
            if (step == 0)
                return tell(problem, "not UTF-8: publish it with --raw");
            i += step;
        }
        tulle__msgpack_put_str(&event->payload, text, len);
    }
    return !event->payload.has_failed || tell(problem, "out of memory");
}

/* Fields that tap prints beside those that are read here. */
static bool
is_known(const char *key)
{
    static const char *const keys[] = {
        "topic", "payload",  "headers", "content_type", "encoding", "kind",    "node",
        "id",    "stream",   "seq",     "time",         "clock",    "deps",    "causes",
        "hops",  "delay_us", "held_us", "waited_for",   "repaired", "late",    "first",
        "last",  "reason",   "state",   "address",      "proxy",    "previous"
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(keys[i], key) == 0)
            return true;
    }
    return false;
}

static bool
read_headers(struct tulle__pub_event *event, json_t *headers, char *problem)
{
    if (headers == NULL)
        return true;
    if (!json_is_object(headers))
        return tell(problem, "\"headers\" is no object");
    for (void *at = json_object_iter(headers); at != NULL;
         at = json_object_iter_next(headers, at)) {
        json_t *value = json_object_iter_value(at);
        if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
            return tell(problem, "a header is no string");
        if (event->header_count == TULLE__PUB_HEADERS_MAX)
            return tell(problem, "more than 32 headers");
        event->headers[event->header_count++] =
            (tulle_header){ json_object_iter_key(at), json_string_value(value) };
    }
    return true;
}

static bool
read_base64(struct tulle__pub_event *event, const json_t *payload, char *problem)
{
    size_t len = 0;
    void *bytes = malloc(json_string_length(payload) + 1);
    if (bytes == NULL)
        return tell(problem, "out of memory");
    bool is_good =
        tulle__base64_decode(json_string_value(payload), json_string_length(payload), bytes, &len);
    if (is_good)
        tulle__text_put(&event->payload, bytes, len);
    free(bytes);
    return is_good || tell(problem, "\"payload\" is no base64");
}

static bool
read_json(struct tulle__pub_event *event, const json_t *payload, char *problem)
{
    char *text = json_dumps(payload, JSON_COMPACT | JSON_ENCODE_ANY);
    if (text == NULL)
        return tell(problem, "out of memory");
    tulle__text_str(&event->payload, text);
    free(text);
    return true;
}

/* A payload of another type than msgpack: a string's bytes, or the JSON text. */
static bool
read_other(struct tulle__pub_event *event, const json_t *payload, char *problem)
{
    if (!json_is_string(payload))
        return read_json(event, payload, problem);
    tulle__text_put(&event->payload, json_string_value(payload), json_string_length(payload));
    return true;
}

static bool
read_payload(struct tulle__pub_event *event, const json_t *root, char *problem)
{
    const json_t *payload = json_object_get(root, "payload");
    const json_t *encoding = json_object_get(root, "encoding");
    const char *name = json_string_value(encoding);
    tulle__text_clear(&event->payload);
    if (payload == NULL)
        return tell(problem, "\"payload\" is missing");
    if (encoding != NULL) {
        bool is_base64 = name != NULL && strcmp(name, "base64") == 0;
        bool is_text = name != NULL && strcmp(name, "text") == 0;
        if (name != NULL && strcmp(name, "json") == 0) {
            if (event->content_type == NULL)
                event->content_type = "application/json";
            return read_json(event, payload, problem);
        }
        if (!is_base64 && !is_text)
            return tell(problem, "\"encoding\" is none of \"text\", \"json\" and \"base64\"");
        if (!json_is_string(payload))
            return tell(problem, "\"payload\" with an \"encoding\" is no string");
        return is_base64 ? read_base64(event, payload, problem)
                         : read_other(event, payload, problem);
    }
    if (event->content_type != NULL && strcmp(event->content_type, "application/msgpack") != 0)
        return read_other(event, payload, problem);
    const char *what = tulle__json_to_msgpack(payload, &event->payload);
    return what == NULL || tell(problem, what);
}

static bool
read_fields(struct tulle__pub_event *event, json_t *root, char *problem)
{
    const char *kind = json_string_value(json_object_get(root, "kind"));
    event->is_skipped = kind != NULL && strcmp(kind, "event") != 0;
    if (event->is_skipped)
        return true;
    for (void *at = json_object_iter(root); at != NULL; at = json_object_iter_next(root, at)) {
        const char *key = json_object_iter_key(at);
        if (!is_known(key)) {
            (void)snprintf(problem, TULLE__PUB_PROBLEM_LEN, "unknown field \"%.100s\"", key);
            return false;
        }
    }
    const json_t *topic = json_object_get(root, "topic");
    const json_t *type = json_object_get(root, "content_type");
    event->topic = json_string_value(topic);
    event->content_type = json_string_value(type);
    if (event->topic == NULL)
        return tell(problem, topic == NULL ? "\"topic\" is missing" : "\"topic\" is no string");
    if (strlen(event->topic) != json_string_length(topic))
        return tell(problem, "\"topic\" contains a zero byte");
    if (type != NULL && event->content_type == NULL)
        return tell(problem, "\"content_type\" is no string");
    return read_headers(event, json_object_get(root, "headers"), problem) &&
           read_payload(event, root, problem);
}

bool
tulle__pub_line(struct tulle__pub_event *event,
                const char *line,
                size_t len,
                char problem[static TULLE__PUB_PROBLEM_LEN])
{
    json_decref(event->json);
    event->header_count = 0;
    event->json = parse(line, len, problem);
    if (event->json == NULL)
        return false;
    if (!json_is_object(event->json))
        return tell(problem, "no JSON object");
    if (!read_fields(event, event->json, problem))
        return false;
    return !event->payload.has_failed || tell(problem, "out of memory");
}
