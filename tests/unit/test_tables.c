/* SPDX-License-Identifier: MPL-2.0 */

/* Tables and numbers for people, and the tables of ls for a mesh that is large and means no good.
 */

#include "testkit.h"

#include "tools/common/choose.h"
#include "tools/common/human.h"
#include "tools/common/table.h"
#include "tools/common/terminal.h"
#include "tools/ls/ls_print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NODES = 1000, LANES = 1000, TAKERS = 10, NAME_LEN = 64, COLUMNS = 80 };

static const struct tulle__column columns[] = { { .title = "NAME", .may_shrink = true },
                                                { .title = "COUNT", .is_right = true } };

static struct tulle__table table;
static struct tulle__text text;

static int
teardown(void **state)
{
    (void)state;
    tulle__table_fini(&table);
    tulle__text_free(&text);
    return 0;
}

static const char *
print(unsigned width, bool is_ascii)
{
    const struct tulle__table_style style = { width, is_ascii };
    tulle__text_clear(&text);
    tulle__table_print(&table, &style, &text);
    tulle__text_char(&text, '\0');
    assert_false(text.has_failed);
    return text.bytes;
}

TEST(columns_are_aligned_and_sorted)
{
    (void)state;
    tulle__table_init(&table, columns, 2);
    assert_string_equal(print(0, false), "NAME  COUNT\n");
    tulle__table_str(&table, "b");
    tulle__table_u64(&table, 7);
    tulle__table_str(&table, "longest");
    tulle__table_u64(&table, 1234567);
    tulle__table_str(&table, "a");
    tulle__table_str(&table, "-"); /* no number: behind all numbers */
    assert_string_equal(print(0, false), "NAME       COUNT\n"
                                         "b              7\n"
                                         "longest  1234567\n"
                                         "a              -\n");
    tulle__table_sort(&table, tulle__table_column(columns, 2, "name"), false);
    assert_string_equal(print(0, false), "NAME       COUNT\n"
                                         "a              -\n"
                                         "b              7\n"
                                         "longest  1234567\n");
    tulle__table_sort(&table, 1, false);
    assert_string_equal(print(0, false), "NAME       COUNT\n"
                                         "longest  1234567\n"
                                         "b              7\n"
                                         "a              -\n");
    tulle__table_sort(&table, 1, true);
    assert_true(strstr(print(0, false), "b ") < strstr(text.bytes, "longest"));
    assert_true(tulle__table_column(columns, 2, "nam") == SIZE_MAX);
}

TEST(long_names_are_cut_at_the_edge_of_the_terminal)
{
    (void)state;
    tulle__table_init(&table, columns, 2);
    tulle__table_str(&table, "a-name-that-is-long");
    tulle__table_u64(&table, 1);
    tulle__table_str(&table, "\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad"
                             "e\xcc\x81");
    tulle__table_u64(&table, 2);
    assert_string_equal(print(16, false),
                        "NAME       COUNT\n"
                        "a-name-t\xe2\x80\xa6      1\n"
                        "\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87\xe2\x80\xa6      2\n");
    assert_string_equal(print(16, true), "NAME       COUNT\n"
                                         "a-name...      1\n"
                                         "??????...      2\n");
    assert_string_equal(print(40, true), "NAME                 COUNT\n"
                                         "a-name-that-is-long      1\n"
                                         "??????????e              2\n");
}

TEST(text_of_peers_is_made_harmless)
{
    (void)state;
    tulle__terminal_put_safe(&text, "a\tb\xe2\x80\xae\xef\xbb\xbf\xc2\xad\033", 12);
    tulle__text_char(&text, '\0');
    assert_string_equal(text.bytes, "a\\tb\\xe2\\x80\\xae\\xef\\xbb\\xbf\\xc2\\xad\\x1b");
    assert_int_equal(tulle__terminal_width("\xe4\xb8\xad"
                                           "e\xcc\x81\xff",
                                           7),
                     4);
}

static const char *
span(uint64_t ms)
{
    tulle__text_clear(&text);
    tulle__human_span(&text, ms);
    tulle__text_char(&text, '\0');
    return text.bytes;
}

static const char *
bytes(uint64_t count)
{
    tulle__text_clear(&text);
    tulle__human_bytes(&text, count);
    tulle__text_char(&text, '\0');
    return text.bytes;
}

static const char *
rate(double value)
{
    tulle__text_clear(&text);
    tulle__human_rate(&text, value);
    tulle__text_char(&text, '\0');
    return text.bytes;
}

TEST(numbers_take_few_columns)
{
    (void)state;
    assert_string_equal(span(0), "0ms");
    assert_string_equal(span(1250), "1.2s");
    assert_string_equal(span(119999), "119s");
    assert_string_equal(span(7199999), "119m");
    assert_string_equal(span(7200000), "2h00m");
    assert_string_equal(span(UINT64_MAX), "213503982334d14h");
    assert_string_equal(bytes(0), "0");
    assert_string_equal(bytes(1023), "1023");
    assert_string_equal(bytes(1024), "1.0K");
    assert_string_equal(bytes(UINT64_C(34) << 20), "34M");
    assert_string_equal(bytes(UINT64_MAX), "16E");
    assert_string_equal(rate(0), "0");
    assert_string_equal(rate(0.44), "0.4");
    assert_string_equal(rate(12345), "12k");
}

/* ---- ls ---- */

static struct large {
    tulle_seen_node nodes[NODES];
    char names[NODES][NAME_LEN];
    tulle_seen_lane lanes[LANES];
    char streams[LANES][NAME_LEN];
    tulle_seen_taker takers[LANES][TAKERS];
    tulle_seen_holder holders[LANES][TAKERS];
    uint64_t ids[NODES];
    tulle_seen_segment segment;
} * large;

static const char *const all[] = { "**" };

static tulle_snapshot
make_large(void)
{
    large = calloc(1, sizeof *large);
    assert_non_null(large);
    for (unsigned i = 0; i < NODES; i++) {
        char *name = large->names[i];
        memset(name, i % 2 == 0 ? '\033' : 'n', NAME_LEN - 1);
        (void)snprintf(name, 8, "n%05u", i);
        name[6] = i % 3 == 0 ? '\n' : '\t';
        large->ids[i] = i + 1;
        large->nodes[i] = (tulle_seen_node){ .id = i + 1,
                                             .name = name,
                                             .address = "tcp://127.0.0.1:1",
                                             .state = TULLE_SEEN_UP,
                                             .takes = all,
                                             .take_count = 1,
                                             .has_counters = true };
    }
    for (unsigned i = 0; i < LANES; i++) {
        (void)snprintf(large->streams[i], NAME_LEN, "stream-with-a-name/%05u\n", i / 2);
        for (unsigned k = 0; k < TAKERS; k++) {
            large->takers[i][k] = (tulle_seen_taker){ i % (NODES - TAKERS + 1) + k + 1, k };
            large->holders[i][k] = (tulle_seen_holder){ i % (NODES - TAKERS + 1) + k + 1, 1, 9 };
        }
        large->lanes[i] = (tulle_seen_lane){ .node = i % NODES + 1,
                                             .node_name = "x",
                                             .stream = large->streams[i],
                                             .head = 9,
                                             .takers = large->takers[i],
                                             .taker_count = TAKERS,
                                             .holders = large->holders[i],
                                             .holder_count = TAKERS };
    }
    large->segment = (tulle_seen_segment){ .name = "", .nodes = large->ids, .node_count = NODES };
    return (tulle_snapshot){ .nodes = large->nodes,
                             .node_count = NODES,
                             .lanes = large->lanes,
                             .lane_count = LANES,
                             .segments = &large->segment,
                             .segment_count = 1 };
}

static void
assert_fits(const char *at)
{
    while (*at != '\0') {
        size_t len = strcspn(at, "\n");
        size_t width = tulle__terminal_width(at, len);
        if (width > COLUMNS)
            print_error("%zu: %.*s\n", width, (int)len, at);
        assert_in_range(width, 0, COLUMNS);
        for (size_t i = 0; i < len; i++)
            assert_true((unsigned char)at[i] >= 0x20 && (unsigned char)at[i] != 0x7f);
        at += len + 1;
    }
}

static void
list(struct tulle__ls *ls, unsigned kinds)
{
    struct tulle__ls_options options;
    tulle__ls_options_init(&options);
    options.kinds = kinds;
    ls->choice.options = &options;
    ls->row_count = 0;
    assert_true(tulle__ls_choice_init(&ls->choice));
    tulle__text_clear(&text);
    tulle__ls_tables(ls, &text);
    tulle__text_char(&text, '\0');
    assert_false(text.has_failed);
    assert_fits(text.bytes);
    options.is_json = true;
    tulle__ls_json(ls, &text);
    assert_false(text.has_failed);
    tulle__ls_choice_fini(&ls->choice);
}

TEST(a_thousand_nodes_with_hostile_names_fit_and_take_little_time)
{
    (void)state;
    tulle_snapshot snapshot = make_large();
    struct tulle__ls ls = { .style = { COLUMNS, true } };
    ls.choice.mesh = &ls.mesh;
    assert_true(tulle__mesh_init(&ls.mesh, &snapshot));
    list(&ls, 0);
    list(&ls, 1U << TULLE__LS_NODES);
    assert_int_equal(ls.row_count, 2 * NODES);
    list(&ls, 1U << TULLE__LS_STREAMS);
    assert_int_equal(ls.row_count, LANES); /* two lanes each, and two forms */
    list(&ls, 1U << TULLE__LS_LANES);
    assert_int_equal(ls.row_count, 2 * LANES);
    list(&ls, 1U << TULLE__LS_HOLDERS | 1U << TULLE__LS_SUBSCRIBERS);
    assert_int_equal(ls.row_count, 4 * LANES * TAKERS);
    tulle__mesh_fini(&ls.mesh);
    free(large);
}

TEST(streams_are_chosen_by_what_topics_they_hold)
{
    (void)state;
    assert_true(tulle__pattern_meets_stream("orders", "orders"));
    assert_true(tulle__pattern_meets_stream("orders/eu/*", "orders"));
    assert_true(tulle__pattern_meets_stream("orders/*/placed", "orders/eu"));
    assert_true(tulle__pattern_meets_stream("**/placed", "orders"));
    assert_true(tulle__pattern_meets_stream("*", "orders"));
    assert_false(tulle__pattern_meets_stream("orders", "orders/eu"));
    assert_false(tulle__pattern_meets_stream("order", "orders"));
    assert_false(tulle__pattern_meets_stream("orders/us/**", "orders/eu"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(columns_are_aligned_and_sorted, teardown),
        cmocka_unit_test_teardown(long_names_are_cut_at_the_edge_of_the_terminal, teardown),
        cmocka_unit_test_teardown(text_of_peers_is_made_harmless, teardown),
        cmocka_unit_test_teardown(numbers_take_few_columns, teardown),
        cmocka_unit_test_teardown(a_thousand_nodes_with_hostile_names_fit_and_take_little_time,
                                  teardown),
        cmocka_unit_test_teardown(streams_are_chosen_by_what_topics_they_hold, teardown),
    };
    return cmocka_run_group_tests_name("unit/tables", tests, NULL, NULL);
}
