/* SPDX-License-Identifier: MPL-2.0 */

/* What tulle doctor finds: a mesh that is well, and one thing wrong after the other. What no
 * program of tulle would say is said by a server of the test that speaks just enough of ZMTP. */

#include "integ_kit.h"
#include "proc_kit.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ARGS_MAX = 12, CLIENTS_MAX = 64, SERVERS_MAX = 4 };

static struct proc *last; /* doctor that ran last */
static json_t *report;

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
start_server(int port, const void *bytes, size_t len)
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

static void
stop_servers(void)
{
    while (server_count > 0) {
        struct server *server = &servers[--server_count];
        assert_int_equal(write(server->wake[1], "x", 1), 1);
        assert_int_equal(pthread_join(server->thread, NULL), 0);
        (void)close(server->fd);
        (void)close(server->wake[0]);
        (void)close(server->wake[1]);
    }
}

static size_t
put(uint8_t *out, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)bytes[i];
    return len;
}

/* Greeting and READY of a ZeroMQ socket of that type. Returns how long they are. */
static size_t
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

static size_t
put_str(uint8_t *out, const char *text)
{
    out[0] = (uint8_t)(0xa0 + strlen(text)); /* shorter than 32 */
    return 1 + put(out + 1, text, strlen(text));
}

static size_t
put_u64(uint8_t *out, uint64_t value)
{
    out[0] = 0xcf;
    for (int i = 0; i < 8; i++)
        out[1 + i] = (uint8_t)(value >> (56 - 8 * i));
    return 9;
}

/* A node that is none: a control port that says nothing, and beats of that version, with a clock
 * so far ahead, telling that address. */
static const char *
start_fake(int version, int64_t ahead_us, const char *announced)
{
    uint8_t bytes[512];
    uint8_t beat[256];
    struct timespec now;
    int port = proc_free_port();
    size_t len = put_socket(bytes, "NULL", "ROUTER");
    (void)start_server(port, bytes, len);
    (void)clock_gettime(CLOCK_REALTIME, &now);
    int64_t now_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    size_t at = 0;
    beat[at++] = 0x95;
    beat[at++] = (uint8_t)version;
    at += put_str(beat + at, "tulle");
    at += put_u64(beat + at, UINT64_C(0xf000000000000001));
    at += put_u64(beat + at, 1);
    beat[at++] = 0x83;
    at += put_str(beat + at, "n");
    at += put_str(beat + at, "fake");
    at += put_str(beat + at, "z");
    at += put_u64(beat + at, (uint64_t)(now_us + ahead_us) << 12);
    at += put_str(beat + at, "a");
    beat[at++] = 0x91;
    at += put_str(beat + at, announced);
    len = put_socket(bytes, "NULL", "XPUB");
    len += put(bytes + len, "\001\006$beat\000", 9);
    bytes[len++] = (uint8_t)at;
    memcpy(bytes + len, beat, at);
    (void)start_server(port + 1, bytes, len + at);
    return proc_address(port);
}

/* ---- running ---- */

static int
end_test(void **state)
{
    json_decref(report);
    report = NULL;
    stop_servers();
    int status = proc_end_all(state);
    return kit_teardown(state) + status;
}

static void
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
static void
examine(int status, const char *const arguments[])
{
    const char *a[ARGS_MAX] = { NULL };
    for (size_t i = 0; i < ARGS_MAX && arguments[i] != NULL; i++)
        a[i] = arguments[i];
    last = proc_start("tulle", "doctor", "--json", a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7],
                      a[8], a[9], a[10], a[11], NULL);
    read_report(status);
}
#define EXAMINE(status, ...) examine(status, (const char *const[]){ __VA_ARGS__, NULL })

static json_t *
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
static void
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
static void
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

static int
host_status(void)
{
    struct proc *alone = proc_start("tulle", "doctor", NULL);
    return proc_wait(alone);
}

static const char *
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

/* ---- well ---- */

TEST(a_mesh_that_is_well)
{
    (void)state;
    int port;
    int status = host_status();
    const char *join = start_peer("shop", NULL, NULL, &port);
    assert_in_range(status, 0, 1);
    EXAMINE(status, "--join", join, "--listen", "tcp://127.0.0.1:*");
    assert_well();
    assert_found("versions.tulle", "ok", "tulle 0.1.0", NULL);
    assert_found("versions.library", "ok", "libzmq 4.", NULL);
    assert_found("keys.none", "note", "neither encryption nor keys", NULL);
    assert_found("address.route", "ok", "leaves by lo (127.0.0.1)", NULL);
    assert_found("address.node", "ok", ": node shop of mesh 'tulle' answers", NULL);
    assert_found("clock.offset", "ok", "the times of shop and this host agree", NULL);
    assert_found("announced.address", "ok", "shop tells others to dial tcp://127.0.0.1:", NULL);
    assert_found("listen.address", "ok", "on this host alone", NULL);
    assert_found("mesh.reached", "ok", "1 node and 0 proxies are seen, in 1 segment", NULL);
    assert_found("limits.descriptors", "ok", " file descriptors: enough for about ", NULL);
    assert_found("limits.memory", "ok", "a node at its bounds takes ", NULL);
}

TEST(it_is_told_in_words_too)
{
    (void)state;
    struct proc *loud = proc_start("tulle", "doctor", "--join", "tcp://127.0.0.1:1", NULL);
    struct proc *quiet = proc_start("tulle", "doctor", "--join", "tcp://127.0.0.1:1", "-q", NULL);
    assert_int_equal(proc_wait(loud), 2);
    assert_int_equal(proc_wait(quiet), 2);
    static const char words[] =
        "Address\n  ok       tcp://127.0.0.1:1: the way there leaves by lo (127.0.0.1)\n"
        "  problem  tcp://127.0.0.1:1: the host answers, but nobody listens at this port\n"
        "           -> start the node there, or correct the port";
    assert_non_null(strstr(proc_text(loud, PROC_OUT), words));
    assert_non_null(strstr(proc_text(loud, PROC_OUT), "\nVersions\n") == NULL
                        ? strstr(proc_text(loud, PROC_OUT), "Versions\n")
                        : proc_text(loud, PROC_OUT));
    assert_non_null(strstr(proc_text(loud, PROC_OUT), "\n2 problems, "));
    assert_null(strstr(proc_text(quiet, PROC_OUT), "  ok "));
    assert_non_null(strstr(proc_text(quiet, PROC_OUT), "Address\n  problem  tcp"));
}

TEST(a_file_of_options_is_read)
{
    (void)state;
    char path[256];
    (void)snprintf(path, sizeof path, "%s/node.conf", proc_directory());
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs("mesh = other\nlisten = tcp://127.0.0.1:*\nstats = 60\nexec = a\n"
                      "    command = cat\n",
                      file) > 0);
    assert_int_equal(fclose(file), 0);
    EXAMINE(host_status(), "--config", path);
    assert_found("config.file", "ok", path, NULL);
    assert_found("mesh.none", "note", "--join", NULL);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs("stats = 60\nlisten = here\n", file) > 0);
    assert_int_equal(fclose(file), 0);
    struct proc *wrong = proc_start("tulle", "doctor", "--config", path, NULL);
    assert_int_equal(proc_wait(wrong), 2);
    assert_non_null(strstr(proc_text(wrong, PROC_ERR), "node.conf:2: listen: "));
    wrong = proc_start("tulle", "doctor", "--config", "/nowhere/node.conf", NULL);
    assert_int_equal(proc_wait(wrong), 2);
    assert_non_null(strstr(proc_text(wrong, PROC_ERR), "/nowhere/node.conf"));
    assert_int_equal(unlink(path), 0);
}

/* ---- addresses ---- */

TEST(nobody_listens_there)
{
    (void)state;
    EXAMINE(2, "--join", proc_address(proc_free_port()), "-t", "1");
    assert_found("address.refused", "problem", "nobody listens", "start the node there");
    assert_found("mesh.nobody", "problem", "no other node is reached", "see to what is said");
}

TEST(a_name_that_nobody_knows)
{
    (void)state;
    int64_t start = kit_now_ms();
    EXAMINE(2, "--join", "tcp://no-such-host.invalid:7100", "-t", "2");
    assert_true(kit_now_ms() - start < 20000);
    if (finding("address.resolver") != NULL)
        assert_found("address.resolver", "problem", "did not answer", "/etc/resolv.conf");
    else
        assert_found("address.name", "problem", "no-such-host.invalid has no IPv4 address",
                     "correct the name");
    EXAMINE(2, "--join", "tcp://localhost:1", "-t", "1");
    assert_found("address.name", "ok", "localhost is 127.0.0.1", NULL);
}

/* As a firewall that drops packets: a port whose queue is full does not answer either. */
TEST(a_port_that_does_not_answer)
{
    (void)state;
    int port = proc_free_port();
    int fds[4];
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    assert_int_equal(inet_pton(AF_INET, "127.0.0.1", &address.sin_addr), 1);
    for (size_t i = 0; i < 4; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_true(fds[i] >= 0);
        if (i > 0)
            (void)connect(fds[i], (struct sockaddr *)&address, sizeof address);
        else
            assert_true(bind(fds[0], (struct sockaddr *)&address, sizeof address) == 0 &&
                        listen(fds[0], 0) == 0);
    }
    int64_t start = kit_now_ms();
    EXAMINE(2, "--join", proc_address(port), "-t", "0.5");
    assert_true(kit_now_ms() - start < 10000);
    assert_found("address.silent", "problem", "no answer in time", "firewall");
    for (size_t i = 0; i < 4; i++)
        (void)close(fds[i]);
}

TEST(another_program_listens_there)
{
    (void)state;
    int port = proc_free_port();
    (void)start_server(port, "SSH-2.0-OpenSSH\r\n", 17);
    EXAMINE(2, "--join", proc_address(port), "-t", "0.5");
    assert_found("address.foreign", "problem", "it says 'SSH-2.0-OpenSSH'", "ss -tlnp");
    port = proc_free_port();
    (void)start_server(port, "", 0);
    EXAMINE(2, "--join", proc_address(port), "-t", "0.5");
    assert_found("address.mute", "problem", "says nothing", "ss -tlnp");
    port = proc_free_port();
    start_server(port, "", 0)->closes = true;
    EXAMINE(2, "--join", proc_address(port), "-t", "0.5");
    assert_found("address.closed", "problem", "closes the connection", "balancer");
}

TEST(another_socket_listens_there)
{
    (void)state;
    uint8_t bytes[128];
    int port = proc_free_port();
    (void)start_server(port, bytes, put_socket(bytes, "NULL", "REP"));
    EXAMINE(2, "--join", proc_address(port), "-t", "0.5");
    assert_found("address.stranger", "problem", "a ZeroMQ socket of type REP", "correct the port");
    port = proc_free_port();
    (void)start_server(port, bytes, put_socket(bytes, "CURVE", ""));
    EXAMINE(2, "--join", proc_address(port), "-t", "0.5");
    assert_found("address.security", "problem", "security of kind CURVE", "do not exist");
}

TEST(another_port_of_the_node_is_told)
{
    (void)state;
    char remedy[64];
    int port;
    (void)start_peer("shop", "--inlet", NULL, &port);
    (void)snprintf(remedy, sizeof remedy, "--join %s", proc_address(port));
    EXAMINE(2, "--join", proc_address(port + 1), "-t", "0.5");
    assert_found("address.event_port", "problem", "the port for events", remedy);
    EXAMINE(2, "--join", proc_address(port + 2), "-t", "0.5");
    assert_found("address.inlet_port", "problem", "the inlet", remedy);
}

TEST(another_mesh_is_told)
{
    (void)state;
    int port;
    const char *join = start_peer("shop", "--mesh", "other", &port);
    EXAMINE(2, "--join", join, "-t", "2");
    assert_found("address.mesh", "problem", "shop is of mesh 'other', this is 'tulle'",
                 "say --mesh other");
}

TEST(another_version_is_told)
{
    (void)state;
    EXAMINE(2, "--join", start_fake(2, 0, "tcp://127.0.0.1:1"), "-t", "1");
    assert_found("address.version", "problem", "speaks version 2", "upgrade the older");
}

TEST(clocks_that_differ_are_told)
{
    (void)state;
    EXAMINE(2, "--join", start_fake(1, -5000000, "tcp://127.0.0.1:1"), "-t", "1");
    assert_found("clock.offset", "warning", "the clock of fake is 5.", "chrony");
    EXAMINE(2, "--join", start_fake(1, 50000000, "tcp://127.0.0.1:1"), "-t", "1");
    assert_found("clock.offset", "problem", "s ahead of this host's", "chrony");
}

/* Whatever comes, it is told, in time. */
TEST(what_is_said_there_cannot_hurt)
{
    (void)state;
    uint8_t good[128];
    size_t len = put_socket(good, "NULL", "ROUTER");
    static const struct {
        size_t kept;       /* of the greeting */
        const char *after; /* in place of the rest */
        size_t after_len;
    } cases[] = {
        { 10, "", 0 },
        { 63, "", 0 },
        { 64, "", 0 },
        { 64, "\006\377\377\377\377\377\377\377\377x", 10 },
        { 64, "\006\000\000\000\000\377\377\377\377x", 10 },
        { 64, "\004\000", 2 },
        { 64, "\004\007\005READY\377", 9 },
        { 64, "\004\027\005READY\013Socket-Type\377\377\377\377x", 25 },
        { 64, "\004\034\005READY\013Socket-Type\000\000\000\006\033[2J|\n", 30 },
        { 64, "\000\005hello", 7 },
        { 5, "\000\000\000", 3 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t bytes[256];
        int port = proc_free_port();
        memcpy(bytes, good, len);
        (void)put(bytes + cases[i].kept, cases[i].after, cases[i].after_len);
        (void)start_server(port, bytes, cases[i].kept + cases[i].after_len);
        int64_t start = kit_now_ms();
        EXAMINE(2, "--join", proc_address(port), "-t", "0.2");
        assert_true(kit_now_ms() - start < 10000);
        stop_servers();
    }
}

TEST(beats_that_are_none_cannot_hurt)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *id;
    } cases[] = {
        { "\001\006$beat\000\000\001\xc0", 11, "address.version" },
        { "\001\006$beat\000\000\001\x90", 11, "address.version" },
        { "\001\006$beat\000\000\002\x91\001", 12, "address.malformed" },
        { "\001\006$beat\000\000\007\x95\001\001\001\001\001\001", 17, "address.malformed" },
        { "\001\006$beat\000\000\005\xdd\377\377\377\377", 15, "address.malformed" },
        { "\001\006$beat\000\002\377\377\377\377\377\377\377\377", 17, "address.events_elsewhere" },
        { "\000\006$beat\000\000\001x", 11, "address.events_elsewhere" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t bytes[256];
        int port = proc_free_port();
        size_t len = put_socket(bytes, "NULL", "ROUTER");
        (void)start_server(port, bytes, len);
        len = put_socket(bytes, "NULL", "PUB");
        (void)put(bytes + len, cases[i].bytes, cases[i].len);
        (void)start_server(port + 1, bytes, len + cases[i].len);
        EXAMINE(2, "--join", proc_address(port), "-t", "0.3");
        if (finding(cases[i].id) == NULL)
            print_error("%zu: %s\n", i, proc_text(last, PROC_OUT));
        assert_non_null(finding(cases[i].id));
        stop_servers();
    }
}

/* ---- the way back ---- */

TEST(what_others_are_told_must_work)
{
    (void)state;
    EXAMINE(2, "--join", start_fake(1, 0, "tcp://127.0.0.1:1"), "-t", "1");
    assert_found("announced.unreachable", "problem",
                 "fake tells others to dial tcp://127.0.0.1:1, which does not work from here",
                 "--advertise");
    assert_found("mesh.one_way", "problem", "it does not come back to this node",
                 "must be able to dial this one");
}

TEST(a_node_that_cannot_be_dialed_back)
{
    (void)state;
    int port;
    const char *join = start_peer("shop", NULL, NULL, &port);
    EXAMINE(2, "--join", join, "-t", "2", "--advertise", "tcp://127.0.0.1:1", "--advertise-events",
            "tcp://127.0.0.1:2");
    assert_found("mesh.one_way", "problem", "does not come back to this node, at tcp://127.0.0.1:1",
                 "--dial-only here and --inlet there");
    EXAMINE(2, "--join", join, "-t", "2", "--dial-only");
    assert_found("listen.dial_only", "ok", "only dials", NULL);
    assert_found("mesh.no_inlet", "problem", "shop", "--inlet");
}

/* An address of this host that other hosts may reach, if it has one. */
static bool
find_outer(char out[static INET_ADDRSTRLEN])
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
    struct sockaddr_in own;
    socklen_t len = sizeof own;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(inet_pton(AF_INET, "203.0.113.1", &to.sin_addr), 1);
    bool has_one = connect(fd, (struct sockaddr *)&to, sizeof to) == 0 &&
                   getsockname(fd, (struct sockaddr *)&own, &len) == 0 &&
                   inet_ntop(AF_INET, &own.sin_addr, out, INET_ADDRSTRLEN) != NULL;
    (void)close(fd);
    return has_one && strncmp(out, "127.", 4) != 0;
}

TEST(loopback_is_each_hosts_own)
{
    (void)state;
    char outer[INET_ADDRSTRLEN];
    char listen[64];
    int port = proc_free_port();
    if (!find_outer(outer)) {
        print_message("this machine has no network: skipped\n");
        return;
    }
    (void)snprintf(listen, sizeof listen, "tcp://%s:%d", outer, port);
    (void)proc_start("tulle-node", "--name", "shop", "--beat-ms", "200", "--listen", listen,
                     "--advertise", "tcp://127.0.0.1:7100", "--advertise-events",
                     "tcp://127.0.0.1:7101", NULL);
    proc_pause(500);
    EXAMINE(2, "--join", listen, "--listen", "tcp://127.0.0.1:*", "-t", "2");
    assert_found("listen.loopback", "problem",
                 "peers are told to dial tcp://127.0.0.1:", "listen at '*'");
    assert_found("announced.loopback", "problem",
                 "shop tells others to dial tcp://127.0.0.1:7100, which is their own host",
                 "--advertise");
}

TEST(a_path_is_joined_too)
{
    (void)state;
    char address[300];
    char taken[400];
    (void)snprintf(address, sizeof address, "ipc://%s/shop", proc_directory());
    struct proc *peer = proc_start("tulle-node", "--name", "shop", "--beat-ms", "200", "--listen",
                                   address, "--log-level", "info", NULL);
    proc_wait_text(peer, PROC_ERR, "node.started");
    EXAMINE(host_status(), "--join", address, "--listen", "tcp://127.0.0.1:*", "-t", "3");
    assert_found("address.node", "ok", ": node shop of mesh 'tulle' answers", NULL);
    assert_well();
    (void)snprintf(taken, sizeof taken, "%s.none", address);
    EXAMINE(2, "--join", taken, "-t", "0.5");
    assert_found("address.refused", "problem", "nobody listens", "start the node");
}

TEST(where_it_cannot_listen)
{
    (void)state;
    int port;
    const char *taken = start_peer("shop", NULL, NULL, &port);
    EXAMINE(2, "--listen", taken);
    assert_found("listen.in_use", "problem", taken, "ss -tlnp");
    EXAMINE(2, "--listen", "tcp://203.0.113.9:7100");
    assert_found("listen.not_here", "problem", "203.0.113.9", "ip address");
    EXAMINE(2, "--interface", "nothing0");
    assert_found("interfaces.missing", "problem", "there is no interface nothing0", "ip address");
    EXAMINE(2, "--suspect-ms", "1");
    assert_found("listen.failed", "problem", "suspect_ms", "correct the option");
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");
    int low = 0;
    char listen[64];
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &low), 1); /* NOLINT(cert-err34-c) */
    (void)fclose(file);
    (void)snprintf(listen, sizeof listen, "tcp://127.0.0.1:%d", low + 100);
    last = proc_start("tulle", "doctor", "--json", "--listen", listen, NULL);
    read_report(proc_wait(last)); /* the port may be taken */
    assert_found("limits.ports", "warning", "among the ports that the system hands out",
                 "ip_local_reserved_ports");
}

/* ---- the mesh ---- */

TEST(nodes_of_one_name)
{
    (void)state;
    int port;
    int other;
    const char *join = start_peer("shop", NULL, NULL, &port);
    (void)start_peer("shop", "--join", join, &other);
    EXAMINE(1, "--join", join, "--listen", "tcp://127.0.0.1:*");
    assert_found("mesh.same_name", "warning", "2 nodes are called 'shop'", "--name of its own");
}

/* A node that shop takes for up, since it died a moment ago. */
TEST(a_node_that_others_name)
{
    (void)state;
    int port;
    const char *join = start_peer("shop", NULL, NULL, &port);
    int other = proc_free_port();
    struct proc *dead = proc_start("tulle-node", "--name", "stock", "--join", join, "--listen",
                                   proc_address(other), "--log-level", "info", NULL);
    proc_wait_text(dead, PROC_ERR, "name=shop state=up");
    EXAMINE(host_status(), "--join", join, "--listen", "tcp://127.0.0.1:*");
    assert_found("mesh.reached", "ok", "2 nodes and 0 proxies", NULL);
    proc_kill(dead);
    EXAMINE(2, "--join", join, "--listen", "tcp://127.0.0.1:*", "-t", "2");
    assert_found("mesh.unreachable", "problem", "is not reached from here: nobody listens there",
                 "--advertise");
    assert_found("mesh.sees_less", "warning", "shop has 1 other nodes up, from here 0 are seen",
                 "run doctor on the hosts");
}

TEST(a_proxy_with_nobody_beyond)
{
    (void)state;
    int port = proc_free_port();
    struct proc *proxy =
        proc_start("tulle-proxy", "--name", "bridge", "--segment", "left", "--listen",
                   proc_address(port), "--segment", "right", "--listen", "tcp://127.0.0.1:*", NULL);
    proc_wait_text(proxy, PROC_ERR, "segment=right");
    EXAMINE(1, "--join", proc_address(port), "--listen", "tcp://127.0.0.1:*");
    assert_found("address.node", "ok", ": proxy bridge of mesh", NULL);
    assert_found("mesh.only_proxy", "warning", "no node beyond it", "link.state");
}

/* ---- limits ---- */

TEST(too_few_descriptors)
{
    (void)state;
    char command[512];
    static const char form[] = "ulimit -n 256; exec %s/tulle doctor --json --nodes %d";
    const char *folder = getenv("TULLE_BIN_DIR");
    assert_non_null(folder);
    (void)snprintf(command, sizeof command, form, folder, 100);
    last = proc_start("/bin/sh", "-c", command, NULL);
    read_report(2);
    assert_found("limits.descriptors", "problem", "256 file descriptors: too few for a mesh of 100",
                 "840");
    (void)snprintf(command, sizeof command, form, folder, 50);
    last = proc_start("/bin/sh", "-c", command, NULL);
    read_report(1);
    assert_found("limits.descriptors", "warning", "just enough for a mesh of 50", "LimitNOFILE=");
}

/* ---- beacons ---- */

TEST(beacons_are_sent_and_heard)
{
    (void)state;
    char port[16];
    char wrong[16];
    int number = proc_free_port();
    (void)snprintf(port, sizeof port, "%d", number);
    struct proc *peer = proc_start("tulle-node", "--name", "shop", "--mesh", "yard", "--beacon",
                                   "--beacon-port", port, "--log-level", "info", NULL);
    proc_wait_text(peer, PROC_ERR, "address=");
    last = proc_start("tulle", "doctor", "--json", "--mesh", "yard", "--beacon", "--beacon-port",
                      port, NULL);
    read_report(proc_wait(last));
    if (finding("beacon.send") != NULL) {
        assert_found("beacon.send", "problem", "takes a broadcast", "join by address");
        return; /* this machine has no network */
    }
    assert_found("beacon.own", "ok", "came back", NULL);
    assert_found("beacon.others", "ok", "beacons of mesh 'yard' come, one from ", NULL);
    last = proc_start("tulle", "doctor", "--json", "--beacon", "--beacon-port", port, NULL);
    read_report(2);
    assert_found("beacon.others", "warning", "but none of mesh 'tulle'", "--mesh as the others");
    (void)snprintf(wrong, sizeof wrong, "%d", proc_free_port());
    last = proc_start("tulle", "doctor", "--json", "--beacon", "--beacon-port", wrong, "-t", "1",
                      NULL);
    read_report(2);
    assert_found("beacon.others", "warning", "no beacon of another node comes", "network segment");
}

TEST(a_port_of_beacons_that_is_not_shared)
{
    (void)state;
    char port[16];
    int number = proc_free_port();
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)number) };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    (void)snprintf(port, sizeof port, "%d", number);
    EXAMINE(2, "--beacon", "--beacon-port", port, "-t", "0.5");
    assert_found("beacon.in_use", "problem", port, "--beacon-port");
    (void)close(fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_mesh_that_is_well, end_test),
        cmocka_unit_test_teardown(it_is_told_in_words_too, end_test),
        cmocka_unit_test_teardown(a_file_of_options_is_read, end_test),
        cmocka_unit_test_teardown(nobody_listens_there, end_test),
        cmocka_unit_test_teardown(a_name_that_nobody_knows, end_test),
        cmocka_unit_test_teardown(a_port_that_does_not_answer, end_test),
        cmocka_unit_test_teardown(another_program_listens_there, end_test),
        cmocka_unit_test_teardown(another_socket_listens_there, end_test),
        cmocka_unit_test_teardown(another_port_of_the_node_is_told, end_test),
        cmocka_unit_test_teardown(another_mesh_is_told, end_test),
        cmocka_unit_test_teardown(another_version_is_told, end_test),
        cmocka_unit_test_teardown(clocks_that_differ_are_told, end_test),
        cmocka_unit_test_teardown(what_is_said_there_cannot_hurt, end_test),
        cmocka_unit_test_teardown(beats_that_are_none_cannot_hurt, end_test),
        cmocka_unit_test_teardown(what_others_are_told_must_work, end_test),
        cmocka_unit_test_teardown(a_node_that_cannot_be_dialed_back, end_test),
        cmocka_unit_test_teardown(loopback_is_each_hosts_own, end_test),
        cmocka_unit_test_teardown(a_path_is_joined_too, end_test),
        cmocka_unit_test_teardown(where_it_cannot_listen, end_test),
        cmocka_unit_test_teardown(nodes_of_one_name, end_test),
        cmocka_unit_test_teardown(a_node_that_others_name, end_test),
        cmocka_unit_test_teardown(a_proxy_with_nobody_beyond, end_test),
        cmocka_unit_test_teardown(too_few_descriptors, end_test),
        cmocka_unit_test_teardown(beacons_are_sent_and_heard, end_test),
        cmocka_unit_test_teardown(a_port_of_beacons_that_is_not_shared, end_test),
    };
    return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
