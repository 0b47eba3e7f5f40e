/* SPDX-License-Identifier: MPL-2.0 */
#ifndef PEER_H
#define PEER_H

/* What a messaging system must offer to be measured: open, publish, flush, receive. The
 * rest (processes, stamps, counting, CPU time, the result) is the harness's, and the same
 * for all. Each peer is one file that defines struct peer and these functions.
 *
 * A peer that cannot go on calls peer_fail(): the whole run is then a failure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PEER_MAX = 16, PEER_TEXT_LEN = 256 };

/* Where a publisher can be reached, written by it on opening for subscribers to read. */
struct peer_place {
    char address[PEER_TEXT_LEN];
    char key[PEER_TEXT_LEN]; /* public CURVE key; "": none */
};

struct peer_setup {
    const char *topic;
    unsigned publishers;
    unsigned subscribers;
    unsigned index;           /* of this publisher, or this subscriber */
    unsigned port;            /* of the broker, or first of a range; 0: none was given */
    bool is_paced;            /* latency is measured: send at once rather than gather */
    bool curve;               /* encrypt, where the peer can */
    bool is_via;              /* over a forwarder, at port for publishers, port + 2 for others */
    bool is_single;           /* each event in a message of its own */
    struct peer_place *place; /* one for each publisher */
};

extern const char *const peer_name;

/* Whether publishing waits by itself for slow subscribers. Else the harness lets a
 * publisher be only so far ahead: see WINDOW_BYTES in harness.c. */
extern const bool peer_has_flow_control;

struct peer *peer_open_publisher(const struct peer_setup *setup);

/* Called when every publisher is open. */
struct peer *peer_open_subscriber(const struct peer_setup *setup);

void peer_publish(struct peer *peer, const void *payload, size_t len);

/* Nothing that was published stays behind for want of more. */
void peer_flush(struct peer *peer);

/* One event came in. False: that was all, peer_receive() returns. */
typedef bool peer_event_fn(const void *payload, size_t len, void *ctx);

/* Call fn for each event, on any one thread, until it returns false. */
void peer_receive(struct peer *peer, peer_event_fn *fn, void *ctx);

/* Nothing in flight matters any more. */
void peer_close(struct peer *peer);

/* Zeroed; ends the program when there is no memory. */
void *peer_allocate(size_t size);

_Noreturn void peer_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
