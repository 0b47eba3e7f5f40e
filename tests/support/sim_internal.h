/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_SUPPORT_SIM_INTERNAL_H
#define TULLE_SUPPORT_SIM_INTERNAL_H

/* What the files of the simulator share:
 *
 *   sim.c       the heap, time, life of the whole, rest
 *   sim_host.c  hosts: start, stop, inputs, actions
 *   sim_net.c   connections and messages
 *   sim_app.c   verbs of tests, questions */

#include "base/table.h"
#include "codec/topic.h"
#include "delivery/forward.h"
#include "sim.h"
#include "sim_rng.h"

enum {
    SIM_DIALS_MAX = 4096,   /* of an endpoint */
    SIM_TARGETS_MAX = 1200, /* endpoints in all */
    SIM_SUBS_MAX = 8,
    SIM_JOINS_MAX = 16,
    SIM_WAITING_MAX = 64 /* control messages for a connection that is not up */
};

/* A message on its way; shared by its receivers, copied when it arrives. */
struct sim_packet {
    uint32_t refs;
    uint64_t via;   /* control: sender's id; 0: it comes back */
    uint64_t hop;   /* over what the receiver dialed as this */
    size_t key_len; /* key; control: header */
    size_t body_len;
    size_t path_len;
    uint8_t bytes[]; /* key, body, path */
};

enum sim_event_kind {
    SIM_EVENT_PUBLICATION,
    SIM_EVENT_CONTROL,
    SIM_EVENT_TIMER,
    SIM_EVENT_CONNECT,
    SIM_EVENT_CALL
};

struct sim_event {
    int64_t at_us;
    uint64_t number;
    enum sim_event_kind kind;
    int endpoint;  /* PUBLICATION, CONTROL: receiver. CONNECT: who dials. TIMER: host */
    int target;    /* CONNECT */
    int wire;      /* CONNECT: enum sim_wire */
    uint64_t life; /* of the host; another one by now: the event is void */
    struct sim_packet *packet;
    sim_call_fn call;
    uint64_t argument;
    void *ctx;
};

enum sim_wire { SIM_WIRE_EVENTS, SIM_WIRE_CONTROL, SIM_WIRE_INLET, SIM_WIRE_COUNT };

/* A connection as its dialing side has it. */
struct sim_connection {
    uint32_t dials; /* reasons to have it */
    bool is_up;
    bool is_connecting; /* a CONNECT event is out */
    bool is_lost;       /* up, as far as anybody knows, and nothing comes through */
    bool has_spoken;    /* control: who dialed said something over it */
    int64_t last_arrival_us;
    struct sim_packet **waiting; /* SIM_WAITING_MAX; made when needed */
    size_t waiting_count;
};

struct sim_dial {
    uint64_t hop;
    enum sim_wire wire;
    int target; /* endpoint; -1: nobody of that address yet */
    char address[96];
};

struct sim_key {
    struct tulle__key key;
    int64_t since_us; /* when the other sides know it */
};

/* A host's sockets in one segment. */
struct sim_endpoint {
    int host;
    size_t side;
    uint64_t heard_bytes;
    char segment[SIM_NAME_MAX];
    bool dials_only;
    char address[SIM_WIRE_COUNT][96]; /* that of the inlet is the one for events */
    UT_hash_handle hh_events;         /* by address */
    UT_hash_handle hh_control;
    struct sim_dial *dials; /* ascending by hop and wire */
    size_t dial_count;
    size_t dial_cap;
    struct sim_key *keys;
    size_t key_count;
    size_t key_cap;
    struct sim_connection *connections; /* [target endpoint * wires + wire] */
    size_t connection_count;
};

struct sim_subscription {
    char pattern[64];
    tulle_order order;
    tulle_from from;
    uint32_t handle;
};

struct sim_inbox {
    struct oracle_ref *events;
    size_t len;
    size_t cap;
};

struct sim_host {
    struct sim *sim;
    char name[SIM_NAME_MAX];
    bool is_proxy;
    struct tulle__engine *engine;   /* a node that is up */
    struct tulle__forward *forward; /* a proxy that is up */
    uint64_t id;
    uint64_t life; /* number of starts */
    uint32_t incarnation;
    int endpoints[SIM_SIDES_MAX];
    size_t endpoint_count;
    int64_t skew_us;
    int64_t timer_us; /* earliest TIMER event that is out; INT64_MAX: none */
    int64_t died_us;
    bool is_paused;
    bool is_stalled;
    bool is_in_application;
    struct sim_event *paused; /* inputs that wait */
    size_t paused_count;
    struct sim_subscription subs[SIM_SUBS_MAX];
    size_t sub_count;
    struct {
        size_t side;
        int target; /* endpoint */
    } joins[SIM_JOINS_MAX];
    size_t join_count;
    struct sim_inbox inbox;
    UT_hash_handle hh; /* of those that are up, by id */
};

struct sim {
    struct sim_config config;
    struct sim_rng rng;
    struct oracle *oracle;
    int64_t now_us;
    uint64_t steps;
    uint64_t next_number;
    uint64_t hash;
    uint64_t messages;
    struct sim_traffic events;
    struct sim_traffic beats;
    struct sim_traffic control;
    struct sim_event *heap;
    size_t heap_len;
    size_t heap_cap;
    struct sim_host hosts[SIM_HOSTS_MAX];
    int host_count;
    struct sim_host *by_id;                /* uthash */
    struct sim_endpoint *by_event_address; /* uthash */
    struct sim_endpoint *by_control_address;
    struct sim_endpoint endpoints[SIM_TARGETS_MAX];
    int endpoint_count;
    bool cuts[SIM_HOSTS_MAX][SIM_HOSTS_MAX]; /* from, to */
    char failure[ORACLE_TEXT_MAX + 80];
    bool has_failure_text;
};

/* ---- sim.c ---- */

void *sim_memory_get(void *old, size_t count, size_t size);
void sim_push(struct sim *sim, int64_t at_us, const struct sim_event *event);
void sim_hash(struct sim *sim, uint64_t value);
struct tulle__now sim_now(const struct sim *sim, const struct sim_host *host);
/* A line of the trace, when there is one. */
void sim_trace(const struct sim *sim, const struct sim_host *host, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- sim_host.c ---- */

/* Take in an event meant for a host that is up and not paused. */
void sim_host_input(struct sim *sim, struct sim_host *host, const struct sim_event *event);
/* Let out what the host has to say, and set its timer. */
void sim_host_drain(struct sim *sim, struct sim_host *host);
void sim_host_free(struct sim_host *host);
bool sim_host_is_up(const struct sim_host *host);
/* Who is up under this id; NULL: nobody. */
struct sim_host *sim_host_find(const struct sim *sim, uint64_t id);

/* ---- sim_net.c ---- */

void sim_packet_unref(struct sim_packet **packet);
int sim_net_add_endpoint(struct sim *sim, int host, size_t side, const char *segment);
/* The host came, or went: its connections and those to it. */
void sim_net_host_up(struct sim *sim, const struct sim_host *host);
void sim_net_host_down(struct sim *sim, const struct sim_host *host);
void sim_net_connect(struct sim *sim, const struct sim_event *event);
/* An action of the host's side, but for those about deliveries and peers. */
void sim_net_act(struct sim *sim, int endpoint, const struct tulle__action *action);
void sim_net_free(struct sim *sim);

#endif
