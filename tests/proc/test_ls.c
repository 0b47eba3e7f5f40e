/* SPDX-License-Identifier: MPL-2.0 */

/* What tulle ls shows of a mesh of two segments, against what is known here: who publishes,
 * who takes, who is behind. */

#include "testkit.h"

#include "view_kit.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { EVENTS = VIEW_EVENTS };

#define LS(...) view_run("ls", 0, (const char *const[]){ __VA_ARGS__, NULL })
#define FAILS(status, ...)                                               \
    (view_run("ls", status, (const char *const[]){ __VA_ARGS__, NULL }), \
     proc_text(view_last, PROC_ERR))

TEST(an_overview_has_everything)
{
    (void)state;
    char id[20];
    const char *text = view_run("ls", 0, (const char *const[]){ NULL });
    assert_string_equal(proc_text(view_last, PROC_ERR), "");
    (void)snprintf(id, sizeof id, "%016lx", (unsigned long)tulle_node_id(view_mesh.shop));
    proc_assert_has(row(text, "shop"), id);
    proc_assert_has(row(text, "shop"), "up left 0 40 0 0 ");
    proc_assert_has(row(text, "store"), "up right 1 1 0 0 ");
    proc_assert_has(row(text, "bridge"), "up left+right 0 ");
    assert_has_not(text, "look");
    assert_string_equal(row(text, "stock"), "stock 1 1 0 0 1");
    assert_string_equal(row(text, "left"), "left 2 bridge shop spare");
    proc_assert_has(row(text, "right"), "right 2 bridge ");
    proc_assert_has(text, "\n4 nodes, 1 proxy, 2 segments, 2 streams, 2 lanes; all up\n");
    text = LS("--all", "segments");
    proc_assert_has(row(text, "left"), " look");
    assert_has_not(text, "NODE  ");
}

TEST(who_is_behind_is_told)
{
    (void)state;
    json_t *rows = rows_of(LS("subscribers", "--json", "--stream", "orders/placed"), "subscribers");
    assert_int_equal(json_array_size(rows), 2);
    json_t *slow = find(rows, "name", "slow");
    json_t *store = find(rows, "name", "store");
    assert_true(json_is_true(json_object_get(view_root(), "complete")));
    assert_int_equal(number(store, "acked"), EVENTS);
    assert_int_equal(number(store, "lag"), 0);
    assert_int_equal(number(slow, "head"), EVENTS);
    assert_in_range(number(slow, "lag"), 1, EVENTS - 1);
    assert_int_equal(number(slow, "acked") + number(slow, "lag"), EVENTS);
    assert_string_equal(string(json_object_get(slow, "publisher"), "name"), "shop");
    long lag = number(slow, "lag");

    rows = rows_of(LS("streams", "--json"), "streams");
    assert_int_equal(number(find(rows, "stream", "orders"), "lag"), lag);
    rows = rows_of(LS("nodes", "--json", "-n", "sl*"), "nodes");
    assert_int_equal(json_array_size(rows), 1);
    assert_int_equal(number(json_array_get(rows, 0), "lag"), lag);

    char line[80];
    const char *text = LS("subscribers", "--sort", "lag");
    (void)snprintf(line, sizeof line, "slow orders orders shop %ld 40 %ld", EVENTS - lag, lag);
    assert_string_equal(row(text, "slow"), line);
    assert_true(strstr(text, "\nslow") < strstr(text, "\nstore"));
    assert_string_equal(row(text, "spare"), "spare returns/** - - - - -");
    text = LS("subscribers", "-S", "LAG", "-r");
    assert_true(strstr(text, "\nslow") > strstr(text, "\nstore"));
}

TEST(lanes_and_their_holders_are_listed)
{
    (void)state;
    const char *text = LS("lanes", "holders", "-s", "orders");
    proc_assert_has(row(text, "STREAM"), "STREAM NODE EVENTS SUBSCRIBERS LAG HOLDERS KEPT");
    proc_assert_has(row(text, "orders"), "orders shop 40 2 ");
    proc_assert_has(row(text, "orders"), " 1-40");
    proc_assert_has(text, "\nSTREAM  PUBLISHER  HOLDER");
    json_t *rows = rows_of(LS("holders", "--json", "--node", "store"), "holders");
    json_t *kept = find(rows, "stream", "orders");
    assert_int_equal(json_array_size(rows), 2); /* its own too */
    assert_int_equal(number(kept, "first"), 1);
    assert_int_equal(number(kept, "last"), EVENTS);
    assert_string_equal(string(json_object_get(kept, "publisher"), "name"), "shop");
    text = LS("lanes", "-v", "-n", "shop");
    char id[20];
    (void)snprintf(id, sizeof id, "%016lx", (unsigned long)tulle_node_id(view_mesh.shop));
    proc_assert_has(row(text, "orders"), id);
    assert_has_not(text, "stock");
}

TEST(segments_are_joined_by_proxies)
{
    (void)state;
    json_t *rows = rows_of(LS("segments", "proxies", "--json"), "segments");
    json_t *left = find(rows, "segment", "left");
    assert_true(json_is_true(json_object_get(left, "self")));
    assert_int_equal(json_array_size(json_object_get(left, "nodes")), 3); /* itself too */
    assert_non_null(find(json_object_get(left, "proxies"), "name", "bridge"));
    json_t *proxy = find(json_object_get(view_root(), "proxies"), "name", "bridge");
    json_t *link = find(json_object_get(proxy, "links"), "name", "left");
    assert_int_equal(number(link, "events_out"), EVENTS);
    assert_int_equal(number(link, "waiting"), 0);

    const char *text = LS("proxies");
    proc_assert_has(row(text, "bridge"), "bridge up left left 40 ");
    text = LS("proxies", "-v");
    proc_assert_has(row(text, string(proxy, "id")), "up left left 40 ");
    proc_assert_has(text, "tcp://127.0.0.1:");
    text = LS("segments", "-n", "store");
    assert_has_not(text, "\nleft");
    proc_assert_has(text, "\nright");
}

TEST(the_whole_is_one_object)
{
    (void)state;
    json_t *nodes = rows_of(LS("--json"), "nodes");
    assert_int_equal(json_array_size(nodes), 5);
    assert_int_equal(json_array_size(json_object_get(view_root(), "streams")), 2);
    assert_int_equal(json_array_size(json_object_get(view_root(), "lanes")), 2);
    assert_int_equal(json_array_size(json_object_get(view_root(), "segments")), 2);
    assert_int_equal(number(view_root(), "pending"), 0);
    json_t *store = find(nodes, "name", "store");
    json_t *counters = json_object_get(store, "counters");
    assert_int_equal(number(counters, "events_delivered"), EVENTS);
    assert_int_equal(number(store, "hops"), 1);
    assert_string_equal(string(store, "via"), string(find(nodes, "name", "bridge"), "id"));
    assert_null(json_object_get(store, "events_per_second"));
}

TEST(rates_are_measured_when_asked_for)
{
    (void)state;
    json_t *nodes = rows_of(LS("nodes", "--json", "--rate=1.5"), "nodes");
    const json_t *rate = json_object_get(find(nodes, "name", "shop"), "events_per_second");
    assert_true(json_is_number(rate));
    assert_true(json_number_value(rate) == 0);
    const char *text = LS("nodes", "-v", "-n", "shop", "-R", "-a");
    proc_assert_has(text, "  RATE  ");
    proc_assert_has(text, "  UPTIME  ADDRESS\n");
    proc_assert_has(row(text, "shop"), view_mesh.address);
}

TEST(what_is_not_there_or_wrong_is_told)
{
    (void)state;
    proc_assert_has(FAILS(1, "nodes", "-n", "nobody"), "nothing in the mesh is what");
    proc_assert_has(FAILS(2, "knots"), "'knots' is none of nodes, streams,");
    proc_assert_has(FAILS(2, "streams", "--sort", "hops"),
                    "no table that is printed has a column 'hops'");
    proc_assert_has(FAILS(2, "-s", "a//b"), "no pattern");
    proc_assert_has(FAILS(2, "--rate=0"), "--rate: more than 0 seconds");
    proc_assert_has(FAILS(2, "nodes", "--wait", "x"), "--wait");
    struct proc *alone =
        proc_start("tulle", "ls", "--join", proc_address(proc_free_port()), "--wait", "0.3", NULL);
    assert_int_equal(proc_wait(alone), 4);
    proc_assert_has(proc_text(alone, PROC_ERR), "no other node is reached");
    assert_string_equal(proc_text(alone, PROC_OUT), "");
    struct proc *lost = proc_start("tulle", "ls", NULL);
    assert_int_equal(proc_wait(lost), 2);
    proc_assert_has(proc_text(lost, PROC_ERR), "how to reach the mesh?");
}

/* A node that has stopped: named by others, and silent. */
TEST(what_did_not_answer_is_told)
{
    (void)state;
    int port = proc_free_port();
    struct proc *dead = proc_start("tulle-node", "--name", "dead", "--listen", proc_address(port),
                                   "--join", view_mesh.address, NULL);
    proc_wait_port(port);
    KIT_UNTIL(kit_peer_state(view_mesh.shop, "dead") == TULLE_PEER_UP);
    proc_signal(dead, SIGSTOP);
    const char *text = view_run("ls", 27, (const char *const[]){ "nodes", "--wait", "0.8", NULL });
    proc_assert_has(row(text, "shop"), "up left");
    proc_assert_has(text, "\ndead ");
    proc_assert_has(proc_text(view_last, PROC_ERR), "incomplete: 1 of 6 nodes has not answered");
    json_t *nodes = rows_of(
        view_run("ls", 27, (const char *const[]){ "nodes", "--json", "-W", "0.8", NULL }), "nodes");
    assert_true(json_is_false(json_object_get(view_root(), "complete")));
    assert_int_equal(number(view_root(), "pending"), 1);
    assert_true(json_is_false(json_object_get(find(nodes, "name", "dead"), "viewed")));
    proc_signal(dead, SIGCONT);
    proc_signal(dead, SIGTERM);
    assert_int_equal(proc_wait(dead), 0);
}

/* A node that was killed: the others believe in it for some seconds, but nobody listens there. */
TEST(who_is_not_there_any_more_is_not_waited_for)
{
    (void)state;
    int port = proc_free_port();
    struct proc *killed = proc_start("tulle-node", "--name", "killed", "--listen",
                                     proc_address(port), "--join", view_mesh.address, NULL);
    proc_wait_port(port);
    KIT_UNTIL(kit_peer_state(view_mesh.shop, "killed") == TULLE_PEER_UP);
    proc_kill(killed);
    json_t *nodes = rows_of(LS("nodes", "--json", "--wait", "6"), "nodes");
    assert_string_equal(string(find(nodes, "name", "killed"), "state"), "gone");
    assert_int_equal(number(view_root(), "pending"), 0);
    const char *graph = view_run("graph", 0, (const char *const[]){ "--wait", "6", NULL });
    assert_string_equal(proc_text(view_last, PROC_ERR), "");
    proc_assert_has(graph, "orders  40 events\n");
    KIT_UNTIL(kit_peer_state(view_mesh.shop, "killed") != TULLE_PEER_UP);
}

TEST(a_signal_ends_it_with_what_is_known)
{
    (void)state;
    view_last = proc_start("tulle", "ls", "--join", view_mesh.address, "--name", "ended",
                           "--rate=600", NULL);
    KIT_UNTIL(kit_peer_state(view_mesh.store, "ended") == TULLE_PEER_UP &&
              kit_peer_state(view_mesh.slow, "ended") == TULLE_PEER_UP);
    proc_pause(500);
    proc_signal(view_last, SIGINT);
    int status = proc_wait(view_last);
    assert_true(status == 0 || status == 27); /* whether all of them had told of themselves */
    proc_assert_has(row(proc_text(view_last, PROC_OUT), "shop"), "up left 0 40 - 0 ");
    proc_assert_has(proc_text(view_last, PROC_OUT), " 1 proxy, 2 segments, 2 streams, 2 lanes; ");
    view_last = proc_start("tulle", "ls", "--join", view_mesh.address, NULL);
    proc_close_output(view_last);
    assert_int_equal(proc_wait(view_last), 0); /* as into head -0 */
}

TEST(help_tells_all)
{
    (void)state;
    const char *text = LS("--help");
    proc_assert_has(text, "usage: tulle ls [options] [WHAT...]");
    proc_assert_has(text, "--stream PATTERN");
    proc_assert_has(text, "subscribers");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(an_overview_has_everything, view_end_test),
        cmocka_unit_test_teardown(who_is_behind_is_told, view_end_test),
        cmocka_unit_test_teardown(lanes_and_their_holders_are_listed, view_end_test),
        cmocka_unit_test_teardown(segments_are_joined_by_proxies, view_end_test),
        cmocka_unit_test_teardown(the_whole_is_one_object, view_end_test),
        cmocka_unit_test_teardown(rates_are_measured_when_asked_for, view_end_test),
        cmocka_unit_test_teardown(what_is_not_there_or_wrong_is_told, view_end_test),
        cmocka_unit_test_teardown(a_signal_ends_it_with_what_is_known, view_end_test),
        cmocka_unit_test_teardown(help_tells_all, view_end_test),
        cmocka_unit_test_teardown(what_did_not_answer_is_told, view_end_test),
        cmocka_unit_test_teardown(who_is_not_there_any_more_is_not_waited_for, view_end_test),
    };
    return cmocka_run_group_tests_name("proc/ls", tests, view_start, view_end);
}
