/* SPDX-License-Identifier: MPL-2.0 */

/* What tulle doctor finds: a mesh that is well, and one thing wrong after the other. */

#include "doctor_kit.h"
#include "integ_kit.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

/* A beat of that version, with a clock so far ahead, that tells that address: how long it is. */
static size_t
put_beat(uint8_t *beat, int version, int64_t ahead_us, const char *announced)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    int64_t now_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    size_t at = 0;
    beat[at++] = 0x95;
    beat[at++] = (uint8_t)version;
    at += put_str(beat + at, "tulle");
    at += put_u64(beat + at, UINT64_C(0xf000000000000001));
    at += put_u64(beat + at, 1);
    beat[at++] = 0x84;
    at += put_str(beat + at, "n");
    at += put_str(beat + at, "fake");
    at += put_str(beat + at, "z");
    at += put_u64(beat + at, (uint64_t)(now_us + ahead_us) << 12);
    at += put_str(beat + at, "a");
    beat[at++] = 0x91;
    at += put_str(beat + at, announced);
    at += put_str(beat + at, "e");
    beat[at++] = 0x91;
    return at + put_str(beat + at, announced);
}

/* A node that is none: a control port that says nothing, and such beats. */
static const char *
start_fake(int version, int64_t ahead_us, const char *announced)
{
    uint8_t bytes[512];
    uint8_t beat[256];
    int port = proc_free_port();
    size_t len = put_socket(bytes, "NULL", "ROUTER");
    start_server(port, bytes, len);
    size_t beat_len = put_beat(beat, version, ahead_us, announced);
    len = put_socket(bytes, "NULL", "XPUB");
    len += put(bytes + len, "\001\006$beat\000", 9);
    bytes[len++] = (uint8_t)beat_len;
    memcpy(bytes + len, beat, beat_len);
    start_server(port + 1, bytes, len + beat_len);
    return proc_address(port);
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

TEST(a_port_that_does_not_answer)
{
    (void)state;
    uint8_t bytes[128];
    int port = proc_free_port();
    start_full_port(port);
    int64_t start = kit_now_ms();
    EXAMINE(2, "--join", proc_address(port), "-t", "0.5");
    assert_true(kit_now_ms() - start < 20000);
    assert_found("address.silent", "problem", "no answer in time", "firewall");
    port = proc_free_port();
    start_server(port, bytes, put_socket(bytes, "NULL", "ROUTER"));
    start_full_port(port + 1);
    EXAMINE(2, "--join", proc_address(port), "-t", "0.5");
    assert_found("address.events_blocked", "problem", "the event port", "the next port");
    assert_found("mesh.no_answer", "problem", "does not answer this node", "--mesh");
}

TEST(another_program_listens_there)
{
    (void)state;
    int port = proc_free_port();
    start_server(port, "SSH-2.0-OpenSSH\r\n", 17);
    EXAMINE(2, "--join", proc_address(port), "-t", "0.5");
    assert_found("address.foreign", "problem", "it says 'SSH-2.0-OpenSSH'", "ss -tlnp");
    port = proc_free_port();
    start_server(port, "", 0);
    EXAMINE(2, "--join", proc_address(port), "-t", "0.5");
    assert_found("address.mute", "problem", "says nothing", "ss -tlnp");
    port = proc_free_port();
    start_closing_server(port);
    EXAMINE(2, "--join", proc_address(port), "-t", "0.5");
    assert_found("address.closed", "problem", "closes the connection", "balancer");
}

TEST(another_socket_listens_there)
{
    (void)state;
    uint8_t bytes[128];
    int port = proc_free_port();
    start_server(port, bytes, put_socket(bytes, "NULL", "REP"));
    EXAMINE(2, "--join", proc_address(port), "-t", "0.5");
    assert_found("address.stranger", "problem", "a ZeroMQ socket of type REP", "correct the port");
    port = proc_free_port();
    start_server(port, bytes, put_socket(bytes, "CURVE", ""));
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
    assert_found("clock.offset", "warning", "s behind this host's", "chrony");
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
        start_server(port, bytes, cases[i].kept + cases[i].after_len);
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
        start_server(port, bytes, len);
        len = put_socket(bytes, "NULL", "PUB");
        (void)put(bytes + len, cases[i].bytes, cases[i].len);
        start_server(port + 1, bytes, len + cases[i].len);
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
    EXAMINE(2, "--listen", taken, "--name", "stock");
    assert_found("listen.in_use", "problem", taken, "ss -tlnp");
    EXAMINE(host_status(), "--listen", taken, "--name", "shop", "--join", taken);
    assert_found("listen.running", "note", "shop runs at tcp://127.0.0.1:", NULL);
    assert_well();
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

/* Its beats come to doctor alone, by the inlet, with a clock two minutes ahead, and it answers
 * nothing: shop knows nobody but stock. */
TEST(a_node_that_beats_and_does_not_answer)
{
    (void)state;
    uint8_t beat[256];
    char inlet[64];
    const int linger = 0;
    const int redial_ms = 10;
    int shop_port = proc_free_port();
    int stock_port;
    size_t len = put_beat(beat, 1, 120000000, "tcp://127.0.0.1:1");
    struct proc *shop = proc_start("tulle-node", "--name", "shop", "--beat-ms", "200", "--listen",
                                   proc_address(shop_port), "--log-level", "info", NULL);
    (void)start_peer("stock", "--join", proc_address(shop_port), &stock_port);
    proc_wait_text(shop, PROC_ERR, "name=stock state=up");
    int port = proc_free_port();
    (void)snprintf(inlet, sizeof inlet, "%s", proc_address(port + 2));
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, ZMQ_PUB);
    assert_int_equal(zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger), 0);
    assert_int_equal(zmq_setsockopt(socket, ZMQ_RECONNECT_IVL, &redial_ms, sizeof redial_ms), 0);
    assert_int_equal(zmq_connect(socket, inlet), 0);
    last = proc_start("tulle", "doctor", "--json", "--join", proc_address(shop_port), "--listen",
                      proc_address(port), "--inlet", "-t", "2", NULL);
    while (!proc_has_ended(last)) {
        assert_int_equal(zmq_send(socket, "$beat", 6, ZMQ_SNDMORE), 6);
        assert_int_equal(zmq_send(socket, beat, len, 0), len);
        proc_pause(20);
    }
    assert_int_equal(zmq_close(socket), 0);
    assert_int_equal(zmq_ctx_term(context), 0);
    read_report(2);
    assert_found("mesh.unanswered", "warning", "fake is up, but does not answer questions",
                 "look at its host's load");
    assert_found("mesh.sees_more", "warning",
                 "shop has only 1 other nodes up, from here 2 are seen", "run doctor on that host");
    assert_found("clock.clamped", "problem",
                 "times more than a minute ahead of this host's clock come", "set the clock");
}

/* Of three that joined, one ends, and something else takes connections at its address; one sleeps
 * and does not even greet; and one ends while it is looked at. */
TEST(who_says_nothing_is_told)
{
    (void)state;
    int port;
    uint8_t bytes[128];
    char join[64];
    struct proc *others[3];
    static const char *const names[] = { "mute", "frozen", "ended" };
    int ports[3];
    (void)snprintf(join, sizeof join, "%s", start_peer("shop", NULL, NULL, &port));
    for (size_t i = 0; i < 3; i++) {
        ports[i] = proc_free_port();
        others[i] =
            proc_start("tulle-node", "--name", names[i], "--join", join, "--listen",
                       proc_address(ports[i]), "--beat-ms", "200", "--log-level", "info", NULL);
        proc_wait_text(others[i], PROC_ERR, "name=shop state=up");
    }
    proc_kill(others[0]);
    start_server(ports[0], bytes, put_socket(bytes, "NULL", "ROUTER"));
    proc_signal(others[1], SIGSTOP);
    last = proc_start("tulle", "doctor", "--json", "--name", "asker", "--join", join, "--listen",
                      "tcp://127.0.0.1:*", "-t", "10", NULL);
    proc_wait_text(others[2], PROC_ERR, "name=doctor-asker state=up");
    proc_pause(1000); /* it has to hear of it, too */
    proc_kill(others[2]);
    read_report(2);
    assert_found("mesh.unheard", "problem", "takes connections, but nothing is heard of it",
                 "event port");
    assert_found("mesh.unreachable", "problem", "takes the connection and says nothing",
                 "let its ports pass");
    assert_found("mesh.silent", "warning", "ended is silent, heard ", "see whether it runs");
}

TEST(who_answers_late_is_told)
{
    (void)state;
    int port = proc_free_port();
    int shown = proc_free_port();
    char links[2][128];
    for (int i = 0; i < 2; i++)
        (void)snprintf(links[i], sizeof links[i], "%s=%s", proc_address(shown + i),
                       proc_address(port + i));
    struct proc *relay = proc_start("tulle-test-relay", "--tcp", links[0], "--tcp", links[1],
                                    "--delay-ms", "800", NULL);
    proc_wait_text(relay, PROC_OUT, "ready");
    (void)proc_start("tulle-node", "--name", "far", "--listen", proc_address(port), "--advertise",
                     proc_address(shown), "--advertise-events", proc_address(shown + 1), NULL);
    proc_wait_port(port);
    last = proc_start("tulle", "doctor", "--json", "--join", proc_address(shown), "--listen",
                      "tcp://127.0.0.1:*", "-t", "15", NULL);
    read_report(proc_wait(last)); /* there may be more that has to do with it */
    assert_found("mesh.slow", "warning", "far takes ", "look at the network");
}

TEST(nobody_listens_at_a_path)
{
    (void)state;
    EXAMINE(2, "--join", "ipc:///nowhere/socket", "-t", "0.5");
    assert_found("address.refused", "problem", "ipc:///nowhere/socket: ", "start the node there");
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
        cmocka_unit_test_teardown(a_node_that_beats_and_does_not_answer, end_test),
        cmocka_unit_test_teardown(who_says_nothing_is_told, end_test),
        cmocka_unit_test_teardown(who_answers_late_is_told, end_test),
        cmocka_unit_test_teardown(nobody_listens_at_a_path, end_test),
    };
    return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
