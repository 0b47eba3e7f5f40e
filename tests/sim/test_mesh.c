/* SPDX-License-Identifier: MPL-2.0 */
/* One segment: order, loss, joining, leaving, dying. */

#include "sim_kit.h"

#include <string.h>

/* Of start_shop() and start_two(). */
enum { SHOP = 0, AUDIT = 1, DESK = 2 };
enum { A = 0, B = 1 };

/* The audit takes the shop's orders, the desk everything of both. */
static struct sim *
start_shop(void **state)
{
    struct sim *sim = kit_sim(state, NULL);
    assert_int_equal(kit_node(sim, "shop", "s", NULL, -1), SHOP);
    assert_int_equal(kit_node(sim, "audit", "s", "orders/**", SHOP), AUDIT);
    assert_int_equal(kit_node(sim, "desk", "s", "**", SHOP), DESK);
    run_until_quiet(sim);
    return sim;
}

/* A publishes, and B takes everything. */
static struct sim *
start_two(void **state, const struct sim_config *config)
{
    struct sim *sim = kit_sim(state, config);
    assert_int_equal(kit_node(sim, "a", "s", NULL, -1), A);
    assert_int_equal(kit_node(sim, "b", "s", "**", A), B);
    run_until_quiet(sim);
    return sim;
}

/* A node that takes the pattern in its own way, and knows another. */
static int
start_as(struct sim *sim,
         const char *name,
         const char *pattern,
         tulle_order order,
         tulle_from from,
         int other)
{
    int node = sim_add_node(sim, name, "s");
    sim_subscribe(sim, node, pattern, order, from);
    sim_join(sim, node, other);
    sim_start(sim, node);
    return node;
}

/* ---- order ---- */

TEST(an_effect_waits_for_its_cause)
{
    struct sim *sim = start_shop(state);

    sim_cut(sim, SHOP, DESK);
    struct oracle_ref order = sim_publish(sim, SHOP, "orders/placed", "1");
    run_for(sim, 200);
    assert_true(sim_has(sim, AUDIT, order));
    struct oracle_ref alert = sim_publish(sim, AUDIT, "alerts/raised", "1");
    /* Its cause comes by way of the audit, who has it. */
    run_for(sim, 1500);
    assert_true(sim_has(sim, DESK, order));
    assert_true(sim_has(sim, DESK, alert));

    sim_heal(sim);
    run_until_quiet(sim);
}

TEST(an_effect_stays_held_while_nobody_can_be_asked)
{
    struct sim *sim = start_shop(state);

    sim_cut(sim, SHOP, DESK);
    sim_cut(sim, DESK, AUDIT); /* it hears the audit, and cannot ask it */
    (void)sim_publish(sim, SHOP, "orders/placed", "1");
    run_for(sim, 100);
    struct oracle_ref alert = sim_publish(sim, AUDIT, "alerts/raised", "1");
    run_for(sim, 1000);

    assert_false(sim_has(sim, DESK, alert));
    tulle_counters counters;
    sim_counters(sim, DESK, &counters);
    assert_true(counters.held_now > 0);
    sim_heal(sim);
    run_until_quiet(sim);
    assert_true(sim_has(sim, DESK, alert));
}

TEST(order_holds_across_a_stream_that_is_not_taken)
{
    struct sim *sim = kit_sim(state, NULL);
    int a = kit_node(sim, "a", "s", NULL, -1);
    int b = kit_node(sim, "b", "s", "orders/**", a);
    int c = kit_node(sim, "c", "s", "sensors/**", a);
    int d = kit_node(sim, "d", "s", "orders/**", a);
    sim_subscribe(sim, d, "alerts/**", TULLE_ORDER_CAUSAL, TULLE_FROM_LIVE);
    run_until_quiet(sim);

    sim_cut(sim, a, d);
    sim_cut(sim, d, b);
    sim_cut(sim, d, c);
    (void)sim_publish(sim, a, "orders/1", "x");
    run_for(sim, 50);
    (void)sim_publish(sim, b, "sensors/1", "x"); /* d does not take it */
    run_for(sim, 50);
    struct oracle_ref last = sim_publish(sim, c, "alerts/1", "x");
    run_for(sim, 1000);
    assert_false(sim_has(sim, d, last));

    sim_heal(sim);
    run_until_quiet(sim);
    assert_true(sim_has(sim, d, last));
}

TEST(explicit_causes_free_of_everything_else)
{
    struct sim *sim = start_shop(state);

    sim_cut(sim, SHOP, DESK);
    sim_cut(sim, DESK, AUDIT);
    struct oracle_ref order = sim_publish(sim, SHOP, "orders/placed", "1");
    run_for(sim, 100);
    struct sim_publish_in in = { .topic = "logs/line", .stream_levels = 1, .only_causes = true };
    struct oracle_ref free_event;
    assert_true(sim_publish_event(sim, AUDIT, &in, &free_event));
    struct sim_publish_in bound = { .topic = "alerts/raised",
                                    .stream_levels = 1,
                                    .only_causes = true,
                                    .causes = &order,
                                    .cause_count = 1 };
    struct oracle_ref bound_event;
    assert_true(sim_publish_event(sim, AUDIT, &bound, &bound_event));
    run_for(sim, 500);

    assert_true(sim_has(sim, DESK, free_event));
    assert_false(sim_has(sim, DESK, bound_event));
    sim_heal(sim);
    run_until_quiet(sim);
    assert_true(sim_has(sim, DESK, bound_event));
}

/* A mesh that is played back: nobody who publishes takes anything, each is told what its events
 * come after. One consumer takes all, one leaves the middle of the chain out. */
TEST(what_publishers_were_told_of_comes_first_under_loss)
{
    enum { ROUNDS = 150 };
    static const char *const topics[] = { "orders/1", "payments/1", "shipping/1" };
    struct sim_config config = kit_config(1);
    struct sim *sim = kit_sim(state, &config);
    int nodes[3];
    for (int i = 0; i < 3; i++)
        nodes[i] = kit_node(sim, topics[i], "s", NULL, i - 1);
    int all = kit_node(sim, "all", "s", "**", nodes[0]);
    int ends = kit_node(sim, "ends", "s", "orders/**", nodes[0]);
    sim_subscribe(sim, ends, "shipping/**", TULLE_ORDER_CAUSAL, TULLE_FROM_LIVE);
    run_until_quiet(sim);

    const struct sim_faults faults = { .loss_permille = 200,
                                       .duplicate_permille = 50,
                                       .reorder_permille = 200,
                                       .reorder_us_max = 20000 };
    sim_set_faults(sim, &faults);
    struct oracle_ref last = { 0 };
    for (int round = 0; round < ROUNDS; round++) {
        struct oracle_ref before[3];
        for (size_t i = 0; i < 3; i++) {
            const struct sim_publish_in in = { .topic = topics[i],
                                               .stream_levels = 1,
                                               .only_causes = round % 3 == 2,
                                               .after = before,
                                               .after_count = i };
            assert_true(sim_publish_event(sim, nodes[i], &in, &before[i]));
        }
        last = before[2];
        run_for(sim, 3);
    }
    sim_heal(sim);
    run_until_quiet(sim);
    assert_true(sim_has(sim, all, last));
    assert_true(sim_has(sim, ends, last));
    tulle_counters counters;
    sim_counters(sim, all, &counters);
    assert_true(counters.events_held > 0);
}

TEST(events_of_an_open_batch_leave_when_it_closes)
{
    struct sim *sim = start_two(state, NULL);

    struct sim_publish_in in = { .topic = "logs/1", .stream_levels = 1, .leaves_open = true };
    struct oracle_ref first;
    struct oracle_ref second;
    assert_true(sim_publish_event(sim, A, &in, &first));
    assert_true(sim_publish_event(sim, A, &in, &second));
    run_for(sim, 300);
    assert_false(sim_has(sim, B, first));
    sim_close_batches(sim, A);
    run_until_quiet(sim);

    assert_true(sim_has(sim, B, first));
    assert_true(sim_has(sim, B, second));
    tulle_counters counters;
    sim_counters(sim, A, &counters);
    assert_int_equal(counters.batches_published, 1);
}

/* ---- a bad network ---- */

TEST(everything_arrives_through_loss_duplication_and_reordering)
{
    struct sim_config config = kit_config(7);
    config.faults.loss_permille = 200;
    config.faults.duplicate_permille = 200;
    config.faults.reorder_permille = 300;
    struct sim *sim = kit_sim(state, &config);
    int a = kit_node(sim, "a", "s", "**", -1);
    int b = kit_node(sim, "b", "s", "**", a);
    (void)sim_run_until_quiet(sim, A_MINUTE);
    struct oracle_ref events[60];
    for (int i = 0; i < 60; i += 2) {
        events[i] = sim_publish(sim, a, "orders/x", "question");
        run_for(sim, 20);
        events[i + 1] = sim_publish(sim, b, "alerts/x", "answer");
        run_for(sim, 20);
    }
    run_until_quiet(sim);

    for (int i = 0; i < 60; i++)
        assert_true(sim_has(sim, i % 2 == 0 ? b : a, events[i]));
    tulle_counters counters;
    sim_counters(sim, b, &counters);
    assert_true(counters.events_repaired > 0);
    assert_true(counters.events_duplicate > 0);
}

TEST(a_partition_heals_in_both_directions)
{
    struct sim *sim = kit_sim(state, NULL);
    int a = kit_node(sim, "a", "s", "**", -1);
    int b = kit_node(sim, "b", "s", "**", a);
    int c = kit_node(sim, "c", "s", "**", a);
    run_until_quiet(sim);

    int island[] = { a };
    sim_partition(sim, island, 1, SIM_BOTH_WAYS);
    struct oracle_ref inside = sim_publish(sim, a, "orders/1", "x");
    struct oracle_ref outside = sim_publish(sim, b, "orders/1", "y");
    run_for(sim, 8000); /* long enough to be gone for each other */
    assert_int_equal(sim_peer_state(sim, b, a), TULLE_PEER_GONE);
    assert_true(sim_has(sim, c, outside));
    assert_false(sim_has(sim, c, inside));
    sim_heal(sim);
    run_until_quiet(sim);

    assert_int_equal(sim_peer_state(sim, b, a), TULLE_PEER_UP);
    assert_true(sim_has(sim, c, inside));
    assert_true(sim_has(sim, a, outside));
}

TEST(who_is_not_heard_still_hears)
{
    struct sim *sim = kit_sim(state, NULL);
    int a = kit_node(sim, "a", "s", "**", -1);
    int b = kit_node(sim, "b", "s", "**", a);
    int c = kit_node(sim, "c", "s", "**", a);
    run_until_quiet(sim);

    int mute[] = { c };
    sim_partition(sim, mute, 1, SIM_OUTWARD_LOST);
    struct oracle_ref event = sim_publish(sim, b, "orders/1", "x");
    run_for(sim, 500);
    assert_true(sim_has(sim, c, event));
    sim_heal(sim);
    run_until_quiet(sim);
}

TEST(a_range_that_nobody_keeps_is_told)
{
    struct sim_config config = kit_config(1);
    config.engine.retain_bytes = 1200;
    config.rules = (struct oracle_rules){ .can_evict = true, .keeps_next = true };
    struct sim *sim = start_two(state, &config);

    sim_cut(sim, A, B);
    char payload[200];
    memset(payload, 'x', sizeof payload - 1);
    payload[sizeof payload - 1] = '\0';
    struct oracle_ref events[20];
    for (int i = 0; i < 20; i++)
        events[i] = sim_publish(sim, A, "orders/1", payload);
    run_for(sim, 1000);
    sim_heal(sim);
    run_until_quiet(sim);

    assert_true(sim_has_gap(sim, B, events[0]));
    assert_false(sim_has(sim, B, events[0]));
    assert_true(sim_has(sim, B, events[19]));
    struct oracle_ref next = sim_publish(sim, A, "orders/1", "next");
    run_until_quiet(sim);
    assert_true(sim_has(sim, B, next));
}

TEST(in_arrival_order_a_hole_is_told_and_nothing_waits)
{
    struct sim *sim = kit_sim(state, NULL);
    int a = kit_node(sim, "a", "s", NULL, -1);
    int b = start_as(sim, "b", "**", TULLE_ORDER_NONE, TULLE_FROM_LIVE, a);
    run_until_quiet(sim);
    struct oracle_ref first = sim_publish(sim, a, "orders/1", "x");
    run_for(sim, 100);

    sim_cut(sim, a, b);
    struct oracle_ref lost = sim_publish(sim, a, "orders/1", "x");
    sim_heal(sim);
    struct oracle_ref third = sim_publish(sim, a, "orders/1", "x");
    run_for(sim, 100);
    assert_true(sim_has(sim, b, first));
    assert_true(sim_has(sim, b, third));
    /* Events that keep coming do not put the notice off. */
    for (int i = 0; i < 60; i++) {
        (void)sim_publish(sim, a, "orders/1", "x");
        run_for(sim, 200);
    }
    assert_true(sim_has_gap(sim, b, lost));
    run_until_quiet(sim);
}

/* ---- coming and going ---- */

TEST(a_late_joiner_misses_nothing_from_when_it_is_counted)
{
    struct sim *sim = kit_sim(state, NULL);
    int a = kit_node(sim, "a", "s", NULL, -1);
    struct oracle_ref before = sim_publish(sim, a, "orders/1", "x");
    run_for(sim, 500);
    int b = kit_node(sim, "b", "s", "orders/**", a);
    while (sim_taker_count(sim, a, "orders/**") == 0)
        run_for(sim, 1);
    struct oracle_ref after = sim_publish(sim, a, "orders/1", "y");
    run_until_quiet(sim);

    assert_false(sim_has(sim, b, before));
    assert_true(sim_has(sim, b, after));
}

TEST(who_is_counted_misses_nothing_whatever_was_lost)
{
    enum { SEEDS = 40 };
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sim *sim = kit_lossy_sim(state, seed, 400);
        int a = kit_node(sim, "a", "s", NULL, -1);
        int b = sim_add_node(sim, "b", "s");
        sim_join(sim, b, a);
        kit_join_and_miss_nothing(sim, a, b, a);
        assert_int_equal(kit_teardown(state), 0);
        *state = NULL;
    }
}

/* The event is lost, and the beat that follows it: the next one says so again. */
TEST(a_head_is_told_until_it_is_acknowledged)
{
    struct sim *sim = kit_sim(state, NULL);
    int a = kit_node(sim, "a", "s", NULL, -1);
    int b = kit_node(sim, "b", "s", "orders/**", a);
    run_until_quiet(sim);

    for (int i = 0; i < 6; i++) { /* every fifth beat says everything anyway */
        sim_cut(sim, a, b);
        struct oracle_ref event = sim_publish(sim, a, "orders/1", "x");
        run_for(sim, 100);
        assert_false(sim_has(sim, b, event));
        sim_heal(sim);
        run_for(sim, 600); /* a beat is 500 */
        assert_true(sim_has(sim, b, event));
    }
    run_until_quiet(sim);
}

TEST(a_late_joiner_keeps_causal_order_from_its_first_event)
{
    struct sim *sim = kit_sim(state, NULL);
    int shop = kit_node(sim, "shop", "s", NULL, -1);
    int audit = kit_node(sim, "audit", "s", "orders/**", shop);
    (void)sim_publish(sim, audit, "alerts/0", "x");
    run_until_quiet(sim);

    /* It knows the shop before the order, and the audit only behind the alert: the
     * delta of the next alert does not name the order any more. */
    int desk = sim_add_node(sim, "desk", "s");
    sim_subscribe(sim, desk, "**", TULLE_ORDER_CAUSAL, TULLE_FROM_LIVE);
    sim_join(sim, desk, shop);
    sim_cut(sim, desk, audit);
    sim_cut(sim, audit, desk);
    sim_start(sim, desk);
    while (sim_taker_count(sim, shop, "orders/**") < 2)
        run_for(sim, 1);
    sim_cut(sim, shop, desk);
    struct oracle_ref order = sim_publish(sim, shop, "orders/1", "x");
    run_for(sim, 100);
    (void)sim_publish(sim, audit, "alerts/1", "x");
    sim_heal(sim);
    sim_cut(sim, shop, desk);
    run_for(sim, 2000);
    struct oracle_ref alert = sim_publish(sim, audit, "alerts/2", "x");
    run_for(sim, 2000);
    sim_heal(sim);
    run_until_quiet(sim);

    assert_true(sim_has(sim, desk, alert));
    assert_true(sim_has(sim, desk, order) || sim_has_gap(sim, desk, order));
}

TEST(history_is_read_from_the_start)
{
    struct sim *sim = kit_sim(state, NULL);
    int a = kit_node(sim, "a", "s", NULL, -1);
    struct oracle_ref events[30];
    for (int i = 0; i < 30; i++)
        events[i] = sim_publish(sim, a, "orders/1", "x");
    int b = start_as(sim, "b", "orders/**", TULLE_ORDER_CAUSAL, TULLE_FROM_EARLIEST, a);
    run_until_quiet(sim);

    for (int i = 0; i < 30; i++)
        assert_true(sim_has(sim, b, events[i]));
}

TEST(events_outlive_their_publisher)
{
    struct sim *sim = kit_sim(state, NULL);
    int a = kit_node(sim, "a", "s", NULL, -1);
    int b = kit_node(sim, "b", "s", "**", a);
    int c = kit_node(sim, "c", "s", "**", a);
    run_until_quiet(sim);

    sim_cut(sim, a, c);
    struct oracle_ref event = sim_publish(sim, a, "orders/1", "x");
    run_for(sim, 200);
    sim_crash(sim, a);
    assert_true(sim_has(sim, b, event));
    run_until_quiet(sim);

    assert_true(sim_has(sim, c, event));
}

TEST(the_history_of_the_dead_is_read_from_consumers)
{
    struct sim *sim = start_two(state, NULL);
    struct oracle_ref events[10];
    for (int i = 0; i < 10; i++)
        events[i] = sim_publish(sim, A, "orders/1", "x");
    run_until_quiet(sim);
    sim_crash(sim, A);
    run_for(sim, 6000);
    int c = start_as(sim, "c", "**", TULLE_ORDER_CAUSAL, TULLE_FROM_EARLIEST, B);
    run_until_quiet(sim);

    for (int i = 0; i < 10; i++)
        assert_true(sim_has(sim, c, events[i]));
}

TEST(a_restart_is_a_new_node_of_an_old_name)
{
    struct sim *sim = kit_sim(state, NULL);
    int a = kit_node(sim, "a", "s", "**", -1);
    int b = kit_node(sim, "b", "s", "**", a);
    run_until_quiet(sim);
    struct oracle_ref old_event = sim_publish(sim, b, "orders/1", "x");
    run_for(sim, 100);

    uint64_t old_id = sim_id(sim, b);
    sim_restart(sim, b);
    run_until_quiet(sim);
    assert_true(sim_id(sim, b) != old_id);
    assert_int_equal(sim_peer_state(sim, a, b), TULLE_PEER_UP);
    struct oracle_ref new_event = sim_publish(sim, b, "orders/1", "y");
    struct oracle_ref answer = sim_publish(sim, a, "orders/2", "z");
    run_until_quiet(sim);

    assert_true(sim_has(sim, a, old_event));
    assert_true(sim_has(sim, a, new_event));
    assert_true(sim_has(sim, b, answer));
}

TEST(leaving_is_known_at_once_and_dying_after_a_while)
{
    struct sim *sim = kit_sim(state, NULL);
    int a = kit_node(sim, "a", "s", "**", -1);
    int b = kit_node(sim, "b", "s", "**", a);
    int c = kit_node(sim, "c", "s", "**", a);
    run_until_quiet(sim);

    struct oracle_ref last = sim_publish(sim, b, "orders/1", "x");
    sim_leave(sim, b);
    sim_crash(sim, c);
    run_for(sim, 100);
    assert_true(sim_has(sim, a, last));
    assert_int_equal(sim_peer_state(sim, a, b), TULLE_PEER_LEFT);
    assert_int_equal(sim_peer_state(sim, a, c), TULLE_PEER_UP);
    run_for(sim, 2500);
    assert_int_equal(sim_peer_state(sim, a, c), TULLE_PEER_SUSPECT);
    run_for(sim, 4000);
    assert_int_equal(sim_peer_state(sim, a, c), TULLE_PEER_GONE);
    run_until_quiet(sim);
}

/* ---- slow ones ---- */

TEST(a_paused_node_catches_up)
{
    struct sim_config config = kit_config(1);
    config.pause_queue_max = 20; /* most of it is lost */
    struct sim *sim = start_two(state, &config);

    sim_pause(sim, B);
    struct oracle_ref last = { 0 };
    for (int i = 0; i < 100; i++) {
        last = sim_publish(sim, A, "orders/1", "x");
        run_for(sim, 20);
    }
    sim_resume(sim, B);
    run_until_quiet(sim);

    assert_true(sim_has(sim, B, last));
    assert_int_equal(oracle_gap_count(sim_oracle(sim)), 0);
}

TEST(a_slow_consumer_does_not_grow)
{
    struct sim_config config = kit_config(1);
    config.engine.held_bytes = 4000;
    struct sim *sim = start_two(state, &config);

    sim_stall(sim, B, true);
    struct oracle_ref events[200];
    for (int i = 0; i < 200; i++) {
        events[i] = sim_publish(sim, A, "orders/1", "twenty bytes or more");
        run_for(sim, 20);
    }
    tulle_counters counters;
    sim_counters(sim, B, &counters);
    assert_true(counters.dropped_held_full > 0);
    assert_false(sim_has(sim, B, events[0]));
    sim_stall(sim, B, false);
    run_until_quiet(sim);

    for (int i = 0; i < 200; i++)
        assert_true(sim_has(sim, B, events[i]));
    assert_int_equal(oracle_gap_count(sim_oracle(sim)), 0);
}

TEST(a_window_makes_the_publisher_wait)
{
    struct sim_config config = kit_config(1);
    config.engine.window_bytes = 600;
    struct sim *sim = start_two(state, &config);

    sim_stall(sim, B, true);
    struct sim_publish_in in = { .topic = "orders/1", .stream_levels = 1 };
    struct oracle_ref event;
    int published = 0;
    while (published < 100 && sim_publish_event(sim, A, &in, &event))
        published++;
    assert_true(published > 0 && published < 100);
    run_for(sim, 1000);
    assert_false(sim_publish_event(sim, A, &in, &event));
    sim_stall(sim, B, false);
    run_until_quiet(sim);

    assert_true(sim_publish_event(sim, A, &in, &event));
    run_until_quiet(sim);
}

TEST(an_idle_mesh_is_quiet)
{
    struct sim *sim = kit_sim(state, NULL);
    int first = kit_node(sim, "n0", "s", "**", -1);
    for (int i = 1; i < 10; i++) {
        char name[] = { 'n', (char)('0' + i), '\0' };
        (void)kit_node(sim, name, "s", "**", first);
    }
    run_until_quiet(sim);
    (void)sim_publish(sim, first, "orders/1", "x");
    run_until_quiet(sim);
    run_for(sim, 1000);

    uint64_t before = sim_messages(sim);
    run_for(sim, 10000);
    /* Two beats a second to nine others each, and a few questions. */
    assert_in_range(sim_messages(sim) - before, 10 * 9 * 18, 10 * 9 * 20 + 200);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(an_effect_waits_for_its_cause),
        SCENARIO(an_effect_stays_held_while_nobody_can_be_asked),
        SCENARIO(order_holds_across_a_stream_that_is_not_taken),
        SCENARIO(explicit_causes_free_of_everything_else),
        SCENARIO(what_publishers_were_told_of_comes_first_under_loss),
        SCENARIO(events_of_an_open_batch_leave_when_it_closes),
        SCENARIO(everything_arrives_through_loss_duplication_and_reordering),
        SCENARIO(a_partition_heals_in_both_directions),
        SCENARIO(who_is_not_heard_still_hears),
        SCENARIO(a_range_that_nobody_keeps_is_told),
        SCENARIO(in_arrival_order_a_hole_is_told_and_nothing_waits),
        SCENARIO(a_late_joiner_misses_nothing_from_when_it_is_counted),
        SCENARIO(who_is_counted_misses_nothing_whatever_was_lost),
        SCENARIO(a_head_is_told_until_it_is_acknowledged),
        SCENARIO(a_late_joiner_keeps_causal_order_from_its_first_event),
        SCENARIO(history_is_read_from_the_start),
        SCENARIO(events_outlive_their_publisher),
        SCENARIO(the_history_of_the_dead_is_read_from_consumers),
        SCENARIO(a_restart_is_a_new_node_of_an_old_name),
        SCENARIO(leaving_is_known_at_once_and_dying_after_a_while),
        SCENARIO(a_paused_node_catches_up),
        SCENARIO(a_slow_consumer_does_not_grow),
        SCENARIO(a_window_makes_the_publisher_wait),
        SCENARIO(an_idle_mesh_is_quiet),
    };
    return cmocka_run_group_tests_name("sim/mesh", tests, NULL, NULL);
}
