/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/common/when.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const int64_t us_max = 253402300799999999; /* the end of the year 9999 */

/* Digits with an optional fraction, as microseconds of units of scale_us. Returns behind
 * it, NULL when there is no number. */
static const char *
read_decimal(const char *at, int64_t scale_us, int64_t *out_us)
{
    int64_t whole = 0;
    if (*at < '0' || *at > '9')
        return NULL;
    for (; *at >= '0' && *at <= '9'; at++) {
        whole = whole * 10 + (*at - '0');
        if (whole > us_max / scale_us)
            return NULL;
    }
    int64_t us = whole * scale_us;
    if (*at == '.') {
        int64_t part = scale_us;
        at++;
        if (*at < '0' || *at > '9')
            return NULL;
        for (; *at >= '0' && *at <= '9'; at++) {
            part /= 10;
            us += part * (*at - '0');
        }
    }
    *out_us = us;
    return at;
}

static int64_t
unit_us(const char *unit, size_t len)
{
    static const struct {
        const char *name;
        int64_t us;
    } units[] = { { "ms", 1000 },      { "s", 1000000 },     { "m", 60000000 },
                  { "h", 3600000000 }, { "d", 86400000000 }, { "w", 604800000000 } };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strlen(units[i].name) == len && memcmp(unit, units[i].name, len) == 0)
            return units[i].us;
    }
    return 0;
}

bool
tulle__span_parse(const char *text, int64_t *out_us)
{
    int64_t total = 0;
    if (*text == '\0')
        return false;
    while (*text != '\0') {
        size_t number_len = strspn(text, "0123456789.");
        size_t unit_len = strspn(text + number_len, "abcdefghijklmnopqrstuvwxyz");
        int64_t scale_us = unit_us(text + number_len, unit_len);
        int64_t us = 0;
        const char *end = scale_us == 0 ? NULL : read_decimal(text, scale_us, &us);
        if (end != text + number_len || us > us_max - total)
            return false;
        total += us;
        text = end + unit_len;
    }
    *out_us = total;
    return true;
}

/* Two digits in range, behind a mark (0: none). Returns behind them, or NULL. */
static const char *
read_two(const char *at, char mark, int least, int most, int *out)
{
    if (at == NULL || (mark != '\0' && *at++ != mark))
        return NULL;
    if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9')
        return NULL;
    *out = (at[0] - '0') * 10 + (at[1] - '0');
    return *out >= least && *out <= most ? at + 2 : NULL;
}

/* "2024-05-01" */
static const char *
read_day(const char *at, struct tm *tm)
{
    int century = 0;
    int year = 0;
    at = read_two(at, '\0', 19, 99, &century);
    at = read_two(at, '\0', 0, 99, &year);
    at = read_two(at, '-', 1, 12, &tm->tm_mon);
    at = read_two(at, '-', 1, 31, &tm->tm_mday);
    tm->tm_year = century * 100 + year - 1900;
    tm->tm_mon--;
    return at;
}

/* "12:00", "12:00:00", "12:00:00.5" */
static const char *
read_time(const char *at, struct tm *tm, int64_t *part_us)
{
    at = read_two(at, '\0', 0, 23, &tm->tm_hour);
    at = read_two(at, ':', 0, 59, &tm->tm_min);
    if (at == NULL || *at != ':')
        return at;
    at = read_two(at, ':', 0, 60, &tm->tm_sec);
    if (at == NULL || *at != '.')
        return at;
    int64_t us = 0;
    char fraction[24];
    size_t len = strspn(at + 1, "0123456789");
    (void)snprintf(fraction, sizeof fraction, "0.%.9s", at + 1);
    if (len == 0 || read_decimal(fraction, 1000000, &us) == NULL)
        return NULL;
    *part_us = us;
    return at + 1 + len;
}

/* "Z", "+02:00", "-0330"; seconds east of UTC. */
static const char *
read_zone(const char *at, int64_t *east_s)
{
    int hours = 0;
    int minutes = 0;
    char sign = *at;
    *east_s = 0;
    if (sign == 'Z' || sign == 'z')
        return at + 1;
    at = read_two(at + 1, '\0', 0, 23, &hours);
    if (at == NULL)
        return NULL;
    at = read_two(at, *at == ':' ? ':' : '\0', 0, 59, &minutes);
    *east_s = (sign == '-' ? -1 : 1) * (int64_t)(hours * 3600 + minutes * 60);
    return at;
}

/* Of a calendar in UTC: timegm(3) is not of POSIX. */
static int64_t
seconds_utc(const struct tm *tm)
{
    static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
    int64_t year = tm->tm_year + 1900;
    int64_t past = year - 1;
    int64_t days = (year - 1970) * 365 + (past / 4 - past / 100 + past / 400) - 477;
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    days += before[tm->tm_mon] + (is_leap && tm->tm_mon > 1 ? 1 : 0) + tm->tm_mday - 1;
    return ((days * 24 + tm->tm_hour) * 60 + tm->tm_min) * 60 + tm->tm_sec;
}

static bool
parse_calendar(const char *text, int64_t now_us, int64_t *out_us)
{
    struct tm tm = { .tm_isdst = -1 };
    int64_t part_us = 0;
    bool has_time = strlen(text) > 2 && text[2] == ':';
    const char *at = text;
    if (has_time) {
        time_t now = (time_t)(now_us / 1000000);
        if (localtime_r(&now, &tm) == NULL)
            return false;
        tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
        tm.tm_isdst = -1;
    } else {
        at = read_day(text, &tm);
        has_time = at != NULL && (*at == 'T' || *at == 't' || *at == ' ');
        at += has_time ? 1 : 0;
    }
    if (at != NULL && has_time)
        at = read_time(at, &tm, &part_us);
    if (at == NULL)
        return false;
    int64_t seconds = 0;
    int64_t east_s = 0;
    if (has_time && (*at == 'Z' || *at == 'z' || *at == '+' || *at == '-')) {
        at = read_zone(at, &east_s);
        seconds = seconds_utc(&tm) - east_s;
    } else {
        seconds = (int64_t)mktime(&tm);
    }
    if (at == NULL || *at != '\0')
        return false;
    *out_us = seconds * 1000000 + part_us;
    return true;
}

bool
tulle__when_parse(const char *text, int64_t now_us, int64_t *out_us)
{
    int64_t us = 0;
    if (strcmp(text, "now") == 0) {
        *out_us = now_us;
        return true;
    }
    const char *end = read_decimal(text, 1000000, &us);
    if (end != NULL && *end == '\0') {
        *out_us = us;
        return true;
    }
    if (tulle__span_parse(text, &us)) {
        *out_us = now_us - us;
        return true;
    }
    return parse_calendar(text, now_us, out_us);
}

const char *
tulle__when_check(const char *text)
{
    int64_t us = 0;
    return tulle__when_parse(text, 0, &us) ? NULL : "no time: try 10m, 12:30, 2024-05-01T12:30:00Z";
}
