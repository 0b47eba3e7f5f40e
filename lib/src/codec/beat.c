/* SPDX-License-Identifier: MPL-2.0 */

/* Beats: [version, mesh, id, counter, map] (protocol.md 5). */

#include "codec/beat.h"

#include "codec/limits.h"
#include "codec/parts.h"

enum { BEAT_ELEMENTS = 5 };

#define KNOWN                                                                                \
    (TULLE__SELF_KEYS | TULLE__KEY_BIT('z') | TULLE__KEY_BIT('l') | TULLE__KEY_BIT('f') |    \
     TULLE__KEY_BIT('q') | TULLE__KEY_BIT('g') | TULLE__KEY_BIT('c') | TULLE__KEY_BIT('h') | \
     TULLE__KEY_BIT('k') | TULLE__KEY_BIT('b') | TULLE__KEY_BIT('m') | TULLE__KEY_BIT('x') | \
     TULLE__KEY_BIT('s'))
#define REQUIRED (TULLE__KEY_BIT('n') | TULLE__KEY_BIT('z'))

static void
write_flag(struct tulle__writer *w, const char *key, bool is_set)
{
    if (!is_set)
        return;
    tulle__write_cstr(w, key);
    tulle__write_bool(w, true);
}

static void
write_number(struct tulle__writer *w, const char *key, uint64_t number)
{
    if (number == 0)
        return;
    tulle__write_cstr(w, key);
    tulle__write_uint(w, number);
}

void
tulle__write_heads(struct tulle__writer *w, const struct tulle__head *heads, size_t count)
{
    if (count == 0)
        return;
    tulle__write_cstr(w, "h");
    tulle__write_array(w, (uint32_t)(2 * count));
    for (size_t i = 0; i < count; i++) {
        tulle__write_str(w, heads[i].stream.data, heads[i].stream.len);
        tulle__write_uint(w, heads[i].head);
    }
}

void
tulle__write_acks(struct tulle__writer *w, const struct tulle__dep *acks, size_t count)
{
    if (count == 0)
        return;
    tulle__write_cstr(w, "k");
    tulle__write_clock(w, acks, count);
}

void
tulle__write_beyond(struct tulle__writer *w,
                    const char *key,
                    const struct tulle__beyond *beyond,
                    size_t count)
{
    if (count == 0)
        return;
    tulle__write_cstr(w, key);
    tulle__write_array(w, (uint32_t)(3 * count));
    for (size_t i = 0; i < count; i++) {
        tulle__write_uint(w, beyond[i].id);
        tulle__write_uint(w, beyond[i].counter);
        tulle__write_uint(w, beyond[i].hops);
    }
}

void
tulle__beat_encode(struct tulle__writer *w, const struct tulle__beat_out *beat)
{
    uint32_t pairs = tulle__self_pairs(&beat->self, beat->has_self, beat->has_takes) + 1;
    pairs += (uint32_t)beat->is_leaving + (uint32_t)beat->is_full + (uint32_t)beat->is_quiet +
             (uint32_t)(beat->ask > 0) + (uint32_t)(beat->node_count > 0) +
             (uint32_t)(beat->beyond_total > 0) + (uint32_t)(beat->head_count > 0) +
             (uint32_t)(beat->ack_count > 0) + (uint32_t)(beat->beyond_count > 0) +
             (uint32_t)(beat->proxy_count > 0) + (uint32_t)(beat->counters != NULL);
    tulle__write_array(w, BEAT_ELEMENTS);
    tulle__write_uint(w, TULLE__WIRE_VERSION);
    tulle__write_str(w, beat->mesh.data, beat->mesh.len);
    tulle__write_uint(w, beat->id);
    tulle__write_uint(w, beat->counter);
    tulle__write_map(w, pairs);
    tulle__write_self(w, &beat->self, beat->has_self, beat->has_takes);
    tulle__write_cstr(w, "z");
    tulle__write_uint(w, beat->hlc);
    write_flag(w, "l", beat->is_leaving);
    write_flag(w, "f", beat->is_full);
    write_flag(w, "q", beat->is_quiet);
    write_number(w, "g", beat->ask);
    write_number(w, "c", beat->node_count);
    write_number(w, "m", beat->beyond_total);
    tulle__write_heads(w, beat->heads, beat->head_count);
    tulle__write_acks(w, beat->acks, beat->ack_count);
    tulle__write_beyond(w, "b", beat->beyond, beat->beyond_count);
    tulle__write_beyond(w, "x", beat->proxies, beat->proxy_count);
    if (beat->counters != NULL) {
        tulle__write_cstr(w, "s");
        tulle__write_counters(w, beat->counters);
    }
}

/* Stream and head, one after the other in a flat array. */
static void
check_head(struct tulle__reader *r)
{
    (void)tulle__read_stream(r);
    (void)tulle__read_head(r);
}

struct tulle__list
tulle__read_heads(struct tulle__reader *r)
{
    return tulle__read_list(r, TULLE__LANES_PER_MESSAGE_MAX, 2, check_head);
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

/* Id, counter and hops of a node in a flat array. */
static void
check_beyond(struct tulle__reader *r)
{
    (void)tulle__read_node_id(r);
    (void)tulle__read_uint(r);
    uint64_t hops = tulle__read_uint(r);
    if (hops == 0 || hops > TULLE__PATH_MAX)
        tulle__reader_fail(r);
}

struct tulle__list
tulle__read_beyond(struct tulle__reader *r)
{
    return tulle__read_list(r, TULLE__BEYOND_MAX, 3, check_beyond);
}

bool
tulle__list_next_beyond(struct tulle__list *list, struct tulle__beyond *out)
{
    if (list->count == 0)
        return false;
    list->count--;
    out->id = tulle__read_uint(&list->reader);
    out->counter = tulle__read_uint(&list->reader);
    out->hops = (uint32_t)tulle__read_uint(&list->reader);
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
    case 'q':
        beat->is_quiet = tulle__read_bool(r);
        break;
    case 'g':
        beat->ask = tulle__read_uint(r);
        break;
    case 'c':
        beat->node_count = tulle__read_uint(r);
        break;
    case 'm':
        beat->beyond_total = tulle__read_uint(r);
        break;
    case 'b':
        beat->beyond = tulle__read_beyond(r);
        break;
    case 'x':
        beat->proxies = tulle__read_beyond(r);
        break;
    case 's':
        tulle__read_counters(r, &beat->counters);
        break;
    case 'h':
        beat->heads = tulle__read_heads(r);
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
    beat.has_counters = tulle__body_has(&body, 's');
    *out = beat;
    return TULLE_OK;
}
