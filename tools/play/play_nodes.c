/* SPDX-License-Identifier: MPL-2.0 */

/* A consumer that takes live events must have met a node before that publishes: what came before
 * would be no part of what it takes. So all nodes wait until each sees the takers that any of them
 * sees. */

#include "tools/play/play_nodes.h"

#include "app/exit.h"
#include "tools/common/tools.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    ASK_MS = 20,       /* for the answer of a node's thread */
    SLICE_MS = 100,    /* longest wait that does not look for signals */
    GRACE_MS = 1000,   /* for those who take the topics, when any node is reached */
    GOODBYE_MS = 2000, /* for what is still in the sockets when it leaves */
    PAUSE_MS = 50,     /* longer than counters of a node are old */
    NAME_LEN = 64,
    ADDRESS_LEN = 256,
    LANES_ASKED = 512, /* a sample, when there are more */
    QUESTION_MS = 200  /* for an answer that is known already */
};

const char *
tulle__play_nodes_why(tulle_status status)
{
    return status == TULLE_ELIMIT ? "a node could not publish an event that it was given: a table "
                                    "is full"
                                  : tulle_strerror(status);
}

static int
fail(const struct tulle__play_nodes *nodes, tulle_status status, const char *text)
{
    (void)fprintf(stderr, "%s: %s\n", nodes->program->name,
                  text[0] != '\0' ? text : tulle__play_nodes_why(status));
    return (int)tulle__exit_of(status);
}

/* ---- starting ---- */

/* As the recorded one was called, behind --name if that is given. Cut within the limit, not
 * within a character. */
static const char *
name_of(const struct tulle__play_nodes *nodes,
        const struct tulle__common *common,
        size_t index,
        char out[static NAME_LEN * 2])
{
    const char *given = common->node.name;
    if (nodes->options->nodes == 1)
        return given;
    (void)snprintf(out, (size_t)NAME_LEN * 2, "%s%s%s", given != NULL ? given : "",
                   given != NULL ? "-" : "", tulle__play_map_node_name(nodes->map, index));
    size_t len = strlen(out);
    len = len < NAME_LEN ? len : NAME_LEN - 1;
    while (len > 0 && out[len] != '\0' && ((unsigned char)out[len] & 0xc0) == 0x80)
        len--;
    out[len] = '\0';
    return out;
}

/* Another port of the host that the first node listens at. */
static void
choose_listen(tulle_node_options *options, size_t index, char out[static ADDRESS_LEN])
{
    const char *first = options->listen[0];
    const char *colon = strrchr(first, ':');
    bool is_tcp = strncmp(first, "tcp://", 6) == 0;
    int len = is_tcp ? snprintf(out, ADDRESS_LEN, "%.*s:*", (int)(colon - first), first)
                     : snprintf(out, ADDRESS_LEN, "%s.%zu", first, index + 1);
    options->listen_count = len < ADDRESS_LEN ? 1 : 0;
    options->listen[0] = out;
    options->advertise = options->advertise_events = options->advertise_inlet = NULL;
}

static int
start(struct tulle__play_nodes *nodes, const struct tulle__common *common, size_t index)
{
    char name[NAME_LEN * 2];
    char listen[ADDRESS_LEN];
    const char *join[64];
    tulle_error error = { 0 };
    tulle_node_options options = common->node;
    options.name = name_of(nodes, common, index, name);
    if (index > 0 && options.listen_count > 0)
        choose_listen(&options, index, listen);
    for (size_t i = 0; i < options.join_count; i++)
        join[i] = options.join[i];
    if (index > 0 && options.join_count < 64 && !options.dial_only)
        join[options.join_count++] = tulle_node_address(nodes->nodes[0].node);
    options.join = join;
    tulle_node *node = NULL;
    tulle_status status = tulle_node_new(&options, &node, &error);
    if (status == TULLE_OK)
        status = tulle_node_start(node, &error);
    if (status != TULLE_OK) {
        tulle_node_free(&node);
        return fail(nodes, status, error.text);
    }
    uint64_t id = tulle_node_id(node);
    nodes->nodes[nodes->count++] = (struct tulle__play_node){ .node = node, .id = id };
    tulle__play_map_set_id(nodes->map, index, id);
    return 0;
}

int
tulle__play_nodes_open(struct tulle__play_nodes *nodes, const struct tulle__common *common)
{
    size_t count = tulle__play_map_nodes(nodes->map);
    int status = 0;
    nodes->are_apart = common->node.dial_only;
    nodes->nodes = calloc(count + 1, sizeof *nodes->nodes);
    if (nodes->nodes == NULL)
        return fail(nodes, TULLE_ENOMEM, "");
    for (size_t i = 0; status == 0 && i < count; i++)
        status = start(nodes, common, i);
    return status;
}

static void *
leave(void *node)
{
    tulle_node_stop(node, GOODBYE_MS);
    return NULL;
}

void
tulle__play_nodes_close(struct tulle__play_nodes *nodes)
{
    pthread_t *threads = calloc(nodes->count + 1, sizeof *threads);
    bool *are_threads = calloc(nodes->count + 1, sizeof *are_threads);
    for (size_t i = 0; i < nodes->count; i++) {
        bool is_thread = threads != NULL && are_threads != NULL &&
                         pthread_create(&threads[i], NULL, leave, nodes->nodes[i].node) == 0;
        if (is_thread)
            are_threads[i] = true;
        else
            (void)leave(nodes->nodes[i].node);
    }
    for (size_t i = 0; i < nodes->count; i++) {
        if (are_threads != NULL && are_threads[i])
            (void)pthread_join(threads[i], NULL);
        tulle_node_free(&nodes->nodes[i].node);
    }
    free(threads);
    free(are_threads);
    free(nodes->nodes);
    nodes->nodes = NULL;
    nodes->count = 0;
}

/* ---- those who take it ---- */

static bool
is_signalled(struct tulle__play_nodes *nodes)
{
    nodes->is_interrupted |= tulle__signals_next(nodes->signals) != 0;
    return nodes->is_interrupted;
}

/* Wait in slices until the end. pattern NULL: any node. ETIMEDOUT also after a signal. */
static tulle_status
wait_one(struct tulle__play_nodes *nodes,
         size_t index,
         const char *pattern,
         size_t count,
         int64_t end_us)
{
    for (;;) {
        int64_t left = (end_us - tulle__tool_mono_us()) / 1000;
        int slice = left > SLICE_MS ? SLICE_MS : left < 0 ? 0 : (int)left;
        tulle_status status =
            tulle_node_wait_peers(nodes->nodes[index].node, pattern, count, slice);
        if (status != TULLE_ETIMEDOUT || left <= 0 || is_signalled(nodes))
            return status;
    }
}

static void
count_up(const tulle_peer *peer, void *ctx)
{
    size_t *count = ctx;
    *count += peer->state == TULLE_PEER_UP && !peer->is_proxy;
}

/* Every node is connected to as many others as any of them knows: a consumer that one has met has
 * been met by all. */
static void
settle(struct tulle__play_nodes *nodes, int64_t end_us)
{
    size_t most = 0;
    for (size_t i = 0; i < nodes->count; i++) {
        size_t count = 0;
        if (tulle_node_peers(nodes->nodes[i].node, count_up, &count) == TULLE_OK)
            most = count > most ? count : most;
    }
    for (size_t i = 0; i < nodes->count && most > 0; i++)
        (void)wait_one(nodes, i, NULL, most, end_us);
}

/* Nodes that take anything, and one that takes some lane. */
static tulle_status
wait_takers(struct tulle__play_nodes *nodes, size_t count, int64_t end_us)
{
    tulle_status status = TULLE_OK;
    for (size_t i = 0; i < nodes->count && status == TULLE_OK; i++)
        status = wait_one(nodes, i, "**", count, end_us);
    size_t node = 0;
    const char *stream = NULL;
    while (status == TULLE_OK && !nodes->is_heard) {
        bool is_late = tulle__tool_mono_us() >= end_us;
        for (size_t i = 0; i < LANES_ASKED && !nodes->is_heard; i++) {
            if (!tulle__play_map_lane(nodes->map, i, &node, &stream))
                break;
            nodes->is_heard =
                tulle_node_wait_peers(nodes->nodes[node].node, stream, 1, ASK_MS) == TULLE_OK;
        }
        if (!nodes->is_heard && (is_late || is_signalled(nodes)))
            status = TULLE_ETIMEDOUT;
    }
    return status;
}

/* Every lane is taken. */
static void
wait_lanes(struct tulle__play_nodes *nodes, int64_t end_us)
{
    size_t node = 0;
    const char *stream = NULL;
    for (size_t i = 0; i < LANES_ASKED && !nodes->is_interrupted; i++) {
        if (!tulle__play_map_lane(nodes->map, i, &node, &stream))
            break;
        nodes->is_heard |= wait_one(nodes, node, stream, 1, end_us) == TULLE_OK;
    }
}

static int
tell_alone(const struct tulle__play_nodes *nodes)
{
    double seconds = (double)nodes->options->wait_timeout_ms / 1000.0;
    const char *name = nodes->program->name;
    if (nodes->options->wait_peers == NULL) {
        (void)fprintf(stderr, "%s: no node reached within %.15g s\n", name, seconds);
    } else {
        (void)fprintf(
            stderr,
            "%s: fewer than %ju nodes that take events, or none that takes these, reached "
            "within %.15g s\n",
            name, (uintmax_t)nodes->options->peers, seconds);
    }
    return TULLE__EXIT_NETWORK;
}

int
tulle__play_nodes_wait(struct tulle__play_nodes *nodes)
{
    const struct tulle__play_options *options = nodes->options;
    int64_t end_us = tulle__tool_mono_us() + options->wait_timeout_ms * 1000;
    bool has_count = options->wait_peers != NULL;
    tulle_status status = TULLE_OK;
    if (nodes->count == 0 || (has_count && options->peers == 0))
        return 0;
    if (has_count)
        status = wait_takers(nodes, (size_t)options->peers, end_us);
    /* The nodes see one another, too, unless they only dial. */
    for (size_t i = 0; i < nodes->count && status == TULLE_OK && !has_count; i++)
        status = wait_one(nodes, i, NULL, nodes->are_apart ? 1 : nodes->count, end_us);
    int64_t grace_us = tulle__tool_mono_us() + (int64_t)GRACE_MS * 1000;
    if (status == TULLE_OK)
        settle(nodes, grace_us);
    if (status == TULLE_OK && !has_count) /* nobody may want them: not in earnest */
        wait_lanes(nodes, grace_us);
    if (nodes->is_interrupted) {
        (void)fprintf(stderr, "%s: interrupted; nothing was played\n", nodes->program->name);
        return TULLE__EXIT_FAILURE;
    }
    if (status == TULLE_ETIMEDOUT)
        return tell_alone(nodes);
    return status == TULLE_OK ? 0 : fail(nodes, status, "");
}

bool
tulle__play_nodes_are_heard(struct tulle__play_nodes *nodes)
{
    int64_t end_us = tulle__tool_mono_us() + (int64_t)QUESTION_MS * 1000;
    if (!nodes->is_heard)
        wait_lanes(nodes, end_us);
    return nodes->is_heard;
}

/* ---- publishing ---- */

/* Has everything that the node was given got its time? Its thread may not have come to it. */
static bool
is_timed(struct tulle__play_node *node)
{
    if (node->timed < node->given) {
        tulle_counters counters;
        tulle_node_counters(node->node, &counters);
        node->timed = counters.events_published;
    }
    return node->timed >= node->given;
}

/* What has no time though the thread took all of it gets none. Its counters may be old at the end
 * of the turn in which it took the last; they are not at the end of one after the pause, and before
 * the third. That is told once. */
static bool
has_refused(struct tulle__play_node *node)
{
    static const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
    for (int turn = 1; turn <= 3; turn++) {
        if (is_timed(node) || tulle_node_flush(node->node, ASK_MS) != TULLE_OK)
            return false;
        if (turn == 1)
            (void)nanosleep(&pause, NULL);
    }
    if (is_timed(node))
        return false;
    node->given = node->timed;
    return true;
}

/* Times of publishing are to agree with what comes before what: an event is given away when those
 * before it have got theirs. TULLE_EAGAIN: idle said no; TULLE_ELIMIT: one never gets it. */
static tulle_status
wait_times(struct tulle__play_nodes *nodes,
           const tulle_publish_options *options,
           bool (*idle)(void *ctx),
           void *ctx)
{
    static const struct timespec moment = { .tv_nsec = 20000 };
    for (size_t i = 0; i < options->after_count; i++) {
        size_t of = 0;
        while (of < nodes->count && nodes->nodes[of].id != options->after[i].node)
            of++;
        for (unsigned tries = 1; of < nodes->count && !is_timed(&nodes->nodes[of]); tries++) {
            (void)nanosleep(&moment, NULL);
            if (tries % 1024 != 0)
                continue;
            if (!idle(ctx))
                return TULLE_EAGAIN;
            if (has_refused(&nodes->nodes[of]))
                return TULLE_ELIMIT;
        }
    }
    return TULLE_OK;
}

tulle_status
tulle__play_nodes_publish(struct tulle__play_nodes *nodes,
                          const struct tulle__play_step *step,
                          const tulle_event *event,
                          bool (*idle)(void *ctx),
                          void *ctx)
{
    struct tulle__play_node *node = &nodes->nodes[step->node];
    tulle_publish_options options = step->options;
    tulle_status status = wait_times(nodes, &options, idle, ctx);
    if (status != TULLE_OK)
        return status;
    status = TULLE_EAGAIN;
    options.timeout_ms = SLICE_MS;
    while (status == TULLE_EAGAIN) {
        status = tulle_node_publish(node->node, step->topic, event->payload, event->payload_len,
                                    &options);
        if (status == TULLE_EAGAIN && !idle(ctx))
            return status;
    }
    node->given += status == TULLE_OK;
    return status;
}

int
tulle__play_nodes_flush(struct tulle__play_nodes *nodes)
{
    int64_t end_us = tulle__tool_mono_us() + nodes->options->ack_timeout_ms * 1000;
    for (size_t i = 0; i < nodes->count;) {
        int64_t left = (end_us - tulle__tool_mono_us()) / 1000;
        int slice = left > SLICE_MS ? SLICE_MS : left < 0 ? 0 : (int)left;
        tulle_status status = tulle_node_flush(nodes->nodes[i].node, slice);
        if (status == TULLE_OK && has_refused(&nodes->nodes[i]))
            return fail(nodes, TULLE_ELIMIT, "");
        if (status == TULLE_OK) {
            i++;
            continue;
        }
        if (tulle__signals_next(nodes->signals) != 0) {
            (void)fprintf(stderr, "%s: interrupted while waiting for acknowledgements\n",
                          nodes->program->name);
            return TULLE__EXIT_FAILURE;
        }
        if (status != TULLE_ETIMEDOUT)
            return fail(nodes, status, "");
        if (left > 0)
            continue;
        (void)fprintf(stderr, "%s: not everything was acknowledged within %.15g s\n",
                      nodes->program->name, (double)nodes->options->ack_timeout_ms / 1000.0);
        return TULLE__EXIT_FAILURE;
    }
    return 0;
}
