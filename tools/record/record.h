/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_RECORD_H
#define TULLE_TOOLS_RECORD_H

/* What tulle record does besides recording: each returns an exit status. */

#include "tools/record/record_options.h"

/* Tell what is in the files. */
int tulle__record_info(const struct tulle__program *program,
                       const char *const *files,
                       size_t file_count,
                       bool is_json);

/* Record the events of options.cut that the patterns match and the filter passes. */
int tulle__record_cut(const struct tulle__program *program,
                      const struct tulle__record_options *options,
                      struct tulle__event_filter *filter,
                      const char *const *patterns,
                      size_t pattern_count);

#endif
