/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_LOAD_SERIES_H
#define TULLE_TOOLS_LOAD_SERIES_H

/* One load after the other, for each size and rate asked for, each as often as asked for. */

#include "tools/load/load_report.h"

#include <stdbool.h>

struct tulle__load_series {
    const struct tulle__program *program;
    const struct tulle__load_options *options; /* finished */
    /* Print what the runs of one load came to, as text or CSV, or otherwise; JSON is printed here.
     * Returns false, after a message, when it could not. */
    bool (*print)(const struct tulle__load_plan *plan,
                  const struct tulle__load_result *runs,
                  void *ctx);
    void *ctx;
    /* Run once, as tulle__load_run() does, which NULL stands for; it may change what the plan says
     * of what was found. */
    int (*run)(struct tulle__load_plan *plan,
               const char *name,
               const char *progress,
               struct tulle__signals *signals,
               struct tulle__load_result *out);
};

/* Returns the exit status: also 1 when something was not delivered as it should. */
int tulle__load_series_run(const struct tulle__load_series *series);

#endif
