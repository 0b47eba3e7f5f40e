/* SPDX-License-Identifier: MPL-2.0 */

/* The option table of tulle-node. */

#include "options.h"

#include "app/common.h"

#include <tulle/topic.h>

#include <string.h>

#define AT(field) offsetof(struct tulle__node_config, field)

// clang-format off
static const struct tulle__option options[] = {
    { .name = "take", .letter = 't', .type = TULLE__OPTION_LIST, .offset = AT(take),
      .arg = "PATTERN", .max = TULLE__TAKES_MAX, .check = tulle__check_pattern,
      .help = "take these events and keep them, so that others can fetch them from here" },
    { .name = "from", .type = TULLE__OPTION_STRING, .offset = AT(from), .arg = "START",
      .help = "where reading begins: live, earliest, or last:N (the last N events of each publisher "
              "and stream)" },
    { .name = "order", .type = TULLE__OPTION_CHOICE, .offset = AT(order), .arg = "ORDER",
      .choices = tulle__orders, .help = "order of delivery: none, fifo or causal" },
    { .name = "print", .letter = 'p', .type = TULLE__OPTION_FLAG, .offset = AT(is_print),
      .help = "print what is delivered, one JSON object a line" },
    { .name = "exec", .letter = 'x', .type = TULLE__OPTION_PAIRS, .offset = AT(exec),
      .arg = "PATTERN COMMAND", .max = TULLE__HANDLERS_MAX, .check = tulle__check_pattern,
      .help = "run COMMAND with /bin/sh for each event that PATTERN matches; the event is a line of "
              "JSON on its standard input, and each line that it prints is published as an event "
              "caused by that one" },
    { .name = "exec_jobs", .type = TULLE__OPTION_U32, .offset = AT(exec_jobs), .arg = "N",
      .min = 1, .max = TULLE__JOBS_MAX,
      .help = "commands of one --exec that run at the same time; with 1 its events are handled one after the other. Commands of all --exec start in the order of delivery" },
    { .name = "exec_timeout", .type = TULLE__OPTION_SECONDS, .offset = AT(exec_timeout_ms),
      .arg = "SECONDS", .min = 0.01, .max = 86400, .unit = "s",
      .help = "a command that runs longer is killed" },
    { .name = "publish_to", .type = TULLE__OPTION_STRING, .offset = AT(publish_to), .arg = "TOPIC",
      .help = "topic of the lines that commands print; a line that is an object "
              "{\"topic\": ..., \"payload\": ...} names its own" },
    { .name = "stats", .type = TULLE__OPTION_SECONDS, .offset = AT(stats_ms), .arg = "SECONDS",
      .min = 0, .max = 86400, .unit = "s", .help = "log the counters so often; 0: never" },
    { .name = "stop_timeout", .type = TULLE__OPTION_SECONDS, .flags = TULLE__OPTION_RARE,
      .offset = AT(stop_ms), .arg = "SECONDS", .min = 0, .max = 3600, .unit = "s",
      .help = "how long running commands may take to end when the node is told to stop" },
};
// clang-format on

void
tulle__node_config_init(struct tulle__node_config *config)
{
    *config = (struct tulle__node_config){
        .from = "live",
        .order = TULLE_ORDER_CAUSAL,
        .exec_jobs = 1,
        .exec_timeout_ms = 60000,
        .stop_ms = 5000,
    };
}

struct tulle__option_group
tulle__node_config_group(struct tulle__node_config *config)
{
    return (struct tulle__option_group){ "Events", options, sizeof options / sizeof *options,
                                         config };
}

static const char *
read_from(struct tulle__node_config *config)
{
    if (strcmp(config->from, "live") == 0) {
        config->from_kind = TULLE_FROM_LIVE;
    } else if (strcmp(config->from, "earliest") == 0) {
        config->from_kind = TULLE_FROM_EARLIEST;
    } else if (strncmp(config->from, "last:", 5) == 0 &&
               tulle__parse_u64(config->from + 5, 1, UINT64_MAX, &config->from_count)) {
        config->from_kind = TULLE_FROM_LAST;
    } else {
        return "from: live, earliest or last:N, with N above 0";
    }
    return NULL;
}

const char *
tulle__node_config_finish(struct tulle__node_config *config)
{
    for (size_t i = 0; i < config->exec.count; i += 2) {
        if (config->exec.items[i + 1][0] == '\0')
            return "exec: the command is empty";
    }
    if (config->publish_to != NULL && !tulle_topic_is_valid(config->publish_to))
        return "publish-to: not a topic";
    return read_from(config);
}
