/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_REENCODE_H
#define TULLE_REENCODE_H

/* Decode a message, walk everything in it, and encode it anew from what was
 * found. Shared by the tests of the vectors and the fuzz targets: a canonical
 * message comes out as it went in, and any other becomes one in one step. */

#include "codec/writer.h"

#include <stdbool.h>
#include <stddef.h>

/* Returns false when the message is malformed. Failure for lack of memory stays
 * in the writer. */
typedef bool (*reencode_fn)(const void *data, size_t len, struct tulle__writer *out);

bool reencode_batch(const void *data, size_t len, struct tulle__writer *out);
bool reencode_path(const void *data, size_t len, struct tulle__writer *out);
bool reencode_beat(const void *data, size_t len, struct tulle__writer *out);
bool reencode_header(const void *data, size_t len, struct tulle__writer *out);
bool reencode_sync(const void *data, size_t len, struct tulle__writer *out);
bool reencode_here(const void *data, size_t len, struct tulle__writer *out);
bool reencode_fetch(const void *data, size_t len, struct tulle__writer *out);
bool reencode_range(const void *data, size_t len, struct tulle__writer *out);
bool reencode_look(const void *data, size_t len, struct tulle__writer *out);
bool reencode_view(const void *data, size_t len, struct tulle__writer *out);

/* Abort unless what is made from the message, when it is accepted, is accepted
 * too and makes itself. */
void reencode_check(reencode_fn reencode, const void *data, size_t len);

#endif
