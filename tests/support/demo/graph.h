/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_DEMO_GRAPH_H
#define TULLE_DEMO_GRAPH_H

/* What came before what, worked out from what the events say of themselves:
 * their lane and number, deps and causes. The clocks that a node computed are
 * not looked at. */

#include "record.h"

enum { DEMO_EVENTS_MAX = 4000 };

struct demo_entry;

struct demo_graph {
    const struct demo_line **events;
    size_t count;
    unsigned char *before; /* [i * count + j]: event j comes before event i */
    struct demo_entry *by_name;
};

/* The events of a record, which must outlive the graph. With is_whole it has to hold everything
 * that its events name, and each once. False after a message. */
bool demo_graph_build(struct demo_graph *graph, const struct demo_record *record, bool is_whole);
void demo_graph_free(struct demo_graph *graph);

/* Index of an event, or graph->count. */
size_t demo_graph_find(const struct demo_graph *graph, const char *name);

static inline bool
demo_graph_is_before(const struct demo_graph *graph, size_t first, size_t second)
{
    return graph->before[second * graph->count + first] != 0;
}

#endif
