/* SPDX-License-Identifier: MPL-2.0 */

/* A whole engine, or a proxy of two: the bytes decide which input comes next and what
 * is in it. Messages are written by the encoders, so that they get past the decoders,
 * and then perhaps damaged. Apart from crashes: what is delivered in order comes once
 * and in order, and what is kept stays within its bounds, also without memory. */

#include "base/alloc.h"
#include "base/panic.h"
#include "codec/beat.h"
#include "codec/control.h"
#include "codec/topic.h"
#include "delivery/engine.h"
#include "delivery/forward.h"
#include "fuzz.h"

#include <string.h>

enum {
    GHOSTS = 4, /* nodes that the input speaks for; the last has the engine's own id */
    STREAMS = 3,
    HANDLES = 4,
    ITEMS_MAX = 4, /* in a list of a message */
    HELD_BYTES = 4096,
    LANES_MAX = 24,
    PEERS_MAX = 6
};

static const char *const streams[STREAMS] = { "s", "s/u", "t" };
static const char *const patterns[] = { "**", "s/**", "t", "s/*", "*" };

struct play {
    const uint8_t *bytes;
    size_t left;
    struct tulle__engine *engine;   /* or */
    struct tulle__forward *forward; /* a proxy */
    size_t side;                    /* where the next input comes from */
    struct tulle__now now;
    struct tulle__writer body;
    struct tulle__writer header;
    struct tulle__writer events;
    uint64_t asked[8]; /* counter of the last control message of each kind */
    uint64_t counter;  /* of what comes in */
    uint32_t handles[HANDLES];
    bool has_handle[HANDLES];
    uint64_t next[GHOSTS][STREAMS]; /* lowest seq that may be delivered in order */
    size_t allocations_left;
};

/* ---- reading the input: one thing a statement, so that every compiler reads the same ---- */

static uint8_t
take_byte(struct play *p)
{
    if (p->left == 0)
        return 0;
    p->left--;
    return *p->bytes++;
}

static uint64_t
ghost_id(uint8_t byte)
{
    return TULLE__NODE_ID_MIN + byte % GHOSTS;
}

static uint64_t
take_ghost(struct play *p)
{
    return ghost_id(take_byte(p));
}

static size_t
take_count(struct play *p)
{
    return take_byte(p) % (ITEMS_MAX + 1);
}

static struct tulle__view
text_view(const char *text)
{
    return (struct tulle__view){ (const uint8_t *)text, strlen(text) };
}

static struct tulle__view
take_stream(struct play *p)
{
    return text_view(streams[take_byte(p) % STREAMS]);
}

/* Mostly small, at times as large as can be. */
static uint64_t
take_seq(struct play *p)
{
    uint8_t byte = take_byte(p);
    if (byte < 0xf0)
        return 1 + byte % 32;
    return byte < 0xf8 ? TULLE__SEQ_MAX - (byte & 7U) : UINT64_C(1) << (byte & 7U) * 8;
}

static size_t
take_clock(struct play *p, struct tulle__dep deps[static ITEMS_MAX])
{
    size_t count = take_count(p);
    for (size_t i = 0; i < count; i++) {
        deps[i].node = take_ghost(p);
        deps[i].stream = take_stream(p);
        deps[i].count = take_seq(p);
    }
    return count;
}

/* Damage what was written, as the input says. */
static void
damage(struct play *p, struct tulle__writer *w)
{
    uint8_t how = take_byte(p);
    if (how < 0xc0 || w->len == 0)
        return;
    for (int i = 0; i <= (how & 3); i++) {
        size_t at = take_byte(p);
        at = (at << 8 | take_byte(p)) % w->len;
        w->data[at] = take_byte(p);
    }
    if ((how & 4) != 0)
        w->len -= take_byte(p) % w->len;
}

/* ---- what comes out ---- */

static size_t
find_stream(const char *stream)
{
    for (size_t i = 0; i < STREAMS; i++) {
        if (strcmp(streams[i], stream) == 0)
            return i;
    }
    return SIZE_MAX;
}

static void
note_passed(struct play *p, uint64_t node, const char *stream, uint64_t first, uint64_t last)
{
    size_t index = find_stream(stream);
    if (node - TULLE__NODE_ID_MIN >= GHOSTS || index == SIZE_MAX)
        return; /* a damaged name */
    uint64_t *next = &p->next[node - TULLE__NODE_ID_MIN][index];
    TULLE_ASSERT(first >= *next);
    *next = last + 1;
}

static void
read_delivery(struct play *p, const struct tulle__action *action)
{
    const struct tulle__delivery *delivery = &action->u.delivery;
    struct tulle__event_walk walk;
    struct tulle__event_view event;
    uint64_t sum = strlen(delivery->node_name);
    TULLE_ASSERT(delivery->first <= delivery->last);
    TULLE_ASSERT(strlen((const char *)delivery->stream.data) == delivery->stream.len);
    tulle__batch_walk(&delivery->batch, &walk);
    while (tulle__batch_next(&walk, &event)) {
        for (size_t i = 0; i < event.payload.len; i++)
            sum += event.payload.data[i];
    }
    TULLE_ASSERT(sum != UINT64_MAX); /* all of it was looked at */
    if (action->kind == TULLE__ACTION_DELIVER && !delivery->is_arrival_order)
        note_passed(p, delivery->batch.node, (const char *)delivery->stream.data, delivery->first,
                    delivery->last);
}

static void
read_action(struct play *p, const struct tulle__action *action)
{
    struct tulle__control_header header;
    switch (action->kind) {
    case TULLE__ACTION_CONTROL:
        if (tulle__header_decode(action->u.control.header->data, action->u.control.header->len,
                                 &header) == TULLE_OK)
            p->asked[header.kind] = header.counter;
        break;
    case TULLE__ACTION_ARRIVAL:
    case TULLE__ACTION_DELIVER:
    case TULLE__ACTION_DUPLICATE:
        read_delivery(p, action);
        break;
    case TULLE__ACTION_GAP:
        note_passed(p, action->u.gap.node, action->u.gap.stream, action->u.gap.first,
                    action->u.gap.last);
        break;
    case TULLE__ACTION_PEER:
        TULLE_ASSERT(strlen(action->u.peer.name) <= TULLE__NAME_LEN_MAX);
        break;
    case TULLE__ACTION_PUBLISH:
    case TULLE__ACTION_RELAY_PUBLICATION:
        TULLE_ASSERT(action->u.publication.key.data[action->u.publication.key.len - 1] == 0);
        break;
    case TULLE__ACTION_DIAL:
    case TULLE__ACTION_HANGUP:
        TULLE_ASSERT(action->u.dial.control != NULL || action->u.dial.events != NULL ||
                     action->u.dial.inlet != NULL);
        break;
    case TULLE__ACTION_SUBSCRIBE:
    case TULLE__ACTION_UNSUBSCRIBE:
        TULLE_ASSERT(action->u.key->len <= TULLE__KEY_LEN_MAX);
        break;
    case TULLE__ACTION_RELAY_CONTROL:
        break;
    }
}

static void
drain(struct play *p)
{
    struct tulle__action action;
    size_t side = 0;
    while (p->engine != NULL ? tulle__engine_next_action(p->engine, &action)
                             : tulle__forward_next_action(p->forward, &side, &action)) {
        read_action(p, &action);
        tulle__action_fini(&action);
    }
    tulle_counters counters;
    if (p->engine != NULL)
        tulle__engine_counters(p->engine, &counters);
    else
        tulle__forward_counters(p->forward, 0, &counters);
    TULLE_ASSERT(counters.held_now <= UINT64_C(2) * HELD_BYTES);
    TULLE_ASSERT(counters.lanes <= LANES_MAX);
    TULLE_ASSERT(counters.peers_up <= PEERS_MAX);
}

/* ---- messages ---- */

static void
tell(struct play *p, struct tulle__view key, struct tulle__buf *body, struct tulle__view path)
{
    if (p->engine != NULL)
        tulle__engine_on_publication(p->engine, key, body, path, p->now);
    else
        tulle__forward_on_publication(p->forward, p->side, key, body, path, p->now);
}

/* What is in p->body goes in as a publication, by none or more proxies. */
static void
tell_publication(struct play *p, struct tulle__view stream)
{
    uint64_t ids[3];
    uint32_t hops = take_byte(p) % 4;
    uint8_t key[TULLE__KEY_LEN_MAX];
    for (uint32_t i = 0; i < hops; i++)
        ids[i] = TULLE__NODE_ID_MIN + 10 + take_byte(p) % 4;
    tulle__writer_reset(&p->header);
    if (hops > 0)
        tulle__path_encode(&p->header, ids, hops);
    damage(p, &p->body);
    struct tulle__buf *body = tulle__buf_copy(p->body.data, p->body.len);
    if (body == NULL)
        return;
    memcpy(key, stream.data, stream.len);
    key[stream.len] = 0;
    tell(p, (struct tulle__view){ key, stream.len + 1 }, body,
         (struct tulle__view){ p->header.data, p->header.len });
    tulle__buf_unref(&body);
}

/* A batch of small events in p->body. */
static void
write_batch(struct play *p, uint64_t node)
{
    struct tulle__dep deps[ITEMS_MAX];
    struct tulle__attributes_in attributes = { .content_type = "x/y" };
    struct tulle__batch_head head = { .node = node, .deps = deps };
    head.first_seq = take_seq(p);
    head.base_hlc = take_byte(p);
    head.event_count = 1 + take_byte(p) % 4U;
    head.dep_count = take_clock(p, deps);
    tulle__writer_reset(&p->events);
    for (uint32_t i = 0; i < head.event_count; i++) {
        static const uint8_t payload[64];
        tulle__event_encode(&p->events, text_view(i % 2 == 0 ? "" : "x"), i,
                            (struct tulle__view){ payload, take_byte(p) % sizeof payload },
                            i == 3 ? &attributes : NULL);
    }
    struct tulle__buf *buf = tulle__batch_encode(&head, &p->events, &p->header);
    tulle__writer_reset(&p->body);
    if (buf != NULL)
        tulle__write_raw(&p->body, buf->data, buf->len);
    tulle__buf_unref(&buf);
}

struct self {
    const char *address;
    struct tulle__view takes[2];
    struct tulle__self_out out;
};

static void
take_self(struct play *p, struct self *self)
{
    static const char *const names[] = { "a", "b", "engine" };
    static const char *const addresses[] = { "tcp://a:1", "tcp://b:1", "tcp://a:1 tcp://b:1" };
    static const uint8_t keys[][4] = { "s", "s/", "t", "" };
    uint8_t byte = take_byte(p);
    self->address = addresses[byte % 3];
    self->takes[0] = (struct tulle__view){ keys[byte % 4], strlen((const char *)keys[byte % 4]) };
    self->takes[1] = (struct tulle__view){ (const uint8_t *)"t", 2 };
    self->out = (struct tulle__self_out){ .name = names[(byte >> 2) % 3],
                                          .control_addresses = &self->address,
                                          .control_address_count = byte >> 7,
                                          .event_addresses = &self->address,
                                          .event_address_count = byte >> 7,
                                          .inlets = &self->address,
                                          .inlet_count = (byte >> 6) & 1,
                                          .takes = self->takes,
                                          .take_count = (byte >> 4) % 3,
                                          .is_proxy = (byte & 0x0c) == 0x0c };
    self->out.takes_version = take_byte(p) % 8;
    self->out.beat_ms = take_byte(p);
}

static void
play_beat(struct play *p)
{
    struct self self;
    struct tulle__head heads[ITEMS_MAX];
    struct tulle__dep acks[ITEMS_MAX];
    uint8_t flags = take_byte(p);
    take_self(p, &self);
    struct tulle__beat_out beat = { .mesh = text_view((flags & 0x70) == 0x70 ? "other" : "mesh"),
                                    .counter = ++p->counter,
                                    .self = self.out,
                                    .has_self = (flags & 1) != 0,
                                    .has_takes = (flags & 2) != 0,
                                    .is_leaving = (flags & 0x8c) == 0x8c,
                                    .is_full = (flags & 8) != 0,
                                    .heads = heads,
                                    .acks = acks };
    beat.id = take_ghost(p);
    beat.hlc = take_byte(p);
    beat.head_count = take_count(p);
    for (size_t i = 0; i < beat.head_count; i++) {
        heads[i].stream = take_stream(p);
        heads[i].head = take_seq(p);
    }
    beat.ack_count = take_clock(p, acks);
    tulle__writer_reset(&p->body);
    tulle__beat_encode(&p->body, &beat);
    tell_publication(p, text_view("$beat"));
}

/* What is in p->body goes in as a control message. */
static void
tell_control(struct play *p, enum tulle__control_kind kind)
{
    uint8_t byte = take_byte(p);
    struct tulle__control_header header = { .kind = kind,
                                            .mesh = text_view("mesh"),
                                            .from = ghost_id(byte),
                                            .to = TULLE__NODE_ID_MIN + GHOSTS - 1,
                                            .counter = ++p->counter,
                                            .hops = (byte >> 2) % 3 };
    if ((byte & 0xc0) == 0xc0)
        header.to = take_ghost(p);
    damage(p, &p->body);
    struct tulle__buf *body = tulle__buf_copy(p->body.data, p->body.len);
    tulle__writer_reset(&p->header);
    tulle__header_encode(&p->header, &header);
    damage(p, &p->header);
    if (body == NULL)
        return;
    struct tulle__view frame = { p->header.data, p->header.len };
    uint64_t via = header.hops == 0 ? header.from : TULLE__NODE_ID_MIN + 10;
    if (p->engine != NULL)
        tulle__engine_on_control(p->engine, via, frame, body, p->now);
    else
        tulle__forward_on_control(p->forward, p->side, via, frame, body, p->now);
    tulle__buf_unref(&body);
}

static void
play_sync(struct play *p)
{
    struct self self;
    take_self(p, &self);
    struct tulle__sync_out sync = { .self = self.out, .wants_lanes = take_byte(p) % 2 == 0 };
    tulle__writer_reset(&p->body);
    tulle__sync_encode(&p->body, &sync);
    tell_control(p, TULLE__SYNC);
}

static void
play_here(struct play *p)
{
    struct self self;
    struct tulle__dep clocks[ITEMS_MAX][ITEMS_MAX];
    struct tulle__here_lane_out lanes[ITEMS_MAX];
    struct tulle__holding holdings[ITEMS_MAX];
    struct tulle__known_out known[ITEMS_MAX];
    take_self(p, &self);
    struct tulle__here_out here = {
        .self = self.out, .lanes = lanes, .holdings = holdings, .peers = known
    };
    here.reply_to = p->asked[TULLE__SYNC] - take_byte(p) / 0x80;
    here.has_lanes = take_byte(p) < 0xc0;
    here.lane_count = take_count(p);
    for (size_t i = 0; i < here.lane_count; i++) {
        lanes[i] = (struct tulle__here_lane_out){ .stream = take_stream(p), .clock = clocks[i] };
        lanes[i].head = take_seq(p);
        lanes[i].first = take_seq(p);
        if (lanes[i].first > lanes[i].head + 1)
            lanes[i].first = lanes[i].head + 1;
        lanes[i].clock_count = take_clock(p, clocks[i]);
    }
    here.holding_count = take_count(p);
    for (size_t i = 0; i < here.holding_count; i++) {
        uint8_t byte = take_byte(p);
        holdings[i] = (struct tulle__holding){ .node = ghost_id(byte) };
        holdings[i].name = text_view((byte & 4) != 0 ? "gone" : "");
        holdings[i].stream = take_stream(p);
        holdings[i].last = take_seq(p);
        holdings[i].first = take_seq(p);
        if (holdings[i].first > holdings[i].last + 1)
            holdings[i].first = holdings[i].last + 1;
    }
    here.peer_count = take_count(p);
    for (size_t i = 0; i < here.peer_count; i++) {
        known[i] = (struct tulle__known_out){ .id = take_ghost(p),
                                              .name = "k",
                                              .control_addresses = &self.address,
                                              .control_address_count = 1,
                                              .event_addresses = &self.address,
                                              .event_address_count = 1 };
    }
    tulle__writer_reset(&p->body);
    tulle__here_encode(&p->body, &here);
    tell_control(p, TULLE__HERE);
}

static void
play_fetch(struct play *p)
{
    struct tulle__fetch fetch = { .node = take_ghost(p) };
    fetch.stream = take_stream(p);
    fetch.first = take_seq(p);
    fetch.last = fetch.first + take_byte(p) % 64;
    fetch.bytes_max = UINT64_C(100) * take_byte(p);
    fetch.wants_clock = take_byte(p) % 2 == 0;
    if (fetch.last > TULLE__SEQ_MAX)
        fetch.last = TULLE__SEQ_MAX;
    tulle__writer_reset(&p->body);
    tulle__fetch_encode(&p->body, &fetch);
    tell_control(p, TULLE__FETCH);
}

static void
play_range(struct play *p)
{
    struct tulle__dep clock[ITEMS_MAX];
    struct tulle__view batches[ITEMS_MAX];
    uint8_t bytes[ITEMS_MAX][2048];
    struct tulle__range_out range = { .reply_to = p->asked[TULLE__FETCH],
                                      .node = take_ghost(p),
                                      .batches = batches,
                                      .clock = clock };
    range.stream = take_stream(p);
    range.first = take_byte(p) % 8;
    range.last = take_seq(p);
    range.has_clock = take_byte(p) % 2 == 0;
    range.batch_count = take_count(p);
    if (range.first > range.last + 1 || range.first == 0)
        range.first = range.last = 0;
    range.clock_count = take_clock(p, clock);
    for (size_t i = 0; i < range.batch_count; i++) {
        write_batch(p, range.node);
        damage(p, &p->body);
        size_t len = p->body.len < sizeof bytes[i] ? p->body.len : sizeof bytes[i];
        if (len > 0)
            memcpy(bytes[i], p->body.data, len);
        batches[i] = (struct tulle__view){ bytes[i], len };
    }
    tulle__writer_reset(&p->body);
    tulle__range_encode(&p->body, &range);
    tell_control(p, TULLE__RANGE);
}

/* ---- commands ---- */

static void
play_time(struct play *p)
{
    int64_t ms = take_byte(p);
    ms *= ms;
    p->now.mono.ns += tulle__ms_to_ns(ms);
    p->now.wall.us += ms * 1000;
    if (p->engine != NULL)
        tulle__engine_on_timer(p->engine, p->now);
    else
        tulle__forward_on_timer(p->forward, p->now);
}

static void
play_subscription(struct play *p)
{
    uint8_t byte = take_byte(p);
    size_t i = byte % HANDLES;
    if (p->engine == NULL)
        return;
    memset(p->next, 0, sizeof p->next); /* lanes may begin anew */
    if (p->has_handle[i]) {
        tulle__engine_unsubscribe(p->engine, p->handles[i], p->now);
        p->has_handle[i] = false;
        return;
    }
    struct tulle_subscribe_options options = { .order = (tulle_order)(1 + (byte >> 2) % 3),
                                               .from = (tulle_from)(1 + (byte >> 4) % 3) };
    options.from_count = take_byte(p) % 4;
    options.flags = take_byte(p) & 31U;
    const char *pattern = patterns[take_byte(p) % (sizeof patterns / sizeof patterns[0])];
    p->has_handle[i] = tulle__engine_subscribe(p->engine, text_view(pattern), &options,
                                               &p->handles[i], p->now) == TULLE_OK;
}

static void
play_publish(struct play *p)
{
    struct tulle__dep causes[ITEMS_MAX];
    struct tulle__attributes_in attributes = { .causes = causes };
    uint8_t byte = take_byte(p);
    if (p->engine == NULL)
        return;
    attributes.cause_count = take_clock(p, causes);
    struct tulle__publish publish = { .topic = take_stream(p),
                                      .stream_levels = 1 + byte % 2,
                                      .payload = text_view("payload"),
                                      .attributes = &attributes,
                                      .only_causes = (byte & 4) != 0,
                                      .after = causes,
                                      .after_count =
                                          (byte & 16) != 0 ? attributes.cause_count : 0 };
    (void)!tulle__engine_publish(p->engine, &publish, p->now);
    if ((byte & 8) == 0)
        tulle__engine_close_batches(p->engine, p->now);
}

static void
play_join(struct play *p)
{
    uint8_t byte = take_byte(p);
    const char *address = (byte & 4) != 0 ? "tcp://a:1" : "tcp://b:1";
    if (p->engine == NULL)
        (void)!tulle__forward_join(p->forward, p->side, address, p->now);
    else if ((byte & 8) != 0)
        tulle__engine_found(p->engine, ghost_id(byte), address, p->now);
    else if ((byte & 0x70) == 0x70)
        tulle__engine_set_stalled(p->engine, (byte & 1) != 0, p->now);
    else
        (void)!tulle__engine_join(p->engine, address, p->now);
}

static bool
may_allocate(void *ctx)
{
    struct play *p = ctx;
    if (p->allocations_left == 0)
        return false;
    p->allocations_left--;
    return true;
}

static void
play_one(struct play *p)
{
    uint8_t byte = take_byte(p);
    p->side = byte >> 7;
    if ((byte & 0x70) == 0x70) { /* memory runs out somewhere in this one */
        p->allocations_left = take_byte(p) % 16;
        tulle__alloc_set_hook(may_allocate, p);
    }
    switch (byte % 16) {
    case 0:
    case 1:
    case 2: {
        struct tulle__view stream = take_stream(p);
        write_batch(p, take_ghost(p));
        tell_publication(p, stream);
        break;
    }
    case 3:
    case 4:
        play_beat(p);
        break;
    case 5:
        play_sync(p);
        break;
    case 6:
    case 7:
        play_here(p);
        break;
    case 8:
        play_fetch(p);
        break;
    case 9:
    case 10:
        play_range(p);
        break;
    case 11:
    case 12:
        play_time(p);
        break;
    case 13:
        play_subscription(p);
        break;
    case 14:
        play_publish(p);
        break;
    default:
        play_join(p);
        break;
    }
    tulle__alloc_set_hook(NULL, NULL);
    drain(p);
}

/* ---- life ---- */

static void
open_play(struct play *p)
{
    struct tulle__engine_config config;
    uint8_t byte = take_byte(p);
    tulle__engine_config_init(&config);
    config.id = TULLE__NODE_ID_MIN + GHOSTS - 1;
    config.mesh = "mesh";
    config.name = "engine";
    if ((byte & 8) != 0) { /* else it only dials */
        config.control_addresses[0] = config.event_addresses[0] = "tcp://engine:1";
        config.control_address_count = config.event_address_count = 1;
    }
    config.hold_ms = 1000;
    config.held_bytes = HELD_BYTES;
    config.retain_bytes = 4096;
    config.retain_others_bytes = (byte & 2) != 0 ? 4096 : 0;
    config.retain_ms = 30000;
    config.window_bytes = (byte & 4) != 0 ? 500 : 0;
    config.batch_bytes = 200;
    config.lanes_max = LANES_MAX;
    config.peers_max = PEERS_MAX;
    config.hops_max = 2;
    p->now.mono.ns = tulle__ms_to_ns(1000);
    p->now.wall.us = INT64_C(1700000000000000);
    if ((byte & 1) == 0) {
        p->engine = tulle__engine_new(&config, p->now);
        TULLE_ASSERT(p->engine != NULL);
        return;
    }
    const char *deny = "t/**";
    struct tulle__forward_side sides[2] = {
        { .engine = config }, { .engine = config, .policy = { .deny = &deny, .deny_count = 1 } }
    };
    if ((byte & 16) != 0) {
        sides[0].policy = (struct tulle__forward_policy){ .event_bytes_max = 20,
                                                          .events_per_second = 2,
                                                          .bytes_per_second = 1024 };
    }
    for (size_t i = 0; i < 2; i++) {
        sides[i].policy.retain_bytes = (byte & 8) != 0 ? 2048 : 0;
        sides[i].policy.retain_ms = 30000;
    }
    p->forward = tulle__forward_new(sides, 2, p->now);
    TULLE_ASSERT(p->forward != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t bytes_len)
{
    struct play p = { .bytes = bytes, .left = bytes_len };
    tulle__writer_init(&p.body);
    tulle__writer_init(&p.header);
    tulle__writer_init(&p.events);
    open_play(&p);
    drain(&p);
    while (p.left > 0)
        play_one(&p);
    tulle__engine_free(&p.engine);
    tulle__forward_free(&p.forward);
    tulle__writer_fini(&p.body);
    tulle__writer_fini(&p.header);
    tulle__writer_fini(&p.events);
    return 0;
}
