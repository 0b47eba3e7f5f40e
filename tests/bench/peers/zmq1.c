/* SPDX-License-Identifier: MPL-2.0 */
/* Topic and payload in one frame: the least that ZeroMQ PUB/SUB can do for an event. */

#include "zmq_peer.h"

#include <string.h>

const char *const peer_name = "zmq1";

void
peer_publish(struct peer *peer, const void *payload, size_t len)
{
    zmq_msg_t message;
    if (zmq_msg_init_size(&message, peer->topic_len + len) == -1)
        peer_fail("zmq_msg_init_size: %s", zmq_strerror(zmq_errno()));
    unsigned char *data = zmq_msg_data(&message);
    memcpy(data, peer->topic, peer->topic_len);
    memcpy(data + peer->topic_len, payload, len);
    if (zmq_msg_send(&message, peer->socket, 0) == -1)
        peer_fail("zmq_msg_send: %s", zmq_strerror(zmq_errno()));
}

void
peer_flush(struct peer *peer)
{
    (void)peer; /* every send is on its way */
}

void
peer_receive(struct peer *peer, peer_event_fn *fn, void *ctx)
{
    zmq_msg_t message;
    bool more = true;
    (void)zmq_msg_init(&message);
    while (more) {
        zmq_peer_receive(peer, &message);
        const unsigned char *data = zmq_msg_data(&message);
        more = fn(data + peer->topic_len, zmq_msg_size(&message) - peer->topic_len, ctx);
    }
    (void)zmq_msg_close(&message);
}
