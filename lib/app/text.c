/* SPDX-License-Identifier: MPL-2.0 */

/* Output text: one growing buffer that a line is put together in, so that it
 * reaches its descriptor in one write. */

#include "app/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

char *
tulle__text_room(struct tulle__text *text, size_t more)
{
    return reserve(text, more) ? text->bytes + text->len : NULL;
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

static char *
put_digits(char *at, uint32_t value, size_t count)
{
    for (size_t i = count; i-- > 0; value /= 10)
        at[i] = (char)('0' + value % 10);
    return at + count;
}

/* Days since 1970-01-01 to year, month and day, for years 0 to 9999: Hinnant's
 * civil_from_days, years beginning in March. */
static char *
put_day(char *at, int64_t days)
{
    uint32_t shifted = (uint32_t)(days + 719468);
    uint32_t era = shifted / 146097;
    uint32_t of_era = shifted - era * 146097;
    uint32_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint32_t of_year = of_era - (365 * year + year / 4 - year / 100);
    uint32_t month = (5 * of_year + 2) / 153;
    uint32_t day = of_year - (153 * month + 2) / 5 + 1;
    month = month < 10 ? month + 3 : month - 9;
    at = put_digits(at, year + era * 400 + (month <= 2), 4);
    *at++ = '-';
    at = put_digits(at, month, 2);
    *at++ = '-';
    return put_digits(at, day, 2);
}

/* By hand: strftime(3) is what a tap would spend most of its time in. */
void
tulle__text_time(struct tulle__text *text, int64_t time_us)
{
    const int64_t day_us = 86400000000;
    int64_t days = time_us / day_us;
    int64_t of_day = time_us % day_us;
    if (of_day < 0) {
        of_day += day_us;
        days--;
    }
    if (days < -719162 || days > 2932896) { /* years 1 to 9999 */
        tulle__text_str(text, "0000-00-00T00:00:00.000000Z");
        return;
    }
    char out[40];
    uint32_t second = (uint32_t)(of_day / 1000000);
    char *at = put_day(out, days);
    *at++ = 'T';
    at = put_digits(at, second / 3600, 2);
    *at++ = ':';
    at = put_digits(at, second / 60 % 60, 2);
    *at++ = ':';
    at = put_digits(at, second % 60, 2);
    *at++ = '.';
    at = put_digits(at, (uint32_t)(of_day % 1000000), 6);
    *at++ = 'Z';
    tulle__text_put(text, out, (size_t)(at - out));
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
        if (at[i] >= 0x20 && at[i] < 0x7f) {
            i++;
            continue;
        }
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
