/* SPDX-License-Identifier: MPL-2.0 */

/* Tools without memory: they say so, and neither end in the middle nor leave something out. The
 * linker gives some calls of the tools to this file: __wrap_x() in place of x() (--wrap). */

#include "testkit.h"

#include "app/option.h"
#include "tools/common/history_end.h"
#include "tools/common/tools.h"
#include "tools/play/play_map.h"
#include "tools/record/record_tally.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    NODES = 400,     /* so many that tables grow */
    BLOCKS_MAX = 20, /* for one node: three elements and their tables */
};

static const int64_t second_us = 1000000;

// NOLINTBEGIN(bugprone-reserved-identifier, readability-identifier-naming)
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
char *__real_tulle__strings_copy(struct tulle__strings *strings, const char *text);
char *__wrap_tulle__strings_copy(struct tulle__strings *strings, const char *text);
tulle_status __wrap_tulle_node_peers(tulle_node *node,
                                     void (*visit)(const tulle_peer *peer, void *ctx),
                                     void *ctx);
tulle_status __wrap_tulle_node_lanes(tulle_node *node,
                                     void (*visit)(const tulle_lane *lane, void *ctx),
                                     void *ctx);
// NOLINTEND(bugprone-reserved-identifier, readability-identifier-naming)

static size_t left = SIZE_MAX; /* so many blocks are granted */

static bool
may_allocate(void)
{
    if (left == 0)
        return false;
    left -= left != SIZE_MAX;
    return true;
}

void *
__wrap_malloc(size_t size)
{
    return may_allocate() ? __real_malloc(size) : NULL;
}

/* A compiler may make it of malloc() and memset(). */
void *
__wrap_calloc(size_t count, size_t size)
{
    return may_allocate() ? __real_calloc(count, size) : NULL;
}

/* The event of one of many nodes, each of which has a stream and a topic of its own. */
static const tulle_event *
event_of(uint64_t number)
{
    static char text[32];
    static tulle_event event;
    (void)snprintf(text, sizeof text, "t%d", (int)number);
    event = (tulle_event){ .node = 1 + number,
                           .node_name = text,
                           .stream = text,
                           .topic = text,
                           .seq = 1,
                           .payload = "",
                           .content_type = NULL };
    return &event;
}

/* Each is refused until there is enough memory, and taken then. */
static void
assert_takes_all(bool (*add)(void *ctx, const tulle_event *event), void *ctx)
{
    size_t failed = 0;
    for (uint64_t i = 0; i < NODES; i++) {
        size_t granted = 0;
        for (left = 0; !add(ctx, event_of(i)); left = ++granted)
            assert_true(granted < BLOCKS_MAX);
        failed += granted;
    }
    left = SIZE_MAX;
    assert_true(failed > NODES); /* elements, and tables */
}

/* ---- what a recording has ---- */

static bool
tally_one(void *ctx, const tulle_event *event)
{
    const tulle_message message = { .kind = TULLE_MESSAGE_EVENT, .u.event = *event };
    return tulle__record_tally_add(ctx, &message, 0);
}

TEST(a_tally_without_memory_has_all_once_there_is_some)
{
    (void)state;
    struct tulle__record_sum sum;
    struct tulle__record_tally *tally = tulle__record_tally_new(true);
    assert_non_null(tally);
    assert_takes_all(tally_one, tally);
    tulle__record_tally_sum(tally, &sum);
    assert_int_equal(sum.nodes, NODES);
    assert_int_equal(sum.lanes, NODES);
    assert_int_equal(sum.topics, NODES);
    assert_int_equal(sum.events, NODES);
    tulle__record_tally_free(&tally);
}

/* ---- what is played ---- */

static bool
meet_one(void *ctx, const tulle_event *event)
{
    return tulle__play_map_meet(ctx, event);
}

TEST(a_map_without_memory_has_all_once_there_is_some)
{
    (void)state;
    struct tulle__play_map *map = tulle__play_map_new(NULL, 0, NODES);
    assert_non_null(map);
    assert_takes_all(meet_one, map);
    assert_int_equal(tulle__play_map_nodes(map), NODES);
    assert_string_equal(tulle__play_map_node_name(map, NODES - 1), event_of(NODES - 1)->node_name);
    tulle__play_map_free(&map);
}

/* ---- the end of history ---- */

tulle_status
__wrap_tulle_node_peers(tulle_node *node,
                        void (*visit)(const tulle_peer *peer, void *ctx),
                        void *ctx)
{
    (void)node;
    visit(&(tulle_peer){ .state = TULLE_PEER_UP }, ctx);
    return TULLE_OK;
}

/* One lane, all of which is delivered. */
tulle_status
__wrap_tulle_node_lanes(tulle_node *node,
                        void (*visit)(const tulle_lane *lane, void *ctx),
                        void *ctx)
{
    (void)node;
    visit(&(tulle_lane){ .node = 1, .stream = "x", .head = 1, .delivered = 1, .is_begun = true },
          ctx);
    return TULLE_OK;
}

TEST(an_end_that_cannot_be_noted_is_not_reached)
{
    (void)state;
    struct tulle__history_end *end = tulle__history_end_new(second_us);
    assert_non_null(end);
    for (size_t granted = 0; granted < 3; granted++) { /* an element, a table and its rows */
        left = granted;
        assert_false(
            tulle__history_end_is_reached(end, NULL, 1 + 2 * second_us * (int64_t)granted));
    }
    left = SIZE_MAX;
    (void)tulle__history_end_is_reached(end, NULL, 6 * second_us);
    assert_true(tulle__history_end_is_reached(end, NULL, 8 * second_us));
    tulle__history_end_free(&end);
}

/* ---- headers to be published ---- */

char *
__wrap_tulle__strings_copy(struct tulle__strings *strings, const char *text)
{
    return strcmp(text, "unit=kg") == 0 ? NULL : __real_tulle__strings_copy(strings, text);
}

TEST(a_header_that_cannot_be_kept_is_not_left_out)
{
    (void)state;
    char *arguments[] = { (char *)(uintptr_t) "pub",
                          (char *)(uintptr_t) "--join=tcp://127.0.0.1:1",
                          (char *)(uintptr_t) "--wait-timeout=0.1",
                          (char *)(uintptr_t) "--header=unit=kg",
                          (char *)(uintptr_t) "x",
                          (char *)(uintptr_t) "1",
                          NULL };
    assert_int_equal(tulle__tool_pub(sizeof arguments / sizeof *arguments - 1, arguments), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tally_without_memory_has_all_once_there_is_some),
        cmocka_unit_test(a_map_without_memory_has_all_once_there_is_some),
        cmocka_unit_test(an_end_that_cannot_be_noted_is_not_reached),
        cmocka_unit_test(a_header_that_cannot_be_kept_is_not_left_out),
    };
    return cmocka_run_group_tests_name("tools/memory", tests, NULL, NULL);
}
