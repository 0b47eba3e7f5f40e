/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_HISTORY_END_H
#define TULLE_TOOLS_HISTORY_END_H

/* Has everything that was known at a moment been delivered? Lanes are known once the mesh
 * has been met: that it has is taken from no new node or lane turning up for a while. */

#include <tulle/node.h>

#include <stdbool.h>
#include <stdint.h>

struct tulle__history_end;

/* settle_us: how long that while is. NULL: no memory. */
struct tulle__history_end *tulle__history_end_new(int64_t settle_us);
void tulle__history_end_free(struct tulle__history_end **pointer);

/* Look again. now_us: of a clock that never jumps. */
bool
tulle__history_end_is_reached(struct tulle__history_end *end, tulle_node *node, int64_t now_us);

#endif
