/* SPDX-License-Identifier: MPL-2.0 */
/* Control messages: addressed datagrams that travel from neighbour to neighbour.
 * There are no connections and no replies as such: an answer is a message to the
 * asker that names the counter of what it answers (PROTOCOL 6). */

#include "base/alloc.h"
#include "delivery/internal.h"

static bool
push_control(struct tulle__engine *e,
             uint64_t hop,
             const struct tulle__control_header *header,
             struct tulle__buf *body)
{
    tulle__writer_reset(&e->header);
    tulle__header_encode(&e->header, header);
    struct tulle__buf *frame = tulle__writer_take(&e->header);
    struct tulle__action *action =
        frame == NULL ? NULL : tulle__action_push(e, TULLE__ACTION_CONTROL);
    if (action == NULL) {
        tulle__buf_unref(&frame);
        return false;
    }
    action->u.control.hop = hop;
    action->u.control.header = frame;
    action->u.control.body = tulle__buf_ref(body);
    return true;
}

uint64_t
tulle__control_send_hop(struct tulle__engine *e,
                        uint64_t hop,
                        uint64_t to,
                        enum tulle__control_kind kind)
{
    struct tulle__buf *body = tulle__writer_take(&e->body);
    if (body == NULL)
        return 0;
    struct tulle__control_header header = { .kind = kind,
                                            .mesh = tulle__view_of(e->mesh),
                                            .from = e->config.id,
                                            .to = to,
                                            .counter = ++e->control_counter };
    bool is_sent = push_control(e, hop, &header, body);
    tulle__buf_unref(&body);
    return is_sent ? header.counter : 0;
}

uint64_t
tulle__control_send(struct tulle__engine *e, uint64_t to, enum tulle__control_kind kind)
{
    const struct tulle__peer *peer = tulle__peer_find(e, to);
    uint64_t hop = peer == NULL ? 0 : tulle__peer_hop(e, peer);
    if (hop == 0) {
        e->counters.dropped_no_route++;
        tulle__writer_reset(&e->body);
        return 0;
    }
    return tulle__control_send_hop(e, hop, to, kind);
}

bool
tulle__control_answer(struct tulle__engine *e,
                      const struct tulle__control_header *asked,
                      uint64_t via,
                      enum tulle__control_kind kind)
{
    const struct tulle__peer *asker = tulle__peer_find(e, asked->from);
    uint64_t hop = asker == NULL ? 0 : tulle__peer_hop(e, asker);
    if (hop == 0) {
        const struct tulle__peer *neighbour = tulle__peer_find(e, via);
        hop = neighbour == NULL ? 0 : tulle__peer_hop(e, neighbour);
    }
    if (hop != 0 && tulle__control_send_hop(e, hop, asked->from, kind) != 0)
        return true;
    e->counters.dropped_no_route++;
    tulle__writer_reset(&e->body);
    return false;
}

bool
tulle__control_relay(struct tulle__engine *e,
                     const struct tulle__control_header *header,
                     struct tulle__buf *body)
{
    const struct tulle__peer *peer = tulle__peer_find(e, header->to);
    uint64_t hop = peer == NULL ? 0 : tulle__peer_hop(e, peer);
    if (hop == 0 || hop == header->from)
        return false;
    struct tulle__control_header next = *header;
    next.hops++;
    if (next.hops > e->config.hops_max) {
        e->counters.dropped_hops++;
        return true;
    }
    if (push_control(e, hop, &next, body))
        e->counters.relayed_control++;
    return true;
}
