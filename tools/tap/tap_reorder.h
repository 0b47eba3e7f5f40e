/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_TAP_REORDER_H
#define TULLE_TOOLS_TAP_REORDER_H

/* Two orders side by side: arrivals on the left, deliveries on the right. An event that is
 * delivered as it arrives is one line; one that was held is two, with what others did in
 * between, and a note of what it waited for. */

#include "app/text.h"

#include <tulle/event.h>

#include <stdbool.h>
#include <stddef.h>

struct tulle__reorder;

/* width: of a line, in characters. NULL: no memory. */
struct tulle__reorder *tulle__reorder_new(size_t width, bool has_colour);
void tulle__reorder_free(struct tulle__reorder **pointer);

/* The two lines above all others. */
void tulle__reorder_head(struct tulle__reorder *reorder, struct tulle__text *out);
/* An arrival or delivery. What arrived is printed a moment later: its delivery may follow. */
void tulle__reorder_put(struct tulle__reorder *reorder,
                        const tulle_message *message,
                        struct tulle__text *out);
/* Does something wait for its delivery? */
bool tulle__reorder_has_more(const struct tulle__reorder *reorder);
/* Print what waits for its delivery: nothing else comes for now. */
void tulle__reorder_flush(struct tulle__reorder *reorder, struct tulle__text *out);

#endif
