/* SPDX-License-Identifier: MPL-2.0 */

/* Bodies of VIEW: decode, walk all lists, encode anew. */

#include "../vectors/reencode.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t bytes_len)
{
    reencode_check(reencode_view, bytes, bytes_len);
    return 0;
}
