/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_LINKS_H
#define TULLE_NODE_LINKS_H

/* The addresses that were given to join, as an operator wants to know of them: one log
 * line "link.state" for each change, with the reason. */

#include "delivery/link.h"
#include "node/probe.h"

enum tulle__link_stage {
    TULLE__LINK_NEW, /* nothing to tell yet */
    TULLE__LINK_UP,
    TULLE__LINK_LOST,        /* it was up */
    TULLE__LINK_REFUSED,     /* nobody listens */
    TULLE__LINK_UNREACHABLE, /* no way there */
    TULLE__LINK_UNANSWERED   /* somebody listens, who is no node of this mesh */
};

/* Start from { 0 }. */
struct tulle__links {
    struct tulle__watched {
        enum tulle__link_stage stage;
        uint64_t peer;    /* that is or was there */
        int64_t since_ns; /* when it was seen first, or lost; 0: not yet seen */
        int64_t due_ns;   /* next probe */
        struct tulle__probe probe;
    } items[TULLE__LINKS_LIMIT];
    int64_t due_ns;
    bool is_waiting; /* for one or more to come up */
};

/* Look at all, now and then. */
void tulle__links_watch(struct tulle__links *links,
                        const struct tulle__engine *engine,
                        const struct tulle__log *log,
                        int64_t now_ns);
/* When to look again, while one is down; TULLE__NEVER_NS: whenever it is convenient. */
int64_t tulle__links_deadline(const struct tulle__links *links);
void tulle__links_fini(struct tulle__links *links);

#endif
