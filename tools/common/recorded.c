/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/common/recorded.h"

#include "tools/common/choose.h"

#include <tulle/topic.h>

#include <inttypes.h>
#include <stdio.h>

struct tulle__recording_reader *
tulle__recorded_open(const char *program, const char *path)
{
    char problem[TULLE__RECORDING_PROBLEM_LEN];
    struct tulle__recording_reader *reader = tulle__recording_open(path, problem);
    if (reader == NULL)
        (void)fprintf(stderr, "%s: %s: %s\n", program, path, problem);
    return reader;
}

bool
tulle__recorded_tell(const char *program,
                     const char *path,
                     const struct tulle__recording_reader *reader,
                     enum tulle__recording_result result)
{
    struct tulle__recording_state state;
    tulle__recording_state(reader, &state);
    uint64_t damaged = state.damaged_chunks + state.damaged_records;
    if (result == TULLE__RECORDING_FAILED || result == TULLE__RECORDING_TORN)
        (void)fprintf(stderr, "%s: %s: %s\n", program, path, tulle__recording_reason(reader));
    if (damaged > 0)
        (void)fprintf(stderr, "%s: %s: %" PRIu64 " damaged part%s left out\n", program, path,
                      damaged, damaged == 1 ? " is" : "s are");
    return result != TULLE__RECORDING_FAILED && damaged == 0;
}

bool
tulle__recorded_is_taken(const tulle_message *message,
                         const char *const *patterns,
                         size_t pattern_count)
{
    bool is_gap = message->kind == TULLE_MESSAGE_GAP;
    for (size_t i = 0; i < pattern_count; i++) {
        if (is_gap ? tulle__pattern_meets_stream(patterns[i], message->u.gap.stream)
                   : tulle_pattern_matches(patterns[i], message->u.event.topic))
            return true;
    }
    return pattern_count == 0;
}
