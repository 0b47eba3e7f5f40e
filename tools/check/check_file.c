/* SPDX-License-Identifier: MPL-2.0 */

/* A file replaced by way of one beside it, which is renamed. */

#include "tools/check/check_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_LEN = 4096 };

static bool
write_all(int fd, const struct tulle__text *text)
{
    for (size_t done = 0; done < text->len;) {
        ssize_t count = write(fd, text->bytes + done, text->len - done);
        if (count < 0 && errno != EINTR)
            return false;
        done += count > 0 ? (size_t)count : 0;
    }
    return true;
}

/* mkstemp() makes files that only their owner reads; others, such as a collector, must too. */
static bool
open_to_all(int fd)
{
    mode_t mask = umask(0);
    (void)umask(mask);
    return fchmod(fd, 0666 & ~mask) == 0;
}

bool
tulle__replace_file(const char *path, const struct tulle__text *text)
{
    char beside[PATH_LEN];
    int len = snprintf(beside, sizeof beside, "%s.XXXXXX", path);
    if (text->has_failed || len < 0 || (size_t)len >= sizeof beside) {
        errno = text->has_failed ? ENOMEM : ENAMETOOLONG;
        return false;
    }
    int fd = mkstemp(beside);
    if (fd < 0)
        return false;
    bool is_written = write_all(fd, text) && open_to_all(fd);
    is_written = close(fd) == 0 && is_written;
    if (is_written && rename(beside, path) == 0)
        return true;
    int failed = errno;
    (void)unlink(beside);
    errno = failed;
    return false;
}
