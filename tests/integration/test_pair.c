/* SPDX-License-Identifier: MPL-2.0 */

/* Two nodes: what is published at one is received at the other, whole. */

#include "integ_kit.h"
#include "proc_kit.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SOON_MS = 200 };

TEST(events_cross_over_tcp)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    tulle_subscription *s = kit_subscribe(b, "orders/**");
    assert_status(tulle_node_wait_peers(a, "orders/**", 1, KIT_DEADLINE_MS), TULLE_OK);

    kit_publish(a, "orders/eu/placed", "17");
    const tulle_event *event = kit_expect(s, "orders/eu/placed", "17");
    assert_string_equal(event->stream, "orders");
    assert_string_equal(event->node_name, "a");
    assert_true(event->node == tulle_node_id(a));
    assert_int_equal(event->seq, 1);
    assert_null(event->content_type);
    assert_int_equal(event->cause_count, 0);
    assert_int_equal(event->header_count, 0);
    assert_int_equal(event->hops, 0);
    assert_false(event->is_repaired);
    assert_true(event->hlc >> 12 == (uint64_t)event->time_us);

    kit_publish(a, "orders", "18");
    assert_int_equal(kit_expect(s, "orders", "18")->seq, 2);
}

TEST(events_cross_over_ipc)
{
    (void)state;
    char address[160];
    tulle_node_options options;
    kit_options(&options, "a", NULL);
    (void)snprintf(address, sizeof address, "ipc://%s/a", proc_directory());
    options.listen[0] = address;
    tulle_node *a = kit_start(&options);
    assert_string_equal(tulle_node_address(a), address);

    char other[160];
    const char *join = address;
    kit_options(&options, "b", &join);
    (void)snprintf(other, sizeof other, "ipc://%s/b", proc_directory());
    options.listen[0] = other;
    tulle_node *b = kit_start(&options);
    tulle_subscription *s = kit_subscribe(b, "**");
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish_numbers(a, "x/y", 0, 100);
    kit_expect_numbers(s, "x/y", 0, 100);
    assert_status(tulle_node_flush(a, KIT_DEADLINE_MS), TULLE_OK);
}

TEST(both_directions_work_whoever_joined)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    tulle_subscription *at_a = kit_subscribe(a, "from-b");
    tulle_subscription *at_b = kit_subscribe(b, "from-a");
    assert_status(tulle_node_wait_peers(a, "from-a", 1, KIT_DEADLINE_MS), TULLE_OK);
    assert_status(tulle_node_wait_peers(b, "from-b", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish_numbers(a, "from-a", 0, 50);
    kit_publish_numbers(b, "from-b", 100, 50);
    kit_expect_numbers(at_b, "from-a", 0, 50);
    kit_expect_numbers(at_a, "from-b", 100, 50);
}

TEST(only_what_matches_is_received)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    tulle_subscription *one = kit_subscribe(b, "a/*/c");
    tulle_subscription *all = kit_subscribe(b, "a/**");
    assert_status(tulle_node_wait_peers(a, "a/**", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish(a, "a/b/c", "1");
    kit_publish(a, "other", "2");
    kit_publish(a, "a/b/c/d", "3");
    kit_publish(a, "a/x/c", "4");
    (void)kit_expect(all, "a/b/c", "1");
    (void)kit_expect(all, "a/b/c/d", "3");
    (void)kit_expect(all, "a/x/c", "4");
    (void)kit_expect(one, "a/b/c", "1");
    (void)kit_expect(one, "a/x/c", "4");
    kit_expect_silence(one, 0);
    kit_expect_silence(all, 0);
}

/* A stream of several levels is a lane of its own. */
TEST(streams_have_the_levels_that_were_asked_for)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    tulle_subscription *s = kit_subscribe(b, "s/2/**");
    assert_status(tulle_node_wait_peers(a, "s/2/**", 1, KIT_DEADLINE_MS), TULLE_OK);
    tulle_publish_options options;
    tulle_publish_options_init(&options);
    options.stream_levels = 2;
    assert_status(tulle_node_publish(a, "s/1/t", "1", 1, &options), TULLE_OK);
    assert_status(tulle_node_publish(a, "s/2/t", "2", 1, &options), TULLE_OK);
    const tulle_event *event = kit_expect(s, "s/2/t", "2");
    assert_string_equal(event->stream, "s/2");
    assert_int_equal(event->seq, 1);
}

TEST(headers_causes_and_content_type_come_along)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    tulle_subscription *s = kit_subscribe(b, "**");
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish(a, "cause", "first");
    (void)kit_expect(s, "cause", "first");

    const tulle_header headers[] = { { "trace", "4bf92f35" }, { "empty", "" } };
    const tulle_event_ref causes[] = { { tulle_node_id(a), "cause", 1 },
                                       { UINT64_C(0xa11ce00000000001), "far/away", 12345 } };
    tulle_publish_options options;
    tulle_publish_options_init(&options);
    options.content_type = "text/plain";
    options.headers = headers;
    options.header_count = 2;
    options.causes = causes;
    options.cause_count = 2;
    assert_status(tulle_node_publish(a, "effect", "second", 6, &options), TULLE_OK);
    const tulle_event *event = kit_expect(s, "effect", "second");
    assert_string_equal(event->content_type, "text/plain");
    assert_int_equal(event->header_count, 2);
    assert_string_equal(event->headers[0].name, "trace");
    assert_string_equal(event->headers[0].value, "4bf92f35");
    assert_string_equal(event->headers[1].name, "empty");
    assert_string_equal(event->headers[1].value, "");
    assert_int_equal(event->cause_count, 2);
    assert_true(event->causes[0].node == tulle_node_id(a));
    assert_string_equal(event->causes[0].stream, "cause");
    assert_int_equal(event->causes[0].seq, 1);
    assert_string_equal(event->causes[1].stream, "far/away");
    assert_int_equal(event->causes[1].seq, 12345);
}

TEST(a_payload_may_be_empty)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    tulle_subscription *s = kit_subscribe(b, "x");
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    assert_status(tulle_node_publish(a, "x", NULL, 0, NULL), TULLE_OK);
    const tulle_event *event = kit_receive(s);
    assert_int_equal(event->payload_len, 0);
    assert_null(event->payload);
    assert_status(tulle_node_publish(a, "x", NULL, 1, NULL), TULLE_EINVAL);
}

TEST(the_biggest_payload_passes_and_a_bigger_one_is_refused)
{
    (void)state;
    enum { BIGGEST = 16 * 1024 * 1024 };
    tulle_node_options options;
    kit_options(&options, "a", NULL);
    options.event_bytes_max = BIGGEST;
    options.outbox_bytes = 4096; /* one event always fits */
    tulle_node *a = kit_start(&options);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    tulle_subscription *s = kit_subscribe(b, "x");
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    uint8_t *payload = malloc((size_t)BIGGEST + 1);
    assert_non_null(payload);
    for (size_t i = 0; i < BIGGEST; i++)
        payload[i] = (uint8_t)(i * 2654435761u >> 13);
    assert_status(tulle_node_publish(a, "x", payload, (size_t)BIGGEST + 1, NULL), TULLE_EMSGSIZE);
    assert_status(tulle_node_publish(a, "x", payload, BIGGEST, NULL), TULLE_OK);
    kit_publish(a, "x", "after");
    const tulle_event *event = kit_receive(s);
    assert_int_equal(event->payload_len, BIGGEST);
    int difference = memcmp(event->payload, payload, BIGGEST);
    free(payload);
    assert_int_equal(difference, 0);
    (void)kit_expect(s, "x", "after");
}

TEST(wrong_arguments_are_refused)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_publish_options options;
    tulle_publish_options_init(&options);
    assert_status(tulle_node_publish(a, "a/*", "1", 1, NULL), TULLE_EINVAL);
    assert_status(tulle_node_publish(a, "$beat", "1", 1, NULL), TULLE_EINVAL);
    assert_status(tulle_node_publish(a, "", "1", 1, NULL), TULLE_EINVAL);
    assert_status(tulle_node_publish(a, NULL, "1", 1, NULL), TULLE_EINVAL);
    options.content_type = "";
    assert_status(tulle_node_publish(a, "a", "1", 1, &options), TULLE_EINVAL);
    options.content_type = NULL;
    options.stream_levels = 9;
    assert_status(tulle_node_publish(a, "a", "1", 1, &options), TULLE_EINVAL);
    assert_status(tulle_node_subscribe(a, "a//b", NULL, NULL), TULLE_EINVAL);
    assert_status(tulle_node_subscribe(a, "a", NULL, NULL), TULLE_EINVAL);
    assert_status(tulle_node_join(a, "http://127.0.0.1:80"), TULLE_EINVAL);
    assert_status(tulle_node_join(a, "tcp://127.0.0.1:*"), TULLE_EINVAL);
    assert_status(tulle_node_wait_peers(a, "a//b", 1, 0), TULLE_EINVAL);
}

/* Two subscriptions that would read a stream from different starts. */
TEST(one_start_for_each_stream)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    (void)kit_subscribe(a, "a/**");
    tulle_subscribe_options options;
    tulle_subscription *s = NULL;
    tulle_subscribe_options_init(&options);
    options.from = TULLE_FROM_EARLIEST;
    assert_status(tulle_node_subscribe(a, "a/b", &options, &s), TULLE_ESTATE);
    assert_null(s);
    assert_status(tulle_node_subscribe(a, "b", &options, &s), TULLE_OK);
}

TEST(a_taken_address_is_refused_with_words)
{
    (void)state;
    tulle_node_options options;
    const char *address = proc_address(proc_free_port()); /* and the next port is free too */
    kit_options(&options, "a", NULL);
    options.listen[0] = address;
    tulle_node *a = kit_start(&options);
    options.name = "b";
    tulle_node *b = kit_make(&options);
    tulle_error error = { 0 };
    assert_status(tulle_node_start(b, &error), TULLE_EADDRINUSE);
    assert_status(error.status, TULLE_EADDRINUSE);
    assert_non_null(strstr(error.text, address));
    assert_int_equal(tulle_node_id(b), 0);
    assert_status(tulle_node_publish(b, "x", "1", 1, NULL), TULLE_ESTATE);

    options.listen[0] = "tcp://192.0.2.1:7000";
    tulle_node *c = kit_make(&options);
    assert_status(tulle_node_start(c, &error), TULLE_EADDRNOTAVAIL);

    /* The first can still be started when the address is free again. */
    kit_free(&a);
    KIT_UNTIL(tulle_node_start(b, &error) == TULLE_OK);
}

TEST(a_descriptor_tells_that_something_waits)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    tulle_subscription *s = kit_subscribe(b, "x");
    struct pollfd fd = { .fd = tulle_subscription_fd(s), .events = POLLIN };
    assert_true(fd.fd >= 0);
    assert_int_equal(poll(&fd, 1, 0), 0);
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    for (int round = 0; round < 20; round++) {
        kit_publish_numbers(a, "x", 10 * round, 10);
        for (int got = 0; got < 10;) {
            assert_int_equal(poll(&fd, 1, KIT_DEADLINE_MS), 1);
            const tulle_message *message;
            while (tulle_subscription_receive(s, &message, 0) == TULLE_OK)
                assert_int_equal(kit_number(&message->u.event), 10 * round + got++);
        }
        assert_int_equal(poll(&fd, 1, 0), 0);
    }
    /* At the end it becomes readable too, so that a loop learns of it. */
    tulle_node_stop(b, 0);
    assert_int_equal(poll(&fd, 1, 0), 1);
    const tulle_message *message;
    assert_status(tulle_subscription_receive(s, &message, -1), TULLE_ESTATE);
}

TEST(receiving_waits_as_long_as_told)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_subscription *s = kit_subscribe(a, "x");
    int64_t start = kit_now_ms();
    kit_expect_silence(s, 0);
    assert_true(kit_now_ms() - start < 1000);
    start = kit_now_ms();
    kit_expect_silence(s, SOON_MS);
    assert_true(kit_now_ms() - start >= SOON_MS);
}

TEST(what_was_delivered_can_be_received_after_the_stop)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    tulle_subscription *s = kit_subscribe(b, "x");
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish_numbers(a, "x", 0, 30);
    assert_status(tulle_node_flush(a, KIT_DEADLINE_MS), TULLE_OK);
    tulle_node_stop(b, 0);
    tulle_node_stop(b, 0);
    kit_expect_numbers(s, "x", 0, 30);
    const tulle_message *message;
    assert_status(tulle_subscription_receive(s, &message, -1), TULLE_ESTATE);
    assert_status(tulle_node_publish(b, "x", "1", 1, NULL), TULLE_ESTATE);
    assert_status(tulle_node_flush(b, -1), TULLE_ESTATE);
    tulle_subscription_free(&s);
    assert_null(s);
}

TEST(a_subscription_that_ended_gets_nothing)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    tulle_subscription *s = kit_subscribe(b, "x");
    tulle_subscription *other = kit_subscribe(b, "y");
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    tulle_subscription_free(&s);
    KIT_UNTIL(tulle_node_wait_peers(a, "x", 1, 0) == TULLE_ETIMEDOUT);
    kit_publish(a, "x", "1");
    kit_publish(a, "y", "2");
    (void)kit_expect(other, "y", "2");
    /* Taken anew, the stream starts anew. */
    s = kit_subscribe(b, "x");
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish(a, "x", "3");
    (void)kit_expect(s, "x", "3");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(events_cross_over_tcp),
        KIT_TEST(events_cross_over_ipc),
        KIT_TEST(both_directions_work_whoever_joined),
        KIT_TEST(only_what_matches_is_received),
        KIT_TEST(streams_have_the_levels_that_were_asked_for),
        KIT_TEST(headers_causes_and_content_type_come_along),
        KIT_TEST(a_payload_may_be_empty),
        KIT_TEST(the_biggest_payload_passes_and_a_bigger_one_is_refused),
        KIT_TEST(wrong_arguments_are_refused),
        KIT_TEST(one_start_for_each_stream),
        KIT_TEST(a_taken_address_is_refused_with_words),
        KIT_TEST(a_descriptor_tells_that_something_waits),
        KIT_TEST(receiving_waits_as_long_as_told),
        KIT_TEST(what_was_delivered_can_be_received_after_the_stop),
        KIT_TEST(a_subscription_that_ended_gets_nothing),
    };
    return cmocka_run_group_tests_name("two nodes", tests, NULL, NULL);
}
