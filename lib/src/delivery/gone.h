/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_DELIVERY_GONE_H
#define TULLE_DELIVERY_GONE_H

/* Peers that are not heard any more: for how long they are remembered, and which of them may
 * be there all the same. */

#include "delivery/state.h"

/* Was the peer heard through a proxy that is silent too? */
bool tulle__peer_is_silenced(const struct tulle__engine *e, const struct tulle__peer *peer);
/* Of a proxy: may a peer be there that cannot be heard, since what it was heard through is
 * silent? Not for longer than something is kept for it. */
bool tulle__peer_is_cut_off(const struct tulle__engine *e, const struct tulle__peer *peer);
/* Is nothing of the peer, which is not live, to be told apart any more? */
bool tulle__peer_is_past(const struct tulle__engine *e, const struct tulle__peer *peer);
/* How often is looked who is. */
int64_t tulle__forget_period_ms(const struct tulle__engine *e);

#endif
