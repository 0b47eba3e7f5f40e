/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_BASE_TIME_H
#define TULLE_BASE_TIME_H

/* Two clocks, two types: they cannot be mixed by accident. Nothing below node/
 * reads either; they come in as arguments. */

#include <stdint.h>

/* Monotonic: for intervals and deadlines. */
struct tulle__mono {
    int64_t ns;
};

/* Wall clock: microseconds since 1970 UTC. For event times only. */
struct tulle__wall {
    int64_t us;
};

/* Both, as the driver passes them in. */
struct tulle__now {
    struct tulle__mono mono;
    struct tulle__wall wall;
};

#define TULLE__NEVER_NS INT64_MAX

static inline int64_t
tulle__ms_to_ns(int64_t ms)
{
    return ms * 1000000;
}

#endif
