/* SPDX-License-Identifier: MPL-2.0 */

#define _GNU_SOURCE /* POSIX_SPAWN_SETSID */

#include "launch.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARGS_MAX = 80, PATH_LEN = 512 };

extern char **environ;

pid_t
launch(const char *program, char **argv, const posix_spawn_file_actions_t *actions, short flags)
{
    char path[PATH_LEN];
    const char *folder = strchr(program, '/') != NULL ? NULL : getenv("TULLE_BIN_DIR");
    (void)snprintf(path, sizeof path, "%s%s%s", folder == NULL ? "" : folder,
                   folder == NULL ? "" : "/", program);
    /* What prctl(PR_SET_PDEATHSIG) would be in a child of fork(). */
    char setpriv[] = "/usr/bin/setpriv";
    char option[] = "--pdeathsig=KILL";
    char end[] = "--";
    char *all[ARGS_MAX] = { setpriv, option, end, path };
    size_t count = 4;
    for (size_t i = 1; argv[i] != NULL && count + 1 < ARGS_MAX; i++)
        all[count++] = argv[i];
    sigset_t none;
    sigset_t standard;
    (void)sigemptyset(&none);
    (void)sigemptyset(&standard);
    (void)sigaddset(&standard, SIGPIPE);
    pid_t pid = -1;
    posix_spawnattr_t attributes;
    if (access(path, X_OK) != 0 || posix_spawnattr_init(&attributes) != 0)
        return -1;
    if (posix_spawnattr_setsigmask(&attributes, &none) != 0 ||
        posix_spawnattr_setsigdefault(&attributes, &standard) != 0 ||
        posix_spawnattr_setflags(
            &attributes, (short)(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | flags)) != 0 ||
        posix_spawn(&pid, setpriv, actions, &attributes, all, environ) != 0)
        pid = -1;
    (void)posix_spawnattr_destroy(&attributes);
    return pid;
}
