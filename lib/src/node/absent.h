/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_ABSENT_H
#define TULLE_NODE_ABSENT_H

/* Neighbours that ended without a goodbye, for those who must know it soon: a proxy, which would
 * still bring events to where nobody is any more, and an observer, which would wait for an answer.
 * Silence alone says little for some seconds. So an address whose beat is late is tried: when
 * nobody listens there, its node has ended. */

#include "delivery/link.h"
#include "node/probe.h"

enum { TULLE__ABSENT_LIMIT = 16 };

/* Of one segment. Start from { 0 }. */
struct tulle__absent {
    struct tulle__tried {
        uint64_t id; /* 0: free */
        int64_t again_ns;
        struct tulle__probe probe;
    } items[TULLE__ABSENT_LIMIT];
    int64_t due_ns;
};

/* Look who is late, now and then. Returns how many were found to be absent; refused: their ids, of
 * which the engine is to be told (tulle__engine_on_refused()). */
size_t tulle__absent_watch(struct tulle__absent *absent,
                           const struct tulle__engine *engine,
                           struct tulle__now now,
                           uint64_t refused[TULLE__ABSENT_LIMIT]);
/* When to look again. */
int64_t tulle__absent_deadline(const struct tulle__absent *absent);
void tulle__absent_fini(struct tulle__absent *absent);

#endif
