/* SPDX-License-Identifier: MPL-2.0 */

/* What all forms of the graph have in common. */

#include "tools/graph/graph_print.h"

#include <stdlib.h>
#include <string.h>

struct named {
    const char *label;
    size_t node;
};

static int
compare_named(const void *a, const void *b)
{
    const struct named *left = a;
    const struct named *right = b;
    int order = strcmp(left->label, right->label);
    return order != 0 ? order : (left->node > right->node) - (left->node < right->node);
}

static bool
order_nodes(struct tulle__graph *graph)
{
    size_t count = graph->mesh.snapshot->node_count;
    struct named *named = calloc(count + 1, sizeof *named);
    graph->by_name = calloc(count + 1, sizeof *graph->by_name);
    bool is_made = named != NULL && graph->by_name != NULL;
    for (size_t i = 0; is_made && i < count; i++)
        named[i] = (struct named){ graph->mesh.nodes[i].label, i };
    if (is_made)
        qsort(named, count, sizeof *named, compare_named);
    for (size_t i = 0; is_made && i < count; i++)
        graph->by_name[i] = named[i].node;
    free(named);
    return is_made;
}

bool
tulle__graph_init(struct tulle__graph *graph, const tulle_snapshot *snapshot)
{
    graph->streams = calloc(snapshot->lane_count + 1, sizeof *graph->streams);
    if (graph->streams == NULL || !tulle__mesh_init(&graph->mesh, snapshot))
        return false;
    for (size_t i = 0; i < snapshot->lane_count; i++) {
        const char *stream = snapshot->lanes[i].stream;
        if (i == 0 || strcmp(snapshot->lanes[i - 1].stream, stream) != 0)
            graph->streams[graph->stream_count++] = stream;
    }
    return order_nodes(graph) && tulle__routes_init(&graph->routes, &graph->mesh);
}

void
tulle__graph_fini(struct tulle__graph *graph)
{
    tulle__routes_fini(&graph->routes);
    tulle__mesh_fini(&graph->mesh);
    free(graph->streams);
    graph->streams = NULL;
    free(graph->by_name);
    graph->by_name = NULL;
}

bool
tulle__graph_next(struct tulle__graph *graph, struct tulle__flow *flow)
{
    if (!tulle__flow_next(flow, &graph->mesh, &graph->options->nodes, &graph->options->streams))
        return false;
    graph->flow_count++;
    return true;
}

bool
tulle__graph_has_waiting(const struct tulle__graph *graph, size_t index)
{
    const tulle_snapshot *s = graph->mesh.snapshot;
    return tulle__flow_waits(&graph->mesh, index) &&
           tulle__choose_is_node(&graph->options->nodes, s, s->nodes[index].id, NULL) &&
           tulle__choose_waits_for(&graph->options->streams, &s->nodes[index]);
}

/* The first of the streams that is not before a text of so many bytes. */
static size_t
find_first(const struct tulle__graph *graph, const char *prefix, size_t len, bool is_past)
{
    size_t low = 0;
    size_t high = graph->stream_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strncmp(graph->streams[middle], prefix, len);
        if (order < 0 || (order == 0 && is_past))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct tulle__graph_range
tulle__graph_taken(const struct tulle__graph *graph, const tulle_seen_node *node, const char *take)
{
    struct tulle__graph_range range = { 0 };
    size_t len = strlen(take) - 2; /* without the stars */
    range.first = find_first(graph, take, len, false);
    range.count = find_first(graph, take, len, true) - range.first;
    if (len > 1 && take[len - 1] == '/') {
        for (size_t i = 0; i < node->take_count && !range.has_own; i++) {
            const char *other = node->takes[i];
            size_t at = find_first(graph, other, strlen(other) + 1, false);
            range.has_own = strlen(other) == len - 1 && strncmp(other, take, len - 1) == 0 &&
                            at < graph->stream_count && strcmp(graph->streams[at], other) == 0;
        }
    }
    return range;
}
