/* SPDX-License-Identifier: MPL-2.0 */
/* Who is there: peers come, fall silent, leave and come again. */

#include "mini_net.h"

#include <string.h>

static const char *
peers_of(const struct mini_net *net, size_t node)
{
    return net->nodes[node].peers;
}

static void
forget_peers_log(struct mini_net *net)
{
    for (size_t i = 0; i < MINI_NODES_MAX; i++)
        net->nodes[i].peers[0] = '\0';
}

TEST(mesh_completes_itself_from_one_address)
{
    struct mini_net *net = *state;

    mini_start(net, 4); /* b, c and d know a's address only */

    for (size_t i = 0; i < 4; i++)
        assert_int_equal(mini_counters(net, i).peers_up, 3);
    assert_true(net->nodes[MINI_B].hears[MINI_D]);
    assert_true(net->nodes[MINI_D].hears[MINI_B]);
}

TEST(silent_peer_is_suspect_then_gone)
{
    struct mini_net *net = *state;
    mini_start(net, 2);
    forget_peers_log(net);

    mini_crash(net, MINI_B);
    mini_run(net, 600);
    assert_string_equal(peers_of(net, MINI_A), "suspect(b) ");
    assert_int_equal(mini_counters(net, MINI_A).peers_up, 1);
    mini_run(net, 1000);

    assert_string_equal(peers_of(net, MINI_A), "suspect(b) gone(b) ");
    assert_int_equal(mini_counters(net, MINI_A).peers_up, 0);
}

TEST(suspect_that_is_heard_is_up_again)
{
    struct mini_net *net = *state;
    mini_start(net, 2);
    forget_peers_log(net);

    mini_lose(net, MINI_B, MINI_A, MINI_ALL);
    mini_run(net, 600);
    mini_heal(net, MINI_B, MINI_A);
    mini_run(net, 2000);

    assert_string_equal(peers_of(net, MINI_A), "suspect(b) up(b) ");
    assert_int_equal(mini_counters(net, MINI_A).peers_up, 1);
}

TEST(partition_heals_by_itself)
{
    struct mini_net *net = *state;
    mini_start(net, 2);
    (void)mini_take(net, MINI_B, "**");
    mini_run(net, 500);

    mini_lose(net, MINI_A, MINI_B, MINI_ALL);
    mini_lose(net, MINI_B, MINI_A, MINI_ALL);
    mini_publish(net, MINI_A, "t", "1");
    mini_run(net, 3000);
    assert_non_null(strstr(peers_of(net, MINI_A), "gone(b)"));
    mini_heal(net, MINI_A, MINI_B);
    mini_heal(net, MINI_B, MINI_A);
    mini_run(net, 3000);

    assert_int_equal(mini_counters(net, MINI_A).peers_up, 1);
    assert_string_equal(mini_log(net, MINI_B), "1 ");
}

TEST(peer_that_says_goodbye_has_left_at_once)
{
    struct mini_net *net = *state;
    mini_start(net, 2);
    forget_peers_log(net);

    mini_leave(net, MINI_B);

    assert_string_equal(peers_of(net, MINI_A), "left(b) ");
    assert_false(net->nodes[MINI_A].hears[MINI_B]); /* hung up */
}

TEST(stragglers_of_one_that_left_do_not_bring_it_back)
{
    struct mini_net *net = *state;
    mini_start(net, 1);
    (void)mini_take(net, MINI_A, "**");
    uint64_t ghost = TULLE__NODE_ID_MIN + 7;
    mini_meet_ghost(net, MINI_A, ghost);
    mini_tell_beat(net, MINI_A,
                   &(struct tulle__beat_out){ .id = ghost, .counter = 9, .is_leaving = true });
    forget_peers_log(net);

    mini_tell_beat(net, MINI_A, &(struct tulle__beat_out){ .id = ghost, .counter = 10 });
    mini_run(net, 500);

    assert_string_equal(peers_of(net, MINI_A), "");
    assert_int_equal(mini_counters(net, MINI_A).peers_up, 0);
}

TEST(restarted_node_is_a_new_one_with_an_old_name)
{
    struct mini_net *net = *state;
    mini_start(net, 2);
    (void)mini_take(net, MINI_A, "**");
    mini_run(net, 500);
    mini_publish(net, MINI_B, "t", "1");
    forget_peers_log(net);

    mini_crash(net, MINI_B);
    mini_start_one(net, MINI_B, MINI_A);
    mini_run(net, 500);
    mini_publish(net, MINI_B, "t", "2");

    assert_non_null(strstr(peers_of(net, MINI_A), "restarted(b)"));
    assert_string_equal(mini_log(net, MINI_A), "1 2 ");
    assert_int_equal(mini_counters(net, MINI_A).peers_up, 1);
}

/* Two that live may have one name: one that a ghost names, never heard, and b itself. */
TEST(namesake_that_was_only_heard_of_is_no_restart)
{
    struct mini_net *net = *state;
    mini_start(net, 1);
    uint64_t ghost = TULLE__NODE_ID_MIN + 7;
    mini_meet_ghost(net, MINI_A, ghost);
    (void)mini_take(net, MINI_A, "**"); /* the ghost is asked again */
    mini_run(net, 500);
    struct tulle__known_out namesake = { .id = ghost + 1, .name = "b" };
    struct tulle__here_out here = { .reply_to = net->ghost_counter[TULLE__SYNC],
                                    .self = { .name = "ghost" },
                                    .has_lanes = true,
                                    .peers = &namesake,
                                    .peer_count = 1 };
    struct tulle__writer w;
    tulle__writer_init(&w);
    tulle__here_encode(&w, &here);
    mini_tell_control(
        net, MINI_A,
        &(struct tulle__control_header){
            .kind = TULLE__HERE, .from = ghost, .to = mini_id(net, MINI_A), .counter = 9 },
        &w);
    tulle__writer_fini(&w);

    mini_start_one(net, MINI_B, MINI_A);
    mini_run(net, 500);

    assert_non_null(strstr(peers_of(net, MINI_A), "up(b)"));
    assert_null(strstr(peers_of(net, MINI_A), "restarted"));
}

TEST(node_that_joins_itself_notices)
{
    struct mini_net *net = *state;
    mini_start_one(net, MINI_A, MINI_A);
    assert_status(tulle__engine_join(net->nodes[MINI_A].engine, "a", net->now), TULLE_OK);

    mini_run(net, 3000);

    assert_int_equal(mini_counters(net, MINI_A).syncs_sent, 1);
    assert_int_equal(mini_counters(net, MINI_A).peers_up, 0);
}

TEST(address_where_nobody_answers_is_asked_at_growing_intervals)
{
    struct mini_net *net = *state;
    mini_start_one(net, MINI_B, MINI_A); /* a does not run */

    mini_run(net, 10000);

    assert_in_range(mini_counters(net, MINI_B).syncs_sent, 5, 8);
}

TEST(node_that_is_found_is_asked_and_met)
{
    struct mini_net *net = *state;
    mini_start_one(net, MINI_A, MINI_A);
    mini_start_one(net, MINI_B, MINI_B);

    tulle__engine_found(net->nodes[MINI_A].engine, mini_id(net, MINI_B), "b", net->now);
    mini_run(net, 500);

    assert_int_equal(mini_counters(net, MINI_A).peers_up, 1);
    assert_int_equal(mini_counters(net, MINI_B).peers_up, 1);
}

TEST(joined_addresses_are_limited_and_joined_once)
{
    struct mini_net *net = *state;
    mini_start_one(net, MINI_A, MINI_A);
    struct tulle__engine *engine = net->nodes[MINI_A].engine;
    char address[8] = "x00";

    for (int i = 0; i < 64; i++) {
        address[1] = (char)('0' + i / 10);
        address[2] = (char)('0' + i % 10);
        assert_status(tulle__engine_join(engine, address, net->now), TULLE_OK);
    }

    assert_status(tulle__engine_join(engine, "x00", net->now), TULLE_OK);
    assert_status(tulle__engine_join(engine, "x99", net->now), TULLE_ELIMIT);
    assert_status(tulle__engine_join(engine, "", net->now), TULLE_EINVAL);
}

TEST(full_table_takes_the_place_of_who_is_gone)
{
    struct mini_net *net = *state;
    net->nodes[MINI_A].config.peers_max = 1;
    mini_start_one(net, MINI_A, MINI_A);
    uint64_t first = TULLE__NODE_ID_MIN + 7;
    uint64_t second = TULLE__NODE_ID_MIN + 8;

    mini_tell_beat(net, MINI_A, &(struct tulle__beat_out){ .id = first, .counter = 1 });
    mini_tell_beat(net, MINI_A, &(struct tulle__beat_out){ .id = second, .counter = 1 });
    assert_int_equal(mini_counters(net, MINI_A).dropped_table_full, 1);
    mini_run(net, 1500);
    mini_tell_beat(net, MINI_A, &(struct tulle__beat_out){ .id = second, .counter = 2 });

    tulle_peer peer;
    const struct tulle__peer *at = NULL;
    assert_true(tulle__engine_next_peer(net->nodes[MINI_A].engine, &at, &peer));
    assert_true(peer.node == second);
    assert_false(tulle__engine_next_peer(net->nodes[MINI_A].engine, &at, &peer));
}

/* Does the SYNC that a ghost got last ask for nodes? */
static bool
asks_for_peers(const struct mini_net *net)
{
    const struct tulle__buf *body = net->ghost_body[TULLE__SYNC];
    struct tulle__sync_view sync;
    assert_non_null(body);
    assert_status(tulle__sync_decode(body->data, body->len, &sync), TULLE_OK);
    return sync.wants_peers;
}

TEST(who_knows_more_nodes_is_asked_for_them)
{
    struct mini_net *net = *state;
    uint64_t id = TULLE__NODE_ID_MIN + 7;
    mini_start_one(net, MINI_A, MINI_A);
    mini_meet_ghost(net, MINI_A, id);
    mini_run(net, 5000);
    uint32_t before = net->ghost_count[TULLE__SYNC];

    mini_tell_beat(net, MINI_A,
                   &(struct tulle__beat_out){ .id = id, .counter = 100, .node_count = 1 });
    mini_run(net, 10);
    assert_int_equal(net->ghost_count[TULLE__SYNC], before); /* as many as are known here */

    mini_tell_beat(net, MINI_A,
                   &(struct tulle__beat_out){ .id = id, .counter = 101, .node_count = 2 });
    mini_run(net, 10);
    assert_int_equal(net->ghost_count[TULLE__SYNC], before + 1);
    assert_true(asks_for_peers(net));
}

/* A node is there, and beats ten times a second. */
static void
tell_of_node(struct mini_net *net, uint64_t id)
{
    const char *address = "there";
    struct tulle__beat_out beat = { .id = id,
                                    .counter = 1,
                                    .self = { .control_addresses = &address,
                                              .control_address_count = 1,
                                              .event_addresses = &address,
                                              .event_address_count = 1,
                                              .beat_ms = 100 },
                                    .has_self = true };
    mini_tell_beat(net, MINI_A, &beat);
}

/* Nodes beyond a proxy: what it tells of them is their sign of life, if it is news. */
TEST(a_proxy_tells_who_is_alive_beyond_it)
{
    struct mini_net *net = *state;
    uint64_t proxy = TULLE__NODE_ID_MIN + 7;
    struct tulle__beyond beyond = { .id = TULLE__NODE_ID_MIN + 8, .hops = 1 };
    struct tulle__beat_out beat = { .id = proxy,
                                    .self = { .is_proxy = true, .beat_ms = 100 },
                                    .beyond = &beyond,
                                    .beyond_count = 1,
                                    .beyond_total = 1 };
    mini_start_one(net, MINI_A, MINI_A);
    tell_of_node(net, beyond.id);
    net->nodes[MINI_A].peers[0] = '\0';
    for (int i = 0; i < 20; i++) {
        beat.counter++;
        beyond.counter = 1000 + beat.counter;
        mini_tell_beat(net, MINI_A, &beat);
        mini_run(net, 100);
    }
    assert_null(strstr(net->nodes[MINI_A].peers, "suspect"));

    /* The proxy goes on, and has heard nothing more of the node. */
    for (int i = 0; i < 20; i++) {
        beat.counter++;
        mini_tell_beat(net, MINI_A, &beat);
        mini_run(net, 100);
    }
    assert_non_null(strstr(net->nodes[MINI_A].peers, "suspect"));
    assert_non_null(strstr(net->nodes[MINI_A].peers, "gone"));
}

/* The more there are the seldomer each is told of, and the longer nobody worries. */
TEST(many_nodes_beyond_a_proxy_are_told_of_in_turn)
{
    struct mini_net *net = *state;
    struct tulle__beyond beyond = { .id = TULLE__NODE_ID_MIN + 8, .counter = 1000, .hops = 1 };
    struct tulle__beat_out beat = { .id = TULLE__NODE_ID_MIN + 7,
                                    .counter = 1,
                                    .self = { .is_proxy = true, .beat_ms = 100 },
                                    .beyond = &beyond,
                                    .beyond_count = 1,
                                    .beyond_total = 640 };
    mini_start_one(net, MINI_A, MINI_A);
    tell_of_node(net, beyond.id);
    mini_tell_beat(net, MINI_A, &beat);
    net->nodes[MINI_A].peers[0] = '\0';

    mini_run(net, 2900); /* ten beats in a turn, three turns */
    assert_null(strstr(net->nodes[MINI_A].peers, "suspect"));
    mini_run(net, 300);
    assert_non_null(strstr(net->nodes[MINI_A].peers, "suspect"));
    assert_null(strstr(net->nodes[MINI_A].peers, "gone"));
    mini_run(net, 2000);
    assert_non_null(strstr(net->nodes[MINI_A].peers, "gone"));
}

TEST(takes_are_replaced_by_newer_ones_only)
{
    struct mini_net *net = *state;
    mini_start_one(net, MINI_A, MINI_A);
    uint64_t ghost = TULLE__NODE_ID_MIN + 7;
    struct tulle__view takes[] = { { (const uint8_t *)"t", 2 }, { (const uint8_t *)"u", 2 } };
    struct tulle__beat_out beat = {
        .id = ghost,
        .counter = 1,
        .self = { .takes = &takes[0], .take_count = 1, .takes_version = 5 },
        .has_takes = true
    };
    mini_tell_beat(net, MINI_A, &beat);

    beat.counter = 2;
    beat.self.takes = &takes[1];
    beat.self.takes_version = 4;
    mini_tell_beat(net, MINI_A, &beat);
    mini_publish(net, MINI_A, "u", "1");

    /* Nobody who takes u is known: nothing waits for an acknowledgement. */
    assert_true(tulle__engine_is_acknowledged(net->nodes[MINI_A].engine));
}

int
main(void)
{
#define MEMBER_TEST(name) cmocka_unit_test_setup_teardown(name, mini_setup, mini_teardown)
    const struct CMUnitTest tests[] = {
        MEMBER_TEST(mesh_completes_itself_from_one_address),
        MEMBER_TEST(silent_peer_is_suspect_then_gone),
        MEMBER_TEST(suspect_that_is_heard_is_up_again),
        MEMBER_TEST(partition_heals_by_itself),
        MEMBER_TEST(peer_that_says_goodbye_has_left_at_once),
        MEMBER_TEST(stragglers_of_one_that_left_do_not_bring_it_back),
        MEMBER_TEST(restarted_node_is_a_new_one_with_an_old_name),
        MEMBER_TEST(namesake_that_was_only_heard_of_is_no_restart),
        MEMBER_TEST(node_that_joins_itself_notices),
        MEMBER_TEST(address_where_nobody_answers_is_asked_at_growing_intervals),
        MEMBER_TEST(node_that_is_found_is_asked_and_met),
        MEMBER_TEST(joined_addresses_are_limited_and_joined_once),
        MEMBER_TEST(full_table_takes_the_place_of_who_is_gone),
        MEMBER_TEST(who_knows_more_nodes_is_asked_for_them),
        MEMBER_TEST(a_proxy_tells_who_is_alive_beyond_it),
        MEMBER_TEST(many_nodes_beyond_a_proxy_are_told_of_in_turn),
        MEMBER_TEST(takes_are_replaced_by_newer_ones_only),
    };
    return cmocka_run_group_tests_name("delivery/member", tests, NULL, NULL);
}
