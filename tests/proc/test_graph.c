/* SPDX-License-Identifier: MPL-2.0 */

/* What tulle graph draws of a mesh of two segments (view_kit.h). */

#include "testkit.h"

#include "view_kit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GRAPH(...) view_run("graph", 0, (const char *const[]){ __VA_ARGS__, NULL })
#define FAILS(status, ...)                                                  \
    (view_run("graph", status, (const char *const[]){ __VA_ARGS__, NULL }), \
     proc_text(view_last, PROC_ERR))

#define ARROW " \xe2\x94\x80\xe2\x96\xb6 "

TEST(ways_of_streams_are_told_in_text)
{
    (void)state;
    const char *text = view_run("graph", 0, (const char *const[]){ NULL });
    assert_string_equal(proc_text(view_last, PROC_ERR), "");
    proc_assert_has(text, "orders  40 events\n  shop" ARROW "bridge" ARROW);
    proc_assert_has(text, "store");
    proc_assert_has(text, " behind)");
    proc_assert_has(text, "stock  1 event\n  store" ARROW "nobody\n");
    proc_assert_has(text, "\nPublished by nobody\n  returns/**" ARROW "spare\n");
    proc_assert_has(text, "\nWildcards\n");
    proc_assert_has(text, "  store takes orders/**: orders\n");
    proc_assert_has(text, "  spare takes returns/**: nothing yet\n");
    proc_assert_has(text, "\nProxies\n  bridge joins left, right\n");
    proc_assert_has(text, "\nSegments\n  left:");
    assert_has_not(text, "look");
    assert_int_equal(setenv("LC_ALL", "C", 1), 0);
    text = GRAPH("--node", "store");
    assert_int_equal(setenv("LC_ALL", "C.UTF-8", 1), 0);
    proc_assert_has(text, "  shop -> bridge -> ");
    proc_assert_has(text, "  store -> nobody\n");
    assert_has_not(text, "returns");
    for (const char *at = text; *at != '\0'; at++)
        assert_true((unsigned char)*at < 0x80);
}

TEST(the_graph_is_an_object)
{
    (void)state;
    json_t *streams = rows_of(GRAPH("--json"), "streams");
    assert_int_equal(json_array_size(streams), 2);
    json_t *orders = find(streams, "stream", "orders");
    json_t *takers = json_object_get(orders, "takers");
    json_t *shop = find(json_object_get(orders, "publishers"), "name", "shop");
    assert_int_equal(number(shop, "events"), VIEW_EVENTS);
    assert_string_equal(string(shop, "segment"), "left");
    assert_int_equal(json_array_size(takers), 2);
    assert_int_equal(number(find(takers, "name", "store"), "lag"), 0);
    assert_true(number(find(takers, "name", "slow"), "lag") > 0);
    assert_string_equal(string(find(takers, "name", "slow"), "segment"), "right");
    json_t *way = json_array_get(json_object_get(orders, "routes"), 0);
    json_t *over = json_object_get(way, "over");
    assert_string_equal(string(way, "from"), "left");
    assert_string_equal(string(way, "to"), "right");
    assert_int_equal(json_array_size(over), 1);
    assert_non_null(find(json_array_get(over, 0), "name", "bridge"));

    json_t *waiting = json_object_get(view_root(), "waiting");
    assert_int_equal(json_array_size(waiting), 1);
    assert_non_null(find(waiting, "name", "spare"));
    json_t *nodes = json_object_get(view_root(), "nodes");
    json_t *takes = json_object_get(find(nodes, "name", "store"), "takes");
    json_t *all = find(takes, "pattern", "orders/**");
    assert_int_equal(number(all, "count"), 1);
    assert_string_equal(json_string_value(json_array_get(json_object_get(all, "streams"), 0)),
                        "orders");
    assert_int_equal(json_array_size(json_object_get(view_root(), "proxies")), 1);
    assert_int_equal(json_array_size(json_object_get(view_root(), "segments")), 2);
}

/* Graphviz takes it, where it is installed. */
static void
assert_dot_reads(const char *text)
{
    if (access("/usr/bin/dot", X_OK) != 0) {
        print_message("dot is not installed\n");
        return;
    }
    struct proc *dot = proc_start("/usr/bin/dot", "-Tplain", NULL);
    proc_write(dot, text, strlen(text));
    proc_close_input(dot);
    assert_int_equal(proc_wait(dot), 0);
    assert_string_equal(proc_text(dot, PROC_ERR), "");
    assert_int_equal(strncmp(proc_text(dot, PROC_OUT), "graph ", 6), 0);
}

TEST(graphs_are_drawn)
{
    (void)state;
    char *text = strdup(GRAPH("--dot"));
    assert_non_null(text);
    assert_int_equal(strncmp(text, "digraph mesh {\n", 15), 0);
    assert_int_equal(testkit_count(text, "subgraph cluster_"), 2);
    assert_int_equal(testkit_count(text, "shape=hexagon"), 1);
    assert_int_equal(testkit_count(text, "[label=\"orders\", shape=ellipse]"),
                     2); /* on both sides */
    assert_int_equal(testkit_count(text, "[label=\"orders\"];"),
                     2); /* into the proxy and out of it */
    assert_int_equal(testkit_count(text, "[label=\"40\"];"), 1);
    assert_int_equal(testkit_count(text, " behind\"];"), 1);
    assert_int_equal(testkit_count(text, "returns/**"), 1);
    assert_dot_reads(text);
    free(text);
    const char *mermaid = GRAPH("--mermaid", "-s", "orders/*");
    assert_int_equal(strncmp(mermaid, "flowchart LR\n", 13), 0);
    assert_int_equal(testkit_count(mermaid, "  subgraph frame"), 2);
    assert_int_equal(testkit_count(mermaid, "  end\n"), 2);
    assert_int_equal(testkit_count(mermaid, "{{\"bridge\"}}"), 1);
    assert_int_equal(testkit_count(mermaid, "([\"orders\"])"), 2);
    assert_int_equal(testkit_count(mermaid, "-->|\"orders\"|"), 2);
    assert_has_not(mermaid, "stock");
    assert_has_not(mermaid, "spare"); /* it is in no way of the orders */
}

/* Whoever published it may be gone: what others keep of it goes on. */
TEST(publishers_that_left_are_shown)
{
    (void)state;
    (void)kit_subscribe(view_mesh.store, "notes");
    struct proc *pub = proc_start("tulle", "pub", "--name", "once", "--join", view_mesh.address,
                                  "--wait-peers", "notes", "late", NULL);
    assert_int_equal(proc_wait(pub), 0);
    const char *text = GRAPH("--node", "once");
    proc_assert_has(text, "notes  1 event\n  once#");
    proc_assert_has(text, " (gone)" ARROW "store\n");
    text = GRAPH("--dot");
    proc_assert_has(text, "[label=\"once");
}

/* What the document says is judged by the parser of AsyncAPI: tests/web/asyncapi.sh. */
TEST(a_document_of_what_was_seen_is_written)
{
    (void)state;
    json_t *document;
    const char *text = GRAPH("-A", "--stream", "orders/**", "--title", "Orders", "--api-version=3");
    document = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(document);
    assert_string_equal(string(document, "asyncapi"), "3.0.0");
    assert_string_equal(string(json_object_get(document, "info"), "title"), "Orders");
    assert_string_equal(string(json_object_get(document, "info"), "version"), "3");
    json_t *channels = json_object_get(document, "channels");
    assert_int_equal(json_object_size(channels), 1);
    json_t *placed = json_object_get(channels, "orders_placed");
    assert_string_equal(string(placed, "address"), "orders/placed");
    json_t *operations = json_object_get(document, "operations");
    assert_int_equal(json_object_size(operations), 3);
    assert_string_equal(string(json_object_get(operations, "shop-send-orders_placed"), "action"),
                        "send");
    assert_non_null(json_object_get(operations, "store-receive-orders_placed"));
    assert_non_null(json_object_get(operations, "slow-receive-orders_placed"));
    json_decref(document);
}

static void
expect_seen(const char *text, const char *events)
{
    proc_assert_has(text, events);
    proc_assert_has(text, "\"orders/placed\"");
}

TEST(how_much_is_read_can_be_chosen)
{
    (void)state;
    expect_seen(GRAPH("--asyncapi", "-s", "orders/placed"), ": 40 events, ");
    expect_seen(GRAPH("--asyncapi", "-s", "orders/placed", "--from=last:5"), ": 5 events, ");
    expect_seen(GRAPH("--asyncapi", "-s", "orders/placed", "--from=earliest", "-C", "7"),
                ": 7 events, ");
    proc_assert_has(GRAPH("--asyncapi", "--fold", "1"), "\"{level1}/");
    proc_assert_has(FAILS(1, "--asyncapi", "--from", "live", "--watch", "0.2"),
                    "no event was seen");
    proc_assert_has(FAILS(2, "--asyncapi", "--from", "now"),
                    "--from takes live, earliest or last:N");
    proc_assert_has(FAILS(2, "--asyncapi", "--fold", "0"), "--fold");
}

/* What is published while it reads. */
TEST(events_are_read_as_they_come)
{
    (void)state;
    view_last = proc_start("tulle", "graph", "--join", view_mesh.address, "--name", "reader",
                           "--asyncapi", "--from", "live", "--watch", "60", "--count", "2", NULL);
    assert_status(tulle_node_wait_peers(view_mesh.store, "stock", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish(view_mesh.store, "stock/late", "1");
    kit_publish(view_mesh.store, "stock/late", "2");
    assert_int_equal(proc_wait(view_last), 0);
    proc_assert_has(proc_text(view_last, PROC_OUT), ": 2 events, ");
    proc_assert_has(proc_text(view_last, PROC_OUT), "\"stock/late\"");
}

TEST(what_is_wrong_is_told)
{
    (void)state;
    proc_assert_has(FAILS(2, "--json", "--dot"), "exclude one another");
    proc_assert_has(FAILS(1, "-s", "knots"), "nothing in the mesh is what");
    proc_assert_has(FAILS(2, "knots"), "knots");
    struct proc *alone =
        proc_start("tulle", "graph", "--join", proc_address(proc_free_port()), "-W", "0.3", NULL);
    assert_int_equal(proc_wait(alone), 4);
    proc_assert_has(GRAPH("--help"), "usage: tulle graph [options]");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(ways_of_streams_are_told_in_text, view_end_test),
        cmocka_unit_test_teardown(the_graph_is_an_object, view_end_test),
        cmocka_unit_test_teardown(graphs_are_drawn, view_end_test),
        cmocka_unit_test_teardown(publishers_that_left_are_shown, view_end_test),
        cmocka_unit_test_teardown(a_document_of_what_was_seen_is_written, view_end_test),
        cmocka_unit_test_teardown(how_much_is_read_can_be_chosen, view_end_test),
        cmocka_unit_test_teardown(events_are_read_as_they_come, view_end_test),
        cmocka_unit_test_teardown(what_is_wrong_is_told, view_end_test),
    };
    return cmocka_run_group_tests_name("proc/graph", tests, view_start, view_end);
}
