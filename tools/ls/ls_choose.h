/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_LS_CHOOSE_H
#define TULLE_TOOLS_LS_CHOOSE_H

/* Which rows are shown. */

#include "tools/common/mesh.h"
#include "tools/ls/ls_options.h"

struct tulle__ls_choice {
    const struct tulle__ls_options *options;
    const struct tulle__mesh *mesh;
    bool *is_on_stream; /* nodes that publish or take one of --stream */
};

/* options and mesh are there. Returns false when there is no memory. */
bool tulle__ls_choice_init(struct tulle__ls_choice *choice);
void tulle__ls_choice_fini(struct tulle__ls_choice *choice);

/* By --node: is the node, which need not be known any more, one of those? name: as a lane has it.
 */
bool tulle__ls_is_named(const struct tulle__ls_choice *choice, uint64_t id, const char *name);
/* By --stream. */
bool tulle__ls_is_stream(const struct tulle__ls_choice *choice, const char *stream);

/* By both, and --all. */
bool tulle__ls_has_node(const struct tulle__ls_choice *choice, size_t node);
bool tulle__ls_has_proxy(const struct tulle__ls_choice *choice, size_t node);
bool tulle__ls_has_stream(const struct tulle__ls_choice *choice,
                          const struct tulle__mesh_stream *stream);
bool tulle__ls_has_lane(const struct tulle__ls_choice *choice, const tulle_seen_lane *lane);
bool tulle__ls_has_segment(const struct tulle__ls_choice *choice, size_t segment);

#endif
