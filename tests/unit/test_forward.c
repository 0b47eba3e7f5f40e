/* SPDX-License-Identifier: MPL-2.0 */
/* What passes a proxy, what waits there, and what it answers. */

#include "base/alloc.h"
#include "delivery/link.h"
#include "forward_kit.h"
#include "mini_net.h"

#include <stdio.h>
#include <string.h>

TEST(batch_crosses_to_where_its_stream_is_taken)
{
    struct fixture *f = *state;
    open_proxy(f);
    tell_beat(f, 0, 1, NULL, NULL);
    tell_beat(f, 1, 2, "t", NULL);
    tell_beat(f, 2, 3, "u", NULL);
    f->log[0] = '\0';

    tell_batch(f, 0, 1, "t", 1);
    tell_batch(f, 0, 1, "u", 1);
    tell_batch(f, 0, 1, "v", 1);

    assert_string_equal(f->log, "1:t/1[9] 2:u/1[9] ");
    assert_int_equal(counters(f, 0).relayed_batches, 2);
    assert_int_equal(counters(f, 0).dropped_unwanted, 1);
}

TEST(batch_does_not_go_back_to_its_side)
{
    struct fixture *f = *state;
    open_proxy(f);
    tell_beat(f, 0, 1, "t", NULL);
    tell_beat(f, 0, 2, "t", NULL);
    f->log[0] = '\0';

    tell_batch(f, 0, 1, "t", 1);

    assert_string_equal(f->log, "");
}

TEST(path_grows_by_the_proxys_id)
{
    struct fixture *f = *state;
    open_with_nodes(f);

    tell(f, 0, "t", mini_batch(id_of(1), 1, 1, NULL, 0), (const unsigned[]){ 8, 0 });

    assert_string_equal(f->log, "1:t/1[8 9] 2:t/1[8 9] ");
}

TEST(path_that_has_the_proxy_ends_here)
{
    struct fixture *f = *state;
    open_with_nodes(f);

    tell(f, 0, "t", mini_batch(id_of(1), 1, 1, NULL, 0), (const unsigned[]){ PROXY, 0 });

    assert_string_equal(f->log, "");
    assert_int_equal(counters(f, 0).dropped_loop, 1);
}

TEST(path_at_the_hop_limit_ends_here)
{
    struct fixture *f = *state;
    open_with_nodes(f);

    tell(f, 0, "t", mini_batch(id_of(1), 1, 1, NULL, 0), (const unsigned[]){ 7, 8 });

    assert_string_equal(f->log, "");
    assert_int_equal(counters(f, 0).dropped_hops, 1);
}

TEST(batch_that_comes_again_by_any_side_is_not_forwarded)
{
    struct fixture *f = *state;
    open_with_nodes(f);

    tell_batch(f, 0, 1, "t", 1);
    f->log[0] = '\0';
    tell_batch(f, 0, 1, "t", 1);
    tell(f, 1, "t", mini_batch(id_of(1), 1, 1, NULL, 0), (const unsigned[]){ 8, 0 });

    assert_string_equal(f->log, "");
    assert_int_equal(counters(f, 0).relayed_duplicates, 1);
    assert_int_equal(counters(f, 1).relayed_duplicates, 1);
}

TEST(batches_in_any_order_are_forwarded_once_each)
{
    struct fixture *f = *state;
    open_proxy(f);
    tell_beat(f, 1, 2, "t", NULL);
    f->log[0] = '\0';

    tell_batch(f, 0, 1, "t", 3);
    tell_batch(f, 0, 1, "t", 1);
    tell_batch(f, 0, 1, "t", 3);
    tell_batch(f, 0, 1, "t", 2);

    assert_string_equal(f->log, "1:t/3[9] 1:t/1[9] 1:t/2[9] ");
}

/* Nothing is told as a duplicate, or as unwanted, that is none. */
TEST(batch_without_memory_is_counted_as_such)
{
    struct fixture *f = *state;
    open_with_nodes(f);
    for (uint64_t i = 1; i <= 2; i++) { /* for the path, for the lane */
        f->has_no_memory = true;
        tell(f, 0, i == 1 ? "t" : "u", mini_batch(id_of(1), 1, 1, NULL, 0), (unsigned[]){ 8, 0 });
        f->has_no_memory = false;

        assert_int_equal(counters(f, 0).dropped_table_full, i);
        assert_string_equal(f->log, "");
        tell(f, 0, "t", mini_batch(id_of(1), 10 * i, 1, NULL, 0), (unsigned[]){ 8, 0 });
        f->log[0] = '\0';
    }
    assert_int_equal(counters(f, 0).relayed_duplicates + counters(f, 0).dropped_unwanted, 0);
}

/* The lane that makes room may be the one whose stream was just named. */
TEST(there_is_room_for_a_new_lane_when_there_are_too_many)
{
    enum { LANES = 65536 };
    struct fixture *f = *state;
    f->config[0].policy.event_bytes_max = 1;
    open_proxy(f);
    tell_beat(f, 1, 2, "t", NULL);
    for (unsigned node = 100; node < 100 + LANES; node++)
        tell_batch(f, 0, node, "t", 10);
    tell_batch(f, 0, 100, "t", 11);
    tell_batch(f, 0, 99, "t", 10);
    tell_batch(f, 0, 100, "t", 11); /* forgotten, and so new */
    assert_int_equal(counters(f, 0).dropped_size, LANES + 3);
    assert_int_equal(counters(f, 0).relayed_duplicates, 0);
}

TEST(what_goes_on_at_once_needs_no_action)
{
    struct fixture *f = *state;
    const struct tulle__view key = { (const uint8_t *)"t", 2 }, no_path = { NULL, 0 };
    struct tulle__buf *body = mini_batch(id_of(1), 1, 1, NULL, 0);
    open_with_nodes(f);
    const struct tulle__passage *passage =
        tulle__forward_pass(f->forward, 0, key, body, no_path, f->now);
    assert_true(passage->count == 2 && passage->sides[0] == 1 && passage->sides[1] == 2);
    assert_int_equal(counters(f, 0).relayed_events, 2);
    tell(f, 0, "t", body, NULL); /* it came before */
    assert_string_equal(f->log, "");
}

TEST(denied_stream_does_not_leave_its_side)
{
    struct fixture *f = *state;
    const char *deny[] = { "t/**" };
    f->config[0].policy.deny = deny;
    f->config[0].policy.deny_count = 1;
    open_with_nodes(f);

    tell_batch(f, 0, 1, "t", 1);
    tell_batch(f, 1, 2, "t", 1); /* the other way it may */

    assert_string_equal(f->log, "2:t/1[9] ");
    assert_int_equal(counters(f, 0).dropped_policy, 1);
}

TEST(only_allowed_streams_leave_a_side)
{
    struct fixture *f = *state;
    const char *allow[] = { "u" };
    f->config[0].policy.allow = allow;
    f->config[0].policy.allow_count = 1;
    open_with_nodes(f);
    tell_beat(f, 1, 4, "u", NULL);
    f->log[0] = '\0';

    tell_batch(f, 0, 1, "t", 1);
    tell_batch(f, 0, 1, "u", 1);

    assert_string_equal(f->log, "1:u/1[9] ");
}

TEST(interest_of_who_is_gone_is_gone)
{
    struct fixture *f = *state;
    open_with_nodes(f);
    pass_time(f, 1500);
    tell_beat(f, 2, 3, "t", NULL);
    f->log[0] = '\0';

    tell_batch(f, 0, 1, "t", 1);

    assert_string_equal(f->log, "2:t/1[9] ");
}

/* Node 3 is behind proxy 8: what that takes is what it still wants. */
TEST(interest_beyond_another_proxy_is_what_that_takes)
{
    struct fixture *f = *state;
    open_proxy(f);
    tell_beat(f, 0, 1, NULL, NULL);
    tell_beat(f, 1, 3, "t", (const unsigned[]){ 8, 0 });
    f->log[0] = '\0';
    tell_batch(f, 0, 1, "t", 1); /* it is not known yet what proxy 8 takes */
    tell_beat_of(f, 1, 8, "t", NULL, true);
    tell_batch(f, 0, 1, "t", 2);
    tell_beat_of(f, 1, 8, "u", NULL, true);
    tell_batch(f, 0, 1, "t", 3);
    tell_beat_of(f, 1, 8, "t", NULL, true);
    tell_batch(f, 0, 1, "t", 4);

    assert_string_equal(f->log, "1:t/1[9] 1:t/2[9] 1:t/4[9] ");
}

TEST(interest_beyond_a_proxy_that_is_gone_is_gone)
{
    struct fixture *f = *state;
    open_proxy(f);
    tell_beat(f, 1, 3, "t", (const unsigned[]){ 8, 0 });
    tell_beat_of(f, 1, 8, "t", NULL, true);
    pass_time(f, 900);
    tell_beat(f, 1, 3, "t", (const unsigned[]){ 8, 0 });
    pass_time(f, 500);
    f->log[0] = '\0';

    tell_batch(f, 0, 1, "t", 1);

    assert_string_equal(f->log, "");
}

/* Whoever is late and refuses connections has ended; a beat is worth more than a refusal. */
TEST(interest_of_who_is_late_and_refuses_is_gone)
{
    struct fixture *f = *state;
    struct tulle__overdue late[2];
    int64_t next_ns = 0;
    open_with_nodes(f);
    f->now.mono.ns += tulle__ms_to_ns(300);
    tulle__forward_on_refused(f->forward, 1, id_of(2), f->now); /* not late yet */
    tell_batch(f, 0, 1, "t", 1);
    f->now.mono.ns += tulle__ms_to_ns(100);
    tell_beat(f, 2, 3, "t", NULL);
    f->log[0] = '\0';
    const struct tulle__engine *e = tulle__forward_engine(f->forward, 1);
    assert_int_equal(tulle__engine_overdue(e, f->now.mono, late, 2, &next_ns), 1);
    assert_int_equal(node_of(late[0].id), 2);
    assert_string_equal(late[0].address, "tcp://10.0.0.2:7000");

    tulle__forward_on_refused(f->forward, 1, id_of(2), f->now);
    tulle__forward_on_refused(f->forward, 2, id_of(3), f->now);
    tell_batch(f, 0, 1, "t", 2);
    assert_string_equal(f->log, "2:t/2[9] ");
    assert_int_equal(tulle__engine_overdue(e, f->now.mono, late, 2, &next_ns), 0);

    tell_beat(f, 1, 2, "t", NULL);
    f->log[0] = '\0';
    tell_batch(f, 0, 1, "t", 3);
    assert_string_equal(f->log, "1:t/3[9] 2:t/3[9] ");
}

TEST(interest_belongs_to_the_side_where_a_node_is_nearest)
{
    struct fixture *f = *state;
    open_with_nodes(f);
    tell_beat(f, 1, 3, "t", (const unsigned[]){ 8, 0 }); /* heard around the corner too */
    f->log[0] = '\0';

    tell_batch(f, 1, 2, "t", 1);

    assert_string_equal(f->log, "2:t/1[9] ");
}

TEST(too_many_takes_become_everything)
{
    struct fixture *f = *state;
    char text[700][8];
    struct tulle__view takes[700];
    open_proxy(f);
    for (unsigned node = 2; node <= 3; node++) {
        for (unsigned i = 0; i < 700; i++) {
            takes[i] = (struct tulle__view){ (const uint8_t *)text[i], 7 };
            (void)snprintf(text[i], sizeof text[i], "s%u%04u", node, i);
        }
        tell(f, 1, "$beat",
             mini_beat(&(struct tulle__beat_out){
                 .id = id_of(node),
                 .counter = 1,
                 .self = { .takes = takes, .take_count = 700, .takes_version = 1 },
                 .has_takes = true }),
             NULL);
    }
    f->log[0] = '\0';

    tell_batch(f, 0, 1, "s20699", 1);
    tell_batch(f, 0, 1, "s30699", 1);

    assert_string_equal(f->log, "1:s20699/1[9] 1:s30699/1[9] ");
}

TEST(beat_crosses_once_to_every_other_side)
{
    struct fixture *f = *state;
    open_proxy(f);
    tell_beat(f, 0, 1, NULL, NULL);
    assert_string_equal(f->log, "1:beat(1)[9] 2:beat(1)[9] ");
    f->log[0] = '\0';

    f->counter--; /* the same beat, by another proxy */
    tell_beat(f, 1, 1, NULL, (const unsigned[]){ 8, 0 });

    assert_string_equal(f->log, "");
}

TEST(beat_at_the_hop_limit_may_still_come_by_a_shorter_way)
{
    struct fixture *f = *state;
    open_proxy(f);
    tell_beat(f, 0, 1, NULL, (const unsigned[]){ 7, 8 });
    assert_string_equal(f->log, "");
    assert_int_equal(counters(f, 0).dropped_hops, 1);

    f->counter--; /* the same beat */
    tell_beat(f, 1, 1, NULL, (const unsigned[]){ 7, 0 });

    assert_string_equal(f->log, "2:beat(1)[7 9] 0:beat(1)[7 9] ");
}

TEST(beat_of_another_proxy_stays_on_its_segment)
{
    struct fixture *f = *state;
    open_proxy(f);
    struct tulle__beat_out beat = { .id = id_of(8), .counter = 1, .self = { .is_proxy = true } };

    tell(f, 0, "$beat", mini_beat(&beat), NULL);

    assert_string_equal(f->log, "");
}

static void
tell_quiet(struct fixture *f, size_t side, unsigned node, bool is_full)
{
    struct tulle__beat_out beat = {
        .id = id_of(node), .counter = ++f->counter, .is_quiet = true, .is_full = is_full
    };
    tell(f, side, "$beat", mini_beat(&beat), NULL);
}

TEST(beat_without_news_stays_here)
{
    struct fixture *f = *state;
    open_proxy(f);
    tell_quiet(f, 0, 1, false);
    assert_string_equal(f->log, "");
    tell_quiet(f, 0, 1, true); /* a full one now and then */
    assert_string_equal(f->log, "1:beat(1)[9] 2:beat(1)[9] ");
    f->log[0] = '\0';

    for (int i = 0; i < 9; i++) {
        pass_time(f, 1000);
        tell_quiet(f, 0, 1, i % 5 == 4);
    }
    assert_string_equal(f->log, "");
    pass_time(f, 1500);
    tell_quiet(f, 0, 1, true);
    assert_string_equal(f->log, "1:beat(1)[9] 2:beat(1)[9] ");
}

TEST(proxy_tells_of_the_nodes_beyond)
{
    struct fixture *f = *state;
    open_with_nodes(f);
    f->is_beyond_noted = true;
    for (uint32_t ms = 0; ms < f->config[0].engine.beat_ms; ms += 100) {
        for (unsigned node = 1; node <= 3; node++)
            tell_quiet(f, node - 1, node, false);
        pass_time(f, 100);
    }
    assert_non_null(strstr(f->log, "0:beyond(2 3)of 2 "));
    assert_non_null(strstr(f->log, "1:beyond(1 3)of 2 "));
    assert_non_null(strstr(f->log, "2:beyond(1 2)of 2 "));
    assert_null(strstr(f->log, "beat("));
}

TEST(all_nodes_beyond_are_told_of_in_turn)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < SIDES; i++) {
        f->config[i].engine.suspect_ms = 60000;
        f->config[i].engine.beat_ms = 100;
    }
    open_proxy(f);
    for (unsigned node = 10; node < 210; node++)
        tell_quiet(f, node % 2, node, false);
    f->is_beyond_noted = true;
    pass_time(f, 401); /* 64 in a beat */
    for (unsigned node = 10; node < 210; node++)
        assert_in_range(f->told[node], 3, 8); /* all on side 2, half on each other side */
}

TEST(ask_for_full_beats_is_passed_on_once)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < SIDES; i++) {
        f->config[i].engine.suspect_ms = 60000;
        f->config[i].engine.gone_ms = 120000;
    }
    open_proxy(f);
    tell_quiet(f, 0, 1, true);
    struct tulle__beat_out beat = {
        .id = id_of(8), .counter = 1, .self = { .is_proxy = true }, .ask = 12345
    };
    tell(f, 0, "$beat", mini_beat(&beat), NULL);
    pass_time(f, 100); /* a proxy came: that is an ask of its own */
    f->log[0] = '\0';
    tell_quiet(f, 0, 1, true);
    assert_string_equal(f->log, "1:beat(1)[9] 2:beat(1)[9] "); /* it passes now */

    f->are_asks_noted = true;
    pass_time(f, 20000);
    f->log[0] = '\0';
    beat.counter = 2;
    beat.ask = 12346;
    tell(f, 0, "$beat", mini_beat(&beat), NULL);
    pass_time(f, 10000); /* at once, and in timed beats: some may be lost */
    assert_string_equal(f->log, "1:ask 2:ask 1:ask 2:ask 1:ask 2:ask 1:ask 2:ask ");
    f->log[0] = '\0';
    beat.counter = 3;
    tell(f, 0, "$beat", mini_beat(&beat), NULL); /* the same again */
    pass_time(f, 10000);
    assert_string_equal(f->log, "");
}

TEST(control_message_goes_on_towards_its_node)
{
    struct fixture *f = *state;
    open_with_nodes(f);

    tell_fetch(f, 0, 1, 2, "x", 1);

    assert_string_equal(f->log, "1:FETCH>2 ");
    assert_int_equal(counters(f, 1).relayed_control > 0, 1);
}

TEST(control_message_to_nobody_is_counted)
{
    struct fixture *f = *state;
    open_with_nodes(f);

    tell_fetch(f, 0, 1, 77, "x", 1);

    assert_string_equal(f->log, "");
    assert_int_equal(counters(f, 0).dropped_no_route, 1);
}

TEST(fetch_of_what_passed_is_answered_on_the_way)
{
    struct fixture *f = *state;
    open_with_nodes(f);
    tell_batch(f, 0, 1, "t", 1);
    f->log[0] = '\0';

    tell_fetch(f, 1, 2, 1, "t", 1);

    assert_string_equal(f->log, "1:RANGE>2(1) ");
    assert_int_equal(counters(f, 1).fetches_answered, 1);
}

TEST(fetch_of_a_denied_stream_is_refused)
{
    struct fixture *f = *state;
    const char *deny[] = { "t/**" };
    f->config[0].policy.deny = deny;
    f->config[0].policy.deny_count = 1;
    open_with_nodes(f);

    tell_fetch(f, 1, 2, 1, "t", 1);

    assert_string_equal(f->log, "1:RANGE>2(0 withheld) ");
    assert_int_equal(counters(f, 1).fetches_refused, 1);
    assert_int_equal(counters(f, 1).dropped_policy, 1);
}

TEST(answer_of_a_denied_stream_is_emptied)
{
    struct fixture *f = *state;
    const char *deny[] = { "t/**" };
    f->config[0].policy.deny = deny;
    f->config[0].policy.deny_count = 1;
    open_with_nodes(f);

    tell_range_to(f, 2, 1, 2);

    assert_string_equal(f->log, "1:RANGE>2(0 withheld) ");
    assert_int_equal(counters(f, 0).dropped_policy, 1);
    assert_int_equal(counters(f, 0).relayed_events, 0);
}

TEST(answer_is_counted_where_it_leaves_and_enters)
{
    struct fixture *f = *state;
    open_with_nodes(f);

    tell_range_to(f, 2, 1, 2);

    assert_string_equal(f->log, "1:RANGE>2(2) ");
    assert_int_equal(counters(f, 0).relayed_events, 2);
    assert_int_equal(counters(f, 1).entered_events, 2);
    assert_int_equal(counters(f, 0).relayed_bytes, counters(f, 1).entered_bytes);
}

/* What was kept before the policy changed is not handed out any more either. */
TEST(new_policy_holds_for_what_is_kept)
{
    struct fixture *f = *state;
    const char *deny[] = { "t/**" };
    open_with_nodes(f);
    struct tulle__forward_policy policy = f->config[0].policy;
    policy.deny = deny;
    policy.deny_count = 1;
    tell_batch(f, 0, 1, "t", 1);
    assert_true(tulle__forward_set_policy(f->forward, 0, &policy, f->now));
    f->log[0] = '\0';

    tell_fetch(f, 1, 2, 1, "t", 1);
    tell_fetch(f, 1, 2, PROXY, "t", 1);

    assert_string_equal(f->log, "1:RANGE>2(0 withheld) 1:RANGE>2(0) ");
}

/* Four events, of which the last one or two wait for a rate. */
static void
let_some_wait(struct fixture *f, uint64_t first)
{
    f->config[0].policy.events_per_second = 2;
    open_with_nodes(f);
    for (uint64_t seq = first; seq < first + 4; seq++)
        tell_batch(f, 0, 1, "t", seq);
    assert_true(counters(f, 0).limited_now > 0);
    f->log[0] = '\0';
}

TEST(new_policy_holds_for_what_waits)
{
    struct fixture *f = *state;
    const char *deny[] = { "t/**" };
    let_some_wait(f, 1);
    struct tulle__forward_policy policy = f->config[0].policy;
    policy.deny = deny;
    policy.deny_count = 1;
    assert_true(tulle__forward_set_policy(f->forward, 0, &policy, f->now));
    pass_time(f, 3000);

    assert_string_equal(f->log, "");
    assert_int_equal(counters(f, 0).limited_now, 0);
    assert_int_equal(counters(f, 0).dropped_policy, 1);
}

TEST(new_limit_of_size_holds_for_what_waits)
{
    struct fixture *f = *state;
    let_some_wait(f, 11); /* payloads of two bytes */
    struct tulle__forward_policy policy = f->config[0].policy;
    policy.event_bytes_max = 1;
    assert_true(tulle__forward_set_policy(f->forward, 0, &policy, f->now));
    pass_time(f, 3000);

    assert_string_equal(f->log, "");
    assert_int_equal(counters(f, 0).limited_now, 0);
    assert_int_equal(counters(f, 0).dropped_size, 1);
}

/* A second's worth crosses; then batches wait, answers have a share, and beats do not wait. */
TEST(what_is_over_a_rate_waits)
{
    struct fixture *f = *state;
    f->config[0].policy.events_per_second = 2;
    open_with_nodes(f);

    for (uint64_t seq = 1; seq <= 4; seq++)
        tell_batch(f, 0, 1, "t", seq);
    tell_beat(f, 0, 1, NULL, NULL);
    tell_range_to(f, 2, 1, 1);
    tell_fetch(f, 1, 2, 1, "t", 4);

    assert_string_equal(f->log, "1:t/1[9] 2:t/1[9] 1:t/2[9] 2:t/2[9] 1:t/3[9] 2:t/3[9] "
                                "1:beat(1)[9] 2:beat(1)[9] 1:RANGE>2(1) 1:RANGE>2(0 waits) ");
    assert_int_equal(counters(f, 0).limited_events, 1);
    assert_int_equal(counters(f, 0).limited_fetches, 1);
    assert_int_equal(counters(f, 0).limited_now, 1);
}

/* What waits goes on in order, one of each lane in turn, and who asks for it waits too. */
TEST(what_waits_goes_on_as_the_rate_allows)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < SIDES; i++)
        f->config[i].engine.suspect_ms = f->config[i].engine.gone_ms = 60000;
    f->config[0].policy.events_per_second = 1;
    open_with_nodes(f);
    tell_beat(f, 0, 4, NULL, NULL);
    f->log[0] = '\0';
    for (uint64_t seq = 1; seq <= 3; seq++)
        tell_batch(f, 0, 1, "t", seq);
    tell_batch(f, 0, 4, "t", 1);
    assert_string_equal(f->log, "1:t/1[9] 2:t/1[9] 1:t/2[9] 2:t/2[9] ");
    assert_int_equal(counters(f, 0).limited_now, 2);
    f->log[0] = '\0';

    tell_fetch(f, 1, 2, 1, "t", 3);
    assert_string_equal(f->log, "1:RANGE>2(0 waits) ");
    f->log[0] = '\0';
    pass_time(f, 1001);
    assert_string_equal(f->log, "1:t/3[9] 2:t/3[9] ");
    tell_batch(f, 0, 1, "t", 4); /* behind that of the other lane */
    pass_time(f, 1001);
    assert_string_equal(f->log, "1:t/3[9] 2:t/3[9] 1:t/1[9] 2:t/1[9] ");
    assert_int_equal(counters(f, 0).limited_now, 1);
}

/* Who lost what went on gets it again, though others wait all the time. */
TEST(answers_have_their_share_of_a_rate)
{
    struct fixture *f = *state;
    f->config[0].policy.events_per_second = 10;
    open_with_nodes(f);
    for (uint64_t seq = 1; seq <= 40; seq++)
        tell_batch(f, 0, 1, "t", seq);
    pass_time(f, 500);
    tell_batch(f, 0, 4, "u", 1); /* nobody takes it: it uses nothing of the rate */
    f->log[0] = '\0';

    tell_range_to(f, 2, 1, 4);
    tell_range_to(f, 2, 1, 4);
    tell_range_to(f, 2, 1, 4);

    assert_string_equal(f->log, "1:RANGE>2(4) 1:RANGE>2(4) 1:RANGE>2(0 waits) ");
}

/* What waits is not kept here, and nobody asks: those beyond take it in arrival order, or have
 * it from elsewhere. */
TEST(what_nobody_asks_for_does_not_hold_back_what_comes)
{
    struct fixture *f = *state;
    f->retain_bytes = 0;
    f->config[0].policy.events_per_second = 1;
    for (size_t i = 0; i < SIDES; i++)
        f->config[i].engine.suspect_ms = f->config[i].engine.gone_ms = 60000;
    open_with_nodes(f);
    for (uint64_t seq = 1; seq <= 3; seq++)
        tell_batch(f, 0, 1, "t", seq);
    assert_int_equal(counters(f, 0).limited_now, 1);
    pass_time(f, 3500);
    f->log[0] = '\0';

    tell_batch(f, 0, 1, "t", 4);

    assert_string_equal(f->log, "1:t/4[9] 2:t/4[9] ");
    assert_int_equal(counters(f, 0).limited_now, 0);
}

TEST(rubbish_is_counted_and_goes_nowhere)
{
    struct fixture *f = *state;
    open_with_nodes(f);
    struct tulle__buf *rubbish = tulle__buf_copy("rubbish", 7);

    tell(f, 0, "t", rubbish, NULL);

    assert_string_equal(f->log, "");
    assert_int_equal(counters(f, 0).dropped_malformed, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        FORWARD_TEST(batch_crosses_to_where_its_stream_is_taken),
        FORWARD_TEST(batch_does_not_go_back_to_its_side),
        FORWARD_TEST(path_grows_by_the_proxys_id),
        FORWARD_TEST(path_that_has_the_proxy_ends_here),
        FORWARD_TEST(path_at_the_hop_limit_ends_here),
        FORWARD_TEST(batch_that_comes_again_by_any_side_is_not_forwarded),
        FORWARD_TEST(batches_in_any_order_are_forwarded_once_each),
        FORWARD_TEST(batch_without_memory_is_counted_as_such),
        FORWARD_TEST(there_is_room_for_a_new_lane_when_there_are_too_many),
        FORWARD_TEST(what_goes_on_at_once_needs_no_action),
        FORWARD_TEST(denied_stream_does_not_leave_its_side),
        FORWARD_TEST(only_allowed_streams_leave_a_side),
        FORWARD_TEST(interest_of_who_is_gone_is_gone),
        FORWARD_TEST(interest_beyond_another_proxy_is_what_that_takes),
        FORWARD_TEST(interest_beyond_a_proxy_that_is_gone_is_gone),
        FORWARD_TEST(interest_of_who_is_late_and_refuses_is_gone),
        FORWARD_TEST(interest_belongs_to_the_side_where_a_node_is_nearest),
        FORWARD_TEST(too_many_takes_become_everything),
        FORWARD_TEST(beat_crosses_once_to_every_other_side),
        FORWARD_TEST(beat_at_the_hop_limit_may_still_come_by_a_shorter_way),
        FORWARD_TEST(beat_of_another_proxy_stays_on_its_segment),
        FORWARD_TEST(beat_without_news_stays_here),
        FORWARD_TEST(proxy_tells_of_the_nodes_beyond),
        FORWARD_TEST(all_nodes_beyond_are_told_of_in_turn),
        FORWARD_TEST(ask_for_full_beats_is_passed_on_once),
        FORWARD_TEST(control_message_goes_on_towards_its_node),
        FORWARD_TEST(control_message_to_nobody_is_counted),
        FORWARD_TEST(fetch_of_what_passed_is_answered_on_the_way),
        FORWARD_TEST(fetch_of_a_denied_stream_is_refused),
        FORWARD_TEST(answer_of_a_denied_stream_is_emptied),
        FORWARD_TEST(answer_is_counted_where_it_leaves_and_enters),
        FORWARD_TEST(new_policy_holds_for_what_is_kept),
        FORWARD_TEST(new_policy_holds_for_what_waits),
        FORWARD_TEST(new_limit_of_size_holds_for_what_waits),
        FORWARD_TEST(what_is_over_a_rate_waits),
        FORWARD_TEST(what_waits_goes_on_as_the_rate_allows),
        FORWARD_TEST(answers_have_their_share_of_a_rate),
        FORWARD_TEST(what_nobody_asks_for_does_not_hold_back_what_comes),
        FORWARD_TEST(rubbish_is_counted_and_goes_nowhere),
    };
    return cmocka_run_group_tests_name("delivery/forward", tests, NULL, NULL);
}
