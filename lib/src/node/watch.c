/* SPDX-License-Identifier: MPL-2.0 */

#include "node/watch.h"

#include <sys/epoll.h>
#include <unistd.h>

bool
tulle__watch_open(struct tulle__watch *watch)
{
    watch->fd = epoll_create1(EPOLL_CLOEXEC);
    return watch->fd >= 0;
}

void
tulle__watch_close(struct tulle__watch *watch)
{
    if (watch->fd >= 0)
        (void)close(watch->fd);
    watch->fd = -1;
}

bool
tulle__watch_add(struct tulle__watch *watch, int fd, uint32_t tag)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = tag };
    return epoll_ctl(watch->fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

size_t
tulle__watch_wait(const struct tulle__watch *watch,
                  int timeout_ms,
                  uint32_t tags[TULLE__WATCH_TAGS])
{
    struct epoll_event events[TULLE__WATCH_TAGS];
    int count = epoll_wait(watch->fd, events, TULLE__WATCH_TAGS, timeout_ms);
    for (int i = 0; i < count; i++)
        tags[i] = events[i].data.u32;
    return count > 0 ? (size_t)count : 0;
}
