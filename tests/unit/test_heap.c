/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include "base/heap.h"

#include <stddef.h>

enum { COUNT = 500 };

static struct tulle__heap_node nodes[COUNT];

static uint64_t
next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return *state >> 33;
}

static uint64_t
least_of_all(void)
{
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < COUNT; i++) {
        if (nodes[i].is_in && nodes[i].key < least)
            least = nodes[i].key;
    }
    return least;
}

TEST(an_empty_heap_has_no_least)
{
    (void)state;
    struct tulle__heap heap = { NULL };
    struct tulle__heap_node node = { .key = 1 };
    tulle__heap_remove(&heap, &node);
    assert_null(heap.least);
    tulle__heap_insert(&heap, &node, 7);
    assert_ptr_equal(heap.least, &node);
    tulle__heap_remove(&heap, &node);
    assert_null(heap.least);
    assert_false(node.is_in);
}

TEST(nodes_come_out_by_key)
{
    (void)state;
    struct tulle__heap heap = { NULL };
    uint64_t random = 1;
    for (size_t i = 0; i < COUNT; i++) {
        nodes[i] = (struct tulle__heap_node){ 0 };
        tulle__heap_insert(&heap, &nodes[i], next_random(&random) % 100);
    }
    uint64_t last = 0;
    for (size_t i = 0; i < COUNT; i++) {
        struct tulle__heap_node *least = heap.least;
        assert_non_null(least);
        assert_true(least->key >= last);
        last = least->key;
        tulle__heap_remove(&heap, least);
    }
    assert_null(heap.least);
}

TEST(any_node_can_go_at_any_time)
{
    (void)state;
    struct tulle__heap heap = { NULL };
    uint64_t random = 2;
    for (size_t i = 0; i < COUNT; i++)
        nodes[i] = (struct tulle__heap_node){ 0 };
    for (size_t step = 0; step < 20000; step++) {
        struct tulle__heap_node *node = &nodes[next_random(&random) % COUNT];
        if (node->is_in)
            tulle__heap_remove(&heap, node);
        else
            tulle__heap_insert(&heap, node, next_random(&random) % 1000);
        uint64_t least = least_of_all();
        if (heap.least == NULL)
            assert_true(least == UINT64_MAX);
        else
            assert_true(heap.least->key == least);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_heap_has_no_least),
        cmocka_unit_test(nodes_come_out_by_key),
        cmocka_unit_test(any_node_can_go_at_any_time),
    };
    return cmocka_run_group_tests_name("unit/heap", tests, NULL, NULL);
}
