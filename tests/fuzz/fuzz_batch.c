/* SPDX-License-Identifier: MPL-2.0 */

/* Batch frames: decode, walk all events, attributes and deps, encode anew. */

#include "../vectors/reencode.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t bytes_len)
{
    reencode_check(reencode_batch, bytes, bytes_len);
    return 0;
}
