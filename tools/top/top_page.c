/* SPDX-License-Identifier: MPL-2.0 */

/* All about one node, or one lane; and the keys. */

#include "tools/common/terminal.h"
#include "tools/top/top_view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_WIDTH = 12, SHOWN_MAX = 10000 /* lines of a table in a page */ };

/* ---- lines ---- */

void
tulle__top_page_clear(struct tulle__top_page *page)
{
    tulle__text_clear(&page->text);
    page->count = 0;
    page->has_failed = false;
}

void
tulle__top_page_free(struct tulle__top_page *page)
{
    tulle__text_free(&page->text);
    free(page->lines);
    *page = (struct tulle__top_page){ 0 };
}

void
tulle__top_page_line(struct tulle__top_page *page, unsigned style)
{
    if (page->count == page->cap) {
        size_t cap = page->cap < 64 ? 64 : page->cap * 2;
        struct tulle__top_line *lines = realloc(page->lines, cap * sizeof *lines);
        if (lines == NULL) {
            page->has_failed = true;
            return;
        }
        page->lines = lines;
        page->cap = cap;
    }
    size_t begin = page->count > 0 ? page->lines[page->count - 1].end : 0;
    page->lines[page->count++] = (struct tulle__top_line){ begin, page->text.len, style };
    if (page->text.has_failed) {
        page->has_failed = true;
        page->count = 0;
    }
}

static void
blank(struct tulle__top_page *page)
{
    tulle__top_page_line(page, TULLE__TOP_PLAIN);
}

static void
title(struct tulle__top_page *page, const char *text)
{
    tulle__text_str(&page->text, text);
    tulle__top_page_line(page, TULLE__TOP_STYLE_NAME);
}

static void
label(struct tulle__top_page *page, const char *text)
{
    tulle__text_format(&page->text, "  %-*s", LABEL_WIDTH, text);
}

static void
put_safe(struct tulle__top_page *page, const char *text)
{
    tulle__terminal_put_safe(&page->text, text, strlen(text));
}

static void
put_span(struct tulle__top_page *page, uint64_t ms)
{
    tulle__top_put_us(ms < UINT64_MAX / 1000 ? ms * 1000 : UINT64_MAX, &page->text);
}

static void
put_label(struct tulle__top_page *page, const struct tulle__top_model *model, uint64_t id)
{
    tulle__mesh_put_label(&model->mesh, id, NULL, &page->text);
}

/* ---- tables ---- */

static unsigned
worse(unsigned style, enum tulle__top_mark mark)
{
    bool stands_out = mark == TULLE__TOP_WARN || mark == TULLE__TOP_BAD;
    return stands_out && (unsigned)mark > style ? (unsigned)mark : style;
}

static void
put_titles(struct tulle__top_page *page,
           const struct tulle__top_table *table,
           const unsigned *widths)
{
    for (size_t i = 0; i < table->count; i++) {
        if (widths[i] == 0)
            continue;
        tulle__text_char(&page->text, ' ');
        tulle__top_put_title(&table->columns[i], widths[i], &page->text);
    }
    tulle__top_page_line(page, TULLE__TOP_STYLE_TITLE);
}

static void
put_row(struct tulle__top_page *page,
        const struct tulle__top_model *model,
        enum tulle__top_screen screen,
        const struct tulle__top_row *row,
        const unsigned *widths)
{
    const struct tulle__top_table *table = tulle__top_table(screen);
    unsigned style = TULLE__TOP_PLAIN;
    for (size_t i = 0; i < table->count; i++) {
        if (widths[i] == 0)
            continue;
        struct tulle__top_cell cell = tulle__top_value(model, screen, row, i);
        style = worse(style, cell.mark);
        tulle__text_char(&page->text, ' ');
        tulle__top_put_field(&table->columns[i], &cell, widths[i], &page->text);
    }
    tulle__top_page_line(page, style);
}

/* The rows of a query as a table of its own, under a title, if there are any. */
static void
put_table(struct tulle__top_page *page,
          const struct tulle__top_model *model,
          const struct tulle__top_query *wanted,
          const char *what,
          unsigned width)
{
    struct tulle__top_rows rows = { 0 };
    struct tulle__top_query query = *wanted;
    unsigned wide[TULLE__TOP_COLUMNS_MAX] = { 0 };
    unsigned widths[TULLE__TOP_COLUMNS_MAX];
    query.sort = tulle__top_table(query.screen)->sort;
    if (!tulle__top_rows_make(&rows, model, &query)) {
        page->has_failed = true;
        return;
    }
    if (rows.count > 0) {
        tulle__top_measure(model, query.screen, rows.rows, rows.count, wide);
        tulle__top_layout(query.screen, wide, width - 1, 0, widths);
        blank(page);
        tulle__text_format(&page->text, "%s (%zu)", what, rows.count);
        tulle__top_page_line(page, TULLE__TOP_STYLE_NAME);
        put_titles(page, tulle__top_table(query.screen), widths);
    }
    for (size_t i = 0; i < rows.count && i < SHOWN_MAX; i++)
        put_row(page, model, query.screen, &rows.rows[i], widths);
    if (rows.count > SHOWN_MAX) {
        tulle__text_format(&page->text, " and %zu more", rows.count - SHOWN_MAX);
        tulle__top_page_line(page, TULLE__TOP_FAINT);
    }
    tulle__top_rows_free(&rows);
}

/* ---- a node ---- */

static void
node_facts(struct tulle__top_page *page, const struct tulle__top_model *model, size_t index)
{
    const tulle_seen_node *node = &model->snapshot->nodes[index];
    struct tulle__text *out = &page->text;
    tulle__text_format(out, "%s ", node->is_proxy ? "proxy" : "node");
    tulle__text_str(out, model->mesh.nodes[index].label);
    tulle__text_format(out, "  %s for ", tulle__mesh_state(node->state));
    put_span(page, node->since_ms);
    unsigned style = TULLE__TOP_STYLE_NAME;
    if (node->state == TULLE_SEEN_SUSPECT)
        style = TULLE__TOP_WARN;
    else if (node->state == TULLE_SEEN_GONE)
        style = TULLE__TOP_BAD;
    tulle__top_page_line(page, style);
    label(page, "id");
    tulle__text_id(out, node->id);
    tulle__text_format(out, "   hops %" PRIu32, node->hops);
    if (node->via != 0) {
        tulle__text_str(out, " via ");
        put_label(page, model, node->via);
    }
    tulle__text_str(out, "   segment ");
    tulle__text_str(out, tulle__mesh_segment(&model->mesh, node->segment));
    tulle__top_page_line(page, TULLE__TOP_PLAIN);
    label(page, "address");
    put_safe(page, node->address[0] != '\0' ? node->address : "-");
    tulle__top_page_line(page, TULLE__TOP_PLAIN);
    label(page, "heard");
    put_span(page, node->heard_ms);
    tulle__text_format(out, " ago, beats every %" PRIu32 " ms, answers in ", node->beat_ms);
    if (node->has_round_trip)
        tulle__top_put_us(node->round_trip_us, out);
    else
        tulle__text_char(out, '-');
    tulle__top_page_line(page, TULLE__TOP_PLAIN);
    label(page, "takes");
    for (size_t i = 0; i < node->take_count; i++) {
        tulle__text_str(out, i > 0 ? ", " : "");
        put_safe(page, node->takes[i]);
    }
    tulle__text_str(out, node->take_count == 0 ? "nothing" : "");
    tulle__top_page_line(page, TULLE__TOP_PLAIN);
}

static void
node_counters(struct tulle__top_page *page, const struct tulle__top_model *model, size_t index)
{
    const tulle_seen_node *node = &model->snapshot->nodes[index];
    const struct tulle__top_rates *rates = &model->nodes[index].rates;
    struct tulle__text *out = &page->text;
    if (!node->has_counters)
        return;
    blank(page);
    title(page, "counters");
    const struct {
        const char *name, *unit;
        uint64_t value;
        double rate; /* negative: none */
        bool is_bad;
    } rows[] = {
#define RATE(field) (rates->is_known ? rates->field : -1)
#define OF(field)   node->counters.field
        { "published", "events", OF(events_published), RATE(events_published), false },
        { "", "bytes", OF(bytes_published), RATE(bytes_published), false },
        { "delivered", "events", OF(events_delivered), RATE(events_delivered), false },
        { "", "bytes", OF(bytes_delivered), RATE(bytes_delivered), false },
        { "gaps", "ranges", OF(gaps), -1, OF(gaps) > 0 },
        { "", "events lost in them", OF(events_given_up), -1, OF(gaps) > 0 },
        { "repaired", "events that came by fetch", OF(events_repaired), -1, false },
        { "duplicates", "events that came again", OF(events_duplicate), -1, false },
        { "held", "events that had to wait for order", OF(events_held), -1, false },
        { "", "bytes that wait now", OF(held_now), -1, false },
        { "dropped", "messages", OF(dropped), -1, false },
        { "unacked", "own bytes not acknowledged", OF(unacked_now), -1, false },
        { "retained", "bytes kept for others", OF(retained_now), -1, false },
#undef RATE
#undef OF
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        label(page, rows[i].name);
        tulle__text_format(out, "%14" PRIu64 " %s", rows[i].value, rows[i].unit);
        if (rows[i].rate >= 0)
            tulle__text_format(out, ", %.1f a second", rows[i].rate);
        tulle__top_page_line(page, rows[i].is_bad ? TULLE__TOP_BAD : TULLE__TOP_PLAIN);
    }
    label(page, "latency");
    tulle__text_str(out, "median ");
    tulle__top_put_us(node->counters.delay_p50_us, out);
    tulle__text_str(out, ", 99th percentile ");
    tulle__top_put_us(node->counters.delay_p99_us, out);
    tulle__text_str(out, " from publishing to delivery");
    tulle__top_page_line(page, TULLE__TOP_PLAIN);
    label(page, "uptime");
    put_span(page, node->counters.uptime_ms);
    tulle__top_page_line(page, TULLE__TOP_PLAIN);
}

void
tulle__top_page_node(struct tulle__top_page *page,
                     const struct tulle__top_model *model,
                     uint64_t id,
                     unsigned width)
{
    size_t index = model->snapshot == NULL ? SIZE_MAX : tulle__mesh_find(&model->mesh, id);
    if (index == SIZE_MAX) {
        tulle__text_str(&page->text, "this node is not known any more; Esc leads back");
        tulle__top_page_line(page, TULLE__TOP_WARN);
        return;
    }
    node_facts(page, model, index);
    const struct tulle__top_query taken = { .screen = TULLE__TOP_TAKEN, .node = id };
    const struct tulle__top_query lanes = { .screen = TULLE__TOP_LANES, .node = id };
    const struct tulle__top_query links = { .screen = TULLE__TOP_LINKS, .node = id };
    put_table(page, model, &links, "links", width);
    put_table(page, model, &taken, "takes, and lags behind", width);
    put_table(page, model, &lanes, "publishes", width);
    node_counters(page, model, index);
}

/* ---- a lane ---- */

static void
lane_facts(struct tulle__top_page *page, const struct tulle__top_model *model, size_t index)
{
    const tulle_seen_lane *lane = &model->snapshot->lanes[index];
    struct tulle__text *out = &page->text;
    tulle__text_str(out, "lane ");
    tulle__mesh_put_label(&model->mesh, lane->node, lane->node_name, out);
    tulle__text_char(out, '/');
    put_safe(page, lane->stream);
    tulle__top_page_line(page, TULLE__TOP_STYLE_NAME);
    label(page, "head");
    tulle__text_format(out, "%" PRIu64 ", the last event ", lane->head);
    put_span(page, lane->changed_ms);
    tulle__text_str(out, " ago");
    tulle__top_page_line(page, TULLE__TOP_PLAIN);
    label(page, "rate");
    if (model->lanes[index].is_known)
        tulle__text_format(out, "%.1f events a second", model->lanes[index].rate);
    else
        tulle__text_str(out, "not known yet");
    tulle__top_page_line(page, TULLE__TOP_PLAIN);
}

static void
lane_holders(struct tulle__top_page *page,
             const tulle_seen_lane *lane,
             const struct tulle__top_model *model)
{
    if (lane->holder_count == 0)
        return;
    blank(page);
    tulle__text_format(&page->text, "kept by (%zu)", lane->holder_count);
    tulle__top_page_line(page, TULLE__TOP_STYLE_NAME);
    for (size_t i = 0; i < lane->holder_count && i < SHOWN_MAX; i++) {
        const tulle_seen_holder *holder = &lane->holders[i];
        tulle__text_format(&page->text, "  %" PRIu64 " to %" PRIu64 "  ", holder->first,
                           holder->last);
        put_label(page, model, holder->node);
        tulle__top_page_line(page, TULLE__TOP_PLAIN);
    }
}

void
tulle__top_page_lane(struct tulle__top_page *page,
                     const struct tulle__top_model *model,
                     uint64_t id,
                     const char *stream,
                     unsigned width)
{
    size_t index = tulle__top_find_lane(model, id, stream);
    if (index == SIZE_MAX) {
        tulle__text_str(&page->text, "this lane is not known any more; Esc leads back");
        tulle__top_page_line(page, TULLE__TOP_WARN);
        return;
    }
    lane_facts(page, model, index);
    const struct tulle__top_query takers = { .screen = TULLE__TOP_TAKERS,
                                             .node = id,
                                             .stream = stream };
    put_table(page, model, &takers, "taken by", width);
    lane_holders(page, &model->snapshot->lanes[index], model);
}

/* ---- help ---- */

void
tulle__top_page_help(struct tulle__top_page *page, enum tulle__top_screen screen)
{
    static const char *const keys[][2] = {
        { "Up Down PgUp PgDn Home End", "move; also k j Space g G" },
        { "Tab, 1 to 5", "another screen" },
        { "Enter", "into a node, stream or lane" },
        { "Esc, Backspace", "back; from a screen: end the filter" },
        { "/", "filter: words that a row must have, !words that it must not" },
        { "s S, > <", "sort by the next column, the one before" },
        { "r", "sort the other way round" },
        { "Left Right", "columns that there is no room for" },
        { "p", "pause" },
        { "+ -", "longer, shorter time between looks" },
        { "? h", "this page" },
        { "q, Ctrl-C", "quit" },
    };
    const struct tulle__top_table *table = tulle__top_table(screen);
    title(page, "keys");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        tulle__text_format(&page->text, "  %-27s %s", keys[i][0], keys[i][1]);
        tulle__top_page_line(page, TULLE__TOP_PLAIN);
    }
    blank(page);
    tulle__text_format(&page->text, "columns of %s", table->name);
    tulle__top_page_line(page, TULLE__TOP_STYLE_NAME);
    for (size_t i = 0; i < table->count; i++) {
        tulle__text_format(&page->text, "  %-9s %s", table->columns[i].title,
                           table->columns[i].help);
        tulle__top_page_line(page, TULLE__TOP_PLAIN);
    }
    blank(page);
    title(page, "yellow: a consumer is 3 s behind, a node is silent, there were gaps");
    title(page, "red: it is 10 s behind, the node is gone, there was a gap just now");
}
