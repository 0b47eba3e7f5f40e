/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_BASE_ID_SET_H
#define TULLE_BASE_ID_SET_H

/* A set of numbers other than 0 in one block, for questions that are asked very often: a
 * table of things that have the number costs several misses of the cache, this one. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero is an empty set. */
struct tulle__id_set {
    uint64_t *slots; /* 0: empty */
    size_t cap;      /* a power of two, at least twice count */
    size_t count;
};

void tulle__id_set_fini(struct tulle__id_set *set);
/* False: no memory; the number is not in then. */
bool tulle__id_set_add(struct tulle__id_set *set, uint64_t id);
/* Take it out, if it is in. Needs no memory. */
void tulle__id_set_remove(struct tulle__id_set *set, uint64_t id);

static inline size_t
tulle__id_set_slot(const struct tulle__id_set *set, uint64_t id)
{
    return (size_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (set->cap - 1);
}

static inline bool
tulle__id_set_has(const struct tulle__id_set *set, uint64_t id)
{
    if (set->cap == 0)
        return false;
    size_t at = tulle__id_set_slot(set, id);
    while (set->slots[at] != 0 && set->slots[at] != id)
        at = (at + 1) & (set->cap - 1);
    return set->slots[at] == id;
}

#endif
