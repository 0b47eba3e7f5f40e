/* SPDX-License-Identifier: MPL-2.0 */

/* One line a message. For people: time, node, topic, payload, and in brackets
 * what was out of the ordinary. What a peer sent never reaches a terminal with
 * control characters in it. */

#include "tools/tap/tap_print.h"

#include "app/json.h"
#include "tools/common/terminal.h"
#include "tools/tap/tap_cloudevent.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    HELD_SHOWN_US = 1000, /* shorter waits are no news */
    BINARY_SHOWN = 32,    /* bytes of a payload that is no text */
    NAME_WIDTH = 14
};

enum colour { COLOUR_NONE = 0, COLOUR_DIM, COLOUR_NODE, COLOUR_TOPIC, COLOUR_MARK, COLOUR_BAD };

bool
tulle__tap_is_shown(const struct tulle__tap_printer *printer, tulle_message_kind kind)
{
    if (kind == TULLE_MESSAGE_ARRIVAL)
        return printer->moment != TULLE__TAP_DELIVERED;
    return kind == TULLE_MESSAGE_EVENT && printer->moment != TULLE__TAP_ARRIVED;
}

bool
tulle__tap_is_counted(const struct tulle__tap_printer *printer, tulle_message_kind kind)
{
    if (printer->form == TULLE__TAP_REORDER)
        return kind == TULLE_MESSAGE_EVENT;
    return tulle__tap_is_shown(printer, kind);
}

void
tulle__tap_printer_fini(struct tulle__tap_printer *printer)
{
    tulle__format_free(&printer->format);
    tulle__query_free(&printer->query);
    tulle__reorder_free(&printer->reorder);
    tulle__text_free(&printer->json);
}

static void
set_colour(const struct tulle__tap_printer *printer, enum colour colour, struct tulle__text *out)
{
    static const char *const codes[] = { "\033[0m", "\033[2m",  "\033[36m",
                                         "\033[1m", "\033[33m", "\033[31m" };
    if (printer->has_colour)
        tulle__text_str(out, codes[colour]);
}

static void
put_str(struct tulle__text *out, const char *text)
{
    tulle__terminal_put_safe(out, text, strlen(text));
}

static void
put_coloured(const struct tulle__tap_printer *printer,
             enum colour colour,
             const char *text,
             struct tulle__text *out)
{
    set_colour(printer, colour, out);
    put_str(out, text);
    set_colour(printer, COLOUR_NONE, out);
}

/* Local time of day; what is the same for a whole second is kept. */
static void
put_clock(struct tulle__tap_printer *printer, int64_t time_us, struct tulle__text *out)
{
    int64_t micros = time_us % 1000000;
    micros = micros < 0 ? 0 : micros;
    int64_t second = (time_us - micros) / 1000000;
    if (printer->clock[0] == '\0' || printer->second != second) {
        time_t when = (time_t)second;
        struct tm tm;
        if (localtime_r(&when, &tm) == NULL ||
            strftime(printer->clock, sizeof printer->clock, "%H:%M:%S", &tm) == 0)
            (void)snprintf(printer->clock, sizeof printer->clock, "--:--:--");
        printer->second = second;
    }
    set_colour(printer, COLOUR_DIM, out);
    tulle__text_format(out, "%s.%06" PRId64 " ", printer->clock, micros);
    set_colour(printer, COLOUR_NONE, out);
}

/* The node's name, or its id while the name is not known, padded. */
static void
put_node(const struct tulle__tap_printer *printer,
         uint64_t node,
         const char *name,
         struct tulle__text *out)
{
    char id[20];
    if (name[0] == '\0') {
        (void)snprintf(id, sizeof id, "%016" PRIx64, node);
        name = id;
    }
    put_coloured(printer, COLOUR_NODE, name, out);
    size_t chars = 0;
    for (const char *at = name; *at != '\0'; at++)
        chars += ((unsigned char)*at & 0xc0) != 0x80;
    do
        tulle__text_char(out, ' ');
    while (++chars <= NAME_WIDTH);
}

static void
put_payload(const tulle_event *event, struct tulle__text *out)
{
    struct tulle__text payload = { 0 };
    tulle__payload_put(event, &payload);
    bool is_text = tulle__payload_is_msgpack(event) || tulle__is_text(payload.bytes, payload.len);
    if (is_text) {
        tulle__terminal_put_safe(out, payload.bytes, payload.len);
    } else {
        size_t shown = event->payload_len < BINARY_SHOWN ? event->payload_len : BINARY_SHOWN;
        tulle__text_str(out, "0x");
        tulle__text_hex(out, event->payload, shown, false);
        if (shown < event->payload_len)
            tulle__text_format(out, "... (%zu bytes)", event->payload_len);
    }
    tulle__text_free(&payload);
}

static void
put_span(struct tulle__text *out, int64_t us)
{
    double ms = (double)us / 1000.0;
    if (us > -10000 && us < 10000)
        tulle__text_format(out, "%.1f ms", ms);
    else if (us > -10000000 && us < 10000000)
        tulle__text_format(out, "%.0f ms", ms);
    else
        tulle__text_format(out, "%.1f s", ms / 1000.0);
}

static void
put_lane(struct tulle__text *out, uint64_t node, const char *stream, char mark, uint64_t number)
{
    tulle__text_id(out, node);
    tulle__text_char(out, '/');
    put_str(out, stream);
    tulle__text_char(out, mark);
    tulle__text_u64(out, number);
}

static void
put_verbose(const tulle_event *event, struct tulle__text *out)
{
    tulle__text_str(out, " [");
    put_lane(out, event->node, event->stream, '/', event->seq);
    tulle__text_str(out, "] [latency ");
    put_span(out, event->delay_us);
    tulle__text_char(out, ']');
    for (size_t i = 0; i < event->dep_count; i++) {
        tulle__text_str(out, i == 0 ? " [after " : " ");
        put_lane(out, event->deps[i].node, event->deps[i].stream, ':', event->deps[i].count);
    }
    if (event->dep_count > 0)
        tulle__text_char(out, ']');
    for (size_t i = 0; i < event->cause_count; i++) {
        tulle__text_str(out, i == 0 ? " [caused by " : " ");
        put_lane(out, event->causes[i].node, event->causes[i].stream, '/', event->causes[i].seq);
    }
    if (event->cause_count > 0)
        tulle__text_char(out, ']');
    if (event->content_type != NULL) {
        tulle__text_str(out, " [type ");
        put_str(out, event->content_type);
        tulle__text_char(out, ']');
    }
    for (size_t i = 0; i < event->header_count; i++) {
        tulle__text_str(out, " [");
        put_str(out, event->headers[i].name);
        tulle__text_char(out, '=');
        put_str(out, event->headers[i].value);
        tulle__text_char(out, ']');
    }
}

static void
put_marks(const struct tulle__tap_printer *printer,
          const tulle_message *message,
          struct tulle__text *out)
{
    const tulle_event *event = &message->u.event;
    set_colour(printer, COLOUR_MARK, out);
    if (message->kind == TULLE_MESSAGE_DUPLICATE)
        tulle__text_format(out, " [duplicate of %" PRIu64 "]", event->seq);
    if (event->held_us >= HELD_SHOWN_US) {
        tulle__text_str(out, " [held ");
        put_span(out, event->held_us);
        if (printer->is_verbose && event->waited_for.count > 0) {
            tulle__text_str(out, " for ");
            put_lane(out, event->waited_for.node, event->waited_for.stream, ':',
                     event->waited_for.count);
        }
        tulle__text_char(out, ']');
    }
    if (event->is_repaired)
        tulle__text_str(out, " [repaired]");
    if (event->is_late)
        tulle__text_str(out, " [late]");
    if (event->hops > 0)
        tulle__text_format(out, " [hops %" PRIu32 "]", event->hops);
    set_colour(printer, COLOUR_DIM, out);
    if (printer->is_verbose)
        put_verbose(event, out);
    set_colour(printer, COLOUR_NONE, out);
}

static void
put_event(struct tulle__tap_printer *printer, const tulle_message *message, struct tulle__text *out)
{
    const tulle_event *event = &message->u.event;
    put_clock(printer, event->time_us, out);
    if (printer->moment == TULLE__TAP_BOTH && message->kind != TULLE_MESSAGE_DUPLICATE)
        tulle__text_str(out, message->kind == TULLE_MESSAGE_ARRIVAL ? "arrived   " : "delivered ");
    put_node(printer, event->node, event->node_name, out);
    put_coloured(printer, COLOUR_TOPIC, event->topic, out);
    if (printer->has_no_payload) {
        tulle__text_format(out, " (%zu bytes)", event->payload_len);
    } else {
        tulle__text_char(out, ' ');
        put_payload(event, out);
    }
    put_marks(printer, message, out);
}

static void
put_gap(struct tulle__tap_printer *printer,
        const tulle_gap *gap,
        int64_t now_us,
        struct tulle__text *out)
{
    put_clock(printer, now_us, out);
    put_node(printer, gap->node, gap->node_name, out);
    put_coloured(printer, COLOUR_TOPIC, gap->stream, out);
    set_colour(printer, COLOUR_BAD, out);
    if (gap->first == gap->last)
        tulle__text_format(out, " GAP: event %" PRIu64 " is", gap->first);
    else
        tulle__text_format(out, " GAP: events %" PRIu64 " to %" PRIu64 " are", gap->first,
                           gap->last);
    tulle__text_format(out, " lost (%s)", tulle__gap_reason_name(gap->reason));
    set_colour(printer, COLOUR_NONE, out);
}

static void
put_peer(struct tulle__tap_printer *printer,
         const tulle_peer *peer,
         int64_t now_us,
         struct tulle__text *out)
{
    put_clock(printer, now_us, out);
    put_node(printer, peer->node, peer->name, out);
    set_colour(printer, COLOUR_MARK, out);
    tulle__text_format(out, "%s %s", peer->is_proxy ? "proxy" : "node",
                       tulle__peer_state_name(peer->state));
    set_colour(printer, COLOUR_NONE, out);
    if (peer->address[0] != '\0') {
        tulle__text_char(out, ' ');
        put_str(out, peer->address);
    }
    if (peer->hops > 0)
        tulle__text_format(out, " [hops %" PRIu32 "]", peer->hops);
    if (printer->is_verbose || peer->name[0] == '\0')
        tulle__text_format(out, " [%016" PRIx64 "]", peer->node);
}

static void
put_human(struct tulle__tap_printer *printer,
          const tulle_message *message,
          int64_t now_us,
          struct tulle__text *out)
{
    switch (message->kind) {
    case TULLE_MESSAGE_EVENT:
    case TULLE_MESSAGE_ARRIVAL:
    case TULLE_MESSAGE_DUPLICATE:
        put_event(printer, message, out);
        break;
    case TULLE_MESSAGE_GAP:
        put_gap(printer, &message->u.gap, now_us, out);
        break;
    case TULLE_MESSAGE_PEER:
        put_peer(printer, &message->u.peer, now_us, out);
        break;
    }
    tulle__text_char(out, '\n');
}

/* ---- gaps, for %g ---- */

static void
keep_gap(struct tulle__tap_printer *printer, const tulle_gap *gap)
{
    struct tulle__tap_gap *kept = NULL;
    for (size_t i = 0; i < TULLE__TAP_GAPS_KEPT && kept == NULL; i++) {
        struct tulle__tap_gap *at = &printer->gaps[i];
        if (at->next == gap->first && at->node == gap->node && strcmp(at->stream, gap->stream) == 0)
            kept = at;
    }
    if (kept == NULL) {
        kept = &printer->gaps[printer->gap_turn++ % TULLE__TAP_GAPS_KEPT];
        kept->node = gap->node;
        kept->count = 0;
        (void)snprintf(kept->stream, sizeof kept->stream, "%s", gap->stream);
    }
    kept->next = gap->last + 1;
    kept->count += gap->last - gap->first + 1;
}

/* How many events are lost just before this one? */
static uint64_t
take_gap(struct tulle__tap_printer *printer, const tulle_event *event)
{
    for (size_t i = 0; printer->gap_turn > 0 && i < TULLE__TAP_GAPS_KEPT; i++) {
        struct tulle__tap_gap *at = &printer->gaps[i];
        if (at->next == event->seq && at->node == event->node &&
            strcmp(at->stream, event->stream) == 0) {
            at->next = 0;
            return at->count;
        }
    }
    return 0;
}

/* ---- the forms ---- */

/* JSON in the scratch text goes out, on several lines if that is wanted. */
static void
put_object(struct tulle__tap_printer *printer, struct tulle__text *out)
{
    if (printer->is_pretty)
        tulle__json_put_pretty(out, printer->json.bytes, printer->json.len);
    else
        tulle__text_put(out, printer->json.bytes, printer->json.len);
    out->has_failed = out->has_failed || printer->json.has_failed;
    tulle__text_char(out, '\n');
}

static void
put_json(struct tulle__tap_printer *printer, const tulle_message *message, struct tulle__text *out)
{
    unsigned flags = printer->has_no_payload ? TULLE__JSON_NO_PAYLOAD : 0;
    if (!printer->is_pretty && printer->form == TULLE__TAP_JSON) {
        tulle__json_message(message, flags, out);
        tulle__text_char(out, '\n');
        return;
    }
    tulle__text_clear(&printer->json);
    tulle__json_message(message, flags, &printer->json);
    if (printer->form == TULLE__TAP_JSON)
        put_object(printer, out);
    else
        tulle__query_apply(printer->query, printer->json.bytes, printer->json.len,
                           printer->is_pretty, out);
}

static void
put_cloudevent(struct tulle__tap_printer *printer,
               const tulle_event *event,
               struct tulle__text *out)
{
    tulle__text_clear(&printer->json);
    tulle__cloudevent_put(event, !printer->has_no_payload, &printer->json);
    put_object(printer, out);
}

static void
put_formatted(struct tulle__tap_printer *printer,
              const tulle_message *message,
              struct tulle__text *out)
{
    tulle__format_apply(printer->format, message, take_gap(printer, &message->u.event), out);
    if (!printer->has_no_newline)
        tulle__text_char(out, '\n');
}

static void
put_reordered(struct tulle__tap_printer *printer,
              const tulle_message *message,
              struct tulle__text *out)
{
    if (!printer->has_head)
        tulle__reorder_head(printer->reorder, out);
    printer->has_head = true;
    tulle__reorder_put(printer->reorder, message, out);
}

static void
put_remark(struct tulle__tap_printer *printer,
           const tulle_message *message,
           int64_t now_us,
           struct tulle__text *remarks)
{
    bool has_colour = printer->has_colour;
    printer->has_colour = false;
    put_human(printer, message, now_us, remarks);
    printer->has_colour = has_colour;
}

/* Has the form a place for what is no event? */
static bool
has_place(const struct tulle__tap_printer *printer)
{
    return printer->form == TULLE__TAP_HUMAN || printer->form == TULLE__TAP_JSON ||
           printer->form == TULLE__TAP_REORDER;
}

void
tulle__tap_print(struct tulle__tap_printer *printer,
                 const tulle_message *message,
                 int64_t now_us,
                 struct tulle__text *out,
                 struct tulle__text *remarks)
{
    bool is_event = tulle__tap_is_shown(printer, message->kind);
    if (message->kind == TULLE_MESSAGE_GAP)
        keep_gap(printer, &message->u.gap);
    if (!is_event && !has_place(printer)) {
        /* Losing it silently is no choice. */
        put_remark(printer, message, now_us, remarks);
        return;
    }
    switch (printer->form) {
    case TULLE__TAP_JSON:
    case TULLE__TAP_JQ:
        put_json(printer, message, out);
        break;
    case TULLE__TAP_CLOUDEVENTS:
        put_cloudevent(printer, &message->u.event, out);
        break;
    case TULLE__TAP_FORMAT:
        put_formatted(printer, message, out);
        break;
    case TULLE__TAP_HUMAN:
        put_human(printer, message, now_us, out);
        break;
    case TULLE__TAP_REORDER:
        if (is_event) {
            put_reordered(printer, message, out);
        } else {
            tulle__reorder_flush(printer->reorder, out);
            put_human(printer, message, now_us, out);
        }
        break;
    }
}

bool
tulle__tap_has_rest(const struct tulle__tap_printer *printer)
{
    return printer->form == TULLE__TAP_REORDER && tulle__reorder_has_more(printer->reorder);
}

void
tulle__tap_print_rest(struct tulle__tap_printer *printer, struct tulle__text *out)
{
    if (printer->form == TULLE__TAP_REORDER)
        tulle__reorder_flush(printer->reorder, out);
}

void
tulle__tap_print_missed(struct tulle__tap_printer *printer,
                        uint64_t count,
                        int64_t now_us,
                        struct tulle__text *out,
                        struct tulle__text *remarks)
{
    if (printer->form == TULLE__TAP_JSON) {
        tulle__text_str(out, "{\"kind\":\"missed\",\"notices\":");
        tulle__text_u64(out, count);
        tulle__text_str(out, "}\n");
        return;
    }
    struct tulle__text *to = has_place(printer) ? out : remarks;
    tulle__tap_print_rest(printer, out);
    put_clock(printer, now_us, to);
    set_colour(printer, COLOUR_BAD, to);
    tulle__text_format(to, "MISSED: %" PRIu64 " arrivals, duplicates or peers: output is too slow",
                       count);
    set_colour(printer, COLOUR_NONE, to);
    tulle__text_char(to, '\n');
}
