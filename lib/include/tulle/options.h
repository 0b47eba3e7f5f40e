/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_OPTIONS_H
#define TULLE_OPTIONS_H

/* Options of nodes, subscriptions and single publications, with their enums.
 *
 * Each struct is filled with the defaults named here by its _init function
 * (node.h), changed, and checked as a whole by the call that takes it.
 */

#include <tulle/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum tulle_log_level {
    TULLE_LOG_ERROR = 1, /* an operator should act */
    TULLE_LOG_WARN = 2,  /* degraded, expected to heal by itself */
    TULLE_LOG_INFO = 3,  /* a state change */
    TULLE_LOG_DEBUG = 4  /* per message */
} tulle_log_level;

/* One log line: a stable id such as "member.gone", then key=value text.
 * Runs on the node's thread, or on one that publishes or receives, one at a time; must
 * not block and must not call the node. After tulle_node_stop() has returned it is not
 * called again. */
typedef void (*tulle_log_fn)(tulle_log_level level, const char *id, const char *text, void *ctx);

enum {
    TULLE_LISTEN_MAX = 4,     /* addresses one node listens at */
    TULLE_TOPIC_LEN_MAX = 255 /* bytes of a topic or pattern */
};

typedef struct tulle_node_options {
    /* Names are UTF-8 without control characters. */
    const char *mesh; /* nodes of different meshes ignore each other; "tulle"; 1..63 bytes */
    const char *name; /* human name, 1..63 bytes; NULL: the host's name and the process id */

    /* Control addresses, "tcp://HOST:PORT" or "ipc://PATH". HOST "*" is the
     * first usable interface (or interface_name's); PORT "*" is chosen by the
     * system. Events are published on PORT + 1 (IPC: PATH and ".events"; with
     * PORT "*" the system chooses this one too).
     * None given: HOST "*", PORT "*" with tcp. */
    const char *listen[TULLE_LISTEN_MAX];
    size_t listen_count;
    const char *interface_name; /* interface that stands for HOST "*"; NULL: chosen */
    /* What peers are told instead of the first listen address, behind address
     * translation or a relay; NULL: the bound ones. */
    const char *advertise;        /* control address */
    const char *advertise_events; /* event address */
    const char *advertise_inlet;  /* of the inlet */
    /* Listen at no address: this one dials the others, which cannot dial it, as from behind
     * address translation. They must have an inlet, where events of such nodes come in: on
     * PORT + 2 (IPC: PATH and ".inlet"). */
    bool dial_only;               /* false; excludes listen, advertise, use_inlet */
    bool use_inlet;               /* false */
    const char *const *join;      /* control addresses of nodes to join */
    size_t join_count;            /* 0..64 */
    bool use_beacon;              /* find and be found by UDP broadcast */
    const char *beacon_interface; /* NULL: chosen by the system */
    uint16_t beacon_port;         /* 5670 */

    uint32_t stream_levels; /* leading topic levels that make the stream; 1; 1..8 */
    bool observe; /* keep what is told of all nodes and lanes, for tulle_snapshot_new(); false */

    uint32_t beat_ms;        /* period of beats; 1000; 20..60000 */
    uint32_t suspect_ms;     /* silence that makes a peer suspect; 3000 */
    uint32_t gone_ms;        /* silence that makes it gone; 10000 */
    uint32_t hold_ms;        /* how long a missing range may hold others up; 10000 */
    uint32_t fetch_delay_ms; /* how long a hole may fill by itself before it is asked for; 20 */

    uint64_t retain_bytes;        /* own events kept for others; 64 MiB; 0 keeps none */
    uint64_t retain_ms;           /* and for how long; 600000 */
    uint64_t retain_others_bytes; /* delivered events of others kept for others; 32 MiB */
    uint64_t held_bytes;          /* events waiting for order; 64 MiB */
    uint64_t queue_bytes;         /* delivered but not received, per subscription; 16 MiB */
    uint64_t outbox_bytes;        /* published but not yet sent; 16 MiB */
    uint64_t window_bytes;    /* published but not acknowledged by a live consumer: publish waits
                                 beyond it, and bounds the outbox by as much; 0 (off): slow
                                 consumers fall back on retention */
    uint32_t batch_bytes;     /* a batch closes at this size; 262144 */
    uint32_t event_bytes_max; /* largest payload; 1 MiB; at most 16 MiB */

    tulle_log_fn log; /* NULL: silence */
    void *log_ctx;
    tulle_log_level log_level; /* lines above it are not made; TULLE_LOG_INFO */
} tulle_node_options;

typedef enum tulle_order {
    TULLE_ORDER_NONE = 1,  /* as it arrives; nothing is repaired */
    TULLE_ORDER_FIFO = 2,  /* each lane in its own order */
    TULLE_ORDER_CAUSAL = 3 /* no event before one it depends on */
} tulle_order;

typedef enum tulle_from {
    TULLE_FROM_LIVE = 1,     /* what is published from now on */
    TULLE_FROM_EARLIEST = 2, /* everything that holders still keep, then live */
    TULLE_FROM_LAST = 3      /* the last from_count events of each lane, then live */
} tulle_from;

enum {
    TULLE_WATCH_ARRIVALS = 1,
    TULLE_WATCH_DUPLICATES = 2,
    TULLE_WATCH_PEERS = 4,
    TULLE_DETAIL_DEPS = 8,  /* fill tulle_event.deps */
    TULLE_DETAIL_CLOCK = 16 /* fill tulle_event.clock */
};

/* Called for each message of a subscription, on the node's thread. */
typedef void (*tulle_message_fn)(const tulle_message *message, void *ctx);

typedef struct tulle_subscribe_options {
    tulle_order order;   /* TULLE_ORDER_CAUSAL */
    tulle_from from;     /* TULLE_FROM_LIVE */
    uint64_t from_count; /* with TULLE_FROM_LAST */
    uint32_t flags;      /* TULLE_WATCH_*, TULLE_DETAIL_*; 0 */
    /* More patterns: an event that several of them match comes once, and there is one
     * order over all that comes. Up to 255; NULL, 0 (default): none. Borrowed. */
    const char *const *also;
    size_t also_count;
    tulle_message_fn fn; /* NULL: messages queue for tulle_subscription_receive() */
    void *ctx;
} tulle_subscribe_options;

typedef struct tulle_publish_options {
    uint32_t stream_levels;   /* 0: as the node's options say; else 1..8 */
    int timeout_ms;           /* how long publish may wait for room; 0 not; -1 (default) for ever */
    const char *content_type; /* NULL: msgpack, and nothing is sent; 1..127 bytes */
    const tulle_event_ref *causes; /* named causes, 0..64; borrowed */
    size_t cause_count;
    bool only_causes; /* depend on the named causes alone, not on all seen so far */
    /* Depend on the first count events of these lanes too, which are known from elsewhere than a
     * subscription of this node, such as a recording or another channel. From then on the node
     * counts as having seen them; with only_causes they stand for the history of the causes
     * instead, and for this event alone. 0..65536, ids and counts as events had them; who takes
     * one of these lanes waits for its events up to hold_ms if nobody has them. Borrowed. */
    const tulle_clock_entry *after;
    size_t after_count;
    const tulle_header *headers; /* 0..32, each name and value up to 255 bytes; borrowed */
    size_t header_count;
} tulle_publish_options;

#endif
