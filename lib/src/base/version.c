/* SPDX-License-Identifier: MPL-2.0 */
/* The version of the library that runs, which may not be the one that a program
 * was compiled for. */

#include <tulle/version.h>

const char *
tulle_version(void)
{
    return TULLE_VERSION;
}
