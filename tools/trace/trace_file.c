/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/trace/trace_file.h"

#include "app/exit.h"
#include "tools/common/recorded.h"

enum { LOOK_EVERY = 1024 }; /* records between two looks for signals */

static enum tulle__recording_result
read_records(struct tulle__trace_reader *reader, struct tulle__recording_reader *recording)
{
    const struct tulle__list *takes = &reader->options->takes;
    struct tulle__signals signals;
    const struct tulle__recorded *record = NULL;
    enum tulle__recording_result result = TULLE__RECORDING_END;
    if (!tulle__signals_open(&signals))
        return TULLE__RECORDING_FAILED;
    for (uint64_t i = 1; !reader->store->is_full && !reader->store->has_failed; i++) {
        result = tulle__recording_next(recording, &record);
        if (result != TULLE__RECORDING_RECORD ||
            (i % LOOK_EVERY == 0 && tulle__signals_next(&signals) != 0))
            break;
        /* Gaps all: they also tell names of nodes. */
        if (record->message.kind == TULLE_MESSAGE_GAP ||
            tulle__recorded_is_taken(&record->message, takes->items, takes->count))
            (void)tulle__trace_read(reader, &record->message);
    }
    tulle__signals_close(&signals);
    return result;
}

int
tulle__trace_read_file(struct tulle__trace_reader *reader, const char *path)
{
    const char *name = reader->program->name;
    struct tulle__recording_reader *recording = tulle__recorded_open(name, path);
    if (recording == NULL)
        return TULLE__EXIT_FAILURE;
    enum tulle__recording_result result = read_records(reader, recording);
    (void)tulle__recorded_tell(name, path, recording, result);
    tulle__recording_reader_close(&recording);
    return result == TULLE__RECORDING_FAILED ? TULLE__EXIT_FAILURE : 0;
}
