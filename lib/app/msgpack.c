/* SPDX-License-Identifier: MPL-2.0 */

/* Msgpack to JSON and JSON to msgpack, with our own bounded reader.
 *
 * A msgpack value is first walked as a whole without allocating: every length
 * and count is compared against the bytes that are left, and nesting is
 * limited. Only then it is written out, so the writer needs no checks. */

#include "app/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum item_kind {
    ITEM_NIL,
    ITEM_FALSE,
    ITEM_TRUE,
    ITEM_UINT,
    ITEM_INT,
    ITEM_FLOAT,
    ITEM_DOUBLE,
    ITEM_STR,
    ITEM_BIN,
    ITEM_EXT,
    ITEM_ARRAY,
    ITEM_MAP
};

struct item {
    enum item_kind kind;
    uint64_t number;     /* UINT; INT as two's complement; FLOAT, DOUBLE as bits */
    const uint8_t *body; /* STR, BIN, EXT */
    size_t len;
    uint32_t count; /* elements of an ARRAY, pairs of a MAP */
    int8_t ext_type;
};

struct cursor {
    const uint8_t *at;
    size_t left;
};

static bool
take_be(struct cursor *cursor, size_t len, uint64_t *out)
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
take_body(struct cursor *cursor, struct item *item, uint64_t len)
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
take_sized(struct cursor *cursor, struct item *item, enum item_kind kind, size_t len_len)
{
    uint64_t len = 0;
    uint64_t type = 0;
    item->kind = kind;
    if (!take_be(cursor, len_len, &len))
        return false;
    if (kind == ITEM_EXT) {
        if (!take_be(cursor, 1, &type))
            return false;
        item->ext_type = (int8_t)type;
    }
    return take_body(cursor, item, len);
}

static bool
take_counted(struct cursor *cursor, struct item *item, enum item_kind kind, size_t count_len)
{
    uint64_t count = 0;
    item->kind = kind;
    if (!take_be(cursor, count_len, &count))
        return false;
    item->count = (uint32_t)count;
    return true;
}

static bool
take_number(struct cursor *cursor, struct item *item, enum item_kind kind, size_t len)
{
    item->kind = kind;
    if (!take_be(cursor, len, &item->number))
        return false;
    if (kind == ITEM_INT && len < 8) {
        unsigned shift = (unsigned)(64 - 8 * len);
        item->number = (uint64_t)((int64_t)(item->number << shift) >> shift);
    }
    return true;
}

static bool
take_fixext(struct cursor *cursor, struct item *item, uint64_t len)
{
    uint64_t type = 0;
    item->kind = ITEM_EXT;
    if (!take_be(cursor, 1, &type))
        return false;
    item->ext_type = (int8_t)type;
    return take_body(cursor, item, len);
}

/* Types 0xc0 to 0xdf: length or kind in the byte itself. */
static bool
take_marked(struct cursor *cursor, struct item *item, uint8_t mark)
{
    size_t power = mark & 3u;
    switch (mark) {
    case 0xc0:
        item->kind = ITEM_NIL;
        return true;
    case 0xc2:
    case 0xc3:
        item->kind = mark == 0xc2 ? ITEM_FALSE : ITEM_TRUE;
        return true;
    case 0xc4:
    case 0xc5:
    case 0xc6:
        return take_sized(cursor, item, ITEM_BIN, (size_t)1 << power);
    case 0xc7:
    case 0xc8:
    case 0xc9:
        return take_sized(cursor, item, ITEM_EXT, (size_t)1 << (mark - 0xc7));
    case 0xca:
        return take_number(cursor, item, ITEM_FLOAT, 4);
    case 0xcb:
        return take_number(cursor, item, ITEM_DOUBLE, 8);
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
        return take_number(cursor, item, ITEM_UINT, (size_t)1 << power);
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
        return take_number(cursor, item, ITEM_INT, (size_t)1 << power);
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
        return take_fixext(cursor, item, (uint64_t)1 << (mark - 0xd4));
    case 0xd9:
    case 0xda:
    case 0xdb:
        return take_sized(cursor, item, ITEM_STR, (size_t)1 << (mark - 0xd9));
    case 0xdc:
    case 0xdd:
        return take_counted(cursor, item, ITEM_ARRAY, mark == 0xdc ? 2 : 4);
    case 0xde:
    case 0xdf:
        return take_counted(cursor, item, ITEM_MAP, mark == 0xde ? 2 : 4);
    default:
        return false; /* 0xc1 is never used */
    }
}

/* Next header, with the body of strings; false when it is cut off or wrong. */
static bool
take_item(struct cursor *cursor, struct item *item)
{
    uint64_t mark = 0;
    *item = (struct item){ 0 };
    if (!take_be(cursor, 1, &mark))
        return false;
    if (mark <= 0x7f) {
        item->kind = ITEM_UINT;
        item->number = mark;
        return true;
    }
    if (mark >= 0xe0) {
        item->kind = ITEM_INT;
        item->number = (uint64_t)((int64_t)mark - 256);
        return true;
    }
    if (mark <= 0x8f || (mark >= 0x90 && mark <= 0x9f)) {
        item->kind = mark <= 0x8f ? ITEM_MAP : ITEM_ARRAY;
        item->count = (uint32_t)(mark & 15);
        return true;
    }
    if (mark <= 0xbf) {
        item->kind = ITEM_STR;
        return take_body(cursor, item, mark & 31);
    }
    return take_marked(cursor, item, (uint8_t)mark);
}

static uint64_t
children_of(const struct item *item)
{
    if (item->kind == ITEM_MAP)
        return (uint64_t)item->count * 2;
    return item->kind == ITEM_ARRAY ? item->count : 0;
}

bool
tulle__msgpack_is_valid(const void *bytes, size_t len)
{
    struct cursor cursor = { bytes, len };
    uint64_t missing[TULLE__JSON_DEPTH_MAX + 1]; /* values still to come, per open level */
    size_t depth = 0;

    missing[0] = 1;
    for (;;) {
        while (missing[depth] == 0) {
            if (depth == 0)
                return cursor.left == 0;
            depth--;
        }
        missing[depth]--;
        struct item item;
        if (!take_item(&cursor, &item))
            return false;
        uint64_t children = children_of(&item);
        if (children > cursor.left) /* each takes at least a byte */
            return false;
        if (children > 0) {
            if (depth == TULLE__JSON_DEPTH_MAX)
                return false;
            missing[++depth] = children;
        }
    }
}

bool
tulle__msgpack_as_str(const void *bytes, size_t len, const char **out, size_t *out_len)
{
    struct cursor cursor = { bytes, len };
    struct item item;
    if (!take_item(&cursor, &item) || item.kind != ITEM_STR || cursor.left != 0)
        return false;
    *out = (const char *)item.body;
    *out_len = item.len;
    return true;
}

/* Shortest text that reads back as the same number. */
static void
put_double(struct tulle__text *out, double value, bool is_single)
{
    if (isnan(value) || isinf(value)) {
        const char *name = value < 0 ? "\"-Infinity\"" : "\"Infinity\"";
        tulle__text_str(out, isnan(value) ? "\"NaN\"" : name);
        return;
    }
    char digits[40];
    for (int precision = is_single ? 6 : 15; precision <= 17; precision++) {
        (void)snprintf(digits, sizeof digits, "%.*g", precision, value);
        double back = strtod(digits, NULL);
        bool is_same = is_single ? (float)back == (float)value : !(back < value || back > value);
        if (is_same)
            break;
    }
    tulle__text_str(out, digits);
    if (strpbrk(digits, ".e") == NULL)
        tulle__text_str(out, ".0"); /* else it would come back as a whole number */
}

static void
put_base64_string(struct tulle__text *out, const struct item *item)
{
    tulle__text_char(out, '"');
    tulle__text_base64(out, item->body, item->len);
    tulle__text_char(out, '"');
}

static void
put_scalar(struct tulle__text *out, const struct item *item)
{
    float single = 0;
    double real = 0;
    uint32_t bits = (uint32_t)item->number;
    switch (item->kind) {
    case ITEM_NIL:
        tulle__text_str(out, "null");
        break;
    case ITEM_FALSE:
    case ITEM_TRUE:
        tulle__text_str(out, item->kind == ITEM_TRUE ? "true" : "false");
        break;
    case ITEM_UINT:
        tulle__text_u64(out, item->number);
        break;
    case ITEM_INT:
        tulle__text_i64(out, (int64_t)item->number);
        break;
    case ITEM_FLOAT:
        memcpy(&single, &bits, sizeof single);
        put_double(out, (double)single, true);
        break;
    case ITEM_DOUBLE:
        memcpy(&real, &item->number, sizeof real);
        put_double(out, real, false);
        break;
    case ITEM_STR:
        tulle__json_put_str(out, (const char *)item->body, item->len);
        break;
    case ITEM_BIN:
        tulle__text_str(out, "{\"$bin\":");
        put_base64_string(out, item);
        tulle__text_char(out, '}');
        break;
    case ITEM_EXT:
        tulle__text_format(out, "{\"$ext\":[%d,", item->ext_type);
        put_base64_string(out, item);
        tulle__text_str(out, "]}");
        break;
    case ITEM_ARRAY:
    case ITEM_MAP:
        break;
    }
}

static void put_value(struct cursor *cursor, struct tulle__text *out);

/* JSON has only strings as keys: another value's JSON text becomes the key. */
static void
put_key(struct cursor *cursor, struct tulle__text *out)
{
    struct cursor ahead = *cursor;
    struct item item;
    (void)take_item(&ahead, &item); /* the walk before has shown that it is there */
    if (item.kind == ITEM_STR) {
        put_value(cursor, out);
        return;
    }
    struct tulle__text key = { 0 };
    put_value(cursor, &key);
    tulle__json_put_str(out, key.bytes, key.len);
    out->has_failed = out->has_failed || key.has_failed;
    tulle__text_free(&key);
}

/* Recursion is bounded: the walk before has limited the depth. */
static void
put_value(struct cursor *cursor, struct tulle__text *out)
{
    struct item item;
    (void)take_item(cursor, &item); /* cannot fail: walked before */
    if (item.kind != ITEM_ARRAY && item.kind != ITEM_MAP) {
        put_scalar(out, &item);
        return;
    }
    bool is_map = item.kind == ITEM_MAP;
    tulle__text_char(out, is_map ? '{' : '[');
    for (uint32_t i = 0; i < item.count; i++) {
        if (i > 0)
            tulle__text_char(out, ',');
        if (is_map) {
            put_key(cursor, out);
            tulle__text_char(out, ':');
        }
        put_value(cursor, out);
    }
    tulle__text_char(out, is_map ? '}' : ']');
}

bool
tulle__msgpack_to_json(const void *bytes, size_t len, struct tulle__text *out)
{
    if (!tulle__msgpack_is_valid(bytes, len))
        return false;
    struct cursor cursor = { bytes, len };
    put_value(&cursor, out);
    return true;
}

/* --- JSON to msgpack --- */

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

static void
put_integer(struct tulle__text *out, int64_t value)
{
    uint64_t bits = (uint64_t)value;
    if (value >= 0) {
        if (bits <= 0x7f)
            put_be(out, bits, 1);
        else if (bits <= UINT32_MAX)
            put_size(out, 0xcc, 0xcd, bits);
        else
            put_mark(out, 0xcf, bits, 8);
        return;
    }
    if (value >= -32)
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

/* {"$bin": "BASE64"} and {"$ext": [TYPE, "BASE64"]}; false for anything else. */
static bool
put_special(struct tulle__text *out, const json_t *object)
{
    if (json_object_size(object) != 1)
        return false;
    const json_t *data = json_object_get(object, "$bin");
    const json_t *ext = json_object_get(object, "$ext");
    json_int_t type = 0;
    if (ext != NULL && json_array_size(ext) == 2 && json_is_integer(json_array_get(ext, 0))) {
        type = json_integer_value(json_array_get(ext, 0));
        data = json_array_get(ext, 1);
    }
    if (!json_is_string(data) || type < INT8_MIN || type > INT8_MAX)
        return false;
    size_t len = 0;
    void *bytes = malloc(json_string_length(data) + 1);
    if (bytes == NULL) {
        out->has_failed = true;
        return true;
    }
    bool is_base64 =
        tulle__base64_decode(json_string_value(data), json_string_length(data), bytes, &len);
    if (is_base64) {
        put_size(out, ext != NULL ? 0xc7 : 0xc4, ext != NULL ? 0xc8 : 0xc5, len);
        if (ext != NULL)
            put_be(out, (uint64_t)type & 255, 1);
        tulle__text_put(out, bytes, len);
    }
    free(bytes);
    return is_base64;
}

static const char *put_json(struct tulle__text *out, const json_t *value, size_t depth);

static const char *
put_json_object(struct tulle__text *out, const json_t *object, size_t depth)
{
    if (put_special(out, object))
        return NULL;
    size_t count = json_object_size(object);
    if (count < 16)
        put_be(out, 0x80 | count, 1);
    else
        put_size(out, 0, 0xde, count);
    json_t *walked = (json_t *)(uintptr_t)object; /* jansson's iterators are not const */
    for (void *at = json_object_iter(walked); at != NULL; at = json_object_iter_next(walked, at)) {
        const char *key = json_object_iter_key(at);
        tulle__msgpack_put_str(out, key, strlen(key));
        const char *problem = put_json(out, json_object_iter_value(at), depth + 1);
        if (problem != NULL)
            return problem;
    }
    return NULL;
}

static const char *
put_json_array(struct tulle__text *out, const json_t *array, size_t depth)
{
    size_t count = json_array_size(array);
    if (count < 16)
        put_be(out, 0x90 | count, 1);
    else
        put_size(out, 0, 0xdc, count);
    for (size_t i = 0; i < count; i++) {
        const char *problem = put_json(out, json_array_get(array, i), depth + 1);
        if (problem != NULL)
            return problem;
    }
    return NULL;
}

static const char *
put_json(struct tulle__text *out, const json_t *value, size_t depth)
{
    double real = 0;
    uint64_t bits = 0;
    if (depth > TULLE__JSON_DEPTH_MAX)
        return "nested too deep";
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return put_json_object(out, value, depth);
    case JSON_ARRAY:
        return put_json_array(out, value, depth);
    case JSON_STRING:
        tulle__msgpack_put_str(out, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        put_integer(out, json_integer_value(value));
        break;
    case JSON_REAL:
        real = json_real_value(value);
        memcpy(&bits, &real, sizeof bits);
        put_mark(out, 0xcb, bits, 8);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        put_be(out, json_is_true(value) ? 0xc3 : 0xc2, 1);
        break;
    case JSON_NULL:
        put_be(out, 0xc0, 1);
        break;
    }
    return NULL;
}

const char *
tulle__json_to_msgpack(const json_t *value, struct tulle__text *out)
{
    size_t start = out->len;
    const char *problem = put_json(out, value, 0);
    if (problem == NULL && out->has_failed)
        problem = "out of memory";
    if (problem != NULL)
        out->len = start;
    return problem;
}
