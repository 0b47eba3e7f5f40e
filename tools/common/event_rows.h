/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_EVENT_ROWS_H
#define TULLE_TOOLS_EVENT_ROWS_H

/* Rows of option tables (app/option.h) that tap, record and play have in common, for what
 * event_filter.h takes. at: the offset of the field; its type is in the comment. */

#include "app/common.h"
#include "app/option.h"
#include "tools/common/when.h"

// clang-format off
/* struct tulle__list; no more than most of them */
#define TULLE__ROW_EXCLUDE(at, most)                                                               \
    { .name = "exclude", .letter = 'T', .type = TULLE__OPTION_LIST,                                \
      .flags = TULLE__OPTION_FLAG_ONLY, .offset = (at), .arg = "PATTERN",                          \
      .check = tulle__check_pattern, .max = (most),                                                \
      .help = "leave out events whose topics match; may be repeated" }

/* const char *; printer: a literal, the command that prints the object */
#define TULLE__ROW_WHERE(at, printer)                                                              \
    { .name = "where", .type = TULLE__OPTION_STRING, .flags = TULLE__OPTION_FLAG_ONLY,             \
      .offset = (at), .arg = "EXPR",                                                               \
      .help = "only events for which the jq program EXPR, given the object that " printer          \
              " prints, is true" }

/* int */
#define TULLE__ROW_ORDER(at)                                                                       \
    { .name = "order", .letter = 'o', .type = TULLE__OPTION_CHOICE,                                \
      .flags = TULLE__OPTION_FLAG_ONLY, .offset = (at), .arg = "ORDER",                            \
      .choices = tulle__orders,                                                                    \
      .help = "order of delivery: none (nothing is repaired), fifo (each node's own), or causal "  \
              "(causes first, over all patterns)" }

/* const char * */
#define TULLE__ROW_FROM(at)                                                                        \
    { .name = "from", .type = TULLE__OPTION_STRING, .flags = TULLE__OPTION_FLAG_ONLY,              \
      .offset = (at), .arg = "WHERE",                                                              \
      .help = "where reading begins: live (default), earliest (all that is still kept), or "       \
              "last:N (the last N events of each node and stream)" }

/* uint64_t; 0: not given */
#define TULLE__ROW_LAST(at)                                                                        \
    { .name = "last", .type = TULLE__OPTION_U64, .flags = TULLE__OPTION_FLAG_ONLY,                 \
      .offset = (at), .arg = "N", .min = 1, .max = 1e18, .help = "the same as --from last:N" }

/* const char * */
#define TULLE__ROW_SINCE(at)                                                                       \
    { .name = "since", .type = TULLE__OPTION_STRING, .flags = TULLE__OPTION_FLAG_ONLY,             \
      .offset = (at), .arg = "TIME", .check = tulle__when_check,                                   \
      .help = "only events published at TIME or later, from what is still kept on: 10m (ago), "    \
              "12:30, 2024-05-01T12:30:00Z, or seconds since 1970" }

/* const char *; done: a literal, what has become of the events */
#define TULLE__ROW_UNTIL(at, done)                                                                 \
    { .name = "until", .type = TULLE__OPTION_STRING, .flags = TULLE__OPTION_FLAG_ONLY,             \
      .offset = (at), .arg = "TIME", .check = tulle__when_check,                                   \
      .help = "only events published at TIME or before, and end when all of them are " done }

/* bool; done: likewise */
#define TULLE__ROW_UNTIL_END(at, done)                                                             \
    { .name = "until_end", .letter = 'e', .type = TULLE__OPTION_FLAG,                              \
      .flags = TULLE__OPTION_FLAG_ONLY, .offset = (at),                                            \
      .help = "end when everything that is kept at the start is " done }
// clang-format on

#endif
