/* SPDX-License-Identifier: MPL-2.0 */
/* A proxy alone, with the test in the part of all nodes around it. What it sends on is
 * written down: "1:t/5[9] " is the batch of stream t that begins with 5, on side 1,
 * with the path [9]; "0:beat(2)[9] " a beat of node 2; "1:FETCH>3 " a control message
 * for node 3; "1:RANGE>3(2) " an answer with two batches. */

#include "base/alloc.h"
#include "delivery/link.h"
#include "mini_net.h"

#include <stdio.h>
#include <string.h>

enum { PROXY = 9, SIDES = 3 };

struct fixture {
    struct tulle__forward_side config[SIDES];
    struct tulle__forward *forward;
    struct tulle__now now;
    uint64_t counter;
    uint64_t retain_bytes;
    char log[4096];
    bool has_no_memory;  /* for what is told */
    bool are_asks_noted; /* of the proxy's own beats */
    bool is_beyond_noted;
    unsigned told[256];
};

static uint64_t
id_of(unsigned node)
{
    return TULLE__NODE_ID_MIN + node;
}

static unsigned
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

/* Frames come in: path is up to two nodes, 0 for none. */
static void
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
    struct testkit_memory none = { .left = 0 };
    if (f->has_no_memory)
        tulle__alloc_set_hook(testkit_may_allocate, &none);
    tulle__forward_on_publication(
        f->forward, side, (struct tulle__view){ (const uint8_t *)stream, strlen(stream) + 1 }, body,
        (struct tulle__view){ w.data, w.len }, f->now);
    tulle__alloc_set_hook(NULL, NULL);
    tulle__buf_unref(&body);
    tulle__writer_fini(&w);
    drain(f);
}

static void
tell_batch(struct fixture *f, size_t side, unsigned node, const char *stream, uint64_t first)
{
    tell(f, side, stream, mini_batch(id_of(node), first, 1, NULL, 0), NULL);
}

static void
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

/* A node with its address is on a side, and takes one stream (NULL: none). */
static void
tell_beat(struct fixture *f, size_t side, unsigned node, const char *takes, const unsigned *path)
{
    tell_beat_of(f, side, node, takes, path, false);
}

/* A control message of the kind in *header; its body is in w, which is freed. */
static void
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
    tulle__forward_on_control(f->forward, side, header->from,
                              (struct tulle__view){ frame.data, frame.len }, body, f->now);
    tulle__buf_unref(&body);
    tulle__writer_fini(&frame);
    tulle__writer_fini(w);
    drain(f);
}

static void
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

/* Node 1 answers node 2 with batches first .. last of its stream "t", of one event each. */
static void
tell_range(struct fixture *f, uint64_t first, uint64_t last)
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
    tell_control(
        f, 0,
        &(struct tulle__control_header){ .kind = TULLE__RANGE, .from = id_of(1), .to = id_of(2) },
        &w);
}

static void
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

static tulle_counters
counters(const struct fixture *f, size_t side)
{
    tulle_counters out;
    tulle__forward_counters(f->forward, side, &out);
    return out;
}

static void
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

/* Node 1 publishes on side 0; nodes 2 and 3 take "t" on sides 1 and 2. */
static void
open_with_nodes(struct fixture *f)
{
    open_proxy(f);
    tell_beat(f, 0, 1, NULL, NULL);
    tell_beat(f, 1, 2, "t", NULL);
    tell_beat(f, 2, 3, "t", NULL);
    f->log[0] = '\0';
}

static int
setup(void **state)
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

static int
teardown(void **state)
{
    struct fixture *f = *state;
    tulle__alloc_set_hook(NULL, NULL);
    tulle__forward_free(&f->forward);
    return 0;
}

TEST(batch_crosses_to_where_its_stream_is_taken)
{
    struct fixture *f = *state;
    open_proxy(f);
    tell_beat(f, 0, 1, NULL, NULL);
    tell_beat(f, 1, 2, "t", NULL);
    tell_beat(f, 2, 3, "u", NULL);
    f->log[0] = '\0';

    tell_batch(f, 0, 1, "t", 1);
    tell_batch(f, 0, 1, "u", 1);
    tell_batch(f, 0, 1, "v", 1);

    assert_string_equal(f->log, "1:t/1[9] 2:u/1[9] ");
    assert_int_equal(counters(f, 0).relayed_batches, 2);
    assert_int_equal(counters(f, 0).dropped_unwanted, 1);
}

TEST(batch_does_not_go_back_to_its_side)
{
    struct fixture *f = *state;
    open_proxy(f);
    tell_beat(f, 0, 1, "t", NULL);
    tell_beat(f, 0, 2, "t", NULL);
    f->log[0] = '\0';

    tell_batch(f, 0, 1, "t", 1);

    assert_string_equal(f->log, "");
}

TEST(path_grows_by_the_proxys_id)
{
    struct fixture *f = *state;
    open_with_nodes(f);

    tell(f, 0, "t", mini_batch(id_of(1), 1, 1, NULL, 0), (const unsigned[]){ 8, 0 });

    assert_string_equal(f->log, "1:t/1[8 9] 2:t/1[8 9] ");
}

TEST(path_that_has_the_proxy_ends_here)
{
    struct fixture *f = *state;
    open_with_nodes(f);

    tell(f, 0, "t", mini_batch(id_of(1), 1, 1, NULL, 0), (const unsigned[]){ PROXY, 0 });

    assert_string_equal(f->log, "");
    assert_int_equal(counters(f, 0).dropped_loop, 1);
}

TEST(path_at_the_hop_limit_ends_here)
{
    struct fixture *f = *state;
    open_with_nodes(f);

    tell(f, 0, "t", mini_batch(id_of(1), 1, 1, NULL, 0), (const unsigned[]){ 7, 8 });

    assert_string_equal(f->log, "");
    assert_int_equal(counters(f, 0).dropped_hops, 1);
}

TEST(batch_that_comes_again_by_any_side_is_not_forwarded)
{
    struct fixture *f = *state;
    open_with_nodes(f);

    tell_batch(f, 0, 1, "t", 1);
    f->log[0] = '\0';
    tell_batch(f, 0, 1, "t", 1);
    tell(f, 1, "t", mini_batch(id_of(1), 1, 1, NULL, 0), (const unsigned[]){ 8, 0 });

    assert_string_equal(f->log, "");
    assert_int_equal(counters(f, 0).relayed_duplicates, 1);
    assert_int_equal(counters(f, 1).relayed_duplicates, 1);
}

TEST(batches_in_any_order_are_forwarded_once_each)
{
    struct fixture *f = *state;
    open_proxy(f);
    tell_beat(f, 1, 2, "t", NULL);
    f->log[0] = '\0';

    tell_batch(f, 0, 1, "t", 3);
    tell_batch(f, 0, 1, "t", 1);
    tell_batch(f, 0, 1, "t", 3);
    tell_batch(f, 0, 1, "t", 2);

    assert_string_equal(f->log, "1:t/3[9] 1:t/1[9] 1:t/2[9] ");
}

/* Nothing is told as a duplicate, or as unwanted, that is none. */
TEST(batch_without_memory_is_counted_as_such)
{
    struct fixture *f = *state;
    open_with_nodes(f);
    for (uint64_t i = 1; i <= 2; i++) { /* for the path, for the lane */
        f->has_no_memory = true;
        tell(f, 0, i == 1 ? "t" : "u", mini_batch(id_of(1), 1, 1, NULL, 0), (unsigned[]){ 8, 0 });
        f->has_no_memory = false;

        assert_int_equal(counters(f, 0).dropped_table_full, i);
        assert_string_equal(f->log, "");
        tell(f, 0, "t", mini_batch(id_of(1), 10 * i, 1, NULL, 0), (unsigned[]){ 8, 0 });
        f->log[0] = '\0';
    }
    assert_int_equal(counters(f, 0).relayed_duplicates + counters(f, 0).dropped_unwanted, 0);
}

TEST(what_goes_on_at_once_needs_no_action)
{
    struct fixture *f = *state;
    const struct tulle__view key = { (const uint8_t *)"t", 2 }, no_path = { NULL, 0 };
    struct tulle__buf *body = mini_batch(id_of(1), 1, 1, NULL, 0);
    open_with_nodes(f);
    const struct tulle__passage *passage =
        tulle__forward_pass(f->forward, 0, key, body, no_path, f->now);
    assert_true(passage->count == 2 && passage->sides[0] == 1 && passage->sides[1] == 2);
    assert_int_equal(counters(f, 0).relayed_events, 2);
    tell(f, 0, "t", body, NULL); /* it came before */
    assert_string_equal(f->log, "");
}

TEST(denied_stream_does_not_leave_its_side)
{
    struct fixture *f = *state;
    const char *deny[] = { "t/**" };
    f->config[0].policy.deny = deny;
    f->config[0].policy.deny_count = 1;
    open_with_nodes(f);

    tell_batch(f, 0, 1, "t", 1);
    tell_batch(f, 1, 2, "t", 1); /* the other way it may */

    assert_string_equal(f->log, "2:t/1[9] ");
    assert_int_equal(counters(f, 0).dropped_policy, 1);
}

TEST(only_allowed_streams_leave_a_side)
{
    struct fixture *f = *state;
    const char *allow[] = { "u" };
    f->config[0].policy.allow = allow;
    f->config[0].policy.allow_count = 1;
    open_with_nodes(f);
    tell_beat(f, 1, 4, "u", NULL);
    f->log[0] = '\0';

    tell_batch(f, 0, 1, "t", 1);
    tell_batch(f, 0, 1, "u", 1);

    assert_string_equal(f->log, "1:u/1[9] ");
}

TEST(interest_of_who_is_gone_is_gone)
{
    struct fixture *f = *state;
    open_with_nodes(f);
    pass_time(f, 1500);
    tell_beat(f, 2, 3, "t", NULL);
    f->log[0] = '\0';

    tell_batch(f, 0, 1, "t", 1);

    assert_string_equal(f->log, "2:t/1[9] ");
}

/* Node 3 is behind proxy 8: what that takes is what it still wants. */
TEST(interest_beyond_another_proxy_is_what_that_takes)
{
    struct fixture *f = *state;
    open_proxy(f);
    tell_beat(f, 0, 1, NULL, NULL);
    tell_beat(f, 1, 3, "t", (const unsigned[]){ 8, 0 });
    f->log[0] = '\0';
    tell_batch(f, 0, 1, "t", 1); /* it is not known yet what proxy 8 takes */
    tell_beat_of(f, 1, 8, "t", NULL, true);
    tell_batch(f, 0, 1, "t", 2);
    tell_beat_of(f, 1, 8, "u", NULL, true);
    tell_batch(f, 0, 1, "t", 3);
    tell_beat_of(f, 1, 8, "t", NULL, true);
    tell_batch(f, 0, 1, "t", 4);

    assert_string_equal(f->log, "1:t/1[9] 1:t/2[9] 1:t/4[9] ");
}

TEST(interest_beyond_a_proxy_that_is_gone_is_gone)
{
    struct fixture *f = *state;
    open_proxy(f);
    tell_beat(f, 1, 3, "t", (const unsigned[]){ 8, 0 });
    tell_beat_of(f, 1, 8, "t", NULL, true);
    pass_time(f, 900);
    tell_beat(f, 1, 3, "t", (const unsigned[]){ 8, 0 });
    pass_time(f, 500);
    f->log[0] = '\0';

    tell_batch(f, 0, 1, "t", 1);

    assert_string_equal(f->log, "");
}

/* Whoever is late and refuses connections has ended; a beat is worth more than a refusal. */
TEST(interest_of_who_is_late_and_refuses_is_gone)
{
    struct fixture *f = *state;
    struct tulle__overdue late[2];
    int64_t next_ns = 0;
    open_with_nodes(f);
    f->now.mono.ns += tulle__ms_to_ns(300);
    tulle__forward_on_refused(f->forward, 1, id_of(2), f->now); /* not late yet */
    tell_batch(f, 0, 1, "t", 1);
    f->now.mono.ns += tulle__ms_to_ns(100);
    tell_beat(f, 2, 3, "t", NULL);
    f->log[0] = '\0';
    const struct tulle__engine *e = tulle__forward_engine(f->forward, 1);
    assert_int_equal(tulle__engine_overdue(e, f->now.mono, late, 2, &next_ns), 1);
    assert_int_equal(node_of(late[0].id), 2);
    assert_string_equal(late[0].address, "tcp://10.0.0.2:7000");

    tulle__forward_on_refused(f->forward, 1, id_of(2), f->now);
    tulle__forward_on_refused(f->forward, 2, id_of(3), f->now);
    tell_batch(f, 0, 1, "t", 2);
    assert_string_equal(f->log, "2:t/2[9] ");
    assert_int_equal(tulle__engine_overdue(e, f->now.mono, late, 2, &next_ns), 0);

    tell_beat(f, 1, 2, "t", NULL);
    f->log[0] = '\0';
    tell_batch(f, 0, 1, "t", 3);
    assert_string_equal(f->log, "1:t/3[9] 2:t/3[9] ");
}

TEST(interest_belongs_to_the_side_where_a_node_is_nearest)
{
    struct fixture *f = *state;
    open_with_nodes(f);
    tell_beat(f, 1, 3, "t", (const unsigned[]){ 8, 0 }); /* heard around the corner too */
    f->log[0] = '\0';

    tell_batch(f, 1, 2, "t", 1);

    assert_string_equal(f->log, "2:t/1[9] ");
}

TEST(too_many_takes_become_everything)
{
    struct fixture *f = *state;
    char text[700][8];
    struct tulle__view takes[700];
    open_proxy(f);
    for (unsigned node = 2; node <= 3; node++) {
        for (unsigned i = 0; i < 700; i++) {
            takes[i] = (struct tulle__view){ (const uint8_t *)text[i], 7 };
            (void)snprintf(text[i], sizeof text[i], "s%u%04u", node, i);
        }
        tell(f, 1, "$beat",
             mini_beat(&(struct tulle__beat_out){
                 .id = id_of(node),
                 .counter = 1,
                 .self = { .takes = takes, .take_count = 700, .takes_version = 1 },
                 .has_takes = true }),
             NULL);
    }
    f->log[0] = '\0';

    tell_batch(f, 0, 1, "s20699", 1);
    tell_batch(f, 0, 1, "s30699", 1);

    assert_string_equal(f->log, "1:s20699/1[9] 1:s30699/1[9] ");
}

TEST(beat_crosses_once_to_every_other_side)
{
    struct fixture *f = *state;
    open_proxy(f);
    tell_beat(f, 0, 1, NULL, NULL);
    assert_string_equal(f->log, "1:beat(1)[9] 2:beat(1)[9] ");
    f->log[0] = '\0';

    f->counter--; /* the same beat, by another proxy */
    tell_beat(f, 1, 1, NULL, (const unsigned[]){ 8, 0 });

    assert_string_equal(f->log, "");
}

TEST(beat_at_the_hop_limit_may_still_come_by_a_shorter_way)
{
    struct fixture *f = *state;
    open_proxy(f);
    tell_beat(f, 0, 1, NULL, (const unsigned[]){ 7, 8 });
    assert_string_equal(f->log, "");
    assert_int_equal(counters(f, 0).dropped_hops, 1);

    f->counter--; /* the same beat */
    tell_beat(f, 1, 1, NULL, (const unsigned[]){ 7, 0 });

    assert_string_equal(f->log, "2:beat(1)[7 9] 0:beat(1)[7 9] ");
}

TEST(beat_of_another_proxy_stays_on_its_segment)
{
    struct fixture *f = *state;
    open_proxy(f);
    struct tulle__beat_out beat = { .id = id_of(8), .counter = 1, .self = { .is_proxy = true } };

    tell(f, 0, "$beat", mini_beat(&beat), NULL);

    assert_string_equal(f->log, "");
}

static void
tell_quiet(struct fixture *f, size_t side, unsigned node, bool is_full)
{
    struct tulle__beat_out beat = {
        .id = id_of(node), .counter = ++f->counter, .is_quiet = true, .is_full = is_full
    };
    tell(f, side, "$beat", mini_beat(&beat), NULL);
}

TEST(beat_without_news_stays_here)
{
    struct fixture *f = *state;
    open_proxy(f);
    tell_quiet(f, 0, 1, false);
    assert_string_equal(f->log, "");
    tell_quiet(f, 0, 1, true); /* a full one now and then */
    assert_string_equal(f->log, "1:beat(1)[9] 2:beat(1)[9] ");
    f->log[0] = '\0';

    for (int i = 0; i < 9; i++) {
        pass_time(f, 1000);
        tell_quiet(f, 0, 1, i % 5 == 4);
    }
    assert_string_equal(f->log, "");
    pass_time(f, 1500);
    tell_quiet(f, 0, 1, true);
    assert_string_equal(f->log, "1:beat(1)[9] 2:beat(1)[9] ");
}

TEST(proxy_tells_of_the_nodes_beyond)
{
    struct fixture *f = *state;
    open_with_nodes(f);
    f->is_beyond_noted = true;
    for (uint32_t ms = 0; ms < f->config[0].engine.beat_ms; ms += 100) {
        for (unsigned node = 1; node <= 3; node++)
            tell_quiet(f, node - 1, node, false);
        pass_time(f, 100);
    }
    assert_non_null(strstr(f->log, "0:beyond(2 3)of 2 "));
    assert_non_null(strstr(f->log, "1:beyond(1 3)of 2 "));
    assert_non_null(strstr(f->log, "2:beyond(1 2)of 2 "));
    assert_null(strstr(f->log, "beat("));
}

TEST(all_nodes_beyond_are_told_of_in_turn)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < SIDES; i++) {
        f->config[i].engine.suspect_ms = 60000;
        f->config[i].engine.beat_ms = 100;
    }
    open_proxy(f);
    for (unsigned node = 10; node < 210; node++)
        tell_quiet(f, node % 2, node, false);
    f->is_beyond_noted = true;
    pass_time(f, 401); /* 64 in a beat */
    for (unsigned node = 10; node < 210; node++)
        assert_in_range(f->told[node], 3, 8); /* all on side 2, half on each other side */
}

TEST(ask_for_full_beats_is_passed_on_once)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < SIDES; i++) {
        f->config[i].engine.suspect_ms = 60000;
        f->config[i].engine.gone_ms = 120000;
    }
    open_proxy(f);
    tell_quiet(f, 0, 1, true);
    struct tulle__beat_out beat = {
        .id = id_of(8), .counter = 1, .self = { .is_proxy = true }, .ask = 12345
    };
    tell(f, 0, "$beat", mini_beat(&beat), NULL);
    pass_time(f, 100); /* a proxy came: that is an ask of its own */
    f->log[0] = '\0';
    tell_quiet(f, 0, 1, true);
    assert_string_equal(f->log, "1:beat(1)[9] 2:beat(1)[9] "); /* it passes now */

    f->are_asks_noted = true;
    pass_time(f, 20000);
    f->log[0] = '\0';
    beat.counter = 2;
    beat.ask = 12346;
    tell(f, 0, "$beat", mini_beat(&beat), NULL);
    pass_time(f, 10000);
    assert_string_equal(f->log, "1:ask 2:ask 1:ask 2:ask 1:ask 2:ask ");
    f->log[0] = '\0';
    beat.counter = 3;
    tell(f, 0, "$beat", mini_beat(&beat), NULL); /* the same again */
    pass_time(f, 10000);
    assert_string_equal(f->log, "");
}

TEST(control_message_goes_on_towards_its_node)
{
    struct fixture *f = *state;
    open_with_nodes(f);

    tell_fetch(f, 0, 1, 2, "x", 1);

    assert_string_equal(f->log, "1:FETCH>2 ");
    assert_int_equal(counters(f, 1).relayed_control > 0, 1);
}

TEST(control_message_to_nobody_is_counted)
{
    struct fixture *f = *state;
    open_with_nodes(f);

    tell_fetch(f, 0, 1, 77, "x", 1);

    assert_string_equal(f->log, "");
    assert_int_equal(counters(f, 0).dropped_no_route, 1);
}

TEST(fetch_of_what_passed_is_answered_on_the_way)
{
    struct fixture *f = *state;
    open_with_nodes(f);
    tell_batch(f, 0, 1, "t", 1);
    f->log[0] = '\0';

    tell_fetch(f, 1, 2, 1, "t", 1);

    assert_string_equal(f->log, "1:RANGE>2(1) ");
    assert_int_equal(counters(f, 1).fetches_answered, 1);
}

TEST(fetch_of_a_denied_stream_is_refused)
{
    struct fixture *f = *state;
    const char *deny[] = { "t/**" };
    f->config[0].policy.deny = deny;
    f->config[0].policy.deny_count = 1;
    open_with_nodes(f);

    tell_fetch(f, 1, 2, 1, "t", 1);

    assert_string_equal(f->log, "1:RANGE>2(0 withheld) ");
    assert_int_equal(counters(f, 1).fetches_refused, 1);
    assert_int_equal(counters(f, 1).dropped_policy, 1);
}

TEST(answer_of_a_denied_stream_is_emptied)
{
    struct fixture *f = *state;
    const char *deny[] = { "t/**" };
    f->config[0].policy.deny = deny;
    f->config[0].policy.deny_count = 1;
    open_with_nodes(f);

    tell_range(f, 1, 2);

    assert_string_equal(f->log, "1:RANGE>2(0 withheld) ");
    assert_int_equal(counters(f, 0).dropped_policy, 1);
    assert_int_equal(counters(f, 0).relayed_events, 0);
}

TEST(answer_is_counted_where_it_leaves_and_enters)
{
    struct fixture *f = *state;
    open_with_nodes(f);

    tell_range(f, 1, 2);

    assert_string_equal(f->log, "1:RANGE>2(2) ");
    assert_int_equal(counters(f, 0).relayed_events, 2);
    assert_int_equal(counters(f, 1).entered_events, 2);
    assert_int_equal(counters(f, 0).relayed_bytes, counters(f, 1).entered_bytes);
}

/* What was kept before the policy changed is not handed out any more either. */
TEST(new_policy_holds_for_what_is_kept)
{
    struct fixture *f = *state;
    const char *deny[] = { "t/**" };
    open_with_nodes(f);
    struct tulle__forward_policy policy = f->config[0].policy;
    policy.deny = deny;
    policy.deny_count = 1;
    tell_batch(f, 0, 1, "t", 1);
    assert_true(tulle__forward_set_policy(f->forward, 0, &policy, f->now));
    f->log[0] = '\0';

    tell_fetch(f, 1, 2, 1, "t", 1);
    tell_fetch(f, 1, 2, PROXY, "t", 1);

    assert_string_equal(f->log, "1:RANGE>2(0 withheld) 1:RANGE>2(0) ");
}

/* A second's worth crosses; then batches wait, answers have a share, and beats do not wait. */
TEST(what_is_over_a_rate_waits)
{
    struct fixture *f = *state;
    f->config[0].policy.events_per_second = 2;
    open_with_nodes(f);

    for (uint64_t seq = 1; seq <= 4; seq++)
        tell_batch(f, 0, 1, "t", seq);
    tell_beat(f, 0, 1, NULL, NULL);
    tell_range(f, 1, 1);
    tell_fetch(f, 1, 2, 1, "t", 4);

    assert_string_equal(f->log, "1:t/1[9] 2:t/1[9] 1:t/2[9] 2:t/2[9] 1:t/3[9] 2:t/3[9] "
                                "1:beat(1)[9] 2:beat(1)[9] 1:RANGE>2(1) 1:RANGE>2(0 waits) ");
    assert_int_equal(counters(f, 0).limited_events, 1);
    assert_int_equal(counters(f, 0).limited_fetches, 1);
    assert_int_equal(counters(f, 0).limited_now, 1);
}

/* What waits goes on in order, one of each lane in turn, and who asks for it waits too. */
TEST(what_waits_goes_on_as_the_rate_allows)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < SIDES; i++)
        f->config[i].engine.suspect_ms = f->config[i].engine.gone_ms = 60000;
    f->config[0].policy.events_per_second = 1;
    open_with_nodes(f);
    tell_beat(f, 0, 4, NULL, NULL);
    f->log[0] = '\0';
    for (uint64_t seq = 1; seq <= 3; seq++)
        tell_batch(f, 0, 1, "t", seq);
    tell_batch(f, 0, 4, "t", 1);
    assert_string_equal(f->log, "1:t/1[9] 2:t/1[9] 1:t/2[9] 2:t/2[9] ");
    assert_int_equal(counters(f, 0).limited_now, 2);
    f->log[0] = '\0';

    tell_fetch(f, 1, 2, 1, "t", 3);
    assert_string_equal(f->log, "1:RANGE>2(0 waits) ");
    f->log[0] = '\0';
    pass_time(f, 1001);
    assert_string_equal(f->log, "1:t/3[9] 2:t/3[9] ");
    tell_batch(f, 0, 1, "t", 4); /* behind that of the other lane */
    pass_time(f, 1001);
    assert_string_equal(f->log, "1:t/3[9] 2:t/3[9] 1:t/1[9] 2:t/1[9] ");
    assert_int_equal(counters(f, 0).limited_now, 1);
}

/* Who lost what went on gets it again, though others wait all the time. */
TEST(answers_have_their_share_of_a_rate)
{
    struct fixture *f = *state;
    f->config[0].policy.events_per_second = 10;
    open_with_nodes(f);
    for (uint64_t seq = 1; seq <= 40; seq++)
        tell_batch(f, 0, 1, "t", seq);
    pass_time(f, 500);
    tell_batch(f, 0, 4, "u", 1); /* nobody takes it: it uses nothing of the rate */
    f->log[0] = '\0';

    tell_range(f, 1, 4);
    tell_range(f, 1, 4);
    tell_range(f, 1, 4);

    assert_string_equal(f->log, "1:RANGE>2(4) 1:RANGE>2(4) 1:RANGE>2(0 waits) ");
}

/* What waits is not kept here, and nobody asks: those beyond take it in arrival order, or have
 * it from elsewhere. */
TEST(what_nobody_asks_for_does_not_hold_back_what_comes)
{
    struct fixture *f = *state;
    f->retain_bytes = 0;
    f->config[0].policy.events_per_second = 1;
    for (size_t i = 0; i < SIDES; i++)
        f->config[i].engine.suspect_ms = f->config[i].engine.gone_ms = 60000;
    open_with_nodes(f);
    for (uint64_t seq = 1; seq <= 3; seq++)
        tell_batch(f, 0, 1, "t", seq);
    assert_int_equal(counters(f, 0).limited_now, 1);
    pass_time(f, 3500);
    f->log[0] = '\0';

    tell_batch(f, 0, 1, "t", 4);

    assert_string_equal(f->log, "1:t/4[9] 2:t/4[9] ");
    assert_int_equal(counters(f, 0).limited_now, 0);
}

TEST(rubbish_is_counted_and_goes_nowhere)
{
    struct fixture *f = *state;
    open_with_nodes(f);
    struct tulle__buf *rubbish = tulle__buf_copy("rubbish", 7);

    tell(f, 0, "t", rubbish, NULL);

    assert_string_equal(f->log, "");
    assert_int_equal(counters(f, 0).dropped_malformed, 1);
}

int
main(void)
{
#define FORWARD_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        FORWARD_TEST(batch_crosses_to_where_its_stream_is_taken),
        FORWARD_TEST(batch_does_not_go_back_to_its_side),
        FORWARD_TEST(path_grows_by_the_proxys_id),
        FORWARD_TEST(path_that_has_the_proxy_ends_here),
        FORWARD_TEST(path_at_the_hop_limit_ends_here),
        FORWARD_TEST(batch_that_comes_again_by_any_side_is_not_forwarded),
        FORWARD_TEST(batches_in_any_order_are_forwarded_once_each),
        FORWARD_TEST(batch_without_memory_is_counted_as_such),
        FORWARD_TEST(what_goes_on_at_once_needs_no_action),
        FORWARD_TEST(denied_stream_does_not_leave_its_side),
        FORWARD_TEST(only_allowed_streams_leave_a_side),
        FORWARD_TEST(interest_of_who_is_gone_is_gone),
        FORWARD_TEST(interest_beyond_another_proxy_is_what_that_takes),
        FORWARD_TEST(interest_beyond_a_proxy_that_is_gone_is_gone),
        FORWARD_TEST(interest_of_who_is_late_and_refuses_is_gone),
        FORWARD_TEST(interest_belongs_to_the_side_where_a_node_is_nearest),
        FORWARD_TEST(too_many_takes_become_everything),
        FORWARD_TEST(beat_crosses_once_to_every_other_side),
        FORWARD_TEST(beat_at_the_hop_limit_may_still_come_by_a_shorter_way),
        FORWARD_TEST(beat_of_another_proxy_stays_on_its_segment),
        FORWARD_TEST(beat_without_news_stays_here),
        FORWARD_TEST(proxy_tells_of_the_nodes_beyond),
        FORWARD_TEST(all_nodes_beyond_are_told_of_in_turn),
        FORWARD_TEST(ask_for_full_beats_is_passed_on_once),
        FORWARD_TEST(control_message_goes_on_towards_its_node),
        FORWARD_TEST(control_message_to_nobody_is_counted),
        FORWARD_TEST(fetch_of_what_passed_is_answered_on_the_way),
        FORWARD_TEST(fetch_of_a_denied_stream_is_refused),
        FORWARD_TEST(answer_of_a_denied_stream_is_emptied),
        FORWARD_TEST(answer_is_counted_where_it_leaves_and_enters),
        FORWARD_TEST(new_policy_holds_for_what_is_kept),
        FORWARD_TEST(what_is_over_a_rate_waits),
        FORWARD_TEST(what_waits_goes_on_as_the_rate_allows),
        FORWARD_TEST(answers_have_their_share_of_a_rate),
        FORWARD_TEST(what_nobody_asks_for_does_not_hold_back_what_comes),
        FORWARD_TEST(rubbish_is_counted_and_goes_nowhere),
    };
    return cmocka_run_group_tests_name("delivery/forward", tests, NULL, NULL);
}
