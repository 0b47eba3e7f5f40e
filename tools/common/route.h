/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_ROUTE_H
#define TULLE_TOOLS_ROUTE_H

/* The ways from one segment to another: over which proxies. */

#include "tools/common/mesh.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Through a proxy from a segment to the next. */
struct tulle__route_step {
    uint32_t number; /* 0, 1, ... from the start; those with the same number are side by side */
    size_t proxy;    /* index among the snapshot's nodes */
    size_t from, to; /* segments */
};

/* A shortest way, with all that are as short. */
struct tulle__route {
    struct tulle__route_step *steps; /* ascending numbers, then proxies */
    size_t step_count;
    size_t step_cap;
    bool is_known; /* there is a way; without steps when both are the same segment */
};

struct tulle__routes {
    const struct tulle__mesh *mesh;
    struct tulle__route_side *sides; /* of all live proxies, ascending segments */
    size_t side_count;
    size_t *first_side; /* of each segment, and one more */
    uint32_t *distance; /* of each segment from from_segment */
    uint8_t *is_on_way;
    size_t *queue;
    size_t from_segment; /* distance is of that one; SIZE_MAX: of none yet */
    bool has_failed;     /* no memory */
};

/* Returns false when there is no memory; tulle__routes_fini() is allowed then too. */
bool tulle__routes_init(struct tulle__routes *routes, const struct tulle__mesh *mesh);
void tulle__routes_fini(struct tulle__routes *routes);

/* Find the ways between two segments, which may be SIZE_MAX for not known. route: from { 0 } or
 * from the call before; freed with tulle__route_fini(). Cheapest when from stays the same. */
void tulle__routes_find(struct tulle__routes *routes,
                        size_t from,
                        size_t to,
                        struct tulle__route *route);
void tulle__route_fini(struct tulle__route *route);

#endif
