/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_CHECK_AGE_H
#define TULLE_TOOLS_CHECK_AGE_H

/* When was the last event of each stream published? A snapshot does not tell: the last event of
 * each lane is taken, as long as somebody keeps it. */

#include "tools/check/check_metric.h"

#include <tulle/node.h>

#include <stdbool.h>
#include <stdint.h>

struct tulle__check_ages;

/* Begin to take them, of the streams of the scope. NULL: no memory, or the node refuses. */
struct tulle__check_ages *tulle__check_ages_new(tulle_node *node,
                                                const struct tulle__check_scope *scope);
void tulle__check_ages_free(struct tulle__check_ages **pointer);

/* Take what came. Returns true once all that is known was taken, as far as it is kept. now_us: of
 * a clock that never jumps. */
bool tulle__check_ages_take(struct tulle__check_ages *ages, tulle_node *node, int64_t now_us);

/* An event of a stream, published then. tulle__check_ages_take() does it. */
bool tulle__check_ages_note(struct tulle__check_ages *ages, const char *stream, int64_t time_us);

/* Add the metric age: it is known when an event of each stream of the scope is. */
void tulle__check_ages_measure(const struct tulle__check_ages *ages,
                               const tulle_snapshot *snapshot,
                               const struct tulle__check_scope *scope,
                               struct tulle__check_values *values);

#endif
