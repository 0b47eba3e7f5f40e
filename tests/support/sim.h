/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_SUPPORT_SIM_H
#define TULLE_SUPPORT_SIM_H

/* Many engines and proxies in one process on one virtual clock: the same object
 * code as the real node's, driven by an event heap ordered by (time, number of
 * insertion). All chance comes from one seed. After every step the oracle judges
 * what came out; after a violation nothing more happens.
 *
 * A host is a node or a proxy, by number 0, 1, 2, ... in order of making. Its
 * name and address stay through restarts; each start is a new engine with a new
 * id. Addresses are sim://SEGMENT/NAME (events: simev://...); hosts reach each
 * other only within a segment.
 *
 * Times are virtual. Functions that make something happen let it happen at the
 * present time; time passes in sim_run_*() only. */

#include "delivery/forward.h"
#include "oracle.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim;

enum {
    SIM_NAME_MAX = 24,
    SIM_HOSTS_MAX = 1100,
    SIM_SIDES_MAX = 4 /* of a proxy */
};

/* What a way between two hosts does to messages. */
struct sim_faults {
    uint32_t loss_permille;
    uint32_t duplicate_permille;
    uint32_t reorder_permille; /* late by up to reorder_us_max, behind its followers */
    uint32_t corrupt_permille; /* some bytes change */
    int64_t latency_us_min;
    int64_t latency_us_max;
    int64_t reorder_us_max;
};

typedef void (*sim_delivered_fn)(struct sim *sim, int host, struct oracle_ref event, void *ctx);
typedef void (*sim_call_fn)(struct sim *sim, uint64_t argument, void *ctx);

struct sim_config {
    uint64_t seed;
    struct tulle__engine_config engine; /* of every host; id, name, addresses are filled in */
    struct sim_faults faults;
    struct oracle_rules rules;
    uint64_t proxy_retain_bytes; /* of each side whose policy keeps nothing */
    struct tulle__forward_policy proxy_policies[SIM_SIDES_MAX]; /* of each side, at all proxies */
    uint32_t pause_queue_max;      /* messages that wait for a paused host; more are dropped */
    int64_t skew_us_max;           /* wall clocks differ by up to this, either way */
    bool has_inlets;               /* of those that do not only dial */
    bool is_oracle_blind;          /* contents may be damaged: only memory is judged */
    bool is_traced;                /* write what happens to standard error */
    sim_delivered_fn on_delivered; /* the application; NULL: none */
    void *ctx;
};

/* Defaults: seed 1, a fast faultless network, engine defaults with short times. */
void sim_config_init(struct sim_config *config);
/* Seed from TULLE_SEED when that is set, else the one given. */
uint64_t sim_seed(uint64_t seed);

struct sim *sim_new(const struct sim_config *config);
void sim_free(struct sim **pointer);

/* ---- hosts ---- */

/* Make a host, not started. name and segments are copied. */
int sim_add_node(struct sim *sim, const char *name, const char *segment);
int sim_add_proxy(struct sim *sim, const char *name, const char *const *segments, size_t count);
/* From its next start on: nobody can dial the host's side. The sim has inlets. */
void sim_dial_only(struct sim *sim, int host, size_t side);
/* Remembered, and done again at every start. */
void sim_join(struct sim *sim, int host, int other); /* other: in a segment of host */
void
sim_subscribe(struct sim *sim, int node, const char *pattern, tulle_order order, tulle_from from);
void sim_unsubscribe(struct sim *sim, int node, const char *pattern);

void sim_start(struct sim *sim, int host);
void sim_crash(struct sim *sim, int host);
void sim_leave(struct sim *sim, int host);
/* Crash if need be, and start anew. */
void sim_restart(struct sim *sim, int host);
void sim_pause(struct sim *sim, int host);
void sim_resume(struct sim *sim, int host);
void sim_stall(struct sim *sim, int node, bool is_stalled);
bool sim_is_up(const struct sim *sim, int host); /* started; maybe paused */
bool sim_is_proxy(const struct sim *sim, int host);
int sim_host_count(const struct sim *sim);
/* Id and incarnation (for the oracle) of the present run. */
uint64_t sim_id(const struct sim *sim, int node);
uint32_t sim_incarnation(const struct sim *sim, int node);

/* ---- network ---- */

void sim_set_faults(struct sim *sim, const struct sim_faults *faults);
/* All connections that two hosts have are half open: only new ones carry anything. */
void sim_lose(struct sim *sim, int a, int b);
/* Nothing passes from one to the other, until healed. */
void sim_cut(struct sim *sim, int from, int to);
void sim_heal(struct sim *sim); /* all cuts */
enum sim_partition {
    SIM_BOTH_WAYS,
    SIM_INWARD_LOST, /* the group hears nobody else */
    SIM_OUTWARD_LOST /* nobody else hears the group */
};
void sim_partition(struct sim *sim, const int *group, size_t count, enum sim_partition way);

/* ---- application ---- */

/* Publish on the stream of the topic's first level, and close the batch. */
struct oracle_ref sim_publish(struct sim *sim, int node, const char *topic, const char *payload);

struct sim_publish_in {
    const char *topic;
    uint32_t stream_levels;
    const void *payload;
    size_t payload_len;
    const struct oracle_ref *causes;
    size_t cause_count;
    bool only_causes;
    const struct oracle_ref *after; /* seen elsewhere: all of the past that is meant */
    size_t after_count;
    bool leaves_open; /* do not close the batch */
};

/* False when the engine refused (window full, table full). */
bool sim_publish_event(struct sim *sim,
                       int node,
                       const struct sim_publish_in *publish,
                       struct oracle_ref *event);
void sim_close_batches(struct sim *sim, int node);

/* ---- time ---- */

int64_t sim_now_ms(const struct sim *sim);
/* One event; false when there is none, or after a violation. */
bool sim_step(struct sim *sim);
/* Returns false after a violation. */
bool sim_run_for(struct sim *sim, int64_t ms);
/* Until everybody has everything, nobody holds anything and all know who is
 * there; then true. Not within ms is a violation. */
bool sim_run_until_quiet(struct sim *sim, int64_t ms);
/* Call fn at a later time. */
void sim_call(struct sim *sim, int64_t after_us, sim_call_fn fn, uint64_t argument, void *ctx);

/* ---- judging ---- */

struct oracle *sim_oracle(const struct sim *sim);
/* First violation with seed and step; NULL: none. Valid until the sim is freed. */
const char *sim_failure(const struct sim *sim);
/* Over everything that happened: equal for equal seeds. */
uint64_t sim_trace_hash(const struct sim *sim);
uint64_t sim_steps(const struct sim *sim);
uint64_t sim_messages(const struct sim *sim); /* sent between hosts so far */
struct sim_traffic {
    uint64_t messages;
    uint64_t bytes;
};
/* The same by kind. */
void sim_traffic(const struct sim *sim,
                 struct sim_traffic *events,
                 struct sim_traffic *beats,
                 struct sim_traffic *control);
/* Bytes that were sent to the hosts of a segment, there. */
uint64_t sim_segment_bytes(const struct sim *sim, const char *segment);
bool sim_has(const struct sim *sim, int node, struct oracle_ref event);
bool sim_has_gap(const struct sim *sim, int node, struct oracle_ref event);
void sim_counters(const struct sim *sim, int node, tulle_counters *out);
/* Counters of one side of a proxy. */
void sim_side_counters(const struct sim *sim, int proxy, size_t side, tulle_counters *out);
/* State in which node sees other's present run; 0: does not know it. */
tulle_peer_state sim_peer_state(const struct sim *sim, int node, int other);
size_t sim_taker_count(const struct sim *sim, int node, const char *pattern);

#endif
