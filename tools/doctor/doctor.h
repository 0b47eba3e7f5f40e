/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_DOCTOR_H
#define TULLE_TOOLS_DOCTOR_H

/* The examination: what each part of it is given, and what parts tell one another. */

#include "app/common.h"
#include "tools/doctor/doctor_finding.h"

#include <tulle/observe.h>

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TULLE__DOCTOR_ADDRESS_LEN = 256, TULLE__DOCTOR_JOIN_MAX = 64 };

/* What answered at an address that is to be joined. */
struct tulle__doctor_place {
    const char *address;
    bool is_control;              /* a socket as nodes have it for control */
    bool has_beat;                /* a beat of the right mesh and version was read */
    bool is_hopeless;             /* why it cannot be joined was told */
    double id;                    /* of the beat, as near as it gets */
    bool is_announced_told;       /* what it tells others to dial was looked at */
    uint64_t sees;                /* other nodes that it says are up */
    char source[INET_ADDRSTRLEN]; /* own address on the way there; "" for IPC */
};

struct tulle__doctor {
    const struct tulle__program *program;
    struct tulle__common *common;
    const char *config;  /* file that options came from; NULL: none */
    uint64_t node_count; /* planned; 0: as many as there are */
    int64_t timeout_ms;  /* for each way that is tried */
    struct tulle__findings findings;
    struct tulle__doctor_place places[TULLE__DOCTOR_JOIN_MAX];
    size_t place_count;
    size_t mesh_size; /* nodes that were seen, this one too; 0: none was */
};

/* Versions, configuration, keys, clock. */
void tulle__doctor_host(struct tulle__doctor *doctor);
/* Descriptors, memory, ports; after the mesh was seen. */
void tulle__doctor_limits(struct tulle__doctor *doctor);
/* Interfaces of this host. */
void tulle__doctor_interfaces(struct tulle__doctor *doctor);
/* Beacons: sent, heard again, heard from others. */
void tulle__doctor_beacon(struct tulle__doctor *doctor);
/* Each address to join, without joining. */
void tulle__doctor_places(struct tulle__doctor *doctor);
/* Join, and look at the mesh; false when a signal came. */
bool tulle__doctor_mesh(struct tulle__doctor *doctor);

/* ---- what they share ---- */

/* Is it an address of the host alone, 127.0.0.0/8? */
bool tulle__doctor_is_loopback(struct in_addr address);

/* The interface that has this address; false: none has. */
bool tulle__doctor_interface_of(struct in_addr address, char name[static 32]);

/* Is it one that containers and machines within this host use? */
bool tulle__doctor_is_inner(const char *interface_name);

/* What the node of a place tells others to dial: does that work? Addresses separated by spaces. */
void tulle__doctor_announced(struct tulle__doctor *doctor,
                             struct tulle__doctor_place *place,
                             const char *name,
                             const char *announced);

/* The node of this mesh that listens at an address of this host; false: there is none. */
bool
tulle__doctor_who_listens(struct tulle__doctor *doctor, const char *address, char name[static 64]);

/* Of one address, which may stand with others behind a space: can a connection be made by the
 * deadline? Else why says why not. Names are not looked up. */
bool tulle__doctor_can_connect(const char *address, int64_t deadline_us, char why[static 160]);

#endif
