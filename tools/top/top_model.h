/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_TOP_MODEL_H
#define TULLE_TOOLS_TOP_MODEL_H

/* What top shows: the last snapshot of the mesh and, from those before it, rates.
 *
 * Nodes tell their counters about once a second and lanes' heads come with beats, both at moments
 * of their own: a rate is what was added between two moments at which something new was told, not
 * between two snapshots. Nothing here looks at a clock or a node. */

#include "tools/common/mesh.h"

#include <tulle/observe.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TULLE__TOP_LATE_MS = 3000,     /* a consumer this far behind is worth a look */
    TULLE__TOP_BAD_MS = 10000,     /* and one this far behind is bad */
    TULLE__TOP_FRESH_US = 10000000 /* for so long it stands out that there was another gap */
};

/* What a node does in a second; all at most once a second anew. */
struct tulle__top_rates {
    bool is_known;
    double events_published, bytes_published, events_delivered, bytes_delivered;
};

/* Of all lanes that a node takes, or of one, or of those of one stream. */
struct tulle__top_lag {
    uint64_t events;    /* not acknowledged, all lanes together */
    uint64_t worst;     /* of the lane with the most */
    size_t lane;        /* that lane; SIZE_MAX: none lags */
    uint64_t behind_ms; /* how long ago the head was where the slowest is now, about */
    size_t lane_count;
};

struct tulle__top_node {
    tulle_seen_counters base; /* counters that rates count from */
    bool has_base;
    struct tulle__top_rates rates;
    struct tulle__top_lag lag;
    uint64_t gaps;     /* as told last */
    int64_t gaps_us;   /* when there was one more, as long as that is fresh; else 0 */
    double bytes_each; /* a published event, about; 0: not known */
    size_t links;      /* where its links begin among the model's */
};

struct tulle__top_lane {
    uint64_t base_head;
    int64_t base_us; /* when the head was seen to be there */
    double rate;
    bool is_met, is_known;     /* in a snapshot before; the rate is */
    struct tulle__top_lag lag; /* events: of all takers; worst: of one */
    size_t worst_taker;        /* index among the takers; SIZE_MAX: nobody lags */
    uint64_t kept_first;       /* the oldest event that anybody keeps; 0: nothing is kept */
};

struct tulle__top_link {
    uint64_t base[4]; /* events and bytes out, then in */
    int64_t base_us;
    unsigned grown_count; /* how often growth was seen; the moment of the first is not known */
    double rates[4];
    bool is_known;
};

/* Of all nodes but the one that looks. */
struct tulle__top_totals {
    size_t up, suspect, gone, left, named, proxies, segments;
    size_t lanes, streams;
    struct tulle__top_rates rates;
    struct tulle__top_lag worst; /* worst: of one taker on one lane */
    uint64_t worst_node;         /* that taker */
    uint64_t gaps, events_lost, dropped;
    uint64_t held_now;
    bool has_fresh_gaps;
};

struct tulle__top_model {
    int64_t span_us; /* rates are over about so long, if what is told comes so often */
    /* tulle_snapshot_free(); another one in tests, which make snapshots up. */
    void (*free_snapshot)(const tulle_snapshot **snapshot);
    const tulle_snapshot *snapshot; /* owned; NULL before the first */
    struct tulle__mesh mesh;        /* of it */
    struct tulle__top_node *nodes;  /* as the snapshot's nodes */
    struct tulle__top_lane *lanes;  /* as the snapshot's lanes */
    struct tulle__top_link *links;
    size_t link_count;
    struct tulle__top_totals totals;
    uint64_t feeds;
};

/* span_ms: see span_us; a few hundred or more. */
void tulle__top_model_init(struct tulle__top_model *model, int64_t span_ms);
void tulle__top_model_fini(struct tulle__top_model *model);

/* Go on with a later snapshot, which the model frees. Returns false when there is no memory: then
 * it still shows the one before, and the snapshot is the caller's. */
bool tulle__top_model_feed(struct tulle__top_model *model, const tulle_snapshot **snapshot);

/* Is every rate known that can be, so that nothing is missing for lack of another look? Those of
 * links take longest. */
bool tulle__top_model_is_settled(const struct tulle__top_model *model, bool has_links);

/* How long ago, about, the lane's head was where this taker is. */
uint64_t tulle__top_behind_ms(const struct tulle__top_model *model, size_t lane, uint64_t lag);

/* Bytes that a lane's events are a second, by the mean of its publisher; negative: not known. */
double tulle__top_lane_bytes(const struct tulle__top_model *model, size_t lane);

#endif
