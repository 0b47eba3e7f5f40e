/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <string.h>

static int
teardown(void **state)
{
    (void)state;
    tulle__alloc_set_hook(NULL, NULL);
    return 0;
}

/* The owner of wrapped bytes: how often they were released. */
static void
count_release(struct tulle__buf *buf)
{
    int *released = buf->owner;
    (*released)++;
}

TEST(new_bytes_can_be_written)
{
    (void)state;
    uint8_t *bytes = NULL;

    struct tulle__buf *buf = tulle__buf_new(5, &bytes);

    assert_non_null(buf);
    assert_int_equal(buf->len, 5);
    memset(bytes, 0x7e, 5);
    assert_memory_equal(buf->data, "~~~~~", 5);
    tulle__buf_unref(&buf);
}

TEST(a_copy_is_independent_of_its_source)
{
    (void)state;
    char source[] = "event";

    struct tulle__buf *buf = tulle__buf_copy(source, 5);
    memset(source, 'x', 5);

    assert_int_equal(buf->len, 5);
    assert_memory_equal(buf->data, "event", 5);
    tulle__buf_unref(&buf);
}

TEST(a_buffer_may_be_empty)
{
    (void)state;
    uint8_t *bytes = NULL;

    struct tulle__buf *made = tulle__buf_new(0, &bytes);
    struct tulle__buf *copied = tulle__buf_copy(NULL, 0);

    assert_non_null(made);
    assert_int_equal(made->len, 0);
    assert_non_null(copied);
    assert_int_equal(copied->len, 0);
    tulle__buf_unref(&made);
    tulle__buf_unref(&copied);
}

TEST(a_buffer_lives_as_long_as_its_last_reference)
{
    (void)state;
    struct tulle__buf *first = tulle__buf_copy("event", 5);

    struct tulle__buf *second = tulle__buf_ref(first);
    assert_ptr_equal(second, first);
    tulle__buf_unref(&first);

    assert_null(first);
    assert_memory_equal(second->data, "event", 5);
    tulle__buf_unref(&second);
    assert_null(second);
}

TEST(wrapped_bytes_are_released_once_with_the_last_reference)
{
    (void)state;
    int released = 0;
    static const char bytes[] = "event";

    struct tulle__buf *first = tulle__buf_wrap(bytes, 5, count_release, &released);
    struct tulle__buf *second = tulle__buf_ref(first);
    struct tulle__buf *third = tulle__buf_ref(first);

    assert_ptr_equal(first->data, bytes);
    assert_int_equal(first->len, 5);
    tulle__buf_unref(&second);
    tulle__buf_unref(&first);
    assert_int_equal(released, 0);
    tulle__buf_unref(&third);
    assert_int_equal(released, 1);
}

TEST(wrapped_bytes_may_need_no_release)
{
    (void)state;

    struct tulle__buf *buf = tulle__buf_wrap("event", 5, NULL, NULL);

    assert_memory_equal(buf->data, "event", 5);
    tulle__buf_unref(&buf);
}

TEST(dropping_nothing_is_nothing)
{
    (void)state;
    struct tulle__buf *buf = NULL;

    tulle__buf_unref(&buf);

    assert_null(buf);
}

TEST(without_memory_there_is_no_buffer)
{
    (void)state;
    struct testkit_memory memory = { 0 };
    uint8_t *bytes = NULL;
    int released = 0;

    tulle__alloc_set_hook(testkit_may_allocate, &memory);

    assert_null(tulle__buf_new(5, &bytes));
    assert_null(tulle__buf_copy("event", 5));
    assert_null(tulle__buf_wrap("event", 5, count_release, &released));
    assert_int_equal(released, 0); /* they stay the caller's */
    assert_int_equal(memory.asked, 3);
}

TEST(a_length_past_all_memory_does_not_wrap)
{
    (void)state;
    struct testkit_memory memory = { 0 };
    uint8_t *bytes = NULL;

    tulle__alloc_set_hook(testkit_may_allocate, &memory);

    assert_null(tulle__buf_new(SIZE_MAX, &bytes));
    assert_null(tulle__buf_new(SIZE_MAX - sizeof(struct tulle__buf) + 1, &bytes));
    assert_int_equal(memory.asked, 0); /* refused before anybody was asked */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_bytes_can_be_written),
        cmocka_unit_test(a_copy_is_independent_of_its_source),
        cmocka_unit_test(a_buffer_may_be_empty),
        cmocka_unit_test(a_buffer_lives_as_long_as_its_last_reference),
        cmocka_unit_test(wrapped_bytes_are_released_once_with_the_last_reference),
        cmocka_unit_test(wrapped_bytes_may_need_no_release),
        cmocka_unit_test(dropping_nothing_is_nothing),
        cmocka_unit_test_teardown(without_memory_there_is_no_buffer, teardown),
        cmocka_unit_test_teardown(a_length_past_all_memory_does_not_wrap, teardown),
    };
    return cmocka_run_group_tests_name("base/buf", tests, NULL, NULL);
}
