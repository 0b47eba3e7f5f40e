/* SPDX-License-Identifier: MPL-2.0 */

/* What tap can be asked for. Names and letters are those of mosquitto_sub where
 * it has the same thing. */

#include "tools/tap/tap_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct tulle__choice orders[] = {
    { "none", TULLE_ORDER_NONE },
    { "fifo", TULLE_ORDER_FIFO },
    { "causal", TULLE_ORDER_CAUSAL },
    { NULL, 0 },
};

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
    { .name = "no_clock", .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(has_no_clock), .help = "with --json, leave clock and deps out: cheaper in a large mesh" },
    { .name = "no_newline", .letter = 'N', .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(has_no_newline), .help = "with -F, no newline behind each event" },
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
    { .name = "causal", .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_causal), .help = "show events when they are delivered, in the order of --order (default)" },
    { .name = "arrival", .letter = 'a', .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_arrival), .help = "show events when they arrive, in whatever order" },
    { .name = "both", .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_both), .help = "show both moments of each event" },
    { .name = "order", .letter = 'o', .type = TULLE__OPTION_CHOICE, .flags = HERE, .offset = AT(order),
      .arg = "ORDER", .choices = orders,
      .help = "order of delivery: none (nothing is repaired), fifo (each node's own), or causal (causes first, over all patterns)" },
    { .name = "from", .type = TULLE__OPTION_STRING, .flags = HERE, .offset = AT(from),
      .arg = "WHERE", .help = "where reading begins: live, earliest (all that is still kept), or last:N (the last N events of each node and stream)" },
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
        .from = "live",
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
parse_from(const char *text, tulle_subscribe_options *subscribe)
{
    if (strcmp(text, "live") == 0) {
        subscribe->from = TULLE_FROM_LIVE;
        return true;
    }
    if (strcmp(text, "earliest") == 0) {
        subscribe->from = TULLE_FROM_EARLIEST;
        return true;
    }
    subscribe->from = TULLE_FROM_LAST;
    return strncmp(text, "last:", 5) == 0 &&
           tulle__parse_u64(text + 5, 1, UINT64_MAX, &subscribe->from_count);
}

static bool
wants_colour(const struct tulle__tap_options *options)
{
    if (options->colour != TULLE__TAP_COLOUR_AUTO)
        return options->colour == TULLE__TAP_COLOUR_ALWAYS;
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return isatty(STDOUT_FILENO) == 1 && (no_color == NULL || no_color[0] == '\0') &&
           term != NULL && strcmp(term, "dumb") != 0;
}

static uint32_t
flags_of(const struct tulle__tap_options *options, const struct tulle__format *format)
{
    uint32_t flags = 0;
    if (options->is_arrival || options->is_both)
        flags |= TULLE_WATCH_ARRIVALS;
    if (options->has_duplicates)
        flags |= TULLE_WATCH_DUPLICATES;
    if (options->has_peers)
        flags |= TULLE_WATCH_PEERS;
    if (options->is_json && !options->has_no_clock)
        flags |= TULLE_DETAIL_CLOCK | TULLE_DETAIL_DEPS;
    if (options->is_verbose)
        flags |= TULLE_DETAIL_DEPS;
    if (format != NULL)
        flags |= tulle__format_details(format);
    return flags;
}

int
tulle__tap_options_finish(const struct tulle__program *program,
                          const struct tulle__tap_options *options,
                          tulle_subscribe_options *subscribe,
                          struct tulle__tap_printer *printer,
                          struct tulle__format **format)
{
    *format = NULL;
    tulle_subscribe_options_init(subscribe);
    if (options->is_causal + options->is_arrival + options->is_both > 1)
        return tulle__args_usage(program, "--causal, --arrival and --both exclude each other");
    if (options->is_json && options->format != NULL)
        return tulle__args_usage(program, "--json and --format exclude each other");
    if (!parse_from(options->from, subscribe))
        return tulle__args_usage(program, "--from: '%s' is not live, earliest or last:N",
                                 options->from);
    const char *problem = NULL;
    if (options->format != NULL && !tulle__format_new(options->format, format, &problem))
        return tulle__args_usage(program, "--format: %s", problem);
    subscribe->order = (tulle_order)options->order;
    subscribe->flags = flags_of(options, *format);

    printer->form = TULLE__TAP_HUMAN;
    if (options->is_json)
        printer->form = TULLE__TAP_JSON;
    else if (*format != NULL)
        printer->form = TULLE__TAP_FORMAT;
    printer->format = *format;
    printer->moment = TULLE__TAP_DELIVERED;
    if (options->is_arrival)
        printer->moment = TULLE__TAP_ARRIVED;
    else if (options->is_both)
        printer->moment = TULLE__TAP_BOTH;
    printer->has_colour = wants_colour(options);
    printer->is_verbose = options->is_verbose;
    printer->has_no_newline = options->has_no_newline;
    return 0;
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
        "  tulle tap --join tcp://192.0.2.7:7100 --json --from last:10 'sensors/*/temp'");
}
