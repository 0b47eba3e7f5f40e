/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include "base/alloc.h"
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
    struct tulle__outbox outbox = { 0 };
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
        cmocka_unit_test(refuses_what_a_peer_would_not_read),
        cmocka_unit_test(refuses_causes_that_name_no_event),
        cmocka_unit_test(refuses_headers_without_a_name),
        cmocka_unit_test_teardown(without_memory_there_is_no_event, teardown),
    };
    return cmocka_run_group_tests_name("node/outbox", tests, NULL, NULL);
}
