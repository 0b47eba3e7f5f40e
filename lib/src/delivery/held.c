/* SPDX-License-Identifier: MPL-2.0 */
/* Batches that a lane holds, ascending by where they begin: a skip list (Pugh, 1990), in
 * which one in eight is on the next level too. They come in any order, some at the end,
 * and leave at the front. How high one stands is drawn, so that nobody who chooses the
 * order of arrivals can make a search long. */

#include "base/pool.h"
#include "delivery/internal.h"

static uint32_t
draw_level_count(struct tulle__engine *e)
{
    uint32_t count = 1;
    uint64_t x = e->held_dice; /* xorshift (Marsaglia, 2003) */
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    e->held_dice = x;
    for (; count < TULLE__HELD_LEVELS && (x & 7) == 0; x >>= 3)
        count++;
    return count;
}

struct tulle__held *
tulle__held_copy(struct tulle__engine *e, const struct tulle__held *arrived)
{
    uint32_t level_count = draw_level_count(e);
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what is wanted */
    size_t next_len = level_count * sizeof(struct tulle__held *);
    struct tulle__held *held = tulle__pool_take(e->pool, sizeof *held + next_len, NULL);
    if (held == NULL)
        return NULL;
    *held = *arrived;
    held->level_count = level_count;
    tulle__buf_ref(held->buf);
    return held;
}

void
tulle__held_free(struct tulle__held **held)
{
    tulle__buf_unref(&(*held)->buf);
    tulle__pool_give_own(*held);
    *held = NULL;
}

/* On each level the last one that begins no later than first; NULL: none. */
static void
find_place(const struct tulle__held_list *list,
           uint64_t first,
           struct tulle__held *before[static TULLE__HELD_LEVELS])
{
    struct tulle__held *at = NULL;
    for (uint32_t level = TULLE__HELD_LEVELS; level-- > 0;) {
        if (list->last[level] != NULL && list->last[level]->first <= first)
            at = list->last[level];
        struct tulle__held *next = at != NULL ? at->next[level] : list->first[level];
        while (next != NULL && next->first <= first) {
            at = next;
            next = at->next[level];
        }
        before[level] = at;
    }
}

bool
tulle__held_link(struct tulle__engine *e, struct tulle__rx *rx, struct tulle__held *held)
{
    struct tulle__held_list *list = &rx->held;
    struct tulle__held *before[TULLE__HELD_LEVELS];
    find_place(list, held->first, before);
    if (before[0] != NULL && before[0]->last >= held->last)
        return false;
    for (uint32_t level = 0; level < held->level_count; level++) {
        struct tulle__held **link =
            before[level] != NULL ? &before[level]->next[level] : &list->first[level];
        held->next[level] = *link;
        *link = held;
        if (held->next[level] == NULL)
            list->last[level] = held;
    }
    e->held_bytes += held->buf->len;
    return true;
}

void
tulle__held_drop_first(struct tulle__engine *e, struct tulle__rx *rx)
{
    struct tulle__held_list *list = &rx->held;
    struct tulle__held *held = list->first[0];
    for (uint32_t level = 0; level < held->level_count; level++) {
        list->first[level] = held->next[level];
        if (held->next[level] == NULL)
            list->last[level] = NULL;
    }
    e->held_bytes -= held->buf->len;
    tulle__held_free(&held);
}
