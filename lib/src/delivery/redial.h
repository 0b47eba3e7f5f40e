/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_DELIVERY_REDIAL_H
#define TULLE_DELIVERY_REDIAL_H

/* Dialing anew where nothing is heard. */

#include "delivery/state.h"

/* A beat has come from the peer itself: what was dialed is alive. */
void tulle__peer_beat_came(struct tulle__engine *e, struct tulle__peer *peer);
void tulle__redial_if_silent(struct tulle__engine *e, struct tulle__peer *peer);
/* A question at the link had no answer. */
void tulle__redial_if_unanswered(struct tulle__engine *e, const struct tulle__link *link);
void tulle__redial_link(struct tulle__engine *e, const struct tulle__link *link, uint32_t tries);
/* How often all addresses of the peer were dialed anew and it stayed silent. */
uint32_t tulle__redial_tries(const struct tulle__peer *peer);

#endif
