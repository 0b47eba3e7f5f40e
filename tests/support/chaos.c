/* SPDX-License-Identifier: MPL-2.0 */
/* A random run: makes the mesh, plans the faults, lets it run, makes peace, and
 * waits for rest. What a run is made of is in chaos_choose.c. */

#include "chaos.h"

#include "sim_rng.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RECENT_MAX = 8, /* deliveries of a node that may be named as causes */
    OPEN_US_MAX = 40000,
    PROXIES_MAX = 3,
    NODE_EVENTS_MAX = 400 /* of a run of a host: answers to answers must end */
};

struct member {
    int host;
    uint32_t published;
    struct oracle_ref recent[RECENT_MAX];
    uint32_t recent_count;
    uint32_t recent_incarnation;
    bool has_changed_takes;
};

struct run {
    const struct chaos *chaos;
    struct sim *sim;
    struct sim_rng rng;
    struct member *members; /* nodes */
    uint32_t member_count;
    int proxies[PROXIES_MAX];
    uint32_t proxy_count;
    bool is_peace;
};

/* Topics are of two depths; some streams are of two levels, and lie below others. */
static const char *const streams[ORACLE_STREAMS_MAX] = { "orders", "sensors",    "orders/eu",
                                                         "alerts", "sensors/42", "logs",
                                                         "jobs",   "sensors/7" };
static const char *const tails[] = { "", "/a", "/b/c", "/placed" };
static const char *const wild_patterns[] = {
    "**", "*/a", "orders/**", "sensors/*", "orders/*/a", "*/*/b/c", "sensors/42/**", "orders/eu/**"
};

enum action {
    ACT_PARTITION,
    ACT_RESTART,
    ACT_START,
    ACT_CRASH,
    ACT_LEAVE,
    ACT_PAUSE,
    ACT_RESUME,
    ACT_STALL,
    ACT_UNSTALL,
    ACT_HEAL,
    ACT_RESUBSCRIBE,
    ACT_PROXY_RESTART
};

static uint64_t
below(struct run *run, uint64_t n)
{
    return sim_rng_below(&run->rng, n);
}

/* ---- the application ---- */

static uint32_t
levels_of(const char *stream)
{
    return strchr(stream, '/') != NULL ? 2 : 1;
}

static void
close_later(struct sim *sim, uint64_t host, void *ctx)
{
    (void)ctx;
    sim_close_batches(sim, (int)host);
}

static void
choose_causes(struct run *run, const struct member *member, struct sim_publish_in *in)
{
    bool has_recent = member->recent_count > 0 &&
                      member->recent_incarnation == sim_incarnation(run->sim, member->host);
    if (!sim_rng_chance(&run->rng, run->chaos->explicit_permille))
        return;
    in->only_causes = true;
    if (!has_recent)
        return; /* depends on nothing */
    in->cause_count = 1 + below(run, member->recent_count < 2 ? 1 : 2);
    in->causes = &member->recent[below(run, member->recent_count - in->cause_count + 1)];
}

static void
publish_random(struct run *run, struct member *member)
{
    if (!sim_is_up(run->sim, member->host) || member->published >= NODE_EVENTS_MAX)
        return;
    const char *stream = streams[below(run, run->chaos->stream_count)];
    const char *tail = tails[below(run, sizeof tails / sizeof tails[0])];
    char topic[64];
    (void)snprintf(topic, sizeof topic, "%s%s", stream, tail);
    size_t len = below(run, run->chaos->payload_max + 1);
    uint8_t *payload = malloc(len + 1);
    for (size_t i = 0; payload != NULL && i < len; i++)
        payload[i] = (uint8_t)sim_rng_next(&run->rng);
    struct sim_publish_in in = { .topic = topic,
                                 .stream_levels = levels_of(stream),
                                 .payload = payload,
                                 .payload_len = len,
                                 .leaves_open =
                                     sim_rng_chance(&run->rng, run->chaos->open_permille) };
    choose_causes(run, member, &in);
    struct oracle_ref event;
    if (sim_publish_event(run->sim, member->host, &in, &event)) {
        member->published++;
        if (in.leaves_open)
            sim_call(run->sim, (int64_t)below(run, OPEN_US_MAX), close_later,
                     (uint64_t)member->host, NULL);
    }
    free(payload);
}

static struct member *
member_of(struct run *run, int host)
{
    for (uint32_t i = 0; i < run->member_count; i++) {
        if (run->members[i].host == host)
            return &run->members[i];
    }
    return NULL;
}

static void
on_delivered(struct sim *sim, int host, struct oracle_ref event, void *ctx)
{
    struct run *run = ctx;
    struct member *member = member_of(run, host);
    if (member == NULL)
        return;
    if (member->recent_incarnation != sim_incarnation(sim, host))
        member->recent_count = 0;
    member->recent_incarnation = sim_incarnation(sim, host);
    if (member->recent_count == RECENT_MAX) {
        memmove(member->recent, member->recent + 1, (RECENT_MAX - 1) * sizeof event);
        member->recent_count--;
    }
    member->recent[member->recent_count++] = event;
    if (!run->is_peace && sim_rng_chance(&run->rng, run->chaos->answer_permille))
        publish_random(run, member);
}

static void
tick(struct sim *sim, uint64_t index, void *ctx)
{
    struct run *run = ctx;
    if (run->is_peace)
        return;
    publish_random(run, &run->members[index]);
    int64_t period_us = (int64_t)run->chaos->publish_period_ms * 1000;
    sim_call(sim, 1 + (int64_t)below(run, (uint64_t)(2 * period_us)), tick, index, run);
}

/* ---- faults ---- */

static void
partition_some(struct run *run)
{
    int group[SIM_HOSTS_MAX];
    size_t count = 0;
    int hosts = sim_host_count(run->sim);
    for (int i = 0; i < hosts; i++) {
        if (below(run, 3) == 0)
            group[count++] = i;
    }
    sim_partition(run->sim, group, count, (enum sim_partition)below(run, 3));
}

static void
resubscribe(struct run *run, struct member *member)
{
    if (member == NULL || member->has_changed_takes || !sim_is_up(run->sim, member->host))
        return;
    member->has_changed_takes = true;
    sim_unsubscribe(run->sim, member->host, "alerts/**");
    sim_subscribe(run->sim, member->host, "alerts/**", TULLE_ORDER_CAUSAL, TULLE_FROM_LIVE);
}

/* A new run of a host has its own bound. */
static void
forget_published(struct member *member)
{
    if (member != NULL)
        member->published = 0;
}

static void act(struct sim *sim, uint64_t argument, void *ctx);

static void
later(struct run *run, enum action action, uint64_t target, int64_t ms_max)
{
    sim_call(run->sim, 1000 + (int64_t)below(run, (uint64_t)ms_max * 1000), act,
             ((uint64_t)action << 32) | target, run);
}

/* One fault, or its end. Targets are indices of hosts. */
static void
act(struct sim *sim, uint64_t argument, void *ctx)
{
    struct run *run = ctx;
    int host = (int)(argument & 0xffffffffU);
    if (run->is_peace)
        return;
    switch ((enum action)(argument >> 32)) {
    case ACT_PARTITION:
        partition_some(run);
        later(run, ACT_HEAL, 0, run->chaos->run_ms / 3);
        break;
    case ACT_HEAL:
        sim_heal(sim);
        break;
    case ACT_RESTART:
    case ACT_PROXY_RESTART:
        sim_crash(sim, host);
        later(run, ACT_START, (uint64_t)host, run->chaos->run_ms / 4);
        break;
    case ACT_START:
        forget_published(member_of(run, host));
        sim_start(sim, host);
        break;
    case ACT_CRASH:
        sim_crash(sim, host);
        break;
    case ACT_LEAVE:
        sim_leave(sim, host);
        break;
    case ACT_PAUSE:
        sim_pause(sim, host);
        later(run, ACT_RESUME, (uint64_t)host, run->chaos->run_ms / 4);
        break;
    case ACT_RESUME:
        sim_resume(sim, host);
        break;
    case ACT_STALL:
        sim_stall(sim, host, true);
        later(run, ACT_UNSTALL, (uint64_t)host, run->chaos->run_ms / 4);
        break;
    case ACT_UNSTALL:
        sim_stall(sim, host, false);
        break;
    case ACT_RESUBSCRIBE:
        resubscribe(run, member_of(run, host));
        break;
    }
}

/* count times the action, at random times of the middle of the run, to random
 * nodes (proxies for theirs). The first node stays: somebody must know the mesh. */
static void
plan(struct run *run, enum action action, uint32_t count)
{
    int64_t run_us = run->chaos->run_ms * 1000;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t target = (uint64_t)run->members[1 + below(run, run->member_count - 1)].host;
        if (action == ACT_PROXY_RESTART && run->proxy_count == 0)
            return;
        if (action == ACT_PROXY_RESTART)
            target = (uint64_t)run->proxies[below(run, run->proxy_count)];
        sim_call(run->sim, run_us / 10 + (int64_t)below(run, (uint64_t)(run_us * 7 / 10)), act,
                 ((uint64_t)action << 32) | target, run);
    }
}

/* ---- the mesh ---- */

static uint32_t
segment_count(enum chaos_shape shape)
{
    if (shape == CHAOS_ONE_SEGMENT)
        return 1;
    return shape == CHAOS_CHAIN || shape == CHAOS_RING ? 3 : 2;
}

static const char *const segments[] = { "north", "south", "west" };

static void
add_proxies(struct run *run)
{
    static const uint32_t counts[CHAOS_SHAPE_COUNT] = { 0, 1, 2, 2, 3 };
    static const char *const names[PROXIES_MAX] = { "proxy-a", "proxy-b", "proxy-c" };
    run->proxy_count = counts[run->chaos->shape];
    for (uint32_t i = 0; i < run->proxy_count && i < PROXIES_MAX; i++) {
        const char *pair[2] = { segments[0], segments[1] };
        if (run->chaos->shape == CHAOS_CHAIN || run->chaos->shape == CHAOS_RING) {
            pair[0] = segments[i];
            pair[1] = segments[(i + 1) % 3];
        }
        run->proxies[i] = sim_add_proxy(run->sim, names[i], pair, 2);
    }
}

static void
subscribe_random(struct run *run, struct member *member)
{
    int host = member->host;
    tulle_order order = TULLE_ORDER_CAUSAL;
    uint32_t dice = (uint32_t)below(run, 1000);
    if (dice < run->chaos->fifo_permille)
        order = TULLE_ORDER_FIFO;
    else if (dice < run->chaos->fifo_permille + run->chaos->unordered_permille)
        order = TULLE_ORDER_NONE;
    tulle_from from = sim_rng_chance(&run->rng, run->chaos->earliest_permille) ? TULLE_FROM_EARLIEST
                                                                               : TULLE_FROM_LIVE;
    char pattern[64];
    for (uint32_t s = 0; s < run->chaos->stream_count; s++) {
        if (below(run, 2) == 0)
            continue;
        (void)snprintf(pattern, sizeof pattern, "%s/**", streams[s]);
        if (s != 3)
            sim_subscribe(run->sim, host, pattern, order, from);
    }
    if (run->chaos->stream_count > 3 && order == TULLE_ORDER_CAUSAL && from == TULLE_FROM_LIVE)
        sim_subscribe(run->sim, host, "alerts/**", order, from);
    else
        member->has_changed_takes = true;
    if (below(run, 4) == 0 && run->chaos->stream_count < ORACLE_STREAMS_MAX) {
        sim_subscribe(run->sim, host,
                      wild_patterns[below(run, sizeof wild_patterns / sizeof wild_patterns[0])],
                      order, from);
    }
}

/* Everybody of a segment knows its first node; so do the proxies, and one another. */
static void
add_nodes(struct run *run)
{
    uint32_t count = segment_count(run->chaos->shape);
    for (uint32_t i = 0; i < run->chaos->node_count; i++) {
        char name[SIM_NAME_MAX];
        (void)snprintf(name, sizeof name, "n%" PRIu32, i);
        int host = sim_add_node(run->sim, name, segments[i % count]);
        run->members[i] = (struct member){ .host = host };
        run->member_count = i + 1;
        if (i >= count)
            sim_join(run->sim, host, run->members[i % count].host);
        else
            sim_join(run->sim, host, run->members[i].host); /* itself: harmless */
        subscribe_random(run, &run->members[i]);
    }
    for (uint32_t p = 0; p < run->proxy_count; p++) {
        for (uint32_t s = 0; s < count; s++) {
            bool is_on = run->chaos->shape == CHAOS_BRIDGE || run->chaos->shape == CHAOS_PARALLEL ||
                         s == p || s == (p + 1) % 3;
            if (is_on)
                sim_join(run->sim, run->proxies[p], run->members[s].host);
        }
    }
}

static void
start_late(struct sim *sim, uint64_t host, void *ctx)
{
    (void)ctx;
    sim_start(sim, (int)host);
}

static void
start_all(struct run *run)
{
    for (uint32_t p = 0; p < run->proxy_count; p++)
        sim_start(run->sim, run->proxies[p]);
    for (uint32_t i = 0; i < run->member_count; i++) {
        uint64_t span_us = 200000;
        if (i >= run->member_count - run->chaos->late_count)
            span_us = (uint64_t)run->chaos->run_ms * 800;
        sim_call(run->sim, 1 + (int64_t)below(run, span_us), start_late,
                 (uint64_t)run->members[i].host, NULL);
        sim_call(run->sim, 1 + (int64_t)below(run, 1000000), tick, i, run);
    }
}

/* ---- the run ---- */

static void
make_peace(struct run *run)
{
    run->is_peace = true;
    struct sim_faults calm = run->chaos->faults;
    calm.loss_permille = 0;
    calm.duplicate_permille = 0;
    calm.reorder_permille = 0;
    calm.corrupt_permille = 0;
    sim_set_faults(run->sim, &calm);
    sim_heal(run->sim);
    for (uint32_t p = 0; p < run->proxy_count; p++) {
        sim_resume(run->sim, run->proxies[p]);
        sim_start(run->sim, run->proxies[p]);
    }
    for (uint32_t i = 0; i < run->member_count; i++) {
        sim_resume(run->sim, run->members[i].host);
        sim_stall(run->sim, run->members[i].host, false);
        sim_close_batches(run->sim, run->members[i].host);
    }
    /* Proxies and those who join through the first nodes of segments need those. */
    for (uint32_t i = 0; i < segment_count(run->chaos->shape); i++)
        sim_start(run->sim, run->members[i].host);
}

/* Everybody publishes once more: now that all know each other, all of it arrives. */
static void
last_word(struct run *run)
{
    for (uint32_t i = 0; i < run->member_count; i++) {
        run->members[i].published = 0;
        publish_random(run, &run->members[i]);
        sim_close_batches(run->sim, run->members[i].host);
    }
}

static struct sim *
make_sim(struct run *run)
{
    const struct chaos *chaos = run->chaos;
    struct sim_config config;
    sim_config_init(&config);
    config.seed = chaos->seed;
    config.faults = chaos->faults;
    config.skew_us_max = chaos->skew_us_max;
    config.is_oracle_blind = chaos->is_blind;
    config.is_traced = chaos->is_traced;
    config.on_delivered = on_delivered;
    config.ctx = run;
    config.engine.mutation = chaos->mutation;
    config.engine.window_bytes = chaos->window_bytes;
    if (chaos->retain_bytes > 0)
        config.engine.retain_bytes = chaos->retain_bytes;
    if (chaos->retain_others_bytes > 0)
        config.engine.retain_others_bytes = chaos->retain_others_bytes;
    if (chaos->held_bytes > 0)
        config.engine.held_bytes = chaos->held_bytes;
    for (size_t i = 0; i < SIM_SIDES_MAX; i++)
        config.proxy_policies[i].events_per_second = chaos->proxy_rate;
    config.rules.can_evict = chaos->retain_bytes > 0 || chaos->retain_others_bytes > 0;
    /* A search that is lossy all the way may end at hold_ms with nothing. */
    bool is_found = chaos->faults.loss_permille == 0 ||
                    (chaos->shape == CHAOS_ONE_SEGMENT && chaos->faults.loss_permille <= 100);
    config.rules.is_gap_wrong = is_found && !config.rules.can_evict &&
                                chaos->partitions + chaos->restarts + chaos->crashes +
                                        chaos->leaves + chaos->pauses + chaos->stalls +
                                        chaos->proxy_restarts ==
                                    0;
    return sim_new(&config);
}

static void
run_all(struct run *run, struct chaos_result *result)
{
    const struct chaos *chaos = run->chaos;
    add_proxies(run);
    add_nodes(run);
    start_all(run);
    plan(run, ACT_PARTITION, chaos->partitions);
    plan(run, ACT_RESTART, chaos->restarts);
    plan(run, ACT_CRASH, chaos->crashes);
    plan(run, ACT_LEAVE, chaos->leaves);
    plan(run, ACT_PAUSE, chaos->pauses);
    plan(run, ACT_STALL, chaos->stalls);
    plan(run, ACT_RESUBSCRIBE, chaos->stream_count > 3 ? chaos->resubscriptions : 0);
    plan(run, ACT_PROXY_RESTART, chaos->proxy_restarts);
    if (!sim_run_for(run->sim, chaos->run_ms))
        return;
    make_peace(run);
    int64_t peace_ms = sim_now_ms(run->sim);
    if (chaos->is_blind) {
        (void)sim_run_for(run->sim, chaos->run_ms / 2);
        return;
    }
    if (!sim_run_until_quiet(run->sim, chaos->rest_ms_max))
        return;
    result->rest_ms = sim_now_ms(run->sim) - peace_ms;
    last_word(run);
    (void)sim_run_until_quiet(run->sim, chaos->rest_ms_max);
}

void
chaos_run(const struct chaos *chaos, struct chaos_result *result)
{
    struct run run = { .chaos = chaos, .rng = { .state = chaos->seed ^ UINT64_C(0x5eed) } };
    *result = (struct chaos_result){ 0 };
    run.members = calloc(chaos->node_count, sizeof *run.members);
    if (run.members == NULL)
        return;
    run.sim = make_sim(&run);
    run_all(&run, result);
    const char *failure = sim_failure(run.sim);
    result->is_good = failure == NULL;
    if (failure != NULL)
        (void)snprintf(result->failure, sizeof result->failure, "%s", failure);
    result->hash = sim_trace_hash(run.sim);
    result->steps = sim_steps(run.sim);
    result->messages = sim_messages(run.sim);
    result->published = oracle_published_count(sim_oracle(run.sim));
    result->delivered = oracle_delivered_count(sim_oracle(run.sim));
    result->gaps = oracle_gap_count(sim_oracle(run.sim));
    sim_free(&run.sim);
    free(run.members);
}
