/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/graph/schema.h"

#include "app/msgpack_parts.h"
#include "tools/graph/schema_types.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void learn(struct tulle__schema *schema,
                  struct tulle__schema_pool *pool,
                  struct tulle__msgpack_cursor *cursor);

void
tulle__schema_fini(struct tulle__schema *schema)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        tulle__schema_fini(&schema->fields[i].schema);
        free(schema->fields[i].name);
    }
    free(schema->fields);
    if (schema->items != NULL)
        tulle__schema_fini(schema->items);
    if (schema->values != NULL)
        tulle__schema_fini(schema->values);
    free(schema->items);
    free(schema->values);
    *schema = (struct tulle__schema){ 0 };
}

/* May one more part be kept? */
static bool
take_part(struct tulle__schema_pool *pool)
{
    if (pool->part_count >= TULLE__SCHEMA_PARTS_MAX) {
        pool->is_cut = true;
        return false;
    }
    pool->part_count++;
    return true;
}

static struct tulle__schema *
get_part(struct tulle__schema **part, struct tulle__schema_pool *pool)
{
    if (*part == NULL && take_part(pool)) {
        *part = calloc(1, sizeof **part);
        pool->has_failed = pool->has_failed || *part == NULL;
    }
    return *part;
}

/* ---- fields ---- */

static struct tulle__schema_field *
find_field(struct tulle__schema *schema, const char *name, size_t len)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        if (schema->fields[i].name_len == len && memcmp(schema->fields[i].name, name, len) == 0)
            return &schema->fields[i];
    }
    return NULL;
}

static struct tulle__schema_field *
add_field(struct tulle__schema *schema,
          struct tulle__schema_pool *pool,
          const char *name,
          size_t len)
{
    struct tulle__schema_field *fields =
        realloc(schema->fields, (schema->field_count + 1) * sizeof *fields);
    if (fields != NULL)
        schema->fields = fields;
    char *copy = fields != NULL ? malloc(len + 1) : NULL;
    if (copy == NULL) {
        pool->has_failed = true;
        return NULL;
    }
    memcpy(copy, name, len);
    copy[len] = '\0';
    struct tulle__schema_field *field = &fields[schema->field_count++];
    *field = (struct tulle__schema_field){ .name = copy, .name_len = len };
    return field;
}

/* An object with so many fields has no fields, but keys. */
static void
make_dictionary(struct tulle__schema *schema, struct tulle__schema_pool *pool)
{
    struct tulle__schema *values = get_part(&schema->values, pool);
    for (size_t i = 0; i < schema->field_count; i++) {
        if (values != NULL)
            tulle__schema_merge(values, pool, &schema->fields[i].schema);
        tulle__schema_fini(&schema->fields[i].schema);
        free(schema->fields[i].name);
    }
    free(schema->fields);
    schema->fields = NULL;
    schema->field_count = 0;
}

/* Names with which programs that read schemas go wrong: a reference, and what JavaScript makes the
 * object itself of. */
static bool
is_misread(const char *name, size_t len)
{
    return (len == 4 && memcmp(name, "$ref", len) == 0) ||
           (len == 9 && memcmp(name, "__proto__", len) == 0);
}

struct tulle__schema *
tulle__schema_field(struct tulle__schema *schema,
                    struct tulle__schema_pool *pool,
                    const char *name,
                    size_t len)
{
    if (schema->values != NULL)
        return schema->values;
    struct tulle__schema_field *field = find_field(schema, name, len);
    if (field == NULL && schema->field_count >= TULLE__SCHEMA_FIELDS_MAX) {
        make_dictionary(schema, pool);
        return schema->values;
    }
    bool is_told = len <= TULLE__SCHEMA_NAME_MAX && !is_misread(name, len);
    if (field == NULL && (!is_told || !take_part(pool))) {
        schema->is_open = true;
        return NULL;
    }
    if (field == NULL)
        field = add_field(schema, pool, name, len);
    if (field == NULL)
        return NULL;
    field->present += field->present < schema->objects; /* a name may come twice in an object */
    return &field->schema;
}

/* ---- merging ---- */

static void
merge_part(struct tulle__schema **into,
           struct tulle__schema_pool *pool,
           struct tulle__schema **from)
{
    if (*into == NULL) {
        *into = *from;
        *from = NULL;
    } else if (*from != NULL) {
        tulle__schema_merge(*into, pool, *from);
    }
}

static void
merge_fields(struct tulle__schema *into,
             struct tulle__schema_pool *pool,
             struct tulle__schema *from)
{
    for (size_t i = 0; i < from->field_count; i++) {
        struct tulle__schema_field *field = &from->fields[i];
        bool is_counted = into->values == NULL;
        struct tulle__schema *to = tulle__schema_field(into, pool, field->name, field->name_len);
        if (to == NULL)
            continue;
        tulle__schema_merge(to, pool, &field->schema);
        struct tulle__schema_field *kept = find_field(into, field->name, field->name_len);
        if (is_counted && kept != NULL)
            kept->present += field->present - 1; /* one was counted when it was found */
    }
}

void
tulle__schema_merge(struct tulle__schema *into,
                    struct tulle__schema_pool *pool,
                    struct tulle__schema *from)
{
    into->count += from->count;
    into->strings += from->strings;
    into->dates += from->dates;
    into->objects += from->objects;
    into->types |= from->types;
    into->is_open = into->is_open || from->is_open;
    merge_part(&into->items, pool, &from->items);
    if (from->values != NULL && into->values == NULL)
        make_dictionary(into, pool);
    merge_fields(into, pool, from);
    merge_part(&into->values, pool, &from->values);
    tulle__schema_fini(from);
}

/* ---- learning ---- */

/* 2024-05-01T12:00:00Z, with a fraction and another zone allowed */
static bool
is_date(const char *text, size_t len)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd";
    size_t at = sizeof form - 1;
    if (len <= at || len > 40)
        return false;
    for (size_t i = 0; i < sizeof form - 1; i++) {
        bool is_right = form[i] == 'd' ? isdigit((unsigned char)text[i]) != 0 : text[i] == form[i];
        if (!is_right)
            return false;
    }
    if (text[at] == '.') {
        for (at++; at < len && isdigit((unsigned char)text[at]); at++) {
        }
    }
    if (at + 1 == len)
        return text[at] == 'Z';
    return at + 6 == len && (text[at] == '+' || text[at] == '-') && text[at + 3] == ':';
}

void
tulle__schema_learn_string(struct tulle__schema *schema, const char *text, size_t len)
{
    schema->count++;
    schema->types |= 1U << SCHEMA_STRING;
    schema->strings++;
    schema->dates += is_date(text, len);
}

void
tulle__schema_learn_object(struct tulle__schema *schema)
{
    schema->count++;
    schema->types |= 1U << SCHEMA_OBJECT;
    schema->objects++;
}

/* Values that are not kept are read over. */
static void
skip(struct tulle__msgpack_cursor *cursor)
{
    uint64_t left = 1;
    struct tulle__msgpack_item item;
    for (; left > 0 && tulle__msgpack_take(cursor, &item); left--) {
        left += item.kind == TULLE__MSGPACK_ARRAY ? item.count : 0;
        left += item.kind == TULLE__MSGPACK_MAP ? (uint64_t)item.count * 2 : 0;
    }
}

static void
learn_or_skip(struct tulle__schema *schema,
              struct tulle__schema_pool *pool,
              struct tulle__msgpack_cursor *cursor)
{
    if (schema != NULL)
        learn(schema, pool, cursor);
    else
        skip(cursor);
}

static void
learn_map(struct tulle__schema *schema,
          struct tulle__schema_pool *pool,
          struct tulle__msgpack_cursor *cursor,
          uint32_t count)
{
    tulle__schema_learn_object(schema);
    for (uint32_t i = 0; i < count; i++) {
        struct tulle__msgpack_cursor ahead = *cursor;
        struct tulle__msgpack_item key;
        struct tulle__schema *value = NULL;
        skip(cursor);
        if (tulle__msgpack_take(&ahead, &key) && key.kind == TULLE__MSGPACK_STR)
            value = tulle__schema_field(schema, pool, (const char *)key.body, key.len);
        else
            schema->is_open = true; /* a key that JSON has no form for */
        learn_or_skip(value, pool, cursor);
    }
}

static void
learn(struct tulle__schema *schema,
      struct tulle__schema_pool *pool,
      struct tulle__msgpack_cursor *cursor)
{
    static const enum schema_type types[] = {
        [TULLE__MSGPACK_NIL] = SCHEMA_NULL,      [TULLE__MSGPACK_FALSE] = SCHEMA_BOOLEAN,
        [TULLE__MSGPACK_TRUE] = SCHEMA_BOOLEAN,  [TULLE__MSGPACK_UINT] = SCHEMA_INTEGER,
        [TULLE__MSGPACK_INT] = SCHEMA_INTEGER,   [TULLE__MSGPACK_FLOAT] = SCHEMA_NUMBER,
        [TULLE__MSGPACK_DOUBLE] = SCHEMA_NUMBER, [TULLE__MSGPACK_STR] = SCHEMA_STRING,
        [TULLE__MSGPACK_BIN] = SCHEMA_BINARY,    [TULLE__MSGPACK_EXT] = SCHEMA_EXTENSION,
        [TULLE__MSGPACK_ARRAY] = SCHEMA_ARRAY,   [TULLE__MSGPACK_MAP] = SCHEMA_OBJECT,
    };
    struct tulle__msgpack_item item;
    if (!tulle__msgpack_take(cursor, &item))
        return;
    if (item.kind == TULLE__MSGPACK_MAP) {
        learn_map(schema, pool, cursor, item.count);
        return;
    }
    if (item.kind == TULLE__MSGPACK_STR) {
        tulle__schema_learn_string(schema, (const char *)item.body, item.len);
        return;
    }
    schema->count++;
    schema->types |= 1U << types[item.kind];
    for (uint32_t i = 0; item.kind == TULLE__MSGPACK_ARRAY && i < item.count; i++)
        learn_or_skip(get_part(&schema->items, pool), pool, cursor);
}

void
tulle__schema_learn(struct tulle__schema *schema,
                    struct tulle__schema_pool *pool,
                    const void *bytes,
                    size_t len)
{
    struct tulle__msgpack_cursor cursor = { bytes, len };
    learn(schema, pool, &cursor);
}
