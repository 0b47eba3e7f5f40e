/* SPDX-License-Identifier: MPL-2.0 */
/* Subscriptions. */

#include "node/subscription.h"

#include "base/alloc.h"
#include "codec/topic.h"
#include "node/os.h"
#include "node/state.h"

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
    s->pattern_len = strlen(pattern);
    memcpy(s->pattern, pattern, s->pattern_len);
    s->options = *options;
    s->fd = options->fn == NULL ? tulle__os_wake_open() : -1;
    tulle__builder_init(&s->builder, options->flags);
    if ((options->fn == NULL && s->fd < 0) || pthread_mutex_init(&s->mutex, NULL) != 0) {
        tulle__os_wake_close(&s->fd);
        tulle__free(s);
        return NULL;
    }
    if (!tulle__condition_init(&s->filled)) {
        (void)pthread_mutex_destroy(&s->mutex);
        tulle__os_wake_close(&s->fd);
        tulle__free(s);
        return NULL;
    }
    return s;
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
    tulle__free(s);
    *pointer = NULL;
}

static struct tulle__view
pattern_view(const struct tulle_subscription *s)
{
    return (struct tulle__view){ (const uint8_t *)s->pattern, s->pattern_len };
}

static bool
matches_all(const struct tulle_subscription *s, const char *stream)
{
    struct tulle__view view = { (const uint8_t *)stream, strlen(stream) };
    return tulle__pattern_takes_all_of(pattern_view(s), view);
}

bool
tulle__subscription_wants(const struct tulle_subscription *s,
                          const struct tulle__delivery *delivery)
{
    if (tulle__pattern_takes_all_of(pattern_view(s), delivery->stream))
        return true;
    struct tulle__event_walk walk;
    struct tulle__event_view view;
    tulle__batch_walk(&delivery->batch, &walk);
    while (tulle__batch_next(&walk, &view)) {
        if (view.seq >= delivery->first && view.seq <= delivery->last &&
            tulle__pattern_matches(pattern_view(s), delivery->stream, view.rest))
            return true;
    }
    return false;
}

static void
call_back(struct tulle_subscription *s, struct tulle__item *item)
{
    bool is_all = matches_all(s, item->stream);
    tulle__builder_start(&s->builder, item);
    const tulle_message *message;
    while ((message = tulle__builder_next(&s->builder, pattern_view(s), is_all)) != NULL)
        s->options.fn(message, s->options.ctx);
    tulle__item_free(&item);
}

size_t
tulle__subscription_put(struct tulle_subscription *s, struct tulle__item *item)
{
    if (s->options.fn != NULL) {
        call_back(s, item);
        return 0;
    }
    (void)pthread_mutex_lock(&s->mutex);
    item->next = NULL;
    if (s->tail != NULL)
        s->tail->next = item;
    else
        s->head = item;
    s->tail = item;
    s->bytes += item->bytes;
    size_t bytes = s->bytes;
    if (!s->is_fd_set) {
        s->is_fd_set = true;
        tulle__os_wake_set(s->fd);
    }
    (void)pthread_cond_signal(&s->filled);
    (void)pthread_mutex_unlock(&s->mutex);
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
    if (s->fd >= 0 && !s->is_fd_set) {
        s->is_fd_set = true;
        tulle__os_wake_set(s->fd);
    }
    (void)pthread_cond_broadcast(&s->filled);
    (void)pthread_mutex_unlock(&s->mutex);
}

/* Take the next item off the queue, waiting for one. */
static tulle_status
take_item(struct tulle_subscription *s, int timeout_ms, struct timespec deadline)
{
    tulle_status status = TULLE_OK;
    (void)pthread_mutex_lock(&s->mutex);
    while (s->head == NULL && !s->is_closed && status == TULLE_OK) {
        if (timeout_ms == 0 ||
            (timeout_ms > 0 && pthread_cond_timedwait(&s->filled, &s->mutex, &deadline) != 0)) {
            status = s->head == NULL && !s->is_closed ? TULLE_ETIMEDOUT : TULLE_OK;
            break;
        }
        if (timeout_ms < 0)
            (void)pthread_cond_wait(&s->filled, &s->mutex);
    }
    if (status == TULLE_OK && s->head == NULL)
        status = TULLE_ESTATE; /* closed, and everything was received */
    if (status == TULLE_OK) {
        s->current = s->head;
        s->head = s->current->next;
        if (s->head == NULL)
            s->tail = NULL;
        s->bytes -= s->current->bytes;
    } else if (status == TULLE_ETIMEDOUT && s->is_fd_set) {
        s->is_fd_set = false;
        tulle__os_wake_clear(s->fd);
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
    struct timespec deadline = tulle__deadline_after(timeout_ms > 0 ? timeout_ms : 0);
    for (;;) {
        if (s->current != NULL) {
            *out = tulle__builder_next(&s->builder, pattern_view(s),
                                       matches_all(s, s->current->stream));
            if (*out != NULL)
                return TULLE_OK;
            tulle__item_free(&s->current);
            tulle__node_on_room(s->node);
        }
        tulle_status status = take_item(s, timeout_ms, deadline);
        if (status != TULLE_OK)
            return status;
        tulle__builder_start(&s->builder, s->current);
    }
}

int
tulle_subscription_fd(const tulle_subscription *s)
{
    return s->fd;
}
