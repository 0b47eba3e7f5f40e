/* SPDX-License-Identifier: MPL-2.0 */

/* Two sites, each with a tulle-proxy, and a network between them that fails: home only dials, the
 * office can be dialed, and all connections pass a relay. The publisher is at home and keeps
 * what it published for a second; the tap is at the office. */

#include "testkit.h"

#include "proc_steps.h"

#include <dirent.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    CHUNK = 20,
    CHUNK_EVERY_MS = 50,
    CUT_MS = 8000,        /* longer than a beat more than GONE_MS */
    HALF_OPEN_MS = 10000, /* longest time until events come again: hold_ms of the tap */
    PATH_LEN = 512
};

#define SUSPECT_MS "3000"
#define GONE_MS    "5000"

struct site_link {
    struct proc *relay, *office, *home, *tap, *pub;
    int written;
};

/* What the relay passes on; valid until the eighth call from here. */
static const char *
wire(int shown, int real)
{
    static char texts[8][80];
    static size_t at;
    char *text = texts[at++ % 8];
    (void)snprintf(text, sizeof texts[0], "127.0.0.1:%d=127.0.0.1:%d", shown, real);
    return text;
}

/* Three ports in a row. */
static int
free_ports(void)
{
    int port = proc_free_port();
    (void)proc_free_port();
    return port;
}

static int64_t
now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Both gates take each other for gone within the time that the link is cut. */
static void
start_gates(struct site_link *link, int lan_office, int lan_home, const char *retain_bytes)
{
    int real = free_ports();
    int shown = free_ports();
    link->relay = proc_start("tulle-test-relay", "--tcp", wire(shown, real), "--tcp",
                             wire(shown + 1, real + 1), "--tcp", wire(shown + 2, real + 2), NULL);
    proc_wait_text(link->relay, PROC_OUT, "ready");
    link->office = proc_start(
        "tulle-proxy", "--name", "office", "--suspect-ms", SUSPECT_MS, "--gone-ms", GONE_MS,
        "--segment", "lan", "--listen", proc_address(lan_office), "--segment", "wan", "--listen",
        proc_address(real), "--inlet", "--advertise", proc_address(shown), "--advertise-events",
        proc_address(shown + 1), "--advertise-inlet", proc_address(shown + 2), NULL);
    proc_wait_text(link->office, PROC_ERR, "segment=wan");
    link->home = proc_start("tulle-proxy", "--name", "home", "--suspect-ms", SUSPECT_MS,
                            "--gone-ms", GONE_MS, "--segment", "lan", "--listen",
                            proc_address(lan_home), "--retain-bytes", retain_bytes, "--segment",
                            "wan", "--dial-only", "--join", proc_address(shown), NULL);
    proc_wait_text(link->home, PROC_ERR, "state=up");
}

static void
write_chunk(struct site_link *link)
{
    size_t len = 0;
    char *lines = make_lines(link->written, CHUNK, &len);
    proc_write(link->pub, lines, len);
    link->written += CHUNK;
    free(lines);
}

static void
write_for(struct site_link *link, int ms)
{
    for (int64_t end = now_ms() + ms; now_ms() < end; proc_pause(CHUNK_EVERY_MS))
        write_chunk(link);
}

/* Both sites, and events that come through. */
static void
open_sites(struct site_link *link, const char *retain_bytes)
{
    int lan_office = proc_free_port();
    int lan_home = proc_free_port();
    start_gates(link, lan_office, lan_home, retain_bytes);
    link->tap = proc_start("tulle", "tap", "--json", "--name", "tap", "--join",
                           proc_address(lan_office), "load/**", NULL);
    proc_wait_text(link->home, PROC_ERR, "name=tap state=up");
    link->pub = proc_start("tulle", "pub", "--json", "--wait-peers", "--retain-ms", "1000",
                           "--join", proc_address(lan_home), NULL);
    write_for(link, 500);
    proc_wait_lines(link->tap, PROC_OUT, (size_t)link->written);
}

static void
tell_relay(struct site_link *link, const char *command)
{
    size_t answers = proc_count_lines(link->relay, PROC_OUT);
    proc_write(link->relay, command, strlen(command));
    proc_wait_lines(link->relay, PROC_OUT, answers + 1);
}

/* Nothing comes for a while, much is published, and the link is whole again. */
static void
cut_link(struct site_link *link)
{
    tell_relay(link, "cut\n");
    proc_pause(200);
    size_t before = proc_count_lines(link->tap, PROC_OUT);
    write_for(link, CUT_MS);
    proc_wait_text(link->home, PROC_ERR, "name=tap state=gone");
    assert_int_equal(proc_count_lines(link->tap, PROC_OUT), before);
    tell_relay(link, "heal\n");
    write_for(link, 1000);
}

static void
end_publisher(struct site_link *link)
{
    proc_close_input(link->pub);
    assert_int_equal(proc_wait(link->pub), 0);
}

/* The home gate has what the publisher does not keep any more. */
TEST(what_a_cut_link_missed_comes_from_what_the_gate_keeps)
{
    (void)state;
    struct site_link link = { 0 };
    open_sites(&link, "16M");
    cut_link(&link);
    end_publisher(&link);
    proc_wait_lines(link.tap, PROC_OUT, (size_t)link.written);
    proc_signal(link.tap, SIGINT);
    assert_int_equal(proc_wait(link.tap), 0);
    assert_all_in_order(link.tap, 0, link.written);
    /* Each change is said once; on a busy machine there may be more of them. */
    proc_wait_text(link.home, PROC_ERR, "state=lost");
    size_t lost = testkit_count(proc_text(link.home, PROC_ERR), "state=lost");
    assert_in_range(lost, 1, 3);
    assert_int_equal(testkit_count(proc_text(link.home, PROC_ERR), "state=up node="), lost + 1);
}

/* How many events a line tells to be missing. */
static int
missing_of(const json_t *line)
{
    const char *kind = json_string_value(json_object_get(line, "kind"));
    assert_non_null(kind);
    if (strcmp(kind, "gap") != 0)
        return 0;
    return (int)(json_integer_value(json_object_get(line, "last")) -
                 json_integer_value(json_object_get(line, "first")) + 1);
}

/* All that was written: each event is there in order, or told as missing. */
static int
judge_with_gaps(struct proc *tap, int *missing)
{
    int next = 0;
    *missing = 0;
    for (const char *line = proc_text(tap, PROC_OUT); *line != '\0';) {
        size_t len = strcspn(line, "\n");
        json_t *object = json_loadb(line, len, 0, NULL);
        if (object == NULL)
            break; /* not whole yet */
        int gap = missing_of(object);
        if (gap == 0) {
            const json_t *payload = json_object_get(object, "payload");
            assert_int_equal(json_integer_value(json_object_get(payload, "n")), next);
        }
        next += gap > 0 ? gap : 1;
        *missing += gap;
        json_decref(object);
        line += len + (line[len] == '\n' ? 1 : 0);
    }
    return next;
}

TEST(what_is_kept_nowhere_is_told_as_a_gap)
{
    (void)state;
    struct site_link link = { 0 };
    open_sites(&link, "4K");
    cut_link(&link);
    end_publisher(&link);
    int missing = 0;
    int64_t end = now_ms() + PROC_WAIT_MS;
    while (judge_with_gaps(link.tap, &missing) < link.written) {
        assert_true(now_ms() < end);
        proc_pause(100);
    }
    assert_int_equal(judge_with_gaps(link.tap, &missing), link.written);
    assert_true(missing > 0);
    assert_true(missing < link.written / 2 + CUT_MS / CHUNK_EVERY_MS * CHUNK);
}

/* The connections are there and carry nothing: they are made anew before anything is given up. */
TEST(a_half_open_link_carries_events_again_within_seconds)
{
    (void)state;
    struct site_link link = { 0 };
    open_sites(&link, "16M");
    tell_relay(&link, "lose\n");
    proc_pause(200);
    size_t before = proc_count_lines(link.tap, PROC_OUT);
    int64_t begin = now_ms();
    while (proc_count_lines(link.tap, PROC_OUT) == before) {
        write_for(&link, 100);
        assert_true(now_ms() - begin < HALF_OPEN_MS);
    }
    end_publisher(&link);
    proc_wait_lines(link.tap, PROC_OUT, (size_t)link.written);
    assert_all_in_order(link.tap, 0, link.written);
}

/* Those of the manual, as they are installed. */
TEST(examples_of_configurations_are_right)
{
    (void)state;
    int count = 0;
    DIR *directory = opendir(TULLE_EXAMPLES);
    assert_non_null(directory);
    for (const struct dirent *entry = readdir(directory); entry != NULL;
         entry = readdir(directory)) {
        char path[PATH_LEN];
        if (strncmp(entry->d_name, "wan-", 4) != 0)
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", TULLE_EXAMPLES, entry->d_name);
        struct proc *proc = proc_start("tulle-proxy", "--config", path, "--check-config", NULL);
        assert_int_equal(proc_wait(proc), 0);
        assert_string_equal(proc_text(proc, PROC_ERR), "");
        count++;
    }
    (void)closedir(directory);
    assert_true(count >= 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_a_cut_link_missed_comes_from_what_the_gate_keeps,
                                  proc_end_all),
        cmocka_unit_test_teardown(what_is_kept_nowhere_is_told_as_a_gap, proc_end_all),
        cmocka_unit_test_teardown(a_half_open_link_carries_events_again_within_seconds,
                                  proc_end_all),
        cmocka_unit_test_teardown(examples_of_configurations_are_right, proc_end_all),
    };
    return cmocka_run_group_tests_name("a wide-area link", tests, NULL, NULL);
}
