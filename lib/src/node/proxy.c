/* SPDX-License-Identifier: MPL-2.0 */
/* A proxy: the sockets of several segments, one thread, and delivery/forward. */

#include "base/alloc.h"
#include "delivery/forward.h"
#include "node/absent.h"
#include "node/links.h"
#include "node/options.h"
#include "node/os.h"
#include "node/state.h"
#include "node/watch.h"

#include <tulle/proxy.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGES_PER_TURN = 200, WAIT_MS_MAX = 1000, LINGER_MS_MAX = 60000, COUNTERS_MS = 20 };

/* What is watched: the wake descriptor, and of each segment its sockets and beacons. */
enum {
    TAG_BEACON = TULLE__TRANSPORT_POLL_ITEMS,
    TAGS_PER_SEGMENT,
    TAG_WAKE = TULLE_SEGMENTS_MAX * TAGS_PER_SEGMENT
};
_Static_assert((int)TAG_WAKE < (int)TULLE__WATCH_TAGS, "all can be told at once");

struct segment {
    const char *name;
    struct tulle__log log;    /* with the name in each line */
    struct tulle__log parent; /* where they go */
    struct tulle__links links;
    struct tulle__absent absent;
    struct tulle__races races;
    struct tulle__transport *transport;
    struct tulle__beacon *beacon;
    char address[TULLE__ADDRESS_LEN_MAX + 1];
    /* May there be any? After each use of a socket but receiving until nothing is left, too. */
    bool has_publications;
    bool has_control;
    bool has_beacons;
};

struct tulle_proxy {
    tulle_proxy_options options; /* a copy of its own */
    uint64_t id;
    void *context; /* libzmq's */
    struct segment segments[TULLE_SEGMENTS_MAX];
    struct tulle__forward *forward;
    pthread_t thread;
    bool is_started;
    bool is_stopped;
    int wake_fd;
    struct tulle__watch watch;
    atomic_bool is_stopping;
    atomic_uint linger_ms;
    pthread_mutex_t mutex;       /* guards the next two */
    tulle_proxy_options *update; /* that the thread has not taken in yet; NULL: none */
    tulle_counters counters[TULLE_SEGMENTS_MAX];
    int64_t counters_due_ns; /* the thread's, as the next */
    bool has_old_counters;   /* the snapshot is older than what was done last */
};

/* One log for all segments: each line says of which it tells. */
static void
log_of_segment(tulle_log_level level, const char *id, const char *text, void *ctx)
{
    const struct segment *segment = ctx;
    tulle__log(&segment->parent, level, id, "segment=%s %s", segment->name, text);
}

/* ---- the thread ---- */

static void
look_again(struct segment *segment)
{
    segment->has_publications = true;
    segment->has_control = true;
}

static void
drain(tulle_proxy *proxy)
{
    struct tulle__action action;
    size_t side;
    while (tulle__forward_next_action(proxy->forward, &side, &action)) {
        struct segment *segment = &proxy->segments[side];
        enum tulle__acted acted =
            tulle__transport_act(segment->transport, &segment->races, &action);
        if (acted == TULLE__ACTED_UNSENT)
            tulle__forward_on_unsent(proxy->forward, side);
        if (acted == TULLE__ACTED_UNDIALED)
            tulle__forward_on_undialed(proxy->forward, side, action.u.dial.hop);
        if (action.kind != TULLE__ACTION_PUBLISH)
            look_again(&proxy->segments[side]);
        tulle__action_fini(&action);
    }
}

static void
pass(tulle_proxy *proxy, size_t side, struct tulle__incoming *in, struct tulle__now now)
{
    struct tulle__transport *from = proxy->segments[side].transport;
    const struct tulle__passage *passage =
        tulle__forward_pass(proxy->forward, side, in->key, in->body, in->path, now);
    for (size_t i = 0; passage != NULL && i < passage->count; i++)
        tulle__transport_pass(proxy->segments[passage->sides[i]].transport, from, in, passage->path,
                              i + 1U == passage->count);
    if (passage == NULL || !passage->is_all)
        drain(proxy);
    tulle__transport_give_back(from, in);
}

static void
receive_publications(tulle_proxy *proxy, size_t side)
{
    struct tulle__now now = tulle__os_now();
    struct segment *segment = &proxy->segments[side];
    for (int i = 0; i < MESSAGES_PER_TURN; i++) {
        struct tulle__incoming in;
        enum tulle__received received =
            tulle__transport_receive_publication(segment->transport, &in);
        if (received == TULLE__RECEIVED_NOTHING) {
            segment->has_publications = false;
            return;
        }
        if (received == TULLE__RECEIVED_MALFORMED) {
            tulle__forward_on_malformed(proxy->forward, side);
            continue;
        }
        pass(proxy, side, &in, now);
    }
}

static void
receive_control(tulle_proxy *proxy, size_t side)
{
    struct segment *segment = &proxy->segments[side];
    for (int i = 0; i < MESSAGES_PER_TURN; i++) {
        struct tulle__incoming in;
        enum tulle__received received = tulle__transport_receive_control(segment->transport, &in);
        if (received == TULLE__RECEIVED_NOTHING) {
            segment->has_control = false;
            return;
        }
        if (received == TULLE__RECEIVED_MALFORMED) {
            tulle__forward_on_malformed(proxy->forward, side);
            continue;
        }
        if (in.via == 0)
            in.via = tulle__engine_via(tulle__forward_engine(proxy->forward, side), in.hop, in.key);
        tulle__forward_on_control(proxy->forward, side, in.via, in.key, in.body, tulle__os_now());
        tulle__buf_unref(&in.body);
        drain(proxy);
    }
}

static void
receive_beacons(tulle_proxy *proxy, size_t side)
{
    uint64_t id;
    char address[TULLE__BEACON_ADDRESS_LEN_MAX];
    struct segment *segment = &proxy->segments[side];
    for (int i = 0; i < MESSAGES_PER_TURN; i++) {
        if (segment->beacon == NULL || !tulle__beacon_next(segment->beacon, &id, address)) {
            segment->has_beacons = false;
            return;
        }
        tulle__forward_found(proxy->forward, side, id, address, tulle__os_now());
        drain(proxy);
    }
}

static void
snapshot_counters(tulle_proxy *proxy, struct tulle__now now)
{
    proxy->has_old_counters = now.mono.ns < proxy->counters_due_ns;
    if (proxy->has_old_counters)
        return;
    proxy->counters_due_ns = now.mono.ns + tulle__ms_to_ns(COUNTERS_MS);
    (void)pthread_mutex_lock(&proxy->mutex);
    for (size_t i = 0; i < proxy->options.segment_count; i++)
        tulle__forward_counters(proxy->forward, i, &proxy->counters[i]);
    (void)pthread_mutex_unlock(&proxy->mutex);
}

static void
fill_policy(const tulle_segment_options *from, struct tulle__forward_policy *to)
{
    *to = (struct tulle__forward_policy){ .allow = from->allow,
                                          .allow_count = from->allow_count,
                                          .deny = from->deny,
                                          .deny_count = from->deny_count,
                                          .event_bytes_max = from->event_bytes_max,
                                          .events_per_second = from->events_per_second,
                                          .bytes_per_second = from->bytes_per_second,
                                          .retain_bytes = from->retain_bytes,
                                          .retain_ms = from->retain_ms };
}

static void
update_segment(tulle_proxy *proxy, size_t index, const tulle_segment_options *next)
{
    struct tulle__forward_policy policy;
    fill_policy(next, &policy);
    bool is_good = tulle__forward_set_policy(proxy->forward, index, &policy, tulle__os_now());
    for (size_t i = 0; is_good && i < next->join_count; i++)
        is_good =
            tulle__forward_join(proxy->forward, index, next->join[i], tulle__os_now()) == TULLE_OK;
    if (!is_good)
        tulle__log(&proxy->segments[index].log, TULLE_LOG_ERROR, "proxy.no_memory",
                   "an update is not complete");
}

static void
take_update(tulle_proxy *proxy)
{
    (void)pthread_mutex_lock(&proxy->mutex);
    tulle_proxy_options *next = proxy->update;
    proxy->update = NULL;
    (void)pthread_mutex_unlock(&proxy->mutex);
    if (next == NULL)
        return;
    tulle__forward_set_log_level(proxy->forward, next->log_level);
    for (size_t i = 0; i < proxy->options.segment_count; i++) {
        proxy->segments[i].log.level = next->log_level;
        proxy->segments[i].parent.level = next->log_level;
    }
    for (size_t i = 0; i < proxy->options.segment_count; i++) {
        const tulle_segment_options *segment =
            tulle__proxy_options_find(next, proxy->options.segments[i].name);
        if (segment != NULL)
            update_segment(proxy, i, segment);
    }
    tulle__proxy_options_fini(next);
    tulle__free(next);
    drain(proxy);
}

static void
watch_links(tulle_proxy *proxy, struct tulle__now now)
{
    for (size_t i = 0; i < proxy->options.segment_count; i++) {
        struct segment *segment = &proxy->segments[i];
        uint64_t id;
        uint32_t way;
        while (tulle__races_next(&segment->races, segment->transport, now.mono.ns, &id, &way))
            tulle__forward_on_dialed(proxy->forward, i, id, way, now);
        const struct tulle__engine *engine = tulle__forward_engine(proxy->forward, i);
        uint64_t refused[TULLE__ABSENT_LIMIT];
        size_t count = tulle__absent_watch(&segment->absent, engine, now, refused);
        for (size_t k = 0; k < count; k++)
            tulle__forward_on_refused(proxy->forward, i, refused[k], now);
        tulle__links_watch(&segment->links, engine, &segment->log, now.mono.ns);
    }
    drain(proxy);
}

static bool
has_more(const tulle_proxy *proxy)
{
    bool has = false;
    for (size_t i = 0; i < proxy->options.segment_count; i++) {
        const struct segment *segment = &proxy->segments[i];
        has = has || segment->has_publications || segment->has_control || segment->has_beacons;
    }
    return has;
}

static void
turn(tulle_proxy *proxy)
{
    take_update(proxy);
    for (size_t i = 0; i < proxy->options.segment_count; i++) {
        if (proxy->segments[i].has_control)
            receive_control(proxy, i);
        if (proxy->segments[i].has_publications)
            receive_publications(proxy, i);
        if (proxy->segments[i].has_beacons)
            receive_beacons(proxy, i);
    }
    struct tulle__now now = tulle__os_now();
    if (now.mono.ns >= tulle__forward_deadline(proxy->forward).ns) {
        tulle__forward_on_timer(proxy->forward, now);
        drain(proxy);
    }
    watch_links(proxy, now);
    snapshot_counters(proxy, now);
}

static int64_t
wait_ms(const tulle_proxy *proxy)
{
    int64_t deadline_ns = tulle__forward_deadline(proxy->forward).ns;
    if (proxy->has_old_counters && proxy->counters_due_ns < deadline_ns)
        deadline_ns = proxy->counters_due_ns;
    for (size_t i = 0; i < proxy->options.segment_count; i++) {
        int64_t due_ns = tulle__links_deadline(&proxy->segments[i].links);
        deadline_ns = due_ns < deadline_ns ? due_ns : deadline_ns;
        due_ns = tulle__absent_deadline(&proxy->segments[i].absent);
        deadline_ns = due_ns < deadline_ns ? due_ns : deadline_ns;
        due_ns = tulle__races_deadline(&proxy->segments[i].races);
        deadline_ns = due_ns < deadline_ns ? due_ns : deadline_ns;
    }
    int64_t left = deadline_ns - tulle__os_now().mono.ns;
    int64_t ms = left <= 0 ? 0 : left / 1000000 + 1;
    return ms < WAIT_MS_MAX ? ms : WAIT_MS_MAX;
}

/* Something can be read. */
static void
note_tag(tulle_proxy *proxy, uint32_t tag)
{
    if (tag == TAG_WAKE) {
        tulle__os_wake_clear(proxy->wake_fd);
        return;
    }
    struct segment *segment = &proxy->segments[tag / TAGS_PER_SEGMENT];
    tag %= TAGS_PER_SEGMENT;
    if (tag == TAG_BEACON)
        segment->has_beacons = true;
    else if (tag == TULLE__TRANSPORT_SUB)
        segment->has_publications = true;
    else if (tag == TULLE__TRANSPORT_PUB)
        tulle__transport_look_at_pub(segment->transport);
    else
        segment->has_control = true;
}

static void
look_at_all(tulle_proxy *proxy)
{
    for (size_t i = 0; i < proxy->options.segment_count; i++) {
        look_again(&proxy->segments[i]);
        proxy->segments[i].has_beacons = true;
    }
}

/* Which sockets have something? If there is nothing left to do, wait until one has. */
static void
find_work(tulle_proxy *proxy)
{
    uint32_t tags[TULLE__WATCH_TAGS];
    int64_t ms = has_more(proxy) ? 0 : wait_ms(proxy);
    size_t count = tulle__watch_wait(&proxy->watch, (int)ms, tags);
    for (size_t i = 0; i < count; i++)
        note_tag(proxy, tags[i]);
    if (count == 0 && ms == WAIT_MS_MAX)
        look_at_all(proxy); /* it costs nothing */
}

static bool
watch_all(tulle_proxy *proxy)
{
    bool is_good = tulle__watch_open(&proxy->watch) &&
                   tulle__watch_add(&proxy->watch, proxy->wake_fd, TAG_WAKE);
    for (size_t i = 0; i < proxy->options.segment_count; i++) {
        const struct segment *segment = &proxy->segments[i];
        uint32_t tag = (uint32_t)i * TAGS_PER_SEGMENT;
        for (uint32_t k = 0; k < TULLE__TRANSPORT_POLL_ITEMS; k++) {
            int fd = tulle__transport_fd(segment->transport, k);
            is_good = is_good && tulle__watch_add(&proxy->watch, fd, tag + k);
        }
        if (segment->beacon != NULL)
            is_good = is_good && tulle__watch_add(&proxy->watch, tulle__beacon_fd(segment->beacon),
                                                  tag + TAG_BEACON);
    }
    return is_good;
}

static void
close_network(tulle_proxy *proxy, uint32_t linger_ms)
{
    tulle__watch_close(&proxy->watch);
    for (size_t i = 0; i < proxy->options.segment_count; i++) {
        tulle__links_fini(&proxy->segments[i].links);
        tulle__absent_fini(&proxy->segments[i].absent);
        tulle__races_fini(&proxy->segments[i].races);
        tulle__beacon_close(&proxy->segments[i].beacon);
        tulle__transport_close(&proxy->segments[i].transport, linger_ms);
    }
    tulle__forward_free(&proxy->forward);
    if (proxy->context != NULL)
        (void)zmq_ctx_term(proxy->context);
    proxy->context = NULL;
}

static void *
run(void *argument)
{
    tulle_proxy *proxy = argument;
    tulle__os_name_thread("tulle/proxy");
    drain(proxy);
    look_at_all(proxy);
    while (!atomic_load(&proxy->is_stopping)) {
        turn(proxy);
        find_work(proxy);
    }
    tulle__forward_leave(proxy->forward, tulle__os_now());
    drain(proxy);
    proxy->counters_due_ns = 0;
    snapshot_counters(proxy, tulle__os_now());
    close_network(proxy, atomic_load(&proxy->linger_ms));
    return NULL;
}

/* ---- public ---- */

tulle_status
tulle_proxy_new(const tulle_proxy_options *options, tulle_proxy **out, tulle_error *error)
{
    *out = NULL;
    tulle_proxy *proxy = tulle__alloc(sizeof *proxy);
    if (proxy == NULL)
        return tulle__error_set(error, TULLE_ENOMEM, "out of memory");
    tulle_status status = tulle__proxy_options_copy(options, &proxy->options, error);
    if (status != TULLE_OK) {
        tulle__free(proxy);
        return status;
    }
    proxy->watch.fd = -1;
    proxy->wake_fd = tulle__os_wake_open();
    if (proxy->wake_fd < 0 || pthread_mutex_init(&proxy->mutex, NULL) != 0) {
        tulle__os_wake_close(&proxy->wake_fd);
        tulle__proxy_options_fini(&proxy->options);
        tulle__free(proxy);
        return tulle__error_set(error, TULLE_EOS, "no descriptor or lock to be had");
    }
    *out = proxy;
    return TULLE_OK;
}

static tulle_status
open_segment(tulle_proxy *proxy, size_t index, tulle_error *error)
{
    const tulle_segment_options *o = &proxy->options.segments[index];
    struct segment *segment = &proxy->segments[index];
    struct tulle__transport_options transport = { .id = proxy->id,
                                                  .listen_count = o->listen_count,
                                                  .interface_name = o->interface_name,
                                                  .advertise = o->advertise,
                                                  .advertise_events = o->advertise_events,
                                                  .advertise_inlet = o->advertise_inlet,
                                                  .use_inlet = o->use_inlet,
                                                  .dial_only = o->dial_only,
                                                  .passes_on = true };
    memcpy(transport.listen, o->listen, sizeof transport.listen);
    tulle_status status =
        tulle__transport_open(proxy->context, &transport, &segment->transport, error);
    if (status != TULLE_OK || !o->use_beacon)
        return status;
    struct tulle__beacon_options beacon = { .mesh = proxy->options.mesh,
                                            .id = proxy->id,
                                            .control_port =
                                                tulle__transport_control_port(segment->transport),
                                            .port = o->beacon_port,
                                            .interface_name = o->beacon_interface };
    return tulle__beacon_open(&beacon, &segment->beacon, error);
}

static void
fill_side(tulle_proxy *proxy, size_t index, struct tulle__forward_side *side)
{
    const tulle_proxy_options *o = &proxy->options;
    const tulle_segment_options *s = &o->segments[index];
    struct tulle__engine_config *config = &side->engine;
    tulle__engine_config_init(config);
    config->id = proxy->id;
    config->mesh = o->mesh;
    config->name = o->name;
    config->control_address_count = tulle__transport_addresses(
        proxy->segments[index].transport, config->control_addresses, config->event_addresses);
    config->event_address_count = config->control_address_count;
    config->inlet_count = tulle__transport_inlets(proxy->segments[index].transport, config->inlets);
    config->beat_ms = o->beat_ms;
    config->suspect_ms = o->suspect_ms;
    config->gone_ms = o->gone_ms;
    config->hops_max = o->hops_max;
    config->seed = proxy->id + index;
    struct segment *segment = &proxy->segments[index];
    segment->name = s->name;
    segment->parent = (struct tulle__log){ o->log, o->log_ctx, o->log_level };
    segment->log =
        (struct tulle__log){ o->log == NULL ? NULL : log_of_segment, segment, o->log_level };
    config->log = segment->log;
    if (config->control_address_count > 0)
        strncpy(segment->address, config->control_addresses[0], sizeof segment->address - 1);
    side->name = s->name;
    fill_policy(s, &side->policy);
}

static tulle_status
make_forward(tulle_proxy *proxy, tulle_error *error)
{
    const tulle_proxy_options *o = &proxy->options;
    struct tulle__forward_side sides[TULLE_SEGMENTS_MAX];
    for (size_t i = 0; i < o->segment_count; i++)
        fill_side(proxy, i, &sides[i]);
    proxy->forward = tulle__forward_new(sides, o->segment_count, tulle__os_now());
    if (proxy->forward == NULL)
        return tulle__error_set(error, TULLE_ENOMEM, "out of memory");
    tulle_status status = TULLE_OK;
    for (size_t i = 0; i < o->segment_count; i++) {
        for (size_t k = 0; status == TULLE_OK && k < o->segments[i].join_count; k++)
            status =
                tulle__forward_join(proxy->forward, i, o->segments[i].join[k], tulle__os_now());
    }
    return status;
}

tulle_status
tulle_proxy_start(tulle_proxy *proxy, tulle_error *error)
{
    if (proxy->is_started || proxy->is_stopped)
        return tulle__error_set(error, TULLE_ESTATE, "the proxy was started already");
    proxy->id = tulle__os_new_id();
    if (proxy->id == 0)
        return tulle__error_set(error, TULLE_EOS, "the system has no randomness for an id");
    tulle_status status = TULLE_OK;
    sigset_t signals;
    tulle__os_block_signals(&signals); /* none runs on a thread of the library */
    proxy->context = zmq_ctx_new();
    if (proxy->context == NULL)
        status = tulle__error_set(error, TULLE_EOS, "cannot open a ZeroMQ context");
    for (size_t i = 0; status == TULLE_OK && i < proxy->options.segment_count; i++)
        status = open_segment(proxy, i, error);
    if (status == TULLE_OK)
        status = make_forward(proxy, error);
    if (status == TULLE_OK && !watch_all(proxy))
        status = tulle__error_set(error, TULLE_EOS, "no descriptor to be had");
    if (status == TULLE_OK && pthread_create(&proxy->thread, NULL, run, proxy) != 0)
        status = tulle__error_set(error, TULLE_EOS, "cannot start a thread");
    tulle__os_restore_signals(&signals);
    proxy->is_started = status == TULLE_OK;
    if (status != TULLE_OK) {
        close_network(proxy, 0);
        proxy->id = 0;
    }
    return status;
}

/* Names of what is joined are the starting thread's; the others never change. */
static tulle_status
add_joins(tulle_proxy *proxy, const tulle_proxy_options *next)
{
    tulle_status status = TULLE_OK;
    for (size_t i = 0; status == TULLE_OK && i < proxy->options.segment_count; i++) {
        tulle_segment_options *segment = &proxy->options.segments[i];
        const tulle_segment_options *more = tulle__proxy_options_find(next, segment->name);
        if (more != NULL)
            status = tulle__segment_options_add_join(segment, more);
    }
    return status;
}

static void
free_update(tulle_proxy_options **update)
{
    if (*update != NULL)
        tulle__proxy_options_fini(*update);
    tulle__free(*update);
    *update = NULL;
}

tulle_status
tulle_proxy_update(tulle_proxy *proxy, const tulle_proxy_options *options, tulle_error *error)
{
    if (!proxy->is_started)
        return tulle__error_set(error, TULLE_ESTATE, "the proxy does not run");
    tulle_proxy_options *next = tulle__alloc(sizeof *next);
    if (next == NULL)
        return tulle__error_set(error, TULLE_ENOMEM, "out of memory");
    tulle_status status = tulle__proxy_options_copy(options, next, error);
    if (status != TULLE_OK) {
        tulle__free(next);
        return status;
    }
    char kept[sizeof error->text];
    tulle__proxy_options_compare(&proxy->options, next, kept, sizeof kept);
    status = add_joins(proxy, next);
    if (status != TULLE_OK) {
        free_update(&next);
        return tulle__error_set(error, status, "addresses to join: %s", tulle_strerror(status));
    }
    (void)pthread_mutex_lock(&proxy->mutex);
    tulle_proxy_options *before = proxy->update;
    proxy->update = next;
    (void)pthread_mutex_unlock(&proxy->mutex);
    free_update(&before);
    tulle__os_wake_set(proxy->wake_fd);
    return tulle__error_set(error, TULLE_OK, "%s", kept);
}

void
tulle_proxy_counters(const tulle_proxy *proxy, size_t segment, tulle_counters *out)
{
    *out = (tulle_counters){ 0 };
    if (segment >= proxy->options.segment_count)
        return;
    tulle_proxy *lockable = (tulle_proxy *)(uintptr_t)proxy;
    (void)pthread_mutex_lock(&lockable->mutex);
    *out = proxy->counters[segment];
    (void)pthread_mutex_unlock(&lockable->mutex);
}

uint64_t
tulle_proxy_id(const tulle_proxy *proxy)
{
    return proxy->id;
}

const char *
tulle_proxy_name(const tulle_proxy *proxy)
{
    return proxy->options.name;
}

const char *
tulle_proxy_address(const tulle_proxy *proxy, size_t segment)
{
    return segment < proxy->options.segment_count ? proxy->segments[segment].address : "";
}

void
tulle_proxy_stop(tulle_proxy *proxy, uint32_t linger_ms)
{
    proxy->is_stopped = true;
    if (!proxy->is_started)
        return;
    proxy->is_started = false;
    atomic_store(&proxy->linger_ms, linger_ms < LINGER_MS_MAX ? linger_ms : LINGER_MS_MAX);
    atomic_store(&proxy->is_stopping, true);
    tulle__os_wake_set(proxy->wake_fd);
    (void)pthread_join(proxy->thread, NULL);
}

void
tulle_proxy_free(tulle_proxy **pointer)
{
    tulle_proxy *proxy = *pointer;
    if (proxy == NULL)
        return;
    tulle_proxy_stop(proxy, 0);
    free_update(&proxy->update);
    tulle__os_wake_close(&proxy->wake_fd);
    (void)pthread_mutex_destroy(&proxy->mutex);
    tulle__proxy_options_fini(&proxy->options);
    tulle__free(proxy);
    *pointer = NULL;
}
