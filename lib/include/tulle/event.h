/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_EVENT_H
#define TULLE_EVENT_H

/* What a subscription hands to the application: messages.
 *
 * Most messages are events. The others tell what a mesh must never keep to
 * itself: ranges that are lost for good (gaps) and, for those who ask, what
 * happened on the way (arrivals, duplicates, peers coming and going).
 *
 * Everything reachable from a message is borrowed: it is valid during the
 * callback, or until the next tulle_subscription_receive() on the same
 * subscription. Copy what you keep. All strings are NUL-terminated UTF-8.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Names one event of the mesh: the seq-th that node published on stream. */
typedef struct tulle_event_ref {
    uint64_t node;      /* id of the publisher */
    const char *stream; /* its stream */
    uint64_t seq;       /* 1, 2, 3, ... without holes */
} tulle_event_ref;

/* One entry of a vector clock: the first count events of the lane (node, stream). */
typedef struct tulle_clock_entry {
    uint64_t node;
    const char *stream;
    uint64_t count;
} tulle_clock_entry;

/* A named text that travels with an event. */
typedef struct tulle_header {
    const char *name;
    const char *value;
} tulle_header;

typedef struct tulle_event {
    uint64_t node;         /* id of the publisher */
    const char *node_name; /* its name; "" while it is not known */
    const char *stream;    /* stream of the lane it came on */
    uint64_t seq;          /* number within the lane, from 1 */
    const char *topic;     /* whole topic */
    int64_t time_us;       /* when it was published: microseconds since 1970, UTC */
    uint64_t hlc;          /* the same as a hybrid logical clock; orders concurrent events */
    const void *payload;   /* the bytes published; NULL when payload_len is 0 */
    size_t payload_len;
    const char *content_type;      /* NULL when the publisher gave none: then msgpack is assumed */
    const tulle_event_ref *causes; /* events the publisher named as causes */
    size_t cause_count;
    const tulle_header *headers; /* headers the publisher attached */
    size_t header_count;
    const tulle_clock_entry *deps; /* with TULLE_DETAIL_DEPS: what the envelope carried */
    size_t dep_count;
    const tulle_clock_entry *clock; /* with TULLE_DETAIL_CLOCK: full vector clock at the event */
    size_t clock_count;
    uint32_t hops;    /* proxies passed */
    int64_t delay_us; /* from publishing to arrival here, by the two hosts' clocks */
    int64_t held_us;  /* from arrival to delivery: waiting for order */
    /* Held: the last thing it waited for, the first count events of a lane; once they were
     * delivered, it was. Its own lane: for the event before it. count 0: for nothing of the
     * kind, but for room in a queue, or to learn where its lane begins. */
    tulle_clock_entry waited_for;
    bool is_repaired; /* came by fetch, not live */
    bool is_late;     /* DUPLICATE: came after it had been given up */
} tulle_event;

/* Why a range was given up. */
typedef enum tulle_gap_reason {
    TULLE_GAP_EVICTED = 1,     /* every reachable holder has let go of it */
    TULLE_GAP_UNREACHABLE = 2, /* nobody who may hold it answered within hold_ms */
    TULLE_GAP_BEST_EFFORT = 3, /* missing on a stream taken with TULLE_ORDER_NONE: not asked for */
    TULLE_GAP_MALFORMED = 4,   /* what the publisher sent for it cannot be read */
    TULLE_GAP_WITHHELD = 5     /* it may not pass a proxy: denied there, or too large */
} tulle_gap_reason;

typedef struct tulle_gap {
    uint64_t node;
    const char *node_name;
    const char *stream;
    uint64_t first; /* first and last missing seq, inclusive */
    uint64_t last;
    tulle_gap_reason reason;
} tulle_gap;

typedef enum tulle_peer_state {
    TULLE_PEER_UP = 1,       /* heard of, synced with */
    TULLE_PEER_SUSPECT = 2,  /* silent for suspect_ms */
    TULLE_PEER_GONE = 3,     /* silent for gone_ms */
    TULLE_PEER_LEFT = 4,     /* said that it leaves */
    TULLE_PEER_RESTARTED = 5 /* a new incarnation of a name that was known; it is up */
} tulle_peer_state;

typedef struct tulle_peer {
    uint64_t node;
    const char *name;
    const char *address; /* control address it is reached at; "" when behind a proxy */
    tulle_peer_state state;
    uint64_t previous; /* with RESTARTED: id of the incarnation before; else 0 */
    uint32_t hops;     /* proxies between here and there on the shortest path */
    bool is_proxy;
} tulle_peer;

/* How far a lane of another node that is taken here has been delivered. */
typedef struct tulle_lane {
    uint64_t node;
    const char *node_name; /* "" while it is not known */
    const char *stream;
    uint64_t head;      /* seq of the last event known to exist */
    uint64_t delivered; /* up to here everything was delivered, or told to be lost */
    bool is_begun;      /* false: it is not known yet where reading begins; delivered is 0 */
} tulle_lane;

typedef enum tulle_message_kind {
    TULLE_MESSAGE_EVENT = 1,     /* an event, delivered in the order asked for */
    TULLE_MESSAGE_GAP = 2,       /* a range that will never come */
    TULLE_MESSAGE_ARRIVAL = 3,   /* with TULLE_WATCH_ARRIVALS: it is here; delivery follows */
    TULLE_MESSAGE_DUPLICATE = 4, /* with TULLE_WATCH_DUPLICATES: it came again; dropped */
    TULLE_MESSAGE_PEER = 5       /* with TULLE_WATCH_PEERS: a node came, went, or changed */
} tulle_message_kind;

typedef struct tulle_message {
    tulle_message_kind kind;
    union {
        tulle_event event; /* EVENT, ARRIVAL, DUPLICATE */
        tulle_gap gap;     /* GAP */
        tulle_peer peer;   /* PEER */
    } u;
} tulle_message;

#endif
