/* SPDX-License-Identifier: MPL-2.0 */

#include "graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A failed HASH_ADD leaves the element out and says so in hh.tbl. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct demo_entry {
    const char *name;
    size_t index;
    UT_hash_handle hh;
};

size_t
demo_graph_find(const struct demo_graph *graph, const char *name)
{
    struct demo_entry *entry = NULL;
    HASH_FIND_STR(graph->by_name, name, entry);
    return entry == NULL ? graph->count : entry->index;
}

static bool
add_event(struct demo_graph *graph, const struct demo_line *line)
{
    struct demo_entry *entry = NULL;
    HASH_FIND_STR(graph->by_name, line->name, entry);
    if (entry != NULL) {
        (void)fprintf(stderr, "%s is recorded twice\n", line->name);
        return false;
    }
    entry = calloc(1, sizeof *entry);
    if (entry == NULL)
        return false;
    *entry = (struct demo_entry){ .name = line->name, .index = graph->count };
    HASH_ADD_KEYPTR(hh, graph->by_name, entry->name, strlen(entry->name), entry);
    if (entry->hh.tbl == NULL) {
        free(entry);
        return false;
    }
    graph->events[graph->count++] = line;
    return true;
}

/* Event number seq of a lane comes before event index. */
static bool
add_edge(struct demo_graph *graph, size_t index, const char *lane, int64_t seq, bool is_whole)
{
    char name[DEMO_NAME_LEN];
    if (seq <= 0)
        return true;
    int len = snprintf(name, sizeof name, "%s/%lld", lane, (long long)seq);
    bool is_cut = len < 0 || (size_t)len >= sizeof name; /* no event has such a name */
    size_t first = is_cut ? graph->count : demo_graph_find(graph, name);
    if (first < graph->count) {
        graph->before[index * graph->count + first] = 1;
        return true;
    }
    if (is_whole)
        (void)fprintf(stderr, "%s depends on %s, which is not recorded\n",
                      graph->events[index]->name, name);
    return !is_whole;
}

static bool
add_edges(struct demo_graph *graph, size_t index, bool is_whole)
{
    const struct demo_line *line = graph->events[index];
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): index is below the count */
    bool is_good = add_edge(graph, index, line->lane, line->seq - 1, is_whole);
    const char *lane = NULL;
    json_t *value = NULL;
    json_object_foreach(json_object_get(line->json, "deps"), lane, value) is_good =
        add_edge(graph, index, lane, json_integer_value(value), is_whole) && is_good;
    size_t i = 0;
    json_array_foreach(json_object_get(line->json, "causes"), i, value)
    {
        char cause[DEMO_NAME_LEN] = "";
        (void)snprintf(cause, sizeof cause, "%s", json_string_value(value));
        char *slash = strrchr(cause, '/');
        if (slash == NULL)
            return false;
        *slash = '\0';
        is_good = add_edge(graph, index, cause, strtoll(slash + 1, NULL, 10), is_whole) && is_good;
    }
    return is_good;
}

/* What comes before what comes before (Warshall). */
static bool
close_edges(struct demo_graph *graph)
{
    size_t count = graph->count;
    for (size_t k = 0; k < count; k++) {
        const unsigned char *through = graph->before + k * count;
        for (size_t i = 0; i < count; i++) {
            unsigned char *row = graph->before + i * count;
            for (size_t j = 0; row[k] != 0 && j < count; j++)
                row[j] |= through[j];
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (demo_graph_is_before(graph, i, i)) {
            (void)fprintf(stderr, "%s comes before itself\n", graph->events[i]->name);
            return false;
        }
    }
    return true;
}

bool
demo_graph_build(struct demo_graph *graph, const struct demo_record *record, bool is_whole)
{
    size_t max = 1; /* an allocation of nothing may look like a failure */
    for (size_t i = 0; i < record->count; i++)
        max += record->lines[i].kind == DEMO_EVENT ? 1 : 0;
    *graph = (struct demo_graph){ 0 };
    if (max > DEMO_EVENTS_MAX) {
        (void)fprintf(stderr, "too many events: %zu\n", max);
        return false;
    }
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what is wanted */
    graph->events = calloc(max, sizeof *graph->events);
    graph->before = calloc(max * max, 1);
    bool is_good = graph->events != NULL && graph->before != NULL;
    for (size_t i = 0; is_good && i < record->count; i++) {
        if (record->lines[i].kind == DEMO_EVENT)
            is_good = add_event(graph, &record->lines[i]);
    }
    bool is_complete = is_good;
    for (size_t i = 0; is_good && i < graph->count; i++)
        is_complete = add_edges(graph, i, is_whole) && is_complete;
    return is_complete && close_edges(graph);
}

void
demo_graph_free(struct demo_graph *graph)
{
    struct demo_entry *entry = NULL;
    struct demo_entry *next = NULL;
    HASH_ITER (hh, graph->by_name, entry, next) {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what is freed is in the table no more */
        HASH_DEL(graph->by_name, entry);
        free(entry);
    }
    free(graph->events);
    free(graph->before);
    *graph = (struct demo_graph){ 0 };
}
