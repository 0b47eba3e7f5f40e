/* SPDX-License-Identifier: MPL-2.0 */

/* Writing in steps of PIPE_BUF: when poll(2) says that a pipe is writable, that
 * many bytes go in without waiting. */

#include "tools/common/output.h"

#include <errno.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEP_LEN = 4096 };

void
tulle__output_init(struct tulle__output *output, int fd)
{
    struct stat stat;
    output->fd = fd;
    output->is_file = fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode);
}

/* Wait until there is room, or something else is to be said. */
static enum tulle__output_result
wait_room(const struct tulle__output *output, const struct tulle__signals *signals)
{
    for (;;) {
        struct pollfd waits[2] = { { .fd = output->fd, .events = POLLOUT },
                                   { .fd = signals->fd, .events = POLLIN } };
        int count = poll(waits, 2, -1);
        if (count < 0 && errno != EINTR)
            return TULLE__OUTPUT_FAILED;
        if (count <= 0)
            continue;
        if (waits[1].revents != 0)
            return TULLE__OUTPUT_SIGNAL;
        if ((waits[0].revents & (POLLERR | POLLNVAL)) != 0)
            return TULLE__OUTPUT_CLOSED;
        return TULLE__OUTPUT_DONE;
    }
}

enum tulle__output_result
tulle__output_write(const struct tulle__output *output,
                    const struct tulle__signals *signals,
                    const char *bytes,
                    size_t len)
{
    size_t done = 0;
    while (done < len) {
        size_t step = len - done;
        if (!output->is_file) {
            enum tulle__output_result result = wait_room(output, signals);
            if (result != TULLE__OUTPUT_DONE)
                return result;
            step = step < STEP_LEN ? step : STEP_LEN;
        }
        ssize_t wrote = write(output->fd, bytes + done, step);
        if (wrote >= 0)
            done += (size_t)wrote;
        else if (errno == EPIPE)
            return TULLE__OUTPUT_CLOSED;
        else if (errno != EINTR && errno != EAGAIN)
            return TULLE__OUTPUT_FAILED;
    }
    return TULLE__OUTPUT_DONE;
}
