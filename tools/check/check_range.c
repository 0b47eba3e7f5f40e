/* SPDX-License-Identifier: MPL-2.0 */

/* Thresholds in the form that every monitoring system's users know. */

#include "tools/check/check_range.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* A plain decimal number: strtod() alone takes hexadecimal, "nan" and leading blanks too. */
static bool
parse_number(const char *text, const char **end, double *out)
{
    size_t len = strspn(text, "+-.0123456789eE");
    char *stop = NULL;
    *out = strtod(text, &stop);
    *end = stop;
    return stop == text + len && len > 0 && isfinite(*out);
}

bool
tulle__range_parse(const char *text, struct tulle__range *out)
{
    struct tulle__range range = { .text = text, .low = 0, .high = INFINITY };
    const char *at = text;
    range.is_inside = *at == '@';
    at += range.is_inside;
    if (strchr(at, ':') != NULL) {
        if (*at == '~') {
            range.low = -INFINITY;
            at++;
        } else if (*at != ':' && !parse_number(at, &at, &range.low)) {
            return false;
        }
        if (*at++ != ':')
            return false;
    } else if (*at == '\0') {
        return false;
    }
    if (*at != '\0' && (!parse_number(at, &at, &range.high) || *at != '\0'))
        return false;
    if (range.low > range.high)
        return false;
    *out = range;
    return true;
}

bool
tulle__range_alerts(const struct tulle__range *range, double value)
{
    if (range->text == NULL)
        return false;
    bool is_in = value >= range->low && value <= range->high;
    return is_in == range->is_inside;
}
