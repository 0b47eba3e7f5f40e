/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/graph/graph_flow.h"

#include <stdlib.h>
#include <string.h>

static int
compare_ends(const void *a, const void *b)
{
    const struct tulle__flow_end *left = a;
    const struct tulle__flow_end *right = b;
    if (left->segment != right->segment)
        return left->segment < right->segment ? -1 : 1;
    int order = strcmp(left->label, right->label);
    return order != 0 ? order : (left->node > right->node) - (left->node < right->node);
}

static bool
is_chosen(const struct tulle__flow *flow,
          const struct tulle__mesh *mesh,
          const struct tulle__list *nodes,
          const struct tulle__list *streams)
{
    const struct tulle__mesh_stream *stream = &flow->stream;
    const tulle_seen_lane *lanes = mesh->snapshot->lanes + stream->first_lane;
    bool is_named = nodes->count == 0;
    for (size_t i = 0; i < stream->lane_count && !is_named; i++)
        is_named = tulle__choose_is_node(nodes, mesh->snapshot, lanes[i].node, lanes[i].node_name);
    for (size_t i = 0; i < stream->taker_count && !is_named; i++)
        is_named = tulle__choose_is_node(nodes, mesh->snapshot, stream->takers[i].node, NULL);
    return is_named && tulle__choose_is_stream(streams, stream->name);
}

static struct tulle__flow_end
make_publisher(const struct tulle__mesh *mesh, const tulle_seen_lane *lane)
{
    size_t node = tulle__mesh_find(mesh, lane->node);
    bool is_known = node != SIZE_MAX;
    return (struct tulle__flow_end){ .segment =
                                         is_known ? mesh->snapshot->nodes[node].segment : SIZE_MAX,
                                     .node = lane->node,
                                     .name = lane->node_name,
                                     .count = lane->head,
                                     .label =
                                         is_known ? mesh->nodes[node].label : lane->node_name };
}

static bool
fill(struct tulle__flow *flow, const struct tulle__mesh *mesh)
{
    const struct tulle__mesh_stream *stream = &flow->stream;
    const tulle_seen_lane *lanes = mesh->snapshot->lanes + stream->first_lane;
    free(flow->publishers);
    free(flow->takers);
    flow->publishers = calloc(stream->lane_count + 1, sizeof *flow->publishers);
    flow->takers = calloc(stream->taker_count + 1, sizeof *flow->takers);
    flow->publisher_count = stream->lane_count;
    flow->taker_count = 0;
    if (flow->publishers == NULL || flow->takers == NULL)
        return false;
    for (size_t i = 0; i < stream->lane_count; i++)
        flow->publishers[i] = make_publisher(mesh, &lanes[i]);
    for (size_t i = 0; i < stream->taker_count; i++) {
        size_t index = tulle__mesh_find(mesh, stream->takers[i].node);
        if (index == SIZE_MAX || mesh->snapshot->nodes[index].is_self)
            continue;
        const tulle_seen_node *node = &mesh->snapshot->nodes[index];
        flow->takers[flow->taker_count++] =
            (struct tulle__flow_end){ .segment = node->segment,
                                      .node = node->id,
                                      .count = stream->takers[i].lag,
                                      .takes = tulle__take_of(node, stream->name),
                                      .label = mesh->nodes[index].label };
    }
    qsort(flow->publishers, flow->publisher_count, sizeof *flow->publishers, compare_ends);
    qsort(flow->takers, flow->taker_count, sizeof *flow->takers, compare_ends);
    return true;
}

bool
tulle__flow_next(struct tulle__flow *flow,
                 const struct tulle__mesh *mesh,
                 const struct tulle__list *nodes,
                 const struct tulle__list *streams)
{
    while (tulle__mesh_stream_next(mesh, &flow->stream)) {
        if (!is_chosen(flow, mesh, nodes, streams))
            continue;
        flow->has_failed = !fill(flow, mesh);
        return !flow->has_failed;
    }
    flow->has_failed = flow->has_failed || flow->stream.has_failed;
    return false;
}

void
tulle__flow_fini(struct tulle__flow *flow)
{
    tulle__mesh_stream_fini(&flow->stream);
    free(flow->publishers);
    free(flow->takers);
    flow->publishers = NULL;
    flow->takers = NULL;
}

struct tulle__flow_group
tulle__flow_group(const struct tulle__flow_end *ends, size_t count, size_t begin)
{
    struct tulle__flow_group group = { .ends = ends + begin };
    while (begin + group.count < count &&
           (group.count == 0 || ends[begin + group.count].segment == ends[begin].segment))
        group.count++;
    group.segment = group.count > 0 ? ends[begin].segment : SIZE_MAX;
    return group;
}

bool
tulle__flow_waits(const struct tulle__mesh *mesh, size_t index)
{
    const tulle_seen_node *node = &mesh->snapshot->nodes[index];
    return node->take_count > 0 && mesh->nodes[index].taken_count == 0 && !node->is_proxy &&
           !node->is_self && tulle__mesh_is_live(node);
}
