/* SPDX-License-Identifier: MPL-2.0 */

/* Segments are joined by proxies: breadth first from one segment, then back from the other over
 * everything that is one step nearer. */

#include "tools/common/route.h"

#include <stdlib.h>
#include <string.h>

struct tulle__route_side {
    size_t segment;
    size_t proxy;
};

static int
compare_sides(const void *a, const void *b)
{
    const struct tulle__route_side *left = a;
    const struct tulle__route_side *right = b;
    if (left->segment != right->segment)
        return left->segment < right->segment ? -1 : 1;
    return (left->proxy > right->proxy) - (left->proxy < right->proxy);
}

static bool
gather_sides(struct tulle__routes *routes)
{
    const tulle_snapshot *s = routes->mesh->snapshot;
    size_t count = 0;
    for (size_t i = 0; i < s->node_count; i++)
        count += s->nodes[i].link_count;
    routes->sides = calloc(count + 1, sizeof *routes->sides);
    if (routes->sides == NULL)
        return false;
    for (size_t i = 0; i < s->node_count; i++) {
        const tulle_seen_node *node = &s->nodes[i];
        for (size_t k = 0; tulle__mesh_is_live(node) && k < node->link_count; k++) {
            if (node->links[k].segment < s->segment_count) {
                routes->sides[routes->side_count++] =
                    (struct tulle__route_side){ node->links[k].segment, i };
            }
        }
    }
    qsort(routes->sides, routes->side_count, sizeof *routes->sides, compare_sides);
    return true;
}

bool
tulle__routes_init(struct tulle__routes *routes, const struct tulle__mesh *mesh)
{
    size_t count = mesh->snapshot->segment_count;
    *routes = (struct tulle__routes){ .mesh = mesh, .from_segment = SIZE_MAX };
    routes->first_side = calloc(count + 1, sizeof *routes->first_side);
    routes->distance = calloc(count + 1, sizeof *routes->distance);
    routes->is_on_way = calloc(count + 1, sizeof *routes->is_on_way);
    routes->queue = calloc(count + 1, sizeof *routes->queue);
    if (routes->first_side == NULL || routes->distance == NULL || routes->is_on_way == NULL ||
        routes->queue == NULL || !gather_sides(routes))
        return false;
    size_t at = 0;
    for (size_t i = 0; i <= count; i++) {
        while (at < routes->side_count && routes->sides[at].segment < i)
            at++;
        routes->first_side[i] = at;
    }
    return true;
}

void
tulle__routes_fini(struct tulle__routes *routes)
{
    free(routes->sides);
    free(routes->first_side);
    free(routes->distance);
    free(routes->is_on_way);
    free(routes->queue);
    *routes = (struct tulle__routes){ .from_segment = SIZE_MAX };
}

static void
measure(struct tulle__routes *routes, size_t from)
{
    const tulle_snapshot *s = routes->mesh->snapshot;
    size_t head = 0;
    size_t tail = 0;
    memset(routes->distance, 0xff, s->segment_count * sizeof *routes->distance);
    routes->distance[from] = 0;
    routes->queue[tail++] = from;
    while (head < tail) {
        size_t segment = routes->queue[head++];
        for (size_t i = routes->first_side[segment]; i < routes->first_side[segment + 1]; i++) {
            const tulle_seen_node *proxy = &s->nodes[routes->sides[i].proxy];
            for (size_t k = 0; k < proxy->link_count; k++) {
                size_t next = proxy->links[k].segment;
                if (next >= s->segment_count || routes->distance[next] != UINT32_MAX)
                    continue;
                routes->distance[next] = routes->distance[segment] + 1;
                routes->queue[tail++] = next;
            }
        }
    }
    routes->from_segment = from;
}

static bool
add_step(struct tulle__route *route, struct tulle__route_step step)
{
    if (route->step_count == route->step_cap) {
        size_t cap = route->step_cap == 0 ? 8 : route->step_cap * 2;
        struct tulle__route_step *steps = realloc(route->steps, cap * sizeof *steps);
        if (steps == NULL)
            return false;
        route->steps = steps;
        route->step_cap = cap;
    }
    route->steps[route->step_count++] = step;
    return true;
}

/* The steps that lead to a segment on the way, and the segments they come from. */
static void
step_back(struct tulle__routes *routes, size_t segment, struct tulle__route *route, size_t *tail)
{
    const tulle_snapshot *s = routes->mesh->snapshot;
    for (size_t i = routes->first_side[segment]; i < routes->first_side[segment + 1]; i++) {
        size_t index = routes->sides[i].proxy;
        const tulle_seen_node *proxy = &s->nodes[index];
        for (size_t k = 0; k < proxy->link_count; k++) {
            size_t before = proxy->links[k].segment;
            if (before >= s->segment_count || routes->distance[before] == UINT32_MAX ||
                routes->distance[before] + 1 != routes->distance[segment])
                continue;
            const struct tulle__route_step step = { routes->distance[before], index, before,
                                                    segment };
            routes->has_failed = routes->has_failed || !add_step(route, step);
            if (!routes->is_on_way[before])
                routes->queue[(*tail)++] = before;
            routes->is_on_way[before] = 1;
        }
    }
}

static int
compare_steps(const void *a, const void *b)
{
    const struct tulle__route_step *left = a;
    const struct tulle__route_step *right = b;
    if (left->number != right->number)
        return left->number < right->number ? -1 : 1;
    if (left->proxy != right->proxy)
        return left->proxy < right->proxy ? -1 : 1;
    if (left->from != right->from)
        return left->from < right->from ? -1 : 1;
    return (left->to > right->to) - (left->to < right->to);
}

void
tulle__routes_find(struct tulle__routes *routes, size_t from, size_t to, struct tulle__route *route)
{
    size_t count = routes->mesh->snapshot->segment_count;
    route->step_count = 0;
    route->is_known = false;
    if (from >= count || to >= count)
        return;
    if (routes->from_segment != from)
        measure(routes, from);
    if (routes->distance[to] == UINT32_MAX)
        return;
    route->is_known = true;
    size_t head = 0;
    size_t tail = 0;
    memset(routes->is_on_way, 0, count);
    routes->queue[tail++] = to;
    while (head < tail)
        step_back(routes, routes->queue[head++], route, &tail);
    if (route->step_count > 1)
        qsort(route->steps, route->step_count, sizeof *route->steps, compare_steps);
}

void
tulle__route_fini(struct tulle__route *route)
{
    free(route->steps);
    *route = (struct tulle__route){ 0 };
}
