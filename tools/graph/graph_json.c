/* SPDX-License-Identifier: MPL-2.0 */

#include "app/json.h"
#include "tools/graph/graph_print.h"

#include <string.h>

enum { NAMES_MAX = 100 }; /* of what one wildcard comes to */

static void
put_string(struct tulle__text *out, const char *text)
{
    tulle__json_put_str(out, text, strlen(text));
}

static void
put_segment(const struct tulle__graph *graph,
            const char *key,
            size_t segment,
            struct tulle__text *out)
{
    tulle__json_key(out, key);
    if (segment < graph->mesh.snapshot->segment_count)
        put_string(out, graph->mesh.segments[segment]);
    else
        tulle__text_str(out, "null");
}

static void
put_comma(struct tulle__text *out)
{
    if (out->len > 0 && out->bytes[out->len - 1] != '[')
        tulle__text_char(out, ',');
}

static void
put_publishers(const struct tulle__graph *graph,
               const struct tulle__flow *flow,
               struct tulle__text *out)
{
    for (size_t i = 0; i < flow->publisher_count; i++) {
        const struct tulle__flow_end *end = &flow->publishers[i];
        tulle__text_str(out, i > 0 ? ",{" : "{");
        tulle__mesh_json_who(&graph->mesh, end->node, end->name, out);
        put_segment(graph, "segment", end->segment, out);
        tulle__json_u64(out, "events", end->count);
        tulle__text_char(out, '}');
    }
}

static void
put_takers(const struct tulle__graph *graph,
           const struct tulle__flow *flow,
           struct tulle__text *out)
{
    for (size_t i = 0; i < flow->taker_count; i++) {
        const struct tulle__flow_end *end = &flow->takers[i];
        tulle__text_str(out, i > 0 ? ",{" : "{");
        tulle__mesh_json_who(&graph->mesh, end->node, NULL, out);
        put_segment(graph, "segment", end->segment, out);
        tulle__json_str(out, "takes", end->takes != NULL ? end->takes : "");
        tulle__json_u64(out, "lag", end->count);
        tulle__text_char(out, '}');
    }
}

/* "over": for each step the proxies that are side by side. */
static void
put_route(struct tulle__graph *graph,
          size_t from,
          size_t to,
          struct tulle__route *route,
          struct tulle__text *out)
{
    tulle__routes_find(&graph->routes, from, to, route);
    if (!route->is_known)
        return;
    put_comma(out);
    tulle__text_str(out, "{\"from\":");
    put_string(out, graph->mesh.segments[from]);
    put_segment(graph, "to", to, out);
    tulle__text_str(out, ",\"over\":[");
    size_t i = 0;
    while (i < route->step_count) {
        uint32_t number = route->steps[i].number;
        size_t last = SIZE_MAX;
        put_comma(out);
        tulle__text_char(out, '[');
        for (; i < route->step_count && route->steps[i].number == number; i++) {
            if (route->steps[i].proxy == last)
                continue;
            last = route->steps[i].proxy;
            put_comma(out);
            tulle__text_char(out, '{');
            tulle__mesh_json_who(&graph->mesh, graph->mesh.snapshot->nodes[last].id, NULL, out);
            tulle__text_char(out, '}');
        }
        tulle__text_char(out, ']');
    }
    tulle__text_str(out, "]}");
}

static void
put_routes(struct tulle__graph *graph, const struct tulle__flow *flow, struct tulle__text *out)
{
    struct tulle__route route = { 0 };
    struct tulle__flow_group from;
    struct tulle__flow_group to;
    for (size_t i = 0; i < flow->publisher_count; i += from.count) {
        from = tulle__flow_group(flow->publishers, flow->publisher_count, i);
        for (size_t k = 0; k < flow->taker_count; k += to.count) {
            to = tulle__flow_group(flow->takers, flow->taker_count, k);
            put_route(graph, from.segment, to.segment, &route, out);
        }
    }
    tulle__route_fini(&route);
}

static void
put_streams(struct tulle__graph *graph, struct tulle__text *out)
{
    struct tulle__flow flow = { 0 };
    while (tulle__graph_next(graph, &flow)) {
        put_comma(out);
        tulle__text_str(out, "\n{\"stream\":");
        put_string(out, flow.stream.name);
        tulle__json_u64(out, "events", flow.stream.events);
        tulle__text_str(out, ",\"publishers\":[");
        put_publishers(graph, &flow, out);
        tulle__text_str(out, "],\"takers\":[");
        put_takers(graph, &flow, out);
        tulle__text_str(out, "],\"routes\":[");
        put_routes(graph, &flow, out);
        tulle__text_str(out, "]}");
    }
    out->has_failed = out->has_failed || flow.has_failed || graph->routes.has_failed;
    tulle__flow_fini(&flow);
}

static void
put_streams_of(const struct tulle__graph *graph,
               const tulle_seen_node *node,
               const char *take,
               struct tulle__text *out)
{
    struct tulle__graph_range range = tulle__graph_taken(graph, node, take);
    tulle__text_str(out, ",\"streams\":[");
    if (range.has_own)
        tulle__json_put_str(out, take, strlen(take) - strlen("/**"));
    for (size_t i = 0; i < range.count && i < NAMES_MAX; i++) {
        put_comma(out);
        put_string(out, graph->streams[range.first + i]);
    }
    tulle__text_format(out, "],\"count\":%zu", range.count + (range.has_own ? 1 : 0));
}

static void
put_takes(const struct tulle__graph *graph, size_t index, struct tulle__text *out)
{
    const tulle_seen_node *node = &graph->mesh.snapshot->nodes[index];
    tulle__text_str(out, ",\"takes\":[");
    for (size_t i = 0; i < node->take_count; i++) {
        const char *take = node->takes[i];
        if (tulle__take_is_implied(node->takes, node->take_count, take))
            continue;
        put_comma(out);
        tulle__text_str(out, "{\"pattern\":");
        put_string(out, take);
        if (tulle__graph_is_wildcard(take))
            put_streams_of(graph, node, take, out);
        tulle__text_char(out, '}');
    }
    tulle__text_char(out, ']');
}

static void
put_nodes(const struct tulle__graph *graph, struct tulle__text *out)
{
    const tulle_snapshot *s = graph->mesh.snapshot;
    for (size_t i = 0; i < s->node_count; i++) {
        const tulle_seen_node *node = &s->nodes[i];
        if (node->is_self || node->is_proxy || !tulle__mesh_is_live(node) ||
            !tulle__choose_is_node(&graph->options->nodes, s, node->id, NULL))
            continue;
        put_comma(out);
        tulle__text_str(out, "\n{");
        tulle__mesh_json_who(&graph->mesh, node->id, NULL, out);
        put_segment(graph, "segment", node->segment, out);
        put_takes(graph, i, out);
        tulle__text_char(out, '}');
    }
}

/* Who takes what nobody publishes. */
static void
put_waiting(struct tulle__graph *graph, struct tulle__text *out)
{
    for (size_t i = 0; i < graph->mesh.snapshot->node_count; i++) {
        if (!tulle__graph_has_waiting(graph, i))
            continue;
        put_comma(out);
        tulle__text_str(out, "\n{");
        tulle__mesh_json_who(&graph->mesh, graph->mesh.snapshot->nodes[i].id, NULL, out);
        put_segment(graph, "segment", graph->mesh.snapshot->nodes[i].segment, out);
        put_takes(graph, i, out);
        tulle__text_char(out, '}');
        graph->flow_count++;
    }
}

static void
put_proxies(const struct tulle__graph *graph, struct tulle__text *out)
{
    const tulle_snapshot *s = graph->mesh.snapshot;
    for (size_t i = 0; i < s->node_count; i++) {
        const tulle_seen_node *node = &s->nodes[i];
        if (!node->is_proxy || !tulle__mesh_is_live(node))
            continue;
        put_comma(out);
        tulle__text_str(out, "\n{");
        tulle__mesh_json_who(&graph->mesh, node->id, NULL, out);
        tulle__text_str(out, ",\"segments\":[");
        for (size_t k = 0; k < node->link_count; k++) {
            put_comma(out);
            put_string(out, tulle__mesh_segment(&graph->mesh, node->links[k].segment));
        }
        tulle__text_str(out, "]}");
    }
}

static void
put_segments(const struct tulle__graph *graph, struct tulle__text *out)
{
    for (size_t i = 0; i < graph->mesh.snapshot->segment_count; i++) {
        put_comma(out);
        tulle__text_str(out, "\n{");
        tulle__mesh_json_segment(&graph->mesh, i, out);
        tulle__text_char(out, '}');
    }
}

void
tulle__graph_json(struct tulle__graph *graph, struct tulle__text *out)
{
    struct tulle__text plain = { 0 };
    tulle__text_char(&plain, '{');
    tulle__mesh_json_head(&graph->mesh, &plain);
    tulle__text_str(&plain, ",\n\"streams\":[");
    put_streams(graph, &plain);
    tulle__text_str(&plain, "],\n\"waiting\":[");
    put_waiting(graph, &plain);
    tulle__text_str(&plain, "],\n\"nodes\":[");
    put_nodes(graph, &plain);
    tulle__text_str(&plain, "],\n\"proxies\":[");
    put_proxies(graph, &plain);
    tulle__text_str(&plain, "],\n\"segments\":[");
    put_segments(graph, &plain);
    tulle__text_str(&plain, "]}\n");
    if (!plain.has_failed)
        tulle__json_put_safe(out, plain.bytes, plain.len);
    out->has_failed = out->has_failed || plain.has_failed;
    tulle__text_free(&plain);
}
