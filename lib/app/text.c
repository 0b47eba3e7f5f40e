/* SPDX-License-Identifier: MPL-2.0 */

/* Output text: one growing buffer that a line is put together in, so that it
 * reaches its descriptor in one write. */

#include "app/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool
reserve(struct tulle__text *text, size_t more)
{
    if (text->has_failed)
        return false;
    if (more <= text->cap - text->len)
        return true;
    if (more > SIZE_MAX / 4 - text->len) {
        text->has_failed = true;
        return false;
    }
    size_t cap = text->cap < 256 ? 256 : text->cap;
    while (cap - text->len < more)
        cap *= 2;
    char *bytes = realloc(text->bytes, cap);
    if (bytes == NULL) {
        text->has_failed = true;
        return false;
    }
    text->bytes = bytes;
    text->cap = cap;
    return true;
}

void
tulle__text_clear(struct tulle__text *text)
{
    text->len = 0;
    text->has_failed = false;
}

void
tulle__text_free(struct tulle__text *text)
{
    free(text->bytes);
    *text = (struct tulle__text){ 0 };
}

void
tulle__text_put(struct tulle__text *text, const void *bytes, size_t len)
{
    if (len == 0 || !reserve(text, len))
        return;
    memcpy(text->bytes + text->len, bytes, len);
    text->len += len;
}

void
tulle__text_str(struct tulle__text *text, const char *str)
{
    tulle__text_put(text, str, strlen(str));
}

void
tulle__text_char(struct tulle__text *text, char c)
{
    tulle__text_put(text, &c, 1);
}

void
tulle__text_u64(struct tulle__text *text, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    tulle__text_put(text, digits + at, sizeof digits - at);
}

void
tulle__text_i64(struct tulle__text *text, int64_t value)
{
    if (value < 0)
        tulle__text_char(text, '-');
    tulle__text_u64(text, value < 0 ? (uint64_t)0 - (uint64_t)value : (uint64_t)value);
}

void
tulle__text_format(struct tulle__text *text, const char *format, ...)
{
    char small[256];
    va_list list;
    va_start(list, format);
    int len = vsnprintf(small, sizeof small, format, list);
    va_end(list);
    if (len < 0)
        return;
    if ((size_t)len < sizeof small) {
        tulle__text_put(text, small, (size_t)len);
        return;
    }
    if (!reserve(text, (size_t)len + 1))
        return;
    va_start(list, format);
    (void)vsnprintf(text->bytes + text->len, (size_t)len + 1, format, list);
    va_end(list);
    text->len += (size_t)len;
}

void
tulle__text_hex(struct tulle__text *text, const void *bytes, size_t len, bool is_upper)
{
    const char *digits = is_upper ? "0123456789ABCDEF" : "0123456789abcdef";
    const unsigned char *at = bytes;
    if (len == 0 || len > SIZE_MAX / 8 || !reserve(text, len * 2))
        return;
    for (size_t i = 0; i < len; i++) {
        text->bytes[text->len++] = digits[at[i] >> 4];
        text->bytes[text->len++] = digits[at[i] & 15];
    }
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
tulle__text_base64(struct tulle__text *text, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    if (len == 0 || len > SIZE_MAX / 8 || !reserve(text, (len + 2) / 3 * 4))
        return;
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t group = (uint32_t)at[i] << 16;
        if (left > 1)
            group |= (uint32_t)at[i + 1] << 8;
        if (left > 2)
            group |= at[i + 2];
        text->bytes[text->len++] = base64_digits[group >> 18];
        text->bytes[text->len++] = base64_digits[(group >> 12) & 63];
        text->bytes[text->len++] = left > 1 ? base64_digits[(group >> 6) & 63] : '=';
        text->bytes[text->len++] = left > 2 ? base64_digits[group & 63] : '=';
    }
}

static int
base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

bool
tulle__base64_decode(const char *text, size_t len, void *out, size_t *out_len)
{
    unsigned char *to = out;
    size_t wrote = 0;
    if (len % 4 != 0)
        return false;
    for (size_t i = 0; i < len; i += 4) {
        size_t pad = 0;
        if (i + 4 == len && text[i + 3] == '=')
            pad = text[i + 2] == '=' ? 2 : 1;
        uint32_t group = 0;
        for (size_t k = 0; k < 4; k++) {
            int value = k >= 4 - pad ? 0 : base64_value(text[i + k]);
            if (value < 0)
                return false;
            group = group << 6 | (uint32_t)value;
        }
        to[wrote++] = (unsigned char)(group >> 16);
        if (pad < 2)
            to[wrote++] = (unsigned char)(group >> 8 & 255);
        if (pad < 1)
            to[wrote++] = (unsigned char)(group & 255);
    }
    *out_len = wrote;
    return true;
}

void
tulle__text_id(struct tulle__text *text, uint64_t id)
{
    if (!reserve(text, 16))
        return;
    for (int shift = 60; shift >= 0; shift -= 4)
        text->bytes[text->len++] = "0123456789abcdef"[id >> shift & 15];
}

void
tulle__text_time(struct tulle__text *text, int64_t time_us)
{
    int64_t seconds = time_us / 1000000;
    int64_t micros = time_us % 1000000;
    if (micros < 0) {
        micros += 1000000;
        seconds--;
    }
    time_t when = (time_t)seconds;
    struct tm tm;
    char day[40];
    if (gmtime_r(&when, &tm) == NULL || strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
        tulle__text_str(text, "0000-00-00T00:00:00.000000Z");
        return;
    }
    tulle__text_format(text, "%s.%06" PRId64 "Z", day, micros);
}

size_t
tulle__utf8_len(const unsigned char *bytes, size_t len)
{
    if (len == 0)
        return 0;
    unsigned char first = bytes[0];
    if (first < 0x80)
        return 1;
    size_t need = 0;
    uint32_t point = 0;
    uint32_t least = 0;
    if (first >= 0xc2 && first <= 0xdf) {
        need = 2;
        point = first & 0x1f;
        least = 0x80;
    } else if (first >= 0xe0 && first <= 0xef) {
        need = 3;
        point = first & 0x0f;
        least = 0x800;
    } else if (first >= 0xf0 && first <= 0xf4) {
        need = 4;
        point = first & 0x07;
        least = 0x10000;
    }
    if (need == 0 || len < need)
        return 0;
    for (size_t i = 1; i < need; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (bytes[i] & 0x3f);
    }
    bool is_surrogate = point >= 0xd800 && point <= 0xdfff;
    return point < least || point > 0x10ffff || is_surrogate ? 0 : need;
}

bool
tulle__is_text(const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    size_t i = 0;
    while (i < len) {
        bool is_control = at[i] < 0x20 || at[i] == 0x7f;
        if (is_control && at[i] != '\t' && at[i] != '\n' && at[i] != '\r')
            return false;
        size_t step = tulle__utf8_len(at + i, len - i);
        if (step == 0)
            return false;
        i += step;
    }
    return true;
}
