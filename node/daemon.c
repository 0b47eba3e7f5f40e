/* SPDX-License-Identifier: MPL-2.0 */

/* One poll(2) loop, no threads: the library's thread does the network.
 *
 * A subscription is read only while there is room for what comes: a free
 * command, or space for output. Beyond that its queue fills, which the library
 * bounds. */

#include "daemon.h"

#include "app/exit.h"
#include "app/json.h"
#include "app/report.h"
#include "handler.h"
#include "output.h"

#include <tulle/topic.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SUBS_MAX = TULLE__TAKES_MAX + TULLE__HANDLERS_MAX,
    FIXED_FDS = 3,
    FDS_MAX = FIXED_FDS + SUBS_MAX + TULLE__HANDLERS_MAX * TULLE__HANDLER_FDS_MAX,
    MESSAGES_PER_TURN = 64, /* of one subscription */
    KILL_MS = 2000          /* what commands get to end once they were told to */
};

struct sub {
    tulle_subscription *subscription;
    const char *pattern;
    struct tulle__handler *handler; /* NULL: only taken */
    bool has_more;                  /* the last turn ended before the queue did */
    size_t fd;                      /* index of its poll item in this turn; 0: none */
};

struct tulle__daemon {
    tulle_node *node;
    const struct tulle__node_config *config;
    struct tulle__common *common;
    struct sub subs[SUBS_MAX];
    size_t sub_count;
    struct tulle__handler handlers[TULLE__HANDLERS_MAX];
    size_t handler_count;
    struct tulle__output output;
    uint64_t taken, gaps;
    uint64_t gap_node, gap_first, gap_last; /* the newest gap seen, to print each once */
    int64_t stats_ms;                       /* next line of counters */
    int64_t stop_ms;                        /* when commands are told to end; 0: not stopping */
    bool is_killing;
    struct pollfd fds[FDS_MAX];
};

static bool
subscribe(struct tulle__daemon *daemon,
          const char *pattern,
          struct tulle__handler *handler,
          int *status)
{
    tulle_subscribe_options options;
    tulle_subscribe_options_init(&options);
    options.order = (tulle_order)daemon->config->order;
    options.from = daemon->config->from_kind;
    options.from_count = daemon->config->from_count;
    if (daemon->config->is_print || handler != NULL)
        options.flags = TULLE_DETAIL_DEPS;
    struct sub *sub = &daemon->subs[daemon->sub_count];
    *sub = (struct sub){ .pattern = pattern, .handler = handler };
    tulle_status made = tulle_node_subscribe(daemon->node, pattern, &options, &sub->subscription);
    if (made != TULLE_OK) {
        (void)fprintf(stderr, "tulle-node: cannot take %s: %s\n", pattern, tulle_strerror(made));
        *status = (int)tulle__exit_of(made);
        return false;
    }
    daemon->sub_count++;
    return true;
}

struct tulle__daemon *
tulle__daemon_new(tulle_node *node,
                  const struct tulle__node_config *config,
                  struct tulle__common *common,
                  int *status)
{
    struct tulle__daemon *daemon = calloc(1, sizeof *daemon);
    if (daemon == NULL) {
        (void)fprintf(stderr, "tulle-node: out of memory\n");
        *status = TULLE__EXIT_FAILURE;
        return NULL;
    }
    daemon->node = node;
    daemon->config = config;
    daemon->common = common;
    bool is_ready = true;
    for (size_t i = 0; is_ready && i < config->take.count; i++)
        is_ready = subscribe(daemon, config->take.items[i], NULL, status);
    for (size_t i = 0; is_ready && i + 1 < config->exec.count; i += 2) {
        struct tulle__handler *handler = &daemon->handlers[daemon->handler_count++];
        tulle__handler_init(handler, config->exec.items[i], config->exec.items[i + 1], config,
                            common);
        handler->node = node;
        is_ready = subscribe(daemon, handler->pattern, handler, status);
    }
    if (!is_ready)
        tulle__daemon_free(&daemon);
    return daemon;
}

void
tulle__daemon_free(struct tulle__daemon **daemon)
{
    if (*daemon == NULL)
        return;
    for (size_t i = 0; i < (*daemon)->handler_count; i++)
        tulle__handler_fini(&(*daemon)->handlers[i]);
    for (size_t i = 0; i < (*daemon)->sub_count; i++)
        tulle_subscription_free(&(*daemon)->subs[i].subscription);
    tulle__output_fini(&(*daemon)->output);
    free(*daemon);
    *daemon = NULL;
}

static bool
can_take(const struct tulle__daemon *daemon, const struct sub *sub)
{
    if (daemon->stop_ms != 0)
        return false;
    if (daemon->config->is_print && !tulle__output_is_free(&daemon->output))
        return false;
    return sub->handler == NULL || tulle__handler_is_free(sub->handler);
}

/* Several subscriptions may take the same: the first of them prints it. */
static bool
is_printed_here(struct tulle__daemon *daemon, const struct sub *sub, const tulle_message *message)
{
    if (message->kind == TULLE_MESSAGE_EVENT) {
        for (const struct sub *earlier = daemon->subs; earlier < sub; earlier++) {
            if (tulle_pattern_matches(earlier->pattern, message->u.event.topic))
                return false;
        }
        return true;
    }
    return message->kind != TULLE_MESSAGE_GAP || daemon->sub_count == 1 ||
           message->u.gap.node != daemon->gap_node || message->u.gap.first != daemon->gap_first ||
           message->u.gap.last != daemon->gap_last;
}

static void
take(struct tulle__daemon *daemon, struct sub *sub, const tulle_message *message, int64_t now_ms)
{
    bool is_first = is_printed_here(daemon, sub, message);
    if (daemon->config->is_print && is_first) {
        tulle__json_message(message, 0, &daemon->output.text);
        tulle__text_char(&daemon->output.text, '\n');
    }
    if (message->kind == TULLE_MESSAGE_EVENT && is_first)
        daemon->taken++;
    if (message->kind == TULLE_MESSAGE_GAP) {
        daemon->gap_node = message->u.gap.node;
        daemon->gap_first = message->u.gap.first;
        daemon->gap_last = message->u.gap.last;
        daemon->gaps += is_first ? 1 : 0;
    }
    if (message->kind == TULLE_MESSAGE_EVENT && sub->handler != NULL)
        tulle__handler_on_event(sub->handler, message, now_ms);
}

static void
receive(struct tulle__daemon *daemon, struct sub *sub, int64_t now_ms)
{
    sub->has_more = true;
    for (int i = 0; i < MESSAGES_PER_TURN && can_take(daemon, sub); i++) {
        const tulle_message *message = NULL;
        if (tulle_subscription_receive(sub->subscription, &message, 0) != TULLE_OK) {
            sub->has_more = false;
            return;
        }
        take(daemon, sub, message, now_ms);
    }
}

static size_t
fill_fds(struct tulle__daemon *daemon, int signal_fd, int child_fd, int64_t *deadline_ms)
{
    struct pollfd *fds = daemon->fds;
    size_t count = 0;
    fds[count++] = (struct pollfd){ .fd = signal_fd, .events = POLLIN };
    fds[count++] = (struct pollfd){ .fd = child_fd, .events = POLLIN };
    int output_fd = tulle__output_is_waiting(&daemon->output) ? STDOUT_FILENO : -1;
    fds[count++] = (struct pollfd){ .fd = output_fd, .events = POLLOUT };
    for (size_t i = 0; i < daemon->sub_count; i++) {
        struct sub *sub = &daemon->subs[i];
        sub->fd = 0;
        if (!can_take(daemon, sub))
            continue;
        if (sub->has_more)
            *deadline_ms = 0;
        sub->fd = count;
        fds[count++] =
            (struct pollfd){ .fd = tulle_subscription_fd(sub->subscription), .events = POLLIN };
    }
    for (size_t i = 0; i < daemon->handler_count; i++)
        count += tulle__handler_poll(&daemon->handlers[i], fds + count, deadline_ms);
    if (daemon->stats_ms < *deadline_ms)
        *deadline_ms = daemon->stats_ms;
    if (daemon->stop_ms != 0 && daemon->stop_ms < *deadline_ms)
        *deadline_ms = daemon->stop_ms;
    return count;
}

static void
tell_stats(struct tulle__daemon *daemon, int64_t now_ms)
{
    if (now_ms < daemon->stats_ms)
        return;
    daemon->stats_ms = now_ms + daemon->config->stats_ms;
    tulle_counters counters;
    tulle_node_counters(daemon->node, &counters);
    struct tulle__handler_stats sum = { 0 };
    for (size_t i = 0; i < daemon->handler_count; i++) {
        const struct tulle__handler_stats *stats = &daemon->handlers[i].stats;
        sum.started += stats->started;
        sum.failed += stats->failed;
        sum.published += stats->published;
        sum.dropped += stats->dropped;
    }
    char lead[200];
    (void)snprintf(lead, sizeof lead,
                   "taken=%" PRIu64 " gap_notices=%" PRIu64 " exec_started=%" PRIu64
                   " exec_failed=%" PRIu64 " exec_published=%" PRIu64 " exec_dropped=%" PRIu64,
                   daemon->taken, daemon->gaps, sum.started, sum.failed, sum.published,
                   sum.dropped);
    tulle__report_counters(daemon->common, "node.stats", lead, &counters);
}

/* Is everything done that may be finished after the signal? Tells and kills what takes too long. */
static bool
has_stopped(struct tulle__daemon *daemon, int64_t now_ms)
{
    bool is_busy = tulle__output_is_waiting(&daemon->output);
    for (size_t i = 0; i < daemon->handler_count; i++)
        is_busy = is_busy || tulle__handler_busy(&daemon->handlers[i]) > 0;
    if (!is_busy)
        return true;
    if (now_ms < daemon->stop_ms)
        return false;
    if (daemon->is_killing)
        return true;
    daemon->is_killing = true;
    daemon->stop_ms = now_ms + KILL_MS;
    for (size_t i = 0; i < daemon->handler_count; i++)
        tulle__handler_stop(&daemon->handlers[i], now_ms);
    return false;
}

/* The first signal stops politely, the next one does not wait for commands. */
static void
on_signals(struct tulle__daemon *daemon, struct tulle__signals *signals, int64_t now_ms)
{
    for (int number = tulle__signals_next(signals); number != 0;
         number = tulle__signals_next(signals)) {
        tulle__report_say(daemon->common, TULLE_LOG_INFO, "node.stopping", "signal=%d", number);
        daemon->stop_ms = daemon->stop_ms == 0 ? now_ms + daemon->config->stop_ms : now_ms;
    }
}

static int
wait_ms(int64_t deadline_ms, int64_t now_ms)
{
    int64_t left = deadline_ms - now_ms;
    if (deadline_ms == INT64_MAX)
        return -1;
    if (left < 0)
        left = 0;
    return left > 60000 ? 60000 : (int)left;
}

int
tulle__daemon_run(struct tulle__daemon *daemon, struct tulle__signals *signals, int child_fd)
{
    int64_t now_ms = tulle__report_now_ms();
    daemon->stats_ms = daemon->config->stats_ms > 0 ? now_ms + daemon->config->stats_ms : INT64_MAX;
    while (daemon->stop_ms == 0 || !has_stopped(daemon, now_ms)) {
        int64_t deadline_ms = INT64_MAX;
        size_t count = fill_fds(daemon, signals->fd, child_fd, &deadline_ms);
        if (poll(daemon->fds, (nfds_t)count, wait_ms(deadline_ms, now_ms)) < 0 && errno != EINTR) {
            tulle__report_say(daemon->common, TULLE_LOG_ERROR, "node.poll", "%s", strerror(errno));
            return TULLE__EXIT_FAILURE;
        }
        now_ms = tulle__report_now_ms();
        on_signals(daemon, signals, now_ms);
        tulle__child_signals_clear(child_fd);
        for (size_t i = 0; i < daemon->handler_count; i++)
            tulle__handler_run(&daemon->handlers[i], now_ms);
        for (size_t i = 0; i < daemon->sub_count; i++) {
            struct sub *sub = &daemon->subs[i];
            if (sub->fd > 0 && (sub->has_more || daemon->fds[sub->fd].revents != 0))
                receive(daemon, sub, now_ms);
        }
        tulle__output_run(&daemon->output);
        if (daemon->output.has_failed) {
            tulle__report_say(daemon->common, TULLE_LOG_WARN, "node.output",
                              "standard output cannot be written: %s", strerror(errno));
            return TULLE__EXIT_FAILURE;
        }
        tell_stats(daemon, now_ms);
    }
    return TULLE__EXIT_OK;
}
