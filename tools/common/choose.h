/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_CHOOSE_H
#define TULLE_TOOLS_CHOOSE_H

/* Choosing nodes and streams of a snapshot by what people type. */

#include "app/option.h"

#include <tulle/observe.h>

#include <stdbool.h>

/* What to say when there is no such thing. */
extern const char tulle__choose_nothing[];

/* Is the node one of the wanted: by its name, in which * ? [] stand for others, its id or the first
 * digits of it, or NAME#ID as tools call it? Nothing wanted: every node is. name: for an id that
 * the snapshot does not know; may be NULL. */
bool tulle__choose_is_node(const struct tulle__list *wanted,
                           const tulle_snapshot *snapshot,
                           uint64_t id,
                           const char *name);

/* Does one of the wanted patterns match topics that can be in the stream? */
bool tulle__choose_is_stream(const struct tulle__list *wanted, const char *stream);

/* Does the node take anything that such streams could be in? */
bool tulle__choose_waits_for(const struct tulle__list *wanted, const tulle_seen_node *node);

/* Can topics that match the pattern be in the stream? */
bool tulle__pattern_meets_stream(const char *pattern, const char *stream);

/* The first of what a node takes that a stream is in; NULL: none. */
const char *tulle__take_of(const tulle_seen_node *node, const char *stream);

/* "a" is in "a/" and two stars too, and a subscription to the latter is told as both. */
bool tulle__take_is_implied(const char *const *takes, size_t count, const char *take);

#endif
