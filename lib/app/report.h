/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_APP_REPORT_H
#define TULLE_APP_REPORT_H

/* What a long-running program tells about itself: log lines of its own, when
 * their level is asked for, and counters. */

#include "app/common.h"

#include <tulle/counters.h>

#include <stdint.h>

void tulle__report_say(struct tulle__common *common,
                       tulle_log_level level,
                       const char *id,
                       const char *format,
                       ...) __attribute__((format(printf, 4, 5)));

/* Write "lead name=value ..." with each counter that is not 0, and each gauge;
 * as several lines when one would be too long. It was asked for: no level hides it. */
void tulle__report_counters(struct tulle__common *common,
                            const char *id,
                            const char *lead,
                            const tulle_counters *counters);

/* Milliseconds of the monotonic clock. */
int64_t tulle__report_now_ms(void);

#endif
