/* SPDX-License-Identifier: MPL-2.0 */

/* From recorded events to played ones: numbers, dependencies, names. */

#include "testkit.h"

#include "tools/play/play_map.h"

#include <string.h>

enum { SHOP = 0xa1, PAYMENT = 0xb2, OTHER = 0xc3, PLAYED = 0x1000 };

struct fixture {
    struct tulle__play_map *map;
    struct tulle__play_step step;
};

static int
begin(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){ 0 };
    *state = &fixture;
    return 0;
}

static int
end(void **state)
{
    struct fixture *f = *state;
    tulle__play_map_free(&f->map);
    return 0;
}

static tulle_event
event_of(uint64_t node, const char *stream, uint64_t seq, const tulle_clock_entry *clock)
{
    return (tulle_event){ .node = node,
                          .node_name = node == SHOP      ? "shop"
                                       : node == PAYMENT ? "payment"
                                                         : "",
                          .stream = stream,
                          .seq = seq,
                          .topic = stream,
                          .clock = clock,
                          .clock_count = clock != NULL };
}

/* A map whose nodes have met these two, or share one. */
static void
meet(struct fixture *f, const char *const *renames, size_t rename_count, size_t node_max)
{
    const tulle_event order = event_of(SHOP, "orders", 1, NULL);
    const tulle_event payment = event_of(PAYMENT, "payments", 1, NULL);
    f->map = tulle__play_map_new(renames, rename_count, node_max);
    assert_non_null(f->map);
    assert_true(tulle__play_map_meet(f->map, &order));
    assert_true(tulle__play_map_meet(f->map, &payment));
    assert_int_equal(tulle__play_map_nodes(f->map), node_max < 2 ? node_max : 2);
    for (size_t i = 0; i < tulle__play_map_nodes(f->map); i++)
        tulle__play_map_set_id(f->map, i, PLAYED + i);
}

static const tulle_publish_options *
play(struct fixture *f, const tulle_event *event)
{
    assert_int_equal(tulle__play_map_step(f->map, event, &f->step), TULLE__PLAY_OK);
    assert_true(tulle__play_map_done(f->map));
    return &f->step.options;
}

static const tulle_publish_options *
play_plain(struct fixture *f, uint64_t node, const char *stream, uint64_t seq)
{
    const tulle_event event = event_of(node, stream, seq, NULL);
    return play(f, &event);
}

static const tulle_publish_options *
play_after(struct fixture *f, const char *stream, uint64_t seq, uint64_t orders)
{
    const tulle_clock_entry clock = { SHOP, "orders", orders };
    const tulle_event event = event_of(PAYMENT, stream, seq, &clock);
    return play(f, &event);
}

static void
assert_after(const tulle_publish_options *options,
             uint64_t node,
             const char *stream,
             uint64_t count)
{
    assert_int_equal(options->after_count, 1);
    assert_int_equal(options->after[0].node, node);
    assert_string_equal(options->after[0].stream, stream);
    assert_int_equal(options->after[0].count, count);
}

TEST(numbers_are_those_of_what_was_played)
{
    struct fixture *f = *state;
    meet(f, NULL, 0, 16);
    (void)play_plain(f, SHOP, "orders", 3);
    (void)play_plain(f, SHOP, "orders", 4);
    (void)play_plain(f, SHOP, "orders", 7);
    assert_int_equal(play_after(f, "payments", 1, 2)->after_count, 0); /* before all of them */
    assert_after(play_after(f, "payments", 2, 3), PLAYED, "orders", 1);
    assert_after(play_after(f, "payments", 3, 5), PLAYED, "orders", 2); /* 5 was left out */
    assert_after(play_after(f, "payments", 4, 9), PLAYED, "orders", 3); /* so were 8 and 9 */
}

TEST(only_what_is_new_is_said)
{
    struct fixture *f = *state;
    meet(f, NULL, 0, 16);
    (void)play_plain(f, SHOP, "orders", 1);
    assert_after(play_after(f, "payments", 1, 1), PLAYED, "orders", 1);
    assert_int_equal(play_after(f, "payments", 2, 1)->after_count, 0);
    assert_false(f->step.options.only_causes);
    (void)play_plain(f, SHOP, "orders", 2);
    assert_after(play_after(f, "payments", 3, 2), PLAYED, "orders", 2);
    assert_false(f->step.options.only_causes);
}

TEST(what_depends_on_less_than_its_node_has_seen_stands_for_itself)
{
    struct fixture *f = *state;
    meet(f, NULL, 0, 16);
    (void)play_plain(f, SHOP, "orders", 1);
    (void)play_plain(f, SHOP, "orders", 2);
    (void)play_after(f, "payments", 1, 2);
    /* On another stream, with an older cause. */
    assert_after(play_after(f, "refunds", 1, 1), PLAYED, "orders", 1);
    assert_true(f->step.options.only_causes);
    /* The node counts as having seen no more than before. */
    const tulle_clock_entry clock[] = { { SHOP, "orders", 2 }, { PAYMENT, "refunds", 1 } };
    tulle_event event = event_of(PAYMENT, "payments", 2, clock);
    event.clock_count = 2;
    assert_int_equal(play(f, &event)->after_count, 0);
    assert_false(f->step.options.only_causes);
}

TEST(nodes_that_share_one_keep_their_lanes_and_what_they_depend_on)
{
    struct fixture *f = *state;
    meet(f, NULL, 0, 1);
    (void)play_plain(f, SHOP, "orders", 1);
    (void)play_plain(f, SHOP, "orders", 2);
    /* By itself it does not depend on orders, which its node has published. */
    (void)play_plain(f, PAYMENT, "payments", 1);
    assert_true(f->step.options.only_causes);
    assert_int_equal(f->step.options.after_count, 0);
    assert_after(play_after(f, "payments", 2, 1), PLAYED, "orders", 1);
    assert_true(f->step.options.only_causes);
    /* One that depends on all of it is as any other. */
    (void)play_after(f, "payments", 3, 2);
    assert_false(f->step.options.only_causes);
}

TEST(causes_have_new_names_or_none)
{
    struct fixture *f = *state;
    meet(f, NULL, 0, 16);
    (void)play_plain(f, SHOP, "orders", 5);
    const tulle_event_ref causes[] = { { SHOP, "orders", 4 },
                                       { SHOP, "orders", 5 },
                                       { 7, "x", 1 } };
    tulle_event event = event_of(PAYMENT, "payments", 1, NULL);
    event.causes = causes;
    event.cause_count = 3;
    const tulle_publish_options *options = play(f, &event);
    assert_int_equal(options->cause_count, 1);
    assert_int_equal(options->causes[0].node, PLAYED);
    assert_int_equal(options->causes[0].seq, 1);
    assert_int_equal(f->step.unknown_causes, 2);
}

TEST(renamed_topics_may_share_a_lane_or_part)
{
    static const char *const renames[] = { "a/x=b", "a=c/d", "=all" };
    struct fixture *f = *state;
    meet(f, renames, 3, 16);
    tulle_event event = event_of(SHOP, "a", 1, NULL);
    event.topic = "a/x/1";
    assert_int_equal(play(f, &event)->stream_levels, 1);
    assert_string_equal(f->step.topic, "b/1");
    event.seq = 2;
    event.topic = "a/y/1";
    assert_int_equal(play(f, &event)->stream_levels, 2);
    assert_string_equal(f->step.topic, "c/d/y/1");
    /* The second event of the recorded lane comes after the first, in whatever lane. */
    const tulle_clock_entry clock = { SHOP, "a", 2 };
    const tulle_event later = event_of(PAYMENT, "payments", 1, &clock);
    assert_int_equal(play(f, &later)->after_count, 2);
    assert_string_equal(f->step.topic, "all/payments");
    assert_int_equal(f->step.options.stream_levels, 2);
    event.topic = "a/x";
    (void)play(f, &event);
    assert_string_equal(f->step.topic, "b");

    static const char *const away[] = { "a=" };
    tulle__play_map_free(&f->map);
    meet(f, away, 1, 16);
    event.topic = "a";
    assert_int_equal(tulle__play_map_step(f->map, &event, &f->step), TULLE__PLAY_TOPIC);
}

TEST(the_next_round_comes_after_all_of_this_one)
{
    struct fixture *f = *state;
    meet(f, NULL, 0, 16);
    (void)play_plain(f, SHOP, "orders", 1);
    (void)play_after(f, "payments", 1, 1);
    tulle__play_map_again(f->map);
    assert_after(play_plain(f, SHOP, "orders", 1), PLAYED + 1, "payments", 1);
    assert_after(play_after(f, "payments", 1, 1), PLAYED, "orders", 2);
    assert_false(f->step.options.only_causes);
}

TEST(who_turns_up_later_is_played_by_those_that_run)
{
    struct fixture *f = *state;
    meet(f, NULL, 0, 16);
    (void)play_plain(f, OTHER, "others", 1);
    assert_true(f->step.node < 2);
    assert_int_equal(tulle__play_map_nodes(f->map), 2);
}

/* More holes than are remembered: what is older is taken for a little more than it was. */
TEST(holes_without_end_take_no_memory_without_end)
{
    enum { EVENTS = 70000 };
    struct fixture *f = *state;
    meet(f, NULL, 0, 16);
    for (uint64_t i = 1; i <= EVENTS; i++)
        (void)play_plain(f, SHOP, "orders", 2 * i);
    const tulle_publish_options *options = play_after(f, "payments", 1, 200);
    assert_int_equal(options->after_count, 1);
    assert_in_range(options->after[0].count, 100, EVENTS);
    assert_after(play_after(f, "payments", 2, 2 * EVENTS - 1), PLAYED, "orders", EVENTS - 1);
}

int
main(void)
{
#define MAP_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        MAP_TEST(numbers_are_those_of_what_was_played),
        MAP_TEST(only_what_is_new_is_said),
        MAP_TEST(what_depends_on_less_than_its_node_has_seen_stands_for_itself),
        MAP_TEST(nodes_that_share_one_keep_their_lanes_and_what_they_depend_on),
        MAP_TEST(causes_have_new_names_or_none),
        MAP_TEST(renamed_topics_may_share_a_lane_or_part),
        MAP_TEST(the_next_round_comes_after_all_of_this_one),
        MAP_TEST(who_turns_up_later_is_played_by_those_that_run),
        MAP_TEST(holes_without_end_take_no_memory_without_end),
    };
    return cmocka_run_group_tests_name("play map", tests, NULL, NULL);
}
