/* SPDX-License-Identifier: MPL-2.0 */

/* tulle ls: what there is in a mesh, as one look shows it. */

#include "app/exit.h"
#include "tools/common/choose.h"
#include "tools/common/lookout.h"
#include "tools/common/terminal.h"
#include "tools/common/tools.h"
#include "tools/ls/ls_print.h"

static const char notes[] =
    "WHAT: nodes, streams, lanes, holders, subscribers, segments, proxies; several are allowed.\n"
    "Without it: an overview.\n\n"
    "Examples:\n"
    "  tulle ls --join tcp://192.0.2.7:7100\n"
    "  tulle ls --beacon subscribers --stream 'orders/**' --sort lag\n"
    "  tulle ls --beacon nodes --json | jq '.nodes[] | select(.state != \"up\") | .name'";

struct tool {
    const struct tulle__program *program;
    struct tulle__ls_options options;
    struct tulle__common common;
};

static int
print(struct tool *tool, const tulle_snapshot *before, const tulle_snapshot *snapshot)
{
    struct tulle__ls ls = {
        .choice = { .options = &tool->options },
        .before = before,
        .style = { tulle__terminal_columns(), !tulle__terminal_is_utf8() },
    };
    struct tulle__text out = { 0 };
    ls.choice.mesh = &ls.mesh;
    int status = 0;
    bool is_made = tulle__mesh_init(&ls.mesh, snapshot) && tulle__ls_choice_init(&ls.choice);
    if (is_made && tool->options.is_json)
        tulle__ls_json(&ls, &out);
    else if (is_made)
        tulle__ls_tables(&ls, &out);
    if (!is_made || out.has_failed)
        status = tulle__tool_fail(tool->program, "out of memory");
    else
        status = tulle__tool_print(tool->program, &out);
    bool is_chosen = tool->options.nodes.count > 0 || tool->options.streams.count > 0;
    if (status == 0 && is_chosen && ls.row_count == 0)
        status = tulle__tool_fail(tool->program, tulle__choose_nothing);
    tulle__text_free(&out);
    tulle__ls_choice_fini(&ls.choice);
    tulle__mesh_fini(&ls.mesh);
    return status;
}

/* The mesh once, or twice for rates. */
static int
look(void *ctx, struct tulle__lookout *lookout)
{
    struct tool *tool = ctx;
    const tulle_snapshot *before = NULL;
    const tulle_snapshot *snapshot = NULL;
    enum tulle__sight sight = tulle__lookout_wait(lookout, tool->options.wait_ms, &snapshot);
    if (snapshot == NULL)
        return TULLE__EXIT_FAILURE;
    bool is_seen = sight == TULLE__SIGHT_WHOLE || sight == TULLE__SIGHT_PART;
    if (tool->options.rate_ms > 0 && is_seen &&
        tulle__lookout_pause(lookout, tool->options.rate_ms)) {
        before = snapshot;
        snapshot = tulle__lookout_look(lookout);
    }
    int told = tulle__lookout_tell(lookout, sight, snapshot);
    int status = told;
    if (snapshot != NULL && sight != TULLE__SIGHT_NOBODY) {
        status = print(tool, before, snapshot);
        status = status == 0 ? told : status;
    }
    tulle_snapshot_free(&before);
    tulle_snapshot_free(&snapshot);
    return status;
}

int
tulle__tool_ls(int argc, char **argv)
{
    struct tool tool = { 0 };
    tulle__ls_options_init(&tool.options);
    tulle__common_init(&tool.common);
    tool.common.log_level = TULLE_LOG_ERROR;
    const struct tulle__option_group groups[] = {
        tulle__ls_group(&tool.options),
        tulle__common_mesh_group(&tool.common),
        tulle__common_log_group(&tool.common),
        tulle__common_tuning_group(&tool.common),
    };
    const struct tulle__program program = {
        .name = "tulle ls",
        .synopsis = "[options] [WHAT...]",
        .summary = "List what is in a mesh: nodes, streams, who takes and keeps them, segments.",
        .groups = groups,
        .group_count = sizeof groups / sizeof *groups,
        .notes = notes,
        .operand_max = TULLE__LS_KINDS,
        .has_config = true,
    };
    tool.program = &program;
    struct tulle__args args;
    int status = 0;
    if (!tulle__args_begin(&program, argc, argv, &args, &status))
        return status;
    status = tulle__ls_options_finish(&program, &args, &tool.options);
    if (status == 0 && tulle__common_finish(&program, &tool.common, &status) &&
        tulle__tool_has_way(&program, &tool.common, &status))
        status = tulle__lookout_run(&program, &tool.common, look, &tool);
    tulle__args_end(&args);
    return status;
}
