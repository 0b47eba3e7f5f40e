/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/tools.h"

#include <time.h>

bool
tulle__tool_has_way(const struct tulle__program *program,
                    const struct tulle__common *common,
                    int *status)
{
    if (common->node.join_count > 0 || common->node.listen_count > 0 || common->node.use_beacon)
        return true;
    *status = tulle__args_usage(
        program, "how to reach the mesh? Give --join ADDRESS, --beacon or --listen ADDRESS");
    return false;
}

static int64_t
read_clock(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now); /* cannot fail for these clocks on Linux */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t
tulle__tool_wall_us(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t
tulle__tool_mono_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}
