/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_CODEC_VIEW_H
#define TULLE_CODEC_VIEW_H

/* LOOK and VIEW (protocol.md 6.9): what a node tells of itself to those who observe the mesh. */

#include "codec/beat.h"
#include "codec/control.h"

#include <tulle/proxy.h>

struct tulle__look {
    bool wants_lists; /* heads, acknowledgements, holdings, links; else counters alone */
};

void tulle__look_encode(struct tulle__writer *w, const struct tulle__look *look);
TULLE_MUST_CHECK tulle_status tulle__look_decode(const void *data,
                                                 size_t len,
                                                 struct tulle__look *out);

/* A side of a proxy. */
struct tulle__link_counts {
    uint64_t events_out, bytes_out, events_in, bytes_in, waiting;
};

struct tulle__link_out {
    const char *name;
    const char *address;
    struct tulle__link_counts counts;
    const uint64_t *ids; /* neighbours there, up to TULLE__PEERS_PER_MESSAGE_MAX */
    size_t id_count;
};

struct tulle__link_item {
    struct tulle__view name, address;
    struct tulle__link_counts counts;
    struct tulle__list ids; /* tulle__list_next_id */
};
bool tulle__list_next_link(struct tulle__list *list, struct tulle__link_item *out);
bool tulle__list_next_id(struct tulle__list *list, uint64_t *out);

struct tulle__view_out {
    uint64_t reply_to; /* counter of the LOOK */
    struct tulle__self_out self;
    const tulle_seen_counters *counters;
    bool has_lists;
    const struct tulle__head *heads;
    size_t head_count;
    const struct tulle__dep *acks;
    size_t ack_count;
    const struct tulle__holding *holdings;
    size_t holding_count;
    /* Of a proxy: nodes and proxies that are at home on its other sides. */
    const struct tulle__beyond *beyond;
    size_t beyond_count;
    const struct tulle__beyond *proxies;
    size_t proxy_count;
    const struct tulle__link_out *links;
    size_t link_count;
};

struct tulle__view_view {
    uint64_t reply_to;
    struct tulle__self_view self;
    bool has_lists;
    bool has_counters;
    tulle_seen_counters counters;
    struct tulle__list heads;
    struct tulle__clock_view acks;
    struct tulle__list holdings;
    struct tulle__list beyond;
    struct tulle__list proxies;
    struct tulle__list links;
};

void tulle__view_encode(struct tulle__writer *w, const struct tulle__view_out *view);
TULLE_MUST_CHECK tulle_status tulle__view_decode(const void *data,
                                                 size_t len,
                                                 struct tulle__view_view *out);

#endif
