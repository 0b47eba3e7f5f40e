/* SPDX-License-Identifier: MPL-2.0 */
/* The end of a program whose own rules broke. */

#include "base/panic.h"

#include <stdio.h>
#include <stdlib.h>

void
tulle__panic(const char *file, int line, const char *expression)
{
    (void)fprintf(stderr, "tulle: %s:%d: broken: %s\n", file, line, expression);
    abort();
}
