/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_TABLE_H
#define TULLE_TOOLS_TABLE_H

/* Tables for people: a line of titles, aligned columns, cut to the width of a terminal.
 *
 *     static const struct tulle__column columns[] = { { "NAME", .may_shrink = true },
 *                                                     { "EVENTS", .is_right = true } };
 *     struct tulle__table table;
 *     tulle__table_init(&table, columns, 2);
 *     tulle__table_str(&table, "a");
 *     tulle__table_u64(&table, 17);          the row is complete
 *     tulle__table_print(&table, &style, &out);
 *     tulle__table_fini(&table);
 *
 * Cells are put in as they come, and must be fit for a terminal (terminal.h). Running out of
 * memory is sticky, and shows as has_failed of what is printed into. */

#include "app/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tulle__column {
    const char *title; /* in capitals */
    bool is_right;     /* numbers */
    bool may_shrink;   /* where the terminal is too narrow */
};

struct tulle__table_cell {
    size_t offset; /* in text */
    double key;    /* to sort by, if has_key */
    bool has_key;
};

struct tulle__table {
    const struct tulle__column *columns;
    size_t column_count;
    struct tulle__text text;
    struct tulle__table_cell *cells;
    size_t cell_count;
    size_t cell_cap;
    bool has_failed;
};

struct tulle__table_style {
    unsigned columns; /* of the terminal; 0: as wide as it gets */
    bool is_ascii;
};

void
tulle__table_init(struct tulle__table *table, const struct tulle__column *columns, size_t count);
void tulle__table_fini(struct tulle__table *table);

/* Begin the next cell: what is appended to the result, up to the next call, is in it. */
struct tulle__text *tulle__table_cell(struct tulle__table *table);
/* The cell that was begun last is sorted by this rather than by its text. */
void tulle__table_key(struct tulle__table *table, double key);

void tulle__table_str(struct tulle__table *table, const char *text);
void tulle__table_u64(struct tulle__table *table, uint64_t value);

size_t tulle__table_rows(const struct tulle__table *table);

/* Index of the column with a title, in any case; SIZE_MAX: none. */
size_t tulle__table_column(const struct tulle__column *columns, size_t count, const char *title);

/* Order the rows by a column: numbers largest first, texts ascending; reversed: the other way
 * round. Equal rows keep their order. */
void tulle__table_sort(struct tulle__table *table, size_t column, bool is_reversed);

/* Append the titles and the rows. */
void tulle__table_print(const struct tulle__table *table,
                        const struct tulle__table_style *style,
                        struct tulle__text *out);

#endif
