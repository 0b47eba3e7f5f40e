/* SPDX-License-Identifier: MPL-2.0 */

/* What tulle trace shows of four services that react to orders, against what the payloads say:
 * all events of an order carry its number, and which service reacts to what is known here. */

#include "testkit.h"

#include "integ_kit.h"
#include "proc_kit.h"

#include <ctype.h>
#include <jansson.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ORDERS = 6, STEPS = 5, LINE_LEN = 160 };

/* What happens with an order, and which of these it follows. */
static const struct step {
    const char *topic, *node, *stream, *follows;
} steps[STEPS] = {
    { "orders/placed", "shop", "orders", NULL },
    { "inventory/reserved", "inventory", "inventory", "orders/placed" },
    { "payments/approved", "payment", "payments", "orders/placed" },
    { "loyalty/credited", "loyalty", "loyalty", "orders/placed" },
    { "shipping/dispatched", "shipping", "shipping", "payments/approved" },
};

static const char *address; /* of a node of the mesh that all tests look at */
static size_t mesh_procs;   /* how many programs it is */
static struct proc *last;   /* trace that ran last */

static void
start_service(const struct step *step, int port)
{
    static const char command[] =
        "exec sed -n "
        "'s/.*\"payload\":{\"order\":\\([0-9]*\\),.*/{\"order\":\\1,\"to\":{\"town\":\"Riga"
        "\"}}/p'";
    struct proc *node = proc_start("tulle-node", "--name", step->node, "--join", address,
                                   "--listen", proc_address(port), "--exec", step->follows, command,
                                   "--publish-to", step->topic, NULL);
    (void)node;
    proc_wait_port(port);
}

static int
start_mesh(void **state)
{
    (void)state;
    char lines[ORDERS * LINE_LEN];
    size_t len = 0;
    static char kept[64];
    int port = proc_free_port();
    (void)snprintf(kept, sizeof kept, "%s", proc_address(port));
    address = kept;
    start_service(&steps[1], port);
    for (size_t i = 2; i < STEPS; i++)
        start_service(&steps[i], proc_free_port());
    for (int i = 1; i <= ORDERS; i++) {
        len +=
            (size_t)snprintf(lines + len, LINE_LEN,
                             "{\"topic\":\"orders/placed\",\"payload\":{\"order\":%d,\"customer\":"
                             "\"a customer with a long name\",\"amount\":%d}}\n",
                             100 + i, i);
    }
    struct proc *tap =
        proc_start("tulle", "tap", "--join", address, "--from", "earliest", "-C", "30", NULL);
    struct proc *pub = proc_start("tulle", "pub", "--json", "--name", "shop", "--join", address,
                                  "--wait-peers=4", NULL);
    proc_write(pub, lines, len);
    proc_close_input(pub);
    assert_int_equal(proc_wait(pub), 0);
    assert_int_equal(proc_wait(tap), 0);
    mesh_procs = proc_started();
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
    proc_end_since(mesh_procs);
    return 0;
}

/* Run trace with up to six arguments, until NULL; returns what it printed. */
static const char *
trace(int status, const char *const arguments[])
{
    const char *a[6] = { NULL };
    for (size_t i = 0; i < 6 && arguments[i] != NULL; i++)
        a[i] = arguments[i];
    last = proc_start("tulle", "trace", "--join", address, "--wait", "0.5", a[0], a[1], a[2], a[3],
                      a[4], a[5], NULL);
    int ended = proc_wait(last);
    if (ended != status)
        print_error("%s", proc_text(last, PROC_ERR));
    assert_int_equal(ended, status);
    return proc_text(last, PROC_OUT);
}
#define TRACE(...) trace(0, (const char *const[]){ __VA_ARGS__, NULL })
#define FAILS(status, ...) \
    (trace(status, (const char *const[]){ __VA_ARGS__, NULL }), proc_text(last, PROC_ERR))

static void
assert_has_not(const char *text, const char *part)
{
    if (strstr(text, part) != NULL)
        print_error("there: %s\nin: %s\n", part, text);
    assert_null(strstr(text, part));
}

/* ---- JSON ---- */

static json_t *
events_of(const char *text, json_t **root)
{
    *root = json_loads(text, 0, NULL);
    assert_non_null(*root);
    json_t *events = json_object_get(*root, "events");
    assert_true(json_is_array(events));
    return events;
}

static const char *
text_of(const json_t *event, const char *key)
{
    const char *text = json_string_value(json_object_get(event, key));
    assert_non_null(text);
    return text;
}

static json_int_t
order_of(const json_t *event)
{
    return json_integer_value(json_object_get(json_object_get(event, "payload"), "order"));
}

/* The event of an order with a topic, found by its payload. */
static json_t *
find_event(const json_t *events, json_int_t order, const char *topic)
{
    size_t i;
    json_t *event;
    json_array_foreach(events, i, event)
    {
        if (order_of(event) == order && strcmp(text_of(event, "topic"), topic) == 0)
            return event;
    }
    return NULL;
}

static const json_t *
find_topic(const json_t *events, const char *topic)
{
    size_t i;
    const json_t *event;
    json_array_foreach(events, i, event)
    {
        if (strcmp(text_of(event, "topic"), topic) == 0)
            return event;
    }
    return NULL;
}

static void
assert_step(const json_t *events, json_int_t order, const struct step *step)
{
    json_t *event = find_event(events, order, step->topic);
    assert_non_null(event);
    assert_string_equal(text_of(event, "node"), step->node);
    assert_string_equal(text_of(event, "stream"), step->stream);
    json_t *causes = json_object_get(event, "causes");
    if (step->follows == NULL) {
        assert_int_equal(json_array_size(causes), 0);
        assert_null(json_object_get(event, "step_us"));
        return;
    }
    json_t *cause = find_event(events, order, step->follows);
    assert_non_null(cause);
    assert_int_equal(json_array_size(causes), 1);
    assert_string_equal(json_string_value(json_array_get(causes, 0)), text_of(cause, "event"));
    assert_true(json_integer_value(json_object_get(event, "step_us")) >= 0);
}

TEST(the_chain_is_that_of_the_payloads)
{
    (void)state;
    json_t *root;
    json_t *events = events_of(TRACE("--json"), &root);
    assert_int_equal(json_array_size(events), ORDERS * STEPS);
    assert_int_equal(json_array_size(json_object_get(root, "missing")), 0);
    for (int order = 101; order <= 100 + ORDERS; order++) {
        for (size_t i = 0; i < STEPS; i++)
            assert_step(events, order, &steps[i]);
    }
    json_decref(root);

    events = events_of(TRACE("--json", "--find", "order=103"), &root);
    assert_int_equal(json_array_size(events), STEPS);
    for (size_t i = 0; i < STEPS; i++)
        assert_step(events, 103, &steps[i]);
    json_decref(root);
}

/* ---- text ---- */

/* Runs of digits as one 9, and runs of spaces as one: what is left is the same each time. */
static const char *
plain(const char *text)
{
    static char out[8000];
    size_t len = 0;
    for (; *text != '\0' && len + 1 < sizeof out; text++) {
        char c = isdigit((unsigned char)*text) ? '9' : *text;
        if ((c != '9' && c != ' ') || len == 0 || out[len - 1] != c)
            out[len++] = c;
    }
    out[len] = '\0';
    return out;
}

TEST(an_event_is_shown_with_causes_and_consequences)
{
    (void)state;
    /* Which payment is that of order 104? */
    json_t *root;
    json_t *events = events_of(TRACE("--json", "--find", "order=104"), &root);
    json_t *payment = find_event(events, 104, "payments/approved");
    char name[80];
    char id[80];
    (void)snprintf(name, sizeof name, "payment/payments/%d",
                   (int)json_integer_value(json_object_get(payment, "seq")));
    (void)snprintf(id, sizeof id, "%s", text_of(payment, "event"));
    json_decref(root);

    const char *text = TRACE(name);
    proc_assert_has(text, "\"order\":104");
    proc_assert_has(text, name);
    text = plain(text);
    proc_assert_has(
        text, "EVENT STEP TOTAL NAME PAYLOAD\norders/placed 9:9:9.9 shop/orders/9 {\"order\":9,");
    proc_assert_has(text, "\n\xe2\x94\x94\xe2\x94\x80 * payments/approved +9");
    proc_assert_has(text, "\n \xe2\x94\x94\xe2\x94\x80 shipping/dispatched +9");
    proc_assert_has(text, "\n9 events, at most 9 steps, 9");
    assert_has_not(text, "inventory");

    const char *by_id = TRACE(id, "-v");
    proc_assert_has(by_id, id);
    assert_has_not(by_id, name);
    proc_assert_has(by_id, "\"amount\":4}"); /* whole */
    proc_assert_has(by_id, "* payments/approved");
}

TEST(all_that_an_event_caused_is_a_tree)
{
    (void)state;
    const char *text = plain(TRACE("shop/orders/2"));
    proc_assert_has(text, "* orders/placed");
    assert_int_equal(testkit_count(text, "\xe2\x94\x9c\xe2\x94\x80 "), 2);
    assert_int_equal(testkit_count(text, "\xe2\x94\x94\xe2\x94\x80 "), 2);
    proc_assert_has(text, "9 events, at most 9 steps");
    assert_has_not(text, "\"amount\"");      /* cut */
    proc_assert_has(text, "\xe2\x80\xa6\n"); /* and said to be */
    assert_int_equal(setenv("LC_ALL", "C", 1), 0);
    text = TRACE("shop/orders/2");
    assert_int_equal(setenv("LC_ALL", "C.UTF-8", 1), 0);
    assert_int_equal(testkit_count(text, "\n|- "), 2);
    assert_int_equal(testkit_count(text, "`- "), 2);
    for (const char *at = text; *at != '\0'; at++)
        assert_true((unsigned char)*at < 0x80);
    text = TRACE("shop/orders/2", "--color=always");
    proc_assert_has(text, "\033[1;33m* orders/placed\033[0m");
    assert_has_not(TRACE("shop/orders/2", "--color=auto"), "\033");
}

TEST(directions_and_depth_are_kept)
{
    (void)state;
    const char *text = TRACE("--topic", "shipping/**", "--find", "order=102", "--up");
    proc_assert_has(text, "orders/placed");
    proc_assert_has(text, "* shipping/dispatched");
    assert_has_not(text, "inventory");
    text = TRACE("-t", "payments/approved", "-f", ".order=102", "-d");
    proc_assert_has(text, "\n* payments/approved");
    proc_assert_has(text, "shipping/dispatched");
    assert_has_not(text, "orders/placed");
    text = TRACE("shop/orders/1", "--depth", "1");
    proc_assert_has(text, "payments/approved");
    proc_assert_has(text, "1 more consequence\n");
    assert_has_not(text, "shipping/dispatched");
    text = TRACE("--where", ".payload.amount > 4 and .node == \"shop\"", "--depth", "1");
    assert_int_equal(testkit_count(text, "* orders/placed"), 2); /* of six */
    proc_assert_has(text, "\n8 events in 2 trees");
    text = TRACE("--find", "order=102", "--find", "to.town=Riga", "--depth", "1", "-u");
    assert_int_equal(testkit_count(text, "* "),
                     4); /* all but the order itself, which is their cause */
    proc_assert_has(text, "\norders/placed");
    proc_assert_has(FAILS(2, "--up", "--down"), "exclude each other");
    proc_assert_has(FAILS(2, "--depth", "0"), "--depth");
}

TEST(what_is_not_there_is_told)
{
    (void)state;
    proc_assert_has(FAILS(1, "shop/orders/7"), "none of 30 events read");
    assert_string_equal(proc_text(last, PROC_OUT), "");
    proc_assert_has(FAILS(1, "--find", "order=99"), "none of 30 events read");
    proc_assert_has(FAILS(2, "shop"), "NODE/STREAM/SEQ");
    proc_assert_has(FAILS(2, "--find", "order"), "FIELD=VALUE");
    proc_assert_has(FAILS(2, "--where", ".payload |"), "--where");
    proc_assert_has(FAILS(2, "--topic", "a//b"), "a//b");
    proc_assert_has(FAILS(2, "--from", "then"), "then");
    proc_assert_has(FAILS(2, "--json", "--dot"), "exclude each other");
    struct proc *lonely = proc_start("tulle", "trace", "a/b/1", NULL);
    assert_int_equal(proc_wait(lonely), 2);
    proc_assert_has(proc_text(lonely, PROC_ERR), "--join");
}

TEST(bounds_are_kept_and_told)
{
    (void)state;
    const char *text = TRACE("--limit", "3");
    proc_assert_has(text, "\n3 events");
    proc_assert_has(proc_text(last, PROC_ERR), "--limit)");
    text = TRACE("--limit-memory", "1");
    proc_assert_has(text, "\n1 event\n");
    proc_assert_has(proc_text(last, PROC_ERR), "--limit-memory)");
    text = TRACE("--from", "last:1");
    proc_assert_has(text, "\n5 events");
    text = TRACE("--take", "orders/**", "--take", "payments/**", "shop/orders/3");
    proc_assert_has(text, "\n2 events");
    text = TRACE("--take", "payments/**");
    proc_assert_has(text, "? ");
    proc_assert_has(text, "/orders/1: not read\n");
    proc_assert_has(text, "6 causes missing");
    /* In time, though --wait is longer. */
    int64_t start = kit_now_ms();
    text = TRACE("-W", "1", "--wait", "60", "shop/orders/1");
    proc_assert_has(text, "* orders/placed");
    assert_true(kit_now_ms() - start < 30000);
}

TEST(a_clock_tells_of_potential_causes)
{
    (void)state;
    json_t *root;
    json_t *events = events_of(TRACE("--json", "--potential"), &root);
    json_t *first = find_event(events, 101, "orders/placed");
    json_t *second = find_event(events, 102, "orders/placed");
    json_t *causes = json_object_get(second, "causes");
    assert_true(json_is_true(json_object_get(second, "potential")));
    assert_int_equal(json_array_size(causes), 1);
    assert_string_equal(json_string_value(json_array_get(causes, 0)), text_of(first, "event"));
    assert_true(json_is_false(json_object_get(first, "potential")));
    /* Named causes are the truth: the clock adds nothing to them. */
    for (size_t i = 1; i < STEPS; i++)
        assert_step(events, 102, &steps[i]);
    json_decref(root);
}

/* Events that nobody keeps any more are gaps in the history, and the tree says so. */
TEST(a_cause_that_is_not_kept_is_named)
{
    (void)state;
    tulle_node_options options;
    kit_options(&options, "shop", NULL);
    options.retain_bytes = 0;
    tulle_node *shop = kit_start(&options);
    const char *join = tulle_node_address(shop);
    kit_options(&options, "payment", &join);
    options.retain_others_bytes = 0;
    tulle_node *payment = kit_start(&options);
    tulle_subscription *orders = kit_subscribe(payment, "orders");
    assert_int_equal(tulle_node_wait_peers(shop, "orders", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish(shop, "orders", "an order");
    const tulle_event *order = kit_expect(orders, "orders", "an order");
    tulle_event_ref cause = { order->node, "orders", order->seq };
    tulle_publish_options publish;
    tulle_publish_options_init(&publish);
    publish.causes = &cause;
    publish.cause_count = 1;
    assert_int_equal(tulle_node_publish(payment, "payments",
                                        "\xa4"
                                        "paid",
                                        5, &publish),
                     TULLE_OK);

    struct proc *proc =
        proc_start("tulle", "trace", "--join", join, "--wait", "1", "payment/payments/1", NULL);
    assert_int_equal(proc_wait(proc), 0);
    const char *text = proc_text(proc, PROC_OUT);
    proc_assert_has(text, "? shop/orders/1: not kept any more\n\xe2\x94\x94\xe2\x94\x80 ");
    proc_assert_has(text, "\"paid\"\n");
    proc_assert_has(text, "1 cause missing");
    kit_free(&payment);
    kit_free(&shop);
}

/* ---- other forms ---- */

TEST(graphs_are_drawn)
{
    (void)state;
    const char *text = TRACE("--dot", "shop/orders/5");
    assert_int_equal(strncmp(text, "digraph trace {\n", 16), 0);
    assert_int_equal(testkit_count(text, " -> "), 4);
    assert_int_equal(testkit_count(text, " [label=\"orders/placed\\nshop/orders/5\\n2"), 1);
    assert_int_equal(testkit_count(text, "rounded,bold"), 1);
    assert_string_equal(text + strlen(text) - 2, "}\n");
    text = TRACE("--dot", "--potential", "--topic", "orders/*");
    assert_int_equal(testkit_count(text, "style=dashed"), ORDERS - 1);
    text = TRACE("--mermaid", "shop/orders/5");
    assert_int_equal(strncmp(text, "flowchart LR\n", 13), 0);
    assert_int_equal(testkit_count(text, " -->|"), 4);
    assert_int_equal(testkit_count(text, "[\"orders/placed<br/>shop/orders/5<br/>2"), 1);
    assert_int_equal(testkit_count(text, ":::bold"), 1);
}

/* An entry of a clock of ShiViz must name an event of the log, of a host of its own. */
static void
assert_clock(json_t *counts, const char *host, const char *text)
{
    const char *key;
    json_t *value;
    json_t *clock = json_loads(text, 0, NULL);
    assert_true(json_is_object(clock));
    json_int_t before = json_integer_value(json_object_get(counts, host));
    assert_int_equal(json_integer_value(json_object_get(clock, host)), before + 1);
    json_object_set_new(counts, host, json_integer(before + 1));
    json_object_foreach(clock, key, value)
    {
        assert_true(json_integer_value(value) >= 1);
        assert_true(json_integer_value(value) <= json_integer_value(json_object_get(counts, key)));
    }
    json_decref(clock);
}

/* (?<host>\S*) (?<clock>{.*})\n(?<event>.*), without the names. */
static size_t
parse_shiviz(const char *text, json_t *counts)
{
    regex_t regex;
    regmatch_t match[4];
    size_t count = 0;
    assert_int_equal(regcomp(&regex, "^([^[:space:]]*) (\\{[^\n]*\\})\n([^\n]*)\n", REG_EXTENDED),
                     0);
    for (; *text != '\0'; text += match[0].rm_eo, count++) {
        char host[100];
        char clock[2000];
        assert_int_equal(regexec(&regex, text, 4, match, 0), 0);
        (void)snprintf(host, sizeof host, "%.*s", (int)match[1].rm_eo, text);
        (void)snprintf(clock, sizeof clock, "%.*s", (int)(match[2].rm_eo - match[2].rm_so),
                       text + match[2].rm_so);
        assert_clock(counts, host, clock);
        assert_true(match[3].rm_eo > match[3].rm_so);
    }
    regfree(&regex);
    return count;
}

TEST(shiviz_reads_the_whole_log)
{
    (void)state;
    static const char head[] = "(?<host>\\S*) (?<clock>{.*})\\n(?<event>.*)\n\n";
    const char *options[] = { "--quiet", "--potential" };
    for (size_t i = 0; i < 2; i++) {
        const char *text = TRACE("--shiviz", options[i]);
        json_t *counts = json_object();
        assert_int_equal(strncmp(text, head, strlen(head)), 0);
        assert_int_equal(parse_shiviz(text + strlen(head), counts), ORDERS * STEPS);
        assert_int_equal(json_object_size(counts), STEPS);
        assert_int_equal(json_integer_value(json_object_get(counts, "shop")), ORDERS);
        json_decref(counts);
    }
    /* Where an event has a cause, its clock has an entry of that host; in which order is open. */
    const char *text = TRACE("--shiviz", "shop/orders/1");
    assert_int_equal(
        testkit_count(text, "\npayment {\"payment\":1,\"shop\":1}\npayments/approved ") +
            testkit_count(text, "\npayment {\"shop\":1,\"payment\":1}\npayments/approved "),
        1);
}

TEST(a_page_is_written)
{
    (void)state;
    char path[200];
    (void)snprintf(path, sizeof path, "%s/page.html", proc_directory());
    assert_string_equal(TRACE("--html", path), "");
    FILE *file = fopen(path, "r");
    char first[64];
    assert_non_null(file);
    assert_non_null(fgets(first, sizeof first, file));
    (void)fclose(file);
    assert_string_equal(first, "<!doctype html>\n");
    const char *text = TRACE("--html", "-");
    assert_int_equal(testkit_count(text, "\"orders/placed\""), ORDERS);
    assert_has_not(text, "@TRACE@");
    assert_has_not(text, "http://");
    assert_has_not(text, "https://");
    proc_assert_has(FAILS(1, "--html", "/nowhere/page.html"), "/nowhere/page.html");
}

/* ---- live ---- */

TEST(what_follows_is_waited_for)
{
    (void)state;
    struct proc *live =
        proc_start("tulle", "trace", "--join", address, "--name", "live", "--log-level", "info",
                   "--from", "live", "--wait", "1", "--find", "order=777", NULL);
    proc_wait_text(live, PROC_ERR, "name=shipping state=up");
    proc_pause(1500); /* longer than --wait: nothing asked for has come yet */
    assert_false(proc_has_ended(live));
    struct proc *pub =
        proc_start("tulle", "pub", "--json", "--join", address, "--wait-peers=4", "orders/placed",
                   "{\"order\":777,\"customer\":\"c\",\"amount\":1}", NULL);
    assert_int_equal(proc_wait(pub), 0);
    assert_int_equal(proc_wait(live), 0);
    proc_assert_has(proc_text(live, PROC_OUT), "shipping/dispatched");
    proc_assert_has(proc_text(live, PROC_OUT), "\n5 events");
    /* Nothing comes, until it is told to end. */
    live = proc_start("tulle", "trace", "--join", address, "--from", "live", "--topic", "x", NULL);
    proc_pause(500);
    proc_signal(live, SIGINT);
    assert_int_equal(proc_wait(live), 1);
    proc_assert_has(proc_text(live, PROC_ERR), "none of 0 events");
}

TEST(a_wrong_address_is_told)
{
    (void)state;
    struct proc *loud =
        proc_start("tulle", "trace", "--join", "tcp://127.0.0.1:1", "-W", "4", NULL);
    struct proc *quiet =
        proc_start("tulle", "trace", "--join", "tcp://127.0.0.1:1", "-W", "4", "-q", NULL);
    assert_int_equal(proc_wait(loud), 1);
    assert_int_equal(proc_wait(quiet), 1);
    proc_assert_has(proc_text(loud, PROC_ERR), "no other node is reached; still trying");
    assert_has_not(proc_text(quiet, PROC_ERR), "still trying");
}

/* ---- payloads ---- */

/* Of every kind, one event of each topic. */
static void
publish_notes(int port)
{
    static const struct {
        const char *topic, *option, *value, *payload;
    } notes[] = {
        { "notes/json", "--content-type", "application/json", "{\"n\": [1, null]}" },
        { "notes/no_json", "--content-type", "application/json", "{\"n\": [1" },
        { "notes/text", "--content-type", "text/plain", "plain" },
        { "notes/bytes", "--content-type", "image/png", "\xff\x01" },
        { "notes/msgpack", "--json", "--quiet", "{\"n\": 2}" },
        { "notes/empty", "--empty", "--quiet", NULL },
    };
    enum { NOTES = sizeof notes / sizeof *notes };
    struct proc *pubs[NOTES];
    for (size_t i = 0; i < NOTES; i++) {
        pubs[i] =
            proc_start("tulle", "pub", "--join", proc_address(port), "--wait-peers",
                       notes[i].option, notes[i].value, notes[i].topic, notes[i].payload, NULL);
    }
    for (size_t i = 0; i < NOTES; i++)
        assert_int_equal(proc_wait(pubs[i]), 0);
}

TEST(payloads_are_as_tap_shows_them)
{
    (void)state;
    int port = proc_free_port();
    (void)proc_start("tulle-node", "--name", "keeper", "--listen", proc_address(port), "--take",
                     "notes/**", NULL);
    proc_wait_port(port);
    publish_notes(port);
    struct proc *tap = proc_start("tulle", "tap", "--json", "--join", proc_address(port), "--from",
                                  "earliest", "-C", "6", "notes/**", NULL);
    last =
        proc_start("tulle", "trace", "--json", "--join", proc_address(port), "--wait", "0.5", NULL);
    struct proc *tree =
        proc_start("tulle", "trace", "--join", proc_address(port), "--wait", "0.5", NULL);
    assert_int_equal(proc_wait(tap), 0);
    assert_int_equal(proc_wait(last), 0);
    assert_int_equal(proc_wait(tree), 0);
    json_t *root = NULL;
    json_t *events = events_of(proc_text(last, PROC_OUT), &root);
    assert_int_equal(json_array_size(events), 6);
    for (const char *line = proc_text(tap, PROC_OUT); *line != '\0';
         line = strchr(line, '\n') + 1) {
        json_t *seen = json_loadb(line, strcspn(line, "\n"), 0, NULL);
        const json_t *event = find_topic(events, text_of(seen, "topic"));
        assert_non_null(event);
        assert_true(
            json_equal(json_object_get(event, "payload"), json_object_get(seen, "payload")));
        const json_t *encoding = json_object_get(seen, "encoding");
        assert_int_equal(json_object_get(event, "encoding") != NULL, encoding != NULL);
        if (encoding != NULL)
            assert_string_equal(text_of(event, "encoding"), json_string_value(encoding));
        json_decref(seen);
    }
    assert_string_equal(text_of(find_topic(events, "notes/json"), "encoding"), "json");
    json_decref(root);
    proc_assert_has(proc_text(tree, PROC_OUT), " {\"n\":[1,null]}\n");
    proc_assert_has(proc_text(tree, PROC_OUT), " \"plain\"\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_chain_is_that_of_the_payloads, end_test),
        cmocka_unit_test_teardown(an_event_is_shown_with_causes_and_consequences, end_test),
        cmocka_unit_test_teardown(all_that_an_event_caused_is_a_tree, end_test),
        cmocka_unit_test_teardown(directions_and_depth_are_kept, end_test),
        cmocka_unit_test_teardown(what_is_not_there_is_told, end_test),
        cmocka_unit_test_teardown(bounds_are_kept_and_told, end_test),
        cmocka_unit_test_teardown(a_clock_tells_of_potential_causes, end_test),
        cmocka_unit_test_teardown(a_cause_that_is_not_kept_is_named, end_test),
        cmocka_unit_test_teardown(graphs_are_drawn, end_test),
        cmocka_unit_test_teardown(shiviz_reads_the_whole_log, end_test),
        cmocka_unit_test_teardown(a_page_is_written, end_test),
        cmocka_unit_test_teardown(what_follows_is_waited_for, end_test),
        cmocka_unit_test_teardown(a_wrong_address_is_told, end_test),
        cmocka_unit_test_teardown(payloads_are_as_tap_shows_them, end_test),
    };
    if (setenv("LC_ALL", "C.UTF-8", 1) != 0)
        return 1;
    return cmocka_run_group_tests_name("trace", tests, start_mesh, end_mesh);
}
