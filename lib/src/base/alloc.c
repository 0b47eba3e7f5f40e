/* SPDX-License-Identifier: MPL-2.0 */
/* Memory of the library. The hook below is the library's only mutable global; tests
 * set it before they start anything. */

#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool (*may_allocate_hook)(void *ctx);
static void *may_allocate_ctx;

void
tulle__alloc_set_hook(bool (*may_allocate)(void *ctx), void *ctx)
{
    may_allocate_hook = may_allocate;
    may_allocate_ctx = ctx;
}

static bool
may_allocate(void)
{
    return may_allocate_hook == NULL || may_allocate_hook(may_allocate_ctx);
}

void *
tulle__alloc(size_t len)
{
    return may_allocate() ? calloc(1, len > 0 ? len : 1) : NULL;
}

void *
tulle__realloc(void *old, size_t len)
{
    return may_allocate() ? realloc(old, len > 0 ? len : 1) : NULL;
}

void
tulle__free(void *block)
{
    free(block);
}

char *
tulle__strndup(const char *text, size_t len)
{
    char *copy = tulle__alloc(len + 1);
    if (copy != NULL && len > 0)
        memcpy(copy, text, len);
    return copy;
}

bool
tulle__grow(void *array_pointer, size_t *cap, size_t len, size_t size)
{
    if (len < *cap)
        return true;
    size_t new_cap = *cap < 8 ? 8 : *cap * 2;
    if (new_cap < *cap || new_cap > SIZE_MAX / size)
        return false;
    void *array;
    memcpy(&array, array_pointer, sizeof array); /* whatever kind of pointer it is */
    array = tulle__realloc(array, new_cap * size);
    if (array == NULL)
        return false;
    memcpy(array_pointer, &array, sizeof array);
    *cap = new_cap;
    return true;
}
