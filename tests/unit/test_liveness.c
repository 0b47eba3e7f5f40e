/* SPDX-License-Identifier: MPL-2.0 */
/* Every wait ends, and what is kept has a bound, whatever a peer says; and what is
 * taken anew does not come after its effects. */

#include "codec/view.h"
#include "mini_net.h"

#include <string.h>

static const uint64_t ghost = TULLE__NODE_ID_MIN + 7;
static const uint64_t accomplice = TULLE__NODE_ID_MIN + 8;

/* a publishes, b takes the pattern and has met two ghosts. */
static void
start(struct mini_net *net, const char *pattern, tulle_order order)
{
    mini_start(net, 2);
    (void)mini_take_as(net, MINI_B, pattern,
                       &(tulle_subscribe_options){ .order = order, .from = TULLE_FROM_LIVE });
    mini_run(net, 500);
    mini_meet_ghost(net, MINI_B, ghost);
    mini_meet_ghost(net, MINI_B, accomplice);
}

/* Events of a ghost that leave a hole before each: more than are remembered. */
TEST(many_holes_in_arrival_order_and_then_one_before_them)
{
    struct mini_net *net = *state;
    start(net, "t", TULLE_ORDER_NONE);
    for (uint64_t i = 0; i < 64; i++)
        mini_tell(net, MINI_B, "t", mini_batch(ghost, 100 + 2 * i, 1, NULL, 0));
    net->nodes[MINI_B].log[0] = '\0';

    mini_tell(net, MINI_B, "t", mini_batch(ghost, 50, 1, NULL, 0));
    mini_tell(net, MINI_B, "t", mini_batch(ghost, 50, 1, NULL, 0));
    mini_tell(net, MINI_B, "t", mini_batch(ghost, 300, 1, NULL, 0));

    assert_string_equal(mini_log(net, MINI_B),
                        "gap(ghost/t 1-49 best-effort) 50 gap(ghost/t 51-99 best-effort) 300 ");
    assert_int_equal(mini_counters(net, MINI_B).events_duplicate, 1);
}

/* A ghost answers the SYNC that b sent last. */
static void
answer(struct mini_net *net, uint64_t id, uint64_t counter, const struct tulle__here_out *said)
{
    struct tulle__here_out here = *said;
    here.reply_to = net->ghost_counter[TULLE__SYNC];
    here.self.name = "ghost";
    struct tulle__writer w;
    tulle__writer_init(&w);
    tulle__here_encode(&w, &here);
    mini_tell_control(
        net, MINI_B,
        &(struct tulle__control_header){
            .kind = TULLE__HERE, .from = id, .to = mini_id(net, MINI_B), .counter = counter },
        &w);
    tulle__writer_fini(&w);
}

static void
say_hello(struct mini_net *net, uint64_t id, const char *address)
{
    struct tulle__self_out self = { .name = "ghost",
                                    .control_addresses = &address,
                                    .control_address_count = 1,
                                    .event_addresses = &address,
                                    .event_address_count = 1 };
    mini_tell_beat(
        net, MINI_B,
        &(struct tulle__beat_out){ .id = id, .counter = 1, .self = self, .has_self = true });
}

/* ---- waits ---- */

TEST(circle_that_grows_is_given_up)
{
    struct mini_net *net = *state;
    start(net, "**", TULLE_ORDER_CAUSAL);
    struct tulle__dep on_accomplice = { accomplice, mini_text("t"), 1 };
    struct tulle__dep on_ghost = { ghost, mini_text("t"), 1 };

    mini_tell(net, MINI_B, "t", mini_batch(ghost, 1, 1, &on_accomplice, 1));
    mini_tell(net, MINI_B, "t", mini_batch(accomplice, 1, 1, &on_ghost, 1));
    for (uint64_t seq = 2; seq < 60; seq++) {
        mini_run(net, 500);
        mini_tell(net, MINI_B, "t", mini_batch(ghost, seq, 1, NULL, 0));
        mini_tell(net, MINI_B, "t", mini_batch(accomplice, seq, 1, NULL, 0));
    }

    assert_true(mini_counters(net, MINI_B).deps_given_up > 0);
    assert_int_equal(mini_counters(net, MINI_B).events_delivered, 118);
}

TEST(many_that_wait_for_a_circle_go_on_with_it)
{
    struct mini_net *net = *state;
    start(net, "**", TULLE_ORDER_CAUSAL);
    struct tulle__dep on_accomplice = { accomplice, mini_text("t"), 1 };
    struct tulle__dep on_ghost = { ghost, mini_text("t"), 1 };
    char stream[] = "x0";

    mini_tell(net, MINI_B, "t", mini_batch(ghost, 1, 1, &on_accomplice, 1));
    mini_tell(net, MINI_B, "t", mini_batch(accomplice, 1, 1, &on_ghost, 1));
    for (; stream[1] <= '9'; stream[1]++)
        mini_tell(net, MINI_B, stream, mini_batch(ghost, 1, 1, &on_ghost, 1));
    mini_run(net, 20000);

    assert_int_equal(mini_counters(net, MINI_B).deps_given_up, 1);
    assert_int_equal(mini_counters(net, MINI_B).events_delivered, 12);
}

TEST(citation_of_what_was_never_published_is_given_up)
{
    struct mini_net *net = *state;
    start(net, "**", TULLE_ORDER_CAUSAL);
    mini_publish(net, MINI_A, "t", "real");
    struct tulle__dep lie = { mini_id(net, MINI_A), mini_text("t"), 5 };

    mini_tell(net, MINI_B, "t", mini_batch(ghost, 1, 1, &lie, 1));
    mini_run(net, 3000);
    assert_string_equal(mini_log(net, MINI_B), "real ");
    mini_run(net, 17000);

    assert_string_equal(mini_log(net, MINI_B), "real 1 ");
    assert_int_equal(mini_counters(net, MINI_B).deps_given_up, 1);
    mini_publish(net, MINI_A, "t", "too"); /* and the lane that was lied about is whole */
    assert_string_equal(mini_log(net, MINI_B), "real 1 too ");
}

TEST(range_that_finds_no_room_is_not_asked_for_again_at_once)
{
    struct mini_net *net = *state;
    net->nodes[MINI_A].config.retain_others_bytes = 0;
    net->nodes[MINI_B].config.held_bytes = 500;
    mini_start(net, 2);
    (void)mini_take(net, MINI_A, "s");
    (void)mini_take(net, MINI_B, "**");
    mini_run(net, 500);
    mini_meet_ghost(net, MINI_A, accomplice);
    mini_meet_ghost(net, MINI_B, ghost);
    mini_meet_ghost(net, MINI_B, accomplice); /* it is there, and silent when asked */
    struct tulle__dep unmet = { accomplice, mini_text("s"), 1 };
    char stream[] = "x00";
    for (; mini_counters(net, MINI_B).dropped_held_full == 0; stream[2]++)
        mini_tell(net, MINI_B, stream, mini_batch(ghost, 1, 1, &unmet, 1));
    mini_tell(net, MINI_A, "s", mini_batch(accomplice, 1, 1, NULL, 0));
    mini_publish(net, MINI_A, "t", "effect");
    uint32_t before = (uint32_t)mini_counters(net, MINI_B).fetches_sent;

    mini_run(net, 500);

    assert_in_range(mini_counters(net, MINI_B).fetches_sent - before, 1, 10);
    mini_run(net, 3000);
    assert_int_equal(mini_counters(net, MINI_B).held_now, 0);
}

/* ---- memory ---- */

TEST(batches_that_overlap_stay_within_the_bound)
{
    struct mini_net *net = *state;
    net->nodes[MINI_B].config.held_bytes = 1000;
    start(net, "**", TULLE_ORDER_CAUSAL);
    struct tulle__dep unmet = { accomplice, mini_text("s"), 1 };

    for (uint32_t count = 1; count < 100; count++)
        mini_tell(net, MINI_B, "t", mini_batch(ghost, 1, count, &unmet, 1));

    assert_true(mini_counters(net, MINI_B).held_now <= 2000);
    assert_true(mini_counters(net, MINI_B).dropped_held_full > 50);
    mini_run(net, 3000);
    assert_true(mini_counters(net, MINI_B).events_delivered > 0);
    assert_int_equal(mini_counters(net, MINI_B).held_now, 0);
}

/* Answers that name more nodes than the table of b has room for. */
static void
name_many(struct mini_net *net, uint64_t id, const char *first_address)
{
    struct tulle__known_out known[12];
    for (size_t i = 0; i < 12; i++)
        known[i] = (struct tulle__known_out){ .id = TULLE__NODE_ID_MIN + 1000 + i, .name = "n" };
    known[0].control_addresses = known[0].event_addresses = &first_address;
    known[0].control_address_count = known[0].event_address_count = 1;
    answer(net, id, 2,
           &(struct tulle__here_out){ .has_lanes = true, .peers = known, .peer_count = 12 });
}

TEST(answer_of_one_that_left_is_dropped)
{
    struct mini_net *net = *state;
    net->nodes[MINI_B].config.peers_max = 5;
    mini_start(net, 2);
    say_hello(net, ghost, "ghost");
    mini_run(net, 10);
    mini_tell_beat(net, MINI_B,
                   &(struct tulle__beat_out){ .id = ghost, .counter = 2, .is_leaving = true });
    mini_run(net, 10);
    uint64_t before = mini_counters(net, MINI_B).dropped_unwanted;

    name_many(net, ghost, "nowhere");

    assert_int_equal(mini_counters(net, MINI_B).dropped_unwanted - before, 1);
    assert_int_equal(mini_counters(net, MINI_B).peers_up, 1);
}

TEST(address_that_is_hung_up_outlives_its_action)
{
    struct mini_net *net = *state;
    net->nodes[MINI_B].config.peers_max = 5;
    mini_start(net, 2);
    say_hello(net, ghost, "ghost");
    mini_run(net, 1500);
    assert_string_equal(net->nodes[MINI_B].peers, "up(a) up(ghost) suspect(ghost) gone(ghost) ");
    net->lost[MINI_B][MINI_A] = MINI_BEATS; /* or a asks for those whom b knows, too */
    say_hello(net, accomplice, "other");
    mini_run(net, 10);

    name_many(net, accomplice, "ghost"); /* somebody has its address now, and it is forgotten */

    assert_int_equal(mini_counters(net, MINI_B).peers_up, 2);
    assert_true(mini_counters(net, MINI_B).dropped_table_full > 0);
}

/* One that is gone is dialed anew and cannot be, as somebody who lives has its address, at about
 * the time when it is forgotten. */
static void
forget_while_dialing(struct mini_net *net, uint64_t retain_ms)
{
    struct mini_node *b = &net->nodes[MINI_B];
    b->config.retain_ms = retain_ms;
    mini_start_one(net, MINI_B, MINI_B);
    say_hello(net, ghost, "ghost");
    mini_run(net, 10);
    tulle__engine_found(b->engine, accomplice, "ghost", net->now);
    for (int i = 0; i < 30; i++) {
        mini_run(net, 100);
        if (i < 11)
            continue;
        struct tulle__writer w;
        tulle__writer_init(&w);
        tulle__look_encode(&w, &(struct tulle__look){ .wants_lists = false });
        mini_tell_control(
            net, MINI_B,
            &(struct tulle__control_header){
                .kind = TULLE__LOOK, .from = accomplice, .to = mini_id(net, MINI_B), .hops = 1 },
            &w);
        tulle__writer_fini(&w);
    }
    assert_int_equal(mini_counters(net, MINI_B).peers_up, 1);
}

TEST(address_of_one_that_is_forgotten_outlives_its_action)
{
    (void)state;
    for (uint64_t retain_ms = 50; retain_ms <= 600; retain_ms += 5) {
        void *net = NULL;
        assert_int_equal(mini_setup(&net), 0);
        forget_while_dialing(net, retain_ms);
        assert_int_equal(mini_teardown(&net), 0);
    }
}

TEST(lanes_of_those_that_left_are_forgotten)
{
    struct mini_net *net = *state;
    net->nodes[MINI_B].config.retain_ms = 1000;
    mini_start(net, 3);
    (void)mini_take(net, MINI_B, "**");
    for (int i = 0; i < 5; i++) {
        mini_run(net, 500);
        mini_publish(net, MINI_A, "t", "1");
        mini_publish(net, MINI_A, "u", "2");
        mini_leave(net, MINI_A);
        mini_start_one(net, MINI_A, MINI_C);
    }
    assert_string_equal(mini_log(net, MINI_B), "1 2 1 2 1 2 1 2 1 2 ");
    assert_int_equal(mini_counters(net, MINI_B).lanes, 10);

    mini_run(net, 20000);

    assert_int_equal(mini_counters(net, MINI_B).lanes, 0);
    mini_publish(net, MINI_A, "t", "3");
    assert_string_equal(mini_log(net, MINI_B), "1 2 1 2 1 2 1 2 1 2 3 ");
}

static void
part_for_long(struct mini_net *net, const char *missed)
{
    net->nodes[MINI_A].config.retain_ms = 1000;
    net->nodes[MINI_B].config.retain_ms = 1000;
    mini_start(net, 2);
    (void)mini_take(net, MINI_B, "**");
    mini_run(net, 500);
    mini_publish(net, MINI_A, "t", "1");
    mini_lose(net, MINI_A, MINI_B, MINI_ALL);
    mini_lose(net, MINI_B, MINI_A, MINI_ALL);
    mini_run(net, 1000);
    if (missed != NULL)
        mini_publish(net, MINI_A, "t", missed);
    mini_run(net, 30000);
    assert_int_equal(mini_counters(net, MINI_B).lanes, 1);
    mini_heal(net, MINI_A, MINI_B);
    mini_heal(net, MINI_B, MINI_A);
    mini_run(net, 10000);
    assert_int_equal(tulle__engine_taker_count(net->nodes[MINI_A].engine, mini_text("t")), 1);
}

TEST(one_that_was_away_for_long_is_told_what_it_missed)
{
    struct mini_net *net = *state;
    part_for_long(net, "2");

    mini_publish(net, MINI_A, "t", "3");
    mini_run(net, 1000);

    assert_string_equal(mini_log(net, MINI_B), "1 gap(a/t 2-2 evicted) 3 ");
    assert_true(tulle__engine_is_acknowledged(net->nodes[MINI_A].engine));
}

TEST(one_that_was_away_for_long_and_missed_nothing_says_so)
{
    struct mini_net *net = *state;
    part_for_long(net, NULL);

    assert_true(tulle__engine_is_acknowledged(net->nodes[MINI_A].engine));
    assert_string_equal(mini_log(net, MINI_B), "1 ");
}

/* Only one of the two forgets the other. */
TEST(one_that_was_forgotten_counts_again)
{
    struct mini_net *net = *state;
    net->nodes[MINI_A].config.retain_ms = 1000;
    mini_start(net, 2);
    (void)mini_take(net, MINI_B, "**");
    mini_run(net, 500);
    mini_lose(net, MINI_A, MINI_B, MINI_ALL);
    mini_lose(net, MINI_B, MINI_A, MINI_ALL);
    mini_run(net, 30000);
    mini_heal(net, MINI_A, MINI_B);
    mini_heal(net, MINI_B, MINI_A);
    mini_run(net, 5000);

    assert_int_equal(tulle__engine_taker_count(net->nodes[MINI_A].engine, mini_text("t")), 1);
}

/* ---- order ---- */

TEST(clock_of_a_start_outlives_a_gap)
{
    struct mini_net *net = *state;
    mini_start(net, 2);
    (void)mini_take(net, MINI_A, "t"); /* it is asked, and has nothing */
    (void)mini_take(net, MINI_B, "**");
    mini_run(net, 500);
    mini_meet_ghost(net, MINI_B, accomplice);
    say_hello(net, ghost, "ghost");
    mini_run(net, 10);
    struct tulle__dep past = { accomplice, mini_text("s"), 1 };
    struct tulle__here_lane_out lane = {
        .stream = mini_text("t"), .head = 5, .first = 6, .clock = &past, .clock_count = 1
    };
    answer(net, ghost, 2,
           &(struct tulle__here_out){ .has_lanes = true, .lanes = &lane, .lane_count = 1 });
    mini_tell(net, MINI_B, "t", mini_batch(ghost, 7, 1, NULL, 0));
    mini_tell_beat(net, MINI_B,
                   &(struct tulle__beat_out){ .id = ghost, .counter = 2, .is_leaving = true });

    mini_run(net, 300);
    assert_string_equal(mini_log(net, MINI_B), "gap(ghost/t 6-6 evicted) ");
    mini_tell(net, MINI_B, "s", mini_batch(accomplice, 1, 1, NULL, 0));

    assert_string_equal(mini_log(net, MINI_B), "gap(ghost/t 6-6 evicted) 1 7 ");
}

TEST(stricter_order_holds_for_all_that_was_passed_over)
{
    struct mini_net *net = *state;
    start(net, "t", TULLE_ORDER_FIFO);
    (void)mini_take(net, MINI_B, "s");
    mini_meet_ghost(net, MINI_B, ghost);
    mini_meet_ghost(net, MINI_B, accomplice);
    struct tulle__dep dep = { accomplice, mini_text("s"), 8 };
    mini_tell(net, MINI_B, "s", mini_batch(accomplice, 1, 7, NULL, 0));
    mini_tell(net, MINI_B, "t", mini_batch(ghost, 1, 1, &dep, 1));
    assert_string_equal(mini_log(net, MINI_B), "1 2 3 4 5 6 7 1 ");
    net->nodes[MINI_B].log[0] = '\0';

    (void)mini_take(net, MINI_B, "t");
    mini_tell(net, MINI_B, "t", mini_batch(ghost, 2, 1, NULL, 0));
    assert_string_equal(mini_log(net, MINI_B), "");
    mini_tell(net, MINI_B, "s", mini_batch(accomplice, 8, 1, NULL, 0));

    assert_string_equal(mini_log(net, MINI_B), "8 2 ");
}

TEST(history_that_is_taken_later_still_comes_before_its_effects)
{
    struct mini_net *net = *state;
    start(net, "t", TULLE_ORDER_CAUSAL);
    struct tulle__dep dep = { accomplice, mini_text("s"), 1 };
    mini_tell(net, MINI_B, "t", mini_batch(ghost, 1, 1, &dep, 1));
    assert_string_equal(mini_log(net, MINI_B), "1 ");
    net->nodes[MINI_B].log[0] = '\0';

    (void)mini_take_as(
        net, MINI_B, "s",
        &(tulle_subscribe_options){ .order = TULLE_ORDER_CAUSAL, .from = TULLE_FROM_EARLIEST });
    mini_tell(net, MINI_B, "t", mini_batch(ghost, 2, 1, NULL, 0));
    assert_string_equal(mini_log(net, MINI_B), "");
    mini_meet_ghost(net, MINI_B, accomplice);
    mini_tell(net, MINI_B, "s", mini_batch(accomplice, 1, 1, NULL, 0));

    assert_string_equal(mini_log(net, MINI_B), "1 2 ");
}

TEST(stream_that_was_taken_as_it_came_still_comes_before_its_effects)
{
    struct mini_net *net = *state;
    start(net, "t", TULLE_ORDER_CAUSAL);
    (void)mini_take_as(
        net, MINI_B, "s",
        &(tulle_subscribe_options){ .order = TULLE_ORDER_NONE, .from = TULLE_FROM_LIVE });
    mini_meet_ghost(net, MINI_B, ghost);
    mini_meet_ghost(net, MINI_B, accomplice);
    struct tulle__dep dep = { accomplice, mini_text("s"), 1 };
    mini_tell(net, MINI_B, "t", mini_batch(ghost, 1, 1, &dep, 1));
    assert_string_equal(mini_log(net, MINI_B), "1 ");
    net->nodes[MINI_B].log[0] = '\0';

    (void)mini_take(net, MINI_B, "s");
    mini_meet_ghost(net, MINI_B, accomplice);
    mini_tell(net, MINI_B, "t", mini_batch(ghost, 2, 1, NULL, 0));
    assert_string_equal(mini_log(net, MINI_B), "");
    mini_tell(net, MINI_B, "s", mini_batch(accomplice, 1, 1, NULL, 0));

    assert_string_equal(mini_log(net, MINI_B), "arrived(1) 1 2 ");
}

int
main(void)
{
#define LIVENESS_TEST(name) cmocka_unit_test_setup_teardown(name, mini_setup, mini_teardown)
    const struct CMUnitTest tests[] = {
        LIVENESS_TEST(circle_that_grows_is_given_up),
        LIVENESS_TEST(many_that_wait_for_a_circle_go_on_with_it),
        LIVENESS_TEST(citation_of_what_was_never_published_is_given_up),
        LIVENESS_TEST(range_that_finds_no_room_is_not_asked_for_again_at_once),
        LIVENESS_TEST(many_holes_in_arrival_order_and_then_one_before_them),
        LIVENESS_TEST(batches_that_overlap_stay_within_the_bound),
        LIVENESS_TEST(answer_of_one_that_left_is_dropped),
        LIVENESS_TEST(address_that_is_hung_up_outlives_its_action),
        cmocka_unit_test(address_of_one_that_is_forgotten_outlives_its_action),
        LIVENESS_TEST(lanes_of_those_that_left_are_forgotten),
        LIVENESS_TEST(one_that_was_away_for_long_is_told_what_it_missed),
        LIVENESS_TEST(one_that_was_away_for_long_and_missed_nothing_says_so),
        LIVENESS_TEST(one_that_was_forgotten_counts_again),
        LIVENESS_TEST(clock_of_a_start_outlives_a_gap),
        LIVENESS_TEST(stricter_order_holds_for_all_that_was_passed_over),
        LIVENESS_TEST(history_that_is_taken_later_still_comes_before_its_effects),
        LIVENESS_TEST(stream_that_was_taken_as_it_came_still_comes_before_its_effects),
    };
    return cmocka_run_group_tests_name("delivery/liveness", tests, NULL, NULL);
}
