/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include "app/args.h"
#include "app/common.h"
#include "app/exit.h"

#include <stdlib.h>
#include <string.h>

struct mine {
    bool is_loud;
    const char *beacon;
    uint32_t beat_ms;
    uint64_t bytes;
    int64_t wait_ms;
    double rate;
    int order;
    struct tulle__list names, pairs;
};

struct part {
    const char *name;
    uint32_t port;
};

struct fixture {
    struct mine mine;
    struct part parts[2];
    size_t part_count;
    struct tulle__option_group group;
    struct tulle__section section;
    struct tulle__program program;
    struct tulle__args args;
};

static const struct tulle__choice orders[] = { { "none", 1 }, { "fifo", 2 }, { NULL, 0 } };

#define AT(field) offsetof(struct mine, field)
// clang-format off
static const struct tulle__option options[] = {
    { .name = "loud", .letter = 'q', .type = TULLE__OPTION_FLAG, .offset = AT(is_loud), .help = "h" },
    { .name = "beacon", .type = TULLE__OPTION_STRING, .offset = AT(beacon), .arg = "INTERFACE",
      .implied = "any", .help = "h" },
    { .name = "beat_ms", .type = TULLE__OPTION_U32, .offset = AT(beat_ms), .min = 20, .max = 100, .help = "h" },
    { .name = "bytes", .letter = 'b', .type = TULLE__OPTION_BYTES, .offset = AT(bytes), .help = "h" },
    { .name = "wait", .letter = 'W', .type = TULLE__OPTION_SECONDS, .offset = AT(wait_ms), .help = "h" },
    { .name = "rate", .type = TULLE__OPTION_NUMBER, .offset = AT(rate), .help = "h" },
    { .name = "order", .type = TULLE__OPTION_CHOICE, .offset = AT(order), .choices = orders, .help = "h" },
    { .name = "name", .type = TULLE__OPTION_LIST, .offset = AT(names), .max = 3, .help = "names to use" },
    { .name = "exec", .type = TULLE__OPTION_PAIRS, .offset = AT(pairs), .arg = "PATTERN COMMAND", .help = "h" },
    { .name = "secret", .type = TULLE__OPTION_FLAG, .flags = TULLE__OPTION_RARE, .offset = AT(is_loud), .help = "h" },
};

static const struct tulle__option part_options[] = {
    { .name = "port", .type = TULLE__OPTION_U32, .offset = offsetof(struct part, port), .help = "h" },
};
// clang-format on

static void *
open_part(void *ctx, const char *value)
{
    struct fixture *f = ctx;
    if (f->part_count == 2)
        return NULL;
    f->parts[f->part_count].name = value;
    return &f->parts[f->part_count++];
}

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->group = (struct tulle__option_group){ "Options", options, sizeof options / sizeof *options,
                                             &f->mine };
    f->section = (struct tulle__section){ .name = "part",
                                          .arg = "NAME",
                                          .help = "a part",
                                          .options = part_options,
                                          .count = 1,
                                          .open = open_part,
                                          .ctx = f };
    f->program = (struct tulle__program){ .name = "test",
                                          .synopsis = "[options] X",
                                          .summary = "Tests.",
                                          .groups = &f->group,
                                          .group_count = 1,
                                          .section = &f->section,
                                          .operand_max = 2,
                                          .has_config = true };
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    tulle__args_end(&f->args);
    free(f);
    return 0;
}

/* Read words, a NULL-terminated list, as a command line. */
static int
parse(struct fixture *f, const char *const *words)
{
    static char copies[16][64]; /* argv must be writable */
    static char *argv[17];
    int argc = 0;
    for (; words[argc] != NULL; argc++) {
        (void)snprintf(copies[argc], sizeof copies[argc], "%s", words[argc]);
        argv[argc] = copies[argc];
    }
    argv[argc] = NULL;
    int status = tulle__args_scan(&f->program, argc, argv, &f->args);
    return status != 0 ? status : tulle__args_apply(&f->program, &f->args);
}

#define PARSE(f, ...) parse((f), (const char *const[]){ "test", __VA_ARGS__, NULL })

TEST(values_attached_and_apart_are_the_same)
{
    struct fixture *f = *state;

    assert_int_equal(PARSE(f, "--beat-ms=50", "--bytes", "2K", "-W1.5", "--rate", "0.25"), 0);

    assert_int_equal(f->mine.beat_ms, 50);
    assert_int_equal(f->mine.bytes, 2048);
    assert_int_equal(f->mine.wait_ms, 1500);
    assert_true(f->mine.rate > 0.24 && f->mine.rate < 0.26);
}

TEST(a_letter_may_have_its_value_behind_an_equals_sign)
{
    struct fixture *f = *state;

    assert_int_equal(PARSE(f, "-W=1.5"), 0);
    assert_int_equal(f->mine.wait_ms, 1500);
    tulle__args_end(&f->args);
    assert_int_equal(PARSE(f, "-q=yes"), TULLE__EXIT_USAGE);
    tulle__args_end(&f->args);
    assert_int_equal(PARSE(f, "-W="), TULLE__EXIT_USAGE);
}

TEST(optional_argument_is_never_taken_from_the_next_word)
{
    struct fixture *f = *state;

    assert_int_equal(PARSE(f, "--beacon", "eth0"), 0);

    assert_string_equal(f->mine.beacon, "any");
    assert_int_equal(f->args.operand_count, 1);
    assert_string_equal(f->args.operands[0], "eth0");
}

TEST(optional_argument_may_be_attached)
{
    struct fixture *f = *state;

    assert_int_equal(PARSE(f, "--beacon=eth0"), 0);

    assert_string_equal(f->mine.beacon, "eth0");
}

TEST(operands_and_options_mix_in_any_order)
{
    struct fixture *f = *state;

    assert_int_equal(PARSE(f, "a", "-q", "-"), 0);

    assert_true(f->mine.is_loud);
    assert_int_equal(f->args.operand_count, 2);
    assert_string_equal(f->args.operands[0], "a");
    assert_string_equal(f->args.operands[1], "-");
}

TEST(behind_two_dashes_everything_is_an_operand)
{
    struct fixture *f = *state;

    assert_int_equal(PARSE(f, "--", "-q", "--beacon"), 0);

    assert_false(f->mine.is_loud);
    assert_int_equal(f->args.operand_count, 2);
    assert_string_equal(f->args.operands[1], "--beacon");
}

TEST(negative_number_is_an_operand)
{
    struct fixture *f = *state;

    assert_int_equal(PARSE(f, "temp", "-5.2"), 0);

    assert_string_equal(f->args.operands[1], "-5.2");
}

TEST(lists_and_pairs_keep_their_order)
{
    struct fixture *f = *state;

    assert_int_equal(
        PARSE(f, "--name", "a", "--exec", "p/**", "run it", "--name=b", "--exec", "q", "-x"), 0);

    assert_int_equal(f->mine.names.count, 2);
    assert_string_equal(f->mine.names.items[1], "b");
    assert_int_equal(f->mine.pairs.count, 4);
    assert_string_equal(f->mine.pairs.items[1], "run it");
    assert_string_equal(f->mine.pairs.items[2], "q");
    assert_string_equal(f->mine.pairs.items[3], "-x");
}

TEST(list_longer_than_its_limit_is_refused)
{
    struct fixture *f = *state;

    assert_int_equal(PARSE(f, "--name=a", "--name=b", "--name=c", "--name=d"), TULLE__EXIT_USAGE);
}

TEST(section_takes_the_options_behind_it)
{
    struct fixture *f = *state;

    assert_int_equal(PARSE(f, "--part", "lan", "--port=1", "-q", "--part=wan", "--port=2"), 0);

    assert_int_equal(f->part_count, 2);
    assert_string_equal(f->parts[0].name, "lan");
    assert_int_equal(f->parts[0].port, 1);
    assert_int_equal(f->parts[1].port, 2);
    assert_true(f->mine.is_loud);
}

TEST(option_of_a_section_needs_a_section)
{
    struct fixture *f = *state;

    assert_int_equal(PARSE(f, "--port=1"), TULLE__EXIT_USAGE);
}

TEST(wrong_command_lines_are_usage_errors)
{
    static const char *const lines[][3] = {
        { "--nothing" },       { "-z" },
        { "--beat-ms", "19" }, { "--beat-ms=101" },
        { "--beat-ms", "x" },  { "--beat-ms" },
        { "--bytes", "1T" },   { "--bytes", "-1" },
        { "--loud=yes" },      { "--wait", "-1" },
        { "--order", "lifo" }, { "--rate", "nan" },
        { "--exec", "one" },   { "--beat_ms=50" },
        { "--rate", "0x10" },  { "--bytes", "99999999999G" },
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct fixture *f = *state;
        assert_int_equal(PARSE(f, lines[i][0], lines[i][1]), TULLE__EXIT_USAGE);
        tulle__args_end(&f->args);
    }
}

TEST(too_many_operands_are_a_usage_error)
{
    struct fixture *f = *state;

    assert_int_equal(PARSE(f, "a", "b", "c"), TULLE__EXIT_USAGE);
}

TEST(choice_sets_its_value)
{
    struct fixture *f = *state;

    assert_int_equal(PARSE(f, "--order", "fifo"), 0);

    assert_int_equal(f->mine.order, 2);
    assert_true(tulle__args_has(&f->args, "order"));
    assert_false(tulle__args_has(&f->args, "rate"));
}

static void
help_into(struct fixture *f, bool is_all, char *out, size_t len)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    tulle__args_help(&f->program, is_all, file);
    rewind(file);
    size_t got = fread(out, 1, len - 1, file);
    out[got] = '\0';
    (void)fclose(file);
}

TEST(help_lists_every_option_but_the_rare)
{
    struct fixture *f = *state;
    char text[4096];

    help_into(f, false, text, sizeof text);

    assert_non_null(strstr(text, "usage: test [options] X\n"));
    assert_non_null(strstr(text, "--beacon[=INTERFACE]"));
    assert_non_null(strstr(text, "--exec PATTERN COMMAND"));
    assert_non_null(strstr(text, "names to use; may be repeated"));
    assert_non_null(strstr(text, "--part NAME"));
    assert_null(strstr(text, "--secret"));
    help_into(f, true, text, sizeof text);
    assert_non_null(strstr(text, "--secret"));
}

TEST(common_options_reach_the_node)
{
    struct fixture *f = *state;
    struct tulle__common common;
    int status = 0;
    tulle__common_init(&common);
    const struct tulle__option_group groups[] = { tulle__common_mesh_group(&common),
                                                  tulle__common_log_group(&common),
                                                  tulle__common_tuning_group(&common) };
    f->program.groups = groups;
    f->program.group_count = 3;

    assert_int_equal(PARSE(f, "--mesh=shop", "--join=tcp://h:1", "--join=tcp://h:2",
                           "--listen=tcp://*:*", "--beacon=lo", "--retain-bytes=3M",
                           "--log-level=none"),
                     0);

    assert_true(tulle__common_finish(&f->program, &common, &status));
    assert_string_equal(common.node.mesh, "shop");
    assert_int_equal(common.node.join_count, 2);
    assert_string_equal(common.node.join[1], "tcp://h:2");
    assert_string_equal(common.node.listen[0], "tcp://*:*");
    assert_true(common.node.use_beacon);
    assert_string_equal(common.node.beacon_interface, "lo");
    assert_int_equal(common.node.retain_bytes, 3 * 1024 * 1024);
    assert_null(common.node.log);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(values_attached_and_apart_are_the_same),
        CASE(a_letter_may_have_its_value_behind_an_equals_sign),
        CASE(optional_argument_is_never_taken_from_the_next_word),
        CASE(optional_argument_may_be_attached),
        CASE(operands_and_options_mix_in_any_order),
        CASE(behind_two_dashes_everything_is_an_operand),
        CASE(negative_number_is_an_operand),
        CASE(lists_and_pairs_keep_their_order),
        CASE(list_longer_than_its_limit_is_refused),
        CASE(section_takes_the_options_behind_it),
        CASE(option_of_a_section_needs_a_section),
        CASE(wrong_command_lines_are_usage_errors),
        CASE(too_many_operands_are_a_usage_error),
        CASE(choice_sets_its_value),
        CASE(help_lists_every_option_but_the_rare),
        CASE(common_options_reach_the_node),
    };
    return cmocka_run_group_tests_name("app/args", tests, NULL, NULL);
}
