/* SPDX-License-Identifier: MPL-2.0 */

/* A trace as a graph of Graphviz or Mermaid: a node for each event. */

#include "tools/common/chart.h"
#include "tools/trace/trace_export.h"

#include <stdio.h>
#include <string.h>

struct drawing {
    const struct tulle__trace_graph *graph;
    struct tulle__chart chart;
    size_t missing; /* causes drawn that were not read */
};

static void
put_ref(struct drawing *drawing, struct tulle__trace_ref ref)
{
    struct tulle__text name = { 0 };
    tulle__trace_put_ref(drawing->graph->store, ref, true, &name);
    tulle__chart_put(&drawing->chart, name.bytes, name.len);
    drawing->chart.out->has_failed = drawing->chart.out->has_failed || name.has_failed;
    tulle__text_free(&name);
}

static struct tulle__chart_name
name_of(const struct drawing *drawing, uint32_t event)
{
    return (struct tulle__chart_name){ 'e', drawing->graph->rank[event] };
}

static void
put_edge(struct drawing *drawing, uint32_t cause, uint32_t effect)
{
    const struct tulle__trace_graph *graph = drawing->graph;
    const struct tulle__trace_event *event = &graph->store->events[effect];
    double ms = (double)(event->time_us - graph->store->events[cause].time_us) / 1000.0;
    char label[64];
    (void)snprintf(label, sizeof label, "%.2f ms", ms);
    tulle__chart_edge(&drawing->chart, name_of(drawing, cause), name_of(drawing, effect), label,
                      event->is_potential ? TULLE__CHART_DASHED : TULLE__CHART_PLAIN);
}

static void
put_missing(struct drawing *drawing, struct tulle__trace_ref ref, uint32_t effect)
{
    const struct tulle__chart_name name = { 'm', drawing->missing++ };
    tulle__chart_node_begin(&drawing->chart, name, TULLE__CHART_BOX);
    put_ref(drawing, ref);
    tulle__chart_break(&drawing->chart);
    tulle__text_str(drawing->chart.out, tulle__trace_why_missing(drawing->graph, ref));
    tulle__chart_node_end(&drawing->chart, TULLE__CHART_BOX, TULLE__CHART_DASHED);
    tulle__chart_edge(&drawing->chart, name, name_of(drawing, effect), NULL, TULLE__CHART_PLAIN);
}

static void
put_event(struct drawing *drawing, uint32_t index)
{
    const struct tulle__trace_graph *graph = drawing->graph;
    const struct tulle__trace_event *event = &graph->store->events[index];
    bool is_asked = (graph->marks[index] & TULLE__TRACE_ASKED) != 0;
    tulle__chart_node_begin(&drawing->chart, name_of(drawing, index), TULLE__CHART_BOX);
    tulle__chart_put(&drawing->chart, event->topic, strlen(event->topic));
    tulle__chart_break(&drawing->chart);
    put_ref(drawing, tulle__trace_ref_of(graph->store, index));
    tulle__chart_break(&drawing->chart);
    tulle__text_time(drawing->chart.out, event->time_us);
    tulle__chart_node_end(&drawing->chart, TULLE__CHART_BOX,
                          is_asked ? TULLE__CHART_BOLD : TULLE__CHART_PLAIN);
    for (uint32_t i = 0; i < event->cause_count; i++) {
        uint32_t cause = tulle__trace_cause(graph, index, i);
        if (cause == TULLE__TRACE_NONE && graph->is_upward)
            put_missing(drawing, event->causes[i], index);
        else if (cause != TULLE__TRACE_NONE && (graph->marks[cause] & TULLE__TRACE_SHOWN) != 0)
            put_edge(drawing, cause, index);
    }
}

static void
put_chart(const struct tulle__trace_graph *graph, bool is_dot, struct tulle__trace_out *out)
{
    struct drawing drawing = { .graph = graph, .chart = { .out = &out->text, .is_dot = is_dot } };
    size_t at = 0;
    uint32_t index;
    tulle__chart_begin(&drawing.chart, "trace");
    while ((index = tulle__trace_next_shown(graph, &at)) != TULLE__TRACE_NONE) {
        put_event(&drawing, index);
        tulle__trace_out_step(out);
    }
    tulle__chart_end(&drawing.chart);
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
