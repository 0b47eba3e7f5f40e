/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_PROBE_H
#define TULLE_NODE_PROBE_H

/* Why does an address not answer? libzmq dials for ever and does not say. A probe is a
 * connection of its own that is closed as soon as it is made or refused. Nothing here
 * blocks: look at it now and then. */

#include "codec/limits.h"

#include <stdbool.h>
#include <stdint.h>

struct gaicb;

enum tulle__probed {
    TULLE__PROBE_PENDING,
    TULLE__PROBE_ACCEPTED,   /* or greeted, where that was waited for */
    TULLE__PROBE_REFUSED,    /* the host is there, nobody listens */
    TULLE__PROBE_UNREACHABLE /* why says more */
};

/* Start from { 0 }. */
struct tulle__probe {
    bool is_active;
    bool wants_greeting, is_connected;
    int fd;             /* being connected; -1: not */
    struct gaicb *name; /* being looked up; NULL: not */
    int port;
    int64_t end_ns;
    enum tulle__probed result;
    const char *why; /* of UNREACHABLE; static text */
};

/* Begin, for an address that can be dialed. */
void tulle__probe_begin(struct tulle__probe *probe, const char *text, int64_t now_ns);
/* The same; and a ZeroMQ socket is to be there, which greets at once. */
void tulle__probe_begin_greeting(struct tulle__probe *probe, const char *text, int64_t now_ns);
/* Once it is not PENDING the probe has ended. */
enum tulle__probed tulle__probe_look(struct tulle__probe *probe, int64_t now_ns);
/* End it; false while the system's resolver is at work for it and cannot be stopped: try again
 * later. */
bool tulle__probe_try_end(struct tulle__probe *probe);
/* End it, and wait for the resolver: only where nothing else is to be done any more. */
void tulle__probe_end(struct tulle__probe *probe);

#endif
