/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_PROXY_PROGRAM_SERVE_H
#define TULLE_PROXY_PROGRAM_SERVE_H

/* tulle-proxy from its start to the signal that ends it. */

#include "app/signal.h"
#include "options.h"

/* A proxy that runs. */
struct tulle__run {
    struct tulle__setup *setup;
    tulle_proxy *proxy;
    struct tulle__signals signals;
    int argc; /* as started: to read all again */
    char **argv;
};

/* Tell counters, read the file again at SIGHUP, stop at another signal. */
void tulle__serve(struct tulle__run *run);

#endif
