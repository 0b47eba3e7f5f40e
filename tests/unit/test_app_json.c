/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include "app/json.h"
#include "app/logsink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BYTES(...) \
    ((const unsigned char[]){ __VA_ARGS__ }), sizeof((const unsigned char[]){ __VA_ARGS__ })

static int
setup(void **state)
{
    *state = calloc(1, sizeof(struct tulle__text));
    return 0;
}

static int
teardown(void **state)
{
    tulle__text_free(*state);
    free(*state);
    return 0;
}

static const char *
as_str(struct tulle__text *text)
{
    tulle__text_put(text, "", 1);
    return text->bytes;
}

static void
assert_json(struct tulle__text *text, const char *expected, const void *bytes, size_t len)
{
    tulle__text_clear(text);
    assert_true(tulle__msgpack_to_json(bytes, len, text));
    assert_string_equal(as_str(text), expected);
}

TEST(values_become_json)
{
    assert_json(*state, "null", BYTES(0xc0));
    assert_json(*state, "true", BYTES(0xc3));
    assert_json(*state, "127", BYTES(0x7f));
    assert_json(*state, "-32", BYTES(0xe0));
    assert_json(*state, "-128", BYTES(0xd0, 0x80));
    assert_json(*state, "18446744073709551615",
                BYTES(0xcf, 255, 255, 255, 255, 255, 255, 255, 255));
    assert_json(*state, "-9223372036854775808", BYTES(0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0));
    assert_json(*state, "1.5", BYTES(0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0));
    assert_json(*state, "2.0", BYTES(0xcb, 0x40, 0, 0, 0, 0, 0, 0, 0));
    assert_json(*state, "0.1", BYTES(0xca, 0x3d, 0xcc, 0xcc, 0xcd));
    assert_json(*state, "\"NaN\"", BYTES(0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0));
    assert_json(*state, "\"-Infinity\"", BYTES(0xca, 0xff, 0x80, 0, 0));
    assert_json(*state, "\"a\\\"\\n\\u0001\"", BYTES(0xa4, 'a', '"', '\n', 1));
    assert_json(*state, "\"\\ufffdx\"", BYTES(0xa2, 0xff, 'x'));
    assert_json(*state, "\"\\u009b\"", BYTES(0xa2, 0xc2, 0x9b));
    assert_json(*state, "{\"$bin\":\"AQI=\"}", BYTES(0xc4, 2, 1, 2));
    assert_json(*state, "{\"$ext\":[-1,\"AA==\"]}", BYTES(0xd4, 0xff, 0));
    assert_json(*state, "[1,{\"a\":[]}]", BYTES(0x92, 1, 0x81, 0xa1, 'a', 0x90));
    assert_json(*state, "{\"5\":\"b\"}", BYTES(0x81, 5, 0xa1, 'b'));
}

TEST(counts_and_lengths_beyond_the_bytes_are_refused)
{
    (void)state;
    /* The first claims four billion elements in five bytes. */
    assert_false(tulle__msgpack_is_valid(BYTES(0xdd, 255, 255, 255, 255)));
    assert_false(tulle__msgpack_is_valid(BYTES(0xdf, 255, 255, 255, 255, 1, 1)));
    assert_false(tulle__msgpack_is_valid(BYTES(0xdb, 255, 255, 255, 255, 'a')));
    assert_false(tulle__msgpack_is_valid(BYTES(0xc6, 0, 0, 0, 2, 1)));
    assert_false(tulle__msgpack_is_valid(BYTES(0xc9, 0, 0, 0, 1, 5)));
    assert_false(tulle__msgpack_is_valid(BYTES(0x92, 1)));
    assert_false(tulle__msgpack_is_valid(BYTES(0xcb, 0)));
    assert_false(tulle__msgpack_is_valid(BYTES(0xc1)));
    assert_false(tulle__msgpack_is_valid(BYTES(0x01, 0x01)));
    assert_false(tulle__msgpack_is_valid("", 0));
}

TEST(nesting_is_limited)
{
    (void)state;
    unsigned char deep[TULLE__JSON_DEPTH_MAX + 2];
    memset(deep, 0x91, sizeof deep);

    deep[TULLE__JSON_DEPTH_MAX] = 0xc0;
    assert_true(tulle__msgpack_is_valid(deep, TULLE__JSON_DEPTH_MAX + 1));
    deep[TULLE__JSON_DEPTH_MAX] = 0x91;
    deep[TULLE__JSON_DEPTH_MAX + 1] = 0xc0;
    assert_false(tulle__msgpack_is_valid(deep, sizeof deep));
}

TEST(every_cut_of_a_value_is_refused)
{
    (void)state;
    static const unsigned char value[] = { 0x93, 0xcd, 1, 2,    0x82, 0xa2, 'a', 'b',
                                           0xc4, 1,    9, 0xc0, 0xdc, 0,    1,   0xca,
                                           0,    0,    0, 0,    0xd9, 1,    'z' };
    assert_true(tulle__msgpack_is_valid(value, sizeof value));
    for (size_t len = 0; len < sizeof value; len++)
        assert_false(tulle__msgpack_is_valid(value, len));
}

static void
assert_round(struct tulle__text *text, const char *json)
{
    json_error_t error;
    struct tulle__text packed = { 0 };
    json_t *value = json_loads(json, JSON_DECODE_ANY, &error);
    assert_non_null(value);

    assert_null(tulle__json_to_msgpack(value, &packed));

    json_decref(value);
    assert_json(text, json, packed.bytes, packed.len);
    tulle__text_free(&packed);
}

TEST(json_survives_the_way_through_msgpack)
{
    static const char *const values[] = {
        "null",
        "true",
        "[]",
        "{}",
        "\"\"",
        "0",
        "127",
        "128",
        "255",
        "256",
        "65535",
        "65536",
        "4294967295",
        "4294967296",
        "9223372036854775807",
        "-1",
        "-32",
        "-33",
        "-128",
        "-129",
        "-32768",
        "-32769",
        "-2147483648",
        "-2147483649",
        "-9223372036854775808",
        "1.5",
        "-0.001",
        "1e+300",
        "2.0",
        "0.1",
        "{\"b\":1,\"a\":[1,\"two\",null,{\"c\":false}]}",
        "{\"$bin\":\"AQID\"}",
        "{\"$ext\":[5,\"AQ==\"]}",
        "{\"$bin\":\"no base64\"}",
        "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]",
        "\"a string of more than thirty-one bytes\"",
        "\"gr\xc3\xbc\xc3\x9f\x65\"",
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        assert_round(*state, values[i]);
}

TEST(json_nested_too_deep_is_refused)
{
    struct tulle__text *text = *state;
    json_t *value = json_array();
    for (int i = 0; i <= TULLE__JSON_DEPTH_MAX; i++) {
        json_t *outer = json_array();
        assert_int_equal(json_array_append_new(outer, value), 0);
        value = outer;
    }

    assert_string_equal(tulle__json_to_msgpack(value, text), "nested too deep");

    json_decref(value);
    assert_int_equal(text->len, 0);
}

static tulle_message
sample_event(void)
{
    static const tulle_clock_entry clock[] = { { 0xab, "orders", 7 }, { 0xcd, "a/b", 2 } };
    static const tulle_event_ref causes[] = { { 0xcd, "a/b", 2 } };
    static const tulle_header headers[] = { { "trace", "x\"y" } };
    return (tulle_message){ .kind = TULLE_MESSAGE_EVENT,
                            .u.event = { .node = 0xab,
                                         .node_name = "shop",
                                         .stream = "orders",
                                         .seq = 7,
                                         .topic = "orders/eu",
                                         .time_us = 1714564800000001,
                                         .payload = "\x81\xa1n\x05",
                                         .payload_len = 4,
                                         .clock = clock,
                                         .clock_count = 2,
                                         .deps = clock + 1,
                                         .dep_count = 1,
                                         .causes = causes,
                                         .cause_count = 1,
                                         .headers = headers,
                                         .header_count = 1,
                                         .hops = 1,
                                         .delay_us = -5,
                                         .held_us = 12,
                                         .is_repaired = true } };
}

TEST(event_is_one_object)
{
    struct tulle__text *text = *state;
    tulle_message message = sample_event();

    tulle__json_message(&message, 0, text);

    assert_string_equal(
        as_str(text), "{\"kind\":\"event\",\"node\":\"shop\",\"id\":\"00000000000000ab\","
                      "\"stream\":\"orders\",\"seq\":7,\"topic\":\"orders/eu\","
                      "\"time\":\"2024-05-01T12:00:00.000001Z\","
                      "\"clock\":{\"00000000000000ab/orders\":7,\"00000000000000cd/a/b\":2},"
                      "\"deps\":{\"00000000000000cd/a/b\":2},"
                      "\"causes\":[\"00000000000000cd/a/b/2\"],\"headers\":{\"trace\":\"x\\\"y\"},"
                      "\"hops\":1,\"delay_us\":-5,\"held_us\":12,\"repaired\":true,\"late\":false,"
                      "\"payload\":{\"n\":5}}");
}

TEST(what_an_event_waited_for_is_told)
{
    struct tulle__text *text = *state;
    tulle_message message = sample_event();
    message.u.event.waited_for = (tulle_clock_entry){ 0xcd, "a/b", 9 };

    tulle__json_message(&message, TULLE__JSON_NO_PAYLOAD, text);

    assert_non_null(strstr(as_str(text), ",\"waited_for\":\"00000000000000cd/a/b:9\","));
    assert_non_null(strstr(as_str(text), ",\"payload_bytes\":4}"));
}

/* Against the C library's own calendar, around the borders of its rules. */
TEST(times_are_those_of_the_calendar)
{
    struct tulle__text *text = *state;
    for (int64_t day = -719162; day <= 2932896; day += 73) {
        time_t when = (time_t)(day * 86400 + 86399);
        struct tm tm;
        char expected[80];
        assert_non_null(gmtime_r(&when, &tm));
        (void)snprintf(expected, sizeof expected, "%04d-%02d-%02dT23:59:59.000007Z",
                       tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
        tulle__text_clear(text);
        tulle__text_time(text, (int64_t)when * 1000000 + 7);
        assert_string_equal(as_str(text), expected);
    }
    tulle__text_clear(text);
    tulle__text_time(text, INT64_MIN);
    tulle__text_time(text, INT64_MAX);
    assert_string_equal(as_str(text), "0000-00-00T00:00:00.000000Z0000-00-00T00:00:00.000000Z");
}

/* The value of a field of what the message prints as, a new reference. */
static json_t *
field_of(struct tulle__text *text, const tulle_message *message, const char *name)
{
    json_error_t error;
    tulle__text_clear(text);
    tulle__json_message(message, 0, text);
    json_t *root = json_loadb(text->bytes, text->len, JSON_REJECT_DUPLICATES, &error);
    assert_non_null(root);
    json_t *value = json_incref(json_object_get(root, name));
    json_decref(root);
    return value;
}

static void
assert_field(struct tulle__text *text,
             const tulle_message *message,
             const char *name,
             const char *expected)
{
    json_t *value = field_of(text, message, name);
    assert_non_null(value);
    assert_string_equal(json_string_value(value), expected);
    json_decref(value);
}

TEST(payload_that_is_no_msgpack_says_so)
{
    tulle_message message = sample_event();
    message.u.event.payload = "just text";
    message.u.event.payload_len = 9;
    assert_field(*state, &message, "payload", "just text");
    assert_field(*state, &message, "encoding", "text");

    message.u.event.payload = "\xff\x00\x01";
    message.u.event.payload_len = 3;
    assert_field(*state, &message, "payload", "/wAB");
    assert_field(*state, &message, "encoding", "base64");

    message.u.event.payload = NULL;
    message.u.event.payload_len = 0;
    assert_field(*state, &message, "payload", "");
    assert_field(*state, &message, "encoding", "text");
}

TEST(a_payload_of_json_is_json)
{
    tulle_message message = sample_event();
    message.u.event.payload = "{\"n\": [1, null]}";
    message.u.event.payload_len = 16;
    message.u.event.content_type = "application/json; charset=utf-8";
    assert_field(*state, &message, "encoding", "json");
    json_t *payload = field_of(*state, &message, "payload");
    assert_int_equal(json_integer_value(json_array_get(json_object_get(payload, "n"), 0)), 1);
    json_decref(payload);

    message.u.event.content_type = "application/vnd.shop+json";
    assert_field(*state, &message, "encoding", "json");
    message.u.event.payload_len = 15; /* and what is none is text */
    assert_field(*state, &message, "encoding", "text");
    message.u.event.content_type = "text/plain";
    message.u.event.payload_len = 16;
    assert_field(*state, &message, "encoding", "text");
}

TEST(content_type_decides_before_the_bytes_do)
{
    tulle_message message = sample_event();
    message.u.event.payload = "\xa1x";
    message.u.event.payload_len = 2;
    assert_field(*state, &message, "payload", "x");

    message.u.event.content_type = "application/octet-stream";
    assert_field(*state, &message, "payload", "oXg=");
    assert_field(*state, &message, "content_type", "application/octet-stream");
}

TEST(gap_and_peer_are_objects)
{
    struct tulle__text *text = *state;
    tulle_message gap = { .kind = TULLE_MESSAGE_GAP,
                          .u.gap = { 0xab, "shop", "orders", 3, 5, TULLE_GAP_EVICTED } };
    tulle_message peer = { .kind = TULLE_MESSAGE_PEER,
                           .u.peer = { .node = 1,
                                       .name = "n",
                                       .address = "",
                                       .state = TULLE_PEER_RESTARTED,
                                       .previous = 2 } };

    tulle__json_message(&gap, 0, text);
    tulle__text_char(text, '\n');
    tulle__json_message(&peer, 0, text);

    assert_string_equal(as_str(text),
                        "{\"kind\":\"gap\",\"node\":\"shop\",\"id\":\"00000000000000ab\","
                        "\"stream\":\"orders\",\"first\":3,\"last\":5,\"reason\":\"evicted\"}\n"
                        "{\"kind\":\"peer\",\"node\":\"n\",\"id\":\"0000000000000001\","
                        "\"state\":\"restarted\",\"address\":\"\",\"hops\":0,\"proxy\":false,"
                        "\"previous\":\"0000000000000002\"}");
}

TEST(base64_takes_only_what_it_made)
{
    (void)state;
    char out[16];
    size_t len = 0;
    assert_true(tulle__base64_decode("AQID", 4, out, &len));
    assert_int_equal(len, 3);
    assert_true(tulle__base64_decode("AQ==", 4, out, &len));
    assert_int_equal(len, 1);
    assert_true(tulle__base64_decode("", 0, out, &len));
    assert_int_equal(len, 0);
    assert_false(tulle__base64_decode("AQI", 3, out, &len));
    assert_false(tulle__base64_decode("A===", 4, out, &len));
    assert_false(tulle__base64_decode("AQ==AQID", 8, out, &len));
    assert_false(tulle__base64_decode("A-ID", 4, out, &len));
}

TEST(log_lines_are_plain_or_json)
{
    struct tulle__text *text = *state;
    struct tulle__logsink sink;
    tulle__logsink_init(&sink, TULLE__LOG_TEXT);
    (void)snprintf(sink.node, sizeof sink.node, "n1");

    tulle__logsink_line(&sink, 1000001, TULLE_LOG_WARN, "member.gone", "name=\033[2J", text);
    tulle__logsink_line(&sink, 0, TULLE_LOG_INFO, "a.b", "\302\2332J \303\274 \233 \302", text);
    sink.format = TULLE__LOG_JSON;
    tulle__logsink_line(&sink, 0, TULLE_LOG_INFO, "a.b", "k=\"v\"", text);

    assert_string_equal(as_str(text),
                        "1970-01-01T00:00:01.000001Z warn  n1 member.gone name=?[2J\n"
                        "1970-01-01T00:00:00.000000Z info  n1 a.b ?2J \303\274 ? ?\n"
                        "{\"time\":\"1970-01-01T00:00:00.000000Z\",\"level\":\"info\","
                        "\"node\":\"n1\",\"id\":\"a.b\",\"text\":\"k=\\\"v\\\"\"}\n");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(values_become_json),
        CASE(counts_and_lengths_beyond_the_bytes_are_refused),
        CASE(nesting_is_limited),
        CASE(every_cut_of_a_value_is_refused),
        CASE(json_survives_the_way_through_msgpack),
        CASE(json_nested_too_deep_is_refused),
        CASE(event_is_one_object),
        CASE(payload_that_is_no_msgpack_says_so),
        CASE(what_an_event_waited_for_is_told),
        CASE(times_are_those_of_the_calendar),
        CASE(a_payload_of_json_is_json),
        CASE(content_type_decides_before_the_bytes_do),
        CASE(gap_and_peer_are_objects),
        CASE(base64_takes_only_what_it_made),
        CASE(log_lines_are_plain_or_json),
    };
    return cmocka_run_group_tests_name("app/json", tests, NULL, NULL);
}
