/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TESTS_RELAY_EVENTS_H
#define TULLE_TESTS_RELAY_EVENTS_H

/* Forwarding of published ZeroMQ messages with faults by key prefix.
 *
 * A link is an XPUB socket bound at one address and an XSUB socket connected to
 * another: subscriptions go up, messages come down. Messages under one rule keep
 * their order; those under another rule may overtake them. What a link holds is
 * bounded: at the bound it stops reading. */

#include "relay.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zmq.h>

enum {
    RELAY_EVENTS_LINKS_MAX = 32,
    RELAY_RULES_MAX = 32,
    RELAY_PREFIX_LEN = 128,
    RELAY_HELD_COUNT_MAX = 100000,
    RELAY_HELD_BYTES_MAX = 128 * 1024 * 1024,
    RELAY_EVENTS_ITEMS_MAX = 2 * RELAY_EVENTS_LINKS_MAX
};

struct relay_events;

/* NULL when there is no memory. Free with relay_events_free(), which closes everything. */
struct relay_events *relay_events_new(struct relay_chance *chance);
void relay_events_free(struct relay_events **events);

/* Bind at listen ("tcp://HOST:PORT" or "ipc://PATH"; the scheme may be left out for tcp) and
 * connect to target. bound gets the address bound.
 *
 * Returns NULL, or what is wrong. */
const char *relay_events_add(struct relay_events *events,
                             const char *listen,
                             const char *target,
                             char bound[static RELAY_ADDRESS_LEN]);

enum relay_fault {
    RELAY_FAULT_DELAY = 1, /* value: milliseconds */
    RELAY_FAULT_DROP,      /* value: percent */
    RELAY_FAULT_DUPLICATE  /* value: percent */
};

/* Set one fault for the messages whose key begins with prefix ("" all others).
 * The longest prefix that fits a message decides. False when there are too many. */
bool relay_events_set(struct relay_events *events,
                      enum relay_fault fault,
                      const char *prefix,
                      double value);

/* Cut: messages are dropped, those held too. Stalled: nothing is read or sent. Subscriptions pass
 * in both. */
void relay_events_set_cut(struct relay_events *events, bool is_cut);
void relay_events_set_stalled(struct relay_events *events, bool is_stalled);

/* As relay_tcp_poll() and relay_tcp_run(). */
size_t relay_events_poll(struct relay_events *events, zmq_pollitem_t *items, int64_t *deadline_us);
void relay_events_run(struct relay_events *events, const zmq_pollitem_t *items);

#endif
