/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include "codec/topic.h"

#include <tulle/topic.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct tulle__view
text(const char *string)
{
    return (struct tulle__view){ (const uint8_t *)string, strlen(string) };
}

/* Put more behind what a text of so much room holds. */
static void
append(char *string, size_t room, const char *more)
{
    size_t len = strlen(string);
    assert_true(len + strlen(more) < room);
    (void)snprintf(string + len, room - len, "%s", more);
}

#define APPEND(array, more) append((array), sizeof(array), (more))

/* A copy that ends where its block does, so that a sanitizer sees a read past it. */
static bool
is_valid_topic_exactly(const void *bytes, size_t len)
{
    uint8_t *block = malloc(len > 0 ? len : 1);
    assert_non_null(block);
    if (len > 0)
        memcpy(block, bytes, len);
    bool is_valid = tulle__topic_is_valid((struct tulle__view){ block, len });
    free(block);
    return is_valid;
}

/* ---- validity (PROTOCOL 2.1, 2.2) ---- */

TEST(a_topic_is_levels_between_slashes)
{
    (void)state;

    assert_true(tulle_topic_is_valid("a"));
    assert_true(tulle_topic_is_valid("orders/eu/placed"));
    assert_true(tulle_topic_is_valid("räume/3 Stock/温度/😀"));
    assert_true(tulle_topic_is_valid("a/$b"));
    assert_true(tulle_topic_is_valid("a$/b"));
    assert_true(tulle_topic_is_valid("a*/**b/***/*.*"));
    assert_true(tulle_topic_is_valid(" "));
    assert_true(tulle_topic_is_valid("\xc2\x80")); /* the first beyond ASCII */
}

TEST(a_topic_has_no_empty_level)
{
    (void)state;

    assert_false(tulle_topic_is_valid(""));
    assert_false(tulle_topic_is_valid("/"));
    assert_false(tulle_topic_is_valid("/a"));
    assert_false(tulle_topic_is_valid("a/"));
    assert_false(tulle_topic_is_valid("a//b"));
    assert_false(is_valid_topic_exactly("a/", 2));
    assert_false(tulle_pattern_is_valid(""));
    assert_false(tulle_pattern_is_valid("**/"));
    assert_false(tulle_pattern_is_valid("/**"));
}

TEST(wildcards_are_for_patterns_only)
{
    (void)state;

    assert_false(tulle_topic_is_valid("*"));
    assert_false(tulle_topic_is_valid("**"));
    assert_false(tulle_topic_is_valid("a/*"));
    assert_false(tulle_topic_is_valid("a/**/b"));
    assert_true(tulle_pattern_is_valid("*"));
    assert_true(tulle_pattern_is_valid("**"));
    assert_true(tulle_pattern_is_valid("a/*/**/b"));
    assert_true(tulle_pattern_is_valid("a/b"));
    assert_true(tulle_pattern_is_valid("a/b*")); /* a name like any other */
}

TEST(names_that_begin_with_a_dollar_are_reserved)
{
    (void)state;

    assert_false(tulle_topic_is_valid("$beat"));
    assert_false(tulle_topic_is_valid("$"));
    assert_false(tulle_pattern_is_valid("$beat/**"));
    assert_true(tulle_pattern_is_valid("*/$b"));
}

TEST(a_topic_has_at_most_255_bytes)
{
    (void)state;
    char topic[260];
    memset(topic, 'a', sizeof topic);

    topic[255] = '\0';
    assert_true(tulle_topic_is_valid(topic));
    assert_true(tulle_pattern_is_valid(topic));
    topic[255] = 'a';
    topic[256] = '\0';
    assert_false(tulle_topic_is_valid(topic));
    assert_false(tulle_pattern_is_valid(topic));
    topic[256] = 'a';
    topic[259] = '\0';
    assert_false(tulle_topic_is_valid(topic));
}

TEST(a_topic_has_no_control_characters)
{
    (void)state;

    for (int c = 0; c < 0x20; c++) {
        const char topic[] = { 'a', (char)c, 'b' };
        assert_false(is_valid_topic_exactly(topic, sizeof topic));
    }
    assert_false(tulle_topic_is_valid("a\x7f"));
    assert_true(tulle_topic_is_valid("a~ "));
}

TEST(text_that_is_not_utf8_is_refused)
{
    (void)state;
    static const char *const broken[] = {
        "\x80",             /* continues nothing */
        "\xc3",             /* cut */
        "\xe2\x82",         /* cut */
        "\xf0\x9f\x98",     /* cut */
        "\xc3/",            /* cut by a level */
        "\xc0\xaf",         /* "/" in two bytes */
        "\xc1\xbf",         /* overlong */
        "\xe0\x9f\xbf",     /* overlong */
        "\xf0\x8f\xbf\xbf", /* overlong */
        "\xed\xa0\x80",     /* first surrogate */
        "\xed\xbf\xbf",     /* last surrogate */
        "\xf4\x90\x80\x80", /* U+110000 */
        "\xf5\x80\x80\x80", /* beyond */
        "\xf8\x88\x80\x80\x80",
        "\xff",
        "\xfe",
    };

    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        char behind[16];
        (void)snprintf(behind, sizeof behind, "a%s", broken[i]);
        assert_false(is_valid_topic_exactly(broken[i], strlen(broken[i])));
        assert_false(is_valid_topic_exactly(behind, strlen(behind)));
        assert_false(tulle_pattern_is_valid(behind));
    }
}

static size_t
encode(uint32_t code, uint8_t out[static 4])
{
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (uint8_t)((0xf00 >> len & 0xff) | code);
    return len;
}

TEST(every_character_of_unicode_is_taken)
{
    (void)state;

    for (uint32_t code = 1; code <= 0x110fff; code++) {
        uint8_t topic[8] = { 'a' };
        size_t len = 1 + encode(code, topic + 1);
        bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
        bool is_control = code < 0x20 || code == 0x7f;
        bool is_good = !is_surrogate && !is_control && code <= 0x10ffff && code != '/';
        bool is_taken = tulle__topic_is_valid((struct tulle__view){ topic, len });
        if (is_taken != is_good)
            print_error("U+%04X\n", (unsigned)code);
        assert_true(is_taken == is_good);
    }
}

/* The slow way: put the bits together, and encode again to see whether it was the
 * only form. */
static bool
is_text(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t count = bytes[i] < 0x80 ? 1 : bytes[i] < 0xe0 ? 2 : bytes[i] < 0xf0 ? 3 : 4;
        uint32_t code = count == 1 ? bytes[i] : bytes[i] & (0x7fU >> count);
        uint8_t again[4];
        if (count > len - i)
            return false;
        for (size_t k = 1; k < count; k++)
            code = code << 6 | (bytes[i + k] & 0x3f);
        if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) || code < 0x20 || code == 0x7f)
            return false;
        if (encode(code, again) != count || memcmp(again, bytes + i, count) != 0)
            return false;
        i += count;
    }
    return true;
}

TEST(random_bytes_are_judged_as_the_slow_way_does)
{
    (void)state;
    struct testkit_random random = { 0x5eed0005 };
    size_t good = 0;

    for (int i = 0; i < 300000; i++) {
        uint8_t bytes[6] = { 'a' };
        size_t len = 2 + testkit_random_below(&random, 5);
        for (size_t k = 1; k < len; k++) {
            uint64_t low = testkit_random_below(&random, 4) > 0 ? 0x80 : 0x30;
            bytes[k] = (uint8_t)(low + testkit_random_below(&random, 0x100 - low));
        }
        bool expected = is_text(bytes, len);
        assert_true(tulle__topic_is_valid((struct tulle__view){ bytes, len }) == expected);
        good += expected ? 1 : 0;
    }

    assert_true(good > 1000); /* both kinds were seen */
}

/* ---- matching (PROTOCOL 2.2) ---- */

static void
assert_matches(const char *pattern, const char *topic, bool expected)
{
    bool found = tulle_pattern_matches(pattern, topic);
    if (found != expected)
        print_error("%s %s %s\n", pattern, found ? "matches" : "does not match", topic);
    assert_true(found == expected);
}

TEST(a_literal_pattern_matches_itself_only)
{
    (void)state;

    assert_matches("a/b", "a/b", true);
    assert_matches("a/b", "a", false);
    assert_matches("a/b", "a/b/c", false);
    assert_matches("a/b", "a/bb", false);
    assert_matches("a/bb", "a/b", false);
    assert_matches("a/b", "A/b", false);
    assert_matches("a/b*", "a/bc", false);
    assert_matches("a/b*", "a/b*", true);
}

TEST(one_star_is_exactly_one_level)
{
    (void)state;

    assert_matches("*", "a", true);
    assert_matches("*", "a/b", false);
    assert_matches("a/*", "a/b", true);
    assert_matches("a/*", "a", false);
    assert_matches("a/*", "a/b/c", false);
    assert_matches("a/*/c", "a/b/c", true);
    assert_matches("a/*/c", "a/c", false);
    assert_matches("a/*/c", "a/b/b/c", false);
    assert_matches("*/*", "a/b", true);
}

TEST(two_stars_are_any_number_of_levels)
{
    (void)state;

    assert_matches("**", "a", true);
    assert_matches("**", "a/b/c/d", true);
    assert_matches("a/**", "a", true);
    assert_matches("a/**", "a/b/c", true);
    assert_matches("a/**", "b/a", false);
    assert_matches("a/**", "ab", false);
    assert_matches("**/c", "c", true);
    assert_matches("**/c", "a/b/c", true);
    assert_matches("**/c", "a/c/b", false);
    assert_matches("a/**/c", "a/c", true);
    assert_matches("a/**/c", "a/b/c/b/c", true);
    assert_matches("a/**/c", "a/b/c/b", false);
}

TEST(wildcards_can_be_mixed)
{
    (void)state;

    assert_matches("a/**/*", "a", false);
    assert_matches("a/**/*", "a/b", true);
    assert_matches("a/*/**", "a", false);
    assert_matches("a/*/**", "a/b", true);
    assert_matches("**/a/**/b/**", "x/a/y/b", true);
    assert_matches("**/a/**/b/**", "b/a", false);
    assert_matches("**/a/b/**/a/c", "a/b/a/b/a/c", true);
    assert_matches("**/a/b/c", "a/b/a/b/c", true);
    assert_matches("**/**/**", "a", true);
    assert_matches("**/*/**/*", "a", false);
    assert_matches("**/*/**/*", "a/b", true);
}

TEST(no_pattern_matches_reserved_topics)
{
    (void)state;

    assert_matches("**", "$beat", false);
    assert_matches("*", "$beat", false);
    assert_matches("**/a", "$beat/a", false);
    assert_matches("**", "a/$beat", true);
}

TEST(a_topic_is_matched_in_two_parts_as_in_one)
{
    (void)state;
    struct tulle__view pattern = text("a/*/c/**");

    assert_true(tulle__pattern_matches(pattern, text("a/b/c"), text("")));
    assert_true(tulle__pattern_matches(pattern, text("a/b"), text("c/d")));
    assert_true(tulle__pattern_matches(pattern, text("a"), text("b/c")));
    assert_false(tulle__pattern_matches(pattern, text("a"), text("c/b")));
    assert_false(tulle__pattern_matches(pattern, text("a/b"), text("")));
    assert_false(tulle__pattern_matches(text("**"), text("$a"), text("b")));
}

/* Both as long as can be, of the kind that takes exponential time when every "**"
 * is tried anew: this ends, or the test's deadline does. */
TEST(the_longest_patterns_take_no_longer)
{
    (void)state;
    char pattern[256] = "";
    char topic[256] = "";
    for (int i = 0; i < 50; i++)
        APPEND(pattern, "**/a/");
    APPEND(pattern, "b");
    for (int i = 0; i < 127; i++)
        APPEND(topic, "a/");
    APPEND(topic, "c");

    for (int i = 0; i < 100; i++)
        assert_matches(pattern, topic, false);
    topic[254] = 'b';
    assert_matches(pattern, topic, true);
}

/* ---- against the slow way ---- */

enum { MODEL_LEVELS_MAX = 6 };

/* Levels of one letter each: "*" and, for "**", "#". */
struct model_path {
    char levels[MODEL_LEVELS_MAX * 2 + 1];
    char path[MODEL_LEVELS_MAX * 6 + 1];
};

static void
append_level(struct model_path *path, char level)
{
    size_t len = strlen(path->levels);
    path->levels[len] = level;
    path->levels[len + 1] = '\0';
    char more[4] = { level, '\0' };
    if (level == '#')
        memcpy(more, "**", 3);
    if (len > 0)
        APPEND(path->path, "/");
    APPEND(path->path, more);
}

static struct model_path
random_path(struct testkit_random *random, const char *alphabet)
{
    struct model_path path = { "", "" };
    size_t count = 1 + testkit_random_below(random, MODEL_LEVELS_MAX);
    for (size_t i = 0; i < count; i++)
        append_level(&path, alphabet[testkit_random_below(random, strlen(alphabet))]);
    return path;
}

static bool
slowly_matches(const char *pattern, const char *topic)
{
    if (*pattern == '#')
        return slowly_matches(pattern + 1, topic) ||
               (*topic != '\0' && slowly_matches(pattern, topic + 1));
    if (*pattern == '\0' || *topic == '\0')
        return *pattern == *topic;
    return (*pattern == '*' || *pattern == *topic) && slowly_matches(pattern + 1, topic + 1);
}

TEST(random_patterns_match_as_the_slow_way_does)
{
    (void)state;
    struct testkit_random random = { 0x5eed0006 };
    size_t matched = 0;

    for (int i = 0; i < 100000; i++) {
        struct model_path pattern = random_path(&random, "aabb*##");
        struct model_path topic = random_path(&random, "aab");
        bool expected = slowly_matches(pattern.levels, topic.levels);
        assert_matches(pattern.path, topic.path, expected);
        matched += expected ? 1 : 0;
    }

    assert_in_range(matched, 10000, 90000);
}

/* ---- streams (PROTOCOL 2.3) ---- */

TEST(a_stream_is_so_many_leading_levels)
{
    (void)state;

    assert_int_equal(tulle__stream_len(text("orders/eu/placed"), 1), 6);
    assert_int_equal(tulle__stream_len(text("orders/eu/placed"), 2), 9);
    assert_int_equal(tulle__stream_len(text("orders/eu/placed"), 3), 16);
    assert_int_equal(tulle__stream_len(text("orders/eu/placed"), UINT32_MAX), 16);
    assert_int_equal(tulle__stream_len(text("orders"), 1), 6);
}

TEST(what_takes_all_of_a_stream_is_told)
{
    (void)state;

    assert_true(tulle__pattern_takes_all_of(text("**"), text("a")));
    assert_true(tulle__pattern_takes_all_of(text("a/**"), text("a")));
    assert_true(tulle__pattern_takes_all_of(text("a/**"), text("a/b")));
    assert_true(tulle__pattern_takes_all_of(text("a/*/**"), text("a/b")));
    assert_true(tulle__pattern_takes_all_of(text("**/*"), text("a")));
    assert_false(tulle__pattern_takes_all_of(text("a/*/**"), text("a")));
    assert_false(tulle__pattern_takes_all_of(text("a"), text("a")));
    assert_false(tulle__pattern_takes_all_of(text("a/*"), text("a/b")));
    assert_false(tulle__pattern_takes_all_of(text("a/b/**"), text("a")));
    assert_false(tulle__pattern_takes_all_of(text("**/b"), text("a/b")));
    assert_false(tulle__pattern_takes_all_of(text("**"), text("$beat")));
    assert_false(tulle__pattern_takes_all_of(text("**"), text("")));
}

/* Does the pattern match the stream and everything up to so many levels below? */
static bool
slowly_takes_all_of(const char *pattern, char *levels, size_t more)
{
    if (!slowly_matches(pattern, levels))
        return false;
    size_t len = strlen(levels);
    for (const char *c = more > 0 ? "abz" : ""; *c != '\0'; c++) {
        levels[len] = *c;
        levels[len + 1] = '\0';
        bool takes = slowly_takes_all_of(pattern, levels, more - 1);
        levels[len] = '\0';
        if (!takes)
            return false;
    }
    return true;
}

TEST(random_patterns_take_all_as_the_slow_way_says)
{
    (void)state;
    struct testkit_random random = { 0x5eed0007 };
    size_t taken = 0;

    for (int i = 0; i < 20000; i++) {
        struct model_path pattern = random_path(&random, "ab**##");
        struct model_path stream = random_path(&random, "ab");
        bool found = tulle__pattern_takes_all_of(text(pattern.path), text(stream.path));
        bool expected = slowly_takes_all_of(pattern.levels, stream.levels, MODEL_LEVELS_MAX);
        if (found != expected)
            print_error("%s and stream %s\n", pattern.path, stream.path);
        assert_true(found == expected);
        taken += found ? 1 : 0;
    }

    assert_in_range(taken, 1000, 19000);
}

/* ---- keys (PROTOCOL 2.4, 2.5) ---- */

/* expected: the keys with a blank behind each, and "0" for the zero byte. */
static void
assert_keys(const char *pattern, const char *expected)
{
    static struct tulle__key keys[TULLE__KEYS_PER_PATTERN_MAX];
    char found[256] = "";
    size_t count = tulle__pattern_keys(text(pattern), keys);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < keys[i].len; k++) {
            char c[2] = { keys[i].bytes[k] == 0 ? '0' : (char)keys[i].bytes[k], '\0' };
            APPEND(found, c);
        }
        APPEND(found, " ");
    }
    assert_string_equal(found, expected);
}

TEST(keys_of_patterns_are_as_the_protocol_says)
{
    (void)state;

    assert_keys("orders", "orders0 ");
    assert_keys("orders/eu/placed", "orders0 orders/eu0 orders/eu/placed0 ");
    assert_keys("orders/eu/**", "orders0 orders/eu0 orders/eu/ ");
    assert_keys("a/*/c", "a0 a/ ");
    assert_keys("a/**/c/*", "a0 a/ ");
    assert_keys("*/eu", " ");
    assert_keys("**", " ");
    assert_keys("*", " ");
}

TEST(the_longest_pattern_has_room_for_its_keys)
{
    (void)state;
    static struct tulle__key keys[TULLE__KEYS_PER_PATTERN_MAX];
    char pattern[256] = "";
    for (int i = 0; i < 127; i++)
        APPEND(pattern, "a/");

    APPEND(pattern, "a");
    assert_int_equal(tulle__pattern_keys(text(pattern), keys), 128);
    assert_int_equal(keys[127].len, 256);
    pattern[254] = '*';
    assert_int_equal(tulle__pattern_keys(text(pattern), keys), 128);
    assert_int_equal(keys[127].len, 254);

    memset(pattern, 'a', 255);
    assert_int_equal(tulle__pattern_keys(text(pattern), keys), 1);
    assert_int_equal(keys[0].len, TULLE__KEY_LEN_MAX);
}

static bool
takes(const char *key, size_t key_len, const char *stream)
{
    return tulle__key_takes((struct tulle__view){ (const uint8_t *)key, key_len }, text(stream));
}

TEST(a_key_takes_what_begins_with_it)
{
    (void)state;

    assert_true(takes("a\0", 2, "a"));
    assert_false(takes("a\0", 2, "ab"));
    assert_false(takes("a\0", 2, "a/b"));
    assert_false(takes("a\0", 2, "b"));
    assert_true(takes("a/", 2, "a/b"));
    assert_false(takes("a/", 2, "a"));
    assert_false(takes("a/b/", 4, "a"));
    assert_true(takes("a", 1, "a"));
    assert_true(takes("a", 1, "ab"));
    assert_true(takes("", 0, "a"));
    assert_false(takes("a\0b", 3, "a"));
    assert_false(takes("ab", 2, "a"));
}

/* As trying each says, for all sets of some keys. */
TEST(sorted_keys_cover_what_one_of_them_takes_wholly)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
    } some[] = { { "", 0 },     { "a\0", 2 },     { "a/", 2 },   { "a/b\0", 4 },
                 { "a/b/", 4 }, { "a/b/c\0", 6 }, { "ab\0", 3 }, { "b/", 2 } };
    enum { SOME = sizeof some / sizeof *some };

    for (unsigned set = 0; set < 1u << SOME; set++) {
        struct tulle__view keys[SOME];
        size_t count = 0;
        for (unsigned i = SOME; i-- > 0;) {
            if ((set >> i & 1u) != 0)
                keys[count++] = (struct tulle__view){ (const uint8_t *)some[i].bytes, some[i].len };
        }
        tulle__keys_sort(keys, count);
        for (unsigned i = 0; i < SOME; i++) {
            struct tulle__view key = { (const uint8_t *)some[i].bytes, some[i].len };
            bool is_covered = false;
            for (size_t k = 0; k < count; k++)
                is_covered =
                    is_covered || (keys[k].len <= key.len && tulle__keys_overlap(keys[k], key));
            assert_int_equal(tulle__keys_cover(keys, count, key), is_covered);
        }
    }
}

static bool
keys_take(const struct tulle__key *keys, size_t count, struct tulle__view stream)
{
    for (size_t i = 0; i < count; i++) {
        struct tulle__view key = { keys[i].bytes, keys[i].len };
        if (tulle__key_takes(key, stream))
            return true;
    }
    return false;
}

/* What a pattern matches arrives, whatever number of levels the stream has. */
TEST(keys_take_each_stream_that_can_carry_a_match)
{
    (void)state;
    static struct tulle__key keys[TULLE__KEYS_PER_PATTERN_MAX];
    struct testkit_random random = { 0x5eed0008 };
    size_t matched = 0;

    for (int i = 0; i < 50000; i++) {
        struct model_path pattern = random_path(&random, "aab*#");
        struct model_path topic = random_path(&random, "ab");
        if (!tulle_pattern_matches(pattern.path, topic.path))
            continue;
        matched++;
        size_t count = tulle__pattern_keys(text(pattern.path), keys);
        for (uint32_t levels = 1; levels <= MODEL_LEVELS_MAX; levels++) {
            struct tulle__view stream = text(topic.path);
            stream.len = tulle__stream_len(stream, levels);
            assert_true(keys_take(keys, count, stream));
        }
    }

    assert_true(matched > 5000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_topic_is_levels_between_slashes),
        cmocka_unit_test(a_topic_has_no_empty_level),
        cmocka_unit_test(wildcards_are_for_patterns_only),
        cmocka_unit_test(names_that_begin_with_a_dollar_are_reserved),
        cmocka_unit_test(a_topic_has_at_most_255_bytes),
        cmocka_unit_test(a_topic_has_no_control_characters),
        cmocka_unit_test(text_that_is_not_utf8_is_refused),
        cmocka_unit_test(every_character_of_unicode_is_taken),
        cmocka_unit_test(random_bytes_are_judged_as_the_slow_way_does),
        cmocka_unit_test(a_literal_pattern_matches_itself_only),
        cmocka_unit_test(one_star_is_exactly_one_level),
        cmocka_unit_test(two_stars_are_any_number_of_levels),
        cmocka_unit_test(wildcards_can_be_mixed),
        cmocka_unit_test(no_pattern_matches_reserved_topics),
        cmocka_unit_test(a_topic_is_matched_in_two_parts_as_in_one),
        cmocka_unit_test(the_longest_patterns_take_no_longer),
        cmocka_unit_test(random_patterns_match_as_the_slow_way_does),
        cmocka_unit_test(a_stream_is_so_many_leading_levels),
        cmocka_unit_test(what_takes_all_of_a_stream_is_told),
        cmocka_unit_test(random_patterns_take_all_as_the_slow_way_says),
        cmocka_unit_test(keys_of_patterns_are_as_the_protocol_says),
        cmocka_unit_test(the_longest_pattern_has_room_for_its_keys),
        cmocka_unit_test(a_key_takes_what_begins_with_it),
        cmocka_unit_test(sorted_keys_cover_what_one_of_them_takes_wholly),
        cmocka_unit_test(keys_take_each_stream_that_can_carry_a_match),
    };
    return cmocka_run_group_tests_name("codec/topic", tests, NULL, NULL);
}
