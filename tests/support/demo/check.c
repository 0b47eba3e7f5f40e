/* SPDX-License-Identifier: MPL-2.0 */

/* Everything that the demo claims, checked from the outside. Once by what the
 * events say of themselves (graph.h), and once by what they mean: an order is
 * placed before it is paid, and paid before it is dispatched. */

#include "graph.h"
#include "judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMPLAINTS_SHOWN = 10 };

static const char *const STAGES[] = { "orders/placed", "inventory/reserved", "payments/approved",
                                      "shipping/dispatched", "loyalty/credited" };
enum { STAGE_COUNT = sizeof STAGES / sizeof *STAGES };

/* first before second, by their places in STAGES */
static const struct {
    int first, second;
} RULES[] = { { 0, 1 }, { 0, 2 }, { 0, 3 }, { 2, 3 }, { 0, 4 } };
enum { RULE_COUNT = sizeof RULES / sizeof *RULES };

struct service {
    const char *name;
    const char *streams; /* "a,b" */
    struct demo_record record;
    size_t *delivered_at; /* by event: place in the record, from 1; 0: never */
    size_t *arrived_at;
    size_t delivered, reordered, held, repaired, duplicates;
    int64_t longest_us;
    bool has_arrivals;
    bool is_newcomer; /* what it fetched is the past, not what was lost */
};

struct tally {
    size_t complaints, violations, missing, twice, reordered, lost, past, duplicates;
};

static void complain(struct tally *tally, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
complain(struct tally *tally, const char *format, ...)
{
    if (tally->complaints++ >= COMPLAINTS_SHOWN)
        return;
    va_list list;
    va_start(list, format);
    (void)vfprintf(stderr, format, list);
    va_end(list);
    (void)fputc('\n', stderr);
}

static bool
takes(const struct service *service, const char *stream)
{
    size_t len = strlen(stream);
    for (const char *at = service->streams; at != NULL; at = strchr(at, ',')) {
        at += *at == ',' ? 1 : 0;
        if (strncmp(at, stream, len) == 0 && (at[len] == ',' || at[len] == '\0'))
            return true;
    }
    return false;
}

/* Read every line of the service into its numbers. */
static void
read_lines(struct service *service, const struct demo_graph *graph, struct tally *tally)
{
    for (size_t i = 0; i < service->record.count; i++) {
        const struct demo_line *line = &service->record.lines[i];
        size_t index = demo_graph_find(graph, line->name);
        if (line->kind == DEMO_DUPLICATE)
            service->duplicates++;
        if (line->kind == DEMO_GAP)
            complain(tally, "%s: a gap: %s", service->name, line->name);
        if (line->kind == DEMO_ARRIVAL) {
            service->has_arrivals = true;
            if (index < graph->count && service->arrived_at[index] == 0)
                service->arrived_at[index] = i + 1;
        }
        if (line->kind != DEMO_EVENT)
            continue;
        service->delivered++;
        service->held += line->held_us > 0 ? 1 : 0;
        service->repaired += line->is_repaired ? 1 : 0;
        if (line->held_us > service->longest_us)
            service->longest_us = line->held_us;
        if (index == graph->count || !takes(service, line->stream)) {
            complain(tally, "%s: %s was not to be delivered", service->name, line->name);
        } else if (service->delivered_at[index] != 0) {
            tally->twice++;
            complain(tally, "%s: %s was delivered twice", service->name, line->name);
        } else {
            service->delivered_at[index] = i + 1;
            const json_t *sent = json_object_get(graph->events[index]->json, "payload");
            if (!json_equal(json_object_get(line->json, "payload"), sent))
                complain(tally, "%s: %s has another payload", service->name, line->name);
        }
    }
}

static void
check_event(struct service *service,
            const struct demo_graph *graph,
            size_t index,
            struct tally *tally)
{
    size_t delivered_at = service->delivered_at[index];
    size_t arrived_at = service->arrived_at[index];
    bool came_early = false;
    if (delivered_at == 0) {
        tally->missing++;
        complain(tally, "%s: %s was never delivered", service->name, graph->events[index]->name);
        return;
    }
    for (size_t i = 0; i < graph->count; i++) {
        if (!demo_graph_is_before(graph, i, index) || !takes(service, graph->events[i]->stream))
            continue;
        if (service->delivered_at[i] == 0 || service->delivered_at[i] > delivered_at) {
            tally->violations++;
            complain(tally, "%s: %s was delivered before %s", service->name,
                     graph->events[index]->name, graph->events[i]->name);
        }
        came_early = came_early || (arrived_at > 0 && (service->arrived_at[i] == 0 ||
                                                       service->arrived_at[i] > arrived_at));
    }
    service->reordered += came_early ? 1 : 0;
}

/* By meaning: where is each stage of an order in what was delivered? */
static void
check_meaning(const struct service *service, int64_t order, struct tally *tally)
{
    size_t at[STAGE_COUNT] = { 0 };
    for (size_t i = 0; i < service->record.count; i++) {
        const struct demo_line *line = &service->record.lines[i];
        for (size_t stage = 0; stage < STAGE_COUNT; stage++) {
            if (line->kind == DEMO_EVENT && line->order == order &&
                strcmp(line->topic, STAGES[stage]) == 0)
                at[stage] = i + 1;
        }
    }
    for (size_t i = 0; i < RULE_COUNT; i++) {
        size_t first = at[RULES[i].first];
        size_t second = at[RULES[i].second];
        if (first > 0 && second > 0 && second < first) {
            tally->violations++;
            complain(tally, "%s: order %lld: %s before %s", service->name, (long long)order,
                     STAGES[RULES[i].second], STAGES[RULES[i].first]);
        }
    }
}

/* What the orders had to lead to: each stage once, and the orders as they were given. */
static void
check_order(const struct demo_graph *graph, const json_t *given, struct tally *tally)
{
    int64_t order = demo_order_of(given);
    for (size_t stage = 0; stage < STAGE_COUNT; stage++) {
        size_t count = 0;
        for (size_t i = 0; i < graph->count; i++) {
            const struct demo_line *line = graph->events[i];
            if (line->order != order || strcmp(line->topic, STAGES[stage]) != 0)
                continue;
            count++;
            if (stage == 0 && !json_equal(json_object_get(line->json, "payload"),
                                          json_object_get(given, "payload")))
                complain(tally, "order %lld was recorded with another payload", (long long)order);
            if (stage > 0 && json_array_size(json_object_get(line->json, "causes")) == 0)
                complain(tally, "%s names no cause", line->name);
        }
        if (count != 1)
            complain(tally, "order %lld: %zu times %s", (long long)order, count, STAGES[stage]);
    }
}

static void
check_orders(const char *path,
             const struct demo_graph *graph,
             const struct service *services,
             size_t service_count,
             struct tally *tally)
{
    FILE *file = fopen(path, "r");
    size_t orders = 0;
    while (file != NULL) {
        json_t *given = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL);
        if (given == NULL)
            break;
        orders++;
        check_order(graph, given, tally);
        for (size_t i = 0; i < service_count; i++)
            check_meaning(&services[i], demo_order_of(given), tally);
        json_decref(given);
    }
    if (file != NULL)
        (void)fclose(file);
    if (orders == 0 || orders * STAGE_COUNT != graph->count)
        complain(tally, "%zu orders led to %zu events", orders, graph->count);
}

static bool
open_service(struct service *service, char *text, size_t event_count)
{
    char *streams = strchr(text, '=');
    char *path = streams == NULL ? NULL : strchr(streams + 1, '=');
    if (path == NULL)
        return false;
    *streams++ = *path++ = '\0';
    bool is_newcomer = path[0] == '+';
    *service = (struct service){ .name = text, .streams = streams, .is_newcomer = is_newcomer };
    service->delivered_at = calloc(event_count + 1, sizeof *service->delivered_at);
    service->arrived_at = calloc(event_count + 1, sizeof *service->arrived_at);
    return service->delivered_at != NULL && service->arrived_at != NULL &&
           demo_record_read(&service->record, path + (is_newcomer ? 1 : 0));
}

static void
close_service(struct service *service)
{
    demo_record_free(&service->record);
    free(service->delivered_at);
    free(service->arrived_at);
}

static void
print_service(const struct service *service)
{
    char reordered[24] = "-";
    char duplicates[24] = "-";
    if (service->has_arrivals) {
        (void)snprintf(reordered, sizeof reordered, "%zu", service->reordered);
        (void)snprintf(duplicates, sizeof duplicates, "%zu", service->duplicates);
    }
    (void)printf("  %-14s %9zu %10s %9zu %8lld ms %9zu %11s\n", service->name, service->delivered,
                 reordered, service->held, (long long)(service->longest_us / 1000),
                 service->repaired, duplicates);
}

static void
check_service(struct service *service, const struct demo_graph *graph, struct tally *tally)
{
    read_lines(service, graph, tally);
    for (size_t i = 0; i < graph->count; i++) {
        if (takes(service, graph->events[i]->stream))
            check_event(service, graph, i, tally);
    }
    print_service(service);
    tally->reordered += service->reordered;
    tally->lost += service->is_newcomer ? 0 : service->repaired;
    tally->past += service->is_newcomer ? service->repaired : 0;
    tally->duplicates += service->duplicates;
}

static void
print_tally(const struct demo_graph *graph, const struct tally *tally)
{
    (void)printf("\n  %-42s %6zu\n", "events published", graph->count);
    (void)printf("  %-42s %6zu\n", "came before what they depend on, and held", tally->reordered);
    (void)printf("  %-42s %6zu\n", "lost on the way and fetched", tally->lost);
    (void)printf("  %-42s %6zu\n", "fetched from before a newcomer's time", tally->past);
    (void)printf("  %-42s %6zu\n", "duplicates dropped", tally->duplicates);
    (void)printf("  %-42s %6zu\n", "delivered twice", tally->twice);
    (void)printf("  %-42s %6zu\n", "never delivered", tally->missing);
    (void)printf("  %-42s %6zu\n", "causal violations", tally->violations);
}

int
demo_check(int argc, char **argv)
{
    struct demo_record record = { 0 };
    struct demo_graph graph = { 0 };
    struct tally tally = { 0 };
    if (argc < 3)
        return 2;
    size_t count = (size_t)argc - 2;
    struct service *services = calloc(count, sizeof *services);
    bool is_good = services != NULL && demo_record_read(&record, argv[1]) &&
                   demo_graph_build(&graph, &record, true);
    if (is_good)
        (void)printf("  %-14s %9s %10s %9s %11s %9s %11s\n", "", "delivered", "came early", "held",
                     "longest", "fetched", "duplicates");
    for (size_t i = 0; is_good && i < count; i++) {
        is_good = open_service(&services[i], argv[i + 2], graph.count);
        if (is_good)
            check_service(&services[i], &graph, &tally);
    }
    if (is_good) {
        check_orders(argv[0], &graph, services, count, &tally);
        print_tally(&graph, &tally);
    }
    if (tally.complaints > COMPLAINTS_SHOWN)
        (void)fprintf(stderr, "and %zu more\n", tally.complaints - COMPLAINTS_SHOWN);
    for (size_t i = 0; services != NULL && i < count; i++)
        close_service(&services[i]);
    free(services);
    demo_graph_free(&graph);
    demo_record_free(&record);
    return is_good && tally.complaints == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
