/* SPDX-License-Identifier: MPL-2.0 */

/* A verdict in words and as JSON. What nodes call themselves is in it: it must neither end a line
 * nor begin performance data. */

#include "tools/check/check_report.h"

#include "app/json.h"
#include "tools/common/terminal.h"

#include <inttypes.h>
#include <string.h>

enum { NAMES_SHOWN = 3, LINES_SHOWN = 10 };

void
tulle__check_put_number(struct tulle__text *out, double value)
{
    tulle__text_format(out, "%.3f", value);
    while (out->len > 0 && out->bytes[out->len - 1] == '0')
        out->len--;
    if (out->len > 0 && out->bytes[out->len - 1] == '.')
        out->len--;
}

size_t
tulle__check_worst(const struct tulle__check_values *values,
                   enum tulle__metric metric,
                   const struct tulle__check_sample **worst,
                   size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < values->sample_count; i++) {
        const struct tulle__check_sample *sample = &values->samples[i];
        if (sample->metric != metric)
            continue;
        size_t at = count < max ? count : max;
        for (; at > 0 && worst[at - 1]->value < sample->value; at--) {
            if (at < max)
                worst[at] = worst[at - 1];
        }
        if (at < max)
            worst[at] = sample;
        count++;
    }
    return count;
}

/* ---- words ---- */

/* The bar begins performance data wherever it stands. */
static void
put_safe(struct tulle__text *out, const char *text)
{
    size_t from = out->len;
    tulle__terminal_put_safe(out, text, strlen(text));
    for (size_t i = from; i < out->len; i++) {
        if (out->bytes[i] == '|')
            out->bytes[i] = '/';
    }
}

static void
put_who(const struct tulle__check_report *report,
        const struct tulle__check_sample *sample,
        struct tulle__text *out)
{
    if (sample->name != NULL)
        put_safe(out, sample->name);
    else
        put_safe(out, report->mesh->nodes[sample->node - report->mesh->snapshot->nodes].label);
}

static void
put_heard(const tulle_seen_node *node, struct tulle__text *out)
{
    tulle__text_str(out, ", heard ");
    tulle__check_put_number(out, (double)node->heard_ms / 1000);
    tulle__text_str(out, " s ago");
}

static void
put_lag(const struct tulle__check_report *report,
        const struct tulle__check_sample *sample,
        struct tulle__text *out)
{
    tulle__check_put_number(out, sample->value);
    tulle__text_str(out, sample->value > 1 ? " events behind" : " event behind");
    tulle__text_format(out, ", most of them (%" PRIu64 ") of ", sample->lane_lag);
    struct tulle__text label = { 0 };
    tulle__mesh_put_label(report->mesh, sample->lane->node, sample->lane->node_name, &label);
    tulle__text_char(&label, '/');
    tulle__text_str(&label, sample->lane->stream);
    tulle__text_char(&label, '\0');
    put_safe(out, label.has_failed ? "?" : label.bytes);
    tulle__text_free(&label);
}

static void
put_state(const struct tulle__check_sample *sample, struct tulle__text *out)
{
    const tulle_seen_node *node = sample->node;
    if (node == NULL) {
        tulle__text_str(out, "nothing is known of it");
        return;
    }
    bool was_heard = node->was_viewed || node->state != TULLE_SEEN_GONE;
    switch (was_heard ? node->state : TULLE_SEEN_NAMED) {
    case TULLE_SEEN_NAMED:
        tulle__text_str(out, "others name it, nothing was heard of it");
        if (node->address[0] == '\0')
            return;
        tulle__text_str(out, "; its address is ");
        put_safe(out, node->address);
        return;
    case TULLE_SEEN_UP:
        tulle__text_str(out, "up, but it did not answer");
        return;
    case TULLE_SEEN_SUSPECT:
        tulle__text_str(out, "silent");
        break;
    case TULLE_SEEN_GONE:
        tulle__text_str(out, "gone");
        break;
    case TULLE_SEEN_LEFT:
        tulle__text_str(out, "it left");
        break;
    }
    put_heard(node, out);
}

void
tulle__check_put_sample(const struct tulle__check_report *report,
                        const struct tulle__check_sample *sample,
                        struct tulle__text *out)
{
    put_who(report, sample, out);
    tulle__text_str(out, ": ");
    enum tulle__metric metric = sample->metric;
    if (metric == TULLE__METRIC_MISSING || metric == TULLE__METRIC_GONE ||
        metric == TULLE__METRIC_SUSPECT || metric == TULLE__METRIC_UNANSWERED) {
        put_state(sample, out);
    } else if (metric == TULLE__METRIC_LAG) {
        put_lag(report, sample, out);
    } else {
        tulle__check_put_number(out, sample->value);
        tulle__text_str(out, tulle__metric_info(metric)->unit);
    }
}

/* ---- text ---- */

static bool
names_nodes(enum tulle__metric metric)
{
    return metric != TULLE__METRIC_NODES && metric != TULLE__METRIC_PUBLISHERS &&
           metric != TULLE__METRIC_CONSUMERS && metric != TULLE__METRIC_PUBLISHED &&
           metric != TULLE__METRIC_DELIVERED;
}

static void
put_names(const struct tulle__check_report *report,
          enum tulle__metric metric,
          struct tulle__text *out)
{
    const struct tulle__check_sample *worst[NAMES_SHOWN];
    size_t count = tulle__check_worst(report->values, metric, worst, NAMES_SHOWN);
    if (count == 0 || !names_nodes(metric))
        return;
    tulle__text_str(out, " (");
    size_t shown = tulle__metric_info(metric)->how == TULLE__METRIC_MAX ? 1 : NAMES_SHOWN;
    for (size_t i = 0; i < count && i < shown; i++) {
        tulle__text_str(out, i == 0 ? "" : ", ");
        put_who(report, worst[i], out);
    }
    if (count > shown && shown > 1)
        tulle__text_format(out, " and %zu more", count - shown);
    tulle__text_char(out, ')');
}

static void
put_metric(const struct tulle__check_report *report,
           enum tulle__metric metric,
           struct tulle__text *out)
{
    const struct tulle__metric_info *info = tulle__metric_info(metric);
    tulle__text_str(out, info->name);
    tulle__text_char(out, ' ');
    if (!report->values->is_known[metric]) {
        tulle__text_str(out, "not known");
        return;
    }
    tulle__check_put_number(out, report->values->value[metric]);
    tulle__text_str(out, info->unit);
    put_names(report, metric, out);
}

static void
put_summary(const struct tulle__check_report *report, struct tulle__text *out)
{
    const double *value = report->values->value;
    static const enum tulle__verdict order[] = { TULLE__VERDICT_CRITICAL, TULLE__VERDICT_WARNING,
                                                 TULLE__VERDICT_UNKNOWN };
    for (size_t k = 0; k < sizeof order / sizeof *order; k++) {
        for (size_t i = 0; i < TULLE__METRIC_COUNT; i++) {
            enum tulle__metric metric = (enum tulle__metric)i;
            if (tulle__check_judge_one(report->values, report->limits, metric) != order[k])
                continue;
            put_metric(report, metric, out);
            tulle__text_str(out, ", ");
        }
    }
    tulle__text_format(out, "%.0f node%s", value[TULLE__METRIC_NODES],
                       value[TULLE__METRIC_NODES] == 1 ? "" : "s");
    if (report->verdict != TULLE__VERDICT_OK)
        return;
    tulle__text_format(out, ", %.0f gap%s", value[TULLE__METRIC_GAPS],
                       value[TULLE__METRIC_GAPS] == 1 ? "" : "s");
    tulle__text_format(out, ", lag %.0f", value[TULLE__METRIC_LAG]);
}

static void
put_performance(const struct tulle__check_report *report, struct tulle__text *out)
{
    const char *separator = " | ";
    for (size_t i = 0; i < TULLE__METRIC_COUNT; i++) {
        const struct tulle__metric_info *info = tulle__metric_info((enum tulle__metric)i);
        if (!report->values->is_known[i])
            continue;
        const char *warning = report->limits->warning[i].text;
        const char *critical = report->limits->critical[i].text;
        tulle__text_format(out, "%s%s=", separator, info->name);
        tulle__check_put_number(out, report->values->value[i]);
        tulle__text_format(out, "%s;%s;%s;0", info->unit, warning == NULL ? "" : warning,
                           critical == NULL ? "" : critical);
        separator = " ";
    }
    tulle__text_char(out, '\n');
}

static void
put_scope_of_counts(const struct tulle__check_report *report, struct tulle__text *out)
{
    if (report->base == NULL) {
        tulle__text_str(out, "  counted since these nodes started; --state or --window tells only "
                             "of what is new\n");
    } else if (!report->base->is_first) {
        tulle__text_format(out, "  in the last %.1f s\n", report->base->seconds);
    }
}

static void
put_details(const struct tulle__check_report *report,
            enum tulle__metric metric,
            struct tulle__text *out)
{
    const struct tulle__check_sample *worst[LINES_SHOWN];
    size_t count = tulle__check_worst(report->values, metric, worst, LINES_SHOWN);
    if (!names_nodes(metric))
        return;
    for (size_t i = 0; i < count && i < LINES_SHOWN; i++) {
        tulle__text_str(out, "  ");
        tulle__check_put_sample(report, worst[i], out);
        tulle__text_char(out, '\n');
    }
    if (count > LINES_SHOWN)
        tulle__text_format(out, "  and %zu more\n", count - LINES_SHOWN);
    if (count > 0 && (metric == TULLE__METRIC_GAPS || metric == TULLE__METRIC_LOST ||
                      metric == TULLE__METRIC_DROPPED))
        put_scope_of_counts(report, out);
}

static void
put_range(const char *name, const struct tulle__range *range, struct tulle__text *out)
{
    if (range->text != NULL)
        tulle__text_format(out, ", %s %s", name, range->text);
}

static void
put_long_output(const struct tulle__check_report *report, struct tulle__text *out)
{
    for (size_t i = 0; i < TULLE__METRIC_COUNT; i++) {
        enum tulle__metric metric = (enum tulle__metric)i;
        enum tulle__verdict verdict =
            tulle__check_judge_one(report->values, report->limits, metric);
        if (verdict == TULLE__VERDICT_OK && !report->is_verbose)
            continue;
        const struct tulle__metric_info *info = tulle__metric_info(metric);
        tulle__text_format(out, "%s %s ", tulle__verdict_name(verdict), info->name);
        if (report->values->is_known[i])
            tulle__check_put_number(out, report->values->value[i]);
        else
            tulle__text_str(out, "not known");
        tulle__text_format(out, "%s, %s", report->values->is_known[i] ? info->unit : "",
                           info->help);
        put_range("warning", &report->limits->warning[i], out);
        put_range("critical", &report->limits->critical[i], out);
        tulle__text_char(out, '\n');
        if (report->values->is_known[i])
            put_details(report, metric, out);
        else if (metric == TULLE__METRIC_AGE && verdict != TULLE__VERDICT_OK)
            tulle__text_str(out, "  no such stream is there, or nobody keeps its last event\n");
    }
}

void
tulle__check_put_text(const struct tulle__check_report *report, struct tulle__text *out)
{
    tulle__text_format(out, "TULLE %s - ", tulle__verdict_name(report->verdict));
    if (report->problem != NULL) {
        put_safe(out, report->problem);
        tulle__text_char(out, '\n');
        return;
    }
    put_summary(report, out);
    put_performance(report, out);
    put_long_output(report, out);
}

/* ---- JSON ---- */

static void
put_json_str(const char *name, const char *text, struct tulle__text *out)
{
    tulle__json_key(out, name);
    if (text == NULL)
        tulle__text_str(out, "null");
    else
        tulle__json_put_str(out, text, strlen(text));
}

static void
put_json_samples(const struct tulle__check_report *report,
                 enum tulle__metric metric,
                 struct tulle__text *out)
{
    const struct tulle__check_sample *worst[LINES_SHOWN];
    size_t count = tulle__check_worst(report->values, metric, worst, LINES_SHOWN);
    tulle__text_str(out, ",\"worst\":[");
    for (size_t i = 0; i < count && i < LINES_SHOWN && names_nodes(metric); i++) {
        const tulle_seen_node *node = worst[i]->node;
        const char *name = worst[i]->name != NULL ? worst[i]->name : node->name;
        tulle__text_str(out, i == 0 ? "{" : ",{");
        tulle__text_str(out, metric == TULLE__METRIC_AGE ? "\"stream\":" : "\"node\":");
        tulle__json_put_str(out, name, strlen(name));
        if (node != NULL) {
            tulle__json_id(out, "id", node->id);
            tulle__json_str(out, "state", tulle__mesh_state(node->state));
        }
        if (metric == TULLE__METRIC_LAG) {
            put_json_str("publisher", worst[i]->lane->node_name, out);
            put_json_str("stream", worst[i]->lane->stream, out);
        }
        tulle__json_key(out, "value");
        tulle__check_put_number(out, worst[i]->value);
        tulle__text_char(out, '}');
    }
    tulle__text_char(out, ']');
}

static void
put_json_metric(const struct tulle__check_report *report,
                enum tulle__metric metric,
                struct tulle__text *out)
{
    const struct tulle__metric_info *info = tulle__metric_info(metric);
    enum tulle__verdict verdict = tulle__check_judge_one(report->values, report->limits, metric);
    tulle__text_format(out, "%s\n\"%s\":{\"value\":", metric == 0 ? "" : ",", info->name);
    if (report->values->is_known[metric])
        tulle__check_put_number(out, report->values->value[metric]);
    else
        tulle__text_str(out, "null");
    put_json_str("unit", info->unit, out);
    put_json_str("status", tulle__verdict_name(verdict), out);
    put_json_str("warning", report->limits->warning[metric].text, out);
    put_json_str("critical", report->limits->critical[metric].text, out);
    put_json_samples(report, metric, out);
    tulle__text_char(out, '}');
}

void
tulle__check_put_json(const struct tulle__check_report *report, struct tulle__text *out)
{
    tulle__text_format(out, "{\"status\":\"%s\",\"code\":%d", tulle__verdict_name(report->verdict),
                       (int)report->verdict);
    put_json_str("problem", report->problem, out);
    if (report->problem != NULL) {
        tulle__text_str(out, "}\n");
        return;
    }
    struct tulle__text summary = { 0 };
    put_summary(report, &summary);
    tulle__json_key(out, "summary");
    tulle__json_put_str(out, summary.len == 0 ? "" : summary.bytes, summary.len);
    tulle__text_free(&summary);
    tulle__json_time(out, "time", (int64_t)report->mesh->snapshot->time_us);
    tulle__json_u64(out, "pending", report->mesh->snapshot->pending);
    tulle__json_key(out, "counted_seconds");
    if (report->base == NULL)
        tulle__text_str(out, "null");
    else
        tulle__check_put_number(out, report->base->seconds);
    tulle__text_str(out, ",\"metrics\":{");
    for (size_t i = 0; i < TULLE__METRIC_COUNT; i++)
        put_json_metric(report, (enum tulle__metric)i, out);
    tulle__text_str(out, "}}\n");
}

void
tulle__check_put(const struct tulle__check_report *report,
                 enum tulle__check_format format,
                 struct tulle__text *out)
{
    switch (format) {
    case TULLE__CHECK_TEXT:
        tulle__check_put_text(report, out);
        break;
    case TULLE__CHECK_JSON:
        tulle__check_put_json(report, out);
        break;
    case TULLE__CHECK_PROMETHEUS:
        tulle__check_put_prometheus(report, out);
        break;
    }
}
