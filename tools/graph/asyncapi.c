/* SPDX-License-Identifier: MPL-2.0 */

/* The document is put together as a value, so that names can be kept apart, and then printed. */

#include "tools/graph/asyncapi.h"

#include "app/json.h"
#include "tools/common/choose.h"
#include "tools/common/terminal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_LEN = 200, ADDRESS_LEN = 1024, OPERATIONS_MAX = 20000 };

struct document {
    struct tulle__asyncapi *asyncapi;
    json_t *root, *servers, *channels, *operations;
    bool has_failed;
};

/* Set a field of an object; value is taken over. NULL is no memory. */
static void
set(struct document *document, json_t *object, const char *key, json_t *value)
{
    if (object == NULL || json_object_set_new(object, key, value) != 0)
        document->has_failed = true;
}

static json_t *
text_json(const char *text)
{
    return tulle__schema_text(text, strlen(text));
}

/* A key of letters, digits, _ and - that is not in the object yet; NULL: in none. */
static void
make_key(const json_t *object, const char *text, char out[static NAME_LEN])
{
    size_t len = 0;
    for (; *text != '\0' && len < NAME_LEN - 24; text++) {
        bool is_plain = (*text >= '0' && *text <= '9') || (*text >= 'A' && *text <= 'Z') ||
                        (*text >= 'a' && *text <= 'z') || *text == '-';
        if (is_plain)
            out[len++] = *text;
        else if (len > 0 && out[len - 1] != '_')
            out[len++] = '_';
    }
    while (len > 0 && out[len - 1] == '_')
        len--;
    if (len == 0)
        out[len++] = 'x';
    out[len] = '\0';
    /* From the count on, so that a thousand of one name are not compared one by one. */
    for (size_t i = json_object_size(object) + 1; json_object_get(object, out) != NULL; i++)
        (void)snprintf(out + len, 24, "_%zu", i);
}

/* ---- servers: nodes with an address ---- */

static void
put_server(struct document *document, size_t index)
{
    const struct tulle__mesh *mesh = document->asyncapi->mesh;
    const tulle_seen_node *node = &mesh->snapshot->nodes[index];
    char key[NAME_LEN];
    char host[ADDRESS_LEN];
    static const char scheme[] = "tcp://";
    if (node->is_self || node->is_proxy || !tulle__mesh_is_live(node) ||
        strncmp(node->address, scheme, sizeof scheme - 1) != 0)
        return;
    size_t len = strcspn(node->address + sizeof scheme - 1, " ");
    (void)snprintf(host, sizeof host, "%.*s", (int)len, node->address + sizeof scheme - 1);
    make_key(document->servers, mesh->nodes[index].label, key);
    json_t *server = json_object();
    set(document, server, "host", text_json(host));
    set(document, server, "protocol", json_string("tulle"));
    set(document, server, "protocolVersion", json_string("1"));
    set(document, server, "title", text_json(mesh->nodes[index].label));
    set(document, server, "description",
        json_string("Control address of a node; any one leads to all."));
    set(document, document->servers, key, server);
}

/* ---- messages ---- */

/* What a payload is, of events whose content type says neither msgpack nor JSON, or wrongly. */
static json_t *
opaque_json(const char *content_type)
{
    if (strncmp(content_type, "text/", 5) == 0)
        return json_pack("{ss}", "type", "string");
    return json_pack("{ssss}", "type", "string", "contentEncoding", "base64");
}

static void
put_message(struct document *document, const struct tulle__message_kind *kind, json_t *message)
{
    const char *type = kind->content_type[0] != '\0' ? kind->content_type : "application/msgpack";
    char summary[80];
    (void)snprintf(summary, sizeof summary, "%" PRIu64 " event%s seen", kind->count,
                   kind->count == 1 ? "" : "s");
    set(document, message, "contentType", text_json(type));
    set(document, message, "summary", json_string(summary));
    if (kind->payload.count > 0)
        set(document, message, "payload", tulle__schema_json(&kind->payload));
    else if (kind->unreadable > 0)
        set(document, message, "payload", opaque_json(kind->content_type));
    if (kind->headers.field_count > 0)
        set(document, message, "headers", tulle__schema_json(&kind->headers));
}

static json_t *
messages_json(struct document *document, const struct tulle__channel *channel)
{
    json_t *messages = json_object();
    for (size_t i = 0; i < channel->kind_count; i++) {
        const struct tulle__message_kind *kind = &channel->kinds[i];
        const char *type = kind->content_type[0] != '\0' ? kind->content_type : "msgpack";
        char key[NAME_LEN];
        json_t *message = json_object();
        make_key(messages, type, key);
        put_message(document, kind, message);
        set(document, messages, key, message);
    }
    return messages;
}

/* ---- operations ---- */

/* Is it there already, of another node of that name? */
static bool
has_operation(const struct document *document, const char *key, const char *label)
{
    const json_t *operation = json_object_get(document->operations, key);
    const char *title = json_string_value(json_object_get(operation, "title"));
    return title != NULL && strcmp(title, label) == 0;
}

static void
put_operation_of(struct document *document,
                 const char *action,
                 const char *label,
                 const char *channel_key)
{
    char text[NAME_LEN * 2];
    char reference[NAME_LEN + 16];
    char key[NAME_LEN];
    (void)snprintf(text, sizeof text, "%.100s-%s-%.90s", label, action, channel_key);
    (void)snprintf(reference, sizeof reference, "#/channels/%s", channel_key);
    make_key(NULL, text, key);
    if (has_operation(document, key, label))
        return;
    make_key(document->operations, text, key);
    json_t *operation = json_object();
    json_t *tag = json_object();
    set(document, operation, "action", json_string(action));
    set(document, operation, "channel", json_pack("{ss}", "$ref", reference));
    set(document, operation, "title", text_json(label));
    set(document, tag, "name", text_json(label));
    set(document, operation, "tags", json_pack("[o]", tag));
    set(document, document->operations, key, operation);
}

static void
put_operation(struct document *document,
              const char *action,
              uint64_t id,
              const char *name,
              const char *channel_key)
{
    struct tulle__text label = { 0 };
    if (json_object_size(document->operations) >= OPERATIONS_MAX) {
        document->asyncapi->is_cut = true;
        return;
    }
    if (name[0] != '\0')
        tulle__terminal_put_safe(&label, name, strlen(name));
    else
        tulle__text_id(&label, id);
    tulle__text_char(&label, '\0');
    if (label.has_failed)
        document->has_failed = true;
    else
        put_operation_of(document, action, label.bytes, channel_key);
    tulle__text_free(&label);
}

static void
put_receivers(struct document *document, const struct tulle__channel *channel, const char *key)
{
    const tulle_snapshot *s = document->asyncapi->mesh->snapshot;
    for (size_t i = 0; i < s->node_count; i++) {
        const tulle_seen_node *node = &s->nodes[i];
        bool takes_it = false;
        if (node->is_self || node->is_proxy || !tulle__mesh_is_live(node))
            continue;
        for (size_t k = 0; k < channel->stream_count && !takes_it; k++)
            takes_it = tulle__take_of(node, channel->streams[k]) != NULL;
        if (takes_it)
            put_operation(document, "receive", node->id, node->name, key);
    }
}

/* ---- channels ---- */

static void
put_channel(struct document *document,
            const struct tulle__channel *channel,
            const char *address,
            json_t *parameters)
{
    char key[NAME_LEN];
    json_t *out = json_object();
    make_key(document->channels, address, key);
    set(document, out, "address", text_json(address));
    set(document, out, "messages", messages_json(document, channel));
    if (json_object_size(parameters) > 0)
        set(document, out, "parameters", json_deep_copy(parameters));
    set(document, document->channels, key, out);
    for (size_t i = 0; i < channel->sender_count; i++)
        put_operation(document, "send", channel->senders[i].id, channel->senders[i].name, key);
    put_receivers(document, channel, key);
}

/* Braces mean a parameter in addresses. */
static void
put_name(struct tulle__text *address, const char *name)
{
    for (; *name != '\0'; name++) {
        if (*name == '{' || *name == '}')
            tulle__text_str(address, *name == '{' ? "%7B" : "%7D");
        else
            tulle__text_char(address, *name);
    }
}

static void
put_level(struct document *document,
          const struct tulle__level *level,
          unsigned depth,
          struct tulle__text *address,
          json_t *parameters)
{
    size_t len = address->len;
    char name[32];
    if (depth > 1)
        tulle__text_char(address, '/');
    (void)snprintf(name, sizeof name, "level%u", depth);
    if (level->name == NULL) {
        tulle__text_format(address, "{%s}", name);
        set(document, parameters, name,
            json_pack("{ss}", "description", "A level of the topic that has many names."));
    } else {
        put_name(address, level->name);
    }
    if (level->channel != NULL) {
        tulle__text_char(address, '\0');
        if (!address->has_failed)
            put_channel(document, level->channel, address->bytes, parameters);
        address->len -= !address->has_failed;
    }
    for (size_t i = 0; i < level->below_count; i++)
        put_level(document, &level->below[i], depth + 1, address, parameters);
    if (level->name == NULL)
        (void)json_object_del(parameters, name);
    document->has_failed = document->has_failed || address->has_failed;
    address->len = len;
}

static void
put_channels(struct document *document)
{
    const struct tulle__channels *channels = document->asyncapi->channels;
    struct tulle__text address = { 0 };
    json_t *parameters = json_object();
    for (size_t i = 0; i < channels->root.below_count; i++)
        put_level(document, &channels->root.below[i], 1, &address, parameters);
    json_decref(parameters);
    tulle__text_free(&address);
}

static void
put_info(struct document *document)
{
    const struct tulle__asyncapi *asyncapi = document->asyncapi;
    const struct tulle__channels *channels = asyncapi->channels;
    struct tulle__text text = { 0 };
    json_t *info = json_object();
    tulle__text_str(&text, "Seen at ");
    tulle__text_time(&text, (int64_t)asyncapi->mesh->snapshot->time_us);
    tulle__text_format(&text,
                       ": %" PRIu64 " events, from which the schemas are learnt. What was not seen "
                       "is not in here.",
                       channels->event_count);
    set(document, info, "title", text_json(asyncapi->title));
    set(document, info, "version", text_json(asyncapi->version));
    set(document, info, "description", text.has_failed ? NULL : json_stringn(text.bytes, text.len));
    set(document, document->root, "info", info);
    tulle__text_free(&text);
}

void
tulle__asyncapi_put(struct tulle__asyncapi *asyncapi, struct tulle__text *out)
{
    struct document document = { .asyncapi = asyncapi,
                                 .root = json_object(),
                                 .servers = json_object(),
                                 .channels = json_object(),
                                 .operations = json_object() };
    set(&document, document.root, "asyncapi", json_string("3.0.0"));
    put_info(&document);
    set(&document, document.root, "defaultContentType", json_string("application/msgpack"));
    for (size_t i = 0; i < asyncapi->mesh->snapshot->node_count; i++)
        put_server(&document, i);
    put_channels(&document);
    if (json_object_size(document.servers) > 0)
        set(&document, document.root, "servers", json_incref(document.servers));
    set(&document, document.root, "channels", json_incref(document.channels));
    set(&document, document.root, "operations", json_incref(document.operations));
    char *text = document.has_failed ? NULL : json_dumps(document.root, JSON_INDENT(2));
    out->has_failed = out->has_failed || text == NULL;
    if (text != NULL)
        tulle__json_put_safe(out, text, strlen(text));
    tulle__text_char(out, '\n');
    free(text);
    json_decref(document.root);
    json_decref(document.servers);
    json_decref(document.channels);
    json_decref(document.operations);
}
