/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_SUBSCRIPTION_H
#define TULLE_NODE_SUBSCRIPTION_H

/* A subscription: a queue between the node's thread, which puts items in, and the
 * application's, which builds messages from them; or a callback on the node's
 * thread. The queue has a lock of its own. */

#include "node/message.h"

#include <tulle/node.h>

#include <pthread.h>
#include <stdbool.h>

struct tulle_subscription {
    tulle_node *node;
    struct tulle__patterns *patterns;
    tulle_subscribe_options options;
    struct tulle_subscription *next; /* in the node's list */
    /* The node's thread only. */
    bool is_registered; /* the engine knows it */
    bool is_public;     /* the application has a pointer to it */
    uint64_t given;     /* number of what it was given last */
    /* Under mutex. */
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    struct tulle__item *head;
    struct tulle__item *tail;
    size_t bytes;
    bool is_closed;  /* nothing comes any more */
    bool is_waiting; /* the receiver does, for filled */
    bool is_polling; /* the receiver does, for the node too */
    bool is_fd_used; /* the application asked for it */
    bool is_fd_set;
    int fd;
    /* The receiving thread only (with a callback: the node's). */
    struct tulle__item *current;
    bool takes_all; /* every event of it */
    struct tulle__builder builder;
};

/* Patterns and options are valid. NULL without memory or descriptors. */
struct tulle_subscription *tulle__subscription_new(tulle_node *node,
                                                   const char *pattern,
                                                   const tulle_subscribe_options *options);
void tulle__subscription_destroy(struct tulle_subscription **pointer);

/* Node's thread: hand an item over, or join it to the gap before it; the subscription owns it from
 * here. With a callback it runs now. Returns the bytes that are queued after it. */
size_t tulle__subscription_put(struct tulle_subscription *subscription, struct tulle__item *item);
size_t tulle__subscription_bytes(struct tulle_subscription *subscription);
/* Nothing comes any more: wakes the receiver. */
void tulle__subscription_close(struct tulle_subscription *subscription);

/* Absolute time for pthread_cond_timedwait on a CLOCK_MONOTONIC condition. */
struct timespec tulle__deadline_after(int timeout_ms);
/* A condition that waits by the monotonic clock. */
bool tulle__condition_init(pthread_cond_t *condition);

#endif
