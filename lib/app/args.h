/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_APP_ARGS_H
#define TULLE_APP_ARGS_H

/* Command lines: tables in, structs filled out.
 *
 * A program describes itself in a struct tulle__program and calls
 * tulle__args_begin(), which handles --help, --version, --config and
 * --print-config, reads the configuration file and then the options (which
 * override the file), and leaves the operands.
 *
 *     struct my_options my = { 0 };
 *     struct tulle__common common;
 *     tulle__common_init(&common);
 *     const struct tulle__option_group groups[] = {
 *         { "Options", my_table, COUNT(my_table), &my },
 *         tulle__common_mesh_group(&common),
 *     };
 *     const struct tulle__program program = { .name = "tulle-x", ..., .groups = groups, ... };
 *     struct tulle__args args;
 *     int status = 0;
 *     if (!tulle__args_begin(&program, argc, argv, &args, &status))
 *         return status;
 *     ...
 *     tulle__args_end(&args);
 *
 * Forms: --opt VALUE, --opt=VALUE, --opt (flags), --opt or --opt=VALUE (an
 * optional argument), --exec PATTERN COMMAND (two), -n VALUE, -nVALUE,
 * -n=VALUE, -qv (bundled flags), -- (operands follow), - (an operand).
 */

#include "app/option.h"
#include "app/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct tulle__option_group {
    const char *title; /* heading in --help */
    const struct tulle__option *options;
    size_t count;
    void *target;
};

/* A repeatable part with options of its own, such as a proxy's segments. On the
 * command line --NAME VALUE opens one and the section's options that follow
 * belong to it; in a file "NAME = VALUE" is followed by them, indented. */
struct tulle__section {
    const char *name;
    const char *arg; /* name of VALUE in the help */
    const char *help;
    const struct tulle__option *options;
    size_t count;
    /* Add one: returns its target, or NULL when there are too many. value is
     * owned by the args. */
    void *(*open)(void *ctx, const char *value);
    /* The index-th one, for --print-config; NULL past the end. value: its VALUE. */
    void *(*at)(void *ctx, size_t index, const char **value);
    void *ctx;
};

struct tulle__program {
    const char *name;     /* as typed: "tulle tap" */
    const char *synopsis; /* what follows the name in the usage line; lines split by \n */
    const char *summary;  /* one line: what it does */
    const struct tulle__option_group *groups;
    size_t group_count;
    const struct tulle__section *section; /* NULL: none */
    const char *notes;  /* text at the end of --help, such as examples; NULL: none */
    size_t operand_max; /* SIZE_MAX: any number */
    bool has_config;    /* takes --config and --print-config */
    bool skips_foreign; /* keys of other programs in a file are passed over */
};

/* An option as it was given. */
struct tulle__given {
    const struct tulle__option *option;
    const struct tulle__option_group *group; /* NULL: a section's option, or the section itself */
    bool opens_section;
    const char *values[2];
};

struct tulle__args {
    char **operands; /* within argv */
    size_t operand_count;
    struct tulle__strings strings;
    struct tulle__given *given; /* in the order given */
    size_t given_count;
    const char *config;
    bool is_help, is_help_all, is_help_table, is_version, is_print_config;
};

/* Read the command line (argv[0] is skipped) and the file it names. Messages go
 * to stderr, --help and the like to stdout.
 *
 * Returns true to go on (then call tulle__args_end()); false to leave with *status. */
bool tulle__args_begin(const struct tulle__program *program,
                       int argc,
                       char **argv,
                       struct tulle__args *args,
                       int *status);
void tulle__args_end(struct tulle__args *args);

/* Was the option given on the command line? name as in the table. */
bool tulle__args_has(const struct tulle__args *args, const char *name);

/* As tulle__args_begin() once more, for a program that runs and whose file has changed: into
 * program's targets, which are not those of the first time and have their defaults.
 *
 * Returns true (then call tulle__args_end()), or false with lines of what is wrong in problems. */
bool tulle__args_reload(const struct tulle__program *program,
                        int argc,
                        char **argv,
                        struct tulle__args *args,
                        struct tulle__text *problems);

/* Print each line of problems behind "NAME: ". */
void tulle__args_tell(const struct tulle__program *program, const struct tulle__text *problems);

/* Print "NAME: message" and "try 'NAME --help'"; returns TULLE__EXIT_USAGE. */
int tulle__args_usage(const struct tulle__program *program, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The two halves of tulle__args_begin(), for tests. scan only reads argv and
 * returns 0 or TULLE__EXIT_USAGE; apply sets the fields. */
int tulle__args_scan(const struct tulle__program *program,
                     int argc,
                     char **argv,
                     struct tulle__args *args);
int tulle__args_apply(const struct tulle__program *program, struct tulle__args *args);

/* The text of --help. */
void tulle__args_help(const struct tulle__program *program, bool is_all, FILE *to);

/* The text of --help-table: the same for programs. A line is fields, separated by tabs:
 *
 *     option   --listen -l SHAPE REPEAT RARITY ARG CHOICES HELP
 *     operand  NAME                                    as the usage line calls it
 *
 * SHAPE is flag, value, optional (only as --option=VALUE) or pair (two values); REPEAT once or
 * many; RARITY usual or rare (not in --help); CHOICES, separated by spaces, are all that is
 * allowed. Of a program with commands, "command NAME HELP". Fields may be empty; more may come. */
void tulle__args_table(const struct tulle__program *program, FILE *to);

/* Subcommands: "tulle tap ..." runs the row named "tap" with argv from "tap" on. */
struct tulle__command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
};

/* Find and run argv[1]; also serves --help, --help-table, --version and "help
 * [COMMAND]".
 * Returns the exit status. */
int tulle__command_run(const char *program,
                       const char *summary,
                       const struct tulle__command *commands,
                       size_t count,
                       int argc,
                       char **argv);

#endif
