/* SPDX-License-Identifier: MPL-2.0 */

/* What a bad network does to events between two nodes, and what receivers see of it. */

#include "integ_kit.h"
#include "proc_kit.h"

#include <stdio.h>
#include <string.h>

enum { EVENTS = 2000, LATE_MS = 200, ROUNDS = 5 };

/* A publisher whose events pass a relay with these faults; one event a batch. */
static tulle_node *
relayed_node(struct kit_place *place, const char *option, const char *value, uint64_t retain_bytes)
{
    kit_place_init(place);
    struct proc *relay = proc_start("tulle-test-relay", "--tcp", place->control_link, "--events",
                                    place->events_link, option, value, NULL);
    proc_wait_text(relay, PROC_OUT, "ready");
    tulle_node_options options;
    kit_options(&options, "a", NULL);
    kit_place_use(place, &options);
    options.batch_bytes = 1;
    options.retain_bytes = retain_bytes;
    return kit_start(&options);
}

/* For tests that are about what comes live. The relay connects when it likes: publish until
 * something comes through it. What was subscribed to before passes as well then. */
static void
warm_up(tulle_node *publisher, tulle_node *receiver)
{
    tulle_subscription *s = kit_subscribe(receiver, "warm");
    assert_status(tulle_node_wait_peers(publisher, "warm", 1, KIT_DEADLINE_MS), TULLE_OK);
    int64_t end = kit_now_ms() + KIT_DEADLINE_MS;
    bool is_live = false;
    while (!is_live) {
        assert_true(kit_now_ms() < end);
        const tulle_message *message = NULL;
        kit_publish(publisher, "warm", "up");
        is_live = tulle_subscription_receive(s, &message, LATE_MS) == TULLE_OK &&
                  message->kind == TULLE_MESSAGE_EVENT && !message->u.event.is_repaired;
    }
    tulle_subscription_free(&s);
}

/* For those who take everything, also what warm_up() leaves behind. */
static const tulle_event *
expect_beyond(tulle_subscription *s, const char *topic, int number)
{
    const tulle_event *event = kit_receive(s);
    while (strcmp(event->topic, "warm") == 0)
        event = kit_receive(s);
    assert_string_equal(event->topic, topic);
    assert_int_equal(kit_number(event), number);
    return event;
}

static void
tell_relay(struct proc *relay, const char *command)
{
    size_t answers = proc_count_lines(relay, PROC_OUT);
    proc_write(relay, command, strlen(command));
    proc_wait_lines(relay, PROC_OUT, answers + 1);
}

static void
expect_first_through(const char *option, const char *value)
{
    struct kit_place place;
    tulle_node *a = relayed_node(&place, option, value, UINT64_C(64) << 20);
    tulle_node *b = kit_node("b", place.control);
    (void)kit_expect_first(a, b);
}

/* The relay connects, and passes subscriptions on, when it likes: what is published as
 * soon as the subscriber is counted need not come through. */
TEST(the_first_event_after_the_wait_comes_through_a_slow_relay)
{
    for (int round = 0; round < ROUNDS; round++) {
        expect_first_through("--delay", "=50");
        assert_int_equal(kit_teardown(state), 0);
        expect_first_through("--drop", "=50");
        assert_int_equal(kit_teardown(state), 0);
        expect_first_through("--drop", "first=100");
        assert_int_equal(kit_teardown(state), 0);
    }
}

/* No publication passes, no beat either. */
TEST(who_hears_nothing_still_gets_the_first_event)
{
    (void)state;
    expect_first_through("--drop", "=100");
}

TEST(what_is_lost_is_repaired)
{
    (void)state;
    struct kit_place place;
    tulle_node *a = relayed_node(&place, "--drop", "x=20", UINT64_C(64) << 20);
    tulle_node *b = kit_node("b", place.control);
    tulle_subscription *s = kit_subscribe(b, "x");
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish_numbers(a, "x", 0, EVENTS);
    kit_expect_numbers(s, "x", 0, EVENTS);
    kit_expect_silence(s, 0);
    assert_int_equal(kit_counters(b).gaps, 0);
    KIT_UNTIL(kit_counters(b).events_delivered >= EVENTS);
    assert_in_range(kit_counters(b).events_repaired, EVENTS / 10, EVENTS);
    assert_status(tulle_node_flush(a, KIT_DEADLINE_MS), TULLE_OK);
}

/* Beats are lost as well here, and the last events of all. */
TEST(a_lost_end_is_repaired)
{
    (void)state;
    struct kit_place place;
    tulle_node *a = relayed_node(&place, "--drop", "=30", UINT64_C(64) << 20);
    tulle_node *b = kit_node("b", place.control);
    tulle_subscription *s = kit_subscribe(b, "x");
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    for (int i = 0; i < 40; i++) {
        kit_publish_numbers(a, "x", i, 1);
        kit_expect_numbers(s, "x", i, 1);
    }
    assert_int_equal(kit_counters(b).gaps, 0);
}

/* No event passes, only beats: who leaves stays until they were fetched. */
TEST(who_leaves_waits_for_what_is_lost)
{
    (void)state;
    struct kit_place place;
    tulle_node *a = relayed_node(&place, "--drop", "x=100", UINT64_C(64) << 20);
    tulle_node *b = kit_node("b", place.control);
    tulle_subscription *s = kit_subscribe(b, "x");
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish_numbers(a, "x", 0, EVENTS);
    tulle_node_stop(a, KIT_DEADLINE_MS);
    assert_int_equal(kit_counters(a).unacked_now, 0);
    kit_expect_numbers(s, "x", 0, EVENTS);
    assert_int_equal(kit_counters(b).gaps, 0);
}

TEST(what_comes_twice_is_delivered_once)
{
    (void)state;
    struct kit_place place;
    tulle_node *a = relayed_node(&place, "--duplicate", "x=30", UINT64_C(64) << 20);
    tulle_node *b = kit_node("b", place.control);
    tulle_subscription *s = kit_subscribe(b, "x");
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    warm_up(a, b);
    kit_publish_numbers(a, "x", 0, EVENTS);
    kit_expect_numbers(s, "x", 0, EVENTS);
    kit_expect_silence(s, 0);
    KIT_UNTIL(kit_counters(b).events_duplicate >= EVENTS / 5);
}

/* a publishes a cause, which is late at c, and a hint, on which b reacts at once: the
 * reaction is at c before the cause is, and must wait for it. */
static void
react_before_cause(uint32_t fetch_delay_ms)
{
    struct kit_place place;
    char value[32];
    (void)snprintf(value, sizeof value, "cause=%d", LATE_MS);
    tulle_node *a = relayed_node(&place, "--delay", value, UINT64_C(64) << 20);
    tulle_node *b = kit_node("b", place.control);
    tulle_subscription *hints = kit_subscribe(b, "hint");
    tulle_node_options options;
    const char *join = place.control;
    kit_options(&options, "c", &join);
    options.fetch_delay_ms = fetch_delay_ms;
    tulle_node *c = kit_start(&options);
    tulle_subscription *s = kit_subscribe(c, "**");
    assert_status(tulle_node_wait_peers(a, "cause", 1, KIT_DEADLINE_MS), TULLE_OK);
    assert_status(tulle_node_wait_peers(a, "hint", 2, KIT_DEADLINE_MS), TULLE_OK);
    assert_status(tulle_node_wait_peers(b, "reaction", 1, KIT_DEADLINE_MS), TULLE_OK);
    warm_up(a, b);
    warm_up(b, c);
    warm_up(a, c);
    for (int i = 0; i < 5; i++) {
        kit_publish_numbers(a, "cause", i, 1);
        kit_publish_numbers(a, "hint", i, 1);
        kit_expect_numbers(hints, "hint", i, 1);
        kit_publish_numbers(b, "reaction", i, 1);
        (void)expect_beyond(s, "cause", i);
        (void)expect_beyond(s, "hint", i);
        const tulle_event *reaction = expect_beyond(s, "reaction", i);
        assert_true(reaction->held_us > 0);
        assert_true(reaction->waited_for.node == tulle_node_id(a));
        assert_true(reaction->waited_for.count > 0);
    }
    KIT_UNTIL(kit_counters(c).events_held >= 10);
    assert_int_equal(kit_counters(c).gaps, 0);
}

TEST(a_reaction_waits_for_a_late_cause)
{
    (void)state;
    react_before_cause(10 * LATE_MS);
}

TEST(a_late_cause_is_fetched_by_those_who_do_not_wait)
{
    (void)state;
    react_before_cause(10);
}

/* In fifo order each lane is for itself: nothing waits for another one. */
TEST(fifo_does_not_wait_for_other_lanes)
{
    (void)state;
    struct kit_place place;
    tulle_node *a = relayed_node(&place, "--delay", "slow=300", UINT64_C(64) << 20);
    tulle_node_options options;
    const char *join = place.control;
    kit_options(&options, "b", &join);
    options.fetch_delay_ms = 5000;
    tulle_node *b = kit_start(&options);
    tulle_subscribe_options how;
    tulle_subscription *s = NULL;
    tulle_subscribe_options_init(&how);
    how.order = TULLE_ORDER_FIFO;
    assert_status(tulle_node_subscribe(b, "**", &how, &s), TULLE_OK);
    assert_status(tulle_node_wait_peers(a, "slow", 1, KIT_DEADLINE_MS), TULLE_OK);
    warm_up(a, b);
    kit_publish_numbers(a, "slow", 0, 5);
    kit_publish_numbers(a, "fast", 0, 5);
    for (int i = 0; i < 5; i++)
        (void)expect_beyond(s, "fast", i);
    for (int i = 0; i < 5; i++)
        (void)expect_beyond(s, "slow", i);
}

/* Without order nothing is asked for again; the holes are told. */
TEST(no_order_means_no_repair)
{
    (void)state;
    struct kit_place place;
    tulle_node *a = relayed_node(&place, "--drop", "x=20", UINT64_C(64) << 20);
    tulle_node *b = kit_node("b", place.control);
    tulle_subscribe_options how;
    tulle_subscription *s = NULL;
    tulle_subscribe_options_init(&how);
    how.order = TULLE_ORDER_NONE;
    assert_status(tulle_node_subscribe(b, "x", &how, &s), TULLE_OK);
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    warm_up(a, b);
    kit_publish_numbers(a, "x", 0, EVENTS);
    int events = 0;
    int missing = 0;
    while (events + missing < EVENTS) {
        const tulle_message *message = NULL;
        assert_status(tulle_subscription_receive(s, &message, KIT_DEADLINE_MS), TULLE_OK);
        if (message->kind == TULLE_MESSAGE_EVENT) {
            assert_false(message->u.event.is_repaired);
            events++;
        } else {
            assert_int_equal(message->kind, TULLE_MESSAGE_GAP);
            assert_int_equal(message->u.gap.reason, TULLE_GAP_BEST_EFFORT);
            missing += (int)(message->u.gap.last - message->u.gap.first + 1);
        }
    }
    assert_int_equal(events + missing, EVENTS);
    assert_in_range(missing, EVENTS / 10, EVENTS - 1);
}

/* What was let go of before it could be fetched is told as a gap, exactly. */
TEST(what_nobody_keeps_is_a_gap)
{
    (void)state;
    struct kit_place place;
    kit_place_init(&place);
    struct proc *relay = proc_start("tulle-test-relay", "--tcp", place.control_link, "--events",
                                    place.events_link, NULL);
    proc_wait_text(relay, PROC_OUT, "ready");
    tulle_node_options options;
    kit_options(&options, "a", NULL);
    kit_place_use(&place, &options);
    options.batch_bytes = 1;
    options.retain_bytes = 2048;
    tulle_node *a = kit_start(&options);
    tulle_node *b = kit_node("b", place.control);
    tulle_subscription *s = kit_subscribe(b, "x");
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish_numbers(a, "x", 0, 1);
    kit_expect_numbers(s, "x", 0, 1);

    tell_relay(relay, "stall\n");
    kit_publish_numbers(a, "x", 1, EVENTS);
    KIT_UNTIL(kit_counters(a).events_published >= EVENTS + 1);
    tell_relay(relay, "cut\n"); /* what waits in the relay is lost for good */
    tell_relay(relay, "unstall\n");
    tell_relay(relay, "heal\n");
    kit_publish_numbers(a, "x", EVENTS + 1, 1);

    int next = 1;
    int missing = 0;
    while (next <= EVENTS + 1) {
        const tulle_message *message = NULL;
        assert_status(tulle_subscription_receive(s, &message, KIT_DEADLINE_MS), TULLE_OK);
        if (message->kind == TULLE_MESSAGE_EVENT) {
            assert_int_equal(kit_number(&message->u.event), next++);
            continue;
        }
        const tulle_gap *gap = &message->u.gap;
        assert_int_equal(message->kind, TULLE_MESSAGE_GAP);
        assert_true(gap->node == tulle_node_id(a));
        assert_string_equal(gap->node_name, "a");
        assert_string_equal(gap->stream, "x");
        assert_int_equal(gap->first, next + 1);
        assert_int_equal(gap->reason, TULLE_GAP_EVICTED);
        missing += (int)(gap->last - gap->first + 1);
        next = (int)gap->last;
    }
    assert_true(missing > 0);
    KIT_UNTIL(kit_counters(b).events_given_up == (uint64_t)missing);
    kit_publish_numbers(a, "x", next, 5);
    kit_expect_numbers(s, "x", next, 5);
}

/* Every wire is cut while much is published; later all of it is there. */
TEST(a_partition_heals_without_loss)
{
    (void)state;
    struct kit_place place;
    kit_place_init(&place);
    struct proc *relay = proc_start("tulle-test-relay", "--tcp", place.control_link, "--events",
                                    place.events_link, NULL);
    proc_wait_text(relay, PROC_OUT, "ready");
    tulle_node_options options;
    kit_options(&options, "a", NULL);
    kit_place_use(&place, &options);
    options.batch_bytes = 1;
    tulle_node *a = kit_start(&options);
    tulle_node *b = kit_node("b", place.control);
    tulle_subscription *s = kit_subscribe(b, "x");
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish_numbers(a, "x", 0, 100);
    kit_expect_numbers(s, "x", 0, 100);
    tell_relay(relay, "cut\n");
    kit_publish_numbers(a, "x", 100, EVENTS);
    KIT_UNTIL(kit_counters(a).events_published >= EVENTS + 100);
    kit_expect_silence(s, LATE_MS);
    tell_relay(relay, "heal\n");
    kit_expect_numbers(s, "x", 100, EVENTS);
    assert_int_equal(kit_counters(b).gaps, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(the_first_event_after_the_wait_comes_through_a_slow_relay),
        KIT_TEST(who_hears_nothing_still_gets_the_first_event),
        KIT_TEST(what_is_lost_is_repaired),
        KIT_TEST(a_lost_end_is_repaired),
        KIT_TEST(who_leaves_waits_for_what_is_lost),
        KIT_TEST(what_comes_twice_is_delivered_once),
        KIT_TEST(a_reaction_waits_for_a_late_cause),
        KIT_TEST(a_late_cause_is_fetched_by_those_who_do_not_wait),
        KIT_TEST(fifo_does_not_wait_for_other_lanes),
        KIT_TEST(no_order_means_no_repair),
        KIT_TEST(what_nobody_keeps_is_a_gap),
        KIT_TEST(a_partition_heals_without_loss),
    };
    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
