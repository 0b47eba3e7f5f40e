/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_APP_TEXT_H
#define TULLE_APP_TEXT_H

/* A growing piece of output text. Start from { 0 }. Running out of memory is
 * sticky: later calls do nothing and has_failed stays set. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tulle__text {
    char *bytes; /* not NUL-terminated */
    size_t len;
    size_t cap;
    bool has_failed;
};

void tulle__text_clear(struct tulle__text *text); /* keeps the memory */
void tulle__text_free(struct tulle__text *text);

void tulle__text_put(struct tulle__text *text, const void *bytes, size_t len);
/* Room for more bytes behind the text, to be filled and added to len; NULL: no memory. */
char *tulle__text_room(struct tulle__text *text, size_t more);
void tulle__text_str(struct tulle__text *text, const char *str);
void tulle__text_char(struct tulle__text *text, char c);
void tulle__text_u64(struct tulle__text *text, uint64_t value);
void tulle__text_i64(struct tulle__text *text, int64_t value);
void tulle__text_format(struct tulle__text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void tulle__text_hex(struct tulle__text *text, const void *bytes, size_t len, bool is_upper);
void tulle__text_base64(struct tulle__text *text, const void *bytes, size_t len);

/* 16 hex digits, as node ids are written everywhere. */
void tulle__text_id(struct tulle__text *text, uint64_t id);

/* RFC 3339 in UTC with microseconds: 2024-05-01T12:00:00.000001Z. */
void tulle__text_time(struct tulle__text *text, int64_t time_us);

/* Decode base64 (RFC 4648, padded) in place of out, which has room for
 * len / 4 * 3 bytes. Returns false for anything else. */
bool tulle__base64_decode(const char *text, size_t len, void *out, size_t *out_len);

/* Is it UTF-8, without control characters other than tab and line ends? */
bool tulle__is_text(const void *bytes, size_t len);

/* Length of the valid UTF-8 sequence at the start, 0 when there is none. */
size_t tulle__utf8_len(const unsigned char *bytes, size_t len);

#endif
