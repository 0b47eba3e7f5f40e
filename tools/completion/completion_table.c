/* SPDX-License-Identifier: MPL-2.0 */

/* Tables of options, asked of the programs themselves: so no command can be forgotten, and none
 * needs to know of this. */

#include "app/text.h"
#include "tools/completion/completion.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIELDS = 9 };

extern char **environ;

/* Read until the end; returns the program's exit status, or -1. */
static int
collect(int fd, pid_t pid, struct tulle__text *out)
{
    char bytes[4096];
    ssize_t got;
    do {
        got = read(fd, bytes, sizeof bytes);
        if (got > 0)
            tulle__text_put(out, bytes, (size_t)got);
    } while (got > 0 || (got < 0 && errno == EINTR));
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Run "PATH [COMMAND] --help-table". */
static int
ask(const char *path, const char *command, struct tulle__text *out)
{
    char program[] = "tulle";
    char table[] = "--help-table";
    char word[64];
    int ends[2];
    pid_t pid = 0;
    (void)snprintf(word, sizeof word, "%s", command != NULL ? command : table);
    char *argv[] = { program, word, command != NULL ? table : NULL, NULL };
    if (pipe(ends) != 0)
        return -1;
    posix_spawn_file_actions_t actions;
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed == 0) {
        failed = posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
        if (failed == 0)
            failed = posix_spawn_file_actions_addclose(&actions, ends[0]);
        if (failed == 0)
            failed = posix_spawn(&pid, path, &actions, NULL, argv, environ);
        (void)posix_spawn_file_actions_destroy(&actions);
    }
    (void)close(ends[1]);
    int status = failed == 0 ? collect(ends[0], pid, out) : -1;
    (void)close(ends[0]);
    return status;
}

/* Cut the line at its tabs; fields that are not there are "". */
static void
read_row(char *line, struct tulle__shell_row *row)
{
    const char *fields[FIELDS];
    for (size_t i = 0; i < FIELDS; i++) {
        fields[i] = line;
        char *tab = strchr(line, '\t');
        if (tab != NULL)
            *tab = '\0';
        line = tab != NULL ? tab + 1 : line + strlen(line);
    }
    *row = (struct tulle__shell_row){ fields[0], fields[1], fields[2], fields[3], fields[4],
                                      fields[5], fields[6], fields[7], fields[8] };
    if (strcmp(row->kind, "command") == 0) {
        row->help = row->letter;
        row->letter = "";
    }
}

static bool
read_table(const struct tulle__text *text, struct tulle__shell_table *table)
{
    size_t lines = 0;
    for (size_t i = 0; i < text->len; i++)
        lines += text->bytes[i] == '\n';
    table->text = malloc(text->len + 1);
    table->rows = calloc(lines + 1, sizeof *table->rows);
    if (table->text == NULL || table->rows == NULL)
        return false;
    if (text->len > 0)
        memcpy(table->text, text->bytes, text->len);
    table->text[text->len] = '\0';
    char *rest = table->text;
    for (size_t i = 0; i < lines; i++) {
        char *line = rest;
        char *end = strchr(line, '\n');
        *end = '\0';
        rest = end + 1;
        read_row(line, &table->rows[table->count++]);
    }
    return true;
}

/* Returns false when there is no such program, or no memory. */
static bool
add_table(struct tulle__shell *shell, const char *path, const char *name, const char *command)
{
    struct tulle__text text = { 0 };
    bool is_good = shell->count < TULLE__SHELL_TABLES_MAX && ask(path, command, &text) == 0;
    if (is_good) {
        struct tulle__shell_table *table = &shell->tables[shell->count++];
        (void)snprintf(table->name, sizeof table->name, "%s%s%s", name, command != NULL ? " " : "",
                       command != NULL ? command : "");
        is_good = read_table(&text, table);
    }
    tulle__text_free(&text);
    return is_good;
}

bool
tulle__shell_init(struct tulle__shell *shell)
{
    static const char *const daemons[] = { "tulle-node", "tulle-proxy" };
    *shell = (struct tulle__shell){ .count = 0 };
    char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 32);
    if (len <= 0) {
        (void)fprintf(stderr, "tulle completion: /proc/self/exe: %s\n", strerror(errno));
        return false;
    }
    path[len] = '\0';
    bool is_good = add_table(shell, path, "tulle", NULL);
    const struct tulle__shell_table *commands = &shell->tables[0];
    for (size_t i = 0; is_good && i < commands->count; i++) {
        if (strcmp(commands->rows[i].kind, "command") == 0)
            is_good = add_table(shell, path, "tulle", commands->rows[i].name);
    }
    if (!is_good) {
        (void)fprintf(stderr, "tulle completion: the options of %s cannot be read\n", path);
        return false;
    }
    char *name = strrchr(path, '/') + 1;
    for (size_t i = 0; i < sizeof daemons / sizeof *daemons; i++) {
        (void)snprintf(name, 32, "%s", daemons[i]);
        if (access(path, X_OK) == 0)
            (void)add_table(shell, path, daemons[i], NULL); /* a strange one: left out */
    }
    return true;
}

void
tulle__shell_fini(struct tulle__shell *shell)
{
    for (size_t i = 0; i < shell->count; i++) {
        free(shell->tables[i].text);
        free(shell->tables[i].rows);
    }
    shell->count = 0;
}

enum tulle__shell_value
tulle__shell_value(const struct tulle__shell_row *row,
                   bool is_second,
                   char name[static 64],
                   char words[static 512])
{
    static const struct {
        const char *name;
        enum tulle__shell_value value;
    } kinds[] = {
        { "FILE", TULLE__SHELL_FILE },       { "FOLDER", TULLE__SHELL_FOLDER },
        { "DIR", TULLE__SHELL_FOLDER },      { "COMMAND", TULLE__SHELL_COMMAND },
        { "ADDRESS", TULLE__SHELL_ADDRESS }, { "INTERFACE", TULLE__SHELL_INTERFACE },
    };
    bool is_operand = strcmp(row->kind, "operand") == 0;
    const char *arg = is_operand ? row->name : row->arg;
    size_t first_len = strcspn(arg, " ");
    if (is_second)
        (void)snprintf(name, 64, "%s", arg + first_len + strspn(arg + first_len, " "));
    else
        (void)snprintf(name, 64, "%.*s", (int)first_len, arg);
    (void)snprintf(words, 512, "%s", row->choices);
    /* "bash|zsh" are words to type, "SIZE|TIME" are names of what is meant. */
    bool is_typed = strpbrk(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == NULL;
    if (is_typed && strchr(name, '|') != NULL && words[0] == '\0') {
        (void)snprintf(words, 512, "%s", name);
        for (char *bar = strchr(words, '|'); bar != NULL; bar = strchr(bar, '|'))
            *bar = ' ';
    }
    if (words[0] != '\0')
        return TULLE__SHELL_WORDS;
    if (strcmp(row->name, "--interface") == 0)
        return TULLE__SHELL_INTERFACE;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return kinds[i].value;
    }
    return TULLE__SHELL_ANY;
}
