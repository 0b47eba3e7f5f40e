/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_CODEC_READER_H
#define TULLE_CODEC_READER_H

/* Bounded msgpack reading: a cursor with a sticky failure flag. It never
 * allocates, never reads past the end, and refuses a count that cannot fit in
 * the bytes that are left, before anyone loops over it. After a failure nothing
 * is left and every read returns zero or empty.
 *
 * The short forms of msgpack (one byte of header) and numbers of eight bytes are read
 * inline, as nearly everything in a message has them; the rest is behind a call. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Borrowed bytes. */
struct tulle__view {
    const uint8_t *data;
    size_t len;
};

struct tulle__reader {
    const uint8_t *data;
    size_t left;
    bool failed;
};

void tulle__reader_init(struct tulle__reader *r, const void *data, size_t len);
/* Everything read and nothing failed? */
bool tulle__reader_is_done(const struct tulle__reader *r);
/* What was read means nonsense: let the rest fail too. */
void tulle__reader_fail(struct tulle__reader *r);

/* Any width and any signedness of msgpack's integers, as long as the value is not negative. */
uint32_t tulle__read_array_long(struct tulle__reader *r, uint32_t max);
uint64_t tulle__read_uint_long(struct tulle__reader *r);
struct tulle__view tulle__read_str_long(struct tulle__reader *r, size_t max_len);
struct tulle__view tulle__read_bin_long(struct tulle__reader *r, size_t max_len);

/* Element count of an array (pairs of a map); fails above max or above the bytes left. */
static inline uint32_t
tulle__read_array(struct tulle__reader *r, uint32_t max)
{
    if (r->left > 0 && (r->data[0] & 0xf0u) == 0x90u) {
        uint32_t count = r->data[0] & 0x0fu;
        if (count <= max && count < r->left) {
            r->data++;
            r->left--;
            return count;
        }
    }
    return tulle__read_array_long(r, max);
}

uint32_t tulle__read_map(struct tulle__reader *r, uint32_t max);

/* Eight bytes, the highest first; one instruction to any good compiler. */
static inline uint64_t
tulle__load_u64(const uint8_t *p)
{
    return (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 | (uint64_t)p[2] << 40 |
           (uint64_t)p[3] << 32 | (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 |
           (uint64_t)p[6] << 8 | (uint64_t)p[7];
}

static inline uint64_t
tulle__read_uint(struct tulle__reader *r)
{
    if (r->left > 0 && r->data[0] <= 0x7fu) {
        uint64_t value = r->data[0];
        r->data++;
        r->left--;
        return value;
    }
    if (r->left > 8 && r->data[0] == 0xcfu) {
        uint64_t value = tulle__load_u64(r->data + 1);
        r->data += 9;
        r->left -= 9;
        return value;
    }
    return tulle__read_uint_long(r);
}

bool tulle__read_bool(struct tulle__reader *r);

/* str only / bin only / either; fail above max_len bytes. */
static inline struct tulle__view
tulle__read_str(struct tulle__reader *r, size_t max_len)
{
    if (r->left > 0 && (r->data[0] & 0xe0u) == 0xa0u) {
        size_t len = r->data[0] & 0x1fu;
        if (len <= max_len && len < r->left) {
            struct tulle__view view = { .data = r->data + 1, .len = len };
            r->data += len + 1;
            r->left -= len + 1;
            return view;
        }
    }
    return tulle__read_str_long(r, max_len);
}

static inline struct tulle__view
tulle__read_bin(struct tulle__reader *r, size_t max_len)
{
    if (r->left > 1 && r->data[0] == 0xc4u) {
        size_t len = r->data[1];
        if (len <= max_len && len <= r->left - 2) {
            struct tulle__view view = { .data = r->data + 2, .len = len };
            r->data += len + 2;
            r->left -= len + 2;
            return view;
        }
    }
    return tulle__read_bin_long(r, max_len);
}

struct tulle__view tulle__read_text(struct tulle__reader *r, size_t max_len);
/* Step over one value of any kind, nested at most TULLE__DEPTH_MAX deep; the
 * bytes of it. Time is linear in its length. */
struct tulle__view tulle__read_any(struct tulle__reader *r);

/* Text up to its NUL. */
struct tulle__view tulle__view_of(const char *text);
/* Does the view hold exactly this text? */
bool tulle__view_is(struct tulle__view view, const char *text);
bool tulle__view_equal(struct tulle__view a, struct tulle__view b);
/* The same, inline, for what is mostly equal. */
static inline bool
tulle__view_is_same(struct tulle__view a, struct tulle__view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}
/* Is it UTF-8 (no overlong forms, no surrogates) without a zero byte? */
bool tulle__view_is_text(struct tulle__view view);
/* Is it such text without control characters (below 20, and 7f)? */
bool tulle__view_is_printable(struct tulle__view view);

#endif
