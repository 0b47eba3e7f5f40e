/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_CLOCK_WIRE_H
#define TULLE_CLOCK_WIRE_H

/* Clocks out of messages. */

#include "clock/clock.h"
#include "clock/lane_names.h"
#include "codec/batch.h"

/* Raise a clock to a checked one of a message, naming its lanes; n log n in the
 * message's entries whatever order its sender chose. Returns how many entries
 * were left out for lack of a place or memory. */
uint64_t tulle__clock_merge_wire(struct tulle__clock *clock,
                                 struct tulle__lane_names *names,
                                 struct tulle__clock_view view);

#endif
