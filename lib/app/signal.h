/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_APP_SIGNAL_H
#define TULLE_APP_SIGNAL_H

/* Signals as a readable descriptor: the only place of the programs that touches
 * them. SIGINT, SIGTERM and SIGHUP are blocked in the calling thread, hence in
 * all threads it starts later, and come out of signalfd(2). SIGPIPE is ignored,
 * so that writing to a closed pipe is an error that the caller sees.
 *
 * Call before any node is made. Children started later need
 * tulle__signal_reset_child() between fork and exec.
 */

#include <stdbool.h>

struct tulle__signals {
    int fd; /* readable while one waits; for poll(2) */
};

/* Returns false when the system refuses (errno is set). */
bool tulle__signals_open(struct tulle__signals *signals);
void tulle__signals_close(struct tulle__signals *signals);

/* For programs that have a terminal to themselves: SIGWINCH, SIGTSTP and SIGQUIT too. They are
 * blocked by the first, before any thread is started, and come out of the descriptor after the
 * second. Return false as above. */
bool tulle__signals_block_terminal(void);
bool tulle__signals_add_terminal(struct tulle__signals *signals);

/* Next signal that came (SIGINT, SIGTERM, SIGHUP, or those of the terminal), 0 when none waits.
 * Never blocks. */
int tulle__signals_next(struct tulle__signals *signals);

/* Wait for a signal or for fd (-1: none) to become readable.
 *
 * timeout_ms  -1: for ever
 * Returns  1 fd is readable (or at its end), 2 a signal waits (and perhaps fd too), 0 timed out */
int tulle__signals_wait(struct tulle__signals *signals, int fd, int timeout_ms);

/* In a child between fork and exec: default handling, nothing blocked. */
void tulle__signal_reset_child(void);

#endif
