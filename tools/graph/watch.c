/* SPDX-License-Identifier: MPL-2.0 */

/* First what is kept, until all of it is delivered; then, if asked for, what is published for a
 * while. */

#include "tools/graph/watch.h"

#include "app/exit.h"
#include "tools/common/history_end.h"
#include "tools/common/tools.h"

#include <stdio.h>

enum { TICK_MS = 50, SETTLE_US = 500000 };

struct watch {
    struct tulle__lookout *lookout;
    const struct tulle__graph_options *options;
    struct tulle__channels *channels;
    tulle_subscription *subscription;
    struct tulle__history_end *end;
    int64_t start_us;
    int64_t live_us; /* when reading what is kept was over; 0: it is not */
    bool is_over;
};

static int
fail(const struct watch *watch, const char *what, tulle_status status)
{
    (void)fprintf(stderr, "%s: %s: %s\n", watch->lookout->program->name, what,
                  tulle_strerror(status));
    return (int)tulle__exit_of(status);
}

static int
subscribe(struct watch *watch)
{
    const struct tulle__list *streams = &watch->options->streams;
    tulle_subscribe_options options = watch->options->subscribe;
    const char *first = streams->count > 0 ? streams->items[0] : "**";
    options.also = streams->count > 1 ? streams->items + 1 : NULL;
    options.also_count = streams->count > 1 ? streams->count - 1 : 0;
    tulle_status status =
        tulle_node_subscribe(watch->lookout->node, first, &options, &watch->subscription);
    return status == TULLE_OK ? 0 : fail(watch, first, status);
}

/* All that waits, up to --count. */
static int
drain(struct watch *watch)
{
    for (;;) {
        const tulle_message *message = NULL;
        tulle_status status = tulle_subscription_receive(watch->subscription, &message, 0);
        if (status == TULLE_ETIMEDOUT)
            return 0;
        if (status != TULLE_OK)
            return fail(watch, "reading", status);
        if (message->kind != TULLE_MESSAGE_EVENT)
            continue;
        tulle__channels_learn(watch->channels, &message->u.event);
        if (watch->options->count > 0 && watch->channels->event_count >= watch->options->count) {
            watch->is_over = true;
            return 0;
        }
    }
}

static void
look_at_time(struct watch *watch)
{
    int64_t now_us = tulle__tool_mono_us();
    bool is_live = watch->options->subscribe.from == TULLE_FROM_LIVE;
    if (watch->live_us == 0 &&
        (is_live || tulle__history_end_is_reached(watch->end, watch->lookout->node, now_us)))
        watch->live_us = now_us;
    if (watch->live_us != 0 && now_us - watch->live_us >= watch->options->watch_ms * 1000)
        watch->is_over = true;
}

static int
read_all(struct watch *watch)
{
    int fd = tulle_subscription_fd(watch->subscription);
    int status = 0;
    while (status == 0 && !watch->is_over && !watch->channels->pool.has_failed) {
        if (tulle__signals_wait(&watch->lookout->signals, fd, TICK_MS) == 2) {
            (void)tulle__signals_next(&watch->lookout->signals);
            return 0;
        }
        status = drain(watch);
        if (!watch->is_over)
            look_at_time(watch);
    }
    /* What was delivered as the end was seen. */
    if (status == 0 &&
        (watch->options->count == 0 || watch->channels->event_count < watch->options->count))
        status = drain(watch);
    return status;
}

int
tulle__watch(struct tulle__lookout *lookout,
             const struct tulle__graph_options *options,
             struct tulle__channels *channels)
{
    struct watch watch = { .lookout = lookout, .options = options, .channels = channels };
    watch.end = tulle__history_end_new(SETTLE_US);
    int status = watch.end == NULL ? TULLE__EXIT_FAILURE : subscribe(&watch);
    if (status == 0)
        status = read_all(&watch);
    if (status == 0 && channels->pool.has_failed)
        status = fail(&watch, "reading", TULLE_ENOMEM);
    tulle__history_end_free(&watch.end);
    return status; /* the subscription is freed with its node */
}
