/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_TRACE_OUT_H
#define TULLE_TOOLS_TRACE_OUT_H

/* Where a trace is written to, in pieces: what is written is put into text, then
 * tulle__trace_out_step() is called between two events. */

#include "app/text.h"

#include <stdbool.h>
#include <stdio.h>

struct tulle__trace_out {
    struct tulle__text text;
    FILE *file;
    bool has_failed; /* what follows is dropped */
    bool is_closed;  /* the reader is gone, which is no failure */
};

/* Write what has gathered when it is much. */
void tulle__trace_out_step(struct tulle__trace_out *out);
/* Write the rest. Returns false when something could not be written: errno says why, unless
 * there was no memory. */
bool tulle__trace_out_end(struct tulle__trace_out *out);

#endif
