/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_LS_PRINT_H
#define TULLE_TOOLS_LS_PRINT_H

/* The rows that were chosen, for people and for programs. */

#include "tools/common/table.h"
#include "tools/ls/ls_choose.h"

struct tulle__ls {
    struct tulle__ls_choice choice;
    struct tulle__mesh mesh;
    const tulle_snapshot *before; /* an earlier one, for rates; NULL: none */
    struct tulle__table_style style;
    size_t row_count; /* printed so far */
};

/* A lane that a node takes, by what; or, without one, all that it takes for nothing. */
struct tulle__ls_taken {
    const tulle_seen_node *node;
    const char *const *takes;
    size_t take_count;
    const tulle_seen_lane *lane;
    const tulle_seen_taker *taker;
};

typedef void
tulle__ls_taken_fn(struct tulle__ls *ls, const struct tulle__ls_taken *taken, void *ctx);
void tulle__ls_each_taken(struct tulle__ls *ls, tulle__ls_taken_fn *tell, void *ctx);

/* Append a table for each kind; several have titles, and a line of sums ends the overview. */
void tulle__ls_tables(struct tulle__ls *ls, struct tulle__text *out);

/* Append one JSON object. */
void tulle__ls_json(struct tulle__ls *ls, struct tulle__text *out);

/* Has one of the tables that these options ask for a column of this title? */
bool tulle__ls_has_column(const struct tulle__ls_options *options, const char *title);

/* Without kinds: those of an overview. */
unsigned tulle__ls_kinds(const struct tulle__ls_options *options);

/* Events that a node publishes a second; negative: not known. */
double tulle__ls_rate(const struct tulle__ls *ls, size_t node);
double tulle__ls_byte_rate(const struct tulle__ls *ls, size_t node);

#endif
