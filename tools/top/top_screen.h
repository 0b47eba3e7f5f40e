/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_TOP_SCREEN_H
#define TULLE_TOOLS_TOP_SCREEN_H

/* The terminal, by ncurses: keys in, the picture out. One at a time in a process. */

#include "tools/top/top_view.h"

#include <stdbool.h>

/* Take the terminal over. Returns NULL, or why it cannot be done, with the terminal as it was. */
const char *tulle__top_screen_open(bool has_colour);
/* Give it back as it was; also for a while, until the next draw. */
void tulle__top_screen_close(void);

/* The terminal has another size, or was used by others: all is to be drawn anew. */
void tulle__top_screen_resize(void);

/* The next key that waits; 0: none; below 0: the terminal is gone. */
int tulle__top_screen_key(void);

void tulle__top_screen_draw(struct tulle__top_view *view);

#endif
