/* SPDX-License-Identifier: MPL-2.0 */
/* MQTT with QoS 0 over mosquitto, by its C client, without Nagle's algorithm on either
 * side. Publishing writes to the socket in the call; what the socket does not take at
 * once waits in the client, which is emptied before the next event. */

#include "peer.h"

#include <mosquitto.h>
#include <poll.h>
#include <stdlib.h>

enum { KEEP_ALIVE_S = 600, TIMEOUT_MS = 30000 };

struct peer {
    struct mosquitto *client;
    const char *topic;
    peer_event_fn *fn;
    void *ctx;
    bool is_done;
};

const char *const peer_name = "mosquitto";
const bool peer_has_flow_control = false;

static void
must(int rc, const char *what)
{
    if (rc != MOSQ_ERR_SUCCESS)
        peer_fail("%s: %s", what, mosquitto_strerror(rc));
}

static void
on_message(struct mosquitto *client, void *ctx, const struct mosquitto_message *message)
{
    struct peer *peer = ctx;
    (void)client;
    if (!peer->is_done)
        peer->is_done = !peer->fn(message->payload, (size_t)message->payloadlen, peer->ctx);
}

static struct peer *
open_peer(const struct peer_setup *setup)
{
    struct peer *peer = peer_allocate(sizeof *peer);
    peer->topic = setup->topic;
    must(mosquitto_lib_init(), "mosquitto_lib_init");
    peer->client = mosquitto_new(NULL, true, peer);
    if (peer->client == NULL)
        peer_fail("mosquitto_new: no memory");
    mosquitto_message_callback_set(peer->client, on_message);
    must(mosquitto_int_option(peer->client, MOSQ_OPT_TCP_NODELAY, 1), "MOSQ_OPT_TCP_NODELAY");
    must(mosquitto_connect(peer->client, "127.0.0.1", (int)setup->port, KEEP_ALIVE_S), "connect");
    return peer;
}

struct peer *
peer_open_publisher(const struct peer_setup *setup)
{
    return open_peer(setup);
}

struct peer *
peer_open_subscriber(const struct peer_setup *setup)
{
    struct peer *peer = open_peer(setup);
    must(mosquitto_subscribe(peer->client, NULL, peer->topic, 0), "mosquitto_subscribe");
    return peer;
}

void
peer_publish(struct peer *peer, const void *payload, size_t len)
{
    must(mosquitto_publish(peer->client, NULL, peer->topic, (int)len, payload, 0, false),
         "mosquitto_publish");
    peer_flush(peer);
}

void
peer_flush(struct peer *peer)
{
    while (mosquitto_want_write(peer->client)) {
        struct pollfd fd = { .fd = mosquitto_socket(peer->client), .events = POLLOUT };
        if (poll(&fd, 1, TIMEOUT_MS) != 1)
            peer_fail("the broker takes nothing");
        must(mosquitto_loop_write(peer->client, 1), "mosquitto_loop_write");
    }
}

void
peer_receive(struct peer *peer, peer_event_fn *fn, void *ctx)
{
    peer->fn = fn;
    peer->ctx = ctx;
    while (!peer->is_done)
        must(mosquitto_loop(peer->client, TIMEOUT_MS, 1), "mosquitto_loop");
}

void
peer_close(struct peer *peer)
{
    mosquitto_destroy(peer->client);
    (void)mosquitto_lib_cleanup();
    free(peer);
}
