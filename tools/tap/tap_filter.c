/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/tap/tap_filter.h"

#include "app/json.h"

#include <tulle/topic.h>

void
tulle__tap_filter_init(struct tulle__tap_filter *filter)
{
    *filter = (struct tulle__tap_filter){ .since_us = INT64_MIN, .until_us = INT64_MAX };
}

void
tulle__tap_filter_fini(struct tulle__tap_filter *filter)
{
    tulle__query_free(&filter->where);
    tulle__text_free(&filter->json);
}

bool
tulle__tap_filter_passes(struct tulle__tap_filter *filter, const tulle_message *message)
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
