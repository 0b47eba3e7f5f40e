/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include "codec/beat.h"
#include "codec/control.h"

#include <string.h>

#define VIEW(literal) ((struct tulle__view){ (const uint8_t *)(literal), sizeof(literal) - 1 })
#define A             UINT64_C(0xa11ce00000000001)
#define B             UINT64_C(0xb0b0000000000002)

static const char *const control_addresses[] = { "tcp://10.0.0.7:7000", "ipc:///run/a" };
static const char *const event_addresses[] = { "tcp://10.0.0.7:7001" };

static int
setup(void **state)
{
    static struct tulle__writer writer;
    tulle__writer_init(&writer);
    *state = &writer;
    return 0;
}

static int
teardown(void **state)
{
    tulle__writer_fini(*state);
    return 0;
}

/* Who node "billing" is; takes is borrowed. */
static struct tulle__self_out
billing(const struct tulle__view takes[static 2])
{
    return (struct tulle__self_out){
        .name = "billing",
        .control_addresses = control_addresses,
        .control_address_count = 2,
        .event_addresses = event_addresses,
        .event_address_count = 1,
        .takes = takes,
        .take_count = 2,
        .takes_version = 3,
        .beat_ms = 500,
        .is_proxy = true,
    };
}

static void
assert_billing(const struct tulle__self_view *self)
{
    struct tulle__list control = self->control_addresses;
    struct tulle__list events = self->event_addresses;
    struct tulle__list takes = self->takes;
    struct tulle__view view;

    assert_true(tulle__view_is(self->name, "billing"));
    assert_true(self->has_addresses && self->has_takes && self->is_proxy);
    assert_true(self->takes_version == 3);
    assert_int_equal(self->beat_ms, 500);
    assert_true(tulle__list_next_text(&control, &view));
    assert_true(tulle__view_is(view, control_addresses[0]));
    assert_true(tulle__list_next_text(&control, &view));
    assert_true(tulle__view_is(view, control_addresses[1]));
    assert_false(tulle__list_next_text(&control, &view));
    assert_true(tulle__list_next_text(&events, &view));
    assert_true(tulle__view_is(view, event_addresses[0]));
    assert_false(tulle__list_next_text(&events, &view));
    assert_true(tulle__list_next_text(&takes, &view));
    assert_true(tulle__view_equal(view, VIEW("orders\0")));
    assert_true(tulle__list_next_text(&takes, &view));
    assert_int_equal(view.len, 0);
    assert_false(tulle__list_next_text(&takes, &view));
}

static const struct tulle__view takes[] = { { (const uint8_t *)"orders", 7 },
                                            { (const uint8_t *)"", 0 } };

TEST(header_comes_back_as_it_was)
{
    struct tulle__writer *w = *state;
    const struct tulle__control_header header = { TULLE__FETCH, VIEW("prod"), A, B, 77, 2 };
    struct tulle__control_header found;

    tulle__header_encode(w, &header);

    assert_status(tulle__header_decode(w->data, w->len, &found), TULLE_OK);
    assert_int_equal(found.kind, TULLE__FETCH);
    assert_true(tulle__view_is(found.mesh, "prod"));
    assert_true(found.from == A && found.to == B && found.counter == 77);
    assert_int_equal(found.hops, 2);
    for (size_t len = 0; len < w->len; len++)
        assert_status(tulle__header_decode(w->data, len, &found), TULLE_EBADMSG);
}

TEST(kind_of_a_later_version_is_told_apart)
{
    struct tulle__writer *w = *state;
    struct tulle__control_header header = { TULLE__SYNC, VIEW("prod"), A, 0, 1, 0 };
    header.kind = (enum tulle__control_kind)9;

    tulle__header_encode(w, &header);

    assert_status(tulle__header_decode(w->data, w->len, &header), TULLE_EVERSION);
}

TEST(full_beat_comes_back_as_it_was)
{
    struct tulle__writer *w = *state;
    const struct tulle__head heads[] = { { VIEW("orders"), 12 }, { VIEW("sensors/42"), 0 } };
    const struct tulle__dep acks[] = { { B, VIEW("orders"), 5 } };
    const struct tulle__beat_out beat = {
        .mesh = VIEW("prod"),
        .id = A,
        .counter = 9,
        .hlc = 1234,
        .self = billing(takes),
        .has_self = true,
        .has_takes = true,
        .is_full = true,
        .heads = heads,
        .head_count = 2,
        .acks = acks,
        .ack_count = 1,
    };
    struct tulle__beat_view found;
    struct tulle__head head;
    struct tulle__dep dep;

    tulle__beat_encode(w, &beat);
    assert_status(tulle__beat_decode(w->data, w->len, &found), TULLE_OK);

    assert_true(tulle__view_is(found.mesh, "prod"));
    assert_true(found.id == A && found.counter == 9 && found.hlc == 1234);
    assert_true(found.is_full && !found.is_leaving);
    assert_billing(&found.self);
    assert_true(tulle__list_next_head(&found.heads, &head));
    assert_true(tulle__view_is(head.stream, "orders") && head.head == 12);
    assert_true(tulle__list_next_head(&found.heads, &head));
    assert_true(tulle__view_is(head.stream, "sensors/42") && head.head == 0);
    assert_false(tulle__list_next_head(&found.heads, &head));
    assert_true(tulle__clock_view_next(&found.acks, &dep));
    assert_true(dep.node == B && dep.count == 5 && tulle__view_is(dep.stream, "orders"));
    assert_false(tulle__clock_view_next(&found.acks, &dep));
}

TEST(every_cut_of_a_beat_is_refused)
{
    struct tulle__writer *w = *state;
    const struct tulle__head heads[] = { { VIEW("orders"), 12 } };
    const struct tulle__dep acks[] = { { B, VIEW("orders"), 5 } };
    const struct tulle__beat_out beat = {
        .mesh = VIEW("prod"),
        .id = A,
        .self = billing(takes),
        .has_self = true,
        .has_takes = true,
        .heads = heads,
        .head_count = 1,
        .acks = acks,
        .ack_count = 1,
    };
    struct tulle__beat_view found;

    tulle__beat_encode(w, &beat);

    for (size_t len = 0; len < w->len; len++)
        assert_status(tulle__beat_decode(w->data, len, &found), TULLE_EBADMSG);
    assert_status(tulle__beat_decode(w->data, w->len, &found), TULLE_OK);
}

TEST(small_beat_says_only_who_and_when)
{
    struct tulle__writer *w = *state;
    const struct tulle__beat_out beat = {
        .mesh = VIEW("prod"),
        .id = A,
        .counter = 1,
        .hlc = 5,
        .self = billing(takes),
        .is_leaving = true,
    };
    struct tulle__beat_view found;
    struct tulle__head head;

    tulle__beat_encode(w, &beat);
    assert_status(tulle__beat_decode(w->data, w->len, &found), TULLE_OK);

    assert_true(tulle__view_is(found.self.name, "billing"));
    assert_true(found.is_leaving);
    assert_false(found.self.has_addresses || found.self.has_takes || found.is_full);
    assert_true(found.self.takes_version == 3);
    assert_false(tulle__list_next_head(&found.heads, &head));
    assert_int_equal(found.acks.count, 0);
}

TEST(no_takes_differ_from_takes_not_said)
{
    struct tulle__writer *w = *state;
    struct tulle__beat_out beat = { .mesh = VIEW("m"), .id = A, .self = { .name = "x" } };
    struct tulle__beat_view found;

    beat.has_takes = true;
    tulle__beat_encode(w, &beat);
    assert_status(tulle__beat_decode(w->data, w->len, &found), TULLE_OK);
    assert_true(found.self.has_takes);
    assert_int_equal(found.self.takes.count, 0);

    tulle__writer_reset(w);
    beat.has_takes = false;
    tulle__beat_encode(w, &beat);
    assert_status(tulle__beat_decode(w->data, w->len, &found), TULLE_OK);
    assert_false(found.self.has_takes);
}

TEST(sync_comes_back_as_it_was)
{
    struct tulle__writer *w = *state;
    const struct tulle__sync_out sync = { .self = billing(takes), .wants_lanes = true };
    struct tulle__sync_view found;

    tulle__sync_encode(w, &sync);

    assert_status(tulle__sync_decode(w->data, w->len, &found), TULLE_OK);
    assert_true(found.wants_lanes);
    assert_billing(&found.self);
    for (size_t len = 0; len < w->len; len++)
        assert_status(tulle__sync_decode(w->data, len, &found), TULLE_EBADMSG);
}

static const struct tulle__dep lane_clock[] = { { B, { (const uint8_t *)"orders", 6 }, 5 } };
static const struct tulle__here_lane_out lanes[] = {
    { { (const uint8_t *)"orders", 6 }, 12, 3, lane_clock, 1 },
    { { (const uint8_t *)"quiet", 5 }, 0, 1, NULL, 0 },
};
static const struct tulle__holding holdings[] = {
    { .node = B,
      .stream = { (const uint8_t *)"orders", 6 },
      .name = { (const uint8_t *)"web", 3 },
      .first = 2,
      .last = 5 },
};
static const struct tulle__known_out peers[] = {
    { B, "web", control_addresses, 2, event_addresses, 1, false },
};

static void
encode_here(struct tulle__writer *w)
{
    const struct tulle__here_out here = {
        .reply_to = 7,
        .self = billing(takes),
        .lanes = lanes,
        .lane_count = 2,
        .has_lanes = true,
        .holdings = holdings,
        .holding_count = 1,
        .peers = peers,
        .peer_count = 1,
    };
    tulle__here_encode(w, &here);
}

TEST(here_tells_of_lanes)
{
    struct tulle__writer *w = *state;
    struct tulle__here_view found;
    struct tulle__here_lane lane;
    struct tulle__dep dep;

    encode_here(w);
    assert_status(tulle__here_decode(w->data, w->len, &found), TULLE_OK);

    assert_true(found.reply_to == 7 && found.has_lanes);
    assert_billing(&found.self);
    assert_true(tulle__list_next_lane(&found.lanes, &lane));
    assert_true(tulle__view_is(lane.stream, "orders") && lane.head == 12 && lane.first == 3);
    assert_true(tulle__clock_view_next(&lane.clock, &dep));
    assert_true(dep.node == B && dep.count == 5);
    assert_false(tulle__clock_view_next(&lane.clock, &dep));
    assert_true(tulle__list_next_lane(&found.lanes, &lane));
    assert_true(tulle__view_is(lane.stream, "quiet") && lane.head == 0 && lane.first == 1);
    assert_int_equal(lane.clock.count, 0);
    assert_false(tulle__list_next_lane(&found.lanes, &lane));
}

TEST(here_tells_of_holdings_and_peers)
{
    struct tulle__writer *w = *state;
    struct tulle__here_view found;
    struct tulle__holding holding;
    struct tulle__known peer;
    struct tulle__view view;

    encode_here(w);
    assert_status(tulle__here_decode(w->data, w->len, &found), TULLE_OK);

    assert_true(tulle__list_next_holding(&found.holdings, &holding));
    assert_true(holding.node == B && holding.first == 2 && holding.last == 5);
    assert_true(tulle__view_is(holding.stream, "orders"));
    assert_true(tulle__view_is(holding.name, "web"));
    assert_false(tulle__list_next_holding(&found.holdings, &holding));
    assert_true(tulle__list_next_known(&found.peers, &peer));
    assert_true(peer.id == B && tulle__view_is(peer.name, "web") && !peer.is_proxy);
    assert_int_equal(peer.control_addresses.count, 2);
    assert_true(tulle__list_next_text(&peer.event_addresses, &view));
    assert_true(tulle__view_is(view, event_addresses[0]));
    assert_false(tulle__list_next_text(&peer.event_addresses, &view));
    assert_false(tulle__list_next_known(&found.peers, &peer));
}

TEST(every_cut_of_here_is_refused)
{
    struct tulle__writer *w = *state;
    struct tulle__here_view found;

    encode_here(w);

    for (size_t len = 0; len < w->len; len++)
        assert_status(tulle__here_decode(w->data, len, &found), TULLE_EBADMSG);
}

TEST(fetch_comes_back_as_it_was)
{
    struct tulle__writer *w = *state;
    const struct tulle__fetch fetch = { A, VIEW("orders"), 5, 9, 1000000, true };
    struct tulle__fetch found;

    tulle__fetch_encode(w, &fetch);

    assert_status(tulle__fetch_decode(w->data, w->len, &found), TULLE_OK);
    assert_true(found.node == A && found.first == 5 && found.last == 9);
    assert_true(found.bytes_max == 1000000 && found.wants_clock);
    assert_true(tulle__view_is(found.stream, "orders"));
    for (size_t len = 0; len < w->len; len++)
        assert_status(tulle__fetch_decode(w->data, len, &found), TULLE_EBADMSG);
}

TEST(range_comes_back_as_it_was)
{
    struct tulle__writer *w = *state;
    const struct tulle__view batches[] = { VIEW("one"), VIEW("two") };
    const struct tulle__range_out range = {
        .reply_to = 8,
        .node = A,
        .stream = VIEW("orders"),
        .first = 3,
        .last = 12,
        .batches = batches,
        .batch_count = 2,
        .has_clock = true,
        .clock = lane_clock,
        .clock_count = 1,
    };
    struct tulle__range_view found;
    struct tulle__view view;

    tulle__range_encode(w, &range);
    assert_status(tulle__range_decode(w->data, w->len, &found), TULLE_OK);

    assert_true(found.reply_to == 8 && found.node == A);
    assert_true(found.first == 3 && found.last == 12);
    assert_true(found.has_clock);
    assert_int_equal(found.clock.count, 1);
    assert_true(tulle__list_next_text(&found.batches, &view));
    assert_true(tulle__view_is(view, "one"));
    assert_true(tulle__list_next_text(&found.batches, &view));
    assert_true(tulle__view_is(view, "two"));
    assert_false(tulle__list_next_text(&found.batches, &view));
    for (size_t len = 0; len < w->len; len++)
        assert_status(tulle__range_decode(w->data, len, &found), TULLE_EBADMSG);
}

TEST(empty_clock_differs_from_none)
{
    struct tulle__writer *w = *state;
    struct tulle__range_out range = { .node = A, .stream = VIEW("orders") };
    struct tulle__range_view found;

    tulle__range_encode(w, &range);
    assert_status(tulle__range_decode(w->data, w->len, &found), TULLE_OK);
    assert_false(found.has_clock);

    tulle__writer_reset(w);
    range.has_clock = true;
    tulle__range_encode(w, &range);
    assert_status(tulle__range_decode(w->data, w->len, &found), TULLE_OK);
    assert_true(found.has_clock);
    assert_int_equal(found.clock.count, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(header_comes_back_as_it_was),       CASE(kind_of_a_later_version_is_told_apart),
        CASE(full_beat_comes_back_as_it_was),    CASE(every_cut_of_a_beat_is_refused),
        CASE(small_beat_says_only_who_and_when), CASE(no_takes_differ_from_takes_not_said),
        CASE(sync_comes_back_as_it_was),         CASE(here_tells_of_lanes),
        CASE(here_tells_of_holdings_and_peers),  CASE(every_cut_of_here_is_refused),
        CASE(fetch_comes_back_as_it_was),        CASE(range_comes_back_as_it_was),
        CASE(empty_clock_differs_from_none),
    };
    return cmocka_run_group_tests_name("codec/control", tests, NULL, NULL);
}
