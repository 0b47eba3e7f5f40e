/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_BASE_TABLE_H
#define TULLE_BASE_TABLE_H

/* uthash, told not to end the program when there is no memory: a failed HASH_ADD
 * leaves the table as it was, and the element out of it (HASH_FIND tells). Its
 * memory is the library's, so that tests can refuse it. */

#include "base/alloc.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Keys are mostly numbers of 8 or 16 bytes: eight at a time. */
static inline unsigned
tulle__hash(const void *key, size_t len)
{
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    const uint8_t *at = key;
    uint64_t hash = len * odd;
    uint64_t word;
    for (; len >= sizeof word; len -= sizeof word, at += sizeof word) {
        memcpy(&word, at, sizeof word);
        hash = (hash ^ word) * odd;
        hash ^= hash >> 32;
    }
    word = 0;
    if (len > 0)
        memcpy(&word, at, len);
    hash = (hash ^ word) * odd;
    return (unsigned)(hash ^ hash >> 32);
}

#define HASH_FUNCTION(key, len, value) ((value) = tulle__hash((key), (len)))
#define HASH_NONFATAL_OOM              1
#define uthash_malloc(len)             tulle__alloc(len)
#define uthash_free(block, len)        tulle__free(block)
#include <uthash.h>

#endif
