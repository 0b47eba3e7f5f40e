/* SPDX-License-Identifier: MPL-2.0 */

/* For bash: one function that finds where the cursor is, and two tables. It needs no other
 * package. */

#include "tools/completion/completion.h"

#include <tulle/version.h>

#include <string.h>

/* What is completed is words and what follows an option; readline takes '=' and ':' for words of
 * their own. */
static const char script[] =
    "_tulle()\n"
    "{\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} at=$((COMP_CWORD - 1)) how=next lead='' i\n"
    "    local key=${COMP_WORDS[0]##*/} flags='' kind='' words='' operand='' is_operand=''\n"
    "    COMPREPLY=()\n"
    "    if [[ $key == tulle ]]; then\n"
    "        if ((COMP_CWORD == 1)) || [[ ${COMP_WORDS[1]} == help ]]; then\n"
    "            ((COMP_CWORD > 2)) || mapfile -t COMPREPLY < <(compgen -W \"$_tulle_commands\" -- "
    "\"$cur\")\n"
    "            return\n"
    "        fi\n"
    "        key=\"tulle ${COMP_WORDS[1]}\"\n"
    "    fi\n"
    "    if [[ $cur == '=' ]]; then\n"
    "        cur='' how=attached\n"
    "    elif [[ ${COMP_WORDS[at]} == '=' ]]; then\n"
    "        at=$((at - 1)) how=attached\n"
    "    elif [[ $cur == --*=* ]]; then\n"
    "        lead=${cur%%=*} cur=${cur#*=} how=attached\n"
    "    fi\n"
    "    [[ $cur != : && ${COMP_WORDS[at]} != : ]] || return\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        [[ ${COMP_WORDS[i]} != -- ]] || is_operand=yes\n"
    "    done\n"
    "    _tulle_table \"$key\"\n"
    "    if [[ -z $is_operand ]]; then\n"
    "        _tulle_value \"$key ${lead:-${COMP_WORDS[at]}} $how\"\n"
    "        if [[ -z $kind ]] && ((at > 1)); then\n"
    "            _tulle_value \"$key ${COMP_WORDS[at - 1]} second\"\n"
    "        fi\n"
    "        lead=${lead:+$lead=}\n"
    "        if [[ -z $kind && $cur == -* ]]; then\n"
    "            mapfile -t COMPREPLY < <(compgen -W \"$flags\" -- \"$cur\")\n"
    "            return\n"
    "        fi\n"
    "    fi\n"
    "    [[ -n $kind ]] || kind=${operand%% *} words=${operand#* }\n"
    "    case $kind in\n"
    "    file) mapfile -t COMPREPLY < <(compgen -f -- \"$cur\") ;;\n"
    "    folder) mapfile -t COMPREPLY < <(compgen -d -- \"$cur\") ;;\n"
    "    command) mapfile -t COMPREPLY < <(compgen -c -- \"$cur\") ;;\n"
    "    address) mapfile -t COMPREPLY < <(compgen -W 'tcp:// ipc://' -- \"$cur\") ;;\n"
    "    interface) mapfile -t COMPREPLY < <(compgen -W \"$(command ls /sys/class/net "
    "2>/dev/null)\" -- \"$cur\") ;;\n"
    "    words) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\") ;;\n"
    "    esac\n"
    "    COMPREPLY=(\"${COMPREPLY[@]/#/$lead}\")\n"
    "    case $kind in\n"
    "    file | folder) compopt -o filenames 2>/dev/null ;;\n"
    "    address) compopt -o nospace 2>/dev/null ;;\n"
    "    esac\n"
    "}\n";

static const char *
kind_name(enum tulle__shell_value value)
{
    switch (value) {
    case TULLE__SHELL_FILE:
        return "file";
    case TULLE__SHELL_FOLDER:
        return "folder";
    case TULLE__SHELL_COMMAND:
        return "command";
    case TULLE__SHELL_ADDRESS:
        return "address";
    case TULLE__SHELL_INTERFACE:
        return "interface";
    case TULLE__SHELL_WORDS:
        return "words";
    case TULLE__SHELL_ANY:
        return "any";
    }
    return "any";
}

/* The options of a command, and what its operands are. */
static void
print_flags(const struct tulle__shell_table *table, FILE *to)
{
    char name[64];
    char words[512];
    (void)fprintf(to, "    '%s')\n        flags='", table->name);
    const char *lead = "";
    for (size_t i = 0; i < table->count; i++) {
        const struct tulle__shell_row *row = &table->rows[i];
        if (strcmp(row->kind, "option") != 0)
            continue;
        (void)fprintf(to, "%s%s%s%s", lead, row->name, row->letter[0] != '\0' ? " " : "",
                      row->letter);
        lead = " ";
    }
    (void)fputs("'\n", to);
    for (size_t i = 0; i < table->count; i++) {
        const struct tulle__shell_row *row = &table->rows[i];
        if (strcmp(row->kind, "operand") == 0) {
            enum tulle__shell_value value = tulle__shell_value(row, false, name, words);
            (void)fprintf(to, "        operand='%s %s'\n", kind_name(value), words);
            break;
        }
    }
    (void)fputs("        ;;\n", to);
}

static void
print_value(const char *command, const struct tulle__shell_row *row, bool is_second, FILE *to)
{
    char name[64];
    char words[512];
    enum tulle__shell_value value = tulle__shell_value(row, is_second, name, words);
    if (is_second) {
        (void)fprintf(to, "    '%s %s second'", command, row->name);
        if (row->letter[0] != '\0')
            (void)fprintf(to, " | '%s %s second'", command, row->letter);
    } else {
        (void)fprintf(to, "    '%s %s attached'", command, row->name);
        if (strcmp(row->shape, "optional") != 0)
            (void)fprintf(to, " | '%s %s next'", command, row->name);
        if (strcmp(row->shape, "optional") != 0 && row->letter[0] != '\0')
            (void)fprintf(to, " | '%s %s next'", command, row->letter);
    }
    (void)fprintf(to, ") kind=%s", kind_name(value));
    if (value == TULLE__SHELL_WORDS)
        (void)fprintf(to, " words='%s'", words);
    (void)fputs(" ;;\n", to);
}

static void
print_values(const struct tulle__shell_table *table, FILE *to)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct tulle__shell_row *row = &table->rows[i];
        if (strcmp(row->kind, "option") != 0 || strcmp(row->shape, "flag") == 0)
            continue;
        print_value(table->name, row, false, to);
        if (strcmp(row->shape, "pair") == 0)
            print_value(table->name, row, true, to);
    }
}

void
tulle__shell_bash(const struct tulle__shell *shell, FILE *to)
{
    const struct tulle__shell_table *commands = &shell->tables[0];
    (void)fprintf(
        to,
        "# bash completion of tulle and its daemons, made by 'tulle completion bash', %s\n"
        "# shellcheck shell=bash disable=SC2034,SC2209\n\n"
        "_tulle_commands='",
        TULLE_VERSION);
    for (size_t i = 0; i < commands->count; i++)
        (void)fprintf(to, "%s%s", i > 0 ? " " : "", commands->rows[i].name);
    (void)fputs(" help --help --version'\n\n_tulle_table()\n{\n    case $1 in\n", to);
    for (size_t i = 1; i < shell->count; i++)
        print_flags(&shell->tables[i], to);
    (void)fputs("    esac\n}\n\n_tulle_value()\n{\n    case $1 in\n", to);
    for (size_t i = 1; i < shell->count; i++)
        print_values(&shell->tables[i], to);
    (void)fprintf(to, "    esac\n}\n\n%s\ncomplete -F _tulle tulle tulle-node tulle-proxy\n",
                  script);
}
