/* SPDX-License-Identifier: MPL-2.0 */

/* The interfaces of this host, and beacons over them. A beacon of the examination's own says a mesh
 * that nobody is in, and no port: whoever hears it passes over it. */

#define _DEFAULT_SOURCE 1 /* IFF_UP and its like */

#include "tools/common/tools.h"
#include "tools/doctor/doctor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BEACON_LEN = 24, /* "TUL" version, hash of the mesh, id, port, two zero bytes */
    HASH_AT = 4,
    HASH_LEN = 8,
    CHANCE_LEN = 16,     /* hash and id */
    LISTEN_US = 2500000, /* beacons come each second */
    SEND_US = 500000
};

bool
tulle__doctor_is_loopback(struct in_addr address)
{
    return ntohl(address.s_addr) >> 24 == 127;
}

bool
tulle__doctor_is_inner(const char *interface_name)
{
    static const char *const beginnings[] = { "docker",  "br-",  "veth",   "virbr", "cni",
                                              "flannel", "cali", "podman", "lxc",   "lxd" };
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        if (strncmp(interface_name, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    }
    return false;
}

static bool
address_of(const struct sockaddr *any, struct in_addr *out)
{
    struct sockaddr_in address;
    if (any == NULL || any->sa_family != AF_INET)
        return false;
    memcpy(&address, any, sizeof address);
    *out = address.sin_addr;
    return true;
}

bool
tulle__doctor_interface_of(struct in_addr address, char name[static 32])
{
    struct ifaddrs *all = NULL;
    struct in_addr one;
    bool is_found = false;
    if (getifaddrs(&all) != 0)
        return false;
    for (const struct ifaddrs *i = all; i != NULL && !is_found; i = i->ifa_next) {
        is_found = address_of(i->ifa_addr, &one) && one.s_addr == address.s_addr;
        if (is_found)
            (void)snprintf(name, 32, "%s", i->ifa_name);
    }
    freeifaddrs(all);
    return is_found;
}

/* ---- interfaces ---- */

static void
tell_interface(struct tulle__doctor *doctor, const struct ifaddrs *i, struct in_addr address)
{
    char number[INET_ADDRSTRLEN];
    (void)inet_ntop(AF_INET, &address, number, sizeof number);
    tulle__find(&doctor->findings, TULLE__FINDING_OK, "interfaces.up", NULL, "%s: %s%s%s",
                i->ifa_name, number, (i->ifa_flags & IFF_BROADCAST) != 0 ? ", broadcast" : "",
                tulle__doctor_is_inner(i->ifa_name) ? ", of containers or machines in this host"
                                                    : "");
}

static void
tell_wanted(struct tulle__doctor *doctor, const char *wanted, bool is_there, bool is_up)
{
    if (wanted == NULL || is_up)
        return;
    tulle__find(&doctor->findings, TULLE__FINDING_PROBLEM, "interfaces.missing",
                "correct the name, or bring it up: 'ip address' lists what there is",
                is_there ? "interface %s is down, or has no IPv4 address"
                         : "there is no interface %s",
                wanted);
}

void
tulle__doctor_interfaces(struct tulle__doctor *doctor)
{
    struct ifaddrs *all = NULL;
    struct in_addr address;
    const char *wanted = doctor->common->node.interface_name;
    bool is_there = false;
    bool is_up = false;
    size_t count = 0;
    if (getifaddrs(&all) != 0) {
        tulle__find(&doctor->findings, TULLE__FINDING_WARNING, "interfaces.unknown",
                    "see whether the process may use netlink sockets",
                    "interfaces cannot be listed: %s", strerror(errno));
        return;
    }
    for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
        bool has_address = (i->ifa_flags & IFF_UP) != 0 && address_of(i->ifa_addr, &address);
        bool is_wanted = wanted != NULL && strcmp(i->ifa_name, wanted) == 0;
        is_there = is_there || is_wanted;
        is_up = is_up || (is_wanted && has_address);
        if (!has_address || (i->ifa_flags & IFF_LOOPBACK) != 0)
            continue;
        tell_interface(doctor, i, address);
        count++;
    }
    freeifaddrs(all);
    if (count == 0) {
        tulle__find(&doctor->findings, TULLE__FINDING_WARNING, "interfaces.none",
                    "bring an interface up, if nodes of other hosts are to be reached",
                    "there is no interface but loopback with an IPv4 address");
    }
    tell_wanted(doctor, wanted, is_there, is_up);
}

/* ---- beacons ---- */

struct beacon {
    struct tulle__doctor *doctor;
    int fd;
    uint8_t own[BEACON_LEN];
    uint8_t mesh[HASH_LEN];
    bool was_heard;
    size_t mesh_count, other_count; /* beacons of others: of this mesh, and of another one */
    char other[INET_ADDRSTRLEN];    /* one of these of this mesh */
};

/* FNV-1a, as docs/protocol.md, 6.8. */
static void
hash_mesh(const char *mesh, uint8_t out[HASH_LEN])
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *c = mesh; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    for (int i = 0; i < HASH_LEN; i++)
        out[i] = (uint8_t)(hash >> (8 * (HASH_LEN - 1 - i)));
}

static bool
open_beacon(struct beacon *b)
{
    const int on = 1;
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(b->doctor->common->node.beacon_port) };
    b->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (b->fd >= 0 && setsockopt(b->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        setsockopt(b->fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0 &&
        setsockopt(b->fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) == 0 &&
        bind(b->fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return true;
    if (errno == EADDRINUSE) {
        tulle__find(&b->doctor->findings, TULLE__FINDING_PROBLEM, "beacon.in_use",
                    "end that program ('ss -ulnp' names it), or give all nodes another "
                    "--beacon-port",
                    "UDP port %u is held by a program that does not share it",
                    (unsigned)b->doctor->common->node.beacon_port);
    } else {
        tulle__find(&b->doctor->findings, TULLE__FINDING_PROBLEM, "beacon.socket",
                    "join by address instead, with --join", "no beacon can be sent: %s",
                    strerror(errno));
    }
    return false;
}

/* To each interface that can, or the one that is wanted. How many took it. */
static size_t
send_beacons(const struct beacon *b)
{
    const char *wanted = b->doctor->common->node.beacon_interface;
    struct ifaddrs *all = NULL;
    size_t count = 0;
    if (getifaddrs(&all) != 0)
        return 0;
    for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
        struct sockaddr_in to = { .sin_family = AF_INET,
                                  .sin_port = htons(b->doctor->common->node.beacon_port) };
        bool can = (i->ifa_flags & IFF_UP) != 0 && (i->ifa_flags & IFF_BROADCAST) != 0 &&
                   (wanted == NULL || strcmp(i->ifa_name, wanted) == 0);
        if (!can || !address_of(i->ifa_broadaddr, &to.sin_addr))
            continue;
        if (sendto(b->fd, b->own, sizeof b->own, 0, (const struct sockaddr *)&to, sizeof to) ==
            BEACON_LEN)
            count++;
    }
    freeifaddrs(all);
    return count;
}

static void
hear_beacons(struct beacon *b)
{
    uint8_t bytes[BEACON_LEN + 1];
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    while (recvfrom(b->fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &len) == BEACON_LEN) {
        if (memcmp(bytes, b->own, sizeof b->own) == 0) {
            b->was_heard = true;
        } else if (memcmp(bytes, b->own, HASH_AT) == 0 &&
                   memcmp(bytes + HASH_AT, b->mesh, HASH_LEN) == 0) {
            b->mesh_count++;
            (void)inet_ntop(AF_INET, &from.sin_addr, b->other, sizeof b->other);
        } else if (memcmp(bytes, b->own, HASH_AT) == 0) {
            b->other_count++;
        }
        len = sizeof from;
    }
}

static void
tell_heard(const struct beacon *b)
{
    struct tulle__findings *findings = &b->doctor->findings;
    unsigned port = b->doctor->common->node.beacon_port;
    if (b->was_heard) {
        tulle__find(findings, TULLE__FINDING_OK, "beacon.own", NULL,
                    "a beacon sent to UDP port %u came back", port);
    } else {
        tulle__find(
            findings, TULLE__FINDING_WARNING, "beacon.own",
            "let UDP broadcasts to this port pass the firewall, in and out; where a network "
            "does not carry them (clouds, many wireless ones), join by address",
            "a beacon sent to UDP port %u did not come back to this host", port);
    }
    if (b->mesh_count > 0) {
        tulle__find(findings, TULLE__FINDING_OK, "beacon.others", NULL,
                    "beacons of mesh '%s' come, one from %s", b->doctor->common->node.mesh,
                    b->other);
    } else if (b->other_count > 0) {
        tulle__find(
            findings, TULLE__FINDING_WARNING, "beacon.others", "give --mesh as the others do",
            "beacons of other meshes come, but none of mesh '%s'", b->doctor->common->node.mesh);
    } else {
        tulle__find(
            findings, TULLE__FINDING_WARNING, "beacon.others",
            "start the others with --beacon, on the same network segment (broadcasts do not "
            "pass routers) and the same --beacon-port, or join by address",
            "no beacon of another node comes");
    }
}

void
tulle__doctor_beacon(struct tulle__doctor *doctor)
{
    struct beacon b = { .doctor = doctor, .fd = -1, .own = { 'T', 'U', 'L', 1 } };
    if (!doctor->common->node.use_beacon)
        return;
    hash_mesh(doctor->common->node.mesh, b.mesh);
    if (getrandom(b.own + HASH_AT, CHANCE_LEN, 0) != CHANCE_LEN || !open_beacon(&b)) {
        if (b.fd >= 0)
            (void)close(b.fd);
        return;
    }
    int64_t start_us = tulle__tool_mono_us();
    int64_t sent_us = start_us;
    bool is_sent = send_beacons(&b) > 0;
    if (!is_sent) {
        tulle__find(&doctor->findings, TULLE__FINDING_PROBLEM, "beacon.send",
                    "give --beacon=NAME of an interface that is up and can broadcast, or join by "
                    "address",
                    "no interface%s%s takes a broadcast",
                    doctor->common->node.beacon_interface == NULL ? "" : " ",
                    doctor->common->node.beacon_interface == NULL
                        ? ""
                        : doctor->common->node.beacon_interface);
    }
    for (int64_t now_us = start_us; is_sent && now_us - start_us < LISTEN_US;
         now_us = tulle__tool_mono_us()) {
        struct pollfd item = { .fd = b.fd, .events = POLLIN };
        (void)poll(&item, 1, 50);
        hear_beacons(&b);
        if (b.was_heard && b.mesh_count > 0)
            break;
        if (now_us - sent_us >= SEND_US) {
            (void)send_beacons(&b);
            sent_us = now_us;
        }
    }
    if (is_sent)
        tell_heard(&b);
    (void)close(b.fd);
}
