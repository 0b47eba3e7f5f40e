/* SPDX-License-Identifier: MPL-2.0 */

/* tulle top on a terminal: what somebody sees who presses keys and drags the window. */

#include "testkit.h"

#include "integ_kit.h"
#include "proc_kit.h"
#include "pty_kit.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    EXTRA = 20, /* nodes that do nothing */
    BACKLOG = 500,
    ROWS = 18, /* of a table in 24 lines */
    FIRST = 5  /* line of the first row */
};

#define WIDE_NAME "\xe6\x97\xa5\xe6\x9c\xac" /* two characters, four columns */

static const char *address;
static tulle_node *shop;

static tulle_node *
start_idle(const char *name)
{
    tulle_node_options options;
    kit_options(&options, name, &address);
    options.beat_ms = 1000;
    return kit_start(&options);
}

static int
start_mesh(void **state)
{
    (void)state;
    assert_int_equal(setenv("TERM", "xterm-256color", 1), 0);
    assert_int_equal(setenv("LC_ALL", "C.UTF-8", 1), 0);
    assert_int_equal(unsetenv("NO_COLOR"), 0);
    assert_int_equal(unsetenv("LINES") | unsetenv("COLUMNS"), 0);
    shop = kit_node("shop", NULL);
    address = tulle_node_address(shop);
    for (int i = 1; i <= EXTRA; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "n%02d", i);
        (void)start_idle(name);
    }
    (void)start_idle(WIDE_NAME);
    tulle_node *stock = kit_node("stock", address);
    tulle_node *far = kit_node("far", NULL);
    (void)kit_proxy("gate", address, tulle_node_address(far));
    tulle_node_options options;
    kit_options(&options, "late", &address);
    options.queue_bytes = 4096; /* nobody receives: it takes so much and no more */
    tulle_node *late = kit_start(&options);
    (void)kit_subscribe(late, "orders/**");
    (void)kit_subscribe(stock, "stock");
    assert_status(tulle_node_wait_peers(shop, "orders/new", 1, KIT_DEADLINE_MS), TULLE_OK);
    static const char payload[100] = { 0 };
    for (int i = 0; i < BACKLOG; i++) {
        assert_status(tulle_node_publish(shop, "orders/new", payload, sizeof payload, NULL),
                      TULLE_OK);
        if (i % 10 == 0)
            kit_pause_ms(5); /* not all in one batch */
    }
    return 0;
}

static int
end_mesh(void **state)
{
    return kit_teardown(state);
}

static int
end_test(void **state)
{
    assert_int_equal(setenv("TERM", "xterm-256color", 1), 0);
    assert_int_equal(setenv("LC_ALL", "C.UTF-8", 1), 0);
    assert_int_equal(unsetenv("NO_COLOR"), 0);
    return pty_end_all(state) + proc_end_all(state);
}

/* 25 nodes beside it, and the proxy. Those that looked before may be there too, as left. */
static struct pty *
start(unsigned width, unsigned height, const char *more)
{
    struct pty *p =
        pty_start(width, height, "tulle", "top", "--join", address, "-d", "0.5", more, NULL);
    pty_wait_text(p, "26 up (1 proxy)");
    return p;
}

static void
quit(struct pty *p)
{
    pty_type(p, "q");
    assert_int_equal(pty_wait(p), 0);
    assert_true(pty_is_restored(p));
}

static bool
starts(struct pty *p, unsigned y, const char *text)
{
    return strncmp(pty_line(p, y), text, strlen(text)) == 0;
}

/* The line that starts with a node's name; 0: there is none. */
static unsigned
find_row(struct pty *p, const char *name)
{
    for (unsigned y = FIRST; y < 60; y++) {
        if (starts(p, y, name))
            return y;
    }
    return 0;
}

/* The same once it is there. */
static unsigned
row_of(struct pty *p, const char *name)
{
    unsigned y = 0;
    PTY_UNTIL(p, (y = find_row(p, name)) > 0);
    return y;
}

TEST(the_mesh_is_seen_in_80_by_24)
{
    (void)state;
    struct pty *p = start(80, 24, NULL);
    pty_wait_line(p, 2, "late of shop/orders");
    pty_wait_text(p, "1-18 of ");
    PTY_UNTIL(p, starts(p, 0, "tulle top  tulle  26 up (1 proxy)"));
    PTY_UNTIL(p, starts(p, 3, " 1 Nodes 2"));
    PTY_UNTIL(p, starts(p, 4, "NODE"));
    PTY_UNTIL(p, starts(p, 23, "? help"));
    /* The row of the cursor is upside down, from its first column to the last. */
    PTY_UNTIL(p, (pty_marks(p, FIRST, "up") & PTY_REVERSE) != 0);
    PTY_UNTIL(p, pty_column(p, FIRST + 1, "up") > 0 &&
                     (pty_marks(p, FIRST + 1, "up") & PTY_REVERSE) == 0);
    for (unsigned y = 0; y < 24; y++)
        assert_true(strlen(pty_line(p, y)) < 120); /* of bytes */
    quit(p);
}

TEST(a_larger_window_shows_more_and_a_tiny_one_says_so)
{
    (void)state;
    struct pty *p = start(80, 24, NULL);
    pty_wait_text(p, "1-18 of ");
    pty_wait_line(p, 4, "REP");
    assert_null(strstr(pty_line(p, 4), "RTT"));
    pty_resize(p, 200, 60);
    pty_wait_line(p, 4, "RTT");
    pty_wait_no_text(p, "1-18 of ");
    pty_wait_line(p, FIRST + 25, "up");
    pty_wait_line(p, 59, "? help");
    pty_resize(p, 39, 24);
    pty_wait_line(p, 0, "too small: 39x24; 40x8 is needed");
    pty_resize(p, 1, 1);
    pty_pause(p, 200);
    pty_resize(p, 40, 8);
    pty_wait_line(p, 7, "1-2 of ");
    pty_resize(p, 80, 24);
    pty_wait_text(p, "1-18 of ");
    quit(p);
}

/* By name, whatever it is sorted by at first. */
static void
sort_by_name(struct pty *p)
{
    char head[512];
    for (int i = 0; i < 40 && strstr(pty_line(p, 4), "NODE\xe2\x96") == NULL; i++) {
        (void)snprintf(head, sizeof head, "%s", pty_line(p, 4));
        pty_type(p, "s");
        PTY_UNTIL(p, strcmp(pty_line(p, 4), head) != 0);
    }
    pty_wait_line(p, 4, "NODE\xe2\x96\xb2");
}

TEST(keys_sort_reverse_and_move)
{
    (void)state;
    struct pty *p = start(80, 24, NULL);
    pty_wait_text(p, "1-18 of ");
    sort_by_name(p);
    pty_wait_line(p, FIRST, "far");
    PTY_UNTIL(p, starts(p, FIRST + 1, "gate"));
    PTY_UNTIL(p, starts(p, FIRST + 2, "late"));
    PTY_UNTIL(p, starts(p, FIRST + 3, "n01"));
    pty_type(p, "\033OB"); /* down, as a terminal sends it */
    pty_type(p, "j");
    PTY_UNTIL(p, (pty_marks(p, FIRST + 2, "late") & PTY_REVERSE) != 0);
    pty_type(p, "\033[6~"); /* page down */
    pty_wait_text(p, "n17");
    pty_type(p, "G");
    pty_wait_line(p, FIRST + ROWS - 1, " ");
    pty_wait_no_text(p, "n01");
    pty_type(p, "g");
    pty_wait_line(p, FIRST, "far");
    pty_type(p, "r");
    pty_wait_line(p, 4, "NODE\xe2\x96\xbc");
    quit(p);
}

TEST(a_filter_narrows_it_down_while_it_is_typed)
{
    (void)state;
    struct pty *p = start(80, 24, NULL);
    pty_wait_text(p, "1-18 of ");
    pty_type(p, "/n1");
    pty_wait_line(p, 23, "filter: n1_");
    pty_wait_line(p, 3, "/n1 10/");
    pty_type(p, "7\r");
    pty_wait_line(p, 3, "/n17 1/");
    pty_wait_line(p, FIRST, "n17");
    pty_wait_line(p, 23, "? help");
    pty_type(p, "\033");
    pty_wait_text(p, "1-18 of ");
    quit(p);
}

TEST(enter_leads_to_a_node_and_its_lag)
{
    (void)state;
    struct pty *p = start(80, 24, NULL);
    pty_type(p, "4");
    pty_wait_line(p, 4, "CONSUMER");
    pty_wait_line(p, FIRST, "late");
    /* Nothing comes for it: after a while it is late. */
    PTY_UNTIL(p, (pty_marks(p, 2, "late of shop") & PTY_COLOUR) != 0);
    pty_type(p, "\r");
    pty_wait_line(p, 4, "node late  up for ");
    pty_wait_text(p, "takes, and lags behind (1)");
    PTY_UNTIL(p, pty_find(p, " orders shop") > 0 &&
                     (pty_marks(p, (unsigned)pty_find(p, " orders shop"), "orders") &
                      (PTY_COLOUR | PTY_BOLD)) != 0);
    pty_type(p, "\033");
    pty_wait_line(p, 4, "CONSUMER");
    pty_type(p, "2");
    pty_wait_line(p, FIRST, "orders");
    pty_type(p, "\r");
    pty_wait_line(p, 3, "of orders");
    pty_type(p, "\r");
    pty_wait_line(p, 4, "lane shop/orders");
    pty_wait_text(p, "taken by (1)");
    pty_wait_text(p, "kept by");
    pty_type(p, "\t\t\t"); /* from lanes: lag, links, nodes */
    pty_wait_line(p, 4, "NODE");
    pty_type(p, "5\r");
    pty_wait_line(p, 4, "proxy gate");
    pty_wait_text(p, "links (2)");
    quit(p);
}

TEST(help_and_pause)
{
    (void)state;
    struct pty *p = start(100, 50, NULL);
    pty_type(p, "?");
    pty_wait_text(p, "columns of nodes");
    pty_wait_text(p, "another screen");
    pty_type(p, "?p");
    pty_wait_line(p, 0, "PAUSED");
    char line[128];
    pty_pause(p, 500); /* the rest of the picture */
    (void)snprintf(line, sizeof line, "%s", pty_line(p, 0));
    pty_pause(p, 1500);
    assert_string_equal(pty_line(p, 0), line);
    pty_type(p, "p+");
    pty_wait_line(p, 0, "every 0.7s");
    pty_wait_no_text(p, "PAUSED");
    quit(p);
}

TEST(wide_names_stand_in_their_columns)
{
    (void)state;
    struct pty *p = start(80, 60, NULL);
    PTY_UNTIL(p, pty_column(p, row_of(p, "stock"), "up ") > 0 &&
                     pty_column(p, row_of(p, WIDE_NAME), "up ") ==
                         pty_column(p, row_of(p, "stock"), "up "));
    quit(p);
    assert_int_equal(setenv("LC_ALL", "C", 1), 0);
    p = start(80, 60, NULL);
    pty_wait_text(p, "?? ");
    pty_wait_line(p, 4, "v");
    for (unsigned y = 0; y < 60; y++) {
        for (const char *at = pty_line(p, y); *at != '\0'; at++)
            assert_true((unsigned char)*at < 0x80);
    }
    quit(p);
}

TEST(colours_are_only_used_where_they_are_wanted)
{
    (void)state;
    struct pty *p = start(80, 60, NULL);
    PTY_UNTIL(p, (pty_marks(p, 0, "26 up") & PTY_COLOUR) != 0);
    quit(p);
    assert_int_equal(setenv("NO_COLOR", "1", 1), 0);
    p = start(80, 60, NULL);
    PTY_UNTIL(p, (pty_marks(p, 0, "tulle top") & PTY_BOLD) != 0);
    assert_true((pty_marks(p, 0, "26 up") & PTY_COLOUR) == 0);
    quit(p);
    p = start(80, 60, "--color");
    PTY_UNTIL(p, (pty_marks(p, 0, "26 up") & PTY_COLOUR) != 0);
    quit(p);
}

TEST(the_terminal_is_given_back_however_it_ends)
{
    (void)state;
    static const struct {
        const char *typed;
        int number;
    } ends[] = { { "\003", 0 }, { "\034", 0 }, { NULL, SIGTERM }, { NULL, SIGHUP } };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct pty *p = start(80, 24, NULL);
        assert_false(pty_is_restored(p));
        if (ends[i].typed != NULL)
            pty_type(p, ends[i].typed);
        else
            pty_signal(p, ends[i].number);
        assert_int_equal(pty_wait(p), 0);
        assert_true(pty_is_restored(p));
    }
    struct pty *p = pty_start(80, 24, "tulle", "top", "--join", address, "-n", "2", NULL);
    assert_int_equal(pty_wait(p), 0);
    assert_true(pty_is_restored(p));
}

static char
process_state(pid_t pid)
{
    char path[64];
    char line[256] = "";
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    (void)fclose(file);
    const char *end = strrchr(line, ')');
    assert_non_null(end);
    return end[2];
}

TEST(it_can_be_suspended_and_goes_on)
{
    (void)state;
    struct pty *p = start(80, 24, NULL);
    pty_type(p, "\032"); /* Ctrl-Z */
    KIT_UNTIL(process_state(pty_pid(p)) == 'T');
    assert_true(pty_is_restored(p));
    pty_signal(p, SIGCONT);
    pty_wait_text(p, "26 up (1 proxy)");
    pty_wait_line(p, 23, "? help");
    assert_false(pty_is_restored(p));
    quit(p);
}

TEST(a_terminal_that_is_closed_ends_it)
{
    (void)state;
    struct pty *p = start(80, 24, NULL);
    pty_hang_up(p);
    assert_int_equal(pty_wait(p), 0);
}

TEST(without_a_terminal_it_says_what_to_do)
{
    (void)state;
    struct proc *proc = proc_start("tulle", "top", "--join", address, NULL);
    assert_int_equal(proc_wait(proc), 2);
    assert_non_null(strstr(proc_text(proc, PROC_ERR), "no terminal: --once"));
    assert_int_equal(setenv("TERM", "no-such-terminal", 1), 0);
    struct pty *p = pty_start(80, 24, "tulle", "top", "--join", address, NULL);
    assert_int_equal(pty_wait(p), 1);
    assert_true(pty_find(p, "'no-such-terminal' is not known here") >= 0);
    assert_true(pty_is_restored(p));
    assert_int_equal(setenv("TERM", "dumb", 1), 0);
    p = pty_start(80, 24, "tulle", "top", "--join", address, NULL);
    assert_int_equal(pty_wait(p), 1);
    assert_true(pty_find(p, "'dumb' is not known here, or cannot") >= 0);
    assert_true(pty_is_restored(p));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_mesh_is_seen_in_80_by_24, end_test),
        cmocka_unit_test_teardown(a_larger_window_shows_more_and_a_tiny_one_says_so, end_test),
        cmocka_unit_test_teardown(keys_sort_reverse_and_move, end_test),
        cmocka_unit_test_teardown(a_filter_narrows_it_down_while_it_is_typed, end_test),
        cmocka_unit_test_teardown(enter_leads_to_a_node_and_its_lag, end_test),
        cmocka_unit_test_teardown(help_and_pause, end_test),
        cmocka_unit_test_teardown(wide_names_stand_in_their_columns, end_test),
        cmocka_unit_test_teardown(colours_are_only_used_where_they_are_wanted, end_test),
        cmocka_unit_test_teardown(the_terminal_is_given_back_however_it_ends, end_test),
        cmocka_unit_test_teardown(it_can_be_suspended_and_goes_on, end_test),
        cmocka_unit_test_teardown(a_terminal_that_is_closed_ends_it, end_test),
        cmocka_unit_test_teardown(without_a_terminal_it_says_what_to_do, end_test),
    };
    return cmocka_run_group_tests_name("tulle top on a terminal", tests, start_mesh, end_mesh);
}
