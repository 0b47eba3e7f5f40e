/* SPDX-License-Identifier: MPL-2.0 */
/* Subscriptions. */

#include "node/subscription.h"

#include "base/alloc.h"
#include "node/os.h"
#include "node/state.h"

#include <poll.h>
#include <string.h>
#include <time.h>

struct timespec
tulle__deadline_after(int timeout_ms)
{
    struct timespec at = { 0 };
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += timeout_ms / 1000;
    at.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_nsec -= 1000000000;
        at.tv_sec++;
    }
    return at;
}

/* Rounded up; 0 when it is over. */
static int
ms_until(const struct timespec *deadline)
{
    struct timespec now = { 0 };
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t ns =
        ((int64_t)deadline->tv_sec - now.tv_sec) * 1000000000 + deadline->tv_nsec - now.tv_nsec;
    return ns <= 0 ? 0 : (int)((ns + 999999) / 1000000);
}

bool
tulle__condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return false;
    bool is_good = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                   pthread_cond_init(condition, &attributes) == 0;
    (void)pthread_condattr_destroy(&attributes);
    return is_good;
}

struct tulle_subscription *
tulle__subscription_new(tulle_node *node,
                        const char *pattern,
                        const tulle_subscribe_options *options)
{
    struct tulle_subscription *s = tulle__alloc(sizeof *s);
    if (s == NULL)
        return NULL;
    s->node = node;
    s->patterns = tulle__patterns_new(pattern, options);
    s->options = *options;
    s->options.also = NULL; /* the caller's */
    s->fd = options->fn == NULL ? tulle__os_wake_open() : -1;
    tulle__builder_init(&s->builder, options->flags);
    if (s->patterns == NULL || (options->fn == NULL && s->fd < 0) ||
        pthread_mutex_init(&s->mutex, NULL) != 0)
        goto free_subscription;
    if (!tulle__condition_init(&s->filled))
        goto destroy_mutex;
    return s;

destroy_mutex:
    (void)pthread_mutex_destroy(&s->mutex);
free_subscription:
    tulle__os_wake_close(&s->fd);
    tulle__patterns_free(&s->patterns);
    tulle__free(s);
    return NULL;
}

void
tulle__subscription_destroy(struct tulle_subscription **pointer)
{
    struct tulle_subscription *s = *pointer;
    if (s == NULL)
        return;
    while (s->head != NULL) {
        struct tulle__item *item = s->head;
        s->head = item->next;
        tulle__item_free(&item);
    }
    tulle__item_free(&s->current);
    tulle__builder_fini(&s->builder);
    tulle__os_wake_close(&s->fd);
    (void)pthread_cond_destroy(&s->filled);
    (void)pthread_mutex_destroy(&s->mutex);
    tulle__patterns_free(&s->patterns);
    tulle__free(s);
    *pointer = NULL;
}

static bool
matches_all(const struct tulle_subscription *s, const char *stream)
{
    return tulle__patterns_take_all_of(s->patterns, tulle__view_of(stream));
}

static void
call_back(struct tulle_subscription *s, struct tulle__item *item)
{
    bool is_all = matches_all(s, item->stream);
    tulle__builder_start(&s->builder, item);
    const tulle_message *message;
    while ((message = tulle__builder_next(&s->builder, s->patterns, is_all)) != NULL)
        s->options.fn(message, s->options.ctx);
    tulle__item_free(&item);
}

/* One gap after the other on a lane is one gap: a queue that is full does not grow by
 * them. With the mutex held. */
static bool
joins_last_gap(struct tulle_subscription *s, const struct tulle__item *item)
{
    struct tulle__item *last = s->tail;
    if (last == NULL || s->bytes <= s->node->options.queue_bytes ||
        item->kind != TULLE_MESSAGE_GAP || last->kind != TULLE_MESSAGE_GAP ||
        item->gap.node != last->gap.node || item->gap.reason != last->gap.reason ||
        item->gap.first != last->gap.last + 1 || strcmp(item->stream, last->stream) != 0)
        return false;
    last->gap.last = item->gap.last;
    return true;
}

/* The receiver, as far as it waits: for the condition, or for the descriptor. Without the
 * mutex: what is late finds nothing, and that is all. */
static void
wake_receiver(struct tulle_subscription *s, bool is_waiting, bool is_fd_due)
{
    if (is_waiting)
        (void)pthread_cond_signal(&s->filled);
    if (is_fd_due)
        tulle__os_wake_set(s->fd);
}

size_t
tulle__subscription_put(struct tulle_subscription *s, struct tulle__item *item)
{
    if (s->options.fn != NULL) {
        call_back(s, item);
        return 0;
    }
    (void)pthread_mutex_lock(&s->mutex);
    if (joins_last_gap(s, item)) {
        size_t queued = s->bytes;
        (void)pthread_mutex_unlock(&s->mutex);
        tulle__item_free(&item);
        return queued;
    }
    item->next = NULL;
    if (s->tail != NULL)
        s->tail->next = item;
    else
        s->head = item;
    s->tail = item;
    s->bytes += item->bytes;
    size_t bytes = s->bytes;
    bool is_waiting = s->is_waiting;
    bool is_fd_due = (s->is_fd_used || s->is_polling) && !s->is_fd_set;
    s->is_fd_set = s->is_fd_set || is_fd_due;
    (void)pthread_mutex_unlock(&s->mutex);
    wake_receiver(s, is_waiting, is_fd_due);
    return bytes;
}

size_t
tulle__subscription_bytes(struct tulle_subscription *s)
{
    (void)pthread_mutex_lock(&s->mutex);
    size_t bytes = s->bytes;
    (void)pthread_mutex_unlock(&s->mutex);
    return bytes;
}

void
tulle__subscription_close(struct tulle_subscription *s)
{
    (void)pthread_mutex_lock(&s->mutex);
    s->is_closed = true;
    bool is_fd_due = (s->is_fd_used || s->is_polling) && !s->is_fd_set;
    s->is_fd_set = s->is_fd_set || is_fd_due;
    (void)pthread_mutex_unlock(&s->mutex);
    wake_receiver(s, true, is_fd_due);
}

/* Wait, with the mutex, until something is in the queue, or has come to the node; take
 * that in. *is_late: neither, for so long. False: the node's thread has to do it. */
static bool
wait_as_helper(struct tulle_subscription *s, int timeout_ms, bool *is_late)
{
    if (s->is_fd_used || !tulle__turn_begin_help(s->node))
        return false;
    s->is_polling = true;
    (void)pthread_mutex_unlock(&s->mutex);
    struct pollfd fds[] = { { .fd = s->node->sub_fd, .events = POLLIN },
                            { .fd = s->fd, .events = POLLIN } };
    *is_late = poll(fds, 2, timeout_ms) == 0;
    (void)pthread_mutex_lock(&s->mutex);
    s->is_polling = false;
    s->is_fd_set = false;
    bool is_empty = s->head == NULL && !s->is_closed;
    (void)pthread_mutex_unlock(&s->mutex);
    if (fds[1].revents != 0)
        tulle__os_wake_clear(s->fd);
    bool could_help = !is_empty || *is_late || tulle__turn_help(s->node);
    tulle__turn_end_help(s->node);
    (void)pthread_mutex_lock(&s->mutex);
    return could_help;
}

/* Wait, with the mutex, until there is something. TULLE_ETIMEDOUT: there is not. */
static tulle_status
wait_for_item(struct tulle_subscription *s, int timeout_ms, struct timespec *deadline)
{
    bool is_late = timeout_ms == 0;
    bool can_help = true;
    if (s->head == NULL && timeout_ms > 0 && deadline->tv_sec == 0)
        *deadline = tulle__deadline_after(timeout_ms); /* only who waits looks at the clock */
    while (s->head == NULL && !s->is_closed && !is_late) {
        int left_ms = timeout_ms < 0 ? -1 : ms_until(deadline);
        can_help = can_help && wait_as_helper(s, left_ms, &is_late);
        if (can_help)
            continue;
        s->is_waiting = true;
        if (s->head == NULL && !s->is_closed && timeout_ms < 0)
            (void)pthread_cond_wait(&s->filled, &s->mutex);
        else if (s->head == NULL && !s->is_closed)
            is_late = pthread_cond_timedwait(&s->filled, &s->mutex, deadline) != 0;
        s->is_waiting = false;
    }
    return s->head == NULL && !s->is_closed ? TULLE_ETIMEDOUT : TULLE_OK;
}

/* The descriptor is to be readable again with what comes from here on. What came before
 * is seen by looking once more. */
static void
clear_fd(struct tulle_subscription *s)
{
    s->is_fd_set = false;
    (void)pthread_mutex_unlock(&s->mutex);
    tulle__os_wake_clear(s->fd);
    (void)pthread_mutex_lock(&s->mutex);
}

/* Take the next item off the queue, waiting for one. */
static tulle_status
take_item(struct tulle_subscription *s, int timeout_ms, struct timespec *deadline)
{
    (void)pthread_mutex_lock(&s->mutex);
    tulle_status status = wait_for_item(s, timeout_ms, deadline);
    if (status == TULLE_ETIMEDOUT && s->is_fd_used) {
        clear_fd(s);
        status = wait_for_item(s, 0, deadline);
    }
    if (status == TULLE_OK && s->head == NULL)
        status = TULLE_ESTATE; /* closed, and everything was received */
    if (status == TULLE_OK) {
        s->current = s->head;
        s->head = s->current->next;
        if (s->head == NULL)
            s->tail = NULL;
        s->bytes -= s->current->bytes;
    }
    (void)pthread_mutex_unlock(&s->mutex);
    return status;
}

tulle_status
tulle_subscription_receive(tulle_subscription *s, const tulle_message **out, int timeout_ms)
{
    *out = NULL;
    if (s->options.fn != NULL)
        return TULLE_EINVAL;
    struct timespec deadline = { 0 };
    for (;;) {
        if (s->current != NULL) {
            *out = tulle__builder_next(&s->builder, s->patterns, s->takes_all);
            if (*out != NULL)
                return TULLE_OK;
            tulle__item_free(&s->current);
            tulle__node_on_room(s->node);
        }
        tulle_status status = take_item(s, timeout_ms, &deadline);
        if (status != TULLE_OK)
            return status;
        s->takes_all = matches_all(s, s->current->stream);
        tulle__builder_start(&s->builder, s->current);
    }
}

int
tulle_subscription_fd(const tulle_subscription *subscription)
{
    /* Asking for it does not change what the caller sees as const. */
    struct tulle_subscription *s = (struct tulle_subscription *)(uintptr_t)subscription;
    (void)pthread_mutex_lock(&s->mutex);
    bool is_fd_due = !s->is_fd_used && s->fd >= 0 && (s->head != NULL || s->is_closed);
    s->is_fd_used = s->fd >= 0;
    s->is_fd_set = s->is_fd_set || is_fd_due;
    (void)pthread_mutex_unlock(&s->mutex);
    wake_receiver(s, false, is_fd_due);
    return s->fd;
}
