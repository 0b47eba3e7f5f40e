/* SPDX-License-Identifier: MPL-2.0 */
/* NATS core, by its C client. A publisher gathers in the client's buffer, which its own
 * thread flushes; where latency is measured each event is sent at once (SendAsap).
 * Subscribers take events by callback, without a limit of what may wait in the client,
 * and the broker's limit of what may wait for one is raised: past either NATS drops. */

#include "peer.h"

#include <nats/nats.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { FLUSH_MS = 30000, BUFFER_LEN = 65536 };

struct peer {
    natsConnection *connection;
    natsSubscription *subscription;
    const char *topic;
    bool is_paced;
    peer_event_fn *fn;
    void *ctx;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_done;
};

const char *const peer_name = "nats";
const bool peer_has_flow_control = false;

static void
must(natsStatus status, const char *what)
{
    if (status != NATS_OK)
        peer_fail("%s: %s", what, natsStatus_GetText(status));
}

static struct peer *
open_peer(const struct peer_setup *setup)
{
    struct peer *peer = peer_allocate(sizeof *peer);
    natsOptions *options = NULL;
    char url[64];
    peer->topic = "bench.events"; /* levels are separated by dots */
    peer->is_paced = setup->is_paced;
    (void)pthread_mutex_init(&peer->lock, NULL);
    (void)pthread_cond_init(&peer->changed, NULL);
    (void)snprintf(url, sizeof url, "nats://127.0.0.1:%u", setup->port);
    must(natsOptions_Create(&options), "natsOptions_Create");
    must(natsOptions_SetURL(options, url), "natsOptions_SetURL");
    must(natsOptions_SetAllowReconnect(options, false), "natsOptions_SetAllowReconnect");
    must(natsOptions_SetIOBufSize(options, BUFFER_LEN), "natsOptions_SetIOBufSize");
    must(natsOptions_SetSendAsap(options, setup->is_paced), "natsOptions_SetSendAsap");
    must(natsConnection_Connect(&peer->connection, options), "natsConnection_Connect");
    natsOptions_Destroy(options);
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
    return open_peer(setup);
}

void
peer_publish(struct peer *peer, const void *payload, size_t len)
{
    must(natsConnection_Publish(peer->connection, peer->topic, payload, (int)len), "publish");
}

void
peer_flush(struct peer *peer)
{
    if (!peer->is_paced)
        must(natsConnection_FlushTimeout(peer->connection, FLUSH_MS), "flush");
}

static void
on_message(natsConnection *connection, natsSubscription *subscription, natsMsg *message, void *ctx)
{
    struct peer *peer = ctx;
    bool more = peer->is_done || peer->fn(natsMsg_GetData(message),
                                          (size_t)natsMsg_GetDataLength(message), peer->ctx);
    (void)connection;
    (void)subscription;
    natsMsg_Destroy(message);
    if (more)
        return;
    (void)pthread_mutex_lock(&peer->lock);
    peer->is_done = true;
    (void)pthread_cond_signal(&peer->changed);
    (void)pthread_mutex_unlock(&peer->lock);
}

void
peer_receive(struct peer *peer, peer_event_fn *fn, void *ctx)
{
    peer->fn = fn;
    peer->ctx = ctx;
    must(natsConnection_Subscribe(&peer->subscription, peer->connection, peer->topic, on_message,
                                  peer),
         "natsConnection_Subscribe");
    must(natsSubscription_SetPendingLimits(peer->subscription, -1, -1), "SetPendingLimits");
    must(natsConnection_FlushTimeout(peer->connection, FLUSH_MS), "flush");
    (void)pthread_mutex_lock(&peer->lock);
    while (!peer->is_done)
        (void)pthread_cond_wait(&peer->changed, &peer->lock);
    (void)pthread_mutex_unlock(&peer->lock);
}

void
peer_close(struct peer *peer)
{
    natsSubscription_Destroy(peer->subscription);
    natsConnection_Destroy(peer->connection);
    free(peer);
}
