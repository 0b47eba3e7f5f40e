/* SPDX-License-Identifier: MPL-2.0 */

/* Recordings: read all of any file, touch all that an event has, and write it anew as JSON. */

#include "app/json.h"
#include "app/recording/recording.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t bytes_len)
{
    char problem[TULLE__RECORDING_PROBLEM_LEN];
    struct tulle__recording_reader *reader = tulle__recording_open_bytes(bytes, bytes_len, problem);
    const struct tulle__recorded *recorded = NULL;
    struct tulle__text json = { 0 };
    while (reader != NULL && tulle__recording_next(reader, &recorded) == TULLE__RECORDING_RECORD) {
        tulle__text_clear(&json);
        tulle__json_message(&recorded->message, 0, &json);
    }
    tulle__text_free(&json);
    tulle__recording_reader_close(&reader);
    return 0;
}
