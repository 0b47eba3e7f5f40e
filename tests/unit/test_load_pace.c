/* SPDX-License-Identifier: MPL-2.0 */

/* How a publisher of tulle latency waits until an event is due. */

#define _GNU_SOURCE /* RUSAGE_THREAD */

#include "testkit.h"

#include "tools/load/load_pace.h"

#include <sys/resource.h>

enum { ROUNDS = 200, ROUND_NS = 90000 };

/* How often the CPU was given up while waiting a little so many times. Time of the CPU would be the
 * obvious measure; but a busy machine takes it away from who spins. */
static long
times_given_up(bool is_spinning)
{
    atomic_bool is_over = false;
    struct rusage before;
    struct rusage after;
    assert_int_equal(getrusage(RUSAGE_THREAD, &before), 0);
    for (int i = 0; i < ROUNDS; i++) {
        int64_t due_ns = tulle__load_now_ns() + ROUND_NS;
        tulle__load_sleep_until(due_ns, is_spinning, &is_over);
        assert_true(tulle__load_now_ns() >= due_ns);
    }
    assert_int_equal(getrusage(RUSAGE_THREAD, &after), 0);
    return after.ru_nvcsw - before.ru_nvcsw;
}

TEST(who_spins_takes_the_cpu_and_who_sleeps_does_not)
{
    (void)state;
    assert_in_range(times_given_up(false), ROUNDS / 2, 2 * ROUNDS);
    assert_in_range(times_given_up(true), 0, ROUNDS / 10);
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
