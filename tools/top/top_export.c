/* SPDX-License-Identifier: MPL-2.0 */

/* Tables for programs: JSON and CSV (RFC 4180, but lines end in a newline only). */

#include "app/json.h"
#include "tools/top/top_print.h"

#include <inttypes.h>
#include <string.h>

/* ---- CSV ---- */

static void
put_csv_text(const char *text, struct tulle__text *out)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        tulle__text_str(out, text);
        return;
    }
    tulle__text_char(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"')
            tulle__text_char(out, '"');
        tulle__text_char(out, *text);
    }
    tulle__text_char(out, '"');
}

/* What is not known is empty. */
static void
put_csv(enum tulle__top_kind kind, const struct tulle__top_cell *cell, struct tulle__text *out)
{
    if (!cell->is_known)
        return;
    switch (kind) {
    case TULLE__TOP_TEXT:
        put_csv_text(cell->text, out);
        break;
    case TULLE__TOP_ID:
        tulle__text_id(out, cell->whole);
        break;
    case TULLE__TOP_COUNT:
    case TULLE__TOP_BYTES:
    case TULLE__TOP_MS:
    case TULLE__TOP_US:
        tulle__text_u64(out, cell->whole);
        break;
    case TULLE__TOP_RATE:
    case TULLE__TOP_BYTE_RATE:
        tulle__text_format(out, "%.3f", cell->number);
        break;
    }
}

void
tulle__top_print_csv(const struct tulle__top_model *model,
                     const struct tulle__top_query *query,
                     const struct tulle__top_rows *rows,
                     size_t limit,
                     bool has_head,
                     struct tulle__text *out)
{
    const struct tulle__top_table *table = tulle__top_table(query->screen);
    if (has_head)
        tulle__text_str(out, "time");
    for (size_t i = 0; has_head && i < table->count; i++)
        tulle__text_format(out, ",%s", table->columns[i].key);
    if (has_head)
        tulle__text_char(out, '\n');
    for (size_t k = 0; k < rows->count && k < limit; k++) {
        tulle__text_time(out, (int64_t)model->snapshot->time_us);
        for (size_t i = 0; i < table->count; i++) {
            struct tulle__top_cell cell = tulle__top_value(model, query->screen, &rows->rows[k], i);
            tulle__text_char(out, ',');
            put_csv(table->columns[i].kind, &cell, out);
        }
        tulle__text_char(out, '\n');
    }
}

/* ---- JSON ---- */

static void
put_json(enum tulle__top_kind kind, const struct tulle__top_cell *cell, struct tulle__text *out)
{
    if (!cell->is_known) {
        tulle__text_str(out, "null");
    } else if (kind == TULLE__TOP_TEXT) {
        tulle__json_put_str(out, cell->text, strlen(cell->text));
    } else {
        bool is_id = kind == TULLE__TOP_ID;
        tulle__text_str(out, is_id ? "\"" : "");
        put_csv(kind, cell, out);
        tulle__text_str(out, is_id ? "\"" : "");
    }
}

void
tulle__top_json_head(const struct tulle__top_model *model, struct tulle__text *out)
{
    const struct tulle__top_totals *t = &model->totals;
    const struct tulle__top_rates *rates = &t->rates;
    tulle__mesh_json_head(&model->mesh, out);
    tulle__text_format(out,
                       ",\"totals\":{\"up\":%zu,\"suspect\":%zu,\"gone\":%zu,\"left\":%zu,"
                       "\"named\":%zu,\"proxies\":%zu,\"segments\":%zu,\"streams\":%zu,"
                       "\"lanes\":%zu",
                       t->up, t->suspect, t->gone, t->left, t->named, t->proxies, t->segments,
                       t->streams, t->lanes);
    if (rates->is_known) {
        tulle__text_format(out,
                           ",\"out_rate\":%.3f,\"out_bytes_rate\":%.3f,\"in_rate\":%.3f,"
                           "\"in_bytes_rate\":%.3f",
                           rates->events_published, rates->bytes_published, rates->events_delivered,
                           rates->bytes_delivered);
    } else {
        tulle__text_str(out, ",\"out_rate\":null,\"out_bytes_rate\":null,\"in_rate\":null,"
                             "\"in_bytes_rate\":null");
    }
    tulle__text_format(out,
                       ",\"worst_lag\":%" PRIu64 ",\"behind_ms\":%" PRIu64 ",\"gaps\":%" PRIu64
                       ",\"lost\":%" PRIu64 ",\"dropped\":%" PRIu64 ",\"held_now\":%" PRIu64 "}",
                       t->worst.worst, t->worst.behind_ms, t->gaps, t->events_lost, t->dropped,
                       t->held_now);
}

/* Who takes the lane, and how far it is. */
static void
put_takers(const struct tulle__top_model *model, size_t lane, struct tulle__text *out)
{
    const tulle_seen_lane *seen = &model->snapshot->lanes[lane];
    tulle__text_str(out, ",\"consumers\":[");
    for (size_t i = 0; i < seen->taker_count; i++) {
        const tulle_seen_taker *taker = &seen->takers[i];
        uint64_t lag = tulle__mesh_lag(seen, taker);
        size_t node = tulle__mesh_find(&model->mesh, taker->node);
        const char *label = node == SIZE_MAX ? "" : model->mesh.nodes[node].label;
        tulle__text_str(out, i > 0 ? ",{\"node\":" : "{\"node\":");
        tulle__json_put_str(out, label, strlen(label));
        tulle__json_id(out, "id", taker->node);
        tulle__json_u64(out, "acked", taker->acked);
        tulle__json_u64(out, "lag", lag);
        tulle__json_u64(out, "behind_ms", tulle__top_behind_ms(model, lane, lag));
        tulle__text_char(out, '}');
    }
    tulle__text_char(out, ']');
}

void
tulle__top_json_rows(const struct tulle__top_model *model,
                     const struct tulle__top_query *query,
                     const struct tulle__top_rows *rows,
                     size_t limit,
                     bool is_one_line,
                     struct tulle__text *out)
{
    const struct tulle__top_table *table = tulle__top_table(query->screen);
    const char *end = is_one_line ? "" : "\n";
    tulle__text_format(out, ",%s\"%s\":[", end, table->name);
    for (size_t k = 0; k < rows->count && k < limit; k++) {
        tulle__text_format(out, "%s%s{", k > 0 ? "," : "", end);
        for (size_t i = 0; i < table->count; i++) {
            struct tulle__top_cell cell = tulle__top_value(model, query->screen, &rows->rows[k], i);
            tulle__text_format(out, "%s\"%s\":", i > 0 ? "," : "", table->columns[i].key);
            put_json(table->columns[i].kind, &cell, out);
        }
        if (query->screen == TULLE__TOP_LANES)
            put_takers(model, rows->rows[k].lane, out);
        tulle__text_char(out, '}');
    }
    tulle__text_char(out, ']');
}
