/* SPDX-License-Identifier: MPL-2.0 */

/* What "tulle pub" waits for, and what it says when there is nobody. */

#include "testkit.h"

#include "proc_steps.h"

#include <signal.h>
#include <string.h>

TEST(a_proxy_with_nobody_beyond_is_told)
{
    (void)state;
    int left = proc_free_port();
    int right = proc_free_port();
    struct proc *proxy = start_proxy("alone", left, right, NULL, NULL);
    struct proc *pub = proc_start("tulle", "pub", "--join", proc_address(left), "a/b", "x", NULL);
    assert_int_equal(proc_wait(pub), 0);
    assert_non_null(strstr(proc_text(pub, PROC_ERR), "no connected node takes 'a/b'"));
    assert_non_null(strstr(proc_text(pub, PROC_ERR), "nobody beyond"));
    pub = proc_start("tulle", "pub", "--join", proc_address(left), "--wait-peers", "--wait-timeout",
                     "3", "a/b", "x", NULL);
    assert_int_equal(proc_wait(pub), 4);
    assert_non_null(strstr(proc_text(pub, PROC_ERR), "no node that takes 'a/b'"));
    struct proc *tap = proc_start("tulle", "tap", "--join", proc_address(left), NULL);
    proc_wait_text(tap, PROC_ERR, "no node beyond");
    proc_kill(tap);
    proc_kill(proxy);
}

TEST(a_node_beyond_a_proxy_is_waited_for)
{
    (void)state;
    int left = proc_free_port();
    int right = proc_free_port();
    struct proc *proxy = start_proxy("between", left, right, NULL, NULL);
    struct proc *tap =
        proc_start("tulle", "tap", "--join", proc_address(right), "-C", "1", "a/**", NULL);
    /* It takes something else: pub waits for one taker only. */
    struct proc *node =
        proc_start("tulle-node", "--join", proc_address(right), "--take", "b/**", NULL);
    proc_wait_text(node, PROC_ERR, "state=up");
    proc_pause(1000); /* the proxy hears of what the tap takes */
    struct proc *pub = proc_start("tulle", "pub", "--join", proc_address(left), "a/b", "x", NULL);
    assert_int_equal(proc_wait(pub), 0);
    assert_string_equal(proc_text(pub, PROC_ERR), "");
    assert_int_equal(proc_wait(tap), 0);
    proc_kill(node);
    proc_kill(proxy);
}

/* The taker sleeps, so nothing is acknowledged; the limit for that is 30 seconds. */
TEST(a_second_signal_ends_the_wait_for_acknowledgements)
{
    (void)state;
    static const int numbers[][2] = { { SIGTERM, SIGTERM }, { SIGINT, SIGTERM } };
    for (size_t i = 0; i < 2; i++) {
        int port = proc_free_port();
        struct proc *tap = start_tap(port, "a/**", "live");
        struct proc *pub = proc_start("tulle", "pub", "--join", proc_address(port), "--wait-peers",
                                      "--lines", "a/b", NULL);
        proc_write(pub, "first\n", 6);
        proc_wait_lines(tap, PROC_OUT, 1);
        proc_signal(tap, SIGSTOP);
        proc_write(pub, "second\n", 7);
        proc_pause(300);
        proc_signal(pub, numbers[i][0]);
        proc_pause(1000);
        assert_false(proc_has_ended(pub)); /* the first one ended the input only */
        proc_signal(pub, numbers[i][1]);
        for (int waited = 0; waited < 1500 && !proc_has_ended(pub); waited += 50)
            proc_pause(50);
        assert_true(proc_has_ended(pub));
        assert_int_equal(proc_wait(pub), 1);
        assert_non_null(strstr(proc_text(pub, PROC_ERR), "interrupted while waiting"));
        proc_kill(tap);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_proxy_with_nobody_beyond_is_told, proc_end_all),
        cmocka_unit_test_teardown(a_node_beyond_a_proxy_is_waited_for, proc_end_all),
        cmocka_unit_test_teardown(a_second_signal_ends_the_wait_for_acknowledgements, proc_end_all),
    };
    return cmocka_run_group_tests_name("waits of pub", tests, NULL, NULL);
}
