/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/graph/graph_options.h"

#include "app/common.h"
#include "tools/common/event_filter.h"

enum { CHOSEN_MAX = 64, LIVE_MS = 10000 };

// clang-format off
#define AT(field) offsetof(struct tulle__graph_options, field)
#define HERE TULLE__OPTION_FLAG_ONLY
static const struct tulle__option graph_options[] = {
    { .name = "node", .letter = 'n', .type = TULLE__OPTION_LIST, .flags = HERE, .offset = AT(nodes),
      .arg = "NODE", .max = CHOSEN_MAX,
      .help = "only streams that this node publishes or takes: its name, in which * ? and [] may stand for others, or its id" },
    { .name = "stream", .letter = 's', .type = TULLE__OPTION_LIST, .flags = HERE, .offset = AT(streams),
      .arg = "PATTERN", .max = CHOSEN_MAX, .check = tulle__check_pattern,
      .help = "only streams that topics of this pattern are in" },
    { .name = "json", .letter = 'J', .type = TULLE__OPTION_FLAG, .flags = HERE, .offset = AT(is_json),
      .help = "print one JSON object" },
    { .name = "dot", .type = TULLE__OPTION_FLAG, .flags = HERE, .offset = AT(is_dot),
      .help = "print a graph for Graphviz" },
    { .name = "mermaid", .type = TULLE__OPTION_FLAG, .flags = HERE, .offset = AT(is_mermaid),
      .help = "print a flowchart for Mermaid" },
    { .name = "wait", .letter = 'W', .type = TULLE__OPTION_SECONDS, .flags = HERE, .offset = AT(wait_ms),
      .arg = "SECONDS", .help = "wait no longer for nodes to answer" },
};

static const struct tulle__option asyncapi_options[] = {
    { .name = "asyncapi", .letter = 'A', .type = TULLE__OPTION_FLAG, .flags = HERE, .offset = AT(is_asyncapi),
      .help = "print an AsyncAPI 3 document of the topics that events are seen on, with schemas learnt from them" },
    { .name = "from", .type = TULLE__OPTION_STRING, .flags = HERE, .offset = AT(from), .arg = "WHERE",
      .help = "where reading begins: earliest (all that is still kept), last:N (the last N events of each node and stream), or live" },
    { .name = "watch", .letter = 'w', .type = TULLE__OPTION_SECONDS, .flags = HERE, .offset = AT(watch_ms),
      .arg = "SECONDS", .help = "then read for so long what is published; without it: not, or 10 with --from live" },
    { .name = "count", .letter = 'C', .type = TULLE__OPTION_U64, .flags = HERE, .offset = AT(count),
      .arg = "N", .min = 1, .max = 1e18, .help = "read no more than N events" },
    { .name = "fold", .type = TULLE__OPTION_U64, .flags = HERE, .offset = AT(fold), .arg = "N",
      .min = 1, .max = 1000, .help = "a level of topics with more than N names is a parameter" },
    { .name = "title", .type = TULLE__OPTION_STRING, .flags = HERE, .offset = AT(title), .arg = "TEXT",
      .help = "title of the document" },
    { .name = "api_version", .type = TULLE__OPTION_STRING, .flags = HERE, .offset = AT(version),
      .arg = "VERSION", .help = "version of the document" },
};
// clang-format on

void
tulle__graph_options_init(struct tulle__graph_options *options)
{
    *options = (struct tulle__graph_options){
        .wait_ms = 5000, .from = "last:100", .watch_ms = -1, .fold = 20, .version = "1.0.0"
    };
}

struct tulle__option_group
tulle__graph_group(struct tulle__graph_options *options)
{
    return (struct tulle__option_group){ "Options", graph_options,
                                         sizeof graph_options / sizeof *graph_options, options };
}

struct tulle__option_group
tulle__graph_asyncapi_group(struct tulle__graph_options *options)
{
    return (struct tulle__option_group){ "AsyncAPI", asyncapi_options,
                                         sizeof asyncapi_options / sizeof *asyncapi_options,
                                         options };
}

int
tulle__graph_options_finish(const struct tulle__program *program,
                            struct tulle__graph_options *options)
{
    if (options->is_json + options->is_dot + options->is_mermaid + options->is_asyncapi > 1)
        return tulle__args_usage(program,
                                 "--json, --dot, --mermaid and --asyncapi exclude one another");
    options->form = options->is_json       ? TULLE__GRAPH_JSON
                    : options->is_dot      ? TULLE__GRAPH_DOT
                    : options->is_mermaid  ? TULLE__GRAPH_MERMAID
                    : options->is_asyncapi ? TULLE__GRAPH_ASYNCAPI
                                           : TULLE__GRAPH_TEXT;
    tulle_subscribe_options_init(&options->subscribe);
    if (!tulle__from_parse(options->from, &options->subscribe))
        return tulle__args_usage(program, "--from takes live, earliest or last:N");
    if (options->watch_ms < 0)
        options->watch_ms = options->subscribe.from == TULLE_FROM_LIVE ? LIVE_MS : 0;
    return 0;
}
