/* SPDX-License-Identifier: MPL-2.0 */

#include "forward_kit.h"

#include "base/alloc.h"
#include "mini_net.h"

#include <stdio.h>
#include <string.h>

uint64_t
id_of(unsigned node)
{
    return TULLE__NODE_ID_MIN + node;
}

unsigned
node_of(uint64_t id)
{
    return (unsigned)(id - TULLE__NODE_ID_MIN);
}

static void note(struct fixture *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
note(struct fixture *f, const char *format, ...)
{
    size_t len = strlen(f->log);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(f->log + len, sizeof f->log - len, format, arguments);
    va_end(arguments);
}

static void
note_path(struct fixture *f, const struct tulle__buf *path)
{
    uint64_t ids[TULLE__PATH_MAX];
    uint32_t count;
    assert_status(tulle__path_decode(path->data, path->len, ids, &count), TULLE_OK);
    note(f, "[");
    for (uint32_t i = 0; i < count; i++)
        note(f, "%s%u", i > 0 ? " " : "", node_of(ids[i]));
    note(f, "] ");
}

/* The proxy's own: "0:ask ", "0:beyond(2 3)of 2 "; nothing without these. */
static void
note_own_beat(struct fixture *f, size_t side, const struct tulle__buf *body)
{
    struct tulle__beat_view beat;
    struct tulle__beyond beyond;
    assert_status(tulle__beat_decode(body->data, body->len, &beat), TULLE_OK);
    if (f->are_asks_noted && beat.ask != 0)
        note(f, "%zu:ask ", side);
    if (!f->is_beyond_noted || beat.beyond.count == 0)
        return;
    note(f, "%zu:beyond(", side);
    for (const char *space = ""; tulle__list_next_beyond(&beat.beyond, &beyond); space = " ") {
        f->told[node_of(beyond.id)]++;
        if (beat.beyond_total <= 3)
            note(f, "%s%u", space, node_of(beyond.id));
    }
    note(f, ")of %u ", (unsigned)beat.beyond_total);
}

static void
note_publication(struct fixture *f, size_t side, const struct tulle__action *action)
{
    const struct tulle__buf *body = action->u.publication.body;
    struct tulle__batch batch;
    struct tulle__beat_view beat;
    if (action->u.publication.path == NULL) {
        note_own_beat(f, side, body);
        return;
    }
    if (action->u.publication.key.data[0] == '$') {
        assert_status(tulle__beat_decode(body->data, body->len, &beat), TULLE_OK);
        note(f, "%zu:beat(%u)", side, node_of(beat.id));
    } else {
        assert_status(tulle__batch_decode(body->data, body->len, &batch), TULLE_OK);
        note(f, "%zu:%s/%u", side, (const char *)action->u.publication.key.data,
             (unsigned)batch.first_seq);
    }
    note_path(f, action->u.publication.path);
}

static void
note_range(struct fixture *f, const struct tulle__buf *body)
{
    struct tulle__range_view range;
    assert_status(tulle__range_decode(body->data, body->len, &range), TULLE_OK);
    note(f, "(%u%s%s)", range.batches.count, range.is_waiting ? " waits" : "",
         range.is_withheld ? " withheld" : "");
}

static void
note_control(struct fixture *f, size_t side, const struct tulle__action *action)
{
    static const char *const kinds[] = { "", "SYNC", "HERE", "FETCH", "RANGE" };
    const struct tulle__buf *frame = action->u.control.header;
    struct tulle__control_header header;
    assert_status(tulle__header_decode(frame->data, frame->len, &header), TULLE_OK);
    if (header.kind == TULLE__SYNC && node_of(header.from) == PROXY)
        return; /* it gets to know its neighbours */
    note(f, "%zu:%s>%u", side, kinds[header.kind], node_of(header.to));
    if (header.kind == TULLE__RANGE)
        note_range(f, action->u.control.body);
    note(f, " ");
}

static void
drain(struct fixture *f)
{
    struct tulle__action action;
    size_t side;
    while (tulle__forward_next_action(f->forward, &side, &action)) {
        if (action.kind == TULLE__ACTION_PUBLISH)
            note_publication(f, side, &action);
        if (action.kind == TULLE__ACTION_CONTROL)
            note_control(f, side, &action);
        tulle__action_fini(&action);
    }
}

void
tell(struct fixture *f,
     size_t side,
     const char *stream,
     struct tulle__buf *body,
     const unsigned *path)
{
    struct tulle__writer w;
    uint64_t ids[2];
    uint32_t count = 0;
    tulle__writer_init(&w);
    while (path != NULL && count < 2 && path[count] != 0) {
        ids[count] = id_of(path[count]);
        count++;
    }
    if (count > 0)
        tulle__path_encode(&w, ids, count);
    struct testkit_memory memory = { .left = f->memory_left };
    if (f->has_no_memory)
        tulle__alloc_set_hook(testkit_may_allocate, &memory);
    tulle__forward_on_publication(
        f->forward, side, (struct tulle__view){ (const uint8_t *)stream, strlen(stream) + 1 }, body,
        (struct tulle__view){ w.data, w.len }, f->now);
    tulle__alloc_set_hook(NULL, NULL);
    tulle__buf_unref(&body);
    tulle__writer_fini(&w);
    drain(f);
}

void
tell_batch(struct fixture *f, size_t side, unsigned node, const char *stream, uint64_t first)
{
    tell(f, side, stream, mini_batch(id_of(node), first, 1, NULL, 0), NULL);
}

void
tell_beat_of(struct fixture *f,
             size_t side,
             unsigned node,
             const char *takes,
             const unsigned *path,
             bool is_proxy)
{
    char text[40];
    const char *address = text;
    (void)snprintf(text, sizeof text, "tcp://10.0.0.%u:7000", node);
    struct tulle__view take = { (const uint8_t *)takes, takes == NULL ? 0 : strlen(takes) + 1 };
    struct tulle__beat_out beat = { .id = id_of(node),
                                    .counter = ++f->counter,
                                    .self = { .control_addresses = &address,
                                              .control_address_count = 1,
                                              .event_addresses = &address,
                                              .event_address_count = 1,
                                              .takes = &take,
                                              .take_count = takes == NULL ? 0 : 1,
                                              .is_proxy = is_proxy,
                                              .takes_version = f->counter },
                                    .has_self = true,
                                    .has_takes = true };
    tell(f, side, "$beat", mini_beat(&beat), path);
}

void
tell_beat(struct fixture *f, size_t side, unsigned node, const char *takes, const unsigned *path)
{
    tell_beat_of(f, side, node, takes, path, false);
}

void
tell_control(struct fixture *f,
             size_t side,
             struct tulle__control_header *header,
             struct tulle__writer *w)
{
    struct tulle__writer frame;
    tulle__writer_init(&frame);
    header->mesh = mini_text("mini");
    header->counter = ++f->counter;
    tulle__header_encode(&frame, header);
    struct tulle__buf *body = tulle__writer_take(w);
    struct testkit_memory memory = { .left = f->memory_left };
    if (f->has_no_memory)
        tulle__alloc_set_hook(testkit_may_allocate, &memory);
    tulle__forward_on_control(f->forward, side, header->from,
                              (struct tulle__view){ frame.data, frame.len }, body, f->now);
    tulle__alloc_set_hook(NULL, NULL);
    tulle__buf_unref(&body);
    tulle__writer_fini(&frame);
    tulle__writer_fini(w);
    drain(f);
}

void
tell_fetch(
    struct fixture *f, size_t side, unsigned from, unsigned to, const char *stream, uint64_t seq)
{
    struct tulle__writer w;
    tulle__writer_init(&w);
    tulle__fetch_encode(&w, &(struct tulle__fetch){ .node = id_of(to),
                                                    .stream = mini_text(stream),
                                                    .first = seq,
                                                    .last = seq,
                                                    .bytes_max = 1000 });
    tell_control(f, side,
                 &(struct tulle__control_header){
                     .kind = TULLE__FETCH, .from = id_of(from), .to = id_of(to) },
                 &w);
}

void
tell_range_to(struct fixture *f, unsigned asker, uint64_t first, uint64_t last)
{
    struct tulle__writer w;
    struct tulle__buf *bufs[4];
    struct tulle__view batches[4];
    size_t count = 0;
    for (uint64_t seq = first; seq <= last; seq++, count++) {
        bufs[count] = mini_batch(id_of(1), seq, 1, NULL, 0);
        batches[count] = (struct tulle__view){ bufs[count]->data, bufs[count]->len };
    }
    tulle__writer_init(&w);
    tulle__range_encode(&w, &(struct tulle__range_out){ .reply_to = 1,
                                                        .node = id_of(1),
                                                        .stream = mini_text("t"),
                                                        .first = first,
                                                        .last = last,
                                                        .batches = batches,
                                                        .batch_count = count });
    while (count > 0)
        tulle__buf_unref(&bufs[--count]);
    tell_control(f, 0,
                 &(struct tulle__control_header){
                     .kind = TULLE__RANGE, .from = id_of(1), .to = id_of(asker) },
                 &w);
}

void
pass_time(struct fixture *f, int64_t ms)
{
    for (int64_t i = 0; i < ms; i++) {
        f->now.mono.ns += tulle__ms_to_ns(1);
        f->now.wall.us += 1000;
        if (f->now.mono.ns >= tulle__forward_deadline(f->forward).ns)
            tulle__forward_on_timer(f->forward, f->now);
        drain(f);
    }
}

tulle_counters
counters(const struct fixture *f, size_t side)
{
    tulle_counters out;
    tulle__forward_counters(f->forward, side, &out);
    return out;
}

void
open_proxy(struct fixture *f)
{
    for (size_t i = 0; i < SIDES; i++) {
        f->config[i].policy.retain_bytes = f->retain_bytes;
        f->config[i].policy.retain_ms = 600000;
    }
    f->forward = tulle__forward_new(f->config, SIDES, f->now);
    assert_non_null(f->forward);
    drain(f);
}

void
open_with_nodes(struct fixture *f)
{
    open_proxy(f);
    tell_beat(f, 0, 1, NULL, NULL);
    tell_beat(f, 1, 2, "t", NULL);
    tell_beat(f, 2, 3, "t", NULL);
    f->log[0] = '\0';
}

int
forward_setup(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){ .retain_bytes = 10000,
                                .now = { .mono = { 1000000000 }, .wall = { 1700000000000000 } } };
    for (size_t i = 0; i < SIDES; i++) {
        struct tulle__engine_config *config = &fixture.config[i].engine;
        tulle__engine_config_init(config);
        config->id = id_of(PROXY);
        config->mesh = "mini";
        config->name = "proxy";
        config->hops_max = 2;
        config->beat_ms = 200;
        config->suspect_ms = 300;
        config->gone_ms = 1000;
    }
    *state = &fixture;
    return 0;
}

int
forward_teardown(void **state)
{
    struct fixture *f = *state;
    tulle__alloc_set_hook(NULL, NULL);
    tulle__forward_free(&f->forward);
    return 0;
}
