/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_SCHEMA_H
#define TULLE_TOOLS_SCHEMA_H

/* A schema learnt from values: which types they have, which fields objects have, and which of
 * those all of them have. Values come from peers: how much is kept has limits. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TULLE__SCHEMA_FIELDS_MAX = 64,  /* of an object; one with more is a dictionary */
    TULLE__SCHEMA_NAME_MAX = 256,   /* bytes of a field's name that is kept */
    TULLE__SCHEMA_PARTS_MAX = 50000 /* parts of all schemas of a pool */
};

/* What schemas are made from. */
struct tulle__schema_pool {
    size_t part_count;
    bool is_cut;     /* something was left out: the limit is reached */
    bool has_failed; /* no memory */
};

struct tulle__schema_field;

struct tulle__schema {
    uint64_t count;                     /* values seen */
    uint64_t strings;                   /* of them */
    uint64_t dates;                     /* of these, like RFC 3339 */
    uint64_t objects;                   /* of them */
    unsigned types;                     /* bits 1 << enum, schema.c */
    bool is_open;                       /* some fields are not kept */
    struct tulle__schema_field *fields; /* in the order of appearance */
    size_t field_count;
    struct tulle__schema *items;  /* of arrays; NULL: all were empty */
    struct tulle__schema *values; /* of dictionaries */
};

struct tulle__schema_field {
    char *name;
    size_t name_len;
    uint64_t present; /* in how many of the objects */
    struct tulle__schema schema;
};

/* Learn from a valid msgpack value (tulle__msgpack_is_valid()). Start from { 0 }. */
void tulle__schema_learn(struct tulle__schema *schema,
                         struct tulle__schema_pool *pool,
                         const void *bytes,
                         size_t len);

/* Learn that there was a string, or an object: the fields follow with tulle__schema_field(). */
void tulle__schema_learn_string(struct tulle__schema *schema, const char *text, size_t len);
void tulle__schema_learn_object(struct tulle__schema *schema);

/* The field of an object that was learnt last, to learn its value; NULL: it is not kept. */
struct tulle__schema *tulle__schema_field(struct tulle__schema *schema,
                                          struct tulle__schema_pool *pool,
                                          const char *name,
                                          size_t len);

/* Learn all that another one has; from becomes empty. */
void tulle__schema_merge(struct tulle__schema *into,
                         struct tulle__schema_pool *pool,
                         struct tulle__schema *from);

/* What it holds is freed. */
void tulle__schema_fini(struct tulle__schema *schema);

/* As JSON Schema (draft 07); NULL: no memory. */
json_t *tulle__schema_json(const struct tulle__schema *schema);

/* Text as a JSON string, whatever it is. */
json_t *tulle__schema_text(const char *text, size_t len);

#endif
