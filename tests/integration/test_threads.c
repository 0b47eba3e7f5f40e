/* SPDX-License-Identifier: MPL-2.0 */

/* Many threads on one node, and stopping in the middle of everything. What the thread
 * sanitizer is for. */

#include "integ_kit.h"

#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 6, EVENTS = 1000, ROUNDS = 15, QUIET_EVENTS = 50 };

struct worker {
    tulle_node *node;
    pthread_t thread;
    int index;
    atomic_int errors;
    atomic_int done;
    atomic_bool *is_over;
    tulle_status statuses[4]; /* the last ones */
};

static void *
publish_many(void *argument)
{
    struct worker *worker = argument;
    char topic[32];
    (void)snprintf(topic, sizeof topic, "t/%d", worker->index);
    for (int i = 0; i < EVENTS; i++) {
        char text[16];
        int len = snprintf(text, sizeof text, "%d", i);
        if (tulle_node_publish(worker->node, topic, text, (size_t)len, NULL) != TULLE_OK)
            atomic_fetch_add(&worker->errors, 1);
    }
    return NULL;
}

TEST(threads_publish_at_once)
{
    (void)state;
    tulle_node_options options;
    kit_options(&options, "a", NULL);
    options.outbox_bytes = 65536; /* so that they wait for one another too */
    tulle_node *a = kit_start(&options);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    tulle_subscription *s = kit_subscribe(b, "t/**");
    assert_status(tulle_node_wait_peers(a, "t/**", 1, KIT_DEADLINE_MS), TULLE_OK);
    struct worker workers[THREADS] = { { 0 } };
    for (int i = 0; i < THREADS; i++) {
        workers[i].node = a;
        workers[i].index = i;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, publish_many, &workers[i]), 0);
    }
    int next[THREADS] = { 0 };
    for (int i = 0; i < THREADS * EVENTS; i++) {
        const tulle_event *event = kit_receive(s);
        assert_int_equal(event->seq, i + 1);
        int index = event->topic[2] - '0';
        assert_in_range(index, 0, THREADS - 1);
        assert_int_equal(kit_number(event), next[index]++);
    }
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(workers[i].thread, NULL);
        assert_int_equal(atomic_load(&workers[i].errors), 0);
    }
    assert_status(tulle_node_flush(a, KIT_DEADLINE_MS), TULLE_OK);
    kit_expect_silence(s, 0);
}

static void
count_peer(const tulle_peer *peer, void *ctx)
{
    (void)peer;
    ++*(int *)ctx;
}

/* Everything that any thread may call, until it is told that the node is stopped. */
static void *
use_everything(void *argument)
{
    struct worker *worker = argument;
    tulle_status status = TULLE_OK;
    while (status != TULLE_ESTATE) {
        tulle_counters counters;
        int peers = 0;
        tulle_subscription *s = NULL;
        status = tulle_node_publish(worker->node, "t/x", "1", 1, NULL);
        if (tulle_node_subscribe(worker->node, "t/**", NULL, &s) == TULLE_OK) {
            const tulle_message *message;
            worker->statuses[0] = tulle_subscription_receive(s, &message, worker->index % 2);
            tulle_subscription_free(&s);
        }
        worker->statuses[1] = tulle_node_peers(worker->node, count_peer, &peers);
        worker->statuses[2] = tulle_node_flush(worker->node, 1);
        worker->statuses[3] = tulle_node_wait_peers(worker->node, "t", 1, 1);
        tulle_node_counters(worker->node, &counters);
        if (tulle_node_id(worker->node) == 0 || tulle_node_address(worker->node)[0] == '\0')
            atomic_fetch_add(&worker->errors, 1);
        atomic_fetch_add(&worker->done, 1);
    }
    return NULL;
}

TEST(a_node_stops_while_threads_use_it)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        tulle_node *a = kit_node("a", NULL);
        tulle_node *b = kit_node("b", tulle_node_address(a));
        (void)kit_subscribe(b, "t/**");
        struct worker workers[THREADS] = { { 0 } };
        for (int i = 0; i < THREADS; i++) {
            workers[i].node = a;
            workers[i].index = i;
            assert_int_equal(pthread_create(&workers[i].thread, NULL, use_everything, &workers[i]),
                             0);
        }
        KIT_UNTIL(atomic_load(&workers[0].done) > 2);
        tulle_node_stop(a, round % 2 == 0 ? 0 : 50);
        for (int i = 0; i < THREADS; i++) {
            (void)pthread_join(workers[i].thread, NULL);
            assert_int_equal(atomic_load(&workers[i].errors), 0);
        }
        kit_free(&a);
        kit_free(&b);
    }
}

/* What was published before the stop reaches those who take it, given some time. */
TEST(a_full_outbox_leaves_before_the_end)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    tulle_subscription *s = kit_subscribe(b, "x");
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish_numbers(a, "x", 0, 20000);
    tulle_node_stop(a, 10000);
    assert_int_equal(kit_counters(a).events_published, 20000);
    kit_expect_numbers(s, "x", 0, 20000);
}

static void *
publish_until_stopped(void *argument)
{
    struct worker *worker = argument;
    static const char payload[1000];
    while (tulle_node_publish(worker->node, "x", payload, sizeof payload, NULL) == TULLE_OK)
        atomic_fetch_add(&worker->done, 1);
    return NULL;
}

/* Nobody acknowledges: the window stays full, publishers wait for ever, and a stop
 * ends that within its time. */
TEST(a_stop_ends_publishers_that_wait)
{
    (void)state;
    tulle_node_options options;
    kit_options(&options, "a", NULL);
    options.window_bytes = 20000;
    options.outbox_bytes = 20000;
    tulle_node *a = kit_start(&options);
    const char *join = tulle_node_address(a);
    kit_options(&options, "b", &join);
    options.queue_bytes = 4096;
    tulle_node *b = kit_start(&options);
    (void)kit_subscribe(b, "x"); /* and does not receive */
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    struct worker workers[THREADS] = { { 0 } };
    for (int i = 0; i < THREADS; i++) {
        workers[i].node = a;
        assert_int_equal(
            pthread_create(&workers[i].thread, NULL, publish_until_stopped, &workers[i]), 0);
    }
    KIT_UNTIL(kit_counters(a).unacked_now >= 15000);
    int64_t start = kit_now_ms();
    tulle_node_stop(a, 200);
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(workers[i].thread, NULL);
    assert_true(kit_now_ms() - start < 10000);
}

/* How often the threads of all nodes of this process have begun to wait. */
static long
count_waits(void)
{
    long waits = 0;
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
        char path[300];
        char line[128];
        bool is_node = false;
        (void)snprintf(path, sizeof path, "/proc/self/task/%s/status", task->d_name);
        FILE *status = task->d_name[0] == '.' ? NULL : fopen(path, "r");
        while (status != NULL && fgets(line, sizeof line, status) != NULL) {
            is_node = is_node || strcmp(line, "Name:\ttulle/node\n") == 0;
            if (is_node && strncmp(line, "voluntary", 9) == 0)
                waits += strtol(strchr(line, ':') + 1, NULL, 10);
        }
        if (status != NULL)
            (void)fclose(status);
    }
    (void)closedir(tasks);
    return waits;
}

/* Who publishes now and then, and who receives, needs no thread of the node for it. On a busy
 * machine some of them take part: not in every round. */
TEST(a_single_event_wakes_no_thread_of_a_node)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    tulle_subscription *s = kit_subscribe(b, "x");
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    assert_true(count_waits() > 0);
    long fewest = LONG_MAX;
    for (int round = 0; round < 20 && fewest > QUIET_EVENTS; round++) {
        long before = count_waits();
        for (int i = 0; i < QUIET_EVENTS; i++) {
            kit_pause_ms(1);
            kit_publish_numbers(a, "x", i, 1);
            kit_expect_numbers(s, "x", i, 1);
        }
        long waits = count_waits() - before;
        fewest = waits < fewest ? waits : fewest;
    }
    assert_in_range(fewest, 0, QUIET_EVENTS); /* of two threads: twice that or more */
}

static void *
start_and_stop(void *argument)
{
    struct worker *worker = argument;
    while (!atomic_load(worker->is_over)) {
        const char *join = tulle_node_address(worker->node);
        tulle_node_options options;
        tulle_node *node = NULL;
        kit_options(&options, "short", &join);
        if (tulle_node_new(&options, &node, NULL) != TULLE_OK ||
            tulle_node_start(node, NULL) != TULLE_OK ||
            tulle_node_wait_peers(node, NULL, 1, KIT_DEADLINE_MS) != TULLE_OK)
            atomic_fetch_add(&worker->errors, 1);
        tulle_node_free(&node);
        atomic_fetch_add(&worker->done, 1);
    }
    return NULL;
}

/* Nodes that come and go all the time do not disturb one that stays. */
TEST(nodes_come_and_go_in_threads)
{
    (void)state;
    tulle_node *a = kit_node("a", NULL);
    tulle_node *b = kit_node("b", tulle_node_address(a));
    tulle_subscription *s = kit_subscribe(b, "x");
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    atomic_bool is_over = false;
    struct worker workers[3] = { { 0 } };
    for (int i = 0; i < 3; i++) {
        workers[i].node = a;
        workers[i].is_over = &is_over;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, start_and_stop, &workers[i]), 0);
    }
    for (int round = 0; round < 20; round++) {
        kit_publish_numbers(a, "x", 100 * round, 100);
        kit_expect_numbers(s, "x", 100 * round, 100);
        KIT_UNTIL(atomic_load(&workers[0].done) > round / 4);
    }
    atomic_store(&is_over, true);
    for (int i = 0; i < 3; i++) {
        (void)pthread_join(workers[i].thread, NULL);
        assert_int_equal(atomic_load(&workers[i].errors), 0);
    }
    kit_wait_up(a, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(threads_publish_at_once),
        KIT_TEST(a_node_stops_while_threads_use_it),
        KIT_TEST(a_full_outbox_leaves_before_the_end),
        KIT_TEST(a_stop_ends_publishers_that_wait),
        KIT_TEST(a_single_event_wakes_no_thread_of_a_node),
        KIT_TEST(nodes_come_and_go_in_threads),
    };
    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
