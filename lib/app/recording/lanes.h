/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_APP_RECORDING_LANES_H
#define TULLE_APP_RECORDING_LANES_H

/* What a chunk has said of each lane so far, and memory that lasts as long as the chunk. */

#include <tulle/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tulle__chunk_clock {
    tulle_clock_entry *entries; /* their streams are in the arena */
    size_t count, cap;
};

struct tulle__chunk_lane {
    bool is_known; /* clock and deps were said */
    struct tulle__chunk_clock clock, deps;
};

struct tulle__chunk_lanes;

struct tulle__chunk_lanes *tulle__chunk_lanes_new(void);
void tulle__chunk_lanes_free(struct tulle__chunk_lanes **lanes);

/* Forget all. */
void tulle__chunk_lanes_reset(struct tulle__chunk_lanes *lanes);

/* The lane, made when it is new. NULL: no memory, or no stream. */
struct tulle__chunk_lane *
tulle__chunk_lanes_get(struct tulle__chunk_lanes *lanes, uint64_t node, const char *stream);

/* Add an entry. NULL stream, or no memory: false. */
bool tulle__chunk_clock_push(struct tulle__chunk_clock *clock,
                             uint64_t node,
                             const char *stream,
                             uint64_t count);

/* A copy, NUL-terminated, that lasts until the reset; NULL: no memory. */
const char *tulle__chunk_lanes_copy(struct tulle__chunk_lanes *lanes, const char *text, size_t len);

#endif
