/* SPDX-License-Identifier: MPL-2.0 */

/* RANGE, the answer to FETCH: batch frames as they were published (protocol.md
 * 6). What the batches hold is checked where each of them is taken in, so that
 * one bad batch does not cost the others. */

#include "codec/control.h"
#include "codec/limits.h"
#include "codec/parts.h"

#define REQUIRED                                                                       \
    (TULLE__KEY_BIT(TULLE__KEY_REPLY_TO) | TULLE__KEY_BIT('n') | TULLE__KEY_BIT('s') | \
     TULLE__KEY_BIT('f') | TULLE__KEY_BIT('l'))
#define KNOWN                                                                     \
    (REQUIRED | TULLE__KEY_BIT('b') | TULLE__KEY_BIT('c') | TULLE__KEY_BIT('p') | \
     TULLE__KEY_BIT('w'))

void
tulle__range_encode(struct tulle__writer *w, const struct tulle__range_out *range)
{
    bool has_batches = range->batch_count > 0;

    tulle__write_map(w, 5 + (uint32_t)has_batches + (uint32_t)range->has_clock +
                            (uint32_t)range->is_withheld + (uint32_t)range->is_waiting);
    tulle__write_cstr(w, "re");
    tulle__write_uint(w, range->reply_to);
    tulle__write_cstr(w, "n");
    tulle__write_uint(w, range->node);
    tulle__write_cstr(w, "s");
    tulle__write_str(w, range->stream.data, range->stream.len);
    tulle__write_cstr(w, "f");
    tulle__write_uint(w, range->first);
    tulle__write_cstr(w, "l");
    tulle__write_uint(w, range->last);
    if (has_batches) {
        tulle__write_cstr(w, "b");
        tulle__write_array(w, (uint32_t)range->batch_count);
        for (size_t i = 0; i < range->batch_count; i++)
            tulle__write_bin(w, range->batches[i].data, range->batches[i].len);
    }
    if (range->has_clock) {
        tulle__write_cstr(w, "c");
        tulle__write_clock(w, range->clock, range->clock_count);
    }
    if (range->is_withheld) {
        tulle__write_cstr(w, "p");
        tulle__write_bool(w, true);
    }
    if (range->is_waiting) {
        tulle__write_cstr(w, "w");
        tulle__write_bool(w, true);
    }
}

static void
check_batch(struct tulle__reader *r)
{
    if (tulle__read_bin(r, TULLE__BATCH_LEN_MAX).len == 0)
        tulle__reader_fail(r);
}

static void
read_value(struct tulle__reader *r, int key, struct tulle__range_view *range)
{
    switch (key) {
    case TULLE__KEY_REPLY_TO:
        range->reply_to = tulle__read_uint(r);
        break;
    case 'n':
        range->node = tulle__read_node_id(r);
        break;
    case 's':
        range->stream = tulle__read_stream(r);
        break;
    case 'f':
        range->first = tulle__read_head(r);
        break;
    case 'l':
        range->last = tulle__read_head(r);
        break;
    case 'b':
        range->batches = tulle__read_list(r, TULLE__BATCHES_PER_RANGE_MAX, 1, check_batch);
        break;
    case 'p':
        range->is_withheld = tulle__read_bool(r);
        break;
    case 'w':
        range->is_waiting = tulle__read_bool(r);
        break;
    default:
        range->clock = tulle__read_clock(r);
        break;
    }
}

tulle_status
tulle__range_decode(const void *data, size_t len, struct tulle__range_view *out)
{
    struct tulle__range_view range = { .node = 0 };
    struct tulle__reader r;
    struct tulle__body body;
    int key = 0;

    *out = range;
    tulle__message_init(&r, data, len, TULLE__CONTROL_LEN_MAX);
    tulle__body_init(&body, &r, KNOWN);
    while (tulle__body_next(&body, &key))
        read_value(&r, key, &range);
    /* A publisher that keeps nothing any more says head + 1 and head. */
    if (!tulle__body_is_done(&body, REQUIRED) || range.first > range.last + 1 ||
        (range.first == 0 && range.last != 0))
        return TULLE_EBADMSG;
    range.has_clock = tulle__body_has(&body, 'c');
    *out = range;
    return TULLE_OK;
}
