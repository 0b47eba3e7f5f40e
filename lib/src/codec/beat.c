/* SPDX-License-Identifier: MPL-2.0 */

/* Beats: [version, mesh, id, counter, map] (protocol.md 5). */

#include "codec/control.h"
#include "codec/limits.h"
#include "codec/parts.h"

enum { BEAT_ELEMENTS = 5 };

#define KNOWN                                                                             \
    (TULLE__SELF_KEYS | TULLE__KEY_BIT('z') | TULLE__KEY_BIT('l') | TULLE__KEY_BIT('f') | \
     TULLE__KEY_BIT('c') | TULLE__KEY_BIT('h') | TULLE__KEY_BIT('k'))
#define REQUIRED (TULLE__KEY_BIT('n') | TULLE__KEY_BIT('z'))

void
tulle__beat_encode(struct tulle__writer *w, const struct tulle__beat_out *beat)
{
    uint32_t pairs = tulle__self_pairs(&beat->self, beat->has_self, beat->has_takes) + 1;
    bool has_heads = beat->head_count > 0;
    bool has_acks = beat->ack_count > 0;

    pairs += (uint32_t)beat->is_leaving + (uint32_t)beat->is_full + (uint32_t)has_heads +
             (uint32_t)has_acks + (uint32_t)(beat->node_count > 0);
    tulle__write_array(w, BEAT_ELEMENTS);
    tulle__write_uint(w, TULLE__WIRE_VERSION);
    tulle__write_str(w, beat->mesh.data, beat->mesh.len);
    tulle__write_uint(w, beat->id);
    tulle__write_uint(w, beat->counter);
    tulle__write_map(w, pairs);
    tulle__write_self(w, &beat->self, beat->has_self, beat->has_takes);
    tulle__write_cstr(w, "z");
    tulle__write_uint(w, beat->hlc);
    if (beat->is_leaving) {
        tulle__write_cstr(w, "l");
        tulle__write_bool(w, true);
    }
    if (beat->is_full) {
        tulle__write_cstr(w, "f");
        tulle__write_bool(w, true);
    }
    if (beat->node_count > 0) {
        tulle__write_cstr(w, "c");
        tulle__write_uint(w, beat->node_count);
    }
    if (has_heads) {
        tulle__write_cstr(w, "h");
        tulle__write_array(w, (uint32_t)(2 * beat->head_count));
        for (size_t i = 0; i < beat->head_count; i++) {
            tulle__write_str(w, beat->heads[i].stream.data, beat->heads[i].stream.len);
            tulle__write_uint(w, beat->heads[i].head);
        }
    }
    if (has_acks) {
        tulle__write_cstr(w, "k");
        tulle__write_clock(w, beat->acks, beat->ack_count);
    }
}

/* Stream and head, one after the other in a flat array. */
static void
check_head(struct tulle__reader *r)
{
    (void)tulle__read_stream(r);
    (void)tulle__read_head(r);
}

bool
tulle__list_next_head(struct tulle__list *list, struct tulle__head *out)
{
    if (list->count == 0)
        return false;
    list->count--;
    out->stream = tulle__read_str(&list->reader, TULLE__TOPIC_LEN_MAX);
    out->head = tulle__read_uint(&list->reader);
    return true;
}

static void
read_value(struct tulle__reader *r, int key, struct tulle__beat_view *beat)
{
    switch (key) {
    case 'z':
        beat->hlc = tulle__read_uint(r);
        break;
    case 'l':
        beat->is_leaving = tulle__read_bool(r);
        break;
    case 'f':
        beat->is_full = tulle__read_bool(r);
        break;
    case 'c':
        beat->node_count = tulle__read_uint(r);
        break;
    case 'h':
        beat->heads = tulle__read_list(r, TULLE__LANES_PER_MESSAGE_MAX, 2, check_head);
        break;
    case 'k':
        beat->acks = tulle__read_clock(r);
        break;
    default:
        tulle__read_self_value(r, key, &beat->self);
        break;
    }
}

tulle_status
tulle__beat_decode(const void *data, size_t len, struct tulle__beat_view *out)
{
    struct tulle__beat_view beat = { .id = 0 };
    struct tulle__reader r;
    struct tulle__body body;
    int key = 0;

    *out = beat;
    tulle__message_init(&r, data, len, TULLE__CONTROL_LEN_MAX);
    tulle_status status = tulle__read_version(&r, BEAT_ELEMENTS);
    if (status != TULLE_OK)
        return status;

    beat.mesh = tulle__read_name(&r, 1);
    beat.id = tulle__read_node_id(&r);
    beat.counter = tulle__read_uint(&r);
    tulle__body_init(&body, &r, KNOWN);
    while (tulle__body_next(&body, &key))
        read_value(&r, key, &beat);
    if (!tulle__body_is_done(&body, REQUIRED) || !tulle__self_is_complete(&body, &beat.self))
        return TULLE_EBADMSG;
    *out = beat;
    return TULLE_OK;
}
