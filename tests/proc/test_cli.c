/* SPDX-License-Identifier: MPL-2.0 */

/* What all programs do with their command lines and files, and their exit statuses. */

#include "testkit.h"

#include "proc_steps.h"

#include <stdio.h>
#include <string.h>

static const char *const programs[] = { "tulle-node", "tulle-proxy", "tulle" };

TEST(help_and_version_are_printed)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct proc *help = proc_start(programs[i], "--help", NULL);
        assert_int_equal(proc_wait(help), 0);
        assert_non_null(strstr(proc_text(help, PROC_OUT), programs[i]));
        assert_string_equal(proc_text(help, PROC_ERR), "");
        struct proc *version = proc_start(programs[i], "--version", NULL);
        assert_int_equal(proc_wait(version), 0);
        assert_non_null(strstr(proc_text(version, PROC_OUT), "0.1.0"));
    }
    static const char *const commands[] = { "pub",   "record", "play",  "tap",    "trace",
                                            "check", "doctor", "bench", "latency" };
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        struct proc *help = proc_start("tulle", commands[i], "--help", NULL);
        assert_int_equal(proc_wait(help), 0);
        assert_non_null(strstr(proc_text(help, PROC_OUT), commands[i]));
        struct proc *all = proc_start("tulle", commands[i], "--help-all", NULL);
        assert_int_equal(proc_wait(all), 0);
        assert_non_null(strstr(proc_text(all, PROC_OUT), "--fetch-delay-ms"));
        assert_null(strstr(proc_text(help, PROC_OUT), "--fetch-delay-ms"));
    }
}

/* A line for each command, and for each option of one. */
TEST(tables_of_help_are_for_programs)
{
    (void)state;
    struct proc *commands = proc_start("tulle", "--help-table", NULL);
    assert_int_equal(proc_wait(commands), 0);
    assert_non_null(strstr(proc_text(commands, PROC_OUT), "command\ttap\twatch events"));
    static const char *const lines[] = {
        "option\t--listen\t-l\tvalue\tmany\tusual\tADDRESS\t\t",
        "\noption\t--beacon\t-b\toptional\tonce\tusual\tINTERFACE\t\t",
        "\noption\t--quiet\t-q\tflag\tonce\tusual\t\t\t",
        "\noption\t--beat-ms\t\tvalue\tonce\trare\tMS\t\t",
        "\noption\t--log-format\t\tvalue\tonce\tusual\tFORMAT\ttext json\t",
        "\noption\t--version\t\tflag\tonce\tusual\t\t\tprint the version\n",
        "\noperand\tPATTERN\n",
    };
    struct proc *table = proc_start("tulle", "tap", "--help-table", NULL);
    assert_int_equal(proc_wait(table), 0);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (strstr(proc_text(table, PROC_OUT), lines[i]) == NULL)
            fail_msg("not there: %s\nin: %s", lines[i], proc_text(table, PROC_OUT));
    }
    struct proc *node = proc_start("tulle-node", "--help-table", NULL);
    assert_int_equal(proc_wait(node), 0);
    assert_non_null(
        strstr(proc_text(node, PROC_OUT), "--exec\t-x\tpair\tmany\tusual\tPATTERN COMMAND"));
}

static void
assert_usage(struct proc *proc, const char *named)
{
    assert_int_equal(proc_wait(proc), 2);
    assert_string_equal(proc_text(proc, PROC_OUT), "");
    if (strstr(proc_text(proc, PROC_ERR), named) == NULL)
        print_error("not named: %s in %s\n", named, proc_text(proc, PROC_ERR));
    assert_non_null(strstr(proc_text(proc, PROC_ERR), named));
}

TEST(wrong_options_are_status_2)
{
    (void)state;
    for (size_t i = 0; i < 2; i++)
        assert_usage(proc_start(programs[i], "--nonsense", NULL), "--nonsense");
    assert_usage(proc_start("tulle", "nonsense", NULL), "nonsense");
    assert_usage(proc_start("tulle", "completion", NULL), "bash or zsh");
    assert_usage(proc_start("tulle", "completion", "fish", NULL), "'fish'");
    assert_usage(proc_start("tulle", "completion", "bash", "zsh", NULL), "'zsh'");
    assert_usage(proc_start("tulle", "pub", "--nonsense", "x", "y", NULL), "--nonsense");
    assert_usage(proc_start("tulle", "tap", "--count", NULL), "--count");
    assert_usage(proc_start("tulle", "tap", "--join", "tcp://127.0.0.1:1", "-C", "many", NULL),
                 "many");
    assert_usage(proc_start("tulle", "tap", "--join", "tcp://127.0.0.1:1", "a//b", NULL), "a//b");
    assert_usage(proc_start("tulle", "pub", "--join", "tcp://127.0.0.1:1", "a/*", "x", NULL),
                 "a/*");
    assert_usage(proc_start("tulle-proxy", "--segment", "only", NULL), "segment");
    assert_usage(proc_start("tulle-node", "--listen", "http://127.0.0.1", NULL),
                 "http://127.0.0.1");
    /* A value that only the library can judge counts as configuration. */
    struct proc *value = proc_start("tulle-node", "--gone-ms", "1000", NULL);
    assert_int_equal(proc_wait(value), 3);
    assert_non_null(strstr(proc_text(value, PROC_ERR), "gone_ms"));
}

/* A value may follow a letter at once, behind "=", or as the next word. */
TEST(letters_take_values_in_each_form)
{
    (void)state;
    static const char *const forms[] = { "-b=lo", "-blo", "--beacon=lo" };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct proc *tap = proc_start("tulle", "tap", forms[i], "--print-config", NULL);
        assert_ends(tap, 0);
        assert_says(tap, PROC_OUT, "\nbeacon = lo\n");
    }
    assert_usage(proc_start("tulle", "tap", "-b=", NULL), "name is empty");
    assert_usage(proc_start("tulle", "tap", "-C=many", NULL), "'many'");
    assert_usage(proc_start("tulle", "tap", "-q=yes", NULL), "--quiet takes no argument");
}

/* The file and the line are said. */
TEST(a_wrong_file_is_status_3)
{
    (void)state;
    static const struct {
        const char *program;
        const char *text;
        const char *line;
    } wrong[] = {
        { "tulle-node", "mesh = shop\n\nbeat_ms = soon\n", ":3" },
        { "tulle-node", "mesh = shop\nnonsense = 1\n", ":2" },
        { "tulle-proxy", "name = p\nsegment = a\n    lissen = tcp://127.0.0.1:*\n", ":3" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char path[128];
        char place[160];
        (void)snprintf(path, sizeof path, "%s/wrong.conf", proc_directory());
        (void)snprintf(place, sizeof place, "%s%s", path, wrong[i].line);
        write_file(path, wrong[i].text);
        struct proc *proc = proc_start(wrong[i].program, "--config", path, NULL);
        assert_int_equal(proc_wait(proc), 3);
        if (strstr(proc_text(proc, PROC_ERR), place) == NULL)
            print_error("not there: %s in %s\n", place, proc_text(proc, PROC_ERR));
        assert_non_null(strstr(proc_text(proc, PROC_ERR), place));
    }
    struct proc *absent = proc_start("tulle-node", "--config", "/nonexistent/tulle.conf", NULL);
    assert_int_equal(proc_wait(absent), 3);
    assert_non_null(strstr(proc_text(absent, PROC_ERR), "/nonexistent/tulle.conf"));
}

/* What a program prints as its configuration it reads again. */
TEST(a_printed_configuration_can_be_read)
{
    (void)state;
    char path[128];
    (void)snprintf(path, sizeof path, "%s/node.conf", proc_directory());
    struct proc *first = proc_start("tulle-node", "--print-config", "--name", "n 1", "--take",
                                    "orders/**", "--beat-ms", "250", NULL);
    assert_int_equal(proc_wait(first), 0);
    write_file(path, proc_text(first, PROC_OUT));
    struct proc *second = proc_start("tulle-node", "--config", path, "--print-config", NULL);
    assert_int_equal(proc_wait(second), 0);
    assert_string_equal(proc_text(second, PROC_OUT), proc_text(first, PROC_OUT));
    assert_non_null(strstr(proc_text(second, PROC_OUT), "orders/**"));
    struct proc *check =
        proc_start("tulle-proxy", "--check-config", "--segment", "a", "--segment", "b", NULL);
    assert_int_equal(proc_wait(check), 0);
}

TEST(a_taken_port_is_status_4)
{
    (void)state;
    int port = proc_free_port();
    struct proc *first = proc_start("tulle-node", "--listen", proc_address(port), NULL);
    proc_wait_port(port);
    struct proc *second = proc_start("tulle-node", "--listen", proc_address(port), NULL);
    assert_int_equal(proc_wait(second), 4);
    assert_non_null(strstr(proc_text(second, PROC_ERR), proc_address(port)));
    struct proc *proxy = proc_start("tulle-proxy", "--segment", "a", "--listen", proc_address(port),
                                    "--segment", "b", NULL);
    assert_int_equal(proc_wait(proxy), 4);
    struct proc *tap = proc_start("tulle", "tap", "--listen", proc_address(port), NULL);
    assert_int_equal(proc_wait(tap), 4);
    /* Nobody is there to be reached in time. */
    struct proc *pub = proc_start("tulle", "pub", "--join", "tcp://127.0.0.1:1", "--wait-timeout",
                                  "0.3", "x", "y", NULL);
    assert_int_equal(proc_wait(pub), 4);
    proc_signal(first, 15);
    assert_int_equal(proc_wait(first), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(help_and_version_are_printed, proc_end_all),
        cmocka_unit_test_teardown(tables_of_help_are_for_programs, proc_end_all),
        cmocka_unit_test_teardown(wrong_options_are_status_2, proc_end_all),
        cmocka_unit_test_teardown(letters_take_values_in_each_form, proc_end_all),
        cmocka_unit_test_teardown(a_wrong_file_is_status_3, proc_end_all),
        cmocka_unit_test_teardown(a_printed_configuration_can_be_read, proc_end_all),
        cmocka_unit_test_teardown(a_taken_port_is_status_4, proc_end_all),
    };
    return cmocka_run_group_tests_name("command lines", tests, NULL, NULL);
}
