/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_RECORD_TALLY_H
#define TULLE_TOOLS_RECORD_TALLY_H

/* What a recording has: by lane, and by topic if that is asked for. */

#include <tulle/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tulle__record_lane {
    uint64_t node;
    const char *node_name; /* as it was known last */
    const char *stream;
    uint64_t events, bytes; /* of payloads */
    uint64_t first, last;   /* numbers; 0: no event */
    uint64_t missing;       /* in gaps */
};

struct tulle__record_topic {
    const char *topic;
    uint64_t events, bytes;
    int64_t first_us, last_us; /* published */
};

struct tulle__record_sum {
    uint64_t events, gaps, missing, bytes, repaired;
    size_t lanes, topics, nodes;
    int64_t first_us, last_us;           /* published; valid with events */
    int64_t first_arrival, last_arrival; /* of events and gaps */
};

struct tulle__record_tally;

/* NULL: no memory. */
struct tulle__record_tally *tulle__record_tally_new(bool has_topics);
void tulle__record_tally_free(struct tulle__record_tally **pointer);

/* An event or a gap. Returns false when there is no memory. */
bool tulle__record_tally_add(struct tulle__record_tally *tally,
                             const tulle_message *message,
                             int64_t arrival_us);

void tulle__record_tally_sum(const struct tulle__record_tally *tally,
                             struct tulle__record_sum *out);

/* The index-th by name, NULL past the end; sorted with the first call since the last addition. */
const struct tulle__record_lane *tulle__record_tally_lane(struct tulle__record_tally *tally,
                                                          size_t index);
const struct tulle__record_topic *tulle__record_tally_topic(struct tulle__record_tally *tally,
                                                            size_t index);

#endif
