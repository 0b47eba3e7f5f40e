/* SPDX-License-Identifier: MPL-2.0 */

/* Streams of a snapshot: the lanes of one name, taken together. */

#include "tools/common/mesh.h"

#include <stdlib.h>
#include <string.h>

static int
compare_takers(const void *a, const void *b)
{
    uint64_t left = ((const struct tulle__mesh_taker *)a)->node;
    uint64_t right = ((const struct tulle__mesh_taker *)b)->node;
    return (left > right) - (left < right);
}

static int
compare_ids(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static bool
make_room(struct tulle__mesh_stream *stream, size_t takers, size_t holders)
{
    free(stream->takers);
    free(stream->holders);
    stream->takers = calloc(takers + 1, sizeof *stream->takers);
    stream->holders = calloc(holders + 1, sizeof *stream->holders);
    stream->has_failed = stream->takers == NULL || stream->holders == NULL;
    return !stream->has_failed;
}

static void
join_takers(struct tulle__mesh_stream *stream, size_t count)
{
    struct tulle__mesh_taker *takers = stream->takers;
    size_t kept = 0;
    qsort(takers, count, sizeof *takers, compare_takers);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && takers[kept - 1].node == takers[i].node)
            takers[kept - 1].lag += takers[i].lag;
        else
            takers[kept++] = takers[i];
        if (takers[kept - 1].lag > stream->lag)
            stream->lag = takers[kept - 1].lag;
    }
    stream->taker_count = kept;
}

static void
join_holders(struct tulle__mesh_stream *stream, size_t count)
{
    size_t kept = 0;
    qsort(stream->holders, count, sizeof *stream->holders, compare_ids);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || stream->holders[kept - 1] != stream->holders[i])
            stream->holders[kept++] = stream->holders[i];
    }
    stream->holder_count = kept;
}

static void
gather(const tulle_seen_lane *lanes, struct tulle__mesh_stream *stream)
{
    size_t takers = 0;
    size_t holders = 0;
    for (size_t i = 0; i < stream->lane_count; i++) {
        const tulle_seen_lane *lane = &lanes[i];
        stream->events += lane->head;
        if (lane->changed_ms < stream->changed_ms)
            stream->changed_ms = lane->changed_ms;
        for (size_t k = 0; k < lane->taker_count; k++) {
            stream->takers[takers++] =
                (struct tulle__mesh_taker){ lane->takers[k].node,
                                            tulle__mesh_lag(lane, &lane->takers[k]) };
        }
        for (size_t k = 0; k < lane->holder_count; k++)
            stream->holders[holders++] = lane->holders[k].node;
    }
    join_takers(stream, takers);
    join_holders(stream, holders);
}

bool
tulle__mesh_stream_next(const struct tulle__mesh *mesh, struct tulle__mesh_stream *stream)
{
    const tulle_snapshot *s = mesh->snapshot;
    size_t first = stream->first_lane + stream->lane_count;
    size_t takers = 0;
    size_t holders = 0;
    size_t end = first;
    if (stream->has_failed || first >= s->lane_count)
        return false;
    for (; end < s->lane_count && strcmp(s->lanes[end].stream, s->lanes[first].stream) == 0;
         end++) {
        takers += s->lanes[end].taker_count;
        holders += s->lanes[end].holder_count;
    }
    if (!make_room(stream, takers, holders))
        return false;
    stream->name = s->lanes[first].stream;
    stream->first_lane = first;
    stream->lane_count = end - first;
    stream->events = 0;
    stream->changed_ms = UINT64_MAX;
    stream->lag = 0;
    gather(&s->lanes[first], stream);
    return true;
}

void
tulle__mesh_stream_fini(struct tulle__mesh_stream *stream)
{
    free(stream->takers);
    free(stream->holders);
    stream->takers = NULL;
    stream->holders = NULL;
}
