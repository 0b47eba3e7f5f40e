/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_TOP_ROWS_H
#define TULLE_TOOLS_TOP_ROWS_H

/* The model as tables: rows of a screen, chosen by a filter and put in order. */

#include "tools/top/top_model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tulle__top_screen {
    TULLE__TOP_NODES,
    TULLE__TOP_STREAMS,
    TULLE__TOP_LANES,
    TULLE__TOP_LAGS, /* each consumer of each stream */
    TULLE__TOP_LINKS,
    TULLE__TOP_SCREENS,
    /* Parts of pages about one node or lane. */
    TULLE__TOP_TAKEN = TULLE__TOP_SCREENS, /* each lane that a node takes */
    TULLE__TOP_TAKERS,                     /* who takes a lane */
    TULLE__TOP_TABLES
};

/* Which fields are set is up to the screen; others are SIZE_MAX. */
struct tulle__top_row {
    size_t node;        /* index; of a lane or lag: who publishes, who takes; SIZE_MAX: not known */
    size_t lane;        /* of a stream: its first */
    size_t link;        /* index among the links of the proxy */
    uint64_t acked;     /* by the taker of TAKEN and TAKERS */
    size_t count;       /* lanes of a stream, or of it that a consumer takes */
    size_t takers;      /* distinct ones of a stream */
    double rate, bytes; /* of a stream */
    bool is_known;      /* that is */
    struct tulle__top_lag lag;
};

enum tulle__top_kind {
    TULLE__TOP_TEXT,
    TULLE__TOP_ID,
    TULLE__TOP_COUNT, /* whole */
    TULLE__TOP_BYTES, /* whole */
    TULLE__TOP_RATE,  /* number, a second */
    TULLE__TOP_BYTE_RATE,
    TULLE__TOP_MS, /* whole */
    TULLE__TOP_US  /* whole */
};

/* How a value looks to somebody who watches. */
enum tulle__top_mark {
    TULLE__TOP_PLAIN,
    TULLE__TOP_FAINT, /* nothing happens here */
    TULLE__TOP_GOOD,
    TULLE__TOP_WARN,
    TULLE__TOP_BAD
};

struct tulle__top_cell {
    bool is_known;
    enum tulle__top_mark mark;
    const char *text; /* of TEXT */
    uint64_t whole;
    double number;
};

struct tulle__top_column {
    const char *key;   /* in JSON and CSV, and for --sort */
    const char *title; /* of the column on the screen */
    enum tulle__top_kind kind;
    unsigned width; /* of numbers, if not as usual; else 0 */
    unsigned rank;  /* the lower, the longer it stays when there is no room; 0: always there */
    size_t offset;  /* for value, of a field */
    struct tulle__top_cell (*value)(const struct tulle__top_model *model,
                                    const struct tulle__top_row *row,
                                    const struct tulle__top_column *column);
    const char *help;
};

struct tulle__top_table {
    const char *name;  /* "nodes" */
    const char *title; /* "Nodes" */
    const struct tulle__top_column *columns;
    size_t count;
    size_t sort; /* column that it is sorted by unless told */
};

const struct tulle__top_table *tulle__top_table(enum tulle__top_screen screen);

/* Index of the column called key or entitled so, in any case; SIZE_MAX: there is none. */
size_t tulle__top_find_column(enum tulle__top_screen screen, const char *key);

struct tulle__top_cell tulle__top_value(const struct tulle__top_model *model,
                                        enum tulle__top_screen screen,
                                        const struct tulle__top_row *row,
                                        size_t column);

/* What rows are wanted, and how. */
struct tulle__top_query {
    enum tulle__top_screen screen;
    const char *filter; /* words that all must be in a row's texts, or with ! must not; NULL: all */
    size_t sort;        /* column */
    bool is_reverse;    /* the other way round than the column's own: texts up, numbers down */
    /* Only what belongs to it; 0, NULL: all. TAKEN needs the node, TAKERS both. */
    uint64_t node;
    const char *stream;
};

struct tulle__top_rows {
    struct tulle__top_row *rows;
    size_t count;
    size_t all_count; /* without the filter */
};

/* rows starts from { 0 } and is made anew each time. Texts of rows are the model's. Returns false
 * when there is no memory; rows are empty then. */
bool tulle__top_rows_make(struct tulle__top_rows *rows,
                          const struct tulle__top_model *model,
                          const struct tulle__top_query *query);
void tulle__top_rows_free(struct tulle__top_rows *rows);

/* Index of a lane; SIZE_MAX: it is not known. */
size_t
tulle__top_find_lane(const struct tulle__top_model *model, uint64_t node, const char *stream);

/* Does a row's text hold all words of the filter? For tests too. */
bool tulle__top_matches(const struct tulle__top_model *model,
                        enum tulle__top_screen screen,
                        const struct tulle__top_row *row,
                        const char *filter);

#endif
