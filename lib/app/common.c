/* SPDX-License-Identifier: MPL-2.0 */

/* The options that all programs share, as tables over struct tulle__common. */

#include "app/common.h"

#include "app/exit.h"

#include <tulle/topic.h>

#include <stdio.h>
#include <string.h>

#define NODE(field) offsetof(struct tulle__common, node.field)
#define MINE(field) offsetof(struct tulle__common, field)

const char *
tulle__check_join(const char *value)
{
    return tulle_address_is_valid(value, false)
               ? NULL
               : "no address to join: tcp://HOST:PORT with a port up to 65534, or ipc://PATH";
}

const char *
tulle__check_listen(const char *value)
{
    return tulle_address_is_valid(value, true)
               ? NULL
               : "no address to listen at: tcp://HOST:PORT with a port up to 65534 or '*', or "
                 "ipc://PATH";
}

const char *
tulle__check_pattern(const char *value)
{
    return tulle_pattern_is_valid(value)
               ? NULL
               : "no pattern: levels between '/', none empty, '*' and '**' only as whole levels";
}

const char *
tulle__check_name(const char *value)
{
    size_t len = strlen(value);
    return len >= 1 && len <= 63 ? NULL : "no name: 1 to 63 bytes";
}

const struct tulle__choice tulle__orders[] = {
    { "none", TULLE_ORDER_NONE },
    { "fifo", TULLE_ORDER_FIFO },
    { "causal", TULLE_ORDER_CAUSAL },
    { NULL, 0 },
};

// clang-format off
static const struct tulle__option mesh_options[] = {
    { .name = "mesh", .type = TULLE__OPTION_STRING, .offset = NODE(mesh), .arg = "NAME",
      .check = tulle__check_name,
      .help = "mesh to be in; nodes of different meshes ignore each other" },
    { .name = "name", .type = TULLE__OPTION_STRING, .offset = NODE(name), .arg = "NAME",
      .check = tulle__check_name,
      .help = "this node's name; without it the host's name and the process id" },
    { .name = "join", .letter = 'j', .type = TULLE__OPTION_LIST, .offset = MINE(join),
      .arg = "ADDRESS", .max = 64, .check = tulle__check_join, .help = "address of a node to join, such as tcp://192.0.2.7:7100" },
    { .name = "listen", .letter = 'l', .type = TULLE__OPTION_LIST, .offset = MINE(listen),
      .arg = "ADDRESS", .max = TULLE_LISTEN_MAX, .check = tulle__check_listen,
      .help = "address to listen at, tcp://HOST:PORT or ipc://PATH; '*' chooses host or port" },
    { .name = "beacon", .letter = 'b', .type = TULLE__OPTION_STRING, .offset = MINE(beacon),
      .arg = "INTERFACE", .implied = "any",
      .help = "find nodes on the same network segment by UDP broadcast" },
    { .name = "beacon_port", .type = TULLE__OPTION_U16, .flags = TULLE__OPTION_RARE,
      .offset = NODE(beacon_port), .arg = "PORT", .min = 1, .max = 65535,
      .help = "UDP port of beacons" },
    { .name = "interface", .type = TULLE__OPTION_STRING, .offset = NODE(interface_name),
      .arg = "NAME", .help = "network interface that stands for host '*'" },
    { .name = "advertise", .type = TULLE__OPTION_STRING, .flags = TULLE__OPTION_RARE,
      .offset = NODE(advertise), .arg = "ADDRESS", .check = tulle__check_join,
      .help = "control address that peers are told, behind address translation" },
    { .name = "advertise_events", .type = TULLE__OPTION_STRING, .flags = TULLE__OPTION_RARE,
      .offset = NODE(advertise_events), .arg = "ADDRESS", .check = tulle__check_join,
      .help = "event address that peers are told, likewise" },
    { .name = "inlet", .type = TULLE__OPTION_FLAG, .flags = TULLE__OPTION_RARE,
      .offset = NODE(use_inlet), .help = "take events in from nodes that only dial, at PORT + 2" },
    { .name = "advertise_inlet", .type = TULLE__OPTION_STRING, .flags = TULLE__OPTION_RARE,
      .offset = NODE(advertise_inlet), .arg = "ADDRESS", .check = tulle__check_join,
      .help = "address of the inlet that peers are told, likewise" },
    { .name = "dial_only", .type = TULLE__OPTION_FLAG, .flags = TULLE__OPTION_RARE,
      .offset = NODE(dial_only),
      .help = "listen nowhere, as behind address translation; the others need an inlet" },
};

static const struct tulle__choice levels[] = {
    { "none", 0 }, { "error", TULLE_LOG_ERROR }, { "warn", TULLE_LOG_WARN },
    { "info", TULLE_LOG_INFO }, { "debug", TULLE_LOG_DEBUG }, { NULL, 0 },
};

static const struct tulle__choice log_formats[] = {
    { "text", TULLE__LOG_TEXT }, { "json", TULLE__LOG_JSON }, { NULL, 0 },
};

static const struct tulle__option log_options[] = {
    { .name = "log_level", .type = TULLE__OPTION_CHOICE, .offset = MINE(log_level),
      .arg = "LEVEL", .choices = levels, .help = "log lines to write: none, error, warn, info, debug" },
    { .name = "log_format", .type = TULLE__OPTION_CHOICE, .offset = MINE(log_format),
      .arg = "FORMAT", .choices = log_formats, .help = "text, or json: one object a line" },
};

#define RARE_MS(field, low, high, text)                                                            \
    { .name = #field, .type = TULLE__OPTION_U32, .flags = TULLE__OPTION_RARE,                      \
      .offset = NODE(field), .arg = "MS", .min = (low), .max = (high), .unit = "ms",               \
      .help = (text) }
#define RARE_BYTES(field, text)                                                                    \
    { .name = #field, .type = TULLE__OPTION_BYTES, .flags = TULLE__OPTION_RARE,                    \
      .offset = NODE(field), .arg = "BYTES", .unit = "bytes", .help = (text) }

static const struct tulle__option tuning_options[] = {
    { .name = "stream_levels", .type = TULLE__OPTION_U32, .flags = TULLE__OPTION_RARE,
      .offset = NODE(stream_levels), .arg = "N", .min = 1, .max = 8,
      .help = "leading topic levels that make a stream" },
    RARE_MS(beat_ms, 20, 60000, "period of beats"),
    RARE_MS(suspect_ms, 0, 0, "silence that makes a peer suspect"),
    RARE_MS(gone_ms, 0, 0, "silence that makes a peer gone"),
    RARE_MS(hold_ms, 0, 0, "how long a missing range may hold others up"),
    RARE_MS(fetch_delay_ms, 0, 0, "how long a hole may fill by itself before it is asked for"),
    RARE_BYTES(retain_bytes, "own events kept for others"),
    { .name = "retain_ms", .type = TULLE__OPTION_U64, .flags = TULLE__OPTION_RARE,
      .offset = NODE(retain_ms), .arg = "MS", .unit = "ms", .help = "and for how long" },
    RARE_BYTES(retain_others_bytes, "events of others kept for others"),
    RARE_BYTES(held_bytes, "events waiting for order"),
    RARE_BYTES(queue_bytes, "events delivered but not yet handled"),
    RARE_BYTES(outbox_bytes, "events published but not yet sent"),
    RARE_BYTES(window_bytes,
               "events sent but not acknowledged beyond which publishing waits; 0: it never does"),
    { .name = "batch_bytes", .type = TULLE__OPTION_BYTES32, .flags = TULLE__OPTION_RARE,
      .offset = NODE(batch_bytes), .arg = "BYTES", .unit = "bytes",
      .help = "size at which a batch is closed" },
    { .name = "event_bytes_max", .type = TULLE__OPTION_BYTES32, .flags = TULLE__OPTION_RARE,
      .offset = NODE(event_bytes_max), .arg = "BYTES", .min = 1, .max = 16777216,
      .unit = "bytes", .help = "largest payload" },
};
// clang-format on

void
tulle__common_init(struct tulle__common *common)
{
    *common = (struct tulle__common){ .beacon = "off",
                                      .log_level = TULLE_LOG_WARN,
                                      .log_format = TULLE__LOG_TEXT };
    tulle_node_options_init(&common->node);
}

struct tulle__option_group
tulle__common_mesh_group(struct tulle__common *common)
{
    return (struct tulle__option_group){ "Mesh", mesh_options,
                                         sizeof mesh_options / sizeof *mesh_options, common };
}

struct tulle__option_group
tulle__common_log_group(struct tulle__common *common)
{
    return (struct tulle__option_group){ "Logging", log_options,
                                         sizeof log_options / sizeof *log_options, common };
}

struct tulle__option_group
tulle__common_tuning_group(struct tulle__common *common)
{
    return (struct tulle__option_group){ "Tuning", tuning_options,
                                         sizeof tuning_options / sizeof *tuning_options, common };
}

bool
tulle__common_finish(const struct tulle__program *program,
                     struct tulle__common *common,
                     int *status)
{
    tulle_node_options *node = &common->node;
    for (size_t i = 0; i < common->listen.count; i++)
        node->listen[i] = common->listen.items[i];
    node->listen_count = common->listen.count;
    node->join = common->join.items;
    node->join_count = common->join.count;
    node->use_beacon = strcmp(common->beacon, "off") != 0;
    node->beacon_interface = strcmp(common->beacon, "any") == 0 ? NULL : common->beacon;
    if (!node->use_beacon)
        node->beacon_interface = NULL;
    if (common->beacon[0] == '\0') {
        *status = tulle__args_usage(program, "--beacon: the interface's name is empty");
        return false;
    }
    tulle__logsink_init(&common->sink, (enum tulle__log_format)common->log_format);
    node->log = common->log_level == 0 ? NULL : tulle__logsink_write;
    node->log_ctx = &common->sink;
    node->log_level = common->log_level == 0 ? TULLE_LOG_ERROR : (tulle_log_level)common->log_level;
    return true;
}

static int
tell_failure(const struct tulle__program *program, tulle_status failed, const tulle_error *error)
{
    (void)fprintf(stderr, "%s: %s\n", program->name,
                  error->text[0] != '\0' ? error->text : tulle_strerror(failed));
    return (int)tulle__exit_of(failed);
}

tulle_node *
tulle__common_new(const struct tulle__program *program, struct tulle__common *common, int *status)
{
    tulle_node *node = NULL;
    tulle_error error = { 0 };
    tulle_status made = tulle_node_new(&common->node, &node, &error);
    if (made != TULLE_OK) {
        *status = tell_failure(program, made, &error);
        return NULL;
    }
    /* Now, because the node's thread will read the sink. */
    (void)snprintf(common->sink.node, sizeof common->sink.node, "%s", tulle_node_name(node));
    return node;
}

bool
tulle__common_run(const struct tulle__program *program, tulle_node **node, int *status)
{
    tulle_error error = { 0 };
    tulle_status started = tulle_node_start(*node, &error);
    if (started == TULLE_OK)
        return true;
    *status = tell_failure(program, started, &error);
    tulle_node_free(node);
    return false;
}

tulle_node *
tulle__common_start(const struct tulle__program *program, struct tulle__common *common, int *status)
{
    tulle_node *node = tulle__common_new(program, common, status);
    if (node != NULL)
        (void)tulle__common_run(program, &node, status); /* on failure node is NULL */
    return node;
}
