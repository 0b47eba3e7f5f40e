/* SPDX-License-Identifier: MPL-2.0 */
/* What a random run is made of. Each seed leaves out some kinds of faults wholly:
 * a run with everything at once hides what one kind alone would show. */

#include "chaos.h"
#include "sim_rng.h"

#include <inttypes.h>
#include <stdio.h>

void
chaos_init(struct chaos *chaos, uint64_t seed)
{
    *chaos = (struct chaos){
        .seed = seed,
        .node_count = 5,
        .stream_count = 4,
        .run_ms = 6000,
        .publish_period_ms = 400,
        .answer_permille = 100,
        .open_permille = 200,
        .payload_max = 120,
        .faults = { .latency_us_min = 200, .latency_us_max = 3000, .reorder_us_max = 60000 },
        .rest_ms_max = 60000,
    };
}

/* With the chance given: a number from 1 to max; else 0. */
static uint32_t
maybe(struct sim_rng *rng, uint32_t permille, uint32_t max)
{
    uint32_t value = (uint32_t)sim_rng_range(rng, 1, max);
    return sim_rng_chance(rng, permille) ? value : 0;
}

static void
choose_faults(struct chaos *chaos, struct sim_rng *rng)
{
    chaos->faults.loss_permille = maybe(rng, 600, 250);
    chaos->faults.duplicate_permille = maybe(rng, 500, 200);
    chaos->faults.reorder_permille = maybe(rng, 600, 300);
    chaos->faults.reorder_us_max = sim_rng_range(rng, 5000, 300000);
    chaos->faults.latency_us_max = sim_rng_range(rng, 1000, 40000);
    chaos->partitions = maybe(rng, 400, 3);
    chaos->restarts = maybe(rng, 400, 4);
    chaos->crashes = maybe(rng, 250, 2);
    chaos->leaves = maybe(rng, 250, 2);
    chaos->pauses = maybe(rng, 300, 2);
    chaos->stalls = maybe(rng, 300, 2);
    chaos->resubscriptions = maybe(rng, 150, 3);
    chaos->proxy_restarts = maybe(rng, 350, 2);
}

void
chaos_choose(struct chaos *chaos, uint64_t seed)
{
    struct sim_rng rng = { .state = seed ^ UINT64_C(0xc4a05) };
    chaos_init(chaos, seed);
    uint64_t shape = sim_rng_below(&rng, 2 * (uint64_t)CHAOS_SHAPE_COUNT - 1);
    chaos->shape = shape < CHAOS_SHAPE_COUNT ? (enum chaos_shape)shape : CHAOS_ONE_SEGMENT;
    chaos->node_count = (uint32_t)sim_rng_range(&rng, 3, 9);
    chaos->late_count = (uint32_t)sim_rng_below(&rng, 3);
    chaos->stream_count = (uint32_t)sim_rng_range(&rng, 1, 7);
    chaos->run_ms = sim_rng_range(&rng, 2000, 9000);
    chaos->publish_period_ms = (uint32_t)sim_rng_range(&rng, 100, 900);
    chaos->answer_permille = (uint32_t)sim_rng_below(&rng, 250);
    chaos->open_permille = (uint32_t)sim_rng_below(&rng, 500);
    chaos->payload_max = (uint32_t)sim_rng_range(&rng, 0, 400);
    choose_faults(chaos, &rng);
    chaos->explicit_permille = maybe(&rng, 400, 500);
    chaos->earliest_permille = maybe(&rng, 500, 500);
    chaos->fifo_permille = maybe(&rng, 300, 300);
    chaos->unordered_permille = maybe(&rng, 300, 300);
    chaos->skew_us_max = sim_rng_chance(&rng, 500) ? sim_rng_range(&rng, 1, 90000000) : 0;
    if (sim_rng_chance(&rng, 200)) {
        chaos->retain_bytes = (uint64_t)sim_rng_range(&rng, 500, 20000);
        chaos->retain_others_bytes = (uint64_t)sim_rng_range(&rng, 500, 20000);
    }
    if (sim_rng_chance(&rng, 200))
        chaos->held_bytes = (uint64_t)sim_rng_range(&rng, 1000, 20000);
    if (sim_rng_chance(&rng, 150))
        chaos->window_bytes = (uint64_t)sim_rng_range(&rng, 1000, 10000);
    if (sim_rng_chance(&rng, 300))
        chaos->proxy_rate = (uint32_t)sim_rng_range(&rng, 20, 200);
}

void
chaos_describe(const struct chaos *chaos, char *text, size_t size)
{
    static const char *const shapes[CHAOS_SHAPE_COUNT] = { "one-segment", "bridge", "parallel",
                                                           "chain", "ring" };
    (void)snprintf(
        text, size,
        "seed=%" PRIu64 " shape=%s nodes=%" PRIu32 " late=%" PRIu32 " streams=%" PRIu32
        " run_ms=%" PRId64 " loss=%" PRIu32 " dup=%" PRIu32 " reorder=%" PRIu32
        " partitions=%" PRIu32 " restarts=%" PRIu32 " crashes=%" PRIu32 " leaves=%" PRIu32
        " pauses=%" PRIu32 " stalls=%" PRIu32 " resubs=%" PRIu32 " proxy_restarts=%" PRIu32
        " explicit=%" PRIu32 " earliest=%" PRIu32 " fifo=%" PRIu32 " none=%" PRIu32
        " retain=%" PRIu64 " held=%" PRIu64 " window=%" PRIu64 " proxy_rate=%" PRIu32,
        chaos->seed, shapes[chaos->shape], chaos->node_count, chaos->late_count,
        chaos->stream_count, chaos->run_ms, chaos->faults.loss_permille,
        chaos->faults.duplicate_permille, chaos->faults.reorder_permille, chaos->partitions,
        chaos->restarts, chaos->crashes, chaos->leaves, chaos->pauses, chaos->stalls,
        chaos->resubscriptions, chaos->proxy_restarts, chaos->explicit_permille,
        chaos->earliest_permille, chaos->fifo_permille, chaos->unordered_permille,
        chaos->retain_bytes, chaos->held_bytes, chaos->window_bytes, chaos->proxy_rate);
}
