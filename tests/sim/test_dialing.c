/* SPDX-License-Identifier: MPL-2.0 */
/* Nodes and proxies that nobody can dial: they dial the others, and it is all the same. */

#include "sim_kit.h"

enum { SEEDS = 40, ROUNDS = 30 };

static const char *const home_wan[] = { "home", "wan" };
static const char *const wan_office[] = { "wan", "office" };

static struct sim *
lossy_sim(void **state, uint64_t seed)
{
    struct sim_config config = kit_config(seed);
    config.has_inlets = true;
    config.faults.loss_permille = 100;
    config.faults.reorder_permille = 50;
    config.engine.hold_ms = 30000; /* longer than it takes to find new ways */
    return kit_sim(state, &config);
}

static void
end_of_seed(void **state)
{
    assert_int_equal(kit_teardown(state), 0);
    *state = NULL;
}

TEST(one_that_only_dials_misses_nothing_and_is_missed_by_nobody)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sim *sim = lossy_sim(state, seed);
        int known = kit_node(sim, "known", "s", "**", -1);
        int other = kit_node(sim, "other", "s", "**", known);
        int shy = sim_add_node(sim, "shy", "s");
        sim_dial_only(sim, shy, 0);
        sim_subscribe(sim, shy, "**", TULLE_ORDER_CAUSAL, TULLE_FROM_LIVE);
        sim_join(sim, shy, known);
        sim_start(sim, shy);
        run_until_quiet(sim);
        struct oracle_ref last[3];
        for (int i = 0; i < ROUNDS; i++) {
            last[0] = sim_publish(sim, known, "a/1", "x");
            last[1] = sim_publish(sim, shy, "b/1", "x");
            last[2] = sim_publish(sim, other, "c/1", "x");
            run_for(sim, 7);
        }
        run_until_quiet(sim);
        assert_true(sim_has(sim, shy, last[0]) && sim_has(sim, shy, last[2]));
        assert_true(sim_has(sim, other, last[1]) && sim_has(sim, known, last[1]));
        assert_int_equal(sim_peer_state(sim, other, shy), TULLE_PEER_UP);
        end_of_seed(state);
    }
}

TEST(a_site_behind_address_translation_is_in_the_mesh)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sim *sim = lossy_sim(state, seed);
        int a = kit_node(sim, "a", "home", "**", -1);
        int b = kit_node(sim, "b", "office", "**", -1);
        int gate = sim_add_proxy(sim, "gate", wan_office, 2);
        int shy = sim_add_proxy(sim, "shy", home_wan, 2);
        sim_dial_only(sim, shy, 1);
        sim_join(sim, gate, b);
        sim_join(sim, shy, a);
        sim_join(sim, shy, gate);
        sim_start(sim, shy);
        sim_start(sim, gate);
        run_until_quiet(sim);
        struct oracle_ref from_a[ROUNDS];
        struct oracle_ref from_b[ROUNDS];
        for (int i = 0; i < ROUNDS; i++) {
            from_a[i] = sim_publish(sim, a, "x/1", "x");
            from_b[i] = sim_publish(sim, b, "y/1", "x");
            run_for(sim, 30);
            if (i == ROUNDS / 3)
                sim_restart(sim, gate);
            if (i == ROUNDS / 2)
                sim_restart(sim, shy);
        }
        run_until_quiet(sim);
        for (int i = 0; i < ROUNDS; i++)
            assert_true(sim_has(sim, a, from_b[i]) && sim_has(sim, b, from_a[i]));
        end_of_seed(state);
    }
}

/* Cut for longer than it takes to be gone: what was published meanwhile comes. */
TEST(a_wide_area_link_heals_without_loss)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sim *sim = lossy_sim(state, seed);
        int known = kit_node(sim, "known", "s", "**", -1);
        int shy = sim_add_node(sim, "shy", "s");
        sim_dial_only(sim, shy, 0);
        sim_subscribe(sim, shy, "**", TULLE_ORDER_CAUSAL, TULLE_FROM_LIVE);
        sim_join(sim, shy, known);
        sim_start(sim, shy);
        run_until_quiet(sim);
        sim_partition(sim, &shy, 1, SIM_BOTH_WAYS);
        struct oracle_ref to_known = sim_publish(sim, shy, "b/1", "x");
        struct oracle_ref to_shy = sim_publish(sim, known, "a/1", "x");
        run_for(sim, 10000);
        assert_int_equal(sim_peer_state(sim, known, shy), TULLE_PEER_GONE);
        assert_int_equal(sim_peer_state(sim, shy, known), TULLE_PEER_GONE);
        sim_heal(sim);
        run_until_quiet(sim);
        assert_true(sim_has(sim, known, to_known) && sim_has(sim, shy, to_shy));
        end_of_seed(state);
    }
}

/* Nobody is told, and only what is dialed anew carries anything. What was published
 * meanwhile comes before anybody loses patience. */
TEST(a_half_open_link_of_two_sites_is_made_anew)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sim_config config = kit_config(seed);
        config.has_inlets = true;
        config.engine.hold_ms = 6000; /* less than it takes until all are asked again */
        struct sim *sim = kit_sim(state, &config);
        int a = kit_node(sim, "a", "home", "**", -1);
        int b = kit_node(sim, "b", "office", "**", -1);
        int gate = sim_add_proxy(sim, "gate", wan_office, 2);
        int shy = sim_add_proxy(sim, "shy", home_wan, 2);
        sim_dial_only(sim, shy, 1);
        sim_join(sim, gate, b);
        sim_join(sim, shy, a);
        sim_join(sim, shy, gate);
        sim_start(sim, gate);
        sim_start(sim, shy);
        run_until_quiet(sim);
        sim_lose(sim, gate, shy);
        struct oracle_ref from_a[ROUNDS];
        struct oracle_ref from_b[ROUNDS];
        for (int i = 0; i < ROUNDS; i++) {
            from_a[i] = sim_publish(sim, a, "x/1", "x");
            from_b[i] = sim_publish(sim, b, "y/1", "x");
            run_for(sim, 30);
        }
        run_until_quiet(sim);
        for (int i = 0; i < ROUNDS; i++)
            assert_true(sim_has(sim, a, from_b[i]) && sim_has(sim, b, from_a[i]));
        end_of_seed(state);
    }
}

/* Two that dial each other: each notices for itself what it dialed. */
TEST(half_open_connections_are_made_anew)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sim_config config = kit_config(seed);
        config.engine.hold_ms = 6000;
        struct sim *sim = kit_sim(state, &config);
        int a = kit_node(sim, "a", "s", "**", -1);
        int b = kit_node(sim, "b", "s", "**", a);
        run_until_quiet(sim);
        sim_lose(sim, a, b);
        struct oracle_ref from_a = sim_publish(sim, a, "x/1", "x");
        struct oracle_ref from_b = sim_publish(sim, b, "y/1", "x");
        run_until_quiet(sim);
        assert_true(sim_has(sim, a, from_b) && sim_has(sim, b, from_a));
        end_of_seed(state);
    }
}

/* The one that is dialed cannot dial back, nor ask anybody else, and does not know over
 * which connection to answer until it is spoken to. */
TEST(one_that_dialed_anew_says_so)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sim_config config = kit_config(seed);
        config.has_inlets = true;
        config.engine.hold_ms = 4000;
        struct sim *sim = kit_sim(state, &config);
        int known = kit_node(sim, "known", "s", NULL, -1);
        int other = kit_node(sim, "other", "s", "**", known);
        int shy = sim_add_node(sim, "shy", "s");
        sim_dial_only(sim, shy, 0);
        sim_join(sim, shy, known);
        sim_start(sim, shy);
        run_until_quiet(sim);
        sim_lose(sim, other, shy);
        struct oracle_ref event = sim_publish(sim, shy, "x/1", "x");
        run_until_quiet(sim);
        assert_true(sim_has(sim, other, event));
        end_of_seed(state);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(one_that_only_dials_misses_nothing_and_is_missed_by_nobody),
        SCENARIO(a_site_behind_address_translation_is_in_the_mesh),
        SCENARIO(a_wide_area_link_heals_without_loss),
        SCENARIO(a_half_open_link_of_two_sites_is_made_anew),
        SCENARIO(half_open_connections_are_made_anew),
        SCENARIO(one_that_dialed_anew_says_so),
    };
    return cmocka_run_group_tests_name("sim.dialing", tests, NULL, NULL);
}
