/* SPDX-License-Identifier: MPL-2.0 */
/* Segments joined by proxies. */

#include "sim_kit.h"

static const char *const north_south[] = { "north", "south" };
static const char *const south_west[] = { "south", "west" };
static const char *const west_north[] = { "west", "north" };
static const char *const west_east[] = { "west", "east" };

TEST(events_cross_a_proxy_in_causal_order)
{
    struct sim *sim = kit_sim(state, NULL);
    int shop = kit_node(sim, "shop", "north", NULL, -1);
    int audit = kit_node(sim, "audit", "north", "orders/**", shop);
    int desk = kit_node(sim, "desk", "south", "**", -1);
    (void)kit_proxy(sim, "proxy", north_south, shop, desk);
    run_until_quiet(sim);

    struct oracle_ref order = sim_publish(sim, shop, "orders/1", "x");
    run_for(sim, 20);
    struct oracle_ref alert = sim_publish(sim, audit, "alerts/1", "x");
    run_until_quiet(sim);

    assert_true(sim_has(sim, desk, order));
    assert_true(sim_has(sim, desk, alert));
    assert_int_equal(sim_peer_state(sim, desk, shop), TULLE_PEER_UP);
}

TEST(only_what_somebody_beyond_takes_crosses)
{
    struct sim *sim = kit_sim(state, NULL);
    int a = kit_node(sim, "a", "north", NULL, -1);
    int b = kit_node(sim, "b", "south", "orders/**", -1);
    int proxy = kit_proxy(sim, "proxy", north_south, a, b);
    run_until_quiet(sim);

    tulle_counters before;
    sim_side_counters(sim, proxy, 0, &before);
    for (int i = 0; i < 20; i++)
        (void)sim_publish(sim, a, "sensors/1", "x");
    struct oracle_ref order = sim_publish(sim, a, "orders/1", "x");
    run_until_quiet(sim);

    tulle_counters after;
    sim_side_counters(sim, proxy, 0, &after);
    assert_int_equal(after.relayed_batches - before.relayed_batches, 1);
    assert_int_equal(after.batches_received - before.batches_received, 1);
    assert_true(sim_has(sim, b, order));
}

TEST(what_is_lost_on_the_way_is_fetched_through_the_proxy)
{
    struct sim *sim = kit_sim(state, NULL);
    int a = kit_node(sim, "a", "north", NULL, -1);
    int b = kit_node(sim, "b", "south", "**", -1);
    int proxy = kit_proxy(sim, "proxy", north_south, a, b);
    run_until_quiet(sim);

    sim_cut(sim, a, proxy);
    struct oracle_ref event = sim_publish(sim, a, "orders/1", "x");
    run_for(sim, 50);
    assert_false(sim_has(sim, b, event));
    sim_heal(sim);
    run_until_quiet(sim);

    assert_true(sim_has(sim, b, event));
}

TEST(who_is_counted_across_a_proxy_misses_nothing_whatever_was_lost)
{
    enum { SEEDS = 40 };
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sim *sim = kit_lossy_sim(state, seed, 200);
        int a = kit_node(sim, "a", "north", NULL, -1);
        int b = sim_add_node(sim, "b", "south");
        int proxy = kit_proxy(sim, "proxy", north_south, a, b);
        kit_join_and_miss_nothing(sim, a, b, proxy);
        assert_int_equal(kit_teardown(state), 0);
        *state = NULL;
    }
}

TEST(one_of_two_proxies_is_killed_in_mid_stream)
{
    struct sim *sim = kit_sim(state, NULL);
    int a = kit_node(sim, "a", "north", NULL, -1);
    int b = kit_node(sim, "b", "south", "**", -1);
    (void)kit_proxy(sim, "proxy-1", north_south, a, b);
    int second = kit_proxy(sim, "proxy-2", north_south, a, b);
    run_until_quiet(sim);

    struct oracle_ref events[100];
    for (int i = 0; i < 100; i++) {
        events[i] = sim_publish(sim, a, "orders/1", "x");
        run_for(sim, 10);
        if (i == 50)
            sim_crash(sim, second);
    }
    run_until_quiet(sim);

    for (int i = 0; i < 100; i++)
        assert_true(sim_has(sim, b, events[i]));
    assert_int_equal(oracle_gap_count(sim_oracle(sim)), 0);
    tulle_counters counters;
    sim_counters(sim, b, &counters);
    assert_int_equal(counters.events_delivered, 100);
}

TEST(the_only_proxy_dies_and_comes_back)
{
    struct sim *sim = kit_sim(state, NULL);
    int a = kit_node(sim, "a", "north", "**", -1);
    int b = kit_node(sim, "b", "south", "**", -1);
    int proxy = kit_proxy(sim, "proxy", north_south, a, b);
    run_until_quiet(sim);

    sim_crash(sim, proxy);
    struct oracle_ref there = sim_publish(sim, a, "orders/1", "x");
    struct oracle_ref back = sim_publish(sim, b, "orders/1", "x");
    run_for(sim, 1500);
    assert_false(sim_has(sim, b, there));
    sim_start(sim, proxy);
    run_until_quiet(sim);

    assert_true(sim_has(sim, b, there));
    assert_true(sim_has(sim, a, back));
}

/* Nodes that come and go, with a word or without one, leave nothing behind. */
TEST(a_proxy_forgets_who_is_gone)
{
    enum { LIVES = 40, REMEMBERED_MS = 30000 };
    struct sim_config config = kit_config(1);
    config.proxy_retain_bytes = 2000; /* what is kept, its lane is known of */
    struct sim *sim = kit_sim(state, &config);
    int a = kit_node(sim, "a", "north", "**", -1);
    int b = kit_node(sim, "b", "south", "**", -1);
    int proxy = kit_proxy(sim, "proxy", north_south, a, b);
    int guest = kit_node(sim, "guest", "north", "**", a);
    run_until_quiet(sim);
    tulle_counters counters;
    for (int i = 0; i < LIVES; i++) {
        struct oracle_ref event = sim_publish(sim, guest, "orders/1", "x");
        run_until_quiet(sim);
        assert_true(sim_has(sim, b, event));
        if (i % 2 == 0)
            sim_leave(sim, guest);
        sim_restart(sim, guest);
        run_until_quiet(sim);
    }
    sim_side_counters(sim, proxy, 0, &counters);
    assert_true(counters.lanes > LIVES / 2);
    for (int i = 0; i < 100; i++)
        (void)sim_publish(sim, a, "orders/1", "x");
    run_for(sim, REMEMBERED_MS);
    sim_side_counters(sim, proxy, 0, &counters);
    assert_int_equal(counters.lanes, 1);
    /* It forgot nobody who is there. */
    struct oracle_ref last = sim_publish(sim, guest, "orders/1", "x");
    run_until_quiet(sim);
    assert_true(sim_has(sim, b, last));
}

TEST(a_chain_of_proxies_is_passed)
{
    struct sim *sim = kit_sim(state, NULL);
    int a = kit_node(sim, "a", "north", "**", -1);
    int m = kit_node(sim, "m", "south", NULL, -1);
    int z = kit_node(sim, "z", "west", "**", -1);
    (void)kit_proxy(sim, "proxy-1", north_south, a, m);
    (void)kit_proxy(sim, "proxy-2", south_west, m, z);
    run_until_quiet(sim);

    struct oracle_ref there = sim_publish(sim, a, "orders/1", "x");
    struct oracle_ref back = sim_publish(sim, z, "alerts/1", "x");
    run_until_quiet(sim);

    assert_true(sim_has(sim, z, there));
    assert_true(sim_has(sim, a, back));
}

TEST(a_ring_of_segments_does_not_storm)
{
    struct sim *sim = kit_sim(state, NULL);
    int a = kit_node(sim, "a", "north", "**", -1);
    int b = kit_node(sim, "b", "south", "**", -1);
    int c = kit_node(sim, "c", "west", "**", -1);
    (void)kit_proxy(sim, "proxy-1", north_south, a, b);
    (void)kit_proxy(sim, "proxy-2", south_west, b, c);
    int third = kit_proxy(sim, "proxy-3", west_north, c, a);
    run_until_quiet(sim);

    uint64_t before = sim_messages(sim);
    struct oracle_ref event = sim_publish(sim, a, "orders/1", "x");
    run_until_quiet(sim);
    run_for(sim, 10000);
    /* Six sockets' worth of beats, each passed on at most twice by each proxy. */
    assert_true(sim_messages(sim) - before < 10UL * 2 * 9 * 12);
    assert_true(sim_has(sim, b, event));
    assert_true(sim_has(sim, c, event));

    sim_crash(sim, third);
    event = sim_publish(sim, c, "orders/1", "x");
    run_until_quiet(sim);
    assert_true(sim_has(sim, a, event));
    assert_true(sim_has(sim, b, event));
}

/* Where two proxies stand side by side, a beat may come by the other one first. */
TEST(a_beat_is_not_carried_back_to_where_it_began)
{
    enum { EVENTS = 100, OF_C = 2 };
    struct sim_config config = kit_config(1);
    config.faults.latency_us_min = 100;
    config.faults.latency_us_max = 20000;
    struct sim *sim = kit_sim(state, &config);
    int a = kit_node(sim, "a", "north", NULL, -1);
    (void)kit_node(sim, "b", "north", "**", a);
    int c = kit_node(sim, "c", "south", NULL, -1);
    int proxies[2] = { kit_proxy(sim, "proxy-1", north_south, a, c),
                       kit_proxy(sim, "proxy-2", north_south, a, c) };
    run_until_quiet(sim);

    tulle_counters before[2];
    for (int i = 0; i < 2; i++)
        sim_side_counters(sim, proxies[i], 1, &before[i]);
    for (int i = 0; i < EVENTS; i++) {
        (void)sim_publish(sim, a, "orders/1", "x");
        run_for(sim, 50);
    }
    for (int i = 0; i < 2; i++) {
        tulle_counters after;
        sim_side_counters(sim, proxies[i], 0, &after);
        assert_true(after.relayed_control > EVENTS);
        sim_side_counters(sim, proxies[i], 1, &after);
        assert_true(after.relayed_control - before[i].relayed_control <= OF_C);
    }
}

static uint64_t
count_syncs(const struct sim *sim)
{
    uint64_t count = 0;
    for (int host = 0; host < sim_host_count(sim); host++) {
        tulle_counters counters;
        for (size_t side = 0; side < 2; side++) {
            if (sim_is_proxy(sim, host))
                sim_side_counters(sim, host, side, &counters);
            else if (side == 0)
                sim_counters(sim, host, &counters);
            else
                continue;
            count += counters.syncs_sent;
        }
    }
    return count;
}

/* Who counts more nodes is asked for them; each counts as its place has it. */
TEST(who_knows_all_asks_for_nobody)
{
    enum { REFRESHES = 6, ENGINES = 4 + 3 * 2 };
    struct sim *sim = kit_sim(state, NULL);
    int a = kit_node(sim, "a", "north", "**", -1);
    int b = kit_node(sim, "b", "north", "**", a);
    int c = kit_node(sim, "c", "south", "**", -1);
    int d = kit_node(sim, "d", "west", "**", -1);
    (void)kit_proxy(sim, "proxy-1", north_south, a, c);
    (void)kit_proxy(sim, "proxy-2", north_south, b, c);
    (void)kit_proxy(sim, "proxy-3", south_west, c, d);
    run_until_quiet(sim);
    run_for(sim, 20000);

    uint64_t before = count_syncs(sim);
    run_for(sim, REFRESHES * 10000);
    uint64_t count = count_syncs(sim) - before;
    assert_in_range(count, (REFRESHES - 1) * ENGINES, (REFRESHES + 1) * ENGINES);
}

/* A chain of four segments, with beats as they are in real meshes. Begun at another moment
 * between two beats with each seed. */
struct chain {
    struct sim *sim;
    int near, far; /* in the first segment, in the last but one */
};

static struct chain
make_chain(void **state, uint64_t seed)
{
    struct sim_config config = kit_config(seed);
    config.engine.beat_ms = 1000;
    config.engine.suspect_ms = 3000;
    config.engine.gone_ms = 10000;
    struct sim *sim = kit_sim(state, &config);
    int a = kit_node(sim, "a", "north", NULL, -1);
    int b = kit_node(sim, "b", "south", NULL, -1);
    int c = kit_node(sim, "c", "west", NULL, -1);
    (void)kit_proxy(sim, "proxy-1", north_south, a, b);
    (void)kit_proxy(sim, "proxy-2", south_west, b, c);
    run_until_quiet(sim);
    run_for(sim, 10000 + (int64_t)seed * 137);
    return (struct chain){ sim, a, c };
}

/* Until the near end knows z, and z it, and counts it as a taker: within a second. */
static void
await_far(const struct chain *chain, int z)
{
    enum { KNOWN_MS_MAX = 1000 };
    int64_t begin = sim_now_ms(chain->sim);
    while ((sim_peer_state(chain->sim, chain->near, z) != TULLE_PEER_UP ||
            sim_peer_state(chain->sim, z, chain->near) != TULLE_PEER_UP ||
            sim_taker_count(chain->sim, chain->near, "orders/**") == 0) &&
           sim_now_ms(chain->sim) < begin + A_MINUTE)
        run_for(chain->sim, 1);
    assert_true(sim_now_ms(chain->sim) - begin <= KNOWN_MS_MAX);
}

/* Where all comes up at once, what a proxy takes may have to be said once more. */
enum { SEEDS = 20, EVENTS = 100, FETCHED_MAX = SEEDS * EVENTS / 20 };

/* Of what is published in the next second. */
static uint64_t
count_fetched(const struct chain *chain, int z)
{
    tulle_counters counters;
    for (int i = 0; i < EVENTS; i++) {
        (void)sim_publish(chain->sim, chain->near, "orders/1", "x");
        run_for(chain->sim, 10);
    }
    run_until_quiet(chain->sim);
    sim_counters(chain->sim, z, &counters);
    assert_int_equal(counters.events_delivered, EVENTS);
    return counters.events_repaired;
}

TEST(who_joins_beyond_proxies_is_counted_soon_and_then_gets_all_live)
{
    uint64_t fetched = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct chain chain = make_chain(state, seed);
        int d = kit_node(chain.sim, "d", "east", NULL, -1);
        (void)kit_proxy(chain.sim, "proxy-3", west_east, chain.far, d);
        run_for(chain.sim, 10000);

        int z = kit_node(chain.sim, "z", "east", "**", d);
        await_far(&chain, z);
        fetched += count_fetched(&chain, z);
        assert_int_equal(kit_teardown(state), 0);
        *state = NULL;
    }
    assert_true(fetched <= FETCHED_MAX);
}

TEST(a_new_site_is_known_soon_and_then_gets_all_live)
{
    uint64_t fetched = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct chain chain = make_chain(state, seed);
        int z = kit_node(chain.sim, "z", "east", "**", -1);
        (void)kit_proxy(chain.sim, "proxy-3", west_east, chain.far, z);
        await_far(&chain, z);
        fetched += count_fetched(&chain, z);
        assert_int_equal(kit_teardown(state), 0);
        *state = NULL;
    }
    assert_true(fetched <= FETCHED_MAX);
}

TEST(history_is_read_across_a_proxy)
{
    struct sim *sim = kit_sim(state, NULL);
    int a = kit_node(sim, "a", "north", NULL, -1);
    struct oracle_ref events[20];
    for (int i = 0; i < 20; i++)
        events[i] = sim_publish(sim, a, "orders/1", "x");
    int b = sim_add_node(sim, "b", "south");
    sim_subscribe(sim, b, "orders/**", TULLE_ORDER_CAUSAL, TULLE_FROM_EARLIEST);
    sim_start(sim, b);
    (void)kit_proxy(sim, "proxy", north_south, a, b);
    run_until_quiet(sim);

    for (int i = 0; i < 20; i++)
        assert_true(sim_has(sim, b, events[i]));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(events_cross_a_proxy_in_causal_order),
        SCENARIO(only_what_somebody_beyond_takes_crosses),
        SCENARIO(what_is_lost_on_the_way_is_fetched_through_the_proxy),
        SCENARIO(who_is_counted_across_a_proxy_misses_nothing_whatever_was_lost),
        SCENARIO(one_of_two_proxies_is_killed_in_mid_stream),
        SCENARIO(the_only_proxy_dies_and_comes_back),
        SCENARIO(a_proxy_forgets_who_is_gone),
        SCENARIO(a_chain_of_proxies_is_passed),
        SCENARIO(a_ring_of_segments_does_not_storm),
        SCENARIO(a_beat_is_not_carried_back_to_where_it_began),
        SCENARIO(who_knows_all_asks_for_nobody),
        SCENARIO(who_joins_beyond_proxies_is_counted_soon_and_then_gets_all_live),
        SCENARIO(a_new_site_is_known_soon_and_then_gets_all_live),
        SCENARIO(history_is_read_across_a_proxy),
    };
    return cmocka_run_group_tests_name("sim/proxies", tests, NULL, NULL);
}
