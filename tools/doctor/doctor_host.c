/* SPDX-License-Identifier: MPL-2.0 */

/* What the host gives: libraries, clock, descriptors, memory, ports. */

#define _DEFAULT_SOURCE 1 /* adjtimex() */

#include "app/libraries.h"
#include "tools/doctor/doctor.h"

#include <tulle/version.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/timex.h>
#include <unistd.h>

enum {
    DESCRIPTORS_OF_PEER = 4, /* two connections and the other end's two */
    DESCRIPTORS_OF_NODE = 20,
    LINE_LEN = 512
};

#define FIND(doctor, level, id, remedy, ...) \
    tulle__find(&(doctor)->findings, TULLE__FINDING_##level, id, remedy, __VA_ARGS__)

/* ---- versions, configuration, keys ---- */

static void
look_at_versions(struct tulle__doctor *doctor)
{
    struct tulle__library lib;
    if (strcmp(tulle_version(), TULLE_VERSION) == 0)
        FIND(doctor, OK, "versions.tulle", NULL, "tulle %s, protocol version 1", TULLE_VERSION);
    else {
        FIND(doctor, PROBLEM, "versions.tulle",
             "install program and library of one version; see LD_LIBRARY_PATH and 'ldd'",
             "compiled for libtulle %s, and %s runs", TULLE_VERSION, tulle_version());
    }
    for (size_t i = 0; tulle__library_at(i, &lib); i++) {
        const int *made = lib.compiled;
        const int *runs = lib.running;
        if (runs[0] != made[0] || runs[1] < made[1]) {
            FIND(doctor, PROBLEM, "versions.library",
                 "install the version that it was compiled with, or compile it anew",
                 "compiled with %s %d.%d.%d, and %d.%d.%d runs", lib.name, made[0], made[1],
                 made[2], runs[0], runs[1], runs[2]);
        } else {
            FIND(doctor, OK, "versions.library", NULL, "%s %d.%d.%d", lib.name, runs[0], runs[1],
                 runs[2]);
        }
    }
}

/* ---- clock ---- */

static void
look_at_clock(struct tulle__doctor *doctor)
{
    struct timex state = { .modes = 0 };
    int result = adjtimex(&state);
    if (result < 0) {
        FIND(doctor, NOTE, "clock.sync", NULL, "whether the clock is synchronised is not told: %s",
             strerror(errno));
    } else if (result == TIME_ERROR || (state.status & STA_UNSYNC) != 0) {
        FIND(doctor, WARNING, "clock.sync",
             "run chrony or systemd-timesyncd on the host (for a container: on its host); order "
             "does "
             "not depend on clocks, but delays, --since and expiry do",
             "the clock of this host is not synchronised");
    } else {
        FIND(doctor, OK, "clock.sync", NULL, "the clock is synchronised, within %.3f ms as it says",
             (double)state.esterror / 1000);
    }
}

void
tulle__doctor_host(struct tulle__doctor *doctor)
{
    look_at_versions(doctor);
    if (doctor->config != NULL) {
        FIND(doctor, OK, "config.file", NULL,
             "%s can be read; what only a program like tulle-node knows is passed over",
             doctor->config);
    }
    FIND(doctor, NOTE, "keys.none", NULL,
         "tulle has neither encryption nor keys yet: whoever reaches the ports can speak");
    look_at_clock(doctor);
}

/* ---- descriptors ---- */

static void
look_at_descriptors(struct tulle__doctor *doctor)
{
    struct rlimit limit;
    char remedy[200];
    size_t size = doctor->mesh_size > 2 ? doctor->mesh_size : 2;
    if (doctor->node_count > size)
        size = (size_t)doctor->node_count;
    uint64_t needed = (uint64_t)size * DESCRIPTORS_OF_PEER + DESCRIPTORS_OF_NODE;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    uint64_t has = limit.rlim_cur;
    uint64_t room =
        has > DESCRIPTORS_OF_NODE ? (has - DESCRIPTORS_OF_NODE) / DESCRIPTORS_OF_PEER : 0;
    bool may_raise = limit.rlim_max == RLIM_INFINITY || limit.rlim_max >= needed * 2;
    (void)snprintf(remedy, sizeof remedy, "%s%" PRIu64 "%s",
                   may_raise ? "'ulimit -n " : "raise the hard limit to ", needed * 2,
                   may_raise ? "' before the start, or LimitNOFILE= of the service"
                             : ": /etc/security/limits.conf, or LimitNOFILE= of the service");
    if (has < needed) {
        FIND(doctor, PROBLEM, "limits.descriptors", remedy,
             "%" PRIu64 " file descriptors: too few for a mesh of %zu nodes, which takes about "
             "%" PRIu64,
             has, size, needed);
    } else if (has < needed + needed / 2) {
        FIND(doctor, WARNING, "limits.descriptors", remedy,
             "%" PRIu64 " file descriptors: just enough for a mesh of %zu nodes, which takes about "
             "%" PRIu64,
             has, size, needed);
    } else {
        FIND(doctor, OK, "limits.descriptors", NULL,
             "%" PRIu64 " file descriptors: enough for about %" PRIu64 " nodes of a segment", has,
             room);
    }
}

/* ---- memory ---- */

static bool
read_number(const char *path, uint64_t *out)
{
    char line[64];
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    bool is_read = fgets(line, sizeof line, file) != NULL;
    (void)fclose(file);
    if (!is_read)
        return false;
    line[strcspn(line, "\n")] = '\0';
    return tulle__parse_u64(line, 0, UINT64_MAX, out); /* "max" is none */
}

/* The least limit of this process's control group and those above it; 0: none. */
static uint64_t
group_limit(void)
{
    char path[LINE_LEN] = "";
    char file_name[LINE_LEN + 64];
    char line[LINE_LEN];
    uint64_t least = 0;
    uint64_t one;
    FILE *file = fopen("/proc/self/cgroup", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "0::", 3) == 0)
            (void)snprintf(path, sizeof path, "%s", line + 3);
    }
    if (file != NULL)
        (void)fclose(file);
    for (;;) {
        (void)snprintf(file_name, sizeof file_name, "/sys/fs/cgroup%s/memory.max", path);
        if (read_number(file_name, &one) && (least == 0 || one < least))
            least = one;
        char *slash = strrchr(path, '/');
        if (slash == NULL)
            break;
        *slash = '\0';
    }
    if (least == 0 && read_number("/sys/fs/cgroup/memory/memory.limit_in_bytes", &one) &&
        one < UINT64_C(1) << 60)
        least = one;
    return least;
}

static void
look_at_memory(struct tulle__doctor *doctor)
{
    const tulle_node_options *node = &doctor->common->node;
    uint64_t needed = node->retain_bytes + node->retain_others_bytes + 2 * node->held_bytes +
                      node->outbox_bytes + node->queue_bytes;
    uint64_t host = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t group = group_limit();
    struct rlimit limit;
    uint64_t has = group != 0 && group < host ? group : host;
    const char *whose = has == group ? "its control group" : "the host";
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur < has) {
        has = limit.rlim_cur;
        whose = "ulimit -v";
    }
    enum { MIB = 1 << 20 };
    if (has < needed) {
        FIND(doctor, WARNING, "limits.memory",
             "raise the limit (MemoryMax= of the service, the container's), or lower retain_bytes, "
             "retain_others_bytes, held_bytes, outbox_bytes and queue_bytes",
             "%" PRIu64 " MiB of memory by %s; a node at its bounds takes %" PRIu64 " MiB",
             has / MIB, whose, needed / MIB);
    } else {
        FIND(doctor, OK, "limits.memory", NULL,
             "%" PRIu64 " MiB of memory by %s; a node at its bounds takes %" PRIu64 " MiB",
             has / MIB, whose, needed / MIB);
    }
}

/* ---- ports ---- */

static bool
read_range(unsigned *low, unsigned *high)
{
    char line[64];
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");
    if (file == NULL)
        return false;
    bool is_read = fgets(line, sizeof line, file) != NULL;
    (void)fclose(file);
    char *rest = NULL;
    *low = is_read ? (unsigned)strtoul(line, &rest, 10) : 0;
    *high = rest != NULL ? (unsigned)strtoul(rest, NULL, 10) : 0;
    return *low > 0 && *high > *low;
}

static void
look_at_ports(struct tulle__doctor *doctor)
{
    unsigned low;
    unsigned high;
    if (!read_range(&low, &high))
        return;
    for (size_t i = 0; i < doctor->common->listen.count; i++) {
        const char *address = doctor->common->listen.items[i];
        const char *colon = strrchr(address, ':');
        uint64_t port = 0;
        if (strncmp(address, "tcp://", 6) != 0 || colon == NULL ||
            !tulle__parse_u64(colon + 1, 1, 65535, &port))
            continue;
        if (port + 2 < low || port > high) {
            FIND(doctor, OK, "limits.ports", NULL,
                 "%s is outside the ports that the system hands out (%u to %u)", address, low,
                 high);
        } else {
            FIND(doctor, WARNING, "limits.ports",
                 "take a port outside of them, or reserve it and the next two: "
                 "net.ipv4.ip_local_reserved_ports",
                 "%s is among the ports that the system hands out (%u to %u): some day another "
                 "connection has it when the node starts",
                 address, low, high);
        }
    }
}

void
tulle__doctor_limits(struct tulle__doctor *doctor)
{
    look_at_descriptors(doctor);
    look_at_memory(doctor);
    look_at_ports(doctor);
}
