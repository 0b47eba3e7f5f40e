/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_SIM_KIT_H
#define TULLE_SIM_KIT_H

/* What the scenario tests share: a mesh that is made in one line, and assertions
 * that print the seed and the step of a violation. */

#include "testkit.h"

#include "sim.h"

#define A_MINUTE INT64_C(60000)

/* No violation so far. */
#define assert_sound(sim)                          \
    do {                                           \
        const char *violation_ = sim_failure(sim); \
        if (violation_ != NULL)                    \
            fail_msg("%s", violation_);            \
    } while (0)

#define run_for(sim, ms)              \
    do {                              \
        (void)sim_run_for((sim), ms); \
        assert_sound(sim);            \
    } while (0)

/* Everybody has everything and nobody holds anything. */
#define run_until_quiet(sim)                        \
    do {                                            \
        (void)sim_run_until_quiet((sim), A_MINUTE); \
        assert_sound(sim);                          \
    } while (0)

/* Defaults, to be changed, with a seed. */
static inline struct sim_config
kit_config(uint64_t seed)
{
    struct sim_config config;
    sim_config_init(&config);
    config.seed = sim_seed(seed);
    return config;
}

/* A sim for the test; freed by the teardown, also when the test fails. */
static inline struct sim *
kit_sim(void **state, const struct sim_config *config)
{
    struct sim_config defaults = kit_config(1);
    struct sim *sim = sim_new(config == NULL ? &defaults : config);
    *state = sim;
    return sim;
}

/* A proxy of two segments that joins a host in each, started. */
static inline int
kit_proxy(struct sim *sim, const char *name, const char *const *segments, int a, int b)
{
    int proxy = sim_add_proxy(sim, name, segments, 2);
    sim_join(sim, proxy, a);
    sim_join(sim, proxy, b);
    sim_start(sim, proxy);
    return proxy;
}

static inline int
kit_setup(void **state)
{
    *state = NULL;
    return 0;
}

static inline int
kit_teardown(void **state)
{
    struct sim *sim = *state;
    sim_free(&sim);
    return 0;
}

#define SCENARIO(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

/* A node in a segment that takes pattern in causal order from now on, knows other
 * (-1: nobody) and is started. */
static inline int
kit_node(struct sim *sim, const char *name, const char *segment, const char *pattern, int other)
{
    int node = sim_add_node(sim, name, segment);
    if (pattern != NULL)
        sim_subscribe(sim, node, pattern, TULLE_ORDER_CAUSAL, TULLE_FROM_LIVE);
    if (other >= 0)
        sim_join(sim, node, other);
    sim_start(sim, node);
    return node;
}

/* A mesh in which much is lost, until kit_join_and_miss_nothing() ends that. */
static inline struct sim *
kit_lossy_sim(void **state, uint64_t seed, uint32_t loss_permille)
{
    struct sim_config config;
    sim_config_init(&config);
    config.seed = sim_seed(seed);
    config.faults.loss_permille = loss_permille;
    return kit_sim(state, &config);
}

/* Start joiner. Any message by which it meets the publisher, who publishes all the time,
 * may be lost, any number of times. Once it is counted, an event and all that follows it
 * for a while is lost on its way over last, the publisher or a proxy: it comes all the
 * same, and what was before the join does not. */
static inline void
kit_join_and_miss_nothing(struct sim *sim, int publisher, int joiner, int last)
{
    enum { FIND_EACH_OTHER_MS = 60000, LOST_MS = 200 };
    struct sim_config calm;
    sim_config_init(&calm);
    struct oracle_ref before = sim_publish(sim, publisher, "orders/1", "x");
    sim_subscribe(sim, joiner, "orders/**", TULLE_ORDER_CAUSAL, TULLE_FROM_LIVE);
    sim_start(sim, joiner);
    while (sim_taker_count(sim, publisher, "orders/**") == 0) {
        assert_true(sim_now_ms(sim) < FIND_EACH_OTHER_MS);
        (void)sim_publish(sim, publisher, "orders/1", "y");
        run_for(sim, 7);
    }
    sim_cut(sim, last, joiner);
    struct oracle_ref after = sim_publish(sim, publisher, "orders/1", "z");
    run_for(sim, LOST_MS);
    assert_false(sim_has(sim, joiner, after));
    sim_heal(sim);
    sim_set_faults(sim, &calm.faults);
    run_until_quiet(sim);
    assert_false(sim_has(sim, joiner, before));
    assert_true(sim_has(sim, joiner, after));
}

#endif
