/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_LOAD_REPORT_H
#define TULLE_TOOLS_LOAD_REPORT_H

/* What several runs of one load come to, and the parts of it that bench and latency print
 * alike. */

#include "tools/load/load_options.h"

#include <jansson.h>

/* A figure over the runs. */
struct tulle__spread {
    double median, min, max;
};

/* The figure of a run; ctx as given. */
typedef double (*tulle__load_figure)(const struct tulle__load_result *run, const void *ctx);

struct tulle__spread tulle__load_spread(const struct tulle__load_result *runs,
                                        size_t count,
                                        tulle__load_figure figure,
                                        const void *ctx);

/* The spread of a figure that stands at an offset of the result. */
struct tulle__spread
tulle__load_spread_at(const struct tulle__load_result *runs, size_t count, size_t offset);
uint64_t tulle__load_sum_at(const struct tulle__load_result *runs, size_t count, size_t offset);
uint64_t tulle__load_max_at(const struct tulle__load_result *runs, size_t count, size_t offset);

/* Latencies in microseconds: medians of the runs, but min and max of them all, and how many
 * there were. */
enum tulle__load_percentile {
    TULLE__LOAD_P50,
    TULLE__LOAD_P75,
    TULLE__LOAD_P90,
    TULLE__LOAD_P95,
    TULLE__LOAD_P99,
    TULLE__LOAD_P99_9,
    TULLE__LOAD_P99_99,
    TULLE__LOAD_PERCENTILES
};

struct tulle__load_latency {
    uint64_t count;
    double min, mean, max;
    double percentiles[TULLE__LOAD_PERCENTILES];
};

struct tulle__load_latency tulle__load_latency(const struct tulle__load_result *runs, size_t count);

/* "p999", for instance. */
const char *tulle__load_percentile_name(int percentile);

/* Say on stderr what was not delivered as it should. Returns true when all was. */
bool tulle__load_judge(const char *name, const char *what, const struct tulle__load_result *run);

/* The members that results of both tools have, documented in tulle-bench(1). NULL without
 * memory. */
json_t *tulle__load_json(const struct tulle__load_plan *plan,
                         const struct tulle__load_result *runs,
                         size_t count);
/* {"tool": ..., "version": ..., "results": results} on stdout. Returns false,
 * after a message, when that failed. */
bool tulle__load_print_json(const char *name, json_t *results);

#endif
