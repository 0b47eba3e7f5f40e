/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_PUB_INPUT_H
#define TULLE_TOOLS_PUB_INPUT_H

/* What pub publishes: lines of standard input, and what a line or an argument
 * becomes as an event. */

#include "app/signal.h"
#include "app/text.h"

#include <tulle/node.h>

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tulle__line_result {
    TULLE__LINE_OK = 0,
    TULLE__LINE_END,
    TULLE__LINE_TOO_LONG, /* skipped; the next call goes on behind it */
    TULLE__LINE_SIGNAL,   /* a signal waits; it was not taken */
    TULLE__LINE_FAILED    /* errno says why */
};

struct tulle__lines {
    int fd;
    size_t len_max;
    uint64_t number; /* of the line returned last, from 1 */
    struct tulle__text bytes;
    size_t start; /* of what was not returned yet */
    bool is_end;
};

/* Next line, without its end; line is valid until the next call. Waits for
 * input or a signal. The last line may lack a newline. */
enum tulle__line_result tulle__lines_next(struct tulle__lines *lines,
                                          struct tulle__signals *signals,
                                          const char **line,
                                          size_t *len);

/* All of the input; at most len_max bytes. */
enum tulle__line_result tulle__lines_all(struct tulle__lines *lines,
                                         struct tulle__signals *signals,
                                         const char **bytes,
                                         size_t *len);

enum tulle__pub_form {
    TULLE__PUB_TEXT = 1, /* a msgpack string */
    TULLE__PUB_RAW,      /* the bytes */
    TULLE__PUB_JSON      /* JSON, as msgpack */
};

enum { TULLE__PUB_HEADERS_MAX = 32 };

/* An event to be published. Start from { 0 }; reuse it; free with tulle__pub_event_free(). */
struct tulle__pub_event {
    const char *topic;
    const char *content_type; /* NULL: msgpack */
    struct tulle__text payload;
    tulle_header headers[TULLE__PUB_HEADERS_MAX];
    size_t header_count;
    json_t *json;    /* owns the strings */
    bool is_skipped; /* a line of tap's that is no event */
};

void tulle__pub_event_free(struct tulle__pub_event *event);

enum { TULLE__PUB_PROBLEM_LEN = 240 };

/* Set event's payload and content type from text. Returns false, with problem set. */
bool tulle__pub_payload(struct tulle__pub_event *event,
                        enum tulle__pub_form form,
                        const char *text,
                        size_t len,
                        char problem[static TULLE__PUB_PROBLEM_LEN]);

/* Set all of event from a line of JSON: {"topic": ..., "payload": ...}; also what tap --json
 * prints, whose other fields are ignored. Returns false, with problem set. */
bool tulle__pub_line(struct tulle__pub_event *event,
                     const char *line,
                     size_t len,
                     char problem[static TULLE__PUB_PROBLEM_LEN]);

#endif
