/* SPDX-License-Identifier: MPL-2.0 */

/* tulle pub: publish events from the command line or from standard input.
 *
 * It connects first, publishes, and leaves only when those who take the events
 * have acknowledged them. All waits are in slices, so that a signal is seen; the
 * first one ends the input, a second one ends the program. */

#include "app/exit.h"
#include "app/json.h"
#include "tools/common/tools.h"
#include "tools/pub/pub_input.h"

#include <tulle/topic.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SLICE_MS = 200, /* longest wait that does not look for signals */
    GRACE_MS = 1000,
    BEYOND_MS = 2000,  /* for a proxy to tell who is beyond it */
    QUESTION_MS = 200, /* for an answer that is known already */
    GOODBYE_MS = 100,  /* for telling the peers that it leaves */
    LINGER_MS = 2000,  /* for what is still in the sockets when it leaves */
    PROGRESS_AFTER_US = 1000000,
    PROGRESS_EVERY_US = 500000,
    CAUSES_MAX = 64,
    LINE_FACTOR = 8 /* a line may be so much longer than a payload: JSON escapes */
};

#define MSGPACK_TYPE "application/msgpack"

struct options {
    bool is_raw, is_json, is_lines, is_empty;
    bool is_no_wait, is_skip_bad, is_quiet, is_verbose, is_only_causes;
    const char *content_type;
    struct tulle__list headers, causes;
    const char *wait_peers; /* NULL: any one node, whatever it takes */
    int64_t wait_timeout_ms, ack_timeout_ms, interval_ms;
    double rate;
    uint64_t repeat;
};

struct pub {
    const struct tulle__program *program;
    struct options options;
    struct tulle__common common;
    struct tulle__signals signals;
    tulle_node *node;
    struct tulle__pub_event event;
    tulle_event_ref causes[CAUSES_MAX];
    char cause_streams[CAUSES_MAX][TULLE_TOPIC_LEN_MAX + 1];
    uint64_t peers; /* of --wait-peers */
    char first_topic[TULLE_TOPIC_LEN_MAX + 1];
    uint64_t published, skipped;
    int64_t start_us; /* of publishing */
    int64_t progress_us;
    bool has_progress;
    bool is_interrupted;
    bool is_abandoned; /* a signal ended the wait for acknowledgements */
    bool has_taker;    /* somebody took the first topic when publishing began */
    int64_t proxy_us;  /* since when a proxy is all that is reached; 0: is not */
};

// clang-format off
#define AT(field) offsetof(struct options, field)
static const struct tulle__option payload_options[] = {
    { .name = "raw", .letter = 'r', .type = TULLE__OPTION_FLAG, .flags = TULLE__OPTION_FLAG_ONLY,
      .offset = AT(is_raw), .help = "the payload is bytes, of type application/octet-stream" },
    { .name = "json", .letter = 'J', .type = TULLE__OPTION_FLAG, .flags = TULLE__OPTION_FLAG_ONLY,
      .offset = AT(is_json), .help = "the payload is JSON, published as msgpack; without TOPIC: events are lines of JSON" },
    { .name = "lines", .letter = 'L', .type = TULLE__OPTION_FLAG, .flags = TULLE__OPTION_FLAG_ONLY,
      .offset = AT(is_lines), .help = "each line of standard input is an event" },
    { .name = "empty", .letter = 'e', .type = TULLE__OPTION_FLAG, .flags = TULLE__OPTION_FLAG_ONLY,
      .offset = AT(is_empty), .help = "publish an event without payload" },
    { .name = "content_type", .type = TULLE__OPTION_STRING, .flags = TULLE__OPTION_FLAG_ONLY,
      .offset = AT(content_type), .arg = "TYPE", .help = "type of the payload, told to those who take it" },
    { .name = "header", .letter = 'H', .type = TULLE__OPTION_LIST, .flags = TULLE__OPTION_FLAG_ONLY,
      .offset = AT(headers), .arg = "NAME=VALUE", .max = TULLE__PUB_HEADERS_MAX,
      .help = "attach a header" },
    { .name = "cause", .letter = 'c', .type = TULLE__OPTION_LIST, .flags = TULLE__OPTION_FLAG_ONLY,
      .offset = AT(causes), .arg = "ID/STREAM/SEQ", .max = CAUSES_MAX,
      .help = "name an event that caused this one, as tap prints it" },
    { .name = "only_causes", .type = TULLE__OPTION_FLAG, .flags = TULLE__OPTION_FLAG_ONLY,
      .offset = AT(is_only_causes), .help = "depend on the named causes alone, not on all that was published before" },
};

static const struct tulle__option pace_options[] = {
    { .name = "repeat", .letter = 'n', .type = TULLE__OPTION_U64, .flags = TULLE__OPTION_FLAG_ONLY,
      .offset = AT(repeat), .arg = "N", .min = 1, .max = 1e18, .help = "publish the payload N times" },
    { .name = "interval", .letter = 'i', .type = TULLE__OPTION_SECONDS, .flags = TULLE__OPTION_FLAG_ONLY,
      .offset = AT(interval_ms), .arg = "SECONDS", .help = "wait so long between events" },
    { .name = "rate", .type = TULLE__OPTION_NUMBER, .flags = TULLE__OPTION_FLAG_ONLY,
      .offset = AT(rate), .arg = "N", .min = 0, .max = 1e9, .help = "at most N events a second; 0: no limit" },
    { .name = "skip_bad", .letter = 's', .type = TULLE__OPTION_FLAG, .flags = TULLE__OPTION_FLAG_ONLY,
      .offset = AT(is_skip_bad), .help = "skip lines that cannot be published, and count them" },
    { .name = "wait_peers", .letter = 'w', .type = TULLE__OPTION_STRING, .flags = TULLE__OPTION_FLAG_ONLY,
      .offset = AT(wait_peers), .arg = "N", .implied = "1",
      .help = "wait until N nodes that take the topic are connected (1 when N is left out); 0: do not wait. Without this option: until any node is connected, and then up to a second for one that takes the topic" },
    { .name = "wait_timeout", .type = TULLE__OPTION_SECONDS, .flags = TULLE__OPTION_FLAG_ONLY,
      .offset = AT(wait_timeout_ms), .arg = "SECONDS", .help = "give up waiting for nodes after so long, with status 4" },
    { .name = "no_wait", .type = TULLE__OPTION_FLAG, .flags = TULLE__OPTION_FLAG_ONLY,
      .offset = AT(is_no_wait), .help = "leave without waiting for acknowledgements" },
    { .name = "ack_timeout", .type = TULLE__OPTION_SECONDS, .flags = TULLE__OPTION_FLAG_ONLY,
      .offset = AT(ack_timeout_ms), .arg = "SECONDS", .help = "give up waiting for acknowledgements after so long, with status 1" },
    { .name = "quiet", .letter = 'q', .type = TULLE__OPTION_FLAG, .flags = TULLE__OPTION_FLAG_ONLY,
      .offset = AT(is_quiet), .help = "no progress, no remarks; failures are told all the same" },
    { .name = "verbose", .letter = 'v', .type = TULLE__OPTION_FLAG, .flags = TULLE__OPTION_FLAG_ONLY,
      .offset = AT(is_verbose), .help = "say at the end what was published" },
};
// clang-format on

static const char notes[] =
    "PAYLOAD is text, published as a msgpack string; '-' reads all of standard input.\n"
    "\n"
    "Examples:\n"
    "  tulle pub --join tcp://192.0.2.7:7100 orders/eu/placed 'order 17'\n"
    "  tulle pub --beacon --json sensors/42/temp '{\"celsius\": 21.5}'\n"
    "  tail -f app.log | tulle pub --join tcp://192.0.2.7:7100 logs/app --lines\n"
    "  tulle pub --join tcp://192.0.2.7:7100 --json < events.ndjson";

static bool
tell(const struct pub *pub, const char *text)
{
    (void)fprintf(stderr, "%s: %s\n", pub->program->name, text);
    return false;
}

/* "0123456789abcdef/orders/17", as tap prints it: the stream may hold slashes. */
static bool
parse_cause(const char *text, tulle_event_ref *out, char stream[static TULLE_TOPIC_LEN_MAX + 1])
{
    const char *last = strrchr(text, '/');
    if (strspn(text, "0123456789abcdefABCDEF") != 16 || text[16] != '/' || last == text + 16)
        return false;
    size_t len = (size_t)(last - text) - 17;
    if (len == 0 || len > TULLE_TOPIC_LEN_MAX ||
        !tulle__parse_u64(last + 1, 1, UINT64_MAX, &out->seq))
        return false;
    out->node = strtoull(text, NULL, 16); /* stops at the slash; 16 digits fit */
    memcpy(stream, text + 17, len);
    stream[len] = '\0';
    out->stream = stream;
    return true;
}

/* Check what the tables cannot. Returns 0 or an exit status. */
static int
check_options(struct pub *pub, const struct tulle__args *args)
{
    struct options *o = &pub->options;
    const struct tulle__program *program = pub->program;
    bool has_payload = args->operand_count > 1;
    if (o->is_raw && o->is_json)
        return tulle__args_usage(program, "--raw and --json exclude each other");
    if (args->operand_count == 0 && !o->is_json)
        return tulle__args_usage(program, "TOPIC is missing");
    if (args->operand_count == 0 && (o->is_empty || o->headers.count > 0 || o->causes.count > 0))
        return tulle__args_usage(program, "--empty, --header and --cause need TOPIC");
    if (args->operand_count > 0 && !tulle_topic_is_valid(args->operands[0]))
        return tulle__args_usage(program, "'%s' is no topic to publish on", args->operands[0]);
    if (has_payload + o->is_lines + o->is_empty > 1)
        return tulle__args_usage(program, "PAYLOAD, --lines and --empty exclude each other");
    if (args->operand_count == 1 && !o->is_lines && !o->is_empty)
        return tulle__args_usage(
            program, "PAYLOAD is missing ('-': standard input; or --lines, or --empty)");
    if ((o->is_lines || args->operand_count == 0) && tulle__args_has(args, "repeat"))
        return tulle__args_usage(program, "--repeat needs PAYLOAD");
    if (o->interval_ms > 0 && o->rate > 0)
        return tulle__args_usage(program, "--interval and --rate exclude each other");
    if (o->wait_peers != NULL && !tulle__parse_u64(o->wait_peers, 0, 100000, &pub->peers))
        return tulle__args_usage(program, "--wait-peers: '%s' is not a number", o->wait_peers);
    for (size_t i = 0; i < o->headers.count; i++) {
        const char *equals = strchr(o->headers.items[i], '=');
        if (equals == NULL || equals == o->headers.items[i])
            return tulle__args_usage(program, "--header: '%s' is not NAME=VALUE",
                                     o->headers.items[i]);
    }
    for (size_t i = 0; i < o->causes.count; i++) {
        if (!parse_cause(o->causes.items[i], &pub->causes[i], pub->cause_streams[i]))
            return tulle__args_usage(program, "--cause: '%s' is not ID/STREAM/SEQ",
                                     o->causes.items[i]);
    }
    return 0;
}

/* Cut copies of "NAME=VALUE" in two. False: no memory. */
static bool
set_headers(struct pub *pub, struct tulle__strings *strings)
{
    const struct tulle__list *list = &pub->options.headers;
    for (size_t i = 0; i < list->count; i++) {
        char *name = tulle__strings_copy(strings, list->items[i]);
        if (name == NULL)
            return false;
        char *equals = strchr(name, '=');
        *equals = '\0';
        pub->event.headers[pub->event.header_count++] = (tulle_header){ name, equals + 1 };
    }
    return true;
}

/* Has a signal come? The first one ends the input. */
static bool
is_signalled(struct pub *pub)
{
    if (tulle__signals_next(&pub->signals) != 0)
        pub->is_interrupted = true;
    return pub->is_interrupted;
}

/* The node that was reached may take the topic, or know who does: give them a moment to connect.
 * Nobody may want the event, so this is not waited for in earnest. */
static void
wait_grace(struct pub *pub, const char *topic)
{
    for (int waited = 0; waited < GRACE_MS && !is_signalled(pub); waited += SLICE_MS) {
        tulle_status status = tulle_node_wait_peers(pub->node, topic, 1, SLICE_MS);
        pub->has_taker = status == TULLE_OK;
        if (status != TULLE_ETIMEDOUT)
            return;
    }
}

/* A proxy is reached, and it had the time to tell of nodes beyond it: there is none. */
static bool
is_nobody_beyond(struct pub *pub)
{
    if (tulle__tool_reach(pub->node) != TULLE__REACH_PROXY)
        return false;
    int64_t now = tulle__tool_mono_us();
    if (pub->proxy_us == 0)
        pub->proxy_us = now;
    return now - pub->proxy_us >= (int64_t)BEYOND_MS * 1000;
}

/* Why wait_peers() gives up. */
static int
tell_alone(const struct pub *pub, bool has_count, size_t count, const char *topic)
{
    const char *name = pub->program->name;
    double seconds = (double)pub->options.wait_timeout_ms / 1000.0;
    if (!has_count) {
        (void)fprintf(stderr, "%s: no node reached within %.15g s\n", name, seconds);
    } else if (count == 1) {
        (void)fprintf(stderr, "%s: no node that takes '%s' reached within %.15g s\n", name, topic,
                      seconds);
    } else {
        (void)fprintf(stderr, "%s: fewer than %zu nodes that take '%s' reached within %.15g s\n",
                      name, count, topic, seconds);
    }
    return TULLE__EXIT_NETWORK;
}

/* Wait for the peers, or only for any one node. Returns 0 or an exit status. */
static int
wait_peers(struct pub *pub, const char *topic)
{
    bool has_count = pub->options.wait_peers != NULL;
    size_t count = has_count ? (size_t)pub->peers : 1;
    if (has_count && count == 0)
        return 0;
    int64_t end = tulle__tool_mono_us() + pub->options.wait_timeout_ms * 1000;
    for (;;) {
        int64_t left = (end - tulle__tool_mono_us()) / 1000;
        int slice = left > SLICE_MS ? SLICE_MS : left < 0 ? 0 : (int)left;
        tulle_status status =
            tulle_node_wait_peers(pub->node, has_count ? topic : NULL, count, slice);
        pub->has_taker = status == TULLE_OK && has_count;
        if (status == TULLE_OK && !has_count)
            wait_grace(pub, topic);
        if (status == TULLE_OK)
            return 0;
        if (is_signalled(pub)) {
            (void)tell(pub, "interrupted; nothing was published");
            return TULLE__EXIT_FAILURE;
        }
        if (status != TULLE_ETIMEDOUT) {
            (void)tell(pub, tulle_strerror(status));
            return (int)tulle__exit_of(status);
        }
        if (!has_count && is_nobody_beyond(pub))
            return 0;
        if (left <= 0)
            return tell_alone(pub, has_count, count, topic);
    }
}

static void
show_progress(struct pub *pub)
{
    if (pub->progress_us < 0)
        return;
    int64_t now = tulle__tool_mono_us();
    if (now - pub->start_us < PROGRESS_AFTER_US || now - pub->progress_us < PROGRESS_EVERY_US)
        return;
    pub->progress_us = now;
    pub->has_progress = true;
    (void)fprintf(stderr, "\r%s: %" PRIu64 " events, %.0f a second ", pub->program->name,
                  pub->published, (double)pub->published * 1e6 / (double)(now - pub->start_us));
}

static void
end_progress(struct pub *pub)
{
    if (pub->has_progress)
        (void)fputs("\r\033[K", stderr); /* only ever written to a terminal */
    pub->has_progress = false;
}

/* Wait until the next event is due. */
static void
keep_pace(struct pub *pub)
{
    double each_us =
        pub->options.rate > 0 ? 1e6 / pub->options.rate : (double)pub->options.interval_ms * 1000.0;
    if (each_us <= 0 || pub->published == 0)
        return;
    double due = (double)pub->start_us + each_us * (double)pub->published;
    while (!is_signalled(pub)) {
        double left_ms = (due - (double)tulle__tool_mono_us()) / 1000.0;
        if (left_ms < 1)
            return; /* high rates go out in small bursts */
        int slice = left_ms > SLICE_MS ? SLICE_MS : (int)left_ms;
        (void)tulle__signals_wait(&pub->signals, -1, slice);
        show_progress(pub);
    }
}

/* First event: connect. Returns 0 or an exit status. */
static int
begin(struct pub *pub, const char *topic)
{
    if (pub->first_topic[0] != '\0')
        return 0;
    (void)snprintf(pub->first_topic, sizeof pub->first_topic, "%s", topic);
    int status = wait_peers(pub, topic);
    pub->start_us = tulle__tool_mono_us();
    return status;
}

static tulle_status
publish(struct pub *pub)
{
    tulle_publish_options options;
    tulle_publish_options_init(&options);
    const char *type = pub->options.content_type;
    options.content_type = type != NULL ? type : pub->event.content_type;
    options.headers = pub->event.headers;
    options.header_count = pub->event.header_count;
    options.causes = pub->causes;
    options.cause_count = pub->options.causes.count;
    options.only_causes = pub->options.is_only_causes;
    options.timeout_ms = SLICE_MS;
    const struct tulle__text *payload = &pub->event.payload;
    tulle_status status = TULLE_EAGAIN;
    while (status == TULLE_EAGAIN && !is_signalled(pub)) {
        status =
            tulle_node_publish(pub->node, pub->event.topic, payload->bytes, payload->len, &options);
        show_progress(pub);
    }
    if (status == TULLE_OK)
        pub->published++;
    return status;
}

/* Publish event. Returns 0, or an exit status when it is no use to go on;
 * problem is set for what only this event suffers from. */
static int
publish_event(struct pub *pub, char problem[static TULLE__PUB_PROBLEM_LEN])
{
    problem[0] = '\0';
    if (!tulle_topic_is_valid(pub->event.topic)) {
        (void)snprintf(problem, TULLE__PUB_PROBLEM_LEN, "'%.150s' is no topic to publish on",
                       pub->event.topic);
        return 0;
    }
    int exit_status = begin(pub, pub->event.topic);
    if (exit_status != 0)
        return exit_status;
    keep_pace(pub);
    if (pub->is_interrupted)
        return 0;
    tulle_status status = publish(pub);
    if (status == TULLE_OK || (status == TULLE_EAGAIN && pub->is_interrupted))
        return 0;
    if (status == TULLE_EINVAL || status == TULLE_EMSGSIZE) {
        (void)snprintf(problem, TULLE__PUB_PROBLEM_LEN, "%s", tulle_strerror(status));
        return 0;
    }
    end_progress(pub);
    (void)tell(pub, tulle_strerror(status));
    return (int)tulle__exit_of(status);
}

/* A line that cannot be published. Returns 0 to go on. */
static int
refuse_line(struct pub *pub, uint64_t number, const char *problem)
{
    end_progress(pub);
    if (!pub->options.is_skip_bad || !pub->options.is_quiet)
        (void)fprintf(stderr, "%s: line %" PRIu64 ": %s\n", pub->program->name, number, problem);
    if (!pub->options.is_skip_bad)
        return TULLE__EXIT_FAILURE;
    pub->skipped++;
    return 0;
}

static bool
is_blank(const char *line, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
            return false;
    }
    return true;
}

/* One line of input. topic NULL: the line is a whole event as JSON. */
static int
publish_line(struct pub *pub,
             const char *topic,
             enum tulle__pub_form form,
             const char *line,
             size_t len,
             char problem[static TULLE__PUB_PROBLEM_LEN])
{
    problem[0] = '\0';
    if (topic == NULL) {
        if (is_blank(line, len))
            return 0;
        if (!tulle__pub_line(&pub->event, line, len, problem) || pub->event.is_skipped)
            return 0;
    } else {
        pub->event.topic = topic;
        if (!tulle__pub_payload(&pub->event, form, line, len, problem))
            return 0;
    }
    return publish_event(pub, problem);
}

static int
publish_lines(struct pub *pub, const char *topic, enum tulle__pub_form form)
{
    struct tulle__lines lines = { .fd = STDIN_FILENO,
                                  .len_max =
                                      (size_t)pub->common.node.event_bytes_max * LINE_FACTOR };
    int status = 0;
    char problem[TULLE__PUB_PROBLEM_LEN];
    while (status == 0 && !pub->is_interrupted) {
        const char *line = NULL;
        size_t len = 0;
        problem[0] = '\0';
        enum tulle__line_result result = tulle__lines_next(&lines, &pub->signals, &line, &len);
        if (result == TULLE__LINE_END)
            break;
        if (result == TULLE__LINE_SIGNAL) {
            (void)is_signalled(pub);
            continue;
        }
        if (result == TULLE__LINE_FAILED) {
            (void)fprintf(stderr, "%s: standard input: %s\n", pub->program->name, strerror(errno));
            status = TULLE__EXIT_FAILURE;
            break;
        }
        if (result == TULLE__LINE_TOO_LONG)
            (void)snprintf(problem, sizeof problem, "too long");
        else
            status = publish_line(pub, topic, form, line, len, problem);
        if (problem[0] != '\0')
            status = refuse_line(pub, lines.number, problem);
    }
    tulle__text_free(&lines.bytes);
    return status;
}

/* Publish one payload, perhaps many times. */
static int
publish_payload(struct pub *pub, const char *topic, enum tulle__pub_form form, const char *text)
{
    struct tulle__lines lines = { .fd = STDIN_FILENO,
                                  .len_max =
                                      (size_t)pub->common.node.event_bytes_max * LINE_FACTOR };
    char problem[TULLE__PUB_PROBLEM_LEN] = "";
    const char *bytes = text;
    size_t len = text != NULL ? strlen(text) : 0;
    enum tulle__line_result result = TULLE__LINE_OK;
    while (text != NULL && strcmp(text, "-") == 0) {
        result = tulle__lines_all(&lines, &pub->signals, &bytes, &len);
        if (result != TULLE__LINE_SIGNAL || is_signalled(pub))
            break;
    }
    pub->event.topic = topic;
    int status = 0;
    if (result != TULLE__LINE_OK)
        (void)snprintf(problem, sizeof problem, "standard input cannot be read, or is too long");
    else if (text != NULL)
        (void)tulle__pub_payload(&pub->event, form, bytes, len, problem);
    for (uint64_t i = 0; i < pub->options.repeat; i++) {
        if (problem[0] != '\0' || status != 0 || pub->is_interrupted)
            break;
        status = publish_event(pub, problem);
    }
    tulle__text_free(&lines.bytes);
    if (problem[0] == '\0')
        return status;
    (void)tell(pub, problem);
    return TULLE__EXIT_FAILURE;
}

/* Wait for acknowledgements of what was published. Returns 0 or an exit status. */
static int
wait_acks(struct pub *pub)
{
    int64_t end = tulle__tool_mono_us() + pub->options.ack_timeout_ms * 1000;
    (void)is_signalled(pub); /* one that came before ended the input */
    for (;;) {
        int64_t left = (end - tulle__tool_mono_us()) / 1000;
        int slice = left > SLICE_MS ? SLICE_MS : left < 0 ? 0 : (int)left;
        tulle_status status = tulle_node_flush(pub->node, slice);
        if (status == TULLE_OK)
            return 0;
        pub->is_abandoned = tulle__signals_next(&pub->signals) != 0;
        if (status == TULLE_ETIMEDOUT && left > 0 && !pub->is_abandoned)
            continue;
        end_progress(pub);
        if (pub->is_abandoned) {
            (void)tell(pub, "interrupted while waiting for acknowledgements");
        } else if (status != TULLE_ETIMEDOUT) {
            (void)tell(pub, tulle_strerror(status));
        } else {
            (void)fprintf(stderr, "%s: not everything was acknowledged within %.15g s\n",
                          pub->program->name, (double)pub->options.ack_timeout_ms / 1000.0);
        }
        return TULLE__EXIT_FAILURE;
    }
}

/* Publishing into the void is allowed, but whoever does it should know. */
static void
remark(struct pub *pub, bool is_acked)
{
    if (pub->skipped > 0 && !pub->options.is_quiet)
        (void)fprintf(stderr, "%s: bad lines skipped: %" PRIu64 "\n", pub->program->name,
                      pub->skipped);
    bool is_taken = pub->published > 0 && !pub->is_abandoned &&
                    tulle_node_wait_peers(pub->node, pub->first_topic, 1, QUESTION_MS) == TULLE_OK;
    /* Who took it may have seen enough and left: that is no reason for a remark. */
    bool is_waste = (is_acked || pub->options.is_no_wait) && !is_taken && !pub->has_taker;
    if (pub->published > 0 && is_waste && !pub->options.is_quiet) {
        bool is_proxy = tulle__tool_reach(pub->node) == TULLE__REACH_PROXY;
        (void)fprintf(stderr, "%s: published, but no connected node takes '%s'%s\n",
                      pub->program->name, pub->first_topic,
                      is_proxy ? ": only a proxy is reached, and nobody beyond it" : "");
    }
    if (pub->options.is_verbose) {
        (void)fprintf(stderr, "%s: %" PRIu64 " event%s published%s\n", pub->program->name,
                      pub->published, pub->published == 1 ? "" : "s",
                      is_acked && is_taken ? " and acknowledged" : "");
    }
    if (pub->is_interrupted)
        (void)fprintf(stderr, "%s: interrupted; events published: %" PRIu64 "\n",
                      pub->program->name, pub->published);
}

static int
run(struct pub *pub, const struct tulle__args *args)
{
    int status = 0;
    if (!tulle__signals_open(&pub->signals)) {
        (void)fprintf(stderr, "%s: signals: %s\n", pub->program->name, strerror(errno));
        return TULLE__EXIT_FAILURE;
    }
    pub->node = tulle__common_start(pub->program, &pub->common, &status);
    if (pub->node == NULL) {
        tulle__signals_close(&pub->signals);
        return status;
    }
    /* Text of another type than MessagePack is no MessagePack string. */
    const char *type = pub->options.content_type;
    bool is_raw = pub->options.is_raw ||
                  (type != NULL && !pub->options.is_json && strcmp(type, MSGPACK_TYPE) != 0);
    enum tulle__pub_form form = is_raw ? TULLE__PUB_RAW : TULLE__PUB_TEXT;
    if (pub->options.is_json)
        form = TULLE__PUB_JSON;
    const char *topic = args->operand_count > 0 ? args->operands[0] : NULL;
    if (topic == NULL || pub->options.is_lines)
        status = publish_lines(pub, topic, form);
    else
        status =
            publish_payload(pub, topic, form, args->operand_count > 1 ? args->operands[1] : NULL);

    /* Also after a bad line: what went before it is published. */
    bool is_acked = false;
    if (pub->published > 0 && !pub->options.is_no_wait) {
        int waited = wait_acks(pub);
        is_acked = waited == 0;
        status = status != 0 ? status : waited;
    }
    end_progress(pub);
    remark(pub, is_acked);
    bool has_left = is_acked || pub->is_abandoned || pub->published == 0;
    tulle_node_stop(pub->node, has_left ? GOODBYE_MS : LINGER_MS);
    tulle_node_free(&pub->node);
    tulle__signals_close(&pub->signals);
    return status == 0 && pub->is_interrupted ? TULLE__EXIT_FAILURE : status;
}

static void
init(struct pub *pub)
{
    pub->options =
        (struct options){ .wait_timeout_ms = 10000, .ack_timeout_ms = 30000, .repeat = 1 };
    tulle__common_init(&pub->common);
    pub->signals.fd = -1;
    pub->progress_us = isatty(STDERR_FILENO) == 1 ? 0 : -1;
}

int
tulle__tool_pub(int argc, char **argv)
{
    struct pub pub = { 0 };
    init(&pub);
    const struct tulle__option_group groups[] = {
        { "Payload", payload_options, sizeof payload_options / sizeof *payload_options,
          &pub.options },
        { "Publishing", pace_options, sizeof pace_options / sizeof *pace_options, &pub.options },
        tulle__common_mesh_group(&pub.common),
        tulle__common_log_group(&pub.common),
        tulle__common_tuning_group(&pub.common),
    };
    const struct tulle__program program = {
        .name = "tulle pub",
        .synopsis = "[options] TOPIC PAYLOAD\n[options] TOPIC --lines\n[options] --json",
        .summary = "Publish events.",
        .groups = groups,
        .group_count = sizeof groups / sizeof *groups,
        .notes = notes,
        .operand_max = 2,
        .has_config = true,
    };
    struct tulle__args args;
    int status = 0;
    if (!tulle__args_begin(&program, argc, argv, &args, &status))
        return status;
    pub.program = &program;
    if (pub.options.is_quiet)
        pub.progress_us = -1;
    status = check_options(&pub, &args);
    if (status == 0 && tulle__common_finish(&program, &pub.common, &status) &&
        tulle__tool_has_way(&program, &pub.common, &status)) {
        /* Long input must not outrun what a consumer can still fetch. */
        if (pub.common.node.window_bytes == 0 && !tulle__args_has(&args, "window_bytes"))
            pub.common.node.window_bytes = pub.common.node.retain_bytes / 2;
        status = set_headers(&pub, &args.strings) ? run(&pub, &args)
                                                  : tulle__tool_fail(&program, "out of memory");
    }
    tulle__pub_event_free(&pub.event);
    tulle__args_end(&args);
    return status;
}
