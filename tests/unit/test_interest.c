/* SPDX-License-Identifier: MPL-2.0 */

#include "base/alloc.h"
#include "delivery/internal.h"
#include "mini_net.h"

#include <stdio.h>
#include <string.h>

/* One node, alone, whose keys are written down from here on. */
static int
setup(void **state)
{
    int failed = mini_setup(state);
    struct mini_net *net = *state;
    mini_start_one(net, MINI_A, MINI_A);
    mini_pump(net);
    net->nodes[MINI_A].keys_log[0] = '\0';
    return failed;
}

static struct tulle__policy
policy_of(struct mini_net *net, const char *stream)
{
    struct tulle__policy policy = { 0 };
    tulle__policy_refresh(net->nodes[MINI_A].engine, &policy, mini_text(stream));
    return policy;
}

static tulle_status
subscribe(struct mini_net *net, const char *pattern, const tulle_subscribe_options *options)
{
    uint32_t handle;
    return tulle__engine_subscribe(net->nodes[MINI_A].engine, mini_text(pattern), options, &handle,
                                   net->now);
}

static const tulle_subscribe_options live = { .order = TULLE_ORDER_CAUSAL,
                                              .from = TULLE_FROM_LIVE };
static const tulle_subscribe_options earliest = { .order = TULLE_ORDER_CAUSAL,
                                                  .from = TULLE_FROM_EARLIEST };

TEST(hears_beats_from_the_start)
{
    struct mini_net *net = *state;

    assert_int_equal(net->nodes[MINI_A].key_count, 1);
    assert_memory_equal(net->nodes[MINI_A].keys[0].bytes, "$beat", 6);
}

TEST(takes_each_leading_part_and_the_prefix_before_a_wildcard)
{
    struct mini_net *net = *state;

    (void)mini_take(net, MINI_A, "a/b/**");

    assert_string_equal(net->nodes[MINI_A].keys_log, "+a0 +a/b0 +a/b/ ");
}

TEST(shared_key_goes_with_its_last_pattern)
{
    struct mini_net *net = *state;
    uint32_t first = mini_take(net, MINI_A, "a/b");
    uint32_t second = mini_take(net, MINI_A, "a/c");
    net->nodes[MINI_A].keys_log[0] = '\0';

    mini_untake(net, MINI_A, first);
    assert_string_equal(net->nodes[MINI_A].keys_log, "-a/b0 ");
    mini_untake(net, MINI_A, second);
    assert_string_equal(net->nodes[MINI_A].keys_log, "-a/b0 -a0 -a/c0 ");
}

TEST(refuses_a_stream_from_two_starts)
{
    struct mini_net *net = *state;
    assert_status(subscribe(net, "a/b", &live), TULLE_OK);

    assert_status(subscribe(net, "a/**", &earliest), TULLE_ESTATE);
    assert_status(subscribe(net, "**", &earliest), TULLE_ESTATE);
    assert_status(subscribe(net, "b", &earliest), TULLE_OK);
}

TEST(last_n_of_another_n_is_another_start)
{
    struct mini_net *net = *state;
    tulle_subscribe_options last = { .order = TULLE_ORDER_FIFO,
                                     .from = TULLE_FROM_LAST,
                                     .from_count = 5 };
    assert_status(subscribe(net, "a", &last), TULLE_OK);

    assert_status(subscribe(net, "a", &last), TULLE_OK);
    last.from_count = 6;
    assert_status(subscribe(net, "a", &last), TULLE_ESTATE);
}

TEST(strongest_order_holds_for_a_stream)
{
    struct mini_net *net = *state;
    tulle_subscribe_options none = { .order = TULLE_ORDER_NONE, .from = TULLE_FROM_LIVE };

    assert_status(subscribe(net, "a/**", &none), TULLE_OK);
    assert_int_equal(policy_of(net, "a").order, TULLE_ORDER_NONE);
    assert_false(policy_of(net, "a").wants_arrivals);
    assert_status(subscribe(net, "a/x", &live), TULLE_OK);
    assert_int_equal(policy_of(net, "a").order, TULLE_ORDER_CAUSAL);
    assert_true(policy_of(net, "a").wants_arrivals); /* for the one without order */
}

TEST(stream_nobody_takes_is_not_taken)
{
    struct mini_net *net = *state;
    uint32_t handle = mini_take(net, MINI_A, "a/b/**");

    assert_true(policy_of(net, "a").is_taken); /* a/b/c may be published on it */
    assert_true(policy_of(net, "a/b/c").is_taken);
    assert_false(policy_of(net, "a/c").is_taken);
    assert_false(policy_of(net, "ab").is_taken);
    mini_untake(net, MINI_A, handle);
    assert_false(policy_of(net, "a").is_taken);
}

TEST(policy_says_since_when_a_stream_is_taken)
{
    struct mini_net *net = *state;
    assert_status(subscribe(net, "a", &live), TULLE_OK);
    uint64_t since = policy_of(net, "a").since;

    assert_status(subscribe(net, "**", &live), TULLE_OK);

    assert_true(policy_of(net, "a").since == since);
    assert_true(policy_of(net, "b").since > since);
}

TEST(patterns_are_limited)
{
    struct mini_net *net = *state;
    char pattern[16];
    for (int i = 0; i < TULLE__TAKES_LIMIT; i++) {
        (void)snprintf(pattern, sizeof pattern, "*/%d", i);
        uint32_t handle;
        assert_status(tulle__engine_subscribe(net->nodes[MINI_A].engine, mini_text(pattern), &live,
                                              &handle, net->now),
                      TULLE_OK);
    }

    assert_status(subscribe(net, "one-more", &live), TULLE_ELIMIT);
    net->nodes[MINI_A].key_count = 0;
    tulle__engine_free(&net->nodes[MINI_A].engine); /* with all its actions */
}

TEST(without_memory_nothing_is_taken)
{
    struct mini_net *net = *state;
    uint64_t version = net->nodes[MINI_A].engine->interest.version;
    for (size_t left = 0; left < 3; left++) {
        struct testkit_memory memory = { .left = left };

        tulle__alloc_set_hook(testkit_may_allocate, &memory);
        tulle_status status = subscribe(net, "a/b/c/d/**", &live);
        tulle__alloc_set_hook(NULL, NULL);
        mini_pump(net);

        assert_status(status, TULLE_ENOMEM);
        assert_false(policy_of(net, "a").is_taken);
        assert_int_equal(net->nodes[MINI_A].key_count, 1);
        /* Another would tell peers that they have yet to answer what is taken now. */
        assert_true(net->nodes[MINI_A].engine->interest.version == version);
    }
}

/* Its takes are the same then, but their version is not. */
TEST(counts_as_a_taker_after_a_subscription_that_failed)
{
    struct mini_net *net = *state;
    mini_start_one(net, MINI_B, MINI_A);
    (void)mini_take(net, MINI_A, "t");
    mini_run(net, 500);
    struct testkit_memory memory = { .left = 1 };

    tulle__alloc_set_hook(testkit_may_allocate, &memory);
    tulle_status status = subscribe(net, "a/b/c/d/**", &live);
    tulle__alloc_set_hook(NULL, NULL);
    mini_run(net, 1000);

    assert_status(status, TULLE_ENOMEM);
    assert_int_equal(tulle__engine_taker_count(net->nodes[MINI_B].engine, mini_text("t")), 1);
}

int
main(void)
{
#define INTEREST_TEST(name) cmocka_unit_test_setup_teardown(name, setup, mini_teardown)
    const struct CMUnitTest tests[] = {
        INTEREST_TEST(hears_beats_from_the_start),
        INTEREST_TEST(takes_each_leading_part_and_the_prefix_before_a_wildcard),
        INTEREST_TEST(shared_key_goes_with_its_last_pattern),
        INTEREST_TEST(refuses_a_stream_from_two_starts),
        INTEREST_TEST(last_n_of_another_n_is_another_start),
        INTEREST_TEST(strongest_order_holds_for_a_stream),
        INTEREST_TEST(stream_nobody_takes_is_not_taken),
        INTEREST_TEST(policy_says_since_when_a_stream_is_taken),
        INTEREST_TEST(patterns_are_limited),
        INTEREST_TEST(without_memory_nothing_is_taken),
        INTEREST_TEST(counts_as_a_taker_after_a_subscription_that_failed),
    };
    return cmocka_run_group_tests_name("delivery/interest", tests, NULL, NULL);
}
