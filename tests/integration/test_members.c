/* SPDX-License-Identifier: MPL-2.0 */

/* Who is there: nodes that find each other, leave, fall silent, come back. */

#include "integ_kit.h"
#include "proc_kit.h"

#include <stdio.h>
#include <string.h>

enum { MANY = 50, SILENCE_MS = 500, SUSPECT_MS = 400, GONE_MS = 800 };

static tulle_subscription *
watch(tulle_node *node)
{
    tulle_subscribe_options options;
    tulle_subscription *subscription = NULL;
    tulle_subscribe_options_init(&options);
    options.flags = TULLE_WATCH_PEERS;
    assert_status(tulle_node_subscribe(node, "x/**", &options, &subscription), TULLE_OK);
    return subscription;
}

TEST(three_nodes_need_one_address)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    tulle_node *c = kit_node("c", tulle_node_address(a));
    kit_wait_up(a, 2);
    kit_wait_up(b, 2);
    kit_wait_up(c, 2);
    /* And do without the one that they all joined. */
    tulle_subscription *s = kit_subscribe(c, "x");
    assert_status(tulle_node_wait_peers(b, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_free(&a);
    kit_publish(b, "x", "1");
    (void)kit_expect(s, "x", "1");
    assert_int_equal(kit_peer_state(b, "c"), TULLE_PEER_UP);
}

TEST(a_node_may_join_before_the_other_is_there)
{
    (void)state;
    char address[40];
    (void)snprintf(address, sizeof address, "%s", proc_address(proc_free_port()));
    tulle_node *b = kit_node("b", address);
    tulle_subscription *s = kit_subscribe(b, "x");
    KIT_UNTIL(kit_counters(b).syncs_sent > 1);
    tulle_node_options options;
    kit_options(&options, "a", NULL);
    options.listen[0] = address;
    tulle_node *a = kit_start(&options);
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish(a, "x", "1");
    (void)kit_expect(s, "x", "1");
}

TEST(a_node_that_is_given_its_own_address_is_not_its_peer)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    assert_status(tulle_node_join(a, tulle_node_address(a)), TULLE_OK);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    kit_wait_up(b, 1);
    kit_wait_up(a, 1);
    KIT_UNTIL(kit_counters(a).beats_sent > 10);
    assert_int_equal(kit_counters(a).peers_up, 1);
    assert_int_equal(kit_peer_state(a, "a"), 0);
}

TEST(nodes_of_different_meshes_ignore_each_other)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node_options options;
    const char *join = tulle_node_address(a);
    kit_options(&options, "b", &join);
    options.mesh = "other";
    tulle_node *b = kit_start(&options);
    tulle_subscription *s = kit_subscribe(b, "**");
    KIT_UNTIL(kit_counters(a).dropped_mesh > 1);
    kit_publish(a, "x", "1");
    kit_expect_silence(s, SILENCE_MS);
    assert_int_equal(kit_counters(a).peers_up, 0);
    assert_int_equal(kit_counters(b).peers_up, 0);
    assert_status(tulle_node_wait_peers(a, NULL, 1, 0), TULLE_ETIMEDOUT);
}

TEST(leaving_is_noticed_at_once)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_subscription *s = watch(a);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    uint64_t id = tulle_node_id(b);
    tulle_peer peer = kit_expect_peer(s, "b", TULLE_PEER_UP);
    assert_true(peer.node == id);
    assert_int_equal(peer.hops, 0);
    assert_false(peer.is_proxy);
    KIT_UNTIL(kit_counters(a).beats_received > 0); /* what it says is heard */
    int64_t start = kit_now_ms();
    tulle_node_stop(b, 1000);
    kit_free(&b);
    peer = kit_expect_peer(s, "b", TULLE_PEER_LEFT);
    assert_true(kit_now_ms() - start < 2500); /* before it could be suspect */
    assert_true(peer.node == id);
    KIT_UNTIL(kit_counters(a).peers_up == 0);
}

TEST(a_restart_is_told_as_one)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_subscription *s = watch(a);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    uint64_t id = tulle_node_id(b);
    (void)kit_expect_peer(s, "b", TULLE_PEER_UP);
    KIT_UNTIL(kit_counters(a).beats_received > 0);
    tulle_node_stop(b, 1000);
    kit_free(&b);
    b = kit_node("b", tulle_node_address(a));
    tulle_peer peer = kit_expect_peer(s, "b", TULLE_PEER_RESTARTED);
    assert_true(peer.previous == id);
    assert_true(peer.node == tulle_node_id(b));
    /* Its numbers begin anew, and nothing of it is lost or taken for old. */
    assert_status(tulle_node_wait_peers(b, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish(b, "x/1", "1");
    const tulle_message *message = NULL;
    do {
        assert_status(tulle_subscription_receive(s, &message, KIT_DEADLINE_MS), TULLE_OK);
    } while (message->kind == TULLE_MESSAGE_PEER);
    assert_int_equal(message->kind, TULLE_MESSAGE_EVENT);
    assert_true(message->u.event.node == tulle_node_id(b));
    assert_int_equal(message->u.event.seq, 1);
}

/* At the same address, as services do. */
TEST(a_restart_at_the_same_address_is_found_by_those_who_stayed)
{
    (void)state;
    tulle_node_options options;
    kit_options(&options, "b", NULL);
    char address[40];
    (void)snprintf(address, sizeof address, "%s", proc_address(proc_free_port()));
    options.listen[0] = address;
    tulle_node *b = kit_start(&options);
    tulle_node *a = kit_node("a", address);
    tulle_subscription *s = watch(a);
    kit_wait_up(a, 1);
    uint64_t id = tulle_node_id(b);
    kit_free(&b);
    b = kit_start(&options); /* joins nobody */
    tulle_peer peer = kit_expect_peer(s, "b", TULLE_PEER_RESTARTED);
    assert_true(peer.previous == id);
    assert_status(tulle_node_wait_peers(b, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
}

/* The wire is cut between two nodes; both are told, and told again when it heals. */
TEST(silence_makes_a_peer_suspect_and_gone)
{
    (void)state;
    struct kit_place at_a;
    struct kit_place at_b;
    kit_place_init(&at_a);
    kit_place_init(&at_b);
    struct proc *relay =
        proc_start("tulle-test-relay", "--tcp", at_a.control_link, "--tcp", at_a.events_link,
                   "--tcp", at_b.control_link, "--tcp", at_b.events_link, NULL);
    proc_wait_text(relay, PROC_OUT, "ready");
    tulle_node_options options;
    kit_options(&options, "a", NULL);
    kit_place_use(&at_a, &options);
    options.suspect_ms = SUSPECT_MS;
    options.gone_ms = GONE_MS;
    tulle_node *a = kit_start(&options);
    const char *join = at_a.control;
    kit_options(&options, "b", &join);
    kit_place_use(&at_b, &options);
    options.suspect_ms = SUSPECT_MS;
    options.gone_ms = GONE_MS;
    tulle_node *b = kit_start(&options);
    tulle_subscription *s = watch(a);
    kit_wait_up(a, 1);
    assert_status(tulle_node_wait_peers(b, "x/1", 1, KIT_DEADLINE_MS), TULLE_OK);

    proc_write(relay, "cut\n", 4);
    tulle_peer peer = kit_expect_peer(s, "b", TULLE_PEER_SUSPECT);
    assert_true(peer.node == tulle_node_id(b));
    (void)kit_expect_peer(s, "b", TULLE_PEER_GONE);
    KIT_UNTIL(kit_peer_state(b, "a") == TULLE_PEER_GONE);
    kit_wait_up(a, 0);
    /* What is published meanwhile comes when the wire is whole again. */
    kit_publish(b, "x/1", "in between");
    proc_write(relay, "heal\n", 5);
    (void)kit_expect_peer(s, "b", TULLE_PEER_UP);
    const tulle_message *message = NULL;
    do {
        assert_status(tulle_subscription_receive(s, &message, KIT_DEADLINE_MS), TULLE_OK);
    } while (message->kind == TULLE_MESSAGE_PEER);
    assert_int_equal(message->kind, TULLE_MESSAGE_EVENT);
    assert_memory_equal(message->u.event.payload, "in between", 10);
    KIT_UNTIL(kit_peer_state(b, "a") == TULLE_PEER_UP);
}

/* As with a machine that lost its power: connections stay and say nothing. */
TEST(a_half_open_connection_is_noticed_too)
{
    (void)state;
    struct kit_place at_a;
    kit_place_init(&at_a);
    struct proc *relay =
        proc_start("tulle-test-relay", "--tcp", at_a.control_link, "--tcp", at_a.events_link, NULL);
    proc_wait_text(relay, PROC_OUT, "ready");
    tulle_node_options options;
    kit_options(&options, "a", NULL);
    kit_place_use(&at_a, &options);
    tulle_node *a = kit_start(&options);
    const char *join = at_a.control;
    kit_options(&options, "b", &join);
    options.suspect_ms = SUSPECT_MS;
    options.gone_ms = GONE_MS;
    tulle_node *b = kit_start(&options);
    kit_wait_up(a, 1);
    kit_wait_up(b, 1);
    proc_write(relay, "stall\n", 6);
    KIT_UNTIL(kit_peer_state(b, "a") != TULLE_PEER_UP);
    proc_write(relay, "unstall\n", 8);
    KIT_UNTIL(kit_peer_state(b, "a") == TULLE_PEER_UP);
}

TEST(fifty_nodes_in_one_process_are_a_full_mesh)
{
    (void)state;
    static tulle_node *nodes[MANY];
    char name[16];
    for (int i = 0; i < MANY; i++) {
        tulle_node_options options;
        const char *join = i > 0 ? tulle_node_address(nodes[0]) : NULL;
        (void)snprintf(name, sizeof name, "n%d", i);
        kit_options(&options, name, &join);
        options.beat_ms = 1000;
        nodes[i] = kit_start(&options);
    }
    for (int i = 0; i < MANY; i++)
        kit_wait_up(nodes[i], MANY - 1);
    tulle_subscription *last = kit_subscribe(nodes[MANY - 1], "x");
    tulle_subscription *middle = kit_subscribe(nodes[MANY / 2], "x");
    for (int i = 1; i < 10; i++) {
        assert_status(tulle_node_wait_peers(nodes[i], "x", 2, KIT_DEADLINE_MS), TULLE_OK);
        kit_publish(nodes[i], "x", "1");
        assert_true(kit_expect(last, "x", "1")->node == tulle_node_id(nodes[i]));
        assert_true(kit_expect(middle, "x", "1")->node == tulle_node_id(nodes[i]));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(three_nodes_need_one_address),
        KIT_TEST(a_node_may_join_before_the_other_is_there),
        KIT_TEST(a_node_that_is_given_its_own_address_is_not_its_peer),
        KIT_TEST(nodes_of_different_meshes_ignore_each_other),
        KIT_TEST(leaving_is_noticed_at_once),
        KIT_TEST(a_restart_is_told_as_one),
        KIT_TEST(a_restart_at_the_same_address_is_found_by_those_who_stayed),
        KIT_TEST(silence_makes_a_peer_suspect_and_gone),
        KIT_TEST(a_half_open_connection_is_noticed_too),
        KIT_TEST(fifty_nodes_in_one_process_are_a_full_mesh),
    };
    return cmocka_run_group_tests_name("members", tests, NULL, NULL);
}
