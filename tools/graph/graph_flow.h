/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_GRAPH_FLOW_H
#define TULLE_TOOLS_GRAPH_FLOW_H

/* Where the events of a stream come from and go to. Nodes on one segment have the same way, so
 * both ends are in groups, one for each segment. */

#include "tools/common/choose.h"
#include "tools/common/route.h"

struct tulle__flow_end {
    size_t segment; /* SIZE_MAX: not known */
    uint64_t node;
    const char *name;  /* of a publisher, as the lane has it; else NULL */
    uint64_t count;    /* of a publisher: events; of a taker: how many it is behind */
    const char *takes; /* of a taker: by what; may be NULL */
    const char *label; /* to order by */
};

struct tulle__flow_group {
    const struct tulle__flow_end *ends;
    size_t count;
    size_t segment;
};

struct tulle__flow {
    struct tulle__mesh_stream stream;
    struct tulle__flow_end *publishers; /* ascending segments, then names */
    size_t publisher_count;
    struct tulle__flow_end *takers; /* likewise, without this node itself */
    size_t taker_count;
    bool has_failed;
};

/* Go to the next stream that is chosen; start from { 0 }. Returns false at the end, or when memory
 * failed. tulle__flow_fini() in any case. */
bool tulle__flow_next(struct tulle__flow *flow,
                      const struct tulle__mesh *mesh,
                      const struct tulle__list *nodes,
                      const struct tulle__list *streams);
void tulle__flow_fini(struct tulle__flow *flow);

/* The group that begins at an index; its end is the next one's beginning. */
struct tulle__flow_group
tulle__flow_group(const struct tulle__flow_end *ends, size_t count, size_t begin);

/* A live node that takes what nobody publishes. */
bool tulle__flow_waits(const struct tulle__mesh *mesh, size_t node);

#endif
