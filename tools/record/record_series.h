/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_RECORD_SERIES_H
#define TULLE_TOOLS_RECORD_SERIES_H

/* The file that is recorded to, or the files: of a rotation, or because one has become full. */

#include "app/recording/recording.h"
#include "tools/record/record_options.h"

#include <stdbool.h>
#include <stdint.h>

enum { TULLE__RECORD_PATH_MAX = 4096 };

struct tulle__record_series {
    const struct tulle__program *program;
    const struct tulle__record_options *options;
    struct tulle__recording_options writing;
    struct tulle__recording_writer *writer; /* NULL: the next event begins a file */
    char path[TULLE__RECORD_PATH_MAX];      /* of the file that is written, or was last */
    uint64_t number;                        /* of the last file; 0: none, or one without */
    int64_t begun_us, flush_us;             /* when it began; when what waits is to be written */

    uint64_t files, events, gaps, bytes;      /* of this run, those of the open file apart */
    uint64_t lost;                            /* events and gaps that could not be written */
    bool has_failed;                          /* it was told why */
    uint64_t had_events, had_gaps, had_bytes; /* in the open file before */
};

/* Begin. notes are borrowed for as long as the series. False, after a message. */
bool tulle__record_series_open(struct tulle__record_series *series,
                               const struct tulle__program *program,
                               const struct tulle__record_options *options,
                               const struct tulle__recording_note *notes,
                               size_t note_count);

/* Has the path the name of a file that a series with these options may replace or remove? */
bool tulle__record_series_may_remove(const struct tulle__record_options *options, const char *path);

/* Add an event or a gap. False, after a message. */
bool tulle__record_series_add(struct tulle__record_series *series,
                              const tulle_message *message,
                              int64_t arrival_us);

/* What is due by time: flushes, the end of a file. False, after a message. now_us: of the clock
 * that never jumps. */
bool tulle__record_series_tick(struct tulle__record_series *series, int64_t now_us);

/* Milliseconds until something is due; -1: nothing is. */
int64_t tulle__record_series_left_ms(const struct tulle__record_series *series, int64_t now_us);

/* Flush and end the file in order. False, after a message. Once a call has failed this only
 * closes it. */
bool tulle__record_series_close(struct tulle__record_series *series);

/* Of this run. */
struct tulle__record_total {
    uint64_t events, gaps, bytes, files;
    uint64_t unwritten; /* events and gaps that wait, or could not be written */
};
void tulle__record_series_total(const struct tulle__record_series *series,
                                struct tulle__record_total *out);

#endif
