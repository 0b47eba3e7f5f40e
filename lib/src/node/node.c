/* SPDX-License-Identifier: MPL-2.0 */
/* The public face of a node: checks, waits, and hands requests to its thread. */

#include "base/alloc.h"
#include "node/address.h"
#include "node/options.h"
#include "node/os.h"
#include "node/state.h"

#include <tulle/topic.h>

#include <limits.h>
#include <string.h>

enum {
    LINGER_MS_MAX = 60000,
    LOOK_MS = 50 /* how long a question waits for the thread beyond its time */
};

/* ---- life ---- */

/* A window is filled by several batches, so that acknowledgements come in between. */
static size_t
gathered_bytes(const tulle_node_options *options)
{
    enum { SHARE = 4 };
    bool is_bound =
        options->window_bytes > 0 && options->window_bytes / SHARE < options->batch_bytes;
    return is_bound ? (size_t)options->window_bytes / SHARE : options->batch_bytes;
}

tulle_status
tulle_node_new(const tulle_node_options *options, tulle_node **out, tulle_error *error)
{
    *out = NULL;
    tulle_node *node = tulle__alloc(sizeof *node);
    if (node == NULL)
        return tulle__error_set(error, TULLE_ENOMEM, "out of memory");
    tulle_status status = tulle__node_options_copy(options, &node->options, error);
    if (status != TULLE_OK) {
        tulle__free(node);
        return status;
    }
    node->log =
        (struct tulle__log){ node->options.log, node->options.log_ctx, node->options.log_level };
    node->poll_fd = -1;
    node->wake_fd = tulle__os_wake_open();
    bool has_mutex = pthread_mutex_init(&node->mutex, NULL) == 0;
    bool has_turn = pthread_mutex_init(&node->turn, NULL) == 0;
    bool has_condition = has_mutex && tulle__condition_init(&node->changed);
    if (node->wake_fd < 0 || !has_condition || !has_turn ||
        !tulle__outbox_init(&node->outbox, gathered_bytes(&node->options))) {
        if (has_condition)
            (void)pthread_cond_destroy(&node->changed);
        if (has_mutex)
            (void)pthread_mutex_destroy(&node->mutex);
        if (has_turn)
            (void)pthread_mutex_destroy(&node->turn);
        tulle__os_wake_close(&node->wake_fd);
        tulle__node_options_fini(&node->options);
        tulle__free(node);
        return tulle__error_set(error, TULLE_EOS, "no descriptor or lock to be had");
    }
    /* What waits in the outbox is not acknowledged either: the window bounds it too. */
    node->outbox_limit = node->options.outbox_bytes;
    if (node->options.window_bytes > 0 && node->options.window_bytes < node->outbox_limit)
        node->outbox_limit = node->options.window_bytes;
    *out = node;
    return TULLE_OK;
}

static void
fill_config(const tulle_node *node, struct tulle__engine_config *config)
{
    const tulle_node_options *o = &node->options;
    tulle__engine_config_init(config);
    config->id = node->id;
    config->mesh = o->mesh;
    config->name = o->name;
    config->control_address_count = tulle__transport_addresses(
        node->transport, config->control_addresses, config->event_addresses);
    config->event_address_count = config->control_address_count;
    config->inlet_count = tulle__transport_inlets(node->transport, config->inlets);
    config->is_observer = o->observe;
    config->beat_ms = o->beat_ms;
    config->suspect_ms = o->suspect_ms;
    config->gone_ms = o->gone_ms;
    config->hold_ms = o->hold_ms;
    config->fetch_delay_ms = o->fetch_delay_ms;
    config->retain_bytes = o->retain_bytes;
    config->retain_ms = o->retain_ms;
    config->retain_others_bytes = o->retain_others_bytes;
    config->held_bytes = o->held_bytes;
    config->window_bytes = o->window_bytes;
    config->batch_bytes = o->batch_bytes;
    config->event_bytes_max = o->event_bytes_max;
    config->seed = node->id;
    config->log = node->log;
}

static tulle_status
open_network(tulle_node *node, uint64_t id, tulle_error *error)
{
    const tulle_node_options *o = &node->options;
    struct tulle__transport_options transport = { .id = id,
                                                  .listen_count = o->listen_count,
                                                  .interface_name = o->interface_name,
                                                  .advertise = o->advertise,
                                                  .advertise_events = o->advertise_events,
                                                  .advertise_inlet = o->advertise_inlet,
                                                  .use_inlet = o->use_inlet,
                                                  .dial_only = o->dial_only };
    memcpy(transport.listen, o->listen, sizeof transport.listen);
    node->context = zmq_ctx_new();
    if (node->context == NULL)
        return tulle__error_set(error, TULLE_EOS, "cannot open a ZeroMQ context");
    tulle_status status = tulle__transport_open(node->context, &transport, &node->transport, error);
    struct tulle__beacon_options beacon = {
        .mesh = o->mesh, .id = id, .port = o->beacon_port, .interface_name = o->beacon_interface
    };
    if (status == TULLE_OK && o->use_beacon) {
        beacon.control_port = tulle__transport_control_port(node->transport);
        status = tulle__beacon_open(&beacon, &node->beacon, error);
    }
    if (status == TULLE_OK && !tulle__turn_open(node))
        status = tulle__error_set(error, TULLE_EOS, "no descriptor to be had");
    return status;
}

static void
close_network(tulle_node *node)
{
    tulle__engine_free(&node->engine);
    tulle__beacon_close(&node->beacon);
    tulle__races_fini(&node->races);
    tulle__transport_close(&node->transport, 0);
    tulle__os_wake_close(&node->poll_fd);
    if (node->context != NULL)
        (void)zmq_ctx_term(node->context);
    node->context = NULL;
}

/* What was subscribed to before there was an engine. */
static tulle_status
register_subscriptions(tulle_node *node, tulle_error *error)
{
    for (struct tulle_subscription *s = node->subscriptions; s != NULL; s = s->next) {
        tulle_status status = tulle__node_register(node, s);
        if (status != TULLE_OK) {
            return tulle__error_set(error, status, "cannot take %s%s: %s",
                                    (const char *)s->patterns->items[0].text.data,
                                    s->patterns->count > 1 ? " and more" : "",
                                    status == TULLE_ESTATE
                                        ? "another subscription takes a stream of it from "
                                          "another start"
                                        : tulle_strerror(status));
        }
    }
    return TULLE_OK;
}

static tulle_status
make_engine(tulle_node *node, tulle_error *error)
{
    struct tulle__engine_config config;
    fill_config(node, &config);
    node->engine = tulle__engine_new(&config, tulle__os_now());
    if (node->engine == NULL)
        return tulle__error_set(error, TULLE_ENOMEM, "out of memory");
    if (config.control_address_count > 0)
        strncpy(node->address, config.control_addresses[0], sizeof node->address - 1);
    tulle_status status = register_subscriptions(node, error);
    for (size_t i = 0; status == TULLE_OK && i < node->options.join_count; i++)
        status = tulle__engine_join(node->engine, node->options.join[i], tulle__os_now());
    node->join_count = node->options.join_count;
    return status;
}

/* Only one start at a time, and none after a stop. */
static bool
begin_start(tulle_node *node)
{
    (void)pthread_mutex_lock(&node->mutex);
    bool is_new = node->phase == TULLE__PHASE_NEW;
    if (is_new)
        node->phase = TULLE__PHASE_STARTING;
    (void)pthread_mutex_unlock(&node->mutex);
    return is_new;
}

/* Engine and thread: with the mutex held, so that whoever subscribes meanwhile does so
 * before or after. */
static tulle_status
run(tulle_node *node, tulle_error *error)
{
    tulle_status status = make_engine(node, error);
    if (status != TULLE_OK)
        return status;
    node->phase = TULLE__PHASE_RUNNING;
    if (pthread_create(&node->thread, NULL, tulle__loop_run, node) != 0)
        return tulle__error_set(error, TULLE_EOS, "cannot start a thread");
    return TULLE_OK;
}

tulle_status
tulle_node_start(tulle_node *node, tulle_error *error)
{
    if (!begin_start(node))
        return tulle__error_set(error, TULLE_ESTATE, "the node was started already");
    uint64_t id = tulle__os_new_id();
    tulle_status status = TULLE_OK;
    sigset_t signals;
    tulle__os_block_signals(&signals); /* none runs on a thread of the library */
    if (id == 0)
        status = tulle__error_set(error, TULLE_EOS, "the system has no randomness for an id");
    else
        status = open_network(node, id, error);
    (void)pthread_mutex_lock(&node->mutex);
    node->id = id;
    if (status == TULLE_OK)
        status = run(node, error);
    if (status != TULLE_OK) {
        close_network(node);
        node->phase = TULLE__PHASE_NEW;
        node->id = 0;
        for (struct tulle_subscription *s = node->subscriptions; s != NULL; s = s->next)
            s->is_registered = false;
        node->registered_count = 0;
    }
    (void)pthread_cond_broadcast(&node->changed);
    (void)pthread_mutex_unlock(&node->mutex);
    tulle__os_restore_signals(&signals);
    return status;
}

static enum tulle__phase
phase_of(tulle_node *node)
{
    (void)pthread_mutex_lock(&node->mutex);
    enum tulle__phase phase = node->phase;
    (void)pthread_mutex_unlock(&node->mutex);
    return phase;
}

void
tulle_node_stop(tulle_node *node, uint32_t linger_ms)
{
    (void)pthread_mutex_lock(&node->mutex);
    while (node->phase == TULLE__PHASE_STARTING)
        (void)pthread_cond_wait(&node->changed, &node->mutex);
    bool is_running = node->phase == TULLE__PHASE_RUNNING;
    if (is_running) {
        node->phase = TULLE__PHASE_STOPPING;
        node->linger_ms = linger_ms < LINGER_MS_MAX ? linger_ms : LINGER_MS_MAX;
        tulle__os_wake_set(node->wake_fd);
        (void)pthread_cond_broadcast(&node->changed);
    } else if (node->phase == TULLE__PHASE_NEW) {
        node->phase = TULLE__PHASE_STOPPED;
    }
    (void)pthread_mutex_unlock(&node->mutex);
    if (is_running)
        (void)pthread_join(node->thread, NULL);
}

void
tulle_node_free(tulle_node **pointer)
{
    tulle_node *node = *pointer;
    if (node == NULL)
        return;
    tulle_node_stop(node, 0);
    while (node->subscriptions != NULL) {
        struct tulle_subscription *s = node->subscriptions;
        node->subscriptions = s->next;
        tulle__subscription_destroy(&s);
    }
    tulle__outbox_fini(&node->outbox);
    tulle__os_wake_close(&node->wake_fd);
    tulle__os_wake_close(&node->poll_fd);
    (void)pthread_cond_destroy(&node->changed);
    (void)pthread_mutex_destroy(&node->mutex);
    (void)pthread_mutex_destroy(&node->turn);
    tulle__node_options_fini(&node->options);
    tulle__free(node->by_handle);
    tulle__free(node);
    *pointer = NULL;
}

/* ---- requests ---- */

bool
tulle__node_is_own_thread(const tulle_node *node)
{
    return pthread_equal(pthread_self(), node->thread) != 0;
}

bool
tulle__node_poke(tulle_node *node)
{
    bool is_asleep = node->is_sleeping;
    node->is_poked = true;
    node->is_sleeping = false;
    return is_asleep;
}

void
tulle__node_on_room(tulle_node *node)
{
    if (!atomic_load(&node->wants_room))
        return;
    (void)pthread_mutex_lock(&node->mutex);
    bool is_asleep = tulle__node_poke(node);
    (void)pthread_mutex_unlock(&node->mutex);
    if (is_asleep)
        tulle__os_wake_set(node->wake_fd);
}

static void
append_request(tulle_node *node, struct tulle__request *request)
{
    struct tulle__request **link = &node->requests;
    while (*link != NULL)
        link = &(*link)->next;
    *link = request;
    if (tulle__node_poke(node))
        tulle__os_wake_set(node->wake_fd);
}

static void
remove_request(tulle_node *node, struct tulle__request *request)
{
    struct tulle__request **link = &node->requests;
    while (*link != NULL && *link != request)
        link = &(*link)->next;
    if (*link == request)
        *link = request->next;
}

/* Wait, with the mutex held, until the request is done, or its time is up and the thread
 * has looked at it: a question that may not wait is one all the same. */
static void
wait_for_request(tulle_node *node, const struct tulle__request *request, int timeout_ms)
{
    int wait_ms = timeout_ms > 0 ? timeout_ms : 0;
    struct timespec deadline = tulle__deadline_after(wait_ms);
    struct timespec last =
        tulle__deadline_after(wait_ms < INT_MAX - LOOK_MS ? wait_ms + LOOK_MS : INT_MAX);
    bool is_late = false;
    while (!request->is_done) {
        if (timeout_ms < 0)
            (void)pthread_cond_wait(&node->changed, &node->mutex);
        else if (!is_late)
            is_late = pthread_cond_timedwait(&node->changed, &node->mutex, &deadline) != 0;
        else if (request->is_seen ||
                 pthread_cond_timedwait(&node->changed, &node->mutex, &last) != 0)
            break;
    }
}

tulle_status
tulle__node_ask(tulle_node *node, struct tulle__request *request, int timeout_ms)
{
    (void)pthread_mutex_lock(&node->mutex);
    /* A thread that is stopping still uses the subscriptions: it gives them up itself. */
    bool is_served =
        node->phase == TULLE__PHASE_RUNNING ||
        (node->phase == TULLE__PHASE_STOPPING && request->kind == TULLE__REQUEST_UNSUBSCRIBE);
    if (!is_served) {
        (void)pthread_mutex_unlock(&node->mutex);
        return TULLE_ESTATE;
    }
    append_request(node, request);
    wait_for_request(node, request, timeout_ms);
    tulle_status status = request->status;
    if (!request->is_done) {
        remove_request(node, request);
        status = TULLE_ETIMEDOUT;
    }
    (void)pthread_mutex_unlock(&node->mutex);
    return status;
}

/* Ask from the node's own thread, or without waiting: it is done soon after. */
static tulle_status
ask_detached(tulle_node *node, const struct tulle__request *request)
{
    struct tulle__request *copy = tulle__alloc(sizeof *copy);
    if (copy == NULL)
        return TULLE_ENOMEM;
    *copy = *request;
    copy->is_detached = true;
    (void)pthread_mutex_lock(&node->mutex);
    bool is_running = node->phase == TULLE__PHASE_RUNNING;
    if (is_running)
        append_request(node, copy);
    (void)pthread_mutex_unlock(&node->mutex);
    if (is_running)
        return TULLE_OK;
    tulle__free(copy);
    return TULLE_ESTATE;
}

/* ---- subscriptions ---- */

static bool
are_options_good(const tulle_subscribe_options *o)
{
    uint32_t known = TULLE_WATCH_ARRIVALS | TULLE_WATCH_DUPLICATES | TULLE_WATCH_PEERS |
                     TULLE_DETAIL_DEPS | TULLE_DETAIL_CLOCK;
    return o->order >= TULLE_ORDER_NONE && o->order <= TULLE_ORDER_CAUSAL &&
           o->from >= TULLE_FROM_LIVE && o->from <= TULLE_FROM_LAST &&
           (o->from != TULLE_FROM_LAST || o->from_count > 0) && (o->flags & ~known) == 0;
}

void
tulle__node_link(tulle_node *node, struct tulle_subscription *s)
{
    s->next = node->subscriptions;
    node->subscriptions = s;
    node->pattern_count += s->patterns->count;
    node->callback_count += s->options.fn != NULL ? 1 : 0;
}

void
tulle__node_unlink(tulle_node *node, struct tulle_subscription *s)
{
    struct tulle_subscription **link = &node->subscriptions;
    while (*link != NULL && *link != s)
        link = &(*link)->next;
    if (*link == s) {
        *link = s->next;
        node->pattern_count -= s->patterns->count;
        node->callback_count -= s->options.fn != NULL ? 1 : 0;
    }
}

/* Before start there is no thread to ask, and no engine to tell. With the mutex held. */
static tulle_status
add_before_start(tulle_node *node, struct tulle_subscription *s)
{
    for (const struct tulle_subscription *o = node->subscriptions; o != NULL; o = o->next) {
        if (!tulle__patterns_starts_agree(s->patterns, &s->options, o->patterns, &o->options))
            return TULLE_ESTATE;
    }
    tulle__node_link(node, s);
    return TULLE_OK;
}

/* TULLE_EAGAIN: it runs, and its thread is to be asked. */
static tulle_status
try_before_start(tulle_node *node, struct tulle_subscription *s)
{
    tulle_status status = TULLE_ESTATE;
    (void)pthread_mutex_lock(&node->mutex);
    if (node->pattern_count + s->patterns->count > TULLE__PATTERNS_MAX)
        status = TULLE_ELIMIT;
    else if (node->phase == TULLE__PHASE_NEW || node->phase == TULLE__PHASE_STARTING)
        status = add_before_start(node, s);
    else if (node->phase == TULLE__PHASE_RUNNING)
        status = TULLE_EAGAIN;
    (void)pthread_mutex_unlock(&node->mutex);
    return status;
}

tulle_status
tulle_node_subscribe(tulle_node *node,
                     const char *pattern,
                     const tulle_subscribe_options *options,
                     tulle_subscription **out)
{
    tulle_subscribe_options defaults;
    tulle_subscribe_options_init(&defaults);
    if (options == NULL)
        options = &defaults;
    if (out != NULL)
        *out = NULL;
    if (!tulle__patterns_are_valid(pattern, options) || !are_options_good(options) ||
        (out == NULL && options->fn == NULL))
        return TULLE_EINVAL;
    struct tulle_subscription *s = tulle__subscription_new(node, pattern, options);
    if (s == NULL)
        return TULLE_ENOMEM;
    struct tulle__request request = { .kind = TULLE__REQUEST_SUBSCRIBE, .subscription = s };
    tulle_status status = try_before_start(node, s);
    if (status == TULLE_EAGAIN)
        status = tulle__node_is_own_thread(node) ? ask_detached(node, &request)
                                                 : tulle__node_ask(node, &request, -1);
    if (status != TULLE_OK)
        tulle__subscription_destroy(&s);
    else if (out != NULL)
        *out = s;
    return status;
}

void
tulle_subscription_free(tulle_subscription **subscription)
{
    struct tulle_subscription *s = *subscription;
    if (s == NULL)
        return;
    struct tulle__request request = { .kind = TULLE__REQUEST_UNSUBSCRIBE, .subscription = s };
    if (tulle__node_ask(s->node, &request, -1) != TULLE_OK) {
        (void)pthread_mutex_lock(&s->node->mutex);
        tulle__node_unlink(s->node, s); /* there is no thread that could be using it */
        (void)pthread_mutex_unlock(&s->node->mutex);
    }
    tulle__subscription_destroy(subscription);
}

/* ---- publishing ---- */

/* Wait for room in the outbox, with the mutex held. */
static tulle_status
wait_for_room(tulle_node *node, size_t bytes, int timeout_ms)
{
    struct timespec deadline = { 0 };
    bool is_late = false;
    while (node->phase == TULLE__PHASE_RUNNING && node->outbox.bytes > 0 &&
           node->outbox.bytes + bytes > node->outbox_limit) {
        if (timeout_ms == 0 || is_late || tulle__node_is_own_thread(node))
            return TULLE_EAGAIN;
        if (deadline.tv_sec == 0) /* only who waits looks at the clock */
            deadline = tulle__deadline_after(timeout_ms > 0 ? timeout_ms : 0);
        if (timeout_ms < 0)
            (void)pthread_cond_wait(&node->changed, &node->mutex);
        else
            is_late = pthread_cond_timedwait(&node->changed, &node->mutex, &deadline) != 0;
    }
    return node->phase == TULLE__PHASE_RUNNING ? TULLE_OK : TULLE_ESTATE;
}

tulle_status
tulle_node_publish(tulle_node *node,
                   const char *topic,
                   const void *payload,
                   size_t payload_len,
                   const tulle_publish_options *options)
{
    tulle_publish_options defaults;
    tulle_publish_options_init(&defaults);
    if (options == NULL)
        options = &defaults;
    tulle_status status = tulle__outgoing_check(topic, options);
    if (status != TULLE_OK || (payload == NULL && payload_len > 0))
        return TULLE_EINVAL;
    if (payload_len > node->options.event_bytes_max)
        return TULLE_EMSGSIZE;
    struct tulle__publish publish = {
        .topic = tulle__view_of(topic),
        .stream_levels =
            options->stream_levels > 0 ? options->stream_levels : node->options.stream_levels,
        .payload = { payload, payload_len },
    };
    struct tulle__outgoing *single = NULL;
    size_t bytes = tulle__outgoing_bytes(publish.topic.len, payload_len, options);
    if (options->only_causes || options->after_count > 0) {
        single = tulle__outgoing_new(topic, payload, payload_len, options, publish.stream_levels);
        if (single == NULL)
            return TULLE_ENOMEM;
        bytes = single->bytes;
    }
    (void)pthread_mutex_lock(&node->mutex);
    status = wait_for_room(node, bytes, options->timeout_ms);
    if (status == TULLE_OK && single != NULL)
        tulle__outbox_push(&node->outbox, single);
    else if (status == TULLE_OK && !tulle__outbox_gather(&node->outbox, &publish, options))
        status = TULLE_ENOMEM;
    bool is_asleep = false;
    if (status == TULLE_OK) {
        node->outbox_count++;
        is_asleep = node->is_sleeping;
        node->is_sleeping = false;
    }
    (void)pthread_mutex_unlock(&node->mutex);
    if (is_asleep && !tulle__turn_publish(node))
        tulle__os_wake_set(node->wake_fd);
    if (status != TULLE_OK)
        tulle__outbox_free(single);
    return status;
}

tulle_status
tulle_node_flush(tulle_node *node, int timeout_ms)
{
    if (phase_of(node) != TULLE__PHASE_RUNNING || tulle__node_is_own_thread(node))
        return TULLE_ESTATE;
    (void)pthread_mutex_lock(&node->mutex);
    uint64_t published = node->outbox_count;
    (void)pthread_mutex_unlock(&node->mutex);
    struct tulle__request request = { .kind = TULLE__REQUEST_FLUSH, .published = published };
    return tulle__node_ask(node, &request, timeout_ms);
}

tulle_status
tulle_node_wait_peers(tulle_node *node, const char *pattern, size_t count, int timeout_ms)
{
    if (pattern != NULL && !tulle_pattern_is_valid(pattern))
        return TULLE_EINVAL;
    if (phase_of(node) != TULLE__PHASE_RUNNING || tulle__node_is_own_thread(node))
        return TULLE_ESTATE;
    struct tulle__request request = { .kind = TULLE__REQUEST_WAIT_PEERS,
                                      .pattern = pattern,
                                      .count = count };
    return tulle__node_ask(node, &request, timeout_ms);
}

/* ---- the rest ---- */

tulle_status
tulle_node_join(tulle_node *node, const char *address)
{
    if (address == NULL || !tulle__address_can_be_dialed(address))
        return TULLE_EINVAL;
    struct tulle__request request = { .kind = TULLE__REQUEST_JOIN };
    memcpy(request.address, address, strlen(address) + 1);
    (void)pthread_mutex_lock(&node->mutex);
    bool is_full = node->join_count >= TULLE__LINKS_LIMIT;
    node->join_count += is_full ? 0 : 1;
    (void)pthread_mutex_unlock(&node->mutex);
    if (is_full)
        return TULLE_ELIMIT;
    tulle_status status = ask_detached(node, &request);
    if (status != TULLE_OK) {
        (void)pthread_mutex_lock(&node->mutex);
        node->join_count--;
        (void)pthread_mutex_unlock(&node->mutex);
    }
    return status;
}

tulle_status
tulle_node_peers(tulle_node *node, void (*fn)(const tulle_peer *peer, void *ctx), void *ctx)
{
    if (phase_of(node) != TULLE__PHASE_RUNNING || tulle__node_is_own_thread(node))
        return TULLE_ESTATE;
    struct tulle__request request = { .kind = TULLE__REQUEST_PEERS, .peer_fn = fn, .ctx = ctx };
    return tulle__node_ask(node, &request, -1);
}

tulle_status
tulle_node_lanes(tulle_node *node, void (*fn)(const tulle_lane *lane, void *ctx), void *ctx)
{
    if (phase_of(node) != TULLE__PHASE_RUNNING || tulle__node_is_own_thread(node))
        return TULLE_ESTATE;
    struct tulle__request request = { .kind = TULLE__REQUEST_LANES, .lane_fn = fn, .ctx = ctx };
    return tulle__node_ask(node, &request, -1);
}

void
tulle_node_counters(const tulle_node *node, tulle_counters *out)
{
    /* Locking does not change what the caller sees as const. */
    tulle_node *lockable = (tulle_node *)(uintptr_t)node;
    (void)pthread_mutex_lock(&lockable->mutex);
    *out = node->counters;
    (void)pthread_mutex_unlock(&lockable->mutex);
}

/* Locking does not change what the caller sees as const. */
static bool
was_started(const tulle_node *node, uint64_t *id)
{
    tulle_node *lockable = (tulle_node *)(uintptr_t)node;
    (void)pthread_mutex_lock(&lockable->mutex);
    bool is_before =
        lockable->phase == TULLE__PHASE_NEW || lockable->phase == TULLE__PHASE_STARTING;
    *id = is_before ? 0 : lockable->id;
    (void)pthread_mutex_unlock(&lockable->mutex);
    return !is_before;
}

uint64_t
tulle_node_id(const tulle_node *node)
{
    uint64_t id;
    (void)was_started(node, &id);
    return id;
}

const char *
tulle_node_name(const tulle_node *node)
{
    return node->options.name;
}

const char *
tulle_node_address(const tulle_node *node)
{
    uint64_t id;
    return was_started(node, &id) ? node->address : "";
}
