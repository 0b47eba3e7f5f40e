/* SPDX-License-Identifier: MPL-2.0 */

/* tulle-node: a peer as a daemon. */

#include "app/exit.h"
#include "app/report.h"
#include "child.h"
#include "daemon.h"
#include "options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINGER_MS = 2000 }; /* how long peers may take to acknowledge at the end */

static const char notes[] =
    "A command finds the event as one line of JSON on its standard input, as\n"
    "'tulle tap --json' prints it, and TULLE_TOPIC, TULLE_NODE, TULLE_ID,\n"
    "TULLE_STREAM and TULLE_SEQ in its environment. Example:\n"
    "\n"
    "  tulle-node --name counter --join tcp://192.0.2.7:7100 \\\n"
    "      --exec 'orders/*/placed' 'jq -c .payload.items' --publish-to stock/reserve";

static int
run(tulle_node *node,
    const struct tulle__node_config *config,
    struct tulle__common *common,
    struct tulle__signals *signals,
    int child_fd)
{
    int status = TULLE__EXIT_FAILURE;
    struct tulle__daemon *daemon = tulle__daemon_new(node, config, common, &status);
    if (daemon == NULL)
        return status;
    tulle__report_say(common, TULLE_LOG_INFO, "node.started", "address=%s id=%016" PRIx64,
                      tulle_node_address(node), tulle_node_id(node));
    status = tulle__daemon_run(daemon, signals, child_fd);
    tulle__daemon_free(&daemon);

    tulle_node_stop(node, LINGER_MS);
    tulle__report_say(common, TULLE_LOG_INFO, "node.stopped", "status=%d", status);
    return status;
}

static int
start(const struct tulle__program *program,
      struct tulle__node_config *config,
      struct tulle__common *common)
{
    int status = TULLE__EXIT_OK;
    const char *problem = tulle__node_config_finish(config);
    if (problem != NULL)
        return tulle__args_usage(program, "%s", problem);
    if (!tulle__common_finish(program, common, &status))
        return status;

    struct tulle__signals signals;
    int child_fd = tulle__child_signals_open();
    if (child_fd < 0 || !tulle__signals_open(&signals)) {
        (void)fprintf(stderr, "tulle-node: signals: %s\n", strerror(errno));
        return TULLE__EXIT_FAILURE;
    }
    tulle_node *node = tulle__common_start(program, common, &status);
    if (node != NULL)
        status = run(node, config, common, &signals, child_fd);
    tulle_node_free(&node);
    tulle__signals_close(&signals);
    (void)close(child_fd);
    return status;
}

int
main(int argc, char **argv)
{
    struct tulle__node_config config;
    struct tulle__common common;
    tulle__node_config_init(&config);
    tulle__common_init(&common);
    common.log_level = TULLE_LOG_INFO;
    const struct tulle__option_group groups[] = {
        tulle__common_mesh_group(&common),
        tulle__node_config_group(&config),
        tulle__common_log_group(&common),
        tulle__common_tuning_group(&common),
    };
    const struct tulle__program program = {
        .name = "tulle-node",
        .synopsis = "[--config FILE] [option]...",
        .summary = "Be a node of a mesh: take and keep streams, run commands for events.",
        .groups = groups,
        .group_count = sizeof groups / sizeof *groups,
        .notes = notes,
        .has_config = true,
    };
    struct tulle__args args;
    int status = TULLE__EXIT_OK;
    if (!tulle__args_begin(&program, argc, argv, &args, &status))
        return status;
    status = start(&program, &config, &common);
    tulle__args_end(&args);
    return status;
}
