/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_PLAY_NODES_H
#define TULLE_TOOLS_PLAY_NODES_H

/* The nodes that publish what is played: each with a thread and sockets of its own, as those that
 * were recorded had. */

#include "app/common.h"
#include "tools/play/play_map.h"
#include "tools/play/play_options.h"

#include <stdbool.h>
#include <stddef.h>

struct tulle__play_node {
    tulle_node *node;
    uint64_t id;
    uint64_t given, timed; /* events published here, and those that have got their time */
};

struct tulle__play_nodes {
    const struct tulle__program *program;
    const struct tulle__play_options *options;
    struct tulle__play_map *map;
    struct tulle__signals *signals;
    struct tulle__play_node *nodes; /* by index in the map */
    size_t count;
    bool is_interrupted; /* a signal came */
    bool are_apart;      /* they only dial: not one another */
    bool is_heard;       /* somebody took a stream of a lane */
};

/* Start one for each node of the map, which learns their ids. Returns 0 or an exit status, after
 * a message. To be closed in any case. */
int tulle__play_nodes_open(struct tulle__play_nodes *nodes, const struct tulle__common *common);
/* They leave, all at once. */
void tulle__play_nodes_close(struct tulle__play_nodes *nodes);

/* Wait for those who take what will be played. Returns 0 or an exit status, after a message. */
int tulle__play_nodes_wait(struct tulle__play_nodes *nodes);

/* Publish; while there is no room it waits, and after each while asks idle whether to go on.
 * TULLE_ELIMIT: a node could not publish what it was given before. */
tulle_status tulle__play_nodes_publish(struct tulle__play_nodes *nodes,
                                       const struct tulle__play_step *step,
                                       const tulle_event *event,
                                       bool (*idle)(void *ctx),
                                       void *ctx);

/* What a status of that means. */
const char *tulle__play_nodes_why(tulle_status status);

/* Wait for acknowledgements of everything. Returns 0 or an exit status, after a message. */
int tulle__play_nodes_flush(struct tulle__play_nodes *nodes);

/* Has somebody taken a topic that was played, or does now? */
bool tulle__play_nodes_are_heard(struct tulle__play_nodes *nodes);

#endif
