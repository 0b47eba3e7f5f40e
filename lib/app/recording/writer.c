/* SPDX-License-Identifier: MPL-2.0 */

/* Events gather in a chunk in memory. A flush writes it with its index behind the last whole
 * record; when that fails, the file is cut to where it was. So a file always consists of whole
 * records, but for one that a killed writer was at.
 *
 * The index of chunks is kept for the summary, up to INDEX_LEN_MAX: then the file counts as full.
 */

#include "app/recording/writer_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INDEX_LEN_MAX = 64 * 1024 * 1024, FILE_MODE = 0644 };

void
tulle__recording_options_init(struct tulle__recording_options *options)
{
    *options = (struct tulle__recording_options){ .open = TULLE__RECORDING_CREATE,
                                                  .compression = TULLE__RECORDING_LZ4,
                                                  .chunk_bytes = TULLE__RECORDING_CHUNK_BYTES };
}

bool
tulle__recording_writer_fail(struct tulle__recording_writer *writer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(writer->problem, sizeof writer->problem, format, args);
    va_end(args);
    return false;
}

/* ---- the file ---- */

bool
tulle__recording_writer_write(struct tulle__recording_writer *w)
{
    if (w->out.has_failed) {
        tulle__text_clear(&w->out);
        return tulle__recording_writer_fail(w, "out of memory");
    }
    int failed = 0;
    size_t done = 0;
    while (done < w->out.len && failed == 0) {
        ssize_t wrote =
            pwrite(w->fd, w->out.bytes + done, w->out.len - done, (off_t)(w->end + done));
        if (wrote > 0)
            done += (size_t)wrote;
        else if (wrote == 0 || errno != EINTR)
            failed = wrote == 0 ? ENOSPC : errno;
    }
    if (failed == 0 && w->options.is_synced && fdatasync(w->fd) != 0)
        failed = errno;
    if (failed != 0) {
        /* What is half written goes; the reader would pass over it all the same. */
        (void)!ftruncate(w->fd, (off_t)w->end);
        tulle__text_clear(&w->out);
        return tulle__recording_writer_fail(w, "%s", strerror(failed));
    }
    w->end += w->out.len;
    w->tally.bytes = w->end;
    tulle__text_clear(&w->out);
    return true;
}

static void
put_start(struct tulle__recording_writer *w)
{
    tulle__text_put(&w->out, tulle__mcap_magic, MCAP_MAGIC_LEN);
    size_t header = tulle__mcap_begin(&w->out, MCAP_HEADER);
    tulle__mcap_put_str(&w->out, MCAP_PROFILE);
    tulle__mcap_put_str(&w->out, MCAP_LIBRARY);
    tulle__mcap_end(&w->out, header);
}

void
tulle__recording_writer_index_note(struct tulle__recording_writer *w, uint64_t offset, uint64_t len)
{
    size_t start = tulle__mcap_begin(&w->note_index, MCAP_METADATA_INDEX);
    tulle__mcap_put_u64(&w->note_index, offset);
    tulle__mcap_put_u64(&w->note_index, len);
    tulle__mcap_put_str(&w->note_index, MCAP_NOTES);
    tulle__mcap_end(&w->note_index, start);
    w->note_count++;
}

static void
put_notes(struct tulle__recording_writer *w)
{
    if (w->options.note_count == 0)
        return;
    size_t start = tulle__mcap_begin(&w->out, MCAP_METADATA);
    tulle__mcap_put_str(&w->out, MCAP_NOTES);
    size_t map = tulle__mcap_begin_map(&w->out);
    for (size_t i = 0; i < w->options.note_count; i++) {
        tulle__mcap_put_str(&w->out, w->options.notes[i].name);
        tulle__mcap_put_str(&w->out, w->options.notes[i].value);
    }
    tulle__mcap_end_map(&w->out, map);
    tulle__mcap_end(&w->out, start);
    tulle__recording_writer_index_note(w, w->end + start, w->out.len - start);
}

/* ---- chunks ---- */

static void
put_channel(struct tulle__text *out, const struct tulle__channel *channel)
{
    size_t start = tulle__mcap_begin(out, MCAP_CHANNEL);
    tulle__mcap_put_u16(out, channel->id);
    tulle__mcap_put_u16(out, 0); /* no schema: the encoding describes itself */
    tulle__mcap_put_str(out, channel->topic);
    tulle__mcap_put_str(out, MCAP_ENCODING);
    size_t map = tulle__mcap_begin_map(out);
    tulle__mcap_put_str(out, "content");
    tulle__mcap_put_str(out, strcmp(channel->topic, MCAP_TOPIC_GAPS) == 0 ? "gap" : "event");
    tulle__mcap_end_map(out, map);
    tulle__mcap_end(out, start);
}

/* The channel of a topic; a new one is written to the chunk. Beyond the format's number of
 * channels all topics share one: each event names its own. */
static struct tulle__channel *
get_channel(struct tulle__recording_writer *w, const char *topic)
{
    struct tulle__channel *channel = tulle__channels_find(w->channels, topic, strlen(topic));
    if (channel != NULL)
        return channel;
    if (tulle__channels_count(w->channels) >= TULLE__CHANNELS_MAX && topic[0] != '$')
        return get_channel(w, MCAP_TOPIC_FURTHER);
    channel = tulle__channels_add(w->channels, topic, strlen(topic));
    if (channel != NULL)
        put_channel(&w->records, channel);
    return channel;
}

void
tulle__recording_writer_note_message(struct tulle__recording_writer *w,
                                     struct tulle__channel *channel,
                                     uint64_t time_ns,
                                     uint64_t offset)
{
    if (channel->index.len == 0) {
        channel->next_touched = NULL;
        if (w->last_touched != NULL)
            w->last_touched->next_touched = channel;
        else
            w->touched = channel;
        w->last_touched = channel;
    }
    tulle__mcap_put_u64(&channel->index, time_ns);
    tulle__mcap_put_u64(&channel->index, offset);
    channel->count++;
    bool is_gap = strcmp(channel->topic, MCAP_TOPIC_GAPS) == 0;
    w->tally.gaps += is_gap ? 1 : 0;
    w->tally.waiting++;
    w->tally.events += is_gap ? 0 : 1;
    w->start_ns = time_ns < w->start_ns ? time_ns : w->start_ns;
    w->end_ns = time_ns > w->end_ns ? time_ns : w->end_ns;
    w->first_ns = time_ns < w->first_ns ? time_ns : w->first_ns;
    w->last_ns = time_ns > w->last_ns ? time_ns : w->last_ns;
}

void
tulle__recording_writer_put_indexes(struct tulle__recording_writer *w,
                                    uint64_t base,
                                    const struct tulle__chunk_place *place,
                                    const char *compression)
{
    size_t first = w->out.len;
    size_t start = tulle__mcap_begin(&w->index, MCAP_CHUNK_INDEX);
    tulle__mcap_put_u64(&w->index, w->start_ns);
    tulle__mcap_put_u64(&w->index, w->end_ns);
    tulle__mcap_put_u64(&w->index, place->offset);
    tulle__mcap_put_u64(&w->index, place->len);
    size_t map = tulle__mcap_begin_map(&w->index);
    for (struct tulle__channel *c = w->touched; c != NULL; c = c->next_touched) {
        w->out.has_failed |= c->index.has_failed;
        tulle__mcap_put_u16(&w->index, c->id);
        tulle__mcap_put_u64(&w->index, base + w->out.len);
        size_t record = tulle__mcap_begin(&w->out, MCAP_MESSAGE_INDEX);
        tulle__mcap_put_u16(&w->out, c->id);
        tulle__mcap_put_u32(&w->out, (uint32_t)c->index.len);
        tulle__text_put(&w->out, c->index.bytes, c->index.len);
        tulle__mcap_end(&w->out, record);
    }
    tulle__mcap_end_map(&w->index, map);
    tulle__mcap_put_u64(&w->index, w->out.len - first);
    tulle__mcap_put_str(&w->index, compression);
    tulle__mcap_put_u64(&w->index, place->stored_len);
    tulle__mcap_put_u64(&w->index, w->records.len);
    tulle__mcap_end(&w->index, start);
    w->out.has_failed |= w->index.has_failed;
}

void
tulle__recording_writer_begin_chunk(struct tulle__recording_writer *w)
{
    for (struct tulle__channel *c = w->touched; c != NULL; c = c->next_touched)
        tulle__text_clear(&c->index);
    w->touched = NULL;
    w->last_touched = NULL;
    w->start_ns = UINT64_MAX;
    w->end_ns = 0;
    w->must_end = false;
    w->tally.waiting = 0;
    tulle__text_clear(&w->records);
    tulle__recorded_codec_reset(w->events);
}

static bool
put_chunk(struct tulle__recording_writer *w, size_t *stored_len)
{
    const char *compression = tulle__mcap_compression_name(w->options.compression);
    size_t start = tulle__mcap_begin(&w->out, MCAP_CHUNK);
    tulle__mcap_put_u64(&w->out, w->start_ns);
    tulle__mcap_put_u64(&w->out, w->end_ns);
    tulle__mcap_put_u64(&w->out, w->records.len);
    tulle__mcap_put_u32(&w->out, tulle__mcap_crc(0, w->records.bytes, w->records.len));
    tulle__mcap_put_str(&w->out, compression);
    size_t len_at = w->out.len;
    tulle__mcap_put_u64(&w->out, 0);
    size_t content = w->out.len;
    if (!tulle__mcap_compress(w->codec, w->options.compression, w->records.bytes, w->records.len,
                              &w->out))
        return false;
    *stored_len = w->out.len - content;
    size_t end = w->out.len;
    w->out.len = len_at;
    tulle__mcap_put_u64(&w->out, *stored_len);
    w->out.len = end;
    tulle__mcap_end(&w->out, start);
    return true;
}

bool
tulle__recording_flush(struct tulle__recording_writer *w)
{
    if (w->touched == NULL)
        return true;
    size_t index_len = w->index.len;
    size_t stored_len = 0;
    if (!put_chunk(w, &stored_len)) {
        tulle__text_clear(&w->out);
        return tulle__recording_writer_fail(w, "out of memory");
    }
    const struct tulle__chunk_place place = { w->end, w->out.len, stored_len };
    tulle__recording_writer_put_indexes(w, w->end, &place,
                                        tulle__mcap_compression_name(w->options.compression));
    if (!tulle__recording_writer_write(w)) {
        w->index.len = index_len;
        w->index.has_failed = false;
        return false;
    }
    w->tally.chunks++;
    tulle__recording_writer_begin_chunk(w);
    return true;
}

bool
tulle__recording_is_waiting(const struct tulle__recording_writer *w)
{
    return w->touched != NULL;
}

bool
tulle__recording_is_full(const struct tulle__recording_writer *w)
{
    return w->index.len >= INDEX_LEN_MAX;
}

static bool
put_message(struct tulle__recording_writer *w, const tulle_message *message, int64_t arrival_us)
{
    bool is_gap = message->kind == TULLE_MESSAGE_GAP;
    const tulle_event *event = &message->u.event;
    struct tulle__channel *channel = get_channel(w, is_gap ? MCAP_TOPIC_GAPS : event->topic);
    if (channel == NULL || w->records.has_failed)
        return false;
    int64_t publish_us = is_gap ? arrival_us : event->time_us;
    uint64_t arrival_ns = arrival_us > 0 ? (uint64_t)arrival_us * 1000 : 0;
    size_t start = tulle__mcap_begin(&w->records, MCAP_MESSAGE);
    tulle__mcap_put_u16(&w->records, channel->id);
    tulle__mcap_put_u32(&w->records, is_gap ? 0 : (uint32_t)event->seq);
    tulle__mcap_put_u64(&w->records, arrival_ns);
    tulle__mcap_put_u64(&w->records, publish_us > 0 ? (uint64_t)publish_us * 1000 : 0);
    if (!tulle__recorded_encode(w->events, message, &w->records)) {
        w->records.len = start;
        w->records.has_failed = false;
        return false;
    }
    tulle__mcap_end(&w->records, start);
    tulle__recording_writer_note_message(w, channel, arrival_ns, start);
    return !channel->index.has_failed;
}

bool
tulle__recording_add(struct tulle__recording_writer *w,
                     const tulle_message *message,
                     int64_t arrival_us)
{
    if (message->kind != TULLE_MESSAGE_EVENT && message->kind != TULLE_MESSAGE_GAP)
        return true;
    if (w->must_end && w->touched == NULL) {
        tulle__recorded_codec_reset(w->events);
        w->must_end = false;
    }
    if (w->must_end && !tulle__recording_flush(w))
        return false;
    if (!put_message(w, message, arrival_us)) {
        w->must_end = true; /* what it knows of lanes may be half changed */
        return tulle__recording_writer_fail(w, "out of memory");
    }
    return w->records.len < w->options.chunk_bytes || tulle__recording_flush(w);
}

/* ---- summary ---- */

static void
put_statistics(struct tulle__recording_writer *w)
{
    struct tulle__text *out = &w->out;
    bool is_empty = w->tally.events + w->tally.gaps == 0;
    size_t start = tulle__mcap_begin(out, MCAP_STATISTICS);
    tulle__mcap_put_u64(out, w->tally.events + w->tally.gaps);
    tulle__mcap_put_u16(out, 0); /* schemas */
    tulle__mcap_put_u32(out, tulle__channels_count(w->channels));
    tulle__mcap_put_u32(out, 0); /* attachments */
    tulle__mcap_put_u32(out, w->note_count);
    tulle__mcap_put_u32(out, (uint32_t)w->tally.chunks);
    tulle__mcap_put_u64(out, is_empty ? 0 : w->first_ns);
    tulle__mcap_put_u64(out, w->last_ns);
    size_t map = tulle__mcap_begin_map(out);
    for (struct tulle__channel *c = tulle__channels_first(w->channels); c != NULL; c = c->next) {
        tulle__mcap_put_u16(out, c->id);
        tulle__mcap_put_u64(out, c->count);
    }
    tulle__mcap_end_map(out, map);
    tulle__mcap_end(out, start);
}

/* Where the records of one kind are in the summary. */
struct group {
    enum mcap_opcode opcode;
    size_t start, len; /* in out */
};

static void
put_offsets(struct tulle__recording_writer *w, const struct group *groups, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (groups[i].len == 0)
            continue;
        size_t start = tulle__mcap_begin(&w->out, MCAP_SUMMARY_OFFSET);
        tulle__mcap_put_u8(&w->out, (uint8_t)groups[i].opcode);
        tulle__mcap_put_u64(&w->out, w->end + groups[i].start);
        tulle__mcap_put_u64(&w->out, groups[i].len);
        tulle__mcap_end(&w->out, start);
    }
}

static bool
write_summary(struct tulle__recording_writer *w)
{
    struct tulle__text *out = &w->out;
    size_t data_end = tulle__mcap_begin(out, MCAP_DATA_END);
    tulle__mcap_put_u32(out, 0); /* each chunk has its own checksum */
    tulle__mcap_end(out, data_end);

    struct group groups[4];
    size_t start = out->len;
    for (struct tulle__channel *c = tulle__channels_first(w->channels); c != NULL; c = c->next)
        put_channel(out, c);
    groups[0] = (struct group){ MCAP_CHANNEL, start, out->len - start };
    groups[1] = (struct group){ MCAP_CHUNK_INDEX, out->len, w->index.len };
    tulle__text_put(out, w->index.bytes, w->index.len);
    groups[2] = (struct group){ MCAP_METADATA_INDEX, out->len, w->note_index.len };
    tulle__text_put(out, w->note_index.bytes, w->note_index.len);
    size_t statistics = out->len;
    put_statistics(w);
    groups[3] = (struct group){ MCAP_STATISTICS, statistics, out->len - statistics };

    size_t offsets = out->len;
    put_offsets(w, groups, 4);
    size_t footer = tulle__mcap_begin(out, MCAP_FOOTER);
    tulle__mcap_put_u64(out, w->end + start);
    tulle__mcap_put_u64(out, w->end + offsets);
    tulle__mcap_put_u32(out, 0);
    tulle__mcap_end(out, footer);
    if (!out->has_failed) {
        uint32_t crc = tulle__mcap_crc(0, out->bytes + start, out->len - 4 - start);
        out->len -= 4;
        tulle__mcap_put_u32(out, crc);
    }
    tulle__text_put(out, tulle__mcap_magic, MCAP_MAGIC_LEN);
    out->has_failed |= w->note_index.has_failed;
    return tulle__recording_writer_write(w);
}

/* ---- life ---- */

static void
free_writer(struct tulle__recording_writer **writer)
{
    struct tulle__recording_writer *w = *writer;
    if (w->fd >= 0)
        (void)close(w->fd);
    tulle__channels_free(&w->channels);
    tulle__recorded_codec_free(&w->events);
    tulle__mcap_codec_free(&w->codec);
    tulle__text_free(&w->records);
    tulle__text_free(&w->out);
    tulle__text_free(&w->index);
    tulle__text_free(&w->note_index);
    free(w);
    *writer = NULL;
}

/* Open the file for this writer alone. Returns its length, or -1. */
static int64_t
open_file(struct tulle__recording_writer *w, const char *path)
{
    int flags = O_RDWR | O_CREAT | O_CLOEXEC;
    flags |= w->options.open == TULLE__RECORDING_CREATE ? O_EXCL : 0;
    w->fd = open(path, flags, FILE_MODE);
    struct stat stat;
    if (w->fd < 0 || fstat(w->fd, &stat) != 0) {
        (void)tulle__recording_writer_fail(
            w, "%s", errno == EEXIST ? "it is there already" : strerror(errno));
        return -1;
    }
    if (!S_ISREG(stat.st_mode)) {
        (void)tulle__recording_writer_fail(w, "it is no regular file");
        return -1;
    }
    if (flock(w->fd, LOCK_EX | LOCK_NB) != 0) {
        (void)tulle__recording_writer_fail(
            w, "%s", errno == EWOULDBLOCK ? "another program records to it" : strerror(errno));
        return -1;
    }
    if (w->options.open == TULLE__RECORDING_APPEND)
        return stat.st_size;
    if (ftruncate(w->fd, 0) == 0)
        return 0;
    (void)tulle__recording_writer_fail(w, "%s", strerror(errno));
    return -1;
}

static bool
begin_file(struct tulle__recording_writer *w, const char *path)
{
    w->channels = tulle__channels_new();
    w->events = tulle__recorded_codec_new();
    w->codec = tulle__mcap_codec_new();
    if (w->channels == NULL || w->events == NULL || w->codec == NULL)
        return tulle__recording_writer_fail(w, "out of memory");
    tulle__recording_writer_begin_chunk(w);
    int64_t len = open_file(w, path);
    if (len < 0)
        return false;
    if (len == 0)
        put_start(w);
    else if (!tulle__recording_writer_resume(w, (uint64_t)len))
        return false;
    put_notes(w);
    return tulle__recording_writer_write(w);
}

struct tulle__recording_writer *
tulle__recording_create(const char *path,
                        const struct tulle__recording_options *options,
                        char problem[static TULLE__RECORDING_PROBLEM_LEN])
{
    struct tulle__recording_writer *w = calloc(1, sizeof *w);
    if (w == NULL) {
        (void)snprintf(problem, TULLE__RECORDING_PROBLEM_LEN, "out of memory");
        return NULL;
    }
    w->fd = -1;
    w->options = *options;
    w->first_ns = UINT64_MAX;
    if (!begin_file(w, path)) {
        (void)snprintf(problem, TULLE__RECORDING_PROBLEM_LEN, "%s", w->problem);
        free_writer(&w);
        return NULL;
    }
    w->options.notes = NULL; /* borrowed for the call */
    return w;
}

void
tulle__recording_tally(const struct tulle__recording_writer *w, struct tulle__recording_tally *out)
{
    *out = w->tally;
}

const char *
tulle__recording_problem(const struct tulle__recording_writer *w)
{
    return w->problem;
}

bool
tulle__recording_close(struct tulle__recording_writer **writer,
                       char problem[static TULLE__RECORDING_PROBLEM_LEN])
{
    struct tulle__recording_writer *w = *writer;
    if (w == NULL)
        return true;
    bool is_ok = tulle__recording_flush(w) && write_summary(w);
    if (is_ok) {
        int fd = w->fd;
        w->fd = -1; /* closed whatever close() says */
        is_ok = close(fd) == 0 || tulle__recording_writer_fail(w, "%s", strerror(errno));
    }
    (void)snprintf(problem, TULLE__RECORDING_PROBLEM_LEN, "%s", w->problem);
    free_writer(writer);
    return is_ok;
}
