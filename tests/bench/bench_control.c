/* SPDX-License-Identifier: MPL-2.0 */
/* What a mesh says while nobody publishes: 10, 100 and 1,000 nodes in 1, 3 and 10 segments, each
 * joined to a backbone by a proxy, in the simulator. Prints what each node hears in a second
 * from its own segment and of what is beyond, and what each proxy puts on the backbone. Ends
 * with 1 when that grows with the number of nodes beyond, or when some are not known. */

#include "sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    SEGMENTS_MAX = 10,
    START_MS = 3000,
    SETTLE_MS = 30000,
    MEASURE_MS = 30000,
    BACKBONE_BYTES_MAX = 4096 /* of a proxy, in a second */
};

static void
start(struct sim *sim, uint64_t host, void *ctx)
{
    (void)ctx;
    sim_start(sim, (int)host);
}

static int
add_host(struct sim *sim, int host, int joined, int at_ms)
{
    if (joined >= 0)
        sim_join(sim, host, joined);
    sim_call(sim, 1 + (int64_t)at_ms * 1000, start, (uint64_t)host, NULL);
    return host;
}

static struct sim *
make_mesh(int nodes, int segments)
{
    struct sim_config config;
    sim_config_init(&config);
    config.engine.beat_ms = 1000;
    config.engine.suspect_ms = 3000;
    config.engine.gone_ms = 10000;
    config.engine.peers_max = 2000;
    struct sim *sim = sim_new(&config);
    int first_proxy = -1;
    for (int s = 0; s < segments; s++) {
        char segment[SIM_NAME_MAX];
        char name[SIM_NAME_MAX];
        (void)snprintf(segment, sizeof segment, "s%d", s);
        const char *const sides[] = { segment, "backbone" };
        int proxy = -1;
        if (segments > 1) {
            (void)snprintf(name, sizeof name, "p%d", s);
            proxy = add_host(sim, sim_add_proxy(sim, name, sides, 2), first_proxy, 0);
            first_proxy = first_proxy < 0 ? proxy : first_proxy;
        }
        int first = proxy;
        for (int i = 0; i < nodes / segments; i++) {
            (void)snprintf(name, sizeof name, "n%d-%d", s, i);
            int node = add_host(sim, sim_add_node(sim, name, segment), first,
                                1 + i * START_MS * segments / nodes);
            first = first < 0 ? node : first;
            sim_subscribe(sim, node, "orders/**", TULLE_ORDER_CAUSAL, TULLE_FROM_LIVE);
        }
    }
    return sim;
}

/* Returns whether it is as it should be. */
static bool
run(int nodes, int segments)
{
    struct sim_traffic before[3];
    struct sim_traffic after[3];
    struct sim *sim = make_mesh(nodes, segments);
    bool is_good = sim_run_for(sim, SETTLE_MS);
    sim_traffic(sim, &before[0], &before[1], &before[2]);
    uint64_t backbone = sim_segment_bytes(sim, "backbone");
    is_good = sim_run_for(sim, MEASURE_MS) && is_good;
    sim_traffic(sim, &after[0], &after[1], &after[2]);
    backbone = sim_segment_bytes(sim, "backbone") - backbone;
    double messages = 0;
    double bytes = 0;
    for (int i = 0; i < 3; i++) {
        messages += (double)(after[i].messages - before[i].messages);
        bytes += (double)(after[i].bytes - before[i].bytes);
    }
    double seconds = MEASURE_MS / 1000.0;
    bytes -= (double)backbone;
    /* Each of the others on the backbone hears what a proxy says. */
    double spoken = segments > 1 ? (double)backbone / segments / (segments - 1) / seconds : 0;
    is_good = is_good && sim_run_until_quiet(sim, 60000) && spoken <= BACKBONE_BYTES_MAX;
    printf("control.idle nodes=%d segments=%d heard_messages_per_s=%.1f heard_bytes_per_s=%.0f "
           "backbone_bytes_per_s=%.0f %s\n",
           nodes, segments, messages / nodes / seconds, bytes / nodes / seconds, spoken,
           is_good ? "ok" : "FAILED");
    if (sim_failure(sim) != NULL)
        printf("control.idle nodes=%d segments=%d %s\n", nodes, segments, sim_failure(sim));
    (void)fflush(stdout);
    sim_free(&sim);
    return is_good;
}

/* bench_control [NODES SEGMENTS]: all, or so many. */
int
main(int argc, char **argv)
{
    static const int nodes[] = { 10, 100, 1000 };
    static const int segments[] = { 1, 3, 10 };
    if (argc > 2) {
        int count = (int)strtol(argv[1], NULL, 10);
        int parts = (int)strtol(argv[2], NULL, 10);
        return parts >= 1 && parts <= SEGMENTS_MAX && count >= parts && run(count, parts) ? 0 : 1;
    }
    bool is_good = true;
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 3; k++)
            is_good = run(nodes[i], segments[k]) && is_good;
    }
    return is_good ? 0 : 1;
}
