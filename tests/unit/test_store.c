/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include "base/alloc.h"
#include "codec/batch.h"
#include "delivery/store.h"
#include "sim_rng.h"

#include <string.h>

enum { NODE = 7 };

/* A store with two lanes; batches of one event, each of BATCH_LEN bytes or so. */
struct fixture {
    struct tulle__lane_names *names;
    struct tulle__store store, other;
    struct tulle__kept a;
    struct tulle__kept b;
    uint64_t batch_len;
};

static const uint64_t node_id = (UINT64_C(1) << 32) + NODE;
static const uint64_t other_id = (UINT64_C(1) << 32) + 1000;

static struct tulle__view
text(const char *s)
{
    return (struct tulle__view){ (const uint8_t *)s, strlen(s) };
}

/* A batch of events first..last that depends on dep_count events of (other, "o"). */
static struct tulle__buf *
make_batch(uint64_t first, uint64_t last, uint64_t dep_count)
{
    struct tulle__writer events;
    struct tulle__writer scratch;
    struct tulle__dep dep = { .node = other_id, .stream = text("o"), .count = dep_count };
    tulle__writer_init(&events);
    tulle__writer_init(&scratch);
    for (uint64_t seq = first; seq <= last; seq++)
        tulle__event_encode(&events, text(""), 0, text("payload"), NULL);
    struct tulle__batch_head head = { .node = node_id,
                                      .first_seq = first,
                                      .base_hlc = 1,
                                      .event_count = (uint32_t)(last - first + 1),
                                      .deps = &dep,
                                      .dep_count = dep_count > 0 ? 1 : 0 };
    struct tulle__buf *buf = tulle__batch_encode(&head, &events, &scratch);
    assert_non_null(buf);
    tulle__writer_fini(&events);
    tulle__writer_fini(&scratch);
    return buf;
}

/* It depends on as many events as its seq says. */
static void
append_to(struct tulle__store *store, struct tulle__kept *kept, uint64_t seq, int64_t ms)
{
    struct tulle__buf *buf = make_batch(seq, seq, seq);
    struct tulle__keep keep = { buf, seq, seq, true };
    tulle__kept_append(store, kept, &keep, (struct tulle__mono){ tulle__ms_to_ns(ms) });
    tulle__buf_unref(&buf);
}

static void
append(struct fixture *f, struct tulle__kept *kept, uint64_t seq, uint64_t dep_count, int64_t ms)
{
    struct tulle__buf *buf = make_batch(seq, seq, dep_count);
    struct tulle__mono now = { tulle__ms_to_ns(ms) };
    struct tulle__keep keep = { buf, seq, seq, dep_count > 0 };
    tulle__kept_append(&f->store, kept, &keep, now);
    tulle__buf_unref(&buf);
}

static uint64_t
clock_of_other(struct fixture *f, const struct tulle__clock *clock)
{
    uint32_t lane = tulle__lane_names_find(f->names, other_id, text("o"));
    return lane == TULLE__LANE_NONE ? 0 : tulle__clock_get(clock, lane);
}

static int
setup(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){ .names = tulle__lane_names_new(100) };
    struct tulle__buf *buf = make_batch(1, 1, 1);
    fixture.batch_len = buf->len;
    tulle__buf_unref(&buf);
    tulle__store_init(&fixture.store, fixture.names, 4 * fixture.batch_len, 1000);
    tulle__store_init(&fixture.other, fixture.names, 2 * fixture.batch_len, 1000);
    tulle__kept_init(&fixture.a);
    tulle__kept_init(&fixture.b);
    fixture.a.is_floor_known = fixture.b.is_floor_known = true;
    *state = &fixture;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    tulle__alloc_set_hook(NULL, NULL);
    tulle__kept_fini(&f->a);
    tulle__kept_fini(&f->b);
    assert_true(f->store.bytes == 0);
    tulle__lane_names_free(&f->names);
    return 0;
}

TEST(finds_the_batch_that_holds_a_seq)
{
    struct fixture *f = *state;
    struct tulle__buf *buf = make_batch(1, 5, 0);
    f->store.bytes_max = 10000;
    tulle__kept_append(&f->store, &f->a, &(struct tulle__keep){ buf, 1, 5, false },
                       (struct tulle__mono){ 0 });
    tulle__buf_unref(&buf);
    append(f, &f->a, 6, 0, 0);

    struct tulle__kept_batch batch;
    assert_true(tulle__kept_find(&f->a, 1, &batch) && batch.first == 1 && batch.last == 5);
    assert_true(tulle__kept_find(&f->a, 5, &batch) && batch.first == 1);
    assert_true(tulle__kept_next(&f->a, &batch) && batch.first == 6);
    assert_false(tulle__kept_next(&f->a, &batch));
    assert_true(tulle__kept_find(&f->a, 6, &batch) && batch.first == 6);
    assert_false(tulle__kept_find(&f->a, 7, &batch));
}

TEST(evicts_the_oldest_of_all_lanes_when_there_are_too_many_bytes)
{
    struct fixture *f = *state;
    append(f, &f->a, 1, 1, 0);
    append(f, &f->b, 1, 1, 0);
    append(f, &f->a, 2, 1, 0);
    append(f, &f->a, 3, 1, 0);
    append(f, &f->a, 4, 1, 0);
    append(f, &f->a, 5, 1, 0);

    assert_int_equal(f->b.len, 0);
    assert_int_equal(f->a.len, 4);
    assert_int_equal(tulle__kept_first(&f->a), 2);
    assert_true(f->store.bytes == 4 * f->batch_len);
}

TEST(evicts_what_is_too_old)
{
    struct fixture *f = *state;
    append(f, &f->a, 1, 0, 0);
    append(f, &f->a, 2, 0, 500);

    tulle__store_expire(&f->store, (struct tulle__mono){ tulle__ms_to_ns(1000) });
    assert_int_equal(f->a.len, 2);
    tulle__store_expire(&f->store, (struct tulle__mono){ tulle__ms_to_ns(1001) });
    assert_int_equal(f->a.len, 1);
    assert_int_equal(tulle__kept_first(&f->a), 2);
}

/* Batches of one lane came by two ways, each with bounds of its own. */
TEST(what_is_below_one_that_goes_goes_with_it_whatever_its_store)
{
    struct fixture *f = *state;
    append(f, &f->a, 1, 1, 0);
    append(f, &f->b, 1, 1, 0);
    for (uint64_t seq = 2; seq <= 3; seq++)
        append_to(&f->other, &f->a, seq, 0);
    append(f, &f->a, 4, 1, 0);
    assert_int_equal(f->a.len, 4);
    append_to(&f->other, &f->a, 5, 0);

    assert_int_equal(f->a.len, 3);
    assert_int_equal(tulle__kept_first(&f->a), 3);
    assert_int_equal(f->b.len, 1);
    assert_int_equal(f->store.bytes, 2 * f->batch_len);
    assert_int_equal(f->other.bytes, 2 * f->batch_len);
}

TEST(narrower_bounds_hold_at_once)
{
    struct fixture *f = *state;
    for (uint64_t seq = 1; seq <= 4; seq++)
        append(f, &f->a, seq, 0, (int64_t)(100 * seq));

    tulle__store_bound(&f->store, 4 * f->batch_len, 150,
                       (struct tulle__mono){ tulle__ms_to_ns(400) });
    assert_int_equal(tulle__kept_first(&f->a), 3);
    tulle__store_bound(&f->store, f->batch_len, 1000, (struct tulle__mono){ tulle__ms_to_ns(400) });
    assert_int_equal(tulle__kept_first(&f->a), 4);
    tulle__store_bound(&f->store, 0, 1000, (struct tulle__mono){ tulle__ms_to_ns(400) });
    assert_int_equal(f->a.len, 0);
}

TEST(floor_is_the_clock_of_what_left_and_of_nothing_else)
{
    struct fixture *f = *state;
    for (uint64_t seq = 1; seq <= 7; seq++)
        append(f, &f->a, seq, seq * 10, 0);

    assert_int_equal(tulle__kept_first(&f->a), 4);
    assert_int_equal(clock_of_other(f, &f->a.floor), 30);
}

TEST(clock_before_a_batch_is_exact)
{
    struct fixture *f = *state;
    struct tulle__clock clock;
    tulle__clock_init(&clock);
    for (uint64_t seq = 1; seq <= 6; seq++)
        append(f, &f->a, seq, seq * 10, 0);

    for (uint64_t seq = 3; seq <= 6; seq++) {
        struct tulle__kept_batch batch;
        assert_true(tulle__kept_find(&f->a, seq, &batch));
        assert_true(tulle__kept_clock_before(&f->store, &f->a, &batch, &clock));
        assert_int_equal(clock_of_other(f, &clock), (seq - 1) * 10);
    }
    tulle__clock_fini(&clock);
}

TEST(clock_before_is_not_told_when_the_floor_is_not_known)
{
    struct fixture *f = *state;
    struct tulle__clock clock;
    tulle__clock_init(&clock);
    f->a.is_floor_known = false;
    append(f, &f->a, 5, 1, 0);

    struct tulle__kept_batch batch;
    assert_true(tulle__kept_find(&f->a, 5, &batch));
    assert_false(tulle__kept_clock_before(&f->store, &f->a, &batch, &clock));
    tulle__clock_fini(&clock);
}

TEST(batch_above_the_bound_is_not_kept_and_the_floor_moves_past_it)
{
    struct fixture *f = *state;
    append(f, &f->a, 1, 10, 0);
    struct tulle__buf *big = make_batch(2, 100, 20);

    tulle__kept_append(&f->store, &f->a, &(struct tulle__keep){ big, 2, 100, true },
                       (struct tulle__mono){ 0 });
    append(f, &f->a, 101, 30, 0);

    assert_int_equal(f->a.len, 1);
    assert_int_equal(tulle__kept_first(&f->a), 101);
    assert_int_equal(clock_of_other(f, &f->a.floor), 20);
    tulle__buf_unref(&big);
}

TEST(without_memory_a_batch_is_not_kept_and_the_floor_moves_past_it)
{
    struct fixture *f = *state;
    struct tulle__buf *buf = make_batch(2, 2, 20);
    append(f, &f->a, 1, 10, 0);
    struct testkit_memory memory = { .left = 0 };

    tulle__alloc_set_hook(testkit_may_allocate, &memory);
    tulle__kept_append(&f->store, &f->a, &(struct tulle__keep){ buf, 2, 2, true },
                       (struct tulle__mono){ 0 });
    tulle__alloc_set_hook(NULL, NULL);

    assert_int_equal(f->a.len, 0);
    assert_true(!f->a.is_floor_known || clock_of_other(f, &f->a.floor) == 20);
    tulle__buf_unref(&buf);
}

TEST(bytes_after_a_seq_count_whole_batches)
{
    struct fixture *f = *state;
    for (uint64_t seq = 1; seq <= 3; seq++)
        append(f, &f->a, seq, 1, 0);

    assert_true(tulle__kept_bytes_after(&f->a, 0) == 3 * f->batch_len);
    assert_true(tulle__kept_bytes_after(&f->a, 2) == f->batch_len);
    assert_true(tulle__kept_bytes_after(&f->a, 3) == 0);
}

TEST(ring_holds_its_order_when_it_wraps_and_grows)
{
    struct fixture *f = *state;
    f->store.bytes_max = 6 * f->batch_len;
    for (uint64_t seq = 1; seq <= 12; seq++)
        append(f, &f->a, seq, 1, 0);
    f->store.bytes_max = 1000 * f->batch_len;
    for (uint64_t seq = 13; seq <= 40; seq++)
        append(f, &f->a, seq, 1, 0);

    assert_int_equal(f->a.len, 34);
    struct tulle__kept_batch batch;
    bool is_there = tulle__kept_find(&f->a, 0, &batch);
    for (uint64_t seq = 7; seq <= 40; seq++) {
        assert_true(is_there && batch.first == seq);
        is_there = tulle__kept_next(&f->a, &batch);
    }
    assert_false(is_there);
}

/* As what a proxy passes on: a small part of what libzmq read at once. */
static void
append_part(struct tulle__store *store, struct tulle__kept *kept, uint64_t seq, int64_t ms)
{
    struct tulle__buf *buf = make_batch(seq, seq, seq);
    buf->is_part = true;
    tulle__kept_append(store, kept, &(struct tulle__keep){ buf, seq, seq, true },
                       (struct tulle__mono){ tulle__ms_to_ns(ms) });
    assert_int_equal(atomic_load(&buf->refs), 1);
    tulle__buf_unref(&buf);
}

static bool
count_blocks(void *ctx)
{
    size_t *blocks = ctx;
    (*blocks)++;
    return true;
}

TEST(small_ones_of_a_burst_share_blocks)
{
    struct fixture *f = *state;
    size_t blocks = 0;
    f->store.bytes_max = 1 << 20;
    struct tulle__buf *buf = make_batch(1, 1, 0);
    buf->is_part = true;
    tulle__alloc_set_hook(count_blocks, &blocks);
    for (uint64_t seq = 1; seq <= 10000; seq++)
        tulle__kept_append(&f->store, &f->a, &(struct tulle__keep){ buf, seq, seq, false },
                           (struct tulle__mono){ (int64_t)seq * 1000 });
    tulle__alloc_set_hook(NULL, NULL);
    assert_true(f->store.bytes == 10000 * buf->len);
    assert_in_range(blocks, 1, 10000 * buf->len / 4096);
    tulle__buf_unref(&buf);
}

TEST(small_ones_now_and_then_do_not)
{
    struct fixture *f = *state;
    f->store.bytes_max = 1 << 20;
    f->store.age_ns_max = tulle__ms_to_ns(60000);
    for (uint64_t seq = 1; seq <= 10; seq++)
        append_part(&f->store, &f->a, seq, (int64_t)seq * 200);
    assert_int_equal(f->a.len, 10);
}

TEST(a_run_is_not_kept_for_longer_nor_much_shorter_than_each_of_it_would_be)
{
    struct fixture *f = *state;
    f->store.bytes_max = 1 << 20; /* a second, of which a run has a sixteenth */
    for (uint64_t seq = 1; seq <= 20; seq++)
        append_part(&f->store, &f->a, seq, (int64_t)seq * 10);
    for (int64_t ms = 200; ms <= 1300; ms++) {
        tulle__store_expire(&f->store, (struct tulle__mono){ tulle__ms_to_ns(ms) });
        struct tulle__kept_batch batch;
        uint64_t lowest = tulle__kept_find(&f->a, 0, &batch) ? batch.first : 21;
        assert_true(lowest > 20 || ms - (int64_t)lowest * 10 <= 1000);
        assert_true(lowest == 1 || ms - (int64_t)(lowest - 1) * 10 >= 1000 - 1000 / 16);
    }
    assert_int_equal(f->a.len, 0);
}

/* A lane that a test follows beside the store: which seqs were appended, and where to. */
struct followed {
    struct tulle__kept *kept;
    uint64_t seqs[2000];
    bool is_of_other[2000];
    size_t count;
};

/* What is kept is a tail of what was appended, with its bytes, its clock and its length. */
static void
assert_follows(struct fixture *f, const struct followed *lane, uint64_t bytes[2])
{
    struct tulle__kept_batch batch;
    struct tulle__clock clock;
    tulle__clock_init(&clock);
    bool is_there = tulle__kept_find(lane->kept, 0, &batch);
    size_t i = 0;
    while (i < lane->count && (!is_there || lane->seqs[i] < batch.first))
        i++;
    for (; i < lane->count; i++) {
        struct tulle__kept_batch found;
        uint64_t seq = lane->seqs[i];
        assert_true(is_there && batch.first == seq && batch.last == seq);
        assert_true(tulle__kept_find(lane->kept, seq, &found) && found.first == seq);
        struct tulle__buf *buf = make_batch(seq, seq, seq);
        assert_int_equal(batch.bytes.len, buf->len);
        assert_memory_equal(batch.bytes.data, buf->data, buf->len);
        bytes[lane->is_of_other[i]] += buf->len;
        tulle__buf_unref(&buf);
        if (i % 16 == 0) {
            assert_true(tulle__kept_clock_before(&f->store, lane->kept, &batch, &clock));
            assert_true(clock_of_other(f, &clock) == (i > 0 ? lane->seqs[i - 1] : 0));
        }
        uint64_t after = tulle__kept_bytes_after(lane->kept, seq);
        is_there = tulle__kept_next(lane->kept, &batch);
        assert_true(tulle__kept_bytes_after(lane->kept, seq - 1) == after + found.bytes.len);
        assert_true(is_there == (after > 0));
    }
    assert_false(is_there);
    tulle__clock_fini(&clock);
}

/* Shared and copied ones, with holes, of two lanes and two stores, at all paces. */
TEST(whatever_comes_what_is_kept_is_the_tail_of_it)
{
    struct fixture *f = *state;
    static struct followed lanes[2];
    struct tulle__store *stores[2] = { &f->store, &f->other };
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_rng rng = { seed };
        int64_t ms = 0;
        f->store.bytes_max = 1000 + sim_rng_below(&rng, 40000);
        f->other.bytes_max = 1000 + sim_rng_below(&rng, 40000);
        for (size_t i = 0; i < 2; i++) {
            lanes[i].kept = i == 0 ? &f->a : &f->b;
            lanes[i].count = 0;
            tulle__kept_fini(lanes[i].kept);
            lanes[i].kept->is_floor_known = true;
        }
        for (int step = 0; step < 2000; step++) {
            struct followed *lane = &lanes[sim_rng_chance(&rng, 200)];
            size_t store = sim_rng_chance(&rng, 10);
            uint64_t last = lane->count > 0 ? lane->seqs[lane->count - 1] : 0;
            uint64_t seq = last + 1 + (sim_rng_chance(&rng, 20) ? sim_rng_below(&rng, 5) : 0);
            ms += sim_rng_chance(&rng, 5) ? sim_rng_range(&rng, 1, 500) : 0;
            if (sim_rng_chance(&rng, 100))
                append_to(stores[store], lane->kept, seq, ms);
            else
                append_part(stores[store], lane->kept, seq, ms);
            lane->is_of_other[lane->count] = store == 1;
            lane->seqs[lane->count++] = seq;
            if (step % 100 != 0)
                continue;
            uint64_t bytes[2] = { 0, 0 };
            assert_follows(f, &lanes[0], bytes);
            assert_follows(f, &lanes[1], bytes);
            for (size_t i = 0; i < 2; i++)
                assert_true(stores[i]->bytes == bytes[i] && bytes[i] <= stores[i]->bytes_max);
        }
    }
}

int
main(void)
{
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        STORE_TEST(finds_the_batch_that_holds_a_seq),
        STORE_TEST(evicts_the_oldest_of_all_lanes_when_there_are_too_many_bytes),
        STORE_TEST(evicts_what_is_too_old),
        STORE_TEST(what_is_below_one_that_goes_goes_with_it_whatever_its_store),
        STORE_TEST(narrower_bounds_hold_at_once),
        STORE_TEST(floor_is_the_clock_of_what_left_and_of_nothing_else),
        STORE_TEST(clock_before_a_batch_is_exact),
        STORE_TEST(clock_before_is_not_told_when_the_floor_is_not_known),
        STORE_TEST(batch_above_the_bound_is_not_kept_and_the_floor_moves_past_it),
        STORE_TEST(without_memory_a_batch_is_not_kept_and_the_floor_moves_past_it),
        STORE_TEST(bytes_after_a_seq_count_whole_batches),
        STORE_TEST(ring_holds_its_order_when_it_wraps_and_grows),
        STORE_TEST(small_ones_of_a_burst_share_blocks),
        STORE_TEST(small_ones_now_and_then_do_not),
        STORE_TEST(a_run_is_not_kept_for_longer_nor_much_shorter_than_each_of_it_would_be),
        STORE_TEST(whatever_comes_what_is_kept_is_the_tail_of_it),
    };
    return cmocka_run_group_tests_name("delivery/store", tests, NULL, NULL);
}
