/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_VERSION_H
#define TULLE_VERSION_H

/* The version of the headers, as macros, and of the library that runs, as a
 * function. Until 1.0 a change of the minor version may change the interface. */

#include <tulle/status.h>

#define TULLE_VERSION_MAJOR 0
#define TULLE_VERSION_MINOR 1
#define TULLE_VERSION_PATCH 0
#define TULLE_VERSION       "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

/* Version of the library in use, such as "0.1.0": compare with TULLE_VERSION to
 * find a program that was compiled for another one.
 *
 * Returns  static text
 * Threads  any; never blocks
 * Since    0.1
 */
TULLE_API const char *tulle_version(void);

#ifdef __cplusplus
}
#endif

#endif
