/* SPDX-License-Identifier: MPL-2.0 */
/* What several beyond a limited side of a proxy ask for crosses once. */

#include "forward_kit.h"
#include "mini_net.h"

#include <string.h>

/* Nodes 2 and 4 are beyond a side that lets so many events a second out, and node 3 too, on
 * another side. */
static struct fixture *
open_limited(void **state, uint64_t events_per_second)
{
    struct fixture *f = *state;
    f->config[0].policy.events_per_second = events_per_second;
    for (size_t i = 0; i < SIDES; i++)
        f->config[i].engine.suspect_ms = f->config[i].engine.gone_ms = 60000;
    open_with_nodes(f);
    tell_beat(f, 1, 4, "t", NULL);
    f->log[0] = '\0';
    return f;
}

static void
both_ask(struct fixture *f)
{
    tell_fetch(f, 1, 2, 1, "t", 1);
    tell_fetch(f, 1, 4, 1, "t", 1);
    assert_string_equal(f->log, "0:FETCH>1 0:FETCH>1 ");
    f->log[0] = '\0';
}

TEST(answer_that_two_ask_for_is_published_once)
{
    struct fixture *f = open_limited(state, 100);
    both_ask(f);
    tell_range_to(f, 2, 1, 2);
    tell_range_to(f, 4, 1, 2); /* it was on its way already */

    assert_string_equal(f->log, "1:t/1[9] 1:t/2[9] 1:RANGE>2(0 waits) 2:t/1[9] 2:t/2[9] "
                                "1:RANGE>4(0 waits) ");
    assert_int_equal(counters(f, 1).entered_events, 2);
    assert_int_equal(counters(f, 2).entered_events, 2);
}

TEST(answer_that_one_asks_for_is_its_own)
{
    struct fixture *f = open_limited(state, 100);
    tell_fetch(f, 1, 2, 1, "t", 1);
    tell_fetch(f, 1, 4, 1, "t", 9); /* something else */
    f->log[0] = '\0';
    tell_range_to(f, 2, 1, 2);

    assert_string_equal(f->log, "1:RANGE>2(2) ");
}

TEST(question_for_what_was_just_published_waits)
{
    struct fixture *f = open_limited(state, 100);
    both_ask(f);
    tell_range_to(f, 2, 1, 2);
    f->log[0] = '\0';
    tell_fetch(f, 1, 4, 1, "t", 2);

    assert_string_equal(f->log, "1:RANGE>4(0 waits) ");
}

/* It was lost, or cannot be heard there. */
TEST(what_was_published_before_is_answered_alone)
{
    struct fixture *f = open_limited(state, 100);
    both_ask(f);
    tell_range_to(f, 2, 1, 2);
    pass_time(f, 300);
    f->log[0] = '\0';
    both_ask(f);
    tell_range_to(f, 2, 1, 2);
    tell_range_to(f, 4, 1, 2);

    assert_string_equal(f->log, "1:RANGE>2(2) 1:RANGE>4(2) ");
}

TEST(old_questions_do_not_count)
{
    struct fixture *f = open_limited(state, 100);
    both_ask(f);
    pass_time(f, 3500);
    tell_fetch(f, 1, 2, 1, "t", 1);
    f->log[0] = '\0';
    tell_range_to(f, 2, 1, 2);

    assert_string_equal(f->log, "1:RANGE>2(2) ");
}

/* What is kept here is answered from here, and is no more often on its way. */
TEST(what_is_kept_is_published_for_two)
{
    struct fixture *f = open_limited(state, 100);
    tell_batch(f, 0, 1, "t", 1);
    f->log[0] = '\0';
    tell_fetch(f, 1, 2, 1, "t", 1);
    tell_fetch(f, 1, 4, 1, "t", 1);
    tell_fetch(f, 1, 2, 1, "t", 1);

    assert_string_equal(f->log, "1:RANGE>2(1) 1:t/1[9] 1:RANGE>4(0 waits) 2:t/1[9] "
                                "1:RANGE>2(0 waits) ");
}

/* Node 1 answers node 2 with two batches of one event each, in this order. */
static void
tell_two_batches(struct fixture *f, uint64_t first, uint64_t second)
{
    struct tulle__writer w;
    struct tulle__buf *bufs[] = { mini_batch(id_of(1), first, 1, NULL, 0),
                                  mini_batch(id_of(1), second, 1, NULL, 0) };
    struct tulle__view batches[] = { { bufs[0]->data, bufs[0]->len },
                                     { bufs[1]->data, bufs[1]->len } };
    tulle__writer_init(&w);
    tulle__range_encode(&w, &(struct tulle__range_out){ .reply_to = 1,
                                                        .node = id_of(1),
                                                        .stream = mini_text("t"),
                                                        .first = 1,
                                                        .last = 9,
                                                        .batches = batches,
                                                        .batch_count = 2 });
    tulle__buf_unref(&bufs[0]);
    tulle__buf_unref(&bufs[1]);
    tell_control(
        f, 0,
        &(struct tulle__control_header){ .kind = TULLE__RANGE, .from = id_of(1), .to = id_of(2) },
        &w);
}

/* Whoever asked looks into it; it is not published as if it were one range. */
TEST(answer_in_another_order_is_for_its_asker)
{
    struct fixture *f = open_limited(state, 100);
    both_ask(f);
    tell_range_to(f, 2, 1, 2);
    f->log[0] = '\0';
    tell_two_batches(f, 3, 1);

    assert_string_equal(f->log, "1:RANGE>2(2) ");
}

TEST(answer_with_a_hole_is_for_its_asker)
{
    struct fixture *f = open_limited(state, 100);
    both_ask(f);
    tell_two_batches(f, 1, 3);
    tell_fetch(f, 1, 4, 1, "t", 2);

    assert_string_equal(f->log, "1:RANGE>2(2) 0:FETCH>1 ");
}

/* More is published than the side lets out, for long. What went out before, and was lost, is
 * not on its way. */
TEST(what_is_lost_is_answered_though_the_lane_goes_on)
{
    struct fixture *f = open_limited(state, 10);
    unsigned answers = 0;
    for (uint64_t seq = 1; seq <= 100; seq++) {
        tell_batch(f, 0, 1, "t", seq);
        pass_time(f, 50);
        f->log[0] = '\0';
        if (seq > 30 && seq % 10 == 0)
            tell_fetch(f, 1, 2, 1, "t", 1);
        answers += strstr(f->log, "1:RANGE>2(1)") != NULL ? 1 : 0;
    }
    assert_true(counters(f, 0).limited_now > 0);
    assert_true(answers > 0);
}

TEST(without_a_limit_answers_are_passed_on)
{
    struct fixture *f = open_limited(state, 0);
    both_ask(f);
    tell_range_to(f, 2, 1, 2);
    tell_range_to(f, 4, 1, 2);

    assert_string_equal(f->log, "1:RANGE>2(2) 1:RANGE>4(2) ");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        FORWARD_TEST(answer_that_two_ask_for_is_published_once),
        FORWARD_TEST(answer_that_one_asks_for_is_its_own),
        FORWARD_TEST(question_for_what_was_just_published_waits),
        FORWARD_TEST(what_was_published_before_is_answered_alone),
        FORWARD_TEST(old_questions_do_not_count),
        FORWARD_TEST(what_is_kept_is_published_for_two),
        FORWARD_TEST(answer_in_another_order_is_for_its_asker),
        FORWARD_TEST(answer_with_a_hole_is_for_its_asker),
        FORWARD_TEST(what_is_lost_is_answered_though_the_lane_goes_on),
        FORWARD_TEST(without_a_limit_answers_are_passed_on),
    };
    return cmocka_run_group_tests_name("delivery/forward_share", tests, NULL, NULL);
}
