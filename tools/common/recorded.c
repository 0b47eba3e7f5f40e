/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/common/recorded.h"

#include <tulle/topic.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

/* The length of a level. */
static size_t
level_len(const char *at)
{
    return strcspn(at, "/");
}

static bool
may_match_below(const char *pattern, const char *stream)
{
    for (;;) {
        size_t len = level_len(pattern);
        size_t stream_len = level_len(stream);
        if (len == 2 && memcmp(pattern, "**", 2) == 0)
            return true;
        bool is_any = len == 1 && pattern[0] == '*';
        if (!is_any && (len != stream_len || memcmp(pattern, stream, len) != 0))
            return false;
        if (stream[stream_len] == '\0')
            return true;
        if (pattern[len] == '\0')
            return false;
        pattern += len + 1;
        stream += stream_len + 1;
    }
}

bool
tulle__recorded_is_taken(const tulle_message *message,
                         const char *const *patterns,
                         size_t pattern_count)
{
    bool is_gap = message->kind == TULLE_MESSAGE_GAP;
    for (size_t i = 0; i < pattern_count; i++) {
        if (is_gap ? may_match_below(patterns[i], message->u.gap.stream)
                   : tulle_pattern_matches(patterns[i], message->u.event.topic))
            return true;
    }
    return pattern_count == 0;
}
