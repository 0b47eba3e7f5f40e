/* SPDX-License-Identifier: MPL-2.0 */

/* A bucket is a value without its low bits: so many are dropped that SUB_BITS + 1 are left.
 * Which bucket that is: 128 for each number of dropped bits, and the value that is left, which
 * above the first 128 has its high bit set, tells among them. */

#include "app/histogram.h"

#include <math.h>

enum { SUB = TULLE__HISTOGRAM_SUB_BITS };

#define VALUE_MAX ((UINT64_C(1) << TULLE__HISTOGRAM_VALUE_BITS) - 1)

static uint64_t
bucket_of(uint64_t value)
{
    uint64_t bucket = 0;
    if (value > VALUE_MAX)
        value = VALUE_MAX;
    while (value >> (SUB + 1) != 0) {
        value >>= 1;
        bucket += UINT64_C(1) << SUB;
    }
    return bucket + value;
}

/* The largest value of a bucket. */
static uint64_t
upper_end(uint64_t bucket)
{
    uint64_t shift = bucket >> SUB;
    if (shift <= 1)
        return bucket;
    shift--;
    uint64_t left = bucket - (shift << SUB);
    return ((left + 1) << shift) - 1;
}

void
tulle__histogram_init(struct tulle__histogram *histogram)
{
    *histogram = (struct tulle__histogram){ .min = UINT64_MAX };
}

void
tulle__histogram_record(struct tulle__histogram *histogram, uint64_t value)
{
    histogram->counts[bucket_of(value)]++;
    histogram->count++;
    histogram->sum += (double)value;
    if (value < histogram->min)
        histogram->min = value;
    if (value > histogram->max)
        histogram->max = value;
}

void
tulle__histogram_merge(struct tulle__histogram *into, const struct tulle__histogram *from)
{
    for (uint64_t i = 0; i < TULLE__HISTOGRAM_BUCKETS; i++)
        into->counts[i] += from->counts[i];
    into->count += from->count;
    into->sum += from->sum;
    into->min = from->min < into->min ? from->min : into->min;
    into->max = from->max > into->max ? from->max : into->max;
}

uint64_t
tulle__histogram_quantile(const struct tulle__histogram *histogram, double share)
{
    double wanted = share * (double)histogram->count;
    uint64_t seen = 0;
    for (uint64_t i = 0; i < TULLE__HISTOGRAM_BUCKETS - 1; i++) {
        seen += histogram->counts[i];
        if (seen > 0 && (double)seen >= wanted)
            return upper_end(i) < histogram->max ? upper_end(i) : histogram->max;
    }
    return histogram->max; /* the last bucket has no end */
}

double
tulle__histogram_mean(const struct tulle__histogram *histogram)
{
    return histogram->count > 0 ? histogram->sum / (double)histogram->count : 0;
}

double
tulle__histogram_deviation(const struct tulle__histogram *histogram)
{
    double mean = tulle__histogram_mean(histogram);
    double sum = 0;
    for (uint64_t i = 0; i < TULLE__HISTOGRAM_BUCKETS; i++) {
        double lower = i == 0 ? 0 : (double)upper_end(i - 1) + 1;
        double off = (lower + (double)upper_end(i)) / 2 - mean;
        sum += off * off * (double)histogram->counts[i];
    }
    return histogram->count > 0 ? sqrt(sum / (double)histogram->count) : 0;
}

uint64_t
tulle__histogram_up_to(const struct tulle__histogram *histogram, uint64_t value)
{
    uint64_t seen = 0;
    for (uint64_t i = 0; i <= bucket_of(value); i++)
        seen += histogram->counts[i];
    return seen;
}
