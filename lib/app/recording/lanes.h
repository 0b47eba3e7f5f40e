/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_APP_RECORDING_LANES_H
#define TULLE_APP_RECORDING_LANES_H

/* What a chunk has said of each lane so far, and memory that lasts as long as the chunk. */

#include <tulle/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tulle__lane_clock {
    tulle_clock_entry *entries; /* their streams are in the arena */
    size_t count, cap;
};

struct tulle__lane {
    bool is_known; /* clock and deps were said */
    struct tulle__lane_clock clock, deps;
};

struct tulle__lanes;

struct tulle__lanes *tulle__lanes_new(void);
void tulle__lanes_free(struct tulle__lanes **lanes);

/* Forget all. */
void tulle__lanes_reset(struct tulle__lanes *lanes);

/* The lane, made when it is new. NULL: no memory, or no stream. */
struct tulle__lane *tulle__lanes_get(struct tulle__lanes *lanes, uint64_t node, const char *stream);

/* Add an entry. NULL stream, or no memory: false. */
bool tulle__lane_clock_push(struct tulle__lane_clock *clock,
                            uint64_t node,
                            const char *stream,
                            uint64_t count);

/* A copy, NUL-terminated, that lasts until the reset; NULL: no memory. */
const char *tulle__lanes_copy(struct tulle__lanes *lanes, const char *text, size_t len);

#endif
