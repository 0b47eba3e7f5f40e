/* SPDX-License-Identifier: MPL-2.0 */
/* The sockets of one segment. libzmq's errno goes no further than this file.
 *
 * Each dialed connection announces an identity of its own, "N", the own id and a
 * serial number, so that the same two nodes can be connected twice without one connection
 * taking the place of the other; the id in it is the "via" of what comes over it. */

#include "node/transport.h"

#include "base/alloc.h"
#include "base/panic.h"
#include "base/table.h"
#include "node/address.h"
#include "node/frame.h"
#include "node/ipc.h"
#include "node/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    EVENTS_QUEUE = 1000,   /* batches waiting for one slow subscriber, then they drop */
    CONTROL_QUEUE = 10000, /* messages waiting for one neighbour, then they drop */
    RECONNECT_MS_MIN = 50,
    RECONNECT_MS_MAX = 1000,
    HEARTBEAT_MS = 3000, /* so often it is asked, */
    ANSWER_MS = 4000,    /* and waited so long: it shows within the sum */
    KEEPALIVE_S = 5,     /* silence after which TCP asks, */
    KEEPALIVE_NEXT_S = 2,
    KEEPALIVE_COUNT = 3, /* so often */
    GOODBYE_MS = 100,    /* for it to leave, however short the linger */
    HANDSHAKE_MS = 5000,
    CONNECT_MS = 5000,   /* to an address that swallows the question; then anew */
    PUB_DEAD_MS = 60000, /* of bytes that nobody confirms to have got */
    CALLERS_MAX = 10000,
    IDENTITY_LEN = 17, /* "N", id, serial */
    DIAL_NAME_LEN = 9, /* "D", serial */
    ROOM_EVERY = 64    /* batches sent between two looks for room in the queues */
};

/* A control connection. Two may lead to one address: a link that was typed and the
 * peer found behind it. Each gets a new serial number, also when it is dialed anew:
 * libzmq aborts on a routing id whose last connection has not quite ended. */
struct dialed {
    uint32_t tries;
    uint64_t hop;
    uint64_t serial;
    char address[TULLE__ADDRESS_LEN_MAX + 1];
};

/* An address that SUB or PUB is connected to, as it was chosen. */
struct wire {
    uint64_t hop;
    void *socket;
    char address[TULLE__ADDRESS_LEN_MAX + 1];
};

/* The connection that a neighbour last spoke over: who cannot be dialed is answered there. */
struct caller {
    uint64_t id;
    uint8_t identity[IDENTITY_LEN];
    UT_hash_handle hh;
};

struct tulle__transport {
    uint64_t id;
    struct wire *wires;
    size_t wire_count;
    size_t wire_cap;
    struct dialed *dialed;
    size_t dialed_count;
    size_t dialed_cap;
    uint64_t serial;        /* of the last dialed */
    struct caller *callers; /* uthash; who came first is the first to be forgotten */
    void *pub;
    void *sub;
    void *router;
    void *dialer;
    char control[TULLE__ADDRESSES_MAX][TULLE__ADDRESS_LEN_MAX + 1];
    char events[TULLE__ADDRESSES_MAX][TULLE__ADDRESS_LEN_MAX + 1];
    char inlets[TULLE__ADDRESSES_MAX][TULLE__ADDRESS_LEN_MAX + 1];
    size_t address_count; /* 0: only dials */
    bool has_inlet;
    struct tulle__ipc_file files[3 * TULLE__ADDRESSES_MAX];
    size_t file_count;
    uint16_t control_port;
    struct tulle__frames publication; /* received last */
    struct tulle__frames control_message;
    bool passes_on;
    uint32_t published; /* since it was looked for room */
};

/* ---- sockets ---- */

static bool
set_int(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

/* Nobody answers for it, so that everybody is let in. But with one set libzmq refuses peers
 * of the protocols before ZMTP 3, in which some bytes and a quick end of the connection
 * make it abort (libzmq 4.3.4). */
static const char ZAP_DOMAIN[] = "tulle";

static bool
set_common(void *socket)
{
    int64_t len_max = TULLE__BATCH_LEN_MAX;
    return set_int(socket, ZMQ_LINGER, 0) && set_int(socket, ZMQ_RECONNECT_IVL, RECONNECT_MS_MIN) &&
           set_int(socket, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MS_MAX) &&
           set_int(socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS) &&
           set_int(socket, ZMQ_CONNECT_TIMEOUT, CONNECT_MS) &&
           zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, ZAP_DOMAIN, sizeof ZAP_DOMAIN - 1) == 0 &&
           zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &len_max, sizeof len_max) == 0;
}

/* Heartbeats of libzmq see through whatever is on the way, but they come behind the
 * messages: whoever has read as much as it may hold does not see an answer, nor give
 * one, and would be cut (and libzmq 4.3.4 aborts when a full SUB connection comes back
 * and is read before more arrives). So they are for control connections, where little comes.
 * Who dials asks; who is asked learns from the question when to expect the next (TTL): with
 * both asking, that would be most of what an idle mesh does. */
static bool
set_heartbeats(void *socket)
{
    return set_int(socket, ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS) &&
           set_int(socket, ZMQ_HEARTBEAT_TIMEOUT, ANSWER_MS) &&
           set_int(socket, ZMQ_HEARTBEAT_TTL, 2 * HEARTBEAT_MS);
}

/* Events come in any number, to readers as slow as they like: there the system asks
 * whether the other end is there, which a full buffer does not keep it from. */
static bool
set_keepalive(void *socket)
{
    return set_int(socket, ZMQ_TCP_KEEPALIVE, 1) &&
           set_int(socket, ZMQ_TCP_KEEPALIVE_IDLE, KEEPALIVE_S) &&
           set_int(socket, ZMQ_TCP_KEEPALIVE_INTVL, KEEPALIVE_NEXT_S) &&
           set_int(socket, ZMQ_TCP_KEEPALIVE_CNT, KEEPALIVE_COUNT);
}

/* PUB connects to the inlets of those it dials, where it only ever sends: so it asks whether
 * they are there. Subscriptions end with the connection (IMMEDIATE), or who comes next at the
 * address would get what the one before it took. */
static bool
set_dialing_pub(void *socket)
{
    return set_heartbeats(socket) && set_int(socket, ZMQ_IMMEDIATE, 1);
}

static bool
open_sockets(struct tulle__transport *t, void *context)
{
    t->pub = zmq_socket(context, ZMQ_PUB);
    /* A SUB looks whether it has asked for what comes, which whoever passes it on does himself. */
    t->sub = zmq_socket(context, t->passes_on ? ZMQ_XSUB : ZMQ_SUB);
    t->router = zmq_socket(context, ZMQ_ROUTER);
    t->dialer = zmq_socket(context, ZMQ_ROUTER);
    if (t->pub == NULL || t->sub == NULL || t->router == NULL || t->dialer == NULL)
        return false;
    /* A SUB's subscriptions travel through its send queue: with a limit they are lost
     * in silence past it (libzmq 4.3.4). */
    return set_common(t->pub) && set_common(t->sub) && set_common(t->router) &&
           set_common(t->dialer) && set_heartbeats(t->dialer) && set_keepalive(t->pub) &&
           set_keepalive(t->sub) && set_int(t->pub, ZMQ_SNDHWM, EVENTS_QUEUE) &&
           set_int(t->pub, ZMQ_TCP_MAXRT, PUB_DEAD_MS) &&
           set_int(t->sub, ZMQ_RCVHWM, EVENTS_QUEUE) && set_int(t->sub, ZMQ_SNDHWM, 0) &&
           set_int(t->router, ZMQ_RCVHWM, CONTROL_QUEUE) &&
           set_int(t->router, ZMQ_SNDHWM, CONTROL_QUEUE) &&
           set_int(t->router, ZMQ_ROUTER_HANDOVER, 1) &&
           set_int(t->router, ZMQ_ROUTER_MANDATORY, 1) &&
           set_int(t->dialer, ZMQ_RCVHWM, CONTROL_QUEUE) &&
           set_int(t->dialer, ZMQ_SNDHWM, CONTROL_QUEUE) &&
           set_int(t->dialer, ZMQ_ROUTER_MANDATORY, 1);
}

static void
put_u64(uint8_t *to, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        to[i] = (uint8_t)(value >> (56 - 8 * i));
}

/* ---- binding ---- */

static tulle_status
bind_error(const char *address, tulle_error *error)
{
    int code = zmq_errno();
    tulle_status status = TULLE_ENETWORK;
    const char *hint = "";
    if (code == EADDRINUSE) {
        status = TULLE_EADDRINUSE;
        hint = "; another program has it, or this one runs already: choose another listen address";
    } else if (code == EADDRNOTAVAIL || code == ENODEV) {
        status = TULLE_EADDRNOTAVAIL;
        hint = "; no interface of this host has that address";
    }
    return tulle__error_set(error, status, "cannot listen at %s: %s%s", address, zmq_strerror(code),
                            hint);
}

/* Bind one address; the port the system chose, or the one given, to *port. */
static tulle_status
bind_one(void *socket, const char *address, int *port, tulle_error *error)
{
    if (zmq_bind(socket, address) != 0)
        return bind_error(address, error);
    char bound[TULLE__ADDRESS_LEN_MAX + 1];
    size_t len = sizeof bound;
    if (zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, bound, &len) != 0)
        return bind_error(address, error);
    const char *colon = strrchr(bound, ':');
    *port = 0;
    for (const char *c = colon == NULL ? "" : colon + 1; *c >= '0' && *c <= '9'; c++)
        *port = *port * 10 + (*c - '0');
    return TULLE_OK;
}

static tulle_status
bind_ipc(struct tulle__transport *t, void *listener, const char *address, tulle_error *error)
{
    int port = 0;
    const char *path = address + strlen("ipc://");
    if (tulle__ipc_is_taken(path)) {
        errno = EADDRINUSE;
        return bind_error(address, error);
    }
    tulle_status status = bind_one(listener, address, &port, error);
    if (status == TULLE_OK)
        tulle__ipc_file_made(&t->files[t->file_count++], path);
    return status;
}

static tulle_status
listen_ipc(struct tulle__transport *t, const struct tulle__address *address, tulle_error *error)
{
    size_t i = t->address_count;
    (void)snprintf(t->control[i], sizeof t->control[i], "ipc://%.100s", address->host);
    (void)snprintf(t->events[i], sizeof t->events[i], "ipc://%.100s.events", address->host);
    (void)snprintf(t->inlets[i], sizeof t->inlets[i], "ipc://%.100s.inlet", address->host);
    tulle_status status = bind_ipc(t, t->router, t->control[i], error);
    if (status == TULLE_OK)
        status = bind_ipc(t, t->pub, t->events[i], error);
    if (status == TULLE_OK && t->has_inlet)
        status = bind_ipc(t, t->sub, t->inlets[i], error);
    t->address_count += status == TULLE_OK ? 1 : 0;
    return status;
}

struct place {
    const char *bound; /* hosts */
    const char *shown;
};

/* Port 0: the system chooses one. The address for others, with that port, to out. */
static tulle_status
bind_tcp(void *socket,
         const struct place *place,
         int port,
         char out[static TULLE__ADDRESS_LEN_MAX + 1],
         int *bound_port,
         tulle_error *error)
{
    char text[TULLE__ADDRESS_LEN_MAX + 32];
    char port_text[16] = "*";
    if (port != 0)
        (void)snprintf(port_text, sizeof port_text, "%d", port);
    (void)snprintf(text, sizeof text, "tcp://%s:%s", place->bound, port_text);
    /* Without a list of interfaces, as where a service may not use netlink sockets, or there is no
     * descriptor left, libzmq aborts (4.3.4). */
    if (!tulle__address_has_interfaces())
        return bind_error(text, error);
    tulle_status status = bind_one(socket, text, bound_port, error);
    if (status == TULLE_OK)
        (void)snprintf(out, TULLE__ADDRESS_LEN_MAX + 1, "tcp://%.230s:%d", place->shown,
                       *bound_port);
    return status;
}

static tulle_status
listen_tcp(struct tulle__transport *t,
           const struct tulle__address *address,
           const char *interface_name,
           tulle_error *error)
{
    char shown[TULLE__HOST_LEN_MAX + 1];
    struct place place = { address->host, shown };
    memcpy(shown, address->host, sizeof shown);
    if (strcmp(address->host, "*") == 0) {
        place.bound = "0.0.0.0";
        if (!tulle__address_of_interface(interface_name, shown))
            return tulle__error_set(error, TULLE_EADDRNOTAVAIL, "interface %s has no IPv4 address",
                                    interface_name);
    }
    size_t i = t->address_count;
    int first = address->port;
    int port = 0;
    tulle_status status = bind_tcp(t->router, &place, first, t->control[i], &port, error);
    if (status != TULLE_OK)
        return status;
    if (t->control_port == 0)
        t->control_port = (uint16_t)port;
    status = bind_tcp(t->pub, &place, first == 0 ? 0 : first + 1, t->events[i], &port, error);
    if (status == TULLE_OK && t->has_inlet)
        status = bind_tcp(t->sub, &place, first == 0 ? 0 : first + 2, t->inlets[i], &port, error);
    t->address_count += status == TULLE_OK ? 1 : 0;
    return status;
}

static tulle_status
listen_all(struct tulle__transport *t,
           const struct tulle__transport_options *options,
           tulle_error *error)
{
    size_t count = options->listen_count > 0 ? options->listen_count : 1;
    for (size_t i = 0; i < count; i++) {
        struct tulle__address address;
        const char *text = options->listen_count > 0 ? options->listen[i] : "tcp://*:*";
        if (!tulle__address_parse(text, &address))
            return TULLE_EINVAL; /* options were checked before */
        tulle_status status = address.is_ipc
                                  ? listen_ipc(t, &address, error)
                                  : listen_tcp(t, &address, options->interface_name, error);
        if (status != TULLE_OK)
            return status;
    }
    if (options->advertise != NULL)
        (void)snprintf(t->control[0], sizeof t->control[0], "%s", options->advertise);
    if (options->advertise_events != NULL)
        (void)snprintf(t->events[0], sizeof t->events[0], "%s", options->advertise_events);
    if (options->advertise_inlet != NULL)
        (void)snprintf(t->inlets[0], sizeof t->inlets[0], "%s", options->advertise_inlet);
    return TULLE_OK;
}

tulle_status
tulle__transport_open(void *context,
                      const struct tulle__transport_options *options,
                      struct tulle__transport **out,
                      tulle_error *error)
{
    struct tulle__transport *t = tulle__alloc(sizeof *t);
    *out = NULL;
    if (t == NULL)
        return tulle__error_set(error, TULLE_ENOMEM, "out of memory");
    t->id = options->id;
    t->has_inlet = options->use_inlet;
    t->passes_on = options->passes_on;
    tulle__frames_init(&t->publication, t->passes_on);
    tulle__frames_init(&t->control_message, false);
    tulle_status status = TULLE_OK;
    if (!open_sockets(t, context) || (options->dial_only && !set_dialing_pub(t->pub)))
        status = tulle__error_set(error, TULLE_EOS, "cannot open sockets: %s",
                                  zmq_strerror(zmq_errno()));
    if (status == TULLE_OK && !options->dial_only)
        status = listen_all(t, options, error);
    if (status != TULLE_OK) {
        tulle__transport_close(&t, 0);
        return status;
    }
    *out = t;
    return TULLE_OK;
}

static void
forget_caller(struct tulle__transport *t, struct caller *caller)
{
    HASH_DEL(t->callers, caller);
    tulle__free(caller);
}

void
tulle__transport_close(struct tulle__transport **transport, uint32_t linger_ms)
{
    struct tulle__transport *t = *transport;
    if (t == NULL)
        return;
    tulle__frames_fini(&t->publication);
    tulle__frames_fini(&t->control_message);
    for (size_t i = 0; i < t->file_count; i++)
        tulle__ipc_file_remove(&t->files[i]);
    void *sockets[] = { t->pub, t->dialer, t->router, t->sub };
    /* What was sent last, a goodbye, is with libzmq's thread yet, or not even there. */
    int linger[] = { linger_ms > GOODBYE_MS ? (int)linger_ms : GOODBYE_MS, (int)linger_ms, 0, 0 };
    for (size_t i = 0; i < sizeof sockets / sizeof sockets[0]; i++) {
        if (sockets[i] == NULL)
            continue;
        (void)set_int(sockets[i], ZMQ_LINGER, linger[i]);
        (void)zmq_close(sockets[i]);
    }
    while (t->callers != NULL)
        forget_caller(t, t->callers);
    tulle__free(t->dialed);
    tulle__free(t->wires);
    tulle__free(t);
    *transport = NULL;
}

size_t
tulle__transport_addresses(const struct tulle__transport *t,
                           const char *control[TULLE__ADDRESSES_MAX],
                           const char *events[TULLE__ADDRESSES_MAX])
{
    for (size_t i = 0; i < t->address_count; i++) {
        control[i] = t->control[i];
        events[i] = t->events[i];
    }
    return t->address_count;
}

size_t
tulle__transport_inlets(const struct tulle__transport *t, const char *inlets[TULLE__ADDRESSES_MAX])
{
    for (size_t i = 0; i < t->address_count; i++)
        inlets[i] = t->inlets[i];
    return t->has_inlet ? t->address_count : 0;
}

uint16_t
tulle__transport_control_port(const struct tulle__transport *t)
{
    return t->control_port;
}

static void *
socket_at(const struct tulle__transport *t, size_t index)
{
    void *const sockets[] = { [TULLE__TRANSPORT_SUB] = t->sub,
                              [TULLE__TRANSPORT_ROUTER] = t->router,
                              [TULLE__TRANSPORT_PUB] = t->pub,
                              [TULLE__TRANSPORT_DIALER] = t->dialer };
    TULLE_ASSERT(index < sizeof sockets / sizeof sockets[0]);
    return sockets[index];
}

int
tulle__transport_fd(const struct tulle__transport *t, size_t index)
{
    int fd = -1;
    size_t len = sizeof fd;
    return zmq_getsockopt(socket_at(t, index), ZMQ_FD, &fd, &len) == 0 ? fd : -1;
}

void
tulle__transport_look_at_pub(const struct tulle__transport *t)
{
    tulle__frame_look_for_room(t->pub);
}

bool
tulle__transport_has_events(const struct tulle__transport *t)
{
    bool has_events = false;
    for (size_t i = 0; i < TULLE__TRANSPORT_POLL_ITEMS; i++) {
        int events = 0;
        size_t len = sizeof events;
        if (zmq_getsockopt(socket_at(t, i), ZMQ_EVENTS, &events, &len) == 0)
            has_events = has_events || (events & ZMQ_POLLIN) != 0;
    }
    return has_events;
}

/* ---- sending ---- */

static void
look_for_room(struct tulle__transport *t)
{
    if (++t->published < ROOM_EVERY)
        return;
    t->published = 0;
    tulle__frame_look_for_room(t->pub);
}

static void
send_rest(struct tulle__transport *t, struct tulle__buf *body, struct tulle__buf *path)
{
    if (!tulle__frame_send(t->pub, body, path != NULL ? ZMQ_SNDMORE : 0)) {
        (void)zmq_send(t->pub, "", 0, ZMQ_DONTWAIT); /* end the message; receivers drop it */
        return;
    }
    if (path != NULL && !tulle__frame_send(t->pub, path, 0))
        (void)zmq_send(t->pub, "", 0, ZMQ_DONTWAIT);
}

void
tulle__transport_publish(struct tulle__transport *t,
                         struct tulle__view key,
                         struct tulle__buf *body,
                         struct tulle__buf *path)
{
    look_for_room(t);
    /* PUB never blocks and never refuses: it drops for whom the queue is full. */
    if (zmq_send(t->pub, key.data, key.len, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
        send_rest(t, body, path);
}

void
tulle__transport_pass(struct tulle__transport *t,
                      struct tulle__transport *from,
                      const struct tulle__incoming *in,
                      struct tulle__buf *path,
                      bool is_last)
{
    struct tulle__buf *kept = is_last ? NULL : tulle__buf_ref(in->body);
    look_for_room(t);
    if (tulle__frame_pass(t->pub, &from->publication.at[0], ZMQ_SNDMORE, is_last))
        send_rest(t, in->body, path);
    tulle__buf_unref(&kept);
}

void
tulle__transport_give_back(struct tulle__transport *t, struct tulle__incoming *in)
{
    tulle__frames_give_back(&t->publication, &in->body);
}

static struct dialed *
find_dialed(struct tulle__transport *t, uint64_t hop)
{
    for (size_t i = 0; i < t->dialed_count; i++) {
        if (t->dialed[i].hop == hop)
            return &t->dialed[i];
    }
    return NULL;
}

static void
name_dialed(uint8_t name[static DIAL_NAME_LEN], const struct dialed *dialed)
{
    name[0] = 'D';
    put_u64(name + 1, dialed->serial);
}

static bool
send_to(void *socket, struct tulle__view name, struct tulle__buf *header, struct tulle__buf *body)
{
    /* MANDATORY: no connection of that name, or a full queue, is told here, before
     * anything is sent; after this frame the rest is taken. */
    if (zmq_send(socket, name.data, name.len, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
        return false;
    if (!tulle__frame_send(socket, header, ZMQ_SNDMORE) || !tulle__frame_send(socket, body, 0)) {
        (void)zmq_send(socket, "", 0, ZMQ_DONTWAIT);
        return false;
    }
    return true;
}

bool
tulle__transport_control(struct tulle__transport *t,
                         uint64_t hop,
                         struct tulle__buf *header,
                         struct tulle__buf *body)
{
    const struct dialed *dialed = find_dialed(t, hop);
    uint8_t name[DIAL_NAME_LEN];
    if (dialed != NULL) {
        name_dialed(name, dialed);
        return send_to(t->dialer, (struct tulle__view){ name, sizeof name }, header, body);
    }
    const struct caller *caller = NULL;
    HASH_FIND(hh, t->callers, &hop, sizeof hop, caller);
    return caller != NULL &&
           send_to(t->router, (struct tulle__view){ caller->identity, IDENTITY_LEN }, header, body);
}

/* ---- connections ---- */

/* Holds for what is connected from now on. libzmq doubles the pause for as long as nobody
 * listens, but begins anew with each connection that something takes and ends at once; and
 * it spreads a pause by up to the shortest one. */
static void
set_pause(void *socket, uint32_t tries)
{
    int pause_ms = RECONNECT_MS_MIN;
    while (tries-- > 0 && pause_ms < RECONNECT_MS_MAX)
        pause_ms *= 2;
    if (pause_ms > RECONNECT_MS_MAX)
        pause_ms = RECONNECT_MS_MAX;
    (void)set_int(socket, ZMQ_RECONNECT_IVL, pause_ms); /* fails only for other numbers */
}

static void
connect_control(struct tulle__transport *t, struct dialed *dialed)
{
    dialed->serial = ++t->serial;
    uint8_t identity[IDENTITY_LEN] = { 'N' };
    put_u64(identity + 1, t->id);
    put_u64(identity + 9, dialed->serial);
    uint8_t name[DIAL_NAME_LEN];
    name_dialed(name, dialed);
    set_pause(t->dialer, dialed->tries);
    if (zmq_setsockopt(t->dialer, ZMQ_ROUTING_ID, identity, sizeof identity) == 0 &&
        zmq_setsockopt(t->dialer, ZMQ_CONNECT_ROUTING_ID, name, sizeof name) == 0)
        (void)zmq_connect(t->dialer, dialed->address); /* a bad address never answers */
}

/* An address is one hop's: that of the node that was met there last. */
static void
hang_up_wire(struct tulle__transport *t, void *socket, uint64_t hop)
{
    for (size_t i = 0; i < t->wire_count; i++) {
        if (t->wires[i].hop == hop && t->wires[i].socket == socket) {
            (void)zmq_disconnect(socket, t->wires[i].address);
            t->wires[i] = t->wires[--t->wire_count];
            return;
        }
    }
}

static void
dial_wire(struct tulle__transport *t,
          void *socket,
          uint64_t hop,
          const char *list,
          const struct tulle__dialing *dialing)
{
    char address[TULLE__ADDRESS_LEN_MAX + 1];
    hang_up_wire(t, socket, hop);
    tulle__address_choose(list, dialing->turn, address);
    struct wire *wire = NULL;
    for (size_t i = 0; i < t->wire_count && wire == NULL; i++) {
        if (t->wires[i].socket == socket && strcmp(t->wires[i].address, address) == 0)
            wire = &t->wires[i];
    }
    /* Mostly it leads to who came there next. When libzmq gave it up, as something else was there
     * in between, nothing is heard: dialed again, the new one ends it, as its own. */
    if (wire != NULL && dialing->tries == 0)
        wire->hop = hop;
    if (wire != NULL || address[0] == '\0' ||
        !tulle__grow(&t->wires, &t->wire_cap, t->wire_count, sizeof *t->wires))
        return;
    wire = &t->wires[t->wire_count++];
    wire->hop = hop;
    wire->socket = socket;
    memcpy(wire->address, address, sizeof address);
    set_pause(socket, dialing->tries);
    (void)zmq_connect(socket, address);
}

static bool
dial_control(struct tulle__transport *t, uint64_t hop, const struct tulle__dialing *dialing)
{
    char address[TULLE__ADDRESS_LEN_MAX + 1];
    tulle__address_choose(dialing->control, dialing->turn, address);
    if (address[0] == '\0' ||
        !tulle__grow(&t->dialed, &t->dialed_cap, t->dialed_count, sizeof *t->dialed))
        return address[0] == '\0';
    struct dialed *dialed = &t->dialed[t->dialed_count++];
    dialed->hop = hop;
    dialed->tries = dialing->tries;
    memcpy(dialed->address, address, sizeof address);
    connect_control(t, dialed);
    return true;
}

bool
tulle__transport_dial(struct tulle__transport *t,
                      uint64_t hop,
                      const struct tulle__dialing *dialing)
{
    bool is_dialed = dialing->control == NULL || dial_control(t, hop, dialing);
    if (dialing->events != NULL)
        dial_wire(t, t->sub, hop, dialing->events, dialing);
    if (dialing->inlet != NULL)
        dial_wire(t, t->pub, hop, dialing->inlet, dialing);
    return is_dialed;
}

/* Disconnecting an address ends every connection to it: the others are dialed anew. */
static void
hang_up_control(struct tulle__transport *t, uint64_t hop)
{
    struct dialed *dialed = find_dialed(t, hop);
    if (dialed == NULL)
        return;
    char address[TULLE__ADDRESS_LEN_MAX + 1];
    memcpy(address, dialed->address, sizeof address);
    *dialed = t->dialed[--t->dialed_count];
    (void)zmq_disconnect(t->dialer, address);
    for (size_t i = 0; i < t->dialed_count; i++) {
        if (strcmp(t->dialed[i].address, address) == 0)
            connect_control(t, &t->dialed[i]);
    }
}

void
tulle__transport_hangup(struct tulle__transport *t,
                        uint64_t hop,
                        const struct tulle__dialing *dialing)
{
    if (dialing->control != NULL) {
        /* If it was for good, nobody is answered there any more; else it will speak again. */
        struct caller *caller = NULL;
        HASH_FIND(hh, t->callers, &hop, sizeof hop, caller);
        if (caller != NULL)
            forget_caller(t, caller);
        hang_up_control(t, hop);
    }
    if (dialing->events != NULL)
        hang_up_wire(t, t->sub, hop);
    if (dialing->inlet != NULL)
        hang_up_wire(t, t->pub, hop);
}

void
tulle__transport_subscribe(struct tulle__transport *t, struct tulle__view key)
{
    tulle__frame_subscribe(t->sub, t->passes_on, key, true);
}

void
tulle__transport_unsubscribe(struct tulle__transport *t, struct tulle__view key)
{
    tulle__frame_subscribe(t->sub, t->passes_on, key, false);
}

/* ---- receiving ---- */

enum tulle__received
tulle__transport_receive_publication(struct tulle__transport *t, struct tulle__incoming *out)
{
    struct tulle__frames *frames = &t->publication;
    int count = tulle__frames_receive(frames, t->sub);
    if (count == 0)
        return TULLE__RECEIVED_NOTHING;
    if (count < 2 || count > 3)
        return TULLE__RECEIVED_MALFORMED;
    *out = (struct tulle__incoming){ .key = tulle__frames_view(frames, 0) };
    if (count == 3)
        out->path = tulle__frames_view(frames, 2);
    if (count == 3 && out->path.len == 0)
        return TULLE__RECEIVED_MALFORMED;
    out->body = tulle__frames_take_body(frames);
    return out->body == NULL ? TULLE__RECEIVED_MALFORMED : TULLE__RECEIVED_MESSAGE;
}

/* ---- control ---- */

static void
note_caller(struct tulle__transport *t, uint64_t id, const uint8_t *identity)
{
    struct caller *caller = NULL;
    HASH_FIND(hh, t->callers, &id, sizeof id, caller);
    if (caller == NULL) {
        if (HASH_COUNT(t->callers) >= CALLERS_MAX)
            forget_caller(t, t->callers);
        caller = tulle__alloc(sizeof *caller);
        if (caller == NULL)
            return; /* it is answered when it speaks again */
        caller->id = id;
        HASH_ADD(hh, t->callers, id, sizeof caller->id, caller);
        struct caller *added = NULL;
        HASH_FIND(hh, t->callers, &id, sizeof id, added);
        if (added == NULL) {
            tulle__free(caller);
            return;
        }
    }
    memcpy(caller->identity, identity, sizeof caller->identity);
}

/* Who came over the bound socket names itself; over a dialed one comes whoever is there. */
static bool
name_sender(struct tulle__transport *t, bool is_dialed, struct tulle__incoming *out)
{
    struct tulle__view name = tulle__frames_view(&t->control_message, 0);
    if (!is_dialed) {
        if (name.len != IDENTITY_LEN || name.data[0] != 'N')
            return false;
        out->via = tulle__load_u64(name.data + 1);
        note_caller(t, out->via, name.data);
        return true;
    }
    for (size_t i = 0; name.len == DIAL_NAME_LEN && i < t->dialed_count; i++) {
        if (t->dialed[i].serial == tulle__load_u64(name.data + 1))
            out->hop = t->dialed[i].hop;
    }
    return out->hop != 0;
}

enum tulle__received
tulle__transport_receive_control(struct tulle__transport *t, struct tulle__incoming *out)
{
    struct tulle__frames *frames = &t->control_message;
    int count = tulle__frames_receive(frames, t->router);
    bool is_dialed = count == 0;
    if (is_dialed)
        count = tulle__frames_receive(frames, t->dialer);
    if (count == 0)
        return TULLE__RECEIVED_NOTHING;
    *out = (struct tulle__incoming){ 0 };
    if (count != 3 || !name_sender(t, is_dialed, out))
        return TULLE__RECEIVED_MALFORMED;
    out->key = tulle__frames_view(frames, 1);
    out->body = tulle__frame_take(&frames->at[2]);
    return out->body == NULL ? TULLE__RECEIVED_MALFORMED : TULLE__RECEIVED_MESSAGE;
}
