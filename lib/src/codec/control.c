/* SPDX-License-Identifier: MPL-2.0 */

/* Header frame of control messages: [version, kind, mesh, from, to, counter, hops],
 * and the bodies of the two that ask: SYNC and FETCH (protocol.md 6). The
 * answers are in here.c and range.c. */

#include "codec/control.h"

#include "codec/limits.h"
#include "codec/parts.h"

enum { HEADER_ELEMENTS = 7 };

void
tulle__header_encode(struct tulle__writer *w, const struct tulle__control_header *header)
{
    tulle__write_array(w, HEADER_ELEMENTS);
    tulle__write_uint(w, TULLE__WIRE_VERSION);
    tulle__write_uint(w, (uint64_t)header->kind);
    tulle__write_str(w, header->mesh.data, header->mesh.len);
    tulle__write_uint(w, header->from);
    tulle__write_uint(w, header->to);
    tulle__write_uint(w, header->counter);
    tulle__write_uint(w, header->hops);
}

tulle_status
tulle__header_decode(const void *data, size_t len, struct tulle__control_header *out)
{
    struct tulle__control_header header = { .from = 0 };
    struct tulle__reader r;

    *out = header;
    tulle__reader_init(&r, data, len);
    tulle_status status = tulle__read_version(&r, HEADER_ELEMENTS);
    if (status != TULLE_OK)
        return status;

    uint64_t kind = tulle__read_uint(&r);
    header.mesh = tulle__read_name(&r, 1);
    header.from = tulle__read_node_id(&r);
    header.to = tulle__read_uint(&r);
    header.counter = tulle__read_uint(&r);
    uint64_t hops = tulle__read_uint(&r);
    if (!tulle__reader_is_done(&r) || kind == 0 || hops > TULLE__PATH_MAX ||
        (header.to != 0 && header.to < TULLE__NODE_ID_MIN))
        return TULLE_EBADMSG;
    if (kind > TULLE__VIEW)
        return TULLE_EVERSION;
    header.kind = (enum tulle__control_kind)kind;
    header.hops = (uint32_t)hops;
    *out = header;
    return TULLE_OK;
}

/* SYNC */

void
tulle__sync_encode(struct tulle__writer *w, const struct tulle__sync_out *sync)
{
    tulle__write_map(w, tulle__self_pairs(&sync->self, true, true) + (uint32_t)sync->wants_lanes +
                            (uint32_t)sync->wants_peers);
    tulle__write_self(w, &sync->self, true, true);
    if (sync->wants_lanes) {
        tulle__write_cstr(w, "w");
        tulle__write_bool(w, true);
    }
    if (sync->wants_peers) {
        tulle__write_cstr(w, "s");
        tulle__write_bool(w, true);
    }
}

tulle_status
tulle__sync_decode(const void *data, size_t len, struct tulle__sync_view *out)
{
    struct tulle__sync_view sync = { .wants_lanes = false };
    struct tulle__reader r;
    struct tulle__body body;
    int key = 0;

    *out = sync;
    tulle__message_init(&r, data, len, TULLE__CONTROL_LEN_MAX);
    tulle__body_init(&body, &r, TULLE__SELF_KEYS | TULLE__KEY_BIT('w') | TULLE__KEY_BIT('s'));
    while (tulle__body_next(&body, &key)) {
        if (key == 'w')
            sync.wants_lanes = tulle__read_bool(&r);
        else if (key == 's')
            sync.wants_peers = tulle__read_bool(&r);
        else
            tulle__read_self_value(&r, key, &sync.self);
    }
    if (!tulle__body_is_done(&body, 0) || !tulle__self_is_complete(&body, &sync.self))
        return TULLE_EBADMSG;
    *out = sync;
    return TULLE_OK;
}

/* FETCH */

#define FETCH_REQUIRED \
    (TULLE__KEY_BIT('n') | TULLE__KEY_BIT('s') | TULLE__KEY_BIT('f') | TULLE__KEY_BIT('l'))

void
tulle__fetch_encode(struct tulle__writer *w, const struct tulle__fetch *fetch)
{
    tulle__write_map(w, 5 + (uint32_t)fetch->wants_clock);
    tulle__write_cstr(w, "n");
    tulle__write_uint(w, fetch->node);
    tulle__write_cstr(w, "s");
    tulle__write_str(w, fetch->stream.data, fetch->stream.len);
    tulle__write_cstr(w, "f");
    tulle__write_uint(w, fetch->first);
    tulle__write_cstr(w, "l");
    tulle__write_uint(w, fetch->last);
    tulle__write_cstr(w, "b");
    tulle__write_uint(w, fetch->bytes_max);
    if (fetch->wants_clock) {
        tulle__write_cstr(w, "c");
        tulle__write_bool(w, true);
    }
}

static void
read_fetch_value(struct tulle__reader *r, int key, struct tulle__fetch *fetch)
{
    switch (key) {
    case 'n':
        fetch->node = tulle__read_node_id(r);
        break;
    case 's':
        fetch->stream = tulle__read_stream(r);
        break;
    case 'f':
        fetch->first = tulle__read_seq(r);
        break;
    case 'l':
        fetch->last = tulle__read_seq(r);
        break;
    case 'b':
        fetch->bytes_max = tulle__read_uint(r);
        break;
    default:
        fetch->wants_clock = tulle__read_bool(r);
        break;
    }
}

tulle_status
tulle__fetch_decode(const void *data, size_t len, struct tulle__fetch *out)
{
    struct tulle__fetch fetch = { .node = 0 };
    struct tulle__reader r;
    struct tulle__body body;
    int key = 0;

    *out = fetch;
    tulle__message_init(&r, data, len, TULLE__CONTROL_LEN_MAX);
    tulle__body_init(&body, &r, FETCH_REQUIRED | TULLE__KEY_BIT('b') | TULLE__KEY_BIT('c'));
    while (tulle__body_next(&body, &key))
        read_fetch_value(&r, key, &fetch);
    if (!tulle__body_is_done(&body, FETCH_REQUIRED) || fetch.first > fetch.last)
        return TULLE_EBADMSG;
    *out = fetch;
    return TULLE_OK;
}
