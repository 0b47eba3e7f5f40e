/* SPDX-License-Identifier: MPL-2.0 */
/* One frame for the topic, one for the payload: what most programs on ZeroMQ PUB/SUB do,
 * and what tulle is compared with. */

#include "zmq_peer.h"

const char *const peer_name = "zmq2";

void
peer_publish(struct peer *peer, const void *payload, size_t len)
{
    zmq_peer_send(peer, peer->topic, peer->topic_len, ZMQ_SNDMORE);
    zmq_peer_send(peer, payload, len, 0);
}

void
peer_flush(struct peer *peer)
{
    (void)peer; /* every send is on its way */
}

void
peer_receive(struct peer *peer, peer_event_fn *fn, void *ctx)
{
    zmq_msg_t topic;
    zmq_msg_t payload;
    (void)zmq_msg_init(&topic);
    (void)zmq_msg_init(&payload);
    do {
        zmq_peer_receive(peer, &topic);
        zmq_peer_receive(peer, &payload);
    } while (fn(zmq_msg_data(&payload), zmq_msg_size(&payload), ctx));
    (void)zmq_msg_close(&topic);
    (void)zmq_msg_close(&payload);
}
