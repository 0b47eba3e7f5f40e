/* SPDX-License-Identifier: MPL-2.0 */
/* The index says what one pattern after the other says. */

#include "testkit.h"

#include "base/alloc.h"
#include "codec/pattern_index.h"
#include "codec/topic.h"

#include <stdio.h>
#include <string.h>

enum { PATTERNS = 200, ROUNDS = 400, LEVELS = 5 };

struct model {
    char patterns[PATTERNS][64];
    bool is_in[PATTERNS];
};

static struct tulle__view
text(const char *bytes)
{
    return (struct tulle__view){ (const uint8_t *)bytes, strlen(bytes) };
}

static uint32_t
draw(uint64_t *random, uint32_t below)
{
    *random = *random * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (uint32_t)(*random >> 33) % below;
}

/* Few levels and few names for them, so that much matches. */
static void
make_path(char *out, size_t size, uint64_t *random, bool has_wildcards)
{
    static const char *const names[] = { "a", "b", "ab", "*", "**" };
    uint32_t levels = 1 + draw(random, LEVELS);
    size_t len = 0;
    for (uint32_t i = 0; i < levels; i++)
        len += (size_t)snprintf(out + len, size - len, "%s%s", i == 0 ? "" : "/",
                                names[draw(random, has_wildcards ? 5 : 3)]);
}

/* Each at most once. */
static void
mark(struct tulle__pattern_ids ids, bool found[static PATTERNS])
{
    for (size_t i = 0; i < ids.count; i++) {
        assert_true(ids.items[i] < PATTERNS);
        assert_false(found[ids.items[i]]);
        found[ids.items[i]] = true;
    }
}

static bool
takes(const char *pattern, const char *stream)
{
    struct tulle__key keys[TULLE__KEYS_PER_PATTERN_MAX];
    size_t count = tulle__pattern_keys(text(pattern), keys);
    for (size_t i = 0; i < count; i++) {
        if (tulle__key_takes(tulle__key_view(&keys[i]), text(stream)))
            return true;
    }
    return false;
}

static void
check_stream(struct tulle__pattern_index *index, const struct model *model, const char *stream)
{
    bool found[PATTERNS] = { false };
    mark(tulle__pattern_index_taking(index, text(stream)), found);
    for (size_t i = 0; i < PATTERNS; i++)
        assert_true(found[i] == (model->is_in[i] && takes(model->patterns[i], stream)));
}

static void
check_topic(struct tulle__pattern_index *index,
            const struct model *model,
            const char *stream,
            const char *rest)
{
    bool all[PATTERNS] = { false };
    bool some[PATTERNS] = { false };
    bool has_more = false;
    mark(tulle__pattern_index_stream(index, text(stream), &has_more), all);
    mark(tulle__pattern_index_topic(index, text(rest)), some);
    for (size_t i = 0; i < PATTERNS; i++) {
        const char *pattern = model->patterns[i];
        bool matches =
            model->is_in[i] && tulle__pattern_matches(text(pattern), text(stream), text(rest));
        assert_true(all[i] ==
                    (model->is_in[i] && tulle__pattern_takes_all_of(text(pattern), text(stream))));
        assert_true(some[i] == matches);
        assert_true(has_more || all[i] || !matches);
    }
}

TEST(says_what_each_pattern_says)
{
    (void)state;
    static struct model model;
    struct tulle__pattern_index *index = tulle__pattern_index_new();
    uint64_t random = 11;
    char stream[64];
    char rest[64];
    for (size_t round = 0; round < ROUNDS; round++) {
        uint32_t id = draw(&random, PATTERNS);
        if (model.is_in[id]) {
            tulle__pattern_index_remove(index, text(model.patterns[id]), id);
        } else {
            make_path(model.patterns[id], sizeof model.patterns[id], &random, true);
            assert_true(tulle__pattern_index_add(index, text(model.patterns[id]), id));
        }
        model.is_in[id] = !model.is_in[id];
        for (int i = 0; i < 20; i++) {
            make_path(stream, sizeof stream, &random, false);
            make_path(rest, sizeof rest, &random, false);
            check_stream(index, &model, stream);
            check_topic(index, &model, stream, rest);
            check_topic(index, &model, stream, "");
        }
    }
    tulle__pattern_index_free(&index);
    assert_null(index);
}

TEST(nothing_matches_what_is_reserved)
{
    (void)state;
    struct tulle__pattern_index *index = tulle__pattern_index_new();
    bool has_more = true;
    assert_true(tulle__pattern_index_add(index, text("**"), 0));
    assert_int_equal(tulle__pattern_index_stream(index, text("$beat"), &has_more).count, 0);
    assert_false(has_more);
    tulle__pattern_index_free(&index);
}

TEST(a_pattern_for_all_below_asks_for_no_topics)
{
    (void)state;
    struct tulle__pattern_index *index = tulle__pattern_index_new();
    bool has_more = true;
    assert_true(tulle__pattern_index_add(index, text("a/**"), 3));
    assert_int_equal(tulle__pattern_index_stream(index, text("a/b"), &has_more).count, 1);
    assert_false(has_more);
    assert_int_equal(tulle__pattern_index_stream(index, text("b"), &has_more).count, 0);
    assert_false(has_more);
    tulle__pattern_index_free(&index);
}

TEST(without_memory_it_stays_as_it_was)
{
    (void)state;
    struct tulle__pattern_index *index = tulle__pattern_index_new();
    assert_true(tulle__pattern_index_add(index, text("a/b"), 0));
    bool is_added = false;
    for (size_t left = 0; !is_added; left++) {
        struct testkit_memory memory = { .left = left };
        bool has_more = false;
        tulle__alloc_set_hook(testkit_may_allocate, &memory);
        is_added = tulle__pattern_index_add(index, text("a/x/*/y/**"), 1);
        tulle__alloc_set_hook(NULL, NULL);
        assert_true(left > 0 || !is_added);
        (void)tulle__pattern_index_stream(index, text("a"), &has_more);
        assert_int_equal(tulle__pattern_index_topic(index, text("b")).count, 1);
        assert_int_equal(tulle__pattern_index_topic(index, text("x/1/y")).count, is_added ? 1 : 0);
    }
    tulle__pattern_index_free(&index);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_each_pattern_says),
        cmocka_unit_test(nothing_matches_what_is_reserved),
        cmocka_unit_test(a_pattern_for_all_below_asks_for_no_topics),
        cmocka_unit_test(without_memory_it_stays_as_it_was),
    };
    return cmocka_run_group_tests_name("unit/pattern_index", tests, NULL, NULL);
}
