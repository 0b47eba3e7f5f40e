/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/pool.h"

#include <pthread.h>
#include <string.h>

enum { UNUSED_MAX = 4096 };

struct fixture {
    struct tulle__pool *pool;
    struct testkit_memory memory;
};

static int
setup(void **state)
{
    static struct fixture fixture;
    fixture =
        (struct fixture){ .pool = tulle__pool_open(UNUSED_MAX), .memory = { .left = SIZE_MAX } };
    assert_non_null(fixture.pool);
    tulle__alloc_set_hook(testkit_may_allocate, &fixture.memory);
    *state = &fixture;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    tulle__alloc_set_hook(NULL, NULL);
    tulle__pool_close(&f->pool);
    assert_null(f->pool);
    return 0;
}

TEST(what_comes_back_is_given_out_again)
{
    struct fixture *f = *state;

    void *first = tulle__pool_take(f->pool, 100, NULL);
    tulle__pool_give(first);
    void *second = tulle__pool_take(f->pool, 100, NULL);
    tulle__pool_give_own(second);
    void *third = tulle__pool_take(f->pool, 97, NULL); /* of the same size */

    assert_ptr_equal(second, first);
    assert_ptr_equal(third, first);
    assert_int_equal(f->memory.asked, 1);
    tulle__pool_give(third);
}

TEST(a_block_has_the_room_that_it_says)
{
    struct fixture *f = *state;

    for (size_t len = 0; len < 40000; len += len / 7 + 1) {
        size_t room = 0;
        uint8_t *block = tulle__pool_take(f->pool, len, &room);
        assert_non_null(block);
        assert_true(room >= len);
        assert_true(room <= len + len / 8 + 16);
        assert_int_equal((uintptr_t)block % 16, 0);
        memset(block, 0x5a, room); /* the sanitizer watches */
        tulle__pool_give(block);
    }
}

TEST(blocks_past_the_longest_come_and_go)
{
    struct fixture *f = *state;
    size_t room = 0;

    void *block = tulle__pool_take(f->pool, (size_t)TULLE__POOL_LEN_MAX + 1, &room);

    assert_non_null(block);
    assert_int_equal(room, (size_t)TULLE__POOL_LEN_MAX + 1);
    tulle__pool_give(block);
    block = tulle__pool_take(f->pool, (size_t)TULLE__POOL_LEN_MAX + 1, NULL);
    assert_int_equal(f->memory.asked, 2);
    tulle__pool_give_own(block);
}

TEST(what_is_kept_unused_is_bounded)
{
    struct fixture *f = *state;
    void *blocks[8];

    for (size_t i = 0; i < 8; i++)
        blocks[i] = tulle__pool_take(f->pool, 1024, NULL);
    for (size_t i = 0; i < 8; i++)
        tulle__pool_give_own(blocks[i]);
    assert_int_equal(f->memory.asked, 8);
    for (size_t i = 0; i < 8; i++)
        blocks[i] = tulle__pool_take(f->pool, 1024, NULL);

    assert_int_equal(f->memory.asked, 8 + 8 - UNUSED_MAX / 1024);
    for (size_t i = 0; i < 8; i++)
        tulle__pool_give(blocks[i]);
}

TEST(sizes_that_nobody_asks_for_make_room)
{
    struct fixture *f = *state;
    void *blocks[UNUSED_MAX / 512];

    for (size_t i = 0; i < UNUSED_MAX / 512; i++)
        blocks[i] = tulle__pool_take(f->pool, 512, NULL);
    for (size_t i = 0; i < UNUSED_MAX / 512; i++)
        tulle__pool_give_own(blocks[i]);
    for (size_t i = 0; i < 10; i++)
        tulle__pool_give(tulle__pool_take(f->pool, 1024, NULL));

    assert_int_equal(f->memory.asked, UNUSED_MAX / 512 + 1);
}

TEST(without_memory_there_is_no_block)
{
    struct fixture *f = *state;
    void *block = tulle__pool_take(f->pool, 64, NULL);
    f->memory.left = 0;

    assert_null(tulle__pool_take(f->pool, 64, NULL));
    tulle__pool_give(block);
    assert_ptr_equal(tulle__pool_take(f->pool, 64, NULL), block);

    assert_null(tulle__pool_take(f->pool, SIZE_MAX, NULL));
    tulle__pool_give(block);
}

TEST(without_a_pool_the_system_is_asked)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < 3; i++) {
        void *block = tulle__pool_take(NULL, 64, NULL);
        assert_non_null(block);
        if (i == 0)
            tulle__pool_give(block);
        else
            tulle__pool_give_own(block);
    }

    assert_int_equal(f->memory.asked, 3);
}

TEST(a_buffer_outlives_the_pool_it_is_from)
{
    (void)state;
    struct tulle__pool *pool = tulle__pool_open(UNUSED_MAX);
    assert_non_null(pool);
    uint8_t *bytes = NULL;
    struct tulle__buf *buf = tulle__buf_new_in(pool, 5, &bytes);
    struct tulle__buf *other = tulle__buf_new_in(pool, 5, &bytes);
    assert_non_null(buf);
    memcpy(bytes, (const uint8_t[]){ 'e', 'v', 'e', 'n', 't' }, 5);

    tulle__pool_close(&pool);

    assert_memory_equal(other->data, "event", 5);
    tulle__buf_unref(&buf);
    tulle__buf_unref(&other); /* the last one frees the pool: nothing leaks */
}

/* Blocks on their way from the owner to another thread, which gives them back. */
enum { BLOCKS = 20000, ON_THE_WAY = 64 };

struct belt {
    pthread_mutex_t mutex;
    void *blocks[ON_THE_WAY];
    size_t put;
    size_t got;
};

static void *
give_back(void *argument)
{
    struct belt *belt = argument;
    for (size_t i = 0; i < BLOCKS;) {
        void *block = NULL;
        (void)pthread_mutex_lock(&belt->mutex);
        if (belt->got < belt->put)
            block = belt->blocks[belt->got++ % ON_THE_WAY];
        (void)pthread_mutex_unlock(&belt->mutex);
        if (block == NULL)
            continue;
        tulle__pool_give(block);
        i++;
    }
    return NULL;
}

TEST(another_thread_gives_back_also_after_the_end)
{
    (void)state;
    struct tulle__pool *pool = tulle__pool_open(UNUSED_MAX);
    assert_non_null(pool);
    struct belt belt = { .put = 0 };
    pthread_t thread;
    assert_int_equal(pthread_mutex_init(&belt.mutex, NULL), 0);
    assert_int_equal(pthread_create(&thread, NULL, give_back, &belt), 0);
    tulle__alloc_set_hook(NULL, NULL); /* it counts on one thread */

    for (size_t i = 0; i < BLOCKS;) {
        (void)pthread_mutex_lock(&belt.mutex);
        if (belt.put - belt.got < ON_THE_WAY) {
            uint8_t *block = tulle__pool_take(pool, 16 + i % 50, NULL);
            if (block != NULL)
                memset(block, (int)i, 16 + i % 50);
            belt.blocks[belt.put++ % ON_THE_WAY] = block;
            i++;
        }
        (void)pthread_mutex_unlock(&belt.mutex);
    }
    tulle__pool_close(&pool); /* the last ones are on their way */
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(belt.got, BLOCKS);
    (void)pthread_mutex_destroy(&belt.mutex);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_comes_back_is_given_out_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_block_has_the_room_that_it_says, setup, teardown),
        cmocka_unit_test_setup_teardown(blocks_past_the_longest_come_and_go, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_kept_unused_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(sizes_that_nobody_asks_for_make_room, setup, teardown),
        cmocka_unit_test_setup_teardown(without_memory_there_is_no_block, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_pool_the_system_is_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(a_buffer_outlives_the_pool_it_is_from, setup, teardown),
        cmocka_unit_test_setup_teardown(another_thread_gives_back_also_after_the_end, setup,
                                        teardown),
    };
    return cmocka_run_group_tests_name("base/pool", tests, NULL, NULL);
}
