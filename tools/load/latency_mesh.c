/* SPDX-License-Identifier: MPL-2.0 */

/* Asking a mesh how long its events take. One thread keeps to the schedule, the other takes the
 * answers. */

#include "tools/load/latency_mesh.h"

#include "app/exit.h"
#include "tools/load/load_pace.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLICE_MS = 20,
    PUBLISH_SLICE_MS = 200,
    PROBE_MS = 20,
    PROBES_LIVE = 3, /* answers one after the other, and the ways there and back are settled */
    SHOW_NS = 200000000
};

struct answerer {
    uint64_t node;
    uint32_t live;  /* probes one after the other that came and went live */
    uint64_t next;  /* seq awaited */
    bool is_near;   /* on this host */
    uint64_t count; /* answers */
};

struct pinger {
    struct tulle__load_plan *plan;
    const char *name;
    const char *progress;
    struct tulle__signals *signals;
    struct tulle__load_result *out;
    tulle_node *node;
    tulle_subscription *subscription;
    uint64_t id;
    uint8_t host[16];
    char *payload;
    struct answerer answerers[TULLE__LOAD_NODES_MAX];
    size_t answerer_count;
    struct tulle__histogram there, there_and_back;
    uint64_t repaired_before;
    int64_t start_ns, first_ns, last_ns, news_ns, shown_ns;
    bool has_shown;
    atomic_bool is_over, is_published;
    atomic_uint_fast64_t published, measured;
    atomic_int status; /* a tulle_status: why publishing failed */
};

static int
fail(struct pinger *me, int status, const char *why)
{
    if (me->has_shown)
        (void)fputs("\r\033[K", stderr);
    me->has_shown = false;
    (void)fprintf(stderr, "%s: %s\n", me->name, why);
    return status;
}

static int
fail_with(struct pinger *me, tulle_status status, const tulle_error *error)
{
    bool has_text = error != NULL && error->text[0] != '\0';
    return fail(me, (int)tulle__exit_of(status), has_text ? error->text : tulle_strerror(status));
}

static tulle_status
send_ping(struct pinger *me, enum tulle__ping_kind kind, uint64_t seq, int64_t due_ns)
{
    struct tulle__ping ping = { .magic = TULLE__PING_MAGIC,
                                .kind = (uint8_t)kind,
                                .pinger = me->id,
                                .seq = seq,
                                .due_ns = due_ns };
    tulle_publish_options options;
    tulle_publish_options_init(&options);
    options.timeout_ms = PUBLISH_SLICE_MS;
    options.content_type = "application/octet-stream";
    memcpy(me->payload, &ping, sizeof ping);
    tulle_status status = TULLE_EAGAIN;
    while (status == TULLE_EAGAIN && !atomic_load(&me->is_over))
        status =
            tulle_node_publish(me->node, TULLE__PING_TOPIC, me->payload, me->plan->size, &options);
    return status;
}

/* ---- publishing ---- */

static void *
publish_all(void *ctx)
{
    struct pinger *me = ctx;
    const struct tulle__load_plan *plan = me->plan;
    int64_t measure_ns = me->start_ns + plan->warmup_ms * 1000000;
    int64_t end_ns = measure_ns + plan->duration_ms * 1000000;
    uint64_t measured = 0;
    tulle_status status = TULLE_OK;
    tulle__load_wake_in_time();
    for (uint64_t seq = 0; status == TULLE_OK && !atomic_load(&me->is_over); seq++) {
        int64_t due_ns = me->start_ns + (int64_t)((double)seq * 1e9 / plan->rate);
        bool is_measured = due_ns >= measure_ns;
        if (plan->count > 0 ? measured == plan->count : due_ns >= end_ns)
            break;
        tulle__load_sleep_until(due_ns, plan->is_spinning, &me->is_over);
        status =
            send_ping(me, is_measured ? TULLE__PING_MEASURED : TULLE__PING_WARMUP, seq, due_ns);
        if (status != TULLE_OK)
            break;
        measured += is_measured;
        atomic_fetch_add(&me->published, 1);
        atomic_fetch_add(&me->measured, is_measured);
    }
    atomic_store(&me->status, (int)(status == TULLE_EAGAIN ? TULLE_OK : status));
    atomic_store(&me->is_published, true);
    return NULL;
}

/* ---- taking ---- */

static struct answerer *
find_answerer(struct pinger *me, uint64_t node, bool is_new_allowed)
{
    for (size_t i = 0; i < me->answerer_count; i++) {
        if (me->answerers[i].node == node)
            return &me->answerers[i];
    }
    if (!is_new_allowed || me->answerer_count == TULLE__LOAD_NODES_MAX)
        return NULL;
    me->answerers[me->answerer_count] = (struct answerer){ .node = node };
    return &me->answerers[me->answerer_count++];
}

static bool
read_pong(const struct pinger *me, const tulle_event *event, struct tulle__pong *out)
{
    if (event->payload_len < sizeof *out)
        return false;
    memcpy(out, event->payload, sizeof *out);
    return memcmp(out->ping.magic, TULLE__PING_MAGIC, sizeof out->ping.magic) == 0 &&
           out->ping.pinger == me->id;
}

static void
take_probe(struct pinger *me, const tulle_event *event)
{
    static const uint8_t nowhere[16] = { 0 };
    struct tulle__pong pong;
    if (!read_pong(me, event, &pong) || pong.ping.kind != TULLE__PING_PROBE)
        return;
    struct answerer *answerer = find_answerer(me, event->node, true);
    if (answerer == NULL)
        return;
    bool is_live = !event->is_repaired && pong.is_repaired == 0;
    answerer->live = is_live ? answerer->live + 1 : 0;
    answerer->is_near = memcmp(pong.host, me->host, sizeof me->host) == 0 &&
                        memcmp(pong.host, nowhere, sizeof nowhere) != 0;
}

static void
take_answer(struct pinger *me, const tulle_event *event)
{
    struct tulle__pong pong;
    if (!read_pong(me, event, &pong) || pong.ping.kind == TULLE__PING_PROBE)
        return;
    int64_t now_ns = tulle__load_now_ns();
    struct answerer *answerer = find_answerer(me, event->node, false);
    if (answerer == NULL) /* one that came later */
        return;
    if (pong.ping.seq < answerer->next)
        me->out->misordered++;
    else
        answerer->next = pong.ping.seq + 1;
    answerer->count++;
    me->news_ns = now_ns;
    if (pong.ping.kind != TULLE__PING_MEASURED)
        return;
    me->first_ns = me->out->delivered++ == 0 ? now_ns : me->first_ns;
    me->last_ns = now_ns;
    int64_t there_ns = pong.arrived_ns - pong.ping.due_ns;
    tulle__histogram_record(&me->there_and_back, (uint64_t)(now_ns - pong.ping.due_ns));
    if (answerer->is_near && there_ns >= 0)
        tulle__histogram_record(&me->there, (uint64_t)there_ns);
}

/* Take what comes until then. Returns 0 or an exit status. */
static int
take_until(struct pinger *me, int64_t until_ns, void (*take)(struct pinger *, const tulle_event *))
{
    do {
        const tulle_message *message = NULL;
        tulle_status status = tulle_subscription_receive(me->subscription, &message, SLICE_MS);
        if (status == TULLE_OK && message->kind == TULLE_MESSAGE_EVENT)
            take(me, &message->u.event);
        else if (status == TULLE_OK && message->kind == TULLE_MESSAGE_GAP)
            me->out->gaps++;
        else if (status != TULLE_OK && status != TULLE_ETIMEDOUT)
            return fail_with(me, status, NULL);
        if (tulle__signals_next(me->signals) != 0)
            return fail(me, TULLE__EXIT_FAILURE, "interrupted");
    } while (tulle__load_now_ns() < until_ns);
    return 0;
}

/* ---- the run ---- */

/* Until enough nodes answer, and live in both directions; if they only do not come live, it is
 * measured as it is. */
static int
settle(struct pinger *me)
{
    const struct tulle__load_plan *plan = me->plan;
    int64_t end_ns = tulle__load_now_ns() + plan->timeout_ms * 1000000;
    size_t live = 0;
    for (uint64_t seq = 0; live < plan->subscribers && tulle__load_now_ns() < end_ns; seq++) {
        int64_t now_ns = tulle__load_now_ns();
        tulle_status sent = send_ping(me, TULLE__PING_PROBE, seq, now_ns);
        int status = sent == TULLE_OK ? 0 : fail_with(me, sent, NULL);
        if (status == 0)
            status = take_until(me, now_ns + PROBE_MS * INT64_C(1000000), take_probe);
        if (status != 0)
            return status;
        live = 0;
        for (size_t i = 0; i < me->answerer_count; i++)
            live += me->answerers[i].live >= PROBES_LIVE;
    }
    if (me->answerer_count >= plan->subscribers)
        return 0;
    char text[200];
    (void)snprintf(text, sizeof text,
                   "%zu of %" PRIu32 " nodes answer within %.15g s; is 'tulle latency --answer' "
                   "running in this mesh?",
                   me->answerer_count, plan->subscribers, (double)plan->timeout_ms / 1000.0);
    return fail(me, TULLE__EXIT_NETWORK, text);
}

static uint64_t
count_answers(const struct pinger *me)
{
    uint64_t count = 0;
    for (size_t i = 0; i < me->answerer_count; i++)
        count += me->answerers[i].count;
    return count;
}

static void
show_progress(struct pinger *me)
{
    int64_t now_ns = tulle__load_now_ns();
    if (me->progress == NULL || now_ns - me->shown_ns < SHOW_NS)
        return;
    me->shown_ns = now_ns;
    me->has_shown = true;
    (void)fprintf(stderr, "\r%s, %.1f s, %" PRIu64 " answers\033[K", me->progress,
                  (double)(now_ns - me->start_ns) / 1e9, count_answers(me));
}

static int
measure(struct pinger *me)
{
    pthread_t thread;
    int64_t patience_ns =
        (me->plan->timeout_ms + (int64_t)me->plan->node.hold_ms) * INT64_C(1000000);
    me->start_ns = tulle__load_now_ns();
    me->news_ns = me->start_ns;
    if (pthread_create(&thread, NULL, publish_all, me) != 0)
        return fail(me, TULLE__EXIT_FAILURE, tulle_strerror(TULLE_EOS));
    int status = 0;
    bool is_done = false;
    while (status == 0 && !is_done) {
        bool is_published = atomic_load(&me->is_published);
        if (!is_published) /* at a slow rate there is nothing new for a while */
            me->news_ns = tulle__load_now_ns();
        uint64_t missing = atomic_load(&me->published) * me->answerer_count - count_answers(me);
        is_done =
            is_published && (missing == 0 || tulle__load_now_ns() - me->news_ns > patience_ns);
        if (!is_done)
            status = take_until(me, 0, take_answer);
        show_progress(me);
    }
    atomic_store(&me->is_over, true);
    (void)pthread_join(thread, NULL);
    if (status == 0 && atomic_load(&me->status) != TULLE_OK)
        status = fail_with(me, (tulle_status)atomic_load(&me->status), NULL);
    return status;
}

static void
sum_up(struct pinger *me)
{
    struct tulle__load_result *out = me->out;
    tulle_counters counters;
    size_t near = 0;
    for (size_t i = 0; i < me->answerer_count; i++)
        near += me->answerers[i].is_near;
    me->plan->subscribers = (uint32_t)me->answerer_count;
    me->plan->is_round_trip = me->plan->is_round_trip || near < me->answerer_count;
    out->latency = me->plan->is_round_trip ? me->there_and_back : me->there;
    out->published = atomic_load(&me->measured);
    out->lost = atomic_load(&me->published) * me->answerer_count - count_answers(me);
    tulle_node_counters(me->node, &counters);
    out->repaired = counters.events_repaired - me->repaired_before;
    if (me->last_ns > me->first_ns) {
        out->seconds = (double)(me->last_ns - me->first_ns) / 1e9;
        out->events_per_second = (double)out->published / out->seconds;
        out->deliveries_per_second = (double)out->delivered / out->seconds;
    }
    out->publisher_cpu = out->subscriber_cpu = out->proxy_cpu = out->total_cpu = -1;
}

static int
open_node(struct pinger *me)
{
    tulle_node_options options = me->plan->node;
    tulle_subscribe_options subscribe;
    tulle_error error = { 0 };
    tulle_subscribe_options_init(&subscribe);
    subscribe.order = (tulle_order)me->plan->order;
    options.stream_levels = 2;
    tulle_status status = tulle_node_new(&options, &me->node, &error);
    if (status == TULLE_OK)
        status = tulle_node_subscribe(me->node, TULLE__PONG_TOPIC, &subscribe, &me->subscription);
    if (status == TULLE_OK)
        status = tulle_node_start(me->node, &error);
    if (status != TULLE_OK)
        return fail_with(me, status, &error);
    me->id = tulle_node_id(me->node);
    tulle__latency_host(me->host);
    return 0;
}

int
tulle__latency_mesh_run(struct tulle__load_plan *plan,
                        const char *name,
                        const char *progress,
                        struct tulle__signals *signals,
                        struct tulle__load_result *out)
{
    struct pinger *me = calloc(1, sizeof *me);
    *out = (struct tulle__load_result){ 0 };
    char *payload = malloc(plan->size);
    int status = TULLE__EXIT_FAILURE;
    if (me == NULL || payload == NULL) {
        (void)fprintf(stderr, "%s: %s\n", name, tulle_strerror(TULLE_ENOMEM));
        free(payload);
        free(me);
        return status;
    }
    memset(payload, 'x', plan->size);
    *me = (struct pinger){ .plan = plan,
                           .name = name,
                           .progress = progress,
                           .signals = signals,
                           .out = out,
                           .payload = payload };
    tulle__histogram_init(&me->there);
    tulle__histogram_init(&me->there_and_back);
    status = open_node(me);
    if (status == 0)
        status = settle(me);
    if (status == 0) {
        tulle_counters counters;
        tulle_node_counters(me->node, &counters);
        me->repaired_before = counters.events_repaired;
        status = measure(me);
    }
    if (me->has_shown)
        (void)fputs("\r\033[K", stderr);
    if (status == 0)
        sum_up(me);
    tulle_node_free(&me->node);
    free(payload);
    free(me);
    return status;
}
