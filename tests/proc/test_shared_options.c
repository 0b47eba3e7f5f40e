/* SPDX-License-Identifier: MPL-2.0 */

/* The options that every command has, of meshes, limits and times: each by what it does in one of
 * them, and that all the others have the same. */

#include "testkit.h"

#include "proc_steps.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAYLOAD_LEN = 1000, LINE_MAX_LEN = 1100 };

/* A node that takes everything and tells its counters often. */
static struct proc *
start_keeper(int port, const char *option, const char *value)
{
    struct proc *keeper =
        proc_start("tulle-node", "--name", "keeper", "--log-level", "info", "--stats", "0.1",
                   "--listen", proc_address(port), "--take", "**", option, value, NULL);
    proc_wait_port(port);
    return keeper;
}

/* All that the one at the port can give, in the form %F of tap. */
static struct proc *
fetch_all(int port, const char *format)
{
    struct proc *tap = proc_start("tulle", "tap", "--join", proc_address(port), "--from",
                                  "earliest", "-e", "-q", "--hold-ms", "1000", "-F", format, NULL);
    assert_ends(tap, 0);
    return tap;
}

/* A counter of a node that tells them, once it is that large or some seconds have passed. */
static long
counter_of(struct proc *node, const char *name, long least)
{
    char key[64];
    long value = 0;
    (void)snprintf(key, sizeof key, " %s=", name);
    for (int i = 0; i < 40 && (i == 0 || value < least); i++) {
        proc_pause(150);
        const char *text = proc_text(node, PROC_ERR);
        const char *last = NULL;
        for (const char *at = strstr(text, key); at != NULL; at = strstr(at + 1, key))
            last = at; /* one that is 0 is not told */
        value = last != NULL ? strtol(last + strlen(key), NULL, 10) : 0;
    }
    return value;
}

/* Lines for the standard input of "tulle pub --lines", each of PAYLOAD_LEN bytes. */
static void
write_lines(struct proc *pub, int count)
{
    char line[LINE_MAX_LEN];
    memset(line, 'x', PAYLOAD_LEN);
    line[PAYLOAD_LEN] = '\n';
    for (int i = 0; i < count; i++)
        proc_write(pub, line, PAYLOAD_LEN + 1);
}

/* ---- times ---- */

TEST(beats_come_as_often_as_they_are_told_to)
{
    (void)state;
    struct proc *often = start_keeper(proc_free_port(), "--beat-ms", "50");
    struct proc *seldom = start_keeper(proc_free_port(), "--beat-ms", "5000");
    assert_true(counter_of(often, "beats_sent", 60) >= 60);
    assert_in_range(counter_of(seldom, "beats_sent", 0), 0, 15);
}

TEST(silence_counts_as_soon_as_it_is_told_to)
{
    (void)state;
    int port = proc_free_port();
    struct proc *strict =
        proc_start("tulle", "tap", "--peers", "--listen", proc_address(port), "--beat-ms", "100",
                   "--suspect-ms", "500", "--gone-ms", "1500", NULL);
    proc_wait_port(port);
    struct proc *patient = proc_start("tulle", "tap", "--peers", "--join", proc_address(port),
                                      "--suspect-ms", "100000", "--gone-ms", "200000", NULL);
    struct proc *node = proc_start("tulle-node", "--name", "sleeper", "--beat-ms", "100", "--join",
                                   proc_address(port), NULL);
    proc_wait_text(strict, PROC_OUT, "sleeper");
    proc_wait_text(patient, PROC_OUT, "sleeper");
    proc_signal(node, SIGSTOP);
    proc_wait_text(strict, PROC_OUT, "node suspect");
    proc_wait_text(strict, PROC_OUT, "node gone");
    assert_null(strstr(proc_text(patient, PROC_OUT), "node suspect"));
    assert_null(strstr(proc_text(patient, PROC_OUT), "node gone"));
}

/* A publisher whose events do not come live, by a relay: they have to be asked for. */
static struct proc *
start_lossy(int port)
{
    int bound = proc_free_port();
    int relayed = proc_free_port();
    char link[128];
    (void)snprintf(link, sizeof link, "%s=%s", proc_address(relayed), proc_address(bound + 1));
    struct proc *relay = proc_start("tulle-test-relay", "--events", link, "--drop", "x=100", NULL);
    proc_wait_text(relay, PROC_OUT, "ready");
    return proc_start("tulle", "pub", "--lines", "--name", "shop", "--listen", proc_address(bound),
                      "--advertise-events", proc_address(relayed), "--join", proc_address(port),
                      "--wait-peers=2", "x", NULL);
}

TEST(a_hole_is_asked_for_after_the_time_that_is_told)
{
    (void)state;
    int port = proc_free_port();
    struct proc *soon = proc_start("tulle", "tap", "--listen", proc_address(port),
                                   "--fetch-delay-ms", "0", "x", NULL);
    proc_wait_port(port);
    struct proc *late = proc_start("tulle", "tap", "--join", proc_address(port), "--fetch-delay-ms",
                                   "6000", "x", NULL);
    struct proc *pub = start_lossy(port);
    proc_write(pub, "lost\n", 5);
    proc_wait_text(soon, PROC_OUT, "x lost");
    assert_null(strstr(proc_text(late, PROC_OUT), "x lost"));
    proc_wait_text(late, PROC_OUT, "x lost");
}

/* What an event depends on never comes. */
TEST(a_hole_holds_up_for_the_time_that_is_told)
{
    (void)state;
    int port = proc_free_port();
    struct proc *hasty =
        proc_start("tulle", "tap", "--listen", proc_address(port), "--hold-ms", "500", NULL);
    proc_wait_port(port);
    struct proc *patient =
        proc_start("tulle", "tap", "--join", proc_address(port), "--hold-ms", "600000", NULL);
    struct proc *ids =
        proc_start("tulle", "tap", "--join", proc_address(port), "-F", "%i", "-C", "1", "a", NULL);
    struct proc *shop = proc_start("tulle", "pub", "--lines", "--name", "shop", "--join",
                                   proc_address(port), "--wait-peers=3", "a", NULL);
    proc_write(shop, "one\n", 4);
    assert_ends(ids, 0);
    char cause[64];
    (void)snprintf(cause, sizeof cause, "%.16s/a/2", proc_text(ids, PROC_OUT));
    struct proc *payer =
        proc_start("tulle", "pub", "--no-wait", "--join", proc_address(port), "--wait-peers=2",
                   "--only-causes", "--cause", cause, "b", "paid", NULL);
    assert_ends(payer, 0);
    proc_wait_text(hasty, PROC_OUT, "b paid");
    assert_null(strstr(proc_text(patient, PROC_OUT), "b paid"));
    proc_write(shop, "two\n", 4);
    proc_wait_text(patient, PROC_OUT, "b paid");
}

/* ---- bounds ---- */

/* The number of the first event that is still there. */
static long
first_kept(int port)
{
    struct proc *tap = fetch_all(port, "%k %s");
    const char *text = strstr(proc_text(tap, PROC_OUT), "event ");
    assert_non_null(text);
    return strtol(text + strlen("event "), NULL, 10);
}

static struct proc *
start_source(int port, const char *option, const char *value)
{
    struct proc *pub = proc_start("tulle", "pub", "--lines", "--name", "source", "-w0", "--listen",
                                  proc_address(port), option, value, "x", NULL);
    proc_wait_port(port);
    return pub;
}

TEST(own_events_are_kept_up_to_a_size)
{
    (void)state;
    int ports[] = { proc_free_port(), proc_free_port() };
    static const char *const sizes[] = { "8K", "1M" };
    for (size_t i = 0; i < 2; i++) {
        struct proc *pub = start_source(ports[i], "--retain-bytes", sizes[i]);
        write_lines(pub, 50);
        /* One way to know that it has read them all: the last is there. */
        struct proc *tap = NULL;
        do {
            tap = fetch_all(ports[i], "%s.");
        } while (strstr(proc_text(tap, PROC_OUT), "50.") == NULL);
    }
    assert_in_range(first_kept(ports[0]), 40, 50);
    assert_int_equal(first_kept(ports[1]), 1);
}

TEST(own_events_are_kept_for_a_time)
{
    (void)state;
    int port = proc_free_port();
    struct proc *pub = start_source(port, "--retain-ms", "1000");
    struct proc *tap = proc_start("tulle", "tap", "--join", proc_address(port), "-F", "%s", NULL);
    proc_wait_text(pub, PROC_ERR, ""); /* it runs */
    proc_pause(500);
    proc_write(pub, "old\n", 4);
    proc_pause(3000);
    proc_write(pub, "new\n", 4);
    proc_wait_text(tap, PROC_OUT, "2\n");
    proc_kill(tap); /* it keeps them too */
    assert_int_equal(first_kept(port), 2);
}

TEST(events_of_others_are_kept_up_to_a_size)
{
    (void)state;
    static const char *const sizes[] = { "8K", "1M" };
    long first[2];
    for (size_t i = 0; i < 2; i++) {
        int port = proc_free_port();
        (void)start_keeper(port, "--retain-others-bytes", sizes[i]);
        struct proc *pub = proc_start("tulle", "pub", "--lines", "--wait-peers", "--join",
                                      proc_address(port), "--batch-bytes", "2K", "x", NULL);
        write_lines(pub, 50);
        proc_close_input(pub);
        assert_ends(pub, 0);
        first[i] = first_kept(port);
    }
    assert_in_range(first[0], 30, 50);
    assert_int_equal(first[1], 1);
}

TEST(what_waits_for_order_is_bounded)
{
    (void)state;
    static const char *const sizes[] = { "64K", "64M" };
    static const long sizes_reached[] = { 32000, 250000 };
    for (size_t i = 0; i < 2; i++) {
        int port = proc_free_port();
        struct proc *keeper = start_keeper(port, "--held-bytes", sizes[i]);
        /* The cause is of a node that nobody knows: it is looked for, until hold_ms. */
        struct proc *pub = proc_start("tulle", "pub", "--lines", "--no-wait", "--wait-peers",
                                      "--only-causes", "--cause", "f0f0000000000001/a/1", "--join",
                                      proc_address(port), "--rate", "1000", "x", NULL);
        write_lines(pub, 300);
        assert_true(counter_of(keeper, "held_now", sizes_reached[i]) >= sizes_reached[i]);
        assert_int_equal(counter_of(keeper, "dropped_held_full", i == 0) > 0, i == 0);
        proc_kill(pub);
        proc_kill(keeper);
    }
}

/* How many of 61 events of 1,000 bytes, less than a pipe holds, are published while the one who
 * takes them sleeps. */
static long
published_against_a_wall(const char *outbox, const char *window)
{
    int port = proc_free_port();
    struct proc *keeper = start_keeper(port, "--gone-ms", "200000");
    struct proc *pub = proc_start("tulle", "pub", "--lines", "--wait-peers", "--no-wait", "--join",
                                  proc_address(port), "--gone-ms", "200000", "--outbox-bytes",
                                  outbox, "--window-bytes", window, "x", NULL);
    write_lines(pub, 1);
    assert_int_equal(counter_of(keeper, "events_delivered", 1), 1);
    proc_signal(keeper, SIGSTOP);
    write_lines(pub, 60);
    proc_pause(1500);
    proc_signal(pub, SIGINT);
    (void)proc_wait(pub);
    proc_signal(keeper, SIGCONT);
    return strtol(proc_wait_word(pub, PROC_ERR, "events published: "), NULL, 10);
}

TEST(what_is_not_acknowledged_is_bounded)
{
    (void)state;
    assert_in_range(published_against_a_wall("16M", "8K"), 1, 40);
    assert_int_equal(published_against_a_wall("16M", "16M"), 61);
}

/* Beyond the window events wait in the outbox, as far as that goes. */
TEST(what_is_not_sent_is_bounded)
{
    (void)state;
    long small = published_against_a_wall("4K", "24K");
    long large = published_against_a_wall("16M", "24K");
    if (small + 10 > large)
        fail_msg("%ld, %ld", small, large);
}

TEST(what_is_not_handled_is_bounded)
{
    (void)state;
    static const char *const sizes[] = { "4K", "16M" };
    long delivered[2];
    for (size_t i = 0; i < 2; i++) {
        int port = proc_free_port();
        struct proc *node = proc_start("tulle-node", "--log-level", "info", "--stats", "0.1",
                                       "--listen", proc_address(port), "--exec", "x", "sleep 20",
                                       "--queue-bytes", sizes[i], NULL);
        proc_wait_port(port);
        struct proc *pub = proc_start("tulle", "pub", "--lines", "--wait-peers", "--no-wait",
                                      "--rate", "400", "--join", proc_address(port), "x", NULL);
        write_lines(pub, 100);
        proc_close_input(pub);
        assert_ends(pub, 0);
        delivered[i] = counter_of(node, "events_delivered", i == 0 ? 1 : 100);
        proc_kill(node);
    }
    assert_in_range(delivered[0], 1, 60);
    assert_int_equal(delivered[1], 100);
}

TEST(batches_are_closed_at_a_size)
{
    (void)state;
    static const char *const sizes[] = { "2K", "256K" };
    long batches[2];
    for (size_t i = 0; i < 2; i++) {
        int port = proc_free_port();
        char payload[PAYLOAD_LEN + 1] = "";
        memset(payload, 'x', PAYLOAD_LEN);
        struct proc *keeper = start_keeper(port, "--order", "causal");
        assert_ends(proc_start("tulle", "pub", "--raw", "-n", "400", "--wait-peers", "--join",
                               proc_address(port), "--batch-bytes", sizes[i], "x", payload, NULL),
                    0);
        assert_int_equal(counter_of(keeper, "events_delivered", 400), 400);
        batches[i] = counter_of(keeper, "batches_received", 0);
    }
    assert_in_range(batches[0], 200, 400);
    assert_true(batches[1] < 200);
}

TEST(payloads_are_bounded)
{
    (void)state;
    int port = proc_free_port();
    (void)start_keeper(port, "--order", "fifo");
    struct proc *pub = proc_start("tulle", "pub", "--join", proc_address(port), "--event-bytes-max",
                                  "10", "x", "more than ten bytes", NULL);
    assert_ends(pub, 1);
    assert_says(pub, PROC_ERR, "larger than the limit");
    assert_ends(proc_start("tulle", "pub", "--join", proc_address(port), "--event-bytes-max", "10",
                           "x", "few", NULL),
                0);
}

TEST(a_stream_has_as_many_levels_as_it_is_told_to)
{
    (void)state;
    int port = proc_free_port();
    (void)start_keeper(port, "--order", "fifo");
    static const char *const levels[] = { "1", "2", "8" };
    for (size_t i = 0; i < 3; i++) {
        assert_ends(proc_start("tulle", "pub", "--wait-peers", "--join", proc_address(port),
                               "--stream-levels", levels[i], "a/b/c", levels[i], NULL),
                    0);
    }
    struct proc *tap = fetch_all(port, "%p:%S");
    assert_says(tap, PROC_OUT, "1:a\n");
    assert_says(tap, PROC_OUT, "2:a/b\n");
    assert_says(tap, PROC_OUT, "8:a/b/c\n");
}

/* ---- ways into the mesh ---- */

/* A pub that only dials: does the one at the port get what it publishes? */
static bool
takes_from_a_dialer(int port, const char *seconds)
{
    struct proc *pub = proc_start("tulle", "pub", "--dial-only", "--join", proc_address(port),
                                  "--wait-peers", "--wait-timeout", seconds, "x", "dialled", NULL);
    int status = proc_wait(pub);
    assert_true(status == 0 || status == 4);
    return status == 0;
}

TEST(who_only_dials_needs_an_inlet)
{
    (void)state;
    int port = proc_free_port();
    (void)proc_start("tulle", "tap", "--listen", proc_address(port), NULL);
    proc_wait_port(port);
    assert_false(takes_from_a_dialer(port, "1.5"));
    port = proc_free_port();
    (void)proc_free_port(); /* an inlet is at the second port behind */
    struct proc *tap = proc_start("tulle", "tap", "--listen", proc_address(port), "--inlet", NULL);
    proc_wait_port(port);
    assert_true(takes_from_a_dialer(port, "20"));
    proc_wait_text(tap, PROC_OUT, "x dialled");
}

/* An inlet is dialled where the others are told that it is. */
TEST(an_inlet_is_where_it_is_said_to_be)
{
    (void)state;
    int relayed = proc_free_port();
    int port = proc_free_port();
    (void)proc_free_port();
    char link[128];
    (void)snprintf(link, sizeof link, "%s=%s", proc_address(relayed), proc_address(port + 2));
    struct proc *relay = proc_start("tulle-test-relay", "--tcp", link, NULL);
    proc_wait_text(relay, PROC_OUT, "ready");
    (void)proc_start("tulle", "tap", "--listen", proc_address(port), "--inlet", "--advertise-inlet",
                     proc_address(relayed), NULL);
    proc_wait_port(port);
    proc_write(relay, "count\n", 6);
    proc_wait_text(relay, PROC_OUT, "0 connections");
    assert_true(takes_from_a_dialer(port, "20"));
    proc_write(relay, "count\n", 6);
    proc_wait_text(relay, PROC_OUT, "1 connections");
}

/* What comes to the address that is told is brought to the one that is listened at. */
TEST(events_are_fetched_where_they_are_said_to_be)
{
    (void)state;
    int port = proc_free_port();
    int shown = proc_free_port();
    char link[128];
    (void)snprintf(link, sizeof link, "%s=%s", proc_address(shown + 1), proc_address(port + 1));
    struct proc *relay = proc_start("tulle-test-relay", "--tcp", link, NULL);
    proc_wait_text(relay, PROC_OUT, "ready");
    (void)proc_start("tulle", "pub", "--lines", "-w0", "--listen", proc_address(port),
                     "--advertise", proc_address(shown), "--advertise-events",
                     proc_address(shown + 1), "x", NULL);
    proc_wait_port(port);
    struct proc *tap =
        proc_start("tulle", "tap", "--log-level", "info", "--join", proc_address(port), NULL);
    char told[96];
    (void)snprintf(told, sizeof told, "state=up address=%s ", proc_address(shown));
    proc_wait_text(tap, PROC_ERR, told);
    for (int i = 0; i < 100 && strstr(proc_text(relay, PROC_OUT), "1 connections") == NULL; i++) {
        proc_write(relay, "count\n", 6);
        proc_pause(100);
    }
    assert_says(relay, PROC_OUT, "1 connections");
}

/* One address that nobody has, and one that is right. */
TEST(every_address_is_joined)
{
    (void)state;
    int port = proc_free_port();
    int other = proc_free_port();
    (void)start_node("one", port);
    (void)start_node("two", other);
    struct proc *ls =
        proc_start("tulle", "ls", "nodes", "-j", "tcp://127.0.0.1:1", "--join", proc_address(port),
                   "-j", proc_address(other), "--wait", "3", NULL);
    (void)proc_wait(ls);
    assert_says(ls, PROC_OUT, "\none ");
    assert_says(ls, PROC_OUT, "\ntwo ");
}

TEST(meshes_are_apart)
{
    (void)state;
    int port = proc_free_port();
    struct proc *yard = proc_start("tulle-node", "--name", "gate", "--mesh", "yard", "--listen",
                                   proc_address(port), NULL);
    proc_wait_port(port);
    struct proc *ls =
        proc_start("tulle", "ls", "--mesh", "yard", "--join", proc_address(port), NULL);
    assert_ends(ls, 0);
    assert_says(ls, PROC_OUT, "\ngate ");
    assert_ends(
        proc_start("tulle", "ls", "--mesh", "house", "--join", proc_address(port), "-W", "1", NULL),
        4);
    proc_signal(yard, SIGTERM);
    assert_ends(yard, 0);
}

/* In a network of its own; a virtual cable can broadcast. */
TEST(beacons_find_others)
{
    (void)state;
    static const char script[] =
        "ip link set lo up; ip link add office type veth peer name lan; ip link set office up; "
        "ip link set lan up; ip address add 10.1.0.1/24 broadcast + dev office || exit 77\n"
        "at='--beacon=office --beacon-port 7199 --interface office'\n"
        "tulle-node $at --take '**' --print --beat-ms 200 & node=$!\n"
        "sleep 0.5\n"
        "tulle pub $at -v --wait-peers x found || exit 1\n"
        "tulle pub $at --beacon-port 7198 --wait-peers --wait-timeout 1 x lost\n"
        "echo \"status $?\"\n"
        "kill $node; wait $node\n";
    struct proc *shell = start_in_network(script);
    int status = proc_wait(shell);
    if (status == 77)
        skip();
    assert_ends(shell, 0);
    assert_says(shell, PROC_ERR, "1 event published and acknowledged");
    assert_says(shell, PROC_OUT, "\"payload\":\"found\"");
    assert_says(shell, PROC_OUT, "status 4\n");
}

/* ---- all commands ---- */

static const struct {
    const char *option, *value, *line; /* value NULL: a flag; line: of --print-config */
} shared[] = {
    { "--mesh", "yard", "mesh = yard" },
    { "--name", "n1", "name = n1" },
    { "--join", "tcp://127.0.0.1:7", "join = tcp://127.0.0.1:7" },
    { "--listen", "tcp://127.0.0.1:9", "listen = tcp://127.0.0.1:9" },
    { "--beacon=lo", NULL, "beacon = lo" },
    { "--beacon-port", "5671", "beacon_port = 5671" },
    { "--interface", "lo", "interface = lo" },
    { "--advertise", "tcp://192.0.2.1:1", "advertise = tcp://192.0.2.1:1" },
    { "--advertise-events", "tcp://192.0.2.1:2", "advertise_events = tcp://192.0.2.1:2" },
    { "--inlet", NULL, "inlet = true" },
    { "--advertise-inlet", "tcp://192.0.2.1:3", "advertise_inlet = tcp://192.0.2.1:3" },
    { "--dial-only", NULL, "dial_only = true" },
    { "--log-level", "debug", "log_level = debug" },
    { "--log-format", "json", "log_format = json" },
    { "--stream-levels", "3", "stream_levels = 3" },
    { "--beat-ms", "250", "beat_ms = 250" },
    { "--suspect-ms", "750", "suspect_ms = 750" },
    { "--gone-ms", "2500", "gone_ms = 2500" },
    { "--hold-ms", "1250", "hold_ms = 1250" },
    { "--fetch-delay-ms", "25", "fetch_delay_ms = 25" },
    { "--retain-bytes", "11K", "retain_bytes = 11K" },
    { "--retain-ms", "1234", "retain_ms = 1234" },
    { "--retain-others-bytes", "12M", "retain_others_bytes = 12M" },
    { "--held-bytes", "13M", "held_bytes = 13M" },
    { "--queue-bytes", "14M", "queue_bytes = 14M" },
    { "--outbox-bytes", "15M", "outbox_bytes = 15M" },
    { "--window-bytes", "17M", "window_bytes = 17M" },
    { "--batch-bytes", "18K", "batch_bytes = 18K" },
    { "--event-bytes-max", "19K", "event_bytes_max = 19K" },
};
enum { SHARED = sizeof shared / sizeof *shared };

/* A program by its name, with a command if it has any, and options, as in a shell. */
static struct proc *
run_program(const char *program, const char *options)
{
    char line[4096];
    (void)snprintf(line, sizeof line, "exec \"$TULLE_BIN_DIR\"/%s %s", program, options);
    return proc_start("/bin/sh", "-c", line, NULL);
}

/* Run it with all of them that its table has, and one more word. */
static struct proc *
run_with_all(const char *program, const char *table, const char *last, const char *value)
{
    char line[3072];
    size_t len = 0;
    for (size_t i = 0; i < SHARED; i++) {
        char row[64];
        (void)snprintf(row, sizeof row, "option\t%.*s\t", (int)strcspn(shared[i].option, "="),
                       shared[i].option);
        if (strstr(table, row) == NULL)
            continue;
        len += (size_t)snprintf(line + len, sizeof line - len, " %s %s", shared[i].option,
                                shared[i].value != NULL ? shared[i].value : "");
    }
    (void)snprintf(line + len, sizeof line - len, " %s %s", last, value);
    return run_program(program, line);
}

static void
assert_takes_all(const char *program)
{
    struct proc *help = run_program(program, "--help-table");
    assert_ends(help, 0);
    const char *table = proc_text(help, PROC_OUT);
    if (strstr(table, "option\t--beat-ms\t") == NULL) {
        assert_string_equal(program, "tulle completion"); /* it is in no mesh */
        return;
    }
    if (strstr(table, "option\t--print-config\t") == NULL) {
        /* The first that is wrong is told: no other was. */
        struct proc *wrong = run_with_all(program, table, "--gone-ms", "nonsense");
        assert_ends(wrong, 2);
        assert_says(wrong, PROC_ERR, "--gone-ms: 'nonsense'");
        return;
    }
    char path[128];
    char again[160];
    struct proc *typed = run_with_all(program, table, "--print-config", "");
    assert_ends(typed, 0);
    (void)snprintf(path, sizeof path, "%s/shared.conf", proc_directory());
    write_file(path, proc_text(typed, PROC_OUT));
    (void)snprintf(again, sizeof again, "--config %s --print-config", path);
    struct proc *filed = run_program(program, again);
    assert_ends(filed, 0);
    for (size_t i = 0; i < SHARED; i++) {
        char line[128];
        (void)snprintf(line, sizeof line, "\n%s\n", shared[i].line);
        assert_says(typed, PROC_OUT, line);
        assert_says(filed, PROC_OUT, line);
    }
}

static void
for_each_command(void (*check)(const char *program))
{
    struct proc *commands = proc_start("tulle", "--help-table", NULL);
    assert_ends(commands, 0);
    size_t count = 0;
    for (const char *at = proc_text(commands, PROC_OUT); *at != '\0';) {
        char program[40] = "tulle ";
        if (sscanf(at, "command\t%31[a-z]", program + strlen(program)) == 1) {
            size_t started = proc_started();
            check(program);
            proc_end_since(started);
            count++;
        }
        at += strcspn(at, "\n") + 1;
    }
    assert_true(count >= 13);
}

TEST(every_command_takes_them_and_files_have_them)
{
    (void)state;
    for_each_command(assert_takes_all);
    assert_takes_all("tulle-node");
}

static void
assert_tells_of_itself(const char *program)
{
    static const char rare[] = "--suspect-ms MS";
    char usage[64];
    (void)snprintf(usage, sizeof usage, "usage: %s ", program);
    struct proc *help = run_program(program, "--help");
    struct proc *all = run_program(program, "--help-all");
    struct proc *table = run_program(program, "--help-table");
    struct proc *version = run_program(program, "--version");
    assert_ends(help, 0);
    assert_says(help, PROC_OUT, usage);
    assert_null(strstr(proc_text(help, PROC_OUT), rare));
    assert_ends(all, 0);
    assert_says(all, PROC_OUT, usage);
    if (strcmp(program, "tulle completion") != 0) /* it is in no mesh */
        assert_says(all, PROC_OUT, rare);
    assert_ends(table, 0);
    assert_says(table, PROC_OUT, "option\t--help\t-h\tflag\t");
    assert_ends(version, 0);
    assert_says(version, PROC_OUT, "0.1.0");
}

TEST(every_program_tells_of_itself)
{
    (void)state;
    for_each_command(assert_tells_of_itself);
    assert_tells_of_itself("tulle-node");
    assert_tells_of_itself("tulle-proxy");
    struct proc *help = proc_start("tulle", "ls", "-h", NULL);
    assert_ends(help, 0);
    assert_says(help, PROC_OUT, "usage: tulle ls ");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define ONE(name) cmocka_unit_test_teardown(name, proc_end_all)
        ONE(beats_come_as_often_as_they_are_told_to),
        ONE(silence_counts_as_soon_as_it_is_told_to),
        ONE(a_hole_is_asked_for_after_the_time_that_is_told),
        ONE(a_hole_holds_up_for_the_time_that_is_told),
        ONE(own_events_are_kept_up_to_a_size),
        ONE(own_events_are_kept_for_a_time),
        ONE(events_of_others_are_kept_up_to_a_size),
        ONE(what_waits_for_order_is_bounded),
        ONE(what_is_not_acknowledged_is_bounded),
        ONE(what_is_not_sent_is_bounded),
        ONE(what_is_not_handled_is_bounded),
        ONE(batches_are_closed_at_a_size),
        ONE(payloads_are_bounded),
        ONE(a_stream_has_as_many_levels_as_it_is_told_to),
        ONE(who_only_dials_needs_an_inlet),
        ONE(an_inlet_is_where_it_is_said_to_be),
        ONE(events_are_fetched_where_they_are_said_to_be),
        ONE(every_address_is_joined),
        ONE(meshes_are_apart),
        ONE(beacons_find_others),
        ONE(every_command_takes_them_and_files_have_them),
        ONE(every_program_tells_of_itself),
#undef ONE
    };
    return cmocka_run_group_tests_name("options that all commands have", tests, NULL, NULL);
}
