/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TESTS_RELAY_H
#define TULLE_TESTS_RELAY_H

/* What the parts of tulle-test-relay share: time, chance and specifications.
 *
 * Each part fills poll items, is told what became ready and when to come back;
 * relay_main.c owns the loop. Times are microseconds of the monotonic clock. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RELAY_ADDRESS_LEN = 256 };

#define RELAY_NEVER INT64_MAX

int64_t relay_now_us(void);

/* A small generator with a seed, so that a lossy run can be repeated. */
struct relay_chance {
    uint64_t state;
};

uint64_t relay_chance_next(struct relay_chance *chance);

/* True in percent of 100 calls. */
bool relay_chance_hits(struct relay_chance *chance, double percent);

/* Split "LEFT=RIGHT" at the first "=" (at the last one with is_last). */
bool relay_split(const char *text,
                 bool is_last,
                 char left[static RELAY_ADDRESS_LEN],
                 char right[static RELAY_ADDRESS_LEN]);

/* One number in min..max and nothing else. */
bool relay_parse_number(const char *text, double min, double max, double *out);

#endif
