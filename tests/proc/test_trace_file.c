/* SPDX-License-Identifier: MPL-2.0 */

/* Traces of recordings: whole ones, cut off ones, and files that are none. */

#include "testkit.h"

#include "app/recording/recording.h"
#include "proc_kit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SHOP = 0xa1, PAYMENT = 0xb2, LATER = 200 };

static char path[200];
static int64_t time_us = 1700000000000000;

static void
add(struct tulle__recording_writer *writer,
    uint64_t node,
    const char *topic,
    uint64_t seq,
    const tulle_event_ref *cause)
{
    bool is_shop = node == SHOP;
    time_us += 1500;
    const tulle_clock_entry clock[] = { { SHOP, "orders", seq }, { node, "payments", seq } };
    const tulle_message message = {
        .kind = TULLE_MESSAGE_EVENT,
        .u.event = { .node = node,
                     .node_name = is_shop ? "shop" : "payment",
                     .stream = is_shop ? "orders" : "payments",
                     .seq = seq,
                     .topic = topic,
                     .time_us = time_us,
                     .hlc = (uint64_t)time_us << 12,
                     .payload = "\xa5hello",
                     .payload_len = 6,
                     .causes = cause,
                     .cause_count = cause != NULL,
                     .clock = clock,
                     .clock_count = is_shop ? 1 : 2 },
    };
    assert_true(tulle__recording_add(writer, &message, time_us + 100));
}

static void
add_gap(struct tulle__recording_writer *writer, uint64_t seq)
{
    const tulle_message message = { .kind = TULLE_MESSAGE_GAP,
                                    .u.gap = { .node = SHOP,
                                               .node_name = "shop",
                                               .stream = "orders",
                                               .first = seq,
                                               .last = seq,
                                               .reason = TULLE_GAP_EVICTED } };
    assert_true(tulle__recording_add(writer, &message, time_us));
}

/* Three orders with a payment each, the fourth is lost but its payment is not, the fifth payment
 * names no cause; then many more orders. */
static int
record(void **state)
{
    (void)state;
    char problem[TULLE__RECORDING_PROBLEM_LEN];
    struct tulle__recording_options options;
    tulle__recording_options_init(&options);
    options.open = TULLE__RECORDING_REPLACE;
    (void)snprintf(path, sizeof path, "%s/recording.mcap", proc_directory());
    struct tulle__recording_writer *writer = tulle__recording_create(path, &options, problem);
    assert_non_null(writer);
    for (uint64_t i = 1; i <= 4; i++) {
        if (i < 4)
            add(writer, SHOP, "orders/placed", i, NULL);
        else
            add_gap(writer, i);
        add(writer, PAYMENT, "payments/approved", i, &(tulle_event_ref){ SHOP, "orders", i });
    }
    add(writer, SHOP, "orders/placed", 5, NULL);
    add(writer, PAYMENT, "payments/approved", 5, NULL);
    assert_true(tulle__recording_flush(writer));
    for (uint64_t i = 6; i <= LATER; i++)
        add(writer, SHOP, "orders/placed", i, NULL);
    assert_true(tulle__recording_close(&writer, problem));
    return 0;
}

static struct proc *
trace(int status, const char *option, const char *argument)
{
    struct proc *proc = proc_start("tulle", "trace", "--file", path, option, argument, NULL);
    int ended = proc_wait(proc);
    if (ended != status)
        print_error("%s", proc_text(proc, PROC_ERR));
    assert_int_equal(ended, status);
    return proc;
}

static void
assert_has(struct proc *proc, enum proc_stream stream, const char *part)
{
    if (strstr(proc_text(proc, stream), part) == NULL)
        print_error("not there: %s\nin: %s\n", part, proc_text(proc, stream));
    assert_non_null(strstr(proc_text(proc, stream), part));
}

TEST(a_recording_is_traced)
{
    (void)state;
    struct proc *proc = trace(0, "--quiet", "payment/payments/2");
    assert_has(proc, PROC_OUT, "shop/orders/2");
    assert_has(proc, PROC_OUT, "* payments/approved   +1.50 ms   1.50 ms  payment/payments/2");
    assert_has(proc, PROC_OUT, "\n2 events, at most 1 step, 1.50 ms from first to last\n");
    assert_string_equal(proc_text(proc, PROC_ERR), "");
    proc = trace(0, "--up", "00000000000000b2/payments/4");
    assert_has(proc, PROC_OUT, "? shop/orders/4: not kept any more\n");
    /* The clock tells for the one that names no cause. */
    proc = trace(0, "--potential", "payment/payments/5");
    assert_has(proc, PROC_OUT, "payment/payments/5");
    assert_has(proc, PROC_OUT, "shop/orders/5");
    assert_has(trace(0, "--limit", "7"), PROC_OUT, "\n7 events");
    proc = trace(0, "--take", "payments/**");
    assert_has(proc, PROC_OUT, "\n5 events");
    assert_has(proc, PROC_OUT, "shop/orders/1: not read\n");
    (void)trace(1, "--quiet", "nobody/orders/1");
}

TEST(what_is_left_of_a_recording_is_traced)
{
    (void)state;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long len = ftell(file);
    (void)fclose(file);
    assert_int_equal(truncate(path, len / 2), 0);
    struct proc *proc = trace(0, "--quiet", "payment/payments/2");
    assert_has(proc, PROC_OUT, "\n2 events");
    assert_has(proc, PROC_ERR, path);
    assert_int_equal(truncate(path, 3), 0);
    proc = trace(1, "--quiet", "payment/payments/2");
    assert_has(proc, PROC_ERR, path);
    assert_string_equal(proc_text(proc, PROC_OUT), "");
    assert_int_equal(unlink(path), 0);
    (void)trace(1, "--quiet", "payment/payments/2");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_recording_is_traced, record, proc_end_all),
        cmocka_unit_test_setup_teardown(what_is_left_of_a_recording_is_traced, record,
                                        proc_end_all),
    };
    return cmocka_run_group_tests_name("trace of recordings", tests, NULL, NULL);
}
