/* SPDX-License-Identifier: MPL-2.0 */
/* Several addresses of one node: the first that greets is dialed, the others are let go of. */

#include "testkit.h"

#include "base/time.h"
#include "node/os.h"
#include "node/race.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

enum {
    HOSTS = 3,
    HEAD_START_MS = 250,
    SLOW_MS = 2000, /* on a machine with much to do */
    END_MS = 8000,  /* all that is ever waited for */
    HOP = 77,
    FIRST_TURN = 4 /* any: it chooses the first of two, and the second of three */
};

/* What is at an address: nothing, something that is silent, or what greets. */
struct host {
    int listener, caller;
    bool greets;
    int calls;
    char address[40];
};

struct fixture {
    void *context;
    struct tulle__transport *transport;
    struct tulle__races races;
    struct host hosts[HOSTS];
    char list[200];
    int64_t begin_ms;
};

static int64_t
now_ms(void)
{
    return tulle__os_now().mono.ns / 1000000;
}

static void
open_host(struct host *host, bool listens, bool greets)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;
    *host = (struct host){ .caller = -1, .greets = greets };
    host->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(host->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(host->listener, (struct sockaddr *)&at, &len), 0);
    if (listens)
        assert_int_equal(listen(host->listener, 8), 0);
    (void)snprintf(host->address, sizeof host->address, "tcp://127.0.0.1:%d", ntohs(at.sin_port));
}

/* Take what calls; greet it if that is what it does. */
static void
serve(struct host *host)
{
    struct pollfd item = { .fd = host->listener, .events = POLLIN };
    int fd = poll(&item, 1, 0) == 1 ? accept(host->listener, NULL, NULL) : -1;
    if (fd < 0)
        return;
    host->calls++;
    if (host->greets)
        assert_int_equal(write(fd, "\xff", 1), 1);
    if (host->caller >= 0)
        (void)close(host->caller);
    host->caller = fd;
}

/* Has the other end of what called last been closed? */
static bool
is_hung_up(const struct host *host)
{
    char byte;
    struct pollfd item = { .fd = host->caller, .events = POLLIN };
    return poll(&item, 1, SLOW_MS) == 1 && recv(host->caller, &byte, 1, 0) == 0;
}

static int
setup(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){ .context = zmq_ctx_new() };
    struct tulle__transport_options options = { .id = UINT64_C(1) << 40,
                                                .listen = { "tcp://127.0.0.1:*" },
                                                .listen_count = 1 };
    assert_status(tulle__transport_open(fixture.context, &options, &fixture.transport, NULL),
                  TULLE_OK);
    for (size_t i = 0; i < HOSTS; i++)
        fixture.hosts[i] = (struct host){ .listener = -1, .caller = -1 };
    *state = &fixture;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    tulle__races_fini(&f->races);
    tulle__transport_close(&f->transport, 0);
    (void)zmq_ctx_term(f->context);
    for (size_t i = 0; i < HOSTS; i++) {
        if (f->hosts[i].listener >= 0)
            (void)close(f->hosts[i].listener);
        if (f->hosts[i].caller >= 0)
            (void)close(f->hosts[i].caller);
    }
    return 0;
}

/* Events alone: the probes of the race are then the only ones that come to control. */
static void
begin(struct fixture *f, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        len += (size_t)snprintf(f->list + len, sizeof f->list - len, "%s%s", i > 0 ? " " : "",
                                f->hosts[i].address);
    }
    f->begin_ms = now_ms();
    tulle__races_begin(&f->races, HOP,
                       &(struct tulle__dialing){ .events = f->list, .turn = FIRST_TURN },
                       tulle__os_now().mono.ns);
}

/* One look at everybody. Is another address to be dialed now? */
static bool
step(struct fixture *f, uint64_t *hop, uint32_t *turn)
{
    assert_true(now_ms() - f->begin_ms < END_MS);
    for (size_t i = 0; i < HOSTS; i++) {
        if (f->hosts[i].listener >= 0)
            serve(&f->hosts[i]);
    }
    return tulle__races_next(&f->races, f->transport, tulle__os_now().mono.ns, hop, turn);
}

/* Until another address is dialed, or the race is over. Returns the turn; 0: none. */
static uint32_t
run(struct fixture *f)
{
    uint64_t hop = 0;
    uint32_t turn = 0;
    while (f->races.count > 0) {
        if (step(f, &hop, &turn)) {
            assert_int_equal(hop, HOP);
            return turn;
        }
        (void)poll(NULL, 0, 2);
    }
    return 0;
}

static void
run_until_second_is_called(struct fixture *f)
{
    uint64_t hop = 0;
    uint32_t turn = 0;
    while (f->hosts[1].calls == 0)
        assert_false(step(f, &hop, &turn));
}

TEST(where_the_first_greets_no_other_is_tried)
{
    struct fixture *f = *state;
    open_host(&f->hosts[0], true, true);
    open_host(&f->hosts[1], true, true);
    begin(f, 2);
    assert_int_equal(run(f), 0);
    assert_int_equal(f->hosts[0].calls, 1);
    assert_int_equal(f->hosts[1].calls, 0);
    assert_true(is_hung_up(&f->hosts[0]));
}

TEST(where_the_first_is_silent_the_second_comes_after_a_moment)
{
    struct fixture *f = *state;
    open_host(&f->hosts[0], true, false);
    open_host(&f->hosts[1], true, true);
    begin(f, 2);
    assert_int_equal(run(f), FIRST_TURN + 1);
    assert_in_range(now_ms() - f->begin_ms, HEAD_START_MS, HEAD_START_MS + SLOW_MS);
    assert_true(is_hung_up(&f->hosts[0]));
}

TEST(where_the_first_refuses_the_second_need_not_wait)
{
    struct fixture *f = *state;
    open_host(&f->hosts[0], false, false);
    open_host(&f->hosts[1], true, false);
    begin(f, 2);
    run_until_second_is_called(f);
    assert_in_range(now_ms() - f->begin_ms, 0, HEAD_START_MS - 1);
}

TEST(what_is_no_node_does_not_win)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < HOSTS; i++)
        open_host(&f->hosts[i], true, false);
    begin(f, HOSTS);
    assert_int_equal(run(f), 0);
    for (size_t i = 0; i < HOSTS; i++) {
        assert_int_equal(f->hosts[i].calls, 1);
        assert_true(is_hung_up(&f->hosts[i]));
    }
}

TEST(all_are_let_go_of_when_it_is_hung_up)
{
    struct fixture *f = *state;
    open_host(&f->hosts[0], true, false);
    open_host(&f->hosts[1], true, false);
    begin(f, 2);
    run_until_second_is_called(f);
    tulle__races_end(&f->races, HOP);
    assert_int_equal(f->races.count, 0);
    assert_true(tulle__races_deadline(&f->races) == TULLE__NEVER_NS);
    assert_true(is_hung_up(&f->hosts[0]));
    assert_true(is_hung_up(&f->hosts[1]));
}

TEST(one_address_does_not_race_and_not_too_many_nodes_do)
{
    struct fixture *f = *state;
    open_host(&f->hosts[0], true, true);
    open_host(&f->hosts[1], true, true);
    begin(f, 1);
    assert_int_equal(f->races.count, 0);
    begin(f, 2);
    for (uint64_t hop = HOP + 1; hop < HOP + 2 * TULLE__RACES_LIMIT; hop++) {
        tulle__races_begin(&f->races, hop, &(struct tulle__dialing){ .control = f->list },
                           tulle__os_now().mono.ns);
    }
    assert_int_equal(f->races.count, TULLE__RACES_LIMIT);
}

int
main(void)
{
#define RACE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        RACE_TEST(where_the_first_greets_no_other_is_tried),
        RACE_TEST(where_the_first_is_silent_the_second_comes_after_a_moment),
        RACE_TEST(where_the_first_refuses_the_second_need_not_wait),
        RACE_TEST(what_is_no_node_does_not_win),
        RACE_TEST(all_are_let_go_of_when_it_is_hung_up),
        RACE_TEST(one_address_does_not_race_and_not_too_many_nodes_do),
    };
    return cmocka_run_group_tests_name("node/race", tests, NULL, NULL);
}
