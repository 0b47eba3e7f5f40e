/* SPDX-License-Identifier: MPL-2.0 */
/* PUB and SUB as a careful user opens them who must not lose anything: with
 * ZMQ_XPUB_NODROP a send waits at the high-water mark instead of dropping, and the
 * receiver's high-water mark holds up the connection, so the sender's fills.
 */

#include "zmq_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HIGH_WATER_MARK = 10000, /* messages; the best of 1,000 (the default), 10,000 and 100,000 */
    KEY_LEN = 41
};

const bool peer_has_flow_control = true;

static void
must(int rc, const char *what)
{
    if (rc == -1)
        peer_fail("%s: %s", what, zmq_strerror(zmq_errno()));
}

static void
set_int(const struct peer *peer, int option, int value)
{
    must(zmq_setsockopt(peer->socket, option, &value, sizeof value), "zmq_setsockopt");
}

static void
set_key(const struct peer *peer, int option, const char *key)
{
    must(zmq_setsockopt(peer->socket, option, key, KEY_LEN), "zmq_setsockopt of a key");
}

static struct peer *
open_peer(const struct peer_setup *setup, int type)
{
    struct peer *peer = peer_allocate(sizeof *peer);
    peer->topic = setup->topic;
    peer->topic_len = strlen(setup->topic);
    msgpack_sbuffer_init(&peer->buffer);
    peer->context = zmq_ctx_new();
    if (peer->context == NULL || (peer->socket = zmq_socket(peer->context, type)) == NULL)
        peer_fail("zmq_socket: %s", zmq_strerror(zmq_errno()));
    set_int(peer, ZMQ_SNDHWM, HIGH_WATER_MARK);
    set_int(peer, ZMQ_RCVHWM, HIGH_WATER_MARK);
    set_int(peer, ZMQ_LINGER, 0);
    return peer;
}

struct peer *
peer_open_publisher(const struct peer_setup *setup)
{
    struct peer *peer = open_peer(setup, ZMQ_PUB);
    struct peer_place *place = &setup->place[setup->index];
    size_t address_len = sizeof place->address;
    set_int(peer, ZMQ_XPUB_NODROP, 1);
    if (setup->curve) {
        char secret[KEY_LEN];
        must(zmq_curve_keypair(place->key, secret), "zmq_curve_keypair");
        set_int(peer, ZMQ_CURVE_SERVER, 1);
        set_key(peer, ZMQ_CURVE_SECRETKEY, secret);
    }
    if (setup->is_via) {
        char forwarder[PEER_TEXT_LEN];
        (void)snprintf(forwarder, sizeof forwarder, "tcp://127.0.0.1:%u", setup->port);
        (void)snprintf(place->address, sizeof place->address, "tcp://127.0.0.1:%u",
                       setup->port + 2);
        must(zmq_connect(peer->socket, forwarder), "zmq_connect");
        return peer;
    }
    must(zmq_bind(peer->socket, "tcp://127.0.0.1:*"), "zmq_bind");
    must(zmq_getsockopt(peer->socket, ZMQ_LAST_ENDPOINT, place->address, &address_len),
         "ZMQ_LAST_ENDPOINT");
    return peer;
}

struct peer *
peer_open_subscriber(const struct peer_setup *setup)
{
    struct peer *peer = open_peer(setup, ZMQ_SUB);
    if (setup->curve) {
        char public[KEY_LEN];
        char secret[KEY_LEN];
        must(zmq_curve_keypair(public, secret), "zmq_curve_keypair");
        set_key(peer, ZMQ_CURVE_PUBLICKEY, public);
        set_key(peer, ZMQ_CURVE_SECRETKEY, secret);
    }
    must(zmq_setsockopt(peer->socket, ZMQ_SUBSCRIBE, peer->topic, peer->topic_len), "subscribe");
    for (unsigned i = 0; i < setup->publishers; i++) {
        if (setup->curve)
            set_key(peer, ZMQ_CURVE_SERVERKEY, setup->place[i].key);
        must(zmq_connect(peer->socket, setup->place[i].address), "zmq_connect");
    }
    return peer;
}

void
zmq_peer_send(const struct peer *peer, const void *data, size_t len, int flags)
{
    must(zmq_send(peer->socket, data, len, flags), "zmq_send");
}

void
zmq_peer_receive(const struct peer *peer, zmq_msg_t *message)
{
    must(zmq_msg_recv(message, peer->socket, 0), "zmq_msg_recv");
}

void
peer_close(struct peer *peer)
{
    (void)zmq_close(peer->socket);
    (void)zmq_ctx_term(peer->context);
    msgpack_sbuffer_destroy(&peer->buffer);
    free(peer);
}
