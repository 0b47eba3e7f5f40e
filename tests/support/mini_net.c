/* SPDX-License-Identifier: MPL-2.0 */
/* A few engines on a perfect network. */

#include "mini_net.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mini_packet {
    size_t from;
    size_t to;
    struct tulle__buf *key; /* NULL: a control message */
    struct tulle__buf *header;
    struct tulle__buf *body;
    struct mini_packet *next;
};

struct tulle__view
mini_text(const char *text)
{
    return (struct tulle__view){ (const uint8_t *)text, strlen(text) };
}

static void note(char log[static MINI_LOG_LEN], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
note(char log[static MINI_LOG_LEN], const char *format, ...)
{
    size_t len = strlen(log);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(log + len, MINI_LOG_LEN - len, format, arguments);
    va_end(arguments);
}

/* ---- packets ---- */

static void
free_packet(struct mini_packet *packet)
{
    tulle__buf_unref(&packet->key);
    tulle__buf_unref(&packet->header);
    tulle__buf_unref(&packet->body);
    free(packet);
}

static void
append(struct mini_packet **list, struct mini_packet *packet)
{
    while (*list != NULL)
        list = &(*list)->next;
    packet->next = NULL;
    *list = packet;
}

static void
free_packets(struct mini_packet **list)
{
    while (*list != NULL) {
        struct mini_packet *packet = *list;
        *list = packet->next;
        free_packet(packet);
    }
}

/* The harness must not be refused memory when the engine is: bytes of its own. */
static void
release_copy(struct tulle__buf *buf)
{
    free(buf->owner);
}

static struct tulle__buf *
copy_bytes(struct tulle__view view)
{
    struct tulle__buf *buf = calloc(1, sizeof *buf);
    assert_non_null(buf);
    buf->owner = malloc(view.len + 1);
    assert_non_null(buf->owner);
    if (view.len > 0)
        memcpy(buf->owner, view.data, view.len);
    atomic_init(&buf->refs, 1);
    buf->data = buf->owner;
    buf->len = view.len;
    buf->release = release_copy;
    return buf;
}

static void
send_packet(struct mini_net *net, const struct mini_packet *like, unsigned what)
{
    if ((net->lost[like->from][like->to] & what) != 0)
        return;
    struct mini_packet *packet = calloc(1, sizeof *packet);
    assert_non_null(packet);
    *packet = *like;
    tulle__buf_ref(packet->body);
    if (packet->key != NULL)
        tulle__buf_ref(packet->key);
    if (packet->header != NULL)
        tulle__buf_ref(packet->header);
    bool is_held = (net->held[like->from][like->to] & what) != 0;
    append(is_held ? &net->aside : &net->queue, packet);
}

/* ---- what comes out of an engine ---- */

static bool
takes_key(const struct mini_node *node, struct tulle__view key)
{
    for (size_t i = 0; i < node->key_count; i++) {
        const struct tulle__key *k = &node->keys[i];
        if (k->len <= key.len && (k->len == 0 || memcmp(k->bytes, key.data, k->len) == 0))
            return true;
    }
    return false;
}

static void
on_publish(struct mini_net *net, size_t from, const struct tulle__action *action)
{
    struct tulle__view view = action->u.publication.key;
    struct tulle__buf *key = copy_bytes(view);
    for (size_t to = 0; to < MINI_NODES_MAX; to++) {
        const struct mini_node *node = &net->nodes[to];
        if (to == from || node->engine == NULL || !node->hears[from] || !takes_key(node, view))
            continue;
        send_packet(net,
                    &(struct mini_packet){
                        .from = from, .to = to, .key = key, .body = action->u.publication.body },
                    view.data[0] == '$' ? MINI_BEATS : MINI_EVENTS);
    }
    tulle__buf_unref(&key);
}

static void
on_control(struct mini_net *net, size_t from, const struct tulle__action *action)
{
    const struct mini_node *node = &net->nodes[from];
    struct tulle__buf *frame = action->u.control.header;
    for (size_t i = 0; i < node->way_count; i++) {
        if (node->ways[i].hop != action->u.control.hop)
            continue;
        send_packet(net,
                    &(struct mini_packet){ .from = from,
                                           .to = node->ways[i].to,
                                           .header = frame,
                                           .body = action->u.control.body },
                    MINI_CONTROL);
        return;
    }
    struct tulle__control_header header;
    assert_status(tulle__header_decode(frame->data, frame->len, &header), TULLE_OK);
    net->ghost_counter[header.kind] = header.counter;
    net->ghost_count[header.kind]++;
    tulle__buf_unref(&net->ghost_body[header.kind]);
    net->ghost_body[header.kind] = tulle__buf_ref(action->u.control.body);
}

static size_t
find_address(const char *address)
{
    size_t node = address == NULL || address[1] != '\0' ? SIZE_MAX : (size_t)(address[0] - 'a');
    return node < MINI_NODES_MAX ? node : SIZE_MAX;
}

static void
on_dial(struct mini_node *node, const struct tulle__action *action, int64_t now_ns)
{
    assert_true(node->dial_count < MINI_DIALS_MAX);
    node->dials[node->dial_count++] = (struct mini_dial){ .at_ms = now_ns / 1000000,
                                                          .hop = action->u.dial.hop,
                                                          .turn = action->u.dial.turn,
                                                          .tries = action->u.dial.tries };
    size_t control = find_address(action->u.dial.control);
    size_t events = find_address(action->u.dial.events);
    if (control != SIZE_MAX) {
        assert_true(node->way_count < MINI_WAYS_MAX);
        node->ways[node->way_count++] = (struct mini_way){ action->u.dial.hop, control };
    }
    if (events != SIZE_MAX)
        node->hears[events] = true;
}

static void
on_hangup(struct mini_node *node, const struct tulle__action *action)
{
    size_t events = find_address(action->u.dial.events);
    for (size_t i = 0; i < node->way_count; i++) {
        if (action->u.dial.control != NULL && node->ways[i].hop == action->u.dial.hop)
            node->ways[i] = node->ways[--node->way_count];
    }
    if (events != SIZE_MAX)
        node->hears[events] = false;
}

static void
on_key(struct mini_node *node, const struct tulle__key *key, bool is_new)
{
    char text[TULLE__KEY_LEN_MAX + 1] = "";
    for (size_t i = 0; i < key->len; i++)
        text[i] = key->bytes[i] == 0 ? '0' : (char)key->bytes[i];
    note(node->keys_log, "%c%s ", is_new ? '+' : '-', text);
    if (is_new) {
        assert_true(node->key_count < MINI_KEYS_MAX);
        node->keys[node->key_count++] = *key;
        return;
    }
    for (size_t i = 0; i < node->key_count; i++) {
        if (node->keys[i].len == key->len && memcmp(node->keys[i].bytes, key->bytes, key->len) == 0)
            node->keys[i] = node->keys[--node->key_count];
    }
}

static void
on_events(struct mini_node *node, const struct tulle__delivery *delivery, const char *how)
{
    struct tulle__event_walk walk;
    struct tulle__event_view event;
    tulle__batch_walk(&delivery->batch, &walk);
    while (tulle__batch_next(&walk, &event)) {
        char payload[64] = "";
        if (event.seq < delivery->first || event.seq > delivery->last)
            continue;
        memcpy(payload, event.payload.data, event.payload.len < 63 ? event.payload.len : 63);
        if (how[0] == '\0')
            note(node->log, "%s ", payload);
        else
            note(node->log, "%s(%s) ", how, payload);
    }
}

static void
on_gap(struct mini_node *node, const tulle_gap *gap)
{
    static const char *const reasons[] = { "", "evicted", "unreachable", "best-effort",
                                           "malformed" };
    note(node->log, "gap(%s/%s %llu-%llu %s) ", gap->node_name, gap->stream,
         (unsigned long long)gap->first, (unsigned long long)gap->last, reasons[gap->reason]);
}

static void
on_action(struct mini_net *net, size_t from, const struct tulle__action *action)
{
    static const char *const states[] = { "", "up", "suspect", "gone", "left", "restarted" };
    struct mini_node *node = &net->nodes[from];
    switch (action->kind) {
    case TULLE__ACTION_PUBLISH:
        on_publish(net, from, action);
        break;
    case TULLE__ACTION_CONTROL:
        on_control(net, from, action);
        break;
    case TULLE__ACTION_DIAL:
        on_dial(node, action, net->now.mono.ns);
        break;
    case TULLE__ACTION_HANGUP:
        on_hangup(node, action);
        break;
    case TULLE__ACTION_SUBSCRIBE:
        on_key(node, action->u.key, true);
        break;
    case TULLE__ACTION_UNSUBSCRIBE:
        on_key(node, action->u.key, false);
        break;
    case TULLE__ACTION_ARRIVAL:
        on_events(node, &action->u.delivery, "arrived");
        break;
    case TULLE__ACTION_DELIVER:
        on_events(node, &action->u.delivery, "");
        break;
    case TULLE__ACTION_DUPLICATE:
        on_events(node, &action->u.delivery, action->u.delivery.is_late ? "late" : "twice");
        break;
    case TULLE__ACTION_GAP:
        on_gap(node, &action->u.gap);
        break;
    case TULLE__ACTION_PEER:
        note(node->peers, "%s(%s) ", states[action->u.peer.state], action->u.peer.name);
        break;
    case TULLE__ACTION_RELAY_PUBLICATION:
    case TULLE__ACTION_RELAY_CONTROL:
        fail_msg("a node is no proxy");
        break;
    }
}

static void
drain(struct mini_net *net, size_t node)
{
    struct tulle__action action;
    if (!net->nodes[node].is_not_closing)
        tulle__engine_close_batches(net->nodes[node].engine, net->now);
    while (tulle__engine_next_action(net->nodes[node].engine, &action)) {
        on_action(net, node, &action);
        tulle__action_fini(&action);
    }
}

/* ---- moving on ---- */

static void
deliver(struct mini_net *net, const struct mini_packet *packet)
{
    struct tulle__engine *engine = net->nodes[packet->to].engine;
    struct tulle__view no_path = { NULL, 0 };
    if (engine == NULL)
        return;
    if (packet->key != NULL) {
        struct tulle__view key = { packet->key->data, packet->key->len };
        tulle__engine_on_publication(engine, key, packet->body, no_path, net->now);
    } else {
        struct tulle__view header = { packet->header->data, packet->header->len };
        tulle__engine_on_control(engine, mini_id(net, packet->from), header, packet->body,
                                 net->now);
    }
    drain(net, packet->to);
}

void
mini_pump(struct mini_net *net)
{
    for (size_t i = 0; i < MINI_NODES_MAX; i++) {
        if (net->nodes[i].engine != NULL)
            drain(net, i);
    }
    while (net->queue != NULL) {
        struct mini_packet *packet = net->queue;
        net->queue = packet->next;
        deliver(net, packet);
        free_packet(packet);
    }
}

void
mini_run(struct mini_net *net, int64_t ms)
{
    int64_t end_ns = net->now.mono.ns + tulle__ms_to_ns(ms);
    mini_pump(net);
    while (net->now.mono.ns < end_ns) {
        net->now.mono.ns += tulle__ms_to_ns(1);
        net->now.wall.us += 1000;
        for (size_t i = 0; i < MINI_NODES_MAX; i++) {
            struct tulle__engine *engine = net->nodes[i].engine;
            if (engine != NULL && net->now.mono.ns >= tulle__engine_deadline(engine).ns)
                tulle__engine_on_timer(engine, net->now);
        }
        mini_pump(net);
    }
}

/* ---- life ---- */

static void
init_node(struct mini_node *node, size_t index)
{
    node->name[0] = (char)('a' + (char)index);
    tulle__engine_config_init(&node->config);
    node->config.mesh = "mini";
    node->config.name = node->name;
    node->config.control_addresses[0] = node->name;
    node->config.control_address_count = 1;
    node->config.event_addresses[0] = node->name;
    node->config.event_address_count = 1;
    node->config.beat_ms = 100;
    node->config.suspect_ms = 300;
    node->config.gone_ms = 1000;
    node->config.hold_ms = 1000;
    node->config.fetch_delay_ms = 10;
}

int
mini_setup(void **state)
{
    struct mini_net *net = calloc(1, sizeof *net);
    if (net == NULL)
        return 1;
    net->now.mono.ns = tulle__ms_to_ns(1000);
    net->now.wall.us = INT64_C(1700000000000000);
    for (size_t i = 0; i < MINI_NODES_MAX; i++)
        init_node(&net->nodes[i], i);
    *state = net;
    return 0;
}

int
mini_teardown(void **state)
{
    struct mini_net *net = *state;
    tulle__alloc_set_hook(NULL, NULL);
    free_packets(&net->queue);
    free_packets(&net->aside);
    for (size_t i = 0; i < MINI_NODES_MAX; i++)
        tulle__engine_free(&net->nodes[i].engine);
    for (size_t i = 0; i < sizeof net->ghost_body / sizeof net->ghost_body[0]; i++)
        tulle__buf_unref(&net->ghost_body[i]);
    free(net);
    return 0;
}

uint64_t
mini_id(const struct mini_net *net, size_t node)
{
    return TULLE__NODE_ID_MIN + (node + 1) * 100 + net->nodes[node].starts;
}

void
mini_start_one(struct mini_net *net, size_t node_index, size_t join)
{
    struct mini_node *node = &net->nodes[node_index];
    assert_null(node->engine);
    node->starts++;
    node->config.id = mini_id(net, node_index);
    node->key_count = node->way_count = node->dial_count = 0;
    memset(node->hears, 0, sizeof node->hears);
    node->engine = tulle__engine_new(&node->config, net->now);
    assert_non_null(node->engine);
    if (join != node_index)
        assert_status(tulle__engine_join(node->engine, net->nodes[join].name, net->now), TULLE_OK);
}

void
mini_start(struct mini_net *net, size_t count)
{
    for (size_t i = 0; i < count; i++)
        mini_start_one(net, i, 0);
    mini_run(net, 500);
}

void
mini_crash(struct mini_net *net, size_t node)
{
    tulle__engine_free(&net->nodes[node].engine);
}

void
mini_leave(struct mini_net *net, size_t node)
{
    tulle__engine_leave(net->nodes[node].engine, net->now);
    drain(net, node);
    mini_crash(net, node);
    mini_pump(net);
}

/* ---- commands ---- */

uint32_t
mini_take_as(struct mini_net *net,
             size_t node,
             const char *pattern,
             const tulle_subscribe_options *options)
{
    uint32_t handle = 0;
    assert_status(tulle__engine_subscribe(net->nodes[node].engine, mini_text(pattern), options,
                                          &handle, net->now),
                  TULLE_OK);
    mini_pump(net);
    return handle;
}

uint32_t
mini_take(struct mini_net *net, size_t node, const char *pattern)
{
    return mini_take_as(
        net, node, pattern,
        &(tulle_subscribe_options){ .order = TULLE_ORDER_CAUSAL, .from = TULLE_FROM_LIVE });
}

void
mini_untake(struct mini_net *net, size_t node, uint32_t handle)
{
    tulle__engine_unsubscribe(net->nodes[node].engine, handle, net->now);
    mini_pump(net);
}

tulle_status
mini_try_publish(struct mini_net *net, size_t node, const char *topic, const char *payload)
{
    struct tulle__publish publish = { .topic = mini_text(topic),
                                      .stream_levels = 1,
                                      .payload = mini_text(payload) };
    tulle_status status = tulle__engine_publish(net->nodes[node].engine, &publish, net->now);
    mini_pump(net);
    return status;
}

void
mini_publish(struct mini_net *net, size_t node, const char *topic, const char *payload)
{
    assert_status(mini_try_publish(net, node, topic, payload), TULLE_OK);
}

void
mini_publish_caused(struct mini_net *net,
                    size_t node,
                    const char *topic,
                    const char *payload,
                    struct tulle__dep cause)
{
    struct tulle__attributes_in attributes = { .causes = &cause, .cause_count = 1 };
    struct tulle__publish publish = { .topic = mini_text(topic),
                                      .stream_levels = 1,
                                      .payload = mini_text(payload),
                                      .attributes = &attributes,
                                      .only_causes = true };
    assert_status(tulle__engine_publish(net->nodes[node].engine, &publish, net->now), TULLE_OK);
    mini_pump(net);
}

void
mini_publish_after(struct mini_net *net,
                   size_t node,
                   const char *topic,
                   const struct tulle__dep *after,
                   size_t after_count,
                   bool is_only)
{
    struct tulle__publish publish = { .topic = mini_text(topic),
                                      .stream_levels = 1,
                                      .payload = mini_text(topic),
                                      .only_causes = is_only,
                                      .after = after,
                                      .after_count = after_count };
    assert_status(tulle__engine_publish(net->nodes[node].engine, &publish, net->now), TULLE_OK);
    mini_pump(net);
}

void
mini_lose(struct mini_net *net, size_t from, size_t to, unsigned what)
{
    net->lost[from][to] = what;
}

void
mini_heal(struct mini_net *net, size_t from, size_t to)
{
    net->lost[from][to] = 0;
}

void
mini_hold(struct mini_net *net, size_t from, size_t to, unsigned what)
{
    net->held[from][to] = what;
}

void
mini_release(struct mini_net *net)
{
    memset(net->held, 0, sizeof net->held);
    while (net->aside != NULL) {
        struct mini_packet *packet = net->aside;
        net->aside = packet->next;
        append(&net->queue, packet);
    }
    mini_pump(net);
}

tulle_counters
mini_counters(const struct mini_net *net, size_t node)
{
    tulle_counters counters;
    tulle__engine_counters(net->nodes[node].engine, &counters);
    return counters;
}

const char *
mini_log(const struct mini_net *net, size_t node)
{
    return net->nodes[node].log;
}

/* ---- ghosts ---- */

struct tulle__buf *
mini_batch(
    uint64_t node, uint64_t first, uint32_t count, const struct tulle__dep *deps, size_t dep_count)
{
    struct tulle__writer events;
    struct tulle__writer scratch;
    tulle__writer_init(&events);
    tulle__writer_init(&scratch);
    for (uint32_t i = 0; i < count; i++) {
        char payload[32];
        (void)snprintf(payload, sizeof payload, "%" PRIu64, first + i);
        tulle__event_encode(&events, mini_text(""), 0, mini_text(payload), NULL);
    }
    struct tulle__batch_head head = { .node = node,
                                      .first_seq = first,
                                      .base_hlc = 1,
                                      .event_count = count,
                                      .deps = deps,
                                      .dep_count = dep_count };
    struct tulle__buf *buf = tulle__batch_encode(&head, &events, &scratch);
    assert_non_null(buf);
    tulle__writer_fini(&events);
    tulle__writer_fini(&scratch);
    return buf;
}

void
mini_tell(struct mini_net *net, size_t to, const char *stream, struct tulle__buf *body)
{
    struct tulle__view key = { (const uint8_t *)stream, strlen(stream) + 1 };
    struct tulle__view no_path = { NULL, 0 };
    tulle__engine_on_publication(net->nodes[to].engine, key, body, no_path, net->now);
    tulle__buf_unref(&body);
    mini_pump(net);
}

struct tulle__buf *
mini_beat(const struct tulle__beat_out *beat)
{
    struct tulle__beat_out out = *beat;
    struct tulle__writer w;
    tulle__writer_init(&w);
    if (out.mesh.len == 0)
        out.mesh = mini_text("mini");
    if (out.self.name == NULL)
        out.self.name = "ghost";
    out.hlc = 1;
    tulle__beat_encode(&w, &out);
    struct tulle__buf *buf = tulle__writer_take(&w);
    assert_non_null(buf);
    tulle__writer_fini(&w);
    return buf;
}

void
mini_tell_beat(struct mini_net *net, size_t to, const struct tulle__beat_out *beat)
{
    mini_tell(net, to, "$beat", mini_beat(beat));
}

void
mini_tell_control(struct mini_net *net,
                  size_t to,
                  const struct tulle__control_header *header,
                  struct tulle__writer *w)
{
    struct tulle__control_header out = *header;
    struct tulle__writer frame;
    tulle__writer_init(&frame);
    if (out.mesh.len == 0)
        out.mesh = mini_text("mini");
    tulle__header_encode(&frame, &out);
    struct tulle__buf *body = tulle__writer_take(w);
    assert_non_null(body);
    struct tulle__view view = { frame.data, frame.len };
    tulle__engine_on_control(net->nodes[to].engine, out.from, view, body, net->now);
    tulle__buf_unref(&body);
    tulle__writer_fini(&frame);
    mini_pump(net);
}

void
mini_meet_ghost(struct mini_net *net, size_t to, uint64_t id)
{
    const char *address = "ghost";
    struct tulle__self_out self = { .name = "ghost",
                                    .control_addresses = &address,
                                    .control_address_count = 1,
                                    .event_addresses = &address,
                                    .event_address_count = 1,
                                    .beat_ms = 60000 };
    struct tulle__beat_out beat = { .id = id, .counter = 1, .self = self, .has_self = true };
    mini_tell_beat(net, to, &beat);
    mini_run(net, 10);
    struct tulle__here_out here = { .reply_to = net->ghost_counter[TULLE__SYNC],
                                    .self = self,
                                    .has_lanes = true };
    struct tulle__writer w;
    tulle__writer_init(&w);
    tulle__here_encode(&w, &here);
    mini_tell_control(net, to,
                      &(struct tulle__control_header){
                          .kind = TULLE__HERE, .from = id, .to = mini_id(net, to), .counter = 1 },
                      &w);
    tulle__writer_fini(&w);
}
