/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_QUERY_H
#define TULLE_TOOLS_QUERY_H

/* jq expressions over events, by libjq: to choose events and to make output of them. */

#include "app/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TULLE__QUERY_ERROR_LEN = 256 };

struct tulle__query;

/* Compile a jq program.
 *
 * out      set to the query, freed with tulle__query_free(); NULL on failure
 * problem  on failure what jq says, one line
 */
bool tulle__query_new(const char *program,
                      struct tulle__query **out,
                      char problem[static TULLE__QUERY_ERROR_LEN]);
void tulle__query_free(struct tulle__query **query);

/* Is any result for the JSON value neither false nor null? A value that the program
 * cannot be applied to is counted as an error, and false. */
bool tulle__query_holds(struct tulle__query *query, const char *json, size_t len);

/* Append each result for the JSON value as a line of JSON. Results before an error stay. */
void tulle__query_apply(struct tulle__query *query,
                        const char *json,
                        size_t len,
                        bool is_pretty,
                        struct tulle__text *out);

/* How many values failed, and what was said of the first; "" when none did. */
uint64_t tulle__query_errors(const struct tulle__query *query, const char **first);

/* Say that on standard error, if there were any: "PROGRAM: OPTION failed for 3 events, at first:
 * ...". query may be NULL. */
void tulle__query_tell(const struct tulle__query *query, const char *program, const char *option);

#endif
