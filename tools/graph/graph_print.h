/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_GRAPH_PRINT_H
#define TULLE_TOOLS_GRAPH_PRINT_H

/* The graph of a mesh: who publishes what, who takes it, over which proxies. */

#include "tools/graph/graph_flow.h"
#include "tools/graph/graph_options.h"

struct tulle__graph {
    const struct tulle__graph_options *options;
    struct tulle__mesh mesh;
    struct tulle__routes routes;
    const char **streams; /* all of the snapshot, ascending */
    size_t stream_count;
    size_t *by_name;  /* nodes in the order of their labels */
    unsigned columns; /* of the terminal; 0: as wide as it gets */
    bool is_ascii;
    size_t flow_count; /* streams and waiting nodes printed */
};

/* snapshot must outlive it. Returns false when there is no memory; tulle__graph_fini() is allowed
 * then too. */
bool tulle__graph_init(struct tulle__graph *graph, const tulle_snapshot *snapshot);
void tulle__graph_fini(struct tulle__graph *graph);

void tulle__graph_text(struct tulle__graph *graph, struct tulle__text *out);
void tulle__graph_json(struct tulle__graph *graph, struct tulle__text *out);
void tulle__graph_chart(struct tulle__graph *graph, bool is_dot, struct tulle__text *out);

/* Go to the next stream that was asked for, as tulle__flow_next(). */
bool tulle__graph_next(struct tulle__graph *graph, struct tulle__flow *flow);

/* Is it a live node that waits for streams that nobody publishes, and asked for? */
bool tulle__graph_has_waiting(const struct tulle__graph *graph, size_t node);

/* The streams that a pattern of a node comes to: *first of graph->streams and how many. Only of a
 * wildcard: of "a/" and two stars those below, and "a" itself. */
struct tulle__graph_range {
    size_t first;
    size_t count;
    bool has_own; /* "a" too, which is not among them */
};
struct tulle__graph_range
tulle__graph_taken(const struct tulle__graph *graph, const tulle_seen_node *node, const char *take);

static inline bool
tulle__graph_is_wildcard(const char *take)
{
    size_t len = 0;
    while (take[len] != '\0')
        len++;
    return len >= 2 && take[len - 1] == '*' && take[len - 2] == '*';
}

#endif
