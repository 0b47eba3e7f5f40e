/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/play/play_map.h"

#include <tulle/topic.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A failed HASH_ADD leaves the element out and says so in hh.tbl. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

enum {
    RANGES_MAX = 65536, /* of a track: the older half is forgotten then */
    CAUSES_MAX = 64,
    LEVELS_MAX = 8
};

/* Numbers from..from + count - 1 of a recorded lane became to..to + count - 1 of a played one. */
struct range {
    uint64_t from, to, count;
};

/* What one recorded lane gave to one played lane. */
struct track {
    struct track *next;
    uint32_t lane;
    bool has_forgotten; /* ranges before the first one */
    struct range *ranges;
    size_t count, cap;
};

struct recorded {
    UT_hash_handle hh;
    size_t node; /* that plays it */
    struct track *tracks;
    size_t key_len;
    char key[]; /* id, then the stream with its zero byte */
};

struct played {
    UT_hash_handle hh;
    uint32_t index;
    size_t node;
    char *stream;
    uint64_t count; /* published */
    uint64_t base;  /* before this round */
    /* of the step that is prepared */
    uint64_t value;
    uint64_t step; /* for which value holds */
    size_t key_len;
    char key[]; /* node, stream */
};

struct player {
    UT_hash_handle hh;
    size_t index;
    uint64_t id;
    char *name;
    uint64_t *seen; /* by played lane: what its clock has */
    size_t seen_cap;
};

/* A recorded node, by its name, or by its id while that is not known. */
struct origin {
    UT_hash_handle hh;
    size_t player;
    char name[];
};

struct tulle__play_map {
    const char *const *renames;
    size_t rename_count, node_max;
    struct origin *origins;
    struct player *players;
    size_t player_count;
    bool is_closed; /* they run: what a file that grows has more is shared among them */
    struct recorded *recorded, *last;
    struct played *played;
    struct played **lanes; /* by index */
    uint32_t lane_count;
    size_t lane_cap;

    uint64_t step;
    uint32_t *touched; /* lanes that have a value in this step */
    size_t touched_count;
    tulle_clock_entry *after;
    tulle_event_ref causes[CAUSES_MAX];
    char topic[TULLE_TOPIC_LEN_MAX + 1];
    struct recorded *from; /* of the step */
    struct played *to;
    uint64_t seq;
    bool is_explicit;
};

/* ---- life ---- */

struct tulle__play_map *
tulle__play_map_new(const char *const *renames, size_t rename_count, size_t node_max)
{
    struct tulle__play_map *map = calloc(1, sizeof *map);
    if (map == NULL)
        return NULL;
    map->renames = renames;
    map->rename_count = rename_count;
    map->node_max = node_max;
    map->players = calloc(node_max, sizeof *map->players);
    if (map->players == NULL) {
        free(map);
        return NULL;
    }
    return map;
}

static void
free_recorded(struct tulle__play_map *map)
{
    struct recorded *recorded = map->recorded;
    HASH_CLEAR(hh, map->recorded);
    while (recorded != NULL) {
        struct recorded *next = recorded->hh.next;
        while (recorded->tracks != NULL) {
            struct track *track = recorded->tracks;
            recorded->tracks = track->next;
            free(track->ranges);
            free(track);
        }
        free(recorded);
        recorded = next;
    }
    map->last = NULL;
}

void
tulle__play_map_free(struct tulle__play_map **pointer)
{
    struct tulle__play_map *map = *pointer;
    if (map == NULL)
        return;
    free_recorded(map);
    HASH_CLEAR(hh, map->played);
    for (uint32_t i = 0; i < map->lane_count; i++) {
        free(map->lanes[i]->stream);
        free(map->lanes[i]);
    }
    struct origin *origin = map->origins;
    HASH_CLEAR(hh, map->origins);
    while (origin != NULL) {
        struct origin *next = origin->hh.next;
        free(origin);
        origin = next;
    }
    for (size_t i = 0; i < map->player_count; i++) {
        free(map->players[i].name);
        free(map->players[i].seen);
    }
    free(map->players);
    free(map->lanes);
    free(map->touched);
    free(map->after);
    free(map);
    *pointer = NULL;
}

/* ---- topics ---- */

const char *
tulle__play_rename_check(const char *text)
{
    const char *equals = strchr(text, '=');
    char old[TULLE_TOPIC_LEN_MAX + 1];
    if (equals == NULL || strcmp(text, "=") == 0 || (size_t)(equals - text) > TULLE_TOPIC_LEN_MAX)
        return "no OLD=NEW";
    (void)snprintf(old, sizeof old, "%.*s", (int)(equals - text), text);
    if ((old[0] != '\0' && !tulle_topic_is_valid(old)) ||
        (equals[1] != '\0' && !tulle_topic_is_valid(equals + 1)))
        return "no OLD=NEW: both are leading levels of topics";
    return NULL;
}

static unsigned
count_levels(const char *text)
{
    unsigned levels = text[0] == '\0' ? 0 : 1;
    for (; *text != '\0'; text++)
        levels += *text == '/';
    return levels;
}

/* The topic that an event gets, and how many levels of it are the stream: as many as the recorded
 * one had, and what the new name has more. */
static bool
rename_topic(const struct tulle__play_map *map,
             const tulle_event *event,
             char out[static TULLE_TOPIC_LEN_MAX + 1],
             unsigned *levels)
{
    const char *rest = event->topic;
    const char *lead = "";
    int stream_levels = (int)count_levels(event->stream);
    for (size_t i = 0; i < map->rename_count; i++) {
        const char *equals = strchr(map->renames[i], '=');
        size_t len = (size_t)(equals - map->renames[i]);
        bool is_level = len == 0 || event->topic[len] == '/' || event->topic[len] == '\0';
        if (strncmp(event->topic, map->renames[i], len) != 0 || !is_level)
            continue;
        char old[TULLE_TOPIC_LEN_MAX + 1];
        (void)snprintf(old, sizeof old, "%.*s", (int)len, map->renames[i]);
        lead = equals + 1;
        rest = event->topic + len;
        rest += len > 0 && *rest == '/' ? 1 : 0;
        stream_levels += (int)count_levels(lead) - (int)count_levels(old);
        break;
    }
    const char *slash = lead[0] != '\0' && rest[0] != '\0' ? "/" : "";
    int len = snprintf(out, TULLE_TOPIC_LEN_MAX + 1, "%s%s%s", lead, slash, rest);
    if (len < 1 || len > TULLE_TOPIC_LEN_MAX || !tulle_topic_is_valid(out))
        return false;
    unsigned most = count_levels(out) < LEVELS_MAX ? count_levels(out) : LEVELS_MAX;
    *levels = stream_levels < 1 ? 1 : (unsigned)stream_levels;
    *levels = *levels > most ? most : *levels;
    return true;
}

/* ---- nodes and lanes ---- */

/* The player of a recorded node: a new one while there is room, else one of those that are there.
 */
static bool
get_player(struct tulle__play_map *map, const tulle_event *event, size_t *out)
{
    char name[64];
    if (event->node_name[0] != '\0')
        (void)snprintf(name, sizeof name, "%s", event->node_name);
    else
        (void)snprintf(name, sizeof name, "%016llx", (unsigned long long)event->node);
    struct origin *origin = NULL;
    size_t len = strlen(name);
    HASH_FIND(hh, map->origins, name, len, origin);
    if (origin == NULL) {
        origin = calloc(1, sizeof *origin + len + 1);
        if (origin == NULL)
            return false;
        memcpy(origin->name, name, len);
        bool is_new = map->player_count < map->node_max && !map->is_closed;
        if (is_new) {
            struct player *player = &map->players[map->player_count];
            *player = (struct player){ .index = map->player_count, .name = strdup(name) };
            if (player->name == NULL) {
                free(origin);
                return false;
            }
            map->player_count++;
            origin->player = player->index;
        } else {
            origin->player = HASH_CNT(hh, map->origins) % map->player_count;
        }
        HASH_ADD_KEYPTR(hh, map->origins, origin->name, len, origin);
        if (origin->hh.tbl == NULL) {
            if (is_new)
                free(map->players[--map->player_count].name);
            free(origin);
            return false;
        }
    }
    *out = origin->player;
    return true;
}

/* An id or a number, then the stream and a zero byte; the length. */
enum { KEY_MAX = sizeof(uint64_t) + TULLE_TOPIC_LEN_MAX + 1 };

static size_t
make_key(uint64_t number, const char *stream, size_t stream_len, char key[static KEY_MAX])
{
    stream_len = stream_len > TULLE_TOPIC_LEN_MAX ? TULLE_TOPIC_LEN_MAX : stream_len;
    memcpy(key, &number, sizeof number);
    memcpy(key + sizeof number, stream, stream_len);
    key[sizeof number + stream_len] = '\0';
    return sizeof number + stream_len + 1;
}

static struct recorded *
find_recorded(struct tulle__play_map *map, uint64_t node, const char *stream)
{
    char key[KEY_MAX];
    struct recorded *recorded = map->last;
    size_t len = make_key(node, stream, strlen(stream), key);
    if (recorded == NULL || recorded->key_len != len || memcmp(recorded->key, key, len) != 0)
        HASH_FIND(hh, map->recorded, key, len, recorded);
    return recorded;
}

static struct recorded *
get_recorded(struct tulle__play_map *map, const tulle_event *event)
{
    struct recorded *recorded = find_recorded(map, event->node, event->stream);
    if (recorded != NULL) {
        map->last = recorded;
        return recorded;
    }
    char key[KEY_MAX];
    size_t len = make_key(event->node, event->stream, strlen(event->stream), key);
    size_t player = 0;
    if (!get_player(map, event, &player))
        return NULL;
    recorded = calloc(1, sizeof *recorded + len);
    if (recorded == NULL)
        return NULL;
    recorded->node = player;
    recorded->key_len = len;
    memcpy(recorded->key, key, len);
    HASH_ADD_KEYPTR(hh, map->recorded, recorded->key, recorded->key_len, recorded);
    if (recorded->hh.tbl == NULL) {
        free(recorded);
        return NULL;
    }
    map->last = recorded;
    return recorded;
}

static bool
grow_lanes(struct tulle__play_map *map)
{
    if (map->lane_count < map->lane_cap)
        return true;
    size_t cap = map->lane_cap == 0 ? 64 : map->lane_cap * 2;
    struct played **lanes = realloc((void *)map->lanes, cap * sizeof(struct played *));
    if (lanes == NULL)
        return false;
    map->lanes = lanes;
    uint32_t *touched = realloc(map->touched, cap * sizeof *touched);
    if (touched == NULL)
        return false;
    map->touched = touched;
    tulle_clock_entry *after = realloc(map->after, cap * sizeof *after);
    if (after == NULL)
        return false;
    map->after = after;
    map->lane_cap = cap;
    return true;
}

static size_t
stream_len(const char *topic, unsigned levels)
{
    const char *at = topic;
    for (; *at != '\0'; at++) {
        if (*at == '/' && --levels == 0)
            break;
    }
    return (size_t)(at - topic);
}

static struct played *
get_played(struct tulle__play_map *map, size_t node, const char *topic, unsigned levels)
{
    char key[KEY_MAX];
    struct played *played = NULL;
    size_t len = stream_len(topic, levels);
    size_t key_len = make_key(node, topic, len, key);
    HASH_FIND(hh, map->played, key, key_len, played);
    if (played != NULL || !grow_lanes(map))
        return played;
    played = calloc(1, sizeof *played + key_len);
    if (played == NULL)
        return NULL;
    played->stream = strndup(topic, len);
    if (played->stream == NULL) {
        free(played);
        return NULL;
    }
    played->index = map->lane_count;
    played->node = node;
    played->key_len = key_len;
    memcpy(played->key, key, key_len);
    HASH_ADD_KEYPTR(hh, map->played, played->key, played->key_len, played);
    if (played->hh.tbl == NULL) {
        free(played->stream);
        free(played);
        return NULL;
    }
    map->lanes[map->lane_count++] = played;
    return played;
}

bool
tulle__play_map_meet(struct tulle__play_map *map, const tulle_event *event)
{
    char topic[TULLE_TOPIC_LEN_MAX + 1];
    unsigned levels = 1;
    struct recorded *recorded = get_recorded(map, event);
    if (recorded == NULL)
        return false;
    return !rename_topic(map, event, topic, &levels) ||
           get_played(map, recorded->node, topic, levels) != NULL;
}

size_t
tulle__play_map_nodes(const struct tulle__play_map *map)
{
    return map->player_count;
}

const char *
tulle__play_map_node_name(const struct tulle__play_map *map, size_t node)
{
    return map->players[node].name;
}

bool
tulle__play_map_lane(const struct tulle__play_map *map,
                     size_t index,
                     size_t *node,
                     const char **stream)
{
    if (index >= map->lane_count)
        return false;
    *node = map->lanes[index]->node;
    *stream = map->lanes[index]->stream;
    return true;
}

void
tulle__play_map_set_id(struct tulle__play_map *map, size_t node, uint64_t id)
{
    map->players[node].id = id;
    map->is_closed = true;
}

/* ---- numbers ---- */

/* How many events of the played lane the first count of the recorded one have become, at least,
 * and not more than were played; 0: none. is_exact: only if the count-th itself was played. */
static uint64_t
translate(const struct track *track, uint64_t count, bool is_exact)
{
    size_t low = 0;
    size_t high = track->count;
    while (low < high) { /* the last range that begins at count or before */
        size_t middle = low + (high - low) / 2;
        if (track->ranges[middle].from <= count)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return !is_exact && track->has_forgotten ? track->ranges[0].to - 1 : 0;
    const struct range *range = &track->ranges[low - 1];
    uint64_t within = count - range->from + 1;
    if (within > range->count)
        return is_exact ? 0 : range->to + range->count - 1;
    return range->to + within - 1;
}

static bool
note_number(struct recorded *recorded, uint32_t lane, uint64_t from, uint64_t to)
{
    struct track *track = recorded->tracks;
    while (track != NULL && track->lane != lane)
        track = track->next;
    if (track == NULL) {
        track = calloc(1, sizeof *track);
        if (track == NULL)
            return false;
        track->lane = lane;
        track->next = recorded->tracks;
        recorded->tracks = track;
    }
    struct range *last = track->count > 0 ? &track->ranges[track->count - 1] : NULL;
    if (last != NULL && from < last->from + last->count)
        return true; /* it came before: in a recording of files that overlap */
    if (last != NULL && last->from + last->count == from && last->to + last->count == to) {
        last->count++;
        return true;
    }
    if (track->count == RANGES_MAX) {
        track->count = RANGES_MAX / 2;
        track->has_forgotten = true;
        /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): there are RANGES_MAX of them */
        memmove(track->ranges, track->ranges + RANGES_MAX / 2,
                track->count * sizeof *track->ranges);
    }
    if (track->count == track->cap) {
        size_t cap = track->cap == 0 ? 4 : track->cap * 2;
        struct range *ranges = realloc(track->ranges, cap * sizeof *ranges);
        if (ranges == NULL)
            return false;
        track->ranges = ranges;
        track->cap = cap;
    }
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is room for it now */
    track->ranges[track->count++] = (struct range){ from, to, 1 };
    return true;
}

/* ---- causality ---- */

static void
touch(struct tulle__play_map *map, uint32_t lane, uint64_t value)
{
    struct played *played = map->lanes[lane];
    if (value == 0)
        return;
    if (played->step != map->step) {
        played->step = map->step;
        played->value = value;
        map->touched[map->touched_count++] = lane;
    } else if (value > played->value) {
        played->value = value;
    }
}

/* The clock of the event, in numbers of played lanes. Rounds before are past for all. */
static void
translate_clock(struct tulle__play_map *map, const tulle_event *event)
{
    map->step++;
    map->touched_count = 0;
    for (size_t i = 0; i < event->clock_count; i++) {
        const tulle_clock_entry *entry = &event->clock[i];
        const struct recorded *recorded = find_recorded(map, entry->node, entry->stream);
        const struct track *track = recorded != NULL ? recorded->tracks : NULL;
        for (; track != NULL; track = track->next)
            touch(map, track->lane, translate(track, entry->count, false));
    }
    /* Its own lane, whose event before it depends on in any case. */
    for (const struct track *track = map->from->tracks; track != NULL; track = track->next)
        touch(map, track->lane, translate(track, event->seq - 1, false));
    touch(map, map->to->index, map->to->count);
    for (uint32_t i = 0; i < map->lane_count; i++)
        touch(map, i, map->lanes[i]->base);
}

static uint64_t
seen_by(const struct player *player, uint32_t lane)
{
    return lane < player->seen_cap ? player->seen[lane] : 0;
}

static bool
set_seen(const struct tulle__play_map *map, struct player *player, uint32_t lane, uint64_t count)
{
    if (lane >= player->seen_cap) {
        uint64_t *seen = realloc(player->seen, map->lane_cap * sizeof *seen);
        if (seen == NULL)
            return false;
        memset(seen + player->seen_cap, 0, (map->lane_cap - player->seen_cap) * sizeof *seen);
        player->seen = seen;
        player->seen_cap = map->lane_cap;
    }
    player->seen[lane] = count > player->seen[lane] ? count : player->seen[lane];
    return true;
}

/* Has the player seen no more than the event's clock? */
static bool
is_past_whole(const struct tulle__play_map *map, const struct player *player)
{
    for (uint32_t i = 0; i < map->lane_count && i < player->seen_cap; i++) {
        const struct played *played = map->lanes[i];
        uint64_t value = played->step == map->step ? played->value : 0;
        if (player->seen[i] > value)
            return false;
    }
    return true;
}

static void
put_after(struct tulle__play_map *map, const struct player *player, tulle_publish_options *options)
{
    size_t count = 0;
    map->is_explicit = !is_past_whole(map, player);
    for (size_t i = 0; i < map->touched_count; i++) {
        const struct played *played = map->lanes[map->touched[i]];
        bool is_own = played->node == player->index;
        bool is_new = !is_own && played->value > seen_by(player, played->index);
        if (map->is_explicit ? played == map->to : !is_new)
            continue;
        map->after[count++] = (tulle_clock_entry){ .node = map->players[played->node].id,
                                                   .stream = played->stream,
                                                   .count = played->value };
    }
    options->after = map->after;
    options->after_count = count;
    options->only_causes = map->is_explicit;
}

static void
put_causes(struct tulle__play_map *map, const tulle_event *event, struct tulle__play_step *step)
{
    size_t count = 0;
    for (size_t i = 0; i < event->cause_count && i < CAUSES_MAX; i++) {
        const tulle_event_ref *cause = &event->causes[i];
        const struct recorded *recorded = find_recorded(map, cause->node, cause->stream);
        const struct track *track = recorded != NULL ? recorded->tracks : NULL;
        uint64_t seq = 0;
        for (; track != NULL && seq == 0; track = seq == 0 ? track->next : track)
            seq = translate(track, cause->seq, true);
        if (seq == 0 || track == NULL) {
            step->unknown_causes++;
            continue;
        }
        const struct played *played = map->lanes[track->lane];
        map->causes[count++] = (tulle_event_ref){ .node = map->players[played->node].id,
                                                  .stream = played->stream,
                                                  .seq = seq };
    }
    step->options.causes = map->causes;
    step->options.cause_count = count;
}

enum tulle__play_result
tulle__play_map_step(struct tulle__play_map *map,
                     const tulle_event *event,
                     struct tulle__play_step *out)
{
    unsigned levels = 1;
    *out = (struct tulle__play_step){ .topic = map->topic };
    if (!rename_topic(map, event, map->topic, &levels))
        return TULLE__PLAY_TOPIC;
    map->from = get_recorded(map, event);
    map->to = map->from == NULL ? NULL : get_played(map, map->from->node, map->topic, levels);
    if (map->to == NULL)
        return TULLE__PLAY_MEMORY;
    map->seq = event->seq;
    out->node = map->from->node;
    tulle_publish_options_init(&out->options);
    out->options.stream_levels = levels;
    out->options.content_type = event->content_type;
    out->options.headers = event->headers;
    out->options.header_count = event->header_count;
    translate_clock(map, event);
    put_after(map, &map->players[out->node], &out->options);
    put_causes(map, event, out);
    return TULLE__PLAY_OK;
}

bool
tulle__play_map_done(struct tulle__play_map *map)
{
    struct player *player = &map->players[map->from->node];
    bool is_good = true;
    for (size_t i = 0; is_good && !map->is_explicit && i < map->touched_count; i++) {
        const struct played *played = map->lanes[map->touched[i]];
        if (played->node != player->index)
            is_good = set_seen(map, player, played->index, played->value);
    }
    map->to->count++;
    return is_good && set_seen(map, player, map->to->index, map->to->count) &&
           note_number(map->from, map->to->index, map->seq, map->to->count);
}

void
tulle__play_map_again(struct tulle__play_map *map)
{
    for (struct recorded *recorded = map->recorded; recorded != NULL;
         recorded = recorded->hh.next) {
        for (struct track *track = recorded->tracks; track != NULL; track = track->next) {
            track->count = 0;
            track->has_forgotten = false;
        }
    }
    for (uint32_t i = 0; i < map->lane_count; i++)
        map->lanes[i]->base = map->lanes[i]->count;
}
