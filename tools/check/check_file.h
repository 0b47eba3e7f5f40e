/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_CHECK_FILE_H
#define TULLE_TOOLS_CHECK_FILE_H

/* Files that others read while they are written anew. */

#include "app/text.h"

#include <stdbool.h>

/* Put the text in place of the file's, in one step: readers see the old or the new one, whole.
 * False: errno says why not, and the file is as it was. */
bool tulle__replace_file(const char *path, const struct tulle__text *text);

#endif
