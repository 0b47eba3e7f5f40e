/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_CLOCK_HLC_H
#define TULLE_CLOCK_HLC_H

/* Hybrid logical clock (Kulkarni et al., 2014): one 64-bit number, the upper 52
 * bits microseconds since 1970, the lower 12 a counter for events within one
 * microsecond or behind a faster clock. Never goes back. */

#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

struct tulle__hlc {
    uint64_t last;
};

/* A peer's time may be this far ahead of ours before it is clamped. */
#define TULLE__HLC_AHEAD_US_MAX INT64_C(60000000)

/* Time of a local event: greater than every time made or observed before. */
uint64_t tulle__hlc_tick(struct tulle__hlc *hlc, struct tulle__wall now);
/* Take note of a received time. Returns false when it was too far ahead and was
 * clamped to now + TULLE__HLC_AHEAD_US_MAX. */
bool tulle__hlc_observe(struct tulle__hlc *hlc, uint64_t remote, struct tulle__wall now);

static inline int64_t
tulle__hlc_us(uint64_t hlc)
{
    return (int64_t)(hlc >> 12);
}

#endif
