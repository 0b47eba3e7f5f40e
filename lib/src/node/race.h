/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_RACE_H
#define TULLE_NODE_RACE_H

/* Which of several addresses of a node answers first, as browsers find out (RFC 8305).
 *
 * libzmq dials one address for ever and does not say whether anybody is there. So while it dials
 * the first one, that one is tried, a moment later the next one as well, and so on; the first at
 * which a ZeroMQ socket greets is dialed instead, and the others are let go of. Nothing here
 * blocks. Where none greets, the engine goes on to the next one when it misses beats. */

#include "node/transport.h"

enum { TULLE__RACES_LIMIT = 32 };

struct tulle__race;

/* Of one segment. Start from { 0 }. */
struct tulle__races {
    struct tulle__race *items[TULLE__RACES_LIMIT];
    size_t count;
    int64_t due_ns;
};

/* A node was dialed: if it has several addresses and there is room, they race. */
void tulle__races_begin(struct tulle__races *races,
                        uint64_t hop,
                        const struct tulle__dialing *dialing,
                        int64_t now_ns);
/* It was hung up. */
void tulle__races_end(struct tulle__races *races, uint64_t hop);
/* Look how they run. True: hop was dialed anew, where another address was the first; ask
 * again. *turn is then the one that chooses it. */
bool tulle__races_next(struct tulle__races *races,
                       struct tulle__transport *transport,
                       int64_t now_ns,
                       uint64_t *hop,
                       uint32_t *turn);
/* When to look again; TULLE__NEVER_NS: none runs. */
int64_t tulle__races_deadline(const struct tulle__races *races);
/* Waits for the system's resolver, if that is at work. */
void tulle__races_fini(struct tulle__races *races);

#endif
