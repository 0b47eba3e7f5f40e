/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_CODEC_PATTERN_INDEX_H
#define TULLE_CODEC_PATTERN_INDEX_H

/* Which of many patterns match: it costs by the levels of the topic and by what matches,
 * not by how many patterns there are. Each pattern has a number of its own, chosen by
 * who adds it. Adding needs memory; asking and removing need none. */

#include "codec/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tulle__pattern_index;

/* Numbers of patterns, each once; valid until the index is used again. */
struct tulle__pattern_ids {
    const uint32_t *items;
    size_t count;
};

/* NULL: no memory. */
struct tulle__pattern_index *tulle__pattern_index_new(void);
void tulle__pattern_index_free(struct tulle__pattern_index **pointer);

/* A valid pattern. False: no memory, and all is as it was. */
bool tulle__pattern_index_add(struct tulle__pattern_index *index,
                              struct tulle__view pattern,
                              uint32_t id);
/* One that was added under the number. */
void tulle__pattern_index_remove(struct tulle__pattern_index *index,
                                 struct tulle__view pattern,
                                 uint32_t id);

/* Those that match every topic of the stream (tulle__pattern_takes_all_of()). *has_more:
 * others may match some: ask for each topic. */
struct tulle__pattern_ids tulle__pattern_index_stream(struct tulle__pattern_index *index,
                                                      struct tulle__view stream,
                                                      bool *has_more);
/* Those that match the topic with this below the stream asked for last
 * (tulle__pattern_matches()). */
struct tulle__pattern_ids tulle__pattern_index_topic(struct tulle__pattern_index *index,
                                                     struct tulle__view rest);
/* Those whose keys take the stream (tulle__pattern_keys()). */
struct tulle__pattern_ids tulle__pattern_index_taking(struct tulle__pattern_index *index,
                                                      struct tulle__view stream);

#endif
