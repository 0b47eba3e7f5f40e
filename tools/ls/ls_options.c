/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/ls/ls_options.h"

#include "app/common.h"
#include "tools/ls/ls_print.h"

#include <string.h>

enum { CHOSEN_MAX = 64 };

static const char *const kind_names[TULLE__LS_KINDS] = { "nodes",   "streams",     "lanes",
                                                         "holders", "subscribers", "segments",
                                                         "proxies" };

// clang-format off
#define AT(field) offsetof(struct tulle__ls_options, field)
#define HERE TULLE__OPTION_FLAG_ONLY
static const struct tulle__option ls_options[] = {
    { .name = "node", .letter = 'n', .type = TULLE__OPTION_LIST, .flags = HERE, .offset = AT(nodes),
      .arg = "NODE", .max = CHOSEN_MAX,
      .help = "only what concerns this node: its name, in which * ? and [] may stand for others, or its id" },
    { .name = "stream", .letter = 's', .type = TULLE__OPTION_LIST, .flags = HERE, .offset = AT(streams),
      .arg = "PATTERN", .max = CHOSEN_MAX, .check = tulle__check_pattern,
      .help = "only streams that topics of this pattern are in, and who publishes or takes them" },
    { .name = "all", .letter = 'a', .type = TULLE__OPTION_FLAG, .flags = HERE, .offset = AT(is_all),
      .help = "nodes that have left too, and this one" },
    { .name = "json", .letter = 'J', .type = TULLE__OPTION_FLAG, .flags = HERE, .offset = AT(is_json),
      .help = "print one JSON object" },
    { .name = "verbose", .letter = 'v', .type = TULLE__OPTION_FLAG, .flags = HERE, .offset = AT(is_verbose),
      .help = "more columns, exact numbers, whole ids" },
    { .name = "sort", .letter = 'S', .type = TULLE__OPTION_STRING, .flags = HERE, .offset = AT(sort),
      .arg = "COLUMN", .help = "order tables by the column of this title, largest numbers first" },
    { .name = "reverse", .letter = 'r', .type = TULLE__OPTION_FLAG, .flags = HERE, .offset = AT(is_reversed),
      .help = "the other way round" },
    { .name = "rate", .letter = 'R', .type = TULLE__OPTION_SECONDS, .flags = HERE, .offset = AT(rate_ms),
      .arg = "SECONDS", .implied = "2", .help = "look again after so long (without it: 2), and tell what nodes publish a second" },
    { .name = "wait", .letter = 'W', .type = TULLE__OPTION_SECONDS, .flags = HERE, .offset = AT(wait_ms),
      .arg = "SECONDS", .help = "wait no longer for nodes to answer" },
};
// clang-format on

void
tulle__ls_options_init(struct tulle__ls_options *options)
{
    *options = (struct tulle__ls_options){ .wait_ms = 5000, .rate_ms = -1 };
}

struct tulle__option_group
tulle__ls_group(struct tulle__ls_options *options)
{
    return (struct tulle__option_group){ "Options", ls_options,
                                         sizeof ls_options / sizeof *ls_options, options };
}

const char *
tulle__ls_kind_name(enum tulle__ls_kind kind)
{
    return kind_names[kind];
}

static bool
add_kind(struct tulle__ls_options *options, const char *word)
{
    for (unsigned i = 0; i < TULLE__LS_KINDS; i++) {
        if (strcmp(kind_names[i], word) == 0) {
            options->kinds |= 1U << i;
            return true;
        }
    }
    return false;
}

int
tulle__ls_options_finish(const struct tulle__program *program,
                         const struct tulle__args *args,
                         struct tulle__ls_options *options)
{
    for (size_t i = 0; i < args->operand_count; i++) {
        if (!add_kind(options, args->operands[i])) {
            return tulle__args_usage(program,
                                     "'%s' is none of nodes, streams, lanes, holders, subscribers, "
                                     "segments and proxies",
                                     args->operands[i]);
        }
    }
    if (options->sort != NULL && !tulle__ls_has_column(options, options->sort))
        return tulle__args_usage(program, "--sort: no table that is printed has a column '%s'",
                                 options->sort);
    if (options->rate_ms == 0)
        return tulle__args_usage(program, "--rate: more than 0 seconds");
    return 0;
}
