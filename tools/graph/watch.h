/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_WATCH_H
#define TULLE_TOOLS_WATCH_H

/* Reading events of a mesh to learn what its topics carry. */

#include "tools/common/lookout.h"
#include "tools/graph/channels.h"
#include "tools/graph/graph_options.h"

/* Read what --from, --stream, --watch and --count say. Returns 0, also when a signal ended it, or
 * an exit status after a message. */
int tulle__watch(struct tulle__lookout *lookout,
                 const struct tulle__graph_options *options,
                 struct tulle__channels *channels);

#endif
