/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_LOAD_COUNTS_H
#define TULLE_TOOLS_LOAD_COUNTS_H

/* How many of each a load has, as lists such as "1,2,4": every one of a list is measured with every
 * one of the others. */

#include "tools/load/load.h"

#include <stddef.h>

enum tulle__load_count {
    TULLE__LOAD_PUBLISHERS,
    TULLE__LOAD_SUBSCRIBERS,
    TULLE__LOAD_BOTH,
    TULLE__LOAD_STREAMS,
    TULLE__LOAD_TOPICS,
    TULLE__LOAD_PROXIES,
    TULLE__LOAD_COUNTS
};

enum { TULLE__LOAD_VALUES_MAX = 16 };

struct tulle__load_counts {
    const char *texts[TULLE__LOAD_COUNTS]; /* as given; NULL: what the plan has */
    uint32_t values[TULLE__LOAD_COUNTS][TULLE__LOAD_VALUES_MAX];
    size_t value_counts[TULLE__LOAD_COUNTS]; /* 0: what the plan has */
};

/* The next item of a list such as "64,256", of up to 31 characters; *at moves on, to NULL after
 * the last. Returns false when the item is too long. */
bool tulle__load_next_item(const char **at, char item[static 32]);

/* Read the texts. Returns NULL, or what is wrong, in problem. */
const char *tulle__load_counts_read(struct tulle__load_counts *counts, char problem[static 200]);

/* Set the plan's numbers to the index-th combination, the last of the lists fastest. Returns false
 * past the end. */
bool tulle__load_counts_at(const struct tulle__load_counts *counts,
                           size_t index,
                           struct tulle__load_plan *plan);

/* Are these numbers of both the same? */
bool tulle__load_counts_equal(const struct tulle__load_plan *a, const struct tulle__load_plan *b);

#endif
