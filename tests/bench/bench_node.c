/* SPDX-License-Identifier: MPL-2.0 */
/* Two whole nodes in one process, over real sockets on this host: events a second from
 * one thread to another, and the time there and back. Prints lines "name key=value ...":
 * medians of several runs. */

#include "base/panic.h"
#include "bench_clock.h"

#include <tulle/tulle.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS = 5, EVENTS = 200000, ROUND_TRIPS = 5000, DEADLINE_MS = 60000, PAYLOAD_MAX = 65536 };

struct pair {
    tulle_node *a;
    tulle_node *b;
    tulle_subscription *at_a; /* takes pong */
    tulle_subscription *at_b; /* takes ping */
};

static void
must(tulle_status status)
{
    if (status != TULLE_OK) {
        fprintf(stderr, "bench_node: %s\n", tulle_status_name(status));
        exit(1);
    }
}

static tulle_node *
start_node(const char *name, const char *address, const char *const *join)
{
    tulle_node_options options;
    tulle_node *node = NULL;
    tulle_error error;
    tulle_node_options_init(&options);
    options.mesh = "bench";
    options.name = name;
    options.listen[0] = address;
    options.listen_count = 1;
    options.join = join;
    options.window_bytes = UINT64_C(8) << 20; /* a publisher without one outruns PUB's queue */
    options.join_count = join == NULL ? 0 : 1;
    must(tulle_node_new(&options, &node, &error));
    must(tulle_node_start(node, &error));
    return node;
}

static void
open_pair(struct pair *pair)
{
    pair->a = start_node("a", "tcp://127.0.0.1:*", NULL);
    const char *join = tulle_node_address(pair->a);
    pair->b = start_node("b", "tcp://127.0.0.1:*", &join);
    must(tulle_node_subscribe(pair->a, "pong", NULL, &pair->at_a));
    must(tulle_node_subscribe(pair->b, "ping", NULL, &pair->at_b));
    must(tulle_node_wait_peers(pair->a, "ping", 1, DEADLINE_MS));
    must(tulle_node_wait_peers(pair->b, "pong", 1, DEADLINE_MS));
}

static void
close_pair(struct pair *pair)
{
    tulle_node_free(&pair->a);
    tulle_node_free(&pair->b);
}

/* The next event; anything else ends the benchmark. */
static void
receive(tulle_subscription *subscription)
{
    const tulle_message *message = NULL;
    must(tulle_subscription_receive(subscription, &message, DEADLINE_MS));
    TULLE_ASSERT(message->kind == TULLE_MESSAGE_EVENT);
}

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

struct flood {
    tulle_node *node;
    size_t payload_len;
    size_t count;
};

static void *
publish_flood(void *argument)
{
    static const char payload[PAYLOAD_MAX];
    const struct flood *flood = argument;
    for (size_t i = 0; i < flood->count; i++)
        must(tulle_node_publish(flood->node, "ping", payload, flood->payload_len, NULL));
    return NULL;
}

static void
bench_throughput(size_t payload_len, size_t count)
{
    struct pair pair;
    double rates[RUNS];
    open_pair(&pair);
    for (int run = 0; run < RUNS; run++) {
        struct flood flood = { pair.a, payload_len, count };
        pthread_t thread;
        int64_t start = bench_clock_ns(CLOCK_MONOTONIC);
        TULLE_ASSERT(pthread_create(&thread, NULL, publish_flood, &flood) == 0);
        for (size_t i = 0; i < count; i++)
            receive(pair.at_b);
        rates[run] = (double)count * 1e9 / (double)(bench_clock_ns(CLOCK_MONOTONIC) - start);
        (void)pthread_join(thread, NULL);
    }
    tulle_counters counters;
    tulle_node_counters(pair.b, &counters);
    qsort(rates, RUNS, sizeof rates[0], compare_doubles);
    printf("node.throughput payload=%zu events_per_s=%.0f mib_per_s=%.1f repaired=%.1f%%\n",
           payload_len, rates[RUNS / 2], rates[RUNS / 2] * (double)payload_len / 1048576,
           100.0 * (double)counters.events_repaired / (double)counters.events_delivered);
    close_pair(&pair);
}

/* There and back, one event at a time: what an idle mesh adds. */
static void
bench_round_trip(void)
{
    static double us[ROUND_TRIPS];
    struct pair pair;
    double middles[RUNS];
    double tails[RUNS];
    open_pair(&pair);
    for (int run = 0; run < RUNS; run++) {
        for (size_t i = 0; i < ROUND_TRIPS; i++) {
            int64_t start = bench_clock_ns(CLOCK_MONOTONIC);
            must(tulle_node_publish(pair.a, "ping", "x", 1, NULL));
            receive(pair.at_b);
            must(tulle_node_publish(pair.b, "pong", "x", 1, NULL));
            receive(pair.at_a);
            us[i] = (double)(bench_clock_ns(CLOCK_MONOTONIC) - start) / 1000;
        }
        qsort(us, ROUND_TRIPS, sizeof us[0], compare_doubles);
        middles[run] = us[ROUND_TRIPS / 2];
        tails[run] = us[ROUND_TRIPS / 100 * 99];
    }
    qsort(middles, RUNS, sizeof middles[0], compare_doubles);
    qsort(tails, RUNS, sizeof tails[0], compare_doubles);
    printf("node.round_trip payload=1 p50_us=%.0f p99_us=%.0f\n", middles[RUNS / 2],
           tails[RUNS / 2]);
    close_pair(&pair);
}

int
main(void)
{
    bench_round_trip();
    bench_throughput(64, EVENTS);
    bench_throughput(1024, EVENTS / 4);
    bench_throughput(PAYLOAD_MAX, EVENTS / 100);
    return 0;
}
