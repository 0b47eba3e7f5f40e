/* SPDX-License-Identifier: MPL-2.0 */
#ifndef HARNESS_H
#define HARNESS_H

/* One run: publishers and subscribers as processes of their own, children of one that
 * waits for them and prints the result. They tell one another how far they are in shared
 * memory; events go through the peer only. */

#include "peer.h"

#include <stdatomic.h>

struct harness_options {
    unsigned publishers;
    unsigned subscribers;
    unsigned size; /* of a payload */
    unsigned rate; /* events a second of each publisher; 0: as many as it can */
    double seconds;
    double timeout_s;
    unsigned port;
    unsigned broker_pid; /* 0: there is none */
    bool curve;
    bool is_via;
    bool is_single;
};

struct publisher_result {
    uint64_t events;
    int64_t cpu_ns;
};

struct subscriber_result {
    uint64_t events;
    uint64_t lost;
    uint64_t misordered;
    int64_t first_ns; /* when its first event came */
    int64_t last_ns;
    int64_t cpu_ns; /* from then to then */
};

struct shared {
    atomic_uint publishers_open;
    atomic_uint publishers_ready; /* reach every subscriber */
    atomic_uint subscribers_done;
    atomic_bool start;
    struct peer_place place[PEER_MAX];
    atomic_bool reached[PEER_MAX][PEER_MAX];       /* [publisher][subscriber] */
    _Atomic uint64_t position[PEER_MAX][PEER_MAX]; /* events taken, [publisher][subscriber] */
    struct publisher_result published[PEER_MAX];
    struct subscriber_result received[PEER_MAX];
    size_t latency_cap; /* of each subscriber */
    int64_t latency_ns[];
};

int64_t harness_clock_ns(void);
int64_t harness_cpu_ns(void); /* of this process so far */
void harness_sleep_us(unsigned us);

/* The life of one child. */
void harness_publish(const struct harness_options *options, struct shared *shared, unsigned index);
void harness_receive(const struct harness_options *options, struct shared *shared, unsigned index);

#endif
