/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/common/progress.h"

#include "tools/common/tools.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static const int64_t after_us = 1000000;
static const int64_t every_us = 500000;

void
tulle__progress_init(struct tulle__progress *progress, bool is_quiet)
{
    *progress = (struct tulle__progress){ .is_wanted = !is_quiet && isatty(STDERR_FILENO) == 1,
                                          .next_us = tulle__tool_mono_us() + after_us };
}

bool
tulle__progress_is_due(struct tulle__progress *progress)
{
    if (!progress->is_wanted || tulle__tool_mono_us() < progress->next_us)
        return false;
    progress->next_us = tulle__tool_mono_us() + every_us;
    return true;
}

void
tulle__progress_show(struct tulle__progress *progress, const char *format, ...)
{
    va_list args;
    (void)fputs("\r\033[K", stderr);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    progress->is_shown = true;
}

void
tulle__progress_clear(struct tulle__progress *progress)
{
    if (progress->is_shown)
        (void)fputs("\r\033[K", stderr);
    progress->is_shown = false;
}
