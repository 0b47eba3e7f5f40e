/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_DELIVERY_INTERNAL_H
#define TULLE_DELIVERY_INTERNAL_H

/* What the files of delivery/ call of one another; by file. */

#include "delivery/acks.h"
#include "delivery/control.h"
#include "delivery/lanes.h"
#include "delivery/peer_index.h"
#include "delivery/state.h"

/* ---- engine.c ---- */

/* A new action at the end of the queue; NULL when there is no memory (counted:
 * what is not sent is repaired like any loss). */
struct tulle__action *tulle__action_push(struct tulle__engine *e, enum tulle__action_kind kind);
/* Make room for one more action, so that pushing it cannot fail. False: no memory. */
bool tulle__actions_reserve(struct tulle__engine *e);
/* Make sure that e->deps has room. */
bool tulle__deps_reserve(struct tulle__engine *e, size_t count);
/* A clock as wire entries in e->deps; the lane named (or NONE) is left out.
 * Returns how many, SIZE_MAX without memory. */
size_t
tulle__deps_from_clock(struct tulle__engine *e, const struct tulle__clock *clock, uint32_t except);
/* Count and, at times, log a message that cannot be read. */
void
tulle__malformed(struct tulle__engine *e, const char *what, uint64_t from, tulle_status status);

/* ---- interest.c ---- */

/* Its index of patterns is NULL when there is no memory. */
void tulle__interest_init(struct tulle__interest *interest);
void tulle__interest_fini(struct tulle__interest *interest);
/* What interest says about a stream; refreshes policy when interest has changed. */
void tulle__policy_refresh(struct tulle__engine *e,
                           struct tulle__policy *policy,
                           struct tulle__view stream);
bool tulle__interest_takes(const struct tulle__engine *e, struct tulle__view stream);
/* Proxy sides: set the keys to exactly these. */
void
tulle__interest_set_keys(struct tulle__engine *e, const struct tulle__view *keys, size_t count);

/* ---- publish.c ---- */

void tulle__tx_free(struct tulle__tx **pointer);

/* ---- receive.c ---- */

/* The taken lane's state, made when it is new; its start is told by what is known
 * of its node. NULL without memory. */
struct tulle__rx *tulle__rx_get(struct tulle__engine *e, uint32_t lane);
void tulle__rx_free(struct tulle__engine *e, struct tulle__rx **pointer);
/* Start a lane at next; the clock just before it may follow (need). */
void tulle__rx_activate(struct tulle__engine *e, struct tulle__rx *rx, uint64_t next);
/* Somebody knows of events up to head. */
void tulle__rx_raise_head(struct tulle__engine *e, struct tulle__rx *rx, uint64_t head);
/* Is there room to hold so many bytes of a batch that begins with first? */
bool tulle__rx_has_room(const struct tulle__engine *e,
                        const struct tulle__rx *rx,
                        uint64_t first,
                        size_t len);
/* Take in a checked batch. */
void tulle__receive_batch(struct tulle__engine *e,
                          struct tulle__rx *rx,
                          struct tulle__buf *buf,
                          const struct tulle__batch *batch,
                          uint32_t hops,
                          bool is_repaired);
void tulle__on_events(struct tulle__engine *e,
                      struct tulle__view stream,
                      struct tulle__buf *body,
                      const uint64_t *path,
                      uint32_t hops);
/* Put a lane among those to look at, and look at all. */
void tulle__make_runnable(struct tulle__engine *e, struct tulle__rx *rx);
void tulle__progress(struct tulle__engine *e);
/* The lane moves on to next without what is before: wakes who waited. */
void tulle__rx_advance(struct tulle__engine *e, struct tulle__rx *rx, uint64_t next);
/* Lanes that have waited for one another for much longer than hold_ms can only be
 * in a circle that somebody made up: let them go on. */
void tulle__break_cycles(struct tulle__engine *e);

/* ---- held.c: batches that a lane holds ---- */

/* A copy that holds the bytes; NULL: no memory. */
struct tulle__held *tulle__held_copy(struct tulle__engine *e, const struct tulle__held *arrived);
void tulle__held_free(struct tulle__held **held);
/* Into its place among the lane's; false when what it brings is held already. */
bool tulle__held_link(struct tulle__engine *e, struct tulle__rx *rx, struct tulle__held *held);
void tulle__held_drop_first(struct tulle__engine *e, struct tulle__rx *rx);

/* ---- unordered.c: lanes taken in arrival order only ---- */

void
tulle__receive_unordered(struct tulle__engine *e, struct tulle__rx *rx, struct tulle__held *held);
/* Give up the lowest hole of such a lane. */
void tulle__unordered_give_up(struct tulle__engine *e, struct tulle__rx *rx);
bool tulle__unordered_has_hole(const struct tulle__rx *rx);

/* ---- deliver.c ---- */

/* Do all that delivering a batch may lack memory for, so that it is delivered whole or
 * waits: its place among the actions, and the node's clock with what it depends on.
 * False: no memory (noted), try again. */
bool tulle__deliver_prepare(struct tulle__engine *e,
                            struct tulle__rx *rx,
                            const struct tulle__held *held);
/* Hand out what a prepared batch brings that is new; the lane moves on to next. */
void tulle__deliver(struct tulle__engine *e,
                    struct tulle__rx *rx,
                    struct tulle__held *held,
                    uint64_t next);
void tulle__tell_arrival(struct tulle__engine *e,
                         struct tulle__rx *rx,
                         const struct tulle__held *held,
                         enum tulle__action_kind kind,
                         bool is_late);
void tulle__tell_gap(struct tulle__engine *e,
                     struct tulle__rx *rx,
                     uint64_t first,
                     uint64_t last,
                     tulle_gap_reason reason);

/* ---- repair.c ---- */

/* The clock of a lane just before next, as somebody who knows tells it. */
void
tulle__rx_set_need(struct tulle__engine *e, struct tulle__rx *rx, struct tulle__clock_view clock);
/* What is missing before the lowest held batch, or up to the known head. */
bool tulle__rx_has_hole(const struct tulle__rx *rx);
/* Begin or end the search for what the lane misses. */
void tulle__repair_check(struct tulle__engine *e, struct tulle__rx *rx);
void tulle__repair_stop(struct tulle__engine *e, struct tulle__rx *rx);
/* There is no room for what the lane misses: ask for it a little later. */
void tulle__repair_pause(struct tulle__engine *e, struct tulle__rx *rx);
/* The lane got on: the time that a hole may hold it up begins anew. */
void tulle__repair_progress(struct tulle__engine *e, struct tulle__rx *rx);
void tulle__repair_on_timer(struct tulle__engine *e);
int64_t tulle__repair_due_ns(const struct tulle__engine *e);
/* Batches of a lane from the one that holds fetch's first on, as far as they follow it without
 * a hole and within its bounds. Returns how many. */
size_t tulle__gather_batches(const struct tulle__kept *kept,
                             const struct tulle__fetch *fetch,
                             struct tulle__view batches[static TULLE__BATCHES_PER_RANGE_MAX]);
/* Answer a FETCH. */
void tulle__range_send(struct tulle__engine *e,
                       const struct tulle__control_header *asked,
                       uint64_t via,
                       const struct tulle__range_out *range);
void tulle__on_fetch(struct tulle__engine *e,
                     const struct tulle__control_header *header,
                     uint64_t via,
                     const struct tulle__fetch *fetch);
void tulle__on_range(struct tulle__engine *e,
                     const struct tulle__control_header *header,
                     const struct tulle__range_view *range);

/* ---- member.c ---- */

struct tulle__peer *tulle__peer_find(const struct tulle__engine *e, uint64_t id);
/* Found or made (stage NEW); NULL when the table is full or there is no memory. */
struct tulle__peer *tulle__peer_get(struct tulle__engine *e, uint64_t id);
/* Something came from the peer over a way: via 0 is direct. is_sign_of_life: a beat
 * or control message, which also brings it back from GONE. */
void tulle__peer_heard(struct tulle__engine *e,
                       struct tulle__peer *peer,
                       uint64_t via,
                       uint32_t hops,
                       bool is_sign_of_life);
/* A proxy, via, knows the peer too, but nothing new of it. */
void tulle__peer_way_works(struct tulle__engine *e,
                           struct tulle__peer *peer,
                           uint64_t via,
                           uint32_t hops);
/* What the peer says of itself. is_direct: its addresses can be used here. */
void tulle__peer_learn(struct tulle__engine *e,
                       struct tulle__peer *peer,
                       const struct tulle__self_view *self,
                       bool is_direct);
/* Dial the peer's addresses as far as known and not yet dialed. */
void tulle__peer_dial(struct tulle__engine *e, struct tulle__peer *peer);
void tulle__peer_hang_up(struct tulle__engine *e, struct tulle__peer *peer);
/* Silence after which it is suspect. */
int64_t tulle__suspect_after_ns(const struct tulle__engine *e, const struct tulle__peer *peer);
void tulle__peer_set_stage(struct tulle__engine *e,
                           struct tulle__peer *peer,
                           enum tulle__peer_stage stage);
static inline bool
tulle__peer_is_live(const struct tulle__peer *peer)
{
    return peer->stage == TULLE__STAGE_UP || peer->stage == TULLE__STAGE_SUSPECT;
}
/* Does the peer take the stream, as far as it said? */
bool tulle__peer_takes(const struct tulle__peer *peer, struct tulle__view stream);
/* The peer takes the key: does it still want it here? Who is heard through a neighbour, a
 * proxy, wants what that neighbour takes for it. */
bool tulle__peer_takes_by_way(const struct tulle__engine *e,
                              const struct tulle__peer *peer,
                              struct tulle__view key);
/* Neighbour to hand a message for the peer to; 0: no way is known. */
uint64_t tulle__peer_hop(const struct tulle__engine *e, const struct tulle__peer *peer);
/* Proxies on the shortest way that is fresh; UINT32_MAX: none. */
uint32_t tulle__peer_hops(const struct tulle__engine *e, const struct tulle__peer *peer);
void tulle__member_on_timer(struct tulle__engine *e);
void tulle__members_free(struct tulle__engine *e);

/* ---- names.c ---- */

/* "" when it is not known. */
const char *tulle__node_name(const struct tulle__engine *e, uint64_t id);
/* Somebody tells the name of a node that is not a peer. */
void tulle__note_name(struct tulle__engine *e, uint64_t id, struct tulle__view name);
void tulle__names_free(struct tulle__engine *e);

/* ---- beat.c ---- */

void tulle__self_out(struct tulle__engine *e, struct tulle__self_out *out, bool has_takes);
void tulle__on_beat(struct tulle__engine *e,
                    struct tulle__buf *body,
                    struct tulle__view path_frame,
                    const uint64_t *path,
                    uint32_t hops);
/* A beat is wanted soon: something was published, delivered or changed. */
void tulle__beat_soon(struct tulle__engine *e);
void tulle__beat_at_once(struct tulle__engine *e); /* when none was sent just now */
void tulle__beat_send(struct tulle__engine *e, bool is_leaving);
void tulle__beat_on_timer(struct tulle__engine *e);

/* ---- join.c ---- */

/* A publication of the peer has come: the way for its events is there. */
void tulle__peer_is_heard(struct tulle__engine *e, struct tulle__peer *peer);
/* The peer knows so many nodes: when they are more than are known here, it is asked. */
void tulle__peer_knows(struct tulle__engine *e, struct tulle__peer *peer, uint64_t node_count);
/* Ask the peer to sync at once, or when it can be reached. */
void tulle__sync_want(struct tulle__engine *e, struct tulle__peer *peer);
void tulle__join_on_timer(struct tulle__engine *e);
int64_t tulle__join_due_ns(const struct tulle__engine *e);
void tulle__on_sync(struct tulle__engine *e,
                    const struct tulle__control_header *header,
                    uint64_t via,
                    const struct tulle__sync_view *sync);
void tulle__on_here(struct tulle__engine *e,
                    const struct tulle__control_header *header,
                    const struct tulle__here_view *here);
/* A node will not tell where its lanes start any more: start them as they stand. */
void tulle__resolve_pending(struct tulle__engine *e, struct tulle__rx *rx);

#endif
