/* SPDX-License-Identifier: MPL-2.0 */

/* Log lines. A line is put together and written with one call, so that lines of several
 * threads and processes do not mix; long texts are cut. Nothing here fails: there is nobody
 * left to tell. */

#include "app/logsink.h"

#include "app/json.h"
#include "app/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_LEN_MAX = 1024 };

/* Standard error, of which a process has one. */
static struct outlet {
    pthread_mutex_t lock;
    enum { OUTLET_UNKNOWN, OUTLET_WRITE, OUTLET_SEND, OUTLET_ASK } how;
    int fd;
    struct tulle__text rest; /* of a line that was taken in part */
    size_t rest_at;
    uint64_t dropped;
} outlet = { .lock = PTHREAD_MUTEX_INITIALIZER };

void
tulle__logsink_init(struct tulle__logsink *sink, enum tulle__log_format format)
{
    *sink = (struct tulle__logsink){ .format = format };
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

/* Texts may hold what a peer sent, such as its name: no control character reaches the
 * terminal, of ASCII or of C1 (U+0080 to U+009F), and nothing that is no UTF-8. */
static void
put_plain(struct tulle__text *line, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t len = shown_len(text);
    size_t step = 0;
    for (size_t i = 0; i < len; i += step) {
        bool is_control = at[i] < 0x20 || at[i] == 0x7f || (at[i] == 0xc2 && at[i + 1] < 0xa0);
        size_t valid = tulle__utf8_len(at + i, len - i);
        step = valid > 0 ? valid : 1;
        if (is_control || valid == 0)
            tulle__text_char(line, '?');
        else
            tulle__text_put(line, text + i, step);
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

/* ---- standard error ---- */

/* O_NONBLOCK belongs to what was opened, and that is shared with other processes, who do
 * not expect it: a pipe or a terminal is opened once more. Files do not need it, and would
 * be written from their beginning. */
static void
open_outlet(void)
{
    struct stat about;
    outlet.how = OUTLET_WRITE;
    outlet.fd = STDERR_FILENO;
    if (fstat(STDERR_FILENO, &about) != 0)
        return;
    if (S_ISSOCK(about.st_mode))
        outlet.how = OUTLET_SEND;
    if (!S_ISFIFO(about.st_mode) && !S_ISCHR(about.st_mode))
        return;
    int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd >= 0)
        outlet.fd = fd;
    else /* no right to, or no /proc */
        outlet.how = OUTLET_ASK;
}

/* Returns how much was taken. */
static size_t
put_bytes(const char *bytes, size_t len)
{
    struct pollfd item = { .fd = outlet.fd, .events = POLLOUT };
    ssize_t put = -1;
    do {
        if (outlet.how == OUTLET_SEND)
            put = send(outlet.fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        else if (outlet.how == OUTLET_WRITE)
            put = write(outlet.fd, bytes, len);
        else if (poll(&item, 1, 0) == 1) /* so much a pipe takes then */
            put = write(outlet.fd, bytes, len < PIPE_BUF ? len : PIPE_BUF);
    } while (put < 0 && errno == EINTR);
    return put < 0 ? 0 : (size_t)put;
}

static bool
put_rest(void)
{
    if (outlet.rest_at < outlet.rest.len)
        outlet.rest_at +=
            put_bytes(outlet.rest.bytes + outlet.rest_at, outlet.rest.len - outlet.rest_at);
    if (outlet.rest_at < outlet.rest.len)
        return false;
    tulle__text_free(&outlet.rest);
    outlet.rest_at = 0;
    return true;
}

/* The line is taken over, and empty then, when only a part of it could be written. */
static bool
put_line(struct tulle__text *line)
{
    size_t put = put_bytes(line->bytes, line->len);
    if (put == 0)
        return false;
    if (put < line->len) {
        outlet.rest = *line;
        outlet.rest_at = put;
        *line = (struct tulle__text){ 0 };
    }
    return true;
}

/* What is to be told of lines that are missing before this one. */
static bool
put_dropped(const struct tulle__logsink *sink, int64_t time_us)
{
    char text[64];
    struct tulle__text line = { 0 };
    if (outlet.dropped == 0)
        return true;
    (void)snprintf(text, sizeof text, "count=%" PRIu64, outlet.dropped);
    tulle__logsink_line(sink, time_us, TULLE_LOG_WARN, "log.dropped", text, &line);
    bool is_put = put_line(&line);
    if (is_put)
        outlet.dropped = 0;
    tulle__text_free(&line);
    return is_put && put_rest();
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
    (void)pthread_mutex_lock(&outlet.lock);
    if (outlet.how == OUTLET_UNKNOWN)
        open_outlet();
    if (!put_rest() || !put_dropped(sink, time_us) || !put_line(&line))
        outlet.dropped++;
    (void)pthread_mutex_unlock(&outlet.lock);
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
