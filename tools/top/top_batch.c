/* SPDX-License-Identifier: MPL-2.0 */

/* top without a screen: wait until the mesh is seen, look again after the delay, and print. */

#include "app/exit.h"
#include "tools/common/output.h"
#include "tools/common/terminal.h"
#include "tools/common/tools.h"
#include "tools/top/top.h"
#include "tools/top/top_print.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SETTLE_TICK_MS = 200,
    /* Rates come with what nodes tell after the second look: counters once a second, or every five
     * in a mesh of a thousand nodes, links every other second. */
    SETTLE_MS_MAX = 7000,
    COLUMNS_MAX = 10000
};

/* Columns of a table: of the terminal, else as COLUMNS tells; 0: no limit. */
static unsigned
table_width(void)
{
    unsigned columns = tulle__terminal_columns();
    const char *told = getenv("COLUMNS");
    uint64_t number = 0;
    if (columns == 0 && told != NULL && tulle__parse_u64(told, 1, COLUMNS_MAX, &number))
        return (unsigned)number;
    return columns;
}

/* The moment at which to look again; false: a signal came, or looking failed, which was told. */
static bool
look_in(struct tulle__top *top, int64_t ms, int *status)
{
    if (!tulle__lookout_pause(&top->lookout, ms))
        return false;
    if (tulle__top_look(top))
        return true;
    *status = TULLE__EXIT_FAILURE;
    return false;
}

/* Look once more, and until rates are known. */
static bool
look_on(struct tulle__top *top, int *status)
{
    if (!look_in(top, top->options.delay_ms, status))
        return false;
    int64_t start_us = tulle__tool_mono_us();
    bool has_links = top->options.screen == TULLE__TOP_LINKS ||
                     (top->options.is_json && top->options.screen == TULLE__TOP_SCREENS);
    while (!tulle__top_model_is_settled(&top->model, has_links) &&
           tulle__tool_mono_us() - start_us < INT64_C(1000) * SETTLE_MS_MAX) {
        if (!look_in(top, SETTLE_TICK_MS, status))
            return false;
    }
    return true;
}

/* --json: the screen that was asked for, else all of them, in their usual order. */
static bool
put_json(struct tulle__top *top, struct tulle__top_rows *rows, struct tulle__text *out)
{
    const struct tulle__top_options *options = &top->options;
    tulle__text_char(out, '{');
    tulle__top_json_head(&top->model, out);
    for (int screen = 0; screen < TULLE__TOP_SCREENS; screen++) {
        struct tulle__top_query query = top->query;
        if (options->screen != TULLE__TOP_SCREENS && options->screen != screen)
            continue;
        if (query.screen != (enum tulle__top_screen)screen)
            query.sort = tulle__top_table((enum tulle__top_screen)screen)->sort;
        query.screen = (enum tulle__top_screen)screen;
        if (!tulle__top_rows_make(rows, &top->model, &query))
            return false;
        tulle__top_json_rows(&top->model, &query, rows, options->limit, options->is_batch, out);
    }
    tulle__text_str(out, "}\n");
    return true;
}

static bool
put(struct tulle__top *top, bool is_first, struct tulle__text *out)
{
    const struct tulle__top_options *options = &top->options;
    struct tulle__top_rows rows = { 0 };
    bool is_made = false;
    if (options->is_json) {
        is_made = put_json(top, &rows, out);
    } else if (tulle__top_rows_make(&rows, &top->model, &top->query)) {
        is_made = true;
        if (options->is_csv) {
            tulle__top_print_csv(&top->model, &top->query, &rows, options->limit, is_first, out);
        } else {
            tulle__text_str(out, is_first ? "" : "\n");
            tulle__top_print_table(&top->model, &top->query, &rows, table_width(), options->limit,
                                   out);
        }
    }
    tulle__top_rows_free(&rows);
    return is_made && !out->has_failed;
}

/* Returns false when it is to end, perhaps with a status. */
static bool
print(struct tulle__top *top, bool is_first, int *status)
{
    struct tulle__text text = { 0 };
    struct tulle__output output;
    bool goes_on = false;
    tulle__output_init(&output, STDOUT_FILENO);
    if (!put(top, is_first, &text)) {
        (void)fprintf(stderr, "%s: out of memory\n", top->program->name);
        *status = TULLE__EXIT_FAILURE;
    } else {
        switch (tulle__output_write(&output, &top->lookout.signals, text.bytes, text.len)) {
        case TULLE__OUTPUT_DONE:
            goes_on = true;
            break;
        case TULLE__OUTPUT_CLOSED:
        case TULLE__OUTPUT_SIGNAL:
            break;
        case TULLE__OUTPUT_FAILED:
            (void)fprintf(stderr, "%s: standard output: %s\n", top->program->name, strerror(errno));
            *status = TULLE__EXIT_FAILURE;
            break;
        }
    }
    tulle__text_free(&text);
    return goes_on;
}

int
tulle__top_batch(struct tulle__top *top)
{
    const tulle_snapshot *snapshot = NULL;
    enum tulle__sight sight = tulle__lookout_wait(&top->lookout, top->options.wait_ms, &snapshot);
    if (sight == TULLE__SIGHT_SIGNAL || sight == TULLE__SIGHT_FAILED) {
        tulle_snapshot_free(&snapshot);
        return sight == TULLE__SIGHT_FAILED ? TULLE__EXIT_FAILURE : TULLE__EXIT_OK;
    }
    int status = tulle__lookout_tell(&top->lookout, sight, snapshot);
    bool goes_on = status != TULLE__EXIT_NETWORK;
    if (goes_on && !tulle__top_model_feed(&top->model, &snapshot)) {
        (void)fprintf(stderr, "%s: out of memory\n", top->program->name);
        status = TULLE__EXIT_FAILURE;
        goes_on = false;
    }
    tulle_snapshot_free(&snapshot);
    for (uint64_t i = 0; goes_on && i < top->options.iterations; i++)
        goes_on = look_on(top, &status) && print(top, i == 0, &status);
    return status;
}
