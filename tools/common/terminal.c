/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/common/terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool
tulle__terminal_is_utf8(void)
{
    locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    if (locale == (locale_t)0)
        return false;
    bool is_utf8 = strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
    freelocale(locale);
    return is_utf8;
}

bool
tulle__terminal_has_colour(void)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return isatty(STDOUT_FILENO) == 1 && (no_color == NULL || no_color[0] == '\0') &&
           term != NULL && strcmp(term, "dumb") != 0;
}

unsigned
tulle__terminal_columns(void)
{
    struct winsize size = { 0 };
    if (isatty(STDOUT_FILENO) != 1 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
        return 0;
    return size.ws_col;
}

struct range {
    uint32_t first, last;
};

static bool
is_in(const struct range *ranges, size_t count, uint32_t point)
{
    for (size_t i = 0; i < count; i++) {
        if (point >= ranges[i].first && point <= ranges[i].last)
            return true;
    }
    return false;
}

/* What is not seen but changes how the rest of a line looks: direction, joining, marks. */
static const struct range hidden[] = {
    { 0x80, 0x9f },     { 0xad, 0xad },     { 0x61c, 0x61c },
    { 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
    { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe0fff },
};

/* The wide blocks of Unicode, East Asian and pictures; those without a width are in combining. */
static const struct range wide[] = {
    { 0x1100, 0x115f },   { 0x231a, 0x231b },   { 0x2e80, 0x303e },   { 0x3041, 0xa4cf },
    { 0xa960, 0xa97f },   { 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },
    { 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },   { 0x1f300, 0x1f64f }, { 0x1f680, 0x1f6ff },
    { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
};

static const struct range combining[] = {
    { 0x300, 0x36f },   { 0x483, 0x489 },   { 0x591, 0x5bd },   { 0x610, 0x61a },
    { 0x64b, 0x65f },   { 0x900, 0x902 },   { 0xe31, 0xe31 },   { 0xe34, 0xe3a },
    { 0xe47, 0xe4e },   { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x20d0, 0x20ff },
    { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f },
};

static uint32_t
point_of(const unsigned char *at, size_t len)
{
    static const unsigned char masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    uint32_t point = at[0] & masks[len];
    for (size_t i = 1; i < len; i++)
        point = point << 6 | (at[i] & 0x3f);
    return point;
}

size_t
tulle__terminal_step(const char *text, size_t len, bool *is_safe)
{
    const unsigned char *at = (const unsigned char *)text;
    bool is_control = at[0] < 0x20 || at[0] == 0x7f;
    size_t step = is_control ? 0 : tulle__utf8_len(at, len);
    *is_safe = step == 1 ||
               (step > 1 && !is_in(hidden, sizeof hidden / sizeof *hidden, point_of(at, step)));
    return step > 0 ? step : 1;
}

void
tulle__terminal_put_safe(struct tulle__text *out, const char *text, size_t len)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t done = 0;
    size_t i = 0;
    while (i < len) {
        bool is_safe;
        size_t end = i + tulle__terminal_step(text + i, len - i, &is_safe);
        if (is_safe) {
            i = end;
            continue;
        }
        tulle__text_put(out, text + done, i - done);
        if (at[i] == '\n' || at[i] == '\t')
            tulle__text_str(out, at[i++] == '\n' ? "\\n" : "\\t");
        for (; i < end; i++)
            tulle__text_format(out, "\\x%02x", at[i]);
        done = i;
    }
    tulle__text_put(out, text + done, i - done);
}

size_t
tulle__terminal_width(const char *text, size_t len)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t width = 0;
    size_t step;
    for (size_t i = 0; i < len; i += step) {
        step = tulle__utf8_len(at + i, len - i);
        uint32_t point = step > 1 ? point_of(at + i, step) : 0;
        step = step == 0 ? 1 : step;
        if (point < 0x300 || !is_in(combining, sizeof combining / sizeof *combining, point))
            width += point >= 0x1100 && is_in(wide, sizeof wide / sizeof *wide, point) ? 2 : 1;
    }
    return width;
}
