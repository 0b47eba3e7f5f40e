/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_APP_RECORDING_H
#define TULLE_APP_RECORDING_H

/* Recordings: files of events as a subscription delivered them, with their clocks and the time
 * that each arrived (docs/recordings.md). The container is MCAP, so that other tools can read it.
 *
 * A file grows by whole chunks, each with its own checksum. What was written before its writer
 * died reads back; only the summary at the end is missing then.
 */

#include "app/text.h"

#include <tulle/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tulle__recording_compression {
    TULLE__RECORDING_NONE = 1,
    TULLE__RECORDING_LZ4,
    TULLE__RECORDING_ZSTD
};

enum {
    TULLE__RECORDING_PROBLEM_LEN = 200,
    TULLE__RECORDING_CHUNK_BYTES = 1024 * 1024, /* default of chunk_bytes */
    TULLE__RECORDING_CHUNK_BYTES_MAX = 16 * 1024 * 1024
};

/* ---- writing ---- */

enum tulle__recording_open {
    TULLE__RECORDING_CREATE = 1, /* the file must not be there */
    TULLE__RECORDING_REPLACE,    /* what was there is gone */
    TULLE__RECORDING_APPEND      /* go on behind what is whole of it; made when it is not there */
};

/* What goes to the file's metadata. */
struct tulle__recording_note {
    const char *name;
    const char *value;
};

struct tulle__recording_options {
    enum tulle__recording_open open;
    enum tulle__recording_compression compression;
    uint32_t chunk_bytes; /* a chunk is written when its events are so long, or by flush */
    bool is_synced;       /* each flush reaches the disk: fdatasync(2) */
    const struct tulle__recording_note *notes; /* borrowed */
    size_t note_count;
};

/* So far; of a file that was appended to, with what it had before. */
struct tulle__recording_tally {
    uint64_t events, gaps;
    uint64_t waiting; /* how many of both are not written yet */
    uint64_t bytes;   /* of the file */
    uint64_t chunks;  /* in the file */
    uint64_t dropped; /* bytes behind the last whole record, cut off by APPEND */
};

struct tulle__recording_writer;

void tulle__recording_options_init(struct tulle__recording_options *options);

/* Returns NULL, with problem set, when it cannot be done. */
struct tulle__recording_writer *
tulle__recording_create(const char *path,
                        const struct tulle__recording_options *options,
                        char problem[static TULLE__RECORDING_PROBLEM_LEN]);

/* Add an EVENT or a GAP; other kinds are no part of a recording. arrival_us: when it came here,
 * since 1970. A full chunk is written at once.
 *
 * Returns false when it cannot be written: the file ends with the last whole chunk then. What
 * waited for the disk stays, and the next flush tries again. */
bool tulle__recording_add(struct tulle__recording_writer *writer,
                          const tulle_message *message,
                          int64_t arrival_us);

/* Write what waits. Returns false as above. */
bool tulle__recording_flush(struct tulle__recording_writer *writer);

/* Is there anything to flush? */
bool tulle__recording_is_waiting(const struct tulle__recording_writer *writer);

/* The index of the file has grown to its limit: begin another file. */
bool tulle__recording_is_full(const struct tulle__recording_writer *writer);

void tulle__recording_tally(const struct tulle__recording_writer *writer,
                            struct tulle__recording_tally *out);

/* Why writing failed last. */
const char *tulle__recording_problem(const struct tulle__recording_writer *writer);

/* Flush, write the summary, close, free; *writer becomes NULL. Returns false, with problem set,
 * when the file has no summary or not everything: it reads back all the same, as one whose writer
 * died. NULL is allowed. */
bool tulle__recording_close(struct tulle__recording_writer **writer,
                            char problem[static TULLE__RECORDING_PROBLEM_LEN]);

/* ---- reading ---- */

/* One record. Pointers are valid until the next call. */
struct tulle__recorded {
    tulle_message message; /* an EVENT, with deps and clock, or a GAP */
    int64_t arrival_us;
};

enum tulle__recording_result {
    TULLE__RECORDING_RECORD = 1,
    TULLE__RECORDING_END,   /* of a whole file */
    TULLE__RECORDING_TORN,  /* of a file that is cut off, or damaged from here on */
    TULLE__RECORDING_FAILED /* it cannot be read, or there is no memory */
};

/* What the reader has found up to where it is; all of it at the end. */
struct tulle__recording_state {
    uint64_t file_bytes;
    uint64_t whole_bytes; /* up to the end of the last whole record */
    uint64_t chunks;
    uint64_t damaged_chunks;          /* left out: their checksum or content is wrong */
    uint64_t damaged_records;         /* left out: messages that cannot be read */
    uint64_t stored_bytes, raw_bytes; /* of the chunks: as in the file, and not compressed */
    bool has_none, has_lz4, has_zstd; /* compressions seen */
    bool is_complete;                 /* ends as it should */
};

struct tulle__recording_reader;

/* Open a file, or bytes that are borrowed until it is closed. Returns NULL, with problem set,
 * when it is no recording. */
struct tulle__recording_reader *
tulle__recording_open(const char *path, char problem[static TULLE__RECORDING_PROBLEM_LEN]);
struct tulle__recording_reader *tulle__recording_open_bytes(
    const void *bytes, size_t len, char problem[static TULLE__RECORDING_PROBLEM_LEN]);

/* Only what arrived from from_us on and before to_us: chunks without such are skipped unread. */
void tulle__recording_limit(struct tulle__recording_reader *reader, int64_t from_us, int64_t to_us);

/* The next record, in the order they were delivered. */
enum tulle__recording_result tulle__recording_next(struct tulle__recording_reader *reader,
                                                   const struct tulle__recorded **out);

/* Of TORN and FAILED: what is wrong. */
const char *tulle__recording_reason(const struct tulle__recording_reader *reader);
void tulle__recording_state(const struct tulle__recording_reader *reader,
                            struct tulle__recording_state *out);

/* The file's metadata that has been passed: NULL when there is none of the name. */
const char *tulle__recording_note(const struct tulle__recording_reader *reader, const char *name);

/* Begin anew at the first record. */
void tulle__recording_rewind(struct tulle__recording_reader *reader);

/* NULL is allowed; *reader becomes NULL. */
void tulle__recording_reader_close(struct tulle__recording_reader **reader);

#endif
