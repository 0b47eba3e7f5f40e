/* SPDX-License-Identifier: MPL-2.0 */

/* Commands as event handlers. */

#include "handler.h"

#include "app/json.h"
#include "app/report.h"
#include "job.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum {
    RETRY_START_MS = 500,  /* after the system refused to start a command */
    RETRY_PUBLISH_MS = 20, /* after the outbox was full */
    LINES_PER_TURN = 256   /* of one command, so that the others get their turn */
};

#define SAY(handler, level, ...) tulle__report_say((handler)->common, (level), __VA_ARGS__)

void
tulle__handler_init(struct tulle__handler *handler,
                    const char *pattern,
                    const char *command,
                    const struct tulle__node_config *config,
                    struct tulle__common *common)
{
    *handler = (struct tulle__handler){
        .pattern = pattern, .command = command, .config = config, .common = common
    };
}

void
tulle__handler_fini(struct tulle__handler *handler)
{
    for (size_t i = 0; i < handler->job_count; i++)
        tulle__job_free(&handler->jobs[i]);
    handler->job_count = 0;
    tulle__job_free(&handler->next);
    tulle__text_free(&handler->line.payload);
    tulle__text_free(&handler->input);
}

bool
tulle__handler_is_free(const struct tulle__handler *handler)
{
    return handler->next == NULL && handler->job_count < handler->config->exec_jobs;
}

bool
tulle__handler_is_held(const struct tulle__handler *handler)
{
    return handler->next != NULL;
}

size_t
tulle__handler_busy(const struct tulle__handler *handler)
{
    return handler->job_count + (handler->next != NULL ? 1 : 0);
}

static void
start_next(struct tulle__handler *handler, int64_t now_ms)
{
    struct tulle__job *job = handler->next;
    if (!tulle__job_start(job, handler->command, now_ms + handler->config->exec_timeout_ms)) {
        SAY(handler, TULLE_LOG_WARN, "exec.refused", "command cannot be started: %s; pattern=%s",
            strerror(errno), handler->pattern);
        handler->retry_ms = now_ms + RETRY_START_MS;
        return;
    }
    handler->stats.started++;
    handler->jobs[handler->job_count++] = job;
    handler->next = NULL;
}

void
tulle__handler_on_event(struct tulle__handler *handler,
                        const tulle_message *message,
                        int64_t now_ms)
{
    tulle__text_clear(&handler->input);
    tulle__json_message(message, 0, &handler->input);
    tulle__text_char(&handler->input, '\n');
    if (!handler->input.has_failed)
        handler->next = tulle__job_new(&message->u.event, handler->input.bytes, handler->input.len);
    if (handler->next == NULL) {
        SAY(handler, TULLE_LOG_ERROR, "exec.memory", "event not handled: out of memory; topic=%s",
            message->u.event.topic);
        handler->stats.failed++;
        tulle__text_free(&handler->input);
        return;
    }
    start_next(handler, now_ms);
}

/* Publish one line. Returns false when it has to wait. */
static bool
publish_line(struct tulle__handler *handler, struct tulle__job *job, const char *line, size_t len)
{
    if (len == 0)
        return true;
    const char *problem = tulle__line_read(line, len, handler->config->publish_to, &handler->line);
    tulle_status status = TULLE_OK;
    if (problem == NULL) {
        tulle_publish_options options;
        tulle_publish_options_init(&options);
        options.timeout_ms = 0;
        options.causes = &job->cause;
        options.cause_count = 1;
        status = tulle_node_publish(handler->node, handler->line.topic, handler->line.payload.bytes,
                                    handler->line.payload.len, &options);
        if (status == TULLE_EAGAIN)
            return false;
        if (status != TULLE_OK)
            problem = tulle_strerror(status);
    }
    if (problem == NULL) {
        handler->stats.published++;
    } else {
        handler->stats.dropped++;
        SAY(handler, TULLE_LOG_WARN, "exec.line", "line not published: %s; line=%.*s%s", problem,
            (int)(len < 80 ? len : 80), line, len < 80 ? "" : "...");
    }
    return true;
}

static void
take_lines(struct tulle__handler *handler, struct tulle__job *job, int64_t now_ms)
{
    const char *line = NULL;
    size_t len = 0;
    if (now_ms < job->retry_ms)
        return;
    job->retry_ms = 0;
    for (int i = 0; i < LINES_PER_TURN && tulle__child_line(job->child, &line, &len); i++) {
        if (!publish_line(handler, job, line, len)) {
            job->retry_ms = now_ms + RETRY_PUBLISH_MS;
            return;
        }
        tulle__child_line_done(job->child);
    }
    if (tulle__child_line(job->child, &line, &len))
        job->retry_ms = now_ms; /* go on in the next turn */
    uint64_t dropped = tulle__child_dropped(job->child);
    if (dropped > job->dropped_told) {
        handler->stats.dropped += dropped - job->dropped_told;
        job->dropped_told = dropped;
        SAY(handler, TULLE_LOG_WARN, "exec.line", "line not published: longer than %d bytes",
            TULLE__LINE_BYTES_MAX);
    }
}

static void
tell_end(struct tulle__handler *handler,
         const struct tulle__job *job,
         enum tulle__child_end end,
         int code)
{
    const char *what = "ended with status";
    if (end == TULLE__CHILD_KILLED)
        what = "was killed by signal";
    if (end == TULLE__CHILD_EXITED && code == 0)
        return;
    handler->stats.failed++;
    if (end == TULLE__CHILD_TIMED_OUT) {
        SAY(handler, TULLE_LOG_WARN, "exec.timeout",
            "command took too long and was killed; pattern=%s event=%016" PRIx64 "/%s/%" PRIu64,
            handler->pattern, job->cause.node, job->cause.stream, job->cause.seq);
    } else {
        SAY(handler, TULLE_LOG_WARN, "exec.failed",
            "command %s %d; pattern=%s event=%016" PRIx64 "/%s/%" PRIu64, what, code,
            handler->pattern, job->cause.node, job->cause.stream, job->cause.seq);
    }
}

void
tulle__handler_run(struct tulle__handler *handler, int64_t now_ms)
{
    for (size_t i = 0; i < handler->job_count;) {
        struct tulle__job *job = handler->jobs[i];
        tulle__child_run(job->child, now_ms);
        take_lines(handler, job, now_ms);
        int code = 0;
        enum tulle__child_end end = tulle__child_ended(job->child, &code);
        if (end == TULLE__CHILD_RUNNING) {
            i++;
            continue;
        }
        tell_end(handler, job, end, code);
        handler->jobs[i] = handler->jobs[--handler->job_count];
        tulle__job_free(&job);
    }
    if (handler->next != NULL && now_ms >= handler->retry_ms)
        start_next(handler, now_ms);
}

size_t
tulle__handler_poll(struct tulle__handler *handler, struct pollfd *fds, int64_t *deadline_ms)
{
    size_t count = 0;
    if (handler->next != NULL && handler->retry_ms < *deadline_ms)
        *deadline_ms = handler->retry_ms;
    for (size_t i = 0; i < handler->job_count; i++) {
        const struct tulle__job *job = handler->jobs[i];
        count += tulle__child_poll(job->child, fds + count, deadline_ms);
        if (job->retry_ms > 0 && job->retry_ms < *deadline_ms)
            *deadline_ms = job->retry_ms;
    }
    return count;
}

void
tulle__handler_stop(struct tulle__handler *handler, int64_t now_ms)
{
    tulle__job_free(&handler->next);
    for (size_t i = 0; i < handler->job_count; i++)
        tulle__child_stop(handler->jobs[i]->child, now_ms);
}
