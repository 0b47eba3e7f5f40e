/* SPDX-License-Identifier: MPL-2.0 */

/* The option tables of tulle-proxy. */

#include "options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char notes[] =
    "Example: the orders of one site for another one, and nothing back:\n"
    "\n"
    "  tulle-proxy --name gate --segment shop --beacon=eth0 --allow 'orders/**' \\\n"
    "      --segment office --join tcp://198.51.100.9:7200 --deny '**'";

#define PROXY(field)   offsetof(struct tulle__proxy_config, proxy.field)
#define MINE(field)    offsetof(struct tulle__proxy_config, field)
#define SEGMENT(field) offsetof(struct tulle__segment, field)

// clang-format off
static const struct tulle__option options[] = {
    { .name = "mesh", .type = TULLE__OPTION_STRING, .offset = PROXY(mesh), .arg = "NAME",
      .check = tulle__check_name, .help = "mesh whose segments are joined" },
    { .name = "name", .type = TULLE__OPTION_STRING, .offset = PROXY(name), .arg = "NAME",
      .check = tulle__check_name, .help = "this proxy's name; without it the host's name and the process id" },
    { .name = "check_config", .type = TULLE__OPTION_FLAG, .flags = TULLE__OPTION_FLAG_ONLY,
      .offset = MINE(is_check), .help = "only say whether the options and the file are right" },
    { .name = "stats", .type = TULLE__OPTION_SECONDS, .offset = MINE(stats_ms), .arg = "SECONDS",
      .min = 0, .max = 86400, .unit = "s",
      .help = "log the counters of each segment so often; 0: never" },
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
      .arg = "ADDRESS", .max = TULLE_LISTEN_MAX, .check = tulle__check_listen,
      .help = "address to listen at, tcp://HOST:PORT or ipc://PATH; '*' chooses host or port" },
    { .name = "join", .type = TULLE__OPTION_LIST, .offset = SEGMENT(join),
      .arg = "ADDRESS", .max = 64, .check = tulle__check_join, .help = "address of a node or proxy to join" },
    { .name = "beacon", .type = TULLE__OPTION_STRING, .offset = SEGMENT(beacon),
      .arg = "INTERFACE", .implied = "any",
      .help = "find nodes of this segment by UDP broadcast" },
    { .name = "beacon_port", .type = TULLE__OPTION_U16, .flags = TULLE__OPTION_RARE,
      .offset = SEGMENT(beacon_port), .arg = "PORT", .min = 1, .max = 65535,
      .help = "UDP port of beacons" },
    { .name = "interface", .type = TULLE__OPTION_STRING, .offset = SEGMENT(interface_name),
      .arg = "NAME", .help = "network interface that stands for host '*'" },
    { .name = "advertise", .type = TULLE__OPTION_STRING, .offset = SEGMENT(advertise),
      .arg = "ADDRESS", .check = tulle__check_join, .help = "control address that peers are told, behind address translation" },
    { .name = "advertise_events", .type = TULLE__OPTION_STRING, .offset = SEGMENT(advertise_events),
      .arg = "ADDRESS", .check = tulle__check_join, .help = "event address that peers are told, likewise" },
    { .name = "inlet", .type = TULLE__OPTION_FLAG, .offset = SEGMENT(use_inlet),
      .help = "take events in from who only dials, at PORT + 2" },
    { .name = "advertise_inlet", .type = TULLE__OPTION_STRING, .offset = SEGMENT(advertise_inlet),
      .arg = "ADDRESS", .check = tulle__check_join, .help = "address of the inlet that peers are told, likewise" },
    { .name = "dial_only", .type = TULLE__OPTION_FLAG, .offset = SEGMENT(dial_only),
      .help = "listen nowhere, as behind address translation; the others need an inlet" },
    { .name = "allow", .type = TULLE__OPTION_LIST, .offset = SEGMENT(allow), .arg = "PATTERN",
      .max = TULLE_PROXY_PATTERNS_MAX, .check = tulle__check_pattern,
      .help = "what may leave this segment; without any, everything may" },
    { .name = "deny", .type = TULLE__OPTION_LIST, .offset = SEGMENT(deny), .arg = "PATTERN",
      .max = TULLE_PROXY_PATTERNS_MAX, .check = tulle__check_pattern, .help = "what may not leave it, even when allowed" },
    { .name = "event_bytes_max", .type = TULLE__OPTION_BYTES32, .offset = SEGMENT(event_bytes_max),
      .arg = "BYTES", .unit = "bytes",
      .help = "largest payload that may leave it; 0: any" },
    { .name = "events_per_second", .type = TULLE__OPTION_U32, .offset = SEGMENT(events_per_second),
      .arg = "N", .help = "events that may leave it in a second, what is more waits; 0: any number" },
    { .name = "bytes_per_second", .type = TULLE__OPTION_BYTES, .offset = SEGMENT(bytes_per_second),
      .arg = "BYTES", .unit = "bytes",
      .help = "bytes that may leave it in a second, likewise; 0: any number" },
    { .name = "retain_bytes", .type = TULLE__OPTION_BYTES, .offset = SEGMENT(retain_bytes),
      .arg = "BYTES", .unit = "bytes",
      .help = "of what leaves it, kept for those beyond who miss it; 0: nothing" },
    { .name = "retain_ms", .type = TULLE__OPTION_U64, .offset = SEGMENT(retain_ms),
      .arg = "MS", .unit = "ms", .help = "and for how long" },
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
                                        .beacon_port = defaults.beacon_port,
                                        .retain_bytes = defaults.retain_bytes,
                                        .retain_ms = defaults.retain_ms };
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
    to->advertise_inlet = from->advertise_inlet;
    to->use_inlet = from->use_inlet;
    to->dial_only = from->dial_only;
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
    to->event_bytes_max = from->event_bytes_max;
    to->events_per_second = from->events_per_second;
    to->bytes_per_second = from->bytes_per_second;
    to->retain_bytes = from->retain_bytes;
    to->retain_ms = from->retain_ms;
}

__attribute__((format(printf, 3, 4))) static void
tell(struct tulle__text *problems, const char *file, const char *format, ...)
{
    char text[300];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(text, sizeof text, format, list);
    va_end(list);
    tulle__text_format(problems, "%s%s%s\n", file != NULL ? file : "", file != NULL ? ": " : "",
                       text);
}

static void
check_segment(const struct tulle__proxy_config *config,
              size_t index,
              const char *file,
              struct tulle__text *problems)
{
    const struct tulle__segment *segment = &config->segments[index];
    if (tulle__check_name(segment->name) != NULL)
        tell(problems, file, "segment %.63s: its name must have 1 to 63 bytes", segment->name);
    if (segment->beacon[0] == '\0') {
        tell(problems, file,
             "segment %.63s: beacon: the name of an interface is missing; \"any\" is the first one",
             segment->name);
    }
    for (size_t i = 0; i < index; i++) {
        if (strcmp(config->segments[i].name, segment->name) == 0)
            tell(problems, file, "segment %.63s: another segment has this name; call one otherwise",
                 segment->name);
    }
}

bool
tulle__proxy_config_finish(struct tulle__proxy_config *config,
                           struct tulle__common *common,
                           const char *file,
                           struct tulle__text *problems)
{
    size_t before = problems->len;
    if (config->segment_count < 2)
        tell(problems, file, "a proxy joins at least two segments; %zu given: add a segment",
             config->segment_count);
    for (size_t i = 0; i < config->segment_count; i++) {
        check_segment(config, i, file, problems);
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
    return problems->len == before && !problems->has_failed;
}

void
tulle__setup_init(struct tulle__setup *setup)
{
    *setup = (struct tulle__setup){ 0 };
    tulle__proxy_config_init(&setup->config);
    tulle__common_init(&setup->common);
    setup->common.log_level = TULLE_LOG_INFO;
    setup->groups[0] = tulle__proxy_config_group(&setup->config);
    setup->groups[1] = tulle__common_log_group(&setup->common);
    setup->section = tulle__proxy_config_section(&setup->config);
    setup->program = (struct tulle__program){
        .name = "tulle-proxy",
        .synopsis = "[--config FILE] [option]...\n"
                    "[option]... --segment NAME [option]... --segment NAME ...",
        .summary = "Join two or more segments of a mesh.",
        .groups = setup->groups,
        .group_count = TULLE__SETUP_GROUPS,
        .section = &setup->section,
        .notes = notes,
        .has_config = true,
    };
}
