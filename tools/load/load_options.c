/* SPDX-License-Identifier: MPL-2.0 */

/* Options of the tools that measure. */

#include "tools/load/load_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct tulle__choice transports[] = {
    { "tcp", TULLE__LOAD_TCP },
    { "ipc", TULLE__LOAD_IPC },
    { NULL, 0 },
};

// clang-format off
#define AT(field) offsetof(struct tulle__load_options, field)
#define HERE TULLE__OPTION_FLAG_ONLY
static const struct tulle__option measure_options[] = {
    { .name = "size", .letter = 's', .type = TULLE__OPTION_STRING, .flags = HERE,
      .offset = AT(size), .arg = "BYTES,...", .help = "sizes of payloads, one after the other; from 32 on" },
    { .name = "count", .letter = 'n', .type = TULLE__OPTION_U64, .flags = HERE,
      .offset = AT(plan.count), .arg = "N", .min = 1, .max = 1e12,
      .help = "measure so many events of each publisher, instead of --duration" },
    { .name = "duration", .letter = 'd', .type = TULLE__OPTION_SECONDS, .flags = HERE,
      .offset = AT(plan.duration_ms), .arg = "SECONDS", .min = 0.001, .max = 1e6,
      .help = "measure for so long" },
    { .name = "warmup", .type = TULLE__OPTION_SECONDS, .flags = HERE,
      .offset = AT(plan.warmup_ms), .arg = "SECONDS", .max = 1e6,
      .help = "before that, publish for so long without measuring" },
    { .name = "runs", .letter = 'r', .type = TULLE__OPTION_U32, .flags = HERE,
      .offset = AT(runs), .arg = "N", .min = 1, .max = TULLE__LOAD_RUNS_MAX,
      .help = "measure so many times, each with new processes" },
    { .name = "order", .letter = 'o', .type = TULLE__OPTION_CHOICE, .flags = HERE,
      .offset = AT(plan.order), .arg = "ORDER", .choices = tulle__orders,
      .help = "order of delivery: none (nothing is repaired), fifo (each node's own), or causal" },
    { .name = "transport", .letter = 't', .type = TULLE__OPTION_CHOICE, .flags = HERE,
      .offset = AT(plan.transport), .arg = "NAME", .choices = transports,
      .help = "tcp (the loopback interface) or ipc (Unix sockets)" },
    { .name = "proxies", .letter = 'P', .type = TULLE__OPTION_STRING, .flags = HERE,
      .offset = AT(counts.texts[TULLE__LOAD_PROXIES]), .arg = "N,...",
      .help = "proxies in a row between publishers and subscribers" },
    { .name = "window", .letter = 'w', .type = TULLE__OPTION_BYTES, .flags = HERE,
      .offset = AT(window_bytes), .arg = "BYTES",
      .help = "a publisher waits when so much is not acknowledged; 0: it never does" },
    { .name = "timeout", .type = TULLE__OPTION_SECONDS, .flags = HERE,
      .offset = AT(plan.timeout_ms), .arg = "SECONDS", .min = 0.1, .max = 1e6,
      .help = "give up when nothing happens for so long" },
};

static const struct tulle__option output_options[] = {
    { .name = "json", .letter = 'J', .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_json), .help = "print one JSON object" },
    { .name = "csv", .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_csv), .help = "print comma-separated values, a line of names first" },
    { .name = "quiet", .letter = 'q', .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_quiet), .help = "no progress; failures are told all the same" },
};
// clang-format on

void
tulle__load_options_init(struct tulle__load_options *options)
{
    *options = (struct tulle__load_options){
        .plan = { .publishers = 1,
                  .subscribers = 1,
                  .streams = 1,
                  .topics = 1,
                  .duration_ms = 2000,
                  .warmup_ms = 500,
                  .timeout_ms = 10000,
                  .order = TULLE_ORDER_CAUSAL,
                  .transport = TULLE__LOAD_TCP },
        .size = "64,256,1024,16384",
        .rate = "0",
        .counts = { .texts = { [TULLE__LOAD_PROXIES] = "0" } },
        .runs = 3,
        .window_bytes = UINT64_C(8) << 20,
    };
    tulle__common_init(&options->common);
    options->common.log_level = TULLE_LOG_ERROR; /* losses are in the output */
}

struct tulle__option_group
tulle__load_measure_group(struct tulle__load_options *options)
{
    return (struct tulle__option_group){ "Measuring", measure_options,
                                         sizeof measure_options / sizeof *measure_options,
                                         options };
}

struct tulle__option_group
tulle__load_output_group(struct tulle__load_options *options)
{
    return (struct tulle__option_group){ "Output", output_options,
                                         sizeof output_options / sizeof *output_options, options };
}

static bool
parse_sizes(struct tulle__load_options *options)
{
    const char *at = options->size;
    while (at != NULL) {
        char text[32];
        if (options->size_count == TULLE__LOAD_VALUES_MAX || !tulle__load_next_item(&at, text))
            return false;
        uint64_t *size = &options->sizes[options->size_count++];
        if (!tulle__parse_bytes(text, size) || *size < TULLE__LOAD_SIZE_MIN ||
            *size > TULLE__LOAD_SIZE_MAX)
            return false;
    }
    return true;
}

/* "1000,2.5"; 0 only where there may be none. */
static bool
parse_rates(struct tulle__load_options *options)
{
    const char *at = options->rate;
    while (at != NULL) {
        char text[32];
        char *end = NULL;
        if (options->rate_count == TULLE__LOAD_VALUES_MAX || !tulle__load_next_item(&at, text))
            return false;
        double rate = strtod(text, &end);
        bool is_none = rate == 0 && !options->plan.is_timed;
        /* Not "<": it may be no number at all. */
        if (end == text || *end != '\0' || !(is_none || (rate >= 0.001 && rate <= 1e9)))
            return false;
        options->rates[options->rate_count++] = rate;
    }
    return true;
}

int
tulle__load_options_finish(const struct tulle__program *program,
                           const struct tulle__args *args,
                           struct tulle__load_options *options)
{
    struct tulle__load_plan *plan = &options->plan;
    tulle_node_options *node = &options->common.node;
    int status = 0;
    if (!parse_sizes(options)) {
        return tulle__args_usage(program, "--size: '%s' is no list of up to %d sizes from %d to %d",
                                 options->size, TULLE__LOAD_VALUES_MAX, TULLE__LOAD_SIZE_MIN,
                                 TULLE__LOAD_SIZE_MAX);
    }
    char problem[200];
    if (tulle__load_counts_read(&options->counts, problem) != NULL)
        return tulle__args_usage(program, "%s", problem);
    if (!parse_rates(options)) {
        return tulle__args_usage(program, "--rate: '%s' is no list of up to %d rates%s",
                                 options->rate, TULLE__LOAD_VALUES_MAX,
                                 plan->is_timed ? " above 0" : "");
    }
    if (options->is_json && options->is_csv)
        return tulle__args_usage(program, "--json and --csv exclude each other");
    if (tulle__args_has(args, "count") && tulle__args_has(args, "duration"))
        return tulle__args_usage(program, "--count and --duration exclude each other");
    if (!tulle__common_finish(program, &options->common, &status))
        return status;
    if (tulle__args_has(args, "window") || !tulle__args_has(args, "window_bytes"))
        node->window_bytes = options->window_bytes;
    for (size_t i = 0; i < options->size_count; i++) {
        if (node->event_bytes_max < options->sizes[i])
            node->event_bytes_max = (uint32_t)options->sizes[i];
    }
    plan->node = *node;
    return 0;
}

const char *
tulle__load_order_name(int order)
{
    return tulle__choice_name(tulle__orders, order);
}

const char *
tulle__load_transport_name(int transport)
{
    return transport == TULLE__LOAD_MESH ? "mesh" : tulle__choice_name(transports, transport);
}
