/* SPDX-License-Identifier: MPL-2.0 */

/* Recordings are read from front to back, record by record, and never by their summary: so one
 * whose writer died reads like any other, up to where it was torn. A chunk is taken whole into
 * memory; chunks out of the limit are passed by their first bytes. */

#include "app/recording/event.h"
#include "app/recording/mcap.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOTES_MAX = 64, CHUNK_TIMES_LEN = 16 };

struct note {
    char *name, *value;
};

struct tulle__recording_reader {
    int fd;               /* -1: bytes */
    const uint8_t *bytes; /* borrowed */
    uint64_t len;
    uint64_t offset; /* of the next record */

    struct tulle__text record;       /* the one that is read: its content */
    struct tulle__text raw;          /* of the chunk */
    struct tulle__mcap_cursor chunk; /* what is left of raw */
    struct tulle__recorded_codec *events;
    struct tulle__mcap_codec *codec;

    int64_t from_us, to_us;
    struct note notes[NOTES_MAX];
    size_t note_count;
    bool is_data_over; /* the data section has ended: what follows is the summary */
    bool is_over;
    enum tulle__recording_result result; /* with is_over */
    struct tulle__recording_state state;
    struct tulle__recorded recorded;
    char reason[TULLE__RECORDING_PROBLEM_LEN];
};

/* ---- bytes ---- */

static bool
read_at(const struct tulle__recording_reader *reader, uint64_t offset, void *out, size_t len)
{
    if (offset > reader->len || len > reader->len - offset)
        return false;
    if (reader->fd < 0) {
        memcpy(out, reader->bytes + offset, len);
        return true;
    }
    for (size_t done = 0; done < len;) {
        ssize_t got = pread(reader->fd, (char *)out + done, len - done, (off_t)(offset + done));
        if (got > 0)
            done += (size_t)got;
        else if (got == 0 || errno != EINTR)
            return false;
    }
    return true;
}

static enum tulle__recording_result
end_with(struct tulle__recording_reader *reader,
         enum tulle__recording_result result,
         const char *reason)
{
    reader->is_over = true;
    reader->result = result;
    reader->state.is_complete = result == TULLE__RECORDING_END;
    (void)snprintf(reader->reason, sizeof reader->reason, "%s", reason);
    return result;
}

static enum tulle__recording_result
end_torn(struct tulle__recording_reader *reader)
{
    char text[TULLE__RECORDING_PROBLEM_LEN];
    (void)snprintf(text, sizeof text, "cut off after byte %" PRIu64 " of %" PRIu64,
                   reader->state.whole_bytes, reader->len);
    return end_with(reader, TULLE__RECORDING_TORN, text);
}

/* ---- records ---- */

static void
add_note(struct tulle__recording_reader *reader,
         const char *name,
         size_t name_len,
         const char *value,
         size_t value_len)
{
    if (reader->note_count == NOTES_MAX)
        return;
    struct note note = { strndup(name, name_len), strndup(value, value_len) };
    if (note.name == NULL || note.value == NULL) {
        free(note.name);
        free(note.value);
        return;
    }
    reader->notes[reader->note_count++] = note;
}

static void
take_notes(struct tulle__recording_reader *reader, struct tulle__mcap_cursor body)
{
    size_t len = 0;
    const char *name = tulle__mcap_take_str(&body, &len);
    if (name == NULL || len != strlen(MCAP_NOTES) || memcmp(name, MCAP_NOTES, len) != 0)
        return;
    size_t map_len = (size_t)tulle__mcap_take(&body, 4);
    struct tulle__mcap_cursor map = { .at = tulle__mcap_take_bytes(&body, map_len),
                                      .left = map_len };
    while (!body.has_failed && map.left > 0) {
        size_t value_len = 0;
        name = tulle__mcap_take_str(&map, &len);
        const char *value = tulle__mcap_take_str(&map, &value_len);
        if (map.has_failed)
            return;
        add_note(reader, name, len, value, value_len);
    }
}

/* A message, in a chunk or not. True: recorded is filled. */
static bool
take_message(struct tulle__recording_reader *reader, struct tulle__mcap_cursor body)
{
    (void)tulle__mcap_take(&body, 2); /* channel and sequence: the data says more */
    (void)tulle__mcap_take(&body, 4);
    uint64_t log_ns = tulle__mcap_take(&body, 8);
    (void)tulle__mcap_take(&body, 8);
    if (body.has_failed || log_ns > INT64_MAX ||
        !tulle__recorded_decode(reader->events, body.at, body.left, &reader->recorded.message)) {
        reader->state.damaged_records++;
        return false;
    }
    int64_t arrival_us = (int64_t)(log_ns / 1000);
    reader->recorded.arrival_us = arrival_us;
    return arrival_us >= reader->from_us && arrival_us < reader->to_us;
}

/* Make raw the content of the chunk. False: it is damaged. */
static bool
unpack_chunk(struct tulle__recording_reader *reader, struct tulle__mcap_cursor body)
{
    struct tulle__mcap_chunk chunk;
    tulle__recorded_codec_reset(reader->events);
    tulle__text_clear(&reader->raw);
    if (!tulle__mcap_read_chunk(body, &chunk))
        return false;
    reader->state.has_none |= chunk.compression == TULLE__RECORDING_NONE;
    reader->state.has_lz4 |= chunk.compression == TULLE__RECORDING_LZ4;
    reader->state.has_zstd |= chunk.compression == TULLE__RECORDING_ZSTD;
    char *raw = tulle__text_room(&reader->raw, (size_t)chunk.raw_len + 1);
    if (raw == NULL || !tulle__mcap_decompress(reader->codec, &chunk, (uint8_t *)raw))
        return false;
    if (chunk.crc != 0 && tulle__mcap_crc(0, raw, (size_t)chunk.raw_len) != chunk.crc)
        return false;
    reader->raw.len = (size_t)chunk.raw_len;
    reader->state.stored_bytes += chunk.stored_len;
    reader->state.raw_bytes += chunk.raw_len;
    reader->chunk =
        (struct tulle__mcap_cursor){ .at = (const uint8_t *)raw, .left = reader->raw.len };
    return true;
}

/* The next message of the chunk. False: there is none. */
static bool
next_in_chunk(struct tulle__recording_reader *reader)
{
    struct tulle__mcap_record record;
    while (tulle__mcap_next(&reader->chunk, &record)) {
        if (record.opcode == MCAP_MESSAGE && take_message(reader, record.body))
            return true;
    }
    if (reader->chunk.has_failed)
        reader->state.damaged_chunks++;
    reader->chunk = (struct tulle__mcap_cursor){ 0 };
    return false;
}

/* Has the chunk at the offset of its content nothing within the limit? */
static bool
is_out_of_limit(const struct tulle__recording_reader *reader, uint64_t offset, uint64_t len)
{
    uint8_t times[CHUNK_TIMES_LEN];
    if (reader->from_us == INT64_MIN && reader->to_us == INT64_MAX)
        return false;
    if (len < sizeof times || !read_at(reader, offset, times, sizeof times))
        return false;
    struct tulle__mcap_cursor cursor = { .at = times, .left = sizeof times };
    uint64_t start_us = tulle__mcap_take(&cursor, 8) / 1000;
    uint64_t end_us = tulle__mcap_take(&cursor, 8) / 1000;
    return (int64_t)end_us < reader->from_us || (int64_t)start_us >= reader->to_us;
}

/* The footer and what must stand behind it. */
static enum tulle__recording_result
check_end(struct tulle__recording_reader *reader)
{
    unsigned char magic[MCAP_MAGIC_LEN];
    uint64_t end = reader->state.whole_bytes;
    if (!read_at(reader, end, magic, sizeof magic) ||
        memcmp(magic, tulle__mcap_magic, sizeof magic) != 0)
        return end_torn(reader);
    reader->state.whole_bytes += sizeof magic;
    return end_with(reader, TULLE__RECORDING_END, "");
}

/* Take what the record is; true when recorded is filled. */
static bool
take_record(struct tulle__recording_reader *reader, uint8_t opcode)
{
    struct tulle__mcap_cursor body = { .at = (const uint8_t *)reader->record.bytes,
                                       .left = reader->record.len };
    switch (opcode) {
    case MCAP_CHUNK:
        reader->state.chunks++;
        if (!unpack_chunk(reader, body))
            reader->state.damaged_chunks++;
        return false;
    case MCAP_MESSAGE:
        tulle__recorded_codec_reset(reader->events);
        return take_message(reader, body);
    case MCAP_METADATA:
        take_notes(reader, body);
        return false;
    default:
        return false; /* of no use for reading from front to back */
    }
}

static bool
is_read(const struct tulle__recording_reader *reader, uint8_t opcode)
{
    return opcode == MCAP_CHUNK || opcode == MCAP_MESSAGE ||
           (opcode == MCAP_METADATA && !reader->is_data_over);
}

/* The next record of the file. END: nothing to tell of yet. */
static enum tulle__recording_result
next_record(struct tulle__recording_reader *reader)
{
    uint8_t lead[MCAP_LEAD_LEN];
    if (!read_at(reader, reader->offset, lead, sizeof lead))
        return end_torn(reader);
    struct tulle__mcap_cursor cursor = { .at = lead, .left = sizeof lead };
    uint8_t opcode = (uint8_t)tulle__mcap_take(&cursor, 1);
    uint64_t len = tulle__mcap_take(&cursor, 8);
    uint64_t start = reader->offset + sizeof lead;
    if (opcode == 0 || len > reader->len - start)
        return end_torn(reader);
    bool is_kept = is_read(reader, opcode);
    if (is_kept && len > MCAP_RECORD_LEN_MAX)
        return end_torn(reader);
    if (opcode == MCAP_CHUNK && is_out_of_limit(reader, start, len)) {
        reader->state.chunks++;
        is_kept = false;
    }
    tulle__text_clear(&reader->record);
    if (is_kept) {
        char *room = tulle__text_room(&reader->record, (size_t)len + 1);
        if (room == NULL)
            return end_with(reader, TULLE__RECORDING_FAILED, "out of memory");
        if (!read_at(reader, start, room, (size_t)len))
            return end_with(reader, TULLE__RECORDING_FAILED, strerror(errno));
        reader->record.len = (size_t)len;
    }
    reader->offset = start + len;
    reader->state.whole_bytes = reader->offset;
    if (opcode == MCAP_FOOTER)
        return check_end(reader);
    reader->is_data_over |= opcode == MCAP_DATA_END;
    return is_kept && take_record(reader, opcode) ? TULLE__RECORDING_RECORD : TULLE__RECORDING_END;
}

enum tulle__recording_result
tulle__recording_next(struct tulle__recording_reader *reader, const struct tulle__recorded **out)
{
    *out = NULL;
    while (!reader->is_over) {
        if (next_in_chunk(reader) || next_record(reader) == TULLE__RECORDING_RECORD) {
            *out = &reader->recorded;
            return TULLE__RECORDING_RECORD;
        }
    }
    return reader->result;
}

/* ---- life ---- */

/* Magic and header. */
static bool
read_start(struct tulle__recording_reader *reader,
           char problem[static TULLE__RECORDING_PROBLEM_LEN])
{
    uint8_t start[MCAP_MAGIC_LEN + MCAP_LEAD_LEN + 4 + sizeof MCAP_PROFILE - 1];
    struct tulle__mcap_cursor cursor = { .at = start + MCAP_MAGIC_LEN,
                                         .left = sizeof start - MCAP_MAGIC_LEN };
    if (!read_at(reader, 0, start, sizeof start) ||
        memcmp(start, tulle__mcap_magic, MCAP_MAGIC_LEN) != 0) {
        (void)snprintf(problem, TULLE__RECORDING_PROBLEM_LEN, "it is no recording (no MCAP file)");
        return false;
    }
    uint64_t opcode = tulle__mcap_take(&cursor, 1);
    uint64_t len = tulle__mcap_take(&cursor, 8);
    size_t profile_len = 0;
    const char *profile = tulle__mcap_take_str(&cursor, &profile_len);
    if (opcode != MCAP_HEADER || profile == NULL || profile_len != strlen(MCAP_PROFILE) ||
        memcmp(profile, MCAP_PROFILE, profile_len) != 0) {
        (void)snprintf(problem, TULLE__RECORDING_PROBLEM_LEN,
                       "it is an MCAP file, but no recording of tulle");
        return false;
    }
    reader->offset = MCAP_MAGIC_LEN;
    reader->state.whole_bytes = MCAP_MAGIC_LEN;
    if (len > reader->len - MCAP_MAGIC_LEN - MCAP_LEAD_LEN) {
        (void)snprintf(problem, TULLE__RECORDING_PROBLEM_LEN, "it is cut off in its first bytes");
        return false;
    }
    return true;
}

static struct tulle__recording_reader *
new_reader(int fd,
           const void *bytes,
           uint64_t len,
           char problem[static TULLE__RECORDING_PROBLEM_LEN])
{
    struct tulle__recording_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        if (fd >= 0)
            (void)close(fd);
        (void)snprintf(problem, TULLE__RECORDING_PROBLEM_LEN, "out of memory");
        return NULL;
    }
    *reader = (struct tulle__recording_reader){
        .fd = fd, .bytes = bytes, .len = len, .from_us = INT64_MIN, .to_us = INT64_MAX
    };
    reader->state.file_bytes = len;
    reader->events = tulle__recorded_codec_new();
    reader->codec = tulle__mcap_codec_new();
    if (reader->events == NULL || reader->codec == NULL) {
        (void)snprintf(problem, TULLE__RECORDING_PROBLEM_LEN, "out of memory");
        tulle__recording_reader_close(&reader);
    } else if (!read_start(reader, problem)) {
        tulle__recording_reader_close(&reader);
    }
    return reader;
}

struct tulle__recording_reader *
tulle__recording_open(const char *path, char problem[static TULLE__RECORDING_PROBLEM_LEN])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat stat;
    if (fd < 0 || fstat(fd, &stat) != 0) {
        (void)snprintf(problem, TULLE__RECORDING_PROBLEM_LEN, "%s", strerror(errno));
        if (fd >= 0)
            (void)close(fd);
        return NULL;
    }
    if (!S_ISREG(stat.st_mode)) {
        (void)snprintf(problem, TULLE__RECORDING_PROBLEM_LEN, "it is no regular file");
        (void)close(fd);
        return NULL;
    }
    return new_reader(fd, NULL, (uint64_t)stat.st_size, problem);
}

struct tulle__recording_reader *
tulle__recording_open_bytes(const void *bytes,
                            size_t len,
                            char problem[static TULLE__RECORDING_PROBLEM_LEN])
{
    return new_reader(-1, bytes, len, problem);
}

void
tulle__recording_limit(struct tulle__recording_reader *reader, int64_t from_us, int64_t to_us)
{
    reader->from_us = from_us;
    reader->to_us = to_us;
}

const char *
tulle__recording_reason(const struct tulle__recording_reader *reader)
{
    return reader->reason;
}

void
tulle__recording_state(const struct tulle__recording_reader *reader,
                       struct tulle__recording_state *out)
{
    *out = reader->state;
}

const char *
tulle__recording_note(const struct tulle__recording_reader *reader, const char *name)
{
    for (size_t i = 0; i < reader->note_count; i++) {
        if (strcmp(reader->notes[i].name, name) == 0)
            return reader->notes[i].value;
    }
    return NULL;
}

static void
forget_notes(struct tulle__recording_reader *reader)
{
    for (size_t i = 0; i < reader->note_count; i++) {
        free(reader->notes[i].name);
        free(reader->notes[i].value);
    }
    reader->note_count = 0;
}

void
tulle__recording_rewind(struct tulle__recording_reader *reader)
{
    forget_notes(reader);
    reader->state =
        (struct tulle__recording_state){ .file_bytes = reader->len, .whole_bytes = MCAP_MAGIC_LEN };
    reader->offset = MCAP_MAGIC_LEN;
    reader->chunk = (struct tulle__mcap_cursor){ 0 };
    reader->is_over = false;
    reader->is_data_over = false;
    tulle__recorded_codec_reset(reader->events);
}

void
tulle__recording_reader_close(struct tulle__recording_reader **reader)
{
    struct tulle__recording_reader *r = *reader;
    if (r == NULL)
        return;
    if (r->fd >= 0)
        (void)close(r->fd);
    forget_notes(r);
    tulle__text_free(&r->record);
    tulle__text_free(&r->raw);
    tulle__recorded_codec_free(&r->events);
    tulle__mcap_codec_free(&r->codec);
    free(r);
    *reader = NULL;
}
