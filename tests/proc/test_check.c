/* SPDX-License-Identifier: MPL-2.0 */

/* tulle check in real meshes: healthy, with a consumer that lags, a dead node, a gap, and nobody.
 */

#include "integ_kit.h"
#include "proc_kit.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EVENTS = 10000, SAMPLES_MAX = 2000, LINE_LEN = 400 };

static tulle_node *shop;          /* publishes; all others join it */
static tulle_node *billing;       /* takes orders, and may not read them */
static tulle_subscription *taken; /* billing's */
static char address[64];
static struct proc *last; /* check that ran last */

static int
end_test(void **state)
{
    int status = proc_end_all(state);
    return kit_teardown(state) + status;
}

/* A shop, and a billing that has room for little that it does not read. */
static int
start_mesh(uint64_t retain_bytes)
{
    tulle_node_options options;
    const char *join = address;
    kit_options(&options, "shop", NULL);
    options.retain_bytes = retain_bytes;
    options.batch_bytes = 1024;
    shop = kit_start(&options);
    (void)snprintf(address, sizeof address, "%s", tulle_node_address(shop));
    kit_options(&options, "billing", &join);
    options.queue_bytes = 4096;
    options.held_bytes = 65536;
    billing = kit_start(&options);
    taken = kit_subscribe(billing, "orders/**");
    assert_status(tulle_node_wait_peers(shop, "orders", 1, KIT_DEADLINE_MS), TULLE_OK);
    return 0;
}

static int
start(void **state)
{
    (void)state;
    return start_mesh(UINT64_C(64) << 20);
}

/* Run check with up to ten arguments, until NULL; returns what it printed. */
static const char *
check(int status, const char *const arguments[])
{
    const char *a[10] = { NULL };
    for (size_t i = 0; i < 10 && arguments[i] != NULL; i++)
        a[i] = arguments[i];
    last = proc_start("tulle", "check", "--join", address, a[0], a[1], a[2], a[3], a[4], a[5], a[6],
                      a[7], a[8], a[9], NULL);
    int ended = proc_wait(last);
    if (ended != status)
        print_error("%s%s", proc_text(last, PROC_OUT), proc_text(last, PROC_ERR));
    assert_int_equal(ended, status);
    return proc_text(last, PROC_OUT);
}
#define CHECK(status, ...) check(status, (const char *const[]){ __VA_ARGS__, NULL })

static void
assert_begins(const char *text, const char *part)
{
    if (strncmp(text, part, strlen(part)) != 0)
        print_error("does not begin with: %s\nbut: %s\n", part, text);
    assert_memory_equal(text, part, strlen(part));
}

/* ---- verdicts ---- */

TEST(a_healthy_mesh_is_ok)
{
    (void)state;
    kit_publish_numbers(shop, "orders/new", 0, 10);
    kit_expect_numbers(taken, "orders/new", 0, 10);
    const char *text = CHECK(0, "--expect", "shop", "--expect", "billing", "--nodes", "2");
    assert_begins(text, "TULLE OK - 2 nodes, 0 gaps, lag 0 | nodes=2;;;0 missing=0;;0;0 ");
    proc_assert_has(text, " lag=0;1000;10000;0 gaps=0;;0;0 ");
    proc_assert_has(text, " publishers=1;;;0 consumers=1;;;0 ");
    assert_int_equal(proc_count_lines(last, PROC_OUT), 1);
    text = CHECK(0, "-v");
    proc_assert_has(text,
                    "\nOK lag 0, events the slowest consumer is behind, warning 1000, critical ");
    text = CHECK(1, "-w", "consumers=2:", "-w", "nodes=@2:2");
    assert_begins(text, "TULLE WARNING - nodes 2, consumers 1, 2 nodes | ");
    proc_assert_has(text, "\nWARNING consumers 1, live nodes that take a stream that is there, "
                          "warning 2:\n");
    text = CHECK(2, "-w", "consumers=2:", "-c", "publishers=2:");
    assert_begins(text, "TULLE CRITICAL - publishers 1, consumers 1, 2 nodes | ");
}

TEST(the_age_of_the_last_event_is_looked_up)
{
    (void)state;
    kit_publish_numbers(shop, "orders/new", 0, 10);
    kit_publish_numbers(shop, "prices/eu/1", 0, 10);
    assert_begins(CHECK(0, "-c", "age=60"), "TULLE OK - 2 nodes, ");
    proc_assert_has(proc_text(last, PROC_OUT), "s;;60;0 ");
    proc_pause(600);
    kit_publish_numbers(shop, "prices/eu/1", 10, 1);
    const char *text = CHECK(2, "-c", "age=0.5", "--settle", "0");
    assert_begins(text, "TULLE CRITICAL - age ");
    proc_assert_has(text, "s (orders), 2 nodes | ");
    (void)CHECK(2, "-c", "age=0.5", "-s", "orders/**", "-s", "prices", "--settle", "0");
    text = CHECK(3, "-w", "age=60", "-s", "nothing", "--settle", "0");
    assert_begins(text, "TULLE UNKNOWN - age not known, 2 nodes | ");
    proc_assert_has(text, "\n  no such stream is there, or nobody keeps its last event\n");
}

/* Nobody reads at billing: its queue is full, and what it lacks grows. */
TEST(a_consumer_that_lags_warns_or_alarms)
{
    (void)state;
    kit_publish_numbers(shop, "orders/new", 0, EVENTS);
    const char *text = CHECK(1, "-w", "lag=100", "-c", "lag=100000", "--settle", "0.3");
    assert_begins(text, "TULLE WARNING - lag ");
    proc_assert_has(text, " (billing), 2 nodes | ");
    proc_assert_has(text, "\n  billing: ");
    proc_assert_has(text, " events behind, most of them (");
    proc_assert_has(text, ") of shop/orders\n");
    text = CHECK(2, "-w", "lag=10", "-c", "lag=100", "--settle", "0.3");
    assert_begins(text, "TULLE CRITICAL - lag ");
    /* What is not looked at is no reason. */
    assert_begins(CHECK(0, "-c", "lag=100", "--exclude", "bill*"), "TULLE OK - 1 node, ");
    (void)CHECK(0, "-c", "lag=100", "--node", "shop");
    (void)CHECK(0, "-c", "lag=100", "--stream", "prices");
    (void)CHECK(2, "-c", "lag=100", "--stream", "orders", "--settle", "0");
    (void)CHECK(0, "-c", "lag=none", "-w", "lag=none");
    kit_expect_numbers(taken, "orders/new", 0, EVENTS);
    (void)CHECK(0, "-c", "lag=0"); /* it has caught up, at the latest while it is looked at again */
}

static struct proc *
start_peer(const char *name)
{
    int port = proc_free_port();
    struct proc *peer =
        proc_start("tulle-node", "--name", name, "--join", address, "--listen", proc_address(port),
                   "--beat-ms", "100", "--suspect-ms", "400", "--gone-ms", "1000", NULL);
    proc_wait_port(port);
    return peer;
}

TEST(a_dead_node_is_critical)
{
    (void)state;
    struct proc *dead = start_peer("stock");
    (void)CHECK(0, "--expect", "stock", "--expect", "shop");
    struct proc *watch =
        proc_start("tulle", "check", "--join", address, "--interval", "0.2", "--settle", "0",
                   "--suspect-ms", "400", "--gone-ms", "1500", NULL);
    proc_wait_text(watch, PROC_OUT, "TULLE OK - 3 nodes, ");
    /* Who was there all the time sees it fall silent, and go. */
    proc_signal(dead, SIGSTOP);
    proc_wait_text(watch, PROC_OUT, "TULLE WARNING - suspect 1 (stock), ");
    proc_kill(dead);
    const char *text = CHECK(2, "--expect", "stock", "--expect", "shop", "--settle", "0.5");
    assert_begins(text, "TULLE CRITICAL - missing 1 (stock)");
    proc_assert_has(
        text, "\nCRITICAL missing 1, nodes that are expected and not up, critical 0\n  stock: ");
    (void)CHECK(2, "--nodes", "4", "--settle", "0.2"); /* watch is one */
    proc_wait_text(watch, PROC_OUT, "TULLE CRITICAL - gone 1 (stock), ");
    proc_wait_text(watch, PROC_OUT, "\n  stock: gone, heard ");
    proc_signal(watch, SIGTERM);
    assert_int_equal(proc_wait(watch), 0); /* it was told to end */
    /* Another of its name is up: it is not missed any more. */
    (void)start_peer("stock");
    (void)CHECK(0, "--expect", "stock");
}

/* More than shop keeps: when billing reads on, some is gone for good. */
static void
make_gap(int from)
{
    uint64_t before = kit_counters(billing).gaps;
    kit_publish_numbers(shop, "orders/new", from, EVENTS);
    KIT_UNTIL(kit_counters(shop).events_published >= (uint64_t)(from + EVENTS));
    for (bool has_last = false; !has_last;) {
        const tulle_message *message = NULL;
        assert_status(tulle_subscription_receive(taken, &message, KIT_DEADLINE_MS), TULLE_OK);
        has_last = message->kind == TULLE_MESSAGE_EVENT &&
                   kit_number(&message->u.event) == from + EVENTS - 1;
    }
    assert_true(kit_counters(billing).gaps > before);
}

TEST(a_gap_is_critical_until_it_is_old)
{
    (void)state;
    char file[256];
    (void)snprintf(file, sizeof file, "%s/state", proc_directory());
    (void)CHECK(0, "--state", file, "-c", "lag=none"); /* begins it */
    make_gap(0);
    const char *text = CHECK(2, "--settle", "0");
    assert_begins(text, "TULLE CRITICAL - gaps ");
    proc_assert_has(text, " (billing), 2 nodes | ");
    proc_assert_has(
        text,
        "  counted since these nodes started; --state or --window tells only of what is new\n");
    /* It is new once, and then it is old. */
    proc_assert_has(CHECK(2, "--state", file, "--settle", "0"), "\n  in the last ");
    text = CHECK(0, "--state", file);
    proc_assert_has(text, ", 0 gaps, ");
    proc_assert_has(text, " published=0;;;0 delivered=0;;;0\n");
    (void)CHECK(0, "--window", "0.3");
    (void)CHECK(1, "-c", "gaps=none", "-w", "lost=1");
    make_gap(EVENTS);
    text = CHECK(2, "--state", file, "--settle", "0", "-c", "gaps=none,published=1");
    assert_begins(text, "TULLE CRITICAL - published ");
}

TEST(a_window_sees_what_happens_in_it)
{
    (void)state;
    struct proc *proc = proc_start("tulle", "check", "--join", address, "--window", "2", "-c",
                                   "published=0", "-w", "lag=none", "-c", "lag=none", NULL);
    kit_wait_up(shop, 2);
    int published = 0;
    while (!proc_has_ended(proc)) {
        kit_publish_numbers(shop, "orders/new", published, 1);
        kit_expect_numbers(taken, "orders/new", published++, 1);
        proc_pause(10);
    }
    assert_int_equal(proc_wait(proc), 2);
    assert_begins(proc_text(proc, PROC_OUT), "TULLE CRITICAL - published ");
    proc_assert_has(proc_text(proc, PROC_OUT), " delivered=");
}

TEST(what_cannot_be_judged_is_unknown)
{
    (void)state;
    (void)snprintf(address, sizeof address, "%s", proc_address(proc_free_port()));
    const char *text = CHECK(3, "--timeout", "0.5");
    assert_begins(text, "TULLE UNKNOWN - no node was reached in 0.5 s at tcp://127.0.0.1:");
    assert_int_equal(proc_count_lines(last, PROC_OUT), 1);
    assert_string_equal(
        CHECK(3, "-t", "0.5", "-f", "prometheus"),
        "# HELP tulle_check_status Of the whole check: 0 ok, 1 warning, 2 critical, "
        "3 unknown.\n# TYPE tulle_check_status gauge\ntulle_check_status 3\n");
    json_t *root = json_loads(CHECK(3, "-t", "0.5", "-f", "json"), 0, NULL);
    assert_string_equal(json_string_value(json_object_get(root, "status")), "UNKNOWN");
    assert_int_equal(json_integer_value(json_object_get(root, "code")), 3);
    assert_true(json_is_string(json_object_get(root, "problem")));
    json_decref(root);
    static const char *const wrong[][3] = {
        { "-w", "lag", "is no METRIC=RANGE" },
        { "-w", "lags=1", "names no metric" },
        { "-c", "lag=1:2:3", "has no range" },
        { "-w", "delivered=1:", "--window" },
        { "--stream", "a//b", "a//b" },
        { "--format", "xml", "must be one of" },
        { "--config", "/nowhere/x.conf", "/nowhere" },
        { "--state", "/etc/hostname", "" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_begins(CHECK(3, wrong[i][0], wrong[i][1]), "TULLE UNKNOWN - ");
        proc_assert_has(proc_text(last, PROC_ERR), wrong[i][2]);
    }
    proc_assert_has(proc_text(last, PROC_OUT), "/etc/hostname: no state of tulle check");
    struct proc *lonely = proc_start("tulle", "check", NULL);
    assert_int_equal(proc_wait(lonely), 3);
    proc_assert_has(proc_text(lonely, PROC_ERR), "--join");
    struct proc *ended = proc_start("tulle", "check", "--join", address, NULL);
    proc_signal(ended, SIGINT);
    assert_int_equal(proc_wait(ended), 3);
    assert_begins(proc_text(ended, PROC_OUT), "TULLE UNKNOWN - interrupted\n");
}

/* ---- formats ---- */

TEST(json_tells_all_metrics)
{
    (void)state;
    kit_publish_numbers(shop, "orders/new", 0, EVENTS);
    const char *text = CHECK(2, "-f", "json", "-c", "lag=100", "-e", "nobody", "--settle", "0.3");
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "status")), "CRITICAL");
    assert_int_equal(json_integer_value(json_object_get(root, "code")), 2);
    json_t *lag = json_object_get(json_object_get(root, "metrics"), "lag");
    assert_true(json_number_value(json_object_get(lag, "value")) > 100);
    assert_string_equal(json_string_value(json_object_get(lag, "critical")), "100");
    assert_string_equal(json_string_value(json_object_get(lag, "status")), "CRITICAL");
    json_t *worst = json_array_get(json_object_get(lag, "worst"), 0);
    assert_string_equal(json_string_value(json_object_get(worst, "node")), "billing");
    assert_string_equal(json_string_value(json_object_get(worst, "publisher")), "shop");
    assert_string_equal(json_string_value(json_object_get(worst, "stream")), "orders");
    json_t *missing = json_object_get(json_object_get(root, "metrics"), "missing");
    worst = json_array_get(json_object_get(missing, "worst"), 0);
    assert_string_equal(json_string_value(json_object_get(worst, "node")), "nobody");
    json_decref(root);
}

/* A strict reader of Prometheus' text format: all lines of a family together behind its HELP and
 * TYPE, names and labels well-formed, no series twice. */
struct reader {
    char family[128];
    char families[100][128];
    size_t family_count;
    char series[SAMPLES_MAX][LINE_LEN];
    double values[SAMPLES_MAX];
    size_t series_count;
};

static size_t
name_len(const char *text, bool has_colon)
{
    size_t len = 0;
    if (!isalpha((unsigned char)*text) && *text != '_')
        return 0;
    while (isalnum((unsigned char)text[len]) || text[len] == '_' || (has_colon && text[len] == ':'))
        len++;
    return len;
}

/* Length of {a="b",...}; 0: it is none. */
static size_t
labels_len(const char *text)
{
    const char *at = text;
    do {
        at++;
        size_t len = name_len(at, false);
        if (len == 0 || at[len] != '=' || at[len + 1] != '"')
            return 0;
        for (at += len + 2; *at != '"'; at++) {
            if (*at == '\0' || *at == '\n' || (*at == '\\' && strchr("\\\"n", *++at) == NULL))
                return 0;
        }
        at++;
    } while (*at == ',');
    return *at == '}' ? (size_t)(at + 1 - text) : 0;
}

static void
read_comment(struct reader *r, const char *line)
{
    char name[128];
    char type[16];
    if (sscanf(line, "# TYPE %127s %15s", name, type) == 2) {
        assert_string_equal(name, r->family); /* follows its HELP */
        bool is_counter = strcmp(type, "counter") == 0;
        assert_true(is_counter || strcmp(type, "gauge") == 0);
        size_t len = strlen(name);
        assert_true(!is_counter || (len > 6 && strcmp(name + len - 6, "_total") == 0));
        return;
    }
    assert_int_equal(sscanf(line, "# HELP %127s %*s", name), 1);
    for (size_t i = 0; i < r->family_count; i++)
        assert_string_not_equal(r->families[i], name);
    assert_true(r->family_count < 100);
    (void)snprintf(r->families[r->family_count++], sizeof *r->families, "%s", name);
    (void)snprintf(r->family, sizeof r->family, "%s", name);
}

static void
read_sample(struct reader *r, const char *line)
{
    size_t len = name_len(line, true);
    assert_true(len > 0 && len == strlen(r->family));
    assert_memory_equal(line, r->family, len);
    if (line[len] == '{') {
        size_t more = labels_len(line + len);
        if (more == 0)
            print_error("no labels: %s\n", line);
        assert_true(more > 0);
        len += more;
    }
    assert_int_equal(line[len], ' ');
    assert_true(len < LINE_LEN && r->series_count < SAMPLES_MAX);
    char *end = NULL;
    r->values[r->series_count] = strtod(line + len + 1, &end);
    assert_true(end > line + len + 1 && *end == '\0');
    (void)snprintf(r->series[r->series_count], LINE_LEN, "%.*s", (int)len, line);
    for (size_t i = 0; i < r->series_count; i++)
        assert_string_not_equal(r->series[i], r->series[r->series_count]);
    r->series_count++;
}

static struct reader reader;

static void
read_prometheus(const char *text)
{
    memset(&reader, 0, sizeof reader);
    assert_int_equal(text[strlen(text) - 1], '\n');
    while (*text != '\0') {
        const char *end = strchr(text, '\n');
        char line[1000];
        assert_true(end - text < (long)sizeof line);
        (void)snprintf(line, sizeof line, "%.*s", (int)(end - text), text);
        if (*line == '#')
            read_comment(&reader, line);
        else
            read_sample(&reader, line);
        text = end + 1;
    }
}

static double
series(const char *beginning, const char *part)
{
    for (size_t i = 0; i < reader.series_count; i++) {
        if (strncmp(reader.series[i], beginning, strlen(beginning)) == 0 &&
            strstr(reader.series[i], part) != NULL)
            return reader.values[i];
    }
    print_error("no series %s...%s\n", beginning, part);
    fail();
    return 0;
}

TEST(prometheus_reads_it)
{
    (void)state;
    tulle_node *odd = kit_node("odd \"name\"\\|", address);
    tulle_node *proxied = kit_node("beyond", NULL);
    (void)kit_proxy("bridge", address, tulle_node_address(proxied));
    kit_publish_numbers(shop, "orders/new", 0, EVENTS);
    kit_wait_up(odd, 4);
    kit_wait_up(shop, 4);
    read_prometheus(CHECK(2, "-f", "prometheus", "-c", "lag=100", "-e", "shop", "-e", "nobody",
                          "--settle", "0.5"));
    assert_true(series("tulle_check_status", "") == 2);
    assert_true(series("tulle_check_metric_status{metric=\"lag\"}", "") == 2);
    assert_true(series("tulle_check_value{metric=\"nodes\"}", "") == 5);
    assert_true(series("tulle_expected_node_up{node=\"shop\"}", "") == 1);
    assert_true(series("tulle_expected_node_up{node=\"nobody\"}", "") == 0);
    assert_true(series("tulle_node_up{node=\"odd \\\"name\\\"\\\\|\"", "kind=\"node\"") == 1);
    assert_true(series("tulle_node_up{node=\"bridge\"", "kind=\"proxy\"") == 1);
    assert_true(series("tulle_node_events_published_total{node=\"shop\"", "") == EVENTS);
    assert_true(series("tulle_consumer_lag_events{node=\"billing\"", "stream=\"orders\"") > 100);
    assert_true(series("tulle_node_delay_seconds{node=\"billing\"", "quantile=\"0.99\"") >= 0);
    assert_true(series("tulle_proxy_events_total{node=\"bridge\"", "direction=\"in\"") >= 0);
    assert_true(series("tulle_check_time_seconds", "") > 1.7e9);
}

TEST(a_file_is_replaced_at_once)
{
    (void)state;
    char path[256];
    char text[512];
    (void)snprintf(path, sizeof path, "%s/tulle.prom", proc_directory());
    assert_string_equal(CHECK(0, "-f", "prometheus", "-o", path), "");
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    (void)fclose(file);
    assert_begins(text, "# HELP tulle_check_status ");
    (void)CHECK(3, "-o", "/nowhere/tulle.prom");
    proc_assert_has(proc_text(last, PROC_ERR), "/nowhere/tulle.prom: ");
    assert_int_equal(unlink(path), 0);
}

static int
start_forgetful(void **state)
{
    (void)state;
    return start_mesh(8192);
}

int
main(void)
{
#define MESH(name) cmocka_unit_test_setup_teardown(name, start, end_test)
    const struct CMUnitTest tests[] = {
        MESH(a_healthy_mesh_is_ok),
        MESH(the_age_of_the_last_event_is_looked_up),
        MESH(a_consumer_that_lags_warns_or_alarms),
        MESH(a_dead_node_is_critical),
        cmocka_unit_test_setup_teardown(a_gap_is_critical_until_it_is_old, start_forgetful,
                                        end_test),
        MESH(a_window_sees_what_happens_in_it),
        MESH(what_cannot_be_judged_is_unknown),
        MESH(json_tells_all_metrics),
        MESH(prometheus_reads_it),
        MESH(a_file_is_replaced_at_once),
    };
    return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
