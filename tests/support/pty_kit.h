/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TESTS_PTY_KIT_H
#define TULLE_TESTS_PTY_KIT_H

/* A program on a terminal of its own: a pseudo-terminal whose other end understands what a
 * program sends to an xterm, so that a test sees what a person would see. Sequences that it does
 * not know fail the test. One thread only; all is ended by pty_end_all(). */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { PTY_WIDTH_MAX = 300, PTY_HEIGHT_MAX = 120, PTY_WAIT_MS = 60000, PTY_LOOK_MS = 50 };

struct pty;

enum pty_mark { PTY_BOLD = 1, PTY_DIM = 2, PTY_UNDERLINE = 4, PTY_REVERSE = 8, PTY_COLOUR = 16 };

/* Start bin/<program> of the build with the arguments up to NULL on a terminal of that size. */
struct pty *pty_start(unsigned width, unsigned height, const char *program, ...)
    __attribute__((sentinel));

/* Type. */
void pty_type(struct pty *pty, const char *keys);
/* Make it another size, as by dragging a window's corner. */
void pty_resize(struct pty *pty, unsigned width, unsigned height);

/* A line as it is seen, without spaces at its end; valid until the next call. */
const char *pty_line(struct pty *pty, unsigned y);
/* The line that the text is in, from top to bottom; -1: none. */
int pty_find(struct pty *pty, const char *text);
/* The column that the text begins at in the line; -1: it is not there. */
int pty_column(struct pty *pty, unsigned y, const char *text);
/* Marks (enum pty_mark) of the text's first character in the line; 0 when it is not there. */
unsigned pty_marks(struct pty *pty, unsigned y, const char *text);

/* Wait until the text is seen, or is no more. */
void pty_wait_text(struct pty *pty, const char *text);
void pty_wait_no_text(struct pty *pty, const char *text);
/* Wait until the text is in that line. */
void pty_wait_line(struct pty *pty, unsigned y, const char *text);
/* Wait until the condition holds: what is seen at one moment may be half of the next picture. */
#define PTY_UNTIL(pty, condition)                              \
    do {                                                       \
        int pty_waited = 0;                                    \
        for (; !(condition); pty_waited += PTY_LOOK_MS) {      \
            if (pty_waited > PTY_WAIT_MS) {                    \
                pty_print(pty);                                \
                fail_msg("never became true: %s", #condition); \
            }                                                  \
            pty_pause(pty, PTY_LOOK_MS);                       \
        }                                                      \
    } while (0)
/* Read what comes for so long. */
void pty_pause(struct pty *pty, int ms);

pid_t pty_pid(const struct pty *pty);
void pty_signal(struct pty *pty, int number);
/* Wait until it has ended: its exit status; 128 + n when signal n ended it. */
int pty_wait(struct pty *pty);
/* Is the terminal as programs expect it: lines with echo, the usual screen, a cursor? */
bool pty_is_restored(struct pty *pty);
/* Nobody is at the terminal any more. */
void pty_hang_up(struct pty *pty);

/* All that is seen, on standard error. */
void pty_print(struct pty *pty);

/* Teardown, of cmocka's type. */
int pty_end_all(void **state);

#endif
