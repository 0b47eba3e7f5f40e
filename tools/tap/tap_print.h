/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_TAP_PRINT_H
#define TULLE_TOOLS_TAP_PRINT_H

/* Messages as lines of tap's output. */

#include "app/format.h"
#include "app/text.h"

#include <tulle/event.h>

#include <stdbool.h>
#include <stdint.h>

enum tulle__tap_form { TULLE__TAP_HUMAN = 1, TULLE__TAP_JSON, TULLE__TAP_FORMAT };

/* Which of the two moments of an event are shown. */
enum tulle__tap_moment {
    TULLE__TAP_DELIVERED = 1, /* in the order asked for */
    TULLE__TAP_ARRIVED,
    TULLE__TAP_BOTH
};

struct tulle__tap_printer {
    enum tulle__tap_form form;
    const struct tulle__format *format; /* with TULLE__TAP_FORMAT */
    enum tulle__tap_moment moment;
    bool has_colour;
    bool is_verbose;
    bool has_no_newline; /* after a formatted event */
    int64_t second;      /* whose local time is in clock */
    char clock[16];
};

/* Is a message of this kind an event that is shown, and counted by -C? */
bool tulle__tap_is_shown(const struct tulle__tap_printer *printer, tulle_message_kind kind);

/* Append the line to out, or, with a format, what is no event to remarks.
 * now_us is the time of messages that have none. */
void tulle__tap_print(struct tulle__tap_printer *printer,
                      const tulle_message *message,
                      int64_t now_us,
                      struct tulle__text *out,
                      struct tulle__text *remarks);

#endif
