/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include "base/alloc.h"
#include "node/message.h"

#include <string.h>

enum { FIRST_SEQ = 5, TIME_US = 1000 };

/* A batch of three events on "s": "s", "s/x", "s/y/z"; the second has attributes. */
struct fixture {
    struct tulle__buf *body;
    struct tulle__buf *clock;
    struct tulle__delivery delivery;
    struct tulle__item *item;
    struct tulle__builder builder;
};

static const uint64_t node_id = TULLE__NODE_ID_MIN + 7;

static struct tulle__view
text(const char *s)
{
    return (struct tulle__view){ (const uint8_t *)s, strlen(s) };
}

static struct tulle__buf *
make_body(void)
{
    struct tulle__writer events;
    struct tulle__writer scratch;
    struct tulle__dep deps[] = { { TULLE__NODE_ID_MIN + 1, text("d"), 3 },
                                 { TULLE__NODE_ID_MIN + 2, text("d"), 4 } };
    struct tulle__dep cause = { TULLE__NODE_ID_MIN + 1, text("d"), 2 };
    struct tulle__pair header = { "name", "value" };
    struct tulle__attributes_in attributes = { .content_type = "text/plain",
                                               .causes = &cause,
                                               .cause_count = 1,
                                               .headers = &header,
                                               .header_count = 1 };
    struct tulle__batch_head head = { .node = node_id,
                                      .first_seq = FIRST_SEQ,
                                      .base_hlc = (uint64_t)TIME_US << 12,
                                      .event_count = 3,
                                      .deps = deps,
                                      .dep_count = 2 };
    tulle__writer_init(&events);
    tulle__writer_init(&scratch);
    tulle__event_encode(&events, text(""), 0, text("one"), NULL);
    tulle__event_encode(&events, text("x"), 10, text("two"), &attributes);
    tulle__event_encode(&events, text("y/z"), 20, text(""), NULL);
    struct tulle__buf *body = tulle__batch_encode(&head, &events, &scratch);
    assert_non_null(body);
    tulle__writer_fini(&events);
    tulle__writer_fini(&scratch);
    return body;
}

static struct tulle__buf *
make_clock(void)
{
    struct tulle__writer w;
    struct tulle__dep entry = { TULLE__NODE_ID_MIN + 3, text("c"), 9 };
    tulle__writer_init(&w);
    tulle__write_clock(&w, &entry, 1);
    struct tulle__buf *clock = tulle__writer_take(&w);
    assert_non_null(clock);
    tulle__writer_fini(&w);
    return clock;
}

static int
setup(void **state)
{
    static struct fixture f;
    f = (struct fixture){ .body = make_body(), .clock = make_clock() };
    f.delivery =
        (struct tulle__delivery){ .body = f.body,
                                  .stream = text("s"),
                                  .node_name = "publisher",
                                  .first = FIRST_SEQ,
                                  .last = FIRST_SEQ + 2,
                                  .hops = 2,
                                  .arrived_us = TIME_US + 50,
                                  .held_us = 6,
                                  .waited = { node_id + 1, { (const uint8_t *)"dx", 1 }, 8 },
                                  .is_repaired = true,
                                  .clock = f.clock };
    assert_status(tulle__batch_decode(f.body->data, f.body->len, &f.delivery.batch), TULLE_OK);
    tulle__builder_init(&f.builder, 0);
    *state = &f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    tulle__alloc_set_hook(NULL, NULL);
    tulle__builder_fini(&f->builder);
    tulle__item_free(&f->item);
    tulle__buf_unref(&f->body);
    tulle__buf_unref(&f->clock);
    return 0;
}

static void
start(struct fixture *f, tulle_message_kind kind, uint32_t flags)
{
    f->item = tulle__item_from_delivery(kind, &f->delivery);
    assert_non_null(f->item);
    tulle__builder_init(&f->builder, flags);
    tulle__builder_start(&f->builder, f->item);
}

static const tulle_event *
next_event(struct fixture *f)
{
    const tulle_message *message = tulle__builder_next(&f->builder, NULL, true);
    assert_non_null(message);
    return &message->u.event;
}

TEST(each_event_of_a_batch_is_a_message)
{
    struct fixture *f = *state;
    start(f, TULLE_MESSAGE_EVENT, 0);

    const tulle_event *event = next_event(f);
    assert_string_equal(event->topic, "s");
    assert_int_equal(event->seq, FIRST_SEQ);
    assert_memory_equal(event->payload, "one", 3);
    assert_string_equal(next_event(f)->topic, "s/x");
    event = next_event(f);
    assert_string_equal(event->topic, "s/y/z");
    assert_null(event->payload);
    assert_null(tulle__builder_next(&f->builder, NULL, true));
    assert_null(tulle__builder_next(&f->builder, NULL, true));
}

TEST(only_the_range_that_is_meant_is_built)
{
    struct fixture *f = *state;
    f->delivery.first = f->delivery.last = FIRST_SEQ + 1;
    start(f, TULLE_MESSAGE_ARRIVAL, 0);

    const tulle_message *message = tulle__builder_next(&f->builder, NULL, true);

    assert_int_equal(message->kind, TULLE_MESSAGE_ARRIVAL);
    assert_int_equal(message->u.event.seq, FIRST_SEQ + 1);
    assert_null(tulle__builder_next(&f->builder, NULL, true));
}

TEST(tells_where_and_when_an_event_came_from)
{
    struct fixture *f = *state;
    start(f, TULLE_MESSAGE_EVENT, 0);
    (void)next_event(f);

    const tulle_event *event = next_event(f);

    assert_true(event->node == node_id);
    assert_string_equal(event->node_name, "publisher");
    assert_string_equal(event->stream, "s");
    assert_int_equal(event->time_us, TIME_US + 10);
    assert_int_equal(event->delay_us, 40);
    assert_int_equal(event->held_us, 6);
    assert_true(event->waited_for.node == node_id + 1);
    assert_string_equal(event->waited_for.stream, "d");
    assert_int_equal(event->waited_for.count, 8);
    assert_int_equal(event->hops, 2);
    assert_true(event->is_repaired);
}

TEST(attributes_are_of_one_event_and_not_of_the_next)
{
    struct fixture *f = *state;
    start(f, TULLE_MESSAGE_EVENT, 0);
    assert_null(next_event(f)->content_type);

    const tulle_event *event = next_event(f);
    assert_string_equal(event->content_type, "text/plain");
    assert_int_equal(event->cause_count, 1);
    assert_string_equal(event->causes[0].stream, "d");
    assert_int_equal(event->causes[0].seq, 2);
    assert_int_equal(event->header_count, 1);
    assert_string_equal(event->headers[0].name, "name");
    assert_string_equal(event->headers[0].value, "value");
    event = next_event(f);
    assert_null(event->content_type);
    assert_int_equal(event->cause_count + event->header_count, 0);
}

TEST(deps_and_clock_are_there_when_asked_for)
{
    struct fixture *f = *state;
    start(f, TULLE_MESSAGE_EVENT, TULLE_DETAIL_DEPS | TULLE_DETAIL_CLOCK);
    (void)next_event(f);

    const tulle_event *event = next_event(f);

    assert_int_equal(event->dep_count, 2);
    assert_string_equal(event->deps[1].stream, "d");
    assert_int_equal(event->deps[1].count, 4);
    assert_int_equal(event->clock_count, 2); /* the past, and the event itself */
    assert_string_equal(event->clock[0].stream, "c");
    assert_true(event->clock[1].node == node_id);
    assert_int_equal(event->clock[1].count, FIRST_SEQ + 1);
}

TEST(deps_and_clock_are_not_there_unasked)
{
    struct fixture *f = *state;
    start(f, TULLE_MESSAGE_EVENT, 0);

    const tulle_event *event = next_event(f);

    assert_int_equal(event->dep_count + event->clock_count, 0);
}

TEST(gap_keeps_its_strings)
{
    struct fixture *f = *state;
    char stream[] = "s";
    tulle_gap gap = { node_id, "name", stream, 3, 4, TULLE_GAP_EVICTED };
    f->item = tulle__item_from_gap(&gap);
    stream[0] = 'x';
    tulle__builder_start(&f->builder, f->item);

    const tulle_message *message = tulle__builder_next(&f->builder, NULL, true);

    assert_int_equal(message->kind, TULLE_MESSAGE_GAP);
    assert_string_equal(message->u.gap.stream, "s");
    assert_int_equal(message->u.gap.last, 4);
    assert_null(tulle__builder_next(&f->builder, NULL, true));
}

TEST(peer_keeps_its_strings)
{
    struct fixture *f = *state;
    char name[] = "name";
    tulle_peer peer = {
        .node = node_id, .name = name, .address = "tcp://h:1", .state = TULLE_PEER_UP
    };
    f->item = tulle__item_from_peer(&peer);
    name[0] = 'x';
    tulle__builder_start(&f->builder, f->item);

    const tulle_message *message = tulle__builder_next(&f->builder, NULL, true);

    assert_int_equal(message->kind, TULLE_MESSAGE_PEER);
    assert_string_equal(message->u.peer.name, "name");
    assert_string_equal(message->u.peer.address, "tcp://h:1");
}

TEST(without_memory_an_event_lacks_attributes_and_not_itself)
{
    struct fixture *f = *state;
    start(f, TULLE_MESSAGE_EVENT, TULLE_DETAIL_DEPS);
    struct testkit_memory memory = { .left = 0 };

    tulle__alloc_set_hook(testkit_may_allocate, &memory);
    (void)next_event(f);
    const tulle_event *event = next_event(f);

    assert_memory_equal(event->payload, "two", 3);
    assert_int_equal(event->cause_count + event->dep_count, 0);
}

int
main(void)
{
#define MESSAGE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        MESSAGE_TEST(each_event_of_a_batch_is_a_message),
        MESSAGE_TEST(only_the_range_that_is_meant_is_built),
        MESSAGE_TEST(tells_where_and_when_an_event_came_from),
        MESSAGE_TEST(attributes_are_of_one_event_and_not_of_the_next),
        MESSAGE_TEST(deps_and_clock_are_there_when_asked_for),
        MESSAGE_TEST(deps_and_clock_are_not_there_unasked),
        MESSAGE_TEST(gap_keeps_its_strings),
        MESSAGE_TEST(peer_keeps_its_strings),
        MESSAGE_TEST(without_memory_an_event_lacks_attributes_and_not_itself),
    };
    return cmocka_run_group_tests_name("node/message", tests, NULL, NULL);
}
