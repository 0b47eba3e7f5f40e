/* SPDX-License-Identifier: MPL-2.0 */

/* tulle graph: who publishes what, and who takes it over which proxies. */

#include "app/exit.h"
#include "tools/common/choose.h"
#include "tools/common/lookout.h"
#include "tools/common/terminal.h"
#include "tools/common/tools.h"
#include "tools/graph/asyncapi.h"
#include "tools/graph/graph_print.h"
#include "tools/graph/watch.h"

#include <inttypes.h>
#include <stdio.h>

static const char notes[] = "Examples:\n"
                            "  tulle graph --join tcp://192.0.2.7:7100\n"
                            "  tulle graph --beacon --node billing\n"
                            "  tulle graph --beacon --dot | dot -Tsvg -o mesh.svg\n"
                            "  tulle graph --beacon --asyncapi --stream 'orders/**' > orders.json";

static const char no_event[] =
    "no event was seen; --from earliest reads all that is kept, --watch waits for more";

struct tool {
    const struct tulle__program *program;
    struct tulle__graph_options options;
    struct tulle__common common;
};

static void
put(struct tulle__graph *graph, struct tulle__text *out)
{
    switch (graph->options->form) {
    case TULLE__GRAPH_TEXT:
        tulle__graph_text(graph, out);
        break;
    case TULLE__GRAPH_JSON:
        tulle__graph_json(graph, out);
        break;
    case TULLE__GRAPH_DOT:
        tulle__graph_chart(graph, true, out);
        break;
    case TULLE__GRAPH_MERMAID:
        tulle__graph_chart(graph, false, out);
        break;
    case TULLE__GRAPH_ASYNCAPI:
        break; /* not of a graph */
    }
}

static int
print(struct tool *tool, const tulle_snapshot *snapshot)
{
    struct tulle__graph graph = { .options = &tool->options,
                                  .columns = tulle__terminal_columns(),
                                  .is_ascii = !tulle__terminal_is_utf8() };
    struct tulle__text out = { 0 };
    int status = 0;
    bool is_made = tulle__graph_init(&graph, snapshot);
    bool is_chosen = tool->options.nodes.count > 0 || tool->options.streams.count > 0;
    if (is_made)
        put(&graph, &out);
    if (!is_made || out.has_failed)
        status = tulle__tool_fail(tool->program, "out of memory");
    else if (is_chosen && graph.flow_count == 0)
        status = tulle__tool_fail(tool->program, tulle__choose_nothing);
    else
        status = tulle__tool_print(tool->program, &out);
    tulle__text_free(&out);
    tulle__graph_fini(&graph);
    return status;
}

/* What may be missing in the document. */
static void
tell_limits(const struct tool *tool, const struct tulle__channels *channels, bool is_cut)
{
    const char *name = tool->program->name;
    if (channels->over_count > 0) {
        (void)fprintf(stderr,
                      "%s: incomplete: there was no room for the topics of %" PRIu64
                      " events; --fold 5 makes fewer of them\n",
                      name, channels->over_count);
    }
    if (channels->pool.is_cut || is_cut)
        (void)fprintf(stderr, "%s: incomplete: there is more than fits into a document\n", name);
}

static int
print_asyncapi(struct tool *tool,
               const struct tulle__channels *channels,
               const tulle_snapshot *snapshot)
{
    struct tulle__mesh mesh;
    struct tulle__text out = { 0 };
    struct tulle__text title = { 0 };
    tulle__text_format(&title, "Events of the mesh %s", tool->common.node.mesh);
    tulle__text_char(&title, '\0');
    bool is_made = tulle__mesh_init(&mesh, snapshot) && !title.has_failed;
    struct tulle__asyncapi asyncapi = { .mesh = &mesh,
                                        .channels = channels,
                                        .title = tool->options.title,
                                        .version = tool->options.version };
    if (asyncapi.title == NULL)
        asyncapi.title = title.bytes;
    if (is_made)
        tulle__asyncapi_put(&asyncapi, &out);
    int status = 0;
    if (!is_made || out.has_failed)
        status = tulle__tool_fail(tool->program, "out of memory");
    else
        status = tulle__tool_print(tool->program, &out);
    tell_limits(tool, channels, asyncapi.is_cut);
    tulle__text_free(&out);
    tulle__text_free(&title);
    tulle__mesh_fini(&mesh);
    return status;
}

/* Read events, then look anew: publishers may have come meanwhile. */
static int
watch(struct tool *tool, struct tulle__lookout *lookout, const tulle_snapshot **snapshot)
{
    struct tulle__channels channels = { .fold = (size_t)tool->options.fold };
    int status = tulle__watch(lookout, &tool->options, &channels);
    if (status == 0) {
        tulle_snapshot_free(snapshot);
        *snapshot = tulle__lookout_look(lookout);
        status = *snapshot == NULL ? TULLE__EXIT_FAILURE : 0;
    }
    if (status == 0 && channels.event_count == 0)
        status = tulle__tool_fail(tool->program, no_event);
    else if (status == 0)
        status = print_asyncapi(tool, &channels, *snapshot);
    tulle__channels_fini(&channels);
    return status;
}

static int
look(void *ctx, struct tulle__lookout *lookout)
{
    struct tool *tool = ctx;
    const tulle_snapshot *snapshot = NULL;
    enum tulle__sight sight = tulle__lookout_wait(lookout, tool->options.wait_ms, &snapshot);
    int told = tulle__lookout_tell(lookout, sight, snapshot);
    int status = told;
    if (snapshot != NULL && sight != TULLE__SIGHT_NOBODY) {
        if (tool->options.form == TULLE__GRAPH_ASYNCAPI)
            status = watch(tool, lookout, &snapshot);
        else
            status = print(tool, snapshot);
        status = status == 0 ? told : status;
    }
    tulle_snapshot_free(&snapshot);
    return status;
}

int
tulle__tool_graph(int argc, char **argv)
{
    struct tool tool = { 0 };
    tulle__graph_options_init(&tool.options);
    tulle__common_init(&tool.common);
    tool.common.log_level = TULLE_LOG_ERROR;
    const struct tulle__option_group groups[] = {
        tulle__graph_group(&tool.options),        tulle__graph_asyncapi_group(&tool.options),
        tulle__common_mesh_group(&tool.common),   tulle__common_log_group(&tool.common),
        tulle__common_tuning_group(&tool.common),
    };
    const struct tulle__program program = {
        .name = "tulle graph",
        .synopsis = "[options]",
        .summary = "Show who publishes what, and who takes it over which proxies.",
        .groups = groups,
        .group_count = sizeof groups / sizeof *groups,
        .notes = notes,
        .has_config = true,
    };
    tool.program = &program;
    struct tulle__args args;
    int status = 0;
    if (!tulle__args_begin(&program, argc, argv, &args, &status))
        return status;
    status = tulle__graph_options_finish(&program, &tool.options);
    if (status == 0 && tulle__common_finish(&program, &tool.common, &status) &&
        tulle__tool_has_way(&program, &tool.common, &status))
        status = tulle__lookout_run(&program, &tool.common, look, &tool);
    tulle__args_end(&args);
    return status;
}
