/* SPDX-License-Identifier: MPL-2.0 */

/* The page: page.html as it stands, with the trace as JSON in the place of one line. */

#include "app/json.h"
#include "tools/trace/trace_export.h"
#include "tools/trace/trace_page_html.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char mark[] = "@TRACE@";

struct page {
    const struct tulle__trace_graph *graph;
    struct tulle__text *out;
    struct tulle__text value; /* in work */
    uint32_t *numbers;        /* of each event shown */
    size_t missing;
};

/* JSON within a script element: without "<" nothing can end it, and JSON has that only within
 * strings, where it can be written otherwise. */
static void
put_json(struct page *page, const char *json, size_t len)
{
    size_t done = 0;
    for (size_t i = 0; i < len; i++) {
        if (json[i] != '<')
            continue;
        tulle__text_put(page->out, json + done, i - done);
        tulle__text_str(page->out, "\\u003c");
        done = i + 1;
    }
    tulle__text_put(page->out, json + done, len - done);
}

static void
put_str(struct page *page, const char *text, size_t len)
{
    tulle__text_clear(&page->value);
    tulle__json_put_str(&page->value, text, len);
    put_json(page, page->value.bytes, page->value.len);
}

static void
put_lanes(struct page *page)
{
    const struct tulle__trace_store *store = page->graph->store;
    tulle__text_str(page->out, "{\"lanes\":[");
    for (size_t i = 0; i < store->lane_count; i++) {
        const struct tulle__trace_lane *lane = &store->lanes[i];
        tulle__text_str(page->out, i > 0 ? ",\n[\"" : "\n[\"");
        tulle__text_id(page->out, lane->node);
        tulle__text_str(page->out, "\",");
        put_str(page, lane->name, strlen(lane->name));
        tulle__text_char(page->out, ',');
        put_str(page, lane->stream, strlen(lane->stream));
        tulle__text_char(page->out, ']');
    }
}

/* Causes: numbers of events before it, or [lane, seq, why] for those that are missing. */
static void
put_causes(struct page *page, uint32_t index)
{
    const struct tulle__trace_event *event = &page->graph->store->events[index];
    const char *comma = "";
    tulle__text_char(page->out, '[');
    for (uint32_t i = 0; i < event->cause_count; i++) {
        uint32_t cause = tulle__trace_cause(page->graph, index, i);
        if (cause == TULLE__TRACE_NONE && page->graph->is_upward) {
            tulle__text_format(page->out, "%s[%" PRIu32 ",\"%" PRIu64 "\",\"%s\"]", comma,
                               event->causes[i].lane, event->causes[i].seq,
                               tulle__trace_why_missing(page->graph, event->causes[i]));
        } else if (cause != TULLE__TRACE_NONE &&
                   (page->graph->marks[cause] & TULLE__TRACE_SHOWN) != 0) {
            tulle__text_format(page->out, "%s%" PRIu32, comma, page->numbers[cause]);
        } else {
            continue;
        }
        comma = ",";
    }
    tulle__text_char(page->out, ']');
}

/* [lane, seq, microseconds, topic, role, potential, causes, payload] */
static void
put_event(struct page *page, uint32_t index)
{
    const struct tulle__trace_event *event = &page->graph->store->events[index];
    tulle__text_format(page->out, "[%" PRIu32 ",\"%" PRIu64 "\",%" PRId64 ",", event->lane,
                       event->seq, event->time_us);
    put_str(page, event->topic, strlen(event->topic));
    tulle__text_format(page->out, ",\"%s\",%d,", tulle__trace_role(page->graph, index),
                       event->is_potential ? 1 : 0);
    put_causes(page, index);
    tulle__text_char(page->out, ',');
    put_json(page, event->payload, event->payload_len);
    tulle__text_char(page->out, ']');
}

static void
put_trace(struct page *page, struct tulle__trace_out *out)
{
    size_t at = 0;
    uint32_t number = 0;
    uint32_t index;
    put_lanes(page);
    tulle__text_str(page->out, "],\n\"events\":[");
    while ((index = tulle__trace_next_shown(page->graph, &at)) != TULLE__TRACE_NONE) {
        tulle__text_str(page->out, number > 0 ? ",\n" : "\n");
        page->numbers[index] = number++;
        put_event(page, index);
        out->text.has_failed = out->text.has_failed || page->value.has_failed;
        tulle__trace_out_step(out);
    }
    tulle__text_str(page->out, "]}");
}

void
tulle__trace_page(const struct tulle__trace_graph *graph, struct tulle__trace_out *out)
{
    const char *html = (const char *)tulle__trace_page_html;
    const char *place = strstr(html, mark);
    struct page page = { .graph = graph, .out = &out->text };
    page.numbers = calloc(graph->store->event_count + 1, sizeof *page.numbers);
    if (page.numbers == NULL || place == NULL) {
        free(page.numbers);
        out->text.has_failed = true;
        return;
    }
    tulle__text_put(&out->text, html, (size_t)(place - html));
    put_trace(&page, out);
    tulle__text_str(&out->text, place + sizeof mark - 1);
    tulle__text_free(&page.value);
    free(page.numbers);
}
