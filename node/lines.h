/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_PROGRAM_LINES_H
#define TULLE_NODE_PROGRAM_LINES_H

/* What a line that a command printed means as an event.
 *
 *     {"topic": "a/b", "payload": ...}  that topic, that payload as msgpack
 *     other JSON                        the topic given by --publish-to, the value as msgpack
 *     anything else                     the same topic, the line as a msgpack string
 */

#include "app/text.h"

#include <stdbool.h>
#include <stddef.h>

enum { TULLE__LINE_TOPIC_LEN = 256 };

struct tulle__line {
    char topic[TULLE__LINE_TOPIC_LEN];
    struct tulle__text payload; /* start from { 0 }; reused; free with tulle__text_free() */
};

/* Read a line into out.
 *
 * topic  of lines that name none; NULL: there is none
 *
 * Returns NULL, or why it cannot be published: static text. */
const char *
tulle__line_read(const char *line, size_t len, const char *topic, struct tulle__line *out);

#endif
