/* SPDX-License-Identifier: MPL-2.0 */
/* Several patterns as one. */

#include "node/patterns.h"

#include "base/alloc.h"
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
    return patterns;
}

void
tulle__patterns_free(struct tulle__patterns **patterns)
{
    tulle__free(*patterns);
    *patterns = NULL;
}

/* ---- matching ---- */

bool
tulle__patterns_match(const struct tulle__patterns *patterns,
                      struct tulle__view stream,
                      struct tulle__view rest)
{
    for (size_t i = 0; i < patterns->count; i++) {
        if (tulle__pattern_matches(patterns->items[i].text, stream, rest))
            return true;
    }
    return false;
}

bool
tulle__patterns_take_all_of(const struct tulle__patterns *patterns, struct tulle__view stream)
{
    for (size_t i = 0; i < patterns->count; i++) {
        if (tulle__pattern_takes_all_of(patterns->items[i].text, stream))
            return true;
    }
    return false;
}

bool
tulle__patterns_take_some_of(const struct tulle__patterns *patterns, struct tulle__view stream)
{
    struct tulle__key keys[TULLE__KEYS_PER_PATTERN_MAX];
    for (size_t i = 0; i < patterns->count; i++) {
        size_t count = tulle__pattern_keys(patterns->items[i].text, keys);
        for (size_t k = 0; k < count; k++) {
            if (tulle__key_takes(tulle__key_view(&keys[k]), stream))
                return true;
        }
    }
    return false;
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
