/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_DEMO_RECORD_H
#define TULLE_DEMO_RECORD_H

/* What one service or tap saw: its lines of JSON, in their order. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DEMO_NAME_LEN = 160, DEMO_LINES_MAX = 100000 };

enum demo_kind { DEMO_EVENT = 1, DEMO_ARRIVAL, DEMO_DUPLICATE, DEMO_GAP, DEMO_OTHER };

struct demo_line {
    enum demo_kind kind;
    const char *stream;       /* of json */
    const char *topic;        /* of json; "" for gaps */
    char name[DEMO_NAME_LEN]; /* ID/STREAM/SEQ */
    char lane[DEMO_NAME_LEN]; /* ID/STREAM */
    int64_t seq;
    int64_t order;      /* number of the order in the payload; -1: none */
    int64_t arrived_us; /* since 1970 */
    int64_t published_us;
    int64_t held_us;
    bool is_repaired;
    json_t *json;
};

struct demo_record {
    struct demo_line *lines;
    size_t count;
};

/* Read a file. False, after a message, when it cannot be read or a line is not what it should be.
 */
bool demo_record_read(struct demo_record *record, const char *path);
void demo_record_free(struct demo_record *record);

/* The number of the order in an event's payload; -1: none. */
int64_t demo_order_of(const json_t *event);

#endif
