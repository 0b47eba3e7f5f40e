/* SPDX-License-Identifier: MPL-2.0 */

/* Arrival beside delivery, as one tap saw them. */

#include "graph.h"
#include "judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct column {
    const struct demo_line **lines;
    size_t count;
};

static bool
is_shown(const struct demo_line *line, enum demo_kind kind, int64_t first, int64_t orders)
{
    return line->kind == kind && line->order >= first && line->order < first + orders &&
           (strcmp(line->stream, "orders") == 0 || strcmp(line->stream, "payments") == 0);
}

static bool
fill(struct column *column,
     const struct demo_record *record,
     enum demo_kind kind,
     int64_t first,
     int64_t orders)
{
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what is wanted */
    column->lines = calloc(record->count + 1, sizeof *column->lines);
    if (column->lines == NULL)
        return false;
    for (size_t i = 0; i < record->count; i++) {
        if (is_shown(&record->lines[i], kind, first, orders))
            column->lines[column->count++] = &record->lines[i];
    }
    return true;
}

/* The last to come of those that had to come before: what the event waited for. */
static const struct demo_line *
waited_for(const struct demo_graph *graph, const struct demo_line *line)
{
    const struct demo_line *last = NULL;
    size_t index = demo_graph_find(graph, line->name);
    for (size_t i = 0; i < graph->count && index < graph->count; i++) {
        const struct demo_line *other = graph->events[i];
        if (demo_graph_is_before(graph, i, index) && other->arrived_us > line->arrived_us &&
            (last == NULL || other->arrived_us >= last->arrived_us))
            last = other;
    }
    return last;
}

static void
print_cell(const struct demo_line *line, int64_t at_us, int64_t start_us)
{
    (void)printf("%7lld ms %-17s #%lld", (long long)((at_us - start_us) / 1000), line->topic,
                 (long long)line->order);
}

static void
print_rows(const struct demo_graph *graph, struct column *arrived, struct column *delivered)
{
    int64_t start_us = delivered->lines[0]->published_us;
    for (size_t i = 0; i < arrived->count && i < delivered->count; i++) {
        print_cell(arrived->lines[i], arrived->lines[i]->arrived_us, start_us);
        const struct demo_line *line = delivered->lines[i];
        (void)printf("  ");
        print_cell(line, line->arrived_us + line->held_us, start_us);
        const struct demo_line *other = waited_for(graph, line);
        if (line->held_us >= 1000)
            (void)printf("  held %lld ms", (long long)(line->held_us / 1000));
        if (line->held_us >= 1000 && other != NULL)
            (void)printf(" for %s #%lld", other->stream, (long long)other->order);
        (void)printf("\n");
    }
}

static int64_t
first_order(const struct demo_record *record)
{
    int64_t first = -1;
    for (size_t i = 0; i < record->count; i++) {
        int64_t order = record->lines[i].order;
        if (order >= 0 && (first < 0 || order < first))
            first = order;
    }
    return first;
}

int
demo_excerpt(int argc, char **argv)
{
    struct demo_record record = { 0 };
    struct demo_graph graph = { 0 };
    struct column arrived = { 0 };
    struct column delivered = { 0 };
    int64_t orders = argc == 2 ? strtoll(argv[1], NULL, 10) : 0;
    if (orders <= 0)
        return 2;
    bool is_good = demo_record_read(&record, argv[0]) && demo_graph_build(&graph, &record, false) &&
                   fill(&arrived, &record, DEMO_ARRIVAL, first_order(&record), orders) &&
                   fill(&delivered, &record, DEMO_EVENT, first_order(&record), orders);
    if (is_good && delivered.count == 0) {
        (void)fprintf(stderr, "%s: nothing was delivered\n", argv[0]);
        is_good = false;
    }
    if (is_good)
        print_rows(&graph, &arrived, &delivered);
    free(arrived.lines);
    free(delivered.lines);
    demo_graph_free(&graph);
    demo_record_free(&record);
    return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
