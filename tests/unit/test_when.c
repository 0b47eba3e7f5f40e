/* SPDX-License-Identifier: MPL-2.0 */

/* Moments and spans as people type them. */

#include "testkit.h"

#include "tools/common/when.h"

#include <stdlib.h>
#include <time.h>

static const int64_t now_us = 1714565730250000; /* 2024-05-01T12:15:30.25Z */

/* Local time three hours and a half east of UTC, all year. */
static int
setup(void **state)
{
    (void)state;
    assert_int_equal(setenv("TZ", "<+0330>-03:30", 1), 0);
    tzset();
    return 0;
}

struct moment {
    const char *text;
    int64_t us;
};

static void
expect_moments(const struct moment *moments, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t us = -1;
        if (!tulle__when_parse(moments[i].text, now_us, &us) || us != moments[i].us)
            fail_msg("%s: %lld", moments[i].text, (long long)us);
        assert_null(tulle__when_check(moments[i].text));
    }
}

TEST(reads_spans_before_now)
{
    (void)state;
    static const struct moment moments[] = {
        { "now", now_us },
        { "0s", now_us },
        { "10m", now_us - 600000000 },
        { "1h30m", now_us - 5400000000 },
        { "2.5s", now_us - 2500000 },
        { "250ms", now_us - 250000 },
        { "3d", now_us - 3 * 86400000000 },
        { "1w1d", now_us - 8 * 86400000000 },
    };
    expect_moments(moments, sizeof moments / sizeof *moments);
}

TEST(reads_calendar_time_in_zones)
{
    (void)state;
    static const struct moment moments[] = {
        { "1714564800", 1714564800000000 },
        { "1714564800.25", 1714564800250000 },
        { "2024-05-01T12:15:30.25Z", now_us },
        { "2024-05-01t12:15:30.250000000z", now_us },
        { "2024-05-01T14:15:30.25+02:00", now_us },
        { "2024-05-01T08:45:30.25-0330", now_us },
        { "2024-05-01T15:45:30.25", now_us },
        { "2024-05-01 15:45", now_us - 30250000 },
        { "2024-05-01", 1714509000000000 }, /* midnight there */
        { "15:45", now_us - 30250000 },
        { "15:45:30", now_us - 250000 },
        { "2000-02-29T00:00:00Z", 951782400000000 },
        { "2000-03-01T00:00:00Z", 951868800000000 },
        { "2100-03-01T00:00:00Z", 4107542400000000 },
        { "1970-01-01T00:00:00Z", 0 },
    };
    expect_moments(moments, sizeof moments / sizeof *moments);
}

TEST(refuses_what_is_no_moment)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "yesterday",
        "10x",
        "m",
        "1.m",
        "-5m",
        "1m 5s",
        "5m5",
        "24:00",
        "12:60",
        "2024-13-01",
        "2024-00-10",
        "2024-05-32",
        "2024-5-1",
        "2024-05-01T",
        "2024-05-01T12",
        "2024-05-01T12:00+",
        "2024-05-01T12:00:00Zx",
        "2024-05-01T12:00:00.Z",
        "99999999999999999999",
        "9999999999999d",
        "1.2.3s",
    };
    int64_t us = 7;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (tulle__when_parse(bad[i], now_us, &us))
            fail_msg("%s was read as %lld", bad[i], (long long)us);
        assert_non_null(tulle__when_check(bad[i]));
    }
    assert_int_equal(us, 7);
}

/* A span is of one sort of thing only: no moments. */
TEST(reads_spans_alone)
{
    (void)state;
    int64_t us = 0;
    assert_true(tulle__span_parse("1h0.5s", &us));
    assert_int_equal(us, 3600500000);
    assert_false(tulle__span_parse("", &us));
    assert_false(tulle__span_parse("12:00", &us));
    assert_false(tulle__span_parse("5", &us));
    assert_false(tulle__span_parse("9000000d9000000d", &us));
    assert_int_equal(us, 3600500000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reads_spans_before_now, setup),
        cmocka_unit_test_setup(reads_calendar_time_in_zones, setup),
        cmocka_unit_test_setup(refuses_what_is_no_moment, setup),
        cmocka_unit_test(reads_spans_alone),
    };
    return cmocka_run_group_tests_name("unit/when", tests, NULL, NULL);
}
