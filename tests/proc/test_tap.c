/* SPDX-License-Identifier: MPL-2.0 */

/* How tulle tap and tulle pub end, and what they say then. */

#include "testkit.h"

#include "proc_steps.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static int
publish(int port, const char *topic, const char *payload)
{
    struct proc *pub = proc_start("tulle", "pub", "--join", proc_address(port), "--wait-peers",
                                  topic, payload, NULL);
    return proc_wait(pub);
}

TEST(a_tap_ends_after_so_many_events)
{
    (void)state;
    int port = proc_free_port();
    struct proc *tap =
        proc_start("tulle", "tap", "--listen", proc_address(port), "-C", "2", "x/**", NULL);
    proc_wait_port(port);
    assert_int_equal(publish(port, "x/1", "one"), 0);
    assert_int_equal(publish(port, "x/2", "two"), 0);
    assert_int_equal(proc_wait(tap), 0);
    assert_int_equal(proc_count_lines(tap, PROC_OUT), 2);
    assert_non_null(strstr(proc_text(tap, PROC_OUT), "one"));
    assert_non_null(strstr(proc_text(tap, PROC_OUT), "x/2"));
}

TEST(a_tap_ends_after_so_long)
{
    (void)state;
    struct proc *tap =
        proc_start("tulle", "tap", "--listen", proc_address(proc_free_port()), "-W", "0.3", NULL);
    assert_int_equal(proc_wait(tap), 27);
    assert_string_equal(proc_text(tap, PROC_OUT), "");
}

TEST(a_tap_that_is_interrupted_sums_up)
{
    (void)state;
    int port = proc_free_port();
    struct proc *tap = start_tap(port, "x", "live");
    assert_int_equal(publish(port, "x", "one"), 0);
    proc_wait_lines(tap, PROC_OUT, 1);
    proc_signal(tap, SIGINT);
    assert_int_equal(proc_wait(tap), 0);
    assert_non_null(strstr(proc_text(tap, PROC_ERR), "1 event"));
    assert_non_null(strstr(proc_text(tap, PROC_ERR), "gap"));
}

TEST(a_format_is_followed)
{
    (void)state;
    int port = proc_free_port();
    struct proc *tap = proc_start("tulle", "tap", "--listen", proc_address(port), "-C", "1", "-F",
                                  "%t|%p|%s|%S", NULL);
    proc_wait_port(port);
    assert_int_equal(publish(port, "x/y", "text"), 0);
    assert_int_equal(proc_wait(tap), 0);
    assert_string_equal(proc_text(tap, PROC_OUT), "x/y|text|1|x\n");
}

/* As "tap | head" does. */
TEST(a_tap_ends_when_nobody_reads)
{
    (void)state;
    int port = proc_free_port();
    struct proc *tap = start_tap(port, "x", "live");
    proc_close_output(tap);
    (void)publish(port, "x", "one"); /* it may be gone before that */
    assert_int_equal(proc_wait(tap), 0);
}

static struct proc *
publish_lines(int port, const char *option, const char *lines)
{
    struct proc *pub = proc_start("tulle", "pub", "--json", "--wait-peers", "--join",
                                  proc_address(port), option, NULL);
    proc_write(pub, lines, strlen(lines));
    proc_close_input(pub);
    return pub;
}

/* What stands before a bad line is published, and the line is named. */
TEST(a_bad_line_ends_a_publisher)
{
    (void)state;
    static const char lines[] = "{\"topic\": \"load/0\", \"payload\": {\"n\": 0}}\n"
                                "{\"topic\": \"load/1\", \"payload\": {\"n\": 1}}\n"
                                "{\"topic\": \n"
                                "{\"topic\": \"load/2\", \"payload\": {\"n\": 2}}\n";
    int port = proc_free_port();
    struct proc *tap = start_tap(port, "load/**", "live");
    struct proc *pub = publish_lines(port, "--verbose", lines);
    assert_int_equal(proc_wait(pub), 1);
    assert_non_null(strstr(proc_text(pub, PROC_ERR), "line 3"));
    proc_wait_lines(tap, PROC_OUT, 2);

    pub = publish_lines(port, "--skip-bad", lines);
    assert_int_equal(proc_wait(pub), 0);
    proc_wait_lines(tap, PROC_OUT, 5);
    proc_signal(tap, SIGTERM);
    assert_int_equal(proc_wait(tap), 0);
    assert_int_equal(proc_count_lines(tap, PROC_OUT), 5);
}

TEST(an_event_that_nobody_takes_is_no_failure)
{
    (void)state;
    int port = proc_free_port();
    (void)start_node("n", port);
    struct proc *pub =
        proc_start("tulle", "pub", "--join", proc_address(port), "x", "nobody wants it", NULL);
    assert_int_equal(proc_wait(pub), 0);
    assert_true(proc_text(pub, PROC_ERR)[0] != '\0');
    /* Unless somebody was asked for. */
    pub = proc_start("tulle", "pub", "--join", proc_address(port), "--wait-peers", "--wait-timeout",
                     "0.3", "x", "y", NULL);
    assert_int_equal(proc_wait(pub), 4);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_tap_ends_after_so_many_events, proc_end_all),
        cmocka_unit_test_teardown(a_tap_ends_after_so_long, proc_end_all),
        cmocka_unit_test_teardown(a_tap_that_is_interrupted_sums_up, proc_end_all),
        cmocka_unit_test_teardown(a_format_is_followed, proc_end_all),
        cmocka_unit_test_teardown(a_tap_ends_when_nobody_reads, proc_end_all),
        cmocka_unit_test_teardown(a_bad_line_ends_a_publisher, proc_end_all),
        cmocka_unit_test_teardown(an_event_that_nobody_takes_is_no_failure, proc_end_all),
    };
    return cmocka_run_group_tests_name("tap and pub", tests, NULL, NULL);
}
