/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_PROGRAM_CHILD_H
#define TULLE_NODE_PROGRAM_CHILD_H

/* One run of a shell command: input written, output read in lines, time
 * limited. Nothing here blocks; the owner polls and tells the time
 * (milliseconds of one monotonic clock).
 *
 * A command gets its own process group, so that a pipeline is killed as a
 * whole, and dies with the node. */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TULLE__CHILD_FDS = 2 };

struct tulle__child;

struct tulle__child_spec {
    const char *command; /* for /bin/sh -c */
    const char *input;   /* its standard input; copied */
    size_t input_len;
    char *const *environment; /* NAME=VALUE ..., NULL */
    int64_t deadline_ms;      /* when it is killed */
};

enum tulle__child_end {
    TULLE__CHILD_RUNNING = 0,
    TULLE__CHILD_EXITED,   /* by itself; code is its exit status */
    TULLE__CHILD_KILLED,   /* by a signal that was not ours; code is the signal */
    TULLE__CHILD_TIMED_OUT /* by us */
};

/* Block SIGCHLD and make a descriptor that is readable when a child may have
 * ended; call tulle__child_signals_clear() then, and tulle__child_run() of all.
 * Call before any thread starts. Returns -1 when the system refuses. */
int tulle__child_signals_open(void);
void tulle__child_signals_clear(int fd);

/* Start a command. Returns NULL, with errno set, when the system refuses. */
struct tulle__child *tulle__child_new(const struct tulle__child_spec *spec);

/* Kill it if it runs, wait for its end, and free; *child becomes NULL. */
void tulle__child_free(struct tulle__child **child);

/* What to poll for (room for TULLE__CHILD_FDS); lowers *deadline_ms if need be.
 * Output is not asked for while a line waits to be taken. Returns how many. */
size_t
tulle__child_poll(struct tulle__child *child, struct pollfd fds[static 2], int64_t *deadline_ms);

/* Write, read, look whether it ended, kill what is late. */
void tulle__child_run(struct tulle__child *child, int64_t now_ms);

/* The next whole line of output, without its newline; valid until
 * tulle__child_line_done(). A last line without newline counts. False: none now. */
bool tulle__child_line(struct tulle__child *child, const char **line, size_t *len);
void tulle__child_line_done(struct tulle__child *child);

/* Lines longer than TULLE__LINE_BYTES_MAX that were dropped. */
uint64_t tulle__child_dropped(const struct tulle__child *child);

/* Has it ended, with all output taken? */
enum tulle__child_end tulle__child_ended(struct tulle__child *child, int *code);

/* Ask it to end now (SIGTERM, soon SIGKILL). */
void tulle__child_stop(struct tulle__child *child, int64_t now_ms);

#endif
