/* SPDX-License-Identifier: MPL-2.0 */

/* Running a shell command without blocking.
 *
 * Its end is what waitpid(2) says; output that it left in the pipe is taken
 * first. What it started in the background may hold the pipe open for longer:
 * that is not waited for. */

#include "child.h"

#include "app/signal.h"
#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    KILL_AFTER_MS = 1000, /* from SIGTERM to SIGKILL */
    READ_LEN = 64 * 1024
};

struct tulle__child {
    pid_t pid;
    int in, out; /* our ends; -1: closed */
    char *input;
    size_t input_len, input_done;
    char *buffer; /* output not taken yet: bytes start..len */
    size_t start, len, cap;
    size_t line_len; /* of the line handed out, with its newline if it has one */
    bool is_skipping;
    uint64_t dropped;
    int64_t deadline_ms;
    bool is_term_sent, is_late;
    bool has_exited;
    int wait_status;
};

int
tulle__child_signals_open(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return -1;
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

void
tulle__child_signals_clear(int fd)
{
    struct signalfd_siginfo info;
    /* Signals of one kind merge: one read is nearly always enough, the bound is for certainty. */
    for (int i = 0; i < 16 && read(fd, &info, sizeof info) > 0; i++) {
    }
}

/* Both ends above the standard descriptors, closed on exec. */
static bool
open_pipe(int ends[static 2])
{
    int raw[2];
    if (pipe(raw) != 0)
        return false;
    for (int i = 0; i < 2; i++)
        ends[i] = fcntl(raw[i], F_DUPFD_CLOEXEC, 3);
    int problem = errno;
    (void)close(raw[0]);
    (void)close(raw[1]);
    if (ends[0] >= 0 && ends[1] >= 0)
        return true;
    for (int i = 0; i < 2; i++) {
        if (ends[i] >= 0)
            (void)close(ends[i]);
    }
    errno = problem;
    return false;
}

static bool
set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

/* Between fork and exec in a program with threads: only what is async-signal-safe. */
__attribute__((noreturn)) static void
become(const struct tulle__child_spec *spec, char *const *arguments, int in, int out)
{
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    tulle__signal_reset_child();
    if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0)
        (void)execve("/bin/sh", arguments, spec->environment);
    _exit(127);
}

static bool
start(struct tulle__child *child, const struct tulle__child_spec *spec)
{
    int in[2];
    int out[2];
    if (!open_pipe(in))
        return false;
    if (!open_pipe(out)) {
        (void)close(in[0]);
        (void)close(in[1]);
        return false;
    }
    char shell[] = "sh";
    char flag[] = "-c";
    char *command = strdup(spec->command);
    char *arguments[] = { shell, flag, command, NULL };
    child->pid = -1;
    if (command != NULL && set_nonblocking(in[1]) && set_nonblocking(out[0]))
        child->pid = fork();
    if (child->pid == 0)
        become(spec, arguments, in[0], out[1]);
    int problem = errno;
    free(command);
    (void)close(in[0]);
    (void)close(out[1]);
    child->in = in[1];
    child->out = out[0];
    if (child->pid > 0)
        (void)setpgid(child->pid, child->pid); /* whoever comes first, both do it */
    errno = problem;
    return child->pid > 0;
}

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void
free_memory(struct tulle__child *child)
{
    close_fd(&child->in);
    close_fd(&child->out);
    free(child->input);
    free(child->buffer);
    free(child);
}

struct tulle__child *
tulle__child_new(const struct tulle__child_spec *spec)
{
    struct tulle__child *child = calloc(1, sizeof *child);
    if (child == NULL)
        return NULL;
    child->in = child->out = -1;
    child->deadline_ms = spec->deadline_ms;
    child->input_len = spec->input_len;
    child->input = malloc(spec->input_len + 1);
    if (child->input == NULL || !start(child, spec)) {
        int problem = errno;
        free_memory(child);
        errno = problem;
        return NULL;
    }
    if (spec->input_len > 0)
        memcpy(child->input, spec->input, spec->input_len);
    return child;
}

void
tulle__child_free(struct tulle__child **child)
{
    if (*child == NULL)
        return;
    if (!(*child)->has_exited) {
        (void)kill(-(*child)->pid, SIGKILL);
        while (waitpid((*child)->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    free_memory(*child);
    *child = NULL;
}

static void
feed(struct tulle__child *child)
{
    while (child->in >= 0 && child->input_done < child->input_len) {
        ssize_t put = write(child->in, child->input + child->input_done,
                            child->input_len - child->input_done);
        if (put < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (put < 0)
            break; /* it does not read its input, which is its right */
        child->input_done += (size_t)put;
    }
    close_fd(&child->in);
}

static const char *
find_newline(const struct tulle__child *child)
{
    if (child->len == child->start)
        return NULL;
    return memchr(child->buffer + child->start, '\n', child->len - child->start);
}

/* Room for more output; false when there is no memory. */
static bool
make_room(struct tulle__child *child)
{
    if (child->start > 0) {
        child->len -= child->start;
        memmove(child->buffer, child->buffer + child->start, child->len);
        child->start = 0;
    }
    if (child->cap - child->len >= READ_LEN)
        return true;
    size_t cap = child->cap == 0 ? (size_t)READ_LEN : child->cap * 2;
    char *buffer = realloc(child->buffer, cap);
    if (buffer == NULL)
        return false;
    child->buffer = buffer;
    child->cap = cap; /* twice of at least READ_LEN, and len was within the half */
    return true;
}

/* Forget a line that is too long, as far as it is here. */
static void
skip_long(struct tulle__child *child)
{
    const char *newline = find_newline(child);
    size_t end = newline != NULL ? (size_t)(newline - child->buffer) : child->len;
    if (end - child->start > TULLE__LINE_BYTES_MAX && !child->is_skipping) {
        child->is_skipping = true;
        child->dropped++;
    }
    if (!child->is_skipping)
        return;
    child->start = newline != NULL ? end + 1 : end;
    child->is_skipping = newline == NULL;
}

static void
read_output(struct tulle__child *child)
{
    for (int turn = 0; turn < 16 && child->out >= 0 && find_newline(child) == NULL; turn++) {
        if (!make_room(child))
            return;
        ssize_t got = read(child->out, child->buffer + child->len, READ_LEN);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            /* Only what it started in the background could still write. */
            if (child->has_exited)
                close_fd(&child->out);
            return;
        }
        if (got <= 0) {
            close_fd(&child->out);
            return;
        }
        child->len += (size_t)got;
        skip_long(child);
    }
}

static void
reap(struct tulle__child *child)
{
    if (!child->has_exited && waitpid(child->pid, &child->wait_status, WNOHANG) == child->pid)
        child->has_exited = true;
}

void
tulle__child_stop(struct tulle__child *child, int64_t now_ms)
{
    if (child->has_exited || child->is_term_sent)
        return;
    (void)kill(-child->pid, SIGTERM);
    child->is_term_sent = true;
    child->deadline_ms = now_ms + KILL_AFTER_MS;
}

void
tulle__child_run(struct tulle__child *child, int64_t now_ms)
{
    feed(child);
    reap(child); /* before reading: what it wrote before its end is in the pipe */
    read_output(child);
    if (child->has_exited || now_ms < child->deadline_ms)
        return;
    if (child->is_term_sent) {
        (void)kill(-child->pid, SIGKILL);
        child->deadline_ms = now_ms + KILL_AFTER_MS;
        return;
    }
    child->is_late = true;
    tulle__child_stop(child, now_ms);
}

size_t
tulle__child_poll(struct tulle__child *child, struct pollfd fds[static 2], int64_t *deadline_ms)
{
    size_t count = 0;
    if (child->in >= 0)
        fds[count++] = (struct pollfd){ .fd = child->in, .events = POLLOUT };
    if (child->out >= 0 && find_newline(child) == NULL)
        fds[count++] = (struct pollfd){ .fd = child->out, .events = POLLIN };
    if (!child->has_exited && child->deadline_ms < *deadline_ms)
        *deadline_ms = child->deadline_ms;
    if (child->has_exited && child->out >= 0 && find_newline(child) == NULL)
        *deadline_ms = 0; /* take what is left at once: nothing may ever come through this pipe */
    return count;
}

bool
tulle__child_line(struct tulle__child *child, const char **line, size_t *len)
{
    const char *newline = find_newline(child);
    bool is_last = newline == NULL && child->out < 0 && child->len > child->start;
    if (newline == NULL && !is_last)
        return false;
    const char *start = child->buffer + child->start;
    *line = start;
    *len = newline != NULL ? (size_t)(newline - start) : child->len - child->start;
    child->line_len = *len + (newline != NULL ? 1 : 0);
    return true;
}

void
tulle__child_line_done(struct tulle__child *child)
{
    child->start += child->line_len;
    child->line_len = 0;
}

uint64_t
tulle__child_dropped(const struct tulle__child *child)
{
    return child->dropped;
}

enum tulle__child_end
tulle__child_ended(struct tulle__child *child, int *code)
{
    *code = 0;
    if (!child->has_exited || child->out >= 0 || child->len > child->start)
        return TULLE__CHILD_RUNNING;
    if (child->is_late)
        return TULLE__CHILD_TIMED_OUT;
    if (WIFSIGNALED(child->wait_status)) {
        *code = WTERMSIG(child->wait_status);
        return TULLE__CHILD_KILLED;
    }
    *code = WEXITSTATUS(child->wait_status);
    return TULLE__CHILD_EXITED;
}
