/* SPDX-License-Identifier: MPL-2.0 */

/* Log lines and counters of long-running programs. */

#include "app/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void
tulle__report_say(
    struct tulle__common *common, tulle_log_level level, const char *id, const char *format, ...)
{
    if (common->log_level < (int)level)
        return;
    char text[1024];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(text, sizeof text, format, list);
    va_end(list);
    tulle__logsink_write(level, id, text, &common->sink);
}

enum { COUNTERS_LEN = 400 }; /* of one line; a sink cuts what is much longer */

void
tulle__report_counters(struct tulle__common *common,
                       const char *id,
                       const char *lead,
                       const tulle_counters *counters)
{
    char text[COUNTERS_LEN];
    const char *bytes = (const char *)counters;
    size_t used = 0;
    const tulle_counter_info *info = tulle_counter_info_at(0);
    for (size_t i = 1; info != NULL; info = tulle_counter_info_at(i++)) {
        uint64_t value = 0;
        char item[120];
        memcpy(&value, bytes + info->offset, sizeof value);
        if (value == 0 && strcmp(info->kind, "gauge") != 0)
            continue;
        (void)snprintf(item, sizeof item, " %s=%" PRIu64, info->name, value);
        if (used > 0 && used + strlen(item) >= sizeof text) {
            tulle__logsink_write(TULLE_LOG_INFO, id, text, &common->sink);
            used = 0;
        }
        int added = snprintf(text + used, sizeof text - used, "%s%s", used == 0 ? lead : "", item);
        used += added > 0 ? (size_t)added : 0;
        if (used >= sizeof text)
            used = sizeof text - 1;
    }
    if (used > 0)
        tulle__logsink_write(TULLE_LOG_INFO, id, text, &common->sink);
}

int64_t
tulle__report_now_ms(void)
{
    struct timespec now = { 0 };
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail on Linux */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
