/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include "base/alloc.h"
#include "mini_net.h"

#include <string.h>

static int
setup(void **state)
{
    static struct testkit_memory memory;
    memory = (struct testkit_memory){ .left = SIZE_MAX };
    tulle__alloc_set_hook(testkit_may_allocate, &memory);
    *state = &memory;
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    tulle__alloc_set_hook(NULL, NULL);
    return 0;
}

TEST(memory_is_zero)
{
    (void)state;
    static const uint8_t zeros[200];

    /* Twice, so that the second may get the block which the first wrote. */
    for (int i = 0; i < 2; i++) {
        uint8_t *block = tulle__alloc(sizeof zeros);
        assert_non_null(block);
        assert_memory_equal(block, zeros, sizeof zeros);
        memset(block, 0xff, sizeof zeros);
        tulle__free(block);
    }
}

TEST(no_bytes_are_a_block_too)
{
    (void)state;

    void *block = tulle__alloc(0);
    void *other = tulle__realloc(NULL, 0);

    assert_non_null(block);
    assert_non_null(other);
    tulle__free(block);
    tulle__free(other);
    tulle__free(NULL);
}

TEST(a_block_that_grows_keeps_its_bytes)
{
    (void)state;

    char *block = tulle__realloc(NULL, 6);
    assert_non_null(block);
    memcpy(block, "tulle", 6);
    block = tulle__realloc(block, 100000);

    assert_non_null(block);
    assert_string_equal(block, "tulle");
    tulle__free(block);
}

TEST(copied_text_ends_with_a_nul)
{
    (void)state;

    char *part = tulle__strndup("orders/eu", 6);
    char *nothing = tulle__strndup(NULL, 0);

    assert_string_equal(part, "orders");
    assert_string_equal(nothing, "");
    tulle__free(part);
    tulle__free(nothing);
}

TEST(an_array_doubles_when_it_is_full)
{
    struct testkit_memory *memory = *state;
    uint32_t *array = NULL;
    size_t cap = 0;

    for (uint32_t len = 0; len < 1000; len++) {
        assert_true(tulle__grow(&array, &cap, len, sizeof *array));
        assert_true(cap > len);
        array[len] = len;
    }

    assert_int_equal(cap, 1024);
    assert_int_equal(memory->asked, 8); /* 8, 16, ... 1024 */
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(array[i], i);
    tulle__free(array);
}

TEST(an_array_that_cannot_grow_stays)
{
    struct testkit_memory *memory = *state;
    uint32_t *array = NULL;
    size_t cap = 0;
    assert_true(tulle__grow(&array, &cap, 0, sizeof *array));
    array[0] = 42;
    uint32_t *before = array;

    memory->left = 0;

    assert_false(tulle__grow(&array, &cap, 8, sizeof *array));
    assert_ptr_equal(array, before);
    assert_int_equal(cap, 8);
    assert_int_equal(array[0], 42);
    tulle__free(array);
}

TEST(an_array_past_all_memory_does_not_wrap)
{
    struct testkit_memory *memory = *state;
    uint32_t *array = NULL;

    size_t cap = SIZE_MAX / 2 + 1; /* twice that is 0 */
    assert_false(tulle__grow(&array, &cap, cap, 1));
    cap = SIZE_MAX / 8 + 1; /* twice that, times the size, is 8 */
    assert_false(tulle__grow(&array, &cap, cap, sizeof *array));

    assert_null(array);
    assert_int_equal(memory->asked, 0);
}

TEST(every_allocation_can_be_refused)
{
    struct testkit_memory *memory = *state;
    char *block = tulle__alloc(8);
    assert_non_null(block);
    memcpy(block, "tulle", 6);

    memory->left = 0;
    memory->asked = 0;

    assert_null(tulle__alloc(8));
    assert_null(tulle__realloc(block, 16));
    assert_string_equal(block, "tulle");
    assert_null(tulle__strndup("tulle", 5));
    assert_int_equal(memory->asked, 3);
    tulle__free(block);
}

TEST(without_a_hook_nothing_is_refused)
{
    struct testkit_memory *memory = *state;
    memory->left = 0;

    tulle__alloc_set_hook(NULL, NULL);
    void *block = tulle__alloc(8);

    assert_non_null(block);
    assert_int_equal(memory->asked, 0);
    tulle__free(block);
}

/* ---- a steady state ---- */

struct pair {
    struct tulle__engine *from;
    struct tulle__engine *to;
    struct tulle__now now;
    uint64_t delivered;
};

/* What one sends reaches the other, which delivers it. */
static void
pass(struct pair *pair)
{
    struct tulle__view no_path = { NULL, 0 };
    struct tulle__action sent;
    while (tulle__engine_next_action(pair->from, &sent)) {
        assert_int_equal(sent.kind, TULLE__ACTION_PUBLISH);
        tulle__engine_on_publication(pair->to, sent.u.publication.key, sent.u.publication.body,
                                     no_path, pair->now);
        tulle__action_fini(&sent);
        struct tulle__action got;
        while (tulle__engine_next_action(pair->to, &got)) {
            assert_int_equal(got.kind, TULLE__ACTION_DELIVER);
            pair->delivered += got.u.delivery.last - got.u.delivery.first + 1;
            tulle__action_fini(&got);
        }
    }
}

static void
publish_batches(struct pair *pair, size_t batches, size_t events)
{
    static const uint8_t payload[64];
    const struct tulle__publish event = { .topic = mini_text("s/events"),
                                          .stream_levels = 1,
                                          .payload = { payload, sizeof payload } };
    for (size_t i = 0; i < batches; i++) {
        for (size_t k = 0; k < events; k++)
            assert_int_equal(tulle__engine_publish(pair->from, &event, pair->now), TULLE_OK);
        tulle__engine_close_batches(pair->from, pair->now);
        pass(pair);
    }
}

/* Publishing and delivering in causal order, with both retentions full: what an event
 * needs is what an older one gave back. */
static void
check_steady_state(struct testkit_memory *memory, size_t events)
{
    void *state = NULL;
    assert_int_equal(mini_setup(&state), 0);
    struct mini_net *net = state;
    for (size_t i = 0; i < 2; i++) {
        net->nodes[i].config.retain_bytes = 100000;
        net->nodes[i].config.retain_others_bytes = 100000;
    }
    mini_start(net, 2);
    (void)mini_take(net, MINI_B, "s/**");
    mini_run(net, 500);
    struct pair pair = { .from = net->nodes[MINI_A].engine,
                         .to = net->nodes[MINI_B].engine,
                         .now = net->now };
    publish_batches(&pair, 3000, events);
    memory->asked = 0;
    publish_batches(&pair, 3000, events);

    assert_int_equal(memory->asked, 0);
    assert_int_equal(pair.delivered, 2L * 3000 * events);
    assert_int_equal(mini_teardown(&state), 0);
}

TEST(single_events_need_no_memory_in_a_steady_state)
{
    check_steady_state(*state, 1);
}

TEST(batches_need_no_memory_in_a_steady_state)
{
    check_steady_state(*state, 16);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(memory_is_zero, setup, teardown),
        cmocka_unit_test_setup_teardown(no_bytes_are_a_block_too, setup, teardown),
        cmocka_unit_test_setup_teardown(a_block_that_grows_keeps_its_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(copied_text_ends_with_a_nul, setup, teardown),
        cmocka_unit_test_setup_teardown(an_array_doubles_when_it_is_full, setup, teardown),
        cmocka_unit_test_setup_teardown(an_array_that_cannot_grow_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(an_array_past_all_memory_does_not_wrap, setup, teardown),
        cmocka_unit_test_setup_teardown(every_allocation_can_be_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_hook_nothing_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(single_events_need_no_memory_in_a_steady_state, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(batches_need_no_memory_in_a_steady_state, setup, teardown),
    };
    return cmocka_run_group_tests_name("base/alloc", tests, NULL, NULL);
}
