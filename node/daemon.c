/* SPDX-License-Identifier: MPL-2.0 */

/* One poll(2) loop, no threads: the library's thread does the network.
 *
 * All patterns are one subscription, so there is one order over what is printed
 * and what commands are started for: a command for an event starts when those for
 * all events before it were started. The subscription is read only while there is
 * room for what comes: a free command, or space for output. Beyond that its queue
 * fills, which the library bounds. */

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
    PATTERNS_MAX = TULLE__TAKES_MAX + TULLE__HANDLERS_MAX,
    FIXED_FDS = 4,
    FDS_MAX = FIXED_FDS + TULLE__HANDLERS_MAX * TULLE__HANDLER_FDS_MAX,
    MESSAGES_PER_TURN = 64,
    KILL_MS = 2000 /* what commands get to end once they were told to */
};

struct tulle__daemon {
    tulle_node *node;
    const struct tulle__node_config *config;
    struct tulle__common *common;
    tulle_subscription *subscription; /* NULL: nothing is taken */
    bool has_more;                    /* the last turn ended before the queue did */
    /* An event that handlers from next_handler on have not had yet; NULL: none. It is valid
     * as long as no other is received. */
    const tulle_message *message;
    size_t next_handler;
    struct tulle__handler handlers[TULLE__HANDLERS_MAX];
    size_t handler_count;
    struct tulle__output output;
    uint64_t taken, gaps;
    int64_t stats_ms; /* next line of counters */
    int64_t stop_ms;  /* when commands are told to end; 0: not stopping */
    bool is_killing;
    struct pollfd fds[FDS_MAX];
};

/* Take all patterns. Returns an exit status. */
static int
subscribe(struct tulle__daemon *daemon)
{
    const struct tulle__node_config *config = daemon->config;
    const char *patterns[PATTERNS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < config->take.count; i++)
        patterns[count++] = config->take.items[i];
    for (size_t i = 0; i < daemon->handler_count; i++)
        patterns[count++] = daemon->handlers[i].pattern;
    if (count == 0)
        return TULLE__EXIT_OK;
    tulle_subscribe_options options;
    tulle_subscribe_options_init(&options);
    options.order = (tulle_order)config->order;
    options.from = config->from_kind;
    options.from_count = config->from_count;
    if (config->is_print || daemon->handler_count > 0)
        options.flags = TULLE_DETAIL_DEPS;
    options.also = patterns + 1;
    options.also_count = count - 1;
    tulle_status made =
        tulle_node_subscribe(daemon->node, patterns[0], &options, &daemon->subscription);
    if (made == TULLE_OK)
        return TULLE__EXIT_OK;
    (void)fprintf(stderr, "tulle-node: cannot take %s%s: %s\n", patterns[0],
                  count > 1 ? " and the other patterns" : "", tulle_strerror(made));
    return (int)tulle__exit_of(made);
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
    for (size_t i = 0; i + 1 < config->exec.count; i += 2) {
        struct tulle__handler *handler = &daemon->handlers[daemon->handler_count++];
        tulle__handler_init(handler, config->exec.items[i], config->exec.items[i + 1], config,
                            common);
        handler->node = node;
    }
    int made = subscribe(daemon);
    if (made != TULLE__EXIT_OK) {
        *status = made;
        tulle__daemon_free(&daemon);
    }
    return daemon;
}

void
tulle__daemon_free(struct tulle__daemon **daemon)
{
    if (*daemon == NULL)
        return;
    for (size_t i = 0; i < (*daemon)->handler_count; i++)
        tulle__handler_fini(&(*daemon)->handlers[i]);
    tulle_subscription_free(&(*daemon)->subscription);
    tulle__output_fini(&(*daemon)->output);
    free(*daemon);
    *daemon = NULL;
}

/* Hand the event to the handlers that it is for; one that is busy holds up those behind it,
 * and the events that follow. */
static void
dispatch(struct tulle__daemon *daemon, int64_t now_ms)
{
    if (daemon->message == NULL)
        return;
    for (size_t i = 0; i < daemon->handler_count; i++) {
        if (tulle__handler_is_held(&daemon->handlers[i]))
            return;
    }
    for (; daemon->next_handler < daemon->handler_count; daemon->next_handler++) {
        struct tulle__handler *handler = &daemon->handlers[daemon->next_handler];
        if (!tulle_pattern_matches(handler->pattern, daemon->message->u.event.topic))
            continue;
        if (!tulle__handler_is_free(handler))
            return;
        tulle__handler_on_event(handler, daemon->message, now_ms);
    }
    daemon->message = NULL;
}

static bool
can_take(const struct tulle__daemon *daemon)
{
    return daemon->subscription != NULL && daemon->stop_ms == 0 && daemon->message == NULL &&
           (!daemon->config->is_print || tulle__output_is_free(&daemon->output));
}

static void
take(struct tulle__daemon *daemon, const tulle_message *message, int64_t now_ms)
{
    if (daemon->config->is_print) {
        tulle__json_message(message, 0, &daemon->output.text);
        tulle__text_char(&daemon->output.text, '\n');
    }
    daemon->gaps += message->kind == TULLE_MESSAGE_GAP ? 1 : 0;
    if (message->kind != TULLE_MESSAGE_EVENT)
        return;
    daemon->taken++;
    daemon->message = message;
    daemon->next_handler = 0;
    dispatch(daemon, now_ms);
}

static void
receive(struct tulle__daemon *daemon, int64_t now_ms)
{
    daemon->has_more = true;
    for (int i = 0; i < MESSAGES_PER_TURN && can_take(daemon); i++) {
        const tulle_message *message = NULL;
        if (tulle_subscription_receive(daemon->subscription, &message, 0) != TULLE_OK) {
            daemon->has_more = false;
            return;
        }
        take(daemon, message, now_ms);
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
    bool is_taking = can_take(daemon);
    if (is_taking && daemon->has_more)
        *deadline_ms = 0;
    fds[count++] =
        (struct pollfd){ .fd = is_taking ? tulle_subscription_fd(daemon->subscription) : -1,
                         .events = POLLIN };
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
    bool is_busy = tulle__output_is_waiting(&daemon->output) || daemon->message != NULL;
    for (size_t i = 0; i < daemon->handler_count; i++)
        is_busy = is_busy || tulle__handler_busy(&daemon->handlers[i]) > 0;
    if (!is_busy)
        return true;
    if (now_ms < daemon->stop_ms)
        return false;
    if (daemon->is_killing)
        return true;
    daemon->is_killing = true;
    daemon->message = NULL;
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
        dispatch(daemon, now_ms);
        if (can_take(daemon) && (daemon->has_more || daemon->fds[FIXED_FDS - 1].revents != 0))
            receive(daemon, now_ms);
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
