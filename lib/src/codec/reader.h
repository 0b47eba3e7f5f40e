/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_CODEC_READER_H
#define TULLE_CODEC_READER_H

/* Bounded msgpack reading: a cursor with a sticky failure flag. It never
 * allocates, never reads past the end, and refuses a count that cannot fit in
 * the bytes that are left, before anyone loops over it. After a failure every
 * read returns zero or empty. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes. */
struct tulle__view {
    const uint8_t *data;
    size_t len;
};

struct tulle__reader {
    const uint8_t *data;
    size_t left;
    bool failed;
};

void tulle__reader_init(struct tulle__reader *r, const void *data, size_t len);
/* Everything read and nothing failed? */
bool tulle__reader_is_done(const struct tulle__reader *r);

/* Element count of an array (pairs of a map); fails above max or above the bytes left. */
uint32_t tulle__read_array(struct tulle__reader *r, uint32_t max);
uint32_t tulle__read_map(struct tulle__reader *r, uint32_t max);
uint64_t tulle__read_uint(struct tulle__reader *r);
bool tulle__read_bool(struct tulle__reader *r);
/* str only / bin only / either; fail above max_len bytes. */
struct tulle__view tulle__read_str(struct tulle__reader *r, size_t max_len);
struct tulle__view tulle__read_bin(struct tulle__reader *r, size_t max_len);
struct tulle__view tulle__read_text(struct tulle__reader *r, size_t max_len);
/* Step over one value of any kind, nested at most TULLE__DEPTH_MAX deep; the
 * bytes of it. Time is linear in its length. */
struct tulle__view tulle__read_any(struct tulle__reader *r);

/* Does the view hold exactly this text? */
bool tulle__view_is(struct tulle__view view, const char *text);
bool tulle__view_equal(struct tulle__view a, struct tulle__view b);

#endif
