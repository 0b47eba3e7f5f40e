/* SPDX-License-Identifier: MPL-2.0 */
/* A frame for the topic and one for up to 32 KiB of events, each behind its length: as
 * fast as ZeroMQ PUB/SUB gets by hand, without any of what tulle adds.
 *
 *   | len (native, 4) | payload | len | payload | ...
 */

#include "zmq_peer.h"

#include <string.h>

enum { BATCH_LEN = 32768 };

const char *const peer_name = "zmqbatch";

static void
append(struct peer *peer, const void *data, size_t len)
{
    if (msgpack_sbuffer_write(&peer->buffer, data, len) != 0)
        peer_fail("no memory");
}

void
peer_publish(struct peer *peer, const void *payload, size_t len)
{
    uint32_t prefix = (uint32_t)len;
    append(peer, &prefix, sizeof prefix);
    append(peer, payload, len);
    if (peer->buffer.size >= BATCH_LEN)
        peer_flush(peer);
}

void
peer_flush(struct peer *peer)
{
    if (peer->buffer.size == 0)
        return;
    zmq_peer_send(peer, peer->topic, peer->topic_len, ZMQ_SNDMORE);
    zmq_peer_send(peer, peer->buffer.data, peer->buffer.size, 0);
    msgpack_sbuffer_clear(&peer->buffer);
}

/* The events of one batch to fn, until it returns false. */
static bool
take_batch(zmq_msg_t *batch, peer_event_fn *fn, void *ctx)
{
    const char *data = zmq_msg_data(batch);
    size_t left = zmq_msg_size(batch);
    bool more = true;
    while (left > 0 && more) {
        uint32_t len = 0;
        if (left < sizeof len)
            peer_fail("a batch is cut off");
        memcpy(&len, data, sizeof len);
        if (len > left - sizeof len)
            peer_fail("a batch is cut off");
        more = fn(data + sizeof len, len, ctx);
        data += sizeof len + len;
        left -= sizeof len + len;
    }
    return more;
}

void
peer_receive(struct peer *peer, peer_event_fn *fn, void *ctx)
{
    zmq_msg_t topic;
    zmq_msg_t batch;
    (void)zmq_msg_init(&topic);
    (void)zmq_msg_init(&batch);
    do {
        zmq_peer_receive(peer, &topic);
        zmq_peer_receive(peer, &batch);
    } while (take_batch(&batch, fn, ctx));
    (void)zmq_msg_close(&topic);
    (void)zmq_msg_close(&batch);
}
