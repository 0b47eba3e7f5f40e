/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_APP_LOGSINK_H
#define TULLE_APP_LOGSINK_H

/* Log lines of the library and of programs, to standard error: time, level,
 * node, id, text; as text or as one JSON object a line.
 *
 * Whoever logs never waits: a line that standard error does not take at once, such as a
 * full pipe that nobody reads, is dropped and counted. As soon as lines pass again the
 * first one is log.dropped and tells how many. */

#include "app/text.h"

#include <tulle/node.h>

#include <stdint.h>

enum tulle__log_format { TULLE__LOG_TEXT = 1, TULLE__LOG_JSON = 2 };

struct tulle__logsink {
    enum tulle__log_format format;
    char node[64]; /* name in each line; "" leaves it out */
};

void tulle__logsink_init(struct tulle__logsink *sink, enum tulle__log_format format);

/* A tulle_log_fn; ctx is a struct tulle__logsink. From any thread. */
void tulle__logsink_write(tulle_log_level level, const char *id, const char *text, void *ctx);

/* The same with printf, for a program's own lines. */
void tulle__logsink_say(struct tulle__logsink *sink,
                        tulle_log_level level,
                        const char *id,
                        const char *format,
                        ...) __attribute__((format(printf, 4, 5)));

/* Append one line as it would be written, with its newline. time_us is since 1970. */
void tulle__logsink_line(const struct tulle__logsink *sink,
                         int64_t time_us,
                         tulle_log_level level,
                         const char *id,
                         const char *text,
                         struct tulle__text *out);

#endif
