/* SPDX-License-Identifier: MPL-2.0 */
/* What is lost is fetched, or told as a gap. */

#include "mini_net.h"

#include <stdio.h>
#include <string.h>

/* a publishes; b and c take everything. */
static void
start_three(struct mini_net *net)
{
    mini_start(net, 3);
    (void)mini_take(net, MINI_B, "**");
    (void)mini_take(net, MINI_C, "**");
    mini_run(net, 500);
}

static void
publish_lost(struct mini_net *net, size_t to, const char *topic, const char *payload)
{
    mini_lose(net, MINI_A, to, MINI_EVENTS);
    mini_publish(net, MINI_A, topic, payload);
    mini_heal(net, MINI_A, to);
}

/* ---- sources ---- */

TEST(lost_event_is_fetched_from_its_publisher)
{
    struct mini_net *net = *state;
    start_three(net);

    publish_lost(net, MINI_C, "t", "1");
    mini_publish(net, MINI_A, "t", "2");
    mini_run(net, 50);

    assert_string_equal(mini_log(net, MINI_C), "1 2 ");
    assert_int_equal(mini_counters(net, MINI_C).events_repaired, 1);
    assert_int_equal(mini_counters(net, MINI_A).fetches_answered, 1);
    assert_int_equal(mini_counters(net, MINI_B).fetches_answered, 0);
}

TEST(hole_may_fill_by_itself_before_it_is_asked_for)
{
    struct mini_net *net = *state;
    start_three(net);

    mini_hold(net, MINI_A, MINI_C, MINI_EVENTS);
    mini_publish(net, MINI_A, "t", "1");
    net->held[MINI_A][MINI_C] = 0;
    mini_publish(net, MINI_A, "t", "2");
    mini_run(net, 5);
    mini_release(net);
    mini_run(net, 500);

    assert_string_equal(mini_log(net, MINI_C), "1 2 ");
    assert_int_equal(mini_counters(net, MINI_C).fetches_sent, 0);
}

TEST(lost_tail_shows_in_a_beat)
{
    struct mini_net *net = *state;
    start_three(net);

    publish_lost(net, MINI_C, "t", "1");
    mini_run(net, 200);

    assert_string_equal(mini_log(net, MINI_C), "1 ");
}

TEST(fetch_that_is_lost_is_sent_again)
{
    struct mini_net *net = *state;
    start_three(net);

    mini_lose(net, MINI_C, MINI_A, MINI_CONTROL);
    mini_lose(net, MINI_C, MINI_B, MINI_CONTROL);
    publish_lost(net, MINI_C, "t", "1");
    mini_publish(net, MINI_A, "t", "2");
    mini_run(net, 300);
    assert_string_equal(mini_log(net, MINI_C), "");
    mini_heal(net, MINI_C, MINI_A);
    mini_run(net, 600);

    assert_string_equal(mini_log(net, MINI_C), "1 2 ");
}

TEST(event_outlives_its_publisher_with_the_one_who_cited_it)
{
    struct mini_net *net = *state;
    start_three(net);

    publish_lost(net, MINI_C, "question", "why");
    mini_crash(net, MINI_A);
    mini_publish(net, MINI_B, "answer", "because");
    mini_run(net, 900);

    assert_string_equal(mini_log(net, MINI_C), "why because ");
    assert_int_equal(mini_counters(net, MINI_B).fetches_answered, 1);
}

TEST(event_outlives_its_publisher_with_anyone_who_has_it)
{
    struct mini_net *net = *state;
    start_three(net);

    publish_lost(net, MINI_C, "t", "1");
    mini_publish(net, MINI_A, "t", "2");
    mini_crash(net, MINI_A);
    mini_run(net, 900);

    assert_string_equal(mini_log(net, MINI_C), "1 2 ");
    assert_int_equal(mini_counters(net, MINI_C).gaps, 0);
}

TEST(newcomer_reads_the_history_of_a_node_that_left)
{
    struct mini_net *net = *state;
    mini_start(net, 2);
    (void)mini_take(net, MINI_A, "**");
    mini_run(net, 500);
    mini_publish(net, MINI_B, "t", "1");
    mini_publish(net, MINI_B, "t", "2");
    mini_leave(net, MINI_B);

    mini_start_one(net, MINI_C, MINI_A);
    (void)mini_take_as(
        net, MINI_C, "**",
        &(tulle_subscribe_options){ .order = TULLE_ORDER_CAUSAL, .from = TULLE_FROM_EARLIEST });
    mini_run(net, 1500);

    assert_string_equal(mini_log(net, MINI_C), "1 2 ");
}

TEST(long_range_comes_in_several_answers)
{
    struct mini_net *net = *state;
    net->nodes[MINI_A].config.batch_bytes = 1;
    start_three(net);
    static char payload[60000];
    memset(payload, 'x', sizeof payload - 1);

    for (int i = 0; i < 20; i++)
        publish_lost(net, MINI_C, "t", payload);
    mini_run(net, 50); /* a beat tells of them; then one answer follows the other */

    assert_int_equal(mini_counters(net, MINI_C).events_delivered, 20);
    assert_true(mini_counters(net, MINI_C).fetches_sent > 1);
    assert_int_equal(mini_counters(net, MINI_C).gaps, 0);
}

/* ---- gaps ---- */

TEST(evicted_range_is_a_gap_at_once)
{
    struct mini_net *net = *state;
    net->nodes[MINI_A].config.retain_bytes = 100;
    net->nodes[MINI_B].config.retain_others_bytes = 0;
    start_three(net);

    for (int i = 0; i < 10; i++)
        publish_lost(net, MINI_C, "t", "x");
    mini_run(net, 400); /* much less than hold_ms */

    assert_non_null(strstr(mini_log(net, MINI_C), "gap(a/t 1-"));
    assert_non_null(strstr(mini_log(net, MINI_C), "evicted) x "));
    assert_int_equal(mini_counters(net, MINI_C).events_delivered +
                         mini_counters(net, MINI_C).events_given_up,
                     10);
}

TEST(range_that_nobody_answers_for_is_a_gap_after_hold_ms)
{
    struct mini_net *net = *state;
    start_three(net);

    publish_lost(net, MINI_C, "t", "1");
    mini_lose(net, MINI_A, MINI_C, MINI_CONTROL);
    mini_lose(net, MINI_B, MINI_C, MINI_CONTROL);
    mini_publish(net, MINI_A, "t", "2");
    mini_run(net, 980);
    assert_string_equal(mini_log(net, MINI_C), "");
    mini_run(net, 40);

    assert_string_equal(mini_log(net, MINI_C), "gap(a/t 1-1 unreachable) ");
    mini_heal(net, MINI_A, MINI_C); /* the lane's clock is asked for before 2 is trusted */
    mini_run(net, 1000);
    assert_string_equal(mini_log(net, MINI_C), "gap(a/t 1-1 unreachable) 2 ");
}

TEST(what_comes_after_it_was_given_up_is_told_as_late)
{
    struct mini_net *net = *state;
    mini_start(net, 2);
    (void)mini_take_as(net, MINI_B, "**",
                       &(tulle_subscribe_options){ .order = TULLE_ORDER_FIFO,
                                                   .from = TULLE_FROM_LIVE,
                                                   .flags = TULLE_WATCH_DUPLICATES });
    mini_run(net, 500);

    mini_hold(net, MINI_A, MINI_B, MINI_EVENTS | MINI_CONTROL);
    mini_publish(net, MINI_A, "t", "1");
    net->held[MINI_A][MINI_B] = MINI_CONTROL;
    mini_publish(net, MINI_A, "t", "2");
    mini_run(net, 1100);
    mini_release(net);

    mini_run(net, 100); /* 2 waits for the lane's clock */

    assert_non_null(strstr(mini_log(net, MINI_B), "gap(a/t 1-1 unreachable) late(1) "));
    assert_non_null(strstr(mini_log(net, MINI_B), " 2 "));
}

TEST(dead_nodes_tail_that_nobody_keeps_is_a_gap)
{
    struct mini_net *net = *state;
    net->nodes[MINI_B].config.retain_others_bytes = 0;
    net->nodes[MINI_C].config.gone_ms = 500; /* known to be gone before hold_ms is over */
    start_three(net);

    publish_lost(net, MINI_C, "t", "1");
    mini_crash(net, MINI_A);
    mini_publish(net, MINI_B, "answer", "because");
    mini_run(net, 3000);

    assert_string_equal(mini_log(net, MINI_C), "gap(a/t 1-1 evicted) because ");
}

/* The delta that says that a's 3 depends on b's 1 is in the gap; the clock taken anew
 * says so too. */
TEST(after_a_gap_causal_order_still_holds)
{
    struct mini_net *net = *state;
    net->nodes[MINI_A].config.retain_bytes = 70; /* one batch */
    net->nodes[MINI_A].config.retain_others_bytes = 0;
    net->nodes[MINI_B].config.retain_others_bytes = 0;
    start_three(net);
    (void)mini_take(net, MINI_A, "**");
    mini_run(net, 500);
    mini_lose(net, MINI_C, MINI_A, MINI_CONTROL);

    mini_hold(net, MINI_B, MINI_C, MINI_ALL);
    mini_publish(net, MINI_B, "b", "first");
    publish_lost(net, MINI_C, "a", "lost, depends on first");
    publish_lost(net, MINI_C, "a", "lost as well");
    mini_publish(net, MINI_A, "a", "last");
    mini_heal(net, MINI_C, MINI_A);
    mini_run(net, 600);
    assert_string_equal(mini_log(net, MINI_C), "gap(a/a 1-2 evicted) ");
    mini_release(net);
    mini_run(net, 2000);

    assert_string_equal(mini_log(net, MINI_C), "gap(a/a 1-2 evicted) first last ");
}

/* ... and when nobody tells the clock, the lane goes on at last, and says so. */
TEST(clock_that_nobody_tells_is_given_up_aloud)
{
    struct mini_net *net = *state;
    start_three(net);

    publish_lost(net, MINI_C, "t", "1");
    mini_lose(net, MINI_A, MINI_C, MINI_CONTROL);
    mini_lose(net, MINI_B, MINI_C, MINI_CONTROL);
    mini_publish(net, MINI_A, "t", "2");
    mini_run(net, 4900);
    assert_string_equal(mini_log(net, MINI_C), "gap(a/t 1-1 unreachable) ");
    assert_int_equal(mini_counters(net, MINI_C).clocks_given_up, 0);
    mini_run(net, 200);

    assert_string_equal(mini_log(net, MINI_C), "gap(a/t 1-1 unreachable) 2 ");
    assert_int_equal(mini_counters(net, MINI_C).clocks_given_up, 1);
}

/* c takes the answers in fifo order, from the second on; that they depend on b's
 * question is in the first. What c publishes depends on the question all the same. */
TEST(fifo_lane_that_starts_late_passes_on_what_it_depends_on)
{
    struct mini_net *net = *state;
    mini_start(net, 2);
    (void)mini_take(net, MINI_A, "question");
    mini_run(net, 500);
    mini_publish(net, MINI_B, "question", "question");
    mini_publish(net, MINI_A, "answer", "answer 1");
    mini_publish(net, MINI_A, "answer", "answer 2");
    mini_start_one(net, MINI_C, MINI_A);
    (void)mini_take_as(net, MINI_C, "answer",
                       &(tulle_subscribe_options){
                           .order = TULLE_ORDER_FIFO, .from = TULLE_FROM_LAST, .from_count = 1 });
    mini_run(net, 500);
    assert_string_equal(mini_log(net, MINI_C), "answer 2 ");

    mini_start_one(net, MINI_D, MINI_C);
    const tulle_subscribe_options earliest = { .order = TULLE_ORDER_CAUSAL,
                                               .from = TULLE_FROM_EARLIEST };
    (void)mini_take_as(net, MINI_D, "question", &earliest);
    (void)mini_take_as(net, MINI_D, "summary", &earliest);
    mini_lose(net, MINI_A, MINI_D, MINI_ALL);
    mini_lose(net, MINI_B, MINI_D, MINI_ALL);
    mini_run(net, 300);
    mini_publish(net, MINI_C, "summary", "summary");
    mini_run(net, 300);
    assert_string_equal(mini_log(net, MINI_D), ""); /* it knows of the question */
    mini_heal(net, MINI_A, MINI_D);
    mini_heal(net, MINI_B, MINI_D);
    mini_run(net, 2000);
    assert_string_equal(mini_log(net, MINI_D), "question summary ");
}

/* A ghost answers the last FETCH that it was sent. */
static void
answer_fetch(struct mini_net *net, uint64_t ghost, size_t to, struct tulle__range_out *range)
{
    struct tulle__writer w;
    tulle__writer_init(&w);
    range->reply_to = net->ghost_counter[TULLE__FETCH];
    tulle__range_encode(&w, range);
    mini_tell_control(net, to,
                      &(struct tulle__control_header){ .kind = TULLE__RANGE,
                                                       .from = ghost,
                                                       .to = mini_id(net, to),
                                                       .counter = 10 + range->reply_to },
                      &w);
    tulle__writer_fini(&w);
}

/* A ghost cites events of a node that nobody knows, one after the other: only the
 * first is waited for. */
TEST(unknown_node_is_waited_for_once)
{
    struct mini_net *net = *state;
    start_three(net);
    uint64_t ghost = TULLE__NODE_ID_MIN + 7;
    struct tulle__dep dep = { .node = TULLE__NODE_ID_MIN + 8, .stream = mini_text("u") };
    struct tulle__range_out nothing = { .node = dep.node, .stream = dep.stream };
    mini_meet_ghost(net, MINI_C, ghost);

    for (uint64_t i = 1; i <= 3; i++) {
        dep.count = i;
        mini_tell(net, MINI_C, "g", mini_batch(ghost, i, 1, &dep, 1));
        mini_run(net, i == 1 ? 2500 : 20);
        answer_fetch(net, ghost, MINI_C, &nothing);
        mini_run(net, 50);
    }

    const char *log = mini_log(net, MINI_C);
    assert_non_null(strstr(log, "/u 1-1 unreachable) 1 "));
    assert_non_null(strstr(log, "/u 2-2 evicted) 2 "));
    assert_non_null(strstr(log, "/u 3-3 evicted) 3 "));
}

TEST(unreadable_event_of_its_publisher_is_a_gap)
{
    struct mini_net *net = *state;
    mini_start(net, 1);
    (void)mini_take(net, MINI_A, "**");
    uint64_t ghost = TULLE__NODE_ID_MIN + 7;
    mini_meet_ghost(net, MINI_A, ghost);
    mini_tell(net, MINI_A, "t", mini_batch(ghost, 2, 1, NULL, 0));
    mini_run(net, 20); /* it asks for 1 */

    struct tulle__view rubbish = mini_text("rubbish");
    struct tulle__range_out range = { .node = ghost,
                                      .stream = mini_text("t"),
                                      .first = 1,
                                      .last = 2,
                                      .batches = &rubbish,
                                      .batch_count = 1 };
    for (int i = 0; i < 3; i++) {
        answer_fetch(net, ghost, MINI_A, &range);
        mini_run(net, 500);
    }

    assert_string_equal(mini_log(net, MINI_A), "gap(ghost/t 1-1 malformed) 2 ");
    assert_true(mini_counters(net, MINI_A).dropped_malformed > 0);
}

TEST(publisher_that_has_not_published_it_yet_is_no_loss)
{
    struct mini_net *net = *state;
    start_three(net);
    mini_publish(net, MINI_A, "t", "1");
    struct tulle__dep dep = { .node = mini_id(net, MINI_A), .stream = mini_text("t"), .count = 9 };
    uint64_t ghost = TULLE__NODE_ID_MIN + 7;
    mini_meet_ghost(net, MINI_C, ghost);

    mini_tell(net, MINI_C, "g", mini_batch(ghost, 1, 1, &dep, 1)); /* cites what never was */
    mini_run(net, 2000);

    assert_int_equal(mini_counters(net, MINI_C).gaps, 0);
    mini_publish(net, MINI_A, "t", "2");
    assert_string_equal(mini_log(net, MINI_C), "1 2 ");
}

int
main(void)
{
#define REPAIR_TEST(name) cmocka_unit_test_setup_teardown(name, mini_setup, mini_teardown)
    const struct CMUnitTest tests[] = {
        REPAIR_TEST(lost_event_is_fetched_from_its_publisher),
        REPAIR_TEST(hole_may_fill_by_itself_before_it_is_asked_for),
        REPAIR_TEST(lost_tail_shows_in_a_beat),
        REPAIR_TEST(fetch_that_is_lost_is_sent_again),
        REPAIR_TEST(event_outlives_its_publisher_with_the_one_who_cited_it),
        REPAIR_TEST(event_outlives_its_publisher_with_anyone_who_has_it),
        REPAIR_TEST(newcomer_reads_the_history_of_a_node_that_left),
        REPAIR_TEST(long_range_comes_in_several_answers),
        REPAIR_TEST(evicted_range_is_a_gap_at_once),
        REPAIR_TEST(range_that_nobody_answers_for_is_a_gap_after_hold_ms),
        REPAIR_TEST(what_comes_after_it_was_given_up_is_told_as_late),
        REPAIR_TEST(dead_nodes_tail_that_nobody_keeps_is_a_gap),
        REPAIR_TEST(after_a_gap_causal_order_still_holds),
        REPAIR_TEST(clock_that_nobody_tells_is_given_up_aloud),
        REPAIR_TEST(fifo_lane_that_starts_late_passes_on_what_it_depends_on),
        REPAIR_TEST(unknown_node_is_waited_for_once),
        REPAIR_TEST(unreadable_event_of_its_publisher_is_a_gap),
        REPAIR_TEST(publisher_that_has_not_published_it_yet_is_no_loss),
    };
    return cmocka_run_group_tests_name("delivery/repair", tests, NULL, NULL);
}
