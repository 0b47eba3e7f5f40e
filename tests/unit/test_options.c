/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include "base/alloc.h"
#include "node/options.h"

#include <string.h>

static tulle_node_options
node_defaults(void)
{
    tulle_node_options options;
    tulle_node_options_init(&options);
    options.name = "n";
    return options;
}

/* Two segments with names, which is the least a proxy needs. */
static tulle_proxy_options
proxy_defaults(void)
{
    tulle_proxy_options options;
    tulle_proxy_options_init(&options);
    options.name = "p";
    options.segment_count = 2;
    static const char *const names[] = { "a", "b" };
    for (size_t i = 0; i < 2; i++) {
        tulle_segment_options_init(&options.segments[i]);
        options.segments[i].name = names[i];
    }
    return options;
}

static void
assert_refused(const tulle_node_options *options, const char *why)
{
    tulle_node_options copy;
    tulle_error error = { TULLE_OK, "" };
    assert_status(tulle__node_options_copy(options, &copy, &error), TULLE_EINVAL);
    assert_status(error.status, TULLE_EINVAL);
    assert_non_null(strstr(error.text, why));
}

static void
assert_proxy_refused(const tulle_proxy_options *options, const char *why)
{
    tulle_proxy_options copy;
    tulle_error error = { TULLE_OK, "" };
    assert_status(tulle__proxy_options_copy(options, &copy, &error), TULLE_EINVAL);
    assert_non_null(strstr(error.text, why));
}

static int
teardown(void **state)
{
    (void)state;
    tulle__alloc_set_hook(NULL, NULL);
    return 0;
}

TEST(copies_strings_and_arrays)
{
    (void)state;
    char mesh[] = "mesh";
    char join[] = "tcp://h:7000";
    const char *joins[] = { join };
    tulle_node_options options = node_defaults();
    options.mesh = mesh;
    options.join = joins;
    options.join_count = 1;
    options.listen[0] = "tcp://*:*";
    options.listen_count = 1;
    tulle_node_options copy;

    assert_status(tulle__node_options_copy(&options, &copy, NULL), TULLE_OK);
    mesh[0] = join[0] = 'x';

    assert_string_equal(copy.mesh, "mesh");
    assert_string_equal(copy.join[0], "tcp://h:7000");
    assert_string_equal(copy.listen[0], "tcp://*:*");
    tulle__node_options_fini(&copy);
}

TEST(node_without_a_name_is_called_after_its_host)
{
    (void)state;
    tulle_node_options options = node_defaults();
    options.name = NULL;
    tulle_node_options copy;

    assert_status(tulle__node_options_copy(&options, &copy, NULL), TULLE_OK);

    assert_non_null(strchr(copy.name, '-'));
    tulle__node_options_fini(&copy);
}

TEST(refuses_names_that_cannot_travel)
{
    (void)state;
    char long_name[65];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[64] = '\0';
    tulle_node_options options = node_defaults();

    options.name = long_name;
    assert_refused(&options, "name must have 1 to 63 bytes");
    options.name = "two\nlines";
    assert_refused(&options, "control character");
    options.name = "caf\xe9";
    assert_refused(&options, "name is not UTF-8");
    options.name = "";
    assert_refused(&options, "name must have");
    options.name = "n";
    options.mesh = NULL;
    assert_refused(&options, "mesh must have");
}

TEST(says_which_number_is_out_of_range)
{
    (void)state;
    tulle_node_options options = node_defaults();

    options.beat_ms = 19;
    assert_refused(&options, "beat_ms is 19, must be 20 to 60000");
    options = node_defaults();
    options.stream_levels = 0;
    assert_refused(&options, "stream_levels");
    options = node_defaults();
    options.event_bytes_max = 17 * 1024 * 1024;
    assert_refused(&options, "event_bytes_max");
}

TEST(gone_cannot_come_before_suspect)
{
    (void)state;
    tulle_node_options options = node_defaults();

    options.suspect_ms = 5000;
    options.gone_ms = 4999;

    assert_refused(&options, "gone_ms");
}

TEST(refuses_what_is_no_address)
{
    (void)state;
    tulle_node_options options = node_defaults();
    const char *joins[] = { "tcp://*:7000" };

    options.listen[0] = "http://h";
    options.listen_count = 1;
    assert_refused(&options, "listen address \"http://h\"");
    options = node_defaults();
    options.join = joins;
    options.join_count = 1;
    assert_refused(&options, "address to join \"tcp://*:7000\"");
    options = node_defaults();
    options.advertise = "tcp://*:1";
    assert_refused(&options, "cannot be dialed");
}

TEST(who_only_dials_has_no_address)
{
    (void)state;
    tulle_node_options options = node_defaults();

    options.dial_only = true;
    options.listen[0] = "tcp://127.0.0.1:*";
    options.listen_count = 1;
    assert_refused(&options, "only dials");
    options.listen_count = 0;
    options.use_inlet = true;
    assert_refused(&options, "only dials");
    options.use_inlet = false;
    options.advertise_events = "tcp://192.0.2.1:1";
    assert_refused(&options, "only dials");
    options = node_defaults();
    options.advertise_inlet = "tcp://192.0.2.1:1";
    assert_refused(&options, "there is none");
}

TEST(proxy_needs_two_segments)
{
    (void)state;
    tulle_proxy_options options = proxy_defaults();

    options.segment_count = 1;

    assert_proxy_refused(&options, "segment_count is 1, must be 2 to 8");
}

TEST(proxy_refuses_what_is_no_pattern)
{
    (void)state;
    tulle_proxy_options options = proxy_defaults();
    const char *patterns[] = { "a//b" };

    options.segments[1].deny = patterns;
    options.segments[1].deny_count = 1;

    assert_proxy_refused(&options, "\"a//b\" is no pattern");
}

TEST(copies_the_segments_of_a_proxy)
{
    (void)state;
    tulle_proxy_options options = proxy_defaults();
    char pattern[] = "a/**";
    const char *patterns[] = { pattern };
    options.segments[1].allow = patterns;
    options.segments[1].allow_count = 1;
    tulle_proxy_options copy;

    assert_status(tulle__proxy_options_copy(&options, &copy, NULL), TULLE_OK);
    pattern[0] = 'x';

    assert_string_equal(copy.segments[1].allow[0], "a/**");
    tulle__proxy_options_fini(&copy);
}

TEST(what_takes_a_restart_is_named)
{
    (void)state;
    tulle_proxy_options now = proxy_defaults();
    tulle_proxy_options next = proxy_defaults();
    const char *joined[] = { "tcp://h:7000" };
    char text[240];

    tulle__proxy_options_compare(&now, &next, text, sizeof text);
    assert_string_equal(text, "");
    next.log_level = TULLE_LOG_ERROR;
    next.segments[0].join = joined; /* one that is new may come at any time */
    next.segments[0].join_count = 1;
    tulle__proxy_options_compare(&now, &next, text, sizeof text);
    assert_string_equal(text, "");
    next.beat_ms++;
    next.segments[1].listen[0] = "tcp://*:7000";
    next.segments[1].listen_count = 1;
    tulle__proxy_options_compare(&now, &next, text, sizeof text);
    assert_string_equal(text, "beat_ms, segment b: listen");
    now = proxy_defaults();
    tulle__proxy_options_compare(&next, &now, text, sizeof text);
    assert_string_equal(text,
                        "beat_ms, segment a: join (what was joined stays so), segment b: listen");
    next = proxy_defaults();
    next.segments[1].name = "other";
    tulle__proxy_options_compare(&now, &next, text, sizeof text);
    assert_string_equal(text, "segment (their names)");
    tulle__proxy_options_compare(&now, &next, text, 12);
    assert_string_equal(text, "segment (th");
}

TEST(addresses_to_join_are_added_once)
{
    (void)state;
    tulle_proxy_options options = proxy_defaults();
    tulle_proxy_options copy;
    const char *before[] = { "tcp://h:7000" };
    const char *more[] = { "tcp://h:7001", "tcp://h:7000", "tcp://h:7001" };
    options.segments[0].join = before;
    options.segments[0].join_count = 1;
    assert_status(tulle__proxy_options_copy(&options, &copy, NULL), TULLE_OK);
    options.segments[0].join = more;
    options.segments[0].join_count = 3;
    tulle_status status = TULLE_ENOMEM;

    for (size_t left = 0; status == TULLE_ENOMEM; left++) {
        struct testkit_memory memory = { .left = left };
        assert_int_equal(copy.segments[0].join_count, 1);
        tulle__alloc_set_hook(testkit_may_allocate, &memory);
        status = tulle__segment_options_add_join(&copy.segments[0], &options.segments[0]);
        tulle__alloc_set_hook(NULL, NULL);
    }

    assert_status(status, TULLE_OK);
    assert_int_equal(copy.segments[0].join_count, 2);
    assert_string_equal(copy.segments[0].join[0], "tcp://h:7000");
    assert_string_equal(copy.segments[0].join[1], "tcp://h:7001");
    tulle__proxy_options_fini(&copy);
}

TEST(segments_of_one_name_are_refused)
{
    (void)state;
    tulle_proxy_options options = proxy_defaults();

    options.segments[1].name = options.segments[0].name;

    assert_proxy_refused(&options, "two segments are called");
}

TEST(without_memory_nothing_is_copied_or_leaked)
{
    (void)state;
    const char *joins[] = { "tcp://h:7000", "tcp://h:7001" };
    tulle_node_options options = node_defaults();
    options.join = joins;
    options.join_count = 2;
    tulle_node_options copy;
    tulle_status status = TULLE_ENOMEM;
    size_t left = 0;

    for (; status == TULLE_ENOMEM; left++) {
        struct testkit_memory memory = { .left = left };
        tulle__alloc_set_hook(testkit_may_allocate, &memory);
        status = tulle__node_options_copy(&options, &copy, NULL);
        tulle__alloc_set_hook(NULL, NULL);
    }

    assert_status(status, TULLE_OK);
    assert_true(left > 4); /* mesh, name, the array, two addresses */
    tulle__node_options_fini(&copy);
}

TEST(without_memory_no_segment_is_copied_or_leaked)
{
    (void)state;
    const char *patterns[] = { "a/**", "b" };
    tulle_proxy_options options = proxy_defaults();
    options.segments[1].allow = options.segments[1].deny = patterns;
    options.segments[1].allow_count = options.segments[1].deny_count = 2;
    tulle_proxy_options copy;
    tulle_status status = TULLE_ENOMEM;
    size_t left = 0;

    for (; status == TULLE_ENOMEM; left++) {
        struct testkit_memory memory = { .left = left };
        tulle__alloc_set_hook(testkit_may_allocate, &memory);
        status = tulle__proxy_options_copy(&options, &copy, NULL);
        tulle__alloc_set_hook(NULL, NULL);
    }

    assert_status(status, TULLE_OK);
    assert_true(left > 8); /* mesh, name, two segments' names, two arrays of two */
    assert_string_equal(copy.segments[1].deny[1], "b");
    tulle__proxy_options_fini(&copy);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_strings_and_arrays),
        cmocka_unit_test(node_without_a_name_is_called_after_its_host),
        cmocka_unit_test(refuses_names_that_cannot_travel),
        cmocka_unit_test(says_which_number_is_out_of_range),
        cmocka_unit_test(gone_cannot_come_before_suspect),
        cmocka_unit_test(refuses_what_is_no_address),
        cmocka_unit_test(who_only_dials_has_no_address),
        cmocka_unit_test(proxy_needs_two_segments),
        cmocka_unit_test(proxy_refuses_what_is_no_pattern),
        cmocka_unit_test(copies_the_segments_of_a_proxy),
        cmocka_unit_test_teardown(what_takes_a_restart_is_named, teardown),
        cmocka_unit_test_teardown(addresses_to_join_are_added_once, teardown),
        cmocka_unit_test_teardown(segments_of_one_name_are_refused, teardown),
        cmocka_unit_test_teardown(without_memory_nothing_is_copied_or_leaked, teardown),
        cmocka_unit_test_teardown(without_memory_no_segment_is_copied_or_leaked, teardown),
    };
    return cmocka_run_group_tests_name("node/options", tests, NULL, NULL);
}
