/* SPDX-License-Identifier: MPL-2.0 */
/* The sockets of a segment by themselves: connections that come, go and come
 * again, addresses that are taken, and what strangers send. */

#include "testkit.h"

#include "base/alloc.h"
#include "node/address.h"
#include "node/state.h"

#include <tulle/node.h>

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum {
    WAIT_MS = 5000,
    ID_A = 1,
    ID_B = 2,
    STALL_MS = 7000, /* longer than any heartbeat of a connection that is not read */
    LONG_LEN = 20000,
    LONG_COUNT = 900 /* what one side may hold */
};

struct pair {
    void *context;
    struct tulle__transport *a;
    struct tulle__transport *b;
    void *plain; /* a socket of libzmq alone; NULL: there is none */
};

static struct tulle__transport *
open_one(void *context, uint64_t number, const char *listen)
{
    struct tulle__transport_options options = { .id = UINT64_C(0xa000000000000000) + number,
                                                .listen = { listen },
                                                .listen_count = 1 };
    struct tulle__transport *t;
    tulle_error error = { 0 };
    assert_status(tulle__transport_open(context, &options, &t, &error), TULLE_OK);
    return t;
}

static int
setup(void **state)
{
    static struct pair pair;
    pair.plain = NULL;
    pair.context = zmq_ctx_new();
    pair.a = open_one(pair.context, ID_A, "tcp://127.0.0.1:*");
    pair.b = open_one(pair.context, ID_B, "tcp://127.0.0.1:*");
    *state = &pair;
    return 0;
}

static int
teardown(void **state)
{
    struct pair *pair = *state;
    tulle__transport_close(&pair->a, 0);
    tulle__transport_close(&pair->b, 0);
    if (pair->plain != NULL)
        (void)zmq_close(pair->plain);
    (void)zmq_ctx_term(pair->context);
    return 0;
}

static const char *
address_of(const struct tulle__transport *t, bool is_events)
{
    const char *control[TULLE__ADDRESSES_MAX];
    const char *events[TULLE__ADDRESSES_MAX];
    assert_true(tulle__transport_addresses(t, control, events) >= 1);
    return is_events ? events[0] : control[0];
}

static void
dial_events(struct pair *pair)
{
    const struct tulle__dialing dialing = { .events = address_of(pair->b, true) };
    tulle__transport_dial(pair->a, 7, &dialing);
}

static int64_t
now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
poll_both(struct pair *pair, int ms)
{
    struct pollfd fds[2 * TULLE__TRANSPORT_POLL_ITEMS];
    for (size_t i = 0; i < TULLE__TRANSPORT_POLL_ITEMS; i++) {
        fds[2 * i] = (struct pollfd){ tulle__transport_fd(pair->a, i), POLLIN, 0 };
        fds[2 * i + 1] = (struct pollfd){ tulle__transport_fd(pair->b, i), POLLIN, 0 };
    }
    bool a_has = tulle__transport_has_events(pair->a);
    bool b_has = tulle__transport_has_events(pair->b);
    if (!a_has && !b_has)
        (void)poll(fds, sizeof fds / sizeof *fds, ms);
}

/* Send a control message over a hop of a until b has one. */
static bool
reaches(struct pair *pair, uint64_t hop)
{
    struct tulle__buf *part = tulle__buf_copy("x", 1);
    bool has_arrived = false;
    for (int64_t end = now_ms() + WAIT_MS; !has_arrived && now_ms() < end;) {
        (void)tulle__transport_control(pair->a, hop, part, part);
        poll_both(pair, 50);
        struct tulle__incoming in;
        has_arrived = tulle__transport_receive_control(pair->b, &in) == TULLE__RECEIVED_MESSAGE;
        if (has_arrived) {
            assert_true(in.via == UINT64_C(0xa000000000000000) + ID_A);
            tulle__buf_unref(&in.body);
        }
    }
    tulle__buf_unref(&part);
    return has_arrived;
}

/* Publish at b until a has it. */
static bool
hears(struct pair *pair, int64_t ms)
{
    struct tulle__buf *body = tulle__buf_copy("event", 5);
    struct tulle__view key = { (const uint8_t *)"s", 2 };
    bool has_arrived = false;
    for (int64_t end = now_ms() + ms; !has_arrived && now_ms() < end;) {
        tulle__transport_publish(pair->b, key, body, NULL);
        poll_both(pair, 50);
        struct tulle__incoming in;
        has_arrived = tulle__transport_receive_publication(pair->a, &in) == TULLE__RECEIVED_MESSAGE;
        if (has_arrived)
            tulle__buf_unref(&in.body);
    }
    tulle__buf_unref(&body);
    return has_arrived;
}

TEST(a_hop_is_dialed_again_at_once)
{
    struct pair *pair = *state;
    const char *control = address_of(pair->b, false);
    for (int i = 0; i < 5; i++) {
        tulle__transport_dial(pair->a, 7, &(struct tulle__dialing){ .control = control });
        assert_true(reaches(pair, 7));
        tulle__transport_hangup(pair->a, 7, &(struct tulle__dialing){ .control = control });
    }
}

TEST(a_link_and_a_peer_share_an_address)
{
    struct pair *pair = *state;
    const char *control = address_of(pair->b, false);
    tulle__transport_dial(pair->a, 1, &(struct tulle__dialing){ .control = control });
    tulle__transport_dial(pair->a, 7, &(struct tulle__dialing){ .control = control });
    assert_true(reaches(pair, 1));
    assert_true(reaches(pair, 7));
    tulle__transport_hangup(pair->a, 7, &(struct tulle__dialing){ .control = control });
    assert_true(reaches(pair, 1));
}

TEST(hanging_up_one_keeps_the_other_at_its_event_address)
{
    struct pair *pair = *state;
    const char *events = address_of(pair->b, true);
    tulle__transport_subscribe(pair->a, (struct tulle__view){ (const uint8_t *)"s", 2 });
    tulle__transport_dial(pair->a, 7, &(struct tulle__dialing){ .events = events });
    tulle__transport_dial(
        pair->a, 8,
        &(struct tulle__dialing){ .events = events }); /* restarted at the same address */
    assert_true(hears(pair, WAIT_MS));
    tulle__transport_hangup(pair->a, 7, &(struct tulle__dialing){ .events = events });
    struct tulle__incoming in;
    for (int64_t end = now_ms() + 500; now_ms() < end;) { /* what was on its way */
        poll_both(pair, 50);
        while (tulle__transport_receive_publication(pair->a, &in) == TULLE__RECEIVED_MESSAGE)
            tulle__buf_unref(&in.body);
    }
    assert_true(hears(pair, WAIT_MS));
}

/* Where a node was, something else is for a moment, and then another node. */
TEST(who_comes_to_an_address_that_was_given_up_is_heard)
{
    struct pair *pair = *state;
    char address[100];
    size_t len = sizeof address;
    int zero = 0;
    pair->plain = zmq_socket(pair->context, ZMQ_ROUTER); /* nothing that a SUB can talk to */
    assert_int_equal(zmq_bind(pair->plain, "tcp://127.0.0.1:*"), 0);
    assert_int_equal(zmq_getsockopt(pair->plain, ZMQ_LAST_ENDPOINT, address, &len), 0);
    tulle__transport_subscribe(pair->a, (struct tulle__view){ (const uint8_t *)"s", 2 });
    struct tulle__dialing dialing = { .events = address };
    tulle__transport_dial(pair->a, 7, &dialing);
    assert_false(hears(pair, 500)); /* time enough to be refused there */
    assert_int_equal(zmq_unbind(pair->plain, address), 0);
    assert_int_equal(zmq_close(pair->plain), 0);

    pair->plain = zmq_socket(pair->context, ZMQ_PUB);
    assert_int_equal(zmq_setsockopt(pair->plain, ZMQ_LINGER, &zero, sizeof zero), 0);
    int64_t end = now_ms() + WAIT_MS;
    while (zmq_bind(pair->plain, address) != 0)
        assert_true(now_ms() < end);
    tulle__transport_dial(pair->a, 8, &dialing);
    tulle__transport_hangup(pair->a, 8, &dialing); /* as nothing is heard */
    dialing.tries = 1;
    tulle__transport_dial(pair->a, 8, &dialing);
    tulle__transport_hangup(pair->a, 7, &dialing); /* it is not at that address any more */
    bool has_arrived = false;
    while (!has_arrived && now_ms() < end) {
        struct tulle__incoming in;
        (void)zmq_send(pair->plain, "s", 2, ZMQ_SNDMORE);
        (void)zmq_send(pair->plain, "event", 5, 0);
        poll_both(pair, 50);
        has_arrived = tulle__transport_receive_publication(pair->a, &in) == TULLE__RECEIVED_MESSAGE;
        if (has_arrived)
            tulle__buf_unref(&in.body);
    }
    assert_true(has_arrived);
}

TEST(an_ipc_address_in_use_is_refused)
{
    struct pair *pair = *state;
    char address[64];
    (void)snprintf(address, sizeof address, "ipc:///tmp/tulle-test-%ld", (long)getpid());
    struct tulle__transport *first = open_one(pair->context, 3, address);
    struct tulle__transport_options options = { .id = UINT64_C(0xa000000000000004),
                                                .listen = { address },
                                                .listen_count = 1 };
    struct tulle__transport *second = NULL;
    tulle_error error = { 0 };
    tulle_status status = tulle__transport_open(pair->context, &options, &second, &error);
    tulle__transport_close(&second, 0);
    tulle__transport_close(&first, 0);
    assert_status(status, TULLE_EADDRINUSE);
}

static void
name_path(char path[static 64], const char *what)
{
    (void)snprintf(path, 64, "/tmp/tulle-test-%ld-%s", (long)getpid(), what);
}

static tulle_status
try_ipc(void *context, const char *path)
{
    char address[80];
    (void)snprintf(address, sizeof address, "ipc://%s", path);
    struct tulle__transport_options options = { .id = UINT64_C(0xa000000000000004),
                                                .listen = { address },
                                                .listen_count = 1 };
    struct tulle__transport *t = NULL;
    tulle_status status = tulle__transport_open(context, &options, &t, NULL);
    tulle__transport_close(&t, 0);
    return status;
}

/* A socket's file that nobody listens at, as a program leaves it that was killed. */
static void
leave_socket(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    (void)close(fd);
}

TEST(ipc_files_go_when_their_owner_does)
{
    struct pair *pair = *state;
    char path[64];
    char events[80];
    name_path(path, "mine");
    (void)snprintf(events, sizeof events, "%s.events", path);
    leave_socket(path);
    assert_status(try_ipc(pair->context, path), TULLE_OK); /* in the place of a dead one */
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(access(events, F_OK), -1);
    assert_status(try_ipc(pair->context, path), TULLE_OK);
}

TEST(a_file_that_is_no_socket_is_left_alone)
{
    struct pair *pair = *state;
    char path[64];
    name_path(path, "file");
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    tulle_status status = try_ipc(pair->context, path);
    int found = access(path, F_OK);
    (void)unlink(path);
    assert_status(status, TULLE_EADDRINUSE);
    assert_int_equal(found, 0);
}

/* One whose address somebody else has by now does not take it away. */
TEST(an_address_that_was_taken_over_stays)
{
    struct pair *pair = *state;
    char path[64];
    char address[80];
    name_path(path, "over");
    (void)snprintf(address, sizeof address, "ipc://%s", path);
    struct tulle__transport *first = open_one(pair->context, 3, address);
    assert_int_equal(unlink(path), 0);
    leave_socket(path);
    tulle__transport_close(&first, 0);
    int found = access(path, F_OK);
    (void)unlink(path);
    assert_int_equal(found, 0);
}

static void
expect_choice(const char *list, const char *expected)
{
    char chosen[TULLE__ADDRESS_LEN_MAX + 1];
    tulle__address_choose(list, 0, chosen);
    assert_string_equal(chosen, expected);
}

/* A path means something on one host only: the TCP address beside it tells which. */
TEST(ipc_is_chosen_where_it_is_meant)
{
    struct pair *pair = *state;
    char path[64];
    char ipc[80];
    char list[256];
    name_path(path, "choose");
    (void)snprintf(ipc, sizeof ipc, "ipc://%s", path);
    struct tulle__transport *t = open_one(pair->context, 3, ipc);
    (void)snprintf(list, sizeof list, "tcp://127.0.0.1:7000 %s", ipc);
    expect_choice(list, ipc);
    (void)snprintf(list, sizeof list, "%s tcp://192.0.2.1:7000", ipc); /* nobody's */
    expect_choice(list, "tcp://192.0.2.1:7000");
    (void)snprintf(list, sizeof list, "%s tcp://elsewhere.example:7000", ipc);
    expect_choice(list, "tcp://elsewhere.example:7000");
    expect_choice(ipc, ipc);
    tulle__transport_close(&t, 0);

    leave_socket(path);
    (void)snprintf(list, sizeof list, "%s tcp://127.0.0.1:7000", ipc);
    expect_choice(list, "tcp://127.0.0.1:7000"); /* nobody is there */
    (void)unlink(path);
    expect_choice(list, "tcp://127.0.0.1:7000");
    expect_choice(ipc, ipc); /* there is no other, and somebody may come */
}

TEST(a_message_for_nobody_is_told_as_unsent)
{
    struct pair *pair = *state;
    struct tulle__buf *part = tulle__buf_copy("x", 1);
    struct tulle__action action = { .kind = TULLE__ACTION_CONTROL };
    action.u.control.hop = 7;
    action.u.control.header = part;
    action.u.control.body = part;
    assert_int_equal(tulle__transport_act(pair->a, NULL, &action), TULLE__ACTED_UNSENT);
    tulle__transport_dial(pair->a, 7,
                          &(struct tulle__dialing){ .control = address_of(pair->b, false) });
    assert_int_equal(tulle__transport_act(pair->a, NULL, &action), TULLE__ACTED);
    action.kind = TULLE__ACTION_PEER;
    assert_int_equal(tulle__transport_act(pair->a, NULL, &action), TULLE__ACTED_NOT);
    tulle__buf_unref(&part);
}

TEST(what_there_is_no_memory_to_dial_is_told)
{
    struct pair *pair = *state;
    struct testkit_memory none = { .left = 0 };
    struct tulle__action action = { .kind = TULLE__ACTION_DIAL };
    action.u.dial.hop = 7;
    action.u.dial.control = address_of(pair->b, false);
    tulle__alloc_set_hook(testkit_may_allocate, &none);
    enum tulle__acted acted = tulle__transport_act(pair->a, NULL, &action);
    tulle__alloc_set_hook(NULL, NULL);
    assert_int_equal(acted, TULLE__ACTED_UNDIALED);
    assert_int_equal(tulle__transport_act(pair->a, NULL, &action), TULLE__ACTED);
    assert_true(reaches(pair, 7));
}

static struct tulle__buf *
receive_body(struct pair *pair)
{
    for (int64_t end = now_ms() + WAIT_MS; now_ms() < end; poll_both(pair, 50)) {
        struct tulle__incoming in = { 0 };
        if (tulle__transport_receive_publication(pair->a, &in) == TULLE__RECEIVED_MESSAGE &&
            in.body->len != 5)
            return in.body;
        if (in.body != NULL)
            tulle__buf_unref(&in.body);
    }
    return NULL;
}

static void
publish_len(struct pair *pair, size_t len)
{
    uint8_t *bytes;
    struct tulle__buf *body = tulle__buf_new(len, &bytes);
    tulle__transport_publish(pair->b, (struct tulle__view){ (const uint8_t *)"s", 2 }, body, NULL);
    tulle__buf_unref(&body);
}

/* What is short is a copy, and holds on to nothing of libzmq's; what is long is not. */
TEST(short_bodies_are_copies)
{
    struct pair *pair = *state;
    tulle__transport_subscribe(pair->a, (struct tulle__view){ (const uint8_t *)"s", 2 });
    dial_events(pair);
    assert_true(hears(pair, WAIT_MS));
    static const size_t lens[] = { 100, 2000, 8191, 8192, 100000 };
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        publish_len(pair, lens[i]);
        struct tulle__buf *body = receive_body(pair);
        assert_non_null(body);
        assert_int_equal(body->len, lens[i]);
        assert_int_equal(body->owner == NULL, lens[i] < 8192);
        tulle__buf_unref(&body);
    }
}

/* One that does not read for a while, and holds all it may, is not hung up: what was
 * sent to it meanwhile comes. */
TEST(a_slow_reader_is_not_cut)
{
    struct pair *pair = *state;
    tulle__transport_subscribe(pair->a, (struct tulle__view){ (const uint8_t *)"s", 2 });
    dial_events(pair);
    assert_true(hears(pair, WAIT_MS));
    /* In steps: PUB learns only now and then how much of its queue has crossed. */
    struct timespec pause = { .tv_nsec = 60000000 };
    for (int i = 0; i < 2 * LONG_COUNT; i++) {
        publish_len(pair, LONG_LEN);
        if (i % 50 == 0)
            (void)nanosleep(&pause, NULL);
    }
    pause = (struct timespec){ .tv_sec = STALL_MS / 1000 };
    (void)nanosleep(&pause, NULL);
    for (int i = 0; i < 2 * LONG_COUNT; i++) {
        struct tulle__buf *body = receive_body(pair);
        assert_non_null(body);
        assert_int_equal(body->len, LONG_LEN);
        tulle__buf_unref(&body);
    }
}

TEST(what_is_sent_back_to_the_dialer_is_dropped)
{
    struct pair *pair = *state;
    void *stranger = zmq_socket(pair->context, ZMQ_ROUTER);
    assert_int_equal(zmq_bind(stranger, "tcp://127.0.0.1:*"), 0);
    char address[64];
    size_t len = sizeof address;
    assert_int_equal(zmq_getsockopt(stranger, ZMQ_LAST_ENDPOINT, address, &len), 0);
    tulle__transport_dial(pair->a, 7, &(struct tulle__dialing){ .control = address });
    struct tulle__buf *part = tulle__buf_copy("x", 1);
    zmq_pollitem_t item = { .socket = stranger, .events = ZMQ_POLLIN };
    (void)tulle__transport_control(pair->a, 7, part, part);
    assert_int_equal(zmq_poll(&item, 1, WAIT_MS), 1);
    uint8_t identity[64];
    int identity_len = zmq_recv(stranger, identity, sizeof identity, 0);
    assert_int_equal(identity_len, 17);
    assert_true(zmq_send(stranger, identity, (size_t)identity_len, ZMQ_SNDMORE) >= 0);
    assert_true(zmq_send(stranger, "back", 4, 0) >= 0);
    for (int64_t end = now_ms() + WAIT_MS; !tulle__transport_has_events(pair->a) && now_ms() < end;)
        poll_both(pair, 50);
    struct tulle__incoming in;
    assert_int_equal(tulle__transport_receive_control(pair->a, &in), TULLE__RECEIVED_MALFORMED);
    assert_int_equal(tulle__transport_receive_control(pair->a, &in), TULLE__RECEIVED_NOTHING);
    assert_false(tulle__transport_has_events(pair->a));
    tulle__buf_unref(&part);
    int zero = 0;
    (void)zmq_setsockopt(stranger, ZMQ_LINGER, &zero, sizeof zero);
    (void)zmq_close(stranger);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_hop_is_dialed_again_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_link_and_a_peer_share_an_address, setup, teardown),
        cmocka_unit_test_setup_teardown(hanging_up_one_keeps_the_other_at_its_event_address, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(who_comes_to_an_address_that_was_given_up_is_heard, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_ipc_address_in_use_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_sent_back_to_the_dialer_is_dropped, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(ipc_files_go_when_their_owner_does, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_is_no_socket_is_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(an_address_that_was_taken_over_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(ipc_is_chosen_where_it_is_meant, setup, teardown),
        cmocka_unit_test_setup_teardown(a_message_for_nobody_is_told_as_unsent, setup, teardown),
        cmocka_unit_test_setup_teardown(what_there_is_no_memory_to_dial_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(short_bodies_are_copies, setup, teardown),
        cmocka_unit_test_setup_teardown(a_slow_reader_is_not_cut, setup, teardown),
    };
    return cmocka_run_group_tests_name("transport", tests, NULL, NULL);
}
