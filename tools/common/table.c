/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/common/table.h"

#include "tools/common/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BETWEEN = 2, SHRUNK_MIN = 8 };

void
tulle__table_init(struct tulle__table *table, const struct tulle__column *columns, size_t count)
{
    *table = (struct tulle__table){ .columns = columns, .column_count = count };
}

void
tulle__table_fini(struct tulle__table *table)
{
    tulle__text_free(&table->text);
    free(table->cells);
    table->cells = NULL;
}

struct tulle__text *
tulle__table_cell(struct tulle__table *table)
{
    if (table->cell_count == table->cell_cap) {
        size_t cap = table->cell_cap == 0 ? 64 : table->cell_cap * 2;
        struct tulle__table_cell *cells = realloc(table->cells, cap * sizeof *cells);
        table->has_failed = table->has_failed || cells == NULL;
        if (cells == NULL)
            return &table->text;
        table->cells = cells;
        table->cell_cap = cap;
    }
    table->cells[table->cell_count++] = (struct tulle__table_cell){ .offset = table->text.len };
    return &table->text;
}

void
tulle__table_key(struct tulle__table *table, double key)
{
    if (table->cell_count == 0)
        return;
    struct tulle__table_cell *cell = &table->cells[table->cell_count - 1];
    cell->key = key;
    cell->has_key = true;
}

void
tulle__table_str(struct tulle__table *table, const char *text)
{
    tulle__text_str(tulle__table_cell(table), text);
}

void
tulle__table_u64(struct tulle__table *table, uint64_t value)
{
    tulle__text_u64(tulle__table_cell(table), value);
    tulle__table_key(table, (double)value);
}

size_t
tulle__table_rows(const struct tulle__table *table)
{
    return table->cell_count / table->column_count;
}

size_t
tulle__table_column(const struct tulle__column *columns, size_t count, const char *title)
{
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(columns[i].title, title) == 0)
            return i;
    }
    return SIZE_MAX;
}

static const char *
text_of(const struct tulle__table *table, size_t cell, size_t *len)
{
    size_t begin = table->cells[cell].offset;
    size_t end = cell + 1 < table->cell_count ? table->cells[cell + 1].offset : table->text.len;
    *len = end - begin;
    return table->text.bytes + begin;
}

/* ---- sorting: what is moved is the row's number, then texts are put together anew ---- */

struct sorted {
    const struct tulle__table *table;
    size_t row;
    size_t column;
    int sign;
};

static int
compare_rows(const void *a, const void *b)
{
    const struct sorted *left = a;
    const struct sorted *right = b;
    const struct tulle__table *table = left->table;
    size_t l = left->row * table->column_count + left->column;
    size_t r = right->row * table->column_count + right->column;
    const struct tulle__table_cell *one = &table->cells[l];
    const struct tulle__table_cell *two = &table->cells[r];
    int order = (int)two->has_key - (int)one->has_key; /* what has no value comes last */
    if (one->has_key && two->has_key) {
        order = (one->key < two->key) - (one->key > two->key);
    } else if (!one->has_key && !two->has_key) {
        size_t one_len;
        size_t two_len;
        const char *one_text = text_of(table, l, &one_len);
        const char *two_text = text_of(table, r, &two_len);
        order = memcmp(one_text, two_text, one_len < two_len ? one_len : two_len);
        order = order != 0 ? order : (one_len > two_len) - (one_len < two_len);
    }
    if (order != 0)
        return order * left->sign;
    return (left->row > right->row) - (left->row < right->row);
}

static void
put_sorted(struct tulle__table *table, const struct sorted *order, size_t rows)
{
    struct tulle__table to;
    tulle__table_init(&to, table->columns, table->column_count);
    for (size_t i = 0; i < rows * table->column_count; i++) {
        size_t cell =
            order[i / table->column_count].row * table->column_count + i % table->column_count;
        size_t len;
        const char *text = text_of(table, cell, &len);
        tulle__text_put(tulle__table_cell(&to), text, len);
        if (table->cells[cell].has_key)
            tulle__table_key(&to, table->cells[cell].key);
    }
    tulle__table_fini(table);
    *table = to;
}

void
tulle__table_sort(struct tulle__table *table, size_t column, bool is_reversed)
{
    size_t rows = tulle__table_rows(table);
    if (table->has_failed || table->text.has_failed || rows == 0)
        return;
    struct sorted *order = calloc(rows, sizeof *order);
    if (order == NULL) {
        table->has_failed = true;
        return;
    }
    for (size_t i = 0; i < rows; i++)
        order[i] = (struct sorted){ table, i, column, is_reversed ? -1 : 1 };
    qsort(order, rows, sizeof *order, compare_rows);
    put_sorted(table, order, rows);
    free(order);
}

/* ---- printing ---- */

static void
measure(const struct tulle__table *table, size_t *widths)
{
    for (size_t c = 0; c < table->column_count; c++)
        widths[c] = strlen(table->columns[c].title);
    for (size_t i = 0; i < tulle__table_rows(table) * table->column_count; i++) {
        size_t len;
        const char *text = text_of(table, i, &len);
        size_t width = tulle__terminal_width(text, len);
        size_t *most = &widths[i % table->column_count];
        *most = width > *most ? width : *most;
    }
}

/* Take from the widest that may shrink, until all fit or none is left. */
static void
shrink(const struct tulle__table *table, size_t *widths, size_t room)
{
    size_t total = (table->column_count - 1) * BETWEEN;
    for (size_t c = 0; c < table->column_count; c++)
        total += widths[c];
    while (total > room) {
        size_t widest = SIZE_MAX;
        for (size_t c = 0; c < table->column_count; c++) {
            size_t least = strlen(table->columns[c].title);
            least = least > SHRUNK_MIN ? least : SHRUNK_MIN;
            if (table->columns[c].may_shrink && widths[c] > least &&
                (widest == SIZE_MAX || widths[c] > widths[widest]))
                widest = c;
        }
        if (widest == SIZE_MAX)
            return;
        widths[widest]--;
        total--;
    }
}

static void
put_cut(struct tulle__text *out, const char *text, size_t len, size_t width, bool is_ascii)
{
    const char *mark = is_ascii ? "..." : "\xe2\x80\xa6";
    size_t room = width - (is_ascii ? 3 : 1);
    size_t at = 0;
    size_t used = 0;
    while (at < len) {
        size_t step = tulle__utf8_len((const unsigned char *)text + at, len - at);
        step = step == 0 ? 1 : step;
        size_t more = tulle__terminal_width(text + at, step);
        if (used + more > room)
            break;
        used += more;
        at += step;
    }
    tulle__text_put(out, text, at);
    tulle__text_str(out, mark);
    for (; used < room; used++)
        tulle__text_char(out, ' ');
}

/* What ASCII has no form for is a question mark for each column that it takes. */
static void
put_ascii(struct tulle__text *out, const char *text, size_t len)
{
    size_t at = 0;
    while (at < len) {
        size_t step = tulle__utf8_len((const unsigned char *)text + at, len - at);
        step = step == 0 ? 1 : step;
        if (step == 1 && (unsigned char)text[at] < 0x80)
            tulle__text_char(out, text[at]);
        else
            tulle__text_put(out, "??", tulle__terminal_width(text + at, step));
        at += step;
    }
}

static void
put_cell(struct tulle__text *out,
         const struct tulle__column *column,
         size_t width,
         struct tulle__text *cell,
         bool is_ascii)
{
    size_t has = tulle__terminal_width(cell->bytes, cell->len);
    for (size_t i = has; column->is_right && i < width; i++)
        tulle__text_char(out, ' ');
    if (has > width)
        put_cut(out, cell->bytes, cell->len, width, is_ascii);
    else
        tulle__text_put(out, cell->bytes, cell->len);
    for (size_t i = has; !column->is_right && i < width; i++)
        tulle__text_char(out, ' ');
}

static void
end_line(struct tulle__text *out, size_t begin)
{
    while (out->len > begin && out->bytes[out->len - 1] == ' ')
        out->len--;
    tulle__text_char(out, '\n');
}

/* row SIZE_MAX: the titles */
static void
put_row(const struct tulle__table *table,
        const struct tulle__table_style *style,
        const size_t *widths,
        size_t row,
        struct tulle__text *out)
{
    struct tulle__text cell = { 0 };
    size_t begin = out->len;
    for (size_t c = 0; c < table->column_count; c++) {
        const char *text = table->columns[c].title;
        size_t len = strlen(text);
        if (row != SIZE_MAX)
            text = text_of(table, row * table->column_count + c, &len);
        tulle__text_clear(&cell);
        if (style->is_ascii)
            put_ascii(&cell, text, len);
        else
            tulle__text_put(&cell, text, len);
        if (c > 0)
            tulle__text_str(out, "  ");
        put_cell(out, &table->columns[c], widths[c], &cell, style->is_ascii);
    }
    end_line(out, begin);
    out->has_failed = out->has_failed || cell.has_failed;
    tulle__text_free(&cell);
}

void
tulle__table_print(const struct tulle__table *table,
                   const struct tulle__table_style *style,
                   struct tulle__text *out)
{
    size_t *widths = calloc(table->column_count, sizeof *widths);
    if (widths == NULL || table->has_failed || table->text.has_failed) {
        out->has_failed = true;
        free(widths);
        return;
    }
    measure(table, widths);
    if (style->columns > 0)
        shrink(table, widths, style->columns);
    put_row(table, style, widths, SIZE_MAX, out);
    for (size_t row = 0; row < tulle__table_rows(table); row++)
        put_row(table, style, widths, row, out);
    free(widths);
}
