/* SPDX-License-Identifier: MPL-2.0 */

/* Values and tables as text. */

#define _GNU_SOURCE /* for wcwidth(3) */

#include "tools/top/top_print.h"

#include "tools/common/terminal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

enum {
    NUMBER_WIDTH = 5,
    ID_WIDTH = 16,
    NAME_WIDTH_MIN = 12, /* of the first columns, which are always there */
    TEXT_WIDTH_MIN = 7,
    TEXT_WIDTH_MAX = 255,
    MEASURED_MAX = 2000, /* rows; a longer text further down is cut */
    RANKS = 32
};

/* ---- values ---- */

/* Below 1000 of something: "9.9k", "99k", "999k". */
static void
put_scaled(double value, double base, const char *units, struct tulle__text *out)
{
    size_t unit = 0;
    while (value >= 999.5 && units[unit + 1] != '\0') {
        value /= base;
        unit++;
    }
    tulle__text_format(out, value < 9.95 && unit > 0 ? "%.1f" : "%.0f", value);
    if (unit > 0)
        tulle__text_char(out, units[unit]);
}

void
tulle__top_put_count(uint64_t value, unsigned width, struct tulle__text *out)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, value);
    if (len <= (int)width)
        tulle__text_str(out, digits);
    else
        put_scaled((double)value, 1000, " kMGTPE", out);
}

void
tulle__top_put_rate(double value, struct tulle__text *out)
{
    if (value <= 0)
        tulle__text_char(out, '0');
    else if (value < 9.95)
        tulle__text_format(out, "%.1f", value < 0.1 ? 0.1 : value);
    else if (value < 99999.5)
        tulle__text_format(out, "%.0f", value);
    else
        put_scaled(value, 1000, " kMGTPE", out);
}

void
tulle__top_put_bytes(double value, struct tulle__text *out)
{
    put_scaled(value < 0 ? 0 : value, 1024, " KMGTPE", out);
}

static void
put_span(uint64_t ms, struct tulle__text *out)
{
    uint64_t s = ms / 1000;
    if (ms == 0)
        tulle__text_char(out, '0');
    else if (ms < 9950)
        tulle__text_format(out, "%.1fs", ms < 50 ? 0.1 : (double)ms / 1000);
    else if (s < 100)
        tulle__text_format(out, "%" PRIu64 "s", s);
    else if (s < UINT64_C(600))
        tulle__text_format(out, "%" PRIu64 "m%02" PRIu64, s / 60, s % 60);
    else if (s < UINT64_C(6000))
        tulle__text_format(out, "%" PRIu64 "m", s / 60);
    else if (s < UINT64_C(36000))
        tulle__text_format(out, "%" PRIu64 "h%02" PRIu64, s / 3600, s / 60 % 60);
    else if (s < UINT64_C(360000))
        tulle__text_format(out, "%" PRIu64 "h", s / 3600);
    else if (s / 86400 < 9999)
        tulle__text_format(out, "%" PRIu64 "d", s / 86400);
    else
        tulle__text_str(out, "ages");
}

void
tulle__top_put_us(uint64_t value, struct tulle__text *out)
{
    if (value < 1000)
        tulle__text_format(out, "%" PRIu64 "us", value);
    else if (value < 9950)
        tulle__text_format(out, "%.1fms", (double)value / 1000);
    else if (value < 999500)
        tulle__text_format(out, "%.0fms", (double)value / 1000);
    else
        put_span(value / 1000, out);
}

void
tulle__top_put_cell(const struct tulle__top_column *column,
                    const struct tulle__top_cell *cell,
                    unsigned width,
                    struct tulle__text *out)
{
    if (!cell->is_known) {
        tulle__text_char(out, '-');
        return;
    }
    switch (column->kind) {
    case TULLE__TOP_TEXT:
        tulle__terminal_put_safe(out, cell->text, strlen(cell->text));
        break;
    case TULLE__TOP_ID:
        tulle__text_id(out, cell->whole);
        break;
    case TULLE__TOP_COUNT:
        tulle__top_put_count(cell->whole, width, out);
        break;
    case TULLE__TOP_BYTES:
        tulle__top_put_bytes((double)cell->whole, out);
        break;
    case TULLE__TOP_RATE:
        tulle__top_put_rate(cell->number, out);
        break;
    case TULLE__TOP_BYTE_RATE:
        tulle__top_put_bytes(cell->number, out);
        break;
    case TULLE__TOP_MS:
        put_span(cell->whole, out);
        break;
    case TULLE__TOP_US:
        tulle__top_put_us(cell->whole, out);
        break;
    }
}

/* ---- fields ---- */

/* Columns of the character at the start of UTF-8 text, and its bytes. Those of a locale that has
 * no such character count as one. */
static unsigned
character_width(const char *text, size_t len, size_t *bytes)
{
    const unsigned char *at = (const unsigned char *)text;
    *bytes = tulle__utf8_len(at, len);
    if (*bytes <= 1) {
        *bytes = 1;
        return 1;
    }
    uint32_t c = at[0] & (0x7fU >> *bytes);
    for (size_t i = 1; i < *bytes; i++)
        c = c << 6 | (at[i] & 0x3fU);
    int width = wcwidth((wchar_t)c);
    return width < 0 ? 1 : (unsigned)width;
}

static unsigned
text_width(const char *text, size_t len)
{
    unsigned width = 0;
    size_t bytes = 0;
    for (size_t i = 0; i < len; i += bytes)
        width += character_width(text + i, len - i, &bytes);
    return width;
}

unsigned
tulle__top_put_fit(const char *text, size_t len, unsigned width, struct tulle__text *out)
{
    bool is_cut = text_width(text, len) > width;
    unsigned room = is_cut && width > 0 ? width - 1 : width;
    unsigned used = 0;
    size_t bytes = 0;
    for (size_t i = 0; i < len; i += bytes) {
        unsigned wide = character_width(text + i, len - i, &bytes);
        if (used + wide > room)
            break;
        if (wide > 0)
            tulle__text_put(out, text + i, bytes);
        used += wide;
    }
    if (is_cut && width > 0) {
        tulle__text_char(out, '~');
        used++;
    }
    return used;
}

static void
put_spaces(struct tulle__text *out, unsigned count)
{
    char *room = tulle__text_room(out, count);
    if (room == NULL)
        return;
    memset(room, ' ', count);
    out->len += count;
}

static void
put_column(const struct tulle__text *text, unsigned width, bool is_left, struct tulle__text *out)
{
    unsigned wide = text_width(text->bytes, text->len);
    unsigned space = wide < width ? width - wide : 0;
    out->has_failed = out->has_failed || text->has_failed;
    if (!is_left)
        put_spaces(out, space);
    unsigned used = tulle__top_put_fit(text->bytes, text->len, width, out);
    if (is_left)
        put_spaces(out, width - used);
}

void
tulle__top_put_field(const struct tulle__top_column *column,
                     const struct tulle__top_cell *cell,
                     unsigned width,
                     struct tulle__text *out)
{
    struct tulle__text text = { 0 };
    tulle__top_put_cell(column, cell, width, &text);
    put_column(&text, width, column->kind == TULLE__TOP_TEXT, out);
    tulle__text_free(&text);
}

void
tulle__top_put_title(const struct tulle__top_column *column,
                     unsigned width,
                     struct tulle__text *out)
{
    struct tulle__text text = { 0 };
    tulle__text_str(&text, column->title);
    put_column(&text, width, column->kind == TULLE__TOP_TEXT, out);
    tulle__text_free(&text);
}

/* ---- tables ---- */

static unsigned
title_width(const struct tulle__top_column *column)
{
    return (unsigned)strlen(column->title);
}

static unsigned
larger(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

void
tulle__top_measure(const struct tulle__top_model *model,
                   enum tulle__top_screen screen,
                   const struct tulle__top_row *rows,
                   size_t count,
                   unsigned wide[static TULLE__TOP_COLUMNS_MAX])
{
    const struct tulle__top_table *table = tulle__top_table(screen);
    struct tulle__text text = { 0 };
    for (size_t i = 0; i < table->count; i++) {
        const struct tulle__top_column *column = &table->columns[i];
        for (size_t k = 0; column->kind == TULLE__TOP_TEXT && k < count && k < MEASURED_MAX; k++) {
            struct tulle__top_cell cell = tulle__top_value(model, screen, &rows[k], i);
            tulle__text_clear(&text);
            tulle__top_put_cell(column, &cell, NUMBER_WIDTH, &text);
            wide[i] = larger(wide[i], text_width(text.bytes, text.len));
        }
    }
    tulle__text_free(&text);
}

/* What a column takes at least. */
static unsigned
least_width(const struct tulle__top_column *column, unsigned wide)
{
    unsigned title = title_width(column);
    if (column->kind == TULLE__TOP_ID)
        return ID_WIDTH;
    if (column->kind != TULLE__TOP_TEXT)
        return column->width > 0 ? column->width : larger(title, NUMBER_WIDTH);
    unsigned least = column->rank == 0 ? NAME_WIDTH_MIN : TEXT_WIDTH_MIN;
    return larger(title, wide < least ? wide : least);
}

void
tulle__top_layout(enum tulle__top_screen screen,
                  const unsigned wide[static TULLE__TOP_COLUMNS_MAX],
                  unsigned width,
                  size_t skip,
                  unsigned widths[static TULLE__TOP_COLUMNS_MAX])
{
    const struct tulle__top_table *table = tulle__top_table(screen);
    unsigned used = 0;
    memset(widths, 0, TULLE__TOP_COLUMNS_MAX * sizeof *widths);
    for (unsigned rank = 0; rank < RANKS; rank++) {
        for (size_t i = 0; i < table->count; i++) {
            bool is_name = table->columns[i].rank == 0;
            bool is_skipped = !is_name && i <= skip && skip > 0;
            /* Scrolled, all others stand in a row. */
            unsigned of = is_name || skip == 0 ? table->columns[i].rank : 1;
            if (of != rank || is_skipped)
                continue;
            unsigned least = least_width(&table->columns[i], wide[i]);
            if (used > 0 && used + 1 + least > width)
                continue;
            widths[i] = least;
            used += least + (used > 0);
        }
    }
    for (size_t i = 0; i < table->count; i++) {
        bool is_text = table->columns[i].kind == TULLE__TOP_TEXT;
        if (!is_text || widths[i] == 0 || wide[i] <= widths[i] || used >= width)
            continue;
        unsigned more = wide[i] - widths[i];
        more = more < width - used ? more : width - used;
        widths[i] += more;
        used += more;
    }
}

/* ---- the mesh in lines ---- */

void
tulle__top_put_nodes(const struct tulle__top_model *model, struct tulle__text *out)
{
    const struct tulle__top_totals *t = &model->totals;
    tulle__text_format(out, "%zu up", t->up);
    if (t->proxies > 0)
        tulle__text_format(out, " (%zu prox%s)", t->proxies, t->proxies == 1 ? "y" : "ies");
    if (t->suspect > 0)
        tulle__text_format(out, ", %zu suspect", t->suspect);
    if (t->gone > 0)
        tulle__text_format(out, ", %zu gone", t->gone);
    if (t->left > 0)
        tulle__text_format(out, ", %zu left", t->left);
}

void
tulle__top_put_flow(const struct tulle__top_model *model, struct tulle__text *out)
{
    const struct tulle__top_rates *rates = &model->totals.rates;
    if (!rates->is_known) {
        tulle__text_str(out, "rates not known yet");
        return;
    }
    tulle__text_str(out, "published ");
    tulle__top_put_rate(rates->events_published, out);
    tulle__text_str(out, "/s ");
    tulle__top_put_bytes(rates->bytes_published, out);
    tulle__text_str(out, "B/s, delivered ");
    tulle__top_put_rate(rates->events_delivered, out);
    tulle__text_str(out, "/s ");
    tulle__top_put_bytes(rates->bytes_delivered, out);
    tulle__text_str(out, "B/s");
}

void
tulle__top_put_worst(const struct tulle__top_model *model, struct tulle__text *out)
{
    const struct tulle__top_lag *worst = &model->totals.worst;
    if (worst->lane == SIZE_MAX) {
        tulle__text_char(out, '0');
        return;
    }
    const tulle_seen_lane *lane = &model->snapshot->lanes[worst->lane];
    uint64_t behind_ms = tulle__top_behind_ms(model, worst->lane, worst->worst);
    tulle__top_put_count(worst->worst, NUMBER_WIDTH, out);
    if (behind_ms >= TULLE__TOP_LATE_MS) {
        tulle__text_str(out, ", ");
        put_span(behind_ms, out);
        tulle__text_str(out, " behind");
    }
    tulle__text_str(out, ": ");
    tulle__mesh_put_label(&model->mesh, model->totals.worst_node, NULL, out);
    tulle__text_str(out, " of ");
    tulle__mesh_put_label(&model->mesh, lane->node, lane->node_name, out);
    tulle__text_char(out, '/');
    tulle__terminal_put_safe(out, lane->stream, strlen(lane->stream));
}

static void
put_summary(const struct tulle__top_model *model, struct tulle__text *out)
{
    const struct tulle__top_totals *t = &model->totals;
    tulle__text_str(out, "time       ");
    tulle__text_time(out, (int64_t)model->snapshot->time_us);
    tulle__text_str(out, "\nnodes      ");
    tulle__top_put_nodes(model, out);
    if (model->snapshot->pending > 0)
        tulle__text_format(out, ", %zu not answered yet", model->snapshot->pending);
    tulle__text_format(out, "\nlanes      %zu, streams %zu, segments %zu", t->lanes, t->streams,
                       t->segments);
    tulle__text_str(out, "\nevents     ");
    tulle__top_put_flow(model, out);
    tulle__text_str(out, "\nworst lag  ");
    tulle__top_put_worst(model, out);
    tulle__text_format(
        out, "\ngaps       %" PRIu64 ", %" PRIu64 " events lost, %" PRIu64 " messages dropped\n\n",
        t->gaps, t->events_lost, t->dropped);
}

static void
end_line(struct tulle__text *out)
{
    while (out->len > 0 && out->bytes[out->len - 1] == ' ')
        out->len--;
    tulle__text_char(out, '\n');
}

void
tulle__top_print_table(const struct tulle__top_model *model,
                       const struct tulle__top_query *query,
                       const struct tulle__top_rows *rows,
                       unsigned width,
                       size_t limit,
                       struct tulle__text *out)
{
    const struct tulle__top_table *table = tulle__top_table(query->screen);
    unsigned wide[TULLE__TOP_COLUMNS_MAX] = { 0 };
    unsigned widths[TULLE__TOP_COLUMNS_MAX];
    tulle__top_measure(model, query->screen, rows->rows, rows->count, wide);
    tulle__top_layout(query->screen, wide, width == 0 ? UINT32_MAX / 2 : width, 0, widths);
    put_summary(model, out);
    for (size_t i = 0; i < table->count; i++) {
        if (widths[i] == 0)
            continue;
        if (i > 0)
            tulle__text_char(out, ' ');
        tulle__top_put_title(&table->columns[i], widths[i], out);
    }
    end_line(out);
    for (size_t k = 0; k < rows->count && k < limit; k++) {
        for (size_t i = 0; i < table->count; i++) {
            if (widths[i] == 0)
                continue;
            struct tulle__top_cell cell = tulle__top_value(model, query->screen, &rows->rows[k], i);
            if (i > 0)
                tulle__text_char(out, ' ');
            tulle__top_put_field(&table->columns[i], &cell, widths[i], out);
        }
        end_line(out);
    }
}
