/* SPDX-License-Identifier: MPL-2.0 */
/* One large run: 50 nodes on a very bad day. */

#include "testkit.h"

#include "chaos.h"

TEST(fifty_nodes_survive_a_bad_day)
{
    (void)state;
    struct chaos chaos;
    struct chaos_result result;
    chaos_init(&chaos, sim_seed(50));
    chaos.node_count = 50;
    chaos.late_count = 5;
    chaos.stream_count = 6;
    chaos.run_ms = 10000;
    chaos.publish_period_ms = 1500;
    chaos.answer_permille = 12;
    chaos.faults.loss_permille = 200;
    chaos.faults.duplicate_permille = 50;
    chaos.faults.reorder_permille = 100;
    chaos.partitions = 3;
    chaos.restarts = 10;
    chaos.explicit_permille = 100;
    chaos.rest_ms_max = 120000;
    chaos_run(&chaos, &result);

    if (!result.is_good)
        fail_msg("%s", result.failure);
    print_message("published %llu, delivered %llu, messages %llu, rest after %lld ms\n",
                  (unsigned long long)result.published, (unsigned long long)result.delivered,
                  (unsigned long long)result.messages, (long long)result.rest_ms);
    assert_true(result.published > 300);
    assert_true(result.delivered > 8000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fifty_nodes_survive_a_bad_day),
    };
    return cmocka_run_group_tests_name("sim/large", tests, NULL, NULL);
}
