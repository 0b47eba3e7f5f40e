/* SPDX-License-Identifier: MPL-2.0 */

/* The examination from inside: a node with the options that were given is started, its own address
 * looked at, and what it comes to see of the mesh compared with what others say. */

#include "tools/common/lookout.h"
#include "tools/common/mesh.h"
#include "tools/common/tools.h"
#include "tools/doctor/doctor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { LINE_LEN = 200, PROBES_MAX = 8, PROBE_US = 2000000, SLOW_US = 500000, NAME_SHOWN = 52 };

/* Lines of the node's log that tell why; written on its thread. */
struct lines {
    pthread_mutex_t mutex;
    char dropped[LINE_LEN];  /* the last codec.dropped */
    char no_inlet[LINE_LEN]; /* the last member.no_inlet */
};

struct exam {
    struct tulle__doctor *doctor;
    struct tulle__lookout lookout;
    struct lines lines;
    const tulle_snapshot *snapshot;
    struct tulle__mesh mesh;
};

#define FIND(exam, level, id, remedy, ...) \
    tulle__find(&(exam)->doctor->findings, TULLE__FINDING_##level, id, remedy, __VA_ARGS__)

static void
take_line(tulle_log_level level, const char *id, const char *text, void *ctx)
{
    struct lines *lines = ctx;
    (void)level;
    (void)pthread_mutex_lock(&lines->mutex);
    if (strcmp(id, "codec.dropped") == 0)
        (void)snprintf(lines->dropped, sizeof lines->dropped, "%s", text);
    else if (strcmp(id, "member.no_inlet") == 0)
        (void)snprintf(lines->no_inlet, sizeof lines->no_inlet, "%s", text);
    (void)pthread_mutex_unlock(&lines->mutex);
}

/* ---- starting ---- */

/* Is it the node to be examined that has the address? That is told. */
static bool
is_running(struct exam *exam)
{
    const struct tulle__common *common = exam->doctor->common;
    char name[64];
    for (size_t i = 0; i < common->listen.count && common->node.name != NULL; i++) {
        const char *address = common->listen.items[i];
        if (!tulle__doctor_who_listens(exam->doctor, address, name) ||
            strcmp(name, common->node.name) != 0)
            continue;
        FIND(exam, NOTE, "listen.running", NULL,
             "%s runs at %s: another node looks at the mesh in its place, from a port of its own",
             name, address);
        return true;
    }
    return false;
}

static void
tell_start(struct exam *exam, tulle_status status, const tulle_error *error)
{
    if (status == TULLE_EADDRINUSE && is_running(exam))
        return;
    if (status == TULLE_EADDRINUSE) {
        FIND(
            exam, PROBLEM, "listen.in_use",
            "'ss -tlnp' names who has it; a node takes its port and the next one, and with --inlet "
            "the one after it. If it is the node to be examined that runs there, leave --listen "
            "out",
            "%s", error->text);
    } else if (status == TULLE_EADDRNOTAVAIL) {
        FIND(exam, PROBLEM, "listen.not_here",
             "listen at an address that 'ip address' shows, or at '*', and give --advertise what "
             "others are to dial",
             "%s", error->text);
    } else {
        FIND(exam, PROBLEM, "listen.failed", "correct the option that is named", "%s",
             error->text[0] == '\0' ? tulle_strerror(status) : error->text);
    }
}

static bool
try_start(struct exam *exam, const tulle_node_options *options)
{
    tulle_error error = { .text = "" };
    tulle_status status = tulle_node_new(options, &exam->lookout.node, &error);
    if (status == TULLE_OK)
        status = tulle_node_start(exam->lookout.node, &error);
    if (status == TULLE_OK)
        return true;
    tulle_node_free(&exam->lookout.node);
    tell_start(exam, status, &error);
    return false;
}

static bool
start(struct exam *exam)
{
    tulle_node_options options = exam->doctor->common->node;
    char name[64];
    /* Not the name of a node that may be running: others would take it for restarted. */
    if (options.name != NULL) {
        int len = NAME_SHOWN;
        if (strlen(options.name) <= NAME_SHOWN)
            len = (int)strlen(options.name);
        while (((unsigned char)options.name[len] & 0xc0U) == 0x80)
            len--; /* not within a character */
        (void)snprintf(name, sizeof name, "doctor-%.*s", len, options.name);
        options.name = name;
    }
    options.observe = true;
    options.log = take_line;
    options.log_ctx = &exam->lines;
    options.log_level = TULLE_LOG_WARN;
    if (!tulle__signals_open(&exam->lookout.signals)) {
        FIND(exam, PROBLEM, "listen.failed", "see 'ulimit -n'", "%s", strerror(errno));
        return false;
    }
    if (try_start(exam, &options))
        return true;
    if (options.listen_count == 0)
        return false;
    /* Where it cannot listen, the way to the others can still be looked at. */
    options.listen_count = 0;
    options.advertise = options.advertise_events = options.advertise_inlet = NULL;
    return try_start(exam, &options);
}

/* ---- what others are told ---- */

static bool
is_afar(const struct tulle__doctor_place *place)
{
    return place->source[0] != '\0' && strncmp(place->source, "127.", 4) != 0;
}

static void
tell_interface(struct exam *exam, const char *address, struct in_addr host)
{
    char name[32];
    if (!tulle__doctor_interface_of(host, name)) {
        FIND(exam, NOTE, "listen.elsewhere", NULL,
             "peers are told to dial %s, which no interface of this host has: as behind address "
             "translation",
             address);
        return;
    }
    const struct tulle__doctor *doctor = exam->doctor;
    const struct tulle__doctor_place *other = NULL;
    char number[INET_ADDRSTRLEN];
    (void)inet_ntop(AF_INET, &host, number, sizeof number);
    for (size_t i = 0; i < doctor->place_count; i++) {
        if (is_afar(&doctor->places[i]) && strcmp(doctor->places[i].source, number) != 0)
            other = &doctor->places[i];
    }
    if (tulle__doctor_is_inner(name)) {
        FIND(exam, WARNING, "listen.inner",
             "give --interface of the network that the others are on, or --listen",
             "peers are told to dial %s, of %s: other hosts do not reach that", address, name);
    } else if (other != NULL) {
        FIND(exam, WARNING, "listen.interface",
             "give --interface of that network, or --listen at that address",
             "peers are told to dial %s, of %s, but the way to %s leaves from %s", address, name,
             other->address, other->source);
    } else {
        FIND(exam, OK, "listen.address", NULL, "peers are told to dial %s, of %s", address, name);
    }
}

static void
look_at_own_address(struct exam *exam)
{
    const char *address = tulle_node_address(exam->lookout.node);
    char host[64];
    struct in_addr number;
    bool is_afar_any = false;
    if (address[0] == '\0') {
        FIND(exam, OK, "listen.dial_only", NULL, "this node only dials: others need --inlet");
        return;
    }
    for (size_t i = 0; i < exam->doctor->place_count; i++)
        is_afar_any = is_afar_any || is_afar(&exam->doctor->places[i]);
    const char *colon = strrchr(address, ':');
    if (strncmp(address, "tcp://", 6) == 0 && colon > address + 5)
        (void)snprintf(host, sizeof host, "%.*s", (int)(colon - address - 6), address + 6);
    else
        host[0] = '\0';
    if (inet_pton(AF_INET, host, &number) != 1)
        FIND(exam, OK, "listen.address", NULL, "peers are told to dial %s", address);
    else if (tulle__doctor_is_loopback(number) && is_afar_any) {
        FIND(exam, PROBLEM, "listen.loopback",
             "listen at '*' or at an address of the network: 127.0.0.1 is each host's own",
             "peers are told to dial %s: those of other hosts find themselves there", address);
    } else if (tulle__doctor_is_loopback(number)) {
        FIND(exam, OK, "listen.address", NULL, "peers are told to dial %s: on this host alone",
             address);
    } else {
        tell_interface(exam, address, number);
    }
}

/* ---- who is there ---- */

static const char *
label_of(const struct exam *exam, const tulle_seen_node *node)
{
    return exam->mesh.nodes[node - exam->snapshot->nodes].label;
}

static size_t
count_up(const struct exam *exam, bool is_proxy)
{
    size_t count = 0;
    for (size_t i = 0; i < exam->snapshot->node_count; i++) {
        const tulle_seen_node *node = &exam->snapshot->nodes[i];
        count += !node->is_self && node->is_proxy == is_proxy && tulle__mesh_is_live(node);
    }
    return count;
}

static const char one_way_remedy[] =
    "the other side must be able to dial this one: --listen at an interface that it reaches, or "
    "--advertise; let the ports pass this host's firewall; or --dial-only here and --inlet there";

static void
tell_nobody(struct exam *exam)
{
    const struct tulle__doctor *doctor = exam->doctor;
    const char *own = tulle_node_address(exam->lookout.node);
    bool is_told = false;
    for (size_t i = 0; i < doctor->place_count; i++) {
        const struct tulle__doctor_place *place = &doctor->places[i];
        if (!place->is_control || place->is_hopeless)
            continue;
        is_told = true;
        if (place->has_beat) {
            FIND(exam, PROBLEM, "mesh.one_way", one_way_remedy,
                 "%s answers and its beats come, but it does not come back to this node, at %s",
                 place->address, own);
        } else {
            FIND(exam, PROBLEM, "mesh.no_answer",
                 "see whether --mesh is that of the node there; whether its event port is reached "
                 "from here; and whether it can dial this host back",
                 "%s takes connections, but does not answer this node", place->address);
        }
    }
    if (!is_told) {
        FIND(exam, PROBLEM, "mesh.nobody",
             "see to what is said of the addresses above; with --beacon, of beacons",
             "no other node is reached");
    }
}

/* A node that answers by itself, but is not among those that are up. */
static void
look_at_places(struct exam *exam)
{
    struct tulle__doctor *doctor = exam->doctor;
    for (size_t i = 0; i < doctor->place_count; i++) {
        struct tulle__doctor_place *place = &doctor->places[i];
        const tulle_seen_node *node = NULL;
        size_t up = 0;
        for (size_t k = 0; place->has_beat && k < exam->snapshot->node_count; k++) {
            const tulle_seen_node *one = &exam->snapshot->nodes[k];
            if ((double)one->id == place->id)
                node = one;
            else
                up += !one->is_self && !one->is_proxy && tulle__mesh_is_live(one);
        }
        if (!place->has_beat)
            continue;
        /* Not all beats tell addresses, but a node that answered has. */
        if (!place->is_announced_told && node != NULL && node->address[0] != '\0')
            tulle__doctor_announced(doctor, place, label_of(exam, node), node->address);
        if (node == NULL || !tulle__mesh_is_live(node)) {
            FIND(exam, PROBLEM, "mesh.one_way", one_way_remedy,
                 "%s answers and its beats come, but it does not come back to this node, at %s",
                 place->address, tulle_node_address(exam->lookout.node));
        } else if (place->sees > up && !node->is_proxy) {
            FIND(exam, WARNING, "mesh.sees_less",
                 "run doctor on the hosts of those that are missing ('tulle ls --join' there and "
                 "here): something stands between them and this host",
                 "%s has %" PRIu64 " other nodes up, from here %zu are seen", label_of(exam, node),
                 place->sees, up);
        } else if (place->sees > 0 && place->sees < up && !node->is_proxy) {
            FIND(exam, WARNING, "mesh.sees_more",
                 "run doctor on that host: something stands between it and the others",
                 "%s has only %" PRIu64 " other nodes up, from here %zu are seen",
                 label_of(exam, node), place->sees, up);
        }
    }
}

static void
tell_named(struct exam *exam, const tulle_seen_node *node, size_t *probes)
{
    char why[160];
    const char *label = label_of(exam, node);
    if (node->address[0] == '\0') {
        FIND(exam, PROBLEM, "mesh.unheard",
             "run doctor there; look at the proxies between, and at what they allow",
             "others name %s, but nothing is heard of it, beyond a proxy", label);
        return;
    }
    if ((*probes)++ >= PROBES_MAX)
        return;
    if (tulle__doctor_can_connect(node->address, tulle__tool_mono_us() + PROBE_US, why)) {
        FIND(exam, PROBLEM, "mesh.unheard",
             "let its event port (mostly the next one) pass the firewall, and its way back to this "
             "node",
             "others name %s, and %s takes connections, but nothing is heard of it", label,
             node->address);
    } else {
        FIND(exam, PROBLEM, "mesh.unreachable",
             "if it runs: let its ports pass, or start it with --advertise at an address that this "
             "host reaches; if it just ended, others forget it within seconds",
             "others name %s, but %s is not reached from here: %s", label, node->address, why);
    }
}

static void
look_at_node(struct exam *exam, const tulle_seen_node *node, size_t *probes)
{
    const char *label = label_of(exam, node);
    switch (node->state) {
    case TULLE_SEEN_NAMED:
        tell_named(exam, node, probes);
        break;
    case TULLE_SEEN_UP:
        if (!node->was_viewed) {
            FIND(exam, WARNING, "mesh.unanswered",
                 "look at its host's load, and at the way there and back",
                 "%s is up, but does not answer questions", label);
        } else if (node->has_round_trip && node->round_trip_us > SLOW_US) {
            FIND(exam, WARNING, "mesh.slow",
                 "look at the network, or the load of its host: peers that are slow become suspect",
                 "%s takes %.1f s to answer", label, (double)node->round_trip_us / 1e6);
        }
        break;
    case TULLE_SEEN_SUSPECT:
    case TULLE_SEEN_GONE:
        if (node->beat_ms == 0) { /* it never said so: nothing was heard of it */
            tell_named(exam, node, probes);
            break;
        }
        FIND(exam, WARNING, "mesh.silent",
             "see whether it runs, and its host; if it does, look at the network between",
             "%s is silent, heard %.1f s ago", label, (double)node->heard_ms / 1000);
        break;
    case TULLE_SEEN_LEFT:
        break;
    }
}

static void
look_at_names(struct exam *exam)
{
    const tulle_snapshot *s = exam->snapshot;
    for (size_t i = 0; i < s->node_count; i++) {
        const tulle_seen_node *node = &s->nodes[i];
        size_t count = 0;
        bool is_first = true;
        for (size_t k = 0; k < s->node_count; k++) {
            if (!tulle__mesh_is_live(&s->nodes[k]) || strcmp(s->nodes[k].name, node->name) != 0)
                continue;
            is_first = is_first && (count > 0 || k == i);
            count++;
        }
        if (count > 1 && is_first && node->name[0] != '\0') {
            FIND(exam, WARNING, "mesh.same_name",
                 "give each a --name of its own: by names operators and tools tell them apart",
                 "%zu nodes are called '%s'", count, node->name);
        }
    }
}

/* ---- what came and was no use ---- */

static void
look_at_drops(struct exam *exam)
{
    tulle_counters c;
    char dropped[LINE_LEN];
    char no_inlet[LINE_LEN];
    tulle_node_counters(exam->lookout.node, &c);
    (void)pthread_mutex_lock(&exam->lines.mutex);
    memcpy(dropped, exam->lines.dropped, sizeof dropped);
    memcpy(no_inlet, exam->lines.no_inlet, sizeof no_inlet);
    (void)pthread_mutex_unlock(&exam->lines.mutex);
    if (c.dropped_version > 0) {
        FIND(exam, PROBLEM, "mesh.version",
             "upgrade it: nodes of one major version of the protocol understand each other",
             "messages of another version of the protocol come: %s", dropped);
    }
    if (c.dropped_malformed > 0) {
        FIND(exam, PROBLEM, "mesh.malformed",
             "find that peer: it is not correct, or no node at all",
             "messages that cannot be read come: %s", dropped);
    }
    if (c.dropped_mesh > 0) {
        FIND(exam, WARNING, "mesh.other",
             "correct --mesh or --join of whoever sends them, or --mesh here",
             "%" PRIu64 " messages of another mesh than '%s' came", c.dropped_mesh,
             exam->doctor->common->node.mesh);
    }
    if (c.clock_clamped > 0) {
        FIND(exam, PROBLEM, "clock.clamped",
             "set the clock of that host, or of this one: run chrony or systemd-timesyncd",
             "times more than a minute ahead of this host's clock come");
    }
    if (no_inlet[0] != '\0') {
        FIND(exam, PROBLEM, "mesh.no_inlet",
             "give the other one --inlet, or do without --dial-only here",
             "this node only dials, and who it dials has no inlet: %s", no_inlet);
    }
}

/* ---- all of it ---- */

static void
look_at_mesh(struct exam *exam)
{
    const tulle_snapshot *s = exam->snapshot;
    size_t nodes = count_up(exam, false);
    size_t proxies = count_up(exam, true);
    size_t probes = 0;
    exam->doctor->mesh_size = nodes + proxies + 1;
    look_at_drops(exam);
    if (nodes + proxies == 0) {
        tell_nobody(exam);
        return;
    }
    FIND(exam, OK, "mesh.reached", NULL, "%zu %s and %zu %s are seen, in %zu %s", nodes,
         nodes == 1 ? "node" : "nodes", proxies, proxies == 1 ? "proxy" : "proxies",
         s->segment_count, s->segment_count == 1 ? "segment" : "segments");
    if (nodes == 0) {
        FIND(exam, WARNING, "mesh.only_proxy",
             "see the log of the proxy (link.state): its other side may not be joined",
             "a proxy is reached, but no node beyond it");
    }
    look_at_places(exam);
    for (size_t i = 0; i < s->node_count; i++) {
        if (!s->nodes[i].is_self)
            look_at_node(exam, &s->nodes[i], &probes);
    }
    look_at_names(exam);
}

static bool
join(struct exam *exam)
{
    const struct tulle__doctor *doctor = exam->doctor;
    look_at_own_address(exam);
    if (doctor->place_count == 0 && !doctor->common->node.use_beacon) {
        FIND(exam, NOTE, "mesh.none", NULL,
             "no mesh was looked at: give --join ADDRESS or --beacon");
        return true;
    }
    enum tulle__sight sight =
        tulle__lookout_wait(&exam->lookout, doctor->timeout_ms, &exam->snapshot);
    if (sight == TULLE__SIGHT_SIGNAL || exam->snapshot == NULL)
        return false;
    if (tulle__mesh_init(&exam->mesh, exam->snapshot))
        look_at_mesh(exam);
    else
        exam->doctor->findings.has_failed = true;
    tulle__mesh_fini(&exam->mesh);
    return true;
}

bool
tulle__doctor_mesh(struct tulle__doctor *doctor)
{
    struct exam exam = { .doctor = doctor,
                         .lookout = { .program = doctor->program, .signals = { .fd = -1 } },
                         .lines = { .mutex = PTHREAD_MUTEX_INITIALIZER } };
    bool is_done = true;
    if (start(&exam))
        is_done = join(&exam);
    tulle__lookout_close(&exam.lookout);
    tulle_snapshot_free(&exam.snapshot);
    return is_done;
}
