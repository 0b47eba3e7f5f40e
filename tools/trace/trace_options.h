/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_TRACE_OPTIONS_H
#define TULLE_TOOLS_TRACE_OPTIONS_H

/* Options of trace. */

#include "app/args.h"

#include <tulle/node.h>

#include <stdbool.h>
#include <stdint.h>

enum tulle__trace_form {
    TULLE__TRACE_TEXT = 1,
    TULLE__TRACE_JSON,
    TULLE__TRACE_DOT,
    TULLE__TRACE_MERMAID,
    TULLE__TRACE_SHIVIZ,
    TULLE__TRACE_HTML
};

struct tulle__trace_options {
    struct tulle__list topics, finds; /* which events are asked for */
    const char *where;
    bool is_up, is_down, has_potential;
    uint64_t depth;   /* 0: any */
    const char *file; /* a recording, rather than a mesh */
    const char *from;
    struct tulle__list takes;
    int64_t wait_ms, timeout_ms; /* timeout -1: none */
    uint64_t limit, limit_bytes;
    bool is_json, is_dot, is_mermaid, is_shiviz;
    const char *html;
    bool is_verbose, is_quiet;
    int colour;

    enum tulle__trace_form form; /* what follows from the rest */
    bool is_live;
};

void tulle__trace_options_init(struct tulle__trace_options *options);

/* "Selection", "Source" and "Output" in --help. */
struct tulle__option_group tulle__trace_selection_group(struct tulle__trace_options *options);
struct tulle__option_group tulle__trace_source_group(struct tulle__trace_options *options);
struct tulle__option_group tulle__trace_output_group(struct tulle__trace_options *options);

/* Check them together and fill what follows from them. Returns 0 or an exit status, after a
 * message. */
int tulle__trace_options_finish(const struct tulle__program *program,
                                struct tulle__trace_options *options,
                                tulle_subscribe_options *subscribe);

bool tulle__trace_options_has_colour(const struct tulle__trace_options *options);

#endif
