/* SPDX-License-Identifier: MPL-2.0 */
#ifndef BENCH_COMPANION_H
#define BENCH_COMPANION_H

/* What makes plain ZeroMQ sockets a node to a tulle-proxy: beats, SYNC and HERE, from an
 * engine of its own. Events are none of its business: they go over the plain sockets only. */

struct companion;

struct companion_options {
    void *context;       /* libzmq's */
    void *pub;           /* a bound PUB socket that events leave by, and so beats; NULL: none */
    const char *address; /* of pub */
    const char *join;    /* control address of the proxy */
    const char *takes;   /* a stream; NULL: none */
};

/* Ends the program when anything fails. */
struct companion *companion_open(const struct companion_options *options);
/* What came, and what time brings; never blocks. Wanted every few milliseconds. */
void companion_turn(struct companion *companion);
/* Where the proxy publishes; "" while it has not said. */
const char *companion_events_address(const struct companion *companion);
unsigned long long companion_id(const struct companion *companion);
void companion_close(struct companion *companion);

#endif
