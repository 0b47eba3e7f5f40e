/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_PROGRESS_H
#define TULLE_TOOLS_PROGRESS_H

/* A line on standard error that tells how far a long run has come, and is written over: on a
 * terminal only. */

#include <stdbool.h>
#include <stdint.h>

struct tulle__progress {
    bool is_wanted;
    bool is_shown;
    int64_t next_us; /* of the clock that never jumps */
};

/* is_quiet: none, also on a terminal. */
void tulle__progress_init(struct tulle__progress *progress, bool is_quiet);

/* Is it time to show it? At first after a second. */
bool tulle__progress_is_due(struct tulle__progress *progress);

void tulle__progress_show(struct tulle__progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Take the line away: before anything else is written. */
void tulle__progress_clear(struct tulle__progress *progress);

#endif
