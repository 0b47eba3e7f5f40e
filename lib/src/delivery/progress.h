/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_DELIVERY_PROGRESS_H
#define TULLE_DELIVERY_PROGRESS_H

/* A question to the engine: how far is the delivery of each lane? */

#include "delivery/engine.h"

/* One after the other: *at is 0 at first, and no input comes in between. False past the end.
 * Strings borrowed until the next input. */
bool tulle__engine_next_lane(struct tulle__engine *engine, uint32_t *at, tulle_lane *out);

#endif
