/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_TRACE_GRAPH_H
#define TULLE_TOOLS_TRACE_GRAPH_H

/* Which event led to which, and what of it is shown.
 *
 * Events are ordered so that causes come first. A cause that does not, which takes a circle that
 * no honest node makes, counts as missing. */

#include "app/text.h"
#include "tools/trace/trace_store.h"

enum {
    TULLE__TRACE_SHOWN = 1,
    TULLE__TRACE_ASKED = 2,
    TULLE__TRACE_CAUSE = 4,       /* of one that is asked for */
    TULLE__TRACE_CONSEQUENCE = 8, /* the same */
    TULLE__TRACE_LEAF = 16        /* the depth ends here: what it caused is not shown */
};

struct tulle__trace_graph {
    const struct tulle__trace_store *store;
    uint32_t *order;       /* events, causes first */
    uint32_t *rank;        /* of each event in order */
    uint32_t *effects;     /* of all events, those of one by rank */
    size_t *effects_begin; /* for each event, and one more */
    uint8_t *marks;        /* of each event: TULLE__TRACE_* */
    size_t shown_count;
    bool is_upward, is_downward;
    bool is_partial; /* what is missing may just not have been read */
};

/* Events of the store stay where they are as long as the graph is used. Returns false when there
 * is no memory. */
bool tulle__trace_graph_init(struct tulle__trace_graph *graph,
                             const struct tulle__trace_store *store);
void tulle__trace_graph_fini(struct tulle__trace_graph *graph);

/* Mark what is shown: the events asked for, with what led to them and what they led to, up to so
 * many steps away. Returns false when there is no memory. */
bool tulle__trace_graph_show(struct tulle__trace_graph *graph, uint64_t depth);

/* The index-th cause of an event: another event, or TULLE__TRACE_NONE when it is missing. */
uint32_t tulle__trace_cause(const struct tulle__trace_graph *graph, uint32_t event, uint32_t index);

/* The last of its causes that are shown: the one that set it off. TULLE__TRACE_NONE: none. */
uint32_t tulle__trace_parent(const struct tulle__trace_graph *graph, uint32_t event);

/* Events that it led to, by rank. */
const uint32_t *
tulle__trace_effects(const struct tulle__trace_graph *graph, uint32_t event, size_t *count);

/* The index-th event by rank that is shown: start with 0; TULLE__TRACE_NONE past the end. */
uint32_t tulle__trace_next_shown(const struct tulle__trace_graph *graph, size_t *index);

/* Why a cause is missing, such as "not kept any more". */
const char *tulle__trace_why_missing(const struct tulle__trace_graph *graph,
                                     struct tulle__trace_ref ref);

/* Append "0123456789abcdef/orders/17", or with the name of the node where it is known. */
void tulle__trace_put_ref(const struct tulle__trace_store *store,
                          struct tulle__trace_ref ref,
                          bool by_name,
                          struct tulle__text *out);
static inline struct tulle__trace_ref
tulle__trace_ref_of(const struct tulle__trace_store *store, uint32_t event)
{
    return (struct tulle__trace_ref){ store->events[event].lane, store->events[event].seq };
}

/* The node's name, or its id while that is not known. len >= 64. */
void tulle__trace_node_name(const struct tulle__trace_store *store,
                            uint32_t lane,
                            char *out,
                            size_t len);

#endif
