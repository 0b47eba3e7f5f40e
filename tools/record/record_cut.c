/* SPDX-License-Identifier: MPL-2.0 */

/* --cut: from recordings to a recording. What is read stays as it is, with its times, clocks and
 * order. Gaps are taken over where the patterns may have matched what is lost. */

#include "app/exit.h"
#include "app/signal.h"
#include "tools/common/human.h"
#include "tools/common/progress.h"
#include "tools/common/recorded.h"
#include "tools/common/tools.h"
#include "tools/record/record.h"
#include "tools/record/record_series.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LOOK_EVERY = 1024, NOTES_MAX = 8 }; /* records between two looks for signals */

struct cut {
    const struct tulle__program *program;
    const struct tulle__record_options *options;
    struct tulle__event_filter *filter;
    const char *const *patterns;
    size_t pattern_count;
    struct tulle__record_series series;
    struct tulle__signals signals;
    struct tulle__progress progress;
    uint64_t read, taken;
    bool is_interrupted, is_over;
    int exit_status;
};

static bool
is_wanted(struct cut *cut, const struct tulle__recorded *record)
{
    const tulle_message *message = &record->message;
    if (!tulle__recorded_is_taken(message, cut->patterns, cut->pattern_count))
        return false;
    if (message->kind == TULLE_MESSAGE_GAP)
        return record->arrival_us >= cut->filter->since_us &&
               record->arrival_us <= cut->filter->until_us;
    return tulle__event_filter_passes(cut->filter, message);
}

static bool
take(struct cut *cut, const struct tulle__recorded *record)
{
    cut->read++;
    if (cut->read % LOOK_EVERY == 0) {
        if (tulle__progress_is_due(&cut->progress))
            tulle__progress_show(&cut->progress, "%s: %" PRIu64 " events taken of %" PRIu64 " ",
                                 cut->program->name, cut->taken, cut->read);
        cut->is_interrupted = tulle__signals_next(&cut->signals) != 0;
    }
    if (cut->is_interrupted || !is_wanted(cut, record))
        return true;
    if (!tulle__record_series_add(&cut->series, &record->message, record->arrival_us)) {
        cut->exit_status = TULLE__EXIT_STORAGE;
        return false;
    }
    cut->taken += record->message.kind == TULLE_MESSAGE_EVENT;
    cut->is_over = cut->options->count != 0 && cut->taken >= cut->options->count;
    return true;
}

/* One file. False: it is no use to go on. */
static bool
read_file(struct cut *cut, const char *path)
{
    struct tulle__recording_reader *reader = tulle__recorded_open(cut->program->name, path);
    if (reader == NULL) {
        cut->exit_status = TULLE__EXIT_FAILURE;
        return false;
    }
    const struct tulle__recorded *record = NULL;
    enum tulle__recording_result result = TULLE__RECORDING_END;
    bool is_good = true;
    while (is_good && !cut->is_over && !cut->is_interrupted) {
        result = tulle__recording_next(reader, &record);
        if (result != TULLE__RECORDING_RECORD)
            break;
        is_good = take(cut, record);
    }
    tulle__progress_clear(&cut->progress);
    if (!tulle__recorded_tell(cut->program->name, path, reader, result) && cut->exit_status == 0)
        cut->exit_status = TULLE__EXIT_FAILURE;
    tulle__recording_reader_close(&reader);
    return is_good && result != TULLE__RECORDING_FAILED;
}

/* Replacing a file by a part of itself would lose the rest before it is read. */
static bool
is_endangered(const struct tulle__record_options *options)
{
    for (size_t i = 0; i < options->cut.count; i++) {
        if (tulle__record_series_may_remove(options, options->cut.items[i]))
            return true;
    }
    return false;
}

/* What the first file says of itself goes to the new one, with what this cut leaves out. */
static size_t
make_notes(const struct cut *cut,
           const struct tulle__recording_reader *first,
           struct tulle__recording_note *notes)
{
    static const char *const kept[] = { "mesh", "recorder", "patterns", "order" };
    size_t count = 0;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        const char *value = tulle__recording_note(first, kept[i]);
        if (value != NULL)
            notes[count++] = (struct tulle__recording_note){ kept[i], value };
    }
    notes[count++] = (struct tulle__recording_note){ "cut_from", cut->options->cut.items[0] };
    if (cut->options->where != NULL)
        notes[count++] = (struct tulle__recording_note){ "where", cut->options->where };
    return count;
}

static void
summarise(const struct cut *cut)
{
    struct tulle__record_total total;
    struct tulle__text size = { 0 };
    tulle__record_series_total(&cut->series, &total);
    tulle__human_bytes(&size, total.bytes);
    tulle__text_char(&size, '\0');
    (void)fprintf(stderr,
                  "%s: %" PRIu64 " event%s of %" PRIu64 " records taken, %" PRIu64
                  " gap%s; %s in %" PRIu64 " file%s\n",
                  cut->program->name, total.events, total.events == 1 ? "" : "s", cut->read,
                  total.gaps, total.gaps == 1 ? "" : "s", size.has_failed ? "?" : size.bytes,
                  total.files, total.files == 1 ? "" : "s");
    tulle__text_free(&size);
}

/* With the first file open, so that what it says of itself can be taken over. */
static int
run(struct cut *cut)
{
    struct tulle__recording_note notes[NOTES_MAX];
    const struct tulle__list *files = &cut->options->cut;
    const struct tulle__recorded *record = NULL;
    struct tulle__recording_reader *first =
        tulle__recorded_open(cut->program->name, files->items[0]);
    if (first == NULL)
        return TULLE__EXIT_FAILURE;
    (void)tulle__recording_next(first, &record); /* its notes stand before the first record */
    size_t count = make_notes(cut, first, notes);
    bool is_good =
        tulle__record_series_open(&cut->series, cut->program, cut->options, notes, count);
    if (!is_good)
        cut->exit_status = TULLE__EXIT_STORAGE;
    for (size_t i = 0; is_good && i < files->count && !cut->is_over && !cut->is_interrupted; i++)
        is_good = read_file(cut, files->items[i]);
    if (!tulle__record_series_close(&cut->series) && cut->exit_status == 0)
        cut->exit_status = TULLE__EXIT_STORAGE;
    tulle__recording_reader_close(&first);
    if (cut->series.files > 0 && !cut->options->is_quiet)
        summarise(cut);
    tulle__query_tell(cut->filter->where, cut->program->name, "--where");
    if (cut->is_interrupted && cut->exit_status == 0)
        return tulle__tool_fail(cut->program, "interrupted");
    return cut->exit_status;
}

int
tulle__record_cut(const struct tulle__program *program,
                  const struct tulle__record_options *options,
                  struct tulle__event_filter *filter,
                  const char *const *patterns,
                  size_t pattern_count)
{
    struct cut cut = { .program = program,
                       .options = options,
                       .filter = filter,
                       .patterns = patterns,
                       .pattern_count = pattern_count };
    if (is_endangered(options))
        return tulle__args_usage(program, "--write and --cut name the same file");
    if (!tulle__signals_open(&cut.signals))
        return tulle__tool_fail(program, strerror(errno));
    tulle__progress_init(&cut.progress, options->is_quiet);
    int status = run(&cut);
    tulle__signals_close(&cut.signals);
    return status;
}
