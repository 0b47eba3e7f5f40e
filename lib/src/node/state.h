/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_STATE_H
#define TULLE_NODE_STATE_H

/* A node: what its files share. node.c is the public face (any thread), loop.c the
 * thread that owns sockets and engine. */

#include "delivery/engine.h"
#include "node/absent.h"
#include "node/beacon.h"
#include "node/outbox.h"
#include "node/race.h"
#include "node/subscription.h"
#include "node/transport.h"

#include <tulle/node.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum tulle__phase {
    TULLE__PHASE_NEW,
    TULLE__PHASE_STARTING,
    TULLE__PHASE_RUNNING,
    TULLE__PHASE_STOPPING,
    TULLE__PHASE_STOPPED
};

enum tulle__request_kind {
    TULLE__REQUEST_SUBSCRIBE,
    TULLE__REQUEST_UNSUBSCRIBE,
    TULLE__REQUEST_JOIN,
    TULLE__REQUEST_PEERS,
    TULLE__REQUEST_SNAPSHOT,
    TULLE__REQUEST_LANES,
    TULLE__REQUEST_FLUSH,     /* done when everything is acknowledged */
    TULLE__REQUEST_WAIT_PEERS /* done when enough peers take the pattern */
};

/* Something asked of the node's thread. It lies on the asker's stack, who waits
 * until it is done or, for the last two, until its time is up; a detached one is
 * on the heap, nobody waits for it, and the thread frees it. */
struct tulle__request {
    enum tulle__request_kind kind;
    struct tulle__request *next;
    bool is_done;
    bool is_seen; /* FLUSH, WAIT_PEERS: looked at once, and it was not so */
    bool is_detached;
    tulle_status status;
    struct tulle_subscription *subscription;
    char address[TULLE__ADDRESS_LEN_MAX + 1];
    void (*peer_fn)(const tulle_peer *peer, void *ctx);
    struct tulle__snapshot *snapshot; /* SNAPSHOT: the answer */
    void (*lane_fn)(const tulle_lane *lane, void *ctx);
    void *ctx; /* of the two */
    const char *pattern;
    size_t count;
    uint64_t published; /* FLUSH: only done once the outbox up to here was taken */
};

struct tulle_node {
    tulle_node_options options; /* a copy of its own */
    uint64_t id;
    char address[TULLE__ADDRESS_LEN_MAX + 1];
    pthread_t thread;
    int wake_fd;
    void *context; /* libzmq's */
    struct tulle__log log;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    enum tulle__phase phase;
    uint32_t linger_ms;
    bool is_sleeping; /* the thread is in poll, or about to be */
    bool is_poked;    /* somebody has work for it that it has not looked at */
    struct tulle__outbox outbox;
    uint64_t outbox_count; /* events ever put in */
    struct tulle__request *requests;
    struct tulle_subscription *subscriptions; /* changed by the thread only while it runs */
    size_t pattern_count;                     /* of all of them */
    size_t callback_count;                    /* of them, those with a callback */
    size_t join_count;
    tulle_counters counters;
    size_t outbox_limit; /* bytes */

    atomic_bool is_helpable; /* it runs: receivers may take turns */
    atomic_bool has_helper;  /* one of them watches sub_fd */
    int sub_fd;              /* readable when something may have come */
    int poll_fd;             /* an epoll: what the node's thread waits for */

    /* With the turn: the node's thread has it, but while it waits (turn.c). */
    pthread_mutex_t turn;
    bool is_waiting;          /* the node's thread, in poll */
    int64_t waits_until_ns;   /* at most */
    int64_t quiet_since_ns;   /* nothing was published since */
    bool has_touched_control; /* other sockets than PUB and SUB were used */
    struct tulle__engine *engine;
    struct tulle_subscription **by_handle; /* the engine's: whose pattern it is */
    size_t handle_cap;
    size_t registered_count; /* subscriptions that the engine knows */
    uint64_t given;          /* number of what is handed out */
    size_t given_count;      /* subscriptions that have it */
    struct tulle__transport *transport;
    struct tulle__races races;
    struct tulle__absent absent; /* of an observer */
    struct tulle__beacon *beacon;
    struct tulle__outgoing *pending; /* taken from the outbox, not yet by the engine */
    uint64_t taken_count;            /* events ever given to the engine */
    bool is_queue_full;              /* a queue went over its bound since it was looked at */
    bool is_stalled;                 /* the engine was told to wait */
    size_t turn_bytes;               /* published in the last turn */
    uint64_t sent_batches;           /* ever */
    uint64_t notices_dropped;        /* their queue was full */
    atomic_bool wants_room;          /* a queue was full: the receiver wakes the thread */
    int64_t counters_due_ns;
};

/* Ask the node's thread and wait; -1: for ever. */
tulle_status tulle__node_ask(tulle_node *node, struct tulle__request *request, int timeout_ms);

/* The thread's function; argument is the node, engine and transport are made. */
void *tulle__loop_run(void *argument);
/* Handle all actions of the engine. */
void tulle__loop_drain(tulle_node *node);
/* With the turn: publish what is in the outbox; take in what was published by others.
 * Return whether there is more than one turn may take. */
bool tulle__loop_publish(tulle_node *node);
bool tulle__loop_receive(tulle_node *node);
/* With the turn: when something is to be done at the latest. */
int64_t tulle__loop_deadline(const tulle_node *node);

/* ---- hand_out.c ---- */

/* The engine takes the subscription's patterns: all or none. */
tulle_status tulle__node_register(tulle_node *node, struct tulle_subscription *subscription);
/* And no more, if it did. */
void tulle__node_unregister(tulle_node *node, struct tulle_subscription *subscription);
/* A DELIVER, ARRIVAL or DUPLICATE action; a GAP action; news of a peer. */
void tulle__hand_out_delivery(tulle_node *node, const struct tulle__action *action);
void tulle__hand_out_gap(tulle_node *node, const struct tulle__action *action);
void tulle__hand_out_peer(tulle_node *node, const tulle_peer *peer);

/* ---- turn.c ---- */

/* What the node's thread waits for, once the network is open. False: no descriptors. */
bool tulle__turn_open(tulle_node *node);
/* With the turn, which others may have meanwhile. */
void tulle__turn_wait(tulle_node *node, struct tulle__mono now, struct tulle__mono end);
void tulle__turn_pause(tulle_node *node, long us); /* the same, for a moment */
/* An application thread that has put an event into the outbox while the node's thread
 * slept: publish it here, if it is a single one. False: wake the thread for it. */
bool tulle__turn_publish(tulle_node *node);
/* A receiver that waits may watch sub_fd for the node: one at a time. False: not this one. */
bool tulle__turn_begin_help(tulle_node *node);
void tulle__turn_end_help(tulle_node *node);
/* The helper saw something: take it in. False: it cannot help, and is to wait. */
bool tulle__turn_help(tulle_node *node);
/* Do one request now, on the node's thread (or before there is one). True: done. */
bool tulle__loop_serve(tulle_node *node, struct tulle__request *request);
bool tulle__node_is_own_thread(const tulle_node *node);
/* Any thread, with the mutex held: there is work. True: the node's thread sleeps, and the
 * caller is to set wake_fd, best without the mutex. */
bool tulle__node_poke(tulle_node *node);
/* Put a subscription among the node's, and take it off (if it is there). Called with the
 * mutex held. */
void tulle__node_link(tulle_node *node, struct tulle_subscription *subscription);
void tulle__node_unlink(tulle_node *node, struct tulle_subscription *subscription);
/* A receiver has taken something off its queue. */
void tulle__node_on_room(tulle_node *node);

enum tulle__acted {
    TULLE__ACTED,          /* done */
    TULLE__ACTED_UNSENT,   /* a control message for which there is no connection, or no room */
    TULLE__ACTED_UNDIALED, /* no memory for a control connection */
    TULLE__ACTED_NOT       /* no action for sockets */
};

/* Socket actions that a node and a proxy have in common. races: NULL: none are held. */
enum tulle__acted tulle__transport_act(struct tulle__transport *transport,
                                       struct tulle__races *races,
                                       const struct tulle__action *action);

#endif
