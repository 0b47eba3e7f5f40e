/* SPDX-License-Identifier: MPL-2.0 */

/* What --help-table prints: the tables once more, for programs. Shells complete by it, and a test
 * compares the manual pages with it. */

#include "app/args.h"

#include <stdbool.h>
#include <string.h>

static const char *
shape_of(const struct tulle__option *option)
{
    if (option->type == TULLE__OPTION_FLAG)
        return "flag";
    if (option->type == TULLE__OPTION_PAIRS)
        return "pair";
    return option->implied != NULL ? "optional" : "value";
}

static void
print_row(const struct tulle__option *option, FILE *to)
{
    char flag[80];
    char letter[3] = { '-', option->letter, '\0' };
    bool is_list = option->type == TULLE__OPTION_LIST || option->type == TULLE__OPTION_PAIRS;
    if ((option->flags & TULLE__OPTION_FILE_ONLY) != 0)
        return;
    tulle__option_flag(option, flag, sizeof flag);
    (void)fprintf(to, "option\t%s\t%s\t%s\t%s\t%s\t%s\t", flag,
                  option->letter != '\0' ? letter : "", shape_of(option), is_list ? "many" : "once",
                  (option->flags & TULLE__OPTION_RARE) != 0 ? "rare" : "usual",
                  option->arg != NULL ? option->arg : "");
    const struct tulle__choice *choice = option->choices;
    for (const char *lead = ""; choice != NULL && choice->name != NULL; choice++, lead = " ")
        (void)fprintf(to, "%s%s", lead, choice->name);
    (void)fprintf(to, "\t%s\n", option->help);
}

/* Words of the usage line that stand for operands: not "[options]", not "--lines" and what follows
 * it in the same brackets. Each once. */
static void
print_operands(const char *synopsis, FILE *to)
{
    const char *const begin = synopsis;
    while (*synopsis != '\0') {
        size_t len = strcspn(synopsis, " \n");
        const char *word = synopsis + strspn(synopsis, "[");
        size_t word_len = strcspn(word, " \n].");
        bool is_first = word_len > 0;
        for (const char *at = begin; at + word_len <= word && is_first; at++)
            is_first = strncmp(at, word, word_len) != 0;
        bool is_option = word[0] == '-' || strncmp(word, "option", 6) == 0;
        if (word[0] == '-') /* "[--config FILE]": its value is no operand */
            len = strcspn(synopsis, "]\n");
        if (is_first && !is_option)
            (void)fprintf(to, "operand\t%.*s\n", (int)word_len, word);
        synopsis += len;
        synopsis += strspn(synopsis, " \n].");
    }
}

void
tulle__args_table(const struct tulle__program *program, FILE *to)
{
    const struct tulle__section *section = program->section;
    if (section != NULL) {
        (void)fprintf(to, "option\t--%s\t\tvalue\tmany\tusual\t%s\t\t%s\n", section->name,
                      section->arg, section->help);
        for (size_t i = 0; i < section->count; i++)
            print_row(&section->options[i], to);
    }
    for (size_t i = 0; i < program->group_count; i++) {
        for (size_t k = 0; k < program->groups[i].count; k++)
            print_row(&program->groups[i].options[k], to);
    }
    if (program->has_config) {
        (void)fputs("option\t--config\t\tvalue\tonce\tusual\tFILE\t\tread options from a file\n"
                    "option\t--print-config\t\tflag\tonce\tusual\t\t\tprint what they come to\n",
                    to);
    }
    (void)fputs("option\t--help-all\t\tflag\tonce\tusual\t\t\tlist the rarely needed options too\n"
                "option\t--help-table\t\tflag\tonce\trare\t\t\tlist all options for programs\n"
                "option\t--help\t-h\tflag\tonce\tusual\t\t\tlist the options\n"
                "option\t--version\t\tflag\tonce\tusual\t\t\tprint the version\n",
                to);
    print_operands(program->synopsis, to);
}
