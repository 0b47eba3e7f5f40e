/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ZMQ_PEER_H
#define ZMQ_PEER_H

/* What the ZeroMQ peers share. They differ only in what they put into frames, and each
 * defines peer_name, peer_publish(), peer_flush() and peer_receive(). */

#include "peer.h"

#include <msgpack/sbuffer.h>
#include <zmq.h>

struct peer {
    void *context;
    void *socket;
    const char *topic;
    size_t topic_len;
    msgpack_sbuffer buffer; /* bytes for those who build a frame of several things */
    uint64_t count;         /* published, for those who number events */
};

void zmq_peer_send(const struct peer *peer, const void *data, size_t len, int flags);

/* One frame into message, which is initialised. */
void zmq_peer_receive(const struct peer *peer, zmq_msg_t *message);

#endif
