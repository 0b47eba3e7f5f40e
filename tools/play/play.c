/* SPDX-License-Identifier: MPL-2.0 */

/* tulle play: publish what was recorded.
 *
 * The recording is read twice: once to see which nodes and lanes there are, then to play it. It is
 * in an order in which causes come first, and is published in this order, each event by the node
 * that stands for the recorded one. */

#include "app/exit.h"
#include "app/text.h"
#include "tools/common/progress.h"
#include "tools/common/terminal.h"
#include "tools/common/tools.h"
#include "tools/play/play_map.h"
#include "tools/play/play_nodes.h"
#include "tools/play/play_options.h"
#include "tools/play/play_source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    LATE_US = 10000, /* from when on an event counts as late */
    SLICE_MS = 200,  /* longest wait that shows no progress */
    LOOK_EVERY = 256 /* events between two looks for signals and progress */
};

struct play {
    const struct tulle__program *program;
    struct tulle__play_options options;
    struct tulle__common common;
    struct tulle__signals signals;
    struct tulle__event_filter filter;
    struct tulle__play_source source;
    struct tulle__play_map *map;
    struct tulle__play_nodes nodes;
    struct tulle__progress progress;

    int64_t first_us;       /* of all events */
    uint64_t total, rounds; /* events that one round will play; rounds played whole */
    size_t payload_max;

    int64_t start_us;           /* when publishing began */
    int64_t round_us;           /* when this round did */
    int64_t last_us, offset_us; /* time of the last event; since the first of the round */
    uint64_t played, refused, late, unknown_causes, missing;
    int64_t latest_us; /* how late the latest one was */
    bool is_interrupted;
    int output_errno; /* why standard output takes no more; 0: it does */
    int exit_status;
};

static bool
is_over(const struct play *play)
{
    return play->is_interrupted || play->exit_status != 0 || play->output_errno != 0 ||
           (play->options.count > 0 && play->played >= play->options.count);
}

static void
look_around(struct play *play)
{
    play->is_interrupted |= tulle__signals_next(&play->signals) != 0;
    if (!tulle__progress_is_due(&play->progress))
        return;
    uint64_t all = play->options.rounds == 0 ? 0 : play->total * play->options.rounds;
    double seconds = (double)(tulle__tool_mono_us() - play->start_us) / 1e6;
    char of[32] = "";
    char behind[48] = "";
    if (all > 0)
        (void)snprintf(of, sizeof of, " of %" PRIu64, all);
    if (play->late > 0)
        (void)snprintf(behind, sizeof behind, ", %" PRIu64 " late", play->late);
    tulle__progress_show(&play->progress, "%s: %" PRIu64 "%s events, %.0f a second%s ",
                         play->program->name, play->played, of, (double)play->played / seconds,
                         behind);
}

static bool
go_on(void *ctx)
{
    struct play *play = ctx;
    look_around(play);
    return !play->is_interrupted;
}

static void
say_memory(struct play *play)
{
    (void)fprintf(stderr, "%s: out of memory\n", play->program->name);
    play->exit_status = TULLE__EXIT_FAILURE;
}

/* ---- pace ---- */

/* Since the first event of the round, in the recording's time: never back, and no pause longer
 * than asked for. */
static void
move_on(struct play *play, int64_t time_us, bool is_first)
{
    int64_t step = is_first ? 0 : time_us - play->last_us;
    int64_t most = play->options.max_pause_ms * 1000;
    if (is_first)
        play->offset_us = 0;
    if (!is_first && step <= 0)
        return;
    play->offset_us += play->options.max_pause_ms >= 0 && step > most ? most : step;
    play->last_us = time_us;
}

/* Wait until the event is due, and note how late it is. */
static void
keep_pace(struct play *play)
{
    if (play->options.speed <= 0)
        return;
    int64_t due_us = play->round_us + (int64_t)((double)play->offset_us / play->options.speed);
    int64_t left = due_us - tulle__tool_mono_us();
    while (left >= 1000 && go_on(play)) {
        int64_t ms = left / 1000;
        (void)tulle__signals_wait(&play->signals, -1, ms > SLICE_MS ? SLICE_MS : (int)ms);
        left = due_us - tulle__tool_mono_us();
    }
    if (-left > LATE_US && !play->is_interrupted)
        play->late++;
    play->latest_us = -left > play->latest_us ? -left : play->latest_us;
}

/* ---- playing ---- */

static void
refuse(struct play *play, const tulle_event *event, const char *why)
{
    if (play->refused++ == 0 && !play->options.is_quiet) {
        tulle__progress_clear(&play->progress);
        struct tulle__text topic = { 0 };
        tulle__terminal_put_safe(&topic, event->topic, strlen(event->topic));
        (void)fprintf(stderr, "%s: an event of '%.*s' cannot be played: %s\n", play->program->name,
                      (int)topic.len, topic.len > 0 ? topic.bytes : "", why);
        tulle__text_free(&topic);
    }
}

/* Returns false when nothing more can be printed. */
static bool
print_step(struct play *play, const struct tulle__play_step *step, const tulle_event *event)
{
    bool is_renamed = strcmp(step->topic, event->topic) != 0;
    const char *name = tulle__play_map_node_name(play->map, step->node);
    struct tulle__text line = { 0 };
    tulle__text_format(&line, "+%.6f ", (double)play->offset_us / 1e6);
    tulle__terminal_put_safe(&line, name, strlen(name));
    tulle__text_char(&line, ' ');
    tulle__terminal_put_safe(&line, event->topic, strlen(event->topic));
    if (is_renamed) {
        tulle__text_str(&line, " -> ");
        tulle__terminal_put_safe(&line, step->topic, strlen(step->topic));
    }
    tulle__text_char(&line, '\n');
    if (line.has_failed)
        say_memory(play);
    else if (fwrite(line.bytes, 1, line.len, stdout) != line.len)
        play->output_errno = errno;
    tulle__text_free(&line);
    return !is_over(play);
}

/* Publish the step, or print it. */
static bool
publish(struct play *play, const struct tulle__play_step *step, const tulle_event *event)
{
    if (play->options.is_dry_run)
        return print_step(play, step, event);
    keep_pace(play);
    if (play->is_interrupted)
        return false;
    tulle_status status = tulle__play_nodes_publish(&play->nodes, step, event, go_on, play);
    if (status == TULLE_OK)
        return true;
    if (status == TULLE_EINVAL || status == TULLE_EMSGSIZE) {
        refuse(play, event, tulle_strerror(status));
    } else if (status != TULLE_EAGAIN) {
        tulle__progress_clear(&play->progress);
        (void)fprintf(stderr, "%s: %s\n", play->program->name, tulle__play_nodes_why(status));
        play->exit_status = (int)tulle__exit_of(status);
    }
    return false;
}

static void
play_event(struct play *play, const tulle_event *event)
{
    struct tulle__play_step step;
    switch (tulle__play_map_step(play->map, event, &step)) {
    case TULLE__PLAY_TOPIC:
        refuse(play, event, "its new name is no topic");
        return;
    case TULLE__PLAY_MEMORY:
        say_memory(play);
        return;
    case TULLE__PLAY_OK:
        break;
    }
    if (!publish(play, &step, event))
        return;
    play->played++;
    play->unknown_causes += step.unknown_causes;
    if (!tulle__play_map_done(play->map))
        say_memory(play);
}

static void
play_round(struct play *play)
{
    const tulle_event *event = NULL;
    int64_t time_us = 0;
    enum tulle__play_next next = TULLE__PLAY_END;
    bool is_first = true;
    play->round_us = tulle__tool_mono_us();
    tulle__play_source_rewind(&play->source);
    for (uint64_t i = 0; !is_over(play); i++) {
        next = tulle__play_source_next(&play->source, &event, &time_us);
        if (next != TULLE__PLAY_EVENT)
            break;
        move_on(play, time_us, is_first);
        is_first = false;
        play_event(play, event);
        if (i % LOOK_EVERY == 0)
            look_around(play);
    }
    play->missing += play->source.missing;
    if (next == TULLE__PLAY_FAILED && play->exit_status == 0)
        play->exit_status = TULLE__EXIT_FAILURE;
    play->rounds += next == TULLE__PLAY_END;
}

static void
play_all(struct play *play)
{
    play->start_us = tulle__tool_mono_us();
    uint64_t before = 0;
    do {
        before = play->played;
        if (play->rounds > 0)
            tulle__play_map_again(play->map);
        play_round(play);
        /* A round in which nothing can be played would come to no more again. */
    } while (!is_over(play) && play->played > before &&
             (play->options.rounds == 0 || play->rounds < play->options.rounds));
}

/* ---- before and after ---- */

/* The first reading. */
static bool
survey(struct play *play)
{
    const tulle_event *event = NULL;
    int64_t time_us = 0;
    enum tulle__play_next next = TULLE__PLAY_END;
    while (!play->is_interrupted &&
           (next = tulle__play_source_next(&play->source, &event, &time_us)) == TULLE__PLAY_EVENT) {
        if (!tulle__play_map_meet(play->map, event)) {
            say_memory(play);
            return false;
        }
        play->payload_max =
            event->payload_len > play->payload_max ? event->payload_len : play->payload_max;
        play->total++;
        if (play->total % LOOK_EVERY == 0)
            play->is_interrupted = tulle__signals_next(&play->signals) != 0;
    }
    if (next == TULLE__PLAY_FAILED)
        play->exit_status = TULLE__EXIT_FAILURE;
    return next == TULLE__PLAY_END && !play->is_interrupted;
}

/* When the first event was, whatever is played of them: for times that count from there. */
static bool
find_first(struct play *play)
{
    struct tulle__list none = { 0 };
    struct tulle__event_filter all;
    tulle__event_filter_init(&all);
    struct tulle__play_source source = play->source;
    const tulle_event *event = NULL;
    source.topics = &none;
    source.filter = &all;
    source.from_us = INT64_MIN;
    source.to_us = INT64_MAX;
    source.is_told = true;
    enum tulle__play_next next = tulle__play_source_next(&source, &event, &play->first_us);
    tulle__play_source_close(&source);
    tulle__event_filter_fini(&all);
    if (next == TULLE__PLAY_FAILED)
        play->exit_status = TULLE__EXIT_FAILURE;
    return next != TULLE__PLAY_FAILED;
}

static void
plural(char *out, size_t len, uint64_t count, const char *what)
{
    (void)snprintf(out, len, "%" PRIu64 " %s%s", count, what, count == 1 ? "" : "s");
}

static void
summarise(const struct play *play)
{
    char events[48];
    char nodes[48];
    double seconds = (double)(tulle__tool_mono_us() - play->start_us) / 1e6;
    plural(events, sizeof events, play->played, "event");
    plural(nodes, sizeof nodes, tulle__play_map_nodes(play->map), "node");
    (void)fprintf(stderr, "%s: %s of %s in %.1f s, %.0f a second", play->program->name, events,
                  nodes, seconds, seconds > 0 ? (double)play->played / seconds : 0);
    if (play->options.speed > 0)
        (void)fprintf(stderr, "; %" PRIu64 " late, at most %.3f s", play->late,
                      (double)(play->latest_us > 0 ? play->latest_us : 0) / 1e6);
    (void)fprintf(stderr, "\n");
    if (play->missing > 0)
        (void)fprintf(stderr, "%s: %" PRIu64 " events are missing in the recording\n",
                      play->program->name, play->missing);
    if (play->refused > 0)
        (void)fprintf(stderr, "%s: %" PRIu64 " could not be played\n", play->program->name,
                      play->refused);
    if (play->unknown_causes > 0)
        (void)fprintf(stderr, "%s: %" PRIu64 " causes were not played, and are not named\n",
                      play->program->name, play->unknown_causes);
}

/* With the nodes running. */
static int
run_nodes(struct play *play)
{
    int status = tulle__play_nodes_wait(&play->nodes);
    if (status != 0)
        return status;
    play_all(play);
    tulle__progress_clear(&play->progress);
    if (play->played > 0 && !play->options.is_no_wait)
        status = tulle__play_nodes_flush(&play->nodes);
    if (!play->options.is_quiet)
        summarise(play);
    if (play->played > 0 && status == 0 && !play->options.is_quiet &&
        !tulle__play_nodes_are_heard(&play->nodes))
        (void)fprintf(stderr, "%s: played, but no connected node takes any of it\n",
                      play->program->name);
    if (play->is_interrupted)
        (void)fprintf(stderr, "%s: interrupted\n", play->program->name);
    return play->exit_status != 0 ? play->exit_status : status;
}

static int
publish_all(struct play *play)
{
    tulle_node_options *node = &play->common.node;
    if (node->event_bytes_max < play->payload_max)
        node->event_bytes_max = (uint32_t)play->payload_max;
    int status = tulle__play_nodes_open(&play->nodes, &play->common);
    if (status == 0)
        status = run_nodes(play);
    tulle__play_nodes_close(&play->nodes);
    return status;
}

static int
print_all(struct play *play)
{
    play_all(play);
    if (play->output_errno == 0 && fflush(stdout) != 0)
        play->output_errno = errno;
    /* A reader that has seen enough is no failure. */
    if (play->output_errno == 0 || play->output_errno == EPIPE)
        return play->exit_status;
    (void)fprintf(stderr, "%s: standard output: %s\n", play->program->name,
                  strerror(play->output_errno));
    return TULLE__EXIT_FAILURE;
}

static int
run(struct play *play)
{
    const struct tulle__play_options *options = &play->options;
    if (options->from != NULL || options->to != NULL) {
        if (!find_first(play))
            return play->exit_status;
        if (options->from != NULL)
            play->source.from_us = tulle__play_moment(options->from, play->first_us);
        if (options->to != NULL)
            play->source.to_us = tulle__play_moment(options->to, play->first_us);
        if (play->source.from_us > play->source.to_us)
            return tulle__args_usage(play->program, "--from is later than --to");
    }
    if (!survey(play))
        return play->exit_status != 0 ? play->exit_status : TULLE__EXIT_FAILURE;
    if (play->total == 0) {
        (void)fprintf(stderr, "%s: there is nothing to play: %" PRIu64 " events are left out\n",
                      play->program->name, play->source.left_out);
        return play->source.is_damaged ? TULLE__EXIT_FAILURE : 0;
    }
    int status = options->is_dry_run ? print_all(play) : publish_all(play);
    tulle__query_tell(play->filter.where, play->program->name, "--where");
    if (status == 0 && (play->source.is_damaged || play->refused > 0 || play->is_interrupted))
        return TULLE__EXIT_FAILURE;
    return status;
}

static int
open_and_run(struct play *play, const struct tulle__args *args)
{
    const struct tulle__play_options *options = &play->options;
    if (!tulle__signals_open(&play->signals))
        return tulle__tool_fail(play->program, strerror(errno));
    play->source = (struct tulle__play_source){
        .program = play->program,
        .files = (const char *const *)args->operands,
        .file_count = args->operand_count,
        .topics = &options->topics,
        .is_by_arrival = options->by == TULLE__PLAY_BY_ARRIVED,
        .filter = &play->filter,
        .from_us = INT64_MIN,
        .to_us = INT64_MAX,
    };
    play->map =
        tulle__play_map_new(options->renames.items, options->renames.count, (size_t)options->nodes);
    play->nodes = (struct tulle__play_nodes){
        .program = play->program, .options = options, .map = play->map, .signals = &play->signals
    };
    tulle__progress_init(&play->progress, options->is_quiet || options->is_dry_run);
    int status = TULLE__EXIT_FAILURE;
    if (play->map == NULL)
        say_memory(play);
    else
        status = run(play);
    tulle__play_source_close(&play->source);
    tulle__play_map_free(&play->map);
    tulle__signals_close(&play->signals);
    return status;
}

static const char notes[] =
    "Causes come before effects, as they did: whoever takes what is played gets it in causal "
    "order.\n"
    "\n"
    "Examples:\n"
    "  tulle play --join tcp://192.0.2.7:7100 orders.mcap\n"
    "  tulle play --beacon --speed max --rename orders=test/orders -t 'orders/**' orders.mcap\n"
    "  tulle play --beacon --from +10m --to +20m --speed 4x --loop day-*.mcap\n"
    "  tulle play --dry-run -C 20 orders.mcap";

int
tulle__tool_play(int argc, char **argv)
{
    struct play play = { .signals.fd = -1 };
    tulle__play_options_init(&play.options);
    tulle__event_filter_init(&play.filter);
    tulle__common_init(&play.common);
    const struct tulle__option_group groups[] = {
        tulle__play_pace_group(&play.options),    tulle__play_event_group(&play.options),
        tulle__play_publish_group(&play.options), tulle__common_mesh_group(&play.common),
        tulle__common_log_group(&play.common),    tulle__common_tuning_group(&play.common),
    };
    const struct tulle__program program = {
        .name = "tulle play",
        .synopsis = "[options] FILE...",
        .summary = "Publish the events of recordings again.",
        .groups = groups,
        .group_count = sizeof groups / sizeof *groups,
        .notes = notes,
        .operand_max = SIZE_MAX,
        .has_config = true,
    };
    play.program = &program;
    struct tulle__args args;
    int status = 0;
    if (!tulle__args_begin(&program, argc, argv, &args, &status))
        return status;
    status = args.operand_count == 0 ? tulle__args_usage(&program, "FILE is missing") : 0;
    if (status == 0)
        status = tulle__play_options_finish(&program, &play.options, &play.filter);
    if (status == 0 &&
        (play.options.is_dry_run || (tulle__common_finish(&program, &play.common, &status) &&
                                     tulle__tool_has_way(&program, &play.common, &status)))) {
        /* What is played fast must not outrun what a consumer can still fetch. */
        if (play.common.node.window_bytes == 0 && !tulle__args_has(&args, "window_bytes"))
            play.common.node.window_bytes = play.common.node.retain_bytes / 2;
        status = open_and_run(&play, &args);
    }
    tulle__event_filter_fini(&play.filter);
    tulle__args_end(&args);
    return status;
}
