/* SPDX-License-Identifier: MPL-2.0 */
/* Topics, patterns, streams and subscription keys (PROTOCOL 2). */

#include "codec/topic.h"

#include "base/panic.h"

#include <tulle/topic.h>

#include <stdlib.h>
#include <string.h>

/* ---- text ---- */

/* Bytes of the UTF-8 character at the front (RFC 3629); 0 when it is none, or a
 * control character. */
static size_t
character_len(const uint8_t *p, size_t left)
{
    uint8_t c = p[0];
    if (c < 0x80)
        return c < 0x20 || c == 0x7f ? 0 : 1;
    size_t len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    if (c < 0xc2 || c > 0xf4 || len > left)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    bool is_overlong = (c == 0xe0 && p[1] < 0xa0) || (c == 0xf0 && p[1] < 0x90);
    bool is_surrogate = c == 0xed && p[1] > 0x9f;
    bool is_beyond = c == 0xf4 && p[1] > 0x8f;
    return is_overlong || is_surrogate || is_beyond ? 0 : len;
}

/* ---- plain text, eight bytes at a time ---- */

#define EVERY_BYTE UINT64_C(0x0101010101010101)
#define HIGH_BITS  UINT64_C(0x8080808080808080)

/* High bit of each byte of word that equals byte; sound for bytes below 80 only. */
static uint64_t
bytes_equal(uint64_t word, uint8_t byte)
{
    uint64_t x = word ^ (EVERY_BYTE * byte);
    return ~(x + EVERY_BYTE * 0x7f) & HIGH_BITS;
}

/* Are eight bytes printable ASCII without "*" and "//"? */
static bool
word_is_plain(uint64_t word)
{
    if ((word & HIGH_BITS) != 0)
        return false;
    /* All below 80 now, so neither sum carries into the next byte. */
    uint64_t from_20 = (word + EVERY_BYTE * (0x80 - 0x20)) & HIGH_BITS;
    uint64_t from_7f = (word + EVERY_BYTE * (0x80 - 0x7f)) & HIGH_BITS;
    uint64_t slashes = bytes_equal(word, '/');
    return from_20 == HIGH_BITS && from_7f == 0 && bytes_equal(word, '*') == 0 &&
           (slashes & (slashes << 8)) == 0;
}

bool
tulle__levels_are_plain(struct tulle__view levels)
{
    uint64_t word = 0;
    size_t i = 0;

    if (levels.data[0] == '/' || levels.data[levels.len - 1] == '/')
        return false;
    for (; i + sizeof word <= levels.len; i += sizeof word) {
        memcpy(&word, levels.data + i, sizeof word);
        if (!word_is_plain(word) || (i > 0 && levels.data[i] == '/' && levels.data[i - 1] == '/'))
            return false;
    }
    if (i == levels.len)
        return true;
    word = EVERY_BYTE * 'x';
    memcpy(&word, levels.data + i, levels.len - i);
    return word_is_plain(word) && !(i > 0 && levels.data[i] == '/' && levels.data[i - 1] == '/');
}

/* ---- levels ---- */

struct tulle__levels
tulle__levels_of(struct tulle__view path)
{
    return (struct tulle__levels){ path.data, path.len, path.len == 0 };
}

bool
tulle__levels_next(struct tulle__levels *levels, struct tulle__view *out)
{
    if (levels->is_over)
        return false;
    const uint8_t *slash = memchr(levels->at, '/', levels->left);
    size_t len = slash == NULL ? levels->left : (size_t)(slash - levels->at);
    *out = (struct tulle__view){ levels->at, len };
    levels->is_over = slash == NULL;
    if (slash != NULL) {
        levels->at = slash + 1;
        levels->left -= len + 1; /* none left: one empty level more */
    }
    return true;
}

bool
tulle__level_is_one(struct tulle__view level)
{
    return level.len == 1 && level.data[0] == '*';
}

bool
tulle__level_is_any(struct tulle__view level)
{
    return level.len == 2 && level.data[0] == '*' && level.data[1] == '*';
}

static bool
is_path_valid(struct tulle__view path, bool may_have_wildcards)
{
    if (path.len == 0 || path.len > TULLE__TOPIC_LEN_MAX || path.data[0] == '$')
        return false;
    for (size_t i = 0; i < path.len;) {
        size_t len = character_len(path.data + i, path.len - i);
        if (len == 0)
            return false;
        i += len;
    }
    struct tulle__levels levels = tulle__levels_of(path);
    struct tulle__view level;
    while (tulle__levels_next(&levels, &level)) {
        if (level.len == 0)
            return false;
        bool is_wild = tulle__level_is_one(level) || tulle__level_is_any(level);
        if (is_wild && !may_have_wildcards)
            return false;
    }
    return true;
}

bool
tulle__topic_is_valid(struct tulle__view topic)
{
    if (topic.len > 0 && topic.len <= TULLE__TOPIC_LEN_MAX && topic.data[0] != '$' &&
        tulle__levels_are_plain(topic))
        return true;
    return is_path_valid(topic, false);
}

bool
tulle__pattern_is_valid(struct tulle__view pattern)
{
    return is_path_valid(pattern, true);
}

size_t
tulle__stream_len(struct tulle__view topic, uint32_t levels)
{
    for (size_t i = 0; i < topic.len; i++) {
        if (topic.data[i] == '/' && --levels == 0)
            return i;
    }
    return topic.len;
}

struct tulle__view
tulle__topic_rest(struct tulle__view topic, size_t stream_len)
{
    size_t skipped = stream_len < topic.len ? stream_len + 1 : stream_len;
    return (struct tulle__view){ topic.data + skipped, topic.len - skipped };
}

/* ---- matching ---- */

enum { LEVELS_MAX = (TULLE__TOPIC_LEN_MAX + 1) / 2 };

static size_t
split(struct tulle__view path, struct tulle__view levels[], size_t count)
{
    struct tulle__levels walk = tulle__levels_of(path);
    while (count < LEVELS_MAX && tulle__levels_next(&walk, &levels[count]))
        count++;
    return count;
}

/* Greedy with one place to return to: of several "**" only the last one seen ever
 * needs to take more, so the time is levels times levels at worst. */
static bool
match_levels(const struct tulle__view *pattern,
             size_t pattern_count,
             const struct tulle__view *topic,
             size_t topic_count)
{
    size_t p = 0;
    size_t t = 0;
    size_t star = SIZE_MAX;
    size_t star_topic = 0;
    while (t < topic_count) {
        if (p < pattern_count && tulle__level_is_any(pattern[p])) {
            star = p++;
            star_topic = t;
        } else if (p < pattern_count &&
                   (tulle__level_is_one(pattern[p]) || tulle__view_equal(pattern[p], topic[t]))) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++star_topic;
        } else {
            return false;
        }
    }
    while (p < pattern_count && tulle__level_is_any(pattern[p]))
        p++;
    return p == pattern_count;
}

bool
tulle__pattern_matches(struct tulle__view pattern,
                       struct tulle__view stream,
                       struct tulle__view rest)
{
    struct tulle__view pattern_levels[LEVELS_MAX];
    struct tulle__view topic_levels[LEVELS_MAX];
    if (stream.len > 0 && stream.data[0] == '$')
        return false;
    size_t pattern_count = split(pattern, pattern_levels, 0);
    size_t topic_count = split(stream, topic_levels, 0);
    topic_count = split(rest, topic_levels, topic_count);
    return match_levels(pattern_levels, pattern_count, topic_levels, topic_count);
}

bool
tulle__pattern_takes_all_of(struct tulle__view pattern, struct tulle__view stream)
{
    /* A "**" takes whatever is below what the pattern matches, if no more than "*"
     * follow: they may as well stand before it. */
    if (pattern.len < 2 || stream.len == 0)
        return false;
    struct tulle__view levels[LEVELS_MAX];
    size_t count = split(pattern, levels, 0);
    while (count > 0 && tulle__level_is_one(levels[count - 1]))
        count--;
    if (count == 0 || !tulle__level_is_any(levels[count - 1]))
        return false;
    return tulle__pattern_matches(pattern, stream, (struct tulle__view){ NULL, 0 });
}

/* ---- keys ---- */

static void
set_key(struct tulle__key *key, struct tulle__view text, const char *end, size_t end_len)
{
    TULLE_ASSERT(text.len + end_len <= sizeof key->bytes);
    if (text.len > 0)
        memcpy(key->bytes, text.data, text.len);
    if (end_len > 0)
        memcpy(key->bytes + text.len, end, end_len);
    key->len = text.len + end_len;
}

size_t
tulle__pattern_keys(struct tulle__view pattern,
                    struct tulle__key keys[static TULLE__KEYS_PER_PATTERN_MAX])
{
    struct tulle__levels walk = tulle__levels_of(pattern);
    struct tulle__view level;
    struct tulle__view literal = { pattern.data, 0 };
    size_t count = 0;
    while (tulle__levels_next(&walk, &level)) {
        if (tulle__level_is_one(level) || tulle__level_is_any(level)) {
            set_key(&keys[count++], literal, "/", literal.len > 0 ? 1 : 0);
            return count;
        }
        literal.len = (size_t)(level.data + level.len - pattern.data);
        set_key(&keys[count++], literal, "", 1); /* the zero byte */
    }
    return count;
}

bool
tulle__keys_overlap(struct tulle__view a, struct tulle__view b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    return len == 0 || memcmp(a.data, b.data, len) == 0;
}

bool
tulle__key_takes(struct tulle__view key, struct tulle__view stream)
{
    if (key.len > stream.len + 1)
        return false;
    if (key.len == stream.len + 1)
        return key.data[stream.len] == 0 && memcmp(key.data, stream.data, stream.len) == 0;
    return key.len == 0 || memcmp(key.data, stream.data, key.len) == 0;
}

int
tulle__keys_compare(struct tulle__view a, struct tulle__view b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len == 0 ? 0 : memcmp(a.data, b.data, len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int
compare_for_sort(const void *a, const void *b)
{
    return tulle__keys_compare(*(const struct tulle__view *)a, *(const struct tulle__view *)b);
}

void
tulle__keys_sort(struct tulle__view *keys, size_t count)
{
    if (count > 1)
        qsort(keys, count, sizeof *keys, compare_for_sort);
}

static bool
has_key(const struct tulle__view *keys, size_t count, struct tulle__view key)
{
    size_t low = 0;
    while (low < count) {
        size_t middle = low + (count - low) / 2;
        int order = tulle__keys_compare(keys[middle], key);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            count = middle;
    }
    return false;
}

/* What takes all of a key is the key itself, or a prefix of it that ends with a level. */
bool
tulle__keys_cover(const struct tulle__view *keys, size_t count, struct tulle__view key)
{
    if (has_key(keys, count, key) || has_key(keys, count, (struct tulle__view){ key.data, 0 }))
        return true;
    for (size_t len = 1; len < key.len; len++) {
        if (key.data[len - 1] == '/' && has_key(keys, count, (struct tulle__view){ key.data, len }))
            return true;
    }
    return false;
}

/* ---- public ---- */

static struct tulle__view
text_view(const char *text)
{
    return (struct tulle__view){ (const uint8_t *)text, strnlen(text, TULLE__TOPIC_LEN_MAX + 1) };
}

bool
tulle_topic_is_valid(const char *topic)
{
    return tulle__topic_is_valid(text_view(topic));
}

bool
tulle_pattern_is_valid(const char *pattern)
{
    return tulle__pattern_is_valid(text_view(pattern));
}

bool
tulle_pattern_matches(const char *pattern, const char *topic)
{
    return tulle__pattern_matches(text_view(pattern), text_view(topic),
                                  (struct tulle__view){ NULL, 0 });
}
