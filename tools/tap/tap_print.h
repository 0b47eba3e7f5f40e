/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_TAP_PRINT_H
#define TULLE_TOOLS_TAP_PRINT_H

/* Messages as lines of tap's output. */

#include "app/format.h"
#include "app/text.h"
#include "tools/common/query.h"
#include "tools/tap/tap_reorder.h"

#include <tulle/event.h>

#include <stdbool.h>
#include <stdint.h>

enum tulle__tap_form {
    TULLE__TAP_HUMAN = 1,
    TULLE__TAP_JSON,
    TULLE__TAP_CLOUDEVENTS,
    TULLE__TAP_JQ,
    TULLE__TAP_FORMAT,
    TULLE__TAP_REORDER
};

/* Which of the two moments of an event are shown. */
enum tulle__tap_moment {
    TULLE__TAP_DELIVERED = 1, /* in the order asked for */
    TULLE__TAP_ARRIVED,
    TULLE__TAP_BOTH
};

enum { TULLE__TAP_GAPS_KEPT = 16 };

/* A gap whose next event did not come yet, for %g. */
struct tulle__tap_gap {
    uint64_t node;
    uint64_t next; /* the seq behind it; 0: none is here */
    uint64_t count;
    char stream[256];
};

struct tulle__tap_printer {
    enum tulle__tap_form form;
    struct tulle__format *format;   /* with TULLE__TAP_FORMAT */
    struct tulle__query *query;     /* with TULLE__TAP_JQ */
    struct tulle__reorder *reorder; /* with TULLE__TAP_REORDER */
    enum tulle__tap_moment moment;
    bool has_colour;
    bool is_verbose;
    bool is_pretty;
    bool has_no_payload;
    bool has_no_newline; /* after a formatted event */
    bool has_head;       /* the head of the table is printed */
    int64_t second;      /* whose local time is in clock */
    char clock[16];
    struct tulle__text json; /* scratch */
    struct tulle__tap_gap gaps[TULLE__TAP_GAPS_KEPT];
    unsigned gap_turn;
};

void tulle__tap_printer_fini(struct tulle__tap_printer *printer);

/* Is a message of this kind an event that is shown? And one that -C counts? */
bool tulle__tap_is_shown(const struct tulle__tap_printer *printer, tulle_message_kind kind);
bool tulle__tap_is_counted(const struct tulle__tap_printer *printer, tulle_message_kind kind);

/* Append the line to out, or what is no event to remarks, where the form has no place for
 * it. now_us is the time of messages that have none. */
void tulle__tap_print(struct tulle__tap_printer *printer,
                      const tulle_message *message,
                      int64_t now_us,
                      struct tulle__text *out,
                      struct tulle__text *remarks);

/* Is something kept back for the message that may follow? */
bool tulle__tap_has_rest(const struct tulle__tap_printer *printer);

/* Append what was kept back for the message that may follow: none does for now. */
void tulle__tap_print_rest(struct tulle__tap_printer *printer, struct tulle__text *out);

/* So many arrivals and the like found no room and were not kept for later. */
void tulle__tap_print_missed(struct tulle__tap_printer *printer,
                             uint64_t count,
                             int64_t now_us,
                             struct tulle__text *out,
                             struct tulle__text *remarks);

#endif
