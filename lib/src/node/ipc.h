/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_IPC_H
#define TULLE_NODE_IPC_H

/* The files of IPC addresses. libzmq takes the place of whatever is at a path that
 * it binds, and leaves its file behind: both are looked after here. */

#include <stdbool.h>
#include <sys/types.h>

enum { TULLE__IPC_PATH_LEN_MAX = 107 }; /* what a socket's address has room for */

/* Does somebody accept connections at the path? */
bool tulle__ipc_is_live(const char *path);
/* 0 if so; else the errno that tells why not. */
int tulle__ipc_try(const char *path);
/* May the path not be bound: is somebody there, or a file that is no socket? What a
 * program that crashed left behind is free. */
bool tulle__ipc_is_taken(const char *path);

/* A file that was made by binding, to tell it from one that took its place. */
struct tulle__ipc_file {
    char path[TULLE__IPC_PATH_LEN_MAX + 1]; /* "": none */
    dev_t device;
    ino_t inode;
};

void tulle__ipc_file_made(struct tulle__ipc_file *file, const char *path);
/* Before the socket is closed: from then on the path may be somebody else's. */
void tulle__ipc_file_remove(struct tulle__ipc_file *file);

#endif
