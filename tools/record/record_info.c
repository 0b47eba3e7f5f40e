/* SPDX-License-Identifier: MPL-2.0 */

/* --info reads the whole file, as whoever plays it would: the summary at its end may be missing,
 * and tells neither of lanes nor of damage. */

#include "app/exit.h"
#include "app/json.h"
#include "app/text.h"
#include "tools/common/human.h"
#include "tools/common/recorded.h"
#include "tools/common/table.h"
#include "tools/common/terminal.h"
#include "tools/common/tools.h"
#include "tools/record/record.h"
#include "tools/record/record_tally.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const notes[] = { "mesh", "recorder", "patterns", "exclude", "where", "order" };
enum { NOTE_COUNT = sizeof notes / sizeof *notes, NAMES_LEN = 32 };

struct info {
    const char *path;
    const struct tulle__recording_reader *reader;
    struct tulle__record_tally *tally;
    struct tulle__record_sum sum;
    struct tulle__recording_state state;
    enum tulle__recording_result result;
};

static const char *
compressions(const struct tulle__recording_state *state, char out[static NAMES_LEN])
{
    (void)snprintf(out, NAMES_LEN, "%s%s%s", state->has_none ? " none" : "",
                   state->has_lz4 ? " lz4" : "", state->has_zstd ? " zstd" : "");
    return out[0] == ' ' ? out + 1 : "none";
}

/* ---- for people ---- */

static void
put_label(struct tulle__text *out, const char *label)
{
    tulle__text_format(out, "  %-11s ", label);
}

static void
put_times(struct tulle__text *out, const char *label, int64_t first_us, int64_t last_us)
{
    put_label(out, label);
    tulle__text_time(out, first_us);
    tulle__text_str(out, " to ");
    tulle__text_time(out, last_us);
    tulle__text_str(out, ", ");
    tulle__human_span(out, (uint64_t)(last_us - first_us) / 1000);
    tulle__text_char(out, '\n');
}

static void
put_state(struct tulle__text *out, const struct info *info)
{
    const struct tulle__recording_state *state = &info->state;
    uint64_t damaged = state->damaged_chunks + state->damaged_records;
    put_label(out, "state");
    if (state->is_complete && damaged == 0)
        tulle__text_str(out, "whole");
    if (!state->is_complete) {
        tulle__text_format(out, "%s; its recorder %s", tulle__recording_reason(info->reader),
                           state->whole_bytes == state->file_bytes
                               ? "still runs, or was ended by force"
                               : "was ended by force, or the end is damaged");
    }
    if (damaged > 0) {
        tulle__text_format(out, "%s%" PRIu64 " damaged part%s left out",
                           state->is_complete ? "" : "; ", damaged, damaged == 1 ? "" : "s");
    }
    tulle__text_char(out, '\n');
}

static void
put_head(struct tulle__text *out, const struct info *info)
{
    char names[NAMES_LEN];
    const struct tulle__recording_state *state = &info->state;
    const struct tulle__record_sum *sum = &info->sum;
    tulle__terminal_put_safe(out, info->path, strlen(info->path));
    tulle__text_char(out, '\n');
    put_state(out, info);
    put_label(out, "size");
    tulle__human_bytes(out, state->file_bytes);
    tulle__text_format(out, " in %" PRIu64 " chunk%s, %s, unpacked ", state->chunks,
                       state->chunks == 1 ? "" : "s", compressions(state, names));
    tulle__human_bytes(out, state->raw_bytes);
    tulle__text_char(out, '\n');
    for (size_t i = 0; i < NOTE_COUNT; i++) {
        const char *note = tulle__recording_note(info->reader, notes[i]);
        if (note == NULL || note[0] == '\0')
            continue;
        put_label(out, notes[i]);
        tulle__terminal_put_safe(out, note, strlen(note));
        tulle__text_char(out, '\n');
    }
    put_label(out, "events");
    tulle__text_format(out, "%" PRIu64 ", payloads ", sum->events);
    tulle__human_bytes(out, sum->bytes);
    tulle__text_format(out, ", %" PRIu64 " repaired\n", sum->repaired);
    put_label(out, "gaps");
    tulle__text_format(out, "%" PRIu64 " (%" PRIu64 " missed)\n", sum->gaps, sum->missing);
    if (sum->events > 0)
        put_times(out, "published", sum->first_us, sum->last_us);
    if (sum->events + sum->gaps > 0)
        put_times(out, "arrived", sum->first_arrival, sum->last_arrival);
}

static void
put_safe_cell(struct tulle__table *table, const char *text)
{
    tulle__terminal_put_safe(tulle__table_cell(table), text, strlen(text));
}

static void
put_table(struct tulle__text *out, struct tulle__table *table)
{
    const struct tulle__table_style style = { .columns = 0 };
    tulle__text_char(out, '\n');
    tulle__table_print(table, &style, out);
    tulle__table_fini(table);
}

static void
put_topics(struct tulle__text *out, const struct info *info)
{
    static const struct tulle__column columns[] = {
        { .title = "TOPIC" },
        { "EVENTS", .is_right = true },
        { "BYTES", .is_right = true },
        { .title = "FIRST PUBLISHED" },
    };
    struct tulle__table table;
    const struct tulle__record_topic *topic = NULL;
    tulle__table_init(&table, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; (topic = tulle__record_tally_topic(info->tally, i)) != NULL; i++) {
        put_safe_cell(&table, topic->topic);
        tulle__table_u64(&table, topic->events);
        tulle__human_bytes(tulle__table_cell(&table), topic->bytes);
        tulle__text_time(tulle__table_cell(&table), topic->first_us);
    }
    put_table(out, &table);
}

static void
put_lanes(struct tulle__text *out, const struct info *info)
{
    static const struct tulle__column columns[] = {
        { .title = "NODE" },
        { .title = "ID" },
        { .title = "STREAM" },
        { "EVENTS", .is_right = true },
        { "FIRST", .is_right = true },
        { "LAST", .is_right = true },
        { "MISSED", .is_right = true },
    };
    struct tulle__table table;
    const struct tulle__record_lane *lane = NULL;
    tulle__table_init(&table, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; (lane = tulle__record_tally_lane(info->tally, i)) != NULL; i++) {
        put_safe_cell(&table, lane->node_name);
        tulle__text_id(tulle__table_cell(&table), lane->node);
        put_safe_cell(&table, lane->stream);
        tulle__table_u64(&table, lane->events);
        tulle__table_u64(&table, lane->first);
        tulle__table_u64(&table, lane->last);
        tulle__table_u64(&table, lane->missing);
    }
    put_table(out, &table);
}

/* ---- for programs ---- */

static void
put_tables(struct tulle__text *out, const struct info *info)
{
    const struct tulle__record_topic *topic = NULL;
    const struct tulle__record_lane *lane = NULL;
    tulle__json_key(out, "topics");
    tulle__text_char(out, '[');
    for (size_t i = 0; (topic = tulle__record_tally_topic(info->tally, i)) != NULL; i++) {
        tulle__text_str(out, i > 0 ? ",{\"topic\":" : "{\"topic\":");
        tulle__json_put_str(out, topic->topic, strlen(topic->topic));
        tulle__json_u64(out, "events", topic->events);
        tulle__json_u64(out, "payload_bytes", topic->bytes);
        tulle__json_time(out, "first_published", topic->first_us);
        tulle__json_time(out, "last_published", topic->last_us);
        tulle__text_char(out, '}');
    }
    tulle__text_str(out, "]");
    tulle__json_key(out, "lanes");
    tulle__text_char(out, '[');
    for (size_t i = 0; (lane = tulle__record_tally_lane(info->tally, i)) != NULL; i++) {
        tulle__text_str(out, i > 0 ? ",{\"id\":" : "{\"id\":");
        tulle__json_put_id(out, lane->node);
        tulle__json_str(out, "node", lane->node_name);
        tulle__json_str(out, "stream", lane->stream);
        tulle__json_u64(out, "events", lane->events);
        tulle__json_u64(out, "payload_bytes", lane->bytes);
        tulle__json_u64(out, "first", lane->first);
        tulle__json_u64(out, "last", lane->last);
        tulle__json_u64(out, "missed", lane->missing);
        tulle__text_char(out, '}');
    }
    tulle__text_char(out, ']');
}

static void
put_json(struct tulle__text *out, const struct info *info)
{
    char names[NAMES_LEN];
    const struct tulle__recording_state *state = &info->state;
    const struct tulle__record_sum *sum = &info->sum;
    tulle__text_str(out, "{\"file\":");
    tulle__json_put_str(out, info->path, strlen(info->path));
    tulle__json_bool(out, "whole", state->is_complete);
    if (!state->is_complete)
        tulle__json_str(out, "problem", tulle__recording_reason(info->reader));
    tulle__json_u64(out, "damaged", state->damaged_chunks + state->damaged_records);
    tulle__json_u64(out, "bytes", state->file_bytes);
    tulle__json_u64(out, "readable_bytes", state->whole_bytes);
    tulle__json_u64(out, "chunks", state->chunks);
    tulle__json_str(out, "compression", compressions(state, names));
    tulle__json_u64(out, "unpacked_bytes", state->raw_bytes);
    for (size_t i = 0; i < NOTE_COUNT; i++) {
        const char *note = tulle__recording_note(info->reader, notes[i]);
        if (note != NULL)
            tulle__json_str(out, notes[i], note);
    }
    tulle__json_u64(out, "events", sum->events);
    tulle__json_u64(out, "payload_bytes", sum->bytes);
    tulle__json_u64(out, "repaired", sum->repaired);
    tulle__json_u64(out, "gaps", sum->gaps);
    tulle__json_u64(out, "missed", sum->missing);
    if (sum->events > 0) {
        tulle__json_time(out, "first_published", sum->first_us);
        tulle__json_time(out, "last_published", sum->last_us);
    }
    if (sum->events + sum->gaps > 0) {
        tulle__json_time(out, "first_arrived", sum->first_arrival);
        tulle__json_time(out, "last_arrived", sum->last_arrival);
    }
    put_tables(out, info);
    tulle__text_str(out, "}\n");
}

/* ---- reading ---- */

static enum tulle__recording_result
read_all(struct tulle__recording_reader *reader, struct tulle__record_tally *tally)
{
    const struct tulle__recorded *record = NULL;
    for (;;) {
        enum tulle__recording_result result = tulle__recording_next(reader, &record);
        if (result != TULLE__RECORDING_RECORD)
            return result;
        if (!tulle__record_tally_add(tally, &record->message, record->arrival_us))
            return TULLE__RECORDING_FAILED;
    }
}

/* One file. Returns false when it could not be read, or is damaged. */
static bool
tell(const struct tulle__program *program, const char *path, bool is_json, struct tulle__text *out)
{
    struct tulle__recording_reader *reader = tulle__recorded_open(program->name, path);
    struct info info = { .path = path, .reader = reader };
    if (reader == NULL)
        return false;
    info.tally = tulle__record_tally_new(true);
    bool is_good = info.tally != NULL;
    if (is_good) {
        info.result = read_all(reader, info.tally);
        is_good = info.result != TULLE__RECORDING_FAILED;
    }
    if (is_good) {
        tulle__recording_state(reader, &info.state);
        tulle__record_tally_sum(info.tally, &info.sum);
        if (is_json) {
            put_json(out, &info);
        } else {
            put_head(out, &info);
            put_topics(out, &info);
            put_lanes(out, &info);
        }
        is_good = info.state.damaged_chunks + info.state.damaged_records == 0;
    } else {
        (void)fprintf(stderr, "%s: %s: %s\n", program->name, path,
                      tulle__recording_reason(reader)[0] != '\0' ? tulle__recording_reason(reader)
                                                                 : "out of memory");
    }
    tulle__record_tally_free(&info.tally);
    tulle__recording_reader_close(&reader);
    return is_good;
}

int
tulle__record_info(const struct tulle__program *program,
                   const char *const *files,
                   size_t file_count,
                   bool is_json)
{
    int status = 0;
    if (file_count == 0)
        return tulle__args_usage(program, "--info needs FILE");
    for (size_t i = 0; i < file_count; i++) {
        struct tulle__text out = { 0 };
        if (i > 0 && !is_json)
            tulle__text_char(&out, '\n');
        if (!tell(program, files[i], is_json, &out))
            status = TULLE__EXIT_FAILURE;
        int printed = out.has_failed ? tulle__tool_fail(program, "out of memory")
                                     : tulle__tool_print(program, &out);
        tulle__text_free(&out);
        if (printed != 0)
            return printed;
    }
    return status;
}
