/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_SUPPORT_SIM_RNG_H
#define TULLE_SUPPORT_SIM_RNG_H

/* The only source of chance in the simulator: splitmix64. Same seed, same run,
 * on every machine. */

#include <stdbool.h>
#include <stdint.h>

struct sim_rng {
    uint64_t state;
};

static inline uint64_t
sim_rng_next(struct sim_rng *rng)
{
    uint64_t z = rng->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 .. n - 1; 0 for n = 0. The bias is of no matter here. */
static inline uint64_t
sim_rng_below(struct sim_rng *rng, uint64_t n)
{
    uint64_t value = sim_rng_next(rng);
    return n == 0 ? 0 : value % n;
}

/* low .. high, both included. */
static inline int64_t
sim_rng_range(struct sim_rng *rng, int64_t low, int64_t high)
{
    return low + (int64_t)sim_rng_below(rng, (uint64_t)(high - low) + 1);
}

static inline bool
sim_rng_chance(struct sim_rng *rng, uint32_t permille)
{
    return sim_rng_below(rng, 1000) < permille;
}

#endif
