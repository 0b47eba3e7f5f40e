/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/common/terminal.h"

#include <langinfo.h>
#include <locale.h>
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

void
tulle__terminal_put_safe(struct tulle__text *out, const char *text, size_t len)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t done = 0;
    size_t i = 0;
    while (i < len) {
        bool is_control = at[i] < 0x20 || at[i] == 0x7f;
        size_t step = is_control ? 0 : tulle__utf8_len(at + i, len - i);
        bool is_c1 = step == 2 && at[i] == 0xc2 && at[i + 1] < 0xa0;
        if (step > 0 && !is_c1) {
            i += step;
            continue;
        }
        tulle__text_put(out, text + done, i - done);
        if (at[i] == '\n' || at[i] == '\t')
            tulle__text_str(out, at[i] == '\n' ? "\\n" : "\\t");
        else
            tulle__text_format(out, "\\x%02x", at[i]);
        if (is_c1)
            tulle__text_format(out, "\\x%02x", at[++i]);
        done = ++i;
    }
    tulle__text_put(out, text + done, i - done);
}

size_t
tulle__terminal_width(const char *text, size_t len)
{
    size_t width = 0;
    for (size_t i = 0; i < len; i++)
        width += ((unsigned char)text[i] & 0xc0) != 0x80;
    return width;
}
