/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TESTS_RELAY_TCP_H
#define TULLE_TESTS_RELAY_TCP_H

/* Forwarding of TCP connections with faults: delay, cut, half-open silence.
 *
 * Bytes of a connection keep their order. Each direction holds at most
 * RELAY_FLOW_BYTES_MAX; beyond that the source is not read. */

#include "relay.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zmq.h>

enum {
    RELAY_TCP_LINKS_MAX = 64,
    RELAY_TCP_CONNS_MAX = 256,
    RELAY_FLOW_BYTES_MAX = 4 * 1024 * 1024,
    RELAY_TCP_ITEMS_MAX = RELAY_TCP_LINKS_MAX + 2 * RELAY_TCP_CONNS_MAX
};

struct relay_tcp;

/* NULL when there is no memory. Free with relay_tcp_free(), which closes everything. */
struct relay_tcp *relay_tcp_new(struct relay_chance *chance);
void relay_tcp_free(struct relay_tcp **tcp);

/* Listen at listen ("HOST:PORT" or "tcp://HOST:PORT"; port 0 or "*": chosen) and
 * connect each connection on to target. bound gets the address listened at.
 *
 * Returns NULL, or what is wrong. */
const char *relay_tcp_add(struct relay_tcp *tcp,
                          const char *listen,
                          const char *target,
                          char bound[static RELAY_ADDRESS_LEN]);

/* What bytes read from now on wait before they go on; each adds 0..jitter_ms. */
void relay_tcp_set_delay(struct relay_tcp *tcp, uint32_t delay_ms, uint32_t jitter_ms);

/* Cut: connections are reset, new ones too, until it is healed. */
void relay_tcp_set_cut(struct relay_tcp *tcp, bool is_cut);

/* Stalled: connections stay and are accepted, but not a byte moves. */
void relay_tcp_set_stalled(struct relay_tcp *tcp, bool is_stalled);

/* Reset the connections that there are. */
void relay_tcp_reset(struct relay_tcp *tcp);

/* The connections that there are stay open and dead, as when a translator of addresses on the
 * way has forgotten them; new ones are as good as ever. */
void relay_tcp_lose(struct relay_tcp *tcp);

/* How many connections were made to it so far, also such as were reset at once. */
uint64_t relay_tcp_count(const struct relay_tcp *tcp);

/* Fill items (room for RELAY_TCP_ITEMS_MAX); lower *deadline_us if need be. Returns how many. */
size_t relay_tcp_poll(struct relay_tcp *tcp, zmq_pollitem_t *items, int64_t *deadline_us);

/* Do what can be done, after the poll of these items. */
void relay_tcp_run(struct relay_tcp *tcp, const zmq_pollitem_t *items);

#endif
