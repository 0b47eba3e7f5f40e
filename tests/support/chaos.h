/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_SUPPORT_CHAOS_H
#define TULLE_SUPPORT_CHAOS_H

/* Random simulations: a mesh of random nodes that publish at random and answer
 * what they receive, while everything that can go wrong goes wrong at random
 * times; then peace, rest, a last word from everybody, and rest again. */

#include "sim.h"

enum chaos_shape {
    CHAOS_ONE_SEGMENT,
    CHAOS_BRIDGE,   /* two segments, a proxy */
    CHAOS_PARALLEL, /* two segments, two proxies side by side */
    CHAOS_CHAIN,    /* three segments in a row, two proxies */
    CHAOS_RING,     /* three segments, three proxies */
    CHAOS_SHAPE_COUNT
};

struct chaos {
    uint64_t seed;
    enum chaos_shape shape;
    uint32_t node_count;
    uint32_t late_count; /* of them, how many start later */
    uint32_t stream_count;
    int64_t run_ms;
    uint32_t publish_period_ms; /* of a node, on average */
    uint32_t answer_permille;   /* chance that a node publishes upon a delivery */
    uint32_t explicit_permille; /* of the events: with explicit causes */
    uint32_t open_permille;     /* of the events: batch left open for a while */
    uint32_t payload_max;
    struct sim_faults faults;
    uint32_t partitions, restarts, crashes, leaves, pauses, stalls, proxy_restarts;
    uint32_t resubscriptions;
    uint32_t earliest_permille; /* of the nodes */
    uint32_t fifo_permille;
    uint32_t unordered_permille;
    uint64_t retain_bytes, retain_others_bytes, held_bytes, window_bytes; /* 0: default */
    uint32_t proxy_rate; /* events a second out of each side of a proxy; 0: any number */
    int64_t skew_us_max;
    int64_t rest_ms_max; /* virtual time to come to rest */
    bool is_blind;       /* corrupted messages: only survival and memory are judged */
    enum tulle__mutation mutation;
    bool is_traced;
};

struct chaos_result {
    bool is_good;
    char failure[ORACLE_TEXT_MAX + 80];
    uint64_t hash;
    uint64_t steps;
    uint64_t published;
    uint64_t delivered;
    uint64_t gaps;
    uint64_t messages;
    int64_t rest_ms; /* how long the first rest took */
};

/* A faultless small mesh. */
void chaos_init(struct chaos *chaos, uint64_t seed);
/* Everything chosen by the seed, differently for each: small, mostly rough. */
void chaos_choose(struct chaos *chaos, uint64_t seed);
/* Runs it; result->is_good is the verdict. */
void chaos_run(const struct chaos *chaos, struct chaos_result *result);
/* One line of what the run is made of. */
void chaos_describe(const struct chaos *chaos, char *text, size_t size);

#endif
