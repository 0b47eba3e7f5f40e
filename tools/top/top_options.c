/* SPDX-License-Identifier: MPL-2.0 */

/* What top can be asked for. */

#include "tools/top/top_options.h"

#include "tools/common/terminal.h"

#include <stdio.h>

enum colour { COLOUR_AUTO = 1, COLOUR_ALWAYS, COLOUR_NEVER };

static const struct tulle__choice colours[] = {
    { "auto", COLOUR_AUTO },
    { "always", COLOUR_ALWAYS },
    { "never", COLOUR_NEVER },
    { NULL, 0 },
};

static const struct tulle__choice screens[] = {
    { "nodes", TULLE__TOP_NODES }, { "streams", TULLE__TOP_STREAMS }, { "lanes", TULLE__TOP_LANES },
    { "lag", TULLE__TOP_LAGS },    { "links", TULLE__TOP_LINKS },     { NULL, 0 },
};

// clang-format off
#define AT(field) offsetof(struct tulle__top_options, field)
#define HERE TULLE__OPTION_FLAG_ONLY
static const struct tulle__option screen_options[] = {
    { .name = "screen", .letter = 's', .type = TULLE__OPTION_CHOICE, .flags = HERE, .offset = AT(screen),
      .arg = "NAME", .choices = screens,
      .help = "what to show: nodes (the default), streams, lanes, lag (each consumer of each stream) or links (sides of proxies)" },
    { .name = "sort", .letter = 'o', .type = TULLE__OPTION_STRING, .flags = HERE, .offset = AT(sort),
      .arg = "COLUMN", .help = "put rows in order by this column, named as in JSON or as in its title" },
    { .name = "reverse", .letter = 'r', .type = TULLE__OPTION_FLAG, .flags = HERE, .offset = AT(is_reverse),
      .help = "the other way round than usual, which is names up, numbers down" },
    { .name = "filter", .letter = 'f', .type = TULLE__OPTION_STRING, .flags = HERE, .offset = AT(filter),
      .arg = "WORDS", .help = "only rows that have all these words, in names, states and ids; !WORD: that have it not" },
    { .name = "delay", .letter = 'd', .type = TULLE__OPTION_SECONDS, .flags = HERE, .offset = AT(delay_ms),
      .arg = "SECONDS", .min = 0.2, .max = 3600, .help = "time between two looks, and about that over which rates are taken" },
    { .name = "iterations", .letter = 'n', .type = TULLE__OPTION_U64, .flags = HERE, .offset = AT(iterations),
      .arg = "N", .min = 1, .max = 1e18, .help = "end after N looks" },
};

static const struct tulle__option output_options[] = {
    { .name = "once", .letter = '1', .type = TULLE__OPTION_FLAG, .flags = HERE, .offset = AT(is_once),
      .help = "no screen: print a table once, as soon as all nodes have answered and rates are known" },
    { .name = "batch", .type = TULLE__OPTION_FLAG, .flags = HERE, .offset = AT(is_batch),
      .help = "the same, over and over" },
    { .name = "json", .letter = 'J', .type = TULLE__OPTION_FLAG, .flags = HERE, .offset = AT(is_json),
      .help = "an object instead of the table, with all screens unless --screen names one; implies --once; with --batch one a line" },
    { .name = "csv", .type = TULLE__OPTION_FLAG, .flags = HERE, .offset = AT(is_csv),
      .help = "comma-separated values instead of the table; implies --once" },
    { .name = "limit", .type = TULLE__OPTION_U64, .flags = HERE, .offset = AT(limit),
      .arg = "N", .min = 1, .max = 1e18, .help = "print no more than N rows of a table" },
    { .name = "wait", .letter = 'W', .type = TULLE__OPTION_SECONDS, .flags = HERE, .offset = AT(wait_ms),
      .arg = "SECONDS", .help = "wait no longer for nodes to answer, and print what is known" },
    { .name = "color", .type = TULLE__OPTION_CHOICE, .flags = HERE, .offset = AT(colour),
      .arg = "WHEN", .implied = "always", .choices = colours,
      .help = "colours on the screen: always, never, or auto (if the terminal can, unless NO_COLOR is set)" },
};
// clang-format on

void
tulle__top_options_init(struct tulle__top_options *options)
{
    *options = (struct tulle__top_options){
        .screen = TULLE__TOP_SCREENS,
        .delay_ms = 1000,
        .wait_ms = 10000,
        .iterations = UINT64_MAX,
        .limit = UINT64_MAX,
        .colour = COLOUR_AUTO,
    };
}

struct tulle__option_group
tulle__top_screen_group(struct tulle__top_options *options)
{
    return (struct tulle__option_group){ "Screen", screen_options,
                                         sizeof screen_options / sizeof *screen_options, options };
}

struct tulle__option_group
tulle__top_output_group(struct tulle__top_options *options)
{
    return (struct tulle__option_group){ "Output", output_options,
                                         sizeof output_options / sizeof *output_options, options };
}

static int
tell_columns(const struct tulle__program *program, enum tulle__top_screen screen, const char *sort)
{
    const struct tulle__top_table *table = tulle__top_table(screen);
    char names[512] = "";
    size_t len = 0;
    for (size_t i = 0; i < table->count && len < sizeof names; i++) {
        len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", i > 0 ? ", " : "",
                                table->columns[i].key);
    }
    return tulle__args_usage(program, "--sort: %s have no column '%s', but %s", table->name, sort,
                             names);
}

int
tulle__top_options_finish(const struct tulle__program *program,
                          struct tulle__top_options *options,
                          struct tulle__top_query *query)
{
    if (options->is_json && options->is_csv)
        return tulle__args_usage(program, "--json and --csv exclude each other");
    if (options->is_once && options->is_batch)
        return tulle__args_usage(program, "--once and --batch exclude each other");
    if (options->is_json || options->is_csv)
        options->is_once = !options->is_batch;
    if (options->is_once)
        options->iterations = 1;
    enum tulle__top_screen screen = options->screen == TULLE__TOP_SCREENS
                                        ? TULLE__TOP_NODES
                                        : (enum tulle__top_screen)options->screen;
    *query = (struct tulle__top_query){
        .screen = screen,
        .filter = options->filter,
        .sort = tulle__top_table(screen)->sort,
        .is_reverse = options->is_reverse,
    };
    if (options->sort == NULL)
        return 0;
    query->sort = tulle__top_find_column(screen, options->sort);
    return query->sort != SIZE_MAX ? 0 : tell_columns(program, screen, options->sort);
}

bool
tulle__top_options_has_colour(const struct tulle__top_options *options)
{
    if (options->colour != COLOUR_AUTO)
        return options->colour == COLOUR_ALWAYS;
    return tulle__terminal_has_colour();
}
