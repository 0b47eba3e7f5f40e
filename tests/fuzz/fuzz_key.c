/* SPDX-License-Identifier: MPL-2.0 */

/* Key frames: what is accepted is the bytes before the one zero byte. */

#include "base/panic.h"
#include "codec/batch.h"
#include "codec/topic.h"
#include "fuzz.h"

#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t bytes_len)
{
    struct tulle__view stream;

    if (tulle__key_decode(bytes, bytes_len, &stream) != TULLE_OK)
        return 0;
    TULLE_ASSERT(stream.data == bytes && stream.len == bytes_len - 1);
    TULLE_ASSERT(memchr(bytes, 0, bytes_len) == bytes + stream.len);
    TULLE_ASSERT(tulle__view_is_printable(stream));
    TULLE_ASSERT(stream.data[0] == '$' || tulle__topic_is_valid(stream));
    return 0;
}
