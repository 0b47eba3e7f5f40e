/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_DELIVERY_LANES_H
#define TULLE_DELIVERY_LANES_H

/* The table of lanes; see delivery/internal.h. What each event asks for is answered
 * inline while the tables have the room and the policy is fresh. */

#include "delivery/state.h"

/* Index of a lane, made room for; TULLE__LANE_NONE (counted) when tables are full. */
uint32_t tulle__lane_intern(struct tulle__engine *e, uint64_t node, struct tulle__view stream);
/* Room in all tables by lane index, the own clock's too. tulle__lane_intern() makes it;
 * lanes that clocks name may not have it. False: no memory. */
bool tulle__lanes_reserve_slow(struct tulle__engine *e, uint32_t lane);
static inline bool
tulle__lanes_reserve(struct tulle__engine *e, uint32_t lane)
{
    return (lane < e->lane_cap && lane < e->clock.cap) || tulle__lanes_reserve_slow(e, lane);
}
/* No lane finds a place any more, though there may be memory. */
bool tulle__lanes_are_full(const struct tulle__engine *e);
/* Fresh policy of a lane. */
const struct tulle__policy *tulle__lane_policy_slow(struct tulle__engine *e, uint32_t lane);
static inline const struct tulle__policy *
tulle__lane_policy(struct tulle__engine *e, uint32_t lane)
{
    if (lane < e->lane_cap && lane < e->clock.cap &&
        e->lanes[lane].policy.version == e->interest.version)
        return &e->lanes[lane].policy;
    return tulle__lane_policy_slow(e, lane);
}
/* First of the taken lanes of a node, in a list by sibling_next; NULL: none. */
struct tulle__rx *tulle__lanes_of_node(const struct tulle__engine *e, uint64_t node);
/* A new lane joins them; false: no memory. */
bool tulle__siblings_add(struct tulle__engine *e, struct tulle__rx *rx);
void tulle__siblings_remove(struct tulle__engine *e, struct tulle__rx *rx);
void tulle__lanes_free(struct tulle__engine *e);
/* Drop from all clocks the lanes of nodes that are long gone. */
void tulle__lanes_forget(struct tulle__engine *e);
/* Interest has changed: look at every lane again. is_past_wanted: events may come that
 * what was delivered already depends on. */
void tulle__lanes_revisit(struct tulle__engine *e, bool is_past_wanted);

#endif
