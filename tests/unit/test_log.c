/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include "base/log.h"

#include <stdio.h>
#include <string.h>

/* What the callback was given last, and how often it was. */
struct sink {
    struct tulle__log log;
    tulle_log_level level;
    char id[32];
    char text[600];
    int count;
};

static void
take_line(tulle_log_level level, const char *id, const char *text, void *ctx)
{
    struct sink *sink = ctx;
    sink->level = level;
    (void)snprintf(sink->id, sizeof sink->id, "%s", id);
    (void)snprintf(sink->text, sizeof sink->text, "%s", text);
    sink->count++;
}

static int
setup(void **state)
{
    static struct sink sink;
    memset(&sink, 0, sizeof sink);
    sink.log = (struct tulle__log){ .fn = take_line, .ctx = &sink, .level = TULLE_LOG_INFO };
    *state = &sink;
    return 0;
}

static struct tulle__mono
ms(int64_t value)
{
    return (struct tulle__mono){ tulle__ms_to_ns(value) };
}

TEST(hands_level_id_and_text_to_the_callback)
{
    struct sink *sink = *state;

    tulle__log(&sink->log, TULLE_LOG_WARN, "member.gone", "name=%s ms=%d", "till", 12);

    assert_int_equal(sink->count, 1);
    assert_int_equal(sink->level, TULLE_LOG_WARN);
    assert_string_equal(sink->id, "member.gone");
    assert_string_equal(sink->text, "name=till ms=12");
}

TEST(makes_no_line_above_its_level)
{
    struct sink *sink = *state;

    assert_true(tulle__log_is_on(&sink->log, TULLE_LOG_ERROR));
    assert_true(tulle__log_is_on(&sink->log, TULLE_LOG_INFO));
    assert_false(tulle__log_is_on(&sink->log, TULLE_LOG_DEBUG));
    tulle__log(&sink->log, TULLE_LOG_DEBUG, "test.line", "hidden");
    assert_int_equal(sink->count, 0);
    tulle__log(&sink->log, TULLE_LOG_INFO, "test.line", "shown");
    assert_int_equal(sink->count, 1);
}

TEST(is_silent_without_a_callback)
{
    (void)state;
    struct tulle__log log = { .level = TULLE_LOG_DEBUG };

    assert_false(tulle__log_is_on(&log, TULLE_LOG_ERROR));
    tulle__log(&log, TULLE_LOG_ERROR, "test.line", "%s", "nobody hears");
}

TEST(cuts_a_long_text)
{
    struct sink *sink = *state;
    char text[550];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';

    tulle__log(&sink->log, TULLE_LOG_ERROR, "test.line", "%.500s", text);
    assert_int_equal(strlen(sink->text), 500);
    tulle__log(&sink->log, TULLE_LOG_ERROR, "test.line", "y%s", text);

    assert_int_equal(strlen(sink->text), 500);
    assert_int_equal(sink->text[0], 'y');
    assert_int_equal(sink->text[499], 'x');
}

TEST(a_limit_passes_one_line_a_second)
{
    (void)state;
    struct tulle__log_limit limit = { 0 };
    uint64_t suppressed = 99;

    assert_true(tulle__log_limit_pass(&limit, ms(5000), &suppressed));
    assert_int_equal(suppressed, 0);
    assert_false(tulle__log_limit_pass(&limit, ms(5000), &suppressed));
    assert_false(tulle__log_limit_pass(&limit, ms(5999), &suppressed));
    assert_true(tulle__log_limit_pass(&limit, ms(6000), &suppressed));
}

TEST(a_limit_tells_how_many_lines_it_refused)
{
    (void)state;
    struct tulle__log_limit limit = { 0 };
    uint64_t suppressed = 99;

    assert_true(tulle__log_limit_pass(&limit, ms(0), &suppressed));
    for (int i = 0; i < 40; i++)
        assert_false(tulle__log_limit_pass(&limit, ms(i), &suppressed));
    assert_true(tulle__log_limit_pass(&limit, ms(1000), &suppressed));
    assert_int_equal(suppressed, 40);

    assert_true(tulle__log_limit_pass(&limit, ms(2000), &suppressed));
    assert_int_equal(suppressed, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(hands_level_id_and_text_to_the_callback, setup),
        cmocka_unit_test_setup(makes_no_line_above_its_level, setup),
        cmocka_unit_test(is_silent_without_a_callback),
        cmocka_unit_test_setup(cuts_a_long_text, setup),
        cmocka_unit_test(a_limit_passes_one_line_a_second),
        cmocka_unit_test(a_limit_tells_how_many_lines_it_refused),
    };
    return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
