/* SPDX-License-Identifier: MPL-2.0 */

/* Snapshots as JSON. Nodes are named by id and name, segments by their labels. */

#include "app/json.h"
#include "tools/common/mesh.h"

#include <string.h>

static void
put_segment(struct tulle__text *out, const struct tulle__mesh *mesh, size_t segment)
{
    if (segment >= mesh->snapshot->segment_count) {
        tulle__json_key(out, "segment");
        tulle__text_str(out, "null");
    } else {
        tulle__json_str(out, "segment", mesh->segments[segment]);
    }
}

void
tulle__mesh_json_who(const struct tulle__mesh *mesh,
                     uint64_t id,
                     const char *name,
                     struct tulle__text *out)
{
    const tulle_seen_node *node = tulle_snapshot_node(mesh->snapshot, id);
    tulle__text_str(out, "\"id\":");
    tulle__json_put_id(out, id);
    tulle__json_str(out, "name", node != NULL ? node->name : name != NULL ? name : "");
}

/* Addresses come separated by spaces. */
static void
put_addresses(struct tulle__text *out, const char *addresses)
{
    const char *at = addresses;
    tulle__json_key(out, "addresses");
    tulle__text_char(out, '[');
    while (*at != '\0') {
        size_t len = strcspn(at, " ");
        if (len > 0 && out->len > 0 && out->bytes[out->len - 1] != '[')
            tulle__text_char(out, ',');
        if (len > 0)
            tulle__json_put_str(out, at, len);
        at += len + (at[len] == ' ' ? 1 : 0);
    }
    tulle__text_char(out, ']');
}

static void
put_takes(struct tulle__text *out, const tulle_seen_node *node)
{
    tulle__json_key(out, "takes");
    tulle__text_char(out, '[');
    for (size_t i = 0; i < node->take_count; i++) {
        if (i > 0)
            tulle__text_char(out, ',');
        tulle__json_put_str(out, node->takes[i], strlen(node->takes[i]));
    }
    tulle__text_char(out, ']');
}

static void
put_counters(struct tulle__text *out, const tulle_seen_node *node)
{
    if (!node->has_counters)
        return;
    tulle__json_u64(out, "counters_ms", node->counters_ms);
    tulle__json_key(out, "counters");
    size_t begin = out->len;
#define PUT(name, unit, kind, help) tulle__json_u64(out, #name, node->counters.name);
    TULLE_SEEN_COUNTER_MAP(PUT)
#undef PUT
    if (!out->has_failed)
        out->bytes[begin] = '{'; /* for the first comma */
    tulle__text_char(out, '}');
}

static void
put_links(struct tulle__text *out, const struct tulle__mesh *mesh, const tulle_seen_node *node)
{
    tulle__json_key(out, "links");
    tulle__text_char(out, '[');
    for (size_t i = 0; i < node->link_count; i++) {
        const tulle_seen_link *link = &node->links[i];
        tulle__text_str(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        tulle__json_put_str(out, link->name, strlen(link->name));
        put_segment(out, mesh, link->segment);
        put_addresses(out, link->address);
        tulle__json_u64(out, "events_out", link->events_out);
        tulle__json_u64(out, "bytes_out", link->bytes_out);
        tulle__json_u64(out, "events_in", link->events_in);
        tulle__json_u64(out, "bytes_in", link->bytes_in);
        tulle__json_u64(out, "waiting", link->waiting);
        tulle__text_char(out, '}');
    }
    tulle__text_char(out, ']');
}

void
tulle__mesh_json_node(const struct tulle__mesh *mesh, size_t index, struct tulle__text *out)
{
    const tulle_seen_node *node = &mesh->snapshot->nodes[index];
    tulle__mesh_json_who(mesh, node->id, NULL, out);
    tulle__json_str(out, "state", tulle__mesh_state(node->state));
    tulle__json_u64(out, "since_ms", node->since_ms);
    tulle__json_u64(out, "heard_ms", node->heard_ms);
    tulle__json_bool(out, "self", node->is_self);
    tulle__json_bool(out, "proxy", node->is_proxy);
    tulle__json_bool(out, "viewed", node->was_viewed);
    put_segment(out, mesh, node->segment);
    put_addresses(out, node->address);
    tulle__json_u64(out, "hops", node->hops);
    tulle__json_key(out, "via");
    if (node->via != 0)
        tulle__json_put_id(out, node->via);
    else
        tulle__text_str(out, "null");
    tulle__json_u64(out, "beat_ms", node->beat_ms);
    if (node->has_round_trip)
        tulle__json_u64(out, "round_trip_us", node->round_trip_us);
    put_takes(out, node);
    tulle__json_u64(out, "publishes", mesh->nodes[index].lane_count);
    tulle__json_u64(out, "lag", mesh->nodes[index].lag);
    if (node->is_proxy)
        put_links(out, mesh, node);
    put_counters(out, node);
}

void
tulle__mesh_json_lane(const struct tulle__mesh *mesh, size_t index, struct tulle__text *out)
{
    const tulle_seen_lane *lane = &mesh->snapshot->lanes[index];
    tulle__text_str(out, "\"stream\":");
    tulle__json_put_str(out, lane->stream, strlen(lane->stream));
    tulle__text_char(out, ',');
    tulle__mesh_json_who(mesh, lane->node, lane->node_name, out);
    tulle__json_u64(out, "head", lane->head);
    tulle__json_u64(out, "changed_ms", lane->changed_ms);
    tulle__json_key(out, "takers");
    tulle__text_char(out, '[');
    for (size_t i = 0; i < lane->taker_count; i++) {
        tulle__text_str(out, i > 0 ? ",{" : "{");
        tulle__mesh_json_who(mesh, lane->takers[i].node, NULL, out);
        tulle__json_u64(out, "acked", lane->takers[i].acked);
        tulle__json_u64(out, "lag", tulle__mesh_lag(lane, &lane->takers[i]));
        tulle__text_char(out, '}');
    }
    tulle__text_char(out, ']');
    tulle__json_key(out, "holders");
    tulle__text_char(out, '[');
    for (size_t i = 0; i < lane->holder_count; i++) {
        tulle__text_str(out, i > 0 ? ",{" : "{");
        tulle__mesh_json_who(mesh, lane->holders[i].node, NULL, out);
        tulle__json_u64(out, "first", lane->holders[i].first);
        tulle__json_u64(out, "last", lane->holders[i].last);
        tulle__text_char(out, '}');
    }
    tulle__text_char(out, ']');
}

static void
put_members(const struct tulle__mesh *mesh, size_t index, bool are_proxies, struct tulle__text *out)
{
    const tulle_seen_segment *segment = &mesh->snapshot->segments[index];
    bool has_some = false;
    tulle__json_key(out, are_proxies ? "proxies" : "nodes");
    tulle__text_char(out, '[');
    for (size_t i = 0; i < segment->node_count; i++) {
        const tulle_seen_node *node = tulle_snapshot_node(mesh->snapshot, segment->nodes[i]);
        if ((node != NULL && node->is_proxy) != are_proxies)
            continue;
        tulle__text_str(out, has_some ? ",{" : "{");
        tulle__mesh_json_who(mesh, segment->nodes[i], NULL, out);
        tulle__text_char(out, '}');
        has_some = true;
    }
    tulle__text_char(out, ']');
}

void
tulle__mesh_json_segment(const struct tulle__mesh *mesh, size_t index, struct tulle__text *out)
{
    const tulle_seen_segment *segment = &mesh->snapshot->segments[index];
    tulle__text_str(out, "\"segment\":");
    tulle__json_put_str(out, mesh->segments[index], strlen(mesh->segments[index]));
    tulle__json_str(out, "name", segment->name);
    tulle__json_bool(out, "self", segment->has_self);
    put_members(mesh, index, false, out);
    put_members(mesh, index, true, out);
}

void
tulle__mesh_json_head(const struct tulle__mesh *mesh, struct tulle__text *out)
{
    const tulle_snapshot *s = mesh->snapshot;
    bool is_complete =
        s->node_count > 1 && s->pending == 0 && s->lanes_over == 0 && s->marks_over == 0;
    tulle__text_str(out, "\"time\":\"");
    tulle__text_time(out, (int64_t)s->time_us);
    tulle__text_char(out, '"');
    tulle__json_bool(out, "complete", is_complete);
    tulle__json_u64(out, "pending", s->pending);
    tulle__json_u64(out, "lanes_over", s->lanes_over);
    tulle__json_u64(out, "marks_over", s->marks_over);
}

typedef void put_row_fn(const struct tulle__mesh *mesh, size_t index, struct tulle__text *out);

struct more {
    tulle__mesh_more_fn *put;
    void *ctx;
};

static void
put_rows(const struct tulle__mesh *mesh,
         put_row_fn *put,
         size_t count,
         const struct more *more,
         struct tulle__text *out)
{
    tulle__text_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        tulle__text_str(out, i > 0 ? ",\n{" : "\n{");
        put(mesh, i, out);
        if (more->put != NULL)
            more->put(more->ctx, i, out);
        tulle__text_char(out, '}');
    }
    tulle__text_char(out, ']');
}

void
tulle__mesh_json(const struct tulle__mesh *mesh,
                 tulle__mesh_more_fn *put_more,
                 void *ctx,
                 struct tulle__text *out)
{
    const struct more nothing = { NULL, NULL };
    tulle__text_char(out, '{');
    tulle__mesh_json_head(mesh, out);
    tulle__text_str(out, ",\n\"nodes\":");
    put_rows(mesh, tulle__mesh_json_node, mesh->snapshot->node_count,
             &(const struct more){ put_more, ctx }, out);
    tulle__text_str(out, ",\n\"lanes\":");
    put_rows(mesh, tulle__mesh_json_lane, mesh->snapshot->lane_count, &nothing, out);
    tulle__text_str(out, ",\n\"segments\":");
    put_rows(mesh, tulle__mesh_json_segment, mesh->snapshot->segment_count, &nothing, out);
    tulle__text_str(out, "}\n");
}
