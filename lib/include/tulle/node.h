/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_H
#define TULLE_NODE_H

/* A node: one member of a mesh.
 *
 * Life: fill options, tulle_node_new(), subscribe, tulle_node_start(), publish
 * and receive, tulle_node_stop(), tulle_node_free(). A node owns one thread of
 * its own from start to stop; that thread owns all its sockets. Any number of
 * nodes may live in one process: there is no global state. The library never
 * installs a signal handler, never writes to a stream and never exits.
 *
 * Threads, in the notes below: "any" means any thread, also several at once;
 * "callback" means that the function may also be called from a callback, which
 * runs on the node's thread; a callback must not block.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tulle/event.h>
#include <tulle/status.h>

typedef struct tulle_node tulle_node;
typedef struct tulle_subscription tulle_subscription;

typedef enum tulle_log_level {
    TULLE_LOG_ERROR = 1, /* an operator should act */
    TULLE_LOG_WARN = 2,  /* degraded, expected to heal by itself */
    TULLE_LOG_INFO = 3,  /* a state change */
    TULLE_LOG_DEBUG = 4  /* per message */
} tulle_log_level;

/* One log line: a stable id such as "member.gone", then key=value text.
 * Runs on the node's thread; must not block and must not call the node. After
 * tulle_node_stop() has returned it is not called again. */
typedef void (*tulle_log_fn)(tulle_log_level level, const char *id, const char *text, void *ctx);

enum {
    TULLE_LISTEN_MAX = 4,    /* addresses one node listens at */
    TULLE_TOPIC_LEN_MAX = 255 /* bytes of a topic or pattern */
};

typedef struct tulle_node_options {
    const char *mesh; /* nodes of different meshes ignore each other; "tulle"; 1..63 bytes */
    const char *name; /* human name, 1..63 bytes; NULL: the host's name and the process id */

    /* Control addresses, "tcp://HOST:PORT" or "ipc://PATH". HOST "*" is the
     * first usable interface (or interface_name's); PORT "*" is chosen by the
     * system. Events are published on PORT + 1 (IPC: PATH and ".events").
     * None given: HOST "*", PORT "*" with tcp. */
    const char *listen[TULLE_LISTEN_MAX];
    size_t listen_count;
    const char *interface_name; /* interface that stands for HOST "*"; NULL: chosen */
    /* What peers are told instead of the first listen address, behind address
     * translation or a relay; NULL: the bound ones. */
    const char *advertise;        /* control address */
    const char *advertise_events; /* event address */
    const char *const *join;      /* control addresses of nodes to join */
    size_t join_count;            /* 0..64 */
    bool use_beacon;              /* find and be found by UDP broadcast */
    const char *beacon_interface; /* NULL: chosen by the system */
    uint16_t beacon_port;         /* 5670 */

    uint32_t stream_levels; /* leading topic levels that make the stream; 1; 1..8 */

    uint32_t beat_ms;        /* period of beats; 1000; 20..60000 */
    uint32_t suspect_ms;     /* silence that makes a peer suspect; 3000 */
    uint32_t gone_ms;        /* silence that makes it gone; 10000 */
    uint32_t hold_ms;        /* how long a missing range may hold others up; 10000 */
    uint32_t fetch_delay_ms; /* how long a hole may fill by itself before it is asked for; 20 */

    uint64_t retain_bytes;       /* own events kept for others; 64 MiB; 0 keeps none */
    uint64_t retain_ms;          /* and for how long; 600000 */
    uint64_t retain_others_bytes; /* delivered events of others kept for others; 32 MiB */
    uint64_t held_bytes;         /* events waiting for order; 64 MiB */
    uint64_t queue_bytes;        /* delivered but not received, per subscription; 16 MiB */
    uint64_t outbox_bytes;       /* published but not yet sent; 16 MiB */
    uint64_t window_bytes; /* published but not acknowledged by a live consumer: publish waits
                              beyond it; 0 (off): slow consumers fall back on retention */
    uint32_t batch_bytes;     /* a batch closes at this size; 65536 */
    uint32_t event_bytes_max; /* largest payload; 1 MiB; at most 16 MiB */

    tulle_log_fn log; /* NULL: silence */
    void *log_ctx;
    tulle_log_level log_level; /* lines above it are not made; TULLE_LOG_INFO */
} tulle_node_options;

typedef enum tulle_order {
    TULLE_ORDER_NONE = 1, /* as it arrives; nothing is repaired */
    TULLE_ORDER_FIFO = 2, /* each lane in its own order */
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
    tulle_message_fn fn; /* NULL: messages queue for tulle_subscription_receive() */
    void *ctx;
} tulle_subscribe_options;

typedef struct tulle_publish_options {
    uint32_t stream_levels;        /* 0: as the node's options say; else 1..8 */
    int timeout_ms;                /* how long publish may wait for room; 0 not; -1 (default) for ever */
    const char *content_type;      /* NULL: msgpack, and nothing is sent; 1..127 bytes */
    const tulle_event_ref *causes; /* named causes, 0..64; borrowed */
    size_t cause_count;
    bool only_causes;            /* depend on the named causes alone, not on all seen so far */
    const tulle_header *headers; /* 0..32, each name and value up to 255 bytes; borrowed */
    size_t header_count;
} tulle_publish_options;

#include <tulle/counters.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Fill options with the defaults named above.
 *
 * Threads  any; never blocks
 */
TULLE_API void tulle_node_options_init(tulle_node_options *options);
TULLE_API void tulle_subscribe_options_init(tulle_subscribe_options *options);
TULLE_API void tulle_publish_options_init(tulle_publish_options *options);

/* Make a node. Nothing is bound or sent yet.
 *
 * options  borrowed; everything in it is copied
 * out      set to a node to be freed with tulle_node_free(); NULL on failure
 * error    may be NULL; says which option is wrong and why
 *
 * Returns  TULLE_OK
 *          TULLE_EINVAL  an option is out of range
 *          TULLE_ENOMEM
 * Threads  any
 */
TULLE_API TULLE_MUST_CHECK tulle_status tulle_node_new(const tulle_node_options *options,
                                                       tulle_node **out,
                                                       tulle_error *error);

/* Bind the addresses, start the thread, begin to join.
 *
 * Returns  TULLE_OK
 *          TULLE_EADDRINUSE     a listen address is taken
 *          TULLE_EADDRNOTAVAIL  a listen address is not of this host
 *          TULLE_ENETWORK       another reason, in error
 *          TULLE_ESTATE         already started, or stopped
 * Threads  any but a callback
 */
TULLE_API TULLE_MUST_CHECK tulle_status tulle_node_start(tulle_node *node, tulle_error *error);

/* Take the events whose topics match pattern ("*" is one level, "**" any number).
 *
 * Subscriptions of one node advance together: a queue that is full holds back
 * the others too, and what cannot be held is fetched again later. The first
 * subscription that takes a stream decides where reading it starts; another
 * one for a part of it must ask for the same start.
 *
 * pattern  borrowed
 * options  borrowed; NULL for the defaults
 * out      set to the subscription; freed with tulle_subscription_free() or
 *          with its node; may be NULL when options has a callback
 *
 * Returns  TULLE_OK
 *          TULLE_EINVAL  bad pattern or option
 *          TULLE_ESTATE  the stream is read from another start already, or the
 *                        node is stopped
 *          TULLE_ENOMEM, TULLE_ELIMIT (more than 256 subscriptions)
 * Threads  any, callback
 */
TULLE_API TULLE_MUST_CHECK tulle_status tulle_node_subscribe(tulle_node *node,
                                                             const char *pattern,
                                                             const tulle_subscribe_options *options,
                                                             tulle_subscription **out);

/* Next message of a subscription without callback.
 *
 * out         set to a message that is valid until the next call for this
 *             subscription; NULL on failure
 * timeout_ms  0 returns at once, -1 waits for ever
 *
 * Returns  TULLE_OK
 *          TULLE_ETIMEDOUT  nothing came
 *          TULLE_ESTATE     the node is stopped and everything was received
 *          TULLE_EINVAL     the subscription has a callback
 * Threads  any, one at a time for one subscription; may block up to timeout_ms
 */
TULLE_API TULLE_MUST_CHECK tulle_status tulle_subscription_receive(tulle_subscription *subscription,
                                                                   const tulle_message **out,
                                                                   int timeout_ms);

/* Descriptor that is readable while a message waits, for poll(2) and event
 * loops: when readable, receive with timeout 0 until TULLE_ETIMEDOUT. Owned by
 * the subscription; neither read nor close it. -1 with a callback.
 *
 * Threads  any
 */
TULLE_API int tulle_subscription_fd(const tulle_subscription *subscription);

/* End a subscription; *subscription becomes NULL. NULL is allowed.
 *
 * Threads  any but a callback, and none may be receiving from it
 */
TULLE_API void tulle_subscription_free(tulle_subscription **subscription);

/* Publish one event.
 *
 * Returns when the event is in the outbox; an idle node sends it at once, a
 * busy one in the next batch. tulle_node_flush() waits for acknowledgements.
 *
 * topic    borrowed; 1..255 bytes UTF-8, levels separated by "/", no wildcard,
 *          not beginning with "$"
 * payload  borrowed; by convention one msgpack value; NULL when payload_len is 0
 * options  borrowed; NULL for the defaults
 *
 * Returns  TULLE_OK
 *          TULLE_EINVAL    bad topic or option
 *          TULLE_EMSGSIZE  payload_len is above event_bytes_max
 *          TULLE_EAGAIN    outbox or window still full after timeout_ms; with a
 *                          timeout other than 0 also in a callback, where it
 *                          never waits
 *          TULLE_ESTATE    not started, or stopping
 * Threads  any, callback; may block up to timeout_ms
 */
TULLE_API TULLE_MUST_CHECK tulle_status tulle_node_publish(tulle_node *node,
                                                           const char *topic,
                                                           const void *payload,
                                                           size_t payload_len,
                                                           const tulle_publish_options *options);

/* Wait until every live node that takes one of this node's streams has
 * acknowledged everything published so far.
 *
 * Returns  TULLE_OK, at once when nobody takes anything
 *          TULLE_ETIMEDOUT
 *          TULLE_ESTATE  not started, or called from a callback
 * Threads  any but a callback; may block up to timeout_ms (-1: for ever)
 */
TULLE_API TULLE_MUST_CHECK tulle_status tulle_node_flush(tulle_node *node, int timeout_ms);

/* Wait until at least count nodes that take pattern's streams are connected, so
 * that what is published from now on reaches them.
 *
 * pattern  a pattern or topic; NULL counts every node, whatever it takes
 *
 * Returns, threads  as tulle_node_flush(); TULLE_EINVAL for a bad pattern
 */
TULLE_API TULLE_MUST_CHECK tulle_status tulle_node_wait_peers(tulle_node *node,
                                                              const char *pattern,
                                                              size_t count,
                                                              int timeout_ms);

/* Join by one more control address, as options.join does at start.
 *
 * Returns  TULLE_OK, TULLE_EINVAL (bad address), TULLE_ELIMIT, TULLE_ESTATE
 * Threads  any, callback; never blocks
 */
TULLE_API TULLE_MUST_CHECK tulle_status tulle_node_join(tulle_node *node, const char *address);

/* Call fn for each peer known, in no order.
 *
 * Returns  TULLE_OK, TULLE_ESTATE (not started, or called from a callback)
 * Threads  any but a callback; fn runs on the node's thread while this waits
 */
TULLE_API TULLE_MUST_CHECK tulle_status tulle_node_peers(tulle_node *node,
                                                         void (*fn)(const tulle_peer *peer,
                                                                    void *ctx),
                                                         void *ctx);

/* Copy the counters, all since start. Not started: all zero.
 *
 * Threads  any, callback; never blocks
 */
TULLE_API void tulle_node_counters(const tulle_node *node, tulle_counters *out);

/* The node's id (0 before start), its name, and the control address that peers
 * dial ("" before start). Strings are valid until tulle_node_free().
 *
 * Threads  any, callback
 */
TULLE_API uint64_t tulle_node_id(const tulle_node *node);
TULLE_API const char *tulle_node_name(const tulle_node *node);
TULLE_API const char *tulle_node_address(const tulle_node *node);

/* Leave: send what is in the outbox, tell the peers, end the thread, close the
 * sockets. What was delivered can still be received. Idempotent.
 *
 * linger_ms  how long unsent bytes may take to leave; 0..60000
 *
 * Threads  any but a callback; blocks up to linger_ms and a little
 */
TULLE_API void tulle_node_stop(tulle_node *node, uint32_t linger_ms);

/* Stop if need be (linger 0) and free, with all subscriptions; *node becomes
 * NULL. NULL is allowed.
 *
 * Threads  any but a callback
 */
TULLE_API void tulle_node_free(tulle_node **node);

#ifdef __cplusplus
}
#endif

#endif
