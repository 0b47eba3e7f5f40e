/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_APP_EXIT_H
#define TULLE_APP_EXIT_H

/* Exit statuses of every program, as their man pages list them. */

#include <tulle/status.h>

enum tulle__exit {
    TULLE__EXIT_OK = 0,
    TULLE__EXIT_FAILURE = 1,
    TULLE__EXIT_USAGE = 2,   /* wrong options or arguments */
    TULLE__EXIT_CONFIG = 3,  /* wrong configuration file or value */
    TULLE__EXIT_NETWORK = 4, /* address taken, peers not reached */
    TULLE__EXIT_STORAGE = 5,
    TULLE__EXIT_TIMEOUT = 27 /* tap -W ran out, as in mosquitto_sub */
};

/* Exit status for a library status: what a program returns when a call that it
 * cannot do without failed. */
enum tulle__exit tulle__exit_of(tulle_status status);

#endif
