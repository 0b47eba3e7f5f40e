/* SPDX-License-Identifier: MPL-2.0 */
/* Compiles against the installed headers, runs against the installed library. */

#include <tulle/tulle.h>

#include <stdio.h>
#include <string.h>

int
main(void)
{
    if (strcmp(tulle_version(), TULLE_VERSION) != 0) {
        fprintf(stderr, "header %s, library %s\n", TULLE_VERSION, tulle_version());
        return 1;
    }
    printf("tulle %s: %s\n", tulle_version(), tulle_strerror(TULLE_OK));
    return 0;
}
