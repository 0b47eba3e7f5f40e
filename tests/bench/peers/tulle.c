/* SPDX-License-Identifier: MPL-2.0 */
/* tulle itself in the harness of the others, with everything it adds on by default:
 * causal order, retention, repair. A window makes publishers wait, as ZMQ_XPUB_NODROP does. */

#include "peer.h"

#include <tulle/tulle.h>

#include <stdio.h>
#include <stdlib.h>

enum { WINDOW_BYTES = 8388608, DEADLINE_MS = 30000 };

struct peer {
    tulle_node *node;
    tulle_subscription *subscription;
    const char *topic;
};

const char *const peer_name = "tulle";
const bool peer_has_flow_control = true;

static void
must(tulle_status status, const char *what)
{
    if (status != TULLE_OK)
        peer_fail("%s: %s", what, tulle_strerror(status));
}

static struct peer *
open_peer(const struct peer_setup *setup, const char *name, const char *const *join, size_t count)
{
    struct peer *peer = peer_allocate(sizeof *peer);
    tulle_node_options options;
    tulle_error error;
    char text[32];
    (void)snprintf(text, sizeof text, "%s%u", name, setup->index);
    tulle_node_options_init(&options);
    options.mesh = "bench";
    options.name = text;
    options.listen[0] = "tcp://127.0.0.1:*";
    options.listen_count = 1;
    options.join = join;
    options.join_count = count;
    options.window_bytes = WINDOW_BYTES;
    if (setup->is_single)
        options.batch_bytes = 1;
    peer->topic = setup->topic;
    must(tulle_node_new(&options, &peer->node, &error), "tulle_node_new");
    must(tulle_node_start(peer->node, &error), "tulle_node_start");
    return peer;
}

struct peer *
peer_open_publisher(const struct peer_setup *setup)
{
    char proxy[PEER_TEXT_LEN];
    const char *join = proxy;
    (void)snprintf(proxy, sizeof proxy, "tcp://127.0.0.1:%u", setup->port);
    struct peer *peer = open_peer(setup, "publisher", &join, setup->is_via ? 1 : 0);
    struct peer_place *place = &setup->place[setup->index];
    if (setup->is_via) {
        (void)snprintf(place->address, sizeof place->address, "tcp://127.0.0.1:%u",
                       setup->port + 2);
        return peer;
    }
    (void)snprintf(place->address, sizeof place->address, "%s", tulle_node_address(peer->node));
    return peer;
}

struct peer *
peer_open_subscriber(const struct peer_setup *setup)
{
    const char *join[PEER_MAX];
    for (unsigned i = 0; i < setup->publishers; i++)
        join[i] = setup->place[i].address;
    struct peer *peer = open_peer(setup, "subscriber", join, setup->publishers);
    must(tulle_node_subscribe(peer->node, setup->topic, NULL, &peer->subscription), "subscribe");
    return peer;
}

void
peer_publish(struct peer *peer, const void *payload, size_t len)
{
    must(tulle_node_publish(peer->node, peer->topic, payload, len, NULL), "tulle_node_publish");
}

void
peer_flush(struct peer *peer)
{
    (void)peer; /* nothing waits for more */
}

void
peer_receive(struct peer *peer, peer_event_fn *fn, void *ctx)
{
    const tulle_message *message = NULL;
    bool more = true;
    while (more) {
        must(tulle_subscription_receive(peer->subscription, &message, DEADLINE_MS), "receive");
        if (message->kind == TULLE_MESSAGE_GAP)
            peer_fail("a gap was reported");
        if (message->kind == TULLE_MESSAGE_EVENT)
            more = fn(message->u.event.payload, message->u.event.payload_len, ctx);
    }
}

void
peer_close(struct peer *peer)
{
    tulle_subscription_free(&peer->subscription);
    tulle_node_free(&peer->node);
    free(peer);
}
