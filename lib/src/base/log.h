/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_BASE_LOG_H
#define TULLE_BASE_LOG_H

/* Lines for the log callback: level, stable id, key=value text. Repeats of a
 * warning are limited by the caller through struct tulle__log_limit. */

#include "base/time.h"

#include <tulle/node.h>

#include <stdbool.h>
#include <stdint.h>

struct tulle__log {
    tulle_log_fn fn; /* NULL: silence */
    void *ctx;
    tulle_log_level level;
};

/* One per place that can repeat: at most one line a second. */
struct tulle__log_limit {
    int64_t next_ns;
    uint64_t suppressed;
};

static inline bool
tulle__log_is_on(const struct tulle__log *log, tulle_log_level level)
{
    return log->fn != NULL && level <= log->level;
}

/* Text is cut at 500 bytes. */
void tulle__log(const struct tulle__log *log,
                tulle_log_level level,
                const char *id,
                const char *format,
                ...) __attribute__((format(printf, 4, 5)));

/* May a line be written now? Counts what it refuses; *suppressed is how many
 * were refused since the last yes. */
bool
tulle__log_limit_pass(struct tulle__log_limit *limit, struct tulle__mono now, uint64_t *suppressed);

#endif
