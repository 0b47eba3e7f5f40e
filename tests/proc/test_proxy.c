/* SPDX-License-Identifier: MPL-2.0 */

/* tulle-proxy as its operator sees it: configuration, reload, log lines, counters. */

#include "testkit.h"

#include "proc_steps.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATH_LEN = 128, TEXT_LEN = 1024, LOG_LEN = 1024 * 1024 };

TEST(a_right_configuration_is_ok)
{
    (void)state;
    char path[PATH_LEN];
    (void)snprintf(path, sizeof path, "%s/proxy.conf", proc_directory());
    write_file(path, "name = gate\n"
                     "segment = shop\n"
                     "    listen = tcp://127.0.0.1:*\n"
                     "    allow = orders/**\n"
                     "segment = office\n"
                     "    join = tcp://127.0.0.1:7100\n"
                     "    deny = \"**\"\n");
    struct proc *proc = proc_start("tulle-proxy", "--config", path, "--check-config", NULL);
    assert_int_equal(proc_wait(proc), 0);
    assert_says(proc, PROC_OUT, "ok: ");
    assert_string_equal(proc_text(proc, PROC_ERR), "");
}

/* Each mistake with its place, in one go. */
TEST(each_mistake_of_a_file_is_said)
{
    (void)state;
    char path[PATH_LEN];
    char place[PATH_LEN + 80];
    (void)snprintf(path, sizeof path, "%s/proxy.conf", proc_directory());
    write_file(path, "nonsense = 1\n"
                     "beat_ms = 5\n"
                     "segment = shop\n"
                     "    listen = 127.0.0.1:7100\n"
                     "    join = tcp://127.0.0.1:*\n"
                     "    allow = a//b\n"
                     "    lissen = x\n"
                     "log_level = loud\n");
    static const char *const mistakes[] = {
        ":1: unknown key 'nonsense'",         ":2: beat_ms: must be from 20",
        ":4: listen: '127.0.0.1:7100' is no", ":5: join: 'tcp://127.0.0.1:*' is no",
        ":6: allow: 'a//b' is no pattern",    ":7: unknown key 'lissen' in segment",
        ":8: log_level: must be one of",
    };
    struct proc *proc = proc_start("tulle-proxy", "--config", path, "--check-config", NULL);
    assert_int_equal(proc_wait(proc), 3);
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        (void)snprintf(place, sizeof place, "%s%s", path, mistakes[i]);
        assert_says(proc, PROC_ERR, place);
    }
    assert_int_equal(proc_count_lines(proc, PROC_ERR), sizeof mistakes / sizeof *mistakes);
    assert_string_equal(proc_text(proc, PROC_OUT), "");
}

/* Lines that are right by themselves, but not together. */
TEST(what_does_not_fit_together_is_said)
{
    (void)state;
    char path[PATH_LEN];
    (void)snprintf(path, sizeof path, "%s/proxy.conf", proc_directory());
    write_file(path, "segment = a\nsegment = a\n    beacon = \"\"\n");
    struct proc *proc = proc_start("tulle-proxy", "--config", path, "--check-config", NULL);
    assert_int_equal(proc_wait(proc), 3);
    assert_says(proc, PROC_ERR, path);
    assert_says(proc, PROC_ERR, "segment a: another segment has this name");

    write_file(path, "suspect_ms = 5000\ngone_ms = 100\nsegment = a\nsegment = b\n");
    proc = proc_start("tulle-proxy", "--config", path, "--check-config", NULL);
    assert_int_equal(proc_wait(proc), 3);
    assert_says(proc, PROC_ERR, path);
    assert_says(proc, PROC_ERR, "gone_ms");
}

TEST(a_printed_configuration_comes_to_the_same)
{
    (void)state;
    char path[PATH_LEN];
    (void)snprintf(path, sizeof path, "%s/proxy.conf", proc_directory());
    struct proc *first =
        proc_start("tulle-proxy", "--print-config", "--name", "gate", "--stats", "2.5", "--segment",
                   "shop", "--listen", "tcp://127.0.0.1:*", "--allow", "orders/**", "--allow",
                   "# 1", "--beacon", "--segment", "office", "--deny", "**", NULL);
    assert_int_equal(proc_wait(first), 0);
    write_file(path, proc_text(first, PROC_OUT));
    struct proc *second = proc_start("tulle-proxy", "--config", path, "--print-config", NULL);
    assert_int_equal(proc_wait(second), 0);
    assert_string_equal(proc_text(second, PROC_OUT), proc_text(first, PROC_OUT));
    assert_says(second, PROC_OUT, "    allow = \"# 1\"\n");
    assert_says(second, PROC_OUT, "stats = 2.5\n");
}

struct joined {
    int left, right, more;
    struct proc *proxy;
    char path[PATH_LEN];
};

/* A file for two segments; more_left and more_right are further lines. */
static void
write_config(const struct joined *j, const char *top, const char *more_left, const char *more_right)
{
    char text[TEXT_LEN];
    (void)snprintf(text, sizeof text,
                   "name = gate\n%ssegment = left\n    listen = %s\n%s"
                   "segment = right\n    listen = %s\n%s",
                   top, proc_address(j->left), more_left, proc_address(j->right), more_right);
    write_file(j->path, text);
}

static void
start_configured(struct joined *j)
{
    j->left = proc_free_port();
    j->right = proc_free_port();
    (void)snprintf(j->path, sizeof j->path, "%s/proxy.conf", proc_directory());
    write_config(j, "", "    deny = secret/**\n", "");
    j->proxy = proc_start("tulle-proxy", "--config", j->path, NULL);
    proc_wait_text(j->proxy, PROC_ERR, "proxy.started segment=right");
}

static struct proc *
tap_at(int port, const char *pattern, const char *count)
{
    return proc_start("tulle", "tap", "--join", proc_address(port), "--count", count, pattern,
                      NULL);
}

static void
pub_at(int port, const char *topic, const char *payload)
{
    struct proc *pub =
        proc_start("tulle", "pub", "--join", proc_address(port), topic, payload, NULL);
    assert_int_equal(proc_wait(pub), 0);
}

/* Patterns and new addresses come into force while links and peers stay. */
TEST(a_reload_changes_what_may_change)
{
    (void)state;
    struct joined j;
    start_configured(&j);
    int port = proc_free_port();
    (void)start_node("beyond", port);
    struct proc *tap = tap_at(j.right, "secret/**", "1");
    proc_wait_text(j.proxy, PROC_ERR, "segment=right");
    proc_pause(1500); /* the proxy hears what the tap takes */
    pub_at(j.left, "secret/a", "before");
    proc_pause(500);
    assert_null(strstr(proc_text(tap, PROC_OUT), "before"));

    char joins[80];
    (void)snprintf(joins, sizeof joins, "    join = %s\n", proc_address(port));
    write_config(&j, "stats = 0.2\n", "", joins);
    proc_signal(j.proxy, 1);
    proc_wait_text(j.proxy, PROC_ERR, "proxy.reloaded");
    proc_wait_text(j.proxy, PROC_ERR, "state=up node="); /* the address that is new */
    proc_wait_text(j.proxy, PROC_ERR, "proxy.stats segment=left");
    pub_at(j.left, "secret/a", "after");
    assert_int_equal(proc_wait(tap), 0);
    assert_says(tap, PROC_OUT, "after");
    assert_null(strstr(proc_text(tap, PROC_OUT), "before"));
    assert_null(strstr(proc_text(j.proxy, PROC_ERR), "state=gone"));
    assert_null(strstr(proc_text(j.proxy, PROC_ERR), "proxy.kept"));
    proc_signal(j.proxy, 15);
    assert_int_equal(proc_wait(j.proxy), 0);
}

TEST(a_reload_says_what_it_cannot_change)
{
    (void)state;
    struct joined j;
    start_configured(&j);
    int left = j.left;
    j.left = proc_free_port();
    write_config(&j, "mesh = other\nlog_format = json\n", "", "");
    proc_signal(j.proxy, 1);
    proc_wait_text(j.proxy, PROC_ERR, "proxy.reloaded");
    assert_says(j.proxy, PROC_ERR,
                "proxy.kept until a restart: mesh, segment left: listen, log_format\n");
    assert_int_equal(testkit_count(proc_text(j.proxy, PROC_ERR), "proxy.kept"), 1);
    proc_wait_port(left);
}

TEST(a_wrong_file_changes_nothing)
{
    (void)state;
    struct joined j;
    start_configured(&j);
    char place[PATH_LEN + 40];
    write_config(&j, "stats = soon\n", "", "    deny = x//y\n");
    proc_signal(j.proxy, 1);
    proc_wait_text(j.proxy, PROC_ERR, "the configuration stays as it was");
    (void)snprintf(place, sizeof place, "proxy.reload_failed %s:2: stats: ", j.path);
    assert_says(j.proxy, PROC_ERR, place);
    (void)snprintf(place, sizeof place, "proxy.reload_failed %s:7: deny: ", j.path);
    assert_says(j.proxy, PROC_ERR, place);
    assert_null(strstr(proc_text(j.proxy, PROC_ERR), "proxy.reloaded"));

    write_config(&j, "", "", "    deny = x\n"); /* and goes on to hear the signal */
    proc_signal(j.proxy, 1);
    proc_wait_text(j.proxy, PROC_ERR, "proxy.reloaded");
    proc_signal(j.proxy, 15);
    assert_int_equal(proc_wait(j.proxy), 0);

    struct proc *options = start_proxy("plain", proc_free_port(), proc_free_port(), NULL, NULL);
    proc_signal(options, 1);
    proc_wait_text(options, PROC_ERR, "started without --config");
    proc_signal(options, 15);
    assert_int_equal(proc_wait(options), 0);
}

/* One line for each change, with the reason. */
TEST(links_are_told_of_once_for_each_change)
{
    (void)state;
    int port = proc_free_port();
    const char *address = proc_address(port);
    char up[120];
    struct proc *proxy = proc_start("tulle-proxy", "--name", "gate", "--suspect-ms", "1000",
                                    "--segment", "left", "--listen", "tcp://127.0.0.1:*", "--join",
                                    address, "--join", "tcp://nowhere.invalid:7100", "--segment",
                                    "right", "--listen", "tcp://127.0.0.1:*", NULL);
    proc_wait_text(proxy, PROC_ERR, "state=refused why=nobody listens there");
    proc_wait_text(proxy, PROC_ERR, "address=tcp://nowhere.invalid:7100 state=unreachable why=");
    struct proc *node = start_node("peer", port);
    (void)snprintf(up, sizeof up, "link.state segment=left address=%s state=up", address);
    proc_wait_text(proxy, PROC_ERR, up);
    proc_kill(node);
    proc_wait_text(proxy, PROC_ERR, "state=lost");
    assert_says(proxy, PROC_ERR, "name=peer why=it is silent");
    proc_pause(500);
    node = start_node("peer", port);
    proc_pause(3000);
    assert_int_equal(testkit_count(proc_text(proxy, PROC_ERR), up), 2);
    proc_signal(node, 15);
    proc_wait_text(proxy, PROC_ERR, "name=peer why=it left");
    proc_pause(1000);
    assert_int_equal(testkit_count(proc_text(proxy, PROC_ERR), "state=lost"), 2);
    assert_in_range(testkit_count(proc_text(proxy, PROC_ERR), "state=refused"), 2, 3);
    assert_int_equal(testkit_count(proc_text(proxy, PROC_ERR), "state=unreachable"), 1);
}

TEST(counters_are_told_for_each_segment)
{
    (void)state;
    int left = proc_free_port();
    int right = proc_free_port();
    struct proc *proxy = proc_start("tulle-proxy", "--name", "gate", "--stats", "0.3", "--segment",
                                    "left", "--listen", proc_address(left), "--segment", "right",
                                    "--listen", proc_address(right), NULL);
    proc_wait_text(proxy, PROC_ERR, "proxy.stats segment=left");
    struct proc *tap = tap_at(right, "x/**", "2");
    proc_wait_text(proxy, PROC_ERR, "peers_up=1");
    proc_pause(1500); /* the proxy hears what the tap takes */
    pub_at(left, "x/1", "one");
    pub_at(left, "x/2", "two");
    assert_int_equal(proc_wait(tap), 0);
    proc_wait_text(proxy, PROC_ERR, "relayed_batches=2");
    assert_says(proxy, PROC_ERR, "proxy.stats segment=right");
}

/* ---- limits ---- */

/* A proxy from the segment at one port to another one; messages may pass so many. */
static struct proc *
start_next(int from, int to, const char *hops_max)
{
    struct proc *proxy =
        proc_start("tulle-proxy", "--hops-max", hops_max, "--stats", "0.2", "--segment", "left",
                   "--listen", "tcp://127.0.0.1:*", "--join", proc_address(from), "--segment",
                   "right", "--listen", proc_address(to), NULL);
    proc_wait_text(proxy, PROC_ERR, "proxy.started segment=right");
    return proxy;
}

/* A publisher that stays. */
static void
say(int port, const char *topic)
{
    struct proc *pub =
        proc_start("tulle", "pub", "--lines", "-w0", "--join", proc_address(port), topic, NULL);
    proc_write(pub, "here\n", 5);
}

/* What comes from the other end of two proxies in a row has passed one before the second. */
TEST(a_message_passes_as_many_proxies_as_it_may)
{
    (void)state;
    int ports[4];
    struct proc *taps[2];
    for (size_t i = 0; i < 4; i++)
        ports[i] = proc_free_port();
    (void)start_proxy("first", ports[0], ports[1], NULL, NULL);
    struct proc *strict = start_next(ports[1], ports[2], "1");
    (void)start_next(ports[1], ports[3], "2");
    for (size_t i = 0; i < 2; i++) {
        taps[i] = proc_start("tulle", "tap", "--join", proc_address(ports[2 + i]), "--from",
                             "earliest", "from/**", NULL);
    }
    say(ports[0], "from/far");
    say(ports[1], "from/near");
    proc_wait_text(taps[1], PROC_OUT, "from/far here");
    proc_wait_text(taps[1], PROC_OUT, "from/near here");
    proc_wait_text(taps[0], PROC_OUT, "from/near here");
    proc_wait_text(strict, PROC_ERR, " dropped_hops=");
    assert_null(strstr(proc_text(taps[0], PROC_OUT), "from/far"));
}

/* COUNT events of PAYLOAD bytes cross a proxy with that limit: how many seconds that takes. */
enum { COUNT = 40, PAYLOAD = 1000 };

static double
seconds_with(const char *limit, const char *value, const char *told)
{
    char payload[PAYLOAD + 1] = "";
    struct timespec start;
    struct timespec end;
    int left = proc_free_port();
    int right = proc_free_port();
    struct proc *proxy =
        proc_start("tulle-proxy", "--segment", "left", "--listen", proc_address(left), limit, value,
                   "--segment", "right", "--listen", proc_address(right), NULL);
    proc_wait_text(proxy, PROC_ERR, "proxy.started segment=right");
    struct proc *tap = proc_start("tulle", "tap", "--join", proc_address(right), "--count", "40",
                                  "-F", "%s.", "x", NULL);
    memset(payload, 'x', PAYLOAD);
    (void)clock_gettime(CLOCK_MONOTONIC, &start);
    assert_ends(proc_start("tulle", "pub", "-n", "40", "--batch-bytes", "2K", "--join",
                           proc_address(left), "--wait-peers", "x", payload, NULL),
                0);
    assert_ends(tap, 0);
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    assert_int_equal(proc_count_lines(tap, PROC_OUT), COUNT);
    assert_says(proxy, PROC_ERR, told);
    return (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
}

/* What a second may take is there at once, the rest takes its time. */
TEST(so_many_bytes_leave_in_a_second)
{
    (void)state;
    double seconds = seconds_with("--bytes-per-second", "16K",
                                  "state=holding events_per_second=0 bytes_per_second=16384\n");
    assert_true(seconds > (double)(COUNT * PAYLOAD) / 16384 - 1.1);
}

TEST(so_many_events_leave_in_a_second)
{
    (void)state;
    double seconds = seconds_with("--events-per-second", "18",
                                  "state=holding events_per_second=18 bytes_per_second=0\n");
    assert_true(seconds > (double)COUNT / 18 - 1.1);
}

TEST(payloads_leave_up_to_a_size)
{
    (void)state;
    char payload[PAYLOAD + 1] = "";
    int left = proc_free_port();
    int right = proc_free_port();
    struct proc *proxy = proc_start("tulle-proxy", "--segment", "left", "--listen",
                                    proc_address(left), "--event-bytes-max", "999", "--segment",
                                    "right", "--listen", proc_address(right), NULL);
    proc_wait_text(proxy, PROC_ERR, "proxy.started segment=right");
    struct proc *tap =
        proc_start("tulle", "tap", "--join", proc_address(right), "-F", "%k %t", "**", NULL);
    memset(payload, 'x', PAYLOAD);
    struct proc *large = proc_start("tulle", "pub", "--no-wait", "--join", proc_address(left),
                                    "--wait-peers", "large", payload, NULL);
    assert_ends(large, 0);
    proc_wait_text(proxy, PROC_ERR, "proxy.too_large");
    assert_says(proxy, PROC_ERR, "stream=large event_bytes_max=999");
    assert_ends(proc_start("tulle", "pub", "--join", proc_address(left), "--wait-peers", "small",
                           "few bytes", NULL),
                0);
    proc_wait_text(tap, PROC_OUT, "event small");
    assert_null(strstr(proc_text(tap, PROC_OUT), "event large"));
}

/* ---- as others see it ---- */

TEST(it_is_of_its_mesh_and_beats_as_it_is_told)
{
    (void)state;
    int port = proc_free_port();
    struct proc *proxy =
        proc_start("tulle-proxy", "--name", "gate", "--mesh", "yard", "--beat-ms", "150",
                   "--log-format", "json", "--segment", "left", "--listen", proc_address(port),
                   "--segment", "right", "--listen", "tcp://127.0.0.1:*", NULL);
    proc_wait_text(proxy, PROC_ERR, "\"id\":\"proxy.started\"");
    struct proc *ls = proc_start("tulle", "ls", "nodes", "--json", "--mesh", "yard", "--join",
                                 proc_address(port), NULL);
    assert_ends(ls, 0);
    const char *gate = strstr(proc_text(ls, PROC_OUT), "\"name\":\"gate\"");
    assert_non_null(gate);
    assert_non_null(strstr(gate, "\"beat_ms\":150,"));
    assert_ends(proc_start("tulle", "ls", "--join", proc_address(port), "-W", "0.5", NULL), 4);
}

TEST(its_log_has_no_more_than_it_is_told)
{
    (void)state;
    int port = proc_free_port();
    struct proc *proxy =
        proc_start("tulle-proxy", "--log-level", "error", "--segment", "left", "--listen",
                   proc_address(port), "--segment", "right", "--listen", "tcp://127.0.0.1:*", NULL);
    proc_wait_port(port);
    proc_signal(proxy, 15);
    assert_ends(proxy, 0);
    assert_string_equal(proc_text(proxy, PROC_ERR), "");
}

/* In a network of its own, with a virtual cable, which can broadcast. */
TEST(it_is_at_the_interface_and_beacons_that_are_told)
{
    (void)state;
    static const char script[] =
        "ip link set lo up; ip link add office type veth peer name lan; ip link set office up; "
        "ip link set lan up; ip address add 10.2.0.1/24 broadcast + dev lan && "
        "ip address add 10.1.0.1/24 broadcast + dev office || exit 77\n"
        "echo ready; at='--beacon=office --beacon-port 7199'\n"
        "tulle-node $at --name shop --log-level info & node=$!\n"
        "tulle-proxy --name gate --segment left $at --interface office "
        "--segment right --listen 'tcp://127.0.0.1:*' &\n"
        "read line; kill $node $!; wait $node $!\n";
    struct proc *shell = start_in_network(script);
    while (strstr(proc_text(shell, PROC_OUT), "ready") == NULL) {
        if (proc_has_ended(shell) && proc_wait(shell) == 77)
            skip();
        assert_false(proc_has_ended(shell));
        proc_pause(20);
    }
    proc_wait_text(shell, PROC_ERR, "name=gate state=up address=tcp://10.1.0.1:");
    assert_says(shell, PROC_ERR, "proxy.started segment=left address=tcp://10.1.0.1:");
    proc_close_input(shell);
    assert_ends(shell, 0);
}

static struct proc *
pub_lines(int port, int first, int count)
{
    size_t len = 0;
    char *lines = make_lines(first, count, &len);
    struct proc *pub = proc_start("tulle", "pub", "--join", proc_address(port), "--json", NULL);
    proc_write(pub, lines, len);
    proc_close_input(pub);
    free(lines);
    return pub;
}

/* What waits for a rate is told, and a reload that raises the rate lets it go. */
TEST(a_rate_can_be_raised_while_events_wait)
{
    enum { FIRST = 8, EVENTS = 60 };
    (void)state;
    struct joined j;
    start_configured(&j);
    write_config(&j, "stats = 0.2\n", "    events_per_second = 1\n", "");
    proc_signal(j.proxy, 1);
    proc_wait_text(j.proxy, PROC_ERR, "proxy.reloaded");
    struct proc *tap = proc_start("tulle", "tap", "--json", "--join", proc_address(j.right),
                                  "--count", "60", "load/**", NULL);
    proc_pause(1500); /* the proxy hears what the tap takes */
    /* The first uses the rate up, for a while. */
    assert_int_equal(proc_wait(pub_lines(j.left, 0, FIRST)), 0);
    struct proc *pub = pub_lines(j.left, FIRST, EVENTS - FIRST);
    proc_wait_text(j.proxy, PROC_ERR, "limited_events=");
    assert_says(j.proxy, PROC_ERR, "state=holding events_per_second=1 bytes_per_second=0\n");
    assert_false(proc_has_ended(tap));
    write_config(&j, "stats = 0.2\n", "    events_per_second = 1000\n", "");
    proc_signal(j.proxy, 1);
    assert_int_equal(proc_wait(tap), 0);
    assert_all_in_order(tap, 0, EVENTS);
    assert_int_equal(proc_wait(pub), 0);
    assert_null(strstr(proc_text(j.proxy, PROC_ERR), "proxy.kept"));
    /* One line when it began to hold something back, one when that was over. */
    for (int i = 0; testkit_count(proc_text(j.proxy, PROC_ERR), "state=open for_ms=") <
                    testkit_count(proc_text(j.proxy, PROC_ERR), "state=holding");
         i++) {
        assert_true(i < 100);
        proc_pause(100);
    }
    assert_in_range(testkit_count(proc_text(j.proxy, PROC_ERR), "limit.state"), 2, 4);
    assert_in_range(strtol(proc_wait_word(j.proxy, PROC_ERR, "held_events="), NULL, 10), 1, EVENTS);
}

/* ---- a log that nobody reads ---- */

/* A pipe with a name, that is read only by read_log(). */
static int
open_log(const char *path)
{
    assert_int_equal(mkfifo(path, 0600), 0);
    int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC); /* never without a reader or writer */
    assert_true(fd >= 0);
    return fd;
}

static void
fill_log(int fd)
{
    char lines[PIPE_BUF];
    memset(lines, '.', sizeof lines);
    memcpy(lines, "20Z ", 4);
    lines[sizeof lines - 1] = '\n';
    while (write(fd, lines, sizeof lines) > 0)
        continue;
}

/* Until a line with the text has come. Every line must be whole. */
static void
read_log(int fd, const char *text)
{
    static char log[LOG_LEN];
    size_t len = 0;
    const char *found = NULL;
    for (int i = 0; found == NULL || strchr(found, '\n') == NULL; i++) {
        assert_true(i < 200 && len < sizeof log - 1);
        ssize_t got = read(fd, log + len, sizeof log - 1 - len);
        len += got > 0 ? (size_t)got : 0;
        log[len] = '\0';
        found = strstr(log, text);
        proc_pause(50);
    }
    for (const char *line = log; *line != '\0'; line = strchr(line, '\n') + 1) {
        assert_non_null(strchr(line, '\n'));
        assert_int_equal(strncmp(line, "20", 2), 0);
        assert_non_null(strstr(line, "Z "));
    }
}

TEST(a_log_that_nobody_reads_stops_nothing)
{
    (void)state;
    char path[PATH_LEN];
    (void)snprintf(path, sizeof path, "%s/log", proc_directory());
    int fd = open_log(path);
    fill_log(fd);
    int left = proc_free_port();
    int right = proc_free_port();
    struct proc *proxy =
        proc_start("/bin/sh", "-c", "exec \"$TULLE_BIN_DIR/tulle-proxy\" \"$@\" 2>\"$0\"", path,
                   "--stats", "0.05", "--segment", "left", "--listen", proc_address(left),
                   "--segment", "right", "--listen", proc_address(right), NULL);
    proc_wait_port(right);
    struct proc *tap = tap_at(right, "x/**", "2");
    proc_pause(1500); /* the proxy hears what the tap takes */
    pub_at(left, "x/1", "one");
    pub_at(left, "x/2", "two");
    assert_int_equal(proc_wait(tap), 0);
    read_log(fd, "log.dropped count=");
    fill_log(fd);
    proc_signal(proxy, 15);
    assert_int_equal(proc_wait(proxy), 0);
    (void)close(fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_right_configuration_is_ok, proc_end_all),
        cmocka_unit_test_teardown(each_mistake_of_a_file_is_said, proc_end_all),
        cmocka_unit_test_teardown(what_does_not_fit_together_is_said, proc_end_all),
        cmocka_unit_test_teardown(a_printed_configuration_comes_to_the_same, proc_end_all),
        cmocka_unit_test_teardown(a_reload_changes_what_may_change, proc_end_all),
        cmocka_unit_test_teardown(a_reload_says_what_it_cannot_change, proc_end_all),
        cmocka_unit_test_teardown(a_wrong_file_changes_nothing, proc_end_all),
        cmocka_unit_test_teardown(links_are_told_of_once_for_each_change, proc_end_all),
        cmocka_unit_test_teardown(counters_are_told_for_each_segment, proc_end_all),
        cmocka_unit_test_teardown(a_message_passes_as_many_proxies_as_it_may, proc_end_all),
        cmocka_unit_test_teardown(so_many_bytes_leave_in_a_second, proc_end_all),
        cmocka_unit_test_teardown(so_many_events_leave_in_a_second, proc_end_all),
        cmocka_unit_test_teardown(payloads_leave_up_to_a_size, proc_end_all),
        cmocka_unit_test_teardown(it_is_of_its_mesh_and_beats_as_it_is_told, proc_end_all),
        cmocka_unit_test_teardown(its_log_has_no_more_than_it_is_told, proc_end_all),
        cmocka_unit_test_teardown(it_is_at_the_interface_and_beacons_that_are_told, proc_end_all),
        cmocka_unit_test_teardown(a_rate_can_be_raised_while_events_wait, proc_end_all),
        cmocka_unit_test_teardown(a_log_that_nobody_reads_stops_nothing, proc_end_all),
    };
    return cmocka_run_group_tests_name("tulle-proxy", tests, NULL, NULL);
}
