/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_APP_CONFIG_H
#define TULLE_APP_CONFIG_H

/* Configuration files: ZPL (RFC 4/ZPL), read by czmq's zconfig, checked against
 * the same tables as the command line (option.h).
 *
 *     mesh = shop
 *     listen = tcp://192.0.2.1:7100
 *     join = tcp://192.0.2.2:7100      # a list: one line for each
 *     join = tcp://192.0.2.3:7100
 *     exec = orders/new                # a pair: the second one indented
 *         command = ./count.sh
 *     segment = lan                    # a section
 *         listen = tcp://10.0.0.1:7200
 */

#include "app/args.h"
#include "app/text.h"

#include <tulle/status.h>

#include <stdbool.h>
#include <stdio.h>

enum {
    TULLE__CONFIG_BYTES_MAX = 1024 * 1024,
    TULLE__CONFIG_LINES_MAX = 4096, /* keys */
    TULLE__CONFIG_PROBLEMS_MAX = 20 /* told of one file */
};

/* Read a file into the groups' targets and sections.
 *
 * problems  gets a line "FILE:LINE: what is wrong" for each thing that is; unknown keys are.
 *           Values are looked at when all lines can be read.
 *
 * Returns  TULLE_OK
 *          TULLE_ENOENT  the file cannot be read
 *          TULLE_EINVAL  wrong syntax, key or value; targets may be partly set
 *          TULLE_ENOMEM
 */
TULLE_MUST_CHECK tulle_status tulle__config_load(const struct tulle__program *program,
                                                 const char *path,
                                                 struct tulle__strings *strings,
                                                 struct tulle__text *problems);

/* Write every key with its value and help: a file that loads to the same. */
void tulle__config_print(const struct tulle__program *program, FILE *to);

#endif
