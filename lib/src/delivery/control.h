/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_DELIVERY_CONTROL_H
#define TULLE_DELIVERY_CONTROL_H

/* Sending control messages. The body is what was written to e->body, which is
 * emptied. */

#include "delivery/state.h"

/* Send e->body as a control message to a node, by the best way. Returns the
 * counter it went with; 0 when there is no way (counted). */
uint64_t tulle__control_send(struct tulle__engine *e, uint64_t to, enum tulle__control_kind kind);
/* The same to a neighbour or link directly; to may be 0. */
uint64_t tulle__control_send_hop(struct tulle__engine *e,
                                 uint64_t hop,
                                 uint64_t to,
                                 enum tulle__control_kind kind);
/* Send e->body to who asked; by the neighbour that brought the question where no way
 * back is known. False: not sent, counted. */
bool tulle__control_answer(struct tulle__engine *e,
                           const struct tulle__control_header *asked,
                           uint64_t via,
                           enum tulle__control_kind kind);
/* Proxy: pass a control message on towards its node from this side. False: no way. */
bool tulle__control_relay(struct tulle__engine *e,
                          const struct tulle__control_header *header,
                          struct tulle__buf *body);

#endif
