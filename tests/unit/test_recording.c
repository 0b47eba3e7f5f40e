/* SPDX-License-Identifier: MPL-2.0 */

/* Recordings: what is written reads back, and what is torn reads back up to there. */

#include "testkit.h"

#include "app/recording/recording.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LANES = 3, CLOCK_MAX = 8 };

static const char *const streams[LANES] = { "orders", "sensors/42", "a" };
static char folder[] = "/tmp/tulle-recording-XXXXXX";
static char path[sizeof folder + 16];
static char problem[TULLE__RECORDING_PROBLEM_LEN];

/* Event number n of a made-up run, with everything that an event may have. */
struct made {
    tulle_message message;
    char topic[64], payload[64];
    tulle_event_ref causes[2];
    tulle_header headers[2];
    tulle_clock_entry deps[2], clock[CLOCK_MAX];
    int64_t arrival_us;
};

static uint64_t
node_of(unsigned lane)
{
    return UINT64_C(0xfedcba9876543210) + lane;
}

static void
make_gap(struct made *made, unsigned n)
{
    made->arrival_us = 1700000000000000 + (int64_t)n * 1000;
    made->message = (tulle_message){ .kind = TULLE_MESSAGE_GAP };
    made->message.u.gap =
        (tulle_gap){ .node = node_of(n % LANES),
                     .node_name = "lost",
                     .stream = streams[n % LANES],
                     .first = n,
                     .last = n + 7,
                     .reason = n % 2 == 0 ? TULLE_GAP_EVICTED : TULLE_GAP_WITHHELD };
}

/* The clock grows, has new entries now and then, and once in a while another order. */
static size_t
make_clock(struct made *made, unsigned n)
{
    unsigned lane = n % LANES;
    size_t count = 1 + n / 20 % (CLOCK_MAX - 2);
    for (size_t i = 0; i < count; i++) {
        size_t at = n % 17 == 16 ? count - 1 - i : i;
        made->clock[i] = (tulle_clock_entry){ .node = node_of(100 + (unsigned)at),
                                              .stream = streams[at % LANES],
                                              .count = 1 + n / (5 * (at + 1)) };
    }
    made->clock[count] =
        (tulle_clock_entry){ .node = node_of(lane), .stream = streams[lane], .count = n + 1 };
    return count + 1;
}

static void
make(struct made *made, unsigned n)
{
    unsigned lane = n % LANES;
    if (n % 13 == 12) {
        make_gap(made, n);
        return;
    }
    (void)snprintf(made->topic, sizeof made->topic, "%s/topic-%u", streams[lane], n % 5);
    int len = snprintf(made->payload, sizeof made->payload, "payload %u", n);
    made->arrival_us = 1700000000000000 + (int64_t)n * 1000;
    made->message = (tulle_message){ .kind = TULLE_MESSAGE_EVENT };
    tulle_event *event = &made->message.u.event;
    *event = (tulle_event){ .node = node_of(lane),
                            .node_name = lane == 0 ? "" : "sender",
                            .stream = streams[lane],
                            .seq = n + 1,
                            .topic = made->topic,
                            .time_us = made->arrival_us - 250,
                            .hlc = UINT64_C(0x123456789abcdef0) + n,
                            .payload = n % 4 == 3 ? NULL : made->payload,
                            .payload_len = n % 4 == 3 ? 0 : (size_t)len,
                            .content_type = n % 2 == 0 ? NULL : "text/plain",
                            .delay_us = n % 3 == 0 ? -5 : 250,
                            .held_us = n % 6,
                            .hops = n % 2,
                            .is_repaired = n % 5 == 0,
                            .is_late = n % 7 == 0 };
    made->causes[0] = (tulle_event_ref){ .node = node_of(7), .stream = "x", .seq = n + 3 };
    made->causes[1] = (tulle_event_ref){ .node = node_of(8), .stream = "y/z", .seq = 1 };
    made->headers[0] = (tulle_header){ "name", "value" };
    made->headers[1] = (tulle_header){ "empty", "" };
    made->deps[0] = (tulle_clock_entry){ node_of(9), "d", 1 + n / 10 };
    made->deps[1] = (tulle_clock_entry){ node_of(10), "e", 4 };
    event->causes = made->causes;
    event->cause_count = n % 3;
    event->headers = made->headers;
    event->header_count = n % 3 == 2 ? 2 : 0;
    event->deps = made->deps;
    event->dep_count = n / 10 % 3;
    event->clock = made->clock;
    event->clock_count = make_clock(made, n);
}

static void
assert_same_clock(const tulle_clock_entry *a,
                  size_t a_count,
                  const tulle_clock_entry *b,
                  size_t b_count)
{
    assert_int_equal(a_count, b_count);
    for (size_t i = 0; i < a_count; i++) {
        assert_int_equal(a[i].node, b[i].node);
        assert_string_equal(a[i].stream, b[i].stream);
        assert_int_equal(a[i].count, b[i].count);
    }
}

static void
assert_same_event(const tulle_event *a, const tulle_event *b)
{
    assert_int_equal(a->node, b->node);
    assert_string_equal(a->node_name, b->node_name);
    assert_string_equal(a->stream, b->stream);
    assert_int_equal(a->seq, b->seq);
    assert_string_equal(a->topic, b->topic);
    assert_int_equal(a->time_us, b->time_us);
    assert_int_equal(a->hlc, b->hlc);
    assert_int_equal(a->payload_len, b->payload_len);
    if (a->payload_len > 0)
        assert_memory_equal(a->payload, b->payload, a->payload_len);
    assert_int_equal(a->content_type == NULL, b->content_type == NULL);
    if (a->content_type != NULL)
        assert_string_equal(a->content_type, b->content_type);
    assert_int_equal(a->cause_count, b->cause_count);
    for (size_t i = 0; i < a->cause_count; i++) {
        assert_int_equal(a->causes[i].node, b->causes[i].node);
        assert_string_equal(a->causes[i].stream, b->causes[i].stream);
        assert_int_equal(a->causes[i].seq, b->causes[i].seq);
    }
    assert_int_equal(a->header_count, b->header_count);
    for (size_t i = 0; i < a->header_count; i++) {
        assert_string_equal(a->headers[i].name, b->headers[i].name);
        assert_string_equal(a->headers[i].value, b->headers[i].value);
    }
    assert_same_clock(a->deps, a->dep_count, b->deps, b->dep_count);
    assert_same_clock(a->clock, a->clock_count, b->clock, b->clock_count);
    assert_int_equal(a->hops, b->hops);
    assert_int_equal(a->delay_us, b->delay_us);
    assert_int_equal(a->held_us, b->held_us);
    assert_int_equal(a->is_repaired, b->is_repaired);
    assert_int_equal(a->is_late, b->is_late);
}

static void
assert_is_made(const struct tulle__recorded *recorded, unsigned n)
{
    struct made made;
    make(&made, n);
    assert_int_equal(recorded->arrival_us, made.arrival_us);
    assert_int_equal(recorded->message.kind, made.message.kind);
    if (recorded->message.kind == TULLE_MESSAGE_EVENT) {
        assert_same_event(&recorded->message.u.event, &made.message.u.event);
        return;
    }
    const tulle_gap *a = &recorded->message.u.gap;
    const tulle_gap *b = &made.message.u.gap;
    assert_int_equal(a->node, b->node);
    assert_string_equal(a->node_name, b->node_name);
    assert_string_equal(a->stream, b->stream);
    assert_int_equal(a->first, b->first);
    assert_int_equal(a->last, b->last);
    assert_int_equal(a->reason, b->reason);
}

static struct tulle__recording_writer *
open_writer(enum tulle__recording_open how, enum tulle__recording_compression compression)
{
    static const struct tulle__recording_note notes[] = { { "mesh", "made up" }, { "empty", "" } };
    struct tulle__recording_options options;
    tulle__recording_options_init(&options);
    options.open = how;
    options.compression = compression;
    options.notes = notes;
    options.note_count = 2;
    struct tulle__recording_writer *writer = tulle__recording_create(path, &options, problem);
    if (writer == NULL)
        print_error("%s\n", problem);
    assert_non_null(writer);
    return writer;
}

/* Events first .. end - 1, a chunk for each so many. */
static void
add(struct tulle__recording_writer *writer, unsigned first, unsigned end, unsigned each)
{
    for (unsigned n = first; n < end; n++) {
        struct made made;
        make(&made, n);
        assert_true(tulle__recording_add(writer, &made.message, made.arrival_us));
        if ((n + 1) % each == 0)
            assert_true(tulle__recording_flush(writer));
    }
}

static void
write_all(unsigned count, unsigned each, enum tulle__recording_compression compression)
{
    struct tulle__recording_writer *writer = open_writer(TULLE__RECORDING_REPLACE, compression);
    add(writer, 0, count, each);
    assert_true(tulle__recording_close(&writer, problem));
}

/* All of the file; freed by the caller. */
static uint8_t *
load(size_t *len)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    struct stat stat;
    assert_int_equal(fstat(fileno(file), &stat), 0);
    *len = (size_t)stat.st_size;
    uint8_t *bytes = malloc(*len);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *len, file), *len);
    assert_int_equal(fclose(file), 0);
    return bytes;
}

static void
store(const uint8_t *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

/* Read to the end; each record is the next one that was made. Returns how many. */
static unsigned
read_all(struct tulle__recording_reader *reader, enum tulle__recording_result *result)
{
    const struct tulle__recorded *recorded = NULL;
    unsigned n = 0;
    while ((*result = tulle__recording_next(reader, &recorded)) == TULLE__RECORDING_RECORD)
        assert_is_made(recorded, n++);
    return n;
}

static unsigned
read_file(enum tulle__recording_result *result)
{
    struct tulle__recording_reader *reader = tulle__recording_open(path, problem);
    assert_non_null(reader);
    unsigned count = read_all(reader, result);
    tulle__recording_reader_close(&reader);
    return count;
}

TEST(what_is_written_reads_back)
{
    (void)state;
    for (int c = TULLE__RECORDING_NONE; c <= TULLE__RECORDING_ZSTD; c++) {
        write_all(500, 100, (enum tulle__recording_compression)c);
        struct tulle__recording_reader *reader = tulle__recording_open(path, problem);
        assert_non_null(reader);
        enum tulle__recording_result result;
        assert_int_equal(read_all(reader, &result), 500);
        assert_int_equal(result, TULLE__RECORDING_END);
        assert_string_equal(tulle__recording_note(reader, "mesh"), "made up");
        assert_null(tulle__recording_note(reader, "other"));
        struct tulle__recording_state found;
        tulle__recording_state(reader, &found);
        assert_true(found.is_complete);
        assert_int_equal(found.chunks, 5);
        assert_int_equal(found.whole_bytes, found.file_bytes);
        assert_int_equal(found.damaged_chunks + found.damaged_records, 0);
        assert_int_equal(found.has_none, c == TULLE__RECORDING_NONE);
        assert_int_equal(found.has_lz4, c == TULLE__RECORDING_LZ4);
        assert_int_equal(found.has_zstd, c == TULLE__RECORDING_ZSTD);
        assert_true(c == TULLE__RECORDING_NONE || found.stored_bytes < found.raw_bytes / 2);

        tulle__recording_rewind(reader);
        assert_int_equal(read_all(reader, &result), 500);
        tulle__recording_reader_close(&reader);
    }
}

TEST(an_empty_recording_is_whole)
{
    (void)state;
    enum tulle__recording_result result;
    write_all(0, 1, TULLE__RECORDING_LZ4);
    assert_int_equal(read_file(&result), 0);
    assert_int_equal(result, TULLE__RECORDING_END);
}

/* Cut anywhere: what chunks are whole reads back, exactly, and the reader says that it is torn. */
TEST(a_torn_file_reads_back_up_to_its_last_whole_chunk)
{
    (void)state;
    for (int c = TULLE__RECORDING_NONE; c <= TULLE__RECORDING_ZSTD; c++) {
        /* Where each chunk ends: the size of the file once it is flushed. */
        struct tulle__recording_writer *writer =
            open_writer(TULLE__RECORDING_REPLACE, (enum tulle__recording_compression)c);
        uint64_t ends[4] = { 0 };
        for (unsigned i = 0; i < 4; i++) {
            struct tulle__recording_tally tally;
            add(writer, 5 * i, 5 * i + 5, 5);
            tulle__recording_tally(writer, &tally);
            ends[i] = tally.bytes;
        }
        assert_true(tulle__recording_close(&writer, problem));
        size_t len = 0;
        uint8_t *bytes = load(&len);
        for (size_t cut = 0; cut < len; cut++) {
            uint8_t *exact = malloc(cut + 1); /* so that a read beyond it is seen */
            assert_non_null(exact);
            memcpy(exact, bytes, cut);
            struct tulle__recording_reader *reader =
                tulle__recording_open_bytes(exact, cut, problem);
            unsigned whole = 0;
            for (unsigned i = 0; i < 4; i++)
                whole += cut >= ends[i] ? 5 : 0;
            assert_true(reader != NULL || whole == 0);
            if (reader != NULL) {
                enum tulle__recording_result result;
                unsigned found = read_all(reader, &result);
                /* A chunk is of use already before its index is there. */
                assert_true(found == whole || found == whole + 5);
                assert_int_equal(result, TULLE__RECORDING_TORN);
                assert_non_null(strstr(tulle__recording_reason(reader), "cut off"));
            }
            tulle__recording_reader_close(&reader);
            free(exact);
        }
        free(bytes);
    }
}

/* Whatever byte is wrong: no event is other than it was. */
TEST(a_damaged_file_gives_no_wrong_event)
{
    (void)state;
    write_all(20, 5, TULLE__RECORDING_LZ4);
    size_t len = 0;
    uint8_t *bytes = load(&len);
    struct testkit_random random = { 20261125 };
    unsigned least = 20;
    for (size_t at = 0; at < len; at++) {
        uint8_t was = bytes[at];
        bytes[at] ^= (uint8_t)(1 + testkit_random_below(&random, 255));
        struct tulle__recording_reader *reader = tulle__recording_open_bytes(bytes, len, problem);
        const struct tulle__recorded *recorded = NULL;
        unsigned count = 0;
        unsigned next = 0;
        while (reader != NULL &&
               tulle__recording_next(reader, &recorded) == TULLE__RECORDING_RECORD) {
            unsigned n = (unsigned)((recorded->arrival_us - 1700000000000000) / 1000);
            assert_true(n >= next);
            assert_is_made(recorded, n);
            next = n + 1;
            count++;
        }
        least = count < least ? count : least;
        tulle__recording_reader_close(&reader);
        bytes[at] = was;
    }
    assert_true(least < 20);
    free(bytes);
}

/* Go on behind what is whole, wherever the writer died before. */
TEST(a_file_is_gone_on_with)
{
    (void)state;
    for (int c = TULLE__RECORDING_NONE; c <= TULLE__RECORDING_ZSTD; c++) {
        write_all(20, 5, (enum tulle__recording_compression)c);
        size_t len = 0;
        uint8_t *bytes = load(&len);
        for (size_t cut = len / 4; cut <= len; cut += cut + 100 < len ? 37 : 1) {
            enum tulle__recording_result result;
            struct tulle__recording_tally tally;
            store(bytes, cut);
            unsigned before = read_file(&result);
            struct tulle__recording_writer *writer =
                open_writer(TULLE__RECORDING_APPEND, TULLE__RECORDING_LZ4);
            tulle__recording_tally(writer, &tally);
            assert_int_equal(tally.events + tally.gaps, before);
            assert_int_equal(tally.chunks, before / 5);
            add(writer, before, before + 7, 3);
            assert_true(tulle__recording_close(&writer, problem));
            assert_int_equal(read_file(&result), before + 7);
            assert_int_equal(result, TULLE__RECORDING_END);
        }
        free(bytes);
    }
}

/* The same as one that was written at once, byte by byte: so the summary is right, too. */
TEST(a_file_is_repaired_to_what_it_would_have_been)
{
    (void)state;
    static const struct tulle__recording_note none[1];
    struct tulle__recording_options options;
    tulle__recording_options_init(&options);
    options.notes = none;
    write_all(20, 5, TULLE__RECORDING_LZ4);
    size_t len = 0;
    uint8_t *bytes = load(&len);
    for (size_t cut = len - 30; cut <= len; cut++) {
        size_t now = 0;
        store(bytes, cut);
        options.open = TULLE__RECORDING_APPEND;
        struct tulle__recording_writer *writer = tulle__recording_create(path, &options, problem);
        assert_non_null(writer);
        assert_true(tulle__recording_close(&writer, problem));
        uint8_t *repaired = load(&now);
        assert_int_equal(now, len);
        assert_memory_equal(repaired, bytes, len);
        free(repaired);
    }
    free(bytes);
}

TEST(only_what_arrived_within_the_limit_is_read)
{
    (void)state;
    write_all(100, 10, TULLE__RECORDING_LZ4);
    struct tulle__recording_reader *reader = tulle__recording_open(path, problem);
    assert_non_null(reader);
    tulle__recording_limit(reader, 1700000000000000 + 25000, 1700000000000000 + 47000);
    const struct tulle__recorded *recorded = NULL;
    unsigned n = 25;
    while (tulle__recording_next(reader, &recorded) == TULLE__RECORDING_RECORD)
        assert_is_made(recorded, n++);
    assert_int_equal(n, 47);
    struct tulle__recording_state found;
    tulle__recording_state(reader, &found);
    assert_true(found.is_complete);
    assert_int_equal(found.chunks, 10);
    tulle__recording_reader_close(&reader);
}

TEST(a_file_that_is_there_is_not_touched)
{
    (void)state;
    struct tulle__recording_options options;
    tulle__recording_options_init(&options);
    write_all(3, 1, TULLE__RECORDING_NONE);
    assert_null(tulle__recording_create(path, &options, problem));
    assert_string_equal(problem, "it is there already");
    options.open = TULLE__RECORDING_APPEND;
    struct tulle__recording_writer *writer =
        open_writer(TULLE__RECORDING_APPEND, TULLE__RECORDING_NONE);
    assert_null(tulle__recording_create(path, &options, problem));
    assert_string_equal(problem, "another program records to it");
    assert_true(tulle__recording_close(&writer, problem));
    enum tulle__recording_result result;
    assert_int_equal(read_file(&result), 3);

    store((const uint8_t *)"something else, and long enough", 31);
    assert_null(tulle__recording_create(path, &options, problem));
    assert_string_equal(problem, "it is no recording");
    assert_null(tulle__recording_open(path, problem));
    assert_string_equal(problem, "it is no recording (no MCAP file)");
    assert_null(tulle__recording_open(folder, problem));
    assert_string_equal(problem, "it is no regular file");
}

/* Where no more can be written, what was before reads back. */
TEST(a_full_disk_leaves_a_readable_file)
{
    (void)state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = { .rlim_cur = 20000, .rlim_max = before.rlim_max };
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    struct tulle__recording_writer *writer =
        open_writer(TULLE__RECORDING_REPLACE, TULLE__RECORDING_NONE);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct tulle__recording_tally tally = { 0 };
    bool is_ok = true;
    for (unsigned n = 0; is_ok && n < 1000; n++) {
        struct made made;
        make(&made, n);
        assert_true(tulle__recording_add(writer, &made.message, made.arrival_us));
        is_ok = (n + 1) % 10 != 0 || tulle__recording_flush(writer);
        tulle__recording_tally(writer, &tally);
    }
    assert_false(is_ok);
    assert_string_equal(tulle__recording_problem(writer), "File too large");
    assert_int_equal(tally.waiting, 10);
    unsigned written = (unsigned)(tally.events + tally.gaps - tally.waiting);
    assert_false(tulle__recording_close(&writer, problem));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, handler);

    enum tulle__recording_result result;
    assert_int_equal(read_file(&result), written);
    assert_int_equal(result, TULLE__RECORDING_TORN);
    assert_true(written >= 10);
}

static int
make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(path, sizeof path, "%s/r.mcap", folder);
    return 0;
}

static int
remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(an_empty_recording_is_whole),
        cmocka_unit_test(a_torn_file_reads_back_up_to_its_last_whole_chunk),
        cmocka_unit_test(a_damaged_file_gives_no_wrong_event),
        cmocka_unit_test(a_file_is_gone_on_with),
        cmocka_unit_test(a_file_is_repaired_to_what_it_would_have_been),
        cmocka_unit_test(only_what_arrived_within_the_limit_is_read),
        cmocka_unit_test(a_file_that_is_there_is_not_touched),
        cmocka_unit_test(a_full_disk_leaves_a_readable_file),
    };
    return cmocka_run_group_tests_name("app/recording", tests, make_folder, remove_folder);
}
