/* SPDX-License-Identifier: MPL-2.0 */

/* Msgpack to JSON and JSON to msgpack.
 *
 * A msgpack value is first walked as a whole without allocating: every length
 * and count is compared against the bytes that are left, and nesting is
 * limited. Only then it is written out, so the writer needs no checks. */

#include "app/json.h"
#include "app/msgpack_parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t
children_of(const struct tulle__msgpack_item *item)
{
    if (item->kind == TULLE__MSGPACK_MAP)
        return (uint64_t)item->count * 2;
    return item->kind == TULLE__MSGPACK_ARRAY ? item->count : 0;
}

bool
tulle__msgpack_is_valid(const void *bytes, size_t len)
{
    struct tulle__msgpack_cursor cursor = { bytes, len };
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
        struct tulle__msgpack_item item;
        if (!tulle__msgpack_take(&cursor, &item))
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
    struct tulle__msgpack_cursor cursor = { bytes, len };
    struct tulle__msgpack_item item;
    if (!tulle__msgpack_take(&cursor, &item) || item.kind != TULLE__MSGPACK_STR || cursor.left != 0)
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
put_base64_string(struct tulle__text *out, const struct tulle__msgpack_item *item)
{
    tulle__text_char(out, '"');
    tulle__text_base64(out, item->body, item->len);
    tulle__text_char(out, '"');
}

static void
put_scalar(struct tulle__text *out, const struct tulle__msgpack_item *item)
{
    float single = 0;
    double real = 0;
    uint32_t bits = (uint32_t)item->number;
    switch (item->kind) {
    case TULLE__MSGPACK_NIL:
        tulle__text_str(out, "null");
        break;
    case TULLE__MSGPACK_FALSE:
    case TULLE__MSGPACK_TRUE:
        tulle__text_str(out, item->kind == TULLE__MSGPACK_TRUE ? "true" : "false");
        break;
    case TULLE__MSGPACK_UINT:
        tulle__text_u64(out, item->number);
        break;
    case TULLE__MSGPACK_INT:
        tulle__text_i64(out, (int64_t)item->number);
        break;
    case TULLE__MSGPACK_FLOAT:
        memcpy(&single, &bits, sizeof single);
        put_double(out, (double)single, true);
        break;
    case TULLE__MSGPACK_DOUBLE:
        memcpy(&real, &item->number, sizeof real);
        put_double(out, real, false);
        break;
    case TULLE__MSGPACK_STR:
        tulle__json_put_str(out, (const char *)item->body, item->len);
        break;
    case TULLE__MSGPACK_BIN:
        tulle__text_str(out, "{\"$bin\":");
        put_base64_string(out, item);
        tulle__text_char(out, '}');
        break;
    case TULLE__MSGPACK_EXT:
        tulle__text_format(out, "{\"$ext\":[%d,", item->ext_type);
        put_base64_string(out, item);
        tulle__text_str(out, "]}");
        break;
    case TULLE__MSGPACK_ARRAY:
    case TULLE__MSGPACK_MAP:
        break;
    }
}

static void put_value(struct tulle__msgpack_cursor *cursor, struct tulle__text *out);

/* JSON has only strings as keys: another value's JSON text becomes the key. */
static void
put_key(struct tulle__msgpack_cursor *cursor, struct tulle__text *out)
{
    struct tulle__msgpack_cursor ahead = *cursor;
    struct tulle__msgpack_item item;
    (void)tulle__msgpack_take(&ahead, &item); /* the walk before has shown that it is there */
    if (item.kind == TULLE__MSGPACK_STR) {
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
put_value(struct tulle__msgpack_cursor *cursor, struct tulle__text *out)
{
    struct tulle__msgpack_item item;
    (void)tulle__msgpack_take(cursor, &item); /* cannot fail: walked before */
    if (item.kind != TULLE__MSGPACK_ARRAY && item.kind != TULLE__MSGPACK_MAP) {
        put_scalar(out, &item);
        return;
    }
    bool is_map = item.kind == TULLE__MSGPACK_MAP;
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
    struct tulle__msgpack_cursor cursor = { bytes, len };
    put_value(&cursor, out);
    return true;
}

/* --- JSON to msgpack --- */

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
        if (ext != NULL) {
            tulle__msgpack_put_ext(out, (int)type, len);
            tulle__text_put(out, bytes, len);
        } else {
            tulle__msgpack_put_bin(out, bytes, len);
        }
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
    tulle__msgpack_put_map(out, count);
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
    tulle__msgpack_put_array(out, count);
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
        tulle__msgpack_put_int(out, json_integer_value(value));
        break;
    case JSON_REAL:
        tulle__msgpack_put_double(out, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        tulle__msgpack_put_bool(out, json_is_true(value));
        break;
    case JSON_NULL:
        tulle__msgpack_put_nil(out);
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
