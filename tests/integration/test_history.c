/* SPDX-License-Identifier: MPL-2.0 */

/* Those who come late: what they read, and from whom. */

#include "integ_kit.h"

#include <string.h>

enum { EVENTS = 500 };

/* Wait until a lane's head is known to everybody who was told of it. */
static void
publish_and_settle(tulle_node *node, const char *topic, int from, int count)
{
    uint64_t before = kit_counters(node).events_published;
    kit_publish_numbers(node, topic, from, count);
    KIT_UNTIL(kit_counters(node).events_published == before + (uint64_t)count);
}

TEST(live_begins_now)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    publish_and_settle(a, "x", 0, EVENTS);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    tulle_subscription *s = kit_subscribe(b, "x");
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish_numbers(a, "x", EVENTS, 10);
    kit_expect_numbers(s, "x", EVENTS, 10);
}

TEST(earliest_begins_with_the_first)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    publish_and_settle(a, "x", 0, EVENTS);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    tulle_subscription *s = kit_subscribe_from(b, "x", TULLE_FROM_EARLIEST, 0);
    /* Publishing goes on while the past is read. */
    kit_publish_numbers(a, "x", EVENTS, EVENTS);
    kit_expect_numbers(s, "x", 0, 2 * EVENTS);
    kit_publish_numbers(a, "x", 2 * EVENTS, 10);
    kit_expect_numbers(s, "x", 2 * EVENTS, 10);
    KIT_UNTIL(kit_counters(b).events_repaired >= EVENTS);
    assert_int_equal(kit_counters(b).gaps, 0);
}

static void
look_at_lane(const tulle_lane *lane, void *ctx)
{
    tulle_lane *found = ctx;
    if (strcmp(lane->stream, "x") == 0)
        *found = *lane;
}

/* Who reads history can know when it has all of it. */
TEST(a_lane_tells_how_far_it_is_read)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    publish_and_settle(a, "x", 0, EVENTS);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    tulle_lane lane = { 0 };
    assert_status(tulle_node_lanes(b, look_at_lane, &lane), TULLE_OK);
    assert_int_equal(lane.node, 0); /* nothing is taken */
    tulle_subscription *s = kit_subscribe_from(b, "x", TULLE_FROM_EARLIEST, 0);
    kit_expect_numbers(s, "x", 0, EVENTS);
    assert_status(tulle_node_lanes(b, look_at_lane, &lane), TULLE_OK);
    assert_true(lane.node == tulle_node_id(a));
    assert_true(lane.is_begun);
    assert_int_equal(lane.head, EVENTS);
    assert_int_equal(lane.delivered, EVENTS);
}

TEST(last_begins_so_many_before_the_end)
{
    (void)state;
    tulle_node_options options;
    kit_options(&options, "a", NULL);
    options.batch_bytes = 1; /* so that the start lies between batches */
    tulle_node *a = kit_start(&options);
    publish_and_settle(a, "x", 0, EVENTS);
    publish_and_settle(a, "y", 0, 3);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    tulle_subscription *x = kit_subscribe_from(b, "x", TULLE_FROM_LAST, 10);
    tulle_subscription *y = kit_subscribe_from(b, "y", TULLE_FROM_LAST, 10);
    kit_expect_numbers(x, "x", EVENTS - 10, 10);
    kit_expect_numbers(y, "y", 0, 3);
    kit_publish_numbers(a, "x", EVENTS, 1);
    kit_expect_numbers(x, "x", EVENTS, 1);
}

/* The start may lie within a batch: the events before it are not delivered. */
TEST(last_begins_within_a_batch)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    publish_and_settle(a, "x", 0, EVENTS);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    tulle_subscription *s = kit_subscribe_from(b, "x", TULLE_FROM_LAST, 7);
    kit_expect_numbers(s, "x", EVENTS - 7, 7);
    kit_expect_silence(s, 0);
}

/* In fifo order too: c begins with a's second answer. That the answers depend on b's
 * question stands with the first; what c publishes says so all the same. */
TEST(fifo_begins_with_the_past_of_its_lane)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    tulle_subscription *asked = kit_subscribe(a, "question");
    assert_status(tulle_node_wait_peers(b, "question", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish(b, "question", "why");
    (void)kit_expect(asked, "question", "why");
    kit_publish(a, "answer", "perhaps");
    KIT_UNTIL(kit_counters(a).batches_published == 1);
    kit_publish(a, "answer", "because");

    tulle_node *c = kit_node("c", tulle_node_address(a));
    tulle_subscribe_options how;
    tulle_subscription *answers = NULL;
    tulle_subscribe_options_init(&how);
    how.order = TULLE_ORDER_FIFO;
    how.from = TULLE_FROM_LAST;
    how.from_count = 1;
    assert_status(tulle_node_subscribe(c, "answer", &how, &answers), TULLE_OK);
    (void)kit_expect(answers, "answer", "because");

    tulle_subscription *summaries = NULL;
    tulle_subscribe_options_init(&how);
    how.flags = TULLE_DETAIL_DEPS;
    assert_status(tulle_node_subscribe(a, "summary", &how, &summaries), TULLE_OK);
    assert_status(tulle_node_wait_peers(c, "summary", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish(c, "summary", "so");
    const tulle_event *event = kit_expect(summaries, "summary", "so");
    size_t questions = 0;
    for (size_t i = 0; i < event->dep_count; i++) {
        const tulle_clock_entry *dep = &event->deps[i];
        if (strcmp(dep->stream, "question") == 0 && dep->node == tulle_node_id(b))
            questions += (size_t)dep->count;
    }
    assert_int_equal(questions, 1);
}

/* What nobody keeps any more is not there to be read, and is no loss. */
TEST(earliest_is_what_is_kept)
{
    (void)state;
    tulle_node_options options;
    kit_options(&options, "a", NULL);
    options.batch_bytes = 1;
    options.retain_bytes = 4096;
    tulle_node *a = kit_start(&options);
    publish_and_settle(a, "x", 0, EVENTS);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    tulle_subscription *s = kit_subscribe_from(b, "x", TULLE_FROM_EARLIEST, 0);
    int first = kit_number(kit_receive(s));
    assert_in_range(first, 1, EVENTS - 2);
    kit_expect_numbers(s, "x", first + 1, EVENTS - first - 1);
    kit_expect_silence(s, 0);
}

/* An event outlives its publisher with those who took it. */
TEST(events_of_one_who_left_come_from_those_who_took_them)
{
    (void)state;
    tulle_node *keeper = kit_node("keeper", NULL);
    tulle_subscription *kept = kit_subscribe(keeper, "x");
    tulle_node *a = kit_node("a", tulle_node_address(keeper));
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    publish_and_settle(a, "x", 0, EVENTS);
    kit_expect_numbers(kept, "x", 0, EVENTS);
    uint64_t id = tulle_node_id(a);
    assert_status(tulle_node_flush(a, KIT_DEADLINE_MS), TULLE_OK);
    kit_free(&a);
    KIT_UNTIL(kit_counters(keeper).peers_up == 0);
    tulle_node *b = kit_node("b", tulle_node_address(keeper));
    tulle_subscription *s = kit_subscribe_from(b, "x", TULLE_FROM_EARLIEST, 0);
    for (int i = 0; i < EVENTS; i++) {
        const tulle_event *event = kit_receive(s);
        assert_int_equal(kit_number(event), i);
        assert_true(event->node == id);
        assert_true(event->is_repaired);
    }
    KIT_UNTIL(kit_counters(keeper).fetches_answered > 0);
}

/* Questions and answers of two nodes, read by one who comes when all is over. */
TEST(the_past_is_in_causal_order_too)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    tulle_subscription *questions = kit_subscribe(b, "question");
    tulle_subscription *answers = kit_subscribe(a, "answer");
    assert_status(tulle_node_wait_peers(a, "question", 1, KIT_DEADLINE_MS), TULLE_OK);
    assert_status(tulle_node_wait_peers(b, "answer", 1, KIT_DEADLINE_MS), TULLE_OK);
    for (int i = 0; i < 100; i++) {
        kit_publish_numbers(a, "question", i, 1);
        kit_expect_numbers(questions, "question", i, 1);
        kit_publish_numbers(b, "answer", i, 1);
        kit_expect_numbers(answers, "answer", i, 1);
    }
    tulle_node *c = kit_node("c", tulle_node_address(b));
    tulle_subscription *s = kit_subscribe_from(c, "**", TULLE_FROM_EARLIEST, 0);
    for (int i = 0; i < 100; i++) {
        kit_expect_numbers(s, "question", i, 1);
        kit_expect_numbers(s, "answer", i, 1);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(live_begins_now),
        KIT_TEST(earliest_begins_with_the_first),
        KIT_TEST(a_lane_tells_how_far_it_is_read),
        KIT_TEST(last_begins_so_many_before_the_end),
        KIT_TEST(last_begins_within_a_batch),
        KIT_TEST(fifo_begins_with_the_past_of_its_lane),
        KIT_TEST(earliest_is_what_is_kept),
        KIT_TEST(events_of_one_who_left_come_from_those_who_took_them),
        KIT_TEST(the_past_is_in_causal_order_too),
    };
    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
