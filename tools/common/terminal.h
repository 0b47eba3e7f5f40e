/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_TERMINAL_H
#define TULLE_TOOLS_TERMINAL_H

/* What may be sent to the terminal that reads a tool's output. */

#include "app/text.h"

#include <stdbool.h>

/* Does the locale speak UTF-8? Else lines are drawn in ASCII. */
bool tulle__terminal_is_utf8(void);

/* Colours for standard output: on a terminal that can, unless NO_COLOR is set. */
bool tulle__terminal_has_colour(void);

/* Columns of standard output; 0: no terminal. */
unsigned tulle__terminal_columns(void);

/* The first character of the text, as far as it is one: its length, 1 where it is none. *is_safe:
 * it is neither a control character nor changes how the rest of the line looks. */
size_t tulle__terminal_step(const char *text, size_t len, bool *is_safe);
/* Text that may come from a peer, with control characters escaped, and what else would change how
 * the rest of the line looks, such as the direction of writing. */
void tulle__terminal_put_safe(struct tulle__text *out, const char *text, size_t len);

/* Columns that UTF-8 text takes: East Asian characters take two, combining ones none. */
size_t tulle__terminal_width(const char *text, size_t len);

#endif
