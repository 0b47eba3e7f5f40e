/* SPDX-License-Identifier: MPL-2.0 */

/* Children of a test. Every wait is a poll over the output of all children that
 * run, so that none ever blocks on a pipe that nobody reads. */

#define _DEFAULT_SOURCE 1 /* mkdtemp() */

#include "testkit.h"

#include "proc_kit.h"

#include "launch.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    PROCS_MAX = 32,
    READ_LEN = 65536,
    SLICE_MS = 20,
    SHOWN_LEN = 4000,
    PORT_MIN = 20000, /* below what the system gives to those who do not ask */
    PORT_COUNT = 12000,
    ADDRESSES = 8,
    WORD_LEN = 256
};

struct output {
    int fd;
    char *text;
    size_t len;
    size_t cap;
};

struct proc {
    const char *program;
    pid_t pid;
    int input;
    struct output outputs[2];
    bool has_ended;
    int status;
    char word[WORD_LEN];
};

/* A test is one thread with one set of children. */
static struct proc *procs[PROCS_MAX];
static size_t proc_count;
static char directory[64];
static int next_port;

static long long
now_ms(void)
{
    struct timespec at = { 0 };
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (long long)at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

/* ---- failing ---- */

static void
show(const struct proc *proc)
{
    static const char *const names[] = { "stdout", "stderr" };
    for (int i = 0; i < 2; i++) {
        const struct output *o = &proc->outputs[i];
        size_t from = o->len > SHOWN_LEN ? o->len - SHOWN_LEN : 0;
        if (o->len > 0)
            print_error("--- %s %ld %s:\n%s\n", proc->program, (long)proc->pid, names[i],
                        o->text + from);
    }
}

static void
fail_all(const char *what, const char *more)
{
    for (size_t i = 0; i < proc_count; i++)
        show(procs[i]);
    print_error("%s%s\n", what, more);
    fail();
}

/* ---- starting ---- */

static bool
open_pipes(int fds[6])
{
    for (int i = 0; i < 6; i += 2) {
        if (pipe(&fds[i]) != 0)
            return false;
        (void)fcntl(fds[i], F_SETFD, FD_CLOEXEC);
        (void)fcntl(fds[i + 1], F_SETFD, FD_CLOEXEC);
    }
    return true;
}

/* The child's ends of the pipes as its standard streams. */
static pid_t
start_with(const char *program, char **argv, const int fds[3])
{
    posix_spawn_file_actions_t actions;
    pid_t pid = -1;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return -1;
    if (posix_spawn_file_actions_adddup2(&actions, fds[0], STDIN_FILENO) == 0 &&
        posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO) == 0 &&
        posix_spawn_file_actions_adddup2(&actions, fds[2], STDERR_FILENO) == 0)
        pid = launch(program, argv, &actions, 0);
    (void)posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static struct proc *
start(const char *program, char **argv)
{
    int fds[6];
    struct proc *proc = calloc(1, sizeof *proc);
    if (proc == NULL || proc_count == PROCS_MAX || !open_pipes(fds)) {
        free(proc);
        return NULL;
    }
    (void)signal(SIGPIPE, SIG_IGN); /* a child that has ended shows by its status */
    proc->program = program;
    proc->pid = start_with(program, argv, (const int[]){ fds[0], fds[3], fds[5] });
    (void)close(fds[0]);
    (void)close(fds[3]);
    (void)close(fds[5]);
    proc->input = fds[1];
    proc->outputs[PROC_OUT].fd = fds[2];
    proc->outputs[PROC_ERR].fd = fds[4];
    (void)fcntl(fds[1], F_SETFL, O_NONBLOCK);
    (void)fcntl(fds[2], F_SETFL, O_NONBLOCK);
    (void)fcntl(fds[4], F_SETFL, O_NONBLOCK);
    procs[proc_count++] = proc;
    return proc;
}

struct proc *
proc_start(const char *program, ...)
{
    union {
        const char *text;
        char *argument; /* execv() does not write to it */
    } argv[PROC_ARGS_MAX + 2] = { { program } };
    char *plain[PROC_ARGS_MAX + 2] = { NULL };
    va_list list;
    va_start(list, program);
    size_t count = 1;
    while (count <= PROC_ARGS_MAX && (argv[count].text = va_arg(list, const char *)) != NULL)
        count++;
    va_end(list);
    for (size_t i = 0; i < count; i++)
        plain[i] = argv[i].argument;
    struct proc *proc = start(program, plain);
    if (proc == NULL || proc->pid < 0)
        fail_all("cannot start ", program);
    return proc;
}

/* ---- reading ---- */

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void
read_output(struct output *o)
{
    while (o->fd >= 0) {
        if (o->cap - o->len < READ_LEN + 1) {
            size_t cap = o->cap * 2 + READ_LEN + 1;
            char *text = realloc(o->text, cap);
            if (text == NULL)
                abort();
            o->text = text;
            o->text[o->len] = '\0';
            o->cap = cap;
        }
        ssize_t got = read(o->fd, o->text + o->len, READ_LEN);
        if (got > 0) {
            o->len += (size_t)got;
            o->text[o->len] = '\0';
        } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
            close_fd(&o->fd);
        } else {
            return;
        }
    }
}

/* Read what all children have to say, waiting for the first of it up to ms. */
static void
read_all(int ms, int writing)
{
    struct pollfd fds[2 * PROCS_MAX + 1];
    nfds_t count = 0;
    for (size_t i = 0; i < proc_count; i++) {
        for (int k = 0; k < 2; k++) {
            if (procs[i]->outputs[k].fd >= 0)
                fds[count++] = (struct pollfd){ .fd = procs[i]->outputs[k].fd, .events = POLLIN };
        }
    }
    if (writing >= 0)
        fds[count++] = (struct pollfd){ .fd = writing, .events = POLLOUT };
    (void)poll(fds, count, ms);
    for (size_t i = 0; i < proc_count; i++) {
        read_output(&procs[i]->outputs[PROC_OUT]);
        read_output(&procs[i]->outputs[PROC_ERR]);
    }
}

void
proc_pause(int ms)
{
    long long end = now_ms() + ms;
    for (long long now = now_ms(); now < end; now = now_ms()) {
        long long left = end - now;
        read_all(left < SLICE_MS ? (int)left : SLICE_MS, -1);
        struct timespec moment = { 0, 1000000 };
        (void)nanosleep(&moment, NULL);
    }
}

const char *
proc_text(struct proc *proc, enum proc_stream stream)
{
    read_output(&proc->outputs[stream]);
    return proc->outputs[stream].text == NULL ? "" : proc->outputs[stream].text;
}

size_t
proc_count_lines(struct proc *proc, enum proc_stream stream)
{
    size_t count = 0;
    for (const char *c = proc_text(proc, stream); *c != '\0'; c++)
        count += *c == '\n' ? 1 : 0;
    return count;
}

void
proc_wait_text(struct proc *proc, enum proc_stream stream, const char *text)
{
    long long end = now_ms() + PROC_WAIT_MS;
    while (strstr(proc_text(proc, stream), text) == NULL) {
        if (now_ms() > end || (proc_has_ended(proc) && proc->outputs[stream].fd < 0 &&
                               strstr(proc_text(proc, stream), text) == NULL))
            fail_all("never printed: ", text);
        read_all(SLICE_MS, -1);
    }
}

void
proc_wait_lines(struct proc *proc, enum proc_stream stream, size_t count)
{
    long long end = now_ms() + PROC_WAIT_MS;
    while (proc_count_lines(proc, stream) < count) {
        if (now_ms() > end)
            fail_all("too few lines: ", proc->program);
        read_all(SLICE_MS, -1);
    }
}

const char *
proc_wait_word(struct proc *proc, enum proc_stream stream, const char *text)
{
    long long end = now_ms() + PROC_WAIT_MS;
    for (;;) {
        const char *at = strstr(proc_text(proc, stream), text);
        size_t len = at == NULL ? 0 : strcspn(at + strlen(text), " \n");
        if (at != NULL && at[strlen(text) + len] != '\0') {
            assert_true(len < WORD_LEN);
            memcpy(proc->word, at + strlen(text), len);
            proc->word[len] = '\0';
            return proc->word;
        }
        if (now_ms() > end || proc_has_ended(proc))
            fail_all("never printed: ", text);
        read_all(SLICE_MS, -1);
    }
}

/* ---- writing and ending ---- */

void
proc_write(struct proc *proc, const char *text, size_t len)
{
    long long end = now_ms() + PROC_WAIT_MS;
    while (len > 0) {
        ssize_t written = write(proc->input, text, len);
        if (written > 0) {
            text += written;
            len -= (size_t)written;
        } else if (errno != EAGAIN && errno != EINTR) {
            return; /* it does not want more; its status tells why */
        } else if (now_ms() > end) {
            fail_all("does not read its input: ", proc->program);
        }
        read_all(len > 0 ? SLICE_MS : 0, len > 0 ? proc->input : -1);
    }
}

void
proc_close_input(struct proc *proc)
{
    close_fd(&proc->input);
}

void
proc_close_output(struct proc *proc)
{
    close_fd(&proc->outputs[PROC_OUT].fd);
}

bool
proc_has_ended(struct proc *proc)
{
    if (proc->has_ended)
        return true;
    int status = 0;
    if (waitpid(proc->pid, &status, WNOHANG) != proc->pid)
        return false;
    proc->has_ended = true;
    proc->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    read_all(0, -1);
    return true;
}

int
proc_wait(struct proc *proc)
{
    long long end = now_ms() + PROC_WAIT_MS;
    while (!proc_has_ended(proc)) {
        if (now_ms() > end)
            fail_all("does not end: ", proc->program);
        read_all(SLICE_MS, -1);
    }
    return proc->status;
}

pid_t
proc_pid(const struct proc *proc)
{
    return proc->pid;
}

/* Whether it takes the signal, or ignores it: a program that is still starting would be ended. */
static bool
is_ready_for(const struct proc *proc, int number)
{
    char path[64];
    char line[128];
    unsigned long long taken = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/status", (long)proc->pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "SigBlk:", 7) == 0 || strncmp(line, "SigIgn:", 7) == 0 ||
            strncmp(line, "SigCgt:", 7) == 0)
            taken |= strtoull(line + 7, NULL, 16);
    }
    if (file != NULL)
        (void)fclose(file);
    return (taken >> (number - 1) & 1) != 0;
}

void
proc_signal(struct proc *proc, int number)
{
    bool can_be_taken = number == SIGINT || number == SIGTERM || number == SIGHUP;
    long long end = now_ms() + PROC_WAIT_MS;
    while (can_be_taken && !proc_has_ended(proc) && !is_ready_for(proc, number)) {
        if (now_ms() > end)
            fail_all("takes no such signal: ", proc->program);
        read_all(SLICE_MS, -1);
    }
    if (!proc_has_ended(proc))
        (void)kill(proc->pid, number);
}

size_t
proc_children(const struct proc *proc, pid_t *pids, size_t max)
{
    char path[64];
    char pid[16];
    size_t count = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)proc->pid,
                   (long)proc->pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && count < max && fscanf(file, "%15s", pid) == 1)
        pids[count++] = (pid_t)strtol(pid, NULL, 10);
    if (file != NULL)
        (void)fclose(file);
    return count;
}

void
proc_kill(struct proc *proc)
{
    proc_signal(proc, SIGKILL);
    (void)proc_wait(proc);
}

static void
remove_directory(void)
{
    DIR *folder = directory[0] == '\0' ? NULL : opendir(directory);
    for (struct dirent *entry = NULL; folder != NULL && (entry = readdir(folder)) != NULL;) {
        char path[400];
        (void)snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            (void)unlink(path);
    }
    if (folder != NULL) {
        (void)closedir(folder);
        (void)rmdir(directory);
    }
    directory[0] = '\0';
}

size_t
proc_started(void)
{
    return proc_count;
}

void
proc_end_since(size_t started)
{
    for (size_t i = started; i < proc_count; i++) {
        struct proc *proc = procs[i];
        if (!proc_has_ended(proc)) {
            (void)kill(proc->pid, SIGKILL);
            (void)waitpid(proc->pid, NULL, 0);
        }
        close_fd(&proc->input);
        for (int k = 0; k < 2; k++) {
            close_fd(&proc->outputs[k].fd);
            free(proc->outputs[k].text);
            proc->outputs[k] = (struct output){ .fd = -1 };
        }
    }
    /* Looking whether one has ended reads what all of them print: only now are they free. */
    for (size_t i = started; i < proc_count; i++)
        free(procs[i]);
    proc_count = started < proc_count ? started : proc_count;
}

int
proc_end_all(void **state)
{
    (void)state;
    proc_end_since(0);
    remove_directory();
    return 0;
}

/* ---- places ---- */

static bool
is_port_free(int port)
{
    bool is_free = false;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    at.sin_addr.s_addr = htonl(INADDR_ANY);
    int one = 1;
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0)
        is_free = bind(fd, (const struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 1) == 0;
    close_fd(&fd);
    return is_free;
}

int
proc_free_port(void)
{
    /* Tests that run at the same time begin at different places. */
    if (next_port == 0)
        next_port = PORT_MIN + (int)(((long)getpid() * 48) % PORT_COUNT);
    for (int i = 0; i < PORT_COUNT; i += 2) {
        int port = next_port;
        next_port = next_port + 2 < PORT_MIN + PORT_COUNT ? next_port + 2 : PORT_MIN;
        if (is_port_free(port) && is_port_free(port + 1))
            return port;
    }
    fail_all("no port is free", "");
    return 0;
}

/* By the table of the system, not by connecting: that would be a peer to whoever listens. */
static bool
is_listening(int port)
{
    char wanted[8];
    char line[256];
    bool is_found = false;
    FILE *table = fopen("/proc/net/tcp", "r");
    assert_non_null(table);
    (void)snprintf(wanted, sizeof wanted, ":%04X", (unsigned)port);
    while (!is_found && fgets(line, sizeof line, table) != NULL) {
        char local[64];
        char remote[64];
        char state[8];
        is_found = sscanf(line, "%*s %63s %63s %7s", local, remote, state) == 3 &&
                   strcmp(state, "0A") == 0 && strlen(local) > 5 &&
                   strcmp(local + strlen(local) - 5, wanted) == 0;
    }
    (void)fclose(table);
    return is_found;
}

void
proc_wait_port(int port)
{
    long long end = now_ms() + PROC_WAIT_MS;
    while (!is_listening(port) || !is_listening(port + 1)) {
        if (now_ms() > end)
            fail_all("nobody listens", "");
        read_all(SLICE_MS, -1);
    }
}

const char *
proc_address(int port)
{
    static char texts[ADDRESSES][40];
    static unsigned next;
    char *text = texts[next++ % ADDRESSES];
    (void)snprintf(text, sizeof texts[0], "tcp://127.0.0.1:%d", port);
    return text;
}

const char *
proc_directory(void)
{
    if (directory[0] == '\0') {
        (void)snprintf(directory, sizeof directory, "/tmp/tulle-test-XXXXXX");
        if (mkdtemp(directory) == NULL)
            fail_all("cannot make ", directory);
    }
    return directory;
}

void
proc_assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        print_error("not there: %s\nin: %s\n", part, text);
    assert_non_null(strstr(text, part));
}
