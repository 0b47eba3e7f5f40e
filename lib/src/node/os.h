/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_OS_H
#define TULLE_NODE_OS_H

/* What is asked of the operating system besides sockets: time, chance, waking. */

#include "base/time.h"

#include <signal.h>
#include <stdint.h>

struct tulle__now tulle__os_now(void);

void tulle__os_pause_us(long us); /* below a second */

/* A new node id, never below TULLE__NODE_ID_MIN; 0 when there is no randomness. */
uint64_t tulle__os_new_id(void);

/* Threads inherit what is blocked where they are made: between these two none gets a
 * signal of the application's. Faults (SIGSEGV and the like) are not blocked. */
void tulle__os_block_signals(sigset_t *before);
void tulle__os_restore_signals(const sigset_t *before);

/* What the calling thread is called in lists of threads; up to 15 bytes. */
void tulle__os_name_thread(const char *name);

/* An eventfd, non-blocking; -1 when there is none to be had. */
int tulle__os_wake_open(void);
void tulle__os_wake_close(int *fd);
void tulle__os_wake_set(int fd);
void tulle__os_wake_clear(int fd);

#endif
