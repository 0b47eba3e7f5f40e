/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_APP_FORMAT_H
#define TULLE_APP_FORMAT_H

/* Output formats of tap: a template is compiled once and then applied to each
 * event. The grammar is that of mosquitto_sub -F:
 *
 *     %[-][0][width][.precision]LETTER   a field of the event
 *     %%  @@                             a percent sign, an at sign
 *     @LETTER                            strftime(3) of the time published; @N nanoseconds
 *     \n \t \r \a \e \v \0 \\            a control character
 */

#include "app/text.h"

#include <tulle/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tulle__format;

enum { TULLE__FORMAT_WIDTH_MAX = 10000 };

/* Compile a template.
 *
 * out      set to the format, freed with tulle__format_free(); NULL on failure
 * problem  set on failure: what is wrong, static text
 */
bool tulle__format_new(const char *text, struct tulle__format **out, const char **problem);
void tulle__format_free(struct tulle__format **format);

/* Which TULLE_DETAIL_* flags must a subscription have for its fields? */
unsigned tulle__format_details(const struct tulle__format *format);

/* Print %j and %J on several lines. */
void tulle__format_set_pretty(struct tulle__format *format);

/* Append the message, an event, arrival or duplicate, without newline. gap: for %g. */
void tulle__format_apply(const struct tulle__format *format,
                         const tulle_message *message,
                         uint64_t gap,
                         struct tulle__text *out);

/* "id/stream:count id/stream:count ...", as %V and %D print clocks. */
void tulle__format_clock(const tulle_clock_entry *entries, size_t count, struct tulle__text *out);

/* "id/stream/seq ...", as %c prints causes. */
void tulle__format_causes(const tulle_event *event, struct tulle__text *out);

/* Letter and meaning of each field, for --help; NULL past the end. */
const char *tulle__format_field(size_t index, char *letter);

#endif
