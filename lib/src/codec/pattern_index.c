/* SPDX-License-Identifier: MPL-2.0 */
/* A tree of levels. A topic is walked down it level by level with the set of all places
 * where it can be: so "**" costs no going back, and a place is looked at once for each
 * level, whatever the patterns are. */

#include "codec/pattern_index.h"

#include "base/alloc.h"
#include "base/panic.h"
#include "base/table.h"
#include "codec/topic.h"

#include <string.h>

/* A leading part of patterns. */
struct place {
    UT_hash_handle hh; /* of a literal level, by key */
    struct place *parent;
    struct place *first_child; /* of all kinds */
    struct place *next;
    struct place *previous;
    struct place *one; /* child for a "*" */
    struct place *any; /* child for a "**" */
    uint32_t literal_count;
    bool is_any;
    bool is_open;   /* behind a "**", and "*" at most: it matches all below too */
    uint64_t stamp; /* of the set that it was put into last */
    uint32_t *ids;  /* of patterns that end here */
    size_t id_count;
    size_t id_cap;
    size_t key_len;
    uint8_t key[]; /* the parent's address, then the level */
};

struct set {
    struct place **items;
    size_t count;
    size_t cap;
};

struct tulle__pattern_index {
    struct place *root;
    struct place *literals; /* uthash */
    size_t place_count;
    size_t id_count;
    uint64_t stamp;
    struct set at_stream; /* each has room for all places */
    struct set before;
    struct set after;
    uint32_t *found; /* with room for all ids */
    size_t found_count;
    size_t found_cap;
};

enum { KEY_LEN_MAX = sizeof(uintptr_t) + TULLE__TOPIC_LEN_MAX };

/* ---- places ---- */

static size_t
make_key(uint8_t key[static KEY_LEN_MAX], const struct place *parent, struct tulle__view level)
{
    TULLE_ASSERT(level.len <= TULLE__TOPIC_LEN_MAX);
    uintptr_t address = (uintptr_t)parent;
    memcpy(key, &address, sizeof address);
    memcpy(key + sizeof address, level.data, level.len);
    return sizeof address + level.len;
}

static struct place *
find_key(const struct tulle__pattern_index *index, const uint8_t *key, size_t len)
{
    struct place *place = NULL;
    HASH_FIND(hh, index->literals, key, len, place);
    return place;
}

static struct place *
find_literal(const struct tulle__pattern_index *index,
             const struct place *parent,
             struct tulle__view level)
{
    uint8_t key[KEY_LEN_MAX];
    if (parent->literal_count == 0)
        return NULL;
    return find_key(index, key, make_key(key, parent, level));
}

static struct place *
find_child(const struct tulle__pattern_index *index,
           const struct place *parent,
           struct tulle__view level)
{
    if (tulle__level_is_one(level))
        return parent->one;
    if (tulle__level_is_any(level))
        return parent->any;
    return find_literal(index, parent, level);
}

static struct place *
new_place(struct tulle__pattern_index *index, struct place *parent, struct tulle__view level)
{
    bool is_literal = !tulle__level_is_one(level) && !tulle__level_is_any(level);
    struct place *place = tulle__alloc(sizeof *place + sizeof(uintptr_t) + level.len);
    if (place == NULL)
        return NULL;
    place->parent = parent;
    place->is_any = tulle__level_is_any(level);
    place->is_open = place->is_any || (tulle__level_is_one(level) && parent->is_open);
    place->key_len = make_key(place->key, parent, level);
    if (is_literal) {
        HASH_ADD_KEYPTR(hh, index->literals, place->key, place->key_len, place);
        if (find_key(index, place->key, place->key_len) != place) {
            tulle__free(place); /* no memory for the table */
            return NULL;
        }
        parent->literal_count++;
    } else if (place->is_any) {
        parent->any = place;
    } else {
        parent->one = place;
    }
    place->next = parent->first_child;
    if (place->next != NULL)
        place->next->previous = place;
    parent->first_child = place;
    index->place_count++;
    return place;
}

static void
free_place(struct tulle__pattern_index *index, struct place *place)
{
    struct place *parent = place->parent;
    if (parent->one == place) {
        parent->one = NULL;
    } else if (parent->any == place) {
        parent->any = NULL;
    } else {
        TULLE_ASSERT(index->literals != NULL);
        HASH_DEL(index->literals, place);
        parent->literal_count--;
    }
    if (place->previous != NULL)
        place->previous->next = place->next;
    else
        parent->first_child = place->next;
    if (place->next != NULL)
        place->next->previous = place->previous;
    tulle__free(place->ids);
    tulle__free(place);
    index->place_count--;
}

/* The place and those above it, as far as nothing needs them. */
static void
prune(struct tulle__pattern_index *index, struct place *place)
{
    while (place != index->root && place->id_count == 0 && place->first_child == NULL) {
        struct place *parent = place->parent;
        free_place(index, place);
        place = parent;
    }
}

/* All from top down, each before what is below it. */
static struct place *
next_place(const struct place *top, struct place *place)
{
    if (place->first_child != NULL)
        return place->first_child;
    while (place != top && place->next == NULL)
        place = place->parent;
    return place == top ? NULL : place->next;
}

/* ---- life ---- */

static bool
reserve_set(struct set *set, size_t count)
{
    while (set->cap < count) {
        if (!tulle__grow(&set->items, &set->cap, set->cap, sizeof(struct place *)))
            return false;
    }
    return true;
}

static bool
reserve(struct tulle__pattern_index *index)
{
    while (index->found_cap < index->id_count + 1) {
        if (!tulle__grow(&index->found, &index->found_cap, index->found_cap, sizeof(uint32_t)))
            return false;
    }
    return reserve_set(&index->at_stream, index->place_count) &&
           reserve_set(&index->before, index->place_count) &&
           reserve_set(&index->after, index->place_count);
}

struct tulle__pattern_index *
tulle__pattern_index_new(void)
{
    struct tulle__pattern_index *index = tulle__alloc(sizeof *index);
    if (index == NULL)
        return NULL;
    index->root = tulle__alloc(sizeof *index->root);
    index->place_count = 1;
    if (index->root == NULL || !reserve(index))
        tulle__pattern_index_free(&index);
    return index;
}

void
tulle__pattern_index_free(struct tulle__pattern_index **pointer)
{
    struct tulle__pattern_index *index = *pointer;
    if (index == NULL)
        return;
    struct place *place = index->root;
    while (place != NULL && (place != index->root || place->first_child != NULL)) {
        if (place->first_child != NULL) {
            place = place->first_child;
            continue;
        }
        struct place *parent = place->parent;
        free_place(index, place);
        place = parent;
    }
    tulle__free(index->root);
    tulle__free(index->at_stream.items);
    tulle__free(index->before.items);
    tulle__free(index->after.items);
    tulle__free(index->found);
    tulle__free(index);
    *pointer = NULL;
}

bool
tulle__pattern_index_add(struct tulle__pattern_index *index,
                         struct tulle__view pattern,
                         uint32_t id)
{
    struct place *place = index->root;
    struct tulle__levels walk = tulle__levels_of(pattern);
    struct tulle__view level;
    while (tulle__levels_next(&walk, &level)) {
        struct place *child = find_child(index, place, level);
        if (child == NULL)
            child = new_place(index, place, level);
        if (child == NULL) {
            prune(index, place);
            return false;
        }
        place = child;
    }
    if (!reserve(index) ||
        !tulle__grow(&place->ids, &place->id_cap, place->id_count, sizeof place->ids[0])) {
        prune(index, place);
        return false;
    }
    place->ids[place->id_count++] = id;
    index->id_count++;
    return true;
}

void
tulle__pattern_index_remove(struct tulle__pattern_index *index,
                            struct tulle__view pattern,
                            uint32_t id)
{
    struct place *place = index->root;
    struct tulle__levels walk = tulle__levels_of(pattern);
    struct tulle__view level;
    while (place != NULL && tulle__levels_next(&walk, &level))
        place = find_child(index, place, level);
    TULLE_ASSERT(place != NULL);
    size_t i = 0;
    while (i < place->id_count && place->ids[i] != id)
        i++;
    TULLE_ASSERT(i < place->id_count);
    place->ids[i] = place->ids[--place->id_count];
    index->id_count--;
    prune(index, place);
}

/* ---- asking ---- */

/* With each place goes the one behind it that a "**" makes of no level at all. */
static void
put(struct tulle__pattern_index *index, struct set *set, struct place *place)
{
    for (; place != NULL && place->stamp != index->stamp; place = place->any) {
        place->stamp = index->stamp;
        set->items[set->count++] = place;
    }
}

static void
start_set(struct tulle__pattern_index *index, struct set *set)
{
    index->stamp++;
    set->count = 0;
}

/* One level further. */
static void
step(struct tulle__pattern_index *index,
     const struct set *from,
     struct set *to,
     struct tulle__view level)
{
    start_set(index, to);
    for (size_t i = 0; i < from->count; i++) {
        struct place *place = from->items[i];
        put(index, to, find_literal(index, place, level));
        put(index, to, place->one);
        if (place->is_any)
            put(index, to, place);
    }
}

static void
swap_sets(struct set *a, struct set *b)
{
    struct set old = *a;
    *a = *b;
    *b = old;
}

static void
find_ids(struct tulle__pattern_index *index, const struct place *place)
{
    if (place->id_count > 0)
        memcpy(&index->found[index->found_count], place->ids,
               place->id_count * sizeof place->ids[0]);
    index->found_count += place->id_count;
}

static struct tulle__pattern_ids
found(const struct tulle__pattern_index *index)
{
    return (struct tulle__pattern_ids){ index->found, index->found_count };
}

/* May something that does not match all topics below match one? */
static bool
has_more_below(const struct tulle__pattern_index *index, const struct place *place)
{
    return place->literal_count > 0 || (place->id_count > 0 && !place->is_open) ||
           (place->one != NULL && place->one->stamp != index->stamp);
}

struct tulle__pattern_ids
tulle__pattern_index_stream(struct tulle__pattern_index *index,
                            struct tulle__view stream,
                            bool *has_more)
{
    struct set *at = &index->at_stream;
    struct tulle__levels walk = tulle__levels_of(stream);
    struct tulle__view level;
    index->found_count = 0;
    *has_more = false;
    start_set(index, at);
    if (stream.len == 0 || stream.data[0] == '$')
        return found(index);
    put(index, at, index->root);
    while (at->count > 0 && tulle__levels_next(&walk, &level)) {
        step(index, at, &index->after, level);
        swap_sets(at, &index->after);
    }
    for (size_t i = 0; i < at->count; i++) {
        const struct place *place = at->items[i];
        if (place->is_open)
            find_ids(index, place);
        *has_more = *has_more || has_more_below(index, place);
    }
    return found(index);
}

struct tulle__pattern_ids
tulle__pattern_index_topic(struct tulle__pattern_index *index, struct tulle__view rest)
{
    const struct set *at = &index->at_stream;
    struct tulle__levels walk = tulle__levels_of(rest);
    struct tulle__view level;
    index->found_count = 0;
    while (at->count > 0 && tulle__levels_next(&walk, &level)) {
        step(index, at, &index->after, level);
        swap_sets(&index->before, &index->after);
        at = &index->before;
    }
    for (size_t i = 0; i < at->count; i++)
        find_ids(index, at->items[i]);
    return found(index);
}

static void
find_below(struct tulle__pattern_index *index, struct place *top)
{
    for (struct place *place = top; place != NULL; place = next_place(top, place))
        find_ids(index, place);
}

struct tulle__pattern_ids
tulle__pattern_index_taking(struct tulle__pattern_index *index, struct tulle__view stream)
{
    struct place *place = index->root;
    struct tulle__levels walk = tulle__levels_of(stream);
    struct tulle__view level;
    index->found_count = 0;
    while (place != NULL && tulle__levels_next(&walk, &level)) {
        find_below(index, place->one); /* a wildcard takes all streams from here */
        find_below(index, place->any);
        place = find_literal(index, place, level);
    }
    find_below(index, place);
    return found(index);
}
