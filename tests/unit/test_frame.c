/* SPDX-License-Identifier: MPL-2.0 */
/* Frames of messages that are passed on as they came. */

#include "testkit.h"

#include "base/alloc.h"
#include "node/frame.h"

#include <string.h>

enum { LONG_LEN = 100000 };

struct fixture {
    void *context;
    void *in; /* where messages come from, */
    void *out;
    void *in_end; /* and the other ends */
    void *out_end;
    struct tulle__frames frames;
};

static void *
open_pair(void *context, const char *address, bool binds)
{
    void *socket = zmq_socket(context, ZMQ_PAIR);
    assert_non_null(socket);
    assert_int_equal(binds ? zmq_bind(socket, address) : zmq_connect(socket, address), 0);
    return socket;
}

static int
setup(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;
    *f = (struct fixture){ .context = zmq_ctx_new() };
    f->in_end = open_pair(f->context, "inproc://in", true);
    f->in = open_pair(f->context, "inproc://in", false);
    f->out = open_pair(f->context, "inproc://out", true);
    f->out_end = open_pair(f->context, "inproc://out", false);
    tulle__frames_init(&f->frames, true);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    tulle__frames_fini(&f->frames);
    void *sockets[] = { f->in, f->in_end, f->out, f->out_end };
    for (size_t i = 0; i < sizeof sockets / sizeof sockets[0]; i++)
        assert_int_equal(zmq_close(sockets[i]), 0);
    return zmq_ctx_term(f->context);
}

static void
send_frames(struct fixture *f, int count, const void *bytes, size_t len)
{
    for (int i = 0; i < count; i++)
        assert_true(zmq_send(f->in_end, bytes, len, i + 1 < count ? ZMQ_SNDMORE : 0) >= 0);
}

static void
assert_arrives(struct fixture *f, const void *bytes, size_t len)
{
    zmq_msg_t frame;
    assert_int_equal(zmq_msg_init(&frame), 0);
    assert_int_equal(zmq_msg_recv(&frame, f->out_end, ZMQ_DONTWAIT), (int)len);
    assert_memory_equal(zmq_msg_data(&frame), bytes, len);
    assert_int_equal(zmq_msg_close(&frame), 0);
}

static struct tulle__buf *
receive_whole(struct fixture *f)
{
    assert_int_equal(tulle__frames_receive(&f->frames, f->in), 2);
    struct tulle__buf *body = tulle__frames_take_body(&f->frames);
    assert_non_null(body);
    return body;
}

TEST(frames_past_the_limit_are_counted_and_the_next_message_is_whole)
{
    struct fixture *f = *state;
    send_frames(f, 7, "x", 1);
    send_frames(f, 3, "yz", 2);

    assert_int_equal(tulle__frames_receive(&f->frames, f->in), 7);
    assert_int_equal(tulle__frames_receive(&f->frames, f->in), 3);
    assert_int_equal(tulle__frames_view(&f->frames, 0).len, 2);
    assert_int_equal(tulle__frames_view(&f->frames, 2).len, 2);
    assert_int_equal(tulle__frames_receive(&f->frames, f->in), 0);
    for (int i = 0; i < TULLE__FRAMES_MAX; i++) /* nothing is held on to */
        assert_int_equal(zmq_msg_size(&f->frames.at[i]), 0);
}

TEST(frame_that_others_need_too_is_sent_as_a_copy)
{
    struct fixture *f = *state;
    static uint8_t bytes[LONG_LEN];
    memset(bytes, 'b', sizeof bytes);
    const size_t lens[] = { 0, 5, 100, LONG_LEN };
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        send_frames(f, 2, bytes, lens[i]);
        struct tulle__buf *body = receive_whole(f);
        struct tulle__buf *held = tulle__buf_ref(body);
        assert_true(tulle__frame_send(f->out, body, 0));
        assert_arrives(f, bytes, lens[i]);
        tulle__buf_unref(&held);
        assert_memory_equal(body->data, bytes, lens[i]);
        assert_true(tulle__frame_send(f->out, body, 0)); /* moved */
        assert_arrives(f, bytes, lens[i]);
        tulle__frames_give_back(&f->frames, &body);
        assert_null(body);
    }
}

TEST(what_is_given_back_serves_the_next_frame)
{
    struct fixture *f = *state;
    send_frames(f, 2, "first", 5);
    send_frames(f, 2, "second", 6);
    send_frames(f, 2, "third", 5);
    struct tulle__buf *first = receive_whole(f);
    struct tulle__buf *at = first;
    tulle__frames_give_back(&f->frames, &first);

    struct tulle__buf *second = receive_whole(f);
    assert_ptr_equal(second, at);
    assert_memory_equal(second->data, "second", 6);
    struct tulle__buf *held = tulle__buf_ref(second);
    tulle__frames_give_back(&f->frames, &second); /* somebody has it */
    assert_null(f->frames.spare);
    struct tulle__buf *third = receive_whole(f);
    assert_ptr_not_equal(third, at);
    assert_memory_equal(held->data, "second", 6);
    tulle__buf_unref(&held);
    tulle__frames_give_back(&f->frames, &third);
}

TEST(what_came_without_memory_is_not_held_on_to)
{
    struct fixture *f = *state;
    static uint8_t bytes[LONG_LEN];
    struct testkit_memory none = { .left = 0 };
    send_frames(f, 2, bytes, sizeof bytes);
    tulle__alloc_set_hook(testkit_may_allocate, &none);
    assert_int_equal(tulle__frames_receive(&f->frames, f->in), 2);
    assert_null(tulle__frames_take_body(&f->frames));
    tulle__alloc_set_hook(NULL, NULL);

    assert_int_equal(tulle__frames_receive(&f->frames, f->in), 0);
    assert_int_equal(zmq_msg_size(&f->frames.at[TULLE__FRAME_BODY]), 0);
}

TEST(frame_is_passed_as_it_came)
{
    struct fixture *f = *state;
    send_frames(f, 1, "key", 4);
    assert_int_equal(tulle__frames_receive(&f->frames, f->in), 1);
    for (int i = 0; i < 3; i++) {
        assert_true(tulle__frame_pass(f->out, &f->frames.at[0], 0, i == 2));
        assert_arrives(f, "key", 4);
    }
    assert_int_equal(zmq_msg_size(&f->frames.at[0]), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            frames_past_the_limit_are_counted_and_the_next_message_is_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(frame_that_others_need_too_is_sent_as_a_copy, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_given_back_serves_the_next_frame, setup, teardown),
        cmocka_unit_test_setup_teardown(what_came_without_memory_is_not_held_on_to, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(frame_is_passed_as_it_came, setup, teardown),
    };
    return cmocka_run_group_tests_name("node/frame", tests, NULL, NULL);
}
