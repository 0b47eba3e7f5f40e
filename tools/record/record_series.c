/* SPDX-License-Identifier: MPL-2.0 */

/* "orders.mcap" is one file. With --rotate it is "orders-000001.mcap" and so on; where one file
 * without rotation has become full, the second is "orders-000002.mcap". */

#include "tools/record/record_series.h"

#include "tools/common/tools.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    NUMBER_LEN = 6,       /* digits at least */
    CHUNKS_OF_A_FILE = 4, /* at least, so that small files do not become too large */
    CHUNK_BYTES_LEAST = 16384
};

static bool
is_numbered(const struct tulle__record_series *series)
{
    return series->options->rotate.count > 0;
}

/* ---- names ---- */

static const char *
base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* Where the name's ending begins: at the last dot of its last part, or at its end. */
static size_t
stem_len(const char *path)
{
    const char *name = base_name(path);
    const char *dot = strrchr(name, '.');
    return dot != NULL && dot != name ? (size_t)(dot - path) : strlen(path);
}

/* The path with a number. */
static bool
put_path(const char *path, uint64_t number, char out[static TULLE__RECORD_PATH_MAX])
{
    size_t stem = stem_len(path);
    int len = number == 0 ? snprintf(out, TULLE__RECORD_PATH_MAX, "%s", path)
                          : snprintf(out, TULLE__RECORD_PATH_MAX, "%.*s-%0*" PRIu64 "%s", (int)stem,
                                     path, NUMBER_LEN, number, path + stem);
    return len > 0 && len < TULLE__RECORD_PATH_MAX;
}

/* The number in a name of the series, 0 when it is none. */
static uint64_t
number_of(const char *name, const char *file)
{
    size_t stem = stem_len(file);
    size_t ending = strlen(file + stem);
    size_t len = strlen(name);
    uint64_t number = 0;
    char digits[24];
    if (len < stem + 1 + NUMBER_LEN + ending || memcmp(name, file, stem) != 0 ||
        name[stem] != '-' || strcmp(name + len - ending, file + stem) != 0)
        return 0;
    size_t count = len - ending - stem - 1;
    if (count >= sizeof digits)
        return 0;
    memcpy(digits, name + stem + 1, count);
    digits[count] = '\0';
    return strspn(digits, "0123456789") == count &&
                   tulle__parse_u64(digits, 1, UINT64_MAX / 2, &number)
               ? number
               : 0;
}

/* The same file, whatever its path. */
static bool
is_same(const char *one, const char *other)
{
    struct stat first;
    struct stat second;
    return stat(one, &first) == 0 && stat(other, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

bool
tulle__record_series_may_remove(const struct tulle__record_options *options, const char *path)
{
    char numbered[TULLE__RECORD_PATH_MAX];
    if (options->rotate.count == 0)
        return is_same(options->file, path);
    if (!options->is_forced && options->keep == 0)
        return false;
    uint64_t number = number_of(base_name(path), base_name(options->file));
    return number > 0 && put_path(options->file, number, numbered) && is_same(numbered, path);
}

static bool
say(const struct tulle__record_series *series, const char *path, const char *problem)
{
    (void)fprintf(stderr, "%s: %s: %s\n", series->program->name, path, problem);
    return false;
}

/* Of the file that is written: said once. */
static bool
fail(struct tulle__record_series *series, const char *problem)
{
    if (!series->has_failed)
        (void)say(series, series->path, problem);
    series->has_failed = true;
    return false;
}

/* The highest number of the files that are there, after removing them if that is asked for. */
static bool
look_for_files(struct tulle__record_series *series, bool has_to_go, uint64_t *highest)
{
    const char *file = series->options->file;
    const char *slash = strrchr(file, '/');
    char directory[TULLE__RECORD_PATH_MAX];
    (void)snprintf(directory, sizeof directory, "%.*s", slash == NULL ? 1 : (int)(slash - file + 1),
                   slash == NULL ? "." : file);
    DIR *dir = opendir(directory);
    if (dir == NULL)
        return say(series, directory, strerror(errno));
    *highest = 0;
    bool is_good = true;
    const struct dirent *entry = NULL;
    while (is_good && (entry = readdir(dir)) != NULL) {
        uint64_t number = number_of(entry->d_name, base_name(file));
        char path[TULLE__RECORD_PATH_MAX];
        if (number > 0 && has_to_go && put_path(file, number, path) && unlink(path) != 0)
            is_good = say(series, path, strerror(errno));
        *highest = number > *highest ? number : *highest;
    }
    (void)closedir(dir);
    return is_good;
}

/* ---- files ---- */

static void
note_before(struct tulle__record_series *series)
{
    struct tulle__recording_tally tally;
    tulle__recording_tally(series->writer, &tally);
    series->had_events = tally.events;
    series->had_gaps = tally.gaps;
    series->had_bytes = tally.bytes;
    if (tally.dropped > 0 && !series->options->is_quiet) {
        (void)fprintf(stderr, "%s: %s: %" PRIu64 " bytes behind the last whole part are cut off\n",
                      series->program->name, series->path, tally.dropped);
    } else if (tally.events > 0 && series->options->is_verbose) {
        (void)fprintf(stderr, "%s: %s: has %" PRIu64 " events already\n", series->program->name,
                      series->path, tally.events);
    }
}

/* Begin the next file. */
static bool
begin_file(struct tulle__record_series *series)
{
    char problem[TULLE__RECORDING_PROBLEM_LEN];
    if (!put_path(series->options->file, series->number, series->path))
        return say(series, series->options->file, strerror(ENAMETOOLONG));
    series->writer = tulle__recording_create(series->path, &series->writing, problem);
    if (series->writer == NULL) {
        bool is_there =
            series->writing.open == TULLE__RECORDING_CREATE && access(series->path, F_OK) == 0;
        (void)say(series, series->path, problem);
        if (is_there)
            (void)fprintf(stderr, "%s: give --append to go on in it, or --force to replace it\n",
                          series->program->name);
        return false;
    }
    series->files++;
    series->begun_us = tulle__tool_mono_us();
    note_before(series);
    if (series->options->is_verbose)
        (void)fprintf(stderr, "%s: recording to %s\n", series->program->name, series->path);
    if (series->options->keep > 0 && series->number > series->options->keep) {
        char old[TULLE__RECORD_PATH_MAX];
        uint64_t gone = series->number - series->options->keep;
        while (gone > 0 && put_path(series->options->file, gone, old) && unlink(old) == 0)
            gone--;
    }
    return true;
}

/* With its summary. */
static bool
end_file(struct tulle__record_series *series)
{
    struct tulle__recording_tally tally;
    char problem[TULLE__RECORDING_PROBLEM_LEN];
    bool is_good = tulle__recording_flush(series->writer);
    tulle__recording_tally(series->writer, &tally);
    series->events += tally.events - series->had_events;
    series->gaps += tally.gaps - series->had_gaps;
    series->had_events = series->had_gaps = 0;
    series->lost += is_good ? 0 : tally.waiting;
    bool is_closed = tulle__recording_close(&series->writer, problem);
    series->bytes += tally.bytes - series->had_bytes;
    series->had_bytes = 0;
    return (is_good && is_closed) || fail(series, problem);
}

/* Which number begins, and how the file is opened. */
static bool
choose_first(struct tulle__record_series *series)
{
    const struct tulle__record_options *options = series->options;
    uint64_t highest = 0;
    series->writing.open = TULLE__RECORDING_CREATE;
    if (!is_numbered(series)) {
        if (options->is_append)
            series->writing.open = TULLE__RECORDING_APPEND;
        else if (options->is_forced)
            series->writing.open = TULLE__RECORDING_REPLACE;
        return true;
    }
    if (!look_for_files(series, options->is_forced, &highest))
        return false;
    if (highest > 0 && !options->is_append && !options->is_forced) {
        (void)put_path(options->file, highest, series->path);
        (void)say(series, series->path, "it is there already");
        (void)fprintf(stderr, "%s: give --append to go on behind it, or --force to replace all\n",
                      series->program->name);
        return false;
    }
    series->number = options->is_append ? highest + 1 : 1;
    return true;
}

bool
tulle__record_series_open(struct tulle__record_series *series,
                          const struct tulle__program *program,
                          const struct tulle__record_options *options,
                          const struct tulle__recording_note *notes,
                          size_t note_count)
{
    *series = (struct tulle__record_series){ .program = program, .options = options };
    tulle__recording_options_init(&series->writing);
    series->writing.compression = (enum tulle__recording_compression)options->compression;
    series->writing.is_synced = options->is_synced;
    series->writing.notes = notes;
    series->writing.note_count = note_count;
    uint64_t chunk = options->rotate_bytes / CHUNKS_OF_A_FILE;
    if (chunk > 0 && chunk < series->writing.chunk_bytes)
        series->writing.chunk_bytes =
            chunk < CHUNK_BYTES_LEAST ? CHUNK_BYTES_LEAST : (uint32_t)chunk;
    return choose_first(series) && begin_file(series);
}

static bool
is_over_by_size(const struct tulle__record_series *series)
{
    struct tulle__recording_tally tally;
    uint64_t most = series->options->rotate_bytes;
    if (tulle__recording_is_full(series->writer))
        return true;
    tulle__recording_tally(series->writer, &tally);
    return most > 0 && tally.bytes >= most;
}

/* Has the file what would be worth another? */
static bool
has_news(const struct tulle__record_series *series)
{
    struct tulle__recording_tally tally;
    tulle__recording_tally(series->writer, &tally);
    return tally.events + tally.gaps > series->had_events + series->had_gaps;
}

static bool
is_over_by_time(const struct tulle__record_series *series, int64_t now_us)
{
    int64_t most = series->options->rotate_us;
    return series->writer != NULL && most > 0 && now_us - series->begun_us >= most &&
           has_news(series);
}

static bool
rotate(struct tulle__record_series *series)
{
    if (!end_file(series))
        return false;
    series->number += series->number == 0 ? 2 : 1;
    series->writing.open =
        series->options->is_forced ? TULLE__RECORDING_REPLACE : TULLE__RECORDING_CREATE;
    return true;
}

static bool
flush(struct tulle__record_series *series)
{
    struct tulle__recording_tally before;
    tulle__recording_tally(series->writer, &before);
    if (!tulle__recording_flush(series->writer))
        return fail(series, tulle__recording_problem(series->writer));
    if (series->options->is_verbose && before.waiting > 0) {
        struct tulle__record_total total;
        tulle__record_series_total(series, &total);
        (void)fprintf(stderr, "%s: flushed: %" PRIu64 " events\n", series->program->name,
                      total.events);
    }
    return true;
}

bool
tulle__record_series_add(struct tulle__record_series *series,
                         const tulle_message *message,
                         int64_t arrival_us)
{
    int64_t now_us = tulle__tool_mono_us();
    if (is_over_by_time(series, now_us) && !rotate(series))
        return false;
    if (series->writer == NULL && !begin_file(series))
        return false;
    bool was_waiting = tulle__recording_is_waiting(series->writer);
    if (!tulle__recording_add(series->writer, message, arrival_us))
        return fail(series, tulle__recording_problem(series->writer));
    if (!was_waiting)
        series->flush_us = now_us + series->options->flush_ms * 1000;
    return !is_over_by_size(series) || rotate(series);
}

bool
tulle__record_series_tick(struct tulle__record_series *series, int64_t now_us)
{
    if (is_over_by_time(series, now_us))
        return rotate(series);
    if (series->writer == NULL || !tulle__recording_is_waiting(series->writer) ||
        now_us < series->flush_us)
        return true;
    return flush(series);
}

int64_t
tulle__record_series_left_ms(const struct tulle__record_series *series, int64_t now_us)
{
    int64_t due_us = INT64_MAX;
    if (series->writer == NULL)
        return -1;
    if (tulle__recording_is_waiting(series->writer))
        due_us = series->flush_us;
    if (series->options->rotate_us > 0 && has_news(series) &&
        series->begun_us + series->options->rotate_us < due_us)
        due_us = series->begun_us + series->options->rotate_us;
    if (due_us == INT64_MAX)
        return -1;
    return due_us <= now_us ? 0 : (due_us - now_us) / 1000 + 1;
}

bool
tulle__record_series_close(struct tulle__record_series *series)
{
    return series->writer == NULL || end_file(series);
}

void
tulle__record_series_total(const struct tulle__record_series *series,
                           struct tulle__record_total *out)
{
    *out = (struct tulle__record_total){ .events = series->events,
                                         .gaps = series->gaps,
                                         .bytes = series->bytes,
                                         .files = series->files,
                                         .unwritten = series->lost };
    if (series->writer == NULL)
        return;
    struct tulle__recording_tally tally;
    tulle__recording_tally(series->writer, &tally);
    out->events += tally.events - series->had_events;
    out->gaps += tally.gaps - series->had_gaps;
    out->bytes += tally.bytes - series->had_bytes;
    out->unwritten += tally.waiting;
}
