/* SPDX-License-Identifier: MPL-2.0 */

/* tulle top: what happens in a mesh, now. */

#include "tools/top/top.h"

#include "tools/common/tools.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char notes[] =
    "Examples:\n"
    "  tulle top --join tcp://192.0.2.7:7100\n"
    "  tulle top --beacon --screen lag --filter orders\n"
    "  tulle top --join tcp://192.0.2.7:7100 --json | jq '.lag[] | select(.lag > 1000)'\n"
    "  tulle top --beacon --batch --csv --screen links --delay 10 >links.csv";

bool
tulle__top_look(struct tulle__top *top)
{
    const tulle_snapshot *snapshot = tulle__lookout_look(&top->lookout);
    if (snapshot == NULL)
        return false;
    if (tulle__top_model_feed(&top->model, &snapshot))
        return true;
    tulle_snapshot_free(&snapshot);
    (void)fprintf(stderr, "%s: out of memory\n", top->program->name);
    return false;
}

static bool
is_live(const struct tulle__top *top)
{
    return !top->options.is_once && !top->options.is_batch;
}

static int
run_live(struct tulle__top *top)
{
    if (tulle__signals_add_terminal(&top->lookout.signals))
        return tulle__top_live(top);
    return tulle__tool_fail(top->program, strerror(errno));
}

static int
run(struct tulle__top *top)
{
    int status = 0;
    if (is_live(top) && !tulle__signals_block_terminal())
        return tulle__tool_fail(top->program, strerror(errno));
    if (tulle__lookout_open(&top->lookout, top->program, &top->common, &status)) {
        tulle__top_model_init(&top->model, top->options.delay_ms);
        status = is_live(top) ? run_live(top) : tulle__top_batch(top);
        tulle__top_model_fini(&top->model);
    }
    tulle__lookout_close(&top->lookout);
    return status;
}

/* A screen needs a terminal, and has it for itself. */
static int
check_terminal(struct tulle__top *top, const struct tulle__args *args)
{
    if (!is_live(top))
        return 0;
    if (isatty(STDOUT_FILENO) != 1 || isatty(STDIN_FILENO) != 1) {
        return tulle__args_usage(top->program,
                                 "standard %s is no terminal: --once prints a table, --batch one "
                                 "after the other, --json and --csv are for programs",
                                 isatty(STDOUT_FILENO) == 1 ? "input" : "output");
    }
    if (isatty(STDERR_FILENO) == 1 && !tulle__args_has(args, "log_level"))
        top->common.log_level = 0;
    return 0;
}

int
tulle__tool_top(int argc, char **argv)
{
    struct tulle__top top = { 0 };
    tulle__top_options_init(&top.options);
    tulle__common_init(&top.common);
    top.common.log_level = TULLE_LOG_ERROR; /* gaps and the like are on the screen */
    const struct tulle__option_group groups[] = {
        tulle__top_screen_group(&top.options),   tulle__top_output_group(&top.options),
        tulle__common_mesh_group(&top.common),   tulle__common_log_group(&top.common),
        tulle__common_tuning_group(&top.common),
    };
    const struct tulle__program program = {
        .name = "tulle top",
        .synopsis = "[options]",
        .summary =
            "Show what happens in a mesh: nodes, streams, lanes, who lags, links of proxies.",
        .groups = groups,
        .group_count = sizeof groups / sizeof *groups,
        .notes = notes,
        .has_config = true,
    };
    top.program = &program;
    (void)setlocale(LC_CTYPE, ""); /* how wide characters are */
    struct tulle__args args;
    int status = 0;
    if (!tulle__args_begin(&program, argc, argv, &args, &status))
        return status;
    status = tulle__top_options_finish(&program, &top.options, &top.query);
    if (status == 0)
        status = check_terminal(&top, &args);
    if (status == 0 && tulle__common_finish(&program, &top.common, &status) &&
        tulle__tool_has_way(&program, &top.common, &status))
        status = run(&top);
    tulle__args_end(&args);
    return status;
}
