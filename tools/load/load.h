/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_LOAD_H
#define TULLE_TOOLS_LOAD_H

/* A mesh made for measuring: nodes that publish, take or do both, each in a process of its
 * own on this host. bench and latency say what to run and print what came of it.
 *
 * With proxies the mesh is a chain of segments, a proxy between each two, in processes too:
 * publishers are on the first segment, subscribers on the last one.
 *
 * Whoever takes checks everything: each event is counted, in its publisher's order, and with
 * causal order after what its publisher had seen. Rates are those of the takers, from the
 * first to the last delivery of them all.
 */

#include "app/histogram.h"
#include "app/signal.h"

#include <tulle/node.h>

#include <stdbool.h>
#include <stdint.h>

enum {
    TULLE__LOAD_NODES_MAX = 128,
    TULLE__LOAD_PROXIES_MAX = 8, /* that a message may pass */
    TULLE__LOAD_PROCESSES_MAX = TULLE__LOAD_NODES_MAX + TULLE__LOAD_PROXIES_MAX,
    TULLE__LOAD_TOPICS_MAX = 65536, /* streams times topics */
    TULLE__LOAD_SIZE_MIN = 32,      /* the stamp at the start of each payload */
    TULLE__LOAD_SIZE_MAX = 16 * 1024 * 1024
};

/* MESH: that of a mesh which is there, whatever it is. */
enum tulle__load_transport { TULLE__LOAD_TCP = 1, TULLE__LOAD_IPC, TULLE__LOAD_MESH };

struct tulle__load_plan {
    uint32_t publishers, subscribers;
    uint32_t both;    /* nodes that publish and take what the others publish */
    uint32_t proxies; /* between the segments */
    uint32_t streams;
    uint32_t topics; /* within each stream */
    uint64_t size;   /* of a payload */
    double rate;     /* events a second of each publisher; 0: as fast as they are taken */
    uint64_t count;  /* events measured of each publisher; 0: as duration says */
    int64_t duration_ms, warmup_ms;
    int64_t timeout_ms; /* without progress */
    int order;          /* a tulle_order */
    int transport;      /* an enum tulle__load_transport */
    bool is_timed;      /* about latency, not about rates; needs a rate */
    bool is_round_trip; /* subscribers answer each event, and latency is until the answer is back;
                           one publisher, and none that does both */
    bool is_spinning;   /* a publisher waits in a loop for the last moment before an event is due */
    /* Of every node; mesh, name and addresses are set by the run. */
    tulle_node_options node;
};

enum {
    TULLE__LOAD_PUBLISHES = 1,
    TULLE__LOAD_TAKES = 2,
    TULLE__LOAD_ANSWERS = 4,  /* each event that it takes */
    TULLE__LOAD_AWAITS = 8,   /* answers */
    TULLE__LOAD_FORWARDS = 16 /* a proxy */
};

/* How many processes there are, and of the one with this index the roles and, of a node, whether
 * it is on the last segment: publishers first, then subscribers, then those that do both, every
 * other one of these at the far end, and the proxies. */
uint32_t tulle__load_node_count(const struct tulle__load_plan *plan);
uint32_t tulle__load_process_count(const struct tulle__load_plan *plan);
uint32_t tulle__load_roles(const struct tulle__load_plan *plan, uint32_t index);
bool tulle__load_is_far(const struct tulle__load_plan *plan, uint32_t index);

/* What one process did. "measured": after the warm-up. */
struct tulle__load_share {
    uint32_t roles;
    uint64_t published, published_measured;
    uint64_t delivered, delivered_measured; /* answers, if it awaits them */
    uint64_t lost;                          /* published by others and never delivered here */
    uint64_t gaps;                          /* gap notices, and the events in them */
    uint64_t gap_events;
    uint64_t misordered;        /* events that came before or again after a later one */
    uint64_t uncaused;          /* events that came before one that their publisher had seen */
    uint64_t foreign;           /* events that this run did not publish, or damaged ones */
    uint64_t repaired;          /* events that came by fetch; none is lost by that */
    uint64_t relayed;           /* events that went on through a proxy, the warm-up included */
    int64_t first_ns, last_ns;  /* first and last measured delivery, CLOCK_MONOTONIC */
    int64_t user_us, system_us; /* CPU time since the warm-up */
    uint64_t peak_rss_bytes;    /* of its whole life */
};

/* What a run came to; shares: one for each process, as they are indexed. */
struct tulle__load_result {
    struct tulle__load_share shares[TULLE__LOAD_PROCESSES_MAX];
    size_t share_count;
    double events_per_second;      /* published events, at the pace of the takers */
    double deliveries_per_second;  /* of all takers together */
    double seconds;                /* from first to last delivery */
    uint64_t published, delivered; /* measured */
    uint64_t lost, gaps, misordered, uncaused, foreign, repaired;
    /* CPU seconds for a million events published, or delivered; of nodes with that one role,
     * of a proxy for a million published, and of all processes for a million deliveries. Below
     * 0: there is no such process. */
    double publisher_cpu, subscriber_cpu, proxy_cpu, total_cpu;
    /* The most that a process with that role took. */
    uint64_t publisher_rss, subscriber_rss, proxy_rss;
    /* Nanoseconds from when an event was due, or published if there is no rate: then of some. */
    struct tulle__histogram latency;
};

/* Was everything delivered, once and in order? */
bool tulle__load_is_clean(const struct tulle__load_result *result);

/* Run it once. No thread and no node may exist in this process yet: it forks. All processes
 * have ended when it returns; they end too when this one is killed.
 *
 * name      of the tool, for messages on stderr
 * progress  text before the count of deliveries, on stderr; NULL: none is shown
 *
 * Returns 0 or an exit status, after a message; *out is valid only with 0. */
int tulle__load_run(const struct tulle__load_plan *plan,
                    const char *name,
                    const char *progress,
                    struct tulle__signals *signals,
                    struct tulle__load_result *out);

#endif
