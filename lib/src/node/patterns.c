/* SPDX-License-Identifier: MPL-2.0 */
/* Several patterns as one. */

#include "node/patterns.h"

#include "base/alloc.h"
#include "codec/pattern_index.h"
#include "codec/topic.h"

#include <tulle/topic.h>

#include <string.h>

/* ---- making ---- */

bool
tulle__patterns_are_valid(const char *first, const tulle_subscribe_options *options)
{
    if (first == NULL || !tulle_pattern_is_valid(first) ||
        (options->also == NULL && options->also_count > 0) ||
        options->also_count >= TULLE__PATTERNS_MAX)
        return false;
    for (size_t i = 0; i < options->also_count; i++) {
        if (options->also[i] == NULL || !tulle_pattern_is_valid(options->also[i]))
            return false;
    }
    return true;
}

static bool
make_index(struct tulle__patterns *patterns)
{
    patterns->index = tulle__pattern_index_new();
    bool is_good = patterns->index != NULL;
    for (size_t i = 0; is_good && i < patterns->count; i++)
        is_good = tulle__pattern_index_add(patterns->index, patterns->items[i].text, (uint32_t)i);
    return is_good;
}

struct tulle__patterns *
tulle__patterns_new(const char *first, const tulle_subscribe_options *options)
{
    size_t count = 1 + options->also_count;
    size_t bytes = strlen(first) + 1;
    for (size_t i = 1; i < count; i++)
        bytes += strlen(options->also[i - 1]) + 1;
    struct tulle__patterns *patterns =
        tulle__alloc(sizeof *patterns + count * sizeof patterns->items[0] + bytes);
    if (patterns == NULL)
        return NULL;
    patterns->count = count;
    uint8_t *at = (uint8_t *)&patterns->items[count];
    for (size_t i = 0; i < count; i++) {
        const char *text = i == 0 ? first : options->also[i - 1];
        size_t len = strlen(text);
        memcpy(at, text, len + 1);
        patterns->items[i] = (struct tulle__pattern){ .text = { at, len } };
        at += len + 1;
    }
    if (count > 1 && !make_index(patterns))
        tulle__patterns_free(&patterns);
    return patterns;
}

void
tulle__patterns_free(struct tulle__patterns **patterns)
{
    if (*patterns != NULL)
        tulle__pattern_index_free(&(*patterns)->index);
    tulle__free(*patterns);
    *patterns = NULL;
}

/* ---- matching ---- */

bool
tulle__patterns_match(const struct tulle__patterns *patterns,
                      struct tulle__view stream,
                      struct tulle__view rest)
{
    bool has_more;
    if (patterns->index == NULL)
        return tulle__pattern_matches(patterns->items[0].text, stream, rest);
    return tulle__pattern_index_stream(patterns->index, stream, &has_more).count > 0 ||
           (has_more && tulle__pattern_index_topic(patterns->index, rest).count > 0);
}

bool
tulle__patterns_take_all_of(const struct tulle__patterns *patterns, struct tulle__view stream)
{
    bool has_more;
    if (patterns->index == NULL)
        return tulle__pattern_takes_all_of(patterns->items[0].text, stream);
    return tulle__pattern_index_stream(patterns->index, stream, &has_more).count > 0;
}

/* ---- the engine ---- */

bool
tulle__patterns_starts_agree(const struct tulle__patterns *a,
                             const tulle_subscribe_options *a_options,
                             const struct tulle__patterns *b,
                             const tulle_subscribe_options *b_options)
{
    for (size_t i = 0; i < a->count; i++) {
        for (size_t k = 0; k < b->count; k++) {
            if (!tulle__engine_starts_agree(a->items[i].text, a_options, b->items[k].text,
                                            b_options))
                return false;
        }
    }
    return true;
}

tulle_status
tulle__patterns_register(struct tulle__patterns *patterns,
                         struct tulle__engine *engine,
                         const tulle_subscribe_options *options,
                         struct tulle__now now)
{
    for (size_t i = 0; i < patterns->count; i++) {
        struct tulle__pattern *pattern = &patterns->items[i];
        tulle_status status =
            tulle__engine_subscribe(engine, pattern->text, options, &pattern->handle, now);
        if (status != TULLE_OK) {
            while (i-- > 0)
                tulle__engine_unsubscribe(engine, patterns->items[i].handle, now);
            return status;
        }
    }
    return TULLE_OK;
}

void
tulle__patterns_unregister(const struct tulle__patterns *patterns,
                           struct tulle__engine *engine,
                           struct tulle__now now)
{
    for (size_t i = 0; i < patterns->count; i++)
        tulle__engine_unsubscribe(engine, patterns->items[i].handle, now);
}
