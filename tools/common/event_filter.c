/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/common/event_filter.h"

#include "app/json.h"
#include "tools/common/when.h"

#include <tulle/topic.h>

#include <string.h>

void
tulle__event_filter_init(struct tulle__event_filter *filter)
{
    *filter = (struct tulle__event_filter){ .since_us = INT64_MIN, .until_us = INT64_MAX };
}

void
tulle__event_filter_fini(struct tulle__event_filter *filter)
{
    tulle__query_free(&filter->where);
    tulle__text_free(&filter->json);
}

int
tulle__event_filter_set(struct tulle__event_filter *filter,
                        const struct tulle__program *program,
                        const struct tulle__event_filter_texts *texts,
                        int64_t now_us)
{
    char problem[TULLE__QUERY_ERROR_LEN];
    filter->exclude = texts->exclude;
    if (texts->since != NULL)
        (void)tulle__when_parse(texts->since, now_us, &filter->since_us);
    if (texts->until != NULL)
        (void)tulle__when_parse(texts->until, now_us, &filter->until_us);
    if (filter->since_us > filter->until_us)
        return tulle__args_usage(program, "--since is later than --until");
    if (texts->where != NULL && !tulle__query_new(texts->where, &filter->where, problem))
        return tulle__args_usage(program, "--where: %s", problem);
    return 0;
}

bool
tulle__event_filter_passes(struct tulle__event_filter *filter, const tulle_message *message)
{
    const tulle_event *event = &message->u.event;
    if (event->time_us < filter->since_us || event->time_us > filter->until_us)
        return false;
    for (size_t i = 0; filter->exclude != NULL && i < filter->exclude->count; i++) {
        if (tulle_pattern_matches(filter->exclude->items[i], event->topic))
            return false;
    }
    if (filter->where == NULL)
        return true;
    tulle__text_clear(&filter->json);
    tulle__json_message(message, 0, &filter->json);
    return !filter->json.has_failed &&
           tulle__query_holds(filter->where, filter->json.bytes, filter->json.len);
}

bool
tulle__event_filter_is_used(const struct tulle__event_filter *filter)
{
    return filter->since_us != INT64_MIN || filter->until_us != INT64_MAX ||
           filter->where != NULL || (filter->exclude != NULL && filter->exclude->count > 0);
}

bool
tulle__from_parse(const char *text, tulle_subscribe_options *subscribe)
{
    if (strcmp(text, "live") == 0) {
        subscribe->from = TULLE_FROM_LIVE;
        return true;
    }
    if (strcmp(text, "earliest") == 0) {
        subscribe->from = TULLE_FROM_EARLIEST;
        return true;
    }
    subscribe->from = TULLE_FROM_LAST;
    return strncmp(text, "last:", 5) == 0 &&
           tulle__parse_u64(text + 5, 1, UINT64_MAX, &subscribe->from_count);
}

const char *
tulle__from_choose(const char *from,
                   uint64_t last,
                   const char *since,
                   tulle_subscribe_options *subscribe)
{
    if (last > 0 && from != NULL)
        return "--last and --from exclude each other";
    if (last > 0) {
        subscribe->from = TULLE_FROM_LAST;
        subscribe->from_count = last;
    } else if (from == NULL) {
        subscribe->from = since != NULL ? TULLE_FROM_EARLIEST : TULLE_FROM_LIVE;
    } else if (!tulle__from_parse(from, subscribe)) {
        return "--from takes live, earliest or last:N";
    }
    return NULL;
}
