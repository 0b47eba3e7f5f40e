/* SPDX-License-Identifier: MPL-2.0 */

/* Rows as tables for people. */

#include "tools/common/choose.h"
#include "tools/common/human.h"
#include "tools/common/terminal.h"
#include "tools/ls/ls_print.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 16 };

/* Of a table: those that are always there come first, then those of -v. */
struct form {
    const struct tulle__column *columns;
    size_t count;
    size_t verbose_count;
    void (*fill)(struct tulle__ls *ls, struct tulle__table *table);
};

static const struct tulle__column node_columns[] = {
    { .title = "NODE", .may_shrink = true },
    { .title = "ID" },
    { .title = "STATE" },
    { .title = "SEGMENT", .may_shrink = true },
    { .title = "HOPS", .is_right = true },
    { .title = "EVENTS", .is_right = true },
    { .title = "RATE", .is_right = true },
    { .title = "LAG", .is_right = true },
    { .title = "HELD", .is_right = true },
    { .title = "HEARD", .is_right = true },
    { .title = "STREAMS", .is_right = true },
    { .title = "TAKES", .is_right = true },
    { .title = "GAPS", .is_right = true },
    { .title = "RTT", .is_right = true },
    { .title = "UPTIME", .is_right = true },
    { .title = "ADDRESS" },
};

static const struct tulle__column stream_columns[] = {
    { .title = "STREAM", .may_shrink = true },   { .title = "EVENTS", .is_right = true },
    { .title = "PUBLISHERS", .is_right = true }, { .title = "SUBSCRIBERS", .is_right = true },
    { .title = "LAG", .is_right = true },        { .title = "HOLDERS", .is_right = true },
};

static const struct tulle__column lane_columns[] = {
    { .title = "STREAM", .may_shrink = true }, { .title = "NODE", .may_shrink = true },
    { .title = "EVENTS", .is_right = true },   { .title = "SUBSCRIBERS", .is_right = true },
    { .title = "LAG", .is_right = true },      { .title = "HOLDERS", .is_right = true },
    { .title = "KEPT", .is_right = true },
};

static const struct tulle__column holder_columns[] = {
    { .title = "STREAM", .may_shrink = true }, { .title = "PUBLISHER", .may_shrink = true },
    { .title = "HOLDER", .may_shrink = true }, { .title = "FIRST", .is_right = true },
    { .title = "LAST", .is_right = true },     { .title = "EVENTS", .is_right = true },
    { .title = "OF", .is_right = true },
};

static const struct tulle__column subscriber_columns[] = {
    { .title = "SUBSCRIBER", .may_shrink = true }, { .title = "TAKES", .may_shrink = true },
    { .title = "STREAM", .may_shrink = true },     { .title = "PUBLISHER", .may_shrink = true },
    { .title = "ACKED", .is_right = true },        { .title = "OF", .is_right = true },
    { .title = "LAG", .is_right = true },
};

static const struct tulle__column segment_columns[] = {
    { .title = "SEGMENT", .may_shrink = true },
    { .title = "COUNT", .is_right = true },
    { .title = "PROXIES", .may_shrink = true },
    { .title = "NODES", .may_shrink = true },
};

static const struct tulle__column proxy_columns[] = {
    { .title = "PROXY", .may_shrink = true }, { .title = "STATE" },
    { .title = "SIDE", .may_shrink = true },  { .title = "SEGMENT", .may_shrink = true },
    { .title = "OUT", .is_right = true },     { .title = "BYTES-OUT", .is_right = true },
    { .title = "IN", .is_right = true },      { .title = "BYTES-IN", .is_right = true },
    { .title = "WAITING", .is_right = true }, { .title = "ADDRESS" },
};

/* ---- cells ---- */

static void
put_none(struct tulle__table *table)
{
    tulle__table_str(table, "-");
}

static void
put_safe(struct tulle__table *table, const char *text)
{
    tulle__terminal_put_safe(tulle__table_cell(table), text, strlen(text));
}

static void
put_node(const struct tulle__ls *ls, struct tulle__table *table, uint64_t id, const char *name)
{
    struct tulle__text *cell = tulle__table_cell(table);
    if (ls->choice.options->is_verbose)
        tulle__text_id(cell, id);
    else
        tulle__mesh_put_label(&ls->mesh, id, name, cell);
}

static void
put_span(struct tulle__table *table, uint64_t ms)
{
    tulle__human_span(tulle__table_cell(table), ms);
    tulle__table_key(table, (double)ms);
}

static void
put_bytes(const struct tulle__ls *ls, struct tulle__table *table, uint64_t bytes)
{
    struct tulle__text *cell = tulle__table_cell(table);
    if (ls->choice.options->is_verbose)
        tulle__text_u64(cell, bytes);
    else
        tulle__human_bytes(cell, bytes);
    tulle__table_key(table, (double)bytes);
}

static void
put_counter(struct tulle__table *table, const tulle_seen_node *node, uint64_t value)
{
    if (node->has_counters)
        tulle__table_u64(table, value);
    else
        put_none(table);
}

/* ---- nodes ---- */

static void
put_segments_of(struct tulle__ls *ls, struct tulle__table *table, const tulle_seen_node *node)
{
    struct tulle__text *cell = tulle__table_cell(table);
    if (!node->is_proxy || node->link_count == 0)
        tulle__text_str(cell, tulle__mesh_segment(&ls->mesh, node->segment));
    for (size_t i = 0; node->is_proxy && i < node->link_count; i++) {
        if (i > 0)
            tulle__text_char(cell, '+');
        tulle__text_str(cell, tulle__mesh_segment(&ls->mesh, node->links[i].segment));
    }
}

static void
put_round_trip(struct tulle__table *table, const tulle_seen_node *node)
{
    if (!node->has_round_trip) {
        put_none(table);
        return;
    }
    tulle__text_format(tulle__table_cell(table), "%.1fms", (double)node->round_trip_us / 1000.0);
    tulle__table_key(table, (double)node->round_trip_us);
}

static void
put_node_details(struct tulle__ls *ls, struct tulle__table *table, size_t index)
{
    const tulle_seen_node *node = &ls->mesh.snapshot->nodes[index];
    tulle__table_u64(table, ls->mesh.nodes[index].lane_count);
    tulle__table_u64(table, ls->mesh.nodes[index].taken_count);
    put_counter(table, node, node->counters.gaps);
    put_round_trip(table, node);
    if (node->has_counters)
        put_span(table, node->counters.uptime_ms);
    else
        put_none(table);
    if (node->address[0] != '\0')
        put_safe(table, node->address);
    else
        put_none(table);
}

static void
put_rate(struct tulle__ls *ls, struct tulle__table *table, size_t index)
{
    double rate = tulle__ls_rate(ls, index);
    if (rate < 0) {
        put_none(table);
        return;
    }
    tulle__human_rate(tulle__table_cell(table), rate);
    tulle__table_key(table, rate);
}

static void
fill_nodes(struct tulle__ls *ls, struct tulle__table *table)
{
    const tulle_snapshot *s = ls->mesh.snapshot;
    for (size_t i = 0; i < s->node_count; i++) {
        const tulle_seen_node *node = &s->nodes[i];
        if (!tulle__ls_has_node(&ls->choice, i))
            continue;
        tulle__table_str(table, ls->mesh.nodes[i].label);
        tulle__text_id(tulle__table_cell(table), node->id);
        tulle__table_str(table, tulle__mesh_state(node->state));
        put_segments_of(ls, table, node);
        tulle__table_u64(table, node->hops);
        put_counter(table, node, node->counters.events_published);
        if (ls->choice.options->rate_ms > 0)
            put_rate(ls, table, i);
        tulle__table_u64(table, ls->mesh.nodes[i].lag);
        if (node->has_counters)
            put_bytes(ls, table, node->counters.held_now);
        else
            put_none(table);
        if (node->state == TULLE_SEEN_NAMED || node->is_self)
            put_none(table);
        else
            put_span(table, node->heard_ms);
        if (ls->choice.options->is_verbose)
            put_node_details(ls, table, i);
    }
}

/* ---- streams, lanes, holders, subscribers ---- */

static void
fill_streams(struct tulle__ls *ls, struct tulle__table *table)
{
    struct tulle__mesh_stream stream = { 0 };
    while (tulle__mesh_stream_next(&ls->mesh, &stream)) {
        if (!tulle__ls_has_stream(&ls->choice, &stream))
            continue;
        put_safe(table, stream.name);
        tulle__table_u64(table, stream.events);
        tulle__table_u64(table, stream.lane_count);
        tulle__table_u64(table, stream.taker_count);
        tulle__table_u64(table, stream.lag);
        tulle__table_u64(table, stream.holder_count);
    }
    table->has_failed = table->has_failed || stream.has_failed;
    tulle__mesh_stream_fini(&stream);
}

/* First and last event that anybody keeps. */
static void
put_kept(struct tulle__table *table, const tulle_seen_lane *lane)
{
    uint64_t first = UINT64_MAX;
    uint64_t last = 0;
    for (size_t i = 0; i < lane->holder_count; i++) {
        first = lane->holders[i].first < first ? lane->holders[i].first : first;
        last = lane->holders[i].last > last ? lane->holders[i].last : last;
    }
    if (lane->holder_count == 0)
        put_none(table);
    else
        tulle__text_format(tulle__table_cell(table), "%" PRIu64 "-%" PRIu64, first, last);
}

static void
fill_lanes(struct tulle__ls *ls, struct tulle__table *table)
{
    const tulle_snapshot *s = ls->mesh.snapshot;
    for (size_t i = 0; i < s->lane_count; i++) {
        const tulle_seen_lane *lane = &s->lanes[i];
        uint64_t lag = 0;
        if (!tulle__ls_has_lane(&ls->choice, lane))
            continue;
        for (size_t k = 0; k < lane->taker_count; k++) {
            uint64_t one = tulle__mesh_lag(lane, &lane->takers[k]);
            lag = one > lag ? one : lag;
        }
        put_safe(table, lane->stream);
        put_node(ls, table, lane->node, lane->node_name);
        tulle__table_u64(table, lane->head);
        tulle__table_u64(table, lane->taker_count);
        tulle__table_u64(table, lag);
        tulle__table_u64(table, lane->holder_count);
        put_kept(table, lane);
    }
}

static void
fill_holders(struct tulle__ls *ls, struct tulle__table *table)
{
    const tulle_snapshot *s = ls->mesh.snapshot;
    for (size_t i = 0; i < s->lane_count; i++) {
        const tulle_seen_lane *lane = &s->lanes[i];
        for (size_t k = 0; k < lane->holder_count; k++) {
            const tulle_seen_holder *holder = &lane->holders[k];
            if (!tulle__ls_is_stream(&ls->choice, lane->stream) ||
                !tulle__ls_is_named(&ls->choice, holder->node, NULL))
                continue;
            put_safe(table, lane->stream);
            put_node(ls, table, lane->node, lane->node_name);
            put_node(ls, table, holder->node, NULL);
            tulle__table_u64(table, holder->first);
            tulle__table_u64(table, holder->last);
            tulle__table_u64(table, holder->last - holder->first + 1);
            tulle__table_u64(table, lane->head);
        }
    }
}

static void
put_taken(struct tulle__ls *ls, const struct tulle__ls_taken *taken, void *ctx)
{
    struct tulle__table *table = ctx;
    bool has_some = false;
    put_node(ls, table, taken->node->id, NULL);
    struct tulle__text *cell = tulle__table_cell(table);
    for (size_t i = 0; i < taken->take_count; i++) {
        if (tulle__take_is_implied(taken->takes, taken->take_count, taken->takes[i]))
            continue;
        if (has_some)
            tulle__text_char(cell, ' ');
        tulle__terminal_put_safe(cell, taken->takes[i], strlen(taken->takes[i]));
        has_some = true;
    }
    if (taken->lane == NULL) {
        for (size_t i = 2; i < table->column_count; i++)
            put_none(table);
        return;
    }
    put_safe(table, taken->lane->stream);
    put_node(ls, table, taken->lane->node, taken->lane->node_name);
    tulle__table_u64(table, taken->taker->acked);
    tulle__table_u64(table, taken->lane->head);
    tulle__table_u64(table, tulle__mesh_lag(taken->lane, taken->taker));
}

static void
fill_subscribers(struct tulle__ls *ls, struct tulle__table *table)
{
    tulle__ls_each_taken(ls, put_taken, table);
}

/* ---- segments, proxies ---- */

static int
compare_labels(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* By their names, or, of the other kind, proxies. Returns how many. */
static size_t
put_members(struct tulle__ls *ls, struct tulle__text *cell, size_t index, bool are_proxies)
{
    const tulle_seen_segment *segment = &ls->mesh.snapshot->segments[index];
    const char **labels = calloc(segment->node_count + 1, sizeof *labels);
    size_t count = 0;
    cell->has_failed = cell->has_failed || labels == NULL;
    for (size_t i = 0; labels != NULL && i < segment->node_count; i++) {
        size_t at = tulle__mesh_find(&ls->mesh, segment->nodes[i]);
        if (at == SIZE_MAX)
            continue;
        const tulle_seen_node *node = &ls->mesh.snapshot->nodes[at];
        bool is_extra = node->is_self && !ls->choice.options->is_all;
        if (node->is_proxy == are_proxies && !is_extra)
            labels[count++] = ls->mesh.nodes[at].label;
    }
    if (count > 0)
        qsort(labels, count, sizeof *labels, compare_labels);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            tulle__text_char(cell, ' ');
        tulle__text_str(cell, labels[i]);
    }
    if (count == 0)
        tulle__text_char(cell, '-');
    free(labels);
    return count;
}

static void
fill_segments(struct tulle__ls *ls, struct tulle__table *table)
{
    for (size_t i = 0; i < ls->mesh.snapshot->segment_count; i++) {
        if (!tulle__ls_has_segment(&ls->choice, i))
            continue;
        struct tulle__text nodes = { 0 };
        tulle__table_str(table, ls->mesh.segments[i]);
        tulle__table_u64(table, put_members(ls, &nodes, i, false));
        (void)put_members(ls, tulle__table_cell(table), i, true);
        tulle__text_put(tulle__table_cell(table), nodes.bytes, nodes.len);
        table->has_failed = table->has_failed || nodes.has_failed;
        tulle__text_free(&nodes);
    }
}

static void
put_link(struct tulle__ls *ls,
         struct tulle__table *table,
         const tulle_seen_node *node,
         const tulle_seen_link *link)
{
    put_node(ls, table, node->id, NULL);
    tulle__table_str(table, tulle__mesh_state(node->state));
    put_safe(table, link->name);
    tulle__table_str(table, tulle__mesh_segment(&ls->mesh, link->segment));
    tulle__table_u64(table, link->events_out);
    put_bytes(ls, table, link->bytes_out);
    tulle__table_u64(table, link->events_in);
    put_bytes(ls, table, link->bytes_in);
    tulle__table_u64(table, link->waiting);
    if (ls->choice.options->is_verbose)
        put_safe(table, link->address);
}

static void
fill_proxies(struct tulle__ls *ls, struct tulle__table *table)
{
    for (size_t i = 0; i < ls->mesh.snapshot->node_count; i++) {
        const tulle_seen_node *node = &ls->mesh.snapshot->nodes[i];
        const tulle_seen_link none = { .segment = SIZE_MAX, .name = "-", .address = "-" };
        if (!tulle__ls_has_proxy(&ls->choice, i))
            continue;
        if (node->link_count == 0)
            put_link(ls, table, node, &none);
        for (size_t k = 0; k < node->link_count; k++)
            put_link(ls, table, node, &node->links[k]);
    }
}

/* ---- all ---- */

#define COUNT(array) (sizeof(array) / sizeof *(array))
static const struct form forms[TULLE__LS_KINDS] = {
    [TULLE__LS_NODES] = { node_columns, 10, COUNT(node_columns), fill_nodes },
    [TULLE__LS_STREAMS] = { stream_columns, COUNT(stream_columns), COUNT(stream_columns),
                            fill_streams },
    [TULLE__LS_LANES] = { lane_columns, COUNT(lane_columns), COUNT(lane_columns), fill_lanes },
    [TULLE__LS_HOLDERS] = { holder_columns, COUNT(holder_columns), COUNT(holder_columns),
                            fill_holders },
    [TULLE__LS_SUBSCRIBERS] = { subscriber_columns, COUNT(subscriber_columns),
                                COUNT(subscriber_columns), fill_subscribers },
    [TULLE__LS_SEGMENTS] = { segment_columns, COUNT(segment_columns), COUNT(segment_columns),
                             fill_segments },
    [TULLE__LS_PROXIES] = { proxy_columns, 9, COUNT(proxy_columns), fill_proxies },
};

/* The columns that these options ask for. */
static size_t
choose_columns(const struct tulle__ls_options *options,
               enum tulle__ls_kind kind,
               struct tulle__column out[static COLUMNS_MAX])
{
    const struct form *form = &forms[kind];
    size_t count = options->is_verbose ? form->verbose_count : form->count;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        bool is_rate = kind == TULLE__LS_NODES && strcmp(form->columns[i].title, "RATE") == 0;
        if (!is_rate || options->rate_ms > 0)
            out[kept++] = form->columns[i];
    }
    return kept;
}

bool
tulle__ls_has_column(const struct tulle__ls_options *options, const char *title)
{
    unsigned kinds = tulle__ls_kinds(options);
    struct tulle__column columns[COLUMNS_MAX];
    for (unsigned i = 0; i < TULLE__LS_KINDS; i++) {
        if ((kinds >> i & 1U) != 0 &&
            tulle__table_column(columns, choose_columns(options, i, columns), title) != SIZE_MAX)
            return true;
    }
    return false;
}

/* By what is asked for, and rows that are equal in that by the first column. */
static void
sort(const struct tulle__ls_options *options, enum tulle__ls_kind kind, struct tulle__table *table)
{
    size_t column = SIZE_MAX;
    if (options->sort != NULL)
        column = tulle__table_column(table->columns, table->column_count, options->sort);
    if (kind != TULLE__LS_SEGMENTS || column != SIZE_MAX) /* this node's is the first */
        tulle__table_sort(table, 0, options->is_reversed && column == SIZE_MAX);
    if (column != SIZE_MAX)
        tulle__table_sort(table, column, options->is_reversed);
}

static void
put_table(struct tulle__ls *ls, enum tulle__ls_kind kind, bool has_before, struct tulle__text *out)
{
    const struct tulle__ls_options *options = ls->choice.options;
    struct tulle__column columns[COLUMNS_MAX];
    struct tulle__table table;
    tulle__table_init(&table, columns, choose_columns(options, kind, columns));
    forms[kind].fill(ls, &table);
    size_t rows = tulle__table_rows(&table);
    ls->row_count += rows;
    if (rows > 0 || table.has_failed || options->kinds != 0) {
        sort(options, kind, &table);
        if (has_before)
            tulle__text_char(out, '\n');
        tulle__table_print(&table, &ls->style, out);
    }
    tulle__table_fini(&table);
}

static void
put_sum(struct tulle__text *out, size_t count, const char *one, const char *many, const char *end)
{
    tulle__text_format(out, "%zu %s%s", count, count == 1 ? one : many, end);
}

/* What the mesh has, whatever was chosen. */
static void
put_sums(struct tulle__ls *ls, struct tulle__text *out)
{
    const tulle_snapshot *s = ls->mesh.snapshot;
    size_t down = 0;
    size_t proxies = 0;
    size_t others = 0;
    size_t streams = 0;
    for (size_t i = 0; i < s->node_count; i++) {
        bool is_counted = !s->nodes[i].is_self && s->nodes[i].state != TULLE_SEEN_LEFT;
        proxies += is_counted && s->nodes[i].is_proxy;
        others += is_counted && !s->nodes[i].is_proxy;
        down += is_counted && s->nodes[i].state != TULLE_SEEN_UP;
    }
    for (size_t i = 0; i < s->lane_count; i++)
        streams += i == 0 || strcmp(s->lanes[i - 1].stream, s->lanes[i].stream) != 0;
    if (out->len > 0)
        tulle__text_char(out, '\n');
    put_sum(out, others, "node", "nodes", ", ");
    put_sum(out, proxies, "proxy", "proxies", ", ");
    put_sum(out, s->segment_count, "segment", "segments", ", ");
    put_sum(out, streams, "stream", "streams", ", ");
    put_sum(out, s->lane_count, "lane", "lanes", "; ");
    if (down > 0)
        tulle__text_format(out, "%zu not up", down);
    else
        tulle__text_str(out, "all up");
    if (s->pending > 0)
        tulle__text_format(out, "; %zu did not answer", s->pending);
    tulle__text_char(out, '\n');
}

void
tulle__ls_tables(struct tulle__ls *ls, struct tulle__text *out)
{
    unsigned kinds = tulle__ls_kinds(ls->choice.options);
    for (unsigned i = 0; i < TULLE__LS_KINDS; i++) {
        if ((kinds >> i & 1U) != 0)
            put_table(ls, i, out->len > 0, out);
    }
    if (ls->choice.options->kinds == 0)
        put_sums(ls, out);
}
