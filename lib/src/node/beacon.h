/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_BEACON_H
#define TULLE_NODE_BEACON_H

/* Finding and being found by UDP broadcast on a segment, through czmq's zbeacon.
 *
 * A beacon is 24 bytes: "TUL", version 1, a hash of the mesh's name, the node's id,
 * its control port (PROTOCOL 6.8). Who hears one dials the sender's host. */

#include <tulle/status.h>

#include <stdbool.h>
#include <stdint.h>

struct tulle__beacon;

struct tulle__beacon_options {
    const char *mesh;
    uint64_t id;
    uint16_t control_port;      /* to tell of; 0: only listen */
    uint16_t port;              /* UDP */
    const char *interface_name; /* NULL: czmq chooses */
};

/* error may be NULL.
 * Returns TULLE_OK, TULLE_ENETWORK (no interface can broadcast), TULLE_ENOMEM */
TULLE_MUST_CHECK tulle_status tulle__beacon_open(const struct tulle__beacon_options *options,
                                                 struct tulle__beacon **out,
                                                 tulle_error *error);
void tulle__beacon_close(struct tulle__beacon **beacon);
/* As of the transport: to wait for, once there are no events. */
int tulle__beacon_fd(const struct tulle__beacon *beacon);
bool tulle__beacon_has_events(const struct tulle__beacon *beacon);

enum { TULLE__BEACON_ADDRESS_LEN_MAX = 80 };

/* Next beacon of another node of the mesh. False when there is none. */
bool tulle__beacon_next(struct tulle__beacon *beacon,
                        uint64_t *id,
                        char address[static TULLE__BEACON_ADDRESS_LEN_MAX]);

#endif
