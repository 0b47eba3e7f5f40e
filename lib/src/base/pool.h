/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_BASE_POOL_H
#define TULLE_BASE_POOL_H

/* Blocks of memory that come back: what a message needs on its way is what the one
 * before it gave back, so in a steady state nothing is asked of the system.
 *
 * One thread at a time takes blocks, the pool's owner; any thread gives them back, also
 * after the owner has closed the pool. Blocks are sorted by size, eight sizes to each
 * doubling. What is kept unused is bounded; past that, and above
 * TULLE__POOL_LEN_MAX, blocks go to the system and come from it. */

#include <stddef.h>

enum { TULLE__POOL_LEN_MAX = 4 * 1024 * 1024 };

struct tulle__pool;

/* NULL without memory. unused_max: bytes kept for later. */
struct tulle__pool *tulle__pool_open(size_t unused_max);
/* The owner needs it no more; blocks that are out stay good. *pointer becomes NULL. */
void tulle__pool_close(struct tulle__pool **pointer);

/* Owner: a block of at least len bytes, not zeroed; *room (may be NULL) is how many.
 * Without a pool (NULL) it comes from the system. NULL without memory. */
void *tulle__pool_take(struct tulle__pool *pool, size_t len, size_t *room);
/* Any thread: give a block back. NULL is nothing. */
void tulle__pool_give(void *given);
/* Owner: the same, cheaper. */
void tulle__pool_give_own(void *given);

#endif
