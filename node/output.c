/* SPDX-License-Identifier: MPL-2.0 */

/* Standard output in pieces. poll(2) calls a pipe writable when PIPE_BUF bytes
 * fit, so a piece of that size is written without waiting. */

#include "output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

bool
tulle__output_is_free(const struct tulle__output *output)
{
    return output->text.len - output->done < TULLE__OUTPUT_BYTES_MAX;
}

bool
tulle__output_is_waiting(const struct tulle__output *output)
{
    return output->text.len > output->done;
}

void
tulle__output_run(struct tulle__output *output)
{
    while (tulle__output_is_waiting(output)) {
        struct pollfd wait = { .fd = STDOUT_FILENO, .events = POLLOUT };
        if (poll(&wait, 1, 0) <= 0)
            return;
        size_t len = output->text.len - output->done;
        ssize_t put = write(STDOUT_FILENO, output->text.bytes + output->done,
                            len < (size_t)PIPE_BUF ? len : (size_t)PIPE_BUF);
        if (put < 0 && (errno == EINTR || errno == EAGAIN))
            return;
        if (put < 0) {
            output->has_failed = true;
            return;
        }
        output->done += (size_t)put;
    }
    tulle__text_clear(&output->text);
    output->done = 0;
}

void
tulle__output_fini(struct tulle__output *output)
{
    tulle__text_free(&output->text);
}
