/* SPDX-License-Identifier: MPL-2.0 */
/* What a proxy lets out of a segment: patterns, sizes, rates. What is over a rate waits and
 * comes all the same; what may not cross is told as a gap, and holds nothing up. */

#include "sim_kit.h"

#include <string.h>

static const char *const north_south[] = { "north", "south" };
static const char *const south_west[] = { "south", "west" };

enum { EVENTS = 200, LARGE = 5000 };

static tulle_counters
side_counters(const struct sim *sim, int proxy, size_t side)
{
    tulle_counters counters;
    sim_side_counters(sim, proxy, side, &counters);
    return counters;
}

static struct oracle_ref
publish_bytes(struct sim *sim, int node, const char *topic, size_t len)
{
    static const char bytes[LARGE];
    struct oracle_ref event;
    struct sim_publish_in in = { .topic = topic, .payload = bytes, .payload_len = len };
    assert_true(len <= sizeof bytes);
    assert_true(sim_publish_event(sim, node, &in, &event));
    return event;
}

static void
assert_all_are_there(const struct sim *sim, int node, const struct oracle_ref *events, int count)
{
    for (int i = 0; i < count; i++)
        assert_true(sim_has(sim, node, events[i]));
}

/* All at once: a second's worth crosses, the rest at the rate, in order, to all at the price
 * of one. */
TEST(a_burst_crosses_at_the_rate_and_nothing_is_lost)
{
    enum { RATE = 20, TAKERS = 5 };
    struct sim_config config = kit_config(1);
    config.proxy_policies[0].events_per_second = RATE;
    struct sim *sim = kit_sim(state, &config);
    int a = kit_node(sim, "a", "north", NULL, -1);
    static const char *const names[TAKERS] = { "v", "w", "x", "y", "z" };
    int takers[TAKERS];
    for (int i = 0; i < TAKERS; i++)
        takers[i] = kit_node(sim, names[i], "south", "**", i > 0 ? takers[0] : -1);
    int proxy = kit_proxy(sim, "proxy", north_south, a, takers[0]);
    run_until_quiet(sim);

    struct oracle_ref events[EVENTS];
    for (int i = 0; i < EVENTS; i++)
        events[i] = sim_publish(sim, a, "orders/1", "x");
    int64_t begin_ms = sim_now_ms(sim);
    run_for(sim, 1000);
    assert_true(sim_has(sim, takers[0], events[RATE - 1]));
    assert_false(sim_has(sim, takers[0], events[(size_t)3 * RATE]));
    assert_true(side_counters(sim, proxy, 0).limited_now > 0);
    run_until_quiet(sim);
    int64_t took_ms = sim_now_ms(sim) - begin_ms;

    for (int i = 0; i < TAKERS; i++)
        assert_all_are_there(sim, takers[i], events, EVENTS);
    assert_int_equal(oracle_gap_count(sim_oracle(sim)), 0);
    assert_in_range(took_ms, 1000 * (EVENTS / RATE - 2), 1000 * (EVENTS / RATE + 8));
    tulle_counters counters = side_counters(sim, proxy, 0);
    assert_int_equal(counters.relayed_events, EVENTS);
    assert_int_equal(counters.limited_events, EVENTS - RATE - 1);
    assert_true(counters.limited_bytes > 0);
    assert_int_equal(counters.limited_now, 0);
    assert_int_equal(side_counters(sim, proxy, 1).entered_events, EVENTS);

    /* And then what comes crosses at once again. */
    run_for(sim, 1000);
    struct oracle_ref late = sim_publish(sim, a, "orders/1", "x");
    run_for(sim, 20);
    assert_true(sim_has(sim, takers[0], late));
}

/* Several lanes share the rate, and none is starved into a gap. */
TEST(lanes_share_a_rate_in_bytes)
{
    enum { NODES = 6, EACH = 30, LEN = 400, RATE = 20000 };
    static const char *const names[NODES] = { "a", "b", "c", "d", "e", "f" };
    struct sim_config config = kit_config(2);
    config.proxy_policies[0].bytes_per_second = RATE;
    struct sim *sim = kit_sim(state, &config);
    int nodes[NODES];
    for (int i = 0; i < NODES; i++)
        nodes[i] = kit_node(sim, names[i], "north", "none", i > 0 ? nodes[0] : -1);
    int z = kit_node(sim, "z", "south", "**", -1);
    int proxy = kit_proxy(sim, "proxy", north_south, nodes[0], z);
    run_until_quiet(sim);

    struct oracle_ref events[NODES][EACH];
    for (int k = 0; k < EACH; k++) {
        for (int i = 0; i < NODES; i++)
            events[i][k] = publish_bytes(sim, nodes[i], "orders/1", LEN);
    }
    int64_t begin_ms = sim_now_ms(sim);
    run_until_quiet(sim);

    for (int i = 0; i < NODES; i++)
        assert_all_are_there(sim, z, events[i], EACH);
    assert_int_equal(oracle_gap_count(sim_oracle(sim)), 0);
    assert_true(sim_now_ms(sim) - begin_ms > (int64_t)1000 * (NODES * EACH * LEN / RATE - 2));
    assert_true(side_counters(sim, proxy, 0).relayed_bytes <
                (uint64_t)2 * NODES * EACH * (LEN + 60));
}

/* Each lane gets its turn more seldom than every hold_ms: that is no loss. */
TEST(a_slow_rate_is_waited_for)
{
    enum { NODES = 6, EACH = 5 };
    static const char *const names[NODES] = { "a", "b", "c", "d", "e", "f" };
    struct sim_config config = kit_config(10);
    config.proxy_policies[0].events_per_second = 1;
    struct sim *sim = kit_sim(state, &config);
    int nodes[NODES];
    for (int i = 0; i < NODES; i++)
        nodes[i] = kit_node(sim, names[i], "north", "none", i > 0 ? nodes[0] : -1);
    int z = kit_node(sim, "z", "south", "**", -1);
    (void)kit_proxy(sim, "proxy", north_south, nodes[0], z);
    run_until_quiet(sim);

    struct oracle_ref events[NODES][EACH];
    for (int k = 0; k < EACH; k++) {
        for (int i = 0; i < NODES; i++)
            events[i][k] = sim_publish(sim, nodes[i], "orders/1", "x");
    }
    run_until_quiet(sim);

    for (int i = 0; i < NODES; i++)
        assert_all_are_there(sim, z, events[i], EACH);
    assert_int_equal(oracle_gap_count(sim_oracle(sim)), 0);
}

/* An effect does not overtake its cause, though the cause waits and the effect came by a way
 * of its own. */
TEST(order_holds_across_a_rate)
{
    struct sim_config config = kit_config(3);
    config.proxy_policies[0].events_per_second = 10;
    struct sim *sim = kit_sim(state, &config);
    int a = kit_node(sim, "a", "north", NULL, -1);
    int b = kit_node(sim, "b", "north", "**", a);
    int z = kit_node(sim, "z", "south", "**", -1);
    (void)kit_proxy(sim, "proxy", north_south, a, z);
    run_until_quiet(sim);

    struct oracle_ref last = { 0 };
    for (int i = 0; i < 40; i++) {
        (void)sim_publish(sim, a, "orders/1", "x");
        run_for(sim, 20);
        last = sim_publish(sim, b, "alerts/1", "y");
    }
    run_until_quiet(sim); /* the oracle judges the order */

    assert_true(sim_has(sim, z, last));
    assert_int_equal(oracle_gap_count(sim_oracle(sim)), 0);
}

/* Through two proxies of which one has the limit, while messages are lost. */
TEST(a_rate_holds_nothing_up_for_ever_whatever_is_lost)
{
    enum { SEEDS = 15 };
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sim_config config = kit_config(seed);
        config.faults.loss_permille = 80;
        config.faults.duplicate_permille = 50;
        config.faults.reorder_permille = 50;
        config.proxy_policies[0].events_per_second = 50;
        struct sim *sim = kit_sim(state, &config);
        int a = kit_node(sim, "a", "north", NULL, -1);
        int m = kit_node(sim, "m", "south", "**", -1);
        int z = kit_node(sim, "z", "west", "**", -1);
        (void)kit_proxy(sim, "proxy-1", north_south, a, m);
        (void)kit_proxy(sim, "proxy-2", south_west, m, z);
        run_until_quiet(sim);

        struct oracle_ref events[EVENTS];
        for (int i = 0; i < EVENTS; i++) {
            events[i] = sim_publish(sim, a, "orders/1", "x");
            if (i % 10 == 0)
                run_for(sim, 50);
        }
        run_until_quiet(sim);

        assert_all_are_there(sim, m, events, EVENTS);
        assert_all_are_there(sim, z, events, EVENTS);
        assert_int_equal(oracle_gap_count(sim_oracle(sim)), 0);
        assert_int_equal(kit_teardown(state), 0);
        *state = NULL;
    }
}

/* A proxy that keeps nothing leaves all that waits to the publisher. */
TEST(what_waits_may_wait_at_its_publisher)
{
    struct sim_config config = kit_config(4);
    config.proxy_policies[0].events_per_second = 40;
    config.proxy_retain_bytes = 0;
    struct sim *sim = kit_sim(state, &config);
    int a = kit_node(sim, "a", "north", NULL, -1);
    int z = kit_node(sim, "z", "south", "**", -1);
    int proxy = kit_proxy(sim, "proxy", north_south, a, z);
    run_until_quiet(sim);

    struct oracle_ref events[EVENTS];
    for (int i = 0; i < EVENTS; i++)
        events[i] = sim_publish(sim, a, "orders/1", "x");
    run_until_quiet(sim);

    assert_all_are_there(sim, z, events, EVENTS);
    assert_int_equal(oracle_gap_count(sim_oracle(sim)), 0);
    assert_in_range(side_counters(sim, proxy, 0).relayed_events, EVENTS, EVENTS + EVENTS / 4);
}

enum { MISSERS = 5, MISSED_RATE = 50 };

/* While there was no proxy a node published what the others, beyond, then ask for, each by
 * itself. Returns the proxy. */
static int
miss_together(struct sim *sim, int takers[MISSERS], struct oracle_ref events[EVENTS])
{
    static const char *const names[MISSERS] = { "v", "w", "x", "y", "z" };
    int a = kit_node(sim, "a", "north", NULL, -1);
    for (int i = 0; i < MISSERS; i++)
        takers[i] = kit_node(sim, names[i], "south", "**", i > 0 ? takers[0] : -1);
    int proxy = kit_proxy(sim, "proxy", north_south, a, takers[0]);
    (void)sim_run_until_quiet(sim, A_MINUTE);
    sim_crash(sim, proxy);
    for (int i = 0; i < EVENTS; i++)
        events[i] = sim_publish(sim, a, "orders/1", "x");
    sim_start(sim, proxy);
    return proxy;
}

TEST(what_several_miss_crosses_once)
{
    struct sim_config config = kit_config(11);
    config.engine.retain_others_bytes = 1; /* they cannot help one another */
    config.proxy_policies[0].events_per_second = MISSED_RATE;
    struct sim *sim = kit_sim(state, &config);
    int takers[MISSERS];
    struct oracle_ref events[EVENTS];
    int proxy = miss_together(sim, takers, events);
    int64_t begin_ms = sim_now_ms(sim);
    run_until_quiet(sim);

    for (int i = 0; i < MISSERS; i++)
        assert_all_are_there(sim, takers[i], events, EVENTS);
    assert_int_equal(oracle_gap_count(sim_oracle(sim)), 0);
    assert_in_range(side_counters(sim, proxy, 0).relayed_events, EVENTS, EVENTS * 3 / 2);
    assert_true(sim_now_ms(sim) - begin_ms < (int64_t)1000 * (2 * EVENTS / MISSED_RATE + 4));
}

/* What is lost on its way to one is sent to that one again. */
TEST(what_several_miss_comes_to_each_whatever_is_lost)
{
    enum { SEEDS = 10 };
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sim_config config = kit_config(seed);
        config.engine.retain_others_bytes = 1;
        config.engine.hold_ms = 10000;
        config.faults.loss_permille = 80;
        config.faults.duplicate_permille = 50;
        config.faults.reorder_permille = 50;
        config.proxy_policies[0].events_per_second = MISSED_RATE;
        struct sim *sim = kit_sim(state, &config);
        int takers[MISSERS];
        struct oracle_ref events[EVENTS];
        int proxy = miss_together(sim, takers, events);
        run_until_quiet(sim);

        for (int i = 0; i < MISSERS; i++)
            assert_all_are_there(sim, takers[i], events, EVENTS);
        assert_int_equal(oracle_gap_count(sim_oracle(sim)), 0);
        assert_in_range(side_counters(sim, proxy, 0).relayed_events, EVENTS, 3 * EVENTS);
        assert_int_equal(kit_teardown(state), 0);
        *state = NULL;
    }
}

/* The second proxy let it pass when nobody heard: what is published again goes no further than
 * there, and answers do. */
TEST(who_cannot_hear_what_is_sent_to_all_is_answered_alone)
{
    struct sim_config config = kit_config(12);
    config.proxy_policies[0].events_per_second = MISSED_RATE;
    config.proxy_retain_bytes = 0;
    struct sim *sim = kit_sim(state, &config);
    int a = kit_node(sim, "a", "north", NULL, -1);
    int m = kit_node(sim, "m", "south", NULL, -1);
    int takers[2];
    takers[0] = kit_node(sim, "y", "west", "**", -1);
    takers[1] = kit_node(sim, "z", "west", "**", takers[0]);
    (void)kit_proxy(sim, "proxy-1", north_south, a, m);
    int second = kit_proxy(sim, "proxy-2", south_west, m, takers[0]);
    run_until_quiet(sim);

    struct oracle_ref events[EVENTS];
    sim_cut(sim, second, takers[0]);
    sim_cut(sim, second, takers[1]);
    for (int i = 0; i < EVENTS; i++) {
        events[i] = sim_publish(sim, a, "orders/1", "x");
        run_for(sim, 1000 / MISSED_RATE);
    }
    sim_heal(sim);
    run_until_quiet(sim);

    for (int i = 0; i < 2; i++)
        assert_all_are_there(sim, takers[i], events, EVENTS);
    assert_int_equal(oracle_gap_count(sim_oracle(sim)), 0);
}

/* Whoever reads history is slowed down as well. */
TEST(history_crosses_at_the_rate)
{
    enum { RATE = 50 };
    struct sim_config config = kit_config(5);
    config.proxy_policies[0].events_per_second = RATE;
    struct sim *sim = kit_sim(state, &config);
    int a = kit_node(sim, "a", "north", NULL, -1);
    struct oracle_ref events[EVENTS];
    for (int i = 0; i < EVENTS; i++)
        events[i] = sim_publish(sim, a, "orders/1", "x");
    int z = sim_add_node(sim, "z", "south");
    sim_subscribe(sim, z, "orders/**", TULLE_ORDER_CAUSAL, TULLE_FROM_EARLIEST);
    sim_start(sim, z);
    int64_t begin_ms = sim_now_ms(sim);
    (void)kit_proxy(sim, "proxy", north_south, a, z);
    run_until_quiet(sim);

    assert_all_are_there(sim, z, events, EVENTS);
    assert_true(sim_now_ms(sim) - begin_ms > (int64_t)1000 * (EVENTS / RATE - 2));
}

static struct sim *
best_effort_burst(void **state, uint64_t retain_bytes, int *a, int *z, struct oracle_ref *last)
{
    struct sim_config config = kit_config(6);
    config.proxy_policies[0].events_per_second = 20;
    config.proxy_retain_bytes = retain_bytes;
    struct sim *sim = kit_sim(state, &config);
    *a = kit_node(sim, "a", "north", NULL, -1);
    *z = sim_add_node(sim, "z", "south");
    sim_subscribe(sim, *z, "**", TULLE_ORDER_NONE, TULLE_FROM_LIVE);
    sim_start(sim, *z);
    (void)kit_proxy(sim, "proxy", north_south, *a, *z);
    run_until_quiet(sim);
    for (int i = 0; i < 100; i++)
        *last = sim_publish(sim, *a, "orders/1", "x");
    run_for(sim, 10000);
    return sim;
}

/* In arrival order nobody asks: what waits at the proxy comes by itself. */
TEST(best_effort_gets_what_waited)
{
    int a;
    int z;
    struct oracle_ref last;
    struct sim *sim = best_effort_burst(state, 1000000, &a, &z, &last);
    assert_true(sim_has(sim, z, last));
    assert_int_equal(oracle_gap_count(sim_oracle(sim)), 0);
}

/* What waits at its publisher is told as a gap, and then events cross again. */
TEST(best_effort_goes_on_behind_what_was_not_kept)
{
    int a;
    int z;
    struct oracle_ref last;
    struct sim *sim = best_effort_burst(state, 0, &a, &z, &last);
    assert_true(sim_has_gap(sim, z, last));
    last = sim_publish(sim, a, "orders/1", "x");
    run_for(sim, 100);
    assert_true(sim_has(sim, z, last));
}

/* Neither live nor in answers, and those around it come without delay. */
TEST(what_is_too_large_is_told_as_a_gap)
{
    struct sim_config config = kit_config(7);
    config.proxy_policies[0].event_bytes_max = LARGE - 1;
    struct sim *sim = kit_sim(state, &config);
    int a = kit_node(sim, "a", "north", NULL, -1);
    int near = kit_node(sim, "near", "north", "**", a);
    int z = kit_node(sim, "z", "south", "**", -1);
    int proxy = kit_proxy(sim, "proxy", north_south, a, z);
    run_until_quiet(sim);

    struct oracle_ref before = publish_bytes(sim, a, "orders/1", LARGE - 1);
    struct oracle_ref large = publish_bytes(sim, a, "orders/1", LARGE);
    struct oracle_ref after = publish_bytes(sim, a, "orders/1", 1);
    struct oracle_ref tail = publish_bytes(sim, a, "orders/1", LARGE);
    run_for(sim, 2000);
    assert_true(sim_has(sim, z, before));
    assert_true(sim_has(sim, z, after));
    run_until_quiet(sim);

    assert_true(sim_has(sim, near, large));
    assert_false(sim_has(sim, z, large));
    assert_true(sim_has_gap(sim, z, large));
    assert_true(sim_has_gap(sim, z, tail));
    assert_false(sim_has_gap(sim, z, after));
    assert_true(side_counters(sim, proxy, 0).dropped_size >= 2);
    /* The other way it may. */
    struct oracle_ref back = publish_bytes(sim, z, "orders/1", LARGE);
    run_until_quiet(sim);
    assert_true(sim_has(sim, near, back));
}

/* Also among batches of one answer: what is before and behind it comes. */
TEST(an_answer_is_cut_at_what_is_too_large)
{
    struct sim_config config = kit_config(8);
    config.proxy_policies[0].event_bytes_max = 100;
    struct sim *sim = kit_sim(state, &config);
    int a = kit_node(sim, "a", "north", NULL, -1);
    struct oracle_ref events[9];
    for (int i = 0; i < 9; i++)
        events[i] = publish_bytes(sim, a, "orders/1", i % 4 == 2 ? 200 : 50);
    int z = sim_add_node(sim, "z", "south");
    sim_subscribe(sim, z, "orders/**", TULLE_ORDER_CAUSAL, TULLE_FROM_EARLIEST);
    sim_start(sim, z);
    (void)kit_proxy(sim, "proxy", north_south, a, z);
    run_until_quiet(sim);

    for (int i = 0; i < 9; i++) {
        assert_int_equal(sim_has(sim, z, events[i]), i % 4 != 2);
        assert_int_equal(sim_has_gap(sim, z, events[i]), i % 4 == 2);
    }
}

/* Denied by the way of answers as by that of publications, for history and for repair. */
TEST(what_is_denied_crosses_in_no_way)
{
    static const char *const deny[] = { "secret/**" };
    struct sim_config config = kit_config(9);
    config.proxy_policies[0].deny = deny;
    config.proxy_policies[0].deny_count = 1;
    struct sim *sim = kit_sim(state, &config);
    int a = kit_node(sim, "a", "north", NULL, -1);
    int keeper = kit_node(sim, "keeper", "north", "**", a);
    run_until_quiet(sim);
    struct oracle_ref past = sim_publish(sim, a, "secret/1", "x");
    run_until_quiet(sim);
    int z = sim_add_node(sim, "z", "south");
    sim_subscribe(sim, z, "**", TULLE_ORDER_CAUSAL, TULLE_FROM_EARLIEST);
    sim_start(sim, z);
    int proxy = kit_proxy(sim, "proxy", north_south, a, z);
    run_until_quiet(sim);
    struct oracle_ref live = sim_publish(sim, a, "secret/1", "x");
    struct oracle_ref open = sim_publish(sim, a, "orders/1", "x");
    run_until_quiet(sim);
    /* Whoever else has them does not hand them on either. */
    sim_crash(sim, a);
    run_for(sim, 10000);
    int late = sim_add_node(sim, "late", "south");
    sim_subscribe(sim, late, "**", TULLE_ORDER_CAUSAL, TULLE_FROM_EARLIEST);
    sim_join(sim, late, z);
    sim_start(sim, late);
    run_for(sim, 20000);

    assert_true(sim_has(sim, keeper, live));
    assert_true(sim_has(sim, z, open));
    assert_true(sim_has(sim, late, open));
    assert_false(sim_has(sim, z, past));
    assert_false(sim_has(sim, z, live));
    assert_false(sim_has(sim, late, past));
    assert_false(sim_has(sim, late, live));
    assert_true(side_counters(sim, proxy, 0).dropped_policy > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(a_burst_crosses_at_the_rate_and_nothing_is_lost),
        SCENARIO(lanes_share_a_rate_in_bytes),
        SCENARIO(a_slow_rate_is_waited_for),
        SCENARIO(order_holds_across_a_rate),
        SCENARIO(a_rate_holds_nothing_up_for_ever_whatever_is_lost),
        SCENARIO(what_waits_may_wait_at_its_publisher),
        SCENARIO(what_several_miss_crosses_once),
        SCENARIO(what_several_miss_comes_to_each_whatever_is_lost),
        SCENARIO(who_cannot_hear_what_is_sent_to_all_is_answered_alone),
        SCENARIO(history_crosses_at_the_rate),
        SCENARIO(best_effort_gets_what_waited),
        SCENARIO(best_effort_goes_on_behind_what_was_not_kept),
        SCENARIO(what_is_too_large_is_told_as_a_gap),
        SCENARIO(an_answer_is_cut_at_what_is_too_large),
        SCENARIO(what_is_denied_crosses_in_no_way),
    };
    return cmocka_run_group_tests_name("sim/limits", tests, NULL, NULL);
}
