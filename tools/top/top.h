/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_TOP_H
#define TULLE_TOOLS_TOP_H

/* A run of top. */

#include "app/common.h"
#include "tools/common/lookout.h"
#include "tools/top/top_model.h"
#include "tools/top/top_options.h"
#include "tools/top/top_rows.h"

struct tulle__top {
    const struct tulle__program *program;
    struct tulle__top_options options;
    struct tulle__common common;
    struct tulle__lookout lookout;
    struct tulle__top_model model;
    struct tulle__top_query query; /* what is asked for at the start */
};

/* Take another look. Returns false after a message. */
bool tulle__top_look(struct tulle__top *top);

/* On a screen, until somebody quits. Returns the exit status. */
int tulle__top_live(struct tulle__top *top);

/* --once and --batch. Returns the exit status. */
int tulle__top_batch(struct tulle__top *top);

#endif
