/* SPDX-License-Identifier: MPL-2.0 */

/* Keys, and what they do to what is looked at. */

#include "tools/top/top_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
copy(char *into, size_t cap, const char *text)
{
    (void)snprintf(into, cap, "%s", text);
}

/* ---- what a row is about ---- */

static struct tulle__top_subject
subject_of(const struct tulle__top_view *view, size_t index)
{
    const tulle_snapshot *s = view->model->snapshot;
    const struct tulle__top_row *row = &view->rows.rows[index];
    struct tulle__top_subject subject = { 0 };
    bool is_lane = view->at.screen == TULLE__TOP_LANES;
    if (is_lane)
        subject.node = s->lanes[row->lane].node;
    else if (row->node != SIZE_MAX)
        subject.node = s->nodes[row->node].id;
    if (row->lane != SIZE_MAX)
        copy(subject.stream, sizeof subject.stream, s->lanes[row->lane].stream);
    if (row->link != SIZE_MAX)
        copy(subject.link, sizeof subject.link, s->nodes[row->node].links[row->link].name);
    return subject;
}

static bool
is_about(const struct tulle__top_view *view, size_t index, const struct tulle__top_subject *subject)
{
    const tulle_snapshot *s = view->model->snapshot;
    const struct tulle__top_row *row = &view->rows.rows[index];
    uint64_t node = 0;
    if (view->at.screen == TULLE__TOP_LANES)
        node = s->lanes[row->lane].node;
    else if (row->node != SIZE_MAX)
        node = s->nodes[row->node].id;
    if (node != subject->node)
        return false;
    if (row->lane != SIZE_MAX && strcmp(s->lanes[row->lane].stream, subject->stream) != 0)
        return false;
    return row->link == SIZE_MAX ||
           strcmp(s->nodes[row->node].links[row->link].name, subject->link) == 0;
}

/* ---- rows and pages ---- */

static size_t
line_count(const struct tulle__top_view *view)
{
    return view->at.mode == TULLE__TOP_TABLE ? view->rows.count : view->page.count;
}

/* The row that was chosen is still chosen, wherever it is now. */
static void
follow_cursor(struct tulle__top_view *view)
{
    struct tulle__top_place *at = &view->at;
    if (!at->has_cursor)
        return;
    if (at->row < view->rows.count && is_about(view, at->row, &at->cursor))
        return;
    for (size_t i = 0; i < view->rows.count; i++) {
        if (!is_about(view, i, &at->cursor))
            continue;
        /* It stays where it is on the screen. */
        at->first = i > at->row - at->first ? i - (at->row - at->first) : 0;
        at->row = i;
        return;
    }
}

static void
keep_inside(struct tulle__top_view *view)
{
    struct tulle__top_place *at = &view->at;
    size_t count = line_count(view);
    size_t height = view->height > 0 ? view->height : 1;
    if (at->row >= count)
        at->row = count > 0 ? count - 1 : 0;
    if (at->mode == TULLE__TOP_TABLE) {
        if (at->row < at->first)
            at->first = at->row;
        if (at->row >= at->first + height)
            at->first = at->row + 1 - height;
    }
    size_t last = count > height ? count - height : 0;
    if (at->first > last)
        at->first = last;
}

static void
make_rows(struct tulle__top_view *view)
{
    const struct tulle__top_place *at = &view->at;
    const struct tulle__top_query query = {
        .screen = at->screen,
        .filter = view->filter,
        .sort = view->orders[at->screen].sort,
        .is_reverse = view->orders[at->screen].is_reverse,
        .node = at->of.node,
        .stream = at->of.stream[0] != '\0' ? at->of.stream : NULL,
    };
    view->has_failed = !tulle__top_rows_make(&view->rows, view->model, &query);
    if (view->model->snapshot != NULL) {
        tulle__top_measure(view->model, at->screen, view->rows.rows, view->rows.count, view->wide);
        follow_cursor(view);
    }
}

static void
make_page(struct tulle__top_view *view)
{
    const struct tulle__top_place *at = &view->at;
    tulle__top_page_clear(&view->page);
    switch (at->mode) {
    case TULLE__TOP_TABLE:
        break;
    case TULLE__TOP_NODE_PAGE:
        tulle__top_page_node(&view->page, view->model, at->of.node, view->width);
        break;
    case TULLE__TOP_LANE_PAGE:
        tulle__top_page_lane(&view->page, view->model, at->of.node, at->of.stream, view->width);
        break;
    case TULLE__TOP_HELP_PAGE:
        tulle__top_page_help(&view->page, at->screen);
        break;
    }
    view->has_failed = view->page.has_failed;
}

void
tulle__top_view_refresh(struct tulle__top_view *view)
{
    if (view->at.mode == TULLE__TOP_TABLE)
        make_rows(view);
    else
        make_page(view);
    keep_inside(view);
}

void
tulle__top_view_resize(struct tulle__top_view *view, unsigned width, unsigned height)
{
    bool is_other_page = width != view->width && view->at.mode != TULLE__TOP_TABLE;
    view->width = width;
    view->height = height;
    if (is_other_page)
        make_page(view);
    keep_inside(view);
}

void
tulle__top_view_init(struct tulle__top_view *view,
                     const struct tulle__top_model *model,
                     const struct tulle__top_query *query,
                     const char *mesh,
                     int64_t delay_ms)
{
    *view = (struct tulle__top_view){
        .model = model, .mesh = mesh, .delay_ms = delay_ms, .width = 80, .height = 20
    };
    for (int i = 0; i < TULLE__TOP_SCREENS; i++)
        view->orders[i].sort = tulle__top_table((enum tulle__top_screen)i)->sort;
    view->at.screen = query->screen;
    view->orders[query->screen] = (struct tulle__top_order){ query->sort, query->is_reverse };
    if (query->filter != NULL)
        copy(view->filter, sizeof view->filter, query->filter);
    tulle__top_view_refresh(view);
}

void
tulle__top_view_fini(struct tulle__top_view *view)
{
    tulle__top_rows_free(&view->rows);
    tulle__top_page_free(&view->page);
}

/* ---- going to and fro ---- */

static void
forget_widths(struct tulle__top_view *view)
{
    memset(view->wide, 0, sizeof view->wide);
    view->skip = 0;
}

static void
go(struct tulle__top_view *view, const struct tulle__top_place *to)
{
    if (view->depth == TULLE__TOP_DEPTH_MAX) {
        memmove(view->back, view->back + 1, (TULLE__TOP_DEPTH_MAX - 1) * sizeof *view->back);
        view->depth--;
    }
    view->back[view->depth++] = view->at;
    view->at = *to;
    forget_widths(view);
}

static void
go_back(struct tulle__top_view *view)
{
    if (view->depth > 0) {
        view->at = view->back[--view->depth];
        forget_widths(view);
    } else {
        view->filter[0] = '\0';
    }
}

/* A screen of its own: nothing to go back to, and no page. */
static void
go_screen(struct tulle__top_view *view, int screen)
{
    int count = TULLE__TOP_SCREENS;
    view->depth = 0;
    view->at =
        (struct tulle__top_place){ .screen = (enum tulle__top_screen)((screen + count) % count) };
    forget_widths(view);
}

static void
go_into(struct tulle__top_view *view)
{
    if (view->at.mode != TULLE__TOP_TABLE || view->at.row >= view->rows.count)
        return;
    struct tulle__top_place to = { .mode = TULLE__TOP_NODE_PAGE,
                                   .screen = view->at.screen,
                                   .of = subject_of(view, view->at.row) };
    if (to.screen == TULLE__TOP_STREAMS) {
        to.mode = TULLE__TOP_TABLE;
        to.screen = TULLE__TOP_LANES;
    } else if (to.screen == TULLE__TOP_LANES) {
        to.mode = TULLE__TOP_LANE_PAGE;
    }
    if (to.mode == TULLE__TOP_NODE_PAGE && to.of.node == 0)
        return;
    view->at.cursor = subject_of(view, view->at.row);
    view->at.has_cursor = true;
    go(view, &to);
}

/* ---- moving ---- */

static void
move(struct tulle__top_view *view, bool is_down, size_t by)
{
    struct tulle__top_place *at = &view->at;
    size_t count = line_count(view);
    size_t *place = at->mode == TULLE__TOP_TABLE ? &at->row : &at->first;
    if (is_down)
        *place = by < count - *place ? *place + by : (count > 0 ? count - 1 : 0);
    else
        *place = *place > by ? *place - by : 0;
    keep_inside(view);
    if (at->mode == TULLE__TOP_TABLE && at->row < view->rows.count) {
        at->cursor = subject_of(view, at->row);
        at->has_cursor = true;
    }
}

static bool
press_move(struct tulle__top_view *view, int key)
{
    size_t page = view->height > 1 ? view->height - 1 : 1;
    switch (key) {
    case TULLE__TOP_KEY_UP:
    case 'k':
        move(view, false, 1);
        return true;
    case TULLE__TOP_KEY_DOWN:
    case 'j':
        move(view, true, 1);
        return true;
    case TULLE__TOP_KEY_PAGE_UP:
        move(view, false, page);
        return true;
    case TULLE__TOP_KEY_PAGE_DOWN:
    case ' ':
        move(view, true, page);
        return true;
    case TULLE__TOP_KEY_HOME:
    case 'g':
        move(view, false, SIZE_MAX);
        return true;
    case TULLE__TOP_KEY_END:
    case 'G':
        move(view, true, SIZE_MAX);
        return true;
    default:
        return false;
    }
}

/* ---- sorting and filtering ---- */

/* To the next column that is shown, or the one before. */
static void
sort_on(struct tulle__top_view *view, bool is_forward)
{
    size_t count = tulle__top_table(view->at.screen)->count;
    struct tulle__top_order *order = &view->orders[view->at.screen];
    for (size_t i = 0; i < count; i++) {
        order->sort = (order->sort + (is_forward ? 1 : count - 1)) % count;
        if (view->widths[order->sort] > 0)
            break;
    }
    order->is_reverse = false;
    view->at.has_cursor = false; /* the top of the new order is what is wanted */
    view->at.row = view->at.first = 0;
}

static void
begin_filter(struct tulle__top_view *view)
{
    if (view->at.mode != TULLE__TOP_TABLE)
        return;
    copy(view->old_filter, sizeof view->old_filter, view->filter);
    view->is_filtering = true;
}

static void
put_character(char *text, size_t cap, int key)
{
    unsigned c = (unsigned)key;
    char bytes[5] = { 0 };
    if (c < 0x80) {
        bytes[0] = (char)c;
    } else if (c < 0x800) {
        bytes[0] = (char)(0xc0 | c >> 6);
        bytes[1] = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        bytes[0] = (char)(0xe0 | c >> 12);
        bytes[1] = (char)(0x80 | (c >> 6 & 0x3f));
        bytes[2] = (char)(0x80 | (c & 0x3f));
    } else {
        bytes[0] = (char)(0xf0 | c >> 18);
        bytes[1] = (char)(0x80 | (c >> 12 & 0x3f));
        bytes[2] = (char)(0x80 | (c >> 6 & 0x3f));
        bytes[3] = (char)(0x80 | (c & 0x3f));
    }
    size_t len = strlen(text);
    if (len + strlen(bytes) < cap)
        memcpy(text + len, bytes, strlen(bytes) + 1);
}

static void
press_filter(struct tulle__top_view *view, int key)
{
    size_t len = strlen(view->filter);
    switch (key) {
    case TULLE__TOP_KEY_ENTER:
        view->is_filtering = false;
        break;
    case TULLE__TOP_KEY_ESCAPE:
        copy(view->filter, sizeof view->filter, view->old_filter);
        view->is_filtering = false;
        break;
    case TULLE__TOP_KEY_CLEAR:
        view->filter[0] = '\0';
        break;
    case TULLE__TOP_KEY_BACK:
        while (len > 0 && ((unsigned char)view->filter[--len] & 0xc0) == 0x80)
            continue;
        view->filter[len] = '\0';
        break;
    default:
        if (key >= ' ' && key != 0x7f && key < TULLE__TOP_KEY_UP)
            put_character(view->filter, sizeof view->filter, key);
        else
            (void)press_move(view, key);
        break;
    }
}

/* ---- all keys ---- */

static void
change_delay(struct tulle__top_view *view, bool is_longer)
{
    int64_t step_ms = view->delay_ms < 1000 || (view->delay_ms == 1000 && !is_longer) ? 200 : 1000;
    view->delay_ms += is_longer ? step_ms : -step_ms;
    if (view->delay_ms < TULLE__TOP_DELAY_MS_MIN)
        view->delay_ms = TULLE__TOP_DELAY_MS_MIN;
    if (view->delay_ms > TULLE__TOP_DELAY_MS_MAX)
        view->delay_ms = TULLE__TOP_DELAY_MS_MAX;
}

static void
show_help(struct tulle__top_view *view)
{
    if (view->at.mode == TULLE__TOP_HELP_PAGE) {
        go_back(view);
        return;
    }
    const struct tulle__top_place to = { .mode = TULLE__TOP_HELP_PAGE, .screen = view->at.screen };
    go(view, &to);
}

static void
press_table(struct tulle__top_view *view, int key)
{
    struct tulle__top_order *order = &view->orders[view->at.screen];
    if (view->at.mode != TULLE__TOP_TABLE)
        return;
    switch (key) {
    case TULLE__TOP_KEY_ENTER:
        go_into(view);
        break;
    case TULLE__TOP_KEY_LEFT:
        view->skip -= view->skip > 0;
        break;
    case TULLE__TOP_KEY_RIGHT:
        view->skip += view->skip + 2 < tulle__top_table(view->at.screen)->count;
        break;
    case 's':
    case '>':
        sort_on(view, true);
        break;
    case 'S':
    case '<':
        sort_on(view, false);
        break;
    case 'r':
        order->is_reverse = !order->is_reverse;
        break;
    case '/':
        begin_filter(view);
        break;
    default:
        break;
    }
}

static void
press_any(struct tulle__top_view *view, int key)
{
    switch (key) {
    case 'q':
    case 'Q':
        view->is_quit = true;
        break;
    case TULLE__TOP_KEY_TAB:
        go_screen(view, (int)view->at.screen + 1);
        break;
    case TULLE__TOP_KEY_BACKTAB:
        go_screen(view, (int)view->at.screen - 1);
        break;
    case TULLE__TOP_KEY_ESCAPE:
    case TULLE__TOP_KEY_BACK:
        go_back(view);
        break;
    case '?':
    case 'h':
        show_help(view);
        break;
    case 'p':
        view->is_paused = !view->is_paused;
        break;
    case '+':
    case '=':
        change_delay(view, true);
        break;
    case '-':
        change_delay(view, false);
        break;
    default:
        press_table(view, key);
        break;
    }
}

void
tulle__top_view_press(struct tulle__top_view *view, int key)
{
    if (view->is_filtering)
        press_filter(view, key);
    else if (key >= '1' && key < '1' + TULLE__TOP_SCREENS)
        go_screen(view, key - '1');
    else if (press_move(view, key))
        return; /* the rows are the same */
    else
        press_any(view, key);
    tulle__top_view_refresh(view);
}
