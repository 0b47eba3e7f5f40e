/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include "codec/limits.h"
#include "codec/reader.h"

#include <string.h>

/* A reader over the bytes of a string literal, without its NUL. */
#define READER(literal) reader_of((literal), sizeof(literal) - 1)
#define VIEW(literal)   ((struct tulle__view){ (const uint8_t *)(literal), sizeof(literal) - 1 })

static struct tulle__reader
reader_of(const char *bytes, size_t len)
{
    struct tulle__reader r;
    tulle__reader_init(&r, bytes, len);
    return r;
}

static void
assert_reads(struct tulle__reader r, uint64_t value)
{
    uint64_t found = tulle__read_uint(&r);

    assert_true(tulle__reader_is_done(&r));
    assert_true(found == value);
}

static void
assert_refuses_uint(struct tulle__reader r)
{
    assert_true(tulle__read_uint(&r) == 0);
    assert_true(r.failed);
    assert_int_equal(r.left, 0);
}

TEST(reads_every_width_of_unsigned)
{
    (void)state;
    assert_reads(READER("\x00"), 0);
    assert_reads(READER("\x7f"), 127);
    assert_reads(READER("\xcc\xff"), 255);
    assert_reads(READER("\xcd\x01\x02"), 0x102);
    assert_reads(READER("\xce\x01\x02\x03\x04"), 0x1020304);
    assert_reads(READER("\xcf\x01\x02\x03\x04\x05\x06\x07\x08"), 0x102030405060708);
    assert_reads(READER("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), UINT64_MAX);
}

TEST(reads_signed_when_not_negative)
{
    (void)state;
    assert_reads(READER("\xd0\x7f"), 127);
    assert_reads(READER("\xd1\x7f\xff"), 0x7fff);
    assert_reads(READER("\xd2\x00\x00\x00\x01"), 1);
    assert_reads(READER("\xd3\x7f\xff\xff\xff\xff\xff\xff\xff"), INT64_MAX);
}

TEST(refuses_negative_numbers)
{
    (void)state;
    assert_refuses_uint(READER("\xff"));
    assert_refuses_uint(READER("\xe0"));
    assert_refuses_uint(READER("\xd0\x80"));
    assert_refuses_uint(READER("\xd1\xff\xff"));
    assert_refuses_uint(READER("\xd2\x80\x00\x00\x00"));
    assert_refuses_uint(READER("\xd3\xff\xff\xff\xff\xff\xff\xff\xff"));
}

TEST(refuses_what_is_no_number_or_is_cut)
{
    (void)state;
    assert_refuses_uint(READER(""));
    assert_refuses_uint(READER("\xcc"));
    assert_refuses_uint(READER("\xcd\x01"));
    assert_refuses_uint(READER("\xce\x01\x02\x03"));
    assert_refuses_uint(READER("\xcf\x01\x02\x03\x04\x05\x06\x07"));
    assert_refuses_uint(READER("\xd3\x01\x02\x03\x04\x05\x06\x07"));
    assert_refuses_uint(READER("\xa1x"));
    assert_refuses_uint(READER("\xc0"));
    assert_refuses_uint(READER("\xca\x00\x00\x00\x00"));
}

TEST(reads_booleans_and_nothing_else_as_such)
{
    (void)state;
    struct tulle__reader yes = READER("\xc3");
    struct tulle__reader no = READER("\xc2");
    struct tulle__reader nil = READER("\xc0");
    struct tulle__reader none = READER("");

    assert_true(tulle__read_bool(&yes));
    assert_true(tulle__reader_is_done(&yes));
    assert_false(tulle__read_bool(&no));
    assert_true(tulle__reader_is_done(&no));
    assert_false(tulle__read_bool(&nil));
    assert_true(nil.failed);
    assert_false(tulle__read_bool(&none));
    assert_true(none.failed);
}

static uint32_t
array_count(struct tulle__reader r, uint32_t max)
{
    uint32_t count = tulle__read_array(&r, max);
    return r.failed ? UINT32_MAX : count;
}

static uint32_t
map_count(struct tulle__reader r, uint32_t max)
{
    uint32_t count = tulle__read_map(&r, max);
    return r.failed ? UINT32_MAX : count;
}

TEST(reads_counts_of_every_width)
{
    (void)state;
    assert_int_equal(array_count(READER("\x90"), 9), 0);
    assert_int_equal(array_count(READER("\x92\x01\x02"), 2), 2);
    assert_int_equal(array_count(READER("\xdc\x00\x02\x01\x02"), 2), 2);
    assert_int_equal(array_count(READER("\xdd\x00\x00\x00\x02\x01\x02"), 2), 2);
    assert_int_equal(map_count(READER("\x80"), 9), 0);
    assert_int_equal(map_count(READER("\x81\x01\x02"), 1), 1);
    assert_int_equal(map_count(READER("\xde\x00\x01\x01\x02"), 1), 1);
    assert_int_equal(map_count(READER("\xdf\x00\x00\x00\x01\x01\x02"), 1), 1);
}

TEST(refuses_counts_above_the_limit)
{
    (void)state;
    assert_int_equal(array_count(READER("\x92\x01\x02"), 1), UINT32_MAX);
    assert_int_equal(array_count(READER("\xdc\x00\x02\x01\x02"), 1), UINT32_MAX);
    assert_int_equal(map_count(READER("\x82\x01\x02\x03\x04"), 1), UINT32_MAX);
}

TEST(refuses_counts_that_cannot_fit)
{
    (void)state;
    assert_int_equal(array_count(READER("\x92\x01"), 9), UINT32_MAX);
    assert_int_equal(array_count(READER("\xdc\x00\x02\x01"), 9), UINT32_MAX);
    assert_int_equal(array_count(READER("\xdd\x05\xf5\xe1\x00"), UINT32_MAX), UINT32_MAX);
    assert_int_equal(array_count(READER("\xdd\xff\xff\xff\xff\x00"), UINT32_MAX), UINT32_MAX);
    assert_int_equal(map_count(READER("\x82\x01\x02\x03"), 9), UINT32_MAX);
    assert_int_equal(map_count(READER("\xdf\x80\x00\x00\x00\x01"), UINT32_MAX), UINT32_MAX);
}

TEST(refuses_what_is_no_container)
{
    (void)state;
    assert_int_equal(array_count(READER("\x81\x01\x02"), 9), UINT32_MAX);
    assert_int_equal(map_count(READER("\x92\x01\x02"), 9), UINT32_MAX);
    assert_int_equal(array_count(READER(""), 9), UINT32_MAX);
    assert_int_equal(map_count(READER(""), 9), UINT32_MAX);
    assert_int_equal(array_count(READER("\xdc\x00"), 9), UINT32_MAX);
}

typedef struct tulle__view (*read_view_fn)(struct tulle__reader *r, size_t max_len);

static void
assert_reads_abc(read_view_fn read, struct tulle__reader r)
{
    struct tulle__view view = read(&r, 3);

    assert_true(tulle__reader_is_done(&r));
    assert_true(tulle__view_is(view, "abc"));
}

static void
assert_refuses_view(read_view_fn read, struct tulle__reader r, size_t max_len)
{
    struct tulle__view view = read(&r, max_len);

    assert_true(r.failed);
    assert_int_equal(view.len, 0);
}

TEST(reads_text_and_bytes_of_every_width)
{
    (void)state;
    assert_reads_abc(tulle__read_str, READER("\xa3"
                                             "abc"));
    assert_reads_abc(tulle__read_str, READER("\xd9\x03"
                                             "abc"));
    assert_reads_abc(tulle__read_str, READER("\xda\x00\x03"
                                             "abc"));
    assert_reads_abc(tulle__read_str, READER("\xdb\x00\x00\x00\x03"
                                             "abc"));
    assert_reads_abc(tulle__read_bin, READER("\xc4\x03"
                                             "abc"));
    assert_reads_abc(tulle__read_bin, READER("\xc5\x00\x03"
                                             "abc"));
    assert_reads_abc(tulle__read_bin, READER("\xc6\x00\x00\x00\x03"
                                             "abc"));
    assert_reads_abc(tulle__read_text, READER("\xa3"
                                              "abc"));
    assert_reads_abc(tulle__read_text, READER("\xc4\x03"
                                              "abc"));
}

TEST(refuses_text_and_bytes_that_are_cut_or_too_long)
{
    (void)state;
    assert_refuses_view(tulle__read_str, READER("\xa3xy"), 9);
    assert_refuses_view(tulle__read_str, READER("\xa3xyz"), 2);
    assert_refuses_view(tulle__read_str, READER("\xd9\x03xy"), 9);
    assert_refuses_view(tulle__read_str, READER("\xdb\xff\xff\xff\xffx"), SIZE_MAX);
    assert_refuses_view(tulle__read_str, READER("\xd9"), 9);
    assert_refuses_view(tulle__read_str, READER(""), 9);
    assert_refuses_view(tulle__read_bin, READER("\xc4\x03xy"), 9);
    assert_refuses_view(tulle__read_bin, READER("\xc4\x03xyz"), 2);
    assert_refuses_view(tulle__read_bin, READER("\xc6\xff\xff\xff\xffx"), SIZE_MAX);
    assert_refuses_view(tulle__read_bin, READER("\xc4"), 9);
}

TEST(keeps_text_and_bytes_apart)
{
    (void)state;
    assert_refuses_view(tulle__read_str, READER("\xc4\x01x"), 9);
    assert_refuses_view(tulle__read_bin, READER("\xa1x"), 9);
    assert_refuses_view(tulle__read_text, READER("\x01"), 9);
    assert_refuses_view(tulle__read_text, READER("\xc7\x01\x01x"), 9);
}

TEST(reads_nothing_after_a_failure)
{
    (void)state;
    struct tulle__reader r = READER("\xc0\x01\x91\x01\xa1x");

    assert_true(tulle__read_uint(&r) == 0);

    assert_true(tulle__read_uint(&r) == 0);
    assert_int_equal(tulle__read_array(&r, 9), 0);
    assert_int_equal(tulle__read_map(&r, 9), 0);
    assert_int_equal(tulle__read_str(&r, 9).len, 0);
    assert_int_equal(tulle__read_bin(&r, 9).len, 0);
    assert_int_equal(tulle__read_any(&r).len, 0);
    assert_false(tulle__reader_is_done(&r));
}

static void
assert_steps_over(struct tulle__reader r)
{
    size_t len = r.left;
    struct tulle__view view = tulle__read_any(&r);

    assert_true(tulle__reader_is_done(&r));
    assert_int_equal(view.len, len);
}

static void
assert_refuses_any(struct tulle__reader r)
{
    struct tulle__view view = tulle__read_any(&r);

    assert_true(r.failed);
    assert_int_equal(view.len, 0);
}

TEST(steps_over_every_scalar)
{
    (void)state;
    assert_steps_over(READER("\x05"));
    assert_steps_over(READER("\xe5"));
    assert_steps_over(READER("\xc0"));
    assert_steps_over(READER("\xc2"));
    assert_steps_over(READER("\xc3"));
    assert_steps_over(READER("\xca\x01\x02\x03\x04"));
    assert_steps_over(READER("\xcb\x01\x02\x03\x04\x05\x06\x07\x08"));
    assert_steps_over(READER("\xcc\x01"));
    assert_steps_over(READER("\xcd\x01\x02"));
    assert_steps_over(READER("\xce\x01\x02\x03\x04"));
    assert_steps_over(READER("\xcf\x01\x02\x03\x04\x05\x06\x07\x08"));
    assert_steps_over(READER("\xd0\x01"));
    assert_steps_over(READER("\xd1\x01\x02"));
    assert_steps_over(READER("\xd2\x01\x02\x03\x04"));
    assert_steps_over(READER("\xd3\x01\x02\x03\x04\x05\x06\x07\x08"));
}

TEST(steps_over_every_kind_of_bytes)
{
    (void)state;
    assert_steps_over(READER("\xa2xy"));
    assert_steps_over(READER("\xd9\x01x"));
    assert_steps_over(READER("\xda\x00\x01x"));
    assert_steps_over(READER("\xdb\x00\x00\x00\x01x"));
    assert_steps_over(READER("\xc4\x01x"));
    assert_steps_over(READER("\xc5\x00\x01x"));
    assert_steps_over(READER("\xc6\x00\x00\x00\x01x"));
    assert_steps_over(READER("\xc7\x01\x09x"));
    assert_steps_over(READER("\xc8\x00\x01\x09x"));
    assert_steps_over(READER("\xc9\x00\x00\x00\x01\x09x"));
    assert_steps_over(READER("\xd4\x09x"));
    assert_steps_over(READER("\xd5\x09xx"));
    assert_steps_over(READER("\xd6\x09xxxx"));
    assert_steps_over(READER("\xd7\x09xxxxxxxx"));
    assert_steps_over(READER("\xd8\x09xxxxxxxxxxxxxxxx"));
}

TEST(steps_over_containers)
{
    (void)state;
    assert_steps_over(READER("\x90"));
    assert_steps_over(READER("\x80"));
    assert_steps_over(READER("\x93\x01\x92\x02\x03\x81\x04\x05"));
    assert_steps_over(READER("\xdc\x00\x02\x01\x90"));
    assert_steps_over(READER("\xdd\x00\x00\x00\x01\x01"));
    assert_steps_over(READER("\xde\x00\x01\x01\x91\x02"));
    assert_steps_over(READER("\xdf\x00\x00\x00\x01\x01\x02"));
}

TEST(refuses_to_step_over_nonsense)
{
    (void)state;
    assert_refuses_any(READER(""));
    assert_refuses_any(READER("\xc1"));
    assert_refuses_any(READER("\x91\xc1"));
    assert_refuses_any(READER("\x92\x01"));
    assert_refuses_any(READER("\x81\x01"));
    assert_refuses_any(READER("\xa2x"));
    assert_refuses_any(READER("\xd4\x09"));
    assert_refuses_any(READER("\xcb\x01"));
    assert_refuses_any(READER("\xc7\x01\x09"));
    assert_refuses_any(READER("\xdf\xff\xff\xff\xff\x01"));
    assert_refuses_any(READER("\xc9\xff\xff\xff\xff\x01"));
}

TEST(steps_over_values_only_so_deep)
{
    (void)state;
    char deep[TULLE__DEPTH_MAX + 2];
    memset(deep, '\x91', sizeof deep);

    deep[TULLE__DEPTH_MAX] = '\x01';
    assert_steps_over(reader_of(deep, TULLE__DEPTH_MAX + 1));
    deep[TULLE__DEPTH_MAX] = '\x91';
    deep[TULLE__DEPTH_MAX + 1] = '\x01';
    assert_refuses_any(reader_of(deep, TULLE__DEPTH_MAX + 2));
}

TEST(steps_over_one_value_and_no_more)
{
    (void)state;
    struct tulle__reader r = READER("\x92\x01\x90\x07");

    assert_int_equal(tulle__read_any(&r).len, 3);
    assert_true(tulle__read_uint(&r) == 7);
    assert_true(tulle__reader_is_done(&r));
}

TEST(knows_utf_8)
{
    (void)state;
    assert_true(tulle__view_is_text(VIEW("")));
    assert_true(tulle__view_is_text(VIEW("plain\n")));
    assert_true(tulle__view_is_text(VIEW("caf\xc3\xa9")));
    assert_true(tulle__view_is_text(VIEW("\xe6\x9d\xb1\xf0\x9f\x8c\x8d")));
    assert_true(tulle__view_is_text(VIEW("\xf4\x8f\xbf\xbf")));
    assert_true(tulle__view_is_text(VIEW("\xed\x9f\xbf\xee\x80\x80")));
}

TEST(knows_what_is_not_utf_8)
{
    (void)state;
    assert_false(tulle__view_is_text(VIEW("\x80")));
    assert_false(tulle__view_is_text(VIEW("\xc3")));
    assert_false(tulle__view_is_text(VIEW("\xc3(")));
    assert_false(tulle__view_is_text(VIEW("\xc0\xaf")));
    assert_false(tulle__view_is_text(VIEW("\xc1\xbf")));
    assert_false(tulle__view_is_text(VIEW("\xe0\x80\xaf")));
    assert_false(tulle__view_is_text(VIEW("\xed\xa0\x80")));
    assert_false(tulle__view_is_text(VIEW("\xf0\x80\x80\xaf")));
    assert_false(tulle__view_is_text(VIEW("\xf4\x90\x80\x80")));
    assert_false(tulle__view_is_text(VIEW("\xf5\x80\x80\x80")));
    assert_false(tulle__view_is_text(VIEW("\xe6\x9d")));
    assert_false(tulle__view_is_text(VIEW("a\0b")));
}

TEST(knows_control_characters)
{
    (void)state;
    assert_true(tulle__view_is_printable(VIEW("a b~\xc3\xa9")));
    assert_false(tulle__view_is_printable(VIEW("a\nb")));
    assert_false(tulle__view_is_printable(VIEW("\x1b[2J")));
    assert_false(tulle__view_is_printable(VIEW("\x7f")));
    assert_false(tulle__view_is_printable(VIEW("\xff")));
}

TEST(compares_views)
{
    (void)state;
    assert_true(tulle__view_is(VIEW("abc"), "abc"));
    assert_false(tulle__view_is(VIEW("abc"), "ab"));
    assert_false(tulle__view_is(VIEW("abd"), "abc"));
    assert_true(tulle__view_is((struct tulle__view){ .data = NULL }, ""));
    assert_true(tulle__view_equal(VIEW("a\0b"), VIEW("a\0b")));
    assert_false(tulle__view_equal(VIEW("a\0b"), VIEW("a\0c")));
    assert_true(tulle__view_equal((struct tulle__view){ .data = NULL }, VIEW("")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_width_of_unsigned),
        cmocka_unit_test(reads_signed_when_not_negative),
        cmocka_unit_test(refuses_negative_numbers),
        cmocka_unit_test(refuses_what_is_no_number_or_is_cut),
        cmocka_unit_test(reads_booleans_and_nothing_else_as_such),
        cmocka_unit_test(reads_counts_of_every_width),
        cmocka_unit_test(refuses_counts_above_the_limit),
        cmocka_unit_test(refuses_counts_that_cannot_fit),
        cmocka_unit_test(refuses_what_is_no_container),
        cmocka_unit_test(reads_text_and_bytes_of_every_width),
        cmocka_unit_test(refuses_text_and_bytes_that_are_cut_or_too_long),
        cmocka_unit_test(keeps_text_and_bytes_apart),
        cmocka_unit_test(reads_nothing_after_a_failure),
        cmocka_unit_test(steps_over_every_scalar),
        cmocka_unit_test(steps_over_every_kind_of_bytes),
        cmocka_unit_test(steps_over_containers),
        cmocka_unit_test(refuses_to_step_over_nonsense),
        cmocka_unit_test(steps_over_values_only_so_deep),
        cmocka_unit_test(steps_over_one_value_and_no_more),
        cmocka_unit_test(knows_utf_8),
        cmocka_unit_test(knows_what_is_not_utf_8),
        cmocka_unit_test(knows_control_characters),
        cmocka_unit_test(compares_views),
    };
    return cmocka_run_group_tests_name("codec/reader", tests, NULL, NULL);
}
