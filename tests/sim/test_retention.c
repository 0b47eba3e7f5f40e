/* SPDX-License-Identifier: MPL-2.0 */
/* What a proxy keeps of each segment, and who is served with it: two sites, each with a proxy
 * of its own, and a link between these. Publishers keep nothing themselves. */

#include "sim_kit.h"

enum {
    SEEDS = 40,
    EVENTS = 100,
    EVENT_EVERY_MS = 20,
    PLENTY = 1000000,
    ONE_BATCH = 100,
    A_FEW_BEATS_MS = 5000
};

static const char *const north_wan[] = { "north", "wan" };
static const char *const wan_south[] = { "wan", "south" };

struct sites {
    struct sim *sim;
    int a, z; /* in north and in south; both take everything */
    int gates[2];
};

/* keep: of what leaves the first and the second segment of a gate, that is of what goes
 * south and of what goes north. */
static struct sites
open_sites(void **state, uint64_t seed, const uint64_t keep[2])
{
    struct sim_config config = kit_config(seed);
    config.engine.retain_bytes = 0;
    config.engine.retain_others_bytes = 0;
    config.engine.hold_ms = 20000;
    config.rules.can_evict = true;
    config.proxy_retain_bytes = 0;
    config.faults.duplicate_permille = 50;
    for (size_t i = 0; i < 2; i++)
        config.proxy_policies[i].retain_bytes = keep[i];
    struct sites sites = { .sim = kit_sim(state, &config) };
    struct sim *sim = sites.sim;
    sites.a = kit_node(sim, "a", "north", "**", -1);
    sites.z = kit_node(sim, "z", "south", "**", -1);
    sites.gates[0] = sim_add_proxy(sim, "gate-n", north_wan, 2);
    sites.gates[1] = sim_add_proxy(sim, "gate-s", wan_south, 2);
    sim_join(sim, sites.gates[0], sites.a);
    sim_join(sim, sites.gates[1], sites.z);
    sim_join(sim, sites.gates[1], sites.gates[0]);
    sim_start(sim, sites.gates[0]);
    sim_start(sim, sites.gates[1]);
    run_until_quiet(sim);
    run_for(sim, A_FEW_BEATS_MS); /* until the gates have learnt what is taken beyond */
    return sites;
}

/* What happens to the link when half is published. */
enum trouble { CUT, HALF_OPEN, FAR_GATE_STALLS, FAR_GATE_RESTARTS, TROUBLES };

static void
make_trouble(const struct sites *sites, enum trouble trouble)
{
    switch (trouble) {
    case CUT:
        sim_cut(sites->sim, sites->gates[0], sites->gates[1]);
        sim_cut(sites->sim, sites->gates[1], sites->gates[0]);
        break;
    case HALF_OPEN:
        sim_lose(sites->sim, sites->gates[0], sites->gates[1]);
        break;
    case FAR_GATE_STALLS:
        sim_pause(sites->sim, sites->gates[1]);
        break;
    case FAR_GATE_RESTARTS:
        sim_crash(sites->sim, sites->gates[1]);
        break;
    case TROUBLES:
        break;
    }
}

static void
publish_through_trouble(const struct sites *sites,
                        enum trouble trouble,
                        int publisher,
                        struct oracle_ref events[EVENTS])
{
    struct sim *sim = sites->sim;
    for (int i = 0; i < EVENTS; i++) {
        if (i == EVENTS / 4)
            make_trouble(sites, trouble);
        if (i == EVENTS * 3 / 4) {
            sim_heal(sim);
            if (trouble == FAR_GATE_STALLS)
                sim_resume(sim, sites->gates[1]);
            if (trouble == FAR_GATE_RESTARTS)
                sim_start(sim, sites->gates[1]);
        }
        events[i] = sim_publish(sim, publisher, "orders/1", "x");
        run_for(sim, EVENT_EVERY_MS);
    }
    run_until_quiet(sim);
}

static void
end_of_seed(void **state)
{
    assert_int_equal(kit_teardown(state), 0);
    *state = NULL;
}

/* Only the near gate has what was published meanwhile. */
TEST(what_a_link_missed_is_served_by_the_near_gate)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sites sites = open_sites(state, seed, (const uint64_t[]){ PLENTY, 0 });
        struct oracle_ref events[EVENTS];
        publish_through_trouble(&sites, (enum trouble)(seed % TROUBLES), sites.a, events);
        for (int i = 0; i < EVENTS; i++)
            assert_true(sim_has(sites.sim, sites.z, events[i]));
        assert_int_equal(oracle_gap_count(sim_oracle(sites.sim)), 0);
        end_of_seed(state);
    }
}

/* Nodes beyond are gone, for all that can be known, and come back: so long it is kept for them. */
TEST(who_is_cut_off_for_long_is_served_by_the_near_gate)
{
    enum { ROUNDS = 40, ROUND_MS = 500 }; /* gone after 4 s */
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sites sites = open_sites(state, seed, (const uint64_t[]){ PLENTY, 0 });
        struct sim *sim = sites.sim;
        struct oracle_ref events[ROUNDS];
        make_trouble(&sites, seed % 2 == 0 ? CUT : FAR_GATE_RESTARTS);
        for (int i = 0; i < ROUNDS; i++) {
            events[i] = sim_publish(sim, sites.a, "orders/1", "x");
            run_for(sim, ROUND_MS);
        }
        assert_int_equal(sim_peer_state(sim, sites.a, sites.z), TULLE_PEER_GONE);
        sim_heal(sim);
        if (!sim_is_up(sim, sites.gates[1]))
            sim_start(sim, sites.gates[1]);
        run_until_quiet(sim);
        for (int i = 0; i < ROUNDS; i++)
            assert_true(sim_has(sim, sites.z, events[i]));
        end_of_seed(state);
    }
}

/* The other segment of the same gates keeps next to nothing: what nobody has is told. */
TEST(each_segment_keeps_within_its_own_bounds)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sites sites = open_sites(state, seed, (const uint64_t[]){ PLENTY, ONE_BATCH });
        struct oracle_ref events[EVENTS];
        publish_through_trouble(&sites, CUT, sites.z, events);
        for (int i = 0; i < EVENTS; i++) {
            assert_true(sim_has(sites.sim, sites.a, events[i]) !=
                        sim_has_gap(sites.sim, sites.a, events[i]));
        }
        assert_true(sim_has_gap(sites.sim, sites.a, events[EVENTS / 2]));
        assert_true(sim_has(sites.sim, sites.a, events[EVENTS - 1]));
        for (size_t i = 0; i < 2; i++) {
            tulle_counters counters;
            sim_side_counters(sites.sim, sites.gates[i], 1, &counters);
            assert_in_range(counters.retained_now, 0, ONE_BATCH);
        }
        end_of_seed(state);
    }
}

/* What is too old when the link is whole again is told, what is not is there. */
TEST(what_is_kept_for_too_short_a_time_is_told)
{
    enum { KEPT_MS = 500 };
    struct sim_config config = kit_config(1);
    config.engine.retain_bytes = config.engine.retain_others_bytes = 0;
    config.rules.can_evict = true;
    config.proxy_policies[0].retain_ms = KEPT_MS;
    struct sim *sim = kit_sim(state, &config);
    int a = kit_node(sim, "a", "north", NULL, -1);
    int z = kit_node(sim, "z", "south", "**", -1);
    int gate = sim_add_proxy(sim, "gate", (const char *const[]){ "north", "south" }, 2);
    sim_join(sim, gate, a);
    sim_join(sim, gate, z);
    sim_start(sim, gate);
    run_until_quiet(sim);

    sim_cut(sim, gate, z);
    struct oracle_ref old = sim_publish(sim, a, "orders/1", "x");
    run_for(sim, KEPT_MS + 100);
    struct oracle_ref young = sim_publish(sim, a, "orders/1", "x");
    sim_heal(sim);
    run_until_quiet(sim);

    assert_true(sim_has_gap(sim, z, old));
    assert_true(sim_has(sim, z, young));
}

/* A gap makes a consumer ask for the clock of the lane, which a gate does not know; what it
 * keeps of the events is had all the same. */
TEST(behind_a_gap_a_gate_serves_what_it_keeps)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sites sites = open_sites(state, seed, (const uint64_t[]){ PLENTY, 0 });
        struct sim *sim = sites.sim;
        struct oracle_ref events[4];
        sim_cut(sim, sites.a, sites.gates[0]);
        events[0] = sim_publish(sim, sites.a, "orders/1", "x");
        run_for(sim, EVENT_EVERY_MS);
        sim_heal(sim);
        sim_cut(sim, sites.gates[0], sites.gates[1]);
        for (int i = 1; i < 4; i++) {
            events[i] = sim_publish(sim, sites.a, "orders/1", "x");
            run_for(sim, EVENT_EVERY_MS);
        }
        sim_heal(sim);
        run_until_quiet(sim);
        assert_true(sim_has_gap(sim, sites.z, events[0]));
        for (int i = 1; i < 4; i++)
            assert_true(sim_has(sim, sites.z, events[i]));
        end_of_seed(state);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(what_a_link_missed_is_served_by_the_near_gate),
        SCENARIO(who_is_cut_off_for_long_is_served_by_the_near_gate),
        SCENARIO(each_segment_keeps_within_its_own_bounds),
        SCENARIO(what_is_kept_for_too_short_a_time_is_told),
        SCENARIO(behind_a_gap_a_gate_serves_what_it_keeps),
    };
    return cmocka_run_group_tests_name("sim/retention", tests, NULL, NULL);
}
