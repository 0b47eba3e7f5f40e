/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_LOAD_MESSAGE_H
#define TULLE_TOOLS_LOAD_MESSAGE_H

/* What the process that runs a load and its nodes' processes tell each other, over a socket
 * pair each; one message is one packet. In this order, for one run:
 *
 *     node    HELLO      its address; of a proxy that of its last side, a space, that of its first
 *     runner  JOIN       the address to join, "" for the first node, or proxy
 *     node    READY      all who take what it publishes are connected
 *     runner  GO         when to begin
 *     node    PROGRESS   deliveries so far, several times
 *     node    PUBLISHED  if it publishes: how much
 *     runner  EXPECT     to those who take, or await answers: how much there is
 *     node    COMPLETE   then: that much has come, or is told lost
 *     runner  END
 *     node    RESULT, and then its latencies, a histogram as it is
 *
 * or FAILED at any time. The end of the other side is the end of the node.
 */

#include "tools/load/load.h"

enum tulle__load_word {
    TULLE__LOAD_HELLO = 1,
    TULLE__LOAD_READY = 2,
    TULLE__LOAD_PUBLISHED = 4,
    TULLE__LOAD_COMPLETE = 8,
    TULLE__LOAD_RESULT = 16,
    TULLE__LOAD_PROGRESS = 32,
    TULLE__LOAD_FAILED = 64,
    TULLE__LOAD_JOIN = 128,
    TULLE__LOAD_GO = 256,
    TULLE__LOAD_EXPECT = 512,
    TULLE__LOAD_END = 1024
};

struct tulle__load_message {
    enum tulle__load_word word;
    int status; /* FAILED: exit status */
    union {
        char text[256];                 /* HELLO, JOIN, FAILED */
        int64_t start_ns;               /* GO */
        uint64_t count;                 /* PROGRESS, EXPECT */
        struct tulle__load_share share; /* PUBLISHED, RESULT */
    } u;
};

/* Send a message; it fails only when the other side is gone, and then so is this process soon. */
void tulle__load_say(int fd, const struct tulle__load_message *message);
/* Say FAILED, with "what: why" or only why. Returns status. */
int tulle__load_say_failed(int fd, int status, const char *what, const char *why);
/* Wait for a message. Returns false when it is another one, or there will be none. */
bool tulle__load_listen(int fd, enum tulle__load_word word, struct tulle__load_message *out);

/* What node or proxy of a run are called, their mesh, and where a node listens (an address
 * with a port of its own; side tells the addresses of one process apart). */
void tulle__load_mesh_name(char out[static 48]);
void tulle__load_listen_address(const struct tulle__load_plan *plan, int side, char out[static 64]);

/* CPU time of this process since *from, into the share. */
struct rusage;
void tulle__load_note_cpu(struct tulle__load_share *share, const struct rusage *from);

/* The life of a node's process, or of a proxy's, from after the fork to its exit status.
 *
 * index  as for tulle__load_roles()
 * fd     its end of the socket pair */
int tulle__load_node(const struct tulle__load_plan *plan, uint32_t index, int fd);
int tulle__load_proxy(const struct tulle__load_plan *plan, uint32_t index, int fd);

#endif
