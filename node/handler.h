/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_PROGRAM_HANDLER_H
#define TULLE_NODE_PROGRAM_HANDLER_H

/* One --exec: events that match a pattern, a command run for each, and what it
 * prints published as events caused by that one.
 *
 * An event is taken only while fewer than exec_jobs commands run, so a slow
 * command fills the subscription's queue and nothing else. */

#include "app/common.h"
#include "child.h"
#include "lines.h"
#include "options.h"

#include <tulle/node.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TULLE__HANDLER_FDS_MAX = TULLE__JOBS_MAX * TULLE__CHILD_FDS };

struct tulle__job;

struct tulle__handler_stats {
    uint64_t started;   /* commands */
    uint64_t failed;    /* of them: ended with an error, killed, or late */
    uint64_t published; /* lines */
    uint64_t dropped;   /* lines that are no event */
};

struct tulle__handler {
    const char *pattern, *command;
    const struct tulle__node_config *config;
    struct tulle__common *common;
    tulle_node *node;
    struct tulle__job *jobs[TULLE__JOBS_MAX];
    size_t job_count;
    struct tulle__job *next;  /* could not be started yet */
    int64_t retry_ms;         /* when to try next again */
    struct tulle__line line;  /* being published */
    struct tulle__text input; /* of the job being made */
    struct tulle__handler_stats stats;
};

/* Everything is borrowed and outlives the handler. */
void tulle__handler_init(struct tulle__handler *handler,
                         const char *pattern,
                         const char *command,
                         const struct tulle__node_config *config,
                         struct tulle__common *common);

/* Kill what runs and free. */
void tulle__handler_fini(struct tulle__handler *handler);

/* Is there room for another event? */
bool tulle__handler_is_free(const struct tulle__handler *handler);

/* Does an event wait here because the system refused to start its command? */
bool tulle__handler_is_held(const struct tulle__handler *handler);

/* Take an event; only while it is free. */
void tulle__handler_on_event(struct tulle__handler *handler,
                             const tulle_message *message,
                             int64_t now_ms);

/* As tulle__child_poll() and tulle__child_run(), for all that it runs. */
size_t
tulle__handler_poll(struct tulle__handler *handler, struct pollfd *fds, int64_t *deadline_ms);
void tulle__handler_run(struct tulle__handler *handler, int64_t now_ms);

/* Commands that run, or wait to be started. */
size_t tulle__handler_busy(const struct tulle__handler *handler);

/* Ask all commands to end, and start none that waits. */
void tulle__handler_stop(struct tulle__handler *handler, int64_t now_ms);

#endif
