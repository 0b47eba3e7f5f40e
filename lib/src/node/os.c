/* SPDX-License-Identifier: MPL-2.0 */
/* The operating system; errno goes no further than this file. */

#define _DEFAULT_SOURCE 1 /* getentropy() */

#include "node/os.h"

#include "codec/limits.h"

#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

struct tulle__now
tulle__os_now(void)
{
    struct timespec mono = { 0 };
    struct timespec wall = { 0 };
    (void)clock_gettime(CLOCK_MONOTONIC, &mono); /* cannot fail with a known clock */
    (void)clock_gettime(CLOCK_REALTIME, &wall);
    return (struct tulle__now){
        .mono = { (int64_t)mono.tv_sec * 1000000000 + mono.tv_nsec },
        .wall = { (int64_t)wall.tv_sec * 1000000 + wall.tv_nsec / 1000 },
    };
}

void
tulle__os_pause_us(long us)
{
    struct timespec pause = { .tv_nsec = us * 1000 };
    (void)nanosleep(&pause, NULL);
}

uint64_t
tulle__os_new_id(void)
{
    uint64_t id = 0;
    while (id < TULLE__NODE_ID_MIN) {
        if (getentropy(&id, sizeof id) != 0)
            return 0;
    }
    return id;
}

void
tulle__os_block_signals(sigset_t *before)
{
    static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT };
    sigset_t all;
    (void)sigfillset(&all);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        (void)sigdelset(&all, faults[i]);
    (void)pthread_sigmask(SIG_BLOCK, &all, before);
}

void
tulle__os_restore_signals(const sigset_t *before)
{
    (void)pthread_sigmask(SIG_SETMASK, before, NULL);
}

void
tulle__os_name_thread(const char *name)
{
    (void)prctl(PR_SET_NAME, name);
}

int
tulle__os_wake_open(void)
{
    return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void
tulle__os_wake_close(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

void
tulle__os_wake_set(int fd)
{
    uint64_t one = 1;
    ssize_t written = write(fd, &one, sizeof one); /* full means that it is set */
    (void)written;
}

void
tulle__os_wake_clear(int fd)
{
    uint64_t count;
    ssize_t got = read(fd, &count, sizeof count);
    (void)got;
}
