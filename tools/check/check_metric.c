/* SPDX-License-Identifier: MPL-2.0 */

/* Numbers made of a snapshot, and judged. Each node adds samples to the metrics, which are their
 * sum or the highest of them; the samples tell afterwards who it is. */

#include "tools/check/check_metric.h"

#include <tulle/topic.h>

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static const struct tulle__metric_info infos[] = {
#define ROW(NAME, name, unit, warning, critical, how, help) \
    { (name), (unit), (warning), (critical), (help), TULLE__METRIC_##how },
    TULLE__METRIC_MAP(ROW)
#undef ROW
};

const struct tulle__metric_info *
tulle__metric_info(enum tulle__metric metric)
{
    return &infos[metric];
}

/* ---- what is looked at ---- */

static bool
matches_any(const struct tulle__list *patterns, const char *name)
{
    for (size_t i = 0; i < patterns->count; i++) {
        if (fnmatch(patterns->items[i], name, 0) == 0)
            return true;
    }
    return false;
}

bool
tulle__check_has_node(const struct tulle__check_scope *scope, const tulle_seen_node *node)
{
    return !node->is_self && (scope->nodes.count == 0 || matches_any(&scope->nodes, node->name)) &&
           !matches_any(&scope->excludes, node->name);
}

bool
tulle__check_has_stream(const struct tulle__check_scope *scope, const char *stream)
{
    for (size_t i = 0; i < scope->streams.count; i++) {
        if (tulle_pattern_matches(scope->streams.items[i], stream))
            return true;
    }
    return scope->streams.count == 0;
}

/* ---- measuring ---- */

struct measure {
    const tulle_snapshot *snapshot;
    const struct tulle__check_scope *scope;
    const struct tulle__check_base *base;
    struct tulle__check_values *values;
    struct tulle__check_sample *lags; /* of each node, one */
    bool *takes;                      /* does it take a stream that is looked at? */
};

void
tulle__check_add(struct tulle__check_values *values, struct tulle__check_sample sample)
{
    double *value = &values->value[sample.metric];
    if (infos[sample.metric].how == TULLE__METRIC_SUM)
        *value += sample.value;
    else if (sample.value > *value)
        *value = sample.value;
    if (sample.value <= 0)
        return;
    if (values->sample_count == values->sample_cap) {
        size_t cap = values->sample_cap == 0 ? 64 : 2 * values->sample_cap;
        struct tulle__check_sample *more = realloc(values->samples, cap * sizeof *more);
        if (more == NULL) {
            values->has_failed = true;
            return;
        }
        values->samples = more;
        values->sample_cap = cap;
    }
    values->samples[values->sample_count++] = sample;
}

static void
add(struct measure *m, enum tulle__metric metric, const tulle_seen_node *node, double value)
{
    tulle__check_add(
        m->values, (struct tulle__check_sample){ .metric = metric, .node = node, .value = value });
}

static bool
has_live_name(const tulle_snapshot *snapshot, const char *name)
{
    for (size_t i = 0; i < snapshot->node_count; i++) {
        if (snapshot->nodes[i].state == TULLE_SEEN_UP && strcmp(snapshot->nodes[i].name, name) == 0)
            return true;
    }
    return false;
}

static void
add_state(struct measure *m, const tulle_seen_node *node)
{
    /* A restart is a new node with the old name. */
    if (node->state != TULLE_SEEN_UP && node->name[0] != '\0' &&
        has_live_name(m->snapshot, node->name))
        return;
    switch (node->state) {
    case TULLE_SEEN_NAMED:
        add(m, TULLE__METRIC_UNANSWERED, node, 1);
        break;
    case TULLE_SEEN_UP:
        add(m, TULLE__METRIC_NODES, node, 1);
        add(m, TULLE__METRIC_UNANSWERED, node, node->was_viewed ? 0 : 1);
        break;
    case TULLE_SEEN_SUSPECT:
        add(m, TULLE__METRIC_SUSPECT, node, 1);
        break;
    case TULLE_SEEN_GONE:
        /* Who never answered was so before this node came. */
        add(m, node->was_viewed ? TULLE__METRIC_GONE : TULLE__METRIC_UNANSWERED, node, 1);
        break;
    case TULLE_SEEN_LEFT:
        break;
    }
}

static void
add_counters(struct measure *m, const tulle_seen_node *node)
{
    static const enum tulle__metric metrics[TULLE__BASE_COUNT] = {
        [TULLE__BASE_GAPS] = TULLE__METRIC_GAPS,
        [TULLE__BASE_LOST] = TULLE__METRIC_LOST,
        [TULLE__BASE_DROPPED] = TULLE__METRIC_DROPPED,
        [TULLE__BASE_PUBLISHED] = TULLE__METRIC_PUBLISHED,
        [TULLE__BASE_DELIVERED] = TULLE__METRIC_DELIVERED,
    };
    uint64_t counts[TULLE__BASE_COUNT];
    tulle__base_counts(node, counts);
    for (size_t i = 0; i < TULLE__BASE_COUNT; i++) {
        bool is_rate = i == TULLE__BASE_PUBLISHED || i == TULLE__BASE_DELIVERED;
        if (is_rate && (m->base == NULL || !m->values->is_known[metrics[i]]))
            continue;
        double value = (double)counts[i];
        if (m->base != NULL)
            value = (double)tulle__base_since(m->base, node, i);
        add(m, metrics[i], node, is_rate ? value / m->base->seconds : value);
    }
    if (node->state != TULLE_SEEN_UP && node->state != TULLE_SEEN_SUSPECT)
        return;
    add(m, TULLE__METRIC_HELD, node, (double)node->counters.held_now);
    add(m, TULLE__METRIC_UNACKED, node, (double)node->counters.unacked_now);
    if (node->counters.delay_p99_us == 0)
        return;
    m->values->is_known[TULLE__METRIC_P50] = m->values->is_known[TULLE__METRIC_P99] = true;
    add(m, TULLE__METRIC_P50, node, (double)node->counters.delay_p50_us / 1000);
    add(m, TULLE__METRIC_P99, node, (double)node->counters.delay_p99_us / 1000);
}

static void
add_expected(struct measure *m)
{
    const struct tulle__check_scope *scope = m->scope;
    double missing = 0;
    for (size_t i = 0; i < scope->expects.count; i++) {
        const char *name = scope->expects.items[i];
        const tulle_seen_node *last = NULL;
        bool is_there = false;
        for (size_t k = 0; k < m->snapshot->node_count && !is_there; k++) {
            const tulle_seen_node *node = &m->snapshot->nodes[k];
            if (node->is_self || strcmp(node->name, name) != 0)
                continue;
            last = node;
            is_there = node->state == TULLE_SEEN_UP || node->state == TULLE_SEEN_SUSPECT;
        }
        missing += is_there ? 0 : 1;
        tulle__check_add(m->values, (struct tulle__check_sample){ .metric = TULLE__METRIC_MISSING,
                                                                  .node = last,
                                                                  .name = name,
                                                                  .value = is_there ? 0 : 1 });
    }
    /* Those that are named above may be among those that are too few. */
    double too_few = (double)scope->node_count - m->values->value[TULLE__METRIC_NODES];
    if (too_few > missing)
        m->values->value[TULLE__METRIC_MISSING] = too_few;
}

static void
add_lane(struct measure *m, const tulle_seen_lane *lane)
{
    const tulle_seen_node *publisher = tulle_snapshot_node(m->snapshot, lane->node);
    if (publisher != NULL && publisher->state == TULLE_SEEN_UP &&
        tulle__check_has_node(m->scope, publisher))
        add(m, TULLE__METRIC_PUBLISHERS, publisher, 1);
    for (size_t i = 0; i < lane->taker_count; i++) {
        const tulle_seen_taker *taker = &lane->takers[i];
        const tulle_seen_node *node = tulle_snapshot_node(m->snapshot, taker->node);
        if (node == NULL || !tulle__check_has_node(m->scope, node))
            continue;
        size_t at = (size_t)(node - m->snapshot->nodes);
        uint64_t lag = lane->head > taker->acked ? lane->head - taker->acked : 0;
        m->takes[at] = true;
        m->lags[at].value += (double)lag;
        if (lag > m->lags[at].lane_lag) {
            m->lags[at].lane_lag = lag;
            m->lags[at].lane = lane;
        }
    }
}

static void
add_lanes(struct measure *m)
{
    for (size_t i = 0; i < m->snapshot->lane_count; i++) {
        if (tulle__check_has_stream(m->scope, m->snapshot->lanes[i].stream))
            add_lane(m, &m->snapshot->lanes[i]);
    }
    for (size_t i = 0; i < m->snapshot->node_count; i++) {
        m->lags[i].metric = TULLE__METRIC_LAG;
        m->lags[i].node = &m->snapshot->nodes[i];
        tulle__check_add(m->values, m->lags[i]);
        add(m, TULLE__METRIC_CONSUMERS, &m->snapshot->nodes[i], m->takes[i] ? 1 : 0);
    }
}

void
tulle__check_measure(const tulle_snapshot *snapshot,
                     const struct tulle__check_scope *scope,
                     const struct tulle__check_base *base,
                     struct tulle__check_values *values)
{
    struct measure m = { .snapshot = snapshot, .scope = scope, .base = base, .values = values };
    values->sample_count = 0;
    bool has_rates = base != NULL && !base->is_first && base->seconds > 0;
    for (size_t i = 0; i < TULLE__METRIC_COUNT; i++) {
        values->value[i] = 0;
        values->is_known[i] =
            i != TULLE__METRIC_P50 && i != TULLE__METRIC_P99 && i != TULLE__METRIC_AGE;
    }
    values->is_known[TULLE__METRIC_PUBLISHED] = has_rates;
    values->is_known[TULLE__METRIC_DELIVERED] = has_rates;
    m.lags = calloc(snapshot->node_count + 1, sizeof *m.lags);
    m.takes = calloc(snapshot->node_count + 1, sizeof *m.takes);
    if (m.lags != NULL && m.takes != NULL) {
        for (size_t i = 0; i < snapshot->node_count; i++) {
            const tulle_seen_node *node = &snapshot->nodes[i];
            if (!tulle__check_has_node(scope, node))
                continue;
            add_state(&m, node);
            if (node->has_counters)
                add_counters(&m, node);
        }
        add_lanes(&m);
        add_expected(&m);
    } else {
        values->has_failed = true;
    }
    free(m.lags);
    free(m.takes);
}

void
tulle__check_values_fini(struct tulle__check_values *values)
{
    free(values->samples);
    *values = (struct tulle__check_values){ 0 };
}

/* ---- judging ---- */

const char *
tulle__verdict_name(enum tulle__verdict verdict)
{
    static const char *const names[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };
    return names[verdict];
}

void
tulle__check_limits_init(struct tulle__check_limits *limits)
{
    *limits = (struct tulle__check_limits){ .warning = { { .text = NULL } } };
    for (size_t i = 0; i < TULLE__METRIC_COUNT; i++) {
        if (infos[i].warning != NULL)
            (void)tulle__range_parse(infos[i].warning, &limits->warning[i]);
        if (infos[i].critical != NULL)
            (void)tulle__range_parse(infos[i].critical, &limits->critical[i]);
    }
}

static const char *
set_one(struct tulle__range *ranges, char *text)
{
    char *equals = strchr(text, '=');
    if (equals == NULL)
        return "is no METRIC=RANGE";
    *equals = '\0';
    for (size_t i = 0; i < TULLE__METRIC_COUNT; i++) {
        if (strcmp(infos[i].name, text) != 0)
            continue;
        if (strcmp(equals + 1, "none") == 0) {
            ranges[i] = (struct tulle__range){ .text = NULL };
            return NULL;
        }
        return tulle__range_parse(equals + 1, &ranges[i])
                   ? NULL
                   : "has no range, such as 10, 10:, ~:10, 10:20, @10:20 or none";
    }
    return "names no metric; --help lists them";
}

const char *
tulle__check_limits_set(struct tulle__range *ranges, char *text)
{
    for (char *next = text; next != NULL;) {
        char *comma = strchr(next, ',');
        if (comma != NULL)
            *comma = '\0';
        const char *problem = set_one(ranges, next);
        if (problem != NULL)
            return problem;
        next = comma == NULL ? NULL : comma + 1;
    }
    return NULL;
}

enum tulle__verdict
tulle__check_judge_one(const struct tulle__check_values *values,
                       const struct tulle__check_limits *limits,
                       enum tulle__metric metric)
{
    if (!values->is_known[metric]) {
        bool is_idle = metric == TULLE__METRIC_P50 || metric == TULLE__METRIC_P99;
        bool is_asked =
            limits->warning[metric].text != NULL || limits->critical[metric].text != NULL;
        return is_asked && !is_idle ? TULLE__VERDICT_UNKNOWN : TULLE__VERDICT_OK;
    }
    if (tulle__range_alerts(&limits->critical[metric], values->value[metric]))
        return TULLE__VERDICT_CRITICAL;
    if (tulle__range_alerts(&limits->warning[metric], values->value[metric]))
        return TULLE__VERDICT_WARNING;
    return TULLE__VERDICT_OK;
}

enum tulle__verdict
tulle__check_judge(const struct tulle__check_values *values,
                   const struct tulle__check_limits *limits)
{
    static const int ranks[] = { [TULLE__VERDICT_OK] = 0,
                                 [TULLE__VERDICT_UNKNOWN] = 1,
                                 [TULLE__VERDICT_WARNING] = 2,
                                 [TULLE__VERDICT_CRITICAL] = 3 };
    enum tulle__verdict worst = TULLE__VERDICT_OK;
    for (size_t i = 0; i < TULLE__METRIC_COUNT; i++) {
        enum tulle__verdict one = tulle__check_judge_one(values, limits, (enum tulle__metric)i);
        if (ranks[one] > ranks[worst])
            worst = one;
    }
    return values->has_failed ? TULLE__VERDICT_UNKNOWN : worst;
}
