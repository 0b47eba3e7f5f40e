/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_PATTERNS_H
#define TULLE_NODE_PATTERNS_H

/* The patterns of one subscription: it takes what any of them matches. The engine
 * knows each as a take of its own; their order among each other is the engine's. */

#include "delivery/engine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TULLE__PATTERNS_MAX = 10000 }; /* of all subscriptions of a node */

struct tulle__pattern {
    struct tulle__view text; /* NUL-terminated */
    uint32_t handle;         /* the engine's, while registered */
};

struct tulle__patterns {
    size_t count;
    struct tulle__pattern_index *index; /* for who receives; NULL: one pattern needs none */
    struct tulle__pattern items[];      /* the texts lie behind them */
};

/* The first one, and those of options.also; false when one is not valid, or they are too many. */
bool tulle__patterns_are_valid(const char *first, const tulle_subscribe_options *options);
/* Copies of them, which are valid. NULL: no memory. Freed with tulle__patterns_free(). */
struct tulle__patterns *tulle__patterns_new(const char *first,
                                            const tulle_subscribe_options *options);
void tulle__patterns_free(struct tulle__patterns **patterns);

/* Does any of them match the topic of a stream? All topics of the stream? By one thread at
 * a time, who receives. */
bool tulle__patterns_match(const struct tulle__patterns *patterns,
                           struct tulle__view stream,
                           struct tulle__view rest);
bool tulle__patterns_take_all_of(const struct tulle__patterns *patterns, struct tulle__view stream);

/* As tulle__engine_starts_agree(), for each of one with each of the other. */
bool tulle__patterns_starts_agree(const struct tulle__patterns *a,
                                  const tulle_subscribe_options *a_options,
                                  const struct tulle__patterns *b,
                                  const tulle_subscribe_options *b_options);

/* Node's thread: all of them or none; returns what tulle__engine_subscribe() does. */
TULLE_MUST_CHECK tulle_status tulle__patterns_register(struct tulle__patterns *patterns,
                                                       struct tulle__engine *engine,
                                                       const tulle_subscribe_options *options,
                                                       struct tulle__now now);
void tulle__patterns_unregister(const struct tulle__patterns *patterns,
                                struct tulle__engine *engine,
                                struct tulle__now now);

#endif
