/* SPDX-License-Identifier: MPL-2.0 */

/* A trace as JSON. */

#include "app/json.h"
#include "tools/trace/trace_export.h"

const char *
tulle__trace_role(const struct tulle__trace_graph *graph, uint32_t event)
{
    unsigned marks = graph->marks[event];
    if ((marks & TULLE__TRACE_ASKED) != 0)
        return "asked";
    return (marks & TULLE__TRACE_CAUSE) != 0 ? "cause" : "consequence";
}

static void
put_json_ref(const struct tulle__trace_store *store,
             struct tulle__trace_ref ref,
             struct tulle__text *out)
{
    struct tulle__text name = { 0 };
    tulle__trace_put_ref(store, ref, false, &name);
    tulle__json_put_str(out, name.bytes, name.len);
    out->has_failed = out->has_failed || name.has_failed;
    tulle__text_free(&name);
}

static void
put_json_event(const struct tulle__trace_graph *graph, uint32_t index, struct tulle__text *out)
{
    const struct tulle__trace_store *store = graph->store;
    const struct tulle__trace_event *event = &store->events[index];
    uint32_t parent = tulle__trace_parent(graph, index);
    tulle__text_str(out, "{\"event\":");
    put_json_ref(store, tulle__trace_ref_of(store, index), out);
    tulle__json_str(out, "node", store->lanes[event->lane].name);
    tulle__json_id(out, "id", store->lanes[event->lane].node);
    tulle__json_str(out, "stream", store->lanes[event->lane].stream);
    tulle__json_u64(out, "seq", event->seq);
    tulle__json_str(out, "topic", event->topic);
    tulle__json_time(out, "time", event->time_us);
    tulle__json_str(out, "role", tulle__trace_role(graph, index));
    tulle__text_str(out, ",\"causes\":[");
    for (uint32_t i = 0; i < event->cause_count; i++) {
        if (i > 0)
            tulle__text_char(out, ',');
        put_json_ref(store, event->causes[i], out);
    }
    tulle__text_char(out, ']');
    tulle__json_bool(out, "potential", event->is_potential);
    if (parent != TULLE__TRACE_NONE)
        tulle__json_i64(out, "step_us", event->time_us - store->events[parent].time_us);
    tulle__json_key(out, "payload");
    tulle__text_put(out, event->payload, event->payload_len);
    if (event->encoding != NULL)
        tulle__json_str(out, "encoding", event->encoding);
    tulle__text_char(out, '}');
}

static void
put_json_missing(const struct tulle__trace_graph *graph,
                 uint32_t index,
                 bool *is_first,
                 struct tulle__trace_out *out)
{
    const struct tulle__trace_event *event = &graph->store->events[index];
    for (uint32_t i = 0; i < event->cause_count; i++) {
        if (tulle__trace_cause(graph, index, i) != TULLE__TRACE_NONE)
            continue;
        tulle__text_str(&out->text, *is_first ? "\n" : ",\n");
        *is_first = false;
        tulle__text_str(&out->text, "{\"event\":");
        put_json_ref(graph->store, event->causes[i], &out->text);
        tulle__json_key(&out->text, "cause_of");
        put_json_ref(graph->store, tulle__trace_ref_of(graph->store, index), &out->text);
        tulle__json_str(&out->text, "why", tulle__trace_why_missing(graph, event->causes[i]));
        tulle__text_char(&out->text, '}');
    }
}

void
tulle__trace_json(const struct tulle__trace_graph *graph, struct tulle__trace_out *out)
{
    size_t at = 0;
    uint32_t event;
    bool is_first = true;
    tulle__text_str(&out->text, "{\"events\":[");
    while ((event = tulle__trace_next_shown(graph, &at)) != TULLE__TRACE_NONE) {
        tulle__text_str(&out->text, is_first ? "\n" : ",\n");
        is_first = false;
        put_json_event(graph, event, &out->text);
        tulle__trace_out_step(out);
    }
    tulle__text_str(&out->text, "],\n\"missing\":[");
    is_first = true;
    at = 0;
    while (graph->is_upward && (event = tulle__trace_next_shown(graph, &at)) != TULLE__TRACE_NONE) {
        put_json_missing(graph, event, &is_first, out);
        tulle__trace_out_step(out);
    }
    tulle__text_str(&out->text, "]}\n");
}
