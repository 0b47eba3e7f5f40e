/* SPDX-License-Identifier: MPL-2.0 */

/* The whole picture: the mesh in three lines, tabs, a table or a page, keys. Of a table only the
 * rows that are seen are looked at. */

#include "tools/common/terminal.h"
#include "tools/top/top_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { HEAD_LINES = 4, FOOT_LINES = 1, TABS_WIDTH_LONG = 70 };

struct pen {
    const struct tulle__top_canvas *canvas;
    unsigned y, x;
    unsigned chosen; /* TULLE__TOP_STYLE_CHOSEN or 0 */
    struct tulle__text text;
};

/* As much of the text as there is room for on the line. */
static void
put(struct pen *pen, unsigned style, const char *text, size_t len)
{
    unsigned room = pen->x < pen->canvas->width ? pen->canvas->width - pen->x : 0;
    tulle__text_clear(&pen->text);
    unsigned taken = tulle__top_put_fit(text, len, room, &pen->text);
    if (taken > 0 && !pen->text.has_failed)
        pen->canvas->put(pen->canvas->ctx, pen->y, pen->x, style | pen->chosen, pen->text.bytes,
                         pen->text.len);
    pen->x += taken;
}

static void
puts_at(struct pen *pen, unsigned style, const char *text)
{
    put(pen, style, text, strlen(text));
}

static void
put_text(struct pen *pen, unsigned style, struct tulle__text *text)
{
    if (!text->has_failed)
        put(pen, style, text->bytes, text->len);
    tulle__text_clear(text);
}

static void
go_to(struct pen *pen, unsigned y, unsigned x)
{
    pen->y = y;
    pen->x = x;
}

/* From the right end of the line, if the rest of it has room for that. */
static void
put_right(struct pen *pen, unsigned style, const char *text)
{
    size_t len = strlen(text);
    if (pen->x + 1 + len > pen->canvas->width)
        return;
    pen->x = pen->canvas->width - (unsigned)len;
    put(pen, style, text, len);
}

/* ---- head ---- */

static void
draw_clock(struct pen *pen, const struct tulle__top_view *view)
{
    char clock[32] = "";
    char text[80];
    const tulle_snapshot *s = view->model->snapshot;
    time_t seconds = s != NULL ? (time_t)(s->time_us / 1000000) : 0;
    struct tm local;
    if (s != NULL && localtime_r(&seconds, &local) != NULL)
        (void)strftime(clock, sizeof clock, "%H:%M:%S", &local);
    (void)snprintf(text, sizeof text, "%s%s every %.1fs", view->is_paused ? "PAUSED " : "", clock,
                   (double)view->delay_ms / 1000);
    put_right(pen, view->is_paused ? TULLE__TOP_WARN : TULLE__TOP_STYLE_LABEL, text);
}

static void
draw_nodes(struct pen *pen, const struct tulle__top_view *view)
{
    const struct tulle__top_totals *t = &view->model->totals;
    struct tulle__text text = { 0 };
    puts_at(pen, TULLE__TOP_STYLE_NAME, "tulle top");
    puts_at(pen, TULLE__TOP_STYLE_LABEL, "  ");
    tulle__terminal_put_safe(&text, view->mesh, strlen(view->mesh));
    put_text(pen, TULLE__TOP_PLAIN, &text);
    puts_at(pen, TULLE__TOP_PLAIN, "  ");
    tulle__text_format(&text, "%zu up", t->up);
    if (t->proxies > 0)
        tulle__text_format(&text, " (%zu prox%s)", t->proxies, t->proxies == 1 ? "y" : "ies");
    put_text(pen, t->up > 0 ? TULLE__TOP_GOOD : TULLE__TOP_PLAIN, &text);
    const struct {
        size_t count;
        const char *what;
        unsigned style;
    } others[] = { { t->suspect, "suspect", TULLE__TOP_WARN },
                   { t->gone, "gone", TULLE__TOP_BAD },
                   { t->left, "left", TULLE__TOP_FAINT } };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (others[i].count == 0)
            continue;
        tulle__text_format(&text, "  %zu %s", others[i].count, others[i].what);
        put_text(pen, others[i].style, &text);
    }
    if (view->model->snapshot != NULL && view->model->snapshot->pending > 0) {
        tulle__text_format(&text, "  %zu not answered", view->model->snapshot->pending);
        put_text(pen, TULLE__TOP_WARN, &text);
    }
    draw_clock(pen, view);
    tulle__text_free(&text);
}

static unsigned
lateness(uint64_t behind_ms)
{
    if (behind_ms >= TULLE__TOP_BAD_MS)
        return TULLE__TOP_BAD;
    return behind_ms >= TULLE__TOP_LATE_MS ? TULLE__TOP_WARN : TULLE__TOP_PLAIN;
}

static void
draw_worst(struct pen *pen, const struct tulle__top_view *view)
{
    const struct tulle__top_totals *t = &view->model->totals;
    struct tulle__text text = { 0 };
    unsigned style = TULLE__TOP_FAINT;
    if (t->gaps > 0)
        style = t->has_fresh_gaps ? TULLE__TOP_BAD : TULLE__TOP_WARN;
    puts_at(pen, TULLE__TOP_STYLE_LABEL, "gaps ");
    tulle__top_put_count(t->gaps, 5, &text);
    put_text(pen, style, &text);
    puts_at(pen, TULLE__TOP_STYLE_LABEL, "  lost ");
    tulle__top_put_count(t->events_lost, 5, &text);
    put_text(pen, style, &text);
    puts_at(pen, TULLE__TOP_STYLE_LABEL, "  held ");
    tulle__top_put_bytes((double)t->held_now, &text);
    tulle__text_char(&text, 'B');
    put_text(pen, t->held_now > 0 ? TULLE__TOP_PLAIN : TULLE__TOP_FAINT, &text);
    puts_at(pen, TULLE__TOP_STYLE_LABEL, "  worst lag ");
    style = TULLE__TOP_FAINT;
    if (t->worst.lane != SIZE_MAX)
        style = lateness(tulle__top_behind_ms(view->model, t->worst.lane, t->worst.worst));
    tulle__top_put_worst(view->model, &text);
    put_text(pen, style, &text);
    tulle__text_free(&text);
}

static void
draw_head(struct pen *pen, const struct tulle__top_view *view)
{
    struct tulle__text text = { 0 };
    go_to(pen, 0, 0);
    draw_nodes(pen, view);
    go_to(pen, 1, 0);
    if (view->model->snapshot == NULL || view->model->snapshot->node_count <= 1) {
        puts_at(pen, TULLE__TOP_WARN, "looking for other nodes ...");
    } else {
        tulle__top_put_flow(view->model, &text);
        put_text(pen, TULLE__TOP_PLAIN, &text);
        go_to(pen, 2, 0);
        draw_worst(pen, view);
    }
    tulle__text_free(&text);
}

/* ---- tabs ---- */

static size_t
row_count(const struct tulle__top_view *view, int screen)
{
    const struct tulle__top_totals *t = &view->model->totals;
    switch ((enum tulle__top_screen)screen) {
    case TULLE__TOP_NODES:
        return t->up + t->suspect + t->gone + t->left + t->named;
    case TULLE__TOP_STREAMS:
        return t->streams;
    case TULLE__TOP_LANES:
        return t->lanes;
    case TULLE__TOP_LAGS:
        return SIZE_MAX;
    case TULLE__TOP_LINKS:
        return view->model->link_count;
    case TULLE__TOP_TAKEN:
    case TULLE__TOP_TAKERS:
    case TULLE__TOP_TABLES:
        break;
    }
    return SIZE_MAX;
}

static void
draw_tabs(struct pen *pen, const struct tulle__top_view *view)
{
    for (int i = 0; i < TULLE__TOP_SCREENS; i++) {
        char tab[64];
        size_t count = row_count(view, i);
        bool has_count = count != SIZE_MAX && pen->canvas->width >= TABS_WIDTH_LONG;
        int len = snprintf(tab, sizeof tab, " %d %s", i + 1,
                           tulle__top_table((enum tulle__top_screen)i)->title);
        if (has_count)
            len += snprintf(tab + len, sizeof tab - (size_t)len, " %zu", count);
        (void)snprintf(tab + len, sizeof tab - (size_t)len, " ");
        bool is_on = view->at.screen == (enum tulle__top_screen)i;
        puts_at(pen, is_on ? TULLE__TOP_STYLE_TAB_ON : TULLE__TOP_STYLE_TAB, tab);
    }
    struct tulle__text text = { 0 };
    if (view->at.mode == TULLE__TOP_TABLE && view->at.of.stream[0] != '\0') {
        tulle__text_str(&text, "  of ");
        tulle__terminal_put_safe(&text, view->at.of.stream, strlen(view->at.of.stream));
        put_text(pen, TULLE__TOP_STYLE_NAME, &text);
    }
    if (view->at.mode == TULLE__TOP_TABLE && view->filter[0] != '\0') {
        tulle__text_str(&text, "  /");
        tulle__terminal_put_safe(&text, view->filter, strlen(view->filter));
        tulle__text_format(&text, " %zu/%zu", view->rows.count, view->rows.all_count);
        put_text(pen, TULLE__TOP_WARN, &text);
    }
    tulle__text_free(&text);
}

/* ---- table ---- */

static void
draw_titles(struct pen *pen, const struct tulle__top_view *view)
{
    const struct tulle__top_table *table = tulle__top_table(view->at.screen);
    const struct tulle__top_order *order = &view->orders[view->at.screen];
    struct tulle__text text = { 0 };
    unsigned x = 0;
    for (size_t i = 0; i < table->count; i++) {
        if (view->widths[i] == 0)
            continue;
        bool is_text = table->columns[i].kind == TULLE__TOP_TEXT;
        bool is_up = is_text != order->is_reverse;
        bool is_sorted = i == order->sort;
        go_to(pen, pen->y, x);
        tulle__top_put_title(&table->columns[i], view->widths[i], &text);
        put_text(pen, is_sorted ? TULLE__TOP_STYLE_SORTED : TULLE__TOP_STYLE_TITLE, &text);
        /* The arrow stands beside the title: there is always room between two columns. */
        unsigned len = (unsigned)strlen(table->columns[i].title);
        unsigned end = x + view->widths[i];
        unsigned arrow = is_text || end <= len ? x + len : end - len - 1;
        x += view->widths[i];
        if (is_sorted && arrow < pen->canvas->width) {
            const char *up = pen->canvas->is_ascii ? "^" : "\xe2\x96\xb2";
            const char *down = pen->canvas->is_ascii ? "v" : "\xe2\x96\xbc";
            go_to(pen, pen->y, arrow);
            puts_at(pen, TULLE__TOP_STYLE_SORTED, is_up ? up : down);
        }
        x++;
    }
    tulle__text_free(&text);
}

static void
draw_row(struct pen *pen, const struct tulle__top_view *view, size_t index)
{
    const struct tulle__top_table *table = tulle__top_table(view->at.screen);
    const struct tulle__top_row *row = &view->rows.rows[index];
    struct tulle__text text = { 0 };
    pen->chosen = index == view->at.row ? TULLE__TOP_STYLE_CHOSEN : 0;
    for (size_t i = 0; i < table->count; i++) {
        if (view->widths[i] == 0)
            continue;
        struct tulle__top_cell cell = tulle__top_value(view->model, view->at.screen, row, i);
        if (pen->x > 0)
            puts_at(pen, TULLE__TOP_PLAIN, " ");
        tulle__top_put_field(&table->columns[i], &cell, view->widths[i], &text);
        put_text(pen, cell.mark, &text);
    }
    while (pen->chosen != 0 && pen->x < pen->canvas->width)
        puts_at(pen, TULLE__TOP_PLAIN, " ");
    pen->chosen = 0;
    tulle__text_free(&text);
}

static const char *
why_empty(const struct tulle__top_view *view)
{
    if (view->has_failed)
        return "out of memory";
    if (view->filter[0] != '\0' && view->rows.all_count > 0)
        return "nothing has these words; Esc ends the filter";
    if (view->model->snapshot == NULL || view->model->snapshot->pending > 0 ||
        view->model->snapshot->node_count <= 1)
        return "nothing is known yet";
    switch (view->at.screen) {
    case TULLE__TOP_LAGS:
        return "nobody takes anything";
    case TULLE__TOP_LINKS:
        return "there is no proxy";
    case TULLE__TOP_NODES:
    case TULLE__TOP_STREAMS:
    case TULLE__TOP_LANES:
    case TULLE__TOP_TAKEN:
    case TULLE__TOP_TAKERS:
    case TULLE__TOP_TABLES:
        break;
    }
    return "nothing is published";
}

static void
draw_table(struct pen *pen, struct tulle__top_view *view)
{
    tulle__top_layout(view->at.screen, view->wide, pen->canvas->width, view->skip, view->widths);
    go_to(pen, HEAD_LINES, 0);
    draw_titles(pen, view);
    for (size_t i = 0; i < view->height && view->at.first + i < view->rows.count; i++) {
        go_to(pen, HEAD_LINES + 1 + (unsigned)i, 0);
        draw_row(pen, view, view->at.first + i);
    }
    if (view->rows.count == 0) {
        go_to(pen, HEAD_LINES + 1, 0);
        puts_at(pen, TULLE__TOP_FAINT, why_empty(view));
    }
}

static void
draw_page(struct pen *pen, const struct tulle__top_view *view)
{
    for (size_t i = 0; i < view->height && view->at.first + i < view->page.count; i++) {
        const struct tulle__top_line *line = &view->page.lines[view->at.first + i];
        go_to(pen, HEAD_LINES + (unsigned)i, 0);
        put(pen, line->style, view->page.text.bytes + line->begin, line->end - line->begin);
    }
}

/* ---- foot ---- */

struct hint {
    const char *key, *what;
};

/* As many as there is room for, in columns up to end. */
static void
draw_hints(struct pen *pen, const struct tulle__top_view *view, unsigned end)
{
    static const struct hint of_table[] = {
        { "?", "help" },   { "Tab", "screen" }, { "Enter", "into" }, { "/", "filter" },
        { "s", "sort" },   { "q", "quit" },     { "r", "reverse" },  { "p", "pause" },
        { "+-", "delay" }, { NULL, NULL },
    };
    static const struct hint of_page[] = {
        { "Esc", "back" }, { "?", "help" },  { "Tab", "screen" },
        { "q", "quit" },   { "p", "pause" }, { NULL, NULL },
    };
    const struct hint *hints = view->at.mode == TULLE__TOP_TABLE ? of_table : of_page;
    for (size_t i = 0; hints[i].key != NULL; i++) {
        unsigned space = i > 0 ? 2 : 0;
        if (pen->x + space + strlen(hints[i].key) + 1 + strlen(hints[i].what) > end)
            return;
        puts_at(pen, TULLE__TOP_STYLE_LABEL, i > 0 ? "  " : "");
        puts_at(pen, TULLE__TOP_STYLE_KEY, hints[i].key);
        puts_at(pen, TULLE__TOP_STYLE_LABEL, " ");
        puts_at(pen, TULLE__TOP_STYLE_LABEL, hints[i].what);
    }
}

static void
draw_filter_prompt(struct pen *pen, const struct tulle__top_view *view)
{
    struct tulle__text text = { 0 };
    puts_at(pen, TULLE__TOP_STYLE_KEY, "filter: ");
    tulle__terminal_put_safe(&text, view->filter, strlen(view->filter));
    put_text(pen, TULLE__TOP_STYLE_NAME, &text);
    puts_at(pen, TULLE__TOP_STYLE_NAME, "_");
    puts_at(pen, TULLE__TOP_STYLE_LABEL, "  words, !without; Enter keeps it, Esc does not");
    tulle__text_free(&text);
}

static void
draw_foot(struct pen *pen, const struct tulle__top_view *view)
{
    char place[64] = "";
    size_t count = view->at.mode == TULLE__TOP_TABLE ? view->rows.count : view->page.count;
    size_t last = view->at.first + view->height;
    if (count > view->height) {
        (void)snprintf(place, sizeof place, "%zu-%zu of %zu", view->at.first + 1,
                       last < count ? last : count, count);
    }
    go_to(pen, pen->canvas->height - 1, 0);
    if (view->is_filtering)
        draw_filter_prompt(pen, view);
    else
        draw_hints(pen, view, pen->canvas->width - (unsigned)strlen(place) - (place[0] != '\0'));
    put_right(pen, TULLE__TOP_STYLE_LABEL, place);
}

static void
draw_too_small(struct pen *pen)
{
    char text[80];
    (void)snprintf(text, sizeof text, "too small: %ux%u; %dx%d is needed", pen->canvas->width,
                   pen->canvas->height, TULLE__TOP_WIDTH_MIN, TULLE__TOP_HEIGHT_MIN);
    go_to(pen, 0, 0);
    puts_at(pen, TULLE__TOP_WARN, text);
}

void
tulle__top_view_draw(struct tulle__top_view *view, const struct tulle__top_canvas *canvas)
{
    struct pen pen = { .canvas = canvas };
    if (canvas->width < TULLE__TOP_WIDTH_MIN || canvas->height < TULLE__TOP_HEIGHT_MIN) {
        draw_too_small(&pen);
        tulle__text_free(&pen.text);
        return;
    }
    bool is_table = view->at.mode == TULLE__TOP_TABLE;
    tulle__top_view_resize(view, canvas->width,
                           canvas->height - HEAD_LINES - FOOT_LINES - (is_table ? 1 : 0));
    draw_head(&pen, view);
    go_to(&pen, HEAD_LINES - 1, 0);
    draw_tabs(&pen, view);
    if (is_table)
        draw_table(&pen, view);
    else
        draw_page(&pen, view);
    draw_foot(&pen, view);
    tulle__text_free(&pen.text);
}
