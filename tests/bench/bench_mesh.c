/* SPDX-License-Identifier: MPL-2.0 */
/* Meshes of 10, 100 and 1,000 nodes in the simulator: all start within two seconds, know
 * one of them and take one stream or two; fifty of them (all, when they are fewer)
 * publish an event, and some messages are lost; then everybody has to have everything, as the
 * oracle sees it. Prints what each node sent and heard, and how that grows with the number of
 * nodes: where all know all, linear is what can be had. Last, 1,000 nodes that all publish:
 * each event may depend on all before it. Ends with 1 when it grows faster, or the oracle
 * objects. */

#include "bench_clock.h"
#include "sim.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { PUBLISHERS = 50, START_MS = 2000, BEAT_MS = 2000, RUN_MS = 5000, REST_MS_MAX = 120000 };

static const char *const streams[] = { "orders", "prices", "alerts", "sensors",
                                       "jobs",   "users",  "audit",  "misc" };

struct figures {
    double messages; /* that a node receives */
    double bytes;
};

static double
cpu_ms(void)
{
    return (double)bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) / 1000000;
}

static void
start(struct sim *sim, uint64_t host, void *ctx)
{
    (void)ctx;
    sim_start(sim, (int)host);
}

static void
publish(struct sim *sim, uint64_t host, void *ctx)
{
    char topic[32];
    (void)ctx;
    (void)snprintf(topic, sizeof topic, "%s/%" PRIu64, streams[host % 8], host % 10);
    struct sim_publish_in in = {
        .topic = topic, .stream_levels = 1, .payload = topic, .payload_len = 8
    };
    struct oracle_ref event;
    (void)sim_publish_event(sim, (int)host, &in, &event);
}

static struct sim *
make_mesh(int nodes, int publishers)
{
    struct sim_config config;
    sim_config_init(&config);
    config.engine.beat_ms = BEAT_MS;
    config.engine.suspect_ms = 3 * BEAT_MS;
    config.engine.gone_ms = 5 * BEAT_MS;
    config.engine.hold_ms = 10000;
    config.engine.peers_max = 2000;
    config.faults.loss_permille = 10;
    config.rules.is_gap_wrong = true;
    struct sim *sim = sim_new(&config);
    for (int i = 0; i < nodes; i++) {
        char name[16];
        char pattern[32];
        (void)snprintf(name, sizeof name, "n%d", i);
        int host = sim_add_node(sim, name, "lan");
        for (int k = 0; k <= i % 2; k++) {
            (void)snprintf(pattern, sizeof pattern, "%s/**", streams[(i / 2 + 3 * k) % 8]);
            sim_subscribe(sim, host, pattern, TULLE_ORDER_CAUSAL, TULLE_FROM_LIVE);
        }
        if (i > 0)
            sim_join(sim, host, 0);
        sim_call(sim, 1 + (int64_t)i * START_MS * 1000 / nodes, start, (uint64_t)host, NULL);
        if (i < publishers)
            sim_call(sim, (START_MS + 1000) * 1000 + (int64_t)i * 10000, publish, (uint64_t)host,
                     NULL);
    }
    return sim;
}

static void
print_traffic(const char *what, int nodes, struct sim_traffic traffic)
{
    printf("mesh.%s nodes=%d messages_per_node=%.0f bytes_per_node=%.0f\n", what, nodes,
           (double)traffic.messages / nodes, (double)traffic.bytes / nodes);
}

static bool
run(int nodes, int publishers, struct figures *figures)
{
    struct sim_traffic events;
    struct sim_traffic beats;
    struct sim_traffic control;
    double started_ms = cpu_ms();
    struct sim *sim = make_mesh(nodes, publishers);
    bool is_good = sim_run_for(sim, RUN_MS) && sim_run_until_quiet(sim, REST_MS_MAX);
    double took_ms = cpu_ms() - started_ms;
    sim_traffic(sim, &events, &beats, &control);
    print_traffic("control", nodes, control);
    print_traffic("beats", nodes, beats);
    print_traffic("events", nodes, events);
    printf("mesh.run nodes=%d publishers=%d delivered=%" PRIu64 " gaps=%" PRIu64
           " virtual_ms=%" PRId64 " cpu_ms=%.0f cpu_ms_per_node=%.2f\n",
           nodes, publishers, oracle_delivered_count(sim_oracle(sim)),
           oracle_gap_count(sim_oracle(sim)), sim_now_ms(sim), took_ms, took_ms / nodes);
    if (!is_good)
        printf("mesh.run nodes=%d FAILED %s\n", nodes, sim_failure(sim));
    (void)fflush(stdout);
    *figures = (struct figures){
        .messages = (double)(control.messages + beats.messages) / nodes,
        .bytes = (double)(control.bytes + beats.bytes) / nodes,
    };
    sim_free(&sim);
    return is_good;
}

static bool
judge(const char *what, double fewer, double more, double ratio)
{
    double slope = log(more / fewer) / log(ratio);
    bool is_good = slope <= 1.15;
    printf("mesh.growth what=%s exponent=%.2f max=1.15 %s\n", what, slope,
           is_good ? "ok" : "TOO_MUCH");
    return is_good;
}

/* bench_mesh [NODES [PUBLISHERS]]: all, or so many nodes. */
int
main(int argc, char **argv)
{
    struct figures figures[3];
    static const int nodes[] = { 10, 100, 1000 };
    int publishers = argc > 2 ? (int)strtol(argv[2], NULL, 10) : PUBLISHERS;
    if (argc > 1)
        return run((int)strtol(argv[1], NULL, 10), publishers, &figures[0]) ? 0 : 1;
    bool is_good = true;
    for (int i = 0; i < 3; i++)
        is_good = run(nodes[i], PUBLISHERS, &figures[i]) && is_good;
    is_good = judge("messages_per_node", figures[1].messages, figures[2].messages, 10) && is_good;
    is_good = judge("bytes_per_node", figures[1].bytes, figures[2].bytes, 10) && is_good;
    is_good = run(nodes[2], nodes[2], &figures[0]) && is_good;
    return is_good ? 0 : 1;
}
