/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include "base/alloc.h"
#include "clock/clock.h"
#include "clock/lane_names.h"

#include <string.h>

static int
teardown(void **state)
{
    (void)state;
    tulle__alloc_set_hook(NULL, NULL);
    return 0;
}

/* Of tests that need one plain clock. */
static int
plain_setup(void **state)
{
    static struct tulle__clock clock;
    tulle__clock_init(&clock);
    *state = &clock;
    return 0;
}

static int
plain_teardown(void **state)
{
    tulle__alloc_set_hook(NULL, NULL);
    tulle__clock_fini(*state);
    return 0;
}

/* Of tests that need a node's own clock. */
static int
own_setup(void **state)
{
    static struct tulle__own_clock clock;
    tulle__own_clock_init(&clock);
    *state = &clock;
    return 0;
}

static int
own_teardown(void **state)
{
    tulle__alloc_set_hook(NULL, NULL);
    tulle__own_clock_fini(*state);
    return 0;
}

static void
assert_pair(const struct tulle__clock *clock, size_t at, uint32_t lane, uint64_t count)
{
    assert_true(at < clock->len);
    assert_int_equal(clock->pairs[at].lane, lane);
    assert_true(clock->pairs[at].count == count);
}

/* Ascending, no lane twice, nothing that counts 0. */
static void
assert_sound(const struct tulle__clock *clock)
{
    assert_true(clock->len <= clock->cap);
    for (size_t i = 0; i < clock->len; i++) {
        assert_true(clock->pairs[i].count > 0);
        assert_true(i == 0 || clock->pairs[i - 1].lane < clock->pairs[i].lane);
    }
}

/* ---- plain ---- */

TEST(an_empty_clock_counts_nothing)
{
    struct tulle__clock *clock = *state;

    assert_int_equal(clock->len, 0);
    assert_true(tulle__clock_get(clock, 0) == 0);
    assert_true(tulle__clock_get(clock, UINT32_MAX) == 0);
    tulle__clock_remove(clock, 0);
    assert_int_equal(clock->len, 0);
}

TEST(pairs_are_ascending_whatever_came_first)
{
    struct tulle__clock *clock = *state;

    assert_true(tulle__clock_raise(clock, 7, 70));
    assert_true(tulle__clock_raise(clock, 9, 90));
    assert_true(tulle__clock_raise(clock, 0, 1));
    assert_true(tulle__clock_raise(clock, 8, UINT64_MAX));

    assert_int_equal(clock->len, 4);
    assert_pair(clock, 0, 0, 1);
    assert_pair(clock, 1, 7, 70);
    assert_pair(clock, 2, 8, UINT64_MAX);
    assert_pair(clock, 3, 9, 90);
    assert_true(tulle__clock_get(clock, 8) == UINT64_MAX);
    assert_true(tulle__clock_get(clock, 1) == 0);
}

TEST(an_entry_only_rises)
{
    struct tulle__clock *clock = *state;

    assert_true(tulle__clock_raise(clock, 3, 5));
    assert_true(tulle__clock_raise(clock, 3, 4));
    assert_true(tulle__clock_get(clock, 3) == 5);
    assert_true(tulle__clock_raise(clock, 3, 6));

    assert_true(tulle__clock_get(clock, 3) == 6);
    assert_int_equal(clock->len, 1);
}

TEST(a_count_of_zero_makes_no_entry)
{
    struct tulle__clock *clock = *state;

    assert_true(tulle__clock_raise(clock, 3, 0));

    assert_int_equal(clock->len, 0);
}

TEST(a_removed_entry_is_gone_and_the_others_stay)
{
    struct tulle__clock *clock = *state;
    for (uint32_t lane = 0; lane < 5; lane++)
        assert_true(tulle__clock_raise(clock, lane, lane + 10));

    tulle__clock_remove(clock, 2);
    tulle__clock_remove(clock, 4);
    tulle__clock_remove(clock, 2);

    assert_int_equal(clock->len, 3);
    assert_pair(clock, 0, 0, 10);
    assert_pair(clock, 1, 1, 11);
    assert_pair(clock, 2, 3, 13);
}

TEST(a_cleared_clock_keeps_its_memory)
{
    struct tulle__clock *clock = *state;
    assert_true(tulle__clock_raise(clock, 3, 5));
    struct testkit_memory memory = { 0 };

    tulle__clock_clear(clock);
    tulle__alloc_set_hook(testkit_may_allocate, &memory);

    assert_true(tulle__clock_get(clock, 3) == 0);
    assert_true(tulle__clock_raise(clock, 4, 6));
    assert_int_equal(memory.asked, 0);
}

TEST(swapped_clocks_have_each_others_contents)
{
    struct tulle__clock *clock = *state;
    struct tulle__clock other;
    tulle__clock_init(&other);
    assert_true(tulle__clock_raise(clock, 1, 10));
    assert_true(tulle__clock_raise(&other, 2, 20));
    assert_true(tulle__clock_raise(&other, 3, 30));

    tulle__clock_swap(clock, &other);

    assert_int_equal(clock->len, 2);
    assert_pair(clock, 0, 2, 20);
    assert_int_equal(other.len, 1);
    assert_pair(&other, 0, 1, 10);
    tulle__clock_fini(&other);
    assert_int_equal(other.len, 0);
    tulle__clock_fini(&other); /* twice is harmless */
}

TEST(without_memory_an_entry_is_not_made)
{
    struct tulle__clock *clock = *state;
    struct testkit_memory memory = { .left = 1 };
    tulle__alloc_set_hook(testkit_may_allocate, &memory);
    for (uint32_t lane = 1; lane <= 8; lane++)
        assert_true(tulle__clock_raise(clock, lane, lane));

    assert_false(tulle__clock_raise(clock, 0, 1));
    assert_false(tulle__clock_raise(clock, 9, 1));
    assert_false(tulle__clock_push(clock, 9, 1));
    assert_true(tulle__clock_raise(clock, 8, 80)); /* needs none */

    assert_int_equal(clock->len, 8);
    assert_pair(clock, 0, 1, 1);
    assert_pair(clock, 7, 8, 80);
}

TEST(merging_takes_the_higher_of_both)
{
    struct tulle__clock *clock = *state;
    struct tulle__clock other;
    tulle__clock_init(&other);
    static const struct tulle__clock_pair mine[] = { { 2, 20 }, { 4, 40 }, { 6, 60 }, { 9, 90 } };
    static const struct tulle__clock_pair others[] = { { 1, 1 }, { 2, 99 }, { 3, 3 },
                                                       { 4, 4 }, { 7, 7 },  { 9, 90 } };
    for (size_t i = 0; i < 4; i++)
        assert_true(tulle__clock_raise(clock, mine[i].lane, mine[i].count));
    for (size_t i = 0; i < 6; i++)
        assert_true(tulle__clock_raise(&other, others[i].lane, others[i].count));

    assert_true(tulle__clock_merge(clock, &other));

    assert_int_equal(clock->len, 7);
    assert_pair(clock, 0, 1, 1);
    assert_pair(clock, 1, 2, 99);
    assert_pair(clock, 2, 3, 3);
    assert_pair(clock, 3, 4, 40);
    assert_pair(clock, 4, 6, 60);
    assert_pair(clock, 5, 7, 7);
    assert_pair(clock, 6, 9, 90);
    assert_int_equal(other.len, 6); /* unchanged */
    assert_pair(&other, 3, 4, 4);
    tulle__clock_fini(&other);
}

TEST(merging_with_itself_or_nothing_changes_nothing)
{
    struct tulle__clock *clock = *state;
    struct tulle__clock nothing;
    tulle__clock_init(&nothing);
    for (uint32_t lane = 0; lane < 10; lane++)
        assert_true(tulle__clock_raise(clock, lane, 5));

    assert_true(tulle__clock_merge(clock, clock));
    assert_true(tulle__clock_merge(clock, &nothing));

    assert_int_equal(clock->len, 10);
    assert_true(tulle__clock_merge(&nothing, clock));
    assert_int_equal(nothing.len, 10);
    assert_pair(&nothing, 9, 9, 5);
    tulle__clock_fini(&nothing);
}

static void
try_merge_without_memory(struct tulle__clock *clock, uint32_t lanes)
{
    struct tulle__clock other;
    tulle__clock_init(&other);
    for (uint32_t i = 0; i < lanes; i++)
        assert_true(tulle__clock_raise(&other, 100 + i, 1));
    struct testkit_memory memory = { 0 };
    tulle__alloc_set_hook(testkit_may_allocate, &memory);
    assert_false(tulle__clock_merge(clock, &other));
    tulle__alloc_set_hook(NULL, NULL);
    assert_sound(clock);
    assert_true(tulle__clock_get(clock, 3) == 4);
    assert_true(tulle__clock_merge(clock, &other));
    assert_true(tulle__clock_get(clock, 100 + lanes - 1) == 1);
    assert_sound(clock);
    tulle__clock_fini(&other);
}

TEST(without_memory_a_merge_leaves_a_sound_clock)
{
    struct tulle__clock *clock = *state;
    for (uint32_t lane = 0; lane < 8; lane++)
        assert_true(tulle__clock_raise(clock, lane, lane + 1));

    try_merge_without_memory(clock, 1);
    try_merge_without_memory(clock, 200);

    assert_int_equal(clock->len, 208);
}

TEST(pushed_entries_are_settled_in_order)
{
    struct tulle__clock *clock = *state;
    assert_true(tulle__clock_push(clock, 5, 50));
    assert_true(tulle__clock_push(clock, 9, 9));
    assert_true(tulle__clock_push(clock, 5, 51));
    assert_true(tulle__clock_push(clock, 0, 1));
    assert_true(tulle__clock_push(clock, 5, 49));
    assert_true(tulle__clock_push(clock, 7, 0));

    tulle__clock_settle(clock);

    assert_int_equal(clock->len, 3);
    assert_pair(clock, 0, 0, 1);
    assert_pair(clock, 1, 5, 51);
    assert_pair(clock, 2, 9, 9);
}

TEST(settling_a_settled_clock_changes_nothing)
{
    struct tulle__clock *clock = *state;

    tulle__clock_settle(clock);
    assert_int_equal(clock->len, 0);
    for (uint32_t lane = 0; lane < 20; lane++)
        assert_true(tulle__clock_push(clock, lane, 3));
    tulle__clock_settle(clock);
    tulle__clock_settle(clock);

    assert_int_equal(clock->len, 20);
    assert_sound(clock);
}

/* What a peer may send: all lanes, from the highest to the lowest. */
TEST(many_entries_in_the_worst_order_are_settled_at_once)
{
    struct tulle__clock *clock = *state;
    enum { MANY = 262144 };

    for (uint32_t i = MANY; i > 0; i--)
        assert_true(tulle__clock_push(clock, i - 1, i));
    tulle__clock_settle(clock);

    assert_int_equal(clock->len, MANY);
    assert_sound(clock);
    assert_true(tulle__clock_get(clock, MANY / 2) == MANY / 2 + 1);
}

/* ---- plain, against a model ---- */

enum { LANES = 60 };

struct model {
    uint64_t counts[LANES];
    struct tulle__clock clock;
};

static void
check_model(const struct model *m)
{
    size_t len = 0;
    assert_sound(&m->clock);
    for (uint32_t lane = 0; lane < LANES; lane++) {
        assert_true(tulle__clock_get(&m->clock, lane) == m->counts[lane]);
        len += m->counts[lane] > 0 ? 1 : 0;
    }
    assert_int_equal(m->clock.len, len);
}

static void
model_raise(struct model *m, uint32_t lane, uint64_t count)
{
    if (m->counts[lane] < count)
        m->counts[lane] = count;
}

static void
model_push_some(struct model *m, struct testkit_random *random)
{
    size_t some = testkit_random_below(random, 30);
    for (size_t i = 0; i < some; i++) {
        uint32_t lane = (uint32_t)testkit_random_below(random, LANES);
        uint64_t count = testkit_random_below(random, 1000);
        model_raise(m, lane, count);
        assert_true(tulle__clock_push(&m->clock, lane, count));
    }
    tulle__clock_settle(&m->clock);
}

static void
model_merge(struct model *m, const struct model *other)
{
    for (uint32_t lane = 0; lane < LANES; lane++)
        model_raise(m, lane, other->counts[lane]);
    assert_true(tulle__clock_merge(&m->clock, &other->clock));
}

static void
step_models(struct model models[static 3], struct testkit_random *random)
{
    struct model *m = &models[testkit_random_below(random, 3)];
    struct model *other = &models[testkit_random_below(random, 3)];
    uint32_t lane = (uint32_t)testkit_random_below(random, LANES);
    uint64_t count = testkit_random_below(random, 1000);
    uint64_t what = testkit_random_below(random, 100);
    if (what < 50) {
        model_raise(m, lane, count);
        assert_true(tulle__clock_raise(&m->clock, lane, count));
    } else if (what < 80) {
        m->counts[lane] = 0;
        tulle__clock_remove(&m->clock, lane);
    } else if (what < 88) {
        model_merge(m, other);
    } else if (what < 92) {
        model_push_some(m, random);
    } else if (what < 96) {
        memset(m->counts, 0, sizeof m->counts);
        tulle__clock_clear(&m->clock);
    } else if (m != other) {
        struct model kept = *m;
        memcpy(m->counts, other->counts, sizeof m->counts);
        memcpy(other->counts, kept.counts, sizeof m->counts);
        tulle__clock_swap(&m->clock, &other->clock);
    }
    check_model(m);
    check_model(other);
}

TEST(agrees_with_a_model)
{
    (void)state;
    struct testkit_random random = { 0x5eed0003 };
    struct model models[3] = { { { 0 }, { 0 } } };
    for (size_t i = 0; i < 3; i++)
        tulle__clock_init(&models[i].clock);

    for (int i = 0; i < 20000; i++)
        step_models(models, &random);

    for (size_t i = 0; i < 3; i++)
        tulle__clock_fini(&models[i].clock);
}

/* ---- a node's own ---- */

/* The lanes that changed after a stamp, newest first, must be these. */
static void
assert_changed(const struct tulle__own_clock *clock,
               uint64_t stamp,
               const uint32_t *lanes,
               size_t count)
{
    uint32_t lane = TULLE__LANE_NONE;
    for (size_t i = 0; i < count; i++) {
        assert_true(tulle__own_clock_next(clock, stamp, &lane));
        assert_int_equal(lane, lanes[i]);
    }
    assert_false(tulle__own_clock_next(clock, stamp, &lane));
}

#define ASSERT_CHANGED(clock, stamp, ...)                         \
    assert_changed((clock), (stamp), (uint32_t[]){ __VA_ARGS__ }, \
                   sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

TEST(an_empty_own_clock_has_no_changes)
{
    struct tulle__own_clock *clock = *state;

    assert_true(tulle__own_clock_get(clock, 0) == 0);
    assert_true(tulle__own_clock_get(clock, TULLE__LANE_NONE) == 0);
    assert_changed(clock, 0, NULL, 0);
    tulle__own_clock_remove(clock, 0);
    assert_int_equal(clock->len, 0);
    assert_true(clock->stamp == 0);
}

TEST(changes_are_walked_newest_first)
{
    struct tulle__own_clock *clock = *state;

    assert_true(tulle__own_clock_raise(clock, 4, 1));
    assert_true(tulle__own_clock_raise(clock, 0, 1));
    assert_true(tulle__own_clock_raise(clock, 30, 1));
    ASSERT_CHANGED(clock, 0, 30, 0, 4);
    assert_true(tulle__own_clock_raise(clock, 4, 2)); /* from the oldest end */
    ASSERT_CHANGED(clock, 0, 4, 30, 0);
    assert_true(tulle__own_clock_raise(clock, 30, 2)); /* from the middle */
    ASSERT_CHANGED(clock, 0, 30, 4, 0);
    assert_true(tulle__own_clock_raise(clock, 30, 3)); /* the newest */
    ASSERT_CHANGED(clock, 0, 30, 4, 0);

    assert_int_equal(clock->len, 3);
    assert_true(clock->stamp == 6);
}

TEST(a_walk_ends_where_the_stamp_says)
{
    struct tulle__own_clock *clock = *state;
    assert_true(tulle__own_clock_raise(clock, 1, 1));
    assert_true(tulle__own_clock_raise(clock, 2, 1));
    uint64_t stamp = clock->stamp;

    assert_changed(clock, stamp, NULL, 0);
    assert_true(tulle__own_clock_raise(clock, 3, 1));
    assert_true(tulle__own_clock_raise(clock, 1, 2));

    ASSERT_CHANGED(clock, stamp, 1, 3);
    ASSERT_CHANGED(clock, stamp - 1, 1, 3, 2);
}

TEST(what_does_not_rise_is_no_change)
{
    struct tulle__own_clock *clock = *state;
    assert_true(tulle__own_clock_raise(clock, 1, 5));
    assert_true(tulle__own_clock_raise(clock, 2, 5));
    uint64_t stamp = clock->stamp;

    assert_true(tulle__own_clock_raise(clock, 1, 5));
    assert_true(tulle__own_clock_raise(clock, 1, 4));
    assert_true(tulle__own_clock_raise(clock, 7, 0));

    assert_true(clock->stamp == stamp);
    assert_true(tulle__own_clock_get(clock, 1) == 5);
    ASSERT_CHANGED(clock, 0, 2, 1);
}

TEST(a_removed_entry_is_out_of_the_walk)
{
    struct tulle__own_clock *clock = *state;
    for (uint32_t lane = 0; lane < 5; lane++)
        assert_true(tulle__own_clock_raise(clock, lane, 9));

    tulle__own_clock_remove(clock, 2);
    ASSERT_CHANGED(clock, 0, 4, 3, 1, 0);
    tulle__own_clock_remove(clock, 4);
    ASSERT_CHANGED(clock, 0, 3, 1, 0);
    tulle__own_clock_remove(clock, 0);
    tulle__own_clock_remove(clock, 0);
    ASSERT_CHANGED(clock, 0, 3, 1);

    assert_int_equal(clock->len, 2);
    assert_true(tulle__own_clock_get(clock, 2) == 0);
    assert_true(tulle__own_clock_raise(clock, 2, 1)); /* lower than it was: a new lane */
    ASSERT_CHANGED(clock, 0, 2, 3, 1);
}

TEST(removing_the_last_entry_empties_the_walk)
{
    struct tulle__own_clock *clock = *state;
    assert_true(tulle__own_clock_raise(clock, 6, 9));

    tulle__own_clock_remove(clock, 6);

    assert_changed(clock, 0, NULL, 0);
    assert_int_equal(clock->newest, TULLE__LANE_NONE);
    assert_int_equal(clock->len, 0);
    assert_true(tulle__own_clock_raise(clock, 6, 1));
    ASSERT_CHANGED(clock, 0, 6);
}

TEST(a_removal_does_not_set_the_stamp_back)
{
    struct tulle__own_clock *clock = *state;
    assert_true(tulle__own_clock_raise(clock, 1, 1));
    uint64_t stamp = clock->stamp;

    tulle__own_clock_remove(clock, 1);
    assert_true(clock->stamp == stamp);
    assert_true(tulle__own_clock_raise(clock, 1, 1));

    ASSERT_CHANGED(clock, stamp, 1);
}

/* The array doubles until it has the lane: some steps may succeed before one fails. */
TEST(without_memory_an_own_entry_is_not_made)
{
    struct tulle__own_clock *clock = *state;
    assert_true(tulle__own_clock_raise(clock, 1, 5));

    for (size_t granted = 0; granted < 4; granted++) {
        struct testkit_memory memory = { .left = granted > 0 ? 1 : 0 };
        tulle__alloc_set_hook(testkit_may_allocate, &memory);
        assert_false(tulle__own_clock_raise(clock, 1000, 1));
        assert_true(tulle__own_clock_get(clock, 1000) == 0);
        ASSERT_CHANGED(clock, 0, 1);
    }
    tulle__alloc_set_hook(NULL, NULL);

    assert_true(tulle__own_clock_raise(clock, 1000, 1));
    ASSERT_CHANGED(clock, 0, 1000, 1);
    for (uint32_t lane = 0; lane < 1000; lane++)
        assert_true(tulle__own_clock_get(clock, lane) == (lane == 1 ? 5 : 0));
}

/* ---- a node's own, against a model ---- */

struct own_model {
    uint64_t counts[LANES];
    uint64_t changed[LANES]; /* stamps */
    uint64_t stamp;
};

/* The walk must meet each changed lane once, in falling order of stamps. */
static void
check_walk(const struct own_model *m, const struct tulle__own_clock *clock, uint64_t stamp)
{
    size_t expected = 0;
    for (size_t i = 0; i < LANES; i++)
        expected += m->counts[i] > 0 && m->changed[i] > stamp ? 1 : 0;
    size_t met = 0;
    uint64_t last = UINT64_MAX;
    uint32_t lane = TULLE__LANE_NONE;
    while (tulle__own_clock_next(clock, stamp, &lane)) {
        assert_true(lane < LANES);
        assert_true(m->counts[lane] > 0);
        assert_true(m->changed[lane] > stamp && m->changed[lane] < last);
        assert_true(tulle__own_clock_get(clock, lane) == m->counts[lane]);
        last = m->changed[lane];
        met++;
    }
    assert_int_equal(met, expected);
}

TEST(own_clock_agrees_with_a_model)
{
    struct tulle__own_clock *clock = *state;
    struct testkit_random random = { 0x5eed0004 };
    struct own_model m = { .stamp = 0 };

    for (int i = 0; i < 20000; i++) {
        uint32_t lane = (uint32_t)testkit_random_below(&random, LANES);
        uint64_t count = testkit_random_below(&random, 100);
        if (testkit_random_below(&random, 4) == 0) {
            tulle__own_clock_remove(clock, lane);
            m.counts[lane] = 0;
        } else {
            assert_true(tulle__own_clock_raise(clock, lane, count));
            m.changed[lane] = count > m.counts[lane] ? ++m.stamp : m.changed[lane];
            m.counts[lane] = count > m.counts[lane] ? count : m.counts[lane];
        }
        assert_true(clock->stamp == m.stamp);
        assert_true(tulle__own_clock_get(clock, lane) == m.counts[lane]);
        check_walk(&m, clock, testkit_random_below(&random, m.stamp + 1));
    }
    check_walk(&m, clock, 0);
}

#define PLAIN(test) cmocka_unit_test_setup_teardown(test, plain_setup, plain_teardown)
#define OWN(test)   cmocka_unit_test_setup_teardown(test, own_setup, own_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLAIN(an_empty_clock_counts_nothing),
        PLAIN(pairs_are_ascending_whatever_came_first),
        PLAIN(an_entry_only_rises),
        PLAIN(a_count_of_zero_makes_no_entry),
        PLAIN(a_removed_entry_is_gone_and_the_others_stay),
        PLAIN(a_cleared_clock_keeps_its_memory),
        PLAIN(swapped_clocks_have_each_others_contents),
        PLAIN(without_memory_an_entry_is_not_made),
        PLAIN(merging_takes_the_higher_of_both),
        PLAIN(merging_with_itself_or_nothing_changes_nothing),
        PLAIN(without_memory_a_merge_leaves_a_sound_clock),
        PLAIN(pushed_entries_are_settled_in_order),
        PLAIN(settling_a_settled_clock_changes_nothing),
        PLAIN(many_entries_in_the_worst_order_are_settled_at_once),
        cmocka_unit_test_teardown(agrees_with_a_model, teardown),
        OWN(an_empty_own_clock_has_no_changes),
        OWN(changes_are_walked_newest_first),
        OWN(a_walk_ends_where_the_stamp_says),
        OWN(what_does_not_rise_is_no_change),
        OWN(a_removed_entry_is_out_of_the_walk),
        OWN(removing_the_last_entry_empties_the_walk),
        OWN(a_removal_does_not_set_the_stamp_back),
        OWN(without_memory_an_own_entry_is_not_made),
        OWN(own_clock_agrees_with_a_model),
    };
    return cmocka_run_group_tests_name("clock/clock", tests, NULL, NULL);
}
