/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_RECORDED_H
#define TULLE_TOOLS_RECORDED_H

/* Reading recordings: what the tools that do so share. */

#include "app/recording/recording.h"

#include <stdbool.h>
#include <stddef.h>

/* Open it; NULL after a message "PROGRAM: PATH: why". */
struct tulle__recording_reader *tulle__recorded_open(const char *program, const char *path);

/* At the end: say what is wrong with it, if anything. cut_off and damaged parts are told on
 * standard error. Returns false when something in it could not be read, or was damaged; a file
 * that is only cut off is true: what its recorder made safe is there. */
bool tulle__recorded_tell(const char *program,
                          const char *path,
                          const struct tulle__recording_reader *reader,
                          enum tulle__recording_result result);

/* Does one of the patterns match the event's topic; of a gap, may it match topics of the lost
 * stream? No patterns: yes. */
bool tulle__recorded_is_taken(const tulle_message *message,
                              const char *const *patterns,
                              size_t pattern_count);

#endif
