/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_APP_COMMON_H
#define TULLE_APP_COMMON_H

/* Options that every program has: the mesh, addresses, logging, tuning.
 *
 * tulle-proxy has addresses per segment instead: it takes the groups one by one
 * (tulle__common_log_group() alone) and its own tables for the rest.
 */

#include "app/args.h"
#include "app/logsink.h"
#include "app/signal.h"

#include <tulle/node.h>

struct tulle__common {
    tulle_node_options node; /* numbers and names land here at once */
    struct tulle__list listen, join;
    const char *beacon; /* "off", "any", or an interface's name */
    int log_level;      /* a tulle_log_level, or 0 for none */
    int log_format;     /* an enum tulle__log_format */
    struct tulle__logsink sink;
};

/* Checks of options' rows (option.h). */
const char *tulle__check_join(const char *value);
const char *tulle__check_listen(const char *value);
const char *tulle__check_pattern(const char *value);
const char *tulle__check_name(const char *value);

/* Orders of delivery by their names: "none", "fifo", "causal"; values are of tulle_order. */
extern const struct tulle__choice tulle__orders[];

/* Library defaults; name NULL; log_level warn for tools. */
void tulle__common_init(struct tulle__common *common);

/* "Mesh": --mesh --name --listen --join --beacon --interface --advertise ...
 * "Logging": --log-level --log-format
 * "Tuning" (rare): --beat-ms --hold-ms --retain-bytes ... */
struct tulle__option_group tulle__common_mesh_group(struct tulle__common *common);
struct tulle__option_group tulle__common_log_group(struct tulle__common *common);
struct tulle__option_group tulle__common_tuning_group(struct tulle__common *common);

/* After the options are read: point node.listen, node.join, the beacon and the
 * log callback at what they said. common must stay where it is until the node
 * is freed.
 *
 * Returns false, with a message on stderr and *status set, when they do not fit together. */
bool tulle__common_finish(const struct tulle__program *program,
                          struct tulle__common *common,
                          int *status);

/* Make a node, for programs that subscribe before they start it. On failure a
 * message is on stderr, *status is set and NULL is returned. The sink learns the
 * node's name. */
tulle_node *
tulle__common_new(const struct tulle__program *program, struct tulle__common *common, int *status);

/* Start it; on failure as above, and the node is freed: *node is NULL. */
bool tulle__common_run(const struct tulle__program *program, tulle_node **node, int *status);

/* Both at once. Free with tulle_node_free(). */
tulle_node *tulle__common_start(const struct tulle__program *program,
                                struct tulle__common *common,
                                int *status);

#endif
