/* SPDX-License-Identifier: MPL-2.0 */

/* tulle bench and tulle latency: what they print, and that they tell what goes wrong. */

#include "testkit.h"

#include "proc_kit.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHILDREN_MAX = 8 };

static json_t *
read_json(struct proc *proc)
{
    json_error_t error;
    json_t *root = json_loads(proc_text(proc, PROC_OUT), 0, &error);
    if (root == NULL)
        print_error("%s in %s\n", error.text, proc_text(proc, PROC_OUT));
    assert_non_null(root);
    return root;
}

static json_t *
result_at(const json_t *root, size_t index)
{
    json_t *result = json_array_get(json_object_get(root, "results"), index);
    assert_non_null(result);
    return result;
}

static void
assert_whole(const json_t *object, const char *name, long long value)
{
    const json_t *member = json_object_get(object, name);
    assert_true(json_is_integer(member));
    assert_int_equal(json_integer_value(member), value);
}

static void
assert_text(const json_t *object, const char *name, const char *value)
{
    const char *text = json_string_value(json_object_get(object, name));
    assert_non_null(text);
    assert_string_equal(text, value);
}

static void
assert_above_0(const json_t *object, const char *name)
{
    const json_t *member = json_object_get(object, name);
    assert_true(json_is_number(member));
    assert_true(json_number_value(member) > 0);
}

static void
assert_clean(const json_t *object)
{
    static const char *const faults[] = { "lost", "gaps", "misordered", "uncaused", "foreign" };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        assert_whole(object, faults[i], 0);
}

static void
assert_spread(const json_t *object, const char *name)
{
    const json_t *spread = json_object_get(object, name);
    assert_above_0(spread, "min");
    double median = json_number_value(json_object_get(spread, "median"));
    assert_true(median >= json_number_value(json_object_get(spread, "min")));
    assert_true(median <= json_number_value(json_object_get(spread, "max")));
}

TEST(one_to_one_is_measured_and_described)
{
    (void)state;
    struct proc *bench = proc_start("tulle", "bench", "--json", "-n", "3000", "--warmup", "0.1",
                                    "-r", "2", "-s", "64,1K", NULL);
    assert_int_equal(proc_wait(bench), 0);
    assert_string_equal(proc_text(bench, PROC_ERR), "");
    json_t *root = read_json(bench);
    assert_text(root, "tool", "tulle bench");
    assert_int_equal(json_array_size(json_object_get(root, "results")), 2);
    const json_t *result = result_at(root, 1);
    assert_whole(result, "publishers", 1);
    assert_whole(result, "subscribers", 1);
    assert_whole(result, "size", 1024);
    assert_text(result, "order", "causal");
    assert_text(result, "transport", "tcp");
    assert_spread(result, "events_per_second");
    assert_spread(result, "deliveries_per_second");
    assert_clean(result);
    const json_t *cpu = json_object_get(result, "cpu_seconds_per_million");
    assert_above_0(cpu, "publisher");
    assert_above_0(cpu, "subscriber");
    assert_above_0(cpu, "total");
    assert_above_0(json_object_get(result, "peak_rss_bytes"), "subscriber");
    assert_int_equal(json_array_size(json_object_get(result, "runs")), 2);
    const json_t *run = json_array_get(json_object_get(result, "runs"), 0);
    assert_whole(run, "published", 3000);
    assert_whole(run, "delivered", 3000);
    assert_int_equal(json_array_size(json_object_get(run, "processes")), 2);
    json_decref(root);
}

/* Each of three takes what the two others publish, on several streams, in causal order. */
TEST(nodes_that_do_both_depend_on_each_other)
{
    (void)state;
    struct proc *bench =
        proc_start("tulle", "bench", "--json", "--both", "3", "--transport", "ipc", "-n", "500",
                   "--warmup", "0", "-r", "1", "-s", "64", "--streams", "2", "--topics", "2", NULL);
    assert_int_equal(proc_wait(bench), 0);
    json_t *root = read_json(bench);
    const json_t *result = result_at(root, 0);
    assert_whole(result, "both", 3);
    assert_whole(result, "publishers", 0);
    assert_text(result, "transport", "ipc");
    assert_clean(result);
    assert_true(json_is_null(
        json_object_get(json_object_get(result, "cpu_seconds_per_million"), "publisher")));
    const json_t *run = json_array_get(json_object_get(result, "runs"), 0);
    assert_whole(run, "published", 1500);
    assert_whole(run, "delivered", 3000);
    json_decref(root);
}

static double
latency_at(const json_t *result, const char *name)
{
    const json_t *member = json_object_get(json_object_get(result, "latency_us"), name);
    assert_true(json_is_number(member));
    return json_number_value(member);
}

TEST(latencies_are_measured_and_described)
{
    (void)state;
    struct proc *latency = proc_start("tulle", "latency", "--json", "-n", "500", "--warmup", "0.1",
                                      "-r", "2", "--rate", "1000,2500.5", "-c", "2", NULL);
    assert_int_equal(proc_wait(latency), 0);
    assert_string_equal(proc_text(latency, PROC_ERR), "");
    json_t *root = read_json(latency);
    assert_int_equal(json_array_size(json_object_get(root, "results")), 2);
    const json_t *result = result_at(root, 1);
    assert_true(json_number_value(json_object_get(result, "rate")) == 2500.5);
    assert_whole(result, "size", 64);
    assert_clean(result);
    assert_whole(json_object_get(result, "latency_us"), "count", 2000); /* runs, subscribers */
    static const char *const rising[] = { "min", "p50",  "p75",   "p90", "p95",
                                          "p99", "p999", "p9999", "max" };
    assert_true(latency_at(result, "min") > 0);
    for (size_t i = 1; i < sizeof rising / sizeof *rising; i++)
        assert_true(latency_at(result, rising[i]) >= latency_at(result, rising[i - 1]));
    const json_t *run = json_array_get(json_object_get(result, "runs"), 1);
    assert_whole(json_object_get(run, "latency_us"), "count", 1000);
    json_decref(root);
}

/* Two subscribers answer each event. */
TEST(answers_are_waited_for)
{
    (void)state;
    struct proc *latency =
        proc_start("tulle", "latency", "--json", "-n", "200", "--warmup", "0", "-r", "1", "--rate",
                   "1000", "-c", "2", "--round-trip", "-t", "ipc", "--spin", NULL);
    assert_int_equal(proc_wait(latency), 0);
    json_t *root = read_json(latency);
    const json_t *result = result_at(root, 0);
    assert_true(json_is_true(json_object_get(result, "round_trip")));
    assert_clean(result);
    assert_whole(json_object_get(result, "latency_us"), "count", 400);
    const json_t *run = json_array_get(json_object_get(result, "runs"), 0);
    assert_whole(run, "published", 200);
    assert_whole(run, "delivered", 400);
    json_decref(root);
}

/* With a rate, the table says about that rate. */
TEST(a_rate_is_kept)
{
    (void)state;
    struct proc *bench =
        proc_start("tulle", "bench", "--csv", "--rate", "2000", "-d", "0.5", "--warmup", "0.1",
                   "-r", "1", "-s", "64", "-c", "2", "-o", "fifo", NULL);
    assert_int_equal(proc_wait(bench), 0);
    assert_int_equal(proc_count_lines(bench, PROC_OUT), 2);
    const char *row = strchr(proc_text(bench, PROC_OUT), '\n') + 1;
    static const char head[] = "1,2,0,0,1,1,64,fifo,tcp,2000,1,";
    assert_int_equal(strncmp(row, head, strlen(head)), 0);
    double rate = strtod(row + strlen(head), NULL);
    assert_true(rate > 1000 && rate < 3000);
}

/* All goes through both of them, in either direction, and comes in order. */
TEST(proxies_are_between)
{
    (void)state;
    struct proc *bench = proc_start("tulle", "bench", "--json", "--proxies", "2", "-p", "2", "-c",
                                    "2", "-n", "300", "--warmup", "0", "-r", "1", "-s", "64", NULL);
    struct proc *latency =
        proc_start("tulle", "latency", "--json", "-P", "1", "-n", "200", "--warmup", "0", "-r", "1",
                   "--rate", "1000", "--round-trip", "-t", "ipc", NULL);
    assert_int_equal(proc_wait(bench), 0);
    json_t *root = read_json(bench);
    const json_t *result = result_at(root, 0);
    assert_whole(result, "proxies", 2);
    assert_clean(result);
    assert_above_0(json_object_get(result, "cpu_seconds_per_million"), "proxy");
    assert_above_0(json_object_get(result, "peak_rss_bytes"), "proxy");
    const json_t *run = json_array_get(json_object_get(result, "runs"), 0);
    assert_whole(run, "delivered", 1200);
    const json_t *processes = json_object_get(run, "processes");
    assert_int_equal(json_array_size(processes), 6);
    for (size_t i = 4; i < 6; i++) {
        const json_t *process = json_array_get(processes, i);
        assert_text(process, "role", "proxy");
        assert_true(json_integer_value(json_object_get(process, "relayed")) >= 600);
    }
    json_decref(root);
    assert_int_equal(proc_wait(latency), 0);
    root = read_json(latency);
    assert_clean(result_at(root, 0));
    assert_whole(json_object_get(result_at(root, 0), "latency_us"), "count", 200);
    json_decref(root);
}

/* Nodes that do both are on both sides. */
TEST(rates_are_measured_in_turn)
{
    (void)state;
    struct proc *bench =
        proc_start("tulle", "bench", "--csv", "--both", "2", "-P", "1", "--rate", "0,1000", "-n",
                   "200", "--warmup", "0", "-r", "1", "-s", "64", NULL);
    assert_int_equal(proc_wait(bench), 0);
    assert_int_equal(proc_count_lines(bench, PROC_OUT), 3);
    const char *text = proc_text(bench, PROC_OUT);
    assert_int_equal(strncmp(text, "publishers,subscribers,both,proxies,", 36), 0);
    assert_non_null(strstr(text, ",p99_us,p999_us,p9999_us,max_us\n"));
    assert_non_null(strstr(text, "\n0,0,2,1,1,1,64,causal,tcp,0,1,"));
    assert_non_null(strstr(text, "\n0,0,2,1,1,1,64,causal,tcp,1000,1,"));
}

/* Each with each, the last of the lists fastest; a table says of each what it is about. */
TEST(numbers_of_everything_are_multiplied)
{
    (void)state;
    static const char *const heads[] = { "1,1,0,0,1,1,64", "1,1,0,0,1,3,64", "1,2,0,0,1,1,64",
                                         "1,2,0,0,1,3,64", "2,1,0,0,1,1,64", "2,1,0,0,1,3,64",
                                         "2,2,0,0,1,1,64", "2,2,0,0,1,3,64" };
    struct proc *bench =
        proc_start("tulle", "bench", "--csv", "-p", "1,2", "-c", "1,2", "--topics", "1,3", "-n",
                   "50", "--warmup", "0", "-r", "1", "-s", "64", NULL);
    assert_int_equal(proc_wait(bench), 0);
    const char *line = proc_text(bench, PROC_OUT);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        line = strchr(line, '\n') + 1;
        assert_int_equal(strncmp(line, heads[i], strlen(heads[i])), 0);
    }
    assert_string_equal(strchr(line, '\n'), "\n");
    bench = proc_start("tulle", "bench", "--both", "2,3", "--streams", "2", "-n", "50", "--warmup",
                       "0", "-r", "1", "-s", "64", NULL);
    assert_int_equal(proc_wait(bench), 0);
    assert_non_null(
        strstr(proc_text(bench, PROC_OUT), "2 nodes that do both, 2 streams each, tcp"));
    assert_non_null(
        strstr(proc_text(bench, PROC_OUT), "\n\n3 nodes that do both, 2 streams each, tcp"));
}

/* What "script" runs, with a terminal for standard error. */
TEST(progress_is_for_terminals)
{
    (void)state;
    char command[1024];
    static const char *const quiet[] = { "", " --quiet" };
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(command, sizeof command,
                       "%s/tulle bench -d 1 --warmup 0 -r 1 -s 64 --rate 100%s >/dev/null",
                       getenv("TULLE_BIN_DIR"), quiet[i]);
        struct proc *bench = proc_start("/usr/bin/script", "-qec", command, "/dev/null", NULL);
        assert_int_equal(proc_wait(bench), 0);
        bool has_shown =
            strstr(proc_text(bench, PROC_OUT), "size 64, 100 a second, run 1 of 1, ") != NULL &&
            strstr(proc_text(bench, PROC_OUT), " delivered, ") != NULL;
        assert_int_equal(has_shown, i == 0);
    }
}

TEST(a_table_is_printed)
{
    (void)state;
    struct proc *bench = proc_start("tulle", "bench", "-n", "100", "--warmup", "0", "-r", "1", "-s",
                                    "32", "-p", "2", NULL);
    assert_int_equal(proc_wait(bench), 0);
    assert_string_equal(proc_text(bench, PROC_ERR), ""); /* progress is for terminals */
    assert_int_equal(proc_count_lines(bench, PROC_OUT), 5);
    assert_non_null(strstr(proc_text(bench, PROC_OUT), "latency p50 "));
    assert_non_null(strstr(proc_text(bench, PROC_OUT), "2 publishers, 1 subscriber, tcp"));
}

/* Wait until the bench has so many processes, oldest first. */
static void
wait_children(struct proc *bench, pid_t *children, size_t count)
{
    for (int i = 0; i < 1000 && proc_children(bench, children, CHILDREN_MAX) < count; i++)
        proc_pause(10);
    assert_int_equal(proc_children(bench, children, CHILDREN_MAX), count);
}

/* A process of a run that goes on for so many seconds sleeps in the middle of it. How long a run
 * takes to begin nobody can say of a busy machine, so who calls this tries longer runs too. */
enum { SHORT_S = 3, LONG_S = 27 };

static void
sleep_halfway(struct proc *run, size_t which, int seconds, int ms)
{
    pid_t children[CHILDREN_MAX];
    wait_children(run, children, 2);
    proc_pause(seconds * 500);
    assert_int_equal(kill(children[which], SIGSTOP), 0);
    proc_pause(ms);
    assert_int_equal(kill(children[which], SIGCONT), 0);
}

static const char *
text_of_number(int number)
{
    static char text[16];
    (void)snprintf(text, sizeof text, "%d", number);
    return text;
}

/* The publisher sleeps for a while: what was due meanwhile is late by as much, and is in the
 * figures. */
TEST(a_pause_of_the_publisher_is_not_omitted)
{
    (void)state;
    bool is_told = false;
    for (int seconds = SHORT_S; seconds <= LONG_S && !is_told; seconds *= 3) {
        struct proc *latency =
            proc_start("tulle", "latency", "--json", "-d", text_of_number(seconds), "--warmup",
                       "0.1", "-r", "1", "--rate", "500", NULL);
        sleep_halfway(latency, 0, seconds, seconds * 250);
        assert_int_equal(proc_wait(latency), 0);
        json_t *root = read_json(latency);
        const json_t *result = result_at(root, 0);
        assert_whole(json_object_get(result, "latency_us"), "count", seconds * 500);
        is_told = latency_at(result, "max") > seconds * 240e3 &&
                  latency_at(result, "p90") > seconds * 60e3; /* a fourth of the events was due */
        json_decref(root);
    }
    assert_true(is_told);
}

TEST(a_histogram_is_drawn)
{
    (void)state;
    struct proc *latency = proc_start("tulle", "latency", "-n", "100", "--warmup", "0", "-r", "1",
                                      "--rate", "1000", "--histogram", NULL);
    assert_int_equal(proc_wait(latency), 0);
    assert_non_null(strstr(proc_text(latency, PROC_OUT), "100.0000% |#"));
    struct proc *csv = proc_start("tulle", "latency", "-n", "100", "--warmup", "0", "-r", "1",
                                  "--rate", "1000", "--csv", NULL);
    assert_int_equal(proc_wait(csv), 0);
    assert_non_null(strstr(proc_text(csv, PROC_OUT), "\n1,0,64,causal,tcp,0,1000,1,100,"));
}

/* A subscriber that sleeps while events pass by that nobody keeps: what it missed is told. */
TEST(a_loss_is_status_1)
{
    (void)state;
    struct proc *bench = NULL;
    bool is_told = false;
    for (int seconds = SHORT_S; seconds <= LONG_S && !is_told; seconds *= 3) {
        bench = proc_start("tulle", "bench", "--json", "-d", text_of_number(seconds), "--warmup",
                           "0", "-r", "1", "-s", "16K", "-w", "0", "--retain-bytes", "0",
                           "--hold-ms", "300", NULL);
        sleep_halfway(bench, 1, seconds, seconds * 300);
        int status = proc_wait(bench);
        is_told = status == 1 && strstr(proc_text(bench, PROC_ERR), "events lost") != NULL;
    }
    assert_true(is_told);
    json_t *root = read_json(bench);
    assert_above_0(result_at(root, 0), "lost");
    assert_above_0(result_at(root, 0), "gaps");
    assert_whole(result_at(root, 0), "misordered", 0);
    json_decref(root);
}

TEST(a_dead_node_ends_the_run)
{
    (void)state;
    pid_t children[CHILDREN_MAX];
    struct proc *bench = proc_start("tulle", "bench", "-d", "20", "-s", "64", "-c", "2", NULL);
    wait_children(bench, children, 3);
    assert_int_equal(kill(children[1], SIGKILL), 0);
    assert_int_equal(proc_wait(bench), 1);
    assert_non_null(strstr(proc_text(bench, PROC_ERR), "signal 9"));
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(kill(children[i], 0), -1);
}

/* A node that stands still, with a publisher that waits for it. */
TEST(a_node_that_hangs_ends_the_run)
{
    (void)state;
    pid_t children[CHILDREN_MAX];
    struct proc *bench = proc_start("tulle", "bench", "-d", "100", "-s", "64", "-w", "4K",
                                    "--warmup", "0", "--timeout", "2", "--hold-ms", "300", NULL);
    wait_children(bench, children, 2);
    proc_pause(2000);
    assert_int_equal(kill(children[1], SIGSTOP), 0);
    assert_int_equal(proc_wait(bench), 1);
    assert_non_null(strstr(proc_text(bench, PROC_ERR), "a node's process hangs"));
}

TEST(a_signal_ends_the_run)
{
    (void)state;
    pid_t children[CHILDREN_MAX];
    struct proc *bench = proc_start("tulle", "bench", "-d", "20", "-s", "64", NULL);
    wait_children(bench, children, 2);
    proc_signal(bench, SIGTERM);
    assert_int_equal(proc_wait(bench), 1);
    assert_non_null(strstr(proc_text(bench, PROC_ERR), "interrupted"));
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(kill(children[i], 0), -1);
}

/* Has it not ended? One that nobody has waited for yet has. */
static bool
is_running(pid_t pid)
{
    char path[64];
    char state = 'Z';
    (void)snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    int found = fscanf(file, "%*d (%*[^)]) %c", &state);
    (void)fclose(file);
    return found == 1 && state != 'Z' && state != 'X';
}

/* Also when nobody can tell them any more. */
TEST(nodes_end_with_the_bench)
{
    (void)state;
    pid_t children[CHILDREN_MAX];
    struct proc *bench = proc_start("tulle", "bench", "-d", "20", "-s", "64", "--both", "2", NULL);
    wait_children(bench, children, 2);
    proc_kill(bench);
    for (size_t i = 0; i < 2; i++) {
        int left = 1000;
        while (is_running(children[i]) && left-- > 0)
            proc_pause(10);
        assert_true(left > 0);
    }
}

TEST(wrong_options_are_status_2)
{
    (void)state;
    static const char *const wrong[][4] = {
        { "--size", "16", "16", NULL },
        { "--size", "64,", "64,", NULL },
        { "--count", "0", "--count", NULL },
        { "--order", "total", "--order", NULL },
        { "--transport", "udp", "--transport", NULL },
        { "--publishers", "0", "nobody", NULL },
        { "--both", "1", "nobody", NULL },
        { "--subscribers", "128", "128", NULL },
        { "--runs", "0", "--runs", NULL },
        { "--rate", "1,-2", "--rate", NULL },
        { "--proxies", "9", "--proxies", NULL },
        { "--topics", "0", "--topics", NULL },
        { "--streams", "65537", "65536", NULL },
        { "--both", "2,", "--both", NULL },
        { "--publishers", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "up to 16", NULL },
        { "--duration", "-1", "--duration", NULL },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct proc *bench = proc_start("tulle", "bench", wrong[i][0], wrong[i][1], NULL);
        assert_int_equal(proc_wait(bench), 2);
        if (strstr(proc_text(bench, PROC_ERR), wrong[i][2]) == NULL)
            print_error("not named: %s in %s\n", wrong[i][2], proc_text(bench, PROC_ERR));
        assert_non_null(strstr(proc_text(bench, PROC_ERR), wrong[i][2]));
    }
    struct proc *two = proc_start("tulle", "bench", "--json", "--csv", NULL);
    assert_int_equal(proc_wait(two), 2);
    static const char *const rates[] = { "0", "1000,", "nan", "fast" };
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        struct proc *latency = proc_start("tulle", "latency", "--rate", rates[i], NULL);
        assert_int_equal(proc_wait(latency), 2);
        assert_non_null(strstr(proc_text(latency, PROC_ERR), rates[i]));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(one_to_one_is_measured_and_described, proc_end_all),
        cmocka_unit_test_teardown(nodes_that_do_both_depend_on_each_other, proc_end_all),
        cmocka_unit_test_teardown(latencies_are_measured_and_described, proc_end_all),
        cmocka_unit_test_teardown(answers_are_waited_for, proc_end_all),
        cmocka_unit_test_teardown(a_rate_is_kept, proc_end_all),
        cmocka_unit_test_teardown(proxies_are_between, proc_end_all),
        cmocka_unit_test_teardown(rates_are_measured_in_turn, proc_end_all),
        cmocka_unit_test_teardown(numbers_of_everything_are_multiplied, proc_end_all),
        cmocka_unit_test_teardown(progress_is_for_terminals, proc_end_all),
        cmocka_unit_test_teardown(a_table_is_printed, proc_end_all),
        cmocka_unit_test_teardown(a_pause_of_the_publisher_is_not_omitted, proc_end_all),
        cmocka_unit_test_teardown(a_histogram_is_drawn, proc_end_all),
        cmocka_unit_test_teardown(a_loss_is_status_1, proc_end_all),
        cmocka_unit_test_teardown(a_dead_node_ends_the_run, proc_end_all),
        cmocka_unit_test_teardown(a_node_that_hangs_ends_the_run, proc_end_all),
        cmocka_unit_test_teardown(a_signal_ends_the_run, proc_end_all),
        cmocka_unit_test_teardown(nodes_end_with_the_bench, proc_end_all),
        cmocka_unit_test_teardown(wrong_options_are_status_2, proc_end_all),
    };
    return cmocka_run_group_tests_name("tulle bench", tests, NULL, NULL);
}
