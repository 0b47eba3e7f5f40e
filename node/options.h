/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_PROGRAM_OPTIONS_H
#define TULLE_NODE_PROGRAM_OPTIONS_H

/* What tulle-node can be told, besides the options that all programs have. */

#include "app/args.h"

#include <tulle/node.h>

#include <stdbool.h>
#include <stdint.h>

enum {
    TULLE__TAKES_MAX = 64,
    TULLE__HANDLERS_MAX = 32,
    TULLE__JOBS_MAX = 64,
    TULLE__LINE_BYTES_MAX = 1024 * 1024 /* of what a command prints */
};

struct tulle__node_config {
    struct tulle__list take; /* patterns */
    struct tulle__list exec; /* pairs: pattern, command */
    const char *from;
    int order; /* a tulle_order */
    uint32_t exec_jobs;
    int64_t exec_timeout_ms;
    const char *publish_to; /* NULL: lines name their topic */
    bool is_print;
    int64_t stats_ms; /* 0: none */
    int64_t stop_ms;

    /* What from comes to, after tulle__node_config_finish(). */
    tulle_from from_kind;
    uint64_t from_count;
};

void tulle__node_config_init(struct tulle__node_config *config);

struct tulle__option_group tulle__node_config_group(struct tulle__node_config *config);

/* Check what the tables cannot. Returns NULL, or what is wrong. */
const char *tulle__node_config_finish(struct tulle__node_config *config);

#endif
