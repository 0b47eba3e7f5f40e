/* SPDX-License-Identifier: MPL-2.0 */

/* The columns of each screen: what the screen, JSON, CSV, --sort and the filter know of them. */

#include "tools/top/top_rows.h"

#include <string.h>
#include <strings.h>

typedef struct tulle__top_cell cell;
typedef const struct tulle__top_model model_in;
typedef const struct tulle__top_row row_in;
typedef const struct tulle__top_column column_in;

/* ---- cells ---- */

static cell
unknown(void)
{
    return (cell){ .mark = TULLE__TOP_FAINT };
}

static cell
whole(uint64_t value)
{
    return (cell){ .is_known = true,
                   .whole = value,
                   .number = (double)value,
                   .mark = value == 0 ? TULLE__TOP_FAINT : TULLE__TOP_PLAIN };
}

static cell
number(double value)
{
    return (cell){ .is_known = true,
                   .number = value,
                   .mark = value <= 0 ? TULLE__TOP_FAINT : TULLE__TOP_PLAIN };
}

static cell
text(const char *value)
{
    return (cell){ .is_known = true, .text = value };
}

static cell
marked(cell value, enum tulle__top_mark mark)
{
    if (value.is_known)
        value.mark = mark;
    return value;
}

/* ---- nodes ---- */

static const tulle_seen_node *
node_of(model_in *model, row_in *row)
{
    return row->node == SIZE_MAX ? NULL : &model->snapshot->nodes[row->node];
}

static cell
node_name(model_in *model, row_in *row, column_in *column)
{
    (void)column;
    const tulle_seen_node *node = node_of(model, row);
    if (node == NULL)
        return unknown();
    bool is_over = node->state == TULLE_SEEN_GONE || node->state == TULLE_SEEN_LEFT;
    return marked(text(model->mesh.nodes[row->node].label),
                  is_over ? TULLE__TOP_FAINT : TULLE__TOP_PLAIN);
}

static cell
node_id(model_in *model, row_in *row, column_in *column)
{
    (void)column;
    const tulle_seen_node *node = node_of(model, row);
    return node == NULL ? unknown() : whole(node->id);
}

static cell
node_state(model_in *model, row_in *row, column_in *column)
{
    (void)column;
    const tulle_seen_node *node = node_of(model, row);
    if (node == NULL)
        return unknown();
    enum tulle__top_mark mark = TULLE__TOP_PLAIN;
    switch (node->state) {
    case TULLE_SEEN_NAMED:
    case TULLE_SEEN_LEFT:
        mark = TULLE__TOP_FAINT;
        break;
    case TULLE_SEEN_UP:
        mark = TULLE__TOP_GOOD;
        break;
    case TULLE_SEEN_SUSPECT:
        mark = TULLE__TOP_WARN;
        break;
    case TULLE_SEEN_GONE:
        mark = TULLE__TOP_BAD;
        break;
    }
    return marked(text(tulle__mesh_state(node->state)), mark);
}

static cell
node_kind(model_in *model, row_in *row, column_in *column)
{
    (void)column;
    const tulle_seen_node *node = node_of(model, row);
    return node == NULL ? unknown() : text(node->is_proxy ? "proxy" : "node");
}

static cell
node_segment(model_in *model, row_in *row, column_in *column)
{
    (void)column;
    const tulle_seen_node *node = node_of(model, row);
    if (node == NULL || node->segment == SIZE_MAX)
        return unknown();
    return text(tulle__mesh_segment(&model->mesh, node->segment));
}

static cell
node_rate(model_in *model, row_in *row, column_in *column)
{
    const struct tulle__top_rates *rates = &model->nodes[row->node].rates;
    if (!rates->is_known)
        return unknown();
    double value;
    memcpy(&value, (const char *)rates + column->offset, sizeof value);
    return number(value);
}

static bool
has_counters(model_in *model, row_in *row)
{
    return model->snapshot->nodes[row->node].has_counters;
}

static cell
node_counter(model_in *model, row_in *row, column_in *column)
{
    if (!has_counters(model, row))
        return unknown();
    uint64_t value;
    memcpy(&value, (const char *)&model->snapshot->nodes[row->node].counters + column->offset,
           sizeof value);
    return whole(value);
}

static cell
node_gaps(model_in *model, row_in *row, column_in *column)
{
    cell value = node_counter(model, row, column);
    if (!value.is_known || value.whole == 0)
        return value;
    return marked(value, model->nodes[row->node].gaps_us > 0 ? TULLE__TOP_BAD : TULLE__TOP_WARN);
}

static cell
node_delay(model_in *model, row_in *row, column_in *column)
{
    cell value = node_counter(model, row, column);
    bool has_any = value.is_known && model->snapshot->nodes[row->node].counters.delay_p99_us > 0;
    return has_any ? value : unknown();
}

static bool
takes_any(model_in *model, row_in *row)
{
    return model->nodes[row->node].lag.lane_count > 0;
}

static cell
lag_events(uint64_t events, uint64_t behind_ms)
{
    cell value = whole(events);
    if (events > 0 && behind_ms >= TULLE__TOP_LATE_MS)
        value.mark = behind_ms >= TULLE__TOP_BAD_MS ? TULLE__TOP_BAD : TULLE__TOP_WARN;
    return value;
}

static cell
behind(uint64_t behind_ms)
{
    cell value = whole(behind_ms);
    if (behind_ms >= TULLE__TOP_LATE_MS)
        value.mark = behind_ms >= TULLE__TOP_BAD_MS ? TULLE__TOP_BAD : TULLE__TOP_WARN;
    return value;
}

static cell
node_lag(model_in *model, row_in *row, column_in *column)
{
    (void)column;
    const struct tulle__top_lag *lag = &model->nodes[row->node].lag;
    return takes_any(model, row) ? lag_events(lag->events, lag->behind_ms) : unknown();
}

static cell
node_behind(model_in *model, row_in *row, column_in *column)
{
    (void)column;
    return takes_any(model, row) ? behind(model->nodes[row->node].lag.behind_ms) : unknown();
}

static cell
node_lanes(model_in *model, row_in *row, column_in *column)
{
    (void)column;
    return whole(model->mesh.nodes[row->node].lane_count);
}

static cell
node_takes(model_in *model, row_in *row, column_in *column)
{
    (void)column;
    return whole(model->mesh.nodes[row->node].taken_count);
}

static cell
node_hops(model_in *model, row_in *row, column_in *column)
{
    (void)column;
    return whole(model->snapshot->nodes[row->node].hops);
}

static cell
node_round_trip(model_in *model, row_in *row, column_in *column)
{
    (void)column;
    const tulle_seen_node *node = node_of(model, row);
    return node != NULL && node->has_round_trip ? whole(node->round_trip_us) : unknown();
}

static cell
node_seen(model_in *model, row_in *row, column_in *column)
{
    (void)column;
    const tulle_seen_node *node = node_of(model, row);
    if (node == NULL || node->state == TULLE_SEEN_NAMED)
        return unknown();
    cell value = whole(node->heard_ms);
    value.mark =
        node->state == TULLE_SEEN_UP ? TULLE__TOP_PLAIN : node_state(model, row, column).mark;
    return value;
}

// clang-format off
#define RATE_OF(field) offsetof(struct tulle__top_rates, field), node_rate
#define COUNT_OF(field) offsetof(tulle_seen_counters, field), node_counter
#define JUST(function) 0, function
static const struct tulle__top_column node_columns[] = {
    { "node", "NODE", TULLE__TOP_TEXT, 0, 0, JUST(node_name), "name of the node, with its id where several have that name" },
    { "id", "ID", TULLE__TOP_ID, 0, 20, JUST(node_id), "id of the node" },
    { "kind", "KIND", TULLE__TOP_TEXT, 0, 15, JUST(node_kind), "node or proxy" },
    { "state", "STATE", TULLE__TOP_TEXT, 0, 1, JUST(node_state), "up, suspect (silent), gone, left, or named (only heard of)" },
    { "segment", "SEGMENT", TULLE__TOP_TEXT, 0, 12, JUST(node_segment), "the segment that it is on" },
    { "hops", "HOPS", TULLE__TOP_COUNT, 0, 17, JUST(node_hops), "proxies between here and there" },
    { "out_rate", "OUT/s", TULLE__TOP_RATE, 0, 2, RATE_OF(events_published), "events that it publishes a second" },
    { "out_bytes_rate", "OUTB/s", TULLE__TOP_BYTE_RATE, 0, 9, RATE_OF(bytes_published), "bytes of them a second" },
    { "in_rate", "IN/s", TULLE__TOP_RATE, 0, 2, RATE_OF(events_delivered), "events that are delivered to it a second" },
    { "in_bytes_rate", "INB/s", TULLE__TOP_BYTE_RATE, 0, 9, RATE_OF(bytes_delivered), "bytes of them a second" },
    { "lag", "LAG", TULLE__TOP_COUNT, 0, 2, JUST(node_lag), "events of the lanes it takes that it has not acknowledged" },
    { "behind_ms", "BEHIND", TULLE__TOP_MS, 0, 10, JUST(node_behind), "how old the oldest of them is, about" },
    { "held", "WAITED", TULLE__TOP_COUNT, 0, 13, COUNT_OF(events_held), "events that had to wait for order" },
    { "held_now", "HELD", TULLE__TOP_BYTES, 0, 5, COUNT_OF(held_now), "bytes that wait for order now" },
    { "gaps", "GAPS", TULLE__TOP_COUNT, 4, 3, offsetof(tulle_seen_counters, gaps), node_gaps, "ranges of events given up" },
    { "lost", "LOST", TULLE__TOP_COUNT, 5, 11, offsetof(tulle_seen_counters, events_given_up), node_gaps, "events in them" },
    { "repaired", "REP", TULLE__TOP_COUNT, 4, 6, COUNT_OF(events_repaired), "events that came by fetch" },
    { "duplicates", "DUP", TULLE__TOP_COUNT, 4, 8, COUNT_OF(events_duplicate), "events that came again and were dropped" },
    { "dropped", "DROP", TULLE__TOP_COUNT, 0, 13, COUNT_OF(dropped), "messages dropped, for any reason" },
    { "unacked_bytes", "UNACK", TULLE__TOP_BYTES, 0, 14, COUNT_OF(unacked_now), "own bytes that a consumer has not acknowledged" },
    { "retained_bytes", "KEEPS", TULLE__TOP_BYTES, 0, 14, COUNT_OF(retained_now), "bytes kept for others" },
    { "p50_us", "P50", TULLE__TOP_US, 0, 7, offsetof(tulle_seen_counters, delay_p50_us), node_delay, "from publishing to delivery there, median" },
    { "p99_us", "P99", TULLE__TOP_US, 0, 4, offsetof(tulle_seen_counters, delay_p99_us), node_delay, "the same, 99th percentile" },
    { "round_trip_us", "RTT", TULLE__TOP_US, 0, 16, JUST(node_round_trip), "from a question to the answer" },
    { "lanes", "LANES", TULLE__TOP_COUNT, 0, 15, JUST(node_lanes), "lanes that it publishes" },
    { "takes", "TAKES", TULLE__TOP_COUNT, 0, 15, JUST(node_takes), "lanes that it takes" },
    { "uptime_ms", "UP", TULLE__TOP_MS, 0, 12, COUNT_OF(uptime_ms), "since its start" },
    { "seen_ms", "SEEN", TULLE__TOP_MS, 4, 3, JUST(node_seen), "how long ago it was heard" },
};

/* ---- streams, lanes, lags ---- */

static cell
stream_name(model_in *model, row_in *row, column_in *column)
{
    (void)column;
    return text(model->snapshot->lanes[row->lane].stream);
}

static cell
row_lanes(model_in *model, row_in *row, column_in *column)
{
    (void)model;
    (void)column;
    return whole(row->count);
}

static cell
stream_takers(model_in *model, row_in *row, column_in *column)
{
    (void)model;
    (void)column;
    return whole(row->takers);
}
// clang-format on

static cell
row_rate(model_in *model, row_in *row, column_in *column)
{
    (void)model;
    (void)column;
    return row->is_known ? number(row->rate) : unknown();
}

static cell
row_bytes(model_in *model, row_in *row, column_in *column)
{
    (void)model;
    (void)column;
    return row->is_known && row->bytes >= 0 ? number(row->bytes) : unknown();
}

static cell
row_lag(model_in *model, row_in *row, column_in *column)
{
    (void)model;
    (void)column;
    return row->lag.lane_count > 0 ? lag_events(row->lag.events, row->lag.behind_ms) : unknown();
}

static cell
row_worst(model_in *model, row_in *row, column_in *column)
{
    (void)model;
    (void)column;
    return row->lag.lane_count > 0 ? lag_events(row->lag.worst, row->lag.behind_ms) : unknown();
}

static cell
row_behind(model_in *model, row_in *row, column_in *column)
{
    (void)model;
    (void)column;
    return row->lag.lane_count > 0 ? behind(row->lag.behind_ms) : unknown();
}

static cell
label_of(model_in *model, uint64_t id)
{
    size_t node = tulle__mesh_find(&model->mesh, id);
    return node == SIZE_MAX ? unknown() : text(model->mesh.nodes[node].label);
}

/* Who is furthest behind on the lane with the most lag. */
static cell
row_who(model_in *model, row_in *row, column_in *column)
{
    (void)column;
    if (row->lag.lane == SIZE_MAX || row->lag.lane_count == 0)
        return unknown();
    const tulle_seen_lane *lane = &model->snapshot->lanes[row->lag.lane];
    size_t taker = model->lanes[row->lag.lane].worst_taker;
    return taker == SIZE_MAX ? unknown() : label_of(model, lane->takers[taker].node);
}

static cell
lane_publisher(model_in *model, row_in *row, column_in *column)
{
    if (row->node != SIZE_MAX)
        return node_name(model, row, column);
    const char *name = model->snapshot->lanes[row->lane].node_name;
    return name[0] != '\0' ? marked(text(name), TULLE__TOP_FAINT) : unknown();
}

static cell
lane_publisher_id(model_in *model, row_in *row, column_in *column)
{
    (void)column;
    return whole(model->snapshot->lanes[row->lane].node);
}

static cell
lane_head(model_in *model, row_in *row, column_in *column)
{
    (void)column;
    return whole(model->snapshot->lanes[row->lane].head);
}

static cell
lane_takers(model_in *model, row_in *row, column_in *column)
{
    (void)column;
    return whole(model->snapshot->lanes[row->lane].taker_count);
}

static cell
lane_holders(model_in *model, row_in *row, column_in *column)
{
    (void)column;
    return whole(model->snapshot->lanes[row->lane].holder_count);
}

static cell
lane_kept(model_in *model, row_in *row, column_in *column)
{
    (void)column;
    uint64_t first = model->lanes[row->lane].kept_first;
    return first > 0 ? whole(first) : unknown();
}

/* Of a stream: that of its lane which grew last. */
static cell
row_changed(model_in *model, row_in *row, column_in *column)
{
    (void)column;
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < row->count; i++) {
        uint64_t changed_ms = model->snapshot->lanes[row->lane + i].changed_ms;
        least = changed_ms < least ? changed_ms : least;
    }
    return whole(least);
}

static cell
stream_head(model_in *model, row_in *row, column_in *column)
{
    (void)column;
    uint64_t sum = 0;
    for (size_t i = 0; i < row->count; i++)
        sum += model->snapshot->lanes[row->lane + i].head;
    return whole(sum);
}

static cell
row_acked(model_in *model, row_in *row, column_in *column)
{
    (void)model;
    (void)column;
    return whole(row->acked);
}

/* Of a lag: the publisher of the lane that is furthest behind. */
static cell
lag_worst_publisher(model_in *model, row_in *row, column_in *column)
{
    (void)column;
    if (row->lag.lane == SIZE_MAX)
        return unknown();
    return label_of(model, model->snapshot->lanes[row->lag.lane].node);
}

// clang-format off
static const struct tulle__top_column stream_columns[] = {
    { "stream", "STREAM", TULLE__TOP_TEXT, 0, 0, JUST(stream_name), "name of the stream" },
    { "rate", "RATE/s", TULLE__TOP_RATE, 0, 1, JUST(row_rate), "events published a second" },
    { "bytes_rate", "~B/s", TULLE__TOP_BYTE_RATE, 0, 5, JUST(row_bytes), "bytes of them a second, about: publishers do not count them by stream" },
    { "events", "EVENTS", TULLE__TOP_COUNT, 0, 6, JUST(stream_head), "published since their publishers began" },
    { "lanes", "LANES", TULLE__TOP_COUNT, 0, 3, JUST(row_lanes), "lanes: publishers of it" },
    { "takers", "TAKERS", TULLE__TOP_COUNT, 0, 3, JUST(stream_takers), "live nodes that take it" },
    { "lag", "LAG", TULLE__TOP_COUNT, 0, 2, JUST(row_lag), "events not acknowledged, of all lanes and takers together" },
    { "worst_lag", "WORST", TULLE__TOP_COUNT, 0, 7, JUST(row_worst), "the most that one of them has not acknowledged of a lane" },
    { "worst_taker", "WHO", TULLE__TOP_TEXT, 0, 4, JUST(row_who), "who that is" },
    { "behind_ms", "BEHIND", TULLE__TOP_MS, 0, 2, JUST(row_behind), "how old the oldest event not acknowledged is, about" },
    { "changed_ms", "LAST", TULLE__TOP_MS, 0, 3, JUST(row_changed), "how long ago the last event was published" },
};

static const struct tulle__top_column lane_columns[] = {
    { "stream", "STREAM", TULLE__TOP_TEXT, 0, 0, JUST(stream_name), "name of the stream" },
    { "node", "NODE", TULLE__TOP_TEXT, 0, 0, JUST(lane_publisher), "who publishes" },
    { "id", "ID", TULLE__TOP_ID, 0, 20, JUST(lane_publisher_id), "id of that node" },
    { "state", "STATE", TULLE__TOP_TEXT, 0, 6, JUST(node_state), "state of that node" },
    { "rate", "RATE/s", TULLE__TOP_RATE, 0, 1, JUST(row_rate), "events published a second" },
    { "bytes_rate", "~B/s", TULLE__TOP_BYTE_RATE, 0, 5, JUST(row_bytes), "bytes of them a second, by the mean of what the node publishes" },
    { "head", "HEAD", TULLE__TOP_COUNT, 0, 4, JUST(lane_head), "number of the last event" },
    { "kept_from", "KEPT", TULLE__TOP_COUNT, 0, 9, JUST(lane_kept), "number of the oldest event that anybody keeps" },
    { "holders", "HOLD", TULLE__TOP_COUNT, 0, 8, JUST(lane_holders), "nodes that keep events of it" },
    { "takers", "TAKERS", TULLE__TOP_COUNT, 0, 3, JUST(lane_takers), "live nodes that take it" },
    { "lag", "LAG", TULLE__TOP_COUNT, 0, 2, JUST(row_worst), "events that the slowest of them has not acknowledged" },
    { "worst_taker", "WHO", TULLE__TOP_TEXT, 0, 4, JUST(row_who), "who that is" },
    { "behind_ms", "BEHIND", TULLE__TOP_MS, 0, 2, JUST(row_behind), "how old the oldest of them is, about" },
    { "changed_ms", "LAST", TULLE__TOP_MS, 0, 3, JUST(row_changed), "how long ago the last event was published" },
};

static const struct tulle__top_column lag_columns[] = {
    { "node", "CONSUMER", TULLE__TOP_TEXT, 0, 0, JUST(node_name), "who takes the stream" },
    { "id", "ID", TULLE__TOP_ID, 0, 20, JUST(node_id), "id of that node" },
    { "stream", "STREAM", TULLE__TOP_TEXT, 0, 0, JUST(stream_name), "name of the stream" },
    { "state", "STATE", TULLE__TOP_TEXT, 0, 4, JUST(node_state), "state of that node" },
    { "lanes", "LANES", TULLE__TOP_COUNT, 0, 5, JUST(row_lanes), "lanes of the stream" },
    { "rate", "RATE/s", TULLE__TOP_RATE, 0, 3, JUST(row_rate), "events published on them a second" },
    { "lag", "LAG", TULLE__TOP_COUNT, 0, 1, JUST(row_lag), "events of them not acknowledged" },
    { "behind_ms", "BEHIND", TULLE__TOP_MS, 0, 1, JUST(row_behind), "how old the oldest of them is, about" },
    { "worst_lag", "WORST", TULLE__TOP_COUNT, 0, 6, JUST(row_worst), "most of one lane" },
    { "worst_publisher", "FROM", TULLE__TOP_TEXT, 0, 4, JUST(lag_worst_publisher), "publisher of that lane" },
    { "seen_ms", "SEEN", TULLE__TOP_MS, 0, 3, JUST(node_seen), "how long ago the node was heard" },
};

static const struct tulle__top_column taken_columns[] = {
    { "stream", "STREAM", TULLE__TOP_TEXT, 0, 0, JUST(stream_name), "name of the stream" },
    { "node", "FROM", TULLE__TOP_TEXT, 0, 0, JUST(lane_publisher), "who publishes" },
    { "state", "STATE", TULLE__TOP_TEXT, 0, 4, JUST(node_state), "state of that node" },
    { "rate", "RATE/s", TULLE__TOP_RATE, 0, 2, JUST(row_rate), "events published a second" },
    { "head", "HEAD", TULLE__TOP_COUNT, 10, 3, JUST(lane_head), "number of the last event" },
    { "acked", "ACKED", TULLE__TOP_COUNT, 10, 3, JUST(row_acked), "number of the last event acknowledged" },
    { "lag", "LAG", TULLE__TOP_COUNT, 0, 1, JUST(row_lag), "events between" },
    { "behind_ms", "BEHIND", TULLE__TOP_MS, 0, 1, JUST(row_behind), "how old the oldest of them is, about" },
    { "changed_ms", "LAST", TULLE__TOP_MS, 0, 5, JUST(row_changed), "how long ago the last event was published" },
};

static const struct tulle__top_column taker_columns[] = {
    { "node", "NODE", TULLE__TOP_TEXT, 0, 0, JUST(node_name), "who takes the lane" },
    { "id", "ID", TULLE__TOP_ID, 0, 6, JUST(node_id), "id of that node" },
    { "state", "STATE", TULLE__TOP_TEXT, 0, 2, JUST(node_state), "state of that node" },
    { "acked", "ACKED", TULLE__TOP_COUNT, 10, 3, JUST(row_acked), "number of the last event acknowledged" },
    { "lag", "LAG", TULLE__TOP_COUNT, 0, 1, JUST(row_lag), "events after that" },
    { "behind_ms", "BEHIND", TULLE__TOP_MS, 0, 1, JUST(row_behind), "how old the oldest of them is, about" },
    { "seen_ms", "SEEN", TULLE__TOP_MS, 0, 4, JUST(node_seen), "how long ago the node was heard" },
};
// clang-format on

/* ---- links ---- */

static const tulle_seen_link *
link_of(model_in *model, row_in *row)
{
    return &model->snapshot->nodes[row->node].links[row->link];
}

static cell
link_name(model_in *model, row_in *row, column_in *column)
{
    (void)column;
    return text(link_of(model, row)->name);
}

static cell
link_segment(model_in *model, row_in *row, column_in *column)
{
    (void)column;
    size_t segment = link_of(model, row)->segment;
    return segment == SIZE_MAX ? unknown() : text(tulle__mesh_segment(&model->mesh, segment));
}

static cell
link_address(model_in *model, row_in *row, column_in *column)
{
    (void)column;
    const char *address = link_of(model, row)->address;
    return address[0] != '\0' ? text(address) : unknown();
}

static cell
link_count(model_in *model, row_in *row, column_in *column)
{
    uint64_t value;
    memcpy(&value, (const char *)link_of(model, row) + column->offset, sizeof value);
    return whole(value);
}

static cell
link_waiting(model_in *model, row_in *row, column_in *column)
{
    cell value = link_count(model, row, column);
    return value.whole > 0 ? marked(value, TULLE__TOP_WARN) : value;
}

/* offset: which of the four. */
static cell
link_rate(model_in *model, row_in *row, column_in *column)
{
    const struct tulle__top_link *link = &model->links[model->nodes[row->node].links + row->link];
    return link->is_known ? number(link->rates[column->offset]) : unknown();
}

// clang-format off
#define SIDE_OF(field) offsetof(tulle_seen_link, field), link_count
static const struct tulle__top_column link_columns[] = {
    { "proxy", "PROXY", TULLE__TOP_TEXT, 0, 0, JUST(node_name), "name of the proxy" },
    { "id", "ID", TULLE__TOP_ID, 0, 20, JUST(node_id), "id of the proxy" },
    { "link", "LINK", TULLE__TOP_TEXT, 0, 0, JUST(link_name), "what the proxy calls the segment" },
    { "state", "STATE", TULLE__TOP_TEXT, 0, 3, JUST(node_state), "state of the proxy" },
    { "segment", "SEGMENT", TULLE__TOP_TEXT, 0, 7, JUST(link_segment), "the segment, as everywhere" },
    { "address", "ADDRESS", TULLE__TOP_TEXT, 0, 8, JUST(link_address), "the proxy's control address there" },
    { "out_rate", "OUT/s", TULLE__TOP_RATE, 0, 1, 0, link_rate, "events that leave the segment a second" },
    { "out_bytes_rate", "OUTB/s", TULLE__TOP_BYTE_RATE, 0, 4, 1, link_rate, "bytes of them" },
    { "in_rate", "IN/s", TULLE__TOP_RATE, 0, 1, 2, link_rate, "events that come into it a second" },
    { "in_bytes_rate", "INB/s", TULLE__TOP_BYTE_RATE, 0, 4, 3, link_rate, "bytes of them" },
    { "waiting", "WAIT", TULLE__TOP_COUNT, 0, 2, offsetof(tulle_seen_link, waiting), link_waiting, "events that wait for a rate limit" },
    { "out_events", "OUT", TULLE__TOP_COUNT, 0, 5, SIDE_OF(events_out), "events that left since the proxy's start" },
    { "out_bytes", "OUTB", TULLE__TOP_BYTES, 0, 6, SIDE_OF(bytes_out), "bytes of them" },
    { "in_events", "IN", TULLE__TOP_COUNT, 0, 5, SIDE_OF(events_in), "events that came in since its start" },
    { "in_bytes", "INB", TULLE__TOP_BYTES, 0, 6, SIDE_OF(bytes_in), "bytes of them" },
    { "round_trip_us", "RTT", TULLE__TOP_US, 0, 9, JUST(node_round_trip), "from a question to the proxy's answer" },
    { "seen_ms", "SEEN", TULLE__TOP_MS, 0, 3, JUST(node_seen), "how long ago the proxy was heard" },
};

#define COLUMNS(table) (table), sizeof(table) / sizeof *(table)
static const struct tulle__top_table tables[TULLE__TOP_TABLES] = {
    [TULLE__TOP_NODES] = { "nodes", "Nodes", COLUMNS(node_columns), 6 },
    [TULLE__TOP_STREAMS] = { "streams", "Streams", COLUMNS(stream_columns), 1 },
    [TULLE__TOP_LANES] = { "lanes", "Lanes", COLUMNS(lane_columns), 4 },
    [TULLE__TOP_LAGS] = { "lag", "Lag", COLUMNS(lag_columns), 6 },
    [TULLE__TOP_LINKS] = { "links", "Links", COLUMNS(link_columns), 6 },
    [TULLE__TOP_TAKEN] = { "taken", "Taken", COLUMNS(taken_columns), 6 },
    [TULLE__TOP_TAKERS] = { "takers", "Takers", COLUMNS(taker_columns), 4 },
};
// clang-format on

const struct tulle__top_table *
tulle__top_table(enum tulle__top_screen screen)
{
    return &tables[screen];
}

size_t
tulle__top_find_column(enum tulle__top_screen screen, const char *key)
{
    const struct tulle__top_table *table = &tables[screen];
    for (size_t i = 0; i < table->count; i++) {
        if (strcasecmp(table->columns[i].key, key) == 0 ||
            strcasecmp(table->columns[i].title, key) == 0)
            return i;
    }
    return SIZE_MAX;
}

struct tulle__top_cell
tulle__top_value(const struct tulle__top_model *model,
                 enum tulle__top_screen screen,
                 const struct tulle__top_row *row,
                 size_t column)
{
    const struct tulle__top_column *of = &tables[screen].columns[column];
    return of->value(model, row, of);
}
