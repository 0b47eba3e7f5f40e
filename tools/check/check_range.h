/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_CHECK_RANGE_H
#define TULLE_TOOLS_CHECK_RANGE_H

/* Ranges of the Monitoring Plugins' guidelines: an alert is raised when a value is
 *
 *     10       below 0 or above 10
 *     10:      below 10
 *     ~:10     above 10
 *     10:20    below 10 or above 20
 *     @10:20   in 10 .. 20, both included
 */

#include <stdbool.h>

struct tulle__range {
    const char *text; /* as it was typed; borrowed; NULL: no range, which never alerts */
    double low, high; /* may be infinite */
    bool is_inside;   /* alert inside, not outside */
};

/* Returns false when the text is no range. */
bool tulle__range_parse(const char *text, struct tulle__range *out);

bool tulle__range_alerts(const struct tulle__range *range, double value);

#endif
