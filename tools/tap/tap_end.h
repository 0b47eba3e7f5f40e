/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_TAP_END_H
#define TULLE_TOOLS_TAP_END_H

/* Has everything that was known at a moment been delivered? Lanes are known once the mesh
 * has been met: that it has is taken from no new node or lane turning up for a while. */

#include <tulle/node.h>

#include <stdbool.h>
#include <stdint.h>

struct tulle__tap_end;

/* NULL: no memory. */
struct tulle__tap_end *tulle__tap_end_new(void);
void tulle__tap_end_free(struct tulle__tap_end **pointer);

/* Look again. now_us: of a clock that never jumps. */
bool tulle__tap_end_is_reached(struct tulle__tap_end *end, tulle_node *node, int64_t now_us);

#endif
