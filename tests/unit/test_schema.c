/* SPDX-License-Identifier: MPL-2.0 */

/* What is learnt of payloads, and of topics. */

#include "testkit.h"

#include "app/json.h"
#include "tools/graph/channels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct tulle__schema schema;
static struct tulle__schema_pool pool;
static struct tulle__channels channels;
static json_t *learnt;

static int
setup(void **state)
{
    (void)state;
    pool = (struct tulle__schema_pool){ 0 };
    channels = (struct tulle__channels){ .fold = 3 };
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    tulle__schema_fini(&schema);
    tulle__channels_fini(&channels);
    json_decref(learnt);
    learnt = NULL;
    return 0;
}

static void
learn_into(struct tulle__schema *to, const char *json)
{
    struct tulle__text packed = { 0 };
    json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    assert_null(tulle__json_to_msgpack(value, &packed));
    assert_true(tulle__msgpack_is_valid(packed.bytes, packed.len));
    tulle__schema_learn(to, &pool, packed.bytes, packed.len);
    json_decref(value);
    tulle__text_free(&packed);
    assert_false(pool.has_failed);
}

static void
learn(const char *json)
{
    learn_into(&schema, json);
}

static void
expect_of(const struct tulle__schema *of, const char *json)
{
    json_t *expected = json_loads(json, JSON_DECODE_ANY, NULL);
    assert_non_null(expected);
    json_decref(learnt);
    learnt = tulle__schema_json(of);
    assert_non_null(learnt);
    if (!json_equal(learnt, expected)) {
        char *text = json_dumps(learnt, 0);
        print_error("%s\nis not %s\n", text, json);
        free(text);
        json_decref(expected);
        fail();
    }
    json_decref(expected);
}

static void
expect(const char *json)
{
    expect_of(&schema, json);
}

TEST(types_that_were_seen_are_told)
{
    (void)state;
    expect("{}");
    learn("1");
    expect("{\"type\": \"integer\"}");
    learn("-1.5");
    expect("{\"type\": \"number\"}"); /* an integer is one */
    learn("null");
    expect("{\"type\": [\"number\", \"null\"]}");
    learn("true");
    expect("{\"oneOf\": [{\"type\": \"null\"}, {\"type\": \"boolean\"}, {\"type\": \"number\"}]}");
    tulle__schema_fini(&schema);
    learn("null");
    expect("{\"type\": \"null\"}");
    learn("{\"$bin\": \"AAH/\"}");
    expect("{\"type\": [\"string\", \"null\"], \"contentEncoding\": \"base64\"}");
    learn("\"text\"");
    expect("{\"type\": [\"string\", \"null\"]}");
    tulle__schema_fini(&schema);
    learn("{\"$ext\": [5, \"AAH/\"]}");
    expect("{\"type\": \"object\", \"description\": \"a msgpack extension\"}");
}

TEST(fields_that_all_objects_have_are_required)
{
    (void)state;
    learn("{\"a\": 1, \"b\": {\"c\": \"x\"}}");
    expect(
        "{\"type\": \"object\", \"properties\": {\"a\": {\"type\": \"integer\"}, \"b\": {\"type\": "
        "\"object\", \"properties\": {\"c\": {\"type\": \"string\"}}, \"required\": [\"c\"]}}, "
        "\"required\": [\"a\", \"b\"]}");
    learn("{\"a\": null, \"b\": {}}");
    learn("{\"a\": 2, \"d\": false}");
    expect("{\"type\": \"object\", \"properties\": {\"a\": {\"type\": [\"integer\", \"null\"]}, "
           "\"b\": {\"type\": \"object\", \"properties\": {\"c\": {\"type\": \"string\"}}}, "
           "\"d\": {\"type\": \"boolean\"}}, \"required\": [\"a\"]}");
}

TEST(elements_of_arrays_have_one_schema)
{
    (void)state;
    learn("[]");
    expect("{\"type\": \"array\"}");
    learn("[{\"n\": 1}, {\"n\": 2, \"m\": 1}]");
    expect("{\"type\": \"array\", \"items\": {\"type\": \"object\", \"properties\": {\"n\": "
           "{\"type\": "
           "\"integer\"}, \"m\": {\"type\": \"integer\"}}, \"required\": [\"n\"]}}");
}

TEST(times_are_recognised_when_all_are)
{
    (void)state;
    learn("\"2024-05-01T12:00:00Z\"");
    learn("\"2024-05-01T12:00:00.123456+02:00\"");
    expect("{\"type\": \"string\", \"format\": \"date-time\"}");
    learn("\"2024-05-01 12:00:00\"");
    expect("{\"type\": \"string\"}");
    tulle__schema_fini(&schema);
    learn("\"2024-05-01T12:00:00\"");
    expect("{\"type\": \"string\"}");
}

static void
learn_keys(struct tulle__schema *to, int from, int to_key)
{
    struct tulle__text text = { 0 };
    tulle__text_char(&text, '{');
    for (int i = from; i < to_key; i++)
        tulle__text_format(&text, "%s\"k%d\": %d", i > from ? ", " : "", i, i);
    tulle__text_str(&text, "}");
    tulle__text_char(&text, '\0');
    learn_into(to, text.bytes);
    tulle__text_free(&text);
}

TEST(an_object_with_very_many_names_is_a_dictionary)
{
    (void)state;
    learn_keys(&schema, 0, TULLE__SCHEMA_FIELDS_MAX);
    assert_int_equal(schema.field_count, TULLE__SCHEMA_FIELDS_MAX);
    learn_keys(&schema, TULLE__SCHEMA_FIELDS_MAX, TULLE__SCHEMA_FIELDS_MAX + 1);
    expect("{\"type\": \"object\", \"additionalProperties\": {\"type\": \"integer\"}}");
    learn("{\"x\": null}");
    expect("{\"type\": \"object\", \"additionalProperties\": {\"type\": [\"integer\", \"null\"]}}");
    assert_false(pool.is_cut);
}

TEST(names_that_readers_stumble_over_are_left_out)
{
    (void)state;
    learn("{\"$ref\": \"#/x\", \"__proto__\": 1, \"a\": 1}");
    expect("{\"type\": \"object\", \"properties\": {\"a\": {\"type\": \"integer\"}}, \"required\": "
           "[\"a\"]}");
    /* Names that are no text: keys that are numbers, and bytes that are no UTF-8. */
    tulle__schema_fini(&schema);
    static const unsigned char odd[] = { 0x83, 0x01, 0x02, 0xa2, 0xff, 'x', 0x03, 0xa1, 'n', 0xc3 };
    assert_true(tulle__msgpack_is_valid(odd, sizeof odd));
    tulle__schema_learn(&schema, &pool, odd, sizeof odd);
    expect("{\"type\": \"object\", \"properties\": {\"\\ufffdx\": {\"type\": \"integer\"}, \"n\": "
           "{\"type\": \"boolean\"}}, \"required\": [\"\\ufffdx\", \"n\"]}");
}

TEST(merging_is_as_learning_all)
{
    (void)state;
    static const char *const values[] = { "{\"a\": 1, \"b\": [1]}", "{\"a\": \"x\"}", "null",
                                          "{\"a\": 2, \"b\": [null, {\"c\": 1}]}", "[\"z\"]" };
    struct tulle__schema parts[2] = { { 0 }, { 0 } };
    for (size_t i = 0; i < 5; i++) {
        learn(values[i]);
        learn_into(&parts[i % 2], values[i]);
    }
    tulle__schema_merge(&parts[0], &pool, &parts[1]);
    assert_int_equal(parts[1].count, 0);
    json_t *whole = tulle__schema_json(&schema);
    char *text = json_dumps(whole, 0);
    expect_of(&parts[0], text);
    free(text);
    json_decref(whole);
    /* And with dictionaries on one side. */
    struct tulle__schema keys = { 0 };
    learn_keys(&keys, 0, 2 * TULLE__SCHEMA_FIELDS_MAX);
    tulle__schema_fini(&schema);
    learn("{\"a\": true}");
    tulle__schema_merge(&schema, &pool, &keys);
    expect("{\"type\": \"object\", \"additionalProperties\": {\"oneOf\": [{\"type\": \"boolean\"}, "
           "{\"type\": \"integer\"}]}}");
    tulle__schema_fini(&parts[0]);
}

/* What is kept of many payloads that have nothing in common stays within the limit. */
TEST(what_is_kept_has_a_limit)
{
    (void)state;
    char text[200];
    for (int i = 0; i < TULLE__SCHEMA_PARTS_MAX && !pool.is_cut; i++) {
        (void)snprintf(text, sizeof text,
                       "{\"a%d\": {\"b%d\": {\"c%d\": {\"d%d\": {\"e\": [[[%d]]]}}}}}", i % 60,
                       i / 60 % 60, i / 3600, i / 7, i);
        learn(text);
    }
    assert_true(pool.is_cut);
    assert_in_range(pool.part_count, 1, TULLE__SCHEMA_PARTS_MAX);
    learnt = tulle__schema_json(&schema);
    assert_non_null(learnt);
}

/* ---- topics ---- */

static void
see(const char *topic, const char *content_type, const void *payload, size_t len)
{
    const tulle_event event = { .node = 7,
                                .node_name = "n",
                                .stream = "s",
                                .topic = topic,
                                .content_type = content_type,
                                .payload = payload,
                                .payload_len = len };
    tulle__channels_learn(&channels, &event);
    assert_false(channels.pool.has_failed);
}

static const struct tulle__level *
below(const struct tulle__level *level, size_t index)
{
    assert_true(index < level->below_count);
    return &level->below[index];
}

TEST(topics_are_channels)
{
    (void)state;
    see("a/b", NULL, "\x01", 1);
    see("a/b", NULL, "\xc0", 1);
    see("a", "application/json", "[1]", 3);
    see("a", "application/json", "[1", 2);
    see("a", "text/plain", "x", 1);
    see("a", NULL, NULL, 0);
    assert_int_equal(channels.channel_count, 2);
    const struct tulle__level *a = below(&channels.root, 0);
    const struct tulle__channel *one = a->channel;
    const struct tulle__channel *two = below(a, 0)->channel;
    assert_string_equal(a->name, "a");
    assert_int_equal(one->kind_count, 3);
    expect_of(&one->kinds[0].payload, "{\"type\": \"array\", \"items\": {\"type\": \"integer\"}}");
    assert_int_equal(one->kinds[0].unreadable, 1);
    assert_int_equal(one->kinds[1].unreadable, 1);
    assert_int_equal(one->kinds[2].empty, 1);
    expect_of(&two->kinds[0].payload, "{\"type\": [\"integer\", \"null\"]}");
    assert_int_equal(two->count, 2);
    assert_int_equal(two->sender_count, 1);
}

TEST(levels_with_many_names_are_parameters)
{
    (void)state;
    char topic[40];
    for (int i = 0; i < 10; i++) {
        (void)snprintf(topic, sizeof topic, "sensors/%d/t%d", i, i % 5);
        see(topic, NULL, i % 2 == 0 ? "\x01" : "\xc3", 1);
    }
    see("sensors/1", NULL, "\x01", 1);
    const struct tulle__level *sensors = below(&channels.root, 0);
    assert_string_equal(sensors->name, "sensors");
    assert_int_equal(sensors->below_count, 1);
    const struct tulle__level *parameter = below(sensors, 0);
    assert_null(parameter->name);
    assert_non_null(parameter->channel);
    assert_int_equal(parameter->below_count, 1); /* t0 to t4 are more than three too */
    const struct tulle__channel *channel = below(parameter, 0)->channel;
    assert_int_equal(channel->count, 10);
    expect_of(&channel->kinds[0].payload,
              "{\"oneOf\": [{\"type\": \"boolean\"}, {\"type\": \"integer\"}]}");
    assert_int_equal(channels.channel_count, 2);
}

TEST(random_topics_have_a_limit)
{
    (void)state;
    char topic[80];
    unsigned seed = 1;
    channels.fold = 1000;
    for (int i = 0; i < 60000; i++) {
        seed = seed * 1103515245U + 12345U;
        (void)snprintf(topic, sizeof topic, "a%u/b%u/c%u", seed >> 16 & 7, seed >> 20 & 511,
                       seed >> 8 & 511);
        see(topic, NULL, "\x01", 1);
    }
    assert_true(channels.over_count > 0);
    assert_in_range(channels.channel_count, 1, TULLE__CHANNELS_MAX);
    assert_in_range(channels.level_count, 1, TULLE__CHANNEL_LEVELS_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        ROW(types_that_were_seen_are_told),
        ROW(fields_that_all_objects_have_are_required),
        ROW(elements_of_arrays_have_one_schema),
        ROW(times_are_recognised_when_all_are),
        ROW(an_object_with_very_many_names_is_a_dictionary),
        ROW(names_that_readers_stumble_over_are_left_out),
        ROW(merging_is_as_learning_all),
        ROW(what_is_kept_has_a_limit),
        ROW(topics_are_channels),
        ROW(levels_with_many_names_are_parameters),
        ROW(random_topics_have_a_limit),
    };
    return cmocka_run_group_tests_name("unit/schema", tests, NULL, NULL);
}
