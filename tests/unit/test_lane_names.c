/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include "base/alloc.h"
#include "clock/lane_names.h"

#include <stdio.h>
#include <string.h>

enum { LANES_MAX = 1000 };

static int
setup(void **state)
{
    *state = tulle__lane_names_new(LANES_MAX);
    return *state == NULL;
}

static int
teardown(void **state)
{
    struct tulle__lane_names *names = *state;
    tulle__alloc_set_hook(NULL, NULL);
    tulle__lane_names_free(&names);
    return names != NULL;
}

static struct tulle__view
text(const char *string)
{
    return (struct tulle__view){ (const uint8_t *)string, strlen(string) };
}

static uint32_t
intern(struct tulle__lane_names *names, uint64_t node, const char *stream)
{
    return tulle__lane_names_intern(names, node, text(stream));
}

static uint32_t
find(struct tulle__lane_names *names, uint64_t node, const char *stream)
{
    return tulle__lane_names_find(names, node, text(stream));
}

static void
assert_name(struct tulle__lane_names *names, uint32_t lane, uint64_t node, const char *stream)
{
    assert_true(tulle__lane_names_is_used(names, lane));
    assert_true(tulle__lane_names_node(names, lane) == node);
    struct tulle__view found = tulle__lane_names_stream(names, lane);
    assert_int_equal(found.len, strlen(stream));
    assert_string_equal((const char *)found.data, stream);
}

TEST(a_new_table_knows_no_lane)
{
    struct tulle__lane_names *names = *state;

    assert_int_equal(tulle__lane_names_count(names), 0);
    assert_int_equal(tulle__lane_names_end(names), 0);
    assert_int_equal(find(names, 1, "orders"), TULLE__LANE_NONE);
    assert_false(tulle__lane_names_is_used(names, 0));
    assert_false(tulle__lane_names_is_used(names, TULLE__LANE_NONE));
}

TEST(names_and_indices_lead_to_each_other)
{
    struct tulle__lane_names *names = *state;

    assert_int_equal(intern(names, 1, "orders"), 0);
    assert_int_equal(intern(names, 2, "orders"), 1);
    assert_int_equal(intern(names, 1, "orders/eu"), 2);

    assert_name(names, 0, 1, "orders");
    assert_name(names, 1, 2, "orders");
    assert_name(names, 2, 1, "orders/eu");
    assert_int_equal(find(names, 2, "orders"), 1);
    assert_int_equal(find(names, 1, "orders/eu"), 2);
    assert_int_equal(tulle__lane_names_count(names), 3);
    assert_int_equal(tulle__lane_names_end(names), 3);
}

TEST(a_known_lane_keeps_its_index)
{
    struct tulle__lane_names *names = *state;

    uint32_t first = intern(names, UINT64_MAX, "orders");
    uint32_t again = intern(names, UINT64_MAX, "orders");

    assert_int_equal(again, first);
    assert_int_equal(tulle__lane_names_count(names), 1);
}

TEST(the_name_is_a_copy)
{
    struct tulle__lane_names *names = *state;
    char stream[] = "orders";

    uint32_t lane = intern(names, 1, stream);
    memset(stream, 'x', 6);

    assert_name(names, lane, 1, "orders");
}

TEST(a_stream_is_all_its_bytes_and_no_more)
{
    struct tulle__lane_names *names = *state;
    struct tulle__view part = { (const uint8_t *)"ordersX", 6 };
    struct tulle__view with_zero = { (const uint8_t *)"orders\0", 7 };

    uint32_t lane = tulle__lane_names_intern(names, 1, part);
    uint32_t other = tulle__lane_names_intern(names, 1, with_zero);

    assert_int_equal(find(names, 1, "orders"), lane);
    assert_int_equal(find(names, 1, "order"), TULLE__LANE_NONE);
    assert_int_equal(find(names, 1, "ordersX"), TULLE__LANE_NONE);
    assert_int_not_equal(other, lane);
    assert_int_equal(tulle__lane_names_stream(names, other).len, 7);
}

TEST(lanes_of_one_stream_share_its_text)
{
    struct tulle__lane_names *names = *state;
    uint32_t first = intern(names, 1, "orders");
    uint32_t second = intern(names, 2, "orders");
    uint32_t other = intern(names, 2, "sensors");

    const uint8_t *shared = tulle__lane_names_stream(names, first).data;

    assert_ptr_equal(tulle__lane_names_stream(names, second).data, shared);
    assert_ptr_not_equal(tulle__lane_names_stream(names, other).data, shared);
}

TEST(a_shared_text_stays_until_its_last_lane_goes)
{
    struct tulle__lane_names *names = *state;
    uint32_t first = intern(names, 1, "orders");
    uint32_t second = intern(names, 2, "orders");
    const uint8_t *shared = tulle__lane_names_stream(names, first).data;

    tulle__lane_names_release(names, first);
    assert_name(names, second, 2, "orders");
    uint32_t third = intern(names, 3, "orders");
    assert_ptr_equal(tulle__lane_names_stream(names, third).data, shared);

    tulle__lane_names_release(names, second);
    tulle__lane_names_release(names, third);
    assert_int_equal(tulle__lane_names_count(names), 0);
    assert_int_equal(find(names, 3, "orders"), TULLE__LANE_NONE);
}

TEST(a_released_index_is_given_out_again)
{
    struct tulle__lane_names *names = *state;
    (void)intern(names, 1, "a");
    uint32_t released = intern(names, 1, "b");
    (void)intern(names, 1, "c");

    tulle__lane_names_release(names, released);
    assert_false(tulle__lane_names_is_used(names, released));
    assert_int_equal(find(names, 1, "b"), TULLE__LANE_NONE);
    assert_int_equal(tulle__lane_names_count(names), 2);

    assert_int_equal(intern(names, 9, "d"), released);
    assert_name(names, released, 9, "d");
    assert_int_equal(tulle__lane_names_end(names), 3);
}

TEST(a_full_table_still_finds_what_it_knows)
{
    (void)state;
    struct tulle__lane_names *names = tulle__lane_names_new(2);
    assert_int_equal(intern(names, 1, "a"), 0);
    assert_int_equal(intern(names, 1, "b"), 1);

    assert_int_equal(intern(names, 1, "c"), TULLE__LANE_NONE);
    assert_int_equal(intern(names, 2, "a"), TULLE__LANE_NONE);
    assert_int_equal(intern(names, 1, "b"), 1);

    tulle__lane_names_release(names, 0);
    assert_int_equal(intern(names, 1, "c"), 0);
    assert_int_equal(tulle__lane_names_count(names), 2);
    assert_int_equal(tulle__lane_names_end(names), 2);
    tulle__lane_names_free(&names);
}

TEST(a_table_without_room_takes_nothing)
{
    (void)state;
    struct tulle__lane_names *names = tulle__lane_names_new(0);

    assert_int_equal(intern(names, 1, "a"), TULLE__LANE_NONE);

    assert_int_equal(tulle__lane_names_count(names), 0);
    tulle__lane_names_free(&names);
}

TEST(freeing_nothing_is_nothing)
{
    (void)state;
    struct tulle__lane_names *names = NULL;

    tulle__lane_names_free(&names);

    assert_null(names);
}

TEST(without_memory_there_is_no_table)
{
    (void)state;
    struct testkit_memory memory = { 0 };

    tulle__alloc_set_hook(testkit_may_allocate, &memory);

    assert_null(tulle__lane_names_new(10));
}

/* Intern with so many allocations granted. When that fails the table must be as it
 * was, and find a place for the lane once there is memory. */
static uint32_t
intern_with(struct tulle__lane_names *names, size_t allocations, uint64_t node, const char *stream)
{
    uint32_t count = tulle__lane_names_count(names);
    struct testkit_memory memory = { .left = allocations };
    tulle__alloc_set_hook(testkit_may_allocate, &memory);
    uint32_t lane = intern(names, node, stream);
    tulle__alloc_set_hook(NULL, NULL);
    if (lane == TULLE__LANE_NONE) {
        assert_true(memory.asked > allocations);
        assert_int_equal(tulle__lane_names_count(names), count);
        assert_int_equal(find(names, node, stream), TULLE__LANE_NONE);
    }
    return lane;
}

/* The first lane makes all tables: stream, its table and buckets, name, two arrays,
 * the table of names and its buckets. */
TEST(each_allocation_of_the_first_lane_may_fail)
{
    (void)state;
    enum { ALLOCATIONS = 8 };

    for (size_t granted = 0; granted < ALLOCATIONS; granted++) {
        struct tulle__lane_names *names = tulle__lane_names_new(10);
        assert_int_equal(intern_with(names, granted, 1, "orders"), TULLE__LANE_NONE);
        uint32_t lane = intern(names, 1, "orders");
        assert_int_equal(lane, 0);
        assert_name(names, lane, 1, "orders");
        tulle__lane_names_free(&names);
    }
    struct tulle__lane_names *names = tulle__lane_names_new(10);
    assert_int_equal(intern_with(names, ALLOCATIONS, 1, "orders"), 0);
    tulle__lane_names_free(&names);
}

/* Many lanes, each tried with 0, 1, 2, ... allocations until it succeeds: whatever
 * grows (arrays, buckets) fails once before it does. */
TEST(each_allocation_of_later_lanes_may_fail)
{
    struct tulle__lane_names *names = *state;
    char stream[16];

    for (uint32_t i = 0; i < LANES_MAX; i++) {
        (void)snprintf(stream, sizeof stream, "s/%u", (unsigned)(i % 700));
        size_t granted = 0;
        while (intern_with(names, granted, i, stream) == TULLE__LANE_NONE)
            granted++;
        assert_true(granted > 0);
    }

    assert_int_equal(tulle__lane_names_count(names), LANES_MAX);
    assert_int_equal(tulle__lane_names_end(names), LANES_MAX);
    for (uint32_t i = 0; i < LANES_MAX; i++) {
        (void)snprintf(stream, sizeof stream, "s/%u", (unsigned)(i % 700));
        assert_name(names, find(names, i, stream), i, stream);
    }
}

/* ---- against a model ---- */

enum { NODES = 12, STREAMS = 20, MODEL_MAX = 150 };

struct model {
    struct tulle__lane_names *names;
    struct testkit_random random;
    uint32_t lanes[NODES][STREAMS]; /* TULLE__LANE_NONE: not known */
    uint32_t count;
    uint32_t count_max;
};

static const char *
stream_name(size_t number)
{
    static const char *const streams[STREAMS] = {
        "a", "b",     "ab",    "a/b", "a/b/c", "b/a",  "c",    "d",
        "e", "f",     "a/1",   "a/2", "a/3",   "a/10", "a/11", "long/stream/with/many/levels",
        "é", "g/h/i", "g/h/j", "g/h"
    };
    return streams[number];
}

static void
step_model(struct model *m)
{
    size_t node = testkit_random_below(&m->random, NODES);
    size_t stream = testkit_random_below(&m->random, STREAMS);
    uint32_t *lane = &m->lanes[node][stream];
    bool was_known = *lane != TULLE__LANE_NONE;
    assert_int_equal(find(m->names, node, stream_name(stream)), *lane);
    if (testkit_random_below(&m->random, 100) < 48) {
        if (was_known) {
            tulle__lane_names_release(m->names, *lane);
            *lane = TULLE__LANE_NONE;
            m->count--;
        }
        return;
    }
    size_t granted = testkit_random_below(&m->random, 4) == 0 ? 0 : 100;
    uint32_t found =
        intern_with(m->names, m->count < MODEL_MAX ? granted : 0, node, stream_name(stream));
    if (was_known)
        assert_int_equal(found, *lane);
    else if (granted == 0 || m->count == MODEL_MAX)
        assert_int_equal(found, TULLE__LANE_NONE);
    else
        m->count++;
    *lane = found;
    if (m->count > m->count_max)
        m->count_max = m->count;
}

static void
check_model(struct model *m)
{
    bool is_used[MODEL_MAX + 1] = { false };
    assert_int_equal(tulle__lane_names_count(m->names), m->count);
    assert_true(tulle__lane_names_end(m->names) <= m->count_max + 1);
    for (size_t node = 0; node < NODES; node++) {
        for (size_t stream = 0; stream < STREAMS; stream++) {
            uint32_t lane = m->lanes[node][stream];
            if (lane == TULLE__LANE_NONE)
                continue;
            assert_name(m->names, lane, node, stream_name(stream));
            assert_false(is_used[lane]); /* no two have one index */
            is_used[lane] = true;
        }
    }
    for (uint32_t i = 0; i < tulle__lane_names_end(m->names); i++)
        assert_true(tulle__lane_names_is_used(m->names, i) == is_used[i]);
}

TEST(agrees_with_a_model)
{
    (void)state;
    struct model m = { .random = { 0x5eed0002 } };
    m.names = tulle__lane_names_new(MODEL_MAX + 1);
    memset(m.lanes, 0xff, sizeof m.lanes);

    for (int i = 0; i < 20000; i++) {
        step_model(&m);
        if (i % 50 == 0)
            check_model(&m);
    }

    check_model(&m);
    assert_true(m.count_max > MODEL_MAX / 2); /* the run reached something */
    tulle__lane_names_free(&m.names);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_table_knows_no_lane, setup, teardown),
        cmocka_unit_test_setup_teardown(names_and_indices_lead_to_each_other, setup, teardown),
        cmocka_unit_test_setup_teardown(a_known_lane_keeps_its_index, setup, teardown),
        cmocka_unit_test_setup_teardown(the_name_is_a_copy, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stream_is_all_its_bytes_and_no_more, setup, teardown),
        cmocka_unit_test_setup_teardown(lanes_of_one_stream_share_its_text, setup, teardown),
        cmocka_unit_test_setup_teardown(a_shared_text_stays_until_its_last_lane_goes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_released_index_is_given_out_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_table_still_finds_what_it_knows, setup, teardown),
        cmocka_unit_test_setup_teardown(a_table_without_room_takes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(freeing_nothing_is_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(without_memory_there_is_no_table, setup, teardown),
        cmocka_unit_test_setup_teardown(each_allocation_of_the_first_lane_may_fail, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(each_allocation_of_later_lanes_may_fail, setup, teardown),
        cmocka_unit_test_setup_teardown(agrees_with_a_model, setup, teardown),
    };
    return cmocka_run_group_tests_name("clock/lane_names", tests, NULL, NULL);
}
