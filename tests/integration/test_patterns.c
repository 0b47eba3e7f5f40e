/* SPDX-License-Identifier: MPL-2.0 */

/* A subscription of several patterns: one queue, one order. */

#include "integ_kit.h"

#include <stdio.h>
#include <string.h>

static tulle_subscription *
subscribe_two(tulle_node *node, const char *first, const char *second)
{
    tulle_subscribe_options options;
    tulle_subscribe_options_init(&options);
    options.also = &second;
    options.also_count = 1;
    tulle_subscription *s = NULL;
    assert_status(tulle_node_subscribe(node, first, &options, &s), TULLE_OK);
    return s;
}

TEST(causes_come_before_effects_in_one_queue)
{
    (void)state;
    enum { COUNT = 200 };
    tulle_node *watcher = kit_node("watcher", NULL);
    tulle_subscription *s = subscribe_two(watcher, "effects/**", "causes/**");
    tulle_node *a = kit_node("a", tulle_node_address(watcher));
    tulle_node *b = kit_node("b", tulle_node_address(watcher));
    tulle_subscription *at_b = kit_subscribe(b, "causes/**");
    assert_status(tulle_node_wait_peers(a, "causes/x", 2, KIT_DEADLINE_MS), TULLE_OK);
    assert_status(tulle_node_wait_peers(b, "effects/x", 1, KIT_DEADLINE_MS), TULLE_OK);
    for (int i = 0; i < COUNT; i++) {
        kit_publish_numbers(a, "causes/x", i, 1);
        assert_int_equal(kit_number(kit_receive(at_b)), i);
        kit_publish_numbers(b, "effects/x", i, 1);
    }
    int caused = 0;
    for (int i = 0; i < 2 * COUNT; i++) {
        const tulle_event *event = kit_receive(s);
        if (strcmp(event->topic, "causes/x") == 0)
            caused++;
        else
            assert_true(kit_number(event) < caused);
    }
    assert_int_equal(caused, COUNT);
}

TEST(what_several_match_comes_once)
{
    (void)state;
    tulle_node *watcher = kit_node("watcher", NULL);
    tulle_subscription *s = subscribe_two(watcher, "a/*", "*/b");
    tulle_node *a = kit_node("a", tulle_node_address(watcher));
    assert_status(tulle_node_wait_peers(a, "a/b", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish(a, "a/b", "both");
    kit_publish(a, "c/c", "none");
    kit_publish(a, "a/c", "first");
    kit_publish(a, "c/b", "second");
    /* Streams have no order here that would show: collect what comes. */
    int both = 0;
    int others = 0;
    for (int i = 0; i < 3; i++) {
        const tulle_event *event = kit_receive(s);
        both += strcmp(event->topic, "a/b") == 0 ? 1 : 0;
        others += strcmp(event->topic, "a/c") == 0 || strcmp(event->topic, "c/b") == 0 ? 1 : 0;
    }
    assert_int_equal(both, 1);
    assert_int_equal(others, 2);
    kit_expect_silence(s, 100);
}

TEST(all_patterns_end_with_the_subscription)
{
    (void)state;
    tulle_node *watcher = kit_node("watcher", NULL);
    tulle_node *a = kit_node("a", tulle_node_address(watcher));
    tulle_subscription *s = subscribe_two(watcher, "x/**", "y/**");
    assert_status(tulle_node_wait_peers(a, "x/1", 1, KIT_DEADLINE_MS), TULLE_OK);
    assert_status(tulle_node_wait_peers(a, "y/1", 1, KIT_DEADLINE_MS), TULLE_OK);
    tulle_subscription_free(&s);
    KIT_UNTIL(tulle_node_wait_peers(a, "x/1", 1, 0) == TULLE_ETIMEDOUT);
    KIT_UNTIL(tulle_node_wait_peers(a, "y/1", 1, 0) == TULLE_ETIMEDOUT);
}

TEST(a_start_that_does_not_agree_refuses_all)
{
    (void)state;
    for (int turn = 0; turn < 2; turn++) {
        tulle_node_options node_options;
        kit_options(&node_options, "a", NULL);
        tulle_node *node = turn == 0 ? kit_make(&node_options) : kit_start(&node_options);
        tulle_subscription *s = kit_subscribe(node, "y/1");
        const char *also[] = { "y/**" };
        tulle_subscribe_options options;
        tulle_subscribe_options_init(&options);
        options.from = TULLE_FROM_EARLIEST;
        options.also = also;
        options.also_count = 1;
        tulle_subscription *refused = NULL;
        assert_status(tulle_node_subscribe(node, "x/**", &options, &refused), TULLE_ESTATE);
        assert_null(refused);
        /* Nothing of it stayed: x can be read from another start. */
        assert_non_null(kit_subscribe(node, "x/**"));
        tulle_subscription_free(&s);
    }
}

/* They share their keys, of which a node has fewer. */
TEST(patterns_are_checked_and_counted)
{
    (void)state;
    enum { LIMIT = 10000 };
    static char texts[LIMIT][16];
    static const char *also[LIMIT];
    tulle_node_options node_options;
    kit_options(&node_options, "a", NULL);
    tulle_node *node = kit_make(&node_options);
    for (size_t i = 0; i < LIMIT; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "x/*/%zu", i);
        also[i] = texts[i];
    }
    tulle_subscribe_options options;
    tulle_subscribe_options_init(&options);
    tulle_subscription *s = NULL;
    options.also_count = 1;
    assert_status(tulle_node_subscribe(node, "x", &options, &s), TULLE_EINVAL);
    options.also = also;
    options.also_count = LIMIT;
    assert_status(tulle_node_subscribe(node, "x", &options, &s), TULLE_EINVAL);
    also[7] = "x//y";
    options.also_count = LIMIT - 1;
    assert_status(tulle_node_subscribe(node, "x", &options, &s), TULLE_EINVAL);
    also[7] = NULL;
    assert_status(tulle_node_subscribe(node, "x", &options, &s), TULLE_EINVAL);
    also[7] = texts[7];
    assert_status(tulle_node_subscribe(node, "x", &options, &s), TULLE_OK);
    tulle_subscription *more = NULL;
    assert_status(tulle_node_subscribe(node, "y", NULL, &more), TULLE_ELIMIT);
    tulle_subscription_free(&s);
    assert_non_null(kit_subscribe(node, "y"));
    assert_status(tulle_node_start(node, NULL), TULLE_OK);
    assert_status(tulle_node_subscribe(node, "x", &options, &s), TULLE_ELIMIT);
    options.also_count = LIMIT - 2;
    assert_status(tulle_node_subscribe(node, "x", &options, &s), TULLE_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(causes_come_before_effects_in_one_queue),
        KIT_TEST(what_several_match_comes_once),
        KIT_TEST(all_patterns_end_with_the_subscription),
        KIT_TEST(a_start_that_does_not_agree_refuses_all),
        KIT_TEST(patterns_are_checked_and_counted),
    };
    return cmocka_run_group_tests_name("patterns", tests, NULL, NULL);
}
