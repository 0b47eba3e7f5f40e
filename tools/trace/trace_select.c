/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/trace/trace_select.h"

#include "app/json.h"

#include <tulle/topic.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *
tulle__trace_check_name(const char *name)
{
    const char *first = strchr(name, '/');
    const char *last = strrchr(name, '/');
    uint64_t seq = 0;
    if (first == NULL || first == name || last <= first + 1 ||
        !tulle__parse_u64(last + 1, 1, UINT64_MAX, &seq))
        return "is not NODE/STREAM/SEQ, as tap -v prints it";
    return NULL;
}

/* Does the name begin with "NODE/STREAM/", and what follows? */
static bool
is_of_lane(const char *name, const char *node, const char *stream, uint64_t *seq)
{
    size_t node_len = strlen(node);
    size_t stream_len = strlen(stream);
    if (node_len == 0 || strncmp(name, node, node_len) != 0 || name[node_len] != '/')
        return false;
    name += node_len + 1;
    if (strncmp(name, stream, stream_len) != 0 || name[stream_len] != '/')
        return false;
    return tulle__parse_u64(name + stream_len + 1, 1, UINT64_MAX, seq);
}

static bool
is_in_lane(
    const char *name, uint64_t node, const char *node_name, const char *stream, uint64_t *seq)
{
    char id[20];
    (void)snprintf(id, sizeof id, "%016" PRIx64, node);
    return is_of_lane(name, id, stream, seq) || is_of_lane(name, node_name, stream, seq);
}

/* One level of a path: a key of an object, or an index of an array. */
static const json_t *
step_into(const json_t *value, const char *key, size_t len)
{
    char text[256];
    uint64_t index = 0;
    if (len >= sizeof text)
        return NULL;
    memcpy(text, key, len);
    text[len] = '\0';
    if (json_is_array(value) && tulle__parse_u64(text, 0, SIZE_MAX, &index))
        return json_array_get(value, (size_t)index);
    return json_object_get(value, text);
}

static bool
has_value(const json_t *value, const char *wanted)
{
    if (value == NULL)
        return false;
    if (json_is_string(value))
        return strcmp(json_string_value(value), wanted) == 0;
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    bool is_same = text != NULL && strcmp(text, wanted) == 0;
    free(text);
    return is_same;
}

static bool
find_holds(const json_t *payload, const char *find)
{
    const char *equals = strchr(find, '=');
    const char *at = find + (find[0] == '.');
    while (payload != NULL && at < equals) {
        size_t len = strcspn(at, ".=");
        payload = step_into(payload, at, len);
        at += len + (at[len] == '.');
    }
    return has_value(payload, equals + 1);
}

static bool
finds_hold(const struct tulle__list *finds, const tulle_event *event)
{
    struct tulle__text text = { 0 };
    json_t *payload = NULL;
    if (finds->count == 0)
        return true;
    tulle__payload_put(event, &text);
    if (!text.has_failed && text.len > 0)
        payload = json_loadb(text.bytes, text.len, JSON_DECODE_ANY, NULL);
    tulle__text_free(&text);
    bool holds = payload != NULL;
    for (size_t i = 0; i < finds->count && holds; i++)
        holds = find_holds(payload, finds->items[i]);
    json_decref(payload);
    return holds;
}

static bool
topic_matches(const struct tulle__list *topics, const char *topic)
{
    bool matches = topics->count == 0;
    for (size_t i = 0; i < topics->count && !matches; i++)
        matches = tulle_pattern_matches(topics->items[i], topic);
    return matches;
}

static bool
has_conditions(const struct tulle__trace_selection *selection)
{
    return selection->topics.count > 0 || selection->finds.count > 0 || selection->where != NULL;
}

static bool
where_holds(struct tulle__query *where, const tulle_message *message)
{
    struct tulle__text json = { 0 };
    if (where == NULL)
        return true;
    tulle__json_message(message, 0, &json);
    bool holds = !json.has_failed && tulle__query_holds(where, json.bytes, json.len);
    tulle__text_free(&json);
    return holds;
}

bool
tulle__trace_selects_all(const struct tulle__trace_selection *selection)
{
    return selection->name_count == 0 && !has_conditions(selection);
}

bool
tulle__trace_selects(const struct tulle__trace_selection *selection, const tulle_message *message)
{
    const tulle_event *event = &message->u.event;
    for (size_t i = 0; i < selection->name_count; i++) {
        uint64_t seq = 0;
        if (is_in_lane(selection->names[i], event->node, event->node_name, event->stream, &seq) &&
            seq == event->seq)
            return true;
    }
    if (selection->name_count > 0 && !has_conditions(selection))
        return false;
    return topic_matches(&selection->topics, event->topic) &&
           finds_hold(&selection->finds, event) && where_holds(selection->where, message);
}

void
tulle__trace_select_late(const struct tulle__trace_selection *selection,
                         struct tulle__trace_store *store)
{
    for (size_t i = 0; i < selection->name_count; i++) {
        for (uint32_t j = 0; j < store->lane_count; j++) {
            const struct tulle__trace_lane *lane = &store->lanes[j];
            struct tulle__trace_ref ref = { .lane = j };
            if (!is_in_lane(selection->names[i], lane->node, lane->name, lane->stream, &ref.seq))
                continue;
            uint32_t event = tulle__trace_find(store, ref);
            if (event != TULLE__TRACE_NONE)
                store->events[event].is_asked = true;
        }
    }
}
