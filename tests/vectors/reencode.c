/* SPDX-License-Identifier: MPL-2.0 */

/* Views become the plain arrays that the encoders take. Everything copied lives
 * in one arena that is freed at the end; counts are those of checked messages,
 * so they are below the bytes of the message. */

#include "reencode.h"

#include "base/buf.h"
#include "base/panic.h"
#include "codec/batch.h"
#include "codec/beat.h"
#include "codec/control.h"
#include "codec/view.h"

#include <stdlib.h>
#include <string.h>

struct block {
    struct block *next;
    max_align_t bytes[];
};

struct arena {
    struct block *blocks;
};

static void *
take(struct arena *arena, size_t count, size_t size)
{
    struct block *block = calloc(1, sizeof *block + count * size);

    TULLE_ASSERT(block != NULL);
    block->next = arena->blocks;
    arena->blocks = block;
    return block->bytes;
}

static void
free_all(struct arena *arena)
{
    while (arena->blocks != NULL) {
        struct block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
}

static const char *
take_text(struct arena *arena, struct tulle__view view)
{
    char *text = take(arena, view.len + 1, 1);

    if (view.len > 0)
        memcpy(text, view.data, view.len);
    TULLE_ASSERT(strlen(text) == view.len);
    return text;
}

static struct tulle__dep *
take_clock(struct arena *arena, struct tulle__clock_view clock, size_t *count)
{
    struct tulle__dep *deps = take(arena, clock.count, sizeof *deps);
    size_t found = 0;

    struct tulle__dep dep;

    *count = clock.count;
    while (tulle__clock_view_next(&clock, &dep)) {
        TULLE_ASSERT(found < *count);
        deps[found++] = dep;
    }
    TULLE_ASSERT(found == *count);
    TULLE_ASSERT(clock.reader.left == 0 && !clock.reader.failed);
    return deps;
}

static const char **
take_addresses(struct arena *arena, struct tulle__list list, size_t *count)
{
    const char **texts = take(arena, list.count, sizeof *texts);
    struct tulle__view view;

    *count = 0;
    while (tulle__list_next_text(&list, &view))
        texts[(*count)++] = take_text(arena, view);
    TULLE_ASSERT(list.reader.left == 0 && !list.reader.failed);
    return texts;
}

static struct tulle__view *
take_views(struct arena *arena, struct tulle__list list, size_t *count)
{
    struct tulle__view *views = take(arena, list.count, sizeof *views);
    struct tulle__view view;

    *count = 0;
    while (tulle__list_next_text(&list, &view))
        views[(*count)++] = view;
    TULLE_ASSERT(list.reader.left == 0 && !list.reader.failed);
    return views;
}

static struct tulle__self_out
take_self(struct arena *arena, const struct tulle__self_view *view)
{
    struct tulle__self_out self = {
        .name = take_text(arena, view->name),
        .takes_version = view->takes_version,
        .beat_ms = view->beat_ms,
        .is_proxy = view->is_proxy,
    };

    self.control_addresses =
        take_addresses(arena, view->control_addresses, &self.control_address_count);
    self.event_addresses = take_addresses(arena, view->event_addresses, &self.event_address_count);
    self.inlets = take_addresses(arena, view->inlets, &self.inlet_count);
    self.takes = take_views(arena, view->takes, &self.take_count);
    return self;
}

/* Batch */

static void
reencode_event(struct arena *arena,
               const struct tulle__batch *batch,
               const struct tulle__event_view *event,
               struct tulle__writer *events)
{
    struct tulle__attributes found;
    struct tulle__attributes_in in = { .content_type = NULL };
    size_t causes = 0;
    size_t headers = 0;

    tulle__attributes_decode(event->attributes, &found);
    struct tulle__dep *cause = take(arena, found.cause_count, sizeof *cause);
    struct tulle__pair *pairs = take(arena, found.header_count, sizeof *pairs);
    in.cause_count = found.cause_count;
    in.header_count = found.header_count;
    if (found.content_type.len > 0)
        in.content_type = take_text(arena, found.content_type);
    while (causes < in.cause_count && tulle__cause_next(&found, &cause[causes]))
        causes++;
    struct tulle__view name;
    struct tulle__view value;
    while (tulle__header_next(&found, &name, &value)) {
        pairs[headers++] = (struct tulle__pair){
            .name = take_text(arena, name),
            .value = take_text(arena, value),
        };
    }
    TULLE_ASSERT(causes == in.cause_count && headers == in.header_count);
    in.causes = cause;
    in.headers = pairs;
    tulle__event_encode(events, event->rest, (event->hlc - batch->base_hlc) >> 12, event->payload,
                        &in);
}

bool
reencode_batch(const void *data, size_t len, struct tulle__writer *out)
{
    struct tulle__batch batch;
    struct arena arena = { .blocks = NULL };
    struct tulle__writer events;
    struct tulle__event_walk walk;
    struct tulle__event_view event;
    uint32_t count = 0;

    if (tulle__batch_decode(data, len, &batch) != TULLE_OK)
        return false;

    tulle__writer_init(&events);
    tulle__batch_walk(&batch, &walk);
    while (tulle__batch_next(&walk, &event)) {
        TULLE_ASSERT(event.seq == batch.first_seq + count);
        TULLE_ASSERT(event.rest.len <= batch.rest_len_max);
        reencode_event(&arena, &batch, &event, &events);
        count++;
    }
    TULLE_ASSERT(count == batch.event_count);
    TULLE_ASSERT(walk.reader.left == 0 && !walk.reader.failed);

    struct tulle__batch_head head = {
        .node = batch.node,
        .first_seq = batch.first_seq,
        .base_hlc = batch.base_hlc,
        .event_count = count,
    };
    head.deps = take_clock(&arena, batch.deps, &head.dep_count);
    struct tulle__buf *buf = tulle__batch_encode(&head, &events, out);
    TULLE_ASSERT(buf != NULL);
    tulle__writer_reset(out);
    tulle__write_raw(out, buf->data, buf->len);
    tulle__buf_unref(&buf);
    tulle__writer_fini(&events);
    free_all(&arena);
    return true;
}

bool
reencode_path(const void *data, size_t len, struct tulle__writer *out)
{
    uint64_t ids[TULLE__PATH_MAX];
    uint32_t count = 0;

    if (tulle__path_decode(data, len, ids, &count) != TULLE_OK)
        return false;
    tulle__writer_reset(out);
    tulle__path_encode(out, ids, count);
    return true;
}

/* Beat */

static struct tulle__head *
take_heads(struct arena *arena, struct tulle__list list, size_t *count)
{
    struct tulle__head *heads = take(arena, list.count, sizeof *heads);

    *count = 0;
    for (uint32_t left = list.count; left > 0; left--)
        (void)tulle__list_next_head(&list, &heads[(*count)++]);
    TULLE_ASSERT(list.reader.left == 0 && !list.reader.failed);
    return heads;
}

static struct tulle__beyond *
take_beyond(struct arena *arena, struct tulle__list list, size_t *count)
{
    struct tulle__beyond *beyond = take(arena, list.count, sizeof *beyond);

    *count = 0;
    for (uint32_t left = list.count; left > 0; left--)
        (void)tulle__list_next_beyond(&list, &beyond[(*count)++]);
    TULLE_ASSERT(list.reader.left == 0 && !list.reader.failed);
    return beyond;
}

bool
reencode_beat(const void *data, size_t len, struct tulle__writer *out)
{
    struct tulle__beat_view beat;
    struct arena arena = { .blocks = NULL };

    if (tulle__beat_decode(data, len, &beat) != TULLE_OK)
        return false;

    struct tulle__beat_out made = {
        .mesh = beat.mesh,
        .id = beat.id,
        .counter = beat.counter,
        .hlc = beat.hlc,
        .self = take_self(&arena, &beat.self),
        .has_self = beat.self.has_addresses,
        .has_takes = beat.self.has_takes,
        .is_leaving = beat.is_leaving,
        .is_full = beat.is_full,
        .is_quiet = beat.is_quiet,
        .ask = beat.ask,
        .node_count = beat.node_count,
        .beyond_total = beat.beyond_total,
    };
    made.heads = take_heads(&arena, beat.heads, &made.head_count);
    made.acks = take_clock(&arena, beat.acks, &made.ack_count);
    made.beyond = take_beyond(&arena, beat.beyond, &made.beyond_count);
    made.proxies = take_beyond(&arena, beat.proxies, &made.proxy_count);
    made.counters = beat.has_counters ? &beat.counters : NULL;
    tulle__writer_reset(out);
    tulle__beat_encode(out, &made);
    free_all(&arena);
    return true;
}

/* Control */

bool
reencode_header(const void *data, size_t len, struct tulle__writer *out)
{
    struct tulle__control_header header;

    if (tulle__header_decode(data, len, &header) != TULLE_OK)
        return false;
    tulle__writer_reset(out);
    tulle__header_encode(out, &header);
    return true;
}

bool
reencode_sync(const void *data, size_t len, struct tulle__writer *out)
{
    struct tulle__sync_view sync;
    struct arena arena = { .blocks = NULL };

    if (tulle__sync_decode(data, len, &sync) != TULLE_OK)
        return false;
    struct tulle__sync_out made = {
        .self = take_self(&arena, &sync.self),
        .wants_lanes = sync.wants_lanes,
        .wants_peers = sync.wants_peers,
    };
    tulle__writer_reset(out);
    tulle__sync_encode(out, &made);
    free_all(&arena);
    return true;
}

static void
take_lanes(struct arena *arena, struct tulle__list list, struct tulle__here_out *made)
{
    struct tulle__here_lane_out *lanes = take(arena, list.count, sizeof *lanes);
    struct tulle__here_lane lane;

    while (tulle__list_next_lane(&list, &lane)) {
        struct tulle__here_lane_out *copy = &lanes[made->lane_count++];
        copy->stream = lane.stream;
        copy->head = lane.head;
        copy->first = lane.first;
        copy->clock = take_clock(arena, lane.clock, &copy->clock_count);
    }
    TULLE_ASSERT(list.reader.left == 0 && !list.reader.failed);
    made->lanes = lanes;
}

static void
take_peers(struct arena *arena, struct tulle__list list, struct tulle__here_out *made)
{
    struct tulle__known_out *peers = take(arena, list.count, sizeof *peers);
    struct tulle__known peer;

    while (tulle__list_next_known(&list, &peer)) {
        struct tulle__known_out *copy = &peers[made->peer_count++];
        copy->id = peer.id;
        copy->name = take_text(arena, peer.name);
        copy->control_addresses =
            take_addresses(arena, peer.control_addresses, &copy->control_address_count);
        copy->event_addresses =
            take_addresses(arena, peer.event_addresses, &copy->event_address_count);
        copy->is_proxy = peer.is_proxy;
    }
    TULLE_ASSERT(list.reader.left == 0 && !list.reader.failed);
    made->peers = peers;
}

static struct tulle__holding *
take_holdings(struct arena *arena, struct tulle__list list, size_t *count)
{
    struct tulle__holding *holdings = take(arena, list.count, sizeof *holdings);

    *count = 0;
    for (uint32_t left = list.count; left > 0; left--)
        (void)tulle__list_next_holding(&list, &holdings[(*count)++]);
    TULLE_ASSERT(list.reader.left == 0 && !list.reader.failed);
    return holdings;
}

bool
reencode_here(const void *data, size_t len, struct tulle__writer *out)
{
    struct tulle__here_view here;
    struct arena arena = { .blocks = NULL };

    if (tulle__here_decode(data, len, &here) != TULLE_OK)
        return false;

    struct tulle__here_out made = {
        .reply_to = here.reply_to,
        .self = take_self(&arena, &here.self),
        .has_lanes = here.has_lanes,
    };
    made.holdings = take_holdings(&arena, here.holdings, &made.holding_count);
    take_lanes(&arena, here.lanes, &made);
    take_peers(&arena, here.peers, &made);
    tulle__writer_reset(out);
    tulle__here_encode(out, &made);
    free_all(&arena);
    return true;
}

bool
reencode_fetch(const void *data, size_t len, struct tulle__writer *out)
{
    struct tulle__fetch fetch;

    if (tulle__fetch_decode(data, len, &fetch) != TULLE_OK)
        return false;
    tulle__writer_reset(out);
    tulle__fetch_encode(out, &fetch);
    return true;
}

bool
reencode_range(const void *data, size_t len, struct tulle__writer *out)
{
    struct tulle__range_view range;
    struct arena arena = { .blocks = NULL };

    if (tulle__range_decode(data, len, &range) != TULLE_OK)
        return false;
    struct tulle__range_out made = {
        .reply_to = range.reply_to,
        .node = range.node,
        .stream = range.stream,
        .first = range.first,
        .last = range.last,
        .has_clock = range.has_clock,
        .is_withheld = range.is_withheld,
        .is_waiting = range.is_waiting,
    };
    made.batches = take_views(&arena, range.batches, &made.batch_count);
    made.clock = take_clock(&arena, range.clock, &made.clock_count);
    tulle__writer_reset(out);
    tulle__range_encode(out, &made);
    free_all(&arena);
    return true;
}

bool
reencode_look(const void *data, size_t len, struct tulle__writer *out)
{
    struct tulle__look look;

    if (tulle__look_decode(data, len, &look) != TULLE_OK)
        return false;
    tulle__writer_reset(out);
    tulle__look_encode(out, &look);
    return true;
}

static struct tulle__link_out *
take_links(struct arena *arena, struct tulle__list list, size_t *count)
{
    struct tulle__link_out *links = take(arena, list.count, sizeof *links);
    struct tulle__link_item link;

    *count = 0;
    while (tulle__list_next_link(&list, &link)) {
        struct tulle__link_out *copy = &links[(*count)++];
        uint64_t *ids = take(arena, link.ids.count, sizeof *ids);
        copy->name = take_text(arena, link.name);
        copy->address = take_text(arena, link.address);
        copy->counts = link.counts;
        copy->ids = ids;
        for (uint32_t left = link.ids.count; left > 0; left--)
            (void)tulle__list_next_id(&link.ids, &ids[copy->id_count++]);
        TULLE_ASSERT(link.ids.reader.left == 0 && !link.ids.reader.failed);
    }
    TULLE_ASSERT(list.reader.left == 0 && !list.reader.failed);
    return links;
}

bool
reencode_view(const void *data, size_t len, struct tulle__writer *out)
{
    struct tulle__view_view view;
    struct arena arena = { .blocks = NULL };

    if (tulle__view_decode(data, len, &view) != TULLE_OK)
        return false;

    struct tulle__view_out made = {
        .reply_to = view.reply_to,
        .self = take_self(&arena, &view.self),
        .counters = view.has_counters ? &view.counters : NULL,
        .has_lists = view.has_lists,
    };
    made.heads = take_heads(&arena, view.heads, &made.head_count);
    made.acks = take_clock(&arena, view.acks, &made.ack_count);
    made.holdings = take_holdings(&arena, view.holdings, &made.holding_count);
    made.beyond = take_beyond(&arena, view.beyond, &made.beyond_count);
    made.proxies = take_beyond(&arena, view.proxies, &made.proxy_count);
    made.links = take_links(&arena, view.links, &made.link_count);
    tulle__writer_reset(out);
    tulle__view_encode(out, &made);
    free_all(&arena);
    return true;
}

void
reencode_check(reencode_fn reencode, const void *data, size_t len)
{
    struct tulle__writer once;
    struct tulle__writer twice;

    tulle__writer_init(&once);
    tulle__writer_init(&twice);
    if (reencode(data, len, &once)) {
        TULLE_ASSERT(!once.failed);
        TULLE_ASSERT(reencode(once.data, once.len, &twice));
        TULLE_ASSERT(!twice.failed);
        TULLE_ASSERT(once.len == twice.len);
        TULLE_ASSERT(memcmp(once.data, twice.data, once.len) == 0);
    }
    tulle__writer_fini(&twice);
    tulle__writer_fini(&once);
}
