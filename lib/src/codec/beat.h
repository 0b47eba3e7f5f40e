/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_CODEC_BEAT_H
#define TULLE_CODEC_BEAT_H

/* Beats (protocol.md 5): [version, mesh, id, counter, map]. As in control.h, encoders take plain
 * arrays, borrowed; the decoder checks everything once and gives views that cannot fail. */

#include "codec/control.h"

#include <tulle/observe.h>

/* A node beyond a proxy, and how lately it was heard. */
struct tulle__beyond {
    uint64_t id;
    uint64_t counter; /* of its latest beat that is known of */
    uint32_t hops;    /* proxies between it and the sender's segment, the sender with them */
};
bool tulle__list_next_beyond(struct tulle__list *list, struct tulle__beyond *out);

struct tulle__beat_out {
    struct tulle__view mesh;
    uint64_t id;
    uint64_t counter;
    uint64_t hlc; /* sender's time */
    struct tulle__self_out self;
    bool has_self;  /* addresses are in (full beats) */
    bool has_takes; /* takes are in (full beats, and after a change) */
    bool is_leaving;
    bool is_full;                       /* heads are complete; acks are more than what changed */
    bool is_quiet;                      /* nothing in it is news */
    uint64_t ask;                       /* of a proxy: for full beats of everybody; 0: none */
    uint64_t node_count;                /* others that are up for the sender, but for proxies */
    const struct tulle__beyond *beyond; /* of a proxy: some in turn, of beyond_total */
    size_t beyond_count;
    uint64_t beyond_total;
    const struct tulle__beyond *proxies; /* of a proxy: other proxies beyond it, in turn */
    size_t proxy_count;
    const tulle_seen_counters *counters; /* NULL: none */
    const struct tulle__head *heads;
    size_t head_count;
    const struct tulle__dep *acks; /* what has been delivered here */
    size_t ack_count;
};

struct tulle__beat_view {
    struct tulle__view mesh;
    uint64_t id;
    uint64_t counter;
    uint64_t hlc;
    struct tulle__self_view self; /* name always there */
    bool is_leaving;
    bool is_full;
    bool is_quiet;
    uint64_t ask;
    uint64_t node_count;       /* 0: not said */
    struct tulle__list beyond; /* tulle__list_next_beyond */
    uint64_t beyond_total;
    struct tulle__list proxies; /* tulle__list_next_beyond */
    bool has_counters;
    tulle_seen_counters counters;
    struct tulle__list heads; /* tulle__list_next_head */
    struct tulle__clock_view acks;
};

void tulle__beat_encode(struct tulle__writer *w, const struct tulle__beat_out *beat);
TULLE_MUST_CHECK tulle_status tulle__beat_decode(const void *data,
                                                 size_t len,
                                                 struct tulle__beat_view *out);

#endif
