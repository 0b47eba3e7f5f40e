/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_LOOKOUT_H
#define TULLE_TOOLS_LOOKOUT_H

/* Being in a mesh only to look at it, and waiting until it is seen. */

#include "app/common.h"
#include "app/signal.h"

#include <tulle/observe.h>

#include <stdbool.h>
#include <stdint.h>

struct tulle__lookout {
    const struct tulle__program *program;
    struct tulle__signals signals;
    tulle_node *node; /* observes, takes nothing */
};

enum tulle__sight {
    TULLE__SIGHT_WHOLE,  /* every node that is known has answered, and for a while none was added */
    TULLE__SIGHT_PART,   /* time is up, and some have not answered */
    TULLE__SIGHT_NOBODY, /* time is up, and no other node was reached */
    TULLE__SIGHT_SIGNAL, /* a signal came, and was taken */
    TULLE__SIGHT_FAILED  /* a message is on stderr */
};

/* After tulle__common_finish(): join as a node that observes. On failure a message is on stderr
 * and *status is set. tulle__lookout_close() in any case. */
bool tulle__lookout_open(struct tulle__lookout *lookout,
                         const struct tulle__program *program,
                         struct tulle__common *common,
                         int *status);
void tulle__lookout_close(struct tulle__lookout *lookout);

/* The three together, for a tool that looks once: open, look, close. Returns what look returned, or
 * the exit status of why there was nothing to look from. */
int tulle__lookout_run(const struct tulle__program *program,
                       struct tulle__common *common,
                       int (*look)(void *ctx, struct tulle__lookout *lookout),
                       void *ctx);

/* Wait until the mesh is seen, no longer than wait_ms.
 *
 * out  set to the last snapshot, to be freed with tulle_snapshot_free(); NULL when it failed */
enum tulle__sight
tulle__lookout_wait(struct tulle__lookout *lookout, int64_t wait_ms, const tulle_snapshot **out);

/* A snapshot; NULL after a message on stderr. */
const tulle_snapshot *tulle__lookout_look(struct tulle__lookout *lookout);

/* Wait so long; false when a signal came, which is taken. */
bool tulle__lookout_pause(struct tulle__lookout *lookout, int64_t ms);

/* Say on stderr what is missing, if anything is: nobody reached, nodes that have not answered,
 * lanes that there was no room for. Returns the exit status that stands for it: 0 when nothing. */
int tulle__lookout_tell(const struct tulle__lookout *lookout,
                        enum tulle__sight sight,
                        const tulle_snapshot *snapshot);

#endif
