/* SPDX-License-Identifier: MPL-2.0 */

/* Segments and the proxies between them: what crosses, once and in order, also where
 * proxies stand side by side and in a circle. */

#include "integ_kit.h"

#include <stdio.h>
#include <string.h>

enum { EVENTS = 1000, SILENCE_MS = 300, COUNTED_MS = 50, ROUNDS = 10 };

/* The nodes of a test do not know each other's addresses: each is a segment. */
TEST(events_cross_in_order_and_whole)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", NULL);
    tulle_proxy *p = kit_proxy("p", tulle_node_address(a), tulle_node_address(b));
    assert_true(tulle_proxy_id(p) != 0);
    tulle_subscription *at_a = kit_subscribe(a, "from-b/**");
    tulle_subscription *at_b = kit_subscribe(b, "from-a/**");
    assert_status(tulle_node_wait_peers(a, "from-a", 1, KIT_DEADLINE_MS), TULLE_OK);
    assert_status(tulle_node_wait_peers(b, "from-b", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish_numbers(a, "from-a/x", 0, EVENTS);
    kit_publish_numbers(b, "from-b/x", 0, EVENTS);
    kit_expect_numbers(at_b, "from-a/x", 0, EVENTS);
    kit_expect_numbers(at_a, "from-b/x", 0, EVENTS);

    kit_publish(a, "from-a/y", "last");
    const tulle_event *event = kit_expect(at_b, "from-a/y", "last");
    assert_int_equal(event->hops, 1);
    assert_string_equal(event->node_name, "a");
    assert_int_equal(event->seq, EVENTS + 1);
    assert_status(tulle_node_flush(a, KIT_DEADLINE_MS), TULLE_OK);
    assert_int_equal(kit_counters(b).gaps, 0);
    kit_expect_silence(at_b, 0);
    KIT_UNTIL(kit_proxy_counters(p, 0).relayed_batches + kit_proxy_counters(p, 1).relayed_batches >
              0);
    assert_int_equal(kit_proxy_counters(p, 2).beats_sent, 0);
}

/* The proxy may not yet take the stream at that moment: then it is fetched. */
TEST(the_first_event_after_the_wait_crosses)
{
    for (int round = 0; round < ROUNDS; round++) {
        tulle_node *a = kit_node("a", NULL);
        tulle_node *b = kit_node("b", NULL);
        (void)kit_proxy("p", tulle_node_address(a), tulle_node_address(b));
        assert_int_equal(kit_expect_first(a, b)->hops, 1);
        assert_int_equal(kit_teardown(state), 0);
    }
}

/* Nodes beyond are known to live though beats that say nothing new do not come. */
TEST(idle_beats_stay_in_their_segment)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", NULL);
    tulle_proxy *p = kit_proxy("p", tulle_node_address(a), tulle_node_address(b));
    KIT_UNTIL(kit_peer_state(a, "b") == TULLE_PEER_UP && kit_peer_state(b, "a") == TULLE_PEER_UP);
    /* Full ones pass now and then, ten seconds apart; they are every fifth. */
    uint64_t passed = UINT64_MAX;
    for (int round = 0; round < ROUNDS && passed > 2; round++) {
        uint64_t before =
            kit_proxy_counters(p, 0).relayed_control + kit_proxy_counters(p, 1).relayed_control;
        uint64_t beats = kit_counters(a).beats_sent;
        KIT_UNTIL(kit_counters(a).beats_sent >= beats + 15);
        passed = kit_proxy_counters(p, 0).relayed_control +
                 kit_proxy_counters(p, 1).relayed_control - before;
    }
    assert_in_range(passed, 0, 2);
    assert_int_equal(kit_peer_state(a, "b"), TULLE_PEER_UP);
    assert_int_equal(kit_peer_state(b, "a"), TULLE_PEER_UP);
    kit_free(&b);
    KIT_UNTIL(kit_peer_state(a, "b") != TULLE_PEER_UP);
}

static void
look_for_address(const tulle_peer *peer, void *ctx)
{
    if (strcmp(peer->name, "b") == 0)
        *(tulle_peer *)ctx = *peer;
}

/* Nodes beyond are known as such, and not dialed past the proxy. */
TEST(nodes_beyond_are_known_by_name)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", NULL);
    (void)kit_proxy("p", tulle_node_address(a), tulle_node_address(b));
    KIT_UNTIL(kit_peer_state(a, "b") == TULLE_PEER_UP);
    tulle_peer peer = { 0 };
    assert_status(tulle_node_peers(a, look_for_address, &peer), TULLE_OK);
    assert_true(peer.node == tulle_node_id(b));
    assert_int_equal(peer.hops, 1);
    assert_false(peer.is_proxy);
}

TEST(only_what_somebody_beyond_takes_crosses)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", NULL);
    tulle_proxy *p = kit_proxy("p", tulle_node_address(a), tulle_node_address(b));
    tulle_subscription *s = kit_subscribe(b, "taken");
    assert_status(tulle_node_wait_peers(a, "taken", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish(a, "taken", "0");
    (void)kit_expect(s, "taken", "0");
    uint64_t before =
        kit_proxy_counters(p, 0).relayed_batches + kit_proxy_counters(p, 1).relayed_batches;
    for (int i = 0; i < 50; i++)
        kit_publish(a, "untaken", "x");
    kit_publish(a, "taken", "1");
    (void)kit_expect(s, "taken", "1");
    kit_pause_ms(50); /* longer than a snapshot of counters is old */
    uint64_t after =
        kit_proxy_counters(p, 0).relayed_batches + kit_proxy_counters(p, 1).relayed_batches;
    assert_in_range(after - before, 0, 2);
}

TEST(history_crosses)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    kit_publish_numbers(a, "x", 0, EVENTS);
    KIT_UNTIL(kit_counters(a).events_published == EVENTS);
    tulle_node *b = kit_node("b", NULL);
    (void)kit_proxy("p", tulle_node_address(a), tulle_node_address(b));
    tulle_subscription *s = kit_subscribe_from(b, "x", TULLE_FROM_EARLIEST, 0);
    kit_expect_numbers(s, "x", 0, EVENTS);
    kit_publish_numbers(a, "x", EVENTS, 10);
    kit_expect_numbers(s, "x", EVENTS, 10);
}

TEST(causes_come_first_across_too)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", NULL);
    tulle_node *c = kit_node("c", tulle_node_address(b));
    (void)kit_proxy("p", tulle_node_address(a), tulle_node_address(b));
    tulle_subscription *questions = kit_subscribe(b, "question");
    tulle_subscription *answers = kit_subscribe(a, "answer");
    tulle_subscription *s = kit_subscribe(c, "**");
    assert_status(tulle_node_wait_peers(a, "question", 2, KIT_DEADLINE_MS), TULLE_OK);
    assert_status(tulle_node_wait_peers(b, "answer", 2, KIT_DEADLINE_MS), TULLE_OK);
    for (int i = 0; i < 100; i++) {
        kit_publish_numbers(a, "question", i, 1);
        kit_expect_numbers(questions, "question", i, 1);
        kit_publish_numbers(b, "answer", i, 1);
        kit_expect_numbers(answers, "answer", i, 1);
    }
    for (int i = 0; i < 100; i++) {
        kit_expect_numbers(s, "question", i, 1);
        kit_expect_numbers(s, "answer", i, 1);
    }
}

static uint64_t
relayed(tulle_proxy *const *proxies, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t side = 0; side < 2; side++)
            sum += kit_proxy_counters(proxies[i], side).relayed_batches;
    }
    return sum;
}

static uint64_t
dropped_again(tulle_proxy *const *proxies, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t side = 0; side < 2; side++) {
            tulle_counters counters = kit_proxy_counters(proxies[i], side);
            sum += counters.dropped_loop + counters.relayed_duplicates;
        }
    }
    return sum;
}

/* Batches, one event each, that a publisher sends at a pace at which none is repaired
 * just because a queue was full. */
static void
publish_slowly(tulle_node *node, int first, tulle_subscription *const *receivers, size_t count)
{
    for (int i = first; i < first + EVENTS; i += 50) {
        kit_publish_numbers(node, "x", i, 50);
        for (size_t k = 0; k < count; k++)
            kit_expect_numbers(receivers[k], "x", i, 50);
    }
}

static tulle_node *
small_batches(const char *name)
{
    tulle_node_options options;
    kit_options(&options, name, NULL);
    options.batch_bytes = 1;
    return kit_start(&options);
}

TEST(two_proxies_side_by_side_double_nothing)
{
    (void)state;
    tulle_node *a = small_batches("a");
    tulle_node *b = kit_node("b", NULL);
    tulle_proxy *proxies[2];
    proxies[0] = kit_proxy("p", tulle_node_address(a), tulle_node_address(b));
    proxies[1] = kit_proxy("q", tulle_node_address(a), tulle_node_address(b));
    tulle_subscription *s = kit_subscribe(b, "x");
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_wait_up(b, 3);
    /* Each batch comes by both ways, once both carry: the second may still be connecting. What
     * one forwarded, the other sees and drops. */
    int sent = 0;
    while (kit_counters(b).events_duplicate + dropped_again(proxies, 2) < EVENTS / 2) {
        assert_true(sent < 50 * EVENTS);
        publish_slowly(a, sent, &s, 1);
        sent += EVENTS;
        kit_expect_silence(s, COUNTED_MS);
    }
    kit_expect_silence(s, SILENCE_MS);
    assert_int_equal(kit_counters(b).gaps, 0);
    assert_in_range(relayed(proxies, 2), sent, 2 * sent);
}

TEST(one_of_two_proxies_may_die)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", NULL);
    tulle_proxy *p = kit_proxy("p", tulle_node_address(a), tulle_node_address(b));
    (void)kit_proxy("q", tulle_node_address(a), tulle_node_address(b));
    tulle_subscription *s = kit_subscribe(b, "x");
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_wait_up(b, 3);
    kit_publish_numbers(a, "x", 0, EVENTS);
    kit_proxy_free(&p);
    kit_publish_numbers(a, "x", EVENTS, EVENTS);
    kit_expect_numbers(s, "x", 0, 2 * EVENTS);
    kit_expect_silence(s, 0);
    assert_int_equal(kit_counters(b).gaps, 0);
}

/* Three segments, each joined to the next by a proxy. */
TEST(a_ring_of_segments_doubles_nothing)
{
    (void)state;
    tulle_node *nodes[3] = { small_batches("a"), kit_node("b", NULL), kit_node("c", NULL) };
    tulle_proxy *proxies[3];
    static const char *const names[] = { "ab", "bc", "ca" };
    for (size_t i = 0; i < 3; i++)
        proxies[i] = kit_proxy(names[i], tulle_node_address(nodes[i]),
                               tulle_node_address(nodes[(i + 1) % 3]));
    tulle_subscription *receivers[2] = { kit_subscribe(nodes[1], "x"),
                                         kit_subscribe(nodes[2], "x") };
    assert_status(tulle_node_wait_peers(nodes[0], "x", 2, KIT_DEADLINE_MS), TULLE_OK);
    kit_wait_up(nodes[0], 4);
    /* Until the whole ring carries: some proxies may still be connecting. */
    int sent = 0;
    while (dropped_again(proxies, 3) == 0) {
        assert_true(sent < 50 * EVENTS);
        publish_slowly(nodes[0], sent, receivers, 2);
        sent += EVENTS;
        kit_expect_silence(receivers[0], COUNTED_MS);
    }
    kit_expect_silence(receivers[0], SILENCE_MS);
    kit_expect_silence(receivers[1], 0);
    assert_int_equal(kit_counters(nodes[1]).gaps + kit_counters(nodes[2]).gaps, 0);

    /* Traffic ends: nothing goes round and round. Three proxies, each forwards a batch once. */
    uint64_t before = relayed(proxies, 3);
    assert_in_range(before, sent, 3 * sent);
    kit_expect_silence(receivers[0], SILENCE_MS);
    assert_int_equal(relayed(proxies, 3), before);
    /* Beats of the three nodes do pass all the time, a bounded number of times each. */
    tulle_counters start[3];
    uint64_t control = 0;
    for (size_t i = 0; i < 3; i++)
        start[i] = kit_counters(nodes[i]);
    for (size_t i = 0; i < 3; i++)
        control -= kit_proxy_counters(proxies[i], 0).relayed_control +
                   kit_proxy_counters(proxies[i], 1).relayed_control;
    KIT_UNTIL(kit_counters(nodes[0]).beats_sent > start[0].beats_sent + 10);
    uint64_t beats = 0;
    for (size_t i = 0; i < 3; i++) {
        control += kit_proxy_counters(proxies[i], 0).relayed_control +
                   kit_proxy_counters(proxies[i], 1).relayed_control;
        beats += kit_counters(nodes[i]).beats_sent - start[i].beats_sent;
    }
    assert_in_range(control, 0, 4 * beats + 100);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(kit_proxy_counters(proxies[i], 0).dropped_hops, 0);
}

TEST(what_is_denied_does_not_cross)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", NULL);
    const char *const join[2] = { tulle_node_address(a), tulle_node_address(b) };
    static const char *const deny[] = { "secret/**" };
    tulle_proxy_options options;
    kit_proxy_options(&options, "p", join);
    options.segments[0].deny = deny;
    options.segments[0].deny_count = 1;
    (void)kit_proxy_start(&options);
    tulle_subscription *at_b = kit_subscribe(b, "**");
    tulle_subscription *at_a = kit_subscribe(a, "**");
    assert_status(tulle_node_wait_peers(a, "open", 1, KIT_DEADLINE_MS), TULLE_OK);
    assert_status(tulle_node_wait_peers(b, "secret", 1, KIT_DEADLINE_MS), TULLE_OK);
    for (int i = 0; i < 20; i++) {
        kit_publish(a, "secret/plan", "x");
        kit_publish_numbers(a, "open/news", i, 1);
        /* It does not come, and what depends on it is not held up for long. */
        const tulle_message *message = NULL;
        do {
            assert_status(tulle_subscription_receive(at_b, &message, KIT_DEADLINE_MS), TULLE_OK);
            if (message->kind == TULLE_MESSAGE_GAP)
                assert_string_equal(message->u.gap.stream, "secret");
        } while (message->kind == TULLE_MESSAGE_GAP);
        assert_string_equal(message->u.event.topic, "open/news");
        assert_int_equal(kit_number(&message->u.event), i);
    }
    /* The other way it is allowed. */
    kit_publish(b, "secret/answer", "y");
    (void)kit_expect(at_a, "secret/answer", "y");
}

TEST(only_what_is_allowed_crosses)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", NULL);
    const char *const join[2] = { tulle_node_address(a), tulle_node_address(b) };
    static const char *const allow[] = { "open/**" };
    static const char *const deny[] = { "**" };
    tulle_proxy_options options;
    kit_proxy_options(&options, "p", join);
    options.segments[0].allow = allow;
    options.segments[0].allow_count = 1;
    options.segments[1].deny = deny;
    options.segments[1].deny_count = 1;
    (void)kit_proxy_start(&options);
    tulle_subscription *open = kit_subscribe(b, "open/**");
    tulle_subscription *closed = kit_subscribe(b, "closed/**");
    tulle_subscription *back = kit_subscribe(a, "open/**");
    assert_status(tulle_node_wait_peers(a, "closed", 1, KIT_DEADLINE_MS), TULLE_OK);
    assert_status(tulle_node_wait_peers(b, "open", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish(a, "closed/x", "1");
    kit_publish(b, "open/back", "2");
    kit_publish_numbers(a, "open/x", 0, 100);
    int numbers = 0;
    while (numbers < 100) {
        const tulle_event *event = kit_receive(open);
        assert_string_equal(event->topic, "open/x");
        assert_int_equal(kit_number(event), numbers++);
    }
    const tulle_message *message = NULL;
    tulle_status status = tulle_subscription_receive(closed, &message, SILENCE_MS);
    assert_true(status == TULLE_ETIMEDOUT || message->kind == TULLE_MESSAGE_GAP);
    status = tulle_subscription_receive(back, &message, 0);
    assert_true(status == TULLE_ETIMEDOUT || message->kind == TULLE_MESSAGE_GAP);
}

/* Patterns and addresses change under way, and what is linked stays so. */
TEST(what_may_cross_changes_while_it_runs)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", NULL);
    tulle_node *c = kit_node("c", NULL);
    const char *const join[2] = { tulle_node_address(a), tulle_node_address(b) };
    const char *const joins[2] = { tulle_node_address(b), tulle_node_address(c) };
    static const char *const deny[] = { "x/**" };
    tulle_proxy_options options;
    tulle_error error = { 0 };
    kit_proxy_options(&options, "p", join);
    tulle_proxy *p = kit_proxy_start(&options);
    tulle_subscription *s = kit_subscribe(b, "x/**");
    tulle_subscription *far = kit_subscribe(c, "x/**");
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish(a, "x/1", "crosses");
    (void)kit_expect(s, "x/1", "crosses");

    options.segments[0].deny = deny;
    options.segments[0].deny_count = 1;
    options.segments[1].join = joins;
    options.segments[1].join_count = 2;
    options.beat_ms++;
    assert_status(tulle_proxy_update(p, &options, &error), TULLE_OK);
    assert_string_equal(error.text, "beat_ms");
    KIT_UNTIL(kit_peer_state(c, "a") == TULLE_PEER_UP);
    kit_publish(a, "x/2", "denied");
    KIT_UNTIL(kit_proxy_counters(p, 0).dropped_policy > 0);
    const tulle_message *message = NULL;
    tulle_status status = tulle_subscription_receive(far, &message, SILENCE_MS);
    assert_true(status == TULLE_ETIMEDOUT || message->kind == TULLE_MESSAGE_GAP);
    assert_int_equal(kit_peer_state(b, "a"), TULLE_PEER_UP);

    options.segments[1].name = "";
    assert_status(tulle_proxy_update(p, &options, &error), TULLE_EINVAL);
    tulle_proxy_stop(p, 0);
    options.segments[1].name = "right";
    assert_status(tulle_proxy_update(p, &options, NULL), TULLE_ESTATE);
}

/* What is over the rate waits, and comes in order, once for all; a new rate is in force at
 * once. */
TEST(a_rate_holds_and_loses_nothing)
{
    enum { RATE = 400, COUNT = 1200 };
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", NULL);
    tulle_node *c = kit_node("c", tulle_node_address(b));
    const char *const join[2] = { tulle_node_address(a), tulle_node_address(b) };
    tulle_proxy_options options;
    kit_proxy_options(&options, "p", join);
    options.segments[0].events_per_second = RATE;
    tulle_proxy *p = kit_proxy_start(&options);
    tulle_subscription *at_b = kit_subscribe(b, "x");
    tulle_subscription *at_c = kit_subscribe(c, "x");
    assert_status(tulle_node_wait_peers(a, "x", 2, KIT_DEADLINE_MS), TULLE_OK);
    int64_t begin_ms = kit_now_ms();
    for (int i = 0; i < COUNT; i += 10) {
        kit_publish_numbers(a, "x", i, 10);
        kit_pause_ms(1);
    }
    kit_expect_numbers(at_b, "x", 0, COUNT);
    assert_true(kit_now_ms() - begin_ms > (int64_t)1000 * (COUNT / RATE - 2));
    kit_expect_numbers(at_c, "x", 0, COUNT);
    KIT_UNTIL(kit_proxy_counters(p, 0).limited_now == 0);
    tulle_counters counters = kit_proxy_counters(p, 0);
    assert_true(counters.limited_events > 0);
    assert_in_range(counters.relayed_events, COUNT, COUNT + COUNT / 4);
    assert_int_equal(kit_proxy_counters(p, 1).entered_events, counters.relayed_events);
    assert_int_equal(kit_counters(b).gaps, 0);
    assert_int_equal(kit_counters(c).gaps, 0);

    options.segments[0].events_per_second = 0;
    options.segments[0].event_bytes_max = 10;
    assert_status(tulle_proxy_update(p, &options, NULL), TULLE_OK);
    kit_pause_ms(50);
    kit_publish(a, "x", "more than ten bytes");
    kit_publish_numbers(a, "x", COUNT, 1);
    const tulle_message *message = NULL;
    assert_status(tulle_subscription_receive(at_b, &message, KIT_DEADLINE_MS), TULLE_OK);
    assert_int_equal(message->kind, TULLE_MESSAGE_GAP);
    assert_int_equal(message->u.gap.reason, TULLE_GAP_WITHHELD);
    kit_expect_numbers(at_b, "x", COUNT, 1);
    assert_true(kit_proxy_counters(p, 0).dropped_size > 0);
}

/* A chain as long as the limit is crossed, one that is longer is not. */
TEST(the_hop_limit_holds)
{
    (void)state;
    tulle_node *nodes[4];
    for (int i = 0; i < 4; i++)
        nodes[i] = kit_node("n", NULL);
    tulle_proxy *proxies[3];
    for (int i = 0; i < 3; i++) {
        const char *const join[2] = { tulle_node_address(nodes[i]),
                                      tulle_node_address(nodes[i + 1]) };
        tulle_proxy_options options;
        kit_proxy_options(&options, "p", join);
        options.hops_max = 2;
        proxies[i] = kit_proxy_start(&options);
    }
    tulle_subscription *near = kit_subscribe(nodes[2], "x");
    tulle_subscription *far = kit_subscribe(nodes[3], "x");
    assert_status(tulle_node_wait_peers(nodes[0], "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish_numbers(nodes[0], "x", 0, 100);
    kit_expect_numbers(near, "x", 0, 100);
    kit_expect_silence(far, SILENCE_MS);
    /* The last proxy may have begun to listen after that. */
    int published = 100;
    KIT_UNTIL((kit_publish_numbers(nodes[0], "x", published++, 1),
               kit_proxy_counters(proxies[2], 0).dropped_hops +
                   kit_proxy_counters(proxies[2], 1).dropped_hops) > 0);
    kit_expect_silence(far, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(events_cross_in_order_and_whole),
        KIT_TEST(the_first_event_after_the_wait_crosses),
        KIT_TEST(nodes_beyond_are_known_by_name),
        KIT_TEST(idle_beats_stay_in_their_segment),
        KIT_TEST(only_what_somebody_beyond_takes_crosses),
        KIT_TEST(history_crosses),
        KIT_TEST(causes_come_first_across_too),
        KIT_TEST(two_proxies_side_by_side_double_nothing),
        KIT_TEST(one_of_two_proxies_may_die),
        KIT_TEST(a_ring_of_segments_doubles_nothing),
        KIT_TEST(what_is_denied_does_not_cross),
        KIT_TEST(only_what_is_allowed_crosses),
        KIT_TEST(what_may_cross_changes_while_it_runs),
        KIT_TEST(a_rate_holds_and_loses_nothing),
        KIT_TEST(the_hop_limit_holds),
    };
    return cmocka_run_group_tests_name("segments", tests, NULL, NULL);
}
