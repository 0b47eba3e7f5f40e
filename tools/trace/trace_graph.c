/* SPDX-License-Identifier: MPL-2.0 */

/* The order of events: by their hybrid clocks, but no event before its causes or before the one
 * ahead of it in its lane, also where clocks of hosts are wrong. A depth-first walk does that,
 * and a way that leads back into the walk is a circle, which is cut there. */

#include "tools/trace/trace_graph.h"

#include "app/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NEW = 0, OPEN, DONE };

struct frame {
    uint32_t event;
    uint32_t next; /* which of its predecessors; the one in its lane comes last */
};

struct walk {
    const struct tulle__trace_store *store;
    struct frame *stack;
    size_t depth;
    uint8_t *state;
    uint32_t *order;
    uint32_t *rank;
    uint32_t count;
};

struct by_time {
    uint64_t hlc;
    uint32_t event;
};

static int
compare_times(const void *left, const void *right)
{
    const struct by_time *a = left;
    const struct by_time *b = right;
    if (a->hlc != b->hlc)
        return a->hlc < b->hlc ? -1 : 1;
    return (a->event > b->event) - (a->event < b->event);
}

static uint32_t
predecessor(const struct tulle__trace_store *store, uint32_t event, uint32_t index)
{
    const struct tulle__trace_event *at = &store->events[event];
    if (index < at->cause_count)
        return tulle__trace_find(store, at->causes[index]);
    return tulle__trace_find(store, (struct tulle__trace_ref){ at->lane, at->seq - 1 });
}

static void
push(struct walk *walk, uint32_t event)
{
    walk->state[event] = OPEN;
    walk->stack[walk->depth++] = (struct frame){ event, 0 };
}

static void
visit(struct walk *walk, uint32_t start)
{
    if (walk->state[start] != NEW)
        return;
    push(walk, start);
    while (walk->depth > 0) {
        struct frame *frame = &walk->stack[walk->depth - 1];
        if (frame->next <= walk->store->events[frame->event].cause_count) {
            uint32_t before = predecessor(walk->store, frame->event, frame->next++);
            if (before != TULLE__TRACE_NONE && walk->state[before] == NEW)
                push(walk, before);
            continue;
        }
        walk->state[frame->event] = DONE;
        walk->rank[frame->event] = walk->count;
        walk->order[walk->count++] = frame->event;
        walk->depth--;
    }
}

static bool
sort_events(struct tulle__trace_graph *graph)
{
    size_t count = graph->store->event_count;
    struct by_time *times = malloc((count + 1) * sizeof *times);
    struct walk walk = { .store = graph->store, .order = graph->order, .rank = graph->rank };
    walk.stack = malloc((count + 1) * sizeof *walk.stack);
    walk.state = calloc(count + 1, sizeof *walk.state);
    bool is_done = times != NULL && walk.stack != NULL && walk.state != NULL;
    if (is_done) {
        for (size_t i = 0; i < count; i++)
            times[i] = (struct by_time){ graph->store->events[i].hlc, (uint32_t)i };
        qsort(times, count, sizeof *times, compare_times);
        for (size_t i = 0; i < count; i++)
            visit(&walk, times[i].event);
    }
    free(times);
    free(walk.stack);
    free(walk.state);
    return is_done;
}

uint32_t
tulle__trace_cause(const struct tulle__trace_graph *graph, uint32_t event, uint32_t index)
{
    uint32_t cause = tulle__trace_find(graph->store, graph->store->events[event].causes[index]);
    if (cause == TULLE__TRACE_NONE || graph->rank[cause] >= graph->rank[event])
        return TULLE__TRACE_NONE;
    return cause;
}

/* Count, then place: by rank of the effect, as that is the order of the second loop. */
static bool
link_effects(struct tulle__trace_graph *graph)
{
    const struct tulle__trace_store *store = graph->store;
    size_t total = 0;
    for (uint32_t i = 0; i < store->event_count; i++) {
        for (uint32_t j = 0; j < store->events[i].cause_count; j++) {
            uint32_t cause = tulle__trace_cause(graph, i, j);
            if (cause != TULLE__TRACE_NONE) {
                graph->effects_begin[cause + 1]++;
                total++;
            }
        }
    }
    graph->effects = malloc((total + 1) * sizeof *graph->effects);
    size_t *filled = calloc(store->event_count + 1, sizeof *filled);
    if (graph->effects == NULL || filled == NULL) {
        free(filled);
        return false;
    }
    for (size_t i = 0; i < store->event_count; i++)
        graph->effects_begin[i + 1] += graph->effects_begin[i];
    for (size_t i = 0; i < store->event_count; i++) {
        uint32_t event = graph->order[i];
        for (uint32_t j = 0; j < store->events[event].cause_count; j++) {
            uint32_t cause = tulle__trace_cause(graph, event, j);
            if (cause != TULLE__TRACE_NONE)
                graph->effects[graph->effects_begin[cause] + filled[cause]++] = event;
        }
    }
    free(filled);
    return true;
}

bool
tulle__trace_graph_init(struct tulle__trace_graph *graph, const struct tulle__trace_store *store)
{
    size_t count = store->event_count + 1;
    graph->store = store;
    graph->order = calloc(count, sizeof *graph->order);
    graph->rank = calloc(count, sizeof *graph->rank);
    graph->effects_begin = calloc(count + 1, sizeof *graph->effects_begin);
    graph->marks = calloc(count, sizeof *graph->marks);
    return graph->order != NULL && graph->rank != NULL && graph->effects_begin != NULL &&
           graph->marks != NULL && sort_events(graph) && link_effects(graph);
}

void
tulle__trace_graph_fini(struct tulle__trace_graph *graph)
{
    free(graph->order);
    free(graph->rank);
    free(graph->effects);
    free(graph->effects_begin);
    free(graph->marks);
    *graph = (struct tulle__trace_graph){ 0 };
}

const uint32_t *
tulle__trace_effects(const struct tulle__trace_graph *graph, uint32_t event, size_t *count)
{
    size_t begin = graph->effects_begin[event];
    *count = graph->effects_begin[event + 1] - begin;
    return graph->effects + begin;
}

static void
mark(struct tulle__trace_graph *graph, uint32_t event, unsigned marks)
{
    if ((graph->marks[event] & TULLE__TRACE_SHOWN) == 0)
        graph->shown_count++;
    graph->marks[event] |= (uint8_t)(marks | TULLE__TRACE_SHOWN);
}

/* Those of the event's neighbours that are not yet marked go into the queue. */
static size_t
spread(struct tulle__trace_graph *graph, uint32_t event, unsigned way, uint32_t *queue, size_t end)
{
    size_t count = graph->store->events[event].cause_count;
    const uint32_t *effects = NULL;
    if (way == TULLE__TRACE_CONSEQUENCE)
        effects = tulle__trace_effects(graph, event, &count);
    for (size_t i = 0; i < count; i++) {
        uint32_t other =
            effects != NULL ? effects[i] : tulle__trace_cause(graph, event, (uint32_t)i);
        if (other == TULLE__TRACE_NONE || (graph->marks[other] & way) != 0)
            continue;
        mark(graph, other, way);
        queue[end++] = other;
    }
    return end;
}

/* Breadth first, one level after the other. */
static void
follow(struct tulle__trace_graph *graph, unsigned way, uint64_t depth, uint32_t *queue)
{
    size_t begin = 0;
    size_t end = 0;
    for (uint32_t i = 0; i < graph->store->event_count; i++) {
        if ((graph->marks[i] & TULLE__TRACE_ASKED) != 0) {
            graph->marks[i] |= (uint8_t)way; /* not to be queued again */
            queue[end++] = i;
        }
    }
    for (uint64_t level = 0; level < depth && begin < end; level++) {
        size_t level_end = end;
        for (; begin < level_end; begin++)
            end = spread(graph, queue[begin], way, queue, end);
    }
    if (way == TULLE__TRACE_CONSEQUENCE) {
        for (; begin < end; begin++)
            graph->marks[queue[begin]] |= TULLE__TRACE_LEAF;
    }
}

bool
tulle__trace_graph_show(struct tulle__trace_graph *graph, uint64_t depth)
{
    uint32_t *queue = malloc((graph->store->event_count + 1) * sizeof *queue);
    if (queue == NULL)
        return false;
    for (uint32_t i = 0; i < graph->store->event_count; i++) {
        if (graph->store->events[i].is_asked)
            mark(graph, i, TULLE__TRACE_ASKED);
    }
    if (graph->is_upward)
        follow(graph, TULLE__TRACE_CAUSE, depth, queue);
    if (graph->is_downward)
        follow(graph, TULLE__TRACE_CONSEQUENCE, depth, queue);
    free(queue);
    return true;
}

uint32_t
tulle__trace_parent(const struct tulle__trace_graph *graph, uint32_t event)
{
    uint32_t parent = TULLE__TRACE_NONE;
    for (uint32_t i = 0; i < graph->store->events[event].cause_count; i++) {
        uint32_t cause = tulle__trace_cause(graph, event, i);
        if (cause == TULLE__TRACE_NONE || (graph->marks[cause] & TULLE__TRACE_SHOWN) == 0)
            continue;
        if (parent == TULLE__TRACE_NONE || graph->rank[cause] > graph->rank[parent])
            parent = cause;
    }
    return parent;
}

uint32_t
tulle__trace_next_shown(const struct tulle__trace_graph *graph, size_t *index)
{
    while (*index < graph->store->event_count) {
        uint32_t event = graph->order[(*index)++];
        if ((graph->marks[event] & TULLE__TRACE_SHOWN) != 0)
            return event;
    }
    return TULLE__TRACE_NONE;
}

const char *
tulle__trace_why_missing(const struct tulle__trace_graph *graph, struct tulle__trace_ref ref)
{
    const struct tulle__trace_gap *gap = tulle__trace_gap_at(graph->store, ref);
    if (tulle__trace_find(graph->store, ref) != TULLE__TRACE_NONE)
        return "in a circle";
    if (gap != NULL)
        return gap->reason == TULLE_GAP_EVICTED ? "not kept any more"
                                                : tulle__gap_reason_name(gap->reason);
    return graph->is_partial || graph->store->is_full ? "not read" : "not kept any more";
}

void
tulle__trace_node_name(const struct tulle__trace_store *store, uint32_t lane, char *out, size_t len)
{
    const struct tulle__trace_lane *at = &store->lanes[lane];
    if (at->name[0] != '\0')
        (void)snprintf(out, len, "%s", at->name);
    else
        (void)snprintf(out, len, "%016" PRIx64, at->node);
}

void
tulle__trace_put_ref(const struct tulle__trace_store *store,
                     struct tulle__trace_ref ref,
                     bool by_name,
                     struct tulle__text *out)
{
    const struct tulle__trace_lane *lane = &store->lanes[ref.lane];
    if (by_name && lane->name[0] != '\0')
        tulle__text_str(out, lane->name);
    else
        tulle__text_id(out, lane->node);
    tulle__text_char(out, '/');
    tulle__text_str(out, lane->stream);
    tulle__text_char(out, '/');
    tulle__text_u64(out, ref.seq);
}
