/* SPDX-License-Identifier: MPL-2.0 */

/* What tulle doctor finds of the host and its networks: limits, beacons, interfaces (in network
 * namespaces, where the machine allows them), and of messages that come to it. */

#include "doctor_kit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zmq.h>

/* Run a shell command with the path of tulle in place of each %s, up to two. */
static void
examine_by(int status, const char *form)
{
    char command[1024];
    const char *folder = getenv("TULLE_BIN_DIR");
    assert_non_null(folder);
    (void)snprintf(command, sizeof command, "PATH=%s:$PATH; %s", folder, form);
    last = proc_start("/bin/sh", "-c", command, NULL);
    read_report(status);
}

/* ---- limits ---- */

TEST(too_few_descriptors)
{
    (void)state;
    examine_by(2, "ulimit -n 256; exec tulle doctor --json --nodes 100");
    assert_found("limits.descriptors", "problem", "256 file descriptors: too few for a mesh of 100",
                 "840");
    examine_by(1, "ulimit -n 256; exec tulle doctor --json --nodes 50");
    assert_found("limits.descriptors", "warning", "just enough for a mesh of 50", "LimitNOFILE=");
}

TEST(too_little_memory)
{
    (void)state;
    EXAMINE(1, "--retain-bytes", "100000G");
    assert_found("limits.memory", "warning", "a node at its bounds takes 102400", "MemoryMax=");
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

/* In a user namespace ports below 1024 are still those of the host. */
TEST(a_port_of_beacons_that_is_not_allowed)
{
    (void)state;
    struct proc *probe =
        proc_start("/bin/sh", "-c",
                   "unshare -r true && "
                   "[ $(cat /proc/sys/net/ipv4/ip_unprivileged_port_start) -gt 99 ]",
                   NULL);
    if (proc_wait(probe) != 0)
        skip();
    examine_by(2, "exec unshare -r tulle doctor --json --beacon --beacon-port 99 -t 0.5");
    assert_found("beacon.socket", "problem", "no beacon can be sent: Permission denied",
                 "join by address");
}

TEST(the_clock_is_asked_whether_it_is_set)
{
    (void)state;
    EXAMINE(host_status(), "--listen", "tcp://127.0.0.1:*");
    const json_t *clock = finding("clock.sync");
    assert_non_null(clock);
    const char *text = json_string_value(json_object_get(clock, "text"));
    const char *level = json_string_value(json_object_get(clock, "level"));
    if (strcmp(level, "ok") == 0)
        assert_non_null(strstr(text, "is synchronised, within "));
    else if (strcmp(level, "note") == 0)
        assert_non_null(strstr(text, "is not told: "));
    else
        assert_found("clock.sync", "warning", "is not synchronised", "chrony");
}

/* ---- interfaces ---- */

/* In a network namespace of its own, after the commands. False: this machine does not allow it. */
static bool
examine_apart(int status, const char *commands, const char *options)
{
    char form[800];
    struct proc *probe = proc_start("/bin/sh", "-c",
                                    "unshare -rn sh -ec 'ip link set lo up; "
                                    "ip link add probe0 type veth peer name probe1' 2>&1",
                                    NULL);
    if (proc_wait(probe) != 0) {
        print_message("no network namespaces here: skipped: %s\n", proc_text(probe, PROC_OUT));
        return false;
    }
    (void)snprintf(form, sizeof form,
                   "exec unshare -rn sh -ec 'ip link set lo up; %s exec tulle doctor --json %s'",
                   commands, options);
    examine_by(status, form);
    return true;
}

TEST(a_host_without_a_network)
{
    (void)state;
    if (!examine_apart(2, "", "--beacon --join tcp://203.0.113.1:7100 -t 0.5"))
        return;
    assert_found("interfaces.none", "warning", "no interface but loopback",
                 "bring an interface up");
    assert_found("beacon.send", "problem", "takes a broadcast", "join by address");
    assert_found("address.route", "problem", "no way there", "ip route");
    assert_found("address.unreachable", "problem", "203.0.113.1:7100: ", "ip route get");
}

TEST(an_interface_of_containers_is_no_way_out)
{
    (void)state;
    if (!examine_apart(1,
                       "ip link add docker0 type veth peer name x; ip link set x up; "
                       "ip link set docker0 up; ip address add 172.17.0.1/16 dev docker0; ",
                       ""))
        return;
    assert_found("interfaces.up", "ok", "docker0: 172.17.0.1", NULL);
    assert_found("listen.inner", "warning", "of docker0: other hosts do not reach that",
                 "--interface");
}

TEST(another_interface_than_the_way_to_the_mesh)
{
    (void)state;
    if (!examine_apart(2,
                       "ip link add office type veth peer name lan; ip link set office up; "
                       "ip link set lan up; ip address add 10.1.0.1/24 dev office; "
                       "ip address add 10.2.0.1/24 dev lan; ",
                       "--interface office --join tcp://10.2.0.9:7100 -t 0.5"))
        return;
    assert_found("address.route", "ok", "leaves by lan (10.2.0.1)", NULL);
    assert_found("listen.interface", "warning",
                 "of office, but the way to tcp://10.2.0.9:7100 leaves from 10.2.0.1",
                 "--interface of that network");
}

TEST(what_is_told_to_others_is_looked_at)
{
    (void)state;
    EXAMINE(host_status(), "--listen", "tcp://127.0.0.1:*", "--advertise", "tcp://203.0.113.5:7100",
            "--advertise-events", "tcp://203.0.113.5:7101");
    assert_found("listen.elsewhere", "note", "tcp://203.0.113.5:7100, which no interface", NULL);
}

/* As a service does that may not use all families of addresses: this test, run with that
 * argument, becomes the program after it, to which the system lists no interfaces. */
static const char without_netlink[] = "--without-netlink";
enum { NOT_ALLOWED = 77 };

static int
become_without_netlink(char **argv)
{
    enum { LOW_AT = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0 };
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + LOW_AT),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = { .len = sizeof steps / sizeof *steps, .filter = steps };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        return NOT_ALLOWED;
    (void)execvp(argv[0], argv);
    return 1;
}

TEST(interfaces_that_may_not_be_listed)
{
    (void)state;
    char self[512] = "";
    assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    struct proc *probe = proc_start(self, without_netlink, "true", NULL);
    if (proc_wait(probe) == NOT_ALLOWED)
        skip();
    char program[512];
    (void)snprintf(program, sizeof program, "%s/tulle", getenv("TULLE_BIN_DIR"));
    last = proc_start(self, without_netlink, program, "doctor", "--json", NULL);
    read_report(2);
    assert_found("interfaces.unknown", "warning",
                 "interfaces cannot be listed: Address family not supported by protocol",
                 "netlink sockets");
    assert_found("listen.failed", "problem",
                 "cannot listen at tcp://0.0.0.0:*: Address family not supported by protocol",
                 "correct the option");
    last = proc_start(self, without_netlink, program, "doctor", "--json", "--dial-only", NULL);
    read_report(1);
    assert_found("listen.dial_only", "ok", "only dials", NULL);
    assert_null(finding("interfaces.none"));
}

/* ---- what comes ---- */

/* As another node's control socket: a header, and an empty body. */
static void
send_header(void *socket, const char *header, size_t len)
{
    assert_int_equal(zmq_send(socket, header, len, ZMQ_SNDMORE), len);
    assert_int_equal(zmq_send(socket, "\x80", 1, 0), 1);
}

TEST(messages_that_are_no_use_are_told)
{
    (void)state;
    static const char version[] = "\x97\002\001\xa5tulle\xcf\xf0\0\0\0\0\0\0\001\0\001\0";
    static const char mesh[] = "\x97\001\001\xa5other\xcf\xf0\0\0\0\0\0\0\001\0\001\0";
    static const char id[] = "N\xf0\0\0\0\0\0\0\001connects";
    char listen[64];
    int linger = 0;
    int port = proc_free_port();
    (void)snprintf(listen, sizeof listen, "%s", proc_address(port));
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, ZMQ_DEALER);
    assert_int_equal(zmq_setsockopt(socket, ZMQ_ROUTING_ID, id, sizeof id - 1), 0);
    assert_int_equal(zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger), 0);
    assert_int_equal(zmq_connect(socket, listen), 0);
    send_header(socket, version, sizeof version - 1);
    send_header(socket, mesh, sizeof mesh - 1);
    send_header(socket, "\xc1", 1);
    EXAMINE(2, "--listen", listen, "--join", "tcp://127.0.0.1:1", "-t", "3");
    assert_int_equal(zmq_close(socket), 0);
    assert_int_equal(zmq_ctx_term(context), 0);
    assert_found("mesh.version", "problem", "another version of the protocol come", "upgrade it");
    assert_found("mesh.malformed", "problem", "cannot be read come", "find that peer");
    assert_found("mesh.other", "warning", "1 messages of another mesh than 'tulle'", "--mesh");
}

int
main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], without_netlink) == 0)
        return become_without_netlink(argv + 2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(too_few_descriptors, end_test),
        cmocka_unit_test_teardown(too_little_memory, end_test),
        cmocka_unit_test_teardown(beacons_are_sent_and_heard, end_test),
        cmocka_unit_test_teardown(a_port_of_beacons_that_is_not_shared, end_test),
        cmocka_unit_test_teardown(a_port_of_beacons_that_is_not_allowed, end_test),
        cmocka_unit_test_teardown(the_clock_is_asked_whether_it_is_set, end_test),
        cmocka_unit_test_teardown(a_host_without_a_network, end_test),
        cmocka_unit_test_teardown(an_interface_of_containers_is_no_way_out, end_test),
        cmocka_unit_test_teardown(another_interface_than_the_way_to_the_mesh, end_test),
        cmocka_unit_test_teardown(what_is_told_to_others_is_looked_at, end_test),
        cmocka_unit_test_teardown(interfaces_that_may_not_be_listed, end_test),
        cmocka_unit_test_teardown(messages_that_are_no_use_are_told, end_test),
    };
    return cmocka_run_group_tests_name("doctor_host", tests, NULL, NULL);
}
