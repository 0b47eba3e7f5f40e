/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_TRACE_CLOCK_H
#define TULLE_TOOLS_TRACE_CLOCK_H

/* Potential causes: what a vector clock says may have led to an event, without what
 * follows from the rest of it. */

#include "tools/trace/trace_store.h"

/* Take note of an event's clock; where the event names no cause, set its causes to its direct
 * predecessors. Events of a lane in order; those it depends on before. Returns false when there
 * is no memory. */
bool tulle__trace_clock_take(struct tulle__trace_store *store,
                             const tulle_event *event,
                             struct tulle__trace_event *out);

#endif
