/* SPDX-License-Identifier: MPL-2.0 */
/* A frame for the topic and one msgpack map for each event: what is written by hand where
 * events have a number, a time and a type beside their payload. */

#include "zmq_peer.h"

#include <msgpack.h>
#include <string.h>
#include <time.h>

const char *const peer_name = "zmqmap";

static void
pack_text(msgpack_packer *packer, const char *text)
{
    size_t len = strlen(text);
    (void)msgpack_pack_str(packer, len);
    (void)msgpack_pack_str_body(packer, text, len);
}

void
peer_publish(struct peer *peer, const void *payload, size_t len)
{
    struct timespec now;
    msgpack_packer packer;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    msgpack_sbuffer_clear(&peer->buffer);
    msgpack_packer_init(&packer, &peer->buffer, msgpack_sbuffer_write);
    (void)msgpack_pack_map(&packer, 4);
    pack_text(&packer, "seq");
    (void)msgpack_pack_uint64(&packer, ++peer->count);
    pack_text(&packer, "time");
    (void)msgpack_pack_int64(&packer, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
    pack_text(&packer, "type");
    pack_text(&packer, "reading");
    pack_text(&packer, "data");
    (void)msgpack_pack_bin(&packer, len);
    (void)msgpack_pack_bin_body(&packer, payload, len);
    zmq_peer_send(peer, peer->topic, peer->topic_len, ZMQ_SNDMORE);
    zmq_peer_send(peer, peer->buffer.data, peer->buffer.size, 0);
}

void
peer_flush(struct peer *peer)
{
    (void)peer; /* every send is on its way */
}

static const msgpack_object *
find_data(const msgpack_object *map)
{
    static const char name[] = "data";
    for (uint32_t i = 0; map->type == MSGPACK_OBJECT_MAP && i < map->via.map.size; i++) {
        const msgpack_object_kv *pair = &map->via.map.ptr[i];
        if (pair->key.type == MSGPACK_OBJECT_STR && pair->key.via.str.size == strlen(name) &&
            memcmp(pair->key.via.str.ptr, name, strlen(name)) == 0 &&
            pair->val.type == MSGPACK_OBJECT_BIN)
            return &pair->val;
    }
    peer_fail("a message is no map with data");
}

void
peer_receive(struct peer *peer, peer_event_fn *fn, void *ctx)
{
    zmq_msg_t topic;
    zmq_msg_t message;
    msgpack_unpacked unpacked;
    bool more = true;
    (void)zmq_msg_init(&topic);
    (void)zmq_msg_init(&message);
    msgpack_unpacked_init(&unpacked);
    while (more) {
        zmq_peer_receive(peer, &topic);
        zmq_peer_receive(peer, &message);
        if (msgpack_unpack_next(&unpacked, zmq_msg_data(&message), zmq_msg_size(&message), NULL) !=
            MSGPACK_UNPACK_SUCCESS)
            peer_fail("a message is no msgpack");
        const msgpack_object *data = find_data(&unpacked.data);
        more = fn(data->via.bin.ptr, data->via.bin.size, ctx);
    }
    msgpack_unpacked_destroy(&unpacked);
    (void)zmq_msg_close(&topic);
    (void)zmq_msg_close(&message);
}
