/* SPDX-License-Identifier: MPL-2.0 */

#include "app/json.h"
#include "tools/ls/ls_print.h"

#include <string.h>

static void
put_who(
    struct tulle__ls *ls, struct tulle__text *out, const char *key, uint64_t id, const char *name)
{
    tulle__json_key(out, key);
    tulle__text_char(out, '{');
    tulle__mesh_json_who(&ls->mesh, id, name, out);
    tulle__text_char(out, '}');
}

static void
begin_row(struct tulle__ls *ls, struct tulle__text *out)
{
    bool is_first = out->len > 0 && out->bytes[out->len - 1] == '[';
    tulle__text_str(out, is_first ? "\n{" : ",\n{");
    ls->row_count++;
}

static void
put_rate(struct tulle__text *out, const char *key, double rate)
{
    if (rate >= 0)
        tulle__text_format(out, ",\"%s\":%.1f", key, rate);
}

static void
put_nodes(struct tulle__ls *ls, struct tulle__text *out)
{
    for (size_t i = 0; i < ls->mesh.snapshot->node_count; i++) {
        if (!tulle__ls_has_node(&ls->choice, i))
            continue;
        begin_row(ls, out);
        tulle__mesh_json_node(&ls->mesh, i, out);
        put_rate(out, "events_per_second", tulle__ls_rate(ls, i));
        put_rate(out, "bytes_per_second", tulle__ls_byte_rate(ls, i));
        tulle__text_char(out, '}');
    }
}

static void
put_proxies(struct tulle__ls *ls, struct tulle__text *out)
{
    for (size_t i = 0; i < ls->mesh.snapshot->node_count; i++) {
        if (!tulle__ls_has_proxy(&ls->choice, i))
            continue;
        begin_row(ls, out);
        tulle__mesh_json_node(&ls->mesh, i, out);
        tulle__text_char(out, '}');
    }
}

static void
put_stream(struct tulle__ls *ls, const struct tulle__mesh_stream *stream, struct tulle__text *out)
{
    const tulle_seen_lane *lanes = ls->mesh.snapshot->lanes + stream->first_lane;
    tulle__text_str(out, "\"stream\":");
    tulle__json_put_str(out, stream->name, strlen(stream->name));
    tulle__json_u64(out, "events", stream->events);
    tulle__json_u64(out, "changed_ms", stream->changed_ms);
    tulle__json_u64(out, "lag", stream->lag);
    tulle__text_str(out, ",\"publishers\":[");
    for (size_t i = 0; i < stream->lane_count; i++) {
        tulle__text_str(out, i > 0 ? ",{" : "{");
        tulle__mesh_json_who(&ls->mesh, lanes[i].node, lanes[i].node_name, out);
        tulle__json_u64(out, "head", lanes[i].head);
        tulle__text_char(out, '}');
    }
    tulle__text_str(out, "],\"takers\":[");
    for (size_t i = 0; i < stream->taker_count; i++) {
        tulle__text_str(out, i > 0 ? ",{" : "{");
        tulle__mesh_json_who(&ls->mesh, stream->takers[i].node, NULL, out);
        tulle__json_u64(out, "lag", stream->takers[i].lag);
        tulle__text_char(out, '}');
    }
    tulle__text_str(out, "],\"holders\":[");
    for (size_t i = 0; i < stream->holder_count; i++) {
        tulle__text_str(out, i > 0 ? ",{" : "{");
        tulle__mesh_json_who(&ls->mesh, stream->holders[i], NULL, out);
        tulle__text_char(out, '}');
    }
    tulle__text_char(out, ']');
}

static void
put_streams(struct tulle__ls *ls, struct tulle__text *out)
{
    struct tulle__mesh_stream stream = { 0 };
    while (tulle__mesh_stream_next(&ls->mesh, &stream)) {
        if (!tulle__ls_has_stream(&ls->choice, &stream))
            continue;
        begin_row(ls, out);
        put_stream(ls, &stream, out);
        tulle__text_char(out, '}');
    }
    out->has_failed = out->has_failed || stream.has_failed;
    tulle__mesh_stream_fini(&stream);
}

static void
put_lanes(struct tulle__ls *ls, struct tulle__text *out)
{
    for (size_t i = 0; i < ls->mesh.snapshot->lane_count; i++) {
        if (!tulle__ls_has_lane(&ls->choice, &ls->mesh.snapshot->lanes[i]))
            continue;
        begin_row(ls, out);
        tulle__mesh_json_lane(&ls->mesh, i, out);
        tulle__text_char(out, '}');
    }
}

static void
put_holder(struct tulle__ls *ls,
           const tulle_seen_lane *lane,
           const tulle_seen_holder *holder,
           struct tulle__text *out)
{
    begin_row(ls, out);
    tulle__mesh_json_who(&ls->mesh, holder->node, NULL, out);
    tulle__json_str(out, "stream", lane->stream);
    put_who(ls, out, "publisher", lane->node, lane->node_name);
    tulle__json_u64(out, "head", lane->head);
    tulle__json_u64(out, "first", holder->first);
    tulle__json_u64(out, "last", holder->last);
    tulle__text_char(out, '}');
}

static void
put_holders(struct tulle__ls *ls, struct tulle__text *out)
{
    for (size_t i = 0; i < ls->mesh.snapshot->lane_count; i++) {
        const tulle_seen_lane *lane = &ls->mesh.snapshot->lanes[i];
        for (size_t k = 0; k < lane->holder_count; k++) {
            if (tulle__ls_is_stream(&ls->choice, lane->stream) &&
                tulle__ls_is_named(&ls->choice, lane->holders[k].node, NULL))
                put_holder(ls, lane, &lane->holders[k], out);
        }
    }
}

static void
put_subscriber(struct tulle__ls *ls, const struct tulle__ls_taken *taken, void *ctx)
{
    struct tulle__text *out = ctx;
    begin_row(ls, out);
    tulle__mesh_json_who(&ls->mesh, taken->node->id, NULL, out);
    tulle__text_str(out, ",\"takes\":[");
    for (size_t i = 0; i < taken->take_count; i++) {
        if (i > 0)
            tulle__text_char(out, ',');
        tulle__json_put_str(out, taken->takes[i], strlen(taken->takes[i]));
    }
    tulle__text_char(out, ']');
    if (taken->lane != NULL) {
        tulle__json_str(out, "stream", taken->lane->stream);
        put_who(ls, out, "publisher", taken->lane->node, taken->lane->node_name);
        tulle__json_u64(out, "head", taken->lane->head);
        tulle__json_u64(out, "acked", taken->taker->acked);
        tulle__json_u64(out, "lag", tulle__mesh_lag(taken->lane, taken->taker));
    }
    tulle__text_char(out, '}');
}

static void
put_segments(struct tulle__ls *ls, struct tulle__text *out)
{
    for (size_t i = 0; i < ls->mesh.snapshot->segment_count; i++) {
        if (!tulle__ls_has_segment(&ls->choice, i))
            continue;
        begin_row(ls, out);
        tulle__mesh_json_segment(&ls->mesh, i, out);
        tulle__text_char(out, '}');
    }
}

static void
put_subscribers(struct tulle__ls *ls, struct tulle__text *out)
{
    tulle__ls_each_taken(ls, put_subscriber, out);
}

typedef void put_rows_fn(struct tulle__ls *ls, struct tulle__text *out);

static put_rows_fn *const putters[TULLE__LS_KINDS] = {
    [TULLE__LS_NODES] = put_nodes,       [TULLE__LS_STREAMS] = put_streams,
    [TULLE__LS_LANES] = put_lanes,       [TULLE__LS_HOLDERS] = put_holders,
    [TULLE__LS_PROXIES] = put_proxies,   [TULLE__LS_SUBSCRIBERS] = put_subscribers,
    [TULLE__LS_SEGMENTS] = put_segments,
};

void
tulle__ls_json(struct tulle__ls *ls, struct tulle__text *out)
{
    struct tulle__text plain = { 0 };
    unsigned kinds = tulle__ls_kinds(ls->choice.options);
    tulle__text_char(&plain, '{');
    tulle__mesh_json_head(&ls->mesh, &plain);
    for (unsigned i = 0; i < TULLE__LS_KINDS; i++) {
        if ((kinds >> i & 1U) == 0)
            continue;
        tulle__text_format(&plain, ",\n\"%s\":[", tulle__ls_kind_name(i));
        putters[i](ls, &plain);
        tulle__text_char(&plain, ']');
    }
    tulle__text_str(&plain, "}\n");
    if (!plain.has_failed)
        tulle__json_put_safe(out, plain.bytes, plain.len);
    out->has_failed = out->has_failed || plain.has_failed;
    tulle__text_free(&plain);
}
