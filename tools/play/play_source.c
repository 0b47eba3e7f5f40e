/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/play/play_source.h"

static bool
is_wanted(struct tulle__play_source *source, const struct tulle__recorded *record, int64_t time_us)
{
    const tulle_message *message = &record->message;
    if (time_us < source->from_us || time_us > source->to_us ||
        !tulle__recorded_is_taken(message, source->topics->items, source->topics->count))
        return false;
    return message->kind == TULLE_MESSAGE_GAP ||
           tulle__event_filter_passes(source->filter, message);
}

/* Take the record. Is it an event to play? */
static bool
take(struct tulle__play_source *source, const struct tulle__recorded *record, int64_t *time_us)
{
    bool is_gap = record->message.kind == TULLE_MESSAGE_GAP;
    *time_us =
        is_gap || source->is_by_arrival ? record->arrival_us : record->message.u.event.time_us;
    bool is_taken = is_wanted(source, record, *time_us);
    if (is_gap && is_taken)
        source->missing += record->message.u.gap.last - record->message.u.gap.first + 1;
    source->left_out += !is_gap && !is_taken;
    return !is_gap && is_taken;
}

static void
end_file(struct tulle__play_source *source, enum tulle__recording_result result)
{
    const char *path = source->files[source->file - 1];
    bool is_good = source->is_told ||
                   tulle__recorded_tell(source->program->name, path, source->reader, result);
    source->is_damaged |= !is_good;
    tulle__recording_reader_close(&source->reader);
}

enum tulle__play_next
tulle__play_source_next(struct tulle__play_source *source,
                        const tulle_event **event,
                        int64_t *time_us)
{
    for (;;) {
        if (source->reader == NULL && source->file == source->file_count) {
            source->is_told = true;
            return TULLE__PLAY_END;
        }
        if (source->reader == NULL) {
            const char *path = source->files[source->file++];
            source->reader = tulle__recorded_open(source->program->name, path);
            if (source->reader == NULL)
                return TULLE__PLAY_FAILED;
        }
        const struct tulle__recorded *record = NULL;
        enum tulle__recording_result result = tulle__recording_next(source->reader, &record);
        if (result == TULLE__RECORDING_RECORD && take(source, record, time_us)) {
            *event = &record->message.u.event;
            return TULLE__PLAY_EVENT;
        }
        if (result != TULLE__RECORDING_RECORD)
            end_file(source, result);
        if (result == TULLE__RECORDING_FAILED)
            return TULLE__PLAY_FAILED;
    }
}

void
tulle__play_source_rewind(struct tulle__play_source *source)
{
    tulle__recording_reader_close(&source->reader);
    source->file = 0;
    source->left_out = source->missing = 0;
}

void
tulle__play_source_close(struct tulle__play_source *source)
{
    tulle__recording_reader_close(&source->reader);
}
