/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_BASE_ALLOC_H
#define TULLE_BASE_ALLOC_H

/* Memory of the library. One replaceable allocator, so that tests can make the
 * nth allocation fail (the only mutable global, see panic.h's neighbour alloc.c). */

#include <stdbool.h>
#include <stddef.h>

/* Zeroed memory; NULL when there is none. Freed with tulle__free(). */
void *tulle__alloc(size_t len);
/* Like realloc(); new bytes are not zeroed. On failure the old block stays. */
void *tulle__realloc(void *old, size_t len);
void tulle__free(void *block);
/* Copy of len bytes of text with a NUL behind them; NULL when there is no memory. */
char *tulle__strndup(const char *text, size_t len);

/* Make room for one more element in a growable array: *cap elements of size
 * bytes at *array, len in use. Doubles. Returns false when there is no memory. */
bool tulle__grow(void *array_pointer, size_t *cap, size_t len, size_t size);

/* Tests only: called before each allocation; false makes it fail. NULL: none. */
void tulle__alloc_set_hook(bool (*may_allocate)(void *ctx), void *ctx);

#endif
