/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/trace/trace_file.h"

#include "app/exit.h"
#include "app/recording/recording.h"

#include <tulle/topic.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LOOK_EVERY = 1024 }; /* records between two looks for signals */

static bool
is_taken(const struct tulle__list *takes, const tulle_message *message)
{
    if (message->kind != TULLE_MESSAGE_EVENT || takes->count == 0)
        return true;
    for (size_t i = 0; i < takes->count; i++) {
        if (tulle_pattern_matches(takes->items[i], message->u.event.topic))
            return true;
    }
    return false;
}

static enum tulle__recording_result
read_records(struct tulle__trace_reader *reader, struct tulle__recording_reader *recording)
{
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
        if (is_taken(&reader->options->takes, &record->message))
            (void)tulle__trace_read(reader, &record->message);
    }
    tulle__signals_close(&signals);
    return result;
}

int
tulle__trace_read_file(struct tulle__trace_reader *reader, const char *path)
{
    char problem[TULLE__RECORDING_PROBLEM_LEN];
    const char *name = reader->program->name;
    struct tulle__recording_reader *recording = tulle__recording_open(path, problem);
    if (recording == NULL) {
        (void)fprintf(stderr, "%s: %s: %s\n", name, path, problem);
        return TULLE__EXIT_FAILURE;
    }
    struct tulle__recording_state state;
    enum tulle__recording_result result = read_records(reader, recording);
    tulle__recording_state(recording, &state);
    bool has_failed = result == TULLE__RECORDING_FAILED;
    if (has_failed || result == TULLE__RECORDING_TORN)
        (void)fprintf(stderr, "%s: %s: %s\n", name, path, tulle__recording_reason(recording));
    if (state.damaged_chunks + state.damaged_records > 0)
        (void)fprintf(stderr, "%s: %s: %" PRIu64 " damaged parts are left out\n", name, path,
                      state.damaged_chunks + state.damaged_records);
    tulle__recording_reader_close(&recording);
    return has_failed ? TULLE__EXIT_FAILURE : 0;
}
