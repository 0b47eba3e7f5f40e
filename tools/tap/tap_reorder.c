/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/tap/tap_reorder.h"

#include "tools/common/terminal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    WIDTH_LEAST = 60,
    TIME_WIDTH = 13, /* "12:00:00.000 " */
    CELL_MAX = 256,  /* bytes of a cell */
    WAITING_MAX = 256,
    NAMES_MAX = 1024,
    NAME_MAX_LEN = 64
};

/* What arrived and is not printed yet. */
struct waiting {
    uint64_t node, seq;
    size_t stream_hash;
    char time[TIME_WIDTH + 1];
    char cell[CELL_MAX];
};

struct name {
    uint64_t node;
    char text[NAME_MAX_LEN];
};

struct tulle__reorder {
    size_t column; /* characters */
    bool has_colour;
    size_t first, count; /* of waiting */
    struct waiting waiting[WAITING_MAX];
    struct name names[NAMES_MAX]; /* by id modulo their number: those seen lately */
    int64_t second;
    char clock[16];
};

struct tulle__reorder *
tulle__reorder_new(size_t width, bool has_colour)
{
    struct tulle__reorder *reorder = calloc(1, sizeof *reorder);
    if (reorder == NULL)
        return NULL;
    width = width < WIDTH_LEAST ? WIDTH_LEAST : width;
    reorder->column = (width - TIME_WIDTH - 3) / 2;
    reorder->has_colour = has_colour;
    return reorder;
}

void
tulle__reorder_free(struct tulle__reorder **pointer)
{
    free(*pointer);
    *pointer = NULL;
}

static size_t
hash_of(const char *text)
{
    size_t hash = 5381;
    for (; *text != '\0'; text++)
        hash = hash * 33 + (unsigned char)*text;
    return hash;
}

static void
write_time(struct tulle__reorder *r, int64_t time_us, char out[static TIME_WIDTH + 1])
{
    int64_t second = time_us / 1000000;
    if (r->clock[0] == '\0' || r->second != second) {
        time_t when = (time_t)second;
        struct tm tm;
        if (localtime_r(&when, &tm) == NULL ||
            strftime(r->clock, sizeof r->clock, "%H:%M:%S", &tm) == 0)
            (void)snprintf(r->clock, sizeof r->clock, "--:--:--");
        r->second = second;
    }
    (void)snprintf(out, TIME_WIDTH + 1, "%.8s.%03u ", r->clock,
                   (unsigned)((time_us - second * 1000000) / 1000 % 1000));
}

static void
keep_name(struct tulle__reorder *r, const tulle_event *event)
{
    struct name *name = &r->names[event->node % NAMES_MAX];
    if (name->node == event->node || event->node_name[0] == '\0')
        return;
    name->node = event->node;
    (void)snprintf(name->text, sizeof name->text, "%s", event->node_name);
}

/* "shop/orders:7"; with the id while the name is not known. */
static void
write_lane(const struct tulle__reorder *r, const tulle_clock_entry *lane, char *out, size_t len)
{
    const struct name *name = &r->names[lane->node % NAMES_MAX];
    if (name->node == lane->node)
        (void)snprintf(out, len, "%s/%s:%" PRIu64, name->text, lane->stream, lane->count);
    else
        (void)snprintf(out, len, "%016" PRIx64 "/%s:%" PRIu64, lane->node, lane->stream,
                       lane->count);
}

static void
write_cell(const tulle_event *event, char out[static CELL_MAX])
{
    char id[20] = "";
    if (event->node_name[0] == '\0')
        (void)snprintf(id, sizeof id, "%016" PRIx64, event->node);
    (void)snprintf(out, CELL_MAX, "%s%s %s %" PRIu64 "%s", event->node_name, id, event->topic,
                   event->seq, event->is_repaired ? " repaired" : "");
}

/* At most width characters of text; a longer one loses its middle, as numbers are at its
 * end. padded: filled up to the width. */
static void
put_cell(struct tulle__text *out, const char *text, size_t width, bool is_padded)
{
    size_t len = strlen(text);
    size_t chars = 0;
    bool is_safe;
    for (size_t i = 0; i < len; i += tulle__terminal_step(text + i, len - i, &is_safe))
        chars++;
    size_t head = chars <= width ? chars : width / 3;
    size_t tail_from = chars <= width ? chars : chars - (width - head - 1);
    size_t at = 0;
    for (size_t i = 0, step; i < len; i += step) {
        step = tulle__terminal_step(text + i, len - i, &is_safe);
        at++;
        if (at <= head || at > tail_from)
            tulle__text_put(out, is_safe ? text + i : "?", is_safe ? step : 1);
        else if (at == head + 1)
            tulle__text_char(out, '~');
    }
    for (size_t i = chars; is_padded && i < width; i++)
        tulle__text_char(out, ' ');
}

static void
put_colour(const struct tulle__reorder *r, const char *code, struct tulle__text *out)
{
    if (r->has_colour)
        tulle__text_str(out, code);
}

static void
put_line(struct tulle__reorder *r,
         const char *time,
         const char *left,
         const char *right,
         struct tulle__text *out)
{
    put_colour(r, "\033[2m", out);
    tulle__text_str(out, time);
    put_colour(r, "\033[0m", out);
    put_cell(out, left, r->column, true);
    tulle__text_str(out, right[0] != '\0' ? " | " : " |");
    put_colour(r, right[0] == ' ' ? "\033[33m" : "", out); /* a note */
    put_cell(out, right, r->column, false);
    put_colour(r, right[0] == ' ' ? "\033[0m" : "", out);
    tulle__text_char(out, '\n');
}

void
tulle__reorder_head(struct tulle__reorder *r, struct tulle__text *out)
{
    char dashes[CELL_MAX];
    size_t count = r->column < CELL_MAX ? r->column : CELL_MAX - 1;
    memset(dashes, '-', count);
    dashes[count] = '\0';
    put_line(r, "time         ", "arrived", "delivered", out);
    put_line(r, "------------ ", dashes, dashes, out);
}

static struct waiting *
oldest(struct tulle__reorder *r)
{
    return &r->waiting[r->first % WAITING_MAX];
}

static void
drop_oldest(struct tulle__reorder *r)
{
    r->first++;
    r->count--;
}

static void
put_oldest(struct tulle__reorder *r, struct tulle__text *out)
{
    const struct waiting *waiting = oldest(r);
    put_line(r, waiting->time, waiting->cell, "", out);
    drop_oldest(r);
}

bool
tulle__reorder_has_more(const struct tulle__reorder *r)
{
    return r->count > 0;
}

void
tulle__reorder_flush(struct tulle__reorder *r, struct tulle__text *out)
{
    while (r->count > 0)
        put_oldest(r, out);
}

static void
put_arrival(struct tulle__reorder *r, const tulle_event *event, struct tulle__text *out)
{
    if (r->count == WAITING_MAX)
        put_oldest(r, out);
    struct waiting *waiting = &r->waiting[(r->first + r->count++) % WAITING_MAX];
    waiting->node = event->node;
    waiting->seq = event->seq;
    waiting->stream_hash = hash_of(event->stream);
    write_time(r, event->time_us + event->delay_us, waiting->time);
    write_cell(event, waiting->cell);
}

static bool
is_waiting(const struct tulle__reorder *r, const tulle_event *event, size_t hash)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct waiting *w = &r->waiting[(r->first + i) % WAITING_MAX];
        if (w->seq == event->seq && w->node == event->node && w->stream_hash == hash)
            return true;
    }
    return false;
}

/* Under the event: how long it was held, and for what. */
static void
put_note(struct tulle__reorder *r, const tulle_event *event, struct tulle__text *out)
{
    char lane[CELL_MAX];
    char note[CELL_MAX + 40];
    bool is_long = event->held_us >= 10000000;
    double held = (double)event->held_us / (is_long ? 1e6 : 1e3);
    const char *indent = "             ";
    write_lane(r, &event->waited_for, lane, sizeof lane);
    (void)snprintf(note, sizeof note, " held %.1f %s for %s", held, is_long ? "s" : "ms", lane);
    put_line(r, indent, "", note, out);
}

static void
put_delivery(struct tulle__reorder *r, const tulle_event *event, struct tulle__text *out)
{
    char cell[CELL_MAX];
    char time[TIME_WIDTH + 1];
    size_t hash = hash_of(event->stream);
    bool is_here = is_waiting(r, event, hash);
    write_cell(event, cell);
    write_time(r, event->time_us + event->delay_us + event->held_us, time);
    /* What came before it and goes later shows so. */
    while (r->count > 0 && !(is_here && oldest(r)->seq == event->seq &&
                             oldest(r)->node == event->node && oldest(r)->stream_hash == hash))
        put_oldest(r, out);
    put_line(r, time, is_here ? oldest(r)->cell : "", cell, out);
    if (is_here)
        drop_oldest(r);
    if (event->waited_for.count > 0)
        put_note(r, event, out);
}

void
tulle__reorder_put(struct tulle__reorder *r, const tulle_message *message, struct tulle__text *out)
{
    const tulle_event *event = &message->u.event;
    keep_name(r, event);
    if (message->kind == TULLE_MESSAGE_ARRIVAL)
        put_arrival(r, event, out);
    else
        put_delivery(r, event, out);
}
