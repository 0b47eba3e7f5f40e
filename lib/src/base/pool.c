/* SPDX-License-Identifier: MPL-2.0 */
/* Lists of unused blocks by size belong to the owner. Blocks that come back go on a
 * stack, which the owner takes whole when a list is empty: one compare and swap for
 * each, and as nobody takes a single block off, none can come back in between (ABA). */

#include "base/pool.h"

#include "base/alloc.h"
#include "base/panic.h"
#include "base/poison.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    UNIT = 16,
    SIZES = 160,   /* more than TULLE__POOL_LEN_MAX needs */
    NOT_SIZED = 0, /* too long to keep */
};

struct block {
    struct tulle__pool *pool;
    uint32_t size;      /* which */
    uint32_t len;       /* of what follows; 0: NOT_SIZED */
    struct block *next; /* while unused */
    void *alignment;    /* what follows is aligned for anything */
};

_Static_assert(sizeof(struct block) % UNIT == 0, "blocks are aligned");

struct tulle__pool {
    struct block *unused[SIZES]; /* owner only, as what follows up to returned */
    size_t unused_bytes;
    size_t unused_max;
    uint32_t victim; /* the size that makes room next */
    long out;        /* blocks taken and not seen again */
    _Atomic(struct block *) returned;
    atomic_long left; /* once closed: blocks that are out; who makes it 0 frees the pool */
};

/* On the stack of a closed pool: what no block is. */
static struct block *
closed_mark(struct tulle__pool *pool)
{
    return (struct block *)(void *)pool;
}

struct tulle__pool *
tulle__pool_open(size_t unused_max)
{
    struct tulle__pool *pool = tulle__alloc(sizeof *pool);
    if (pool != NULL)
        pool->unused_max = unused_max;
    return pool;
}

static void
free_block(struct block *block)
{
    tulle__unpoison(block + 1, block->len);
    tulle__free(block);
}

/* Which size holds len bytes, and how many it has. */
static uint32_t
size_of(size_t len, size_t *room)
{
    size_t units = (len + UNIT - 1) / UNIT;
    if (units == 0)
        units = 1;
    unsigned shift = 0;
    while (units > ((size_t)16 << shift))
        shift++;
    size_t steps = (units + ((size_t)1 << shift) - 1) >> shift; /* 9 .. 16; at first 1 .. 16 */
    *room = (steps << shift) * (size_t)UNIT;
    return (uint32_t)((size_t)8 * shift + steps);
}

/* What comes back now is what is asked for now: other sizes make room for it. */
static bool
make_room(struct tulle__pool *pool, const struct block *block)
{
    for (uint32_t i = 0; i < SIZES && pool->unused_bytes + block->len > pool->unused_max; i++) {
        if (pool->unused[pool->victim] == NULL || pool->victim == block->size) {
            pool->victim = (pool->victim + 1) % SIZES;
            continue;
        }
        struct block *victim = pool->unused[pool->victim];
        pool->unused[pool->victim] = victim->next;
        pool->unused_bytes -= victim->len;
        free_block(victim);
    }
    return pool->unused_bytes + block->len <= pool->unused_max;
}

static void
keep_or_free(struct tulle__pool *pool, struct block *block)
{
    pool->out--;
    if (block->size == NOT_SIZED || !make_room(pool, block)) {
        free_block(block);
        return;
    }
    block->next = pool->unused[block->size];
    pool->unused[block->size] = block;
    pool->unused_bytes += block->len;
    tulle__poison(block + 1, block->len);
}

static void
take_returned(struct tulle__pool *pool, struct block *mark)
{
    struct block *block = atomic_exchange_explicit(&pool->returned, mark, memory_order_acq_rel);
    while (block != NULL) {
        struct block *next = block->next;
        keep_or_free(pool, block);
        block = next;
    }
}

static void
free_unused(struct tulle__pool *pool)
{
    for (size_t i = 0; i < SIZES; i++) {
        while (pool->unused[i] != NULL) {
            struct block *block = pool->unused[i];
            pool->unused[i] = block->next;
            free_block(block);
        }
    }
}

void
tulle__pool_close(struct tulle__pool **pointer)
{
    struct tulle__pool *pool = *pointer;
    if (pool == NULL)
        return;
    *pointer = NULL;
    take_returned(pool, closed_mark(pool));
    free_unused(pool);
    long out = pool->out;
    if (atomic_fetch_add_explicit(&pool->left, out, memory_order_acq_rel) == -out)
        tulle__free(pool);
}

static struct block *
take_unused(struct tulle__pool *pool, uint32_t size)
{
    if (pool->unused[size] == NULL && atomic_load_explicit(&pool->returned, memory_order_relaxed))
        take_returned(pool, NULL);
    struct block *block = pool->unused[size];
    if (block == NULL)
        return NULL;
    pool->unused[size] = block->next;
    pool->unused_bytes -= block->len;
    tulle__unpoison(block + 1, block->len);
    return block;
}

void *
tulle__pool_take(struct tulle__pool *pool, size_t len, size_t *room)
{
    size_t has = len;
    uint32_t size = NOT_SIZED;
    if (pool != NULL && len <= TULLE__POOL_LEN_MAX)
        size = size_of(len, &has);
    TULLE_ASSERT(size < SIZES);
    struct block *block = size == NOT_SIZED ? NULL : take_unused(pool, size);
    if (block == NULL) {
        block = has > SIZE_MAX - sizeof *block ? NULL : tulle__realloc(NULL, sizeof *block + has);
        if (block == NULL)
            return NULL;
        *block = (struct block){ .pool = pool,
                                 .size = size,
                                 .len = size == NOT_SIZED ? 0 : (uint32_t)has };
    }
    if (pool != NULL)
        pool->out++;
    if (room != NULL)
        *room = has;
    return block + 1;
}

void
tulle__pool_give(void *given)
{
    if (given == NULL)
        return;
    struct block *block = (struct block *)given - 1;
    struct tulle__pool *pool = block->pool;
    if (pool == NULL) {
        free_block(block);
        return;
    }
    struct block *top = atomic_load_explicit(&pool->returned, memory_order_relaxed);
    while (top != closed_mark(pool)) {
        block->next = top;
        if (atomic_compare_exchange_weak_explicit(&pool->returned, &top, block,
                                                  memory_order_release, memory_order_relaxed))
            return;
    }
    free_block(block);
    if (atomic_fetch_sub_explicit(&pool->left, 1, memory_order_acq_rel) == 1)
        tulle__free(pool);
}

void
tulle__pool_give_own(void *given)
{
    if (given == NULL)
        return;
    struct block *block = (struct block *)given - 1;
    if (block->pool != NULL)
        keep_or_free(block->pool, block);
    else
        free_block(block);
}
