/* SPDX-License-Identifier: MPL-2.0 */

/* Medians, and JSON. */

#include "tools/load/load_report.h"

#include <tulle/version.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

struct tulle__spread
tulle__load_spread(const struct tulle__load_result *runs,
                   size_t count,
                   tulle__load_figure figure,
                   const void *ctx)
{
    double values[TULLE__LOAD_RUNS_MAX] = { 0 };
    for (size_t i = 0; i < count; i++)
        values[i] = figure(&runs[i], ctx);
    qsort(values, count, sizeof *values, compare_doubles);
    double upper = values[count / 2];
    double median = count % 2 == 1 ? upper : (values[count / 2 - 1] + upper) / 2;
    return (struct tulle__spread){ median, values[0], values[count - 1] };
}

static double
double_at(const struct tulle__load_result *run, const void *offset)
{
    double value;
    memcpy(&value, (const char *)run + *(const size_t *)offset, sizeof value);
    return value;
}

struct tulle__spread
tulle__load_spread_at(const struct tulle__load_result *runs, size_t count, size_t offset)
{
    return tulle__load_spread(runs, count, double_at, &offset);
}

static uint64_t
whole_at(const struct tulle__load_result *run, size_t offset)
{
    uint64_t value;
    memcpy(&value, (const char *)run + offset, sizeof value);
    return value;
}

uint64_t
tulle__load_sum_at(const struct tulle__load_result *runs, size_t count, size_t offset)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += whole_at(&runs[i], offset);
    return sum;
}

uint64_t
tulle__load_max_at(const struct tulle__load_result *runs, size_t count, size_t offset)
{
    uint64_t max = 0;
    for (size_t i = 0; i < count; i++)
        max = whole_at(&runs[i], offset) > max ? whole_at(&runs[i], offset) : max;
    return max;
}

bool
tulle__load_judge(const char *name, const char *what, const struct tulle__load_result *run)
{
    const struct {
        uint64_t count;
        const char *text;
    } faults[] = {
        { run->lost, "events lost" },
        { run->gaps, "gap notices" },
        { run->misordered, "events out of order, or twice" },
        { run->uncaused, "events before what they depend on" },
        { run->foreign, "events that are damaged, or of somebody else" },
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        if (faults[i].count > 0)
            (void)fprintf(stderr, "%s: %s: %s: %" PRIu64 "\n", name, what, faults[i].text,
                          faults[i].count);
    }
    return tulle__load_is_clean(run);
}

static const struct {
    const char *name;
    double share;
} percentiles[TULLE__LOAD_PERCENTILES] = {
    { "p50", 0.5 },  { "p75", 0.75 },   { "p90", 0.9 },      { "p95", 0.95 },
    { "p99", 0.99 }, { "p999", 0.999 }, { "p9999", 0.9999 },
};

const char *
tulle__load_percentile_name(int percentile)
{
    return percentiles[percentile].name;
}

static double
latency_us(const struct tulle__load_result *run, const void *share)
{
    return (double)tulle__histogram_quantile(&run->latency, *(const double *)share) / 1000.0;
}

static double
mean_us(const struct tulle__load_result *run, const void *ctx)
{
    (void)ctx;
    return tulle__histogram_mean(&run->latency) / 1000.0;
}

struct tulle__load_latency
tulle__load_latency(const struct tulle__load_result *runs, size_t count)
{
    struct tulle__load_latency out = { .mean =
                                           tulle__load_spread(runs, count, mean_us, NULL).median };
    for (size_t i = 0; i < TULLE__LOAD_PERCENTILES; i++)
        out.percentiles[i] =
            tulle__load_spread(runs, count, latency_us, &percentiles[i].share).median;
    uint64_t min = UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        const struct tulle__histogram *latency = &runs[i].latency;
        out.count += latency->count;
        min = latency->min < min ? latency->min : min;
        out.max = (double)latency->max / 1000.0 > out.max ? (double)latency->max / 1000.0 : out.max;
    }
    out.min = out.count > 0 ? (double)min / 1000.0 : 0;
    return out;
}

/* ---- JSON ---- */

#define OF(field) offsetof(struct tulle__load_result, field)

static const struct {
    const char *name;
    size_t offset;
} counts[] = {
    { "lost", OF(lost) },         { "gaps", OF(gaps) },       { "misordered", OF(misordered) },
    { "uncaused", OF(uncaused) }, { "foreign", OF(foreign) }, { "repaired", OF(repaired) },
};

static json_t *
whole(uint64_t value)
{
    return json_integer((json_int_t)value);
}

/* Takes the value; NULL is what there was no memory for, and *out becomes NULL too. */
static void
put(json_t **out, const char *name, json_t *value)
{
    if (json_object_set_new(*out, name, value) == 0)
        return;
    json_decref(*out);
    *out = NULL;
}

static void
put_counts(json_t **out, const struct tulle__load_result *runs, size_t count)
{
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        put(out, counts[i].name, whole(tulle__load_sum_at(runs, count, counts[i].offset)));
}

/* The median; null when it is below 0: there is none. */
static json_t *
median_json(const struct tulle__load_result *runs, size_t count, size_t offset)
{
    double value = tulle__load_spread_at(runs, count, offset).median;
    return value < 0 ? json_null() : json_real(value);
}

static json_t *
spread_json(const struct tulle__load_result *runs, size_t count, size_t offset)
{
    struct tulle__spread spread = tulle__load_spread_at(runs, count, offset);
    return json_pack("{s:f, s:f, s:f}", "median", spread.median, "min", spread.min, "max",
                     spread.max);
}

static json_t *
process_json(const struct tulle__load_share *share)
{
    static const char *const roles[] = { "proxy", "publisher", "subscriber", "both" };
    json_t *out =
        json_pack("{s:s, s:o, s:o, s:f, s:f, s:o}", "role",
                  roles[share->roles & (TULLE__LOAD_PUBLISHES | TULLE__LOAD_TAKES)], "published",
                  whole(share->published_measured), "delivered", whole(share->delivered_measured),
                  "cpu_user_seconds", (double)share->user_us / 1e6, "cpu_system_seconds",
                  (double)share->system_us / 1e6, "peak_rss_bytes", whole(share->peak_rss_bytes));
    if (share->roles == TULLE__LOAD_FORWARDS)
        put(&out, "relayed", whole(share->relayed));
    return out;
}

static json_t *
latency_json(const struct tulle__load_result *runs, size_t count)
{
    struct tulle__load_latency latency = tulle__load_latency(runs, count);
    json_t *out = json_pack("{s:o, s:f, s:f}", "count", whole(latency.count), "min", latency.min,
                            "mean", latency.mean);
    for (size_t i = 0; i < TULLE__LOAD_PERCENTILES; i++)
        put(&out, percentiles[i].name, json_real(latency.percentiles[i]));
    put(&out, "max", json_real(latency.max));
    return out;
}

static json_t *
run_json(const struct tulle__load_result *run)
{
    json_t *processes = json_array();
    for (size_t i = 0; i < run->share_count; i++)
        (void)json_array_append_new(processes, process_json(&run->shares[i]));
    json_t *out = json_object();
    put(&out, "seconds", json_real(run->seconds));
    put(&out, "events_per_second", json_real(run->events_per_second));
    put(&out, "deliveries_per_second", json_real(run->deliveries_per_second));
    put(&out, "published", whole(run->published));
    put(&out, "delivered", whole(run->delivered));
    put_counts(&out, run, 1);
    put(&out, "latency_us", latency_json(run, 1));
    put(&out, "processes", processes);
    return out;
}

json_t *
tulle__load_json(const struct tulle__load_plan *plan,
                 const struct tulle__load_result *runs,
                 size_t count)
{
    json_t *each = json_array();
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(each, run_json(&runs[i]));
    json_t *out = json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:o, s:s, s:s, s:f, s:o}", "publishers",
                            (int)plan->publishers, "subscribers", (int)plan->subscribers, "both",
                            (int)plan->both, "proxies", (int)plan->proxies, "streams",
                            (int)plan->streams, "topics", (int)plan->topics, "size",
                            whole(plan->size), "order", tulle__load_order_name(plan->order),
                            "transport", tulle__load_transport_name(plan->transport), "rate",
                            plan->rate, "window_bytes", whole(plan->node.window_bytes));
    put(&out, "events_per_second", spread_json(runs, count, OF(events_per_second)));
    put(&out, "deliveries_per_second", spread_json(runs, count, OF(deliveries_per_second)));
    if (plan->is_timed) {
        put(&out, "round_trip", json_boolean(plan->is_round_trip));
        put(&out, "spin", json_boolean(plan->is_spinning));
    }
    put(&out, "latency_us", latency_json(runs, count));
    put_counts(&out, runs, count);
    put(&out, "cpu_seconds_per_million",
        json_pack("{s:o, s:o, s:o, s:o}", "publisher", median_json(runs, count, OF(publisher_cpu)),
                  "subscriber", median_json(runs, count, OF(subscriber_cpu)), "proxy",
                  median_json(runs, count, OF(proxy_cpu)), "total",
                  median_json(runs, count, OF(total_cpu))));
    put(&out, "peak_rss_bytes",
        json_pack("{s:o, s:o, s:o}", "publisher",
                  whole(tulle__load_max_at(runs, count, OF(publisher_rss))), "subscriber",
                  whole(tulle__load_max_at(runs, count, OF(subscriber_rss))), "proxy",
                  whole(tulle__load_max_at(runs, count, OF(proxy_rss)))));
    put(&out, "runs", each);
    return out;
}

bool
tulle__load_print_json(const char *name, json_t *results)
{
    json_t *out =
        json_pack("{s:s, s:s, s:O}", "tool", name, "version", TULLE_VERSION, "results", results);
    bool is_printed = out != NULL &&
                      json_dumpf(out, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) == 0 &&
                      fputc('\n', stdout) != EOF && fflush(stdout) == 0;
    if (!is_printed)
        (void)fprintf(stderr, "%s: the output cannot be written\n", name);
    json_decref(out);
    return is_printed;
}
