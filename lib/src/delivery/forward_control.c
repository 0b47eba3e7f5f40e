/* SPDX-License-Identifier: MPL-2.0 */
/* Control messages pass a proxy: they go on towards their node, or are answered on the way. */

#include "delivery/forward_state.h"

/* A FETCH that passes is answered here when what it asks for was kept, or refused
 * when its stream may not cross; else it goes on. */
static bool
answer_fetch(struct tulle__forward *f,
             size_t side,
             uint64_t via,
             const struct tulle__control_header *header,
             const struct tulle__buf *body)
{
    struct tulle__fetch fetch;
    if (tulle__fetch_decode(body->data, body->len, &fetch) != TULLE_OK)
        return false; /* counted where it is read */
    struct tulle__engine *e = f->sides[side].engine;
    struct tulle__view batches[TULLE__BATCHES_PER_RANGE_MAX];
    struct tulle__range_out range = {
        .reply_to = header->counter, .node = fetch.node, .stream = fetch.stream, .batches = batches
    };
    struct tulle__passing *lane = tulle__passing_find(f, fetch.node, fetch.stream);
    if (lane != NULL && lane->kept.len > 0 && !fetch.wants_clock) {
        range.first = tulle__kept_at(&lane->kept, 0)->first;
        range.last = tulle__kept_at(&lane->kept, lane->kept.len - 1)->last;
        range.batch_count = tulle__gather_batches(
            &lane->kept, &fetch, tulle__kept_find(&lane->kept, fetch.first), batches);
    }
    size_t home = tulle__forward_home(f, header->to);
    bool is_denied = header->to != f->id && home != side && home != SIZE_MAX &&
                     !tulle__side_lets_out(&f->sides[home], fetch.stream);
    if (is_denied)
        e->counters.dropped_policy++;
    if (range.batch_count == 0 && header->to != f->id && !is_denied)
        return false;
    if (is_denied)
        range.batch_count = 0;
    tulle__range_send(e, header, via, &range);
    return true;
}

void
tulle__forward_on_control(struct tulle__forward *f,
                          size_t side,
                          uint64_t via,
                          struct tulle__view header_frame,
                          struct tulle__buf *body,
                          struct tulle__now now)
{
    f->now = now;
    struct tulle__engine *e = f->sides[side].engine;
    e->now = now;
    struct tulle__control_header header;
    bool is_fetch =
        tulle__header_decode(header_frame.data, header_frame.len, &header) == TULLE_OK &&
        header.kind == TULLE__FETCH && tulle__view_is(header.mesh, e->mesh) &&
        (header.hops > 0 || header.from == via);
    if (!is_fetch || !answer_fetch(f, side, via, &header, body))
        tulle__engine_on_control(e, via, header_frame, body, now);
    tulle__forward_after_input(f);
}

/* Pass a control message on towards its node: by the nearest side, this one last. */
void
tulle__forward_relay(struct tulle__forward *f, size_t from, const struct tulle__action *action)
{
    const struct tulle__buf *frame = action->u.control.header;
    struct tulle__control_header header;
    if (tulle__header_decode(frame->data, frame->len, &header) != TULLE_OK)
        return;
    size_t home = tulle__forward_home(f, header.to);
    if (home != SIZE_MAX &&
        tulle__control_relay(f->sides[home].engine, &header, action->u.control.body))
        return;
    for (size_t i = 0; i < f->side_count; i++) {
        if (i != home && i != from &&
            tulle__control_relay(f->sides[i].engine, &header, action->u.control.body))
            return;
    }
    f->sides[from].engine->counters.dropped_no_route++;
}
