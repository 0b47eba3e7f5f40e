/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_CODEC_TOPIC_H
#define TULLE_CODEC_TOPIC_H

/* Topics, patterns, streams and subscription keys (protocol.md 2). The public
 * forms on C strings are in <tulle/topic.h>; these work on views. */

#include "codec/limits.h"
#include "codec/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool tulle__topic_is_valid(struct tulle__view topic);
/* Are they (not empty) surely fine as levels of a topic behind the first? Printable ASCII
 * without "*" is; false: look closer. */
bool tulle__levels_are_plain(struct tulle__view levels);
bool tulle__pattern_is_valid(struct tulle__view pattern);
/* Walks the levels of a path; empty ones are seen too. */
struct tulle__levels {
    const uint8_t *at;
    size_t left;
    bool is_over;
};

struct tulle__levels tulle__levels_of(struct tulle__view path);
bool tulle__levels_next(struct tulle__levels *levels, struct tulle__view *out);
/* Is the level a "*"? A "**"? */
bool tulle__level_is_one(struct tulle__view level);
bool tulle__level_is_any(struct tulle__view level);

/* Topic given in two parts: the stream and what is below it ("" when equal). */
bool tulle__pattern_matches(struct tulle__view pattern,
                            struct tulle__view stream,
                            struct tulle__view rest);
/* Bytes of the topic's leading levels that make the stream. levels >= 1. */
size_t tulle__stream_len(struct tulle__view topic, uint32_t levels);
/* What is below the stream, without the slash; empty when nothing is. */
struct tulle__view tulle__topic_rest(struct tulle__view topic, size_t stream_len);
/* Does the pattern match every topic of every stream that begins with the
 * stream given (so that matching each event can be skipped)? */
bool tulle__pattern_takes_all_of(struct tulle__view pattern, struct tulle__view stream);

struct tulle__key {
    uint8_t bytes[TULLE__KEY_LEN_MAX];
    size_t len;
};

static inline struct tulle__view
tulle__key_view(const struct tulle__key *key)
{
    return (struct tulle__view){ key->bytes, key->len };
}

enum { TULLE__KEYS_PER_PATTERN_MAX = 130 };

/* ZeroMQ subscription keys that together take every stream which can carry a
 * topic matching the pattern: for each literal leading part the exact stream
 * ("a" 0, "a/b" 0), and where a wildcard follows the prefix ("a/b/"; "" for a
 * leading wildcard). Returns how many were written. */
size_t tulle__pattern_keys(struct tulle__view pattern,
                           struct tulle__key keys[static TULLE__KEYS_PER_PATTERN_MAX]);

/* Keys overlap when one takes everything of the other. */
bool tulle__keys_overlap(struct tulle__view a, struct tulle__view b);
/* Does a key take the stream: is it a prefix of stream and zero byte? */
bool tulle__key_takes(struct tulle__view key, struct tulle__view stream);
/* Order of keys, for searching. */
int tulle__keys_compare(struct tulle__view a, struct tulle__view b);
void tulle__keys_sort(struct tulle__view *keys, size_t count);
/* Does one of sorted keys take everything of the key? */
bool tulle__keys_cover(const struct tulle__view *keys, size_t count, struct tulle__view key);

#endif
