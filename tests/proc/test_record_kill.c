/* SPDX-License-Identifier: MPL-2.0 */

/* Recorders that are killed at random moments: everything up to the last flush reads back, in
 * order and without hole, and who goes on with the file keeps it. */

#include "testkit.h"

#include "app/json.h"
#include "app/recording/recording.h"
#include "proc_steps.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    ROUNDS = 25,
    TOGETHER = 4, /* recorders at a time, each killed at a moment of its own */
    EVENTS = 200000,
    RATE = 1000,
    LATEST_MS = 150 /* to live, from when it has begun a file or flushed for the first time */
};

struct run {
    struct proc *record;
    char path[300];
    bool is_series;
    uint64_t before; /* events that were in the file */
};

static char directory[200];

/* {"n": i} is event i + 1 of its lane. Without end, as far as the test goes. */
static int
start_publisher(void)
{
    char command[600];
    char input[300];
    size_t len = 0;
    char *lines = make_lines(0, EVENTS, &len);
    (void)snprintf(input, sizeof input, "%s/lines", directory);
    write_file(input, lines);
    free(lines);
    int port = proc_free_port();
    (void)snprintf(command, sizeof command,
                   "exec '%s/tulle' pub --json --rate %d --wait-peers=0 --gone-ms 2000 "
                   "--suspect-ms 1000 --log-level none --listen %s < '%s'",
                   getenv("TULLE_BIN_DIR"), RATE, proc_address(port), input);
    (void)proc_start("/bin/sh", "-c", command, NULL);
    proc_wait_port(port);
    return port;
}

/* The events of one file, each the next of its lane but where another recorder went on. */
static uint64_t
read_back(const char *path, uint64_t runs)
{
    char problem[TULLE__RECORDING_PROBLEM_LEN];
    struct tulle__recording_state reading;
    const struct tulle__recorded *record = NULL;
    struct tulle__recording_reader *reader = tulle__recording_open(path, problem);
    struct tulle__text text = { 0 };
    uint64_t events = 0;
    uint64_t breaks = 0;
    uint64_t last = 0;
    if (reader == NULL)
        fail_msg("%s: %s", path, problem);
    enum tulle__recording_result result;
    while ((result = tulle__recording_next(reader, &record)) == TULLE__RECORDING_RECORD) {
        const tulle_event *event = &record->message.u.event;
        assert_int_equal(record->message.kind, TULLE_MESSAGE_EVENT);
        breaks += events > 0 && event->seq != last + 1;
        assert_true(event->seq > last);
        last = event->seq;
        tulle__text_clear(&text);
        tulle__payload_put(event, &text);
        tulle__text_char(&text, '\0');
        assert_int_equal(strncmp(text.bytes, "{\"n\":", 5), 0);
        assert_int_equal(strtoull(text.bytes + 5, NULL, 10), event->seq - 1);
        events++;
    }
    assert_true(result == TULLE__RECORDING_END || result == TULLE__RECORDING_TORN);
    tulle__recording_state(reader, &reading);
    assert_int_equal(reading.damaged_chunks + reading.damaged_records, 0);
    tulle__recording_reader_close(&reader);
    tulle__text_free(&text);
    assert_in_range(breaks, 0, runs);
    return events;
}

static uint64_t
read_run(const struct run *run, uint64_t runs)
{
    if (!run->is_series)
        return read_back(run->path, runs);
    uint64_t events = 0;
    for (unsigned i = 1;; i++) {
        char path[400];
        (void)snprintf(path, sizeof path, "%.*s-%06u.mcap", (int)(strlen(run->path) - 5), run->path,
                       i);
        if (access(path, F_OK) != 0)
            return events;
        events += read_back(path, 0);
    }
}

/* The last number behind "flushed: ", in whole lines. */
static uint64_t
flushed_by(struct proc *record)
{
    uint64_t flushed = 0;
    const char *line = proc_text(record, PROC_ERR);
    for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        const char *found = strstr(line, "flushed: ");
        if (found != NULL && found < end)
            flushed = strtoull(found + strlen("flushed: "), NULL, 10);
    }
    return flushed;
}

static void
assert_info_agrees(const char *path, uint64_t events)
{
    json_error_t error;
    struct proc *info = proc_start("tulle", "record", "--info", "--json", path, NULL);
    assert_int_equal(proc_wait(info), 0);
    json_t *object = json_loads(proc_text(info, PROC_OUT), 0, &error);
    assert_int_equal(json_integer_value(json_object_get(object, "events")), events);
    assert_true(json_is_false(json_object_get(object, "whole")));
    json_decref(object);
}

/* The first goes on in one file all the time, the others begin anew. */
static void
start_run(struct run *run, int port, int round, size_t which)
{
    static const char *const how[TOGETHER] = { "lz4", "none", "zstd", "none" };
    *run = (struct run){ .is_series = which == 3 };
    (void)snprintf(run->path, sizeof run->path, "%s/r%zu-%d.mcap", directory, which,
                   which == 0 ? 0 : round);
    if (which == 0 && round > 0)
        run->before = read_back(run->path, (uint64_t)round);
    run->record = proc_start("tulle", "record", "-v", "--flush", "0.02", "--join",
                             proc_address(port), "--compression", how[which], "-w", run->path,
                             which == 0       ? "--append"
                             : run->is_series ? "--rotate=32K"
                                              : "--order=causal",
                             NULL);
}

TEST(what_was_flushed_before_a_kill_reads_back)
{
    (void)state;
    const char *seed = getenv("TULLE_SEED");
    unsigned number = seed != NULL ? (unsigned)strtoul(seed, NULL, 10) : (unsigned)time(NULL);
    unsigned with_events = 0;
    print_message("seed=%u\n", number);
    srand(number);
    (void)snprintf(directory, sizeof directory, "%s", proc_directory());
    int port = start_publisher();
    size_t started = proc_started();
    for (int round = 0; round < ROUNDS; round++) {
        struct run runs[TOGETHER];
        for (size_t i = 0; i < TOGETHER; i++)
            start_run(&runs[i], port, round, i);
        for (size_t i = 0; i < TOGETHER; i++) {
            struct run *run = &runs[i];
            proc_wait_text(run->record, PROC_ERR, round % 3 > 0 ? "flushed: " : "recording to ");
            proc_pause(rand() % LATEST_MS);
            assert_false(proc_has_ended(run->record));
            proc_kill(run->record);
            uint64_t flushed = flushed_by(run->record);
            uint64_t events = read_run(run, (uint64_t)round);
            if (events < run->before + flushed)
                fail_msg("%s: %" PRIu64 " events, but %" PRIu64 " and %" PRIu64 " were flushed",
                         run->path, events, run->before, flushed);
            with_events += flushed > 0;
            if (round % 8 == 0 && !run->is_series)
                assert_info_agrees(run->path, events);
        }
        proc_end_since(started);
    }
    assert_true(with_events > ROUNDS * TOGETHER / 2);
    print_message("%d kills, %u of them after a flush\n", ROUNDS * TOGETHER, with_events);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_was_flushed_before_a_kill_reads_back, proc_end_all),
    };
    return cmocka_run_group_tests_name("record, killed", tests, NULL, NULL);
}
