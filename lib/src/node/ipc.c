/* SPDX-License-Identifier: MPL-2.0 */
/* The files of IPC addresses. */

#define _DEFAULT_SOURCE 1 /* SOCK_CLOEXEC and SOCK_NONBLOCK */

#include "node/ipc.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* 0, or the errno of connecting. */
static int
probe(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t len = strlen(path);
    if (len > TULLE__IPC_PATH_LEN_MAX)
        return ENAMETOOLONG;
    memcpy(address.sun_path, path, len);
    if (path[0] == '@') /* a name without a file, as libzmq writes it */
        address.sun_path[0] = '\0';
    len += offsetof(struct sockaddr_un, sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    int result = connect(fd, (const struct sockaddr *)&address, (socklen_t)len) == 0 ? 0 : errno;
    (void)close(fd);
    return result;
}

int
tulle__ipc_try(const char *path)
{
    int result = probe(path);
    return result == EAGAIN ? 0 : result; /* EAGAIN: its queue is full */
}

bool
tulle__ipc_is_live(const char *path)
{
    return tulle__ipc_try(path) == 0;
}

bool
tulle__ipc_is_taken(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return false; /* what else is wrong with it, binding says */
    return !S_ISSOCK(status.st_mode) || probe(path) != ECONNREFUSED;
}

void
tulle__ipc_file_made(struct tulle__ipc_file *file, const char *path)
{
    struct stat status;
    *file = (struct tulle__ipc_file){ 0 };
    if (strlen(path) > TULLE__IPC_PATH_LEN_MAX || stat(path, &status) != 0)
        return;
    (void)snprintf(file->path, sizeof file->path, "%s", path);
    file->device = status.st_dev;
    file->inode = status.st_ino;
}

void
tulle__ipc_file_remove(struct tulle__ipc_file *file)
{
    struct stat status;
    if (file->path[0] != '\0' && stat(file->path, &status) == 0 && S_ISSOCK(status.st_mode) &&
        status.st_dev == file->device && status.st_ino == file->inode)
        (void)unlink(file->path);
    file->path[0] = '\0';
}
