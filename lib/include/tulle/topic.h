/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOPIC_H
#define TULLE_TOPIC_H

/* Topics and patterns, for programs that want to check or match them as the
 * mesh does (docs/protocol.md, section 2). */

#include <tulle/status.h>

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Is this a topic that can be published: 1..255 bytes UTF-8, levels separated
 * by "/", none empty, none "*" or "**", first level not beginning with "$", no
 * control characters. Threads: any. */
TULLE_API bool tulle_topic_is_valid(const char *topic);

/* Is this a pattern that can be subscribed to: like a topic, but a level may
 * be "*" or "**". Threads: any. */
TULLE_API bool tulle_pattern_is_valid(const char *pattern);

/* Does a valid pattern match a valid topic: "*" is exactly one level, "**" any
 * number, also none. Time is O(levels of pattern x levels of topic). Threads: any. */
TULLE_API bool tulle_pattern_matches(const char *pattern, const char *topic);

#ifdef __cplusplus
}
#endif

#endif
