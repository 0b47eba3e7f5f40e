/* SPDX-License-Identifier: MPL-2.0 */
/* Shared bytes. The count goes up relaxed (whoever shares holds a reference) and
 * down with release and acquire, so that the last one sees all use before it. */

#include "base/buf.h"

#include "base/alloc.h"
#include "base/panic.h"

#include <string.h>

struct tulle__buf *
tulle__buf_new_in(struct tulle__pool *pool, size_t len, uint8_t **bytes)
{
    struct tulle__buf *buf = NULL;
    if (len <= SIZE_MAX - sizeof *buf)
        buf = pool != NULL ? tulle__pool_take(pool, sizeof *buf + len, NULL)
                           : tulle__realloc(NULL, sizeof *buf + len);
    if (buf == NULL)
        return NULL;
    *bytes = (uint8_t *)(buf + 1);
    *buf = (struct tulle__buf){ .data = *bytes, .len = len, .is_pooled = pool != NULL };
    atomic_init(&buf->refs, 1);
    return buf;
}

struct tulle__buf *
tulle__buf_new(size_t len, uint8_t **bytes)
{
    return tulle__buf_new_in(NULL, len, bytes);
}

struct tulle__buf *
tulle__buf_in_block(void *block, size_t at, size_t len)
{
    TULLE_ASSERT(at >= sizeof(struct tulle__buf));
    struct tulle__buf *buf = block;
    *buf = (struct tulle__buf){ .data = (uint8_t *)block + at, .len = len, .is_pooled = true };
    atomic_init(&buf->refs, 1);
    return buf;
}

struct tulle__buf *
tulle__buf_copy(const void *data, size_t len)
{
    uint8_t *bytes;
    struct tulle__buf *buf = tulle__buf_new(len, &bytes);
    if (buf != NULL && len > 0)
        memcpy(bytes, data, len);
    return buf;
}

struct tulle__buf *
tulle__buf_wrap(const void *data, size_t len, void (*release)(struct tulle__buf *buf), void *owner)
{
    struct tulle__buf *buf = tulle__realloc(NULL, sizeof *buf);
    if (buf == NULL)
        return NULL;
    *buf = (struct tulle__buf){ .data = data, .len = len, .release = release, .owner = owner };
    atomic_init(&buf->refs, 1);
    return buf;
}

struct tulle__buf *
tulle__buf_ref(struct tulle__buf *buf)
{
    unsigned before = atomic_fetch_add_explicit(&buf->refs, 1, memory_order_relaxed);
    TULLE_ASSERT(before > 0);
    return buf;
}

void
tulle__buf_unref(struct tulle__buf **pointer)
{
    struct tulle__buf *buf = *pointer;
    if (buf == NULL)
        return;
    *pointer = NULL;
    /* The only reference left is this one: nobody can take or drop another. */
    if (atomic_load_explicit(&buf->refs, memory_order_acquire) != 1) {
        unsigned before = atomic_fetch_sub_explicit(&buf->refs, 1, memory_order_acq_rel);
        TULLE_ASSERT(before > 0);
        if (before > 1)
            return;
    }
    if (buf->release != NULL)
        buf->release(buf);
    if (buf->is_pooled)
        tulle__pool_give(buf);
    else
        tulle__free(buf);
}
