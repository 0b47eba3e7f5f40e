/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_COMPLETION_H
#define TULLE_TOOLS_COMPLETION_H

/* What shells complete by: the options of every command and program, as they say with
 * --help-table (args.h). */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A line of a table: an option, an operand, or, of tulle itself, a command. */
struct tulle__shell_row {
    const char *kind; /* "option", "operand", "command" */
    const char *name; /* "--listen"; of an operand what the usage line calls it */
    const char *letter;
    const char *shape; /* "flag", "value", "optional", "pair" */
    const char *repeat;
    const char *rarity;
    const char *arg;
    const char *choices; /* separated by spaces */
    const char *help;    /* of a command too */
};

struct tulle__shell_table {
    char name[64]; /* "tulle tap", "tulle-node" */
    char *text;    /* what rows point into */
    struct tulle__shell_row *rows;
    size_t count;
};

enum { TULLE__SHELL_TABLES_MAX = 64 };

struct tulle__shell {
    /* The first one is of tulle itself, with its commands; then the commands, then daemons. */
    struct tulle__shell_table tables[TULLE__SHELL_TABLES_MAX];
    size_t count;
};

/* What a value is, by the name that it has in the help. */
enum tulle__shell_value {
    TULLE__SHELL_ANY, /* nothing to offer */
    TULLE__SHELL_FILE,
    TULLE__SHELL_FOLDER,
    TULLE__SHELL_COMMAND,
    TULLE__SHELL_ADDRESS,
    TULLE__SHELL_INTERFACE,
    TULLE__SHELL_WORDS
};

/* Ask this program and those beside it. A daemon that is not there is left out. Free with
 * tulle__shell_fini() in any case. Returns false after a message. */
bool tulle__shell_init(struct tulle__shell *shell);
void tulle__shell_fini(struct tulle__shell *shell);

/* Of the first or second value of an option, or of an operand; words: its choices, separated by
 * spaces, or NULL. name: how the value is called, valid until the next call. */
enum tulle__shell_value tulle__shell_value(const struct tulle__shell_row *row,
                                           bool is_second,
                                           char name[static 64],
                                           char words[static 512]);

void tulle__shell_bash(const struct tulle__shell *shell, FILE *to);
void tulle__shell_zsh(const struct tulle__shell *shell, FILE *to);

#endif
