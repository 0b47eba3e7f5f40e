/* SPDX-License-Identifier: MPL-2.0 */

/* Bodies of SYNC: decode, walk addresses and takes, encode anew. */

#include "../vectors/reencode.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t bytes_len)
{
    reencode_check(reencode_sync, bytes, bytes_len);
    return 0;
}
