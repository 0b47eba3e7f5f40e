/* SPDX-License-Identifier: MPL-2.0 */

/* msgpack writing: msgpack-c's packer over a growing block. The only file that
 * sees msgpack-c. The first failure (no memory, or a length that msgpack cannot
 * say) sticks, so encoders check once, at the end. */

#include "codec/writer.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/pool.h"

#include <msgpack.h>
#include <string.h>

enum { FIRST_CAP = 256 };

void
tulle__writer_init(struct tulle__writer *w)
{
    *w = (struct tulle__writer){ .data = NULL };
}

void
tulle__writer_init_in(struct tulle__writer *w, struct tulle__pool *pool)
{
    *w = (struct tulle__writer){ .pool = pool };
}

void
tulle__writer_fini(struct tulle__writer *w)
{
    if (w->pool != NULL)
        tulle__pool_give(w->data);
    else
        tulle__free(w->data);
    *w = (struct tulle__writer){ .pool = w->pool };
}

void
tulle__writer_reset(struct tulle__writer *w)
{
    w->len = 0;
    w->failed = false;
}

/* A longer block with what was written. */
static uint8_t *
longer_block(struct tulle__writer *w, size_t *cap)
{
    if (w->pool == NULL)
        return tulle__realloc(w->data, *cap);
    uint8_t *data = tulle__pool_take(w->pool, *cap, cap);
    if (data != NULL && w->len > 0)
        memcpy(data, w->data, w->len);
    if (data != NULL)
        tulle__pool_give(w->data);
    return data;
}

static bool
make_room(struct tulle__writer *w, size_t len)
{
    if (len <= w->cap - w->len)
        return true;
    if (len > SIZE_MAX / 2 - w->len)
        return false;

    size_t cap = w->cap == 0 ? FIRST_CAP : w->cap;
    while (cap < w->len + len)
        cap *= 2;
    uint8_t *data = longer_block(w, &cap);
    if (data == NULL)
        return false;
    w->data = data;
    w->cap = cap;
    return true;
}

/* The packer's output function. */
static int
append(void *ctx, const char *data, size_t len)
{
    struct tulle__writer *w = ctx;

    if (w->failed || !make_room(w, len)) {
        w->failed = true;
        return -1;
    }
    if (len > 0) {
        memcpy(w->data + w->len, data, len);
        w->len += len;
    }
    return 0;
}

/* What nearly everything in a message has, without a packer: short forms, of one byte, and
 * numbers of eight bytes. False: it is none of those, or there may be no room. */
static inline bool
append_short(struct tulle__writer *w, uint64_t value, uint64_t limit, uint8_t form)
{
    if (value >= limit || w->len == w->cap || w->failed)
        return false;
    w->data[w->len++] = (uint8_t)(form | value);
    return true;
}

static inline bool
append_long(struct tulle__writer *w, uint64_t value)
{
    if (value <= UINT32_MAX || w->cap - w->len < 9 || w->failed)
        return false;
    uint8_t *at = w->data + w->len;
    at[0] = 0xcf; /* the rest is one store to any good compiler */
    at[1] = (uint8_t)(value >> 56);
    at[2] = (uint8_t)(value >> 48);
    at[3] = (uint8_t)(value >> 40);
    at[4] = (uint8_t)(value >> 32);
    at[5] = (uint8_t)(value >> 24);
    at[6] = (uint8_t)(value >> 16);
    at[7] = (uint8_t)(value >> 8);
    at[8] = (uint8_t)value;
    w->len += 9;
    return true;
}

/* The header of a bin of less than 256 bytes. */
static inline bool
append_bin8(struct tulle__writer *w, size_t len)
{
    if (len > UINT8_MAX || w->cap - w->len < 2 || w->failed)
        return false;
    w->data[w->len++] = 0xc4;
    w->data[w->len++] = (uint8_t)len;
    return true;
}

static msgpack_packer
packer_of(struct tulle__writer *w)
{
    msgpack_packer packer;
    msgpack_packer_init(&packer, w, append);
    return packer;
}

void
tulle__write_array(struct tulle__writer *w, uint32_t count)
{
    if (append_short(w, count, 16, 0x90))
        return;
    msgpack_packer packer = packer_of(w);
    (void)msgpack_pack_array(&packer, count); /* append() keeps the failure */
}

void
tulle__write_map(struct tulle__writer *w, uint32_t pairs)
{
    if (append_short(w, pairs, 16, 0x80))
        return;
    msgpack_packer packer = packer_of(w);
    (void)msgpack_pack_map(&packer, pairs);
}

void
tulle__write_uint(struct tulle__writer *w, uint64_t value)
{
    if (append_short(w, value, 128, 0x00) || append_long(w, value))
        return;
    msgpack_packer packer = packer_of(w);
    (void)msgpack_pack_uint64(&packer, value);
}

void
tulle__write_bool(struct tulle__writer *w, bool value)
{
    msgpack_packer packer = packer_of(w);
    (void)(value ? msgpack_pack_true(&packer) : msgpack_pack_false(&packer));
}

void
tulle__write_str(struct tulle__writer *w, const void *data, size_t len)
{
    if (len > UINT32_MAX) {
        w->failed = true;
        return;
    }
    if (!append_short(w, len, 32, 0xa0)) {
        msgpack_packer packer = packer_of(w);
        (void)msgpack_pack_str(&packer, len);
    }
    (void)append(w, data, len);
}

void
tulle__write_cstr(struct tulle__writer *w, const char *text)
{
    tulle__write_str(w, text, strlen(text));
}

void
tulle__write_bin(struct tulle__writer *w, const void *data, size_t len)
{
    if (len > UINT32_MAX) {
        w->failed = true;
        return;
    }
    if (!append_bin8(w, len)) {
        msgpack_packer packer = packer_of(w);
        (void)msgpack_pack_bin(&packer, len);
    }
    (void)append(w, data, len);
}

void
tulle__write_room(struct tulle__writer *w, size_t len)
{
    if (w->failed || !make_room(w, len))
        w->failed = true;
    else
        w->len += len;
}

void
tulle__write_raw(struct tulle__writer *w, const void *data, size_t len)
{
    (void)append(w, data, len);
}

struct tulle__buf *
tulle__writer_take(struct tulle__writer *w)
{
    struct tulle__buf *buf = w->failed ? NULL : tulle__buf_copy(w->data, w->len);
    tulle__writer_reset(w);
    return buf;
}
