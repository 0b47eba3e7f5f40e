/* SPDX-License-Identifier: MPL-2.0 */

/* The graph as text: a paragraph for each stream, a line for each way that its events go. */

#include "tools/common/terminal.h"
#include "tools/graph/graph_print.h"

#include <inttypes.h>
#include <string.h>

enum { INDENT = 2, INDENT_MORE = 6, NAMES_MAX = 20 };

/* A line that goes on below when the terminal is too narrow. */
struct line {
    struct tulle__text *out;
    size_t begin; /* of the line in out */
    unsigned columns;
    bool is_ascii;
};

static void
indent(struct tulle__text *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        tulle__text_char(out, ' ');
}

static void
begin_line(struct line *line)
{
    line->begin = line->out->len;
    indent(line->out, INDENT);
}

/* Text that is not broken within; what is no ASCII becomes question marks where it has to. */
static void
put_word(struct line *line, const struct tulle__text *word)
{
    size_t width = tulle__terminal_width(word->bytes, word->len);
    size_t used = 0;
    if (!line->out->has_failed)
        used = tulle__terminal_width(line->out->bytes + line->begin, line->out->len - line->begin);
    if (line->columns > 0 && used + width > line->columns && used > INDENT_MORE) {
        while (line->out->len > 0 && line->out->bytes[line->out->len - 1] == ' ')
            line->out->len--;
        tulle__text_char(line->out, '\n');
        line->begin = line->out->len;
        indent(line->out, INDENT_MORE);
    }
    for (size_t i = 0; i < word->len; i++) {
        unsigned char c = (unsigned char)word->bytes[i];
        if (!line->is_ascii || c < 0x80)
            tulle__text_char(line->out, word->bytes[i]);
        else if (c >= 0xc0)
            tulle__text_char(line->out, '?');
    }
    line->out->has_failed = line->out->has_failed || word->has_failed;
}

static void
put_str(struct line *line, const char *text)
{
    union {
        const char *text;
        char *bytes; /* nobody writes to it */
    } borrowed = { text };
    put_word(line, &(struct tulle__text){ .bytes = borrowed.bytes, .len = strlen(text) });
}

static void
put_arrow(struct line *line)
{
    if (line->is_ascii)
        tulle__text_str(line->out, " -> ");
    else
        tulle__text_str(line->out, " \xe2\x94\x80\xe2\x96\xb6 ");
}

static void
put_ends(struct tulle__graph *graph,
         struct line *line,
         const struct tulle__flow_group *group,
         bool are_takers)
{
    struct tulle__text word = { 0 };
    for (size_t i = 0; i < group->count; i++) {
        const struct tulle__flow_end *end = &group->ends[i];
        tulle__text_clear(&word);
        tulle__mesh_put_label(&graph->mesh, end->node, end->name, &word);
        if (!are_takers && tulle__mesh_find(&graph->mesh, end->node) == SIZE_MAX)
            tulle__text_str(&word, " (gone)");
        if (are_takers && end->count > 0)
            tulle__text_format(&word, " (%" PRIu64 " behind)", end->count);
        if (i + 1 < group->count)
            tulle__text_char(&word, ',');
        put_word(line, &word);
        if (i + 1 < group->count)
            tulle__text_char(line->out, ' ');
    }
    line->out->has_failed = line->out->has_failed || word.has_failed;
    tulle__text_free(&word);
}

/* Proxies of a step that are side by side: a|b. */
static void
put_route(struct tulle__graph *graph, struct line *line, const struct tulle__route *route)
{
    struct tulle__text word = { 0 };
    if (!route->is_known) {
        put_arrow(line);
        put_str(line, "?");
    }
    size_t i = 0;
    while (i < route->step_count) {
        uint32_t number = route->steps[i].number;
        size_t last = SIZE_MAX;
        tulle__text_clear(&word);
        for (; i < route->step_count && route->steps[i].number == number; i++) {
            if (route->steps[i].proxy == last)
                continue; /* between other segments too */
            if (last != SIZE_MAX)
                tulle__text_char(&word, '|');
            last = route->steps[i].proxy;
            tulle__text_str(&word, graph->mesh.nodes[last].label);
        }
        put_arrow(line);
        put_word(line, &word);
    }
    line->out->has_failed = line->out->has_failed || word.has_failed;
    tulle__text_free(&word);
}

static void
put_way(struct tulle__graph *graph,
        struct line *line,
        const struct tulle__flow_group *from,
        const struct tulle__flow_group *to,
        struct tulle__route *route)
{
    begin_line(line);
    put_ends(graph, line, from, false);
    if (to->count > 0 && from->segment != SIZE_MAX) {
        tulle__routes_find(&graph->routes, from->segment, to->segment, route);
        put_route(graph, line, route);
    }
    put_arrow(line);
    if (to->count > 0)
        put_ends(graph, line, to, true);
    else
        put_str(line, "nobody");
    tulle__text_char(line->out, '\n');
}

static void
put_flow(struct tulle__graph *graph, const struct tulle__flow *flow, struct line *line)
{
    struct tulle__route route = { 0 };
    line->begin = line->out->len;
    struct tulle__text word = { 0 };
    tulle__terminal_put_safe(&word, flow->stream.name, strlen(flow->stream.name));
    put_word(line, &word);
    tulle__text_format(line->out, "  %" PRIu64 " event%s\n", flow->stream.events,
                       flow->stream.events == 1 ? "" : "s");
    line->out->has_failed = line->out->has_failed || word.has_failed;
    tulle__text_free(&word);
    struct tulle__flow_group from;
    for (size_t i = 0; i < flow->publisher_count; i += from.count) {
        from = tulle__flow_group(flow->publishers, flow->publisher_count, i);
        struct tulle__flow_group to = { 0 };
        for (size_t k = 0; k == 0 || k < flow->taker_count; k += to.count) {
            to = tulle__flow_group(flow->takers, flow->taker_count, k);
            if (from.segment == SIZE_MAX)
                to = (struct tulle__flow_group){ flow->takers, flow->taker_count, SIZE_MAX };
            put_way(graph, line, &from, &to, &route);
            if (to.count == 0)
                break;
        }
    }
    tulle__route_fini(&route);
}

static void
put_title(struct tulle__text *out, const char *title)
{
    if (out->len > 0)
        tulle__text_char(out, '\n');
    tulle__text_format(out, "%s\n", title);
}

static void
put_waiting(struct tulle__graph *graph, struct line *line)
{
    const tulle_snapshot *s = graph->mesh.snapshot;
    bool has_title = false;
    for (size_t n = 0; n < s->node_count; n++) {
        size_t i = graph->by_name[n];
        const tulle_seen_node *node = &s->nodes[i];
        struct tulle__text word = { 0 };
        if (!tulle__graph_has_waiting(graph, i))
            continue;
        if (!has_title)
            put_title(line->out, "Published by nobody");
        has_title = true;
        graph->flow_count++;
        begin_line(line);
        for (size_t k = 0; k < node->take_count; k++) {
            if (tulle__take_is_implied(node->takes, node->take_count, node->takes[k]))
                continue;
            tulle__text_clear(&word);
            tulle__terminal_put_safe(&word, node->takes[k], strlen(node->takes[k]));
            put_word(line, &word);
            tulle__text_char(line->out, ' ');
        }
        if (line->out->len > 0)
            line->out->len--; /* the arrow has its own */
        put_arrow(line);
        put_str(line, graph->mesh.nodes[i].label);
        tulle__text_char(line->out, '\n');
        line->out->has_failed = line->out->has_failed || word.has_failed;
        tulle__text_free(&word);
    }
}

/* A node, its wildcard, and what that comes to. */
static void
put_wildcard(struct tulle__graph *graph, struct line *line, size_t index, const char *take)
{
    const tulle_seen_node *node = &graph->mesh.snapshot->nodes[index];
    struct tulle__graph_range range = tulle__graph_taken(graph, node, take);
    struct tulle__text word = { 0 };
    begin_line(line);
    tulle__text_format(&word, "%s takes ", graph->mesh.nodes[index].label);
    tulle__terminal_put_safe(&word, take, strlen(take));
    tulle__text_char(&word, ':');
    put_word(line, &word);
    size_t count = range.count + (range.has_own ? 1 : 0);
    for (size_t i = 0; i < count && i < NAMES_MAX; i++) {
        tulle__text_clear(&word);
        if (range.has_own && i == 0) {
            tulle__terminal_put_safe(&word, take, strlen(take) - strlen("/**"));
        } else {
            const char *name = graph->streams[range.first + i - (range.has_own ? 1 : 0)];
            tulle__terminal_put_safe(&word, name, strlen(name));
        }
        tulle__text_char(line->out, ' ');
        put_word(line, &word);
    }
    if (count > NAMES_MAX)
        tulle__text_format(line->out, " and %zu more", count - NAMES_MAX);
    tulle__text_str(line->out, count == 0 ? " nothing yet\n" : "\n");
    line->out->has_failed = line->out->has_failed || word.has_failed;
    tulle__text_free(&word);
}

static void
put_wildcards(struct tulle__graph *graph, struct line *line)
{
    const tulle_snapshot *s = graph->mesh.snapshot;
    bool has_title = false;
    for (size_t n = 0; n < s->node_count; n++) {
        size_t i = graph->by_name[n];
        const tulle_seen_node *node = &s->nodes[i];
        if (node->is_proxy || node->is_self || !tulle__mesh_is_live(node) ||
            !tulle__choose_is_node(&graph->options->nodes, s, node->id, NULL) ||
            !tulle__choose_waits_for(&graph->options->streams, node))
            continue;
        for (size_t k = 0; k < node->take_count; k++) {
            if (!tulle__graph_is_wildcard(node->takes[k]))
                continue;
            if (!has_title)
                put_title(line->out, "Wildcards");
            has_title = true;
            put_wildcard(graph, line, i, node->takes[k]);
        }
    }
}

static void
put_proxies(struct tulle__graph *graph, struct line *line)
{
    const tulle_snapshot *s = graph->mesh.snapshot;
    bool has_title = false;
    for (size_t n = 0; n < s->node_count; n++) {
        size_t i = graph->by_name[n];
        const tulle_seen_node *node = &s->nodes[i];
        if (!node->is_proxy || !tulle__mesh_is_live(node))
            continue;
        if (!has_title)
            put_title(line->out, "Proxies");
        has_title = true;
        begin_line(line);
        put_str(line, graph->mesh.nodes[i].label);
        put_str(line, node->link_count > 0 ? " joins " : " (has told nothing yet)");
        for (size_t k = 0; k < node->link_count; k++) {
            if (k > 0)
                put_str(line, ", ");
            put_str(line, tulle__mesh_segment(&graph->mesh, node->links[k].segment));
        }
        tulle__text_char(line->out, '\n');
    }
}

static void
put_segments(struct tulle__graph *graph, struct line *line)
{
    const tulle_snapshot *s = graph->mesh.snapshot;
    if (s->segment_count < 2)
        return;
    put_title(line->out, "Segments");
    for (size_t i = 0; i < s->segment_count; i++) {
        begin_line(line);
        put_str(line, graph->mesh.segments[i]);
        tulle__text_char(line->out, ':');
        for (size_t k = 0; k < s->node_count; k++) {
            const tulle_seen_node *node = &s->nodes[graph->by_name[k]];
            if (node->segment != i || node->is_self || node->is_proxy || !tulle__mesh_is_live(node))
                continue;
            tulle__text_char(line->out, ' ');
            put_str(line, graph->mesh.nodes[graph->by_name[k]].label);
        }
        tulle__text_char(line->out, '\n');
    }
}

void
tulle__graph_text(struct tulle__graph *graph, struct tulle__text *out)
{
    struct line line = { .out = out, .columns = graph->columns, .is_ascii = graph->is_ascii };
    struct tulle__flow flow = { 0 };
    while (tulle__graph_next(graph, &flow))
        put_flow(graph, &flow, &line);
    out->has_failed = out->has_failed || flow.has_failed || graph->routes.has_failed;
    tulle__flow_fini(&flow);
    put_waiting(graph, &line);
    put_wildcards(graph, &line);
    put_proxies(graph, &line);
    put_segments(graph, &line);
    if (out->len == 0)
        tulle__text_str(out, "nobody publishes or takes anything\n");
}
