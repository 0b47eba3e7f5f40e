/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_PLAY_SOURCE_H
#define TULLE_TOOLS_PLAY_SOURCE_H

/* The recordings that are played, one behind the other, and what of them is. */

#include "app/args.h"
#include "tools/common/event_filter.h"
#include "tools/common/recorded.h"

#include <stdbool.h>
#include <stdint.h>

struct tulle__play_source {
    const struct tulle__program *program;
    const char *const *files; /* borrowed */
    size_t file_count;
    const struct tulle__list *topics; /* patterns; none: everything */
    bool is_by_arrival;               /* which of its two times an event is played by */
    struct tulle__event_filter *filter;
    int64_t from_us, to_us; /* by that time, both inclusive */

    struct tulle__recording_reader *reader; /* NULL: the next file begins */
    size_t file;                            /* the next one */
    bool is_told;                           /* damage was */
    bool is_damaged;
    uint64_t left_out, missing; /* events; those in gaps that would have been played */
};

enum tulle__play_next { TULLE__PLAY_EVENT = 1, TULLE__PLAY_END, TULLE__PLAY_FAILED };

/* The next event that is to be played, valid until the next call, and its time. FAILED after a
 * message. */
enum tulle__play_next tulle__play_source_next(struct tulle__play_source *source,
                                              const tulle_event **event,
                                              int64_t *time_us);

/* From the first file on again; what is wrong with them has been told. */
void tulle__play_source_rewind(struct tulle__play_source *source);
void tulle__play_source_close(struct tulle__play_source *source);

#endif
