/* SPDX-License-Identifier: MPL-2.0 */

/* Addresses to join, looked at from outside: the name, the way there, who answers at the control
 * port, and a beat from the event port, which tells mesh, version, clock and announced addresses.
 * Nothing is joined: what a node would not say, such as that it is of another mesh, shows here. */

#define _GNU_SOURCE 1 /* getaddrinfo_a() */

#include "app/json.h"
#include "tools/common/tools.h"
#include "tools/doctor/doctor.h"
#include "tools/doctor/doctor_zmtp.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { HOST_LEN = 256, CLOCK_WARN_MS = 1000, CLOCK_PROBLEM_MS = 30000 };

static const char BEAT_KEY[] = "$beat"; /* with its zero byte */

union where {
    struct sockaddr any;
    struct sockaddr_in tcp;
    struct sockaddr_un ipc;
};

struct visit {
    struct tulle__doctor *doctor;
    struct tulle__doctor_place *place;
    union where where;
    socklen_t where_len;
    char host[HOST_LEN];
    uint16_t port;
    bool is_ipc;
};

#define FIND(visit, level, id, remedy, ...) \
    tulle__find(&(visit)->doctor->findings, TULLE__FINDING_##level, id, remedy, __VA_ARGS__)

static int64_t
deadline_of(const struct tulle__doctor *doctor)
{
    return tulle__tool_mono_us() + doctor->timeout_ms * 1000;
}

static void
hopeless(struct visit *visit)
{
    visit->place->is_hopeless = true;
}

/* ---- names ---- */

/* The request outlives a resolver that does not come back: it is left to it. */
struct lookup {
    struct gaicb request;
    struct addrinfo hints;
    char host[HOST_LEN];
};

static int
look_up(const char *host, int64_t timeout_ms, struct in_addr *out)
{
    struct lookup *lookup = calloc(1, sizeof *lookup);
    if (lookup == NULL)
        return EAI_MEMORY;
    (void)snprintf(lookup->host, sizeof lookup->host, "%s", host);
    lookup->hints = (struct addrinfo){ .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
    lookup->request = (struct gaicb){ .ar_name = lookup->host, .ar_request = &lookup->hints };
    struct gaicb *list[] = { &lookup->request };
    const struct gaicb *waited[] = { &lookup->request };
    const struct timespec timeout = { .tv_sec = timeout_ms / 1000,
                                      .tv_nsec = timeout_ms % 1000 * 1000000 };
    int status = getaddrinfo_a(GAI_NOWAIT, list, 1, NULL);
    if (status == 0) {
        (void)gai_suspend(waited, 1, &timeout);
        status = gai_error(&lookup->request);
    }
    if (status == EAI_INPROGRESS && gai_cancel(&lookup->request) == EAI_NOTCANCELED)
        return EAI_INPROGRESS; /* it is still written to */
    const struct addrinfo *found = lookup->request.ar_result;
    if (status == 0 && found != NULL && found->ai_addrlen == sizeof(struct sockaddr_in)) {
        struct sockaddr_in address;
        memcpy(&address, found->ai_addr, sizeof address);
        *out = address.sin_addr;
    } else if (status == 0) {
        status = EAI_NONAME;
    }
    if (lookup->request.ar_result != NULL)
        freeaddrinfo(lookup->request.ar_result);
    free(lookup);
    return status;
}

static bool
resolve(struct visit *visit)
{
    struct in_addr *address = &visit->where.tcp.sin_addr;
    if (inet_pton(AF_INET, visit->host, address) == 1)
        return true;
    int status = look_up(visit->host, visit->doctor->timeout_ms, address);
    char number[INET_ADDRSTRLEN];
    if (status == 0) {
        (void)inet_ntop(AF_INET, address, number, sizeof number);
        FIND(visit, OK, "address.name", NULL, "%s is %s", visit->host, number);
        return true;
    }
    hopeless(visit);
    if (status == EAI_INPROGRESS) {
        FIND(visit, PROBLEM, "address.resolver",
             "look at the servers in /etc/resolv.conf, or give a number instead of a name",
             "%s: whoever looks up names did not answer in time", visit->place->address);
    } else {
        FIND(visit, PROBLEM, "address.name",
             "correct the name, add it to DNS or /etc/hosts, or give an IPv4 number: IPv6 is not "
             "used",
             "%s: the name %s has no IPv4 address (%s)", visit->place->address, visit->host,
             gai_strerror(status));
    }
    return false;
}

/* ---- the way ---- */

static void
look_at_way(struct visit *visit)
{
    struct sockaddr_in own = { 0 };
    socklen_t len = sizeof own;
    char name[32];
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    /* Nothing is sent: the system only says which address it would use. */
    bool has_way = fd >= 0 && connect(fd, &visit->where.any, visit->where_len) == 0 &&
                   getsockname(fd, (struct sockaddr *)&own, &len) == 0;
    if (fd >= 0)
        (void)close(fd);
    if (!has_way) {
        FIND(visit, PROBLEM, "address.route",
             "look at 'ip route': a network is down, or the address is of another one",
             "%s: this host has no way there", visit->place->address);
        return;
    }
    (void)inet_ntop(AF_INET, &own.sin_addr, visit->place->source, sizeof visit->place->source);
    if (!tulle__doctor_interface_of(own.sin_addr, name))
        (void)snprintf(name, sizeof name, "?");
    FIND(visit, OK, "address.route", NULL, "%s: the way there leaves by %s (%s)",
         visit->place->address, name, visit->place->source);
}

static bool
take_apart(struct visit *visit)
{
    const char *text = visit->place->address;
    if (strncmp(text, "ipc://", 6) == 0) {
        visit->is_ipc = true;
        visit->where.ipc.sun_family = AF_UNIX;
        visit->where_len = sizeof visit->where.ipc;
        return snprintf(visit->where.ipc.sun_path, sizeof visit->where.ipc.sun_path, "%s",
                        text + 6) < (int)sizeof visit->where.ipc.sun_path;
    }
    const char *colon = strrchr(text, ':');
    uint64_t port = 0;
    if (strncmp(text, "tcp://", 6) != 0 || colon < text + 6 ||
        !tulle__parse_u64(colon + 1, 1, 65535, &port))
        return false;
    (void)snprintf(visit->host, sizeof visit->host, "%.*s", (int)(colon - text - 6), text + 6);
    visit->port = (uint16_t)port;
    visit->where.tcp.sin_family = AF_INET;
    visit->where.tcp.sin_port = htons(visit->port);
    visit->where_len = sizeof visit->where.tcp;
    return true;
}

/* ---- the control port ---- */

static void
tell_no_connection(struct visit *visit, const struct tulle__zmtp *zmtp)
{
    const char *address = visit->place->address;
    hopeless(visit);
    if (zmtp->result == TULLE__ZMTP_REFUSED) {
        FIND(visit, PROBLEM, "address.refused",
             "start the node there, or correct the port; a node that listens at 127.0.0.1 is for "
             "its own host alone",
             "%s: the host answers, but nobody listens at this port", address);
    } else if (zmtp->result == TULLE__ZMTP_NO_ANSWER) {
        FIND(
            visit, PROBLEM, "address.silent",
            "is the host up, and is it its address? A firewall that drops packets looks like this: "
            "let the control port and the next one pass",
            "%s: no answer in time", address);
    } else {
        FIND(visit, PROBLEM, "address.unreachable",
             "look at the network: 'ip route get', 'ping', and the firewall's rules", "%s: %s",
             address, zmtp->why);
    }
}

static void
tell_stranger(struct visit *visit, const struct tulle__zmtp *zmtp)
{
    const char *address = visit->place->address;
    hopeless(visit);
    if (zmtp->result == TULLE__ZMTP_FOREIGN) {
        FIND(visit, PROBLEM, "address.foreign",
             "correct the port: 'ss -tlnp' on that host tells who listens where",
             "%s: another program answers, which is no ZeroMQ: it says '%s'", address, zmtp->first);
    } else if (zmtp->result == TULLE__ZMTP_SILENT) {
        FIND(visit, PROBLEM, "address.mute",
             "correct the port: 'ss -tlnp' on that host tells who listens where; if it is a node, "
             "see whether it hangs or is stopped",
             "%s: something takes connections and says nothing", address);
    } else {
        FIND(visit, PROBLEM, "address.closed",
             "a tunnel, a balancer or a container's port with nothing behind does this: start the "
             "node behind it, or correct the port",
             "%s: %s", address, zmtp->why);
    }
}

static void
tell_socket_type(struct visit *visit, const struct tulle__zmtp *zmtp)
{
    const char *address = visit->place->address;
    bool is_pub = strcmp(zmtp->socket_type, "PUB") == 0 || strcmp(zmtp->socket_type, "XPUB") == 0;
    bool is_sub = strcmp(zmtp->socket_type, "SUB") == 0 || strcmp(zmtp->socket_type, "XSUB") == 0;
    char remedy[HOST_LEN + 80];
    if (strcmp(zmtp->socket_type, "ROUTER") == 0) {
        visit->place->is_control = true;
        return;
    }
    hopeless(visit);
    (void)snprintf(remedy, sizeof remedy, "give the control port: perhaps --join tcp://%s:%d",
                   visit->host, (int)visit->port - (is_pub ? 1 : 2));
    if (is_pub && !visit->is_ipc) {
        FIND(visit, PROBLEM, "address.event_port", remedy,
             "%s: that is the port for events of a node, not the one to join", address);
    } else if (is_sub && !visit->is_ipc) {
        FIND(visit, PROBLEM, "address.inlet_port", remedy,
             "%s: that is the inlet of a node, not the port to join", address);
    } else {
        FIND(visit, PROBLEM, "address.stranger",
             "correct the port: another program that uses ZeroMQ listens there",
             "%s: no node answers, but a ZeroMQ socket of type %s", address,
             zmtp->socket_type[0] == '\0' ? "?" : zmtp->socket_type);
    }
}

static void
look_at_control(struct visit *visit)
{
    struct tulle__zmtp zmtp;
    tulle__zmtp_open(&zmtp, &visit->where.any, visit->where_len, "DEALER",
                     deadline_of(visit->doctor));
    if (zmtp.result == TULLE__ZMTP_OK && strcmp(zmtp.mechanism, "NULL") != 0) {
        hopeless(visit);
        FIND(visit, PROBLEM, "address.security",
             "join the mesh by an address without it: keys do not exist in tulle yet",
             "%s: who answers asks for security of kind %s", visit->place->address, zmtp.mechanism);
    } else if (zmtp.result == TULLE__ZMTP_OK) {
        tell_socket_type(visit, &zmtp);
    } else if (zmtp.result == TULLE__ZMTP_REFUSED || zmtp.result == TULLE__ZMTP_NO_ANSWER ||
               zmtp.result == TULLE__ZMTP_UNREACHABLE) {
        tell_no_connection(visit, &zmtp);
    } else {
        tell_stranger(visit, &zmtp);
    }
    tulle__zmtp_close(&zmtp);
}

/* ---- a beat ---- */

static void
look_at_time(struct visit *visit, double time, const char *name)
{
    /* The upper 52 bits of it are microseconds. It is at least the clock of that host: it follows
     * the clock of the mesh that is furthest ahead. */
    double ahead_ms = (time / 4096 - (double)tulle__tool_wall_us()) / 1000;
    double apart_ms = ahead_ms < 0 ? -ahead_ms : ahead_ms;
    const char *id = "clock.offset";
    if (apart_ms < CLOCK_WARN_MS)
        FIND(visit, OK, id, NULL, "the times of %s and this host agree within a second", name);
    else if (ahead_ms < 0) {
        tulle__find(&visit->doctor->findings,
                    apart_ms < CLOCK_PROBLEM_MS ? TULLE__FINDING_WARNING : TULLE__FINDING_PROBLEM,
                    id, "set the clock: run chrony or systemd-timesyncd on both hosts",
                    "the clock of %s is %.1f s behind this host's, or this one's ahead", name,
                    apart_ms / 1000);
    } else {
        tulle__find(&visit->doctor->findings,
                    apart_ms < CLOCK_PROBLEM_MS ? TULLE__FINDING_WARNING : TULLE__FINDING_PROBLEM,
                    id, "set the clock: run chrony or systemd-timesyncd on all hosts of the mesh",
                    "the times of %s are %.1f s ahead of this host's: its clock is, or one of the "
                    "mesh, or this one's is behind",
                    name, apart_ms / 1000);
    }
}

void
tulle__doctor_announced(struct tulle__doctor *doctor,
                        struct tulle__doctor_place *place,
                        const char *name,
                        const char *announced)
{
    char why[160];
    char one[TULLE__DOCTOR_ADDRESS_LEN];
    /* IPC has no way out of a host. */
    bool is_local = place->source[0] == '\0' || strncmp(place->source, "127.", 4) == 0;
    (void)snprintf(one, sizeof one, "%.*s", (int)strcspn(announced, " "), announced);
    place->is_announced_told = true;
    if (!is_local && strncmp(one, "tcp://127.", 10) == 0) {
        tulle__find(&doctor->findings, TULLE__FINDING_PROBLEM, "announced.loopback",
                    "start it with --listen at an address of its network, or with --advertise",
                    "%s tells others to dial %s, which is their own host", name, one);
    } else if (!tulle__doctor_can_connect(one, deadline_of(doctor), why)) {
        tulle__find(&doctor->findings, TULLE__FINDING_PROBLEM, "announced.unreachable",
                    "start it with --advertise and --advertise-events of addresses that others "
                    "reach, as behind address translation; or with --interface",
                    "%s tells others to dial %s, which does not work from here: %s", name, one,
                    why);
    } else {
        tulle__find(&doctor->findings, TULLE__FINDING_OK, "announced.address", NULL,
                    "%s tells others to dial %s, which works", name, one);
    }
}

static const char *
text_of(json_t *map, const char *key)
{
    const char *text = json_string_value(json_object_get(map, key));
    return text == NULL ? "" : text;
}

static void
tell_malformed(struct visit *visit)
{
    FIND(visit, WARNING, "address.malformed", "find out what listens there: it is not correct",
         "%s: what comes from the event port is no beat", visit->place->address);
}

static void
look_at_beat(struct visit *visit, json_t *beat)
{
    const char *address = visit->place->address;
    const char *own = visit->doctor->common->node.mesh;
    const char *mesh = json_string_value(json_array_get(beat, 1));
    double version = json_number_value(json_array_get(beat, 0));
    json_t *map = json_array_get(beat, 4);
    char remedy[160];
    if (json_array_size(beat) == 0 || version != 1) {
        hopeless(visit);
        FIND(visit, PROBLEM, "address.version",
             "upgrade the older of the two: nodes of one major version of the protocol understand "
             "each other",
             "%s: the node there speaks version %.0f of the protocol, this one version 1", address,
             version);
        return;
    }
    if (mesh == NULL || !json_is_object(map)) {
        tell_malformed(visit);
        return;
    }
    const char *name = text_of(map, "n");
    if (strcmp(mesh, own) != 0) {
        hopeless(visit);
        (void)snprintf(remedy, sizeof remedy, "say --mesh %s, or correct the address", mesh);
        FIND(visit, PROBLEM, "address.mesh", remedy,
             "%s: %s is of mesh '%s', this is '%s': they ignore each other", address, name, mesh,
             own);
        return;
    }
    visit->place->has_beat = true;
    visit->place->id = json_number_value(json_array_get(beat, 2));
    visit->place->sees = (uint64_t)json_number_value(json_object_get(map, "c"));
    FIND(visit, OK, "address.node", NULL, "%s: %s %s of mesh '%s' answers", address,
         json_is_true(json_object_get(map, "p")) ? "proxy" : "node", name, mesh);
    look_at_time(visit, json_number_value(json_object_get(map, "z")), name);
    const char *announced = json_string_value(json_array_get(json_object_get(map, "a"), 0));
    if (announced != NULL)
        tulle__doctor_announced(visit->doctor, visit->place, name, announced);
}

/* A beat from the event port. NULL: none came, or (with has_beat) what came cannot be read. */
static json_t *
read_beat(const struct visit *visit, struct tulle__zmtp *zmtp, bool *has_beat)
{
    union where where = visit->where;
    struct tulle__text body = { 0 };
    struct tulle__text text = { 0 };
    json_t *beat = NULL;
    int64_t deadline_us = deadline_of(visit->doctor);
    if (visit->is_ipc) {
        (void)strncat(where.ipc.sun_path, ".events",
                      sizeof where.ipc.sun_path - 1 - strlen(where.ipc.sun_path));
    } else {
        where.tcp.sin_port = htons((uint16_t)(visit->port + 1));
    }
    tulle__zmtp_open(zmtp, &where.any, visit->where_len, "SUB", deadline_us);
    *has_beat = zmtp->result == TULLE__ZMTP_OK &&
                tulle__zmtp_subscribe(zmtp, BEAT_KEY, sizeof BEAT_KEY, deadline_us, &body);
    /* Ids and times do not fit a signed number. */
    if (*has_beat && tulle__msgpack_to_json(body.bytes, body.len, &text))
        beat = json_loadb(text.bytes, text.len, JSON_DECODE_INT_AS_REAL | JSON_DECODE_ANY, NULL);
    tulle__zmtp_close(zmtp);
    tulle__text_free(&body);
    tulle__text_free(&text);
    return beat;
}

static void
look_at_events(struct visit *visit)
{
    struct tulle__zmtp zmtp;
    bool has_beat = false;
    json_t *beat = read_beat(visit, &zmtp, &has_beat);
    if (beat != NULL) {
        look_at_beat(visit, beat);
    } else if (has_beat) {
        tell_malformed(visit);
    } else if (zmtp.result == TULLE__ZMTP_NO_ANSWER || zmtp.result == TULLE__ZMTP_UNREACHABLE) {
        FIND(visit, PROBLEM, "address.events_blocked",
             "let the next port pass the firewall, too: events go there",
             "%s: the control port answers, the event port %d does not: %s", visit->place->address,
             (int)visit->port + 1, zmtp.why);
    } else {
        FIND(visit, NOTE, "address.events_elsewhere", NULL,
             "%s: no beat at the next port (%s): the node's event port is another one, or it is "
             "busy",
             visit->place->address, zmtp.result == TULLE__ZMTP_OK ? "silence" : zmtp.why);
    }
    json_decref(beat);
}

/* ---- all of it ---- */

static void
visit_place(struct tulle__doctor *doctor, const char *address)
{
    struct visit visit = { .doctor = doctor, .place = &doctor->places[doctor->place_count++] };
    *visit.place = (struct tulle__doctor_place){ .address = address };
    memset(&visit.where, 0, sizeof visit.where);
    (void)take_apart(&visit); /* it can be: the option takes nothing else */
    if (!visit.is_ipc && !resolve(&visit))
        return;
    if (!visit.is_ipc)
        look_at_way(&visit);
    look_at_control(&visit);
    if (visit.place->is_control)
        look_at_events(&visit);
}

void
tulle__doctor_places(struct tulle__doctor *doctor)
{
    for (size_t i = 0; i < doctor->common->join.count && i < TULLE__DOCTOR_JOIN_MAX; i++)
        visit_place(doctor, doctor->common->join.items[i]);
}

bool
tulle__doctor_can_connect(const char *address, int64_t deadline_us, char why[static 160])
{
    struct tulle__doctor_place place = { .address = address };
    struct visit visit = { .place = &place };
    struct tulle__zmtp zmtp;
    memset(&visit.where, 0, sizeof visit.where);
    if (!take_apart(&visit) ||
        (!visit.is_ipc && inet_pton(AF_INET, visit.host, &visit.where.tcp.sin_addr) != 1)) {
        (void)snprintf(why, 160, "its host is given by name");
        return false;
    }
    tulle__zmtp_open(&zmtp, &visit.where.any, visit.where_len, "DEALER", deadline_us);
    tulle__zmtp_close(&zmtp);
    (void)snprintf(why, 160, "%s", zmtp.why);
    return zmtp.result == TULLE__ZMTP_OK;
}

bool
tulle__doctor_who_listens(struct tulle__doctor *doctor, const char *address, char name[static 64])
{
    char here[TULLE__DOCTOR_ADDRESS_LEN];
    bool is_any = strncmp(address, "tcp://*:", 8) == 0;
    (void)snprintf(here, sizeof here, "%s%s", is_any ? "tcp://127.0.0.1:" : "",
                   address + (is_any ? 8 : 0));
    struct tulle__doctor_place place = { .address = here };
    struct visit visit = { .doctor = doctor, .place = &place };
    struct tulle__zmtp zmtp;
    bool has_beat = false;
    memset(&visit.where, 0, sizeof visit.where);
    if (!take_apart(&visit) ||
        (!visit.is_ipc && inet_pton(AF_INET, visit.host, &visit.where.tcp.sin_addr) != 1))
        return false;
    json_t *beat = read_beat(&visit, &zmtp, &has_beat);
    const char *mesh = json_string_value(json_array_get(beat, 1));
    bool is_of_mesh = mesh != NULL && strcmp(mesh, doctor->common->node.mesh) == 0;
    (void)snprintf(name, 64, "%s", text_of(json_array_get(beat, 4), "n"));
    json_decref(beat);
    return is_of_mesh;
}
