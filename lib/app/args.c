/* SPDX-License-Identifier: MPL-2.0 */

/* Command lines. Two passes: scan reads argv into a list of given options, so
 * that usage errors come before anything happens and --config is known
 * wherever it stands; apply sets the fields, after the file did. */

#include "app/args.h"

#include "app/config.h"
#include "app/exit.h"

#include <tulle/version.h>

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* What every program understands; the target is the struct tulle__args. */
static const struct tulle__option builtins[] = {
    { .name = "help",
      .letter = 'h',
      .type = TULLE__OPTION_FLAG,
      .offset = offsetof(struct tulle__args, is_help) },
    { .name = "help_all",
      .type = TULLE__OPTION_FLAG,
      .offset = offsetof(struct tulle__args, is_help_all) },
    { .name = "help_table",
      .type = TULLE__OPTION_FLAG,
      .offset = offsetof(struct tulle__args, is_help_table) },
    { .name = "version",
      .type = TULLE__OPTION_FLAG,
      .offset = offsetof(struct tulle__args, is_version) },
    { .name = "config",
      .type = TULLE__OPTION_STRING,
      .offset = offsetof(struct tulle__args, config),
      .arg = "FILE" },
    { .name = "print_config",
      .type = TULLE__OPTION_FLAG,
      .offset = offsetof(struct tulle__args, is_print_config) },
};

enum {
    BUILTIN_COUNT = sizeof builtins / sizeof *builtins,
    BUILTIN_NO_CONFIG = BUILTIN_COUNT - 2 /* the first ones, for programs without a file */
};

struct scan {
    const struct tulle__program *program;
    struct tulle__args *args;
    char **argv;
    int argc;
    int at;
    bool is_in_section;
};

int
tulle__args_usage(const struct tulle__program *program, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    (void)fprintf(stderr, "%s: ", program->name);
    (void)vfprintf(stderr, format, list);
    (void)fprintf(stderr, "\ntry '%s --help'\n", program->name);
    va_end(list);
    return TULLE__EXIT_USAGE;
}

static bool
is_named(const struct tulle__option *option, const char *name, size_t len)
{
    if ((option->flags & TULLE__OPTION_FILE_ONLY) != 0 || strlen(option->name) != len)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = option->name[i] == '_' ? '-' : option->name[i];
        if (c != name[i])
            return false;
    }
    return true;
}

static const struct tulle__option *
find_in(const struct tulle__option *options, size_t count, const char *name, size_t len)
{
    for (size_t i = 0; i < count; i++) {
        bool is_found = name[0] == '\0' ? false : is_named(&options[i], name, len);
        if (is_found)
            return &options[i];
    }
    return NULL;
}

/* The option of a long name (len bytes); out->option stays NULL when there is none. */
static void
find_long(const struct scan *scan, const char *name, size_t len, struct tulle__given *out)
{
    const struct tulle__program *program = scan->program;
    const struct tulle__section *section = program->section;
    if (section != NULL && scan->is_in_section) {
        out->option = find_in(section->options, section->count, name, len);
        if (out->option != NULL)
            return;
    }
    for (size_t i = 0; i < program->group_count; i++) {
        const struct tulle__option_group *group = &program->groups[i];
        out->option = find_in(group->options, group->count, name, len);
        if (out->option != NULL) {
            out->group = group;
            return;
        }
    }
    out->option =
        find_in(builtins, program->has_config ? BUILTIN_COUNT : BUILTIN_NO_CONFIG, name, len);
}

static void
find_short(const struct scan *scan, char letter, struct tulle__given *out)
{
    for (size_t i = 0; i < scan->program->group_count; i++) {
        const struct tulle__option_group *group = &scan->program->groups[i];
        for (size_t k = 0; k < group->count; k++) {
            if (group->options[k].letter == letter) {
                out->option = &group->options[k];
                out->group = group;
                return;
            }
        }
    }
    if (letter == 'h')
        out->option = &builtins[0];
}

static bool
is_builtin(const struct tulle__option *option)
{
    return option >= builtins && option < builtins + BUILTIN_COUNT;
}

static int
push_given(struct scan *scan, const struct tulle__given *given)
{
    struct tulle__args *args = scan->args;
    if (given->option != NULL && is_builtin(given->option)) {
        char problem[TULLE__PROBLEM_LEN] = "";
        if (!tulle__option_set(given->option, args, given->values, &args->strings, problem))
            return tulle__args_usage(scan->program, "%s: %s", given->option->name, problem);
        return 0;
    }
    if ((args->given_count & (args->given_count - 1)) == 0) {
        size_t cap = args->given_count == 0 ? 1 : args->given_count * 2;
        struct tulle__given *list = realloc(args->given, cap * sizeof *list);
        if (list == NULL) {
            (void)fprintf(stderr, "%s: out of memory\n", scan->program->name);
            return TULLE__EXIT_FAILURE;
        }
        args->given = list;
    }
    args->given[args->given_count++] = *given;
    return 0;
}

/* Fill given->values from the argument that is attached (NULL: none) or those that follow. */
static int
take_values(struct scan *scan, struct tulle__given *given, const char *attached)
{
    const struct tulle__option *option = given->option;
    char flag[80];
    tulle__option_flag(option, flag, sizeof flag);
    if (option->type == TULLE__OPTION_FLAG) {
        given->values[0] = "true";
        if (attached != NULL)
            return tulle__args_usage(scan->program, "%s takes no argument", flag);
        return 0;
    }
    if (attached == NULL && option->implied != NULL) {
        given->values[0] = option->implied;
        return 0;
    }
    size_t need = option->type == TULLE__OPTION_PAIRS ? 2 : 1;
    size_t have = 0;
    if (attached != NULL)
        given->values[have++] = attached;
    while (have < need) {
        if (scan->at >= scan->argc)
            return tulle__args_usage(scan->program, "%s needs %s", flag,
                                     option->arg != NULL ? option->arg : "a value");
        given->values[have++] = scan->argv[scan->at++];
    }
    return 0;
}

static int
scan_section(struct scan *scan, const char *attached)
{
    struct tulle__given given = { .opens_section = true };
    const struct tulle__section *section = scan->program->section;
    if (attached == NULL && scan->at >= scan->argc)
        return tulle__args_usage(scan->program, "--%s needs %s", section->name, section->arg);
    given.values[0] = attached != NULL ? attached : scan->argv[scan->at++];
    scan->is_in_section = true;
    return push_given(scan, &given);
}

static int
scan_long(struct scan *scan, const char *word)
{
    const char *name = word + 2;
    size_t len = strcspn(name, "=");
    const char *attached = name[len] == '=' ? name + len + 1 : NULL;
    const struct tulle__section *section = scan->program->section;
    if (section != NULL && strlen(section->name) == len && strncmp(section->name, name, len) == 0)
        return scan_section(scan, attached);
    struct tulle__given given = { 0 };
    find_long(scan, name, len, &given);
    if (given.option == NULL)
        return tulle__args_usage(scan->program, "unknown option '%.*s'", (int)(len + 2), word);
    int status = take_values(scan, &given, attached);
    return status != 0 ? status : push_given(scan, &given);
}

/* -q, -qv, -C5, -C=5, -C 5. Nobody means the "=" to be of the value. */
static int
scan_short(struct scan *scan, const char *word)
{
    for (const char *at = word + 1; *at != '\0'; at++) {
        struct tulle__given given = { 0 };
        find_short(scan, *at, &given);
        if (given.option == NULL)
            return tulle__args_usage(scan->program, "unknown option '-%c'", *at);
        bool takes_none = given.option->type == TULLE__OPTION_FLAG;
        const char *attached = takes_none || at[1] == '\0' ? NULL : at + 1;
        if (at[1] == '=')
            attached = at + 2; /* a flag takes none, and says so */
        int status = take_values(scan, &given, attached);
        if (status == 0)
            status = push_given(scan, &given);
        if (status != 0 || attached != NULL)
            return status;
    }
    return 0;
}

/* "-5.2" is a number, not an option, unless the program has an option of that digit. */
static bool
is_operand(const struct scan *scan, const char *word)
{
    if (word[0] != '-' || word[1] == '\0')
        return true;
    struct tulle__given given = { 0 };
    bool is_digit = (word[1] >= '0' && word[1] <= '9') || word[1] == '.';
    if (is_digit)
        find_short(scan, word[1], &given);
    return is_digit && given.option == NULL;
}

int
tulle__args_scan(const struct tulle__program *program,
                 int argc,
                 char **argv,
                 struct tulle__args *args)
{
    *args = (struct tulle__args){ 0 };
    struct scan scan = { .program = program, .args = args, .argv = argv, .argc = argc, .at = 1 };
    bool is_over = false; /* behind "--" */
    /* Operands are moved to the front: never ahead of what is still to be read. */
    args->operands = argv + (argc > 0 ? 1 : 0);
    while (scan.at < argc) {
        char *word = argv[scan.at++];
        int status = 0;
        if (is_over || is_operand(&scan, word))
            args->operands[args->operand_count++] = word;
        else if (strcmp(word, "--") == 0)
            is_over = true;
        else if (word[1] == '-')
            status = scan_long(&scan, word);
        else
            status = scan_short(&scan, word);
        if (status != 0)
            return status;
    }
    if (args->operand_count > program->operand_max && !args->is_help && !args->is_version)
        return tulle__args_usage(program, "unexpected argument '%s'",
                                 args->operands[program->operand_max]);
    return 0;
}

/* Was the same list given before, so that this occurrence adds to it? */
static bool
is_first(const struct tulle__args *args, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (args->given[i].option == args->given[index].option &&
            args->given[i].group == args->given[index].group)
            return false;
    }
    return true;
}

int
tulle__args_apply(const struct tulle__program *program, struct tulle__args *args)
{
    void *section = NULL;
    for (size_t i = 0; i < args->given_count; i++) {
        const struct tulle__given *given = &args->given[i];
        if (given->opens_section) {
            const char *name = tulle__strings_copy(&args->strings, given->values[0]);
            section = name == NULL ? NULL : program->section->open(program->section->ctx, name);
            if (section == NULL)
                return tulle__args_usage(program, "--%s: too many", program->section->name);
            continue;
        }
        void *target = given->group != NULL ? given->group->target : section;
        if (given->group != NULL && is_first(args, i))
            tulle__option_clear(given->option, target);
        char problem[TULLE__PROBLEM_LEN] = "";
        if (!tulle__option_set(given->option, target, given->values, &args->strings, problem)) {
            char flag[80];
            tulle__option_flag(given->option, flag, sizeof flag);
            return tulle__args_usage(program, "%s: %s", flag, problem);
        }
    }
    return 0;
}

bool
tulle__args_has(const struct tulle__args *args, const char *name)
{
    for (size_t i = 0; i < args->given_count; i++) {
        if (args->given[i].option != NULL && strcmp(args->given[i].option->name, name) == 0)
            return true;
    }
    return false;
}

void
tulle__args_tell(const struct tulle__program *program, const struct tulle__text *problems)
{
    size_t len = 0;
    for (size_t start = 0; start < problems->len; start += len + 1) {
        const char *line = problems->bytes + start;
        const char *newline = memchr(line, '\n', problems->len - start);
        len = newline != NULL ? (size_t)(newline - line) : problems->len - start;
        (void)fprintf(stderr, "%s: %.*s\n", program->name, (int)len, line);
    }
}

bool
tulle__args_reload(const struct tulle__program *program,
                   int argc,
                   char **argv,
                   struct tulle__args *args,
                   struct tulle__text *problems)
{
    /* The options were right the first time; what they tell of goes to stderr again. */
    bool is_good = tulle__args_scan(program, argc, argv, args) == 0;
    if (is_good && args->config != NULL)
        is_good = tulle__config_load(program, args->config, &args->strings, problems) == TULLE_OK;
    if (is_good && tulle__args_apply(program, args) != 0) {
        tulle__text_str(problems, "the file and the options do not go together\n");
        is_good = false;
    }
    if (!is_good)
        tulle__args_end(args);
    return is_good;
}

/* The steps between scan and the program. Returns true to go on. */
static bool
begin_scanned(const struct tulle__program *program, struct tulle__args *args, int *status)
{
    if (args->is_help || args->is_help_all) {
        tulle__args_help(program, args->is_help_all, stdout);
        return false;
    }
    if (args->is_help_table) {
        tulle__args_table(program, stdout);
        return false;
    }
    if (args->is_version) {
        (void)printf("%s %s\n", program->name, TULLE_VERSION);
        return false;
    }
    if (args->config != NULL) {
        struct tulle__text problems = { 0 };
        if (tulle__config_load(program, args->config, &args->strings, &problems) != TULLE_OK)
            *status = TULLE__EXIT_CONFIG;
        tulle__args_tell(program, &problems);
        tulle__text_free(&problems);
        if (*status != 0)
            return false;
    }
    *status = tulle__args_apply(program, args);
    if (*status != 0)
        return false;
    if (args->is_print_config) {
        tulle__config_print(program, stdout);
        return false;
    }
    return true;
}

bool
tulle__args_begin(const struct tulle__program *program,
                  int argc,
                  char **argv,
                  struct tulle__args *args,
                  int *status)
{
    *status = tulle__args_scan(program, argc, argv, args);
    if (*status == 0 && begin_scanned(program, args, status))
        return true;
    tulle__args_end(args);
    if (fflush(stdout) != 0 && *status == 0)
        *status = TULLE__EXIT_FAILURE;
    return false;
}

void
tulle__args_end(struct tulle__args *args)
{
    tulle__strings_fini(&args->strings);
    free(args->given);
    *args = (struct tulle__args){ 0 };
}
