/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_TOP_VIEW_H
#define TULLE_TOOLS_TOP_VIEW_H

/* What somebody at a terminal looks at: which screen, sorted how, which row, which page. Keys
 * change it and a canvas shows it; which terminal that is, is not known here. */

#include "app/text.h"
#include "tools/top/top_print.h"
#include "tools/top/top_rows.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TULLE__TOP_WIDTH_MIN = 40,
    TULLE__TOP_HEIGHT_MIN = 8,
    TULLE__TOP_FILTER_LEN = 128,
    TULLE__TOP_DEPTH_MAX = 8,
    TULLE__TOP_DELAY_MS_MIN = 200,
    TULLE__TOP_DELAY_MS_MAX = 60000
};

/* Characters are keys as they are, and these. */
enum tulle__top_key {
    TULLE__TOP_KEY_BACK = 8, /* backspace */
    TULLE__TOP_KEY_TAB = 9,
    TULLE__TOP_KEY_ENTER = 10,
    TULLE__TOP_KEY_CLEAR = 21, /* Ctrl-U */
    TULLE__TOP_KEY_ESCAPE = 27,
    TULLE__TOP_KEY_UP = 0x110000, /* above all characters */
    TULLE__TOP_KEY_DOWN,
    TULLE__TOP_KEY_LEFT,
    TULLE__TOP_KEY_RIGHT,
    TULLE__TOP_KEY_PAGE_UP,
    TULLE__TOP_KEY_PAGE_DOWN,
    TULLE__TOP_KEY_HOME,
    TULLE__TOP_KEY_END,
    TULLE__TOP_KEY_BACKTAB,
    TULLE__TOP_KEY_NONE /* one that means nothing here */
};

enum tulle__top_style {
    TULLE__TOP_STYLE_PLAIN = TULLE__TOP_PLAIN, /* the first are those of marks */
    TULLE__TOP_STYLE_BAD = TULLE__TOP_BAD,
    TULLE__TOP_STYLE_NAME, /* of the program, of a section */
    TULLE__TOP_STYLE_LABEL,
    TULLE__TOP_STYLE_TITLE, /* of a column */
    TULLE__TOP_STYLE_SORTED,
    TULLE__TOP_STYLE_TAB,
    TULLE__TOP_STYLE_TAB_ON,
    TULLE__TOP_STYLE_KEY,
    TULLE__TOP_STYLE_COUNT,
    TULLE__TOP_STYLE_CHOSEN = 0x100 /* in the row of the cursor, besides one of these */
};

struct tulle__top_canvas {
    unsigned width, height;
    bool is_ascii;
    /* Text from column x of line y on, which fits. It has no control characters. */
    void (*put)(void *ctx, unsigned y, unsigned x, unsigned style, const char *text, size_t len);
    void *ctx;
};

enum tulle__top_mode {
    TULLE__TOP_TABLE,
    TULLE__TOP_NODE_PAGE,
    TULLE__TOP_LANE_PAGE,
    TULLE__TOP_HELP_PAGE
};

/* What a row is about, also in another snapshot. */
struct tulle__top_subject {
    uint64_t node;
    char stream[256]; /* "" none */
    char link[64];    /* "" none */
};

/* A place that one came from, and can go back to. */
struct tulle__top_place {
    enum tulle__top_mode mode;
    enum tulle__top_screen screen;
    struct tulle__top_subject of;     /* what a page is of, what a table is limited to */
    struct tulle__top_subject cursor; /* the row chosen */
    size_t row, first;                /* where that was; the first row or line shown */
    bool has_cursor;
};

struct tulle__top_order {
    size_t sort;
    bool is_reverse;
};

/* A line of a page. */
struct tulle__top_line {
    size_t begin, end; /* among the page's text */
    unsigned style;
};

struct tulle__top_page {
    struct tulle__text text;
    struct tulle__top_line *lines;
    size_t count, cap;
    bool has_failed;
};

struct tulle__top_view {
    const struct tulle__top_model *model; /* borrowed */
    const char *mesh;
    struct tulle__top_place at;
    struct tulle__top_place back[TULLE__TOP_DEPTH_MAX];
    size_t depth;
    struct tulle__top_order orders[TULLE__TOP_SCREENS];
    char filter[TULLE__TOP_FILTER_LEN], old_filter[TULLE__TOP_FILTER_LEN];
    bool is_filtering; /* it is being typed */
    bool is_paused, is_quit;
    int64_t delay_ms;

    struct tulle__top_rows rows; /* of the table */
    struct tulle__top_page page;
    unsigned wide[TULLE__TOP_COLUMNS_MAX];   /* what texts of the table need */
    unsigned widths[TULLE__TOP_COLUMNS_MAX]; /* as drawn last */
    size_t skip;                             /* columns scrolled away */
    unsigned height;                         /* rows or lines that there was room for */
    unsigned width;                          /* of the canvas */
    bool has_failed; /* no memory for the rows or the page: nothing is shown */
};

/* model must outlive the view. query: what to begin with. */
void tulle__top_view_init(struct tulle__top_view *view,
                          const struct tulle__top_model *model,
                          const struct tulle__top_query *query,
                          const char *mesh,
                          int64_t delay_ms);
void tulle__top_view_fini(struct tulle__top_view *view);

/* The model has changed, and all that was pointed to in it. */
void tulle__top_view_refresh(struct tulle__top_view *view);

/* The canvas has become so wide, with room for so many rows or lines. */
void tulle__top_view_resize(struct tulle__top_view *view, unsigned width, unsigned height);

/* A key was pressed. */
void tulle__top_view_press(struct tulle__top_view *view, int key);

/* Draw all of it on a canvas that is empty. */
void tulle__top_view_draw(struct tulle__top_view *view, const struct tulle__top_canvas *canvas);

/* ---- pages, made anew for each refresh ---- */

void tulle__top_page_clear(struct tulle__top_page *page);
void tulle__top_page_free(struct tulle__top_page *page);
/* What was put into the page's text since the last line is a line now. */
void tulle__top_page_line(struct tulle__top_page *page, unsigned style);

void tulle__top_page_node(struct tulle__top_page *page,
                          const struct tulle__top_model *model,
                          uint64_t id,
                          unsigned width);
void tulle__top_page_lane(struct tulle__top_page *page,
                          const struct tulle__top_model *model,
                          uint64_t id,
                          const char *stream,
                          unsigned width);
void tulle__top_page_help(struct tulle__top_page *page, enum tulle__top_screen screen);

#endif
