/* SPDX-License-Identifier: MPL-2.0 */

/* Rows: made from the model, thinned out by the filter, sorted. Only those of the screen that is
 * looked at are made, and cells only when they are drawn. */

#include "tools/top/top_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMED_MAX = 20000 };

/* ---- making ---- */

struct maker {
    struct tulle__top_rows *rows;
    const struct tulle__top_model *model;
    const struct tulle__top_query *query;
    size_t cap;
    uint32_t *places; /* of nodes, among the rows of the stream: index + 1 */
};

static bool
has_room(struct maker *maker)
{
    struct tulle__top_rows *rows = maker->rows;
    if (rows->count < maker->cap)
        return true;
    size_t cap = maker->cap < 64 ? 64 : maker->cap * 2;
    struct tulle__top_row *grown = realloc(rows->rows, cap * sizeof *grown);
    if (grown == NULL)
        return false;
    rows->rows = grown;
    maker->cap = cap;
    return true;
}

static struct tulle__top_row *
add(struct maker *maker)
{
    if (!has_room(maker))
        return NULL;
    struct tulle__top_row *row = &maker->rows->rows[maker->rows->count++];
    *row = (struct tulle__top_row){
        .node = SIZE_MAX, .lane = SIZE_MAX, .link = SIZE_MAX, .lag.lane = SIZE_MAX
    };
    return row;
}

static bool
make_nodes(struct maker *maker)
{
    const tulle_snapshot *s = maker->model->snapshot;
    for (size_t i = 0; i < s->node_count; i++) {
        if (s->nodes[i].is_self)
            continue;
        struct tulle__top_row *row = add(maker);
        if (row == NULL)
            return false;
        row->node = i;
    }
    return true;
}

static bool
make_links(struct maker *maker)
{
    const tulle_snapshot *s = maker->model->snapshot;
    for (size_t i = 0; i < s->node_count; i++) {
        bool is_wanted = maker->query->node == 0 || maker->query->node == s->nodes[i].id;
        for (size_t k = 0; is_wanted && k < s->nodes[i].link_count; k++) {
            struct tulle__top_row *row = add(maker);
            if (row == NULL)
                return false;
            row->node = i;
            row->link = k;
        }
    }
    return true;
}

static void
add_rate(struct tulle__top_row *row, const struct tulle__top_model *model, size_t lane)
{
    double bytes = tulle__top_lane_bytes(model, lane);
    row->is_known = (row->count == 0 || row->is_known) && model->lanes[lane].is_known;
    row->rate += model->lanes[lane].rate;
    row->bytes = bytes < 0 || row->bytes < 0 ? -1 : row->bytes + bytes;
    row->count++;
}

static bool
make_lanes(struct maker *maker)
{
    const struct tulle__top_model *model = maker->model;
    const tulle_snapshot *s = model->snapshot;
    for (size_t i = 0; i < s->lane_count; i++) {
        const tulle_seen_lane *lane = &s->lanes[i];
        const struct tulle__top_query *query = maker->query;
        if ((query->stream != NULL && strcmp(lane->stream, query->stream) != 0) ||
            (query->node != 0 && lane->node != query->node))
            continue;
        struct tulle__top_row *row = add(maker);
        if (row == NULL)
            return false;
        row->lane = i;
        row->node = tulle__mesh_find(&model->mesh, lane->node);
        row->lag = model->lanes[i].lag;
        add_rate(row, model, i);
    }
    return true;
}

static void
merge_lag(struct tulle__top_lag *into, const struct tulle__top_lag *lag)
{
    into->lane_count += lag->lane_count;
    into->events += lag->events;
    if (lag->worst > into->worst) {
        into->worst = lag->worst;
        into->lane = lag->lane;
    }
    if (lag->behind_ms > into->behind_ms)
        into->behind_ms = lag->behind_ms;
}

/* Lanes from first on that are of its stream. */
static size_t
count_stream(const tulle_snapshot *s, size_t first)
{
    size_t count = 1;
    while (first + count < s->lane_count &&
           strcmp(s->lanes[first + count].stream, s->lanes[first].stream) == 0)
        count++;
    return count;
}

static size_t
count_takers(struct maker *maker, size_t first, size_t count)
{
    size_t takers = 0;
    for (size_t i = first; i < first + count; i++) {
        const tulle_seen_lane *lane = &maker->model->snapshot->lanes[i];
        for (size_t k = 0; k < lane->taker_count; k++) {
            size_t node = tulle__mesh_find(&maker->model->mesh, lane->takers[k].node);
            if (node == SIZE_MAX || maker->places[node] == first + 1)
                continue;
            maker->places[node] = (uint32_t)first + 1;
            takers++;
        }
    }
    return takers;
}

static bool
make_streams(struct maker *maker)
{
    const struct tulle__top_model *model = maker->model;
    size_t count = 0;
    for (size_t first = 0; first < model->snapshot->lane_count; first += count) {
        count = count_stream(model->snapshot, first);
        struct tulle__top_row *row = add(maker);
        if (row == NULL)
            return false;
        row->lane = first;
        for (size_t i = first; i < first + count; i++) {
            merge_lag(&row->lag, &model->lanes[i].lag);
            add_rate(row, model, i);
        }
        row->takers = count_takers(maker, first, count);
    }
    return true;
}

static bool
add_lag_of(struct maker *maker, size_t lane, size_t begin, const tulle_seen_taker *taker)
{
    const struct tulle__top_model *model = maker->model;
    size_t node = tulle__mesh_find(&model->mesh, taker->node);
    if (node == SIZE_MAX || (maker->query->node != 0 && taker->node != maker->query->node))
        return true;
    /* A place from before this stream's rows is one of another stream. */
    if (maker->places[node] <= begin) {
        struct tulle__top_row *added = add(maker);
        if (added == NULL)
            return false;
        added->node = node;
        added->lane = lane;
        maker->places[node] = (uint32_t)maker->rows->count;
    }
    struct tulle__top_row *row = &maker->rows->rows[maker->places[node] - 1];
    uint64_t lag = tulle__mesh_lag(&model->snapshot->lanes[lane], taker);
    const struct tulle__top_lag one = { .events = lag,
                                        .worst = lag,
                                        .lane = lane,
                                        .behind_ms = tulle__top_behind_ms(model, lane, lag),
                                        .lane_count = 1 };
    merge_lag(&row->lag, &one);
    add_rate(row, model, lane);
    return true;
}

static bool
make_lags(struct maker *maker)
{
    const tulle_snapshot *s = maker->model->snapshot;
    size_t count = 0;
    for (size_t first = 0; first < s->lane_count; first += count) {
        size_t begin = maker->rows->count;
        count = count_stream(s, first);
        if (maker->query->stream != NULL &&
            strcmp(s->lanes[first].stream, maker->query->stream) != 0)
            continue;
        for (size_t i = first; i < first + count; i++) {
            for (size_t k = 0; k < s->lanes[i].taker_count; k++) {
                if (!add_lag_of(maker, i, begin, &s->lanes[i].takers[k]))
                    return false;
            }
        }
    }
    return true;
}

/* ---- parts of pages ---- */

size_t
tulle__top_find_lane(const struct tulle__top_model *model, uint64_t node, const char *stream)
{
    const tulle_snapshot *s = model->snapshot;
    size_t low = 0;
    size_t high = s == NULL ? 0 : s->lane_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(s->lanes[middle].stream, stream);
        if (order < 0 || (order == 0 && s->lanes[middle].node < node))
            low = middle + 1;
        else
            high = middle;
    }
    bool is_there = s != NULL && low < s->lane_count && s->lanes[low].node == node &&
                    strcmp(s->lanes[low].stream, stream) == 0;
    return is_there ? low : SIZE_MAX;
}

/* A row of a lane and one of its takers. */
static bool
add_taken(struct maker *maker, size_t lane, const tulle_seen_taker *taker, uint64_t node)
{
    const struct tulle__top_model *model = maker->model;
    uint64_t lag = tulle__mesh_lag(&model->snapshot->lanes[lane], taker);
    struct tulle__top_row *row = add(maker);
    if (row == NULL)
        return false;
    row->lane = lane;
    row->node = tulle__mesh_find(&model->mesh, node);
    row->acked = taker->acked;
    row->lag = (struct tulle__top_lag){ .events = lag,
                                        .worst = lag,
                                        .lane = lane,
                                        .behind_ms = tulle__top_behind_ms(model, lane, lag),
                                        .lane_count = 1 };
    add_rate(row, model, lane);
    return true;
}

/* Takers ascend by id. */
static const tulle_seen_taker *
find_taker(const tulle_seen_lane *lane, uint64_t node)
{
    size_t low = 0;
    size_t high = lane->taker_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (lane->takers[middle].node < node)
            low = middle + 1;
        else
            high = middle;
    }
    return low < lane->taker_count && lane->takers[low].node == node ? &lane->takers[low] : NULL;
}

static bool
make_taken(struct maker *maker)
{
    const tulle_snapshot *s = maker->model->snapshot;
    for (size_t i = 0; i < s->lane_count; i++) {
        const tulle_seen_taker *taker = find_taker(&s->lanes[i], maker->query->node);
        if (taker != NULL && !add_taken(maker, i, taker, s->lanes[i].node))
            return false;
    }
    return true;
}

static bool
make_takers(struct maker *maker)
{
    const struct tulle__top_query *query = maker->query;
    size_t lane = tulle__top_find_lane(maker->model, query->node, query->stream);
    if (lane == SIZE_MAX)
        return true;
    const tulle_seen_lane *seen = &maker->model->snapshot->lanes[lane];
    for (size_t i = 0; i < seen->taker_count; i++) {
        if (!add_taken(maker, lane, &seen->takers[i], seen->takers[i].node))
            return false;
    }
    return true;
}

static bool
make(struct maker *maker)
{
    switch (maker->query->screen) {
    case TULLE__TOP_NODES:
        return make_nodes(maker);
    case TULLE__TOP_STREAMS:
        return make_streams(maker);
    case TULLE__TOP_LANES:
        return make_lanes(maker);
    case TULLE__TOP_LAGS:
        return make_lags(maker);
    case TULLE__TOP_LINKS:
        return make_links(maker);
    case TULLE__TOP_TAKEN:
        return make_taken(maker);
    case TULLE__TOP_TAKERS:
        return make_takers(maker);
    case TULLE__TOP_TABLES:
        break;
    }
    return true;
}

/* ---- filter ---- */

static unsigned char
lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static bool
has_word(const char *text, const char *word, size_t len)
{
    for (; *text != '\0'; text++) {
        size_t i = 0;
        while (i < len && text[i] != '\0' && lower(text[i]) == lower(word[i]))
            i++;
        if (i == len)
            return true;
    }
    return false;
}

static bool
row_has(const struct tulle__top_model *model,
        enum tulle__top_screen screen,
        const struct tulle__top_row *row,
        const char *word,
        size_t len)
{
    const struct tulle__top_table *table = tulle__top_table(screen);
    for (size_t i = 0; i < table->count; i++) {
        enum tulle__top_kind kind = table->columns[i].kind;
        if (kind != TULLE__TOP_TEXT && kind != TULLE__TOP_ID)
            continue;
        struct tulle__top_cell cell = tulle__top_value(model, screen, row, i);
        char id[20];
        if (!cell.is_known)
            continue;
        if (kind == TULLE__TOP_ID)
            (void)snprintf(id, sizeof id, "%016" PRIx64, cell.whole);
        if (has_word(kind == TULLE__TOP_ID ? id : cell.text, word, len))
            return true;
    }
    return false;
}

bool
tulle__top_matches(const struct tulle__top_model *model,
                   enum tulle__top_screen screen,
                   const struct tulle__top_row *row,
                   const char *filter)
{
    while (*filter != '\0') {
        filter += strspn(filter, " ");
        bool is_not = *filter == '!';
        const char *word = filter + is_not;
        size_t len = strcspn(word, " ");
        if (len > 0 && row_has(model, screen, row, word, len) == is_not)
            return false;
        filter = word + len;
    }
    return true;
}

static void
apply_filter(struct tulle__top_rows *rows,
             const struct tulle__top_model *model,
             const struct tulle__top_query *query)
{
    rows->all_count = rows->count;
    if (query->filter == NULL || query->filter[0] == '\0')
        return;
    size_t kept = 0;
    for (size_t i = 0; i < rows->count; i++) {
        if (tulle__top_matches(model, query->screen, &rows->rows[i], query->filter))
            rows->rows[kept++] = rows->rows[i];
    }
    rows->count = kept;
}

/* ---- order ---- */

/* What a row is sorted by. What is not known comes last, either way. */
struct key {
    const char *text;
    double number;
    size_t row;
    bool is_known, is_falling;
};

static int
compare_texts(const char *left, const char *right)
{
    for (size_t i = 0;; i++) {
        unsigned char a = lower(left[i]);
        unsigned char b = lower(right[i]);
        if (a != b)
            return a < b ? -1 : 1;
        if (a == '\0')
            return 0;
    }
}

static int
compare_keys(const void *a, const void *b)
{
    const struct key *left = a;
    const struct key *right = b;
    int order = 0;
    if (left->is_known != right->is_known)
        return left->is_known ? -1 : 1;
    if (left->is_known && left->text != NULL)
        order = compare_texts(left->text, right->text);
    else if (left->is_known)
        order = (left->number > right->number) - (left->number < right->number);
    if (order != 0)
        return left->is_falling ? -order : order;
    return (left->row > right->row) - (left->row < right->row);
}

static bool
sort_by(struct tulle__top_rows *rows,
        const struct tulle__top_model *model,
        const struct tulle__top_query *query,
        size_t column,
        bool is_reverse)
{
    struct key *keys = malloc((rows->count + 1) * sizeof *keys);
    struct tulle__top_row *sorted = malloc((rows->count + 1) * sizeof *sorted);
    if (keys == NULL || sorted == NULL) {
        free(keys);
        free(sorted);
        return false;
    }
    bool is_text = tulle__top_table(query->screen)->columns[column].kind == TULLE__TOP_TEXT;
    for (size_t i = 0; i < rows->count; i++) {
        struct tulle__top_cell cell =
            tulle__top_value(model, query->screen, &rows->rows[i], column);
        keys[i] = (struct key){ .text = is_text && cell.is_known ? cell.text : NULL,
                                .number = cell.number,
                                .row = i,
                                .is_known = cell.is_known,
                                .is_falling = is_text == is_reverse };
    }
    qsort(keys, rows->count, sizeof *keys, compare_keys);
    for (size_t i = 0; i < rows->count; i++)
        sorted[i] = rows->rows[keys[i].row];
    free(keys);
    free(rows->rows);
    rows->rows = sorted;
    return true;
}

void
tulle__top_rows_free(struct tulle__top_rows *rows)
{
    free(rows->rows);
    *rows = (struct tulle__top_rows){ 0 };
}

bool
tulle__top_rows_make(struct tulle__top_rows *rows,
                     const struct tulle__top_model *model,
                     const struct tulle__top_query *query)
{
    tulle__top_rows_free(rows);
    if (model->snapshot == NULL)
        return true;
    struct maker maker = { .rows = rows, .model = model, .query = query };
    maker.places = calloc(model->snapshot->node_count + 1, sizeof *maker.places);
    bool is_made = maker.places != NULL && make(&maker);
    free(maker.places);
    if (is_made) {
        apply_filter(rows, model, query);
        /* By name first, so that equal rows stay so. Lanes and streams come by name, and where
         * there are very many rows nobody looks at all that are equal. */
        bool is_by_name = query->screen == TULLE__TOP_STREAMS ||
                          query->screen == TULLE__TOP_LANES || rows->count > NAMED_MAX;
        is_made = (is_by_name || sort_by(rows, model, query, 0, false)) &&
                  sort_by(rows, model, query, query->sort, query->is_reverse);
    }
    if (!is_made)
        tulle__top_rows_free(rows);
    return is_made;
}
