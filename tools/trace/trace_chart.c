/* SPDX-License-Identifier: MPL-2.0 */

/* Graphs of Graphviz and Mermaid. What a peer wrote is quoted as each of them wants it. */

#include "tools/common/terminal.h"
#include "tools/trace/trace_export.h"

#include <inttypes.h>
#include <string.h>

struct chart {
    const struct tulle__trace_graph *graph;
    struct tulle__text *out;
    bool is_dot;    /* else Mermaid */
    size_t missing; /* causes drawn that were not read */
};

/* Text within quotes. Control characters first: none of the two takes them. */
static void
put(struct chart *chart, const char *text, size_t len)
{
    struct tulle__text safe = { 0 };
    const char *special = chart->is_dot ? "\"\\" : "\"#&<>;`|{}[]()\\%*_~";
    tulle__terminal_put_safe(&safe, text, len);
    for (size_t i = 0; i < safe.len; i++) {
        if (strchr(special, safe.bytes[i]) == NULL)
            tulle__text_char(chart->out, safe.bytes[i]);
        else if (chart->is_dot)
            tulle__text_format(chart->out, "\\%c", safe.bytes[i]);
        else
            tulle__text_format(chart->out, "#%d;", safe.bytes[i]);
    }
    chart->out->has_failed = chart->out->has_failed || safe.has_failed;
    tulle__text_free(&safe);
}

static void
put_ref(struct chart *chart, struct tulle__trace_ref ref)
{
    struct tulle__text name = { 0 };
    tulle__trace_put_ref(chart->graph->store, ref, true, &name);
    put(chart, name.bytes, name.len);
    chart->out->has_failed = chart->out->has_failed || name.has_failed;
    tulle__text_free(&name);
}

static void
put_break(struct chart *chart)
{
    tulle__text_str(chart->out, chart->is_dot ? "\\n" : "<br/>");
}

static void
begin_node(struct chart *chart, char kind, size_t number)
{
    tulle__text_format(chart->out, chart->is_dot ? "  %c%zu [label=\"" : "  %c%zu[\"", kind,
                       number);
}

/* style: of Mermaid a class, of Graphviz one more style; NULL: plain. */
static void
end_node(struct chart *chart, const char *style)
{
    if (!chart->is_dot) {
        tulle__text_format(chart->out, "\"]%s%s\n", style != NULL ? ":::" : "",
                           style != NULL ? style : "");
    } else if (style == NULL) {
        tulle__text_str(chart->out, "\"];\n");
    } else {
        tulle__text_format(chart->out, "\", style=\"rounded,%s\"];\n",
                           strcmp(style, "asked") == 0 ? "bold" : "dashed");
    }
}

static void
put_edge(struct chart *chart, uint32_t cause, uint32_t effect)
{
    const struct tulle__trace_graph *graph = chart->graph;
    const struct tulle__trace_event *event = &graph->store->events[effect];
    double ms = (double)(event->time_us - graph->store->events[cause].time_us) / 1000.0;
    if (chart->is_dot) {
        tulle__text_format(chart->out, "  e%" PRIu32 " -> e%" PRIu32 " [label=\"%.2f ms\"%s];\n",
                           graph->rank[cause], graph->rank[effect], ms,
                           event->is_potential ? ", style=dashed" : "");
    } else {
        tulle__text_format(chart->out, "  e%" PRIu32 " %s|%.2f ms| e%" PRIu32 "\n",
                           graph->rank[cause], event->is_potential ? "-.->" : "-->", ms,
                           graph->rank[effect]);
    }
}

static void
put_missing(struct chart *chart, struct tulle__trace_ref ref, uint32_t effect)
{
    begin_node(chart, 'm', chart->missing);
    put_ref(chart, ref);
    put_break(chart);
    tulle__text_str(chart->out, tulle__trace_why_missing(chart->graph, ref));
    end_node(chart, "missing");
    tulle__text_format(chart->out,
                       chart->is_dot ? "  m%zu -> e%" PRIu32 ";\n" : "  m%zu --> e%" PRIu32 "\n",
                       chart->missing++, chart->graph->rank[effect]);
}

static void
put_event(struct chart *chart, uint32_t index)
{
    const struct tulle__trace_graph *graph = chart->graph;
    const struct tulle__trace_event *event = &graph->store->events[index];
    begin_node(chart, 'e', graph->rank[index]);
    put(chart, event->topic, strlen(event->topic));
    put_break(chart);
    put_ref(chart, tulle__trace_ref_of(graph->store, index));
    put_break(chart);
    tulle__text_time(chart->out, event->time_us);
    end_node(chart, (graph->marks[index] & TULLE__TRACE_ASKED) != 0 ? "asked" : NULL);
    for (uint32_t i = 0; i < event->cause_count; i++) {
        uint32_t cause = tulle__trace_cause(graph, index, i);
        if (cause == TULLE__TRACE_NONE && graph->is_upward)
            put_missing(chart, event->causes[i], index);
        else if (cause != TULLE__TRACE_NONE && (graph->marks[cause] & TULLE__TRACE_SHOWN) != 0)
            put_edge(chart, cause, index);
    }
}

static void
put_chart(const struct tulle__trace_graph *graph, bool is_dot, struct tulle__trace_out *out)
{
    struct chart chart = { .graph = graph, .out = &out->text, .is_dot = is_dot };
    size_t at = 0;
    uint32_t index;
    tulle__text_str(&out->text, is_dot ? "digraph trace {\n"
                                         "  rankdir=LR;\n"
                                         "  node [shape=box, style=rounded, fontname=\"sans\"];\n"
                                         "  edge [fontname=\"sans\", fontsize=10];\n"
                                       : "flowchart LR\n"
                                         "  classDef asked stroke-width:3px\n"
                                         "  classDef missing stroke-dasharray:4 4\n");
    while ((index = tulle__trace_next_shown(graph, &at)) != TULLE__TRACE_NONE) {
        put_event(&chart, index);
        tulle__trace_out_step(out);
    }
    if (is_dot)
        tulle__text_str(&out->text, "}\n");
}

void
tulle__trace_dot(const struct tulle__trace_graph *graph, struct tulle__trace_out *out)
{
    put_chart(graph, true, out);
}

void
tulle__trace_mermaid(const struct tulle__trace_graph *graph, struct tulle__trace_out *out)
{
    put_chart(graph, false, out);
}
