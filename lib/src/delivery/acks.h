/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_DELIVERY_ACKS_H
#define TULLE_DELIVERY_ACKS_H

/* Who has delivered what of the own lanes; see delivery/internal.h. */

#include "delivery/state.h"

/* A peer has delivered an own lane up to seq. */
void tulle__ack(struct tulle__engine *e, struct tulle__peer *peer, uint32_t lane, uint64_t seq);
/* An own lane is new; a batch of it went out. */
void tulle__acks_add_lane(struct tulle__engine *e, struct tulle__tx *tx);
void tulle__acks_on_sent(struct tulle__engine *e, struct tulle__tx *tx, size_t len);
/* What a peer takes is about to change; it has changed, or whether it is there. */
void tulle__acks_peer_leaves(struct tulle__engine *e, struct tulle__peer *peer);
void tulle__acks_peer_changed(struct tulle__engine *e, struct tulle__peer *peer);
/* Take what was acknowledged into account. */
void tulle__acks_refresh(struct tulle__engine *e);
/* Look at all lanes that are not acknowledged: retention may have let go of them. */
void tulle__acks_look_again(struct tulle__engine *e);
/* Bytes that somebody who is waited for has not acknowledged; not below what is true. */
uint64_t tulle__acks_missing_bytes(const struct tulle__engine *e);

#endif
