/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_OUTPUT_H
#define TULLE_TOOLS_OUTPUT_H

/* Standard output that never makes a tool deaf: while a pipe or a terminal takes
 * nothing, signals are still seen. */

#include "app/signal.h"

#include <stdbool.h>
#include <stddef.h>

enum tulle__output_result {
    TULLE__OUTPUT_DONE = 0,
    TULLE__OUTPUT_CLOSED, /* the reader is gone */
    TULLE__OUTPUT_SIGNAL, /* a signal waits (and was not taken); the rest is not written */
    TULLE__OUTPUT_FAILED  /* disk full or the like; errno says */
};

struct tulle__output {
    int fd;
    bool is_file; /* writing to it never waits for a reader */
};

void tulle__output_init(struct tulle__output *output, int fd);

enum tulle__output_result tulle__output_write(const struct tulle__output *output,
                                              const struct tulle__signals *signals,
                                              const char *bytes,
                                              size_t len);

#endif
