/* SPDX-License-Identifier: MPL-2.0 */

/* What play can be asked for. What it has in common with pub, tap and record is called as there. */

#include "tools/play/play_options.h"

#include "app/common.h"
#include "tools/common/event_rows.h"
#include "tools/common/tools.h"
#include "tools/common/when.h"
#include "tools/play/play_map.h"

#include <stdlib.h>
#include <string.h>

enum { PATTERNS_MAX = 256, RENAMES_MAX = 64, NODES_MAX = 256 };

static const struct tulle__choice times[] = {
    { "published", TULLE__PLAY_BY_PUBLISHED },
    { "arrived", TULLE__PLAY_BY_ARRIVED },
    { NULL, 0 },
};

static const char *
check_moment(const char *text)
{
    int64_t us = 0;
    bool is_good =
        text[0] == '+' ? tulle__span_parse(text + 1, &us) : tulle__when_parse(text, 0, &us);
    return is_good ? NULL : "no time: try +30s, 10m, 12:30, 2024-05-01T12:30:00Z";
}

/* "2x", "0.5", "max". */
static bool
parse_speed(const char *text, double *out)
{
    char *end = NULL;
    *out = 0;
    if (strcmp(text, "max") == 0)
        return true;
    if (text[0] < '0' || text[0] > '9' || strspn(text, "0123456789.") == 0)
        return false;
    *out = strtod(text, &end);
    end += *end == 'x' ? 1 : 0;
    return *end == '\0' && *out >= 0.0001 && *out <= 1e6;
}

static const char *
check_speed(const char *text)
{
    double speed = 0;
    return parse_speed(text, &speed) ? NULL : "no speed: 2x, 0.5x or max";
}

// clang-format off
#define AT(field) offsetof(struct tulle__play_options, field)
#define HERE TULLE__OPTION_FLAG_ONLY
static const struct tulle__option pace_options[] = {
    { .name = "speed", .letter = 's', .type = TULLE__OPTION_STRING, .flags = HERE,
      .offset = AT(speed_text), .arg = "SPEED", .check = check_speed,
      .help = "times the recorded pace: 2x, 0.5x; or max, as fast as it goes" },
    { .name = "by", .type = TULLE__OPTION_CHOICE, .flags = HERE, .offset = AT(by), .arg = "TIME",
      .choices = times, .help = "the times that make the pace, and that --from and --to mean: published (default), or arrived at the recorder" },
    { .name = "max_pause", .type = TULLE__OPTION_SECONDS, .flags = HERE, .offset = AT(max_pause_ms),
      .arg = "SECONDS", .help = "shorten longer pauses of the recording to this" },
    { .name = "loop", .type = TULLE__OPTION_STRING, .flags = HERE, .offset = AT(loop), .arg = "N",
      .implied = "0", .help = "play it N times; without N or with 0: again and again" },
};

static const struct tulle__option event_options[] = {
    { .name = "from", .type = TULLE__OPTION_STRING, .flags = HERE, .offset = AT(from), .arg = "TIME",
      .check = check_moment, .help = "only events of TIME or later: +30s (after the first one), 12:30, 2024-05-01T12:30:00Z, 10m (ago), or seconds since 1970" },
    { .name = "to", .type = TULLE__OPTION_STRING, .flags = HERE, .offset = AT(to), .arg = "TIME",
      .check = check_moment, .help = "only events of TIME or before" },
    { .name = "topic", .letter = 't', .type = TULLE__OPTION_LIST, .flags = HERE, .offset = AT(topics),
      .arg = "PATTERN", .check = tulle__check_pattern, .max = PATTERNS_MAX,
      .help = "only events whose topics match one of the patterns; may be repeated" },
    TULLE__ROW_EXCLUDE(AT(exclude), PATTERNS_MAX),
    TULLE__ROW_WHERE(AT(where), "tap --json"),
    { .name = "count", .letter = 'C', .type = TULLE__OPTION_U64, .flags = HERE,
      .offset = AT(count), .arg = "N", .min = 1, .max = 1e18, .help = "end after N events" },
    { .name = "rename", .letter = 'r', .type = TULLE__OPTION_LIST, .flags = HERE, .offset = AT(renames),
      .arg = "OLD=NEW", .check = tulle__play_rename_check, .max = RENAMES_MAX,
      .help = "leading levels OLD of topics become NEW, either may be empty; may be repeated, the first that fits counts" },
};

static const struct tulle__option publish_options[] = {
    { .name = "nodes", .letter = 'n', .type = TULLE__OPTION_U64, .flags = HERE, .offset = AT(nodes),
      .arg = "N", .min = 1, .max = NODES_MAX,
      .help = "one node for each that was recorded, up to N; further ones share these" },
    { .name = "wait_peers", .type = TULLE__OPTION_STRING, .flags = HERE,
      .offset = AT(wait_peers), .arg = "N", .implied = "1",
      .help = "wait until N nodes that take events are connected (1 when N is left out), and one takes something that will be played; 0: do not wait. Without this option: until any node is connected, and then up to a second for those that take the topics" },
    { .name = "wait_timeout", .type = TULLE__OPTION_SECONDS, .flags = HERE,
      .offset = AT(wait_timeout_ms), .arg = "SECONDS", .help = "give up waiting for nodes after so long, with status 4" },
    { .name = "no_wait", .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_no_wait), .help = "leave without waiting for acknowledgements" },
    { .name = "ack_timeout", .type = TULLE__OPTION_SECONDS, .flags = HERE,
      .offset = AT(ack_timeout_ms), .arg = "SECONDS", .help = "give up waiting for acknowledgements after so long, with status 1" },
    { .name = "dry_run", .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_dry_run), .help = "print what would be played, without joining a mesh" },
    { .name = "quiet", .letter = 'q', .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_quiet), .help = "no progress, no report, no remarks" },
};
// clang-format on

void
tulle__play_options_init(struct tulle__play_options *options)
{
    *options = (struct tulle__play_options){ .speed_text = "1x",
                                             .by = TULLE__PLAY_BY_PUBLISHED,
                                             .max_pause_ms = -1,
                                             .loop = "1",
                                             .nodes = 16,
                                             .wait_timeout_ms = 10000,
                                             .ack_timeout_ms = 30000 };
}

struct tulle__option_group
tulle__play_pace_group(struct tulle__play_options *options)
{
    return (struct tulle__option_group){ "Pace", pace_options,
                                         sizeof pace_options / sizeof *pace_options, options };
}

struct tulle__option_group
tulle__play_event_group(struct tulle__play_options *options)
{
    return (struct tulle__option_group){ "Events", event_options,
                                         sizeof event_options / sizeof *event_options, options };
}

struct tulle__option_group
tulle__play_publish_group(struct tulle__play_options *options)
{
    return (struct tulle__option_group){ "Publishing", publish_options,
                                         sizeof publish_options / sizeof *publish_options,
                                         options };
}

int64_t
tulle__play_moment(const char *text, int64_t first_us)
{
    int64_t us = 0;
    if (text[0] == '+') {
        (void)tulle__span_parse(text + 1, &us);
        return first_us + us;
    }
    (void)tulle__when_parse(text, tulle__tool_wall_us(), &us);
    return us;
}

int
tulle__play_options_finish(const struct tulle__program *program,
                           struct tulle__play_options *options,
                           struct tulle__event_filter *filter)
{
    (void)parse_speed(options->speed_text, &options->speed); /* checked when it was read */
    if (!tulle__parse_u64(options->loop, 0, UINT64_MAX, &options->rounds))
        return tulle__args_usage(program, "--loop: '%s' is not a number", options->loop);
    if (options->wait_peers != NULL &&
        !tulle__parse_u64(options->wait_peers, 0, 100000, &options->peers))
        return tulle__args_usage(program, "--wait-peers: '%s' is not a number",
                                 options->wait_peers);
    const struct tulle__event_filter_texts texts = { .exclude = &options->exclude,
                                                     .where = options->where };
    return tulle__event_filter_set(filter, program, &texts, 0);
}
