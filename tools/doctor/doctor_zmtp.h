/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_DOCTOR_ZMTP_H
#define TULLE_TOOLS_DOCTOR_ZMTP_H

/* Just enough of ZMTP 3.0, the protocol of ZeroMQ's connections, to see who answers at an address:
 * ZeroMQ itself dials for ever and does not say. Every call returns by its deadline, in
 * microseconds of tulle__tool_mono_us(). */

#include "app/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum tulle__zmtp_result {
    TULLE__ZMTP_OK = 0,
    TULLE__ZMTP_REFUSED,     /* the host is there, nobody listens */
    TULLE__ZMTP_UNREACHABLE, /* why */
    TULLE__ZMTP_NO_ANSWER,   /* to the attempt to connect */
    TULLE__ZMTP_CLOSED,      /* connected, and closed before it had said all */
    TULLE__ZMTP_SILENT,      /* connected, and nothing said */
    TULLE__ZMTP_FOREIGN      /* something else is spoken; first */
};

struct tulle__zmtp {
    enum tulle__zmtp_result result;
    int fd;               /* -1: none */
    char why[120];        /* in words */
    char first[32];       /* what it said, where that is not ZMTP; printable */
    char mechanism[21];   /* of security: "NULL" */
    char socket_type[16]; /* "ROUTER" */
};

/* Connect, greet as a socket of that type ("SUB", "DEALER"), and read who the other end is. */
void tulle__zmtp_open(struct tulle__zmtp *zmtp,
                      const struct sockaddr *address,
                      socklen_t address_len,
                      const char *own_type,
                      int64_t deadline_us);

/* As SUB: wait for a message under exactly this key, its zero byte included, and take its second
 * frame. False: none came, or what came was no message. */
bool tulle__zmtp_subscribe(struct tulle__zmtp *zmtp,
                           const char *key,
                           size_t key_len,
                           int64_t deadline_us,
                           struct tulle__text *body);

void tulle__zmtp_close(struct tulle__zmtp *zmtp);

#endif
