/* SPDX-License-Identifier: MPL-2.0 */

/* tulle-node as a daemon: handlers, what it keeps, ends and restarts. */

#include "testkit.h"

#include "proc_steps.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* wait: for whom; see --wait-peers. */
static int
publish(int port, const char *wait, const char *topic, const char *json)
{
    struct proc *pub =
        proc_start("tulle", "pub", "--join", proc_address(port), wait, "--json", topic, json, NULL);
    return proc_wait(pub);
}

/* Line number (from 0) of what a tap printed, as an object; freed by the caller. */
static json_t *
line_of(struct proc *tap, size_t number)
{
    const char *line = proc_text(tap, PROC_OUT);
    for (; number > 0; number--) {
        line = strchr(line, '\n');
        assert_non_null(line);
        line++;
    }
    json_error_t error;
    json_t *object = json_loadb(line, strcspn(line, "\n"), 0, &error);
    assert_non_null(object);
    return object;
}

/* Event, command, and the event that it caused, which another node handles in turn. */
TEST(commands_make_a_chain_of_causes)
{
    (void)state;
    int tap_port = proc_free_port();
    struct proc *tap = start_tap(tap_port, "**", "live");
    int port = proc_free_port();
    struct proc *stock = proc_start(
        "tulle-node", "--name", "stock", "--listen", proc_address(port), "--join",
        proc_address(tap_port), "--publish-to", "stock/reserved", "--exec", "orders/**",
        "read line; echo \"{\\\"for\\\": \\\"$TULLE_TOPIC\\\", \\\"seq\\\": $TULLE_SEQ}\"", NULL);
    proc_wait_port(port);
    struct proc *mail = proc_start("tulle-node", "--name", "mail", "--join", proc_address(port),
                                   "--listen", "tcp://127.0.0.1:*", "--exec", "stock/**",
                                   "echo '{\"topic\": \"mail/sent\", \"payload\": 1}'", NULL);
    proc_pause(500); /* lets mail connect; if it did not, it would be told by the count below */
    assert_int_equal(publish(tap_port, "--wait-peers=2", "orders/17", "{\"n\": 17}"), 0);
    proc_wait_lines(tap, PROC_OUT, 3);
    json_t *order = line_of(tap, 0);
    json_t *reserved = line_of(tap, 1);
    json_t *sent = line_of(tap, 2);
    assert_string_equal(json_string_value(json_object_get(order, "topic")), "orders/17");
    assert_string_equal(json_string_value(json_object_get(reserved, "topic")), "stock/reserved");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(reserved, "payload"), "for")),
        "orders/17");
    assert_string_equal(json_string_value(json_object_get(sent, "topic")), "mail/sent");
    char cause[80];
    (void)snprintf(cause, sizeof cause, "%s/orders/1",
                   json_string_value(json_object_get(order, "id")));
    assert_string_equal(json_string_value(json_array_get(json_object_get(reserved, "causes"), 0)),
                        cause);
    (void)snprintf(cause, sizeof cause, "%s/stock/1",
                   json_string_value(json_object_get(reserved, "id")));
    assert_string_equal(json_string_value(json_array_get(json_object_get(sent, "causes"), 0)),
                        cause);
    json_decref(order);
    json_decref(reserved);
    json_decref(sent);
    proc_signal(stock, SIGTERM);
    proc_signal(mail, SIGTERM);
    assert_int_equal(proc_wait(stock), 0);
    assert_int_equal(proc_wait(mail), 0);
}

/* A node that is stopped leaves, its peers see that at once; a killed one comes back. */
TEST(ends_and_restarts_are_seen)
{
    (void)state;
    int tap_port = proc_free_port();
    struct proc *tap = proc_start("tulle", "tap", "--json", "--peers", "--listen",
                                  proc_address(tap_port), "x", NULL);
    proc_wait_port(tap_port);
    int port = proc_free_port();
    struct proc *node = proc_start("tulle-node", "--name", "n", "--listen", proc_address(port),
                                   "--join", proc_address(tap_port), NULL);
    proc_wait_text(tap, PROC_OUT, "\"up\"");
    proc_kill(node);
    node = proc_start("tulle-node", "--name", "n", "--listen", proc_address(port), "--join",
                      proc_address(tap_port), NULL);
    proc_wait_text(tap, PROC_OUT, "\"restarted\"");
    proc_pause(300); /* so that its farewell is heard: connections come up by themselves */
    proc_signal(node, SIGTERM);
    assert_int_equal(proc_wait(node), 0);
    proc_wait_text(tap, PROC_OUT, "\"left\"");
}

/* What a keeper took is there after its publisher has gone. */
TEST(a_keeper_keeps)
{
    (void)state;
    int port = proc_free_port();
    struct proc *keeper = proc_start("tulle-node", "--name", "keeper", "--listen",
                                     proc_address(port), "--take", "x/**", "--print", NULL);
    proc_wait_port(port);
    for (int i = 0; i < 3; i++)
        assert_int_equal(publish(port, "--wait-peers", "x/y", "{\"n\": 1}"), 0);
    proc_wait_lines(keeper, PROC_OUT, 3);
    struct proc *tap = proc_start("tulle", "tap", "--json", "--join", proc_address(port), "--from",
                                  "earliest", "-C", "3", "x/**", NULL);
    assert_int_equal(proc_wait(tap), 0);
    assert_int_equal(proc_count_lines(tap, PROC_OUT), 3);
    proc_signal(keeper, SIGINT);
    assert_int_equal(proc_wait(keeper), 0);
}

/* A stop waits for a command that runs, and a second signal does not. */
TEST(a_stop_waits_for_commands)
{
    (void)state;
    char mark[128];
    char command[300];
    int port = proc_free_port();
    (void)snprintf(mark, sizeof mark, "%s/mark", proc_directory());
    (void)snprintf(command, sizeof command, "echo run >&2; sleep 0.5; touch %s", mark);
    struct proc *node =
        proc_start("tulle-node", "--listen", proc_address(port), "--exec", "x", command, NULL);
    proc_wait_port(port);
    assert_int_equal(publish(port, "--wait-peers", "x", "1"), 0);
    proc_wait_text(node, PROC_ERR, "run");
    proc_signal(node, SIGTERM);
    assert_int_equal(proc_wait(node), 0);
    FILE *file = fopen(mark, "r");
    assert_non_null(file);
    (void)fclose(file);
}

/* A file that commands wait for to be gone, as it is with the test. */
static void
make_hold(char path[static 128])
{
    (void)snprintf(path, 128, "%s/hold", proc_directory());
    write_file(path, "");
}

TEST(so_many_commands_run_at_a_time_as_it_is_told)
{
    (void)state;
    char hold[128];
    char command[300];
    int port = proc_free_port();
    make_hold(hold);
    (void)snprintf(command, sizeof command,
                   "echo run $TULLE_SEQ >&2; while [ -e %s ]; do sleep 0.05; done", hold);
    struct proc *one = proc_start("tulle-node", "--name", "one", "--listen", proc_address(port),
                                  "--exec", "x", command, NULL);
    proc_wait_port(port);
    struct proc *two =
        proc_start("tulle-node", "--name", "two", "--listen", "tcp://127.0.0.1:*", "--join",
                   proc_address(port), "--exec", "x", command, "--exec-jobs", "2", NULL);
    assert_ends(proc_start("tulle", "pub", "--join", proc_address(port), "--wait-peers=2", "-n",
                           "3", "x", "1", NULL),
                0);
    proc_wait_text(one, PROC_ERR, "run 1");
    proc_wait_text(two, PROC_ERR, "run 2");
    proc_pause(200);
    assert_null(strstr(proc_text(one, PROC_ERR), "run 2"));
    assert_null(strstr(proc_text(two, PROC_ERR), "run 3"));
    assert_int_equal(unlink(hold), 0);
    proc_wait_text(one, PROC_ERR, "run 3");
    proc_wait_text(two, PROC_ERR, "run 3");
}

TEST(a_command_that_takes_too_long_is_killed)
{
    (void)state;
    int port = proc_free_port();
    struct proc *node =
        proc_start("tulle-node", "--listen", proc_address(port), "--exec", "x",
                   "echo pid $$. >&2; exec sleep 60", "--exec-timeout", "0.2", NULL);
    proc_wait_port(port);
    assert_int_equal(publish(port, "--wait-peers", "x", "1"), 0);
    pid_t pid = (pid_t)strtol(proc_wait_word(node, PROC_ERR, "pid "), NULL, 10);
    proc_wait_text(node, PROC_ERR, "command took too long and was killed; pattern=x event=");
    assert_true(pid > 1);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
    assert_false(proc_has_ended(node));
}

/* Commands are told to end much sooner than the five seconds that they have else. */
TEST(a_stop_waits_no_longer_than_it_is_told)
{
    (void)state;
    char hold[128];
    char command[300];
    int port = proc_free_port();
    make_hold(hold);
    (void)snprintf(command, sizeof command,
                   "trap 'echo told >&2; exit' TERM; echo run >&2; "
                   "while [ -e %s ]; do sleep 0.05; done; echo whole >&2",
                   hold);
    struct proc *node = proc_start("tulle-node", "--listen", proc_address(port), "--exec", "x",
                                   command, "--stop-timeout", "0.1", NULL);
    proc_wait_port(port);
    assert_int_equal(publish(port, "--wait-peers", "x", "1"), 0);
    proc_wait_text(node, PROC_ERR, "run");
    time_t start = time(NULL);
    proc_signal(node, SIGTERM);
    assert_ends(node, 0);
    assert_true(time(NULL) - start < 5);
    assert_says(node, PROC_ERR, "told");
    assert_null(strstr(proc_text(node, PROC_ERR), "whole"));
}

TEST(nobody_reads_what_it_prints)
{
    (void)state;
    int port = proc_free_port();
    struct proc *node =
        proc_start("tulle-node", "--listen", proc_address(port), "--take", "x", "--print", NULL);
    proc_wait_port(port);
    proc_close_output(node);
    (void)publish(port, "--wait-peers", "x", "1");
    assert_int_equal(proc_wait(node), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(commands_make_a_chain_of_causes, proc_end_all),
        cmocka_unit_test_teardown(ends_and_restarts_are_seen, proc_end_all),
        cmocka_unit_test_teardown(a_keeper_keeps, proc_end_all),
        cmocka_unit_test_teardown(a_stop_waits_for_commands, proc_end_all),
        cmocka_unit_test_teardown(so_many_commands_run_at_a_time_as_it_is_told, proc_end_all),
        cmocka_unit_test_teardown(a_command_that_takes_too_long_is_killed, proc_end_all),
        cmocka_unit_test_teardown(a_stop_waits_no_longer_than_it_is_told, proc_end_all),
        cmocka_unit_test_teardown(nobody_reads_what_it_prints, proc_end_all),
    };
    return cmocka_run_group_tests_name("daemons", tests, NULL, NULL);
}
