/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_WATCH_H
#define TULLE_NODE_WATCH_H

/* Waiting for one of many descriptors. One system call finds out which, where zmq_poll()
 * makes some for each socket; but a socket's descriptor only says that there may be something
 * new since it was looked at last: who waits must have looked before. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tulle__watch {
    int fd;
};

/* False: the system has no descriptor left. */
bool tulle__watch_open(struct tulle__watch *watch);
/* What was not open is left alone. */
void tulle__watch_close(struct tulle__watch *watch);
/* Say tag when the descriptor can be read. False: it is none. */
bool tulle__watch_add(struct tulle__watch *watch, int fd, uint32_t tag);

enum { TULLE__WATCH_TAGS = 64 };
/* How many of them can be read, and their tags; 0: none, within timeout_ms. */
size_t tulle__watch_wait(const struct tulle__watch *watch,
                         int timeout_ms,
                         uint32_t tags[TULLE__WATCH_TAGS]);

#endif
