/* SPDX-License-Identifier: MPL-2.0 */

/* Running doctor and judging what it found; servers that say what they are told to. */

#include "doctor_kit.h"

#include "integ_kit.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS_MAX = 64, SERVERS_MAX = 4, FULL_LEN = 4 };

struct proc *last;
json_t *report;

/* ---- servers that say what they are told to ---- */

struct server {
    int fd;
    int wake[2];
    pthread_t thread;
    uint8_t bytes[1024];
    size_t len;
    bool closes;
};

static struct server servers[SERVERS_MAX];
static size_t server_count;
static int full[4 * FULL_LEN];
static size_t full_count;

static void *
serve(void *ctx)
{
    struct server *server = ctx;
    int clients[CLIENTS_MAX];
    size_t count = 0;
    for (;;) {
        struct pollfd waits[2] = { { .fd = server->fd, .events = POLLIN },
                                   { .fd = server->wake[0], .events = POLLIN } };
        (void)poll(waits, 2, -1);
        if (waits[1].revents != 0)
            break;
        int fd = accept(server->fd, NULL, NULL);
        if (fd < 0)
            continue;
        if (send(fd, server->bytes, server->len, MSG_NOSIGNAL) < 0 || server->closes ||
            count == CLIENTS_MAX)
            (void)close(fd);
        else
            clients[count++] = fd;
    }
    while (count > 0)
        (void)close(clients[--count]);
    return NULL;
}

static struct server *
make_server(int port, const void *bytes, size_t len)
{
    const int on = 1;
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    assert_true(server_count < SERVERS_MAX && len <= sizeof servers->bytes);
    struct server *server = &servers[server_count++];
    *server = (struct server){ .len = len };
    if (len > 0)
        memcpy(server->bytes, bytes, len);
    assert_int_equal(inet_pton(AF_INET, "127.0.0.1", &address.sin_addr), 1);
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(setsockopt(server->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server->fd, 64), 0);
    assert_int_equal(pipe(server->wake), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
    return server;
}

void
start_server(int port, const void *bytes, size_t len)
{
    (void)make_server(port, bytes, len);
}

void
start_closing_server(int port)
{
    make_server(port, "", 0)->closes = true;
}

void
start_full_port(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    assert_int_equal(inet_pton(AF_INET, "127.0.0.1", &address.sin_addr), 1);
    for (size_t i = 0; i < FULL_LEN; i++) {
        assert_true(full_count < sizeof full / sizeof *full);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_true(fd >= 0);
        full[full_count++] = fd;
        if (i > 0) {
            (void)connect(fd, (struct sockaddr *)&address, sizeof address);
        } else {
            assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
            assert_int_equal(listen(fd, 0), 0);
        }
    }
}

void
stop_servers(void)
{
    while (full_count > 0)
        (void)close(full[--full_count]);
    while (server_count > 0) {
        struct server *server = &servers[--server_count];
        assert_int_equal(write(server->wake[1], "x", 1), 1);
        assert_int_equal(pthread_join(server->thread, NULL), 0);
        (void)close(server->fd);
        (void)close(server->wake[0]);
        (void)close(server->wake[1]);
    }
}

size_t
put(uint8_t *out, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)bytes[i];
    return len;
}

/* Greeting and READY of a ZeroMQ socket of that type. Returns how long they are. */
size_t
put_socket(uint8_t *out, const char *mechanism, const char *type)
{
    static const char ready[] = "\005READY\013Socket-Type";
    memset(out, 0, 64);
    out[0] = 0xff;
    out[9] = 0x7f;
    out[10] = 3;
    (void)put(out + 12, mechanism, strlen(mechanism));
    size_t at = 64;
    out[at++] = 4;
    out[at++] = (uint8_t)(sizeof ready - 1 + 4 + strlen(type));
    at += put(out + at, ready, sizeof ready - 1);
    at += put(out + at, "\0\0", 3);
    out[at++] = (uint8_t)strlen(type);
    return at + put(out + at, type, strlen(type));
}

size_t
put_str(uint8_t *out, const char *text)
{
    out[0] = (uint8_t)(0xa0 + strlen(text)); /* shorter than 32 */
    return 1 + put(out + 1, text, strlen(text));
}

size_t
put_u64(uint8_t *out, uint64_t value)
{
    out[0] = 0xcf;
    for (int i = 0; i < 8; i++)
        out[1 + i] = (uint8_t)(value >> (56 - 8 * i));
    return 9;
}

/* ---- running ---- */

int
end_test(void **state)
{
    json_decref(report);
    report = NULL;
    stop_servers();
    int status = proc_end_all(state);
    return kit_teardown(state) + status;
}

void
read_report(int status)
{
    int ended = proc_wait(last);
    json_decref(report);
    report = json_loads(proc_text(last, PROC_OUT), JSON_REJECT_DUPLICATES, NULL);
    if (ended != status || report == NULL)
        print_error("%s%s", proc_text(last, PROC_OUT), proc_text(last, PROC_ERR));
    assert_non_null(report);
    assert_int_equal(ended, status);
}

/* Run doctor with up to twelve arguments, until NULL. */
void
examine(int status, const char *const arguments[])
{
    const char *a[ARGS_MAX] = { NULL };
    for (size_t i = 0; i < ARGS_MAX && arguments[i] != NULL; i++)
        a[i] = arguments[i];
    last = proc_start("tulle", "doctor", "--json", a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7],
                      a[8], a[9], a[10], a[11], NULL);
    read_report(status);
}

json_t *
finding(const char *id)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(report, "findings"), i, one)
    {
        if (strcmp(json_string_value(json_object_get(one, "id")), id) == 0)
            return one;
    }
    return NULL;
}

/* It is there, of that level, with these words in its text and remedy. */
void
assert_found(const char *id, const char *level, const char *text, const char *remedy)
{
    json_t *one = finding(id);
    if (one == NULL)
        print_error("%s is not among %s\n", id, proc_text(last, PROC_OUT));
    assert_non_null(one);
    assert_string_equal(json_string_value(json_object_get(one, "level")), level);
    const char *told = json_string_value(json_object_get(one, "text"));
    const char *helps = json_string_value(json_object_get(one, "remedy"));
    if (strstr(told, text) == NULL)
        print_error("'%s' is not in '%s'\n", text, told);
    assert_non_null(strstr(told, text));
    if (remedy == NULL) {
        assert_null(helps);
        return;
    }
    assert_non_null(helps);
    if (strstr(helps, remedy) == NULL)
        print_error("'%s' is not in '%s'\n", remedy, helps);
    assert_non_null(strstr(helps, remedy));
}

/* Warnings of the machine that the test runs on do not count. */
void
assert_well(void)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(report, "findings"), i, one)
    {
        const char *id = json_string_value(json_object_get(one, "id"));
        const char *level = json_string_value(json_object_get(one, "level"));
        bool is_of_host = strcmp(id, "clock.sync") == 0 || strcmp(id, "interfaces.none") == 0 ||
                          strcmp(id, "limits.memory") == 0;
        bool is_bad = strcmp(level, "warning") == 0 || strcmp(level, "problem") == 0;
        if (is_bad && !is_of_host)
            print_error("%s\n", proc_text(last, PROC_OUT));
        assert_true(is_of_host || !is_bad);
        assert_int_equal(is_bad, json_is_string(json_object_get(one, "remedy")));
    }
}

int
host_status(void)
{
    struct proc *alone = proc_start("tulle", "doctor", NULL);
    return proc_wait(alone);
}

const char *
start_peer(const char *name, const char *option, const char *value, int *port)
{
    *port = proc_free_port();
    struct proc *peer =
        proc_start("tulle-node", "--name", name, "--beat-ms", "200", "--suspect-ms", "20000",
                   "--gone-ms", "60000", "--listen", proc_address(*port), option, value, NULL);
    (void)peer;
    proc_wait_port(*port);
    return proc_address(*port);
}
