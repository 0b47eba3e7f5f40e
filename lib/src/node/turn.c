/* SPDX-License-Identifier: MPL-2.0 */
/* Turns that application threads take at the engine while the node's thread waits, so
 * that a single event needs no change of threads on its way (docs/decisions/0009).
 *
 * Whoever holds the turn may use engine and sockets. The node's thread holds it but
 * while it waits in poll. Application threads publish only if they get it at once, and
 * receive with it only where no callback could be called. What they leave undone, the
 * node's thread is woken for. */

#include "node/os.h"
#include "node/state.h"

#include <sys/epoll.h>

enum { QUIET_NS = 40000 }; /* between two events: who publishes faster gathers batches */

/* With the turn: is there something that only the node's thread looks after? */
static bool
is_thread_due(tulle_node *node, bool has_more)
{
    has_more = has_more || node->pending != NULL || node->is_stalled || node->is_queue_full ||
               tulle__loop_deadline(node) < node->waits_until_ns;
    (void)pthread_mutex_lock(&node->mutex);
    bool is_due = has_more || node->is_poked || node->requests != NULL ||
                  node->outbox.head != NULL || node->phase != TULLE__PHASE_RUNNING;
    node->is_sleeping = !is_due;
    (void)pthread_mutex_unlock(&node->mutex);
    return is_due;
}

bool
tulle__turn_publish(tulle_node *node)
{
    if (pthread_mutex_trylock(&node->turn) != 0)
        return false;
    bool is_done = false;
    if (node->is_waiting && node->pending == NULL) {
        int64_t now_ns = tulle__os_now().mono.ns;
        bool is_quiet = now_ns - node->quiet_since_ns >= QUIET_NS;
        node->quiet_since_ns = now_ns;
        is_done = is_quiet && !is_thread_due(node, tulle__loop_publish(node));
    }
    (void)pthread_mutex_unlock(&node->turn);
    return is_done;
}

/* ---- waiting ---- */

/* The node's thread waits for the SUB side too, or leaves that to a helper: then one
 * thread wakes for what comes, and not two. */
static void
watch_sub(tulle_node *node, bool is_wanted)
{
    struct epoll_event event = { .events = is_wanted ? EPOLLIN : 0, .data.fd = node->sub_fd };
    (void)epoll_ctl(node->poll_fd, EPOLL_CTL_MOD, node->sub_fd, &event);
}

static bool
watch(tulle_node *node, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
    return epoll_ctl(node->poll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool
tulle__turn_open(tulle_node *node)
{
    node->poll_fd = epoll_create1(EPOLL_CLOEXEC);
    node->sub_fd = tulle__transport_fd(node->transport, TULLE__TRANSPORT_SUB);
    bool is_good = node->poll_fd >= 0 && watch(node, node->wake_fd);
    for (size_t i = 0; i < TULLE__TRANSPORT_POLL_ITEMS; i++)
        is_good = is_good && watch(node, tulle__transport_fd(node->transport, i));
    if (node->beacon != NULL)
        is_good = is_good && watch(node, tulle__beacon_fd(node->beacon));
    return is_good;
}

void
tulle__turn_wait(tulle_node *node, struct tulle__mono now, struct tulle__mono end)
{
    struct epoll_event events[TULLE__TRANSPORT_POLL_ITEMS + 2];
    int timeout_ms = (int)((end.ns - now.ns) / 1000000) + 1; /* never too early, to do nothing */
    node->quiet_since_ns = now.ns;
    node->waits_until_ns = end.ns;
    node->is_waiting = true;
    (void)pthread_mutex_unlock(&node->turn);
    int count = epoll_wait(node->poll_fd, events, sizeof events / sizeof events[0], timeout_ms);
    (void)pthread_mutex_lock(&node->turn);
    node->is_waiting = false;
    for (int i = 0; i < count; i++) {
        if (events[i].data.fd == node->wake_fd)
            tulle__os_wake_clear(node->wake_fd);
    }
}

void
tulle__turn_pause(tulle_node *node, long us)
{
    node->waits_until_ns = 0; /* soon enough for everything */
    node->is_waiting = true;
    (void)pthread_mutex_unlock(&node->turn);
    tulle__os_pause_us(us);
    (void)pthread_mutex_lock(&node->turn);
    node->is_waiting = false;
}

/* ---- helping ---- */

bool
tulle__turn_begin_help(tulle_node *node)
{
    if (!atomic_load(&node->is_helpable) || atomic_exchange(&node->has_helper, true))
        return false;
    watch_sub(node, false);
    return true;
}

void
tulle__turn_end_help(tulle_node *node)
{
    watch_sub(node, true); /* wakes the thread if something is there */
    atomic_store(&node->has_helper, false);
}

bool
tulle__turn_help(tulle_node *node)
{
    (void)pthread_mutex_lock(&node->turn);
    bool can_help = atomic_load(&node->is_helpable) && node->callback_count == 0;
    bool is_due = false;
    if (can_help && node->is_waiting) {
        node->has_touched_control = false;
        bool has_more = tulle__loop_receive(node);
        /* Whoever uses a socket may take notice, in the place of the node's thread, that
         * something has come there. The SUB side was read until nothing was left. */
        has_more =
            has_more || (node->has_touched_control && tulle__transport_has_events(node->transport));
        is_due = is_thread_due(node, has_more);
    }
    (void)pthread_mutex_unlock(&node->turn);
    if (is_due)
        tulle__os_wake_set(node->wake_fd);
    return can_help;
}
