/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_APP_RECORDING_WRITER_STATE_H
#define TULLE_APP_RECORDING_WRITER_STATE_H

/* The inside of a writer, for its two halves: writing, and going on with a file that is there. */

#include "app/recording/event.h"
#include "app/recording/mcap.h"

struct tulle__channels; /* by topic, see channels.c */

/* One topic. */
struct tulle__channel {
    uint16_t id;
    uint64_t count;                      /* messages in the file, with those of the open chunk */
    struct tulle__text index;            /* of the open chunk: time and offset of each message */
    struct tulle__channel *next;         /* in order of their ids */
    struct tulle__channel *next_touched; /* of those with messages in the open chunk */
    const char *topic;
};

struct tulle__recording_writer {
    int fd;
    struct tulle__recording_options options;
    uint64_t end; /* where the next record goes */

    struct tulle__channels *channels;
    struct tulle__channel *touched, *last_touched;
    struct tulle__text records;           /* the open chunk */
    uint64_t start_ns, end_ns;            /* its times */
    bool must_end;                        /* it must not take another event */
    struct tulle__text out;               /* as it goes to the file */
    struct tulle__text index, note_index; /* for the summary: of chunks, of metadata */
    uint32_t note_count;

    uint64_t first_ns, last_ns; /* times of the file */
    struct tulle__recording_tally tally;
    struct tulle__recorded_codec *events;
    struct tulle__mcap_codec *codec;
    char problem[TULLE__RECORDING_PROBLEM_LEN];
};

/* ---- channels.c ---- */

enum { TULLE__CHANNELS_MAX = 60000 };

struct tulle__channels *tulle__channels_new(void);
void tulle__channels_free(struct tulle__channels **channels);
struct tulle__channel *tulle__channels_first(const struct tulle__channels *channels);
uint32_t tulle__channels_count(const struct tulle__channels *channels);
struct tulle__channel *
tulle__channels_find(const struct tulle__channels *channels, const char *topic, size_t len);
struct tulle__channel *tulle__channels_by_id(const struct tulle__channels *channels, uint64_t id);
/* A new one, with the next id. NULL: no memory, or too many. */
struct tulle__channel *
tulle__channels_add(struct tulle__channels *channels, const char *topic, size_t len);

/* ---- writer.c ---- */

/* Write out at end, which moves. False: the file is as it was. */
bool tulle__recording_writer_write(struct tulle__recording_writer *writer);
/* A message at the offset of records belongs to the open chunk. */
void tulle__recording_writer_note_message(struct tulle__recording_writer *writer,
                                          struct tulle__channel *channel,
                                          uint64_t time_ns,
                                          uint64_t offset);
/* Append the message indexes of the open chunk to out, which will be in the file from base on, and
 * the chunk's index to index. chunk: as it is in the file. */
struct tulle__chunk_place {
    uint64_t offset, len; /* of the record */
    uint64_t stored_len;  /* of its content */
};
void tulle__recording_writer_put_indexes(struct tulle__recording_writer *writer,
                                         uint64_t base,
                                         const struct tulle__chunk_place *place,
                                         const char *compression);
/* The file has metadata at the offset. */
void tulle__recording_writer_index_note(struct tulle__recording_writer *writer,
                                        uint64_t offset,
                                        uint64_t len);
/* The open chunk is in the file: begin another. */
void tulle__recording_writer_begin_chunk(struct tulle__recording_writer *writer);
bool tulle__recording_writer_fail(struct tulle__recording_writer *writer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- append.c ---- */

/* Take up the state of a file that is there; end is behind its last whole record then, and what
 * follows is cut off. False, with problem. */
bool tulle__recording_writer_resume(struct tulle__recording_writer *writer, uint64_t file_len);

#endif
