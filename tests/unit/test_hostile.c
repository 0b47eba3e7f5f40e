/* SPDX-License-Identifier: MPL-2.0 */
/* What a peer says that is not true: it costs a counter, and nobody else's events. */

#include "mini_net.h"

#include <string.h>

static const uint64_t ghost = TULLE__NODE_ID_MIN + 7;
static const uint64_t accomplice = TULLE__NODE_ID_MIN + 8;

/* a publishes, b takes everything and has met two ghosts. */
static void
start(struct mini_net *net)
{
    mini_start(net, 2);
    (void)mini_take(net, MINI_B, "**");
    mini_run(net, 500);
    mini_meet_ghost(net, MINI_B, ghost);
    mini_meet_ghost(net, MINI_B, accomplice);
}

static void
assert_still_works(struct mini_net *net)
{
    net->nodes[MINI_B].log[0] = '\0';
    mini_publish(net, MINI_A, "works", "still");
    assert_string_equal(mini_log(net, MINI_B), "still ");
}

TEST(head_that_never_was_costs_a_gap_of_its_own_lane_only)
{
    struct mini_net *net = *state;
    start(net);
    struct tulle__head head = { .stream = mini_text("t"), .head = TULLE__SEQ_MAX };

    mini_tell_beat(
        net, MINI_B,
        &(struct tulle__beat_out){ .id = ghost, .counter = 5, .heads = &head, .head_count = 1 });
    mini_run(net, 2000);

    assert_int_equal(mini_counters(net, MINI_B).gaps, 1);
    assert_still_works(net);
}

TEST(highest_seq_of_all_does_not_wrap)
{
    struct mini_net *net = *state;
    start(net);

    mini_tell(net, MINI_B, "t", mini_batch(ghost, TULLE__SEQ_MAX, 1, NULL, 0));
    mini_run(net, 3000);
    mini_tell(net, MINI_B, "t", mini_batch(ghost, TULLE__SEQ_MAX, 1, NULL, 0));
    mini_tell(net, MINI_B, "t", mini_batch(ghost, 1, 1, NULL, 0));

    assert_string_equal(mini_log(net, MINI_B),
                        "gap(ghost/t 1-9223372036854775806 unreachable) 9223372036854775807 ");
    assert_int_equal(mini_counters(net, MINI_B).events_duplicate, 2);
    assert_still_works(net);
}

TEST(circle_of_dependencies_is_given_up)
{
    struct mini_net *net = *state;
    start(net);
    struct tulle__dep on_accomplice = { accomplice, mini_text("t"), 1 };
    struct tulle__dep on_ghost = { ghost, mini_text("t"), 1 };

    mini_tell(net, MINI_B, "t", mini_batch(ghost, 1, 1, &on_accomplice, 1));
    mini_tell(net, MINI_B, "t", mini_batch(accomplice, 1, 1, &on_ghost, 1));
    mini_run(net, 1000);
    assert_string_equal(mini_log(net, MINI_B), "");
    assert_still_works(net);
    net->nodes[MINI_B].log[0] = '\0';
    mini_run(net, 20000);

    assert_string_equal(mini_log(net, MINI_B), "1 1 ");
    assert_true(mini_counters(net, MINI_B).deps_given_up > 0);
    assert_still_works(net);
}

TEST(batch_that_depends_on_itself_is_delivered)
{
    struct mini_net *net = *state;
    start(net);
    struct tulle__dep on_itself = { ghost, mini_text("t"), 100 };

    mini_tell(net, MINI_B, "t", mini_batch(ghost, 1, 1, &on_itself, 1));

    assert_string_equal(mini_log(net, MINI_B), "1 ");
}

TEST(dependency_on_ones_own_events_that_never_were_is_met)
{
    struct mini_net *net = *state;
    start(net);
    struct tulle__dep on_us = { mini_id(net, MINI_B), mini_text("t"), TULLE__SEQ_MAX };

    mini_tell(net, MINI_B, "t", mini_batch(ghost, 1, 1, &on_us, 1));
    mini_publish(net, MINI_B, "t", "own");
    mini_run(net, 500);

    assert_string_equal(mini_log(net, MINI_B), "1 ");
    assert_still_works(net);
}

TEST(dependency_on_a_node_that_never_was_ends_in_a_gap)
{
    struct mini_net *net = *state;
    start(net);
    struct tulle__dep dep = { TULLE__NODE_ID_MIN + 99, mini_text("t"), 1000 };

    mini_tell(net, MINI_B, "t", mini_batch(ghost, 1, 1, &dep, 1));
    mini_run(net, 5000);

    assert_string_equal(mini_log(net, MINI_B), "gap(/t 1-1000 unreachable) 1 ");
    assert_still_works(net);
}

TEST(acknowledgement_of_what_was_never_sent_is_ignored)
{
    struct mini_net *net = *state;
    start(net);
    struct tulle__dep ack = { mini_id(net, MINI_B), mini_text("t"), TULLE__SEQ_MAX };
    struct tulle__view take = { (const uint8_t *)"t", 2 };
    struct tulle__beat_out beat = { .id = ghost,
                                    .counter = 5,
                                    .self = { .takes = &take, .take_count = 1, .takes_version = 9 },
                                    .has_takes = true,
                                    .acks = &ack,
                                    .ack_count = 1 };
    mini_tell_beat(net, MINI_B, &beat);
    struct tulle__writer w;
    tulle__writer_init(&w);
    struct tulle__sync_out sync = { .self = { .name = "ghost", .takes_version = 9 } };
    sync.self.takes = &take;
    sync.self.take_count = 1;
    tulle__sync_encode(&w, &sync);
    mini_tell_control(
        net, MINI_B,
        &(struct tulle__control_header){
            .kind = TULLE__SYNC, .from = ghost, .to = mini_id(net, MINI_B), .counter = 2 },
        &w);
    tulle__writer_fini(&w);

    mini_publish(net, MINI_B, "t", "1");

    assert_false(tulle__engine_is_acknowledged(net->nodes[MINI_B].engine));
}

TEST(our_own_id_from_outside_is_dropped)
{
    struct mini_net *net = *state;
    start(net);
    uint64_t us = mini_id(net, MINI_B);
    uint64_t before = mini_counters(net, MINI_B).dropped_loop;

    mini_tell(net, MINI_B, "t", mini_batch(us, 1, 1, NULL, 0));
    mini_tell_beat(net, MINI_B, &(struct tulle__beat_out){ .id = us, .counter = 1000000 });

    assert_int_equal(mini_counters(net, MINI_B).dropped_loop - before, 2);
    assert_string_equal(mini_log(net, MINI_B), "");
}

TEST(neighbour_cannot_speak_as_another)
{
    struct mini_net *net = *state;
    start(net);
    struct tulle__writer header;
    tulle__writer_init(&header);
    tulle__header_encode(&header, &(struct tulle__control_header){ .kind = TULLE__SYNC,
                                                                   .mesh = mini_text("mini"),
                                                                   .from = mini_id(net, MINI_A),
                                                                   .counter = 1 });
    uint64_t before = mini_counters(net, MINI_B).dropped_malformed;
    struct tulle__buf *body = tulle__buf_copy("", 0);

    tulle__engine_on_control(net->nodes[MINI_B].engine, ghost,
                             (struct tulle__view){ header.data, header.len }, body, net->now);
    mini_pump(net);

    assert_int_equal(mini_counters(net, MINI_B).dropped_malformed - before, 1);
    tulle__buf_unref(&body);
    tulle__writer_fini(&header);
}

TEST(answer_that_nobody_asked_for_is_dropped)
{
    struct mini_net *net = *state;
    start(net);
    struct tulle__here_lane_out lane = { .stream = mini_text("t"), .head = 1000, .first = 1 };
    struct tulle__here_out here = { .reply_to = 123456789,
                                    .self = { .name = "ghost" },
                                    .has_lanes = true,
                                    .lanes = &lane,
                                    .lane_count = 1 };
    struct tulle__writer w;
    tulle__writer_init(&w);
    uint64_t before = mini_counters(net, MINI_B).dropped_unwanted;

    tulle__here_encode(&w, &here);
    mini_tell_control(
        net, MINI_B,
        &(struct tulle__control_header){
            .kind = TULLE__HERE, .from = ghost, .to = mini_id(net, MINI_B), .counter = 3 },
        &w);
    tulle__writer_fini(&w);

    assert_int_equal(mini_counters(net, MINI_B).dropped_unwanted - before, 1);
    mini_tell(net, MINI_B, "t", mini_batch(ghost, 1, 1, NULL, 0));
    assert_string_equal(mini_log(net, MINI_B), "1 ");
}

TEST(beat_of_an_old_counter_is_ignored)
{
    struct mini_net *net = *state;
    start(net);
    mini_tell_beat(net, MINI_B, &(struct tulle__beat_out){ .id = ghost, .counter = 50 });
    struct tulle__head head = { .stream = mini_text("t"), .head = 5 };

    mini_tell_beat(
        net, MINI_B,
        &(struct tulle__beat_out){ .id = ghost, .counter = 50, .heads = &head, .head_count = 1 });
    mini_run(net, 2000);

    assert_int_equal(mini_counters(net, MINI_B).gaps, 0);
}

TEST(many_lanes_of_one_peer_stay_within_the_table)
{
    struct mini_net *net = *state;
    net->nodes[MINI_B].config.lanes_max = 20;
    start(net);
    char stream[] = "s00";

    for (int i = 0; i < 99; i++) {
        stream[1] = (char)('0' + i / 10);
        stream[2] = (char)('0' + i % 10);
        mini_tell(net, MINI_B, stream, mini_batch(ghost, 1, 1, NULL, 0));
    }

    assert_int_equal(mini_counters(net, MINI_B).lanes, 20);
    assert_int_equal(mini_counters(net, MINI_B).dropped_table_full, 79);
}

TEST(what_waits_for_a_start_stays_within_the_bound)
{
    struct mini_net *net = *state;
    net->nodes[MINI_B].config.held_bytes = 1000;
    start(net);

    for (uint64_t i = 0; i < 200; i++) /* from a node that will not answer a SYNC */
        mini_tell(net, MINI_B, "t", mini_batch(TULLE__NODE_ID_MIN + 77, 1 + 2 * i, 1, NULL, 0));

    assert_true(mini_counters(net, MINI_B).held_now <= 2000);
    assert_true(mini_counters(net, MINI_B).dropped_held_full > 100);
    assert_still_works(net);
}

TEST(time_far_ahead_is_clamped_and_counted)
{
    struct mini_net *net = *state;
    start(net);
    struct tulle__writer w;
    tulle__writer_init(&w);
    tulle__beat_encode(&w, &(struct tulle__beat_out){ .mesh = mini_text("mini"),
                                                      .id = ghost,
                                                      .counter = 5,
                                                      .hlc = UINT64_MAX,
                                                      .self = { .name = "ghost" } });

    mini_tell(net, MINI_B, "$beat", tulle__writer_take(&w));
    tulle__writer_fini(&w);

    assert_int_equal(mini_counters(net, MINI_B).clock_clamped, 1);
    assert_still_works(net);
}

int
main(void)
{
#define HOSTILE_TEST(name) cmocka_unit_test_setup_teardown(name, mini_setup, mini_teardown)
    const struct CMUnitTest tests[] = {
        HOSTILE_TEST(head_that_never_was_costs_a_gap_of_its_own_lane_only),
        HOSTILE_TEST(highest_seq_of_all_does_not_wrap),
        HOSTILE_TEST(circle_of_dependencies_is_given_up),
        HOSTILE_TEST(batch_that_depends_on_itself_is_delivered),
        HOSTILE_TEST(dependency_on_ones_own_events_that_never_were_is_met),
        HOSTILE_TEST(dependency_on_a_node_that_never_was_ends_in_a_gap),
        HOSTILE_TEST(acknowledgement_of_what_was_never_sent_is_ignored),
        HOSTILE_TEST(our_own_id_from_outside_is_dropped),
        HOSTILE_TEST(neighbour_cannot_speak_as_another),
        HOSTILE_TEST(answer_that_nobody_asked_for_is_dropped),
        HOSTILE_TEST(beat_of_an_old_counter_is_ignored),
        HOSTILE_TEST(many_lanes_of_one_peer_stay_within_the_table),
        HOSTILE_TEST(what_waits_for_a_start_stays_within_the_bound),
        HOSTILE_TEST(time_far_ahead_is_clamped_and_counted),
    };
    return cmocka_run_group_tests_name("delivery/hostile", tests, NULL, NULL);
}
