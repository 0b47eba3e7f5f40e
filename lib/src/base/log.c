/* SPDX-License-Identifier: MPL-2.0 */
/* Log lines for the application's callback. */

#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

enum { TEXT_LEN_MAX = 500 };

void
tulle__log(
    const struct tulle__log *log, tulle_log_level level, const char *id, const char *format, ...)
{
    if (!tulle__log_is_on(log, level))
        return;
    char text[TEXT_LEN_MAX + 1];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments); /* cut when it is longer */
    va_end(arguments);
    log->fn(level, id, text, log->ctx);
}

bool
tulle__log_limit_pass(struct tulle__log_limit *limit, struct tulle__mono now, uint64_t *suppressed)
{
    if (now.ns < limit->next_ns) {
        limit->suppressed++;
        return false;
    }
    *suppressed = limit->suppressed;
    limit->suppressed = 0;
    limit->next_ns = now.ns + tulle__ms_to_ns(1000);
    return true;
}
