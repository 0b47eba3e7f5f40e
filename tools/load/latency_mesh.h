/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_LATENCY_MESH_H
#define TULLE_TOOLS_LATENCY_MESH_H

/* Latency in a mesh that is there: "tulle latency --join" publishes, and every "tulle latency
 * --answer" in the mesh answers each event. An answer tells when the event arrived, by a clock that
 * processes of one host share, and which host that was: so the way there is known when it is this
 * one, and otherwise the way there and back. */

#include "tools/load/load_options.h"

/* Events begin with a ping, answers with a pong, which holds its ping as it came. No number is read
 * by another host than the one that wrote it. */
enum { TULLE__PING_LEN = 32, TULLE__PONG_LEN = 64 };

struct tulle__ping {
    char magic[4]; /* TULLE__PING_MAGIC */
    uint8_t kind;  /* an enum tulle__ping_kind */
    uint8_t reserved[3];
    uint64_t pinger; /* its node's id */
    uint64_t seq;    /* from 0; of probes, and of the rest */
    int64_t due_ns;
};

struct tulle__pong {
    struct tulle__ping ping;
    uint8_t host[16]; /* which boot of which system; all 0: not known */
    int64_t arrived_ns;
    uint8_t is_repaired; /* the ping came by fetch */
    uint8_t reserved[7];
};

enum tulle__ping_kind { TULLE__PING_PROBE = 1, TULLE__PING_WARMUP, TULLE__PING_MEASURED };

#define TULLE__PING_MAGIC "tlat"
#define TULLE__PING_TOPIC "latency/ping"
#define TULLE__PONG_TOPIC "latency/answer"

/* What tells hosts apart. */
void tulle__latency_host(uint8_t out[static 16]);

/* A run in the mesh of plan->node, for tulle__load_series: measures with the plan->subscribers
 * nodes or more that answer, and sets that number, and is_round_trip when one of them is on another
 * host. */
int tulle__latency_mesh_run(struct tulle__load_plan *plan,
                            const char *name,
                            const char *progress,
                            struct tulle__signals *signals,
                            struct tulle__load_result *out);

/* Answer until a signal comes. Returns the exit status. */
int tulle__latency_answer(const struct tulle__program *program,
                          struct tulle__load_options *options);

#endif
