/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_DELIVERY_LINK_H
#define TULLE_DELIVERY_LINK_H

/* Questions about the addresses that were given to join, and who answered there; and about
 * neighbours that are silent. */

#include "delivery/engine.h"

/* What is known of one node, borrowed until the next input; false when it is not known. */
bool tulle__engine_peer(const struct tulle__engine *engine, uint64_t id, tulle_peer *out);

/* A neighbour whose beat should have come by now; for an observer, also one that others name and
 * that has not answered. */
struct tulle__overdue {
    uint64_t id;
    const char *address; /* where it is dialed, or several separated by spaces; borrowed likewise */
    uint32_t turn;       /* which of several */
};

/* Up to max of them, and when the next of the others will be one. Somebody else may find out
 * whether anybody listens at its address. */
size_t tulle__engine_overdue(const struct tulle__engine *engine,
                             struct tulle__mono now,
                             struct tulle__overdue *out,
                             size_t max,
                             int64_t *next_ns);
/* Nobody does: it is gone, unless it was heard meanwhile. */
void tulle__engine_on_refused(struct tulle__engine *engine, uint64_t id, struct tulle__now now);

/* Of several addresses of a node another one is dialed now: the one that turn chooses. */
void tulle__engine_on_dialed(struct tulle__engine *engine,
                             uint64_t id,
                             uint32_t turn,
                             struct tulle__now now);
/* There was no memory for the control connection: the next beat of the node tries again. */
void tulle__engine_on_undialed(struct tulle__engine *engine, uint64_t id);

/* An address that was given to join. */
struct tulle__link_view {
    const char *address;
    bool is_self;    /* this node's own */
    tulle_peer peer; /* who answered there last; node 0: nobody, or it is gone */
};

/* The index-th, below TULLE__LINKS_LIMIT; false when there is none. Borrowed likewise. */
bool tulle__engine_link(const struct tulle__engine *engine,
                        uint32_t index,
                        struct tulle__link_view *out);

#endif
