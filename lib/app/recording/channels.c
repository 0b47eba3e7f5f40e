/* SPDX-License-Identifier: MPL-2.0 */

/* Channels of a file: topics by name and by number. */

#include "app/recording/writer_state.h"

#include <stdlib.h>
#include <string.h>

/* A failed HASH_ADD leaves the element out and says so in hh.tbl. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct named_channel {
    UT_hash_handle hh;
    struct tulle__channel channel;
    char topic[];
};

struct tulle__channels {
    struct named_channel *table;
    struct tulle__channel *first;
    struct tulle__channel **by_id; /* id 1 at 0 */
    uint32_t count, cap;
};

struct tulle__channels *
tulle__channels_new(void)
{
    return calloc(1, sizeof(struct tulle__channels));
}

void
tulle__channels_free(struct tulle__channels **channels)
{
    if (*channels == NULL)
        return;
    struct named_channel *named = (*channels)->table;
    HASH_CLEAR(hh, (*channels)->table);
    while (named != NULL) {
        struct named_channel *next = named->hh.next;
        tulle__text_free(&named->channel.index);
        free(named);
        named = next;
    }
    free((*channels)->by_id);
    free(*channels);
    *channels = NULL;
}

struct tulle__channel *
tulle__channels_first(const struct tulle__channels *channels)
{
    return channels->first;
}

uint32_t
tulle__channels_count(const struct tulle__channels *channels)
{
    return channels->count;
}

struct tulle__channel *
tulle__channels_find(const struct tulle__channels *channels, const char *topic, size_t len)
{
    struct named_channel *named = NULL;
    HASH_FIND(hh, channels->table, topic, len, named);
    return named != NULL ? &named->channel : NULL;
}

struct tulle__channel *
tulle__channels_by_id(const struct tulle__channels *channels, uint64_t id)
{
    return id >= 1 && id <= channels->count ? channels->by_id[id - 1] : NULL;
}

static bool
grow(struct tulle__channels *channels)
{
    if (channels->count < channels->cap)
        return true;
    uint32_t cap = channels->cap == 0 ? 64 : 2 * channels->cap;
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what is wanted */
    struct tulle__channel **by_id = realloc(channels->by_id, cap * sizeof *by_id);
    if (by_id == NULL)
        return false;
    channels->by_id = by_id;
    channels->cap = cap;
    return true;
}

struct tulle__channel *
tulle__channels_add(struct tulle__channels *channels, const char *topic, size_t len)
{
    if (channels->count >= UINT16_MAX || !grow(channels))
        return NULL;
    struct named_channel *named = calloc(1, sizeof *named + len + 1);
    if (named == NULL)
        return NULL;
    memcpy(named->topic, topic, len);
    HASH_ADD_KEYPTR(hh, channels->table, named->topic, len, named);
    if (named->hh.tbl == NULL) {
        free(named);
        return NULL;
    }
    struct tulle__channel *channel = &named->channel;
    channel->topic = named->topic;
    channel->id = (uint16_t)(channels->count + 1);
    if (channels->count > 0)
        channels->by_id[channels->count - 1]->next = channel;
    else
        channels->first = channel;
    channels->by_id[channels->count++] = channel;
    return channel;
}
