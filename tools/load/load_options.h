/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_LOAD_OPTIONS_H
#define TULLE_TOOLS_LOAD_OPTIONS_H

/* Options that bench and latency share: what to run, how often, and how to print it. */

#include "app/common.h"
#include "tools/load/load_counts.h"

enum { TULLE__LOAD_RUNS_MAX = 100 };

struct tulle__load_options {
    struct tulle__load_plan plan;
    struct tulle__load_counts counts;
    struct tulle__common common; /* of logging and tuning */
    const char *size;            /* a list of sizes */
    uint64_t sizes[TULLE__LOAD_VALUES_MAX];
    size_t size_count;
    const char *rate; /* a list of rates */
    double rates[TULLE__LOAD_VALUES_MAX];
    size_t rate_count;
    uint32_t runs;
    uint64_t window_bytes;
    bool is_json, is_csv, is_quiet;
};

/* The defaults of bench; others are set by the caller before it reads its options. */
void tulle__load_options_init(struct tulle__load_options *options);

/* "Measuring", "Output"; the tuning group of common comes beside them. */
struct tulle__option_group tulle__load_measure_group(struct tulle__load_options *options);
struct tulle__option_group tulle__load_output_group(struct tulle__load_options *options);

/* Check them together and complete the plan, all but its numbers, size and rate. Returns 0 or an
 * exit status, after a message. */
int tulle__load_options_finish(const struct tulle__program *program,
                               const struct tulle__args *args,
                               struct tulle__load_options *options);

/* "causal", "tcp": as the options are written. */
const char *tulle__load_order_name(int order);
const char *tulle__load_transport_name(int transport);

#endif
