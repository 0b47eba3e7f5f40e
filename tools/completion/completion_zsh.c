/* SPDX-License-Identifier: MPL-2.0 */

/* For zsh: a call of _arguments for each command, which shows the help of the options too. */

#include "tools/completion/completion.h"

#include <tulle/version.h>

#include <string.h>

static const char script[] =
    "_tulle_address() { compadd -S '' -- tcp:// ipc:// }\n"
    "\n"
    "_tulle() {\n"
    "    local curcontext=\"$curcontext\" state line\n"
    "    typeset -A opt_args\n"
    "    case $service in\n"
    "    tulle-node|tulle-proxy)\n"
    "        (( $+functions[_tulle_for_$service] )) && _tulle_for_$service\n"
    "        return ;;\n"
    "    esac\n"
    "    _arguments -C '(- *)'{-h,--help}'[list the commands]' '(- *)--version[print the version]' "
    "\\\n"
    "        '1:command:_tulle_commands' '*::argument:->rest' && return\n"
    "    if [[ $state == rest ]]; then\n"
    "        if [[ $words[1] == help ]]; then\n"
    "            _tulle_commands\n"
    "        elif (( $+functions[_tulle_for_$words[1]] )); then\n"
    "            curcontext=\"${curcontext%:*:*}:tulle-$words[1]:\"\n"
    "            _tulle_for_$words[1]\n"
    "        fi\n"
    "    fi\n"
    "}\n"
    "\n"
    "if [[ $funcstack[1] == _tulle ]]; then\n"
    "    _tulle \"$@\"\n"
    "else\n"
    "    compdef _tulle tulle tulle-node tulle-proxy\n"
    "fi\n";

/* Within single quotes; a backslash before each of the characters in special. */
static void
print_escaped(const char *text, const char *special, FILE *to)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            (void)fputs("'\\''", to);
        else if (*text == '\\' || strchr(special, *text) != NULL)
            (void)fprintf(to, "\\%c", *text);
        else
            (void)fputc(*text, to);
    }
}

/* ":ADDRESS:_tulle_address"; lead: ":" or "::". */
static void
print_value(const struct tulle__shell_row *row, bool is_second, const char *lead, FILE *to)
{
    char name[64];
    char words[512];
    enum tulle__shell_value value = tulle__shell_value(row, is_second, name, words);
    static const char *const actions[] = {
        [TULLE__SHELL_ANY] = " ",
        [TULLE__SHELL_FILE] = "_files",
        [TULLE__SHELL_FOLDER] = "_files -/",
        [TULLE__SHELL_COMMAND] = "_command_names",
        [TULLE__SHELL_ADDRESS] = "_tulle_address",
        [TULLE__SHELL_INTERFACE] = "_net_interfaces",
        [TULLE__SHELL_WORDS] = "",
    };
    (void)fputs(lead, to);
    print_escaped(name, ":", to);
    (void)fprintf(to, ":%s", actions[value]);
    if (value == TULLE__SHELL_WORDS)
        (void)fprintf(to, "(%s)", words);
}

/* One form of an option: how it is written, what it excludes, its help and values. */
static void
print_form(const struct tulle__shell_row *row, const char *form, bool is_long, FILE *to)
{
    bool is_flag = strcmp(row->shape, "flag") == 0;
    bool is_optional = strcmp(row->shape, "optional") == 0;
    bool is_pair = strcmp(row->shape, "pair") == 0;
    (void)fputs(" \\\n        '", to);
    if (strcmp(row->repeat, "many") == 0)
        (void)fputc('*', to);
    else
        (void)fprintf(to, "(%s%s%s)", row->letter, row->letter[0] != '\0' ? " " : "", row->name);
    (void)fputs(form, to);
    if (is_optional)
        (void)fputs(is_long ? "=-" : "-", to);
    else if (!is_flag && !is_pair)
        (void)fputs(is_long ? "=" : "+", to);
    (void)fputc('[', to);
    print_escaped(row->help, "[]", to);
    (void)fputc(']', to);
    if (!is_flag)
        print_value(row, false, is_optional ? "::" : ":", to);
    if (is_pair)
        print_value(row, true, ":", to);
    (void)fputc('\'', to);
}

static void
print_table(const struct tulle__shell_table *table, FILE *to)
{
    const char *name = strchr(table->name, ' ');
    (void)fprintf(
        to, "_tulle_for_%s() {\n    _arguments -s -S :", name != NULL ? name + 1 : table->name);
    bool has_operand = false;
    for (size_t i = 0; i < table->count; i++) {
        const struct tulle__shell_row *row = &table->rows[i];
        if (strcmp(row->kind, "operand") == 0 && !has_operand) {
            has_operand = true;
            (void)fputs(" \\\n        '*", to);
            print_value(row, false, ":", to);
            (void)fputc('\'', to);
        }
        if (strcmp(row->kind, "option") != 0)
            continue;
        if (row->letter[0] != '\0')
            print_form(row, row->letter, false, to);
        print_form(row, row->name, true, to);
    }
    (void)fputs("\n}\n\n", to);
}

void
tulle__shell_zsh(const struct tulle__shell *shell, FILE *to)
{
    const struct tulle__shell_table *commands = &shell->tables[0];
    (void)fprintf(
        to,
        "#compdef tulle tulle-node tulle-proxy\n"
        "# zsh completion of tulle and its daemons, made by 'tulle completion zsh', %s\n\n"
        "_tulle_commands() {\n    local -a commands=(",
        TULLE_VERSION);
    for (size_t i = 0; i < commands->count; i++) {
        (void)fprintf(to, "\n        '%s:", commands->rows[i].name);
        print_escaped(commands->rows[i].help, ":", to);
        (void)fputc('\'', to);
    }
    (void)fputs("\n        'help:tell about a command'\n    )\n"
                "    _describe -t commands command commands\n}\n\n",
                to);
    for (size_t i = 1; i < shell->count; i++)
        print_table(&shell->tables[i], to);
    (void)fputs(script, to);
}
