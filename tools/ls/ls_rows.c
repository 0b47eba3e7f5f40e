/* SPDX-License-Identifier: MPL-2.0 */

/* Rows that both forms of output have. */

#include "tools/common/choose.h"
#include "tools/ls/ls_print.h"

#include <stddef.h>

unsigned
tulle__ls_kinds(const struct tulle__ls_options *options)
{
    if (options->kinds != 0)
        return options->kinds;
    unsigned kinds = 1U << TULLE__LS_NODES | 1U << TULLE__LS_STREAMS | 1U << TULLE__LS_SEGMENTS;
    return options->is_json ? kinds | 1U << TULLE__LS_LANES : kinds | 1U << TULLE__LS_PROXIES;
}

static double
rate_of(const struct tulle__ls *ls, size_t node, size_t offset)
{
    const tulle_snapshot *now = ls->mesh.snapshot;
    return ls->before == NULL ? -1 : tulle__mesh_rate(ls->before, now, now->nodes[node].id, offset);
}

double
tulle__ls_rate(const struct tulle__ls *ls, size_t node)
{
    return rate_of(ls, node, offsetof(tulle_seen_counters, events_published));
}

double
tulle__ls_byte_rate(const struct tulle__ls *ls, size_t node)
{
    return rate_of(ls, node, offsetof(tulle_seen_counters, bytes_published));
}

static void
tell_lanes(struct tulle__ls *ls, tulle__ls_taken_fn *tell, void *ctx)
{
    const tulle_snapshot *s = ls->mesh.snapshot;
    for (size_t i = 0; i < s->lane_count; i++) {
        const tulle_seen_lane *lane = &s->lanes[i];
        if (!tulle__ls_is_stream(&ls->choice, lane->stream))
            continue;
        for (size_t k = 0; k < lane->taker_count; k++) {
            const tulle_seen_node *node = tulle_snapshot_node(s, lane->takers[k].node);
            if (node == NULL || !tulle__ls_is_named(&ls->choice, node->id, NULL))
                continue;
            const char *takes = tulle__take_of(node, lane->stream);
            tell(ls,
                 &(struct tulle__ls_taken){ node, &takes, takes != NULL, lane, &lane->takers[k] },
                 ctx);
        }
    }
}

/* Who waits for streams that nobody publishes is told of too. */
void
tulle__ls_each_taken(struct tulle__ls *ls, tulle__ls_taken_fn *tell, void *ctx)
{
    const tulle_snapshot *s = ls->mesh.snapshot;
    tell_lanes(ls, tell, ctx);
    for (size_t i = 0; i < s->node_count; i++) {
        const tulle_seen_node *node = &s->nodes[i];
        bool is_waiting = node->take_count > 0 && ls->mesh.nodes[i].taken_count == 0;
        if (is_waiting && !node->is_proxy && tulle__mesh_is_live(node) &&
            tulle__ls_is_named(&ls->choice, node->id, NULL) &&
            tulle__choose_waits_for(&ls->choice.options->streams, node))
            tell(ls, &(struct tulle__ls_taken){ node, node->takes, node->take_count, NULL, NULL },
                 ctx);
    }
}
