/* SPDX-License-Identifier: MPL-2.0 */
/* The node's thread: poll, take in what has come (bounded per turn, so that a flood
 * on one socket starves nothing), feed the engine, carry out its actions.
 *
 * A batch is what gathered while the thread was busy: the outbox is taken whole and
 * batches close when it is empty, so an idle node sends at once. While much is published it
 * lets a little more gather before the next turn. */

#include "base/alloc.h"
#include "base/panic.h"
#include "codec/topic.h"
#include "delivery/link.h"
#include "delivery/observe.h"
#include "delivery/progress.h"
#include "node/os.h"
#include "node/state.h"

#include <inttypes.h>
#include <string.h>

enum {
    MESSAGES_PER_TURN = 200,
    BYTES_PER_TURN = 1024 * 1024, /* of events received: acknowledgements go out in between */
    PUBLISHES_PER_TURN = 2000,
    PUBLISHES_PER_LOOK = 100,
    BATCHES_PER_TURN = 250,  /* a quarter of what may wait at PUB for one subscriber */
    PAUSE_US = 500,          /* after so many: libzmq's thread sends them meanwhile */
    GATHER_BYTES = 8 * 1024, /* published in a turn: more is coming */
    GATHER_US = 50,          /* for which then more gathers, in one batch */
    COUNTERS_MS = 20,        /* how old a snapshot of the counters may be */
    POLL_MS_MAX = 1000,
    LEAVING_POLL_MS_MAX = 10 /* then it looks at the time that it has */
};

/* ---- actions ---- */

void
tulle__loop_drain(tulle_node *node)
{
    struct tulle__action action;
    while (tulle__engine_next_action(node->engine, &action)) {
        enum tulle__acted acted = tulle__transport_act(node->transport, &node->races, &action);
        if (acted == TULLE__ACTED_UNSENT)
            tulle__engine_on_unsent(node->engine);
        if (acted == TULLE__ACTED_UNDIALED)
            tulle__engine_on_undialed(node->engine, action.u.dial.hop);
        switch (action.kind) {
        case TULLE__ACTION_ARRIVAL:
        case TULLE__ACTION_DELIVER:
        case TULLE__ACTION_DUPLICATE:
            tulle__hand_out_delivery(node, &action);
            break;
        case TULLE__ACTION_GAP:
            tulle__hand_out_gap(node, &action);
            break;
        case TULLE__ACTION_PEER:
            tulle__hand_out_peer(node, &action.u.peer);
            break;
        case TULLE__ACTION_PUBLISH:
            node->sent_batches++;
            break;
        case TULLE__ACTION_CONTROL:
        case TULLE__ACTION_DIAL:
        case TULLE__ACTION_HANGUP:
        case TULLE__ACTION_SUBSCRIBE:
        case TULLE__ACTION_UNSUBSCRIBE:
        case TULLE__ACTION_RELAY_PUBLICATION:
        case TULLE__ACTION_RELAY_CONTROL:
            node->has_touched_control = true;
            break;
        }
        tulle__action_fini(&action);
    }
}

/* ---- stalling ---- */

/* Stop the engine's deliveries while a queue is full, and let them go on when it is
 * half empty. Returns whether to look again at once. */
static bool
update_stall(tulle_node *node)
{
    if (!node->is_queue_full && !node->is_stalled)
        return false;
    node->is_queue_full = false;
    /* Asked for before looking: a receiver that takes something off in between
     * wakes this thread again. */
    atomic_store(&node->wants_room, true);
    uint64_t limit = node->is_stalled ? node->options.queue_bytes / 2 : node->options.queue_bytes;
    bool is_full = false;
    for (struct tulle_subscription *s = node->subscriptions; s != NULL; s = s->next)
        is_full = is_full || tulle__subscription_bytes(s) > limit;
    if (!is_full)
        atomic_store(&node->wants_room, false);
    if (is_full == node->is_stalled)
        return false;
    node->is_stalled = is_full;
    tulle__engine_set_stalled(node->engine, is_full, tulle__os_now());
    tulle__loop_drain(node);
    return node->is_queue_full;
}

/* ---- requests ---- */

static void
unlink_subscription(tulle_node *node, struct tulle_subscription *s)
{
    (void)pthread_mutex_lock(&node->mutex);
    tulle__node_unlink(node, s);
    (void)pthread_mutex_unlock(&node->mutex);
}

/* One from a callback whose asker is gone is the node's to free, whatever became of it. */
static tulle_status
subscribe(tulle_node *node, struct tulle_subscription *s, bool is_detached)
{
    tulle_status status = tulle__node_register(node, s);
    if (!s->is_registered && is_detached)
        tulle__subscription_close(s);
    if (s->is_registered || is_detached) {
        (void)pthread_mutex_lock(&node->mutex);
        tulle__node_link(node, s);
        (void)pthread_mutex_unlock(&node->mutex);
    }
    return status;
}

static void
list_peers(tulle_node *node, const struct tulle__request *request)
{
    tulle_peer peer;
    const struct tulle__peer *at = NULL;
    while (tulle__engine_next_peer(node->engine, &at, &peer))
        request->peer_fn(&peer, request->ctx);
}

static void
list_lanes(tulle_node *node, const struct tulle__request *request)
{
    tulle_lane lane;
    uint32_t at = 0;
    while (tulle__engine_next_lane(node->engine, &at, &lane))
        request->lane_fn(&lane, request->ctx);
}

bool
tulle__loop_serve(tulle_node *node, struct tulle__request *request)
{
    struct tulle__view pattern = { NULL, 0 };
    switch (request->kind) {
    case TULLE__REQUEST_SUBSCRIBE:
        request->status = subscribe(node, request->subscription, request->is_detached);
        break;
    case TULLE__REQUEST_UNSUBSCRIBE:
        tulle__node_unregister(node, request->subscription);
        unlink_subscription(node, request->subscription);
        break;
    case TULLE__REQUEST_JOIN:
        request->status = tulle__engine_join(node->engine, request->address, tulle__os_now());
        break;
    case TULLE__REQUEST_PEERS:
        list_peers(node, request);
        break;
    case TULLE__REQUEST_SNAPSHOT:
        request->snapshot = tulle__snapshot_collect(node->engine, tulle__os_now());
        break;
    case TULLE__REQUEST_LANES:
        list_lanes(node, request);
        break;
    case TULLE__REQUEST_FLUSH:
        return node->taken_count >= request->published &&
               tulle__engine_is_acknowledged(node->engine);
    case TULLE__REQUEST_WAIT_PEERS:
        if (request->pattern != NULL)
            pattern = tulle__view_of(request->pattern);
        return tulle__engine_taker_count(node->engine, pattern) >= request->count;
    }
    tulle__loop_drain(node);
    return true;
}

static void
finish_request(tulle_node *node, struct tulle__request *request)
{
    if (request->is_detached) {
        if (request->status != TULLE_OK) {
            tulle__log(&node->log, TULLE_LOG_ERROR, "node.request", "address=%s status=%s",
                       request->address, tulle_status_name(request->status));
        }
        tulle__free(request);
        return;
    }
    (void)pthread_mutex_lock(&node->mutex);
    request->is_done = true;
    (void)pthread_cond_broadcast(&node->changed);
    (void)pthread_mutex_unlock(&node->mutex);
}

/* A request whose asker may lose patience stays in the list while it is looked at,
 * under the mutex; any other is taken off first: it may take locks of its own. */
static bool
serve_waiting(tulle_node *node)
{
    bool has_news = false;
    for (struct tulle__request **link = &node->requests; *link != NULL;) {
        struct tulle__request *request = *link;
        bool can_wait =
            request->kind == TULLE__REQUEST_FLUSH || request->kind == TULLE__REQUEST_WAIT_PEERS;
        if (can_wait && tulle__loop_serve(node, request)) {
            *link = request->next;
            request->is_done = true;
            has_news = true;
        } else {
            has_news = has_news || (can_wait && !request->is_seen);
            request->is_seen = can_wait;
            link = &request->next;
        }
    }
    return has_news;
}

static struct tulle__request *
take_request(tulle_node *node)
{
    for (struct tulle__request **link = &node->requests; *link != NULL; link = &(*link)->next) {
        struct tulle__request *request = *link;
        if (request->kind != TULLE__REQUEST_FLUSH && request->kind != TULLE__REQUEST_WAIT_PEERS) {
            *link = request->next;
            return request;
        }
    }
    return NULL;
}

static void
serve_requests(tulle_node *node)
{
    (void)pthread_mutex_lock(&node->mutex);
    node->is_poked = false; /* what comes from here on is looked at in the next turn */
    struct tulle__request *request;
    while ((request = take_request(node)) != NULL) {
        (void)pthread_mutex_unlock(&node->mutex);
        (void)tulle__loop_serve(node, request);
        finish_request(node, request);
        (void)pthread_mutex_lock(&node->mutex);
    }
    if (serve_waiting(node))
        (void)pthread_cond_broadcast(&node->changed);
    (void)pthread_mutex_unlock(&node->mutex);
}

/* ---- publishing ---- */

static tulle_status
publish_one(tulle_node *node, struct tulle__outgoing *outgoing, struct tulle__now now)
{
    struct tulle__view stream = outgoing->stream;
    tulle_status status;
    if (outgoing->count > 0) {
        struct tulle__gathered gathered = { stream, &outgoing->events, outgoing->count };
        status = tulle__engine_publish_gathered(node->engine, &gathered, now);
    } else {
        status = tulle__engine_publish(node->engine, &outgoing->publish, now);
        stream = outgoing->publish.topic;
    }
    if (status == TULLE_EAGAIN || status == TULLE_ENOMEM)
        return status; /* the window is full: acknowledgements bring us here again */
    if (status != TULLE_OK) {
        tulle__log(&node->log, TULLE_LOG_ERROR, "node.publish", "topic=%.*s status=%s",
                   (int)stream.len, (const char *)stream.data, tulle_status_name(status));
    }
    return TULLE_OK;
}

/* Give the engine what was published. Returns the bytes that it took. */
static size_t
publish_pending(tulle_node *node, bool *has_more)
{
    size_t bytes = 0;
    struct tulle__now now = tulle__os_now();
    uint64_t batches_before = node->sent_batches;
    for (int i = 0; node->pending != NULL; i++) {
        struct tulle__outgoing *outgoing = node->pending;
        if (i % PUBLISHES_PER_LOOK == PUBLISHES_PER_LOOK - 1)
            tulle__loop_drain(node);
        *has_more =
            i == PUBLISHES_PER_TURN || node->sent_batches - batches_before >= BATCHES_PER_TURN;
        if (*has_more || publish_one(node, outgoing, now) != TULLE_OK)
            break;
        node->pending = outgoing->next;
        outgoing->next = NULL;
        bytes += outgoing->bytes;
        node->taken_count += outgoing->count > 0 ? outgoing->count : 1;
        tulle__outbox_free(outgoing);
    }
    tulle__engine_close_batches(node->engine, now);
    tulle__loop_drain(node);
    if (node->sent_batches - batches_before >= BATCHES_PER_TURN)
        tulle__os_pause_us(PAUSE_US);
    return bytes;
}

/* Take the outbox in. Returns whether there is more than one turn may take. */
bool
tulle__loop_publish(tulle_node *node)
{
    bool has_more = false;
    if (node->pending == NULL) {
        (void)pthread_mutex_lock(&node->mutex);
        node->pending = tulle__outbox_take(&node->outbox);
        (void)pthread_mutex_unlock(&node->mutex);
    }
    node->turn_bytes = 0;
    if (node->pending == NULL)
        return false;
    size_t bytes = publish_pending(node, &has_more);
    node->turn_bytes = bytes;
    if (bytes > 0) {
        (void)pthread_mutex_lock(&node->mutex);
        node->outbox.bytes -= bytes;
        has_more = has_more || (node->pending == NULL && node->outbox.head != NULL);
        /* Whoever waits for room is woken for more than a little of it. */
        bool has_room = node->outbox.bytes <= node->outbox_limit / 2;
        (void)pthread_mutex_unlock(&node->mutex);
        if (has_room)
            (void)pthread_cond_broadcast(&node->changed);
    }
    return has_more;
}

/* ---- the network ---- */

bool
tulle__loop_receive(tulle_node *node)
{
    size_t bytes = 0;
    for (int i = 0; i < MESSAGES_PER_TURN && bytes < BYTES_PER_TURN; i++) {
        struct tulle__incoming in;
        enum tulle__received received = tulle__transport_receive_publication(node->transport, &in);
        if (received == TULLE__RECEIVED_NOTHING)
            return false;
        if (received == TULLE__RECEIVED_MALFORMED) {
            tulle__engine_on_malformed(node->engine);
            continue;
        }
        bytes += in.body->len;
        tulle__engine_on_publication(node->engine, in.key, in.body, in.path, tulle__os_now());
        tulle__buf_unref(&in.body);
        tulle__loop_drain(node);
        if (node->is_queue_full) /* not only after the turn: it may bring megabytes */
            (void)update_stall(node);
    }
    return true;
}

static bool
receive_control(tulle_node *node)
{
    for (int i = 0; i < MESSAGES_PER_TURN; i++) {
        struct tulle__incoming in;
        enum tulle__received received = tulle__transport_receive_control(node->transport, &in);
        if (received == TULLE__RECEIVED_NOTHING)
            return false;
        if (received == TULLE__RECEIVED_MALFORMED) {
            tulle__engine_on_malformed(node->engine);
            continue;
        }
        if (in.via == 0)
            in.via = tulle__engine_via(node->engine, in.hop, in.key);
        tulle__engine_on_control(node->engine, in.via, in.key, in.body, tulle__os_now());
        tulle__buf_unref(&in.body);
        tulle__loop_drain(node);
        if (node->is_queue_full)
            (void)update_stall(node);
    }
    return true;
}

static void
receive_beacons(tulle_node *node)
{
    uint64_t id;
    char address[TULLE__BEACON_ADDRESS_LEN_MAX];
    for (int i = 0; node->beacon != NULL && i < MESSAGES_PER_TURN &&
                    tulle__beacon_next(node->beacon, &id, address);
         i++) {
        tulle__engine_found(node->engine, id, address, tulle__os_now());
        tulle__loop_drain(node);
    }
}

/* ---- the loop ---- */

static void
snapshot_counters(tulle_node *node, struct tulle__now now, bool is_due)
{
    if (!is_due && now.mono.ns < node->counters_due_ns)
        return;
    node->counters_due_ns = now.mono.ns + tulle__ms_to_ns(COUNTERS_MS);
    tulle_counters counters;
    (void)tulle__engine_is_acknowledged(node->engine); /* brings unacked_now up to date */
    tulle__engine_counters(node->engine, &counters);
    counters.notices_dropped = node->notices_dropped;
    (void)pthread_mutex_lock(&node->mutex);
    node->counters = counters;
    (void)pthread_mutex_unlock(&node->mutex);
}

int64_t
tulle__loop_deadline(const tulle_node *node)
{
    int64_t engine_ns = tulle__engine_deadline(node->engine).ns;
    int64_t races_ns = tulle__races_deadline(&node->races);
    int64_t due_ns = engine_ns < races_ns ? engine_ns : races_ns;
    int64_t absent_ns =
        node->options.observe ? tulle__absent_deadline(&node->absent) : TULLE__NEVER_NS;
    return due_ns < absent_ns ? due_ns : absent_ns;
}

/* Until when to wait, from now on. */
static struct tulle__mono
wait_end(const tulle_node *node, struct tulle__mono now, long ms_max)
{
    struct tulle__mono end = { now.ns + tulle__ms_to_ns(ms_max) };
    struct tulle__mono deadline = { tulle__loop_deadline(node) };
    return deadline.ns < end.ns ? deadline : end;
}

/* Wait for something to do. From the moment is_sleeping is set, whoever adds work
 * wakes this thread. */
static void
sleep_until_work(tulle_node *node, bool is_leaving)
{
    struct tulle__mono now = tulle__os_now().mono;
    struct tulle__mono end = wait_end(node, now, is_leaving ? LEAVING_POLL_MS_MAX : POLL_MS_MAX);
    bool has_work = tulle__transport_has_events(node->transport) || end.ns <= now.ns ||
                    (node->beacon != NULL && tulle__beacon_has_events(node->beacon));
    (void)pthread_mutex_lock(&node->mutex);
    has_work = has_work || (node->outbox.head != NULL && node->pending == NULL);
    has_work = has_work || node->is_poked;
    has_work = has_work || (!is_leaving && node->phase != TULLE__PHASE_RUNNING);
    node->is_sleeping = !has_work;
    (void)pthread_mutex_unlock(&node->mutex);
    if (has_work)
        return;
    tulle__turn_wait(node, now, end);
    (void)pthread_mutex_lock(&node->mutex);
    node->is_sleeping = false;
    (void)pthread_mutex_unlock(&node->mutex);
}

static void
watch_races(tulle_node *node, struct tulle__now now)
{
    uint64_t id;
    uint32_t way;
    while (tulle__races_next(&node->races, node->transport, now.mono.ns, &id, &way))
        tulle__engine_on_dialed(node->engine, id, way, now);
    tulle__loop_drain(node);
}

/* An observer waits for answers: whoever has ended is not to be waited for. */
static void
watch_absent(tulle_node *node, struct tulle__now now)
{
    uint64_t refused[TULLE__ABSENT_LIMIT];
    size_t count = tulle__absent_watch(&node->absent, node->engine, now, refused);
    for (size_t i = 0; i < count; i++)
        tulle__engine_on_refused(node->engine, refused[i], now);
    if (count > 0)
        tulle__loop_drain(node);
}

/* One turn. Returns whether there is more to do at once. */
static bool
turn(tulle_node *node)
{
    bool has_more = receive_control(node);
    has_more = tulle__loop_receive(node) || has_more;
    receive_beacons(node);
    serve_requests(node);
    has_more = tulle__loop_publish(node) || has_more;
    struct tulle__now now = tulle__os_now();
    if (now.mono.ns >= tulle__engine_deadline(node->engine).ns) {
        tulle__engine_on_timer(node->engine, now);
        tulle__loop_drain(node);
    }
    if (now.mono.ns >= tulle__races_deadline(&node->races))
        watch_races(node, now);
    if (node->options.observe)
        watch_absent(node, now);
    has_more = update_stall(node) || has_more;
    snapshot_counters(node, now, !has_more);
    return has_more;
}

/* Has all that was published reached those who take it? */
static bool
is_all_delivered(tulle_node *node)
{
    (void)pthread_mutex_lock(&node->mutex);
    bool is_empty = node->outbox.head == NULL && node->pending == NULL;
    (void)pthread_mutex_unlock(&node->mutex);
    return is_empty && tulle__engine_is_acknowledged(node->engine);
}

/* Publish what is in the outbox and stay, as far as time allows, until it is acknowledged:
 * what was lost on the way cannot be fetched later. Then say goodbye.
 * Returns the time that is left. */
static uint32_t
leave(tulle_node *node, uint32_t linger_ms)
{
    int64_t end_ns = tulle__os_now().mono.ns + tulle__ms_to_ns(linger_ms);
    (void)turn(node);
    bool is_done;
    while (!(is_done = is_all_delivered(node)) && tulle__os_now().mono.ns < end_ns) {
        sleep_until_work(node, true);
        (void)turn(node);
    }
    tulle__engine_leave(node->engine, tulle__os_now());
    tulle__loop_drain(node);
    snapshot_counters(node, tulle__os_now(), true);
    if (linger_ms > 0 && !is_done) {
        tulle__log(&node->log, TULLE_LOG_WARN, "node.left_early",
                   "linger_ms=%" PRIu32 " unacknowledged_bytes=%" PRIu64, linger_ms,
                   node->counters.unacked_now);
    }
    int64_t left_ns = end_ns - tulle__os_now().mono.ns;
    return left_ns > 0 ? (uint32_t)(left_ns / 1000000) : 0;
}

static void
end_requests(tulle_node *node)
{
    (void)pthread_mutex_lock(&node->mutex);
    node->phase = TULLE__PHASE_STOPPED;
    while (node->requests != NULL) {
        struct tulle__request *request = node->requests;
        node->requests = request->next;
        request->status = TULLE_ESTATE;
        request->is_done = true;
        if (request->is_detached && request->kind == TULLE__REQUEST_SUBSCRIBE)
            tulle__node_link(node, request->subscription);
        if (request->is_detached)
            tulle__free(request);
    }
    for (struct tulle_subscription *s = node->subscriptions; s != NULL; s = s->next)
        tulle__subscription_close(s);
    (void)pthread_cond_broadcast(&node->changed);
    (void)pthread_mutex_unlock(&node->mutex);
}

/* Was so much published at a time that a little later it is more? Then batches are larger,
 * and fewer; a lock that publishers need is taken less often. */
static bool
is_gathering(const tulle_node *node)
{
    return node->turn_bytes >= GATHER_BYTES && node->pending == NULL &&
           node->turn_bytes < node->options.batch_bytes / 4;
}

void *
tulle__loop_run(void *argument)
{
    tulle_node *node = argument;
    uint32_t linger_ms = 0;
    tulle__os_name_thread("tulle/node");
    enum tulle__phase phase = TULLE__PHASE_RUNNING;
    (void)pthread_mutex_lock(&node->turn);
    tulle__loop_drain(node);
    atomic_store(&node->is_helpable, true);
    while (phase == TULLE__PHASE_RUNNING) {
        bool has_more = turn(node);
        if (is_gathering(node))
            tulle__turn_pause(node, GATHER_US);
        else if (!has_more)
            sleep_until_work(node, false);
        (void)pthread_mutex_lock(&node->mutex);
        phase = node->phase;
        linger_ms = node->linger_ms;
        (void)pthread_mutex_unlock(&node->mutex);
    }
    atomic_store(&node->is_helpable, false);
    linger_ms = leave(node, linger_ms);
    tulle__beacon_close(&node->beacon);
    tulle__engine_free(&node->engine);
    tulle__races_fini(&node->races);
    tulle__absent_fini(&node->absent);
    tulle__transport_close(&node->transport, linger_ms);
    (void)zmq_ctx_term(node->context);
    node->context = NULL;
    tulle__outbox_free(node->pending);
    node->pending = NULL;
    (void)pthread_mutex_unlock(&node->turn);
    end_requests(node);
    return NULL;
}
