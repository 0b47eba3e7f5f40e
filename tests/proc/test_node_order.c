/* SPDX-License-Identifier: MPL-2.0 */

/* One order over all patterns of a program: an effect is neither printed nor handled
 * before its cause, though they are taken by different patterns. */

#include "testkit.h"

#include "proc_steps.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ORDERS = 60, SLOW_ORDERS = 8 };

/* A node that answers each order by a payment that holds the order's number. */
static struct proc *
start_payer(int port, int join)
{
    struct proc *payer = proc_start("tulle-node", "--name", "payer", "--listen", proc_address(port),
                                    "--join", proc_address(join), "--exec", "orders/**",
                                    "echo $TULLE_SEQ", "--publish-to", "payments/done", NULL);
    proc_wait_port(port);
    return payer;
}

/* Orders first .. last, by a publisher that goes on until its input ends. */
static void
write_orders(struct proc *pub, int first, int last)
{
    char line[16];
    for (int i = first; i <= last; i++)
        proc_write(pub, line, (size_t)snprintf(line, sizeof line, "%d\n", i));
}

static struct proc *
start_orders(int join, const char *wait_peers)
{
    return proc_start("tulle", "pub", "--join", proc_address(join), wait_peers, "--json", "--lines",
                      "orders/new", NULL);
}

/* Each payment stands behind the order that it names, and all are there. */
static void
assert_causes_first(struct proc *watcher)
{
    json_int_t orders = 0;
    json_int_t payments = 0;
    const char *line = proc_text(watcher, PROC_OUT);
    while (*line != '\0') {
        size_t len = strcspn(line, "\n");
        json_error_t error;
        json_t *event = json_loadb(line, len, 0, &error);
        assert_non_null(event);
        const char *topic = json_string_value(json_object_get(event, "topic"));
        assert_non_null(topic);
        if (strcmp(topic, "orders/new") == 0) {
            assert_int_equal(json_integer_value(json_object_get(event, "seq")), ++orders);
        } else {
            assert_int_equal(json_integer_value(json_object_get(event, "payload")), ++payments);
            assert_true(payments <= orders);
        }
        json_decref(event);
        line += len + (line[len] == '\n' ? 1 : 0);
    }
    assert_int_equal(orders, ORDERS);
    assert_int_equal(payments, ORDERS);
}

/* The watchers sleep while everything is published: what each of their patterns takes
 * comes at once, and in the order of reading one after the other it would be wrong. */
TEST(effects_are_printed_after_their_causes)
{
    (void)state;
    int node_port = proc_free_port();
    int tap_port = proc_free_port();
    int payer_port = proc_free_port();
    struct proc *node =
        proc_start("tulle-node", "--name", "watcher", "--listen", proc_address(node_port), "--take",
                   "payments/**", "--take", "orders/**", "--print", NULL);
    proc_wait_port(node_port);
    struct proc *tap = proc_start("tulle", "tap", "--json", "--name", "tap", "--listen",
                                  proc_address(tap_port), "payments/**", "orders/**", NULL);
    proc_wait_port(tap_port);
    struct proc *counter = proc_start("tulle", "tap", "--name", "counter", "--join",
                                      proc_address(node_port), "payments/**", NULL);
    struct proc *payer =
        proc_start("tulle-node", "--name", "payer", "--listen", proc_address(payer_port), "--join",
                   proc_address(node_port), "--join", proc_address(tap_port), "--exec", "orders/**",
                   "echo $TULLE_SEQ", "--publish-to", "payments/done", NULL);
    proc_wait_port(payer_port);
    struct proc *pub = start_orders(payer_port, "--wait-peers=3");
    write_orders(pub, 1, 1);
    proc_wait_lines(node, PROC_OUT, 2);
    proc_wait_lines(tap, PROC_OUT, 2);
    proc_wait_lines(counter, PROC_OUT, 1);
    proc_signal(node, SIGSTOP);
    proc_signal(tap, SIGSTOP);
    write_orders(pub, 2, ORDERS);
    proc_wait_lines(counter, PROC_OUT, ORDERS);
    proc_signal(node, SIGCONT);
    proc_signal(tap, SIGCONT);
    proc_wait_lines(node, PROC_OUT, (size_t)2 * ORDERS);
    proc_wait_lines(tap, PROC_OUT, (size_t)2 * ORDERS);
    assert_causes_first(node);
    assert_causes_first(tap);
    proc_close_input(pub);
    assert_int_equal(proc_wait(pub), 0);
    proc_signal(payer, SIGTERM);
    assert_int_equal(proc_wait(payer), 0);
}

/* The command for payment k may only start when that for order k was, and that one waits
 * for the end of the command for order k - 1, which is slow. */
TEST(commands_start_in_the_order_of_all_patterns)
{
    (void)state;
    int port = proc_free_port();
    int payer_port = proc_free_port();
    char slow[400];
    char quick[400];
    (void)snprintf(slow, sizeof slow, "sleep 0.1; echo o $TULLE_SEQ >> %s/log", proc_directory());
    (void)snprintf(quick, sizeof quick, "echo p $TULLE_SEQ >> %s/log", proc_directory());
    struct proc *node =
        proc_start("tulle-node", "--name", "worker", "--listen", proc_address(port), "--print",
                   "--exec", "payments/**", quick, "--exec", "orders/**", slow, NULL);
    proc_wait_port(port);
    struct proc *payer = start_payer(payer_port, port);
    struct proc *pub = start_orders(payer_port, "--wait-peers=2");
    write_orders(pub, 1, SLOW_ORDERS);
    proc_close_input(pub);
    proc_wait_lines(node, PROC_OUT, (size_t)2 * SLOW_ORDERS);
    proc_signal(node, SIGTERM); /* waits for the commands */
    assert_int_equal(proc_wait(node), 0);
    proc_signal(payer, SIGTERM);
    assert_int_equal(proc_wait(payer), 0);

    char path[300];
    (void)snprintf(path, sizeof path, "%s/log", proc_directory());
    FILE *log = fopen(path, "r");
    assert_non_null(log);
    int orders = 0;
    int payments = 0;
    char line[80];
    while (fgets(line, sizeof line, log) != NULL) {
        if (line[0] == 'o')
            assert_int_equal(strtol(line + 1, NULL, 10), ++orders);
        else
            assert_int_equal(strtol(line + 1, NULL, 10), ++payments);
        assert_true(payments <= orders + 1);
    }
    (void)fclose(log);
    assert_int_equal(orders, SLOW_ORDERS);
    assert_int_equal(payments, SLOW_ORDERS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(effects_are_printed_after_their_causes, proc_end_all),
        cmocka_unit_test_teardown(commands_start_in_the_order_of_all_patterns, proc_end_all),
    };
    return cmocka_run_group_tests_name("order over patterns", tests, NULL, NULL);
}
