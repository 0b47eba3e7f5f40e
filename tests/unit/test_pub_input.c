/* SPDX-License-Identifier: MPL-2.0 */

/* What tap prints, pub reads. */

#include "testkit.h"

#include "app/json.h"
#include "tools/pub/pub_input.h"

#include <string.h>

/* An event with everything that can be in its JSON. */
static const tulle_clock_entry clock_entries[] = { { .node = 7, .stream = "a", .count = 3 } };
static const tulle_event_ref causes[] = { { .node = 8, .stream = "b", .seq = 2 } };
static const tulle_header headers[] = { { "k", "v" } };
static const tulle_event full = {
    .node = 7,
    .node_name = "shop",
    .stream = "a",
    .seq = 4,
    .topic = "a/b",
    .time_us = 1714565730250000,
    .causes = causes,
    .cause_count = 1,
    .headers = headers,
    .header_count = 1,
    .deps = clock_entries,
    .dep_count = 1,
    .clock = clock_entries,
    .clock_count = 1,
    .hops = 1,
    .delay_us = 20,
    .held_us = 10,
    .waited_for = { .node = 8, .stream = "b", .count = 2 },
    .is_repaired = true,
};

/* Printed and read again, the event has this content type and payload. */
static void
assert_same_again(tulle_message_kind kind, const char *type, const char *payload, size_t len)
{
    struct tulle__text line = { 0 };
    struct tulle__pub_event read = { 0 };
    char problem[TULLE__PUB_PROBLEM_LEN] = "";
    tulle_message message = { .kind = kind, .u.event = full };
    message.u.event.content_type = type;
    message.u.event.payload = payload;
    message.u.event.payload_len = len;
    tulle__json_message(&message, 0, &line);
    assert_false(line.has_failed);
    if (!tulle__pub_line(&read, line.bytes, line.len, problem))
        fail_msg("%.*s: %s", (int)line.len, line.bytes, problem);
    assert_int_equal(read.is_skipped, kind != TULLE_MESSAGE_EVENT);
    if (!read.is_skipped) {
        assert_string_equal(read.topic, "a/b");
        assert_int_equal(read.header_count, 1);
        assert_string_equal(read.headers[0].name, "k");
        assert_string_equal(read.headers[0].value, "v");
        assert_int_equal(read.payload.len, len);
        assert_memory_equal(read.payload.bytes, payload, len);
        assert_int_equal(read.content_type == NULL, type == NULL);
        if (type != NULL)
            assert_string_equal(read.content_type, type);
    }
    tulle__pub_event_free(&read);
    tulle__text_free(&line);
}

#define AGAIN(type, payload) \
    assert_same_again(TULLE_MESSAGE_EVENT, type, payload, sizeof(payload) - 1)

TEST(what_tap_prints_of_an_event_is_read)
{
    (void)state;
    AGAIN(NULL, "\x81\xa1n\x05");
    AGAIN("application/msgpack", "\xa3one");
    AGAIN("text/plain", "two\nlines");
    AGAIN("application/octet-stream", "\x01\x02\xff");
}

/* JSON stays JSON: a string in it has its quotes. */
TEST(json_that_tap_prints_is_read_as_json)
{
    (void)state;
    AGAIN("application/json", "{\"n\":5}");
    AGAIN("application/json; charset=utf-8", "[1,\"two\",null]");
    AGAIN("application/json", "\"three\"");
    AGAIN("application/json", "4");
    AGAIN("application/json", "{\"broken");
}

TEST(json_without_a_type_is_given_one)
{
    (void)state;
    static const char line[] = "{\"topic\": \"a\", \"payload\": \"x\", \"encoding\": \"json\"}";
    struct tulle__pub_event read = { 0 };
    char problem[TULLE__PUB_PROBLEM_LEN] = "";
    assert_true(tulle__pub_line(&read, line, strlen(line), problem));
    assert_string_equal(read.content_type, "application/json");
    assert_int_equal(read.payload.len, 3);
    assert_memory_equal(read.payload.bytes, "\"x\"", 3);
    tulle__pub_event_free(&read);
}

TEST(what_tap_prints_beside_events_is_skipped)
{
    (void)state;
    assert_same_again(TULLE_MESSAGE_ARRIVAL, NULL, "\x05", 1);
    assert_same_again(TULLE_MESSAGE_DUPLICATE, NULL, "\x05", 1);
}

TEST(what_is_unknown_is_refused)
{
    (void)state;
    static const char *const lines[][2] = {
        { "{\"topic\": \"a\", \"payload\": 1, \"extra\": 1}", "unknown field \"extra\"" },
        { "{\"topic\": \"a\", \"payload\": \"1\", \"encoding\": \"hex\"}", "\"encoding\" is none" },
        { "{\"topic\": \"a\", \"payload\": 1, \"encoding\": \"text\"}", "is no string" },
        { "{\"topic\": \"a\"}", "\"payload\" is missing" },
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct tulle__pub_event read = { 0 };
        char problem[TULLE__PUB_PROBLEM_LEN] = "";
        assert_false(tulle__pub_line(&read, lines[i][0], strlen(lines[i][0]), problem));
        assert_non_null(strstr(problem, lines[i][1]));
        tulle__pub_event_free(&read);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_tap_prints_of_an_event_is_read),
        cmocka_unit_test(json_that_tap_prints_is_read_as_json),
        cmocka_unit_test(json_without_a_type_is_given_one),
        cmocka_unit_test(what_tap_prints_beside_events_is_skipped),
        cmocka_unit_test(what_is_unknown_is_refused),
    };
    return cmocka_run_group_tests_name("tools/pub input", tests, NULL, NULL);
}
