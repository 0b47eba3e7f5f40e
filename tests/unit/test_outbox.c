/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "codec/batch.h"
#include "node/outbox.h"

#include <string.h>

static tulle_publish_options
defaults(void)
{
    tulle_publish_options options;
    tulle_publish_options_init(&options);
    return options;
}

static struct tulle__outgoing *
make(const char *topic, const char *payload, const tulle_publish_options *options)
{
    struct tulle__outgoing *outgoing =
        tulle__outgoing_new(topic, payload, strlen(payload), options, 2);
    assert_non_null(outgoing);
    return outgoing;
}

static bool
is(struct tulle__view view, const char *text)
{
    return view.len == strlen(text) && memcmp(view.data, text, view.len) == 0;
}

static int
teardown(void **state)
{
    (void)state;
    tulle__alloc_set_hook(NULL, NULL);
    return 0;
}

TEST(copies_everything)
{
    (void)state;
    char topic[] = "a/b";
    char payload[] = "payload";
    char text[] = "text";
    tulle_event_ref cause = { TULLE__NODE_ID_MIN, text, 7 };
    tulle_header header = { text, text };
    tulle_publish_options options = defaults();
    options.content_type = text;
    options.causes = &cause;
    options.headers = &header;
    options.cause_count = options.header_count = 1;

    struct tulle__outgoing *outgoing = make(topic, payload, &options);
    topic[0] = payload[0] = text[0] = 'x';

    const struct tulle__attributes_in *attributes = outgoing->publish.attributes;
    assert_true(is(outgoing->publish.topic, "a/b"));
    assert_true(is(outgoing->publish.payload, "payload"));
    assert_string_equal(attributes->content_type, "text");
    assert_true(is(attributes->causes[0].stream, "text"));
    assert_int_equal(attributes->causes[0].count, 7);
    assert_string_equal(attributes->headers[0].name, "text");
    assert_string_equal(attributes->headers[0].value, "text");
    tulle__outbox_free(outgoing);
}

TEST(event_without_attributes_has_none)
{
    (void)state;
    tulle_publish_options options = defaults();

    struct tulle__outgoing *outgoing = make("a", "", &options);

    assert_null(outgoing->publish.attributes);
    assert_int_equal(outgoing->publish.payload.len, 0);
    tulle__outbox_free(outgoing);
}

TEST(levels_of_the_event_come_before_those_of_the_node)
{
    (void)state;
    tulle_publish_options options = defaults();

    struct tulle__outgoing *plain = make("a", "", &options);
    options.stream_levels = 3;
    struct tulle__outgoing *special = make("a", "", &options);

    assert_int_equal(plain->publish.stream_levels, 2);
    assert_int_equal(special->publish.stream_levels, 3);
    tulle__outbox_free(plain);
    tulle__outbox_free(special);
}

TEST(is_taken_in_order_and_counts_its_bytes)
{
    (void)state;
    tulle_publish_options options = defaults();
    struct tulle__outbox outbox;
    assert_true(tulle__outbox_init(&outbox, 65536));
    struct tulle__outgoing *first = make("a", "first", &options);
    struct tulle__outgoing *second = make("a", "second", &options);

    tulle__outbox_push(&outbox, first);
    tulle__outbox_push(&outbox, second);
    assert_int_equal(outbox.bytes, first->bytes + second->bytes);
    struct tulle__outgoing *list = tulle__outbox_take(&outbox);

    assert_ptr_equal(list, first);
    assert_ptr_equal(list->next, second);
    assert_null(tulle__outbox_take(&outbox));
    tulle__outbox_free(list);
    tulle__outbox_fini(&outbox);
}

/* ---- gathering ---- */

static void
gather(struct tulle__outbox *outbox,
       const char *topic,
       const char *payload,
       const tulle_publish_options *options)
{
    struct tulle__publish publish = { .topic = { (const uint8_t *)topic, strlen(topic) },
                                      .stream_levels = 1,
                                      .payload = { (const uint8_t *)payload, strlen(payload) } };
    assert_true(tulle__outbox_gather(outbox, &publish, options));
}

/* What was gathered, as the batch that it becomes: payloads, one after the other. */
static void
check_batch(struct tulle__outgoing *o, const char *stream, const char *payloads)
{
    struct tulle__writer scratch;
    struct tulle__batch batch;
    char found[256] = "";
    tulle__writer_init(&scratch);
    struct tulle__batch_head head = { .node = TULLE__NODE_ID_MIN,
                                      .first_seq = 1,
                                      .base_hlc = 1,
                                      .event_count = o->count,
                                      .events_at = TULLE__BATCH_ROOM };
    struct tulle__buf *buf = tulle__batch_encode(&head, &o->events, &scratch);
    assert_non_null(buf);
    assert_status(tulle__batch_decode(buf->data, buf->len, &batch), TULLE_OK);
    struct tulle__event_walk walk;
    struct tulle__event_view event;
    tulle__batch_walk(&batch, &walk);
    while (tulle__batch_next(&walk, &event))
        (void)strncat(found, (const char *)event.payload.data, event.payload.len);
    assert_string_equal(found, payloads);
    assert_true(is(o->stream, stream));
    tulle__buf_unref(&buf);
    tulle__writer_fini(&scratch);
}

TEST(events_of_one_stream_are_gathered)
{
    (void)state;
    tulle_publish_options options = defaults();
    struct tulle__outbox outbox;
    assert_true(tulle__outbox_init(&outbox, 65536));

    gather(&outbox, "a/x", "1", &options);
    gather(&outbox, "a", "2", &options);
    gather(&outbox, "b", "3", &options);
    gather(&outbox, "a", "4", &options);
    tulle__outbox_push(&outbox, make("a", "5", &options));
    gather(&outbox, "a", "6", &options);

    static const char *const expected[] = { "a 12", "b 3", "a 4", NULL, "a 6" };
    struct tulle__outgoing *list = tulle__outbox_take(&outbox);
    const struct tulle__outgoing *o = list;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++, o = o->next) {
        assert_non_null(o);
        if (expected[i] == NULL)
            assert_int_equal(o->count, 0);
        else
            check_batch((struct tulle__outgoing *)(uintptr_t)o, expected[i][0] == 'a' ? "a" : "b",
                        expected[i] + 2);
    }
    assert_null(o);
    tulle__outbox_free(list);
    tulle__outbox_fini(&outbox);
}

TEST(a_batch_closes_at_its_size)
{
    (void)state;
    tulle_publish_options options = defaults();
    struct tulle__outbox outbox;
    assert_true(tulle__outbox_init(&outbox, 1000));
    char payload[301];
    memset(payload, 'x', sizeof payload - 1);
    payload[sizeof payload - 1] = '\0';

    for (int i = 0; i < 4; i++)
        gather(&outbox, "a", payload, &options);
    struct tulle__outgoing *list = tulle__outbox_take(&outbox);

    assert_int_equal(list->count, 2);
    assert_int_equal(list->next->count, 2);
    assert_null(list->next->next);
    assert_true(list->events.len <= 1000);
    assert_int_equal(outbox.bytes, list->bytes + list->next->bytes);
    tulle__outbox_free(list);
    tulle__outbox_fini(&outbox);
}

TEST(attributes_are_gathered_too)
{
    (void)state;
    tulle_event_ref cause = { TULLE__NODE_ID_MIN, "s", 7 };
    tulle_header header = { "name", "value" };
    tulle_publish_options options = defaults();
    options.content_type = "text/plain";
    options.causes = &cause;
    options.headers = &header;
    options.cause_count = options.header_count = 1;
    struct tulle__outbox outbox;
    assert_true(tulle__outbox_init(&outbox, 65536));

    gather(&outbox, "a", "1", &options);
    struct tulle__outgoing *list = tulle__outbox_take(&outbox);

    /* The element is an array of four; the last one is the map. */
    const uint8_t *event = list->events.data + TULLE__BATCH_ROOM;
    assert_int_equal(event[0], 0x94);
    struct tulle__attributes attributes;
    struct tulle__view map = { event + 6, list->events.len - TULLE__BATCH_ROOM - 6 };
    tulle__attributes_decode(map, &attributes);
    assert_true(is(attributes.content_type, "text/plain"));
    assert_int_equal(attributes.cause_count, 1);
    assert_int_equal(attributes.header_count, 1);
    tulle__outbox_free(list);
    tulle__outbox_fini(&outbox);
}

TEST(without_memory_nothing_is_gathered)
{
    (void)state;
    tulle_publish_options options = defaults();
    struct testkit_memory memory = { .left = 0 };
    struct tulle__outbox outbox;
    assert_true(tulle__outbox_init(&outbox, 65536));
    gather(&outbox, "a", "1", &options);
    char long_text[5000];
    memset(long_text, 'x', sizeof long_text);
    struct tulle__publish publish = { .topic = { (const uint8_t *)"a", 1 },
                                      .stream_levels = 1,
                                      .payload = { (const uint8_t *)long_text, 5000 } };
    size_t bytes_before = outbox.bytes;

    tulle__alloc_set_hook(testkit_may_allocate, &memory);
    assert_false(tulle__outbox_gather(&outbox, &publish, &options));
    publish.topic = (struct tulle__view){ (const uint8_t *)"b", 1 };
    assert_false(tulle__outbox_gather(&outbox, &publish, &options));
    tulle__alloc_set_hook(NULL, NULL);

    assert_int_equal(outbox.bytes, bytes_before);
    struct tulle__outgoing *list = tulle__outbox_take(&outbox);
    check_batch(list, "a", "1");
    assert_null(list->next);
    tulle__outbox_free(list);
    tulle__outbox_fini(&outbox);
}

TEST(refuses_what_a_peer_would_not_read)
{
    (void)state;
    char long_text[300];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    tulle_publish_options options = defaults();

    assert_status(tulle__outgoing_check("a/b", &options), TULLE_OK);
    assert_status(tulle__outgoing_check(NULL, &options), TULLE_EINVAL);
    assert_status(tulle__outgoing_check("a/*", &options), TULLE_EINVAL);
    assert_status(tulle__outgoing_check(long_text, &options), TULLE_EINVAL);
    options.stream_levels = 9;
    assert_status(tulle__outgoing_check("a", &options), TULLE_EINVAL);
    options = defaults();
    options.content_type = "two\nlines";
    assert_status(tulle__outgoing_check("a", &options), TULLE_EINVAL);
    options.content_type = "";
    assert_status(tulle__outgoing_check("a", &options), TULLE_EINVAL);
    options.content_type = long_text;
    assert_status(tulle__outgoing_check("a", &options), TULLE_EINVAL);
}

TEST(refuses_causes_that_name_no_event)
{
    (void)state;
    tulle_event_ref cause = { TULLE__NODE_ID_MIN, "s", 1 };
    tulle_publish_options options = defaults();
    options.causes = &cause;
    options.cause_count = 1;

    assert_status(tulle__outgoing_check("a", &options), TULLE_OK);
    cause.seq = 0;
    assert_status(tulle__outgoing_check("a", &options), TULLE_EINVAL);
    cause = (tulle_event_ref){ TULLE__NODE_ID_MIN - 1, "s", 1 };
    assert_status(tulle__outgoing_check("a", &options), TULLE_EINVAL);
    cause = (tulle_event_ref){ TULLE__NODE_ID_MIN, "$s", 1 };
    assert_status(tulle__outgoing_check("a", &options), TULLE_EINVAL);
    options.cause_count = TULLE__CAUSES_MAX + 1;
    assert_status(tulle__outgoing_check("a", &options), TULLE_EINVAL);
}

TEST(refuses_headers_without_a_name)
{
    (void)state;
    tulle_header header = { "name", "" };
    tulle_publish_options options = defaults();
    options.headers = &header;
    options.header_count = 1;

    assert_status(tulle__outgoing_check("a", &options), TULLE_OK);
    header.name = "";
    assert_status(tulle__outgoing_check("a", &options), TULLE_EINVAL);
    header = (tulle_header){ "name", "\xff" };
    assert_status(tulle__outgoing_check("a", &options), TULLE_EINVAL);
    header.value = NULL;
    assert_status(tulle__outgoing_check("a", &options), TULLE_EINVAL);
}

TEST(without_memory_there_is_no_event)
{
    (void)state;
    tulle_publish_options options = defaults();
    struct testkit_memory memory = { .left = 0 };

    tulle__alloc_set_hook(testkit_may_allocate, &memory);
    struct tulle__outgoing *outgoing = tulle__outgoing_new("a", "x", 1, &options, 1);

    assert_null(outgoing);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_everything),
        cmocka_unit_test(event_without_attributes_has_none),
        cmocka_unit_test(levels_of_the_event_come_before_those_of_the_node),
        cmocka_unit_test(is_taken_in_order_and_counts_its_bytes),
        cmocka_unit_test(events_of_one_stream_are_gathered),
        cmocka_unit_test(a_batch_closes_at_its_size),
        cmocka_unit_test(attributes_are_gathered_too),
        cmocka_unit_test_teardown(without_memory_nothing_is_gathered, teardown),
        cmocka_unit_test(refuses_what_a_peer_would_not_read),
        cmocka_unit_test(refuses_causes_that_name_no_event),
        cmocka_unit_test(refuses_headers_without_a_name),
        cmocka_unit_test_teardown(without_memory_there_is_no_event, teardown),
    };
    return cmocka_run_group_tests_name("node/outbox", tests, NULL, NULL);
}
