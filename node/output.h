/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_PROGRAM_OUTPUT_H
#define TULLE_NODE_PROGRAM_OUTPUT_H

/* Standard output that never blocks the loop, without making the descriptor
 * non-blocking, which others may share. */

#include "app/text.h"

#include <stdbool.h>
#include <stddef.h>

enum { TULLE__OUTPUT_BYTES_MAX = 1024 * 1024 };

struct tulle__output {
    struct tulle__text text; /* what waits, from done on */
    size_t done;
    bool has_failed; /* nobody reads any more */
};

/* Is there room for another line? */
bool tulle__output_is_free(const struct tulle__output *output);

/* Does something wait to be written? */
bool tulle__output_is_waiting(const struct tulle__output *output);

/* Write what can be written at once. */
void tulle__output_run(struct tulle__output *output);

void tulle__output_fini(struct tulle__output *output);

#endif
