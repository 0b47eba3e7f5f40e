/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_PROGRAM_DAEMON_H
#define TULLE_NODE_PROGRAM_DAEMON_H

/* The loop of tulle-node: subscriptions in; commands and standard output out. */

#include "app/common.h"
#include "options.h"

struct tulle__daemon;

/* Subscribe and make the handlers. The node, not started yet, and the rest are
 * borrowed. NULL, with a message on stderr and *status set, on failure. */
struct tulle__daemon *tulle__daemon_new(tulle_node *node,
                                        const struct tulle__node_config *config,
                                        struct tulle__common *common,
                                        int *status);

/* Free with the commands that run; the node is the caller's. */
void tulle__daemon_free(struct tulle__daemon **daemon);

/* Run the started node until a signal says to stop, then let the commands end.
 * Returns an exit status. */
int tulle__daemon_run(struct tulle__daemon *daemon, struct tulle__signals *signals, int child_fd);

#endif
