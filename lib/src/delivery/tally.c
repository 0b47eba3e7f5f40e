/* SPDX-License-Identifier: MPL-2.0 */
/* What a node counts for those who observe it: it is in full beats and views. */

#include "delivery/internal.h"
#include "delivery/observe.h"

enum {
    EXACT = 16, /* delays below have a bucket each; above, eight for each power of two */
    EXACT_BITS = 4,
    SHARE_BITS = 3
};

static size_t
bucket_of(uint64_t us)
{
    if (us < EXACT)
        return (size_t)us;
    int top = 63 - __builtin_clzll(us);
    size_t bucket = EXACT + ((size_t)(top - EXACT_BITS) << SHARE_BITS) +
                    ((us >> (top - SHARE_BITS)) & ((1U << SHARE_BITS) - 1));
    return bucket < TULLE__DELAY_BUCKETS ? bucket : TULLE__DELAY_BUCKETS - 1;
}

/* The highest delay of a bucket. */
static uint64_t
bucket_end(size_t bucket)
{
    if (bucket < EXACT)
        return bucket;
    size_t top = EXACT_BITS + ((bucket - EXACT) >> SHARE_BITS);
    uint64_t share = (bucket - EXACT) & ((1U << SHARE_BITS) - 1);
    return (UINT64_C(1) << top) + ((share + 1) << (top - SHARE_BITS)) - 1;
}

void
tulle__tally_delay(struct tulle__engine *e, int64_t us, uint64_t events)
{
    struct tulle__delays *delays = &e->delays[e->delays_at];
    delays->buckets[bucket_of(us > 0 ? (uint64_t)us : 0)] += events;
    delays->total += events;
}

/* Full beats that somebody asks for come between those in turn: an interval is no shorter. */
void
tulle__tally_turn(struct tulle__engine *e)
{
    int64_t least_ns = tulle__ms_to_ns(e->config.beat_ms) * (TULLE__BEATS_PER_FULL - 1);
    if (e->now.mono.ns - e->delays_since_ns < least_ns)
        return;
    e->delays_since_ns = e->now.mono.ns;
    e->delays_at ^= 1U;
    e->delays[e->delays_at] = (struct tulle__delays){ .total = 0 };
}

static uint64_t
percentile(const struct tulle__delays *delays, uint64_t hundredths)
{
    uint64_t rank = (delays->total * hundredths + 99) / 100;
    uint64_t seen = 0;
    for (size_t i = 0; i < TULLE__DELAY_BUCKETS; i++) {
        seen += delays->buckets[i];
        if (seen >= rank)
            return bucket_end(i);
    }
    return 0;
}

static uint64_t
sum_of_drops(const tulle_counters *c)
{
    return c->dropped_malformed + c->dropped_version + c->dropped_mesh + c->dropped_unwanted +
           c->dropped_loop + c->dropped_hops + c->dropped_policy + c->dropped_size +
           c->dropped_held_full + c->dropped_table_full + c->dropped_no_route + c->dropped_looks;
}

void
tulle__tally_counters(const struct tulle__engine *e, tulle_seen_counters *out)
{
    tulle_counters c;
    tulle__engine_counters(e, &c);
    *out = (tulle_seen_counters){
        .events_published = c.events_published,
        .bytes_published = c.bytes_published,
        .events_delivered = c.events_delivered,
        .bytes_delivered = c.bytes_delivered,
        .events_held = c.events_held,
        .held_now = c.held_now,
        .gaps = c.gaps,
        .events_given_up = c.events_given_up,
        .events_repaired = c.events_repaired,
        .events_duplicate = c.events_duplicate,
        .dropped = sum_of_drops(&c),
        .unacked_now = c.unacked_now,
        .retained_now = c.retained_now,
        .uptime_ms = (uint64_t)(e->now.mono.ns - e->started_ns) / 1000000,
    };
    /* Of the interval that is over, or of this one when it has the first. */
    const struct tulle__delays *delays = &e->delays[e->delays_at ^ 1U];
    if (delays->total == 0)
        delays = &e->delays[e->delays_at];
    if (delays->total == 0)
        return;
    out->delay_p50_us = percentile(delays, 50);
    out->delay_p99_us = percentile(delays, 99);
}
