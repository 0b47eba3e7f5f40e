/* SPDX-License-Identifier: MPL-2.0 */

/* A distribution as HdrHistogram writes it ("hgrm"), which its plotter and others read: a line for
 * each step towards the end, ever smaller ones, five for each halving of what is left. */

#include "app/histogram.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>

enum { TICKS_PER_HALF = 5 };

/* The share that is wanted next after this one, of 0 to 1. */
static double
next_share(double share)
{
    double halves = floor(log2(1 / (1 - share))) + 1;
    return share + 1 / (TICKS_PER_HALF * exp2(halves));
}

void
tulle__histogram_write(const struct tulle__histogram *histogram, double scale, FILE *to)
{
    double total = (double)histogram->count;
    double share = 0;
    bool is_last = histogram->count == 0;
    (void)fprintf(to, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
                  "1/(1-Percentile)");
    while (!is_last) {
        uint64_t value = tulle__histogram_quantile(histogram, share);
        uint64_t seen = tulle__histogram_up_to(histogram, value);
        is_last = seen == histogram->count;
        if (!is_last)
            (void)fprintf(to, "%12.3f %2.12f %10" PRIu64 " %14.2f\n", (double)value / scale, share,
                          seen, 1 / (1 - share));
        /* Steps that end within the same bucket say nothing new. */
        double reached = (double)seen / total;
        do {
            share = next_share(share);
        } while (!is_last && share <= reached && share < 1);
    }
    if (histogram->count > 0)
        (void)fprintf(to, "%12.3f %2.12f %10" PRIu64 "\n", (double)histogram->max / scale, 1.0,
                      histogram->count);
    (void)fprintf(to, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n",
                  tulle__histogram_mean(histogram) / scale,
                  tulle__histogram_deviation(histogram) / scale);
    (void)fprintf(to, "#[Max     = %12.3f, Total count    = %12" PRIu64 "]\n",
                  (double)histogram->max / scale, histogram->count);
    (void)fprintf(to, "#[Buckets = %12d, SubBuckets     = %12d]\n",
                  TULLE__HISTOGRAM_VALUE_BITS - TULLE__HISTOGRAM_SUB_BITS,
                  2 << TULLE__HISTOGRAM_SUB_BITS);
}
