/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_ABSENT_H
#define TULLE_NODE_ABSENT_H

/* Neighbours of a proxy that ended without a goodbye. Silence alone says little for some
 * seconds, in which events would still be brought to where nobody is any more. So an
 * address whose beat is late is tried: when nobody listens there, its node has ended. */

#include "delivery/forward.h"
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

/* Look who is late, now and then. */
void tulle__absent_watch(struct tulle__absent *absent,
                         struct tulle__forward *forward,
                         size_t side,
                         struct tulle__now now);
/* When to look again. */
int64_t tulle__absent_deadline(const struct tulle__absent *absent);
void tulle__absent_fini(struct tulle__absent *absent);

#endif
