/* SPDX-License-Identifier: MPL-2.0 */

/* Medians, and JSON. */

#include "tools/load_report.h"

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

/* ---- JSON ---- */

#define OF(field) offsetof(struct tulle__load_result, field)

static json_t *
whole(uint64_t value)
{
    return json_integer((json_int_t)value);
}

/* Below 0: there is none. */
static json_t *
figure(double value)
{
    return value < 0 ? json_null() : json_real(value);
}

static json_t *
spread_json(struct tulle__spread spread)
{
    return json_pack("{s:f, s:f, s:f}", "median", spread.median, "min", spread.min, "max",
                     spread.max);
}

static json_t *
process_json(const struct tulle__load_share *share)
{
    static const char *const roles[] = { "", "publisher", "subscriber", "both" };
    return json_pack(
        "{s:s, s:o, s:o, s:f, s:f, s:o}", "role", roles[share->roles], "published",
        whole(share->published_measured), "delivered", whole(share->delivered_measured),
        "cpu_user_seconds", (double)share->user_us / 1e6, "cpu_system_seconds",
        (double)share->system_us / 1e6, "peak_rss_bytes", whole(share->peak_rss_bytes));
}

static json_t *
run_json(const struct tulle__load_result *run)
{
    json_t *processes = json_array();
    for (size_t i = 0; i < run->share_count; i++)
        (void)json_array_append_new(processes, process_json(&run->shares[i]));
    return json_pack("{s:f, s:f, s:f, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "seconds",
                     run->seconds, "events_per_second", run->events_per_second,
                     "deliveries_per_second", run->deliveries_per_second, "published",
                     whole(run->published), "delivered", whole(run->delivered), "lost",
                     whole(run->lost), "gaps", whole(run->gaps), "misordered",
                     whole(run->misordered), "uncaused", whole(run->uncaused), "foreign",
                     whole(run->foreign), "repaired", whole(run->repaired), "processes", processes);
}

json_t *
tulle__load_json(const struct tulle__load_options *options,
                 const struct tulle__load_plan *plan,
                 const struct tulle__load_result *runs,
                 size_t count)
{
    json_t *each = json_array();
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(each, run_json(&runs[i]));
    json_t *cpu = json_pack(
        "{s:o, s:o, s:o}", "publisher",
        figure(tulle__load_spread_at(runs, count, OF(publisher_cpu)).median), "subscriber",
        figure(tulle__load_spread_at(runs, count, OF(subscriber_cpu)).median), "total",
        figure(tulle__load_spread_at(runs, count, OF(total_cpu)).median));
    json_t *rss = json_pack("{s:o, s:o}", "publisher",
                            whole(tulle__load_max_at(runs, count, OF(publisher_rss))), "subscriber",
                            whole(tulle__load_max_at(runs, count, OF(subscriber_rss))));
    json_t *out =
        json_pack("{s:i, s:i, s:i, s:i, s:i, s:o, s:s, s:s, s:f, s:o}", "publishers",
                  (int)plan->publishers, "subscribers", (int)plan->subscribers, "both",
                  (int)plan->both, "streams", (int)plan->streams, "topics", (int)plan->topics,
                  "size", whole(plan->size), "order", tulle__load_order_name(plan->order),
                  "transport", tulle__load_transport_name(plan->transport), "rate", plan->rate,
                  "window_bytes", whole(options->common.node.window_bytes));
    json_t *figures =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "events_per_second",
                  spread_json(tulle__load_spread_at(runs, count, OF(events_per_second))),
                  "deliveries_per_second",
                  spread_json(tulle__load_spread_at(runs, count, OF(deliveries_per_second))),
                  "lost", whole(tulle__load_sum_at(runs, count, OF(lost))), "gaps",
                  whole(tulle__load_sum_at(runs, count, OF(gaps))), "misordered",
                  whole(tulle__load_sum_at(runs, count, OF(misordered))), "uncaused",
                  whole(tulle__load_sum_at(runs, count, OF(uncaused))), "foreign",
                  whole(tulle__load_sum_at(runs, count, OF(foreign))), "repaired",
                  whole(tulle__load_sum_at(runs, count, OF(repaired))), "cpu_seconds_per_million",
                  cpu, "peak_rss_bytes", rss, "runs", each);
    /* Takes NULL for what there was no memory for, and then fails as a whole. */
    if (json_object_update(out, figures) != 0) {
        json_decref(out);
        out = NULL;
    }
    json_decref(figures);
    return out;
}

bool
tulle__load_print_json(const char *name, json_t *results)
{
    json_t *out =
        json_pack("{s:s, s:s, s:o}", "tool", name, "version", TULLE_VERSION, "results", results);
    bool is_printed = out != NULL &&
                      json_dumpf(out, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) == 0 &&
                      fputc('\n', stdout) != EOF && fflush(stdout) == 0;
    if (!is_printed)
        (void)fprintf(stderr, "%s: the output cannot be written\n", name);
    json_decref(out);
    return is_printed;
}
