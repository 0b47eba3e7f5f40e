/* SPDX-License-Identifier: MPL-2.0 */

/* Bounded msgpack reading. Everything a peer sends goes through here, so each
 * length is compared with what is left before it is used, and no number that a
 * peer chose is ever added to a pointer unchecked. */

#include "codec/reader.h"

#include "codec/limits.h"

#include <string.h>

void
tulle__reader_init(struct tulle__reader *r, const void *data, size_t len)
{
    *r = (struct tulle__reader){ .data = data, .left = len, .failed = false };
}

bool
tulle__reader_is_done(const struct tulle__reader *r)
{
    return !r->failed && r->left == 0;
}

void
tulle__reader_fail(struct tulle__reader *r)
{
    /* With nothing left, the inline readers need not look at the flag. */
    r->failed = true;
    r->left = 0;
}

static void
skip(struct tulle__reader *r, size_t len)
{
    r->data += len;
    r->left -= len;
}

/* A big-endian number of width bytes behind the first byte; fails when it is not all there. */
static uint64_t
read_number(struct tulle__reader *r, size_t width)
{
    if (r->left <= width) {
        tulle__reader_fail(r);
        return 0;
    }

    uint64_t value = 0;
    for (size_t i = 1; i <= width; i++)
        value = value << 8 | r->data[i];
    skip(r, width + 1);
    return value;
}

static uint64_t
read_signed(struct tulle__reader *r, size_t width)
{
    uint64_t value = read_number(r, width);
    if (value >> (8 * width - 1) != 0) {
        tulle__reader_fail(r);
        return 0;
    }
    return value;
}

uint64_t
tulle__read_uint_long(struct tulle__reader *r)
{
    if (r->left == 0) {
        tulle__reader_fail(r);
        return 0;
    }

    switch (r->data[0]) {
    case 0xcc:
        return read_number(r, 1);
    case 0xcd:
        return read_number(r, 2);
    case 0xce:
        return read_number(r, 4);
    case 0xcf:
        return read_number(r, 8);
    case 0xd0:
        return read_signed(r, 1);
    case 0xd1:
        return read_signed(r, 2);
    case 0xd2:
        return read_signed(r, 4);
    case 0xd3:
        return read_signed(r, 8);
    default:
        if (r->data[0] <= 0x7f) {
            uint64_t value = r->data[0];
            skip(r, 1);
            return value;
        }
        tulle__reader_fail(r);
        return 0;
    }
}

bool
tulle__read_bool(struct tulle__reader *r)
{
    if (r->left == 0 || (r->data[0] != 0xc2 && r->data[0] != 0xc3)) {
        tulle__reader_fail(r);
        return false;
    }

    bool value = r->data[0] == 0xc3;
    skip(r, 1);
    return value;
}

uint32_t
tulle__read_array_long(struct tulle__reader *r, uint32_t max)
{
    uint64_t count = 0;

    if (r->left == 0) {
        tulle__reader_fail(r);
        return 0;
    }
    if ((r->data[0] & 0xf0) == 0x90) {
        count = r->data[0] & 0x0f;
        skip(r, 1);
    } else if (r->data[0] == 0xdc) {
        count = read_number(r, 2);
    } else if (r->data[0] == 0xdd) {
        count = read_number(r, 4);
    } else {
        tulle__reader_fail(r);
    }
    /* Each element takes at least one byte. */
    if (count > max || count > r->left) {
        tulle__reader_fail(r);
        return 0;
    }
    return (uint32_t)count;
}

uint32_t
tulle__read_map(struct tulle__reader *r, uint32_t max)
{
    uint64_t pairs = 0;

    if (r->left == 0) {
        tulle__reader_fail(r);
        return 0;
    }
    if ((r->data[0] & 0xf0) == 0x80) {
        pairs = r->data[0] & 0x0f;
        skip(r, 1);
    } else if (r->data[0] == 0xde) {
        pairs = read_number(r, 2);
    } else if (r->data[0] == 0xdf) {
        pairs = read_number(r, 4);
    } else {
        tulle__reader_fail(r);
    }
    if (pairs > max || pairs > r->left / 2) {
        tulle__reader_fail(r);
        return 0;
    }
    return (uint32_t)pairs;
}

/* The bytes behind a length that has been read. */
static struct tulle__view
read_bytes(struct tulle__reader *r, uint64_t len, size_t max_len)
{
    struct tulle__view view = { .data = r->data, .len = 0 };

    if (len > max_len || len > r->left) {
        tulle__reader_fail(r);
        return view;
    }
    view.len = (size_t)len;
    skip(r, view.len);
    return view;
}

struct tulle__view
tulle__read_str_long(struct tulle__reader *r, size_t max_len)
{
    uint64_t len = 0;
    uint8_t first = r->left > 0 ? r->data[0] : 0;

    if ((first & 0xe0) == 0xa0) {
        len = first & 0x1f;
        skip(r, 1);
    } else if (first == 0xd9) {
        len = read_number(r, 1);
    } else if (first == 0xda) {
        len = read_number(r, 2);
    } else if (first == 0xdb) {
        len = read_number(r, 4);
    } else {
        tulle__reader_fail(r);
    }
    return read_bytes(r, len, max_len);
}

struct tulle__view
tulle__read_bin_long(struct tulle__reader *r, size_t max_len)
{
    uint64_t len = 0;
    uint8_t first = r->left > 0 ? r->data[0] : 0;

    if (first == 0xc4)
        len = read_number(r, 1);
    else if (first == 0xc5)
        len = read_number(r, 2);
    else if (first == 0xc6)
        len = read_number(r, 4);
    else
        tulle__reader_fail(r);
    return read_bytes(r, len, max_len);
}

struct tulle__view
tulle__read_text(struct tulle__reader *r, size_t max_len)
{
    if (r->left > 0 && r->data[0] >= 0xc4 && r->data[0] <= 0xc6)
        return tulle__read_bin(r, max_len);
    return tulle__read_str(r, max_len);
}

/* Bytes behind the first one and values inside, of a value that is not a
 * container with its count in the first byte. False: no such first byte. */
struct shape {
    uint8_t number_len; /* width of the number behind the first byte */
    enum { SHAPE_PLAIN, SHAPE_BYTES, SHAPE_ARRAY, SHAPE_MAP, SHAPE_BAD } kind;
    uint8_t extra; /* PLAIN: bytes behind the first; BYTES: bytes besides those counted */
};

/* First bytes c0 .. df of msgpack. */
static const struct shape shapes[32] = {
    { 0, SHAPE_PLAIN, 0 }, { 0, SHAPE_BAD, 0 },    { 0, SHAPE_PLAIN, 0 }, /* nil, (unused), false */
    { 0, SHAPE_PLAIN, 0 },                                                /* true */
    { 1, SHAPE_BYTES, 0 }, { 2, SHAPE_BYTES, 0 },  { 4, SHAPE_BYTES, 0 }, /* bin */
    { 1, SHAPE_BYTES, 1 }, { 2, SHAPE_BYTES, 1 },  { 4, SHAPE_BYTES, 1 }, /* ext */
    { 0, SHAPE_PLAIN, 4 }, { 0, SHAPE_PLAIN, 8 },                         /* float */
    { 0, SHAPE_PLAIN, 1 }, { 0, SHAPE_PLAIN, 2 },  { 0, SHAPE_PLAIN, 4 }, /* uint */
    { 0, SHAPE_PLAIN, 8 },                                                /* uint 64 */
    { 0, SHAPE_PLAIN, 1 }, { 0, SHAPE_PLAIN, 2 },  { 0, SHAPE_PLAIN, 4 }, /* int */
    { 0, SHAPE_PLAIN, 8 },                                                /* int 64 */
    { 0, SHAPE_PLAIN, 2 }, { 0, SHAPE_PLAIN, 3 },  { 0, SHAPE_PLAIN, 5 }, /* fixext 1, 2, 4 */
    { 0, SHAPE_PLAIN, 9 }, { 0, SHAPE_PLAIN, 17 },                        /* fixext 8, 16 */
    { 1, SHAPE_BYTES, 0 }, { 2, SHAPE_BYTES, 0 },  { 4, SHAPE_BYTES, 0 }, /* str */
    { 2, SHAPE_ARRAY, 0 }, { 4, SHAPE_ARRAY, 0 },                         /* array */
    { 2, SHAPE_MAP, 0 },   { 4, SHAPE_MAP, 0 },                           /* map */
};

/* Step over the first byte and what belongs to it; returns how many values are
 * inside. Fails the reader on what cannot be. */
static uint64_t
step(struct tulle__reader *r)
{
    uint8_t first = r->data[0];
    uint64_t inside = 0;
    uint64_t len = 0;

    if (first <= 0x7f || first >= 0xe0) {
        skip(r, 1);
    } else if (first <= 0x8f) {
        inside = UINT64_C(2) * (first & 0x0fu);
        skip(r, 1);
    } else if (first <= 0x9f) {
        inside = first & 0x0fu;
        skip(r, 1);
    } else if (first <= 0xbf) {
        len = first & 0x1fu;
        skip(r, 1);
    } else {
        const struct shape *shape = &shapes[first - 0xc0];
        if (shape->kind == SHAPE_BAD) {
            tulle__reader_fail(r);
            return 0;
        }
        uint64_t number = read_number(r, shape->number_len);
        if (shape->kind == SHAPE_ARRAY)
            inside = number;
        else if (shape->kind == SHAPE_MAP)
            inside = 2 * number;
        else
            len = number + shape->extra;
    }
    if (len > r->left || inside > r->left - len) {
        tulle__reader_fail(r);
        return 0;
    }
    skip(r, (size_t)len);
    return inside;
}

struct tulle__view
tulle__read_any(struct tulle__reader *r)
{
    struct tulle__view view = { .data = r->data, .len = 0 };
    uint64_t left[TULLE__DEPTH_MAX]; /* values still to come in each open container */
    size_t depth = 0;

    do {
        if (r->left == 0) {
            tulle__reader_fail(r);
            return view;
        }
        if (depth > 0)
            left[depth - 1]--;
        uint64_t inside = step(r);
        if (r->failed)
            return view;
        if (inside > 0) {
            if (depth == TULLE__DEPTH_MAX) {
                tulle__reader_fail(r);
                return view;
            }
            left[depth++] = inside;
        }
        while (depth > 0 && left[depth - 1] == 0)
            depth--;
    } while (depth > 0);

    view.len = (size_t)(r->data - view.data);
    return view;
}

struct tulle__view
tulle__view_of(const char *text)
{
    return (struct tulle__view){ (const uint8_t *)text, strlen(text) };
}

bool
tulle__view_is(struct tulle__view view, const char *text)
{
    size_t len = strlen(text);
    return view.len == len && (len == 0 || memcmp(view.data, text, len) == 0);
}

bool
tulle__view_equal(struct tulle__view a, struct tulle__view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Length of the well-formed UTF-8 sequence (of two to four bytes) at data; 0: none. */
static size_t
sequence_len(const uint8_t *data, size_t left)
{
    static const uint32_t lowest[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint8_t first = data[0];
    size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    uint32_t point = first & (0xffu >> (len + 1));

    if (first < 0xc2 || first > 0xf4 || len > left)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((data[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (data[i] & 0x3fu);
    }
    if (point < lowest[len] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return 0;
    return len;
}

static bool
is_utf8(struct tulle__view view, bool allow_control)
{
    size_t i = 0;

    while (i < view.len) {
        uint8_t byte = view.data[i];
        if (byte < 0x80) {
            if (byte == 0 || (!allow_control && (byte < 0x20 || byte == 0x7f)))
                return false;
            i++;
            continue;
        }
        size_t len = sequence_len(view.data + i, view.len - i);
        if (len == 0)
            return false;
        i += len;
    }
    return true;
}

bool
tulle__view_is_text(struct tulle__view view)
{
    return is_utf8(view, true);
}

bool
tulle__view_is_printable(struct tulle__view view)
{
    return is_utf8(view, false);
}
