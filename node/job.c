/* SPDX-License-Identifier: MPL-2.0 */

/* Events as jobs. */

#include "job.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ; /* POSIX asks programs to declare it themselves */

__attribute__((format(printf, 1, 2))) static char *
format_new(const char *format, ...)
{
    char text[1024]; /* names, topics and numbers are shorter */
    va_list list;
    va_start(list, format);
    (void)vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return strdup(text);
}

struct tulle__job *
tulle__job_new(const tulle_event *event, const char *input, size_t input_len)
{
    struct tulle__job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return NULL;
    job->input = malloc(input_len + 1);
    job->input_len = input_len;
    job->stream = strdup(event->stream);
    job->cause = (tulle_event_ref){ event->node, job->stream, event->seq };
    job->variables[0] = format_new("TULLE_TOPIC=%s", event->topic);
    job->variables[1] = format_new("TULLE_NODE=%s", event->node_name);
    job->variables[2] = format_new("TULLE_ID=%016" PRIx64, event->node);
    job->variables[3] = format_new("TULLE_STREAM=%s", event->stream);
    job->variables[4] = format_new("TULLE_SEQ=%" PRIu64, event->seq);
    bool is_complete = job->input != NULL && job->stream != NULL;
    for (size_t i = 0; i < TULLE__JOB_VARIABLES; i++)
        is_complete = is_complete && job->variables[i] != NULL;
    if (is_complete)
        memcpy(job->input, input, input_len);
    else
        tulle__job_free(&job);
    return job;
}

void
tulle__job_free(struct tulle__job **job)
{
    if (*job == NULL)
        return;
    tulle__child_free(&(*job)->child);
    for (size_t i = 0; i < TULLE__JOB_VARIABLES; i++)
        free((*job)->variables[i]);
    free((*job)->stream);
    free((*job)->input);
    free(*job);
    *job = NULL;
}

/* Variables of ours that were inherited from an outer command are left out. */
static char **
make_environment(struct tulle__job *job)
{
    size_t count = 0;
    while (environ != NULL && environ[count] != NULL)
        count++;
    char **all = calloc(count + TULLE__JOB_VARIABLES + 1, sizeof *all);
    if (all == NULL)
        return NULL;
    size_t used = 0;
    for (; used < TULLE__JOB_VARIABLES; used++)
        all[used] = job->variables[used];
    for (size_t i = 0; i < count; i++) {
        if (strncmp(environ[i], "TULLE_", 6) != 0)
            all[used++] = environ[i];
    }
    return all;
}

bool
tulle__job_start(struct tulle__job *job, const char *command, int64_t deadline_ms)
{
    char **environment = make_environment(job);
    if (environment == NULL)
        return false;
    struct tulle__child_spec spec = { .command = command,
                                      .input = job->input,
                                      .input_len = job->input_len,
                                      .environment = environment,
                                      .deadline_ms = deadline_ms };
    job->child = tulle__child_new(&spec);
    int problem = errno;
    free((void *)environment);
    errno = problem;
    return job->child != NULL;
}
