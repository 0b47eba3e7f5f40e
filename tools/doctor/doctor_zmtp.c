/* SPDX-License-Identifier: MPL-2.0 */

/* ZMTP 3.0 (RFC 23): a greeting of 64 bytes, a READY command with the type of the socket, frames.
 */

#include "tools/doctor/doctor_zmtp.h"

#include "tools/common/tools.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    GREETING_LEN = 64,
    SIGNATURE_LEN = 10,
    MECHANISM_AT = 12,
    MECHANISM_LEN = 20,
    FRAME_LEN_MAX = 1 << 20,
    FLAG_MORE = 1,
    FLAG_LONG = 2,
    FLAG_COMMAND = 4
};

static int
left_ms(int64_t deadline_us)
{
    int64_t left = (deadline_us - tulle__tool_mono_us() + 999) / 1000;
    return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

static void
end(struct tulle__zmtp *zmtp, enum tulle__zmtp_result result, const char *why)
{
    zmtp->result = result;
    (void)snprintf(zmtp->why, sizeof zmtp->why, "%s", why);
    tulle__zmtp_close(zmtp);
}

void
tulle__zmtp_close(struct tulle__zmtp *zmtp)
{
    if (zmtp->fd >= 0)
        (void)close(zmtp->fd);
    zmtp->fd = -1;
}

/* ---- connecting ---- */

static void
judge_connect(struct tulle__zmtp *zmtp, int code)
{
    if (code == ECONNREFUSED || code == ENOENT)
        end(zmtp, TULLE__ZMTP_REFUSED, "nobody listens there");
    else if (code != 0)
        end(zmtp, TULLE__ZMTP_UNREACHABLE, strerror(code));
}

static bool
connect_to(struct tulle__zmtp *zmtp,
           const struct sockaddr *address,
           socklen_t address_len,
           int64_t deadline_us)
{
    zmtp->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (zmtp->fd < 0) {
        judge_connect(zmtp, errno);
        return false;
    }
    if (connect(zmtp->fd, address, address_len) == 0)
        return true;
    if (errno != EINPROGRESS) {
        judge_connect(zmtp, errno);
        return false;
    }
    struct pollfd item = { .fd = zmtp->fd, .events = POLLOUT };
    int ready = poll(&item, 1, left_ms(deadline_us));
    int code = 0;
    socklen_t len = sizeof code;
    if (ready <= 0) {
        end(zmtp, TULLE__ZMTP_NO_ANSWER, "no answer");
        return false;
    }
    if (getsockopt(zmtp->fd, SOL_SOCKET, SO_ERROR, &code, &len) != 0)
        code = errno;
    judge_connect(zmtp, code);
    return code == 0;
}

/* ---- bytes ---- */

/* All of len bytes, or how many came by the deadline; -1: the connection is closed. */
static ssize_t
read_all(struct tulle__zmtp *zmtp, uint8_t *to, size_t len, int64_t deadline_us)
{
    size_t done = 0;
    while (done < len) {
        struct pollfd item = { .fd = zmtp->fd, .events = POLLIN };
        if (poll(&item, 1, left_ms(deadline_us)) <= 0)
            return (ssize_t)done;
        ssize_t count = read(zmtp->fd, to + done, len - done);
        if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
            return done > 0 ? (ssize_t)done : -1;
        done += count > 0 ? (size_t)count : 0;
    }
    return (ssize_t)done;
}

/* So little fits into the buffer of a fresh connection, or it is not worth waiting. */
static bool
write_all(const struct tulle__zmtp *zmtp, const uint8_t *bytes, size_t len)
{
    return send(zmtp->fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static uint64_t
get_number(const uint8_t *from, size_t len)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++)
        value = value << 8 | from[i];
    return value;
}

/* ---- greeting ---- */

static void
keep_first(struct tulle__zmtp *zmtp, const uint8_t *bytes, size_t len)
{
    size_t kept = 0;
    for (size_t i = 0; i < len && kept + 1 < sizeof zmtp->first; i++) {
        if (bytes[i] == '\r' || bytes[i] == '\n')
            break;
        zmtp->first[kept++] = (char)(isprint(bytes[i]) ? bytes[i] : '.');
    }
    zmtp->first[kept] = '\0';
}

static bool
greet(struct tulle__zmtp *zmtp, int64_t deadline_us)
{
    static const uint8_t own[GREETING_LEN] = {
        [0] = 0xff, [9] = 0x7f, [10] = 3, [12] = 'N', [13] = 'U', [14] = 'L', [15] = 'L'
    };
    uint8_t theirs[GREETING_LEN];
    if (!write_all(zmtp, own, sizeof own)) {
        end(zmtp, TULLE__ZMTP_CLOSED, "it closes the connection at once");
        return false;
    }
    ssize_t len = read_all(zmtp, theirs, sizeof theirs, deadline_us);
    if (len < 0) {
        end(zmtp, TULLE__ZMTP_CLOSED, "it closes the connection and says nothing");
        return false;
    }
    if (len == 0) {
        end(zmtp, TULLE__ZMTP_SILENT, "it takes the connection and says nothing");
        return false;
    }
    if (len < SIGNATURE_LEN || theirs[0] != 0xff || (theirs[9] & 1) == 0) {
        keep_first(zmtp, theirs, (size_t)len);
        end(zmtp, TULLE__ZMTP_FOREIGN, "it speaks another protocol");
        return false;
    }
    if (len < GREETING_LEN) {
        end(zmtp, TULLE__ZMTP_CLOSED, "it begins as ZeroMQ does and does not go on");
        return false;
    }
    memcpy(zmtp->mechanism, theirs + MECHANISM_AT, MECHANISM_LEN);
    zmtp->mechanism[MECHANISM_LEN] = '\0';
    return true;
}

/* ---- frames ---- */

/* One frame: its flags, its body appended. -1: none by the deadline, or none at all. */
static int
read_frame(struct tulle__zmtp *zmtp, int64_t deadline_us, struct tulle__text *body)
{
    uint8_t head[9];
    if (read_all(zmtp, head, 2, deadline_us) != 2)
        return -1;
    size_t len_len = (head[0] & FLAG_LONG) != 0 ? 8 : 1;
    if (len_len == 8 && read_all(zmtp, head + 2, 7, deadline_us) != 7)
        return -1;
    uint64_t len = get_number(head + 1, len_len);
    if (len > FRAME_LEN_MAX)
        return -1;
    char *room = tulle__text_room(body, (size_t)len + 1);
    if (room == NULL || read_all(zmtp, (uint8_t *)room, (size_t)len, deadline_us) != (ssize_t)len)
        return -1;
    body->len += (size_t)len;
    return head[0];
}

/* The value of Socket-Type among a READY command's properties. */
static void
read_type(struct tulle__zmtp *zmtp, const struct tulle__text *ready)
{
    static const char name[] = "Socket-Type";
    const uint8_t *at = (const uint8_t *)ready->bytes + 6;
    const uint8_t *stop = (const uint8_t *)ready->bytes + ready->len;
    while (stop - at > 5) {
        size_t name_len = at[0];
        if ((size_t)(stop - at) < 1 + name_len + 4)
            return;
        uint64_t len = get_number(at + 1 + name_len, 4);
        const uint8_t *value = at + 1 + name_len + 4;
        if (len > (uint64_t)(stop - value))
            return;
        if (name_len == sizeof name - 1 && memcmp(at + 1, name, name_len) == 0) {
            int shown =
                len < sizeof zmtp->socket_type - 1 ? (int)len : (int)sizeof zmtp->socket_type - 1;
            (void)snprintf(zmtp->socket_type, sizeof zmtp->socket_type, "%.*s", shown,
                           (const char *)value);
        }
        at = value + len;
    }
}

static bool
send_ready(const struct tulle__zmtp *zmtp, const char *own_type)
{
    static const char name[] = "\005READY\013Socket-Type";
    struct tulle__text ready = { 0 };
    size_t type_len = strlen(own_type);
    tulle__text_char(&ready, FLAG_COMMAND);
    tulle__text_char(&ready, (char)(sizeof name - 1 + 4 + type_len));
    tulle__text_put(&ready, name, sizeof name - 1);
    tulle__text_put(&ready, "\0\0", 3);
    tulle__text_char(&ready, (char)type_len);
    tulle__text_put(&ready, own_type, type_len);
    bool is_sent = !ready.has_failed && write_all(zmtp, (const uint8_t *)ready.bytes, ready.len);
    tulle__text_free(&ready);
    return is_sent;
}

void
tulle__zmtp_open(struct tulle__zmtp *zmtp,
                 const struct sockaddr *address,
                 socklen_t address_len,
                 const char *own_type,
                 int64_t deadline_us)
{
    *zmtp = (struct tulle__zmtp){ .fd = -1 };
    if (!connect_to(zmtp, address, address_len, deadline_us) || !greet(zmtp, deadline_us))
        return;
    if (strcmp(zmtp->mechanism, "NULL") != 0)
        return; /* it goes on in a way of its own */
    struct tulle__text ready = { 0 };
    bool is_sub = strcmp(own_type, "SUB") == 0;
    /* Only who subscribes becomes a peer: others are not told of a connection that ends here. */
    bool is_sent = !is_sub || send_ready(zmtp, own_type);
    int flags = is_sent ? read_frame(zmtp, deadline_us, &ready) : -1;
    if (flags < 0 || (flags & FLAG_COMMAND) == 0 || ready.len < 6 ||
        memcmp(ready.bytes, "\005READY", 6) != 0)
        end(zmtp, TULLE__ZMTP_CLOSED, "it speaks ZeroMQ and does not go on");
    else
        read_type(zmtp, &ready);
    tulle__text_free(&ready);
}

bool
tulle__zmtp_subscribe(struct tulle__zmtp *zmtp,
                      const char *key,
                      size_t key_len,
                      int64_t deadline_us,
                      struct tulle__text *body)
{
    uint8_t ask[3 + 255] = { 0, (uint8_t)(key_len + 1), 1 };
    struct tulle__text frame = { 0 };
    bool is_first = true;
    bool has_key = false;
    bool is_found = false;
    if (zmtp->fd < 0 || key_len > 255 - 1)
        return false;
    memcpy(ask + 3, key, key_len);
    if (!write_all(zmtp, ask, 3 + key_len))
        return false;
    while (!is_found && tulle__tool_mono_us() < deadline_us) {
        tulle__text_clear(&frame);
        int flags = read_frame(zmtp, deadline_us, &frame);
        if (flags < 0)
            break;
        if ((flags & FLAG_COMMAND) != 0)
            continue;
        is_found = has_key && !is_first;
        has_key = is_first && frame.len == key_len && memcmp(frame.bytes, key, key_len) == 0;
        is_first = (flags & FLAG_MORE) == 0;
    }
    if (is_found)
        tulle__text_put(body, frame.bytes, frame.len);
    tulle__text_free(&frame);
    return is_found;
}
