/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include "base/alloc.h"
#include "base/id_set.h"

enum { RANGE = 300, STEPS = 20000 };

TEST(an_empty_set_has_nothing)
{
    (void)state;
    struct tulle__id_set set = { 0 };
    assert_false(tulle__id_set_has(&set, 1));
    tulle__id_set_remove(&set, 1);
    assert_int_equal(set.count, 0);
    tulle__id_set_fini(&set);
}

/* Few numbers, so that they come and go often, and lie close together in the table. */
TEST(it_has_what_was_added_and_not_removed)
{
    (void)state;
    struct tulle__id_set set = { 0 };
    bool expected[RANGE + 1] = { false };
    size_t count = 0;
    uint64_t random = 7;
    for (size_t i = 0; i < STEPS; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407U;
        uint64_t id = 1 + (random >> 40) % RANGE;
        bool is_adding = (random >> 33) % 5 < (i / 1000 % 2 == 0 ? 4 : 1);
        if (is_adding)
            assert_true(tulle__id_set_add(&set, id));
        else
            tulle__id_set_remove(&set, id);
        count += is_adding && !expected[id] ? 1 : 0;
        count -= !is_adding && expected[id] ? 1 : 0;
        expected[id] = is_adding;
        assert_int_equal(set.count, count);
        assert_true(tulle__id_set_has(&set, id) == is_adding);
        if (i % 100 != 0)
            continue;
        for (uint64_t k = 1; k <= RANGE; k++)
            assert_true(tulle__id_set_has(&set, k) == expected[k]);
    }
    tulle__id_set_fini(&set);
}

static bool
refuse(void *ctx)
{
    (void)ctx;
    return false;
}

TEST(without_memory_it_stays_as_it_was)
{
    (void)state;
    struct tulle__id_set set = { 0 };
    uint64_t id = 1;
    while (set.cap == 0 || 2 * (set.count + 1) <= set.cap)
        assert_true(tulle__id_set_add(&set, id++));
    tulle__alloc_set_hook(refuse, NULL);
    assert_false(tulle__id_set_add(&set, id));
    tulle__alloc_set_hook(NULL, NULL);
    assert_false(tulle__id_set_has(&set, id));
    for (uint64_t k = 1; k < id; k++)
        assert_true(tulle__id_set_has(&set, k));
    tulle__id_set_fini(&set);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_set_has_nothing),
        cmocka_unit_test(it_has_what_was_added_and_not_removed),
        cmocka_unit_test(without_memory_it_stays_as_it_was),
    };
    return cmocka_run_group_tests_name("unit/id_set", tests, NULL, NULL);
}
