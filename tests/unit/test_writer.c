/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "codec/reader.h"
#include "codec/writer.h"

#include <string.h>

static int
setup(void **state)
{
    static struct tulle__writer writer;
    tulle__writer_init(&writer);
    *state = &writer;
    return 0;
}

static int
teardown(void **state)
{
    tulle__alloc_set_hook(NULL, NULL);
    tulle__writer_fini(*state);
    return 0;
}

static void
assert_wrote(struct tulle__writer *w, const char *bytes, size_t len)
{
    assert_false(w->failed);
    assert_int_equal(w->len, len);
    assert_memory_equal(w->data, bytes, len);
    tulle__writer_reset(w);
}

#define ASSERT_WROTE(w, literal) assert_wrote((w), (literal), sizeof(literal) - 1)

TEST(writes_the_shortest_number)
{
    struct tulle__writer *w = *state;

    tulle__write_uint(w, 0);
    ASSERT_WROTE(w, "\x00");
    tulle__write_uint(w, 127);
    ASSERT_WROTE(w, "\x7f");
    tulle__write_uint(w, 128);
    ASSERT_WROTE(w, "\xcc\x80");
    tulle__write_uint(w, 256);
    ASSERT_WROTE(w, "\xcd\x01\x00");
    tulle__write_uint(w, 65536);
    ASSERT_WROTE(w, "\xce\x00\x01\x00\x00");
    tulle__write_uint(w, UINT64_C(0x100000000));
    ASSERT_WROTE(w, "\xcf\x00\x00\x00\x01\x00\x00\x00\x00");
    tulle__write_uint(w, UINT64_MAX);
    ASSERT_WROTE(w, "\xcf\xff\xff\xff\xff\xff\xff\xff\xff");
}

TEST(writes_booleans_and_headers_of_containers)
{
    struct tulle__writer *w = *state;

    tulle__write_bool(w, true);
    tulle__write_bool(w, false);
    ASSERT_WROTE(w, "\xc3\xc2");
    tulle__write_array(w, 15);
    tulle__write_array(w, 16);
    tulle__write_array(w, 65536);
    ASSERT_WROTE(w, "\x9f\xdc\x00\x10\xdd\x00\x01\x00\x00");
    tulle__write_map(w, 15);
    tulle__write_map(w, 16);
    tulle__write_map(w, 65536);
    ASSERT_WROTE(w, "\x8f\xde\x00\x10\xdf\x00\x01\x00\x00");
}

TEST(writes_text_and_bytes)
{
    struct tulle__writer *w = *state;

    tulle__write_str(w, "xyz", 2);
    tulle__write_cstr(w, "xyz");
    ASSERT_WROTE(w, "\xa2xy\xa3xyz");
    tulle__write_bin(w, "xyz", 3);
    tulle__write_raw(w, "\x01\x02", 2);
    ASSERT_WROTE(w, "\xc4\x03xyz\x01\x02");
    tulle__write_str(w, NULL, 0);
    tulle__write_bin(w, NULL, 0);
    tulle__write_raw(w, NULL, 0);
    ASSERT_WROTE(w, "\xa0\xc4\x00");
}

TEST(writes_long_text_with_a_long_header)
{
    struct tulle__writer *w = *state;
    char text[70000];
    memset(text, 'x', sizeof text);

    tulle__write_str(w, text, 32);
    assert_memory_equal(w->data, "\xd9\x20xx", 4);
    tulle__writer_reset(w);
    tulle__write_str(w, text, 256);
    assert_memory_equal(w->data, "\xda\x01\x00xx", 5);
    tulle__writer_reset(w);
    tulle__write_bin(w, text, sizeof text);
    assert_memory_equal(w->data, "\xc6\x00\x01\x11\x70xx", 7);
    assert_int_equal(w->len, sizeof text + 5);
}

TEST(refuses_lengths_that_msgpack_cannot_say)
{
    struct tulle__writer *w = *state;

    tulle__write_str(w, "x", (size_t)UINT32_MAX + 1);
    assert_true(w->failed);
    tulle__writer_reset(w);
    tulle__write_bin(w, "x", (size_t)UINT32_MAX + 1);
    assert_true(w->failed);
    assert_int_equal(w->len, 0);
}

TEST(reads_back_what_it_wrote)
{
    struct tulle__writer *w = *state;
    struct tulle__reader r;

    for (unsigned shift = 0; shift < 64; shift++) {
        tulle__write_uint(w, UINT64_C(1) << shift);
        tulle__write_uint(w, (UINT64_C(1) << shift) - 1);
    }

    tulle__reader_init(&r, w->data, w->len);
    for (unsigned shift = 0; shift < 64; shift++) {
        assert_true(tulle__read_uint(&r) == UINT64_C(1) << shift);
        assert_true(tulle__read_uint(&r) == (UINT64_C(1) << shift) - 1);
    }
    assert_true(tulle__reader_is_done(&r));
}

TEST(keeps_its_block_when_reset)
{
    struct tulle__writer *w = *state;
    tulle__write_cstr(w, "something");
    const uint8_t *block = w->data;
    size_t cap = w->cap;

    tulle__writer_reset(w);

    assert_int_equal(w->len, 0);
    assert_ptr_equal(w->data, block);
    assert_int_equal(w->cap, cap);
}

TEST(gives_a_buffer_of_what_was_written)
{
    struct tulle__writer *w = *state;
    tulle__write_cstr(w, "abc");

    struct tulle__buf *buf = tulle__writer_take(w);

    assert_non_null(buf);
    assert_int_equal(buf->len, 4);
    assert_memory_equal(buf->data,
                        "\xa3"
                        "abc",
                        4);
    assert_int_equal(w->len, 0);
    tulle__buf_unref(&buf);
}

static bool
refuse(void *ctx)
{
    (void)ctx;
    return false;
}

TEST(stays_failed_without_memory_until_reset)
{
    struct tulle__writer *w = *state;

    tulle__alloc_set_hook(refuse, NULL);
    tulle__write_cstr(w, "abc");
    tulle__alloc_set_hook(NULL, NULL);
    assert_true(w->failed);
    tulle__write_uint(w, 1);
    assert_int_equal(w->len, 0);
    assert_null(tulle__writer_take(w));

    tulle__write_uint(w, 1);
    ASSERT_WROTE(w, "\x01");
}

TEST(gives_no_buffer_without_memory)
{
    struct tulle__writer *w = *state;
    tulle__write_cstr(w, "abc");

    tulle__alloc_set_hook(refuse, NULL);
    struct tulle__buf *buf = tulle__writer_take(w);
    tulle__alloc_set_hook(NULL, NULL);

    assert_null(buf);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_the_shortest_number, setup, teardown),
        cmocka_unit_test_setup_teardown(writes_booleans_and_headers_of_containers, setup, teardown),
        cmocka_unit_test_setup_teardown(writes_text_and_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(writes_long_text_with_a_long_header, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_lengths_that_msgpack_cannot_say, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_back_what_it_wrote, setup, teardown),
        cmocka_unit_test_setup_teardown(keeps_its_block_when_reset, setup, teardown),
        cmocka_unit_test_setup_teardown(gives_a_buffer_of_what_was_written, setup, teardown),
        cmocka_unit_test_setup_teardown(stays_failed_without_memory_until_reset, setup, teardown),
        cmocka_unit_test_setup_teardown(gives_no_buffer_without_memory, setup, teardown),
    };
    return cmocka_run_group_tests_name("codec/writer", tests, NULL, NULL);
}
