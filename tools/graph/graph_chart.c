/* SPDX-License-Identifier: MPL-2.0 */

/* The graph for Graphviz and Mermaid. A segment is a frame with its nodes in it, and with each
 * stream that passes it, so that what a proxy brings over is seen: node -> stream -> proxy ->
 * the stream again, on the other side -> node. */

#include "tools/common/chart.h"
#include "tools/graph/graph_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A stream on a segment. */
struct place {
    size_t segment;
    size_t number;
    const char *stream;
    bool is_waited_for; /* nobody publishes it */
};

struct edge {
    struct tulle__chart_name from, to;
    const char *stream; /* the label; NULL: count */
    uint64_t count;
    enum tulle__chart_style style;
};

struct list {
    void *items;
    size_t count, cap, size;
};

struct drawing {
    struct tulle__graph *graph;
    struct tulle__chart chart;
    struct list places; /* struct place */
    struct list edges;  /* struct edge */
    struct list gone;   /* uint64_t, ids of publishers that are not known any more */
    struct list hops;   /* struct tulle__route_step, of one stream */
    bool has_failed;
};

static void
add(struct drawing *drawing, struct list *list, const void *item)
{
    if (list->count == list->cap) {
        size_t cap = list->cap == 0 ? 64 : list->cap * 2;
        void *items = realloc(list->items, cap * list->size);
        drawing->has_failed = drawing->has_failed || items == NULL;
        if (items == NULL)
            return;
        list->items = items;
        list->cap = cap;
    }
    memcpy((char *)list->items + list->count++ * list->size, item, list->size);
}

/* The stream drawn last, from places[first] on, at a segment. */
static struct tulle__chart_name
place_of(struct drawing *drawing, size_t first, const char *stream, size_t segment)
{
    const struct place *places = drawing->places.items;
    for (size_t i = first; i < drawing->places.count; i++) {
        if (places[i].segment == segment)
            return (struct tulle__chart_name){ 's', places[i].number };
    }
    const struct place place = { segment, drawing->places.count, stream, false };
    add(drawing, &drawing->places, &place);
    return (struct tulle__chart_name){ 's', place.number };
}

static void
add_edge(struct drawing *drawing,
         struct tulle__chart_name from,
         struct tulle__chart_name to,
         const char *stream,
         uint64_t count)
{
    const struct edge edge = { from, to, stream, count, TULLE__CHART_PLAIN };
    add(drawing, &drawing->edges, &edge);
}

static struct tulle__chart_name
node_of(struct drawing *drawing, const struct tulle__flow_end *end)
{
    size_t node = tulle__mesh_find(&drawing->graph->mesh, end->node);
    if (node != SIZE_MAX)
        return (struct tulle__chart_name){ 'n', node };
    add(drawing, &drawing->gone, end);
    return (struct tulle__chart_name){ 'g', drawing->gone.count - 1 };
}

static int
compare_hops(const void *a, const void *b)
{
    const struct tulle__route_step *left = a;
    const struct tulle__route_step *right = b;
    if (left->proxy != right->proxy)
        return left->proxy < right->proxy ? -1 : 1;
    if (left->from != right->from)
        return left->from < right->from ? -1 : 1;
    return (left->to > right->to) - (left->to < right->to);
}

/* Over proxies, each way once however many nodes are at its ends. */
static void
add_hops(struct drawing *drawing, const struct tulle__flow *flow, size_t first)
{
    const struct tulle__route_step *hops = drawing->hops.items;
    if (drawing->hops.count > 1)
        qsort(drawing->hops.items, drawing->hops.count, sizeof *hops, compare_hops);
    for (size_t i = 0; i < drawing->hops.count; i++) {
        const struct tulle__chart_name proxy = { 'n', hops[i].proxy };
        if (i > 0 && compare_hops(&hops[i - 1], &hops[i]) == 0)
            continue;
        bool is_first =
            i == 0 || hops[i - 1].proxy != hops[i].proxy || hops[i - 1].from != hops[i].from;
        if (is_first) {
            add_edge(drawing, place_of(drawing, first, flow->stream.name, hops[i].from), proxy,
                     flow->stream.name, 0);
        }
        add_edge(drawing, proxy, place_of(drawing, first, flow->stream.name, hops[i].to),
                 flow->stream.name, 0);
    }
}

/* From where its publishers are to where its takers are. */
static void
find_hops(struct drawing *drawing, const struct tulle__flow *flow, size_t first)
{
    struct tulle__route route = { 0 };
    struct tulle__flow_group from;
    struct tulle__flow_group to;
    drawing->hops.count = 0;
    for (size_t i = 0; i < flow->publisher_count; i += from.count) {
        from = tulle__flow_group(flow->publishers, flow->publisher_count, i);
        for (size_t k = 0; k < flow->taker_count; k += to.count) {
            to = tulle__flow_group(flow->takers, flow->taker_count, k);
            tulle__routes_find(&drawing->graph->routes, from.segment, to.segment, &route);
            for (size_t n = 0; n < route.step_count; n++)
                add(drawing, &drawing->hops, &route.steps[n]);
            if (!route.is_known && from.segment != SIZE_MAX && from.segment != to.segment) {
                const struct edge edge = { place_of(drawing, first, flow->stream.name,
                                                    from.segment),
                                           place_of(drawing, first, flow->stream.name, to.segment),
                                           NULL, 0, TULLE__CHART_DASHED };
                add(drawing, &drawing->edges, &edge);
            }
        }
    }
    tulle__route_fini(&route);
}

/* A publisher that is gone has no segment: what is left of it goes to all takers at once. */
static void
add_publisher(struct drawing *drawing,
              const struct tulle__flow *flow,
              const struct tulle__flow_end *end,
              size_t first)
{
    struct tulle__chart_name node = node_of(drawing, end);
    struct edge edge = { node, node, NULL, end->count, TULLE__CHART_DASHED };
    if (end->segment != SIZE_MAX || flow->taker_count == 0) {
        add_edge(drawing, node, place_of(drawing, first, flow->stream.name, end->segment), NULL,
                 end->count);
        return;
    }
    struct tulle__flow_group to;
    for (size_t k = 0; k < flow->taker_count; k += to.count) {
        to = tulle__flow_group(flow->takers, flow->taker_count, k);
        edge.to = place_of(drawing, first, flow->stream.name, to.segment);
        add(drawing, &drawing->edges, &edge);
    }
}

static void
gather_flow(struct drawing *drawing, const struct tulle__flow *flow)
{
    size_t first = drawing->places.count;
    for (size_t i = 0; i < flow->publisher_count; i++)
        add_publisher(drawing, flow, &flow->publishers[i], first);
    find_hops(drawing, flow, first);
    add_hops(drawing, flow, first);
    for (size_t i = 0; i < flow->taker_count; i++) {
        const struct tulle__flow_end *end = &flow->takers[i];
        struct tulle__chart_name place = place_of(drawing, first, flow->stream.name, end->segment);
        add_edge(drawing, place, node_of(drawing, end), end->count > 0 ? "" : NULL, end->count);
    }
}

/* Those who wait for streams that are not there. */
static void
gather_waiting(struct drawing *drawing)
{
    const tulle_snapshot *s = drawing->graph->mesh.snapshot;
    for (size_t i = 0; i < s->node_count; i++) {
        const tulle_seen_node *node = &s->nodes[i];
        if (!tulle__graph_has_waiting(drawing->graph, i))
            continue;
        drawing->graph->flow_count++;
        for (size_t k = 0; k < node->take_count; k++) {
            if (tulle__take_is_implied(node->takes, node->take_count, node->takes[k]))
                continue;
            const struct place place = { node->segment, drawing->places.count, node->takes[k],
                                         true };
            const struct edge edge = {
                { 's', place.number }, { 'n', i }, NULL, 0, TULLE__CHART_DASHED
            };
            add(drawing, &drawing->places, &place);
            add(drawing, &drawing->edges, &edge);
        }
    }
}

static void
gather(struct drawing *drawing)
{
    struct tulle__flow flow = { 0 };
    while (tulle__graph_next(drawing->graph, &flow))
        gather_flow(drawing, &flow);
    drawing->has_failed =
        drawing->has_failed || flow.has_failed || drawing->graph->routes.has_failed;
    tulle__flow_fini(&flow);
    gather_waiting(drawing);
}

/* ---- drawing what was gathered ---- */

static void
put_node(struct drawing *drawing, size_t index)
{
    const struct tulle__mesh *mesh = &drawing->graph->mesh;
    const tulle_seen_node *node = &mesh->snapshot->nodes[index];
    enum tulle__chart_shape shape = node->is_proxy ? TULLE__CHART_HEXAGON : TULLE__CHART_BOX;
    tulle__chart_node_begin(&drawing->chart, (struct tulle__chart_name){ 'n', index }, shape);
    tulle__chart_put(&drawing->chart, mesh->nodes[index].label, strlen(mesh->nodes[index].label));
    if (node->state != TULLE_SEEN_UP) {
        tulle__chart_break(&drawing->chart);
        tulle__text_str(drawing->chart.out, tulle__mesh_state(node->state));
    }
    tulle__chart_node_end(&drawing->chart, shape,
                          node->state == TULLE_SEEN_UP ? TULLE__CHART_PLAIN : TULLE__CHART_DASHED);
}

static void
put_place(struct drawing *drawing, const struct place *place)
{
    tulle__chart_node_begin(&drawing->chart, (struct tulle__chart_name){ 's', place->number },
                            TULLE__CHART_OVAL);
    tulle__chart_put(&drawing->chart, place->stream, strlen(place->stream));
    tulle__chart_node_end(&drawing->chart, TULLE__CHART_OVAL,
                          place->is_waited_for ? TULLE__CHART_DASHED : TULLE__CHART_PLAIN);
}

static int
compare_places(const void *a, const void *b)
{
    const struct place *left = a;
    const struct place *right = b;
    if (left->segment != right->segment)
        return left->segment < right->segment ? -1 : 1;
    return (left->number > right->number) - (left->number < right->number);
}

/* Is the node in an edge? With a choice, only those are drawn. */
static uint8_t *
mark_drawn(struct drawing *drawing)
{
    const tulle_snapshot *s = drawing->graph->mesh.snapshot;
    const struct edge *edges = drawing->edges.items;
    uint8_t *is_drawn = calloc(s->node_count + 1, 1);
    bool is_chosen =
        drawing->graph->options->nodes.count > 0 || drawing->graph->options->streams.count > 0;
    drawing->has_failed = drawing->has_failed || is_drawn == NULL;
    if (is_drawn == NULL)
        return NULL;
    for (size_t i = 0; i < s->node_count && !is_chosen; i++)
        is_drawn[i] = tulle__mesh_is_live(&s->nodes[i]) && !s->nodes[i].is_self;
    for (size_t i = 0; i < drawing->edges.count; i++) {
        if (edges[i].from.kind == 'n')
            is_drawn[edges[i].from.number] = 1;
        if (edges[i].to.kind == 'n')
            is_drawn[edges[i].to.number] = 1;
    }
    return is_drawn;
}

struct member {
    size_t segment;
    size_t node;
};

static int
compare_members(const void *a, const void *b)
{
    const struct member *left = a;
    const struct member *right = b;
    if (left->segment != right->segment)
        return left->segment < right->segment ? -1 : 1;
    return (left->node > right->node) - (left->node < right->node);
}

/* Frames of segments with what is in them; what is in none comes last. */
static void
put_frames(struct drawing *drawing, const struct member *members, size_t member_count)
{
    const struct tulle__mesh *mesh = &drawing->graph->mesh;
    const struct place *places = drawing->places.items;
    size_t member = 0;
    size_t place = 0;
    while (member < member_count || place < drawing->places.count) {
        size_t segment = member < member_count ? members[member].segment : SIZE_MAX;
        if (place < drawing->places.count && places[place].segment < segment)
            segment = places[place].segment;
        bool has_frame = segment < mesh->snapshot->segment_count;
        if (has_frame)
            tulle__chart_group_begin(&drawing->chart, segment, mesh->segments[segment]);
        for (; member < member_count && members[member].segment == segment; member++)
            put_node(drawing, members[member].node);
        for (; place < drawing->places.count && places[place].segment == segment; place++)
            put_place(drawing, &places[place]);
        if (has_frame)
            tulle__chart_group_end(&drawing->chart);
    }
}

static void
put_gone(struct drawing *drawing)
{
    const struct tulle__flow_end *gone = drawing->gone.items;
    struct tulle__text label = { 0 };
    for (size_t i = 0; i < drawing->gone.count; i++) {
        tulle__text_clear(&label);
        tulle__mesh_put_label(&drawing->graph->mesh, gone[i].node, gone[i].name, &label);
        tulle__chart_node_begin(&drawing->chart, (struct tulle__chart_name){ 'g', i },
                                TULLE__CHART_BOX);
        tulle__chart_put(&drawing->chart, label.bytes, label.len);
        tulle__chart_break(&drawing->chart);
        tulle__text_str(drawing->chart.out, "gone");
        tulle__chart_node_end(&drawing->chart, TULLE__CHART_BOX, TULLE__CHART_DASHED);
    }
    drawing->has_failed = drawing->has_failed || label.has_failed;
    tulle__text_free(&label);
}

static void
put_edge(struct drawing *drawing, const struct edge *edge)
{
    char label[64] = "";
    if (edge->stream != NULL && edge->stream[0] == '\0')
        (void)snprintf(label, sizeof label, "%" PRIu64 " behind", edge->count);
    else if (edge->stream == NULL && edge->count > 0)
        (void)snprintf(label, sizeof label, "%" PRIu64, edge->count);
    const char *text = edge->stream != NULL && edge->stream[0] != '\0' ? edge->stream : label;
    tulle__chart_edge(&drawing->chart, edge->from, edge->to, text[0] != '\0' ? text : NULL,
                      edge->style);
}

static void
put_all(struct drawing *drawing, const uint8_t *is_drawn)
{
    const tulle_snapshot *s = drawing->graph->mesh.snapshot;
    struct member *members = calloc(s->node_count + 1, sizeof *members);
    size_t count = 0;
    drawing->has_failed = drawing->has_failed || members == NULL;
    if (members == NULL)
        return;
    for (size_t i = 0; i < s->node_count; i++) {
        if (is_drawn[i])
            members[count++] =
                (struct member){ s->nodes[i].is_proxy ? SIZE_MAX : s->nodes[i].segment, i };
    }
    qsort(members, count, sizeof *members, compare_members);
    if (drawing->places.count > 1)
        qsort(drawing->places.items, drawing->places.count, sizeof(struct place), compare_places);
    tulle__chart_begin(&drawing->chart, "mesh");
    put_frames(drawing, members, count);
    put_gone(drawing);
    for (size_t i = 0; i < drawing->edges.count; i++)
        put_edge(drawing, (const struct edge *)drawing->edges.items + i);
    tulle__chart_end(&drawing->chart);
    free(members);
}

void
tulle__graph_chart(struct tulle__graph *graph, bool is_dot, struct tulle__text *out)
{
    struct drawing drawing = { .graph = graph,
                               .chart = { out, is_dot },
                               .places = { .size = sizeof(struct place) },
                               .edges = { .size = sizeof(struct edge) },
                               .gone = { .size = sizeof(struct tulle__flow_end) },
                               .hops = { .size = sizeof(struct tulle__route_step) } };
    gather(&drawing);
    uint8_t *is_drawn = drawing.has_failed ? NULL : mark_drawn(&drawing);
    if (is_drawn != NULL)
        put_all(&drawing, is_drawn);
    out->has_failed = out->has_failed || drawing.has_failed;
    free(is_drawn);
    free(drawing.places.items);
    free(drawing.edges.items);
    free(drawing.gone.items);
    free(drawing.hops.items);
}
