/* SPDX-License-Identifier: MPL-2.0 */
/* How costs grow: one engine, and around it as many others as a series wants, whose
 * messages are made here, so that only the engine is measured. Prints lines "name
 * key=value ..." and for each series its exponent: the slope to its last
 * point from one at most a fifth of it, both in logarithms. 1 is linear, 0 constant.
 *
 * Ends with 1 when something grows faster than linear, or grows at all that should be
 * constant. Bytes are exact; times are judged less strictly, since what does not fit into
 * a cache any more takes longer. */

#include "base/panic.h"
#include "bench_clock.h"
#include "codec/beat.h"
#include "codec/control.h"
#include "codec/pattern_index.h"
#include "codec/topic.h"
#include "delivery/engine.h"

#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    POINTS_MAX = 8,
    RUNS = 5,
    OTHERS_MAX = 10000,
    SPAN_MIN = 5 /* the exponent is taken over so much at least */
};

/* What the work of a series may grow like. */
enum growth {
    CONSTANT, /* it is the same at each point */
    LINEAR,   /* it is the number of things, times something */
    SEARCHED  /* so too, and each is searched for among the others */
};

/* Exponents. Above 1: things that the caches do not hold any more; a search misses the cache
 * at each step. Quadratic is 2. */
static const double ns_max[] = { 0.1, 1.5, 1.65 };
static const double bytes_max[] = { 0.05, 1.1, 1.1 };
static const uint64_t own_id = UINT64_C(0x9e3779b97f4a7c15);
static const uint64_t first_id = UINT64_C(0xa000000000000001); /* of the others */

static bool has_failed;

/* ---- the engine and what is around it ---- */

struct world {
    struct tulle__engine *engine;
    struct tulle__now now;
    struct tulle__writer writer;
    struct tulle__writer events;
    struct tulle__writer scratch;
    uint64_t counter;
    uint64_t seqs[OTHERS_MAX]; /* last published by each of the others, on its stream */
    uint64_t delivered;
    uint64_t event_bytes;   /* of batches sent */
    uint64_t control_bytes; /* of control messages sent */
    bool answers_fetches;
};

static struct tulle__view
view_of(const char *text)
{
    return (struct tulle__view){ (const uint8_t *)text, strlen(text) };
}

static struct tulle__buf *
taken(struct tulle__writer *w)
{
    struct tulle__buf *buf = tulle__writer_take(w);
    TULLE_ASSERT(buf != NULL);
    return buf;
}

static void drain(struct world *w);

static void
send_control(struct world *w, size_t from, enum tulle__control_kind kind)
{
    struct tulle__buf *body = taken(&w->writer);
    struct tulle__control_header header = { .kind = kind,
                                            .mesh = view_of("bench"),
                                            .from = first_id + from,
                                            .to = own_id,
                                            .counter = ++w->counter };
    tulle__writer_reset(&w->scratch);
    tulle__header_encode(&w->scratch, &header);
    struct tulle__buf *frame = taken(&w->scratch);
    tulle__engine_on_control(w->engine, first_id + from,
                             (struct tulle__view){ frame->data, frame->len }, body, w->now);
    tulle__buf_unref(&frame);
    tulle__buf_unref(&body);
}

struct self {
    char name[32];
    char address[32];
    const char *pointer;
    struct tulle__view take;
    struct tulle__self_out out;
};

static void
make_self(struct self *self, size_t other)
{
    (void)snprintf(self->name, sizeof self->name, "node-%zu", other);
    (void)snprintf(self->address, sizeof self->address, "tcp://10.0.0.1:%zu", 10000 + other);
    self->pointer = self->address;
    self->take = view_of("own/");
    self->out = (struct tulle__self_out){ .name = self->name,
                                          .control_addresses = &self->pointer,
                                          .control_address_count = 1,
                                          .event_addresses = &self->pointer,
                                          .event_address_count = 1,
                                          .takes = &self->take,
                                          .take_count = 1,
                                          .takes_version = 1,
                                          .beat_ms = 60000 };
}

static void
send_beat(struct world *w, size_t from, const struct tulle__dep *acks, size_t ack_count)
{
    struct self self;
    make_self(&self, from);
    struct tulle__beat_out beat = { .mesh = view_of("bench"),
                                    .id = first_id + from,
                                    .counter = ++w->counter,
                                    .hlc = 1,
                                    .self = self.out,
                                    .has_self = ack_count == 0,
                                    .has_takes = ack_count == 0,
                                    .acks = acks,
                                    .ack_count = ack_count };
    tulle__writer_reset(&w->writer);
    tulle__beat_encode(&w->writer, &beat);
    struct tulle__buf *body = taken(&w->writer);
    tulle__engine_on_publication(w->engine, (struct tulle__view){ (const uint8_t *)"$beat", 6 },
                                 body, (struct tulle__view){ NULL, 0 }, w->now);
    tulle__buf_unref(&body);
}

/* An event of one of the others arrives. */
static void
send_event(struct world *w,
           size_t from,
           const char *stream,
           uint64_t seq,
           const struct tulle__dep *deps,
           size_t dep_count)
{
    uint8_t key[64] = { 0 };
    size_t len = strlen(stream);
    memcpy(key, stream, len);
    struct tulle__batch_head head = { .node = first_id + from,
                                      .first_seq = seq,
                                      .base_hlc = 1,
                                      .event_count = 1,
                                      .deps = deps,
                                      .dep_count = dep_count };
    tulle__writer_reset(&w->events);
    tulle__event_encode(&w->events, (struct tulle__view){ NULL, 0 }, 0, view_of("0123456789abcdef"),
                        NULL);
    struct tulle__buf *body = tulle__batch_encode(&head, &w->events, &w->scratch);
    TULLE_ASSERT(body != NULL);
    tulle__engine_on_publication(w->engine, (struct tulle__view){ key, len + 1 }, body,
                                 (struct tulle__view){ NULL, 0 }, w->now);
    tulle__buf_unref(&body);
}

static void
answer_sync(struct world *w, size_t other, uint64_t counter, bool wants_lanes)
{
    struct self self;
    make_self(&self, other);
    struct tulle__here_out here = { .reply_to = counter,
                                    .self = self.out,
                                    .has_lanes = wants_lanes };
    tulle__writer_reset(&w->writer);
    tulle__here_encode(&w->writer, &here);
    send_control(w, other, TULLE__HERE);
}

/* With what was asked for: an event of its own, of this seq. */
static void
answer_fetch(struct world *w, size_t other, uint64_t counter, const struct tulle__fetch *fetch)
{
    struct tulle__batch_head head = {
        .node = fetch->node, .first_seq = fetch->first, .base_hlc = 1, .event_count = 1
    };
    tulle__writer_reset(&w->events);
    tulle__event_encode(&w->events, (struct tulle__view){ NULL, 0 }, 0, view_of("0123456789abcdef"),
                        NULL);
    struct tulle__buf *batch = tulle__batch_encode(&head, &w->events, &w->scratch);
    TULLE_ASSERT(batch != NULL);
    struct tulle__view batches = { batch->data, batch->len };
    struct tulle__range_out range = { .reply_to = counter,
                                      .node = fetch->node,
                                      .stream = fetch->stream,
                                      .first = 1,
                                      .last = fetch->last + 1,
                                      .batches = &batches,
                                      .batch_count = 1 };
    tulle__writer_reset(&w->writer);
    tulle__range_encode(&w->writer, &range);
    send_control(w, other, TULLE__RANGE);
    tulle__buf_unref(&batch);
}

static void
take_control(struct world *w, const struct tulle__action *action)
{
    const struct tulle__buf *frame = action->u.control.header;
    const struct tulle__buf *body = action->u.control.body;
    struct tulle__control_header header;
    w->control_bytes += frame->len + body->len;
    tulle_status status = tulle__header_decode(frame->data, frame->len, &header);
    TULLE_ASSERT(status == TULLE_OK);
    size_t other = (size_t)(action->u.control.hop - first_id);
    struct tulle__sync_view sync;
    struct tulle__fetch fetch;
    if (header.kind == TULLE__SYNC) {
        status = tulle__sync_decode(body->data, body->len, &sync);
        TULLE_ASSERT(status == TULLE_OK);
        answer_sync(w, other, header.counter, sync.wants_lanes);
    } else if (header.kind == TULLE__FETCH && w->answers_fetches) {
        status = tulle__fetch_decode(body->data, body->len, &fetch);
        TULLE_ASSERT(status == TULLE_OK);
        answer_fetch(w, other, header.counter, &fetch);
    }
}

static void
drain(struct world *w)
{
    struct tulle__action action;
    while (tulle__engine_next_action(w->engine, &action)) {
        if (action.kind == TULLE__ACTION_PUBLISH && action.u.publication.key.data[0] != '$')
            w->event_bytes += action.u.publication.key.len + action.u.publication.body->len;
        else if (action.kind == TULLE__ACTION_CONTROL)
            take_control(w, &action);
        else if (action.kind == TULLE__ACTION_DELIVER)
            w->delivered += action.u.delivery.last - action.u.delivery.first + 1;
        tulle__action_fini(&action);
    }
}

static void
advance(struct world *w, int64_t ms)
{
    for (int64_t i = 0; i < ms; i++) {
        w->now.mono.ns += tulle__ms_to_ns(1);
        w->now.wall.us += 1000;
        if (w->now.mono.ns >= tulle__engine_deadline(w->engine).ns) {
            tulle__engine_on_timer(w->engine, w->now);
            drain(w);
        }
    }
}

static void
subscribe(struct world *w, const char *pattern)
{
    tulle_subscribe_options options = { .order = TULLE_ORDER_CAUSAL, .from = TULLE_FROM_LIVE };
    uint32_t handle;
    tulle_status status =
        tulle__engine_subscribe(w->engine, view_of(pattern), &options, &handle, w->now);
    TULLE_ASSERT(status == TULLE_OK);
}

/* Somebody comes: is heard, asked, asks, and says that it has the answer. */
static void
meet(struct world *w, size_t other)
{
    struct self self;
    make_self(&self, other);
    struct tulle__sync_out sync = { .self = self.out, .wants_lanes = true };
    send_beat(w, other, NULL, 0);
    tulle__engine_on_timer(w->engine, w->now);
    drain(w);
    for (int i = 0; i < 2; i++) {
        tulle__writer_reset(&w->writer);
        tulle__sync_encode(&w->writer, &sync);
        send_control(w, other, TULLE__SYNC);
        drain(w);
        sync.wants_lanes = false;
    }
}

static void
world_open(struct world *w, size_t others, uint64_t window_bytes)
{
    struct tulle__engine_config config;
    *w = (struct world){ .now = { .mono = { .ns = tulle__ms_to_ns(1000) },
                                  .wall = { .us = INT64_C(1700000000000000) } } };
    tulle__engine_config_init(&config);
    config.id = own_id;
    config.mesh = "bench";
    config.name = "bench";
    config.control_addresses[0] = config.event_addresses[0] = "tcp://10.0.0.1:9999";
    config.control_address_count = config.event_address_count = 1;
    config.window_bytes = window_bytes;
    config.peers_max = OTHERS_MAX + 1;
    w->engine = tulle__engine_new(&config, w->now);
    TULLE_ASSERT(w->engine != NULL);
    tulle__writer_init(&w->writer);
    tulle__writer_init(&w->events);
    tulle__writer_init(&w->scratch);
    subscribe(w, "others/**");
    for (size_t i = 0; i < others; i++)
        meet(w, i);
    advance(w, 2000);
}

static void
world_close(struct world *w)
{
    tulle__engine_free(&w->engine);
    tulle__writer_fini(&w->writer);
    tulle__writer_fini(&w->events);
    tulle__writer_fini(&w->scratch);
}

static void
publish(struct world *w, const char *topic, uint32_t levels, bool is_only_causes)
{
    struct tulle__publish event = { .topic = view_of(topic),
                                    .stream_levels = levels,
                                    .payload = view_of("0123456789abcdef"),
                                    .only_causes = is_only_causes };
    tulle_status status = tulle__engine_publish(w->engine, &event, w->now);
    TULLE_ASSERT(status == TULLE_OK);
    tulle__engine_close_batches(w->engine, w->now);
    (void)tulle__engine_is_acknowledged(w->engine); /* as the node's loop does */
    drain(w);
}

/* ---- series ---- */

struct sample {
    double ns;    /* of the work whose growth is measured */
    double bytes; /* on the wire, or of memory */
};

typedef struct sample (*measure_fn)(struct world *w, size_t n);

struct series {
    const char *name;
    measure_fn measure;
    enum growth growth;
    bool has_bytes;
    bool has_ns;
    size_t points[POINTS_MAX]; /* 0 ends them */
};

static void
judge(const char *name,
      const char *what,
      const double x[static POINTS_MAX],
      const double y[static POINTS_MAX],
      double max)
{
    size_t last = POINTS_MAX - 1;
    while (x[last] == 0)
        last--;
    size_t before = last - 1; /* the further away, the less the noise of each counts */
    while (before > 0 && x[before] * SPAN_MIN > x[last])
        before--;
    double slope = log(y[last] / y[before]) / log(x[last] / x[before]);
    bool is_good = slope <= max;
    printf("growth.%s what=%s exponent=%.2f max=%.2f %s\n", name, what, slope, max,
           is_good ? "ok" : "TOO_MUCH");
    has_failed = has_failed || !is_good;
}

/* The least of several runs: the rest of it is what else the machine did. */
static struct sample
measure_best(measure_fn measure, size_t n)
{
    struct sample best = { 0 };
    for (int run = 0; run < RUNS; run++) {
        struct world *w = malloc(sizeof *w);
        TULLE_ASSERT(w != NULL);
        struct sample sample = measure(w, n);
        free(w);
        if (run == 0 || sample.ns < best.ns)
            best.ns = sample.ns;
        best.bytes = sample.bytes;
    }
    return best;
}

static void
run_series(const struct series *s)
{
    double x[POINTS_MAX] = { 0 };
    double ns[POINTS_MAX] = { 0 };
    double bytes[POINTS_MAX] = { 0 };
    for (size_t i = 0; i < POINTS_MAX && s->points[i] > 0; i++) {
        struct sample sample = measure_best(s->measure, s->points[i]);
        double each = s->growth == CONSTANT ? 1 : (double)s->points[i];
        printf("growth.%s n=%zu", s->name, s->points[i]);
        if (s->has_ns)
            printf(" ns=%.0f ns_each=%.1f", sample.ns, sample.ns / each);
        if (s->has_bytes)
            printf(" bytes=%.0f bytes_each=%.1f", sample.bytes, sample.bytes / each);
        printf("\n");
        x[i] = (double)s->points[i];
        ns[i] = sample.ns;
        bytes[i] = sample.bytes;
    }
    if (s->has_ns)
        judge(s->name, "ns", x, ns, ns_max[s->growth]);
    if (s->has_bytes)
        judge(s->name, "bytes", x, bytes, bytes_max[s->growth]);
    (void)fflush(stdout);
}

/* ---- events against publishers ---- */

static void
hear(struct world *w, size_t n)
{
    for (size_t i = 0; i < n; i++)
        send_event(w, i, "others/a", ++w->seqs[i], NULL, 0);
    drain(w);
}

/* All others published since the last event of our own. */
static struct sample
measure_heard(struct world *w, size_t n)
{
    enum { ROUNDS = 5 };
    struct sample sample = { 0 };
    world_open(w, n, 0);
    hear(w, n);
    publish(w, "own/a", 1, false);
    for (int i = 0; i < ROUNDS; i++) {
        hear(w, n);
        w->event_bytes = 0;
        int64_t start = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
        publish(w, "own/a", 1, false);
        sample.ns += (double)(bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start) / ROUNDS;
        sample.bytes += (double)w->event_bytes / ROUNDS;
    }
    TULLE_ASSERT(w->delivered == (ROUNDS + 1) * n);
    world_close(w);
    return sample;
}

/* One of them did. */
static struct sample
measure_known(struct world *w, size_t n)
{
    enum { ROUNDS = 2000 };
    world_open(w, n, 0);
    hear(w, n);
    publish(w, "own/a", 1, false);
    w->event_bytes = 0;
    int64_t start = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; i < ROUNDS; i++) {
        hear(w, 1);
        publish(w, "own/a", 1, false);
    }
    struct sample sample = { .ns = (double)(bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start) /
                                   ROUNDS,
                             .bytes = (double)w->event_bytes / ROUNDS };
    world_close(w);
    return sample;
}

/* Events of all others, taken in and handed out. */
static struct sample
measure_publishers(struct world *w, size_t n)
{
    world_open(w, n, 0);
    hear(w, n);
    int64_t start = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; i < 5; i++)
        hear(w, n);
    struct sample sample = { .ns = (double)(bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start) / 5 };
    TULLE_ASSERT(w->delivered == 6 * n);
    world_close(w);
    return sample;
}

/* ---- peers ---- */

static struct sample
measure_meeting(struct world *w, size_t n)
{
    int64_t start = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    world_open(w, n, 0);
    struct sample sample = { .ns = (double)(bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start),
                             .bytes = (double)w->control_bytes };
    world_close(w);
    return sample;
}

/* An event, and its acknowledgement by each taker. */
static struct sample
measure_takers(struct world *w, size_t n)
{
    enum { ROUNDS = 20 };
    struct tulle__dep ack = { .node = own_id, .stream = view_of("own") };
    world_open(w, n, UINT64_C(1) << 20);
    publish(w, "own/a", 1, false);
    int64_t start = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (int round = 0; round < ROUNDS; round++) {
        publish(w, "own/a", 1, false);
        ack.count++;
        for (size_t i = 0; i < n; i++) {
            /* Each at another time, as they do: the slowest is another one each time. */
            ack.count = (uint64_t)round + 1 + ((i + (size_t)round) % 2);
            send_beat(w, i, &ack, 1);
            (void)tulle__engine_is_acknowledged(w->engine);
        }
        drain(w);
    }
    struct sample sample = { .ns = (double)(bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start) /
                                   ROUNDS };
    ack.count = ROUNDS + 1;
    for (size_t i = 0; i < n; i++)
        send_beat(w, i, &ack, 1);
    TULLE_ASSERT(tulle__engine_is_acknowledged(w->engine));
    world_close(w);
    return sample;
}

/* ---- own lanes, topics, patterns ---- */

static const char *
lane_topic(size_t i)
{
    static char topic[32];
    (void)snprintf(topic, sizeof topic, "own/%06zu", i);
    return topic;
}

static struct sample
measure_own_lanes(struct world *w, size_t n)
{
    enum { TAKERS = 10 };
    world_open(w, TAKERS, UINT64_C(64) << 20);
    int64_t start = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < n; i++)
        publish(w, lane_topic(i), 2, true);
    struct sample sample = { .ns = (double)(bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start) };
    world_close(w);
    return sample;
}

/* One lane among so many, all acknowledged. */
static struct sample
measure_one_of_own_lanes(struct world *w, size_t n)
{
    enum { ROUNDS = 1000 };
    world_open(w, 1, UINT64_C(64) << 20);
    for (size_t i = 0; i < n; i++)
        publish(w, lane_topic(i), 2, true);
    for (size_t i = 0; i < n; i++) {
        struct tulle__dep ack = { .node = own_id, .stream = view_of(lane_topic(i)), .count = 1 };
        send_beat(w, 0, &ack, 1);
    }
    TULLE_ASSERT(tulle__engine_is_acknowledged(w->engine));
    int64_t start = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; i < ROUNDS; i++)
        publish(w, "own/000000", 2, true);
    struct sample sample = { .ns = (double)(bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start) /
                                   ROUNDS };
    world_close(w);
    return sample;
}

static struct sample
measure_topics(struct world *w, size_t n)
{
    enum { ROUNDS = 20000 };
    world_open(w, 1, 0);
    int64_t start = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < ROUNDS; i++)
        publish(w, lane_topic(i % n), 1, false);
    struct sample sample = { .ns = (double)(bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start) /
                                   ROUNDS,
                             .bytes = (double)w->event_bytes / ROUNDS };
    world_close(w);
    return sample;
}

/* All of the stream that is heard; each event is for one. */
static struct sample
measure_patterns(struct world *w, size_t n)
{
    enum { ROUNDS = 20000 };
    char pattern[32];
    world_open(w, 1, 0);
    for (size_t i = 1; i < n; i++) { /* one is there */
        (void)snprintf(pattern, sizeof pattern, "others/*/%zu", i);
        subscribe(w, pattern);
        drain(w);
    }
    hear(w, 1);
    struct tulle__pattern_index *index = tulle__engine_patterns(w->engine);
    size_t found = 0;
    int64_t start = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < ROUNDS; i++) {
        bool has_more;
        hear(w, 1);
        (void)snprintf(pattern, sizeof pattern, "x/%zu", n > 1 ? 1 + i % (n - 1) : 0);
        found += tulle__pattern_index_stream(index, view_of("others"), &has_more).count;
        found += tulle__pattern_index_topic(index, view_of(pattern)).count;
    }
    struct sample sample = { .ns = (double)(bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start) /
                                   ROUNDS };
    TULLE_ASSERT(w->delivered == ROUNDS + 1 && found == (n > 1 ? 3 : 2) * ROUNDS);
    world_close(w);
    return sample;
}

/* ---- what is held ---- */

static size_t
scramble(size_t i, size_t n)
{
    return n < 8 ? i : (i * 7919 + 13) % n; /* n is no multiple of 7919 */
}

enum arrival { IN_ORDER, IN_REVERSE, SCATTERED };

/* The first of the lane comes last. */
static struct sample
measure_held(struct world *w, size_t n, enum arrival arrival)
{
    world_open(w, 1, 0);
    send_event(w, 0, "others/a", 1, NULL, 0);
    int64_t start = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < n; i++) {
        size_t at = arrival == IN_ORDER ? i : arrival == IN_REVERSE ? n - 1 - i : scramble(i, n);
        send_event(w, 0, "others/a", 3 + at, NULL, 0);
    }
    send_event(w, 0, "others/a", 2, NULL, 0);
    drain(w);
    struct sample sample = { .ns = (double)(bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start) };
    TULLE_ASSERT(w->delivered == n + 2);
    world_close(w);
    return sample;
}

static struct sample
measure_held_in_order(struct world *w, size_t n)
{
    return measure_held(w, n, IN_ORDER);
}

static struct sample
measure_held_in_reverse(struct world *w, size_t n)
{
    return measure_held(w, n, IN_REVERSE);
}

static struct sample
measure_held_scattered(struct world *w, size_t n)
{
    return measure_held(w, n, SCATTERED);
}

/* Lanes that all wait for one, for events that come later and later. */
static struct sample
measure_waiting(struct world *w, size_t n)
{
    world_open(w, n + 1, 0);
    int64_t start = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < n; i++) {
        struct tulle__dep dep = { .node = first_id + n,
                                  .stream = view_of("others/a"),
                                  .count = 1 + scramble(i, n) };
        send_event(w, i, "others/a", 1, &dep, 1);
    }
    for (size_t i = 0; i < n; i++)
        send_event(w, n, "others/a", 1 + i, NULL, 0);
    drain(w);
    struct sample sample = { .ns = (double)(bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start) };
    TULLE_ASSERT(w->delivered == 2 * n);
    world_close(w);
    return sample;
}

/* A hole in each lane, all asked for and repaired. */
static struct sample
measure_repairs(struct world *w, size_t n)
{
    world_open(w, n, 0);
    w->answers_fetches = true;
    hear(w, n);
    int64_t start = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < n; i++) {
        send_event(w, i, "others/a", 3, NULL, 0);
        if (i % 10 == 0)
            advance(w, 1);
    }
    advance(w, 100);
    struct sample sample = { .ns = (double)(bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start) };
    TULLE_ASSERT(w->delivered == 3 * n);
    world_close(w);
    return sample;
}

/* ---- memory ---- */

static double
used_bytes(void)
{
    return (double)mallinfo2().uordblks;
}

static struct sample
measure_peer_memory(struct world *w, size_t n)
{
    world_open(w, 1, 0);
    double before = used_bytes();
    for (size_t i = 1; i <= n; i++)
        meet(w, i % OTHERS_MAX);
    struct sample sample = { .bytes = used_bytes() - before };
    world_close(w);
    return sample;
}

static struct sample
measure_own_lane_memory(struct world *w, size_t n)
{
    world_open(w, 1, 0);
    publish(w, "own/x", 2, true);
    double before = used_bytes();
    for (size_t i = 0; i < n; i++)
        publish(w, lane_topic(i), 2, true);
    struct sample sample = { .bytes = used_bytes() - before };
    world_close(w);
    return sample;
}

static struct sample
measure_taken_lane_memory(struct world *w, size_t n)
{
    world_open(w, n, 0);
    double before = used_bytes();
    hear(w, n);
    struct sample sample = { .bytes = used_bytes() - before };
    world_close(w);
    return sample;
}

/* So many KiB of events kept, in all. */
static struct sample
measure_retained_memory(struct world *w, size_t n)
{
    static const uint8_t payload[1000];
    world_open(w, 1, 0);
    publish(w, "own/x", 1, false);
    double before = used_bytes();
    for (size_t i = 0; i < n; i++) {
        struct tulle__publish event = { .topic = view_of("own/x"),
                                        .stream_levels = 1,
                                        .payload = { payload, sizeof payload } };
        tulle_status status = tulle__engine_publish(w->engine, &event, w->now);
        TULLE_ASSERT(status == TULLE_OK);
        tulle__engine_close_batches(w->engine, w->now);
        drain(w);
    }
    tulle_counters counters;
    tulle__engine_counters(w->engine, &counters);
    TULLE_ASSERT(counters.retained_now >= n * sizeof payload);
    struct sample sample = { .bytes = used_bytes() - before };
    world_close(w);
    return sample;
}

static const struct series all[] = {
    { "heard", measure_heard, LINEAR, true, true, { 1, 10, 100, 1000, 5000, 10000 } },
    { "known", measure_known, CONSTANT, true, true, { 1, 10, 100, 1000, 5000, 10000 } },
    { "publishers", measure_publishers, LINEAR, false, true, { 1, 10, 100, 1000, 5000, 10000 } },
    { "meeting", measure_meeting, LINEAR, true, true, { 1, 10, 100, 1000, 2500, 5000 } },
    { "takers", measure_takers, LINEAR, false, true, { 1, 10, 100, 1000, 2500, 5000 } },
    { "own_lanes", measure_own_lanes, LINEAR, false, true, { 1, 10, 100, 1000, 5000, 10000 } },
    { "one_lane_of",
      measure_one_of_own_lanes,
      CONSTANT,
      false,
      true,
      { 1, 10, 100, 1000, 5000, 10000 } },
    { "topics", measure_topics, CONSTANT, true, true, { 1, 10, 100, 1000, 5000, 10000 } },
    { "patterns", measure_patterns, CONSTANT, false, true, { 1, 10, 100, 1000, 5000, 10000 } },
    { "held",
      measure_held_in_order,
      LINEAR,
      false,
      true,
      { 1, 10, 100, 1000, 10000, 50000, 100000 } },
    { "held_reverse",
      measure_held_in_reverse,
      LINEAR,
      false,
      true,
      { 100, 1000, 10000, 50000, 100000 } },
    { "held_scattered",
      measure_held_scattered,
      SEARCHED,
      false,
      true,
      { 100, 1000, 10000, 50000, 100000 } },
    { "waiting", measure_waiting, LINEAR, false, true, { 10, 100, 1000, 5000, 9999 } },
    { "repairs", measure_repairs, LINEAR, false, true, { 10, 100, 1000, 5000, 10000 } },
    { "memory_peer", measure_peer_memory, LINEAR, true, false, { 10, 100, 1000, 9000 } },
    { "memory_own_lane", measure_own_lane_memory, LINEAR, true, false, { 100, 1000, 10000 } },
    { "memory_taken_lane", measure_taken_lane_memory, LINEAR, true, false, { 100, 1000, 10000 } },
    { "memory_kept_kib",
      measure_retained_memory,
      LINEAR,
      true,
      false,
      { 100, 1000, 10000, 60000 } },
};

/* bench_growth [SERIES]: all, or one of them. */
int
main(int argc, char **argv)
{
    bool has_run = false;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (argc > 1 && strcmp(argv[1], all[i].name) != 0)
            continue;
        run_series(&all[i]);
        has_run = true;
    }
    if (!has_run) {
        (void)fprintf(stderr, "bench_growth: no such series: %s\n", argv[1]);
        return 2;
    }
    return has_failed ? 1 : 0;
}
