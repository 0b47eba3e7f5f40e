/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_TRANSPORT_H
#define TULLE_NODE_TRANSPORT_H

/* The sockets of one segment, over libzmq. Four of them, however many peers there
 * are: PUB (bound: own events and beats), SUB (connected to each peer's PUB),
 * ROUTER (bound: control messages come in), ROUTER (dials: control messages go
 * out), and nothing else. Of one that only dials nothing is bound: its PUB connects to
 * the inlets of the others, which is what their SUB is bound to as well, and it is
 * answered over the control connections that it dialed. Used and closed on the thread that opened
 * it; nothing here blocks. What the network does not take is lost, and repaired like any loss. */

#include "base/buf.h"
#include "codec/limits.h"
#include "codec/reader.h"

#include <tulle/node.h>
#include <tulle/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zmq.h>

struct tulle__transport;

struct tulle__transport_options {
    uint64_t id;
    const char *listen[TULLE_LISTEN_MAX];
    size_t listen_count;
    const char *interface_name;
    const char *advertise;
    const char *advertise_events;
    const char *advertise_inlet;
    bool use_inlet;
    bool dial_only; /* the others but id mean nothing */
    bool passes_on; /* publications are passed on rather than kept */
};

/* Bind. error may be NULL. Returns as tulle_node_start(). */
TULLE_MUST_CHECK tulle_status tulle__transport_open(void *zmq_context,
                                                    const struct tulle__transport_options *options,
                                                    struct tulle__transport **out,
                                                    tulle_error *error);
/* Close all; unsent messages have until linger_ms after the context is ended. */
void tulle__transport_close(struct tulle__transport **transport, uint32_t linger_ms);

/* Addresses that peers are told; valid until close. */
size_t tulle__transport_addresses(const struct tulle__transport *transport,
                                  const char *control[TULLE__ADDRESSES_MAX],
                                  const char *events[TULLE__ADDRESSES_MAX]);
/* None unless there is an inlet. */
size_t tulle__transport_inlets(const struct tulle__transport *transport,
                               const char *inlets[TULLE__ADDRESSES_MAX]);
/* TCP port of the first control address; 0: none. */
uint16_t tulle__transport_control_port(const struct tulle__transport *transport);

enum { TULLE__TRANSPORT_POLL_ITEMS = 4 };

void tulle__transport_publish(struct tulle__transport *transport,
                              struct tulle__view key,
                              struct tulle__buf *body,
                              struct tulle__buf *path);
/* False when there is no connection of that name or its queue is full. */
bool tulle__transport_control(struct tulle__transport *transport,
                              uint64_t hop,
                              struct tulle__buf *header,
                              struct tulle__buf *body);
/* Each may be NULL; of a list separated by spaces one is taken, another one at each turn. */
struct tulle__dialing {
    const char *control;
    const char *events;
    const char *inlet;
    uint32_t turn, tries; /* the more tries, the more seldom it is tried again */
};
/* False: there was no memory for the control connection, and there is none. That no events come is
 * noticed as they stay away. */
bool tulle__transport_dial(struct tulle__transport *transport,
                           uint64_t hop,
                           const struct tulle__dialing *dialing);
void tulle__transport_hangup(struct tulle__transport *transport,
                             uint64_t hop,
                             const struct tulle__dialing *dialing);
void tulle__transport_subscribe(struct tulle__transport *transport, struct tulle__view key);
void tulle__transport_unsubscribe(struct tulle__transport *transport, struct tulle__view key);

enum tulle__transport_socket {
    TULLE__TRANSPORT_SUB,
    TULLE__TRANSPORT_ROUTER,
    TULLE__TRANSPORT_PUB,
    TULLE__TRANSPORT_DIALER
};
/* Descriptors of the sockets. Each is readable when its socket may have something new to look
 * at: has_events() must be false, or all have been received from, before anyone waits for
 * them. */
int tulle__transport_fd(const struct tulle__transport *transport, size_t index);
/* PUB receives nothing, but subscriptions come in there: let libzmq look at them. */
void tulle__transport_look_at_pub(const struct tulle__transport *transport);
/* Is there anything to receive? Also lets libzmq get on with its work. */
bool tulle__transport_has_events(const struct tulle__transport *transport);

enum tulle__received {
    TULLE__RECEIVED_NOTHING,
    TULLE__RECEIVED_MESSAGE,
    TULLE__RECEIVED_MALFORMED /* a message with a wrong number of frames, taken off */
};

/* One message off a socket. key, path and header are owned by the transport until
 * its next receive; body is the caller's to unref. */
struct tulle__incoming {
    struct tulle__view key;  /* publication: key; control: header */
    struct tulle__view path; /* publication only; len 0: none */
    struct tulle__buf *body;
    uint64_t via; /* control only: id of the neighbour; 0: it came back */
    uint64_t hop; /* over what was dialed as this */
};

enum tulle__received tulle__transport_receive_publication(struct tulle__transport *transport,
                                                          struct tulle__incoming *out);
/* Send on the publication that was received last, with another path: a copy, which shares
 * the bytes, or for the last time the frames that came. */
void tulle__transport_pass(struct tulle__transport *transport,
                           struct tulle__transport *from,
                           const struct tulle__incoming *in,
                           struct tulle__buf *path,
                           bool is_last);
/* Instead of an unref of its body: the memory is used again for the next one. */
void tulle__transport_give_back(struct tulle__transport *transport, struct tulle__incoming *in);
enum tulle__received tulle__transport_receive_control(struct tulle__transport *transport,
                                                      struct tulle__incoming *out);

#endif
