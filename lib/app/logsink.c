/* SPDX-License-Identifier: MPL-2.0 */

/* Log lines. A line is put together and written with one call, so that lines of
 * several threads do not mix; long texts are cut. Nothing here fails: there is
 * nobody left to tell. */

#include "app/logsink.h"

#include "app/json.h"
#include "app/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_LEN_MAX = 1024 };

void
tulle__logsink_init(struct tulle__logsink *sink, enum tulle__log_format format)
{
    *sink = (struct tulle__logsink){ .format = format, .fd = STDERR_FILENO };
}

static const char *
level_name(tulle_log_level level)
{
    switch (level) {
    case TULLE_LOG_ERROR:
        return "error";
    case TULLE_LOG_WARN:
        return "warn";
    case TULLE_LOG_INFO:
        return "info";
    case TULLE_LOG_DEBUG:
        return "debug";
    }
    return "unknown";
}

/* How much of a text is shown. */
static size_t
shown_len(const char *text)
{
    size_t len = strlen(text);
    return len < TEXT_LEN_MAX ? len : TEXT_LEN_MAX;
}

/* Texts may hold what a peer sent, such as its name: no control character
 * reaches the terminal. */
static void
put_plain(struct tulle__text *line, const char *text)
{
    size_t len = shown_len(text);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        tulle__text_char(line, c < 0x20 || c == 0x7f ? '?' : (char)c);
    }
}

static void
put_json(struct tulle__text *line,
         const struct tulle__logsink *sink,
         tulle_log_level level,
         const char *id,
         const char *text)
{
    tulle__text_format(line, "\",\"level\":\"%s\"", level_name(level));
    if (sink->node[0] != '\0') {
        tulle__text_str(line, ",\"node\":");
        tulle__json_put_str(line, sink->node, strlen(sink->node));
    }
    tulle__text_str(line, ",\"id\":");
    tulle__json_put_str(line, id, strlen(id));
    tulle__text_str(line, ",\"text\":");
    tulle__json_put_str(line, text, shown_len(text));
    tulle__text_char(line, '}');
}

void
tulle__logsink_line(const struct tulle__logsink *sink,
                    int64_t time_us,
                    tulle_log_level level,
                    const char *id,
                    const char *text,
                    struct tulle__text *out)
{
    bool is_json = sink->format == TULLE__LOG_JSON;
    if (is_json)
        tulle__text_str(out, "{\"time\":\"");
    tulle__text_time(out, time_us);
    if (is_json) {
        put_json(out, sink, level, id, text);
    } else {
        tulle__text_format(out, " %-5s ", level_name(level));
        put_plain(out, sink->node);
        if (sink->node[0] != '\0')
            tulle__text_char(out, ' ');
        put_plain(out, id);
        tulle__text_char(out, ' ');
        put_plain(out, text);
    }
    tulle__text_char(out, '\n');
}

void
tulle__logsink_write(tulle_log_level level, const char *id, const char *text, void *ctx)
{
    const struct tulle__logsink *sink = ctx;
    struct tulle__text line = { 0 };
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail on Linux */
    int64_t time_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    tulle__logsink_line(sink, time_us, level, id, text, &line);
    ssize_t wrote = write(sink->fd, line.bytes, line.len);
    (void)wrote; /* a log that cannot be written must not stop the program */
    tulle__text_free(&line);
}

void
tulle__logsink_say(
    struct tulle__logsink *sink, tulle_log_level level, const char *id, const char *format, ...)
{
    char text[TEXT_LEN_MAX];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(text, sizeof text, format, list);
    va_end(list);
    tulle__logsink_write(level, id, text, sink);
}
