/* SPDX-License-Identifier: MPL-2.0 */
/* What a publisher and a subscriber do. An event is numbered and stamped in its payload:
 *
 *   | stamp (ns) 8 | number 8 | publisher 4 | kind 4 | zeros |
 *
 * Latency counts from the moment an event was due, not from when it was sent: a publisher
 * that was held up has made every event late that waited behind (no coordinated omission).
 */

#define _DEFAULT_SOURCE 1 /* struct rusage */

#include "harness.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

enum {
    STRIDE = 64,             /* events between two looks at the clock or the others' positions */
    WINDOW_BYTES = 16777216, /* a publisher without flow control may be ahead of the slowest */
    WINDOW_EVENTS_MIN = 1024
};

enum kind { KIND_EVENT, KIND_LAST, KIND_PROBE };

struct stamp {
    int64_t due_ns;
    uint64_t number;
    uint32_t publisher;
    uint32_t kind;
};

int64_t
harness_clock_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t
harness_cpu_ns(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return ((int64_t)usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000 +
           ((int64_t)usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

void
harness_sleep_us(unsigned us)
{
    struct timespec span = { .tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000 };
    (void)nanosleep(&span, NULL);
}

static void
sleep_until(int64_t ns)
{
    struct timespec at = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

static void
wait_for(const atomic_uint *count, unsigned wanted)
{
    while (atomic_load(count) < wanted)
        harness_sleep_us(2000);
}

static struct peer_setup
make_setup(const struct harness_options *options, struct shared *shared, unsigned index)
{
    return (struct peer_setup){ .topic = "bench/events",
                                .publishers = options->publishers,
                                .subscribers = options->subscribers,
                                .index = index,
                                .port = options->port,
                                .is_paced = options->rate > 0,
                                .curve = options->curve,
                                .is_via = options->is_via,
                                .is_single = options->is_single,
                                .place = shared->place };
}

struct publisher {
    const struct harness_options *options;
    struct shared *shared;
    struct peer *peer;
    unsigned index;
    unsigned char *payload;
};

static void
publish(const struct publisher *p, uint64_t number, int64_t due_ns, enum kind kind)
{
    struct stamp stamp = { due_ns, number, p->index, kind };
    memcpy(p->payload, &stamp, sizeof stamp);
    peer_publish(p->peer, p->payload, p->options->size);
}

static bool
reaches_all(const struct publisher *p)
{
    for (unsigned i = 0; i < p->options->subscribers; i++) {
        if (!atomic_load(&p->shared->reached[p->index][i]))
            return false;
    }
    return true;
}

/* Until each subscriber takes no less than all but window events. */
static void
wait_for_window(const struct publisher *p, uint64_t number, uint64_t window)
{
    for (unsigned i = 0; i < p->options->subscribers; i++) {
        while (number - atomic_load(&p->shared->position[p->index][i]) > window) {
            peer_flush(p->peer);
            harness_sleep_us(50);
        }
    }
}

static uint64_t
publish_flood(const struct publisher *p)
{
    uint64_t window = WINDOW_BYTES / p->options->size;
    int64_t end_ns = harness_clock_ns() + (int64_t)(p->options->seconds * 1e9);
    uint64_t number = 0;
    bool is_last = false;
    if (window < WINDOW_EVENTS_MIN)
        window = WINDOW_EVENTS_MIN;
    while (!is_last) {
        if (number % STRIDE == 0) {
            is_last = harness_clock_ns() >= end_ns;
            if (!peer_has_flow_control)
                wait_for_window(p, number, window);
        }
        publish(p, number++, 0, is_last ? KIND_LAST : KIND_EVENT);
    }
    return number;
}

static uint64_t
publish_paced(const struct publisher *p)
{
    uint64_t count = (uint64_t)(p->options->seconds * p->options->rate) + 1;
    int64_t start_ns = harness_clock_ns() + 1000000;
    for (uint64_t number = 0; number < count; number++) {
        int64_t due_ns = start_ns + (int64_t)(number * 1000000000 / p->options->rate);
        if (harness_clock_ns() < due_ns) {
            peer_flush(p->peer);
            sleep_until(due_ns);
        }
        publish(p, number, due_ns, number + 1 == count ? KIND_LAST : KIND_EVENT);
    }
    return count;
}

void
harness_publish(const struct harness_options *options, struct shared *shared, unsigned index)
{
    struct peer_setup setup = make_setup(options, shared, index);
    struct publisher p = { options, shared, peer_open_publisher(&setup), index, NULL };
    p.payload = peer_allocate(options->size);
    atomic_fetch_add(&shared->publishers_open, 1);
    while (!reaches_all(&p)) {
        publish(&p, 0, 0, KIND_PROBE);
        peer_flush(p.peer);
        harness_sleep_us(5000);
    }
    /* Sleeps end when asked, not up to 50 us later. */
    (void)prctl(PR_SET_TIMERSLACK, 1UL);
    atomic_fetch_add(&shared->publishers_ready, 1);
    while (!atomic_load(&shared->start))
        harness_sleep_us(1000);

    int64_t cpu_ns = harness_cpu_ns();
    uint64_t events = options->rate > 0 ? publish_paced(&p) : publish_flood(&p);
    peer_flush(p.peer);
    wait_for(&shared->subscribers_done, options->subscribers);
    shared->published[index] = (struct publisher_result){ events, harness_cpu_ns() - cpu_ns };
    peer_close(p.peer);
    free(p.payload);
}

struct subscriber {
    const struct harness_options *options;
    struct shared *shared;
    unsigned index;
    unsigned ended; /* publishers whose last event came */
    uint64_t next[PEER_MAX];
    struct subscriber_result result;
    int64_t *latency_ns;
};

static void
count_event(struct subscriber *s, const struct stamp *stamp, int64_t now_ns)
{
    struct subscriber_result *result = &s->result;
    uint64_t *next = &s->next[stamp->publisher];
    if (s->options->rate > 0 && result->events < s->shared->latency_cap)
        s->latency_ns[result->events] = now_ns - stamp->due_ns;
    if (stamp->number > *next)
        result->lost += stamp->number - *next;
    else if (stamp->number < *next)
        result->misordered++;
    *next = stamp->number + 1;
    result->events++;
    if (*next % STRIDE == 0)
        atomic_store(&s->shared->position[stamp->publisher][s->index], *next);
}

static bool
on_event(const void *payload, size_t len, void *ctx)
{
    struct subscriber *s = ctx;
    struct stamp stamp;
    if (len != s->options->size)
        peer_fail("an event has %zu bytes, not %u", len, s->options->size);
    memcpy(&stamp, payload, sizeof stamp);
    if (stamp.publisher >= s->options->publishers)
        peer_fail("an event is of publisher %u", (unsigned)stamp.publisher);
    if (stamp.kind == KIND_PROBE) {
        atomic_store(&s->shared->reached[stamp.publisher][s->index], true);
        return true;
    }
    int64_t now_ns = 0;
    if (s->options->rate > 0 || s->result.events == 0 || stamp.kind == KIND_LAST)
        now_ns = harness_clock_ns();
    if (s->result.events == 0) {
        s->result.first_ns = now_ns;
        s->result.cpu_ns = harness_cpu_ns();
    }
    count_event(s, &stamp, now_ns);
    if (stamp.kind != KIND_LAST || ++s->ended < s->options->publishers)
        return true;
    s->result.last_ns = now_ns;
    s->result.cpu_ns = harness_cpu_ns() - s->result.cpu_ns;
    s->shared->received[s->index] = s->result;
    atomic_fetch_add(&s->shared->subscribers_done, 1);
    return false;
}

void
harness_receive(const struct harness_options *options, struct shared *shared, unsigned index)
{
    struct subscriber s = { .options = options, .shared = shared, .index = index };
    s.latency_ns = &shared->latency_ns[index * shared->latency_cap];
    wait_for(&shared->publishers_open, options->publishers);
    struct peer_setup setup = make_setup(options, shared, index);
    struct peer *peer = peer_open_subscriber(&setup);
    peer_receive(peer, on_event, &s);
    /* Stays until all are done: that it leaves is no work of the run. */
    wait_for(&shared->subscribers_done, options->subscribers);
    peer_close(peer);
}
