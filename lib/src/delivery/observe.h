/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_DELIVERY_OBSERVE_H
#define TULLE_DELIVERY_OBSERVE_H

/* What an observing node keeps of all others (observe.c), what a node tells them of itself
 * (tally.c), and copies for the application (snapshot.c); see delivery/internal.h. */

#include "codec/view.h"
#include "delivery/state.h"

#include <tulle/observe.h>

/* What a node has of a lane: acknowledged, and kept. */
struct tulle__mark {
    uint64_t node;
    uint64_t acked;
    uint64_t first; /* kept, as of the view with that number */
    uint64_t last;
    uint64_t view;
};

struct tulle__seen_lane {
    uint64_t node;
    uint64_t head; /* 0: not told */
    int64_t changed_ns;
    struct tulle__mark *marks; /* ascending nodes */
    size_t mark_count;
    size_t mark_cap;
    UT_hash_handle hh;
    size_t stream_len;
    uint8_t key[]; /* 8 bytes of the node's id, the stream, a zero byte */
};

struct tulle__observer {
    struct tulle__seen_lane *lanes; /* uthash */
    size_t mark_count;
    uint64_t lanes_over;
    uint64_t marks_over;
    int64_t due_ns; /* when to look whom to ask */
};

/* A side of a proxy, as it told. */
struct tulle__seen_side {
    char name[TULLE__NAME_LEN_MAX + 1];
    char address[TULLE__ADDRESS_LEN_MAX + 1];
    struct tulle__link_counts counts;
    uint64_t *ids;
    size_t id_count;
};

/* What is known of a peer by observing it. */
struct tulle__peer_view {
    bool has_lists;
    bool has_counters;
    bool has_round_trip;
    uint64_t number; /* of its last view with lists */
    tulle_seen_counters counters;
    int64_t counters_ns;
    int64_t round_trip_ns;
    uint64_t look_counter; /* of the LOOK that is out; 0: none */
    int64_t look_ns;
    int64_t due_ns;       /* when to ask it */
    int64_t lists_due_ns; /* when for its lists too */
    uint32_t tries;
    struct tulle__seen_side *sides;
    size_t side_count;
};

/* What a proxy, which alone knows it, has to say in the next VIEW of one of its engines. */
struct tulle__view_parts {
    struct tulle__beyond beyond[TULLE__BEYOND_MAX];
    size_t beyond_count;
    struct tulle__beyond proxies[TULLE__BEYOND_MAX];
    size_t proxy_count;
    struct tulle__link_out links[TULLE_SEGMENTS_MAX];
    size_t link_count;
};

/* ---- observe.c ---- */

/* False: no memory. */
bool tulle__observe_init(struct tulle__engine *e);
void tulle__observe_fini(struct tulle__engine *e);
void tulle__observe_peer_freed(struct tulle__peer *peer);
void tulle__observe_beat(struct tulle__engine *e,
                         struct tulle__peer *peer,
                         const struct tulle__beat_view *beat);
/* Are there not too many LOOKs? */
bool tulle__look_may_be_answered(const struct tulle__engine *e);
void tulle__on_look(struct tulle__engine *e,
                    const struct tulle__control_header *header,
                    uint64_t via,
                    const struct tulle__look *look);
void tulle__on_view(struct tulle__engine *e,
                    const struct tulle__control_header *header,
                    const struct tulle__view_view *told);
void tulle__observe_on_timer(struct tulle__engine *e);
int64_t tulle__observe_due_ns(const struct tulle__engine *e);
/* Drop what belongs to nodes that were forgotten. */
void tulle__observe_forget(struct tulle__engine *e);
/* What this node itself has, noted as that of the others is. */
void tulle__observe_self(struct tulle__engine *e);

/* ---- beat.c, member.c ---- */

/* What a proxy tells of nodes beyond it, some of so many in all; or of proxies. */
void tulle__take_beyond(struct tulle__engine *e,
                        const struct tulle__peer *proxy,
                        struct tulle__list list,
                        uint64_t total,
                        bool is_proxies);

/* The neighbour that it is heard through; 0: it is one, or never was heard. */
uint64_t tulle__peer_via(const struct tulle__engine *e, const struct tulle__peer *peer);

/* ---- tally.c ---- */

/* Events were delivered so long after they were published. */
void tulle__tally_delay(struct tulle__engine *e, int64_t us, uint64_t events);
/* A full beat: a new interval begins, if the last one was long enough. */
void tulle__tally_turn(struct tulle__engine *e);
void tulle__tally_counters(const struct tulle__engine *e, tulle_seen_counters *out);

/* ---- snapshot.c ---- */

struct tulle__snapshot;

/* Copy what is known; on the engine's thread. NULL: no memory. */
struct tulle__snapshot *tulle__snapshot_collect(struct tulle__engine *e, struct tulle__now now);
/* Make of the copy what the application sees; on any thread. False: no memory. */
TULLE_MUST_CHECK bool tulle__snapshot_finish(struct tulle__snapshot *snapshot);
const tulle_snapshot *tulle__snapshot_shown(const struct tulle__snapshot *snapshot);
void tulle__snapshot_free(struct tulle__snapshot **pointer);

#endif
