/* SPDX-License-Identifier: MPL-2.0 */
/* The oracle sees what it is there for: each rule of the engine, broken on purpose,
 * makes some of a few seeds fail; unbroken, the same seeds pass. */

#include "testkit.h"

#include "chaos.h"

#include <string.h>

enum { SEEDS = 12 };

/* Even seeds: little is kept, nodes come and go. Odd ones: many join while others
 * are hard to reach, and nothing is ever lost for good. */
static void
make_run(struct chaos *chaos, uint64_t seed)
{
    chaos_init(chaos, seed);
    chaos->stream_count = 5;
    chaos->run_ms = 5000;
    chaos->publish_period_ms = 200;
    chaos->faults.duplicate_permille = 100;
    chaos->faults.reorder_permille = 200;
    chaos->faults.reorder_us_max = 200000;
    if (seed % 2 == 0) {
        chaos->node_count = 6;
        chaos->late_count = 2;
        chaos->faults.loss_permille = 100;
        chaos->partitions = 1;
        chaos->restarts = 1;
        chaos->retain_bytes = 3000;
        chaos->retain_others_bytes = 3000;
    } else {
        chaos->node_count = 9;
        chaos->late_count = 5;
        chaos->faults.loss_permille = 300;
    }
}

/* How many of the seeds fail. */
static int
count_failures(enum tulle__mutation mutation)
{
    int failures = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct chaos chaos;
        struct chaos_result result;
        make_run(&chaos, seed);
        chaos.mutation = mutation;
        chaos_run(&chaos, &result);
        if (result.is_good)
            continue;
        failures++;
        if (mutation == TULLE__MUTATION_NONE)
            print_error("%s\n", result.failure);
    }
    return failures;
}

TEST(unbroken_rules_pass)
{
    (void)state;
    assert_int_equal(count_failures(TULLE__MUTATION_NONE), 0);
}

TEST(ignored_deps_are_seen)
{
    (void)state;
    assert_true(count_failures(TULLE__MUTATION_IGNORE_DEPS) > 0);
}

TEST(an_ignored_clock_of_a_joiner_is_seen)
{
    (void)state;
    assert_true(count_failures(TULLE__MUTATION_IGNORE_CLOCK) > 0);
}

TEST(kept_duplicates_are_seen)
{
    (void)state;
    assert_true(count_failures(TULLE__MUTATION_KEEP_DUPLICATES) > 0);
}

TEST(silent_gaps_are_seen)
{
    (void)state;
    assert_true(count_failures(TULLE__MUTATION_SILENT_GAPS) > 0);
}

TEST(short_deltas_are_seen)
{
    (void)state;
    assert_true(count_failures(TULLE__MUTATION_SHORT_DELTAS) > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unbroken_rules_pass),
        cmocka_unit_test(ignored_deps_are_seen),
        cmocka_unit_test(an_ignored_clock_of_a_joiner_is_seen),
        cmocka_unit_test(kept_duplicates_are_seen),
        cmocka_unit_test(silent_gaps_are_seen),
        cmocka_unit_test(short_deltas_are_seen),
    };
    return cmocka_run_group_tests_name("sim/mutations", tests, NULL, NULL);
}
