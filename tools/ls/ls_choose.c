/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/ls/ls_choose.h"

#include "tools/common/choose.h"

#include <stdlib.h>
#include <string.h>

bool
tulle__ls_is_named(const struct tulle__ls_choice *choice, uint64_t id, const char *name)
{
    return tulle__choose_is_node(&choice->options->nodes, choice->mesh->snapshot, id, name);
}

bool
tulle__ls_is_stream(const struct tulle__ls_choice *choice, const char *stream)
{
    return tulle__choose_is_stream(&choice->options->streams, stream);
}

static void
mark(struct tulle__ls_choice *choice, uint64_t id)
{
    size_t node = tulle__mesh_find(choice->mesh, id);
    if (node != SIZE_MAX)
        choice->is_on_stream[node] = true;
}

bool
tulle__ls_choice_init(struct tulle__ls_choice *choice)
{
    const tulle_snapshot *s = choice->mesh->snapshot;
    choice->is_on_stream = calloc(s->node_count + 1, sizeof *choice->is_on_stream);
    if (choice->is_on_stream == NULL)
        return false;
    for (size_t i = 0; i < s->lane_count; i++) {
        const tulle_seen_lane *lane = &s->lanes[i];
        if (!tulle__ls_is_stream(choice, lane->stream))
            continue;
        mark(choice, lane->node);
        for (size_t k = 0; k < lane->taker_count; k++)
            mark(choice, lane->takers[k].node);
    }
    return true;
}

void
tulle__ls_choice_fini(struct tulle__ls_choice *choice)
{
    free(choice->is_on_stream);
    choice->is_on_stream = NULL;
}

static bool
is_shown(const struct tulle__ls_choice *choice, const tulle_seen_node *node)
{
    bool is_extra = node->is_self || node->state == TULLE_SEEN_LEFT;
    return (!is_extra || choice->options->is_all) && tulle__ls_is_named(choice, node->id, NULL);
}

bool
tulle__ls_has_node(const struct tulle__ls_choice *choice, size_t index)
{
    const tulle_seen_node *node = &choice->mesh->snapshot->nodes[index];
    return is_shown(choice, node) &&
           (choice->options->streams.count == 0 || choice->is_on_stream[index]);
}

bool
tulle__ls_has_proxy(const struct tulle__ls_choice *choice, size_t index)
{
    const tulle_seen_node *node = &choice->mesh->snapshot->nodes[index];
    return node->is_proxy && is_shown(choice, node);
}

bool
tulle__ls_has_lane(const struct tulle__ls_choice *choice, const tulle_seen_lane *lane)
{
    return tulle__ls_is_stream(choice, lane->stream) &&
           tulle__ls_is_named(choice, lane->node, lane->node_name);
}

bool
tulle__ls_has_stream(const struct tulle__ls_choice *choice, const struct tulle__mesh_stream *stream)
{
    const tulle_seen_lane *lanes = choice->mesh->snapshot->lanes + stream->first_lane;
    bool is_named = choice->options->nodes.count == 0;
    for (size_t i = 0; i < stream->lane_count && !is_named; i++)
        is_named = tulle__ls_is_named(choice, lanes[i].node, lanes[i].node_name);
    for (size_t i = 0; i < stream->taker_count && !is_named; i++)
        is_named = tulle__ls_is_named(choice, stream->takers[i].node, NULL);
    return is_named && tulle__ls_is_stream(choice, stream->name);
}

bool
tulle__ls_has_segment(const struct tulle__ls_choice *choice, size_t index)
{
    const tulle_seen_segment *segment = &choice->mesh->snapshot->segments[index];
    bool is_named = choice->options->nodes.count == 0;
    for (size_t i = 0; i < segment->node_count && !is_named; i++)
        is_named = tulle__ls_is_named(choice, segment->nodes[i], NULL);
    return is_named;
}
