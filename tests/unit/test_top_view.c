/* SPDX-License-Identifier: MPL-2.0 */

/* What keys do to what is looked at, and what is drawn, on a canvas that is no terminal. */

#include "testkit.h"

#include "tools/top/top_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WIDTH_MAX = 250,
    HEIGHT_MAX = 100,
    NODES = 30,
    LANES = 40,
    MANY_LANES = 20000,
    KEYS = 2000,
    NAME_LEN = 24
};

#define ID(n) (UINT64_C(0x0123456700000000) + ((uint64_t)(n) << 32))

/* Nodes n00 to n29, of which the first looks; n01 publishes s00 to s39, which n02 takes. */
struct shot {
    tulle_snapshot s; /* first */
    tulle_seen_node nodes[NODES];
    tulle_seen_lane lanes[MANY_LANES];
    tulle_seen_taker taker[MANY_LANES];
    tulle_seen_holder holder;
    tulle_seen_link links[2];
    tulle_seen_segment segment;
    char names[NODES][NAME_LEN], streams[MANY_LANES][NAME_LEN];
};

static struct tulle__top_model model;
static struct tulle__top_view view;
static char grid[HEIGHT_MAX][WIDTH_MAX + 1];
static unsigned styles[HEIGHT_MAX];
static unsigned width, height;
static size_t puts_count;

static void
free_shot(const tulle_snapshot **snapshot)
{
    free((void *)(uintptr_t)*snapshot);
    *snapshot = NULL;
}

/* With events so far in each lane; lanes from skip on are not there. */
static void
feed(uint64_t ms, uint64_t head, size_t lanes)
{
    struct shot *shot = calloc(1, sizeof *shot);
    assert_non_null(shot);
    shot->s = (tulle_snapshot){ .mono_us = (1000000 + ms) * 1000,
                                .time_us = UINT64_C(1714564800000000) + ms * 1000,
                                .nodes = shot->nodes,
                                .node_count = NODES,
                                .lanes = shot->lanes,
                                .lane_count = lanes,
                                .segments = &shot->segment,
                                .segment_count = 1 };
    shot->segment = (tulle_seen_segment){ .name = "site" };
    for (size_t i = 0; i < NODES; i++) {
        (void)snprintf(shot->names[i], NAME_LEN, "n%02zu", i);
        shot->nodes[i] = (tulle_seen_node){ .id = ID(i),
                                            .name = shot->names[i],
                                            .address = "tcp://192.0.2.7:7100",
                                            .state = TULLE_SEEN_UP,
                                            .is_self = i == 0,
                                            .has_counters = i != 0,
                                            .beat_ms = 1000,
                                            .counters.uptime_ms = ms };
    }
    shot->nodes[3].state = TULLE_SEEN_GONE;
    shot->nodes[4].is_proxy = true;
    shot->nodes[4].links = shot->links;
    shot->nodes[4].link_count = 2;
    shot->links[0] = (tulle_seen_link){ .name = "left", .address = "" };
    shot->links[1] = (tulle_seen_link){ .name = "right", .address = "" };
    shot->nodes[5].counters.gaps = 7;
    shot->holder = (tulle_seen_holder){ ID(1), 1, head };
    for (size_t i = 0; i < lanes; i++) {
        (void)snprintf(shot->streams[i], NAME_LEN, i < 100 ? "s%02zu" : "t%05zu", i);
        shot->taker[i] = (tulle_seen_taker){ ID(2), head / 2 };
        shot->lanes[i] = (tulle_seen_lane){ .node = ID(1),
                                            .node_name = "n01",
                                            .stream = shot->streams[i],
                                            .head = head + i,
                                            .takers = &shot->taker[i],
                                            .taker_count = 1,
                                            .holders = &shot->holder,
                                            .holder_count = 1 };
    }
    const tulle_snapshot *s = &shot->s;
    assert_true(tulle__top_model_feed(&model, &s));
    tulle__top_view_refresh(&view);
}

static int
setup(void **state)
{
    (void)state;
    tulle__top_model_init(&model, 1000);
    model.free_snapshot = free_shot;
    const struct tulle__top_query query = { .screen = TULLE__TOP_NODES };
    tulle__top_view_init(&view, &model, &query, "tulle", 1000);
    width = 80;
    height = 24;
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    tulle__top_view_fini(&view);
    tulle__top_model_fini(&model);
    return 0;
}

static void
put(void *ctx, unsigned y, unsigned x, unsigned style, const char *text, size_t len)
{
    (void)ctx;
    assert_true(y < height && x < width);
    puts_count++;
    if ((style & TULLE__TOP_STYLE_CHOSEN) != 0 || styles[y] == 0)
        styles[y] = style;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        assert_true(c >= 0x20 && c != 0x7f);
        if ((c & 0xc0) != 0x80) {
            assert_true(x < width);
            grid[y][x++] = c < 0x80 ? (char)c : '?';
        }
    }
}

static void
draw(void)
{
    const struct tulle__top_canvas canvas = { .width = width, .height = height, .put = put };
    memset(grid, ' ', sizeof grid);
    memset(styles, 0, sizeof styles);
    puts_count = 0;
    for (unsigned y = 0; y < HEIGHT_MAX; y++)
        grid[y][width] = '\0';
    tulle__top_view_draw(&view, &canvas);
}

static void
press(const char *keys)
{
    for (; *keys != '\0'; keys++)
        tulle__top_view_press(&view, (unsigned char)*keys);
    draw();
}

static void
press_key(int key)
{
    tulle__top_view_press(&view, key);
    draw();
}

/* Line of a text; height: it is not there. */
static unsigned
find(const char *text)
{
    unsigned y = 0;
    while (y < height && strstr(grid[y], text) == NULL)
        y++;
    return y;
}

static void
assert_seen(const char *text)
{
    if (find(text) < height)
        return;
    for (unsigned y = 0; y < height; y++)
        print_error("%s\n", grid[y]);
    fail_msg("not seen: %s", text);
}

static void
assert_line(unsigned y, const char *start)
{
    if (strncmp(grid[y], start, strlen(start)) != 0)
        print_error("%u: %s\n", y, grid[y]);
    assert_memory_equal(grid[y], start, strlen(start));
}

static bool
is_chosen(unsigned y)
{
    return (styles[y] & TULLE__TOP_STYLE_CHOSEN) != 0;
}

static void
feed_twice(void)
{
    feed(0, 100, LANES);
    feed(1000, 200, LANES);
}

TEST(says_what_it_waits_for)
{
    (void)state;
    draw();
    assert_seen("looking for other nodes");
    assert_seen("nothing is known yet");
    feed_twice();
    press("5/nothing");
    assert_seen("nothing has these words");
}

TEST(shows_the_mesh_and_rows_that_fit)
{
    (void)state;
    feed_twice();
    view.orders[TULLE__TOP_NODES].sort = 0;
    view.orders[TULLE__TOP_NODES].is_reverse = false;
    tulle__top_view_refresh(&view);
    draw();
    assert_line(0, "tulle top  tulle  28 up (1 proxy)  1 gone");
    assert_line(1, "published 0/s 0B/s, delivered 0/s 0B/s");
    assert_line(2, "gaps 7  lost 0");
    assert_line(3, " 1 Nodes 29  2 Streams 40  3 Lanes 40  4 Lag  5 Links 2 ");
    assert_line(4, "NODE?");
    assert_line(5, "n01");
    assert_line(22, "n18");
    assert_seen("1-18 of 29");
    height = 50;
    draw();
    assert_line(33, "n29");
    assert_int_equal(find("of 29"), height);
}

TEST(too_small_says_so)
{
    (void)state;
    feed_twice();
    width = TULLE__TOP_WIDTH_MIN - 1;
    draw();
    assert_line(0, "too small: 39x24; 40x8 is needed");
    for (width = 1; width < 250; width += 7) {
        for (height = 1; height < 60; height += 3) {
            press("?");
            press("?");
            draw();
        }
    }
}

TEST(a_row_stays_chosen_wherever_it_goes)
{
    (void)state;
    feed_twice();
    press("3"); /* lanes, all with the same rate: by stream */
    press("jjjjjjjjjjjjjjjjjjjj");
    assert_line(22, "s20");
    assert_true(is_chosen(22) && !is_chosen(5));
    view.orders[TULLE__TOP_LANES] = (struct tulle__top_order){ 0, true };
    tulle__top_view_refresh(&view);
    draw();
    assert_line(22, "s20");
    assert_true(is_chosen(22));
    press("G");
    assert_line(22, "s00");
    assert_true(is_chosen(22));
    feed(2000, 300, 20); /* half of them are gone */
    draw();
    assert_true(is_chosen(find("s00")));
    press_key(TULLE__TOP_KEY_HOME);
    assert_line(5, "s19");
    press_key(TULLE__TOP_KEY_PAGE_DOWN);
    assert_true(is_chosen(find("s02")));
}

TEST(sort_keys_go_through_the_columns_that_are_seen)
{
    (void)state;
    feed_twice();
    press("2");
    size_t begun = view.orders[TULLE__TOP_STREAMS].sort;
    size_t seen = 0;
    for (size_t i = 0; i < TULLE__TOP_COLUMNS_MAX; i++)
        seen += view.widths[i] > 0;
    for (size_t i = 0; i < seen; i++) {
        press("s");
        assert_true(view.widths[view.orders[TULLE__TOP_STREAMS].sort] > 0);
    }
    assert_int_equal(view.orders[TULLE__TOP_STREAMS].sort, begun);
    press(">");
    press("<");
    assert_int_equal(view.orders[TULLE__TOP_STREAMS].sort, begun);
    view.orders[TULLE__TOP_STREAMS].sort = 0;
    press("r");
    assert_line(5, "s39");
    press("1");
    press("2"); /* it is kept */
    assert_line(5, "s39");
}

TEST(a_filter_works_as_it_is_typed)
{
    (void)state;
    feed_twice();
    press("/n1");
    assert_line(23, "filter: n1_");
    assert_seen("/n1 10/29");
    press("1");
    assert_seen("/n11 1/29");
    assert_line(5, "n11");
    press_key(TULLE__TOP_KEY_BACK);
    assert_seen("/n1 10/29");
    press_key(TULLE__TOP_KEY_ENTER);
    assert_line(23, "? help");
    assert_seen("/n1 10/29");
    press("/q");
    assert_false(view.is_quit);
    press_key(TULLE__TOP_KEY_ESCAPE);
    assert_string_equal(view.filter, "n1");
    press("/");
    press_key(TULLE__TOP_KEY_CLEAR);
    press_key(0xe4); /* a letter of two bytes, twice, and one of them taken back */
    press_key(0x20ac);
    press_key(TULLE__TOP_KEY_BACK);
    assert_string_equal(view.filter, "\xc3\xa4");
    for (int i = 0; i < 300; i++)
        press_key(0x10348);
    assert_true(strlen(view.filter) < TULLE__TOP_FILTER_LEN);
    press_key(TULLE__TOP_KEY_ESCAPE);
    press_key(TULLE__TOP_KEY_ESCAPE);
    assert_string_equal(view.filter, "");
}

TEST(enter_leads_into_things_and_escape_back)
{
    (void)state;
    feed_twice();
    press("2");
    press("jj");
    press_key(TULLE__TOP_KEY_ENTER);
    assert_seen("of s02");
    assert_line(5, "s02");
    assert_int_equal(view.rows.count, 1);
    press_key(TULLE__TOP_KEY_ENTER);
    assert_line(4, "lane n01/s02");
    assert_seen("taken by (1)");
    assert_seen("kept by (1)");
    assert_seen("1 to 200  n01");
    press_key(TULLE__TOP_KEY_BACK);
    press_key(TULLE__TOP_KEY_ESCAPE);
    assert_true(is_chosen(find("s02")));
    assert_int_equal(view.rows.count, LANES);
    press("4");
    press_key(TULLE__TOP_KEY_ENTER);
    assert_line(4, "node n02  up for ");
    assert_seen("takes, and lags behind (40)");
    assert_seen("tcp://192.0.2.7:7100");
    press("G");
    assert_seen("uptime");
    press("5");
    press_key(TULLE__TOP_KEY_ENTER);
    assert_line(4, "proxy n04");
    assert_seen("links (2)");
}

TEST(a_page_of_what_is_gone_says_so)
{
    (void)state;
    feed_twice();
    press("3");
    press("G");
    press_key(TULLE__TOP_KEY_ENTER);
    feed(2000, 200, 10);
    draw();
    assert_line(4, "this lane is not known any more");
    press_key(TULLE__TOP_KEY_ESCAPE);
    assert_int_equal(view.rows.count, 10);
}

TEST(help_tells_every_column)
{
    (void)state;
    feed_twice();
    height = 70;
    for (int screen = 0; screen < TULLE__TOP_SCREENS; screen++) {
        const struct tulle__top_table *table = tulle__top_table((enum tulle__top_screen)screen);
        press_key('1' + screen);
        press("?");
        for (size_t i = 0; i < table->count; i++)
            assert_seen(table->columns[i].title);
        assert_seen("PgDn");
        press("?");
        assert_true(view.at.mode == TULLE__TOP_TABLE);
    }
}

TEST(delay_and_pause_are_shown)
{
    (void)state;
    feed_twice();
    press("p++");
    assert_seen("PAUSED");
    assert_seen("every 3.0s");
    press("p----");
    assert_seen("every 0.6s");
    press("--------");
    assert_seen("every 0.2s");
    assert_int_equal(find("PAUSED"), height);
    press("q");
    assert_true(view.is_quit);
}

/* Of many rows only those that are seen are made into text. */
TEST(drawing_does_not_grow_with_the_mesh)
{
    (void)state;
    feed_twice();
    press("3");
    size_t few = puts_count;
    assert_int_equal(view.rows.count, LANES);
    feed(2000, 300, MANY_LANES);
    feed(3000, 400, MANY_LANES);
    draw();
    assert_int_equal(view.rows.count, MANY_LANES);
    assert_true(few > 100 && puts_count < few * 2);
    press("G");
    assert_true(puts_count < few * 2);
}

/* Whatever is pressed, whatever comes: nothing is drawn outside. */
TEST(random_keys_do_no_harm)
{
    (void)state;
    static const int keys[] = {
        TULLE__TOP_KEY_UP,    TULLE__TOP_KEY_DOWN,    TULLE__TOP_KEY_LEFT,
        TULLE__TOP_KEY_RIGHT, TULLE__TOP_KEY_PAGE_UP, TULLE__TOP_KEY_PAGE_DOWN,
        TULLE__TOP_KEY_HOME,  TULLE__TOP_KEY_END,     TULLE__TOP_KEY_BACKTAB,
        TULLE__TOP_KEY_TAB,   TULLE__TOP_KEY_ENTER,   TULLE__TOP_KEY_ESCAPE,
        TULLE__TOP_KEY_BACK,  TULLE__TOP_KEY_CLEAR,   TULLE__TOP_KEY_NONE
    };
    uint32_t seed = 17;
    for (int i = 0; i < KEYS; i++) {
        seed = seed * 1664525 + 1013904223;
        uint32_t chance = seed >> 16;
        if (chance % 97 == 0)
            feed((uint64_t)i * 100, (uint64_t)i, chance % (LANES + 1));
        if (chance % 51 == 0) {
            width = 1 + chance % 240;
            height = 1 + chance % 90;
        }
        if (chance % 3 == 0)
            press_key(keys[chance / 3 % (sizeof keys / sizeof *keys)]);
        else
            press_key((int)(' ' + chance % 95));
        assert_true(view.depth <= TULLE__TOP_DEPTH_MAX);
        assert_true(view.at.mode != TULLE__TOP_TABLE || view.rows.count == 0 ||
                    view.at.row < view.rows.count);
    }
}

int
main(void)
{
#define ONE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        ONE(says_what_it_waits_for),
        ONE(shows_the_mesh_and_rows_that_fit),
        ONE(too_small_says_so),
        ONE(a_row_stays_chosen_wherever_it_goes),
        ONE(sort_keys_go_through_the_columns_that_are_seen),
        ONE(a_filter_works_as_it_is_typed),
        ONE(enter_leads_into_things_and_escape_back),
        ONE(a_page_of_what_is_gone_says_so),
        ONE(help_tells_every_column),
        ONE(delay_and_pause_are_shown),
        ONE(drawing_does_not_grow_with_the_mesh),
        ONE(random_keys_do_no_harm),
    };
    return cmocka_run_group_tests_name("tools/top view", tests, NULL, NULL);
}
