/* SPDX-License-Identifier: MPL-2.0 */

/* JSON that is there already, made fit for reading: on several lines, or without what
 * terminals obey. It is valid JSON, so a quote tells where a string begins and ends. */

#include "app/json.h"

/* DEL and the C1 controls are allowed in JSON, and nothing for a terminal. Returns how many
 * bytes it took: 0 when there is no such thing here. */
static size_t
put_control(struct tulle__text *out, const char *json, size_t left)
{
    const unsigned char *at = (const unsigned char *)json;
    if (at[0] == 0x7f) {
        tulle__text_str(out, "\\u007f");
        return 1;
    }
    if (left < 2 || at[0] != 0xc2 || at[1] >= 0xa0)
        return 0;
    tulle__text_format(out, "\\u00%02x", at[1]);
    return 2;
}

void
tulle__json_put_safe(struct tulle__text *out, const char *json, size_t len)
{
    size_t i = 0;
    while (i < len) {
        size_t taken = put_control(out, json + i, len - i);
        if (taken == 0)
            tulle__text_char(out, json[i++]);
        i += taken;
    }
}

/* The string at the start, with its quotes. Returns its length. */
static size_t
put_string(struct tulle__text *out, const char *json, size_t len)
{
    size_t end = 1;
    while (end < len && json[end] != '"')
        end += json[end] == '\\' ? 2 : 1;
    end = end < len ? end + 1 : len;
    tulle__json_put_safe(out, json, end);
    return end;
}

static void
put_line(struct tulle__text *out, size_t depth)
{
    tulle__text_char(out, '\n');
    for (size_t i = 0; i < depth; i++)
        tulle__text_str(out, "  ");
}

void
tulle__json_put_pretty(struct tulle__text *out, const char *json, size_t len)
{
    size_t depth = 0;
    size_t i = 0;
    while (i < len) {
        char c = json[i];
        if (c == '"') {
            i += put_string(out, json + i, len - i);
            continue;
        }
        i++;
        bool is_open = c == '{' || c == '[';
        bool is_close = c == '}' || c == ']';
        if (is_open && i < len && (json[i] == '}' || json[i] == ']')) {
            tulle__text_put(out, json + i - 1, 2);
            i++;
            continue;
        }
        if (is_close)
            put_line(out, depth > 0 ? --depth : 0);
        tulle__text_char(out, c);
        if (is_open)
            put_line(out, ++depth);
        else if (c == ',')
            put_line(out, depth);
        else if (c == ':')
            tulle__text_char(out, ' ');
    }
}
