/* SPDX-License-Identifier: MPL-2.0 */

/* tulle tap: print events as they flow.
 *
 * All patterns are one subscription with one queue, so the order of what is
 * printed is the node's. While output is stuck the queue fills, and what does not
 * fit is fetched again later: no event is lost. Only what was asked for besides
 * (arrivals, duplicates, peers) is dropped then; the node counts it, and the
 * summary tells. */

#include "app/exit.h"
#include "tools/common/history_end.h"
#include "tools/common/output.h"
#include "tools/common/tools.h"
#include "tools/tap/tap_options.h"
#include "tools/tap/tap_print.h"

#include <tulle/topic.h>

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    WRITE_LEN = 65536,        /* output is written when it is so long, or nothing waits */
    ALONE_AFTER_US = 3000000, /* no node reached for so long: say so */
    LINGER_MS = 100,
    REST_MS = 20,     /* an arrival is shown alone when its delivery takes longer */
    END_LOOK_MS = 50, /* how often to look whether all is shown */
    END_SETTLE_US = 1000000,
    MISSED_EVERY_US = 1000000, /* and whether something was missed */
    PATTERNS_MAX = 256
};

/* What was seen, for the summary. */
struct tally {
    uint64_t shown, left_out, gaps, gap_events, repaired;
};

struct tap {
    const struct tulle__program *program;
    struct tulle__tap_options options;
    struct tulle__common common;
    struct tulle__signals signals;
    struct tulle__output output;
    struct tulle__tap_plan plan;
    tulle_node *node;
    tulle_subscription *subscription;

    struct tulle__text out, remarks;
    struct tally tally;
    int64_t start_us;
    struct tulle__history_end *end; /* of --until-end and --until, once it is looked for */
    int64_t end_due_us;             /* next look */
    uint64_t missed;                /* notices dropped, as told last */
    int64_t missed_us;              /* when */
    bool is_over;                   /* -C is reached, or the end */
    bool was_alone_told;
    int exit_status;
};

static void
count(struct tap *tap, const tulle_message *message)
{
    if (message->kind == TULLE_MESSAGE_GAP) {
        tap->tally.gaps++;
        tap->tally.gap_events += message->u.gap.last - message->u.gap.first + 1;
    }
    if (message->kind == TULLE_MESSAGE_EVENT && message->u.event.is_repaired)
        tap->tally.repaired++;
}

/* Count and print one message, unless it is not to be seen. */
static void
take(struct tap *tap, const tulle_message *message)
{
    struct tulle__tap_printer *printer = &tap->plan.printer;
    bool is_event = message->kind == TULLE_MESSAGE_EVENT || message->kind == TULLE_MESSAGE_ARRIVAL;
    bool is_counted = tulle__tap_is_counted(printer, message->kind);
    count(tap, message);
    if (is_event && !tulle__tap_is_shown(printer, message->kind))
        return;
    if ((is_event || message->kind == TULLE_MESSAGE_DUPLICATE) &&
        !tulle__event_filter_passes(&tap->plan.filter, message)) {
        tap->tally.left_out += is_counted;
        return;
    }
    bool is_timed = is_event || message->kind == TULLE_MESSAGE_DUPLICATE;
    tulle__tap_print(printer, message, is_timed ? 0 : tulle__tool_wall_us(), &tap->out,
                     &tap->remarks);
    if (is_counted) {
        tap->tally.shown++;
        tap->is_over = tap->options.count != 0 && tap->tally.shown >= tap->options.count;
    }
}

/* What this tap itself could not keep: told in line, not only at the end. */
static void
tell_missed(struct tap *tap)
{
    const uint32_t watched = TULLE_WATCH_ARRIVALS | TULLE_WATCH_DUPLICATES | TULLE_WATCH_PEERS;
    int64_t now_us = tulle__tool_mono_us();
    if ((tap->plan.subscribe.flags & watched) == 0 || now_us - tap->missed_us < MISSED_EVERY_US)
        return;
    tulle_counters counters;
    tulle_node_counters(tap->node, &counters);
    tap->missed_us = now_us;
    if (counters.notices_dropped > tap->missed) {
        tulle__tap_print_missed(&tap->plan.printer, counters.notices_dropped - tap->missed,
                                tulle__tool_wall_us(), &tap->out, &tap->remarks);
        tap->missed = counters.notices_dropped;
    }
}

/* Write what is printed. Returns false when tap should end. */
static bool
flush_out(struct tap *tap)
{
    if (!tap->options.is_quiet && tap->remarks.len > 0)
        (void)fwrite(tap->remarks.bytes, 1, tap->remarks.len, stderr);
    tulle__text_clear(&tap->remarks);
    if (tap->out.has_failed) {
        (void)fprintf(stderr, "%s: out of memory\n", tap->program->name);
        tap->exit_status = TULLE__EXIT_FAILURE;
        return false;
    }
    enum tulle__output_result result =
        tulle__output_write(&tap->output, &tap->signals, tap->out.bytes, tap->out.len);
    tulle__text_clear(&tap->out);
    if (result == TULLE__OUTPUT_FAILED) {
        (void)fprintf(stderr, "%s: standard output: %s\n", tap->program->name, strerror(errno));
        tap->exit_status = TULLE__EXIT_FAILURE;
    }
    /* A reader that has seen enough is no failure. */
    return result == TULLE__OUTPUT_DONE;
}

static int64_t
left_ms(const struct tap *tap)
{
    if (tap->options.timeout_ms < 0)
        return -1;
    int64_t passed = (tulle__tool_mono_us() - tap->start_us) / 1000;
    return passed >= tap->options.timeout_ms ? 0 : tap->options.timeout_ms - passed;
}

/* Everything that waits in the subscription. Returns false when tap should end. */
static bool
drain_queue(struct tap *tap)
{
    while (!tap->is_over) {
        const tulle_message *message = NULL;
        tulle_status status = tulle_subscription_receive(tap->subscription, &message, 0);
        if (status == TULLE_ETIMEDOUT)
            break;
        if (status != TULLE_OK) {
            (void)fprintf(stderr, "%s: %s\n", tap->program->name, tulle_strerror(status));
            tap->exit_status = TULLE__EXIT_FAILURE;
            return false;
        }
        take(tap, message);
        if (tap->out.len >= WRITE_LEN && (!flush_out(tap) || left_ms(tap) == 0))
            return false;
    }
    tell_missed(tap);
    return flush_out(tap);
}

/* A wrong address looks just like a quiet mesh: tell them apart. */
static void
tell_if_alone(struct tap *tap)
{
    tap->was_alone_told = true;
    enum tulle__reach reach = tulle__tool_reach(tap->node);
    if (reach == TULLE__REACH_NODE || tap->options.is_quiet)
        return;
    (void)fprintf(stderr, "%s: %s; still trying\n", tap->program->name,
                  reach == TULLE__REACH_PROXY ? "a proxy is reached, but no node beyond it"
                                              : "no other node is reached");
}

/* Nothing came for a moment: what was kept back is shown. */
static bool
show_rest(struct tap *tap)
{
    if (!tulle__tap_has_rest(&tap->plan.printer))
        return true;
    tulle__tap_print_rest(&tap->plan.printer, &tap->out);
    return flush_out(tap);
}

/* Does --until-end or --until ask to look for the end by now? */
static bool
is_end_wanted(const struct tap *tap)
{
    int64_t until_us = tap->plan.filter.until_us;
    return tap->options.is_until_end || (until_us != INT64_MAX && tulle__tool_wall_us() > until_us);
}

/* Is all shown that is to be shown? What was delivered in the meantime is taken first. */
static bool
is_at_end(struct tap *tap)
{
    int64_t now_us = tulle__tool_mono_us();
    if (now_us < tap->end_due_us || !is_end_wanted(tap))
        return false;
    tap->end_due_us = now_us + (int64_t)END_LOOK_MS * 1000;
    if (tap->end == NULL)
        tap->end = tulle__history_end_new(END_SETTLE_US);
    if (tap->end != NULL && !tulle__history_end_is_reached(tap->end, tap->node, now_us))
        return false;
    (void)drain_queue(tap);
    return true;
}

static int
next_timeout(const struct tap *tap)
{
    int64_t left = left_ms(tap);
    bool has_end = tap->options.is_until_end || tap->plan.filter.until_us != INT64_MAX;
    if (has_end && (left < 0 || left > END_LOOK_MS))
        left = END_LOOK_MS;
    if (tulle__tap_has_rest(&tap->plan.printer) && (left < 0 || left > REST_MS))
        left = REST_MS;
    if (!tap->was_alone_told) {
        int64_t alone = (ALONE_AFTER_US - (tulle__tool_mono_us() - tap->start_us)) / 1000 + 1;
        alone = alone < 0 ? 0 : alone;
        left = left < 0 || alone < left ? alone : left;
    }
    return left > 1000000 ? 1000000 : (int)left;
}

/* Until a signal, -C, -W, or the end of standard output. */
static void
watch(struct tap *tap)
{
    int fd = tulle_subscription_fd(tap->subscription);
    while (!tap->is_over) {
        struct pollfd waits[3] = { { .fd = tap->signals.fd, .events = POLLIN },
                                   { .fd = fd, .events = POLLIN },
                                   { .fd = STDOUT_FILENO, .events = 0 } };
        int ready = poll(waits, 3, next_timeout(tap));
        if (ready < 0 && errno != EINTR)
            return;
        if (ready > 0 && (waits[0].revents != 0 || (waits[2].revents & POLLERR) != 0))
            return;
        if (ready > 0 && waits[1].revents != 0 && !drain_queue(tap) && left_ms(tap) != 0)
            return;
        if (left_ms(tap) == 0 && !tap->is_over) {
            tap->exit_status = tap->exit_status != 0 ? tap->exit_status : TULLE__EXIT_TIMEOUT;
            return;
        }
        if (ready == 0 && !show_rest(tap))
            return;
        if (is_at_end(tap))
            return;
        if (!tap->was_alone_told && tulle__tool_mono_us() - tap->start_us >= ALONE_AFTER_US)
            tell_if_alone(tap);
    }
}

static void
summarise(const struct tap *tap)
{
    tulle_counters counters;
    tulle_node_counters(tap->node, &counters);
    const struct tally *tally = &tap->tally;
    (void)fprintf(stderr,
                  "%s: %" PRIu64 " event%s in %.1f s; %" PRIu64 " gap%s (%" PRIu64
                  " missed), %" PRIu64 " repaired, %" PRIu64 " duplicate, %" PRIu64
                  " out of order; %" PRIu64 " notice%s dropped\n",
                  tap->program->name, tally->shown, tally->shown == 1 ? "" : "s",
                  (double)(tulle__tool_mono_us() - tap->start_us) / 1e6, tally->gaps,
                  tally->gaps == 1 ? "" : "s", tally->gap_events, tally->repaired,
                  counters.events_duplicate, counters.events_held, counters.notices_dropped,
                  counters.notices_dropped == 1 ? "" : "s");
    if (tulle__event_filter_is_used(&tap->plan.filter))
        (void)fprintf(stderr, "%s: %" PRIu64 " left out\n", tap->program->name, tally->left_out);
}

static int
subscribe(struct tap *tap, char **patterns, size_t pattern_count)
{
    const char *also[PATTERNS_MAX];
    const char *first = pattern_count > 0 ? patterns[0] : "**";
    for (size_t i = 1; i < pattern_count; i++)
        also[i - 1] = patterns[i];
    tap->plan.subscribe.also = also;
    tap->plan.subscribe.also_count = pattern_count > 1 ? pattern_count - 1 : 0;
    tulle_status status =
        tulle_node_subscribe(tap->node, first, &tap->plan.subscribe, &tap->subscription);
    tap->plan.subscribe.also = NULL;
    if (status == TULLE_OK)
        return 0;
    (void)fprintf(stderr, "%s: %s%s: %s\n", tap->program->name, first,
                  pattern_count > 1 ? " and more" : "", tulle_strerror(status));
    return (int)tulle__exit_of(status);
}

static int
run(struct tap *tap, const struct tulle__args *args)
{
    int status = 0;
    tap->node = tulle__common_new(tap->program, &tap->common, &status);
    if (tap->node == NULL)
        return status;
    tap->start_us = tulle__tool_mono_us();
    status = subscribe(tap, args->operands, args->operand_count);
    if (status != 0 || !tulle__common_run(tap->program, &tap->node, &status)) {
        tulle_node_free(&tap->node);
        return status;
    }
    watch(tap);
    (void)show_rest(tap);
    if (!tap->options.is_quiet)
        summarise(tap);
    /* Even with --quiet: what is wrong with an expression shows in nothing else. */
    tulle__query_tell(tap->plan.filter.where, tap->program->name, "--where");
    tulle__query_tell(tap->plan.printer.query, tap->program->name, "--jq");
    tulle_node_stop(tap->node, LINGER_MS);
    tulle_node_free(&tap->node); /* with its subscription */
    return tap->exit_status;
}

static int
open_and_run(struct tap *tap, const struct tulle__args *args)
{
    tulle__output_init(&tap->output, STDOUT_FILENO);
    if (!tulle__signals_open(&tap->signals))
        return tulle__tool_fail(tap->program, strerror(errno));
    int status = run(tap, args);
    tulle__signals_close(&tap->signals);
    return status;
}

static void
fini(struct tap *tap)
{
    tulle__text_free(&tap->out);
    tulle__text_free(&tap->remarks);
    tulle__tap_plan_fini(&tap->plan);
    tulle__history_end_free(&tap->end);
}

static int
check_patterns(const struct tulle__program *program, const struct tulle__args *args)
{
    for (size_t i = 0; i < args->operand_count; i++) {
        if (!tulle_pattern_is_valid(args->operands[i]))
            return tulle__args_usage(program, "'%s' is no pattern of topics", args->operands[i]);
    }
    return 0;
}

int
tulle__tool_tap(int argc, char **argv)
{
    struct tap tap = { .signals.fd = -1 };
    tulle__tap_options_init(&tap.options);
    tulle__common_init(&tap.common);
    tap.common.log_level = TULLE_LOG_ERROR; /* gaps and the like are in the output */
    char notes[4096];
    tulle__tap_notes(notes, sizeof notes);
    const struct tulle__option_group groups[] = {
        tulle__tap_output_group(&tap.options),   tulle__tap_event_group(&tap.options),
        tulle__common_mesh_group(&tap.common),   tulle__common_log_group(&tap.common),
        tulle__common_tuning_group(&tap.common),
    };
    const struct tulle__program program = {
        .name = "tulle tap",
        .synopsis = "[options] [PATTERN...]",
        .summary = "Print events as they flow.",
        .groups = groups,
        .group_count = sizeof groups / sizeof *groups,
        .notes = notes,
        .operand_max = PATTERNS_MAX,
        .has_config = true,
    };
    tap.program = &program;
    struct tulle__args args;
    int status = 0;
    if (!tulle__args_begin(&program, argc, argv, &args, &status))
        return status;
    status = check_patterns(&program, &args);
    if (status == 0)
        status =
            tulle__tap_options_finish(&program, &tap.options, tulle__tool_wall_us(), &tap.plan);
    if (status == 0 && tulle__common_finish(&program, &tap.common, &status) &&
        tulle__tool_has_way(&program, &tap.common, &status))
        status = open_and_run(&tap, &args);
    fini(&tap);
    tulle__args_end(&args);
    return status;
}
