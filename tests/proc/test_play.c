/* SPDX-License-Identifier: MPL-2.0 */

/* What each option of tulle play does with a recording, seen by taps and recorders. */

#include "testkit.h"

#include "app/recording/recording.h"
#include "proc_steps.h"

#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SHOP = 0xa1, PAYMENT = 0xb2, SHIPPING = 0xc3, CHAIN = 1000 };

/* Play the test's recording to the port. */
#define PLAY(port, ...)                                                                            \
    proc_start("tulle", "play", "--join", proc_address(port), "--log-level", "error", __VA_ARGS__, \
               path, NULL)

static char path[300];
static const int64_t first_us = 1700000000000000;

/* ---- recordings ---- */

static struct tulle__recording_writer *
begin_recording(const char *name)
{
    char problem[TULLE__RECORDING_PROBLEM_LEN];
    struct tulle__recording_options options;
    tulle__recording_options_init(&options);
    options.compression = TULLE__RECORDING_NONE;
    (void)snprintf(path, sizeof path, "%s/%s", proc_directory(), name);
    struct tulle__recording_writer *writer = tulle__recording_create(path, &options, problem);
    assert_non_null(writer);
    return writer;
}

static void
end_recording(struct tulle__recording_writer **writer)
{
    char problem[TULLE__RECORDING_PROBLEM_LEN];
    assert_true(tulle__recording_close(writer, problem));
}

struct made {
    uint64_t node;
    const char *name, *stream, *topic;
    uint64_t seq;
    int64_t at_us; /* since the first one */
    const tulle_event_ref *cause;
    const tulle_clock_entry *clock;
    size_t clock_count;
};

static void
add(struct tulle__recording_writer *writer, const struct made *made)
{
    static const tulle_header header = { "k", "v" };
    char payload[64];
    int len = snprintf(payload, sizeof payload, "{\"n\": %" PRIu64 "}", made->seq);
    const tulle_message message = {
        .kind = TULLE_MESSAGE_EVENT,
        .u.event = { .node = made->node,
                     .node_name = made->name,
                     .stream = made->stream,
                     .seq = made->seq,
                     .topic = made->topic,
                     .time_us = first_us + made->at_us,
                     .payload = payload,
                     .payload_len = (size_t)len,
                     .content_type = "application/json",
                     .headers = &header,
                     .header_count = 1,
                     .causes = made->cause,
                     .cause_count = made->cause != NULL,
                     .clock = made->clock,
                     .clock_count = made->clock_count },
    };
    assert_true(tulle__recording_add(writer, &message, first_us + made->at_us * 2));
}

/* Orders; of each order a payment, of each payment a shipment: each service has seen what came
 * before, and names it as cause. */
static void
add_chain(struct tulle__recording_writer *writer, uint64_t i, int64_t at_us)
{
    const tulle_clock_entry clock[] = { { SHOP, "orders", i }, { PAYMENT, "payments", i } };
    const tulle_event_ref order = { SHOP, "orders", i };
    const tulle_event_ref payment = { PAYMENT, "payments", i };
    add(writer, &(struct made){ SHOP, "shop", "orders", "orders/placed", i, at_us, NULL, NULL, 0 });
    add(writer, &(struct made){ PAYMENT, "payment", "payments", "payments/approved", i,
                                at_us + 1000, &order, clock, 1 });
    add(writer, &(struct made){ SHIPPING, "shipping", "shipping", "shipping/sent", i, at_us + 2000,
                                &payment, clock, 2 });
}

/* Three orders, a second apart, each with a payment and a shipment; a gap at the end. */
static int
record_three(void **state)
{
    (void)state;
    struct tulle__recording_writer *writer = begin_recording("three.mcap");
    for (uint64_t i = 1; i <= 3; i++)
        add_chain(writer, i, (int64_t)(i - 1) * 1000000);
    const tulle_message gap = { .kind = TULLE_MESSAGE_GAP,
                                .u.gap = { .node = SHOP,
                                           .node_name = "shop",
                                           .stream = "orders",
                                           .first = 4,
                                           .last = 5,
                                           .reason = TULLE_GAP_EVICTED } };
    assert_true(tulle__recording_add(writer, &gap, first_us + 5000000));
    end_recording(&writer);
    return 0;
}

static int
record_chain(void **state)
{
    (void)state;
    struct tulle__recording_writer *writer = begin_recording("chain.mcap");
    for (uint64_t i = 1; i <= CHAIN; i++)
        add_chain(writer, i, (int64_t)i * 3000);
    end_recording(&writer);
    return 0;
}

/* ---- what comes of them ---- */

static int64_t
now_ms(void)
{
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A tap of what is played. */
static struct proc *
start_listener(int port, const char *format)
{
    struct proc *tap =
        proc_start("tulle", "tap", "-q", "--listen", proc_address(port), "-F", format, NULL);
    proc_wait_port(port);
    return tap;
}

static void
assert_heard(struct proc *tap, const char *expected)
{
    size_t lines = 0;
    for (const char *at = expected; *at != '\0'; at++)
        lines += *at == '\n';
    proc_wait_lines(tap, PROC_OUT, lines);
    proc_signal(tap, SIGINT);
    assert_int_equal(proc_wait(tap), 0);
    assert_string_equal(proc_text(tap, PROC_OUT), expected);
}

static const char *
text_in(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL)
        fail_msg("no %s", key);
    return text;
}

/* The next event of one of the three services, as it was recorded; which of them. */
static size_t
judge_event(const json_t *event, json_int_t heads[static 3])
{
    static const char *const nodes[] = { "shop", "payment", "shipping" };
    static const char *const topics[] = { "orders/placed", "payments/approved", "shipping/sent" };
    size_t which = 0;
    assert_string_equal(text_in(event, "kind"), "event");
    while (which < 2 && strcmp(text_in(event, "node"), nodes[which]) != 0)
        which++;
    heads[which]++;
    assert_string_equal(text_in(event, "node"), nodes[which]);
    assert_string_equal(text_in(event, "topic"), topics[which]);
    assert_string_equal(text_in(event, "content_type"), "application/json");
    assert_string_equal(text_in(json_object_get(event, "headers"), "k"), "v");
    assert_int_equal(json_integer_value(json_object_get(event, "seq")), heads[which]);
    const json_t *payload = json_object_get(event, "payload");
    assert_int_equal(json_integer_value(json_object_get(payload, "n")), heads[which]);
    return which;
}

TEST(events_are_played_as_they_were)
{
    (void)state;
    int port = proc_free_port();
    struct proc *tap =
        proc_start("tulle", "tap", "-q", "--json", "--listen", proc_address(port), "-C", "9", NULL);
    proc_wait_port(port);
    struct proc *play = PLAY(port, "--speed", "max");
    assert_ends(play, 0);
    assert_says(play, PROC_ERR, "9 events of 3 nodes in ");
    assert_says(play, PROC_ERR, "2 events are missing in the recording");
    assert_ends(tap, 0);

    const char *line = proc_text(tap, PROC_OUT);
    char order_id[17] = "";
    json_int_t heads[3] = { 0 };
    for (size_t i = 0; i < 9; i++) {
        json_error_t error;
        json_t *event = json_loads(line, JSON_DISABLE_EOF_CHECK, &error);
        assert_non_null(event);
        size_t which = judge_event(event, heads);
        const json_t *causes = json_object_get(event, "causes");
        if (which == 0) {
            (void)snprintf(order_id, sizeof order_id, "%s", text_in(event, "id"));
            assert_int_equal(json_array_size(causes), 0);
        } else if (which == 1) { /* the cause has its new name */
            char cause[64];
            (void)snprintf(cause, sizeof cause, "%s/orders/%" JSON_INTEGER_FORMAT, order_id,
                           heads[1]);
            assert_string_equal(json_string_value(json_array_get(causes, 0)), cause);
        }
        json_decref(event);
        line = strchr(line, '\n') + 1;
    }
}

/* ---- causal order ---- */

/* Lanes as they were delivered: "id/stream" and how many. */
static void
judge_clock(json_t *delivered, const json_t *event)
{
    const char *lane = NULL;
    json_t *count = NULL;
    char own[300];
    json_t *clock = json_object_get(event, "clock");
    (void)snprintf(own, sizeof own, "%s/%s", json_string_value(json_object_get(event, "id")),
                   json_string_value(json_object_get(event, "stream")));
    json_int_t seq = json_integer_value(json_object_get(event, "seq"));
    assert_int_equal(json_integer_value(json_object_get(delivered, own)), seq - 1);
    json_object_foreach(clock, lane, count)
    {
        if (strcmp(lane, own) != 0 &&
            json_integer_value(json_object_get(delivered, lane)) < json_integer_value(count))
            fail_msg("%s/%" JSON_INTEGER_FORMAT " came before %s/%" JSON_INTEGER_FORMAT, own, seq,
                     lane, json_integer_value(count));
    }
    assert_int_equal(json_object_set_new(delivered, own, json_integer(seq)), 0);
}

static size_t
which_stream(const json_t *event)
{
    static const char *const streams[] = { "orders", "payments", "shipping" };
    size_t which = 0;
    while (which < 2 && strcmp(text_in(event, "stream"), streams[which]) != 0)
        which++;
    assert_string_equal(text_in(event, "stream"), streams[which]);
    return which;
}

/* Every event behind what its clock names; and by content: a payment behind its order, a shipment
 * behind its payment, also by the times of publishing. */
static void
judge_chain(const char *lines)
{
    static char times[3][CHAIN + 1][32];
    json_t *delivered = json_object();
    json_int_t heads[3] = { 0 };
    size_t count = 0;
    for (; *lines != '\0'; lines = strchr(lines, '\n') + 1, count++) {
        json_error_t error;
        json_t *event = json_loads(lines, JSON_DISABLE_EOF_CHECK, &error);
        assert_non_null(event);
        assert_string_equal(text_in(event, "kind"), "event");
        judge_clock(delivered, event);
        size_t which = which_stream(event);
        json_int_t n = json_integer_value(json_object_get(json_object_get(event, "payload"), "n"));
        assert_int_equal(++heads[which], n);
        (void)snprintf(times[which][n], sizeof times[which][n], "%s", text_in(event, "time"));
        if (which > 0) {
            assert_true(n <= heads[which - 1]);
            assert_true(strcmp(times[which][n], times[which - 1][n]) >= 0);
        }
        /* And the clock says so: it is not by luck. */
        assert_int_equal(json_object_size(json_object_get(event, "clock")), which + 1);
        json_decref(event);
    }
    assert_int_equal(count, 3 * CHAIN);
    json_decref(delivered);
}

/* Orders come over a link that loses every third message and is slow, payments and shipments do
 * not: still no payment is seen before its order. */
TEST(causes_come_before_effects_over_a_bad_link)
{
    (void)state;
    int port = proc_free_port();
    int bound = proc_free_port();
    int relayed = proc_free_port();
    char link[128];
    (void)snprintf(link, sizeof link, "%s=%s", proc_address(relayed), proc_address(bound + 1));
    struct proc *tap =
        proc_start("tulle", "tap", "--json", "--listen", proc_address(port), "-C", "3000", NULL);
    proc_wait_port(port);
    struct proc *relay = proc_start("tulle-test-relay", "--events", link, "--drop", "orders=30",
                                    "--delay", "orders=30", NULL);
    proc_wait_text(relay, PROC_OUT, "ready");
    assert_ends(PLAY(port, "--speed", "max", "--listen", proc_address(bound), "--advertise-events",
                     proc_address(relayed)),
                0);
    assert_ends(tap, 0);
    assert_says(tap, PROC_ERR, "3000 events in");
    assert_null(strstr(proc_text(tap, PROC_ERR), " 0 repaired"));
    assert_null(strstr(proc_text(tap, PROC_ERR), " 0 out of order"));
    judge_chain(proc_text(tap, PROC_OUT));
}

/* Fewer nodes than were recorded: what is one node's is still not more dependent than it was. */
TEST(one_node_plays_all_and_keeps_the_order)
{
    (void)state;
    int port = proc_free_port();
    struct proc *tap =
        proc_start("tulle", "tap", "--json", "--listen", proc_address(port), "-C", "3000", NULL);
    proc_wait_port(port);
    struct proc *play = PLAY(port, "--speed", "max", "--nodes", "1", "--name", "all");
    assert_ends(play, 0);
    assert_says(play, PROC_ERR, "3000 events of 1 node in ");
    assert_ends(tap, 0);
    assert_says(tap, PROC_OUT, "\"node\":\"all\"");
    judge_chain(proc_text(tap, PROC_OUT));
}

/* ---- pace ---- */

/* Seconds from the first to the last of so many lines that begin with a time. */
static double
span_of(struct proc *tap, size_t first, size_t count)
{
    double times[2] = { 0 };
    proc_wait_lines(tap, PROC_OUT, first + count);
    const char *line = proc_text(tap, PROC_OUT);
    for (size_t i = 0; i < first + count; i++, line = strchr(line, '\n') + 1) {
        if (i == first || i == first + count - 1)
            times[i == first ? 0 : 1] = strtod(line, NULL);
    }
    return times[1] - times[0];
}

TEST(pace_is_that_of_the_recording_or_as_told)
{
    (void)state;
    int port = proc_free_port();
    struct proc *tap = start_listener(port, "%U %t");
    int64_t start = now_ms();
    struct proc *play = PLAY(port, "--wait-peers", "-t", "orders/**");
    assert_ends(play, 0);
    assert_in_range(now_ms() - start, 2000, 20000);
    assert_says(play, PROC_ERR, " late, at most 0.");
    assert_true(span_of(tap, 0, 2) > 0.9);
    assert_true(span_of(tap, 0, 3) > 1.9);

    /* Arrivals were twice as far apart. */
    struct proc *dry = PLAY(port, "--dry-run", "--by", "arrived", "-t", "orders/**");
    assert_ends(dry, 0);
    assert_says(dry, PROC_OUT, "+2.000000 shop orders/placed\n+4.000000 shop orders/placed\n");
    dry = PLAY(port, "--dry-run", "--max-pause", "0.25", "-t", "orders/**");
    assert_ends(dry, 0);
    assert_says(dry, PROC_OUT, "+0.250000 shop orders/placed\n+0.500000 shop orders/placed\n");

    play = PLAY(port, "--wait-peers", "--speed", "4x", "-t", "orders/**", "-q");
    assert_ends(play, 0);
    assert_string_equal(proc_text(play, PROC_ERR), "");
    assert_true(span_of(tap, 3, 3) > 0.45 && span_of(tap, 3, 3) < 1.5);
    assert_ends(PLAY(port, "--wait-peers", "--speed", "0.5", "-t", "orders/**", "--to", "+1s"), 0);
    assert_true(span_of(tap, 6, 2) > 1.9);
}

/* ---- which events ---- */

TEST(events_can_be_chosen)
{
    (void)state;
    struct proc *dry = PLAY(1, "--dry-run");
    assert_ends(dry, 0);
    assert_string_equal(proc_text(dry, PROC_OUT),
                        "+0.000000 shop orders/placed\n+0.001000 payment payments/approved\n"
                        "+0.002000 shipping shipping/sent\n+1.000000 shop orders/placed\n"
                        "+1.001000 payment payments/approved\n+1.002000 shipping shipping/sent\n"
                        "+2.000000 shop orders/placed\n+2.001000 payment payments/approved\n"
                        "+2.002000 shipping shipping/sent\n");
    dry = PLAY(1, "--dry-run", "--from", "+0.5s", "--to", "+1.0015s");
    assert_ends(dry, 0);
    assert_string_equal(proc_text(dry, PROC_OUT),
                        "+0.000000 shop orders/placed\n+0.001000 payment payments/approved\n");
    dry = PLAY(1, "--dry-run", "--from", "2023-11-14T22:13:22Z", "-T", "orders/**");
    assert_ends(dry, 0);
    assert_string_equal(proc_text(dry, PROC_OUT),
                        "+0.000000 payment payments/approved\n+0.001000 shipping shipping/sent\n");
    dry = PLAY(1, "--dry-run", "-t", "orders/*", "-t", "payments/**", "--where", ".payload.n == 2");
    assert_ends(dry, 0);
    assert_string_equal(proc_text(dry, PROC_OUT),
                        "+0.000000 shop orders/placed\n+0.001000 payment payments/approved\n");
    dry = PLAY(1, "--dry-run", "-C", "2");
    assert_ends(dry, 0);
    assert_int_equal(proc_count_lines(dry, PROC_OUT), 2);
    /* Who reads it may have seen enough. */
    dry = PLAY(1, "--dry-run", "--loop");
    proc_close_output(dry);
    assert_ends(dry, 0);
    dry = PLAY(1, "--dry-run", "-t", "nothing/**");
    assert_ends(dry, 0);
    assert_says(dry, PROC_ERR, "there is nothing to play: 9 events are left out");
    assert_ends(PLAY(1, "--dry-run", "--from", "+2s", "--to", "+1s"), 2);
}

TEST(topics_can_be_renamed)
{
    (void)state;
    int port = proc_free_port();
    struct proc *tap = start_listener(port, "%S %t %s");
    assert_ends(PLAY(port, "--speed", "max", "-C", "3", "--rename", "orders=test/orders",
                     "--rename", "payments/approved=paid", "-r", "=old"),
                0);
    assert_heard(tap, "test/orders test/orders/placed 1\npaid paid 1\n"
                      "old/shipping old/shipping/sent 1\n");
    struct proc *dry = PLAY(port, "--dry-run", "-C", "1", "--rename", "orders=");
    assert_ends(dry, 0);
    assert_string_equal(proc_text(dry, PROC_OUT), "+0.000000 shop orders/placed -> placed\n");
    /* Only whole levels. */
    dry = PLAY(port, "--dry-run", "-C", "1", "--rename", "order=x");
    assert_ends(dry, 0);
    assert_string_equal(proc_text(dry, PROC_OUT), "+0.000000 shop orders/placed\n");
    /* What would have no name is told, and is a failure. */
    dry = PLAY(port, "--dry-run", "-t", "orders/**", "--rename", "orders/placed=");
    assert_ends(dry, 1);
    assert_says(dry, PROC_ERR, "an event of 'orders/placed' cannot be played");
}

TEST(it_can_be_played_again_and_again)
{
    (void)state;
    int port = proc_free_port();
    struct proc *tap = start_listener(port, "%t %s");
    struct proc *play = PLAY(port, "--speed", "max", "--loop=3", "-t", "orders/**", "-t",
                             "payments/**", "--to", "+0.5s");
    assert_ends(play, 0);
    assert_says(play, PROC_ERR, "6 events of 2 nodes");
    assert_heard(tap, "orders/placed 1\npayments/approved 1\norders/placed 2\n"
                      "payments/approved 2\norders/placed 3\npayments/approved 3\n");

    /* Until it is told to stop. */
    tap = start_listener(port, "%t");
    play = PLAY(port, "--speed", "100x", "--loop");
    proc_wait_lines(tap, PROC_OUT, 100);
    proc_signal(play, SIGINT);
    assert_ends(play, 1);
    assert_says(play, PROC_ERR, "interrupted");
    proc_signal(tap, SIGINT);
    assert_ends(tap, 0);
}

/* ---- the mesh ---- */

TEST(it_waits_for_those_who_take_it)
{
    (void)state;
    int port = proc_free_port();
    struct proc *play = PLAY(port, "--speed", "max", "--wait-timeout", "0.3");
    assert_ends(play, 4);
    assert_says(play, PROC_ERR, "no node reached within 0.3 s");
    play = PLAY(port, "--speed", "max", "--wait-timeout", "0.3", "--wait-peers=2");
    assert_ends(play, 4);
    assert_says(play, PROC_ERR, "fewer than 2 nodes that take events");

    /* The taps come later. */
    play = PLAY(port, "--speed", "max", "--wait-peers=2");
    proc_pause(300);
    struct proc *first = start_listener(port, "%t");
    struct proc *second =
        proc_start("tulle", "tap", "-q", "-C", "9", "--join", proc_address(port), "-F", "%t", NULL);
    assert_ends(play, 0);
    assert_ends(second, 0);
    assert_int_equal(proc_count_lines(second, PROC_OUT), 9);
    proc_wait_lines(first, PROC_OUT, 9);
    proc_signal(first, SIGINT);
    assert_ends(first, 0);

    /* Into the void: allowed, and told. */
    play = PLAY(port, "--speed", "max", "--wait-peers=0", "--no-wait");
    assert_ends(play, 0);
    assert_says(play, PROC_ERR, "played, but no connected node takes any of it");
}

TEST(acknowledgements_are_not_waited_for_without_end)
{
    (void)state;
    int port = proc_free_port();
    struct proc *tap = start_listener(port, "%t");
    struct proc *play = PLAY(port, "--speed", "3x", "--wait-peers", "--ack-timeout", "0.5");
    proc_wait_lines(tap, PROC_OUT, 1);
    proc_signal(tap, SIGSTOP);
    assert_ends(play, 1);
    assert_says(play, PROC_ERR, "not everything was acknowledged within 0.5 s");
    proc_signal(tap, SIGCONT);
    proc_signal(tap, SIGINT);
    assert_ends(tap, 0);
}

/* ---- files ---- */

TEST(what_is_left_of_a_recording_is_played)
{
    (void)state;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long len = ftell(file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(truncate(path, len - 40), 0);
    struct proc *dry = PLAY(1, "--dry-run");
    assert_ends(dry, 0);
    assert_int_equal(proc_count_lines(dry, PROC_OUT), 9);
    assert_says(dry, PROC_ERR, "cut off after byte ");
    /* One after the other. */
    dry = PLAY(1, "--dry-run", path);
    assert_ends(dry, 0);
    assert_int_equal(proc_count_lines(dry, PROC_OUT), 18);

    file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, 300, SEEK_SET), 0);
    assert_int_equal(fputc('#', file), '#');
    assert_int_equal(fclose(file), 0);
    dry = PLAY(1, "--dry-run");
    assert_ends(dry, 1);
    assert_says(dry, PROC_ERR, "1 damaged part is left out");
    write_file(path, "no recording");
    dry = PLAY(1, "--dry-run");
    assert_ends(dry, 1);
    assert_says(dry, PROC_ERR, "it is no recording");
}

TEST(options_that_do_not_fit_are_refused)
{
    (void)state;
    static const char *const wrong[][3] = {
        { "a.mcap" }, /* no way to the mesh */
        { "--dry-run" },
        { "--dry-run", "--speed", "fast" },
        { "--dry-run", "--speed", "0" },
        { "--dry-run", "--loop=often", "a" },
        { "--dry-run", "--rename", "orders" },
        { "--dry-run", "--rename", "a//b=c" },
        { "--dry-run", "--from", "then" },
        { "--dry-run", "-t", "a//b" },
        { "--dry-run", "--where=.payload >", "a" },
        { "--dry-run", "--by", "chance" },
        { "--dry-run", "--nodes", "0" },
        { "--dry-run", "--wait-peers=x", "a" },
        { "--dry-run", "--max-pause", "-1" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct proc *play =
            proc_start("tulle", "play", wrong[i][0], wrong[i][1], wrong[i][2], NULL);
        assert_ends(play, 2);
        assert_true(proc_text(play, PROC_ERR)[0] != '\0');
    }
    struct proc *help = proc_start("tulle", "play", "--help", NULL);
    assert_ends(help, 0);
    assert_says(help, PROC_OUT, "--rename");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(events_are_played_as_they_were, record_three, proc_end_all),
        cmocka_unit_test_setup_teardown(causes_come_before_effects_over_a_bad_link, record_chain,
                                        proc_end_all),
        cmocka_unit_test_setup_teardown(one_node_plays_all_and_keeps_the_order, record_chain,
                                        proc_end_all),
        cmocka_unit_test_setup_teardown(pace_is_that_of_the_recording_or_as_told, record_three,
                                        proc_end_all),
        cmocka_unit_test_setup_teardown(events_can_be_chosen, record_three, proc_end_all),
        cmocka_unit_test_setup_teardown(topics_can_be_renamed, record_three, proc_end_all),
        cmocka_unit_test_setup_teardown(it_can_be_played_again_and_again, record_three,
                                        proc_end_all),
        cmocka_unit_test_setup_teardown(it_waits_for_those_who_take_it, record_three, proc_end_all),
        cmocka_unit_test_setup_teardown(acknowledgements_are_not_waited_for_without_end,
                                        record_three, proc_end_all),
        cmocka_unit_test_setup_teardown(what_is_left_of_a_recording_is_played, record_three,
                                        proc_end_all),
        cmocka_unit_test_teardown(options_that_do_not_fit_are_refused, proc_end_all),
    };
    return cmocka_run_group_tests_name("play", tests, NULL, NULL);
}
