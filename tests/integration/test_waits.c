/* SPDX-License-Identifier: MPL-2.0 */

/* Waiting for peers and for acknowledgements, callbacks and what may be done in one. */

#include "integ_kit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHORT_MS = 150, ROUNDS = 10 };

/* What callbacks leave behind; assertions are for the test's thread. */
struct heard {
    tulle_node *node;
    atomic_int count;
    atomic_int gaps;
    atomic_int last;
    atomic_int errors;
    atomic_int statuses[6];
    atomic_bool is_blocked;
    const char *address;
    tulle_subscription *subscription;
};

static tulle_subscription *
listen_to(tulle_node *node, const char *pattern, tulle_message_fn fn, void *ctx)
{
    tulle_subscribe_options options;
    tulle_subscription *subscription = NULL;
    tulle_subscribe_options_init(&options);
    options.fn = fn;
    options.ctx = ctx;
    assert_status(tulle_node_subscribe(node, pattern, &options, &subscription), TULLE_OK);
    return subscription;
}

static int
number_of(const tulle_event *event)
{
    char text[16] = "";
    memcpy(text, event->payload, event->payload_len < 15 ? event->payload_len : 15);
    return (int)strtol(text, NULL, 10);
}

static void
count_message(const tulle_message *message, void *ctx)
{
    struct heard *heard = ctx;
    if (message->kind != TULLE_MESSAGE_EVENT) {
        atomic_fetch_add(&heard->gaps, 1);
        return;
    }
    int number = number_of(&message->u.event);
    if (number != atomic_load(&heard->last) + 1)
        atomic_fetch_add(&heard->errors, 1);
    atomic_store(&heard->last, number);
    atomic_fetch_add(&heard->count, 1);
}

/* ---- waiting ---- */

TEST(waiting_for_peers_has_an_end)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    int64_t start = kit_now_ms();
    assert_status(tulle_node_wait_peers(a, NULL, 1, SHORT_MS), TULLE_ETIMEDOUT);
    assert_true(kit_now_ms() - start >= SHORT_MS);
    assert_status(tulle_node_wait_peers(a, NULL, 1, 0), TULLE_ETIMEDOUT);
    assert_status(tulle_node_wait_peers(a, NULL, 0, 0), TULLE_OK);

    tulle_node *b = kit_node("b", tulle_node_address(a));
    assert_status(tulle_node_wait_peers(a, NULL, 1, -1), TULLE_OK);
    assert_status(tulle_node_wait_peers(a, NULL, 2, SHORT_MS), TULLE_ETIMEDOUT);
    assert_status(tulle_node_wait_peers(a, "x", 1, SHORT_MS), TULLE_ETIMEDOUT);
    (void)kit_subscribe(b, "x/**");
    assert_status(tulle_node_wait_peers(a, "x/y", 1, KIT_DEADLINE_MS), TULLE_OK);
    assert_status(tulle_node_wait_peers(a, "y", 1, 0), TULLE_ETIMEDOUT);
}

/* Whoever is counted misses nothing from then on, whichever of the two joined. */
TEST(the_first_event_after_the_wait_comes)
{
    for (int round = 0; round < ROUNDS; round++) {
        tulle_node *a = kit_node("a", NULL);
        tulle_node *b = kit_node("b", tulle_node_address(a));
        (void)(round % 2 == 0 ? kit_expect_first(a, b) : kit_expect_first(b, a));
        assert_int_equal(kit_teardown(state), 0);
    }
}

TEST(flush_is_immediate_when_nobody_takes)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    assert_status(tulle_node_flush(a, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish(a, "x", "1");
    assert_status(tulle_node_flush(a, KIT_DEADLINE_MS), TULLE_OK);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    (void)kit_subscribe(b, "y");
    assert_status(tulle_node_wait_peers(a, "y", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish(a, "x", "2");
    assert_status(tulle_node_flush(a, KIT_DEADLINE_MS), TULLE_OK);
}

TEST(after_a_flush_everything_is_delivered)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    tulle_node *c = kit_node("c", tulle_node_address(a));
    struct heard at_b = { .last = -1 };
    struct heard at_c = { .last = -1 };
    (void)listen_to(b, "x", count_message, &at_b);
    (void)listen_to(c, "**", count_message, &at_c);
    assert_status(tulle_node_wait_peers(a, "x", 2, KIT_DEADLINE_MS), TULLE_OK);
    for (int round = 0; round < 5; round++) {
        kit_publish_numbers(a, "x", round * 1000, 1000);
        assert_status(tulle_node_flush(a, KIT_DEADLINE_MS), TULLE_OK);
        assert_int_equal(atomic_load(&at_b.count), (round + 1) * 1000);
        assert_int_equal(atomic_load(&at_c.count), (round + 1) * 1000);
    }
    assert_int_equal(atomic_load(&at_b.errors) + atomic_load(&at_c.errors), 0);
    assert_int_equal(atomic_load(&at_b.gaps) + atomic_load(&at_c.gaps), 0);
    KIT_UNTIL(kit_counters(a).unacked_now == 0);
}

static void
block(const tulle_message *message, void *ctx)
{
    (void)message;
    struct heard *heard = ctx;
    while (atomic_load(&heard->is_blocked))
        kit_pause_ms(1);
}

/* A peer that takes and does not get on holds a flush up until its time is over. */
TEST(flush_has_an_end)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    struct heard heard = { .is_blocked = true };
    (void)listen_to(b, "x", block, &heard);
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish(a, "x", "1");
    tulle_status first = tulle_node_flush(a, SHORT_MS);
    tulle_status at_once = tulle_node_flush(a, 0);
    atomic_store(&heard.is_blocked, false);
    assert_status(first, TULLE_ETIMEDOUT);
    assert_status(at_once, TULLE_ETIMEDOUT);
    assert_status(tulle_node_flush(a, KIT_DEADLINE_MS), TULLE_OK);
}

static void *
stop_later(void *node)
{
    kit_pause_ms(SHORT_MS);
    tulle_node_stop(node, 0);
    return NULL;
}

/* Whoever waits for ever is told when the node stops. */
TEST(a_stop_ends_all_waits)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_subscription *s = kit_subscribe(a, "x");
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, stop_later, a), 0);
    tulle_status status = tulle_node_wait_peers(a, NULL, 1, -1);
    const tulle_message *message;
    tulle_status received = tulle_subscription_receive(s, &message, -1);
    (void)pthread_join(thread, NULL);
    assert_status(status, TULLE_ESTATE);
    assert_status(received, TULLE_ESTATE);
    assert_status(tulle_node_start(a, NULL), TULLE_ESTATE);
}

TEST(nothing_works_before_the_start)
{
    (void)state;
    tulle_node_options options;
    kit_options(&options, "a", NULL);
    tulle_node *a = kit_make(&options);
    assert_status(tulle_node_publish(a, "x", "1", 1, NULL), TULLE_ESTATE);
    assert_status(tulle_node_flush(a, 0), TULLE_ESTATE);
    assert_status(tulle_node_wait_peers(a, NULL, 0, 0), TULLE_ESTATE);
    assert_status(tulle_node_join(a, "tcp://127.0.0.1:1"), TULLE_ESTATE);
    assert_string_equal(tulle_node_address(a), "");
    assert_string_equal(tulle_node_name(a), "a");
    assert_int_equal(kit_counters(a).beats_sent, 0);
    tulle_node_stop(a, 0);
    assert_status(tulle_node_start(a, NULL), TULLE_ESTATE);
}

/* ---- callbacks ---- */

TEST(callbacks_get_everything_in_order)
{
    (void)state;
    tulle_node_options options;
    kit_options(&options, "b", NULL);
    tulle_node *b = kit_make(&options);
    struct heard heard = { .last = -1 };
    (void)listen_to(b, "x/**", count_message, &heard); /* before the start */
    assert_status(tulle_node_start(b, NULL), TULLE_OK);
    tulle_node *a = kit_node("a", tulle_node_address(b));
    assert_status(tulle_node_wait_peers(a, "x/**", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish_numbers(a, "x/y", 0, 3000);
    KIT_UNTIL(atomic_load(&heard.count) == 3000);
    assert_int_equal(atomic_load(&heard.errors), 0);
    const tulle_message *message;
    tulle_subscription *s = listen_to(b, "z", count_message, &heard);
    assert_status(tulle_subscription_receive(s, &message, 0), TULLE_EINVAL);
    assert_int_equal(tulle_subscription_fd(s), -1);
    tulle_subscription_free(&s);
}

static void
reply(const tulle_message *message, void *ctx)
{
    struct heard *heard = ctx;
    const tulle_event *event = &message->u.event;
    tulle_event_ref cause = { event->node, event->stream, event->seq };
    tulle_publish_options options;
    tulle_publish_options_init(&options);
    options.causes = &cause;
    options.cause_count = 1;
    if (message->kind != TULLE_MESSAGE_EVENT ||
        tulle_node_publish(heard->node, "pong", event->payload, event->payload_len, &options) !=
            TULLE_OK)
        atomic_fetch_add(&heard->errors, 1);
}

TEST(a_callback_may_publish)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    struct heard heard = { .node = b };
    (void)listen_to(b, "ping", reply, &heard);
    tulle_subscription *s = kit_subscribe(a, "pong");
    assert_status(tulle_node_wait_peers(a, "ping", 1, KIT_DEADLINE_MS), TULLE_OK);
    assert_status(tulle_node_wait_peers(b, "pong", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish_numbers(a, "ping", 0, 200);
    for (int i = 0; i < 200; i++) {
        const tulle_event *event = kit_receive(s);
        assert_int_equal(kit_number(event), i);
        assert_int_equal(event->cause_count, 1);
        assert_true(event->causes[0].node == tulle_node_id(a));
        assert_int_equal(event->causes[0].seq, i + 1);
    }
    assert_int_equal(atomic_load(&heard.errors), 0);
    assert_status(tulle_node_flush(b, KIT_DEADLINE_MS), TULLE_OK);
}

/* What waits, or asks the thread that it runs on, is refused in a callback. */
static void
try_everything(const tulle_message *message, void *ctx)
{
    (void)message;
    struct heard *heard = ctx;
    tulle_publish_options options;
    tulle_publish_options_init(&options);
    static const char big[8192];
    if (atomic_fetch_add(&heard->count, 1) > 0)
        return;
    atomic_store(&heard->statuses[0], tulle_node_flush(heard->node, -1));
    atomic_store(&heard->statuses[1], tulle_node_wait_peers(heard->node, NULL, 9, -1));
    atomic_store(&heard->statuses[2], tulle_node_peers(heard->node, NULL, NULL));
    atomic_store(&heard->statuses[3], tulle_node_join(heard->node, heard->address));
    atomic_store(&heard->statuses[4],
                 tulle_node_subscribe(heard->node, "later", NULL, &heard->subscription));
    tulle_status status = TULLE_OK;
    for (int i = 0; i < 100 && status == TULLE_OK; i++)
        status = tulle_node_publish(heard->node, "much", big, sizeof big, &options);
    atomic_store(&heard->statuses[5], status);
}

TEST(a_callback_may_subscribe_and_join_and_never_waits)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *c = kit_node("c", NULL);
    tulle_node_options options;
    const char *join = tulle_node_address(a);
    kit_options(&options, "b", &join);
    options.outbox_bytes = 65536;
    tulle_node *b = kit_start(&options);
    struct heard heard = { .node = b, .address = tulle_node_address(c) };
    (void)listen_to(b, "x", try_everything, &heard);
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish(a, "x", "1");
    KIT_UNTIL(atomic_load(&heard.count) == 1);
    kit_publish(a, "x", "2"); /* the first call is over when the second comes */
    KIT_UNTIL(atomic_load(&heard.count) == 2);
    assert_int_equal(atomic_load(&heard.statuses[0]), TULLE_ESTATE);
    assert_int_equal(atomic_load(&heard.statuses[1]), TULLE_ESTATE);
    assert_int_equal(atomic_load(&heard.statuses[2]), TULLE_ESTATE);
    assert_int_equal(atomic_load(&heard.statuses[3]), TULLE_OK);
    assert_int_equal(atomic_load(&heard.statuses[4]), TULLE_OK);
    assert_int_equal(atomic_load(&heard.statuses[5]), TULLE_EAGAIN);

    assert_status(tulle_node_wait_peers(c, "later", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish(c, "later", "3");
    (void)kit_expect(heard.subscription, "later", "3");
}

/* A subscription that could not be made in the end is closed, and still freed. */
static void
subscribe_in_vain(const tulle_message *message, void *ctx)
{
    (void)message;
    struct heard *heard = ctx;
    tulle_subscribe_options options;
    tulle_subscribe_options_init(&options);
    options.from = TULLE_FROM_EARLIEST;
    atomic_store(&heard->statuses[0],
                 tulle_node_subscribe(heard->node, "x", &options, &heard->subscription));
    options.fn = count_message;
    options.ctx = heard;
    atomic_store(&heard->statuses[1], tulle_node_subscribe(heard->node, "x", &options, NULL));
    atomic_fetch_add(&heard->count, 1);
}

TEST(a_subscription_that_fails_later_is_closed)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    struct heard heard = { .node = b };
    (void)listen_to(b, "x", subscribe_in_vain, &heard);
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish(a, "x", "1");
    KIT_UNTIL(atomic_load(&heard.count) == 1);
    assert_int_equal(atomic_load(&heard.statuses[0]), TULLE_OK);
    assert_int_equal(atomic_load(&heard.statuses[1]), TULLE_OK);
    const tulle_message *message;
    assert_status(tulle_subscription_receive(heard.subscription, &message, KIT_DEADLINE_MS),
                  TULLE_ESTATE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(waiting_for_peers_has_an_end),
        KIT_TEST(the_first_event_after_the_wait_comes),
        KIT_TEST(flush_is_immediate_when_nobody_takes),
        KIT_TEST(after_a_flush_everything_is_delivered),
        KIT_TEST(flush_has_an_end),
        KIT_TEST(a_stop_ends_all_waits),
        KIT_TEST(nothing_works_before_the_start),
        KIT_TEST(callbacks_get_everything_in_order),
        KIT_TEST(a_callback_may_publish),
        KIT_TEST(a_callback_may_subscribe_and_join_and_never_waits),
        KIT_TEST(a_subscription_that_fails_later_is_closed),
    };
    return cmocka_run_group_tests_name("waits and callbacks", tests, NULL, NULL);
}
