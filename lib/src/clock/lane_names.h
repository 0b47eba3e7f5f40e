/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_CLOCK_LANE_NAMES_H
#define TULLE_CLOCK_LANE_NAMES_H

/* Short numbers for lanes: (node id, stream) <-> index, so that clocks are
 * arrays of integers. Indices are small, dense and reused after release. */

#include "codec/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tulle__lane_names;

#define TULLE__LANE_NONE UINT32_MAX

/* max: lanes known at one time. NULL when there is no memory. */
struct tulle__lane_names *tulle__lane_names_new(uint32_t max);
void tulle__lane_names_free(struct tulle__lane_names **pointer);
/* Index of the lane, given one when it is new; TULLE__LANE_NONE when the table is
 * full or there is no memory. */
uint32_t
tulle__lane_names_intern(struct tulle__lane_names *names, uint64_t node, struct tulle__view stream);
/* Not const: what was found lately is found faster. */
uint32_t
tulle__lane_names_find(struct tulle__lane_names *names, uint64_t node, struct tulle__view stream);
/* Name of an index in use. The stream is NUL-terminated and valid until release;
 * lanes of equal stream share one pointer (compare pointers to compare streams). */
uint64_t tulle__lane_names_node(const struct tulle__lane_names *names, uint32_t lane);
struct tulle__view tulle__lane_names_stream(const struct tulle__lane_names *names, uint32_t lane);
/* Forget a lane. Nothing may use its index any more. */
void tulle__lane_names_release(struct tulle__lane_names *names, uint32_t lane);
/* Indices in use are below this; is_used tells which. */
uint32_t tulle__lane_names_end(const struct tulle__lane_names *names);
bool tulle__lane_names_is_used(const struct tulle__lane_names *names, uint32_t lane);
uint32_t tulle__lane_names_count(const struct tulle__lane_names *names);

#endif
