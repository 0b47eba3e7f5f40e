/* SPDX-License-Identifier: MPL-2.0 */

/* Receivers that are slower than publishers: what waits is bounded everywhere, and
 * nothing is lost that somebody keeps. */

#include "integ_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAYLOAD = 1000,
    WINDOW = 100000,
    QUEUE = 65536,
    HELD = 262144,
    BACKLOG = 12000, /* events of PAYLOAD: far more than QUEUE and HELD */
    SLACK = 131072   /* a batch or two over the bound */
};

static void
fill(char payload[PAYLOAD], int number)
{
    memset(payload, '.', PAYLOAD);
    (void)snprintf(payload, 16, "%d", number);
}

static tulle_status
publish_number(tulle_node *node, int number, int timeout_ms)
{
    char payload[PAYLOAD];
    tulle_publish_options options;
    tulle_publish_options_init(&options);
    options.timeout_ms = timeout_ms;
    fill(payload, number);
    return tulle_node_publish(node, "x", payload, sizeof payload, &options);
}

static int
number_of(const tulle_event *event)
{
    assert_int_equal(event->payload_len, PAYLOAD);
    return (int)strtol(event->payload, NULL, 10); /* a NUL follows the digits */
}

static tulle_node *
slow_node(const char *join, tulle_subscription **out)
{
    tulle_node_options options;
    kit_options(&options, "b", &join);
    options.queue_bytes = QUEUE;
    options.held_bytes = HELD;
    tulle_node *node = kit_start(&options);
    *out = kit_subscribe(node, "x");
    return node;
}

/* The publisher that must not wait is told; one that may waits; nothing is lost. */
TEST(a_full_window_holds_publishers_back)
{
    (void)state;
    tulle_node_options options;
    kit_options(&options, "a", NULL);
    options.window_bytes = WINDOW;
    options.outbox_bytes = QUEUE;
    tulle_node *a = kit_start(&options);
    tulle_subscription *s = NULL;
    tulle_node *b = slow_node(tulle_node_address(a), &s);
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);

    int published = 0;
    tulle_status status = TULLE_OK;
    /* Both the window and what it holds up in the outbox, and the receiver's queue. */
    while (published < 100000 && (status = publish_number(a, published, 100)) == TULLE_OK)
        published++;
    assert_status(status, TULLE_EAGAIN);
    assert_in_range(published, WINDOW / PAYLOAD, 2000);
    assert_status(publish_number(a, published, 0), TULLE_EAGAIN);
    assert_true(kit_counters(a).unacked_now <= WINDOW + SLACK);
    assert_true(kit_counters(b).held_now <= HELD + SLACK);

    int received = 0;
    int64_t end = kit_now_ms() + KIT_DEADLINE_MS;
    while (received < 3000) {
        const tulle_message *message = NULL;
        assert_true(kit_now_ms() < end);
        while (published < 3000 && publish_number(a, published, 0) == TULLE_OK)
            published++;
        /* What filled the outbox may be on its way already: try again soon. */
        if (tulle_subscription_receive(s, &message, 10) != TULLE_OK)
            continue;
        assert_int_equal(message->kind, TULLE_MESSAGE_EVENT);
        assert_int_equal(number_of(&message->u.event), received);
        assert_int_equal(message->u.event.seq, ++received);
    }
    assert_status(tulle_node_flush(a, KIT_DEADLINE_MS), TULLE_OK);
    assert_int_equal(kit_counters(b).gaps, 0);
    KIT_UNTIL(kit_counters(a).unacked_now == 0);
}

/* A peer that is gone does not hold the window. */
TEST(a_window_opens_when_the_slow_one_goes)
{
    (void)state;
    tulle_node_options options;
    kit_options(&options, "a", NULL);
    options.window_bytes = WINDOW;
    options.outbox_bytes = QUEUE;
    tulle_node *a = kit_start(&options);
    tulle_subscription *s = NULL;
    tulle_node *b = slow_node(tulle_node_address(a), &s);
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    int published = 0;
    while (published < 100000 && publish_number(a, published, 100) == TULLE_OK)
        published++;
    assert_true(published < 2000);
    kit_free(&b);
    for (int i = 0; i < 1000; i++)
        assert_status(publish_number(a, i, KIT_DEADLINE_MS), TULLE_OK);
}

/* Without a window the publisher goes on; the receiver pulls at its own pace. */
TEST(a_stalled_receiver_stays_small_and_catches_up)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_subscription *s = NULL;
    tulle_node *b = slow_node(tulle_node_address(a), &s);
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    for (int i = 0; i < BACKLOG; i++) {
        assert_status(publish_number(a, i, -1), TULLE_OK);
        if (i % 100 == 0)
            assert_true(kit_counters(b).held_now <= HELD + SLACK);
    }
    KIT_UNTIL(kit_counters(a).events_published == BACKLOG);
    KIT_UNTIL(kit_counters(b).dropped_held_full > 0);
    assert_true(kit_counters(b).held_now <= HELD + SLACK);
    /* One arrival may let go of what was held, before the full queue is looked at. */
    assert_true(kit_counters(b).events_delivered * PAYLOAD <= QUEUE + HELD + SLACK);

    for (int i = 0; i < BACKLOG; i++) {
        const tulle_event *event = kit_receive(s);
        assert_int_equal(number_of(event), i);
        if (i % 100 == 0)
            assert_true(kit_counters(b).held_now <= HELD + SLACK);
    }
    assert_int_equal(kit_counters(b).gaps, 0);
    KIT_UNTIL(kit_counters(b).events_repaired > 0);
    assert_true(publish_number(a, BACKLOG, 0) == TULLE_OK);
    assert_int_equal(number_of(kit_receive(s)), BACKLOG);
}

/* One that is slower than retention lasts is told what it missed. */
TEST(a_receiver_that_is_too_slow_is_told_of_a_gap)
{
    (void)state;
    tulle_node_options options;
    kit_options(&options, "a", NULL);
    options.retain_bytes = 300000;
    tulle_node *a = kit_start(&options);
    tulle_subscription *s = NULL;
    tulle_node *b = slow_node(tulle_node_address(a), &s);
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    for (int i = 0; i < 5000; i++)
        assert_status(publish_number(a, i, -1), TULLE_OK);
    KIT_UNTIL(kit_counters(a).events_published == 5000);
    assert_true(kit_counters(a).retained_now <= 300000 + SLACK);
    int next = 0;
    int gaps = 0;
    while (next < 5000) {
        const tulle_message *message = NULL;
        assert_status(tulle_subscription_receive(s, &message, KIT_DEADLINE_MS), TULLE_OK);
        if (message->kind == TULLE_MESSAGE_EVENT) {
            assert_int_equal(number_of(&message->u.event), next++);
        } else {
            assert_int_equal(message->kind, TULLE_MESSAGE_GAP);
            assert_int_equal(message->u.gap.first, next + 1);
            next = (int)message->u.gap.last;
            gaps++;
        }
    }
    assert_true(gaps > 0);
    assert_int_equal(kit_counters(b).gaps, gaps);
}

/* One receiver that stands still does not hold up another one. */
TEST(a_stalled_receiver_does_not_disturb_others)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_subscription *stalled = NULL;
    (void)slow_node(tulle_node_address(a), &stalled);
    tulle_node *c = kit_node("c", tulle_node_address(a));
    tulle_subscription *s = kit_subscribe(c, "x");
    assert_status(tulle_node_wait_peers(a, "x", 2, KIT_DEADLINE_MS), TULLE_OK);
    for (int i = 0; i < 5000; i++) {
        assert_status(publish_number(a, i, -1), TULLE_OK);
        if (i % 10 == 9) {
            for (int k = i - 9; k <= i; k++)
                assert_int_equal(number_of(kit_receive(s)), k);
        }
    }
    assert_int_equal(kit_counters(c).gaps, 0);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(number_of(kit_receive(stalled)), i);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(a_full_window_holds_publishers_back),
        KIT_TEST(a_window_opens_when_the_slow_one_goes),
        KIT_TEST(a_stalled_receiver_stays_small_and_catches_up),
        KIT_TEST(a_receiver_that_is_too_slow_is_told_of_a_gap),
        KIT_TEST(a_stalled_receiver_does_not_disturb_others),
    };
    return cmocka_run_group_tests_name("pressure", tests, NULL, NULL);
}
