/* SPDX-License-Identifier: MPL-2.0 */

/* tulle record: write events to a file as they are delivered.
 *
 * One subscription with one queue, so the order in the file is the node's. While the disk is slow
 * the queue fills, and what does not fit is fetched again later; what nobody keeps so long is a
 * gap, and gaps are recorded too. */

#include "tools/record/record.h"

#include "app/exit.h"
#include "app/recording/recording.h"
#include "tools/common/history_end.h"
#include "tools/common/human.h"
#include "tools/common/progress.h"
#include "tools/common/tools.h"
#include "tools/record/record_series.h"
#include "tools/record/record_tally.h"

#include <tulle/topic.h>

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ALONE_AFTER_US = 3000000, /* no node reached for so long: say so */
    LINGER_MS = 100,
    END_LOOK_MS = 50, /* how often to look whether all is recorded */
    END_SETTLE_US = 1000000,
    PROGRESS_MS = 500,
    BURST = 1024, /* events taken between two looks at clocks and signals */
    PATTERNS_MAX = 256
};

struct record {
    const struct tulle__program *program;
    struct tulle__record_options options;
    struct tulle__common common;
    struct tulle__signals signals;
    tulle_subscribe_options subscribe;
    struct tulle__event_filter filter;
    struct tulle__record_series series;
    struct tulle__record_tally *tally;
    struct tulle__progress progress;
    tulle_node *node;
    tulle_subscription *subscription;

    uint64_t left_out;
    int64_t start_us;
    struct tulle__history_end *end; /* of --until-end and --until, once it is looked for */
    int64_t end_due_us;             /* next look */
    bool is_over;                   /* -C is reached, or the end */
    bool was_alone_told;
    int exit_status;
};

/* When it came here, by this host's clock. */
static int64_t
arrival_of(const tulle_message *message)
{
    return message->kind == TULLE_MESSAGE_GAP
               ? tulle__tool_wall_us()
               : message->u.event.time_us + message->u.event.delay_us;
}

/* Returns false when recording should end. */
static bool
take(struct record *record, const tulle_message *message)
{
    bool is_event = message->kind == TULLE_MESSAGE_EVENT;
    if (!is_event && message->kind != TULLE_MESSAGE_GAP)
        return true;
    if (is_event && !tulle__event_filter_passes(&record->filter, message)) {
        record->left_out++;
        return true;
    }
    int64_t arrival_us = arrival_of(message);
    if (!tulle__record_series_add(&record->series, message, arrival_us)) {
        record->exit_status = TULLE__EXIT_STORAGE;
        return false;
    }
    if (!tulle__record_tally_add(record->tally, message, arrival_us)) {
        (void)fprintf(stderr, "%s: out of memory\n", record->program->name);
        record->exit_status = TULLE__EXIT_FAILURE;
        return false;
    }
    struct tulle__record_sum sum;
    tulle__record_tally_sum(record->tally, &sum);
    record->is_over = record->options.count != 0 && sum.events >= record->options.count;
    return true;
}

/* What waits in the subscription, or a good part of it. Returns false when recording should end;
 * has_more: there may be more. */
static bool
drain_queue(struct record *record, bool *has_more)
{
    *has_more = false;
    for (int i = 0; i < BURST && !record->is_over; i++) {
        const tulle_message *message = NULL;
        tulle_status status = tulle_subscription_receive(record->subscription, &message, 0);
        if (status == TULLE_ETIMEDOUT)
            return true;
        if (status != TULLE_OK) {
            (void)fprintf(stderr, "%s: %s\n", record->program->name, tulle_strerror(status));
            record->exit_status = TULLE__EXIT_FAILURE;
            return false;
        }
        if (!take(record, message))
            return false;
    }
    *has_more = !record->is_over;
    return true;
}

static void
show_progress(struct record *record)
{
    if (!tulle__progress_is_due(&record->progress))
        return;
    struct tulle__record_total total;
    struct tulle__record_sum sum;
    struct tulle__text text = { 0 };
    tulle__record_series_total(&record->series, &total);
    tulle__record_tally_sum(record->tally, &sum);
    double seconds = (double)(tulle__tool_mono_us() - record->start_us) / 1e6;
    tulle__text_format(&text, "%" PRIu64 " events of %zu node%s, %.0f a second, ", sum.events,
                       sum.nodes, sum.nodes == 1 ? "" : "s", (double)sum.events / seconds);
    tulle__human_bytes(&text, total.bytes);
    if (sum.gaps > 0)
        tulle__text_format(&text, ", %" PRIu64 " missed", sum.missing);
    tulle__progress_show(&record->progress, "%s: %.*s ", record->program->name, (int)text.len,
                         text.len > 0 ? text.bytes : "");
    tulle__text_free(&text);
}

/* A wrong address looks just like a quiet mesh: tell them apart. */
static void
tell_if_alone(struct record *record)
{
    record->was_alone_told = true;
    enum tulle__reach reach = tulle__tool_reach(record->node);
    if (reach == TULLE__REACH_NODE || record->options.is_quiet)
        return;
    tulle__progress_clear(&record->progress);
    (void)fprintf(stderr, "%s: %s; still trying\n", record->program->name,
                  reach == TULLE__REACH_PROXY ? "a proxy is reached, but no node beyond it"
                                              : "no other node is reached");
}

static int64_t
left_ms(const struct record *record)
{
    if (record->options.timeout_ms < 0)
        return -1;
    int64_t passed = (tulle__tool_mono_us() - record->start_us) / 1000;
    return passed >= record->options.timeout_ms ? 0 : record->options.timeout_ms - passed;
}

static bool
has_end(const struct record *record)
{
    return record->options.is_until_end || record->filter.until_us != INT64_MAX;
}

/* Is all recorded that is to be? What was delivered in the meantime is taken first. */
static bool
is_at_end(struct record *record)
{
    int64_t now_us = tulle__tool_mono_us();
    bool is_wanted = record->options.is_until_end ||
                     (has_end(record) && tulle__tool_wall_us() > record->filter.until_us);
    if (!is_wanted || now_us < record->end_due_us)
        return false;
    record->end_due_us = now_us + (int64_t)END_LOOK_MS * 1000;
    if (record->end == NULL)
        record->end = tulle__history_end_new(END_SETTLE_US);
    if (record->end != NULL && !tulle__history_end_is_reached(record->end, record->node, now_us))
        return false;
    bool has_more = true;
    while (has_more && drain_queue(record, &has_more)) {
    }
    return true;
}

static void
sooner(int64_t *left, int64_t other)
{
    if (other >= 0 && (*left < 0 || other < *left))
        *left = other;
}

static int
next_timeout(const struct record *record)
{
    int64_t now_us = tulle__tool_mono_us();
    int64_t left = left_ms(record);
    sooner(&left, tulle__record_series_left_ms(&record->series, now_us));
    if (has_end(record))
        sooner(&left, END_LOOK_MS);
    if (record->progress.is_wanted)
        sooner(&left, PROGRESS_MS);
    if (!record->was_alone_told) {
        int64_t alone = (ALONE_AFTER_US - (now_us - record->start_us)) / 1000 + 1;
        sooner(&left, alone < 0 ? 0 : alone);
    }
    return left > 1000000 ? 1000000 : (int)left;
}

/* -W ran out. */
static void
time_out(struct record *record)
{
    if (record->options.count > 0 && record->exit_status == 0)
        record->exit_status = TULLE__EXIT_TIMEOUT;
}

/* Until a signal, -C, -W, the end of history, or a failure. */
static void
watch(struct record *record)
{
    int fd = tulle_subscription_fd(record->subscription);
    bool has_more = false;
    while (!record->is_over) {
        struct pollfd waits[2] = { { .fd = record->signals.fd, .events = POLLIN },
                                   { .fd = fd, .events = POLLIN } };
        int ready = poll(waits, 2, has_more ? 0 : next_timeout(record));
        if (ready < 0 && errno != EINTR)
            return;
        if (ready > 0 && waits[0].revents != 0)
            return;
        if ((has_more || (ready > 0 && waits[1].revents != 0)) && !drain_queue(record, &has_more))
            return;
        if (!record->is_over && left_ms(record) == 0) {
            time_out(record);
            return;
        }
        if (!tulle__record_series_tick(&record->series, tulle__tool_mono_us())) {
            record->exit_status = TULLE__EXIT_STORAGE;
            return;
        }
        show_progress(record);
        if (is_at_end(record))
            return;
        if (!record->was_alone_told && tulle__tool_mono_us() - record->start_us >= ALONE_AFTER_US)
            tell_if_alone(record);
    }
}

static void
summarise(const struct record *record)
{
    struct tulle__record_total total;
    struct tulle__record_sum sum;
    struct tulle__text size = { 0 };
    tulle__record_series_total(&record->series, &total);
    tulle__record_tally_sum(record->tally, &sum);
    uint64_t events = total.events > total.unwritten ? total.events - total.unwritten : 0;
    tulle__human_bytes(&size, total.bytes);
    tulle__text_char(&size, '\0');
    (void)fprintf(
        stderr,
        "%s: %" PRIu64 " event%s of %zu node%s in %zu lane%s, %.1f s; %" PRIu64 " gap%s (%" PRIu64
        " missed), %" PRIu64 " repaired; %s in %" PRIu64 " file%s, the last %s\n",
        record->program->name, events, events == 1 ? "" : "s", sum.nodes, sum.nodes == 1 ? "" : "s",
        sum.lanes, sum.lanes == 1 ? "" : "s",
        (double)(tulle__tool_mono_us() - record->start_us) / 1e6, sum.gaps,
        sum.gaps == 1 ? "" : "s", sum.missing, sum.repaired, size.has_failed ? "?" : size.bytes,
        total.files, total.files == 1 ? "" : "s", record->series.path);
    tulle__text_free(&size);
    if (tulle__event_filter_is_used(&record->filter))
        (void)fprintf(stderr, "%s: %" PRIu64 " left out\n", record->program->name,
                      record->left_out);
}

/* End the file. What it lacks is told, also to who wants no report. */
static void
finish(struct record *record)
{
    tulle__progress_clear(&record->progress);
    struct tulle__record_total total;
    bool is_closed = tulle__record_series_close(&record->series);
    if (!is_closed && record->exit_status == 0)
        record->exit_status = TULLE__EXIT_STORAGE;
    if (!record->series.has_failed)
        return;
    tulle__record_series_total(&record->series, &total);
    (void)fprintf(stderr,
                  "%s: %s: %" PRIu64 " events could not be written; what was written before can be "
                  "read, and --append goes on behind it\n",
                  record->program->name, record->series.path, total.unwritten);
}

static int
subscribe(struct record *record, char **patterns, size_t pattern_count)
{
    const char *also[PATTERNS_MAX];
    const char *first = pattern_count > 0 ? patterns[0] : "**";
    for (size_t i = 1; i < pattern_count; i++)
        also[i - 1] = patterns[i];
    record->subscribe.also = also;
    record->subscribe.also_count = pattern_count > 1 ? pattern_count - 1 : 0;
    tulle_status status =
        tulle_node_subscribe(record->node, first, &record->subscribe, &record->subscription);
    record->subscribe.also = NULL;
    if (status == TULLE_OK)
        return 0;
    (void)fprintf(stderr, "%s: %s%s: %s\n", record->program->name, first,
                  pattern_count > 1 ? " and more" : "", tulle_strerror(status));
    return (int)tulle__exit_of(status);
}

/* With the file open. */
static int
run_node(struct record *record, const struct tulle__args *args)
{
    int status = subscribe(record, args->operands, args->operand_count);
    if (status != 0 || !tulle__common_run(record->program, &record->node, &status))
        return status;
    record->start_us = tulle__tool_mono_us();
    watch(record);
    finish(record);
    if (!record->options.is_quiet)
        summarise(record);
    tulle__query_tell(record->filter.where, record->program->name, "--where");
    tulle_node_stop(record->node, LINGER_MS);
    return record->exit_status;
}

static bool
join_texts(struct tulle__text *out, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tulle__text_str(out, i > 0 ? " " : "");
        tulle__text_str(out, texts[i]);
    }
    tulle__text_char(out, '\0');
    return !out->has_failed;
}

static int
run(struct record *record, const struct tulle__args *args)
{
    int status = 0;
    struct tulle__text patterns = { 0 };
    struct tulle__text exclude = { 0 };
    const struct tulle__list *excluded = &record->options.exclude;
    record->node = tulle__common_new(record->program, &record->common, &status);
    record->tally = tulle__record_tally_new(false);
    if (record->node != NULL && record->tally != NULL &&
        join_texts(&patterns, (const char *const *)args->operands, args->operand_count) &&
        join_texts(&exclude, excluded->items, excluded->count)) {
        const struct tulle__recording_note notes[] = {
            { "mesh", record->common.node.mesh },
            { "recorder", tulle_node_name(record->node) },
            { "patterns", args->operand_count > 0 ? patterns.bytes : "**" },
            { "exclude", exclude.bytes },
            { "where", record->options.where != NULL ? record->options.where : "" },
            { "order", tulle__choice_name(tulle__orders, record->options.order) },
        };
        if (!tulle__record_series_open(&record->series, record->program, &record->options, notes,
                                       sizeof notes / sizeof *notes))
            status = TULLE__EXIT_STORAGE;
        else
            status = run_node(record, args);
        if (record->series.writer != NULL && !tulle__record_series_close(&record->series))
            status = TULLE__EXIT_STORAGE;
    } else if (status == 0) {
        (void)fprintf(stderr, "%s: out of memory\n", record->program->name);
        status = TULLE__EXIT_FAILURE;
    }
    tulle_node_free(&record->node); /* with its subscription */
    tulle__record_tally_free(&record->tally);
    tulle__text_free(&patterns);
    tulle__text_free(&exclude);
    tulle__history_end_free(&record->end);
    return status;
}

static int
open_and_run(struct record *record, const struct tulle__args *args)
{
    if (!tulle__signals_open(&record->signals))
        return tulle__tool_fail(record->program, strerror(errno));
    tulle__progress_init(&record->progress, record->options.is_quiet);
    int status = run(record, args);
    tulle__signals_close(&record->signals);
    return status;
}

static const char notes_text[] =
    "PATTERN: '*' is one level of a topic, '**' any number; without one: '**'.\n"
    "A recording is an MCAP file. Gaps are recorded too.\n"
    "\n"
    "Examples:\n"
    "  tulle record --join tcp://192.0.2.7:7100 -w orders.mcap 'orders/**'\n"
    "  tulle record --beacon -w all.mcap --from earliest -e\n"
    "  tulle record --beacon -w /var/log/mesh.mcap --append --rotate 1h --rotate 1G --keep 48\n"
    "  tulle record --info orders.mcap\n"
    "  tulle record --cut orders.mcap -w large.mcap --where '.payload.amount > 100'";

static int
check_patterns(const struct tulle__program *program, const struct tulle__args *args)
{
    if (args->operand_count > PATTERNS_MAX)
        return tulle__args_usage(program, "more than %d patterns", PATTERNS_MAX);
    for (size_t i = 0; i < args->operand_count; i++) {
        if (!tulle_pattern_is_valid(args->operands[i]))
            return tulle__args_usage(program, "'%s' is no pattern of topics", args->operands[i]);
    }
    return 0;
}

/* What is asked for, with its options read. */
static int
dispatch(struct record *record, const struct tulle__args *args)
{
    const struct tulle__program *program = record->program;
    const struct tulle__record_options *options = &record->options;
    const char *const *operands = (const char *const *)args->operands;
    int status = tulle__record_options_finish(program, &record->options, &record->subscribe,
                                              &record->filter);
    if (status != 0)
        return status;
    if (options->is_info)
        return tulle__record_info(program, operands, args->operand_count, options->is_json);
    status = check_patterns(program, args);
    if (status != 0)
        return status;
    if (options->cut.count > 0)
        return tulle__record_cut(program, options, &record->filter, operands, args->operand_count);
    if (tulle__common_finish(program, &record->common, &status) &&
        tulle__tool_has_way(program, &record->common, &status))
        status = open_and_run(record, args);
    return status;
}

int
tulle__tool_record(int argc, char **argv)
{
    struct record record = { .signals.fd = -1 };
    tulle__record_options_init(&record.options);
    tulle__event_filter_init(&record.filter);
    tulle__common_init(&record.common);
    record.common.log_level = TULLE_LOG_ERROR; /* gaps and the like are in the report */
    const struct tulle__option_group groups[] = {
        tulle__record_output_group(&record.options), tulle__record_event_group(&record.options),
        tulle__record_file_group(&record.options),   tulle__common_mesh_group(&record.common),
        tulle__common_log_group(&record.common),     tulle__common_tuning_group(&record.common),
    };
    const struct tulle__program program = {
        .name = "tulle record",
        .synopsis = "[options] --write FILE [PATTERN...]\n[options] --cut FILE --write FILE "
                    "[PATTERN...]\n[options] --info FILE...",
        .summary = "Record events to a file.",
        .groups = groups,
        .group_count = sizeof groups / sizeof *groups,
        .notes = notes_text,
        .operand_max = SIZE_MAX,
        .has_config = true,
    };
    record.program = &program;
    struct tulle__args args;
    int status = 0;
    if (!tulle__args_begin(&program, argc, argv, &args, &status))
        return status;
    status = dispatch(&record, &args);
    tulle__event_filter_fini(&record.filter);
    tulle__args_end(&args);
    return status;
}
