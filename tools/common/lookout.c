/* SPDX-License-Identifier: MPL-2.0 */

/* When is a mesh seen? Who answers names others, and those are asked in turn: all are known when
 * nobody is left to be asked, and no more have turned up for as long as an answer takes. */

#include "tools/common/lookout.h"

#include "app/exit.h"
#include "tools/common/tools.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    TICK_MS = 50,      /* between two looks; more when looking takes long */
    TICK_SHARE = 10,   /* looking may take one part of so many of the time */
    SETTLE_US = 300000 /* nothing was added for so long */
};

bool
tulle__lookout_open(struct tulle__lookout *lookout,
                    const struct tulle__program *program,
                    struct tulle__common *common,
                    int *status)
{
    *lookout = (struct tulle__lookout){ .program = program, .signals = { .fd = -1 } };
    if (!tulle__signals_open(&lookout->signals)) {
        (void)fprintf(stderr, "%s: %s\n", program->name, strerror(errno));
        *status = TULLE__EXIT_FAILURE;
        return false;
    }
    common->node.observe = true;
    lookout->node = tulle__common_start(program, common, status);
    return lookout->node != NULL;
}

void
tulle__lookout_close(struct tulle__lookout *lookout)
{
    if (lookout->node != NULL)
        tulle_node_stop(lookout->node, 0);
    tulle_node_free(&lookout->node);
    if (lookout->signals.fd >= 0)
        tulle__signals_close(&lookout->signals);
    lookout->signals.fd = -1;
}

int
tulle__lookout_run(const struct tulle__program *program,
                   struct tulle__common *common,
                   int (*look)(void *ctx, struct tulle__lookout *lookout),
                   void *ctx)
{
    struct tulle__lookout lookout;
    int status = 0;
    if (tulle__lookout_open(&lookout, program, common, &status))
        status = look(ctx, &lookout);
    tulle__lookout_close(&lookout);
    return status;
}

const tulle_snapshot *
tulle__lookout_look(struct tulle__lookout *lookout)
{
    const tulle_snapshot *snapshot = NULL;
    tulle_status status = tulle_snapshot_new(lookout->node, &snapshot);
    if (status != TULLE_OK) {
        (void)fprintf(stderr, "%s: looking at the mesh: %s\n", lookout->program->name,
                      tulle_strerror(status));
    }
    return snapshot;
}

bool
tulle__lookout_pause(struct tulle__lookout *lookout, int64_t ms)
{
    if (tulle__signals_wait(&lookout->signals, -1, ms < INT32_MAX ? (int)ms : INT32_MAX) != 2)
        return true;
    (void)tulle__signals_next(&lookout->signals);
    return false;
}

static bool
has_same_size(const tulle_snapshot *a, const tulle_snapshot *b)
{
    return a->node_count == b->node_count && a->lane_count == b->lane_count &&
           a->segment_count == b->segment_count;
}

enum tulle__sight
tulle__lookout_wait(struct tulle__lookout *lookout, int64_t wait_ms, const tulle_snapshot **out)
{
    int64_t start_us = tulle__tool_mono_us();
    int64_t same_us = start_us;
    const tulle_snapshot *last = NULL;
    *out = NULL;
    for (;;) {
        int64_t before_us = tulle__tool_mono_us();
        const tulle_snapshot *now = tulle__lookout_look(lookout);
        int64_t now_us = tulle__tool_mono_us();
        if (now == NULL) {
            tulle_snapshot_free(&last);
            *out = NULL;
            return TULLE__SIGHT_FAILED;
        }
        bool is_settled = last != NULL && now->pending == 0 && has_same_size(last, now);
        same_us = is_settled ? same_us : now_us;
        tulle_snapshot_free(&last);
        *out = last = now;
        if (now->node_count > 1 && is_settled && now_us - same_us >= SETTLE_US)
            return TULLE__SIGHT_WHOLE;
        int64_t left_ms = wait_ms - (now_us - start_us) / 1000;
        if (left_ms <= 0)
            return now->node_count > 1 ? TULLE__SIGHT_PART : TULLE__SIGHT_NOBODY;
        int64_t tick_ms = (now_us - before_us) / 1000 * TICK_SHARE;
        tick_ms = tick_ms < TICK_MS ? TICK_MS : tick_ms;
        if (!tulle__lookout_pause(lookout, tick_ms < left_ms ? tick_ms : left_ms))
            return TULLE__SIGHT_SIGNAL;
    }
}

static void
tell_over(const struct tulle__lookout *lookout, uint64_t count, const char *what)
{
    if (count > 0) {
        (void)fprintf(stderr, "%s: incomplete: there was no room for %" PRIu64 " %s\n",
                      lookout->program->name, count, what);
    }
}

int
tulle__lookout_tell(const struct tulle__lookout *lookout,
                    enum tulle__sight sight,
                    const tulle_snapshot *snapshot)
{
    const char *name = lookout->program->name;
    if (snapshot == NULL)
        return TULLE__EXIT_FAILURE;
    tell_over(lookout, snapshot->lanes_over, "lanes");
    tell_over(lookout, snapshot->marks_over, "acknowledgements and holders");
    if (snapshot->node_count <= 1) {
        (void)fprintf(stderr, "%s: no other node is reached; check the address, or --wait longer\n",
                      name);
        return TULLE__EXIT_NETWORK;
    }
    if (snapshot->pending > 0) {
        (void)fprintf(stderr, "%s: incomplete: %zu of %zu nodes %s not answered\n", name,
                      snapshot->pending, snapshot->node_count - 1,
                      snapshot->pending == 1 ? "has" : "have");
    } else if (sight == TULLE__SIGHT_PART || sight == TULLE__SIGHT_SIGNAL) {
        (void)fprintf(stderr, "%s: perhaps incomplete: nodes and streams are still turning up\n",
                      name);
    }
    return sight == TULLE__SIGHT_WHOLE ? TULLE__EXIT_OK : TULLE__EXIT_TIMEOUT;
}
