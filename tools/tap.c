/* SPDX-License-Identifier: MPL-2.0 */

/* tulle tap: print events as they flow.
 *
 * One pattern: a subscription with a queue. While output is stuck the queue
 * fills, and what does not fit is fetched again later: nothing is lost.
 *
 * Several patterns: queues of their own would lose the order between them, so
 * all subscriptions call back on the node's thread, which must not wait: lines
 * go to a buffer of limited size, and what does not fit is lost to this tap
 * alone, counted, and said. */

#include "app/exit.h"
#include "tools/output.h"
#include "tools/tap_options.h"
#include "tools/tap_print.h"
#include "tools/tools.h"

#include <tulle/topic.h>

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    WRITE_LEN = 65536, /* output is written when it is so long, or nothing waits */
    PENDING_LEN_MAX = 64 * 1024 * 1024,
    ALONE_AFTER_US = 3000000, /* no node reached for so long: say so */
    LINGER_MS = 100
};

/* What was seen, for the summary. */
struct tally {
    uint64_t shown, gaps, gap_events, repaired, lost;
};

struct tap {
    const struct tulle__program *program;
    struct tulle__tap_options options;
    struct tulle__common common;
    struct tulle__signals signals;
    struct tulle__output output;
    struct tulle__tap_printer printer;
    struct tulle__format *format;
    tulle_subscribe_options subscribe;
    tulle_node *node;
    tulle_subscription *subscription; /* with one pattern */

    /* With several patterns; the lock guards all up to last_stream, tally and printer. */
    pthread_mutex_t lock;
    int wake_fd;
    struct tulle__text pending, pending_remarks;
    tulle_message_kind last_kind;
    uint64_t last_node, last_seq;
    char last_stream[TULLE_TOPIC_LEN_MAX + 1];

    struct tulle__text out, remarks;
    struct tally tally;
    int64_t start_us;
    bool is_over; /* -C is reached */
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
    if (tulle__tap_is_shown(&tap->printer, message->kind)) {
        tap->tally.shown++;
        tap->is_over = tap->options.count != 0 && tap->tally.shown >= tap->options.count;
    }
}

/* Count and print one message into out, unless it is not to be seen. */
static void
take(struct tap *tap,
     const tulle_message *message,
     struct tulle__text *out,
     struct tulle__text *remarks)
{
    count(tap, message);
    bool is_event = message->kind == TULLE_MESSAGE_EVENT || message->kind == TULLE_MESSAGE_ARRIVAL;
    if (!is_event || tulle__tap_is_shown(&tap->printer, message->kind))
        tulle__tap_print(&tap->printer, message, tulle__tool_wall_us(), out, remarks);
}

/* The same event for another of the patterns, which came just before? */
static bool
is_again(struct tap *tap, const tulle_message *message)
{
    uint64_t node = 0;
    uint64_t seq = 0;
    const char *stream = "";
    if (message->kind == TULLE_MESSAGE_GAP) {
        node = message->u.gap.node;
        seq = message->u.gap.first;
        stream = message->u.gap.stream;
    } else if (message->kind != TULLE_MESSAGE_PEER) {
        node = message->u.event.node;
        seq = message->u.event.seq;
        stream = message->u.event.stream;
    }
    bool is_same = message->kind != TULLE_MESSAGE_PEER && tap->last_kind == message->kind &&
                   tap->last_node == node && tap->last_seq == seq &&
                   strcmp(tap->last_stream, stream) == 0;
    tap->last_kind = message->kind;
    tap->last_node = node;
    tap->last_seq = seq;
    (void)snprintf(tap->last_stream, sizeof tap->last_stream, "%s", stream);
    return is_same;
}

/* With several patterns: on the node's thread. */
static void
on_message(const tulle_message *message, void *ctx)
{
    struct tap *tap = ctx;
    (void)pthread_mutex_lock(&tap->lock);
    if (!tap->is_over && !is_again(tap, message)) {
        if (tap->pending.len > PENDING_LEN_MAX || tap->pending.has_failed)
            tap->tally.lost++;
        else
            take(tap, message, &tap->pending, &tap->pending_remarks);
    }
    (void)pthread_mutex_unlock(&tap->lock);
    uint64_t one = 1;
    ssize_t wrote = write(tap->wake_fd, &one, sizeof one);
    (void)wrote; /* fails only when it is already awake for 2^64 reasons */
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
        take(tap, message, &tap->out, &tap->remarks);
        if (tap->out.len >= WRITE_LEN && (!flush_out(tap) || left_ms(tap) == 0))
            return false;
    }
    return flush_out(tap);
}

/* What the node's thread has printed. */
static bool
drain_pending(struct tap *tap)
{
    uint64_t wakes = 0;
    ssize_t got = read(tap->wake_fd, &wakes, sizeof wakes);
    (void)got; /* nothing to read means nothing to do */
    (void)pthread_mutex_lock(&tap->lock);
    struct tulle__text text = tap->out;
    tap->out = tap->pending;
    tap->pending = text;
    text = tap->remarks;
    tap->remarks = tap->pending_remarks;
    tap->pending_remarks = text;
    (void)pthread_mutex_unlock(&tap->lock);
    return flush_out(tap);
}

static bool
is_done(struct tap *tap)
{
    (void)pthread_mutex_lock(&tap->lock);
    bool is_over = tap->is_over;
    (void)pthread_mutex_unlock(&tap->lock);
    return is_over;
}

/* A wrong address looks just like a quiet mesh: tell them apart. */
static void
tell_if_alone(struct tap *tap)
{
    tulle_counters counters;
    tulle_node_counters(tap->node, &counters);
    bool is_alone = counters.peers_up == 0 && counters.beats_received == 0;
    tap->was_alone_told = true;
    if (is_alone && !tap->options.is_quiet)
        (void)fprintf(stderr, "%s: no other node reached yet; still trying\n", tap->program->name);
}

static int
next_timeout(const struct tap *tap)
{
    int64_t left = left_ms(tap);
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
    int fd = tap->subscription != NULL ? tulle_subscription_fd(tap->subscription) : tap->wake_fd;
    while (!is_done(tap)) {
        struct pollfd waits[3] = { { .fd = tap->signals.fd, .events = POLLIN },
                                   { .fd = fd, .events = POLLIN },
                                   { .fd = STDOUT_FILENO, .events = 0 } };
        int ready = poll(waits, 3, next_timeout(tap));
        if (ready < 0 && errno != EINTR)
            return;
        if (ready > 0 && (waits[0].revents != 0 || (waits[2].revents & POLLERR) != 0))
            return;
        if (ready > 0 && waits[1].revents != 0) {
            bool goes_on = tap->subscription != NULL ? drain_queue(tap) : drain_pending(tap);
            if (!goes_on && left_ms(tap) != 0)
                return;
        }
        if (left_ms(tap) == 0 && !is_done(tap)) {
            tap->exit_status = tap->exit_status != 0 ? tap->exit_status : TULLE__EXIT_TIMEOUT;
            return;
        }
        if (!tap->was_alone_told && tulle__tool_mono_us() - tap->start_us >= ALONE_AFTER_US)
            tell_if_alone(tap);
    }
    if (tap->subscription == NULL)
        (void)drain_pending(tap);
}

static void
summarise(const struct tap *tap)
{
    tulle_counters counters;
    tulle_node_counters(tap->node, &counters);
    const struct tally *tally = &tap->tally;
    (void)fprintf(stderr,
                  "%s: %" PRIu64 " event%s in %.1f s; %" PRIu64 " gap%s (%" PRIu64
                  " lost), %" PRIu64 " repaired, %" PRIu64 " duplicate, %" PRIu64
                  " out of order; %" PRIu64 " not shown by this tap\n",
                  tap->program->name, tally->shown, tally->shown == 1 ? "" : "s",
                  (double)(tulle__tool_mono_us() - tap->start_us) / 1e6, tally->gaps,
                  tally->gaps == 1 ? "" : "s", tally->gap_events, tally->repaired,
                  counters.events_duplicate, counters.events_held, tally->lost);
}

static int
subscribe_one(struct tap *tap, const char *pattern, tulle_subscription **out)
{
    tulle_status status = tulle_node_subscribe(tap->node, pattern, &tap->subscribe, out);
    if (status == TULLE_OK)
        return 0;
    (void)fprintf(stderr, "%s: %s: %s\n", tap->program->name, pattern, tulle_strerror(status));
    return (int)tulle__exit_of(status);
}

static int
subscribe(struct tap *tap, char **patterns, size_t pattern_count)
{
    if (pattern_count < 2)
        return subscribe_one(tap, pattern_count == 1 ? patterns[0] : "**", &tap->subscription);
    tap->subscribe.fn = on_message;
    tap->subscribe.ctx = tap;
    for (size_t i = 0; i < pattern_count; i++) {
        int status = subscribe_one(tap, patterns[i], NULL);
        if (status != 0)
            return status;
        tap->subscribe.flags &= ~(uint32_t)TULLE_WATCH_PEERS; /* once is enough */
    }
    return 0;
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
    if (!tap->options.is_quiet)
        summarise(tap);
    tulle_node_stop(tap->node, LINGER_MS);
    tulle_node_free(&tap->node); /* with its subscriptions: nobody calls back any more */
    return tap->exit_status;
}

static int
open_and_run(struct tap *tap, const struct tulle__args *args)
{
    tulle__output_init(&tap->output, STDOUT_FILENO);
    tap->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (tap->wake_fd < 0 || !tulle__signals_open(&tap->signals)) {
        (void)fprintf(stderr, "%s: %s\n", tap->program->name, strerror(errno));
        return TULLE__EXIT_FAILURE;
    }
    (void)pthread_mutex_init(&tap->lock, NULL); /* with default attributes it cannot fail */
    int status = run(tap, args);
    (void)pthread_mutex_destroy(&tap->lock);
    tulle__signals_close(&tap->signals);
    return status;
}

static void
fini(struct tap *tap)
{
    if (tap->wake_fd >= 0)
        (void)close(tap->wake_fd);
    tulle__text_free(&tap->out);
    tulle__text_free(&tap->remarks);
    tulle__text_free(&tap->pending);
    tulle__text_free(&tap->pending_remarks);
    tulle__format_free(&tap->format);
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
    struct tap tap = { .wake_fd = -1, .signals.fd = -1 };
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
        .operand_max = 256,
        .has_config = true,
    };
    tap.program = &program;
    struct tulle__args args;
    int status = 0;
    if (!tulle__args_begin(&program, argc, argv, &args, &status))
        return status;
    status = check_patterns(&program, &args);
    if (status == 0)
        status = tulle__tap_options_finish(&program, &tap.options, &tap.subscribe, &tap.printer,
                                           &tap.format);
    if (status == 0 && tulle__common_finish(&program, &tap.common, &status) &&
        tulle__tool_has_way(&program, &tap.common, &status))
        status = open_and_run(&tap, &args);
    fini(&tap);
    tulle__args_end(&args);
    return status;
}
