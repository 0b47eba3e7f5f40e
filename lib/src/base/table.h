/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_BASE_TABLE_H
#define TULLE_BASE_TABLE_H

/* uthash, told not to end the program when there is no memory: a failed HASH_ADD
 * leaves the table as it was, and the element out of it (HASH_FIND tells). Its
 * memory is the library's, so that tests can refuse it. */

#include "base/alloc.h"

#define HASH_NONFATAL_OOM       1
#define uthash_malloc(len)      tulle__alloc(len)
#define uthash_free(block, len) tulle__free(block)
#include <uthash.h>

#endif
