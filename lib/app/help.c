/* SPDX-License-Identifier: MPL-2.0 */

/* What --help prints, made from the tables, so that it cannot forget an option;
 * and subcommands, which are a table too. */

#include "app/args.h"
#include "app/exit.h"

#include <tulle/version.h>

#include <stdlib.h>
#include <string.h>

enum {
    HELP_COLUMN = 28, /* where the second column begins */
    HELP_WIDTH = 79
};

/* Print text from column on, breaking lines at spaces. */
static void
print_wrapped(const char *text, size_t column, FILE *to)
{
    size_t used = column;
    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        if (used > column && used + 1 + word > HELP_WIDTH) {
            (void)fprintf(to, "\n%*s", (int)column, "");
            used = column;
        } else if (used > column) {
            (void)fputc(' ', to);
            used++;
        }
        (void)fprintf(to, "%.*s", (int)word, text);
        used += word;
        text += word;
        text += strspn(text, " ");
    }
    (void)fputc('\n', to);
}

static void
print_row(const char *left, const char *help, FILE *to)
{
    (void)fputs(left, to);
    size_t len = strlen(left);
    if (len + 2 > HELP_COLUMN) {
        (void)fputc('\n', to);
        len = 0;
    }
    (void)fprintf(to, "%*s", (int)(HELP_COLUMN - len), "");
    print_wrapped(help, HELP_COLUMN, to);
}

/* " (default 1000)", for options whose field holds a value before anything is read. */
static void
describe(const struct tulle__option *option, const void *target, char *out, size_t len)
{
    char value[160] = "";
    bool is_plain = option->type == TULLE__OPTION_FLAG || option->type == TULLE__OPTION_LIST ||
                    option->type == TULLE__OPTION_PAIRS;
    bool has_default = !is_plain && target != NULL &&
                       tulle__option_get(option, target, 0, value, NULL, sizeof value);
    /* Below what may be given, and as the largest that there is, a number means that the option
     * is not. */
    if (has_default && ((option->min > 0 && strtod(value, NULL) < option->min) ||
                        strcmp(value, "18446744073709551615") == 0))
        has_default = false;
    bool is_repeatable =
        (option->type == TULLE__OPTION_LIST || option->type == TULLE__OPTION_PAIRS) &&
        strstr(option->help, "may be repeated") == NULL;
    (void)snprintf(out, len, "%s%s%s%s%s", option->help, is_repeatable ? "; may be repeated" : "",
                   has_default ? " (default " : "", has_default ? value : "",
                   has_default ? ")" : "");
}

static void
print_option(const struct tulle__option *option, const void *target, FILE *to)
{
    char flag[80];
    char left[160];
    char help[640];
    tulle__option_flag(option, flag, sizeof flag);
    char letter[6] = "    ";
    if (option->letter != '\0')
        (void)snprintf(letter, sizeof letter, "-%c, ", option->letter);
    const char *arg = option->arg != NULL ? option->arg : "VALUE";
    if (option->type == TULLE__OPTION_FLAG)
        (void)snprintf(left, sizeof left, "  %s%s", letter, flag);
    else if (option->implied != NULL)
        (void)snprintf(left, sizeof left, "  %s%s[=%s]", letter, flag, arg);
    else
        (void)snprintf(left, sizeof left, "  %s%s %s", letter, flag, arg);
    describe(option, target, help, sizeof help);
    print_row(left, help, to);
}

static void
print_options(
    const struct tulle__option *options, size_t count, const void *target, bool is_all, FILE *to)
{
    for (size_t i = 0; i < count; i++) {
        bool is_rare = (options[i].flags & TULLE__OPTION_RARE) != 0;
        bool is_file_only = (options[i].flags & TULLE__OPTION_FILE_ONLY) != 0;
        if (!is_file_only && (is_all || !is_rare))
            print_option(&options[i], target, to);
    }
}

static bool
has_shown(const struct tulle__option_group *group, bool is_all)
{
    for (size_t i = 0; i < group->count; i++) {
        unsigned flags = group->options[i].flags;
        if ((flags & TULLE__OPTION_FILE_ONLY) == 0 && (is_all || (flags & TULLE__OPTION_RARE) == 0))
            return true;
    }
    return false;
}

static void
print_usage(const struct tulle__program *program, FILE *to)
{
    const char *line = program->synopsis;
    const char *lead = "usage:";
    while (*line != '\0') {
        size_t len = strcspn(line, "\n");
        (void)fprintf(to, "%-6s %s %.*s\n", lead, program->name, (int)len, line);
        line += len;
        line += strspn(line, "\n");
        lead = "";
    }
}

void
tulle__args_help(const struct tulle__program *program, bool is_all, FILE *to)
{
    print_usage(program, to);
    (void)fprintf(to, "\n%s\n", program->summary);
    const struct tulle__section *section = program->section;
    if (section != NULL) {
        char left[160];
        (void)snprintf(left, sizeof left, "      --%s %s", section->name, section->arg);
        (void)fprintf(to, "\nFor each %s:\n", section->name);
        print_row(left, section->help, to);
        print_options(section->options, section->count, NULL, is_all, to);
    }
    for (size_t i = 0; i < program->group_count; i++) {
        const struct tulle__option_group *group = &program->groups[i];
        if (!has_shown(group, is_all))
            continue;
        (void)fprintf(to, "\n%s:\n", group->title);
        print_options(group->options, group->count, group->target, is_all, to);
    }
    (void)fprintf(to, "\nGeneral:\n");
    if (program->has_config) {
        print_row("      --config FILE", "read options from FILE first; see tulle.conf(5)", to);
        print_row("      --print-config", "print what the options come to, as such a file", to);
    }
    print_row("      --help-all", "list the rarely needed options too", to);
    if (is_all)
        print_row("      --help-table", "list all options for programs, tab-separated", to);
    print_row("  -h, --help", "print this", to);
    print_row("      --version", "print the version", to);
    if (program->notes != NULL)
        (void)fprintf(to, "\n%s\n", program->notes);
}

static const struct tulle__command *
find_command(const struct tulle__command *commands, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static void
print_commands(const char *program,
               const char *summary,
               const struct tulle__command *commands,
               size_t count,
               FILE *to)
{
    (void)fprintf(to, "usage: %s COMMAND [options] ...\n\n%s\n\nCommands:\n", program, summary);
    for (size_t i = 0; i < count; i++)
        (void)fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].help);
    (void)fprintf(to, "\n'%s COMMAND --help' tells about a command.\n", program);
}

int
tulle__command_run(const char *program,
                   const char *summary,
                   const struct tulle__command *commands,
                   size_t count,
                   int argc,
                   char **argv)
{
    if (argc < 2) {
        print_commands(program, summary, commands, count, stderr);
        return TULLE__EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0) {
        (void)printf("%s %s\n", program, TULLE_VERSION);
        return TULLE__EXIT_OK;
    }
    bool is_help =
        strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0;
    if (is_help && argc < 3) {
        print_commands(program, summary, commands, count, stdout);
        return TULLE__EXIT_OK;
    }
    if (strcmp(name, "--help-table") == 0) {
        for (size_t i = 0; i < count; i++)
            (void)printf("command\t%s\t%s\n", commands[i].name, commands[i].help);
        return fflush(stdout) == 0 ? TULLE__EXIT_OK : TULLE__EXIT_FAILURE;
    }
    const struct tulle__command *command = find_command(commands, count, is_help ? argv[2] : name);
    if (command == NULL) {
        (void)fprintf(stderr, "%s: unknown %s '%s'\ntry '%s --help'\n", program,
                      name[0] == '-' && !is_help ? "option" : "command", is_help ? argv[2] : name,
                      program);
        return TULLE__EXIT_USAGE;
    }
    if (is_help) {
        char flag[] = "--help";
        char *help[] = { argv[2], flag, NULL };
        return command->run(2, help);
    }
    return command->run(argc - 1, argv + 1);
}
