/* SPDX-License-Identifier: MPL-2.0 */

/* A table of lanes by node and stream, and blocks of text that are freed at once. */

#include "app/recording/lanes.h"

#include <tulle/options.h>

#include <stdlib.h>
#include <string.h>

/* A failed HASH_ADD leaves the element out and says so in hh.tbl. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

enum { BLOCK_LEN = 65536 };

struct block {
    struct block *next;
    size_t used, cap;
    char bytes[];
};

/* The node's id and the stream's name in one row. */
struct key {
    size_t len;
    char bytes[sizeof(uint64_t) + TULLE_TOPIC_LEN_MAX];
};

struct named_lane {
    UT_hash_handle hh;
    struct tulle__chunk_lane lane;
    struct key key;
};

struct tulle__chunk_lanes {
    struct named_lane *table;
    struct block *blocks;
};

struct tulle__chunk_lanes *
tulle__chunk_lanes_new(void)
{
    return calloc(1, sizeof(struct tulle__chunk_lanes));
}

static void
free_blocks(struct block *block)
{
    while (block != NULL) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
}

void
tulle__chunk_lanes_reset(struct tulle__chunk_lanes *lanes)
{
    struct named_lane *named = lanes->table;
    HASH_CLEAR(hh, lanes->table);
    while (named != NULL) {
        struct named_lane *next = named->hh.next;
        free(named->lane.clock.entries);
        free(named->lane.deps.entries);
        free(named);
        named = next;
    }
    /* One block stays: most chunks need no more. */
    if (lanes->blocks != NULL) {
        free_blocks(lanes->blocks->next);
        lanes->blocks->next = NULL;
        lanes->blocks->used = 0;
    }
}

void
tulle__chunk_lanes_free(struct tulle__chunk_lanes **lanes)
{
    if (*lanes == NULL)
        return;
    tulle__chunk_lanes_reset(*lanes);
    free_blocks((*lanes)->blocks);
    free(*lanes);
    *lanes = NULL;
}

struct tulle__chunk_lane *
tulle__chunk_lanes_get(struct tulle__chunk_lanes *lanes, uint64_t node, const char *stream)
{
    size_t len = strlen(stream);
    if (len == 0 || len > TULLE_TOPIC_LEN_MAX)
        return NULL;
    struct key key = { .len = sizeof node + len };
    memcpy(key.bytes, &node, sizeof node);
    memcpy(key.bytes + sizeof node, stream, len);
    struct named_lane *named = NULL;
    HASH_FIND(hh, lanes->table, key.bytes, key.len, named);
    if (named != NULL)
        return &named->lane;
    named = calloc(1, sizeof *named);
    if (named == NULL)
        return NULL;
    named->key = key;
    HASH_ADD_KEYPTR(hh, lanes->table, named->key.bytes, named->key.len, named);
    if (named->hh.tbl != NULL)
        return &named->lane;
    free(named);
    return NULL;
}

bool
tulle__chunk_clock_push(struct tulle__chunk_clock *clock,
                        uint64_t node,
                        const char *stream,
                        uint64_t count)
{
    if (stream == NULL)
        return false;
    if (clock->count == clock->cap) {
        size_t cap = clock->cap == 0 ? 8 : 2 * clock->cap;
        tulle_clock_entry *entries = realloc(clock->entries, cap * sizeof *entries);
        if (entries == NULL)
            return false;
        clock->entries = entries;
        clock->cap = cap;
    }
    clock->entries[clock->count++] =
        (tulle_clock_entry){ .node = node, .stream = stream, .count = count };
    return true;
}

const char *
tulle__chunk_lanes_copy(struct tulle__chunk_lanes *lanes, const char *text, size_t len)
{
    struct block *block = lanes->blocks;
    if (block == NULL || block->cap - block->used <= len) {
        size_t cap = len < BLOCK_LEN ? BLOCK_LEN : len + 1;
        block = malloc(sizeof *block + cap);
        if (block == NULL)
            return NULL;
        block->next = lanes->blocks;
        block->used = 0;
        block->cap = cap;
        lanes->blocks = block;
    }
    char *copy = block->bytes + block->used;
    memcpy(copy, text, len);
    copy[len] = '\0';
    block->used += len + 1;
    return copy;
}
