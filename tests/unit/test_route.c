/* SPDX-License-Identifier: MPL-2.0 */

/* Ways over proxies: side by side, in a row, in a ring, and where there is none. And a graph of
 * very many nodes with hostile names. */

#include "testkit.h"

#include "tools/common/terminal.h"
#include "tools/graph/graph_print.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEGMENTS = 5, PROXIES = 6, MANY = 1000, NAME_LEN = 40, TAKERS = 20, COLUMNS = 80 };

static tulle_seen_segment segments[SEGMENTS];
static tulle_seen_link links[PROXIES][2];
static tulle_seen_node nodes[PROXIES];
static tulle_snapshot snapshot;
static struct tulle__mesh mesh;
static struct tulle__routes routes;
static struct tulle__route route;

static int
setup(void **state)
{
    (void)state;
    memset(nodes, 0, sizeof nodes);
    for (size_t i = 0; i < SEGMENTS; i++)
        segments[i] = (tulle_seen_segment){ .name = "" };
    snapshot = (tulle_snapshot){ .nodes = nodes, .segments = segments, .segment_count = SEGMENTS };
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    tulle__route_fini(&route);
    tulle__routes_fini(&routes);
    tulle__mesh_fini(&mesh);
    return 0;
}

static void
join(size_t left, size_t right, tulle_seen_state state)
{
    size_t i = snapshot.node_count++;
    links[i][0] = (tulle_seen_link){ .segment = left, .name = "", .address = "" };
    links[i][1] = (tulle_seen_link){ .segment = right, .name = "", .address = "" };
    nodes[i] = (tulle_seen_node){ .id = i + 1,
                                  .name = "p",
                                  .address = "",
                                  .state = state,
                                  .is_proxy = true,
                                  .links = links[i],
                                  .link_count = 2 };
}

static void
start(void)
{
    assert_true(tulle__mesh_init(&mesh, &snapshot));
    assert_true(tulle__routes_init(&routes, &mesh));
}

static void
expect_step(size_t index, uint32_t number, size_t proxy, size_t from, size_t to)
{
    const struct tulle__route_step *step = &route.steps[index];
    assert_int_equal(step->number, number);
    assert_int_equal(step->proxy, proxy);
    assert_int_equal(step->from, from);
    assert_int_equal(step->to, to);
}

static void
go(size_t from, size_t to, bool is_known, size_t steps)
{
    tulle__routes_find(&routes, from, to, &route);
    assert_false(routes.has_failed);
    assert_int_equal(route.is_known, is_known);
    assert_int_equal(route.step_count, steps);
}

TEST(a_row_is_passed_one_by_one)
{
    (void)state;
    join(1, 2, TULLE_SEEN_UP);
    join(0, 1, TULLE_SEEN_UP);
    join(2, 3, TULLE_SEEN_SUSPECT);
    start();
    go(0, 0, true, 0);
    go(0, 3, true, 3);
    expect_step(0, 0, 1, 0, 1);
    expect_step(1, 1, 0, 1, 2);
    expect_step(2, 2, 2, 2, 3);
    go(3, 1, true, 2);
    expect_step(0, 0, 2, 3, 2);
    expect_step(1, 1, 0, 2, 1);
    go(0, 4, false, 0);
    go(SIZE_MAX, 1, false, 0);
    go(1, SIZE_MAX, false, 0);
}

TEST(what_is_as_short_is_side_by_side)
{
    (void)state;
    join(0, 1, TULLE_SEEN_UP);
    join(0, 1, TULLE_SEEN_UP);
    join(1, 2, TULLE_SEEN_UP);
    join(0, 3, TULLE_SEEN_UP);
    join(3, 2, TULLE_SEEN_UP);
    join(0, 2, TULLE_SEEN_GONE); /* the short cut is gone */
    start();
    go(0, 1, true, 2);
    expect_step(0, 0, 0, 0, 1);
    expect_step(1, 0, 1, 0, 1);
    go(0, 2, true, 5);
    expect_step(0, 0, 0, 0, 1);
    expect_step(1, 0, 1, 0, 1);
    expect_step(2, 0, 3, 0, 3);
    expect_step(3, 1, 2, 1, 2);
    expect_step(4, 1, 4, 3, 2);
}

/* ---- the graph of a large mesh ---- */

static struct large {
    tulle_seen_node nodes[MANY];
    char names[MANY][NAME_LEN];
    tulle_seen_lane lanes[MANY];
    char streams[MANY][NAME_LEN];
    tulle_seen_taker takers[MANY][TAKERS];
} * large;

static const char *const all[] = { "**" };

static tulle_snapshot
make_large(void)
{
    large = calloc(1, sizeof *large);
    assert_non_null(large);
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(large->names[i], NAME_LEN, "n%04zu\"\\\n\033]0;x\a<b>|[]\xe2\x80\xae", i);
        (void)snprintf(large->streams[i], NAME_LEN, "s%04zu\"\\\n\033[2J{}#&;", i);
        large->nodes[i] = (tulle_seen_node){ .id = i + 1,
                                             .name = large->names[i],
                                             .address = "",
                                             .state = TULLE_SEEN_UP,
                                             .takes = all,
                                             .take_count = 1,
                                             .segment = i % SEGMENTS };
        for (size_t k = 0; k < TAKERS; k++)
            large->takers[i][k] = (tulle_seen_taker){ i % (MANY - TAKERS + 1) + k + 1, k };
        large->lanes[i] = (tulle_seen_lane){ .node = i + 1,
                                             .node_name = large->names[i],
                                             .stream = large->streams[i],
                                             .head = 5,
                                             .takers = large->takers[i],
                                             .taker_count = TAKERS };
    }
    /* Five segments in a row, by the first nodes. */
    for (size_t i = 0; i + 1 < SEGMENTS; i++) {
        join(i, i + 1, TULLE_SEEN_UP);
        large->nodes[i].is_proxy = true;
        large->nodes[i].links = links[i];
        large->nodes[i].link_count = 2;
    }
    return (tulle_snapshot){ .nodes = large->nodes,
                             .node_count = MANY,
                             .lanes = large->lanes,
                             .lane_count = MANY,
                             .segments = segments,
                             .segment_count = SEGMENTS };
}

static void
assert_harmless(const struct tulle__text *text, bool is_wrapped)
{
    size_t begin = 0;
    assert_false(text->has_failed);
    for (size_t i = 0; i < text->len; i++) {
        unsigned char c = (unsigned char)text->bytes[i];
        assert_true((c >= 0x20 && c != 0x7f) || c == '\n');
        if (c != '\n')
            continue;
        if (is_wrapped)
            assert_in_range(tulle__terminal_width(text->bytes + begin, i - begin), 0, COLUMNS);
        begin = i + 1;
    }
}

TEST(a_thousand_nodes_with_hostile_names_are_drawn)
{
    (void)state;
    tulle_snapshot s = make_large();
    struct tulle__graph_options options;
    tulle__graph_options_init(&options);
    struct tulle__graph graph = { .options = &options, .columns = COLUMNS, .is_ascii = true };
    struct tulle__text text = { 0 };
    assert_true(tulle__graph_init(&graph, &s));
    tulle__graph_text(&graph, &text);
    assert_harmless(&text, true);
    tulle__text_clear(&text);
    tulle__graph_chart(&graph, true, &text);
    assert_harmless(&text, false);
    tulle__text_clear(&text);
    tulle__graph_chart(&graph, false, &text);
    assert_harmless(&text, false);
    tulle__text_clear(&text);
    tulle__graph_json(&graph, &text);
    assert_harmless(&text, false);
    json_t *root = json_loadb(text.bytes, text.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    assert_int_equal(json_array_size(json_object_get(root, "streams")), MANY);
    assert_int_equal(graph.flow_count, 4 * MANY);
    json_decref(root);
    tulle__text_free(&text);
    tulle__graph_fini(&graph);
    free(large);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_row_is_passed_one_by_one, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_as_short_is_side_by_side, setup, teardown),
        cmocka_unit_test_setup_teardown(a_thousand_nodes_with_hostile_names_are_drawn, setup,
                                        teardown),
    };
    return cmocka_run_group_tests_name("unit/route", tests, NULL, NULL);
}
