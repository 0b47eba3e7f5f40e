/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_RECORD_OPTIONS_H
#define TULLE_TOOLS_RECORD_OPTIONS_H

/* Options of record. */

#include "app/args.h"
#include "tools/common/event_filter.h"

#include <tulle/node.h>

#include <stdbool.h>
#include <stdint.h>

struct tulle__record_options {
    const char *file; /* of -w */
    bool is_append, is_forced, is_synced, is_quiet, is_verbose;
    struct tulle__list rotate;
    uint64_t keep;   /* 0: all */
    int compression; /* an enum tulle__recording_compression */
    int64_t flush_ms;
    struct tulle__list exclude;
    const char *where, *from, *since, *until;
    uint64_t last;
    int order; /* a tulle_order */
    bool is_until_end;
    uint64_t count;     /* of -C; 0: no limit */
    int64_t timeout_ms; /* of -W; -1: none */
    bool is_info, is_json;
    struct tulle__list cut;

    uint64_t rotate_bytes; /* 0: not */
    int64_t rotate_us;
};

void tulle__record_options_init(struct tulle__record_options *options);

/* "Output", "Events" and "Recordings" in --help. */
struct tulle__option_group tulle__record_output_group(struct tulle__record_options *options);
struct tulle__option_group tulle__record_event_group(struct tulle__record_options *options);
struct tulle__option_group tulle__record_file_group(struct tulle__record_options *options);

/* Check them together, and fill what follows. filter is to be freed whatever is returned. Returns
 * 0 or an exit status, after a message. */
int tulle__record_options_finish(const struct tulle__program *program,
                                 struct tulle__record_options *options,
                                 tulle_subscribe_options *subscribe,
                                 struct tulle__event_filter *filter);

#endif
