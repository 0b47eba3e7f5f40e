/* SPDX-License-Identifier: MPL-2.0 */

/* Writing is a list of puts; reading is a table of keys. What a file says is checked like what a
 * peer says: lengths against what is left, and memory grows with what is there, never with counts.
 */

#include "app/recording/event.h"

#include "app/json.h"
#include "app/msgpack_parts.h"
#include "app/recording/lanes.h"

#include <stdlib.h>
#include <string.h>

/* Keys of the maps. */
// clang-format off
#define KEY_MAP(X)                                                                    \
    X(KIND, "kind") X(ID, "id") X(NODE, "node") X(STREAM, "stream") X(SEQ, "seq")     \
    X(TOPIC, "topic") X(TIME, "time_us") X(HLC, "hlc") X(PAYLOAD, "payload")          \
    X(TYPE, "content_type") X(CAUSES, "causes") X(HEADERS, "headers")                 \
    X(DEPS, "deps") X(CLOCK, "clock") X(CHANGES, "clock_changes") X(HOPS, "hops")     \
    X(DELAY, "delay_us") X(HELD, "held_us") X(REPAIRED, "repaired") X(LATE, "late")   \
    X(FIRST, "first") X(LAST, "last") X(REASON, "reason")

enum key {
#define KEY_ENUM(name, text) KEY_##name,
    KEY_MAP(KEY_ENUM)
#undef KEY_ENUM
    KEY_COUNT
};
// clang-format on

static const char *const keys[] = {
#define KEY_TEXT(name, text) text,
    KEY_MAP(KEY_TEXT)
#undef KEY_TEXT
};

static const char gap_kind[] = "gap";

struct refs {
    tulle_event_ref *items;
    size_t count, cap;
};

struct headers {
    tulle_header *items;
    size_t count, cap;
};

struct tulle__recorded_codec {
    struct tulle__chunk_lanes *lanes;
    struct refs causes;
    struct headers headers;
};

struct tulle__recorded_codec *
tulle__recorded_codec_new(void)
{
    struct tulle__recorded_codec *codec = calloc(1, sizeof *codec);
    if (codec == NULL)
        return NULL;
    codec->lanes = tulle__chunk_lanes_new();
    if (codec->lanes == NULL)
        tulle__recorded_codec_free(&codec);
    return codec;
}

void
tulle__recorded_codec_free(struct tulle__recorded_codec **codec)
{
    if (*codec == NULL)
        return;
    tulle__chunk_lanes_free(&(*codec)->lanes);
    free((*codec)->causes.items);
    free((*codec)->headers.items);
    free(*codec);
    *codec = NULL;
}

void
tulle__recorded_codec_reset(struct tulle__recorded_codec *codec)
{
    tulle__chunk_lanes_reset(codec->lanes);
}

/* ---- writing ---- */

/* A map whose size is filled in at its end. */
struct map {
    struct tulle__text *out;
    size_t start, count;
};

static void
begin_map(struct map *map, struct tulle__text *out)
{
    static const char header[3] = { (char)0xde, 0, 0 };
    *map = (struct map){ .out = out, .start = out->len };
    tulle__text_put(out, header, sizeof header);
}

static void
end_map(const struct map *map)
{
    if (!map->out->has_failed)
        map->out->bytes[map->start + 2] = (char)map->count;
}

static void
put_key(struct map *map, enum key key)
{
    map->count++;
    tulle__msgpack_put_str(map->out, keys[key], strlen(keys[key]));
}

static void
put_str(struct map *map, enum key key, const char *value)
{
    put_key(map, key);
    tulle__msgpack_put_str(map->out, value, strlen(value));
}

static void
put_uint(struct map *map, enum key key, uint64_t value)
{
    put_key(map, key);
    tulle__msgpack_put_uint(map->out, value);
}

static void
put_int(struct map *map, enum key key, int64_t value)
{
    put_key(map, key);
    tulle__msgpack_put_int(map->out, value);
}

static void
put_true(struct map *map, enum key key, bool value)
{
    if (!value)
        return;
    put_key(map, key);
    tulle__msgpack_put_bool(map->out, true);
}

/* [node, stream, number] */
static void
put_triple(struct tulle__text *out, uint64_t node, const char *stream, uint64_t number)
{
    tulle__msgpack_put_array(out, 3);
    tulle__msgpack_put_uint(out, node);
    tulle__msgpack_put_str(out, stream, strlen(stream));
    tulle__msgpack_put_uint(out, number);
}

/* How many of the first entries are of the lanes that the clock has, in its order? */
static size_t
common_len(const struct tulle__chunk_clock *clock, const tulle_clock_entry *entries, size_t count)
{
    size_t len = 0;
    while (len < clock->count && len < count && clock->entries[len].node == entries[len].node &&
           strcmp(clock->entries[len].stream, entries[len].stream) == 0)
        len++;
    return len;
}

static bool
is_same(const struct tulle__chunk_clock *clock, const tulle_clock_entry *entries, size_t count)
{
    if (clock->count != count || common_len(clock, entries, count) != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (clock->entries[i].count != entries[i].count)
            return false;
    }
    return true;
}

static bool
remember(struct tulle__recorded_codec *codec,
         struct tulle__chunk_clock *clock,
         const tulle_clock_entry *entries,
         size_t count)
{
    for (size_t i = clock->count; i < count; i++) {
        const char *stream =
            tulle__chunk_lanes_copy(codec->lanes, entries[i].stream, strlen(entries[i].stream));
        if (!tulle__chunk_clock_push(clock, entries[i].node, stream, entries[i].count))
            return false;
    }
    return true;
}

/* All entries, in the place of what the lane had. */
static bool
put_entries(struct tulle__recorded_codec *codec,
            struct tulle__chunk_clock *clock,
            struct map *map,
            const tulle_clock_entry *entries,
            size_t count)
{
    tulle__msgpack_put_array(map->out, count);
    for (size_t i = 0; i < count; i++)
        put_triple(map->out, entries[i].node, entries[i].stream, entries[i].count);
    clock->count = 0;
    return remember(codec, clock, entries, count);
}

/* [index, count] of an entry that has grown, [node, stream, count] of one that is new. */
static bool
put_changes(struct tulle__recorded_codec *codec,
            struct tulle__chunk_clock *clock,
            struct map *map,
            const tulle_clock_entry *entries,
            size_t count)
{
    size_t changed = 0;
    for (size_t i = 0; i < clock->count; i++)
        changed += clock->entries[i].count != entries[i].count ? 1 : 0;
    tulle__msgpack_put_array(map->out, changed + count - clock->count);
    for (size_t i = 0; i < clock->count; i++) {
        if (clock->entries[i].count == entries[i].count)
            continue;
        tulle__msgpack_put_array(map->out, 2);
        tulle__msgpack_put_uint(map->out, i);
        tulle__msgpack_put_uint(map->out, entries[i].count);
        clock->entries[i].count = entries[i].count;
    }
    for (size_t i = clock->count; i < count; i++)
        put_triple(map->out, entries[i].node, entries[i].stream, entries[i].count);
    return remember(codec, clock, entries, count);
}

static bool
put_clocks(struct tulle__recorded_codec *codec, const tulle_event *event, struct map *map)
{
    struct tulle__chunk_lane *lane =
        tulle__chunk_lanes_get(codec->lanes, event->node, event->stream);
    if (lane == NULL)
        return false;
    /* The last entry is the event itself. */
    size_t count = event->clock_count;
    if (count > 0 && event->clock[count - 1].node == event->node &&
        strcmp(event->clock[count - 1].stream, event->stream) == 0)
        count--;
    bool is_known = lane->is_known;
    lane->is_known = true;
    if (!is_known || !is_same(&lane->deps, event->deps, event->dep_count)) {
        put_key(map, KEY_DEPS);
        if (!put_entries(codec, &lane->deps, map, event->deps, event->dep_count))
            return false;
    }
    if (!is_known || common_len(&lane->clock, event->clock, count) < lane->clock.count) {
        put_key(map, KEY_CLOCK);
        return put_entries(codec, &lane->clock, map, event->clock, count);
    }
    if (is_same(&lane->clock, event->clock, count))
        return true;
    put_key(map, KEY_CHANGES);
    return put_changes(codec, &lane->clock, map, event->clock, count);
}

static void
put_attributes(const tulle_event *event, struct map *map)
{
    if (event->content_type != NULL)
        put_str(map, KEY_TYPE, event->content_type);
    if (event->cause_count > 0) {
        put_key(map, KEY_CAUSES);
        tulle__msgpack_put_array(map->out, event->cause_count);
    }
    for (size_t i = 0; i < event->cause_count; i++)
        put_triple(map->out, event->causes[i].node, event->causes[i].stream, event->causes[i].seq);
    if (event->header_count > 0) {
        put_key(map, KEY_HEADERS);
        tulle__msgpack_put_map(map->out, event->header_count);
    }
    for (size_t i = 0; i < event->header_count; i++) {
        const tulle_header *header = &event->headers[i];
        tulle__msgpack_put_str(map->out, header->name, strlen(header->name));
        tulle__msgpack_put_str(map->out, header->value, strlen(header->value));
    }
}

static bool
encode_event(struct tulle__recorded_codec *codec, const tulle_event *event, struct tulle__text *out)
{
    struct map map;
    begin_map(&map, out);
    put_uint(&map, KEY_ID, event->node);
    put_str(&map, KEY_NODE, event->node_name);
    put_str(&map, KEY_STREAM, event->stream);
    put_uint(&map, KEY_SEQ, event->seq);
    put_str(&map, KEY_TOPIC, event->topic);
    put_int(&map, KEY_TIME, event->time_us);
    put_uint(&map, KEY_HLC, event->hlc);
    put_attributes(event, &map);
    bool is_ok = put_clocks(codec, event, &map);
    if (event->hops > 0)
        put_uint(&map, KEY_HOPS, event->hops);
    put_int(&map, KEY_DELAY, event->delay_us);
    if (event->held_us != 0)
        put_int(&map, KEY_HELD, event->held_us);
    put_true(&map, KEY_REPAIRED, event->is_repaired);
    put_true(&map, KEY_LATE, event->is_late);
    put_key(&map, KEY_PAYLOAD);
    tulle__msgpack_put_bin(out, event->payload, event->payload_len);
    end_map(&map);
    return is_ok && !out->has_failed;
}

bool
tulle__recorded_encode(struct tulle__recorded_codec *codec,
                       const tulle_message *message,
                       struct tulle__text *out)
{
    if (message->kind != TULLE_MESSAGE_GAP)
        return encode_event(codec, &message->u.event, out);
    const tulle_gap *gap = &message->u.gap;
    struct map map;
    begin_map(&map, out);
    put_str(&map, KEY_KIND, gap_kind);
    put_uint(&map, KEY_ID, gap->node);
    put_str(&map, KEY_NODE, gap->node_name);
    put_str(&map, KEY_STREAM, gap->stream);
    put_uint(&map, KEY_FIRST, gap->first);
    put_uint(&map, KEY_LAST, gap->last);
    put_str(&map, KEY_REASON, tulle__gap_reason_name(gap->reason));
    end_map(&map);
    return !out->has_failed;
}

/* ---- reading ---- */

/* The values of a map, by key. */
struct fields {
    bool has[KEY_COUNT];
    struct tulle__msgpack_item items[KEY_COUNT];
    struct tulle__msgpack_cursor inside[KEY_COUNT]; /* of arrays and maps: behind the header */
};

static uint64_t
children_of(const struct tulle__msgpack_item *item)
{
    if (item->kind == TULLE__MSGPACK_MAP)
        return (uint64_t)item->count * 2;
    return item->kind == TULLE__MSGPACK_ARRAY ? item->count : 0;
}

/* Skip so many values, and what they hold. */
static bool
skip_values(struct tulle__msgpack_cursor *cursor, uint64_t count)
{
    for (; count > 0; count--) {
        struct tulle__msgpack_item item;
        if (!tulle__msgpack_take(cursor, &item))
            return false;
        uint64_t children = children_of(&item);
        if (children > cursor->left) /* each takes at least a byte */
            return false;
        count += children;
    }
    return true;
}

static enum key
find_key(const struct tulle__msgpack_item *item)
{
    for (size_t i = 0; i < KEY_COUNT && item->kind == TULLE__MSGPACK_STR; i++) {
        if (strlen(keys[i]) == item->len && memcmp(keys[i], item->body, item->len) == 0)
            return (enum key)i;
    }
    return KEY_COUNT;
}

static bool
take_fields(struct tulle__msgpack_cursor *cursor, struct fields *fields)
{
    struct tulle__msgpack_item map;
    if (!tulle__msgpack_take(cursor, &map) || map.kind != TULLE__MSGPACK_MAP)
        return false;
    for (uint32_t i = 0; i < map.count; i++) {
        struct tulle__msgpack_item name;
        struct tulle__msgpack_item value;
        if (!tulle__msgpack_take(cursor, &name) || !tulle__msgpack_take(cursor, &value))
            return false;
        enum key key = find_key(&name);
        if (key < KEY_COUNT) {
            fields->has[key] = true;
            fields->items[key] = value;
            fields->inside[key] = *cursor;
        }
        if (!skip_values(cursor, children_of(&name) + children_of(&value)))
            return false;
    }
    return cursor->left == 0;
}

static bool
get_uint(const struct fields *fields, enum key key, uint64_t *out)
{
    *out = fields->items[key].number;
    return fields->has[key] && fields->items[key].kind == TULLE__MSGPACK_UINT;
}

/* 0 when it is missing. */
static bool
get_int(const struct fields *fields, enum key key, int64_t *out)
{
    const struct tulle__msgpack_item *item = &fields->items[key];
    *out = 0;
    if (!fields->has[key])
        return true;
    *out = (int64_t)item->number;
    return item->kind == TULLE__MSGPACK_INT ||
           (item->kind == TULLE__MSGPACK_UINT && item->number <= INT64_MAX);
}

static bool
get_true(const struct fields *fields, enum key key)
{
    return fields->has[key] && fields->items[key].kind == TULLE__MSGPACK_TRUE;
}

/* NULL: it is none, or there is no memory. */
static const char *
copy_str(struct tulle__recorded_codec *codec, const struct tulle__msgpack_item *item)
{
    if (item->kind != TULLE__MSGPACK_STR ||
        (item->len > 0 && memchr(item->body, 0, item->len) != NULL))
        return NULL;
    return tulle__chunk_lanes_copy(codec->lanes, (const char *)item->body, item->len);
}

static bool
get_str(struct tulle__recorded_codec *codec,
        const struct fields *fields,
        enum key key,
        const char **out)
{
    *out = fields->has[key] ? copy_str(codec, &fields->items[key]) : NULL;
    return *out != NULL;
}

static bool
take_uint(struct tulle__msgpack_cursor *cursor, uint64_t *out)
{
    struct tulle__msgpack_item item;
    if (!tulle__msgpack_take(cursor, &item) || item.kind != TULLE__MSGPACK_UINT)
        return false;
    *out = item.number;
    return true;
}

static bool
take_str(struct tulle__recorded_codec *codec,
         struct tulle__msgpack_cursor *cursor,
         const char **out)
{
    struct tulle__msgpack_item item;
    *out = tulle__msgpack_take(cursor, &item) ? copy_str(codec, &item) : NULL;
    return *out != NULL;
}

static bool
take_triple(struct tulle__recorded_codec *codec,
            struct tulle__msgpack_cursor *cursor,
            tulle_clock_entry *out)
{
    return take_uint(cursor, &out->node) && take_str(codec, cursor, &out->stream) &&
           take_uint(cursor, &out->count);
}

/* Append triples, or change what is there by pairs of index and count. */
static bool
take_entries(struct tulle__recorded_codec *codec,
             const struct fields *fields,
             enum key key,
             struct tulle__chunk_clock *clock)
{
    struct tulle__msgpack_cursor cursor = fields->inside[key];
    if (fields->items[key].kind != TULLE__MSGPACK_ARRAY)
        return false;
    for (uint32_t i = 0; i < fields->items[key].count; i++) {
        struct tulle__msgpack_item item;
        tulle_clock_entry entry = { 0 };
        uint64_t index = 0;
        if (!tulle__msgpack_take(&cursor, &item) || item.kind != TULLE__MSGPACK_ARRAY)
            return false;
        if (item.count == 3) {
            if (!take_triple(codec, &cursor, &entry) ||
                !tulle__chunk_clock_push(clock, entry.node, entry.stream, entry.count))
                return false;
        } else if (item.count != 2 || key != KEY_CHANGES || !take_uint(&cursor, &index) ||
                   index >= clock->count || !take_uint(&cursor, &clock->entries[index].count)) {
            return false;
        }
    }
    return true;
}

static bool
take_clocks(struct tulle__recorded_codec *codec, const struct fields *fields, tulle_event *event)
{
    struct tulle__chunk_lane *lane =
        tulle__chunk_lanes_get(codec->lanes, event->node, event->stream);
    if (lane == NULL)
        return false;
    if (fields->has[KEY_DEPS]) {
        lane->deps.count = 0;
        if (!take_entries(codec, fields, KEY_DEPS, &lane->deps))
            return false;
    }
    if (fields->has[KEY_CLOCK]) {
        lane->clock.count = 0;
        if (!take_entries(codec, fields, KEY_CLOCK, &lane->clock))
            return false;
    }
    if (fields->has[KEY_CHANGES] && !take_entries(codec, fields, KEY_CHANGES, &lane->clock))
        return false;
    event->deps = lane->deps.entries;
    event->dep_count = lane->deps.count;
    /* The last entry is the event itself: behind what the lane keeps. */
    if (!tulle__chunk_clock_push(&lane->clock, event->node, event->stream, event->seq))
        return false;
    event->clock = lane->clock.entries;
    event->clock_count = lane->clock.count--;
    return true;
}

static bool
take_causes(struct tulle__recorded_codec *codec, const struct fields *fields, tulle_event *event)
{
    struct tulle__msgpack_cursor cursor = fields->inside[KEY_CAUSES];
    struct refs *causes = &codec->causes;
    causes->count = 0;
    if (!fields->has[KEY_CAUSES])
        return true;
    if (fields->items[KEY_CAUSES].kind != TULLE__MSGPACK_ARRAY)
        return false;
    for (uint32_t i = 0; i < fields->items[KEY_CAUSES].count; i++) {
        struct tulle__msgpack_item item;
        tulle_clock_entry entry = { 0 };
        if (!tulle__msgpack_take(&cursor, &item) || item.kind != TULLE__MSGPACK_ARRAY ||
            item.count != 3 || !take_triple(codec, &cursor, &entry))
            return false;
        if (causes->count == causes->cap) {
            size_t cap = causes->cap == 0 ? 8 : 2 * causes->cap;
            tulle_event_ref *items = realloc(causes->items, cap * sizeof *items);
            if (items == NULL)
                return false;
            causes->items = items;
            causes->cap = cap;
        }
        causes->items[causes->count++] =
            (tulle_event_ref){ .node = entry.node, .stream = entry.stream, .seq = entry.count };
    }
    event->causes = causes->items;
    event->cause_count = causes->count;
    return true;
}

static bool
take_headers(struct tulle__recorded_codec *codec, const struct fields *fields, tulle_event *event)
{
    struct tulle__msgpack_cursor cursor = fields->inside[KEY_HEADERS];
    struct headers *headers = &codec->headers;
    headers->count = 0;
    if (!fields->has[KEY_HEADERS])
        return true;
    if (fields->items[KEY_HEADERS].kind != TULLE__MSGPACK_MAP)
        return false;
    for (uint32_t i = 0; i < fields->items[KEY_HEADERS].count; i++) {
        if (headers->count == headers->cap) {
            size_t cap = headers->cap == 0 ? 8 : 2 * headers->cap;
            tulle_header *items = realloc(headers->items, cap * sizeof *items);
            if (items == NULL)
                return false;
            headers->items = items;
            headers->cap = cap;
        }
        tulle_header *header = &headers->items[headers->count++];
        if (!take_str(codec, &cursor, &header->name) || !take_str(codec, &cursor, &header->value))
            return false;
    }
    event->headers = headers->items;
    event->header_count = headers->count;
    return true;
}

static bool
read_event(struct tulle__recorded_codec *codec, const struct fields *fields, tulle_event *event)
{
    const struct tulle__msgpack_item *payload = &fields->items[KEY_PAYLOAD];
    uint64_t hops = 0;
    *event = (tulle_event){ 0 };
    if (!get_uint(fields, KEY_ID, &event->node) || !get_uint(fields, KEY_SEQ, &event->seq) ||
        event->node == 0 || event->seq == 0 ||
        !get_str(codec, fields, KEY_NODE, &event->node_name) ||
        !get_str(codec, fields, KEY_STREAM, &event->stream) ||
        !get_str(codec, fields, KEY_TOPIC, &event->topic) ||
        !get_int(fields, KEY_TIME, &event->time_us) || !get_uint(fields, KEY_HLC, &event->hlc) ||
        !fields->has[KEY_PAYLOAD] || payload->kind != TULLE__MSGPACK_BIN)
        return false;
    if (fields->has[KEY_TYPE] && !get_str(codec, fields, KEY_TYPE, &event->content_type))
        return false;
    if (fields->has[KEY_HOPS] && (!get_uint(fields, KEY_HOPS, &hops) || hops > UINT32_MAX))
        return false;
    event->hops = (uint32_t)hops;
    event->payload = payload->len > 0 ? payload->body : NULL;
    event->payload_len = payload->len;
    event->is_repaired = get_true(fields, KEY_REPAIRED);
    event->is_late = get_true(fields, KEY_LATE);
    return get_int(fields, KEY_DELAY, &event->delay_us) &&
           get_int(fields, KEY_HELD, &event->held_us) && take_causes(codec, fields, event) &&
           take_headers(codec, fields, event) && take_clocks(codec, fields, event);
}

static bool
read_gap(struct tulle__recorded_codec *codec, const struct fields *fields, tulle_gap *gap)
{
    const char *reason = NULL;
    *gap = (tulle_gap){ 0 };
    if (!get_uint(fields, KEY_ID, &gap->node) || !get_uint(fields, KEY_FIRST, &gap->first) ||
        !get_uint(fields, KEY_LAST, &gap->last) || gap->first == 0 || gap->last < gap->first ||
        !get_str(codec, fields, KEY_NODE, &gap->node_name) ||
        !get_str(codec, fields, KEY_STREAM, &gap->stream) ||
        !get_str(codec, fields, KEY_REASON, &reason))
        return false;
    for (int i = TULLE_GAP_EVICTED; i <= TULLE_GAP_WITHHELD; i++) {
        if (strcmp(reason, tulle__gap_reason_name((tulle_gap_reason)i)) == 0)
            gap->reason = (tulle_gap_reason)i;
    }
    return gap->reason != 0;
}

bool
tulle__recorded_decode(struct tulle__recorded_codec *codec,
                       const void *bytes,
                       size_t len,
                       tulle_message *out)
{
    struct tulle__msgpack_cursor cursor = { bytes, len };
    struct fields fields;
    memset(fields.has, 0, sizeof fields.has);
    memset(fields.items, 0, sizeof fields.items);
    if (!take_fields(&cursor, &fields))
        return false;
    const char *kind = NULL;
    bool is_gap = get_str(codec, &fields, KEY_KIND, &kind) && strcmp(kind, gap_kind) == 0;
    out->kind = is_gap ? TULLE_MESSAGE_GAP : TULLE_MESSAGE_EVENT;
    return is_gap ? read_gap(codec, &fields, &out->u.gap)
                  : read_event(codec, &fields, &out->u.event);
}
