/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_CHANNELS_H
#define TULLE_TOOLS_CHANNELS_H

/* Topics that events were seen on, as channels. Where a level of topics has very many names, such
 * as those of sensors, it is a parameter, and what is below is one. */

#include "tools/graph/schema.h"

#include <tulle/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TULLE__CHANNELS_MAX = 2000,        /* channels of a document */
    TULLE__CHANNEL_LEVELS_MAX = 20000, /* parts of their topics */
    TULLE__CHANNEL_SENDERS_MAX = 200,  /* of each */
    TULLE__CHANNEL_MESSAGES_MAX = 8,   /* content types of each */
    TULLE__CHANNEL_STREAMS_MAX = 16    /* of each */
};

struct tulle__sender {
    uint64_t id;
    char name[64];
};

/* Events of one content type. */
struct tulle__message_kind {
    char *content_type; /* "" for msgpack that says nothing */
    uint64_t count;
    uint64_t unreadable; /* of them: not what their type says */
    uint64_t empty;      /* of them: without a payload */
    struct tulle__schema payload;
    struct tulle__schema headers;
};

struct tulle__channel {
    uint64_t count; /* events */
    struct tulle__message_kind kinds[TULLE__CHANNEL_MESSAGES_MAX];
    size_t kind_count;
    struct tulle__sender *senders;
    size_t sender_count;
    char *streams[TULLE__CHANNEL_STREAMS_MAX];
    size_t stream_count;
};

/* A level of topics. */
struct tulle__level {
    char *name; /* NULL: a parameter */
    struct tulle__level *below;
    size_t below_count;
    struct tulle__channel *channel; /* topics that end here; NULL: none */
};

struct tulle__channels {
    struct tulle__level root;
    struct tulle__schema_pool pool;
    size_t fold; /* more names than this at a level are a parameter */
    size_t channel_count;
    size_t level_count;
    uint64_t event_count;
    uint64_t over_count; /* events that there was no room for */
};

void tulle__channels_learn(struct tulle__channels *channels, const tulle_event *event);
void tulle__channels_fini(struct tulle__channels *channels);

#endif
