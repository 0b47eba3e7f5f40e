/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_WHEN_H
#define TULLE_TOOLS_WHEN_H

/* Moments as people type them. */

#include <stdbool.h>
#include <stdint.h>

/* Read a moment:
 *
 *     10m, 1h30m, 2.5s, 3d         so long before now
 *     1714564800, 1714564800.25    seconds since 1970
 *     2024-05-01                   that day's first moment, local time
 *     2024-05-01T12:00[:00[.5]]    local time; a space may stand for the T
 *     2024-05-01T12:00:00Z, ...+02:00
 *     12:00[:00]                   today, local time
 *     now
 *
 * out_us: microseconds since 1970. Returns false for anything else. */
bool tulle__when_parse(const char *text, int64_t now_us, int64_t *out_us);

/* "TIME is no moment": for a struct tulle__option's check. */
const char *tulle__when_check(const char *text);

/* A span as typed above, 10m or 1h30m or 2.5s, in microseconds. */
bool tulle__span_parse(const char *text, int64_t *out_us);

#endif
