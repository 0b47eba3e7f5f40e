/* SPDX-License-Identifier: MPL-2.0 */

/* What is played waits for what comes before it, but not for what never gets its time. The linker
 * gives what the nodes are asked to this file: __wrap_x() in place of x() (--wrap). */

#include "testkit.h"

#include "tools/play/play_nodes.h"

enum { FIRST = 0xa1, SECOND = 0xb2 };

// NOLINTBEGIN(bugprone-reserved-identifier, readability-identifier-naming)
tulle_status __wrap_tulle_node_publish(tulle_node *node,
                                       const char *topic,
                                       const void *payload,
                                       size_t len,
                                       const tulle_publish_options *options);
tulle_status __wrap_tulle_node_flush(tulle_node *node, int timeout_ms);
void __wrap_tulle_node_counters(const tulle_node *node, tulle_counters *out);
// NOLINTEND(bugprone-reserved-identifier, readability-identifier-naming)

/* Of both nodes. */
static uint64_t given, published;
static unsigned looks_until_published;
static tulle_status flushed;

tulle_status
__wrap_tulle_node_publish(tulle_node *node,
                          const char *topic,
                          const void *payload,
                          size_t len,
                          const tulle_publish_options *options)
{
    (void)node, (void)topic, (void)payload, (void)len, (void)options;
    given++;
    return TULLE_OK;
}

tulle_status
__wrap_tulle_node_flush(tulle_node *node, int timeout_ms)
{
    (void)node, (void)timeout_ms;
    return flushed;
}

void
__wrap_tulle_node_counters(const tulle_node *node, tulle_counters *out)
{
    (void)node;
    if (looks_until_published > 0 && --looks_until_published == 0)
        published = given;
    *out = (tulle_counters){ .events_published = published };
}

struct fixture {
    struct tulle__play_node both[2];
    struct tulle__program program;
    struct tulle__play_options options;
    struct tulle__play_nodes nodes;
    unsigned idle_left; /* so often it is gone on */
};

static bool
goes_on(void *ctx)
{
    struct fixture *f = ctx;
    return f->idle_left-- > 0;
}

static tulle_status
play(struct fixture *f, size_t node, const tulle_clock_entry *after)
{
    const tulle_event event = { .payload = "" };
    const struct tulle__play_step step = {
        .node = node,
        .topic = "t",
        .options = { .after = after, .after_count = after != NULL },
    };
    return tulle__play_nodes_publish(&f->nodes, &step, &event, goes_on, f);
}

/* The first node has an event. */
static int
begin(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){ .both = { { .id = FIRST }, { .id = SECOND } },
                                .program = { .name = "tulle play" },
                                .options = { .ack_timeout_ms = 1000 },
                                .idle_left = 2 };
    fixture.nodes = (struct tulle__play_nodes){
        .program = &fixture.program, .options = &fixture.options, .nodes = fixture.both, .count = 2
    };
    given = published = looks_until_published = 0;
    flushed = TULLE_OK;
    assert_status(play(&fixture, 0, NULL), TULLE_OK);
    *state = &fixture;
    return 0;
}

static const tulle_clock_entry after_first = { FIRST, "t", 1 };

TEST(what_comes_after_another_waits_for_its_time)
{
    struct fixture *f = *state;
    looks_until_published = 10;
    assert_status(play(f, 1, &after_first), TULLE_OK);
    assert_int_equal(looks_until_published, 0);
    assert_int_equal(given, 2);
}

TEST(what_comes_after_something_refused_is_not_waited_for)
{
    struct fixture *f = *state;
    assert_status(play(f, 1, &after_first), TULLE_ELIMIT);
    assert_int_equal(given, 1);
}

TEST(what_was_not_taken_yet_is_not_refused)
{
    struct fixture *f = *state;
    flushed = TULLE_ETIMEDOUT;
    assert_status(play(f, 1, &after_first), TULLE_EAGAIN); /* a signal came */
    assert_int_equal(given, 1);
}

TEST(what_was_refused_is_told_at_the_end_once)
{
    struct fixture *f = *state;
    assert_int_equal(tulle__play_nodes_flush(&f->nodes), 1);
    assert_int_equal(tulle__play_nodes_flush(&f->nodes), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_comes_after_another_waits_for_its_time, begin),
        cmocka_unit_test_setup(what_comes_after_something_refused_is_not_waited_for, begin),
        cmocka_unit_test_setup(what_was_not_taken_yet_is_not_refused, begin),
        cmocka_unit_test_setup(what_was_refused_is_told_at_the_end_once, begin),
    };
    return cmocka_run_group_tests_name("play_nodes", tests, NULL, NULL);
}
