/* SPDX-License-Identifier: MPL-2.0 */
/* Discovery by UDP broadcast. czmq keeps signal handling, the stream of its log and
 * the interface in process-wide state: its handler is switched off before it starts,
 * its log too, and the interface is set only while a beacon is made, one at a time. */

#include "node/beacon.h"

#include "base/alloc.h"
#include "node/options.h"

#include <czmq.h>
#include <pthread.h>

enum {
    BEACON_LEN = 24, /* "TUL" version, mesh hash, id, port, two zero bytes */
    FILTER_LEN = 12, /* up to the id */
    INTERVAL_MS = 1000
};

struct tulle__beacon {
    zactor_t *actor;
    uint64_t id;
};

static void
put_number(uint8_t *to, uint64_t value, int len)
{
    for (int i = 0; i < len; i++)
        to[i] = (uint8_t)(value >> (8 * (len - 1 - i)));
}

static uint64_t
get_number(const uint8_t *from, int len)
{
    uint64_t value = 0;
    for (int i = 0; i < len; i++)
        value = value << 8 | from[i];
    return value;
}

/* FNV-1a: only keeps meshes apart on one port. */
static uint64_t
hash_mesh(const char *mesh)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *c = mesh; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    return hash;
}

static zactor_t *
make_actor(const char *interface_name, uint16_t port)
{
    static pthread_mutex_t czmq_mutex = PTHREAD_MUTEX_INITIALIZER;
    (void)pthread_mutex_lock(&czmq_mutex);
    zsys_handler_set(NULL); /* the application's signals are its own, as its streams */
    zsys_set_logstream(NULL);
    zsys_set_interface(interface_name == NULL ? "" : interface_name);
    zactor_t *actor = zactor_new(zbeacon, NULL);
    char *host = NULL;
    if (actor != NULL) {
        (void)zsock_send(actor, "si", "CONFIGURE", (int)port);
        host = zstr_recv(actor);
    }
    (void)pthread_mutex_unlock(&czmq_mutex);
    if (host == NULL || host[0] == '\0')
        zactor_destroy(&actor);
    zstr_free(&host);
    return actor;
}

tulle_status
tulle__beacon_open(const struct tulle__beacon_options *options,
                   struct tulle__beacon **out,
                   tulle_error *error)
{
    *out = NULL;
    struct tulle__beacon *beacon = tulle__alloc(sizeof *beacon);
    if (beacon == NULL)
        return tulle__error_set(error, TULLE_ENOMEM, "out of memory");
    beacon->id = options->id;
    beacon->actor = make_actor(options->interface_name, options->port);
    if (beacon->actor == NULL) {
        tulle__free(beacon);
        return tulle__error_set(error, TULLE_ENETWORK,
                                "cannot send beacons on UDP port %u%s%s: no interface that can "
                                "broadcast; join by address instead",
                                (unsigned)options->port,
                                options->interface_name == NULL ? "" : " of ",
                                options->interface_name == NULL ? "" : options->interface_name);
    }
    uint8_t data[BEACON_LEN] = { 'T', 'U', 'L', 1 };
    put_number(data + 4, hash_mesh(options->mesh), 8);
    put_number(data + 12, options->id, 8);
    put_number(data + 20, options->control_port, 2);
    if (options->control_port != 0)
        (void)zsock_send(beacon->actor, "sbi", "PUBLISH", data, sizeof data, INTERVAL_MS);
    (void)zsock_send(beacon->actor, "sb", "SUBSCRIBE", data, (size_t)FILTER_LEN);
    *out = beacon;
    return TULLE_OK;
}

void
tulle__beacon_close(struct tulle__beacon **beacon)
{
    if (*beacon == NULL)
        return;
    zactor_destroy(&(*beacon)->actor);
    tulle__free(*beacon);
    *beacon = NULL;
}

int
tulle__beacon_fd(const struct tulle__beacon *beacon)
{
    return zsock_fd(beacon->actor);
}

bool
tulle__beacon_has_events(const struct tulle__beacon *beacon)
{
    return (zsock_events(beacon->actor) & ZMQ_POLLIN) != 0;
}

bool
tulle__beacon_next(struct tulle__beacon *beacon,
                   uint64_t *id,
                   char address[static TULLE__BEACON_ADDRESS_LEN_MAX])
{
    while ((zsock_events(beacon->actor) & ZMQ_POLLIN) != 0) {
        zmsg_t *message = zmsg_recv(beacon->actor);
        char *host = message == NULL ? NULL : zmsg_popstr(message);
        zframe_t *frame = message == NULL ? NULL : zmsg_pop(message);
        bool is_good = host != NULL && frame != NULL && zframe_size(frame) == BEACON_LEN;
        if (is_good) {
            const uint8_t *data = zframe_data(frame);
            unsigned port = (unsigned)get_number(data + 20, 2);
            *id = get_number(data + 12, 8);
            is_good = *id != beacon->id && port != 0 && strlen(host) < 64;
            if (is_good)
                (void)snprintf(address, TULLE__BEACON_ADDRESS_LEN_MAX, "tcp://%.63s:%u", host,
                               port);
        }
        zframe_destroy(&frame);
        zstr_free(&host);
        zmsg_destroy(&message);
        if (is_good)
            return true;
    }
    return false;
}
