/* SPDX-License-Identifier: MPL-2.0 */
/* Public messages out of engine actions. */

#include "node/message.h"

#include "base/alloc.h"
#include "clock/hlc.h"

#include <string.h>

/* ---- items ---- */

enum { TEXTS = 3 };

static struct tulle__item *
new_item(tulle_message_kind kind,
         const struct tulle__view texts[static TEXTS],
         const char *copies[static TEXTS])
{
    size_t len = 0;
    for (size_t i = 0; i < TEXTS; i++)
        len += texts[i].len + 1;
    struct tulle__item *item = tulle__alloc(sizeof *item + len);
    if (item == NULL)
        return NULL;
    item->kind = kind;
    item->bytes = sizeof *item + len;
    char *at = item->texts;
    for (size_t i = 0; i < TEXTS; i++) {
        copies[i] = at;
        if (texts[i].len > 0)
            memcpy(at, texts[i].data, texts[i].len);
        at[texts[i].len] = '\0';
        at += texts[i].len + 1;
    }
    return item;
}

struct tulle__item *
tulle__item_from_delivery(tulle_message_kind kind, const struct tulle__delivery *delivery)
{
    const struct tulle__view texts[TEXTS] = { delivery->stream, tulle__view_of(delivery->node_name),
                                              delivery->waited.stream };
    const char *copies[TEXTS];
    struct tulle__item *item = new_item(kind, texts, copies);
    if (item == NULL)
        return NULL;
    item->stream = copies[0];
    item->node_name = copies[1];
    item->body = tulle__buf_ref(delivery->body);
    item->bytes += delivery->body->len;
    if (delivery->clock != NULL) {
        item->clock = tulle__buf_ref(delivery->clock);
        item->bytes += delivery->clock->len;
    }
    item->batch = delivery->batch;
    item->first = delivery->first;
    item->last = delivery->last;
    item->hops = delivery->hops;
    item->arrived_us = delivery->arrived_us;
    item->held_us = delivery->held_us;
    item->waited_for =
        (tulle_clock_entry){ delivery->waited.node, copies[2], delivery->waited.count };
    item->is_repaired = delivery->is_repaired;
    item->is_late = delivery->is_late;
    return item;
}

struct tulle__item *
tulle__item_from_gap(const tulle_gap *gap)
{
    const struct tulle__view texts[TEXTS] = { tulle__view_of(gap->stream),
                                              tulle__view_of(gap->node_name) };
    const char *copies[TEXTS];
    struct tulle__item *item = new_item(TULLE_MESSAGE_GAP, texts, copies);
    if (item == NULL)
        return NULL;
    item->stream = copies[0];
    item->gap = *gap;
    item->gap.stream = copies[0];
    item->gap.node_name = copies[1];
    return item;
}

struct tulle__item *
tulle__item_from_peer(const tulle_peer *peer)
{
    const struct tulle__view texts[TEXTS] = { tulle__view_of(peer->name),
                                              tulle__view_of(peer->address) };
    const char *copies[TEXTS];
    struct tulle__item *item = new_item(TULLE_MESSAGE_PEER, texts, copies);
    if (item == NULL)
        return NULL;
    item->stream = "";
    item->peer = *peer;
    item->peer.name = copies[0];
    item->peer.address = copies[1];
    return item;
}

void
tulle__item_free(struct tulle__item **pointer)
{
    struct tulle__item *item = *pointer;
    if (item == NULL)
        return;
    tulle__buf_unref(&item->body);
    tulle__buf_unref(&item->clock);
    tulle__free(item);
    *pointer = NULL;
}

/* ---- builder ---- */

void
tulle__builder_init(struct tulle__builder *builder, uint32_t flags)
{
    *builder = (struct tulle__builder){ .flags = flags, .is_over = true };
}

void
tulle__builder_fini(struct tulle__builder *builder)
{
    tulle__free(builder->deps);
    tulle__free(builder->clock);
    tulle__free(builder->arena);
    tulle__free(builder->detail_arena);
    tulle__builder_init(builder, builder->flags);
}

/* What all events of an item have in common. */
static void
begin_events(struct tulle__builder *b)
{
    const struct tulle__item *item = b->item;
    b->message.kind = item->kind;
    b->message.u.event = (tulle_event){ .node = item->batch.node,
                                        .node_name = item->node_name,
                                        .stream = item->stream,
                                        .topic = b->topic,
                                        .hops = item->hops,
                                        .held_us = item->held_us,
                                        .waited_for = item->waited_for,
                                        .is_repaired = item->is_repaired,
                                        .is_late = item->is_late };
}

void
tulle__builder_start(struct tulle__builder *builder, const struct tulle__item *item)
{
    builder->item = item;
    builder->is_over = false;
    builder->are_details_made = false;
    builder->detail_arena_len = 0;
    builder->has_rest = false;
    if (item->body == NULL)
        return;
    tulle__batch_walk(&item->batch, &builder->walk);
    begin_events(builder);
}

static bool
reserve_text(char **arena, size_t *cap, size_t len)
{
    if (*cap >= len)
        return true;
    char *bigger = tulle__realloc(*arena, len);
    if (bigger == NULL)
        return false;
    *arena = bigger;
    *cap = len;
    return true;
}

/* Room is reserved before: a string takes no more here than in msgpack, where a
 * byte of length stands in the place of the NUL. */
static const char *
put_text(char *arena, size_t *len, struct tulle__view text)
{
    char *at = arena + *len;
    if (text.len > 0)
        memcpy(at, text.data, text.len);
    at[text.len] = '\0';
    *len += text.len + 1;
    return at;
}

static size_t
fill_clock(struct tulle__builder *b,
           struct tulle__clock_view view,
           tulle_clock_entry **entries,
           size_t *cap)
{
    size_t count = 0;
    struct tulle__dep dep;
    const uint8_t *last_data = NULL;
    const char *last_text = NULL;
    while (tulle__clock_view_next(&view, &dep)) {
        if (!tulle__grow(entries, cap, count, sizeof **entries))
            break;
        if (dep.stream.data != last_data) {
            last_data = dep.stream.data;
            last_text = put_text(b->detail_arena, &b->detail_arena_len, dep.stream);
        }
        (*entries)[count++] =
            (tulle_clock_entry){ .node = dep.node, .stream = last_text, .count = dep.count };
    }
    return count;
}

/* Deps and clock of a batch, made with its first event. */
static bool
make_details(struct tulle__builder *b)
{
    const struct tulle__item *item = b->item;
    size_t len = item->body->len + (item->clock != NULL ? item->clock->len : 0) + 1;
    if (b->are_details_made)
        return true;
    if (!reserve_text(&b->detail_arena, &b->detail_arena_cap, len))
        return false;
    b->are_details_made = true;
    b->dep_count = fill_clock(b, item->batch.deps, &b->deps, &b->dep_cap);
    b->clock_count = 0;
    if (item->clock != NULL) {
        struct tulle__reader reader;
        tulle__reader_init(&reader, item->clock->data, item->clock->len);
        b->clock_count = fill_clock(b, tulle__read_clock(&reader), &b->clock, &b->clock_cap);
    }
    return true;
}

static void
fill_details(struct tulle__builder *b, uint64_t seq)
{
    tulle_event *event = &b->message.u.event;
    if (!make_details(b))
        return;
    if ((b->flags & TULLE_DETAIL_DEPS) != 0) {
        event->deps = b->deps;
        event->dep_count = b->dep_count;
    }
    event->clock = NULL;
    event->clock_count = 0;
    /* The clock at the event: the lane's causal past, and the event itself. */
    if ((b->flags & TULLE_DETAIL_CLOCK) == 0 || b->item->clock == NULL ||
        !tulle__grow(&b->clock, &b->clock_cap, b->clock_count, sizeof *b->clock))
        return;
    b->clock[b->clock_count] =
        (tulle_clock_entry){ .node = b->item->batch.node, .stream = b->item->stream, .count = seq };
    event->clock = b->clock;
    event->clock_count = b->clock_count + 1;
}

static void
fill_attributes(struct tulle__builder *b, struct tulle__view bytes)
{
    tulle_event *event = &b->message.u.event;
    event->content_type = NULL;
    event->cause_count = event->header_count = 0;
    b->arena_len = 0;
    if (bytes.len == 0 || !reserve_text(&b->arena, &b->arena_cap, bytes.len + 1))
        return;
    struct tulle__attributes attributes;
    tulle__attributes_decode(bytes, &attributes);
    if (attributes.content_type.len > 0) {
        size_t len = 0;
        event->content_type = put_text(b->content_type, &len, attributes.content_type);
    }
    struct tulle__dep cause;
    while (event->cause_count < TULLE__CAUSES_MAX && tulle__cause_next(&attributes, &cause)) {
        b->causes[event->cause_count++] =
            (tulle_event_ref){ .node = cause.node,
                               .stream = put_text(b->arena, &b->arena_len, cause.stream),
                               .seq = cause.count };
    }
    struct tulle__view name;
    struct tulle__view value;
    while (event->header_count < TULLE__HEADERS_MAX &&
           tulle__header_next(&attributes, &name, &value)) {
        tulle_header *header = &b->headers[event->header_count++];
        header->name = put_text(b->arena, &b->arena_len, name);
        header->value = put_text(b->arena, &b->arena_len, value);
    }
    event->causes = b->causes;
    event->headers = b->headers;
}

static void
fill_topic(struct tulle__builder *b, struct tulle__view rest)
{
    size_t len = strlen(b->item->stream);
    memcpy(b->topic, b->item->stream, len);
    if (rest.len > 0) {
        b->topic[len++] = '/';
        memcpy(b->topic + len, rest.data, rest.len);
        len += rest.len;
    }
    b->topic[len] = '\0';
}

static const tulle_message *
build_event(struct tulle__builder *b, const struct tulle__event_view *view)
{
    tulle_event *event = &b->message.u.event;
    event->seq = view->seq;
    event->hlc = view->hlc;
    event->time_us = tulle__hlc_us(view->hlc);
    event->payload = view->payload.len > 0 ? view->payload.data : NULL;
    event->payload_len = view->payload.len;
    event->delay_us = b->item->arrived_us - event->time_us;
    if (view->attributes.len > 0 || event->content_type != NULL || event->cause_count > 0 ||
        event->header_count > 0)
        fill_attributes(b, view->attributes);
    if ((b->flags & (TULLE_DETAIL_DEPS | TULLE_DETAIL_CLOCK)) != 0)
        fill_details(b, view->seq);
    return &b->message;
}

static const tulle_message *
build_other(struct tulle__builder *b)
{
    b->is_over = true;
    b->message.kind = b->item->kind;
    if (b->item->kind == TULLE_MESSAGE_GAP)
        b->message.u.gap = b->item->gap;
    else
        b->message.u.peer = b->item->peer;
    return &b->message;
}

/* patterns NULL: whatever it is, it matches. */
static void
look_at_rest(struct tulle__builder *b,
             struct tulle__view rest,
             const struct tulle__patterns *patterns)
{
    struct tulle__view stream = tulle__view_of(b->item->stream);
    b->has_rest = true;
    b->rest = rest;
    b->is_match = patterns == NULL || tulle__patterns_match(patterns, stream, rest);
    if (b->is_match)
        fill_topic(b, rest);
}

const tulle_message *
tulle__builder_next(struct tulle__builder *b,
                    const struct tulle__patterns *patterns,
                    bool matches_all)
{
    if (b->is_over)
        return NULL;
    if (b->item->body == NULL)
        return build_other(b);
    struct tulle__event_view view;
    while (tulle__batch_next(&b->walk, &view)) {
        if (view.seq < b->item->first || view.seq > b->item->last)
            continue;
        if (!b->has_rest || !tulle__view_is_same(view.rest, b->rest))
            look_at_rest(b, view.rest, matches_all ? NULL : patterns);
        if (b->is_match)
            return build_event(b, &view);
    }
    b->is_over = true;
    return NULL;
}
