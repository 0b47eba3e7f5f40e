/* SPDX-License-Identifier: MPL-2.0 */

/* What trace can be asked for. */

#include "tools/trace/trace_options.h"

#include "app/common.h"
#include "tools/common/event_filter.h"
#include "tools/common/terminal.h"

#include <string.h>

enum { FINDS_MAX = 32, PATTERNS_MAX = 255 };

enum colour { COLOUR_AUTO = 1, COLOUR_ALWAYS, COLOUR_NEVER };

static const struct tulle__choice colours[] = {
    { "auto", COLOUR_AUTO },
    { "always", COLOUR_ALWAYS },
    { "never", COLOUR_NEVER },
    { NULL, 0 },
};

static const char *
check_find(const char *value)
{
    const char *equals = strchr(value, '=');
    return equals != NULL && equals != value ? NULL : "no FIELD=VALUE";
}

// clang-format off
#define AT(field) offsetof(struct tulle__trace_options, field)
#define HERE TULLE__OPTION_FLAG_ONLY
static const struct tulle__option selection_options[] = {
    { .name = "topic", .letter = 't', .type = TULLE__OPTION_LIST, .flags = HERE, .offset = AT(topics),
      .arg = "PATTERN", .check = tulle__check_pattern, .max = PATTERNS_MAX,
      .help = "events whose topic matches" },
    { .name = "find", .letter = 'f', .type = TULLE__OPTION_LIST, .flags = HERE, .offset = AT(finds),
      .arg = "FIELD=VALUE", .check = check_find, .max = FINDS_MAX,
      .help = "events whose payload has this value in this field, such as order=17 or to.town=Riga; given again: this too" },
    { .name = "where", .type = TULLE__OPTION_STRING, .flags = HERE, .offset = AT(where), .arg = "EXPR",
      .help = "events for which this jq expression holds, such as '.payload.amount > 100'; it sees what tap --json prints" },
    { .name = "up", .letter = 'u', .type = TULLE__OPTION_FLAG, .flags = HERE, .offset = AT(is_up),
      .help = "only what caused them" },
    { .name = "down", .letter = 'd', .type = TULLE__OPTION_FLAG, .flags = HERE, .offset = AT(is_down),
      .help = "only what they caused" },
    { .name = "depth", .type = TULLE__OPTION_U64, .flags = HERE, .offset = AT(depth),
      .arg = "N", .min = 1, .max = 1e18, .help = "no more than N steps away from them" },
    { .name = "potential", .letter = 'p', .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(has_potential), .help = "where an event names no cause, what its clock says may have led to it" },
};

static const struct tulle__option source_options[] = {
    { .name = "file", .type = TULLE__OPTION_STRING, .flags = HERE, .offset = AT(file),
      .arg = "FILE", .help = "read a recording instead of joining a mesh" },
    { .name = "from", .type = TULLE__OPTION_STRING, .flags = HERE, .offset = AT(from),
      .arg = "WHERE", .help = "where reading begins: earliest (all that is still kept), last:N (the last N events of each node and stream), or live" },
    { .name = "take", .type = TULLE__OPTION_LIST, .flags = HERE, .offset = AT(takes),
      .arg = "PATTERN", .check = tulle__check_pattern, .max = PATTERNS_MAX,
      .help = "read only what matches; without it: everything" },
    { .name = "wait", .type = TULLE__OPTION_SECONDS, .flags = HERE, .offset = AT(wait_ms),
      .arg = "SECONDS", .help = "history is read when all known is, and for so long no other node or stream turned up; with --from live: when for so long nothing came that follows" },
    { .name = "timeout", .letter = 'W', .type = TULLE__OPTION_SECONDS, .flags = HERE,
      .offset = AT(timeout_ms), .arg = "SECONDS", .help = "end after so long in any case" },
    { .name = "limit", .type = TULLE__OPTION_U64, .flags = HERE, .offset = AT(limit),
      .arg = "EVENTS", .min = 1, .max = 4e9, .help = "read no more" },
    { .name = "limit_memory", .type = TULLE__OPTION_BYTES, .flags = HERE, .offset = AT(limit_bytes),
      .arg = "BYTES", .min = 1, .max = 1e15, .help = "read no more than fits" },
};

static const struct tulle__option output_options[] = {
    { .name = "json", .letter = 'J', .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_json), .help = "print one JSON object" },
    { .name = "dot", .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_dot), .help = "print a graph for Graphviz" },
    { .name = "mermaid", .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_mermaid), .help = "print a flowchart for Mermaid" },
    { .name = "shiviz", .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_shiviz), .help = "print a log for ShiViz" },
    { .name = "html", .type = TULLE__OPTION_STRING, .flags = HERE, .offset = AT(html),
      .arg = "FILE", .help = "write a page to look at in a browser, - to standard output" },
    { .name = "color", .type = TULLE__OPTION_CHOICE, .flags = HERE, .offset = AT(colour),
      .arg = "WHEN", .implied = "always", .choices = colours,
      .help = "use colours: always, never, or auto (on a terminal, unless NO_COLOR is set)" },
    { .name = "verbose", .letter = 'v', .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_verbose), .help = "ids of nodes rather than names, payloads uncut" },
    { .name = "quiet", .letter = 'q', .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_quiet), .help = "no remarks" },
};
// clang-format on

void
tulle__trace_options_init(struct tulle__trace_options *options)
{
    *options = (struct tulle__trace_options){
        .from = "earliest",
        .wait_ms = 1000,
        .timeout_ms = -1,
        .limit = 1000000,
        .limit_bytes = UINT64_C(1) << 30,
        .colour = COLOUR_AUTO,
    };
}

struct tulle__option_group
tulle__trace_selection_group(struct tulle__trace_options *options)
{
    return (struct tulle__option_group){ "Selection", selection_options,
                                         sizeof selection_options / sizeof *selection_options,
                                         options };
}

struct tulle__option_group
tulle__trace_source_group(struct tulle__trace_options *options)
{
    return (struct tulle__option_group){ "Source", source_options,
                                         sizeof source_options / sizeof *source_options, options };
}

struct tulle__option_group
tulle__trace_output_group(struct tulle__trace_options *options)
{
    return (struct tulle__option_group){ "Output", output_options,
                                         sizeof output_options / sizeof *output_options, options };
}

static enum tulle__trace_form
form_of(const struct tulle__trace_options *options)
{
    if (options->is_json)
        return TULLE__TRACE_JSON;
    if (options->is_dot)
        return TULLE__TRACE_DOT;
    if (options->is_mermaid)
        return TULLE__TRACE_MERMAID;
    if (options->is_shiviz)
        return TULLE__TRACE_SHIVIZ;
    return options->html != NULL ? TULLE__TRACE_HTML : TULLE__TRACE_TEXT;
}

int
tulle__trace_options_finish(const struct tulle__program *program,
                            struct tulle__trace_options *options,
                            tulle_subscribe_options *subscribe)
{
    tulle_subscribe_options_init(subscribe);
    if (options->is_json + options->is_dot + options->is_mermaid + options->is_shiviz +
            (options->html != NULL) >
        1)
        return tulle__args_usage(
            program, "--json, --dot, --mermaid, --shiviz and --html exclude each other");
    if (options->is_up && options->is_down)
        return tulle__args_usage(program, "--up and --down exclude each other; both are shown");
    if (!tulle__from_parse(options->from, subscribe))
        return tulle__args_usage(program, "--from: '%s' is not earliest, last:N or live",
                                 options->from);
    subscribe->flags = options->has_potential ? TULLE_DETAIL_CLOCK : 0;
    options->is_live = subscribe->from == TULLE_FROM_LIVE;
    options->form = form_of(options);
    return 0;
}

bool
tulle__trace_options_has_colour(const struct tulle__trace_options *options)
{
    if (options->colour != COLOUR_AUTO)
        return options->colour == COLOUR_ALWAYS;
    return tulle__terminal_has_colour();
}
