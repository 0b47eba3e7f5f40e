/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_BENCH_CLOCK_H
#define TULLE_BENCH_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Nanoseconds of a clock: CLOCK_MONOTONIC, or CLOCK_PROCESS_CPUTIME_ID. */
static inline int64_t
bench_clock_ns(clockid_t clock)
{
    struct timespec ts;
    (void)clock_gettime(clock, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

#endif
