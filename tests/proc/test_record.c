/* SPDX-License-Identifier: MPL-2.0 */

/* What each option of tulle record does, with what it wrote read back. */

#include "testkit.h"

#include "app/recording/recording.h"
#include "proc_steps.h"

#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { IS_SANITIZED = 1 };
#else
enum { IS_SANITIZED = 0 };
#endif

/* From all that is kept. */
#define RECORD(port, ...)                                                                          \
    proc_start("tulle", "record", "--join", proc_address(port), "--from", "earliest", __VA_ARGS__, \
               NULL)

static const char *
path_of(const char *name)
{
    static char paths[8][300];
    static size_t next;
    static char directory[200];
    if (name[0] == '\0') { /* a new directory */
        (void)snprintf(directory, sizeof directory, "%s", proc_directory());
        return directory;
    }
    next = (next + 1) % 8;
    (void)snprintf(paths[next], sizeof paths[next], "%s/%s", directory, name);
    return paths[next];
}

static int
begin_directory(void **state)
{
    (void)state;
    (void)path_of("");
    return 0;
}

/* A shop's events, kept by a node that outlives the shop. */
static int
start_keeper(const char *lines)
{
    int port = proc_free_port();
    (void)proc_start("tulle-node", "--name", "keeper", "--listen", proc_address(port), "--take",
                     "**", NULL);
    proc_wait_port(port);
    struct proc *pub = proc_start("tulle", "pub", "--json", "--wait-peers", "--name", "shop",
                                  "--join", proc_address(port), NULL);
    proc_write(pub, lines, strlen(lines));
    proc_close_input(pub);
    assert_int_equal(proc_wait(pub), 0);
    return port;
}

static int
start_shop(void)
{
    return start_keeper(
        "{\"topic\": \"orders/1\", \"payload\": {\"amount\": 150}, \"headers\": {\"k\": \"v\"}}\n"
        "{\"topic\": \"orders/2\", \"payload\": {\"amount\": 50}}\n"
        "{\"topic\": \"mail/1\", \"payload\": \"hello\"}\n"
        "{\"topic\": \"mail/secret/2\", \"payload\": [1, 2]}\n");
}

static int
start_load(int count)
{
    size_t len = 0;
    char *lines = make_lines(0, count, &len);
    int port = start_keeper(lines);
    free(lines);
    return port;
}

/* "orders/1 orders/2 ..." of the events in a file, gaps as "gap:first-last". */
static const char *
topics_in(const char *path)
{
    static char out[4096];
    char problem[TULLE__RECORDING_PROBLEM_LEN];
    size_t len = 0;
    const struct tulle__recorded *record = NULL;
    struct tulle__recording_reader *reader = tulle__recording_open(path, problem);
    if (reader == NULL)
        fail_msg("%s: %s", path, problem);
    out[0] = '\0';
    while (tulle__recording_next(reader, &record) == TULLE__RECORDING_RECORD) {
        const tulle_message *message = &record->message;
        const tulle_gap *gap = &message->u.gap;
        len += (size_t)(message->kind == TULLE_MESSAGE_GAP
                            ? snprintf(out + len, sizeof out - len, "%sgap:%" PRIu64 "-%" PRIu64,
                                       len > 0 ? " " : "", gap->first, gap->last)
                            : snprintf(out + len, sizeof out - len, "%s%s", len > 0 ? " " : "",
                                       message->u.event.topic));
        assert_true(len < sizeof out);
    }
    tulle__recording_reader_close(&reader);
    return out;
}

struct content {
    uint64_t events, missed;
    bool is_complete, has_lz4, has_zstd, has_none;
};

static struct content
content_of(const char *path)
{
    struct content content = { 0 };
    char problem[TULLE__RECORDING_PROBLEM_LEN];
    const struct tulle__recorded *record = NULL;
    struct tulle__recording_state reading;
    struct tulle__recording_reader *reader = tulle__recording_open(path, problem);
    if (reader == NULL)
        fail_msg("%s: %s", path, problem);
    while (tulle__recording_next(reader, &record) == TULLE__RECORDING_RECORD) {
        const tulle_gap *gap = &record->message.u.gap;
        if (record->message.kind == TULLE_MESSAGE_GAP)
            content.missed += gap->last - gap->first + 1;
        else
            content.events++;
    }
    tulle__recording_state(reader, &reading);
    assert_int_equal(reading.damaged_chunks + reading.damaged_records, 0);
    content.is_complete = reading.is_complete;
    content.has_none = reading.has_none;
    content.has_lz4 = reading.has_lz4;
    content.has_zstd = reading.has_zstd;
    tulle__recording_reader_close(&reader);
    return content;
}

static json_t *
info_of(const char *path, int status)
{
    json_error_t error;
    struct proc *info = proc_start("tulle", "record", "--info", "--json", path, NULL);
    assert_ends(info, status);
    json_t *object = json_loads(proc_text(info, PROC_OUT), 0, &error);
    if (object == NULL)
        fail_msg("no JSON: %s", proc_text(info, PROC_OUT));
    return object;
}

static json_int_t
number_in(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

/* ---- what is recorded ---- */

TEST(everything_is_recorded_as_it_was_published)
{
    (void)state;
    int port = start_shop();
    struct proc *record = RECORD(port, "-w", path_of("a.mcap"), "-e", "--name", "recorder");
    assert_ends(record, 0);
    assert_says(record, PROC_ERR, "4 events of 1 node in 2 lanes");
    assert_says(record, PROC_ERR, "0 gaps (0 missed), 4 repaired");
    assert_says(record, PROC_ERR, "in 1 file, the last ");
    assert_string_equal(topics_in(path_of("a.mcap")), "orders/1 orders/2 mail/1 mail/secret/2");

    char problem[TULLE__RECORDING_PROBLEM_LEN];
    const struct tulle__recorded *first = NULL;
    struct tulle__recording_reader *reader = tulle__recording_open(path_of("a.mcap"), problem);
    assert_non_null(reader);
    assert_int_equal(tulle__recording_next(reader, &first), TULLE__RECORDING_RECORD);
    const tulle_event *event = &first->message.u.event;
    assert_string_equal(event->node_name, "shop");
    assert_int_equal(event->seq, 1);
    assert_int_equal(event->clock_count, 1);
    assert_int_equal(event->header_count, 1);
    assert_string_equal(event->headers[0].value, "v");
    assert_memory_equal(event->payload,
                        "\x81\xa6"
                        "amount\xcc\x96",
                        10);
    assert_int_equal(first->arrival_us, event->time_us + event->delay_us);
    assert_string_equal(tulle__recording_note(reader, "recorder"), "recorder");
    assert_string_equal(tulle__recording_note(reader, "mesh"), "tulle");
    tulle__recording_reader_close(&reader);
}

TEST(what_is_recorded_can_be_chosen)
{
    (void)state;
    int port = start_shop();
    struct proc *record = RECORD(port, "-q", "-w", path_of("a.mcap"), "-e", "orders/1", "mail/**");
    assert_ends(record, 0);
    assert_string_equal(proc_text(record, PROC_ERR), "");
    assert_string_equal(topics_in(path_of("a.mcap")), "orders/1 mail/1 mail/secret/2");

    record = RECORD(port, "-w", path_of("b.mcap"), "-e", "-T", "mail/secret/**", "-T", "orders/2");
    assert_ends(record, 0);
    assert_says(record, PROC_ERR, "2 left out");
    assert_string_equal(topics_in(path_of("b.mcap")), "orders/1 mail/1");

    record = RECORD(port, "-w", path_of("c.mcap"), "-e", "--where", ".payload.amount > 100");
    assert_ends(record, 0);
    assert_string_equal(topics_in(path_of("c.mcap")), "orders/1");
    assert_says(record, PROC_ERR, "--where failed for 2 events");

    assert_ends(RECORD(port, "-w", path_of("d.mcap"), "-C", "2"), 0);
    assert_string_equal(topics_in(path_of("d.mcap")), "orders/1 orders/2");

    /* All were published long before, or are to be published long after. */
    assert_ends(RECORD(port, "-w", path_of("e.mcap"), "--until", "2024-05-01"), 0);
    assert_string_equal(topics_in(path_of("e.mcap")), "");
    assert_ends(RECORD(port, "-w", path_of("f.mcap"), "--since", "1h", "-e", "--order", "fifo"), 0);
    assert_string_equal(topics_in(path_of("f.mcap")), "orders/1 orders/2 mail/1 mail/secret/2");
}

TEST(where_reading_begins_can_be_chosen)
{
    (void)state;
    int port = start_shop();
    const char *address = proc_address(port);
    assert_ends(proc_start("tulle", "record", "-j", address, "--last", "1", "-e", "-w",
                           path_of("a.mcap"), NULL),
                0);
    assert_string_equal(topics_in(path_of("a.mcap")), "orders/2 mail/secret/2");
    assert_ends(proc_start("tulle", "record", "-j", address, "--from", "last:1", "-e", "-w",
                           path_of("b.mcap"), "mail/**", NULL),
                0);
    assert_string_equal(topics_in(path_of("b.mcap")), "mail/secret/2");
    assert_ends(proc_start("tulle", "record", "-j", address, "--since", "1h", "--until", "now",
                           "-w", path_of("c.mcap"), "mail/**", NULL),
                0);
    assert_string_equal(topics_in(path_of("c.mcap")), "mail/1 mail/secret/2");
    /* Live: nothing of what was before. -W is an end as good as any, unless -C says how much. */
    assert_ends(
        proc_start("tulle", "record", "-j", address, "-W", "0.5", "-w", path_of("d.mcap"), NULL),
        0);
    assert_string_equal(topics_in(path_of("d.mcap")), "");
    assert_ends(proc_start("tulle", "record", "-j", address, "-W", "0.5", "-C", "1", "-w",
                           path_of("e.mcap"), NULL),
                27);
    assert_true(content_of(path_of("e.mcap")).is_complete);
}

TEST(what_is_lost_is_recorded_as_a_gap)
{
    (void)state;
    enum { FLOOD = 20000 };
    char payload[201] = "";
    memset(payload, 'x', sizeof payload - 1);
    int port = proc_free_port();
    struct proc *record =
        proc_start("tulle", "record", "--listen", proc_address(port), "--queue-bytes", "64K",
                   "--held-bytes", "64K", "-w", path_of("a.mcap"), NULL);
    proc_wait_port(port);
    struct proc *pub = proc_start("tulle", "pub", "--raw", "-n", "20000", "--retain-bytes", "64K",
                                  "--window-bytes", "0", "--wait-peers", "--join",
                                  proc_address(port), "x", payload, NULL);
    proc_pause(IS_SANITIZED ? 600 : 300);
    proc_signal(record, SIGSTOP);
    proc_pause(1000);
    proc_signal(record, SIGCONT);
    assert_ends(pub, 0);
    proc_signal(record, SIGINT);
    assert_ends(record, 0);
    struct content content = content_of(path_of("a.mcap"));
    assert_int_equal(content.events + content.missed, FLOOD);
    assert_true(content.missed > 0);
    char expected[64];
    (void)snprintf(expected, sizeof expected, "(%" PRIu64 " missed)", content.missed);
    assert_says(record, PROC_ERR, expected);
    json_t *info = info_of(path_of("a.mcap"), 0);
    assert_int_equal(number_in(info, "missed"), content.missed);
    assert_int_equal(number_in(json_array_get(json_object_get(info, "lanes"), 0), "missed"),
                     content.missed);
    json_decref(info);
}

/* ---- the file ---- */

TEST(a_file_is_not_overwritten_unless_it_is_said)
{
    (void)state;
    int port = start_shop();
    assert_ends(RECORD(port, "-C", "2", "-w", path_of("a.mcap"), "orders/**"), 0);
    struct proc *record = RECORD(port, "-C", "2", "-w", path_of("a.mcap"), "mail/**");
    assert_ends(record, 5);
    assert_says(record, PROC_ERR, "a.mcap: it is there already");
    assert_says(record, PROC_ERR, "--append");
    assert_string_equal(topics_in(path_of("a.mcap")), "orders/1 orders/2");
    assert_ends(RECORD(port, "-C", "2", "-w", path_of("a.mcap"), "--append", "mail/**"), 0);
    assert_string_equal(topics_in(path_of("a.mcap")), "orders/1 orders/2 mail/1 mail/secret/2");
    assert_ends(RECORD(port, "-C", "1", "-w", path_of("a.mcap"), "--force", "mail/1"), 0);
    assert_string_equal(topics_in(path_of("a.mcap")), "mail/1");
    assert_true(content_of(path_of("a.mcap")).is_complete);
    assert_ends(RECORD(port, "-w", "/nonexistent/a.mcap"), 5);
}

/* How many files orders-000001.mcap and so on there are, without hole, from the first on. */
static unsigned
count_series(unsigned first, uint64_t *events)
{
    char name[40];
    struct stat entry;
    unsigned count = 0;
    *events = 0;
    for (;;) {
        (void)snprintf(name, sizeof name, "r-%06u.mcap", first + count);
        if (stat(path_of(name), &entry) != 0)
            return count;
        struct content content = content_of(path_of(name));
        assert_true(content.is_complete);
        *events += content.events;
        count++;
    }
}

TEST(files_are_rotated_by_size)
{
    (void)state;
    uint64_t events = 0;
    int port = start_load(6000);
    struct proc *record = RECORD(port, "-C", "6000", "-w", path_of("r.mcap"), "--rotate", "64K",
                                 "-v", "--compression", "none");
    assert_ends(record, 0);
    unsigned files = count_series(1, &events);
    assert_true(files > 3);
    assert_int_equal(events, 6000);
    assert_says(record, PROC_ERR, "recording to ");
    assert_says(record, PROC_ERR, "r-000003.mcap\n");
    struct stat entry;
    assert_int_equal(stat(path_of("r-000001.mcap"), &entry), 0);
    assert_in_range(entry.st_size, 65536, 120000);
    assert_int_not_equal(stat(path_of("r.mcap"), &entry), 0);

    /* Another run does not mix its files with these. */
    record = RECORD(port, "-C", "6000", "-w", path_of("r.mcap"), "--rotate", "64K");
    assert_ends(record, 5);
    assert_says(record, PROC_ERR, "it is there already");
    assert_ends(RECORD(port, "-w", path_of("r.mcap"), "--rotate", "64K", "--append", "-C", "10"),
                0);
    assert_int_equal(count_series(1, &events), files + 1);
    assert_int_equal(events, 6010);
    assert_ends(RECORD(port, "-w", path_of("r.mcap"), "--rotate", "64K", "--force", "-C", "10"), 0);
    assert_int_equal(count_series(1, &events), 1);

    assert_ends(RECORD(port, "-C", "6000", "-w", path_of("r.mcap"), "--rotate", "64K", "--force",
                       "--keep", "2", "--compression", "none"),
                0);
    assert_int_equal(count_series(1, &events), 0);
    assert_int_equal(count_series(files - 1, &events), 2);
}

TEST(files_are_rotated_by_time)
{
    (void)state;
    uint64_t events = 0;
    int port = proc_free_port();
    struct proc *record = proc_start("tulle", "record", "--listen", proc_address(port), "-w",
                                     path_of("r.mcap"), "--rotate", "300ms", NULL);
    proc_wait_port(port);
    assert_ends(proc_start("tulle", "pub", "-j", proc_address(port), "--wait-peers", "-n", "100",
                           "--rate", "100", "x", "y", NULL),
                0);
    proc_pause(1000); /* nothing comes: no empty files */
    proc_signal(record, SIGTERM);
    assert_ends(record, 0);
    assert_in_range(count_series(1, &events), 3, 5);
    assert_int_equal(events, 100);
}

TEST(the_file_is_compressed_as_asked_for)
{
    (void)state;
    int port = start_shop();
    assert_ends(
        RECORD(port, "-C", "4", "-w", path_of("a.mcap"), "--compression", "zstd", "--fsync"), 0);
    assert_true(content_of(path_of("a.mcap")).has_zstd);
    assert_ends(RECORD(port, "-C", "4", "-w", path_of("b.mcap"), "--compression", "none"), 0);
    assert_true(content_of(path_of("b.mcap")).has_none);
    assert_ends(RECORD(port, "-C", "4", "-w", path_of("c.mcap")), 0);
    assert_true(content_of(path_of("c.mcap")).has_lz4);
}

TEST(what_is_flushed_can_be_read_while_it_records_and_after_a_kill)
{
    (void)state;
    int port = proc_free_port();
    struct proc *record = proc_start("tulle", "record", "--listen", proc_address(port), "--flush",
                                     "0.1", "-v", "-w", path_of("a.mcap"), NULL);
    proc_wait_port(port);
    assert_ends(
        proc_start("tulle", "pub", "-j", proc_address(port), "--wait-peers", "a/1", "x", NULL), 0);
    proc_wait_text(record, PROC_ERR, "flushed: 1 events");
    assert_string_equal(topics_in(path_of("a.mcap")), "a/1");
    json_t *info = info_of(path_of("a.mcap"), 0);
    assert_true(json_is_false(json_object_get(info, "whole")));
    json_decref(info);
    /* Two do not record to one file. */
    struct proc *second = proc_start("tulle", "record", "--listen", "tcp://127.0.0.1:*", "--append",
                                     "-w", path_of("a.mcap"), NULL);
    assert_ends(second, 5);
    assert_says(second, PROC_ERR, "another program records to it");
    proc_kill(record);

    /* The next one goes on behind it, and ends in order. Bytes of a half-written part go. */
    FILE *file = fopen(path_of("a.mcap"), "a");
    assert_non_null(file);
    assert_true(fputs("\x06half", file) >= 0);
    assert_int_equal(fclose(file), 0);
    record = proc_start("tulle", "record", "--listen", proc_address(port), "--append", "--flush",
                        "0", "-C", "1", "-w", path_of("a.mcap"), NULL);
    proc_wait_port(port);
    assert_ends(
        proc_start("tulle", "pub", "-j", proc_address(port), "--wait-peers", "a/2", "x", NULL), 0);
    assert_ends(record, 0);
    assert_says(record, PROC_ERR, "5 bytes behind the last whole part are cut off");
    assert_string_equal(topics_in(path_of("a.mcap")), "a/1 a/2");
    assert_true(content_of(path_of("a.mcap")).is_complete);
}

TEST(signals_end_it_in_order)
{
    (void)state;
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
    for (size_t i = 0; i < 3; i++) {
        int port = proc_free_port();
        struct proc *record = proc_start("tulle", "record", "--listen", proc_address(port),
                                         "--force", "-w", path_of("a.mcap"), NULL);
        proc_wait_port(port);
        assert_ends(
            proc_start("tulle", "pub", "-j", proc_address(port), "--wait-peers", "a", "x", NULL),
            0);
        proc_signal(record, signals[i]);
        assert_ends(record, 0);
        struct content content = content_of(path_of("a.mcap"));
        assert_true(content.is_complete);
        assert_int_equal(content.events, 1);
    }
}

TEST(a_full_disk_is_told_and_what_is_there_can_be_read)
{
    (void)state;
    int port = start_load(6000);
    char command[600];
    /* No file may be larger than 40 KiB, and no signal says so: as a disk does when it is full. */
    (void)snprintf(command, sizeof command,
                   "trap '' XFSZ; ulimit -f 80; exec '%s/tulle' record -j %s --from earliest -e "
                   "--compression none --rotate 1M -w '%s'",
                   getenv("TULLE_BIN_DIR"), proc_address(port), path_of("r.mcap"));
    struct proc *record = proc_start("/bin/sh", "-c", command, NULL);
    assert_ends(record, 5);
    assert_says(record, PROC_ERR, "File too large");
    assert_says(record, PROC_ERR,
                " events could not be written; what was written before can be read");
    assert_says(record, PROC_ERR, "record: 0 events of 1 node");
    struct content content = content_of(path_of("r-000001.mcap"));
    assert_false(content.is_complete);
    assert_int_equal(content.events, 0); /* the first part is larger than that */
    (void)snprintf(command, sizeof command,
                   "trap '' XFSZ; ulimit -f 80; exec '%s/tulle' record -j %s --from earliest -e "
                   "--compression none --rotate 64K --force -w '%s'",
                   getenv("TULLE_BIN_DIR"), proc_address(port), path_of("r.mcap"));
    assert_ends(proc_start("/bin/sh", "-c", command, NULL), 5);
    content = content_of(path_of("r-000001.mcap"));
    assert_false(content.is_complete);
    assert_in_range(content.events, 50, 5999);
}

/* ---- --info ---- */

TEST(info_tells_what_is_there)
{
    (void)state;
    int port = start_shop();
    assert_ends(
        RECORD(port, "-q", "-C", "4", "-w", path_of("a.mcap"), "--name", "ear", "-T", "x/**"), 0);
    struct proc *info = proc_start("tulle", "record", "--info", path_of("a.mcap"), NULL);
    assert_ends(info, 0);
    assert_says(info, PROC_OUT, "a.mcap\n  state       whole\n");
    assert_says(info, PROC_OUT, "  recorder    ear\n  patterns    **\n  exclude     x/**\n");
    assert_says(info, PROC_OUT, "  events      4, payloads ");
    assert_says(info, PROC_OUT, "  gaps        0 (0 missed)\n");
    assert_says(info, PROC_OUT, "  published   20");
    assert_says(info, PROC_OUT, "  arrived     20");
    assert_says(info, PROC_OUT, "\nmail/secret/2       1      3  20");
    assert_says(info, PROC_OUT, "  orders       2      1     2       0\n");

    json_t *object = info_of(path_of("a.mcap"), 0);
    assert_true(json_is_true(json_object_get(object, "whole")));
    assert_int_equal(number_in(object, "events"), 4);
    assert_int_equal(number_in(object, "repaired"), 4);
    assert_int_equal(number_in(object, "damaged"), 0);
    const json_t *topics = json_object_get(object, "topics");
    assert_int_equal(json_array_size(topics), 4);
    assert_string_equal(json_string_value(json_object_get(json_array_get(topics, 0), "topic")),
                        "mail/1");
    const json_t *lanes = json_object_get(object, "lanes");
    assert_int_equal(json_array_size(lanes), 2);
    const json_t *lane = json_array_get(lanes, 1);
    assert_string_equal(json_string_value(json_object_get(lane, "node")), "shop");
    assert_string_equal(json_string_value(json_object_get(lane, "stream")), "orders");
    assert_int_equal(number_in(lane, "first"), 1);
    assert_int_equal(number_in(lane, "last"), 2);
    json_decref(object);

    /* Several files, one of which is none. */
    write_file(path_of("none"), "this is no recording");
    info =
        proc_start("tulle", "record", "--info", "--json", path_of("none"), path_of("a.mcap"), NULL);
    assert_ends(info, 1);
    assert_int_equal(proc_count_lines(info, PROC_OUT), 1);
    assert_says(info, PROC_ERR, "none: it is no recording");
}

TEST(info_tells_of_cuts_and_damage)
{
    (void)state;
    int port = start_load(16000);
    assert_ends(RECORD(port, "-q", "-C", "16000", "-w", path_of("a.mcap"), "--compression", "none"),
                0);
    struct stat entry;
    assert_int_equal(stat(path_of("a.mcap"), &entry), 0);
    json_t *object = info_of(path_of("a.mcap"), 0);
    json_int_t chunks = number_in(object, "chunks");
    assert_true(chunks > 1);
    json_decref(object);

    /* A byte within the first chunk: that one is left out, the others are read. */
    int byte = 0;
    FILE *file = fopen(path_of("a.mcap"), "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, 5000, SEEK_SET), 0);
    byte = fgetc(file);
    assert_int_equal(fseek(file, 5000, SEEK_SET), 0);
    assert_int_equal(fputc(byte ^ 0x40, file), byte ^ 0x40);
    assert_int_equal(fclose(file), 0);
    object = info_of(path_of("a.mcap"), 1);
    assert_int_equal(number_in(object, "damaged"), 1);
    assert_in_range(number_in(object, "events"), 1, 15999);
    json_decref(object);
    struct proc *info = proc_start("tulle", "record", "--info", path_of("a.mcap"), NULL);
    assert_ends(info, 1);
    assert_says(info, PROC_OUT, "  state       1 damaged part left out\n");

    /* What such a file still has is taken over, and the loss is told. */
    struct proc *cut =
        proc_start("tulle", "record", "--cut", path_of("a.mcap"), "-w", path_of("b.mcap"), NULL);
    assert_ends(cut, 1);
    assert_says(cut, PROC_ERR, "1 damaged part is left out");
    assert_true(content_of(path_of("b.mcap")).is_complete);
    assert_in_range(content_of(path_of("b.mcap")).events, 1, 15999);

    assert_int_equal(truncate(path_of("b.mcap"), 10000), 0);
    info = proc_start("tulle", "record", "--info", path_of("b.mcap"), NULL);
    assert_ends(info, 0);
    assert_says(info, PROC_OUT, "  state       cut off after byte ");
}

/* ---- --cut ---- */

TEST(cut_takes_a_part)
{
    (void)state;
    int port = start_shop();
    assert_ends(RECORD(port, "-q", "-C", "4", "-w", path_of("a.mcap"), "--name", "ear"), 0);
    struct proc *cut = proc_start("tulle", "record", "--cut", path_of("a.mcap"), "-w",
                                  path_of("b.mcap"), "-T", "mail/secret/**", "mail/**", NULL);
    assert_ends(cut, 0);
    assert_says(cut, PROC_ERR, "1 event of 4 records taken, 0 gaps");
    assert_string_equal(topics_in(path_of("b.mcap")), "mail/1");
    assert_ends(proc_start("tulle", "record", "--cut", path_of("a.mcap"), "-q", "-w",
                           path_of("c.mcap"), "--where", ".payload.amount? == 50", NULL),
                0);
    assert_string_equal(topics_in(path_of("c.mcap")), "orders/2");
    assert_ends(proc_start("tulle", "record", "--cut", path_of("c.mcap"), "--cut",
                           path_of("b.mcap"), "-q", "-w", path_of("d.mcap"), NULL),
                0);
    assert_string_equal(topics_in(path_of("d.mcap")), "orders/2 mail/1");
    assert_ends(proc_start("tulle", "record", "--cut", path_of("a.mcap"), "-w", path_of("e.mcap"),
                           "--compression", "zstd", "-C", "3", NULL),
                0);
    assert_string_equal(topics_in(path_of("e.mcap")), "orders/1 orders/2 mail/1");
    assert_true(content_of(path_of("e.mcap")).has_zstd);
    assert_ends(proc_start("tulle", "record", "--cut", path_of("a.mcap"), "-w", path_of("f.mcap"),
                           "--until", "1h", NULL),
                0);
    assert_string_equal(topics_in(path_of("f.mcap")), "");
    assert_ends(proc_start("tulle", "record", "--cut", path_of("a.mcap"), "-w", path_of("g.mcap"),
                           "--since", "1h", "--until", "now", NULL),
                0);
    assert_string_equal(topics_in(path_of("g.mcap")), "orders/1 orders/2 mail/1 mail/secret/2");
    /* Who recorded it is still known. */
    struct proc *info = proc_start("tulle", "record", "--info", path_of("g.mcap"), NULL);
    assert_ends(info, 0);
    assert_says(info, PROC_OUT, "  recorder    ear\n");

    assert_ends(proc_start("tulle", "record", "--cut", path_of("a.mcap"), "-f", "-w",
                           path_of("a.mcap"), NULL),
                2);
    assert_string_equal(topics_in(path_of("a.mcap")), "orders/1 orders/2 mail/1 mail/secret/2");
    assert_ends(
        proc_start("tulle", "record", "--cut", path_of("no.mcap"), "-w", path_of("h.mcap"), NULL),
        1);
    assert_int_not_equal(access(path_of("h.mcap"), F_OK), 0);
}

#define CUT_SERIES(...)                                                                            \
    proc_start("tulle", "record", "--cut", path_of("s-000001.mcap"), "-q", "--rotate", "1G", "-w", \
               path_of("s.mcap"), __VA_ARGS__, NULL)

/* What is read is not removed to make place for what is written. */
TEST(cut_does_not_remove_what_it_reads)
{
    (void)state;
    static const char all[] = "orders/1 orders/2 mail/1 mail/secret/2";
    int port = start_shop();
    assert_ends(RECORD(port, "-q", "-C", "4", "--rotate", "1G", "-w", path_of("s.mcap")), 0);
    struct proc *cut = CUT_SERIES("--force");
    assert_ends(cut, 2);
    assert_says(cut, PROC_ERR, "name the same file");
    assert_ends(CUT_SERIES("--append", "--keep", "1"), 2);
    assert_string_equal(topics_in(path_of("s-000001.mcap")), all);
    /* Nothing is removed to write behind it. */
    assert_ends(CUT_SERIES("--append"), 0);
    assert_string_equal(topics_in(path_of("s-000001.mcap")), all);
    assert_string_equal(topics_in(path_of("s-000002.mcap")), all);
}

TEST(options_that_do_not_fit_are_refused)
{
    (void)state;
    static const char *const wrong[][4] = {
        { NULL },
        { "--info" },
        { "--info", "--cut", "a" },
        { "--json", "-w", "a" },
        { "-w", "a" }, /* no way to the mesh */
        { "-w", "a", "--append", "--force" },
        { "-w", "a", "--keep", "2" },
        { "-w", "a", "--rotate", "fast" },
        { "-w", "a", "--rotate", "100" },
        { "-w", "a", "--from=then" },
        { "-w", "a", "--cut=b", "--from=live" },
        { "-w", "a", "--compression", "best" },
        { "-w", "a", "a//b" },
        { "-w", "a", "--where", ".payload >" },
        { "-w", "a", "-T", "a//b" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct proc *record =
            proc_start("tulle", "record", wrong[i][0], wrong[i][1], wrong[i][2], wrong[i][3], NULL);
        assert_ends(record, 2);
        assert_int_equal(proc_text(record, PROC_ERR)[0] != '\0', 1);
    }
    struct proc *help = proc_start("tulle", "record", "--help", NULL);
    assert_ends(help, 0);
    assert_says(help, PROC_OUT, "--rotate");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everything_is_recorded_as_it_was_published, begin_directory,
                                        proc_end_all),
        cmocka_unit_test_setup_teardown(what_is_recorded_can_be_chosen, begin_directory,
                                        proc_end_all),
        cmocka_unit_test_setup_teardown(where_reading_begins_can_be_chosen, begin_directory,
                                        proc_end_all),
        cmocka_unit_test_setup_teardown(what_is_lost_is_recorded_as_a_gap, begin_directory,
                                        proc_end_all),
        cmocka_unit_test_setup_teardown(a_file_is_not_overwritten_unless_it_is_said,
                                        begin_directory, proc_end_all),
        cmocka_unit_test_setup_teardown(files_are_rotated_by_size, begin_directory, proc_end_all),
        cmocka_unit_test_setup_teardown(files_are_rotated_by_time, begin_directory, proc_end_all),
        cmocka_unit_test_setup_teardown(the_file_is_compressed_as_asked_for, begin_directory,
                                        proc_end_all),
        cmocka_unit_test_setup_teardown(
            what_is_flushed_can_be_read_while_it_records_and_after_a_kill, begin_directory,
            proc_end_all),
        cmocka_unit_test_setup_teardown(signals_end_it_in_order, begin_directory, proc_end_all),
        cmocka_unit_test_setup_teardown(a_full_disk_is_told_and_what_is_there_can_be_read,
                                        begin_directory, proc_end_all),
        cmocka_unit_test_setup_teardown(info_tells_what_is_there, begin_directory, proc_end_all),
        cmocka_unit_test_setup_teardown(info_tells_of_cuts_and_damage, begin_directory,
                                        proc_end_all),
        cmocka_unit_test_setup_teardown(cut_takes_a_part, begin_directory, proc_end_all),
        cmocka_unit_test_setup_teardown(cut_does_not_remove_what_it_reads, begin_directory,
                                        proc_end_all),
        cmocka_unit_test_setup_teardown(options_that_do_not_fit_are_refused, begin_directory,
                                        proc_end_all),
    };
    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
