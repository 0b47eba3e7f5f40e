/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_TRACE_EXPORT_H
#define TULLE_TOOLS_TRACE_EXPORT_H

/* A trace in forms that other programs read. */

#include "tools/trace/trace_graph.h"
#include "tools/trace/trace_out.h"

/* One JSON object: "events", causes before consequences, and "missing". */
void tulle__trace_json(const struct tulle__trace_graph *graph, struct tulle__trace_out *out);

/* A digraph for Graphviz. */
void tulle__trace_dot(const struct tulle__trace_graph *graph, struct tulle__trace_out *out);

/* A flowchart for Mermaid. */
void tulle__trace_mermaid(const struct tulle__trace_graph *graph, struct tulle__trace_out *out);

/* A log for ShiViz: its first line is the expression that reads the rest. Returns NULL, or why it
 * cannot be made. */
const char *tulle__trace_shiviz(const struct tulle__trace_graph *graph,
                                struct tulle__trace_out *out);

/* A page of HTML that needs nothing else. */
void tulle__trace_page(const struct tulle__trace_graph *graph, struct tulle__trace_out *out);

/* "asked", "cause" or "consequence". */
const char *tulle__trace_role(const struct tulle__trace_graph *graph, uint32_t event);

#endif
