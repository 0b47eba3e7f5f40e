/* SPDX-License-Identifier: MPL-2.0 */

/* What each option of tulle tap makes of events: which are shown, and how. */

#include "testkit.h"

#include "proc_steps.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* All that is kept, and then it ends; nothing but events is printed. */
#define TAP(port, ...)                                                                         \
    proc_start("tulle", "tap", "--join", proc_address(port), "--from", "earliest", "-e", "-q", \
               __VA_ARGS__, NULL)

#define assert_output(tap, text)                                  \
    do {                                                          \
        struct proc *watched_ = (tap);                            \
        assert_int_equal(proc_wait(watched_), 0);                 \
        assert_string_equal(proc_text(watched_, PROC_OUT), text); \
    } while (0)

/* A shop's events, kept by a node that outlives the shop. */
static int
start_keeper(void)
{
    static const char lines[] =
        "{\"topic\": \"orders/1\", \"payload\": {\"amount\": 150}, \"headers\": {\"k\": \"v\"}}\n"
        "{\"topic\": \"orders/2\", \"payload\": {\"amount\": 50}}\n"
        "{\"topic\": \"mail/1\", \"payload\": \"hello\"}\n"
        "{\"topic\": \"mail/secret/2\", \"payload\": [1, 2]}\n";
    int port = proc_free_port();
    (void)proc_start("tulle-node", "--name", "keeper", "--listen", proc_address(port), "--take",
                     "**", NULL);
    proc_wait_port(port);
    struct proc *pub = proc_start("tulle", "pub", "--json", "--wait-peers", "--name", "shop",
                                  "--join", proc_address(port), NULL);
    proc_write(pub, lines, strlen(lines));
    proc_close_input(pub);
    assert_int_equal(proc_wait(pub), 0);
    return port;
}

static json_t *
parse(const char *text)
{
    json_error_t error;
    json_t *object = json_loads(text, JSON_DISABLE_EOF_CHECK, &error);
    if (object == NULL)
        fail_msg("no JSON: %s", text);
    return object;
}

static const char *
str(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    if (text == NULL)
        fail_msg("no %s", name);
    return text;
}

TEST(patterns_choose_and_exclude)
{
    (void)state;
    int port = start_keeper();
    assert_output(TAP(port, "-F", "%t", "orders/1", "mail/**"),
                  "orders/1\nmail/1\nmail/secret/2\n");
    assert_output(TAP(port, "-F", "%t", "-T", "mail/secret/**", "-T", "orders/2", "**"),
                  "orders/1\nmail/1\n");
    struct proc *tap = TAP(port, "-T", "a//b");
    assert_int_equal(proc_wait(tap), 2);
    assert_non_null(strstr(proc_text(tap, PROC_ERR), "no pattern"));
}

TEST(expressions_choose)
{
    (void)state;
    int port = start_keeper();
    assert_output(
        TAP(port, "-F", "%t", "--where", ".payload.amount > 100 and .topic != \"x\"", "orders/**"),
        "orders/1\n");
    assert_output(TAP(port, "-F", "%t", "--where", ".stream == \"mail\" and .node == \"shop\""),
                  "mail/1\nmail/secret/2\n");
    /* It cannot be applied to a text: told, and not shown. */
    struct proc *tap = TAP(port, "-F", "%t", "--where", ".payload.amount < 100");
    assert_output(tap, "orders/2\n");
    assert_non_null(strstr(proc_text(tap, PROC_ERR), "--where failed for 2 events"));
    /* And one that is no expression is told at once. */
    tap = TAP(port, "--where", ".payload.amount >");
    assert_int_equal(proc_wait(tap), 2);
    assert_non_null(strstr(proc_text(tap, PROC_ERR), "--where: jq: error"));
}

TEST(what_is_left_out_is_counted)
{
    (void)state;
    int port = start_keeper();
    struct proc *tap = proc_start("tulle", "tap", "--join", proc_address(port), "--from",
                                  "earliest", "-e", "-T", "mail/**", NULL);
    assert_int_equal(proc_wait(tap), 0);
    assert_non_null(strstr(proc_text(tap, PROC_ERR), "2 events in"));
    assert_non_null(strstr(proc_text(tap, PROC_ERR), "2 left out"));
}

TEST(filters_make_output)
{
    (void)state;
    int port = start_keeper();
    assert_output(TAP(port, "--jq", ".topic, .payload.amount", "orders/**"),
                  "\"orders/1\"\n150\n\"orders/2\"\n50\n");
    assert_output(TAP(port, "--pretty", "--jq", "{t: .topic, p: .payload, e: []}", "orders/1"),
                  "{\n  \"t\": \"orders/1\",\n  \"p\": {\n    \"amount\": 150\n  },\n"
                  "  \"e\": []\n}\n");
    struct proc *tap = TAP(port, "--jq", ".payload.amount", "mail/1", "orders/1");
    assert_output(tap, "150\n");
    assert_non_null(strstr(proc_text(tap, PROC_ERR), "--jq failed for 1 event,"));
    tap = TAP(port, "--jq", "nonsense(");
    assert_int_equal(proc_wait(tap), 2);
}

TEST(json_in_its_forms)
{
    (void)state;
    int port = start_keeper();
    struct proc *tap = TAP(port, "--json", "orders/1");
    assert_int_equal(proc_wait(tap), 0);
    assert_int_equal(proc_count_lines(tap, PROC_OUT), 1);
    json_t *event = parse(proc_text(tap, PROC_OUT));
    assert_string_equal(str(event, "topic"), "orders/1");
    assert_int_equal(json_object_size(json_object_get(event, "clock")), 1);
    json_decref(event);

    tap = TAP(port, "--json", "--no-clock", "--headers-only", "orders/1");
    assert_int_equal(proc_wait(tap), 0);
    event = parse(proc_text(tap, PROC_OUT));
    assert_int_equal(json_object_size(json_object_get(event, "clock")), 0);
    assert_null(json_object_get(event, "payload"));
    assert_int_equal(json_integer_value(json_object_get(event, "payload_bytes")), 10);
    assert_string_equal(str(json_object_get(event, "headers"), "k"), "v");
    json_decref(event);

    tap = TAP(port, "--json", "--pretty", "orders/1");
    assert_int_equal(proc_wait(tap), 0);
    assert_non_null(strstr(proc_text(tap, PROC_OUT), "\n  \"topic\": \"orders/1\",\n"));
    json_decref(parse(proc_text(tap, PROC_OUT)));
    tap = TAP(port, "--pretty", "-F", "%J", "orders/1");
    assert_int_equal(proc_wait(tap), 0);
    assert_non_null(strstr(proc_text(tap, PROC_OUT), "\n  \"topic\": \"orders/1\",\n"));
}

TEST(payloads_alone_or_not_at_all)
{
    (void)state;
    int port = start_keeper();
    assert_output(TAP(port, "--raw", "mail/1"), "\xa5hello\n");
    assert_output(TAP(port, "-r", "-N", "mail/**"), "\xa5hello\x92\x01\x02");
    struct proc *tap = TAP(port, "--headers-only", "-v", "orders/1");
    assert_int_equal(proc_wait(tap), 0);
    assert_non_null(strstr(proc_text(tap, PROC_OUT), "orders/1 (10 bytes) "));
    assert_non_null(strstr(proc_text(tap, PROC_OUT), " [k=v]"));
    assert_null(strstr(proc_text(tap, PROC_OUT), "150"));
}

TEST(formats_have_the_fields_of_the_mesh)
{
    (void)state;
    int port = start_keeper();
    assert_output(TAP(port, "-F", "%o|%S|%s|%h|%g|%-8t|%4l|%P|%C|%%|@@", "orders/1"),
                  "shop|orders|1|0|0|orders/1|  10|k:v||%|@\n");
    struct proc *tap = TAP(port, "-F", "%i %V", "orders/2");
    assert_int_equal(proc_wait(tap), 0);
    const char *out = proc_text(tap, PROC_OUT);
    char expected[64];
    assert_int_equal(strspn(out, "0123456789abcdef"), 16);
    (void)snprintf(expected, sizeof expected, "%.16s %.16s/orders:2\n", out, out);
    assert_string_equal(out, expected);
    tap = TAP(port, "-F", "%q");
    assert_int_equal(proc_wait(tap), 2);
    assert_non_null(strstr(proc_text(tap, PROC_ERR), "unknown letter"));
}

TEST(cloudevents_are_complete)
{
    (void)state;
    int port = start_keeper();
    struct proc *tap = TAP(port, "--cloudevents", "orders/1");
    assert_int_equal(proc_wait(tap), 0);
    json_t *event = parse(proc_text(tap, PROC_OUT));
    assert_string_equal(str(event, "specversion"), "1.0");
    assert_string_equal(str(event, "source"), "/shop");
    assert_string_equal(str(event, "type"), "orders.1");
    assert_string_equal(str(event, "subject"), "orders/1");
    assert_string_equal(str(event, "datacontenttype"), "application/json");
    assert_string_equal(str(event, "tulleseq"), "1");
    assert_string_equal(str(event, "k"), "v");
    assert_non_null(strstr(str(event, "id"), str(event, "tullenode")));
    assert_non_null(strstr(str(event, "tulleclock"), "/orders:1"));
    json_t *data = json_object_get(event, "data");
    assert_int_equal(json_integer_value(json_object_get(data, "amount")), 150);
    json_decref(event);
    tap = TAP(port, "--cloudevents", "--headers-only", "orders/1");
    assert_int_equal(proc_wait(tap), 0);
    event = parse(proc_text(tap, PROC_OUT));
    assert_null(json_object_get(event, "data"));
    json_decref(event);
}

TEST(history_from_a_place_or_a_time)
{
    (void)state;
    int port = start_keeper();
    struct proc *tap = proc_start("tulle", "tap", "--join", proc_address(port), "-e", "-q",
                                  "--last", "1", "-F", "%t", NULL);
    assert_output(tap, "orders/2\nmail/secret/2\n");
    tap = proc_start("tulle", "tap", "--join", proc_address(port), "-e", "-q", "--from", "last:1",
                     "-F", "%t", "mail/**", NULL);
    assert_output(tap, "mail/secret/2\n");
    tap = proc_start("tulle", "tap", "--join", proc_address(port), "-e", "-q", "--since", "10m",
                     "-F", "%t", "orders/**", NULL);
    assert_output(tap, "orders/1\norders/2\n");
    tap = proc_start("tulle", "tap", "--join", proc_address(port), "-q", "--since", "10m",
                     "--until", "5m", NULL);
    assert_output(tap, ""); /* it ends: the time is over */
    assert_output(TAP(port, "-F", "%t", "--until", "2001-01-01"), "");
    assert_output(
        TAP(port, "-F", "%t", "--since", "2001-01-01T00:00:00Z", "--until", "now", "-T", "mail/**"),
        "orders/1\norders/2\n");
    static const char *const wrong[] = { "yesterday", "25:00", "2024-13-01", "10x", "" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        tap = TAP(port, "--since", wrong[i]);
        assert_int_equal(proc_wait(tap), 2);
        assert_non_null(strstr(proc_text(tap, PROC_ERR), "no time"));
    }
}

/* It ends by itself when the time has come. */
TEST(a_time_to_come_ends_a_tap)
{
    (void)state;
    int port = start_keeper();
    char until[24];
    (void)snprintf(until, sizeof until, "%ld", (long)time(NULL) + 2);
    struct proc *tap = TAP(port, "-F", "%t", "--until", until, "orders/**");
    assert_output(tap, "orders/1\norders/2\n");
}

TEST(what_does_not_go_together_is_refused)
{
    (void)state;
    static const char *const pairs[][3] = {
        { "--json", "--raw", NULL },
        { "--json", "--cloudevents", NULL },
        { "--causal", "--reorder-view", NULL },
        { "--raw", "--headers-only", NULL },
        { "--pretty", "--raw", NULL },
        { "--last=1", "--from=live", NULL },
        { "--since=1m", "--until=2m", NULL },
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct proc *tap = proc_start("tulle", "tap", "--listen", proc_address(proc_free_port()),
                                      pairs[i][0], pairs[i][1], NULL);
        assert_int_equal(proc_wait(tap), 2);
        assert_string_equal(proc_text(tap, PROC_OUT), "");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(patterns_choose_and_exclude, proc_end_all),
        cmocka_unit_test_teardown(expressions_choose, proc_end_all),
        cmocka_unit_test_teardown(what_is_left_out_is_counted, proc_end_all),
        cmocka_unit_test_teardown(filters_make_output, proc_end_all),
        cmocka_unit_test_teardown(json_in_its_forms, proc_end_all),
        cmocka_unit_test_teardown(payloads_alone_or_not_at_all, proc_end_all),
        cmocka_unit_test_teardown(formats_have_the_fields_of_the_mesh, proc_end_all),
        cmocka_unit_test_teardown(cloudevents_are_complete, proc_end_all),
        cmocka_unit_test_teardown(history_from_a_place_or_a_time, proc_end_all),
        cmocka_unit_test_teardown(a_time_to_come_ends_a_tap, proc_end_all),
        cmocka_unit_test_teardown(what_does_not_go_together_is_refused, proc_end_all),
    };
    return cmocka_run_group_tests_name("options of tap", tests, NULL, NULL);
}
