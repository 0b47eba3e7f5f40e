/* SPDX-License-Identifier: MPL-2.0 */

/* Going on with a file: what its writer knew is read back from the chunks, not from the summary,
 * which one that died never wrote. The message indexes behind the last chunk may be missing then,
 * in part: they are written anew. */

#include "app/recording/writer_state.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct span {
    uint8_t opcode;
    uint64_t start, len; /* of the content */
};

static bool
read_file(const struct tulle__recording_writer *w, uint64_t offset, char *out, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t got = pread(w->fd, out + done, len - done, (off_t)(offset + done));
        if (got > 0)
            done += (size_t)got;
        else if (got == 0 || errno != EINTR)
            return false;
    }
    return true;
}

/* The record at an offset; false when it is not whole. */
static bool
find_record(const struct tulle__recording_writer *w,
            uint64_t offset,
            uint64_t file_len,
            struct span *out)
{
    char lead[MCAP_LEAD_LEN];
    if (file_len - offset < sizeof lead || !read_file(w, offset, lead, sizeof lead))
        return false;
    struct tulle__mcap_cursor cursor = { .at = (const uint8_t *)lead, .left = sizeof lead };
    out->opcode = (uint8_t)tulle__mcap_take(&cursor, 1);
    out->len = tulle__mcap_take(&cursor, 8);
    out->start = offset + sizeof lead;
    return out->opcode != 0 && out->len <= file_len - out->start;
}

/* Its content, borrowed from out of the writer. */
static bool
load(struct tulle__recording_writer *w, const struct span *span, struct tulle__mcap_cursor *body)
{
    tulle__text_clear(&w->out);
    if (span->len > MCAP_RECORD_LEN_MAX)
        return tulle__recording_writer_fail(w, "it is damaged");
    char *room = tulle__text_room(&w->out, (size_t)span->len + 1);
    if (room == NULL)
        return tulle__recording_writer_fail(w, "out of memory");
    if (!read_file(w, span->start, room, (size_t)span->len))
        return tulle__recording_writer_fail(w, "%s", strerror(errno));
    *body = (struct tulle__mcap_cursor){ .at = (const uint8_t *)room, .left = (size_t)span->len };
    return true;
}

static bool
check_header(struct tulle__recording_writer *w, struct tulle__mcap_cursor body)
{
    size_t profile_len = 0;
    size_t library_len = 0;
    const char *profile = tulle__mcap_take_str(&body, &profile_len);
    const char *library = tulle__mcap_take_str(&body, &library_len);
    if (body.has_failed || profile_len != strlen(MCAP_PROFILE) ||
        memcmp(profile, MCAP_PROFILE, profile_len) != 0)
        return tulle__recording_writer_fail(w, "it is no recording of tulle");
    /* Others may lay out indexes in another way, which resuming would have to preserve. */
    if (library_len < strlen(MCAP_LIBRARY_NAME) ||
        memcmp(library, MCAP_LIBRARY_NAME, strlen(MCAP_LIBRARY_NAME)) != 0)
        return tulle__recording_writer_fail(w, "it was written by another program");
    return true;
}

/* Take up the channels and messages of the open chunk. */
static bool
take_records(struct tulle__recording_writer *w)
{
    struct tulle__mcap_cursor cursor = { .at = (const uint8_t *)w->records.bytes,
                                         .left = w->records.len };
    const uint8_t *first = cursor.at;
    struct tulle__mcap_record record;
    for (;;) {
        uint64_t offset = (uint64_t)(cursor.at - first);
        if (!tulle__mcap_next(&cursor, &record))
            return !cursor.has_failed && w->touched != NULL;
        uint64_t id = tulle__mcap_take(&record.body, 2);
        if (record.opcode == MCAP_CHANNEL) {
            size_t len = 0;
            (void)tulle__mcap_take(&record.body, 2);
            const char *topic = tulle__mcap_take_str(&record.body, &len);
            if (topic == NULL || id != tulle__channels_count(w->channels) + 1U ||
                tulle__channels_find(w->channels, topic, len) != NULL ||
                tulle__channels_add(w->channels, topic, len) == NULL)
                return false;
        } else if (record.opcode == MCAP_MESSAGE) {
            struct tulle__channel *channel = tulle__channels_by_id(w->channels, id);
            (void)tulle__mcap_take(&record.body, 4);
            uint64_t time_ns = tulle__mcap_take(&record.body, 8);
            if (channel == NULL || record.body.has_failed)
                return false;
            tulle__recording_writer_note_message(w, channel, time_ns, offset);
        }
    }
}

/* Make the chunk the open one. */
static bool
unpack(struct tulle__recording_writer *w,
       struct tulle__mcap_cursor body,
       struct tulle__mcap_chunk *chunk)
{
    if (!tulle__mcap_read_chunk(body, chunk))
        return tulle__recording_writer_fail(w, "it is damaged");
    char *raw = tulle__text_room(&w->records, (size_t)chunk->raw_len + 1);
    if (raw == NULL)
        return tulle__recording_writer_fail(w, "out of memory");
    if (!tulle__mcap_decompress(w->codec, chunk, (uint8_t *)raw) ||
        tulle__mcap_crc(0, raw, (size_t)chunk->raw_len) != chunk->crc)
        return tulle__recording_writer_fail(w, "it is damaged");
    w->records.len = (size_t)chunk->raw_len;
    return take_records(w) || tulle__recording_writer_fail(w, "it is damaged");
}

/* A chunk and the message indexes behind it; what is missing of these is written. */
static bool
take_chunk(struct tulle__recording_writer *w, const struct span *span, uint64_t file_len)
{
    struct tulle__mcap_cursor body = { 0 };
    struct tulle__mcap_chunk chunk;
    if (!load(w, span, &body) || !unpack(w, body, &chunk))
        return false;
    const struct tulle__chunk_place place = { span->start - MCAP_LEAD_LEN,
                                              span->len + MCAP_LEAD_LEN, chunk.stored_len };
    const char *compression = tulle__mcap_compression_name(chunk.compression);
    tulle__text_clear(&w->out);
    w->end = span->start + span->len;
    tulle__recording_writer_put_indexes(w, w->end, &place, compression);
    if (w->out.has_failed)
        return tulle__recording_writer_fail(w, "out of memory");
    uint64_t have = w->end;
    struct span next;
    while (find_record(w, have, file_len, &next) && next.opcode == MCAP_MESSAGE_INDEX)
        have = next.start + next.len;
    if (have - w->end == w->out.len) {
        w->end = have;
        tulle__text_clear(&w->out);
    } else if (!tulle__recording_writer_write(w)) {
        return false;
    }
    w->tally.chunks++;
    tulle__recording_writer_begin_chunk(w);
    return true;
}

static bool
take_record(struct tulle__recording_writer *w, const struct span *span, uint64_t file_len)
{
    if (span->opcode == MCAP_CHUNK)
        return take_chunk(w, span, file_len);
    if (span->opcode == MCAP_METADATA)
        tulle__recording_writer_index_note(w, span->start - MCAP_LEAD_LEN,
                                           span->len + MCAP_LEAD_LEN);
    w->end = span->start + span->len;
    return true;
}

bool
tulle__recording_writer_resume(struct tulle__recording_writer *w, uint64_t file_len)
{
    struct span span;
    struct tulle__mcap_cursor body = { 0 };
    char magic[MCAP_MAGIC_LEN];
    w->end = MCAP_MAGIC_LEN;
    if (file_len < MCAP_MAGIC_LEN || !read_file(w, 0, magic, sizeof magic) ||
        memcmp(magic, tulle__mcap_magic, sizeof magic) != 0 ||
        !find_record(w, w->end, file_len, &span) || span.opcode != MCAP_HEADER)
        return tulle__recording_writer_fail(w, "it is no recording");
    if (!load(w, &span, &body) || !check_header(w, body))
        return false;
    w->end = span.start + span.len;
    bool is_over = false;
    while (!is_over && w->end < file_len && find_record(w, w->end, file_len, &span)) {
        is_over = span.opcode == MCAP_DATA_END;
        if (!is_over && !take_record(w, &span, file_len))
            return false;
    }
    if (!is_over && w->end < file_len)
        w->tally.dropped = file_len - w->end;
    tulle__text_clear(&w->out);
    if (ftruncate(w->fd, (off_t)w->end) != 0)
        return tulle__recording_writer_fail(w, "%s", strerror(errno));
    w->tally.bytes = w->end;
    return true;
}
