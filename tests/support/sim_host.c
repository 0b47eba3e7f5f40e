/* SPDX-License-Identifier: MPL-2.0 */
/* Hosts of the simulation: a host drives an engine or a proxy as the real node's
 * loop does. Input, drain all actions, set the timer, then let the application
 * answer what was delivered. */

#include "codec/control.h"
#include "sim_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
sim_host_is_up(const struct sim_host *host)
{
    return host->engine != NULL || host->forward != NULL;
}

struct sim_host *
sim_host_find(const struct sim *sim, uint64_t id)
{
    struct sim_host *host = NULL;
    HASH_FIND(hh, sim->by_id, &id, sizeof id, host);
    return host;
}

/* ---- what comes out ---- */

static void
take_delivery(struct sim *sim, struct sim_host *host, const struct tulle__delivery *delivery)
{
    struct tulle__event_walk walk;
    struct tulle__event_view view;
    tulle__batch_walk(&delivery->batch, &walk);
    while (tulle__batch_next(&walk, &view)) {
        if (view.seq < delivery->first || view.seq > delivery->last)
            continue;
        sim_hash(sim, view.seq);
        sim_trace(sim, host, "delivers %" PRIx64 ":%s %" PRIu64 "%s", delivery->batch.node >> 48,
                  (const char *)delivery->stream.data, view.seq,
                  delivery->is_repaired ? " (repaired)" : "");
        struct oracle_delivery told = { .publisher = delivery->batch.node,
                                        .stream = delivery->stream,
                                        .rest = view.rest,
                                        .payload = view.payload,
                                        .seq = view.seq };
        struct oracle_ref event;
        if (sim->config.is_oracle_blind ||
            !oracle_delivered(sim->oracle, host->incarnation, &told, &event))
            continue;
        struct sim_inbox *inbox = &host->inbox;
        if (inbox->len == inbox->cap) {
            inbox->cap = inbox->cap == 0 ? 16 : inbox->cap * 2;
            inbox->events = sim_memory_get(inbox->events, inbox->cap, sizeof *inbox->events);
        }
        inbox->events[inbox->len++] = event;
    }
}

static void
take_action(struct sim *sim, struct sim_host *host, size_t side, const struct tulle__action *action)
{
    sim_hash(sim, (uint64_t)action->kind);
    switch (action->kind) {
    case TULLE__ACTION_DELIVER:
        take_delivery(sim, host, &action->u.delivery);
        break;
    case TULLE__ACTION_GAP:
        sim_hash(sim, action->u.gap.first);
        sim_hash(sim, action->u.gap.last);
        sim_trace(sim, host, "gap %" PRIx64 ":%s %" PRIu64 "..%" PRIu64 " reason %d",
                  action->u.gap.node >> 48, action->u.gap.stream, action->u.gap.first,
                  action->u.gap.last, (int)action->u.gap.reason);
        if (!sim->config.is_oracle_blind)
            oracle_gap(sim->oracle, host->incarnation, &action->u.gap);
        break;
    case TULLE__ACTION_PEER:
        sim_hash(sim, (uint64_t)action->u.peer.state);
        sim_hash(sim, action->u.peer.node);
        sim_trace(sim, host, "peer %s %" PRIx64 " state %d hops %" PRIu32, action->u.peer.name,
                  action->u.peer.node >> 48, (int)action->u.peer.state, action->u.peer.hops);
        break;
    case TULLE__ACTION_ARRIVAL:
    case TULLE__ACTION_DUPLICATE:
        break;
    case TULLE__ACTION_PUBLISH:
    case TULLE__ACTION_CONTROL:
    case TULLE__ACTION_DIAL:
    case TULLE__ACTION_HANGUP:
    case TULLE__ACTION_SUBSCRIBE:
    case TULLE__ACTION_UNSUBSCRIBE:
    case TULLE__ACTION_RELAY_PUBLICATION:
    case TULLE__ACTION_RELAY_CONTROL:
        sim_net_act(sim, host->endpoints[side], action);
        break;
    }
}

static void
drain_actions(struct sim *sim, struct sim_host *host)
{
    struct tulle__action action;
    size_t side = 0;
    while (host->engine != NULL ? tulle__engine_next_action(host->engine, &action)
                                : tulle__forward_next_action(host->forward, &side, &action)) {
        if (side < host->endpoint_count)
            take_action(sim, host, side, &action);
        else
            oracle_fail(sim->oracle, "%s: action for side %zu", host->name, side);
        tulle__action_fini(&action);
    }
}

static void
check_memory(struct sim *sim, const struct sim_host *host)
{
    if (host->engine == NULL)
        return;
    const struct tulle__engine_config *config = &sim->config.engine;
    tulle_counters counters;
    tulle__engine_counters(host->engine, &counters);
    /* What a lane needs next may go over the bound, up to twice. */
    struct oracle_limits limits = { .held_bytes = 2 * config->held_bytes,
                                    .retained_bytes =
                                        config->retain_bytes + config->retain_others_bytes };
    oracle_memory(sim->oracle, host->incarnation, &counters, &limits);
    if (counters.lanes > config->lanes_max)
        oracle_fail(sim->oracle, "%s: knows too many lanes", host->name);
}

static void
set_timer(struct sim *sim, struct sim_host *host)
{
    struct tulle__mono due = host->engine != NULL ? tulle__engine_deadline(host->engine)
                                                  : tulle__forward_deadline(host->forward);
    if (due.ns == TULLE__NEVER_NS || host->is_paused)
        return;
    int64_t at = due.ns / 1000 + 1;
    if (at < sim->now_us)
        at = sim->now_us;
    if (at >= host->timer_us)
        return; /* an earlier one is out and will look again */
    host->timer_us = at;
    struct sim_event event = { .kind = SIM_EVENT_TIMER,
                               .endpoint = (int)(host - sim->hosts),
                               .life = host->life,
                               .argument = (uint64_t)at };
    /* A real loop is a little late. */
    sim_push(sim, at + sim_rng_range(&sim->rng, 0, 500), &event);
}

static void
run_application(struct sim *sim, struct sim_host *host)
{
    if (host->is_in_application || sim->config.on_delivered == NULL) {
        if (!host->is_in_application)
            host->inbox.len = 0;
        return;
    }
    host->is_in_application = true;
    for (size_t i = 0; i < host->inbox.len; i++) {
        struct oracle_ref event = host->inbox.events[i];
        sim->config.on_delivered(sim, (int)(host - sim->hosts), event, sim->config.ctx);
    }
    host->inbox.len = 0;
    host->is_in_application = false;
}

void
sim_host_drain(struct sim *sim, struct sim_host *host)
{
    drain_actions(sim, host);
    check_memory(sim, host);
    set_timer(sim, host);
    run_application(sim, host);
}

/* ---- what goes in ---- */

/* Flip, or cut off, some bytes. */
static void
damage(struct sim *sim, uint8_t *bytes, size_t *len)
{
    if (*len == 0)
        return;
    if (sim_rng_chance(&sim->rng, 200)) {
        *len = sim_rng_below(&sim->rng, *len);
        return;
    }
    uint64_t count = 1 + sim_rng_below(&sim->rng, 4);
    for (uint64_t i = 0; i < count; i++)
        bytes[sim_rng_below(&sim->rng, *len)] ^= (uint8_t)(1 + sim_rng_below(&sim->rng, 255));
}

/* A part of a packet in memory of exactly its size, so that reading past its end
 * is seen by the address sanitizer. */
static uint8_t *
copy_part(struct sim *sim, const uint8_t *bytes, size_t *len, bool is_damaged)
{
    uint8_t *copy = sim_memory_get(NULL, *len + 1, 1);
    if (*len > 0)
        memcpy(copy, bytes, *len);
    if (is_damaged)
        damage(sim, copy, len);
    return sim_memory_get(copy, *len == 0 ? 1 : *len, 1);
}

static void
trace_input(const struct sim *sim, const struct sim_host *host, const struct sim_event *event)
{
    static const char *const kinds[] = { "?", "sync", "here", "fetch", "range" };
    const struct sim_packet *packet = event->packet;
    struct tulle__control_header header;
    if (!sim->config.is_traced || event->kind != SIM_EVENT_CONTROL ||
        tulle__header_decode(packet->bytes, packet->key_len, &header) != TULLE_OK)
        return;
    sim_trace(sim, host,
              "gets %s from %" PRIx64 " to %" PRIx64 " counter %" PRIu64 " hops %" PRIu32
              " via %" PRIx64,
              kinds[header.kind], header.from >> 48, header.to >> 48, header.counter, header.hops,
              packet->via >> 48);
}

static void
hand_over(struct sim *sim, struct sim_host *host, const struct sim_event *event)
{
    const struct sim_packet *packet = event->packet;
    size_t side = sim->endpoints[event->endpoint].side;
    uint64_t hurt = 0;
    if (sim_rng_chance(&sim->rng, sim->config.faults.corrupt_permille))
        hurt = 1 + sim_rng_below(&sim->rng, 7);
    size_t key_len = packet->key_len;
    size_t body_len = packet->body_len;
    size_t path_len = packet->path_len;
    uint8_t *key = copy_part(sim, packet->bytes, &key_len, (hurt & 1) != 0);
    uint8_t *bytes = copy_part(sim, packet->bytes + packet->key_len, &body_len, (hurt & 2) != 0);
    uint8_t *path = copy_part(sim, packet->bytes + packet->key_len + packet->body_len, &path_len,
                              (hurt & 4) != 0);
    struct tulle__buf *body = tulle__buf_copy(bytes, body_len);
    struct tulle__view key_view = { key, key_len };
    struct tulle__view path_view = { path, path_len };
    struct tulle__now now = sim_now(sim, host);
    trace_input(sim, host, event);
    uint64_t via = packet->via;
    if (event->kind == SIM_EVENT_CONTROL && via == 0) {
        via = host->engine != NULL ? tulle__engine_via(host->engine, packet->hop, key_view)
                                   : tulle__engine_via(tulle__forward_engine(host->forward, side),
                                                       packet->hop, key_view);
    }
    if (event->kind == SIM_EVENT_PUBLICATION && host->engine != NULL)
        tulle__engine_on_publication(host->engine, key_view, body, path_view, now);
    else if (event->kind == SIM_EVENT_PUBLICATION)
        tulle__forward_on_publication(host->forward, side, key_view, body, path_view, now);
    else if (host->engine != NULL)
        tulle__engine_on_control(host->engine, via, key_view, body, now);
    else
        tulle__forward_on_control(host->forward, side, via, key_view, body, now);
    tulle__buf_unref(&body);
    free(key);
    free(bytes);
    free(path);
}

void
sim_host_input(struct sim *sim, struct sim_host *host, const struct sim_event *event)
{
    if (event->kind == SIM_EVENT_TIMER && event->argument != (uint64_t)host->timer_us)
        return; /* an earlier one has taken its place */
    if (event->kind == SIM_EVENT_TIMER) {
        host->timer_us = INT64_MAX;
        if (host->engine != NULL)
            tulle__engine_on_timer(host->engine, sim_now(sim, host));
        else
            tulle__forward_on_timer(host->forward, sim_now(sim, host));
    } else {
        hand_over(sim, host, event);
    }
    sim_host_drain(sim, host);
}

/* ---- life ---- */

/* An engine says here what it cannot say by an action: that a lane goes on without its
 * clock. The oracle excuses exactly that. */
static void
on_log(tulle_log_level level, const char *id, const char *text, void *ctx)
{
    struct sim_host *host = ctx;
    (void)level;
    sim_trace(host->sim, host, "%s %s", id, text);
    if (strcmp(id, "delivery.clock_given_up") != 0 || host->sim->config.is_oracle_blind)
        return;
    char node[17] = "";
    char next[21] = "";
    char stream[64] = "";
    const char *rest = strstr(text, " stream="); /* the name before may be empty */
    if (rest == NULL || sscanf(text, "node=%16s", node) != 1 ||
        sscanf(rest, " stream=%63s next=%20s", stream, next) != 2)
        oracle_fail(host->sim->oracle, "%s: cannot read \"%s\"", host->name, text);
    else
        oracle_clock_given_up(host->sim->oracle, host->incarnation, strtoull(node, NULL, 16),
                              stream, strtoull(next, NULL, 10));
}

static void
fill_config(struct sim *sim,
            struct sim_host *host,
            size_t side,
            struct tulle__engine_config *config)
{
    const struct sim_endpoint *endpoint = &sim->endpoints[host->endpoints[side]];
    *config = sim->config.engine;
    config->id = host->id;
    config->mesh = "sim";
    config->name = host->name;
    config->control_addresses[0] = endpoint->address[SIM_WIRE_CONTROL];
    config->control_address_count = endpoint->dials_only ? 0 : 1;
    config->event_addresses[0] = endpoint->address[SIM_WIRE_EVENTS];
    config->event_address_count = config->control_address_count;
    config->inlets[0] = endpoint->address[SIM_WIRE_INLET];
    config->inlet_count = sim->config.has_inlets ? config->control_address_count : 0;
    config->is_proxy = host->is_proxy;
    config->seed = host->id >> 7;
    host->sim = sim;
    config->log = (struct tulle__log){ .fn = on_log, .ctx = host, .level = TULLE_LOG_WARN };
}

static void
start_proxy(struct sim *sim, struct sim_host *host)
{
    struct tulle__forward_side sides[SIM_SIDES_MAX] = { 0 };
    for (size_t i = 0; i < host->endpoint_count; i++) {
        fill_config(sim, host, i, &sides[i].engine);
        sides[i].policy = sim->config.proxy_policies[i];
        if (sides[i].policy.retain_bytes == 0)
            sides[i].policy.retain_bytes = sim->config.proxy_retain_bytes;
        if (sides[i].policy.retain_ms == 0)
            sides[i].policy.retain_ms = sim->config.engine.retain_ms;
    }
    host->forward = tulle__forward_new(sides, host->endpoint_count, sim_now(sim, host));
    if (host->forward == NULL)
        oracle_fail(sim->oracle, "%s: cannot start", host->name);
}

static void
subscribe_engine(struct sim *sim, struct sim_host *host, struct sim_subscription *sub)
{
    struct tulle_subscribe_options options = { .order = sub->order, .from = sub->from };
    struct tulle__view pattern = { (const uint8_t *)sub->pattern, strlen(sub->pattern) };
    tulle_status status =
        tulle__engine_subscribe(host->engine, pattern, &options, &sub->handle, sim_now(sim, host));
    if (status != TULLE_OK) {
        oracle_fail(sim->oracle, "%s: subscribe: %d", host->name, (int)status);
        return;
    }
    oracle_subscribe(sim->oracle, host->incarnation, sub->pattern, sub->order, sub->from);
}

static void
join_engine(struct sim *sim, struct sim_host *host, size_t index)
{
    const char *address = sim->endpoints[host->joins[index].target].address[SIM_WIRE_CONTROL];
    struct tulle__now now = sim_now(sim, host);
    tulle_status status =
        host->engine != NULL
            ? tulle__engine_join(host->engine, address, now)
            : tulle__forward_join(host->forward, host->joins[index].side, address, now);
    if (status != TULLE_OK)
        oracle_fail(sim->oracle, "%s: join: %d", host->name, (int)status);
}

void
sim_start(struct sim *sim, int host_index)
{
    struct sim_host *host = &sim->hosts[host_index];
    if (sim_host_is_up(host) || sim_failure(sim) != NULL)
        return;
    host->life++;
    host->id = sim_rng_next(&sim->rng) | TULLE__NODE_ID_MIN;
    host->timer_us = INT64_MAX;
    host->is_paused = false;
    host->is_stalled = false;
    sim_trace(sim, host, "starts as %" PRIx64, host->id >> 48);
    if (host->is_proxy) {
        start_proxy(sim, host);
    } else {
        host->incarnation = oracle_start(sim->oracle, host->id, host->name);
        struct tulle__engine_config config;
        fill_config(sim, host, 0, &config);
        host->engine = tulle__engine_new(&config, sim_now(sim, host));
        if (host->engine == NULL)
            oracle_fail(sim->oracle, "%s: cannot start", host->name);
    }
    if (!sim_host_is_up(host))
        return;
    HASH_ADD(hh, sim->by_id, id, sizeof host->id, host);
    sim_net_host_up(sim, host);
    drain_actions(sim, host);
    for (size_t i = 0; i < host->sub_count; i++) {
        subscribe_engine(sim, host, &host->subs[i]);
        drain_actions(sim, host);
    }
    for (size_t i = 0; i < host->join_count; i++) {
        join_engine(sim, host, i);
        drain_actions(sim, host);
    }
    sim_host_drain(sim, host);
}

static void
drop_paused(struct sim_host *host)
{
    for (size_t i = 0; i < host->paused_count; i++)
        sim_packet_unref(&host->paused[i].packet);
    host->paused_count = 0;
}

static void
end_host(struct sim *sim, struct sim_host *host)
{
    sim_trace(sim, host, "ends");
    HASH_DEL(sim->by_id, host);
    sim_net_host_down(sim, host);
    tulle__engine_free(&host->engine);
    tulle__forward_free(&host->forward);
    drop_paused(host);
    host->inbox.len = 0;
    host->died_us = sim->now_us;
    if (!host->is_proxy)
        oracle_end(sim->oracle, host->incarnation);
}

void
sim_host_free(struct sim_host *host)
{
    tulle__engine_free(&host->engine);
    tulle__forward_free(&host->forward);
    drop_paused(host);
    free(host->paused);
    free(host->inbox.events);
}

void
sim_crash(struct sim *sim, int host_index)
{
    struct sim_host *host = &sim->hosts[host_index];
    if (!sim_host_is_up(host))
        return;
    oracle_set_rough(sim->oracle);
    end_host(sim, host);
}

void
sim_leave(struct sim *sim, int host_index)
{
    struct sim_host *host = &sim->hosts[host_index];
    if (!sim_host_is_up(host))
        return;
    oracle_set_rough(sim->oracle);
    if (host->engine != NULL)
        tulle__engine_leave(host->engine, sim_now(sim, host));
    else
        tulle__forward_leave(host->forward, sim_now(sim, host));
    drain_actions(sim, host);
    end_host(sim, host);
}

void
sim_restart(struct sim *sim, int host_index)
{
    sim_crash(sim, host_index);
    sim_start(sim, host_index);
}

void
sim_pause(struct sim *sim, int host_index)
{
    struct sim_host *host = &sim->hosts[host_index];
    if (!sim_host_is_up(host))
        return;
    oracle_set_rough(sim->oracle);
    host->is_paused = true;
}

void
sim_resume(struct sim *sim, int host_index)
{
    struct sim_host *host = &sim->hosts[host_index];
    if (!sim_host_is_up(host) || !host->is_paused)
        return;
    host->is_paused = false;
    size_t count = host->paused_count;
    host->paused_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (sim_failure(sim) == NULL)
            sim_host_input(sim, host, &host->paused[i]);
        sim_packet_unref(&host->paused[i].packet);
    }
    sim_host_drain(sim, host);
}

/* ---- subscriptions and joins ---- */

void
sim_subscribe(
    struct sim *sim, int node_index, const char *pattern, tulle_order order, tulle_from from)
{
    struct sim_host *host = &sim->hosts[node_index];
    if (host->sub_count == SIM_SUBS_MAX || strlen(pattern) >= sizeof host->subs[0].pattern) {
        oracle_fail(sim->oracle, "test error: subscription");
        return;
    }
    struct sim_subscription *sub = &host->subs[host->sub_count++];
    *sub = (struct sim_subscription){ .order = order, .from = from };
    memcpy(sub->pattern, pattern, strlen(pattern));
    if (host->engine == NULL)
        return;
    subscribe_engine(sim, host, sub);
    sim_host_drain(sim, host);
}

void
sim_unsubscribe(struct sim *sim, int node_index, const char *pattern)
{
    struct sim_host *host = &sim->hosts[node_index];
    for (size_t i = 0; i < host->sub_count; i++) {
        if (strcmp(host->subs[i].pattern, pattern) != 0)
            continue;
        if (host->engine != NULL) {
            tulle__engine_unsubscribe(host->engine, host->subs[i].handle, sim_now(sim, host));
            oracle_unsubscribe(sim->oracle, host->incarnation, pattern);
        }
        host->subs[i] = host->subs[--host->sub_count];
        if (host->engine != NULL)
            sim_host_drain(sim, host);
        return;
    }
}

void
sim_dial_only(struct sim *sim, int host_index, size_t side)
{
    if (!sim->config.has_inlets)
        abort(); /* nobody could hear it */
    sim->endpoints[sim->hosts[host_index].endpoints[side]].dials_only = true;
}

void
sim_join(struct sim *sim, int host_index, int other)
{
    struct sim_host *host = &sim->hosts[host_index];
    const struct sim_host *target = &sim->hosts[other];
    for (size_t a = 0; a < host->endpoint_count; a++) {
        for (size_t b = 0; b < target->endpoint_count; b++) {
            const char *own = sim->endpoints[host->endpoints[a]].segment;
            const char *theirs = sim->endpoints[target->endpoints[b]].segment;
            if (strcmp(own, theirs) != 0 || host->join_count == SIM_JOINS_MAX)
                continue;
            host->joins[host->join_count].side = a;
            host->joins[host->join_count++].target = target->endpoints[b];
            if (sim_host_is_up(host)) {
                join_engine(sim, host, host->join_count - 1);
                sim_host_drain(sim, host);
            }
            return;
        }
    }
    oracle_fail(sim->oracle, "test error: no common segment to join in");
}
