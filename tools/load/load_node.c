/* SPDX-License-Identifier: MPL-2.0 */

/* A node of a load, in its own process: one thread takes and listens to the runner, another
 * one publishes. */

#include "app/exit.h"
#include "tools/load/load_message.h"
#include "tools/load/load_pace.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_TOPIC "answer/0/0"
#define PROBE_TOPIC  "bench/probe/0" /* of a stream of its own, which those who take all take */

enum {
    SLICE_MS = 20,          /* longest wait for an event */
    PUBLISH_SLICE_MS = 200, /* longest wait for room that does not look for the end */
    LISTEN_NS = 5000000,    /* how often the runner is listened to while events come */
    PROGRESS_NS = 200000000,
    PROBE_MS = 20,
    PROBES_LIVE = 3,     /* from each publisher, one after the other, and the ways are settled */
    LOOK_EVERY = 1024,   /* events taken between looks at the clock */
    CLOCK_EVERY = 32,    /* events published between looks at the clock */
    NOBODY = UINT16_MAX, /* no cause */
    CAUSE_SHIFT = 48
};

/* At the start of each payload. */
struct stamp {
    uint64_t seq; /* of the publisher, over all its streams; from 0 */
    int64_t due_ns;
    uint64_t cause_seq; /* the newest event that the publisher had taken */
    uint16_t publisher; /* index of its node */
    uint16_t cause_publisher;
    uint32_t is_measured;
};

_Static_assert(sizeof(struct stamp) == TULLE__LOAD_SIZE_MIN, "the man page says the least size");

struct worker {
    const struct tulle__load_plan *plan;
    uint16_t index;
    uint32_t node_count;
    int fd;
    tulle_node *node;
    tulle_subscription *subscription;
    struct tulle__load_share share; /* the publishing thread has published* until it is joined */
    int64_t start_ns, measure_ns, end_ns;
    char (*topics)[32];
    uint64_t *next; /* sequence numbers awaited: of each publisher, or of each of its streams */
    uint64_t expected;
    uint64_t repaired_before; /* probes */
    bool is_expecting, is_complete;
    bool has_news; /* deliveries whose time is not noted */
    int64_t listened_ns, progress_ns;
    struct tulle__histogram latency;
    char *answer;        /* a payload, if it answers */
    struct rusage usage; /* at the end of the warm-up */
    bool has_usage;
    atomic_bool is_over;
    atomic_uint_fast64_t seen; /* newest event taken: publisher and sequence number */
};

static void
say_word(const struct worker *worker, enum tulle__load_word word)
{
    tulle__load_say(worker->fd, &(struct tulle__load_message){ .word = word });
}

/* Returns the exit status. */
static int
say_failed(const struct worker *worker, int status, const char *what, const char *why)
{
    return tulle__load_say_failed(worker->fd, status, what, why);
}

static void
note_usage(struct worker *worker)
{
    if (!worker->has_usage)
        (void)getrusage(RUSAGE_SELF, &worker->usage);
    worker->has_usage = true;
}

/* ---- publishing ---- */

/* Fill in the time at which event seq is due, and wait for it. Returns false after the last. */
static bool
pace(struct worker *worker, struct stamp *stamp)
{
    const struct tulle__load_plan *plan = worker->plan;
    if (plan->rate > 0) {
        stamp->due_ns = worker->start_ns + (int64_t)((double)stamp->seq * 1e9 / plan->rate);
        tulle__load_sleep_until(stamp->due_ns, plan->is_spinning, &worker->is_over);
    } else if (stamp->seq % CLOCK_EVERY == 0) {
        stamp->due_ns = tulle__load_now_ns();
    }
    if (stamp->due_ns >= worker->measure_ns && stamp->is_measured == 0) {
        stamp->is_measured = 1;
        note_usage(worker);
    }
    if (plan->count > 0)
        return worker->share.published_measured < plan->count;
    return stamp->due_ns < worker->end_ns;
}

static void
fill_cause(const struct worker *worker, struct stamp *stamp)
{
    /* Answers are no cause that a subscriber could check: it does not take them. */
    uint64_t seen = (uint64_t)NOBODY << CAUSE_SHIFT;
    if ((worker->share.roles & TULLE__LOAD_TAKES) != 0)
        seen = atomic_load_explicit(&worker->seen, memory_order_relaxed);
    stamp->cause_publisher = (uint16_t)(seen >> CAUSE_SHIFT);
    stamp->cause_seq = seen & ((UINT64_C(1) << CAUSE_SHIFT) - 1);
}

static tulle_status
publish(struct worker *worker, const char *topic, const void *payload)
{
    tulle_publish_options options;
    tulle_publish_options_init(&options);
    options.timeout_ms = PUBLISH_SLICE_MS;
    tulle_status status = TULLE_EAGAIN;
    while (status == TULLE_EAGAIN && !atomic_load_explicit(&worker->is_over, memory_order_relaxed))
        status = tulle_node_publish(worker->node, topic, payload, worker->plan->size, &options);
    return status;
}

static void *
publish_all(void *ctx)
{
    struct worker *worker = ctx;
    const struct tulle__load_plan *plan = worker->plan;
    uint32_t topic_count = plan->streams * plan->topics;
    struct stamp stamp = { .publisher = worker->index };
    char *payload = malloc(plan->size);
    if (payload == NULL) {
        (void)say_failed(worker, TULLE__EXIT_FAILURE, "", tulle_strerror(TULLE_ENOMEM));
        return NULL;
    }
    memset(payload, 'x', plan->size);
    tulle__load_wake_in_time();
    tulle__load_sleep_until(worker->start_ns, plan->is_spinning, &worker->is_over);
    for (uint32_t topic = 0; pace(worker, &stamp);
         topic = topic + 1 < topic_count ? topic + 1 : 0) {
        fill_cause(worker, &stamp);
        memcpy(payload, &stamp, sizeof stamp);
        tulle_status status = publish(worker, worker->topics[topic], payload);
        if (status != TULLE_OK) {
            if (status != TULLE_EAGAIN)
                (void)say_failed(worker, (int)tulle__exit_of(status), "publishing",
                                 tulle_strerror(status));
            break;
        }
        stamp.seq++;
        worker->share.published++;
        worker->share.published_measured += stamp.is_measured;
    }
    free(payload);
    struct tulle__load_message done = { .word = TULLE__LOAD_PUBLISHED };
    done.u.share.published = worker->share.published;
    done.u.share.published_measured = worker->share.published_measured;
    tulle__load_say(worker->fd, &done);
    return NULL;
}

/* ---- taking ---- */

/* Is the event the one that is next? Else count what is wrong. */
static void
check_order(struct worker *worker, const struct stamp *stamp)
{
    uint32_t streams = worker->plan->streams;
    bool is_causal = worker->plan->order == TULLE_ORDER_CAUSAL;
    /* Lanes have no order among each other but the causal one. */
    size_t at = stamp->publisher;
    if (!is_causal)
        at = at * streams + stamp->seq % streams;
    if (stamp->seq < worker->next[at])
        worker->share.misordered++;
    else
        worker->next[at] = stamp->seq + (is_causal ? 1 : streams);
    if (!is_causal || stamp->cause_publisher == NOBODY || stamp->cause_publisher == worker->index)
        return;
    if (stamp->cause_publisher >= worker->node_count ||
        worker->next[stamp->cause_publisher] <= stamp->cause_seq)
        worker->share.uncaused++;
}

static void
take_event(struct worker *worker, const tulle_event *event)
{
    struct stamp stamp;
    if (event->payload_len != worker->plan->size) {
        worker->share.foreign += event->payload_len != 0; /* that is a probe */
        return;
    }
    memcpy(&stamp, event->payload, sizeof stamp);
    if (stamp.publisher >= worker->node_count || stamp.publisher == worker->index) {
        worker->share.foreign++;
        return;
    }
    check_order(worker, &stamp);
    uint64_t seen = (uint64_t)stamp.publisher << CAUSE_SHIFT | stamp.seq;
    atomic_store_explicit(&worker->seen, seen, memory_order_relaxed);
    worker->has_news = true;
    worker->share.delivered++;
    if (stamp.is_measured == 0)
        return;
    if (worker->share.delivered_measured++ == 0) {
        worker->share.first_ns = tulle__load_now_ns();
        if ((worker->share.roles & TULLE__LOAD_PUBLISHES) == 0)
            note_usage(worker);
    }
    /* Without a rate only the time of some is known: of those that the publisher's clock was
     * read for. */
    bool has_time = worker->plan->rate > 0 || stamp.seq % CLOCK_EVERY == 0;
    if (has_time && worker->answer == NULL)
        tulle__histogram_record(&worker->latency, (uint64_t)(tulle__load_now_ns() - stamp.due_ns));
}

static tulle_status
answer(struct worker *worker, const tulle_event *event)
{
    size_t len = worker->plan->size;
    struct stamp stamp;
    if (event->payload_len != len)
        return TULLE_OK;
    memcpy(worker->answer, event->payload, len);
    memcpy(&stamp, worker->answer, sizeof stamp);
    stamp.publisher = worker->index;
    memcpy(worker->answer, &stamp, sizeof stamp);
    worker->share.published++;
    return publish(worker, ANSWER_TOPIC, worker->answer);
}

static tulle_status
take(struct worker *worker, const tulle_message *message)
{
    if (message->kind == TULLE_MESSAGE_EVENT) {
        take_event(worker, &message->u.event);
        if (worker->answer != NULL)
            return answer(worker, &message->u.event);
    } else if (message->kind == TULLE_MESSAGE_GAP) {
        worker->share.gaps++;
        worker->share.gap_events += message->u.gap.last - message->u.gap.first + 1;
    }
    return TULLE_OK;
}

/* The queue is empty, or it is time to look: note when that was, tell the runner how it goes
 * and listen to it. Returns false when the run is over. */
static bool
look_around(struct worker *worker)
{
    struct tulle__load_share *share = &worker->share;
    int64_t now = tulle__load_now_ns();
    if (worker->has_news && share->delivered_measured > 0)
        share->last_ns = now;
    worker->has_news = false;
    if (worker->is_expecting && !worker->is_complete &&
        share->delivered + share->gap_events >= worker->expected) {
        worker->is_complete = true;
        say_word(worker, TULLE__LOAD_COMPLETE);
    }
    if (now - worker->progress_ns >= PROGRESS_NS) {
        worker->progress_ns = now;
        tulle__load_say(worker->fd, &(struct tulle__load_message){ .word = TULLE__LOAD_PROGRESS,
                                                                   .u.count = share->delivered });
    }
    if (now - worker->listened_ns < LISTEN_NS)
        return true;
    worker->listened_ns = now;
    struct tulle__load_message message;
    ssize_t got = recv(worker->fd, &message, sizeof message, MSG_DONTWAIT);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    if (got != (ssize_t)sizeof message || message.word != TULLE__LOAD_EXPECT)
        return false;
    worker->expected = message.u.count;
    worker->is_expecting = true;
    return true;
}

static int
take_all(struct worker *worker)
{
    for (uint64_t i = 1;; i++) {
        const tulle_message *message = NULL;
        tulle_status status = tulle_subscription_receive(worker->subscription, &message, 0);
        if ((status == TULLE_ETIMEDOUT || i % LOOK_EVERY == 0) && !look_around(worker))
            return 0;
        if (status == TULLE_ETIMEDOUT)
            status = tulle_subscription_receive(worker->subscription, &message, SLICE_MS);
        if (status == TULLE_OK)
            status = take(worker, message);
        if (status != TULLE_OK && status != TULLE_ETIMEDOUT)
            return say_failed(worker, (int)tulle__exit_of(status), "taking events",
                              tulle_strerror(status));
    }
}

/* ---- the run ---- */

static bool
make_tables(struct worker *worker)
{
    const struct tulle__load_plan *plan = worker->plan;
    uint32_t streams = plan->streams;
    uint32_t count = streams * plan->topics;
    worker->topics = calloc(count, sizeof *worker->topics);
    worker->next = calloc((size_t)worker->node_count * streams, sizeof *worker->next);
    bool is_answering = (worker->share.roles & TULLE__LOAD_ANSWERS) != 0;
    if (is_answering)
        worker->answer = malloc(plan->size);
    if (worker->topics == NULL || worker->next == NULL || (is_answering && worker->answer == NULL))
        return false;
    for (uint32_t i = 0; i < count; i++)
        (void)snprintf(worker->topics[i], sizeof worker->topics[i], "bench/%u/%u", i % streams,
                       i / streams);
    return true;
}

static int
open_node(struct worker *worker)
{
    const struct tulle__load_plan *plan = worker->plan;
    tulle_node_options options = plan->node;
    tulle_error error = { 0 };
    char name[32];
    char address[64];
    char mesh[48];
    tulle__load_mesh_name(mesh);
    tulle__load_listen_address(plan, 0, address);
    uint32_t roles = worker->share.roles;
    const char *role = (roles & TULLE__LOAD_TAKES) == 0 ? "publisher" : "subscriber";
    if ((roles & TULLE__LOAD_PUBLISHES) != 0 && (roles & TULLE__LOAD_TAKES) != 0)
        role = "node";
    (void)snprintf(name, sizeof name, "%s-%u", role, worker->index);
    options.mesh = mesh;
    options.name = name;
    options.listen[0] = address;
    options.listen_count = 1;
    options.stream_levels = 2;
    tulle_status status = tulle_node_new(&options, &worker->node, &error);
    if (status == TULLE_OK && (roles & (TULLE__LOAD_TAKES | TULLE__LOAD_AWAITS)) != 0) {
        const char *pattern = (roles & TULLE__LOAD_TAKES) != 0 ? "bench/**" : ANSWER_TOPIC;
        tulle_subscribe_options subscribe;
        tulle_subscribe_options_init(&subscribe);
        subscribe.order = (tulle_order)plan->order;
        status = tulle_node_subscribe(worker->node, pattern, &subscribe, &worker->subscription);
    }
    if (status == TULLE_OK)
        status = tulle_node_start(worker->node, &error);
    if (status == TULLE_OK)
        return 0;
    return say_failed(worker, (int)tulle__exit_of(status), name,
                      error.text[0] != '\0' ? error.text : tulle_strerror(status));
}

/* ---- settling ----
 *
 * Nodes know one another before each proxy knows what is taken beyond the next one; what is
 * published until then comes by fetch, which is not what is to be measured. So those who
 * publish send probes, and those who take are ready when some have come from each of them
 * without that. */

struct settling {
    uint64_t ids[TULLE__LOAD_NODES_MAX];
    uint32_t live[TULLE__LOAD_NODES_MAX]; /* probes one after the other that came live */
    size_t count;
};

static void
note_probe(struct settling *settling, const tulle_event *event)
{
    size_t at = 0;
    while (at < settling->count && settling->ids[at] != event->node)
        at++;
    if (at == TULLE__LOAD_NODES_MAX)
        return;
    if (at == settling->count)
        settling->count++;
    settling->ids[at] = event->node;
    settling->live[at] = event->is_repaired ? 0 : settling->live[at] + 1;
}

static bool
is_settled(const struct worker *worker, const struct settling *settling)
{
    const struct tulle__load_plan *plan = worker->plan;
    bool is_both = (worker->share.roles & TULLE__LOAD_PUBLISHES) != 0;
    size_t wanted = plan->publishers + plan->both - (is_both ? 1 : 0);
    size_t found = 0;
    if ((worker->share.roles & TULLE__LOAD_AWAITS) != 0)
        wanted = plan->subscribers;
    for (size_t i = 0; i < settling->count; i++)
        found += settling->live[i] >= PROBES_LIVE;
    return worker->subscription == NULL || found >= wanted;
}

static tulle_status
send_probe(const struct worker *worker)
{
    uint32_t roles = worker->share.roles;
    if ((roles & (TULLE__LOAD_PUBLISHES | TULLE__LOAD_ANSWERS)) == 0)
        return TULLE_OK;
    const char *topic = (roles & TULLE__LOAD_ANSWERS) != 0 ? ANSWER_TOPIC : PROBE_TOPIC;
    tulle_status status = tulle_node_publish(worker->node, topic, "", 0, NULL);
    return status == TULLE_EAGAIN ? TULLE_OK : status;
}

/* Until all who publish are heard as they should be; but a mesh in which that does not come about
 * is measured as it is. Returns 0 or an exit status, after a message. */
static int
settle(struct worker *worker)
{
    struct settling settling = { .count = 0 };
    int64_t end_ns = tulle__load_now_ns() + worker->plan->timeout_ms * 1000000;
    tulle_status status = TULLE_OK;
    while (status == TULLE_OK && !is_settled(worker, &settling) && tulle__load_now_ns() < end_ns) {
        const tulle_message *message = NULL;
        status = send_probe(worker);
        int64_t next_ns = tulle__load_now_ns() + PROBE_MS * INT64_C(1000000);
        while (status == TULLE_OK && tulle__load_now_ns() < next_ns) {
            status = tulle_subscription_receive(worker->subscription, &message, PROBE_MS);
            if (status == TULLE_OK && message->kind == TULLE_MESSAGE_EVENT)
                note_probe(&settling, &message->u.event);
        }
        if (status == TULLE_ETIMEDOUT)
            status = TULLE_OK;
    }
    if (status != TULLE_OK)
        return say_failed(worker, (int)tulle__exit_of(status), "probing", tulle_strerror(status));
    return 0;
}

/* The others may need more of them. */
static void
probe_until_go(const struct worker *worker)
{
    struct pollfd wait = { .fd = worker->fd, .events = POLLIN };
    while (poll(&wait, 1, PROBE_MS) <= 0)
        (void)send_probe(worker); /* a failure shows when events are published */
}

static int
join_others(struct worker *worker)
{
    const struct tulle__load_plan *plan = worker->plan;
    struct tulle__load_message message = { .word = TULLE__LOAD_HELLO };
    (void)snprintf(message.u.text, sizeof message.u.text, "%s", tulle_node_address(worker->node));
    tulle__load_say(worker->fd, &message);
    if (!tulle__load_listen(worker->fd, TULLE__LOAD_JOIN, &message))
        return TULLE__EXIT_FAILURE;
    tulle_status status = TULLE_OK;
    if (message.u.text[0] != '\0')
        status = tulle_node_join(worker->node, message.u.text);
    uint32_t roles = worker->share.roles;
    size_t takers = plan->subscribers + plan->both - ((roles & TULLE__LOAD_TAKES) != 0 ? 1 : 0);
    if (status == TULLE_OK && (roles & TULLE__LOAD_PUBLISHES) != 0)
        status = tulle_node_wait_peers(worker->node, "bench/**", takers, (int)plan->timeout_ms);
    if (status == TULLE_OK && (roles & TULLE__LOAD_ANSWERS) != 0)
        status = tulle_node_wait_peers(worker->node, ANSWER_TOPIC, plan->publishers,
                                       (int)plan->timeout_ms);
    if (status == TULLE_ETIMEDOUT)
        return say_failed(worker, TULLE__EXIT_NETWORK, "", "the nodes did not all connect in time");
    if (status != TULLE_OK)
        return say_failed(worker, (int)tulle__exit_of(status), "join", tulle_strerror(status));
    int settled = plan->proxies > 0 ? settle(worker) : 0;
    if (settled != 0)
        return settled;
    say_word(worker, TULLE__LOAD_READY);
    if (plan->proxies > 0)
        probe_until_go(worker);
    if (!tulle__load_listen(worker->fd, TULLE__LOAD_GO, &message))
        return TULLE__EXIT_FAILURE;
    tulle_counters counters;
    tulle_node_counters(worker->node, &counters);
    worker->repaired_before = counters.events_repaired;
    worker->start_ns = message.u.start_ns;
    worker->measure_ns = worker->start_ns + plan->warmup_ms * 1000000;
    worker->end_ns = worker->measure_ns + plan->duration_ms * 1000000;
    return 0;
}

static void
report(struct worker *worker)
{
    tulle_counters counters;
    tulle_node_counters(worker->node, &counters);
    worker->share.repaired = counters.events_repaired - worker->repaired_before;
    if (worker->has_usage)
        tulle__load_note_cpu(&worker->share, &worker->usage);
    tulle__load_say(worker->fd, &(struct tulle__load_message){ .word = TULLE__LOAD_RESULT,
                                                               .u.share = worker->share });
    if ((worker->share.roles & (TULLE__LOAD_TAKES | TULLE__LOAD_AWAITS)) != 0)
        (void)send(worker->fd, &worker->latency, sizeof worker->latency, MSG_NOSIGNAL);
}

static int
work(struct worker *worker)
{
    pthread_t thread;
    bool is_publisher = (worker->share.roles & TULLE__LOAD_PUBLISHES) != 0;
    if (is_publisher && pthread_create(&thread, NULL, publish_all, worker) != 0)
        return say_failed(worker, TULLE__EXIT_FAILURE, "thread", tulle_strerror(TULLE_EOS));
    int status = 0;
    struct tulle__load_message message;
    if (worker->subscription != NULL)
        status = take_all(worker);
    else if (!tulle__load_listen(worker->fd, TULLE__LOAD_END, &message))
        status = TULLE__EXIT_FAILURE;
    atomic_store(&worker->is_over, true);
    if (is_publisher)
        (void)pthread_join(thread, NULL);
    if (status == 0)
        report(worker);
    return status;
}

int
tulle__load_node(const struct tulle__load_plan *plan, uint32_t index, int fd)
{
    struct worker worker = { .plan = plan, .index = (uint16_t)index, .fd = fd };
    worker.node_count = tulle__load_node_count(plan);
    worker.share.roles = tulle__load_roles(plan, index);
    tulle__histogram_init(&worker.latency);
    atomic_init(&worker.is_over, false);
    atomic_init(&worker.seen, (uint64_t)NOBODY << CAUSE_SHIFT);
    int status = TULLE__EXIT_FAILURE;
    if (!make_tables(&worker))
        (void)say_failed(&worker, status, "", tulle_strerror(TULLE_ENOMEM));
    else
        status = open_node(&worker);
    if (status == 0)
        status = join_others(&worker);
    if (status == 0)
        status = work(&worker);
    tulle_node_free(&worker.node); /* with its subscription */
    free(worker.topics);
    free(worker.next);
    free(worker.answer);
    return status;
}
