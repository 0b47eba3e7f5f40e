/* SPDX-License-Identifier: MPL-2.0 */
/* Order and delivery, seen from outside: what nodes that exchange messages hand out. */

#include "mini_net.h"

#include <stdio.h>
#include <string.h>

static uint32_t
take_as(struct mini_net *net, size_t node, tulle_order order, uint32_t flags)
{
    return mini_take_as(
        net, node, "**",
        &(tulle_subscribe_options){ .order = order, .from = TULLE_FROM_LIVE, .flags = flags });
}

/* a, and b that takes everything of it. */
static void
start_two(struct mini_net *net, tulle_order order, uint32_t flags)
{
    mini_start(net, 2);
    (void)take_as(net, MINI_B, order, flags);
    mini_run(net, 500);
}

static void
take_from(struct mini_net *net, size_t node, tulle_from from, uint64_t count)
{
    (void)mini_take_as(net, node, "**",
                       &(tulle_subscribe_options){
                           .order = TULLE_ORDER_CAUSAL, .from = from, .from_count = count });
}

/* a publishes, b answers, and c hears b only: a's event is held on its way to c. */
static void
answer_overtakes(struct mini_net *net, tulle_order order_at_c)
{
    mini_start(net, 3);
    (void)mini_take(net, MINI_B, "**");
    (void)take_as(net, MINI_C, order_at_c, 0);
    mini_run(net, 500);
    mini_hold(net, MINI_A, MINI_C, MINI_ALL);
    mini_hold(net, MINI_B, MINI_C, MINI_CONTROL);
    mini_publish(net, MINI_A, "question", "why");
    mini_publish(net, MINI_B, "answer", "because");
}

/* ---- order ---- */

TEST(delivers_what_others_publish)
{
    struct mini_net *net = *state;
    mini_start(net, 2);
    (void)mini_take(net, MINI_B, "t/**");
    mini_run(net, 500);

    mini_publish(net, MINI_A, "t/x", "1");
    mini_publish(net, MINI_A, "t/y", "2");
    mini_publish(net, MINI_A, "u/z", "3");

    assert_string_equal(mini_log(net, MINI_B), "1 2 ");
    assert_string_equal(mini_log(net, MINI_A), "");
}

TEST(causal_holds_an_answer_until_the_question_came)
{
    struct mini_net *net = *state;
    answer_overtakes(net, TULLE_ORDER_CAUSAL);

    mini_run(net, 5);
    assert_string_equal(mini_log(net, MINI_C), "");
    mini_release(net);
    assert_string_equal(mini_log(net, MINI_C), "why because ");
}

TEST(fifo_does_not_wait_for_other_lanes)
{
    struct mini_net *net = *state;
    answer_overtakes(net, TULLE_ORDER_FIFO);

    assert_string_equal(mini_log(net, MINI_C), "because ");
    mini_release(net);
    assert_string_equal(mini_log(net, MINI_C), "because why ");
}

TEST(fifo_holds_what_overtook_in_its_own_lane)
{
    struct mini_net *net = *state;
    start_two(net, TULLE_ORDER_FIFO, 0);

    mini_hold(net, MINI_A, MINI_B, MINI_EVENTS);
    mini_publish(net, MINI_A, "t", "1");
    mini_heal(net, MINI_A, MINI_B);
    net->held[MINI_A][MINI_B] = 0;
    mini_publish(net, MINI_A, "t", "2");
    assert_string_equal(mini_log(net, MINI_B), "");
    mini_release(net);

    assert_string_equal(mini_log(net, MINI_B), "1 2 ");
}

TEST(arrival_order_holds_nothing)
{
    struct mini_net *net = *state;
    start_two(net, TULLE_ORDER_NONE, 0);

    mini_hold(net, MINI_A, MINI_B, MINI_EVENTS);
    mini_publish(net, MINI_A, "t", "1");
    net->held[MINI_A][MINI_B] = 0;
    mini_publish(net, MINI_A, "t", "2");
    mini_release(net);

    assert_string_equal(mini_log(net, MINI_B), "2 1 ");
}

TEST(arrival_order_tells_what_never_came_and_asks_for_nothing)
{
    struct mini_net *net = *state;
    start_two(net, TULLE_ORDER_NONE, 0);

    mini_lose(net, MINI_A, MINI_B, MINI_EVENTS);
    mini_publish(net, MINI_A, "t", "1");
    mini_publish(net, MINI_A, "t", "2");
    mini_heal(net, MINI_A, MINI_B);
    mini_publish(net, MINI_A, "t", "3");
    mini_run(net, 3000);

    assert_string_equal(mini_log(net, MINI_B), "3 gap(a/t 1-2 best-effort) ");
    assert_int_equal(mini_counters(net, MINI_B).fetches_sent, 0);
}

TEST(dependency_on_a_stream_not_taken_is_met)
{
    struct mini_net *net = *state;
    mini_start(net, 3);
    (void)mini_take(net, MINI_B, "**");
    (void)mini_take(net, MINI_C, "answer");
    mini_run(net, 500);

    mini_publish(net, MINI_A, "question", "why");
    mini_publish(net, MINI_B, "answer", "because");

    assert_string_equal(mini_log(net, MINI_C), "because ");
}

TEST(chain_over_three_nodes_comes_in_order)
{
    struct mini_net *net = *state;
    mini_start(net, 4);
    for (size_t i = MINI_B; i <= MINI_D; i++)
        (void)mini_take(net, i, "**");
    mini_run(net, 500);

    mini_hold(net, MINI_A, MINI_D, MINI_ALL);
    mini_publish(net, MINI_A, "a", "1");
    mini_hold(net, MINI_B, MINI_D, MINI_ALL);
    mini_publish(net, MINI_B, "b", "2");
    mini_publish(net, MINI_C, "c", "3");
    assert_string_equal(mini_log(net, MINI_D), "");
    mini_release(net);

    assert_string_equal(mini_log(net, MINI_D), "1 2 3 ");
}

TEST(only_causes_waits_for_the_cause_and_not_for_all_that_was_seen)
{
    struct mini_net *net = *state;
    mini_start(net, 3);
    (void)mini_take(net, MINI_B, "**");
    (void)mini_take(net, MINI_C, "**");
    mini_run(net, 500);

    mini_publish(net, MINI_A, "cause", "1");
    mini_hold(net, MINI_A, MINI_C, MINI_ALL);
    mini_publish(net, MINI_A, "noise", "2");
    mini_publish_caused(net, MINI_B, "effect", "3",
                        (struct tulle__dep){ .node = mini_id(net, MINI_A),
                                             .stream = mini_text("cause"),
                                             .count = 1 });
    assert_string_equal(mini_log(net, MINI_C), "1 3 ");
    mini_publish(net, MINI_B, "effect", "4"); /* again on everything seen */
    assert_string_equal(mini_log(net, MINI_C), "1 3 ");
    mini_release(net);

    assert_string_equal(mini_log(net, MINI_C), "1 3 2 4 ");
}

TEST(only_causes_carries_the_past_of_the_cause)
{
    struct mini_net *net = *state;
    mini_start(net, 4);
    for (size_t i = MINI_B; i <= MINI_D; i++)
        (void)mini_take(net, i, "**");
    mini_run(net, 500);

    mini_hold(net, MINI_A, MINI_D, MINI_ALL);
    mini_publish(net, MINI_A, "first", "1");
    mini_hold(net, MINI_B, MINI_D, MINI_EVENTS);
    mini_publish(net, MINI_B, "second", "2");
    mini_lose(net, MINI_B, MINI_D, MINI_EVENTS); /* the second is never seen at d ... */
    mini_publish_caused(net, MINI_C, "third", "3",
                        (struct tulle__dep){ .node = mini_id(net, MINI_B),
                                             .stream = mini_text("second"),
                                             .count = 1 });

    assert_string_equal(mini_log(net, MINI_D), "");
    mini_release(net);
    assert_string_equal(mini_log(net, MINI_D), "1 2 3 ");
}

/* ---- seen elsewhere ---- */

static struct tulle__dep
dep_on(const struct mini_net *net, size_t node, const char *stream, uint64_t count)
{
    return (struct tulle__dep){ .node = mini_id(net, node),
                                .stream = mini_text(stream),
                                .count = count };
}

TEST(what_was_seen_elsewhere_comes_before)
{
    struct mini_net *net = *state;
    mini_start(net, 4);
    (void)mini_take(net, MINI_D, "**"); /* only this one */
    mini_run(net, 500);

    mini_hold(net, MINI_A, MINI_D, MINI_ALL);
    mini_publish(net, MINI_A, "a", "a");
    const struct tulle__dep first = dep_on(net, MINI_A, "a", 1);
    mini_publish_after(net, MINI_B, "b", &first, 1, false);
    mini_publish(net, MINI_B, "b2", "b2"); /* from then on it has seen it */
    assert_string_equal(mini_log(net, MINI_D), "");
    mini_publish(net, MINI_C, "c", "c"); /* and this one has not */
    assert_string_equal(mini_log(net, MINI_D), "c ");
    mini_release(net);

    assert_string_equal(mini_log(net, MINI_D), "c a b b2 ");
}

TEST(what_was_seen_elsewhere_stands_for_the_history_of_causes)
{
    struct mini_net *net = *state;
    mini_start(net, 3);
    (void)mini_take(net, MINI_B, "**");
    (void)mini_take(net, MINI_C, "**");
    mini_run(net, 500);

    mini_publish(net, MINI_A, "a", "a");
    mini_hold(net, MINI_A, MINI_C, MINI_ALL);
    mini_publish(net, MINI_A, "noise", "noise");
    const struct tulle__dep first = dep_on(net, MINI_A, "a", 1);
    mini_publish_after(net, MINI_B, "b", &first, 1, true);
    assert_string_equal(mini_log(net, MINI_C), "a b ");
    const struct tulle__dep second = dep_on(net, MINI_A, "noise", 1);
    mini_publish_after(net, MINI_B, "b", &second, 1, true);
    assert_string_equal(mini_log(net, MINI_C), "a b ");
    mini_release(net);

    assert_string_equal(mini_log(net, MINI_C), "a b noise b ");
}

TEST(what_it_never_published_itself_is_not_waited_for)
{
    struct mini_net *net = *state;
    start_two(net, TULLE_ORDER_CAUSAL, 0);

    const struct tulle__dep none[] = { dep_on(net, MINI_A, "x", 7), dep_on(net, MINI_A, "t", 7) };
    mini_publish_after(net, MINI_A, "t", none, 2, false);
    mini_publish_after(net, MINI_A, "u", none, 2, false);
    mini_publish_after(net, MINI_A, "v", none, 2, true);

    assert_string_equal(mini_log(net, MINI_B), "t u v ");
}

/* ---- twice, arrivals, stalls ---- */

TEST(drops_and_tells_what_comes_twice)
{
    struct mini_net *net = *state;
    start_two(net, TULLE_ORDER_CAUSAL, TULLE_WATCH_DUPLICATES);
    uint64_t ghost = TULLE__NODE_ID_MIN + 7;
    mini_meet_ghost(net, MINI_B, ghost);

    mini_tell(net, MINI_B, "t", mini_batch(ghost, 1, 2, NULL, 0));
    mini_tell(net, MINI_B, "t", mini_batch(ghost, 1, 2, NULL, 0));
    mini_tell(net, MINI_B, "t", mini_batch(ghost, 2, 2, NULL, 0));

    assert_string_equal(mini_log(net, MINI_B), "1 2 twice(1) twice(2) 3 ");
    assert_int_equal(mini_counters(net, MINI_B).events_duplicate, 2);
}

TEST(tells_arrivals_at_once_and_deliveries_in_order)
{
    struct mini_net *net = *state;
    start_two(net, TULLE_ORDER_CAUSAL, TULLE_WATCH_ARRIVALS);

    mini_hold(net, MINI_A, MINI_B, MINI_EVENTS);
    mini_publish(net, MINI_A, "t", "1");
    net->held[MINI_A][MINI_B] = 0;
    mini_publish(net, MINI_A, "t", "2");
    mini_release(net);

    assert_string_equal(mini_log(net, MINI_B), "arrived(2) arrived(1) 1 2 ");
}

TEST(stalled_engine_delivers_nothing_until_it_goes_on)
{
    struct mini_net *net = *state;
    start_two(net, TULLE_ORDER_CAUSAL, 0);

    tulle__engine_set_stalled(net->nodes[MINI_B].engine, true, net->now);
    mini_publish(net, MINI_A, "t", "1");
    mini_run(net, 3000);
    assert_string_equal(mini_log(net, MINI_B), "");
    tulle__engine_set_stalled(net->nodes[MINI_B].engine, false, net->now);
    mini_pump(net);

    assert_string_equal(mini_log(net, MINI_B), "1 ");
}

TEST(past_the_held_bound_the_newest_is_dropped_and_fetched_later)
{
    struct mini_net *net = *state;
    net->nodes[MINI_B].config.held_bytes = 200;
    start_two(net, TULLE_ORDER_CAUSAL, 0);

    mini_hold(net, MINI_A, MINI_B, MINI_EVENTS);
    mini_publish(net, MINI_A, "t", "1");
    net->held[MINI_A][MINI_B] = 0;
    for (int i = 0; i < 8; i++)
        mini_publish(net, MINI_A, "t", "x");
    uint64_t held = mini_counters(net, MINI_B).held_now;
    uint64_t dropped = mini_counters(net, MINI_B).dropped_held_full;
    mini_release(net);
    mini_run(net, 1000);

    assert_true(held <= 200);
    assert_true(dropped > 0);
    assert_string_equal(mini_log(net, MINI_B), "1 x x x x x x x x ");
}

/* ---- batches ---- */

TEST(batch_closes_when_something_else_was_delivered)
{
    struct mini_net *net = *state;
    mini_start(net, 2);
    (void)mini_take(net, MINI_A, "**");
    (void)mini_take(net, MINI_B, "**");
    mini_run(net, 500);
    uint64_t before = mini_counters(net, MINI_A).batches_published;

    net->nodes[MINI_A].is_not_closing = true;
    mini_publish(net, MINI_A, "t", "1");
    mini_publish(net, MINI_A, "t", "2");
    mini_publish(net, MINI_B, "u", "3");
    mini_publish(net, MINI_A, "t", "4");
    net->nodes[MINI_A].is_not_closing = false;
    mini_pump(net);

    assert_int_equal(mini_counters(net, MINI_A).batches_published - before, 2);
    assert_string_equal(mini_log(net, MINI_B), "1 2 4 ");
}

/* Two events of the stream t, encoded by whoever published them. */
static tulle_status
publish_gathered(struct mini_net *net, struct tulle__writer *events)
{
    tulle__writer_init(events);
    tulle__write_room(events, TULLE__BATCH_ROOM);
    tulle__event_encode(events, mini_text("x"), 0, mini_text("2"), NULL);
    tulle__event_encode(events, mini_text(""), 0, mini_text("3"), NULL);
    struct tulle__gathered gathered = { mini_text("t"), events, 2 };
    tulle_status status =
        tulle__engine_publish_gathered(net->nodes[MINI_A].engine, &gathered, net->now);
    mini_pump(net);
    return status;
}

TEST(gathered_events_are_one_batch_behind_what_was_open)
{
    struct mini_net *net = *state;
    struct tulle__writer events;
    mini_start(net, 2);
    (void)mini_take(net, MINI_A, "u");
    (void)mini_take(net, MINI_B, "**");
    mini_run(net, 500);
    uint64_t before = mini_counters(net, MINI_A).batches_published;

    net->nodes[MINI_A].is_not_closing = true;
    mini_publish(net, MINI_A, "t", "1");
    assert_status(publish_gathered(net, &events), TULLE_OK);
    mini_publish(net, MINI_A, "t", "4");
    net->nodes[MINI_A].is_not_closing = false;
    mini_pump(net);

    assert_int_equal(mini_counters(net, MINI_A).batches_published - before, 3);
    assert_int_equal(mini_counters(net, MINI_A).events_published, 4);
    assert_string_equal(mini_log(net, MINI_B), "1 2 3 4 ");
    tulle__writer_fini(&events);
}

/* c takes both streams, and misses what b published. */
TEST(gathered_events_depend_on_what_was_delivered_before)
{
    struct mini_net *net = *state;
    struct tulle__writer events;
    mini_start(net, 3);
    (void)mini_take(net, MINI_A, "u");
    (void)mini_take(net, MINI_C, "**");
    mini_run(net, 500);

    mini_hold(net, MINI_B, MINI_C, MINI_ALL);
    mini_hold(net, MINI_A, MINI_C, MINI_CONTROL);
    mini_publish(net, MINI_B, "u", "1");
    assert_status(publish_gathered(net, &events), TULLE_OK);
    assert_string_equal(mini_log(net, MINI_C), "");
    mini_release(net);
    mini_run(net, 100);

    assert_string_equal(mini_log(net, MINI_C), "1 2 3 ");
    tulle__writer_fini(&events);
}

TEST(gathered_events_that_find_no_room_stay)
{
    struct mini_net *net = *state;
    struct tulle__writer events;
    net->nodes[MINI_A].config.window_bytes = 50;
    mini_start(net, 2);
    (void)mini_take(net, MINI_B, "**");
    mini_run(net, 500);
    mini_lose(net, MINI_B, MINI_A, MINI_BEATS);
    mini_publish(net, MINI_A, "t", "a");
    mini_publish(net, MINI_A, "t", "b");

    assert_status(publish_gathered(net, &events), TULLE_EAGAIN);
    mini_heal(net, MINI_B, MINI_A);
    mini_run(net, 600);
    struct tulle__gathered gathered = { mini_text("t"), &events, 2 };
    assert_status(tulle__engine_publish_gathered(net->nodes[MINI_A].engine, &gathered, net->now),
                  TULLE_OK);
    mini_pump(net);

    assert_string_equal(mini_log(net, MINI_B), "a b 2 3 ");
    tulle__writer_fini(&events);
}

TEST(payload_over_the_limit_is_refused)
{
    struct mini_net *net = *state;
    net->nodes[MINI_A].config.event_bytes_max = 3;
    mini_start_one(net, MINI_A, MINI_A);

    assert_status(mini_try_publish(net, MINI_A, "t", "123"), TULLE_OK);
    assert_status(mini_try_publish(net, MINI_A, "t", "1234"), TULLE_EMSGSIZE);
}

TEST(lanes_are_limited)
{
    struct mini_net *net = *state;
    net->nodes[MINI_A].config.lanes_max = 1;
    mini_start_one(net, MINI_A, MINI_A);

    assert_status(mini_try_publish(net, MINI_A, "t", "1"), TULLE_OK);
    assert_status(mini_try_publish(net, MINI_A, "u", "2"), TULLE_ELIMIT);
    assert_int_equal(mini_counters(net, MINI_A).dropped_table_full, 1);
}

/* No more streams than a SYNC can be answered with. */
TEST(own_streams_are_limited)
{
    struct mini_net *net = *state;
    mini_start_one(net, MINI_A, MINI_A);
    for (int i = 0; i < TULLE__LANES_PER_MESSAGE_MAX; i++) {
        char topic[16];
        (void)snprintf(topic, sizeof topic, "s%d", i);
        /* Without causes: the whole clock with the first event of each would be 2 GiB. */
        struct tulle__publish publish = { .topic = mini_text(topic),
                                          .stream_levels = 1,
                                          .only_causes = true };
        assert_status(tulle__engine_publish(net->nodes[MINI_A].engine, &publish, net->now),
                      TULLE_OK);
    }

    assert_status(mini_try_publish(net, MINI_A, "one too many", "x"), TULLE_ELIMIT);
    assert_int_equal(mini_counters(net, MINI_A).dropped_table_full, 1);
    assert_status(mini_try_publish(net, MINI_A, "s0", "x"), TULLE_OK);
}

/* ---- acknowledgements ---- */

TEST(full_window_refuses_until_the_consumer_acknowledged)
{
    struct mini_net *net = *state;
    net->nodes[MINI_A].config.window_bytes = 50;
    start_two(net, TULLE_ORDER_CAUSAL, 0);

    mini_lose(net, MINI_B, MINI_A, MINI_BEATS);
    mini_publish(net, MINI_A, "t", "1");
    mini_publish(net, MINI_A, "t", "2");
    assert_status(mini_try_publish(net, MINI_A, "t", "3"), TULLE_EAGAIN);
    assert_true(mini_counters(net, MINI_A).unacked_now >= 50);
    mini_heal(net, MINI_B, MINI_A);
    mini_run(net, 600); /* a full beat */

    assert_status(mini_try_publish(net, MINI_A, "t", "3"), TULLE_OK);
    assert_string_equal(mini_log(net, MINI_B), "1 2 3 ");
}

TEST(beats_acknowledge_what_was_delivered)
{
    struct mini_net *net = *state;
    start_two(net, TULLE_ORDER_CAUSAL, 0);

    mini_publish(net, MINI_A, "t", "1");
    assert_false(tulle__engine_is_acknowledged(net->nodes[MINI_A].engine));
    mini_run(net, 50);

    assert_true(tulle__engine_is_acknowledged(net->nodes[MINI_A].engine));
}

TEST(nobody_who_takes_it_is_everybody_acknowledged)
{
    struct mini_net *net = *state;
    mini_start(net, 2);

    mini_publish(net, MINI_A, "t", "1");

    assert_true(tulle__engine_is_acknowledged(net->nodes[MINI_A].engine));
}

TEST(taker_counts_once_it_has_the_lanes)
{
    struct mini_net *net = *state;
    mini_start(net, 2);
    assert_int_equal(tulle__engine_taker_count(net->nodes[MINI_A].engine, mini_text("t")), 0);

    (void)mini_take(net, MINI_B, "t/**");
    mini_run(net, 500);

    assert_int_equal(tulle__engine_taker_count(net->nodes[MINI_A].engine, mini_text("t")), 1);
    assert_int_equal(tulle__engine_taker_count(net->nodes[MINI_A].engine, mini_text("u")), 0);
}

/* ---- starts ---- */

TEST(late_joiner_begins_after_the_head)
{
    struct mini_net *net = *state;
    mini_start(net, 2);
    mini_publish(net, MINI_A, "t", "1");
    mini_publish(net, MINI_A, "t", "2");

    (void)mini_take(net, MINI_B, "**");
    mini_run(net, 500);
    mini_publish(net, MINI_A, "t", "3");
    mini_run(net, 500);

    assert_string_equal(mini_log(net, MINI_B), "3 ");
    assert_int_equal(mini_counters(net, MINI_B).gaps, 0);
}

TEST(nothing_is_lost_between_the_answer_and_the_first_event)
{
    struct mini_net *net = *state;
    mini_start(net, 2);
    mini_publish(net, MINI_A, "t", "1");

    (void)mini_take(net, MINI_B, "**");
    mini_run(net, 100);
    mini_lose(net, MINI_A, MINI_B, MINI_EVENTS);
    mini_publish(net, MINI_A, "t", "2");
    mini_heal(net, MINI_A, MINI_B);
    mini_run(net, 500);

    assert_string_equal(mini_log(net, MINI_B), "2 ");
}

TEST(earliest_reads_everything_that_is_kept)
{
    struct mini_net *net = *state;
    mini_start(net, 2);
    mini_publish(net, MINI_A, "t", "1");
    mini_publish(net, MINI_A, "t", "2");

    take_from(net, MINI_B, TULLE_FROM_EARLIEST, 0);
    mini_run(net, 500);
    mini_publish(net, MINI_A, "t", "3");
    mini_run(net, 500);

    assert_string_equal(mini_log(net, MINI_B), "1 2 3 ");
}

TEST(last_n_begins_n_before_the_head)
{
    struct mini_net *net = *state;
    mini_start(net, 2);
    mini_publish(net, MINI_A, "t", "1");
    mini_publish(net, MINI_A, "t", "2");
    mini_publish(net, MINI_A, "t", "3");

    take_from(net, MINI_B, TULLE_FROM_LAST, 2);
    mini_run(net, 500);

    assert_string_equal(mini_log(net, MINI_B), "2 3 ");
}

/* b answered a before c joined; the deltas that said so are before c's start. Only
 * the clock of b's lane tells c that b's next event depends on a's. */
TEST(late_joiner_takes_the_clock_before_its_start_into_account)
{
    struct mini_net *net = *state;
    mini_start(net, 3);
    (void)mini_take(net, MINI_B, "**");
    mini_run(net, 500);
    mini_lose(net, MINI_A, MINI_C, MINI_CONTROL | MINI_BEATS); /* c learns of a's lane by b only */
    mini_publish(net, MINI_A, "a", "1");
    mini_publish(net, MINI_B, "b", "2");

    take_from(net, MINI_C, TULLE_FROM_EARLIEST, 0);
    mini_lose(net, MINI_B, MINI_C, MINI_CONTROL);
    mini_run(net, 100);
    mini_heal(net, MINI_B, MINI_C);
    mini_run(net, 400);
    mini_heal(net, MINI_A, MINI_C);
    mini_run(net, 2000);

    assert_string_equal(mini_log(net, MINI_C), "1 2 ");
}

TEST(live_joiner_waits_for_what_the_clock_of_the_lane_names)
{
    struct mini_net *net = *state;
    mini_start(net, 3);
    (void)mini_take(net, MINI_B, "**");
    (void)mini_take(net, MINI_C, "a");
    mini_run(net, 500);
    mini_hold(net, MINI_A, MINI_C, MINI_EVENTS | MINI_CONTROL);
    mini_publish(net, MINI_A, "a", "1");
    mini_publish(net, MINI_B, "b", "2"); /* says that it depends on 1 */

    (void)mini_take(net, MINI_C, "b");
    mini_run(net, 5);
    mini_hold(net, MINI_B, MINI_C, MINI_CONTROL); /* b would help with a's event */
    mini_publish(net, MINI_B, "b", "3");          /* does not say it again */
    mini_run(net, 100);
    assert_string_equal(mini_log(net, MINI_C), "");
    mini_release(net);
    mini_run(net, 300);

    assert_string_equal(mini_log(net, MINI_C), "1 3 ");
}

TEST(taking_more_later_begins_the_new_streams_then)
{
    struct mini_net *net = *state;
    mini_start(net, 2);
    (void)mini_take(net, MINI_B, "t");
    mini_run(net, 500);
    mini_publish(net, MINI_A, "t", "1");
    mini_publish(net, MINI_A, "u", "2");

    (void)mini_take(net, MINI_B, "u");
    mini_run(net, 500);
    mini_publish(net, MINI_A, "t", "3");
    mini_publish(net, MINI_A, "u", "4");
    mini_run(net, 500);

    assert_string_equal(mini_log(net, MINI_B), "1 3 4 ");
    assert_int_equal(mini_counters(net, MINI_B).gaps, 0);
}

TEST(taking_less_stops_deliveries_and_holds_up_nobody)
{
    struct mini_net *net = *state;
    net->nodes[MINI_A].config.window_bytes = 60;
    mini_start(net, 2);
    uint32_t handle = mini_take(net, MINI_B, "t");
    mini_run(net, 500);
    mini_publish(net, MINI_A, "t", "1");

    mini_untake(net, MINI_B, handle);
    mini_run(net, 500);
    for (int i = 0; i < 5; i++)
        mini_publish(net, MINI_A, "t", "2");

    assert_string_equal(mini_log(net, MINI_B), "1 ");
}

TEST(other_mesh_is_another_world)
{
    struct mini_net *net = *state;
    net->nodes[MINI_B].config.mesh = "other";
    mini_start(net, 2);
    (void)mini_take(net, MINI_B, "**");
    mini_run(net, 1000);

    mini_publish(net, MINI_A, "t", "1");
    mini_run(net, 1000);

    assert_string_equal(mini_log(net, MINI_B), "");
    assert_string_equal(net->nodes[MINI_A].peers, "");
    assert_true(mini_counters(net, MINI_A).dropped_mesh > 0);
}

int
main(void)
{
#define ENGINE_TEST(name) cmocka_unit_test_setup_teardown(name, mini_setup, mini_teardown)
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(delivers_what_others_publish),
        ENGINE_TEST(causal_holds_an_answer_until_the_question_came),
        ENGINE_TEST(fifo_does_not_wait_for_other_lanes),
        ENGINE_TEST(fifo_holds_what_overtook_in_its_own_lane),
        ENGINE_TEST(arrival_order_holds_nothing),
        ENGINE_TEST(arrival_order_tells_what_never_came_and_asks_for_nothing),
        ENGINE_TEST(dependency_on_a_stream_not_taken_is_met),
        ENGINE_TEST(chain_over_three_nodes_comes_in_order),
        ENGINE_TEST(only_causes_waits_for_the_cause_and_not_for_all_that_was_seen),
        ENGINE_TEST(only_causes_carries_the_past_of_the_cause),
        ENGINE_TEST(what_was_seen_elsewhere_comes_before),
        ENGINE_TEST(what_was_seen_elsewhere_stands_for_the_history_of_causes),
        ENGINE_TEST(what_it_never_published_itself_is_not_waited_for),
        ENGINE_TEST(drops_and_tells_what_comes_twice),
        ENGINE_TEST(tells_arrivals_at_once_and_deliveries_in_order),
        ENGINE_TEST(stalled_engine_delivers_nothing_until_it_goes_on),
        ENGINE_TEST(past_the_held_bound_the_newest_is_dropped_and_fetched_later),
        ENGINE_TEST(batch_closes_when_something_else_was_delivered),
        ENGINE_TEST(gathered_events_are_one_batch_behind_what_was_open),
        ENGINE_TEST(gathered_events_depend_on_what_was_delivered_before),
        ENGINE_TEST(gathered_events_that_find_no_room_stay),
        ENGINE_TEST(payload_over_the_limit_is_refused),
        ENGINE_TEST(lanes_are_limited),
        ENGINE_TEST(own_streams_are_limited),
        ENGINE_TEST(full_window_refuses_until_the_consumer_acknowledged),
        ENGINE_TEST(beats_acknowledge_what_was_delivered),
        ENGINE_TEST(nobody_who_takes_it_is_everybody_acknowledged),
        ENGINE_TEST(taker_counts_once_it_has_the_lanes),
        ENGINE_TEST(late_joiner_begins_after_the_head),
        ENGINE_TEST(nothing_is_lost_between_the_answer_and_the_first_event),
        ENGINE_TEST(earliest_reads_everything_that_is_kept),
        ENGINE_TEST(last_n_begins_n_before_the_head),
        ENGINE_TEST(late_joiner_takes_the_clock_before_its_start_into_account),
        ENGINE_TEST(live_joiner_waits_for_what_the_clock_of_the_lane_names),
        ENGINE_TEST(taking_more_later_begins_the_new_streams_then),
        ENGINE_TEST(taking_less_stops_deliveries_and_holds_up_nobody),
        ENGINE_TEST(other_mesh_is_another_world),
    };
    return cmocka_run_group_tests_name("delivery/engine", tests, NULL, NULL);
}
