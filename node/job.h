/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_PROGRAM_JOB_H
#define TULLE_NODE_PROGRAM_JOB_H

/* One event on its way through a command: what the command gets of it, and the
 * event's name for what comes out. */

#include "child.h"

#include <tulle/event.h>

#include <stddef.h>
#include <stdint.h>

enum { TULLE__JOB_VARIABLES = 5 };

struct tulle__job {
    struct tulle__child *child; /* NULL: not started yet */
    char *input;                /* the event as a line of JSON */
    size_t input_len;
    char *variables[TULLE__JOB_VARIABLES]; /* TULLE_...=VALUE */
    char *stream;                          /* cause.stream is this copy */
    tulle_event_ref cause;
    uint64_t dropped_told; /* of tulle__child_dropped() */
    int64_t retry_ms;      /* a line could not be published; when to try again; 0: none waits */
};

/* Copy what a job needs of an event. input is copied. NULL: out of memory. */
struct tulle__job *tulle__job_new(const tulle_event *event, const char *input, size_t input_len);

/* Kill its command if it runs, and free; *job becomes NULL. */
void tulle__job_free(struct tulle__job **job);

/* Start the command. On failure errno is set and the job can be started again. */
bool tulle__job_start(struct tulle__job *job, const char *command, int64_t deadline_ms);

#endif
