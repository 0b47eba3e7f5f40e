/* SPDX-License-Identifier: MPL-2.0 */
/* An engine that is refused memory, once or for a while, at each of its allocations in
 * turn: it lives on, and what it could not send, take or hand out is made good later. */

#include "base/alloc.h"
#include "mini_net.h"

#include <string.h>

/* Allocations first .. last, counted from 1, are refused. */
struct refusal {
    size_t asked;
    size_t first;
    size_t last;
};

static bool
may_allocate(void *ctx)
{
    struct refusal *refusal = ctx;
    refusal->asked++;
    return refusal->asked < refusal->first || refusal->asked > refusal->last;
}

/* As an application would: again, until there is memory. */
static void
publish(struct mini_net *net, size_t node, const char *topic, const char *payload)
{
    tulle_status status = mini_try_publish(net, node, topic, payload);
    for (int i = 0; status != TULLE_OK && i < 1000; i++) {
        mini_run(net, 1);
        status = mini_try_publish(net, node, topic, payload);
    }
    assert_status(status, TULLE_OK);
}

/* Question and answer, with a loss on the way: publish, hold, deps, beats, acks, fetch,
 * and a third that joins meanwhile. */
static void
play(struct mini_net *net)
{
    publish(net, MINI_A, "question", "1");
    mini_lose(net, MINI_A, MINI_C, MINI_EVENTS);
    publish(net, MINI_A, "question", "2");
    mini_heal(net, MINI_A, MINI_C);
    for (int i = 0; strstr(mini_log(net, MINI_B), "2 ") == NULL && i < 3000; i++)
        mini_run(net, 1); /* the answer is one to both */
    publish(net, MINI_B, "answer", "3");
    mini_run(net, 30);
    publish(net, MINI_A, "question", "4");
    mini_run(net, 120);
}

/* A new net in the place of the old one, so that a failed test leaves nothing behind. */
static struct mini_net *
start_anew(void **state)
{
    (void)mini_teardown(state);
    assert_int_equal(mini_setup(state), 0);
    return *state;
}

/* Does one come before the other, if both came? */
static bool
are_in_order(const char *log, const char *first, const char *second)
{
    const char *a = strstr(log, first);
    const char *b = strstr(log, second);
    return a == NULL || b == NULL || a < b;
}

/* Everything came or was told as a gap: what its publisher could not keep and the
 * receiver could not take is lost. 3 answers 2, and nothing else orders it. */
static bool
is_right(const struct mini_net *net, size_t node, uint64_t total, size_t refused)
{
    const char *log = mini_log(net, node);
    tulle_counters counters = mini_counters(net, node);
    return are_in_order(log, "1 ", "2 ") && are_in_order(log, "2 ", "3 ") &&
           are_in_order(log, "2 ", "4 ") &&
           counters.events_delivered + counters.events_given_up == total &&
           (refused > 1 || counters.gaps == 0);
}

/* Returns whether all allocations of the play were granted. */
static bool
play_with_refusal(void **state, size_t first, size_t count)
{
    struct mini_net *net = start_anew(state);
    for (size_t i = 0; i < 3; i++)
        net->nodes[i].config.hold_ms = 5000;
    mini_start(net, 3);
    (void)mini_take(net, MINI_B, "**");
    (void)mini_take(net, MINI_C, "**");
    mini_run(net, 500);

    struct refusal refusal = { .first = first, .last = first + count - 1 };
    tulle__alloc_set_hook(may_allocate, &refusal);
    play(net);
    tulle__alloc_set_hook(NULL, NULL);
    mini_run(net, 3000);

    bool is_good = is_right(net, MINI_B, 3, count) && is_right(net, MINI_C, 4, count);
    if (!is_good)
        print_error("allocations %zu to %zu refused: b has %s, c has %s\n", first,
                    first + count - 1, mini_log(net, MINI_B), mini_log(net, MINI_C));
    assert_true(is_good);
    assert_true(tulle__engine_is_acknowledged(net->nodes[MINI_A].engine));
    return refusal.asked < first;
}

TEST(each_allocation_may_fail_once)
{
    size_t n = 1;
    while (!play_with_refusal(state, n, 1))
        n++;

    assert_true(n > 50); /* it was about something */
}

TEST(seven_in_a_row_may_fail)
{
    for (size_t n = 1; !play_with_refusal(state, n, 7);)
        n += 3;
}

TEST(hundreds_in_a_row_may_fail)
{
    for (size_t n = 1; !play_with_refusal(state, n, 300);)
        n += 20;
}

/* Starting and joining: whatever fails, the three meet in the end. */
TEST(nodes_meet_though_allocations_fail)
{
    bool is_over = false;
    for (size_t first = 1; !is_over; first += 2) {
        struct mini_net *net = start_anew(state);
        for (size_t i = 0; i < 3; i++)
            mini_start_one(net, i, 0);
        struct refusal refusal = { .first = first, .last = first };
        tulle__alloc_set_hook(may_allocate, &refusal);
        mini_run(net, 150);
        tulle__alloc_set_hook(NULL, NULL);
        mini_run(net, 3000);

        if (mini_counters(net, MINI_C).peers_up != 2)
            print_error("allocation %zu refused\n", first);
        assert_int_equal(mini_counters(net, MINI_C).peers_up, 2);
        (void)mini_take(net, MINI_C, "**");
        mini_run(net, 500);
        mini_publish(net, MINI_B, "t", "1");
        mini_run(net, 500);
        assert_string_equal(mini_log(net, MINI_C), "1 ");
        is_over = refusal.asked < first;
    }
}

TEST(engine_is_made_or_not)
{
    struct mini_net *net = *state;
    struct tulle__engine *engine = NULL;
    net->nodes[MINI_A].config.id = TULLE__NODE_ID_MIN + 1;
    for (size_t left = 0; engine == NULL; left++) {
        struct testkit_memory memory = { .left = left };
        tulle__alloc_set_hook(testkit_may_allocate, &memory);
        engine = tulle__engine_new(&net->nodes[MINI_A].config, net->now);
        tulle__alloc_set_hook(NULL, NULL);
        assert_true(left < 100);
    }
    tulle__engine_free(&engine);
}

TEST(proxy_is_made_or_not)
{
    struct mini_net *net = *state;
    struct tulle__forward *forward = NULL;
    const char *patterns[] = { "t/**" };
    struct tulle__forward_side sides[2] = { { .policy = { .allow = patterns, .allow_count = 1 } },
                                            { .policy = { .deny = patterns, .deny_count = 1 } } };
    net->nodes[MINI_A].config.id = TULLE__NODE_ID_MIN + 1;
    sides[0].engine = sides[1].engine = net->nodes[MINI_A].config;
    for (size_t left = 0; forward == NULL; left++) {
        struct testkit_memory memory = { .left = left };
        tulle__alloc_set_hook(testkit_may_allocate, &memory);
        forward = tulle__forward_new(sides, 2, net->now);
        tulle__alloc_set_hook(NULL, NULL);
        assert_true(left < 100);
    }
    tulle__forward_free(&forward);
}

int
main(void)
{
#define NO_MEMORY_TEST(name) cmocka_unit_test_setup_teardown(name, mini_setup, mini_teardown)
    const struct CMUnitTest tests[] = {
        NO_MEMORY_TEST(each_allocation_may_fail_once),
        NO_MEMORY_TEST(seven_in_a_row_may_fail),
        NO_MEMORY_TEST(hundreds_in_a_row_may_fail),
        NO_MEMORY_TEST(nodes_meet_though_allocations_fail),
        NO_MEMORY_TEST(engine_is_made_or_not),
        NO_MEMORY_TEST(proxy_is_made_or_not),
    };
    return cmocka_run_group_tests_name("delivery/no_memory", tests, NULL, NULL);
}
