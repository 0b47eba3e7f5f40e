/* SPDX-License-Identifier: MPL-2.0 */

/* Every length is compared against the bytes that are left before it is used. */

#include "app/msgpack_parts.h"

#include <string.h>

static bool
take_be(struct tulle__msgpack_cursor *cursor, size_t len, uint64_t *out)
{
    if (cursor->left < len)
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++)
        value = value << 8 | cursor->at[i];
    cursor->at += len;
    cursor->left -= len;
    *out = value;
    return true;
}

static bool
take_body(struct tulle__msgpack_cursor *cursor, struct tulle__msgpack_item *item, uint64_t len)
{
    if (cursor->left < len)
        return false;
    item->body = cursor->at;
    item->len = (size_t)len;
    cursor->at += item->len;
    cursor->left -= item->len;
    return true;
}

/* Body of a STR, BIN or EXT whose length is in the next len_len bytes. */
static bool
take_sized(struct tulle__msgpack_cursor *cursor,
           struct tulle__msgpack_item *item,
           enum tulle__msgpack_kind kind,
           size_t len_len)
{
    uint64_t len = 0;
    uint64_t type = 0;
    item->kind = kind;
    if (!take_be(cursor, len_len, &len))
        return false;
    if (kind == TULLE__MSGPACK_EXT) {
        if (!take_be(cursor, 1, &type))
            return false;
        item->ext_type = (int8_t)type;
    }
    return take_body(cursor, item, len);
}

static bool
take_counted(struct tulle__msgpack_cursor *cursor,
             struct tulle__msgpack_item *item,
             enum tulle__msgpack_kind kind,
             size_t count_len)
{
    uint64_t count = 0;
    item->kind = kind;
    if (!take_be(cursor, count_len, &count))
        return false;
    item->count = (uint32_t)count;
    return true;
}

static bool
take_number(struct tulle__msgpack_cursor *cursor,
            struct tulle__msgpack_item *item,
            enum tulle__msgpack_kind kind,
            size_t len)
{
    item->kind = kind;
    if (!take_be(cursor, len, &item->number))
        return false;
    if (kind == TULLE__MSGPACK_INT && len < 8) {
        unsigned shift = (unsigned)(64 - 8 * len);
        item->number = (uint64_t)((int64_t)(item->number << shift) >> shift);
    }
    return true;
}

static bool
take_fixext(struct tulle__msgpack_cursor *cursor, struct tulle__msgpack_item *item, uint64_t len)
{
    uint64_t type = 0;
    item->kind = TULLE__MSGPACK_EXT;
    if (!take_be(cursor, 1, &type))
        return false;
    item->ext_type = (int8_t)type;
    return take_body(cursor, item, len);
}

/* Types 0xc0 to 0xdf: length or kind in the byte itself. */
static bool
take_marked(struct tulle__msgpack_cursor *cursor, struct tulle__msgpack_item *item, uint8_t mark)
{
    size_t power = mark & 3u;
    switch (mark) {
    case 0xc0:
        item->kind = TULLE__MSGPACK_NIL;
        return true;
    case 0xc2:
    case 0xc3:
        item->kind = mark == 0xc2 ? TULLE__MSGPACK_FALSE : TULLE__MSGPACK_TRUE;
        return true;
    case 0xc4:
    case 0xc5:
    case 0xc6:
        return take_sized(cursor, item, TULLE__MSGPACK_BIN, (size_t)1 << power);
    case 0xc7:
    case 0xc8:
    case 0xc9:
        return take_sized(cursor, item, TULLE__MSGPACK_EXT, (size_t)1 << (mark - 0xc7));
    case 0xca:
        return take_number(cursor, item, TULLE__MSGPACK_FLOAT, 4);
    case 0xcb:
        return take_number(cursor, item, TULLE__MSGPACK_DOUBLE, 8);
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
        return take_number(cursor, item, TULLE__MSGPACK_UINT, (size_t)1 << power);
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
        return take_number(cursor, item, TULLE__MSGPACK_INT, (size_t)1 << power);
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
        return take_fixext(cursor, item, (uint64_t)1 << (mark - 0xd4));
    case 0xd9:
    case 0xda:
    case 0xdb:
        return take_sized(cursor, item, TULLE__MSGPACK_STR, (size_t)1 << (mark - 0xd9));
    case 0xdc:
    case 0xdd:
        return take_counted(cursor, item, TULLE__MSGPACK_ARRAY, mark == 0xdc ? 2 : 4);
    case 0xde:
    case 0xdf:
        return take_counted(cursor, item, TULLE__MSGPACK_MAP, mark == 0xde ? 2 : 4);
    default:
        return false; /* 0xc1 is never used */
    }
}

bool
tulle__msgpack_take(struct tulle__msgpack_cursor *cursor, struct tulle__msgpack_item *item)
{
    uint64_t mark = 0;
    *item = (struct tulle__msgpack_item){ 0 };
    if (!take_be(cursor, 1, &mark))
        return false;
    if (mark <= 0x7f) {
        item->kind = TULLE__MSGPACK_UINT;
        item->number = mark;
        return true;
    }
    if (mark >= 0xe0) {
        item->kind = TULLE__MSGPACK_INT;
        item->number = (uint64_t)((int64_t)mark - 256);
        return true;
    }
    if (mark <= 0x8f || (mark >= 0x90 && mark <= 0x9f)) {
        item->kind = mark <= 0x8f ? TULLE__MSGPACK_MAP : TULLE__MSGPACK_ARRAY;
        item->count = (uint32_t)(mark & 15);
        return true;
    }
    if (mark <= 0xbf) {
        item->kind = TULLE__MSGPACK_STR;
        return take_body(cursor, item, mark & 31);
    }
    return take_marked(cursor, item, (uint8_t)mark);
}

static void
put_be(struct tulle__text *out, uint64_t value, size_t len)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(value >> (8 * (len - 1 - i)) & 255);
    tulle__text_put(out, bytes, len);
}

static void
put_mark(struct tulle__text *out, unsigned mark, uint64_t value, size_t len)
{
    put_be(out, mark, 1);
    put_be(out, value, len);
}

/* A header whose size field is 1 (when mark8 is not 0), 2 or 4 bytes long. */
static void
put_size(struct tulle__text *out, unsigned mark8, unsigned mark16, uint64_t size)
{
    if (mark8 != 0 && size <= UINT8_MAX)
        put_mark(out, mark8, size, 1);
    else if (size <= UINT16_MAX)
        put_mark(out, mark16, size, 2);
    else
        put_mark(out, mark16 + 1, size, 4);
}

void
tulle__msgpack_put_str(struct tulle__text *out, const char *str, size_t len)
{
    if (len < 32)
        put_be(out, 0xa0 | len, 1);
    else
        put_size(out, 0xd9, 0xda, len);
    tulle__text_put(out, str, len);
}

void
tulle__msgpack_put_bin(struct tulle__text *out, const void *bytes, size_t len)
{
    put_size(out, 0xc4, 0xc5, len);
    tulle__text_put(out, bytes, len);
}

void
tulle__msgpack_put_uint(struct tulle__text *out, uint64_t value)
{
    if (value <= 0x7f)
        put_be(out, value, 1);
    else if (value <= UINT32_MAX)
        put_size(out, 0xcc, 0xcd, value);
    else
        put_mark(out, 0xcf, value, 8);
}

void
tulle__msgpack_put_int(struct tulle__text *out, int64_t value)
{
    uint64_t bits = (uint64_t)value;
    if (value >= 0)
        tulle__msgpack_put_uint(out, bits);
    else if (value >= -32)
        put_be(out, bits & 255, 1);
    else if (value >= INT8_MIN)
        put_mark(out, 0xd0, bits & 255, 1);
    else if (value >= INT16_MIN)
        put_mark(out, 0xd1, bits & UINT16_MAX, 2);
    else if (value >= INT32_MIN)
        put_mark(out, 0xd2, bits & UINT32_MAX, 4);
    else
        put_mark(out, 0xd3, bits, 8);
}

void
tulle__msgpack_put_double(struct tulle__text *out, double value)
{
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof bits);
    put_mark(out, 0xcb, bits, 8);
}

void
tulle__msgpack_put_bool(struct tulle__text *out, bool value)
{
    put_be(out, value ? 0xc3 : 0xc2, 1);
}

void
tulle__msgpack_put_nil(struct tulle__text *out)
{
    put_be(out, 0xc0, 1);
}

void
tulle__msgpack_put_array(struct tulle__text *out, size_t count)
{
    if (count < 16)
        put_be(out, 0x90 | count, 1);
    else
        put_size(out, 0, 0xdc, count);
}

void
tulle__msgpack_put_map(struct tulle__text *out, size_t count)
{
    if (count < 16)
        put_be(out, 0x80 | count, 1);
    else
        put_size(out, 0, 0xde, count);
}

void
tulle__msgpack_put_ext(struct tulle__text *out, int type, size_t len)
{
    put_size(out, 0xc7, 0xc8, len);
    put_be(out, (uint64_t)type & 255, 1);
}
