/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_BASE_BUF_H
#define TULLE_BASE_BUF_H

/* Immutable, reference counted bytes: a message as it is on the wire. Retention,
 * delivery and the sockets share one buffer; nobody copies. The count is atomic
 * because delivered messages are released on application threads. */

#include "base/pool.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tulle__buf {
    atomic_uint refs;
    const uint8_t *data;
    size_t len;
    /* What to do with the owner of the bytes when the last reference goes; NULL
     * when they are part of this block. */
    void (*release)(struct tulle__buf *buf);
    void *owner; /* for release */
    bool is_pooled;
    bool is_part; /* of much more memory, that is kept with it: who keeps it for long copies it */
};

/* Room for len bytes, written through the returned pointer before sharing:
 * *bytes points at them. NULL when there is no memory. One reference. */
struct tulle__buf *tulle__buf_new(size_t len, uint8_t **bytes);
/* The same from a pool; its owner's thread. */
struct tulle__buf *tulle__buf_new_in(struct tulle__pool *pool, size_t len, uint8_t **bytes);
/* A block from a pool becomes a buffer, of bytes in it behind room for the struct. */
struct tulle__buf *tulle__buf_in_block(void *block, size_t at, size_t len);
struct tulle__buf *tulle__buf_copy(const void *data, size_t len);
/* Bytes owned by somebody else; release is called once with the last unref. */
struct tulle__buf *
tulle__buf_wrap(const void *data, size_t len, void (*release)(struct tulle__buf *buf), void *owner);
struct tulle__buf *tulle__buf_ref(struct tulle__buf *buf);
/* Drop a reference; *pointer becomes NULL. It may be NULL before. */
void tulle__buf_unref(struct tulle__buf **pointer);

#endif
