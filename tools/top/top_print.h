/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_TOP_PRINT_H
#define TULLE_TOOLS_TOP_PRINT_H

/* The model as text: values for people, tables, JSON, CSV. */

#include "app/text.h"
#include "tools/top/top_rows.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A value for people. Numbers take no more than width columns, which is 4 at least; text is made
 * fit for a terminal and not cut. */
void tulle__top_put_cell(const struct tulle__top_column *column,
                         const struct tulle__top_cell *cell,
                         unsigned width,
                         struct tulle__text *out);

/* The same in so many columns of a terminal, cut or filled up with spaces: texts to the left. */
void tulle__top_put_field(const struct tulle__top_column *column,
                          const struct tulle__top_cell *cell,
                          unsigned width,
                          struct tulle__text *out);

/* The column's title as such a field. */
void tulle__top_put_title(const struct tulle__top_column *column,
                          unsigned width,
                          struct tulle__text *out);

/* As much of the text as fits into so many columns of a terminal; what is cut ends in a tilde.
 * Characters that take no room are left out. Returns the columns that it takes. */
unsigned tulle__top_put_fit(const char *text, size_t len, unsigned width, struct tulle__text *out);

/* The single forms. */
void tulle__top_put_count(uint64_t value, unsigned width, struct tulle__text *out);
void tulle__top_put_rate(double value, struct tulle__text *out);
void tulle__top_put_bytes(double value, struct tulle__text *out);
void tulle__top_put_us(uint64_t value, struct tulle__text *out);

/* One line: how many nodes, events and bytes a second, and so on. */
void tulle__top_put_nodes(const struct tulle__top_model *model, struct tulle__text *out);
void tulle__top_put_flow(const struct tulle__top_model *model, struct tulle__text *out);
/* Who lags most: "1204, 4m10 behind: stock of shop/orders"; "0": nobody. */
void tulle__top_put_worst(const struct tulle__top_model *model, struct tulle__text *out);

/* The mesh in some lines, then the rows as a table with all columns. width: 0: no limit; else
 * columns are left out that do not fit. limit: rows at most. */
void tulle__top_print_table(const struct tulle__top_model *model,
                            const struct tulle__top_query *query,
                            const struct tulle__top_rows *rows,
                            unsigned width,
                            size_t limit,
                            struct tulle__text *out);

/* A line of keys, if has_head, and one for each row. */
void tulle__top_print_csv(const struct tulle__top_model *model,
                          const struct tulle__top_query *query,
                          const struct tulle__top_rows *rows,
                          size_t limit,
                          bool has_head,
                          struct tulle__text *out);

/* JSON is "{" tulle__top_json_head() and, for each screen, tulle__top_json_rows() "}". */
void tulle__top_json_head(const struct tulle__top_model *model, struct tulle__text *out);
void tulle__top_json_rows(const struct tulle__top_model *model,
                          const struct tulle__top_query *query,
                          const struct tulle__top_rows *rows,
                          size_t limit,
                          bool is_one_line,
                          struct tulle__text *out);

enum { TULLE__TOP_COLUMNS_MAX = 32 };

/* Columns that texts of the rows need: wide[i] grows to that of column i. It starts from { 0 }. */
void tulle__top_measure(const struct tulle__top_model *model,
                        enum tulle__top_screen screen,
                        const struct tulle__top_row *rows,
                        size_t count,
                        unsigned wide[static TULLE__TOP_COLUMNS_MAX]);

/* Which columns are shown in so many columns of a terminal, and how wide each is; 0: it is left
 * out. wide: what texts need. skip: beside the first, leave out so many, and show as many of
 * those that follow as there is room for; 0: the more important ones. */
void tulle__top_layout(enum tulle__top_screen screen,
                       const unsigned wide[static TULLE__TOP_COLUMNS_MAX],
                       unsigned width,
                       size_t skip,
                       unsigned widths[static TULLE__TOP_COLUMNS_MAX]);

#endif
