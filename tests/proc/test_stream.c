/* SPDX-License-Identifier: MPL-2.0 */

/* A stream of events from a publisher to a tap, through proxies that die on the way:
 * all come, none twice, in order. */

#include "testkit.h"

#include "proc_steps.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS = 2000, HALF = EVENTS / 2 };

struct ports {
    int tap;
    int left[2];  /* of the proxies, towards the publisher */
    int right[2]; /* towards the tap */
};

static struct ports
find_ports(void)
{
    struct ports ports = { .tap = proc_free_port() };
    for (int i = 0; i < 2; i++) {
        ports.left[i] = proc_free_port();
        ports.right[i] = proc_free_port();
    }
    return ports;
}

/* A publisher on the left side; it waits for the tap beyond. */
static struct proc *
start_pub(const struct ports *ports, size_t proxies)
{
    if (proxies == 2) {
        return proc_start("tulle", "pub", "--json", "--wait-peers", "--join",
                          proc_address(ports->left[0]), "--join", proc_address(ports->left[1]),
                          NULL);
    }
    return proc_start("tulle", "pub", "--json", "--wait-peers", "--join",
                      proc_address(ports->left[0]), NULL);
}

static void
write_events(struct proc *pub, int first, int count)
{
    size_t len = 0;
    char *lines = make_lines(first, count, &len);
    proc_write(pub, lines, len);
    free(lines);
}

/* The rest of every test: the publisher ends well, the tap has all and says so. */
static void
finish(struct proc *pub, struct proc *tap)
{
    proc_close_input(pub);
    assert_int_equal(proc_wait(pub), 0);
    proc_wait_lines(tap, PROC_OUT, EVENTS);
    proc_signal(tap, SIGINT);
    assert_int_equal(proc_wait(tap), 0);
    assert_all_in_order(tap, 0, EVENTS);
    assert_non_null(strstr(proc_text(tap, PROC_ERR), "2000"));
}

TEST(through_a_proxy)
{
    (void)state;
    struct ports ports = find_ports();
    struct proc *tap = start_tap(ports.tap, "load/**", "live");
    struct proc *proxy =
        start_proxy("p", ports.left[0], ports.right[0], NULL, proc_address(ports.tap));
    struct proc *pub = start_pub(&ports, 1);
    write_events(pub, 0, EVENTS);
    finish(pub, tap);
    proc_signal(proxy, SIGTERM);
    assert_int_equal(proc_wait(proxy), 0);
}

/* The only way is gone for a while: what is published meanwhile is fetched later. */
TEST(the_only_proxy_is_killed_and_comes_back)
{
    (void)state;
    struct ports ports = find_ports();
    struct proc *tap = start_tap(ports.tap, "load/**", "live");
    struct proc *proxy =
        start_proxy("p", ports.left[0], ports.right[0], NULL, proc_address(ports.tap));
    struct proc *pub = start_pub(&ports, 1);
    write_events(pub, 0, HALF);
    proc_wait_lines(tap, PROC_OUT, HALF / 2);
    proc_kill(proxy);
    write_events(pub, HALF, HALF);
    (void)start_proxy("p", ports.left[0], ports.right[0], NULL, proc_address(ports.tap));
    finish(pub, tap);
}

TEST(one_of_two_proxies_is_killed)
{
    (void)state;
    struct ports ports = find_ports();
    struct proc *tap = start_tap(ports.tap, "load/**", "live");
    struct proc *first =
        start_proxy("p", ports.left[0], ports.right[0], NULL, proc_address(ports.tap));
    (void)start_proxy("q", ports.left[1], ports.right[1], NULL, proc_address(ports.tap));
    struct proc *pub = start_pub(&ports, 2);
    write_events(pub, 0, HALF);
    proc_wait_lines(tap, PROC_OUT, HALF / 2);
    proc_kill(first);
    write_events(pub, HALF, HALF);
    finish(pub, tap);
}

TEST(a_tap_that_comes_late_reads_from_the_start)
{
    (void)state;
    struct ports ports = find_ports();
    struct proc *first = start_tap(ports.tap, "load/**", "live");
    (void)start_proxy("p", ports.left[0], ports.right[0], NULL, proc_address(ports.tap));
    struct proc *pub = start_pub(&ports, 1);
    write_events(pub, 0, HALF);
    proc_wait_lines(first, PROC_OUT, HALF);
    struct proc *late = proc_start("tulle", "tap", "--json", "--join", proc_address(ports.right[0]),
                                   "--from", "earliest", "load/**", NULL);
    proc_wait_lines(late, PROC_OUT, HALF);
    write_events(pub, HALF, HALF);
    finish(pub, first);
    proc_wait_lines(late, PROC_OUT, EVENTS);
    proc_signal(late, SIGTERM);
    assert_int_equal(proc_wait(late), 0);
    assert_all_in_order(late, 0, EVENTS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(through_a_proxy, proc_end_all),
        cmocka_unit_test_teardown(the_only_proxy_is_killed_and_comes_back, proc_end_all),
        cmocka_unit_test_teardown(one_of_two_proxies_is_killed, proc_end_all),
        cmocka_unit_test_teardown(a_tap_that_comes_late_reads_from_the_start, proc_end_all),
    };
    return cmocka_run_group_tests_name("a stream of events", tests, NULL, NULL);
}
