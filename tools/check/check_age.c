/* SPDX-License-Identifier: MPL-2.0 */

/* The last event of each lane, taken as any node that comes late may. */

#include "tools/check/check_age.h"

#include "app/text.h"
#include "tools/common/history_end.h"

#include <stdlib.h>
#include <string.h>

enum { SETTLE_US = 300000, PATTERNS_MAX = 255 };

struct age {
    char *stream;
    int64_t time_us;
};

struct tulle__check_ages {
    tulle_subscription *subscription;
    struct tulle__history_end *end;
    struct age *items; /* ascending streams */
    size_t count, cap;
};

void
tulle__check_ages_free(struct tulle__check_ages **pointer)
{
    struct tulle__check_ages *ages = *pointer;
    if (ages == NULL)
        return;
    tulle_subscription_free(&ages->subscription);
    tulle__history_end_free(&ages->end);
    for (size_t i = 0; i < ages->count; i++)
        free(ages->items[i].stream);
    free(ages->items);
    free(ages);
    *pointer = NULL;
}

/* Patterns of streams are made ones of topics: all below each. NUL-terminated, one behind the
 * other; NULL: no memory. */
static bool
make_patterns(const struct tulle__list *streams, struct tulle__text *text)
{
    for (size_t i = 0; i < streams->count; i++) {
        const char *stream = streams->items[i];
        size_t len = strlen(stream);
        bool is_open = len >= 2 && strcmp(stream + len - 2, "**") == 0;
        tulle__text_str(text, stream);
        tulle__text_str(text, is_open ? "" : "/**");
        tulle__text_char(text, '\0');
    }
    if (streams->count == 0)
        tulle__text_put(text, "**", 3);
    return !text->has_failed;
}

static bool
subscribe(struct tulle__check_ages *ages, tulle_node *node, const struct tulle__list *streams)
{
    const char *patterns[PATTERNS_MAX + 1];
    struct tulle__text text = { 0 };
    tulle_subscribe_options options;
    size_t count = 0;
    tulle_subscribe_options_init(&options);
    options.order = TULLE_ORDER_FIFO;
    options.from = TULLE_FROM_LAST;
    options.from_count = 1;
    bool is_good = make_patterns(streams, &text);
    for (size_t at = 0; is_good && at < text.len && count <= PATTERNS_MAX;
         at += strlen(text.bytes + at) + 1)
        patterns[count++] = text.bytes + at;
    if (is_good) {
        options.also = count > 1 ? patterns + 1 : NULL;
        options.also_count = count > 1 ? count - 1 : 0;
        is_good = tulle_node_subscribe(node, text.bytes, &options, &ages->subscription) == TULLE_OK;
    }
    tulle__text_free(&text);
    return is_good;
}

struct tulle__check_ages *
tulle__check_ages_new(tulle_node *node, const struct tulle__check_scope *scope)
{
    struct tulle__check_ages *ages = calloc(1, sizeof *ages);
    if (ages == NULL)
        return NULL;
    ages->end = tulle__history_end_new(SETTLE_US);
    if (ages->end == NULL || (node != NULL && !subscribe(ages, node, &scope->streams)))
        tulle__check_ages_free(&ages);
    return ages;
}

/* Where the stream is, or belongs. */
static size_t
find(const struct tulle__check_ages *ages, const char *stream, bool *is_there)
{
    size_t low = 0;
    size_t high = ages->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(ages->items[middle].stream, stream) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *is_there = low < ages->count && strcmp(ages->items[low].stream, stream) == 0;
    return low;
}

bool
tulle__check_ages_note(struct tulle__check_ages *ages, const char *stream, int64_t time_us)
{
    bool is_there;
    size_t at = find(ages, stream, &is_there);
    if (is_there) {
        if (time_us > ages->items[at].time_us)
            ages->items[at].time_us = time_us;
        return true;
    }
    if (ages->count == ages->cap) {
        size_t cap = ages->cap == 0 ? 16 : 2 * ages->cap;
        struct age *more = realloc(ages->items, cap * sizeof *more);
        if (more == NULL)
            return false;
        ages->items = more;
        ages->cap = cap;
    }
    char *copy = strdup(stream);
    if (copy == NULL)
        return false;
    memmove(&ages->items[at + 1], &ages->items[at], (ages->count - at) * sizeof *ages->items);
    ages->items[at] = (struct age){ copy, time_us };
    ages->count++;
    return true;
}

bool
tulle__check_ages_take(struct tulle__check_ages *ages, tulle_node *node, int64_t now_us)
{
    const tulle_message *message = NULL;
    bool is_end = tulle__history_end_is_reached(ages->end, node, now_us);
    /* What is delivered by then can be received. Without memory a stream's age stays unknown. */
    while (tulle_subscription_receive(ages->subscription, &message, 0) == TULLE_OK) {
        if (message->kind == TULLE_MESSAGE_EVENT)
            (void)tulle__check_ages_note(ages, message->u.event.stream, message->u.event.time_us);
    }
    return is_end;
}

void
tulle__check_ages_measure(const struct tulle__check_ages *ages,
                          const tulle_snapshot *snapshot,
                          const struct tulle__check_scope *scope,
                          struct tulle__check_values *values)
{
    bool is_whole = true;
    bool is_there;
    size_t count = 0;
    for (size_t i = 0; i < snapshot->lane_count; i++) {
        const char *stream = snapshot->lanes[i].stream;
        bool is_again = i > 0 && strcmp(snapshot->lanes[i - 1].stream, stream) == 0;
        if (is_again || !tulle__check_has_stream(scope, stream))
            continue;
        size_t at = find(ages, stream, &is_there);
        is_whole = is_whole && is_there;
        count++;
        if (!is_there)
            continue;
        double age = ((double)snapshot->time_us - (double)ages->items[at].time_us) / 1e6;
        tulle__check_add(values, (struct tulle__check_sample){ .metric = TULLE__METRIC_AGE,
                                                               .name = stream,
                                                               .value = age > 0 ? age : 0 });
    }
    values->is_known[TULLE__METRIC_AGE] = is_whole && count > 0;
}
