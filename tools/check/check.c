/* SPDX-License-Identifier: MPL-2.0 */

/* tulle check: is the mesh well? A verdict for monitoring systems.
 *
 * The mesh is joined, looked at until it is known whole, and judged. What is not well is looked at
 * again for a moment, since a burst and a lag look alike, and what just came up is still asked. */

#include "app/exit.h"
#include "tools/check/check_age.h"
#include "tools/check/check_file.h"
#include "tools/check/check_report.h"
#include "tools/common/lookout.h"
#include "tools/common/tools.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TICK_MS = 100,
    WHOLE_MS = 3000,
    AGES_US = 5000000,
    LIST_MAX = 1000,
    STREAMS_MAX = 255,
    PROBLEM_LEN = 300
};

static const char notes_head[] =
    "RANGE, as of the Monitoring Plugins: 10 alerts above 10 (and below 0), 10: below 10, ~:10\n"
    "above 10, 10:20 outside, @10:20 inside; none: never. METRIC, with the default ranges:\n";

static const char notes_tail[] =
    "\nExit status: 0 ok, 1 warning, 2 critical, 3 unknown (also for wrong options).\n\n"
    "Examples:\n"
    "  tulle check --join tcp://192.0.2.7:7100 --expect shop --expect billing\n"
    "  tulle check --beacon -w lag=100,p99=50 -c lag=5000 --state /var/lib/nagios/tulle\n"
    "  tulle check --beacon --format prometheus --output /var/lib/node_exporter/tulle.prom";

struct options {
    struct tulle__list warnings, criticals;
    struct tulle__check_scope scope;
    const char *state, *output;
    int64_t window_ms, timeout_ms, settle_ms, interval_ms;
    int format;
    bool is_verbose;
};

struct check {
    const struct tulle__program *program;
    struct options options;
    struct tulle__common common;
    struct tulle__check_limits limits;
    struct tulle__check_base base;
    bool has_base;
    struct tulle__check_ages *ages; /* when they are asked for */
    struct tulle__lookout lookout;
    const tulle_snapshot *snapshot; /* that was judged */
    struct tulle__check_values values;
    enum tulle__verdict verdict;
    char problem[PROBLEM_LEN];
};

static const struct tulle__choice formats[] = {
    { "text", TULLE__CHECK_TEXT },
    { "json", TULLE__CHECK_JSON },
    { "prometheus", TULLE__CHECK_PROMETHEUS },
    { NULL, 0 },
};

// clang-format off
#define AT(field) offsetof(struct options, field)
#define HERE TULLE__OPTION_FLAG_ONLY
static const struct tulle__option threshold_options[] = {
    { .name = "warning", .letter = 'w', .type = TULLE__OPTION_LIST, .flags = HERE, .offset = AT(warnings),
      .arg = "METRIC=RANGE,...", .max = LIST_MAX, .help = "warn when a metric is out of its range" },
    { .name = "critical", .letter = 'c', .type = TULLE__OPTION_LIST, .flags = HERE, .offset = AT(criticals),
      .arg = "METRIC=RANGE,...", .max = LIST_MAX, .help = "the same, critical" },
    { .name = "expect", .letter = 'e', .type = TULLE__OPTION_LIST, .flags = HERE, .offset = AT(scope.expects),
      .arg = "NAME", .max = LIST_MAX, .help = "a node or proxy of this name must be up, else it is missing" },
    { .name = "nodes", .type = TULLE__OPTION_U64, .flags = HERE, .offset = AT(scope.node_count),
      .arg = "N", .min = 1, .max = 1e9, .help = "so many nodes and proxies must be up, else some are missing" },
};

static const struct tulle__option scope_options[] = {
    { .name = "node", .type = TULLE__OPTION_LIST, .flags = HERE, .offset = AT(scope.nodes),
      .arg = "PATTERN", .max = LIST_MAX, .help = "look only at nodes whose names match; * and ? stand for anything" },
    { .name = "exclude", .letter = 'x', .type = TULLE__OPTION_LIST, .flags = HERE, .offset = AT(scope.excludes),
      .arg = "PATTERN", .max = LIST_MAX, .help = "do not look at nodes whose names match" },
    { .name = "stream", .letter = 's', .type = TULLE__OPTION_LIST, .flags = HERE, .offset = AT(scope.streams),
      .arg = "PATTERN", .check = tulle__check_pattern, .max = STREAMS_MAX,
      .help = "for lag, age, publishers and consumers look only at streams that match" },
    { .name = "state", .type = TULLE__OPTION_STRING, .flags = HERE, .offset = AT(state),
      .arg = "FILE", .help = "count gaps and the like since the last check with this file, which keeps them" },
    { .name = "window", .type = TULLE__OPTION_SECONDS, .flags = HERE, .offset = AT(window_ms),
      .arg = "SECONDS", .help = "watch for so long, and count what happens meanwhile" },
    { .name = "timeout", .letter = 't', .type = TULLE__OPTION_SECONDS, .flags = HERE, .offset = AT(timeout_ms),
      .arg = "SECONDS", .help = "unknown when no node is reached in so long" },
    { .name = "settle", .type = TULLE__OPTION_SECONDS, .flags = HERE, .offset = AT(settle_ms),
      .arg = "SECONDS", .help = "what is out of range must be so for this long" },
};

static const struct tulle__option output_options[] = {
    { .name = "format", .letter = 'f', .type = TULLE__OPTION_CHOICE, .flags = HERE, .offset = AT(format),
      .arg = "FORMAT", .choices = formats, .help = "text (for Nagios and the like), json or prometheus" },
    { .name = "output", .letter = 'o', .type = TULLE__OPTION_STRING, .flags = HERE, .offset = AT(output),
      .arg = "FILE", .help = "write to a file, which is replaced in one step, rather than to standard output" },
    { .name = "interval", .letter = 'i', .type = TULLE__OPTION_SECONDS, .flags = HERE, .offset = AT(interval_ms),
      .arg = "SECONDS", .help = "stay in the mesh and check again and again, until a signal" },
    { .name = "verbose", .letter = 'v', .type = TULLE__OPTION_FLAG, .flags = HERE, .offset = AT(is_verbose),
      .help = "every metric with its ranges, not only those out of them" },
};
// clang-format on

/* ---- judging ---- */

static void
judge(struct check *check)
{
    struct tulle__check_base *base = check->has_base ? &check->base : NULL;
    if (base != NULL && !base->is_first && check->snapshot->time_us > base->time_us)
        base->seconds = (double)(check->snapshot->time_us - base->time_us) / 1e6;
    tulle__check_measure(check->snapshot, &check->options.scope, base, &check->values);
    if (check->ages != NULL)
        tulle__check_ages_measure(check->ages, check->snapshot, &check->options.scope,
                                  &check->values);
    check->verdict = tulle__check_judge(&check->values, &check->limits);
}

static bool
is_reached(const tulle_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->node_count; i++) {
        if (!snapshot->nodes[i].is_self && tulle__mesh_is_live(&snapshot->nodes[i]))
            return true;
    }
    return false;
}

static bool
fail(struct check *check, const char *text)
{
    (void)snprintf(check->problem, sizeof check->problem, "%s", text);
    check->verdict = TULLE__VERDICT_UNKNOWN;
    return false;
}

static bool
look(struct check *check)
{
    if (check->ages != NULL)
        (void)tulle__check_ages_take(check->ages, check->lookout.node, tulle__tool_mono_us());
    const tulle_snapshot *now = tulle__lookout_look(&check->lookout);
    if (now == NULL)
        return fail(check, "the mesh cannot be looked at");
    tulle_snapshot_free(&check->snapshot);
    check->snapshot = now;
    judge(check);
    return true;
}

/* A base that counts from the snapshot at hand. */
static bool
begin_window(struct check *check)
{
    if (!tulle__base_take(&check->base, check->snapshot))
        return fail(check, "out of memory");
    check->has_base = true;
    check->base.is_first = false;
    return tulle__lookout_pause(&check->lookout, check->options.window_ms) ||
           fail(check, "interrupted");
}

/* The last event of each stream is asked for, if a range needs it. */
static bool
take_ages(struct check *check)
{
    const struct tulle__check_limits *limits = &check->limits;
    int64_t end_us = tulle__tool_mono_us() + AGES_US;
    if (limits->warning[TULLE__METRIC_AGE].text == NULL &&
        limits->critical[TULLE__METRIC_AGE].text == NULL)
        return true;
    check->ages = tulle__check_ages_new(check->lookout.node, &check->options.scope);
    if (check->ages == NULL)
        return fail(check, "the last events cannot be taken");
    for (int64_t now_us = 0; now_us < end_us; now_us = tulle__tool_mono_us()) {
        if (tulle__check_ages_take(check->ages, check->lookout.node, tulle__tool_mono_us()))
            break;
        if (!tulle__lookout_pause(&check->lookout, TICK_MS))
            return fail(check, "interrupted");
    }
    return true;
}

/* What is well is told at once. */
static bool
settle(struct check *check)
{
    int64_t end_us = tulle__tool_mono_us() + check->options.settle_ms * 1000;
    while (look(check)) {
        if (check->verdict == TULLE__VERDICT_OK || tulle__tool_mono_us() >= end_us)
            return true;
        if (!tulle__lookout_pause(&check->lookout, TICK_MS))
            return fail(check, "interrupted");
    }
    return false;
}

/* Until every node has answered; but who does not within a while is told of. */
static bool
reach(struct check *check)
{
    int64_t end_us = tulle__tool_mono_us() + check->options.timeout_ms * 1000;
    for (;;) {
        int64_t left_ms = (end_us - tulle__tool_mono_us()) / 1000;
        left_ms = left_ms < WHOLE_MS ? left_ms : WHOLE_MS;
        tulle_snapshot_free(&check->snapshot);
        switch (tulle__lookout_wait(&check->lookout, left_ms, &check->snapshot)) {
        case TULLE__SIGHT_SIGNAL:
            return fail(check, "interrupted");
        case TULLE__SIGHT_FAILED:
            return fail(check, "the mesh cannot be looked at");
        case TULLE__SIGHT_WHOLE:
        case TULLE__SIGHT_PART:
        case TULLE__SIGHT_NOBODY:
            break;
        }
        if (is_reached(check->snapshot))
            return true;
        if (tulle__tool_mono_us() >= end_us)
            break;
    }
    const struct tulle__list *join = &check->common.join;
    (void)snprintf(check->problem, sizeof check->problem, "no node was reached in %.10g s%s%s%s",
                   (double)check->options.timeout_ms / 1000, join->count == 0 ? "" : " at ",
                   join->count == 0 ? "" : join->items[0],
                   join->count > 1 ? " and the other addresses" : "");
    check->verdict = TULLE__VERDICT_UNKNOWN;
    return false;
}

/* ---- telling ---- */

/* False: it could not be written, which is told. */
static bool
tell(struct check *check)
{
    struct tulle__mesh mesh = { 0 };
    struct tulle__text text = { 0 };
    if (check->problem[0] == '\0' && !tulle__mesh_init(&mesh, check->snapshot))
        (void)fail(check, "out of memory");
    const struct tulle__check_report report = {
        .verdict = check->verdict,
        .problem = check->problem[0] == '\0' ? NULL : check->problem,
        .mesh = &mesh,
        .values = &check->values,
        .limits = &check->limits,
        .scope = &check->options.scope,
        .base = check->has_base ? &check->base : NULL,
        .is_verbose = check->options.is_verbose,
    };
    tulle__check_put(&report, (enum tulle__check_format)check->options.format, &text);
    errno = 0;
    bool is_told;
    if (check->options.output != NULL)
        is_told = tulle__replace_file(check->options.output, &text);
    else
        is_told = !text.has_failed && fwrite(text.bytes, 1, text.len, stdout) == text.len &&
                  fflush(stdout) == 0;
    if (!is_told) {
        (void)fprintf(stderr, "%s: %s: %s\n", check->program->name,
                      check->options.output == NULL ? "standard output" : check->options.output,
                      strerror(errno));
        check->verdict = TULLE__VERDICT_UNKNOWN;
    }
    tulle__text_free(&text);
    tulle__mesh_fini(&mesh);
    return is_told;
}

/* The next check counts from here. */
static void
keep_state(struct check *check)
{
    if (!check->has_base || check->options.window_ms > 0 || check->problem[0] != '\0')
        return;
    if (!tulle__base_take(&check->base, check->snapshot)) {
        (void)fail(check, "out of memory");
    } else if (check->options.state != NULL &&
               !tulle__base_save(&check->base, check->options.state)) {
        (void)snprintf(check->problem, sizeof check->problem, "%s: %s", check->options.state,
                       strerror(errno));
        check->verdict = TULLE__VERDICT_UNKNOWN;
    }
    check->base.is_first = false;
}

/* ---- running ---- */

/* A signal is the way to end what runs at intervals. */
static bool
end_well(struct check *check)
{
    check->verdict = TULLE__VERDICT_OK;
    return false;
}

/* Once, and with --interval again and again. False: it is over. */
static bool
run_once(struct check *check)
{
    check->problem[0] = '\0';
    bool is_good = reach(check) && (check->options.window_ms == 0 || begin_window(check)) &&
                   take_ages(check) && settle(check);
    tulle__check_ages_free(&check->ages);
    bool was_interrupted = !is_good && strcmp(check->problem, "interrupted") == 0;
    if (was_interrupted && check->options.interval_ms > 0)
        return end_well(check);
    if (!tell(check))
        return false;
    keep_state(check);
    if (check->problem[0] != '\0' && is_good)
        (void)fprintf(stderr, "%s: %s\n", check->program->name, check->problem);
    if (check->options.interval_ms == 0)
        return false;
    return tulle__lookout_pause(&check->lookout, check->options.interval_ms) || end_well(check);
}

static void
run(struct check *check)
{
    int status = 0;
    check->has_base = check->options.state != NULL || check->options.interval_ms > 0;
    check->base.is_first = true;
    if (check->options.state != NULL) {
        const char *problem = tulle__base_load(&check->base, check->options.state);
        if (problem != NULL) {
            (void)snprintf(check->problem, sizeof check->problem, "%s: %s", check->options.state,
                           problem);
            check->verdict = TULLE__VERDICT_UNKNOWN;
            (void)tell(check);
            return;
        }
    }
    if (tulle__lookout_open(&check->lookout, check->program, &check->common, &status)) {
        while (run_once(check)) {
        }
    } else {
        (void)fail(check, "the mesh cannot be joined; standard error tells why");
        (void)tell(check);
    }
    tulle__lookout_close(&check->lookout);
    tulle_snapshot_free(&check->snapshot);
}

/* ---- options ---- */

static bool
has_rates(const struct check *check)
{
    return check->options.state != NULL || check->options.window_ms > 0 ||
           check->options.interval_ms > 0;
}

static bool
set_limits(struct check *check,
           struct tulle__range *ranges,
           const struct tulle__list *texts,
           struct tulle__strings *strings)
{
    for (size_t i = 0; i < texts->count; i++) {
        char *copy = tulle__strings_copy(strings, texts->items[i]);
        const char *problem = copy == NULL ? "out of memory" : NULL;
        if (copy != NULL)
            problem = tulle__check_limits_set(ranges, copy);
        if (problem != NULL) {
            (void)tulle__args_usage(check->program, "'%s' %s", texts->items[i], problem);
            return false;
        }
    }
    if (!has_rates(check) && (ranges[TULLE__METRIC_PUBLISHED].text != NULL ||
                              ranges[TULLE__METRIC_DELIVERED].text != NULL)) {
        (void)tulle__args_usage(check->program,
                                "published and delivered are rates: they need --window or --state");
        return false;
    }
    return true;
}

static bool
finish_options(struct check *check, struct tulle__strings *strings)
{
    struct options *options = &check->options;
    int status = 0;
    tulle__check_limits_init(&check->limits);
    if (!set_limits(check, check->limits.warning, &options->warnings, strings) ||
        !set_limits(check, check->limits.critical, &options->criticals, strings))
        return false;
    if (options->state != NULL && options->window_ms > 0) {
        (void)tulle__args_usage(check->program,
                                "--state and --window exclude each other: both say since when");
        return false;
    }
    return tulle__common_finish(check->program, &check->common, &status) &&
           tulle__tool_has_way(check->program, &check->common, &status);
}

/* Monitoring systems show standard output. */
static void
tell_usage(void)
{
    (void)puts("TULLE UNKNOWN - wrong options; standard error tells more");
}

static void
put_notes(struct tulle__text *out)
{
    tulle__text_str(out, notes_head);
    for (size_t i = 0; i < TULLE__METRIC_COUNT; i++) {
        const struct tulle__metric_info *info = tulle__metric_info((enum tulle__metric)i);
        bool is_time = strchr(info->unit, 's') != NULL;
        tulle__text_format(out, "  %-11s %-6s %-7s %s%s%s\n", info->name,
                           info->warning == NULL ? "-" : info->warning,
                           info->critical == NULL ? "-" : info->critical, info->help,
                           is_time ? ", in " : "", is_time ? info->unit : "");
    }
    tulle__text_str(out, notes_tail);
    tulle__text_char(out, '\0');
}

int
tulle__tool_check(int argc, char **argv)
{
    struct check check = { .lookout = { .signals = { .fd = -1 } } };
    check.options =
        (struct options){ .format = TULLE__CHECK_TEXT, .timeout_ms = 10000, .settle_ms = 2000 };
    tulle__common_init(&check.common);
    check.common.log_level = 0; /* the verdict says it */
    struct tulle__text notes = { 0 };
    put_notes(&notes);
#define GROUP(title, table)                                               \
    {                                                                     \
        (title), (table), sizeof(table) / sizeof *(table), &check.options \
    }
    const struct tulle__option_group groups[] = {
        GROUP("Thresholds", threshold_options), GROUP("Scope", scope_options),
        GROUP("Output", output_options),        tulle__common_mesh_group(&check.common),
        tulle__common_log_group(&check.common), tulle__common_tuning_group(&check.common),
    };
#undef GROUP
    const struct tulle__program program = {
        .name = "tulle check",
        .synopsis = "[options]",
        .summary =
            "Judge a mesh, for monitoring systems: exit 0 ok, 1 warning, 2 critical, 3 unknown.",
        .groups = groups,
        .group_count = sizeof groups / sizeof *groups,
        .notes = notes.has_failed ? NULL : notes.bytes,
        .operand_max = 0,
        .has_config = true,
    };
    check.program = &program;
    struct tulle__args args;
    int status = 0;
    if (tulle__args_begin(&program, argc, argv, &args, &status)) {
        check.verdict = TULLE__VERDICT_UNKNOWN;
        if (finish_options(&check, &args.strings))
            run(&check);
        else
            tell_usage();
        status = (int)check.verdict;
        tulle__check_values_fini(&check.values);
        tulle__base_fini(&check.base);
        tulle__args_end(&args);
    } else if (status != 0) {
        status = TULLE__VERDICT_UNKNOWN; /* they know no other for this */
        tell_usage();
    }
    tulle__text_free(&notes);
    return status;
}
