/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_LOAD_SERIES_H
#define TULLE_TOOLS_LOAD_SERIES_H

/* One load after the other, for each size and rate asked for, each as often as asked for. */

#include "tools/load/load_report.h"

struct tulle__load_series {
    const struct tulle__program *program;
    const struct tulle__load_options *options; /* finished */
    /* Print what the runs of one load came to, as text or CSV; JSON is printed here. */
    void (*print)(const struct tulle__load_plan *plan,
                  const struct tulle__load_result *runs,
                  void *ctx);
    void *ctx;
};

/* Returns the exit status: also 1 when something was not delivered as it should. */
int tulle__load_series_run(const struct tulle__load_series *series);

#endif
