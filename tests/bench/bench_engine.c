/* SPDX-License-Identifier: MPL-2.0 */
/* What an event costs in the engine, without sockets: nanoseconds and allocations to
 * publish, encode, decode, order and hand out; and bytes on the wire beside the
 * payload. Prints lines "name key=value ...", medians of several runs.
 *
 * One engine in the middle, and others around it that exchange frames with it alone;
 * frames are handed over as function calls. */

#include "base/alloc.h"
#include "base/panic.h"
#include "bench_clock.h"
#include "codec/beat.h"
#include "codec/control.h"
#include "delivery/engine.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS = 5, PAYLOAD_LEN = 64, EVENTS_PER_RUN = 200000, AROUND_MAX = 1000 };

/* As long on the wire as random ids. */
static const uint64_t first_id = UINT64_C(0x9e3779b97f4a7c15);

struct world_config {
    size_t around;
    bool do_others_take;   /* those around take what the middle publishes */
    uint64_t retain_bytes; /* small: evicting is part of what is measured */
};

struct world {
    struct tulle__engine *engines[AROUND_MAX + 1]; /* 0: the one in the middle; ids from first_id */
    size_t count;
    struct tulle__now now;
    uint64_t delivered;  /* events handed out anywhere */
    uint64_t checksum;   /* of payload bytes looked at, so that walking is not optimised away */
    uint64_t wire_bytes; /* of batches and their keys published by the one in the middle */
};

static uint64_t allocation_count;

static bool
count_allocation(void *ctx)
{
    (void)ctx;
    allocation_count++;
    return true;
}

static void drain(struct world *w, size_t from);

/* The middle's frames go to all around it, theirs to the middle. */
static void
pass_publication(struct world *w, size_t from, const struct tulle__action *action)
{
    struct tulle__view no_path = { NULL, 0 };
    size_t first = from == 0 ? 1 : 0;
    size_t end = from == 0 ? w->count : 1;
    if (from == 0 && action->u.publication.key.data[0] != '$')
        w->wire_bytes += action->u.publication.key.len + action->u.publication.body->len;
    for (size_t i = first; i < end; i++) {
        tulle__engine_on_publication(w->engines[i], action->u.publication.key,
                                     action->u.publication.body, no_path, w->now);
        drain(w, i);
    }
}

static void
pass_control(struct world *w, size_t from, const struct tulle__action *action)
{
    /* Links are numbered from 1: everybody joins the middle. Those around have heard of
     * one another, but that is not what is measured. */
    uint64_t hop = action->u.control.hop;
    size_t to = hop < TULLE__NODE_ID_MIN ? 0 : (size_t)(hop - first_id);
    if (from > 0 && to > 0)
        return;
    struct tulle__view header = { action->u.control.header->data, action->u.control.header->len };
    tulle__engine_on_control(w->engines[to], first_id + from, header, action->u.control.body,
                             w->now);
    drain(w, to);
}

static void
read_delivery(struct world *w, const struct tulle__delivery *delivery)
{
    struct tulle__event_walk walk;
    struct tulle__event_view event;
    tulle__batch_walk(&delivery->batch, &walk);
    while (tulle__batch_next(&walk, &event)) {
        w->delivered++;
        w->checksum += event.payload.data[0];
    }
}

static void
drain(struct world *w, size_t from)
{
    struct tulle__action action;
    while (tulle__engine_next_action(w->engines[from], &action)) {
        if (action.kind == TULLE__ACTION_PUBLISH)
            pass_publication(w, from, &action);
        else if (action.kind == TULLE__ACTION_CONTROL)
            pass_control(w, from, &action);
        else if (action.kind == TULLE__ACTION_DELIVER)
            read_delivery(w, &action.u.delivery);
        tulle__action_fini(&action);
    }
}

static void
advance(struct world *w, int64_t ms)
{
    for (int64_t i = 0; i < ms; i += 10) {
        w->now.mono.ns += tulle__ms_to_ns(10);
        w->now.wall.us += 10000;
        for (size_t k = 0; k < w->count; k++) {
            if (w->now.mono.ns >= tulle__engine_deadline(w->engines[k]).ns) {
                tulle__engine_on_timer(w->engines[k], w->now);
                drain(w, k);
            }
        }
    }
}

static struct tulle__engine *
new_engine(size_t i, uint64_t retain_bytes, struct tulle__now now)
{
    struct tulle__engine_config config;
    char name[32];
    (void)snprintf(name, sizeof name, "node-%zu", i);
    tulle__engine_config_init(&config);
    config.id = first_id + i;
    config.mesh = "bench";
    config.name = name;
    config.control_addresses[0] = name;
    config.control_address_count = 1;
    config.event_addresses[0] = name;
    config.event_address_count = 1;
    config.retain_bytes = retain_bytes;
    config.retain_others_bytes = retain_bytes;
    config.seed = i * 7919;
    if (i > 0)
        config.peers_max = 4; /* those around need to know the middle only */
    struct tulle__engine *engine = tulle__engine_new(&config, now);
    TULLE_ASSERT(engine != NULL);
    return engine;
}

static void
take_everything(struct tulle__engine *engine, struct tulle__now now)
{
    tulle_subscribe_options options = { .order = TULLE_ORDER_CAUSAL, .from = TULLE_FROM_LIVE };
    uint32_t handle;
    struct tulle__view pattern = { (const uint8_t *)"bench/**", 8 };
    tulle_status status = tulle__engine_subscribe(engine, pattern, &options, &handle, now);
    TULLE_ASSERT(status == TULLE_OK);
}

static void
world_open(struct world *w, const struct world_config *config)
{
    *w = (struct world){ .count = config->around + 1 };
    w->now.mono.ns = tulle__ms_to_ns(1000);
    w->now.wall.us = INT64_C(1700000000000000);
    for (size_t i = 0; i < w->count; i++) {
        w->engines[i] = new_engine(i, config->retain_bytes, w->now);
        if (i == 0 || config->do_others_take)
            take_everything(w->engines[i], w->now);
        if (i > 0) {
            tulle_status status = tulle__engine_join(w->engines[i], "node-0", w->now);
            TULLE_ASSERT(status == TULLE_OK);
        }
    }
    for (size_t i = 0; i < w->count; i++)
        drain(w, i);
    advance(w, 2500);
}

static void
world_close(struct world *w)
{
    for (size_t i = 0; i < w->count; i++)
        tulle__engine_free(&w->engines[i]);
}

static void
publish(struct world *w, size_t from, uint32_t count)
{
    uint8_t payload[PAYLOAD_LEN];
    memset(payload, 'x', sizeof payload);
    struct tulle__publish event = { .topic = { (const uint8_t *)"bench/a", 7 },
                                    .stream_levels = 1,
                                    .payload = { payload, sizeof payload } };
    for (uint32_t i = 0; i < count; i++) {
        tulle_status status = tulle__engine_publish(w->engines[from], &event, w->now);
        TULLE_ASSERT(status == TULLE_OK);
    }
    tulle__engine_close_batches(w->engines[from], w->now);
    drain(w, from);
}

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double
median(double values[static RUNS])
{
    qsort(values, RUNS, sizeof values[0], compare_doubles);
    return values[RUNS / 2];
}

/* One publisher, one consumer: publish, encode, decode, order, hand out. */
static void
bench_cost(uint32_t batch)
{
    double ns[RUNS];
    double allocations[RUNS];
    struct world w;
    world_open(&w, &(struct world_config){
                       .around = 1, .do_others_take = true, .retain_bytes = UINT64_C(4) << 20 });
    publish(&w, 0, 1000); /* tables have grown, retention is full */
    for (uint32_t i = 0; i < EVENTS_PER_RUN; i += batch)
        publish(&w, 0, batch);
    for (int run = 0; run < RUNS; run++) {
        uint64_t before = w.delivered;
        allocation_count = 0;
        int64_t start = bench_clock_ns(CLOCK_MONOTONIC);
        for (uint32_t i = 0; i < EVENTS_PER_RUN; i += batch)
            publish(&w, 0, batch);
        double events = (double)(w.delivered - before);
        TULLE_ASSERT(w.delivered - before >= EVENTS_PER_RUN);
        ns[run] = (double)(bench_clock_ns(CLOCK_MONOTONIC) - start) / events;
        allocations[run] = (double)allocation_count / events;
    }
    printf("engine.cost payload=%d batch=%u ns_per_event=%.0f allocations_per_event=%.3f\n",
           PAYLOAD_LEN, batch, median(ns), median(allocations));
    world_close(&w);
}

/* Bytes beside the payload when the publisher has heard from so many others since
 * its previous batch: all of them (the most it can cost), or one. */
static void
bench_wire(size_t heard, bool hears_all, uint32_t batch)
{
    struct world *w = malloc(sizeof *w);
    TULLE_ASSERT(w != NULL);
    world_open(w, &(struct world_config){ .around = heard, .retain_bytes = UINT64_C(4) << 20 });
    for (size_t i = 1; i < w->count; i++)
        publish(w, i, 1);
    TULLE_ASSERT(w->delivered == heard);
    publish(w, 0, batch); /* from here on deltas */
    double bytes = 0;
    enum { ROUNDS = 10 };
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 1; i < (hears_all ? w->count : 2); i++)
            publish(w, i, 1);
        w->wire_bytes = 0;
        publish(w, 0, batch);
        bytes += (double)w->wire_bytes;
    }
    printf("engine.wire payload=%d heard=%zu changed=%zu batch=%u overhead_bytes_per_event=%.1f\n",
           PAYLOAD_LEN, heard, hears_all ? heard : 1, batch, bytes / ROUNDS / batch - PAYLOAD_LEN);
    world_close(w);
    free(w);
}

/* ---- memory ---- */

static double
used_bytes(void)
{
    return (double)mallinfo2().uordblks;
}

/* Peers as they are known from their beats: name, one address of each kind, one take. */
static void
bench_peers(size_t count)
{
    struct world *w = malloc(sizeof *w);
    TULLE_ASSERT(w != NULL);
    world_open(w, &(struct world_config){ 0 });
    struct tulle__writer writer;
    tulle__writer_init(&writer);
    double before = 0;
    for (size_t i = 0; i <= count; i++) {
        const char *address = "tcp://192.168.100.100:50000";
        struct tulle__view take = { (const uint8_t *)"bench/", 6 };
        struct tulle__beat_out beat = { .mesh = { (const uint8_t *)"bench", 5 },
                                        .id = first_id + 1 + i,
                                        .counter = 1,
                                        .hlc = 1,
                                        .self = { .name = "a-node-of-the-bench",
                                                  .control_addresses = &address,
                                                  .control_address_count = 1,
                                                  .event_addresses = &address,
                                                  .event_address_count = 1,
                                                  .takes = &take,
                                                  .take_count = 1,
                                                  .takes_version = 1 },
                                        .has_self = true,
                                        .has_takes = true,
                                        .is_full = true };
        tulle__beat_encode(&writer, &beat);
        struct tulle__buf *body = tulle__writer_take(&writer);
        TULLE_ASSERT(body != NULL);
        tulle__engine_on_publication(w->engines[0],
                                     (struct tulle__view){ (const uint8_t *)"$beat", 6 }, body,
                                     (struct tulle__view){ NULL, 0 }, w->now);
        tulle__buf_unref(&body);
        struct tulle__action action;
        while (tulle__engine_next_action(w->engines[0], &action))
            tulle__action_fini(&action);
        if (i == 0)
            before = used_bytes(); /* tables are there */
    }
    printf("engine.memory what=peer count=%zu bytes_each=%.0f\n", count,
           (used_bytes() - before) / (double)count);
    tulle__writer_fini(&writer);
    world_close(w);
    free(w);
}

/* Lanes, without the events that are kept for others: so many streams with one event
 * each, published by one, taken by nobody or by one other. */
static double
lane_bytes(size_t around, size_t count)
{
    struct world *w = malloc(sizeof *w);
    TULLE_ASSERT(w != NULL);
    world_open(w, &(struct world_config){ .around = around, .do_others_take = true });
    publish(w, 0, 1);
    double before = used_bytes();
    for (size_t i = 0; i < count; i++) {
        char topic[32];
        (void)snprintf(topic, sizeof topic, "bench/sensor-%06zu", i);
        struct tulle__publish event = { .topic = { (const uint8_t *)topic, strlen(topic) },
                                        .stream_levels = 2,
                                        .payload = { (const uint8_t *)"x", 1 },
                                        .only_causes = true };
        tulle_status status = tulle__engine_publish(w->engines[0], &event, w->now);
        TULLE_ASSERT(status == TULLE_OK);
        tulle__engine_close_batches(w->engines[0], w->now);
        drain(w, 0);
    }
    TULLE_ASSERT(w->delivered == around * (count + 1));
    double each = (used_bytes() - before) / (double)count;
    world_close(w);
    free(w);
    return each;
}

static void
bench_lanes(size_t count)
{
    double own = lane_bytes(0, count);
    double both = lane_bytes(1, count);
    printf("engine.memory what=own_lane count=%zu bytes_each=%.0f\n", count, own);
    printf("engine.memory what=taken_lane count=%zu bytes_each=%.0f\n", count, both - own);
}

/* So many events from publishing to delivery and no more, for who counts instructions. */
static void
pass_events(uint32_t batch, uint32_t events)
{
    struct world w;
    world_open(&w, &(struct world_config){
                       .around = 1, .do_others_take = true, .retain_bytes = UINT64_C(256) << 10 });
    for (uint32_t i = 0; i < events; i += batch)
        publish(&w, 0, batch);
    TULLE_ASSERT(w.delivered >= events);
    world_close(&w);
}

/* bench_engine: everything. bench_engine --pass BATCH EVENTS: see above. */
int
main(int argc, char **argv)
{
    tulle__alloc_set_hook(count_allocation, NULL);
    if (argc == 4 && strcmp(argv[1], "--pass") == 0) {
        pass_events((uint32_t)strtoul(argv[2], NULL, 10), (uint32_t)strtoul(argv[3], NULL, 10));
        return 0;
    }
    static const uint32_t batches[] = { 1, 16, 500 };
    for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++)
        bench_cost(batches[i]);
    static const size_t heard[] = { 1, 10, 100, 1000 };
    for (size_t i = 0; i < sizeof heard / sizeof heard[0]; i++) {
        bench_wire(heard[i], true, 1);
        bench_wire(heard[i], true, 100);
        if (heard[i] == 1)
            continue;
        bench_wire(heard[i], false, 1);
        bench_wire(heard[i], false, 100);
    }
    bench_peers(1000);
    bench_lanes(10000);
    return 0;
}
