/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_PLAY_MAP_H
#define TULLE_TOOLS_PLAY_MAP_H

/* From events of a recording to those that are played: which node publishes one, under which
 * topic, as which number of which lane, and after what.
 *
 * A played event depends on exactly those played events that the recorded one depended on, by its
 * recorded clock. Where what its node has published and seen so far is no more than that, it is
 * enough to say what is new; else the whole is said, and it stands for itself.
 */

#include <tulle/node.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tulle__play_map;

/* OLD=NEW: a leading part of topics, by whole levels, and what stands for it. Either may be
 * empty. Borrowed. */
struct tulle__play_map *
tulle__play_map_new(const char *const *renames, size_t rename_count, size_t node_max);
void tulle__play_map_free(struct tulle__play_map **pointer);

/* NULL, or why it is no rename: for a struct tulle__option's check. */
const char *tulle__play_rename_check(const char *text);

/* Which nodes there will be: told of each event before anything is played. False: no memory. */
bool tulle__play_map_meet(struct tulle__play_map *map, const tulle_event *event);
size_t tulle__play_map_nodes(const struct tulle__play_map *map);
const char *tulle__play_map_node_name(const struct tulle__play_map *map, size_t node);
/* The lanes that these will publish: node, stream; false past the end. */
bool tulle__play_map_lane(const struct tulle__play_map *map,
                          size_t index,
                          size_t *node,
                          const char **stream);
/* The id that a node has got. There will be no more nodes. */
void tulle__play_map_set_id(struct tulle__play_map *map, size_t node, uint64_t id);

struct tulle__play_step {
    size_t node;
    const char *topic;             /* until the next step */
    tulle_publish_options options; /* what is not of causality is as the event has it */
    size_t unknown_causes;         /* not played, and left out */
};

enum tulle__play_result {
    TULLE__PLAY_OK = 1,
    TULLE__PLAY_TOPIC, /* the new topic cannot be published */
    TULLE__PLAY_MEMORY
};

/* How an event that was met is to be published. */
enum tulle__play_result tulle__play_map_step(struct tulle__play_map *map,
                                             const tulle_event *event,
                                             struct tulle__play_step *out);
/* It was: the event of the last step. False: no memory. */
bool tulle__play_map_done(struct tulle__play_map *map);

/* The recording begins anew, after all that was played. */
void tulle__play_map_again(struct tulle__play_map *map);

#endif
