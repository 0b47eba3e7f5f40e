/* SPDX-License-Identifier: MPL-2.0 */
/* Who has delivered what of the own lanes.
 *
 * A lane's takers are looked at all together only when enough of them have acknowledged
 * something since the last time: a part of them, or all that had not reached the head of
 * that time. So an acknowledgement costs the same however many they are. In between,
 * less is known to be acknowledged than is. */

#include "delivery/internal.h"

enum { LOOKS_PER_ROUND = 4 }; /* in the time in which each taker acknowledges once */

static bool
takes_lane(const struct tulle__engine *e,
           const struct tulle__peer *peer,
           const struct tulle__tx *tx)
{
    return tulle__peer_takes(peer, tulle__lane_names_stream(e->names, tx->lane));
}

static void
set_acked(struct tulle__engine *e, struct tulle__tx *tx, uint64_t acked)
{
    bool is_unacked = tx->takers > 0 && acked < tx->head;
    uint64_t bytes = is_unacked ? tulle__kept_bytes_after(&tx->kept, acked) : 0;
    tx->acked = is_unacked ? acked : tx->head;
    e->unacked_bytes += bytes - tx->unacked_bytes;
    tx->unacked_bytes = bytes;
    if (is_unacked && !tx->is_unacked)
        e->unacked_lanes++;
    if (!is_unacked && tx->is_unacked)
        e->unacked_lanes--;
    tx->is_unacked = is_unacked;
}

/* Look at all takers. */
static void
look(struct tulle__engine *e, struct tulle__tx *tx)
{
    uint64_t lowest = tx->head;
    tx->mark = tx->head;
    tx->takers = tx->below = tx->moves = 0;
    for (const struct tulle__peer *peer = e->peers; peer != NULL; peer = peer->hh.next) {
        if (!peer->is_waited_for || !takes_lane(e, peer, tx))
            continue;
        uint64_t acked = tulle__clock_get(&peer->acked, tx->lane);
        tx->takers++;
        tx->below += acked < tx->mark ? 1U : 0U;
        if (acked < lowest)
            lowest = acked;
    }
    set_acked(e, tx, lowest);
}

static void
note_stale(struct tulle__engine *e, struct tulle__tx *tx)
{
    if (tx->is_stale || !tx->is_unacked)
        return;
    tx->is_stale = true;
    tx->stale_next = e->stale_lanes;
    e->stale_lanes = tx;
}

/* One of the takers has come from old to acked, or is none any more. */
static void
note_move(struct tulle__engine *e, struct tulle__tx *tx, uint64_t old, uint64_t acked)
{
    if (old < tx->mark && acked >= tx->mark)
        tx->below--;
    tx->moves++;
    if (tx->below == 0 || tx->moves >= tx->takers / LOOKS_PER_ROUND)
        note_stale(e, tx);
}

void
tulle__ack(struct tulle__engine *e, struct tulle__peer *peer, uint32_t lane, uint64_t seq)
{
    struct tulle__tx *tx = e->lanes[lane].tx;
    uint64_t old = tulle__clock_get(&peer->acked, lane);
    if (tx == NULL || seq > tx->head || seq <= old)
        return; /* a peer cannot acknowledge what was never sent */
    if (tulle__clock_raise(&peer->acked, lane, seq) && peer->is_waited_for &&
        takes_lane(e, peer, tx))
        note_move(e, tx, old, seq);
}

void
tulle__acks_add_lane(struct tulle__engine *e, struct tulle__tx *tx)
{
    look(e, tx);
}

void
tulle__acks_on_sent(struct tulle__engine *e, struct tulle__tx *tx, size_t len)
{
    if (tx->takers == 0) {
        tx->acked = tx->head;
        return;
    }
    e->unacked_lanes += tx->is_unacked ? 0U : 1U;
    tx->is_unacked = true;
    tx->unacked_bytes += len;
    e->unacked_bytes += len;
}

void
tulle__acks_peer_leaves(struct tulle__engine *e, struct tulle__peer *peer)
{
    if (!peer->is_waited_for)
        return;
    peer->is_waited_for = false;
    for (struct tulle__tx *tx = e->own_lanes; tx != NULL; tx = tx->next) {
        if (!takes_lane(e, peer, tx))
            continue;
        tx->takers--;
        note_move(e, tx, tulle__clock_get(&peer->acked, tx->lane), UINT64_MAX);
    }
}

static void
wait_for(struct tulle__engine *e, struct tulle__peer *peer)
{
    peer->is_waited_for = true;
    for (struct tulle__tx *tx = e->own_lanes; tx != NULL; tx = tx->next) {
        if (!takes_lane(e, peer, tx))
            continue;
        uint64_t acked = tulle__clock_get(&peer->acked, tx->lane);
        tx->takers++;
        tx->below += acked < tx->mark ? 1U : 0U;
        if (acked < tx->acked)
            set_acked(e, tx, acked);
    }
}

void
tulle__acks_peer_changed(struct tulle__engine *e, struct tulle__peer *peer)
{
    bool is_waited_for = !peer->is_proxy && tulle__peer_is_live(peer) && peer->is_answered;
    if (is_waited_for && !peer->is_waited_for)
        wait_for(e, peer);
    else if (!is_waited_for)
        tulle__acks_peer_leaves(e, peer);
}

void
tulle__acks_refresh(struct tulle__engine *e)
{
    while (e->stale_lanes != NULL) {
        struct tulle__tx *tx = e->stale_lanes;
        e->stale_lanes = tx->stale_next;
        tx->is_stale = false;
        if (tx->below == 0 && tx->mark == tx->head)
            set_acked(e, tx, tx->head);
        else
            look(e, tx);
    }
}

void
tulle__acks_look_again(struct tulle__engine *e)
{
    for (struct tulle__tx *tx = e->own_lanes; tx != NULL; tx = tx->next)
        note_stale(e, tx);
}

uint64_t
tulle__acks_missing_bytes(const struct tulle__engine *e)
{
    return e->unacked_bytes < e->own_store.bytes ? e->unacked_bytes : e->own_store.bytes;
}

bool
tulle__engine_is_acknowledged(const struct tulle__engine *e)
{
    /* Refreshing only brings cached values up to date. */
    struct tulle__engine *mutable_engine = (struct tulle__engine *)(uintptr_t)e;
    tulle__acks_refresh(mutable_engine);
    return e->unacked_lanes == 0 && e->open_head == NULL;
}
