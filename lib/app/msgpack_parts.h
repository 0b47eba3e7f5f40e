/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_APP_MSGPACK_PARTS_H
#define TULLE_APP_MSGPACK_PARTS_H

/* Msgpack, one header at a time: a bounded reader and a writer. */

#include "app/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tulle__msgpack_kind {
    TULLE__MSGPACK_NIL,
    TULLE__MSGPACK_FALSE,
    TULLE__MSGPACK_TRUE,
    TULLE__MSGPACK_UINT,
    TULLE__MSGPACK_INT,
    TULLE__MSGPACK_FLOAT,
    TULLE__MSGPACK_DOUBLE,
    TULLE__MSGPACK_STR,
    TULLE__MSGPACK_BIN,
    TULLE__MSGPACK_EXT,
    TULLE__MSGPACK_ARRAY,
    TULLE__MSGPACK_MAP
};

struct tulle__msgpack_item {
    enum tulle__msgpack_kind kind;
    uint64_t number;     /* UINT; INT as two's complement; FLOAT, DOUBLE as bits */
    const uint8_t *body; /* STR, BIN, EXT */
    size_t len;
    uint32_t count; /* elements of an ARRAY, pairs of a MAP */
    int8_t ext_type;
};

struct tulle__msgpack_cursor {
    const uint8_t *at;
    size_t left;
};

/* Next header, with the body of strings; false when it is cut off or wrong. Counts of arrays and
 * maps are what the header says: compare them with cursor->left before trusting them. */
bool tulle__msgpack_take(struct tulle__msgpack_cursor *cursor, struct tulle__msgpack_item *item);

/* Append a value, or the header of what follows. */
void tulle__msgpack_put_str(struct tulle__text *out, const char *str, size_t len);
void tulle__msgpack_put_bin(struct tulle__text *out, const void *bytes, size_t len);
void tulle__msgpack_put_uint(struct tulle__text *out, uint64_t value);
void tulle__msgpack_put_int(struct tulle__text *out, int64_t value);
void tulle__msgpack_put_double(struct tulle__text *out, double value);
void tulle__msgpack_put_bool(struct tulle__text *out, bool value);
void tulle__msgpack_put_nil(struct tulle__text *out);
void tulle__msgpack_put_array(struct tulle__text *out, size_t count);
void tulle__msgpack_put_map(struct tulle__text *out, size_t count);
/* The header of an extension of len bytes. */
void tulle__msgpack_put_ext(struct tulle__text *out, int type, size_t len);

#endif
