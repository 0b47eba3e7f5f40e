/* SPDX-License-Identifier: MPL-2.0 */

/* Waking up when the schedule says so. */

#include "tools/load/load_pace.h"

#include <sys/prctl.h>

#define SECOND_NS INT64_C(1000000000)

enum { SLICE_NS = 200000000, SPIN_NS = 100000 };

void
tulle__load_wake_in_time(void)
{
    (void)prctl(PR_SET_TIMERSLACK, 1UL);
}

void
tulle__load_sleep_until(int64_t due_ns, bool is_spinning, const atomic_bool *is_over)
{
    const int64_t spin_ns = is_spinning ? SPIN_NS : 0;
    for (int64_t now = tulle__load_now_ns(); now < due_ns && !atomic_load(is_over);
         now = tulle__load_now_ns()) {
        int64_t until = due_ns - now > SLICE_NS ? now + SLICE_NS : due_ns - spin_ns;
        struct timespec at = { .tv_sec = until / SECOND_NS, .tv_nsec = until % SECOND_NS };
        if (until > now)
            (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
    }
}
