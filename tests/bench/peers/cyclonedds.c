/* SPDX-License-Identifier: MPL-2.0 */
/* Cyclone DDS over UDP on loopback, its own transport: reliable, keep-all, so that a
 * writer waits for slow readers. Tuned as its documentation advises for many small
 * samples and large ones: packets up to 64 KiB, samples gathered into them (not where latency is
 * measured), a higher mark for what a writer keeps unacknowledged, larger socket buffers.
 */

#include "cyclonedds_event.h"
#include "peer.h"

#include <dds/dds.h>
#include <stdio.h>
#include <stdlib.h>

enum { TAKE_MAX = 256 };

struct peer {
    dds_entity_t domain;
    dds_entity_t participant;
    dds_entity_t endpoint; /* writer or reader */
};

/* Unicast only, and discovery among this run's ports alone. */
static const char config[] =
    "<CycloneDDS><Domain>"
    "<General>"
    "<Interfaces><NetworkInterface name=\"lo\"/></Interfaces>"
    "<AllowMulticast>false</AllowMulticast>"
    "<MaxMessageSize>65500B</MaxMessageSize><FragmentSize>65000B</FragmentSize>"
    "</General>"
    "<Discovery>"
    "<ParticipantIndex>auto</ParticipantIndex>"
    "<MaxAutoParticipantIndex>32</MaxAutoParticipantIndex>"
    "<Peers><Peer address=\"127.0.0.1\"/></Peers>"
    "<Ports><Base>%u</Base></Ports>"
    "</Discovery>"
    "<Internal>"
    "<Watermarks><WhcHigh>1MB</WhcHigh></Watermarks>"
    "<SocketReceiveBufferSize min=\"1MB\" max=\"4MB\"/>"
    "</Internal>"
    "<Tracing><Verbosity>severe</Verbosity></Tracing>"
    "</Domain></CycloneDDS>";

const char *const peer_name = "cyclonedds";
const bool peer_has_flow_control = true;

static dds_entity_t
must(dds_return_t rc, const char *what)
{
    if (rc < 0)
        peer_fail("%s: %s", what, dds_strretcode(-rc));
    return rc;
}

static struct peer *
open_peer(const struct peer_setup *setup, bool is_writer)
{
    struct peer *peer = peer_allocate(sizeof *peer);
    char text[sizeof config + 16];
    (void)snprintf(text, sizeof text, config, setup->port);
    peer->domain = must(dds_create_domain(0, text), "dds_create_domain");
    peer->participant = must(dds_create_participant(0, NULL, NULL), "dds_create_participant");
    dds_write_set_batch(!setup->is_paced);
    dds_entity_t topic =
        must(dds_create_topic(peer->participant, &peer_event_desc, "bench_events", NULL, NULL),
             "dds_create_topic");
    dds_qos_t *qos = dds_create_qos();
    dds_qset_reliability(qos, DDS_RELIABILITY_RELIABLE, DDS_INFINITY);
    dds_qset_history(qos, DDS_HISTORY_KEEP_ALL, 0);
    peer->endpoint = is_writer ? dds_create_writer(peer->participant, topic, qos, NULL)
                               : dds_create_reader(peer->participant, topic, qos, NULL);
    (void)must(peer->endpoint, "dds_create_writer or dds_create_reader");
    dds_delete_qos(qos);
    return peer;
}

struct peer *
peer_open_publisher(const struct peer_setup *setup)
{
    return open_peer(setup, true);
}

struct peer *
peer_open_subscriber(const struct peer_setup *setup)
{
    return open_peer(setup, false);
}

void
peer_publish(struct peer *peer, const void *payload, size_t len)
{
    peer_event event = { { ._maximum = (uint32_t)len, ._length = (uint32_t)len } };
    event.payload._buffer = (uint8_t *)(uintptr_t)payload; /* only read */
    (void)must(dds_write(peer->endpoint, &event), "dds_write");
}

void
peer_flush(struct peer *peer)
{
    dds_write_flush(peer->endpoint);
}

void
peer_receive(struct peer *peer, peer_event_fn *fn, void *ctx)
{
    dds_entity_t waitset = must(dds_create_waitset(peer->participant), "dds_create_waitset");
    dds_entity_t ready =
        must(dds_create_readcondition(peer->endpoint, DDS_ANY_STATE), "dds_create_readcondition");
    (void)must(dds_waitset_attach(waitset, ready, 0), "dds_waitset_attach");
    for (bool more = true; more;) {
        void *samples[TAKE_MAX] = { NULL }; /* lent */
        dds_sample_info_t infos[TAKE_MAX];
        (void)must(dds_waitset_wait(waitset, NULL, 0, DDS_INFINITY), "dds_waitset_wait");
        int count = must(dds_take(peer->endpoint, samples, infos, TAKE_MAX, TAKE_MAX), "dds_take");
        for (int i = 0; i < count && more; i++) {
            const peer_event *event = samples[i];
            if (infos[i].valid_data)
                more = fn(event->payload._buffer, event->payload._length, ctx);
        }
        (void)must(dds_return_loan(peer->endpoint, samples, count), "dds_return_loan");
    }
}

void
peer_close(struct peer *peer)
{
    (void)dds_delete(peer->domain);
    free(peer);
}
