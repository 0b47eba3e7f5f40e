/* SPDX-License-Identifier: MPL-2.0 */

/* The option tables of tulle-proxy. */

#include "options.h"

#include <tulle/topic.h>

#include <stdio.h>
#include <string.h>

#define PROXY(field)   offsetof(struct tulle__proxy_config, proxy.field)
#define MINE(field)    offsetof(struct tulle__proxy_config, field)
#define SEGMENT(field) offsetof(struct tulle__segment, field)

// clang-format off
static const struct tulle__option options[] = {
    { .name = "mesh", .type = TULLE__OPTION_STRING, .offset = PROXY(mesh), .arg = "NAME",
      .help = "mesh whose segments are joined" },
    { .name = "name", .type = TULLE__OPTION_STRING, .offset = PROXY(name), .arg = "NAME",
      .help = "this proxy's name; without it the host's name and the process id" },
    { .name = "check_config", .type = TULLE__OPTION_FLAG, .flags = TULLE__OPTION_FLAG_ONLY,
      .offset = MINE(is_check), .help = "only say whether the options and the file are right" },
    { .name = "stats", .type = TULLE__OPTION_SECONDS, .offset = MINE(stats_ms), .arg = "SECONDS",
      .min = 0, .max = 86400, .unit = "s",
      .help = "log the counters of each segment so often; 0: never" },
    { .name = "retain_bytes", .type = TULLE__OPTION_BYTES, .offset = PROXY(retain_bytes),
      .arg = "BYTES", .unit = "bytes", .help = "passing events kept to answer fetches" },
    { .name = "hops_max", .type = TULLE__OPTION_U32, .flags = TULLE__OPTION_RARE,
      .offset = PROXY(hops_max), .arg = "N", .min = 1, .max = 16,
      .help = "proxies that a message may pass" },
    { .name = "beat_ms", .type = TULLE__OPTION_U32, .flags = TULLE__OPTION_RARE,
      .offset = PROXY(beat_ms), .arg = "MS", .min = 20, .max = 60000, .unit = "ms",
      .help = "period of beats" },
    { .name = "suspect_ms", .type = TULLE__OPTION_U32, .flags = TULLE__OPTION_RARE,
      .offset = PROXY(suspect_ms), .arg = "MS", .unit = "ms",
      .help = "silence that makes a peer suspect" },
    { .name = "gone_ms", .type = TULLE__OPTION_U32, .flags = TULLE__OPTION_RARE,
      .offset = PROXY(gone_ms), .arg = "MS", .unit = "ms", .help = "silence that makes a peer gone" },
};

static const struct tulle__option segment_options[] = {
    { .name = "listen", .type = TULLE__OPTION_LIST, .offset = SEGMENT(listen),
      .arg = "ADDRESS", .max = TULLE_LISTEN_MAX,
      .help = "address to listen at, tcp://HOST:PORT or ipc://PATH; '*' chooses host or port" },
    { .name = "join", .type = TULLE__OPTION_LIST, .offset = SEGMENT(join),
      .arg = "ADDRESS", .max = 64, .help = "address of a node or proxy to join" },
    { .name = "beacon", .type = TULLE__OPTION_STRING, .offset = SEGMENT(beacon),
      .arg = "INTERFACE", .implied = "any",
      .help = "find nodes of this segment by UDP broadcast" },
    { .name = "beacon_port", .type = TULLE__OPTION_U16, .flags = TULLE__OPTION_RARE,
      .offset = SEGMENT(beacon_port), .arg = "PORT", .min = 1, .max = 65535,
      .help = "UDP port of beacons" },
    { .name = "interface", .type = TULLE__OPTION_STRING, .offset = SEGMENT(interface_name),
      .arg = "NAME", .help = "network interface that stands for host '*'" },
    { .name = "advertise", .type = TULLE__OPTION_STRING, .offset = SEGMENT(advertise),
      .arg = "ADDRESS", .help = "control address that peers are told, behind address translation" },
    { .name = "advertise_events", .type = TULLE__OPTION_STRING, .offset = SEGMENT(advertise_events),
      .arg = "ADDRESS", .help = "event address that peers are told, likewise" },
    { .name = "allow", .type = TULLE__OPTION_LIST, .offset = SEGMENT(allow), .arg = "PATTERN",
      .max = TULLE_PROXY_PATTERNS_MAX,
      .help = "what may leave this segment; without any, everything may" },
    { .name = "deny", .type = TULLE__OPTION_LIST, .offset = SEGMENT(deny), .arg = "PATTERN",
      .max = TULLE_PROXY_PATTERNS_MAX, .help = "what may not leave it, even when allowed" },
};
// clang-format on

void
tulle__proxy_config_init(struct tulle__proxy_config *config)
{
    *config = (struct tulle__proxy_config){ 0 };
    tulle_proxy_options_init(&config->proxy);
}

struct tulle__option_group
tulle__proxy_config_group(struct tulle__proxy_config *config)
{
    return (struct tulle__option_group){ "Proxy", options, sizeof options / sizeof *options,
                                         config };
}

static void *
open_segment(void *ctx, const char *value)
{
    struct tulle__proxy_config *config = ctx;
    if (config->segment_count == TULLE_SEGMENTS_MAX)
        return NULL;
    tulle_segment_options defaults;
    tulle_segment_options_init(&defaults);
    struct tulle__segment *segment = &config->segments[config->segment_count++];
    *segment = (struct tulle__segment){ .name = value,
                                        .beacon = "off",
                                        .beacon_port = defaults.beacon_port };
    return segment;
}

static void *
segment_at(void *ctx, size_t index, const char **value)
{
    struct tulle__proxy_config *config = ctx;
    if (index >= config->segment_count)
        return NULL;
    *value = config->segments[index].name;
    return &config->segments[index];
}

struct tulle__section
tulle__proxy_config_section(struct tulle__proxy_config *config)
{
    return (struct tulle__section){
        .name = "segment",
        .arg = "NAME",
        .help = "begin a segment; the options of a segment that follow belong to it",
        .options = segment_options,
        .count = sizeof segment_options / sizeof *segment_options,
        .open = open_segment,
        .at = segment_at,
        .ctx = config,
    };
}

static bool
has_patterns(const struct tulle__list *list, const char **bad)
{
    for (size_t i = 0; i < list->count; i++) {
        if (!tulle_pattern_is_valid(list->items[i])) {
            *bad = list->items[i];
            return false;
        }
    }
    return true;
}

static void
fill_segment(const struct tulle__segment *from, tulle_segment_options *to)
{
    tulle_segment_options_init(to);
    to->name = from->name;
    for (size_t i = 0; i < from->listen.count; i++)
        to->listen[i] = from->listen.items[i];
    to->listen_count = from->listen.count;
    to->interface_name = from->interface_name;
    to->advertise = from->advertise;
    to->advertise_events = from->advertise_events;
    to->join = from->join.items;
    to->join_count = from->join.count;
    to->use_beacon = strcmp(from->beacon, "off") != 0;
    to->beacon_interface =
        !to->use_beacon || strcmp(from->beacon, "any") == 0 ? NULL : from->beacon;
    to->beacon_port = from->beacon_port;
    to->allow = from->allow.items;
    to->allow_count = from->allow.count;
    to->deny = from->deny.items;
    to->deny_count = from->deny.count;
}

static bool
check_segment(const struct tulle__proxy_config *config,
              size_t index,
              char problem[static TULLE__PROBLEM_LEN])
{
    const struct tulle__segment *segment = &config->segments[index];
    const char *bad = "";
    const char *what = NULL;
    if (segment->name[0] == '\0')
        what = "its name is empty";
    else if (segment->beacon[0] == '\0')
        what = "beacon: the interface's name is empty";
    else if (!has_patterns(&segment->allow, &bad) || !has_patterns(&segment->deny, &bad))
        what = "not a pattern: ";
    for (size_t i = 0; what == NULL && i < index; i++) {
        if (strcmp(config->segments[i].name, segment->name) == 0)
            what = "another segment has this name";
    }
    if (what == NULL)
        return true;
    (void)snprintf(problem, TULLE__PROBLEM_LEN, "segment %.40s: %s%.80s", segment->name, what, bad);
    return false;
}

bool
tulle__proxy_config_finish(struct tulle__proxy_config *config,
                           struct tulle__common *common,
                           char problem[static TULLE__PROBLEM_LEN])
{
    if (config->segment_count < 2) {
        (void)snprintf(problem, TULLE__PROBLEM_LEN,
                       "a proxy joins at least two segments; %zu given", config->segment_count);
        return false;
    }
    for (size_t i = 0; i < config->segment_count; i++) {
        if (!check_segment(config, i, problem))
            return false;
        fill_segment(&config->segments[i], &config->proxy.segments[i]);
    }
    tulle_proxy_options *proxy = &config->proxy;
    proxy->segment_count = config->segment_count;
    tulle__logsink_init(&common->sink, (enum tulle__log_format)common->log_format);
    if (proxy->name != NULL)
        (void)snprintf(common->sink.node, sizeof common->sink.node, "%s", proxy->name);
    proxy->log = common->log_level == 0 ? NULL : tulle__logsink_write;
    proxy->log_ctx = &common->sink;
    proxy->log_level =
        common->log_level == 0 ? TULLE_LOG_ERROR : (tulle_log_level)common->log_level;
    return true;
}
