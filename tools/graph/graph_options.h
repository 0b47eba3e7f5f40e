/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_GRAPH_OPTIONS_H
#define TULLE_TOOLS_GRAPH_OPTIONS_H

/* What graph can be asked for. */

#include "app/args.h"

#include <tulle/node.h>

#include <stdbool.h>
#include <stdint.h>

enum tulle__graph_form {
    TULLE__GRAPH_TEXT,
    TULLE__GRAPH_JSON,
    TULLE__GRAPH_DOT,
    TULLE__GRAPH_MERMAID,
    TULLE__GRAPH_ASYNCAPI
};

struct tulle__graph_options {
    struct tulle__list nodes, streams;
    int64_t wait_ms;
    bool is_json, is_dot, is_mermaid, is_asyncapi;
    enum tulle__graph_form form; /* from the flags */
    /* Of --asyncapi. */
    const char *from;
    int64_t watch_ms; /* after what is kept; -1: not given */
    uint64_t count;   /* 0: any number */
    uint64_t fold;
    const char *title, *version;
    tulle_subscribe_options subscribe; /* from */
};

void tulle__graph_options_init(struct tulle__graph_options *options);

struct tulle__option_group tulle__graph_group(struct tulle__graph_options *options);

struct tulle__option_group tulle__graph_asyncapi_group(struct tulle__graph_options *options);

/* Returns 0, or an exit status after a message. */
int tulle__graph_options_finish(const struct tulle__program *program,
                                struct tulle__graph_options *options);

#endif
