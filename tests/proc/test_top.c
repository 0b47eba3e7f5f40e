/* SPDX-License-Identifier: MPL-2.0 */

/* What tulle top prints of a mesh at work: a shop that publishes, who keeps up, who is late, who
 * lost something, and who is beyond a proxy. */

#include "testkit.h"

#include "integ_kit.h"
#include "proc_kit.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 3000, BURST = 10, BURST_MS = 20, AHEAD = 500, HALF = 250, ARGS = 10 };

static tulle_node *shop;
static tulle_subscription *at_stock, *at_far;
static const char *address;
static struct proc *last;   /* top that ran last */
static uint64_t lost, gaps; /* as the reader was told */
static int64_t published, started_ms;
static json_t *root;

static void
publish_burst(void)
{
    static const char payload[100] = { 0 };
    for (int i = 0; i < BURST; i++)
        assert_status(tulle_node_publish(shop, "orders/new", payload, sizeof payload, NULL),
                      TULLE_OK);
    published += BURST;
}

/* What the two that keep up have got. */
static void
drain(tulle_subscription *subscription)
{
    const tulle_message *message;
    while (tulle_subscription_receive(subscription, &message, 0) == TULLE_OK)
        continue;
}

/* Shop goes on publishing. */
static void
trade(void)
{
    publish_burst();
    drain(at_stock);
    drain(at_far);
    proc_pause(BURST_MS);
}

/* A node that reads so late that nobody keeps any more what it missed. */
static void
make_gap(void)
{
    tulle_node_options options;
    kit_options(&options, "forgetful", &address);
    options.retain_bytes = 100000;
    tulle_node *forgetful = kit_start(&options);
    kit_options(&options, "reader", &address);
    options.queue_bytes = options.held_bytes = 65536;
    tulle_node *reader = kit_start(&options);
    tulle_subscription *past = kit_subscribe(reader, "past");
    assert_status(tulle_node_wait_peers(forgetful, "past", 1, KIT_DEADLINE_MS), TULLE_OK);
    static const char payload[1000] = { 0 };
    for (int i = 0; i < MANY; i++)
        assert_status(tulle_node_publish(forgetful, "past", payload, sizeof payload, NULL),
                      TULLE_OK);
    KIT_UNTIL(kit_counters(forgetful).events_published == MANY);
    for (uint64_t next = 0; next < MANY;) {
        const tulle_message *message = NULL;
        assert_status(tulle_subscription_receive(past, &message, KIT_DEADLINE_MS), TULLE_OK);
        bool is_gap = message->kind == TULLE_MESSAGE_GAP;
        lost += is_gap ? message->u.gap.last - next : 0;
        gaps += is_gap;
        next = is_gap ? message->u.gap.last : message->u.event.seq;
    }
    assert_true(lost > 0);
}

static int
start_mesh(void **state)
{
    (void)state;
    shop = kit_node("shop", NULL);
    address = tulle_node_address(shop);
    tulle_node *stock = kit_node("stock", address);
    tulle_node *far = kit_node("far", NULL);
    tulle_node_options options;
    kit_options(&options, "late", &address);
    options.queue_bytes = 4096; /* nobody receives: it takes so much and no more */
    tulle_node *late = kit_start(&options);
    (void)kit_proxy("gate", address, tulle_node_address(far));
    at_stock = kit_subscribe(stock, "orders/**");
    at_far = kit_subscribe(far, "orders/**");
    (void)kit_subscribe(late, "orders/**");
    make_gap();
    assert_status(tulle_node_wait_peers(shop, "orders/new", 3, KIT_DEADLINE_MS), TULLE_OK);
    while (published < AHEAD)
        trade();
    return 0;
}

static int
end_mesh(void **state)
{
    return proc_end_all(state) + kit_teardown(state);
}

static int
end_test(void **state)
{
    (void)state;
    json_decref(root);
    root = NULL;
    proc_end_since(0);
    return 0;
}

/* Run top with these arguments, up to NULL, while shop publishes; returns what it printed. */
static const char *
top(int status, const char *const arguments[])
{
    const char *a[ARGS] = { NULL };
    for (size_t i = 0; i < ARGS && arguments[i] != NULL; i++)
        a[i] = arguments[i];
    last = proc_start("tulle", "top", "--join", address, a[0], a[1], a[2], a[3], a[4], a[5], a[6],
                      a[7], a[8], a[9], NULL);
    published = 0;
    started_ms = kit_now_ms();
    while (!proc_has_ended(last))
        trade();
    int ended = proc_wait(last);
    if (ended != status)
        print_error("%s", proc_text(last, PROC_ERR));
    assert_int_equal(ended, status);
    return proc_text(last, PROC_OUT);
}
#define TOP(...) top(0, (const char *const[]){ __VA_ARGS__, NULL })
#define FAILS(status, ...) \
    (top(status, (const char *const[]){ __VA_ARGS__, NULL }), proc_text(last, PROC_ERR))

/* ---- JSON ---- */

static void
load(const char *text)
{
    json_error_t error;
    json_decref(root);
    root = json_loads(text, 0, &error);
    if (root == NULL)
        print_error("%s in %s\n", error.text, text);
    assert_non_null(root);
}

/* The row of a table whose fields have these values; value2 may be NULL. */
static const json_t *
row(const char *table, const char *key, const char *value, const char *key2, const char *value2)
{
    size_t i;
    const json_t *found;
    json_array_foreach(json_object_get(root, table), i, found)
    {
        const char *text = json_string_value(json_object_get(found, key));
        const char *text2 = value2 != NULL ? json_string_value(json_object_get(found, key2)) : "";
        if (text != NULL && strcmp(text, value) == 0 && text2 != NULL &&
            (value2 == NULL || strcmp(text2, value2) == 0))
            return found;
    }
    fail_msg("no %s with %s=%s", table, key, value);
    return NULL;
}

static double
number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value))
        fail_msg("no number: %s", key);
    return json_number_value(value);
}

static const char *
string(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL ? value : "(none)";
}

/* Against what was published: top looked at some part of that time, in which a busy machine may
 * have let shop do less than its share. */
enum { RATE_SLACK = 8 };

static void
assert_is_rate(double rate, double real)
{
    if (rate < real / RATE_SLACK || rate > real * RATE_SLACK)
        fail_msg("%f for %f", rate, real);
}

static void
assert_nodes(double real)
{
    const json_t *of_shop = row("nodes", "node", "shop", NULL, NULL);
    const json_t *late = row("nodes", "node", "late", NULL, NULL);
    const json_t *reader = row("nodes", "node", "reader", NULL, NULL);
    const json_t *far = row("nodes", "node", "far", NULL, NULL);
    const json_t *gate = row("nodes", "node", "gate", NULL, NULL);
    assert_is_rate(number(of_shop, "out_rate"), real);
    assert_true(number(of_shop, "out_bytes_rate") > 100 * number(of_shop, "out_rate"));
    assert_true(json_is_null(json_object_get(of_shop, "lag")));
    assert_is_rate(number(far, "in_rate"), real);
    assert_int_equal(number(far, "hops"), 1);
    assert_true(number(far, "p99_us") > 0 && number(far, "seen_ms") < 5000);
    assert_true(number(late, "lag") > HALF && number(late, "behind_ms") > 0);
    assert_int_equal(number(reader, "gaps"), gaps);
    assert_int_equal(number(reader, "lost"), lost);
    assert_string_equal(string(gate, "kind"), "proxy");
    assert_string_equal(string(far, "state"), "up");
    assert_int_equal(json_array_size(json_object_get(root, "nodes")), 7);
}

TEST(json_tells_what_happens)
{
    (void)state;
    load(TOP("--once", "--json"));
    double real = (double)published * 1000 / (double)(kit_now_ms() - started_ms);
    assert_true(json_is_true(json_object_get(root, "complete")));
    assert_nodes(real);

    const json_t *lane = row("lanes", "stream", "orders", "node", "shop");
    assert_is_rate(number(lane, "rate"), real);
    assert_int_equal(number(lane, "takers"), 3);
    assert_string_equal(string(lane, "worst_taker"), "late");
    assert_int_equal(json_array_size(json_object_get(lane, "consumers")), 3);
    const json_t *lag = row("lag", "node", "late", "stream", "orders");
    assert_true(number(lag, "lag") > HALF);
    assert_true(json_array_get(json_object_get(root, "lag"), 0) == lag); /* the worst first */
    assert_true(number(row("lag", "node", "stock", "stream", "orders"), "lag") <
                number(lag, "lag"));
    const json_t *stream = row("streams", "stream", "orders", NULL, NULL);
    assert_int_equal(number(stream, "lanes"), 1);
    assert_true(number(stream, "events") >= AHEAD);
    const json_t *left = row("links", "link", "left", "proxy", "gate");
    const json_t *right = row("links", "link", "right", "proxy", "gate");
    assert_is_rate(number(left, "out_rate"), real);
    assert_is_rate(number(right, "in_rate"), real);
    assert_true(number(left, "out_events") >= AHEAD && number(right, "out_rate") <= 0);

    const json_t *totals = json_object_get(root, "totals");
    assert_int_equal(number(totals, "up"), 7);
    assert_int_equal(number(totals, "proxies"), 1);
    assert_int_equal(number(totals, "gaps"), gaps);
    assert_int_equal(number(totals, "lost"), lost);
    assert_true(number(totals, "worst_lag") > HALF);
    assert_is_rate(number(totals, "out_rate"), real);
}

TEST(one_screen_is_printed_sorted_and_filtered)
{
    (void)state;
    load(TOP("--json", "--screen", "nodes", "--sort", "NODE", "--filter", "ate"));
    const json_t *nodes = json_object_get(root, "nodes");
    assert_null(json_object_get(root, "lanes"));
    assert_int_equal(json_array_size(nodes), 2);
    assert_string_equal(string(json_array_get(nodes, 0), "node"), "gate");
    assert_string_equal(string(json_array_get(nodes, 1), "node"), "late");
    load(TOP("--json", "-s", "nodes", "-o", "node", "-r", "-f", "!ate", "--limit", "2"));
    nodes = json_object_get(root, "nodes");
    assert_int_equal(json_array_size(nodes), 2);
    assert_string_equal(string(json_array_get(nodes, 0), "node"), "stock");
    assert_string_equal(string(json_array_get(nodes, 1), "node"), "shop");
}

static size_t
commas(const char *line)
{
    size_t count = 0;
    for (size_t i = 0; line[i] != '\0' && line[i] != '\n'; i++)
        count += line[i] == ',';
    return count;
}

TEST(csv_has_a_head_and_as_many_fields)
{
    (void)state;
    const char *text = TOP("--once", "--csv", "--screen", "lag", "--filter", "orders");
    assert_int_equal(strncmp(text, "time,node,id,stream,state,lanes,rate,lag,", 41), 0);
    assert_int_equal(proc_count_lines(last, PROC_OUT), 4);
    size_t fields = commas(text);
    const char *late = strstr(text, "\n") + 1;
    proc_assert_has(late, "Z,late,");
    for (const char *at = late; *at != '\0'; at = strchr(at, '\n') + 1)
        assert_int_equal(commas(at), fields);
}

TEST(a_table_is_printed_for_people)
{
    (void)state;
    const char *text = TOP("--once");
    proc_assert_has(text, "\nnodes      7 up (1 proxy)\n");
    proc_assert_has(text, " behind: late of shop/orders\n");
    char line[64];
    (void)snprintf(line, sizeof line, "\ngaps       %d, %d events lost, ", (int)gaps, (int)lost);
    proc_assert_has(text, line);
    proc_assert_has(text, "\nNODE");
    proc_assert_has(text, "\nreader ");
    assert_int_equal(proc_count_lines(last, PROC_OUT), 7 + 1 + 7);
    proc_assert_has(text, " RTT ");
    assert_int_equal(setenv("COLUMNS", "60", 1), 0);
    text = TOP("--once");
    assert_int_equal(unsetenv("COLUMNS"), 0);
    assert_null(strstr(text, " RTT "));
    for (const char *at = strstr(text, "\nNODE") + 1; *at != '\0'; at = strchr(at, '\n') + 1)
        assert_in_range(strcspn(at, "\n"), 1, 60);
    assert_string_equal(proc_text(last, PROC_ERR), "");
}

TEST(batch_goes_on_until_it_is_told_to_end)
{
    (void)state;
    const char *text = TOP("--batch", "--json", "-n", "3", "-d", "0.3", "-s", "nodes");
    assert_int_equal(proc_count_lines(last, PROC_OUT), 3);
    for (const char *at = text; *at != '\0'; at = strchr(at, '\n') + 1) {
        json_decref(root);
        root = json_loads(at, JSON_DISABLE_EOF_CHECK, NULL);
        assert_non_null(root);
        assert_int_equal(json_array_size(json_object_get(root, "nodes")), 7);
    }
    struct proc *batch =
        proc_start("tulle", "top", "--join", address, "--batch", "--csv", "-d", "0.2", NULL);
    proc_wait_lines(batch, PROC_OUT, 1 + 3 * 7);
    proc_signal(batch, SIGINT);
    assert_int_equal(proc_wait(batch), 0);
    struct proc *unread = proc_start("tulle", "top", "--join", address, "--batch", NULL);
    proc_wait_text(unread, PROC_OUT, "NODE");
    proc_close_output(unread);
    assert_int_equal(proc_wait(unread), 0);
}

/* ---- what goes wrong ---- */

TEST(wrong_options_are_told)
{
    (void)state;
    proc_assert_has(FAILS(2, "--json", "--csv"), "exclude each other");
    proc_assert_has(FAILS(2, "--once", "--batch"), "exclude each other");
    proc_assert_has(FAILS(2, "--sort", "age"), "no column 'age', but node, id,");
    proc_assert_has(FAILS(2, "--screen", "kings"), "must be one of: nodes, streams");
    proc_assert_has(FAILS(2, "--delay", "0"), "--delay");
    struct proc *lonely = proc_start("tulle", "top", "--once", NULL);
    assert_int_equal(proc_wait(lonely), 2);
    proc_assert_has(proc_text(lonely, PROC_ERR), "--join");
}

TEST(who_is_not_reached_or_does_not_answer_is_told)
{
    (void)state;
    struct proc *alone = proc_start("tulle", "top", "--join", proc_address(proc_free_port()),
                                    "--json", "--wait", "0.3", NULL);
    assert_int_equal(proc_wait(alone), 4);
    proc_assert_has(proc_text(alone, PROC_ERR), "no other node is reached");
    assert_string_equal(proc_text(alone, PROC_OUT), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(json_tells_what_happens, end_test),
        cmocka_unit_test_teardown(one_screen_is_printed_sorted_and_filtered, end_test),
        cmocka_unit_test_teardown(csv_has_a_head_and_as_many_fields, end_test),
        cmocka_unit_test_teardown(a_table_is_printed_for_people, end_test),
        cmocka_unit_test_teardown(batch_goes_on_until_it_is_told_to_end, end_test),
        cmocka_unit_test_teardown(wrong_options_are_told, end_test),
        cmocka_unit_test_teardown(who_is_not_reached_or_does_not_answer_is_told, end_test),
    };
    return cmocka_run_group_tests_name("tulle top", tests, start_mesh, end_mesh);
}
