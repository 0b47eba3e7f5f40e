/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_TOP_OPTIONS_H
#define TULLE_TOOLS_TOP_OPTIONS_H

/* Options of top. */

#include "app/args.h"
#include "tools/top/top_rows.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tulle__top_options {
    int screen; /* an enum tulle__top_screen, or TULLE__TOP_SCREENS: not told */
    const char *sort, *filter;
    bool is_reverse;
    int64_t delay_ms, wait_ms;
    uint64_t iterations; /* UINT64_MAX: for ever */
    bool is_once, is_batch, is_json, is_csv;
    uint64_t limit; /* rows */
    int colour;
};

void tulle__top_options_init(struct tulle__top_options *options);

/* "Screen" and "Output" in --help. */
struct tulle__option_group tulle__top_screen_group(struct tulle__top_options *options);
struct tulle__option_group tulle__top_output_group(struct tulle__top_options *options);

/* Check them together, and fill query with what they ask for. Returns 0 or an exit status, after
 * a message. */
int tulle__top_options_finish(const struct tulle__program *program,
                              struct tulle__top_options *options,
                              struct tulle__top_query *query);

bool tulle__top_options_has_colour(const struct tulle__top_options *options);

#endif
