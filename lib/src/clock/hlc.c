/* SPDX-License-Identifier: MPL-2.0 */
/* Hybrid logical clock (Kulkarni, Demirbas, Madappa, Avva, Leone: Logical Physical
 * Clocks, 2014), with the counter in the low bits of one number: adding one to the
 * number is the paper's "same l, next c". */

#include "clock/hlc.h"

static uint64_t
from_wall(struct tulle__wall wall)
{
    return wall.us > 0 ? (uint64_t)wall.us << 12 : 0;
}

uint64_t
tulle__hlc_tick(struct tulle__hlc *hlc, struct tulle__wall now)
{
    uint64_t physical = from_wall(now);
    hlc->last = physical > hlc->last ? physical : hlc->last + 1;
    return hlc->last;
}

bool
tulle__hlc_observe(struct tulle__hlc *hlc, uint64_t remote, struct tulle__wall now)
{
    uint64_t bound = from_wall((struct tulle__wall){ now.us + TULLE__HLC_AHEAD_US_MAX });
    bool is_good = remote <= bound;
    uint64_t observed = is_good ? remote : bound;
    if (observed > hlc->last)
        hlc->last = observed;
    return is_good;
}
