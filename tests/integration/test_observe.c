/* SPDX-License-Identifier: MPL-2.0 */

/* An observer sees the whole mesh, beyond proxies too, and takes no events for it. */

#include "integ_kit.h"

#include <string.h>

enum { EVENTS = 100, TWICE = 2 * EVENTS, SOON_MS = 2500 };

static const tulle_snapshot *shot;

static int
teardown(void **state)
{
    tulle_snapshot_free(&shot);
    return kit_teardown(state);
}

static const tulle_snapshot *
look(tulle_node *node)
{
    tulle_snapshot_free(&shot);
    assert_status(tulle_snapshot_new(node, &shot), TULLE_OK);
    return shot;
}

static tulle_node *
observer(const char *join)
{
    tulle_node_options options;
    kit_options(&options, "observer", &join);
    options.observe = true;
    return kit_start(&options);
}

/* What is looked up and is not there: unlike anything that is expected. */
static const tulle_seen_node no_node;
static const tulle_seen_lane no_lane;
static const tulle_seen_link no_link = { .segment = SIZE_MAX };

static const tulle_seen_node *
node_of(const tulle_snapshot *s, uint64_t id)
{
    const tulle_seen_node *node = tulle_snapshot_node(s, id);
    return node == NULL ? &no_node : node;
}

static const tulle_seen_lane *
lane_of(const tulle_snapshot *s, const char *stream, uint64_t node)
{
    for (size_t i = 0; i < s->lane_count; i++) {
        if (strcmp(s->lanes[i].stream, stream) == 0 && s->lanes[i].node == node)
            return &s->lanes[i];
    }
    return &no_lane;
}

static bool
has_taken(const tulle_seen_lane *lane, uint64_t node, uint64_t acked)
{
    for (size_t i = 0; i < lane->taker_count; i++) {
        if (lane->takers[i].node == node)
            return lane->takers[i].acked == acked;
    }
    return false;
}

static bool
is_held_by(const tulle_seen_lane *lane, uint64_t node, uint64_t first, uint64_t last)
{
    for (size_t i = 0; i < lane->holder_count; i++) {
        if (lane->holders[i].node == node)
            return lane->holders[i].first == first && lane->holders[i].last == last;
    }
    return false;
}

static const tulle_seen_link *
link_named(const tulle_seen_node *proxy, const char *name)
{
    for (size_t i = 0; i < proxy->link_count; i++) {
        if (strcmp(proxy->links[i].name, name) == 0)
            return &proxy->links[i];
    }
    return &no_link;
}

/* Three segments in a row, one node on each. */
struct row {
    tulle_node *near, *middle, *far;
    tulle_proxy *left, *right;
    tulle_subscription *at_middle, *at_far;
};

static void
make_row(struct row *r)
{
    r->near = kit_node("near", NULL);
    r->middle = kit_node("middle", NULL);
    r->far = kit_node("far", NULL);
    r->left = kit_proxy("left", tulle_node_address(r->near), tulle_node_address(r->middle));
    r->right = kit_proxy("right", tulle_node_address(r->middle), tulle_node_address(r->far));
    r->at_middle = kit_subscribe(r->middle, "far/**");
    r->at_far = kit_subscribe(r->far, "near/a/*");
    assert_status(tulle_node_wait_peers(r->near, "near", 1, KIT_DEADLINE_MS), TULLE_OK);
    assert_status(tulle_node_wait_peers(r->far, "far", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish_numbers(r->near, "near/a/b", 0, EVENTS);
    kit_publish_numbers(r->far, "far/x", 0, TWICE);
    kit_publish(r->middle, "nobody/takes/it", "x");
    kit_expect_numbers(r->at_far, "near/a/b", 0, EVENTS);
    kit_expect_numbers(r->at_middle, "far/x", 0, TWICE);
    assert_status(tulle_node_flush(r->near, KIT_DEADLINE_MS), TULLE_OK);
    assert_status(tulle_node_flush(r->far, KIT_DEADLINE_MS), TULLE_OK);
}

static void
expect_nodes(const struct row *r, const tulle_snapshot *s, const tulle_node *self)
{
    const tulle_seen_node *far = node_of(s, tulle_node_id(r->far));
    const tulle_seen_node *me = node_of(s, tulle_node_id(self));
    const tulle_seen_node *left = node_of(s, tulle_proxy_id(r->left));
    const tulle_seen_node *right = node_of(s, tulle_proxy_id(r->right));
    assert_true(me->is_self && me->segment == 0);
    assert_string_equal(far->name, "far");
    assert_string_equal(far->address, ""); /* dialed by nobody here */
    assert_int_equal(far->state, TULLE_SEEN_UP);
    assert_int_equal(far->hops, 2);
    assert_true(far->via == tulle_proxy_id(r->left));
    assert_true(far->has_round_trip && far->has_counters);
    assert_int_equal(far->beat_ms, KIT_BEAT_MS);
    assert_int_equal(far->take_count, 3);
    assert_int_equal(far->counters.events_published, TWICE);
    assert_int_equal(far->counters.events_delivered, EVENTS);
    assert_true(far->counters.bytes_delivered > 0 && far->counters.delay_p99_us > 0);
    assert_true(left->is_proxy && left->hops == 0 && left->link_count == 2);
    assert_true(right->is_proxy && right->hops == 1 && right->link_count == 2);
    assert_true(link_named(right, "left")->segment < s->segment_count);
    assert_int_equal(link_named(right, "left")->segment, link_named(left, "right")->segment);
    assert_int_equal(link_named(left, "left")->segment, 0);
    assert_int_equal(link_named(right, "right")->segment, far->segment);
    assert_int_equal(link_named(right, "right")->events_out, TWICE);
    assert_int_equal(link_named(right, "right")->events_in, EVENTS);
    assert_int_equal(s->segment_count, 3);
    assert_true(s->segments[0].has_self);
    assert_int_equal(s->segments[0].node_count, 3); /* with the proxy */
}

TEST(all_of_the_mesh_is_seen_soon_and_no_event_taken)
{
    (void)state;
    struct row r;
    make_row(&r);
    uint64_t near = tulle_node_id(r.near);
    uint64_t middle = tulle_node_id(r.middle);
    uint64_t far = tulle_node_id(r.far);
    int64_t begun_ms = kit_now_ms();
    tulle_node *self = observer(tulle_node_address(r.near));
    KIT_UNTIL(look(self)->node_count == 6 && shot->pending == 0);
    int64_t took_ms = kit_now_ms() - begun_ms;
    print_message("seen after %d ms\n", (int)took_ms);

    expect_nodes(&r, shot, self);
    assert_int_equal(shot->lane_count, 3);
    assert_int_equal(lane_of(shot, "near", near)->head, EVENTS);
    assert_int_equal(lane_of(shot, "far", far)->head, TWICE);
    assert_true(has_taken(lane_of(shot, "near", near), far, EVENTS));
    assert_true(has_taken(lane_of(shot, "far", far), middle, TWICE));
    assert_int_equal(lane_of(shot, "far", far)->taker_count, 1);
    assert_int_equal(lane_of(shot, "nobody", middle)->taker_count, 0);
    assert_true(is_held_by(lane_of(shot, "near", near), near, 1, EVENTS));
    assert_true(is_held_by(lane_of(shot, "near", near), far, 1, EVENTS));
    assert_false(is_held_by(lane_of(shot, "near", near), middle, 1, EVENTS));
    assert_int_equal(kit_counters(self).batches_received, 0);
    assert_in_range(took_ms, 0, SOON_MS);
}

/* What changes is seen as it does: beats tell. */
TEST(what_lags_and_who_goes_is_seen)
{
    (void)state;
    struct row r;
    make_row(&r);
    tulle_node *self = observer(tulle_node_address(r.near));
    uint64_t near = tulle_node_id(r.near);
    uint64_t far = tulle_node_id(r.far);
    KIT_UNTIL(look(self)->node_count == 6 && shot->pending == 0);
    kit_publish_numbers(r.near, "near/a/b", EVENTS, EVENTS);
    KIT_UNTIL(has_taken(lane_of(look(self), "near", near), far, TWICE));
    KIT_UNTIL(lane_of(look(self), "near", near)->head == TWICE);
    kit_free(&r.far);
    KIT_UNTIL(node_of(look(self), far)->state == TULLE_SEEN_LEFT);
    assert_int_equal(lane_of(shot, "near", near)->taker_count, 0);
    assert_int_equal(lane_of(shot, "far", far)->head, TWICE);
    kit_proxy_free(&r.right);
    KIT_UNTIL(look(self)->segment_count == 2);
}

TEST(who_does_not_observe_has_no_snapshot)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node_options options;
    kit_options(&options, "b", NULL);
    options.observe = true;
    tulle_node *b = kit_make(&options);
    const tulle_snapshot *none = NULL;
    assert_status(tulle_snapshot_new(a, &none), TULLE_EINVAL);
    assert_status(tulle_snapshot_new(b, &none), TULLE_ESTATE);
    assert_null(none);
    tulle_snapshot_free(&none);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(all_of_the_mesh_is_seen_soon_and_no_event_taken, teardown),
        cmocka_unit_test_teardown(what_lags_and_who_goes_is_seen, teardown),
        cmocka_unit_test_teardown(who_does_not_observe_has_no_snapshot, teardown),
    };
    return cmocka_run_group_tests_name("integration/observe", tests, NULL, NULL);
}
