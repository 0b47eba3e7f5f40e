/* SPDX-License-Identifier: MPL-2.0 */

/* The verdict of tulle check: ranges, what is measured of a snapshot, and how it is told. */

#include "testkit.h"

#include "tools/check/check_age.h"
#include "tools/check/check_file.h"
#include "tools/check/check_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHOP = 1, BILLING, DEAD, SELF, PROXY, NODES = 5 };

/* ---- ranges ---- */

static bool
alerts(const char *text, double value)
{
    struct tulle__range range;
    assert_true(tulle__range_parse(text, &range));
    return tulle__range_alerts(&range, value);
}

TEST(ranges_are_those_of_the_guidelines)
{
    (void)state;
    assert_true(!alerts("10", 0) && !alerts("10", 10) && alerts("10", 10.1) && alerts("10", -1));
    assert_true(!alerts("10:", 10) && !alerts("10:", 1e9) && alerts("10:", 9));
    assert_true(!alerts("~:10", -1e9) && !alerts("~:10", 10) && alerts("~:10", 11));
    assert_true(!alerts("10:20", 10) && !alerts("10:20", 20));
    assert_true(alerts("10:20", 9.9) && alerts("10:20", 20.1));
    assert_true(alerts("@10:20", 10) && alerts("@10:20", 20) && alerts("@10:20", 15));
    assert_true(!alerts("@10:20", 9) && !alerts("@10:20", 21));
    assert_true(!alerts(":5", 5) && alerts(":5", 6) && alerts(":5", -1));
    assert_true(alerts("0", 1) && !alerts("0", 0) && alerts("@0", 0));
    assert_true(alerts("0.5", 0.6) && !alerts("-2:-1", -1.5));
    struct tulle__range none = { .text = NULL };
    assert_false(tulle__range_alerts(&none, 1e9));
}

TEST(what_is_no_range_is_refused)
{
    (void)state;
    static const char *const wrong[] = { "",    "@",    "x",     "1x",   "1:2:3", "20:10", "10 ",
                                         " 10", "nan",  "inf",   "0x10", "~",     "~10",   "1-2",
                                         "1:x", "10:~", "1e999", "--1",  "@@1",   "~:-e" };
    struct tulle__range range;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (tulle__range_parse(wrong[i], &range))
            print_error("taken: '%s'\n", wrong[i]);
        assert_false(tulle__range_parse(wrong[i], &range));
    }
}

TEST(limits_are_set_by_name)
{
    (void)state;
    struct tulle__check_limits limits;
    tulle__check_limits_init(&limits);
    assert_string_equal(limits.warning[TULLE__METRIC_LAG].text, "1000");
    assert_string_equal(limits.critical[TULLE__METRIC_GAPS].text, "0");
    assert_null(limits.warning[TULLE__METRIC_NODES].text);
    char both[] = "lag=5,nodes=3:";
    assert_null(tulle__check_limits_set(limits.warning, both));
    assert_string_equal(limits.warning[TULLE__METRIC_LAG].text, "5");
    assert_true(tulle__range_alerts(&limits.warning[TULLE__METRIC_NODES], 2));
    char none[] = "lag=none";
    assert_null(tulle__check_limits_set(limits.warning, none));
    assert_null(limits.warning[TULLE__METRIC_LAG].text);
    char wrong[][16] = { "lag", "lags=1", "lag=", "lag=x", "lag=1,", "" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_non_null(tulle__check_limits_set(limits.warning, wrong[i]));
}

/* ---- a mesh ---- */

static tulle_seen_node nodes[NODES];
static tulle_seen_taker takers[2];
static tulle_seen_lane lanes[2];
static tulle_snapshot shot;
static struct tulle__check_scope scope;
static struct tulle__check_limits limits;
static struct tulle__check_values values;

static void
set_node(size_t at, uint64_t id, const char *name, tulle_seen_state state)
{
    nodes[at] = (tulle_seen_node){ .id = id,
                                   .name = name,
                                   .address = "",
                                   .state = state,
                                   .was_viewed = true,
                                   .has_counters = true,
                                   .counters_ms = 10,
                                   .segment = 0 };
    nodes[at].counters.uptime_ms = 1000000;
}

/* A shop that published 100 events, of which billing has acknowledged 90; a proxy. */
static int
make_mesh(void **state)
{
    (void)state;
    memset(&scope, 0, sizeof scope);
    set_node(0, SHOP, "shop", TULLE_SEEN_UP);
    set_node(1, BILLING, "billing", TULLE_SEEN_UP);
    set_node(2, DEAD, "dead", TULLE_SEEN_LEFT);
    set_node(3, SELF, "check", TULLE_SEEN_UP);
    set_node(4, PROXY, "proxy", TULLE_SEEN_UP);
    nodes[3].is_self = true;
    nodes[4].is_proxy = true;
    nodes[4].segment = SIZE_MAX;
    nodes[1].counters.delay_p50_us = 1500;
    nodes[1].counters.delay_p99_us = 20250;
    takers[0] = (tulle_seen_taker){ .node = BILLING, .acked = 90 };
    takers[1] = (tulle_seen_taker){ .node = BILLING, .acked = 12 };
    lanes[0] = (tulle_seen_lane){ SHOP, "shop", "orders", 100, 5, &takers[0], 1, NULL, 0 };
    lanes[1] = (tulle_seen_lane){ SHOP, "shop", "prices/eu", 10, 5, &takers[1], 1, NULL, 0 };
    shot = (tulle_snapshot){
        .time_us = 2000000, .nodes = nodes, .node_count = NODES, .lanes = lanes, .lane_count = 2
    };
    tulle__check_limits_init(&limits);
    return 0;
}

static int
end_mesh(void **state)
{
    (void)state;
    tulle__check_values_fini(&values);
    return 0;
}

static enum tulle__verdict
verdict(const struct tulle__check_base *base)
{
    tulle__check_measure(&shot, &scope, base, &values);
    return tulle__check_judge(&values, &limits);
}

static double
value_of(enum tulle__metric metric)
{
    assert_true(values.is_known[metric]);
    return values.value[metric];
}

static void
limit(struct tulle__range *ranges, const char *text)
{
    static char copy[64];
    (void)snprintf(copy, sizeof copy, "%s", text);
    assert_null(tulle__check_limits_set(ranges, copy));
}

TEST(a_healthy_mesh_is_ok)
{
    (void)state;
    assert_int_equal(verdict(NULL), TULLE__VERDICT_OK);
    assert_true(value_of(TULLE__METRIC_NODES) == 3); /* with the proxy, without itself */
    assert_true(value_of(TULLE__METRIC_LAG) == 10);  /* and never below 0 */
    assert_true(value_of(TULLE__METRIC_P50) == 1.5 && value_of(TULLE__METRIC_P99) == 20.25);
    assert_true(value_of(TULLE__METRIC_PUBLISHERS) == 2 && value_of(TULLE__METRIC_CONSUMERS) == 1);
    assert_false(values.is_known[TULLE__METRIC_PUBLISHED]);
}

TEST(a_lag_warns_and_alarms_by_its_ranges)
{
    (void)state;
    limit(limits.warning, "lag=9");
    assert_int_equal(verdict(NULL), TULLE__VERDICT_WARNING);
    limit(limits.critical, "lag=9");
    assert_int_equal(verdict(NULL), TULLE__VERDICT_CRITICAL);
    const struct tulle__check_sample *worst;
    assert_int_equal(tulle__check_worst(&values, TULLE__METRIC_LAG, &worst, 1), 1);
    assert_true(worst->node == &nodes[1] && worst->lane == &lanes[0] && worst->value == 10);
    takers[1].acked = 5; /* another lane adds to it */
    limit(limits.critical, "lag=14");
    assert_int_equal(verdict(NULL), TULLE__VERDICT_CRITICAL);
    const char *streams[] = { "prices/**" };
    scope.streams = (struct tulle__list){ streams, 1 };
    assert_int_equal(verdict(NULL), TULLE__VERDICT_OK);
    assert_true(value_of(TULLE__METRIC_LAG) == 5 && value_of(TULLE__METRIC_PUBLISHERS) == 1);
}

TEST(states_of_nodes_are_told_apart)
{
    (void)state;
    nodes[2].state = TULLE_SEEN_GONE;
    assert_int_equal(verdict(NULL), TULLE__VERDICT_CRITICAL);
    assert_true(value_of(TULLE__METRIC_GONE) == 1);
    nodes[2].was_viewed = false; /* it was so before this node came */
    assert_int_equal(verdict(NULL), TULLE__VERDICT_WARNING);
    assert_true(value_of(TULLE__METRIC_GONE) == 0 && value_of(TULLE__METRIC_UNANSWERED) == 1);
    nodes[2].was_viewed = true;
    nodes[2].name = "shop"; /* it was restarted */
    assert_int_equal(verdict(NULL), TULLE__VERDICT_OK);
    nodes[2].state = TULLE_SEEN_SUSPECT;
    assert_int_equal(verdict(NULL), TULLE__VERDICT_OK);
    nodes[2].name = "dead";
    assert_int_equal(verdict(NULL), TULLE__VERDICT_WARNING);
    assert_true(value_of(TULLE__METRIC_SUSPECT) == 1);
    nodes[2].state = TULLE_SEEN_NAMED;
    assert_int_equal(verdict(NULL), TULLE__VERDICT_WARNING);
    assert_true(value_of(TULLE__METRIC_UNANSWERED) == 1);
    const char *excluded[] = { "sh?p", "d*" };
    scope.excludes = (struct tulle__list){ excluded, 2 };
    assert_int_equal(verdict(NULL), TULLE__VERDICT_OK);
    assert_true(value_of(TULLE__METRIC_NODES) == 2);
    nodes[1].was_viewed = false;
    assert_int_equal(verdict(NULL), TULLE__VERDICT_WARNING);
}

TEST(who_is_expected_is_missed)
{
    (void)state;
    const char *expected[] = { "shop", "dead", "nobody" };
    scope.expects = (struct tulle__list){ expected, 1 };
    assert_int_equal(verdict(NULL), TULLE__VERDICT_OK);
    scope.expects.count = 3;
    assert_int_equal(verdict(NULL), TULLE__VERDICT_CRITICAL);
    assert_true(value_of(TULLE__METRIC_MISSING) == 2);
    scope.node_count = 4; /* one too few, which is one of these */
    (void)verdict(NULL);
    assert_true(value_of(TULLE__METRIC_MISSING) == 2);
    scope.expects.count = 0;
    assert_int_equal(verdict(NULL), TULLE__VERDICT_CRITICAL);
    assert_true(value_of(TULLE__METRIC_MISSING) == 1);
    const char *self[] = { "check" };
    scope.node_count = 0;
    scope.expects = (struct tulle__list){ self, 1 };
    assert_int_equal(verdict(NULL), TULLE__VERDICT_CRITICAL);
}

TEST(what_is_not_known_is_unknown_if_it_is_asked_for)
{
    (void)state;
    limit(limits.warning, "delivered=1:");
    assert_int_equal(verdict(NULL), TULLE__VERDICT_UNKNOWN);
    limit(limits.warning, "lag=5"); /* what is known to be wrong is worse */
    assert_int_equal(verdict(NULL), TULLE__VERDICT_WARNING);
    make_mesh(NULL);
    nodes[1].counters.delay_p99_us = 0; /* nothing was delivered: no delay is too long */
    limit(limits.critical, "p99=1");
    assert_int_equal(verdict(NULL), TULLE__VERDICT_OK);
    assert_false(values.is_known[TULLE__METRIC_P99]);
}

TEST(an_age_is_known_when_that_of_each_stream_is)
{
    (void)state;
    struct tulle__check_ages *ages = tulle__check_ages_new(NULL, &scope);
    assert_non_null(ages);
    limit(limits.critical, "age=1.5");
    tulle__check_measure(&shot, &scope, NULL, &values);
    assert_true(tulle__check_ages_note(ages, "prices/eu", 200000));
    assert_true(tulle__check_ages_note(ages, "zebra", 1)); /* there is no lane of it */
    tulle__check_ages_measure(ages, &shot, &scope, &values);
    assert_int_equal(tulle__check_judge(&values, &limits), TULLE__VERDICT_UNKNOWN);
    assert_true(tulle__check_ages_note(ages, "orders", 1000000));
    assert_true(tulle__check_ages_note(ages, "orders", 500000)); /* of another lane, older */
    tulle__check_measure(&shot, &scope, NULL, &values);
    tulle__check_ages_measure(ages, &shot, &scope, &values);
    assert_int_equal(tulle__check_judge(&values, &limits), TULLE__VERDICT_CRITICAL);
    assert_true(value_of(TULLE__METRIC_AGE) == 1.8);
    const char *streams[] = { "orders" };
    scope.streams = (struct tulle__list){ streams, 1 };
    tulle__check_measure(&shot, &scope, NULL, &values);
    tulle__check_ages_measure(ages, &shot, &scope, &values);
    assert_true(value_of(TULLE__METRIC_AGE) == 1);
    tulle__check_ages_free(&ages);
}

/* ---- since when ---- */

TEST(gaps_count_from_the_base)
{
    (void)state;
    struct tulle__check_base base = { 0 };
    nodes[1].counters.gaps = 4;
    nodes[1].counters.events_given_up = 40;
    nodes[0].counters.events_published = 100;
    assert_int_equal(verdict(NULL), TULLE__VERDICT_CRITICAL);
    assert_true(value_of(TULLE__METRIC_GAPS) == 4 && value_of(TULLE__METRIC_LOST) == 40);
    assert_true(tulle__base_take(&base, &shot));
    base.seconds = 10;
    assert_int_equal(verdict(&base), TULLE__VERDICT_OK);
    assert_true(value_of(TULLE__METRIC_PUBLISHED) == 0);
    nodes[1].counters.gaps = 5;
    nodes[0].counters.events_published = 150;
    assert_int_equal(verdict(&base), TULLE__VERDICT_CRITICAL);
    assert_true(value_of(TULLE__METRIC_GAPS) == 1 && value_of(TULLE__METRIC_PUBLISHED) == 5);
    tulle__base_fini(&base);
}

TEST(a_node_that_the_base_does_not_have_counts_from_its_start_or_from_now)
{
    (void)state;
    struct tulle__check_base base = { .seconds = 10 };
    nodes[1].counters.gaps = 4;
    nodes[1].counters.uptime_ms = 9000; /* started since */
    assert_int_equal(verdict(&base), TULLE__VERDICT_CRITICAL);
    nodes[1].counters.uptime_ms = 11000;
    assert_int_equal(verdict(&base), TULLE__VERDICT_OK);
    nodes[1].counters.uptime_ms = 1;
    base.is_first = true;
    assert_int_equal(verdict(&base), TULLE__VERDICT_OK);
    assert_false(values.is_known[TULLE__METRIC_PUBLISHED]);
}

TEST(a_base_is_kept_in_a_file)
{
    (void)state;
    char path[] = "/tmp/tulle-check-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && close(fd) == 0);
    struct tulle__check_base base = { 0 };
    struct tulle__check_base read = { 0 };
    nodes[1].counters.gaps = 4;
    assert_true(tulle__base_take(&base, &shot));
    assert_true(tulle__base_save(&base, path));
    assert_null(tulle__base_load(&read, path));
    assert_int_equal(read.count, NODES - 1); /* all but itself */
    assert_true(read.time_us == shot.time_us && !read.is_first);
    assert_memory_equal(read.entries, base.entries, read.count * sizeof *read.entries);
    /* Who is not seen for a while is kept; for a day. */
    shot.node_count = 1;
    assert_true(tulle__base_take(&read, &shot));
    assert_int_equal(read.count, NODES - 1);
    shot.time_us += UINT64_C(86401) * 1000000;
    assert_true(tulle__base_take(&read, &shot));
    assert_int_equal(read.count, 1);
    tulle__base_fini(&base);
    tulle__base_fini(&read);
    assert_int_equal(unlink(path), 0);
    assert_null(tulle__base_load(&read, path));
    assert_true(read.is_first);
}

TEST(another_file_is_no_state)
{
    (void)state;
    static const char *const wrong[] = { "",
                                         "root:x:0:0\n",
                                         "tulle check 2 5\n",
                                         "tulle check 1 5\nx\n",
                                         "tulle check 1 5\n0000000000000001 1 2 3 4 5\n",
                                         "tulle check 1 5\n0000000000000001 1 2 3 4 5 6 7\n" };
    char path[] = "/tmp/tulle-check-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && close(fd) == 0);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct tulle__text text = { 0 };
        struct tulle__check_base base = { 0 };
        tulle__text_str(&text, wrong[i]);
        assert_true(tulle__replace_file(path, &text));
        tulle__text_free(&text);
        assert_non_null(tulle__base_load(&base, path));
        assert_int_equal(base.count, 0);
    }
    assert_int_equal(unlink(path), 0);
    struct tulle__text none = { 0 };
    assert_false(tulle__replace_file("/nowhere/state", &none));
}

/* ---- telling ---- */

static const char *
told(enum tulle__check_format format)
{
    static struct tulle__text text;
    struct tulle__mesh mesh;
    tulle__text_free(&text);
    assert_true(tulle__mesh_init(&mesh, &shot));
    struct tulle__check_report report = { .verdict = verdict(NULL),
                                          .mesh = &mesh,
                                          .values = &values,
                                          .limits = &limits,
                                          .scope = &scope };
    tulle__check_put(&report, format, &text);
    tulle__text_char(&text, '\0');
    tulle__mesh_fini(&mesh);
    assert_false(text.has_failed);
    return text.bytes;
}

TEST(the_line_is_that_of_the_guidelines)
{
    (void)state;
    assert_string_equal(
        told(TULLE__CHECK_TEXT),
        "TULLE OK - 3 nodes, 0 gaps, lag 10 | nodes=3;;;0 missing=0;;0;0 gone=0;;0;0 "
        "suspect=0;0;;0 unanswered=0;0;;0 lag=10;1000;10000;0 gaps=0;;0;0 lost=0;;;0 held=0B;;;0 "
        "unacked=0B;;;0 p50=1.5ms;;;0 p99=20.25ms;;;0 publishers=2;;;0 consumers=1;;;0 "
        "dropped=0;;;0\n");
    const char *expected[] = { "nobody" };
    scope.expects = (struct tulle__list){ expected, 1 };
    limit(limits.warning, "lag=9");
    const char *text = told(TULLE__CHECK_TEXT);
    static const char head[] = "TULLE CRITICAL - missing 1 (nobody), lag 10 (billing), 3 nodes | ";
    assert_memory_equal(text, head, strlen(head));
    assert_non_null(
        strstr(text, "\n  billing: 10 events behind, most of them (10) of shop/orders\n"));
    assert_non_null(strstr(text, "\n  nobody: nothing is known of it\n"));
}

/* A name is not to be taken for performance data, another line, or the end of a label. */
TEST(names_cannot_break_a_format)
{
    (void)state;
    nodes[1].name = "a|b\n\"c\\d";
    limit(limits.warning, "lag=9");
    const char *text = told(TULLE__CHECK_TEXT);
    size_t bars = 0;
    for (const char *at = text; *at != '\0'; at++)
        bars += *at == '|';
    assert_int_equal(bars, 1);
    assert_non_null(strstr(text, "(a/b"));
    text = told(TULLE__CHECK_PROMETHEUS);
    assert_non_null(strstr(text, "{node=\"a|b\\n\\\"c\\\\d\",id=\"0000000000000002\""));
}

int
main(void)
{
#define WITH_MESH(name) cmocka_unit_test_setup_teardown(name, make_mesh, end_mesh)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_those_of_the_guidelines),
        cmocka_unit_test(what_is_no_range_is_refused),
        cmocka_unit_test(limits_are_set_by_name),
        WITH_MESH(a_healthy_mesh_is_ok),
        WITH_MESH(a_lag_warns_and_alarms_by_its_ranges),
        WITH_MESH(states_of_nodes_are_told_apart),
        WITH_MESH(who_is_expected_is_missed),
        WITH_MESH(what_is_not_known_is_unknown_if_it_is_asked_for),
        WITH_MESH(an_age_is_known_when_that_of_each_stream_is),
        WITH_MESH(gaps_count_from_the_base),
        WITH_MESH(a_node_that_the_base_does_not_have_counts_from_its_start_or_from_now),
        WITH_MESH(a_base_is_kept_in_a_file),
        WITH_MESH(another_file_is_no_state),
        WITH_MESH(the_line_is_that_of_the_guidelines),
        WITH_MESH(names_cannot_break_a_format),
    };
    return cmocka_run_group_tests_name("unit/check", tests, NULL, NULL);
}
