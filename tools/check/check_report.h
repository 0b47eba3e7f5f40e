/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_CHECK_REPORT_H
#define TULLE_TOOLS_CHECK_REPORT_H

/* A verdict as people, monitoring systems and programs read it. */

#include "app/text.h"
#include "tools/check/check_metric.h"
#include "tools/common/mesh.h"

enum tulle__check_format {
    TULLE__CHECK_TEXT = 1, /* of the Monitoring Plugins: a line, performance data, more lines */
    TULLE__CHECK_JSON,
    TULLE__CHECK_PROMETHEUS
};

struct tulle__check_report {
    enum tulle__verdict verdict;
    const char *problem; /* why nothing could be judged; else NULL, and what follows is */
    const struct tulle__mesh *mesh; /* with its snapshot */
    const struct tulle__check_values *values;
    const struct tulle__check_limits *limits;
    const struct tulle__check_scope *scope;
    const struct tulle__check_base *base; /* NULL: counted from the start of nodes */
    bool is_verbose;
};

void tulle__check_put(const struct tulle__check_report *report,
                      enum tulle__check_format format,
                      struct tulle__text *out);

/* The formats one by one. */
void tulle__check_put_text(const struct tulle__check_report *report, struct tulle__text *out);
void tulle__check_put_json(const struct tulle__check_report *report, struct tulle__text *out);
void tulle__check_put_prometheus(const struct tulle__check_report *report, struct tulle__text *out);

/* A number with at most three decimals. */
void tulle__check_put_number(struct tulle__text *out, double value);

/* What is said of a sample: who, and what is with it; fit for a terminal. */
void tulle__check_put_sample(const struct tulle__check_report *report,
                             const struct tulle__check_sample *sample,
                             struct tulle__text *out);

/* The samples of a metric, the highest first: up to max of them, borrowed from values. Returns
 * how many there are in all. */
size_t tulle__check_worst(const struct tulle__check_values *values,
                          enum tulle__metric metric,
                          const struct tulle__check_sample **worst,
                          size_t max);

#endif
