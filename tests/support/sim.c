/* SPDX-License-Identifier: MPL-2.0 */
/* The heap of events, virtual time, and what rest means. */

#include "sim.h"

#include "sim_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHECK_REST_US = 100000 };

void *
sim_memory_get(void *old, size_t count, size_t size)
{
    void *block = realloc(old, count * size);
    if (block == NULL && count > 0) {
        (void)fprintf(stderr, "sim: out of memory\n");
        abort();
    }
    return block;
}

void
sim_config_init(struct sim_config *config)
{
    *config = (struct sim_config){
        .seed = 1,
        .faults = { .latency_us_min = 200, .latency_us_max = 3000, .reorder_us_max = 60000 },
        .proxy_retain_bytes = UINT64_C(16) << 20,
        .pause_queue_max = 1000,
    };
    tulle__engine_config_init(&config->engine);
    config->engine.beat_ms = 500;
    config->engine.suspect_ms = 1500;
    config->engine.gone_ms = 4000;
    config->engine.hold_ms = 4000;
    config->engine.lanes_max = 10000;
    config->engine.peers_max = 1000;
}

uint64_t
sim_seed(uint64_t seed)
{
    const char *text = getenv("TULLE_SEED");
    return text == NULL || *text == '\0' ? seed : strtoull(text, NULL, 10);
}

struct sim *
sim_new(const struct sim_config *config)
{
    struct sim *sim = sim_memory_get(NULL, 1, sizeof *sim);
    memset(sim, 0, sizeof *sim);
    sim->config = *config;
    sim->rng.state = config->seed;
    for (size_t i = 0; i < SIM_SIDES_MAX; i++) {
        const struct tulle__forward_policy *policy = &config->proxy_policies[i];
        sim->config.rules.can_withhold = sim->config.rules.can_withhold ||
                                         policy->allow_count > 0 || policy->deny_count > 0 ||
                                         policy->event_bytes_max > 0;
    }
    sim->oracle = oracle_new(&sim->config.rules);
    sim->now_us = 1000000;
    sim->hash = UINT64_C(0xcbf29ce484222325);
    return sim;
}

void
sim_free(struct sim **pointer)
{
    struct sim *sim = *pointer;
    if (sim == NULL)
        return;
    for (size_t i = 0; i < sim->heap_len; i++)
        sim_packet_unref(&sim->heap[i].packet);
    for (int i = 0; i < sim->host_count; i++)
        sim_host_free(&sim->hosts[i]);
    HASH_CLEAR(hh, sim->by_id);
    sim_net_free(sim);
    oracle_free(&sim->oracle);
    free(sim->heap);
    free(sim);
    *pointer = NULL;
}

void
sim_hash(struct sim *sim, uint64_t value)
{
    for (int i = 0; i < 8; i++) {
        sim->hash ^= (value >> (8 * i)) & 0xffU;
        sim->hash *= UINT64_C(0x100000001b3);
    }
}

struct tulle__now
sim_now(const struct sim *sim, const struct sim_host *host)
{
    return (struct tulle__now){
        .mono = { .ns = sim->now_us * 1000 },
        .wall = { .us = INT64_C(1700000000000000) + sim->now_us + host->skew_us },
    };
}

void
sim_trace(const struct sim *sim, const struct sim_host *host, const char *format, ...)
{
    if (!sim->config.is_traced)
        return;
    va_list arguments;
    va_start(arguments, format);
    (void)fprintf(stderr, "%9.3f %-8s ", (double)sim->now_us / 1000.0, host->name);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
}

/* ---- heap ---- */

static bool
is_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->number < b->number;
}

void
sim_push(struct sim *sim, int64_t at_us, const struct sim_event *event)
{
    if (sim->heap_len == sim->heap_cap) {
        sim->heap_cap = sim->heap_cap == 0 ? 256 : sim->heap_cap * 2;
        sim->heap = sim_memory_get(sim->heap, sim->heap_cap, sizeof *sim->heap);
    }
    struct sim_event made = *event;
    made.at_us = at_us;
    made.number = sim->next_number++;
    size_t i = sim->heap_len++;
    while (i > 0 && is_before(&made, &sim->heap[(i - 1) / 2])) {
        sim->heap[i] = sim->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    sim->heap[i] = made;
}

static struct sim_event
pop(struct sim *sim)
{
    struct sim_event top = sim->heap[0];
    struct sim_event last = sim->heap[--sim->heap_len];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= sim->heap_len)
            break;
        if (child + 1 < sim->heap_len && is_before(&sim->heap[child + 1], &sim->heap[child]))
            child++;
        if (!is_before(&sim->heap[child], &last))
            break;
        sim->heap[i] = sim->heap[child];
        i = child;
    }
    if (sim->heap_len > 0)
        sim->heap[i] = last;
    return top;
}

/* ---- steps ---- */

/* A host that is paused keeps its messages, as many as fit. */
static void
keep_for_later(struct sim *sim, struct sim_host *host, struct sim_event *event)
{
    if (host->paused_count == sim->config.pause_queue_max)
        return;
    if (host->paused == NULL)
        host->paused =
            sim_memory_get(NULL, (size_t)sim->config.pause_queue_max + 1, sizeof *host->paused);
    host->paused[host->paused_count++] = *event;
    event->packet = NULL;
}

static void
run_host_event(struct sim *sim, struct sim_event *event)
{
    bool is_timer = event->kind == SIM_EVENT_TIMER;
    struct sim_host *host =
        &sim->hosts[is_timer ? event->endpoint : sim->endpoints[event->endpoint].host];
    if (!sim_host_is_up(host) || host->life != event->life)
        return;
    sim_hash(sim, (uint64_t)sim->now_us);
    sim_hash(sim, ((uint64_t)event->kind << 32) | (uint32_t)event->endpoint);
    if (event->packet != NULL)
        sim_hash(sim, event->packet->key_len + event->packet->body_len + event->packet->path_len);
    if (host->is_paused && is_timer)
        host->timer_us = INT64_MAX;
    else if (host->is_paused)
        keep_for_later(sim, host, event);
    else
        sim_host_input(sim, host, event);
}

bool
sim_step(struct sim *sim)
{
    if (sim->heap_len == 0 || oracle_failure(sim->oracle) != NULL)
        return false;
    struct sim_event event = pop(sim);
    if (event.at_us > sim->now_us)
        sim->now_us = event.at_us;
    sim->steps++;
    switch (event.kind) {
    case SIM_EVENT_PUBLICATION:
    case SIM_EVENT_CONTROL:
    case SIM_EVENT_TIMER:
        run_host_event(sim, &event);
        break;
    case SIM_EVENT_CONNECT:
        sim_net_connect(sim, &event);
        break;
    case SIM_EVENT_CALL:
        event.call(sim, event.argument, event.ctx);
        break;
    }
    sim_packet_unref(&event.packet);
    return sim_failure(sim) == NULL;
}

static bool
run_until(struct sim *sim, int64_t end_us)
{
    while (sim->heap_len > 0 && sim->heap[0].at_us <= end_us) {
        if (!sim_step(sim))
            return false;
    }
    if (sim->now_us < end_us)
        sim->now_us = end_us;
    return sim_failure(sim) == NULL;
}

bool
sim_run_for(struct sim *sim, int64_t ms)
{
    return run_until(sim, sim->now_us + ms * 1000);
}

void
sim_call(struct sim *sim, int64_t after_us, sim_call_fn fn, uint64_t argument, void *ctx)
{
    struct sim_event event = {
        .kind = SIM_EVENT_CALL, .call = fn, .argument = argument, .ctx = ctx
    };
    sim_push(sim, sim->now_us + after_us, &event);
}

int64_t
sim_now_ms(const struct sim *sim)
{
    return sim->now_us / 1000;
}

uint64_t
sim_steps(const struct sim *sim)
{
    return sim->steps;
}

uint64_t
sim_messages(const struct sim *sim)
{
    return sim->messages;
}

void
sim_traffic(const struct sim *sim,
            struct sim_traffic *events,
            struct sim_traffic *beats,
            struct sim_traffic *control)
{
    *events = sim->events;
    *beats = sim->beats;
    *control = sim->control;
}

uint64_t
sim_segment_bytes(const struct sim *sim, const char *segment)
{
    uint64_t bytes = 0;
    for (int i = 0; i < sim->endpoint_count; i++) {
        if (strcmp(sim->endpoints[i].segment, segment) == 0)
            bytes += sim->endpoints[i].heard_bytes;
    }
    return bytes;
}

uint64_t
sim_trace_hash(const struct sim *sim)
{
    return sim->hash;
}

struct oracle *
sim_oracle(const struct sim *sim)
{
    return sim->oracle;
}

const char *
sim_failure(const struct sim *const_sim)
{
    const char *text = oracle_failure(const_sim->oracle);
    if (text == NULL)
        return NULL;
    /* The text is made once, of the step in which it happened. */
    struct sim *sim = (struct sim *)(uintptr_t)const_sim;
    if (!sim->has_failure_text) {
        sim->has_failure_text = true;
        (void)snprintf(sim->failure, sizeof sim->failure,
                       "seed=%" PRIu64 " step=%" PRIu64 " t=%" PRId64 "ms: %s", sim->config.seed,
                       sim->steps, sim->now_us / 1000, text);
    }
    return sim->failure;
}

/* ---- rest ---- */

/* Knows everybody who is there, and nobody else. */
static bool
has_right_peers(const struct sim *sim, const struct sim_host *host, char why[ORACLE_TEXT_MAX])
{
    tulle_peer peer;
    int up_count = 0;
    const struct tulle__peer *at = NULL;
    while (tulle__engine_next_peer(host->engine, &at, &peer)) {
        if (peer.state != TULLE_PEER_UP && peer.state != TULLE_PEER_SUSPECT)
            continue;
        if (sim_host_find(sim, peer.node) == NULL) {
            (void)snprintf(why, ORACLE_TEXT_MAX,
                           "%s thinks that %s (%016" PRIx64 ") is there in state %d", host->name,
                           peer.name, peer.node, (int)peer.state);
            return false;
        }
        if (peer.state == TULLE_PEER_UP && !peer.is_proxy)
            up_count++;
    }
    int expected = 0;
    for (int i = 0; i < sim->host_count; i++) {
        if (sim->hosts[i].engine != NULL && &sim->hosts[i] != host)
            expected++;
    }
    size_t takers = tulle__engine_taker_count(host->engine, (struct tulle__view){ 0 });
    if (up_count == expected && takers == (size_t)expected)
        return true;
    (void)snprintf(why, ORACLE_TEXT_MAX,
                   "%s has %d peers that are up and %zu that are synced, of %d", host->name,
                   up_count, takers, expected);
    return false;
}

static bool
is_host_at_rest(const struct sim *sim, const struct sim_host *host, char why[ORACLE_TEXT_MAX])
{
    tulle_counters counters;
    tulle__engine_counters(host->engine, &counters);
    if (counters.held_now != 0) {
        (void)snprintf(why, ORACLE_TEXT_MAX, "%s still holds %" PRIu64 " bytes", host->name,
                       counters.held_now);
        return false;
    }
    if (!has_right_peers(sim, host, why))
        return false;
    if (tulle__engine_is_acknowledged(host->engine))
        return true;
    (void)snprintf(why, ORACLE_TEXT_MAX, "%s lacks acknowledgements", host->name);
    return false;
}

static bool
is_at_rest(const struct sim *sim, char why[ORACLE_TEXT_MAX])
{
    if (oracle_unmet(sim->oracle, why))
        return false;
    for (int i = 0; i < sim->host_count; i++) {
        if (sim->hosts[i].engine != NULL && !is_host_at_rest(sim, &sim->hosts[i], why))
            return false;
    }
    return true;
}

bool
sim_run_until_quiet(struct sim *sim, int64_t ms)
{
    int64_t end_us = sim->now_us + ms * 1000;
    char why[ORACLE_TEXT_MAX] = "no time was given";
    while (sim->now_us < end_us) {
        /* To look costs the square of the hosts. */
        if (!run_until(sim, sim->now_us + CHECK_REST_US * (int64_t)(1 + sim->host_count / 100)))
            return false;
        if (is_at_rest(sim, why))
            return true;
    }
    oracle_fail(sim->oracle, "no rest within %" PRId64 " ms: %s", ms, why);
    (void)sim_failure(sim);
    return false;
}
