/* SPDX-License-Identifier: MPL-2.0 */
/* A pairing heap (Fredman, Sedgewick, Sleator, Tarjan, 1986), without recursion. */

#include "base/heap.h"

#include "base/panic.h"

#include <stddef.h>

/* The greater of two roots becomes the first child of the other. */
static struct tulle__heap_node *
meld(struct tulle__heap_node *a, struct tulle__heap_node *b)
{
    if (b->key < a->key) {
        struct tulle__heap_node *less = b;
        b = a;
        a = less;
    }
    b->next = a->child;
    if (a->child != NULL)
        a->child->previous = b;
    b->previous = a;
    a->child = b;
    a->next = NULL;
    a->previous = NULL;
    return a;
}

/* Make one root of siblings: two by two from the left, then all from the right. */
static struct tulle__heap_node *
combine(struct tulle__heap_node *first)
{
    struct tulle__heap_node *pairs = NULL; /* last made first */
    while (first != NULL) {
        struct tulle__heap_node *a = first;
        struct tulle__heap_node *b = a->next;
        first = b == NULL ? NULL : b->next;
        if (b != NULL)
            a = meld(a, b);
        a->next = pairs;
        pairs = a;
    }
    struct tulle__heap_node *root = pairs;
    while (root != NULL && root->next != NULL) {
        struct tulle__heap_node *rest = root->next->next;
        root = meld(root, root->next);
        root->next = rest;
    }
    if (root != NULL)
        root->previous = NULL;
    return root;
}

void
tulle__heap_insert(struct tulle__heap *heap, struct tulle__heap_node *node, uint64_t key)
{
    TULLE_ASSERT(!node->is_in);
    *node = (struct tulle__heap_node){ .key = key, .is_in = true };
    heap->least = heap->least == NULL ? node : meld(heap->least, node);
}

void
tulle__heap_remove(struct tulle__heap *heap, struct tulle__heap_node *node)
{
    if (!node->is_in)
        return;
    struct tulle__heap_node *below = combine(node->child);
    node->is_in = false;
    if (heap->least == node) {
        heap->least = below;
        return;
    }
    if (node->previous->child == node)
        node->previous->child = node->next;
    else
        node->previous->next = node->next;
    if (node->next != NULL)
        node->next->previous = node->previous;
    if (below != NULL)
        heap->least = meld(heap->least, below);
}
