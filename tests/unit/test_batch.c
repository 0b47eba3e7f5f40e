/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "codec/batch.h"
#include "codec/limits.h"
#include "codec/topic.h"

#include <stdlib.h>
#include <string.h>

#define VIEW(literal) ((struct tulle__view){ (const uint8_t *)(literal), sizeof(literal) - 1 })
#define A             UINT64_C(0xa11ce00000000001)
#define B             UINT64_C(0xb0b0000000000002)
#define BASE          (UINT64_C(1700000000000000) << 12)

struct fixture {
    struct tulle__writer events;
    struct tulle__writer scratch;
    struct tulle__buf *buf;
    struct tulle__batch batch;
};

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    tulle__writer_init(&f->events);
    tulle__writer_init(&f->scratch);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    tulle__alloc_set_hook(NULL, NULL);
    tulle__writer_fini(&f->events);
    tulle__writer_fini(&f->scratch);
    if (f->buf != NULL)
        tulle__buf_unref(&f->buf);
    free(f);
    return 0;
}

static struct tulle__view
view_of(const struct tulle__writer *w)
{
    return (struct tulle__view){ .data = w->data, .len = w->len };
}

/* Close the batch of the gathered events. */
static void
close_batch(struct fixture *f, uint64_t first_seq, uint32_t count)
{
    const struct tulle__dep deps[] = { { A, VIEW("orders"), 3 }, { B, VIEW("orders"), 4 } };
    struct tulle__batch_head head = {
        .node = A,
        .first_seq = first_seq,
        .base_hlc = BASE,
        .event_count = count,
        .deps = deps,
        .dep_count = 2,
    };
    f->buf = tulle__batch_encode(&head, &f->events, &f->scratch);
    assert_non_null(f->buf);
}

static void
open_batch(struct fixture *f)
{
    assert_status(tulle__batch_decode(f->buf->data, f->buf->len, &f->batch), TULLE_OK);
}

TEST(deps_can_be_read_without_the_events)
{
    struct fixture *f = *state;
    tulle__event_encode(&f->events, VIEW("x"), 0, VIEW("payload"), NULL);
    close_batch(f, UINT64_C(1) << 40, 1);

    struct tulle__clock_view deps = tulle__batch_deps(f->buf->data, f->buf->len);

    struct tulle__dep dep;
    assert_int_equal(deps.count, 2);
    assert_true(tulle__clock_view_next(&deps, &dep));
    assert_true(dep.node == A && dep.count == 3);
    assert_true(tulle__clock_view_next(&deps, &dep));
    assert_true(dep.node == B && dep.count == 4);
    assert_false(tulle__clock_view_next(&deps, &dep));
}

TEST(event_comes_back_as_it_was)
{
    struct fixture *f = *state;
    struct tulle__event_walk walk;
    struct tulle__event_view event;
    tulle__event_encode(&f->events, VIEW("eu/placed"), 7, VIEW("body"), NULL);

    close_batch(f, 41, 1);
    open_batch(f);

    assert_true(f->batch.node == A);
    assert_true(f->batch.first_seq == 41);
    assert_true(f->batch.base_hlc == BASE);
    assert_int_equal(f->batch.event_count, 1);
    tulle__batch_walk(&f->batch, &walk);
    assert_true(tulle__batch_next(&walk, &event));
    assert_true(event.seq == 41);
    assert_true(event.hlc == BASE + (7 << 12));
    assert_true(tulle__view_is(event.rest, "eu/placed"));
    assert_true(tulle__view_is(event.payload, "body"));
    assert_int_equal(event.attributes.len, 0);
    assert_false(tulle__batch_next(&walk, &event));
}

TEST(payload_points_into_the_frame)
{
    struct fixture *f = *state;
    struct tulle__event_walk walk;
    struct tulle__event_view event;
    tulle__event_encode(&f->events, VIEW(""), 0, VIEW("body"), NULL);
    close_batch(f, 1, 1);
    open_batch(f);

    tulle__batch_walk(&f->batch, &walk);
    assert_true(tulle__batch_next(&walk, &event));

    assert_ptr_equal(event.payload.data + event.payload.len, f->buf->data + f->buf->len);
}

TEST(events_are_numbered_on)
{
    struct fixture *f = *state;
    struct tulle__event_walk walk;
    struct tulle__event_view event;
    uint64_t expected = 5;
    for (int i = 0; i < 300; i++)
        tulle__event_encode(&f->events, VIEW("n"), 0, VIEW(""), NULL);

    close_batch(f, 5, 300);
    open_batch(f);
    tulle__batch_walk(&f->batch, &walk);
    while (tulle__batch_next(&walk, &event)) {
        assert_true(event.seq == expected);
        expected++;
    }

    assert_true(expected == 305);
}

TEST(every_cut_of_a_batch_is_refused)
{
    struct fixture *f = *state;
    const struct tulle__dep cause = { B, VIEW("orders"), 9 };
    const struct tulle__pair header = { "traceparent", "00-01-02-03" };
    const struct tulle__attributes_in attributes = { "text/plain", &cause, 1, &header, 1 };
    tulle__event_encode(&f->events, VIEW("eu"), 70000, VIEW("body"), &attributes);
    tulle__event_encode(&f->events, VIEW("eu"), 70001, VIEW("body"), NULL);
    close_batch(f, 1, 2);

    for (size_t len = 0; len < f->buf->len; len++)
        assert_status(tulle__batch_decode(f->buf->data, len, &f->batch), TULLE_EBADMSG);
    open_batch(f);
}

TEST(attributes_come_back_as_they_were)
{
    struct fixture *f = *state;
    struct tulle__event_walk walk;
    struct tulle__event_view event;
    struct tulle__attributes found;
    struct tulle__dep dep;
    struct tulle__view name;
    struct tulle__view value;
    const struct tulle__dep causes[] = { { B, VIEW("orders"), 9 }, { A, VIEW("x/y"), 1 } };
    const struct tulle__pair headers[] = { { "a", "1" }, { "b", "" } };
    const struct tulle__attributes_in in = { "text/plain", causes, 2, headers, 2 };
    tulle__event_encode(&f->events, VIEW("eu"), 0, VIEW(""), &in);
    close_batch(f, 1, 1);
    open_batch(f);

    tulle__batch_walk(&f->batch, &walk);
    assert_true(tulle__batch_next(&walk, &event));
    tulle__attributes_decode(event.attributes, &found);

    assert_true(tulle__view_is(found.content_type, "text/plain"));
    assert_true(tulle__cause_next(&found, &dep));
    assert_true(dep.node == B && dep.count == 9 && tulle__view_is(dep.stream, "orders"));
    assert_true(tulle__cause_next(&found, &dep));
    assert_true(dep.node == A && dep.count == 1 && tulle__view_is(dep.stream, "x/y"));
    assert_false(tulle__cause_next(&found, &dep));
    assert_true(tulle__header_next(&found, &name, &value));
    assert_true(tulle__view_is(name, "a") && tulle__view_is(value, "1"));
    assert_true(tulle__header_next(&found, &name, &value));
    assert_true(tulle__view_is(name, "b") && tulle__view_is(value, ""));
    assert_false(tulle__header_next(&found, &name, &value));
}

TEST(empty_attributes_are_not_written)
{
    struct fixture *f = *state;
    const struct tulle__attributes_in none = { .content_type = NULL };

    tulle__event_encode(&f->events, VIEW("eu"), 0, VIEW("x"), &none);

    assert_int_equal(f->events.data[0], 0x93);
}

TEST(no_attributes_decode_to_nothing)
{
    (void)state;
    struct tulle__attributes found;
    struct tulle__dep dep;
    struct tulle__view view;

    tulle__attributes_decode((struct tulle__view){ .data = NULL }, &found);

    assert_int_equal(found.content_type.len, 0);
    assert_false(tulle__cause_next(&found, &dep));
    assert_false(tulle__header_next(&found, &view, &view));
}

TEST(topic_and_stream_stay_within_the_limit_together)
{
    struct fixture *f = *state;
    uint8_t rest[200];
    uint8_t stream[55];
    memset(rest, 'r', sizeof rest);
    memset(stream, 's', sizeof stream);
    tulle__event_encode(&f->events, VIEW("eu"), 0, VIEW(""), NULL);
    tulle__event_encode(&f->events, (struct tulle__view){ rest, sizeof rest }, 0, VIEW(""), NULL);
    close_batch(f, 1, 2);
    open_batch(f);

    assert_int_equal(f->batch.rest_len_max, 200);
    assert_true(tulle__batch_fits(&f->batch, (struct tulle__view){ stream, 54 }));
    assert_false(tulle__batch_fits(&f->batch, (struct tulle__view){ stream, 55 }));
}

TEST(batch_of_bare_streams_fits_the_longest)
{
    struct fixture *f = *state;
    uint8_t stream[TULLE__TOPIC_LEN_MAX];
    memset(stream, 's', sizeof stream);
    tulle__event_encode(&f->events, VIEW(""), 0, VIEW(""), NULL);
    close_batch(f, 1, 1);
    open_batch(f);

    assert_true(tulle__batch_fits(&f->batch, (struct tulle__view){ stream, sizeof stream }));
}

/* Bytes that are likely to make a difference in a topic. */
static const uint8_t alphabet[] = { 'a', 'b',  '/',  '/',  '*',  '.',  '$', 0x1f, 0x20,
                                    '~', 0x7f, 0x80, 0xc3, 0xa9, 0xff, 0,   'z',  'y' };

/* The quick check of what stands below a stream agrees with the slow one. */
TEST(rest_is_valid_exactly_when_a_topic_with_it_is)
{
    struct fixture *f = *state;
    uint32_t random = 12345;
    uint8_t topic[42] = { 'x', '/' };
    unsigned accepted = 0;

    for (int run = 0; run < 200000; run++) {
        size_t len = 1 + (size_t)run % 40;
        random = random * 1664525 + 1013904223;
        unsigned rare = random >> 31;
        for (size_t i = 0; i < len; i++) {
            random = random * 1664525 + 1013904223;
            size_t pick = (random >> 16) % (sizeof alphabet * (rare != 0 ? 6 : 1));
            topic[2 + i] = pick < sizeof alphabet ? alphabet[pick] : 'x';
        }
        tulle__writer_reset(&f->events);
        tulle__event_encode(&f->events, (struct tulle__view){ topic + 2, len }, 0, VIEW(""), NULL);
        close_batch(f, 1, 1);
        bool is_taken = tulle__batch_decode(f->buf->data, f->buf->len, &f->batch) == TULLE_OK;
        tulle__buf_unref(&f->buf);
        assert_int_equal(is_taken, tulle__topic_is_valid((struct tulle__view){ topic, len + 2 }));
        accepted += is_taken;
    }
    assert_in_range(accepted, 1000, 199000);
}

TEST(clock_comes_back_in_groups)
{
    struct fixture *f = *state;
    const struct tulle__dep deps[] = {
        { A, VIEW("a"), 1 }, { B, VIEW("a"), 2 }, { A, VIEW("b"), 3 }, { B, VIEW("a"), 4 }
    };
    struct tulle__reader r;
    struct tulle__dep dep;

    tulle__write_clock(&f->scratch, deps, 4);
    assert_int_equal(f->scratch.data[0], 0x96);
    tulle__reader_init(&r, f->scratch.data, f->scratch.len);
    struct tulle__clock_view clock = tulle__read_clock(&r);

    assert_true(tulle__reader_is_done(&r));
    assert_int_equal(clock.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_true(tulle__clock_view_next(&clock, &dep));
        assert_true(dep.node == deps[i].node && dep.count == deps[i].count);
        assert_true(tulle__view_equal(dep.stream, deps[i].stream));
    }
    assert_false(tulle__clock_view_next(&clock, &dep));
}

TEST(copy_of_a_clock_walks_again)
{
    struct fixture *f = *state;
    const struct tulle__dep deps[] = { { A, VIEW("a"), 1 }, { B, VIEW("a"), 2 } };
    struct tulle__reader r;
    struct tulle__dep dep;
    tulle__write_clock(&f->scratch, deps, 2);
    tulle__reader_init(&r, f->scratch.data, f->scratch.len);
    struct tulle__clock_view clock = tulle__read_clock(&r);
    struct tulle__clock_view copy = clock;

    assert_true(tulle__clock_view_next(&clock, &dep));
    assert_true(tulle__clock_view_next(&copy, &dep));

    assert_true(dep.node == A && dep.count == 1);
}

TEST(empty_clock_has_no_entry)
{
    struct fixture *f = *state;
    struct tulle__reader r;
    struct tulle__dep dep;
    tulle__write_clock(&f->scratch, NULL, 0);
    tulle__reader_init(&r, f->scratch.data, f->scratch.len);

    struct tulle__clock_view clock = tulle__read_clock(&r);

    assert_true(tulle__reader_is_done(&r));
    assert_int_equal(clock.count, 0);
    assert_false(tulle__clock_view_next(&clock, &dep));
}

/* One more entry than a message may have, in groups that are each small enough. */
TEST(clock_past_the_limit_is_refused)
{
    struct fixture *f = *state;
    struct tulle__reader r;

    tulle__write_array(&f->scratch, 4);
    for (unsigned group = 0; group < 2; group++) {
        uint32_t pairs = TULLE__CLOCK_ENTRIES_MAX / 2 + group;
        tulle__write_cstr(&f->scratch, "a");
        tulle__write_array(&f->scratch, 2 * pairs);
        for (uint32_t i = 0; i < pairs; i++) {
            tulle__write_uint(&f->scratch, A + i);
            tulle__write_uint(&f->scratch, 1);
        }
    }
    tulle__reader_init(&r, f->scratch.data, f->scratch.len);

    struct tulle__clock_view clock = tulle__read_clock(&r);

    assert_true(r.failed);
    assert_int_equal(clock.count, 0);
}

TEST(key_gives_its_stream)
{
    (void)state;
    struct tulle__view stream;

    assert_status(tulle__key_decode("sensors/42", 11, &stream), TULLE_OK);
    assert_true(tulle__view_is(stream, "sensors/42"));
    assert_status(tulle__key_decode("$beat", 6, &stream), TULLE_OK);
    assert_true(tulle__view_is(stream, "$beat"));
    assert_status(tulle__key_decode("sensors", 7, &stream), TULLE_EBADMSG);
    assert_int_equal(stream.len, 0);
}

TEST(path_comes_back_as_it_was)
{
    struct fixture *f = *state;
    const uint64_t ids[] = { A, B, TULLE__NODE_ID_MIN };
    uint64_t found[TULLE__PATH_MAX];
    uint32_t count = 0;

    tulle__path_encode(&f->scratch, ids, 3);
    struct tulle__view frame = view_of(&f->scratch);

    assert_status(tulle__path_decode(frame.data, frame.len, found, &count), TULLE_OK);
    assert_int_equal(count, 3);
    assert_memory_equal(found, ids, sizeof ids);
    assert_status(tulle__path_decode(frame.data, frame.len - 1, found, &count), TULLE_EBADMSG);
    assert_int_equal(count, 0);
}

static bool
refuse(void *ctx)
{
    (void)ctx;
    return false;
}

TEST(no_batch_without_memory)
{
    struct fixture *f = *state;
    const struct tulle__batch_head head = { .node = A, .first_seq = 1, .event_count = 1 };
    tulle__event_encode(&f->events, VIEW("eu"), 0, VIEW(""), NULL);

    tulle__alloc_set_hook(refuse, NULL);
    assert_null(tulle__batch_encode(&head, &f->events, &f->scratch)); /* none for the scratch */
    tulle__alloc_set_hook(NULL, NULL);
    f->buf = tulle__batch_encode(&head, &f->events, &f->scratch);
    assert_non_null(f->buf);
    tulle__alloc_set_hook(refuse, NULL);
    assert_null(tulle__batch_encode(&head, &f->events, &f->scratch)); /* none for the frame */
}

TEST(no_batch_of_events_that_failed)
{
    struct fixture *f = *state;
    const struct tulle__batch_head head = { .node = A, .first_seq = 1, .event_count = 1 };

    tulle__alloc_set_hook(refuse, NULL);
    tulle__event_encode(&f->events, VIEW("eu"), 0, VIEW(""), NULL);
    tulle__alloc_set_hook(NULL, NULL);

    assert_null(tulle__batch_encode(&head, &f->events, &f->scratch));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(deps_can_be_read_without_the_events),
        CASE(event_comes_back_as_it_was),
        CASE(payload_points_into_the_frame),
        CASE(events_are_numbered_on),
        CASE(every_cut_of_a_batch_is_refused),
        CASE(attributes_come_back_as_they_were),
        CASE(empty_attributes_are_not_written),
        CASE(no_attributes_decode_to_nothing),
        CASE(topic_and_stream_stay_within_the_limit_together),
        CASE(batch_of_bare_streams_fits_the_longest),
        CASE(rest_is_valid_exactly_when_a_topic_with_it_is),
        CASE(clock_comes_back_in_groups),
        CASE(copy_of_a_clock_walks_again),
        CASE(empty_clock_has_no_entry),
        CASE(clock_past_the_limit_is_refused),
        CASE(key_gives_its_stream),
        CASE(path_comes_back_as_it_was),
        CASE(no_batch_without_memory),
        CASE(no_batch_of_events_that_failed),
    };
    return cmocka_run_group_tests_name("codec/batch", tests, NULL, NULL);
}
