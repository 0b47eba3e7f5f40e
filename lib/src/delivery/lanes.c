/* SPDX-License-Identifier: MPL-2.0 */
/* The table of lanes: what the engine knows under each lane index. */

#include "base/alloc.h"
#include "base/panic.h"
#include "delivery/internal.h"
#include "delivery/progress.h"

bool
tulle__lanes_reserve_slow(struct tulle__engine *e, uint32_t lane)
{
    while (e->lane_cap <= lane) {
        size_t old = e->lane_cap;
        if (!tulle__grow(&e->lanes, &e->lane_cap, e->lane_cap, sizeof *e->lanes))
            return false;
        for (size_t i = old; i < e->lane_cap; i++)
            e->lanes[i] = (struct tulle__lane){ 0 };
    }
    return tulle__own_clock_reserve(&e->clock, lane);
}

bool
tulle__lanes_are_full(const struct tulle__engine *e)
{
    return tulle__lane_names_count(e->names) >= e->config.lanes_max;
}

uint32_t
tulle__lane_intern(struct tulle__engine *e, uint64_t node, struct tulle__view stream)
{
    uint32_t lane = tulle__lane_names_intern(e->names, node, stream);
    if (lane != TULLE__LANE_NONE && !tulle__lanes_reserve(e, lane))
        lane = TULLE__LANE_NONE; /* the name stays; the next try may find memory */
    if (lane == TULLE__LANE_NONE)
        e->counters.dropped_table_full++;
    return lane;
}

const struct tulle__policy *
tulle__lane_policy_slow(struct tulle__engine *e, uint32_t lane)
{
    /* Retention names lanes of deps without the engine: make room for those too. */
    static const struct tulle__policy nothing;
    if (!tulle__lanes_reserve(e, lane))
        return &nothing;
    struct tulle__policy *policy = &e->lanes[lane].policy;
    tulle__policy_refresh(e, policy, tulle__lane_names_stream(e->names, lane));
    return policy;
}

/* ---- lanes of one node ---- */

struct tulle__rx *
tulle__lanes_of_node(const struct tulle__engine *e, uint64_t node)
{
    const struct tulle__node_lanes *lanes = NULL;
    HASH_FIND(hh, e->by_node, &node, sizeof node, lanes);
    return lanes == NULL ? NULL : lanes->first;
}

bool
tulle__siblings_add(struct tulle__engine *e, struct tulle__rx *rx)
{
    struct tulle__node_lanes *lanes = NULL;
    HASH_FIND(hh, e->by_node, &rx->node, sizeof rx->node, lanes);
    if (lanes == NULL) {
        lanes = tulle__alloc(sizeof *lanes);
        if (lanes == NULL)
            return false;
        lanes->node = rx->node;
        lanes->first = rx;
        HASH_ADD(hh, e->by_node, node, sizeof lanes->node, lanes);
        if (tulle__lanes_of_node(e, rx->node) != rx) { /* no memory for the table */
            tulle__free(lanes);
            return false;
        }
    } else {
        rx->sibling_next = lanes->first;
        lanes->first->sibling_previous = rx;
        lanes->first = rx;
    }
    rx->siblings = lanes;
    return true;
}

void
tulle__siblings_remove(struct tulle__engine *e, struct tulle__rx *rx)
{
    struct tulle__node_lanes *lanes = rx->siblings;
    if (rx->sibling_next != NULL)
        rx->sibling_next->sibling_previous = rx->sibling_previous;
    if (rx->sibling_previous != NULL)
        rx->sibling_previous->sibling_next = rx->sibling_next;
    else
        lanes->first = rx->sibling_next;
    if (lanes->first != NULL)
        return;
    HASH_DEL(e->by_node, lanes);
    tulle__free(lanes);
}

/* ---- the table as a whole ---- */

void
tulle__lanes_free(struct tulle__engine *e)
{
    for (size_t i = 0; i < e->lane_cap; i++) {
        if (e->lanes[i].rx != NULL)
            tulle__rx_free(e, &e->lanes[i].rx);
        if (e->lanes[i].tx != NULL)
            tulle__tx_free(&e->lanes[i].tx);
    }
    tulle__free(e->lanes);
    e->lanes = NULL;
    e->lane_cap = 0;
}

/* Something that was delivered depends on what was not waited for then and is now:
 * what follows waits for all of the lane's past, once. */
static void
recheck_past(struct tulle__engine *e, struct tulle__rx *rx)
{
    if (!tulle__clock_merge(&rx->need, &rx->clock))
        rx->is_clock_known = false;
    rx->has_need = true;
    const struct tulle__peer *peer = tulle__peer_find(e, rx->node);
    if (rx->is_active && !rx->is_clock_known && peer != NULL && tulle__peer_is_live(peer))
        rx->wants_prefix = true;
}

void
tulle__lanes_revisit(struct tulle__engine *e, bool is_past_wanted)
{
    for (uint32_t i = 0; i < e->lane_cap; i++) {
        struct tulle__rx *rx = e->lanes[i].rx;
        if (rx == NULL)
            continue;
        tulle_order order_before = e->lanes[i].policy.order;
        const struct tulle__policy *policy = tulle__lane_policy(e, i);
        if (!policy->is_taken) {
            tulle__rx_free(e, &e->lanes[i].rx);
            continue;
        }
        /* What was seen out of order cannot be put into order any more. */
        while (policy->order != TULLE_ORDER_NONE && rx->run_count > 0)
            tulle__unordered_give_up(e, rx);
        /* What was passed over because it was not taken may be taken now. */
        if (policy->order == TULLE_ORDER_CAUSAL &&
            (is_past_wanted || order_before != TULLE_ORDER_CAUSAL))
            recheck_past(e, rx);
        rx->need_index = rx->need_waited = 0;
        for (struct tulle__held *held = rx->held.first[0]; held != NULL; held = held->next[0]) {
            held->walk = held->batch.deps;
            held->has_dep = false;
        }
        tulle__make_runnable(e, rx);
    }
}

/* Nothing of the lane is here, or asked for, and its node is forgotten. */
static bool
is_over(const struct tulle__rx *rx, const struct tulle__peer *peer)
{
    return peer == NULL && rx->is_active && rx->held.first[0] == NULL && rx->kept.len == 0 &&
           rx->waiters.least == NULL && !rx->is_waiting && !rx->is_runnable &&
           !rx->repair.is_active;
}

/* A lane that only clocks name, of a node that is not there, unchanged since the
 * last time: nothing can wait for it any more (older than the repair horizon). */
static bool
is_forgettable(const struct tulle__engine *e, uint32_t lane)
{
    const struct tulle__rx *rx = e->lanes[lane].rx;
    const struct tulle__peer *peer = tulle__peer_find(e, tulle__lane_names_node(e->names, lane));
    if (e->lanes[lane].tx != NULL || (rx != NULL && !is_over(rx, peer)) ||
        (peer != NULL && tulle__peer_is_live(peer)))
        return false;
    return lane >= e->clock.cap || e->clock.entries[lane].stamp <= e->forget_stamp;
}

/* How far a lane was delivered is kept for longer than others may still cite it, and
 * for a node that did not say goodbye as long as there is room: should it come back,
 * what was missed is told, and nothing comes twice. */
static bool
may_rx_go(struct tulle__engine *e, struct tulle__rx *rx)
{
    enum { ROUNDS = 3 };
    if (++rx->rounds_over < ROUNDS)
        return false;
    if (rx->has_left)
        return true;
    if (tulle__lane_names_count(e->names) <= e->config.lanes_max / 4 * 3)
        return false;
    e->counters.dropped_table_full++;
    return true;
}

static void
forget_in(struct tulle__clock *clock, const bool *goes, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < clock->len; i++) {
        uint32_t lane = clock->pairs[i].lane;
        if (lane < count && goes[lane])
            continue;
        clock->pairs[kept++] = clock->pairs[i];
    }
    clock->len = kept;
}

static void
forget_in_lane(struct tulle__lane *lane, const bool *goes, size_t count)
{
    if (lane->tx != NULL) {
        forget_in(&lane->tx->clock, goes, count);
        forget_in(&lane->tx->kept.floor, goes, count);
    }
    /* A lane that has not had its first delivery keeps its need as it is indexed. */
    if (lane->rx != NULL) {
        forget_in(&lane->rx->clock, goes, count);
        forget_in(&lane->rx->kept.floor, goes, count);
    }
}

static void
mark_needed(const struct tulle__lane *lane, bool *goes, size_t count)
{
    if (lane->rx == NULL || !lane->rx->has_need)
        return;
    for (size_t i = 0; i < lane->rx->need.len; i++) {
        if (lane->rx->need.pairs[i].lane < count)
            goes[lane->rx->need.pairs[i].lane] = false;
    }
}

void
tulle__lanes_forget(struct tulle__engine *e)
{
    size_t count = tulle__lane_names_end(e->names);
    if (e->open_head != NULL) /* for lack of memory: its deps point at names */
        return;
    if (count == 0 || !tulle__lanes_reserve(e, (uint32_t)(count - 1)))
        return;
    bool *goes = tulle__alloc(count * sizeof *goes);
    if (goes == NULL)
        return; /* another time */
    for (uint32_t i = 0; i < count; i++)
        goes[i] = tulle__lane_names_is_used(e->names, i) && is_forgettable(e, i);
    for (uint32_t i = 0; i < count; i++)
        mark_needed(&e->lanes[i], goes, count);
    for (uint32_t i = 0; i < count; i++)
        forget_in_lane(&e->lanes[i], goes, count);
    for (uint32_t i = 0; i < count; i++) {
        struct tulle__rx *rx = e->lanes[i].rx;
        if (rx != NULL && !goes[i])
            rx->rounds_over = 0;
        if (!goes[i])
            continue;
        tulle__own_clock_remove(&e->clock, i);
        if (rx != NULL && !may_rx_go(e, rx))
            continue;
        if (rx != NULL)
            tulle__rx_free(e, &e->lanes[i].rx);
        e->lanes[i] = (struct tulle__lane){ 0 };
        tulle__lane_names_release(e->names, i);
    }
    tulle__free(goes);
    e->forget_stamp = e->clock.stamp;
}

bool
tulle__engine_next_lane(struct tulle__engine *e, uint32_t *at, tulle_lane *out)
{
    while (*at < e->lane_cap) {
        uint32_t lane = (*at)++;
        const struct tulle__rx *rx = e->lanes[lane].rx;
        if (rx == NULL || !tulle__lane_policy(e, lane)->is_taken)
            continue;
        *out = (tulle_lane){ .node = rx->node,
                             .node_name = tulle__node_name(e, rx->node),
                             .stream = (const char *)tulle__lane_names_stream(e->names, lane).data,
                             .head = rx->known_head,
                             .delivered = rx->is_active ? rx->next - 1 : 0,
                             .is_begun = rx->is_active };
        return true;
    }
    return false;
}
