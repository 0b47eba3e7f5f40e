/* SPDX-License-Identifier: MPL-2.0 */

/* The text format of Prometheus, version 0.0.4: for the textfile collector of node_exporter, or
 * whatever else reads it. All samples of a name stand together behind its HELP and TYPE. */

#include "tools/check/check_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void
put_family(struct tulle__text *out, const char *name, const char *type, const char *help)
{
    tulle__text_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A value in quotes; what is no UTF-8 becomes a question mark. */
static void
put_label(struct tulle__text *out, const char *name, const char *value)
{
    bool is_first = out->len > 0 && out->bytes[out->len - 1] == '{';
    tulle__text_format(out, "%s%s=\"", is_first ? "" : ",", name);
    for (const char *at = value; *at != '\0';) {
        size_t len = tulle__utf8_len((const unsigned char *)at, strlen(at));
        if (*at == '\n')
            tulle__text_str(out, "\\n");
        else if (*at == '\\' || *at == '"')
            tulle__text_format(out, "\\%c", *at);
        else if (len == 0)
            tulle__text_char(out, '?');
        else
            tulle__text_put(out, at, len);
        at += len == 0 ? 1 : len;
    }
    tulle__text_char(out, '"');
}

static void
begin_of_node(struct tulle__text *out, const char *name, const tulle_seen_node *node)
{
    tulle__text_format(out, "%s{", name);
    put_label(out, "node", node->name);
    tulle__text_format(out, ",id=\"%016" PRIx64 "\"", node->id);
}

static void
end_sample(struct tulle__text *out, double value)
{
    tulle__text_format(out, "} %.15g\n", value);
}

/* ---- the check ---- */

static void
put_check(const struct tulle__check_report *report, struct tulle__text *out)
{
    put_family(out, "tulle_check_status", "gauge",
               "Of the whole check: 0 ok, 1 warning, 2 critical, 3 unknown.");
    tulle__text_format(out, "tulle_check_status %d\n", (int)report->verdict);
    if (report->problem != NULL)
        return;
    put_family(out, "tulle_check_time_seconds", "gauge", "When the mesh was looked at.");
    tulle__text_format(out, "tulle_check_time_seconds %.3f\n",
                       (double)report->mesh->snapshot->time_us / 1e6);
    put_family(out, "tulle_check_value", "gauge",
               "What the check measured; see tulle-check(1) for metrics and their units.");
    for (size_t i = 0; i < TULLE__METRIC_COUNT; i++) {
        if (!report->values->is_known[i])
            continue;
        tulle__text_format(out, "tulle_check_value{metric=\"%s\"} %.15g\n",
                           tulle__metric_info((enum tulle__metric)i)->name,
                           report->values->value[i]);
    }
    put_family(out, "tulle_check_metric_status", "gauge",
               "Of each metric: 0 ok, 1 warning, 2 critical, 3 unknown.");
    for (size_t i = 0; i < TULLE__METRIC_COUNT; i++) {
        enum tulle__metric metric = (enum tulle__metric)i;
        tulle__text_format(out, "tulle_check_metric_status{metric=\"%s\"} %d\n",
                           tulle__metric_info(metric)->name,
                           (int)tulle__check_judge_one(report->values, report->limits, metric));
    }
}

static bool
is_missing(const struct tulle__check_values *values, const char *name)
{
    for (size_t i = 0; i < values->sample_count; i++) {
        if (values->samples[i].metric == TULLE__METRIC_MISSING && values->samples[i].name == name)
            return true;
    }
    return false;
}

static void
put_expected(const struct tulle__check_report *report, struct tulle__text *out)
{
    const struct tulle__list *expects = &report->scope->expects;
    if (expects->count == 0)
        return;
    put_family(out, "tulle_expected_node_up", "gauge", "Is a node of this name up: 1, or 0.");
    for (size_t i = 0; i < expects->count; i++) {
        bool is_twice = false; /* a series must be there once */
        for (size_t k = 0; k < i; k++)
            is_twice = is_twice || strcmp(expects->items[k], expects->items[i]) == 0;
        if (is_twice)
            continue;
        tulle__text_str(out, "tulle_expected_node_up{");
        put_label(out, "node", expects->items[i]);
        end_sample(out, is_missing(report->values, expects->items[i]) ? 0 : 1);
    }
}

/* ---- nodes ---- */

static void
put_up(const struct tulle__check_report *report, struct tulle__text *out)
{
    put_family(out, "tulle_node_up", "gauge",
               "Is the node up: 1; or 0: silent, gone, or never heard.");
    for (size_t i = 0; i < report->mesh->snapshot->node_count; i++) {
        const tulle_seen_node *node = &report->mesh->snapshot->nodes[i];
        if (!tulle__check_has_node(report->scope, node) || node->state == TULLE_SEEN_LEFT)
            continue;
        begin_of_node(out, "tulle_node_up", node);
        put_label(out, "kind", node->is_proxy ? "proxy" : "node");
        end_sample(out, node->state == TULLE_SEEN_UP ? 1 : 0);
    }
}

/* How a counter is called and given here: in base units. */
struct row {
    const char *name, *type, *help;
    size_t offset;
    double scale;
    const char *quantile;
};

#define AT(field) offsetof(tulle_seen_counters, field)
static const struct row rows[] = {
    { "tulle_node_events_published_total", "counter", "Events that the node published.",
      AT(events_published), 1, NULL },
    { "tulle_node_published_bytes_total", "counter", "Bytes of the batches with them.",
      AT(bytes_published), 1, NULL },
    { "tulle_node_events_delivered_total", "counter", "Events delivered there.",
      AT(events_delivered), 1, NULL },
    { "tulle_node_delivered_bytes_total", "counter", "Bytes of the batches with them.",
      AT(bytes_delivered), 1, NULL },
    { "tulle_node_events_held_total", "counter", "Events that had to wait for order.",
      AT(events_held), 1, NULL },
    { "tulle_node_held_bytes", "gauge", "Bytes that wait for order.", AT(held_now), 1, NULL },
    { "tulle_node_gaps_total", "counter", "Ranges of events given up.", AT(gaps), 1, NULL },
    { "tulle_node_events_given_up_total", "counter", "Events in them.", AT(events_given_up), 1,
      NULL },
    { "tulle_node_events_repaired_total", "counter", "Events that came by fetch.",
      AT(events_repaired), 1, NULL },
    { "tulle_node_events_duplicate_total", "counter", "Events that came again and were dropped.",
      AT(events_duplicate), 1, NULL },
    { "tulle_node_dropped_messages_total", "counter", "Messages dropped, for any reason.",
      AT(dropped), 1, NULL },
    { "tulle_node_unacked_bytes", "gauge", "Own bytes that a live consumer has not acknowledged.",
      AT(unacked_now), 1, NULL },
    { "tulle_node_retained_bytes", "gauge", "Bytes kept for others.", AT(retained_now), 1, NULL },
    { "tulle_node_delay_seconds", "gauge",
      "From publishing to delivery in the last seconds, by wall clocks.", AT(delay_p50_us), 1e-6,
      "0.5" },
    { "tulle_node_delay_seconds", "gauge", NULL, AT(delay_p99_us), 1e-6, "0.99" },
    { "tulle_node_uptime_seconds", "gauge", "Since its start.", AT(uptime_ms), 1e-3, NULL },
};

static void
put_row(const struct tulle__check_report *report, const struct row *row, struct tulle__text *out)
{
    if (row->help != NULL)
        put_family(out, row->name, row->type, row->help);
    for (size_t i = 0; i < report->mesh->snapshot->node_count; i++) {
        const tulle_seen_node *node = &report->mesh->snapshot->nodes[i];
        if (!node->has_counters || !tulle__check_has_node(report->scope, node) ||
            !tulle__mesh_is_live(node))
            continue;
        uint64_t value;
        memcpy(&value, (const char *)&node->counters + row->offset, sizeof value);
        begin_of_node(out, row->name, node);
        if (row->quantile != NULL)
            put_label(out, "quantile", row->quantile);
        end_sample(out, (double)value * row->scale);
    }
}

/* ---- consumers ---- */

/* Lanes come by streams: those from first on that have its stream are added up. Returns the
 * lane after them. */
static size_t
put_stream(const struct tulle__check_report *report,
           size_t first,
           double *lags,
           struct tulle__text *out)
{
    const tulle_snapshot *s = report->mesh->snapshot;
    const char *stream = s->lanes[first].stream;
    size_t end = first;
    for (size_t i = 0; i < s->node_count; i++)
        lags[i] = -1;
    for (; end < s->lane_count && strcmp(s->lanes[end].stream, stream) == 0; end++) {
        for (size_t i = 0; i < s->lanes[end].taker_count; i++) {
            const tulle_seen_taker *taker = &s->lanes[end].takers[i];
            const tulle_seen_node *node = tulle_snapshot_node(s, taker->node);
            if (node == NULL || !tulle__check_has_node(report->scope, node))
                continue;
            double *lag = &lags[node - s->nodes];
            *lag = (*lag < 0 ? 0 : *lag) + (double)tulle__mesh_lag(&s->lanes[end], taker);
        }
    }
    for (size_t i = 0; i < s->node_count; i++) {
        if (lags[i] < 0)
            continue;
        begin_of_node(out, "tulle_consumer_lag_events", &s->nodes[i]);
        put_label(out, "stream", stream);
        end_sample(out, lags[i]);
    }
    return end;
}

static void
put_lags(const struct tulle__check_report *report, struct tulle__text *out)
{
    const tulle_snapshot *s = report->mesh->snapshot;
    double *lags = calloc(s->node_count + 1, sizeof *lags);
    if (lags == NULL) {
        out->has_failed = true;
        return;
    }
    put_family(out, "tulle_consumer_lag_events", "gauge",
               "Events of a stream that the node has not acknowledged.");
    for (size_t i = 0; i < s->lane_count;) {
        if (tulle__check_has_stream(report->scope, s->lanes[i].stream))
            i = put_stream(report, i, lags, out);
        else
            i++;
    }
    free(lags);
}

/* ---- proxies ---- */

struct link_row {
    const char *name, *type, *help, *direction;
    size_t offset;
};

#define LINK(field) offsetof(tulle_seen_link, field)
static const struct link_row link_rows[] = {
    { "tulle_proxy_events_total", "counter",
      "Events that left the segment through the proxy (out) or came into it (in).", "out",
      LINK(events_out) },
    { "tulle_proxy_events_total", "counter", NULL, "in", LINK(events_in) },
    { "tulle_proxy_bytes_total", "counter", "Bytes of the batches with them.", "out",
      LINK(bytes_out) },
    { "tulle_proxy_bytes_total", "counter", NULL, "in", LINK(bytes_in) },
    { "tulle_proxy_waiting_events", "gauge", "Events that wait for a rate limit.", NULL,
      LINK(waiting) },
};

static void
put_links(const struct tulle__check_report *report,
          const struct link_row *row,
          struct tulle__text *out)
{
    const tulle_snapshot *s = report->mesh->snapshot;
    if (row->help != NULL)
        put_family(out, row->name, row->type, row->help);
    for (size_t i = 0; i < s->node_count; i++) {
        const tulle_seen_node *node = &s->nodes[i];
        if (!tulle__check_has_node(report->scope, node) || !tulle__mesh_is_live(node))
            continue;
        for (size_t k = 0; k < node->link_count; k++) {
            uint64_t value;
            memcpy(&value, (const char *)&node->links[k] + row->offset, sizeof value);
            begin_of_node(out, row->name, node);
            put_label(out, "segment", node->links[k].name);
            if (row->direction != NULL)
                put_label(out, "direction", row->direction);
            end_sample(out, (double)value);
        }
    }
}

void
tulle__check_put_prometheus(const struct tulle__check_report *report, struct tulle__text *out)
{
    put_check(report, out);
    if (report->problem != NULL)
        return;
    put_expected(report, out);
    put_up(report, out);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        put_row(report, &rows[i], out);
    put_lags(report, out);
    for (size_t i = 0; i < sizeof link_rows / sizeof *link_rows; i++)
        put_links(report, &link_rows[i], out);
}
