/* SPDX-License-Identifier: MPL-2.0 */

/* Schemas as JSON Schema. One type, or one and null, is a "type"; more are a "oneOf" of parts that
 * exclude one another: an integer is a number too, and bytes are strings once there is text. */

#include "app/json.h"
#include "tools/graph/schema.h"
#include "tools/graph/schema_types.h"

#include <string.h>

json_t *
tulle__schema_text(const char *text, size_t len)
{
    json_t *string = json_stringn(text, len);
    if (string != NULL)
        return string;
    /* It is no UTF-8, or there is no memory. */
    struct tulle__text fixed = { 0 };
    tulle__json_put_str(&fixed, text, len);
    string = fixed.has_failed
                 ? NULL
                 : json_loadb(fixed.bytes, fixed.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    tulle__text_free(&fixed);
    return string;
}

/* Append a field's schema under its name. */
static bool
set_field(json_t *object, const struct tulle__schema_field *field, json_t *value)
{
    json_t *name = tulle__schema_text(field->name, field->name_len);
    const char *key = json_string_value(name); /* up to a NUL byte, if there is one */
    bool is_set = key != NULL && json_object_set_new(object, key, value) == 0;
    if (key == NULL)
        json_decref(value);
    json_decref(name);
    return is_set;
}

static bool
put_properties(const struct tulle__schema *schema, json_t *out)
{
    json_t *properties = json_object();
    json_t *required = json_array();
    bool is_made = properties != NULL && required != NULL;
    for (size_t i = 0; is_made && i < schema->field_count; i++) {
        const struct tulle__schema_field *field = &schema->fields[i];
        json_t *value = tulle__schema_json(&field->schema);
        is_made = value != NULL && set_field(properties, field, value);
        if (is_made && field->present == schema->objects)
            is_made = json_array_append_new(
                          required, tulle__schema_text(field->name, strlen(field->name))) == 0;
    }
    is_made = is_made && (json_object_size(properties) == 0 ||
                          json_object_set(out, "properties", properties) == 0);
    is_made = is_made &&
              (json_array_size(required) == 0 || json_object_set(out, "required", required) == 0);
    json_decref(properties);
    json_decref(required);
    if (is_made && schema->values != NULL)
        is_made = json_object_set_new(out, "additionalProperties",
                                      tulle__schema_json(schema->values)) == 0;
    return is_made;
}

/* What more is said of a type. */
static bool
put_details(const struct tulle__schema *schema, enum schema_type type, json_t *out)
{
    if (type == SCHEMA_OBJECT)
        return put_properties(schema, out);
    if (type == SCHEMA_ARRAY)
        return schema->items == NULL ||
               json_object_set_new(out, "items", tulle__schema_json(schema->items)) == 0;
    if (type == SCHEMA_BINARY)
        return json_object_set_new(out, "contentEncoding", json_string("base64")) == 0;
    if (type == SCHEMA_EXTENSION)
        return json_object_set_new(out, "description", json_string("a msgpack extension")) == 0;
    if (type == SCHEMA_STRING && schema->strings > 0 && schema->dates == schema->strings)
        return json_object_set_new(out, "format", json_string("date-time")) == 0;
    return true;
}

static const char *const names[SCHEMA_TYPES] = { "null",   "boolean", "integer", "number", "string",
                                                 "string", "object",  "array",   "object" };

static json_t *
type_json(const struct tulle__schema *schema, enum schema_type type, bool is_nullable)
{
    json_t *out = json_object();
    json_t *name = is_nullable ? json_pack("[ss]", names[type], "null") : json_string(names[type]);
    if (out == NULL || json_object_set_new(out, "type", name) != 0 ||
        !put_details(schema, type, out)) {
        json_decref(out);
        return NULL;
    }
    return out;
}

static unsigned
types_of(const struct tulle__schema *schema)
{
    unsigned types = schema->types;
    if ((types & 1U << SCHEMA_NUMBER) != 0)
        types &= ~(1U << SCHEMA_INTEGER);
    if ((types & 1U << SCHEMA_STRING) != 0)
        types &= ~(1U << SCHEMA_BINARY);
    if ((types & 1U << SCHEMA_OBJECT) != 0)
        types &= ~(1U << SCHEMA_EXTENSION);
    return types;
}

json_t *
tulle__schema_json(const struct tulle__schema *schema)
{
    unsigned types = types_of(schema);
    bool is_nullable = (types & 1U << SCHEMA_NULL) != 0;
    unsigned others = types & ~(1U << SCHEMA_NULL);
    if (types == 0)
        return json_object(); /* nothing is known: everything is right */
    if (others == 0)
        return type_json(schema, SCHEMA_NULL, false);
    if ((others & (others - 1)) == 0) {
        enum schema_type type = SCHEMA_NULL;
        while ((others >> type & 1U) == 0)
            type++;
        return type_json(schema, type, is_nullable);
    }
    json_t *choices = json_array();
    bool is_made = choices != NULL;
    for (enum schema_type type = SCHEMA_NULL; is_made && type < SCHEMA_TYPES; type++) {
        if ((types >> type & 1U) != 0)
            is_made = json_array_append_new(choices, type_json(schema, type, false)) == 0;
    }
    json_t *out = is_made ? json_pack("{sO}", "oneOf", choices) : NULL;
    json_decref(choices);
    return out;
}
