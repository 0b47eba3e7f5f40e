/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include "clock/hlc.h"

/* A moment of 2026. */
#define NOW_US INT64_C(1790000000000000)

static struct tulle__wall
wall(int64_t us)
{
    return (struct tulle__wall){ us };
}

static uint64_t
stamp(int64_t us, uint64_t counter)
{
    return ((uint64_t)us << 12) + counter;
}

TEST(follows_the_wall_clock)
{
    (void)state;
    struct tulle__hlc hlc = { 0 };

    assert_true(tulle__hlc_tick(&hlc, wall(NOW_US)) == stamp(NOW_US, 0));
    assert_true(tulle__hlc_tick(&hlc, wall(NOW_US + 5)) == stamp(NOW_US + 5, 0));
    assert_true(tulle__hlc_us(hlc.last) == NOW_US + 5);
}

TEST(counts_events_of_one_microsecond)
{
    (void)state;
    struct tulle__hlc hlc = { 0 };

    assert_true(tulle__hlc_tick(&hlc, wall(NOW_US)) == stamp(NOW_US, 0));
    assert_true(tulle__hlc_tick(&hlc, wall(NOW_US)) == stamp(NOW_US, 1));
    assert_true(tulle__hlc_tick(&hlc, wall(NOW_US)) == stamp(NOW_US, 2));
    assert_true(tulle__hlc_us(hlc.last) == NOW_US);
}

TEST(does_not_go_back_with_the_wall_clock)
{
    (void)state;
    struct tulle__hlc hlc = { 0 };

    (void)tulle__hlc_tick(&hlc, wall(NOW_US));

    assert_true(tulle__hlc_tick(&hlc, wall(NOW_US - 1000000)) == stamp(NOW_US, 1));
    assert_true(tulle__hlc_tick(&hlc, wall(NOW_US + 1)) == stamp(NOW_US + 1, 0));
}

TEST(carries_a_full_counter_into_the_time)
{
    (void)state;
    struct tulle__hlc hlc = { stamp(NOW_US, 4095) };

    assert_true(tulle__hlc_tick(&hlc, wall(NOW_US)) == stamp(NOW_US + 1, 0));
}

TEST(an_event_is_later_than_what_was_observed)
{
    (void)state;
    struct tulle__hlc hlc = { 0 };
    uint64_t remote = stamp(NOW_US + 2000000, 7);

    assert_true(tulle__hlc_observe(&hlc, remote, wall(NOW_US)));

    assert_true(tulle__hlc_tick(&hlc, wall(NOW_US)) == remote + 1);
}

TEST(an_older_time_changes_nothing)
{
    (void)state;
    struct tulle__hlc hlc = { stamp(NOW_US, 3) };

    assert_true(tulle__hlc_observe(&hlc, stamp(NOW_US, 2), wall(NOW_US)));
    assert_true(tulle__hlc_observe(&hlc, 0, wall(NOW_US)));

    assert_true(hlc.last == stamp(NOW_US, 3));
}

TEST(a_time_far_ahead_is_clamped)
{
    (void)state;
    struct tulle__hlc hlc = { 0 };
    uint64_t bound = stamp(NOW_US + TULLE__HLC_AHEAD_US_MAX, 0);

    assert_true(tulle__hlc_observe(&hlc, bound, wall(NOW_US)));
    assert_true(hlc.last == bound);
    assert_false(tulle__hlc_observe(&hlc, bound + 1, wall(NOW_US)));
    assert_true(hlc.last == bound);
    assert_false(tulle__hlc_observe(&hlc, UINT64_MAX, wall(NOW_US)));
    assert_true(hlc.last == bound);
}

TEST(clamping_does_not_set_a_faster_clock_back)
{
    (void)state;
    struct tulle__hlc hlc = { stamp(NOW_US + TULLE__HLC_AHEAD_US_MAX, 9) };

    assert_false(tulle__hlc_observe(&hlc, UINT64_MAX, wall(NOW_US)));

    assert_true(hlc.last == stamp(NOW_US + TULLE__HLC_AHEAD_US_MAX, 9));
}

TEST(works_before_1970)
{
    (void)state;
    struct tulle__hlc hlc = { 0 };

    assert_true(tulle__hlc_tick(&hlc, wall(-5)) == 1);
    assert_true(tulle__hlc_tick(&hlc, wall(INT64_MIN)) == 2);
    assert_false(tulle__hlc_observe(&hlc, 3, wall(INT64_MIN)));
    assert_true(hlc.last == 2);
}

/* Nodes with clocks up to 30 s apart that jump: each sees its own time grow, and
 * what it makes after a receipt is later than what it received. */
TEST(times_agree_with_causes_among_many_nodes)
{
    (void)state;
    enum { NODES = 5, STEPS = 20000 };
    struct testkit_random random = { 0x5eed0001 };
    struct tulle__hlc hlc[NODES] = { { 0 } };
    uint64_t in_flight = 0;

    for (int i = 0; i < STEPS; i++) {
        size_t node = testkit_random_below(&random, NODES);
        struct tulle__wall now =
            wall(NOW_US + i + (int64_t)testkit_random_below(&random, 30000000));
        uint64_t before = hlc[node].last;
        assert_true(tulle__hlc_observe(&hlc[node], in_flight, now));
        uint64_t made = tulle__hlc_tick(&hlc[node], now);
        assert_true(made > before);
        assert_true(made > in_flight);
        assert_true(made >= stamp(now.us, 0));
        assert_true(tulle__hlc_us(made) <= NOW_US + i + 30000000);
        in_flight = made;
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_wall_clock),
        cmocka_unit_test(counts_events_of_one_microsecond),
        cmocka_unit_test(does_not_go_back_with_the_wall_clock),
        cmocka_unit_test(carries_a_full_counter_into_the_time),
        cmocka_unit_test(an_event_is_later_than_what_was_observed),
        cmocka_unit_test(an_older_time_changes_nothing),
        cmocka_unit_test(a_time_far_ahead_is_clamped),
        cmocka_unit_test(clamping_does_not_set_a_faster_clock_back),
        cmocka_unit_test(works_before_1970),
        cmocka_unit_test(times_agree_with_causes_among_many_nodes),
    };
    return cmocka_run_group_tests_name("clock/hlc", tests, NULL, NULL);
}
