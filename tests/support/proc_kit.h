/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TESTS_PROC_KIT_H
#define TULLE_TESTS_PROC_KIT_H

/* Programs as children of a test: started, spoken to, read and killed, each wait
 * with a deadline. A child dies with the test (PDEATHSIG), and proc_end_all(), the
 * teardown of every test, kills what still runs. Failures fail the test at once;
 * what the children said is printed then.
 *
 * One thread only. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { PROC_ARGS_MAX = 64, PROC_WAIT_MS = 60000 };

struct proc;

enum proc_stream { PROC_OUT, PROC_ERR };

/* Start bin/<program> of the build (a name with a slash: that file) with the
 * arguments up to NULL. All three standard streams are pipes. Freed by proc_end_all(). */
struct proc *proc_start(const char *program, ...) __attribute__((sentinel));

/* Write all of text to its standard input while reading what it prints; the end
 * of input with proc_close_input(). */
void proc_write(struct proc *proc, const char *text, size_t len);
void proc_close_input(struct proc *proc);
/* Nobody reads its standard output any more. */
void proc_close_output(struct proc *proc);

pid_t proc_pid(const struct proc *proc);
/* Send it the signal; SIGINT, SIGTERM and SIGHUP once it has begun to take them. */
void proc_signal(struct proc *proc, int number);
/* The processes that it started and that have not ended, oldest first: how many, and up to
 * max of them in pids. */
size_t proc_children(const struct proc *proc, pid_t *pids, size_t max);
/* Kill with SIGKILL and wait for it. */
void proc_kill(struct proc *proc);
/* Wait until it has ended. Returns its exit status; 128 + n when signal n ended it. */
int proc_wait(struct proc *proc);
/* Has it ended? Reads what it printed by the way. */
bool proc_has_ended(struct proc *proc);

/* What it printed so far, NUL-terminated; valid until the next call. */
const char *proc_text(struct proc *proc, enum proc_stream stream);
size_t proc_count_lines(struct proc *proc, enum proc_stream stream);
/* Wait until what it printed holds the text. */
void proc_wait_text(struct proc *proc, enum proc_stream stream, const char *text);
void proc_wait_lines(struct proc *proc, enum proc_stream stream, size_t count);
/* The word that follows the text, once it was printed: "address=" gives an address. */
const char *proc_wait_word(struct proc *proc, enum proc_stream stream, const char *text);
/* Give it a moment, reading what all children print. */
void proc_pause(int ms);

/* A port that is free, and the next one too, outside the range that the system
 * hands out by itself; no two calls of a run give the same. */
int proc_free_port(void);
/* Wait until somebody listens at the port. */
void proc_wait_port(int port);
/* "tcp://127.0.0.1:PORT"; valid until the eighth call from here. */
const char *proc_address(int port);
/* A new directory under /tmp, removed with its files by proc_end_all(). */
const char *proc_directory(void);

/* Teardown, of cmocka's type. */
int proc_end_all(void **state);
/* For tests that share processes: how many were started, and end those started since then. */
size_t proc_started(void);
void proc_end_since(size_t started);

/* Fails, and shows both, when part is not in text. */
void proc_assert_has(const char *text, const char *part);

#endif
