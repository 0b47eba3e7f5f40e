/* SPDX-License-Identifier: MPL-2.0 */
/* What leaves a lane: deliveries, and notices of what arrived, came twice or is
 * lost. Delivering moves the node's clock; nothing else of others' does. */

#include "base/alloc.h"
#include "base/panic.h"
#include "clock/wire.h"
#include "delivery/internal.h"
#include "delivery/observe.h"

static bool
fill_delivery(struct tulle__engine *e,
              const struct tulle__rx *rx,
              const struct tulle__held *held,
              enum tulle__action_kind kind,
              struct tulle__delivery **out)
{
    struct tulle__action *action = tulle__action_push(e, kind);
    if (action == NULL)
        return false;
    struct tulle__delivery *delivery = &action->u.delivery;
    *delivery = (struct tulle__delivery){
        .body = tulle__buf_ref(held->buf),
        .batch = held->batch,
        .stream = tulle__lane_names_stream(e->names, rx->lane),
        .node_name = tulle__node_name(e, rx->node),
        .first = held->first,
        .last = held->last,
        .hops = held->hops,
        .arrived_us = held->arrived_us,
        .held_us = (e->now.mono.ns - held->arrived_ns) / 1000,
        .is_repaired = held->is_repaired,
    };
    *out = delivery;
    return true;
}

void
tulle__tell_arrival(struct tulle__engine *e,
                    struct tulle__rx *rx,
                    const struct tulle__held *held,
                    enum tulle__action_kind kind,
                    bool is_late)
{
    struct tulle__delivery *delivery;
    if (!fill_delivery(e, rx, held, kind, &delivery))
        return;
    delivery->is_late = is_late;
    if (kind == TULLE__ACTION_ARRIVAL && rx->is_active && delivery->first < rx->next)
        delivery->first = rx->next; /* the rest was delivered already */
}

/* The lane's clock in wire form, for those who show it. */
static struct tulle__buf *
encode_clock(struct tulle__engine *e, const struct tulle__rx *rx)
{
    size_t count = tulle__deps_from_clock(e, &rx->clock, rx->lane);
    if (count == SIZE_MAX)
        return NULL;
    tulle__writer_reset(&e->body);
    tulle__write_clock(&e->body, e->deps, count);
    return tulle__writer_take(&e->body);
}

/* The node has now seen what the batch depends on. Entries that find no place any
 * more are counted (dropped_table_full) and left out; own lanes are known best here.
 * False: no memory. */
static bool
merge_past(struct tulle__engine *e, struct tulle__rx *rx, struct tulle__clock_view deps)
{
    uint64_t left_out = tulle__clock_merge_wire(&rx->clock, e->names, deps);
    if (left_out > 0 && !tulle__lanes_are_full(e))
        return false;
    e->counters.dropped_table_full += left_out;
    struct tulle__dep dep;
    while (tulle__clock_view_next(&deps, &dep)) {
        if (dep.node == e->config.id)
            continue;
        uint32_t lane = tulle__lane_intern(e, dep.node, dep.stream);
        if (lane != TULLE__LANE_NONE && !tulle__own_clock_raise(&e->clock, lane, dep.count))
            return false;
        if (lane == TULLE__LANE_NONE && !tulle__lanes_are_full(e))
            return false;
    }
    return true;
}

static bool
merge_need(struct tulle__engine *e, struct tulle__rx *rx)
{
    if (!rx->has_need)
        return true;
    for (size_t i = 0; i < rx->need.len; i++) {
        if (tulle__lane_names_node(e->names, rx->need.pairs[i].lane) == e->config.id)
            continue;
        if (!tulle__own_clock_raise(&e->clock, rx->need.pairs[i].lane, rx->need.pairs[i].count))
            return false;
    }
    return tulle__clock_merge(&rx->clock, &rx->need);
}

/* What is raised before it fails stays so: it names more than need be, never less. */
bool
tulle__deliver_prepare(struct tulle__engine *e,
                       struct tulle__rx *rx,
                       const struct tulle__held *held)
{
    bool is_good = tulle__actions_reserve(e) && tulle__lanes_reserve(e, rx->lane) &&
                   merge_need(e, rx) && merge_past(e, rx, held->batch.deps);
    if (!is_good)
        e->lacks_memory = true;
    return is_good;
}

static void
keep_for_others(struct tulle__engine *e, struct tulle__rx *rx, const struct tulle__held *held)
{
    if (e->config.retain_others_bytes == 0)
        return;
    if (rx->kept.len > 0 && tulle__kept_last(&rx->kept) >= held->first)
        return; /* it overlaps what is kept: sliced anew by somebody on the way */
    if (rx->kept.bytes_total == 0 && rx->kept.is_floor_known &&
        !tulle__clock_merge(&rx->kept.floor, &rx->need))
        rx->kept.is_floor_known = false;
    struct tulle__keep keep = { .buf = held->buf,
                                .first = held->first,
                                .last = held->last,
                                .has_deps = held->batch.deps.count > 0 };
    tulle__kept_append(&e->others_store, &rx->kept, &keep, e->now.mono);
}

/* The last that the batch waited for: a dependency of its own, else of the lane's start. */
static struct tulle__dep
last_waited(const struct tulle__engine *e,
            const struct tulle__rx *rx,
            const struct tulle__held *held)
{
    if (held->waited.count > 0 || !rx->has_need || rx->need_waited == 0)
        return held->waited;
    const struct tulle__clock_pair pair = rx->need.pairs[rx->need_waited - 1];
    return (struct tulle__dep){ tulle__lane_names_node(e->names, pair.lane),
                                tulle__lane_names_stream(e->names, pair.lane), pair.count };
}

void
tulle__deliver(struct tulle__engine *e,
               struct tulle__rx *rx,
               struct tulle__held *held,
               uint64_t next)
{
    uint64_t first = held->first < rx->next ? rx->next : held->first;
    if (first > held->last)
        first = held->first; /* only by a mutation: a duplicate on purpose */
    /* A copy: naming the lanes of deps may move the table it is in. */
    const struct tulle__policy policy = *tulle__lane_policy(e, rx->lane);
    if (policy.order != TULLE_ORDER_NONE && next > held->last)
        keep_for_others(e, rx, held);
    const struct tulle__dep waited = last_waited(e, rx, held);
    if (rx->has_need) {
        rx->has_need = false;
        rx->need_waited = 0;
        tulle__clock_fini(&rx->need);
    }
    /* In arrival order too: what is published from now on may depend on this event,
     * though one before it is missing here. */
    if (!tulle__own_clock_raise(&e->clock, rx->lane, held->last))
        e->counters.dropped_table_full++;
    struct tulle__delivery *delivery;
    if (fill_delivery(e, rx, held, TULLE__ACTION_DELIVER, &delivery)) {
        delivery->first = first;
        delivery->waited = waited;
        delivery->is_arrival_order = policy.order == TULLE_ORDER_NONE;
        if (policy.wants_clock)
            delivery->clock = encode_clock(e, rx);
    }
    e->counters.events_delivered += held->last - first + 1;
    e->counters.bytes_delivered += held->buf->len;
    if (!held->is_repaired)
        tulle__tally_delay(e, e->now.wall.us - (int64_t)(held->batch.base_hlc >> 12),
                           held->last - first + 1);
    if (e->now.mono.ns > held->arrived_ns)
        e->counters.events_held += held->last - first + 1;
    bool has_moved = next > rx->next;
    tulle__rx_advance(e, rx, next);
    if (has_moved) /* in arrival order a hole stays where it is */
        tulle__repair_progress(e, rx);
    e->delivered_bytes += held->buf->len;
    tulle__beat_soon(e);
    if (e->delivered_bytes >= TULLE__ACK_BYTES && !e->is_leaving)
        e->beat_soon_ns = e->now.mono.ns;
}

void
tulle__tell_gap(struct tulle__engine *e,
                struct tulle__rx *rx,
                uint64_t first,
                uint64_t last,
                tulle_gap_reason reason)
{
    TULLE_ASSERT(first <= last);
    rx->gap_first = first;
    rx->gap_last = last;
    e->counters.gaps++;
    e->counters.events_given_up += last - first + 1;
    struct tulle__view stream = tulle__lane_names_stream(e->names, rx->lane);
    tulle__log(&e->config.log, TULLE_LOG_WARN, "delivery.gap",
               "node=%016llx name=%s stream=%s first=%llu last=%llu reason=%d",
               (unsigned long long)rx->node, tulle__node_name(e, rx->node),
               (const char *)stream.data, (unsigned long long)first, (unsigned long long)last,
               (int)reason);
    if (e->config.mutation == TULLE__MUTATION_SILENT_GAPS)
        return;
    struct tulle__action *action = tulle__action_push(e, TULLE__ACTION_GAP);
    if (action == NULL)
        return;
    action->u.gap = (struct tulle_gap){ .node = rx->node,
                                        .node_name = tulle__node_name(e, rx->node),
                                        .stream = (const char *)stream.data,
                                        .first = first,
                                        .last = last,
                                        .reason = reason };
}
