/* SPDX-License-Identifier: MPL-2.0 */

/* The files of tests/vectors/ (protocol.md 10): decode each, compare every field
 * with its meaning, and encode it again where it is canonical. They were written
 * by another program, so this also tests one encoder against another. */

#include "testkit.h"

#include "../vectors/reencode.h"
#include "codec/batch.h"
#include "codec/beat.h"
#include "codec/control.h"
#include "codec/view.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
    uint8_t *data;
    size_t len;
};

static json_t *
load(const char *kind)
{
    char path[4096];
    json_error_t error;
    const char *root = getenv("TULLE_SOURCE_DIR");

    (void)snprintf(path, sizeof path, "%s/tests/vectors/%s.json", root == NULL ? "." : root, kind);
    json_t *vectors = json_load_file(path, 0, &error);
    if (vectors == NULL)
        fail_msg("%s:%d: %s", path, error.line, error.text);
    assert_true(json_array_size(vectors) > 0);
    return vectors;
}

static const char *
text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL)
        fail_msg("no text \"%s\"", key);
    return text;
}

/* A number, or an id or time as text "0x...". */
static uint64_t
number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (json_is_string(value))
        return strtoull(json_string_value(value), NULL, 16);
    if (!json_is_integer(value))
        fail_msg("no number \"%s\"", key);
    return (uint64_t)json_integer_value(value);
}

static bool
flag_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_boolean(value))
        fail_msg("no true or false \"%s\"", key);
    return json_is_true(value);
}

/* An exact block, so that the address sanitizer sees a read past its end. */
static struct bytes
bytes_of(const char *hex)
{
    struct bytes bytes = { .len = strlen(hex) / 2 };
    bytes.data = malloc(bytes.len == 0 ? 1 : bytes.len);
    assert_non_null(bytes.data);
    for (size_t i = 0; i < bytes.len; i++) {
        const char pair[3] = { hex[2 * i], hex[2 * i + 1], 0 };
        char *end = NULL;
        bytes.data[i] = (uint8_t)strtoul(pair, &end, 16);
        assert_ptr_equal(end, pair + 2);
    }
    return bytes;
}

static void
assert_text(struct tulle__view view, const char *text)
{
    if (!tulle__view_is(view, text))
        fail_msg("found \"%.*s\", not \"%s\"", (int)view.len, (const char *)view.data, text);
}

static void
assert_hex(struct tulle__view view, const char *hex)
{
    struct bytes bytes = bytes_of(hex);
    assert_int_equal(view.len, bytes.len);
    if (bytes.len > 0)
        assert_memory_equal(view.data, bytes.data, bytes.len);
    free(bytes.data);
}

static void
assert_number(uint64_t found, const json_t *object, const char *key)
{
    uint64_t expected = number_of(object, key);
    if (found != expected) {
        fail_msg("%s is %llu, not %llu", key, (unsigned long long)found,
                 (unsigned long long)expected);
    }
}

static void
assert_clock(struct tulle__clock_view clock, const json_t *expected)
{
    struct tulle__dep dep;
    size_t index = 0;

    assert_int_equal(clock.count, json_array_size(expected));
    while (tulle__clock_view_next(&clock, &dep)) {
        const json_t *entry = json_array_get(expected, index++);
        assert_number(dep.node, entry, "node");
        assert_number(dep.count, entry, "count");
        assert_text(dep.stream, text_of(entry, "stream"));
    }
    assert_int_equal(index, json_array_size(expected));
}

/* A list of text, or of bytes when is_hex. */
static void
assert_list(struct tulle__list list, const json_t *expected, bool is_hex)
{
    struct tulle__view view;
    size_t index = 0;

    assert_int_equal(list.count, json_array_size(expected));
    while (tulle__list_next_text(&list, &view)) {
        const char *text = json_string_value(json_array_get(expected, index++));
        if (is_hex)
            assert_hex(view, text);
        else
            assert_text(view, text);
    }
    assert_int_equal(index, json_array_size(expected));
}

static void
assert_self(const struct tulle__self_view *self, const json_t *expected)
{
    const json_t *control = json_object_get(expected, "control_addresses");
    const json_t *takes = json_object_get(expected, "takes");

    assert_text(self->name, text_of(expected, "name"));
    assert_int_equal(self->has_addresses, !json_is_null(control));
    assert_int_equal(self->has_takes, !json_is_null(takes));
    assert_list(self->control_addresses, control, false);
    assert_list(self->event_addresses, json_object_get(expected, "event_addresses"), false);
    assert_list(self->inlets, json_object_get(expected, "inlets"), false);
    assert_list(self->takes, takes, true);
    assert_number(self->takes_version, expected, "takes_version");
    assert_number(self->beat_ms, expected, "beat_ms");
    assert_int_equal(self->is_proxy, flag_of(expected, "is_proxy"));
}

/* ---- one check per kind ---- */

static void
check_key(struct tulle__view frame, const json_t *meaning)
{
    struct tulle__view stream;
    assert_status(tulle__key_decode(frame.data, frame.len, &stream), TULLE_OK);
    assert_text(stream, text_of(meaning, "stream"));
}

static void
check_attributes(struct tulle__view view, const json_t *expected)
{
    struct tulle__attributes found;
    struct tulle__dep cause;
    struct tulle__view name;
    struct tulle__view value;
    const json_t *type = json_object_get(expected, "content_type");
    const json_t *causes = json_object_get(expected, "causes");
    const json_t *headers = json_object_get(expected, "headers");

    tulle__attributes_decode(view, &found);
    assert_text(found.content_type, type == NULL ? "" : json_string_value(type));
    assert_int_equal(found.cause_count, json_array_size(causes));
    for (size_t i = 0; tulle__cause_next(&found, &cause); i++) {
        const json_t *entry = json_array_get(causes, i);
        assert_number(cause.node, entry, "node");
        assert_number(cause.count, entry, "seq");
        assert_text(cause.stream, text_of(entry, "stream"));
    }
    assert_int_equal(found.header_count, json_object_size(headers));
    while (tulle__header_next(&found, &name, &value)) {
        char key[256];
        (void)snprintf(key, sizeof key, "%.*s", (int)name.len, (const char *)name.data);
        assert_text(value, text_of(headers, key));
    }
}

static void
check_batch(struct tulle__view frame, const json_t *meaning)
{
    struct tulle__batch batch;
    struct tulle__event_walk walk;
    struct tulle__event_view event;
    const json_t *events = json_object_get(meaning, "events");
    size_t index = 0;

    assert_status(tulle__batch_decode(frame.data, frame.len, &batch), TULLE_OK);
    assert_number(batch.node, meaning, "node");
    assert_number(batch.first_seq, meaning, "first_seq");
    assert_number(batch.base_hlc, meaning, "base_hlc");
    assert_clock(batch.deps, json_object_get(meaning, "deps"));
    assert_int_equal(batch.event_count, json_array_size(events));
    tulle__batch_walk(&batch, &walk);
    while (tulle__batch_next(&walk, &event)) {
        const json_t *expected = json_array_get(events, index++);
        assert_number(event.seq, expected, "seq");
        assert_number(event.hlc, expected, "hlc");
        assert_text(event.rest, text_of(expected, "rest"));
        assert_hex(event.payload, text_of(expected, "payload"));
        assert_int_equal(event.attributes.len > 0, flag_of(expected, "has_attributes"));
        check_attributes(event.attributes, expected);
    }
    assert_int_equal(index, json_array_size(events));
}

static void
check_path(struct tulle__view frame, const json_t *meaning)
{
    uint64_t ids[TULLE__PATH_MAX];
    uint32_t count = 0;
    const json_t *expected = json_object_get(meaning, "ids");

    assert_status(tulle__path_decode(frame.data, frame.len, ids, &count), TULLE_OK);
    assert_int_equal(count, json_array_size(expected));
    for (uint32_t i = 0; i < count; i++) {
        const char *id = json_string_value(json_array_get(expected, i));
        assert_true(ids[i] == strtoull(id, NULL, 16));
    }
}

static void
assert_heads(struct tulle__list heads, const json_t *expected)
{
    struct tulle__head head;
    assert_int_equal(heads.count, json_array_size(expected));
    for (size_t i = 0; tulle__list_next_head(&heads, &head); i++) {
        assert_text(head.stream, text_of(json_array_get(expected, i), "stream"));
        assert_number(head.head, json_array_get(expected, i), "head");
    }
}

static void
assert_beyond(struct tulle__list beyond, const json_t *expected)
{
    struct tulle__beyond node;
    assert_int_equal(beyond.count, json_array_size(expected));
    for (size_t i = 0; tulle__list_next_beyond(&beyond, &node); i++) {
        const json_t *entry = json_array_get(expected, i);
        assert_number(node.id, entry, "id");
        assert_number(node.counter, entry, "counter");
        assert_number(node.hops, entry, "hops");
    }
}

static void
assert_counters(bool has_counters, const tulle_seen_counters *counters, const json_t *expected)
{
    size_t found = 0;
    assert_int_equal(has_counters, !json_is_null(expected));
#define CHECK(name, unit, kind, help)                   \
    if (counters->name != 0) {                          \
        assert_number(counters->name, expected, #name); \
        found++;                                        \
    }
    TULLE_SEEN_COUNTER_MAP(CHECK)
#undef CHECK
    assert_int_equal(found, json_object_size(expected));
}

static void
assert_holdings(struct tulle__list list, const json_t *expected)
{
    struct tulle__holding holding;
    assert_int_equal(list.count, json_array_size(expected));
    for (size_t i = 0; tulle__list_next_holding(&list, &holding); i++) {
        const json_t *entry = json_array_get(expected, i);
        assert_number(holding.node, entry, "node");
        assert_text(holding.stream, text_of(entry, "stream"));
        assert_text(holding.name, text_of(entry, "name"));
        assert_number(holding.first, entry, "first");
        assert_number(holding.last, entry, "last");
    }
}

static void
check_beat(struct tulle__view frame, const json_t *meaning)
{
    struct tulle__beat_view beat;

    assert_status(tulle__beat_decode(frame.data, frame.len, &beat), TULLE_OK);
    assert_text(beat.mesh, text_of(meaning, "mesh"));
    assert_number(beat.id, meaning, "id");
    assert_number(beat.counter, meaning, "counter");
    assert_number(beat.hlc, meaning, "hlc");
    assert_self(&beat.self, json_object_get(meaning, "self"));
    assert_int_equal(beat.is_leaving, flag_of(meaning, "is_leaving"));
    assert_int_equal(beat.is_full, flag_of(meaning, "is_full"));
    assert_int_equal(beat.is_quiet, flag_of(meaning, "is_quiet"));
    assert_number(beat.ask, meaning, "ask");
    assert_number(beat.node_count, meaning, "node_count");
    assert_number(beat.beyond_total, meaning, "beyond_total");
    assert_beyond(beat.beyond, json_object_get(meaning, "beyond"));
    assert_beyond(beat.proxies, json_object_get(meaning, "proxies"));
    assert_counters(beat.has_counters, &beat.counters, json_object_get(meaning, "counters"));
    assert_heads(beat.heads, json_object_get(meaning, "heads"));
    assert_clock(beat.acks, json_object_get(meaning, "acks"));
}

static void
check_header(struct tulle__view frame, const json_t *meaning)
{
    struct tulle__control_header header;
    assert_status(tulle__header_decode(frame.data, frame.len, &header), TULLE_OK);
    assert_number((uint64_t)header.kind, meaning, "kind");
    assert_text(header.mesh, text_of(meaning, "mesh"));
    assert_number(header.from, meaning, "from");
    assert_number(header.to, meaning, "to");
    assert_number(header.counter, meaning, "counter");
    assert_number(header.hops, meaning, "hops");
}

static void
check_sync(struct tulle__view frame, const json_t *meaning)
{
    struct tulle__sync_view sync;
    assert_status(tulle__sync_decode(frame.data, frame.len, &sync), TULLE_OK);
    assert_self(&sync.self, json_object_get(meaning, "self"));
    assert_int_equal(sync.wants_lanes, flag_of(meaning, "wants_lanes"));
    assert_int_equal(sync.wants_peers, flag_of(meaning, "wants_peers"));
}

static void
check_lanes(struct tulle__here_view *here, const json_t *expected)
{
    struct tulle__here_lane lane;

    assert_int_equal(here->has_lanes, !json_is_null(expected));
    assert_int_equal(here->lanes.count, json_array_size(expected));
    for (size_t i = 0; tulle__list_next_lane(&here->lanes, &lane); i++) {
        const json_t *entry = json_array_get(expected, i);
        assert_text(lane.stream, text_of(entry, "stream"));
        assert_number(lane.head, entry, "head");
        assert_number(lane.first, entry, "first");
        assert_clock(lane.clock, json_object_get(entry, "clock"));
    }
}

static void
check_here(struct tulle__view frame, const json_t *meaning)
{
    struct tulle__here_view here;
    struct tulle__known peer;
    const json_t *peers = json_object_get(meaning, "peers");

    assert_status(tulle__here_decode(frame.data, frame.len, &here), TULLE_OK);
    assert_number(here.reply_to, meaning, "reply_to");
    assert_self(&here.self, json_object_get(meaning, "self"));
    check_lanes(&here, json_object_get(meaning, "lanes"));
    assert_holdings(here.holdings, json_object_get(meaning, "holdings"));
    assert_int_equal(here.peers.count, json_array_size(peers));
    for (size_t i = 0; tulle__list_next_known(&here.peers, &peer); i++) {
        const json_t *expected = json_array_get(peers, i);
        assert_number(peer.id, expected, "id");
        assert_text(peer.name, text_of(expected, "name"));
        assert_list(peer.control_addresses, json_object_get(expected, "control_addresses"), false);
        assert_list(peer.event_addresses, json_object_get(expected, "event_addresses"), false);
        assert_int_equal(peer.is_proxy, flag_of(expected, "is_proxy"));
    }
}

static void
check_fetch(struct tulle__view frame, const json_t *meaning)
{
    struct tulle__fetch fetch;
    assert_status(tulle__fetch_decode(frame.data, frame.len, &fetch), TULLE_OK);
    assert_number(fetch.node, meaning, "node");
    assert_text(fetch.stream, text_of(meaning, "stream"));
    assert_number(fetch.first, meaning, "first");
    assert_number(fetch.last, meaning, "last");
    assert_number(fetch.bytes_max, meaning, "bytes_max");
    assert_int_equal(fetch.wants_clock, flag_of(meaning, "wants_clock"));
}

static void
check_range(struct tulle__view frame, const json_t *meaning)
{
    struct tulle__range_view range;
    const json_t *clock = json_object_get(meaning, "clock");

    assert_status(tulle__range_decode(frame.data, frame.len, &range), TULLE_OK);
    assert_number(range.reply_to, meaning, "reply_to");
    assert_number(range.node, meaning, "node");
    assert_text(range.stream, text_of(meaning, "stream"));
    assert_number(range.first, meaning, "first");
    assert_number(range.last, meaning, "last");
    assert_list(range.batches, json_object_get(meaning, "batches"), true);
    assert_int_equal(range.has_clock, !json_is_null(clock));
    assert_int_equal(range.is_withheld, flag_of(meaning, "is_withheld"));
    assert_int_equal(range.is_waiting, flag_of(meaning, "is_waiting"));
    assert_clock(range.clock, clock);
}

static void
check_look(struct tulle__view frame, const json_t *meaning)
{
    struct tulle__look look;
    assert_status(tulle__look_decode(frame.data, frame.len, &look), TULLE_OK);
    assert_int_equal(look.wants_lists, flag_of(meaning, "wants_lists"));
}

static void
assert_links(struct tulle__list links, const json_t *expected)
{
    struct tulle__link_item link;
    assert_int_equal(links.count, json_array_size(expected));
    for (size_t i = 0; tulle__list_next_link(&links, &link); i++) {
        const json_t *entry = json_array_get(expected, i);
        const json_t *ids = json_object_get(entry, "ids");
        uint64_t id;
        assert_text(link.name, text_of(entry, "name"));
        assert_text(link.address, text_of(entry, "address"));
        assert_number(link.counts.events_out, entry, "events_out");
        assert_number(link.counts.bytes_out, entry, "bytes_out");
        assert_number(link.counts.events_in, entry, "events_in");
        assert_number(link.counts.bytes_in, entry, "bytes_in");
        assert_number(link.counts.waiting, entry, "waiting");
        assert_int_equal(link.ids.count, json_array_size(ids));
        for (size_t k = 0; tulle__list_next_id(&link.ids, &id); k++)
            assert_true(id == strtoull(json_string_value(json_array_get(ids, k)), NULL, 16));
    }
}

static void
check_view(struct tulle__view frame, const json_t *meaning)
{
    struct tulle__view_view view;
    assert_status(tulle__view_decode(frame.data, frame.len, &view), TULLE_OK);
    assert_number(view.reply_to, meaning, "reply_to");
    assert_self(&view.self, json_object_get(meaning, "self"));
    assert_int_equal(view.has_lists, flag_of(meaning, "has_lists"));
    assert_counters(view.has_counters, &view.counters, json_object_get(meaning, "counters"));
    assert_heads(view.heads, json_object_get(meaning, "heads"));
    assert_clock(view.acks, json_object_get(meaning, "acks"));
    assert_holdings(view.holdings, json_object_get(meaning, "holdings"));
    assert_beyond(view.beyond, json_object_get(meaning, "beyond"));
    assert_beyond(view.proxies, json_object_get(meaning, "proxies"));
    assert_links(view.links, json_object_get(meaning, "links"));
}

/* ---- running a file ---- */

typedef void (*check_fn)(struct tulle__view frame, const json_t *meaning);

static void
check_canonical(reencode_fn reencode, struct tulle__view frame, bool is_canonical)
{
    struct tulle__writer w;

    tulle__writer_init(&w);
    assert_true(reencode(frame.data, frame.len, &w));
    bool is_same = w.len == frame.len && (w.len == 0 || memcmp(w.data, frame.data, w.len) == 0);
    tulle__writer_fini(&w);
    assert_int_equal(is_same, is_canonical);
    reencode_check(reencode, frame.data, frame.len);
}

static void
run_file(const char *kind, check_fn check, reencode_fn reencode)
{
    json_t *vectors = load(kind);
    size_t index = 0;
    json_t *vector = NULL;

    json_array_foreach(vectors, index, vector)
    {
        struct bytes bytes = bytes_of(text_of(vector, "hex"));
        struct tulle__view frame = { .data = bytes.data, .len = bytes.len };
        print_message("%s: %s\n", kind, text_of(vector, "name"));
        check(frame, json_object_get(vector, "meaning"));
        if (reencode != NULL)
            check_canonical(reencode, frame, flag_of(vector, "canonical"));
        free(bytes.data);
    }
    json_decref(vectors);
}

TEST(keys_mean_what_they_should)
{
    (void)state;
    run_file("key", check_key, NULL);
}

TEST(batches_mean_what_they_should)
{
    (void)state;
    run_file("batch", check_batch, reencode_batch);
}

TEST(paths_mean_what_they_should)
{
    (void)state;
    run_file("path", check_path, reencode_path);
}

TEST(beats_mean_what_they_should)
{
    (void)state;
    run_file("beat", check_beat, reencode_beat);
}

TEST(headers_mean_what_they_should)
{
    (void)state;
    run_file("header", check_header, reencode_header);
}

TEST(syncs_mean_what_they_should)
{
    (void)state;
    run_file("sync", check_sync, reencode_sync);
}

TEST(heres_mean_what_they_should)
{
    (void)state;
    run_file("here", check_here, reencode_here);
}

TEST(fetches_mean_what_they_should)
{
    (void)state;
    run_file("fetch", check_fetch, reencode_fetch);
}

TEST(ranges_mean_what_they_should)
{
    (void)state;
    run_file("range", check_range, reencode_range);
}

TEST(looks_and_views_mean_what_they_should)
{
    (void)state;
    run_file("look", check_look, reencode_look);
    run_file("view", check_view, reencode_view);
}

/* ---- whole publications ---- */

static void
check_publication(const json_t *vector)
{
    const json_t *frames = json_object_get(vector, "frames");
    const json_t *meaning = json_object_get(vector, "meaning");
    const json_t *topics = json_object_get(meaning, "topics");
    struct bytes key = bytes_of(json_string_value(json_array_get(frames, 0)));
    struct bytes body = bytes_of(json_string_value(json_array_get(frames, 1)));
    struct tulle__view stream;
    struct tulle__batch batch;
    struct tulle__event_walk walk;
    struct tulle__event_view event;

    assert_status(tulle__key_decode(key.data, key.len, &stream), TULLE_OK);
    assert_text(stream, text_of(meaning, "stream"));
    assert_status(tulle__batch_decode(body.data, body.len, &batch), TULLE_OK);
    assert_true(tulle__batch_fits(&batch, stream));
    assert_number(batch.node, meaning, "node");
    assert_number(batch.first_seq, meaning, "first_seq");
    tulle__batch_walk(&batch, &walk);
    for (size_t i = 0; tulle__batch_next(&walk, &event); i++) {
        char topic[TULLE__TOPIC_LEN_MAX + 1];
        (void)snprintf(topic, sizeof topic, "%.*s%s%.*s", (int)stream.len,
                       (const char *)stream.data, event.rest.len > 0 ? "/" : "",
                       (int)event.rest.len, (const char *)event.rest.data);
        assert_string_equal(topic, json_string_value(json_array_get(topics, i)));
    }
    free(key.data);
    free(body.data);
}

TEST(publications_mean_what_they_should)
{
    (void)state;
    json_t *vectors = load("publication");
    size_t index = 0;
    json_t *vector = NULL;

    json_array_foreach(vectors, index, vector)
    {
        const json_t *frames = json_object_get(vector, "frames");
        const json_t *path = json_object_get(json_object_get(vector, "meaning"), "path");
        check_publication(vector);
        assert_int_equal(json_array_size(frames), json_array_size(path) > 0 ? 3 : 2);
        if (json_array_size(frames) == 3) {
            struct bytes bytes = bytes_of(json_string_value(json_array_get(frames, 2)));
            json_t *ids = json_pack("{s:O}", "ids", path);
            check_path((struct tulle__view){ bytes.data, bytes.len }, ids);
            json_decref(ids);
            free(bytes.data);
        }
    }
    json_decref(vectors);
}

/* ---- what must be refused ---- */

static tulle_status
decode(const char *kind, const uint8_t *data, size_t len)
{
    struct tulle__view stream;
    struct tulle__batch batch;
    struct tulle__beat_view beat;
    struct tulle__control_header header;
    struct tulle__sync_view sync;
    struct tulle__here_view here;
    struct tulle__fetch fetch;
    struct tulle__range_view range;
    struct tulle__look look;
    struct tulle__view_view view;
    uint64_t ids[TULLE__PATH_MAX];
    uint32_t count = 0;

    if (strcmp(kind, "key") == 0)
        return tulle__key_decode(data, len, &stream);
    if (strcmp(kind, "batch") == 0)
        return tulle__batch_decode(data, len, &batch);
    if (strcmp(kind, "path") == 0)
        return tulle__path_decode(data, len, ids, &count);
    if (strcmp(kind, "beat") == 0)
        return tulle__beat_decode(data, len, &beat);
    if (strcmp(kind, "header") == 0)
        return tulle__header_decode(data, len, &header);
    if (strcmp(kind, "sync") == 0)
        return tulle__sync_decode(data, len, &sync);
    if (strcmp(kind, "here") == 0)
        return tulle__here_decode(data, len, &here);
    if (strcmp(kind, "fetch") == 0)
        return tulle__fetch_decode(data, len, &fetch);
    if (strcmp(kind, "range") == 0)
        return tulle__range_decode(data, len, &range);
    if (strcmp(kind, "look") == 0)
        return tulle__look_decode(data, len, &look);
    if (strcmp(kind, "view") == 0)
        return tulle__view_decode(data, len, &view);
    fail_msg("no kind \"%s\"", kind);
    return TULLE_EINVAL;
}

TEST(nonsense_is_refused)
{
    (void)state;
    json_t *vectors = load("invalid");
    size_t index = 0;
    json_t *vector = NULL;

    json_array_foreach(vectors, index, vector)
    {
        const char *kind = text_of(vector, "kind");
        bool is_version = strcmp(text_of(vector, "status"), "EVERSION") == 0;
        struct bytes bytes = bytes_of(text_of(vector, "hex"));
        tulle_status expected = is_version ? TULLE_EVERSION : TULLE_EBADMSG;
        tulle_status found = decode(kind, bytes.data, bytes.len);
        free(bytes.data);
        if (found != expected) {
            fail_msg("%s %s (%s): %s, not %s", kind, text_of(vector, "name"),
                     text_of(vector, "reason"), tulle_status_name(found),
                     tulle_status_name(expected));
        }
    }
    json_decref(vectors);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_mean_what_they_should),
        cmocka_unit_test(batches_mean_what_they_should),
        cmocka_unit_test(paths_mean_what_they_should),
        cmocka_unit_test(beats_mean_what_they_should),
        cmocka_unit_test(headers_mean_what_they_should),
        cmocka_unit_test(syncs_mean_what_they_should),
        cmocka_unit_test(heres_mean_what_they_should),
        cmocka_unit_test(fetches_mean_what_they_should),
        cmocka_unit_test(ranges_mean_what_they_should),
        cmocka_unit_test(looks_and_views_mean_what_they_should),
        cmocka_unit_test(publications_mean_what_they_should),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests_name("codec/vectors", tests, NULL, NULL);
}
