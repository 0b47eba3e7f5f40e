/* SPDX-License-Identifier: MPL-2.0 */

/* What a proxy remembers of the batches of a lane, against a plain table of all numbers. */

#include "testkit.h"

#include "delivery/seen.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBERS = 400, STEPS = 2000, ROUNDS = 200 };

TEST(what_comes_in_order_is_one_range)
{
    (void)state;
    struct tulle__seen seen = { 0 };
    for (uint64_t i = 1; i < 1000; i += 3)
        assert_true(tulle__seen_add(&seen, i, i + 2));
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.ranges[0].first, 1);
    assert_int_equal(seen.ranges[0].last, 999);
    for (uint64_t i = 1; i < 1000; i += 3)
        assert_false(tulle__seen_add(&seen, i, i + 2));
}

/* However far the second way is behind the first. */
TEST(a_late_way_is_known_for_what_it_is)
{
    (void)state;
    struct tulle__seen seen = { 0 };
    for (uint64_t i = 1; i <= 100000; i++)
        assert_true(i == 500 || tulle__seen_add(&seen, i, i));
    for (uint64_t i = 1; i <= 100000; i++)
        assert_true(tulle__seen_add(&seen, i, i) == (i == 500));
    assert_int_equal(seen.count, 1);
}

/* Without room the lowest holes close; what is new above is always known as new. */
TEST(too_many_holes_close_from_below)
{
    (void)state;
    struct tulle__seen seen = { 0 };
    for (uint64_t i = 1; i <= 1000; i++)
        assert_true(tulle__seen_add(&seen, 10 * i, 10 * i));
    assert_int_equal(seen.count, TULLE__SEEN_RANGES_MAX);
    assert_false(tulle__seen_add(&seen, 15, 15));
    assert_true(tulle__seen_add(&seen, 9995, 9995));
    assert_true(tulle__seen_add(&seen, 1, 1));
    assert_false(tulle__seen_add(&seen, 10000, 10000));
    assert_int_equal(seen.ranges[seen.count - 1].last, 10000);
}

/* Never "seen before" for what was not, as long as the holes found room. */
TEST(it_agrees_with_a_table)
{
    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct tulle__seen seen = { 0 };
        bool was_here[NUMBERS] = { false };
        bool is_exact = true;
        srand(round);
        for (int step = 0; step < STEPS; step++) {
            uint64_t first = 1 + (uint64_t)rand() % (NUMBERS - 10);
            uint64_t last = first + (uint64_t)rand() % 8;
            bool is_news = false;
            for (uint64_t i = first; i <= last; i++) {
                is_news = is_news || !was_here[i];
                was_here[i] = true;
            }
            is_exact = is_exact && seen.count < TULLE__SEEN_RANGES_MAX;
            bool added = tulle__seen_add(&seen, first, last);
            assert_true(is_exact ? added == is_news : is_news || !added);
            for (uint32_t i = 0; i < seen.count; i++) {
                assert_true(seen.ranges[i].first <= seen.ranges[i].last);
                assert_true(i == 0 || seen.ranges[i - 1].last + 1 < seen.ranges[i].first);
            }
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_in_order_is_one_range),
        cmocka_unit_test(a_late_way_is_known_for_what_it_is),
        cmocka_unit_test(too_many_holes_close_from_below),
        cmocka_unit_test(it_agrees_with_a_table),
    };
    return cmocka_run_group_tests_name("seen", tests, NULL, NULL);
}
