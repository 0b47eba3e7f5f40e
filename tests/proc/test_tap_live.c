/* SPDX-License-Identifier: MPL-2.0 */

/* What tulle tap shows of a mesh at work: both orders, nodes, duplicates; and what it does
 * when its own output is slow. */

#include "testkit.h"

#include "proc_steps.h"

#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { IS_SANITIZED = 1 };
#else
enum { IS_SANITIZED = 0 };
#endif

/* A tap that joins the one at the port. */
#define TAP(port, ...) \
    proc_start("tulle", "tap", "--join", proc_address(port), "-q", __VA_ARGS__, NULL)

static void
end(struct proc *tap)
{
    proc_signal(tap, SIGINT);
    assert_int_equal(proc_wait(tap), 0);
}

static void
assert_shows(struct proc *tap, size_t lines, const char *text)
{
    proc_wait_lines(tap, PROC_OUT, lines);
    end(tap);
    if (strcmp(proc_text(tap, PROC_OUT), text) != 0)
        fail_msg("not\n%s\nbut\n%s", text, proc_text(tap, PROC_OUT));
}

static void
assert_has(struct proc *tap, const char *text)
{
    if (strstr(proc_text(tap, PROC_OUT), text) == NULL)
        fail_msg("no '%s' in\n%s", text, proc_text(tap, PROC_OUT));
}

/* How many lines a tap shows when the first order is there, and when the payment is. */
struct shown {
    struct proc *tap;
    size_t with_order, with_payment;
};

/* A payment depends on the second order and is there before it, for all taps up to NULL. Then
 * the order comes. */
static void
pay_too_early(int port, int watchers, const struct shown *shown)
{
    char takers[2][24]; /* of payments, and of orders: the ids too */
    for (int i = 0; i < 2; i++)
        (void)snprintf(takers[i], sizeof takers[i], "--wait-peers=%d", watchers + i);
    struct proc *ids = TAP(port, "-F", "%i", "-C", "1", "orders/**");
    struct proc *shop = proc_start("tulle", "pub", "--lines", "--name", "shop", "--join",
                                   proc_address(port), takers[1], "orders/new", NULL);
    proc_write(shop, "one\n", 4);
    assert_int_equal(proc_wait(ids), 0);
    for (const struct shown *s = shown; s->tap != NULL; s++)
        proc_wait_lines(s->tap, PROC_OUT, s->with_order);
    char cause[64];
    (void)snprintf(cause, sizeof cause, "%.16s/orders/2", proc_text(ids, PROC_OUT));
    /* It leaves before the payment is acknowledged: that takes until the order comes. */
    (void)proc_start("tulle", "pub", "--name", "payer", "--no-wait", "--join", proc_address(port),
                     takers[0], "--only-causes", "--cause", cause, "payments/done", "paid", NULL);
    for (const struct shown *s = shown; s->tap != NULL; s++)
        proc_wait_lines(s->tap, PROC_OUT, s->with_payment);
    proc_write(shop, "two\n", 4);
    proc_close_input(shop);
    assert_int_equal(proc_wait(shop), 0);
}

TEST(orders_are_shown_side_by_side)
{
    (void)state;
    int port = proc_free_port();
    struct proc *view = proc_start("tulle", "tap", "--listen", proc_address(port), "-q",
                                   "--reorder-view", "-C", "3", NULL);
    proc_wait_port(port);
    struct proc *human = TAP(port, "-v", "-C", "3");
    struct proc *json = TAP(port, "--json", "-C", "3");
    pay_too_early(port, 3, (const struct shown[]){ { view, 0, 4 }, { NULL, 0, 0 } });

    assert_int_equal(proc_wait(view), 0);
    assert_int_equal(proc_count_lines(view, PROC_OUT), 7);
    assert_has(view, "time         arrived                          | delivered\n");
    assert_has(view, " shop orders/new 1                | shop orders/new 1\n");
    assert_has(view, " payer payments/done 1            |\n");
    assert_has(view, "                                  | payer payments/done 1\n");
    assert_has(view, "                                              |  held ");
    assert_has(view, " for shop/orders:2\n");
    /* The others say it too. */
    assert_int_equal(proc_wait(human), 0);
    assert_has(human, "payments/done paid [held ");
    assert_has(human, "/orders:2] [");
    assert_int_equal(proc_wait(json), 0);
    assert_has(json, "\"waited_for\":\"");
    assert_has(json, "/orders:2\"");
}

TEST(each_order_is_its_own)
{
    (void)state;
    int port = proc_free_port();
    struct proc *arrival =
        proc_start("tulle", "tap", "--listen", proc_address(port), "-q", "-a", "-F", "%k %t", NULL);
    proc_wait_port(port);
    struct proc *causal = TAP(port, "--causal", "-F", "%k %t");
    struct proc *both = TAP(port, "--both", "-F", "%k %t", "-T", "orders/**");
    struct proc *fifo = TAP(port, "-o", "fifo", "-F", "%t");
    struct proc *none = TAP(port, "--order", "none", "-F", "%t");
    const struct shown shown[] = { { arrival, 1, 2 }, { causal, 1, 1 }, { both, 0, 1 },
                                   { fifo, 1, 2 },    { none, 1, 2 },   { NULL, 0, 0 } };
    pay_too_early(port, 5, shown);
    assert_shows(arrival, 3, "arrival orders/new\narrival payments/done\narrival orders/new\n");
    assert_shows(causal, 3, "event orders/new\nevent orders/new\nevent payments/done\n");
    assert_shows(both, 2, "arrival payments/done\nevent payments/done\n");
    assert_shows(fifo, 3, "orders/new\npayments/done\norders/new\n");
    assert_shows(none, 3, "orders/new\npayments/done\norders/new\n");
}

TEST(nodes_come_and_go)
{
    (void)state;
    int port = proc_free_port();
    struct proc *tap = proc_start("tulle", "tap", "--listen", proc_address(port), "--peers", NULL);
    proc_wait_port(port);
    struct proc *node =
        proc_start("tulle-node", "--name", "visitor", "--join", proc_address(port), NULL);
    proc_wait_text(tap, PROC_OUT, "node up");
    proc_pause(500); /* its goodbye is an event: it has to be connected for that */
    proc_signal(node, SIGTERM);
    assert_int_equal(proc_wait(node), 0);
    proc_wait_text(tap, PROC_OUT, "node left");
    assert_has(tap, "visitor");
    end(tap);
}

/* Between the publisher and the tap everything comes twice. */
TEST(duplicates_are_shown)
{
    (void)state;
    int port = proc_free_port();
    int bound = proc_free_port();
    int relayed = proc_free_port();
    char link[128];
    (void)snprintf(link, sizeof link, "%s=%s", proc_address(relayed), proc_address(bound + 1));
    struct proc *tap =
        proc_start("tulle", "tap", "--listen", proc_address(port), "--duplicates", "x", NULL);
    proc_wait_port(port);
    struct proc *relay =
        proc_start("tulle-test-relay", "--events", link, "--duplicate", "x=100", NULL);
    proc_wait_text(relay, PROC_OUT, "ready");
    struct proc *pub = proc_start("tulle", "pub", "--listen", proc_address(bound),
                                  "--advertise-events", proc_address(relayed), "--join",
                                  proc_address(port), "--wait-peers", "x", "again", NULL);
    assert_int_equal(proc_wait(pub), 0);
    proc_wait_lines(tap, PROC_OUT, 2);
    assert_has(tap, "x again [duplicate of 1]");
    end(tap);
}

/* What "script" runs, with a terminal for its output. */
static const char *
on_terminal(int port, const char *before, const char *options)
{
    char command[512];
    (void)snprintf(command, sizeof command,
                   "TERM=xterm %s '%s/tulle' tap -q --listen %s -C 1 %s x/*", before,
                   getenv("TULLE_BIN_DIR"), proc_address(port), options);
    struct proc *tap = proc_start("/usr/bin/script", "-qec", command, "/dev/null", NULL);
    proc_wait_port(port);
    struct proc *pub = proc_start("tulle", "pub", "--no-wait", "--join", proc_address(port),
                                  "--wait-peers", "x/y", "text\033[2J", NULL);
    assert_int_equal(proc_wait(tap), 0);
    assert_int_equal(proc_wait(pub), 0);
    return proc_text(tap, PROC_OUT);
}

TEST(colours_are_for_terminals)
{
    (void)state;
    static const char coloured[] = "\033[1mx/y\033[0m text\\x1b[2J";
    assert_non_null(strstr(on_terminal(proc_free_port(), "", ""), coloured));
    assert_null(strstr(on_terminal(proc_free_port(), "NO_COLOR=1", ""), "\033["));
    assert_null(strstr(on_terminal(proc_free_port(), "", "--color=never"), "\033["));
    /* And in a pipe only when they are asked for. */
    static const char *const options[] = { "--color=auto", "--color" };
    for (size_t i = 0; i < 2; i++) {
        int port = proc_free_port();
        struct proc *tap =
            proc_start("tulle", "tap", "--listen", proc_address(port), "-C", "1", options[i], NULL);
        proc_wait_port(port);
        struct proc *pub = proc_start("tulle", "pub", "--no-wait", "--join", proc_address(port),
                                      "--wait-peers", "x/y", "text", NULL);
        assert_int_equal(proc_wait(tap), 0);
        assert_int_equal(proc_wait(pub), 0);
        assert_int_equal(strstr(proc_text(tap, PROC_OUT), "\033[") != NULL, i == 1);
    }
}

/* ---- slow output ---- */

enum { FLOOD = 200000 };

struct stalled {
    struct proc *shell;
    pid_t tap;
    char gate[256]; /* a file: once it is there, the pipe is read */
    int port;
};

/* "tap | wait for the gate; cat", with little room. */
static void
start_stalled(struct stalled *stalled, const char *options)
{
    char command[1024];
    pid_t children[2];
    stalled->port = proc_free_port();
    (void)snprintf(stalled->gate, sizeof stalled->gate, "%s/gate", proc_directory());
    (void)snprintf(command, sizeof command,
                   "'%s/tulle' tap --listen %s --queue-bytes 256K --held-bytes 256K %s 'x' | "
                   "{ i=0; while [ ! -e '%s' ] && [ $i -lt 300 ]; do sleep 0.1; i=$((i + 1)); "
                   "done; cat; }",
                   getenv("TULLE_BIN_DIR"), proc_address(stalled->port), options, stalled->gate);
    stalled->shell = proc_start("/bin/sh", "-c", command, NULL);
    proc_wait_port(stalled->port);
    assert_int_equal(proc_children(stalled->shell, children, 2), 2);
    stalled->tap = children[0];
}

static struct proc *
start_flood(int port)
{
    char payload[201];
    char count[16];
    memset(payload, 'x', sizeof payload - 1);
    payload[sizeof payload - 1] = '\0';
    (void)snprintf(count, sizeof count, "%d", FLOOD);
    return proc_start("tulle", "pub", "--raw", "-n", count, "--retain-bytes", "256K",
                      "--window-bytes", "0", "--wait-peers", "-v", "--ack-timeout", "60", "--join",
                      proc_address(port), "x", payload, NULL);
}

/* The most that the process ever had in memory, in MiB. */
static long
peak_mib(pid_t pid)
{
    char path[64];
    char line[256];
    long kib = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (kib == 0 && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    }
    assert_int_equal(fclose(file), 0);
    assert_true(kib > 0);
    return kib / 1024;
}

static uint64_t
number_behind(const char *text, const char *key)
{
    const char *found = strstr(text, key);
    assert_non_null(found);
    return strtoull(found + strlen(key), NULL, 10);
}

TEST(a_stalled_tap_keeps_its_size_and_tells_what_it_missed)
{
    (void)state;
    struct stalled stalled;
    start_stalled(&stalled, "--json");
    struct proc *pub = start_flood(stalled.port);
    proc_pause(3000);
    long peak = peak_mib(stalled.tap);
    if (peak > (IS_SANITIZED ? 600 : 40))
        fail_msg("%ld MiB", peak);
    write_file(stalled.gate, "");
    assert_int_equal(proc_wait(pub), 0); /* everything is acknowledged: shown, or told to be lost */
    proc_pause(500);
    assert_int_equal(kill(stalled.tap, SIGINT), 0);
    assert_int_equal(proc_wait(stalled.shell), 0);

    uint64_t shown = 0;
    uint64_t missed = 0;
    const char *line = proc_text(stalled.shell, PROC_OUT);
    for (; *line != '\0'; line = strchr(line, '\n') + 1) {
        bool is_gap = strncmp(line, "{\"kind\":\"gap\"", 13) == 0;
        shown += is_gap ? 0 : 1;
        if (is_gap)
            missed += number_behind(line, "\"last\":") - number_behind(line, "\"first\":") + 1;
    }
    assert_int_equal(shown + missed, FLOOD);
    assert_true(missed > 0);
    char expected[64];
    (void)snprintf(expected, sizeof expected, "(%" PRIu64 " missed)", missed);
    assert_non_null(strstr(proc_text(stalled.shell, PROC_ERR), expected));
}

TEST(arrivals_that_found_no_room_are_told_in_line)
{
    (void)state;
    struct stalled stalled;
    start_stalled(&stalled, "--both");
    struct proc *pub = start_flood(stalled.port);
    proc_pause(1500);
    write_file(stalled.gate, "");
    assert_int_equal(proc_wait(pub), 0);
    proc_wait_text(stalled.shell, PROC_OUT, "MISSED: ");
    assert_int_equal(kill(stalled.tap, SIGINT), 0);
    assert_int_equal(proc_wait(stalled.shell), 0);
    assert_null(strstr(proc_text(stalled.shell, PROC_ERR), " 0 notices dropped"));
}

TEST(a_stalled_tap_hears_signals)
{
    (void)state;
    struct stalled stalled;
    start_stalled(&stalled, "--json");
    struct proc *pub = start_flood(stalled.port);
    proc_pause(1000);
    assert_int_equal(kill(stalled.tap, SIGTERM), 0);
    pid_t children[2];
    for (int i = 0; i < 100 && proc_children(stalled.shell, children, 2) > 1; i++)
        proc_pause(50);
    assert_int_equal(proc_children(stalled.shell, children, 2), 1);
    assert_int_not_equal(children[0], stalled.tap);
    write_file(stalled.gate, "");
    assert_int_equal(proc_wait(stalled.shell), 0);
    proc_kill(pub);
}

/* A publisher that waits for those who lag: nothing is missed at any speed. */
TEST(a_tap_keeps_up)
{
    (void)state;
    int port = proc_free_port();
    struct timespec start;
    struct timespec now;
    char count[16];
    char payload[65];
    memset(payload, 'x', 64);
    payload[64] = '\0';
    (void)snprintf(count, sizeof count, "%d", FLOOD);
    struct proc *tap =
        proc_start("/bin/sh", "-c", "exec \"$0\" \"$@\" > /dev/null", getenv("TULLE_TAP"), "tap",
                   "--json", "--listen", proc_address(port), "-C", count, "x", NULL);
    proc_wait_port(port);
    (void)clock_gettime(CLOCK_MONOTONIC, &start);
    struct proc *pub =
        proc_start("tulle", "pub", "--raw", "-n", count, "--wait-peers", "--window-bytes", "8M",
                   "--join", proc_address(port), "x", payload, NULL);
    assert_int_equal(proc_wait(tap), 0);
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    double seconds =
        (double)(now.tv_sec - start.tv_sec) + (double)(now.tv_nsec - start.tv_nsec) / 1e9;
    print_message("%.0f events/s\n", FLOOD / seconds);
    assert_non_null(strstr(proc_text(tap, PROC_ERR), " 0 gaps (0 missed)"));
    proc_kill(pub);
    /* A bound for slow and busy machines, and the start of a process is in it. */
    assert_true(IS_SANITIZED || FLOOD / seconds > 50000);
}

int
main(void)
{
    char tap[512];
    (void)snprintf(tap, sizeof tap, "%s/tulle", getenv("TULLE_BIN_DIR"));
    (void)setenv("TULLE_TAP", tap, 1);
    (void)unsetenv("NO_COLOR");
    (void)unsetenv("COLUMNS");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(orders_are_shown_side_by_side, proc_end_all),
        cmocka_unit_test_teardown(each_order_is_its_own, proc_end_all),
        cmocka_unit_test_teardown(nodes_come_and_go, proc_end_all),
        cmocka_unit_test_teardown(duplicates_are_shown, proc_end_all),
        cmocka_unit_test_teardown(colours_are_for_terminals, proc_end_all),
        cmocka_unit_test_teardown(a_stalled_tap_keeps_its_size_and_tells_what_it_missed,
                                  proc_end_all),
        cmocka_unit_test_teardown(arrivals_that_found_no_room_are_told_in_line, proc_end_all),
        cmocka_unit_test_teardown(a_stalled_tap_hears_signals, proc_end_all),
        cmocka_unit_test_teardown(a_tap_keeps_up, proc_end_all),
    };
    return cmocka_run_group_tests_name("tap, live", tests, NULL, NULL);
}
