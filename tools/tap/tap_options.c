/* SPDX-License-Identifier: MPL-2.0 */

/* What tap can be asked for. Names and letters are those of mosquitto_sub where
 * it has the same thing. */

#include "tools/tap/tap_options.h"

#include "tools/common/event_rows.h"
#include "tools/common/terminal.h"
#include "tools/common/tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const struct tulle__choice colours[] = {
    { "auto", TULLE__TAP_COLOUR_AUTO },
    { "always", TULLE__TAP_COLOUR_ALWAYS },
    { "never", TULLE__TAP_COLOUR_NEVER },
    { NULL, 0 },
};

// clang-format off
#define AT(field) offsetof(struct tulle__tap_options, field)
#define HERE TULLE__OPTION_FLAG_ONLY
static const struct tulle__option output_options[] = {
    { .name = "format", .letter = 'F', .type = TULLE__OPTION_STRING, .flags = HERE,
      .offset = AT(format), .arg = "FORMAT", .help = "print events as FORMAT says, see below" },
    { .name = "json", .letter = 'J', .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_json), .help = "print one JSON object a line" },
    { .name = "cloudevents", .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_cloudevents), .help = "print a CloudEvent 1.0 in JSON a line" },
    { .name = "jq", .type = TULLE__OPTION_STRING, .flags = HERE, .offset = AT(jq), .arg = "FILTER",
      .help = "print what the jq program FILTER makes of the object that --json prints" },
    { .name = "raw", .letter = 'r', .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_raw), .help = "print payloads, the bytes as they are" },
    { .name = "pretty", .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_pretty), .help = "JSON on several lines" },
    { .name = "headers_only", .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_headers_only), .help = "leave payloads out" },
    { .name = "no_clock", .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(has_no_clock), .help = "with --json and the like, leave clock and deps out: cheaper in a large mesh" },
    { .name = "no_newline", .letter = 'N', .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(has_no_newline), .help = "with -F and --raw, no newline behind each event" },
    { .name = "color", .type = TULLE__OPTION_CHOICE, .flags = HERE, .offset = AT(colour),
      .arg = "WHEN", .implied = "always", .choices = colours,
      .help = "use colours: always, never, or auto (on a terminal, unless NO_COLOR is set)" },
    { .name = "verbose", .letter = 'v', .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_verbose), .help = "add each event's name, latency, dependencies, causes, headers" },
    { .name = "quiet", .letter = 'q', .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_quiet), .help = "no summary, no remarks" },
    { .name = "count", .letter = 'C', .type = TULLE__OPTION_U64, .flags = HERE,
      .offset = AT(count), .arg = "N", .min = 1, .max = 1e18, .help = "end after N events" },
    { .name = "timeout", .letter = 'W', .type = TULLE__OPTION_SECONDS, .flags = HERE,
      .offset = AT(timeout_ms), .arg = "SECONDS", .help = "end after so long, with status 27" },
};

static const struct tulle__option event_options[] = {
    TULLE__ROW_EXCLUDE(AT(exclude), 256),
    TULLE__ROW_WHERE(AT(where), "--json"),
    { .name = "causal", .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_causal), .help = "show events when they are delivered, in the order of --order (default)" },
    { .name = "arrival", .letter = 'a', .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_arrival), .help = "show events when they arrive, in whatever order" },
    { .name = "both", .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_both), .help = "show both moments of each event" },
    { .name = "reorder_view", .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_reorder_view), .help = "both orders side by side, with what was held, how long, and for what" },
    TULLE__ROW_ORDER(AT(order)),
    TULLE__ROW_FROM(AT(from)),
    TULLE__ROW_LAST(AT(last)),
    TULLE__ROW_SINCE(AT(since)),
    TULLE__ROW_UNTIL(AT(until), "shown"),
    TULLE__ROW_UNTIL_END(AT(is_until_end), "shown"),
    { .name = "duplicates", .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(has_duplicates), .help = "show events that came again" },
    { .name = "peers", .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(has_peers), .help = "show nodes that come and go" },
};
// clang-format on

void
tulle__tap_options_init(struct tulle__tap_options *options)
{
    *options = (struct tulle__tap_options){
        .order = TULLE_ORDER_CAUSAL,
        .timeout_ms = -1,
        .colour = TULLE__TAP_COLOUR_AUTO,
    };
}

struct tulle__option_group
tulle__tap_output_group(struct tulle__tap_options *options)
{
    return (struct tulle__option_group){ "Output", output_options,
                                         sizeof output_options / sizeof *output_options, options };
}

struct tulle__option_group
tulle__tap_event_group(struct tulle__tap_options *options)
{
    return (struct tulle__option_group){ "Events", event_options,
                                         sizeof event_options / sizeof *event_options, options };
}

static bool
wants_colour(const struct tulle__tap_options *options)
{
    if (options->colour != TULLE__TAP_COLOUR_AUTO)
        return options->colour == TULLE__TAP_COLOUR_ALWAYS;
    return tulle__terminal_has_colour();
}

static uint32_t
flags_of(const struct tulle__tap_options *options, const struct tulle__format *format)
{
    uint32_t flags = 0;
    bool is_object = options->is_json || options->is_cloudevents || options->jq != NULL;
    if (options->is_arrival || options->is_both || options->is_reorder_view)
        flags |= TULLE_WATCH_ARRIVALS;
    if (options->has_duplicates)
        flags |= TULLE_WATCH_DUPLICATES;
    if (options->has_peers)
        flags |= TULLE_WATCH_PEERS;
    if ((is_object || options->where != NULL) && !options->has_no_clock)
        flags |= TULLE_DETAIL_CLOCK | TULLE_DETAIL_DEPS;
    if (options->is_verbose)
        flags |= TULLE_DETAIL_DEPS;
    if (format != NULL)
        flags |= tulle__format_details(format);
    return flags;
}

/* NULL, or which options do not go together. */
static const char *
find_conflict(const struct tulle__tap_options *options)
{
    bool is_text = options->format != NULL || options->is_raw;
    bool is_object = options->is_json || options->is_cloudevents || options->jq != NULL;
    if (options->is_causal + options->is_arrival + options->is_both + options->is_reorder_view > 1)
        return "--causal, --arrival, --both and --reorder-view exclude each other";
    if ((options->format != NULL) + options->is_raw + options->is_json + options->is_cloudevents +
            (options->jq != NULL) + options->is_reorder_view >
        1)
        return "--format, --raw, --json, --cloudevents, --jq and --reorder-view exclude each "
               "other";
    if (options->is_headers_only && is_text)
        return "--headers-only has nothing to leave out with --format and --raw";
    if (options->is_pretty && !is_object && options->format == NULL)
        return "--pretty goes with --json, --cloudevents, --jq or --format";
    return NULL;
}

static int
make_query(const struct tulle__program *program,
           const char *name,
           const char *text,
           struct tulle__query **out)
{
    char problem[TULLE__QUERY_ERROR_LEN];
    if (text == NULL || tulle__query_new(text, out, problem))
        return 0;
    return tulle__args_usage(program, "%s: %s", name, problem);
}

/* Columns of the terminal, or what COLUMNS says, or 80. */
static size_t
line_width(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    uint64_t columns = 0;
    const char *text = getenv("COLUMNS");
    return text != NULL && tulle__parse_u64(text, 1, 1000, &columns) ? (size_t)columns : 80;
}

static enum tulle__tap_form
form_of(const struct tulle__tap_options *options)
{
    if (options->is_json)
        return TULLE__TAP_JSON;
    if (options->is_cloudevents)
        return TULLE__TAP_CLOUDEVENTS;
    if (options->jq != NULL)
        return TULLE__TAP_JQ;
    if (options->is_reorder_view)
        return TULLE__TAP_REORDER;
    return options->format != NULL || options->is_raw ? TULLE__TAP_FORMAT : TULLE__TAP_HUMAN;
}

static int
make_printer(const struct tulle__program *program,
             const struct tulle__tap_options *options,
             struct tulle__tap_printer *printer)
{
    const char *problem = NULL;
    const char *format = options->is_raw ? "%r" : options->format;
    printer->form = form_of(options);
    if (format != NULL && !tulle__format_new(format, &printer->format, &problem))
        return tulle__args_usage(program, "--format: %s", problem);
    if (format != NULL && options->is_pretty)
        tulle__format_set_pretty(printer->format);
    printer->moment = TULLE__TAP_DELIVERED;
    if (options->is_arrival)
        printer->moment = TULLE__TAP_ARRIVED;
    else if (options->is_both || options->is_reorder_view)
        printer->moment = TULLE__TAP_BOTH;
    printer->has_colour = wants_colour(options);
    printer->is_verbose = options->is_verbose;
    printer->is_pretty = options->is_pretty;
    printer->has_no_payload = options->is_headers_only;
    printer->has_no_newline = options->has_no_newline;
    if (options->is_reorder_view) {
        printer->reorder = tulle__reorder_new(line_width(), printer->has_colour);
        if (printer->reorder == NULL)
            return tulle__tool_fail(program, "out of memory");
    }
    return make_query(program, "--jq", options->jq, &printer->query);
}

int
tulle__tap_options_finish(const struct tulle__program *program,
                          const struct tulle__tap_options *options,
                          int64_t now_us,
                          struct tulle__tap_plan *plan)
{
    *plan = (struct tulle__tap_plan){ 0 };
    tulle__event_filter_init(&plan->filter);
    tulle_subscribe_options_init(&plan->subscribe);
    const char *problem = find_conflict(options);
    if (problem == NULL)
        problem =
            tulle__from_choose(options->from, options->last, options->since, &plan->subscribe);
    if (problem != NULL)
        return tulle__args_usage(program, "%s", problem);
    int status = make_printer(program, options, &plan->printer);
    const struct tulle__event_filter_texts texts = { &options->exclude, options->since,
                                                     options->until, options->where };
    if (status == 0)
        status = tulle__event_filter_set(&plan->filter, program, &texts, now_us);
    plan->subscribe.order = (tulle_order)options->order;
    plan->subscribe.flags = flags_of(options, plan->printer.format);
    return status;
}

void
tulle__tap_plan_fini(struct tulle__tap_plan *plan)
{
    tulle__tap_printer_fini(&plan->printer);
    tulle__event_filter_fini(&plan->filter);
}

void
tulle__tap_notes(char *out, size_t len)
{
    size_t used = 0;
    int wrote =
        snprintf(out, len,
                 "PATTERN: '*' is one level of a topic, '**' any number; without one: '**'.\n\n"
                 "FORMAT: %%[-][0][width][.length]LETTER with\n");
    char letter = '\0';
    const char *meaning = NULL;
    for (size_t i = 0; wrote > 0 && (meaning = tulle__format_field(i, &letter)) != NULL; i++) {
        used += (size_t)wrote;
        if (used >= len)
            return;
        wrote = snprintf(out + used, len - used, "  %%%c  %s\n", letter, meaning);
    }
    used += wrote > 0 ? (size_t)wrote : 0;
    if (used >= len)
        return;
    (void)snprintf(
        out + used, len - used,
        "  %%%%  a percent sign; @@ an at sign; @LETTER strftime(3); \\n \\t \\\\ ...\n\n"
        "Examples:\n"
        "  tulle tap --join tcp://192.0.2.7:7100 'orders/**'\n"
        "  tulle tap --beacon -F '@H:@M:@S %%-20t %%p'\n"
        "  tulle tap --join tcp://192.0.2.7:7100 --json --from last:10 'sensors/*/temp'\n"
        "  tulle tap --beacon --where '.payload.amount > 100' --since 10m 'orders/**'\n"
        "  tulle tap --beacon --reorder-view");
}
