/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_APP_LIBRARIES_H
#define TULLE_APP_LIBRARIES_H

/* The libraries that messages go through: what a program was compiled with, and what runs. */

#include <stdbool.h>
#include <stddef.h>

struct tulle__library {
    const char *name;
    int compiled[3]; /* major, minor, patch */
    int running[3];
};

/* The index-th one; false past the end. */
bool tulle__library_at(size_t index, struct tulle__library *out);

#endif
