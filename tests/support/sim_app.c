/* SPDX-License-Identifier: MPL-2.0 */
/* Verbs and questions of tests. */

#include "sim_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- making hosts ---- */

static struct sim_host *
add_host(struct sim *sim, const char *name)
{
    if (sim->host_count == SIM_HOSTS_MAX)
        abort(); /* a test that is larger than the simulator */
    struct sim_host *host = &sim->hosts[sim->host_count++];
    size_t len = strnlen(name, SIM_NAME_MAX - 1);
    memcpy(host->name, name, len);
    host->skew_us = sim_rng_range(&sim->rng, -sim->config.skew_us_max, sim->config.skew_us_max);
    return host;
}

int
sim_add_node(struct sim *sim, const char *name, const char *segment)
{
    int index = sim->host_count;
    struct sim_host *host = add_host(sim, name);
    host->endpoints[0] = sim_net_add_endpoint(sim, index, 0, segment);
    host->endpoint_count = 1;
    return index;
}

int
sim_add_proxy(struct sim *sim, const char *name, const char *const *segments, size_t count)
{
    int index = sim->host_count;
    struct sim_host *host = add_host(sim, name);
    host->is_proxy = true;
    for (size_t i = 0; i < count && i < SIM_SIDES_MAX; i++)
        host->endpoints[host->endpoint_count++] = sim_net_add_endpoint(sim, index, i, segments[i]);
    return index;
}

bool
sim_is_up(const struct sim *sim, int host)
{
    return sim_host_is_up(&sim->hosts[host]);
}

bool
sim_is_proxy(const struct sim *sim, int host)
{
    return sim->hosts[host].is_proxy;
}

int
sim_host_count(const struct sim *sim)
{
    return sim->host_count;
}

uint64_t
sim_id(const struct sim *sim, int node)
{
    return sim->hosts[node].id;
}

uint32_t
sim_incarnation(const struct sim *sim, int node)
{
    return sim->hosts[node].incarnation;
}

void
sim_stall(struct sim *sim, int node, bool is_stalled)
{
    struct sim_host *host = &sim->hosts[node];
    if (host->engine == NULL || host->is_stalled == is_stalled)
        return;
    oracle_set_rough(sim->oracle);
    host->is_stalled = is_stalled;
    sim_trace(sim, host, is_stalled ? "stalls" : "goes on");
    tulle__engine_set_stalled(host->engine, is_stalled, sim_now(sim, host));
    sim_host_drain(sim, host);
}

/* ---- network ---- */

void
sim_set_faults(struct sim *sim, const struct sim_faults *faults)
{
    sim->config.faults = *faults;
}

void
sim_cut(struct sim *sim, int from, int to)
{
    oracle_set_rough(sim->oracle);
    sim_trace(sim, &sim->hosts[from], "is cut off from %s", sim->hosts[to].name);
    sim->cuts[from][to] = true;
}

void
sim_heal(struct sim *sim)
{
    memset(sim->cuts, 0, sizeof sim->cuts);
}

void
sim_partition(struct sim *sim, const int *group, size_t count, enum sim_partition way)
{
    bool is_inside[SIM_HOSTS_MAX] = { false };
    for (size_t i = 0; i < count; i++)
        is_inside[group[i]] = true;
    for (int a = 0; a < sim->host_count; a++) {
        for (int b = 0; b < sim->host_count; b++) {
            if (is_inside[a] && !is_inside[b] && way != SIM_INWARD_LOST)
                sim_cut(sim, a, b);
            if (!is_inside[a] && is_inside[b] && way != SIM_OUTWARD_LOST)
                sim_cut(sim, a, b);
        }
    }
}

/* ---- publishing ---- */

static size_t
stream_len(const char *topic, uint32_t levels)
{
    size_t len = 0;
    for (; topic[len] != '\0'; len++) {
        if (topic[len] == '/' && --levels == 0)
            break;
    }
    return len;
}

/* Does the node take a stream that the publisher's question is about? As
 * taker_count() has it: some key of one is the beginning of a key of the other. */
static bool
is_asked_for(const struct sim *sim, const struct sim_host *host, const char *topic)
{
    struct tulle__key keys[TULLE__KEYS_PER_PATTERN_MAX];
    struct tulle__view pattern = { (const uint8_t *)topic, strlen(topic) };
    size_t count = tulle__pattern_keys(pattern, keys);
    const struct sim_endpoint *endpoint = &sim->endpoints[host->endpoints[0]];
    for (size_t i = 0; i < endpoint->key_count; i++) {
        const struct tulle__key *own = &endpoint->keys[i].key;
        if (own->len > 0 && own->bytes[0] == '$')
            continue;
        for (size_t k = 0; k < count; k++) {
            size_t len = own->len < keys[k].len ? own->len : keys[k].len;
            if (len == 0 || memcmp(own->bytes, keys[k].bytes, len) == 0)
                return true;
        }
    }
    return false;
}

static bool
knows_only_the_living(const struct sim *sim, const struct sim_host *host)
{
    tulle_peer peer;
    const struct tulle__peer *at = NULL;
    while (tulle__engine_next_peer(host->engine, &at, &peer)) {
        bool is_there = peer.state != TULLE_PEER_UP && peer.state != TULLE_PEER_SUSPECT;
        if (!is_there && sim_host_find(sim, peer.node) == NULL)
            return false;
    }
    return true;
}

/* When the publisher counts as many takers as there are, it counts everyone: then
 * none of them may miss the event. */
static void
note_promises(struct sim *sim, struct sim_host *host, const char *topic, struct oracle_ref event)
{
    struct tulle__view pattern = { (const uint8_t *)topic, strlen(topic) };
    size_t counted = tulle__engine_taker_count(host->engine, pattern);
    size_t expected = 0;
    if (counted == 0 || !knows_only_the_living(sim, host))
        return;
    for (int i = 0; i < sim->host_count; i++) {
        const struct sim_host *other = &sim->hosts[i];
        if (other != host && other->engine != NULL && is_asked_for(sim, other, topic))
            expected++;
    }
    if (counted != expected)
        return;
    for (int i = 0; i < sim->host_count; i++) {
        const struct sim_host *other = &sim->hosts[i];
        if (other != host && other->engine != NULL && is_asked_for(sim, other, topic))
            oracle_promised(sim->oracle, event, other->incarnation);
    }
    sim_trace(sim, host, "promises it to %zu", counted);
}

/* As the node does with events that wait: they are encoded before the engine sees them. */
static tulle_status
publish_gathered(struct sim *sim, struct sim_host *host, const struct tulle__publish *publish)
{
    struct tulle__writer events;
    tulle__writer_init(&events);
    tulle__write_room(&events, TULLE__BATCH_ROOM);
    struct tulle__view topic = publish->topic;
    size_t len = tulle__stream_len(topic, publish->stream_levels);
    tulle__event_encode(&events, tulle__topic_rest(topic, len), 0, publish->payload,
                        publish->attributes);
    struct tulle__gathered gathered = { .stream = { topic.data, len },
                                        .events = &events,
                                        .count = 1 };
    tulle_status status =
        tulle__engine_publish_gathered(host->engine, &gathered, sim_now(sim, host));
    tulle__writer_fini(&events);
    return status;
}

/* Every third that may goes the gathered way. */
static tulle_status
hand_in(struct sim *sim,
        struct sim_host *host,
        const struct tulle__publish *publish,
        bool leaves_open)
{
    bool is_third = oracle_published_count(sim->oracle) % 3 == 0;
    if (is_third && !publish->only_causes && publish->after_count == 0 && !leaves_open)
        return publish_gathered(sim, host, publish);
    return tulle__engine_publish(host->engine, publish, sim_now(sim, host));
}

/* As the engine names them. */
static void
put_refs(const struct sim *sim,
         const struct oracle_ref *refs,
         size_t count,
         struct tulle__dep out[static TULLE__CAUSES_MAX])
{
    for (size_t i = 0; i < count; i++) {
        const char *name = oracle_stream_name(sim->oracle, refs[i].stream);
        out[i] = (struct tulle__dep){ .node = oracle_id(sim->oracle, refs[i].node),
                                      .stream = { (const uint8_t *)name, strlen(name) },
                                      .count = refs[i].seq };
    }
}

bool
sim_publish_event(struct sim *sim,
                  int node,
                  const struct sim_publish_in *publish,
                  struct oracle_ref *event)
{
    struct sim_host *host = &sim->hosts[node];
    if (host->engine == NULL || host->is_paused || publish->cause_count > TULLE__CAUSES_MAX ||
        publish->after_count > TULLE__CAUSES_MAX)
        return false;
    struct tulle__dep causes[TULLE__CAUSES_MAX];
    struct tulle__dep after[TULLE__CAUSES_MAX];
    put_refs(sim, publish->causes, publish->cause_count, causes);
    put_refs(sim, publish->after, publish->after_count, after);
    struct tulle__attributes_in attributes = { .causes = causes,
                                               .cause_count = publish->cause_count };
    struct tulle__publish in = {
        .topic = { (const uint8_t *)publish->topic, strlen(publish->topic) },
        .stream_levels = publish->stream_levels,
        .payload = { publish->payload, publish->payload_len },
        .attributes = publish->cause_count > 0 ? &attributes : NULL,
        .only_causes = publish->only_causes,
        .after = after,
        .after_count = publish->after_count,
    };
    if (hand_in(sim, host, &in, publish->leaves_open) != TULLE_OK)
        return false;
    char stream[TULLE__TOPIC_LEN_MAX + 1] = { 0 };
    memcpy(stream, publish->topic, stream_len(publish->topic, publish->stream_levels));
    struct oracle_publish told = { .stream = stream,
                                   .topic = publish->topic,
                                   .payload = publish->payload,
                                   .payload_len = publish->payload_len,
                                   .causes = publish->causes,
                                   .cause_count = publish->cause_count,
                                   .only_causes = publish->only_causes,
                                   .after = publish->after,
                                   .after_count = publish->after_count };
    *event = oracle_published(sim->oracle, host->incarnation, &told);
    sim_hash(sim, event->seq);
    sim_trace(sim, host, "publishes %s %u", stream, event->seq);
    note_promises(sim, host, publish->topic, *event);
    sim_host_drain(sim, host);
    if (!publish->leaves_open)
        sim_close_batches(sim, node);
    return true;
}

struct oracle_ref
sim_publish(struct sim *sim, int node, const char *topic, const char *payload)
{
    struct sim_publish_in in = {
        .topic = topic, .stream_levels = 1, .payload = payload, .payload_len = strlen(payload)
    };
    struct oracle_ref event = { 0 };
    if (!sim_publish_event(sim, node, &in, &event))
        oracle_fail(sim->oracle, "%s: publish was refused", sim->hosts[node].name);
    return event;
}

void
sim_close_batches(struct sim *sim, int node)
{
    struct sim_host *host = &sim->hosts[node];
    if (host->engine == NULL || host->is_paused)
        return;
    tulle__engine_close_batches(host->engine, sim_now(sim, host));
    sim_host_drain(sim, host);
}

/* ---- questions ---- */

bool
sim_has(const struct sim *sim, int node, struct oracle_ref event)
{
    return oracle_has(sim->oracle, sim->hosts[node].incarnation, event);
}

bool
sim_has_gap(const struct sim *sim, int node, struct oracle_ref event)
{
    return oracle_has_gap(sim->oracle, sim->hosts[node].incarnation, event);
}

void
sim_counters(const struct sim *sim, int node, tulle_counters *out)
{
    *out = (tulle_counters){ 0 };
    if (sim->hosts[node].engine != NULL)
        tulle__engine_counters(sim->hosts[node].engine, out);
}

void
sim_side_counters(const struct sim *sim, int proxy, size_t side, tulle_counters *out)
{
    *out = (tulle_counters){ 0 };
    if (sim->hosts[proxy].forward != NULL)
        tulle__forward_counters(sim->hosts[proxy].forward, side, out);
}

tulle_peer_state
sim_peer_state(const struct sim *sim, int node, int other)
{
    tulle_peer peer;
    const struct sim_host *host = &sim->hosts[node];
    const struct tulle__peer *at = NULL;
    while (host->engine != NULL && tulle__engine_next_peer(host->engine, &at, &peer)) {
        if (peer.node == sim->hosts[other].id)
            return peer.state;
    }
    return (tulle_peer_state)0;
}

size_t
sim_taker_count(const struct sim *sim, int node, const char *pattern)
{
    const struct sim_host *host = &sim->hosts[node];
    struct tulle__view view = { (const uint8_t *)pattern, strlen(pattern) };
    return host->engine == NULL ? 0 : tulle__engine_taker_count(host->engine, view);
}
