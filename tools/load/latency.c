/* SPDX-License-Identifier: MPL-2.0 */

/* tulle latency: how long events take from one process to another on this host.
 *
 * The publisher keeps to a schedule, and a latency counts from when the schedule said that the
 * event is due. Were it counted from when it was published, a delay of the publisher, by a full
 * window say, would keep events out of the figures that suffer from it ("coordinated omission"). */

#include "tools/common/tools.h"
#include "tools/load/latency_mesh.h"
#include "tools/load/load_series.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { BAR_LEN = 50 };

struct latency {
    struct tulle__load_options load;
    bool is_answering;
    bool has_picture;
    const char *hgrm; /* a file; NULL: none */
    bool has_header;
    struct tulle__load_plan shown; /* what the header was about */
};

// clang-format off
#define AT(field) offsetof(struct latency, field)
#define HERE TULLE__OPTION_FLAG_ONLY
static const struct tulle__option mesh_options[] = {
    { .name = "subscribers", .letter = 'c', .type = TULLE__OPTION_U32, .flags = HERE,
      .offset = AT(load.plan.subscribers), .arg = "N", .min = 1, .max = TULLE__LOAD_NODES_MAX - 1,
      .help = "nodes that take every event" },
    { .name = "rate", .type = TULLE__OPTION_STRING, .flags = HERE, .offset = AT(load.rate),
      .arg = "N,...", .help = "events a second, one rate after the other" },
    { .name = "round_trip", .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(load.plan.is_round_trip), .help = "subscribers answer; measure until an answer is back" },
    { .name = "answer", .type = TULLE__OPTION_FLAG, .flags = HERE, .offset = AT(is_answering),
      .help = "answer what 'tulle latency --join' of another process or host asks, until stopped" },
    { .name = "spin", .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(load.plan.is_spinning),
      .help = "the publisher waits in a loop for the last 0.1 ms before an event is due: it wakes in time, and uses a CPU" },
    { .name = "histogram", .letter = 'H', .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(has_picture), .help = "draw how latencies are spread" },
    { .name = "hgrm", .type = TULLE__OPTION_STRING, .flags = HERE, .offset = AT(hgrm), .arg = "FILE",
      .help = "write percentiles to FILE, as HdrHistogram's plotter reads them, in microseconds" },
};
// clang-format on

static const char notes[] =
    "Publisher and subscribers are processes of their own. With --join, --listen or --beacon it\n"
    "asks those who run 'tulle latency --answer' in that mesh: one way when they are on this "
    "host,\n"
    "else there and back. Latency counts from when the schedule of --rate says that an event is\n"
    "due. Status 1 says that not everything was delivered once and in order.\n"
    "\n"
    "Examples:\n"
    "  tulle latency                                # 1000 and 10000 events a second\n"
    "  tulle latency --rate 5000 -s 1K --histogram\n"
    "  tulle latency --round-trip --transport ipc --json\n"
    "  tulle latency --answer --listen tcp://192.0.2.7:7100     # on one host\n"
    "  tulle latency --join tcp://192.0.2.7:7100                # on another";

/* ---- output ---- */

static void
print_header(const struct latency *latency, const struct tulle__load_plan *plan)
{
    (void)printf("1 publisher, %" PRIu32 " subscriber%s, ", plan->subscribers,
                 plan->subscribers == 1 ? "" : "s");
    if (plan->proxies > 0)
        (void)printf("%" PRIu32 " prox%s between, ", plan->proxies,
                     plan->proxies == 1 ? "y" : "ies");
    (void)printf("%s, order %s, %s; ", tulle__load_transport_name(plan->transport),
                 tulle__load_order_name(plan->order),
                 plan->is_round_trip ? "there and back" : "one way");
    if (latency->load.runs > 1)
        (void)printf("median of %" PRIu32 " runs", latency->load.runs);
    else
        (void)printf("one run");
    if (plan->count > 0)
        (void)printf(" of %" PRIu64 " events\n", plan->count);
    else
        (void)printf(" of %.15g s\n", (double)plan->duration_ms / 1000.0);
    (void)printf("%27s %s\n", "", "microseconds from when an event was due");
    (void)printf("%8s %8s %9s %8s %8s %8s %8s %8s %8s %8s %8s %6s\n", "size", "rate", "events/s",
                 "min", "mean", "p50", "p90", "p99", "p99.9", "p99.99", "max", "lost");
}

/* Ends of the rows of the picture: so many for each power of ten. */
static const double steps[] = { 1, 1.5, 2, 3, 5, 7 };
enum { STEPS = sizeof steps / sizeof *steps };

/* The row's upper end, in nanoseconds. */
static uint64_t
row_end(unsigned row)
{
    double scale = 100;
    for (unsigned i = 0; i < row / STEPS; i++)
        scale *= 10;
    return (uint64_t)(steps[row % STEPS] * scale);
}

static void
draw(const struct tulle__histogram *histogram)
{
    unsigned first = 0;
    while (row_end(first) < histogram->min)
        first++;
    unsigned last = first;
    while (row_end(last) < histogram->max)
        last++;
    uint64_t most = 1;
    uint64_t before = 0;
    for (unsigned row = first; row <= last; row++) {
        uint64_t up_to = tulle__histogram_up_to(histogram, row_end(row));
        most = up_to - before > most ? up_to - before : most;
        before = up_to;
    }
    before = 0;
    for (unsigned row = first; row <= last; row++) {
        uint64_t up_to = tulle__histogram_up_to(histogram, row_end(row));
        uint64_t count = up_to - before;
        int len = (int)((double)count * BAR_LEN / (double)most + 0.5);
        (void)printf(
            "  up to %10.15g us %10" PRIu64 " %8.4f%% |%.*s\n", (double)row_end(row) / 1000.0,
            count, 100.0 * (double)up_to / (double)histogram->count,
            len == 0 && count > 0 ? 1 : len, "##################################################");
        before = up_to;
    }
}

static void
print_row(struct latency *latency,
          const struct tulle__load_plan *plan,
          const struct tulle__load_result *runs)
{
    uint32_t count = latency->load.runs;
    struct tulle__load_latency figures = tulle__load_latency(runs, count);
    double events =
        tulle__load_spread_at(runs, count, offsetof(struct tulle__load_result, events_per_second))
            .median;
    uint64_t lost = tulle__load_sum_at(runs, count, offsetof(struct tulle__load_result, lost));
    if (!latency->has_header || !tulle__load_counts_equal(plan, &latency->shown)) {
        (void)fputs(latency->has_header ? "\n" : "", stdout);
        print_header(latency, plan);
    }
    latency->has_header = true;
    latency->shown = *plan;
    const double *p = figures.percentiles;
    (void)printf("%8" PRIu64
                 " %8.10g %9.0f %8.1f %8.1f %8.1f %8.1f %8.1f %8.1f %8.1f %8.1f %6" PRIu64 "\n",
                 plan->size, plan->rate, events, figures.min, figures.mean, p[TULLE__LOAD_P50],
                 p[TULLE__LOAD_P90], p[TULLE__LOAD_P99], p[TULLE__LOAD_P99_9],
                 p[TULLE__LOAD_P99_99], figures.max, lost);
}

static void
print_csv(struct latency *latency,
          const struct tulle__load_plan *plan,
          const struct tulle__load_result *runs)
{
    uint32_t count = latency->load.runs;
    struct tulle__load_latency figures = tulle__load_latency(runs, count);
    if (!latency->has_header) {
        (void)puts("subscribers,proxies,size,order,transport,round_trip,rate,runs,count,min_us,"
                   "mean_us,p50_us,p75_us,p90_us,p95_us,p99_us,p999_us,p9999_us,max_us,lost,gaps");
    }
    latency->has_header = true;
    (void)printf("%" PRIu32 ",%" PRIu32 ",%" PRIu64 ",%s,%s,%d,%.15g,%" PRIu32 ",%" PRIu64
                 ",%.9g,%.9g",
                 plan->subscribers, plan->proxies, plan->size, tulle__load_order_name(plan->order),
                 tulle__load_transport_name(plan->transport), plan->is_round_trip, plan->rate,
                 count, figures.count, figures.min, figures.mean);
    for (size_t i = 0; i < TULLE__LOAD_PERCENTILES; i++)
        (void)printf(",%.9g", figures.percentiles[i]);
    (void)printf(",%.9g,%" PRIu64 ",%" PRIu64 "\n", figures.max,
                 tulle__load_sum_at(runs, count, offsetof(struct tulle__load_result, lost)),
                 tulle__load_sum_at(runs, count, offsetof(struct tulle__load_result, gaps)));
}

/* Of all runs together, as a picture and as a file. */
static bool
print_spread(const struct latency *latency, const struct tulle__load_result *runs)
{
    struct tulle__histogram all;
    tulle__histogram_init(&all);
    for (size_t i = 0; i < latency->load.runs; i++)
        tulle__histogram_merge(&all, &runs[i].latency);
    if (latency->has_picture && all.count > 0)
        draw(&all);
    if (latency->hgrm == NULL)
        return true;
    FILE *file = fopen(latency->hgrm, "w");
    bool is_written = file != NULL;
    if (is_written) {
        tulle__histogram_write(&all, 1000, file);
        is_written = ferror(file) == 0;
        is_written = fclose(file) == 0 && is_written;
    }
    if (!is_written)
        (void)fprintf(stderr, "tulle latency: %s: %s\n", latency->hgrm, strerror(errno));
    return is_written;
}

static bool
print(const struct tulle__load_plan *plan, const struct tulle__load_result *runs, void *ctx)
{
    struct latency *latency = ctx;
    if (latency->load.is_csv)
        print_csv(latency, plan, runs);
    else if (!latency->load.is_json)
        print_row(latency, plan, runs);
    return print_spread(latency, runs);
}

/* Is it a mesh of its own, or one that is there? */
static bool
is_in_mesh(const struct latency *latency)
{
    const tulle_node_options *node = &latency->load.common.node;
    return node->join_count > 0 || node->listen_count > 0 || node->use_beacon ||
           latency->is_answering;
}

/* Returns 0, or an exit status after a message. */
static int
check_mesh(const struct tulle__program *program,
           const struct tulle__args *args,
           struct latency *latency)
{
    static const char *const others[] = { "proxies", "transport" };
    int status = 0;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (tulle__args_has(args, others[i]))
            return tulle__args_usage(program, "--%s is for a mesh of its own, not for one to join",
                                     others[i]);
    }
    latency->load.plan.transport = TULLE__LOAD_MESH;
    return tulle__tool_has_way(program, &latency->load.common, &status) ? 0 : status;
}

static int
run(const struct tulle__program *program, const struct tulle__args *args, struct latency *latency)
{
    if (latency->has_picture && (latency->load.is_json || latency->load.is_csv))
        return tulle__args_usage(program, "--histogram excludes --json and --csv");
    int status = tulle__load_options_finish(program, args, &latency->load);
    if (status != 0)
        return status;
    struct tulle__load_plan plan = latency->load.plan;
    if (latency->hgrm != NULL && (latency->load.size_count > 1 || latency->load.rate_count > 1 ||
                                  tulle__load_counts_at(&latency->load.counts, 1, &plan)))
        return tulle__args_usage(program,
                                 "--hgrm is for one size and one rate, and one number of proxies");
    bool is_there = is_in_mesh(latency);
    status = is_there ? check_mesh(program, args, latency) : 0;
    if (status != 0)
        return status;
    if (latency->is_answering)
        return tulle__latency_answer(program, &latency->load);
    const struct tulle__load_series series = { .program = program,
                                               .options = &latency->load,
                                               .print = print,
                                               .ctx = latency,
                                               .run = is_there ? tulle__latency_mesh_run : NULL };
    return tulle__load_series_run(&series);
}

int
tulle__tool_latency(int argc, char **argv)
{
    struct latency latency = { 0 };
    tulle__load_options_init(&latency.load);
    latency.load.rate = "1000,10000";
    latency.load.size = "64";
    latency.load.plan.is_timed = true;
    const struct tulle__option_group groups[] = {
        { "Latency", mesh_options, sizeof mesh_options / sizeof *mesh_options, &latency },
        tulle__load_measure_group(&latency.load),
        tulle__load_output_group(&latency.load),
        tulle__common_mesh_group(&latency.load.common),
        tulle__common_log_group(&latency.load.common),
        tulle__common_tuning_group(&latency.load.common),
    };
    const struct tulle__program program = {
        .name = "tulle latency",
        .synopsis = "[options]",
        .summary =
            "Measure how long events take, in a mesh of its own on this host, or in one to join.",
        .groups = groups,
        .group_count = sizeof groups / sizeof *groups,
        .notes = notes,
    };
    struct tulle__args args;
    int status = 0;
    if (!tulle__args_begin(&program, argc, argv, &args, &status))
        return status;
    status = run(&program, &args, &latency);
    tulle__args_end(&args);
    return status;
}
