/* SPDX-License-Identifier: MPL-2.0 */
/* What is silent is dialed anew: more and more seldom, and at each of its addresses. */

#include "delivery/link.h"
#include "mini_net.h"

#include <inttypes.h>

enum {
    SUSPECT_MS = 300, /* of the nodes here; the timer runs each 20 ms or so */
    LATE_MS = 100,
    OUTAGE_MS = 120000
};

/* Between the i-th dial and the one before. */
static int64_t
pause_before(const struct mini_node *node, size_t i)
{
    return node->dials[i].at_ms - node->dials[i - 1].at_ms;
}

/* A node that is not there, at so many addresses, whose beats come each 20 ms. */
static void
meet_at(struct mini_net *net, uint64_t id, const char *const *addresses, size_t count)
{
    struct tulle__self_out self = { .name = "ghost",
                                    .control_addresses = addresses,
                                    .control_address_count = count,
                                    .event_addresses = addresses,
                                    .event_address_count = count,
                                    .beat_ms = 20 };
    mini_tell_beat(net, MINI_A,
                   &(struct tulle__beat_out){
                       .id = id, .counter = 1, .self = self, .has_self = true, .has_takes = true });
}

TEST(a_silent_peer_is_dialed_more_and_more_seldom)
{
    struct mini_net *net = *state;
    struct mini_node *a = &net->nodes[MINI_A];
    const char *const addresses[] = { "ghost" };
    mini_start(net, 1);
    meet_at(net, TULLE__NODE_ID_MIN + 7, addresses, 1);
    mini_run(net, OUTAGE_MS);

    assert_in_range(a->dial_count, 6, OUTAGE_MS / (16 * SUSPECT_MS) + 6);
    for (size_t i = 1; i < a->dial_count; i++) {
        int64_t least = (int64_t)SUSPECT_MS << (i - 1 < 4 ? i - 1 : 4);
        assert_int_equal(a->dials[i].tries, i);
        assert_in_range(pause_before(a, i), least, least + least / 4 + LATE_MS);
    }
}

TEST(a_beat_begins_it_anew)
{
    struct mini_net *net = *state;
    struct mini_node *a = &net->nodes[MINI_A];
    const char *const addresses[] = { "ghost" };
    mini_start(net, 1);
    meet_at(net, TULLE__NODE_ID_MIN + 7, addresses, 1);
    mini_run(net, OUTAGE_MS);
    size_t before = a->dial_count;

    mini_tell_beat(net, MINI_A,
                   &(struct tulle__beat_out){ .id = TULLE__NODE_ID_MIN + 7, .counter = 2 });
    mini_run(net, SUSPECT_MS + LATE_MS);
    assert_int_equal(a->dial_count, before + 1);
    assert_int_equal(a->dials[before].tries, 1);
}

/* Not before each of them had its turn is it waited longer. */
TEST(all_addresses_have_their_turn_at_once)
{
    struct mini_net *net = *state;
    struct mini_node *a = &net->nodes[MINI_A];
    const char *const addresses[] = { "ghost", "spirit", "shade" };
    mini_start(net, 1);
    meet_at(net, TULLE__NODE_ID_MIN + 7, addresses, 3);
    mini_run(net, INT64_C(10) * SUSPECT_MS);

    assert_true(a->dial_count >= 5);
    for (uint32_t i = 1; i < 5; i++) {
        int64_t least = i < 4 ? SUSPECT_MS : 2 * SUSPECT_MS;
        assert_int_equal(a->dials[i].turn, i);
        assert_int_equal(a->dials[i].tries, i / 3);
        assert_in_range(pause_before(a, i), least, least + least / 4 + LATE_MS);
    }
}

/* There was no memory for it: else beats would come, and nothing would ever be asked for. */
TEST(a_peer_that_was_not_dialed_is_dialed_at_its_next_beat)
{
    struct mini_net *net = *state;
    struct mini_node *a = &net->nodes[MINI_A];
    const char *const addresses[] = { "ghost" };
    struct tulle__self_out self = { .name = "ghost",
                                    .control_addresses = addresses,
                                    .control_address_count = 1,
                                    .event_addresses = addresses,
                                    .event_address_count = 1 };
    struct tulle__beat_out beat = {
        .id = TULLE__NODE_ID_MIN + 7, .counter = 1, .self = self, .has_self = true
    };
    mini_start(net, 1);
    for (beat.counter = 1; beat.counter <= 3; beat.counter++) {
        mini_tell_beat(net, MINI_A, &beat);
        assert_int_equal(a->dial_count, beat.counter);
        tulle__engine_on_undialed(a->engine, beat.id);
    }
    mini_tell_beat(net, MINI_A, &beat);
    beat.counter++;
    mini_tell_beat(net, MINI_A, &beat);
    assert_int_equal(a->dial_count, 4);
}

/* Somebody found out that another one answers: there it is asked at once, and the next turn is
 * that of the one after. */
TEST(where_another_address_answers_it_is_asked_there)
{
    struct mini_net *net = *state;
    struct mini_node *a = &net->nodes[MINI_A];
    const char *const addresses[] = { "ghost", "spirit", "shade" };
    mini_start(net, 1);
    meet_at(net, TULLE__NODE_ID_MIN + 7, addresses, 3);
    mini_run(net, 20);
    uint64_t syncs = mini_counters(net, MINI_A).syncs_sent;

    tulle__engine_on_dialed(a->engine, TULLE__NODE_ID_MIN + 7, 1, net->now);
    tulle__engine_on_dialed(a->engine, TULLE__NODE_ID_MIN + 8, 1, net->now); /* nobody knows it */
    mini_run(net, 2);
    assert_int_equal(mini_counters(net, MINI_A).syncs_sent, syncs + 1);
    mini_run(net, SUSPECT_MS + LATE_MS);
    assert_int_equal(a->dial_count, 2);
    assert_int_equal(a->dials[1].turn, 2);
}

/* Nodes that lost the same one at the same moment. */
TEST(not_all_come_back_at_one_moment)
{
    struct mini_net *net = *state;
    int64_t at_ms[MINI_NODES_MAX];
    const char *const addresses[] = { "ghost" };
    for (size_t i = 0; i < MINI_NODES_MAX; i++) {
        struct mini_node *node = &net->nodes[i];
        node->config.seed = 77 * (i + 1);
        mini_start_one(net, i, i);
        struct tulle__self_out self = { .name = "ghost",
                                        .control_addresses = addresses,
                                        .control_address_count = 1,
                                        .event_addresses = addresses,
                                        .event_address_count = 1,
                                        .beat_ms = 20 };
        mini_tell_beat(net, i,
                       &(struct tulle__beat_out){ .id = TULLE__NODE_ID_MIN + 7,
                                                  .counter = 1,
                                                  .self = self,
                                                  .has_self = true,
                                                  .has_takes = true });
    }
    mini_run(net, INT64_C(64) * SUSPECT_MS);
    for (size_t i = 0; i < MINI_NODES_MAX; i++) {
        assert_true(net->nodes[i].dial_count > 5);
        at_ms[i] = net->nodes[i].dials[5].at_ms;
        for (size_t j = 0; j < i; j++)
            assert_true(at_ms[i] != at_ms[j]);
    }
}

TEST(an_address_where_nobody_answers_is_tried_more_seldom)
{
    struct mini_net *net = *state;
    struct mini_node *a = &net->nodes[MINI_A];
    mini_start(net, 1);
    assert_status(tulle__engine_join(a->engine, "nobody", net->now), TULLE_OK);
    mini_run(net, INT64_C(10) * OUTAGE_MS);

    assert_int_equal(a->dial_count, 6);
    for (uint32_t i = 0; i < a->dial_count; i++)
        assert_int_equal(a->dials[i].tries, i);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_silent_peer_is_dialed_more_and_more_seldom, mini_setup,
                                        mini_teardown),
        cmocka_unit_test_setup_teardown(a_beat_begins_it_anew, mini_setup, mini_teardown),
        cmocka_unit_test_setup_teardown(all_addresses_have_their_turn_at_once, mini_setup,
                                        mini_teardown),
        cmocka_unit_test_setup_teardown(a_peer_that_was_not_dialed_is_dialed_at_its_next_beat,
                                        mini_setup, mini_teardown),
        cmocka_unit_test_setup_teardown(where_another_address_answers_it_is_asked_there, mini_setup,
                                        mini_teardown),
        cmocka_unit_test_setup_teardown(not_all_come_back_at_one_moment, mini_setup, mini_teardown),
        cmocka_unit_test_setup_teardown(an_address_where_nobody_answers_is_tried_more_seldom,
                                        mini_setup, mini_teardown),
    };
    return cmocka_run_group_tests_name("redial", tests, NULL, NULL);
}
