/* SPDX-License-Identifier: MPL-2.0 */

/* What follows from a snapshot. Names are what peers say they are called: two may say the same,
 * and what they say may be meant for the terminal rather than for who looks at it. */

#include "tools/common/mesh.h"

#include "tools/common/terminal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- labels ---- */

struct named {
    const tulle_seen_node *node;
    size_t index;
};

static int
compare_named(const void *a, const void *b)
{
    const tulle_seen_node *left = ((const struct named *)a)->node;
    const tulle_seen_node *right = ((const struct named *)b)->node;
    int order = strcmp(left->name, right->name);
    if (order != 0)
        return order;
    int live = (int)tulle__mesh_is_live(right) - (int)tulle__mesh_is_live(left);
    return live != 0 ? live : (left->id > right->id) - (left->id < right->id);
}

static void
put_short_id(uint64_t id, struct tulle__text *out)
{
    tulle__text_format(out, "#%08" PRIx32, (uint32_t)(id >> 32));
}

static void
put_name(uint64_t id, const char *name, bool is_unique, struct tulle__text *out)
{
    tulle__terminal_put_safe(out, name, strlen(name));
    if (!is_unique || name[0] == '\0')
        put_short_id(id, out);
}

/* Nodes by names, live ones first: of many with a name, the only live one has it for itself. */
static bool
label_nodes(struct tulle__mesh *mesh, struct tulle__text *out, size_t *offsets)
{
    const tulle_snapshot *s = mesh->snapshot;
    struct named *order = calloc(s->node_count + 1, sizeof *order);
    if (order == NULL)
        return false;
    for (size_t i = 0; i < s->node_count; i++)
        order[i] = (struct named){ &s->nodes[i], i };
    qsort(order, s->node_count, sizeof *order, compare_named);
    for (size_t i = 0; i < s->node_count; i++) {
        const tulle_seen_node *node = order[i].node;
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): qsort() leaves no hole */
        bool is_first = i == 0 || strcmp(order[i - 1].node->name, node->name) != 0;
        const tulle_seen_node *next = i + 1 < s->node_count ? order[i + 1].node : NULL;
        bool has_next = next != NULL && strcmp(next->name, node->name) == 0;
        bool is_only_live = tulle__mesh_is_live(node) && has_next && !tulle__mesh_is_live(next);
        offsets[order[i].index] = out->len;
        put_name(node->id, node->name, is_first && (!has_next || is_only_live), out);
        tulle__text_char(out, '\0');
    }
    free(order);
    return true;
}

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Segments have the names that proxies give them, which may be the same for several. */
static bool
label_segments(struct tulle__mesh *mesh, struct tulle__text *out, size_t *offsets)
{
    const tulle_snapshot *s = mesh->snapshot;
    const char **names = calloc(s->segment_count + 1, sizeof *names);
    if (names == NULL)
        return false;
    for (size_t i = 0; i < s->segment_count; i++)
        names[i] = s->segments[i].name;
    qsort(names, s->segment_count, sizeof *names, compare_texts);
    for (size_t i = 0; i < s->segment_count; i++) {
        const char *name = s->segments[i].name;
        const char **found = bsearch(&name, names, s->segment_count, sizeof *names, compare_texts);
        bool has_before = found != NULL && found > names && strcmp(found[-1], name) == 0;
        bool has_after =
            found != NULL && found + 1 < names + s->segment_count && strcmp(found[1], name) == 0;
        offsets[i] = out->len;
        tulle__terminal_put_safe(out, name, strlen(name));
        if (name[0] == '\0' || has_before || has_after)
            tulle__text_format(out, "#%zu", i + 1);
        tulle__text_char(out, '\0');
    }
    free(names);
    return true;
}

static bool
make_labels(struct tulle__mesh *mesh)
{
    const tulle_snapshot *s = mesh->snapshot;
    struct tulle__text texts = { 0 };
    size_t *offsets = calloc(s->node_count + s->segment_count + 1, sizeof *offsets);
    bool is_made = offsets != NULL && label_nodes(mesh, &texts, offsets) &&
                   label_segments(mesh, &texts, offsets + s->node_count) && !texts.has_failed;
    mesh->texts = texts.bytes;
    for (size_t i = 0; is_made && i < s->node_count; i++)
        mesh->nodes[i].label = mesh->texts + offsets[i];
    for (size_t i = 0; is_made && i < s->segment_count; i++)
        mesh->segments[i] = mesh->texts + offsets[s->node_count + i];
    free(offsets);
    return is_made;
}

/* ---- sums ---- */

static void
sum_lanes(struct tulle__mesh *mesh)
{
    const tulle_snapshot *s = mesh->snapshot;
    for (size_t i = 0; i < s->lane_count; i++) {
        const tulle_seen_lane *lane = &s->lanes[i];
        size_t publisher = tulle__mesh_find(mesh, lane->node);
        if (publisher != SIZE_MAX)
            mesh->nodes[publisher].lane_count++;
        for (size_t k = 0; k < lane->taker_count; k++) {
            size_t taker = tulle__mesh_find(mesh, lane->takers[k].node);
            if (taker == SIZE_MAX)
                continue;
            mesh->nodes[taker].taken_count++;
            mesh->nodes[taker].lag += tulle__mesh_lag(lane, &lane->takers[k]);
        }
    }
}

bool
tulle__mesh_init(struct tulle__mesh *mesh, const tulle_snapshot *snapshot)
{
    *mesh = (struct tulle__mesh){ .snapshot = snapshot };
    mesh->nodes = calloc(snapshot->node_count + 1, sizeof *mesh->nodes);
    mesh->segments = calloc(snapshot->segment_count + 1, sizeof *mesh->segments);
    if (mesh->nodes == NULL || mesh->segments == NULL || !make_labels(mesh))
        return false;
    sum_lanes(mesh);
    return true;
}

void
tulle__mesh_fini(struct tulle__mesh *mesh)
{
    free(mesh->nodes);
    free(mesh->segments);
    free(mesh->texts);
    *mesh = (struct tulle__mesh){ 0 };
}

size_t
tulle__mesh_find(const struct tulle__mesh *mesh, uint64_t id)
{
    const tulle_seen_node *node = tulle_snapshot_node(mesh->snapshot, id);
    return node == NULL ? SIZE_MAX : (size_t)(node - mesh->snapshot->nodes);
}

void
tulle__mesh_put_label(const struct tulle__mesh *mesh,
                      uint64_t id,
                      const char *name,
                      struct tulle__text *out)
{
    size_t node = tulle__mesh_find(mesh, id);
    if (node != SIZE_MAX)
        tulle__text_str(out, mesh->nodes[node].label);
    else
        put_name(id, name != NULL ? name : "", false, out);
}

const char *
tulle__mesh_segment(const struct tulle__mesh *mesh, size_t segment)
{
    return segment < mesh->snapshot->segment_count ? mesh->segments[segment] : "-";
}

bool
tulle__mesh_is_live(const tulle_seen_node *node)
{
    return node->state == TULLE_SEEN_UP || node->state == TULLE_SEEN_SUSPECT;
}

const char *
tulle__mesh_state(tulle_seen_state state)
{
    switch (state) {
    case TULLE_SEEN_NAMED:
        return "named";
    case TULLE_SEEN_UP:
        return "up";
    case TULLE_SEEN_SUSPECT:
        return "suspect";
    case TULLE_SEEN_GONE:
        return "gone";
    case TULLE_SEEN_LEFT:
        return "left";
    }
    return "unknown";
}

uint64_t
tulle__mesh_lag(const tulle_seen_lane *lane, const tulle_seen_taker *taker)
{
    return lane->head > taker->acked ? lane->head - taker->acked : 0;
}

double
tulle__mesh_rate(const tulle_snapshot *before,
                 const tulle_snapshot *after,
                 uint64_t id,
                 size_t counter_offset)
{
    const tulle_seen_node *old = tulle_snapshot_node(before, id);
    const tulle_seen_node *new = tulle_snapshot_node(after, id);
    uint64_t from = 0;
    uint64_t to = 0;
    if (old == NULL || new == NULL || !old->has_counters || !new->has_counters ||
        new->counters.uptime_ms <= old->counters.uptime_ms)
        return -1;
    memcpy(&from, (const char *)&old->counters + counter_offset, sizeof from);
    memcpy(&to, (const char *)&new->counters + counter_offset, sizeof to);
    uint64_t ms = new->counters.uptime_ms - old->counters.uptime_ms;
    return to < from ? -1 : (double)(to - from) * 1000.0 / (double)ms;
}
