/* SPDX-License-Identifier: MPL-2.0 */

/* From snapshot to snapshot. Nodes and lanes are sorted in each: what was known of them is found by
 * walking both side by side. */

#include "tools/top/top_model.h"

#include <stdlib.h>
#include <string.h>

enum {
    BEAT_MS = 1000,         /* of nodes that have not told */
    LINK_VIEW_US = 2000000, /* proxies tell about their links so often */
    QUIET_US = 500000,      /* how much later than expected something may be told */
    STALE_MS = 5000         /* counters that old and older than is usual tell no rate */
};

/* A rate is taken over no less than this part of the span. */
#define SPAN_PART 0.7

void
tulle__top_model_init(struct tulle__top_model *model, int64_t span_ms)
{
    *model = (struct tulle__top_model){ .span_us = span_ms * 1000,
                                        .free_snapshot = tulle_snapshot_free };
}

static void
drop(struct tulle__top_model *model)
{
    tulle__mesh_fini(&model->mesh);
    free(model->nodes);
    free(model->lanes);
    free(model->links);
    if (model->snapshot != NULL)
        model->free_snapshot(&model->snapshot);
}

void
tulle__top_model_fini(struct tulle__top_model *model)
{
    drop(model);
    *model = (struct tulle__top_model){ 0 };
}

static bool
is_over(const tulle_seen_node *node)
{
    return node->state == TULLE_SEEN_GONE || node->state == TULLE_SEEN_LEFT;
}

/* ---- nodes ---- */

static double
per_second(uint64_t before, uint64_t after, double seconds)
{
    return after > before ? (double)(after - before) / seconds : 0;
}

/* The node's own uptime tells how long is between two tellings of its counters. */
static void
rate_node(const struct tulle__top_model *model,
          const tulle_seen_node *seen,
          struct tulle__top_node *node)
{
    const tulle_seen_counters *now = &seen->counters;
    const tulle_seen_counters *base = &node->base;
    if (is_over(seen) || !seen->has_counters) {
        node->rates.is_known = false;
        return;
    }
    if (!node->has_base || now->uptime_ms < base->uptime_ms) {
        node->base = *now;
        node->has_base = true;
        return;
    }
    uint64_t span_ms = now->uptime_ms - base->uptime_ms;
    if (span_ms == 0 || (double)span_ms * 1000 < (double)model->span_us * SPAN_PART) {
        if (seen->counters_ms > STALE_MS + (uint64_t)model->span_us / 1000)
            node->rates.is_known = false;
        return;
    }
    double seconds = (double)span_ms / 1000;
    node->rates = (struct tulle__top_rates){
        .is_known = true,
        .events_published = per_second(base->events_published, now->events_published, seconds),
        .bytes_published = per_second(base->bytes_published, now->bytes_published, seconds),
        .events_delivered = per_second(base->events_delivered, now->events_delivered, seconds),
        .bytes_delivered = per_second(base->bytes_delivered, now->bytes_delivered, seconds),
    };
    node->base = *now;
}

static void
update_node(const struct tulle__top_model *model,
            const tulle_snapshot *snapshot,
            const tulle_seen_node *seen,
            const struct tulle__top_node *before,
            struct tulle__top_node *node)
{
    if (before != NULL) {
        node->base = before->base;
        node->has_base = before->has_base;
        node->rates = before->rates;
        node->gaps_us = before->gaps_us;
        node->bytes_each = before->bytes_each;
    }
    const tulle_seen_counters *now = &seen->counters;
    bool has_more = before != NULL && before->has_base && now->gaps > before->gaps;
    node->gaps = now->gaps;
    if (has_more)
        node->gaps_us = (int64_t)snapshot->mono_us;
    else if ((int64_t)snapshot->mono_us - node->gaps_us > TULLE__TOP_FRESH_US)
        node->gaps_us = 0;
    /* The base is empty at first: the mean since the node's start. */
    const tulle_seen_counters *base = &node->base;
    if (now->events_published > base->events_published)
        node->bytes_each = (double)(now->bytes_published - base->bytes_published) /
                           (double)(now->events_published - base->events_published);
    rate_node(model, seen, node);
}

/* ---- links ---- */

/* The moment that a node's links were told, by its own clock if possible: its counters come with
 * them. */
static int64_t
told_us(const tulle_snapshot *snapshot, const tulle_seen_node *seen)
{
    return seen->has_counters ? (int64_t)seen->counters.uptime_ms * 1000
                              : (int64_t)snapshot->mono_us;
}

static void
rate_link(const struct tulle__top_model *model,
          int64_t now_us,
          const tulle_seen_link *seen,
          struct tulle__top_link *link)
{
    const uint64_t now[4] = { seen->events_out, seen->bytes_out, seen->events_in, seen->bytes_in };
    int64_t span_us = now_us - link->base_us;
    if (memcmp(now, link->base, sizeof now) == 0) {
        if (span_us > 2 * LINK_VIEW_US + QUIET_US) {
            memset(link->rates, 0, sizeof link->rates);
            link->is_known = true;
        }
        return;
    }
    if ((double)span_us < (double)model->span_us * SPAN_PART && link->grown_count > 0)
        return;
    if (link->grown_count > 0) {
        for (size_t i = 0; i < 4; i++)
            link->rates[i] = per_second(link->base[i], now[i], (double)span_us / 1e6);
        link->is_known = true;
    }
    memcpy(link->base, now, sizeof now);
    link->base_us = now_us;
    link->grown_count++;
}

static void
update_links(const struct tulle__top_model *model,
             const tulle_snapshot *snapshot,
             const tulle_seen_node *seen,
             const tulle_seen_node *seen_before,
             const struct tulle__top_link *before,
             struct tulle__top_link *links)
{
    for (size_t i = 0; i < seen->link_count; i++) {
        bool was_there = seen_before != NULL && i < seen_before->link_count &&
                         strcmp(seen_before->links[i].name, seen->links[i].name) == 0;
        if (was_there) {
            links[i] = before[i];
            rate_link(model, told_us(snapshot, seen), &seen->links[i], &links[i]);
            continue;
        }
        const tulle_seen_link *link = &seen->links[i];
        links[i] = (struct tulle__top_link){
            .base = { link->events_out, link->bytes_out, link->events_in, link->bytes_in },
            .base_us = told_us(snapshot, seen),
        };
    }
}

/* ---- lanes ---- */

static uint64_t
beat_ms(const struct tulle__mesh *mesh, size_t node)
{
    uint32_t told = node == SIZE_MAX ? 0 : mesh->snapshot->nodes[node].beat_ms;
    return told > 0 ? told : BEAT_MS;
}

/* A head is told with a beat, at the latest: before it was seen to grow, it stood still no longer
 * than what lies between two looks and a beat. */
static void
rate_lane(const struct tulle__top_model *model,
          const tulle_snapshot *snapshot,
          const tulle_seen_lane *seen,
          int64_t beat_us,
          struct tulle__top_lane *lane)
{
    int64_t now_us = (int64_t)snapshot->mono_us;
    int64_t grown_us = now_us - (int64_t)seen->changed_ms * 1000;
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): what was met was so in a snapshot */
    int64_t look_us = now_us - (int64_t)model->snapshot->mono_us;
    int64_t wait_us = (look_us > beat_us ? look_us : beat_us) * 2 + QUIET_US;
    if (seen->head <= lane->base_head || grown_us <= lane->base_us) {
        if (now_us - grown_us > wait_us) {
            lane->rate = 0;
            lane->is_known = true;
        }
        return;
    }
    int64_t span_us = grown_us - lane->base_us;
    if ((double)span_us < (double)model->span_us * SPAN_PART && lane->is_known && lane->rate > 0)
        return;
    if (span_us > look_us + beat_us + QUIET_US)
        span_us = look_us + beat_us + QUIET_US;
    lane->rate = per_second(lane->base_head, seen->head, (double)span_us / 1e6);
    lane->is_known = true;
    lane->base_head = seen->head;
    lane->base_us = grown_us;
}

static void
update_lane(const struct tulle__top_model *model,
            const tulle_snapshot *snapshot,
            const tulle_seen_lane *seen,
            int64_t beat_us,
            struct tulle__top_lane *lane)
{
    if (!lane->is_met) {
        lane->is_met = true;
        lane->base_head = seen->head;
        lane->base_us = (int64_t)snapshot->mono_us - (int64_t)seen->changed_ms * 1000;
        if (seen->head == 0 || (int64_t)seen->changed_ms * 1000 > 2 * beat_us + QUIET_US)
            lane->is_known = true; /* it is idle */
    } else {
        rate_lane(model, snapshot, seen, beat_us, lane);
    }
    lane->kept_first = 0;
    for (size_t i = 0; i < seen->holder_count; i++) {
        uint64_t first = seen->holders[i].first;
        if (lane->kept_first == 0 || first < lane->kept_first)
            lane->kept_first = first;
    }
}

/* ---- who lags ---- */

static void
add_lag(struct tulle__top_lag *lag, size_t lane, uint64_t events, uint64_t behind_ms)
{
    lag->lane_count++;
    lag->events += events;
    if (events > lag->worst) {
        lag->worst = events;
        lag->lane = lane;
    }
    if (behind_ms > lag->behind_ms)
        lag->behind_ms = behind_ms;
}

uint64_t
tulle__top_behind_ms(const struct tulle__top_model *model, size_t lane, uint64_t lag)
{
    const struct tulle__top_lane *state = &model->lanes[lane];
    uint64_t idle_ms = model->snapshot->lanes[lane].changed_ms;
    if (lag == 0)
        return 0;
    if (!state->is_known || state->rate <= 0)
        return idle_ms;
    double ms = (double)lag / state->rate * 1000;
    uint64_t by_rate = ms < 1e15 ? (uint64_t)ms : (uint64_t)1e15;
    return by_rate > idle_ms ? by_rate : idle_ms;
}

static void
judge_lane(struct tulle__top_model *model, size_t index)
{
    const tulle_seen_lane *seen = &model->snapshot->lanes[index];
    struct tulle__top_lane *lane = &model->lanes[index];
    struct tulle__top_totals *totals = &model->totals;
    lane->lag = (struct tulle__top_lag){ .lane = SIZE_MAX };
    lane->worst_taker = SIZE_MAX;
    for (size_t i = 0; i < seen->taker_count; i++) {
        uint64_t lag = tulle__mesh_lag(seen, &seen->takers[i]);
        uint64_t behind_ms = tulle__top_behind_ms(model, index, lag);
        size_t taker = tulle__mesh_find(&model->mesh, seen->takers[i].node);
        if (lag > lane->lag.worst)
            lane->worst_taker = i;
        add_lag(&lane->lag, index, lag, behind_ms);
        if (taker != SIZE_MAX)
            add_lag(&model->nodes[taker].lag, index, lag, behind_ms);
        if (lag > totals->worst.worst)
            totals->worst_node = seen->takers[i].node;
        add_lag(&totals->worst, index, lag, behind_ms);
    }
}

double
tulle__top_lane_bytes(const struct tulle__top_model *model, size_t lane)
{
    size_t node = tulle__mesh_find(&model->mesh, model->snapshot->lanes[lane].node);
    if (node == SIZE_MAX || !model->lanes[lane].is_known)
        return -1;
    double each = model->nodes[node].bytes_each;
    if (each <= 0)
        return model->lanes[lane].rate > 0 ? -1 : 0;
    return model->lanes[lane].rate * each;
}

/* ---- all together ---- */

static void
count_node(struct tulle__top_totals *totals,
           const tulle_seen_node *seen,
           const struct tulle__top_node *node)
{
    totals->up += seen->state == TULLE_SEEN_UP;
    totals->suspect += seen->state == TULLE_SEEN_SUSPECT;
    totals->gone += seen->state == TULLE_SEEN_GONE;
    totals->left += seen->state == TULLE_SEEN_LEFT;
    totals->named += seen->state == TULLE_SEEN_NAMED;
    totals->proxies += seen->is_proxy && !is_over(seen);
    if (seen->has_counters) {
        totals->gaps += seen->counters.gaps;
        totals->events_lost += seen->counters.events_given_up;
        totals->dropped += seen->counters.dropped;
    }
    totals->has_fresh_gaps = totals->has_fresh_gaps || node->gaps_us > 0;
    if (is_over(seen))
        return;
    totals->held_now += seen->has_counters ? seen->counters.held_now : 0;
    if (node->rates.is_known) {
        totals->rates.is_known = true;
        totals->rates.events_published += node->rates.events_published;
        totals->rates.bytes_published += node->rates.bytes_published;
        totals->rates.events_delivered += node->rates.events_delivered;
        totals->rates.bytes_delivered += node->rates.bytes_delivered;
    }
}

static void
judge(struct tulle__top_model *model)
{
    const tulle_snapshot *s = model->snapshot;
    struct tulle__top_totals *totals = &model->totals;
    *totals = (struct tulle__top_totals){ .worst.lane = SIZE_MAX,
                                          .lanes = s->lane_count,
                                          .segments = s->segment_count };
    for (size_t i = 0; i < s->node_count; i++) {
        model->nodes[i].lag = (struct tulle__top_lag){ .lane = SIZE_MAX };
        if (!s->nodes[i].is_self)
            count_node(totals, &s->nodes[i], &model->nodes[i]);
    }
    for (size_t i = 0; i < s->lane_count; i++) {
        totals->streams += i == 0 || strcmp(s->lanes[i].stream, s->lanes[i - 1].stream) != 0;
        judge_lane(model, i);
    }
}

static void
carry_nodes(const struct tulle__top_model *old, struct tulle__top_model *fresh)
{
    const tulle_snapshot *before = old->snapshot;
    size_t at = 0;
    size_t links = 0;
    for (size_t i = 0; i < fresh->snapshot->node_count; i++) {
        const tulle_seen_node *seen = &fresh->snapshot->nodes[i];
        while (before != NULL && at < before->node_count && before->nodes[at].id < seen->id)
            at++;
        bool is_there =
            before != NULL && at < before->node_count && before->nodes[at].id == seen->id;
        update_node(fresh, fresh->snapshot, seen, is_there ? &old->nodes[at] : NULL,
                    &fresh->nodes[i]);
        fresh->nodes[i].links = links;
        update_links(fresh, fresh->snapshot, seen, is_there ? &before->nodes[at] : NULL,
                     is_there ? &old->links[old->nodes[at].links] : NULL, &fresh->links[links]);
        links += seen->link_count;
    }
}

static int
compare_lanes(const tulle_seen_lane *left, const tulle_seen_lane *right)
{
    int order = strcmp(left->stream, right->stream);
    return order != 0 ? order : (left->node > right->node) - (left->node < right->node);
}

static void
carry_lanes(const struct tulle__top_model *old, struct tulle__top_model *fresh)
{
    const tulle_snapshot *before = old->snapshot;
    size_t at = 0;
    for (size_t i = 0; i < fresh->snapshot->lane_count; i++) {
        const tulle_seen_lane *seen = &fresh->snapshot->lanes[i];
        while (before != NULL && at < before->lane_count &&
               compare_lanes(&before->lanes[at], seen) < 0)
            at++;
        if (before != NULL && at < before->lane_count &&
            compare_lanes(&before->lanes[at], seen) == 0)
            fresh->lanes[i] = old->lanes[at];
        size_t publisher = tulle__mesh_find(&fresh->mesh, seen->node);
        update_lane(old, fresh->snapshot, seen, (int64_t)beat_ms(&fresh->mesh, publisher) * 1000,
                    &fresh->lanes[i]);
    }
}

static size_t
count_links(const tulle_snapshot *snapshot)
{
    size_t count = 0;
    for (size_t i = 0; i < snapshot->node_count; i++)
        count += snapshot->nodes[i].link_count;
    return count;
}

bool
tulle__top_model_feed(struct tulle__top_model *model, const tulle_snapshot **snapshot)
{
    struct tulle__top_model fresh = { .span_us = model->span_us,
                                      .free_snapshot = model->free_snapshot,
                                      .feeds = model->feeds + 1,
                                      .link_count = count_links(*snapshot) };
    fresh.nodes = calloc((*snapshot)->node_count + 1, sizeof *fresh.nodes);
    fresh.lanes = calloc((*snapshot)->lane_count + 1, sizeof *fresh.lanes);
    fresh.links = calloc(fresh.link_count + 1, sizeof *fresh.links);
    bool has_mesh = tulle__mesh_init(&fresh.mesh, *snapshot);
    if (!has_mesh || fresh.nodes == NULL || fresh.lanes == NULL || fresh.links == NULL) {
        drop(&fresh);
        return false;
    }
    fresh.snapshot = *snapshot;
    *snapshot = NULL;
    carry_nodes(model, &fresh);
    carry_lanes(model, &fresh);
    judge(&fresh);
    drop(model);
    *model = fresh;
    return true;
}

bool
tulle__top_model_is_settled(const struct tulle__top_model *model, bool has_links)
{
    const tulle_snapshot *s = model->snapshot;
    if (s == NULL)
        return false;
    for (size_t i = 0; i < s->node_count; i++) {
        const tulle_seen_node *node = &s->nodes[i];
        bool can_be = node->state == TULLE_SEEN_UP && node->has_counters && !node->is_self;
        if (can_be && !model->nodes[i].rates.is_known)
            return false;
    }
    for (size_t i = 0; i < s->lane_count; i++) {
        if (!model->lanes[i].is_known)
            return false;
    }
    for (size_t i = 0; has_links && i < model->link_count; i++) {
        if (!model->links[i].is_known)
            return false;
    }
    return true;
}
