/* SPDX-License-Identifier: MPL-2.0 */

/* tulle bench: how many events a second go through a mesh, and what they cost. */

#include "tools/common/tools.h"
#include "tools/load/load_series.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MIB       1048576.0
#define AT(field) offsetof(struct tulle__load_options, field)
#define HERE      TULLE__OPTION_FLAG_ONLY
#define OF(field) offsetof(struct tulle__load_result, field)

// clang-format off
#define COUNT(kind) offsetof(struct tulle__load_options, counts.texts[TULLE__LOAD_##kind])
static const struct tulle__option mesh_options[] = {
    { .name = "publishers", .letter = 'p', .type = TULLE__OPTION_STRING, .flags = HERE,
      .offset = COUNT(PUBLISHERS), .arg = "N,...",
      .help = "nodes that publish, measured one number after the other, with each one of the other lists; 0 with --both unless told" },
    { .name = "subscribers", .letter = 'c', .type = TULLE__OPTION_STRING, .flags = HERE,
      .offset = COUNT(SUBSCRIBERS), .arg = "N,...",
      .help = "nodes that take everything; 0 with --both unless told" },
    { .name = "both", .letter = 'b', .type = TULLE__OPTION_STRING, .flags = HERE,
      .offset = COUNT(BOTH), .arg = "N,...",
      .help = "nodes that publish and take what all others publish" },
    { .name = "streams", .type = TULLE__OPTION_STRING, .flags = HERE, .offset = COUNT(STREAMS),
      .arg = "N,...", .help = "streams that each publisher publishes on, in turn" },
    { .name = "topics", .type = TULLE__OPTION_STRING, .flags = HERE, .offset = COUNT(TOPICS),
      .arg = "N,...", .help = "topics within each stream" },
    { .name = "rate", .type = TULLE__OPTION_STRING, .flags = HERE, .offset = AT(rate),
      .arg = "N,...", .help = "events a second of each publisher, one rate after the other; 0: as fast as they are taken" },
};
// clang-format on

static const char notes[] =
    "Every node is a process of its own. Rates are measured where events are delivered. Status 1\n"
    "says that not everything was delivered once and in order.\n"
    "\n"
    "Examples:\n"
    "  tulle bench                              # one publisher, one subscriber, four sizes\n"
    "  tulle bench -p 2 -c 4 -s 64 -d 5\n"
    "  tulle bench --both 4 --transport ipc     # four nodes that publish and take\n"
    "  tulle bench --proxies 0,1,2 -s 64        # what a proxy in between costs, and two\n"
    "  tulle bench -p 1,4 -c 1,4 -s 64,1K --csv # each with each\n"
    "  tulle bench -s 1K --rate 10000 --json";

struct bench {
    const struct tulle__program *program;
    struct tulle__load_options options;
    bool has_header;
    struct tulle__load_plan shown; /* what the header was about */
};

/* Can these numbers be measured? Returns 0 or an exit status, after a message. */
static int
check_plan(const struct bench *bench, const struct tulle__load_plan *plan)
{
    uint32_t publishers = plan->publishers + plan->both;
    uint32_t takers = plan->subscribers + plan->both;
    if (publishers == 0 || takers == 0 || (publishers == 1 && takers == 1 && plan->both == 1))
        return tulle__args_usage(bench->program, "nobody would take what is published");
    if (publishers + plan->subscribers > TULLE__LOAD_NODES_MAX)
        return tulle__args_usage(bench->program, "more than %d nodes", TULLE__LOAD_NODES_MAX);
    if ((uint64_t)plan->streams * plan->topics > TULLE__LOAD_TOPICS_MAX)
        return tulle__args_usage(bench->program, "more than %d topics", TULLE__LOAD_TOPICS_MAX);
    return 0;
}

static int
check_options(struct bench *bench, const struct tulle__args *args)
{
    struct tulle__load_options *options = &bench->options;
    const char **texts = options->counts.texts;
    bool has_both = strcmp(texts[TULLE__LOAD_BOTH], "0") != 0;
    if (has_both && !tulle__args_has(args, "publishers"))
        texts[TULLE__LOAD_PUBLISHERS] = "0";
    if (has_both && !tulle__args_has(args, "subscribers"))
        texts[TULLE__LOAD_SUBSCRIBERS] = "0";
    int status = tulle__load_options_finish(bench->program, args, options);
    struct tulle__load_plan plan = options->plan;
    for (size_t i = 0; status == 0 && tulle__load_counts_at(&options->counts, i, &plan); i++)
        status = check_plan(bench, &plan);
    return status;
}

/* ---- output ---- */

static void
print_cell(double value, double scale, int width, int decimals)
{
    if (value < 0)
        (void)printf(" %*s", width, "-");
    else
        (void)printf(" %*.*f", width, decimals, value / scale);
}

static void
print_header(const struct tulle__load_options *options, const struct tulle__load_plan *plan)
{
    const struct {
        uint32_t count;
        const char *one, *many;
    } roles[] = { { plan->publishers, "publisher", "publishers" },
                  { plan->subscribers, "subscriber", "subscribers" },
                  { plan->both, "node that does both", "nodes that do both" },
                  { plan->proxies, "proxy between", "proxies between" },
                  { plan->streams > 1 ? plan->streams : 0, "", "streams each" },
                  { plan->topics > 1 ? plan->topics : 0, "", "topics in each stream" } };
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        if (roles[i].count > 0)
            (void)printf("%" PRIu32 " %s, ", roles[i].count,
                         roles[i].count == 1 ? roles[i].one : roles[i].many);
    }
    (void)printf("%s, order %s; ", tulle__load_transport_name(plan->transport),
                 tulle__load_order_name(plan->order));
    if (options->runs > 1)
        (void)printf("median of %" PRIu32 " runs", options->runs);
    else
        (void)printf("one run");
    if (plan->count > 0)
        (void)printf(" of %" PRIu64 " events a publisher\n", plan->count);
    else
        (void)printf(" of %.15g s\n", (double)plan->duration_ms / 1000.0);
    (void)printf("%37s %35s %26s %17s\n", "events a second", "delivered", "CPU s a million events",
                 "peak RSS MiB");
    (void)printf("%8s %9s %9s %9s %12s %9s %8s %8s %8s %8s %8s %7s\n", "size", "median", "min",
                 "max", "events/s", "MiB/s", "pub", "sub", "all", "pub", "sub", "lost");
}

/* What one does not find in the table, below its row. */
static void
print_more(const struct tulle__load_plan *plan,
           const struct tulle__load_result *runs,
           uint32_t count)
{
    static const int shown[] = { TULLE__LOAD_P50, TULLE__LOAD_P90, TULLE__LOAD_P99,
                                 TULLE__LOAD_P99_9 };
    static const char *const names[] = { "p50", "p90", "p99", "p99.9" };
    struct tulle__load_latency latency = tulle__load_latency(runs, count);
    (void)printf("%8s latency", "");
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        (void)printf(" %s %.2f,", names[i], latency.percentiles[shown[i]] / 1000.0);
    (void)printf(" max %.2f ms", latency.max / 1000.0);
    if (plan->rate > 0)
        (void)printf("; rate %.15g of each publisher", plan->rate);
    if (plan->proxies > 0) {
        (void)printf("; each proxy %.3f CPU s a million events, %.1f MiB",
                     tulle__load_spread_at(runs, count, OF(proxy_cpu)).median,
                     (double)tulle__load_max_at(runs, count, OF(proxy_rss)) / MIB);
    }
    (void)fputc('\n', stdout);
}

static void
print_row(struct bench *bench,
          const struct tulle__load_plan *plan,
          const struct tulle__load_result *runs)
{
    uint32_t count = bench->options.runs;
    struct tulle__spread events = tulle__load_spread_at(runs, count, OF(events_per_second));
    double delivered = tulle__load_spread_at(runs, count, OF(deliveries_per_second)).median;
    if (!bench->has_header || !tulle__load_counts_equal(plan, &bench->shown)) {
        (void)fputs(bench->has_header ? "\n" : "", stdout);
        print_header(&bench->options, plan);
    }
    bench->has_header = true;
    bench->shown = *plan;
    (void)printf("%8" PRIu64, plan->size);
    print_cell(events.median, 1, 9, 0);
    print_cell(events.min, 1, 9, 0);
    print_cell(events.max, 1, 9, 0);
    print_cell(delivered, 1, 12, 0);
    print_cell(delivered * (double)plan->size, MIB, 9, 1);
    print_cell(tulle__load_spread_at(runs, count, OF(publisher_cpu)).median, 1, 8, 3);
    print_cell(tulle__load_spread_at(runs, count, OF(subscriber_cpu)).median, 1, 8, 3);
    print_cell(tulle__load_spread_at(runs, count, OF(total_cpu)).median, 1, 8, 3);
    print_cell((double)tulle__load_max_at(runs, count, OF(publisher_rss)), MIB, 8, 1);
    print_cell((double)tulle__load_max_at(runs, count, OF(subscriber_rss)), MIB, 8, 1);
    (void)printf(" %7" PRIu64 "\n", tulle__load_sum_at(runs, count, OF(lost)));
    print_more(plan, runs, count);
}

/* Below 0: an empty field. */
static void
print_field(double value)
{
    if (value < 0)
        (void)fputc(',', stdout);
    else
        (void)printf(",%.9g", value);
}

static void
print_csv(struct bench *bench,
          const struct tulle__load_plan *plan,
          const struct tulle__load_result *runs)
{
    static const size_t wholes[] = { OF(lost),     OF(gaps),    OF(misordered),
                                     OF(uncaused), OF(foreign), OF(repaired) };
    static const size_t peaks[] = { OF(publisher_rss), OF(subscriber_rss), OF(proxy_rss) };
    uint32_t count = bench->options.runs;
    if (!bench->has_header) {
        (void)puts(
            "publishers,subscribers,both,proxies,streams,topics,size,order,transport,rate,runs,"
            "events_per_second,events_per_second_min,events_per_second_max,"
            "deliveries_per_second,cpu_publisher,cpu_subscriber,cpu_proxy,cpu_total,"
            "peak_rss_publisher,peak_rss_subscriber,peak_rss_proxy,"
            "lost,gaps,misordered,uncaused,foreign,repaired,"
            "min_us,mean_us,p50_us,p75_us,p90_us,p95_us,p99_us,p999_us,p9999_us,max_us");
    }
    bench->has_header = true;
    (void)printf("%u,%u,%u,%u,%u,%u,%" PRIu64 ",%s,%s,%.15g,%" PRIu32, plan->publishers,
                 plan->subscribers, plan->both, plan->proxies, plan->streams, plan->topics,
                 plan->size, tulle__load_order_name(plan->order),
                 tulle__load_transport_name(plan->transport), plan->rate, count);
    struct tulle__spread events = tulle__load_spread_at(runs, count, OF(events_per_second));
    print_field(events.median);
    print_field(events.min);
    print_field(events.max);
    print_field(tulle__load_spread_at(runs, count, OF(deliveries_per_second)).median);
    print_field(tulle__load_spread_at(runs, count, OF(publisher_cpu)).median);
    print_field(tulle__load_spread_at(runs, count, OF(subscriber_cpu)).median);
    print_field(tulle__load_spread_at(runs, count, OF(proxy_cpu)).median);
    print_field(tulle__load_spread_at(runs, count, OF(total_cpu)).median);
    for (size_t i = 0; i < sizeof peaks / sizeof *peaks; i++)
        (void)printf(",%" PRIu64, tulle__load_max_at(runs, count, peaks[i]));
    for (size_t i = 0; i < sizeof wholes / sizeof *wholes; i++)
        (void)printf(",%" PRIu64, tulle__load_sum_at(runs, count, wholes[i]));
    struct tulle__load_latency latency = tulle__load_latency(runs, count);
    print_field(latency.min);
    print_field(latency.mean);
    for (size_t i = 0; i < TULLE__LOAD_PERCENTILES; i++)
        print_field(latency.percentiles[i]);
    print_field(latency.max);
    (void)fputc('\n', stdout);
}

static bool
print(const struct tulle__load_plan *plan, const struct tulle__load_result *runs, void *ctx)
{
    struct bench *bench = ctx;
    if (bench->options.is_csv)
        print_csv(bench, plan, runs);
    else if (!bench->options.is_json)
        print_row(bench, plan, runs);
    return true;
}

int
tulle__tool_bench(int argc, char **argv)
{
    struct bench bench = { 0 };
    tulle__load_options_init(&bench.options);
    for (size_t i = 0; i < TULLE__LOAD_COUNTS; i++)
        bench.options.counts.texts[i] =
            i == TULLE__LOAD_BOTH || i == TULLE__LOAD_PROXIES ? "0" : "1";
    const struct tulle__option_group groups[] = {
        { "Mesh", mesh_options, sizeof mesh_options / sizeof *mesh_options, &bench.options },
        tulle__load_measure_group(&bench.options),
        tulle__load_output_group(&bench.options),
        tulle__common_log_group(&bench.options.common),
        tulle__common_tuning_group(&bench.options.common),
    };
    const struct tulle__program program = {
        .name = "tulle bench",
        .synopsis = "[options]",
        .summary =
            "Measure how many events a second a mesh on this host delivers, and at what cost.",
        .groups = groups,
        .group_count = sizeof groups / sizeof *groups,
        .notes = notes,
    };
    bench.program = &program;
    struct tulle__args args;
    int status = 0;
    if (!tulle__args_begin(&program, argc, argv, &args, &status))
        return status;
    status = check_options(&bench, &args);
    if (status == 0) {
        const struct tulle__load_series series = {
            .program = &program, .options = &bench.options, .print = print, .ctx = &bench
        };
        status = tulle__load_series_run(&series);
    }
    tulle__args_end(&args);
    return status;
}
