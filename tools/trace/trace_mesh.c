/* SPDX-License-Identifier: MPL-2.0 */

/* When is a mesh read? History is, when all that was there as each lane was met is delivered: what
 * is published meanwhile does not count, so a busy mesh comes to an end too. Live, it is when the
 * events asked for were seen, and for some time nothing came that follows from them. */

#include "tools/trace/trace_mesh.h"

#include "app/exit.h"
#include "tools/common/history_end.h"
#include "tools/common/tools.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

enum {
    TICK_MS = 50,
    ALONE_AFTER_US = 3000000, /* no node reached for so long: say so */
    LINGER_MS = 0
};

struct mesh {
    struct tulle__trace_reader *reader;
    struct tulle__signals signals;
    tulle_node *node;
    tulle_subscription *subscription;
    struct tulle__history_end *end; /* of what is not read live */
    int64_t start_us;
    int64_t busy_us; /* when something came last that follows from what was asked for */
    bool is_reached, was_alone_told;
    int exit_status;
};

bool
tulle__trace_read(struct tulle__trace_reader *reader, const tulle_message *message)
{
    struct tulle__trace_event *event = tulle__trace_add(reader->store, message);
    if (event == NULL)
        return false;
    event->is_asked = tulle__trace_selects(reader->selection, message);
    event->is_followed = event->is_asked;
    reader->asked_count += event->is_asked;
    for (uint32_t i = 0; i < event->cause_count && !event->is_followed; i++) {
        uint32_t cause = tulle__trace_find(reader->store, event->causes[i]);
        event->is_followed = cause != TULLE__TRACE_NONE && reader->store->events[cause].is_followed;
    }
    return event->is_followed;
}

static void
take(struct mesh *mesh, const tulle_message *message)
{
    if (tulle__trace_read(mesh->reader, message))
        mesh->busy_us = tulle__tool_mono_us();
}

/* Everything that waits. Returns false when reading should end. */
static bool
drain(struct mesh *mesh)
{
    struct tulle__trace_store *store = mesh->reader->store;
    for (;;) {
        const tulle_message *message = NULL;
        tulle_status status = tulle_subscription_receive(mesh->subscription, &message, 0);
        if (status == TULLE_ETIMEDOUT)
            return true;
        if (status != TULLE_OK) {
            (void)fprintf(stderr, "%s: %s\n", mesh->reader->program->name, tulle_strerror(status));
            mesh->exit_status = TULLE__EXIT_FAILURE;
            return false;
        }
        take(mesh, message);
        if (store->is_full || store->has_failed)
            return false;
    }
}

/* A wrong address looks just like a quiet mesh: tell them apart. */
static void
look_around(struct mesh *mesh, int64_t now_us)
{
    if (mesh->is_reached)
        return;
    enum tulle__reach reach = tulle__tool_reach(mesh->node);
    if (reach == TULLE__REACH_NODE) {
        mesh->is_reached = true;
        mesh->busy_us = now_us;
    } else if (!mesh->was_alone_told && now_us - mesh->start_us >= ALONE_AFTER_US) {
        mesh->was_alone_told = true;
        if (!mesh->reader->options->is_quiet) {
            (void)fprintf(stderr, "%s: %s; still trying\n", mesh->reader->program->name,
                          reach == TULLE__REACH_PROXY ? "a proxy is reached, but no node beyond it"
                                                      : "no other node is reached");
        }
    }
}

static bool
is_over(struct mesh *mesh, int64_t now_us)
{
    const struct tulle__trace_options *options = mesh->reader->options;
    if (options->timeout_ms >= 0 && now_us - mesh->start_us >= options->timeout_ms * 1000)
        return true;
    if (!mesh->is_reached)
        return false;
    if (!options->is_live) {
        bool is_end = tulle__history_end_is_reached(mesh->end, mesh->node, now_us);
        if (is_end)
            (void)drain(mesh); /* it is delivered, not all of it received */
        return is_end;
    }
    return now_us - mesh->busy_us >= options->wait_ms * 1000 && mesh->reader->asked_count > 0 &&
           !tulle__trace_selects_all(mesh->reader->selection);
}

static void
watch(struct mesh *mesh)
{
    int fd = tulle_subscription_fd(mesh->subscription);
    for (;;) {
        struct pollfd waits[2] = { { .fd = mesh->signals.fd, .events = POLLIN },
                                   { .fd = fd, .events = POLLIN } };
        int ready = poll(waits, 2, TICK_MS);
        if (ready < 0 && errno != EINTR)
            return;
        if (ready > 0 && waits[0].revents != 0)
            return;
        if (ready > 0 && waits[1].revents != 0 && !drain(mesh))
            return;
        int64_t now_us = tulle__tool_mono_us();
        look_around(mesh, now_us);
        if (is_over(mesh, now_us))
            return;
    }
}

static int
subscribe(struct mesh *mesh, tulle_subscribe_options *options)
{
    const struct tulle__list *takes = &mesh->reader->options->takes;
    const char *first = takes->count > 0 ? takes->items[0] : "**";
    options->also = takes->count > 1 ? takes->items + 1 : NULL;
    options->also_count = takes->count > 1 ? takes->count - 1 : 0;
    tulle_status status = tulle_node_subscribe(mesh->node, first, options, &mesh->subscription);
    if (status == TULLE_OK)
        return 0;
    (void)fprintf(stderr, "%s: %s: %s\n", mesh->reader->program->name, first,
                  tulle_strerror(status));
    return (int)tulle__exit_of(status);
}

static void
learn_name(const tulle_peer *peer, void *ctx)
{
    tulle__trace_learn(ctx, peer->node, peer->name);
}

static int
join_and_read(struct mesh *mesh, struct tulle__common *common, tulle_subscribe_options *options)
{
    const struct tulle__program *program = mesh->reader->program;
    int status = 0;
    mesh->node = tulle__common_new(program, common, &status);
    if (mesh->node == NULL)
        return status;
    mesh->start_us = mesh->busy_us = tulle__tool_mono_us();
    status = subscribe(mesh, options);
    if (status == 0 && tulle__common_run(program, &mesh->node, &status)) {
        watch(mesh);
        /* Of nodes whose events are not kept; it fails only when the node has stopped. */
        (void)!tulle_node_peers(mesh->node, learn_name, mesh->reader->store);
        tulle_node_stop(mesh->node, LINGER_MS);
        status = mesh->exit_status;
    }
    tulle_node_free(&mesh->node); /* with its subscription */
    return status;
}

int
tulle__trace_read_mesh(struct tulle__trace_reader *reader,
                       struct tulle__common *common,
                       tulle_subscribe_options *subscribe)
{
    struct mesh mesh = { .reader = reader };
    if (!tulle__signals_open(&mesh.signals))
        return tulle__tool_fail(reader->program, strerror(errno));
    mesh.end = tulle__history_end_new(reader->options->wait_ms * 1000);
    reader->store->has_failed = mesh.end == NULL;
    int status = mesh.end != NULL ? join_and_read(&mesh, common, subscribe) : 0;
    tulle__history_end_free(&mesh.end);
    tulle__signals_close(&mesh.signals);
    return status;
}
