/* SPDX-License-Identifier: MPL-2.0 */

/* tulle trace: what caused an event, and what it caused.
 *
 * First everything is read, within bounds, then put in order, then the part that was asked for is
 * printed. */

#include "app/exit.h"
#include "tools/common/terminal.h"
#include "tools/common/tools.h"
#include "tools/trace/trace_export.h"
#include "tools/trace/trace_file.h"
#include "tools/trace/trace_mesh.h"
#include "tools/trace/trace_tree.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { NAMES_MAX = 64 };

static const char notes[] =
    "EVENT: NODE/STREAM/SEQ, where NODE is the id of a node, as tap -v prints it, or its name.\n"
    "Without EVENT, --topic, --find and --where: everything that is read.\n\n"
    "Examples:\n"
    "  tulle trace --join tcp://192.0.2.7:7100 shop/orders/17\n"
    "  tulle trace --join tcp://192.0.2.7:7100 --find order=1001\n"
    "  tulle trace --beacon --where '.payload.amount > 100' --html large.html\n"
    "  tulle trace --beacon --from live --topic alarm --up --potential";

struct trace {
    const struct tulle__program *program;
    struct tulle__trace_options options;
    struct tulle__common common;
    struct tulle__trace_selection selection;
    struct tulle__trace_store store;
    struct tulle__trace_graph graph;
    struct tulle__trace_reader reader;
    tulle_subscribe_options subscribe;
};

static const char *
print(struct trace *trace, struct tulle__trace_out *out)
{
    const struct tulle__trace_options *options = &trace->options;
    const struct tulle__trace_tree_style style = {
        .is_ascii = !tulle__terminal_is_utf8(),
        .has_colour = tulle__trace_options_has_colour(options),
        .is_verbose = options->is_verbose,
        .columns = tulle__terminal_columns(),
    };
    switch (options->form) {
    case TULLE__TRACE_TEXT:
        tulle__trace_tree(&trace->graph, &style, out);
        return NULL;
    case TULLE__TRACE_JSON:
        tulle__trace_json(&trace->graph, out);
        return NULL;
    case TULLE__TRACE_DOT:
        tulle__trace_dot(&trace->graph, out);
        return NULL;
    case TULLE__TRACE_MERMAID:
        tulle__trace_mermaid(&trace->graph, out);
        return NULL;
    case TULLE__TRACE_SHIVIZ:
        return tulle__trace_shiviz(&trace->graph, out);
    case TULLE__TRACE_HTML:
        tulle__trace_page(&trace->graph, out);
        return NULL;
    }
    return NULL;
}

static int
print_to(struct trace *trace, const char *path)
{
    bool is_file = path != NULL && strcmp(path, "-") != 0;
    struct tulle__trace_out out = { .file = is_file ? fopen(path, "w") : stdout };
    const char *problem = NULL;
    if (out.file == NULL) {
        (void)fprintf(stderr, "%s: %s: %s\n", trace->program->name, path, strerror(errno));
        return TULLE__EXIT_FAILURE;
    }
    problem = print(trace, &out);
    bool is_written = tulle__trace_out_end(&out);
    if (is_file && fclose(out.file) != 0)
        is_written = false;
    if (problem != NULL)
        return tulle__tool_fail(trace->program, problem);
    if (!is_written) {
        (void)fprintf(stderr, "%s: %s: %s\n", trace->program->name,
                      is_file ? path : "standard output", strerror(errno));
        return TULLE__EXIT_FAILURE;
    }
    return TULLE__EXIT_OK;
}

static void
tell_bounds(const struct trace *trace)
{
    bool is_of_events = trace->store.event_count >= trace->store.events_max;
    if (trace->store.is_full) {
        (void)fprintf(stderr, "%s: not all is read: the limit is reached (%s); events read: %zu\n",
                      trace->program->name, is_of_events ? "--limit" : "--limit-memory",
                      trace->store.event_count);
    }
}

static int
answer(struct trace *trace)
{
    struct tulle__trace_graph *graph = &trace->graph;
    if (trace->store.has_failed)
        return tulle__tool_fail(trace->program, "out of memory");
    uint64_t depth = trace->options.depth == 0 ? UINT64_MAX : trace->options.depth;
    tell_bounds(trace);
    tulle__trace_select_late(&trace->selection, &trace->store);
    graph->is_upward = !trace->options.is_down;
    graph->is_downward = !trace->options.is_up;
    graph->is_partial = trace->options.file != NULL ||
                        trace->subscribe.from != TULLE_FROM_EARLIEST ||
                        trace->options.takes.count > 0;
    if (!tulle__trace_graph_init(graph, &trace->store) || !tulle__trace_graph_show(graph, depth))
        return tulle__tool_fail(trace->program, "out of memory");
    if (graph->shown_count == 0) {
        (void)fprintf(stderr, "%s: none of %zu events read is the one asked for\n",
                      trace->program->name, trace->store.event_count);
        return TULLE__EXIT_FAILURE;
    }
    return print_to(trace, trace->options.html);
}

static int
run(struct trace *trace)
{
    trace->store.events_max = trace->options.limit;
    trace->store.bytes_max = trace->options.limit_bytes;
    trace->store.has_potential = trace->options.has_potential;
    trace->reader = (struct tulle__trace_reader){ .program = trace->program,
                                                  .options = &trace->options,
                                                  .selection = &trace->selection,
                                                  .store = &trace->store };
    int status = trace->options.file != NULL
                     ? tulle__trace_read_file(&trace->reader, trace->options.file)
                     : tulle__trace_read_mesh(&trace->reader, &trace->common, &trace->subscribe);
    tulle__query_tell(trace->selection.where, trace->program->name, "--where");
    if (status == 0)
        status = answer(trace);
    tulle__trace_graph_fini(&trace->graph);
    tulle__trace_store_fini(&trace->store);
    return status;
}

static int
check_selection(struct trace *trace, const struct tulle__args *args)
{
    for (size_t i = 0; i < args->operand_count; i++) {
        const char *problem = tulle__trace_check_name(args->operands[i]);
        if (problem != NULL)
            return tulle__args_usage(trace->program, "'%s' %s", args->operands[i], problem);
    }
    trace->selection = (struct tulle__trace_selection){ .names = args->operands,
                                                        .name_count = args->operand_count,
                                                        .topics = trace->options.topics,
                                                        .finds = trace->options.finds };
    char problem[TULLE__QUERY_ERROR_LEN];
    if (trace->options.where != NULL &&
        !tulle__query_new(trace->options.where, &trace->selection.where, problem))
        return tulle__args_usage(trace->program, "--where: %s", problem);
    return 0;
}

int
tulle__tool_trace(int argc, char **argv)
{
    struct trace trace = { 0 };
    tulle__trace_options_init(&trace.options);
    tulle__common_init(&trace.common);
    trace.common.log_level = TULLE_LOG_ERROR; /* gaps and the like are in the output */
    const struct tulle__option_group groups[] = {
        tulle__trace_selection_group(&trace.options), tulle__trace_source_group(&trace.options),
        tulle__trace_output_group(&trace.options),    tulle__common_mesh_group(&trace.common),
        tulle__common_log_group(&trace.common),       tulle__common_tuning_group(&trace.common),
    };
    const struct tulle__program program = {
        .name = "tulle trace",
        .synopsis = "[options] [EVENT...]",
        .summary = "Show what caused an event, and what it caused.",
        .groups = groups,
        .group_count = sizeof groups / sizeof *groups,
        .notes = notes,
        .operand_max = NAMES_MAX,
        .has_config = true,
    };
    trace.program = &program;
    struct tulle__args args;
    int status = 0;
    if (!tulle__args_begin(&program, argc, argv, &args, &status))
        return status;
    status = check_selection(&trace, &args);
    if (status == 0)
        status = tulle__trace_options_finish(&program, &trace.options, &trace.subscribe);
    if (status == 0 && tulle__common_finish(&program, &trace.common, &status) &&
        (trace.options.file != NULL || tulle__tool_has_way(&program, &trace.common, &status)))
        status = run(&trace);
    tulle__query_free(&trace.selection.where);
    tulle__args_end(&args);
    return status;
}
