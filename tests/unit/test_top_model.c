/* SPDX-License-Identifier: MPL-2.0 */

/* What top makes of snapshots: rates, lag, rows, and their texts. */

#include "testkit.h"

#include "tools/common/terminal.h"
#include "tools/top/top_print.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { SELF, SHOP, STOCK, LATE, GATE, NODES, LANES = 3, TAKERS = 2, SPAN_MS = 1000 };

/* Ids ascend as the nodes above. */
#define ID(n) (UINT64_C(0x0123456700000000) + ((uint64_t)(n) << 32))

/* A mesh that is made up: shop and stock publish, stock and late take. */
struct shot {
    tulle_snapshot s; /* first */
    tulle_seen_node nodes[NODES];
    tulle_seen_lane lanes[LANES];
    tulle_seen_taker takers[LANES][TAKERS];
    tulle_seen_holder holder;
    tulle_seen_link links[2];
    tulle_seen_segment segments[2];
};

static struct tulle__top_model model;
static struct tulle__top_rows rows;
static struct tulle__text text;
static size_t freed;

static void
free_shot(const tulle_snapshot **snapshot)
{
    freed++;
    free((void *)(uintptr_t)*snapshot);
    *snapshot = NULL;
}

static int
setup(void **state)
{
    (void)state;
    freed = 0;
    tulle__top_model_init(&model, SPAN_MS);
    model.free_snapshot = free_shot;
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    tulle__top_rows_free(&rows);
    tulle__top_model_fini(&model);
    tulle__text_free(&text);
    return 0;
}

static void
set_node(struct shot *shot, size_t n, const char *name, uint64_t ms)
{
    shot->nodes[n] = (tulle_seen_node){ .id = ID(n),
                                        .name = name,
                                        .address = "",
                                        .state = TULLE_SEEN_UP,
                                        .was_viewed = true,
                                        .has_counters = n != SELF,
                                        .counters.uptime_ms = ms,
                                        .beat_ms = 1000,
                                        .is_self = n == SELF,
                                        .is_proxy = n == GATE };
}

static void
set_lane(struct shot *shot, size_t lane, size_t node, const char *stream, size_t takers)
{
    shot->lanes[lane] = (tulle_seen_lane){ .node = ID(node),
                                           .node_name = "",
                                           .stream = stream,
                                           .takers = shot->takers[lane],
                                           .taker_count = takers };
}

/* At so many milliseconds. Nodes began then too; lanes are empty and idle since then. */
static struct shot *
new_shot(uint64_t ms)
{
    struct shot *shot = calloc(1, sizeof *shot);
    assert_non_null(shot);
    shot->s = (tulle_snapshot){ .mono_us = (1000000 + ms) * 1000,
                                .time_us = UINT64_C(1714564800000000) + ms * 1000,
                                .nodes = shot->nodes,
                                .node_count = NODES,
                                .lanes = shot->lanes,
                                .lane_count = LANES,
                                .segments = shot->segments,
                                .segment_count = 2 };
    const char *names[NODES] = { "top", "shop", "stock", "late", "gate" };
    for (size_t i = 0; i < NODES; i++)
        set_node(shot, i, names[i], ms);
    set_lane(shot, 0, SHOP, "orders", 2);
    set_lane(shot, 1, STOCK, "orders", 1);
    set_lane(shot, 2, STOCK, "stock", 1);
    shot->takers[0][0].node = ID(STOCK);
    shot->takers[0][1].node = ID(LATE);
    shot->takers[1][0].node = ID(LATE);
    shot->takers[2][0].node = ID(LATE);
    shot->segments[0] = (tulle_seen_segment){ .name = "site", .has_self = true };
    shot->segments[1] = (tulle_seen_segment){ .name = "wan" };
    shot->links[0] = (tulle_seen_link){ .segment = 0, .name = "site", .address = "" };
    shot->links[1] = (tulle_seen_link){ .segment = 1, .name = "wan", .address = "" };
    shot->nodes[GATE].segment = SIZE_MAX;
    shot->nodes[GATE].links = shot->links;
    shot->nodes[GATE].link_count = 2;
    return shot;
}

static void
feed(struct shot *shot)
{
    const tulle_snapshot *s = &shot->s;
    assert_true(tulle__top_model_feed(&model, &s));
    assert_null(s);
}

/* The head of a lane, seen to grow so many milliseconds before. */
static void
set_head(struct shot *shot, size_t lane, uint64_t head, uint64_t changed_ms)
{
    shot->lanes[lane].head = head;
    shot->lanes[lane].changed_ms = changed_ms;
}

static void
assert_near(double value, double expected)
{
    if (value < expected * 0.999 || value > expected * 1.001)
        print_error("%f for %f\n", value, expected);
    assert_true(value >= expected * 0.999 && value <= expected * 1.001);
}

/* ---- rates ---- */

TEST(rates_are_by_the_time_of_the_node_that_told)
{
    (void)state;
    struct shot *shot = new_shot(0);
    shot->nodes[SHOP].counters.events_published = 1000;
    feed(shot);
    assert_false(model.nodes[SHOP].rates.is_known);
    assert_false(tulle__top_model_is_settled(&model, false));
    shot = new_shot(1000);
    for (size_t i = SHOP; i < NODES; i++)
        shot->nodes[i].counters.uptime_ms = 2000; /* told late, or twice in between */
    shot->nodes[SHOP].counters.events_published = 1200;
    shot->nodes[SHOP].counters.bytes_published = 50000;
    feed(shot);
    assert_true(model.nodes[SHOP].rates.is_known);
    assert_near(model.nodes[SHOP].rates.events_published, 100);
    assert_near(model.nodes[SHOP].rates.bytes_published, 25000);
    assert_near(model.nodes[SHOP].bytes_each, 250);
    assert_near(model.totals.rates.events_published, 100);
    assert_int_equal(freed, 1);
}

TEST(what_was_not_told_anew_keeps_its_rate)
{
    (void)state;
    feed(new_shot(0));
    struct shot *shot = new_shot(1000);
    shot->nodes[SHOP].counters.events_published = 300;
    feed(shot);
    shot = new_shot(2000);
    shot->nodes[SHOP].counters =
        (tulle_seen_counters){ .events_published = 300, .uptime_ms = 1000 };
    feed(shot);
    assert_near(model.nodes[SHOP].rates.events_published, 300);
    shot = new_shot(9000);
    shot->nodes[SHOP].counters =
        (tulle_seen_counters){ .events_published = 300, .uptime_ms = 1000 };
    shot->nodes[SHOP].counters_ms = 8000;
    feed(shot);
    assert_false(model.nodes[SHOP].rates.is_known);
}

TEST(who_is_gone_does_nothing)
{
    (void)state;
    feed(new_shot(0));
    struct shot *shot = new_shot(1000);
    shot->nodes[SHOP].counters.events_published = 300;
    shot->nodes[SHOP].counters.gaps = 2;
    feed(shot);
    shot = new_shot(2000);
    shot->nodes[SHOP].state = TULLE_SEEN_GONE;
    shot->nodes[SHOP].counters.events_published = 300;
    shot->nodes[SHOP].counters.gaps = 2;
    shot->nodes[STOCK].state = TULLE_SEEN_SUSPECT;
    feed(shot);
    assert_false(model.nodes[SHOP].rates.is_known);
    assert_true(model.totals.rates.events_published <= 0);
    assert_int_equal(model.totals.gone, 1);
    assert_int_equal(model.totals.suspect, 1);
    assert_int_equal(model.totals.up, 2); /* not the one that looks */
    assert_int_equal(model.totals.gaps, 2);
    assert_true(model.totals.has_fresh_gaps);
}

TEST(a_lane_grows_at_a_rate_by_when_it_was_seen_to_grow)
{
    (void)state;
    struct shot *shot = new_shot(0);
    set_head(shot, 0, 100, 900);
    feed(shot);
    shot = new_shot(1000);
    set_head(shot, 0, 200, 100); /* at 900: 1800 ms after the one before */
    feed(shot);
    assert_near(model.lanes[0].rate, 100 / 1.8);
    shot = new_shot(2000);
    set_head(shot, 0, 200, 1100);
    feed(shot);
    assert_near(model.lanes[0].rate, 100 / 1.8);
    shot = new_shot(6000);
    set_head(shot, 0, 200, 5100);
    feed(shot);
    shot = new_shot(7000);
    set_head(shot, 0, 200, 6100);
    feed(shot);
    assert_true(model.lanes[0].is_known && model.lanes[0].rate <= 0);
    /* After an hour of silence a thousand at once are not few. */
    shot = new_shot(3600000);
    set_head(shot, 0, 200, 3599100);
    feed(shot);
    shot = new_shot(3601000);
    set_head(shot, 0, 1200, 0);
    feed(shot);
    assert_true(model.lanes[0].rate >= 400);
}

TEST(links_have_rates_once_two_tellings_were_seen)
{
    (void)state;
    feed(new_shot(0));
    for (uint64_t i = 1; i <= 4; i++) {
        struct shot *shot = new_shot(i * 1000);
        /* Told every other second: 200 events more. */
        shot->links[1].events_out = 200 * (i / 2);
        shot->links[1].bytes_in = 4000 * (i / 2);
        feed(shot);
        assert_true(model.links[1].is_known == (i == 4));
    }
    assert_near(model.links[1].rates[0], 100);
    assert_near(model.links[1].rates[3], 2000);
    struct shot *shot = new_shot(20000);
    shot->links[1].events_out = 400;
    shot->links[1].bytes_in = 8000;
    feed(shot);
    assert_true(model.links[1].is_known && model.links[1].rates[0] <= 0);
    assert_true(tulle__top_model_is_settled(&model, true));
}

/* ---- lag ---- */

/* Shop publishes 100 a second; late is 1000 behind there and even with the others. */
static void
feed_lag(void)
{
    for (uint64_t i = 0; i < 2; i++) {
        struct shot *shot = new_shot(i * 1000);
        set_head(shot, 0, 2000 + i * 100, 0);
        set_head(shot, 1, 50, 60000);
        set_head(shot, 2, 7, 60000);
        shot->takers[0][0].acked = 2000 + i * 100 + 1; /* told by another node, a bit later */
        shot->takers[0][1].acked = 1000 + i * 100;
        shot->takers[1][0].acked = 50;
        shot->takers[2][0].acked = 6;
        feed(shot);
    }
}

TEST(lag_is_counted_for_consumers_lanes_and_all)
{
    (void)state;
    feed_lag();
    assert_int_equal(model.nodes[STOCK].lag.events, 0);
    assert_int_equal(model.nodes[LATE].lag.events, 1001);
    assert_int_equal(model.nodes[LATE].lag.worst, 1000);
    assert_int_equal(model.nodes[LATE].lag.lane, 0);
    assert_int_equal(model.nodes[LATE].lag.lane_count, 3);
    assert_int_equal(model.nodes[LATE].lag.behind_ms, 60000); /* of an old event of stock */
    assert_int_equal(model.lanes[0].worst_taker, 1);
    assert_int_equal(tulle__top_behind_ms(&model, 0, 1000), 10000); /* at 100 a second */
    assert_int_equal(model.totals.worst.worst, 1000);
    assert_true(model.totals.worst_node == ID(LATE));
    tulle__top_put_worst(&model, &text);
    tulle__text_char(&text, '\0');
    assert_string_equal(text.bytes, "1000, 10s behind: late of shop/orders");
}

/* ---- rows ---- */

static void
make(enum tulle__top_screen screen, const char *sort, bool is_reverse, const char *filter)
{
    struct tulle__top_query query = { .screen = screen,
                                      .filter = filter,
                                      .sort = tulle__top_find_column(screen, sort),
                                      .is_reverse = is_reverse };
    assert_true(query.sort != SIZE_MAX);
    assert_true(tulle__top_rows_make(&rows, &model, &query));
}

/* Texts of a column, separated by spaces. */
static const char *
column(enum tulle__top_screen screen, const char *key)
{
    size_t index = tulle__top_find_column(screen, key);
    assert_true(index != SIZE_MAX);
    tulle__text_clear(&text);
    for (size_t i = 0; i < rows.count; i++) {
        struct tulle__top_cell cell = tulle__top_value(&model, screen, &rows.rows[i], index);
        tulle__text_str(&text, i > 0 ? " " : "");
        tulle__top_put_cell(&tulle__top_table(screen)->columns[index], &cell, 5, &text);
    }
    tulle__text_char(&text, '\0');
    assert_false(text.has_failed);
    return text.bytes;
}

TEST(rows_are_sorted_and_what_is_not_known_is_last)
{
    (void)state;
    feed_lag();
    make(TULLE__TOP_NODES, "node", false, NULL);
    assert_string_equal(column(TULLE__TOP_NODES, "node"), "gate late shop stock");
    make(TULLE__TOP_NODES, "NODE", true, NULL);
    assert_string_equal(column(TULLE__TOP_NODES, "node"), "stock shop late gate");
    make(TULLE__TOP_NODES, "lag", false, NULL);
    assert_string_equal(column(TULLE__TOP_NODES, "node"), "late stock gate shop");
    assert_string_equal(column(TULLE__TOP_NODES, "lag"), "1001 0 - -");
    make(TULLE__TOP_NODES, "lag", true, NULL);
    assert_string_equal(column(TULLE__TOP_NODES, "node"), "stock late gate shop");
}

TEST(every_screen_has_its_rows)
{
    (void)state;
    feed_lag();
    make(TULLE__TOP_STREAMS, "stream", false, NULL);
    assert_string_equal(column(TULLE__TOP_STREAMS, "stream"), "orders stock");
    assert_string_equal(column(TULLE__TOP_STREAMS, "lanes"), "2 1");
    assert_string_equal(column(TULLE__TOP_STREAMS, "takers"), "2 1");
    assert_string_equal(column(TULLE__TOP_STREAMS, "lag"), "1000 1");
    assert_string_equal(column(TULLE__TOP_STREAMS, "events"), "2150 7");
    assert_string_equal(column(TULLE__TOP_STREAMS, "worst_taker"), "late late");
    make(TULLE__TOP_LANES, "stream", false, NULL);
    assert_string_equal(column(TULLE__TOP_LANES, "node"), "shop stock stock");
    assert_string_equal(column(TULLE__TOP_LANES, "rate"), "100 0 0");
    make(TULLE__TOP_LAGS, "lag", false, NULL);
    assert_string_equal(column(TULLE__TOP_LAGS, "node"), "late late stock");
    assert_string_equal(column(TULLE__TOP_LAGS, "stream"), "orders stock orders");
    assert_string_equal(column(TULLE__TOP_LAGS, "lag"), "1000 1 0");
    assert_string_equal(column(TULLE__TOP_LAGS, "lanes"), "2 1 1");
    assert_string_equal(column(TULLE__TOP_LAGS, "worst_publisher"), "shop stock -");
    make(TULLE__TOP_LINKS, "link", true, NULL);
    assert_string_equal(column(TULLE__TOP_LINKS, "segment"), "wan site");
}

TEST(a_filter_is_words_that_a_row_has_or_has_not)
{
    (void)state;
    feed_lag();
    static const struct {
        enum tulle__top_screen screen;
        const char *filter, *nodes;
    } cases[] = {
        { TULLE__TOP_NODES, "", "gate late shop stock" },
        { TULLE__TOP_NODES, "!", "gate late shop stock" },
        { TULLE__TOP_NODES, "sto", "stock" },
        { TULLE__TOP_NODES, "PROXY up", "gate" },
        { TULLE__TOP_NODES, " !sto  !late ", "gate shop" },
        { TULLE__TOP_NODES, "0123456a", "late" },
        { TULLE__TOP_NODES, "nothing", "" },
        { TULLE__TOP_LANES, "ORDERS stock", "stock" },
        { TULLE__TOP_LANES, "orders !stock", "shop" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make(cases[i].screen, "node", false, cases[i].filter);
        assert_string_equal(column(cases[i].screen, "node"), cases[i].nodes);
        assert_int_equal(rows.all_count, cases[i].screen == TULLE__TOP_LANES ? 3 : 4);
    }
}

TEST(rows_can_be_those_of_a_node_or_a_stream)
{
    (void)state;
    feed_lag();
    struct tulle__top_query query = { .screen = TULLE__TOP_LANES, .stream = "orders" };
    assert_true(tulle__top_rows_make(&rows, &model, &query));
    assert_string_equal(column(TULLE__TOP_LANES, "node"), "shop stock");
    query = (struct tulle__top_query){ .screen = TULLE__TOP_LANES, .node = ID(STOCK) };
    assert_true(tulle__top_rows_make(&rows, &model, &query));
    assert_string_equal(column(TULLE__TOP_LANES, "stream"), "orders stock");
    query = (struct tulle__top_query){ .screen = TULLE__TOP_LAGS, .node = ID(STOCK) };
    assert_true(tulle__top_rows_make(&rows, &model, &query));
    assert_string_equal(column(TULLE__TOP_LAGS, "stream"), "orders");
}

/* ---- texts ---- */

static const char *
said(void)
{
    tulle__text_char(&text, '\0');
    text.len--;
    return text.bytes;
}

TEST(numbers_never_need_more_than_five_columns)
{
    (void)state;
    for (uint64_t value = 1; value < UINT64_MAX / 4; value += 1 + value / 3) {
        for (unsigned width = 4; width <= 5; width++) {
            tulle__text_clear(&text);
            tulle__top_put_count(value, width, &text);
            assert_in_range(text.len, 1, width);
        }
        tulle__text_clear(&text);
        tulle__top_put_bytes((double)value, &text);
        assert_in_range(text.len, 1, 5);
        tulle__text_clear(&text);
        tulle__top_put_rate((double)value / 7, &text);
        assert_in_range(text.len, 1, 5);
        tulle__text_clear(&text);
        tulle__top_put_us(value, &text);
        assert_in_range(text.len, 1, 5);
    }
    static const struct {
        uint64_t us;
        const char *text;
    } spans[] = { { 0, "0us" },           { 999, "999us" },       { 1234, "1.2ms" },
                  { 999000, "999ms" },    { 1500000, "1.5s" },    { 61000000, "61s" },
                  { 125000000, "2m05" },  { 3661000000, "61m" },  { 7500000000, "2h05" },
                  { 360000000000, "4d" }, { 180000000000, "50h" } };
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        tulle__text_clear(&text);
        tulle__top_put_us(spans[i].us, &text);
        assert_string_equal(said(), spans[i].text);
    }
}

TEST(columns_fit_into_every_width)
{
    (void)state;
    feed_lag();
    for (int screen = 0; screen < TULLE__TOP_SCREENS; screen++) {
        unsigned wide[TULLE__TOP_COLUMNS_MAX] = { 0 };
        unsigned widths[TULLE__TOP_COLUMNS_MAX];
        const struct tulle__top_table *table = tulle__top_table((enum tulle__top_screen)screen);
        assert_true(table->count < TULLE__TOP_COLUMNS_MAX);
        make((enum tulle__top_screen)screen, table->columns[0].key, false, NULL);
        tulle__top_measure(&model, (enum tulle__top_screen)screen, rows.rows, rows.count, wide);
        wide[0] = 200;
        size_t before = 0;
        for (unsigned width = 30; width < 300; width++) {
            unsigned used = 0;
            size_t shown = 0;
            tulle__top_layout((enum tulle__top_screen)screen, wide, width, 0, widths);
            for (size_t i = 0; i < table->count; i++) {
                used += widths[i] > 0 ? widths[i] + (used > 0) : 0;
                shown += widths[i] > 0;
            }
            assert_true(widths[0] > 0 && used <= width);
            assert_true(shown + 1 >= before); /* a wide column may take the place of another */
            before = shown;
        }
        assert_int_equal(before, table->count);
    }
}

TEST(json_and_csv_survive_any_name)
{
    (void)state;
    struct shot *shot = new_shot(0);
    shot->nodes[SHOP].name = "a,\"b\"\x1b[2J\xff";
    shot->lanes[0].stream = "or\"de,rs\x1b";
    feed(shot);
    struct tulle__top_query query = { .screen = TULLE__TOP_LANES };
    assert_true(tulle__top_rows_make(&rows, &model, &query));
    tulle__text_char(&text, '{');
    tulle__top_json_head(&model, &text);
    tulle__top_json_rows(&model, &query, &rows, SIZE_MAX, true, &text);
    tulle__text_char(&text, '}');
    json_error_t error;
    json_t *root = json_loadb(text.bytes, text.len, 0, &error);
    if (root == NULL)
        print_error("%s in %s\n", error.text, said());
    assert_non_null(root);
    const json_t *lane = json_array_get(json_object_get(root, "lanes"), 0);
    assert_string_equal(json_string_value(json_object_get(lane, "stream")), "or\"de,rs\x1b");
    assert_string_equal(json_string_value(json_object_get(lane, "node")), "a,\"b\"\\x1b[2J\\xff");
    assert_int_equal(json_array_size(json_object_get(lane, "consumers")), 2);
    json_decref(root);
    tulle__text_clear(&text);
    tulle__top_print_csv(&model, &query, &rows, 1, true, &text);
    assert_non_null(strstr(said(), "\n2024-05-01T12:00:00.000000Z,\"or\"\"de,rs\x1b\","
                                   "\"a,\"\"b\"\"\\x1b[2J\\xff\",0123456800000000,up,"));
    tulle__text_clear(&text);
    tulle__top_print_table(&model, &query, &rows, 80, SIZE_MAX, &text);
    assert_null(strchr(said(), '\x1b'));
    for (const char *at = strstr(text.bytes, "\nSTREAM"); at != NULL; at = strchr(at + 1, '\n'))
        assert_true(tulle__terminal_width(at + 1, strcspn(at + 1, "\n")) <= 80);
}

int
main(void)
{
#define ONE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        ONE(rates_are_by_the_time_of_the_node_that_told),
        ONE(what_was_not_told_anew_keeps_its_rate),
        ONE(who_is_gone_does_nothing),
        ONE(a_lane_grows_at_a_rate_by_when_it_was_seen_to_grow),
        ONE(links_have_rates_once_two_tellings_were_seen),
        ONE(lag_is_counted_for_consumers_lanes_and_all),
        ONE(rows_are_sorted_and_what_is_not_known_is_last),
        ONE(every_screen_has_its_rows),
        ONE(a_filter_is_words_that_a_row_has_or_has_not),
        ONE(rows_can_be_those_of_a_node_or_a_stream),
        ONE(numbers_never_need_more_than_five_columns),
        ONE(columns_fit_into_every_width),
        ONE(json_and_csv_survive_any_name),
    };
    return cmocka_run_group_tests_name("tools/top", tests, NULL, NULL);
}
