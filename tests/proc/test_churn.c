/* SPDX-License-Identifier: MPL-2.0 */

/* A proxy between nodes that come, go and change what they take, as often as they like:
 * what it needs stays the same. TULLE_CHURN=10 is ten times as much of it. */

#include "integ_kit.h"
#include "proc_kit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SUBSCRIPTIONS = 1000,
    RESTARTS = 100,
    OPEN = 20,  /* subscriptions at a time */
    PLACES = 4, /* nodes that restart, on each side */
#if defined(__SANITIZE_ADDRESS__)
    SPARE_LEN = 8 << 20 /* it keeps books on each place that ever asked for memory */
#else
    SPARE_LEN = 1 << 20
#endif
};

struct size {
    size_t resident;
    size_t descriptors;
};

struct mesh {
    struct proc *proxy;
    char address[2][40]; /* of the proxy on each side */
    tulle_node *nodes[2];
    tulle_subscription *all;
};

static int
times(void)
{
    const char *text = getenv("TULLE_CHURN");
    return text == NULL ? 1 : (int)strtol(text, NULL, 10);
}

static struct size
size_of(const struct proc *proc)
{
    char path[64];
    char line[128];
    struct size size = { 0 };
    (void)snprintf(path, sizeof path, "/proc/%ld/statm", (long)proc_pid(proc));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file)); /* pages: total, resident, ... */
    (void)fclose(file);
    const char *resident = strchr(line, ' ');
    assert_non_null(resident);
    size.resident = strtoul(resident, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
    assert_true(size.resident > 0);
    (void)snprintf(path, sizeof path, "/proc/%ld/fd", (long)proc_pid(proc));
    DIR *folder = opendir(path);
    assert_non_null(folder);
    while (readdir(folder) != NULL)
        size.descriptors++;
    (void)closedir(folder);
    return size;
}

static void
tell(const char *what, struct size size)
{
    print_message("%s: %zu KiB, %zu descriptors\n", what, size.resident / 1024, size.descriptors);
}

/* Connections that were closed are gone a moment later. */
static struct size
settled_size(const struct proc *proc, size_t descriptors_max)
{
    KIT_UNTIL(size_of(proc).descriptors <= descriptors_max);
    return size_of(proc);
}

/* The address sanitizer keeps what was freed; of that a proxy under it shall keep little. */
static void
keep_nothing_freed(void)
{
    char options[512];
    const char *before = getenv("ASAN_OPTIONS");
    (void)snprintf(options, sizeof options,
                   "%s:quarantine_size_mb=1:thread_local_quarantine_size_kb=64",
                   before == NULL ? "" : before);
    assert_int_equal(setenv("ASAN_OPTIONS", options, 1), 0);
}

static void
open_mesh(struct mesh *mesh)
{
    keep_nothing_freed();
    int ports[2] = { proc_free_port(), proc_free_port() };
    for (int side = 0; side < 2; side++)
        (void)snprintf(mesh->address[side], sizeof mesh->address[side], "tcp://127.0.0.1:%d",
                       ports[side]);
    mesh->proxy = proc_start("tulle-proxy", "--name", "proxy", "--beat-ms", "100", "--suspect-ms",
                             "500", "--gone-ms", "1000", "--segment", "left", "--listen",
                             mesh->address[0], "--retain-bytes", "32K", "--segment", "right",
                             "--listen", mesh->address[1], "--retain-bytes", "32K", NULL);
    proc_wait_text(mesh->proxy, PROC_ERR, "segment=right");
    mesh->nodes[0] = kit_node("left", mesh->address[0]);
    mesh->nodes[1] = kit_node("right", mesh->address[1]);
    mesh->all = kit_subscribe(mesh->nodes[1], "life/**");
    assert_status(tulle_node_wait_peers(mesh->nodes[0], "life/x", 1, KIT_DEADLINE_MS), TULLE_OK);
}

/* A node takes streams that it never took before, and gives them up again; of every tenth an
 * event comes through the proxy. */
static void
change_what_is_taken(struct mesh *mesh, int from, int count)
{
    tulle_subscription *open[OPEN] = { NULL };
    char topic[40];
    for (int i = from; i < from + count; i++) {
        (void)snprintf(topic, sizeof topic, "s%d/x", i);
        tulle_subscription_free(&open[i % OPEN]);
        open[i % OPEN] = kit_subscribe(mesh->nodes[1], topic);
        if (i % 10 != 0)
            continue;
        assert_status(tulle_node_wait_peers(mesh->nodes[0], topic, 1, KIT_DEADLINE_MS), TULLE_OK);
        kit_publish(mesh->nodes[0], topic, "x");
        (void)kit_expect(open[i % OPEN], topic, "x");
    }
    for (int i = 0; i < OPEN; i++)
        tulle_subscription_free(&open[i]);
}

/* One life: it comes, is heard beyond the proxy when it is on the left, and leaves, or is gone
 * without having waited for anything. */
static void
live(struct mesh *mesh, int number)
{
    char name[40];
    char topic[40];
    int side = number % 2;
    (void)snprintf(name, sizeof name, "node-%d-%d", side, number / 2 % PLACES);
    (void)snprintf(topic, sizeof topic, "life/%d", number);
    tulle_node *node = kit_node(name, mesh->address[side]);
    (void)kit_subscribe(node, "other/**");
    assert_status(tulle_node_wait_peers(node, topic, 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish(node, topic, "x");
    (void)kit_expect(mesh->all, topic, "x");
    (void)proc_text(mesh->proxy, PROC_ERR); /* it waits when nobody reads what it says */
    if (number % 4 < 2)
        tulle_node_stop(node, 1000);
    kit_free(&node);
}

TEST(a_proxy_does_not_grow_with_what_was_once_taken)
{
    (void)state;
    struct mesh mesh = { 0 };
    open_mesh(&mesh);
    int count = SUBSCRIPTIONS * times();
    change_what_is_taken(&mesh, 0, count / 2);
    struct size before = size_of(mesh.proxy);
    tell("half of the subscriptions", before);

    change_what_is_taken(&mesh, count / 2, count / 2);

    struct size after = settled_size(mesh.proxy, before.descriptors);
    tell("all of them", after);
    assert_true(after.resident <= before.resident + SPARE_LEN);
}

TEST(a_proxy_does_not_grow_with_who_was_once_there)
{
    (void)state;
    struct mesh mesh = { 0 };
    open_mesh(&mesh);
    int count = RESTARTS * times();
    for (int i = 0; i < count / 4; i++)
        live(&mesh, i);
    struct size before = size_of(mesh.proxy);
    tell("a quarter of the restarts", before);

    for (int i = count / 4; i < count; i++)
        live(&mesh, i);

    struct size after = settled_size(mesh.proxy, before.descriptors);
    tell("all of them", after);
    assert_true(after.resident <= before.resident + SPARE_LEN);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(a_proxy_does_not_grow_with_what_was_once_taken),
        KIT_TEST(a_proxy_does_not_grow_with_who_was_once_there),
    };
    return cmocka_run_group_tests_name("churn", tests, NULL, NULL);
}
