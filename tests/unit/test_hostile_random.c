/* SPDX-License-Identifier: MPL-2.0 */
/* Well-formed nonsense: ghosts say anything that can be said, in any order, while the
 * node they say it to changes what it takes. It goes on, within its bounds; and once
 * they are silent, nothing waits any more. */

#include "mini_net.h"

#include <string.h>

enum { GHOSTS = 9, STEPS = 2000, SEEDS = 40, HELD_BYTES = 3000, HANDLES = 4 };

struct chaos {
    struct mini_net *net;
    struct testkit_random random;
    uint64_t counter;
    uint32_t handles[HANDLES];
    bool is_taken[HANDLES];
    bool is_stalled;
};

static uint64_t
below(struct chaos *c, uint64_t n)
{
    return testkit_random_below(&c->random, n);
}

/* A ghost, sometimes the real nodes. */
static uint64_t
any_node(struct chaos *c)
{
    uint64_t i = below(c, GHOSTS + 2);
    return i < GHOSTS ? TULLE__NODE_ID_MIN + 7 + i : mini_id(c->net, i - GHOSTS);
}

static uint64_t
any_ghost(struct chaos *c)
{
    return TULLE__NODE_ID_MIN + 7 + below(c, GHOSTS);
}

static const char *
any_stream(struct chaos *c)
{
    static const char *const streams[] = { "s", "t", "u", "v" };
    return streams[below(c, 4)];
}

static uint64_t
any_seq(struct chaos *c)
{
    switch (below(c, 20)) {
    case 0:
        return TULLE__SEQ_MAX - 10 + below(c, 11);
    case 1:
        return 1 + below(c, 100000);
    default:
        return 1 + below(c, 40);
    }
}

static size_t
any_deps(struct chaos *c, struct tulle__dep deps[static 4])
{
    size_t count = below(c, 3) == 0 ? below(c, 5) : 0;
    for (size_t i = 0; i < count; i++)
        deps[i] = (struct tulle__dep){ any_node(c), mini_text(any_stream(c)), any_seq(c) };
    return count;
}

static struct tulle__buf *
any_batch(struct chaos *c, uint64_t node)
{
    struct tulle__dep deps[4];
    size_t dep_count = any_deps(c, deps);
    uint64_t first = any_seq(c);
    uint32_t count = first < TULLE__SEQ_MAX - 10 ? 1 + (uint32_t)below(c, 6) : 1;
    return mini_batch(node, first, count, deps, dep_count);
}

static struct tulle__self_out
any_self(struct chaos *c, struct tulle__view *take, const char **address)
{
    static const char *const addresses[] = { "x", "y", "z" };
    *address = addresses[below(c, 3)];
    *take = (struct tulle__view){ (const uint8_t *)any_stream(c), 2 };
    return (struct tulle__self_out){ .name = "ghost",
                                     .control_addresses = address,
                                     .control_address_count = 1,
                                     .event_addresses = address,
                                     .event_address_count = 1,
                                     .takes = take,
                                     .take_count = 1,
                                     .takes_version = below(c, 100),
                                     .is_proxy = below(c, 10) == 0 };
}

static void
say_beat(struct chaos *c)
{
    struct tulle__view take;
    const char *address;
    struct tulle__dep acks[4];
    struct tulle__head head = { .stream = mini_text(any_stream(c)), .head = any_seq(c) };
    mini_tell_beat(c->net, MINI_B,
                   &(struct tulle__beat_out){ .id = any_ghost(c),
                                              .counter = ++c->counter,
                                              .self = any_self(c, &take, &address),
                                              .has_self = below(c, 2) == 0,
                                              .has_takes = below(c, 2) == 0,
                                              .is_leaving = below(c, 12) == 0,
                                              .heads = &head,
                                              .head_count = below(c, 2),
                                              .acks = acks,
                                              .ack_count = any_deps(c, acks) });
}

static void
say_control(struct chaos *c, enum tulle__control_kind kind, struct tulle__writer *w)
{
    mini_tell_control(c->net, MINI_B,
                      &(struct tulle__control_header){ .kind = kind,
                                                       .from = any_ghost(c),
                                                       .to = mini_id(c->net, MINI_B),
                                                       .counter = ++c->counter },
                      w);
    tulle__writer_fini(w);
}

static void
say_here(struct chaos *c)
{
    struct tulle__view take;
    const char *address;
    struct tulle__dep clock[4];
    uint64_t head = any_seq(c);
    struct tulle__here_lane_out lane = { .stream = mini_text(any_stream(c)),
                                         .head = head,
                                         .first = 1 + below(c, head + 1),
                                         .clock = clock,
                                         .clock_count = any_deps(c, clock) };
    struct tulle__holding holding = {
        .node = any_node(c), .stream = mini_text(any_stream(c)), .last = any_seq(c), .first = 1
    };
    struct tulle__known_out known[3];
    for (size_t i = 0; i < 3; i++)
        known[i] = (struct tulle__known_out){ .id = any_node(c), .name = "ghost" };
    struct tulle__here_out here = { .reply_to = c->net->ghost_counter[TULLE__SYNC],
                                    .self = any_self(c, &take, &address),
                                    .has_lanes = below(c, 4) > 0,
                                    .lanes = &lane,
                                    .lane_count = below(c, 2),
                                    .holdings = &holding,
                                    .holding_count = below(c, 2),
                                    .peers = known,
                                    .peer_count = below(c, 4) };
    if (!here.has_lanes)
        here.lane_count = here.holding_count = 0;
    struct tulle__writer w;
    tulle__writer_init(&w);
    tulle__here_encode(&w, &here);
    say_control(c, TULLE__HERE, &w);
}

static void
say_range(struct chaos *c)
{
    uint64_t node = any_node(c);
    struct tulle__dep clock[4];
    struct tulle__buf *bufs[2] = { any_batch(c, node), any_batch(c, node) };
    struct tulle__view batches[2] = { { bufs[0]->data, bufs[0]->len },
                                      { bufs[1]->data, bufs[1]->len } };
    uint64_t last = below(c, 2) == 0 ? any_seq(c) : 0;
    struct tulle__range_out range = { .reply_to = c->net->ghost_counter[TULLE__FETCH],
                                      .node = node,
                                      .stream = mini_text(any_stream(c)),
                                      .first = last == 0 ? 0 : 1 + below(c, last + 1),
                                      .last = last,
                                      .batches = batches,
                                      .batch_count = below(c, 3),
                                      .has_clock = below(c, 2) == 0,
                                      .clock = clock,
                                      .clock_count = any_deps(c, clock) };
    struct tulle__writer w;
    tulle__writer_init(&w);
    tulle__range_encode(&w, &range);
    say_control(c, TULLE__RANGE, &w);
    tulle__buf_unref(&bufs[0]);
    tulle__buf_unref(&bufs[1]);
}

static void
say_question(struct chaos *c)
{
    struct tulle__view take;
    const char *address;
    struct tulle__writer w;
    tulle__writer_init(&w);
    if (below(c, 2) == 0) {
        struct tulle__sync_out sync = { .self = any_self(c, &take, &address),
                                        .wants_lanes = below(c, 2) == 0 };
        tulle__sync_encode(&w, &sync);
        say_control(c, TULLE__SYNC, &w);
        return;
    }
    uint64_t first = any_seq(c);
    struct tulle__fetch fetch = { .node = any_node(c),
                                  .stream = mini_text(any_stream(c)),
                                  .first = first,
                                  .last = first + below(c, TULLE__SEQ_MAX - first + 1),
                                  .bytes_max = below(c, 1000),
                                  .wants_clock = below(c, 2) == 0 };
    tulle__fetch_encode(&w, &fetch);
    say_control(c, TULLE__FETCH, &w);
}

/* Take, or take no more. One start for all: others would be refused. */
static void
change_takes(struct chaos *c)
{
    static const char *const patterns[] = { "**", "s", "t", "u/*" };
    struct tulle__engine *engine = c->net->nodes[MINI_B].engine;
    size_t i = below(c, HANDLES);
    if (c->is_taken[i]) {
        tulle__engine_unsubscribe(engine, c->handles[i], c->net->now);
        c->is_taken[i] = false;
    } else {
        tulle_subscribe_options options = { .order = (tulle_order)below(c, 3),
                                            .from = (tulle_from)below(c, 2),
                                            .flags = TULLE_WATCH_ARRIVALS | TULLE_DETAIL_CLOCK };
        c->is_taken[i] = tulle__engine_subscribe(engine, mini_text(patterns[i]), &options,
                                                 &c->handles[i], c->net->now) == TULLE_OK;
    }
    mini_pump(c->net);
}

static void
set_stalled(struct chaos *c, bool is_stalled)
{
    c->is_stalled = is_stalled;
    tulle__engine_set_stalled(c->net->nodes[MINI_B].engine, is_stalled, c->net->now);
    mini_pump(c->net);
}

static void
step(struct chaos *c)
{
    uint64_t what = below(c, 100);
    if (what < 40)
        mini_tell(c->net, MINI_B, any_stream(c), any_batch(c, any_ghost(c)));
    else if (what < 55)
        say_beat(c);
    else if (what < 65)
        say_here(c);
    else if (what < 75)
        say_range(c);
    else if (what < 80)
        say_question(c);
    else if (what < 82)
        change_takes(c);
    else if (what < 84)
        set_stalled(c, below(c, 4) == 0);
    else if (what < 88)
        (void)mini_try_publish(c->net, MINI_B, any_stream(c), "x");
    else
        mini_run(c->net, (int64_t)(below(c, 60) == 0 ? 3000 : below(c, 40)));
}

static void
run_chaos(struct mini_net *net, uint64_t seed)
{
    struct chaos c = { .net = net, .random = { seed * UINT64_C(0x9E3779B97F4A7C15) } };
    struct tulle__engine_config *config = &net->nodes[MINI_B].config;
    config->held_bytes = HELD_BYTES;
    config->peers_max = 8;
    config->lanes_max = seed % 2 == 0 ? 24 : 1000;
    config->retain_ms = 2000;
    config->retain_bytes = config->retain_others_bytes = 2000;
    mini_start(net, 2);
    for (int i = 0; i < STEPS; i++) {
        step(&c);
        net->nodes[MINI_B].log[0] = net->nodes[MINI_B].peers[0] = '\0';
        net->nodes[MINI_B].keys_log[0] = '\0';
        assert_true(mini_counters(net, MINI_B).held_now <= UINT64_C(2) * HELD_BYTES);
        assert_true(mini_counters(net, MINI_B).lanes <= config->lanes_max);
    }
    if (c.is_stalled)
        set_stalled(&c, false);
    for (int i = 0; i < 60; i++) {
        mini_run(net, 1000);
        net->nodes[MINI_B].log[0] = net->nodes[MINI_B].peers[0] = '\0';
    }
    assert_int_equal(mini_counters(net, MINI_B).held_now, 0);
}

TEST(nonsense_costs_no_more_than_itself)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        void *net;
        print_message("seed %u\n", (unsigned)seed);
        assert_int_equal(mini_setup(&net), 0);
        run_chaos(net, seed);
        assert_int_equal(mini_teardown(&net), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(nonsense_costs_no_more_than_itself) };
    return cmocka_run_group_tests_name("delivery/hostile_random", tests, NULL, NULL);
}
