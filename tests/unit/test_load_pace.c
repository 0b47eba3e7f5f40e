/* SPDX-License-Identifier: MPL-2.0 */

/* How a publisher of tulle latency waits until an event is due. */

#include "testkit.h"

#include "tools/load/load_pace.h"

#include <time.h>

enum { ROUNDS = 200, ROUND_NS = 90000 };

static int64_t
cpu_ns(void)
{
    struct timespec used;
    assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used), 0);
    return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

/* What it takes of a CPU to wait a little so many times. */
static int64_t
cost_of_waiting(bool is_spinning)
{
    atomic_bool is_over = false;
    int64_t start_ns = cpu_ns();
    for (int i = 0; i < ROUNDS; i++) {
        int64_t due_ns = tulle__load_now_ns() + ROUND_NS;
        tulle__load_sleep_until(due_ns, is_spinning, &is_over);
        assert_true(tulle__load_now_ns() >= due_ns);
    }
    return cpu_ns() - start_ns;
}

TEST(who_spins_takes_the_cpu_and_who_sleeps_does_not)
{
    (void)state;
    int64_t asleep_ns = cost_of_waiting(false);
    int64_t awake_ns = cost_of_waiting(true);
    /* A busy machine takes the CPU away from who spins: then time goes by without cost. */
    if (awake_ns < 2 * asleep_ns)
        fail_msg("awake %ld us, asleep %ld us", (long)awake_ns / 1000, (long)asleep_ns / 1000);
}

TEST(nobody_waits_once_it_is_over)
{
    (void)state;
    atomic_bool is_over = true;
    int64_t start_ns = tulle__load_now_ns();
    tulle__load_sleep_until(start_ns + INT64_C(3600000000000), false, &is_over);
    assert_true(tulle__load_now_ns() - start_ns < INT64_C(60000000000));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_spins_takes_the_cpu_and_who_sleeps_does_not),
        cmocka_unit_test(nobody_waits_once_it_is_over),
    };
    return cmocka_run_group_tests_name("load_pace", tests, NULL, NULL);
}
