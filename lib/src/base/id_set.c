/* SPDX-License-Identifier: MPL-2.0 */
/* Open addressing with linear probing; what is removed leaves no mark: those behind it
 * move up (Knuth, volume 3, 6.4, algorithm R). */

#include "base/id_set.h"

#include "base/alloc.h"
#include "base/panic.h"

enum { CAP_MIN = 16 };

void
tulle__id_set_fini(struct tulle__id_set *set)
{
    tulle__free(set->slots);
    *set = (struct tulle__id_set){ 0 };
}

/* There is a free slot. */
static void
insert(struct tulle__id_set *set, uint64_t id)
{
    size_t at = tulle__id_set_slot(set, id);
    while (set->slots[at] != 0)
        at = (at + 1) & (set->cap - 1);
    set->slots[at] = id;
    set->count++;
}

static bool
grow(struct tulle__id_set *set)
{
    struct tulle__id_set larger = { .cap = set->cap == 0 ? CAP_MIN : 2 * set->cap };
    larger.slots = tulle__alloc(larger.cap * sizeof *larger.slots);
    if (larger.slots == NULL)
        return false;
    for (size_t i = 0; i < set->cap; i++) {
        if (set->slots[i] != 0)
            insert(&larger, set->slots[i]);
    }
    tulle__free(set->slots);
    *set = larger;
    return true;
}

bool
tulle__id_set_add(struct tulle__id_set *set, uint64_t id)
{
    TULLE_ASSERT(id != 0);
    if (tulle__id_set_has(set, id))
        return true;
    if (2 * (set->count + 1) > set->cap && !grow(set))
        return false;
    insert(set, id);
    return true;
}

void
tulle__id_set_remove(struct tulle__id_set *set, uint64_t id)
{
    if (!tulle__id_set_has(set, id))
        return;
    size_t mask = set->cap - 1;
    size_t hole = tulle__id_set_slot(set, id);
    while (set->slots[hole] != id)
        hole = (hole + 1) & mask;
    set->count--;
    for (size_t at = (hole + 1) & mask; set->slots[at] != 0; at = (at + 1) & mask) {
        size_t home = tulle__id_set_slot(set, set->slots[at]);
        /* Is the hole on its way from home to where it is? */
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            set->slots[hole] = set->slots[at];
            hole = at;
        }
    }
    set->slots[hole] = 0;
}
