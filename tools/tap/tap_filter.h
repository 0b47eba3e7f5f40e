/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_TAP_FILTER_H
#define TULLE_TOOLS_TAP_FILTER_H

/* Which events a tap shows of those that it takes. */

#include "app/option.h"
#include "app/text.h"
#include "tools/common/query.h"

#include <tulle/event.h>

#include <stdbool.h>
#include <stdint.h>

struct tulle__tap_filter {
    const struct tulle__list *exclude; /* patterns of -T */
    int64_t since_us, until_us;        /* both inclusive */
    struct tulle__query *where;        /* NULL: everything */
    struct tulle__text json;           /* scratch */
};

void tulle__tap_filter_init(struct tulle__tap_filter *filter);
void tulle__tap_filter_fini(struct tulle__tap_filter *filter);

/* message: an event, arrival or duplicate */
bool tulle__tap_filter_passes(struct tulle__tap_filter *filter, const tulle_message *message);

#endif
