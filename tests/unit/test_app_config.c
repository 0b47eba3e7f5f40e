/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include "app/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct mine {
    bool is_loud;
    const char *mesh;
    const char *beacon;
    uint32_t beat_ms;
    uint64_t bytes;
    struct tulle__list join, exec, check;
};

struct part {
    const char *name;
    struct tulle__list listen;
    uint32_t port;
};

struct fixture {
    struct mine mine;
    struct part parts[2];
    size_t part_count;
    struct tulle__option_group group;
    struct tulle__section section;
    struct tulle__program program;
    struct tulle__strings strings;
    char path[64];
    struct tulle__text problems;
};

static const char *
check_good(const char *value)
{
    return strcmp(value, "good") == 0 ? NULL : "no good";
}

#define AT(field) offsetof(struct mine, field)
// clang-format off
static const struct tulle__option options[] = {
    { .name = "loud", .type = TULLE__OPTION_FLAG, .offset = AT(is_loud), .help = "be loud" },
    { .name = "mesh", .type = TULLE__OPTION_STRING, .offset = AT(mesh), .help = "mesh to be in" },
    { .name = "beacon", .type = TULLE__OPTION_STRING, .offset = AT(beacon), .implied = "any", .help = "beacon" },
    { .name = "beat_ms", .type = TULLE__OPTION_U32, .offset = AT(beat_ms), .min = 20, .max = 60000,
      .unit = "ms", .help = "period" },
    { .name = "bytes", .type = TULLE__OPTION_BYTES, .offset = AT(bytes), .help = "size" },
    { .name = "join", .type = TULLE__OPTION_LIST, .offset = AT(join), .help = "addresses" },
    { .name = "exec", .type = TULLE__OPTION_PAIRS, .offset = AT(exec), .arg = "PATTERN COMMAND", .help = "handlers" },
    { .name = "check", .type = TULLE__OPTION_LIST, .offset = AT(check), .check = check_good, .help = "c" },
    { .name = "here", .type = TULLE__OPTION_FLAG, .flags = TULLE__OPTION_FLAG_ONLY, .offset = AT(is_loud), .help = "h" },
};

static const struct tulle__option part_options[] = {
    { .name = "listen", .type = TULLE__OPTION_LIST, .offset = offsetof(struct part, listen), .help = "where" },
    { .name = "port", .type = TULLE__OPTION_U32, .offset = offsetof(struct part, port), .help = "port" },
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

static void *
part_at(void *ctx, size_t index, const char **value)
{
    struct fixture *f = ctx;
    if (index >= f->part_count)
        return NULL;
    *value = f->parts[index].name;
    return &f->parts[index];
}

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    f->group = (struct tulle__option_group){ "Options", options, sizeof options / sizeof *options,
                                             &f->mine };
    f->section =
        (struct tulle__section){ "part", "NAME", "a part", part_options, 2, open_part, part_at, f };
    f->program = (struct tulle__program){
        .name = "test", .groups = &f->group, .group_count = 1, .section = &f->section
    };
    (void)snprintf(f->path, sizeof f->path, "/tmp/tulle-test-XXXXXX");
    int fd = mkstemp(f->path);
    *state = f;
    return fd < 0 ? -1 : close(fd);
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    (void)unlink(f->path);
    tulle__strings_fini(&f->strings);
    tulle__text_free(&f->problems);
    free(f);
    return 0;
}

/* text: \1 stands for a zero byte. */
static tulle_status
load(struct fixture *f, const char *text)
{
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    for (const char *at = text; *at != '\0'; at++)
        assert_true(fputc(*at == '\1' ? '\0' : *at, file) != EOF);
    assert_int_equal(fclose(file), 0);
    f->part_count = 0;
    f->mine = (struct mine){ 0 };
    tulle__text_clear(&f->problems);
    tulle_status status = tulle__config_load(&f->program, f->path, &f->strings, &f->problems);
    tulle__text_char(&f->problems, '\0');
    assert_false(f->problems.has_failed);
    return status;
}

TEST(reads_what_is_written)
{
    struct fixture *f = *state;

    assert_status(load(f, "# a comment\n"
                          "mesh = shop   # behind a value\n"
                          "\n"
                          "loud = true\n"
                          "beat_ms = 500\r\n"
                          "bytes = 64M\n"
                          "join = tcp://a:1\n"
                          "join = \"tcp://b:2\"\n"
                          "exec = \"orders/**\"\n"
                          "    command = ./count.sh --all\n"
                          "part = lan\n"
                          "    port = 7\n"
                          "    listen = tcp://*:1\n"
                          "part = wan"),
                  TULLE_OK);

    assert_string_equal(f->mine.mesh, "shop");
    assert_true(f->mine.is_loud);
    assert_int_equal(f->mine.beat_ms, 500);
    assert_int_equal(f->mine.bytes, 64 * 1024 * 1024);
    assert_int_equal(f->mine.join.count, 2);
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): loading has filled it */
    assert_string_equal(f->mine.join.items[1], "tcp://b:2");
    assert_int_equal(f->mine.exec.count, 2);
    assert_string_equal(f->mine.exec.items[0], "orders/**");
    assert_string_equal(f->mine.exec.items[1], "./count.sh --all");
    assert_int_equal(f->part_count, 2);
    assert_int_equal(f->parts[0].port, 7);
    assert_string_equal(f->parts[0].listen.items[0], "tcp://*:1");
    assert_string_equal(f->parts[1].name, "wan");
}

TEST(key_without_value_takes_the_implied_one)
{
    struct fixture *f = *state;

    assert_status(load(f, "beacon\nloud\n"), TULLE_OK);

    assert_string_equal(f->mine.beacon, "any");
    assert_true(f->mine.is_loud);
}

TEST(empty_file_changes_nothing)
{
    struct fixture *f = *state;

    assert_status(load(f, "\n# nothing\n"), TULLE_OK);
    assert_status(load(f, ""), TULLE_OK);

    assert_null(f->mine.mesh);
}

/* text is refused, at this line, for a reason that contains why. */
static void
assert_refused(struct fixture *f, const char *text, unsigned line, const char *why)
{
    char place[96];
    (void)snprintf(place, sizeof place, "%s:%u: ", f->path, line);
    assert_status(load(f, text), TULLE_EINVAL);
    if (strstr(f->problems.bytes, place) == NULL || strstr(f->problems.bytes, why) == NULL)
        fail_msg("'%s' lacks '%s' or '%s'", f->problems.bytes, place, why);
}

TEST(unknown_keys_are_errors_with_their_line)
{
    struct fixture *f = *state;

    assert_refused(f, "mesh = a\n\n# x\nmush = b\n", 4, "unknown key 'mush'");
    assert_refused(f, "here = true\n", 1, "unknown key 'here'");
    assert_refused(f, "part = lan\n    port = 1\n    mesh = a\n", 3, "unknown key 'mesh' in part");
    assert_refused(f, "exec = a\n    commond = b\n", 2, "unknown key 'commond'");
    assert_refused(f, "exec = a\n    command = b\njoin = x\nnone = y\n", 4, "unknown key 'none'");
}

TEST(keys_of_other_programs_may_be_passed_over)
{
    struct fixture *f = *state;
    f->program.skips_foreign = true;
    assert_status(load(f, "mush = b\nmesh = a\nfoo = a\n    bar = b\n"), TULLE_OK);
    assert_string_equal(f->mine.mesh, "a");
    assert_refused(f, "mush = b\nbeat_ms = x\n", 2, "beat_ms");
}

TEST(wrong_values_are_errors_with_their_line)
{
    struct fixture *f = *state;

    assert_refused(f, "mesh = a\nbeat_ms = 5\n", 2, "must be from 20 to 60000");
    assert_refused(f, "beat_ms = soon\n", 1, "'soon' is not a whole number");
    assert_refused(f, "bytes = 5Q\n", 1, "not a number of bytes");
    assert_refused(f, "loud = maybe\n", 1, "neither true nor false");
    assert_refused(f, "mesh = a\nmesh = b\n", 2, "given twice");
    assert_refused(f, "bytes\n", 1, "needs a value");
    assert_refused(f, "exec = a\n", 1, "needs PATTERN COMMAND");
    assert_refused(f, "mesh = a\n    deep = b\n", 2, "nothing below it");
    assert_refused(f, "part = a\npart = b\npart = c\n", 3, "too many");
}

TEST(wrong_syntax_is_an_error_with_its_line)
{
    struct fixture *f = *state;

    assert_refused(f, "mesh = a\n  join = b\n", 2, "four spaces");
    assert_refused(f, "mesh = a\n\tjoin = b\n", 2, "a tab");
    assert_refused(f, "    mesh = a\n", 1, "indented too far");
    assert_refused(f, "mesh = 'a\n", 1, "not closed");
    assert_refused(f, "mesh = 'a' b\n", 1, "closing quote");
    assert_refused(f, "mesh: a\n", 1, "'=' is missing");
    assert_refused(f, "= a\n", 1, "key is missing");
}

/* Wherever it stands, the rest of the file must not go unread. */
TEST(a_zero_byte_is_an_error_with_its_line)
{
    struct fixture *f = *state;

    assert_refused(f, "mesh = a\n\1\nmush = b\n", 2, "a zero byte");
    assert_refused(f, "mesh = a\n# b\1c\nmush = b\n", 2, "a zero byte");
    assert_refused(f, "mesh = a\nbeacon = b # \1\nmush = b\n", 2, "a zero byte");
    assert_refused(f, "mesh = a\nbeacon = 'b\1'\nmush = b\n", 2, "a zero byte");
}

/* How many lines tell of something. */
static size_t
count_problems(const struct fixture *f)
{
    size_t count = 0;
    for (size_t i = 0; i < f->problems.len; i++)
        count += f->problems.bytes[i] == '\n' ? 1 : 0;
    return count;
}

TEST(all_that_is_wrong_is_told)
{
    struct fixture *f = *state;
    const char *text = "beat_ms = soon\n"
                       "mush = b\n"
                       "    deep = 1\n"
                       "part = a\n"
                       "    port = x\n"
                       "    mesh = y\n"
                       "port = 7\n"
                       "loud = maybe\n";

    assert_refused(f, text, 1, "'soon' is not a whole number");
    assert_refused(f, text, 2, "unknown key 'mush'");
    assert_refused(f, text, 5, "'x' is not a whole number");
    assert_refused(f, text, 6, "unknown key 'mesh' in part");
    assert_refused(f, text, 7, "unknown key 'port'; indent it by four spaces below its part");
    assert_refused(f, text, 8, "neither true nor false");
    assert_int_equal(count_problems(f), 6);
    assert_refused(f, "mesh: a\nbeat_ms = 500\n= b\n", 1, "'=' is missing");
    assert_refused(f, "mesh: a\nbeat_ms = 500\n= b\n", 3, "key is missing");
    assert_int_equal(count_problems(f), 2);
}

TEST(a_file_full_of_mistakes_tells_some)
{
    struct fixture *f = *state;
    char text[1000] = "";
    for (size_t i = 0; i < 100; i++)
        (void)snprintf(text + 6 * i, sizeof text - 6 * i, "x = 1\n");

    assert_refused(f, text, TULLE__CONFIG_PROBLEMS_MAX, "and more");
    assert_int_equal(count_problems(f), TULLE__CONFIG_PROBLEMS_MAX + 1);
}

TEST(values_are_checked_by_their_row)
{
    struct fixture *f = *state;

    assert_refused(f, "check = good\njoin = a\ncheck = bad\n", 3, "check: 'bad' is no good");
}

TEST(missing_file_is_told)
{
    struct fixture *f = *state;

    assert_status(
        tulle__config_load(&f->program, "/nonexistent/tulle.conf", &f->strings, &f->problems),
        TULLE_ENOENT);

    tulle__text_char(&f->problems, '\0');
    assert_non_null(strstr(f->problems.bytes, "/nonexistent/tulle.conf: "));
}

TEST(printed_configuration_reads_back_the_same)
{
    struct fixture *f = *state;
    char text[4096];
    assert_status(load(f,
                       "mesh = \"a # b\"\nbeat_ms = 70\nbytes = 3K\njoin = x\njoin = y\n"
                       "exec = 'say \"hi\"'\n    command = \" led\"\npart = lan\n    port = 9\n"),
                  TULLE_OK);
    FILE *file = tmpfile();
    assert_non_null(file);

    tulle__config_print(&f->program, file);

    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    assert_status(load(f, text), TULLE_OK);
    assert_string_equal(f->mine.mesh, "a # b");
    assert_int_equal(f->mine.beat_ms, 70);
    assert_int_equal(f->mine.bytes, 3072);
    assert_int_equal(f->mine.join.count, 2);
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): loading has filled it */
    assert_string_equal(f->mine.exec.items[0], "say \"hi\"");
    assert_string_equal(f->mine.exec.items[1], " led");
    assert_int_equal(f->parts[0].port, 9);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(reads_what_is_written),
        CASE(key_without_value_takes_the_implied_one),
        CASE(empty_file_changes_nothing),
        CASE(unknown_keys_are_errors_with_their_line),
        CASE(keys_of_other_programs_may_be_passed_over),
        CASE(wrong_values_are_errors_with_their_line),
        CASE(wrong_syntax_is_an_error_with_its_line),
        CASE(a_zero_byte_is_an_error_with_its_line),
        CASE(all_that_is_wrong_is_told),
        CASE(a_file_full_of_mistakes_tells_some),
        CASE(values_are_checked_by_their_row),
        CASE(missing_file_is_told),
        CASE(printed_configuration_reads_back_the_same),
    };
    return cmocka_run_group_tests_name("app/config", tests, NULL, NULL);
}
