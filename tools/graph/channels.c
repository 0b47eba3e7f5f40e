/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/graph/channels.h"

#include "app/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one channel ---- */

static void
free_kind(struct tulle__message_kind *kind)
{
    free(kind->content_type);
    tulle__schema_fini(&kind->payload);
    tulle__schema_fini(&kind->headers);
}

static void
free_channel(struct tulle__channel **pointer)
{
    struct tulle__channel *channel = *pointer;
    if (channel == NULL)
        return;
    for (size_t i = 0; i < channel->kind_count; i++)
        free_kind(&channel->kinds[i]);
    for (size_t i = 0; i < channel->stream_count; i++)
        free(channel->streams[i]);
    free(channel->senders);
    free(channel);
    *pointer = NULL;
}

static struct tulle__message_kind *
get_kind(struct tulle__channel *channel, struct tulle__schema_pool *pool, const char *content_type)
{
    for (size_t i = 0; i < channel->kind_count; i++) {
        if (strcmp(channel->kinds[i].content_type, content_type) == 0)
            return &channel->kinds[i];
    }
    if (channel->kind_count == TULLE__CHANNEL_MESSAGES_MAX) {
        pool->is_cut = true;
        return NULL;
    }
    char *copy = strdup(content_type);
    pool->has_failed = pool->has_failed || copy == NULL;
    if (copy == NULL)
        return NULL;
    struct tulle__message_kind *kind = &channel->kinds[channel->kind_count++];
    *kind = (struct tulle__message_kind){ .content_type = copy };
    return kind;
}

static void
add_stream(struct tulle__channel *channel, struct tulle__schema_pool *pool, const char *stream)
{
    for (size_t i = 0; i < channel->stream_count; i++) {
        if (strcmp(channel->streams[i], stream) == 0)
            return;
    }
    if (channel->stream_count == TULLE__CHANNEL_STREAMS_MAX)
        return; /* of a parameter: enough to tell who takes it */
    char *copy = strdup(stream);
    pool->has_failed = pool->has_failed || copy == NULL;
    if (copy != NULL)
        channel->streams[channel->stream_count++] = copy;
}

static void
add_sender(struct tulle__channel *channel,
           struct tulle__schema_pool *pool,
           uint64_t id,
           const char *name)
{
    /* Who starts again has a new id and the same name. */
    for (size_t i = 0; i < channel->sender_count; i++) {
        if (channel->senders[i].id == id ||
            (name[0] != '\0' && strcmp(channel->senders[i].name, name) == 0))
            return;
    }
    if (channel->sender_count == TULLE__CHANNEL_SENDERS_MAX) {
        pool->is_cut = true;
        return;
    }
    struct tulle__sender *senders =
        realloc(channel->senders, (channel->sender_count + 1) * sizeof *senders);
    pool->has_failed = pool->has_failed || senders == NULL;
    if (senders == NULL)
        return;
    channel->senders = senders;
    struct tulle__sender *sender = &senders[channel->sender_count++];
    sender->id = id;
    (void)snprintf(sender->name, sizeof sender->name, "%s", name);
}

/* JSON is learnt from as the msgpack that it stands for. */
static bool
learn_json(struct tulle__schema *schema, struct tulle__schema_pool *pool, const tulle_event *event)
{
    struct tulle__text packed = { 0 };
    json_t *value = json_loadb(event->payload, event->payload_len,
                               JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    bool is_read = value != NULL && tulle__json_to_msgpack(value, &packed) == NULL &&
                   !packed.has_failed && tulle__msgpack_is_valid(packed.bytes, packed.len);
    if (is_read)
        tulle__schema_learn(schema, pool, packed.bytes, packed.len);
    json_decref(value);
    tulle__text_free(&packed);
    return is_read;
}

static void
learn_payload(struct tulle__message_kind *kind,
              struct tulle__schema_pool *pool,
              const tulle_event *event)
{
    kind->count++;
    if (event->payload_len == 0)
        kind->empty++;
    else if (tulle__payload_is_msgpack(event))
        tulle__schema_learn(&kind->payload, pool, event->payload, event->payload_len);
    else if (!tulle__is_json_type(event->content_type) || !learn_json(&kind->payload, pool, event))
        kind->unreadable++;
    if (event->header_count > 0) {
        tulle__schema_learn_object(&kind->headers);
        for (size_t i = 0; i < event->header_count; i++) {
            const tulle_header *header = &event->headers[i];
            struct tulle__schema *field =
                tulle__schema_field(&kind->headers, pool, header->name, strlen(header->name));
            if (field != NULL)
                tulle__schema_learn_string(field, header->value, strlen(header->value));
        }
    } else {
        tulle__schema_learn_object(&kind->headers);
    }
}

static void
learn_event(struct tulle__channel *channel,
            struct tulle__schema_pool *pool,
            const tulle_event *event)
{
    const char *content_type = event->content_type != NULL ? event->content_type : "";
    struct tulle__message_kind *kind = get_kind(channel, pool, content_type);
    channel->count++;
    add_sender(channel, pool, event->node, event->node_name);
    add_stream(channel, pool, event->stream);
    if (kind != NULL)
        learn_payload(kind, pool, event);
}

static void
merge_channel(struct tulle__channel *into,
              struct tulle__schema_pool *pool,
              struct tulle__channel *from)
{
    into->count += from->count;
    for (size_t i = 0; i < from->sender_count; i++)
        add_sender(into, pool, from->senders[i].id, from->senders[i].name);
    for (size_t i = 0; i < from->stream_count; i++)
        add_stream(into, pool, from->streams[i]);
    for (size_t i = 0; i < from->kind_count; i++) {
        struct tulle__message_kind *other = &from->kinds[i];
        struct tulle__message_kind *kind = get_kind(into, pool, other->content_type);
        if (kind == NULL)
            continue;
        kind->count += other->count;
        kind->unreadable += other->unreadable;
        kind->empty += other->empty;
        tulle__schema_merge(&kind->payload, pool, &other->payload);
        tulle__schema_merge(&kind->headers, pool, &other->headers);
    }
}

/* ---- levels ---- */

static void
free_level(struct tulle__level *level)
{
    for (size_t i = 0; i < level->below_count; i++)
        free_level(&level->below[i]);
    free(level->below);
    free(level->name);
    free_channel(&level->channel);
    *level = (struct tulle__level){ 0 };
}

void
tulle__channels_fini(struct tulle__channels *channels)
{
    free_level(&channels->root);
}

/* name NULL: the parameter */
static struct tulle__level *
add_level(struct tulle__channels *channels,
          struct tulle__level *above,
          const char *name,
          size_t len)
{
    struct tulle__level *below = realloc(above->below, (above->below_count + 1) * sizeof *below);
    if (below != NULL)
        above->below = below;
    char *copy = below != NULL && name != NULL ? strndup(name, len) : NULL;
    if (below == NULL || (name != NULL && copy == NULL)) {
        channels->pool.has_failed = true;
        return NULL;
    }
    channels->level_count++;
    below[above->below_count] = (struct tulle__level){ .name = copy };
    return &below[above->below_count++];
}

static void
merge_level(struct tulle__channels *channels, struct tulle__level *into, struct tulle__level *from);

/* All that is below becomes one parameter. */
static struct tulle__level *
fold(struct tulle__channels *channels, struct tulle__level *above)
{
    struct tulle__level old = { .below = above->below, .below_count = above->below_count };
    above->below = NULL;
    above->below_count = 0;
    struct tulle__level *parameter = add_level(channels, above, NULL, 0);
    for (size_t i = 0; parameter != NULL && i < old.below_count; i++)
        merge_level(channels, parameter, &old.below[i]);
    channels->level_count -= old.below_count;
    free_level(&old);
    return parameter;
}

static struct tulle__level *
get_level(struct tulle__channels *channels,
          struct tulle__level *above,
          const char *name,
          size_t len)
{
    for (size_t i = 0; i < above->below_count; i++) {
        struct tulle__level *level = &above->below[i];
        if (level->name == NULL ||
            (name != NULL && strlen(level->name) == len && memcmp(level->name, name, len) == 0))
            return level;
    }
    if (name == NULL || above->below_count >= channels->fold)
        return fold(channels, above);
    if (channels->level_count >= TULLE__CHANNEL_LEVELS_MAX)
        return NULL;
    return add_level(channels, above, name, len);
}

static void
merge_level(struct tulle__channels *channels, struct tulle__level *into, struct tulle__level *from)
{
    if (into->channel == NULL) {
        into->channel = from->channel;
        from->channel = NULL;
    } else if (from->channel != NULL) {
        merge_channel(into->channel, &channels->pool, from->channel);
        channels->channel_count--;
        free_channel(&from->channel);
    }
    for (size_t i = 0; i < from->below_count; i++) {
        struct tulle__level *other = &from->below[i];
        struct tulle__level *level =
            get_level(channels, into, other->name, other->name != NULL ? strlen(other->name) : 0);
        if (level != NULL)
            merge_level(channels, level, other);
    }
}

void
tulle__channels_learn(struct tulle__channels *channels, const tulle_event *event)
{
    struct tulle__level *level = &channels->root;
    const char *at = event->topic;
    channels->event_count++;
    for (;;) {
        size_t len = strcspn(at, "/");
        level = get_level(channels, level, at, len);
        if (level == NULL) {
            channels->over_count++;
            return;
        }
        if (at[len] == '\0')
            break;
        at += len + 1;
    }
    if (level->channel == NULL && channels->channel_count < TULLE__CHANNELS_MAX) {
        level->channel = calloc(1, sizeof *level->channel);
        channels->pool.has_failed = channels->pool.has_failed || level->channel == NULL;
        channels->channel_count += level->channel != NULL;
    }
    if (level->channel != NULL)
        learn_event(level->channel, &channels->pool, event);
    else
        channels->over_count++;
}
