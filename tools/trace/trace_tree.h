/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_TRACE_TREE_H
#define TULLE_TOOLS_TRACE_TREE_H

/* A trace as a tree for people. */

#include "tools/trace/trace_graph.h"
#include "tools/trace/trace_out.h"

struct tulle__trace_tree_style {
    bool is_ascii;
    bool has_colour;
    bool is_verbose;  /* whole payloads, and ids of nodes rather than names */
    unsigned columns; /* of the terminal; 0: payloads are cut at a fixed length */
};

void tulle__trace_tree(const struct tulle__trace_graph *graph,
                       const struct tulle__trace_tree_style *style,
                       struct tulle__trace_out *out);

#endif
