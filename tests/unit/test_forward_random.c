/* SPDX-License-Identifier: MPL-2.0 */
/* A proxy among nodes that say anything, in any order, while its policies change and memory
 * runs out: what it keeps, holds back and counts agrees after each step, nothing crosses that
 * is denied, and once there are no limits nothing waits any more. With TULLE_SEED set, only
 * that seed runs. */

#include "base/alloc.h"
#include "delivery/forward_state.h"
#include "forward_kit.h"
#include "mini_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 60, STEPS = 600, NODES = 6, PROXIES = 3, FIRST_PROXY = 20, STREAMS = 4 };
enum { BATCHES_MAX = 6, NOTHING_DENIED = STREAMS, LONG_MS = 3000, REST_MS = 1500 };

/* None begins another, so that they are told apart in the log. */
static const char *const streams[STREAMS] = { "t", "u", "v", "w/a" };

struct lane {
    unsigned node;
    const char *stream;
    uint64_t seq;
};

struct chaos {
    struct fixture *f;
    struct testkit_random random;
    struct lane talked_of; /* mostly it is asked for this */
    bool is_control;       /* what was said last */
    size_t denied[SIDES];  /* stream that a side does not let out */
    uint64_t next_seq[NODES + 1];
};

static uint64_t
below(struct chaos *c, uint64_t n)
{
    return testkit_random_below(&c->random, n);
}

static bool
one_in(struct chaos *c, uint64_t n)
{
    return below(c, n) == 0;
}

/* ---- anything ---- */

static unsigned
any_node(struct chaos *c)
{
    return 1 + (unsigned)below(c, NODES);
}

static unsigned
any_proxy(struct chaos *c)
{
    return FIRST_PROXY + (unsigned)below(c, PROXIES);
}

static const char *
any_stream(struct chaos *c)
{
    return streams[below(c, STREAMS)];
}

static uint64_t
any_seq(struct chaos *c)
{
    switch (below(c, 40)) {
    case 0:
        return TULLE__SEQ_MAX - below(c, 70000);
    case 1:
        return 1 + below(c, TULLE__SEQ_MAX);
    default:
        return 1 + below(c, 200);
    }
}

/* What a node says mostly comes from one side. */
static size_t
any_side(struct chaos *c, unsigned node)
{
    return one_in(c, 8) ? below(c, SIDES) : node % SIDES;
}

static struct lane
any_lane(struct chaos *c)
{
    struct lane lane = { any_node(c), any_stream(c), any_seq(c) };
    if (c->talked_of.seq == 0 || one_in(c, 40))
        c->talked_of = lane;
    return one_in(c, 3) ? lane : c->talked_of;
}

/* Events a second; 0: no limit. */
static uint64_t
any_rate(struct chaos *c)
{
    return one_in(c, 3) ? 0 : 1 + below(c, one_in(c, 2) ? 100 : 100000);
}

/* Mostly none; now and then it has passed this proxy. */
static void
any_path(struct chaos *c, unsigned path[static 3])
{
    uint64_t hops = below(c, 4);
    memset(path, 0, 3 * sizeof *path);
    if (hops == 1 || hops == 2)
        path[0] = any_proxy(c);
    if (hops == 2)
        path[1] = one_in(c, 10) ? PROXY : any_proxy(c);
}

static struct tulle__buf *
any_batch(struct chaos *c, unsigned node)
{
    uint64_t first = any_seq(c);
    uint32_t count = 1 + (uint32_t)below(c, one_in(c, 8) ? 3000 : 4);
    if (first > TULLE__SEQ_MAX - count)
        first = TULLE__SEQ_MAX - count;
    return mini_batch(id_of(node), first, count, NULL, 0);
}

/* ---- what is done to it ---- */

static void
say_beat(struct chaos *c)
{
    unsigned path[3];
    any_path(c, path);
    unsigned node = any_node(c);
    if (!one_in(c, 3))
        tell_beat_of(c->f, any_side(c, node), node, any_lane(c).stream, path, false);
    else
        tell_beat_of(c->f, below(c, SIDES), any_proxy(c), any_stream(c), NULL, true);
}

static void
publish_any(struct chaos *c)
{
    unsigned path[3];
    any_path(c, path);
    unsigned node = any_node(c);
    tell(c->f, any_side(c, node), any_stream(c), any_batch(c, node), path);
}

/* As a good node does. */
static void
publish_next(struct chaos *c)
{
    unsigned node = any_node(c);
    struct tulle__buf *body = mini_batch(id_of(node), ++c->next_seq[node], 1, NULL, 0);
    tell(c->f, node % SIDES, streams[node % 2], body, NULL);
}

static void
say_control(struct chaos *c,
            enum tulle__control_kind kind,
            unsigned from,
            unsigned to,
            struct tulle__writer *w)
{
    struct tulle__control_header header = { .kind = kind,
                                            .from = id_of(from),
                                            .to = id_of(to == from ? NODES + 1 : to) };
    c->is_control = true;
    tell_control(c->f, any_side(c, from), &header, w);
}

static void
say_fetch(struct chaos *c)
{
    struct tulle__writer w;
    tulle__writer_init(&w);
    struct lane lane = any_lane(c);
    uint64_t last = lane.seq + below(c, 50);
    tulle__fetch_encode(&w, &(struct tulle__fetch){ .node = id_of(lane.node),
                                                    .stream = mini_text(lane.stream),
                                                    .first = lane.seq,
                                                    .last = last > TULLE__SEQ_MAX ? lane.seq : last,
                                                    .bytes_max = below(c, 4000),
                                                    .wants_clock = one_in(c, 5) });
    say_control(c, TULLE__FETCH, any_node(c), one_in(c, 8) ? (unsigned)PROXY : lane.node, &w);
}

/* One behind the other, but some that are elsewhere, of anybody, or cut. */
static void
fill_range(struct chaos *c,
           struct lane lane,
           size_t count,
           struct tulle__buf *bufs[static BATCHES_MAX],
           struct tulle__view batches[static BATCHES_MAX])
{
    uint64_t next = lane.seq > TULLE__SEQ_MAX / 2 ? 1 : lane.seq;
    for (size_t i = 0; i < count; i++) {
        uint32_t events = 1 + (uint32_t)below(c, 3);
        uint64_t first = one_in(c, 6) ? 1 + below(c, next + 3) : next;
        bufs[i] = one_in(c, 20) ? any_batch(c, any_node(c))
                                : mini_batch(id_of(lane.node), first, events, NULL, 0);
        next = first + events;
        batches[i] = (struct tulle__view){ bufs[i]->data, bufs[i]->len };
        if (one_in(c, 30))
            batches[i].len = 1 + below(c, batches[i].len);
    }
    if (lane.node == c->talked_of.node && one_in(c, 2))
        c->talked_of.seq = next; /* who had this asks for what follows */
}

/* What it says of itself need not be so. */
static void
say_range(struct chaos *c)
{
    struct tulle__writer w;
    struct tulle__buf *bufs[BATCHES_MAX];
    struct tulle__view batches[BATCHES_MAX];
    struct tulle__dep clock = { .node = id_of(3), .stream = mini_text("t"), .count = 3 };
    struct lane lane = any_lane(c);
    size_t count = below(c, BATCHES_MAX);
    uint64_t first = below(c, 100);
    bool has_clock = one_in(c, 6);
    fill_range(c, lane, count, bufs, batches);
    tulle__writer_init(&w);
    tulle__range_encode(
        &w, &(struct tulle__range_out){ .reply_to = 1 + below(c, c->f->counter + 1),
                                        .node = id_of(lane.node),
                                        .stream = mini_text(lane.stream),
                                        .first = first,
                                        .last = first == 0 ? 0 : first - 1 + below(c, 100),
                                        .batches = batches,
                                        .batch_count = count,
                                        .has_clock = has_clock,
                                        .clock = &clock,
                                        .clock_count = has_clock ? 1 : 0,
                                        .is_waiting = one_in(c, 10) });
    while (count > 0)
        tulle__buf_unref(&bufs[--count]);
    say_control(c, TULLE__RANGE, one_in(c, 8) ? any_node(c) : lane.node, any_node(c), &w);
}

static void
set_policy(struct chaos *c, size_t side, size_t denied, struct testkit_memory memory)
{
    struct fixture *f = c->f;
    struct tulle__forward_policy policy = f->config[side].policy;
    const char *deny = denied < STREAMS ? streams[denied] : NULL;
    policy.deny = &deny;
    policy.deny_count = deny == NULL ? 0 : 1;
    policy.events_per_second = any_rate(c);
    policy.retain_bytes = one_in(c, 3) ? below(c, 5000) : f->retain_bytes;
    tulle__alloc_set_hook(testkit_may_allocate, &memory);
    if (tulle__forward_set_policy(f->forward, side, &policy, f->now))
        c->denied[side] = denied;
    tulle__alloc_set_hook(NULL, NULL);
}

/* What all sides deny must not be seen anywhere. */
static void
change_policies(struct chaos *c)
{
    size_t denied = below(c, STREAMS + 1);
    size_t side = below(c, SIDES);
    bool is_of_all = one_in(c, 2);
    for (size_t i = 0; i < SIDES; i++) {
        size_t left = one_in(c, 6) ? below(c, 3) : SIZE_MAX;
        if (is_of_all || i == side)
            set_policy(c, i, denied, (struct testkit_memory){ .left = left });
    }
}

static void
let_pass(struct chaos *c)
{
    struct testkit_memory memory = { .left = one_in(c, 6) ? below(c, 10) : SIZE_MAX };
    tulle__alloc_set_hook(testkit_may_allocate, &memory);
    pass_time(c->f, one_in(c, 20) ? LONG_MS : (int64_t)below(c, 300));
    tulle__alloc_set_hook(NULL, NULL);
}

static void
do_anything(struct chaos *c)
{
    static void (*const acts[])(struct chaos * c) = {
        say_beat,     say_beat,     say_beat,  publish_any,     publish_any,
        publish_next, publish_next, say_fetch, say_fetch,       say_fetch,
        say_range,    say_range,    say_range, change_policies, let_pass,
    };
    c->f->log[0] = '\0';
    c->is_control = false;
    c->f->has_no_memory = one_in(c, 12);
    c->f->memory_left = one_in(c, 2) ? 0 : below(c, 12);
    acts[below(c, sizeof acts / sizeof acts[0])](c);
}

/* ---- what holds ---- */

static void
assert_queue_is_good(const struct tulle__forward *forward, size_t side)
{
    size_t listed = 0;
    size_t marked = 0;
    uint64_t waiting = 0;
    const struct tulle__passing *lane;
    DL_FOREACH (forward->sides[side].queue, lane) {
        assert_true(lane->is_queued);
        assert_int_equal(lane->from, side);
        listed++;
    }
    for (lane = forward->lanes; lane != NULL; lane = lane->hh.next) {
        assert_true(lane->released <= lane->held_back);
        assert_true(!lane->is_queued || lane->released < lane->held_back);
        if (lane->from != side)
            continue;
        marked += lane->is_queued;
        waiting += lane->held_back - lane->released;
    }
    assert_int_equal(listed, marked);
    assert_true(waiting == forward->sides[side].waiting);
}

static void
assert_stores_are_good(const struct tulle__forward *forward)
{
    uint64_t of_sides = 0;
    uint64_t of_lanes = 0;
    for (size_t i = 0; i < SIDES; i++) {
        const struct tulle__store *store = &forward->sides[i].store;
        assert_true(store->bytes <= store->bytes_max);
        of_sides += store->bytes;
    }
    for (const struct tulle__passing *lane = forward->lanes; lane != NULL; lane = lane->hh.next) {
        if (lane->kept.len > 0)
            of_lanes += tulle__kept_bytes_after(&lane->kept, 0);
    }
    assert_true(of_sides == of_lanes);
}

/* A stream that no other side lets out comes to none. */
static void
assert_nothing_denied_crosses(const struct chaos *c)
{
    for (size_t stream = 0; stream < STREAMS; stream++) {
        for (size_t to = 0; to < SIDES; to++) {
            char sent[40];
            size_t denying = 0;
            for (size_t from = 0; from < SIDES; from++)
                denying += from != to && c->denied[from] == stream;
            (void)snprintf(sent, sizeof sent, "%zu:%s/", to, streams[stream]);
            if (denying == SIDES - 1 && strstr(c->f->log, sent) != NULL)
                fail_msg("%s is denied, but there is %s", streams[stream], c->f->log);
        }
    }
}

/* It is this proxy that was passed last, and for the first time. */
static void
assert_paths_are_good(const char *log)
{
    const char *path = strchr(log, '[');
    for (; path != NULL; path = strchr(path + 1, '[')) {
        const char *end = strchr(path, ']');
        if (end == NULL)
            return; /* no room for more */
        const char *self = memchr(path, '0' + PROXY, (size_t)(end - path));
        if (self == NULL || self + 1 != end)
            fail_msg("a path is not good in %s", log);
    }
}

/* What a question or an answer makes go out to all is one range of a lane. */
static void
assert_answers_ascend(const struct chaos *c)
{
    for (size_t to = 0; c->is_control && to < SIDES; to++) {
        for (size_t stream = 0; stream < STREAMS; stream++) {
            char sent[40];
            unsigned long before = 0;
            size_t len = (size_t)snprintf(sent, sizeof sent, "%zu:%s/", to, streams[stream]);
            for (const char *at = strstr(c->f->log, sent); at != NULL; at = strstr(at, sent)) {
                at += len;
                unsigned long first = strtoul(at, NULL, 10);
                if (first <= before)
                    fail_msg("an answer is not in order in %s", c->f->log);
                before = first;
            }
        }
    }
}

static void
assert_all_is_good(const struct chaos *c)
{
    for (size_t i = 0; i < SIDES; i++)
        assert_queue_is_good(c->f->forward, i);
    assert_stores_are_good(c->f->forward);
    assert_nothing_denied_crosses(c);
    assert_answers_ascend(c);
    assert_paths_are_good(c->f->log);
}

/* ---- runs ---- */

static void
open_any(struct chaos *c)
{
    struct fixture *f = c->f;
    bool is_patient = one_in(c, 2);
    f->retain_bytes = one_in(c, 3) ? 0 : below(c, one_in(c, 3) ? 300 : 20000);
    for (size_t i = 0; i < SIDES; i++) {
        struct tulle__forward_policy *policy = &f->config[i].policy;
        policy->events_per_second = any_rate(c);
        if (one_in(c, 3))
            policy->bytes_per_second = 1024 + below(c, 5000);
        if (one_in(c, 6))
            policy->event_bytes_max = 1 + (uint32_t)below(c, 3);
        if (is_patient)
            f->config[i].engine.suspect_ms = f->config[i].engine.gone_ms = 60000;
        c->denied[i] = NOTHING_DENIED;
    }
    open_proxy(f);
}

static void
assert_comes_to_rest(struct chaos *c)
{
    for (size_t i = 0; i < SIDES; i++) {
        struct tulle__forward_policy none = { .retain_bytes = c->f->retain_bytes };
        assert_true(tulle__forward_set_policy(c->f->forward, i, &none, c->f->now));
    }
    c->f->log[0] = '\0';
    pass_time(c->f, REST_MS);
    for (size_t i = 0; i < SIDES; i++)
        assert_null(c->f->forward->sides[i].queue);
}

/* The last that is named is the one that failed: an abort does not come back to say it. */
static void
run_seed(uint64_t seed)
{
    struct chaos chaos = { .random = { seed * 0x9e3779b97f4a7c15 | 1 } };
    (void)fprintf(stderr, "TULLE_SEED=%ju\n", (uintmax_t)seed);
    void *state = NULL;
    assert_int_equal(forward_setup(&state), 0);
    chaos.f = state;
    open_any(&chaos);
    for (int step = 0; step < STEPS; step++) {
        do_anything(&chaos);
        assert_all_is_good(&chaos);
    }
    assert_comes_to_rest(&chaos);
    assert_int_equal(forward_teardown(&state), 0);
}

TEST(whatever_is_said_what_a_proxy_holds_agrees)
{
    (void)state;
    const char *own = getenv("TULLE_SEED");
    if (own != NULL && *own != '\0') {
        run_seed(strtoull(own, NULL, 10));
        return;
    }
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        run_seed(seed);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_is_said_what_a_proxy_holds_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
