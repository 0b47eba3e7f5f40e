/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_TRACE_MESH_H
#define TULLE_TOOLS_TRACE_MESH_H

/* Reading a mesh into a store. */

#include "tools/common/tools.h"
#include "tools/trace/trace_options.h"
#include "tools/trace/trace_select.h"
#include "tools/trace/trace_store.h"

struct tulle__trace_reader {
    const struct tulle__program *program;
    const struct tulle__trace_options *options;
    const struct tulle__trace_selection *selection;
    struct tulle__trace_store *store;
    uint64_t asked_count;
};

/* Take in a message and mark whether somebody wants to know about it. Returns whether it was an
 * event that is followed. */
bool tulle__trace_read(struct tulle__trace_reader *reader, const tulle_message *message);

/* Join, read until the end of what was asked for, leave. Returns 0 or an exit status, after a
 * message. */
int tulle__trace_read_mesh(struct tulle__trace_reader *reader,
                           struct tulle__common *common,
                           tulle_subscribe_options *subscribe);

#endif
