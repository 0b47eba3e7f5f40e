/* SPDX-License-Identifier: MPL-2.0 */

/* tulle completion: what bash or zsh need to complete the options of all programs. */

#include "tools/completion/completion.h"

#include "app/exit.h"
#include "tools/common/tools.h"

#include <errno.h>
#include <string.h>

static const char notes[] =
    "Examples:\n"
    "  source <(tulle completion bash)      # now, in this shell\n"
    "  tulle completion bash > ~/.local/share/bash-completion/completions/tulle\n"
    "  tulle completion zsh > ~/.zfunc/_tulle    # a folder in fpath";

static const struct {
    const char *name;
    void (*print)(const struct tulle__shell *shell, FILE *to);
} shells[] = {
    { "bash", tulle__shell_bash },
    { "zsh", tulle__shell_zsh },
};

static int
print_for(const struct tulle__program *program, const struct tulle__args *args)
{
    size_t at = 0;
    const size_t count = sizeof shells / sizeof *shells;
    if (args->operand_count == 0)
        return tulle__args_usage(program, "for which shell? bash or zsh");
    while (at < count && strcmp(shells[at].name, args->operands[0]) != 0)
        at++;
    if (at == count)
        return tulle__args_usage(program, "'%s' is no shell that it knows: bash or zsh",
                                 args->operands[0]);
    struct tulle__shell shell;
    bool is_good = tulle__shell_init(&shell);
    if (is_good)
        shells[at].print(&shell, stdout);
    tulle__shell_fini(&shell);
    if (is_good && (fflush(stdout) != 0 || ferror(stdout) != 0)) {
        (void)fprintf(stderr, "%s: the output cannot be written: %s\n", program->name,
                      strerror(errno));
        is_good = false;
    }
    return is_good ? TULLE__EXIT_OK : TULLE__EXIT_FAILURE;
}

int
tulle__tool_completion(int argc, char **argv)
{
    const struct tulle__program program = {
        .name = "tulle completion",
        .synopsis = "bash|zsh",
        .summary = "Print a script that makes a shell complete commands, options and their values.",
        .notes = notes,
        .operand_max = 1,
    };
    struct tulle__args args;
    int status = 0;
    if (!tulle__args_begin(&program, argc, argv, &args, &status))
        return status;
    status = print_for(&program, &args);
    tulle__args_end(&args);
    return status;
}
