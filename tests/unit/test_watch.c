/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include "node/watch.h"

#include <unistd.h>

enum { PIPES = 3 };

TEST(what_can_be_read_is_told_by_its_tag)
{
    struct tulle__watch watch;
    uint32_t tags[TULLE__WATCH_TAGS];
    int ends[PIPES][2];
    (void)state;
    assert_true(tulle__watch_open(&watch));
    for (uint32_t i = 0; i < PIPES; i++) {
        assert_int_equal(pipe(ends[i]), 0);
        assert_true(tulle__watch_add(&watch, ends[i][0], 10 + i));
    }
    assert_int_equal(tulle__watch_wait(&watch, 0, tags), 0);

    assert_int_equal(write(ends[1][1], "x", 1), 1);
    for (int i = 0; i < 2; i++) { /* until it was read */
        assert_int_equal(tulle__watch_wait(&watch, 1000, tags), 1);
        assert_int_equal(tags[0], 11);
    }
    assert_int_equal(write(ends[2][1], "x", 1), 1);
    assert_int_equal(tulle__watch_wait(&watch, 1000, tags), 2);
    assert_int_equal(tags[0] + tags[1], 11 + 12);

    for (uint32_t i = 0; i < PIPES; i++) {
        assert_int_equal(close(ends[i][0]), 0);
        assert_int_equal(close(ends[i][1]), 0);
    }
    tulle__watch_close(&watch);
    assert_int_equal(watch.fd, -1);
}

TEST(what_is_no_descriptor_cannot_be_watched)
{
    struct tulle__watch watch;
    (void)state;
    assert_true(tulle__watch_open(&watch));
    assert_false(tulle__watch_add(&watch, -1, 0));
    tulle__watch_close(&watch);
    tulle__watch_close(&watch);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_be_read_is_told_by_its_tag),
        cmocka_unit_test(what_is_no_descriptor_cannot_be_watched),
    };
    return cmocka_run_group_tests_name("node/watch", tests, NULL, NULL);
}
