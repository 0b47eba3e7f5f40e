/* SPDX-License-Identifier: MPL-2.0 */

/* Path frames: decode, encode anew. */

#include "../vectors/reencode.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t bytes_len)
{
    reencode_check(reencode_path, bytes, bytes_len);
    return 0;
}
