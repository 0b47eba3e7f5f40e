/* SPDX-License-Identifier: MPL-2.0 */

/* The edges of a node: what it does when something is full, taken, or not there yet,
 * and what it leaves to the application. */

#include "integ_kit.h"
#include "node/outbox.h"
#include "node/state.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PAYLOAD = 1000, ROUNDS = 20 };

static atomic_int handled;

static void
count_signal(int number)
{
    (void)number;
    atomic_fetch_add(&handled, 1);
}

/* Whoever blocks a signal in all threads of its own gets it by sigwait: no thread of the
 * library takes it away. */
TEST(signals_are_left_to_the_application)
{
    (void)state;
    struct sigaction action = { .sa_handler = count_signal };
    struct sigaction before;
    sigset_t interrupt;
    sigset_t mask;
    assert_int_equal(sigaction(SIGINT, &action, &before), 0);
    tulle_node *a = kit_node("a", NULL);
    tulle_proxy *p = kit_proxy("p", tulle_node_address(a), NULL);
    kit_wait_up(a, 1);
    (void)sigemptyset(&interrupt);
    (void)sigaddset(&interrupt, SIGINT);
    /* What start blocked for the threads that it made is as it was. */
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &interrupt, &mask), 0);
    assert_int_equal(sigismember(&mask, SIGINT), 0);
    assert_int_equal(sigismember(&mask, SIGTERM), 0);
    for (int i = 0; i < ROUNDS; i++) {
        struct timespec timeout = { .tv_sec = KIT_DEADLINE_MS / 1000 };
        assert_int_equal(kill(getpid(), SIGINT), 0);
        assert_int_equal(sigtimedwait(&interrupt, NULL, &timeout), SIGINT);
    }
    assert_int_equal(atomic_load(&handled), 0);
    (void)pthread_sigmask(SIG_SETMASK, &mask, NULL);
    (void)sigaction(SIGINT, &before, NULL);
    kit_proxy_free(&p);
}

TEST(a_proxy_has_a_name)
{
    (void)state;
    tulle_proxy *p = kit_proxy("gate", NULL, NULL);
    assert_string_equal(tulle_proxy_name(p), "gate");
}

TEST(a_join_that_is_refused_takes_no_place)
{
    (void)state;
    enum { JOINS = 100 }; /* more than there are places */
    tulle_node_options options;
    kit_options(&options, "a", NULL);
    tulle_node *a = kit_make(&options);
    for (int i = 0; i < JOINS; i++)
        assert_status(tulle_node_join(a, "tcp://127.0.0.1:7000"), TULLE_ESTATE);
}

static tulle_subscription *
watch_peers(tulle_node *node)
{
    tulle_subscribe_options how;
    tulle_subscription *s = NULL;
    tulle_subscribe_options_init(&how);
    how.flags = TULLE_WATCH_PEERS;
    assert_status(tulle_node_subscribe(node, "x", &how, &s), TULLE_OK);
    return s;
}

/* Without any linger too the others are told. */
TEST(a_node_that_goes_at_once_says_goodbye)
{
    (void)state;
    tulle_node_options options;
    kit_options(&options, "a", NULL);
    options.suspect_ms = 20000;
    options.gone_ms = 60000;
    tulle_node *a = kit_start(&options);
    tulle_subscription *s = watch_peers(a);
    for (int i = 0; i < ROUNDS; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "b%d", i);
        tulle_node *b = kit_node(name, tulle_node_address(a));
        assert_status(tulle_node_wait_peers(b, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
        kit_wait_up(a, 1);
        if (i % 2 == 0)
            tulle_node_stop(b, 0);
        kit_free(&b);
        (void)kit_expect_peer(s, name, TULLE_PEER_LEFT);
    }
}

static tulle_status
publish_now(tulle_node *node)
{
    static const char payload[PAYLOAD];
    tulle_publish_options options;
    tulle_publish_options_init(&options);
    options.timeout_ms = 200;
    return tulle_node_publish(node, "x", payload, sizeof payload, &options);
}

/* What waits in the outbox is not acknowledged either: it is bounded by the window. */
TEST(a_window_bounds_the_outbox)
{
    (void)state;
    enum { WINDOW = 50000, QUEUE = 4096 };
    tulle_node_options options;
    kit_options(&options, "a", NULL);
    options.window_bytes = WINDOW;
    tulle_node *a = kit_start(&options);
    const char *join = tulle_node_address(a);
    kit_options(&options, "b", &join);
    options.queue_bytes = QUEUE;
    tulle_node *b = kit_start(&options);
    (void)kit_subscribe(b, "x"); /* and does not receive */
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    int published = 0;
    tulle_status status = TULLE_OK;
    while (published < 10000 && (status = publish_now(a)) == TULLE_OK)
        published++;
    assert_status(status, TULLE_EAGAIN);
    /* The window, as much again in the outbox, and what b took before it stood still: a
     * batch over its queue. */
    assert_in_range(published, WINDOW / PAYLOAD, (2 * WINDOW + QUEUE + 65536) / PAYLOAD + 10);
}

/* Notices are for the curious: past the bound of a queue they are dropped and counted;
 * the events come all the same. */
TEST(notices_do_not_fill_a_queue)
{
    (void)state;
    enum { EVENTS = 3000, QUEUE = 20000 };
    tulle_node *a = kit_node("a", NULL);
    tulle_node_options options;
    const char *join = tulle_node_address(a);
    kit_options(&options, "b", &join);
    options.queue_bytes = QUEUE;
    tulle_node *b = kit_start(&options);
    tulle_subscribe_options how;
    tulle_subscription *s = NULL;
    tulle_subscribe_options_init(&how);
    how.flags = TULLE_WATCH_ARRIVALS | TULLE_WATCH_DUPLICATES | TULLE_WATCH_PEERS;
    assert_status(tulle_node_subscribe(b, "x", &how, &s), TULLE_OK);
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    static const char payload[PAYLOAD];
    for (int i = 0; i < EVENTS; i++) {
        assert_status(tulle_node_publish(a, "x", payload, sizeof payload, NULL), TULLE_OK);
        if (i % 100 == 0) /* batches of that, at most */
            assert_int_not_equal(tulle_node_flush(a, 10), TULLE_ESTATE);
    }
    KIT_UNTIL(kit_counters(b).notices_dropped > 0);
    assert_true(tulle__subscription_bytes(s) < 20UL * (QUEUE + 65536));
    uint64_t next = 1;
    while (next <= EVENTS) {
        const tulle_message *message = NULL;
        assert_status(tulle_subscription_receive(s, &message, KIT_DEADLINE_MS), TULLE_OK);
        assert_int_not_equal(message->kind, TULLE_MESSAGE_GAP);
        if (message->kind == TULLE_MESSAGE_EVENT)
            assert_int_equal(message->u.event.seq, next++);
    }
    assert_int_equal(kit_counters(a).notices_dropped, 0);
}

static void
put_gap(struct tulle_subscription *s, uint64_t node, uint64_t first, uint64_t last)
{
    tulle_gap gap = { .node = node,
                      .node_name = "n",
                      .stream = "x",
                      .first = first,
                      .last = last,
                      .reason = TULLE_GAP_EVICTED };
    (void)tulle__subscription_put(s, tulle__item_from_gap(&gap));
}

static void
expect_gap(struct tulle_subscription *s, uint64_t node, uint64_t first, uint64_t last)
{
    const tulle_message *message = NULL;
    assert_status(tulle_subscription_receive(s, &message, 0), TULLE_OK);
    assert_int_equal(message->kind, TULLE_MESSAGE_GAP);
    assert_int_equal(message->u.gap.node, node);
    assert_int_equal(message->u.gap.first, first);
    assert_int_equal(message->u.gap.last, last);
}

/* Gaps are never dropped, but in a full queue those that follow one another are one. */
TEST(gaps_in_a_full_queue_are_joined)
{
    (void)state;
    tulle_node_options options;
    kit_options(&options, "a", NULL);
    options.queue_bytes = 4096;
    tulle_node *a = kit_make(&options);
    tulle_subscription *s = kit_subscribe(a, "x");
    put_gap(s, 100, 1, 1);
    put_gap(s, 100, 2, 2); /* there is room: told as it is */
    uint64_t count = 2;
    while (tulle__subscription_bytes(s) <= options.queue_bytes)
        put_gap(s, 100 + count++ % 2, 10, 10);
    size_t bytes = tulle__subscription_bytes(s);
    put_gap(s, 300, 1, 5);
    for (uint64_t i = 6; i < 10000; i++)
        put_gap(s, 300, i, i);
    put_gap(s, 300, 10001, 10001); /* not the next */
    put_gap(s, 301, 10002, 10002); /* not the same lane */
    assert_true(tulle__subscription_bytes(s) < 2 * bytes);
    expect_gap(s, 100, 1, 1);
    expect_gap(s, 100, 2, 2);
    for (uint64_t i = 2; i < count; i++)
        expect_gap(s, 100 + i % 2, 10, 10);
    expect_gap(s, 300, 1, 9999);
    expect_gap(s, 300, 10001, 10001);
    expect_gap(s, 301, 10002, 10002);
    kit_expect_silence(s, 0);
}

static tulle_status
try_subscribe(tulle_node *node, const char *pattern, tulle_from from, uint64_t count)
{
    tulle_subscribe_options how;
    tulle_subscription *s = NULL;
    tulle_subscribe_options_init(&how);
    how.from = from;
    how.from_count = count;
    tulle_status status = tulle_node_subscribe(node, pattern, &how, &s);
    assert_int_equal(s != NULL, status == TULLE_OK);
    return status;
}

/* Refused where it is asked for, not at start. */
TEST(starts_that_conflict_are_refused_before_start)
{
    (void)state;
    tulle_node_options options;
    kit_options(&options, "a", NULL);
    tulle_node *a = kit_make(&options);
    assert_status(try_subscribe(a, "x/*", TULLE_FROM_LIVE, 0), TULLE_OK);
    assert_status(try_subscribe(a, "x/y", TULLE_FROM_EARLIEST, 0), TULLE_ESTATE);
    assert_status(try_subscribe(a, "**", TULLE_FROM_LAST, 3), TULLE_ESTATE);
    assert_status(try_subscribe(a, "x/y", TULLE_FROM_LIVE, 0), TULLE_OK);
    assert_status(try_subscribe(a, "z", TULLE_FROM_LAST, 3), TULLE_OK);
    assert_status(try_subscribe(a, "z", TULLE_FROM_LAST, 4), TULLE_ESTATE);
    assert_status(try_subscribe(a, "z", TULLE_FROM_LAST, 3), TULLE_OK);
    assert_status(tulle_node_start(a, NULL), TULLE_OK);
    assert_status(try_subscribe(a, "z", TULLE_FROM_LIVE, 0), TULLE_ESTATE);
}

/* An event in the outbox costs what it has, not what it could have. */
TEST(an_event_in_the_outbox_is_small)
{
    (void)state;
    tulle_publish_options options;
    tulle_publish_options_init(&options);
    struct tulle__outgoing *plain = tulle__outgoing_new("t/x", "payload", 7, &options, 1);
    assert_non_null(plain);
    assert_true(plain->bytes < 300);
    tulle_event_ref causes[] = { { .node = UINT64_C(1) << 40, .stream = "s", .seq = 3 },
                                 { .node = UINT64_C(1) << 41, .stream = "u", .seq = 4 } };
    tulle_header headers[] = { { "name", "value" } };
    options.causes = causes;
    options.cause_count = 2;
    options.headers = headers;
    options.header_count = 1;
    options.content_type = "text/plain";
    struct tulle__outgoing *full = tulle__outgoing_new("t/x", "payload", 7, &options, 1);
    assert_non_null(full);
    assert_true(full->bytes > plain->bytes && full->bytes < plain->bytes + 200);
    const struct tulle__attributes_in *in = full->publish.attributes;
    assert_non_null(in);
    assert_string_equal(in->content_type, "text/plain");
    assert_int_equal(in->cause_count, 2);
    assert_int_equal(in->causes[1].node, UINT64_C(1) << 41);
    assert_memory_equal(in->causes[1].stream.data, "u", 1);
    assert_int_equal(in->causes[1].count, 4);
    assert_int_equal(in->header_count, 1);
    assert_string_equal(in->headers[0].value, "value");
    assert_memory_equal(full->publish.topic.data, "t/x", 3);
    assert_memory_equal(full->publish.payload.data, "payload", 7);
    tulle__outbox_free(plain);
    tulle__outbox_free(full);
}

TEST(what_cannot_be_sent_is_counted)
{
    (void)state;
    struct tulle__engine_config config;
    tulle_counters counters;
    tulle__engine_config_init(&config);
    config.id = UINT64_C(1) << 40;
    config.mesh = "tulle";
    config.name = "a";
    struct tulle__engine *engine = tulle__engine_new(&config, (struct tulle__now){ 0 });
    assert_non_null(engine);
    tulle__engine_on_unsent(engine);
    tulle__engine_counters(engine, &counters);
    assert_int_equal(counters.dropped_no_route, 1);
    tulle__engine_free(&engine);
}

struct early {
    tulle_node *node;
    atomic_int subscribed;
    atomic_bool is_over;
};

enum { EARLY_MAX = 256 };

static void *
subscribe_often(void *argument)
{
    struct early *early = argument;
    /* Each has a descriptor, and the node needs some too. */
    while (!atomic_load(&early->is_over) && atomic_load(&early->subscribed) < EARLY_MAX) {
        tulle_subscription *s = NULL;
        if (tulle_node_subscribe(early->node, "x", NULL, &s) == TULLE_OK)
            atomic_fetch_add(&early->subscribed, 1);
        (void)tulle_node_id(early->node);
        (void)tulle_node_address(early->node);
    }
    return NULL;
}

/* Other threads need not know whether the node has been started. */
TEST(a_node_starts_while_others_subscribe)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        tulle_node_options options;
        kit_options(&options, "a", NULL);
        struct early early = { .node = kit_make(&options) };
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, subscribe_often, &early), 0);
        KIT_UNTIL(atomic_load(&early.subscribed) > i);
        assert_int_equal(tulle_node_id(early.node), 0);
        assert_string_equal(tulle_node_address(early.node), "");
        tulle_status status = tulle_node_start(early.node, NULL);
        int before = atomic_load(&early.subscribed);
        KIT_UNTIL(atomic_load(&early.subscribed) > before || before >= EARLY_MAX);
        atomic_store(&early.is_over, true);
        (void)pthread_join(thread, NULL);
        assert_status(status, TULLE_OK);
        assert_status(tulle_node_start(early.node, NULL), TULLE_ESTATE);
        assert_true(tulle_node_id(early.node) != 0);
        kit_free(&early.node);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(signals_are_left_to_the_application),
        KIT_TEST(a_proxy_has_a_name),
        KIT_TEST(a_join_that_is_refused_takes_no_place),
        KIT_TEST(a_node_that_goes_at_once_says_goodbye),
        KIT_TEST(a_window_bounds_the_outbox),
        KIT_TEST(notices_do_not_fill_a_queue),
        KIT_TEST(gaps_in_a_full_queue_are_joined),
        KIT_TEST(starts_that_conflict_are_refused_before_start),
        KIT_TEST(an_event_in_the_outbox_is_small),
        KIT_TEST(what_cannot_be_sent_is_counted),
        KIT_TEST(a_node_starts_while_others_subscribe),
    };
    return cmocka_run_group_tests_name("node_limits", tests, NULL, NULL);
}
