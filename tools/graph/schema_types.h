/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_SCHEMA_TYPES_H
#define TULLE_TOOLS_SCHEMA_TYPES_H

/* Types of values, as struct tulle__schema keeps them. */

enum schema_type {
    SCHEMA_NULL,
    SCHEMA_BOOLEAN,
    SCHEMA_INTEGER,
    SCHEMA_NUMBER,
    SCHEMA_STRING,
    SCHEMA_BINARY,
    SCHEMA_EXTENSION,
    SCHEMA_ARRAY,
    SCHEMA_OBJECT,
    SCHEMA_TYPES
};

#endif
