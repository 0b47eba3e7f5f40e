/* SPDX-License-Identifier: MPL-2.0 */

/* The other side of tulle latency --join: answers what it asks. */

#include "app/exit.h"
#include "tools/load/latency_mesh.h"
#include "tools/load/load_pace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLICE_MS = 200 };

_Static_assert(sizeof(struct tulle__ping) == TULLE__PING_LEN, "it is on the wire");
_Static_assert(sizeof(struct tulle__pong) == TULLE__PONG_LEN, "it is on the wire");

struct answering {
    tulle_node *node;
    tulle_subscription *subscription;
    struct tulle__signals *signals;
    uint8_t host[16];
    char *payload;
    size_t cap;
    uint64_t count;
};

void
tulle__latency_host(uint8_t out[static 16])
{
    char text[37] = "";
    size_t digits = 0;
    memset(out, 0, 16);
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
    if (file == NULL)
        return;
    size_t len = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    for (size_t i = 0; i < len && digits < 32; i++) {
        const char *const all = "0123456789abcdef";
        const char *digit = strchr(all, text[i]);
        if (digit == NULL || text[i] == '\0')
            continue;
        out[digits / 2] = (uint8_t)(out[digits / 2] << 4 | (digit - all));
        digits++;
    }
}

/* Publish, waiting for room as long as no signal comes. */
static tulle_status
send_answer(struct answering *me, size_t len)
{
    tulle_publish_options options;
    tulle_publish_options_init(&options);
    options.timeout_ms = SLICE_MS;
    options.content_type = "application/octet-stream";
    tulle_status status = TULLE_EAGAIN;
    while (status == TULLE_EAGAIN && tulle__signals_wait(me->signals, -1, 0) == 0)
        status = tulle_node_publish(me->node, TULLE__PONG_TOPIC, me->payload, len, &options);
    return status == TULLE_EAGAIN ? TULLE_OK : status;
}

/* Of the same size as what is answered, if a pong has room in it. */
static tulle_status
answer(struct answering *me, const tulle_event *event)
{
    int64_t arrived_ns = tulle__load_now_ns();
    struct tulle__pong pong = { .arrived_ns = arrived_ns, .is_repaired = event->is_repaired };
    if (event->payload_len < sizeof pong.ping)
        return TULLE_OK;
    memcpy(&pong.ping, event->payload, sizeof pong.ping);
    memcpy(pong.host, me->host, sizeof pong.host);
    if (memcmp(pong.ping.magic, TULLE__PING_MAGIC, sizeof pong.ping.magic) != 0)
        return TULLE_OK;
    size_t len = event->payload_len > sizeof pong ? event->payload_len : sizeof pong;
    if (len > me->cap) {
        char *grown = realloc(me->payload, len);
        if (grown == NULL)
            return TULLE_ENOMEM;
        memset(grown, 'x', len);
        me->payload = grown;
        me->cap = len;
    }
    memcpy(me->payload, &pong, sizeof pong);
    me->count += pong.ping.kind != TULLE__PING_PROBE;
    return send_answer(me, len);
}

static tulle_status
answer_all(struct answering *me)
{
    tulle_status status = TULLE_OK;
    while (status == TULLE_OK && tulle__signals_next(me->signals) == 0) {
        const tulle_message *message = NULL;
        status = tulle_subscription_receive(me->subscription, &message, SLICE_MS);
        if (status == TULLE_OK && message->kind == TULLE_MESSAGE_EVENT)
            status = answer(me, &message->u.event);
        else if (status == TULLE_ETIMEDOUT)
            status = TULLE_OK;
    }
    return status;
}

int
tulle__latency_answer(const struct tulle__program *program, struct tulle__load_options *options)
{
    struct tulle__signals signals;
    int exit_status = TULLE__EXIT_FAILURE;
    if (!tulle__signals_open(&signals)) {
        (void)fprintf(stderr, "%s: signals: %s\n", program->name, strerror(errno));
        return exit_status;
    }
    struct answering me = { .signals = &signals };
    tulle_subscribe_options subscribe;
    tulle__latency_host(me.host);
    tulle_subscribe_options_init(&subscribe);
    subscribe.order = (tulle_order)options->plan.order;
    options->common.node.stream_levels = 2;
    me.node = tulle__common_new(program, &options->common, &exit_status);
    tulle_status status = TULLE_OK;
    bool is_good = me.node != NULL;
    if (is_good)
        status = tulle_node_subscribe(me.node, TULLE__PING_TOPIC, &subscribe, &me.subscription);
    if (is_good && status == TULLE_OK)
        is_good = tulle__common_run(program, &me.node, &exit_status);
    if (is_good && status == TULLE_OK) {
        if (!options->is_quiet)
            (void)fprintf(stderr, "%s: answering at %s\n", program->name,
                          tulle_node_address(me.node));
        status = answer_all(&me);
        exit_status = TULLE__EXIT_OK;
        if (!options->is_quiet)
            (void)fprintf(stderr, "%s: %" PRIu64 " events answered\n", program->name, me.count);
    }
    if (status != TULLE_OK) {
        (void)fprintf(stderr, "%s: %s\n", program->name, tulle_strerror(status));
        exit_status = (int)tulle__exit_of(status);
    }
    tulle_node_free(&me.node);
    free(me.payload);
    tulle__signals_close(&signals);
    return exit_status;
}
