/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/trace/trace_out.h"

#include <errno.h>

enum { WRITE_LEN = 65536 };

static void
write_out(struct tulle__trace_out *out)
{
    if (out->text.has_failed) {
        out->has_failed = true;
        errno = ENOMEM;
    }
    if (!out->has_failed && !out->is_closed && out->text.len > 0 &&
        fwrite(out->text.bytes, 1, out->text.len, out->file) < out->text.len) {
        out->is_closed = errno == EPIPE;
        out->has_failed = !out->is_closed;
    }
    tulle__text_clear(&out->text);
}

void
tulle__trace_out_step(struct tulle__trace_out *out)
{
    if (out->text.len >= WRITE_LEN || out->text.has_failed)
        write_out(out);
}

bool
tulle__trace_out_end(struct tulle__trace_out *out)
{
    write_out(out);
    if (!out->has_failed && !out->is_closed && fflush(out->file) != 0) {
        out->is_closed = errno == EPIPE;
        out->has_failed = !out->is_closed;
    }
    tulle__text_free(&out->text);
    return !out->has_failed;
}
