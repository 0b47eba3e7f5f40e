/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_APP_HISTOGRAM_H
#define TULLE_APP_HISTOGRAM_H

/* How values are spread, in memory of a fixed size: exact below 256, above that in buckets
 * that are less than 1 % wide (1/128), up to 2^39, which is 9 minutes in nanoseconds. The
 * last bucket has no end: it takes what is larger, which only max tells exactly.
 *
 * The layout is that of HdrHistogram, log-linear. Its C library (HdrHistogram_c) is not
 * packaged in Debian 12; with a package this module should give way to it.
 *
 * A histogram is plain data: it may be copied, and sent to a process of the same build.
 */

#include <stdint.h>
#include <stdio.h>

enum {
    TULLE__HISTOGRAM_SUB_BITS = 7,
    TULLE__HISTOGRAM_VALUE_BITS = 40,
    TULLE__HISTOGRAM_BUCKETS = (TULLE__HISTOGRAM_VALUE_BITS - TULLE__HISTOGRAM_SUB_BITS + 1)
                               << TULLE__HISTOGRAM_SUB_BITS
};

struct tulle__histogram {
    uint64_t counts[TULLE__HISTOGRAM_BUCKETS];
    uint64_t count;
    uint64_t min, max; /* exact; UINT64_MAX and 0 while it is empty */
    double sum;
};

void tulle__histogram_init(struct tulle__histogram *histogram);
void tulle__histogram_record(struct tulle__histogram *histogram, uint64_t value);
void tulle__histogram_merge(struct tulle__histogram *into, const struct tulle__histogram *from);

/* The least value that a share of all values, from 0 to 1, does not exceed: as the upper end
 * of its bucket, and never above max. 0 when it is empty. */
uint64_t tulle__histogram_quantile(const struct tulle__histogram *histogram, double share);

/* 0 when it is empty. */
double tulle__histogram_mean(const struct tulle__histogram *histogram);

/* The standard deviation, as if values were in the middle of their buckets. 0 when it is empty. */
double tulle__histogram_deviation(const struct tulle__histogram *histogram);

/* Write it as HdrHistogram writes percentiles (.hgrm), values divided by scale. */
void tulle__histogram_write(const struct tulle__histogram *histogram, double scale, FILE *to);

/* How many values are in the buckets up to that of the value. */
uint64_t tulle__histogram_up_to(const struct tulle__histogram *histogram, uint64_t value);

#endif
