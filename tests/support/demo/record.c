/* SPDX-License-Identifier: MPL-2.0 */

#include "record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *
text_of(const json_t *json, const char *member)
{
    const char *text = json_string_value(json_object_get(json, member));
    return text == NULL ? "" : text;
}

static int64_t
number_of(const json_t *json, const char *member)
{
    return (int64_t)json_integer_value(json_object_get(json, member));
}

int64_t
demo_order_of(const json_t *event)
{
    const json_t *order = json_object_get(json_object_get(event, "payload"), "order");
    return json_is_integer(order) ? (int64_t)json_integer_value(order) : -1;
}

/* RFC 3339 in UTC with microseconds; main() has set the time zone to UTC. */
static int64_t
time_of(const char *text)
{
    struct tm tm = { 0 };
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (rest == NULL || *rest != '.')
        return 0;
    return (int64_t)mktime(&tm) * 1000000 + strtol(rest + 1, NULL, 10);
}

static enum demo_kind
kind_of(const char *text)
{
    if (strcmp(text, "event") == 0)
        return DEMO_EVENT;
    if (strcmp(text, "arrival") == 0)
        return DEMO_ARRIVAL;
    if (strcmp(text, "duplicate") == 0)
        return DEMO_DUPLICATE;
    return strcmp(text, "gap") == 0 ? DEMO_GAP : DEMO_OTHER;
}

static bool
fill(struct demo_line *line)
{
    const json_t *json = line->json;
    line->kind = kind_of(text_of(json, "kind"));
    line->stream = text_of(json, "stream");
    line->topic = text_of(json, "topic");
    line->seq = number_of(json, "seq");
    line->order = demo_order_of(json);
    line->published_us = time_of(text_of(json, "time"));
    line->arrived_us = line->published_us + number_of(json, "delay_us");
    line->held_us = number_of(json, "held_us");
    line->is_repaired = json_is_true(json_object_get(json, "repaired"));
    int lane_len =
        snprintf(line->lane, sizeof line->lane, "%s/%s", text_of(json, "id"), line->stream);
    int name_len = snprintf(line->name, sizeof line->name, "%s/%s/%lld", text_of(json, "id"),
                            line->stream, (long long)line->seq);
    bool is_event = line->kind != DEMO_GAP && line->kind != DEMO_OTHER;
    return lane_len > 0 && name_len > 0 && name_len < DEMO_NAME_LEN &&
           (!is_event || (line->seq > 0 && line->topic[0] != '\0' && line->published_us > 0));
}

static bool
add(struct demo_record *record, const char *text)
{
    if (record->count >= DEMO_LINES_MAX)
        return false;
    if ((record->count & (record->count - 1)) == 0) { /* full at each power of two */
        size_t cap = record->count == 0 ? 1 : record->count * 2;
        struct demo_line *lines = realloc(record->lines, cap * sizeof *lines);
        if (lines == NULL)
            return false;
        record->lines = lines;
    }
    struct demo_line *line = &record->lines[record->count];
    *line = (struct demo_line){ .json = json_loads(text, 0, NULL) };
    if (line->json == NULL)
        return false;
    record->count++;
    return fill(line);
}

bool
demo_record_read(struct demo_record *record, const char *path)
{
    *record = (struct demo_record){ 0 };
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    char *text = NULL;
    size_t cap = 0;
    bool is_good = true;
    while (is_good && getline(&text, &cap, file) > 0)
        is_good = add(record, text);
    if (!is_good)
        (void)fprintf(stderr, "%s: line %zu is not understood: %s", path, record->count, text);
    free(text);
    (void)fclose(file);
    return is_good;
}

void
demo_record_free(struct demo_record *record)
{
    for (size_t i = 0; i < record->count; i++)
        json_decref(record->lines[i].json);
    free(record->lines);
    *record = (struct demo_record){ 0 };
}
