/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_LS_OPTIONS_H
#define TULLE_TOOLS_LS_OPTIONS_H

/* What ls can be asked for. */

#include "app/args.h"

#include <stdbool.h>
#include <stdint.h>

enum tulle__ls_kind {
    TULLE__LS_NODES,
    TULLE__LS_STREAMS,
    TULLE__LS_LANES,
    TULLE__LS_HOLDERS,
    TULLE__LS_SUBSCRIBERS,
    TULLE__LS_SEGMENTS,
    TULLE__LS_PROXIES,
    TULLE__LS_KINDS
};

struct tulle__ls_options {
    unsigned kinds; /* bits 1 << kind; 0: an overview */
    struct tulle__list nodes, streams;
    int64_t wait_ms;
    int64_t rate_ms; /* -1: no rates */
    const char *sort;
    bool is_json, is_all, is_verbose, is_reversed;
};

void tulle__ls_options_init(struct tulle__ls_options *options);

struct tulle__option_group tulle__ls_group(struct tulle__ls_options *options);

/* "nodes", "streams", ... */
const char *tulle__ls_kind_name(enum tulle__ls_kind kind);

/* Read the operands. Returns 0, or an exit status after a message. */
int tulle__ls_options_finish(const struct tulle__program *program,
                             const struct tulle__args *args,
                             struct tulle__ls_options *options);

static inline bool
tulle__ls_wants(const struct tulle__ls_options *options, enum tulle__ls_kind kind)
{
    return (options->kinds >> kind & 1U) != 0;
}

#endif
