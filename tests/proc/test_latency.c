/* SPDX-License-Identifier: MPL-2.0 */

/* tulle latency in a mesh that is there: who answers is asked, one way on this host, there and back
 * otherwise; and what it writes of how latencies are spread. */

#include "testkit.h"

#include "proc_steps.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_LEN = 256 };

#define ANYWHERE "tcp://127.0.0.1:*"

static struct proc *
start_answering(int port)
{
    struct proc *answering =
        proc_start("tulle", "latency", "--answer", "--listen", proc_address(port), NULL);
    proc_wait_text(answering, PROC_ERR, "answering at");
    return answering;
}

/* The first result of its JSON, and the root to be freed. */
static json_t *
read_result(struct proc *latency, json_t **root)
{
    *root = json_loads(proc_text(latency, PROC_OUT), 0, NULL);
    if (*root == NULL)
        fail_msg("no JSON: %s\n%s", proc_text(latency, PROC_OUT), proc_text(latency, PROC_ERR));
    json_t *result = json_array_get(json_object_get(*root, "results"), 0);
    assert_non_null(result);
    return result;
}

static long long
whole_of(const json_t *result, const char *name)
{
    const json_t *member = json_object_get(result, name);
    assert_true(json_is_integer(member));
    return json_integer_value(member);
}

static double
latency_of(const json_t *result, const char *name)
{
    return json_number_value(json_object_get(json_object_get(result, "latency_us"), name));
}

static struct proc *
ask(const char *join, const char *count, const char *option, const char *value)
{
    return proc_start("tulle", "latency", "--json", "--join", join, "--listen", ANYWHERE, "--rate",
                      "1000", "-n", count, "--warmup", "0.1", "-r", "1", option, value, NULL);
}

/* Every answer of both is counted. */
TEST(all_who_answer_on_this_host_are_asked_one_way)
{
    (void)state;
    int port = proc_free_port();
    json_t *root = NULL;
    struct proc *first = start_answering(port);
    struct proc *second = proc_start("tulle", "latency", "--answer", "--quiet", "--join",
                                     proc_address(port), "--listen", ANYWHERE, NULL);
    struct proc *latency = ask(proc_address(port), "200", "-c", "2");
    assert_int_equal(proc_wait(latency), 0);
    assert_string_equal(proc_text(latency, PROC_ERR), "");
    const json_t *result = read_result(latency, &root);
    assert_true(json_is_false(json_object_get(result, "round_trip")));
    assert_string_equal(json_string_value(json_object_get(result, "transport")), "mesh");
    assert_int_equal(whole_of(result, "subscribers"), 2);
    assert_int_equal(whole_of(result, "lost"), 0);
    assert_int_equal(latency_of(result, "count"), 400);
    assert_true(latency_of(result, "min") > 0);
    json_decref(root);
    proc_signal(first, SIGINT);
    assert_int_equal(proc_wait(first), 0);
    assert_non_null(strstr(proc_text(first, PROC_ERR), ": 300 events answered")); /* warm-up too */
    proc_signal(second, SIGTERM);
    assert_int_equal(proc_wait(second), 0);
    assert_string_equal(proc_text(second, PROC_ERR), "");
}

/* There and back takes longer than there. */
TEST(an_answer_may_be_waited_for)
{
    (void)state;
    int port = proc_free_port();
    json_t *root = NULL;
    (void)start_answering(port);
    struct proc *latency = ask(proc_address(port), "200", "--round-trip", NULL);
    assert_int_equal(proc_wait(latency), 0);
    json_t *result = read_result(latency, &root);
    assert_true(json_is_true(json_object_get(result, "round_trip")));
    double there_and_back = latency_of(result, "min");
    assert_true(json_is_false(json_object_get(result, "spin")));
    json_decref(root);
    latency = ask(proc_address(port), "200", "-o", "fifo");
    assert_int_equal(proc_wait(latency), 0);
    result = read_result(latency, &root);
    assert_true(latency_of(result, "min") < there_and_back);
    assert_string_equal(json_string_value(json_object_get(result, "order")), "fifo");
    json_decref(root);
    latency = ask(proc_address(port), "200", "--spin", NULL);
    assert_int_equal(proc_wait(latency), 0);
    result = read_result(latency, &root);
    assert_true(json_is_true(json_object_get(result, "spin")));
    json_decref(root);
}

/* Another host is one that was started another time: here that is only made to look so. */
TEST(another_host_is_measured_there_and_back)
{
    (void)state;
    char command[1024];
    char path[PATH_LEN];
    json_t *root = NULL;
    int port = proc_free_port();
    struct proc *can = proc_start("/usr/bin/unshare", "-rm", "true", NULL);
    if (proc_wait(can) != 0)
        skip();
    (void)snprintf(path, sizeof path, "%s/boot", proc_directory());
    write_file(path, "01234567-89ab-cdef-0123-456789abcdef\n");
    (void)snprintf(command, sizeof command,
                   "mount --bind %s /proc/sys/kernel/random/boot_id && "
                   "exec %s/tulle latency --answer --listen %s",
                   path, getenv("TULLE_BIN_DIR"), proc_address(port));
    struct proc *answering = proc_start("/usr/bin/unshare", "-rm", "sh", "-c", command, NULL);
    proc_wait_text(answering, PROC_ERR, "answering at");
    struct proc *latency = ask(proc_address(port), "100", "-q", NULL);
    assert_int_equal(proc_wait(latency), 0);
    const json_t *result = read_result(latency, &root);
    assert_true(json_is_true(json_object_get(result, "round_trip")));
    assert_int_equal(latency_of(result, "count"), 100);
    json_decref(root);
}

/* Live in both directions, though nobody knows at first what is taken beyond the proxy. */
TEST(answers_come_through_a_proxy)
{
    (void)state;
    int left = proc_free_port();
    int right = proc_free_port();
    int port = proc_free_port();
    json_t *root = NULL;
    (void)start_answering(port);
    (void)start_proxy("gate", left, right, proc_address(port), NULL);
    struct proc *latency = ask(proc_address(right), "200", "--timeout", "20");
    assert_int_equal(proc_wait(latency), 0);
    const json_t *result = read_result(latency, &root);
    assert_int_equal(whole_of(result, "lost"), 0);
    assert_int_equal(latency_of(result, "count"), 200);
    json_decref(root);
}

/* The one who answers dies: what it owes is lost. */
TEST(answers_that_do_not_come_are_losses)
{
    (void)state;
    int port = proc_free_port();
    json_t *root = NULL;
    struct proc *answering = start_answering(port);
    struct proc *latency = proc_start("tulle", "latency", "--json", "--join", proc_address(port),
                                      "--listen", ANYWHERE, "--rate", "200", "-d", "3", "--warmup",
                                      "0", "-r", "1", "--hold-ms", "300", "--timeout", "2", NULL);
    proc_pause(1500);
    proc_kill(answering);
    assert_int_equal(proc_wait(latency), 1);
    assert_non_null(strstr(proc_text(latency, PROC_ERR), "events lost"));
    const json_t *result = read_result(latency, &root);
    assert_true(whole_of(result, "lost") > 0);
    json_decref(root);
}

TEST(nobody_who_answers_is_status_4)
{
    (void)state;
    int port = proc_free_port();
    (void)start_node("idle", port);
    struct proc *latency = ask(proc_address(port), "10", "--timeout", "0.5");
    assert_int_equal(proc_wait(latency), 4);
    assert_non_null(strstr(proc_text(latency, PROC_ERR), "0 of 1 nodes answer within 0.5 s"));
    assert_non_null(strstr(proc_text(latency, PROC_ERR), "tulle latency --answer"));
}

/* As HdrHistogram writes them. */
TEST(percentiles_go_to_a_file)
{
    (void)state;
    char path[PATH_LEN];
    char text[4096] = "";
    (void)snprintf(path, sizeof path, "%s/latency.hgrm", proc_directory());
    struct proc *latency = proc_start("tulle", "latency", "-n", "100", "--warmup", "0", "-r", "2",
                                      "--rate", "1000", "--csv", "--hgrm", path, NULL);
    assert_int_equal(proc_wait(latency), 0);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    text[len] = '\0';
    assert_non_null(strstr(text, "       Value     Percentile TotalCount 1/(1-Percentile)\n"));
    assert_non_null(strstr(text, " 0.500000000000 "));
    assert_non_null(strstr(text, " 1.000000000000        200\n"));
    assert_non_null(strstr(text, "Total count    =          200]\n"));
    latency = proc_start("tulle", "latency", "-n", "10", "--warmup", "0", "-r", "1", "--rate",
                         "1000", "--hgrm", "/nonexistent/file", NULL);
    assert_int_equal(proc_wait(latency), 1);
    assert_non_null(strstr(proc_text(latency, PROC_ERR), "/nonexistent/file: No such file"));
}

/* The name of the mesh keeps others out, and the one who asks is told of by its own. */
TEST(a_mesh_has_a_name_and_so_has_who_asks)
{
    (void)state;
    int port = proc_free_port();
    struct proc *answering =
        proc_start("tulle", "latency", "--answer", "--mesh", "lab", "-l", proc_address(port),
                   "--log-level", "info", "--log-format", "json", NULL);
    proc_wait_text(answering, PROC_ERR, "answering at");
    struct proc *stranger = ask(proc_address(port), "10", "--timeout", "0.5");
    struct proc *latency =
        proc_start("tulle", "latency", "-j", proc_address(port), "--mesh", "lab", "--name", "asker",
                   "--listen", "tcp://*:*", "--interface", "lo", "-n", "50", "--warmup", "0", "-r",
                   "1", "--rate", "1000", NULL);
    assert_int_equal(proc_wait(latency), 0);
    assert_says(latency, PROC_OUT, "mesh, order causal, one way; one run of 50 events\n");
    proc_wait_text(answering, PROC_ERR, "name=asker state=up address=tcp://127.0.0.1:");
    assert_says(answering, PROC_ERR, "\"level\":\"info\"");
    assert_int_equal(proc_wait(stranger), 4);
    /* Nobody can be told of on a loopback interface; the option is understood. */
    struct proc *beacon = proc_start("tulle", "latency", "--beacon=lo", NULL);
    assert_int_equal(proc_wait(beacon), 4);
    assert_says(beacon, PROC_ERR, " of lo: no interface that can broadcast");
}

/* What bench and latency have of all commands, and what a limit for the window is in JSON. */
TEST(options_of_all_commands_are_understood)
{
    (void)state;
    static const char *const tools[] = { "bench", "latency" };
    static const char *const helps[][3] = {
        { "--help", "\n      --rate N,... ", "--beat-ms" },
        { "-h", "\n      --rate N,... ", "--beat-ms" },
        { "--help-all", "\n      --beat-ms MS ", "option\t" },
        { "--help-table", "option\t--order\t-o\tvalue\tonce\tusual\tORDER\tnone fifo causal\t",
          "usage:" },
        { "--version", "tulle ", "usage:" },
    };
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < sizeof helps / sizeof *helps; k++) {
            struct proc *tool = proc_start("tulle", tools[i], helps[k][0], NULL);
            assert_int_equal(proc_wait(tool), 0);
            assert_says(tool, PROC_OUT, helps[k][1]);
            assert_null(strstr(proc_text(tool, PROC_OUT), helps[k][2]));
        }
        struct proc *tool = proc_start("tulle", tools[i], "--json", "--window", "64K", "-n", "50",
                                       "--warmup", "0", "-r", "1", "-s", "64", "--rate", "1000",
                                       "--log-level", "info", "--log-format", "json", NULL);
        assert_int_equal(proc_wait(tool), 0);
        assert_says(tool, PROC_OUT, "\"window_bytes\": 65536");
        assert_says(tool, PROC_ERR, "\"id\":\"member.state\"");
    }
}

TEST(options_that_do_not_go_together_are_status_2)
{
    (void)state;
    static const struct {
        const char *options[5];
        const char *told;
    } wrong[] = {
        { { "--answer", NULL }, "how to reach the mesh?" },
        { { "--join", "tcp://127.0.0.1:7100", "--proxies", "1", NULL }, "--proxies is for a mesh" },
        { { "--join", "tcp://127.0.0.1:7100", "-t", "ipc", NULL }, "--transport is for a mesh" },
        { { "--hgrm", "x", "--rate", "1,2", NULL }, "--hgrm is for one size and one rate" },
        { { "--histogram", "--json", NULL }, "--histogram excludes" },
        { { "--round-trips", NULL }, "unknown option '--round-trips'" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *const *o = wrong[i].options;
        struct proc *latency = proc_start("tulle", "latency", o[0], o[1], o[2], o[3], NULL);
        assert_int_equal(proc_wait(latency), 2);
        if (strstr(proc_text(latency, PROC_ERR), wrong[i].told) == NULL)
            fail_msg("not told: %s in: %s", wrong[i].told, proc_text(latency, PROC_ERR));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(all_who_answer_on_this_host_are_asked_one_way, proc_end_all),
        cmocka_unit_test_teardown(an_answer_may_be_waited_for, proc_end_all),
        cmocka_unit_test_teardown(another_host_is_measured_there_and_back, proc_end_all),
        cmocka_unit_test_teardown(answers_come_through_a_proxy, proc_end_all),
        cmocka_unit_test_teardown(answers_that_do_not_come_are_losses, proc_end_all),
        cmocka_unit_test_teardown(nobody_who_answers_is_status_4, proc_end_all),
        cmocka_unit_test_teardown(percentiles_go_to_a_file, proc_end_all),
        cmocka_unit_test_teardown(a_mesh_has_a_name_and_so_has_who_asks, proc_end_all),
        cmocka_unit_test_teardown(options_of_all_commands_are_understood, proc_end_all),
        cmocka_unit_test_teardown(options_that_do_not_go_together_are_status_2, proc_end_all),
    };
    return cmocka_run_group_tests_name("tulle latency", tests, NULL, NULL);
}
