/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_BASE_HEAP_H
#define TULLE_BASE_HEAP_H

/* What is smallest, among things that carry a node for it: a pairing heap. It
 * allocates nothing and so cannot fail. Inserting is constant, removing is log n on
 * average over many calls. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The thing of the given type whose member a node is. */
#define TULLE__HEAP_ITEM(node, type, member) \
    ((type *)(void *)((char *)(node)-offsetof(type, member)))

struct tulle__heap_node {
    uint64_t key;
    bool is_in;
    struct tulle__heap_node *child;
    struct tulle__heap_node *next;     /* sibling */
    struct tulle__heap_node *previous; /* sibling; the parent of a first child */
};

/* All zero is an empty heap, and a node that is in none. */
struct tulle__heap {
    struct tulle__heap_node *least; /* NULL: empty */
};

/* Put a node in that is in no heap. */
void tulle__heap_insert(struct tulle__heap *heap, struct tulle__heap_node *node, uint64_t key);
/* Take a node out, if it is in. */
void tulle__heap_remove(struct tulle__heap *heap, struct tulle__heap_node *node);

#endif
