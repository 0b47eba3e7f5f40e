/* SPDX-License-Identifier: MPL-2.0 */

/* Signals through signalfd(2). They are blocked before a node starts its
 * thread, so that no thread ever runs a handler and no call is interrupted. */

#include "app/signal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

static void
fill_set(sigset_t *set)
{
    (void)sigemptyset(set); /* these two fail only for a signal that does not exist */
    (void)sigaddset(set, SIGINT);
    (void)sigaddset(set, SIGTERM);
    (void)sigaddset(set, SIGHUP);
}

static void
add_terminal(sigset_t *set)
{
    (void)sigaddset(set, SIGWINCH);
    (void)sigaddset(set, SIGTSTP);
    (void)sigaddset(set, SIGQUIT);
}

static bool
block(const sigset_t *set)
{
    int error = pthread_sigmask(SIG_BLOCK, set, NULL);
    if (error != 0)
        errno = error;
    return error == 0;
}

bool
tulle__signals_open(struct tulle__signals *signals)
{
    sigset_t set;
    fill_set(&set);
    signals->fd = -1;
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    if (sigaction(SIGPIPE, &ignore, NULL) != 0)
        return false;
    if (!block(&set))
        return false;
    signals->fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return signals->fd >= 0;
}

bool
tulle__signals_block_terminal(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    add_terminal(&set);
    return block(&set);
}

bool
tulle__signals_add_terminal(struct tulle__signals *signals)
{
    sigset_t set;
    fill_set(&set);
    add_terminal(&set);
    return signalfd(signals->fd, &set, SFD_NONBLOCK | SFD_CLOEXEC) >= 0;
}

void
tulle__signals_close(struct tulle__signals *signals)
{
    if (signals->fd >= 0)
        (void)close(signals->fd);
    signals->fd = -1;
}

int
tulle__signals_next(struct tulle__signals *signals)
{
    struct signalfd_siginfo info;
    ssize_t got = read(signals->fd, &info, sizeof info);
    return got == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

static int64_t
now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail on Linux */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int
tulle__signals_wait(struct tulle__signals *signals, int fd, int timeout_ms)
{
    int64_t end = now_ms() + timeout_ms;
    for (;;) {
        struct pollfd waits[2] = { { .fd = signals->fd, .events = POLLIN },
                                   { .fd = fd, .events = POLLIN } };
        int64_t left = timeout_ms < 0 ? -1 : end - now_ms();
        if (timeout_ms >= 0 && left < 0)
            left = 0;
        int count = poll(waits, 2, (int)left);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return 0;
        return waits[0].revents != 0 ? 2 : 1;
    }
}

void
tulle__signal_reset_child(void)
{
    sigset_t none;
    struct sigaction standard = { .sa_handler = SIG_DFL };
    (void)sigemptyset(&none);
    (void)sigaction(SIGPIPE, &standard, NULL);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}
