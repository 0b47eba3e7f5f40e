/* SPDX-License-Identifier: MPL-2.0 */
/* Redis pub/sub, by hiredis. A publisher asks for no replies (CLIENT REPLY OFF), and
 * gathers commands to a buffer, which is what the documentation calls pipelining; where
 * latency is measured each is sent at once. The broker keeps any amount for a subscriber
 * (client-output-buffer-limit pubsub 0 0 0) instead of cutting it off. */

#include "peer.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_LEN = 65536 };

struct peer {
    redisContext *redis;
    const char *topic;
    size_t gathered;
};

const char *const peer_name = "redis";
const bool peer_has_flow_control = false;

static struct peer *
open_peer(const struct peer_setup *setup)
{
    struct peer *peer = peer_allocate(sizeof *peer);
    peer->topic = setup->topic;
    peer->redis = redisConnect("127.0.0.1", (int)setup->port);
    if (peer->redis == NULL || peer->redis->err != 0)
        peer_fail("redisConnect: %s", peer->redis == NULL ? "no memory" : peer->redis->errstr);
    return peer;
}

struct peer *
peer_open_publisher(const struct peer_setup *setup)
{
    struct peer *peer = open_peer(setup);
    if (redisAppendCommand(peer->redis, "CLIENT REPLY OFF") != REDIS_OK)
        peer_fail("redisAppendCommand: %s", peer->redis->errstr);
    return peer;
}

struct peer *
peer_open_subscriber(const struct peer_setup *setup)
{
    struct peer *peer = open_peer(setup);
    redisReply *reply = redisCommand(peer->redis, "SUBSCRIBE %s", peer->topic);
    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY)
        peer_fail("SUBSCRIBE: %s", peer->redis->errstr);
    freeReplyObject(reply);
    return peer;
}

void
peer_publish(struct peer *peer, const void *payload, size_t len)
{
    const char *words[] = { "PUBLISH", peer->topic, payload };
    size_t lens[] = { strlen(words[0]), strlen(words[1]), len };
    if (redisAppendCommandArgv(peer->redis, 3, words, lens) != REDIS_OK)
        peer_fail("redisAppendCommandArgv: %s", peer->redis->errstr);
    peer->gathered += len;
    if (peer->gathered >= BUFFER_LEN)
        peer_flush(peer);
}

void
peer_flush(struct peer *peer)
{
    int done = 0;
    while (done == 0) {
        if (redisBufferWrite(peer->redis, &done) != REDIS_OK)
            peer_fail("redisBufferWrite: %s", peer->redis->errstr);
    }
    peer->gathered = 0;
}

void
peer_receive(struct peer *peer, peer_event_fn *fn, void *ctx)
{
    bool more = true;
    while (more) {
        void *answer = NULL;
        if (redisGetReply(peer->redis, &answer) != REDIS_OK)
            peer_fail("redisGetReply: %s", peer->redis->errstr);
        const redisReply *reply = answer; /* "message", channel, payload */
        if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3)
            peer_fail("an answer is no message");
        more = fn(reply->element[2]->str, reply->element[2]->len, ctx);
        freeReplyObject(answer);
    }
}

void
peer_close(struct peer *peer)
{
    redisFree(peer->redis);
    free(peer);
}
