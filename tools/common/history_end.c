/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/common/history_end.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* A failed HASH_ADD leaves the element out and says so in hh.tbl. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* A lane, and where it ended when it was seen first. */
struct lane_end {
    UT_hash_handle hh;
    uint64_t head;
    size_t key_len;
    unsigned char key[]; /* id and stream */
};

struct tulle__history_end {
    struct lane_end *lanes;
    size_t peers;
    int64_t settle_us;
    int64_t news_us; /* when something new was seen last; 0: never */
    /* of one look */
    int64_t now_us;
    size_t up_count;
    size_t open_count; /* lanes that are not delivered up to their end */
};

struct tulle__history_end *
tulle__history_end_new(int64_t settle_us)
{
    struct tulle__history_end *end = calloc(1, sizeof *end);
    if (end != NULL)
        end->settle_us = settle_us;
    return end;
}

void
tulle__history_end_free(struct tulle__history_end **pointer)
{
    struct tulle__history_end *end = *pointer;
    if (end == NULL)
        return;
    struct lane_end *lane = end->lanes;
    HASH_CLEAR(hh, end->lanes);
    while (lane != NULL) {
        struct lane_end *next = lane->hh.next;
        free(lane);
        lane = next;
    }
    free(end);
    *pointer = NULL;
}

static void
look_at_peer(const tulle_peer *peer, void *ctx)
{
    struct tulle__history_end *end = ctx;
    end->up_count += peer->state == TULLE_PEER_UP;
}

static struct lane_end *
get_lane(struct tulle__history_end *end, const tulle_lane *lane)
{
    unsigned char key[sizeof lane->node + 256];
    size_t stream_len = strnlen(lane->stream, sizeof key - sizeof lane->node);
    size_t key_len = sizeof lane->node + stream_len;
    memcpy(key, &lane->node, sizeof lane->node);
    memcpy(key + sizeof lane->node, lane->stream, stream_len);
    struct lane_end *found = NULL;
    HASH_FIND(hh, end->lanes, key, key_len, found);
    if (found != NULL)
        return found;
    found = calloc(1, sizeof *found + key_len);
    if (found == NULL)
        return NULL;
    found->head = lane->head;
    found->key_len = key_len;
    memcpy(found->key, key, key_len);
    HASH_ADD_KEYPTR(hh, end->lanes, found->key, found->key_len, found);
    if (found->hh.tbl == NULL) {
        free(found);
        return NULL;
    }
    end->news_us = end->now_us;
    return found;
}

static void
look_at_lane(const tulle_lane *lane, void *ctx)
{
    struct tulle__history_end *end = ctx;
    const struct lane_end *known = get_lane(end, lane);
    if (known == NULL || (!lane->is_begun && known->head > 0) || lane->delivered < known->head)
        end->open_count++;
}

bool
tulle__history_end_is_reached(struct tulle__history_end *end, tulle_node *node, int64_t now_us)
{
    end->now_us = now_us;
    end->up_count = end->open_count = 0;
    if (tulle_node_peers(node, look_at_peer, end) != TULLE_OK ||
        tulle_node_lanes(node, look_at_lane, end) != TULLE_OK)
        return true; /* the node is stopped: nothing comes any more */
    if (end->up_count > end->peers)
        end->news_us = now_us;
    end->peers = end->up_count > end->peers ? end->up_count : end->peers;
    return end->peers > 0 && end->open_count == 0 && now_us - end->news_us >= end->settle_us;
}
