/* SPDX-License-Identifier: MPL-2.0 */

/* Log lines. A line is put together in a buffer of fixed size and written with
 * one call, whole or not at all as far as the system allows it; a line that
 * does not fit is cut. Nothing here fails: there is nobody left to tell. */

#include "app/logsink.h"

#include "app/json.h"
#include "app/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_LEN_MAX = 1024 };

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

/* Texts may hold what a peer sent, such as its name: no control character
 * reaches the terminal. */
static void
put_plain(struct tulle__text *line, const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        bool is_control = *at < 0x20 || *at == 0x7f;
        tulle__text_char(line, is_control ? '?' : (char)*at);
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
    /* Cut before it is quoted, so that the line stays valid. */
    size_t len = strlen(text);
    tulle__json_put_str(line, text, len > LINE_LEN_MAX / 2 ? LINE_LEN_MAX / 2 : len);
    tulle__text_char(line, '}');
}

size_t
tulle__logsink_line(const struct tulle__logsink *sink,
                    int64_t time_us,
                    tulle_log_level level,
                    const char *id,
                    const char *text,
                    char *out,
                    size_t len)
{
    struct tulle__text line = { 0 };
    bool is_json = sink->format == TULLE__LOG_JSON;
    if (is_json)
        tulle__text_str(&line, "{\"time\":\"");
    tulle__text_time(&line, time_us);
    if (is_json) {
        put_json(&line, sink, level, id, text);
    } else {
        tulle__text_format(&line, " %-5s ", level_name(level));
        put_plain(&line, sink->node);
        if (sink->node[0] != '\0')
            tulle__text_char(&line, ' ');
        put_plain(&line, id);
        tulle__text_char(&line, ' ');
        put_plain(&line, text);
    }
    size_t used = line.len < len ? line.len : len - 1;
    if (used > 0)
        memcpy(out, line.bytes, used);
    out[used++] = '\n';
    tulle__text_free(&line);
    return used;
}

void
tulle__logsink_write(tulle_log_level level, const char *id, const char *text, void *ctx)
{
    const struct tulle__logsink *sink = ctx;
    char line[LINE_LEN_MAX * 4];
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail on Linux */
    int64_t time_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    size_t len = tulle__logsink_line(sink, time_us, level, id, text, line, sizeof line);
    ssize_t wrote = write(sink->fd, line, len);
    (void)wrote; /* a log that cannot be written must not stop the program */
}

void
tulle__logsink_say(
    struct tulle__logsink *sink, tulle_log_level level, const char *id, const char *format, ...)
{
    char text[LINE_LEN_MAX];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(text, sizeof text, format, list);
    va_end(list);
    tulle__logsink_write(level, id, text, sink);
}
