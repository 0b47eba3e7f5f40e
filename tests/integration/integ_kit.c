/* SPDX-License-Identifier: MPL-2.0 */

/* Nodes and proxies of a test. */

#include "integ_kit.h"

#include "proc_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SLICE_MS = 1000 };

static tulle_node *nodes[KIT_LOCAL_MAX];
static size_t node_count;
static tulle_proxy *proxies[KIT_LOCAL_MAX];
static size_t proxy_count;

int64_t
kit_now_ms(void)
{
    struct timespec at = { 0 };
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

void
kit_pause_ms(int ms)
{
    struct timespec moment = { ms / 1000, (long)(ms % 1000) * 1000000 };
    (void)nanosleep(&moment, NULL);
}

/* With TULLE_TEST_LOG set, to see what a failing test was about. */
static void
print_line(tulle_log_level level, const char *id, const char *text, void *ctx)
{
    (void)ctx;
    (void)fprintf(stderr, "%lld %d %s %s\n", (long long)kit_now_ms(), (int)level, id, text);
}

static tulle_log_fn
log_function(void)
{
    return getenv("TULLE_TEST_LOG") != NULL ? print_line : NULL;
}

/* With TULLE_TEST_FILTER set, a pattern of names, to run only some tests of a program. */
static void __attribute__((constructor)) set_filter(void)
{
    const char *filter = getenv("TULLE_TEST_FILTER");
    if (filter != NULL)
        cmocka_set_test_filter(filter);
}

/* ---- nodes ---- */

void
kit_options(tulle_node_options *options, const char *name, const char *const *join)
{
    tulle_node_options_init(options);
    options->name = name;
    options->listen[0] = "tcp://127.0.0.1:*";
    options->listen_count = 1;
    options->beat_ms = KIT_BEAT_MS;
    options->log = log_function();
    options->log_level = TULLE_LOG_DEBUG;
    if (join != NULL && *join != NULL) {
        options->join = join;
        options->join_count = 1;
    }
}

tulle_node *
kit_make(const tulle_node_options *options)
{
    tulle_error error = { 0 };
    tulle_node *node = NULL;
    assert_true(node_count < KIT_LOCAL_MAX);
    if (tulle_node_new(options, &node, &error) != TULLE_OK) {
        print_error("%s\n", error.text);
        fail();
    }
    nodes[node_count++] = node;
    return node;
}

tulle_node *
kit_start(const tulle_node_options *options)
{
    tulle_error error = { 0 };
    tulle_node *node = kit_make(options);
    if (tulle_node_start(node, &error) != TULLE_OK) {
        print_error("%s\n", error.text);
        fail();
    }
    return node;
}

tulle_node *
kit_node(const char *name, const char *join)
{
    tulle_node_options options;
    kit_options(&options, name, &join);
    return kit_start(&options);
}

void
kit_free(tulle_node **node)
{
    for (size_t i = 0; i < node_count; i++) {
        if (nodes[i] == *node)
            nodes[i] = nodes[--node_count];
    }
    tulle_node_free(node);
}

/* ---- proxies ---- */

void
kit_proxy_options(tulle_proxy_options *options, const char *name, const char *const join[2])
{
    static const char *const names[] = { "left", "right" };
    tulle_proxy_options_init(options);
    options->name = name;
    options->beat_ms = KIT_BEAT_MS;
    options->segment_count = 2;
    options->log = log_function();
    options->log_level = TULLE_LOG_DEBUG;
    for (size_t i = 0; i < 2; i++) {
        tulle_segment_options *segment = &options->segments[i];
        tulle_segment_options_init(segment);
        segment->name = names[i];
        segment->listen[0] = "tcp://127.0.0.1:*";
        segment->listen_count = 1;
        if (join[i] != NULL) {
            segment->join = &join[i];
            segment->join_count = 1;
        }
    }
}

tulle_proxy *
kit_proxy_start(const tulle_proxy_options *options)
{
    tulle_error error = { 0 };
    tulle_proxy *proxy = NULL;
    assert_true(proxy_count < KIT_LOCAL_MAX);
    tulle_status status = tulle_proxy_new(options, &proxy, &error);
    if (status == TULLE_OK) {
        proxies[proxy_count++] = proxy;
        status = tulle_proxy_start(proxy, &error);
    }
    if (status != TULLE_OK) {
        print_error("%s\n", error.text);
        fail();
    }
    return proxy;
}

tulle_proxy *
kit_proxy(const char *name, const char *left, const char *right)
{
    const char *const join[2] = { left, right };
    tulle_proxy_options options;
    kit_proxy_options(&options, name, join);
    return kit_proxy_start(&options);
}

void
kit_proxy_free(tulle_proxy **proxy)
{
    for (size_t i = 0; i < proxy_count; i++) {
        if (proxies[i] == *proxy)
            proxies[i] = proxies[--proxy_count];
    }
    tulle_proxy_free(proxy);
}

int
kit_teardown(void **state)
{
    while (node_count > 0)
        tulle_node_free(&nodes[--node_count]);
    while (proxy_count > 0)
        tulle_proxy_free(&proxies[--proxy_count]);
    return proc_end_all(state);
}

/* ---- events ---- */

tulle_subscription *
kit_subscribe_from(tulle_node *node, const char *pattern, tulle_from from, uint64_t count)
{
    tulle_subscribe_options options;
    tulle_subscription *subscription = NULL;
    tulle_subscribe_options_init(&options);
    options.from = from;
    options.from_count = count;
    assert_status(tulle_node_subscribe(node, pattern, &options, &subscription), TULLE_OK);
    assert_non_null(subscription);
    return subscription;
}

tulle_subscription *
kit_subscribe(tulle_node *node, const char *pattern)
{
    return kit_subscribe_from(node, pattern, TULLE_FROM_LIVE, 0);
}

void
kit_publish(tulle_node *node, const char *topic, const char *text)
{
    assert_status(tulle_node_publish(node, topic, text, strlen(text), NULL), TULLE_OK);
}

void
kit_publish_numbers(tulle_node *node, const char *topic, int from, int count)
{
    for (int i = from; i < from + count; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%d", i);
        kit_publish(node, topic, text);
    }
}

const tulle_event *
kit_receive(tulle_subscription *subscription)
{
    const tulle_message *message = NULL;
    assert_status(tulle_subscription_receive(subscription, &message, KIT_DEADLINE_MS), TULLE_OK);
    if (message->kind == TULLE_MESSAGE_GAP)
        print_error("gap of %s %s %d..%d\n", message->u.gap.node_name, message->u.gap.stream,
                    (int)message->u.gap.first, (int)message->u.gap.last);
    assert_int_equal(message->kind, TULLE_MESSAGE_EVENT);
    return &message->u.event;
}

const tulle_event *
kit_expect(tulle_subscription *subscription, const char *topic, const char *text)
{
    const tulle_event *event = kit_receive(subscription);
    assert_string_equal(event->topic, topic);
    assert_int_equal(event->payload_len, strlen(text));
    if (event->payload_len > 0)
        assert_memory_equal(event->payload, text, event->payload_len);
    return event;
}

int
kit_number(const tulle_event *event)
{
    char text[16] = "";
    assert_in_range(event->payload_len, 1, sizeof text - 1);
    memcpy(text, event->payload, event->payload_len);
    return (int)strtol(text, NULL, 10);
}

void
kit_expect_numbers(tulle_subscription *subscription, const char *topic, int from, int count)
{
    for (int i = from; i < from + count; i++) {
        const tulle_event *event = kit_receive(subscription);
        assert_string_equal(event->topic, topic);
        assert_int_equal(kit_number(event), i);
    }
}

const tulle_event *
kit_expect_first(tulle_node *publisher, tulle_node *subscriber)
{
    kit_publish(publisher, "first", "before");
    KIT_UNTIL(kit_counters(publisher).events_published == 1);
    tulle_subscription *s = kit_subscribe(subscriber, "first");
    assert_status(tulle_node_wait_peers(publisher, "first", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish(publisher, "first", "after");
    const tulle_event *event = kit_expect(s, "first", "after");
    assert_int_equal(event->seq, 2);
    assert_int_equal(kit_counters(subscriber).gaps, 0);
    return event;
}

void
kit_expect_silence(tulle_subscription *subscription, int ms)
{
    const tulle_message *message = NULL;
    assert_status(tulle_subscription_receive(subscription, &message, ms), TULLE_ETIMEDOUT);
    assert_null(message);
}

/* ---- looking ---- */

tulle_counters
kit_counters(const tulle_node *node)
{
    tulle_counters counters;
    tulle_node_counters(node, &counters);
    return counters;
}

tulle_counters
kit_proxy_counters(const tulle_proxy *proxy, size_t segment)
{
    tulle_counters counters;
    tulle_proxy_counters(proxy, segment, &counters);
    return counters;
}

void
kit_wait_up(tulle_node *node, size_t count)
{
    KIT_UNTIL(kit_counters(node).peers_up == count);
}

struct search {
    const char *name;
    int state;
};

static void
look_at_peer(const tulle_peer *peer, void *ctx)
{
    struct search *search = ctx;
    if (strcmp(peer->name, search->name) == 0)
        search->state = (int)peer->state;
}

int
kit_peer_state(tulle_node *node, const char *name)
{
    struct search search = { .name = name };
    assert_status(tulle_node_peers(node, look_at_peer, &search), TULLE_OK);
    return search.state;
}

tulle_peer
kit_expect_peer(tulle_subscription *subscription, const char *name, int state)
{
    int64_t end = kit_now_ms() + KIT_DEADLINE_MS;
    while (kit_now_ms() < end) {
        const tulle_message *message = NULL;
        tulle_status status = tulle_subscription_receive(subscription, &message, SLICE_MS);
        if (status == TULLE_ETIMEDOUT)
            continue;
        assert_status(status, TULLE_OK);
        if (message->kind == TULLE_MESSAGE_PEER && strcmp(message->u.peer.name, name) == 0 &&
            (int)message->u.peer.state == state)
            return message->u.peer;
    }
    print_error("peer %s never reached state %d\n", name, state);
    fail();
    return (tulle_peer){ 0 };
}

/* ---- relays ---- */

void
kit_place_init(struct kit_place *place)
{
    place->port = proc_free_port();
    place->shown = proc_free_port();
    (void)snprintf(place->listen, sizeof place->listen, "tcp://127.0.0.1:%d", place->port);
    (void)snprintf(place->control, sizeof place->control, "tcp://127.0.0.1:%d", place->shown);
    (void)snprintf(place->events, sizeof place->events, "tcp://127.0.0.1:%d", place->shown + 1);
    (void)snprintf(place->control_link, sizeof place->control_link, "127.0.0.1:%d=127.0.0.1:%d",
                   place->shown, place->port);
    (void)snprintf(place->events_link, sizeof place->events_link, "127.0.0.1:%d=127.0.0.1:%d",
                   place->shown + 1, place->port + 1);
}

void
kit_place_use(const struct kit_place *place, tulle_node_options *options)
{
    options->listen[0] = place->listen;
    options->listen_count = 1;
    options->advertise = place->control;
    options->advertise_events = place->events;
}

size_t
kit_memory(void)
{
    char line[128] = "";
    char *behind_total = line;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    (void)fclose(file);
    (void)strtoul(line, &behind_total, 10);
    size_t resident = strtoul(behind_total, NULL, 10);
    assert_true(resident > 0);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}
