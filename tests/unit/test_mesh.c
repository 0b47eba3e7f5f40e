/* SPDX-License-Identifier: MPL-2.0 */

/* What tools make of a snapshot: labels, lag, rates, JSON; of hostile names too. */

#include "testkit.h"

#include "tools/common/mesh.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 2000, LIVE = 1, DEAD = 2 };

#define ID(n) (UINT64_C(0x0123456700000000) + ((uint64_t)(n) << 32))

static struct tulle__mesh mesh;
static struct tulle__text text;

static int
teardown(void **state)
{
    (void)state;
    tulle__mesh_fini(&mesh);
    tulle__text_free(&text);
    return 0;
}

static tulle_seen_node
node(unsigned n, const char *name, int life)
{
    return (tulle_seen_node){ .id = ID(n),
                              .name = name,
                              .address = "",
                              .state = life == LIVE ? TULLE_SEEN_UP : TULLE_SEEN_GONE,
                              .was_viewed = true,
                              .segment = 0 };
}

static const char *
said(void)
{
    tulle__text_char(&text, '\0');
    assert_false(text.has_failed);
    return text.bytes;
}

TEST(the_only_live_node_of_a_name_has_it_for_itself)
{
    (void)state;
    const tulle_seen_node nodes[] = {
        node(0, "a", DEAD), node(1, "a", LIVE), node(2, "b", LIVE), node(3, "b", LIVE),
        node(4, "", LIVE),  node(5, "c", DEAD), node(6, "d", DEAD), node(7, "d", DEAD),
    };
    const char *labels[] = { "a#01234567", "a", "b#01234569", "b#0123456a",
                             "#0123456b",  "c", "d#0123456d", "d#0123456e" };
    const tulle_snapshot s = { .nodes = nodes, .node_count = sizeof nodes / sizeof *nodes };
    assert_true(tulle__mesh_init(&mesh, &s));
    for (size_t i = 0; i < s.node_count; i++)
        assert_string_equal(mesh.nodes[i].label, labels[i]);
    tulle__mesh_put_label(&mesh, ID(2), "other", &text);
    tulle__text_char(&text, ' ');
    tulle__mesh_put_label(&mesh, ID(9), "gone", &text);
    tulle__text_char(&text, ' ');
    tulle__mesh_put_label(&mesh, ID(10), NULL, &text);
    assert_string_equal(said(), "b#01234569 gone#01234570 #01234571");
}

TEST(labels_hold_nothing_that_a_terminal_obeys)
{
    (void)state;
    const tulle_seen_node nodes[] = { node(0, "\033[2J\n\xc2\x9b\xff", LIVE) };
    const tulle_seen_segment segments[] = { { .name = "\033]0;x\a" } };
    const tulle_snapshot s = {
        .nodes = nodes, .node_count = 1, .segments = segments, .segment_count = 1
    };
    assert_true(tulle__mesh_init(&mesh, &s));
    assert_string_equal(mesh.nodes[0].label, "\\x1b[2J\\n\\xc2\\x9b\\xff");
    assert_string_equal(mesh.segments[0], "\\x1b]0;x\\x07");
}

TEST(segments_are_told_apart)
{
    (void)state;
    const tulle_seen_segment segments[] = {
        { .name = "left" }, { .name = "right" }, { .name = "left" }, { .name = "" }
    };
    const tulle_snapshot s = { .segments = segments, .segment_count = 4 };
    assert_true(tulle__mesh_init(&mesh, &s));
    assert_string_equal(mesh.segments[0], "left#1");
    assert_string_equal(mesh.segments[1], "right");
    assert_string_equal(mesh.segments[2], "left#3");
    assert_string_equal(mesh.segments[3], "#4");
    assert_string_equal(tulle__mesh_segment(&mesh, SIZE_MAX), "-");
}

TEST(lag_is_the_sum_over_lanes_and_never_negative)
{
    (void)state;
    const tulle_seen_node nodes[] = { node(0, "a", LIVE), node(1, "b", LIVE) };
    const tulle_seen_taker first[] = { { ID(1), 7 }, { ID(5), 0 } };
    const tulle_seen_taker second[] = { { ID(1), 9 } };
    const tulle_seen_lane lanes[] = {
        { .node = ID(0),
          .node_name = "a",
          .stream = "x",
          .head = 10,
          .takers = first,
          .taker_count = 2 },
        { .node = ID(0),
          .node_name = "a",
          .stream = "y",
          .head = 8,
          .takers = second,
          .taker_count = 1 },
    };
    const tulle_snapshot s = { .nodes = nodes, .node_count = 2, .lanes = lanes, .lane_count = 2 };
    assert_true(tulle__mesh_init(&mesh, &s));
    assert_int_equal(mesh.nodes[0].lane_count, 2);
    assert_int_equal(mesh.nodes[1].taken_count, 2);
    assert_int_equal(mesh.nodes[1].lag, 3);
}

TEST(rates_go_by_the_time_of_the_node_that_tells)
{
    (void)state;
    tulle_seen_node before[] = { node(0, "a", LIVE) };
    tulle_seen_node after[] = { node(0, "a", LIVE) };
    const tulle_snapshot old = { .nodes = before, .node_count = 1 };
    const tulle_snapshot new = { .nodes = after, .node_count = 1 };
    size_t counter = offsetof(tulle_seen_counters, events_published);
    assert_true(tulle__mesh_rate(&old, &new, ID(0), counter) < 0);
    before[0].has_counters = after[0].has_counters = true;
    assert_true(tulle__mesh_rate(&old, &new, ID(0), counter) < 0);
    before[0].counters = (tulle_seen_counters){ .events_published = 10, .uptime_ms = 1000 };
    after[0].counters = (tulle_seen_counters){ .events_published = 60, .uptime_ms = 1500 };
    assert_true(tulle__mesh_rate(&old, &new, ID(0), counter) == 100.0);
    assert_true(tulle__mesh_rate(&old, &new, ID(1), counter) < 0);
}

static void
put_more(void *ctx, size_t index, struct tulle__text *out)
{
    (void)ctx;
    tulle__text_format(out, ",\"more\":%zu", index);
}

TEST(json_is_valid_whatever_names_are)
{
    (void)state;
    tulle_seen_node nodes[] = { node(0, "\"\\\n\xff", LIVE), node(1, "p", LIVE) };
    const tulle_seen_link links[] = { { .segment = 0, .name = "\"", .address = "tcp://a tcp://b" },
                                      { .segment = SIZE_MAX, .name = "", .address = "" } };
    const char *takes[] = { "\"", "**" };
    nodes[0].takes = takes;
    nodes[0].take_count = 2;
    nodes[0].has_counters = true;
    nodes[1].is_proxy = true;
    nodes[1].links = links;
    nodes[1].link_count = 2;
    const uint64_t ids[] = { ID(0), ID(1) };
    const tulle_seen_segment segments[] = { { .name = "s", .nodes = ids, .node_count = 2 } };
    const tulle_seen_taker takers[] = { { ID(1), 1 } };
    const tulle_seen_holder holders[] = { { ID(8), 1, 2 } };
    const tulle_seen_lane lanes[] = { { .node = ID(9),
                                        .node_name = "was",
                                        .stream = "\"",
                                        .head = 2,
                                        .takers = takers,
                                        .taker_count = 1,
                                        .holders = holders,
                                        .holder_count = 1 } };
    const tulle_snapshot s = { .nodes = nodes,
                               .node_count = 2,
                               .lanes = lanes,
                               .lane_count = 1,
                               .segments = segments,
                               .segment_count = 1,
                               .pending = 1 };
    assert_true(tulle__mesh_init(&mesh, &s));
    tulle__mesh_json(&mesh, put_more, NULL, &text);
    json_t *root = json_loads(said(), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    json_t *second = json_array_get(json_object_get(root, "nodes"), 1);
    json_t *lane = json_array_get(json_object_get(root, "lanes"), 0);
    json_t *segment = json_array_get(json_object_get(root, "segments"), 0);
    json_t *link = json_array_get(json_object_get(second, "links"), 0);
    assert_true(json_is_false(json_object_get(root, "complete")));
    assert_int_equal(json_integer_value(json_object_get(second, "more")), 1);
    assert_int_equal(json_array_size(json_object_get(link, "addresses")), 2);
    assert_string_equal(json_string_value(json_object_get(lane, "name")), "was");
    assert_int_equal(json_array_size(json_object_get(lane, "takers")), 1);
    assert_int_equal(json_array_size(json_object_get(segment, "nodes")), 1);
    assert_int_equal(json_array_size(json_object_get(segment, "proxies")), 1);
    json_decref(root);
}

TEST(thousands_of_nodes_of_one_name_are_labelled)
{
    (void)state;
    tulle_seen_node *nodes = calloc(MANY, sizeof *nodes);
    assert_non_null(nodes);
    for (unsigned i = 0; i < MANY; i++)
        nodes[i] = node(i, "same", LIVE);
    const tulle_snapshot s = { .nodes = nodes, .node_count = MANY };
    assert_true(tulle__mesh_init(&mesh, &s));
    assert_string_equal(mesh.nodes[MANY - 1].label, "same#01234d36");
    free(nodes);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_only_live_node_of_a_name_has_it_for_itself, teardown),
        cmocka_unit_test_teardown(labels_hold_nothing_that_a_terminal_obeys, teardown),
        cmocka_unit_test_teardown(segments_are_told_apart, teardown),
        cmocka_unit_test_teardown(lag_is_the_sum_over_lanes_and_never_negative, teardown),
        cmocka_unit_test_teardown(rates_go_by_the_time_of_the_node_that_tells, teardown),
        cmocka_unit_test_teardown(json_is_valid_whatever_names_are, teardown),
        cmocka_unit_test_teardown(thousands_of_nodes_of_one_name_are_labelled, teardown),
    };
    return cmocka_run_group_tests_name("unit/mesh", tests, NULL, NULL);
}
