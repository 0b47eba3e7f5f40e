/* SPDX-License-Identifier: MPL-2.0 */
/* The oracle's rules.
 *
 * What an event depends on is its publisher's whole past. Two things limit what a
 * consumer can be asked to respect. Where a range of a lane is lost for good and
 * its publisher cannot be asked, or the consumer said that nobody told it what came
 * before, it cannot know what those events depended on: from then on only what later
 * events add is known of that lane. And
 * an event published with only_causes depends on its causes, their pasts, and its
 * lane. Everything else is strict. */

#include "oracle_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "name:stream" for messages. */
struct lane_text {
    char text[96];
};

static struct lane_text
lane_name(const struct oracle *oracle, size_t lane)
{
    struct lane_text out;
    uint32_t node = oracle_lane_node(lane);
    (void)snprintf(out.text, sizeof out.text, "%.30s#%" PRIu32 ":%.40s", oracle->nodes[node].name,
                   node, oracle_stream_name(oracle, oracle_lane_stream(lane)));
    return out;
}

static void
node_fail(struct oracle *oracle, uint32_t node, size_t lane, uint64_t seq, const char *what)
{
    oracle_fail(oracle, "%s#%" PRIu32 ": %s: event %" PRIu64 " of %s", oracle->nodes[node].name,
                node, what, seq, lane_name(oracle, lane).text);
}

static bool
is_promise_kept(const struct oracle *oracle,
                const struct oracle_node *node,
                const struct oracle_seen *seen,
                size_t lane,
                uint64_t first)
{
    if (seen->promised != 0 && first > seen->promised)
        return false;
    bool is_live = oracle->nodes[oracle_lane_node(lane)].is_live;
    return node->from[oracle_lane_stream(lane)] != TULLE_FROM_EARLIEST || first == 1 ||
           oracle->rules.can_evict || oracle->is_rough || !is_live;
}

/* The lane moves on in order: first..last is the next of it. */
static bool
advance(struct oracle *oracle, uint32_t index, size_t lane, uint64_t first, uint64_t last)
{
    struct oracle_node *node = &oracle->nodes[index];
    struct oracle_seen *seen = oracle_seen_get(oracle, index, lane);
    tulle_order order = node->order[oracle_lane_stream(lane)];
    if (oracle_runs_overlap(&seen->delivered, first, last)) {
        node_fail(oracle, index, lane, first, "delivered twice, or lost after delivery");
        return false;
    }
    if (oracle_runs_overlap(&seen->gaps, first, last)) {
        node_fail(oracle, index, lane, first, "came after it was given up");
        return false;
    }
    if (order == TULLE_ORDER_NONE) {
        seen->is_begun = true;
        return true;
    }
    if (!seen->is_begun) {
        if (!is_promise_kept(oracle, node, seen, lane, first)) {
            node_fail(oracle, index, lane, first, "events were skipped: the first here is");
            return false;
        }
        if (order == TULLE_ORDER_CAUSAL && seen->cited >= first) {
            oracle_fail(
                oracle,
                "%s#%" PRIu32 ": event %" PRIu64 " of %s was delivered before event %" PRIu64
                " of %s, with which that lane begins here and on which it depends",
                node->name, index, seen->citing_seq, lane_name(oracle, seen->citing_lane).text,
                first, lane_name(oracle, lane).text);
            return false;
        }
        seen->is_begun = true;
        seen->position = first - 1;
    }
    if (first <= seen->position) {
        node_fail(oracle, index, lane, first, "out of order, or before the start");
        return false;
    }
    if (first > seen->position + 1) {
        node_fail(oracle, index, lane, first, "a hole before it was never reported");
        return false;
    }
    seen->position = last;
    return true;
}

/* ---- causality ---- */

/* Can the publisher have told of the lane's event before: as one that was over when it
 * began with that lane, or because it knew more of it than is certain here? Then it is
 * not certain that later deltas name it. */
static bool
is_told_before(const struct oracle *oracle, uint32_t publisher, size_t lane, uint64_t seq)
{
    const struct oracle_node *node = &oracle->nodes[publisher];
    const struct oracle_seen *seen = oracle_seen_find(oracle, publisher, lane);
    bool is_taken = node->order[oracle_lane_stream(lane)] != 0 || node->has_resubscribed;
    if (node->knows_partly)
        return true;
    return is_taken && (seen == NULL || !oracle_runs_overlap(&seen->delivered, seq, seq));
}

/* What the node can know that the event depends on. */
static const struct oracle_vector *
known_past(struct oracle *oracle, uint32_t index, size_t lane, uint64_t seq)
{
    struct oracle_seen *seen = oracle_seen_get(oracle, index, lane);
    const struct oracle_lane *events =
        &oracle->nodes[oracle_lane_node(lane)].lanes[oracle_lane_stream(lane)];
    const struct oracle_vector *past = &events->events[seq - 1].past;
    if (!seen->is_known_partial)
        return past;
    const struct oracle_vector *before = seq > 1 ? &events->events[seq - 2].past : NULL;
    for (size_t i = 0; i < past->len; i++) {
        if ((before == NULL || past->counts[i] > oracle_vector_get(before, i)) &&
            !is_told_before(oracle, oracle_lane_node(lane), i, past->counts[i]))
            oracle_vector_raise(&seen->known, i, past->counts[i]);
    }
    return &seen->known;
}

/* Was everything in the past that the node takes delivered, or reported, before? */
static bool
is_past_there(struct oracle *oracle,
              uint32_t index,
              size_t lane,
              uint64_t seq,
              const struct oracle_vector *past)
{
    const struct oracle_node *node = &oracle->nodes[index];
    for (size_t i = 0; i < past->len; i++) {
        uint64_t count = past->counts[i];
        if (count == 0 || i == lane || oracle_lane_node(i) == index ||
            node->order[oracle_lane_stream(i)] < TULLE_ORDER_FIFO)
            continue;
        struct oracle_seen *seen = oracle_seen_get(oracle, index, i);
        if (seen->is_begun && seen->position < count) {
            oracle_fail(oracle,
                        "%s#%" PRIu32 ": event %" PRIu64
                        " of %s was delivered before event %" PRIu64 " of %s, on which it depends",
                        node->name, index, seq, lane_name(oracle, lane).text, seen->position + 1,
                        lane_name(oracle, i).text);
            return false;
        }
        /* Not begun: then it must begin after what is cited. */
        if (!seen->is_begun && seen->cited < count) {
            seen->cited = count;
            seen->citing_lane = lane;
            seen->citing_seq = seq;
        }
    }
    return true;
}

/* The lane's past is not wholly known from first on; what was known stays. */
static void
forget_past(struct oracle *oracle, uint32_t index, size_t lane, uint64_t first)
{
    struct oracle_seen *seen = oracle_seen_get(oracle, index, lane);
    if (seen->is_known_partial)
        return;
    seen->is_known_partial = true;
    oracle->nodes[index].knows_partly = true;
    const struct oracle_lane *events =
        &oracle->nodes[oracle_lane_node(lane)].lanes[oracle_lane_stream(lane)];
    if (first > 1 && oracle_runs_overlap(&seen->delivered, first - 1, first - 1))
        oracle_vector_copy(&seen->known, &events->events[first - 2].past);
}

/* ---- deliveries ---- */

static bool
find_event(struct oracle *oracle,
           uint32_t index,
           const struct oracle_delivery *delivery,
           struct oracle_ref *ref)
{
    uint32_t publisher = oracle_node_find(oracle, delivery->publisher);
    uint32_t stream = oracle_stream_find(oracle, delivery->stream.data, delivery->stream.len);
    if (publisher == UINT32_MAX || stream == UINT32_MAX || delivery->seq == 0 ||
        delivery->seq > oracle->nodes[publisher].lanes[stream].len) {
        oracle_fail(oracle,
                    "%s#%" PRIu32 ": event %" PRIu64 " of %016" PRIx64 ":%.*s was never published",
                    oracle->nodes[index].name, index, delivery->seq, delivery->publisher,
                    (int)delivery->stream.len, (const char *)delivery->stream.data);
        return false;
    }
    *ref = (struct oracle_ref){ publisher, stream, (uint32_t)delivery->seq };
    size_t lane = oracle_lane_index(publisher, stream);
    if (publisher == index || oracle->nodes[index].order[stream] == 0) {
        node_fail(oracle, index, lane, delivery->seq, "delivered what is not taken");
        return false;
    }
    return true;
}

static bool
is_topic_right(const char *topic, struct tulle__view stream, struct tulle__view rest)
{
    size_t len = strlen(topic);
    if (len < stream.len || memcmp(topic, stream.data, stream.len) != 0)
        return false;
    if (rest.len == 0)
        return len == stream.len;
    return len == stream.len + 1 + rest.len && topic[stream.len] == '/' &&
           memcmp(topic + stream.len + 1, rest.data, rest.len) == 0;
}

static bool
is_intact(const struct oracle_event *event, const struct oracle_delivery *delivery)
{
    if (!is_topic_right(event->topic, delivery->stream, delivery->rest))
        return false;
    return event->payload_len == delivery->payload.len &&
           (event->payload_len == 0 ||
            memcmp(event->payload, delivery->payload.data, event->payload_len) == 0);
}

bool
oracle_delivered(struct oracle *oracle,
                 uint32_t node_index,
                 const struct oracle_delivery *delivery,
                 struct oracle_ref *ref)
{
    if (!find_event(oracle, node_index, delivery, ref))
        return false;
    struct oracle_node *node = &oracle->nodes[node_index];
    size_t lane = oracle_lane_index(ref->node, ref->stream);
    const struct oracle_event *event =
        &oracle->nodes[ref->node].lanes[ref->stream].events[ref->seq - 1];
    if (!is_intact(event, delivery)) {
        node_fail(oracle, node_index, lane, ref->seq, "contents changed");
        return false;
    }
    if (!advance(oracle, node_index, lane, ref->seq, ref->seq))
        return false;
    struct oracle_seen *seen = oracle_seen_get(oracle, node_index, lane);
    if (node->order[ref->stream] == TULLE_ORDER_NONE)
        seen->is_known_partial = node->knows_partly = true;
    if (seen->clockless != 0 && ref->seq >= seen->clockless)
        forget_past(oracle, node_index, lane, ref->seq);
    const struct oracle_vector *past = known_past(oracle, node_index, lane, ref->seq);
    if (node->order[ref->stream] == TULLE_ORDER_CAUSAL &&
        !is_past_there(oracle, node_index, lane, ref->seq, past))
        return false;
    oracle_vector_merge(&node->past, past);
    oracle_vector_raise(&node->past, lane, ref->seq);
    oracle_runs_add(&seen->delivered, ref->seq, ref->seq);
    oracle->delivered++;
    return true;
}

/* ---- gaps ---- */

void
oracle_clock_given_up(struct oracle *oracle,
                      uint32_t node_index,
                      uint64_t publisher,
                      const char *stream,
                      uint64_t next)
{
    uint32_t node = oracle_node_find(oracle, publisher);
    uint32_t at = oracle_stream_find(oracle, stream, strlen(stream));
    if (node == UINT32_MAX || at == UINT32_MAX || oracle->nodes[node_index].order[at] == 0 ||
        next < 2) {
        oracle_fail(oracle, "%s#%" PRIu32 ": gave the clock of a strange lane up",
                    oracle->nodes[node_index].name, node_index);
        return;
    }
    struct oracle_seen *seen = oracle_seen_get(oracle, node_index, oracle_lane_index(node, at));
    seen->clockless = next; /* what was delivered before is told after this */
    oracle->clocks_given_up++;
}

void
oracle_gap(struct oracle *oracle, uint32_t node_index, const tulle_gap *gap)
{
    uint32_t publisher = oracle_node_find(oracle, gap->node);
    uint32_t stream = oracle_stream_find(oracle, gap->stream, strlen(gap->stream));
    if (publisher == UINT32_MAX || stream == UINT32_MAX || gap->first == 0 ||
        gap->first > gap->last || gap->last > oracle->nodes[publisher].lanes[stream].len) {
        oracle_fail(oracle,
                    "%s#%" PRIu32 ": gap %" PRIu64 "..%" PRIu64 " of %016" PRIx64
                    ":%s, where no such events are",
                    oracle->nodes[node_index].name, node_index, gap->first, gap->last, gap->node,
                    gap->stream);
        return;
    }
    size_t lane = oracle_lane_index(publisher, stream);
    if (oracle->nodes[node_index].order[stream] == 0) {
        node_fail(oracle, node_index, lane, gap->first, "a gap where nothing is taken");
        return;
    }
    if (oracle->rules.is_gap_wrong && gap->reason != TULLE_GAP_BEST_EFFORT) {
        node_fail(oracle, node_index, lane, gap->first,
                  "given up, though nothing was lost for good");
        return;
    }
    bool is_live = oracle->nodes[publisher].is_live;
    if (gap->reason == TULLE_GAP_EVICTED && !oracle->rules.can_evict && is_live &&
        !oracle->is_rough) {
        node_fail(oracle, node_index, lane, gap->first,
                  "called evicted, but its publisher keeps it");
        return;
    }
    if (gap->reason == TULLE_GAP_WITHHELD && !oracle->rules.can_withhold) {
        node_fail(oracle, node_index, lane, gap->first, "withheld, though everything may pass");
        return;
    }
    if (!advance(oracle, node_index, lane, gap->first, gap->last))
        return;
    struct oracle_seen *seen = oracle_seen_get(oracle, node_index, lane);
    oracle_runs_add(&seen->gaps, gap->first, gap->last);
    oracle->gaps++;
    if (!oracle->rules.keeps_next)
        forget_past(oracle, node_index, lane, gap->first);
}

/* ---- memory ---- */

void
oracle_memory(struct oracle *oracle,
              uint32_t node_index,
              const tulle_counters *counters,
              const struct oracle_limits *limits)
{
    if (counters->held_now > limits->held_bytes) {
        oracle_fail(oracle, "%s#%" PRIu32 ": holds %" PRIu64 " bytes, more than %" PRIu64,
                    oracle->nodes[node_index].name, node_index, counters->held_now,
                    limits->held_bytes);
    }
    if (counters->retained_now > limits->retained_bytes) {
        oracle_fail(oracle, "%s#%" PRIu32 ": retains %" PRIu64 " bytes, more than %" PRIu64,
                    oracle->nodes[node_index].name, node_index, counters->retained_now,
                    limits->retained_bytes);
    }
}

/* ---- at rest ---- */

/* How far a lane can be had by everybody: what a live publisher published, or
 * the most that any live consumer of a dead one's has. */
static uint64_t
reachable_head(const struct oracle *oracle, size_t lane)
{
    const struct oracle_node *publisher = &oracle->nodes[oracle_lane_node(lane)];
    if (publisher->is_live)
        return publisher->lanes[oracle_lane_stream(lane)].len;
    uint64_t head = 0;
    for (uint32_t i = 0; i < oracle->node_count; i++) {
        const struct oracle_seen *seen = oracle_seen_find(oracle, i, lane);
        if (!oracle->nodes[i].is_live || seen == NULL || seen->delivered.len == 0 ||
            oracle->nodes[i].order[oracle_lane_stream(lane)] < TULLE_ORDER_FIFO)
            continue;
        uint64_t last = seen->delivered.items[seen->delivered.len - 1].last;
        if (last > head)
            head = last;
    }
    return head;
}

/* In arrival order: from the first that was seen, everything came or was reported. */
static bool
is_unordered_met(const struct oracle_seen *seen, uint64_t head, bool is_live)
{
    struct oracle_runs both = { 0 };
    for (size_t i = 0; i < seen->delivered.len; i++)
        oracle_runs_add(&both, seen->delivered.items[i].first, seen->delivered.items[i].last);
    for (size_t i = 0; i < seen->gaps.len; i++)
        oracle_runs_add(&both, seen->gaps.items[i].first, seen->gaps.items[i].last);
    bool is_met = both.len <= 1 && (!is_live || both.len == 0 || both.items[0].last >= head);
    oracle_runs_clear(&both);
    return is_met;
}

static bool
is_lane_met(const struct oracle *oracle, uint32_t index, size_t lane, uint64_t head)
{
    static const struct oracle_seen nothing;
    const struct oracle_node *node = &oracle->nodes[index];
    bool is_publisher_live = oracle->nodes[oracle_lane_node(lane)].is_live;
    uint32_t stream = oracle_lane_stream(lane);
    const struct oracle_seen *seen = oracle_seen_find(oracle, index, lane);
    if (seen == NULL)
        seen = &nothing;
    if (node->order[stream] == TULLE_ORDER_NONE)
        return is_unordered_met(seen, head, is_publisher_live);
    if (seen->is_begun)
        return seen->position >= head;
    if (seen->promised != 0 && seen->promised <= head)
        return false;
    return node->from[stream] != TULLE_FROM_EARLIEST || head == 0 || oracle->rules.can_evict;
}

bool
oracle_unmet(const struct oracle *oracle, char why[static ORACLE_TEXT_MAX])
{
    size_t lane_count = oracle->node_count * ORACLE_STREAMS_MAX;
    for (size_t lane = 0; lane < lane_count; lane++) {
        if (oracle->nodes[oracle_lane_node(lane)].lanes[oracle_lane_stream(lane)].len == 0)
            continue;
        uint64_t head = reachable_head(oracle, lane);
        for (uint32_t i = 0; i < oracle->node_count; i++) {
            const struct oracle_node *node = &oracle->nodes[i];
            if (!node->is_live || i == oracle_lane_node(lane) ||
                node->order[oracle_lane_stream(lane)] == 0 || is_lane_met(oracle, i, lane, head))
                continue;
            const struct oracle_seen *seen = oracle_seen_find(oracle, i, lane);
            (void)snprintf(why, ORACLE_TEXT_MAX,
                           "%s#%" PRIu32 " is at %" PRIu64 " of %" PRIu64 " events of %s (%s)",
                           node->name, i, seen == NULL ? 0 : seen->position, head,
                           lane_name(oracle, lane).text,
                           oracle->nodes[oracle_lane_node(lane)].is_live ? "live" : "dead");
            return true;
        }
    }
    return false;
}
