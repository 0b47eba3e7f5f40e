/* SPDX-License-Identifier: MPL-2.0 */
/* The simulated network: what ZeroMQ and TCP do, as far as it matters.
 *
 * A SUB or DEALER connection comes up a while after it is dialed or after its
 * other end (re)starts. A PUB sends only to connections that are up and whose
 * subscriptions match at that moment; a DEALER keeps a few messages until its
 * connection is up. Two dials to one address make one connection. What a PUB sends
 * to an inlet goes over the connection that its own side dialed, and so does what
 * comes back to one that only dials. */

#include "sim_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- packets ---- */

static struct sim_packet *
new_packet(struct tulle__view key, const struct tulle__buf *body, const struct tulle__buf *path)
{
    size_t path_len = path == NULL ? 0 : path->len;
    struct sim_packet *packet =
        sim_memory_get(NULL, 1, sizeof *packet + key.len + body->len + path_len);
    *packet = (struct sim_packet){
        .refs = 1, .key_len = key.len, .body_len = body->len, .path_len = path_len
    };
    if (key.len > 0)
        memcpy(packet->bytes, key.data, key.len);
    if (body->len > 0)
        memcpy(packet->bytes + key.len, body->data, body->len);
    if (path_len > 0)
        memcpy(packet->bytes + key.len + body->len, path->data, path_len);
    return packet;
}

void
sim_packet_unref(struct sim_packet **packet)
{
    if (*packet != NULL && --(*packet)->refs == 0)
        free(*packet);
    *packet = NULL;
}

/* ---- connections ---- */

/* Kinds of connections: those to inlets are many, and seldom needed. */
static size_t
wires(const struct sim *sim)
{
    return sim->config.has_inlets ? SIM_WIRE_COUNT : SIM_WIRE_INLET;
}

static struct sim_connection *
connection_of(struct sim *sim, int from, int target, enum sim_wire wire)
{
    struct sim_endpoint *endpoint = &sim->endpoints[from];
    size_t index = (size_t)target * wires(sim) + (size_t)wire;
    if (index >= endpoint->connection_count) {
        size_t count = (size_t)sim->endpoint_count * wires(sim);
        endpoint->connections =
            sim_memory_get(endpoint->connections, count, sizeof *endpoint->connections);
        memset(&endpoint->connections[endpoint->connection_count], 0,
               (count - endpoint->connection_count) * sizeof *endpoint->connections);
        endpoint->connection_count = count;
    }
    return &endpoint->connections[index];
}

static struct sim_host *
host_of(struct sim *sim, int endpoint)
{
    return &sim->hosts[sim->endpoints[endpoint].host];
}

static void
drop_waiting(struct sim_connection *connection)
{
    for (size_t i = 0; i < connection->waiting_count; i++)
        sim_packet_unref(&connection->waiting[i]);
    free(connection->waiting);
    connection->waiting = NULL;
    connection->waiting_count = 0;
}

static void
connect_after(struct sim *sim, int from, int target, enum sim_wire wire, int64_t after_us)
{
    struct sim_connection *connection = connection_of(sim, from, target, wire);
    if (connection->is_connecting || connection->is_up || connection->dials == 0)
        return;
    connection->is_connecting = true;
    struct sim_event event = { .kind = SIM_EVENT_CONNECT,
                               .endpoint = from,
                               .target = target,
                               .wire = (int)wire,
                               .life = host_of(sim, from)->life };
    sim_push(sim, sim->now_us + after_us, &event);
}

/* ---- messages ---- */

static int64_t
arrival_time(struct sim *sim, struct sim_connection *connection)
{
    const struct sim_faults *faults = &sim->config.faults;
    int64_t at =
        sim->now_us + sim_rng_range(&sim->rng, faults->latency_us_min, faults->latency_us_max);
    if (sim_rng_chance(&sim->rng, faults->reorder_permille))
        return at + sim_rng_range(&sim->rng, 0, faults->reorder_us_max);
    if (at <= connection->last_arrival_us)
        at = connection->last_arrival_us + 1;
    connection->last_arrival_us = at;
    return at;
}

/* Put a packet on the way from one endpoint to another over a connection, which
 * belongs to whichever of the two dialed. */
static void
send_packet(struct sim *sim,
            int from,
            int to,
            struct sim_connection *connection,
            enum sim_wire wire,
            struct sim_packet *packet)
{
    sim->messages++;
    struct sim_traffic *traffic = &sim->control;
    if (wire == SIM_WIRE_EVENTS)
        traffic = packet->key_len > 0 && packet->bytes[0] == '$' ? &sim->beats : &sim->events;
    traffic->messages++;
    size_t bytes = packet->key_len + packet->body_len + packet->path_len;
    traffic->bytes += bytes;
    sim->endpoints[to].heard_bytes += bytes;
    if (connection->is_lost || sim->cuts[sim->endpoints[from].host][sim->endpoints[to].host])
        return;
    if (sim_rng_chance(&sim->rng, sim->config.faults.loss_permille))
        return;
    connection->has_spoken = connection->has_spoken || packet->via != 0;
    int copies = sim_rng_chance(&sim->rng, sim->config.faults.duplicate_permille) ? 2 : 1;
    for (int i = 0; i < copies; i++) {
        struct sim_event event = { .kind = wire == SIM_WIRE_EVENTS ? SIM_EVENT_PUBLICATION
                                                                   : SIM_EVENT_CONTROL,
                                   .endpoint = to,
                                   .life = host_of(sim, to)->life,
                                   .packet = packet };
        packet->refs++;
        sim_push(sim, arrival_time(sim, connection), &event);
    }
}

static bool
is_subscribed(const struct sim *sim, const struct sim_endpoint *endpoint, struct tulle__view key)
{
    for (size_t i = 0; i < endpoint->key_count; i++) {
        const struct sim_key *k = &endpoint->keys[i];
        if (k->since_us <= sim->now_us && k->key.len <= key.len &&
            memcmp(k->key.bytes, key.data, k->key.len) == 0)
            return true;
    }
    return false;
}

static void
publish(struct sim *sim, int from, const struct tulle__action *action)
{
    struct tulle__view key = action->u.publication.key;
    struct sim_packet *packet =
        new_packet(key, action->u.publication.body, action->u.publication.path);
    for (int to = 0; to < sim->endpoint_count; to++) {
        struct sim_connection *connection = connection_of(sim, to, from, SIM_WIRE_EVENTS);
        if (sim->endpoints[from].dials_only)
            connection = connection_of(sim, from, to, SIM_WIRE_INLET);
        if (connection->is_up && is_subscribed(sim, &sim->endpoints[to], key))
            send_packet(sim, from, to, connection, SIM_WIRE_EVENTS, packet);
    }
    sim_packet_unref(&packet);
}

/* Place of a dial, or where it would be. */
static size_t
find_dial(const struct sim_endpoint *endpoint, uint64_t hop, enum sim_wire wire)
{
    size_t low = 0;
    size_t high = endpoint->dial_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct sim_dial *dial = &endpoint->dials[middle];
        if (dial->hop < hop || (dial->hop == hop && dial->wire < wire))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool
is_dial(const struct sim_endpoint *endpoint, size_t at, uint64_t hop, enum sim_wire wire)
{
    return at < endpoint->dial_count && endpoint->dials[at].hop == hop &&
           endpoint->dials[at].wire == wire;
}

/* Over a connection that the other side dialed, if there is one. */
static bool
send_back(struct sim *sim, int from, const struct tulle__action *action)
{
    const struct sim_host *host = sim_host_find(sim, action->u.control.hop);
    for (size_t i = 0; host != NULL && i < host->endpoint_count; i++) {
        int to = host->endpoints[i];
        const struct sim_endpoint *other = &sim->endpoints[to];
        for (size_t d = 0; other->dials_only && d < other->dial_count; d++) {
            if (other->dials[d].target != from || other->dials[d].wire != SIM_WIRE_CONTROL)
                continue;
            const struct tulle__buf *header = action->u.control.header;
            struct tulle__view key = { header->data, header->len };
            struct sim_packet *packet = new_packet(key, action->u.control.body, NULL);
            struct sim_connection *connection = connection_of(sim, to, from, SIM_WIRE_CONTROL);
            packet->hop = other->dials[d].hop;
            if (connection->is_up && connection->has_spoken)
                send_packet(sim, from, to, connection, SIM_WIRE_CONTROL, packet);
            sim_packet_unref(&packet);
            return true;
        }
    }
    return sim->config.has_inlets && host == NULL; /* who asked is not there any more */
}

static void
send_control(struct sim *sim, int from, const struct tulle__action *action)
{
    const struct sim_endpoint *endpoint = &sim->endpoints[from];
    size_t at = find_dial(endpoint, action->u.control.hop, SIM_WIRE_CONTROL);
    const struct sim_dial *dial = &endpoint->dials[at];
    if (!is_dial(endpoint, at, action->u.control.hop, SIM_WIRE_CONTROL)) {
        if (!send_back(sim, from, action))
            oracle_fail(sim->oracle, "%s: control message to hop %016llx, which was not dialed",
                        sim->hosts[endpoint->host].name, (unsigned long long)action->u.control.hop);
        return;
    }
    if (dial->target < 0)
        return; /* nobody lives there */
    const struct tulle__buf *header = action->u.control.header;
    struct tulle__view key = { header->data, header->len };
    struct sim_packet *packet = new_packet(key, action->u.control.body, NULL);
    packet->via = sim->hosts[endpoint->host].id;
    struct sim_connection *connection = connection_of(sim, from, dial->target, SIM_WIRE_CONTROL);
    if (connection->is_up) {
        send_packet(sim, from, dial->target, connection, SIM_WIRE_CONTROL, packet);
    } else if (connection->waiting_count < SIM_WAITING_MAX) {
        if (connection->waiting == NULL)
            /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what is wanted */
            connection->waiting = sim_memory_get(NULL, SIM_WAITING_MAX, sizeof packet);
        packet->refs++;
        connection->waiting[connection->waiting_count++] = packet;
    }
    sim_packet_unref(&packet);
}

void
sim_net_connect(struct sim *sim, const struct sim_event *event)
{
    enum sim_wire wire = (enum sim_wire)event->wire;
    struct sim_connection *connection = connection_of(sim, event->endpoint, event->target, wire);
    struct sim_host *host = host_of(sim, event->endpoint);
    struct sim_host *other = host_of(sim, event->target);
    if (event->life != host->life || !sim_host_is_up(host))
        return;
    connection->is_connecting = false;
    if (connection->dials == 0 || !sim_host_is_up(other))
        return; /* tried again when it comes */
    int a = sim->endpoints[event->endpoint].host;
    int b = sim->endpoints[event->target].host;
    if (sim->cuts[a][b] || sim->cuts[b][a]) {
        connect_after(sim, event->endpoint, event->target, wire,
                      sim_rng_range(&sim->rng, 50000, 300000));
        return;
    }
    connection->is_up = true;
    connection->is_lost = false;
    connection->has_spoken = false;
    for (size_t i = 0; i < connection->waiting_count; i++)
        send_packet(sim, event->endpoint, event->target, connection, wire, connection->waiting[i]);
    drop_waiting(connection);
}

static void
lose_one_way(struct sim *sim, const struct sim_host *from, const struct sim_host *to)
{
    for (size_t i = 0; i < from->endpoint_count; i++) {
        for (size_t k = 0; k < to->endpoint_count; k++) {
            for (size_t wire = 0; wire < wires(sim); wire++) {
                struct sim_connection *connection =
                    connection_of(sim, from->endpoints[i], to->endpoints[k], (enum sim_wire)wire);
                connection->is_lost = connection->is_up;
            }
        }
    }
}

void
sim_lose(struct sim *sim, int a, int b)
{
    lose_one_way(sim, &sim->hosts[a], &sim->hosts[b]);
    lose_one_way(sim, &sim->hosts[b], &sim->hosts[a]);
}

/* ---- dialing ---- */

static int
find_target(const struct sim *sim, int from, enum sim_wire wire, const char *address)
{
    const struct sim_endpoint *found = NULL;
    if (wire != SIM_WIRE_CONTROL)
        HASH_FIND(hh_events, sim->by_event_address, address, strlen(address), found);
    else
        HASH_FIND(hh_control, sim->by_control_address, address, strlen(address), found);
    bool is_near = found != NULL && strcmp(found->segment, sim->endpoints[from].segment) == 0;
    return is_near ? (int)(found - sim->endpoints) : -1;
}

static void
dial(struct sim *sim, int from, uint64_t hop, enum sim_wire wire, const char *address)
{
    struct sim_endpoint *endpoint = &sim->endpoints[from];
    if (endpoint->dial_count == SIM_DIALS_MAX) {
        if (!sim->config.is_oracle_blind)
            oracle_fail(sim->oracle, "%s: too many dials", sim->hosts[endpoint->host].name);
        return;
    }
    size_t at = find_dial(endpoint, hop, wire);
    if (is_dial(endpoint, at, hop, wire))
        oracle_fail(sim->oracle, "%s: hop %016llx dialed twice", sim->hosts[endpoint->host].name,
                    (unsigned long long)hop);
    if (endpoint->dial_count == endpoint->dial_cap) {
        endpoint->dial_cap = endpoint->dial_cap == 0 ? 16 : endpoint->dial_cap * 2;
        endpoint->dials =
            sim_memory_get(endpoint->dials, endpoint->dial_cap, sizeof *endpoint->dials);
    }
    struct sim_dial *made = &endpoint->dials[at];
    memmove(made + 1, made, (endpoint->dial_count++ - at) * sizeof *made);
    *made = (struct sim_dial){ .hop = hop,
                               .wire = wire,
                               .target = find_target(sim, from, wire, address) };
    size_t len = strnlen(address, sizeof made->address - 1);
    memcpy(made->address, address, len);
    if (made->target < 0)
        return;
    connection_of(sim, from, made->target, wire)->dials++;
    connect_after(sim, from, made->target, wire, sim_rng_range(&sim->rng, 500, 15000));
}

static void
hang_up(struct sim *sim, int from, uint64_t hop, enum sim_wire wire, const char *address)
{
    struct sim_endpoint *endpoint = &sim->endpoints[from];
    size_t at = find_dial(endpoint, hop, wire);
    struct sim_dial *old = &endpoint->dials[at];
    if (is_dial(endpoint, at, hop, wire) && strcmp(old->address, address) == 0) {
        if (old->target >= 0) {
            struct sim_connection *connection = connection_of(sim, from, old->target, wire);
            if (--connection->dials == 0) {
                connection->is_up = false;
                drop_waiting(connection);
            }
        }
        memmove(old, old + 1, (--endpoint->dial_count - at) * sizeof *old);
        return;
    }
    oracle_fail(sim->oracle, "%s: hangs up hop %016llx, which was not dialed",
                sim->hosts[endpoint->host].name, (unsigned long long)hop);
}

static void
subscribe(struct sim *sim, int from, const struct tulle__key *key)
{
    struct sim_endpoint *endpoint = &sim->endpoints[from];
    if (endpoint->key_count == endpoint->key_cap) {
        endpoint->key_cap = endpoint->key_cap == 0 ? 8 : endpoint->key_cap * 2;
        endpoint->keys = sim_memory_get(endpoint->keys, endpoint->key_cap, sizeof *endpoint->keys);
    }
    endpoint->keys[endpoint->key_count++] =
        (struct sim_key){ .key = *key,
                          .since_us = sim->now_us + sim_rng_range(&sim->rng, 200, 5000) };
}

static void
unsubscribe(struct sim *sim, int from, const struct tulle__key *key)
{
    struct sim_endpoint *endpoint = &sim->endpoints[from];
    for (size_t i = 0; i < endpoint->key_count; i++) {
        struct tulle__key *k = &endpoint->keys[i].key;
        if (k->len != key->len || memcmp(k->bytes, key->bytes, key->len) != 0)
            continue;
        endpoint->keys[i] = endpoint->keys[--endpoint->key_count];
        return;
    }
    oracle_fail(sim->oracle, "%s: unsubscribes a key that was not subscribed",
                sim->hosts[endpoint->host].name);
}

void
sim_net_act(struct sim *sim, int endpoint, const struct tulle__action *action)
{
    if (action->kind == TULLE__ACTION_PUBLISH) {
        publish(sim, endpoint, action);
    } else if (action->kind == TULLE__ACTION_CONTROL) {
        send_control(sim, endpoint, action);
    } else if (action->kind == TULLE__ACTION_DIAL) {
        if (action->u.dial.control != NULL)
            dial(sim, endpoint, action->u.dial.hop, SIM_WIRE_CONTROL, action->u.dial.control);
        if (action->u.dial.events != NULL)
            dial(sim, endpoint, action->u.dial.hop, SIM_WIRE_EVENTS, action->u.dial.events);
        if (action->u.dial.inlet != NULL)
            dial(sim, endpoint, action->u.dial.hop, SIM_WIRE_INLET, action->u.dial.inlet);
    } else if (action->kind == TULLE__ACTION_HANGUP) {
        if (action->u.dial.control != NULL)
            hang_up(sim, endpoint, action->u.dial.hop, SIM_WIRE_CONTROL, action->u.dial.control);
        if (action->u.dial.events != NULL)
            hang_up(sim, endpoint, action->u.dial.hop, SIM_WIRE_EVENTS, action->u.dial.events);
        if (action->u.dial.inlet != NULL)
            hang_up(sim, endpoint, action->u.dial.hop, SIM_WIRE_INLET, action->u.dial.inlet);
    } else if (action->kind == TULLE__ACTION_SUBSCRIBE) {
        subscribe(sim, endpoint, action->u.key);
    } else if (action->kind == TULLE__ACTION_UNSUBSCRIBE) {
        unsubscribe(sim, endpoint, action->u.key);
    } else {
        oracle_fail(sim->oracle, "%s: unexpected action %d",
                    sim->hosts[sim->endpoints[endpoint].host].name, (int)action->kind);
    }
}

/* ---- life ---- */

int
sim_net_add_endpoint(struct sim *sim, int host, size_t side, const char *segment)
{
    if (sim->endpoint_count == SIM_TARGETS_MAX)
        abort(); /* a test that is larger than the simulator */
    struct sim_endpoint *endpoint = &sim->endpoints[sim->endpoint_count];
    *endpoint = (struct sim_endpoint){ .host = host, .side = side };
    size_t len = strnlen(segment, SIM_NAME_MAX - 1);
    memcpy(endpoint->segment, segment, len);
    static const char *const schemes[SIM_WIRE_COUNT] = { "simev://", "sim://", "simev://" };
    for (int wire = 0; wire < SIM_WIRE_COUNT; wire++) {
        char *at = endpoint->address[wire];
        const char *parts[] = { schemes[wire], endpoint->segment, "/", sim->hosts[host].name };
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
            size_t part_len = strlen(parts[i]);
            memcpy(at, parts[i], part_len + 1);
            at += part_len;
        }
    }
    HASH_ADD_KEYPTR(hh_events, sim->by_event_address, endpoint->address[SIM_WIRE_EVENTS],
                    strlen(endpoint->address[SIM_WIRE_EVENTS]), endpoint);
    HASH_ADD_KEYPTR(hh_control, sim->by_control_address, endpoint->address[SIM_WIRE_CONTROL],
                    strlen(endpoint->address[SIM_WIRE_CONTROL]), endpoint);
    return sim->endpoint_count++;
}

void
sim_net_host_up(struct sim *sim, const struct sim_host *host)
{
    for (size_t i = 0; i < host->endpoint_count; i++) {
        for (int from = 0; from < sim->endpoint_count; from++) {
            for (size_t wire = 0; wire < wires(sim); wire++)
                connect_after(sim, from, host->endpoints[i], (enum sim_wire)wire,
                              sim_rng_range(&sim->rng, 1000, 150000));
        }
    }
}

static void
reset_endpoint(struct sim_endpoint *endpoint)
{
    for (size_t c = 0; c < endpoint->connection_count; c++) {
        drop_waiting(&endpoint->connections[c]);
        endpoint->connections[c] = (struct sim_connection){ 0 };
    }
    endpoint->dial_count = 0;
    endpoint->key_count = 0;
}

void
sim_net_host_down(struct sim *sim, const struct sim_host *host)
{
    for (size_t i = 0; i < host->endpoint_count; i++) {
        int own = host->endpoints[i];
        reset_endpoint(&sim->endpoints[own]);
        for (int from = 0; from < sim->endpoint_count; from++) {
            for (size_t wire = 0; wire < wires(sim); wire++)
                connection_of(sim, from, own, (enum sim_wire)wire)->is_up = false;
        }
    }
}

void
sim_net_free(struct sim *sim)
{
    HASH_CLEAR(hh_events, sim->by_event_address);
    HASH_CLEAR(hh_control, sim->by_control_address);
    for (int i = 0; i < sim->endpoint_count; i++) {
        reset_endpoint(&sim->endpoints[i]);
        free(sim->endpoints[i].connections);
        free(sim->endpoints[i].dials);
        free(sim->endpoints[i].keys);
    }
}
