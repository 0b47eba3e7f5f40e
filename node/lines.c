/* SPDX-License-Identifier: MPL-2.0 */

/* Lines to events. The lines come from a command that the operator chose, but
 * what it prints may well repeat what a peer sent: jansson bounds the depth. */

#include "lines.h"

#include "app/json.h"
#include "app/msgpack_parts.h"

#include <tulle/topic.h>

#include <jansson.h>
#include <string.h>

static const char *
set_topic(struct tulle__line *out, const char *topic)
{
    if (topic == NULL)
        return "it names no topic and --publish-to is not given";
    if (!tulle_topic_is_valid(topic))
        return "its topic is not valid";
    size_t len = strlen(topic);
    if (len >= sizeof out->topic)
        return "its topic is too long";
    memcpy(out->topic, topic, len + 1);
    return NULL;
}

static const char *
read_json(json_t *json, const char *topic, struct tulle__line *out)
{
    json_t *payload = json;
    const json_t *named = json_object_get(json, "topic"); /* NULL when json is no object */
    json_t *null = NULL;
    if (json_is_string(named)) {
        topic = json_string_value(named);
        payload = json_object_get(json, "payload");
        if (payload == NULL)
            payload = null = json_null();
    }
    const char *problem = set_topic(out, topic);
    if (problem == NULL)
        problem = tulle__json_to_msgpack(payload, &out->payload);
    json_decref(null);
    return problem;
}

const char *
tulle__line_read(const char *line, size_t len, const char *topic, struct tulle__line *out)
{
    tulle__text_clear(&out->payload);
    json_t *json = json_loadb(line, len, JSON_DECODE_ANY, NULL);
    const char *problem = NULL;
    if (json != NULL) {
        problem = read_json(json, topic, out);
        json_decref(json);
    } else {
        problem = set_topic(out, topic);
        if (problem == NULL)
            tulle__msgpack_put_str(&out->payload, line, len);
    }
    if (problem == NULL && out->payload.has_failed)
        problem = "out of memory";
    return problem;
}
