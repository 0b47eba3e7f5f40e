/* SPDX-License-Identifier: MPL-2.0 */

/* What record can be asked for. What it has in common with tap is called as there. */

#include "tools/record/record_options.h"

#include "app/recording/recording.h"
#include "tools/common/event_rows.h"
#include "tools/common/tools.h"
#include "tools/common/when.h"

#include <string.h>

enum { FILES_MAX = 10000 };

static const struct tulle__choice compressions[] = {
    { "none", TULLE__RECORDING_NONE },
    { "lz4", TULLE__RECORDING_LZ4 },
    { "zstd", TULLE__RECORDING_ZSTD },
    { NULL, 0 },
};

/* "100M" is a size, "10m" a time. False: neither. */
static bool
parse_rotate(const char *text, uint64_t *bytes, int64_t *us)
{
    size_t digits = strspn(text, "0123456789");
    if (strpbrk(text + digits, "KMG") != NULL)
        return tulle__parse_bytes(text, bytes) && *bytes > 0;
    return tulle__span_parse(text, us) && *us >= 1000;
}

static const char *
check_rotate(const char *text)
{
    uint64_t bytes = 0;
    int64_t us = 0;
    return parse_rotate(text, &bytes, &us) ? NULL
                                           : "neither a size (100M, 2G) nor a time (30s, 10m, 1h)";
}

// clang-format off
#define AT(field) offsetof(struct tulle__record_options, field)
#define HERE TULLE__OPTION_FLAG_ONLY
static const struct tulle__option output_options[] = {
    { .name = "write", .letter = 'w', .type = TULLE__OPTION_STRING, .flags = HERE,
      .offset = AT(file), .arg = "FILE", .help = "record to FILE, which must not be there yet" },
    { .name = "append", .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_append), .help = "go on in FILE if it is there, also after a crash; with --rotate: behind the last file" },
    { .name = "force", .letter = 'f', .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_forced), .help = "replace FILE if it is there; with --rotate: all files of the series" },
    { .name = "rotate", .type = TULLE__OPTION_LIST, .flags = HERE, .offset = AT(rotate),
      .arg = "SIZE|TIME", .check = check_rotate, .max = 2,
      .help = "begin another file at a size (100M, 2G) or after a time (30s, 10m, 1h); FILE.mcap becomes FILE-000001.mcap and so on; twice: whichever comes first" },
    { .name = "keep", .type = TULLE__OPTION_U64, .flags = HERE, .offset = AT(keep), .arg = "N",
      .min = 1, .max = 999999, .help = "with --rotate, keep the last N files and remove older ones" },
    { .name = "compression", .type = TULLE__OPTION_CHOICE, .flags = HERE, .offset = AT(compression),
      .arg = "HOW", .choices = compressions, .help = "lz4, zstd (smaller, slower) or none" },
    { .name = "flush", .type = TULLE__OPTION_SECONDS, .flags = HERE, .offset = AT(flush_ms),
      .arg = "SECONDS", .help = "write what waits so often: no kill or crash of the recorder loses more; 0: at once" },
    { .name = "fsync", .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_synced), .help = "each flush waits until the disk has it: no crash of the machine loses more either" },
    { .name = "verbose", .letter = 'v', .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_verbose), .help = "say what each flush has made safe, and each file that begins" },
    { .name = "quiet", .letter = 'q', .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_quiet), .help = "no progress, no report, no remarks" },
    { .name = "count", .letter = 'C', .type = TULLE__OPTION_U64, .flags = HERE,
      .offset = AT(count), .arg = "N", .min = 1, .max = 1e18, .help = "end after N events" },
    { .name = "timeout", .letter = 'W', .type = TULLE__OPTION_SECONDS, .flags = HERE,
      .offset = AT(timeout_ms), .arg = "SECONDS", .help = "end after so long; with status 27 when -C was not reached" },
};

static const struct tulle__option event_options[] = {
    TULLE__ROW_EXCLUDE(AT(exclude), 256),
    TULLE__ROW_WHERE(AT(where), "tap --json"),
    TULLE__ROW_ORDER(AT(order)),
    TULLE__ROW_FROM(AT(from)),
    TULLE__ROW_LAST(AT(last)),
    TULLE__ROW_SINCE(AT(since)),
    TULLE__ROW_UNTIL(AT(until), "recorded"),
    TULLE__ROW_UNTIL_END(AT(is_until_end), "recorded"),
};

static const struct tulle__option file_options[] = {
    { .name = "info", .type = TULLE__OPTION_FLAG, .flags = HERE, .offset = AT(is_info),
      .help = "tell what is in the recordings FILE... and whether they are whole" },
    { .name = "json", .letter = 'J', .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_json), .help = "with --info, one JSON object a line for each file" },
    { .name = "cut", .type = TULLE__OPTION_LIST, .flags = HERE, .offset = AT(cut), .arg = "FILE",
      .max = FILES_MAX, .help = "record from a recording rather than from a mesh: the part that is asked for; may be repeated, to join files" },
};
// clang-format on

void
tulle__record_options_init(struct tulle__record_options *options)
{
    *options = (struct tulle__record_options){ .order = TULLE_ORDER_CAUSAL,
                                               .compression = TULLE__RECORDING_LZ4,
                                               .flush_ms = 1000,
                                               .timeout_ms = -1 };
}

struct tulle__option_group
tulle__record_output_group(struct tulle__record_options *options)
{
    return (struct tulle__option_group){ "Output", output_options,
                                         sizeof output_options / sizeof *output_options, options };
}

struct tulle__option_group
tulle__record_event_group(struct tulle__record_options *options)
{
    return (struct tulle__option_group){ "Events", event_options,
                                         sizeof event_options / sizeof *event_options, options };
}

struct tulle__option_group
tulle__record_file_group(struct tulle__record_options *options)
{
    return (struct tulle__option_group){ "Recordings", file_options,
                                         sizeof file_options / sizeof *file_options, options };
}

/* NULL, or which options do not go together. */
static const char *
find_conflict(const struct tulle__record_options *options)
{
    bool is_cut = options->cut.count > 0;
    if (options->is_info && (is_cut || options->file != NULL))
        return "--info goes with neither --cut nor --write";
    if (options->is_json && !options->is_info)
        return "--json goes with --info";
    if (!options->is_info && options->file == NULL)
        return "where to? Give --write FILE";
    if (options->is_append && options->is_forced)
        return "--append and --force exclude each other";
    if (options->keep > 0 && options->rotate.count == 0)
        return "--keep goes with --rotate";
    if (is_cut && (options->from != NULL || options->last > 0 || options->is_until_end ||
                   options->timeout_ms >= 0))
        return "--cut reads a whole file: --from, --last, --until-end and --timeout are for a mesh";
    return NULL;
}

int
tulle__record_options_finish(const struct tulle__program *program,
                             struct tulle__record_options *options,
                             tulle_subscribe_options *subscribe,
                             struct tulle__event_filter *filter)
{
    tulle_subscribe_options_init(subscribe);
    tulle__event_filter_init(filter);
    const char *problem = find_conflict(options);
    if (problem == NULL)
        problem = tulle__from_choose(options->from, options->last, options->since, subscribe);
    if (problem != NULL)
        return tulle__args_usage(program, "%s", problem);
    for (size_t i = 0; i < options->rotate.count; i++) /* checked when they were read */
        (void)parse_rotate(options->rotate.items[i], &options->rotate_bytes, &options->rotate_us);
    subscribe->order = (tulle_order)options->order;
    subscribe->flags = TULLE_DETAIL_DEPS | TULLE_DETAIL_CLOCK;
    const struct tulle__event_filter_texts texts = { &options->exclude, options->since,
                                                     options->until, options->where };
    return tulle__event_filter_set(filter, program, &texts, tulle__tool_wall_us());
}
