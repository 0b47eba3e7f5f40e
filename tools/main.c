/* SPDX-License-Identifier: MPL-2.0 */

/* tulle: the tools of the mesh, one subcommand each. */

#include "app/args.h"
#include "tools/common/tools.h"

static const struct tulle__command commands[] = {
    { "pub", tulle__tool_pub, "publish events" },
    { "record", tulle__tool_record, "record events to a file" },
    { "play", tulle__tool_play, "publish the events of recordings again" },
    { "tap", tulle__tool_tap, "watch events as they flow" },
    { "ls", tulle__tool_ls, "list nodes, streams, who takes and keeps them, segments" },
    { "top", tulle__tool_top, "watch nodes, streams, lag and links" },
    { "graph", tulle__tool_graph, "show who publishes what, and who takes it" },
    { "trace", tulle__tool_trace, "show what caused an event, and what it caused" },
    { "check", tulle__tool_check, "judge the mesh, for monitoring systems" },
    { "doctor", tulle__tool_doctor, "find out why nodes do not see each other" },
    { "bench", tulle__tool_bench, "measure events a second" },
    { "latency", tulle__tool_latency, "measure how long events take" },
    { "completion", tulle__tool_completion, "make a shell complete all this" },
};

int
main(int argc, char **argv)
{
    return tulle__command_run("tulle", "Tools for a tulle mesh.", commands,
                              sizeof commands / sizeof *commands, argc, argv);
}
