/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_LOAD_PACE_H
#define TULLE_TOOLS_LOAD_PACE_H

/* Keeping to a schedule. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Nanoseconds of CLOCK_MONOTONIC, which the processes of a host share. */
static inline int64_t
tulle__load_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail on Linux */
    return (int64_t)now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Make this thread wake when it is due, not up to 50 us later. */
void tulle__load_wake_in_time(void);

/* Sleep until then, or until is_over, which is looked at five times a second. is_spinning: the
 * last moment in a loop. */
void tulle__load_sleep_until(int64_t due_ns, bool is_spinning, const atomic_bool *is_over);

#endif
