/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_TAP_OPTIONS_H
#define TULLE_TOOLS_TAP_OPTIONS_H

/* Options of tap. */

#include "app/args.h"
#include "tools/common/event_filter.h"
#include "tools/tap/tap_print.h"

#include <tulle/node.h>

#include <stdbool.h>
#include <stdint.h>

struct tulle__tap_options {
    const char *format, *jq;
    bool is_json, is_cloudevents, is_raw, is_pretty, is_headers_only;
    bool has_no_clock, has_no_newline;
    bool is_arrival, is_causal, is_both, is_reorder_view;
    int order; /* a tulle_order */
    const char *from;
    uint64_t last; /* 0: not given */
    const char *since, *until;
    bool is_until_end;
    struct tulle__list exclude;
    const char *where;
    bool has_duplicates, has_peers;
    bool is_verbose, is_quiet;
    uint64_t count;     /* of -C; 0: no limit */
    int64_t timeout_ms; /* of -W; -1: none */
    int colour;         /* of enum tulle__tap_colour */
};

enum tulle__tap_colour {
    TULLE__TAP_COLOUR_AUTO = 1,
    TULLE__TAP_COLOUR_ALWAYS,
    TULLE__TAP_COLOUR_NEVER
};

/* What follows from the options. */
struct tulle__tap_plan {
    tulle_subscribe_options subscribe;
    struct tulle__tap_printer printer;
    struct tulle__event_filter filter;
};

void tulle__tap_options_init(struct tulle__tap_options *options);

/* "Output" and "Events" in --help. */
struct tulle__option_group tulle__tap_output_group(struct tulle__tap_options *options);
struct tulle__option_group tulle__tap_event_group(struct tulle__tap_options *options);

/* Check them together and fill the plan, which is freed with tulle__tap_plan_fini() whatever
 * is returned. now_us: wall clock. Returns 0 or an exit status, after a message. */
int tulle__tap_options_finish(const struct tulle__program *program,
                              const struct tulle__tap_options *options,
                              int64_t now_us,
                              struct tulle__tap_plan *plan);
void tulle__tap_plan_fini(struct tulle__tap_plan *plan);

/* The fields of -F, for the end of --help; len bytes of out. */
void tulle__tap_notes(char *out, size_t len);

#endif
