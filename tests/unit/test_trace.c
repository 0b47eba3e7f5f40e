/* SPDX-License-Identifier: MPL-2.0 */

/* What trace makes of events, also of such as no honest node sends. */

#include "testkit.h"

#include "tools/trace/trace_export.h"
#include "tools/trace/trace_tree.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NODES = 5, RANDOM_EVENTS = 400, LONG = 50000 };

static struct tulle__trace_store store;
static struct tulle__trace_graph graph;
static char *printed;

static int
setup(void **state)
{
    (void)state;
    store = (struct tulle__trace_store){ .events_max = 1000000, .bytes_max = 1 << 30 };
    graph = (struct tulle__trace_graph){ .is_upward = true, .is_downward = true };
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    tulle__trace_graph_fini(&graph);
    tulle__trace_store_fini(&store);
    free(printed);
    printed = NULL;
    return 0;
}

/* Event seq of node's stream "s", asked for. */
static struct tulle__trace_event *
add(uint64_t node, uint64_t seq, const tulle_event_ref *causes, size_t count)
{
    const tulle_message message = {
        .kind = TULLE_MESSAGE_EVENT,
        .u.event = { .node = node,
                     .node_name = "",
                     .stream = "s",
                     .seq = seq,
                     .topic = "s/t",
                     .time_us = (int64_t)(1000000 + store.event_count * 1000),
                     .hlc = (1000000 + store.event_count * 1000) << 12,
                     .causes = causes,
                     .cause_count = count },
    };
    struct tulle__trace_event *event = tulle__trace_add(&store, &message);
    if (event != NULL)
        event->is_asked = true;
    return event;
}

static void
make_graph(void)
{
    assert_true(tulle__trace_graph_init(&graph, &store));
    assert_true(tulle__trace_graph_show(&graph, UINT64_MAX));
}

enum form { TREE, JSON, DOT, MERMAID, SHIVIZ, PAGE, FORMS };

static const char *
print(enum form form)
{
    const struct tulle__trace_tree_style style = { .is_ascii = true };
    size_t len = 0;
    free(printed);
    printed = NULL;
    struct tulle__trace_out out = { .file = open_memstream(&printed, &len) };
    assert_non_null(out.file);
    if (form == TREE)
        tulle__trace_tree(&graph, &style, &out);
    else if (form == JSON)
        tulle__trace_json(&graph, &out);
    else if (form == DOT)
        tulle__trace_dot(&graph, &out);
    else if (form == MERMAID)
        tulle__trace_mermaid(&graph, &out);
    else if (form == SHIVIZ)
        assert_null(tulle__trace_shiviz(&graph, &out));
    else
        tulle__trace_page(&graph, &out);
    assert_true(tulle__trace_out_end(&out));
    assert_int_equal(fclose(out.file), 0);
    return printed;
}

TEST(circles_are_cut)
{
    (void)state;
    const tulle_event_ref itself = { 1, "s", 1 };
    const tulle_event_ref second = { 2, "s", 1 };
    const tulle_event_ref third = { 3, "s", 1 };
    assert_non_null(add(1, 1, &itself, 1));
    assert_non_null(add(2, 1, &third, 1));
    assert_non_null(add(3, 1, &second, 1));
    make_graph();
    assert_int_equal(graph.shown_count, 3);
    const char *text = print(TREE);
    assert_non_null(strstr(text, "in a circle"));
    assert_non_null(strstr(text, "3 events"));
    for (enum form form = JSON; form < FORMS; form++)
        assert_true(strlen(print(form)) > 0);
}

/* A chain of many events is neither a deep stack nor a wide line. */
TEST(long_chains_are_shown)
{
    (void)state;
    assert_non_null(add(1, 1, NULL, 0));
    for (uint64_t i = 2; i <= LONG; i++)
        assert_non_null(add(1, i, &(tulle_event_ref){ 1, "s", i - 1 }, 1));
    make_graph();
    assert_int_equal(graph.shown_count, LONG);
    const char *text = print(TREE);
    assert_non_null(strstr(text, "at most 49999 steps"));
    assert_true(strlen(text) < (size_t)LONG * 400);
}

TEST(an_event_stands_below_the_last_of_its_causes)
{
    (void)state;
    const tulle_event_ref both[] = { { 1, "s", 1 }, { 2, "s", 1 }, { 9, "s", 7 } };
    assert_non_null(add(1, 1, NULL, 0));
    assert_non_null(add(2, 1, &both[0], 1));
    assert_non_null(add(3, 1, both, 3));
    make_graph();
    assert_int_equal(tulle__trace_parent(&graph, 2), 1);
    const char *text = print(TREE);
    assert_non_null(strstr(text, "|- s/t "));
    assert_non_null(strstr(text, "|  `- s/t "));
    assert_non_null(strstr(text, "`- s/t 0000000000000003/s/1: see below 0000000000000002/s/1\n"));
    assert_non_null(strstr(text, "[also caused by 0000000000000009/s/7: not kept any more]\n"));
    assert_non_null(strstr(text, "; 1 cause missing\n"));
}

TEST(an_event_is_taken_once_and_bounds_hold)
{
    (void)state;
    store.events_max = 2;
    assert_non_null(add(1, 1, NULL, 0));
    assert_null(add(1, 1, NULL, 0));
    assert_non_null(add(1, 3, NULL, 0));
    assert_false(store.is_full);
    assert_null(add(1, 4, NULL, 0));
    assert_true(store.is_full);
    assert_int_equal(store.event_count, 2);
}

/* Whatever stands in names, topics and payloads, each form stays what it is. */
TEST(hostile_words_stay_words)
{
    (void)state;
    static const char words[] = "</script>\"];\n`{}<!-- \\ \xe2\x80\xa8 # --> \x01 a\tb \xc2\x9b";
    char payload[sizeof words + 1] = { '\xd9', (char)(sizeof words - 1) }; /* a msgpack string */
    memcpy(payload + 2, words, sizeof words - 1);
    const tulle_message message = {
        .kind = TULLE_MESSAGE_EVENT,
        .u.event = { .node = 7,
                     .node_name = "a \"]\\ </script>\xe2\x80\xa8{b}\xc2\xa0",
                     .stream = "s",
                     .seq = 1,
                     .topic = "s/</script>\"]{}",
                     .time_us = 1000000,
                     .hlc = 1000000,
                     .payload = payload,
                     .payload_len = sizeof payload },
    };
    struct tulle__trace_event *event = tulle__trace_add(&store, &message);
    assert_non_null(event);
    event->is_asked = true;
    make_graph();
    const char *text = print(SHIVIZ);
    assert_int_equal(testkit_count(text, "\n"), 4); /* two of the head, two of the event */
    assert_int_equal(testkit_count(text, "\xe2\x80\xa8"), 0);
    assert_non_null(
        strstr(text, "\n\na_\"]\\_</script>_{b}_ {\"a_\\\"]\\\\_</script>_{b}_\":1}\n"));
    text = print(DOT);
    assert_non_null(strstr(text, "[label=\"s/</script>\\\"]{}\\n"));
    text = print(MERMAID);
    assert_int_equal(testkit_count(text, "\"]"), 1);
    assert_int_equal(testkit_count(text, "</"), 0);
    text = print(PAGE);
    assert_int_equal(testkit_count(text, "</script>"), 2); /* of the page's two */
    assert_int_equal(testkit_count(text, "<!--"), 1);
    text = print(TREE);
    assert_int_equal(testkit_count(text, "\x01"), 0);
    assert_int_equal(testkit_count(text, "\xc2\x9b"), 0);
    assert_int_equal(testkit_count(text, "\n"), 4);
}

/* ---- potential causes ---- */

static struct testkit_random chance = { 17 };

struct past {
    bool has[RANDOM_EVENTS]; /* the events before this one */
    uint64_t node, seq;
};

static struct past pasts[RANDOM_EVENTS];

/* Merge what a node has seen of others at random, publish, and give the event the vector clock
 * that follows from it. */
static void
add_random(size_t number, bool seen[NODES][RANDOM_EVENTS], uint64_t counts[NODES])
{
    uint64_t node = testkit_random_below(&chance, NODES);
    tulle_clock_entry clock[NODES];
    uint64_t most[NODES] = { 0 };
    if (number > 0 && testkit_random_below(&chance, 3) > 0) {
        size_t other = testkit_random_below(&chance, number);
        seen[node][other] = true;
        for (size_t i = 0; i < number; i++)
            seen[node][i] = seen[node][i] || pasts[other].has[i];
    }
    pasts[number].node = node;
    pasts[number].seq = ++counts[node];
    for (size_t i = 0; i < number; i++) {
        pasts[number].has[i] = seen[node][i];
        if (seen[node][i] && pasts[i].seq > most[pasts[i].node])
            most[pasts[i].node] = pasts[i].seq;
    }
    seen[node][number] = true;
    most[node] = counts[node];
    size_t count = 0;
    for (uint64_t i = 0; i < NODES; i++) {
        if (most[i] > 0)
            clock[count++] = (tulle_clock_entry){ i + 1, "s", most[i] };
    }
    const tulle_message message = { .kind = TULLE_MESSAGE_EVENT,
                                    .u.event = { .node = node + 1,
                                                 .node_name = "",
                                                 .stream = "s",
                                                 .seq = counts[node],
                                                 .topic = "s",
                                                 .clock = clock,
                                                 .clock_count = count } };
    assert_non_null(tulle__trace_add(&store, &message));
}

/* before is a direct predecessor when nothing lies between the two. */
static bool
is_direct(size_t before, size_t after)
{
    if (!pasts[after].has[before])
        return false;
    for (size_t i = 0; i < after; i++) {
        if (pasts[after].has[i] && pasts[i].has[before])
            return false;
    }
    return true;
}

TEST(potential_causes_are_the_direct_predecessors)
{
    (void)state;
    static bool seen[NODES][RANDOM_EVENTS];
    uint64_t counts[NODES] = { 0 };
    size_t edges = 0;
    store.has_potential = true;
    for (size_t i = 0; i < RANDOM_EVENTS; i++)
        add_random(i, seen, counts);
    make_graph();
    for (uint32_t after = 0; after < RANDOM_EVENTS; after++) {
        bool is_cause[RANDOM_EVENTS] = { false };
        for (uint32_t i = 0; i < store.events[after].cause_count; i++) {
            uint32_t cause = tulle__trace_cause(&graph, after, i);
            assert_int_not_equal(cause, TULLE__TRACE_NONE);
            is_cause[cause] = true;
        }
        for (uint32_t before = 0; before < after; before++) {
            assert_int_equal(is_cause[before], is_direct(before, after));
            edges += is_cause[before];
        }
    }
    assert_true(edges > RANDOM_EVENTS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(circles_are_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(long_chains_are_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(an_event_stands_below_the_last_of_its_causes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_event_is_taken_once_and_bounds_hold, setup, teardown),
        cmocka_unit_test_setup_teardown(hostile_words_stay_words, setup, teardown),
        cmocka_unit_test_setup_teardown(potential_causes_are_the_direct_predecessors, setup,
                                        teardown),
    };
    return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
