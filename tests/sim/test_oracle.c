/* SPDX-License-Identifier: MPL-2.0 */
/* The judge itself: it accepts what is right and names what is wrong. */

#include "testkit.h"

#include "oracle.h"

#include <string.h>

enum { A, B, C };

static int
setup(void **state)
{
    struct oracle_rules rules = { 0 };
    struct oracle *oracle = oracle_new(&rules);
    assert_int_equal(oracle_start(oracle, 100, "a"), A);
    assert_int_equal(oracle_start(oracle, 200, "b"), B);
    assert_int_equal(oracle_start(oracle, 300, "c"), C);
    oracle_subscribe(oracle, B, "**", TULLE_ORDER_CAUSAL, TULLE_FROM_LIVE);
    oracle_subscribe(oracle, C, "**", TULLE_ORDER_CAUSAL, TULLE_FROM_LIVE);
    *state = oracle;
    return 0;
}

static int
teardown(void **state)
{
    struct oracle *oracle = *state;
    oracle_free(&oracle);
    return 0;
}

static struct oracle_ref
publish(struct oracle *oracle, uint32_t node, const char *stream)
{
    struct oracle_publish in = {
        .stream = stream, .topic = stream, .payload = "payload", .payload_len = 7
    };
    return oracle_published(oracle, node, &in);
}

static bool
deliver_text(struct oracle *oracle, uint32_t node, struct oracle_ref event, const char *payload)
{
    const char *stream = oracle_stream_name(oracle, event.stream);
    struct oracle_delivery in = {
        .publisher = oracle_id(oracle, event.node),
        .stream = { (const uint8_t *)stream, strlen(stream) },
        .payload = { (const uint8_t *)payload, strlen(payload) },
        .seq = event.seq,
    };
    struct oracle_ref found;
    return oracle_delivered(oracle, node, &in, &found);
}

static bool
deliver(struct oracle *oracle, uint32_t node, struct oracle_ref event)
{
    return deliver_text(oracle, node, event, "payload");
}

static void
lose(struct oracle *oracle, uint32_t node, struct oracle_ref first, uint32_t last)
{
    tulle_gap gap = { .node = oracle_id(oracle, first.node),
                      .stream = oracle_stream_name(oracle, first.stream),
                      .first = first.seq,
                      .last = last,
                      .reason = TULLE_GAP_UNREACHABLE };
    oracle_gap(oracle, node, &gap);
}

static void
assert_failed(const struct oracle *oracle, const char *words)
{
    const char *failure = oracle_failure(oracle);
    assert_non_null(failure);
    if (strstr(failure, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", failure, words);
}

static bool
is_unmet(const struct oracle *oracle)
{
    char why[ORACLE_TEXT_MAX];
    return oracle_unmet(oracle, why);
}

TEST(accepts_causes_before_effects)
{
    struct oracle *oracle = *state;
    struct oracle_ref cause = publish(oracle, A, "orders");
    assert_true(deliver(oracle, B, cause));
    struct oracle_ref effect = publish(oracle, B, "alerts");

    assert_true(deliver(oracle, C, cause));
    assert_true(deliver(oracle, C, effect));
    assert_null(oracle_failure(oracle));
    assert_true(oracle_has(oracle, C, effect));
}

/* That a lane goes on without its clock excuses what came before, not what follows. */
TEST(excuses_what_a_node_said_that_it_cannot_know)
{
    struct oracle *oracle = *state;
    struct oracle_ref before = publish(oracle, A, "orders");
    struct oracle_ref cause = publish(oracle, A, "orders");
    assert_true(deliver(oracle, B, before));
    (void)publish(oracle, B, "alerts"); /* depends on it, and is not delivered at C */
    struct oracle_ref effect = publish(oracle, B, "alerts");
    assert_true(deliver(oracle, B, cause));
    struct oracle_ref later = publish(oracle, B, "alerts");

    oracle_clock_given_up(oracle, C, oracle_id(oracle, B), "alerts", effect.seq);
    assert_int_equal(oracle_clocks_given_up(oracle), 1);
    assert_true(deliver(oracle, C, effect));
    assert_true(deliver(oracle, C, before));
    assert_null(oracle_failure(oracle));
    assert_false(deliver(oracle, C, later));
    assert_failed(oracle, "was delivered before event 2 of a#0:orders");
}

TEST(names_an_effect_before_its_cause)
{
    struct oracle *oracle = *state;
    struct oracle_ref first = publish(oracle, A, "orders");
    assert_true(deliver(oracle, C, first));
    struct oracle_ref cause = publish(oracle, A, "orders");
    assert_true(deliver(oracle, B, first));
    assert_true(deliver(oracle, B, cause));
    struct oracle_ref effect = publish(oracle, B, "alerts");

    assert_false(deliver(oracle, C, effect));
    assert_failed(oracle, "on which it depends");
}

TEST(names_a_lane_that_begins_with_what_was_cited)
{
    struct oracle *oracle = *state;
    struct oracle_ref cause = publish(oracle, A, "orders");
    assert_true(deliver(oracle, B, cause));
    struct oracle_ref effect = publish(oracle, B, "alerts");

    assert_true(deliver(oracle, C, effect)); /* the lane of orders may begin later */
    assert_false(deliver(oracle, C, cause));
    assert_failed(oracle, "with which that lane begins");
}

TEST(carries_causes_over_a_stream_that_is_not_taken)
{
    struct oracle *oracle = *state;
    uint32_t d = oracle_start(oracle, 400, "d");
    oracle_subscribe(oracle, d, "orders/**", TULLE_ORDER_CAUSAL, TULLE_FROM_LIVE);
    oracle_subscribe(oracle, d, "alerts/**", TULLE_ORDER_CAUSAL, TULLE_FROM_LIVE);
    struct oracle_ref zero = publish(oracle, A, "orders");
    assert_true(deliver(oracle, d, zero));
    struct oracle_ref cause = publish(oracle, A, "orders");
    assert_true(deliver(oracle, B, zero));
    assert_true(deliver(oracle, B, cause));
    struct oracle_ref between = publish(oracle, B, "sensors");
    assert_true(deliver(oracle, C, between));
    struct oracle_ref effect = publish(oracle, C, "alerts");

    assert_false(deliver(oracle, d, effect));
    assert_failed(oracle, "on which it depends");
}

TEST(lets_an_explicit_event_depend_on_its_causes_only)
{
    struct oracle *oracle = *state;
    struct oracle_ref zero = publish(oracle, A, "orders");
    assert_true(deliver(oracle, C, zero));
    struct oracle_ref other = publish(oracle, A, "orders");
    assert_true(deliver(oracle, B, zero));
    assert_true(deliver(oracle, B, other));
    struct oracle_publish in = { .stream = "alerts",
                                 .topic = "alerts",
                                 .payload = "payload",
                                 .payload_len = 7,
                                 .causes = &zero,
                                 .cause_count = 1,
                                 .only_causes = true };
    struct oracle_ref effect = oracle_published(oracle, B, &in);

    assert_true(deliver(oracle, C, effect));
    struct oracle_ref full = publish(oracle, B, "alerts");
    assert_false(deliver(oracle, C, full));
    assert_failed(oracle, "on which it depends");
}

TEST(names_what_comes_twice)
{
    struct oracle *oracle = *state;
    struct oracle_ref event = publish(oracle, A, "orders");
    assert_true(deliver(oracle, B, event));

    assert_false(deliver(oracle, B, event));
    assert_failed(oracle, "delivered twice");
}

TEST(names_a_hole_that_was_not_reported)
{
    struct oracle *oracle = *state;
    struct oracle_ref first = publish(oracle, A, "orders");
    struct oracle_ref second = publish(oracle, A, "orders");
    struct oracle_ref third = publish(oracle, A, "orders");
    assert_true(deliver(oracle, B, first));
    assert_true(deliver(oracle, C, first));

    lose(oracle, C, second, 2);
    assert_true(deliver(oracle, C, third));
    assert_true(oracle_has_gap(oracle, C, second));
    assert_false(deliver(oracle, B, third));
    assert_failed(oracle, "never reported");
}

TEST(names_what_comes_after_it_was_given_up)
{
    struct oracle *oracle = *state;
    struct oracle_ref event = publish(oracle, A, "orders");
    lose(oracle, B, event, 1);
    assert_null(oracle_failure(oracle));

    assert_false(deliver(oracle, B, event));
    assert_failed(oracle, "given up");
}

TEST(names_a_gap_of_events_that_never_were)
{
    struct oracle *oracle = *state;
    struct oracle_ref event = publish(oracle, A, "orders");

    lose(oracle, B, event, 2);
    assert_failed(oracle, "no such events");
}

TEST(names_contents_that_changed)
{
    struct oracle *oracle = *state;
    struct oracle_ref event = publish(oracle, A, "orders");

    assert_false(deliver_text(oracle, B, event, "paxload"));
    assert_failed(oracle, "contents changed");
}

TEST(names_a_promise_that_was_broken)
{
    struct oracle *oracle = *state;
    struct oracle_ref first = publish(oracle, A, "orders");
    struct oracle_ref second = publish(oracle, A, "orders");
    assert_true(deliver(oracle, B, second)); /* nobody promised it the first */
    oracle_promised(oracle, first, C);

    assert_true(is_unmet(oracle));
    assert_false(deliver(oracle, C, second));
    assert_failed(oracle, "skipped");
}

TEST(forgets_the_past_that_a_gap_took_away)
{
    struct oracle *oracle = *state;
    struct oracle_ref order = publish(oracle, A, "orders");
    struct oracle_ref early = publish(oracle, B, "alerts");
    assert_true(deliver(oracle, B, order));
    struct oracle_ref lost = publish(oracle, B, "alerts"); /* depends on the order */
    struct oracle_ref last = publish(oracle, B, "alerts"); /* adds nothing */
    assert_true(deliver(oracle, C, early));

    lose(oracle, C, lost, 2);
    assert_true(deliver(oracle, C, last));
    assert_true(deliver(oracle, C, order));
    assert_null(oracle_failure(oracle));
}

TEST(asks_for_everything_at_rest)
{
    struct oracle *oracle = *state;
    struct oracle_ref first = publish(oracle, A, "orders");
    struct oracle_ref second = publish(oracle, A, "orders");
    assert_false(is_unmet(oracle)); /* nobody has begun, nothing was promised */
    assert_true(deliver(oracle, B, first));
    assert_true(is_unmet(oracle));
    assert_true(deliver(oracle, B, second));
    assert_false(is_unmet(oracle));

    /* Of the dead: what anybody has. */
    assert_true(deliver(oracle, C, first));
    oracle_end(oracle, A);
    assert_true(is_unmet(oracle));
    oracle_end(oracle, B);
    assert_false(is_unmet(oracle));
}

TEST(takes_streams_as_keys_do)
{
    struct oracle *oracle = *state;
    uint32_t d = oracle_start(oracle, 400, "d");
    oracle_subscribe(oracle, d, "a/b/*/d", TULLE_ORDER_CAUSAL, TULLE_FROM_LIVE);

    assert_true(oracle_takes(oracle, d, "a"));
    assert_true(oracle_takes(oracle, d, "a/b"));
    assert_true(oracle_takes(oracle, d, "a/b/x"));
    assert_true(oracle_takes(oracle, d, "a/b/x/y"));
    assert_false(oracle_takes(oracle, d, "a/c"));
    assert_false(oracle_takes(oracle, d, "ab"));
    oracle_unsubscribe(oracle, d, "a/b/*/d");
    assert_false(oracle_takes(oracle, d, "a"));
}

TEST(names_memory_beyond_a_limit)
{
    struct oracle *oracle = *state;
    tulle_counters counters = { .held_now = 100, .retained_now = 50 };
    struct oracle_limits limits = { .held_bytes = 100, .retained_bytes = 50 };
    oracle_memory(oracle, B, &counters, &limits);
    assert_null(oracle_failure(oracle));

    counters.held_now = 101;
    oracle_memory(oracle, B, &counters, &limits);
    assert_failed(oracle, "holds 101 bytes");
}

#define JUDGED(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        JUDGED(accepts_causes_before_effects),
        JUDGED(excuses_what_a_node_said_that_it_cannot_know),
        JUDGED(names_an_effect_before_its_cause),
        JUDGED(names_a_lane_that_begins_with_what_was_cited),
        JUDGED(carries_causes_over_a_stream_that_is_not_taken),
        JUDGED(lets_an_explicit_event_depend_on_its_causes_only),
        JUDGED(names_what_comes_twice),
        JUDGED(names_a_hole_that_was_not_reported),
        JUDGED(names_what_comes_after_it_was_given_up),
        JUDGED(names_a_gap_of_events_that_never_were),
        JUDGED(names_contents_that_changed),
        JUDGED(names_a_promise_that_was_broken),
        JUDGED(forgets_the_past_that_a_gap_took_away),
        JUDGED(asks_for_everything_at_rest),
        JUDGED(takes_streams_as_keys_do),
        JUDGED(names_memory_beyond_a_limit),
    };
    return cmocka_run_group_tests_name("support/oracle", tests, NULL, NULL);
}
